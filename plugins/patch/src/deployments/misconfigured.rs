//! `patch.deployment-misconfigured`: deployments are well configured and follow practice.

use super::practice::Rule;
use super::{GUIDE, ONLY_TARGETS, STOPPING};
use crate::WHO;
use crate::inputs::{DEPLOYMENT_DETAILS, DEPLOYMENTS, Detail, active_details};
use tancheck_plugin_api::prelude::*;

const PRACTICE_RULES: Setting = Setting::list("practice_rules", &[]).about(
    "what active deployments have to keep to: restart, overrideMaintenanceWindows, overrideBlacklists, \
     downloadImmediately, distributeOverTimeMinutes, pinnedPatchLists or days, compared by =, !=, >= or <=",
);

/// Deployments follow practice.
pub(crate) const MISCONFIGURED: Check = Check::hybrid("patch.deployment-misconfigured")
    .title("Active deployments follow the practice of the organisation")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&DEPLOYMENTS, &DEPLOYMENT_DETAILS])
    .settings(&[&PRACTICE_RULES])
    .guide(GUIDE)
    .what("Compares the settings of active deployments with `practice_rules`, and looks whether one ends before it begins. Without rules every active deployment is listed, and somebody confirms that it follows the practice; the confirmation ends when its settings change.")
    .why("A deployment that overrides windows, or never restarts, does harm or nothing, and looks like any other in the list.")
    .limits("Deleted targets and deployments that the server did not set up have checks of their own.")
    .related(&["patch.target-deleted", "patch.deployment-uninitialized", "patch.deployment-obsolete"])
    .remedy(&REMEDY)
    .judge(misconfigured);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Deployments > {subject}",
        "compare its settings with the practice: {problems}",
    ),
    Step::decision("more targets solve it", "add targets to the deployment"),
    Step::decision("something else has to change", "stop it and create another one with the right settings"),
    Step::decision("it is right as it is", "confirm it here, or correct `practice_rules`"),
])
.cautions(&[ONLY_TARGETS, STOPPING])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&[
    "Patch User Guide: Add targets to an existing deployment",
    "Patch User Guide: Stop a deployment",
]);

fn misconfigured(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rules: Result<Vec<Rule<'_>>, String> =
        facts.list(&PRACTICE_RULES).into_iter().map(Rule::read).collect();
    let rules = rules.map_err(Undecided::not_evaluated)?;
    let mut unknown = Vec::new();
    for detail in &active_details(facts)? {
        let mut problems = Vec::new();
        if detail.end_time.is_some() && detail.end_time <= detail.start_time {
            problems.push("it ends before it begins".to_owned());
        }
        for rule in &rules {
            match rule.broken_by(detail) {
                Ok(broken) => problems.extend(broken),
                Err(reason) => unknown.push(reason),
            }
        }
        if problems.is_empty() && rules.is_empty() {
            problems.push(format!(
                "no rule of practice is set, so somebody has to confirm it: {}",
                state(detail)
            ));
        }
        if problems.is_empty() {
            continue;
        }
        let problems = problems.join("; ");
        report.finding(
            Finding::on(detail.subject())
                .says(&problems)
                .expected("what the practice of the organisation asks for")
                .fill("problems", &problems)
                .evidence(facts.seen(&DEPLOYMENT_DETAILS, state(detail)))
                .confirms(problems),
        );
    }
    settle(&unknown)
}

/// Everything that somebody confirms about a deployment.
fn state(detail: &Detail) -> String {
    let flag = |flag: Option<bool>, yes: &str, no: &str| match flag {
        Some(true) => yes.to_owned(),
        Some(false) => no.to_owned(),
        None => format!("not told whether it {yes}"),
    };
    let time = |time: Option<Timestamp>, none: &str| {
        time.map_or(none.to_owned(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
    };
    let spread = detail.distribute_over_time_minutes.map_or("?".to_owned(), |minutes| minutes.to_string());
    let mut groups: Vec<&str> = detail.all_groups().map(|group| group.label()).collect();
    groups.sort_unstable();
    [
        flag(detail.restart, "restarts", "does not restart"),
        flag(detail.override_maintenance_windows, "overrides windows", "keeps to windows"),
        flag(detail.override_blacklists, "overrides block lists", "keeps to block lists"),
        format!("spread over {spread} minutes"),
        format!("from {} to {}", time(detail.start_time, "?"), time(detail.end_time, "no end")),
        format!("on {}", if groups.is_empty() { "named computers".to_owned() } else { groups.join(", ") }),
    ]
    .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(extra: Value) -> Case {
        let mut detail = json!({"id": 4, "name": "Monthly", "restart": true, "overrideMaintenanceWindows": false,
            "overrideBlacklists": false, "distributeOverTimeMinutes": 60, "startTime": "2026-06-01T00:00:00Z",
            "endTime": "2026-06-08T00:00:00Z", "taniumGroups": [{"id": 5, "name": "All Windows", "isDeleted": false}]});
        for (key, value) in extra.as_object().unwrap() {
            detail[key] = value.clone();
        }
        Case::of(&MISCONFIGURED)
            .rows(&DEPLOYMENTS, json!([{"id": 4, "name": "Monthly", "isActive": true}]))
            .rows(&DEPLOYMENT_DETAILS, json!([detail]))
    }

    fn with_rules(extra: Value) -> Case {
        case(extra).setting("practice_rules", json!(["overrideMaintenanceWindows=false", "days<=14"]))
    }

    #[test]
    fn rules_decide_where_there_are_any() {
        with_rules(json!({})).judge().assert_pass();
        let verdict = with_rules(json!({"overrideMaintenanceWindows": true})).judge();
        verdict.assert_findings(&["4"]);
        assert!(verdict.findings()[0].says.contains("overrideMaintenanceWindows is true"));
        with_rules(json!({"overrideMaintenanceWindows": null}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        with_rules(json!({})).assert_needs_its_inputs();
        let odd = case(json!({})).setting("practice_rules", json!(["colour=red"]));
        odd.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_end_before_the_beginning_is_found_in_any_case() {
        let verdict = with_rules(json!({"endTime": "2026-06-01T00:00:00Z"})).judge();
        verdict.assert_findings(&["4"]);
        assert!(verdict.findings()[0].says.contains("ends before it begins"));
    }

    #[test]
    fn without_rules_somebody_confirms_the_settings() {
        let verdict = case(json!({})).judge();
        verdict.assert_findings(&["4"]);
        let state = |extra| case(extra).judge().findings()[0].state.clone();
        assert_eq!(state(json!({})), verdict.findings()[0].state);
        assert_ne!(state(json!({})), state(json!({"restart": false})));
        assert_ne!(state(json!({})), state(json!({"taniumGroups": []})));
    }

    #[test]
    fn settings_that_were_not_read_decide_nothing() {
        let lost = case(json!({})).rows(&DEPLOYMENT_DETAILS, json!([]));
        lost.judge().assert_undecided(Outcome::NotEvaluated);
        let none = case(json!({})).rows(&DEPLOYMENTS, json!([]));
        none.judge().assert_pass();
    }
}
