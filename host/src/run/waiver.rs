//! Waivers: findings that somebody answers for, for a while and for a reason. A waived finding stays visible and
//! counted; it only does not make a run fail.
//!
//! A waiver ends by its date, when the trouble gets worse than it was, and when it was fixed: what comes back is news.

mod file;

pub use file::{parse, read};

use super::document::{Attested, CheckResult, Confirmed, Finding, Run};
use super::outcome::counted;
use crate::calendar::{date_of, days, days_between, start_of};
use crate::config::Origin;
use crate::history::Store;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
