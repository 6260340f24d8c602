//! Trust: a library is used only if the hash of its file is pinned.
//!
//! Two lock files are read: one in the plugins folder, written when the plugins were built together with the host
//! ([`write_pins`]), and one in the state folder, to which an administrator adds ([`pin`]). A pin in either is enough:
//! an update of the whole package is not held up by an administrator's older pin.

use super::Library;
use super::discovery::{self, Candidate};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The name of a lock file.
pub const LOCK_FILE: &str = "tancheck-plugins.lock";

const PREAMBLE: &str =
    "# Written by tancheck: the plugins that may be loaded, by the hashes of their files.\n\n";

/// A library that is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The plugin's id.
    pub id: String,
    /// Its version, for people.
    #[serde(default)]
    pub version: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// BLAKE3 of the same bytes, lower-case hex.
    pub blake3: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct LockFile {
    #[serde(default, rename = "plugin")]
    pins: Vec<Pin>,
}

/// Why a lock file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file system said no.
    #[error("cannot {verb} {}: {error}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// It is no lock file.
    #[error("{} is not understood ({problem}); restore it, or remove it and trust the plugins again", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Everybody may write it.
    #[error("{} can be written by everybody; run `chmod o-w {}`", path.display(), path.display())]
    WorldWritable {
        /// The file or folder.
        path: PathBuf,
    },
    /// A library that was to be pinned is none.
    #[error("{}: {reason}", path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The pins of this machine.
#[derive(Clone, Debug, Default)]
pub struct Pins(Vec<Pin>);

impl Pins {
    /// Reads the lock files of these folders. A file that is absent holds nothing.
    ///
    /// # Errors
    /// When a file is there but cannot be trusted or read.
    pub fn read(folders: &[&Path]) -> Result<Self, TrustError> {
        let mut pins = Vec::new();
        for folder in folders {
            pins.extend(read_lock(&folder.join(LOCK_FILE))?.pins);
        }
        Ok(Self(pins))
    }

    /// Every pin.
    pub fn iter(&self) -> impl Iterator<Item = &Pin> {
        self.0.iter()
    }

    /// Whether this very file may be loaded.
    ///
    /// # Errors
    /// A sentence that says why not, and how to trust it.
    pub fn check(&self, candidate: &Candidate) -> Result<(), String> {
        let path = candidate.library.path.display();
        let trust = format!("`tancheck plugins trust {path}`");
        let mut own = self.0.iter().filter(|pin| pin.id == candidate.stamp.id);
        if own.clone().any(|pin| pin.holds(&candidate.library)) {
            return Ok(());
        }
        match own.next_back() {
            Some(pin) => Err(format!(
                "the file changed since {} {} was trusted; if you put it there, run {trust}",
                pin.id, pin.version
            )),
            None => Err(format!(
                "nobody trusted {} {} yet; if you know where it comes from, run {trust}",
                candidate.stamp.id, candidate.stamp.version
            )),
        }
    }
}

/// Pins libraries that were built together with the host: writes the lock file of a plugins folder anew.
///
/// # Errors
/// When a library has no good stamp, or the lock file cannot be written.
pub fn write_pins(folder: &Path, libraries: &[PathBuf]) -> Result<Vec<Pin>, TrustError> {
    let mut pins = Vec::new();
    for path in libraries {
        let candidate = discovery::candidate(path)
            .map_err(|refusal| TrustError::NotALibrary { path: path.clone(), reason: refusal.reason })?;
        pins.push(Pin::of(&candidate));
    }
    pins.sort_by(|a, b| a.id.cmp(&b.id));
    write_lock(folder, &LockFile { pins: pins.clone() })?;
    Ok(pins)
}

/// Trusts one library: adds it to the lock file of the state folder, in place of an earlier pin of the same plugin.
///
/// # Errors
/// When the lock file cannot be read or written.
pub fn pin(state: &Path, candidate: &Candidate) -> Result<Pin, TrustError> {
    let mut lock = read_lock(&state.join(LOCK_FILE))?;
    let pin = Pin::of(candidate);
    lock.pins.retain(|other| other.id != pin.id);
    lock.pins.push(pin.clone());
    lock.pins.sort_by(|a, b| a.id.cmp(&b.id));
    write_lock(state, &lock)?;
    Ok(pin)
}

