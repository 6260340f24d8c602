//! What crosses the boundary: one document to the plugin, one back. Fields are only ever added.

use crate::facts::Supplied;
use crate::finding::Report;
use crate::outcome::Undecided;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A request to judge one check, or to read one reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// The check's id.
    pub check: String,
    /// The time of the run.
    pub now: Timestamp,
    /// The site's settings of the plugin, already checked against their declarations; defaults are not repeated.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// The inputs the check declares, by id.
    #[serde(default)]
    pub inputs: BTreeMap<String, Supplied>,
    /// The name that is diagnosed; `check` is then a reading's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// What the judge of one check said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Judgement {
    /// The check's id.
    pub check: String,
    /// Findings, measures and notes.
    #[serde(flatten)]
    pub report: Report,
    /// Why the judge stopped, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<Undecided>,
    /// The inputs that the judge looked at.
    #[serde(default)]
    pub read: Vec<String>,
    /// What a reading read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

impl Judgement {
    pub(crate) fn undecided(check: &str, why: Undecided) -> Self {
        Self {
            check: check.to_owned(),
            report: Report::default(),
            undecided: Some(why),
            read: Vec::new(),
            answer: None,
        }
    }
}

/// What `inspect` returns across the ABI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reply {
    /// The judge came to an end.
    Judged(Judgement),
    /// The request could not be read, or the judge panicked: what happened.
    Failed(String),
}
