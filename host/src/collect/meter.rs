//! Every request of a run passes here: it waits for its turn, is counted, and is told about.

use super::gate;
use super::order::Weight;
use super::progress::{Event, Progress};
use super::schedule::{Rank, Schedule};
use super::transport::{Call, Problem, Sink, Transport};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So much of a poll's answer is looked at.
const LONGEST_POLL: usize = 64 * 1024;

/// What a run has sent and received.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) sent: AtomicU64,
    pub(super) saved: AtomicU64,
    pub(super) questions: AtomicU64,
    pub(super) bytes: AtomicU64,
}

/// What one request has cost.
#[derive(Debug, Default)]
pub(super) struct Cost {
    micros: AtomicU64,
}

impl Cost {
    /// The time between the beginnings and ends of all its requests.
    pub(super) fn seconds(&self) -> f64 {
        Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64()
    }
}

/// A transport for one request of one input.
pub(super) struct Meter<'a, T> {
    pub(super) inner: &'a T,
    pub(super) totals: &'a Totals,
    pub(super) progress: &'a Progress,
    pub(super) schedule: &'a Schedule,
    /// How much it matters that it goes soon.
    pub(super) weight: Weight,
    /// The request, for people.
    pub(super) about: String,
    pub(super) cost: Cost,
}

impl<T: Transport> Transport for Meter<'_, T> {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        let turn = self.schedule.calls.enter(Rank::of(call, self.weight.chain())).await;
        self.totals.sent.fetch_add(1, Ordering::Relaxed);
        if call.path == gate::QUESTIONS {
            self.totals.questions.fetch_add(1, Ordering::Relaxed);
        }
        let request = call.label();
        self.progress.tell(&Event::Started { request: request.clone() });
        let began = Instant::now();
        let received = AtomicU64::new(0);
        let poll = call.path.starts_with("/api/v2/result_info/").then(|| Mutex::new(Vec::new()));
        let answer = self.inner.send(call, || Watched::new(sink(), &received, poll.as_ref())).await;
        drop(turn);
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.cost.micros.fetch_add(micros, Ordering::Relaxed);
        let bytes = received.load(Ordering::Relaxed);
        self.totals.bytes.fetch_add(bytes, Ordering::Relaxed);
        let problem = answer.as_ref().err().map(ToString::to_string);
        let seconds = began.elapsed().as_secs_f64();
        self.progress.tell(&Event::Finished { request, seconds, bytes, problem });
        if let Some(poll) = &poll {
            self.tell_progress(&poll.lock().unwrap_or_else(PoisonError::into_inner));
        }
        answer.map(|watched| watched.inner)
    }
}

impl<T> Meter<'_, T> {
    /// Connections were made that are no requests to the deployment.
    pub(super) fn made(&self, connections: u64, took: Duration) {
        self.totals.sent.fetch_add(connections, Ordering::Relaxed);
        let request = self.about.clone();
        self.progress.tell(&Event::Finished {
            request,
            seconds: took.as_secs_f64(),
            bytes: 0,
            problem: None,
        });
    }

    /// How far a question has come, as its poll says.
    fn tell_progress(&self, poll: &[u8]) {
        let Ok(poll) = serde_json::from_slice::<Value>(poll) else { return };
        let Some(info) = poll.pointer("/data/result_infos/0") else { return };
        let number = |key: &str| info.get(key).and_then(Value::as_u64).unwrap_or_default();
        self.progress.tell(&Event::Question {
            question: self.about.clone(),
            answered: number("mr_tested"),
            expected: number("estimated_total"),
        });
    }
}

/// A sink whose bytes are counted, and kept where they tell how far a question has come.
struct Watched<'a, S> {
    inner: S,
    received: &'a AtomicU64,
    poll: Option<&'a Mutex<Vec<u8>>>,
}

impl<'a, S> Watched<'a, S> {
    fn new(inner: S, received: &'a AtomicU64, poll: Option<&'a Mutex<Vec<u8>>>) -> Self {
        // A repeated request starts anew.
        if let Some(poll) = poll {
            poll.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        Self { inner, received, poll }
    }
}

impl<S: Sink> Sink for Watched<'_, S> {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if let Some(poll) = self.poll {
            let mut kept = poll.lock().unwrap_or_else(PoisonError::into_inner);
            let room = LONGEST_POLL.saturating_sub(kept.len()).min(bytes.len());
            kept.extend_from_slice(&bytes[..room]);
        }
        self.inner.feed(bytes)
    }
}
