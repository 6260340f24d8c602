//! What a request is, and what can become of it.

use serde_json::Value;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::Unavailable;

/// The method of a request. There is no other: tancheck only reads, and asking is the strongest thing it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`, for the few routes that read by it: session, question, parse, Gateway query.
    Post,
}

/// One request to the deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// The `tanium-options` header.
    pub options: Option<String>,
    /// The body, sent as JSON.
    pub body: Option<Value>,
}

impl Call {
    /// `GET` of a path.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), options: None, body: None }
    }

    /// `POST` of a JSON body to a path.
    #[must_use]
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::Post, path: path.into(), options: None, body: Some(body) }
    }

    /// The same request has the same key: what is sent once for several needs.
    #[must_use]
    pub fn key(&self) -> String {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let options = self.options.as_deref().unwrap_or_default();
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        [method, &self.path, options, &body].join(" ").trim_end().to_owned()
    }

    /// Method and path, for people.
    #[must_use]
    pub fn label(&self) -> String {
        match self.method {
            Method::Get => format!("GET {}", self.path),
            Method::Post => format!("POST {}", self.path),
        }
    }
}

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct Problem {
    /// What it means for a check.
    pub outcome: Outcome,
    /// What happened, where, and what to do.
    pub reason: String,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The beginning of the server's own words, for callers that know them.
    pub said: String,
}

impl Problem {
    /// A problem without an answer of the server.
    #[must_use]
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), status: None, said: String::new() }
    }
}

impl From<Problem> for Unavailable {
    fn from(problem: Problem) -> Self {
        Self { outcome: problem.outcome, reason: problem.reason }
    }
}

/// Takes the body of an answer as it arrives.
pub trait Sink: Send {
    /// The next bytes.
    ///
    /// # Errors
    /// When the bytes are not what was asked for; the request then ends.
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Problem>;
}

impl Sink for Vec<u8> {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Sends requests. The real one speaks HTTPS within the limits of the site, repeats what may be repeated, and logs in
/// again once; tests have others. A request that is repeated gets a new sink, so that no byte is counted twice.
pub trait Transport: Send + Sync {
    /// Sends a request; on success the whole body went through a sink made by `sink`, which is returned.
    fn send<S: Sink>(
        &self,
        call: &Call,
        sink: impl Fn() -> S + Send + Sync,
    ) -> impl Future<Output = Result<S, Problem>> + Send;

    /// Ends when nothing more may be sent: probes, which go elsewhere, stop with it.
    fn stopped(&self) -> impl Future<Output = Problem> + Send {
        std::future::pending()
    }
}
