//! What the readings make of what they are given. That every node and leaf is reached is tested by the host, which walks.

use super::endpoint::{
    CLIENT_VERSION, ENDPOINT, ENDPOINT_TOOLS, FOUND, LOCK, MEMBER, SIMILAR, SIMILAR_NAMES, SUPPORTED, TOOLS,
};
use super::session::{
    CONFIGURATIONS, CONFIGURED, CONFIGURED_ENDPOINTS, FAILED, ISSUED, PATH, PROXY, RAN, RESULTS,
};
use super::values;
use crate::connections::SESSIONS;
use crate::inputs::answers::ACTION_LOCK;
use crate::inputs::pages::{ACTIVE_CONNECTIONS, ZONE_PROXIES};
use std::collections::BTreeMap;
use tancheck_plugin_api::Reading;
use tancheck_plugin_api::facts::{Body, Tally, TallyRow};
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, GROUPS};
use tancheck_plugin_api::records::server::SOLUTIONS;
use tancheck_plugin_api::serde_json::{Value, json};
use tancheck_plugin_api::testing::{Case, tally};

const NAME: &str = "pc-1.corp.example";

/// As the host counts them: names of endpoints are no answers but a sample of who gave them.
fn answers(rows: &[[&str; 4]]) -> Tally {
    let row = |cells: &[&str; 4]| TallyRow {
        cells: cells[1..].iter().map(|cell| (*cell).to_owned()).collect(),
        count: 1,
        sample: vec![cells[0].to_owned()],
    };
    Tally {
        columns: ["Operating System", "Tanium Client Version", "Action Lock Status"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.iter().map(row).collect(),
        answered: 100,
        expected: 100,
        ..Tally::default()
    }
}

/// What a question about names alone brings: one row without cells.
fn names(names: &[&str]) -> Tally {
    let sample: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let row = TallyRow { cells: Vec::new(), count: names.len() as u64, sample };
    let rows = if names.is_empty() { Vec::new() } else { vec![row] };
    Tally { rows, answered: 100, expected: 100, ..Tally::default() }
}

const HEALTHY: [&str; 4] = [NAME, "Windows 11 Enterprise", "7.4.10.1060", "Action Lock Off"];

fn endpoint(reading: &'static Reading, rows: &[[&str; 4]]) -> Case {
    Case::reading(reading, NAME).body(&ENDPOINT, Body::Tally(answers(rows)))
}

/// The answer of a node, or `None` where a person is asked.
fn read(case: &Case) -> Option<String> {
    case.judge().answer().map(str::to_owned)
}

fn is(case: &Case, answer: &str) {
    assert_eq!(read(case).as_deref(), Some(answer), "{:?}", case.judge().undecided());
}

fn asks(case: &Case, reason: &str) {
    let verdict = case.judge();
    assert_eq!(verdict.answer(), None);
    let why = &verdict.undecided().unwrap().reason;
    assert!(why.contains(reason), "{why}");
}

#[test]
fn an_endpoint_is_found_by_its_exact_name() {
    is(&endpoint(&FOUND, &[HEALTHY]), "one");
    is(
        &endpoint(&FOUND, &[HEALTHY, ["PC-1.CORP.EXAMPLE", "macOS 13", "7.4.10.1060", "Action Lock Off"]]),
        "several",
    );
    is(&endpoint(&FOUND, &[]), "none");
    asks(&endpoint(&FOUND, &[]).gap(&ENDPOINT, "62 of 100 answered"), "not everybody was heard: 62 of 100");
    endpoint(&FOUND, &[HEALTHY]).assert_needs_its_inputs();
    let twins = TallyRow { count: 2, ..answers(&[HEALTHY]).rows.remove(0) };
    let twins = Tally { rows: vec![twins], ..answers(&[]) };
    is(&Case::reading(&FOUND, NAME).body(&ENDPOINT, Body::Tally(twins.clone())), "several");
    asks(&Case::reading(&SUPPORTED, NAME).body(&ENDPOINT, Body::Tally(twins)), "several endpoints");
    let similar =
        |found: &[&str]| Case::reading(&SIMILAR_NAMES, "pc-1").body(&SIMILAR, Body::Tally(names(found)));
    let some = similar(&["pc-1.corp.example", "pc-10.corp.example"]);
    is(&some, "some");
    assert_eq!(some.judge().notes(), ["pc-1.corp.example, pc-10.corp.example"]);
    is(&similar(&[]), "none");
    asks(&similar(&[]).gap(&SIMILAR, "62 of 100 answered"), "not everybody was heard");
}

#[test]
fn system_and_client_are_judged_as_those_of_all_endpoints_are() {
    let with = |system| endpoint(&SUPPORTED, &[[NAME, system, "", ""]]);
    is(&with("Ubuntu 22.04"), "supported");
    is(&with("Oracle Solaris 11.4"), "unsupported");
    asks(&with("Haiku"), "\"Haiku\"");
    let client = |version| {
        endpoint(&CLIENT_VERSION, &[[NAME, "", version, ""]])
            .rows(&SOLUTIONS, json!([{"name": "Direct Connect", "imported_version": "1.5.12.0000"}]))
    };
    is(&client("7.4.1.1955"), "recent");
    is(&client("7.4.1.1954"), "old");
    is(&client("6.0.314.1195"), "old");
    is(&client("7.6.2.0"), "recent");
    asks(&client("7.4.1"), "7.4.1");
    asks(&client("[current result unavailable]"), "version");
    client("7.4.1.1955").assert_needs_its_inputs();
}

#[test]
fn a_lock_keeps_away_what_the_setting_says() {
    let with = |status, setting: Option<&str>| {
        let case = endpoint(&LOCK, &[[NAME, "", "", status]]);
        match setting {
            Some(setting) => case.answer(&ACTION_LOCK, setting),
            None => case,
        }
    };
    is(&with("Action Lock Off", None), "off");
    is(&with("Action Lock On", Some("Block All Direct Connection Actions")), "blocks-sessions");
    is(&with("Action Lock On", Some("Allow New Connections")), "keeps-configuration");
    is(&with("Action Lock On", Some("Allow New Connections and Configuration Changes")), "allows-both");
    asks(&with("Action Lock On", Some("Something new")), "Something new");
    asks(&with("Action Lock On", None), "direct-connect.action-lock");
    asks(&with("maybe", None), "\"maybe\"");
}

#[test]
fn a_group_of_all_or_of_none_tells_who_is_in_it() {
    let with = |ids: Value| {
        Case::reading(&MEMBER, NAME)
            .rows(&ACTION_GROUPS, json!([{"id": 9, "name": "Tanium Direct Connect", "groups": ids}]))
            .rows(&GROUPS, json!([{"id": 1, "name": "All Computers"}, {"id": 2, "name": "No Computers"}, {"id": 3, "name": "Plant"}]))
    };
    is(&with(json!([{"id": 3}, {"id": 1}])), "member");
    is(&with(json!([{"id": 2}])), "no-member");
    is(&with(json!([])), "no-member");
    asks(&with(json!([{"id": 3}])), "Tanium Direct Connect holds Plant");
    asks(&Case::reading(&MEMBER, NAME).rows(&ACTION_GROUPS, json!([])), "is not in the list");
}

#[test]
fn tools_are_there_missing_or_unknown() {
    let with = |counts: &[(&str, u64)]| {
        Case::reading(&TOOLS, NAME).tally(&ENDPOINT_TOOLS, "Direct Connect - Tools Version", counts)
    };
    is(&with(&[("Windows Package Installed", 1)]), "there");
    is(&with(&[("Windows Package Required", 1)]), "missing");
    asks(&with(&[("?", 1)]), "\"?\"");
    asks(&with(&[]), "0 answers");
    let nothing = Tally {
        without_value: BTreeMap::from([("[no results]".to_owned(), 1)]),
        ..tally("Direct Connect - Tools Version", &[])
    };
    is(&Case::reading(&TOOLS, NAME).body(&ENDPOINT_TOOLS, Body::Tally(nothing)), "missing");
    with(&[("Windows Package Installed", 1)]).assert_needs_its_inputs();
}

/// Sessions, the result of each on the endpoint, and their ages in minutes.
fn sessions(reading: &'static Reading, statuses: &[(&str, i64)]) -> Case {
    let now: tancheck_plugin_api::jiff::Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
    let session = |(id, (_, minutes)): (usize, &(&str, i64))| {
        let start = now - tancheck_plugin_api::jiff::SignedDuration::from_mins(*minutes);
        json!({"id": id, "name": format!("Deploy Direct Connect - Open Session - Windows - {id}"), "start_time": start.to_string()})
    };
    let result = |(id, (status, _)): (usize, &(&str, i64))| {
        json!({"_of": {"id": id}, "columns": [{"name": "Computer Name"}, {"name": "Action Statuses"}],
            "rows": [{"data": [[{"text": NAME.to_uppercase()}], [{"text": format!("{id}:{status}.")}]]},
                     {"data": [[{"text": "other"}], [{"text": format!("{id}:Failed.")}]]}]})
    };
    let numbered = || statuses.iter().enumerate().map(|(at, one)| (at + 1, one));
    Case::reading(reading, NAME)
        .rows(&SESSIONS, Value::Array(numbered().map(session).collect()))
        .rows(&RESULTS, Value::Array(numbered().map(result).collect()))
}

#[test]
fn the_newest_action_counts() {
    is(&sessions(&ISSUED, &[]), "none");
    asks(&sessions(&ISSUED, &[]).gap(&SESSIONS, "only own actions"), "only own actions");
    is(&sessions(&ISSUED, &[("Waiting", 3)]), "under-way");
    is(&sessions(&ISSUED, &[("Waiting", 30)]), "issued");
    is(&sessions(&ISSUED, &[("Failed", 3)]), "issued");
    for (status, answer) in [
        ("Completed", "ran"),
        ("Failed", "failed"),
        ("Expired", "did-not-run"),
        ("Downloading", "did-not-run"),
    ] {
        is(&sessions(&RAN, &[("Completed", 600), (status, 30)]), answer);
    }
    asks(&sessions(&RAN, &[("Odd", 30)]), "\"Odd\"");
    asks(
        &sessions(&ISSUED, &[("Completed", 30)]).rows(&RESULTS, json!([])),
        "none of the results names this endpoint",
    );
    // A session of last month says nothing.
    is(&sessions(&ISSUED, &[("Failed", 60 * 24 * 30)]), "none");
}

#[test]
fn the_grid_tells_the_way_and_the_list_whether_it_is_open() {
    let grid =
        |proxy: &str| json!([{"Host Name": NAME.to_uppercase(), "Proxy": proxy, "Action Status": "Error"}]);
    let path = |proxy| Case::reading(&PATH, NAME).rows(&ACTIVE_CONNECTIONS, grid(proxy));
    is(&path(""), "direct");
    is(&path("Zone one"), "zone-proxy");
    asks(&Case::reading(&PATH, "other").rows(&ACTIVE_CONNECTIONS, grid("")), "not in the grid");
    let proxies = |one: &str, two: &str| {
        Case::reading(&PROXY, NAME).rows(
            &ZONE_PROXIES,
            json!([{"Name": "Zone one", "Status": one}, {"Name": "Zone two", "Status": two}]),
        )
    };
    is(&proxies("Connected", "connected"), "connected");
    is(&proxies("Disconnected", "Disconnected"), "not-connected");
    asks(&proxies("Connected", "Disconnected"), "which one it uses");
    is(&proxies("Connected", "Disconnected").rows(&ACTIVE_CONNECTIONS, grid("zone ONE")), "connected");
    is(&proxies("Disconnected", "Connected").rows(&ACTIVE_CONNECTIONS, grid("Zone one")), "not-connected");
    asks(&Case::reading(&PROXY, NAME).rows(&ZONE_PROXIES, json!([])), "no zone proxy");
}

#[test]
fn the_last_configuration_of_the_endpoint_counts() {
    let with = |status: &str| {
        Case::reading(&CONFIGURED, NAME)
            .rows(
                &CONFIGURATIONS,
                json!([{"id": 8, "name": "Deploy Direct Connect - Configure Extension [Windows]",
                "status": 0, "last_action": {"id": 8001}}]),
            )
            .rows(
                &CONFIGURED_ENDPOINTS,
                json!([{"_of": {"id": 8001},
                "columns": [{"name": "Computer Name"}, {"name": "Action Statuses"}],
                "rows": [{"data": [[{"text": NAME}], [{"text": format!("8001:{status}.")}]]}]}]),
            )
    };
    is(&with("Completed"), "current");
    is(&with("Failed"), "old");
    is(&with("Expired"), "old");
    asks(&with("Odd"), "do not name this endpoint");
    asks(&with("Completed").rows(&CONFIGURED_ENDPOINTS, json!([])), "do not name this endpoint");
    with("Completed").assert_needs_its_inputs();
}

#[test]
fn failed_sessions_are_named_one_a_line() {
    let row = |host: &str, status: &str| json!({"Host Name": host, "Action Status": status});
    let grid =
        json!([row("a", "Error"), row("b", "Succeeded"), row("c", "Not Succeeded"), row("d", "Running")]);
    is(&Case::reading(&FAILED, "").rows(&ACTIVE_CONNECTIONS, grid), "a\nc");
    is(&Case::reading(&FAILED, "").rows(&ACTIVE_CONNECTIONS, json!([])), "");
}

#[test]
fn values_are_those_of_the_deployment() {
    is(&Case::reading(&values::ENDPOINT_PORT, ""), "17475");
    is(
        &Case::reading(&values::ENDPOINT_NAME, "").setting("endpoint_fqdn", "ms1.corp.example"),
        "ms1.corp.example",
    );
    asks(&Case::reading(&values::ENDPOINT_NAME, ""), "set `endpoint_fqdn`");
    let proxies = json!([{"Name": "Zone one", "Endpoint Host": "d1.example.com", "Endpoint Port": "17486"}]);
    is(
        &Case::reading(&values::ZONE_PROXY_ADDRESSES, "").rows(&ZONE_PROXIES, proxies),
        "Zone one = d1.example.com:17486",
    );
    asks(&Case::reading(&values::ZONE_PROXY_ADDRESSES, "").rows(&ZONE_PROXIES, json!([])), "no zone proxy");
}
