//! *Update the manifest*: endpoints that ran the action and have the old manifest still.

use crate::WHO;
use crate::inputs::{MANIFEST, MANIFEST_PACKAGES, MANIFEST_RUNS, ManifestRun, OVERVIEW_REVISION, QUESTION};
use crate::manifest::{Holders, LAG_REVISIONS, Manifests};
use tancheck_plugin_api::prelude::*;

const AFTER_MINUTES: Setting = Setting::integer("after_minutes", 120, 1, 10_080)
    .unit("minutes")
    .about("how long after the start of a manifest action an endpoint has to have the new manifest");

/// Manifest actions bring the manifest.
pub(crate) const FAILED: Check = Check::hybrid("endpoint-configuration.manifest-update-failed")
    .title("Manifest updates succeed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&MANIFEST, &MANIFEST_PACKAGES, &OVERVIEW_REVISION, &MANIFEST_RUNS])
    .settings(&[&LAG_REVISIONS, &AFTER_MINUTES])
    .guide(&[guide("Update the manifest", 27)])
    .what("Where endpoints have an old manifest and no action lock, looks at the newest run of the manifest actions. It reports these endpoints when an action started after the latest manifest was made and more than `after_minutes` ago.")
    .why("An endpoint on which the update fails stays with its old tools for good, until somebody finds out what stands in the way.")
    .limits("The server counts how the action ended, and endpoints tell their revision; which endpoint failed how is not compared one by one.")
    .related(&["endpoint-configuration.manifest-outdated", "endpoint-configuration.manifest-locked"])
    .remedy(&REMEDY)
    .judge(manifest_update_failed);

const REMEDY: Remedy = Remedy::new(&[
    Step::question(QUESTION, "list the endpoints with a revision below {latest}, and pick one"),
    Step::consult(
        "the team that runs the security software",
        "whether all Tanium exclusions are in place on this endpoint",
    ),
    Step::consult("the owner of the endpoint", "whether another program locks files of the Tanium Client"),
    Step::consult(
        "the owner of the endpoint",
        "whether processor or memory are used up while the action runs",
    ),
    Step::consult("the owner of the endpoint", "whether the disk is full, or reports errors"),
    Step::support("bring the log of the client, the number of the action ({action}) and what was ruled out"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions",
    "Client Management User Guide: Host system security exclusions",
]);

fn manifest_update_failed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let manifests = Manifests::of(facts)?;
    // Nothing runs on a locked endpoint: that is endpoint-configuration.manifest-locked.
    let behind: u64 = manifests
        .outdated()
        .filter(|holders: &&Holders| !holders.is_locked())
        .map(|holders| holders.count)
        .sum();
    if behind == 0 {
        return manifests.complete();
    }
    let runs: Vec<ManifestRun> = facts.rows(&MANIFEST_RUNS)?;
    let after = facts.integer(&AFTER_MINUTES)?;
    let counts = |run: &&ManifestRun| {
        let start = run.last_action.as_ref().and_then(|action| action.start_time);
        start.is_some_and(|start| {
            manifests.since.is_none_or(|since| start >= since) && facts.since(start).as_mins() >= after
        })
    };
    let ours = |run: &&ManifestRun| run.name.starts_with("Endpoint Configuration - Manifest");
    let tried: Vec<&ManifestRun> = runs.iter().filter(ours).filter(counts).collect();
    if tried.is_empty() {
        return Err(Undecided::not_evaluated(format!(
            "{behind} endpoints have an old manifest, but no manifest action has run since the latest one was made, \
             or it started less than {after} minutes ago"
        )));
    }
    let number = |value: Option<f64>| value.unwrap_or_default() as u64;
    let ends: Vec<String> = tried
        .iter()
        .filter_map(|run| Some((run, run.last_action.as_ref()?)))
        .map(|(run, action)| {
            let results = &action.results;
            format!(
                "{} (action {}): failed on {}, expired on {}",
                run.package.label(),
                action.id,
                number(results.failed) + number(results.failed_verification),
                number(results.expired)
            )
        })
        .collect();
    let actions: Vec<&str> =
        tried.iter().filter_map(|run| Some(run.last_action.as_ref()?.id.as_str())).collect();
    report.finding(
        Finding::on(Subject::deployment())
            .says(format!(
                "{behind} endpoints have an old manifest although its action ran; {}",
                ends.join("; ")
            ))
            .expected(format!("revision {} within {after} minutes", manifests.latest))
            .affected(behind, Some(manifests.total()))
            .fill("latest", manifests.latest)
            .fill("action", actions.join(", "))
            .evidence(facts.seen(&MANIFEST_RUNS, &ends)),
    );
    manifests.complete()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::case;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn ran(rows: &[(&str, &str, u64)], start: &str) -> Case {
        case(&FAILED, rows).rows(
            &MANIFEST_RUNS,
            json!([{"id": "50", "name": "Endpoint Configuration - Manifest", "package": {"name": "Manifest [Windows]"},
                "lastAction": {"id": "7", "startTime": start, "results": {"completed": 90, "failed": 2, "expired": 1}}},
                {"id": "9", "name": "Other", "lastAction": {"id": "8", "startTime": "2026-06-30T00:00:00Z"}}]),
        )
    }

    const BEHIND: &[(&str, &str, u64)] = &[("128", "Action Lock Off", 97), ("127", "Action Lock Off", 3)];

    #[test]
    fn endpoints_that_stay_behind_are_found() {
        let verdict = ran(BEHIND, "2026-06-30T09:00:00Z").judge();
        verdict.assert_findings(&["deployment"]);
        assert!(verdict.findings()[0].says.contains("failed on 2, expired on 1"));
        ran(BEHIND, "2026-06-30T09:00:00Z").assert_needs_its_inputs();
    }

    #[test]
    fn current_and_locked_endpoints_are_no_failure() {
        ran(&[("128", "", 100)], "2026-06-30T09:00:00Z").judge().assert_pass();
        ran(&[("127", "Action Lock On", 100)], "2026-06-30T09:00:00Z").judge().assert_pass();
    }

    #[test]
    fn an_action_that_could_not_bring_it_yet_decides_nothing() {
        ran(BEHIND, "2026-06-30T10:30:00Z").judge().assert_undecided(Outcome::NotEvaluated);
        ran(BEHIND, "2026-05-30T10:30:00Z").judge().assert_undecided(Outcome::NotEvaluated);
        case(&FAILED, BEHIND).rows(&MANIFEST_RUNS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
