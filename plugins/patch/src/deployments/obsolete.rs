//! `patch.deployment-obsolete`: no useless deployment runs.

use super::{GUIDE, STOPPING};
use crate::WHO;
use crate::inputs::{COMPLETED_BEFORE, DEPLOYMENT_DETAILS, DEPLOYMENTS, Deployment, Detail};
use crate::inputs::{active_details, deployments};
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;

const IDLE_DAYS: Setting = Setting::integer("idle_days", 60, 1, 366)
    .unit("days")
    .about("how long an ongoing deployment may run without finishing on another endpoint");

/// No useless deployment runs.
pub(crate) const OBSOLETE: Check = Check::hybrid("patch.deployment-obsolete")
    .title("No deployment goes on that does nothing any more")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&DEPLOYMENTS, &DEPLOYMENT_DETAILS, &COMPLETED_BEFORE])
    .settings(&[&IDLE_DAYS])
    .guide(GUIDE)
    .what("Looks at ongoing deployments that began more than `idle_days` ago: one that finished on no further endpoint since is idle. Lists active deployments that install the same patch lists on the same targets as a newer one.")
    .why("Endpoints work through every active deployment, the useless ones too, and nobody can tell which of them matters.")
    .limits("The date of the last installation is not public; how many endpoints a deployment is complete on, remembered from run to run, stands for it. For the first `idle_days` after tancheck's first run only deployments that are complete nowhere can be judged.")
    .related(&["patch.deployment-fragmented", "patch.deployment-misconfigured"])
    .remedy(&REMEDY)
    .judge(obsolete);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of {subject}", "whether it is still needed"),
    Step::decision("it is", "confirm it here, with who said so"),
    Step::console("Modules > Patch > Deployments > {subject}", "otherwise stop it"),
])
.cautions(&[STOPPING])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Patch User Guide: Stop a deployment"]);

fn obsolete(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let all = deployments(facts)?;
    let mut unknown = all.unknown.clone();
    let before = facts.points(&COMPLETED_BEFORE)?;
    let limit = facts.integer(&IDLE_DAYS)?;
    for deployment in all.active().filter(|one| one.is_ongoing()) {
        let Some(complete) = deployment.complete_count else {
            unknown.push(format!("it is not told on how many endpoints {} is complete", deployment.name));
            continue;
        };
        report.measure(&series(deployment), complete as f64, "endpoints");
        match is_idle(facts, deployment, complete, before, limit) {
            Ok(false) => {}
            Ok(true) => report.finding(
                Finding::on(deployment.subject())
                    .says(format!(
                        "has finished on no further endpoint for {limit} days (complete on {complete})"
                    ))
                    .expected("progress, or a deployment that is stopped")
                    .evidence(facts.seen(&DEPLOYMENTS, complete))
                    .confirms("idle"),
            ),
            Err(reason) => unknown.push(reason),
        }
    }
    for (older, newer) in superseded(&active_details(facts)?) {
        report.finding(
            Finding::on(older.subject())
                .says(format!(
                    "installs the same patch lists on the same targets as the newer {}",
                    newer.name
                ))
                .expected("one deployment for the same patches and targets")
                .evidence(facts.seen(&DEPLOYMENT_DETAILS, [&older.id, &newer.id]))
                .confirms(format!("superseded by {}", newer.id)),
        );
    }
    settle(&unknown)
}

fn series(deployment: &Deployment) -> String {
    format!("patch.completed.{}", deployment.id)
}

/// Whether a deployment made no progress for so many days; an error where earlier runs do not reach back far enough.
fn is_idle(
    facts: &Facts<'_>,
    deployment: &Deployment,
    complete: u64,
    before: &[Point],
    limit: i64,
) -> Result<bool, String> {
    let Some(start) = deployment.start_time else {
        return Err(format!("it is not told when {} began", deployment.name));
    };
    if facts.days_since(start) <= limit {
        return Ok(false);
    }
    let series = series(deployment);
    let old = before.iter().filter(|point| point.series == series && facts.days_since(point.at) >= limit);
    if let Some(point) = old.max_by_key(|point| point.at) {
        return Ok(complete as f64 <= point.value);
    }
    let untouched = deployment.updated_at.is_some_and(|at| facts.days_since(at) > limit);
    if complete == 0 && untouched {
        return Ok(true);
    }
    Err(format!(
        "whether {} still finishes on endpoints is known {limit} days after tancheck's first run",
        deployment.name
    ))
}

