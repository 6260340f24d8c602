//! What the Patch service says about itself: warnings, jobs, the synchronisation of Unified Update Platform patches.
//! The guide does not ask for these.

use crate::WHO;
use crate::action_groups::ACTION_GROUP_CHANGED;
use crate::inputs::{ALERTS, JOBS, UUP_SYNC, count};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::json;

/// A warning of the service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Alert {
    /// A word such as `action-group-change-warning`; the others are not documented.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) description: String,
    /// What the Overview page offers to do about it.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) action: String,
}

/// Patch warns of nothing.
pub(crate) const ALERTS_RAISED: Check = Check::automated("patch.alerts")
    .title("Patch warns of nothing")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&ALERTS])
    .what("Lists the warnings that the Patch service shows at the head of its pages. The one about a changed action group belongs to patch.action-group-targets.")
    .why("The module says itself that something keeps it from working.")
    .related(&["patch.action-group-targets"])
    .beyond()
    .remedy(&ALERTS_REMEDY)
    .judge(alerts);

const ALERTS_REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Patch > Overview", "read the warning: {description}"),
    Step::decision("it offers an action ({action})", "carry it out, then look whether the warning is gone"),
    Step::support("send the warning and a Patch support bundle if it comes back"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Troubleshooting"]);

fn alerts(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let alerts: Vec<Alert> = facts.rows(&ALERTS)?;
    for alert in alerts.iter().filter(|alert| alert.kind != ACTION_GROUP_CHANGED) {
        let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        report.finding(
            Finding::on(Subject::new("warning", &alert.kind, &alert.kind))
                .says(format!("Patch warns: {}", or_none(&alert.description)))
                .expected("no warning")
                .fill("description", or_none(&alert.description))
                .fill("action", or_none(&alert.action))
                .evidence(facts.seen(&ALERTS, [&alert.kind, &alert.description, &alert.action])),
        );
    }
    Ok(())
}

/// The newest jobs of Patch succeeded.
pub(crate) const JOB_FAILED: Check = Check::automated("patch.job-failed")
    .title("The newest job of each type succeeded")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&JOBS])
    .what("Looks at the newest job of each type that still matters: none of its tasks may have failed.")
    .why("Jobs load the patch catalogue, count missing patches and prepare deployments. What a failed one should have brought stays old, and nothing else says so.")
    .limits("Tasks with a status that the vendor does not document leave the check undecided.")
    .beyond()
    .remedy(&JOB_FAILED_REMEDY)
    .judge(job_failed);

const JOB_FAILED_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Overview > Help > Troubleshooting",
        "open the list of jobs and the log of {subject}",
    ),
    Step::decision("it failed once, and its cause is gone", "run it again, or wait for the next time"),
    Step::support("send the log of the failed tasks ({tasks}) and a Patch support bundle"),
])
.who(WHO)
.references(&["Patch User Guide: Troubleshooting"]);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Job {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: String,
    #[serde(deserialize_with = "lenient::text")]
    description: String,
    #[serde(deserialize_with = "lenient::time")]
    updated_at: Option<Timestamp>,
    tasks: Option<Vec<Task>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Task {
    /// `failure`, `running`, `success` or `waiting`.
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(deserialize_with = "lenient::text")]
    description: String,
}

fn job_failed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let jobs: Vec<Job> = facts.rows(&JOBS)?;
    let mut unknown = Vec::new();
    for job in &jobs {
        let Some(tasks) = &job.tasks else {
            unknown.push(format!("the tasks of the job {} are not told", job.kind));
            continue;
        };
        let known = ["failure", "running", "success", "waiting"];
        if let Some(odd) = tasks.iter().find(|task| !known.contains(&task.status.as_str())) {
            unknown.push(format!("a task of the job {} has the unknown status {:?}", job.kind, odd.status));
        }
        let failed: Vec<&str> = tasks
            .iter()
            .filter(|task| task.status == "failure")
            .map(|task| if task.description.is_empty() { "a task" } else { &task.description })
            .collect();
        if failed.is_empty() {
            continue;
        }
        let name = if job.description.is_empty() { &job.kind } else { &job.description };
        report.finding(
            Finding::on(Subject::new("patch job", &job.kind, name))
                .says(format!("{} of its {} tasks failed", failed.len(), tasks.len()))
                .expected("every task done")
                .affected(failed.len() as u64, Some(tasks.len() as u64))
                .sample(failed.iter().copied())
                .fill("tasks", failed.join(", "))
                .evidence(
                    facts.seen(&JOBS, json!({"type": job.kind, "updated": job.updated_at, "failed": failed})),
                ),
        );
    }
    settle(&unknown)
}

