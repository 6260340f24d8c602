//! Repetition: what is asked for each row, what the rows then say, and what is missing when some requests fail.

use super::collecting::{collect, missing, rest, site, supplied, want};
use super::{Memory, now};
use crate::collect::Want;
use crate::collect::collector::{Collected, Collector};
use crate::collect::faked::Faked;
use crate::collect::progress::Progress;
use serde_json::{Value, json};
use std::sync::Arc;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::Body;

/// `x.runs`, repeated as told, over `x.list`.
fn wants(each: Value) -> [Want; 2] {
    let mut runs = rest("/api/v2/runs/{id}");
    runs["each"] = json!({"input": "x.list", "variables": [["id", "id"]], "limit": 500});
    for (key, value) in each.as_object().unwrap() {
        runs["each"][key] = value.clone();
    }
    [want("x.runs", json!([runs])), want("x.list", json!([rest("/api/v2/list")]))]
}

fn list(rows: Value) -> Faked {
    Faked::default().at("/api/v2/list", &rows)
}

fn rows(collected: &Collected) -> Vec<Value> {
    match &supplied(collected, "x.runs").body {
        Body::Rows(rows) => rows.clone(),
        other => panic!("{other:?}"),
    }
}

fn asked(net: &Faked) -> Vec<String> {
    let mut paths: Vec<String> = net.calls().into_iter().map(|call| call.path).collect();
    paths.retain(|path| path != "/api/v2/list");
    paths.sort();
    paths
}

#[tokio::test]
async fn each_row_is_asked_for_once_and_named() {
    let net = list(json!({"data": [{"id": 2}, {"id": "a/b"}, {"name": "no id"}, {"id": ""}, {"id": 2}]}))
        .at("/api/v2/runs/2", &json!({"data": [{"run": 1}, {"run": 2}]}))
        .at("/api/v2/runs/a%2Fb", &json!({"data": [{"run": 3}]}));
    let collected = collect(&net, &wants(json!({}))).await;
    assert_eq!(
        rows(&collected),
        [
            json!({"run": 1, "_of": {"id": "2"}}),
            json!({"run": 2, "_of": {"id": "2"}}),
            json!({"run": 3, "_of": {"id": "a/b"}}),
        ]
    );
    assert_eq!(asked(&net), ["/api/v2/runs/2", "/api/v2/runs/a%2Fb"]);
    let runs = supplied(&collected, "x.runs");
    assert_eq!(runs.gaps, [""; 0]);
    assert_eq!(runs.request, "GET /api/v2/runs/{id}, for each row of x.list, at most 500 (2 requests)");
}

#[tokio::test]
async fn items_of_rows_and_keys_within_objects_are_reached() {
    let net = list(json!([
        {"actions": [{"last": {"id": 1}, "kind": "on"}, {"last": {"id": 2}, "kind": "off"}]},
        {"actions": []}, {}, {"actions": [{"last": {"id": 3}, "kind": "on"}]},
    ]))
    .at("/api/v2/runs/1", &json!([{}]))
    .at("/api/v2/runs/3", &json!([{}]));
    let each = json!({"items": "actions", "variables": [["id", "last/id"]], "only": ["kind", ["on"]]});
    let collected = collect(&net, &wants(each)).await;
    assert_eq!(rows(&collected), [json!({"_of": {"id": "1"}}), json!({"_of": {"id": "3"}})]);
    assert_eq!(asked(&net), ["/api/v2/runs/1", "/api/v2/runs/3"]);
}

#[tokio::test]
async fn settings_are_run_over() {
    let mut source = rest("/api/v2/runs/{item}");
    source["each"] = json!({"setting": "list", "variables": [], "limit": 100});
    let net = Faked::default().at("/api/v2/runs/a%20b", &json!([{}])).at("/api/v2/runs/c", &json!([{}]));
    let collected = collect(&net, &[want("x.runs", json!([source]))]).await;
    assert_eq!(rows(&collected), [json!({"_of": {"item": "a b"}}), json!({"_of": {"item": "c"}})]);
    let mut unset = rest("/api/v2/runs/{item}");
    unset["each"] = json!({"setting": "unset", "variables": [], "limit": 100});
    let collected = collect(&net, &[want("x.runs", json!([unset]))]).await;
    assert_eq!(missing(&collected, "x.runs").reason, "set `unset` under [modules.x]");
}

