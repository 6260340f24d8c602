//! What a run saw, beside what is configured.

use super::Arguments;
use crate::cli::site::Site;
use crate::cli::stop::Stop;
use crate::config::edit::{self, Change};
use crate::config::{Explanation, Layers};
use crate::run::document::{CheckResult, Run};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tancheck_plugin_api::Proposal;
use tancheck_plugin_api::manifest::{Check, Manifest};

/// What `learn CHECK -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Document {
    /// The version of this document's format.
    pub(super) format: u32,
    /// The configuration file; `null` where there is none.
    pub(super) file: Option<String>,
    /// Whether it was written.
    pub(super) written: bool,
    /// The number under which the history keeps the run; `null` where it could not be kept.
    pub(super) run: Option<i64>,
    /// What is proposed, by key.
    pub(super) proposals: Vec<Row>,
    /// Checks that proposed nothing, by id.
    pub(super) nothing: Vec<Nothing>,
    /// What differs from the configuration, as lines to paste.
    pub(super) toml: String,
}

/// A setting, as it is and as it would be.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Row {
    /// `modules.<plugin>.<setting>`.
    pub(super) key: String,
    /// The checks that propose it: several, where each learns a part of a table.
    pub(super) checks: Vec<String>,
    /// The value in force; `null` where there is none.
    pub(super) now: Value,
    /// Where that comes from: `default`, `file`, `variable` or `flag`.
    pub(super) from: String,
    /// The exact place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    /// Why it is so, where the site says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// The value that is proposed.
    pub(super) proposed: Value,
    /// Whether it differs from the value in force.
    pub(super) differs: bool,
    /// What would be in a list, and is not; other values as a whole.
    pub(super) added: Vec<String>,
    /// What would not be in a list any more.
    pub(super) removed: Vec<String>,
    /// What it was taken from.
    pub(super) seen: String,
    #[serde(skip)]
    #[schemars(skip)]
    pub(super) plugin: String,
    #[serde(skip)]
    #[schemars(skip)]
    pub(super) setting: String,
}

/// A check that proposed nothing.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Nothing {
    /// The check.
    pub(super) check: String,
    /// The settings it could have learned.
    pub(super) settings: Vec<String>,
    /// Why.
    pub(super) why: String,
    /// Whether all there is to see was seen, and there was nothing.
    pub(super) complete: bool,
}

pub(super) fn explained(layers: &Layers, manifest: &Manifest, key: &str) -> Result<Explanation, Stop> {
    let path = format!("modules.{}.{key}", manifest.id);
    let found = layers.explain(Some(&path), &[manifest])?.into_iter().find(|one| one.key == path);
    found.ok_or_else(|| Stop::Internal(format!("{path} is not explained")))
}

/// What the run saw, beside what is configured.
pub(super) fn compared(site: &Site, run: &Run, arguments: &Arguments) -> Result<Document, Stop> {
    let mut document = Document {
        format: 1,
        file: site.layers.file().map(|path| path.display().to_string()),
        written: false,
        run: run.number,
        proposals: Vec::new(),
        nothing: Vec::new(),
        toml: String::new(),
    };
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for result in &run.checks {
        let (plugin, check) = site.check(&result.id)?;
        for proposal in &result.proposals {
            let now = explained(&site.layers, &plugin.manifest, &proposal.setting)?;
            match rows.get_mut(&now.key) {
                Some(row) => row.part(&check.id, proposal),
                None => {
                    drop(rows.insert(now.key.clone(), Row::of(&plugin.manifest.id, &check.id, now, proposal)))
                }
            }
        }
        if result.proposals.is_empty() {
            document.nothing.push(nothing(result, check));
        }
    }
    document.proposals = rows.into_values().map(|row| row.compared(arguments.keep)).collect();
    document.toml = edit::snippet(&document.changes(arguments.reason.as_deref()));
    Ok(document)
}

fn nothing(result: &CheckResult, check: &Check) -> Nothing {
    let complete = result.partly.is_none() && result.outcome.is_decided();
    let why = result.partly.as_ref().or(result.reason.as_ref()).cloned();
    Nothing {
        check: result.id.clone(),
        settings: check.learns.clone(),
        why: why.unwrap_or_else(|| "there was nothing to learn from".to_owned()),
        complete,
    }
}

impl Row {
    fn of(plugin: &str, check: &str, now: Explanation, proposal: &Proposal) -> Self {
        Self {
            key: now.key,
            checks: vec![check.to_owned()],
            now: now.value,
            from: now.from,
            place: now.place,
            reason: now.reason,
            proposed: proposal.value.clone(),
            differs: false,
            added: Vec::new(),
            removed: Vec::new(),
            seen: proposal.seen.clone(),
            plugin: plugin.to_owned(),
            setting: proposal.setting.clone(),
        }
    }

