//! The history: what it keeps, what it refuses, and that a kill never harms it.

use super::*;
use crate::collect::Local;
use crate::run::attested::{Attestation, Verdict};
use crate::run::document::Run;
use crate::run::engine::fakes::{NOW, finding_of, result, run_of};
use jiff::Timestamp;
use std::sync::Arc;
use tancheck_plugin_api::facts::Answer;
use tancheck_plugin_api::finding::Measure;
use tancheck_plugin_api::{Outcome, Severity};

mod change;
mod diff;
mod keeping;
mod kill;
mod migration;
mod series;

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path(), "lab").unwrap()
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn days(count: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24 * count)
}

/// A run, so many days after the first, in which the check has findings on these subjects.
fn run_with(day: i64, keys: &[&str]) -> Run {
    let outcome = if keys.is_empty() { Outcome::Pass } else { Outcome::Finding };
    let mut check = result("a.b", outcome);
    check.findings = keys.iter().map(|key| finding_of("a.b", key, Severity::High)).collect();
    let mut run = run_of(vec![check]);
    run.at = now() + days(day);
    run
}

/// The stretches of one subject: seen so often, and whether it is over.
fn stretches(store: &Store, key: &str) -> Vec<(i64, bool)> {
    let connection = store.lock();
    let mut statement = connection
        .prepare("SELECT times, closed_run IS NOT NULL FROM finding WHERE key = ?1 ORDER BY id")
        .unwrap();
    let rows = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_finding_is_a_stretch_of_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for (day, keys) in [(0, &["1", "2"][..]), (1, &["1"]), (2, &["1", "2"]), (3, &[])] {
        store.record(&run_with(day, keys), &Kept::default()).unwrap();
    }
    assert_eq!(stretches(&store, "1"), [(3, true)]);
    assert_eq!(stretches(&store, "2"), [(1, true), (1, true)], "gone, and come back");
    assert_eq!(store.size().unwrap(), (4, 4, 3));
}

#[test]
fn a_finding_is_gone_only_when_everything_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.record(&run_with(0, &["1", "2"]), &Kept::default()).unwrap();
    let mut blind = run_of(vec![result("a.b", Outcome::Unreachable)]);
    blind.at = now() + days(1);
    store.record(&blind, &Kept::default()).unwrap();
    let mut partial = run_with(2, &["1"]);
    partial.checks[0].saw_everything = false;
    store.record(&partial, &Kept::default()).unwrap();
    assert_eq!((stretches(&store, "1"), stretches(&store, "2")), (vec![(2, false)], vec![(1, false)]));
}

#[test]
fn a_finding_keeps_its_history_when_its_check_is_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.record(&run_with(0, &["1", "2"]), &Kept::default()).unwrap();
    let mut renamed = run_with(1, &["1"]);
    renamed.checks[0].id = "a.new".to_owned();
    let earlier = std::mem::replace(&mut renamed.checks[0].findings[0].fingerprint, "tc1:new".to_owned());
    renamed.checks[0].findings[0].earlier = vec![earlier];
    let kept = Kept { aliases: [("a.new".to_owned(), vec!["a.b".to_owned()])].into(), ..Kept::default() };
    store.record(&renamed, &kept).unwrap();
    assert_eq!(stretches(&store, "1"), [(2, false)]);
    assert_eq!(stretches(&store, "2"), [(1, true)], "closed under the earlier id");
}

#[test]
fn the_latest_outcome_tells_what_fails() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let checks =
        |outcomes: [Outcome; 2]| run_of(vec![result("a.b", outcomes[0]), result("a.c", outcomes[1])]);
    store.record(&checks([Outcome::Finding, Outcome::Pass]), &Kept::default()).unwrap();
    store.record(&checks([Outcome::Pass, Outcome::Unreachable]), &Kept::default()).unwrap();
    assert_eq!(store.failing().unwrap().into_iter().collect::<Vec<_>>(), ["a.c"]);
    let other = Store::open(folder.path(), "elsewhere").unwrap();
    assert!(other.failing().unwrap().is_empty(), "deployments do not mix");
}