#[tokio::test]
async fn objects_and_values_become_rows() {
    let mut values = wants(json!({}));
    values[0].input.sources[0].shape = tancheck_plugin_api::Shape::Value;
    let net = list(json!([{"id": 1}])).at("/api/v2/runs/1", &json!({"data": 9}));
    assert_eq!(rows(&collect(&net, &values).await), [json!({"value": 9, "_of": {"id": "1"}})]);
    let mut objects = wants(json!({}));
    objects[0].input.sources[0].shape = tancheck_plugin_api::Shape::Object;
    let net = list(json!([{"id": 1}])).at("/api/v2/runs/1", &json!({"data": {"a": 1}}));
    assert_eq!(rows(&collect(&net, &objects).await), [json!({"a": 1, "_of": {"id": "1"}})]);
}

#[tokio::test]
async fn the_limit_leaves_a_gap() {
    let net = list(json!([{"id": 1}, {"id": 2}, {"id": 3}]))
        .at("/api/v2/runs/1", &json!([]))
        .at("/api/v2/runs/2", &json!([]));
    let collected = collect(&net, &wants(json!({"limit": 2}))).await;
    assert_eq!(supplied(&collected, "x.runs").gaps, ["only the first 2 of 3 items are asked for"]);
    assert_eq!(asked(&net).len(), 2);
}

#[tokio::test]
async fn some_failures_leave_a_gap() {
    let net = list(json!([{"id": 1}, {"id": 2}, {"id": 3}]))
        .at("/api/v2/runs/1", &json!([{}]))
        .failing_at("/api/v2/runs/2", Outcome::Unreachable, "GET /api/v2/runs/2: down", 500)
        .failing_at("/api/v2/runs/3", Outcome::Unreachable, "GET /api/v2/runs/3: down", 500);
    let collected = collect(&net, &wants(json!({}))).await;
    assert_eq!(rows(&collected).len(), 1);
    assert_eq!(
        supplied(&collected, "x.runs").gaps,
        ["2 of 3 requests failed, the first: GET /api/v2/runs/2: down"]
    );
}

#[tokio::test]
async fn all_failures_are_one_and_end_early() {
    let all: Vec<Value> = (0..100).map(|id| json!({"id": id})).collect();
    let mut net = list(json!(all));
    for id in 0..100 {
        let path = format!("/api/v2/runs/{id}");
        net = net.failing_at(&path, Outcome::NoPermission, &format!("GET {path}: no"), 403);
    }
    let collected = collect(&net, &wants(json!({}))).await;
    let unavailable = missing(&collected, "x.runs");
    assert_eq!(unavailable.outcome, Outcome::NoPermission);
    assert!(
        unavailable.reason.ends_with(" requests failed, the first: GET /api/v2/runs/0: no"),
        "{unavailable:?}"
    );
    assert!(asked(&net).len() <= 16, "after some failures the rest is not asked for: {}", asked(&net).len());
}

#[tokio::test]
async fn an_empty_list_was_seen_to_be_empty() {
    let net = list(json!([]));
    let collected = collect(&net, &wants(json!({}))).await;
    assert_eq!(rows(&collected), [json!(null); 0]);
    assert_eq!(supplied(&collected, "x.runs").gaps, [""; 0]);
}

#[tokio::test]
async fn a_list_that_is_not_there_or_not_whole_says_so() {
    let net = Faked::default().failing_at("/api/v2/list", Outcome::NoPermission, "GET /api/v2/list: no", 403);
    let unavailable = missing(&collect(&net, &wants(json!({}))).await, "x.runs");
    assert_eq!(unavailable.outcome, Outcome::NoPermission);
    assert_eq!(unavailable.reason, "it runs over x.list, which is not there: GET /api/v2/list: no");

    let mut paged = wants(json!({}));
    paged[1] = want(
        "x.list",
        json!([{"kind": "rest", "path": "/api/v2/list", "paged": true,
        "options": "{\"row_count\":1}", "shape": "rows"}]),
    );
    let net = Faked::answers([
        json!({"data": [{"id": 1}, {"cache_id": 5, "page_row_count": 1, "filtered_row_count": 9}]}),
    ])
    .at("/api/v2/runs/1", &json!([]));
    let collected = collect(&net, &paged).await;
    let gap = &supplied(&collected, "x.runs").gaps[0];
    assert!(gap.starts_with("x.list is not complete: only the first 1 of 9 rows came"), "{gap}");
}

