//! Actions, packages and their results.

use super::render;
use crate::clock;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, cache, get};
use serde_json::{Value, json};

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
    result(call, "result_infos", false)
}

fn result_data(call: &Call<'_>) -> Answer {
    result(call, "result_sets", true)
}

/// Counted: one row per status, with `<action id>:<status>.` in the first column.
fn result(call: &Call<'_>, key: &str, with_rows: bool) -> Answer {
    let run = call.state.actions.run(call.id(0)).filter(|run| sees(call, run.user)).ok_or_else(no_action)?;
    let results = run.results(&call.state);
    let statuses = [
        ("Completed", results.completed),
        ("Failed", results.failed),
        ("Expired", results.expired),
        ("Running", results.running),
        ("Waiting", results.waiting),
        ("Downloading", results.downloading),
    ];
    let rows: Vec<Value> = statuses
        .iter()
        .filter(|(_, count)| *count > 0)
        .zip(1..)
        .map(|((name, count), id)| {
            let text = format!("{}:{name}.", run.id);
            json!({"id": id, "cid": 0, "data": [[{"text": text}], [{"text": count.to_string()}]]})
        })
        .collect();
    let tested: u64 = statuses.iter().map(|(_, count)| count).sum();
    let mut set = json!({
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
        "row_count": rows.len(),
        "row_count_machines": tested,
        "saved_question_id": 20_000 + run.id,
        "seconds_since_issued": call.now.duration_since(run.start).as_secs(),
        "select_count": 1,
        "tested": tested,
    });
    if with_rows {
        set["columns"] = json!([
            {"hash": 1_792_443_391, "name": "Action Statuses", "type": 1},
            {"hash": 0, "name": "Count", "type": 3},
        ]);
        set["filtered_row_count"] = rows.len().into();
        set["filtered_row_count_machines"] = tested.into();
        set["item_count"] = rows.len().into();
        set["rows"] = rows.into();
    }
    Ok(Reply::data(json!({"max_available_age": "", "now": clock::result_time(call.now), key: [set]})))
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
