//! What happens while a run collects, for progress lines and the event stream.

use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use tancheck_plugin_api::Outcome;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A request begins.
    Started {
        /// The request, for people.
        request: String,
    },
    /// A request came to an end.
    Finished {
        /// The request, for people.
        request: String,
        /// How long it took.
        seconds: f64,
        /// Bytes of the answer.
        bytes: u64,
        /// Why it failed, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// A request is repeated after a pause.
    Retried {
        /// The request, for people.
        request: String,
        /// The pause before it.
        pause_seconds: f64,
        /// Why.
        reason: String,
    },
    /// A question is being answered.
    Question {
        /// Its text.
        question: String,
        /// Endpoints that answered so far.
        answered: u64,
        /// Endpoints that are expected to.
        expected: u64,
    },
    /// An input is settled: it is there, or it is known why not.
    Input {
        /// The plugin.
        plugin: String,
        /// The input.
        input: String,
        /// The kind of source that answered; empty if none did.
        source: String,
        /// The outcome of an input that is not there.
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<Outcome>,
    },
}

/// Takes events; called from several threads.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&Event) + Send + Sync>);

impl Progress {
    /// Calls `listener` for each event. It must not block.
    pub fn to(listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Nobody listens.
    #[must_use]
    pub fn silent() -> Self {
        Self::to(|_| ())
    }

    pub(crate) fn tell(&self, event: &Event) {
        (self.0)(event);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Progress")
    }
}
