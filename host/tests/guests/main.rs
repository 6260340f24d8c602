//! Plugins as real libraries in real workers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking and says when it is skipped"
)]

mod abi;
mod broken;
mod catalog;
mod diagnosis;
mod hostile;
mod weak;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tancheck::config::{Limits, Places};
use tancheck::plugins::Library;
use tancheck::worker;

const PACKAGES: &[&str] = &[
    "tancheck-abi-first",
    "tancheck-abi-next",
    "tancheck-abi-second",
    "tancheck-direct-connect",
    "tancheck-guided",
    "tancheck-hostile",
    "tancheck-hostile-constructor",
];

/// The library of a package, built once for all tests.
fn built(package: &str) -> &'static Path {
    static LIBRARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let libraries = LIBRARIES.get_or_init(|| tancheck_test_support::build(PACKAGES));
    worker::use_program(env!("CARGO_BIN_EXE_tancheck-worker").into());
    &libraries[package]
}

fn library(path: &Path) -> Library {
    Library::of(path, &std::fs::read(path).unwrap())
}

/// Whether workers can be sandboxed here; says so where they cannot.
async fn sandboxed(test: &str) -> bool {
    let failure = worker::describe(&library(built("tancheck-hostile")), &Limits::default()).await.err();
    let missing = failure.filter(|failure| failure.sentence.contains("this system lacks"));
    if let Some(failure) = &missing {
        eprintln!("{test} is SKIPPED: {failure}");
    }
    missing.is_none()
}

/// A copy of a package's library in which some bytes are replaced, everywhere they occur.
fn patched(package: &str, folder: &Path, old: &[u8], new: &[u8]) -> PathBuf {
    assert_eq!(old.len(), new.len());
    let mut bytes = std::fs::read(built(package)).unwrap();
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, old).collect();
    assert!(!places.is_empty(), "{:?} is not in {package}", String::from_utf8_lossy(old));
    for place in places {
        bytes[place..place + new.len()].copy_from_slice(new);
    }
    let path = folder.join("patched.so");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Folders below one folder.
fn places(folder: &Path) -> Places {
    Places {
        plugins: vec![folder.join("plugins")],
        exports: folder.join("exports"),
        state: folder.join("state"),
        cache: folder.join("cache"),
        waivers: None,
    }
}
