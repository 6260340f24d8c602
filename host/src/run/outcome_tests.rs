//! The outcome rules, one case for each sentence of their contract.

use super::*;
use crate::run::attested::{About, Attestation};
use crate::run::engine::fakes::{NOW, installed, judgement, supplied};
use serde_json::{Value, json};
use tancheck_plugin_api::facts::Body;

/// A check `a.b` and what is known about it.
struct Facts {
    settings: Vec<Setting>,
    check: Check,
    heard: Heard,
    inputs: BTreeMap<String, Arc<Supplied>>,
    attestations: Result<Vec<Attestation>, String>,
}

impl Facts {
    fn of(kind: &str) -> Self {
        let plugin = installed("a", &[("a.b", json!({"kind": kind, "inputs": ["a.rows", "a.other"]}))]);
        let inputs =
            ["a.rows", "a.other"].map(|id| (id.to_owned(), Arc::new(supplied(Body::Rows(Vec::new())))));
        Self {
            settings: Vec::new(),
            check: plugin.manifest.checks[0].clone(),
            heard: Heard::Judgement(Box::new(judgement("a.b", json!({"read": ["a.rows"]})))),
            inputs: inputs.into(),
            attestations: Ok(Vec::new()),
        }
    }

    /// The check with other fields.
    fn check(mut self, change: impl FnOnce(&mut Check)) -> Self {
        change(&mut self.check);
        self
    }

    fn heard(mut self, fields: Value) -> Self {
        let mut text = json!({"read": ["a.rows"]});
        text.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap());
        self.heard = Heard::Judgement(Box::new(judgement("a.b", text)));
        self
    }

    fn findings(self, keys: &[&str]) -> Self {
        self.heard(json!({"findings": keys.iter().map(|key| finding(key)).collect::<Vec<_>>()}))
    }

    fn gap(mut self, input: &str) -> Self {
        Arc::make_mut(self.inputs.get_mut(input).unwrap())
            .gaps
            .push("12 of 100 endpoints did not answer".to_owned());
        self
    }

    fn attested(mut self, attestation: Attestation) -> Self {
        self.attestations.as_mut().unwrap().push(attestation);
        self
    }

    fn decide(&self) -> CheckResult {
        let manifest = installed("a", &[]).manifest;
        let almanac = crate::calendar::Almanac::default();
        decide(&Case {
            deployment: "lab",
            plugin: "a",
            settings: &self.settings,
            check: &self.check,
            heard: &self.heard,
            inputs: &self.inputs,
            attestations: self.attestations.as_deref().map_err(String::as_str),
            task: &almanac.task(&manifest, &self.check, &serde_json::Map::new()),
            zone: &almanac.zone,
            now: NOW.parse().unwrap(),
        })
    }

    /// A check that learns the list `approved`, and proposed this for it.
    fn proposing(mut self, fields: Value) -> Self {
        self.settings = vec![
            serde_json::from_value(json!({"key": "approved", "type": "list", "default": []})).unwrap(),
            serde_json::from_value(json!({"key": "other", "type": "list", "default": []})).unwrap(),
        ];
        self.check.settings = vec!["approved".to_owned(), "other".to_owned()];
        self.check.learns = vec!["approved".to_owned()];
        self.heard(fields)
    }

    #[track_caller]
    fn becomes(&self, outcome: Outcome) -> CheckResult {
        let result = self.decide();
        assert_eq!(result.outcome, outcome, "{result:#?}");
        result
    }
}

fn finding(key: &str) -> Value {
    json!({"subject": {"kind": "thing", "key": key, "name": format!("thing {key}")}, "says": "is broken"})
}

fn undecided(outcome: &str) -> Value {
    json!({"outcome": outcome, "reason": "the service did not say"})
}

fn whole(result: Word, at: &str) -> Attestation {
    Attestation {
        task: "a.b".to_owned(),
        about: None,
        result,
        by: "ann".to_owned(),
        second: None,
        at: at.parse().unwrap(),
        valid_until: None,
        note: "ticket 7".to_owned(),
        evidence: None,
    }
}

