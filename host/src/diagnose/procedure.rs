//! A procedure with the deployment's own values in it, as a document: `tancheck guide -o json`. Fields are only ever
//! added.

use super::values::Values;
use crate::run::document::CheckResult;
use crate::run::outcome::word_of;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::manifest::{self, Verified};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// A procedure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Procedure {
    /// The version of this document's format.
    pub format: u32,
    /// The plugin that declares it.
    pub plugin: String,
    /// Its id.
    pub procedure: String,
    /// Its title.
    pub title: String,
    /// When it is needed.
    pub about: String,
    /// The deployment's id.
    pub deployment: String,
    /// Where the vendor's documents describe it.
    pub sections: Vec<String>,
    /// The deployment's own values.
    pub values: Vec<Value>,
    /// What holds it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// The steps; none where the guard holds the procedure back.
    pub tasks: Vec<Task>,
    /// What can go wrong.
    pub cautions: Vec<String>,
    /// Who may do it.
    pub who: String,
    /// The risk of the change: `none`, `low`, `medium`, `high`.
    pub risk: String,
    /// Whether it can be taken back: `yes`, `partly`, `no`.
    pub reversible: String,
    /// The procedure that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What went wrong beside.
    pub problems: Vec<String>,
}

/// A value of the deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// The value; missing where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Why it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How to tell it.
    pub hint: String,
}

/// What holds a procedure back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// What was looked for, for people.
    pub about: String,
    /// Why it holds the procedure back.
    pub why: String,
    /// What stands against the procedure.
    pub against: Vec<String>,
    /// Why it could not be seen what does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// Whether the procedure is held back.
    pub refuses: bool,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The step; `do` names the sort of step.
    pub step: BTreeMap<String, String>,
    /// What a person sees when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The checks that pass when it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Whether the vendor's guide itself asks for it; otherwise it is derived.
    pub from_guide: bool,
}

/// A check that verifies a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// What it came to, where it was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub outcome: Option<Outcome>,
    /// What it found, or why it could not decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub says: Vec<String>,
}

impl Guard {
    /// What a guard says. Only what was seen to be harmless lets a procedure through.
    #[must_use]
    pub fn of(about: &str, why: &str, read: Result<String, String>, insists: bool) -> Self {
        let (text, unknown) = match read {
            Ok(text) => (text, None),
            Err(unknown) => (String::new(), Some(unknown)),
        };
        let against: Vec<String> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let is_harmless = against.is_empty() && unknown.is_none();
        let (about, why) = (about.to_owned(), why.to_owned());
        Self { about, why, against, unknown, refuses: !is_harmless && !insists }
    }
}

impl Procedure {
    /// A procedure with its values. `results` are those of checks that were run to verify steps.
    #[must_use]
    pub fn of(
        plugin: &str,
        deployment: &str,
        procedure: &manifest::Procedure,
        values: &Values,
        guard: Option<Guard>,
        results: &[CheckResult],
    ) -> Self {
        let refused = guard.as_ref().is_some_and(|guard| guard.refuses);
        let tasks = if refused { &[] } else { procedure.tasks.as_slice() };
        Self {
            format: FORMAT,
            plugin: plugin.to_owned(),
            procedure: procedure.id.clone(),
            title: procedure.title.clone(),
            about: procedure.about.clone(),
            deployment: deployment.to_owned(),
            sections: procedure.sections.clone(),
            values: values.all().iter().map(Value::of).collect(),
            guard,
            tasks: tasks.iter().map(|task| Task::of(task, values, results)).collect(),
            cautions: procedure.cautions.iter().map(|caution| values.text(caution)).collect(),
            who: procedure.who.clone(),
            risk: word_of(&procedure.risk),
            reversible: word_of(&procedure.reversible),
            next: Some(procedure.next.clone()).filter(|next| !next.is_empty()),
            problems: Vec::new(),
        }
    }
}

impl Value {
    fn of(value: &super::values::Value) -> Self {
        Self {
            name: value.name.clone(),
            about: value.about.clone(),
            value: value.read.clone().ok(),
            why: value.read.clone().err(),
            hint: value.hint.clone(),
        }
    }
}

impl Task {
    fn of(task: &manifest::Task, values: &Values, results: &[CheckResult]) -> Self {
        let check = |id: &String| {
            let result = results.iter().find(|result| &result.id == id);
            Check {
                id: id.clone(),
                outcome: result.map(|result| result.outcome),
                says: result.map(told).unwrap_or_default(),
            }
        };
        let (seen, checks) = match &task.verified {
            Verified::Seen(text) => (Some(values.text(text)), Vec::new()),
            Verified::Checks(ids) => (None, ids.iter().map(check).collect()),
            // A later plugin API has more ways; features refuse such a plugin before it gets here.
            _ => (None, Vec::new()),
        };
        Self { step: values.step(&task.step), seen, checks, from_guide: task.from_guide }
    }
}

/// The findings of a check, or why it did not decide.
fn told(result: &CheckResult) -> Vec<String> {
    let findings = result.findings.iter().chain(&result.awaiting);
    let findings: Vec<String> =
        findings.map(|finding| format!("{} {}", finding.subject.name, finding.says)).collect();
    if findings.is_empty() { result.reason.iter().cloned().collect() } else { findings }
}

/// The ids of the checks that verify steps, each once.
#[must_use]
pub fn verifying(procedure: &manifest::Procedure) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for task in &procedure.tasks {
        if let Verified::Checks(checks) = &task.verified {
            ids.extend(checks.iter().filter(|id| !ids.contains(id)).cloned().collect::<Vec<_>>());
        }
    }
    ids
}

/// The texts that may hold values.
#[must_use]
pub fn texts(procedure: &manifest::Procedure) -> Vec<&str> {
    let steps = procedure.tasks.iter().flat_map(|task| task.step.values());
    let seen = procedure.tasks.iter().filter_map(|task| match &task.verified {
        Verified::Seen(text) => Some(text),
        _ => None,
    });
    steps.chain(seen).chain(&procedure.cautions).map(String::as_str).collect()
}
