//! The matrix: every check of every plugin, walked through all that can happen to it, by the real binary with real
//! plugins against the lab.
//!
//! - healthy deployment → pass, or the outcome that [`tables`] states;
//! - each fault of the lab → exactly its findings, with severity and a remedy, and no other check changes;
//! - each input withheld → not-evaluated, never a pass, but for those that [`tables`] names;
//! - each privilege withheld → no-permission;
//! - tasks: due → attested → pass → expired → due.
//!
//! A check without its rows fails the test.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says when it is skipped"
)]

mod faults;
mod site;
mod tables;
mod tasks;
mod walk;
mod withheld;

use site::{Site, list, manifests};
use std::collections::BTreeMap;
use tables::healthy;

#[test]
fn a_healthy_deployment_passes() {
    let site = Site::with_history();
    let report = site.run(&[]);
    let wrong: BTreeMap<&str, String> = report
        .checks()
        .filter(|check| check.outcome() != healthy(check.id()))
        .map(|check| (check.id(), format!("{}: {}", check.outcome(), check.why())))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (id, healthy) in tables::tables().values().flat_map(|table| &table.healthy) {
        let (said, why) = (report.check(id).why(), &healthy.because);
        assert!(said.contains(why), "{id} says {said:?}, not {why:?}");
    }
}

#[test]
fn every_check_of_the_catalogue_is_there() {
    let Some(rows) = site::catalogue() else { return };
    let site = Site::bare();
    let ids: Vec<String> =
        site.checks().iter().map(|check| check["id"].as_str().unwrap().to_owned()).collect();
    let missing: Vec<&String> = rows.keys().filter(|id| !ids.contains(id)).collect();
    assert!(missing.is_empty(), "checks of the catalogue that no plugin has: {missing:?}");
    let others = tancheck_test_support::direct_connect().unwrap_or_default();
    for check in site.checks() {
        let id = check["id"].as_str().unwrap();
        if let Some(row) = others.get(id) {
            assert!(row.is(check["kind"].as_str().unwrap()), "{id}: kind {}, not {row:?}", check["kind"]);
            assert_eq!(check["severity"], row.severity.as_str(), "{id}: severity");
            continue;
        }
        let Some(row) = rows.get(id) else {
            assert_eq!(check["beyond"], true, "{id} is neither in the catalogue nor marked as beyond it");
            continue;
        };
        assert_eq!(check["kind"], row["kind"].as_str(), "{id}: kind");
        assert_eq!(check["severity"], row["default_severity"].as_str(), "{id}: severity");
        let cadence: Vec<&str> =
            check["cadence"].as_array().unwrap().iter().filter_map(|one| one.as_str()).collect();
        assert_eq!(cadence.join("|"), row["cadence"], "{id}: cadence");
    }
}

#[test]
fn no_privilege_is_invented() {
    let path =
        tancheck_test_support::root().join("../shared/platform/spec/privilege-names-live-tenant-2023.txt");
    let Ok(known) = std::fs::read_to_string(path) else {
        println!("skipped: the platform's privilege names are not beside this repository");
        return;
    };
    let known: Vec<&str> = known.lines().map(str::trim).collect();
    let inputs = manifests().iter().flat_map(|manifest| list(manifest, "inputs"));
    for source in inputs.flat_map(|input| list(input, "sources")) {
        for key in ["needs", "complete_with"] {
            for name in list(source, key).filter_map(|name| name.as_str()) {
                assert!(known.contains(&name), "{name:?} is no privilege of the platform: {source}");
            }
        }
    }
}
