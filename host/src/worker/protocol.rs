//! Frames between host and guest: `length:u32le | kind:u8 | id:u32le | body`. An answer repeats the id of its request.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// Most bytes of an answer.
pub(super) const ANSWER_LIMIT: usize = 16 << 20;

/// Most bytes of a manifest.
pub(super) const MANIFEST_LIMIT: usize = 1 << 20;

/// Most bytes of everything else that a guest sends.
pub(super) const NOTICE_LIMIT: usize = 64 << 10;

/// Most bytes of a request; the guest's memory limit decides earlier on most machines.
pub(super) const REQUEST_LIMIT: usize = 256 << 20;

const HEADER: usize = 9;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// To the guest: a [`Start`].
    Start = 1,
    /// To the guest: tell the manifest.
    Describe = 2,
    /// To the guest: judge; the body is an `Inspection`.
    Inspect = 3,
    /// To the guest: end.
    Quit = 4,
    /// To the guest, once it is sandboxed: the library's descriptor travels with this frame.
    Library = 5,
    /// From the guest, before the library is loaded: a [`super::Sandbox`].
    Sandboxed = 65,
    /// From the guest: the library is loaded.
    Ready = 66,
    /// From the guest: a [`Fatal`]; nothing follows.
    Fatal = 67,
    /// From the guest: the manifest.
    Manifest = 68,
    /// From the guest: a `Reply`.
    Judged = 69,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Start,
        Self::Describe,
        Self::Inspect,
        Self::Quit,
        Self::Library,
        Self::Sandboxed,
        Self::Ready,
        Self::Fatal,
        Self::Manifest,
        Self::Judged,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// Most bytes of a body of this kind.
    const fn limit(self) -> usize {
        match self {
            Self::Start | Self::Inspect => REQUEST_LIMIT,
            Self::Describe | Self::Quit | Self::Library | Self::Ready => 0,
            Self::Sandboxed | Self::Fatal => NOTICE_LIMIT,
            Self::Manifest => MANIFEST_LIMIT,
            Self::Judged => ANSWER_LIMIT,
        }
    }
}

/// The first frame to a guest.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// The version of the host; a worker of another one does not begin.
    pub(super) version: String,
    /// Address space, in bytes.
    pub(super) memory: u64,
    /// Processor time, in seconds, for all that this worker ever does.
    pub(super) cpu_seconds: u64,
    /// Goes on where a layer of the sandbox is missing.
    pub(super) allow_weak_sandbox: bool,
}

/// Why a guest could not start.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fatal {
    /// One sentence.
    pub(super) sentence: String,
    /// More, for a debug log.
    #[serde(default)]
    pub(super) details: String,
}

/// A frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) id: u32,
    pub(super) body: Vec<u8>,
}

/// Why no frame could be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The other side is gone.
    #[error("the connection ended")]
    Ended,
    /// The other side sends something else.
    #[error("a frame of the unknown kind {0}")]
    Unknown(u8),
    /// A frame is larger than its kind allows.
    #[error("a {kind:?} frame of {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge { kind: Kind, bytes: usize, limit: usize },
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(io::Error),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                Self::Ended
            }
            _ => Self::Io(error),
        }
    }
}

fn header(kind: Kind, id: u32, body: &[u8]) -> Result<[u8; HEADER], FrameError> {
    let limit = kind.limit();
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= limit);
    let Some(length) = length else { return Err(FrameError::TooLarge { kind, bytes: body.len(), limit }) };
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4] = kind as u8;
    header[5..].copy_from_slice(&id.to_le_bytes());
    Ok(header)
}

/// Kind, id and the body's length; the length is checked before anything is allocated for it.
fn parse(header: [u8; HEADER]) -> Result<(Kind, u32, usize), FrameError> {
    let [a, b, c, d, kind, id @ ..] = header;
    let kind = Kind::of(kind).ok_or(FrameError::Unknown(kind))?;
    let bytes = u32::from_le_bytes([a, b, c, d]) as usize;
    let limit = kind.limit();
    if bytes > limit {
        return Err(FrameError::TooLarge { kind, bytes, limit });
    }
    Ok((kind, u32::from_le_bytes(id), bytes))
}

/// Sends a frame from the guest.
pub(super) fn send(socket: &mut impl Write, kind: Kind, id: u32, body: &[u8]) -> Result<(), FrameError> {
    let header = header(kind, id, body)?;
    let mut frame = Vec::with_capacity(HEADER + body.len());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(body);
    Ok(socket.write_all(&frame)?)
}

/// Reads a frame in the guest.
pub(super) fn receive(socket: &mut impl Read) -> Result<Frame, FrameError> {
    let mut header = [0; HEADER];
    socket.read_exact(&mut header)?;
    let (kind, id, bytes) = parse(header)?;
    let mut body = vec![0; bytes];
    socket.read_exact(&mut body)?;
    Ok(Frame { kind, id, body })
}

