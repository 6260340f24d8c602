//! Every check on one deployment: healthy it is, and then broken in one place at a time. What else breaks shows, too.

use std::collections::BTreeMap;
use tancheck_client_management::PLUGIN;
use tancheck_plugin_api::facts::{Answer, Body, ItemTally, Point, Sample, Tally, TallyRow};
use tancheck_plugin_api::jiff::{SignedDuration, Timestamp};
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::serde_json::{self, Value, json};
use tancheck_plugin_api::testing::tally;
use tancheck_plugin_api::{Outcome, wire};

const INTERNAL: &str = "ts1.example.com,ts2.example.com";
const EXTERNAL: &str = "zs1.example.com,zs2.example.com";

type Inputs = BTreeMap<&'static str, Body>;

fn now() -> Timestamp {
    "2026-06-30T12:00:00Z".parse().expect("a time")
}

/// A thousand endpoints, four hundred of them behind two Zone Servers, a hundred VDI desktops, twenty kiosks.
fn healthy() -> Inputs {
    let levels = |counts: &[(&str, u64)]| tally("Tanium Client Explicit Setting", counts);
    let one = |item: &str, tally: Tally| Body::Tallies(vec![ItemTally { item: item.to_owned(), tally }]);
    BTreeMap::from([
        ("client-management.endpoint-count", Body::Value(json!(1000))),
        (
            "client-management.endpoint-history",
            weeks("endpoint-count.client-count", &[996.0, 998.0, 997.0, 1000.0]),
        ),
        ("client-management.new-endpoints", Body::Rows(Vec::new())),
        ("client-management.retention", answer(json!(30))),
        ("client-management.license-count", Body::Value(json!(1000))),
        ("client-management.licensed-seats", samples(2000.0)),
        ("client-management.leaders", Body::Rows(vec![status()])),
        ("client-management.tpan-leaders", answer(json!(4.1))),
        ("client-management.leader-history", weeks("leader-percentage.tpan", &[4.0, 4.2, 3.9, 4.0])),
        ("client-management.redeployment", answer(json!("yes"))),
        ("platform.client-extensions", Body::Tally(extensions(&["index", "recorder", "config"]))),
        (
            "client-management.version-answers",
            Body::Tally(tally("Tanium Client Version", &[("7.6.2.1218", 1000)])),
        ),
        ("client-management.version-history", Body::Points(Vec::new())),
        ("client-management.upgrade-actions", Body::Rows(Vec::new())),
        ("client-management.upgrade-results", Body::Rows(Vec::new())),
        ("client-management.module-upgrades", answer(json!("yes"))),
        ("platform.server-hosts", Body::Object(json!({"servers": [{"id": 1}, {"id": 2}]}))),
        (
            "platform.server-health",
            Body::Object(
                json!({"servers": {"zone_servers": [{"name": "zs1.example.com"}, {"name": "zs2.example.com"}]}}),
            ),
        ),
        ("client-management.server-lists", Body::Tally(levels(&[(INTERNAL, 600), (EXTERNAL, 400)]))),
        (
            "client-management.server-names",
            Body::Tally(levels(&[("ts1.example.com", 600), ("zs1.example.com", 400)])),
        ),
        ("client-management.log-levels", Body::Tally(levels(&[("1", 870), ("0", 120), ("10", 10)]))),
        ("client-management.log-levels-vdi", Body::Tally(levels(&[("0", 100)]))),
        ("client-management.log-levels-containers", Body::Tally(levels(&[("10", 10)]))),
        (
            "client-management.log-levels-exempt",
            Body::Tallies(vec![
                ItemTally { item: "VDI".to_owned(), tally: levels(&[("0", 100)]) },
                ItemTally { item: "Kiosks".to_owned(), tally: levels(&[("0", 20)]) },
            ]),
        ),
        ("client-management.log-levels-limited", one("Kiosks", levels(&[("0", 20)]))),
        (
            "client-management.baseline-values",
            Body::Tallies(vec![
                ItemTally { item: "ServerPort".to_owned(), tally: levels(&[("17472", 1000)]) },
                // Handed out by the server, and held by no client as a setting of its own.
                ItemTally { item: "MessageBufferLimit".to_owned(), tally: absent(1000) },
            ]),
        ),
        (
            "client-management.counted-values",
            one("LogVerbosityLevel", levels(&[("1", 870), ("0", 120), ("10", 10)])),
        ),
        (
            "client-management.global-settings",
            Body::Rows(vec![json!({"name": "MessageBufferLimit", "value": "500", "setting_type": "Client"})]),
        ),
        ("platform.client-status", Body::Rows(vec![status()])),
        (
            "platform.license",
            Body::Object(json!({"licensed_features": {"customer": {"seat_count": 2000},
                "licensed_solutions": [{"name": "Discover", "match": "99-300-[0-9][0-9][0-9][0-9]"}]}})),
        ),
        (
            "platform.users",
            Body::Rows(vec![
                json!({"id": 7, "name": "ann", "locked_out": 0, "effective_content_set_privileges":
                [{"content_set_privilege_list": [{"name": "client-management view health"}]}]}),
            ]),
        ),
        (
            "platform.support-bundles",
            Body::Rows(vec![
                json!({"module": "Client Management", "created": "2026-06-01", "file": "a.zip"}),
            ]),
        ),
    ])
}

