//! Faults and export files: what a deployment in trouble shows.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ask, get, post};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_lab::{Lab, faults};

/// What only the API Gateway shows.
const GATEWAY: &[&str] = &[
    "{ provisionRetirementActions(first: 100) { edges { node { id status } } } }",
    "{ reports(first: 500) { edges { node { id name } } } }",
    "{ discoverInterfaces(first: 100) { edges { node { id isManaged lastSeenTime labels { name } } } } }",
    "{ integrityMonitorMonitors(first: 50) { edges { node { id deploymentStatus computerGroups { totalRecords } } } } }",
];

/// Looks at everything that can be seen from outside, until `enough` says so: the export files, all lists, questions,
/// what only the Gateway shows, results of reports and of actions.
fn look(lab: &Lab, enough: &mut dyn FnMut(String, String) -> bool) -> bool {
    // Most faults show in a file, which costs least.
    let folder = tempfile::tempdir().unwrap();
    lab.write_exports(folder.path()).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        if enough(name, std::fs::read_to_string(file.path()).unwrap()) {
            return true;
        }
    }
    for (name, address) in lab.listeners() {
        if enough(name, common::greeting(address)) {
            return true;
        }
    }
    for (pattern, _) in lab.get_routes().into_iter().filter(|(pattern, _)| !pattern.contains('{')) {
        // The newest runs tell enough, and the month of all runs is long.
        let path = match pattern.rsplit('/').next() {
            Some("connectionruns") => format!("{pattern}?limit=60"),
            Some("assets") => format!("{pattern}?viewId=3&limit=1"),
            _ => pattern.to_owned(),
        };
        let text = get(lab, &path).text;
        if enough(path, text) {
            return true;
        }
    }
    for path in [
        "/plugin/products/patch/v1/deployments/4",
        "/plugin/products/patch/v1/applicability-counts/patch-list/1",
    ] {
        let text = get(lab, path).text;
        if enough(path.to_owned(), text) {
            return true;
        }
    }
    let query = json!({"query": "{ now }"});
    if enough("{ now }".to_owned(), post(lab, "/plugin/products/gateway/graphql", &query).text) {
        return true;
    }
    let sensors = get(lab, "/api/v2/sensors").data();
    let plain = sensors.as_array().unwrap().iter().filter(|sensor| sensor["parameter_definition"] == "");
    let plain = plain.map(|sensor| sensor["name"].as_str().unwrap().to_owned());
    let settings =
        ["LogVerbosityLevel", "ServerNameList"].map(|name| format!("Tanium Client Explicit Setting[{name}]"));
    for sensor in plain.chain(settings) {
        let question = format!("Get {sensor} from all machines");
        let id = ask(lab, &question);
        let set =
            get(lab, &format!("/api/v2/result_data/question/{id}")).data()["result_sets"][0]["rows"].clone();
        if enough(question, set.to_string()) {
            return true;
        }
    }
    let gateway = |query: &str| post(lab, "/plugin/products/gateway/graphql", &json!({ "query": query }));
    for query in GATEWAY {
        if enough((*query).to_owned(), gateway(query).text) {
            return true;
        }
    }
    let reports = gateway(GATEWAY[1]).json()["data"]["reports"]["edges"].clone();
    for report in reports.as_array().unwrap() {
        let id = &report["node"]["id"];
        let query = format!("{{ reportResultData(id: {id}, first: 5, summarize: true) {{ totalRecords }} }}");
        let text = gateway(&query).text;
        if enough(query, text) {
            return true;
        }
    }
    for saved in get(lab, "/api/v2/saved_actions").data().as_array().unwrap() {
        if let Some(id) = saved["last_action"]["id"].as_u64() {
            let path = format!("/api/v2/result_data/action/{id}");
            let text = get(lab, &path).text;
            if enough(path, text) {
                return true;
            }
        }
    }
    false
}

/// Without the numbers of caches, which differ from one request to the next.
fn without_counters(text: &str) -> String {
    let mut parts = text.split("\"cache_id\":");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect::<String>()
}

