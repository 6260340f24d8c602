//! What workers cost: one from its spawn until its plugin is loaded in the sandbox, all plugins together, and their
//! proportional memory while all of them live.
#![expect(clippy::print_stdout, reason = "a benchmark talks to the terminal")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use futures_util::StreamExt;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tancheck::config::Limits;
use tancheck::plugins::Library;
use tancheck::worker::{self, Worker};
use tancheck_test_support::processes;

/// How often each plugin is started alone, and all of them together; medians count.
const ROUNDS: usize = 21;
/// How many are started at the same time.
const AT_A_TIME: usize = 4;
/// The limits of a worker, and of all of them.
const ONE: f64 = 5.0;
const ALL: f64 = 100.0;
const ONE_MIB: f64 = 2.0;
const ALL_MIB: f64 = 62.0;

fn main() -> ExitCode {
    worker::use_program(env!("CARGO_BIN_EXE_tancheck-worker").into());
    let packages = tancheck_test_support::plugins();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let paths = tancheck_test_support::build(&packages).into_values();
    let libraries: Vec<Library> = paths.map(|path| Library::of(&path, &fs::read(&path).unwrap())).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let held = runtime.block_on(bench(&libraries));
    ExitCode::from(u8::from(!held))
}

async fn bench(libraries: &[Library]) -> bool {
    let mut alone = Vec::new();
    for library in libraries {
        alone.push((one(library).await, fs::metadata(&library.path).unwrap().len(), library));
    }
    alone.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (name, index) in [("quickest", 0), ("median", alone.len() / 2), ("slowest", alone.len() - 1)] {
        let (milliseconds, bytes, library) = alone[index];
        let file = library.path.file_name().unwrap_or_default().display();
        println!("{name} plugin: {milliseconds:.2} ms, {file}, {} KB", bytes / 1000);
    }
    let mut together = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let workers = start_all(libraries).await;
        together.push(milliseconds(begin.elapsed()));
        stop_all(workers).await;
    }
    let workers = start_all(libraries).await;
    let sizes: Vec<f64> = processes::proportional(std::process::id()).iter().map(mebibytes).collect();
    stop_all(workers).await;
    assert_eq!(sizes.len(), libraries.len(), "each worker lives");
    let mut held = gate("one worker from spawn to ready, the slowest, ms", alone[alone.len() - 1].0, ONE);
    held &= gate("all workers, four at a time, ms", median(&mut together), ALL);
    held &=
        gate("proportional memory of the largest, MiB", sizes.iter().copied().fold(0.0, f64::max), ONE_MIB);
    held & gate("proportional memory of all, MiB", sizes.iter().sum(), ALL_MIB)
}

/// How long one worker takes until it is ready, in milliseconds.
async fn one(library: &Library) -> f64 {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let worker = Worker::start(library, &Limits::default()).await;
        let worker = worker.unwrap_or_else(|failure| panic!("{}: {failure}", library.path.display()));
        times.push(milliseconds(begin.elapsed()));
        worker.stop().await;
    }
    median(&mut times)
}

async fn start_all(libraries: &[Library]) -> Vec<Worker> {
    let limits = Limits::default();
    let starts = futures_util::stream::iter(libraries.to_vec()).map(|library| {
        let limits = limits.clone();
        tokio::spawn(async move { Worker::start(&library, &limits).await })
    });
    starts.buffer_unordered(AT_A_TIME).map(|started| started.unwrap().unwrap()).collect().await
}

async fn stop_all(workers: Vec<Worker>) {
    for worker in workers {
        worker.stop().await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size needs no more than 52 bits")]
fn mebibytes(kibibytes: &u64) -> f64 {
    *kibibytes as f64 / 1024.0
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn gate(name: &str, value: f64, limit: f64) -> bool {
    let held = value <= limit;
    println!("{name:<58} {value:>9.2}   limit {limit:<8.2} {}", if held { "ok" } else { "FAILED" });
    held
}