fn settings() -> Value {
    json!({"owners": ["ann"], "required_permissions": ["client-management view health"],
        "approved_servers": ["ts1.example.com", "ts2.example.com", "zs1.example.com", "zs2.example.com"],
        "clients_per_zone_server": 500, "vdi_group": "VDI", "container_group": "Containers",
        "exempt_groups": ["VDI", "Kiosks"], "limited_groups": ["Kiosks"],
        "baseline": {"ServerPort": ["17472"], "MessageBufferLimit": ["500", ""]},
        "expected_counts": {"LogVerbosityLevel": ["10=10"]}})
}

fn status() -> Value {
    json!({"leader_count": 40, "normal_count": 960,
        "versions": [{"version_string": "7.6.2.1218", "count": 1000, "filtered": 1000}],
        "zone_servers": [{"zone_server_address": "zs1.example.com", "count": 210},
                         {"zone_server_address": "zs2.example.com", "count": 190}]})
}

fn answer(value: Value) -> Body {
    Body::Answer(Answer { value, by: "ann".to_owned(), at: now(), note: "decided in May".to_owned() })
}

fn absent(count: u64) -> Tally {
    let without_value = BTreeMap::from([("[no results]".to_owned(), count)]);
    Tally { answered: count, expected: count, without_value, ..tally("x", &[]) }
}

fn samples(seats: f64) -> Body {
    let name = "tanium_licensed_seat_count".to_owned();
    Body::Samples(vec![Sample { name, labels: BTreeMap::new(), value: seats }])
}

/// One value a week, the last one a week ago.
fn weeks(series: &str, values: &[f64]) -> Body {
    let ago = |weeks: usize| now() - SignedDuration::from_hours(168 * (values.len() - weeks) as i64);
    let point = |(week, &value): (usize, &f64)| Point {
        series: format!("client-management.{series}"),
        at: ago(week),
        value,
    };
    Body::Points(values.iter().enumerate().map(point).collect())
}

fn extensions(domains: &[&str]) -> Tally {
    let row = |cells: [&str; 3], count| TallyRow {
        cells: cells.map(str::to_owned).into(),
        count,
        sample: Vec::new(),
    };
    Tally {
        columns: ["Domain", "Status", "Failure"].map(str::to_owned).into(),
        rows: domains.iter().map(|domain| row([domain, "Healthy", ""], 1000)).collect(),
        answered: 1000,
        expected: 1000,
        ..Tally::default()
    }
}

/// What each check says: `pass`, `finding`, or the outcome it gave up with.
fn judge(inputs: &Inputs) -> BTreeMap<String, Outcome> {
    let supplied = |body: &Body| json!({"source": "test", "at": now(), "body": body});
    let inputs: BTreeMap<&str, Value> = inputs.iter().map(|(id, body)| (*id, supplied(body))).collect();
    let outcome = |id: &str| {
        let inspection = json!({"check": id, "now": now(), "settings": settings(), "inputs": inputs});
        let inspection: wire::Inspection = serde_json::from_value(inspection).expect("an inspection");
        let judgement = PLUGIN.inspect(&inspection);
        match judgement.undecided {
            _ if !judgement.report.findings.is_empty() => Outcome::Finding,
            Some(why) => why.outcome,
            None => Outcome::Pass,
        }
    };
    let short = |id: &str| id.trim_start_matches("client-management.").to_owned();
    // What goes beyond the guide has its tests beside the judges.
    let of_the_guide = Manifest::of(&PLUGIN).checks.into_iter().filter(|check| !check.beyond);
    of_the_guide.map(|check| (short(&check.id), outcome(&check.id))).collect()
}

