//! Guide: *Review and update Deploy self-service profiles*, page 42.

use crate::WHO;
use crate::inputs::{
    ACTIVITY, PACKAGES, PROFILES, Package, Profile, SEEN_FAILURES, activities, named, recent_failures,
};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and update Deploy self-service profiles", 42)];
/// The guide prints another way to this page, by way of Administration.
const PROFILE_PAGE: &str = "Modules > Deploy > Self Service Profiles";
const TROUBLESHOOTING: Step = Step::consult(
    "the Deploy User Guide: Monitor and troubleshoot software installed by self service user request",
    "find out why the operation fails",
);
const REACHES_USERS: &str = "A change of a profile reaches users at once.";

const MAX_FAILURES: Setting = Setting::integer("max_failures", 0, 0, 1_000_000)
    .about("how many failures by self service a software may have within half a year");

/// Self-service deployments have no failures.
pub(crate) const FAILURES: Check = Check::automated("deploy.self-service-failures")
    .title("Self-service deployments have no failures")
    .cadence(&[Cadence::SemiAnnual])
    .severity(Severity::Medium)
    .reads(&[&ACTIVITY, &SEEN_FAILURES, &PACKAGES])
    .settings(&[&MAX_FAILURES])
    .guide(GUIDE)
    .what("Reads the failures by self service of each software. More than `max_failures` within half a year are a finding.")
    .why("A user whose installation failed calls the help desk, or gives up.")
    .limits("The service counts since ever and tells no dates: what earlier runs counted half a year ago is taken off. Until tancheck has run for so long, older failures count as well.")
    .related(&["deploy.self-service-profiles", "deploy.metric-self-service"])
    .remedy(&FAILURES_REMEDY)
    .judge(self_service_failures);

const FAILURES_REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Deploy > Deployments > Self Service", "open {subject} and read its errors"),
    TROUBLESHOOTING,
    Step::console(PROFILE_PAGE, "edit, make anew or delete the profile where it is the cause"),
])
.cautions(&[REACHES_USERS])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Deploy User Guide: Managing end-user self service"]);

fn self_service_failures(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let activities = activities(facts)?;
    let recent = recent_failures(&activities, facts.points(&SEEN_FAILURES)?, facts);
    let limit = facts.integer(&MAX_FAILURES)?;
    if activities.is_empty() {
        report.note("nobody used self service so far");
    }
    for activity in &activities {
        let key = activity.key();
        report.measure(&format!("deploy.self-service-failures.{key}"), activity.failed(), "failures");
        let failures = recent[&key];
        if failures > limit as f64 {
            let all = activity.succeeded() + activity.failed();
            let share = 100.0 * activity.failed() / all.max(1.0);
            report.finding(
                Finding::on(Subject::new("software", &key, named(facts, activity)))
                    .says(format!(
                        "{failures} failures by self service; {share:.0} percent of all operations so far"
                    ))
                    .expected(format!("at most {limit} within half a year"))
                    .evidence(facts.seen(&ACTIVITY, [activity.failed(), all])),
            );
        }
    }
    Ok(())
}

/// All self-service profiles succeeded in all operations.
pub(crate) const PROFILES_SUCCEEDED: Check = Check::automated("deploy.self-service-profiles")
    .title("All self-service profiles succeeded in all operations")
    .cadence(&[Cadence::SemiAnnual])
    .severity(Severity::Medium)
    .reads(&[&PROFILES, &ACTIVITY, &SEEN_FAILURES, &PACKAGES])
    .guide(GUIDE)
    .what("Looks at each self-service profile: whether it offers software with failures within half a year, a package that is not there any more, no software at all, or offers it to nobody.")
    .why("Users see what a profile promises; what does not work, they meet first.")
    .limits("The service does not tell the state of single operations: failures are those of the software, whichever profile offered it. An exported list tells the operations themselves.")
    .related(&["deploy.self-service-failures", "deploy.packages-superseded"])
    .remedy(&PROFILES_REMEDY)
    .judge(self_service_profiles);

const PROFILES_REMEDY: Remedy = Remedy::new(&[
    Step::console(PROFILE_PAGE, "expand {subject} and read which operation did not succeed: {troubles}"),
    TROUBLESHOOTING,
    Step::console(PROFILE_PAGE, "edit, make anew or delete the profile"),
])
.cautions(&[REACHES_USERS])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Deploy User Guide: Managing end-user self service"]);

