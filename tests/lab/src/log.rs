//! What the lab was asked: for tests that count requests and prove that identical ones were sent once.

use crate::random;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query string without the question mark, empty if there is none.
    pub query: String,
    /// The `tanium-options` header, empty if there is none.
    pub options: String,
    /// A hash of the body with JSON keys in order and spaces removed; `None` without a body.
    pub body_hash: Option<u64>,
    /// The text of a question that was asked or parsed.
    pub question: Option<String>,
    /// The GraphQL document.
    pub operation: Option<String>,
    /// The status that was answered; 0 where the connection was broken on purpose or the client went away.
    pub status: u16,
    /// When it arrived, counted from the start of the lab.
    pub began: Duration,
    /// When its answer was ready; zero until then.
    pub ended: Duration,
}

impl LoggedRequest {
    pub(crate) fn new(method: &str, path: &str, query: &str, options: &str, body: &[u8]) -> Self {
        let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let text =
            |key: &str| json.as_ref().and_then(|j| j.get(key)).and_then(|v| v.as_str()).map(str::to_owned);
        let question = match path {
            "/api/v2/questions" => text("query_text"),
            "/api/v2/parse_question" => text("text"),
            _ => None,
        };
        let operation = if path.ends_with("/graphql") { text("query") } else { None };
        let canonical = json.as_ref().map_or_else(|| body.to_vec(), |json| json.to_string().into_bytes());
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            options: options.to_owned(),
            body_hash: (!body.is_empty()).then(|| random::hash(&canonical)),
            question,
            operation,
            status: 0,
            began: Duration::ZERO,
            ended: Duration::ZERO,
        }
    }
}

/// The log of all requests since the start, or since it was last cleared.
#[derive(Debug)]
pub(crate) struct Log {
    start: Instant,
    entries: Mutex<Entries>,
}

impl Default for Log {
    fn default() -> Self {
        Self { start: Instant::now(), entries: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct Entries {
    /// How many were cleared, so that the number of a request in flight stays its own.
    cleared: usize,
    kept: Vec<LoggedRequest>,
}

impl Log {
    /// Adds a request and returns its number.
    pub(crate) fn add(&self, request: LoggedRequest) -> usize {
        let request = LoggedRequest { began: self.start.elapsed(), ..request };
        let mut entries = self.entries.lock().expect("the lock is never held across a panic");
        entries.kept.push(request);
        entries.cleared + entries.kept.len() - 1
    }

    pub(crate) fn answered(&self, number: usize, status: u16) {
        let mut entries = self.entries.lock().expect("the lock is never held across a panic");
        let at = number.checked_sub(entries.cleared);
        if let Some(entry) = at.and_then(|at| entries.kept.get_mut(at)) {
            (entry.status, entry.ended) = (status, self.start.elapsed());
        }
    }

    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.entries.lock().expect("the lock is never held across a panic").kept.clone()
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.entries.lock().expect("the lock is never held across a panic");
        entries.cleared += entries.kept.len();
        entries.kept.clear();
    }
}
