//! Subnets that appear, vanish or grow: one case for each sentence of the checks.

use super::*;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::serde_json::{Value, json};
use tancheck_plugin_api::testing::Case;

/// Clients at these addresses, registered an hour before the run unless a time is told.
fn clients(addresses: &[&str]) -> Value {
    let rows = addresses.iter().zip(1..).map(|(address, id)| {
        json!({"computer_id": id, "host_name": format!("c{id}"), "ipaddress_client": address,
            "last_registration": "2026-06-30T11:00:00Z"})
    });
    Value::Array(rows.collect())
}

/// Points of subnets: net, days ago, clients.
fn seen(points: &[(&str, i64, f64)]) -> Body {
    let now: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
    let mut points: Vec<Point> = points
        .iter()
        .map(|&(net, days, value)| Point {
            series: format!("subnets.seen.{net}"),
            at: now - SignedDuration::from_hours(24 * days),
            value,
        })
        .collect();
    points.sort_by_key(|point| point.at);
    Body::Points(points)
}

fn case(check: &'static Check, addresses: &[&str], points: &[(&str, i64, f64)]) -> Case {
    Case::of(check).rows(&CLIENTS, clients(addresses)).body(&SEEN, seen(points))
}

const KNOWN: &[(&str, i64, f64)] = &[("10.1.0.0/24", 35, 3.0), ("10.1.0.0/24", 7, 3.0)];

#[test]
fn a_subnet_that_no_earlier_run_saw_is_new_for_a_week() {
    case(&NEW, &["10.1.0.5"], KNOWN).judge().assert_pass();
    case(&NEW, &["10.1.0.5", "10.2.0.5"], KNOWN).judge().assert_findings(&["10.2.0.0/24"]);
    let two_days = [KNOWN, &[("10.2.0.0/24", 2, 1.0)]].concat();
    case(&NEW, &["10.2.0.5"], &two_days).judge().assert_findings(&["10.2.0.0/24"]);
    let two_weeks = [KNOWN, &[("10.2.0.0/24", 14, 1.0)]].concat();
    case(&NEW, &["10.2.0.5"], &two_weeks).judge().assert_pass();
    case(&NEW, &["10.2.0.5"], KNOWN).assert_needs_its_inputs();
}

#[test]
fn approved_ranges_and_vpn_blocks_are_left_out() {
    for key in ["approved_subnets", "vpn_blocks"] {
        case(&NEW, &["10.2.0.5"], KNOWN).setting(key, json!(["10.2.0.0/16"])).judge().assert_pass();
    }
    let wrong = case(&NEW, &["10.2.0.5"], KNOWN).setting("approved_subnets", json!(["all"]));
    wrong.judge().assert_undecided(Outcome::NotEvaluated);
}

#[test]
fn the_first_run_stores_and_decides_nothing() {
    let verdict = case(&NEW, &["10.1.0.5", "10.1.0.6", "2001:db8::1"], &[]).judge();
    verdict.assert_undecided(Outcome::NotEvaluated);
    let measures: Vec<_> = verdict.measures().iter().map(|m| (m.series.as_str(), m.value)).collect();
    assert_eq!(measures, [("subnets.seen.10.1.0.0/24", 2.0), ("subnets.seen.2001:db8::/64", 1.0)]);
    // Another prefix begins anew.
    let other = case(&NEW, &["10.1.0.5"], KNOWN).setting("prefix", 16);
    other.judge().assert_undecided(Outcome::NotEvaluated);
}

