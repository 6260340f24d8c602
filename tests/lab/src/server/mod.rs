//! The HTTP side of the lab: its own thread and runtime, so that it serves sync and async tests alike.

mod flight;
mod gate;
mod listeners;
mod tls;

pub(crate) use tls::Authority;

use crate::core::Core;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use listeners::Sockets;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// Why a connection is dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the lab breaks this connection on purpose")]
pub(crate) struct Broken;

type LabBody = UnsyncBoxBody<Bytes, Broken>;

/// A serving lab; it stops when this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) listeners: Sockets,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Binds the address and serves from a thread of its own.
    pub(crate) fn start(core: Arc<Core>, acceptor: Option<TlsAcceptor>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(core.config.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listeners = Sockets::new(runtime.handle().clone(), &core.state().listeners.all)?;
        listeners.apply(&core)?;
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let thread = std::thread::Builder::new().name("tancheck-lab".to_owned()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, core, acceptor) => {}
                }
            });
            // Questions over a large fleet may still be counted; nobody waits for them any more.
            runtime.shutdown_background();
        })?;
        Ok(Self { address, listeners, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed already; dropping must not panic again.
            let _finished = thread.join();
        }
    }
}

async fn accept(listener: std::net::TcpListener, core: Arc<Core>, acceptor: Option<TlsAcceptor>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (core, acceptor) = (Arc::clone(&core), acceptor.clone());
        tokio::spawn(async move {
            let reset = Arc::new(AtomicBool::new(false));
            let stream = Socket { stream, reset: Arc::clone(&reset) };
            match acceptor {
                None => serve(stream, core, reset).await,
                Some(acceptor) => {
                    // Clients that do not trust the lab's authority end here.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, core, reset).await;
                    }
                }
            }
        });
    }
}

async fn serve<S>(stream: S, core: Arc<Core>, reset: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (core, reset) = (Arc::clone(&core), Arc::clone(&reset));
        async move {
            let answer: Result<Response<LabBody>, Broken> = gate::answer(&core, request).await;
            if answer.is_err() {
                reset.store(true, Ordering::Relaxed);
            }
            answer
        }
    });
    // Errors here are the client going away, or the lab breaking the connection on purpose.
    let _ended =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A socket that is reset, instead of closed, once told so.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Without lingering the system sends RST; where that fails, the client sees a plain close.
            let _best_effort = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
