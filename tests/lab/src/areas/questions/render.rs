//! Result sets: a head with counters and columns, then rows that are written while they are sent.

use super::evaluate::{self, Tally};
use super::{Asked, Progress};
use crate::clock;
use crate::random;
use crate::wire::Reply;
use bytes::Bytes;
use serde_json::{Value, json};
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

/// Below this share the server does not know yet how many endpoints there are.
const ESTIMATE_KNOWN_FROM: f64 = 0.05;
const ROWS_PER_PIECE: usize = 512;

/// A count as far as the answer has come.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a count of endpoints"
)]
fn so_far(count: u64, progress: Progress) -> u64 {
    if progress.share >= 1.0 { count } else { (count as f64 * progress.share) as u64 }
}

struct Counts {
    tested: u64,
    passed: u64,
    estimated: u64,
    rows: usize,
    machines: u64,
    rows_of: Rows,
}

/// The rows that are there so far.
enum Rows {
    Counted(Vec<(String, u64)>),
    Machines,
}

fn counts(asked: &Asked, progress: Progress) -> Counts {
    let tally: &Tally = asked.tally();
    let known = progress.share >= ESTIMATE_KNOWN_FROM;
    let tested = if known { so_far(tally.tested, progress) } else { 0 };
    let passed = if known { so_far(tally.passed, progress) } else { 0 };
    let (rows_of, rows, machines) = if evaluate::by_machine(&asked.question) {
        (Rows::Machines, usize::try_from(passed).unwrap_or(usize::MAX), passed)
    } else {
        let rows = tally.rows.iter().map(|(cells, count)| (cells.clone(), so_far(*count, progress)));
        let rows: Vec<_> = rows.filter(|(_, count)| known && *count > 0).collect();
        let (len, machines) = (rows.len(), rows.iter().map(|(_, count)| count).sum());
        (Rows::Counted(rows), len, machines)
    };
    Counts { tested, passed, estimated: if known { tally.tested } else { 0 }, rows, machines, rows_of }
}

fn head(asked: &Asked, progress: Progress, counts: &Counts) -> Value {
    let tally = asked.tally();
    json!({
        "age": 0,
        "archived_question_id": 0,
        "error_count": so_far(tally.errors, progress),
        "estimated_total": counts.estimated,
        "expire_seconds": 600,
        "id": asked.id,
        "issue_seconds": 0,
        "mr_passed": counts.passed,
        "mr_tested": counts.tested,
        "no_results_count": so_far(tally.no_results, progress),
        "passed": counts.passed,
        "question_id": asked.id,
        "report_count": counts.tested.div_ceil(100),
        "row_count": counts.rows,
        "row_count_machines": counts.machines,
        "saved_question_id": asked.saved_question,
        "seconds_since_issued": progress.seconds,
        "select_count": asked.question.selects.len(),
        "tested": counts.tested,
    })
}

/// The counters without rows.
pub(super) fn info(asked: &Asked, progress: Progress) -> Reply {
    let counts = counts(asked, progress);
    let mut info = head(asked, progress, &counts);
    info["row_count_flag"] = 0.into();
    Reply::data(json!({
        "max_available_age": "0",
        "now": clock::result_time(asked.state.now),
        "result_infos": [info],
    }))
}

/// Counters, columns and rows.
pub(super) fn data(asked: Arc<Asked>, progress: Progress, start: usize, count: Option<usize>) -> Reply {
    let counts = counts(&asked, progress);
    let mut set = head(&asked, progress, &counts);
    set["cache_id"] = (random::draw(asked.id, "result cache", 0) >> 32).to_string().into();
    set["columns"] = columns(&asked);
    set["expiration"] = 0.into();
    set["filtered_row_count"] = counts.rows.into();
    set["filtered_row_count_machines"] = counts.machines.into();
    set["item_count"] = counts.rows.into();
    let range = match count {
        None => 0..counts.rows,
        Some(count) => start.min(counts.rows)..start.saturating_add(count).min(counts.rows),
    };
    let opening = set.to_string();
    let opening = format!(
        "{{\"data\":{{\"max_available_age\":\"\",\"now\":\"{}\",\"result_sets\":[{},\"rows\":[",
        clock::result_time(asked.state.now),
        opening.trim_end_matches('}'),
    );
    Reply::pieces(Pieces {
        rows: counts.rows_of,
        range,
        opening: Some(opening),
        next: 0,
        passed: 0,
        first: true,
        asked,
    })
}

fn columns(asked: &Asked) -> Value {
    let mut all: Vec<Value> = Vec::new();
    for used in &asked.question.selects {
        for (name, kind) in used.sensor.columns {
            // A sensor with one column names it after the question's text, parameters included.
            let name = if used.sensor.columns.len() == 1 && !used.params.is_empty() {
                format!("{name}[{}]", used.params.join(","))
            } else {
                (*name).to_owned()
            };
            all.push(json!({"hash": used.sensor.hash(), "name": name, "type": kind.number()}));
        }
    }
    if !asked.question.force_computer_id {
        all.push(json!({"hash": 0, "name": "Count", "type": 3}));
    }
    all.into()
}

struct Pieces {
    asked: Arc<Asked>,
    rows: Rows,
    range: Range<usize>,
    opening: Option<String>,
    /// The next endpoint to look at, where rows are given machine by machine.
    next: u64,
    /// How many endpoints have passed the condition so far.
    passed: usize,
    first: bool,
}

impl Pieces {
    fn row(&mut self, out: &mut String, at: usize) {
        if !std::mem::take(&mut self.first) {
            out.push(',');
        }
        match &self.rows {
            Rows::Counted(rows) => {
                let (cells, count) = &rows[at];
                let id = random::hash(cells.as_bytes()) >> 32;
                write!(out, "{{\"id\":{id},\"cid\":0,\"data\":[{cells},[{{\"text\":\"{count}\"}}]]}}")
                    .expect("writing to a string cannot fail");
            }
            Rows::Machines => self.machine(out, at),
        }
    }

    /// Endpoints that fail the condition are passed over; rows before the page are only counted.
    fn machine(&mut self, out: &mut String, at: usize) {
        let asked = Arc::clone(&self.asked);
        while self.next < asked.state.fleet.count {
            let endpoint = asked.state.fleet.endpoint(self.next);
            self.next += 1;
            let answers = endpoint.online || asked.most_recent;
            if !answers || !evaluate::holds(&asked.state, &asked.question.condition, &endpoint) {
                continue;
            }
            self.passed += 1;
            if self.passed <= at {
                continue;
            }
            let rows = evaluate::answers(&asked.state, &asked.question, &endpoint);
            let cells = evaluate::cells(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let id = endpoint.computer_id;
            let written = if asked.question.force_computer_id {
                write!(out, "{{\"id\":{id},\"cid\":{id},\"data\":[{cells}]}}")
            } else {
                write!(out, "{{\"id\":{id},\"cid\":0,\"data\":[{cells},[{{\"text\":\"1\"}}]]}}")
            };
            written.expect("writing to a string cannot fail");
            return;
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut out = self.opening.take().or_else(|| (!self.range.is_empty()).then(String::new))?;
        for _ in 0..ROWS_PER_PIECE {
            let Some(at) = self.range.next() else { break };
            self.row(&mut out, at);
        }
        if self.range.is_empty() {
            out.push_str("]}]}}");
        }
        Some(out.into())
    }
}
