//! A transport for tests: answers in order, or by path, and remembers what it was asked.

use super::transport::{Call, Problem, Sink, Transport};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use tancheck_plugin_api::Outcome;

/// What it answers.
type Answer = Result<Vec<u8>, Problem>;

/// Copies share their memory.
#[derive(Clone, Default)]
pub(crate) struct Faked(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    queue: VecDeque<Answer>,
    by_path: BTreeMap<String, Answer>,
    calls: Vec<Call>,
}

/// A port where nobody listens, as long as the first of both is held: nobody else can take it.
pub(crate) fn port_without_listener() -> (OwnedFd, SocketAddr) {
    let taken = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&taken, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = getsockname(&taken).unwrap().try_into().unwrap();
    (taken, address)
}

impl Faked {
    /// Answers in this order, whatever is asked.
    pub(crate) fn answers(answers: impl IntoIterator<Item = Value>) -> Self {
        let faked = Self::default();
        faked.0.lock().unwrap().queue =
            answers.into_iter().map(|json| Ok(json.to_string().into_bytes())).collect();
        faked
    }

    /// Answers JSON to requests with this path and query.
    pub(crate) fn at(self, path: &str, json: &Value) -> Self {
        self.text_at(path, &json.to_string())
    }

    /// Answers text to requests with this path and query.
    pub(crate) fn text_at(self, path: &str, text: &str) -> Self {
        self.0.lock().unwrap().by_path.insert(path.to_owned(), Ok(text.as_bytes().to_vec()));
        self
    }

    /// Fails requests with this path and query.
    pub(crate) fn failing_at(self, path: &str, outcome: Outcome, reason: &str, status: u16) -> Self {
        let mut problem = Problem::new(outcome, reason);
        problem.status = Some(status);
        reason.clone_into(&mut problem.said);
        self.0.lock().unwrap().by_path.insert(path.to_owned(), Err(problem));
        self
    }

    /// Everything that was asked.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().calls.clone()
    }
}

impl Transport for Faked {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        // Others run in between, as they do while a network is waited for.
        tokio::task::yield_now().await;
        let answer = {
            let mut state = self.0.lock().unwrap();
            state.calls.push(call.clone());
            let known = state.by_path.get(&call.path).cloned();
            known.or_else(|| state.queue.pop_front()).unwrap_or_else(|| {
                Err(Problem::new(Outcome::Unreachable, format!("{}: no more answers", call.label())))
            })
        };
        let mut sink = sink();
        sink.feed(&answer?)?;
        Ok(sink)
    }
}
