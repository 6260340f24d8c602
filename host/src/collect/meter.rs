//! Counts what is sent and received, and tells about it.

use super::progress::{Event, Progress};
use super::transport::{Call, Problem, Sink, Transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What a run has sent and received.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) sent: AtomicU64,
    pub(super) saved: AtomicU64,
    pub(super) bytes: AtomicU64,
}

/// A transport with a counter for one input.
pub(super) struct Meter<'a, T> {
    pub(super) inner: &'a T,
    pub(super) totals: &'a Totals,
    pub(super) progress: &'a Progress,
    /// Requests of this input.
    pub(super) sent: AtomicU64,
}

impl<'a, T> Meter<'a, T> {
    pub(super) fn new(inner: &'a T, totals: &'a Totals, progress: &'a Progress) -> Self {
        Self { inner, totals, progress, sent: AtomicU64::new(0) }
    }
}

impl<T: Transport> Transport for Meter<'_, T> {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.totals.sent.fetch_add(1, Ordering::Relaxed);
        let request = call.label();
        self.progress.tell(&Event::Started { request: request.clone() });
        let began = Instant::now();
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = || Counted { inner: sink(), bytes: Arc::clone(&bytes) };
        let answer = self.inner.send(call, counted).await;
        let bytes = bytes.load(Ordering::Relaxed);
        self.totals.bytes.fetch_add(bytes, Ordering::Relaxed);
        let problem = answer.as_ref().err().map(ToString::to_string);
        let seconds = began.elapsed().as_secs_f64();
        self.progress.tell(&Event::Finished { request, seconds, bytes, problem });
        answer.map(|counted| counted.inner)
    }
}

struct Counted<S> {
    inner: S,
    bytes: Arc<AtomicU64>,
}

impl<S: Sink> Sink for Counted<S> {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.inner.feed(bytes)
    }
}
