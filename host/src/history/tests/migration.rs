//! Files that earlier versions made, and that this one brings to the newest format.

use super::*;
use crate::history::schema;
use rusqlite::params;

const DAY: i64 = 24 * 3600 * 1_000_000;

/// A file as format 1 had it: three runs, in which the judge of `a.c` failed once and twice, and a finding of `a.b` that was
/// there, was not looked at, and came back after another one had gone.
fn first_format(folder: &Path) {
    let connection = Connection::open(folder.join(FILE)).unwrap();
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    connection.execute_batch(schema::MIGRATIONS[0]).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let start = now().as_microsecond();
    let outcomes = [
        ("finding", None::<&str>, "pass", Some(0), "v1"),
        ("unreachable", Some("no answer"), "crashed", Some(1), "v2"),
        ("finding", Some("beyond this: more"), "crashed", Some(1), "v2"),
    ];
    for (index, (found, why, judged, fault, library)) in outcomes.into_iter().enumerate() {
        let (id, at) = (index as i64 + 1, start + index as i64 * DAY);
        connection
            .execute(
                "INSERT INTO run (id, deployment, at, version, decided, total, exit_code, interrupted)
                 VALUES (?1, 'lab', ?2, '0.1.0', 1, 2, 1, NULL)",
                params![id, at],
            )
            .unwrap();
        for (check, outcome, reason, fault) in
            [("a.b", found, why, Some(0)), ("a.c", judged, Some("it died"), fault)]
        {
            connection
                .execute(
                    "INSERT INTO outcome (run, check_id, outcome, reason, fault, library)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![id, check, outcome, reason, fault, library],
                )
                .unwrap();
        }
        connection
            .execute(
                "INSERT INTO measure (deployment, series, at, value, unit, run) VALUES ('lab', 'a.count', ?2, ?3, 'x', ?1)",
                params![id, at, id as f64],
            )
            .unwrap();
    }
    for (key, first, last, times, closed) in [("1", 1, 3, 2, None), ("2", 1, 1, 1, Some(3))] {
        let at = |run: i64| start + (run - 1) * DAY;
        connection
            .execute(
                "INSERT INTO finding (deployment, fingerprint, check_id, kind, key, name, severity, says, affected,
                    first_run, first_at, last_run, last_at, times, closed_run, closed_at)
                 VALUES ('lab', ?1, 'a.b', 'thing', ?2, ?2, 'high', 'is broken', 3, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    finding_of("a.b", key, Severity::High).fingerprint,
                    key,
                    first,
                    at(first),
                    last,
                    at(last),
                    times,
                    closed,
                    closed.map(at)
                ],
            )
            .unwrap();
    }
    let more = "
        INSERT INTO duration VALUES ('lab', 'GET /x', 2.5);
        INSERT INTO listed VALUES ('lab', 'a.b', 'tc1:1', 'thing', '1', 'one', NULL);
        INSERT INTO answer (deployment, input, value, by, at, note) VALUES ('lab', 'a.version', '\"7\"', 'ann', 0, '');
    ";
    connection.execute_batch(more).unwrap();
}

#[test]
fn a_file_of_the_first_format_keeps_all_it_had() {
    let folder = tempfile::tempdir().unwrap();
    first_format(folder.path());
    let store = Arc::new(open(&folder));
    assert_eq!(store.size().unwrap(), (3, 6, 2));
    assert_eq!((stretches(&store, "1"), stretches(&store, "2")), (vec![(2, false)], vec![(1, true)]));
    let latest: Vec<(String, String)> = store.latest().unwrap().into_iter().collect();
    let expected = [("a.b", "finding"), ("a.c", "crashed")];
    assert_eq!(latest, expected.map(|(check, outcome)| (check.to_owned(), outcome.to_owned())));
    let twice = store.failed_twice("a.c", "v2").unwrap();
    assert_eq!(twice, Some(("crashed".to_owned(), "it died".to_owned())));
    assert_eq!(store.failed_twice("a.c", "v1").unwrap(), None);
    assert_eq!(store.failed_twice("a.b", "v2").unwrap(), None);
    let here = Here::new(Ok(Arc::clone(&store)), now() + days(9));
    let points = here.points("a.count", now()).unwrap();
    assert_eq!(points.iter().map(|point| point.value).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!(here.expected_seconds("GET /x"), Some(2.5));
    assert_eq!(here.answer("a.version").unwrap().unwrap().value, "7");
    assert_eq!(store.listed("a.b").unwrap().len(), 1);
    assert_eq!(store.last_run().unwrap(), Some(now() + days(2)));
    let broken: i64 = store
        .lock()
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(broken, 0);
}

#[test]
fn runs_go_on_after_a_migration() {
    let folder = tempfile::tempdir().unwrap();
    first_format(folder.path());
    let store = open(&folder);
    assert_eq!(store.record(&run_with(9, &["1", "2"]), &Kept::default()).unwrap(), 4);
    assert_eq!(stretches(&store, "1"), [(3, false)]);
    assert_eq!(stretches(&store, "2"), [(1, true), (1, false)]);
    drop(store);
    assert_eq!(open(&folder).size().unwrap(), (4, 7, 3), "a file is brought forward once");
}

#[test]
fn a_migration_that_cannot_end_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    first_format(folder.path());
    let path = folder.path().join(FILE);
    // A table that is in the way, as a half-made step would leave it.
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE series (x)").unwrap();
    let error = Store::open(folder.path(), "lab").unwrap_err();
    assert!(error.to_string().contains("series already exists"), "{error}");
    let connection = Connection::open(&path).unwrap();
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let runs: i64 = connection.query_row("SELECT count(*) FROM outcome", [], |row| row.get(0)).unwrap();
    assert_eq!((version, runs), (1, 6));
}

#[test]
fn an_older_file_that_may_not_be_written_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    first_format(folder.path());
    assert!(matches!(readable(&folder.path().join(FILE)), Err(HistoryError::ReadOnly { .. })));
}
