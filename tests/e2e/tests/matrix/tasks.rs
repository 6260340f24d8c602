//! Tasks for people: due → attested → pass → expired → due.

use crate::site::{Site, list, manifests};
use crate::tables::is_walked;
use std::time::Duration;

#[test]
fn a_task_is_due_until_it_is_attested_and_again_when_that_expires() {
    let site = Site::bare();
    let tasks: Vec<&str> = manifests()
        .iter()
        .filter(|manifest| is_walked(manifest["id"].as_str().unwrap()))
        .flat_map(|manifest| list(manifest, "checks"))
        .filter(|check| check["judged"] == false)
        .map(|check| check["id"].as_str().unwrap())
        .collect();
    let outcomes = |expected: &str| {
        let report = site.run(&[]);
        for task in &tasks {
            let check = report.check(task);
            assert_eq!(check.outcome(), expected, "{task}: {}", check.why());
        }
    };
    outcomes("attestation-due");
    for task in &tasks {
        site.attest(task, None, &site.lab.now().to_string());
    }
    outcomes("pass");
    site.lab.advance(Duration::from_secs(400 * 24 * 3600));
    outcomes("attestation-due");
}

#[test]
fn what_a_judge_lists_for_a_person_is_due_until_it_is_confirmed() {
    if !is_walked("health-check") {
        return;
    }
    let site = Site::bare();
    site.lab.inject("tpan-low").unwrap();
    site.export();
    let check = "health-check.tpan-dispositions";
    let report = site.run(&["--check", check]);
    assert_eq!(report.check(check).outcome(), "attestation-due", "{}", report.check(check).why());
    let key = report.check(check).items().next().unwrap()["subject"]["key"].as_str().unwrap().to_owned();
    site.attest(check, Some(&key), &site.lab.now().to_string());
    let report = site.run(&["--check", check]);
    assert_eq!(report.check(check).outcome(), "pass", "{}", report.check(check).why());
}
