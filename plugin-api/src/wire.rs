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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Check, Input, Plugin, Setting, Source};
    use serde_json::json;

    const ROWS: Input = Input::new("x.rows", "rows").sources(&[Source::rest("/api/v2/users")]);
    const NAMES: Setting = Setting::list("names", &[]);
    const LEARNS: Check =
        Check::automated("x.learns").reads(&[&ROWS]).settings(&[&NAMES]).learns(&[&NAMES]).judge(
            |facts, report| {
                let rows: Vec<crate::records::Reference> = facts.rows(&ROWS)?;
                if !rows.is_empty() {
                    report.propose(
                        &NAMES,
                        facts.called(&NAMES, rows.iter().map(|row| [&row.name, &row.id])),
                        "rows",
                    );
                }
                Ok(())
            },
        );
    const PLUGIN: Plugin = Plugin::new("x", "X", "1").checks(&[&LEARNS]);

    fn judged(rows: Value) -> Value {
        let inspection = json!({"check": "x.learns", "now": "2026-06-30T12:00:00Z", "settings": {"names": ["ONE"]},
            "inputs": {"x.rows": {"at": "2026-06-30T12:00:00Z", "body": {"rows": rows}}}});
        let inspection: Inspection = serde_json::from_value(inspection).unwrap();
        serde_json::to_value(Reply::Judged(PLUGIN.inspect(&inspection))).unwrap()
    }

    /// What a judgement had in 1.0, read as hosts of that time read it.
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum FirstReply {
        Judged(FirstJudgement),
    }

    #[derive(Deserialize)]
    struct FirstJudgement {
        check: String,
        #[serde(flatten)]
        report: FirstReport,
        #[serde(default)]
        read: Vec<String>,
    }

    #[derive(Deserialize)]
    struct FirstReport {
        findings: Vec<Value>,
        measures: Vec<Value>,
        notes: Vec<String>,
    }

    #[test]
    fn hosts_that_know_no_proposals_read_all_the_rest() {
        let reply = judged(json!([{"id": 7, "name": "one"}, {"id": 8, "name": ""}]));
        let proposal = json!([{"setting": "names", "value": ["8", "ONE"], "seen": "rows"}]);
        assert_eq!(reply["judged"]["proposals"], proposal);
        let FirstReply::Judged(first) = serde_json::from_value(reply).unwrap();
        assert_eq!((first.check.as_str(), first.read.len()), ("x.learns", 1));
        let FirstReport { findings, measures, notes } = first.report;
        assert!(findings.is_empty() && measures.is_empty() && notes.is_empty());
    }

    #[test]
    fn a_judgement_without_proposals_is_written_as_ever() {
        assert!(judged(json!([]))["judged"].get("proposals").is_none());
        let manifest = serde_json::to_value(crate::manifest::Manifest::of(&PLUGIN)).unwrap();
        assert_eq!(manifest["checks"][0]["learns"], json!(["names"]));
        assert_eq!(manifest["features"], json!(["rest"]), "a host that does not know it loses nothing");
    }
}