fn on(key: &str, result: Word, at: &str) -> Attestation {
    on_under("a.b", key, result, at)
}

fn on_under(check: &str, key: &str, result: Word, at: &str) -> Attestation {
    let fingerprint = identity::fingerprint("lab", check, &ReportedSubject::new("thing", key, ""));
    let about = About { fingerprint, kind: "thing".to_owned(), key: key.to_owned(), state: None };
    Attestation { task: check.to_owned(), about: Some(about), ..whole(result, at) }
}

fn keys(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.subject.key.as_str()).collect()
}

/// A week, and a year, before the run.
const LATELY: &str = "2026-06-23T12:00:00Z";
const LONG_AGO: &str = "2025-06-30T12:00:00Z";

#[test]
fn nothing_found_and_everything_seen_passes() {
    let result = Facts::of("automated").becomes(Outcome::Pass);
    assert!(result.saw_everything && result.reason.is_none());
}

#[test]
fn what_the_judge_found_is_a_finding() {
    let result = Facts::of("automated").findings(&["2", "1"]).becomes(Outcome::Finding);
    assert_eq!(keys(&result.findings), ["1", "2"], "in the order of their keys");
    assert!(result.findings[0].fingerprint.starts_with("tc1:"));
    assert_eq!(result.findings[0].severity, tancheck_plugin_api::Severity::High, "the check's own");
}

#[test]
fn the_worst_finding_comes_first() {
    let mut worst = finding("9");
    worst["severity"] = json!("critical");
    let facts = Facts::of("automated").heard(json!({"findings": [finding("1"), worst]}));
    assert_eq!(keys(&facts.becomes(Outcome::Finding).findings), ["9", "1"]);
}

#[test]
fn findings_survive_an_undecided_beside_them_and_its_reason_is_kept() {
    let facts = Facts::of("automated")
        .heard(json!({"findings": [finding("1")], "undecided": undecided("unreachable")}));
    let result = facts.becomes(Outcome::Finding);
    assert_eq!(result.reason.as_deref(), Some("beyond this: the service did not say"));
    assert!(!result.saw_everything, "what is not listed may still be there");
}

#[test]
fn without_findings_the_undecided_is_the_outcome() {
    for name in [
        "not-evaluated",
        "no-permission",
        "unreachable",
        "timed-out",
        "not-applicable",
        "not-licensed",
        "skipped",
    ] {
        let result = Facts::of("automated").heard(json!({"undecided": undecided(name)})).decide();
        assert_eq!(result.outcome.name(), name);
        assert_eq!(result.reason.as_deref(), Some("the service did not say"));
    }
}

#[test]
fn a_gap_in_an_input_that_was_read_forbids_a_pass() {
    let result = Facts::of("automated").gap("a.rows").becomes(Outcome::NotEvaluated);
    assert_eq!(result.reason.as_deref(), Some("incomplete: a.rows: 12 of 100 endpoints did not answer"));
    assert!(!result.saw_everything);
}

#[test]
fn a_gap_in_an_input_that_was_not_read_does_not_matter() {
    Facts::of("automated").gap("a.other").becomes(Outcome::Pass);
}

#[test]
fn partial_data_can_prove_a_finding() {
    let result = Facts::of("automated").findings(&["1"]).gap("a.rows").becomes(Outcome::Finding);
    assert!(!result.saw_everything);
}

#[test]
fn what_is_known_without_a_judge_is_the_outcome() {
    for outcome in [Outcome::Crashed, Outcome::TimedOut, Outcome::NotLicensed, Outcome::NotApplicable] {
        let mut facts = Facts::of("hybrid").attested(whole(Word::Done, LATELY));
        facts.heard = Heard::Known { outcome, reason: "why".to_owned() };
        let result = facts.becomes(outcome);
        assert_eq!(result.reason.as_deref(), Some("why"));
    }
}

