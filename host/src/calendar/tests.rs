//! Where tasks stand: one case for each sentence of the calendar's rules.

use super::status::{Item, Known, Looked, State, Status};
use super::{Almanac, Rhythm, date_of, start_of, status};
use crate::run::attested::{About, Attestation, Verdict};
use crate::run::engine::fakes::manifest;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use tancheck_plugin_api::Outcome;

const TODAY: &str = "2026-06-30T12:00:00Z";

fn at(day: &str) -> Timestamp {
    format!("{day}T09:00:00Z").parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn word(result: Verdict, day: &str) -> Attestation {
    Attestation {
        task: "a.b".to_owned(),
        about: None,
        result,
        by: "ann".to_owned(),
        second: None,
        at: at(day),
        valid_until: None,
        note: "because".to_owned(),
        evidence: None,
    }
}

fn on(print: &str, state: &str, day: &str) -> Attestation {
    let about = About {
        fingerprint: print.to_owned(),
        kind: "thing".to_owned(),
        key: print.to_owned(),
        state: Some(state.to_owned()),
    };
    Attestation { about: Some(about), ..word(Verdict::Done, day) }
}

fn item(print: &str, state: &str) -> Item {
    Item { fingerprint: print.to_owned(), state: Some(state.to_owned()) }
}

#[derive(Default)]
struct Site {
    looked: Looked,
    words: Vec<Attestation>,
    items: Vec<Item>,
    almanac: Almanac,
}

impl Site {
    fn run(mut self, day: &str, outcome: Outcome) -> Self {
        self.looked.last = Some((at(day), outcome));
        if outcome.is_decided() {
            self.looked.decided = Some(at(day));
        }
        self
    }

    fn words(mut self, words: &[Attestation]) -> Self {
        self.words = words.to_vec();
        self
    }

    fn items(mut self, items: &[Item]) -> Self {
        self.items = items.to_vec();
        self
    }

    fn status(&self, fields: Value) -> Status {
        let plugin = manifest("a", &[("a.b", fields)]);
        let task = self.almanac.task(&plugin, &plugin.checks[0], &Map::new());
        let known = Known { looked: self.looked, words: self.words.iter().collect(), items: &self.items };
        status::of(&task, &known, self.almanac.soon_days, TODAY.parse().unwrap(), &self.almanac.zone)
    }

    #[track_caller]
    fn is(&self, fields: Value, state: State, due: Option<&str>) -> Status {
        let status = self.status(fields);
        assert_eq!((status.state, status.due), (state, due.map(date)), "{status:?}");
        status
    }
}

fn automated() -> Value {
    json!({"cadence": ["monthly"]})
}

fn by_hand() -> Value {
    json!({"cadence": ["monthly"], "kind": "attested", "judged": false})
}

#[test]
fn what_a_run_decided_is_done_for_one_period() {
    let site = || Site::default().run("2026-06-15", Outcome::Finding);
    let done = site().is(automated(), State::Done, Some("2026-07-15"));
    assert_eq!(done.done.unwrap().by, "tancheck run");
    let _ = Site::default().run("2026-06-03", Outcome::Pass).is(automated(), State::Soon, Some("2026-07-03"));
    let due =
        Site::default().run("2026-05-25", Outcome::Pass).is(automated(), State::Due, Some("2026-06-25"));
    assert_eq!((due.why.as_str(), due.last_day), ("in grace until 2026-07-02", Some(date("2026-07-02"))));
    let late =
        Site::default().run("2026-05-20", Outcome::Pass).is(automated(), State::Overdue, Some("2026-06-20"));
    assert_eq!(late.why, "10 days late");
}

#[test]
fn what_was_never_done_is_overdue_and_a_run_that_could_not_decide_did_nothing() {
    assert_eq!(Site::default().is(automated(), State::Overdue, None).why, "never done");
    let refused =
        Site::default().run("2026-06-29", Outcome::NoPermission).is(automated(), State::Overdue, None);
    assert_eq!(refused.why, "never done; the last run could not decide: no-permission");
    assert!(refused.done.is_none() && !refused.by_hand);
}

#[test]
fn a_person_is_heard_where_only_a_person_can_tell() {
    let never =
        Site::default().run("2026-06-29", Outcome::AttestationDue).is(by_hand(), State::Overdue, None);
    assert!(never.by_hand);
    let done = Site::default()
        .words(&[word(Verdict::Done, "2026-06-10")])
        .run("2026-06-29", Outcome::Pass)
        .is(by_hand(), State::Done, Some("2026-07-10"));
    assert_eq!((done.done.unwrap().by.as_str(), done.by_hand), ("ann", true));
    let mut short = word(Verdict::Done, "2026-06-10");
    short.valid_until = Some("2026-06-28T00:00:00Z".parse().unwrap());
    let _ = Site::default().words(&[short]).is(by_hand(), State::Due, Some("2026-06-28"));
}

#[test]
fn a_word_that_was_taken_back_was_never_said() {
    let words = [word(Verdict::Done, "2026-06-10"), word(Verdict::Withdrawn, "2026-06-11")];
    let _ = Site::default().words(&words).is(by_hand(), State::Overdue, None);
    let again = [words[0].clone(), words[1].clone(), word(Verdict::Done, "2026-06-12")];
    let _ = Site::default().words(&again).is(by_hand(), State::Done, Some("2026-07-12"));
}

#[test]
fn an_event_makes_a_task_due_until_it_is_done() {
    let as_needed = || json!({"cadence": ["as-needed"], "kind": "attested", "judged": false});
    let _ = Site::default().is(as_needed(), State::Waiting, None);
    let called = Site::default().words(&[word(Verdict::Needed, "2026-06-30")]);
    let status = called.is(as_needed(), State::Due, Some("2026-06-30"));
    assert_eq!(status.why, "called for by ann on 2026-06-30: because");
    let done = [word(Verdict::Needed, "2026-06-20"), word(Verdict::Done, "2026-06-21")];
    let _ = Site::default().words(&done).is(as_needed(), State::Done, Some("2027-06-21"));
    // What was said last is taken back, be it the call or the word; of two of one moment, the later entry is later.
    let taken_back = [word(Verdict::Needed, "2026-06-30"), word(Verdict::Withdrawn, "2026-06-30")];
    let _ = Site::default().words(&taken_back).is(as_needed(), State::Waiting, None);
    let kept = [&done[..], &taken_back].concat();
    let _ = Site::default().words(&kept).is(as_needed(), State::Done, Some("2027-06-21"));
    let reopened = [&done[..], &[word(Verdict::Withdrawn, "2026-06-22")]].concat();
    let _ = Site::default().words(&reopened).is(as_needed(), State::Overdue, Some("2026-06-20"));
    // A run looks at what nobody does by hand, and answers the call.
    let look = || json!({"cadence": ["as-needed"]});
    let call = [word(Verdict::Needed, "2026-06-30")];
    let status = Site::default().run("2026-06-29", Outcome::Pass).words(&call).is(
        look(),
        State::Due,
        Some("2026-06-30"),
    );
    assert!(!status.by_hand && status.done.is_some());
    let before = [word(Verdict::Needed, "2026-06-28")];
    let _ = Site::default().run("2026-06-29", Outcome::Pass).words(&before).is(look(), State::Done, None);
    let _ = Site::default().run("2026-06-29", Outcome::Unreachable).words(&before).is(
        look(),
        State::Overdue,
        Some("2026-06-28"),
    );
    // A task that has a period as well is due at once.
    let periodic = [word(Verdict::Done, "2026-06-20"), word(Verdict::Needed, "2026-06-29")];
    let _ = Site::default().words(&periodic).is(by_hand(), State::Overdue, Some("2026-06-29"));
}

#[test]
fn each_subject_that_was_listed_needs_a_word_about_its_present_state() {
    let task = || json!({"cadence": ["monthly"], "kind": "attested"});
    let site = |words: &[Attestation], items: &[Item]| {
        Site::default().run("2026-06-29", Outcome::AttestationDue).words(words).items(items)
    };
    let both = [item("x", "1"), item("y", "1")];
    let _ = site(&[], &both).is(task(), State::Overdue, None);
    let half = site(&[on("x", "1", "2026-06-20")], &both).is(task(), State::Due, Some("2026-06-29"));
    assert_eq!(half.why, "in grace until 2026-07-06; 1 of 2 to be done or confirmed");
    let words = [on("x", "1", "2026-06-20"), on("y", "1", "2026-06-25")];
    let _ = site(&words, &both).is(task(), State::Done, Some("2026-07-20"));
    let _ = site(&words, &[item("x", "2"), item("y", "1")]).is(task(), State::Due, Some("2026-06-29"));
}

#[test]
fn a_review_is_in_date_while_run_and_word_are() {
    let review = || json!({"cadence": ["monthly"], "kind": "hybrid", "due_every": "days"});
    let site = |words: &[Attestation]| Site::default().run("2026-06-29", Outcome::Pass).words(words);
    let _ = site(&[word(Verdict::Done, "2026-06-20")]).is(review(), State::Done, Some("2026-07-20"));
    let late = site(&[word(Verdict::Done, "2026-05-01")]).is(review(), State::Overdue, Some("2026-06-01"));
    assert!(late.by_hand);
    let awaited =
        Site::default().run("2026-06-29", Outcome::AttestationDue).is(review(), State::Overdue, None);
    assert!(awaited.by_hand);
}

#[test]
fn a_task_that_is_done_once_stays_done_while_its_renewals_are_in_date() {
    let setup = || json!({"cadence": ["setup"], "kind": "attested", "judged": false, "renewed_by": ["a.c"]});
    let mut done = Site::default().words(&[word(Verdict::Done, "2020-01-01")]).is(setup(), State::Done, None);
    let renewal = |state, due: &str| Status {
        state,
        due: Some(date(due)),
        last_day: None,
        done: None,
        by_hand: true,
        why: "3 days late".to_owned(),
    };
    let (good, late) = (renewal(State::Soon, "2026-07-02"), renewal(State::Overdue, "2026-06-20"));
    status::renewed(&mut done, &[("a.c", &good)]);
    assert_eq!((done.state, done.due), (State::Done, Some(date("2026-07-02"))));
    status::renewed(&mut done, &[("a.c", &good), ("a.d", &late)]);
    assert_eq!(done.state, State::Overdue);
    assert_eq!(done.why, "stays done only while a.d is in date, which is overdue (3 days late)");
    // Without renewals a person is asked again after a year.
    let alone = json!({"cadence": ["setup"], "kind": "attested", "judged": false});
    let _ = Site::default().words(&[word(Verdict::Done, "2026-01-01")]).is(
        alone,
        State::Done,
        Some("2027-01-01"),
    );
}

#[test]
fn a_task_that_is_switched_off_says_why() {
    let mut site = Site::default();
    let off = super::task::OfTask { off: Some("no appliance here".to_owned()), ..Default::default() };
    site.almanac.tasks.insert("a.b".to_owned(), off);
    assert_eq!(site.is(automated(), State::Off, None).why, "no appliance here");
}

#[test]
fn a_day_is_a_day_of_the_site() {
    let zone = |name: &str| TimeZone::get(name).unwrap();
    let late = "2026-06-30T22:30:00Z".parse().unwrap();
    assert_eq!(date_of(late, &zone("Europe/Berlin")), date("2026-07-01"));
    assert_eq!(date_of(late, &zone("America/New_York")), date("2026-06-30"));
    // The clock leaps over midnight in Cairo on 2026-04-24; the day begins after the leap.
    assert_eq!(start_of(date("2026-04-24"), &zone("Africa/Cairo")).to_string(), "2026-04-23T22:00:00Z");
    // Weeks that hold a change of the clock have seven days.
    let weekly = Rhythm::every(super::Every::Days(7));
    let berlin = zone("Europe/Berlin");
    for (done, due) in
        [("2026-03-23T23:30:00Z", "2026-03-30T22:00:00Z"), ("2026-10-20T22:30:00Z", "2026-10-27T23:00:00Z")]
    {
        let done: Timestamp = done.parse().unwrap();
        let next = weekly.after(date_of(done, &berlin)).unwrap();
        assert_eq!(start_of(next, &berlin).to_string(), due);
    }
}

#[test]
fn a_word_counts_until_the_day_on_which_it_comes_due_begins_at_the_site() {
    let word = word(Verdict::Done, "2026-01-31");
    let monthly = Rhythm::every(super::Every::Months(1));
    let until = |zone: &str| word.until(&monthly, &TimeZone::get(zone).unwrap()).to_string();
    assert_eq!(until("UTC"), "2026-02-28T00:00:00Z");
    assert_eq!(until("Asia/Tokyo"), "2026-02-27T15:00:00Z");
    assert_eq!(until("Pacific/Honolulu"), "2026-02-28T10:00:00Z");
}
