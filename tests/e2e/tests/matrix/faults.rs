//! Each fault of the lab → exactly its findings.

use crate::site::{Row, list, manifests};
use crate::tables::{Table, affected, healthy, is_absent, is_walked, plugin_of, side_effect, tables};
use crate::walk::{batches, walk};
use serde_json::Value;
use std::collections::BTreeSet;
use tancheck_lab::faults::{ALL, Fault};

/// Every check that a judge decides has a fault that breaks it.
#[test]
fn every_judged_check_has_a_fault() {
    let broken: BTreeSet<&str> = ALL.iter().flat_map(|fault| fault.breaks.iter().copied()).collect();
    let changed = tables().values().flat_map(|table| table.changes.values());
    let changed: BTreeSet<&str> = changed.flat_map(|change| &change.breaks).map(String::as_str).collect();
    let elsewhere = |id: &&str| tables().values().any(|table| table.elsewhere.contains_key(*id));
    let checks = manifests().iter().flat_map(|manifest| list(manifest, "checks"));
    let without: Vec<&str> = checks
        .filter(|check| check["judged"] == true)
        .map(|check| check["id"].as_str().unwrap())
        .filter(|id| is_walked(plugin_of(id)) && !broken.contains(id) && !changed.contains(id))
        .filter(|id| !elsewhere(id))
        .collect();
    assert!(without.is_empty(), "checks that no fault breaks: {without:#?}");
}

#[test]
fn a_fault_breaks_its_checks_and_no_other() {
    let faults: Vec<&Fault> = ALL.iter().copied().filter(|fault| is_interesting(fault)).collect();
    // Faults of different plugins are told apart by what they break.
    let all: Vec<(&Fault, BTreeSet<&str>)> = faults.iter().map(|fault| (*fault, plugins(fault))).collect();
    let all: Vec<&(&Fault, BTreeSet<&str>)> = all.iter().collect();
    let batches = batches(&all, |one, other| !one.1.is_disjoint(&other.1));
    let wrong = walk(&batches, |site, batch| {
        site.lab.clear_faults();
        batch.iter().for_each(|(fault, _)| site.lab.inject(fault.name).unwrap());
        site.export();
        let report = site.try_out(&[]);
        let faults: Vec<&Fault> = batch.iter().map(|(fault, _)| *fault).collect();
        let names: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
        let wanted = |check: Row<'_>| {
            let effect = faults.iter().find_map(|fault| effect(fault, check));
            effect.unwrap_or_else(|| healthy(check.id()))
        };
        let surprises = report.checks().filter_map(|check| surprise(wanted(check), check));
        surprises.map(|surprise| format!("{}: {surprise}", names.join(" + "))).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the site has wrong is found as well, and by no other check.
#[test]
fn a_change_of_the_site_breaks_its_checks_and_no_other() {
    let of_plugin = |(plugin, table): (&'static String, &'static Table)| {
        table.changes.iter().map(move |(name, change)| (plugin.as_str(), name.as_str(), change))
    };
    let walked = tables().iter().filter(|(plugin, _)| is_walked(plugin));
    let batches: Vec<_> = walked.flat_map(of_plugin).map(|change| vec![change]).collect();
    let wrong = walk(&batches, |site, batch| {
        site.lab.clear_faults();
        let [(plugin, name, change)] = batch else { panic!("each change is tried by itself") };
        let arguments = site.change(plugin, change);
        let report = site.try_out(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let wanted = |check: Row<'_>| change.effect(check.id()).unwrap_or_else(|| healthy(check.id()));
        let surprises = report.checks().filter_map(|check| surprise(wanted(check), check));
        surprises.map(|surprise| format!("{name} ({}): {surprise}", change.about)).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The plugins whose checks a fault changes.
fn plugins(fault: &Fault) -> BTreeSet<&'static str> {
    let broken = fault.breaks.iter().copied();
    let mut plugins: BTreeSet<&str> = broken.chain(affected(fault.name)).map(plugin_of).collect();
    plugins.extend(tables().keys().map(String::as_str).filter(|plugin| is_absent(plugin, fault.name)));
    plugins
}

/// Whether a fault is about a plugin that the walk looks at.
fn is_interesting(fault: &Fault) -> bool {
    let plugins = tables().keys().filter(|plugin| is_walked(plugin));
    let is_about = |plugin: &String| {
        is_absent(plugin, fault.name) || fault.breaks.iter().any(|check| plugin_of(check) == plugin)
    };
    fault.breaks.is_empty() || plugins.into_iter().any(is_about)
}

/// What a fault makes of a check; nothing where it leaves it alone.
fn effect(fault: &Fault, check: Row<'_>) -> Option<&'static str> {
    let id = check.id();
    match side_effect(fault.name, id) {
        Some(outcome) => Some(outcome),
        None if fault.breaks.contains(&id) && check.is_attested() => Some("attestation-due"),
        None if fault.breaks.contains(&id) => Some("finding"),
        None if is_even_if_absent(id) => None,
        None => is_absent(plugin_of(id), fault.name).then_some("not-applicable"),
    }
}

/// Whether a check is judged where its module is absent, too.
fn is_even_if_absent(id: &str) -> bool {
    let mut checks = manifests().iter().flat_map(|manifest| list(manifest, "checks"));
    checks.any(|check| check["id"] == id && check["even_if_absent"] == true)
}

/// What is not as the tables want it.
fn surprise(wanted: &str, check: Row<'_>) -> Option<String> {
    let id = check.id();
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
