//! Waivers: findings that somebody answers for, for a while and for a reason. A waived finding stays visible and
//! counted; it only does not make a run fail.
//!
//! A waiver ends by its date, when the trouble gets worse than it was, and when it was fixed: what comes back is news.

use super::document::{Attested, CheckResult, Confirmed, Finding, Run};
use super::outcome::counted;
use crate::calendar::{date_of, days, days_between, start_of};
use crate::config::{ConfigError, Entry, Origin, Problem, entries};
use crate::hint::hint;
use crate::history::Store;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::{Outcome, Severity};

/// What was decided about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Triage {
    /// It will be repaired.
    Resolve,
    /// Somebody looks into it.
    Investigate,
    /// It stays as it is; only for what is less than high.
    NoAction,
}

impl Triage {
    /// Every decision.
    pub const ALL: [Self; 3] = [Self::Resolve, Self::Investigate, Self::NoAction];

    /// The name used in the file and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Investigate => "investigate",
            Self::NoAction => "no-action",
        }
    }
}

/// One waiver of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiver {
    /// Where it stands.
    pub place: Origin,
    /// The check.
    pub check: String,
    /// The fingerprint of the finding.
    pub finding: Option<String>,
    /// The subject's key.
    pub subject: Option<String>,
    /// All findings of the check, seen or not.
    pub whole_check: bool,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The day on which it was given.
    pub since: Date,
    /// The last day on which it counts.
    pub until: Option<Date>,
    /// How bad the finding was.
    pub severity: Option<Severity>,
    /// How many things it concerned.
    pub affected: Option<u64>,
    /// What was decided.
    pub triage: Option<Triage>,
}

/// What the site allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether each waiver needs an end.
    pub until_required: bool,
    /// How many days ahead the end of a waiver is told.
    pub soon_days: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { until_required: true, soon_days: 14 }
    }
}

/// A waiver, as a finding carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waived {
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The day on which it was given.
    pub since: String,
    /// The last day on which it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub until: Option<String>,
    /// What was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub triage: Option<Triage>,
    /// Where it stands: file and line.
    pub place: String,
}

/// What became of a waiver in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It counts.
    Applied,
    /// It counts, and ends soon.
    Ending,
    /// Its last day is over.
    Expired,
    /// The trouble got worse than it was.
    Worse,
    /// The trouble was fixed, and came back.
    Returned,
    /// What it waives is not there any more.
    Stale,
    /// The run did not look, so that nobody knows.
    NotLookedAt,
}

/// One waiver in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Use {
    /// Where it stands: file and line.
    pub place: String,
    /// The check.
    pub check: String,
    /// Who answers for it.
    pub owner: String,
    /// What became of it.
    pub state: State,
    /// How many findings it is about.
    pub findings: u64,
    /// Whether it waives whatever the check finds.
    pub whole_check: bool,
    /// What is to do; empty where nothing is.
    pub says: String,
}

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

impl Waiver {
    fn is_about(&self, check: &CheckResult, aliases: &[String], finding: &Finding) -> bool {
        if self.check != check.id && !aliases.contains(&self.check) {
            return false;
        }
        match (&self.finding, &self.subject) {
            (Some(print), _) => *print == finding.fingerprint || finding.earlier.contains(print),
            (None, Some(key)) => *key == finding.subject.key,
            (None, None) => self.whole_check,
        }
    }

    /// Why it does not count for a finding any more.
    fn over(&self, finding: &Finding, today: Date, came_back: bool) -> Option<(State, String)> {
        if let Some(until) = self.until.filter(|until| *until < today) {
            return Some((State::Expired, format!("it ended on {until}")));
        }
        let severity = finding.severity;
        if let Some(was) = self.severity.filter(|was| severity > *was) {
            return Some((
                State::Worse,
                format!("it ended because the finding got worse: {was} then, {severity} now"),
            ));
        }
        let now = finding.affected.as_ref().map(|affected| affected.count);
        if let (Some(was), Some(now)) = (self.affected, now)
            && now > was
        {
            return Some((
                State::Worse,
                format!("it ended because the finding got worse: {was} affected then, {now} now"),
            ));
        }
        if self.triage == Some(Triage::NoAction) && severity >= Severity::High {
            return Some((
                State::Worse,
                format!("no action is no answer to a finding of severity {severity}"),
            ));
        }
        came_back
            .then(|| (State::Returned, "it ended because the finding was fixed, and came back".to_owned()))
    }

    fn waived(&self) -> Waived {
        Waived {
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            since: self.since.to_string(),
            until: self.until.map(|until| until.to_string()),
            triage: self.triage,
            place: self.place.to_string(),
        }
    }
}

/// What waivers are laid over.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The waivers.
    pub waivers: &'a [Waiver],
    /// What the site allows.
    pub rules: Rules,
    /// The time of the run.
    pub now: Timestamp,
    /// Where the site is.
    pub zone: &'a TimeZone,
    /// Earlier ids of checks, by present id.
    pub aliases: &'a BTreeMap<String, Vec<String>>,
    /// The history, which knows what was fixed.
    pub history: Option<&'a Store>,
}

