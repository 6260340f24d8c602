//! Each fault of the lab → exactly its findings.

use crate::expected::{FAULTS_ELSEWHERE, SIDE_EFFECTS};
use crate::healthy;
use crate::site::Site;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_lab::faults::ALL;

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
    let site = Site::with_history();
    let known: BTreeSet<String> =
        site.checks().iter().map(|check| check["id"].as_str().unwrap().to_owned()).collect();
    let mut wrong: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for fault in ALL.iter() {
        site.lab.clear_faults();
        site.lab.inject(fault.name).unwrap();
        site.export();
        let report = site.try_out(&[]);
        let breaks: BTreeSet<&str> = fault.breaks.iter().copied().filter(|id| known.contains(*id)).collect();
        let effects: &[(&str, &str)] =
            SIDE_EFFECTS.iter().find(|(name, _)| *name == fault.name).map_or(&[], |(_, effects)| effects);
        for check in report.checks() {
            let id = check.id();
            let effect = effects.iter().find(|(check, _)| *check == id).map(|(_, outcome)| *outcome);
            let wanted = match effect {
                Some(outcome) => outcome,
                None if breaks.contains(id) => "finding",
                None => healthy(id),
            };
            let mut said = String::new();
            if check.outcome() != wanted {
                said = format!("{} instead of {wanted}: {}", check.outcome(), check.why());
            } else if check.outcome() == "finding" {
                for finding in check.items() {
                    let steps = finding["remedy"]["steps"].as_array().map_or(0, Vec::len);
                    if steps == 0 || finding["severity"].is_null() || finding["evidence"][0].is_null() {
                        said = format!("a finding without severity, evidence or remedy: {finding}");
                    }
                }
            }
            if !said.is_empty() {
                wrong.entry(fault.name).or_default().insert(id.to_owned(), said);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
