//! The heart: what a judge said, what the inputs lack and what people attested become exactly one outcome.
//!
//! Pure. The rules, in the order in which they decide:
//!
//! 1. What is known without a judge (module absent, worker crashed, check quarantined) is the outcome.
//! 2. Findings that no person confirmed are a `finding`; a judge that could not go on beside them only adds its reason.
//! 3. A judge that could not decide gives its own outcome. Data with gaps cannot prove health: `not-evaluated`.
//! 4. Both yield, where the check has a human side, to a person's word about the whole check.
//! 5. What awaits a person, an item or a periodic review, is `attestation-due`.
//! 6. Only what is left passes.

use super::attested::{self, Attestation, Verdict as Word};
use super::document::{Affected, Attested, CheckResult, Confirmed, Evidence, Finding, Remedy, Subject};
use super::identity;
use crate::calendar::{Task, date_of, start_of};
use crate::config::settings;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tancheck_plugin_api::facts::Supplied;
use tancheck_plugin_api::manifest::{self, Check, Setting};
use tancheck_plugin_api::wire::Judgement;
use tancheck_plugin_api::{Finding as Reported, Kind, Outcome, Subject as ReportedSubject, Undecided};

/// What is known about one check.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The deployment's id.
    pub deployment: &'a str,
    /// The plugin's id.
    pub plugin: &'a str,
    /// The plugin's settings.
    pub settings: &'a [Setting],
    /// The check.
    pub check: &'a Check,
    /// What was heard of its judge.
    pub heard: &'a Heard,
    /// The inputs that the judge had.
    pub inputs: &'a BTreeMap<String, Arc<Supplied>>,
    /// All attestations, or why they cannot be read.
    pub attestations: Result<&'a [Attestation], &'a str>,
    /// The check as the site does it.
    pub task: &'a Task<'a>,
    /// Where the site is.
    pub zone: &'a TimeZone,
    /// The time of the run.
    pub now: Timestamp,
}

/// What was heard of a judge.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// There is none: only people decide.
    NoJudge,
    /// It came to an end.
    Judgement(Box<Judgement>),
    /// The outcome is known without it, or it did not come to an end.
    Known {
        /// The outcome.
        outcome: Outcome,
        /// Why.
        reason: String,
    },
}

/// The outcome of one check.
#[must_use]
pub fn decide(case: &Case<'_>) -> CheckResult {
    let mut result = CheckResult::undecided(case.check, case.plugin);
    result.cadence.clone_from(&case.task.cadence);
    result.owners.clone_from(&case.task.owners);
    match case.heard {
        Heard::Known { outcome, reason } => {
            // Where the module is gone, so are its troubles.
            result.saw_everything = outcome.is_decided();
            settle(&mut result, *outcome, Some(reason.clone()));
        }
        Heard::NoJudge => by_person(case, &mut result),
        Heard::Judgement(judgement) => match breach(case, judgement) {
            Some(reason) => settle(&mut result, Outcome::Crashed, Some(reason)),
            None => by_judge(case, judgement, &mut result),
        },
    }
    if result.outcome == Outcome::AttestationDue && result.awaiting.is_empty() {
        result.task = steps(case.check);
    }
    result
}

/// The steps of a task as a whole.
#[must_use]
pub fn steps(check: &Check) -> Option<Remedy> {
    check.remedy.as_ref().map(|remedy| filled(remedy, &BTreeMap::new(), ""))
}

fn settle(result: &mut CheckResult, outcome: Outcome, reason: Option<String>) {
    result.outcome = outcome;
    result.reason = reason;
}

