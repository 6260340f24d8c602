//! `patch.deployment-uninitialized`, `patch.target-deleted`: active deployments can reach their targets. The guide does
//! not ask for these; the fields are in the vendor's description of the service.

use super::{ONLY_TARGETS, STOPPING};
use crate::WHO;
use crate::inputs::{DEPLOYMENT_DETAILS, DEPLOYMENTS, TargetGroup, active_details, deployments};
use tancheck_plugin_api::prelude::*;

/// Active deployments are initialised.
pub(crate) const UNINITIALIZED: Check = Check::automated("patch.deployment-uninitialized")
    .title("Every active deployment is initialised on the server")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&DEPLOYMENTS])
    .what("Lists active deployments for which the Tanium Server has not got the objects yet that bring them to the endpoints.")
    .why("Such a deployment is active in the list and installs nothing anywhere.")
    .limits("A deployment that was created a minute ago may not be initialised yet. An exported list does not tell.")
    .related(&["patch.deployment-errors", "patch.job-failed"])
    .beyond()
    .remedy(&UNINITIALIZED_REMEDY)
    .judge(uninitialized);

const UNINITIALIZED_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Deployments > {subject}",
        "look at its status; if it stays uninitialised, reinitialise it",
    ),
    Step::decision("that does not help", "look at failed jobs: patch.job-failed"),
    Step::support("send a Patch support bundle"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&["Once it is initialised, it installs on its targets, at once if its time has come."])
.references(&["Patch User Guide: Troubleshooting"]);

fn uninitialized(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let all = deployments(facts)?;
    let mut unknown = all.unknown.clone();
    for deployment in all.active() {
        match deployment.initialized_at {
            Some(Some(_)) => {}
            Some(None) => report.finding(
                Finding::on(deployment.subject())
                    .says("is active, but not initialised on the server")
                    .expected("an initialised deployment")
                    .evidence(facts.seen(&DEPLOYMENTS, "initializedAt is null")),
            ),
            None => unknown.push(format!("it is not told whether {} is initialised", deployment.name)),
        }
    }
    settle(&unknown)
}

/// Targets of active deployments exist.
pub(crate) const TARGET_DELETED: Check = Check::automated("patch.target-deleted")
    .title("The targets of active deployments exist")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&DEPLOYMENTS, &DEPLOYMENT_DETAILS])
    .what("Lists active deployments with a targeted or limiting computer group that was deleted.")
    .why("The endpoints of a deleted group are no longer patched by the deployment, and a limit that is gone limits nothing or everything.")
    .related(&["patch.deployment-misconfigured"])
    .beyond()
    .remedy(&TARGET_DELETED_REMEDY)
    .judge(target_deleted);

const TARGET_DELETED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever deleted {groups}", "which endpoints were in it, and where they are now"),
    Step::console("Modules > Patch > Deployments > {subject}", "add the computer groups that hold them now"),
    Step::decision("it was a group that limits the targets", "stop the deployment and create another one"),
])
.cautions(&[ONLY_TARGETS, STOPPING])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Patch User Guide: Add targets to an existing deployment"]);

fn target_deleted(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for detail in &active_details(facts)? {
        if detail.tanium_groups.is_none() || detail.all_groups().any(|group| group.is_deleted.is_none()) {
            unknown.push(format!("it is not told whether the targets of {} exist", detail.name));
        }
        let gone: Vec<&str> = detail
            .all_groups()
            .filter(|group| group.is_deleted == Some(true))
            .map(TargetGroup::label)
            .collect();
        if !gone.is_empty() {
            report.finding(
                Finding::on(detail.subject())
                    .says(format!("targets deleted groups: {}", gone.join(", ")))
                    .expected("targets that exist")
                    .affected(gone.len() as u64, Some(detail.all_groups().count() as u64))
                    .sample(gone.iter().copied())
                    .fill("groups", gone.join(", "))
                    .evidence(facts.seen(&DEPLOYMENT_DETAILS, &gone)),
            );
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn list(extra: Value) -> Value {
        let mut row = json!({"id": 4, "name": "Monthly", "isActive": true});
        for (key, value) in extra.as_object().unwrap() {
            row[key] = value.clone();
        }
        json!([row])
    }

    #[test]
    fn an_active_deployment_has_to_be_initialised() {
        let case = |extra| Case::of(&UNINITIALIZED).rows(&DEPLOYMENTS, list(extra));
        case(json!({"initializedAt": "2026-06-01T00:00:00Z"})).judge().assert_pass();
        case(json!({"initializedAt": null})).judge().assert_findings(&["4"]);
        case(json!({"initializedAt": null, "isActive": false, "isEnded": true})).judge().assert_pass();
        case(json!({})).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!({"initializedAt": "2026-06-01T00:00:00Z"})).assert_needs_its_inputs();
    }

    #[test]
    fn deleted_targets_are_found() {
        let case = |groups: Value, limits: Value| {
            Case::of(&TARGET_DELETED).rows(&DEPLOYMENTS, list(json!({}))).rows(
                &DEPLOYMENT_DETAILS,
                json!([{"id": 4, "name": "Monthly", "taniumGroups": groups, "targetLimitingGroups": limits}]),
            )
        };
        let group = |deleted: Value| json!([{"id": 5, "name": null, "text": " Is AIX equals True", "isDeleted": deleted}]);
        case(group(json!(false)), json!([])).judge().assert_pass();
        let verdict = case(group(json!(true)), json!([])).judge();
        verdict.assert_findings(&["4"]);
        assert_eq!(verdict.findings()[0].values["groups"], "Is AIX equals True");
        case(group(json!(false)), group(json!(true))).judge().assert_findings(&["4"]);
        case(group(json!(null)), json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!(null), json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(group(json!(false)), json!([])).assert_needs_its_inputs();
    }
}
