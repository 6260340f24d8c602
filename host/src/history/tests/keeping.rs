//! Forgetting, examining, and carrying the history to another machine.

use super::*;
use std::io::Cursor;

/// A history of ten days: one finding that stays, one of the second day only, one that comes back at the end.
fn ten_days(folder: &tempfile::TempDir) -> Store {
    let store = open(folder);
    for day in 0..10 {
        let keys: &[&str] = match day {
            1 => &["stays", "short"],
            0 | 9 => &["stays", "back"],
            _ => &["stays"],
        };
        let measure =
            Measure { series: "a.count".to_owned(), value: day as f64, unit: "x".to_owned(), bound: None };
        let mut run = run_with(day, keys);
        store.compare(&mut run, &Default::default()).unwrap();
        store.record(&run, &Kept { measures: vec![measure], ..Kept::default() }).unwrap();
    }
    store.attest(&word("a.b")).unwrap();
    let answer = Answer { value: "7".into(), by: "ann".to_owned(), at: now(), note: String::new() };
    store.keep_answer("a.version", &answer, None).unwrap();
    store
}

fn whole(store: &Store) -> Verified {
    let verified = store.examine().unwrap();
    assert_eq!(verified.problems, [""; 0]);
    verified
}

fn exported(store: &Store) -> String {
    let mut bytes = Vec::new();
    store.export(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_old_is_forgotten_and_what_is_known_keeps_its_life() {
    let folder = tempfile::tempdir().unwrap();
    let store = ten_days(&folder);
    let keep = Retention { runs_days: 5, series_days: 3 };
    let pretended = store.prune(keep, now() + days(9), true).unwrap();
    assert_eq!(pretended, Pruned { runs: 4, findings: 1, values: 6 });
    assert_eq!(store.count().unwrap(), 10, "nothing was forgotten yet");
    assert_eq!(store.prune(keep, now() + days(9), false).unwrap(), pretended);
    store.compact().unwrap();
    let verified = whole(&store);
    assert_eq!((verified.runs, verified.values, verified.attestations), (6, 4, 1));
    assert!(stretches(&store, "short").is_empty());
    assert_eq!(stretches(&store, "back"), [(1, true), (1, false)], "it is back, so it is known from when");
    let mut next = run_with(10, &["stays"]);
    store.compare(&mut next, &Default::default()).unwrap();
    let finding = &next.checks[0].findings[0];
    assert_eq!((finding.first_seen, finding.times_seen), (Some(now()), Some(11)));
    let shown = store.show(store.find("5").unwrap().unwrap()).unwrap();
    assert_eq!(shown.findings.len(), 1, "how it looked then is kept");
    assert_eq!(store.record(&next, &Kept::default()).unwrap(), 11, "no number is given twice");
}

#[test]
fn the_last_two_runs_stay_and_for_ever_is_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let store = ten_days(&folder);
    let forever = Retention { runs_days: 0, series_days: 0 };
    assert_eq!(store.prune(forever, now() + days(9999), false).unwrap(), Pruned::default());
    let short = Retention { runs_days: 1, series_days: 1 };
    assert_eq!(store.prune(short, now() + days(9999), false).unwrap().runs, 8);
    assert_eq!(whole(&store).runs, 2);
    assert_eq!(store.prune(Retention::default(), Timestamp::MIN, false).unwrap(), Pruned::default());
}

#[test]
fn an_export_makes_the_same_history_elsewhere() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = ten_days(&here);
    let lines = exported(&store);
    let other = open(&there);
    // Another deployment's runs are in the way of the numbers.
    Store::open(there.path(), "elsewhere").unwrap().record(&run_with(0, &["x"]), &Kept::default()).unwrap();
    let done = other.import(&mut Cursor::new(&lines)).unwrap();
    assert_eq!(done, Transferred { runs: 10, attestations: 1, answers: 1 });
    assert_eq!(whole(&other).runs, 11);
    for name in ["stays", "short", "back"] {
        assert_eq!(stretches(&store, name), stretches(&other, name));
    }
    assert_eq!(other.latest().unwrap(), store.latest().unwrap());
    let last = |store: &Store| {
        let shown = store.show(store.find("last").unwrap().unwrap()).unwrap();
        (shown.run.at, shown.findings, shown.measures, shown.checks)
    };
    assert_eq!(last(&other), last(&store));
    assert_eq!(other.find("last").unwrap().unwrap().number, 11);
    // Once more changes nothing, and a later export of the same history replaces.
    assert_eq!(other.import(&mut Cursor::new(&lines)).unwrap(), Transferred::default());
    store.record(&run_with(10, &[]), &Kept::default()).unwrap();
    assert_eq!(other.import(&mut Cursor::new(exported(&store))).unwrap().runs, 11);
    assert_eq!((other.count().unwrap(), whole(&other).attestations), (11, 1));
    assert_eq!(other.attestations().unwrap(), store.attestations().unwrap());
}

