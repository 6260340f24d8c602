//! Looks for libraries: reads files, never loads them.

use super::seen::{FileState, Seen};
use super::stamp::{self, Stamp};
use super::{Library, Refusal};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// Most bytes of a library.
pub(crate) const LIBRARY_LIMIT: u64 = 512 << 20;

/// A file with a good stamp; nothing is said about trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The file and its hash.
    pub library: Library,
    /// Who it says it is.
    pub stamp: Stamp,
}

/// What lies in the plugin folders.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    pub(super) refused: Vec<Refusal>,
}

/// Looks through the folders in order. Of two libraries with the same id the first is used, the other one reported.
pub(super) fn look(folders: &[PathBuf], seen: &Seen) -> Found {
    let mut found = Found::default();
    let mut files = Vec::new();
    for folder in folders {
        match libraries_in(folder) {
            Ok(libraries) => files.extend(libraries),
            Err(refusal) => found.refused.push(refusal),
        }
    }
    let read = read_all(&files, seen);
    seen.keep(read.iter().flatten().map(|(candidate, state)| (candidate, state)), SystemTime::now());
    let mut first: BTreeMap<String, PathBuf> = BTreeMap::new();
    for result in read {
        match result {
            Ok((candidate, _)) => match first.get(&candidate.stamp.id) {
                None => {
                    first.insert(candidate.stamp.id.clone(), candidate.library.path.clone());
                    found.candidates.push(candidate);
                }
                Some(other) => found.refused.push(Refusal {
                    reason: format!(
                        "the plugin {} is already there as {}; remove one",
                        candidate.stamp.id,
                        other.display()
                    ),
                    id: Some(candidate.stamp.id),
                    path: candidate.library.path,
                }),
            },
            Err(refusal) => found.refused.push(refusal),
        }
    }
    found
}

/// The `.so` files of a folder, by name. A folder that is absent holds none.
fn libraries_in(folder: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let refuse = |reason: String| Refusal { path: folder.to_owned(), id: None, reason };
    let failed = |error: io::Error| refuse(format!("the plugins folder cannot be read: {error}"));
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    if let Some(path) = world_writable(folder).map_err(failed)? {
        return Err(refuse(open_to_all(&path)));
    }
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "so") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads and hashes files that were not seen as they are, on all processors: the hash of some dozen libraries is most
/// of the time a listing takes.
fn read_all(files: &[PathBuf], seen: &Seen) -> Vec<Result<(Candidate, FileState), Refusal>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut own = Vec::new();
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            own.push((path, look_at(path, seen)));
        }
        own
    };
    let mut results: BTreeMap<&PathBuf, _> = std::thread::scope(|scope| {
        let others: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        others.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    files.iter().filter_map(|path| results.remove(path)).collect()
}

/// One library, as it was seen or as it is. Its state is taken first: a change while it is read is then seen next time.
fn look_at(path: &Path, seen: &Seen) -> Result<(Candidate, FileState), Refusal> {
    let failed = |error: io::Error| unreadable(path, &error);
    let state = FileState::of(&fs::metadata(path).map_err(failed)?);
    let known = seen.get(path, &state).filter(|_| matches!(world_writable(path), Ok(None)));
    let candidate = known.map_or_else(|| candidate(path), Ok)?;
    Ok((candidate, state))
}

fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    Refusal { path: path.to_owned(), id: None, reason: format!("it cannot be read: {error}") }
}

/// Reads one library: permissions, stamp, hash. The bytes are read once, so that stamp and hash are of the same file.
///
/// # Errors
/// When it cannot be read, others may change it, or it is no plugin for this host.
pub fn candidate(path: &Path) -> Result<Candidate, Refusal> {
    let refuse = |id: Option<&str>, reason: String| Refusal {
        path: path.to_owned(),
        id: id.map(str::to_owned),
        reason,
    };
    let failed = |error: io::Error| unreadable(path, &error);
    if let Some(open) = world_writable(path).map_err(failed)? {
        return Err(refuse(None, open_to_all(&open)));
    }
    let bytes = read_file(path).map_err(failed)?;
    let stamp = stamp::read(&bytes).map_err(|error| refuse(error.id(), error.to_string()))?;
    Ok(Candidate { library: Library::of(path, &bytes), stamp })
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(LIBRARY_LIMIT)).unwrap_or(0));
    file.take(LIBRARY_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIBRARY_LIMIT {
        return Err(io::Error::other("it has more than 512 MiB"));
    }
    Ok(bytes)
}

/// Opens a library. What is no file is not even opened: a named pipe would wait for somebody who writes to it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() { File::open(path) } else { Err(io::Error::other("it is no file")) }
}

fn open_to_all(path: &Path) -> String {
    let path = path.display();
    format!("{path} can be written by everybody, so anybody could put a plugin there; run `chmod o-w {path}`")
}

/// What everybody could replace: the file itself (a link is followed), its folder, or a folder above. A folder above
/// may be open to all if it is sticky, as `/tmp` is.
pub(super) fn world_writable(path: &Path) -> io::Result<Option<PathBuf>> {
    let whole = path.canonicalize()?;
    let mode = |path: &Path| fs::metadata(path).map(|metadata| metadata.permissions().mode());
    let is_file = fs::metadata(&whole)?.is_file();
    for (depth, place) in whole.ancestors().enumerate() {
        let mode = mode(place)?;
        let own = depth == 0 || (is_file && depth == 1);
        let guarded = mode & 0o1000 != 0 && !own;
        if mode & 0o002 != 0 && !guarded {
            return Ok(Some(place.to_owned()));
        }
    }
    Ok(None)
}