/// Why a judgement cannot be one of this check.
fn breach(case: &Case<'_>, judgement: &Judgement) -> Option<String> {
    let check = case.check;
    if judgement.check != check.id && !check.aliases.contains(&judgement.check) {
        return Some(format!(
            "the plugin was asked about {} and answered about {}",
            check.id, judgement.check
        ));
    }
    if let Some(undecided) = &judgement.undecided
        && let said @ (Outcome::Pass | Outcome::Finding) = undecided.outcome
    {
        return Some(format!("the judge said that it could not decide, and yet named the outcome {said}"));
    }
    let mut known = BTreeSet::new();
    judgement.report.proposals.iter().find_map(|proposal| {
        let key = &proposal.setting;
        let setting = case.settings.iter().find(|setting| setting.key == *key && check.learns.contains(key));
        match setting {
            None => {
                Some(format!("the judge proposed a value for {key:?}, which {} does not learn", check.id))
            }
            Some(_) if !known.insert(key) => Some(format!("the judge proposed two values for {key:?}")),
            Some(setting) => (!setting.takes(&proposal.value)).then(|| {
                let (value, accepted) = (settings::shown(&proposal.value), settings::accepts(setting));
                format!("the judge proposed {value} for {key:?}; it has to be {accepted}")
            }),
        }
    })
}

/// A task without a judge.
fn by_person(case: &Case<'_>, result: &mut CheckResult) {
    let all = match case.attestations {
        Ok(all) => all,
        Err(reason) => return settle(result, Outcome::NotEvaluated, Some(unreadable(reason))),
    };
    match attested::on_check(all, case.check, case.now) {
        Some(word) if is_good(case, word) => {
            result.saw_everything = true;
            by_word(case, word, result);
        }
        stale => {
            settle(result, Outcome::AttestationDue, Some(why_due(case, stale)));
            result.grace_until = stale.and_then(|word| grace(case, word)).map(|day| day.to_string());
        }
    }
}

/// A valid word about the whole check decides it.
fn by_word(case: &Case<'_>, word: &Attestation, result: &mut CheckResult) {
    match word.result {
        Word::Done => {
            settle(result, Outcome::Pass, None);
            result.attested = Some(as_attested(case, word));
        }
        Word::NotApplicable => {
            let on = date_of(word.at, case.zone);
            let reason = format!("{} attested on {on} that it does not apply{}", word.by, noted(word));
            settle(result, Outcome::NotApplicable, Some(reason));
            result.attested = Some(as_attested(case, word));
        }
        Word::Problem => {
            settle(result, Outcome::Finding, None);
            result.findings.push(reported_problem(case, word));
        }
        // Neither says how the task stands: they only make it due.
        Word::Needed | Word::Withdrawn => {
            settle(result, Outcome::AttestationDue, Some(why_due(case, None)));
        }
    }
}

/// A check with a judge that came to an end.
fn by_judge(case: &Case<'_>, judgement: &Judgement, result: &mut CheckResult) {
    result.notes.clone_from(&judgement.report.notes);
    sort_out(case, &judgement.report.findings, result);
    let stopped = judgement.undecided.as_ref();
    let gaps = incomplete(case, judgement);
    result.saw_everything = stopped.is_none_or(|why| why.outcome == Outcome::NotApplicable) && gaps.is_none();
    result.partly = missing(stopped).or_else(|| gaps.clone());
    if result.partly.is_none() {
        result.proposals.clone_from(&judgement.report.proposals);
    }
    if !result.findings.is_empty() {
        return settle(result, Outcome::Finding, stopped.map(|why| format!("beyond this: {}", why.reason)));
    }
    // Whatever was listed is proved, so what awaits a person is due even where more may be hidden.
    if !result.awaiting.is_empty() {
        let reason = match case.attestations {
            Ok(_) => awaits(result),
            Err(reason) => return settle(result, Outcome::NotEvaluated, Some(unreadable(reason))),
        };
        result.notes.extend(stopped.map(|why| format!("beyond this: {}", why.reason)));
        result.notes.extend(gaps);
        return settle(result, Outcome::AttestationDue, Some(reason));
    }
    let (outcome, reason) = match stopped {
        Some(why) => (why.outcome, why.reason.clone()),
        None => match gaps {
            Some(reason) => (Outcome::NotEvaluated, reason),
            None => return clean(case, result),
        },
    };
    if outcome == Outcome::NotEvaluated
        && let Some(word) = whole(case)
    {
        result.notes.push(format!("not judged: {reason}"));
        return by_word(case, word, result);
    }
    settle(result, outcome, Some(reason));
}

