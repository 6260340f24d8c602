//! Files that are no plugins, or no longer: each is refused in one sentence, before any of its code runs.

use crate::{built, library, patched, places, sandboxed};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tancheck::config::Limits;
use tancheck::plugins::{Catalog, discovery, trust};
use tancheck::worker::describe;

const PACKAGE: &str = "tancheck-hostile";

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A file that the stamp reader must refuse, and words of the sentence.
type Broken = (&'static str, fn(&Path) -> PathBuf, &'static str);

const TABLE: &[Broken] = &[
    ("text", |folder| write(folder, b"not a library\n"), "a text file"),
    ("empty", |folder| write(folder, b""), "an empty file"),
    ("magic only", |folder| write(folder, b"\x7fELF\x02\x01\x01"), "cut short"),
    ("truncated", |folder| write(folder, &bytes()[..bytes().len() / 2]), "cut short"),
    ("cut by one byte", |folder| write(folder, &bytes()[..bytes().len() - 1]), "cut short"),
    ("other machine", |folder| write(folder, &with(18, &[0xf3, 0x7f])), "another processor"),
    ("32 bit", |folder| write(folder, &with(4, &[1])), "another processor (32 bit"),
    ("object file", |folder| write(folder, &with(16, &[1, 0])), "a program or an object file"),
    ("another library", |_| system_library(), "exports no TANCHECK_PLUGIN"),
    (
        "a folder",
        |folder| {
            fs::create_dir(folder.join("x.so")).unwrap();
            folder.join("x.so")
        },
        "it is no file",
    ),
    (
        // Whoever opens one waits until somebody writes to it.
        "a named pipe",
        |folder| {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            mknodat(CWD, folder.join("x.so"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            folder.join("x.so")
        },
        "it is no file",
    ),
    (
        "other symbol",
        |folder| patched(PACKAGE, folder, b"\0TANCHECK_PLUGIN\0", b"\0TANCHECK_PLUGXN\0"),
        "exports no",
    ),
    (
        "no magic",
        |folder| patched(PACKAGE, folder, b"TANCHECK\x01\0\0\0", b"TANCHICK\x01\0\0\0"),
        "does not begin",
    ),
    (
        "level 2",
        |folder| patched(PACKAGE, folder, b"TANCHECK\x01\0\0\0", b"TANCHECK\x02\0\0\0"),
        "use a later tancheck",
    ),
    (
        "level 0",
        |folder| patched(PACKAGE, folder, b"TANCHECK\x01\0\0\0", b"TANCHECK\0\0\0\0"),
        "later build of the plugin",
    ),
    ("API 3", |folder| patched(PACKAGE, folder, b"\napi=1.", b"\napi=3."), "was built for plugin API 3."),
    ("API 0", |folder| patched(PACKAGE, folder, b"\napi=1.", b"\napi=0."), "use a later build of the plugin"),
    ("bad id", |folder| patched(PACKAGE, folder, b"id=hostile\n", b"id=../../x\n"), "not kebab-case"),
    (
        "world-writable",
        |folder| {
            let path = write(folder, &bytes());
            chmod(&path, 0o666);
            path
        },
        "chmod o-w",
    ),
    (
        "world-writable folder",
        |folder| {
            let open = folder.join("open");
            fs::create_dir(&open).unwrap();
            chmod(&open, 0o1777);
            write(&open, &bytes())
        },
        "chmod o-w",
    ),
    (
        "link to world-writable",
        |folder| {
            let open = folder.join("open.bin");
            fs::write(&open, bytes()).unwrap();
            chmod(&open, 0o666);
            let link = folder.join("link.so");
            std::os::unix::fs::symlink(&open, &link).unwrap();
            link
        },
        "chmod o-w",
    ),
];

fn bytes() -> Vec<u8> {
    fs::read(built(PACKAGE)).unwrap()
}

fn with(offset: usize, change: &[u8]) -> Vec<u8> {
    let mut bytes = bytes();
    bytes[offset..offset + change.len()].copy_from_slice(change);
    bytes
}

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("x.so");
    fs::write(&path, bytes).unwrap();
    path
}

/// A library that is surely there: the one this test runs on.
fn system_library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let path =
        maps.lines().filter_map(|line| line.split_whitespace().last()).find(|path| path.contains("/libc"));
    PathBuf::from(path.expect("a C library is mapped"))
}

#[test]
fn every_broken_file_is_refused_in_one_sentence() {
    for (name, make, words) in TABLE {
        let folder = tempfile::tempdir().unwrap();
        let refusal = discovery::candidate(&make(folder.path())).unwrap_err();
        assert!(refusal.reason.contains(words), "{name}: {}", refusal.reason);
        assert!(!refusal.reason.contains('\n') && refusal.reason.len() < 400, "{name}: {}", refusal.reason);
    }
}

#[tokio::test]
async fn a_library_that_is_cut_short_costs_its_worker_only() {
    if !sandboxed("a_library_that_is_cut_short").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Within the code: past the header, far from the debug information at the end, which nobody misses.
    let path = write(folder.path(), &bytes()[..100_000]);
    let failure = describe(&library(&path), &Limits::default()).await.unwrap_err();
    assert_eq!(failure.signal, Some(libc::SIGBUS), "{failure}");
    assert!(failure.sentence.contains("cut short"), "{failure}");
}

#[tokio::test]
async fn a_library_that_changed_since_it_was_found_is_not_loaded() {
    if !sandboxed("a_library_that_changed").await {
        return;
    }
    let mut library = library(built(PACKAGE));
    library.blake3 = "0".repeat(64);
    let failure = describe(&library, &Limits::default()).await.unwrap_err();
    assert!(failure.sentence.contains("changed since it was found"), "{failure}");
}

/// Whatever bytes are flipped: the host goes on, and what is refused has a reason of one line.
#[tokio::test]
async fn flipped_bytes_never_harm_the_host() {
    if !sandboxed("flipped_bytes_never_harm_the_host").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let whole = bytes();
    let mut chance = fastrand::Rng::with_seed(7);
    let mut paths = Vec::new();
    for number in 0..12 {
        let mut bytes = whole.clone();
        // The headers and the dynamic section decide how a library is loaded: a third of the flips go to the front.
        for flip in 0..200 {
            let end = if flip % 3 == 0 { 0x8000 } else { bytes.len() };
            bytes[chance.usize(64..end)] ^= 1 << chance.u8(0..8);
        }
        let path = plugins.join(format!("{number}.so"));
        fs::write(&path, &bytes).unwrap();
        if discovery::candidate(&path).is_ok() {
            paths.push(path);
        }
    }
    assert!(!paths.is_empty(), "all are refused before they are loaded: the test tests nothing");
    for path in &paths {
        if let Err(failure) = describe(&library(path), &Limits::default()).await {
            assert!(!failure.sentence.is_empty() && !failure.sentence.contains('\n'), "{failure}");
        }
    }
    trust::write_pins(&plugins, &paths).unwrap();
    let catalog = Catalog::open(&places(folder.path()), &Limits::default()).await;
    assert_eq!(catalog.installed.len() + catalog.refused.len(), 12);
}
