//! The diagnostics of `server_info`: the sections that a health check reads, with the keys of the vendor's example.

use super::{MODULE_SERVER, Solution};
use crate::areas::fleet::counters;
use crate::clock::{diagnostics_time, iso_plain};
use crate::state::State;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(super) fn diagnostics(state: &State, now: Timestamp) -> Value {
    let totals = state.fleet.totals();
    let connections = state.bandwidth.connections.unwrap_or(totals.leaders);
    json!({
        "API_Lockout": {
            "Total_Locked_IP_Count": state.server.locked_addresses,
            "Total_Locked_User_Count": state.server.locked_users,
        },
        "Active_Question_Cache": {
            "Active_Client_Estimate": totals.online,
            "Active_Question_Estimate": 42,
        },
        "Authenticator": {"ActiveSessions": 4, "MaxAllowedSessions": 0, "MaxAllowedSessionsPerUser": 0, "TotalSessions": 4},
        "Client_Bandwidth": {
            "Download_Send": "0.00 Mbps", "Leader_Send": "0.00 Mbps", "Overall_Send": "0.12 Mbps",
            "Sensor_Send": "0.00 Mbps",
        },
        "Client_Connections": {
            "Download_Connection_Count": 0,
            "Download_Connection_Limit": 1000,
            "Leader_Connection_Count": connections,
            "Overall_Connection_Count": connections,
            "Overall_Connection_Limit": 200_000,
            "Registration_Connection_Count": 0,
            "Registration_Connection_Limit": 0,
            "Sensor_Connection_Count": 0,
            "Sensor_Connection_Limit": 10,
        },
        "Client_Settings": client_settings(state),
        "DB_Connection_Pool_Primary": {
            "ActiveConnections": 2, "MaxActiveConnectionCount": 16384, "TotalConnections": 29
        },
        "Download_Request_Handler": {
            "Last_Correlated_Downloads_Count": 0,
            "Last_Download_Queue_Size": 0,
            "Last_Triggered_Downloads_Count": 0,
        },
        "General": general(state, now),
        "HubZoneServer_Summary": {"Hub_Count": 1, "ZoneServer_Count": state.server.zone_servers.len()},
        "Installed_Solutions": keyed(state.server.solutions.iter().map(|s| (s.name, solution(s)))),
        "Installed_Workbenches": keyed(state.server.solutions.iter().filter_map(|s| Some((s.workbench?, workbench(state, s))))),
        "Memory_Info": {"PeakWorkingSetSize": "6.24 GB", "WorkingSetSize": "5.72 GB"},
        "Module_Cache": module_cache(state),
        "Package_Cache": {
            "Package_Count": state.actions.packages.len(),
            "Package_File_Count": state.actions.packages.iter().map(|package| package.files.len()).sum::<usize>(),
        },
        "Question_History": {"History_Limit_Days": 7, "Last_Question_ID": 1_000_000},
        "Settings": {"Client_Count": state.fleet.count.to_string(), "ServerPort": "17472", "ServerSOAPPort": "443",
            "Version": state.server.version, "enable_saml_auth": "0"},
        "System_Status_Cache": system_status_cache(state),
    })
}

/// Sections keyed by name write spaces as underscores.
fn keyed<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Value {
    entries.map(|(name, value)| (name.replace(' ', "_"), value)).collect::<Map<_, _>>().into()
}

fn general(state: &State, now: Timestamp) -> Value {
    let up = now.duration_since(state.server.started).as_mins();
    json!({
        "Database_Time": iso_plain(now),
        "Has_Baton": "true",
        "Server_Cluster_Name": "ts1.lab.example:17472",
        "Server_Start_Time": diagnostics_time(state.server.started),
        "Server_Time": iso_plain(now),
        "Server_Up-Time": format!("{up} minutes"),
    })
}

fn solution(solution: &Solution) -> Value {
    json!({
        "id": solution.id,
        "installed_xml_url": "",
        "last_imported_by": "Administrator",
        "last_updated": iso_plain(solution.imported),
        "name": solution.name,
        "version": solution.version,
    })
}

fn workbench(state: &State, solution: &Solution) -> Value {
    let name = solution.workbench.unwrap_or_default();
    let behind = state.solutions.behind.filter(|(behind, _)| *behind == name);
    json!({
        "last_updated": solution.imported.strftime("%Y-%m-%d_%H-%M-%S-000000").to_string(),
        "name": name,
        "version": behind.map_or(solution.version, |(_, version)| version),
    })
}

fn module_cache(state: &State) -> Value {
    json!({
        format!("{MODULE_SERVER}_Certificate"): state.certificates.of_module_server(),
        format!("{MODULE_SERVER}_Connected"): state.server.module_connected,
        format!("{MODULE_SERVER}_Last_Load_Plugins_Attempt"): state.server.module_loaded,
        format!("{MODULE_SERVER}_Module_Count"): state.server.module_count,
    })
}

/// All values are text here, unlike in the list of settings.
fn client_settings(state: &State) -> Value {
    let client = state.server.settings.iter().filter(|setting| setting.client);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    client.map(|setting| (setting.name.to_owned(), text(&setting.value).into())).collect::<Map<_, _>>().into()
}

fn system_status_cache(state: &State) -> Value {
    let totals = state.fleet.totals();
    let mut value = counters(totals);
    value["System_Count"] = totals.systems.into();
    for (version, count) in &totals.versions {
        value[format!("version_details_{version}")] = format!("count: {count} filtered: {count}").into();
    }
    value
}
