//! Files that are written as a whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What a new file may be by default, less what the process masks.
const USUAL: u32 = 0o666;

/// What a file of a cache may be: read by nobody else.
const PRIVATE: u32 = 0o600;

/// A file in the making. It lies beside the file that it becomes, so that it can take its name in one step; dropped
/// before that, it is gone.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// Begins a file with these permissions; else those of the file it replaces, or the usual ones.
    ///
    /// # Errors
    /// When the folder is missing or may not be written to.
    pub fn of(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        let replaced = || fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777);
        let kept = mode.or_else(replaced);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".draft")
            .permissions(Permissions::from_mode(kept.unwrap_or(USUAL)))
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        if let Some(mode) = kept {
            // What the process masks does not count against permissions that somebody chose.
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// Gives the file its name. Until then, and if this fails, the old one is there.
    ///
    /// # Errors
    /// When the disk is full or the name cannot be taken.
    pub fn put_in_place(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path)?;
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file so that a reader sees the old one or the whole new one, never half of it. A device or a pipe, such as
/// `/dev/null`, is written to and not replaced.
///
/// # Errors
/// When it cannot be written; the old one is then still there.
pub fn write(
    path: &Path,
    mode: Option<u32>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if !is_plain(path) {
        let mut to = BufWriter::new(fs::File::options().write(true).open(path)?);
        fill(&mut to)?;
        return to.flush();
    }
    let mut to = BufWriter::new(Draft::of(path, mode)?);
    fill(&mut to)?;
    to.into_inner().map_err(io::IntoInnerError::into_error)?.put_in_place()
}

/// Writes a file of a cache: whole or not at all for every reader, but without waiting for the disk. After a power
/// failure it may hold anything; its readers examine it, and what is not good is made again.
///
/// # Errors
/// When it cannot be written; the old one is then still there.
pub fn write_cache(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut to = Draft::of(path, Some(PRIVATE))?;
    to.write_all(bytes)?;
    to.file.persist(&to.path)?;
    Ok(())
}

/// Waits until nobody else changes files of this folder by [`lock_beside`]; dropped, the next one may.
///
/// # Errors
/// When the folder cannot be locked.
pub fn lock_beside(path: &Path) -> io::Result<fs::File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let lock = fs::File::open(folder)?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(lock)
}

/// Whether a path is a file, or will be one.
pub fn is_plain(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write(&path, Some(0o600), |to| to.write_all(b"one")).unwrap();
        write(&path, None, |to| to.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let failed = write(&path, None, |to| {
            to.write_all(b"three")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn a_device_stays_what_it_is() {
        write(Path::new("/dev/null"), Some(0o600), |to| to.write_all(b"x")).unwrap();
        assert!(!is_plain(Path::new("/dev/null")));
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(&folder.path().join("none/report.json"), None, |_| Ok(())).is_err());
    }
}