#[test]
fn a_list_that_is_not_whole_and_a_network_that_is_too_large_decide_nothing() {
    let cut = case(&NEW, &["10.2.0.5"], KNOWN).gap(&CLIENTS, "only the first page came");
    cut.judge().assert_undecided(Outcome::NotEvaluated);
    let many: Vec<String> = (0..1001).map(|at| format!("10.{}.{}.1", at / 256, at % 256)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let verdict = case(&NEW, &many, KNOWN).judge();
    assert!(verdict.undecided().is_some_and(|why| why.reason.contains("such as 20")), "{verdict:?}");
}

#[test]
fn a_new_subnet_awaits_an_authorization_after_a_week() {
    let at = |days: i64| [KNOWN, &[("10.2.0.0/24", days, 1.0)]].concat();
    case(&NEW_AUTHORIZED, &["10.2.0.5"], &at(8)).judge().assert_findings(&["10.2.0.0/24"]);
    case(&NEW_AUTHORIZED, &["10.2.0.5"], &at(3)).judge().assert_undecided(Outcome::NotApplicable);
    case(&NEW_AUTHORIZED, &["10.1.0.5"], KNOWN).judge().assert_undecided(Outcome::NotApplicable);
    let at_once = case(&NEW_AUTHORIZED, &["10.2.0.5"], KNOWN).setting("due_after_days", 0);
    at_once.judge().assert_findings(&["10.2.0.0/24"]);
    at_once.assert_needs_its_inputs();
}

#[test]
fn a_subnet_without_registrations_is_lost() {
    let two = [KNOWN, &[("10.2.0.0/24", 14, 8.0), ("10.3.0.0/24", 14, 4.0)]].concat();
    let verdict = case(&LOST, &["10.1.0.5"], &two).judge();
    verdict.assert_findings(&["10.2.0.0/24"]);
    assert!(verdict.findings()[0].says.contains("up to 8 until 2026-06-16"), "{:?}", verdict.findings());
    case(&LOST, &["10.1.0.5", "10.2.0.9"], &two).judge().assert_pass();
    let four = case(&LOST, &["10.1.0.5"], &two).setting("min_endpoints", 4);
    four.judge().assert_findings(&["10.2.0.0/24", "10.3.0.0/24"]);
    case(&LOST, &["10.1.0.5"], &[]).judge().assert_undecided(Outcome::NotEvaluated);
    case(&LOST, &["10.1.0.5"], &two).assert_needs_its_inputs();
}

#[test]
fn a_client_that_has_not_registered_for_long_is_not_present() {
    let mut rows = clients(&["10.1.0.5", "10.2.0.9"]);
    rows[1]["last_registration"] = json!("2026-06-20T00:00:00Z");
    let two = [KNOWN, &[("10.2.0.0/24", 14, 8.0)]].concat();
    let case = Case::of(&LOST).rows(&CLIENTS, rows).body(&SEEN, seen(&two));
    case.judge().assert_findings(&["10.2.0.0/24"]);
    case.setting("lost_after_days", 30).judge().assert_pass();
}

fn share(addresses: &[&str], weeks: &[f64]) -> Case {
    Case::of(&VPN_SHARE_SHIFT)
        .rows(&CLIENTS, clients(addresses))
        .weekly(&VPN_SHARE, "subnets.vpn-share", weeks)
        .setting("vpn_blocks", json!(["10.8.0.0/16"]))
}

#[test]
fn the_share_of_vpn_clients_is_compared_with_earlier_weeks() {
    let half = ["10.8.0.1", "10.1.0.1"];
    share(&half, &[55.0, 90.0, 55.0]).judge().assert_pass();
    let verdict = share(&half, &[35.0, 35.0, 50.0]).judge();
    verdict.assert_findings(&["deployment"]);
    assert_eq!(verdict.measures()[0].value, 50.0);
    share(&half, &[35.0, 35.0, 50.0]).setting("tolerance_points", 15).judge().assert_pass();
    share(&half, &[50.0; 2]).judge().assert_undecided(Outcome::NotEvaluated);
    // What swings by twenty points every week has not shifted.
    share(&half, &[80.0, 60.0, 40.0, 60.0, 80.0]).judge().assert_pass();
    share(&half, &[50.0]).setting("vpn_blocks", json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    let none = share(&half, &[50.0]).setting("vpn_blocks", json!([])).answer(&VPN_USED, false);
    none.judge().assert_undecided(Outcome::NotApplicable);
    share(&half, &[55.0; 3]).assert_needs_its_inputs();
}

#[test]
fn subnets_with_clients_are_proposed_and_blocks_that_hold_some_stay_blocks() {
    let seen = ["10.1.0.5", "10.2.0.5", "10.2.1.5", "10.8.0.1", "2001:db8::1"];
    let case = case(&NEW, &seen, &[]);
    let proposal = |case: &Case| case.judge().proposal("approved_subnets").cloned();
    let all = json!(["10.1.0.0/24", "10.2.0.0/24", "10.2.1.0/24", "10.8.0.0/24", "2001:db8::/64"]);
    assert_eq!(proposal(&case), Some(all), "the first run decides nothing, and sees all the same");
    assert_eq!(case.judge().proposals()[0].seen, "subnets with clients: 5, clients: 5");
    let known = case
        .setting("approved_subnets", json!(["10.2.0.0/16", "10.99.0.0/16"]))
        .setting("vpn_blocks", json!(["10.8.0.0/16"]));
    assert_eq!(proposal(&known), Some(json!(["10.1.0.0/24", "10.2.0.0/16", "2001:db8::/64"])));
    assert_eq!(proposal(&known.gap(&CLIENTS, "half")), None);
}