#[test]
fn a_judge_that_breaks_its_contract_counts_as_crashed() {
    for name in ["pass", "finding"] {
        let facts = Facts::of("automated").heard(json!({"undecided": undecided(name)}));
        assert!(facts.becomes(Outcome::Crashed).reason.unwrap().contains(name));
    }
    let mut facts = Facts::of("automated");
    facts.heard = Heard::Judgement(Box::new(judgement("a.other", json!({}))));
    assert!(facts.becomes(Outcome::Crashed).reason.unwrap().contains("a.other"));
}

#[test]
fn an_automated_check_knows_no_confirmations() {
    let facts = Facts::of("automated")
        .findings(&["1"])
        .attested(on("1", Word::Done, LATELY))
        .attested(whole(Word::Done, LATELY));
    facts.becomes(Outcome::Finding);
    Facts::of("automated").gap("a.rows").attested(whole(Word::Done, LATELY)).becomes(Outcome::NotEvaluated);
}

#[test]
fn a_confirmed_finding_of_a_hybrid_check_is_listed_apart() {
    let facts = Facts::of("hybrid").findings(&["1", "2"]).attested(on("1", Word::Done, LATELY));
    let result = facts.becomes(Outcome::Finding);
    assert_eq!(keys(&result.findings), ["2"]);
    assert_eq!(result.confirmed[0].finding.subject.key, "1");
    assert_eq!(result.confirmed[0].attested.by, "ann");
    assert_eq!(
        date_of(result.confirmed[0].attested.until, &TimeZone::UTC).to_string(),
        "2026-07-23",
        "30 days on"
    );
}

#[test]
fn a_hybrid_check_passes_when_all_is_confirmed() {
    let facts = Facts::of("hybrid").findings(&["1", "2"]).attested(on("1", Word::Done, LATELY)).attested(on(
        "2",
        Word::Done,
        LATELY,
    ));
    let result = facts.becomes(Outcome::Pass);
    assert_eq!(result.notes, ["2 items confirmed"]);
    assert_eq!(result.confirmed.len(), 2);
}

#[test]
fn all_confirmed_does_not_pass_over_gaps_or_an_undecided_judge() {
    let confirmed = || Facts::of("hybrid").findings(&["1"]).attested(on("1", Word::Done, LATELY));
    confirmed().gap("a.rows").becomes(Outcome::NotEvaluated);
    confirmed()
        .heard(json!({"findings": [finding("1")], "undecided": undecided("unreachable")}))
        .becomes(Outcome::Unreachable);
}

#[test]
fn a_confirmation_that_expired_or_is_not_yet_given_does_not_count() {
    let facts = Facts::of("hybrid").findings(&["1"]).attested(on("1", Word::Done, LONG_AGO));
    let result = facts.becomes(Outcome::Finding);
    let why = result.findings[0].confirmation.as_deref().unwrap();
    assert_eq!(why, "what ann attested on 2025-06-30 expired on 2025-07-30");
    let tomorrow = on("1", Word::Done, "2026-07-01T12:00:00Z");
    Facts::of("hybrid").findings(&["1"]).attested(tomorrow).becomes(Outcome::Finding);
}

#[test]
fn a_person_may_say_until_when_a_confirmation_counts() {
    let mut early = on("1", Word::Done, LATELY);
    early.valid_until = Some(NOW.parse().unwrap());
    Facts::of("hybrid").findings(&["1"]).attested(early).becomes(Outcome::Finding);
    let mut late = on("1", Word::Done, LONG_AGO);
    late.valid_until = Some("2027-01-01T00:00:00Z".parse().unwrap());
    Facts::of("hybrid").findings(&["1"]).attested(late).becomes(Outcome::Pass);
}

