//! Answers: the envelope, bodies that are streamed, and refusals with the documented error names.

use bytes::Bytes;
use serde_json::{Value, json};

/// A body: whole, or made piece by piece while it is sent.
pub(crate) enum Body {
    Whole(Bytes),
    Pieces(Box<dyn Iterator<Item = Bytes> + Send>),
}

/// An answer that a route gives.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

impl Reply {
    /// JSON as it is.
    pub(crate) fn json(value: &Value) -> Self {
        Self {
            status: 200,
            content_type: "application/json; charset=utf-8",
            headers: Vec::new(),
            body: Body::Whole(value.to_string().into()),
        }
    }

    /// The platform's envelope, `{"data": …}`.
    pub(crate) fn data(value: impl Into<Value>) -> Self {
        Self::json(&json!({ "data": value.into() }))
    }

    /// Text that is not JSON.
    pub(crate) fn text(content_type: &'static str, text: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type, headers: Vec::new(), body: Body::Whole(text.into()) }
    }

    /// JSON that is made while it is sent.
    pub(crate) fn pieces(pieces: impl Iterator<Item = Bytes> + Send + 'static) -> Self {
        Self {
            status: 200,
            content_type: "application/json; charset=utf-8",
            headers: Vec::new(),
            body: Body::Pieces(Box::new(pieces)),
        }
    }
}

/// A request that is answered with an error, in the platform's shape `{"text": …}`.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// An object that is not there; the name is the documented one, such as `SensorNotFound`.
    pub(crate) fn not_found(name: &str, sentence: &str) -> Self {
        Self::new(404, format!("REST Object Not Found Exception: {name}: {sentence}"))
    }

    /// The caller lacks a privilege. The documents name the error but not its text, which is the lab's.
    pub(crate) fn lacks(privilege: &str) -> Self {
        Self::new(
            403,
            format!("REST Processing Exception: RBACInsufficientPrivilege: missing privilege {privilege}"),
        )
    }

    pub(crate) fn into_reply(self) -> Reply {
        Reply { status: self.status, ..Reply::json(&json!({ "text": self.text })) }
    }
}

/// What a route gives back.
pub(crate) type Answer = Result<Reply, Refusal>;
