//! `deploy.packages-unused`: no software package is kept for software nobody uses.

use super::{GUIDE, IN_USE, PAGE};
use crate::WHO;
use crate::inputs::{
    ACTIVE, ACTIVITY, Activity, DETAILS, Deployment, ENDED, PACKAGES, Package, SEEN_REQUESTS, UNUSED_DAYS,
    active, activities, packages,
};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;

/// No software package is kept for software nobody uses.
pub(crate) const UNUSED: Check = Check::hybrid("deploy.packages-unused")
    .title("No software package is kept for software nobody uses")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&PACKAGES, &DETAILS, &ACTIVE, &ENDED, &ACTIVITY, &SEEN_REQUESTS])
    .settings(&[&UNUSED_DAYS])
    .guide(GUIDE)
    .what("Lists packages that were neither changed nor deployed within `unused_days`, that no active deployment, bundle or automatic deployment uses, and that no user asked for by self service in that time. A person may confirm that a package is kept on purpose.")
    .why("What nobody uses still gets updated, reviewed and offered.")
    .limits("The service tells no date of last use. Requests by self service are running totals, so a package that a profile offers is judged only when earlier runs reach back `unused_days`, or saw a request since.")
    .related(&["deploy.packages-superseded"])
    .remedy(&REMEDY)
    .judge(packages_unused);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the software", "whether {subject} is still needed"),
    Step::decision(
        "it is kept on purpose",
        "confirm it: tancheck attest deploy.packages-unused --subject {id} --result done",
    ),
    Step::console(PAGE, "take it out of the profiles that offer it, then select it and delete it"),
])
.cautions(&[IN_USE])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Deploy User Guide: Managing software"]);

/// What is known about the use of packages.
struct Use<'a> {
    limit: i64,
    active: BTreeSet<String>,
    deployed: BTreeSet<String>,
    requests: BTreeMap<String, f64>,
    seen: &'a [Point],
}

fn packages_unused(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let packages = packages(facts)?;
    let limit = facts.integer(&UNUSED_DAYS)?;
    if facts.source(&DETAILS)? == "export" {
        return by_export(facts, report, &packages, limit);
    }
    let ended: Vec<Deployment> = facts.rows(&ENDED)?;
    let running: Vec<Deployment> = facts.rows(&ACTIVE)?;
    let activities = activities(facts)?;
    let used = Use {
        limit,
        active: active(facts)?,
        deployed: ended.into_iter().chain(running).map(|deployment| deployment.package).collect(),
        requests: activities.iter().map(|one: &Activity| (one.key(), one.succeeded())).collect(),
        seen: facts.points(&SEEN_REQUESTS)?,
    };
    let mut unknown = Vec::new();
    for package in &packages {
        report.measure(&series(package), used.requests_for(package), "requests");
        match used.is_idle(facts, package) {
            Ok(true) => report.finding(finding(facts, package, limit)),
            Ok(false) => {}
            Err(reason) => unknown.push(reason),
        }
    }
    settle(&unknown)
}

/// An exported list tells the use and the last deployment itself.
fn by_export(
    facts: &Facts<'_>,
    report: &mut Report,
    packages: &[Package],
    limit: i64,
) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for package in packages {
        match package.uses() {
            Err(reason) => unknown.push(reason),
            Ok(uses) if uses.is_deployed(&BTreeSet::new()) => {}
            Ok(_) if package.last_deployed.is_some_and(|at| facts.days_since(at) <= limit) => {}
            Ok(_) => report.finding(finding(facts, package, limit)),
        }
    }
    settle(&unknown)
}

impl Use<'_> {
    /// Whether nothing and nobody used a package for long enough.
    fn is_idle(&self, facts: &Facts<'_>, package: &Package) -> Result<bool, String> {
        let uses = package.uses()?;
        if uses.is_deployed(&self.active) || self.deployed.contains(&package.id) {
            return Ok(false);
        }
        let Some(touched) = package.touched() else {
            return Err(format!("it is not told when {} was made or changed", package.name()));
        };
        if facts.days_since(touched) <= self.limit {
            return Ok(false);
        }
        let (series, now) = (series(package), self.requests_for(package));
        let within: Vec<&Point> = self
            .seen
            .iter()
            .filter(|point| point.series == series && facts.days_since(point.at) <= self.limit)
            .collect();
        if within.iter().any(|point| point.value < now) {
            return Ok(false);
        }
        let oldest = self.seen.iter().filter(|point| point.series == series).map(|point| point.at).min();
        let is_known = oldest.is_some_and(|at| facts.days_since(at) >= self.limit);
        if uses.offered && !is_known {
            return Err(format!(
                "self service offers {}, and it is not known for {} days how often it was asked for; run tancheck \
                 every month",
                package.name(),
                self.limit
            ));
        }
        Ok(true)
    }

    fn requests_for(&self, package: &Package) -> f64 {
        self.requests.get(&package.id).copied().unwrap_or_default()
    }
}

