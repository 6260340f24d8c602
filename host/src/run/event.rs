//! What happens during a run, for the event stream and progress lines.

use super::change::Changes;
use super::document::{CheckResult, Exit, Run};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The selection is made.
    RunStarted {
        /// The version of the format of this stream and of the run document.
        format: u32,
        /// The deployment.
        deployment: String,
        /// The time of the run.
        #[schemars(with = "String")]
        at: Timestamp,
        /// Checks that were selected; those of modules that turn out not to be there may still leave.
        checks: u64,
        /// Their plugins.
        plugins: Vec<String>,
    },
    /// A request came to an end.
    Request {
        /// The request.
        request: String,
        /// Why it failed, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// A question is being answered.
    QuestionProgress {
        /// Its text.
        question: String,
        /// Endpoints that answered so far.
        answered: u64,
        /// Endpoints that are expected to.
        expected: u64,
    },
    /// A check has its outcome.
    Check {
        /// What became of it.
        check: Box<CheckResult>,
    },
    /// The run is over.
    RunFinished {
        /// Checks that came to a decision.
        decided: u64,
        /// All checks.
        total: u64,
        /// Checks by outcome.
        counts: BTreeMap<String, u64>,
        /// What changed since the history last looked; none where there is no history.
        #[serde(skip_serializing_if = "Option::is_none")]
        changes: Option<Changes>,
        /// The exit code and its reasons.
        exit: Exit,
    },
}

impl Event {
    /// The last event of a run.
    #[must_use]
    pub fn finished(run: &Run) -> Self {
        Self::RunFinished {
            decided: run.decided,
            total: run.total,
            counts: run.counts.clone(),
            changes: run.changes.clone(),
            exit: run.exit.clone(),
        }
    }
}

/// Takes events; called from several threads.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(&Event) + Send + Sync>);

impl Events {
    /// Calls `listener` for each event. It must not block for long.
    pub fn to(listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Nobody listens.
    #[must_use]
    pub fn silent() -> Self {
        Self::to(|_| ())
    }

    /// Tells the listener.
    pub fn tell(&self, event: &Event) {
        (self.0)(event);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Events")
    }
}
