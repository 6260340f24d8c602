//! `deploy.packages-superseded`: no software package is kept in an old version without need.

use super::{GUIDE, IN_USE, PAGE};
use crate::WHO;
use crate::inputs::{ACTIVE, DETAILS, PACKAGES, Package, active, packages};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

const KEEP_VERSIONS: Setting = Setting::integer("keep_versions", 1, 1, 100)
    .unit("versions")
    .about("how many of the newest versions of a software are kept for each platform");

/// No software package is kept in an old version without need.
pub(crate) const SUPERSEDED: Check = Check::automated("deploy.packages-superseded")
    .title("No software package is kept in an old version without need")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&PACKAGES, &DETAILS, &ACTIVE])
    .settings(&[&KEEP_VERSIONS])
    .guide(GUIDE)
    .what("Groups the packages by vendor, title and platform. A version below the newest `keep_versions` that no active deployment, bundle, automatic deployment or self-service profile uses is a finding.")
    .why("Old versions fill the server's disk and get deployed by mistake.")
    .limits("Versions are compared field by field as numbers, which odd version schemes may not intend. Titles that a vendor renamed are different software.")
    .related(&["deploy.packages-unused", "deploy.self-service-profiles"])
    .remedy(&REMEDY)
    .judge(packages_superseded);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject} and see that nothing uses it; {newest} is there"),
    Step::decision("somebody may want to go back to this version", "keep it, and raise `keep_versions`"),
    Step::console(PAGE, "select it and delete it"),
])
.cautions(&[IN_USE, "A way back to that version is lost with it."])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Deploy User Guide: Managing software"]);

fn packages_superseded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let packages = packages(facts)?;
    let active = active(facts)?;
    let keep = usize::try_from(facts.integer(&KEEP_VERSIONS)?).unwrap_or(1);
    let mut software: BTreeMap<[String; 3], Vec<&Package>> = BTreeMap::new();
    for package in &packages {
        let key = [&package.vendor, &package.title, &package.platform].map(|text| text.to_lowercase());
        software.entry(key).or_default().push(package);
    }
    let mut unknown = Vec::new();
    for versions in software.values_mut() {
        versions.sort_by_key(|package| Reverse(package.version()));
        let newest = versions[0];
        let mut kept: Vec<ProductVersion> = versions.iter().map(|package| package.version()).collect();
        kept.dedup();
        kept.truncate(keep);
        for package in versions.iter().filter(|package| !kept.contains(&package.version())) {
            match package.uses() {
                Err(reason) => unknown.push(reason),
                Ok(uses) if uses.offered || uses.is_deployed(&active) => {}
                Ok(_) => report.finding(
                    Finding::on(package.subject())
                        .says(format!(
                            "is kept although version {} is there and nothing uses this one",
                            newest.version
                        ))
                        .expected(format!("the newest {keep} of each software, and what is in use"))
                        .fill("newest", newest.name())
                        .evidence(facts.seen(&DETAILS, [&package.version, &newest.version])),
                ),
            }
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::super::unused::tests::{package, unused_package};
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(details: Value) -> Case {
        Case::of(&SUPERSEDED)
            .rows(&PACKAGES, details.clone())
            .rows(&DETAILS, details)
            .rows(&ACTIVE, json!([{"id": 48, "statusLabel": "Active"}]))
    }

    fn versions(old: Value) -> Case {
        case(json!([unused_package(1, "25.1.10", "windows"), old]))
    }

    #[test]
    fn an_old_version_that_nothing_uses_is_found() {
        versions(unused_package(2, "25.1.9", "windows")).judge().assert_findings(&["2"]);
        versions(unused_package(2, "25.1.9", "macos")).judge().assert_pass();
        versions(unused_package(2, "25.1.10", "Windows")).judge().assert_pass();
        versions(unused_package(2, "25.1.9", "windows")).setting("keep_versions", 2).judge().assert_pass();
        versions(unused_package(2, "25.1.10", "windows")).assert_needs_its_inputs();
    }

    #[test]
    fn what_is_in_use_stays() {
        let used = |uses: Value| versions(package(2, "25.1.9", "windows", uses));
        used(json!({"deployments": [{"id": 48}]})).judge().assert_pass();
        used(json!({"deployments": [{"id": 47}]})).judge().assert_findings(&["2"]);
        used(json!({"bundles": [{"id": 3}]})).judge().assert_pass();
        used(json!({"profiles": [{"id": 3}]})).judge().assert_pass();
        used(json!({"autoDeploymentConfigurations": [{"id": 3}]})).judge().assert_pass();
    }

    #[test]
    fn without_the_uses_nothing_is_decided_and_deleted_ones_do_not_count() {
        versions(package(2, "25.1.9", "windows", Value::Null))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let mut deleted = unused_package(2, "25.1.9", "windows");
        deleted["deletedAt"] = json!("2026-01-01T00:00:00Z");
        versions(deleted).judge().assert_pass();
        case(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let no_ids = case(json!([])).rows(&PACKAGES, json!([{"productName": "x"}]));
        no_ids.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_says_yes_or_no() {
        let row = |id: u64, version: &str, used: &str| json!({"ID": id, "Vendor": "V", "Title": "T", "Version": version, "Platform": "windows", "In Use": used});
        let list = |used: &str| case(json!([row(1, "2.0", "yes"), row(2, "1.0", used)]));
        list("No").judge().assert_findings(&["2"]);
        list("Yes").judge().assert_pass();
        list("perhaps").judge().assert_undecided(Outcome::NotEvaluated);
    }
}
