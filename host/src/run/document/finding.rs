//! What a check found: the trouble, where it was seen, who confirmed or waived it, and what to do about it.

use super::severity_schema;
use crate::run::change::{Before, Change};
use crate::run::waiver::Waived;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use tancheck_plugin_api::Severity;

/// The attestation that settled a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attested {
    /// Who.
    pub by: String,
    /// The second person who confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub second: Option<String>,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Until when it counts.
    #[schemars(with = "String")]
    pub until: Timestamp,
    /// A remark.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[serde(default)]
    pub note: String,
}

/// One trouble with one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The same in every run.
    pub fingerprint: String,
    /// Fingerprints under earlier ids of the check.
    #[serde(skip)]
    pub earlier: Vec<String>,
    /// How bad it is.
    #[schemars(schema_with = "severity_schema")]
    pub severity: Severity,
    /// What became of it since a run last looked for it; none where there is no history.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub change: Option<Change>,
    /// How bad it was then, where it is worse or better now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub before: Option<Before>,
    /// The check whose finding brought it about: repair that first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub cause: Option<String>,
    /// When it was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub first_seen: Option<Timestamp>,
    /// When it was last seen: in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub last_seen: Option<Timestamp>,
    /// In how many runs it was seen, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub times_seen: Option<u64>,
    /// What it is about.
    pub subject: Subject,
    /// What was seen.
    pub says: String,
    /// What was expected.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[serde(default)]
    pub expected: String,
    /// How many things are concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub affected: Option<Affected>,
    /// Where it was seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// The state that a confirmation is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub state: Option<String>,
    /// Why an earlier confirmation does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub confirmation: Option<String>,
    /// Who waived it: then it does not make a run fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub waiver: Option<Waived>,
    /// Why a waiver of it does not count any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub waiver_ended: Option<String>,
    /// What to do about it, with the finding's own values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub remedy: Option<Remedy>,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The sort of thing.
    pub kind: String,
    /// Its stable key.
    pub key: String,
    /// Its name.
    pub name: String,
}

/// How many things a finding concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Affected {
    /// How many.
    pub count: u64,
    /// Of how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub of: Option<u64>,
    /// A few names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub sample: Vec<String>,
}

/// A value that was read, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The input.
    pub input: String,
    /// The kind of source that answered.
    pub source: String,
    /// The request that was sent, or the file that was read.
    pub request: String,
    /// When it was read.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The value.
    pub value: Value,
}

/// What a person has confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmed {
    /// What was confirmed.
    pub finding: Finding,
    /// By whom, and until when.
    pub attested: Attested,
}

/// A runbook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// The steps in order; `do` names the sort of step.
    pub steps: Vec<BTreeMap<String, String>>,
    /// What can go wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub cautions: Vec<String>,
    /// Who may do it.
    pub who: String,
    /// The risk of the change: `none`, `low`, `medium`, `high`.
    pub risk: String,
    /// Whether it can be taken back: `yes`, `partly`, `no`.
    pub reversible: String,
    /// Documents of the vendor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub references: Vec<String>,
    /// The check that proves the repair.
    pub verify: String,
}
