//! A finding: what is wrong with which subject, how it was seen, and the values for its remedy.

use crate::input::Input;
use crate::proposal::{Proposal, Proposed};
use crate::setting::Setting;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Untidy, or a risk in the long run.
    Low,
    /// Needs attention within the period.
    Medium,
    /// Operations suffer, or soon will.
    High,
    /// Operations are down.
    Critical,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The name used in reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a finding is about. Identity across runs is (check, kind, key): choose a key that survives renames.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// The sort of thing: `connection`, `scheduled action`, `client version`, `deployment`.
    pub kind: String,
    /// The stable key of this thing: an id, not a name.
    pub key: String,
    /// The name to show.
    pub name: String,
}

impl Subject {
    /// A subject of this kind, with a stable key and a name to show.
    #[must_use]
    pub fn new(kind: &str, key: impl ToString, name: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), key: key.to_string(), name: name.into() }
    }

    /// The deployment as a whole: for findings that have no narrower subject.
    #[must_use]
    pub fn deployment() -> Self {
        Self::new("deployment", "deployment", "the deployment")
    }
}

/// How many things a finding concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// How many are concerned.
    pub count: u64,
    /// Of how many, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// A few names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<String>,
}

/// A value that was read, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The input it was read from.
    pub input: String,
    /// The kind of source that answered.
    pub source: String,
    /// The request that was sent, or the file that was read.
    pub request: String,
    /// When it was read.
    pub at: Timestamp,
    /// The value, as it was seen.
    pub value: Value,
}

/// One trouble with one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// The severity, where it differs from the check's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What was seen, as one sentence without the subject's name at its beginning.
    pub says: String,
    /// What was expected instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// How many things are concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affected: Option<Affected>,
    /// Where it was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The state that a person's confirmation is bound to: a confirmation given for another state does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Values for the placeholders of the remedy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

impl Finding {
    /// A finding about `subject`. `{subject}` in the remedy becomes its name.
    #[must_use]
    pub fn on(subject: Subject) -> Self {
        Self {
            subject,
            severity: None,
            says: String::new(),
            expected: String::new(),
            affected: None,
            evidence: Vec::new(),
            state: None,
            values: BTreeMap::new(),
        }
    }

    /// What was seen: "last run failed 3 times in a row".
    #[must_use]
    pub fn says(mut self, text: impl Into<String>) -> Self {
        self.says = text.into();
        self
    }

    /// What was expected instead: "level 1".
    #[must_use]
    pub fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = text.into();
        self
    }

    /// Another severity than the check's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// How many things are concerned, and of how many.
    #[must_use]
    pub fn affected(mut self, count: u64, of: Option<u64>) -> Self {
        self.affected.get_or_insert_default().count = count;
        self.affected.get_or_insert_default().of = of;
        self
    }

    /// Names of a few of them.
    #[must_use]
    pub fn sample(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.affected.get_or_insert_default().sample = names.into_iter().map(Into::into).collect();
        self
    }

    /// Where it was seen: `facts.seen(&INPUT, value)`.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Binds a person's confirmation to this state; when the state changes, the confirmation no longer counts.
    #[must_use]
    pub fn confirms(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Fills `{placeholder}` in the remedy.
    #[must_use]
    pub fn fill(mut self, placeholder: &str, value: impl ToString) -> Self {
        self.values.insert(placeholder.to_owned(), value.to_string());
        self
    }
}

/// A number that is kept for later runs: an input of the `History` kind reads it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The series, `<plugin>.<name>`.
    pub series: String,
    /// The value.
    pub value: f64,
    /// The unit: `endpoints`, `percent`, `rows`.
    pub unit: String,
    /// What the value should not reach, where there is such a limit: `tancheck trend` tells when it will.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
}

/// What a judge says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The troubles, one for each subject.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Numbers for the history.
    #[serde(default)]
    pub measures: Vec<Measure>,
    /// Remarks that go with the outcome: "computed, not read from TPAN".
    #[serde(default)]
    pub notes: Vec<String>,
    /// What settings of the site would be, going by what was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Proposal>,
}

impl Report {
    /// Adds a finding.
    pub fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Keeps a number for later runs. It is stored whatever the outcome.
    pub fn measure(&mut self, series: &str, value: f64, unit: &str) {
        self.measures.push(Measure { series: series.to_owned(), value, unit: unit.to_owned(), bound: None });
    }

    /// Keeps a number for later runs, and what it should not reach: a licensed maximum, no days left, a full disk.
    pub fn measure_against(&mut self, series: &str, value: f64, unit: &str, bound: f64) {
        let (series, unit) = (series.to_owned(), unit.to_owned());
        self.measures.push(Measure { series, value, unit, bound: Some(bound) });
    }

    /// Keeps what share of all a part is, in percent: of the endpoints, those that have a module's tools. Nothing where
    /// there are none at all.
    pub fn measure_share(&mut self, series: &str, part: u64, all: u64) {
        if all > 0 {
            self.measure(series, 100.0 * part as f64 / all as f64, "percent");
        }
    }

    /// Proposes a value for a setting that the check [learns](crate::Check::learns), with what it was taken from:
    /// "12 subnets with clients". Findings do not matter, and it comes before whatever ends the judge for want of the
    /// setting. Propose only what was seen whole: where an input is incomplete or missing, the host takes no proposal.
    pub fn propose(
        &mut self,
        setting: &'static Setting,
        value: impl Into<Proposed>,
        seen: impl Into<String>,
    ) {
        self.proposals.push(Proposal::new(setting.key(), value.into(), seen.into()));
    }

    /// Adds a remark to the outcome.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// Names an input in a message: its id and what it is.
pub(crate) fn describe(input: &Input) -> String {
    format!("{} ({})", input.id, input.about)
}
