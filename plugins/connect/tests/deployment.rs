//! Every check on one deployment: healthy it is, and then broken in one place at a time. What else breaks shows, too.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tancheck_connect::PLUGIN;
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::{Outcome, wire};

/// A deployment of three connections: a question to a SIEM each hour, the failed connections report, and the alert
/// about endpoints that became unmanaged.
fn healthy() -> BTreeMap<&'static str, Value> {
    let connection = |id: u32, name: &str, schedule: &str| {
        json!({"id": id, "name": name, "userId": 7, "personaId": 0, "enabled": true, "schedule": schedule,
               "scheduleTimeZone": "America/Phoenix", "lastRunTime": "2026-06-30T11:00:03Z",
               "lastRunStatus": "Finished", "maxRunDuration": 90, "finishedRunCount": 4000, "failedRunCount": 2,
               "createdAt": "2025-02-03T08:00:00Z", "updatedAt": "2025-02-03T08:00:00Z"})
    };
    let runs: Vec<Value> = (1..=24)
        .map(|day| {
            json!({"id": day, "connectionId": 1, "status": "Finished", "sourceRowCount": 900, "destinationRowCount": 900,
                   "destinationByteCount": 90_000, "createdAt": format!("2026-06-{day:02}T11:00:00Z"),
                   "updatedAt": format!("2026-06-{day:02}T11:01:00Z")})
        })
        .collect();
    let detail = |id: u32, source: &str| json!({"id": id, "streams": [source, "/v1/formats/csvs/1", "/v1/destinations/https/3"]});
    BTreeMap::from([
        (
            "connect.connections",
            json!([
                connection(1, "siem", "0 * * * *"),
                connection(2, "failures", "{}"),
                connection(3, "unmanaged", "{}")
            ]),
        ),
        (
            "connect.details",
            json!([
                detail(1, "/v1/sources/savedquestions/1"),
                detail(2, "/v1/sources/events/1"),
                detail(3, "/v1/sources/events/2")
            ]),
        ),
        ("connect.runs", json!(runs)),
        ("connect.failing-runs", json!([])),
        ("connect.run-logs", json!([])),
        (
            "connect.event-sources",
            json!([{"id": 1, "source": "Connect", "events": ["Failed Connection Run", "Unexpected Process Exit"]},
                   {"id": 2, "source": "Discover Notifications", "events": ["Lost Asset"]}]),
        ),
        ("connect.event-groups", json!([{"ProductName": "Connect", "label": null, "Events": []}])),
        (
            "connect.destinations",
            json!([{"_of": {"item": "https"}, "id": 3, "name": "SIEM", "url": "https://siem.example:8088/in",
                    "useAuthentication": "basic", "username": "tanium", "password": "hunter2"}]),
        ),
        (
            "connect.destination-certificates",
            json!([{"Destination": "SIEM", "Not Before": "2026-01-01", "Not After": "2027-01-01", "Trusted": "yes"}]),
        ),
        (
            "connect.owner-roles",
            json!([{"_of": {"id": 7}, "effective_roles": [{"id": 2, "name": "reader"}]}]),
        ),
        ("connect.persona-roles", json!([])),
        (
            "platform.users",
            json!([{"id": 7, "name": "svc-connect", "locked_out": 0,
            "effective_content_set_privileges": [{"content_set_privilege_list": [{"name": "connect read"}]}]}]),
        ),
        ("platform.personas", json!([])),
        ("platform.user-groups", json!([])),
        (
            "platform.roles",
            json!([{"id": 2, "name": "reader",
            "content_set_role_privileges": [{"content_set_privilege": {"id": 4}}]}]),
        ),
        ("platform.privileges", json!([{"id": 4, "name": "read sensor"}])),
        (
            "platform.support-bundles",
            json!([{"module": "Connect", "created": "2026-06-01", "file": "a.zip"}]),
        ),
        (
            "platform.server-info",
            json!({"Diagnostics": {"Installed_Workbenches": {"discover": {"name": "Discover"}}}}),
        ),
    ])
}

