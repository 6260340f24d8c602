//! Results and findings that say no more than they have to.

use super::document::{CheckResult, Finding, Subject};
use tancheck_plugin_api::manifest::Check;
use tancheck_plugin_api::{Outcome, Severity};

impl CheckResult {
    /// A result that says nothing yet.
    #[must_use]
    pub fn undecided(check: &Check, plugin: &str) -> Self {
        Self {
            id: check.id.clone(),
            plugin: plugin.to_owned(),
            title: check.title.clone(),
            kind: check.kind,
            cadence: check.cadence.clone(),
            beyond: check.beyond,
            owners: Vec::new(),
            outcome: Outcome::NotEvaluated,
            reason: None,
            attested: None,
            notes: Vec::new(),
            findings: Vec::new(),
            awaiting: Vec::new(),
            confirmed: Vec::new(),
            saw_everything: false,
            grace_until: None,
            task: None,
        }
    }
}

impl Finding {
    /// A finding with nothing but what it has to have.
    #[must_use]
    pub fn new(fingerprint: String, severity: Severity, subject: Subject, says: String) -> Self {
        Self {
            fingerprint,
            earlier: Vec::new(),
            severity,
            change: None,
            before: None,
            cause: None,
            first_seen: None,
            last_seen: None,
            times_seen: None,
            subject,
            says,
            expected: String::new(),
            affected: None,
            evidence: Vec::new(),
            state: None,
            confirmation: None,
            waiver: None,
            waiver_ended: None,
            remedy: None,
        }
    }
}