/// Lays waivers over the checks of a run, and tells what became of each waiver.
pub fn apply(ground: &Ground<'_>, checks: &mut [CheckResult]) -> Vec<Use> {
    let today = date_of(ground.now, ground.zone);
    ground.waivers.iter().map(|waiver| lay(ground, waiver, checks, today)).collect()
}

fn lay(ground: &Ground<'_>, waiver: &Waiver, checks: &mut [CheckResult], today: Date) -> Use {
    let mut found = 0;
    let mut over = None;
    let mut looked = false;
    for check in checks.iter_mut() {
        let aliases = ground.aliases.get(&check.id).map(Vec::as_slice).unwrap_or_default();
        if waiver.check != check.id && !aliases.contains(&waiver.check) {
            continue;
        }
        looked = check.saw_everything;
        let is_about: Vec<bool> =
            check.findings.iter().map(|finding| waiver.is_about(check, aliases, finding)).collect();
        for (finding, _) in check.findings.iter_mut().zip(is_about).filter(|(_, is_about)| *is_about) {
            found += 1;
            match waiver.over(finding, today, came_back(ground, waiver, finding)) {
                None => finding.waiver = Some(waiver.waived()),
                Some((state, why)) => {
                    finding.waiver_ended = Some(format!("{} waived it: {why}", waiver.owner));
                    over = Some((state, why));
                }
            }
        }
        found += settle(ground, waiver, check, aliases, today);
    }
    let (state, says) = match over {
        Some((state, why)) => (state, format!("{why}; remove it, or give a new one")),
        None if found > 0 => in_force(ground, waiver, today),
        None if looked => (State::Stale, "what it waives is not there any more; remove it".to_owned()),
        None => (State::NotLookedAt, String::new()),
    };
    Use {
        place: waiver.place.to_string(),
        check: waiver.check.clone(),
        owner: waiver.owner.clone(),
        state,
        findings: found,
        whole_check: waiver.whole_check,
        says,
    }
}

fn in_force(ground: &Ground<'_>, waiver: &Waiver, today: Date) -> (State, String) {
    let left = waiver.until.map(|until| days_between(today, until));
    match left.filter(|left| *left <= i64::from(ground.rules.soon_days)) {
        Some(left) => (State::Ending, format!("it ends in {}", days(left))),
        None => (State::Applied, String::new()),
    }
}

/// Whether a finding was fixed after it was waived. What was fixed on that very day counts as known.
fn came_back(ground: &Ground<'_>, waiver: &Waiver, finding: &Finding) -> bool {
    let after = start_of(waiver.since.tomorrow().unwrap_or(waiver.since), ground.zone);
    ground.history.is_some_and(|store| {
        std::iter::once(&finding.fingerprint)
            .chain(&finding.earlier)
            .any(|print| store.was_fixed(print, after, ground.now).unwrap_or(false))
    })
}

/// A decision about an item that awaits a person settles it, as an attestation would.
fn settle(
    ground: &Ground<'_>,
    waiver: &Waiver,
    check: &mut CheckResult,
    aliases: &[String],
    today: Date,
) -> u64 {
    let Some(triage) = waiver.triage else { return 0 };
    let (decided, open): (Vec<Finding>, Vec<Finding>) = std::mem::take(&mut check.awaiting)
        .into_iter()
        .partition(|item| waiver.is_about(check, aliases, item) && waiver.over(item, today, false).is_none());
    check.awaiting = open;
    let count = decided.len() as u64;
    for finding in decided {
        let end = waiver.until.and_then(|until| until.tomorrow().ok());
        let attested = Attested {
            by: waiver.owner.clone(),
            second: None,
            at: start_of(waiver.since, ground.zone),
            until: end.map_or(Timestamp::MAX, |end| start_of(end, ground.zone)),
            note: format!("{}: {} ({})", triage.name(), waiver.reason, waiver.place),
        };
        check.confirmed.push(Confirmed { finding, attested });
    }
    if count > 0 && check.awaiting.is_empty() && check.outcome == Outcome::AttestationDue {
        check.outcome = if check.saw_everything { Outcome::Pass } else { Outcome::NotEvaluated };
        let unseen = "what was listed is decided about, and there may be more";
        check.reason = (!check.saw_everything).then(|| unseen.to_owned());
    }
    count
}

/// What people have to know about the waivers of a run, one line each.
#[must_use]
pub fn remarks(run: &Run) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &run.waivers {
        if !one.says.is_empty() {
            lines.push(format!("the waiver at {} ({}, {}): {}", one.place, one.check, one.owner, one.says));
        }
        if one.whole_check && one.findings > 0 {
            let count = usize::try_from(one.findings).unwrap_or(usize::MAX);
            let (count, noun) = counted(count, "finding", "findings");
            lines.push(format!(
                "the waiver at {} waives whatever {} finds: now {count} {noun}",
                one.place, one.check
            ));
        }
    }
    lines
}

#[cfg(test)]
#[path = "waiver_tests.rs"]
mod tests;
