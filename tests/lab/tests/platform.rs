//! The platform's routes: shapes, paging, counts that fit each other.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{get, get_with};
use serde_json::{Value, json};
use tancheck_lab::Lab;

fn lab(endpoints: u64) -> Lab {
    Lab::builder().endpoints(endpoints).start().unwrap()
}

/// Routes of which the vendor's documents demand a query.
const QUERIES: &[(&str, &str)] = &[("/plugin/products/patch/v1/enforcements", "?modelName=Blacklist")];

#[test]
fn every_get_route_without_parameters_answers() {
    let lab = lab(100);
    for (pattern, _) in lab.get_routes() {
        if pattern.contains('{') {
            continue;
        }
        let query = QUERIES.iter().find(|(route, _)| *route == pattern).map_or("", |(_, query)| query);
        let response = get(&lab, &format!("{pattern}{query}"));
        assert_eq!(response.status, 200, "{pattern}: {}", response.text);
        assert!(!response.text.is_empty(), "{pattern}");
    }
}

#[test]
fn client_rows_aggregate_and_diagnostics_agree() {
    let lab = lab(1000);
    let rows = get(&lab, "/api/v2/system_status").data();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 1002, "a row for each endpoint, the aggregate, cache_info");
    let clients = &rows[..1000];
    let aggregate = &rows[1000];
    let leaders = clients.iter().filter(|row| row["status"].as_str().unwrap().contains("Leader")).count();
    assert_eq!(aggregate["leader_count"], leaders);
    assert_eq!(
        aggregate["versions"],
        json!([{"version_string": "7.4.4.1362", "count": 1000, "filtered": 1000}])
    );
    let zones: Vec<u64> = aggregate["zone_servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|zone| zone["count"].as_u64().unwrap())
        .collect();
    assert_eq!(zones, [200, 200]);
    let ids: std::collections::BTreeSet<u64> =
        clients.iter().map(|row| row["computer_id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), 1000, "computer ids are unique");

    assert_eq!(get(&lab, "/api/v2/client_count").data(), 1000);
    let info = get(&lab, "/api/v2/server_info").data();
    assert_eq!(info["Diagnostics"]["System_Status_Cache"]["leader_count"], leaders);
    assert_eq!(info["Diagnostics"]["System_Status_Cache"]["System_Count"], 1000);
}

#[test]
fn a_cache_is_read_page_by_page() {
    let lab = lab(100);
    let path = "/api/v2/system_status";
    let first = get_with(
        &lab,
        r#"{"cache_expiration":600,"cache_sort_fields":"computer_id","row_start":0,"row_count":30}"#,
        path,
    );
    let mut ids: Vec<u64> = Vec::new();
    let collect = |data: &Value, ids: &mut Vec<u64>| {
        let rows = data.as_array().unwrap();
        ids.extend(rows.iter().filter_map(|row| row["computer_id"].as_u64()));
        rows.last().unwrap().clone()
    };
    let info = collect(&first.data(), &mut ids);
    assert_eq!(info["page_row_count"], 30);
    assert_eq!(info["cache_row_count"], 100);
    lab.inject("outdated-clients").unwrap();
    for start in [30, 60, 90] {
        let options = json!({"cache_id": info["cache_id"], "row_start": start, "row_count": 30}).to_string();
        collect(&get_with(&lab, &options, path).data(), &mut ids);
    }
    assert_eq!(ids.len(), 100);
    assert!(ids.is_sorted(), "the sorting of the first request holds for all pages");
    let other = json!({"cache_id": info["cache_id"]}).to_string();
    assert_eq!(get_with(&lab, &other, "/api/v2/packages").status, 404, "a cache belongs to its route");
}

#[test]
fn cache_filters_narrow_a_list() {
    let lab = lab(100);
    let options = r#"{"cache_filters":[{"field":"package_spec/name","operator":"RegexMatch","value":".*[Cc]lient.*[Uu]pgrade.*"}]}"#;
    let actions = get_with(&lab, options, "/api/v2/actions").data();
    assert_eq!(actions.as_array().unwrap().len(), 2, "one action and cache_info: {actions}");
    let options = r#"{"cache_filters":[{"field":"status","operator":"Equal","value":"Leader"}]}"#;
    let clients = get_with(&lab, options, "/api/v2/system_status").data();
    let rows = clients.as_array().unwrap();
    assert!(rows.len() > 2 && rows.len() < 100);
    assert!(rows[..rows.len() - 2].iter().all(|row| row["status"] == "Leader"));
    assert_eq!(rows[rows.len() - 1]["cache_row_count"], 100);
}

#[test]
fn unknown_routes_answer_as_the_server_does() {
    let lab = lab(10);
    let unknown = get(&lab, "/api/v2/endpoints");
    assert_eq!((unknown.status, unknown.json()), (400, json!({"text": "Invalid object route: endpoints"})));
    assert_eq!(get(&lab, "/plugin/products/not-installed/v1/things").status, 404);
    let missing = get(&lab, "/api/v2/sensors/by-name/Haunted");
    assert_eq!(missing.status, 404);
    assert!(missing.json()["text"].as_str().unwrap().contains("SensorNotFound"));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bodies = |seed: u64| -> Vec<String> {
        let lab = Lab::builder().endpoints(100).seed(seed).start().unwrap();
        let routes = lab.get_routes();
        routes.iter().filter(|(p, _)| !p.contains('{')).map(|(p, _)| get(&lab, p).text).collect()
    };
    assert_eq!(bodies(7), bodies(7));
    assert_ne!(bodies(7), bodies(8));
}
