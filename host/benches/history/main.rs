//! How long questions about a large history take, how large it is, and what keeping a run costs: a thousand runs of 504
//! checks, with twenty thousand findings in all, 250 series, and what people attested meanwhile.

mod calendar;

use jiff::{SignedDuration, Timestamp};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tancheck::history::{Every, Kept, RunLine, Store};
use tancheck::run::document::{self, Affected, CheckResult, Finding, Run, Subject};
use tancheck::run::identity;
use tancheck_plugin_api::finding::Measure;
use tancheck_plugin_api::{Outcome, Severity};

const RUNS: i64 = 1000;
const CHECKS: usize = 504;
const PLUGINS: usize = 45;
/// Findings that are new in each run; each of them is there in five runs.
const FINDINGS: i64 = 20;
const LIVES: i64 = 5;
const SERIES: usize = 250;
/// What storing a run may cost, in parts of the run.
const SHARE: u32 = 20;
/// What a question may take.
const LIMIT: Duration = Duration::from_millis(100);
/// What the file may have.
const BYTES: u64 = 100_000_000;
/// How often a question is asked; the median counts.
const ROUNDS: usize = 21;

type Failure = Box<dyn std::error::Error>;
/// A question to a history.
type Ask<'a> = dyn Fn(&Store) -> Result<(), Failure> + 'a;

fn main() -> ExitCode {
    match bench() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("the benchmark could not run: {error}"));
            ExitCode::from(2)
        }
    }
}

fn bench() -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), "bench")?;
    let site = calendar::Site::new(folder.path())?;
    let (mut compared, mut recorded, mut words) = (Vec::new(), Vec::new(), 0);
    for number in 0..RUNS {
        let (mut run, kept) = run(number);
        let started = Instant::now();
        store.compare(&mut run, &kept.aliases)?;
        compared.push(started.elapsed());
        let started = Instant::now();
        store.record(&run, &kept)?;
        recorded.push(started.elapsed());
        words += calendar::attest(&store, number, run.at)?;
    }
    let late = |times: &[Duration]| median(times[times.len() - 100..].to_vec());
    say(&format!("comparing one of the last hundred runs  {:>10.1?}", late(&compared)));
    say(&format!("keeping one of the last hundred runs    {:>10.1?}", late(&recorded)));
    let stored = late(&compared) + late(&recorded);
    say(&format!("both are 5 % of a run that takes        {:>10.1?}", stored * SHARE));
    say(&format!("attestations meanwhile                  {words:>10}"));
    // A file that was in use for long has its journal beside it.
    let bytes: u64 = ["history.db", "history.db-wal"]
        .iter()
        .filter_map(|name| std::fs::metadata(folder.path().join(name)).ok())
        .map(|file| file.len())
        .sum();
    drop(store);
    let mut good =
        gate("size of the file", bytes < BYTES, &format!("{:.1} MB", bytes as f64 / 1e6), "100 MB");
    // Each with a file that is opened anew, as a command does.
    let today = day(RUNS);
    let due = |store: &Store| {
        assert_eq!(site.due(store, today)?, CHECKS);
        Ok(())
    };
    let questions: [(&str, &Ask<'_>); 8] = [
        ("due: the calendar of all checks", &due),
        ("diff of the last two runs", &|store| {
            let difference = store.diff(find(store, "previous")?, find(store, "last")?)?;
            assert_eq!(difference.new.len(), FINDINGS as usize);
            Ok(())
        }),
        ("diff of the first and the last run", &|store| {
            store.diff(find(store, "1")?, find(store, "last")?)?;
            Ok(())
        }),
        ("trend of a series, by week", &|store| {
            let trend = store.trend("plugin-1.series-1", Timestamp::MIN, Some(Every::Week), None)?;
            assert!(trend.is_some());
            Ok(())
        }),
        ("trend of findings, by run", &|store| {
            store.trend("run.findings", Timestamp::MIN, Some(Every::Run), None)?;
            Ok(())
        }),
        ("list of all series", &|store| {
            assert_eq!(store.metrics()?.len(), SERIES + 9);
            Ok(())
        }),
        ("list of all runs", &|store| {
            assert_eq!(store.runs(usize::MAX)?.len(), RUNS as usize);
            Ok(())
        }),
        ("latest outcome of each check", &|store| {
            assert_eq!(store.latest()?.len(), CHECKS);
            Ok(())
        }),
    ];
    for (what, ask) in questions {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            ask(&Store::open(folder.path(), "bench")?)?;
            times.push(started.elapsed());
        }
        let time = median(times);
        good &= gate(what, time < LIMIT, &format!("{time:.1?}"), "100 ms");
    }
    Ok(good)
}

