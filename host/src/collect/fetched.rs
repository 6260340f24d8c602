//! What came back from one request, before it is shaped for an input: inputs that share a request share this.

use jiff::Timestamp;
use serde_json::Value;
use tancheck_plugin_api::facts::Tally;

/// The data of an answer.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// JSON with its envelope.
    Document(Value),
    /// Rows gathered from pages.
    Rows(Vec<Value>),
    /// Text that is not JSON.
    Text(String),
    /// Counted answers of a question.
    Tally(Tally),
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    pub(super) data: Data,
    /// Why it is not all there is.
    pub(super) gaps: Vec<String>,
    /// When it was true, where that is not the time of the answer.
    pub(super) at: Option<Timestamp>,
    /// How long the server took, where that is not how long its requests took.
    pub(super) seconds: Option<f64>,
}

impl Fetched {
    /// Nothing is missing.
    pub(super) fn whole(data: Data) -> Self {
        Self { data, gaps: Vec::new(), at: None, seconds: None }
    }
}
