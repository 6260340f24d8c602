//! "Configure alerts for disconnected Tanium Clients", page 9: lost clients are put back, or it is decided not to.

use crate::console::WHO;
use crate::inputs::{Deployment, REDEPLOYMENT};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{LICENSE, License};

/// Discover's solution, as licences and servers name it.
const DISCOVER: &str = "99-300-0047";

const REDEPLOY_LABEL: Setting = Setting::text("redeploy_label", None)
    .about("the Discover label of disconnected endpoints, as the target of a deployment names it");

pub(crate) const AUTO_REDEPLOY: Check = Check::hybrid("client-management.auto-redeploy")
    .title("Automatic redeployment to unmanaged endpoints is decided")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Info)
    .reads(&[&REDEPLOYMENT, &LICENSE])
    .settings(&[&REDEPLOY_LABEL])
    .guide(&[guide("Configure alerts for disconnected Tanium Clients", 9)])
    .what(
        "Asks whether a Client Management deployment targets the Discover label of disconnected endpoints, \
         or whether somebody decided against it; or looks for such a deployment in an exported list. It \
         reports that neither is so.",
    )
    .why(
        "Local administrators can stop or remove the client. Redeployment puts it back without anybody \
         having to notice.",
    )
    .limits("Deployments have no public route: the check knows what a person answered, not what runs.")
    .applies("Discover and Client Management are licensed")
    .related(&["discover.disconnected-label"])
    .remedy(&REMEDY)
    .judge(auto_redeploy);

const REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "lost clients are to come back by themselves",
        "set up the audit and the automatic label in Discover, then a deployment that targets the label",
    ),
    Step::console(
        "Administration > Shared Services > Client Management > Deployments",
        "create a deployment to the label and give it a schedule; let it run on a few endpoints first",
    ),
    Step::decision(
        "they are not",
        "write that down: answer client-management.redeployment with `decided against`, who and when in the note",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    "Redeployment also reaches hosts that the client was taken off on purpose: let the label hold only \
     those that are meant.",
])
.references(&["Tanium Client Management User Guide: Configure automated maintenance"]);

fn auto_redeploy(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    // The licence is a help here: an account that cannot read it still has an answer to judge.
    let license: Option<License> = facts.object(&LICENSE).ok();
    let covers_discover = |license: &License| {
        let solutions = &license.licensed_features.licensed_solutions;
        solutions.is_empty() || solutions.iter().any(|solution| solution.covers(DISCOVER))
    };
    if license.as_ref().is_some_and(|license| !covers_discover(license)) {
        return Err(Undecided::not_applicable("Discover is not licensed"));
    }
    let says = match facts.body(&REDEPLOYMENT)? {
        Body::Answer(answer) => match answer.value.as_str() {
            Some("yes" | "decided against") => {
                if answer.note.is_empty() {
                    report.note(
                        "the answer has no note: name the deployment, or who decided against it and when",
                    );
                }
                return Ok(());
            }
            Some("no") => format!("is neither set up nor decided against, as {} answered", answer.by),
            _ => {
                let reason = format!("{} is no answer to whether clients are redeployed", answer.value);
                return Err(Undecided::not_evaluated(reason));
            }
        },
        _ => {
            let label = facts.text(&REDEPLOY_LABEL)?.to_lowercase();
            let deployments: Vec<Deployment> = facts.rows(&REDEPLOYMENT)?;
            let to_label =
                deployments.iter().find(|deployment| deployment.target.to_lowercase().contains(&label));
            if let Some(deployment) = to_label {
                report.note(format!(
                    "the deployment {:?} (status {:?}) targets the label",
                    deployment.name, deployment.status
                ));
                return Ok(());
            }
            format!("is not set up: none of {} deployments targets the label {label:?}", deployments.len())
        }
    };
    report.finding(
        Finding::on(Subject::new("deployment", "auto-redeploy", "automatic redeployment"))
            .evidence(facts.seen(&REDEPLOYMENT, &says))
            .says(says)
            .expected("a deployment to the label of disconnected endpoints, or a decision against it")
            .confirms("no automatic redeployment"),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn answered(value: &str) -> Case {
        Case::of(&AUTO_REDEPLOY).answer(&REDEPLOYMENT, value)
    }

    fn license(pattern: &str) -> Value {
        json!({"licensed_features": {"licensed_solutions": [{"name": "x", "match": pattern}]}})
    }

    #[test]
    fn a_deployment_or_a_decision_against_it_passes() {
        answered("yes").judge().assert_pass();
        let verdict = answered("decided against").judge();
        verdict.assert_pass();
        assert!(verdict.notes()[0].contains("no note"));
        answered("yes").assert_needs_its_inputs();
    }

    #[test]
    fn neither_is_reported_and_may_be_confirmed() {
        let verdict = answered("no").judge();
        verdict.assert_findings(&["auto-redeploy"]);
        assert!(verdict.findings()[0].state.is_some());
    }

    #[test]
    fn an_unknown_answer_decides_nothing() {
        answered("maybe").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_discover_it_does_not_apply() {
        answered("no")
            .object(&LICENSE, license("03-100-[0-9]*"))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        answered("no")
            .object(&LICENSE, license("99-300-[0-9][0-9][0-9][0-9]"))
            .judge()
            .assert_findings(&["auto-redeploy"]);
        answered("no").object(&LICENSE, json!({})).judge().assert_findings(&["auto-redeploy"]);
    }

    #[test]
    fn an_exported_list_is_searched_for_the_label() {
        let rows = json!([{"Name": "Bring back", "Target": "Label: Lost Clients"}, {"Name": "New", "Target": "All"}]);
        let case = Case::of(&AUTO_REDEPLOY).rows(&REDEPLOYMENT, rows);
        case.judge().assert_undecided(Outcome::NotEvaluated);
        case.clone().setting("redeploy_label", "lost clients").judge().assert_pass();
        case.setting("redeploy_label", "gone").judge().assert_findings(&["auto-redeploy"]);
    }
}