/// Why a judge lacked an input. What it proposed before that may be half of it.
fn missing(stopped: Option<&Undecided>) -> Option<String> {
    let why = stopped.filter(|why| why.input.is_some() && why.outcome != Outcome::NotApplicable)?;
    Some(why.reason.clone())
}

/// Nothing is left to object to, except for a review that is due.
fn clean(case: &Case<'_>, result: &mut CheckResult) {
    if !result.confirmed.is_empty() {
        let (count, noun) = counted(result.confirmed.len(), "item", "items");
        result.notes.push(format!("{count} {noun} confirmed"));
    }
    let needs_review = case.check.kind == Kind::Hybrid && case.check.due_every.is_some();
    if !needs_review {
        return settle(result, Outcome::Pass, None);
    }
    let all = match case.attestations {
        Ok(all) => all,
        Err(reason) => return settle(result, Outcome::NotEvaluated, Some(unreadable(reason))),
    };
    match attested::on_check(all, case.check, case.now) {
        Some(word) if is_good(case, word) => {
            settle(result, Outcome::Pass, None);
            result.attested = Some(as_attested(case, word));
        }
        stale => {
            settle(result, Outcome::AttestationDue, Some(why_due(case, stale)));
            result.grace_until = stale.and_then(|word| grace(case, word)).map(|day| day.to_string());
        }
    }
}

/// The valid word about the whole check, where the check has a human side.
fn whole<'a>(case: &Case<'a>) -> Option<&'a Attestation> {
    if case.check.kind == Kind::Automated {
        return None;
    }
    let word = attested::on_check(case.attestations.ok()?, case.check, case.now)?;
    is_good(case, word).then_some(word)
}

/// Whether a word about the whole check counts: it is in date, and no event called for the check since.
fn is_good(case: &Case<'_>, word: &Attestation) -> bool {
    let all = case.attestations.unwrap_or_default();
    word.is_valid(&case.task.word, case.zone, case.now)
        && attested::open_call(all, case.check, case.now).is_none()
}

/// Sorts what the judge listed into findings, what awaits a person, and what was confirmed.
fn sort_out(case: &Case<'_>, reported: &[Reported], result: &mut CheckResult) {
    for mut finding in by_subject(case, reported) {
        if case.check.kind == Kind::Automated {
            result.findings.push(finding);
            continue;
        }
        let word = word_on(case, &finding);
        match word {
            Ok(Some(word)) if word.result == Word::Done => {
                result.confirmed.push(Confirmed { finding, attested: as_attested(case, word) });
            }
            Ok(Some(word)) => {
                finding.confirmation = Some(problem_of(case, word));
                result.findings.push(finding);
            }
            Ok(None) => sort_open(case, finding, result),
            Err(reason) => {
                finding.confirmation = Some(reason);
                sort_open(case, finding, result);
            }
        }
    }
    // A problem that a person saw is never hidden by a judge that did not.
    if let Some(word) = whole(case)
        && word.result == Word::Problem
    {
        result.findings.push(reported_problem(case, word));
    }
    result.findings.sort_by(worst_first);
    result.awaiting.sort_by(worst_first);
    result.confirmed.sort_by(|left, right| worst_first(&left.finding, &right.finding));
}

fn sort_open(case: &Case<'_>, finding: Finding, result: &mut CheckResult) {
    match case.check.kind {
        Kind::Attested => result.awaiting.push(finding),
        Kind::Automated | Kind::Hybrid => result.findings.push(finding),
    }
}

fn worst_first(left: &Finding, right: &Finding) -> std::cmp::Ordering {
    right.severity.cmp(&left.severity).then_with(|| left.subject.cmp(&right.subject))
}

