//! Every misdeed costs the row of its own check, and nothing else.

use crate::{built, library, sandboxed};
use serde_json::json;
use std::time::Duration;
use tancheck::config::Limits;
use tancheck::worker::{Failure, Worker, describe};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::wire::{Inspection, Judgement};

/// What a check may cost.
enum Cost {
    /// Nothing: it is judged, and one of its notes holds each of these words.
    Nothing(&'static [&'static str]),
    /// Its own row, with this outcome and these words; the worker lives on.
    Row(Outcome, &'static str),
    /// Its own row; the worker is gone.
    Worker(Outcome, &'static str),
}

use Cost::{Nothing, Row, Worker as Dies};
use Outcome::{Crashed, TimedOut};

const TABLE: &[(&str, Cost)] = &[
    ("panic", Row(Crashed, "panicked: boom")),
    ("panic-any", Row(Crashed, "a panic without a message")),
    ("double-panic", Dies(Crashed, "signal 6")),
    ("abort", Dies(Crashed, "signal 6")),
    ("stack", Dies(Crashed, "overflowed its stack")),
    ("thread-stack", Dies(Crashed, "signal 11")),
    ("null-write", Dies(Crashed, "signal ")),
    ("loop", Dies(TimedOut, "no answer within 0.7 s")),
    ("sleep", Dies(TimedOut, "no answer within 0.7 s")),
    ("memory", Dies(Crashed, "more memory than the 192 MiB")),
    ("flood", Nothing(&[])),
    ("escapes", Row(Crashed, "panicked: red")),
    ("exit-0", Dies(Crashed, "exit code 0")),
    ("exit-3", Dies(Crashed, "exit code 3")),
    ("fork", Dies(Crashed, "forbidden system call, clone")),
    ("run", Dies(Crashed, "forbidden system call")),
    ("read-file", Nothing(&["PermissionDenied", "0 variables"])),
    ("descriptors", Nothing(&["[0, 1, 2, 3]"])),
    ("write-file", Dies(Crashed, "forbidden system call, openat for writing")),
    ("socket", Dies(Crashed, "forbidden system call, socket")),
    ("kill", Dies(Crashed, "forbidden system call, kill")),
    ("limits", Nothing(&["-1"])),
    ("close", Dies(Crashed, "closed its connection")),
    ("garbage", Dies(Crashed, "broke the protocol")),
    ("huge", Row(Crashed, "more than the 16777216 that are allowed")),
    ("many", Dies(Crashed, "60000 findings, more than")),
    ("foreign", Dies(Crashed, "\"other.series\", which is not a series of hostile")),
    ("thread", Nothing(&[])),
];

fn limits() -> Limits {
    Limits { worker_memory: 192 << 20, ..Limits::default() }
}

fn inspection(check: &str) -> Inspection {
    serde_json::from_value(json!({
        "check": format!("hostile.{check}"),
        "now": "2026-06-30T12:00:00Z",
        "inputs": {"hostile.rows": {"at": "2026-06-30T12:00:00Z", "body": {"rows": [{"id": 1}, {"id": 2}]}}},
    }))
    .unwrap()
}

async fn start() -> Worker {
    Worker::start(&library(built("tancheck-hostile")), &limits()).await.unwrap()
}

async fn judge(worker: &mut Worker, check: &str) -> Result<Judgement, Failure> {
    let patience = if matches!(check, "loop" | "sleep") { 700 } else { 60_000 };
    worker.inspect(&inspection(check), Duration::from_millis(patience)).await
}

/// The well-behaved check is judged, by this worker or by a new one.
async fn assert_goes_on(worker: &mut Worker, after: &str) {
    if !worker.is_alive() {
        *worker = start().await;
    }
    let judgement =
        judge(worker, "well-behaved").await.unwrap_or_else(|failure| panic!("after {after}: {failure}"));
    assert_eq!(judgement.report.notes, ["2 rows"], "after {after}");
}

#[tokio::test]
async fn every_misdeed_costs_one_row() {
    if !sandboxed("every_misdeed_costs_one_row").await {
        return;
    }
    // What is open here and not closed on exec must not reach a plugin.
    let _leak = rustix::io::dup(std::fs::File::open("/etc/passwd").unwrap()).unwrap();
    let mut worker = start().await;
    for (check, cost) in TABLE {
        let result = judge(&mut worker, check).await;
        match (cost, &result) {
            (Nothing(words), Ok(judgement)) => {
                for word in *words {
                    let told = judgement.report.notes.iter().any(|note| note.contains(word));
                    assert!(told, "{check}: {:?}", judgement.report.notes);
                }
                assert!(worker.is_alive(), "{check}");
            }
            (Row(outcome, words) | Dies(outcome, words), Err(failure)) => {
                assert_eq!(failure.outcome, *outcome, "{check}: {failure}");
                assert!(failure.sentence.contains(words), "{check}: {failure}");
                assert_eq!(worker.is_alive(), matches!(cost, Row(..)), "{check}: {failure}");
            }
            _ => panic!("{check}: {result:?}"),
        }
        assert!(worker.noise().len() <= 4096 && !worker.noise().contains('\x1b'), "{check}");
        assert_goes_on(&mut worker, check).await;
    }
    worker.stop().await;
    assert!(!std::env::temp_dir().join("tancheck-hostile-was-here").exists());
}

#[tokio::test]
async fn every_check_of_the_plugin_is_in_the_table() {
    if !sandboxed("every_check_of_the_plugin_is_in_the_table").await {
        return;
    }
    let described = describe(&library(built("tancheck-hostile")), &limits()).await.unwrap();
    assert!(described.sandbox.is_full(), "{}", described.sandbox);
    for check in &described.manifest.checks {
        let name = check.id.strip_prefix("hostile.").unwrap();
        assert!(name == "well-behaved" || TABLE.iter().any(|(known, _)| *known == name), "{name}");
    }
    assert_eq!(described.manifest.checks.len(), TABLE.len() + 1);
}

#[tokio::test]
async fn a_constructor_runs_inside_the_sandbox() {
    if !sandboxed("a_constructor_runs_inside_the_sandbox").await {
        return;
    }
    let failure = describe(&library(built("tancheck-hostile-constructor")), &limits()).await.unwrap_err();
    assert!(failure.sentence.contains("forbidden system call, socket"), "{failure}");
    assert_eq!(failure.signal, Some(libc::SIGSYS));
    for read in ["read Err", "maps Err"] {
        assert!(failure.noise.contains(&format!("constructor: {read}")), "{}", failure.noise);
    }
}

#[tokio::test]
async fn inputs_beyond_the_memory_of_a_worker_are_not_sent() {
    if !sandboxed("inputs_beyond_the_memory_of_a_worker").await {
        return;
    }
    let mut worker = start().await;
    let mut large = inspection("well-behaved");
    let text = "x".repeat(50 << 20);
    large.settings.insert("text".to_owned(), text.into());
    let failure = worker.inspect(&large, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::NotEvaluated);
    assert!(failure.sentence.contains("raise limits.worker_memory"), "{failure}");
    assert_goes_on(&mut worker, "large inputs").await;
    worker.stop().await;
}

#[tokio::test]
async fn a_request_whose_future_was_dropped_does_not_answer_the_next_one() {
    if !sandboxed("a_request_whose_future_was_dropped").await {
        return;
    }
    let mut worker = start().await;
    // It is dropped long before its own patience ends, however slow the machine is.
    let asleep = inspection("sleep");
    let endless = worker.inspect(&asleep, Duration::from_secs(600));
    let dropped = tokio::time::timeout(Duration::from_millis(50), endless).await;
    assert!(dropped.is_err());
    assert!(!worker.is_alive());
    assert!(judge(&mut worker, "well-behaved").await.is_err());
    worker.stop().await;
}
