//! Guide: *Stop unneeded ongoing deployments*, page 25.

use crate::WHO;
use crate::inputs::{ACTIVE, DETAILS, Deployment, PACKAGES, Package, packages};
use tancheck_plugin_api::prelude::*;

const AGE_DAYS: Setting = Setting::integer("age_days", 90, 1, 3650)
    .unit("days")
    .about("how long a deployment may be active before somebody is asked whether it is still needed");

/// No ongoing deployment runs without need.
pub(crate) const UNNEEDED: Check = Check::hybrid("deploy.deployments-unneeded")
    .title("No ongoing deployment runs without need")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&ACTIVE, &PACKAGES, &DETAILS])
    .settings(&[&AGE_DAYS])
    .guide(&[guide("Stop unneeded ongoing deployments", 25)])
    .what("Lists active deployments that are older than `age_days` and have no end, have nothing left to do on any endpoint, or deploy a version of which a newer one is there. A person may confirm that one is needed; the confirmation ends when the reasons change.")
    .why("Each active deployment is evaluated by every endpoint, again and again.")
    .limits("Newer versions are recognized by the same title only. Where the service leaves out how far endpoints are, that reason cannot be seen.")
    .related(&["deploy.packages-superseded"])
    .remedy(&REMEDY)
    .judge(deployments_unneeded);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("{author}", "whether {subject} is still needed"),
    Step::decision(
        "it is needed",
        "confirm it: tancheck attest deploy.deployments-unneeded --subject {id} --result done",
    ),
    Step::decision("an older version is deployed", "make a deployment of the newer one first"),
    Step::console("Modules > Deploy > Deployments > Active", "open {subject} and stop it"),
])
.cautions(&["Endpoints that were offline do not get the software any more once the deployment is stopped."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Deploy User Guide"]);

fn deployments_unneeded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let deployments: Vec<Deployment> = facts.rows(&ACTIVE)?;
    let limit = facts.integer(&AGE_DAYS)?;
    let mut old = Vec::new();
    let mut unknown = Vec::new();
    for deployment in &deployments {
        match (deployment.status.as_str(), deployment.start) {
            ("Scheduled" | "Finished" | "Stopped", _) => {}
            // An exported list holds active ones only.
            ("Active" | "", Some(start)) if facts.days_since(start) > limit => old.push((deployment, start)),
            ("Active" | "", Some(_)) => {}
            ("Active" | "", None) => unknown.push(format!("{} has no start", deployment.name)),
            (status, _) => unknown.push(format!("{} has the unknown status {status:?}", deployment.name)),
        }
    }
    // Packages are only needed where there is something to look up.
    let packages = match old.iter().any(|(deployment, _)| !deployment.package.is_empty()) {
        true => packages(facts)?,
        false => Vec::new(),
    };
    for (deployment, start) in old {
        match reasons(deployment, &packages) {
            Ok(reasons) if reasons.is_empty() => {}
            Ok(reasons) => {
                let (days, reasons) = (facts.days_since(start), reasons.join("; "));
                let author = match deployment.author.as_str() {
                    "" => "whoever made it".to_owned(),
                    author => format!("{author}, who made it"),
                };
                report.finding(
                    Finding::on(deployment.subject())
                        .says(format!("is active for {days} days: {reasons}"))
                        .expected(format!("an end within {limit} days, or somebody who says why it goes on"))
                        .fill("author", author)
                        .fill("id", &deployment.id)
                        .evidence(facts.seen(&ACTIVE, [start.to_string(), reasons.clone()]))
                        .confirms(reasons),
                );
            }
            Err(reason) => unknown.push(reason),
        }
    }
    settle(&unknown)
}

fn reasons(deployment: &Deployment, packages: &[Package]) -> Result<Vec<String>, String> {
    let mut reasons = Vec::new();
    if deployment.end.is_none() {
        reasons.push("it has no end".to_owned());
    }
    match deployment.is_complete() {
        Ok(Some(true)) => reasons.push("nothing is left to do on any endpoint".to_owned()),
        Ok(_) => {}
        Err(unknown) => return Err(format!("{}: {unknown}", deployment.name)),
    }
    let package = packages.iter().find(|package| package.id == deployment.package);
    if let Some(newest) = package.and_then(Package::newer) {
        reasons.push(format!("version {newest} of its software is there"));
    }
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(changes: Value) -> Case {
        let mut deployment = json!({"id": 3, "name": "Update 7-Zip", "statusLabel": "Active", "softwarePackageId": 72,
            "startTime": "2026-01-01T00:00:00.000Z", "endTime": "2027-01-01T00:00:00.000Z",
            "createdByTaniumUserName": "ann", "status": {"counts": [{"status": "Complete", "count": 9},
            {"status": "Running", "count": 1}]}});
        for (key, value) in changes.as_object().unwrap() {
            deployment[key] = value.clone();
        }
        let package = json!({"id": 72, "productName": "7-Zip", "productVersion": "19.0", "platform": "windows",
            "inUse": {"deployments": [{"id": 3}], "siblings": [
                {"productVersion": "24.1", "platform": "macos"}, {"productVersion": "18.9", "platform": "windows"}]}});
        Case::of(&UNNEEDED)
            .rows(&ACTIVE, json!([deployment]))
            .rows(&PACKAGES, json!([package]))
            .rows(&DETAILS, json!([package]))
    }

    #[test]
    fn a_deployment_that_ends_and_has_work_left_passes() {
        case(json!({})).judge().assert_pass();
        case(json!({})).assert_needs_its_inputs();
    }

    #[test]
    fn no_end_and_no_work_left_are_reasons() {
        let verdict = case(json!({"endTime": null})).judge();
        verdict.assert_findings(&["3"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("it has no end"));
        let done = json!({"counts": [{"status": "Complete", "count": 9}, {"status": "Not Applicable", "count": 1},
            {"status": "Running", "count": 0}]});
        case(json!({"status": done})).judge().assert_findings(&["3"]);
        case(json!({"status": {"counts": {}}})).judge().assert_pass();
        let odd = json!({"counts": [{"status": "Dreaming", "count": 1}]});
        case(json!({"status": odd})).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_newer_version_is_a_reason() {
        let package = json!([{"id": 72, "productVersion": "19.0", "platform": "windows",
            "inUse": {"siblings": [{"productVersion": "24.1", "platform": "windows"}]}}]);
        let verdict = case(json!({})).rows(&DETAILS, package).judge();
        verdict.assert_findings(&["3"]);
        assert!(verdict.findings()[0].says.contains("version 24.1"), "{}", verdict.findings()[0].says);
    }

    #[test]
    fn young_and_scheduled_ones_pass_and_unknown_words_decide_nothing() {
        case(json!({"endTime": null, "startTime": "2026-06-01T00:00:00Z"})).judge().assert_pass();
        case(json!({"endTime": null, "startTime": "2026-06-01T00:00:00Z"}))
            .setting("age_days", 20)
            .judge()
            .assert_findings(&["3"]);
        case(json!({"endTime": null, "statusLabel": "Scheduled"})).judge().assert_pass();
        case(json!({"statusLabel": "Pondering"})).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!({"startTime": null})).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_row_counts_as_active() {
        let row = |end: &str, complete: u64| {
            let row = json!({"ID": 3, "Name": "Update 7-Zip", "Start": "2026-01-01", "End": end, "Package": "7-Zip",
                "Targeted": 10, "Complete": complete});
            Case::of(&UNNEEDED).rows(&ACTIVE, json!([row])).judge()
        };
        row("2027-01-01", 9).assert_pass();
        row("2027-01-01", 10).assert_findings(&["3"]);
        row("", 9).assert_findings(&["3"]);
    }
}
