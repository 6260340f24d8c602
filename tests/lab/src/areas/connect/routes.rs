//! The service's routes. Lists are wrapped as `{"data": […]}` and single objects stand bare: the document wraps lists
//! as `{"body": …}` without saying what is inside, while observed answers of the service use `data`.

use super::{BASE, Connection, Run, render};
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};

/// `connect read all` widens the lists from the caller's own connections to all.
const READ: Need = Need::AllOf(&["connect read", "show connect"]);
const READ_ALL: &str = "connect read all";
const SCHEMAS: Need = Need::AllOf(&["connect eventschema read", "show connect"]);

pub(super) fn routes() -> Vec<Route> {
    let mut all = vec![
        get("/plugin/products/connect/v1/connections", READ, connections),
        get("/plugin/products/connect/v1/connections/{id}", READ, connection),
        get("/plugin/products/connect/v1/connections/{id}/runs", READ, runs_of_connection),
        get("/plugin/products/connect/v1/connections/{id}/runs/{connectionrunid}", READ, run),
        get("/plugin/products/connect/v1/connections/{id}/runs/{connectionrunid}/logs", READ, run_logs),
        get(
            "/plugin/products/connect/v1/connections/{id}/runs/{connectionrunid}/download",
            READ,
            run_download,
        ),
        get("/plugin/products/connect/v1/connectionruns", READ, all_runs),
        get("/plugin/products/connect/v1/schedules/jobs", READ, jobs),
        get("/plugin/products/connect/v1/eventschemas", SCHEMAS, event_schemas),
        get("/plugin/products/connect/v1/eventschemas/{name}", SCHEMAS, event_schema),
    ];
    for (list, one) in ELEMENTS {
        all.push(get(list, READ, elements));
        all.push(get(one, READ, element));
    }
    all.extend(EMPTY.iter().map(|list| get(list, READ, elements)));
    all
}

/// Collections of which this deployment uses no element: their lists are there, and empty.
const EMPTY: &[&str] = &[
    "/plugin/products/connect/v1/destinations/databases",
    "/plugin/products/connect/v1/destinations/elasticsearches",
    "/plugin/products/connect/v1/destinations/files",
    "/plugin/products/connect/v1/destinations/sqlservers",
    "/plugin/products/connect/v1/formats/columns",
    "/plugin/products/connect/v1/formats/htmls",
    "/plugin/products/connect/v1/formats/rowfieldseparators",
    "/plugin/products/connect/v1/sources/questionlogs",
    "/plugin/products/connect/v1/sources/serverinformations",
];

/// Collections of elements: the list, and one of it.
const ELEMENTS: &[(&str, &str)] = &[
    ("/plugin/products/connect/v1/sources/events", "/plugin/products/connect/v1/sources/events/{id}"),
    (
        "/plugin/products/connect/v1/sources/savedquestions",
        "/plugin/products/connect/v1/sources/savedquestions/{id}",
    ),
    (
        "/plugin/products/connect/v1/sources/systemstatuses",
        "/plugin/products/connect/v1/sources/systemstatuses/{id}",
    ),
    ("/plugin/products/connect/v1/sources/actionlogs", "/plugin/products/connect/v1/sources/actionlogs/{id}"),
    ("/plugin/products/connect/v1/formats/csvs", "/plugin/products/connect/v1/formats/csvs/{id}"),
    (
        "/plugin/products/connect/v1/formats/stringifies",
        "/plugin/products/connect/v1/formats/stringifies/{id}",
    ),
    ("/plugin/products/connect/v1/destinations/https", "/plugin/products/connect/v1/destinations/https/{id}"),
    (
        "/plugin/products/connect/v1/destinations/sockets",
        "/plugin/products/connect/v1/destinations/sockets/{id}",
    ),
    ("/plugin/products/connect/v1/destinations/smtps", "/plugin/products/connect/v1/destinations/smtps/{id}"),
];

fn visible<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Connection> {
    let all = call.caller.may(READ_ALL);
    call.state
        .connect
        .connections
        .iter()
        .filter(move |connection| all || connection.owner == call.caller.user)
}

/// The service's own words for what is missing are not documented.
fn none(what: &str) -> Refusal {
    Refusal::new(404, format!("{what} not found"))
}

fn found<'a>(call: &'a Call<'_>) -> Result<&'a Connection, Refusal> {
    let id = call.id(0);
    visible(call).find(|connection| connection.id == id).ok_or_else(|| none("connection"))
}

fn found_run<'a>(call: &'a Call<'_>) -> Result<(&'a Connection, &'a Run), Refusal> {
    let connection = found(call)?;
    let id = call.id(1);
    let run = connection.runs.iter().find(|run| run.id == id).ok_or_else(|| none("connection run"))?;
    Ok((connection, run))
}

/// `createdAfter` and `createdBefore`, as documented.
fn within(call: &Call<'_>) -> impl Fn(Timestamp) -> bool + use<> {
    let bound = |name: &str| call.query(name).and_then(|text| text.parse::<Timestamp>().ok());
    let (after, before) = (bound("createdAfter"), bound("createdBefore"));
    move |created| after.is_none_or(|after| created > after) && before.is_none_or(|before| created < before)
}