/// Deployments with the same direction, patch lists and targets as a newer one.
fn superseded(details: &[Detail]) -> Vec<(&Detail, &Detail)> {
    let mut same: BTreeMap<Vec<String>, Vec<&Detail>> = BTreeMap::new();
    for detail in details {
        if let Some(work) = work(detail) {
            same.entry(work).or_default().push(detail);
        }
    }
    let mut pairs = Vec::new();
    for mut group in same.into_values().filter(|group| group.len() > 1) {
        group.sort_by_key(|detail| (detail.start_time, detail.id.clone()));
        if let Some((newest, older)) = group.split_last() {
            pairs.extend(older.iter().map(|one| (*one, *newest)));
        }
    }
    pairs
}

/// What a deployment installs and where; nothing where it does not tell.
fn work(detail: &Detail) -> Option<Vec<String>> {
    let latest =
        detail.patch_lists_with_latest_version.as_ref()?.iter().map(|list| format!("list {}", list.id));
    let pinned = detail.patch_lists_with_pinned_version.as_ref()?;
    let pinned = pinned.iter().map(|list| format!("list {} version {}", list.id, list.version_id));
    let mut work: Vec<String> = latest.chain(pinned).collect();
    if work.is_empty() {
        return None;
    }
    let groups = |role: &str, groups: &Option<Vec<crate::inputs::TargetGroup>>| -> Vec<String> {
        groups.iter().flatten().map(|group| format!("{role} {}", group.id)).collect()
    };
    work.extend(groups("group", &detail.tanium_groups));
    work.extend(groups("limit", &detail.target_limiting_groups));
    work.push(format!("names {}", detail.targeted_computer_names));
    work.push(detail.direction.clone());
    work.sort();
    Some(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(start: &str, complete: u64, history: &[f64]) -> Case {
        Case::of(&OBSOLETE)
            .rows(
                &DEPLOYMENTS,
                json!([{"id": 4, "name": "Monthly", "isActive": true, "frequencyType": "ongoing", "startTime": start,
                        "updatedAt": start, "completeCount": complete}]),
            )
            .rows(&DEPLOYMENT_DETAILS, json!([detail(4, "2026-01-01T00:00:00Z", 5)]))
            .weekly(&COMPLETED_BEFORE, "patch.completed.4", history)
    }

    fn detail(id: u64, start: &str, group: u64) -> Value {
        json!({"id": id, "name": format!("D{id}"), "type": "install", "startTime": start,
               "patchListsWithLatestVersion": [{"id": 2, "name": "Baseline"}], "patchListsWithPinnedVersion": [],
               "taniumGroups": [{"id": group}], "targetLimitingGroups": []})
    }

    const LONG_AGO: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn progress_is_measured_against_earlier_runs() {
        let weeks = |value: f64| [value; 12];
        case(LONG_AGO, 100, &weeks(99.0)).judge().assert_pass();
        case(LONG_AGO, 100, &weeks(100.0)).judge().assert_findings(&["4"]);
        case("2026-06-01T00:00:00Z", 0, &[]).judge().assert_pass();
        case(LONG_AGO, 100, &weeks(100.0)).setting("idle_days", 365).judge().assert_pass();
        assert_eq!(case(LONG_AGO, 100, &[]).judge().measures()[0].series, "patch.completed.4");
        case(LONG_AGO, 100, &weeks(99.0)).assert_needs_its_inputs();
    }

    #[test]
    fn without_a_history_only_what_never_finished_is_idle() {
        case(LONG_AGO, 0, &[]).judge().assert_findings(&["4"]);
        case(LONG_AGO, 5, &[5.0]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_older_of_two_that_do_the_same_is_superseded() {
        let both = |group| {
            case("2026-06-01T00:00:00Z", 1, &[])
                .rows(
                    &DEPLOYMENTS,
                    json!([{"id": 4, "name": "D4", "isActive": true, "frequencyType": "single"},
                           {"id": 5, "name": "D5", "isActive": true, "frequencyType": "single"}]),
                )
                .rows(
                    &DEPLOYMENT_DETAILS,
                    json!([detail(4, "2026-05-01T00:00:00Z", 5), detail(5, "2026-06-01T00:00:00Z", group)]),
                )
        };
        let verdict = both(5).judge();
        verdict.assert_findings(&["4"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("superseded by 5"));
        both(6).judge().assert_pass();
    }
}
