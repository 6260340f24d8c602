//! Each fault of the lab → exactly its findings.

use crate::site::{Row, list, manifests, try_each, walks};
use crate::tables::{healthy, is_absent, is_walked, plugin_of, side_effect, tables};
use serde_json::Value;
use std::collections::BTreeSet;
use tancheck_lab::faults::{ALL, Fault};

/// Every check that a judge decides has a fault that breaks it.
#[test]
fn every_judged_check_has_a_fault() {
    let broken: BTreeSet<&str> = ALL.iter().flat_map(|fault| fault.breaks.iter().copied()).collect();
    let elsewhere = |id: &&str| tables().values().any(|table| table.elsewhere.contains_key(*id));
    let checks = manifests().iter().flat_map(|manifest| list(manifest, "checks"));
    let without: Vec<&str> = checks
        .filter(|check| check["judged"] == true)
        .map(|check| check["id"].as_str().unwrap())
        .filter(|id| is_walked(plugin_of(id)) && !broken.contains(id) && !elsewhere(id))
        .collect();
    assert!(without.is_empty(), "checks that no fault breaks: {without:#?}");
}

#[test]
fn a_fault_breaks_its_checks_and_no_other() {
    if !walks() {
        return;
    }
    let faults: Vec<&Fault> = ALL.iter().copied().filter(|fault| is_interesting(fault)).collect();
    let wrong = try_each(&faults, |site, fault| {
        site.lab.clear_faults();
        site.lab.inject(fault.name).unwrap();
        site.export();
        let report = site.try_out(&[]);
        let surprises = report.checks().filter_map(|check| surprise(fault, check));
        surprises.map(|surprise| format!("{}: {surprise}", fault.name)).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a fault is about a plugin that the walk looks at.
fn is_interesting(fault: &Fault) -> bool {
    let plugins = tables().keys().filter(|plugin| is_walked(plugin));
    let is_about = |plugin: &String| {
        is_absent(plugin, fault.name) || fault.breaks.iter().any(|check| plugin_of(check) == plugin)
    };
    fault.breaks.is_empty() || plugins.into_iter().any(is_about)
}

/// What is not as the fault and the tables want it.
fn surprise(fault: &Fault, check: Row<'_>) -> Option<String> {
    let id = check.id();
    let wanted = match side_effect(fault.name, id) {
        Some(outcome) => outcome,
        None if fault.breaks.contains(&id) && check.is_attested() => "attestation-due",
        None if fault.breaks.contains(&id) => "finding",
        None if is_absent(plugin_of(id), fault.name) => "not-applicable",
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