#[test]
fn every_fault_changes_what_can_be_seen() {
    let lab = Lab::builder().endpoints(60).start().unwrap();
    let mut healthy = BTreeMap::new();
    look(&lab, &mut |name, text| {
        healthy.insert(name, without_counters(&text));
        false
    });
    let differs = || look(&lab, &mut |name, text| healthy.get(&name) != Some(&without_counters(&text)));
    assert!(!differs(), "two looks at a healthy deployment show the same");
    let mut silent = Vec::new();
    for fault in faults::ALL.iter() {
        lab.inject(fault.name).unwrap();
        if !differs() {
            silent.push(fault.name);
        }
        lab.clear_faults();
    }
    assert!(silent.is_empty(), "faults without effect: {silent:?}");
    assert!(!differs(), "a deployment without faults is healthy again");
}

#[test]
fn faults_are_named_once_and_say_what_they_are() {
    let names: BTreeSet<&str> = faults::ALL.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), faults::ALL.len());
    for fault in faults::ALL.iter() {
        assert!(fault.about.len() > 20 && !fault.about.ends_with('.'), "{}", fault.name);
        assert!(fault.breaks.iter().all(|check| check.contains('.')), "{}", fault.name);
    }
    assert!(Lab::builder().fault("haunted").start().unwrap_err().to_string().contains("haunted"));
}

/// Undecidable from outside: the tool records these itself whenever it runs.
const RECORDED: [&str; 2] =
    ["client-management.endpoint-count-recorded", "client-management.leader-percentage-recorded"];

/// The checks that the guide does not name: rows of a table with the plugin and the names of its checks.
fn beyond(path: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let checks = rows.flat_map(|(plugin, rest)| {
        let names = rest.split(" | ").next().unwrap_or_default();
        names.split(", ").map(move |name| format!("{plugin}.{name}"))
    });
    checks.collect()
}

#[test]
fn every_check_of_the_catalogue_has_a_fault() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/requirements/catalogue.csv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let broken: BTreeSet<&str> = faults::ALL.iter().flat_map(|fault| fault.breaks.iter().copied()).collect();
    let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> =
        text.lines().map(fields).filter(|row| row.len() > 3 && row[0].contains('.')).collect();
    let beyond = beyond(&path.with_file_name("beyond-the-guide.md"));
    let others = tancheck_test_support::direct_connect().unwrap_or_default();
    let ids: BTreeSet<&str> = rows
        .iter()
        .map(|row| row[0].as_str())
        .chain(beyond.iter().chain(others.keys()).map(String::as_str))
        .collect();
    let unknown: Vec<&&str> = broken.iter().filter(|id| !ids.contains(**id)).collect();
    assert!(unknown.is_empty(), "faults name checks that do not exist: {unknown:?}");
    let modules = ["connect", "actions", "client-management", "health-check"];
    let decided =
        |row: &&Vec<String>| modules.contains(&row[1].as_str()) && !row.contains(&"attested".to_owned());
    let missing: Vec<&str> = rows
        .iter()
        .filter(decided)
        .map(|row| row[0].as_str())
        .filter(|id| !broken.contains(id) && !RECORDED.contains(id))
        .collect();
    assert!(missing.is_empty(), "checks without a fault: {missing:?}");
}

