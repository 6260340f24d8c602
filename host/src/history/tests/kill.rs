//! A process that dies while it writes: the runs before it are there, and its own is there whole or not at all.

use super::*;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The folder in which the child writes.
const FOLDER: &str = "TANCHECK_TEST_HISTORY";
/// The size that none of its files may exceed: the write that does kills it.
const LIMIT: &str = "TANCHECK_TEST_LIMIT";
const CHECKS: usize = 60;

/// A run in which each check has a finding, and measures something.
fn one_run() -> (Run, Kept) {
    let checks = (0..CHECKS).map(|number| {
        let id = format!("a.c{number}");
        let mut check = result(&id, Outcome::Finding);
        check.findings = vec![finding_of(&id, "1", Severity::High)];
        check
    });
    let measure = |number: usize| Measure {
        series: format!("a.series-{number}"),
        value: number as f64,
        unit: "x".to_owned(),
        bound: None,
    };
    let kept = Kept { measures: (0..CHECKS).map(measure).collect(), ..Kept::default() };
    (run_of(checks.collect()), kept)
}

/// Not a test of its own: the process that the tests below kill.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    if let Some(limit) = std::env::var(LIMIT).ok().and_then(|limit| limit.parse().ok()) {
        setrlimit(Resource::Fsize, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
        // No image of the dead process is wanted.
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
    }
    let store = Store::open(Path::new(&folder), "lab").unwrap();
    let (run, kept) = one_run();
    loop {
        store.record(&run, &kept).unwrap();
        println!("kept");
        if std::env::var_os(LIMIT).is_some() {
            return;
        }
    }
}

fn child(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "history::tests::kill::writes_until_it_is_killed", "--nocapture"]);
    command.env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The runs of a history that has to be whole.
fn runs(store: &Store) -> u64 {
    let verified = store.examine().unwrap();
    assert_eq!(verified.problems, [""; 0]);
    assert_eq!(verified.outcomes, verified.runs * CHECKS as u64, "half a run");
    assert_eq!(verified.values, verified.runs * CHECKS as u64, "half of its values");
    verified.runs
}

#[test]
fn a_kill_at_any_moment_leaves_whole_runs_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for attempt in 0..12_u64 {
        let mut child = child(folder.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Dies at another point of its work each time, at the latest in the run after its third.
        let kept = lines.by_ref().filter(|line| line.contains("kept")).take(1 + attempt as usize % 3).count();
        std::thread::sleep(std::time::Duration::from_micros(attempt * 700));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged += kept as u64 + lines.filter(|line| line.contains("kept")).count() as u64;
        let runs = runs(&open(&folder));
        assert!(runs >= acknowledged, "{runs} runs are there, {acknowledged} were acknowledged");
    }
}

/// A folder with one run in a file that holds all of it, beside a journal that holds nothing.
fn settled() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let (run, kept) = one_run();
    store.record(&run, &kept).unwrap();
    store.compact().unwrap();
    (folder, store)
}

/// The bytes that the journal of one more run takes.
fn journal_of_one_run() -> u64 {
    let (folder, store) = settled();
    let (run, kept) = one_run();
    store.record(&run, &kept).unwrap();
    std::fs::metadata(folder.path().join("history.db-wal")).unwrap().len()
}

/// Sizes from nothing to all of it, some of them beside the borders of frames.
fn sizes(whole: u64, steps: u64) -> impl Iterator<Item = u64> {
    (0..=steps).map(move |step| whole * step / steps).chain([1, 31, 32, 33, whole - 1])
}

#[test]
fn a_kill_at_any_byte_of_the_journal_leaves_whole_runs_only() {
    let whole = journal_of_one_run();
    let (mut lost, mut held) = (0, 0);
    for limit in sizes(whole, 40) {
        // This process holds the file as well, as another tancheck would.
        let (folder, store) = settled();
        let mut child = child(folder.path()).env(LIMIT, limit.to_string()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let acknowledged = lines.filter(|line| line.contains("kept")).count() as u64;
        child.wait().unwrap();
        let runs = runs(&store);
        assert!((1 + acknowledged..=2).contains(&runs), "{limit}: {runs} runs, {acknowledged} acknowledged");
        lost += u64::from(runs == 1);
        held += u64::from(runs == 2);
        // Whatever happened, the next run is kept.
        let (run, kept) = one_run();
        store.record(&run, &kept).unwrap();
    }
    assert!(lost >= 40 && held >= 1, "{lost} died and {held} came to their end: the limit does not kill");
}

#[test]
fn a_journal_that_is_torn_at_any_byte_costs_no_earlier_run() {
    let (folder, store) = settled();
    let (run, kept) = one_run();
    store.record(&run, &kept).unwrap();
    let file = std::fs::read(folder.path().join("history.db")).unwrap();
    let journal = std::fs::read(folder.path().join("history.db-wal")).unwrap();
    for size in sizes(journal.len() as u64, 60) {
        for garbage in [0, 5000] {
            let torn = tempfile::tempdir().unwrap();
            std::fs::write(torn.path().join("history.db"), &file).unwrap();
            let mut bytes = journal[..size as usize].to_vec();
            bytes.extend(std::iter::repeat_n(0xa5, garbage));
            std::fs::write(torn.path().join("history.db-wal"), bytes).unwrap();
            let runs = runs(&open(&torn));
            assert_eq!(runs, if size == journal.len() as u64 { 2 } else { 1 }, "torn at {size}");
        }
    }
}
