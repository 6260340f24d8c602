//! Questions: counted and by machine, complete and on the way.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ask, get, get_with, post};
use serde_json::{Value, json};
use tancheck_lab::{Behaviour, Lab};

fn lab() -> Lab {
    Lab::builder().endpoints(1000).start().unwrap()
}

fn result(lab: &Lab, id: u64) -> Value {
    get(lab, &format!("/api/v2/result_data/question/{id}")).data()["result_sets"][0].clone()
}

fn info(lab: &Lab, id: u64) -> Value {
    get(lab, &format!("/api/v2/result_info/question/{id}")).data()["result_infos"][0].clone()
}

fn tally(set: &Value) -> Vec<(String, u64)> {
    let rows = set["rows"].as_array().unwrap();
    let cell = |row: &Value, column: usize| row["data"][column][0]["text"].as_str().unwrap().to_owned();
    let last = set["columns"].as_array().unwrap().len() - 1;
    rows.iter().map(|row| (cell(row, 0), cell(row, last).parse().unwrap())).collect()
}

#[test]
fn a_question_is_counted_by_the_server() {
    let lab = lab();
    let set = result(&lab, ask(&lab, "Get Tanium Client Version from all machines"));
    assert_eq!(set["columns"][1], json!({"hash": 0, "name": "Count", "type": 3}));
    assert_eq!(set["rows"][0]["cid"], 0);
    assert_eq!(set["mr_tested"], 980, "offline endpoints do not answer");
    assert_eq!(set["estimated_total"], 980);
    let counts = tally(&set);
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 980);
    assert!(counts.contains(&("7.4.4.1362".to_owned(), 979)), "{counts:?}");
    assert!(counts.contains(&("[current result unavailable]".to_owned(), 1)), "{counts:?}");
}

#[test]
fn a_setting_that_is_absent_gives_no_results() {
    let lab = lab();
    let set =
        result(&lab, ask(&lab, "Get Tanium Client Explicit Setting[LogVerbosityLevel] from all machines"));
    let counts = tally(&set);
    let levels: Vec<&str> = counts.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(levels, ["0", "1", "[current result unavailable]", "[no results]"]);
    assert_eq!(set["no_results_count"], 10);
}

