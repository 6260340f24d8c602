//! What endpoints answer: conditions, cells, and the tally that the server makes of them.

use super::grammar::{Condition, Question, SensorUse};
use super::sensors::Row;
use crate::areas::fleet::Endpoint;
use crate::state::State;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A sensor that gave no row.
pub(crate) const NO_RESULTS: &str = "[no results]";
/// A client that has not finished its sensor yet.
pub(crate) const UNAVAILABLE: &str = "[current result unavailable]";
/// A client whose sensor failed.
pub(crate) const SENSOR_ERROR: &str = "TSE-Error: Failed to send to sensor child process: timed out";

/// The counted answer of all endpoints.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Endpoints that were asked.
    pub(crate) tested: u64,
    /// Endpoints that fulfil the condition.
    pub(crate) passed: u64,
    pub(crate) errors: u64,
    pub(crate) no_results: u64,
    /// The cells of a row as JSON, and how often the row occurs. Empty where rows are given machine by machine.
    pub(crate) rows: BTreeMap<String, u64>,
}

/// Are rows given machine by machine? The server forces it on request, and a column of names makes every row unique.
pub(crate) fn by_machine(question: &Question) -> bool {
    let unique = |used: &SensorUse| matches!(used.sensor.name, "Computer Name" | "Computer ID");
    question.force_computer_id || question.selects.iter().any(unique)
}

/// Asks every endpoint.
pub(crate) fn tally(state: &State, question: &Question, most_recent: bool) -> Tally {
    let mut tally = Tally::default();
    let counted = !by_machine(question);
    for endpoint in state.fleet.all().filter(|endpoint| endpoint.online || most_recent) {
        tally.tested += 1;
        if !holds(state, &question.condition, &endpoint) {
            continue;
        }
        tally.passed += 1;
        let answers = answers(state, question, &endpoint);
        let first = answers.first().and_then(|rows| rows.first()).and_then(|row| row.first());
        tally.errors += u64::from(first.is_some_and(|cell| cell.starts_with("TSE-Error")));
        tally.no_results += u64::from(first.is_some_and(|cell| cell == NO_RESULTS));
        if counted {
            count(&mut tally.rows, &answers);
        }
    }
    tally
}

/// One sensor: every row of an endpoint counts for itself. Several: the endpoint's rows stay together.
fn count(rows: &mut BTreeMap<String, u64>, answers: &[Vec<Row>]) {
    let mut add = |key: String| match rows.get_mut(&key) {
        Some(count) => *count += 1,
        None => {
            rows.insert(key, 1);
        }
    };
    match answers {
        [single] => single.iter().for_each(|row| add(cells(&[std::slice::from_ref(row)]))),
        several => add(cells(&several.iter().map(Vec::as_slice).collect::<Vec<_>>())),
    }
}

/// The cells of a row, without the outer brackets: column by column, each with its values.
pub(crate) fn cells(answers: &[&[Row]]) -> String {
    let mut out = String::new();
    for rows in answers {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        for column in 0..columns {
            if !out.is_empty() {
                out.push(',');
            }
            out.push('[');
            for (at, row) in rows.iter().enumerate() {
                let text = row.get(column).map_or("", |cell| cell.as_ref());
                out.push_str(if at == 0 { "{\"text\":" } else { ",{\"text\":" });
                write_json(&mut out, text);
                out.push('}');
            }
            out.push(']');
        }
    }
    out
}

fn write_json(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

/// The rows of each selected sensor.
pub(crate) fn answers(state: &State, question: &Question, endpoint: &Endpoint) -> Vec<Vec<Row>> {
    question.selects.iter().map(|used| answer(state, used, endpoint)).collect()
}

fn answer(state: &State, used: &SensorUse, endpoint: &Endpoint) -> Vec<Row> {
    let same = |text: &'static str| vec![vec![Cow::Borrowed(text); used.sensor.columns.len()]];
    if !used.sensor.built_in
        && let Some(text) = special(state, endpoint)
    {
        return same(text);
    }
    let mut rows = (used.sensor.value)(state, endpoint, &used.params);
    if let Some(filter) = &used.filter {
        rows.retain(|row| filter.holds(&row.join("|")));
    }
    if rows.is_empty() { same(NO_RESULTS) } else { rows }
}

/// A few clients never answer properly.
fn special(state: &State, endpoint: &Endpoint) -> Option<&'static str> {
    let every = state.setup.special_cells_every;
    if every == 0 || endpoint.index % every != every / 2 {
        return None;
    }
    Some(if (endpoint.index / every).is_multiple_of(2) { UNAVAILABLE } else { SENSOR_ERROR })
}

/// Does an endpoint fulfil a condition?
pub(crate) fn holds(state: &State, condition: &Condition, endpoint: &Endpoint) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Never => false,
        Condition::Not(inner) => !holds(state, inner, endpoint),
        Condition::All(parts) => parts.iter().all(|part| holds(state, part, endpoint)),
        Condition::Any(parts) => parts.iter().any(|part| holds(state, part, endpoint)),
        Condition::Sensor { used, all } => {
            let Some(filter) = &used.filter else { return false };
            let mut rows = (used.sensor.value)(state, endpoint, &used.params);
            if rows.is_empty() {
                rows.push(vec![Cow::Borrowed(NO_RESULTS)]);
            }
            let fits = |row: &Row| filter.holds(&row.join("|"));
            if *all { rows.iter().all(fits) } else { rows.iter().any(fits) }
        }
    }
}