fn self_service_profiles(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let profiles: Vec<Profile> = facts.rows(&PROFILES)?;
    if profiles.is_empty() {
        return Err(facts.absent(&PROFILES, "there is no self-service profile"));
    }
    if facts.source(&PROFILES)? == "export" {
        return by_operation(facts, report, &profiles);
    }
    let activities = activities(facts)?;
    let recent = recent_failures(&activities, facts.points(&SEEN_FAILURES)?, facts);
    let failing: BTreeMap<String, String> = activities
        .iter()
        .filter(|activity| recent[&activity.key()] > 0.0)
        .map(|activity| (activity.key(), format!("{} fails", named(facts, activity))))
        .collect();
    let packages: Vec<Package> = facts.rows(&PACKAGES)?;
    let known: BTreeSet<&str> = packages.iter().map(|package| package.id.as_str()).collect();
    for profile in &profiles {
        let mut troubles: Vec<String> = Vec::new();
        if profile.is_empty() {
            troubles.push("it offers nothing".to_owned());
        }
        if profile.is_for_nobody() {
            troubles.push("it is for nobody: no computer group is its target".to_owned());
        }
        let missing = profile.packages().filter(|id| !known.contains(id));
        troubles.extend(missing.map(|id| format!("the software package {id} is not there")));
        troubles.extend(profile.keys().iter().filter_map(|key| failing.get(key).cloned()));
        add(facts, report, profile, &troubles);
    }
    Ok(())
}

/// An exported list has one row for each operation.
fn by_operation(facts: &Facts<'_>, report: &mut Report, rows: &[Profile]) -> Result<(), Undecided> {
    let mut troubles: BTreeMap<&str, (&Profile, Vec<String>)> = BTreeMap::new();
    let mut unknown = Vec::new();
    for row in rows {
        let (_, troubles) = troubles.entry(&row.name).or_insert((row, Vec::new()));
        let what = format!("{} of {}", row.operation, row.told_software);
        match row.status.trim().to_ascii_lowercase().as_str() {
            "success" | "successful" | "succeeded" => {}
            "failed" | "failure" | "error" => troubles.push(format!("{what}: {}", row.status)),
            status => unknown.push(format!("{what} in {} has the unknown status {status:?}", row.name)),
        }
    }
    troubles.values().for_each(|(profile, troubles)| add(facts, report, profile, troubles));
    settle(&unknown)
}

fn add(facts: &Facts<'_>, report: &mut Report, profile: &Profile, troubles: &[String]) {
    if troubles.is_empty() {
        return;
    }
    report.finding(
        Finding::on(profile.subject())
            .says(troubles.join("; "))
            .expected("software that is there, works, and is offered to somebody")
            .fill("troubles", troubles.join("; "))
            .evidence(facts.seen(&PROFILES, troubles)),
    );
}

const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("self_service_review_due_every_days", 182, 1, 730)
    .unit("days")
    .about("how often somebody compares the self-service profiles with what users should be able to do")
    .from_guide();

