//! `patch.deployment-fragmented`: endpoints are not spread over too many deployments.

use super::{GUIDE, ONLY_TARGETS, STOPPING};
use crate::WHO;
use crate::inputs::{DEPLOYMENTS, Deployment, TARGET_SIZES, count, deployments};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

const MIN_ENDPOINTS: Setting = Setting::integer("min_endpoints_per_deployment", 50, 1, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints an active deployment should target on average, where there are several");

/// Endpoints are not spread over too many deployments.
pub(crate) const FRAGMENTED: Check = Check::automated("patch.deployment-fragmented")
    .title("Endpoints are not spread over too many deployments")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&DEPLOYMENTS, &TARGET_SIZES])
    .settings(&[&MIN_ENDPOINTS])
    .guide(GUIDE)
    .what("Divides the endpoints that active deployments target by the number of these deployments. Where there are at least two, the average must reach `min_endpoints_per_deployment`.")
    .why("Every deployment is work for each endpoint and for whoever looks after it. Few with many targets do the same with less.")
    .limits("Groups that overlap count their endpoints several times. A deployment by question or name counts with the endpoints that came to an end so far, which may be fewer than it targets. The guide gives no number.")
    .related(&["patch.deployment-obsolete"])
    .remedy(&REMEDY)
    .judge(fragmented);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Deployments",
        "look which active deployments install the same patch lists: {names}",
    ),
    Step::decision("some could be one", "add the targets of the others to one of them, then stop the others"),
    Step::decision("small deployments are your practice", "lower `min_endpoints_per_deployment`"),
])
.cautions(&[ONLY_TARGETS, STOPPING])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&[
    "Patch User Guide: Add targets to an existing deployment",
    "Patch User Guide: Stop a deployment",
]);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct GroupSize {
    #[serde(deserialize_with = "count")]
    total_records: Option<u64>,
    #[serde(rename = "_of")]
    of: OfGroup,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OfGroup {
    #[serde(deserialize_with = "lenient::id")]
    group: String,
}

fn fragmented(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MIN_ENDPOINTS)?.unsigned_abs();
    let all = deployments(facts)?;
    settle(&all.unknown)?;
    let active: Vec<&Deployment> = all.active().collect();
    if active.len() < 2 {
        return Ok(());
    }
    let sizes = sizes(facts, &active)?;
    let mut endpoints = 0;
    let mut estimated = 0;
    let mut unknown = Vec::new();
    for deployment in &active {
        match targeted(deployment, &sizes) {
            Ok((count, exact)) => {
                endpoints += count;
                estimated += u64::from(!exact);
            }
            Err(reason) => unknown.push(reason),
        }
    }
    settle(&unknown)?;
    let average = endpoints / active.len() as u64;
    if average >= limit {
        return Ok(());
    }
    let note = match estimated {
        0 => String::new(),
        some => format!(" ({some} of them by question or name, counted by endpoints that came to an end)"),
    };
    let names: Vec<&str> = active.iter().map(|one| one.name.as_str()).collect();
    report.finding(
        Finding::on(Subject::new("patch deployments", "active", "active deployments"))
            .says(format!("{} deployments{note} target {average} endpoints on average", active.len()))
            .expected(format!("at least {limit}"))
            .affected(active.len() as u64, Some(active.len() as u64))
            .sample(names.iter().take(10).copied())
            .fill("names", names.iter().take(10).copied().collect::<Vec<_>>().join(", "))
            .evidence(facts.seen(&DEPLOYMENTS, [endpoints, active.len() as u64])),
    );
    Ok(())
}

/// The sizes of targeted computer groups, asked for only where some deployment has any.
fn sizes(facts: &Facts<'_>, active: &[&Deployment]) -> Result<BTreeMap<String, u64>, Undecided> {
    if active.iter().all(|one| one.groups().is_none()) {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<GroupSize> = facts.rows(&TARGET_SIZES)?;
    Ok(rows.into_iter().filter_map(|row| Some((row.of.group, row.total_records?))).collect())
}

/// The endpoints that a deployment targets, and whether that is more than a lower bound.
fn targeted(deployment: &Deployment, sizes: &BTreeMap<String, u64>) -> Result<(u64, bool), String> {
    if let Some(groups) = deployment.groups() {
        let sum: Option<u64> = groups.iter().map(|group| sizes.get(group)).sum();
        let lost =
            || format!("the size of a computer group of the deployment {} is not told", deployment.name);
        return sum.map(|sum| (sum, true)).ok_or_else(lost);
    }
    if let Some(endpoints) = deployment.exported_endpoints {
        return Ok((endpoints, true));
    }
    let ended = deployment.complete_count.zip(deployment.needs_attention_count);
    ended
        .map(|(complete, attention)| (complete + attention, false))
        .ok_or_else(|| format!("the endpoints of the deployment {} are not told", deployment.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn deployment(id: u64, groups: Value, complete: u64) -> Value {
        json!({"id": id, "name": format!("D{id}"), "isActive": true, "targetedComputerGroupIds": groups,
               "completeCount": complete, "needsAttentionCount": 0})
    }

    fn case(deployments: Value, sizes: &[(u64, u64)]) -> Case {
        let sizes: Vec<Value> = sizes
            .iter()
            .map(|(id, size)| json!({"totalRecords": size, "_of": {"group": id.to_string()}}))
            .collect();
        Case::of(&FRAGMENTED).rows(&DEPLOYMENTS, deployments).rows(&TARGET_SIZES, json!(sizes))
    }

    #[test]
    fn several_small_deployments_are_found() {
        let two = json!([deployment(1, json!([5]), 0), deployment(2, json!([6, 7]), 0)]);
        case(two.clone(), &[(5, 50), (6, 25), (7, 25)]).judge().assert_pass();
        case(two.clone(), &[(5, 49), (6, 25), (7, 25)]).judge().assert_findings(&["active"]);
        case(two.clone(), &[(5, 49), (6, 25), (7, 25)])
            .setting("min_endpoints_per_deployment", 49)
            .judge()
            .assert_pass();
        case(two.clone(), &[(5, 50), (6, 50)]).judge().assert_undecided(Outcome::NotEvaluated);
        case(two, &[(5, 500), (6, 25), (7, 25)]).assert_needs_its_inputs();
    }

    #[test]
    fn one_deployment_is_never_too_many() {
        case(json!([deployment(1, json!([5]), 0)]), &[]).judge().assert_pass();
        case(json!([]), &[]).judge().assert_pass();
    }

    #[test]
    fn deployments_by_question_count_by_what_they_reached() {
        let two =
            |complete| json!([deployment(1, json!(null), complete), deployment(2, json!(null), complete)]);
        case(two(50), &[]).judge().assert_pass();
        let verdict = case(two(10), &[]).judge();
        verdict.assert_findings(&["active"]);
        assert!(verdict.findings()[0].says.contains("2 of them by question"));
        let exported = json!([{"ID": "1", "State": "Active", "Endpoints Targeted": "60"},
                              {"ID": "2", "State": "Active", "Endpoints Targeted": "60"}]);
        case(exported, &[]).judge().assert_pass();
    }
}
