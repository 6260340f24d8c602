//! `endpoints`: filtered by group, time or field, with readings of any sensor of the lab.

use super::execute::Wanted;
use super::resolve::Resolver;
use crate::areas::fleet::{Endpoint, Os};
use crate::areas::questions::evaluate;
use crate::areas::questions::grammar::{Condition, Question, SensorUse};
use crate::areas::questions::sensors;
use crate::clock::{days, iso};
use crate::state::State;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A filter that was understood.
enum Filter {
    Member(Condition),
    Field { path: String, operator: String, value: String },
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
}

/// Only the endpoints of the page are made; the others are counted. The Tanium Server (`ts`) is answered by endpoints
/// that are online, the data service (`tds`, the default) by all.
pub(super) fn resolve(resolver: &Resolver<'_, '_>, field: &Wanted) -> Result<Value, String> {
    let state = &resolver.call.state;
    let live = field.argument("source").get("ts").is_some_and(|source| !source.is_null());
    let filter = match field.argument("filter") {
        Value::Null => None,
        filter => Some(read(state, filter)?),
    };
    let asked = |endpoint: &Endpoint| !live || endpoint.online;
    let fits =
        |endpoint: &Endpoint| asked(endpoint) && filter.as_ref().is_none_or(|f| passes(state, f, endpoint));
    let all = match &filter {
        None if !live => usize::try_from(state.fleet.count).unwrap_or(usize::MAX),
        _ => state.fleet.all().filter(fits).count(),
    };
    let expected = if live { state.fleet.totals().online } else { state.fleet.count };
    let page = resolver.range(field, all)?;
    let readings = readings(field)?;
    let shown = state.fleet.all().filter(fits).skip(page.start).take(page.end - page.start);
    let edges: Vec<Value> = shown
        .zip(page.start..)
        .map(|(endpoint, at)| json!({"cursor": resolver.cursor(at), "node": node(state, &endpoint, &readings)}))
        .collect();
    Ok(json!({
        "edges": edges,
        "pageInfo": resolver.page_info(&page, all),
        "totalRecords": all,
        "collectionInfo": {
            "active": false,
            "contributedTotal": all,
            "expectedTotal": expected,
            "respondedPercentage": if expected == 0 { Value::Null } else { json!(100.0) },
            "respondedTotal": expected,
            "startCursor": resolver.cursor(0),
            "success": true,
        },
    }))
}

fn node(state: &State, endpoint: &Endpoint, readings: &[SensorUse]) -> Value {
    let now = state.now;
    let (platform, name) = match endpoint.os {
        Os::Windows => ("Windows", "Windows 10 Enterprise"),
        Os::Linux => ("Linux", "CentOS Linux release 7.3.1611 (Core)"),
        Os::Mac => ("Mac", "macOS 13"),
    };
    json!({
        "computerID": endpoint.computer_id.to_string(),
        "domainName": "lab.example",
        "eidFirstSeen": iso(first_seen(endpoint, now)),
        "eidLastSeen": iso(last_seen(endpoint, now)),
        "id": endpoint.eid().to_string(),
        "ipAddress": endpoint.address(),
        "isVirtual": endpoint.is_virtual(),
        "name": endpoint.name(),
        "os": {"generation": name, "language": "English", "name": name, "platform": platform},
        "sensorReadings": {"columns": columns(state, endpoint, readings)},
    })
}

fn first_seen(endpoint: &Endpoint, now: Timestamp) -> Timestamp {
    now - days(endpoint.first_seen_days_ago)
}

fn last_seen(endpoint: &Endpoint, now: Timestamp) -> Timestamp {
    now - SignedDuration::from_secs(endpoint.registered_seconds_ago)
}

/// The sensors whose readings are selected on the nodes of the page. The same selection holds for every node.
fn readings(field: &Wanted) -> Result<Vec<SensorUse>, String> {
    let inside = |all: &[Wanted], name: &str| -> Vec<Wanted> {
        all.iter().filter(|wanted| wanted.name == name).cloned().collect()
    };
    let nodes = inside(&field.inside, "edges")
        .iter()
        .flat_map(|edge| inside(&edge.inside, "node"))
        .collect::<Vec<_>>();
    let selected = nodes.iter().flat_map(|node| inside(&node.inside, "sensorReadings")).collect::<Vec<_>>();
    let mut all = Vec::new();
    for sensor in selected.iter().filter_map(|wanted| wanted.argument("sensors").as_array()).flatten() {
        let name = sensor["name"].as_str().unwrap_or_default();
        let found =
            sensors::named(name).ok_or_else(|| format!("{name:?} must refer to an existing sensor"))?;
        let params = sensor["params"].as_array();
        let params = params.map(|params| {
            params.iter().filter_map(|param| param["value"].as_str()).map(str::to_owned).collect()
        });
        all.push(SensorUse { sensor: found, params: params.unwrap_or_default(), filter: None });
    }
    Ok(all)
}