/// `limit` and `offset`, as documented.
fn page<T>(call: &Call<'_>, rows: impl Iterator<Item = T>) -> Vec<T> {
    let offset = call.query_number("offset").unwrap_or(0);
    rows.skip(offset).take(call.query_number("limit").unwrap_or(usize::MAX)).collect()
}

/// All the documented ways to cut a list: by time, by `nameFilter`, by `orderBy` and `descending`, by page.
fn list(call: &Call<'_>, mut rows: Vec<Value>) -> Answer {
    let within = within(call);
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    rows.retain(|row| time(&row["createdAt"]).is_none_or(&within));
    if let Some(name) = call.query("nameFilter") {
        rows.retain(|row| row["name"].as_str().is_none_or(|text| text.contains(name)));
    }
    if let Some(key) = call.query("orderBy") {
        rows.sort_by_key(|row| {
            row[key].as_f64().map_or_else(|| row[key].to_string(), |n| format!("{n:020.3}"))
        });
        if call.query("descending") == Some("true") {
            rows.reverse();
        }
    }
    Ok(Reply::data(page(call, rows.into_iter())))
}

fn connections(call: &Call<'_>) -> Answer {
    list(call, visible(call).map(render::connection).collect())
}

fn connection(call: &Call<'_>) -> Answer {
    found(call).map(|connection| Reply::json(&render::connection(connection)))
}

fn runs_of_connection(call: &Call<'_>) -> Answer {
    let connection = found(call)?;
    let wanted = call.query("statusFilters");
    let runs =
        connection.runs.iter().filter(|run| wanted.is_none_or(|names| names.contains(run.status.name())));
    list(call, runs.map(|run| render::run(connection, run)).collect())
}

/// Newest first, over all connections that the caller may see. Only the runs of the page are written out.
fn all_runs(call: &Call<'_>) -> Answer {
    let mut all: Vec<(&Connection, &Run)> = visible(call)
        .flat_map(|connection| connection.runs.iter().map(move |run| (connection, run)))
        .collect();
    all.sort_by_key(|(connection, run)| (std::cmp::Reverse(run.started), connection.id));
    let render = |(connection, run): (&Connection, &Run)| render::run(connection, run);
    if call.query("orderBy").is_some() {
        return list(call, all.into_iter().map(render).collect());
    }
    let within = within(call);
    let shown = page(call, all.into_iter().filter(|(_, run)| within(run.started)));
    Ok(Reply::data(shown.into_iter().map(render).collect::<Vec<_>>()))
}

fn run(call: &Call<'_>) -> Answer {
    found_run(call).map(|(connection, run)| Reply::json(&render::run(connection, run)))
}

/// The shape of a line is not documented: the lab writes level, time and message.
fn run_logs(call: &Call<'_>) -> Answer {
    let (connection, run) = found_run(call)?;
    let lines = render::log_lines(connection, run).into_iter();
    let lines = lines.map(|(level, time, text)| json!({"level": level, "time": time, "msg": text}));
    Ok(Reply::data(lines.skip(call.query_number("offset").unwrap_or(0)).collect::<Vec<_>>()))
}

fn run_download(call: &Call<'_>) -> Answer {
    let (connection, run) = found_run(call)?;
    let name = |level| if level >= 50 { "ERROR" } else { "INFO" };
    let lines = render::log_lines(connection, run).into_iter();
    let text: String = lines.map(|(level, time, text)| format!("{time} {} {text}\n", name(level))).collect();
    Ok(Reply::text("text/plain; charset=utf-8", text))
}

/// One job for each enabled connection with a schedule. The fields are the lab's choice: none are documented.
fn jobs(call: &Call<'_>) -> Answer {
    let scheduled =
        visible(call).filter(|connection| connection.enabled && connection.schedule.interval().is_some());
    Ok(Reply::data(scheduled.map(|connection| render::job(connection, &call.state)).collect::<Vec<_>>()))
}

fn event_schemas(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.connect.event_schemas.iter().map(render::event_schema).collect::<Vec<_>>()))
}

fn event_schema(call: &Call<'_>) -> Answer {
    let schema = call.state.connect.event_schemas.iter().find(|(name, _)| *name == call.param(0));
    schema.map(|schema| Reply::json(&render::event_schema(schema))).ok_or_else(|| none("event schema"))
}

/// The kind and name of a collection, out of the request's path.
fn collection<'a>(call: &'a Call<'_>) -> (&'a str, &'a str) {
    let rest = call.path.strip_prefix(BASE).unwrap_or_default();
    let mut parts = rest.trim_start_matches("/v1/").split('/');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn element_of(connection: &Connection, kind: &str, name: &str) -> Option<Value> {
    match kind {
        "sources" if connection.source.kind() == name => Some(render::source(connection)),
        "formats" if connection.format.kind() == name => Some(render::format(connection)),
        "destinations" if connection.destination.kind() == name => Some(render::destination(connection)),
        _ => None,
    }
}

fn elements(call: &Call<'_>) -> Answer {
    let (kind, name) = collection(call);
    list(call, visible(call).filter_map(|connection| element_of(connection, kind, name)).collect())
}

fn element(call: &Call<'_>) -> Answer {
    let (kind, name) = collection(call);
    let element = element_of(found(call)?, kind, name);
    element.map(|element| Reply::json(&element)).ok_or_else(|| none("element"))
}