#[test]
fn a_confirmation_counts_for_the_state_it_was_given_for() {
    let with_state = |state: &str| {
        let mut one = finding("1");
        one["state"] = json!(state);
        Facts::of("hybrid").heard(json!({"findings": [one]}))
    };
    let mut word = on("1", Word::Done, LATELY);
    word.about.as_mut().unwrap().state = Some("level 3".to_owned());
    with_state("level 3").attested(word.clone()).becomes(Outcome::Pass);
    let result = with_state("level 5").attested(word).becomes(Outcome::Finding);
    assert!(result.findings[0].confirmation.as_deref().unwrap().contains("its state changed since ann"));
}

#[test]
fn the_latest_word_counts() {
    let facts = Facts::of("hybrid").findings(&["1"]).attested(on("1", Word::Problem, LATELY)).attested(on(
        "1",
        Word::Done,
        "2026-06-24T12:00:00Z",
    ));
    facts.becomes(Outcome::Pass);
    // Entered later, at the same time.
    let facts = Facts::of("hybrid").findings(&["1"]).attested(on("1", Word::Done, LATELY)).attested(on(
        "1",
        Word::Problem,
        LATELY,
    ));
    let result = facts.becomes(Outcome::Finding);
    assert!(result.findings[0].confirmation.as_deref().unwrap().contains("ann reported a problem"));
}

#[test]
fn a_confirmation_under_an_earlier_id_of_the_check_counts() {
    let facts = Facts::of("hybrid")
        .check(|check| check.aliases.push("a.old".to_owned()))
        .findings(&["1"])
        .attested(on_under("a.old", "1", Word::Done, LATELY));
    facts.becomes(Outcome::Pass);
    let stranger = on_under("a.stranger", "1", Word::Done, LATELY);
    Facts::of("hybrid").findings(&["1"]).attested(stranger).becomes(Outcome::Finding);
}

#[test]
fn a_hybrid_check_with_a_period_asks_for_a_review() {
    let reviewed = || Facts::of("hybrid").check(|check| check.due_every = Some("review_days".to_owned()));
    let result = reviewed().becomes(Outcome::AttestationDue);
    assert_eq!(result.reason.as_deref(), Some("nobody has attested it yet"));
    assert!(result.task.is_some(), "the steps of the task are told");
    let result = reviewed().attested(whole(Word::Done, LATELY)).becomes(Outcome::Pass);
    assert_eq!(result.attested.unwrap().by, "ann");
    reviewed().attested(whole(Word::Done, LONG_AGO)).becomes(Outcome::AttestationDue);
    // A confirmation of one subject is no review of all.
    reviewed().attested(on("1", Word::Done, LATELY)).becomes(Outcome::AttestationDue);
    reviewed().findings(&["1"]).attested(whole(Word::Done, LATELY)).becomes(Outcome::Finding);
}

#[test]
fn a_hybrid_check_that_could_not_be_judged_may_be_attested_as_a_whole() {
    let blind = || Facts::of("hybrid").heard(json!({"undecided": undecided("not-evaluated")}));
    blind().becomes(Outcome::NotEvaluated);
    let result = blind().attested(whole(Word::Done, LATELY)).becomes(Outcome::Pass);
    assert_eq!(result.notes, ["not judged: the service did not say"]);
    assert_eq!(date_of(result.attested.unwrap().until, &TimeZone::UTC).to_string(), "2026-07-23");
    blind().attested(whole(Word::NotApplicable, LATELY)).becomes(Outcome::NotApplicable);
    blind().attested(whole(Word::Done, LONG_AGO)).becomes(Outcome::NotEvaluated);
    Facts::of("hybrid").gap("a.rows").attested(whole(Word::Done, LATELY)).becomes(Outcome::Pass);
    // A person's word does not stand for a permission or a service that answers.
    let facts = Facts::of("hybrid").heard(json!({"undecided": undecided("no-permission")}));
    facts.attested(whole(Word::Done, LATELY)).becomes(Outcome::NoPermission);
}

