//! Client status: rows are written while they are sent, so that a million of them need no memory.

use super::{Endpoint, Fleet, SERVERS, Totals, Unregistered, ZONE_SERVERS};
use crate::clock;
use crate::state::State;
use crate::wire::cache::Page;
use crate::wire::options::SortField;
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

/// How many rows are made before they are handed to the connection.
const ROWS_PER_PIECE: usize = 512;

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/api/v2/system_status", Need::Privilege("read system status"), system_status),
        // The documents name no privilege for these two.
        get("/api/v2/client_count", Need::Session, client_count),
        get("/api/v2/unregistered_clients", Need::Session, unregistered_clients),
    ]
}

fn client_count(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.fleet.count))
}

fn unregistered_clients(call: &Call<'_>) -> Answer {
    let rows: Vec<Value> =
        call.state.fleet.unregistered.iter().map(|client| unregistered(client, call.state.now)).collect();
    Ok(Reply::data(rows))
}

fn unregistered(client: &Unregistered, now: Timestamp) -> Value {
    json!({
        "host_name": client.name,
        "computer_id": client.computer_id,
        "ipaddress_client": client.address,
        "ipaddress_server": client.address,
        "port_number": 17472,
        "send_state": "",
        "receive_state": "",
        "status": "",
        "protocol_version": 315,
        "full_version": "0.0.0.0",
        "last_registration": clock::iso(now),
        "public_key_valid": false,
        "registered_with_tls": false,
        "registration_error": client.error,
    })
}

/// Client rows, one aggregate, `cache_info`. The aggregate carries `zone_servers`, as newer servers do, and counts
/// all rows of the cache while `filtered` counts those that pass the filters.
fn system_status(call: &Call<'_>) -> Answer {
    let page = call.core.caches.page(call)?;
    let state = Arc::clone(&page.state);
    let chosen = choose(&state, &page);
    let filtered = match &chosen {
        Chosen::All(count) => *count,
        Chosen::Some(indices) => indices.len(),
    };
    let range = page.range(filtered);
    let all = usize::try_from(state.fleet.count).unwrap_or(usize::MAX);
    let info = page.info(range.len(), filtered, all);
    let tail = format!("{},{}]}}", aggregate(&state.fleet, &chosen), info);
    let times = Times::new(state.now);
    Ok(Reply::pieces(Pieces { state, chosen, range, head: Some("{\"data\":["), tail: Some(tail), times }))
}

/// The rows of a cache in their order.
enum Chosen {
    All(usize),
    Some(Vec<u32>),
}

fn choose(state: &State, page: &Page) -> Chosen {
    let filters = &page.options.cache_filters;
    let sort = &page.options.cache_sort_fields;
    if filters.is_empty() && sort.is_empty() {
        return Chosen::All(usize::try_from(state.fleet.count).unwrap_or(usize::MAX));
    }
    let passing = state.fleet.all().filter(|endpoint| {
        filters.iter().all(|filter| filter.passes(&|name| field(endpoint, name, state.now)))
    });
    let mut indices: Vec<u32> =
        passing.map(|endpoint| u32::try_from(endpoint.index).unwrap_or(u32::MAX)).collect();
    for SortField { name, descending } in sort.iter().rev() {
        match name.as_str() {
            "computer_id" => indices.sort_by_key(|index| state.fleet.endpoint(u64::from(*index)).computer_id),
            name => indices.sort_by_cached_key(|index| {
                let endpoint = state.fleet.endpoint(u64::from(*index));
                field(&endpoint, name, state.now).map(|value| value.to_string())
            }),
        }
        if *descending {
            indices.reverse();
        }
    }
    Chosen::Some(indices)
}

/// The fields that the documents list for sorting and filtering.
fn field(endpoint: &Endpoint, name: &str, now: Timestamp) -> Option<Value> {
    Some(match name {
        "host_name" => endpoint.name().into(),
        "computer_id" => endpoint.computer_id.into(),
        "ipaddress_client" => endpoint.address().into(),
        "ipaddress_server" => server_side_address(endpoint).into(),
        "port" | "port_number" => 17472.into(),
        "protocol_version" => 315.into(),
        "full_version" => endpoint.version.as_ref().into(),
        "last_registration" => clock::iso(last_registration(endpoint, now)).into(),
        "send_state" => endpoint.send_state().into(),
        "receive_state" => endpoint.receive_state().into(),
        "status" => endpoint.status().into(),
        "public_key_valid" => endpoint.key_valid.into(),
        "registered_with_tls" => endpoint.tls.into(),
        "registration_error" => "".into(),
        "zone_server" => endpoint.zone_server.map_or("", |at| ZONE_SERVERS[at]).into(),
        _ => return None,
    })
}

pub(crate) fn last_registration(endpoint: &Endpoint, now: Timestamp) -> Timestamp {
    now - SignedDuration::from_secs(endpoint.registered_seconds_ago)
}

