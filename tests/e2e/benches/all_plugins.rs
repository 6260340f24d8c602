//! A run of all plugins against the lab, as a user starts it: how long it takes beside what it cannot be faster than,
//! what its workers need, and what a listing costs. `cargo xtask bench` builds host and plugins for release.
#![expect(clippy::print_stdout, reason = "a benchmark talks to the terminal")]
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fs;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tancheck_e2e::Machine;
use tancheck_lab::{Lab, LoggedRequest};
use tancheck_test_support::{plugins, processes, site};

/// How long the lab takes for every answer.
const LATENCY: Duration = Duration::from_millis(50);

/// What is in flight at the most, as the host has it by default.
const CALLS_IN_FLIGHT: u32 = 8;
const QUESTIONS_IN_FLIGHT: u32 = 4;

/// The largest makespan, as a multiple of the bound.
const LIMIT: f64 = 1.10;

fn main() -> ExitCode {
    let machine = machine();
    listing(&machine);
    let ratios: Vec<f64> = (1..=3).map(|seed| known(&machine, seed)).collect();
    let worst = ratios.iter().copied().fold(0.0, f64::max);
    let held = worst <= LIMIT;
    println!(
        "{:<58} {worst:>9.3}   limit {LIMIT:<8.2} {}",
        "makespan of a run / bound, the worst of three labs",
        if held { "ok" } else { "FAILED" }
    );
    ExitCode::from(u8::from(!held))
}

/// A first run against a lab, and one that knows how long its questions take; returns makespan / bound of the second.
fn known(machine: &Machine, seed: u64) -> f64 {
    let lab = Lab::builder().seed(seed).endpoints(500).client_containers(5);
    let lab = lab.latency(LATENCY).question_ms(2000..=8000).start().unwrap();
    lab.write_exports(&machine.path("exports")).unwrap();
    let places = toml::Table::from_iter([
        (
            "places".to_owned(),
            toml::Table::from_iter([(
                "exports".to_owned(),
                toml::Value::from(machine.path("exports").display().to_string()),
            )])
            .into(),
        ),
        ("modules".to_owned(), site::modules().into()),
    ]);
    machine.configure_deployment(&lab.url(), lab.token(), &format!("id = \"lab-{seed}\"\n{places}"));
    // Nobody knows yet which question takes longest: what is asked last may be that one.
    run(machine, &lab, &format!("lab {seed}, first run, nothing known"));
    run(machine, &lab, &format!("lab {seed}, second run, durations known"))
}

fn machine() -> Machine {
    let packages = plugins();
    Machine::with(&packages.iter().map(String::as_str).collect::<Vec<_>>())
}

/// `checks list`: the first time, with a worker for each plugin, and when nothing changed since.
fn listing(machine: &Machine) {
    let list = || time(machine.command(&["checks", "list"]).stdout(Stdio::null()));
    let first = list();
    // What changed in the last seconds is looked at again: an installation is older.
    std::thread::sleep(Duration::from_secs(3));
    let mut later: Vec<Duration> = (0..20).map(|_| list()).collect();
    let mut nothing: Vec<Duration> =
        (0..20).map(|_| time(machine.command(&["--version"]).stdout(Stdio::null()))).collect();
    later.sort();
    nothing.sort();
    println!(
        "checks list: {} ms the first time, a worker for each of {} plugins; then {} ms (median of 20, best {}); \
         `--version` takes {} ms",
        first.as_millis(),
        machine.plugin_files().len(),
        later[10].as_millis(),
        later[1].as_millis(),
        nothing[10].as_millis(),
    );
}

fn time(command: &mut Command) -> Duration {
    let begin = Instant::now();
    assert!(command.status().unwrap().success());
    begin.elapsed()
}

/// One run; returns makespan / bound.
fn run(machine: &Machine, lab: &Lab, name: &str) -> f64 {
    lab.clear_requests();
    let asked_before = lab.question_times();
    let mut command = machine.command(&["run", "--quiet", "-o", "json"]);
    let begin = Instant::now();
    let mut process = command.stdout(fs::File::create(machine.path("report.json")).unwrap()).spawn().unwrap();
    let workers = watch(&mut process);
    let wall = begin.elapsed();
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(machine.path("report.json")).unwrap()).unwrap();
    let requests = lab.requests();
    let questions = without(lab.question_times(), asked_before);
    let bound = bound(&requests, &questions);
    let makespan = requests.iter().map(|one| one.ended).max().unwrap() - requests[0].began;
    let ratio = makespan.as_secs_f64() / bound.as_secs_f64();
    let polls = requests.iter().filter(|one| is_poll(&one.path)).count();
    println!(
        "{name}: {ratio:.3} of the bound; {} checks, {} decided; {:.2} s in all, {:.2} s from the first request to the \
         last answer, bound {:.2} s; {} HTTP requests, {} questions, {polls} polls, {} needs served by another's \
         request; workers: {} at a time, {:.1} MiB together",
        report["total"],
        report["decided"],
        wall.as_secs_f64(),
        makespan.as_secs_f64(),
        bound.as_secs_f64(),
        requests.len(),
        questions.len(),
        report["requests"]["saved"],
        workers.most,
        workers.kibibytes as f64 / 1024.0,
    );
    ratio
}

/// Whether a request only asks how far a question is.
fn is_poll(path: &str) -> bool {
    path.starts_with("/api/v2/result_info")
}

/// What no order of the same requests can be faster than: all calls over the calls in flight, all questions over the
/// questions in flight, the longest question with its asking and its fetching. Polls do not count: another host could
/// do without them.
fn bound(requests: &[LoggedRequest], questions: &[Duration]) -> Duration {
    let calls: Duration = requests
        .iter()
        .filter(|one| !is_poll(&one.path))
        .map(|one| one.ended.saturating_sub(one.began))
        .sum();
    let asked: Duration = questions.iter().map(|takes| *takes + 2 * LATENCY).sum();
    let longest = questions.iter().max().map_or(Duration::ZERO, |takes| *takes + 2 * LATENCY);
    (calls / CALLS_IN_FLIGHT).max(asked / QUESTIONS_IN_FLIGHT).max(longest)
}

/// The questions of this run: those of all runs less those of earlier ones.
fn without(mut all: Vec<Duration>, earlier: Vec<Duration>) -> Vec<Duration> {
    for one in earlier {
        let place = all.iter().position(|other| *other == one).unwrap();
        all.swap_remove(place);
    }
    all
}

/// The most that all workers had at one time.
#[derive(Default)]
struct Workers {
    most: usize,
    kibibytes: u64,
}

/// Waits for a process and looks at its children meanwhile: their proportional memory, summed.
fn watch(process: &mut Child) -> Workers {
    let mut most = Workers::default();
    while process.try_wait().unwrap().is_none() {
        let sizes = processes::proportional(process.id());
        most.most = most.most.max(sizes.len());
        most.kibibytes = most.kibibytes.max(sizes.iter().sum());
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}