/// Patches of the Unified Update Platform are synchronised.
pub(crate) const UUP_UPDATE: Check = Check::automated("patch.uup-update")
    .title("Patches of the Unified Update Platform are synchronised")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&UUP_SYNC])
    .what("Looks whether the last synchronisation with Microsoft's Unified Update Platform failed.")
    .why("Newer Windows versions get their cumulative updates this way. Patches that were not synchronised cannot be deployed.")
    .limits("A synchronisation that waits or runs counts as good. An undocumented status leaves the check undecided.")
    .applies("Windows endpoints")
    .beyond()
    .remedy(&UUP_UPDATE_REMEDY)
    .judge(uup_update);

const UUP_UPDATE_REMEDY: Remedy = Remedy::new(&[
    Step::api(
        "GET /plugin/products/patch/v1/patches/windows-uup-update/errors",
        "look at what went wrong with which patch",
    ),
    Step::consult(
        "the administrator of the Module Server",
        "whether it reaches Microsoft's download servers",
    ),
    Step::console("Modules > Patch > Patches", "retry the failed patches"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Troubleshooting"]);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UupSync {
    /// `waiting`, `running`, `complete` or `failed`.
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(deserialize_with = "lenient::time")]
    completed_at: Option<Timestamp>,
    #[serde(deserialize_with = "count")]
    total: Option<u64>,
    #[serde(deserialize_with = "count")]
    synced: Option<u64>,
}

fn uup_update(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sync: UupSync = facts.object(&UUP_SYNC)?;
    match sync.status.as_str() {
        "waiting" | "running" | "complete" => return Ok(()),
        "failed" => {}
        other => {
            return Err(Undecided::not_evaluated(format!(
                "the Unified Update Platform synchronisation has the unknown status {other:?}"
            )));
        }
    }
    let total = sync.total.unwrap_or_default();
    let missing = total.saturating_sub(sync.synced.unwrap_or_default());
    let last = sync.completed_at.map_or("never".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
    report.finding(
        Finding::on(Subject::new("synchronisation", "uup", "the Unified Update Platform synchronisation"))
            .says(format!(
                "failed; {missing} of {total} patches are not synchronised, it last finished: {last}"
            ))
            .expected("a synchronisation that is complete")
            .affected(missing, sync.total)
            .evidence(facts.seen(&UUP_SYNC, json!([sync.status, sync.synced, sync.total]))),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn warnings_are_told_but_the_one_that_another_check_owns() {
        let case = |rows: Value| Case::of(&ALERTS_RAISED).rows(&ALERTS, rows);
        case(json!([])).judge().assert_pass();
        case(json!([{"type": "action-group-change-warning", "description": "changed", "action": "Re-Initialize"}]))
            .judge()
            .assert_pass();
        let other = json!([{"type": "missing-sensors", "description": "Sensors are missing.", "action": ""}]);
        let verdict = case(other).judge();
        verdict.assert_findings(&["missing-sensors"]);
        assert_eq!(verdict.findings()[0].values["action"], "none");
        case(json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn a_failed_task_is_found_and_an_unknown_status_is_not_guessed() {
        let case = |status: &str| {
            Case::of(&JOB_FAILED).rows(
                &JOBS,
                json!([{"type": "RefreshCaches", "status": "complete", "tasks":
                    [{"status": "success"}, {"status": status, "description": "Load patches"}]}]),
            )
        };
        case("success").judge().assert_pass();
        case("running").judge().assert_pass();
        let verdict = case("failure").judge();
        verdict.assert_findings(&["RefreshCaches"]);
        assert_eq!(verdict.findings()[0].values["tasks"], "Load patches");
        case("haunted").judge().assert_undecided(Outcome::NotEvaluated);
        let silent = Case::of(&JOB_FAILED).rows(&JOBS, json!([{"type": "X"}]));
        silent.judge().assert_undecided(Outcome::NotEvaluated);
        case("success").assert_needs_its_inputs();
    }

    #[test]
    fn only_a_failed_synchronisation_is_found() {
        let case = |status: &str| {
            Case::of(&UUP_UPDATE).object(
                &UUP_SYNC,
                json!({"status": status, "completedAt": "2026-06-01T00:00:00.000Z", "total": 42, "synced": 40}),
            )
        };
        case("complete").judge().assert_pass();
        case("running").judge().assert_pass();
        let verdict = case("failed").judge();
        verdict.assert_findings(&["uup"]);
        assert!(verdict.findings()[0].says.contains("2 of 42"));
        case("paused").judge().assert_undecided(Outcome::NotEvaluated);
        case("complete").assert_needs_its_inputs();
    }
}