/// Hands an open file to the guest.
pub(super) async fn hand_over(socket: &UnixStream, file: BorrowedFd<'_>) -> Result<(), FrameError> {
    let header = header(Kind::Library, 0, &[])?;
    let send = || {
        let files = [file];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        Ok(sendmsg(socket, &[IoSlice::new(&header)], &mut control, SendFlags::NOSIGNAL)?)
    };
    // A few bytes go as a whole or not at all.
    let sent = socket.async_io(Interest::WRITABLE, send).await?;
    if sent == HEADER { Ok(()) } else { Err(FrameError::Ended) }
}

/// Receives the open file that the host hands over.
pub(super) fn take_over(socket: &mut StdUnixStream) -> Result<OwnedFd, FrameError> {
    let mut header = [0; HEADER];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = rustix::io::retry_on_intr(|| {
        recvmsg(&*socket, &mut [IoSliceMut::new(&mut header)], &mut control, RecvFlags::CMSG_CLOEXEC)
    });
    let got = got.map_err(io::Error::from)?.bytes;
    socket.read_exact(&mut header[got..])?;
    let (Kind::Library, ..) = parse(header)? else { return Err(FrameError::Unknown(header[4])) };
    let files = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    files.flatten().next().ok_or(FrameError::Ended)
}

/// Sends a frame from the host.
pub(super) async fn send_async(
    socket: &mut (impl AsyncWrite + Unpin),
    kind: Kind,
    id: u32,
    body: &[u8],
) -> Result<(), FrameError> {
    let header = header(kind, id, body)?;
    socket.write_all(&header).await?;
    Ok(socket.write_all(body).await?)
}

/// Reads a frame in the host.
pub(super) async fn receive_async(socket: &mut (impl AsyncRead + Unpin)) -> Result<Frame, FrameError> {
    let mut header = [0; HEADER];
    socket.read_exact(&mut header).await?;
    let (kind, id, bytes) = parse(header)?;
    // The body grows with what really comes: a claimed length alone costs no memory.
    let mut body = Vec::new();
    socket.take(bytes as u64).read_to_end(&mut body).await?;
    if body.len() < bytes {
        return Err(FrameError::Ended);
    }
    Ok(Frame { kind, id, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_frame_comes_back_as_it_was_sent() {
        let mut wire = Vec::new();
        send(&mut wire, Kind::Judged, 7, b"{}").unwrap();
        let frame = receive(&mut wire.as_slice()).unwrap();
        assert_eq!((frame.kind, frame.id, frame.body.as_slice()), (Kind::Judged, 7, b"{}".as_slice()));
    }

    #[test]
    fn a_length_beyond_the_kind_is_refused_before_it_is_read() {
        let mut wire = Vec::new();
        send(&mut wire, Kind::Judged, 1, b"").unwrap();
        wire[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(receive(&mut wire.as_slice()), Err(FrameError::TooLarge { .. })));
        assert!(matches!(header(Kind::Ready, 1, b"x"), Err(FrameError::TooLarge { .. })));
    }

    #[test]
    fn garbage_is_refused() {
        assert!(matches!(receive(&mut b"hello world".as_slice()), Err(FrameError::Unknown(b'o'))));
        assert!(matches!(receive(&mut b"short".as_slice()), Err(FrameError::Ended)));
    }

    #[tokio::test]
    async fn an_open_file_is_handed_over() {
        let (ours, mut theirs) = StdUnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let ours = UnixStream::from_std(ours).unwrap();
        let (mut reader, writer) = io::pipe().unwrap();
        hand_over(&ours, writer.as_fd()).await.unwrap();
        drop(writer);
        let mut taken = std::fs::File::from(take_over(&mut theirs).unwrap());
        taken.write_all(b"through it").unwrap();
        drop(taken);
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "through it");
        drop(ours);
        assert!(matches!(take_over(&mut theirs), Err(FrameError::Ended)));
    }

    #[test]
    fn a_frame_without_a_file_hands_nothing_over() {
        for kind in [Kind::Library, Kind::Quit] {
            let (mut ours, mut theirs) = StdUnixStream::pair().unwrap();
            send(&mut ours, kind, 0, b"").unwrap();
            assert!(take_over(&mut theirs).is_err(), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_cut_short_is_an_end() {
        let mut wire = Vec::new();
        send(&mut wire, Kind::Judged, 1, b"0123456789").unwrap();
        wire.truncate(15);
        assert!(matches!(receive_async(&mut wire.as_slice()).await, Err(FrameError::Ended)));
    }
}
