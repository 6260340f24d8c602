//! Each fault of the lab → exactly its findings.

use crate::expected::{ABSENT, FAULTS_ELSEWHERE, SIDE_EFFECTS};
use crate::healthy;
use crate::site::{Row, Site, try_each, walks};
use serde_json::Value;
use std::collections::BTreeSet;
use tancheck_lab::faults::{ALL, Fault};

/// Every check that a judge decides has a fault that breaks it.
#[test]
fn every_judged_check_has_a_fault() {
    let broken: BTreeSet<&str> = ALL.iter().flat_map(|fault| fault.breaks.iter().copied()).collect();
    let elsewhere: BTreeSet<&str> = FAULTS_ELSEWHERE.iter().map(|(id, _)| *id).collect();
    let site = Site::bare();
    let manifests = site.manifests();
    let checks = manifests.iter().flat_map(|manifest| manifest["checks"].as_array().unwrap());
    let without: Vec<&str> = checks
        .filter(|check| check["judged"] == true)
        .map(|check| check["id"].as_str().unwrap())
        .filter(|id| !broken.contains(id) && !elsewhere.contains(id))
        .collect();
    assert!(without.is_empty(), "checks that no fault breaks: {without:#?}");
}

#[test]
fn a_fault_breaks_its_checks_and_no_other() {
    if !walks() {
        return;
    }
    let wrong = try_each(&ALL, |site, fault| {
        site.lab.clear_faults();
        site.lab.inject(fault.name).unwrap();
        site.export();
        let report = site.try_out(&[]);
        let surprises = report.checks().filter_map(|check| surprise(fault, check));
        surprises.map(|surprise| format!("{}: {surprise}", fault.name)).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as the fault and the tables want it.
fn surprise(fault: &Fault, check: Row<'_>) -> Option<String> {
    let id = check.id();
    let effects =
        SIDE_EFFECTS.iter().filter(|(name, _)| *name == fault.name).flat_map(|(_, effects)| *effects);
    let plugin = id.split('.').next().unwrap_or_default();
    let wanted = match effects.clone().find(|(check, _)| *check == id) {
        Some((_, outcome)) => outcome,
        None if fault.breaks.contains(&id) && check.is_attested() => "attestation-due",
        None if fault.breaks.contains(&id) => "finding",
        None if ABSENT.contains(&(fault.name, plugin)) => "not-applicable",
        None => healthy(id),
    };
    if check.outcome() != wanted {
        return Some(format!("{id}: {} instead of {wanted}: {}", check.outcome(), check.why()));
    }
    let is_whole = |finding: &&Value| {
        let steps = finding["remedy"]["steps"].as_array().map_or(0, Vec::len);
        steps > 0 && !finding["severity"].is_null() && !finding["evidence"][0].is_null()
    };
    let poor = check.items().find(|finding| wanted == "finding" && !is_whole(finding))?;
    Some(format!("{id}: a finding without severity, evidence or remedy: {poor}"))
}