#[test]
fn a_problem_that_a_person_saw_is_a_finding_whatever_the_judge_says() {
    let result = Facts::of("hybrid").attested(whole(Word::Problem, LATELY)).becomes(Outcome::Finding);
    assert_eq!(result.findings[0].says, "ann reported a problem on 2026-06-23: ticket 7");
    Facts::of("hybrid").attested(whole(Word::Problem, LONG_AGO)).becomes(Outcome::Pass);
}

fn task() -> Facts {
    let mut facts = Facts::of("attested").check(|check| check.judged = false);
    facts.heard = Heard::NoJudge;
    facts
}

#[test]
fn a_task_without_a_judge_follows_its_attestation() {
    let result = task().becomes(Outcome::AttestationDue);
    assert_eq!(result.reason.as_deref(), Some("nobody has attested it yet"));
    assert!(result.task.is_some());
    let result = task().attested(whole(Word::Done, LATELY)).becomes(Outcome::Pass);
    assert_eq!(result.attested.unwrap().note, "ticket 7");
    let result = task().attested(whole(Word::Done, LONG_AGO)).becomes(Outcome::AttestationDue);
    assert!(result.reason.unwrap().contains("expired on 2025-07-30"));
    let result = task().attested(whole(Word::Problem, LATELY)).becomes(Outcome::Finding);
    assert_eq!(result.findings[0].severity, tancheck_plugin_api::Severity::High);
    task().attested(whole(Word::NotApplicable, LATELY)).becomes(Outcome::NotApplicable);
}

#[test]
fn a_task_is_never_done_when_its_log_cannot_be_read() {
    let mut facts = task();
    facts.attestations = Err("the file is damaged".to_owned());
    let result = facts.becomes(Outcome::NotEvaluated);
    assert_eq!(result.reason.as_deref(), Some("the attestations cannot be read: the file is damaged"));
    let mut facts = Facts::of("hybrid").check(|check| check.due_every = Some("review_days".to_owned()));
    facts.attestations = Err("the file is damaged".to_owned());
    facts.becomes(Outcome::NotEvaluated);
    let mut facts = Facts::of("attested").findings(&["1"]);
    facts.attestations = Err("the file is damaged".to_owned());
    facts.becomes(Outcome::NotEvaluated);
    let mut facts = Facts::of("hybrid").findings(&["1"]);
    facts.attestations = Err("the file is damaged".to_owned());
    facts.becomes(Outcome::Finding);
}

#[test]
fn each_item_that_an_attested_judge_lists_needs_its_confirmation() {
    let listing = || Facts::of("attested").findings(&["1", "2"]);
    let result = listing().attested(on("1", Word::Done, LATELY)).becomes(Outcome::AttestationDue);
    assert_eq!(keys(&result.awaiting), ["2"]);
    assert!(result.awaiting[0].fingerprint.starts_with("tc1:"));
    assert_eq!(result.reason.as_deref(), Some("1 of 2 items to be done or confirmed"));
    assert!(result.findings.is_empty(), "a task is no trouble");
    let all = listing().attested(on("1", Word::Done, LATELY)).attested(on("2", Word::Done, LATELY));
    assert_eq!(all.becomes(Outcome::Pass).confirmed.len(), 2);
    // A word about the whole does not settle the items.
    listing().attested(whole(Word::Done, LATELY)).becomes(Outcome::AttestationDue);
    let result = listing().attested(on("1", Word::Problem, LATELY)).becomes(Outcome::Finding);
    assert_eq!((keys(&result.findings), keys(&result.awaiting)), (vec!["1"], vec!["2"]));
}

#[test]
fn an_attested_judge_that_lists_nothing_passes_and_may_not_apply() {
    Facts::of("attested").becomes(Outcome::Pass);
    Facts::of("attested").gap("a.rows").becomes(Outcome::NotEvaluated);
    let facts = Facts::of("attested").heard(json!({"undecided": undecided("not-applicable")}));
    facts.becomes(Outcome::NotApplicable);
    let facts = Facts::of("attested")
        .heard(json!({"findings": [finding("1")], "undecided": undecided("unreachable")}));
    let result = facts.becomes(Outcome::AttestationDue);
    assert_eq!(result.notes, ["beyond this: the service did not say"]);
}