#[tokio::test]
async fn what_is_not_collected_and_what_runs_in_a_circle_is_said() {
    let [runs, _] = wants(json!({}));
    let collected = collect(&Faked::default(), &[runs]).await;
    assert_eq!(missing(&collected, "x.runs").reason, "it runs over x.list, which this run does not collect");

    let circle = |id: &str, over: &str| {
        let mut source = rest("/api/v2/{id}");
        source["each"] = json!({"input": over, "variables": [["id", "id"]], "limit": 5});
        want(id, json!([source]))
    };
    let collected = collect(&Faked::default(), &[circle("x.a", "x.b"), circle("x.b", "x.a")]).await;
    let reason = missing(&collected, "x.a").reason;
    assert!(reason.contains("it runs over x.a, which runs over it"), "{reason}");
}

#[tokio::test]
async fn two_inputs_that_repeat_the_same_requests_share_them() {
    let [first, list_want] = wants(json!({}));
    let mut second = first.clone();
    second.input.id = "x.again".to_owned();
    second.input.sources[0].only_with = "b".to_owned();
    let net = list(json!([{"id": 1}, {"id": 2}]))
        .at("/api/v2/runs/1", &json!([{"a": 1}]))
        .at("/api/v2/runs/2", &json!([{"b": 1}]));
    let collected = collect(&net, &[first, second, list_want]).await;
    assert_eq!(asked(&net).len(), 2);
    assert_eq!((collected.requests_sent, collected.requests_saved), (3, 2));
    assert_eq!(rows(&collected).len(), 2);
}

/// Questions side by side wait for their turns: the time of all together would grow from run to run.
#[tokio::test(start_paused = true)]
async fn a_repeated_question_is_remembered_by_its_longest_one_and_each_by_its_own_time() {
    let set = json!({"mr_tested": 10, "estimated_total": 10,
        "columns": [{"name": "A", "hash": 3}, {"name": "Count", "hash": 0}], "rows": []});
    let net = list(json!([{"id": 1}, {"id": 2}, {"id": 3}]))
        .at("/api/v2/parse_question", &json!({"data": [{"from_canonical_text": 1}]}))
        .at("/api/v2/questions", &json!({"data": {"id": 7}}))
        .at("/api/v2/result_info/question/7", &json!({"data": {"result_infos": [set]}}))
        .at("/api/v2/result_data/question/7", &json!({"data": {"result_sets": [set]}}));
    let mut question = json!({"kind": "question", "text": "Get A[{id}] from all machines", "shape": "rows"});
    question["each"] = json!({"input": "x.list", "variables": [["id", "id"]], "limit": 500});
    let mut config = site();
    config.limits.questions_in_flight = 1;
    let collector = Collector::new(&config, net, Arc::new(Memory::default()), now());
    let wants = [want("x.runs", json!([question])), want("x.list", json!([rest("/api/v2/list")]))];
    let collected = collector.collect(&wants, &Progress::silent()).await;
    let seconds = |key: &str| {
        let found = collected.timings.iter().find(|(known, _)| known == key);
        found.unwrap_or_else(|| panic!("{key}: {:?}", collected.timings)).1
    };
    for item in ["{id}", "1", "2", "3"] {
        let seconds = seconds(&format!("question Get A[{item}] from all machines"));
        assert!((0.4..1.0).contains(&seconds), "{item}: {seconds}");
    }
    // The end was seen at the first look, and was before it.
    assert!((0.3..0.5).contains(&seconds("answers to Get A[2] from all machines")));
}