impl Pin {
    /// The pin of a library.
    #[must_use]
    pub fn of(candidate: &Candidate) -> Self {
        Self {
            id: candidate.stamp.id.clone(),
            version: candidate.stamp.version.clone(),
            sha256: candidate.library.sha256.clone(),
            blake3: candidate.library.blake3.clone(),
        }
    }

    fn holds(&self, library: &Library) -> bool {
        self.sha256 == library.sha256 && self.blake3 == library.blake3
    }
}

fn read_lock(path: &Path) -> Result<LockFile, TrustError> {
    let failed = |error| TrustError::Io { verb: "read", path: path.to_owned(), error };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockFile::default()),
        Err(error) => return Err(failed(error)),
    };
    if let Some(path) = discovery::world_writable(path).map_err(failed)? {
        return Err(TrustError::WorldWritable { path });
    }
    toml::from_str(&text).map_err(|error| TrustError::Unreadable {
        path: path.to_owned(),
        problem: error.message().to_owned(),
    })
}

fn write_lock(folder: &Path, lock: &LockFile) -> Result<(), TrustError> {
    let path = folder.join(LOCK_FILE);
    let text = toml::to_string(lock).expect("a list of texts is always TOML");
    std::fs::create_dir_all(folder)
        .and_then(|()| crate::files::write(&path, None, |to| write!(to, "{PREAMBLE}{text}")))
        .map_err(|error| TrustError::Io { verb: "write", path, error })
}

#[cfg(test)]
mod tests {
    use super::super::stamp::Stamp;
    use super::*;

    fn candidate(id: &str, bytes: &str) -> Candidate {
        let stamp = Stamp { id: id.into(), version: "0.1.0".into(), api: semver::Version::new(1, 0, 0) };
        Candidate { library: Library::of(format!("/plugins/{id}.so").as_ref(), bytes.as_bytes()), stamp }
    }

    #[test]
    fn a_pin_is_kept_and_replaced_and_binds_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        pin(folder.path(), &candidate("b", "1")).unwrap();
        pin(folder.path(), &candidate("a", "1")).unwrap();
        pin(folder.path(), &candidate("b", "2")).unwrap();
        let pins = Pins::read(&[folder.path()]).unwrap();
        assert_eq!(
            pins.iter().cloned().collect::<Vec<_>>(),
            [Pin::of(&candidate("a", "1")), Pin::of(&candidate("b", "2"))]
        );
        assert_eq!(pins.check(&candidate("b", "2")), Ok(()));
        assert!(pins.check(&candidate("b", "1")).unwrap_err().contains("changed since b 0.1.0"));
        let unknown = pins.check(&candidate("c", "1")).unwrap_err();
        assert!(unknown.contains("`tancheck plugins trust /plugins/c.so`"), "{unknown}");
    }

    /// Else a cache that somebody else wrote could name the pinned hash of one file and load another.
    #[test]
    fn both_hashes_are_pinned() {
        let folder = tempfile::tempdir().unwrap();
        pin(folder.path(), &candidate("a", "1")).unwrap();
        let pins = Pins::read(&[folder.path()]).unwrap();
        let other = Library::of(Path::new("/plugins/a.so"), b"2");
        let mut forged = candidate("a", "1");
        forged.library.blake3 = other.blake3;
        assert!(pins.check(&forged).is_err());
        let mut forged = candidate("a", "1");
        forged.library.sha256 = other.sha256;
        assert!(pins.check(&forged).is_err());
    }

    #[test]
    fn a_damaged_lock_file_is_an_error_and_not_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK_FILE), "[[plugin]]\nid = ").unwrap();
        let error = Pins::read(&[folder.path()]).unwrap_err();
        assert!(matches!(error, TrustError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn a_pin_in_either_folder_is_enough() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        pin(first.path(), &candidate("a", "1")).unwrap();
        pin(second.path(), &candidate("a", "2")).unwrap();
        let pins = Pins::read(&[first.path(), second.path()]).unwrap();
        assert_eq!((pins.check(&candidate("a", "1")), pins.check(&candidate("a", "2"))), (Ok(()), Ok(())));
        assert!(pins.check(&candidate("a", "3")).is_err());
    }
}
