//! Hashes and stamps of libraries whose files are as they were, so that a listing reads no library twice.
//!
//! What is remembered decides what is listed and never what is loaded: that is hashed when it is loaded, and both hashes
//! have to be pinned.

use super::Library;
use super::discovery::Candidate;
use super::stamp::Stamp;
use crate::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The form of the file; one of another form is ignored.
const FORM: u32 = 2;

/// A file that changed this lately may change again without a trace: some file systems count time in seconds.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What the file system says of a file. Any change of its bytes changes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileState {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn has_settled(&self, now: SystemTime) -> bool {
        let changed = Duration::from_secs(self.changed.0.max(0).cast_unsigned());
        now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|now| now > changed + SETTLED_AFTER)
    }
}

/// What was seen in a library while its file was in a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    state: FileState,
    sha256: String,
    blake3: String,
    stamp: Stamp,
}

/// The libraries that were read by earlier commands.
#[derive(Debug, Default)]
pub(super) struct Seen {
    file: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Kept<E> {
    form: u32,
    libraries: E,
}

impl Seen {
    /// What the cache folder remembers; nothing where it cannot be read.
    pub(super) fn open(cache: &Path) -> Self {
        let file = cache.join("libraries.json");
        let kept = fs::read(&file).ok().and_then(|text| serde_json::from_slice::<Kept<_>>(&text).ok());
        Self {
            file,
            entries: kept.filter(|kept| kept.form == FORM).map(|kept| kept.libraries).unwrap_or_default(),
        }
    }

    /// The library at this path, if it was read in this very state.
    pub(super) fn get(&self, path: &Path, state: &FileState) -> Option<Candidate> {
        let entry = self.entries.get(path).filter(|entry| entry.state == *state)?;
        let Entry { sha256, blake3, stamp, .. } = entry.clone();
        Some(Candidate { library: Library { path: path.to_owned(), sha256, blake3 }, stamp })
    }

    /// Remembers these libraries and forgets all others. A cache that cannot be written costs time and nothing else.
    pub(super) fn keep<'a>(
        &self,
        libraries: impl IntoIterator<Item = (&'a Candidate, &'a FileState)>,
        now: SystemTime,
    ) {
        let settled = libraries.into_iter().filter(|(_, state)| state.has_settled(now));
        let entries: BTreeMap<PathBuf, Entry> = settled
            .map(|(candidate, state)| {
                let Candidate { library: Library { path, sha256, blake3 }, stamp } = candidate.clone();
                (path, Entry { state: state.clone(), sha256, blake3, stamp })
            })
            .collect();
        if entries == self.entries {
            return;
        }
        if let Err(error) = self.write(&entries) {
            tracing::debug!(file = %self.file.display(), %error, "what was seen of libraries cannot be kept");
        }
    }

    fn write(&self, entries: &BTreeMap<PathBuf, Entry>) -> io::Result<()> {
        let text = serde_json::to_vec(&Kept { form: FORM, libraries: entries })?;
        fs::create_dir_all(self.file.parent().unwrap_or(Path::new(".")))?;
        files::write_cache(&self.file, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(folder: &Path, bytes: &str) -> (Candidate, FileState) {
        let path = folder.join("sample.so");
        fs::write(&path, bytes).unwrap();
        let state = FileState::of(&fs::metadata(&path).unwrap());
        let stamp =
            Stamp { id: "sample".into(), version: "0.1.0".into(), api: semver::Version::new(1, 0, 0) };
        (Candidate { library: Library::of(&path, bytes.as_bytes()), stamp }, state)
    }

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_mins(1)
    }

    #[test]
    fn a_library_is_known_until_its_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (candidate, state) = library(folder.path(), "one");
        Seen::open(folder.path()).keep([(&candidate, &state)], later());
        let seen = Seen::open(folder.path());
        assert_eq!(seen.get(&candidate.library.path, &state), Some(candidate.clone()));
        let (_, changed) = library(folder.path(), "two");
        assert_eq!(seen.get(&candidate.library.path, &changed), None);
    }

    #[test]
    fn a_file_that_just_changed_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let (candidate, state) = library(folder.path(), "one");
        Seen::open(folder.path()).keep([(&candidate, &state)], SystemTime::now());
        assert_eq!(Seen::open(folder.path()).get(&candidate.library.path, &state), None);
    }

    #[test]
    fn what_cannot_be_read_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (candidate, state) = library(folder.path(), "one");
        Seen::open(folder.path()).keep([(&candidate, &state)], later());
        let file = folder.path().join("libraries.json");
        let whole = fs::read(&file).unwrap();
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(Seen::open(folder.path()).get(&candidate.library.path, &state), None);
    }
}
