//! What changed between two looks at the same deployment: new, back, worse, better, fixed, or not looked at.

use super::document::{Finding, Subject, severity_schema};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use tancheck_plugin_api::Severity;

/// What changed since the history last looked. Each finding is compared with the last run that looked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The run before; none for the first one of a deployment.
    pub previous: Option<Previous>,
    /// Findings that were never seen before.
    pub new: u64,
    /// Findings that had gone, and came back.
    pub regressed: u64,
    /// Findings that are more severe, or concern at least a tenth more.
    pub worse: u64,
    /// Findings that are less severe, or concern at least a tenth less.
    pub better: u64,
    /// Findings that are as they were.
    pub unchanged: u64,
    /// What is gone: it was looked for and not found.
    pub fixed: Vec<Gone>,
    /// What is no finding any more because a person confirmed it.
    pub settled: Vec<Gone>,
    /// What nobody can say of whether it is still there: its check saw too little in this run.
    pub not_looked_at: Vec<Gone>,
    /// Findings of checks that were not part of this run.
    pub outside: u64,
}

/// The run before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Previous {
    /// Its number.
    pub number: i64,
    /// Its time.
    #[schemars(with = "String")]
    pub at: Timestamp,
}

/// A finding of an earlier run that is not among the findings of this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// The check.
    pub check: String,
    /// What it was about.
    pub subject: Subject,
    /// How bad it was.
    #[schemars(schema_with = "severity_schema")]
    pub severity: Severity,
    /// What was seen.
    pub says: String,
    /// How many things it concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub affected: Option<u64>,
    /// How bad it was in the older of two runs, where it is worse or better in the newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub before: Option<Before>,
    /// When it was first seen.
    #[schemars(with = "String")]
    pub first_seen: Timestamp,
    /// When it was last seen.
    #[schemars(with = "String")]
    pub last_seen: Timestamp,
    /// In how many runs it was seen.
    pub times_seen: u64,
    /// Why nobody can say whether it is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub reason: Option<String>,
}

/// What became of a finding since a run last looked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was never seen before.
    New,
    /// It had gone, and came back.
    Regressed,
    /// It is more severe, or concerns at least a tenth more.
    Worse,
    /// It is less severe, or concerns at least a tenth less.
    Better,
    /// It is as it was.
    Unchanged,
}

/// How bad a finding was when it was last looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Before {
    /// How bad it was.
    #[schemars(schema_with = "severity_schema")]
    pub severity: Severity,
    /// How many things it concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub affected: Option<u64>,
}

impl Before {
    /// How bad a finding is now.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        Self {
            severity: finding.severity,
            affected: finding.affected.as_ref().map(|affected| affected.count),
        }
    }

    /// What becomes of a finding that was so, and now is so.
    #[must_use]
    pub fn becomes(self, now: Self) -> Change {
        if now.severity != self.severity {
            return if now.severity > self.severity { Change::Worse } else { Change::Better };
        }
        let (Some(was), Some(is)) = (self.affected, now.affected) else { return Change::Unchanged };
        // Counts of endpoints are never the same twice; what is within a tenth is no news.
        if was.abs_diff(is) * NOTICEABLE < was.max(1) || was == is {
            Change::Unchanged
        } else if is > was {
            Change::Worse
        } else {
            Change::Better
        }
    }
}

/// The part of a count by which it has to change to be noticed: a tenth.
const NOTICEABLE: u64 = 10;

impl Change {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 5] = [Self::New, Self::Regressed, Self::Worse, Self::Better, Self::Unchanged];

    /// The name that the document uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Regressed => "regressed",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Unchanged => "unchanged",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Changes {
    /// Counts a finding of this run.
    pub fn count(&mut self, change: Change) {
        *match change {
            Change::New => &mut self.new,
            Change::Regressed => &mut self.regressed,
            Change::Worse => &mut self.worse,
            Change::Better => &mut self.better,
            Change::Unchanged => &mut self.unchanged,
        } += 1;
    }

    /// Whether anything is not as it was, or is not known to be.
    #[must_use]
    pub fn any(&self) -> bool {
        let counts = self.new + self.regressed + self.worse + self.better;
        counts > 0 || !(self.fixed.is_empty() && self.settled.is_empty() && self.not_looked_at.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_decides_before_counts_do() {
        let state = |severity, affected| Before { severity, affected };
        let (low, high) = (Severity::Low, Severity::High);
        assert_eq!(state(low, Some(100)).becomes(state(high, Some(1))), Change::Worse);
        assert_eq!(state(high, None).becomes(state(low, Some(9))), Change::Better);
        for (was, is, expected) in [
            (100, 100, Change::Unchanged),
            (100, 109, Change::Unchanged),
            (100, 110, Change::Worse),
            (100, 91, Change::Unchanged),
            (100, 90, Change::Better),
            (3, 4, Change::Worse),
            (0, 0, Change::Unchanged),
            (0, 1, Change::Worse),
            (1, 0, Change::Better),
        ] {
            let change = state(low, Some(was)).becomes(state(low, Some(is)));
            assert_eq!(change, expected, "{was} to {is}");
        }
        assert_eq!(state(low, None).becomes(state(low, Some(5))), Change::Unchanged);
    }
}
