//! What a plugin prints: drained all the time, kept in part, shown under the plugin's name.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

/// Bytes kept of the beginning.
const HEAD: usize = 4096;

/// Bytes kept of the end: how a process died stands there.
const TAIL: usize = 1024;

/// The output of one guest.
#[derive(Debug)]
pub(super) struct Noise {
    kept: Arc<Mutex<Kept>>,
    drain: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Kept {
    fn add(&mut self, bytes: &[u8]) {
        let room = (HEAD - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }
}

impl Noise {
    /// Drains a pipe until its last writer is gone.
    pub(super) fn drain(pipe: OwnedFd) -> std::io::Result<Self> {
        let mut pipe = Receiver::from_owned_fd(pipe)?;
        let kept = Arc::new(Mutex::new(Kept::default()));
        let keeper = Arc::clone(&kept);
        let drain = tokio::spawn(async move {
            let mut chunk = vec![0; 16 << 10];
            while let Ok(bytes @ 1..) = pipe.read(&mut chunk).await {
                keeper.lock().unwrap_or_else(PoisonError::into_inner).add(&chunk[..bytes]);
            }
        });
        Ok(Self { kept, drain })
    }

    /// Waits until everything that a dead guest wrote was read.
    pub(super) async fn finish(&mut self) {
        // Bounded: a descriptor of the pipe that is still open somewhere must not hold up the run.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(200), &mut self.drain).await;
    }

    /// The beginning, readable: no escape sequences, no control characters.
    pub(super) fn head(&self) -> String {
        readable(&self.kept.lock().unwrap_or_else(PoisonError::into_inner).head)
    }

    /// The end, readable.
    pub(super) fn tail(&self) -> String {
        readable(&self.kept.lock().unwrap_or_else(PoisonError::into_inner).tail)
    }
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.drain.abort();
    }
}

/// Text that is safe to print.
pub(super) fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let plain = anstream::adapter::strip_str(&text).to_string();
    plain
        .chars()
        .filter(|&one| one == '\n' || one == '\t' || !one.is_control())
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept() {
        let mut kept = Kept::default();
        kept.add(b"first ");
        for _ in 0..100 {
            kept.add(&[b'x'; 1000]);
        }
        kept.add(b" last");
        assert_eq!((kept.head.len(), kept.tail.len()), (HEAD, TAIL));
        assert!(kept.head.starts_with(b"first ") && kept.tail.ends_with(b" last"));
    }

    #[test]
    fn escapes_do_not_reach_a_terminal() {
        assert_eq!(readable(b"\x1b[31mred\x1b[0m \x07bell\x1b]0;title\x07 \xff\n"), "red bell \u{fffd}");
    }
}