fn columns(state: &State, endpoint: &Endpoint, readings: &[SensorUse]) -> Vec<Value> {
    let question =
        Question { selects: readings.to_vec(), condition: Condition::Always, force_computer_id: true };
    let answers = evaluate::answers(state, &question, endpoint);
    let mut all = Vec::new();
    for (used, rows) in readings.iter().zip(answers) {
        for (at, (name, _)) in used.sensor.columns.iter().enumerate() {
            let values: Vec<&str> = rows.iter().filter_map(|row| row.get(at)).map(AsRef::as_ref).collect();
            all.push(json!({"name": name, "values": values, "sensor": {"name": used.sensor.name}}));
        }
    }
    all
}

fn read(state: &State, filter: &Value) -> Result<Filter, String> {
    let inner = if let Some(filters) = filter["filters"].as_array() {
        let parts = filters.iter().map(|part| read(state, part)).collect::<Result<Vec<_>, _>>()?;
        if filter["any"] == Value::Bool(true) { Filter::Any(parts) } else { Filter::All(parts) }
    } else if !filter["memberOf"].is_null() {
        Filter::Member(member(state, &filter["memberOf"])?)
    } else {
        let path = filter["path"].as_str().ok_or("the filter needs a path, a group or filters")?;
        if !FIELDS.contains(&path) {
            return Err(format!("the filter path {path:?} does not resolve to a field"));
        }
        let operator = filter["op"].as_str().unwrap_or("EQ").to_owned();
        Filter::Field {
            path: path.to_owned(),
            operator,
            value: filter["value"].as_str().unwrap_or_default().to_owned(),
        }
    };
    Ok(if filter["negated"] == Value::Bool(true) { Filter::Not(Box::new(inner)) } else { inner })
}

/// Groups are named by id, as text or number, or by name.
fn member(state: &State, group: &Value) -> Result<Condition, String> {
    let id = group["id"].as_u64().or_else(|| group["id"].as_str().and_then(|id| id.parse().ok()));
    let found = id.and_then(|id| state.groups.by_id(id));
    let found = found.or_else(|| group["name"].as_str().and_then(|name| state.groups.by_name(name)));
    found
        .map(crate::areas::groups::Group::condition)
        .ok_or_else(|| "memberOf must refer to an existing computer group".to_owned())
}

/// The fields that can be filtered.
const FIELDS: &[&str] =
    &["id", "name", "computerID", "eidFirstSeen", "eidLastSeen", "ipAddress", "isVirtual", "os.platform"];

fn passes(state: &State, filter: &Filter, endpoint: &Endpoint) -> bool {
    match filter {
        Filter::Member(condition) => evaluate::holds(state, condition, endpoint),
        Filter::All(parts) => parts.iter().all(|part| passes(state, part, endpoint)),
        Filter::Any(parts) => parts.iter().any(|part| passes(state, part, endpoint)),
        Filter::Not(inner) => !passes(state, inner, endpoint),
        Filter::Field { path, operator, value } => {
            let (found, order) = match path.as_str() {
                "eidFirstSeen" => time(first_seen(endpoint, state.now), value),
                "eidLastSeen" => time(last_seen(endpoint, state.now), value),
                "id" => text(endpoint.eid().to_string(), value),
                "computerID" => text(endpoint.computer_id.to_string(), value),
                "ipAddress" => text(endpoint.address(), value),
                "isVirtual" => text(endpoint.is_virtual().to_string(), value),
                "os.platform" => text(format!("{:?}", endpoint.os), value),
                _ => text(endpoint.name(), value),
            };
            match (operator.as_str(), order) {
                ("CONTAINS", _) => found.to_lowercase().contains(&value.to_lowercase()),
                ("STARTS_WITH", _) => found.to_lowercase().starts_with(&value.to_lowercase()),
                ("ENDS_WITH", _) => found.to_lowercase().ends_with(&value.to_lowercase()),
                ("MATCHES", _) => regex::Regex::new(value).is_ok_and(|pattern| pattern.is_match(&found)),
                (_, None) => false,
                ("GT", Some(order)) => order.is_gt(),
                ("GTE", Some(order)) => order.is_ge(),
                ("LT", Some(order)) => order.is_lt(),
                ("LTE", Some(order)) => order.is_le(),
                (_, Some(order)) => order.is_eq(),
            }
        }
    }
}

type Compared = (String, Option<std::cmp::Ordering>);

fn time(found: Timestamp, value: &str) -> Compared {
    (iso(found), value.parse::<Timestamp>().ok().map(|wanted| found.cmp(&wanted)))
}

fn text(found: String, value: &str) -> Compared {
    let order = match (found.parse::<u64>(), value.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => found.to_lowercase().cmp(&value.to_lowercase()),
    };
    (found, Some(order))
}
