//! Actions, packages and their results.

use super::{Action, Results, render};
use crate::clock;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, cache, get};
use bytes::Bytes;
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;

const ROWS_PER_PIECE: usize = 512;

/// With the second privilege a list holds the caller's own rows only.
const READ: Need = Need::AnyOf(&["read action", "read own action"]);

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/api/v2/action_groups", Need::Privilege("read action group"), action_groups),
        get(
            "/api/v2/action_groups/by-name/{name}",
            Need::Privilege("read action group"),
            action_group_by_name,
        ),
        get("/api/v2/saved_actions", READ, saved_actions),
        get("/api/v2/saved_actions/{id}", READ, saved_action),
        get("/api/v2/actions", READ, actions),
        get("/api/v2/actions/{id}", READ, action),
        get("/api/v2/result_info/action/{id}", READ, result_info),
        get("/api/v2/result_data/action/{id}", READ, result_data),
        get("/api/v2/packages", Need::Privilege("read package"), packages),
        get("/api/v2/packages/{id}", Need::Privilege("read package"), package),
        get("/api/v2/package_files", Need::Privilege("read package"), package_files),
    ]
}

fn sees(call: &Call<'_>, owner: u64) -> bool {
    call.caller.may("read action") || call.caller.user == owner
}

fn no_action() -> Refusal {
    Refusal::not_found("ActionNotFound", "No action matches the specified ID.")
}

fn action_groups(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.actions.groups.iter().map(render::action_group).collect::<Vec<_>>()))
}

fn action_group_by_name(call: &Call<'_>) -> Answer {
    let name = call.param(0);
    let group = call.state.actions.groups.iter().find(|group| group.name.eq_ignore_ascii_case(name));
    let none = || Refusal::not_found("ActionGroupNotFound", "No action group matches the specified name.");
    group.map(|group| Reply::data(render::action_group(group))).ok_or_else(none)
}

fn saved_actions(call: &Call<'_>) -> Answer {
    cache::list(call, |state| {
        let own = state.actions.saved.iter().filter(|saved| sees(call, saved.user));
        own.map(|saved| render::saved_action(state, saved)).collect()
    })
}

fn saved_action(call: &Call<'_>) -> Answer {
    let id = call.id(0);
    let found = call.state.actions.saved.iter().find(|saved| saved.id == id && sees(call, saved.user));
    let none = || Refusal::not_found("SavedActionNotFound", "No saved action matches the specified ID.");
    found.map(|saved| Reply::data(render::saved_action(&call.state, saved))).ok_or_else(none)
}

fn actions(call: &Call<'_>) -> Answer {
    cache::list(call, |state| {
        let own = state.actions.runs.iter().filter(|run| sees(call, run.user));
        own.map(|run| render::action(state, run)).collect()
    })
}

fn action(call: &Call<'_>) -> Answer {
    let found = call.state.actions.run(call.id(0)).filter(|run| sees(call, run.user));
    found.map(|run| Reply::data(render::action(&call.state, run))).ok_or_else(no_action)
}

fn result_info(call: &Call<'_>) -> Answer {
    let run = found_run(call)?;
    let set = counters(call, run);
    Ok(Reply::data(
        json!({"max_available_age": "", "now": clock::result_time(call.now), "result_infos": [set]}),
    ))
}

fn found_run<'a>(call: &'a Call<'_>) -> Result<&'a Action, Refusal> {
    call.state.actions.run(call.id(0)).filter(|run| sees(call, run.user)).ok_or_else(no_action)
}

fn counters(call: &Call<'_>, run: &Action) -> Value {
    let results = run.results(&call.state);
    let tested = results.completed + results.failed + results.expired;
    json!({
        "age": 0,
        "archived_question_id": 0,
        "error_count": 0,
        "estimated_total": call.state.fleet.totals().online,
        "expire_seconds": run.expires.duration_since(run.start).as_secs(),
        "id": 700_000 + run.id,
        "issue_seconds": 0,
        "mr_passed": tested,
        "mr_tested": tested,
        "no_results_count": 0,
        "passed": tested,
        "question_id": 700_000 + run.id,
        "report_count": tested.div_ceil(100),
        "row_count": tested,
        "row_count_machines": tested,
        "saved_question_id": 20_000 + run.id,
        "seconds_since_issued": call.now.duration_since(run.start).as_secs(),
        "select_count": 2,
        "tested": tested,
    })
}

