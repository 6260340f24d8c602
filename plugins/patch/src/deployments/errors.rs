//! `patch.deployment-errors`: deployments end without trouble.

use super::{GUIDE, ONLY_TARGETS};
use crate::WHO;
use crate::inputs::{DEPLOYMENTS, Deployments, Standing, deployments, share};
use tancheck_plugin_api::prelude::*;

const RECENT_DAYS: Setting = Setting::integer("recent_days", 30, 1, 366)
    .unit("days")
    .about("how long after its end a deployment is still looked at");

/// Deployments show no errors.
pub(crate) const ERRORS: Check = Check::automated("patch.deployment-errors")
    .title("No active or recent deployment needs attention")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&DEPLOYMENTS])
    .settings(&[&RECENT_DAYS])
    .guide(GUIDE)
    .what("Looks at deployments that are active or ended within `recent_days`: on no endpoint may one need attention.")
    .why("An endpoint that needs attention did not get its patches, and will not get them by waiting.")
    .limits("The service tells how many endpoints need attention, not the messages of the deployment summary; the Console shows those.")
    .related(&["patch.deployment-uninitialized", "patch.scan-errors"])
    .remedy(&REMEDY)
    .judge(errors);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Deployments > {subject}",
        "open the deployment summary and read the error messages of the endpoints that need attention",
    ),
    Step::consult("the Patch User Guide, Troubleshooting", "what the messages mean"),
    Step::decision("endpoints were left out", "add targets to the deployment"),
])
.cautions(&[ONLY_TARGETS])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&[
    "Patch User Guide: Review deployment summary",
    "Patch User Guide: Troubleshooting",
    "Patch User Guide: Add targets to an existing deployment",
]);

fn errors(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let recent_days = facts.integer(&RECENT_DAYS)?;
    let Deployments { known, mut unknown } = deployments(facts)?;
    for (deployment, standing) in &known {
        let recent = || deployment.over_since().is_none_or(|over| facts.days_since(over) <= recent_days);
        let counts = match standing {
            Standing::Active => true,
            Standing::Over => recent(),
            Standing::Waiting => false,
        };
        if !counts {
            continue;
        }
        let Some(needs_attention) = deployment.needs_attention_count else {
            unknown.push(format!("it is not told on how many endpoints {} needs attention", deployment.name));
            continue;
        };
        if needs_attention == 0 {
            continue;
        }
        let all = needs_attention + deployment.complete_count.unwrap_or_default();
        report.finding(
            Finding::on(deployment.subject())
                .says(format!(
                    "needs attention on {} endpoints that came to an end",
                    share(needs_attention, all)
                ))
                .expected("no endpoint that needs attention")
                .affected(needs_attention, Some(all))
                .evidence(facts.seen(&DEPLOYMENTS, [needs_attention, all])),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(active: bool, ended: &str, needs_attention: Value) -> Case {
        Case::of(&ERRORS).rows(
            &DEPLOYMENTS,
            json!([{"id": 4, "name": "Monthly", "isActive": active, "isEnded": !active, "endTime": ended,
                    "completeCount": 90, "needsAttentionCount": needs_attention}]),
        )
    }

    #[test]
    fn active_and_recent_deployments_are_looked_at() {
        case(true, "", json!(0)).judge().assert_pass();
        let verdict = case(true, "", json!(10)).judge();
        verdict.assert_findings(&["4"]);
        assert!(verdict.findings()[0].says.contains("10 of 100 (10.0 %)"));
        case(false, "2026-06-01T00:00:00Z", json!(10)).judge().assert_findings(&["4"]);
        case(false, "2026-05-01T00:00:00Z", json!(10)).judge().assert_pass();
        case(false, "2026-05-01T00:00:00Z", json!(10))
            .setting("recent_days", 90)
            .judge()
            .assert_findings(&["4"]);
        case(true, "", json!(0)).assert_needs_its_inputs();
    }

    #[test]
    fn what_is_not_told_decides_nothing() {
        case(true, "", json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        let odd = Case::of(&ERRORS).rows(&DEPLOYMENTS, json!([{"ID": "4", "State": "Limbo"}]));
        odd.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_is_read_as_well() {
        let rows = json!([{"ID": "4", "Name": "Monthly", "State": "Active", "Start": "2026-06-01", "End": "",
            "Complete": "90", "Needs Attention": "1"}]);
        Case::of(&ERRORS).rows(&DEPLOYMENTS, rows).judge().assert_findings(&["4"]);
    }
}
