//! What became of a check: exactly one outcome each.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of one check in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything was seen and is healthy.
    Pass,
    /// Something is wrong.
    Finding,
    /// The check has no subject here, and the reason says which is missing.
    NotApplicable,
    /// The licence does not cover the module, or it is not installed.
    NotLicensed,
    /// An input is missing, a format is unknown, the history is too short.
    NotEvaluated,
    /// The account may not read an input.
    NoPermission,
    /// The deployment, or the service, did not answer.
    Unreachable,
    /// The answer, or the judge, took longer than its limit.
    TimedOut,
    /// The plugin died or broke its contract.
    Crashed,
    /// A person has to act or to confirm.
    AttestationDue,
    /// The user asked not to run it.
    Skipped,
}

impl Outcome {
    /// Every outcome, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Finding,
        Self::Crashed,
        Self::TimedOut,
        Self::Unreachable,
        Self::NoPermission,
        Self::NotEvaluated,
        Self::AttestationDue,
        Self::Pass,
        Self::NotApplicable,
        Self::NotLicensed,
        Self::Skipped,
    ];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Finding => "finding",
            Self::NotApplicable => "not-applicable",
            Self::NotLicensed => "not-licensed",
            Self::NotEvaluated => "not-evaluated",
            Self::NoPermission => "no-permission",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Crashed => "crashed",
            Self::AttestationDue => "attestation-due",
            Self::Skipped => "skipped",
        }
    }

    /// Whether the check came to a decision. What is undecided is never counted as healthy.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Pass | Self::Finding | Self::NotApplicable | Self::NotLicensed)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why a judge could not decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Undecided {
    /// The outcome this leads to; never `Pass` or `Finding`.
    pub outcome: Outcome,
    /// What is missing and what to do, as one sentence.
    pub reason: String,
    /// The input it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

/// What the reason holds where the API Gateway reported an error that is neither a refusal nor an unknown field.
pub const GATEWAY_ERROR: &str = "the Gateway could not answer";

impl Undecided {
    /// Whether the API Gateway took the query and then failed at it. For judges to which that is a finding.
    #[must_use]
    pub fn is_gateway_error(&self) -> bool {
        self.outcome == Outcome::NotEvaluated && self.reason.contains(GATEWAY_ERROR)
    }

    /// Whether an HTTP answer with this status is what is behind it. For judges to which a module's service that does
    /// not run is a finding.
    #[must_use]
    pub fn has_status(&self, status: &str) -> bool {
        self.reason.contains(&format!("(HTTP {status}"))
    }

    /// Something that the judge needs is missing or not understood.
    #[must_use]
    pub fn not_evaluated(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotEvaluated, reason: reason.into(), input: None }
    }

    /// There is nothing here that the check could be about; the reason says what is absent.
    #[must_use]
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotApplicable, reason: reason.into(), input: None }
    }

    pub(crate) fn of_input(outcome: Outcome, input: &str, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), input: Some(input.to_owned()) }
    }
}

/// How a judge ends that could not judge some of its subjects: `undecided` says of each why. Findings about the others
/// stay, and a pass is impossible while one is unknown.
///
/// # Errors
/// When there are any; the reason names the first five.
pub fn settle(undecided: &[String]) -> Result<(), Undecided> {
    let shown: Vec<&str> = undecided.iter().take(5).map(String::as_str).collect();
    match undecided.len() - shown.len() {
        _ if shown.is_empty() => Ok(()),
        0 => Err(Undecided::not_evaluated(shown.join("; "))),
        more => Err(Undecided::not_evaluated(format!("{}; and {more} more", shown.join("; ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unknown_subject_makes_the_whole_undecided() {
        assert_eq!(settle(&[]), Ok(()));
        let reasons: Vec<String> = (1..=7).map(|number| format!("row {number} is odd")).collect();
        assert_eq!(settle(&reasons[..1]).unwrap_err().reason, "row 1 is odd");
        let many = settle(&reasons).unwrap_err();
        assert_eq!(many.outcome, Outcome::NotEvaluated);
        assert!(many.reason.ends_with("row 5 is odd; and 2 more"), "{}", many.reason);
    }
}