fn find(store: &Store, text: &str) -> Result<RunLine, Failure> {
    Ok(store.find(text)?.ok_or("the run is not there")?)
}

fn gate(what: &str, held: bool, measured: &str, limit: &str) -> bool {
    let verdict = if held { "ok" } else { "FAILED" };
    say(&format!("{what:<40} {measured:>9}   limit {limit:<8} {verdict}"));
    held
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The morning of a run.
fn day(number: i64) -> Timestamp {
    let start: Timestamp = "2023-01-02T06:00:00Z".parse().expect("it is a time");
    start + SignedDuration::from_hours(24 * number)
}

fn plugin_of(number: usize) -> String {
    format!("plugin-{number}")
}

fn id_of(check: usize) -> String {
    format!("{}.a-check-with-a-name-{check}", plugin_of(check % PLUGINS))
}

/// The run of a day: most checks pass, some are undecided with reasons that change, some have findings.
fn run(number: i64) -> (Run, Kept) {
    let at = day(number);
    let mut checks: Vec<CheckResult> = (0..CHECKS).map(|check| result(check, number, at)).collect();
    for born in (number - LIVES + 1).max(0)..=number {
        for key in 0..FINDINGS {
            let check = &mut checks[(key as usize * 7 + 3) % CHECKS];
            check.outcome = Outcome::Finding;
            check.reason = None;
            check.saw_everything = true;
            let finding = finding(&check.id, born, key, number);
            check.findings.push(finding);
        }
    }
    let measures = (0..SERIES).map(|series| Measure {
        series: format!("plugin-{}.series-{series}", series % PLUGINS),
        value: 1000.0 + number as f64 + series as f64,
        unit: "endpoints".to_owned(),
        bound: None,
    });
    let plugins = (0..PLUGINS).map(plugin_of);
    let kept = Kept {
        measures: measures.collect(),
        faults: checks.iter().map(|check| (check.id.clone(), false)).collect(),
        libraries: plugins.map(|plugin| (plugin, "0123456789abcdef".repeat(4))).collect(),
        ..Kept::default()
    };
    let deployment = document::Deployment {
        id: "bench".to_owned(),
        url: "https://bench.example/".to_owned(),
        account: None,
    };
    let mut run = Run { checks, ..Run::empty(deployment, at) };
    run.count();
    (run, kept)
}

fn result(check: usize, number: i64, at: Timestamp) -> CheckResult {
    // A quarter awaits something, a few of them with another sentence in each run.
    let (outcome, reason) = match check % 8 {
        0 => (Outcome::NotEvaluated, Some(format!("the file of check {check} is not there: export it"))),
        4 if check % 64 == 4 => {
            (Outcome::NotEvaluated, Some(format!("the newest value is {} days old, of {at}", number % 90)))
        }
        _ if calendar::is_by_hand(check) => {
            (Outcome::AttestationDue, Some("nobody has attested it yet".to_owned()))
        }
        _ => (Outcome::Pass, None),
    };
    let (plugin, id) = (plugin_of(check % PLUGINS), id_of(check));
    let saw_everything = outcome == Outcome::Pass;
    CheckResult { outcome, reason, saw_everything, ..CheckResult::new(&id, &plugin, "Something is well") }
}

fn finding(check: &str, born: i64, key: i64, number: i64) -> Finding {
    let key = format!("{born}-{key}");
    let subject = tancheck_plugin_api::Subject::new("thing", &key, format!("a thing with the name {key}"));
    let fingerprint = identity::fingerprint("bench", check, &subject);
    let subject = Subject { kind: subject.kind, key: subject.key, name: subject.name };
    // Half of them look otherwise in each run.
    let says = format!("failed {} times since it was made", if born % 2 == 0 { number - born } else { 1 });
    Finding {
        expected: "no failure".to_owned(),
        affected: Some(Affected { count: 3, of: Some(10), sample: vec!["one".to_owned()] }),
        ..Finding::new(fingerprint, Severity::Medium, subject, says)
    }
}

fn say(line: &str) {
    // Nobody is left to read it.
    let _ = writeln!(std::io::stdout(), "{line}");
}
