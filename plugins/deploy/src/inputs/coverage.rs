//! Coverage and the running process, endpoint by endpoint: of a report, of a question, or of an exported report.

use records::answers::{ASK, NO_RESULTS};
use records::reports::{REPORTS, Report, ResultRow, named, results_of};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;

const COVERAGE_REPORT: &str = "Deploy - Coverage Status Details";
const PROCESS_REPORT: &str = "Deploy - Endpoint Deployment Process Running";
const PAGE: &str = "Modules > Reporting > Reports";

/// The coverage status of each endpoint.
pub(crate) const COVERAGE: Input = Input::new("deploy.coverage", "coverage status of endpoints").sources(&[
    results_of(&[COVERAGE_REPORT]),
    Source::question("Get Deploy - Coverage Status from all machines").needs(ASK),
    Source::export(
        "deploy-coverage.csv",
        PAGE,
        "open the report Deploy - Coverage Status Details and export all of its rows",
        &["Computer Name", "Operating System", "Coverage Status", "Details"],
    ),
]);

/// Whether the process runs, of each endpoint.
pub(crate) const PROCESS: Input =
    Input::new("deploy.process", "whether the Deploy process runs on endpoints").sources(&[
        results_of(&[PROCESS_REPORT]),
        Source::question("Get Deploy - Is Process Running from all machines").needs(ASK),
        Source::export(
            "deploy-process.csv",
            PAGE,
            "open the report Deploy - Endpoint Deployment Process Running and export all of its rows",
            &["Computer Name", "Operating System", "IP Address", "Running"],
        ),
    ]);

/// States of covered endpoints. No public document lists them.
pub(crate) const COVERED_VALUES: Setting = Setting::list("covered_values", &[]).about(
    "coverage statuses that mean that Deploy covers an endpoint, as the report Deploy - Coverage Status Details \
     shows them; no public document lists them",
);

/// How many endpoints are in which state.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Counted {
    /// Endpoints by their state, in lower case.
    states: BTreeMap<String, u64>,
    /// What else stands beside a state, with its endpoints.
    details: BTreeMap<(String, String), u64>,
    /// Answers in which no known state is found, or several are.
    unknown: BTreeSet<String>,
    /// Endpoints that gave no value.
    silent: u64,
}

impl Counted {
    /// Endpoints in one of these states.
    pub(crate) fn of(&self, states: &[&str]) -> u64 {
        let count = |state: &&str| self.states.get(&state.to_lowercase()).copied().unwrap_or_default();
        states.iter().map(count).sum()
    }

    /// All endpoints whose state is known, and those that gave no value.
    pub(crate) fn all(&self) -> u64 {
        self.states.values().sum::<u64>() + self.silent
    }

    /// Refuses a clean result where too few endpoints gave a value.
    pub(crate) fn complete(&self, what: &str) -> Result<(), Undecided> {
        records::answers::complete(what, self.all(), self.silent)
    }

    /// What stands most often beside a state.
    pub(crate) fn details(&self, state: &str) -> String {
        let beside = self.details.iter().filter(|((of, _), _)| of.eq_ignore_ascii_case(state));
        let mut all: Vec<(&str, u64)> = beside.map(|((_, text), count)| (text.as_str(), *count)).collect();
        all.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
        let shown: Vec<String> =
            all.iter().take(5).map(|(text, count)| format!("{text} ({count})")).collect();
        if shown.is_empty() { "no details were read".to_owned() } else { shown.join(", ") }
    }

    /// Reasons not to decide.
    pub(crate) fn reasons(&self, hint: &str) -> Vec<String> {
        self.unknown.iter().map(|value| format!("{value:?} holds no state that is known{hint}")).collect()
    }

    fn add(&mut self, cells: &[String], count: u64, known: &[&str]) {
        let is_known = |cell: &&String| known.iter().any(|state| state.eq_ignore_ascii_case(cell.trim()));
        let found: Vec<&String> = cells.iter().filter(is_known).collect();
        let [state] = found[..] else {
            self.unknown.insert(cells.join(" | "));
            return;
        };
        let key = state.trim().to_lowercase();
        *self.states.entry(key.clone()).or_default() += count;
        let beside: Vec<&str> =
            cells.iter().filter(|cell| *cell != state && !cell.is_empty()).map(String::as_str).collect();
        if !beside.is_empty() {
            *self.details.entry((key, beside.join(" / "))).or_default() += count;
        }
    }
}

/// One row of an exported report.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Exported {
    #[serde(rename = "Coverage Status", alias = "Running", deserialize_with = "lenient::text")]
    state: String,
    #[serde(rename = "Details", alias = "IP Address", deserialize_with = "lenient::text")]
    beside: String,
}

/// The cells of each answer, and how many endpoints gave it.
fn answers(facts: &Facts<'_>, input: &'static Input) -> Result<Vec<(Vec<String>, u64)>, Undecided> {
    if facts.source(input)? == "export" {
        let rows: Vec<Exported> = facts.rows(input)?;
        return Ok(rows.into_iter().map(|row| (vec![row.state, row.beside], 1)).collect());
    }
    let reports: Vec<Report> = facts.rows(&REPORTS)?;
    let name = if input.id() == PROCESS.id() { PROCESS_REPORT } else { COVERAGE_REPORT };
    let columns = named(&reports, name)?.map_or(0, |report| report.columns().count());
    let rows: Vec<ResultRow> = facts.rows(input)?;
    Ok(rows.iter().map(|row| ((0..columns).map(|at| row.cell(at)).collect(), row.count)).collect())
}

/// Whether an endpoint gave no value.
fn is_silent(cells: &[String]) -> bool {
    let silent = ["TSE-Error", "[current result unavailable", NO_RESULTS];
    cells.iter().any(|cell| silent.iter().any(|beginning| cell.starts_with(beginning)))
}

/// Counts endpoints by these states. The columns of reports and sensors are not described, so the state is the one cell
/// of a row that is known.
pub(crate) fn counted(
    facts: &Facts<'_>,
    input: &'static Input,
    known: &[&str],
) -> Result<Counted, Undecided> {
    let mut counted = Counted::default();
    if let Body::Tally(tally) = facts.body(input)? {
        tally.rows.iter().for_each(|row| counted.add(&row.cells, row.count, known));
        counted.silent = records::answers::unusable(tally);
    } else {
        for (cells, count) in answers(facts, input)? {
            if is_silent(&cells) {
                counted.silent += count;
            } else {
                counted.add(&cells, count, known);
            }
        }
    }
    if counted.states.is_empty() && counted.unknown.is_empty() {
        return Err(Undecided::not_evaluated(
            "no endpoint is shown at all: the report may be missing or empty; export it by hand",
        ));
    }
    Ok(counted)
}