#[test]
fn a_subject_that_is_named_twice_is_one_finding() {
    let mut again = finding("1");
    again["says"] = json!("is late");
    again["severity"] = json!("critical");
    let facts = Facts::of("automated").heard(json!({"findings": [finding("1"), again, finding("1")]}));
    let result = facts.becomes(Outcome::Finding);
    assert_eq!(result.findings.len(), 1);
    assert_eq!(result.findings[0].says, "is broken; is late");
    assert_eq!(result.findings[0].severity, tancheck_plugin_api::Severity::Critical);
}

#[test]
fn the_remedy_is_filled_with_the_values_of_the_finding() {
    let mut one = finding("1");
    one["values"] = json!({"what": "restart it"});
    let result = Facts::of("automated").heard(json!({"findings": [one]})).becomes(Outcome::Finding);
    let remedy = result.findings[0].remedy.as_ref().unwrap();
    assert_eq!(remedy.steps[0]["text"], "repair thing 1, restart it");
    assert_eq!(remedy.cautions, ["mind thing 1"]);
    assert_eq!((remedy.risk.as_str(), remedy.verify.as_str()), ("low", "a.b"));
}

fn proposed(setting: &str, value: Value) -> Value {
    json!({"setting": setting, "value": value, "seen": "two"})
}

#[test]
fn what_is_proposed_is_taken_whatever_the_outcome() {
    let list = || proposed("approved", json!(["a", "b"]));
    let facts = |more: Value| {
        let mut fields = json!({"proposals": [list()]});
        fields.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        Facts::of("automated").proposing(fields)
    };
    for (more, outcome) in [
        (json!({}), Outcome::Pass),
        (json!({"findings": [finding("7")]}), Outcome::Finding),
        (json!({"undecided": undecided("not-evaluated")}), Outcome::NotEvaluated),
    ] {
        let result = facts(more).becomes(outcome);
        assert_eq!(result.proposals.len(), 1, "{result:#?}");
        assert_eq!((result.proposals[0].value.clone(), result.partly), (json!(["a", "b"]), None));
    }
}

#[test]
fn nothing_is_proposed_from_a_part() {
    let list = json!({"proposals": [proposed("approved", json!(["a"]))], "findings": [finding("7")]});
    let gap = Facts::of("automated").proposing(list.clone()).gap("a.rows").becomes(Outcome::Finding);
    assert_eq!(gap.proposals, []);
    assert!(gap.partly.is_some_and(|why| why.contains("12 of 100 endpoints")), "a gap says why");
    let mut without = list;
    without["undecided"] =
        json!({"outcome": "no-permission", "reason": "read x is missing", "input": "a.other"});
    let missing = Facts::of("automated").proposing(without).becomes(Outcome::Finding);
    assert_eq!((missing.proposals, missing.partly.as_deref()), (Vec::new(), Some("read x is missing")));
}

#[test]
fn a_proposal_that_was_not_promised_is_a_fault_of_the_plugin() {
    let twice = [proposed("approved", json!([])), proposed("approved", json!(["a"]))];
    for (proposals, words) in [
        (json!([proposed("other", json!([]))]), "proposed a value for \"other\", which a.b does not learn"),
        (json!([proposed("none", json!([]))]), "which a.b does not learn"),
        (
            json!([proposed("approved", json!(7))]),
            "proposed 7 for \"approved\"; it has to be a list of texts",
        ),
        (json!(twice), "two values for \"approved\""),
    ] {
        let result =
            Facts::of("automated").proposing(json!({ "proposals": proposals })).becomes(Outcome::Crashed);
        assert!(result.reason.as_ref().is_some_and(|why| why.contains(words)), "{words}: {result:#?}");
        assert_eq!(result.proposals, []);
    }
}