/// The columns of the vendor's example: one row per machine, with `<action id>:<status>.` in the second column.
fn result_data(call: &Call<'_>) -> Answer {
    let run = found_run(call)?;
    let mut set = counters(call, run);
    set["columns"] = json!([
        {"hash": 3_409_330_187u32, "name": "Computer Name", "type": 1},
        {"hash": 1_792_443_391, "name": "Action Statuses", "type": 1},
        {"hash": 0, "name": "Count", "type": 3},
    ]);
    for count in ["filtered_row_count", "filtered_row_count_machines", "item_count"] {
        set[count] = set["row_count"].clone();
    }
    let opening = set.to_string();
    let opening = format!(
        "{{\"data\":{{\"max_available_age\":\"\",\"now\":\"{}\",\"result_sets\":[{},\"rows\":[",
        clock::result_time(call.now),
        opening.trim_end_matches('}'),
    );
    let results = run.results(&call.state);
    let all = usize::try_from(results.completed + results.failed + results.expired).unwrap_or(usize::MAX);
    let range = match call.options.row_count {
        None => 0..all,
        Some(count) => call.options.row_start.min(all)..call.options.row_start.saturating_add(count).min(all),
    };
    let rows = Rows {
        state: Arc::clone(&call.state),
        action: run.id,
        results,
        range,
        index: 0,
        online: 0,
        first: true,
    };
    let rows = rows.map(Bytes::from);
    Ok(Reply::pieces(
        std::iter::once(Bytes::from(opening)).chain(rows).chain(std::iter::once("]}]}}".into())),
    ))
}

/// Rows of an action's results: the first online endpoints failed, the next expired, the others completed.
struct Rows {
    state: Arc<State>,
    action: u64,
    results: Results,
    /// The rows that are still to be written.
    range: Range<usize>,
    index: u64,
    online: usize,
    first: bool,
}

impl Rows {
    fn row(&mut self, at: usize) -> Option<String> {
        while self.index < self.state.fleet.count {
            let endpoint = self.state.fleet.endpoint(self.index);
            self.index += 1;
            if !endpoint.online {
                continue;
            }
            self.online += 1;
            if self.online <= at {
                continue;
            }
            let place = u64::try_from(at).unwrap_or(u64::MAX);
            let status = match place {
                place if place < self.results.failed => "Failed",
                place if place < self.results.failed + self.results.expired => "Expired",
                _ => "Completed",
            };
            let row = json!({"id": endpoint.computer_id, "cid": 0, "data": [
                [{"text": endpoint.name()}], [{"text": format!("{}:{status}.", self.action)}], [{"text": "1"}],
            ]});
            let comma = if std::mem::take(&mut self.first) { "" } else { "," };
            return Some(format!("{comma}{row}"));
        }
        None
    }
}

impl Iterator for Rows {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut piece = String::new();
        for _ in 0..ROWS_PER_PIECE {
            let Some(at) = self.range.next() else { break };
            piece.push_str(&self.row(at).unwrap_or_default());
        }
        (!piece.is_empty()).then_some(piece)
    }
}

fn packages(call: &Call<'_>) -> Answer {
    cache::list(call, |state| state.actions.packages.iter().map(render::package).collect())
}

fn package(call: &Call<'_>) -> Answer {
    let none = || Refusal::not_found("PackageNotFound", "No package matches the specified ID.");
    call.state
        .actions
        .package(call.id(0))
        .map(|package| Reply::data(render::package(package)))
        .ok_or_else(none)
}

fn package_files(call: &Call<'_>) -> Answer {
    let packages = call.state.actions.packages.iter();
    let files = packages
        .flat_map(|package| package.files.iter().map(|file| render::package_file(file, package.modified)));
    Ok(Reply::data(files.collect::<Vec<_>>()))
}