/// Behind a Zone Server the Tanium Server sees the client's address as the Zone Server does.
pub(crate) fn server_side_address(endpoint: &Endpoint) -> String {
    match endpoint.zone_server {
        Some(at) => format!("192.0.2.{}", at + 20),
        None => endpoint.address(),
    }
}

/// Registration times as text. Nearly all endpoints registered within the last two minutes, so that few texts serve
/// a million rows.
struct Times {
    now: Timestamp,
    recent: Vec<String>,
}

impl Times {
    fn new(now: Timestamp) -> Self {
        let recent = (0..120).map(|seconds| clock::iso(now - SignedDuration::from_secs(seconds))).collect();
        Self { now, recent }
    }

    fn registration(&self, endpoint: &Endpoint) -> Cow<'_, str> {
        let recent =
            usize::try_from(endpoint.registered_seconds_ago).ok().and_then(|ago| self.recent.get(ago));
        recent.map_or_else(
            || clock::iso(last_registration(endpoint, self.now)).into(),
            |text| text.as_str().into(),
        )
    }
}

fn write_row(out: &mut String, endpoint: &Endpoint, times: &Times) {
    let address = endpoint.address();
    let server_side = endpoint.zone_server.map(|_| server_side_address(endpoint));
    write!(out, "{{\"computer_id\":{},\"full_version\":\"", endpoint.computer_id)
        .expect("a string takes all text");
    let parts = [
        endpoint.version.as_ref(),
        "\",\"host_name\":\"",
        &endpoint.name(),
        "\",\"ipaddress_client\":\"",
        &address,
        "\",\"ipaddress_server\":\"",
        server_side.as_deref().unwrap_or(&address),
        "\",\"last_registration\":\"",
        &times.registration(endpoint),
        "\",\"port_number\":17472,\"protocol_version\":315,\"public_key_valid\":",
        flag(endpoint.key_valid),
        ",\"receive_state\":\"",
        endpoint.receive_state(),
        "\",\"registered_with_tls\":",
        flag(endpoint.tls),
        ",\"registration_error\":\"\",\"send_state\":\"",
        endpoint.send_state(),
        "\",\"status\":\"",
        &endpoint.status(),
        "\"},",
    ];
    parts.iter().for_each(|part| out.push_str(part));
}

fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

struct Pieces {
    state: Arc<State>,
    chosen: Chosen,
    range: Range<usize>,
    head: Option<&'static str>,
    tail: Option<String>,
    times: Times,
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut out = String::from(self.head.take().unwrap_or_default());
        for at in self.range.by_ref().take(ROWS_PER_PIECE) {
            let index = match &self.chosen {
                Chosen::All(_) => u64::try_from(at).unwrap_or(u64::MAX),
                Chosen::Some(indices) => u64::from(indices[at]),
            };
            write_row(&mut out, &self.state.fleet.endpoint(index), &self.times);
        }
        if self.range.is_empty() {
            out.push_str(&self.tail.take().unwrap_or_default());
        }
        (!out.is_empty()).then(|| out.into())
    }
}

/// The counters of the aggregate and of the diagnostics, which carry the same names.
pub(crate) fn counters(totals: &Totals) -> Value {
    let ok = totals.systems - totals.first - totals.last - totals.alone;
    json!({
        "blocked_count": totals.blocked,
        "leader_count": totals.leaders,
        "normal_count": totals.normal,
        "receive_backward_count": totals.last,
        "receive_forward_count": totals.first,
        "receive_none_count": totals.alone,
        "receive_ok_count": ok,
        "registered_with_tls_count": totals.tls,
        "send_backward_count": totals.last,
        "send_forward_count": totals.first,
        "send_none_count": totals.alone,
        "send_ok_count": ok,
        "slowlink_count": totals.slow_link,
    })
}

fn aggregate(fleet: &Fleet, chosen: &Chosen) -> Value {
    let totals = fleet.totals();
    let filtered = |version: &str| match chosen {
        Chosen::All(_) => totals.versions.get(version).copied().unwrap_or_default(),
        Chosen::Some(indices) => {
            let same = indices.iter().filter(|i| fleet.endpoint(u64::from(**i)).version == version);
            u64::try_from(same.count()).unwrap_or(u64::MAX)
        }
    };
    let mut value = counters(totals);
    value["registered_with_errors_count"] = fleet.unregistered.len().into();
    value["versions"] = totals
        .versions
        .iter()
        .map(|(version, count)| json!({"version_string": version, "count": count, "filtered": filtered(version)}))
        .collect();
    value["zone_servers"] = ZONE_SERVERS
        .iter()
        .zip(&totals.zone_servers)
        .map(|(name, count)| json!({"hub_address": SERVERS[0], "zone_server_address": name, "count": count}))
        .collect();
    value
}