#[test]
fn decisions_are_those_of_a_period_and_the_last_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let run = |day: i64, outcomes: &[(&str, Outcome)]| {
        let checks = outcomes.iter().map(|(id, outcome)| result(id, *outcome)).collect();
        store.record(&Run { at: now() + days(day), ..run_of(checks) }, &Kept::default()).unwrap();
    };
    run(0, &[("a.rare", Outcome::Pass), ("a.ancient", Outcome::Pass)]);
    run(1, &[("a.rare", Outcome::Finding), ("a.often", Outcome::Pass)]);
    run(2, &[("a.often", Outcome::Pass), ("a.never", Outcome::Unreachable)]);
    run(5, &[("a.often", Outcome::Finding), ("a.later", Outcome::Pass)]);
    run(6, &[("a.often", Outcome::NotEvaluated)]);
    run(9, &[("a.often", Outcome::Pass)]);
    let day = |day: i64| now() + days(day);
    let found = store.decisions(day(1), day(4), day(8)).unwrap();
    let expected = [("a.later", vec![day(5)]), ("a.often", vec![day(2), day(5)]), ("a.rare", vec![day(1)])];
    assert_eq!(found, expected.map(|(check, days)| (check.to_owned(), days)).into());
}

#[test]
fn a_judge_failed_twice_when_its_last_two_judgements_failed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let record = |fault: Option<bool>, library: &str| {
        let outcome = if fault == Some(true) { Outcome::Crashed } else { Outcome::Pass };
        let kept = Kept {
            faults: fault.map(|fault| ("a.b".to_owned(), fault)).into_iter().collect(),
            libraries: [("a".to_owned(), library.to_owned())].into(),
            ..Kept::default()
        };
        store.record(&run_of(vec![result("a.b", outcome)]), &kept).unwrap();
    };
    let twice = |library: &str| store.failed_twice("a.b", library).unwrap().is_some();
    record(Some(true), "v1");
    assert!(!twice("v1"));
    record(None, "v1");
    record(Some(true), "v1");
    assert!(twice("v1"), "a run that did not ask the judge says nothing about it");
    assert!(!twice("v2"));
    record(Some(false), "v1");
    assert!(!twice("v1"));
}

#[test]
fn measures_are_points_of_series() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder));
    for day in 0..3_i64 {
        let measure = |series: &str| Measure {
            series: series.to_owned(),
            value: 10.0 * day as f64,
            unit: "endpoints".to_owned(),
            bound: None,
        };
        let kept = Kept {
            measures: vec![measure("a.count.x"), measure("a.count.y"), measure("a.counter")],
            ..Kept::default()
        };
        store.record(&run_with(day, &[]), &kept).unwrap();
    }
    let here = |day| Here::new(Ok(Arc::clone(&store)), now() + days(day));
    let values = |points: Vec<tancheck_plugin_api::facts::Point>| {
        points.into_iter().map(|point| (point.series, point.value)).collect::<Vec<_>>()
    };
    let all = values(here(2).points("a.counter", now()).unwrap());
    assert_eq!(all.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [0.0, 10.0, 20.0]);
    let group = values(here(1).points("a.count.*", now() + days(1)).unwrap());
    assert_eq!(
        group,
        [("a.count.x".to_owned(), 10.0), ("a.count.y".to_owned(), 10.0)],
        "not a.counter, not the future"
    );
}

#[test]
fn expectations_follow_what_requests_took() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder));
    for seconds in [2.0, 4.0] {
        let kept = Kept { timings: vec![("GET /x".to_owned(), seconds)], ..Kept::default() };
        store.record(&run_with(0, &[]), &kept).unwrap();
    }
    let here = Here::new(Ok(store), now());
    assert_eq!((here.expected_seconds("GET /x"), here.expected_seconds("GET /y")), (Some(3.0), None));
}

#[test]
fn the_latest_answer_by_now_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder));
    let answer = |value: &str, day| Answer {
        value: value.into(),
        by: "ann".to_owned(),
        at: now() + days(day),
        note: String::new(),
    };
    store.keep_answer("a.version", &answer("2", 2), None).unwrap();
    store.keep_answer("a.version", &answer("1", 1), Some(now() + days(4))).unwrap();
    let at = |day| Here::new(Ok(Arc::clone(&store)), now() + days(day)).answer("a.version");
    assert_eq!(at(0).unwrap(), None);
    assert_eq!(at(1).unwrap().unwrap().value, "1");
    assert_eq!(at(9).unwrap().unwrap().value, "2", "the later one has no end of its own");
    store.keep_answer("a.other", &answer("x", 0), Some(now() + days(1))).unwrap();
    let expired = Here::new(Ok(Arc::clone(&store)), now() + days(1)).answer("a.other").unwrap_err();
    assert!(expired.contains("good until 2026-07-01"), "{expired}");
}

