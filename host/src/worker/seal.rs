//! The library's bytes: read once, compared with the hash they are trusted by, and kept where nobody can change them.
//!
//! The host does it while the worker's process begins and sandboxes itself. Both take equally long, and the guest needs
//! no file of the system at all.

use crate::plugins::{Library, discovery};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use tokio::task::JoinHandle;

/// A library that is being sealed, in a thread of its own.
pub(super) struct Sealing(JoinHandle<Result<File, String>>);

impl Sealing {
    pub(super) fn begin(library: &Library) -> Self {
        let library = library.clone();
        Self(tokio::task::spawn_blocking(move || seal(&library)))
    }

    /// The sealed library; else why there is none, as a sentence about the plugin.
    pub(super) async fn end(self) -> Result<OwnedFd, String> {
        let sealed = self.0.await.map_err(|error| unreadable(&error.into()))?;
        sealed.map(OwnedFd::from)
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("its library cannot be read: {error}")
}

fn seal(library: &Library) -> Result<File, String> {
    let file = discovery::open(&library.path).map_err(|error| unreadable(&error))?;
    let (sealed, blake3) = copy(file).map_err(|error| unreadable(&error))?;
    if blake3 == library.blake3 {
        return Ok(sealed);
    }
    tracing::debug!(expected = library.blake3, found = blake3, "a library changed");
    Err("its library changed since it was found".to_owned())
}

/// The bytes of a file, unchangeable, and their BLAKE3. Where the system has no files in memory: the file itself.
pub(super) fn copy(file: File) -> io::Result<(File, String)> {
    let mut memory = memory_file()?;
    let mut bytes = (&file).take(discovery::LIBRARY_LIMIT);
    let mut hash = blake3::Hasher::new();
    let mut chunk = vec![0; 128 << 10];
    loop {
        let count = bytes.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        hash.update(&chunk[..count]);
        if let Some(memory) = &mut memory {
            memory.write_all(&chunk[..count])?;
        }
    }
    if let Some(memory) = &memory {
        make_unchangeable(memory)?;
    }
    Ok((memory.unwrap_or(file), hash.finalize().to_hex().to_string()))
}

/// A file in memory, on systems that have such.
#[cfg(target_os = "linux")]
fn memory_file() -> io::Result<Option<File>> {
    use rustix::fs::{MemfdFlags, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know the flag; later ones may be set up to insist on it.
    let memory =
        memfd_create("plugin", flags | MemfdFlags::NOEXEC_SEAL).or_else(|_| memfd_create("plugin", flags))?;
    Ok(Some(memory.into()))
}

#[cfg(not(target_os = "linux"))]
fn memory_file() -> io::Result<Option<File>> {
    Ok(None)
}

/// Forbids to change a file in memory. Nothing ever maps it for writing, so to forbid future writing forbids all of it; the
/// seal against any writing would besides wait for each page that the kernel holds for a moment, and give up with "busy".
#[cfg(target_os = "linux")]
fn make_unchangeable(memory: &File) -> io::Result<()> {
    use rustix::fs::{SealFlags, fcntl_add_seals};
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE;
    Ok(fcntl_add_seals(memory, seals)?)
}

#[cfg(not(target_os = "linux"))]
fn make_unchangeable(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use rustix::pipe::{SpliceFlags, splice};
    use std::os::fd::AsRawFd;

    /// A file in memory with a page of content, a page of which is held by a pipe.
    fn held() -> (File, io::PipeReader) {
        let mut memory = memory_file().unwrap().unwrap();
        memory.write_all(&[7; 4096]).unwrap();
        let (reader, writer) = io::pipe().unwrap();
        let spliced = splice(&memory, Some(&mut 0), &writer, None, 4096, SpliceFlags::empty());
        assert_eq!(spliced, Ok(4096));
        (memory, reader)
    }

    #[test]
    fn a_copy_can_be_made_unchangeable_while_the_kernel_holds_a_page_of_it() {
        let (memory, _reader) = held();
        make_unchangeable(&memory).unwrap();
    }

    #[test]
    fn an_unchangeable_copy_takes_no_writes_and_no_size() {
        use rustix::fs::{SealFlags, fcntl_get_seals};
        let (mut memory, _reader) = held();
        make_unchangeable(&memory).unwrap();
        let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
        let mut again = File::options().write(true).open(path).unwrap();
        for file in [&mut memory, &mut again] {
            assert_eq!(file.write(b"x").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            assert_eq!(file.set_len(0).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
        // The seal that refuses mappings for writing, and the one that keeps it.
        let seals = fcntl_get_seals(&memory).unwrap();
        assert!(seals.contains(SealFlags::FUTURE_WRITE | SealFlags::SEAL), "{seals:?}");
    }
}