#[test]
fn a_healthy_deployment_has_nothing_to_find() {
    let lab = Lab::builder().endpoints(1000).start().unwrap();
    let users = common::get_with(&lab, r#"{"include_hidden_flag":1}"#, "/api/v2/users").data();
    let active: BTreeSet<u64> = users
        .as_array()
        .unwrap()
        .iter()
        .filter(|user| user["deleted_flag"] == false && user["locked_out"] == 0)
        .map(|user| user["id"].as_u64().unwrap())
        .collect();
    let connections = get(&lab, "/plugin/products/connect/v1/connections").data();
    for connection in connections.as_array().unwrap() {
        assert!(active.contains(&connection["userId"].as_u64().unwrap()), "{connection}");
        assert_eq!(
            (&connection["enabled"], &connection["lastRunStatus"]),
            (&json!(true), &json!("Finished"))
        );
        assert_eq!(connection["failedRunCount"], 0);
    }
    let saved = get(&lab, "/api/v2/saved_actions").data();
    let saved = saved.as_array().unwrap().split_last().unwrap().1.to_vec();
    let mut kinds = BTreeSet::new();
    for action in &saved {
        assert_eq!(action["status"], 0, "{action}");
        assert_ne!(action["action_group"]["name"], "Default");
        assert!(active.contains(&action["user"]["id"].as_u64().unwrap()));
        let package = &action["package_spec"];
        assert!(kinds.insert((package["source_id"].to_string(), package["parameters"].to_string())));
        let run = get(&lab, &format!("/api/v2/actions/{}", action["last_action"]["id"])).data();
        assert_eq!(run["status"], "Closed");
    }
    let info = get(&lab, "/api/v2/server_info").data()["Diagnostics"].clone();
    let cache = info["Module_Cache"].as_object().unwrap();
    for (key, value) in cache.iter().filter(|(key, _)| !key.ends_with("_Certificate")) {
        assert!(value == "Success" || value.as_u64().is_some_and(|count| count > 0), "{key}: {value}");
    }
    let seats =
        get(&lab, "/api/v2/license").data()["licensed_features"]["customer"]["seat_count"].as_u64().unwrap();
    assert!(seats * 9 > 1000 * 10, "the license leaves room: {seats}");
    assert_eq!(get(&lab, "/api/v2/unregistered_clients").data(), json!([]));
}

#[test]
fn action_results_are_told_machine_by_machine() {
    let lab = Lab::builder().endpoints(1000).fault("client-upgrade-failed").start().unwrap();
    let set = get(&lab, "/api/v2/result_data/action/99001").data()["result_sets"][0].clone();
    let rows = set["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &set["row_count"]), (980, &json!(980)));
    let failed: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row["data"][1][0]["text"] == "99001:Failed.")
        .map(|row| row["data"][0][0]["text"].as_str().unwrap())
        .collect();
    let status = get(&lab, "/api/v2/system_status").data();
    let old: BTreeSet<&str> = status
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["full_version"] == "7.2.314.2962")
        .map(|row| row["host_name"].as_str().unwrap())
        .collect();
    assert_eq!(failed, old, "the endpoints that failed are those that stayed old");
}

#[test]
fn export_files_tell_the_same_as_the_routes() {
    let lab = Lab::builder().endpoints(1000).fault("index-failures").fault("tpan-high").start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    lab.write_exports(folder.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(
        read("client-health-failures.csv"),
        "Domain,Failure,Count\r\nindex,the index database could not be opened,10\r\n"
    );
    assert_eq!(read("client-versions.csv"), "Tanium Client Version,Count\r\n7.4.4.1362,979\r\n");
    assert!(read("client-settings.csv").contains("All Virtual Machines,LogVerbosityLevel,0,100\r\n"));
    assert!(!read("client-settings.csv").contains("Client Containers"));
    assert!(read("tpan-findings.csv").contains("2026-03-02T12:00:00Z,High,"));
    assert_eq!(read("tpan-reports.csv").lines().count(), 7);
    let groups = read("action-groups.csv");
    assert!(groups.contains("Default,No Computers,"), "{groups}");
    let modified = std::fs::metadata(folder.path().join("users.csv")).unwrap().modified().unwrap();
    assert_eq!(modified, std::time::SystemTime::from(lab.now()), "files are as old as the deployment says");
    let saved: Vec<Value> = get(&lab, "/api/v2/saved_actions").data().as_array().unwrap().clone();
    assert_eq!(
        read("scheduled-actions.csv").lines().count(),
        saved.len(),
        "a head line instead of cache_info"
    );
}
