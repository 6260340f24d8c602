//! `tancheck plan`: every request that a run would make, for which checks, with which privileges; sends nothing.

use super::engine::{Ground, Which};
use super::output::{FAINT, HEADING, Printer};
use super::stop::{OK, Stop};
use super::{Global, text};
use crate::collect::collector::{Collector, Offline};
use crate::collect::plan::PlannedRequest;
use crate::collect::transport::Problem;
use crate::config::Limits;
use crate::run::engine::{Setup, presence_wants, selection};
use crate::run::event::Events;
use crate::run::exit::Policy;
use crate::run::select::Selection;
use crate::run::{interrupt, plan};
use clap::Args;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use tancheck_plugin_api::Outcome;

/// Shows every request that a run would make; sends nothing
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck plan
  tancheck plan --module connect -o json
  tancheck plan --no-questions")]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
}

/// What `plan -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// Checks that are selected.
    checks: u64,
    /// Checks that no request is made for: only people decide about them.
    without_requests: Vec<String>,
    /// Questions among the requests.
    questions: u64,
    /// What is read on this machine, among the requests.
    local: u64,
    /// Privileges that the requests need, or without which lists are cut.
    privileges: Vec<String>,
    /// How long the requests took in earlier runs, in seconds, side by side as far as the limits allow.
    expected_seconds: f64,
    /// Requests that no earlier run made, so that nobody knows how long they take.
    without_expectation: u64,
    /// The requests; a source that is asked only where another fails is not in it.
    requests: Vec<Planned>,
}

/// A request.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Planned {
    /// The request.
    request: String,
    /// The kind of source.
    kind: String,
    /// The inputs it is made for.
    inputs: Vec<String>,
    /// The checks it is made for; empty: to know which modules are there.
    checks: Vec<String>,
    /// Privileges it needs, or without which the list is cut.
    privileges: Vec<String>,
    /// How long it took in earlier runs.
    expected_seconds: Option<f64>,
    /// What it is repeated for.
    repeats: Option<String>,
}

/// Sources that are read on this machine.
const LOCAL: [&str; 3] = ["answer", "export", "history"];

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let ground = super::runtime()?.block_on(Ground::load(&arguments.which, global))?;
    let (_interrupter, interrupt) = interrupt::channel();
    let setup = ground.setup(Policy::default(), interrupt, Events::silent());
    let selection = selection(&setup).map_err(|error| Stop::Usage(error.to_string()))?;
    let document = document(&ground, &setup, &selection);
    printer.document(&document, || shown(&document))?;
    Ok(OK)
}

fn document(ground: &Ground, setup: &Setup<'_>, selection: &Selection<'_>) -> Document {
    let nobody = Offline::because(Problem::new(Outcome::Skipped, "a plan sends nothing"));
    let collector = Collector::new(&ground.config, nobody, ground.local(), ground.now);
    let mut wants = presence_wants(selection);
    wants.extend(plan::wants(&selection.plugins, &setup.config.modules.settings));
    let planned = collector.plan(&wants);
    let readers = readers(selection);
    let requests: Vec<Planned> = planned.iter().map(|request| with_checks(request, &readers)).collect();
    let served: BTreeSet<&String> = requests.iter().flat_map(|request| &request.checks).collect();
    let checks = || selection.plugins.iter().flat_map(|one| &one.checks);
    let mut without_requests: Vec<String> =
        checks().map(|check| check.id.clone()).filter(|id| !served.contains(id)).collect();
    without_requests.sort();
    let privileges: BTreeSet<&String> = planned.iter().flat_map(|request| &request.privileges).collect();
    Document {
        format: 1,
        checks: checks().count() as u64,
        without_requests,
        questions: count(&planned, |kind| kind == "question"),
        local: count(&planned, |kind| LOCAL.contains(&kind)),
        privileges: privileges.into_iter().cloned().collect(),
        expected_seconds: expected(&planned, &ground.config.limits),
        without_expectation: planned
            .iter()
            .filter(|request| request.expected_seconds.is_none() && !LOCAL.contains(&request.kind.as_str()))
            .count() as u64,
        requests,
    }
}

fn count(planned: &[PlannedRequest], fits: impl Fn(&str) -> bool) -> u64 {
    planned.iter().filter(|request| fits(&request.kind)).count() as u64
}

/// Which checks read an input.
fn readers<'a>(selection: &'a Selection<'_>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut readers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for check in selection.plugins.iter().flat_map(|one| &one.checks).filter(|check| check.judged) {
        for input in &check.inputs {
            readers.entry(input).or_default().insert(&check.id);
        }
    }
    readers
}

