//! The Patch service and the report it brings.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{get, post, try_get};
use serde_json::{Value, json};
use tancheck_lab::Lab;

const PATCH: &str = "/plugin/products/patch/v1";

fn lab() -> Lab {
    Lab::builder().endpoints(200).start().unwrap()
}

#[test]
fn patches_are_cut_by_kind_and_by_page() {
    let lab = lab();
    let patches = |query: &str| get(&lab, &format!("{PATCH}/patches?{query}")).json();
    let all = patches("applicableOnly=true&osType=all");
    let titles = |answer: &Value| -> Vec<String> {
        let rows = answer["patches"].as_array().unwrap();
        rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&all).len(), 3);
    assert_eq!(titles(&patches("skip=1&take=1")), titles(&all)[1..2]);
    assert_eq!(titles(&patches("osType=linux")), [""; 0]);
}

#[test]
fn enforcements_are_asked_for_by_model() {
    let lab = lab();
    let windows = get(&lab, &format!("{PATCH}/enforcements?modelName=MaintenanceWindow")).json();
    let windows = windows["enforcements"].as_array().unwrap();
    assert_eq!(windows.len(), 2);
    let one = get(&lab, &format!("{PATCH}/enforcements?modelName=MaintenanceWindow&modelId=2")).json();
    assert_eq!(one["enforcements"][0], windows[1]);
    assert_eq!(windows[1]["taniumGroupName"], "All Linux");
    assert_eq!(get(&lab, &format!("{PATCH}/enforcements?modelName=Weather")).status, 400);
    let token = lab.token_with(&["patch maintenance window read"]);
    let refused = try_get(&lab, &token, "", &format!("{PATCH}/enforcements?modelName=Repo")).unwrap();
    assert_eq!(refused.status, 403);
}

#[test]
fn deployments_tell_their_settings_and_targets() {
    let lab = lab();
    let list = get(&lab, &format!("{PATCH}/deployments")).json();
    let active: Vec<&Value> =
        list["deployments"].as_array().unwrap().iter().filter(|one| one["isActive"] == true).collect();
    assert_eq!(active.len(), 2);
    for one in active {
        let detail = get(&lab, &format!("{PATCH}/deployments/{}", one["id"])).json();
        assert_eq!((&detail["name"], &detail["statusLabel"]), (&one["name"], &json!("Active - Initialized")));
        assert_eq!(detail["taniumGroups"][0]["id"], one["targetedComputerGroupIds"][0]);
    }
    assert_eq!(get(&lab, &format!("{PATCH}/deployments/77")).status, 404);
}

#[test]
fn the_report_tells_the_coverage_of_each_supported_endpoint() {
    let lab = lab();
    let query = |text: &str| {
        let answer = post(&lab, "/plugin/products/gateway/graphql", &json!({ "query": text })).json();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    };
    let reports = query(
        "{ reports(filter: {text: \"Patch Coverage Status\"}) { edges { node { id moduleName viewDetails { columns { name } } } } } }",
    );
    let report = &reports["reports"]["edges"][0]["node"];
    assert_eq!(
        (&report["moduleName"], report["viewDetails"]["columns"].as_array().unwrap().len()),
        (&json!("Patch"), 5)
    );
    let results = |lab: &Lab| {
        let text = format!(
            "{{ reportResultData(id: {}, first: 5000, summarize: true) {{ totalRecords viewDetails {{ columns {{ name }} }} \
             edges {{ node {{ count columns {{ values }} }} }} }} }}",
            report["id"]
        );
        let answer = post(lab, "/plugin/products/gateway/graphql", &json!({ "query": text })).json();
        answer["data"]["reportResultData"].clone()
    };
    let healthy = results(&lab);
    assert_eq!(healthy["viewDetails"], report["viewDetails"]);
    let count = |results: &Value, status: &str| {
        let rows = results["edges"].as_array().unwrap().iter();
        rows.filter(|edge| edge["node"]["columns"][3]["values"] == json!([status])).count()
    };
    assert_eq!((count(&healthy, "Needs Attention"), count(&healthy, "Optimal")), (0, 180));
    lab.inject("patch-coverage-attention").unwrap();
    assert_eq!(count(&results(&lab), "Needs Attention"), 2);
}

#[test]
fn without_patch_its_service_is_not_there() {
    let lab = Lab::builder().endpoints(10).fault("patch-missing").start().unwrap();
    assert_eq!(get(&lab, &format!("{PATCH}/alerts")).status, 404);
}