/// The word that counts for a finding now; `Err` says why the latest one does not.
fn word_on<'a>(case: &Case<'a>, finding: &Finding) -> Result<Option<&'a Attestation>, String> {
    let all = case.attestations.map_err(unreadable)?;
    let prints: Vec<&str> =
        std::iter::once(&finding.fingerprint).chain(&finding.earlier).map(String::as_str).collect();
    let Some(word) = attested::on_subject(all, case.check, &prints, case.now) else { return Ok(None) };
    let (by, on) = (&word.by, date_of(word.at, case.zone));
    if !word.is_valid(&case.task.word, case.zone, case.now) {
        return Err(format!("what {by} attested on {on} expired on {}", expired(case, word)));
    }
    let state = word.about.as_ref().and_then(|about| about.state.as_ref());
    if state != finding.state.as_ref() {
        return Err(format!("its state changed since {by} attested it on {on}"));
    }
    if word.result == Word::NotApplicable {
        return Err(format!("{by} attested on {on} that it does not apply, which settles whole tasks only"));
    }
    Ok(Some(word))
}

/// One finding for each subject; the judge's words are joined where it named a subject twice.
fn by_subject(case: &Case<'_>, reported: &[Reported]) -> Vec<Finding> {
    let mut found: BTreeMap<String, Finding> = BTreeMap::new();
    for one in reported {
        let finding = as_finding(case, one);
        match found.get_mut(&finding.fingerprint) {
            None => drop(found.insert(finding.fingerprint.clone(), finding)),
            Some(first) => {
                first.severity = first.severity.max(finding.severity);
                if !first.says.split("; ").any(|said| said == finding.says) {
                    first.says = format!("{}; {}", first.says, finding.says);
                }
                // Two states are no state that a person could have confirmed as one.
                if first.state != finding.state {
                    let states = [first.state.take(), finding.state].map(Option::unwrap_or_default);
                    first.state = Some(states.join("; "));
                }
                first.evidence.extend(finding.evidence);
            }
        }
    }
    found.into_values().collect()
}

fn as_finding(case: &Case<'_>, reported: &Reported) -> Finding {
    let subject = &reported.subject;
    let remedy = case.check.remedy.as_ref();
    let fingerprint = identity::fingerprint(case.deployment, &case.check.id, subject);
    let severity = reported.severity.unwrap_or(case.check.severity);
    let about = Subject { kind: subject.kind.clone(), key: subject.key.clone(), name: subject.name.clone() };
    Finding {
        earlier: identity::earlier(case.deployment, case.check, subject),
        expected: reported.expected.clone(),
        affected: reported.affected.as_ref().map(|affected| Affected {
            count: affected.count,
            of: affected.of,
            sample: affected.sample.clone(),
        }),
        evidence: reported.evidence.iter().map(as_evidence).collect(),
        state: reported.state.clone(),
        remedy: remedy.map(|remedy| filled(remedy, &reported.values, &subject.name)),
        ..Finding::new(fingerprint, severity, about, reported.says.clone())
    }
}

fn as_evidence(evidence: &tancheck_plugin_api::finding::Evidence) -> Evidence {
    Evidence {
        input: evidence.input.clone(),
        source: evidence.source.clone(),
        request: evidence.request.clone(),
        at: evidence.at,
        value: evidence.value.clone(),
    }
}

/// A finding made of a person's word.
fn reported_problem(case: &Case<'_>, word: &Attestation) -> Finding {
    let subject = ReportedSubject::new("task", &case.check.id, &case.check.title);
    as_finding(case, &Reported::on(subject).says(problem_of(case, word)))
}

fn problem_of(case: &Case<'_>, word: &Attestation) -> String {
    format!("{} reported a problem on {}{}", word.by, date_of(word.at, case.zone), noted(word))
}