/// Breaks one thing and names the checks that change their outcome.
fn changed(input: &'static str, body: Body) -> Vec<String> {
    let before = judge(&healthy());
    let mut broken = healthy();
    assert!(broken.insert(input, body).is_some(), "{input} is no input of the fixture");
    let after = judge(&broken);
    before.into_iter().filter(|(id, outcome)| after[id] != *outcome).map(|(id, _)| id).collect()
}

#[test]
fn a_healthy_deployment_is_healthy() {
    for (id, outcome) in judge(&healthy()) {
        let nothing_to_ask = ["new-endpoints-authorized", "version-accepted"].contains(&id.as_str());
        let expected = if nothing_to_ask { Outcome::NotApplicable } else { Outcome::Pass };
        assert_eq!(outcome, expected, "{id}");
    }
}

#[test]
fn every_input_of_the_plugin_is_in_the_fixture() {
    let inputs = healthy();
    let manifest = Manifest::of(&PLUGIN);
    let of_the_guide = manifest.checks.iter().filter(|check| !check.beyond);
    let read: Vec<&String> = of_the_guide.flat_map(|check| &check.inputs).collect();
    for input in manifest.inputs.iter().filter(|input| read.contains(&&input.id)) {
        let unused = ["log-levels-investigated", "log-levels-sensitive"]
            .map(|name| format!("client-management.{name}"));
        assert!(inputs.contains_key(input.id.as_str()) || unused.contains(&input.id), "{}", input.id);
    }
}

#[test]
fn without_any_input_nothing_is_healthy() {
    for (id, outcome) in judge(&Inputs::new()) {
        assert!(!outcome.is_decided(), "{id}: {outcome}");
    }
}

#[test]
fn a_rise_of_the_count_also_asks_who_may_join() {
    let ids = changed("client-management.endpoint-count", Body::Value(json!(1200)));
    assert_eq!(ids, ["endpoint-count-high", "new-endpoints-authorized"]);
    let ids = changed("client-management.endpoint-count", Body::Value(json!(700)));
    assert_eq!(ids, ["endpoint-count-low"]);
}

#[test]
fn a_full_licence_changes_both_checks_of_the_licence() {
    let ids = changed("client-management.license-count", Body::Value(json!(2001)));
    assert_eq!(ids, ["license-exceeded", "license-headroom"]);
}

#[test]
fn a_leader_percentage_that_rose_changes_one_check() {
    assert_eq!(changed("client-management.tpan-leaders", answer(json!(9))), ["leader-percentage-change"]);
}

#[test]
fn a_failed_extension_changes_the_check_of_its_domain() {
    for (domain, check) in [("index", "cx-index"), ("recorder", "cx-recorder"), ("config", "cx-other")] {
        let mut tally = extensions(&["index", "recorder", "config"]);
        let cells = [domain, "Failed", "it did not start"].map(str::to_owned).into();
        tally.rows.push(TallyRow { cells, count: 3, sample: Vec::new() });
        assert_eq!(changed("platform.client-extensions", Body::Tally(tally)), [check]);
    }
}

#[test]
fn a_level_that_was_left_raised_is_no_business_of_vdi() {
    let levels = tally("x", &[("1", 860), ("0", 120), ("10", 10), ("41", 10)]);
    assert_eq!(changed("client-management.log-levels", Body::Tally(levels)), ["log-level-default"]);
    let levels = tally("x", &[("0", 95), ("1", 5)]);
    assert_eq!(changed("client-management.log-levels-vdi", Body::Tally(levels)), ["log-level-vdi"]);
}

#[test]
fn a_list_of_one_unknown_server_changes_both_checks_of_lists() {
    let lists = tally("x", &[(INTERNAL, 590), (EXTERNAL, 400), ("old.example.com", 10)]);
    let ids = changed("client-management.server-lists", Body::Tally(lists));
    assert_eq!(ids, ["server-name-list", "server-name-list-single"]);
}

#[test]
fn an_old_version_asks_for_its_acceptance_and_for_upgrades_that_failed() {
    let mut old = status();
    old["versions"] = json!([{"version_string": "7.6.2.1218", "count": 990}, {"version_string": "7.4.9.1046", "count": 10}]);
    let ids = changed("platform.client-status", Body::Rows(vec![old]));
    assert_eq!(ids, ["version-accepted", "version-outdated"], "the module says that its upgrades succeeded");
}

#[test]
fn an_uneven_load_leaves_the_capacity_open() {
    let mut uneven = status();
    uneven["zone_servers"][0]["count"] = json!(4000);
    let ids = changed("platform.client-status", Body::Rows(vec![uneven]));
    assert_eq!(ids, ["zone-server-balance"], "the second server still has room");
}