/// What each check says: `pass`, `finding`, or the outcome it gave up with.
fn judge(inputs: &BTreeMap<&str, Value>) -> BTreeMap<String, String> {
    let now = "2026-06-30T12:00:00Z";
    let mut supplied: serde_json::Map<String, Value> = inputs
        .iter()
        .map(|(id, value)| {
            let body = if value.is_array() { json!({"rows": value}) } else { json!({"object": value}) };
            ((*id).to_owned(), json!({"source": "test", "at": now, "body": body}))
        })
        .collect();
    for series in ["connect.rows-series", "connect.bytes-series"] {
        supplied.insert(series.to_owned(), json!({"source": "history", "at": now, "body": {"points": []}}));
    }
    let settings = json!({"format": "CSV", "authority": "other_team", "owners": ["svc-connect"],
        "required_permissions": ["connect read"], "required_permissions_by_source": {"*": ["read sensor"]}});
    let outcome = |id: &str| {
        let inspection: wire::Inspection = serde_json::from_value(
            json!({"check": id, "now": now, "settings": settings, "inputs": supplied}),
        )
        .expect("an inspection");
        let judgement = PLUGIN.inspect(&inspection);
        match judgement.undecided {
            _ if !judgement.report.findings.is_empty() => Outcome::Finding.to_string(),
            Some(why) => why.outcome.to_string(),
            None => Outcome::Pass.to_string(),
        }
    };
    // What goes beyond the guide has its tests beside the judges.
    let of_the_guide = Manifest::of(&PLUGIN).checks.into_iter().filter(|check| !check.beyond);
    of_the_guide.map(|check| (check.id.clone(), outcome(&check.id))).collect()
}

/// Checks that list something for a person to confirm, whatever the state.
const ASK_PEOPLE: [&str; 4] = [
    "connect.destination-settings",
    "connect.failed-report-routed",
    "connect.owner-password-policy",
    "connect.schedule-expected",
];

#[test]
fn a_healthy_deployment_is_healthy() {
    for (id, outcome) in judge(&healthy()) {
        match id.as_str() {
            "connect.failed-report-routed" => assert_eq!(outcome, "attestation-due"),
            id if ASK_PEOPLE.contains(&id) => assert_eq!(outcome, "finding", "{id}"),
            "connect.persona-exists" | "connect.persona-permissions" => {
                assert_eq!(outcome, "not-applicable", "{id}")
            }
            id => assert_eq!(outcome, "pass", "{id}"),
        }
    }
}

/// Breaks one thing and names the checks that change their outcome.
fn changed(break_it: impl FnOnce(&mut BTreeMap<&'static str, Value>)) -> Vec<String> {
    let before = judge(&healthy());
    let mut broken = healthy();
    break_it(&mut broken);
    let after = judge(&broken);
    before.into_iter().filter(|(id, outcome)| after[id] != *outcome).map(|(id, _)| id).collect()
}

fn first(inputs: &mut BTreeMap<&'static str, Value>, input: &str, key: &str, value: Value) {
    inputs.get_mut(input).expect("an input of the fixture")[0][key] = value;
}

#[test]
fn a_failed_run_is_the_business_of_connections_and_of_the_destination_only() {
    let ids = changed(|inputs| {
        first(inputs, "connect.connections", "lastRunStatus", json!("Failed"));
    });
    // Whether the destination answered is shown by the other two connections that send to it.
    assert_eq!(ids, ["connect.failed-connections"]);
}

#[test]
fn an_owner_who_is_gone_shows_in_every_check_about_owners() {
    let ids = changed(|inputs| first(inputs, "platform.users", "deleted_flag", json!(true)));
    assert_eq!(ids, ["connect.maintenance-roles", "connect.owner-active", "connect.unneeded"]);
}

#[test]
fn a_missed_run_shows_in_no_list_of_failures() {
    let ids =
        changed(|inputs| first(inputs, "connect.connections", "lastRunTime", json!("2026-06-30T08:00:00Z")));
    assert_eq!(ids, ["connect.next-run"]);
}

#[test]
fn an_ended_certificate_changes_one_check() {
    let ids = changed(|inputs| {
        first(inputs, "connect.destination-certificates", "Not After", json!("2026-06-29"));
    });
    assert_eq!(ids, ["connect.destination-certificate"]);
}

#[test]
fn a_report_that_lacks_an_event_changes_one_check() {
    let ids = changed(|inputs| {
        first(inputs, "connect.event-sources", "events", json!(["Failed Connection Run"]));
    });
    assert_eq!(ids, ["connect.failed-report-events"]);
}

#[test]
fn without_any_input_nothing_is_healthy() {
    for (id, outcome) in judge(&BTreeMap::new()) {
        assert!(outcome == "not-evaluated" || outcome == "attestation-due", "{id}: {outcome}");
    }
}

#[test]
fn no_secret_leaves_the_plugin() {
    let mut inputs = serde_json::Map::new();
    for (id, value) in healthy() {
        let body = if value.is_array() { json!({"rows": value}) } else { json!({"object": value}) };
        inputs.insert(id.to_owned(), json!({"source": "test", "at": "2026-06-30T12:00:00Z", "body": body}));
    }
    for check in Manifest::of(&PLUGIN).checks {
        let inspection = json!({"check": check.id, "now": "2026-06-30T12:00:00Z", "inputs": inputs});
        let judgement = PLUGIN.inspect(&serde_json::from_value(inspection).unwrap());
        let text = serde_json::to_string(&judgement).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
    }
}