fn word(task: &str) -> Attestation {
    Attestation {
        task: task.to_owned(),
        about: None,
        result: Verdict::Done,
        by: "ann".to_owned(),
        second: None,
        at: now(),
        valid_until: None,
        note: "é \"quoted\"".to_owned(),
        evidence: None,
    }
}

#[test]
fn attestations_are_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let other = Store::open(folder.path(), "elsewhere").unwrap();
    store.attest(&word("a.b")).unwrap();
    other.attest(&word("a.x")).unwrap();
    store.attest(&word("a.c")).unwrap();
    let tasks: Vec<String> = store.attestations().unwrap().into_iter().map(|one| one.task).collect();
    assert_eq!(tasks, ["a.b", "a.c"]);
    assert_eq!(store.attestations().unwrap()[0], word("a.b"));
    let change = "UPDATE attestation SET entry = replace(entry, 'ann', 'bob') WHERE id = 1";
    let refused = store.lock().execute(change, []).unwrap_err();
    assert!(refused.to_string().contains("only appended"));
    // Who takes the guard away is still found out.
    store.lock().execute_batch(&format!("DROP TRIGGER attestation_is_final; {change};")).unwrap();
    assert!(matches!(store.attestations(), Err(HistoryError::Tampered { entry: 1, .. })));
    assert!(matches!(store.attest(&word("a.d")), Err(HistoryError::Tampered { .. })));
}

#[test]
fn an_attestation_that_was_taken_out_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for task in ["a.b", "a.c", "a.d"] {
        store.attest(&word(task)).unwrap();
    }
    store
        .lock()
        .execute_batch("DROP TRIGGER attestation_stays; DELETE FROM attestation WHERE id = 2;")
        .unwrap();
    assert!(matches!(store.attestations(), Err(HistoryError::Tampered { entry: 2, .. })));
}

#[test]
fn what_can_be_attested_is_what_was_listed_last() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let listing = |keys: &[&str]| {
        let mut run = run_with(0, keys);
        run.checks[0].kind = tancheck_plugin_api::Kind::Hybrid;
        run
    };
    store.record(&listing(&["1", "2"]), &Kept::default()).unwrap();
    store.record(&listing(&["2", "3"]), &Kept::default()).unwrap();
    let keys: Vec<String> = store.listed("a.b").unwrap().into_iter().map(|one| one.key).collect();
    assert_eq!(keys, ["2", "3"]);
}

#[test]
fn a_newer_format_is_refused_politely() {
    let folder = tempfile::tempdir().unwrap();
    let newer = "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99;";
    open(&folder).lock().execute_batch(newer).unwrap();
    let bytes = || std::fs::read(folder.path().join(FILE)).unwrap();
    let before = bytes();
    let error = Store::open(folder.path(), "lab").unwrap_err();
    assert!(bytes() == before, "what is not understood is not touched");
    assert!(matches!(error, HistoryError::Newer { found: 99, .. }));
    assert!(error.to_string().contains("use the newer tancheck"));
}

#[test]
fn a_damaged_file_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(FILE),
        "no database at all, and long enough to be looked at".repeat(100),
    )
    .unwrap();
    assert!(matches!(Store::open(folder.path(), "lab"), Err(HistoryError::Damaged { .. })));
}

#[test]
fn a_full_disk_is_told_apart_and_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.record(&run_with(0, &["1"]), &Kept::default()).unwrap();
    let pages: i64 = store.lock().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.lock().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    let keys: Vec<String> = (0..2000).map(|key| key.to_string()).collect();
    let many = run_with(1, &keys.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(matches!(store.record(&many, &Kept::default()), Err(HistoryError::Full { .. })));
    assert_eq!(store.size().unwrap(), (1, 1, 1));
}

#[test]
fn a_read_only_history_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.attest(&word("a.b")).unwrap();
    store.lock().pragma_update(None, "query_only", true).unwrap();
    assert!(matches!(store.record(&run_with(0, &[]), &Kept::default()), Err(HistoryError::ReadOnly { .. })));
    assert_eq!(store.attestations().unwrap().len(), 1);
    let reader = readable(&folder.path().join(FILE)).unwrap();
    let count: i64 = reader.query_row("SELECT count(*) FROM attestation", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn another_writer_is_waited_for_and_then_named() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(&folder), open(&folder));
    two.lock().busy_timeout(std::time::Duration::from_millis(1)).unwrap();
    one.lock().execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(two.record(&run_with(0, &[]), &Kept::default()), Err(HistoryError::Locked { .. })));
    one.lock().execute_batch("ROLLBACK").unwrap();
    two.record(&run_with(0, &[]), &Kept::default()).unwrap();
}