fn with_checks(request: &PlannedRequest, readers: &BTreeMap<&str, BTreeSet<&str>>) -> Planned {
    let checks: BTreeSet<&str> =
        request.inputs.iter().filter_map(|input| readers.get(input.as_str())).flatten().copied().collect();
    Planned {
        request: request.label.clone(),
        kind: request.kind.clone(),
        inputs: request.inputs.clone(),
        checks: checks.into_iter().map(str::to_owned).collect(),
        privileges: request.privileges.clone(),
        expected_seconds: request.expected_seconds,
        repeats: request.repeats.clone(),
    }
}

/// Questions and other requests run side by side, each sort within its own limit; none is shorter than its longest.
fn expected(planned: &[PlannedRequest], limits: &Limits) -> f64 {
    let lane = |is_question: bool, width: usize| {
        let lane = planned.iter().filter(|request| (request.kind == "question") == is_question);
        let seconds: Vec<f64> = lane.filter_map(|request| request.expected_seconds).collect();
        let longest = seconds.iter().copied().fold(0.0, f64::max);
        (seconds.iter().sum::<f64>() / width.max(1) as f64).max(longest)
    };
    lane(true, limits.questions_in_flight).max(lane(false, limits.calls_in_flight))
}

fn shown(document: &Document) -> String {
    let mut page = String::new();
    let requests = document.requests.len() as u64 - document.local;
    let mut line = format!(
        "{} checks: {requests} requests, {} of them questions; {} inputs are read on this machine",
        document.checks, document.questions, document.local
    );
    if document.expected_seconds > 0.0 {
        write!(line, "; about {:.0} s", document.expected_seconds.ceil()).expect("a string grows");
    }
    if document.without_expectation > 0 {
        write!(line, " ({} requests were never made before)", document.without_expectation)
            .expect("a string grows");
    }
    page.push_str(&text::wrapped(&line, 0));
    for request in &document.requests {
        writeln!(page, "\n{HEADING}{}{HEADING:#}", request.request).expect("a string grows");
        let mut about = vec![format!("{}: {}", request.kind, request.inputs.join(", "))];
        about.extend(request.repeats.clone());
        about.extend(
            (!request.privileges.is_empty()).then(|| format!("needs {}", request.privileges.join(", "))),
        );
        let checks = match request.checks.is_empty() {
            true => "tells what else has to be asked".to_owned(),
            false => format!("for {}", request.checks.join(", ")),
        };
        about.push(checks);
        for line in about {
            page.push_str(&text::wrapped(&line, 2));
        }
    }
    if !document.without_requests.is_empty() {
        writeln!(page, "\n{HEADING}Without a request{HEADING:#}").expect("a string grows");
        page.push_str(&text::wrapped(&document.without_requests.join(", "), 2));
    }
    if !document.privileges.is_empty() {
        writeln!(page, "\n{HEADING}Privileges{HEADING:#}").expect("a string grows");
        page.push_str(&text::wrapped(&document.privileges.join(", "), 2));
    }
    writeln!(page, "\n{FAINT}Nothing was sent.{FAINT:#}").expect("a string grows");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str, seconds: Option<f64>) -> PlannedRequest {
        let text = serde_json::json!({"kind": "rest", "path": "/api/v2/x", "shape": "rows"});
        let source = serde_json::from_value(text).unwrap();
        let mut input = crate::run::engine::fakes::rest("a.x", "/api/v2/x");
        input.sources = vec![source];
        let config = crate::run::engine::fakes::config();
        let want = crate::collect::Want { plugin: "a".to_owned(), input, settings: serde_json::Map::new() };
        let nobody = Offline::because(Problem::new(Outcome::Skipped, "a plan sends nothing"));
        let failed = crate::history::HistoryError::Full { path: "history".to_owned() };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let here = std::sync::Arc::new(crate::history::Here::new(Err(failed), now));
        let mut request = Collector::new(&config, nobody, here, now).plan(&[want]).remove(0);
        kind.clone_into(&mut request.kind);
        request.expected_seconds = seconds;
        request
    }

    #[test]
    fn the_expected_time_is_that_of_the_slower_lane() {
        let limits = Limits { questions_in_flight: 2, calls_in_flight: 4, ..Limits::default() };
        let planned = [
            request("question", Some(3.0)),
            request("question", Some(3.0)),
            request("question", Some(4.0)),
            request("rest", Some(1.0)),
            request("rest", None),
        ];
        assert!((expected(&planned, &limits) - 5.0).abs() < 1e-9);
        assert!((expected(&planned[2..3], &limits) - 4.0).abs() < 1e-9, "no shorter than its longest");
        assert!(expected(&[], &limits).abs() < 1e-9);
    }
}