fn series(package: &Package) -> String {
    format!("deploy.self-service-requests.{}", package.id)
}

fn finding(facts: &Facts<'_>, package: &Package, limit: i64) -> Finding {
    let changed = package.touched().or(package.last_deployed).map(|at| at.strftime("%Y-%m-%d").to_string());
    Finding::on(package.subject())
        .says(format!("was neither deployed nor asked for within {limit} days"))
        .expected("a use, or somebody who says why it is kept")
        .fill("id", &package.id)
        .evidence(facts.seen(&DETAILS, &changed))
        .confirms(changed.unwrap_or_default())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    pub(crate) fn package(id: u64, version: &str, platform: &str, uses: Value) -> Value {
        json!({"id": id, "productVendor": "Adobe", "productName": "Reader", "productVersion": version,
            "platform": platform, "inUse": uses, "createdAt": "2025-01-01T00:00:00Z", "deletedAt": null})
    }

    pub(crate) fn unused_package(id: u64, version: &str, platform: &str) -> Value {
        let none =
            json!({"deployments": [], "bundles": [], "profiles": [], "autoDeploymentConfigurations": []});
        package(id, version, platform, none)
    }

    fn case(package: Value) -> Case {
        Case::of(&UNUSED)
            .rows(&PACKAGES, json!([package]))
            .rows(&DETAILS, json!([package]))
            .rows(&ACTIVE, json!([{"id": 48}]))
            .rows(&ENDED, json!([{"id": 40, "softwarePackageId": 9}]))
            .rows(&ACTIVITY, json!([{"softwarePackageId": "2", "installedCount": 7, "failedCount": 0}]))
            .weekly(&SEEN_REQUESTS, "deploy.self-service-requests.2", &[])
    }

    #[test]
    fn an_old_package_that_nothing_uses_is_found() {
        let verdict = case(unused_package(2, "1.0", "windows")).judge();
        verdict.assert_findings(&["2"]);
        assert_eq!(verdict.measures()[0].value, 7.0);
        case(unused_package(9, "1.0", "windows")).judge().assert_pass();
        let mut young = unused_package(2, "1.0", "windows");
        young["updatedAt"] = json!("2026-06-01T00:00:00Z");
        case(young.clone()).judge().assert_pass();
        case(young).assert_needs_its_inputs();
        let deployed = package(2, "1.0", "windows", json!({"deployments": [{"id": 48}]}));
        case(deployed).judge().assert_pass();
    }

    #[test]
    fn what_users_ask_for_is_used() {
        let offered = package(2, "1.0", "windows", json!({"profiles": [{"id": 3}]}));
        case(offered.clone()).judge().assert_undecided(Outcome::NotEvaluated);
        let seen = |values: &[f64]| {
            case(offered.clone()).weekly(&SEEN_REQUESTS, "deploy.self-service-requests.2", values)
        };
        seen(&[6.0, 7.0]).judge().assert_pass();
        seen(&[7.0, 7.0]).judge().assert_undecided(Outcome::NotEvaluated);
        seen(&[7.0; 26]).judge().assert_findings(&["2"]);
        seen(&[6.0; 26]).judge().assert_pass();
    }

    #[test]
    fn an_exported_list_tells_the_last_deployment() {
        let told = |used: &str, last: &str| {
            let row = json!({"ID": 2, "Vendor": "V", "Title": "T", "Version": "1", "Platform": "windows",
                "In Use": used, "Last Deployed": last});
            case(row).from_source(&DETAILS, "export", "2026-06-30T00:00:00Z").judge()
        };
        told("no", "2026-01-15").assert_pass();
        told("no", "2025-11-01").assert_findings(&["2"]);
        told("no", "").assert_findings(&["2"]);
        told("yes", "").assert_pass();
        told("", "").assert_undecided(Outcome::NotEvaluated);
    }
}