#[test]
fn machines_are_listed_when_forced() {
    let lab = lab();
    let set = result(
        &lab,
        ask(
            &lab,
            "Get?forceComputerIdFlag=1 Computer Name and Client Extensions - Status from all machines with Is Virtual contains Yes",
        ),
    );
    let names: Vec<&str> =
        set["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names[..4], ["Computer Name", "Domain", "Status", "Failure"]);
    let rows = set["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 100);
    assert_ne!(rows[0]["cid"], 0);
    assert!(rows[0]["data"][1].as_array().unwrap().len() > 3, "a cell holds several values");
}

#[test]
fn pages_of_a_result_fit_together() {
    let lab = lab();
    let id = ask(&lab, "Get Computer Name from all machines");
    let path = format!("/api/v2/result_data/question/{id}");
    let page = |start: u64| {
        let options = json!({"row_start": start, "row_count": 500}).to_string();
        get_with(&lab, &options, &path).data()["result_sets"][0]["rows"].as_array().unwrap().clone()
    };
    let mut rows = page(0);
    rows.extend(page(500));
    assert_eq!(Value::Array(rows), result(&lab, id)["rows"]);
}

#[test]
fn a_computer_group_narrows_a_question() {
    let lab = lab();
    let body = json!({
        "query_text": "Get Tanium Client Explicit Setting[LogVerbosityLevel] from all machines",
        "context_group": {"name": "All Virtual Machines"},
    });
    let id = post(&lab, "/api/v2/questions", &body).data()["id"].as_u64().unwrap();
    assert_eq!(tally(&result(&lab, id)), [("0".to_owned(), 100)]);
    let none = json!({"query_text": "Get Online from all machines", "context_group": {"id": 77}});
    assert_eq!(post(&lab, "/api/v2/questions", &none).status, 404);
}

#[test]
fn selects_are_understood_like_text() {
    let lab = lab();
    let body = json!({"selects": [{"sensor": {"hash": 435957060}}]});
    let id = post(&lab, "/api/v2/questions", &body).data()["id"].as_u64().unwrap();
    let text = ask(&lab, "get tanium client version from all machines");
    assert_eq!(result(&lab, id)["rows"], result(&lab, text)["rows"]);
}

#[test]
fn an_answer_grows_until_it_is_complete() {
    let lab = Lab::builder().endpoints(1000).question_ms(60_000..=60_000).start().unwrap();
    let id = ask(&lab, "Get Online from all machines");
    let early = info(&lab, id);
    assert_eq!(
        (&early["estimated_total"], &early["mr_tested"]),
        (&json!(0), &json!(0)),
        "not known at first"
    );

    let lab = Lab::builder().endpoints(1000).question_ms(800..=800).start().unwrap();
    let id = ask(&lab, "Get Online from all machines");
    let mut seen = Vec::new();
    loop {
        let info = info(&lab, id);
        seen.push(info["mr_tested"].as_u64().unwrap());
        if info["estimated_total"] == 980 && info["mr_tested"] == 980 {
            break;
        }
    }
    assert!(seen.is_sorted() && seen.len() > 1, "{seen:?}");
}

#[test]
fn a_stuck_question_never_completes() {
    let lab = lab();
    lab.behaviour("/api/v2/result_info/*", Behaviour::NeverCompletes);
    let id = ask(&lab, "Get Online from all machines");
    assert_eq!(info(&lab, id)["mr_tested"], 607);
    assert_eq!(info(&lab, id)["estimated_total"], 980);
    assert_eq!(result(&lab, id)["mr_tested"], 607, "the rows are stuck as well");
}

#[test]
fn the_race_after_asking_can_be_had() {
    let lab = lab();
    lab.behaviour("/api/v2/result_data/*", Behaviour::SensorNotFound(1));
    for _ in 0..2 {
        let id = ask(&lab, "Get Online from all machines");
        let path = format!("/api/v2/result_data/question/{id}");
        let first = get(&lab, &path);
        assert_eq!(first.status, 404);
        assert!(first.text.contains("SensorNotFound"));
        assert_eq!(get(&lab, &path).status, 200);
    }
}

#[test]
fn unknown_sensors_and_questions_are_named() {
    let lab = lab();
    let answer = post(&lab, "/api/v2/questions", &json!({"query_text": "Get Haunted from all machines"}));
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("SensorNotFound") && answer.text.contains("Haunted"));
    assert_eq!(get(&lab, "/api/v2/result_info/question/5").status, 404);
    let parsed =
        post(&lab, "/api/v2/parse_question", &json!({"text": "Get Online from all machines"})).data();
    assert_eq!(parsed[0]["from_canonical_text"], 1);
    assert_eq!(parsed[0]["selects"][0]["sensor"], json!({"hash": 131549066, "name": "Online"}));
    assert_eq!(
        post(&lab, "/api/v2/parse_question", &json!({"text": "Make me a sandwich"})).data(),
        json!([])
    );
}

#[test]
fn saved_questions_have_stored_answers() {
    let lab = lab();
    let saved = get(&lab, "/api/v2/saved_questions/by-name/Tanium%20Client%20Version").data();
    let path = format!("/api/v2/result_data/saved_question/{}", saved["id"]);
    assert_eq!(get(&lab, &path).data()["result_sets"][0]["tested"], 980);
    let all = get_with(&lab, r#"{"most_recent_flag":1}"#, &path).data();
    assert_eq!(all["result_sets"][0]["tested"], 1000, "offline endpoints count with their last answer");
}

#[test]
fn the_log_knows_what_was_asked() {
    let lab = lab();
    ask(&lab, "Get Online from all machines");
    let requests = lab.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].question.as_deref(), Some("Get Online from all machines"));
    assert_eq!((requests[0].method.as_str(), requests[0].status), ("POST", 200));
    let _again = post(&lab, "/api/v2/questions", &json!({ "query_text":   "Get Online from all machines" }));
    assert_eq!(lab.requests()[1].body_hash, requests[0].body_hash, "spaces do not matter");
}
