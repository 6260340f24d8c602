//! The file of waivers: read, and refused where it is wrong or waives too much.

use super::{Rules, Triage, Waiver};
use crate::config::{ConfigError, Entry, Problem, entries};
use crate::hint::hint;
use jiff::civil::Date;
use serde_json::Value;
use std::path::Path;
use tancheck_plugin_api::Severity;
use tancheck_plugin_api::manifest::Manifest;

const KEYS: [&str; 11] = [
    "check",
    "finding",
    "subject",
    "whole_check",
    "owner",
    "reason",
    "since",
    "until",
    "severity",
    "affected",
    "triage",
];

/// Reads the file; one that is absent holds none. `manifests` tell which checks there are.
///
/// # Errors
/// When the file cannot be read, or a waiver is wrong or waives too much; each problem names its line.
pub fn read(
    path: &Path,
    rules: Rules,
    manifests: &[&Manifest],
    refused: &[&str],
) -> Result<Vec<Waiver>, ConfigError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(ConfigError::one(format!("failed to read the waivers {}: {error}", path.display())));
        }
    };
    parse(path, &text, rules, manifests, refused)
}

/// [`read`], of a text.
///
/// # Errors
/// Like [`read`].
pub fn parse(
    path: &Path,
    text: &str,
    rules: Rules,
    manifests: &[&Manifest],
    refused: &[&str],
) -> Result<Vec<Waiver>, ConfigError> {
    let mut problems = Vec::new();
    let mut waivers: Vec<Waiver> = Vec::new();
    for entry in entries::read(path, text)? {
        if entry.name != "waiver" || !entry.value.is_object() {
            let message = format!("{:?} is no waiver: each is a [[waiver]]", entry.name);
            problems.push(Problem::at(&entry.place, message));
            continue;
        }
        match waiver(&entry, rules) {
            Ok(waiver) => {
                problems.extend(unknown(&waiver, manifests, refused));
                let is_same = |other: &&Waiver| {
                    (&other.check, &other.finding, &other.subject)
                        == (&waiver.check, &waiver.finding, &waiver.subject)
                };
                if let Some(first) = waivers.iter().find(is_same) {
                    let message = format!("the same is waived at {}; keep one of them", first.place);
                    problems.push(Problem::at(&waiver.place, message));
                }
                waivers.push(waiver);
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    ConfigError::none_of(problems)?;
    Ok(waivers)
}

fn unknown(waiver: &Waiver, manifests: &[&Manifest], refused: &[&str]) -> Option<Problem> {
    let plugin = waiver.check.split('.').next().unwrap_or_default();
    if refused.contains(&plugin) || manifests.iter().any(|manifest| manifest.check(&waiver.check).is_some()) {
        return None;
    }
    let known = manifests.iter().flat_map(|manifest| &manifest.checks).map(|check| check.id.as_str());
    Some(Problem::at(
        &waiver.place,
        format!("there is no check {:?}{}", waiver.check, hint(&waiver.check, known)),
    ))
}

fn waiver(entry: &Entry, rules: Rules) -> Result<Waiver, Vec<Problem>> {
    let mut problems = Vec::new();
    let empty = serde_json::Map::new();
    let table = entry.value.as_object().unwrap_or(&empty);
    let mut wrong = |message: String| problems.push(Problem::at(&entry.place, message));
    for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        wrong(format!("unknown key {key:?}{}", hint(key, KEYS)));
    }
    let mut text = |key: &str| match table.get(key) {
        None => None,
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(other) => {
            wrong(format!("{key} is {other}; it has to be a text"));
            None
        }
    };
    let (check, finding, subject) = (text("check"), text("finding"), text("subject"));
    let (owner, reason) = (text("owner"), text("reason"));
    let (since, until) = (text("since"), text("until"));
    let (severity, triage) = (text("severity"), text("triage"));
    let mut day = |key: &str, text: &Option<String>| {
        let date = text.as_ref().and_then(|text| text.parse::<Date>().ok());
        if let (Some(text), None) = (text, date) {
            wrong(format!("{key} is {text:?}; it has to be a date such as 2026-06-30"));
        }
        date
    };
    let (since_day, until_day) = (day("since", &since), day("until", &until));
    let known =
        |name: &Option<String>| Severity::ALL.into_iter().find(|one| Some(one.name()) == name.as_deref());
    let severity_known = known(&severity);
    if severity.is_some() && severity_known.is_none() {
        wrong(format!("severity is one of {}", Severity::ALL.map(Severity::name).join(", ")));
    }
    let triage_known = Triage::ALL.into_iter().find(|one| Some(one.name()) == triage.as_deref());
    if triage.is_some() && triage_known.is_none() {
        wrong(format!("triage is one of {}", Triage::ALL.map(Triage::name).join(", ")));
    }
    let affected = table.get("affected").and_then(Value::as_u64);
    if table.contains_key("affected") && affected.is_none() {
        wrong("affected has to be a whole number".to_owned());
    }
    let whole_check = table.get("whole_check") == Some(&Value::Bool(true));
    for (key, value) in [("check", &check), ("owner", &owner), ("reason", &reason), ("since", &since)] {
        if value.is_none() && !table.contains_key(key) {
            wrong(format!("a waiver without {key}; tancheck waive writes whole ones"));
        }
    }
    if until.is_none() && rules.until_required {
        wrong(
            "a waiver without until: say when it ends (waivers.until_required = false allows it without)"
                .to_owned(),
        );
    }
    if let (Some(since), Some(until)) = (since_day, until_day)
        && until < since
    {
        wrong(format!("until {until} is before since {since}"));
    }
    let is_pattern = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('*'));
    let is_open = finding.is_none() && subject.is_none();
    if is_pattern(&check) || is_pattern(&subject) || is_pattern(&finding) {
        wrong("a waiver has no wildcards: it names one finding, or one subject of one check".to_owned());
    } else if is_open && !whole_check {
        wrong(
            "this waives whatever the check finds, also what nobody has seen yet: name the finding or the subject \
             (or say whole_check = true, and every report counts it)"
                .to_owned(),
        );
    } else if !is_open && whole_check {
        wrong("whole_check beside a finding or a subject: keep what is meant".to_owned());
    }
    match (check, owner, reason, since_day) {
        (Some(check), Some(owner), Some(reason), Some(since)) if problems.is_empty() => Ok(Waiver {
            place: entry.place.clone(),
            check,
            finding,
            subject,
            whole_check,
            owner,
            reason,
            since,
            until: until_day,
            severity: severity_known,
            affected,
            triage: triage_known,
        }),
        _ => Err(problems),
    }
}
