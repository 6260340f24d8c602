//! The services of modules and the API Gateway.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{get, post, post_as, try_get};
use serde_json::{Value, json};
use std::time::Duration;
use tancheck_lab::Lab;

const CONNECT: &str = "/plugin/products/connect/v1";

fn lab() -> Lab {
    Lab::builder().endpoints(1000).start().unwrap()
}

fn query(lab: &Lab, text: &str) -> Value {
    let answer = post(lab, "/plugin/products/gateway/graphql", &json!({ "query": text }));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[test]
fn connections_lead_to_their_elements_and_runs() {
    let lab = lab();
    let connections = get(&lab, &format!("{CONNECT}/connections")).data();
    assert_eq!(connections.as_array().unwrap().len(), 5);
    for connection in connections.as_array().unwrap() {
        let id = &connection["id"];
        assert_eq!(get(&lab, &format!("{CONNECT}/connections/{id}")).json(), *connection);
        for stream in connection["streams"].as_array().unwrap() {
            let path = format!("/plugin/products/connect{}", stream.as_str().unwrap());
            assert_eq!(get(&lab, &path).json()["id"], *id, "{path}");
        }
        let runs = get(&lab, &format!("{CONNECT}/connections/{id}/runs?limit=3")).data();
        let newest = &runs[0];
        assert_eq!(newest["createdAt"], connection["lastRunTime"]);
        let log = get(&lab, &format!("{CONNECT}/connections/{id}/runs/{}/logs", newest["id"])).data();
        assert!(log.as_array().unwrap().len() >= 3);
        let text = get(&lab, &format!("{CONNECT}/connections/{id}/runs/{}/download", newest["id"]));
        assert!(text.text.contains("Finished"), "{}", text.text);
    }
}

#[test]
fn runs_are_paged_and_cut_by_time() {
    let lab = lab();
    let runs = |query: &str| {
        get(&lab, &format!("{CONNECT}/connectionruns?{query}")).data().as_array().unwrap().clone()
    };
    let all = runs("limit=10000");
    let mut paged = Vec::new();
    for offset in (0..).step_by(300) {
        let page = runs(&format!("limit=300&offset={offset}"));
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let day = runs("createdAfter=2026-03-03T12:00:00Z");
    assert_eq!(day.len(), 26, "24 hourly runs and two daily ones");
}

#[test]
fn an_owner_sees_only_its_own_connections() {
    let lab = lab();
    let token = lab.token_with(&["connect read", "show connect"]);
    let own = try_get(&lab, &token, "", &format!("{CONNECT}/connections")).unwrap().data();
    assert_eq!(own, json!([]));
    let owner = lab.token_of("alex.rivera").unwrap();
    assert_eq!(
        try_get(&lab, &owner, "", &format!("{CONNECT}/connections"))
            .unwrap()
            .data()
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[test]
fn a_module_that_is_not_imported_is_not_there() {
    let lab = Lab::builder().endpoints(10).fault("connect-missing").start().unwrap();
    assert_eq!(get(&lab, &format!("{CONNECT}/connections")).status, 404);
    assert!(!get(&lab, "/api/v2/server_info").text.contains("Tanium_Connect"));
}

#[test]
fn software_packages_are_paged_and_tell_what_uses_them() {
    const DEPLOY: &str = "/plugin/products/deploy";
    let lab = Lab::builder().endpoints(10).start().unwrap();
    let page = |query: &str| get(&lab, &format!("{DEPLOY}/v4/software-packages?{query}")).json();
    let all = page("")["softwarePackages"].as_array().unwrap().clone();
    let halves = [page("skip=0&take=3"), page("skip=3&take=3")];
    let paged = halves.iter().flat_map(|half| half["softwarePackages"].as_array().unwrap().clone());
    assert_eq!(paged.collect::<Vec<_>>(), all);
    let uses = |id: u64| get(&lab, &format!("{DEPLOY}/v4/software-packages/{id}")).data()["inUse"].clone();
    assert_eq!(uses(76)["profiles"][0]["id"], 2);
    assert_eq!(uses(76)["siblings"][0]["platform"], "macos");
    assert_eq!(uses(833)["bundles"][0]["name"], "New workstation");
    lab.inject("deploy-missing").unwrap();
    assert_eq!(get(&lab, &format!("{DEPLOY}/v1/profiles")).status, 404);
}

#[test]
fn pinned_certificates_carry_the_time_of_the_lab() {
    let lab = lab();
    let healthy = get(&lab, &format!("{CONNECT}/destinations/https/1")).json();
    assert!(healthy["cert"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    lab.inject("destination-certificate-expired").unwrap();
    let expired = get(&lab, &format!("{CONNECT}/destinations/https/1")).json();
    assert_ne!(healthy["cert"], expired["cert"]);
}

#[test]
fn faults_show_in_rest_and_gateway_alike() {
    let lab = lab();
    lab.inject("failing-connection").unwrap();
    let rest = get(&lab, &format!("{CONNECT}/connections/1")).json();
    assert_eq!((&rest["lastRunStatus"], &rest["failedRunCount"]), (&json!("Failed"), &json!(5)));
    let graph = query(
        &lab,
        "query { connectConnections(first:100) { edges { node { id displayName currentRun { id } \
         pastRuns(first:6) { edges { node { id connectionID status createdTime } } totalRecords } } } \
         pageInfo { hasNextPage endCursor } totalRecords } }",
    );
    let connections = &graph["data"]["connectConnections"];
    assert_eq!(connections["totalRecords"], 5);
    let past: Vec<&str> = connections["edges"][0]["node"]["pastRuns"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(past, ["Failed", "Failed", "Failed", "Failed", "Failed", "Finished"]);
}

#[test]
fn cursors_lead_through_a_collection_and_expire() {
    let lab = lab();
    let text = "query Page($after: Cursor) { scheduledActions(first: 3, after: $after) { edges { node { id name \
                creator { user { name } } lastAction { status results { completed failed } } } } \
                pageInfo { hasNextPage endCursor } totalRecords } }";
    let page = |after: &Value| {
        let body = json!({"query": text, "variables": {"after": after}});
        post(&lab, "/plugin/products/gateway/graphql", &body).json()
    };
    let first = page(&Value::Null)["data"]["scheduledActions"].clone();
    assert_eq!(
        (first["edges"].as_array().unwrap().len(), &first["pageInfo"]["hasNextPage"]),
        (3, &json!(true))
    );
    let cursor = &first["pageInfo"]["endCursor"];
    let second = page(cursor)["data"]["scheduledActions"].clone();
    let left = first["totalRecords"].as_u64().unwrap() - 3;
    assert_eq!(
        (second["edges"].as_array().unwrap().len() as u64, &second["pageInfo"]["hasNextPage"]),
        (left.min(3), &json!(left > 3))
    );
    let completed = first["edges"][0]["node"]["lastAction"]["results"]["completed"].as_u64().unwrap();
    assert!(completed > 900, "{completed}");
    lab.advance(Duration::from_secs(6 * 60));
    let expired = page(cursor);
    assert_eq!(expired["data"]["scheduledActions"], Value::Null);
    assert!(expired["errors"][0]["message"].as_str().unwrap().contains("expired"));
}

#[test]
fn endpoints_are_filtered_and_read_through_sensors() {
    let lab = lab();
    let all = query(&lab, "{ endpoints(first: 1, source: {tds: {scope: TANIUM_CLIENTS}}) { totalRecords } }");
    assert_eq!(all["data"]["endpoints"]["totalRecords"], 1000);
    let vdi = query(
        &lab,
        "{ endpoints(first: 5000, filter: {memberOf: {name: \"All Virtual Machines\"}}, source: {ts: {}}) { edges { node \
         { name isVirtual sensorReadings(sensors: [{name: \"Tanium Client Logging Level\"}]) { columns { name values } } } } \
         totalRecords collectionInfo { respondedTotal } } }",
    );
    let endpoints = &vdi["data"]["endpoints"];
    assert_eq!(
        (&endpoints["totalRecords"], &endpoints["collectionInfo"]["respondedTotal"]),
        (&json!(100), &json!(980))
    );
    let node = &endpoints["edges"][0]["node"];
    assert_eq!(
        node["sensorReadings"]["columns"],
        json!([{"name": "Tanium Client Logging Level", "values": ["0"]}])
    );
    let new = query(
        &lab,
        "{ endpoints(first: 100, filter: {path: \"eidFirstSeen\", op: GT, value: \"2026-02-25T12:00:00Z\"}) \
         { edges { node { id name eidFirstSeen ipAddress } } totalRecords } }",
    );
    assert_eq!(new["data"]["endpoints"]["totalRecords"], 5);
}

#[test]
fn documents_that_do_not_fit_are_refused() {
    let lab = lab();
    let status = |text: &str| {
        let answer = post(&lab, "/plugin/products/gateway/graphql", &json!({ "query": text }));
        (answer.status, answer.json()["errors"][0]["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(
        status("{ now haunted }"),
        (400, "Cannot query field \"haunted\" on type \"Query\".".to_owned())
    );
    assert!(status("{ now").1.starts_with("Syntax Error"));
    assert_eq!(status("{ actionGroups(sideways: 1) { totalRecords } }").0, 400);
    assert_eq!(status("mutation { ping }").0, 400);
    let missing = query(
        &lab,
        "{ endpoints { edges { node { sensorReadings(sensors: [{name: \"Haunted\"}]) { columns { name } } } } } }",
    );
    assert!(missing["errors"][0]["message"].as_str().unwrap().contains("must refer to an existing sensor"));
}

#[test]
fn a_field_without_its_privilege_is_an_error_of_its_own() {
    let lab = lab();
    let token = lab.token_with(&["gateway use api", "read action group"]);
    let body = json!({"query": "{ now actionGroups { edges { node { name computerGroups { name } } } } scheduledActions { totalRecords } }"});
    let answer = post_as(&lab, &token, "/plugin/products/gateway/graphql", &body).json();
    let first = &answer["data"]["actionGroups"]["edges"][0]["node"];
    assert_eq!(*first, json!({"name": "Default", "computerGroups": [{"name": "No Computers"}]}));
    assert_eq!(answer["data"]["now"], "2026-03-04T12:00:00Z");
    assert_eq!(
        answer["errors"],
        json!([{"message": "missing required permissions", "path": ["scheduledActions"]}])
    );
    let none = lab.token_with(&[]);
    assert_eq!(post_as(&lab, &none, "/plugin/products/gateway/graphql", &body).status, 403);
}
