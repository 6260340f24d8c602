//! The listeners of Direct Connect as sockets: each keeps its port for as long as the lab runs, whether something
//! listens there or not.

use super::flight;
use crate::areas::direct_connect_listeners::{Certificate, Listener, Speaks};
use crate::core::Core;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// How long a client may take to say something.
const PATIENCE: Duration = Duration::from_secs(10);

/// All sockets.
pub(crate) struct Sockets {
    runtime: Handle,
    slots: Vec<Slot>,
    made: Arc<Made>,
}

/// Certificates that were made: the same description is the same certificate.
#[derive(Default)]
struct Made(Mutex<HashMap<Certificate, Vec<u8>>>);

/// One port.
struct Slot {
    host: &'static str,
    port: u16,
    address: SocketAddr,
    /// Holds the port while nothing listens.
    _reservation: TcpSocket,
    open: Mutex<Option<Open>>,
}

/// A port that is listened on.
struct Open {
    task: JoinHandle<()>,
    closed: mpsc::Receiver<()>,
}

impl Sockets {
    /// Takes a free port for each listener. They are opened by [`Sockets::apply`].
    pub(crate) fn new(runtime: Handle, listeners: &[Listener]) -> io::Result<Self> {
        let _within = runtime.enter();
        let slot = |listener: &Listener| {
            let reservation = socket(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            let address = reservation.local_addr()?;
            let (host, port) = (listener.host, listener.port);
            Ok(Slot { host, port, address, _reservation: reservation, open: Mutex::default() })
        };
        let slots = listeners.iter().map(slot).collect::<io::Result<_>>()?;
        Ok(Self { runtime: runtime.clone(), slots, made: Arc::default() })
    }

    /// Opens and closes ports as the state wants it; when this returns, they are.
    pub(crate) fn apply(&self, core: &Arc<Core>) -> io::Result<()> {
        let _within = self.runtime.enter();
        let state = core.state();
        for slot in &self.slots {
            let listener = state.listeners.all.iter().find(|listener| listener.port == slot.port);
            let wanted = listener.is_some_and(|listener| listener.speaks != Speaks::Nothing);
            let mut open = slot.open.lock().unwrap_or_else(PoisonError::into_inner);
            match (&*open, wanted) {
                (None, true) => *open = Some(self.open(slot, core)?),
                (Some(_), false) => {
                    if let Some(open) = open.take() {
                        open.task.abort();
                        // The sender goes with the task, and the socket before it.
                        let _closed = open.closed.recv();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Each listener's name and port, where it really is, and the certificate that it has now.
    pub(crate) fn places(&self) -> Vec<(String, SocketAddr)> {
        self.slots.iter().map(|slot| (format!("{}:{}", slot.host, slot.port), slot.address)).collect()
    }

    fn open(&self, slot: &Slot, core: &Arc<Core>) -> io::Result<Open> {
        let socket = socket(slot.address)?;
        let listener = socket.listen(64)?;
        let (sender, closed) = mpsc::channel();
        let (core, made, port) = (Arc::clone(core), Arc::clone(&self.made), slot.port);
        let task = self.runtime.spawn(async move {
            // Dropped after the listener.
            let _sender = sender;
            accept(listener, core, made, port).await;
        });
        Ok(Open { task, closed })
    }
}

/// A socket that shares its port with others of this process.
fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, core: Arc<Core>, made: Arc<Made>, port: u16) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let state = core.state();
        let Some(about) = state.listeners.all.iter().find(|listener| listener.port == port) else { continue };
        let (about, made) = (about.clone(), Arc::clone(&made));
        tokio::spawn(async move {
            // Errors are the client going away.
            let _ended = tokio::time::timeout(PATIENCE, serve(stream, &about, &made)).await;
        });
    }
}

async fn serve(mut stream: TcpStream, about: &Listener, made: &Made) -> io::Result<()> {
    let offered = offered(&mut stream).await?;
    let suite = about
        .suites
        .iter()
        .copied()
        .find(|suite| offered.contains(suite) && about.certificate.key.signs(*suite));
    let answer = match (about.speaks, suite) {
        (Speaks::Nothing | Speaks::Reset, _) => {
            stream.set_zero_linger()?;
            return Ok(());
        }
        (Speaks::Silence, _) => Vec::new(),
        (Speaks::Http, _) => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
        (Speaks::NewTls, _) => flight::alert(flight::NO_COMMON_VERSION),
        (Speaks::OldTls, _) => flight::old_hello(0xC014),
        (Speaks::Flood, _) => flight::flood(),
        (Speaks::Tls | Speaks::Drops | Speaks::Nonsense, None) => flight::alert(flight::NO_COMMON_SUITE),
        (Speaks::Nonsense, Some(suite)) => flight::flight(about, suite, b"this is no certificate"),
        (Speaks::Tls | Speaks::Drops, Some(suite)) => {
            flight::flight(about, suite, &made.certificate(&about.certificate)?)
        }
    };
    if about.speaks == Speaks::Drops {
        for byte in answer {
            stream.write_all(&[byte]).await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    } else {
        stream.write_all(&answer).await?;
    }
    // The client says goodbye, or goes.
    let mut rest = [0; 256];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// The suites of the client's greeting.
async fn offered(stream: &mut TcpStream) -> io::Result<Vec<u16>> {
    let mut header = [0; 5];
    stream.read_exact(&mut header).await?;
    let mut greeting = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    stream.read_exact(&mut greeting).await?;
    // Message header, version, random; then the session, which probes leave empty.
    let session = usize::from(greeting.get(38).copied().unwrap_or_default());
    let suites = greeting.get(39 + session..).unwrap_or_default();
    let Some((length, suites)) = suites.split_first_chunk::<2>() else { return Ok(Vec::new()) };
    let suites = suites.get(..usize::from(u16::from_be_bytes(*length))).unwrap_or_default();
    Ok(suites.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
}

impl Made {
    fn certificate(&self, about: &Certificate) -> io::Result<Vec<u8>> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(about) {
            return Ok(known.clone());
        }
        let certificate = flight::certificate(about).map_err(io::Error::other)?;
        made.insert(about.clone(), certificate.clone());
        Ok(certificate)
    }
}
