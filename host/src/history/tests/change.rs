//! What a run is told about its past: new, back, worse, better, as before; gone, settled, or not looked at.

use super::*;
use crate::run::change::{Change, Changes, Gone};
use crate::run::document::{Attested, Confirmed};

/// Compares a run with the history, and keeps it.
fn next(store: &Store, mut run: Run) -> Run {
    let aliases = [("a.new".to_owned(), vec!["a.b".to_owned()])].into();
    store.compare(&mut run, &aliases).unwrap();
    let kept = Kept { aliases, ..Kept::default() };
    run.number = Some(store.record(&run, &kept).unwrap());
    run
}

fn changes(run: &Run) -> &Changes {
    run.changes.as_ref().unwrap()
}

/// The changes of findings, by key of their subject.
fn told(run: &Run) -> Vec<(&str, Change)> {
    run.findings().map(|(_, finding)| (finding.subject.key.as_str(), finding.change.unwrap())).collect()
}

fn keys(gone: &[Gone]) -> Vec<&str> {
    gone.iter().map(|one| one.subject.key.as_str()).collect()
}

#[test]
fn a_finding_is_new_stays_goes_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let first = next(&store, run_with(0, &["1", "2"]));
    assert_eq!(told(&first), [("1", Change::New), ("2", Change::New)]);
    assert_eq!((changes(&first).previous.clone(), changes(&first).new), (None, 2));
    let second = next(&store, run_with(1, &["1"]));
    assert_eq!(told(&second), [("1", Change::Unchanged)]);
    assert_eq!((keys(&changes(&second).fixed), changes(&second).unchanged), (vec!["2"], 1));
    assert_eq!(changes(&second).previous.as_ref().unwrap().number, first.number.unwrap());
    let gone = &changes(&second).fixed[0];
    assert_eq!((gone.check.as_str(), gone.severity, gone.times_seen), ("a.b", Severity::High, 1));
    let third = next(&store, run_with(2, &["1", "2"]));
    assert_eq!(told(&third), [("1", Change::Unchanged), ("2", Change::Regressed)]);
    let [one, two] = &third.checks[0].findings[..] else { unreachable!() };
    assert_eq!(
        (one.first_seen, one.last_seen, one.times_seen),
        (Some(now()), Some(now() + days(2)), Some(3))
    );
    assert_eq!(
        (two.first_seen, two.last_seen, two.times_seen),
        (Some(now()), Some(now() + days(2)), Some(2))
    );
    assert!(!changes(&next(&store, run_with(3, &["1", "2"]))).any());
}

#[test]
fn worse_and_better_tell_how_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let run = |day, severity, affected| {
        let mut run = run_with(day, &["1"]);
        let finding = &mut run.checks[0].findings[0];
        (finding.severity, finding.affected.as_mut().unwrap().count) = (severity, affected);
        let run = next(&store, run);
        let finding = &run.checks[0].findings[0];
        (finding.change.unwrap(), finding.before.map(|before| (before.severity, before.affected.unwrap())))
    };
    let (low, high) = (Severity::Low, Severity::High);
    assert_eq!(run(0, low, 10), (Change::New, None));
    assert_eq!(run(1, high, 10), (Change::Worse, Some((low, 10))));
    assert_eq!(run(2, high, 20), (Change::Worse, Some((high, 10))));
    assert_eq!(run(3, high, 21), (Change::Unchanged, None));
    assert_eq!(run(4, high, 5), (Change::Better, Some((high, 21))));
}

#[test]
fn what_was_not_looked_at_is_not_fixed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    next(&store, run_with(0, &["1", "2"]));
    let mut blind = run_of(vec![result("a.b", Outcome::Unreachable)]);
    blind.checks[0].reason = Some("no answer".to_owned());
    let blind = next(&store, blind);
    assert_eq!(keys(&changes(&blind).not_looked_at), ["1", "2"]);
    assert_eq!(changes(&blind).not_looked_at[0].reason.as_deref(), Some("unreachable: no answer"));
    let mut partial = run_with(1, &["1"]);
    partial.checks[0].saw_everything = false;
    let partial = next(&store, partial);
    assert_eq!(
        (told(&partial), keys(&changes(&partial).not_looked_at)),
        (vec![("1", Change::Unchanged)], vec!["2"])
    );
    let elsewhere = next(&store, run_of(vec![result("a.other", Outcome::Pass)]));
    assert_eq!((changes(&elsewhere).outside, changes(&elsewhere).not_looked_at.len()), (2, 0));
    let clean = next(&store, run_with(2, &[]));
    assert_eq!((keys(&changes(&clean).fixed), changes(&clean).outside), (vec!["1", "2"], 0));
}

#[test]
fn what_a_person_confirmed_is_settled_not_fixed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    next(&store, run_with(0, &["1", "2"]));
    let mut run = run_with(1, &[]);
    let attested = Attested {
        by: "ann".to_owned(),
        second: None,
        at: now(),
        until: now() + days(30),
        note: String::new(),
    };
    let finding = finding_of("a.b", "1", Severity::High);
    run.checks[0].confirmed.push(Confirmed { finding, attested });
    let run = next(&store, run);
    assert_eq!((keys(&changes(&run).settled), keys(&changes(&run).fixed)), (vec!["1"], vec!["2"]));
}

#[test]
fn a_renamed_check_brings_its_findings_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    next(&store, run_with(0, &["1", "2"]));
    let mut renamed = run_with(1, &["1"]);
    renamed.checks[0].id = "a.new".to_owned();
    let finding = &mut renamed.checks[0].findings[0];
    finding.earlier = vec![std::mem::replace(&mut finding.fingerprint, "tc1:new".to_owned())];
    let renamed = next(&store, renamed);
    assert_eq!(told(&renamed), [("1", Change::Unchanged)]);
    assert_eq!(keys(&changes(&renamed).fixed), ["2"]);
    assert_eq!(store.latest().unwrap().into_keys().collect::<Vec<_>>(), ["a.new"], "it is one check");
}

#[test]
fn a_clock_that_went_backwards_is_told_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    next(&store, run_with(9, &["1"]));
    let back = next(&store, run_with(2, &["1"]));
    assert!(back.problems[0].contains("the clock went backwards"), "{:?}", back.problems);
    let finding = &back.checks[0].findings[0];
    assert_eq!((finding.change, finding.times_seen), (Some(Change::Unchanged), Some(2)));
    assert_eq!(finding.first_seen, Some(now() + days(2)), "it was not seen first in the future");
    assert!(next(&store, run_with(3, &["1"])).problems.is_empty());
    assert_eq!(stretches(&store, "1"), [(3, false)]);
}