/// A remedy with the finding's own values in its placeholders.
fn filled(remedy: &manifest::Remedy, values: &BTreeMap<String, String>, subject: &str) -> Remedy {
    let fill = |text: &String| {
        let named = values.iter().fold(text.clone(), |text, (name, value)| {
            if text.contains('{') { text.replace(&format!("{{{name}}}"), value) } else { text }
        });
        if subject.is_empty() { named } else { named.replace("{subject}", subject) }
    };
    let step = |step: &BTreeMap<String, String>| {
        step.iter().map(|(key, text)| (key.clone(), fill(text))).collect::<BTreeMap<_, _>>()
    };
    let (steps, cautions) =
        (remedy.steps.iter().map(step).collect(), remedy.cautions.iter().map(fill).collect());
    Remedy { steps, cautions, ..runbook(remedy) }
}

/// A remedy as documents hold it.
pub(crate) fn runbook(remedy: &manifest::Remedy) -> Remedy {
    Remedy {
        steps: remedy.steps.clone(),
        cautions: remedy.cautions.clone(),
        who: remedy.who.clone(),
        risk: word_of(&remedy.risk),
        reversible: word_of(&remedy.reversible),
        references: remedy.references.clone(),
        verify: remedy.verify.clone(),
    }
}

/// The word under which a value of the contract is written.
pub(crate) fn word_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Why nothing that was read can prove health.
fn incomplete(case: &Case<'_>, judgement: &Judgement) -> Option<String> {
    let gaps: Vec<String> = judgement
        .read
        .iter()
        .filter_map(|id| case.inputs.get(id).map(|supplied| (id, supplied)))
        .flat_map(|(id, supplied)| supplied.gaps.iter().map(move |gap| format!("{id}: {gap}")))
        .collect();
    (!gaps.is_empty()).then(|| format!("incomplete: {}", gaps.join("; ")))
}

/// Why a task is due, given the latest word, which no longer counts, if there is one.
fn why_due(case: &Case<'_>, stale: Option<&Attestation>) -> String {
    let all = case.attestations.unwrap_or_default();
    if let Some(call) = attested::open_call(all, case.check, case.now) {
        return format!("{} called for it on {}{}", call.by, date_of(call.at, case.zone), noted(call));
    }
    match stale {
        None => "nobody has attested it yet".to_owned(),
        Some(word) => {
            let on = date_of(word.at, case.zone);
            format!("what {} attested on {on} expired on {}", word.by, expired(case, word))
        }
    }
}

/// The day on which a word expired.
fn expired(case: &Case<'_>, word: &Attestation) -> jiff::civil::Date {
    date_of(word.until(&case.task.word, case.zone), case.zone)
}

/// The last day on which a task that came due is not overdue, as long as that is not over. An event that calls for a
/// task gives it no grace.
fn grace(case: &Case<'_>, stale: &Attestation) -> Option<jiff::civil::Date> {
    if attested::open_call(case.attestations.unwrap_or_default(), case.check, case.now).is_some() {
        return None;
    }
    let last = case.task.word.last_day(expired(case, stale));
    let is_over = case.now >= start_of(last.tomorrow().unwrap_or(last), case.zone);
    (!is_over).then_some(last)
}

/// How many of the items that the judge listed await a person.
fn awaits(result: &CheckResult) -> String {
    let open = result.awaiting.len();
    let (all, noun) = counted(open + result.confirmed.len(), "item", "items");
    format!("{open} of {all} {noun} to be done or confirmed")
}

fn unreadable(reason: &str) -> String {
    format!("the attestations cannot be read: {reason}")
}

fn as_attested(case: &Case<'_>, word: &Attestation) -> Attested {
    Attested {
        by: word.by.clone(),
        second: word.second.clone(),
        at: word.at,
        until: word.until(&case.task.word, case.zone),
        note: word.note.clone(),
    }
}

fn noted(word: &Attestation) -> String {
    if word.note.is_empty() { String::new() } else { format!(": {}", word.note) }
}

/// A count and its noun.
pub(crate) fn counted(count: usize, one: &'static str, many: &'static str) -> (usize, &'static str) {
    (count, if count == 1 { one } else { many })
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