/// Users have all the self-service capabilities they should have.
pub(crate) const REVIEW: Check = Check::attested("deploy.self-service-review")
    .title("Users have all the self-service capabilities they should have")
    .cadence(&[Cadence::SemiAnnual])
    .severity(Severity::Low)
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Asks twice a year whether somebody compared the self-service profiles with the service catalogue.")
    .why("What users should be able to do themselves changes; profiles change only when somebody changes them.")
    .related(&["deploy.self-service-profiles", "deploy.self-service-failures"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        PROFILE_PAGE,
        "compare each profile, its software and its targets with the service catalogue",
    ),
    Step::decision("something is missing or no longer wanted", "edit, make or delete profiles"),
    Step::command("tancheck attest deploy.self-service-review --result done", "records the review"),
])
.cautions(&[REACHES_USERS])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Deploy User Guide: Managing end-user self service"]);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn counts(failed: u64) -> Value {
        json!([{"softwarePackageId": "76", "softwarePackageBundleId": null, "installedCount": 9, "updatedCount": 0,
            "removedCount": 0, "failedCount": failed}])
    }

    fn failures(failed: u64, seen: &[f64]) -> Case {
        Case::of(&FAILURES)
            .rows(&ACTIVITY, counts(failed))
            .rows(&PACKAGES, json!([{"id": 76, "productVendor": "Adobe", "productName": "Reader"}]))
            .weekly(&SEEN_FAILURES, "deploy.self-service-failures.76", seen)
    }

    #[test]
    fn failures_of_the_last_half_year_are_found() {
        failures(0, &[]).judge().assert_pass();
        // The list of packages only names them.
        let bare = Case::of(&FAILURES).rows(&ACTIVITY, counts(0)).weekly(&SEEN_FAILURES, "x", &[]);
        bare.assert_needs_its_inputs();
        let verdict = failures(3, &[]).judge();
        verdict.assert_findings(&["76"]);
        assert_eq!(verdict.findings()[0].subject.name, "Adobe Reader");
        assert_eq!(verdict.measures()[0].value, 3.0);
        failures(3, &[3.0; 20]).judge().assert_findings(&["76"]);
        failures(3, &[3.0; 27]).judge().assert_pass();
        failures(2, &[3.0; 27]).judge().assert_findings(&["76"]);
        failures(3, &[]).setting("max_failures", 3).judge().assert_pass();
    }

    #[test]
    fn counts_that_are_not_told_are_no_zero() {
        let case =
            |rows: Value| Case::of(&FAILURES).rows(&ACTIVITY, rows).weekly(&SEEN_FAILURES, "x", &[]).judge();
        case(json!([{"softwarePackageId": "76"}])).assert_undecided(Outcome::NotEvaluated);
        case(json!([])).assert_pass();
        let told = json!([{"Software": "Reader", "Installs": 4, "Updates": 0, "Removals": 0, "Failures": 1}]);
        case(told).assert_findings(&["reader"]);
    }

    fn profiles(change: &Value, failed: u64) -> Case {
        let mut profile = json!({"id": 2, "name": "Adobe", "software": {"packages": [{"id": 76, "install": true}]},
            "target": {"computerGroupIds": [1], "questionGroupIds": [], "limitingGroupIds": []}});
        for (key, value) in change.as_object().unwrap() {
            profile[key] = value.clone();
        }
        Case::of(&PROFILES_SUCCEEDED)
            .rows(&PROFILES, json!([profile]))
            .rows(&ACTIVITY, counts(failed))
            .rows(&PACKAGES, json!([{"id": 76, "productName": "Reader"}]))
            .weekly(&SEEN_FAILURES, "x", &[])
    }

    #[test]
    fn a_profile_that_works_for_somebody_passes() {
        profiles(&json!({}), 0).judge().assert_pass();
        profiles(&json!({}), 0).assert_needs_its_inputs();
        profiles(&json!({}), 1).judge().assert_findings(&["2"]);
        let groups = |computers: Value, questions: Value| {
            profiles(&json!({"target": {"computerGroupIds": computers, "questionGroupIds": questions}}), 0)
                .judge()
        };
        groups(json!([]), json!([])).assert_findings(&["2"]);
        groups(json!([]), json!([138])).assert_pass();
        profiles(&json!({"software": {"packages": []}}), 0).judge().assert_findings(&["2"]);
        let bundle = json!({"software": {"packages": [], "bundles": [{"id": 5}]}});
        profiles(&bundle, 0).judge().assert_pass();
        profiles(&json!({"software": {"packages": [{"id": 80}]}}), 0).judge().assert_findings(&["2"]);
        let none = profiles(&json!({}), 0).rows(&PROFILES, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn an_exported_list_tells_each_operation() {
        let told = |status: &str| {
            let row =
                json!({"Profile": "Adobe", "Software": "Reader", "Operation": "Install", "Status": status});
            profiles(&json!({}), 0)
                .rows(&PROFILES, json!([row]))
                .from_source(&PROFILES, "export", "2026-06-30T00:00:00Z")
                .judge()
        };
        told("Succeeded").assert_pass();
        told("Failed").assert_findings(&["Adobe"]);
        told("green").assert_undecided(Outcome::NotEvaluated);
    }
}