    /// Adds what another check changes in the same table.
    fn part(&mut self, check: &str, proposal: &Proposal) {
        self.checks.push(check.to_owned());
        self.seen = format!("{}; {}", self.seen, proposal.seen);
        let (Value::Object(now), Value::Object(wanted), Value::Object(proposed)) =
            (&self.now, &proposal.value, &mut self.proposed)
        else {
            return;
        };
        proposed.retain(|key, _| wanted.contains_key(key) || !now.contains_key(key));
        for (key, value) in wanted.iter().filter(|(key, value)| now.get(*key) != Some(*value)) {
            proposed.insert(key.clone(), value.clone());
        }
    }

    /// Compares it with what is configured.
    fn compared(mut self, keep: bool) -> Self {
        if keep {
            self.proposed = joined(&self.now, &self.proposed);
        }
        let (before, after) = (entries(&self.now), entries(&self.proposed));
        self.added = after.difference(&before).cloned().collect();
        self.removed = before.difference(&after).cloned().collect();
        self.differs = before != after;
        self
    }
}

/// What is there already, and what was seen.
fn joined(now: &Value, seen: &Value) -> Value {
    match (now, seen) {
        (Value::Array(now), Value::Array(seen)) => {
            let all: BTreeSet<&str> = now.iter().chain(seen).filter_map(Value::as_str).collect();
            all.into_iter().collect()
        }
        (Value::Object(now), Value::Object(seen)) => {
            let mut all = now.clone();
            all.extend(seen.iter().map(|(key, value)| (key.clone(), value.clone())));
            Value::Object(all)
        }
        _ => seen.clone(),
    }
}

/// The parts of a value that can come and go, each on its own.
fn entries(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::Array(texts) => texts.iter().map(ToString::to_string).collect(),
        Value::Object(table) => {
            table.iter().map(|(key, value)| format!("{} = {value}", Value::from(key.as_str()))).collect()
        }
        other => BTreeSet::from([other.to_string()]),
    }
}

impl Document {
    /// Writes what differs, where anything does.
    pub(super) fn accept(&mut self, file: &Path, reason: &str) -> Result<(), Stop> {
        let changes = self.changes(Some(reason));
        if !changes.is_empty() {
            edit::write(file, &changes)?;
            self.written = true;
        }
        Ok(())
    }

    /// What would be written.
    fn changes(&self, reason: Option<&str>) -> Vec<Change> {
        let differing = self.proposals.iter().filter(|row| row.differs);
        differing
            .map(|row| Change {
                plugin: row.plugin.clone(),
                key: row.setting.clone(),
                value: row.proposed.clone(),
                reason: reason.unwrap_or(UNSAID).trim().to_owned(),
            })
            .collect()
    }
}

/// What stands for a reason that nobody gave yet.
const UNSAID: &str = "who confirmed it, and when";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(now: Value, parts: &[Value]) -> Row {
        let proposal = |value: &Value| -> Proposal {
            serde_json::from_value(json!({"setting": "expected", "value": value, "seen": "some"})).unwrap()
        };
        let explained = Explanation {
            key: "modules.x.expected".to_owned(),
            value: now,
            reason: None,
            from: "default".to_owned(),
            place: None,
            overrules: Vec::new(),
            about: String::new(),
            accepts: String::new(),
            variable: None,
        };
        let mut row = Row::of("x", "x.first", explained, &proposal(&parts[0]));
        parts.iter().skip(1).for_each(|part| row.part("x.other", &proposal(part)));
        row
    }

    #[test]
    fn parts_of_a_table_are_put_together() {
        let now = json!({"a": ["1"], "b": ["1"], "c": ["1"]});
        let first = json!({"a": ["2"], "b": ["1"], "c": ["1"]});
        let second = json!({"a": ["1"], "b": ["3"], "d": ["1"]});
        let row = row(now, &[first, second]).compared(false);
        assert_eq!(row.proposed, json!({"a": ["2"], "b": ["3"], "d": ["1"]}));
        assert_eq!((row.added.len(), row.removed.len(), row.checks.len()), (3, 3, 2));
        assert_eq!(row.removed[2], "\"c\" = [\"1\"]");
    }

    #[test]
    fn what_is_kept_and_what_differs() {
        let list = |keep| row(json!(["a", "b"]), &[json!(["b", "c"])]).compared(keep);
        assert_eq!((list(false).proposed, list(false).removed.len()), (json!(["b", "c"]), 1));
        assert_eq!((list(true).proposed, list(true).removed.len()), (json!(["a", "b", "c"]), 0));
        assert!(!row(json!(["b", "a"]), &[json!(["a", "b"])]).compared(false).differs, "order means nothing");
        assert!(!row(json!(null), &[json!(null)]).compared(true).differs);
        let number = row(json!(null), &[json!(90)]).compared(true);
        assert_eq!((number.added, number.removed), (vec!["90".to_owned()], Vec::new()));
        let entry = json!({"a": ["2", "1"]});
        assert!(row(json!({"a": ["1", "2"]}), &[entry]).compared(false).differs, "in a table it may");
    }
}
