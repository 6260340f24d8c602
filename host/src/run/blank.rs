//! Results and findings that say no more than they have to.

use super::document::{self, CheckResult, Deployment, Finding, Run, Subject};
use jiff::Timestamp;
use std::collections::BTreeMap;
use tancheck_plugin_api::manifest::Check;
use tancheck_plugin_api::{Kind, Outcome, Severity};

impl Run {
    /// A run of a deployment that looked at nothing.
    #[must_use]
    pub fn empty(deployment: Deployment, at: Timestamp) -> Self {
        Self {
            format: document::FORMAT,
            tool: document::Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            deployment,
            at,
            time_zone: "UTC".to_owned(),
            number: None,
            selection: document::Selection::default(),
            interrupted: None,
            decided: 0,
            total: 0,
            counts: BTreeMap::new(),
            severities: BTreeMap::new(),
            changes: None,
            requests: document::Requests::default(),
            exit: document::Exit::default(),
            checks: Vec::new(),
            plugins: Vec::new(),
            refused: Vec::new(),
            absent: Vec::new(),
            not_looked_at: Vec::new(),
            quarantined: Vec::new(),
            noise: Vec::new(),
            problems: Vec::new(),
            switched_off: Vec::new(),
            probes: Vec::new(),
            waived: 0,
            waivers: Vec::new(),
        }
    }
}

impl CheckResult {
    /// A result of a check that says nothing yet.
    #[must_use]
    pub fn undecided(check: &Check, plugin: &str) -> Self {
        Self {
            kind: check.kind,
            cadence: check.cadence.clone(),
            beyond: check.beyond,
            ..Self::new(&check.id, plugin, &check.title)
        }
    }

    /// A result of an automated check without a cadence that says nothing yet.
    #[must_use]
    pub fn new(id: &str, plugin: &str, title: &str) -> Self {
        Self {
            id: id.to_owned(),
            plugin: plugin.to_owned(),
            title: title.to_owned(),
            kind: Kind::Automated,
            cadence: Vec::new(),
            beyond: false,
            owners: Vec::new(),
            outcome: Outcome::NotEvaluated,
            reason: None,
            attested: None,
            notes: Vec::new(),
            findings: Vec::new(),
            awaiting: Vec::new(),
            confirmed: Vec::new(),
            saw_everything: false,
            proposals: Vec::new(),
            partly: None,
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