#[test]
fn what_is_not_a_whole_export_of_this_deployment_changes_nothing() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lines = exported(&ten_days(&here));
    let other = open(&there);
    let refuse = |lines: &str, told: &str| {
        let error = other.import(&mut Cursor::new(lines)).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
        assert_eq!(other.size().unwrap(), (0, 0, 0));
    };
    refuse("", "not whole");
    refuse("{\"x\": 1}\n", "no exported history");
    refuse("no json\n", "line 1: not as it was exported");
    refuse(&lines.replacen("\"version\":1", "\"version\":9", 1), "version 9");
    refuse(&lines.replacen("\"deployment\":\"lab\"", "\"deployment\":\"prod\"", 1), "deployment prod");
    refuse(&lines.replace("\"stays\"", "\"other\""), "its hash differs");
    refuse(&lines[..lines.len() / 2], "line");
    let cut = lines.lines().take(20).map(|line| format!("{line}\n")).collect::<String>();
    refuse(&cut, "its last line is missing");
    refuse(&format!("{lines}more\n"), "something follows");
    // Two histories of one deployment that both hold runs of their own do not become one.
    other.record(&run_with(0, &["own"]), &Kept::default()).unwrap();
    let error = other.import(&mut Cursor::new(&lines)).unwrap_err().to_string();
    assert!(error.contains("cannot become one"), "{error}");
    assert_eq!(other.count().unwrap(), 1);
}

#[test]
fn an_examination_finds_what_does_not_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = ten_days(&folder);
    for (harm, told) in [
        ("DELETE FROM outcome WHERE run = 3", "as many outcomes as checks: run 3"),
        ("UPDATE run SET decided = 9 WHERE id = 4", "number of decisions that it tells: run 3, run 4"),
        ("UPDATE finding SET times = 0 WHERE key = 'stays'", "ends before it begins: tc1:"),
        (
            "PRAGMA foreign_keys = OFF; DELETE FROM text WHERE text = 'pass' OR text = 'finding'",
            "refers to is missing",
        ),
        (
            "DROP TRIGGER attestation_is_final; UPDATE attestation SET entry = '{}'",
            "was changed after it was written",
        ),
    ] {
        store.lock().execute_batch(harm).unwrap();
        let problems = store.examine().unwrap().problems.join("\n");
        assert!(problems.contains(told), "{harm}: {problems}");
    }
}

#[test]
fn numbers_are_carried_over_to_the_last_bit() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&here);
    let measure = |number: u32| Measure {
        series: format!("a.number-{number}"),
        value: f64::from(number).sqrt().exp(),
        unit: "x".to_owned(),
        bound: Some(1.0 / f64::from(number)),
    };
    let measures = (1..300).map(measure).collect();
    store.record(&run_with(0, &[]), &Kept { measures, ..Kept::default() }).unwrap();
    let other = open(&there);
    other.import(&mut Cursor::new(exported(&store))).unwrap();
    assert_eq!(exported(&other), exported(&store));
}
