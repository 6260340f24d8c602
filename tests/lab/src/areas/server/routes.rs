//! Routes about the servers. The documents name no privilege for most of them, so any session may read these.

use super::{Machine, Schedule, Setting, info, metrics, peers};
use crate::areas::people::user_reference;
use crate::clock::{NEVER, iso};
use crate::state::State;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, cache, get};
use serde_json::{Value, json};

pub(super) fn routes() -> Vec<Route> {
    let mut all = peers::routes();
    all.extend([
        get("/api/v2/server_info", Need::Session, server_info),
        get("/api/v2/server_health", Need::Session, server_health),
        get("/api/v2/server_host", Need::Session, server_host),
        // The document demands the Content Administrator role or this permission.
        get("/api/v2/solutions", Need::Privilege("import signed content"), solutions),
        get("/api/v2/license", Need::Session, license),
        get("/api/v2/plugin_schedules", Need::Privilege("read plugin"), plugin_schedules),
        get("/api/v2/system_settings", Need::Privilege("read global settings"), system_settings),
        get(
            "/api/v2/system_settings/by-name/{name}",
            Need::Privilege("read global settings"),
            system_setting,
        ),
        get("/metrics", Need::Session, prometheus),
    ]);
    all
}

fn server_info(call: &Call<'_>) -> Answer {
    Ok(Reply::data(json!({ "Diagnostics": info::diagnostics(&call.state, call.now) })))
}

/// Arrays of servers, as in the document's example; its schema declares single objects.
fn server_health(call: &Call<'_>) -> Answer {
    let server = &call.state.server;
    let all = |machines: &[Machine]| machines.iter().map(machine).collect::<Vec<_>>();
    Ok(Reply::data(json!({"servers": {
        "tanium_servers": all(&server.tanium_servers),
        "module_servers": all(&server.module_servers),
        "zone_servers": all(&server.zone_servers),
    }})))
}

fn machine(machine: &Machine) -> Value {
    json!({
        "name": machine.name,
        "capacity": machine.capacity,
        "available": machine.available,
        "timestamp": iso(machine.reported),
    })
}

/// `guid` is text: it does not fit a signed 64-bit number.
fn server_host(call: &Call<'_>) -> Answer {
    let servers: Vec<Value> = call
        .state
        .server
        .tanium_servers
        .iter()
        .zip(1u64..)
        .map(|(machine, id)| {
            json!({
                "address": format!("10.0.0.{id}"),
                "current": id == 1,
                "guid": (16_400_095_971_905_400_526 + id).to_string(),
                "heart_beat": iso(if id == 1 { machine.reported } else { call.state.server.peers.heart_beat }),
                "id": id,
                "name": format!("{}:17472", machine.name),
            })
        })
        .collect();
    Ok(Reply::data(json!({"heart_beat_age_in_minute": 0, "servers": servers})))
}

fn solutions(call: &Call<'_>) -> Answer {
    let all: Vec<Value> = call
        .state
        .server
        .solutions
        .iter()
        .zip(1..)
        .map(|(solution, id)| {
            json!({
                "category": solution.category,
                "delete_xml_url": "",
                "deleted_flag": 0,
                "description": "",
                "dup_resolve_type": 2,
                "id": id,
                "imported_by": "Administrator",
                "imported_version": solution.version,
                "installed_xml_url": "",
                "last_update": iso(solution.imported),
                "name": solution.name,
                "signature": "",
                "solution_id": solution.id,
            })
        })
        .collect();
    Ok(Reply::data(all))
}

fn license(call: &Call<'_>) -> Answer {
    let license = &call.state.server.license;
    let date = |time: jiff::Timestamp| time.strftime("%Y-%m-%d").to_string();
    let solutions: Vec<Value> = license
        .solutions
        .iter()
        .map(|licensed| {
            let mut value = json!({"name": licensed.name, "match": licensed.matches});
            if let (Some(seats), Some(expires)) = (licensed.seats, licensed.expires) {
                value["seats"] = seats.into();
                value["start"] = date(expires - crate::clock::days(license.days)).into();
                value["expire"] = date(expires).into();
            }
            value
        })
        .collect();
    let names: Vec<String> = license.solutions.iter().map(|licensed| licensed.name.to_lowercase()).collect();
    Ok(Reply::data(json!({
        "license_file": "",
        "licensed_features": {
            "allow_unsigned_import": false,
            "appliance": {"type": "Virtual"},
            "customer": {"country": "", "days": license.days, "name": "Tanium lab", "seat_count": license.seats, "servers": ""},
            "data_sharing": true,
            "id": 1,
            "infrastructure": "Virtual",
            "licensed_features": names.join(","),
            "licensed_solutions": solutions,
        },
    })))
}

fn plugin_schedules(call: &Call<'_>) -> Answer {
    let all: Vec<Value> =
        call.state.server.schedules.iter().map(|schedule| schedule_json(&call.state, schedule)).collect();
    Ok(Reply::data(all))
}

fn schedule_json(state: &State, schedule: &Schedule) -> Value {
    json!({
        "arguments": [],
        "deleted_flag": false,
        "enabled": schedule.enabled,
        "id": schedule.id,
        "input": "",
        "last_exit_code": schedule.exit_code,
        "last_run_text": schedule.text,
        "last_run_time": schedule.last_run.map_or_else(|| "Never".to_owned(), iso),
        "mod_user": user_reference(&state.people, schedule.owner),
        "modification_time": iso(state.server.started),
        "name": schedule.name,
        "plugin_bundle": "products",
        "plugin_name": schedule.plugin,
        "plugin_server": "",
        "run_interval_seconds": schedule.every_seconds,
        "user": {"id": schedule.owner},
    })
}

fn system_settings(call: &Call<'_>) -> Answer {
    cache::list(call, |state| {
        state.server.settings.iter().zip(1..).map(|(setting, id)| setting_json(setting, id)).collect()
    })
}

fn system_setting(call: &Call<'_>) -> Answer {
    let name = call.param(0);
    let mut all = call.state.server.settings.iter().zip(1..);
    let found = all.find(|(setting, _)| setting.name == name);
    let none =
        || Refusal::not_found("SystemSettingNotFound", "No system setting matches the specified name.");
    found.map(|(setting, id)| Reply::data(setting_json(setting, id))).ok_or_else(none)
}

fn setting_json(setting: &Setting, id: u64) -> Value {
    let modified = setting.modified.map_or_else(|| NEVER.to_owned(), iso);
    let mut value = json!({
        "audit_data": {"creation_time": NEVER, "last_modified_by": "", "modification_time": modified},
        "created_persona": {"id": 0},
        "created_time": NEVER,
        "created_user": {"id": 0},
        "hidden_flag": false,
        "id": id,
        "modified_persona": {"id": 0},
        "modified_time": modified,
        "modified_user": {"id": 0},
        "name": setting.name,
        "read_only_flag": false,
        "setting_type": if setting.client { "Client" } else { "Server" },
        "value": setting.value,
        "value_type": if setting.value.is_string() { "Text" } else { "Numeric" },
    });
    if let Some(default) = &setting.default {
        value["default_value"] = default.clone();
    }
    value
}

fn prometheus(call: &Call<'_>) -> Answer {
    Ok(Reply::text("text/plain; version=0.0.4; charset=utf-8", metrics::text(&call.state, call.now)))
}
