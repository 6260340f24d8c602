//! Ctrl-C and SIGTERM: what is known is reported, a second one ends at once.

use crate::relay::Counter;
use crate::site::{Report, Site, lab};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::Duration;
use tancheck_e2e::Ran;
use tancheck_lab::Behaviour;

const PLUGINS: &[&str] = &["tancheck-actions", "tancheck-connect"];
const SLOW: &str = "/plugin/products/connect/v1/connections";

fn start(site: &Site, more: &[&str]) -> Child {
    site.command(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Waits until the lab was asked for this.
fn wait_for(site: &Site, path: &str, child: &mut Child) {
    while !site.lab.requests().iter().any(|request| request.path == path) {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended without asking {path}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The requests that a stream of events tells of, without those of Connect.
fn answered(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let request = event["request"].as_str().filter(|_| event["event"] == "request")?;
    (!request.contains("/plugin/products/connect/")).then(|| request.to_owned())
}

#[test]
fn the_first_signal_ends_with_a_report_of_what_is_known() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    let whole = site.decent(site.machine.run(&site.arguments_as("ndjson")));
    let all: BTreeSet<String> = whole.stdout.lines().filter_map(answered).collect();
    assert!(all.len() > 3, "{all:?}");
    site.lab.behaviour(SLOW, Behaviour::Held);
    for (signal, name, code) in [(Signal::INT, "SIGINT", 130), (Signal::TERM, "SIGTERM", 143)] {
        let file = site.machine.path("report.json");
        let to_file = format!("json={}", file.display());
        let mut command =
            site.machine.command(&[&site.arguments_as("ndjson")[..], &["-o", &to_file]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut events = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut missing = all.clone();
        while !missing.is_empty() {
            let line =
                events.next().unwrap_or_else(|| panic!("the run ended before {missing:?} were answered"));
            missing.remove(&answered(&line).unwrap_or_default());
        }
        send(&child, signal);
        let last = events.last().unwrap();
        let ran = site.decent(Ran { stdout: last, ..finish(child) }).exits(code);
        assert!(ran.stdout.contains("run-finished"), "{}", ran.stdout);
        assert!(ran.stderr.contains(&format!("{name}: nothing more is asked")), "{}", ran.stderr);
        let report = Report(serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap());
        assert_eq!(report.0["interrupted"], name);
        assert_eq!(report.0["exit"]["code"], code);
        let cost = report.costs(&before, &["interrupted", name]);
        assert!(!cost.is_empty() && cost.iter().all(|id| id.starts_with("connect.")), "{cost:?}");
        assert!(report.told().contains(&format!("ended early by {name}")), "{}", report.told());
        assert_eq!(site.history().last(), Some(&i64::from(code)));
    }
    site.lab.clear_behaviours();
    assert_eq!(site.report(&[], Some(0)).costs(&before, &[]), [""; 0]);
}

#[test]
fn a_signal_during_the_login() {
    let site = Site::new(PLUGINS);
    let validate = "/api/v2/session/validate";
    site.lab.behaviour(validate, Behaviour::Held);
    let mut child = start(&site, &[]);
    wait_for(&site, validate, &mut child);
    send(&child, Signal::INT);
    let report = Report(site.decent(finish(child)).exits(130).json());
    assert_eq!(report.0["decided"], 0);
    assert!(report.told().contains("SIGINT"), "{}", report.told());
}

#[test]
fn the_second_signal_ends_at_once() {
    for (second, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let site = Site::of(lab(), &["tancheck-hostile"], "");
        let more = ["--check", "hostile.sleep", "--set", "limits.check_time=5m"];
        let mut child = start(&site, &more);
        wait_for(&site, "/api/v2/users", &mut child);
        send(&child, Signal::INT);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        while !told.contains("Once more ends at once") {
            assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "{told}");
        }
        send(&child, second);
        stderr.read_to_string(&mut told).unwrap();
        let ran = Ran { stderr: told, ..finish(child) };
        let ran = site.decent(ran).exits(code);
        assert_eq!(ran.stdout, "", "there is no report");
    }
}

#[test]
fn a_deployment_that_says_nothing_can_be_left() {
    let silent = Counter::silent();
    let site = Site::new(PLUGINS);
    let set = format!("deployment.url={}", silent.url);
    let mut child = start(&site, &["--set", &set]);
    while silent.connections() == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "the run ended without asking");
        std::thread::sleep(Duration::from_millis(5));
    }
    send(&child, Signal::TERM);
    let report = Report(site.decent(finish(child)).exits(143).json());
    assert_eq!(report.0["decided"], 0);
}
