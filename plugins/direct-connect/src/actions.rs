//! The scheduled actions that bring the tools of Direct Connect and their settings to endpoints.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{
    ACTION_GROUPS, ActionGroup, GROUPS, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction,
};

const NAMES: [(&str, &str); 2] = [
    ("tools", "Deploy Direct Connect - Tools"),
    ("extension", "Deploy Direct Connect - Configure Extension"),
];

const ACTION_GROUP: Setting =
    Setting::text("action_group", Some("Tanium Direct Connect")).about("the action group of Direct Connect");

/// The tools of Direct Connect reach endpoints.
pub(crate) const ACTIONS: Check = Check::automated("direct-connect.actions")
    .title("The scheduled actions of Direct Connect deploy to endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SCHEDULED_ACTIONS, &ACTION_GROUPS, &GROUPS])
    .settings(&[&ACTION_GROUP])
    .what("Looks for the scheduled actions `Deploy Direct Connect - Tools` and `Deploy Direct Connect - Configure Extension`. Each has to be there, enabled, approved, and issued at least once. The action group `action_group` has to hold endpoints.")
    .why("Endpoints that join while these actions rest can never be connected to.")
    .limits("Action groups that are not public are seen by administrators only.")
    .related(&["direct-connect.connections", "actions.scheduled-actions-on-default"])
    .beyond()
    .remedy(&REMEDY)
    .judge(actions);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "filter by name Deploy Direct Connect and look at {subject}",
    ),
    Step::decision("it is disabled", "find out who disabled it and why, then enable it"),
    Step::decision("it waits for approval", "let somebody approve it"),
    Step::console(
        "Administration > Actions > Action Groups",
        "see that the action group of Direct Connect holds the computer groups that it is meant to reach",
    ),
    Step::consult(
        "Direct Connect User Guide: Configuring Direct Connect",
        "if an action is missing, how the module makes it again",
    ),
])
.cautions(&["Do not delete or copy these actions: Direct Connect owns them."])
.who("a Console user with the Administrator reserved role, or a custom role that may write actions")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Managing scheduled actions and action history"]);

fn actions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let all: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let mut unknown = Vec::new();
    for (key, name) in NAMES {
        let is_it = |action: &&ScheduledAction| {
            action.name.eq_ignore_ascii_case(name) && action.status() != Some(ScheduleStatus::Deleted)
        };
        let Some(action) = all.iter().find(is_it) else {
            match facts.gaps(&SCHEDULED_ACTIONS)?.first() {
                Some(gap) => unknown.push(format!("{name} is not in the list, which is not complete: {gap}")),
                None => report.finding(
                    Finding::on(Subject::new("scheduled action", key, name))
                        .says("is missing")
                        .expected("an enabled scheduled action")
                        .evidence(facts.seen(&SCHEDULED_ACTIONS, all.len())),
                ),
            }
            continue;
        };
        let trouble = match action.status() {
            Some(ScheduleStatus::Enabled) if action.approved_flag == Some(false) => "is not approved",
            Some(ScheduleStatus::Enabled) if action.last_start_time.is_none() => "was never issued",
            Some(ScheduleStatus::Enabled) => continue,
            Some(_) => "is disabled",
            None => {
                unknown
                    .push(format!("the scheduled action {name} has the unknown status {:?}", action.status));
                continue;
            }
        };
        report.finding(
            Finding::on(Subject::new("scheduled action", key, name))
                .says(trouble)
                .expected("enabled, approved, and issued")
                .evidence(facts.seen(&SCHEDULED_ACTIONS, [&action.status, &action.action_group.name])),
        );
    }
    action_group(facts, report)?;
    settle(&unknown)
}

fn action_group(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let groups: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    let name = facts.text(&ACTION_GROUP)?;
    let is_it =
        |group: &&ActionGroup| group.name.eq_ignore_ascii_case(name) && group.deleted_flag != Some(true);
    let says = match groups.iter().find(is_it) {
        None => "is not in the list of action groups".to_owned(),
        Some(group) => {
            let members = group.member_names(facts)?;
            if members.iter().any(|member| member != "No Computers") {
                return Ok(());
            }
            "holds no endpoint".to_owned()
        }
    };
    report.finding(
        Finding::on(Subject::new("action group", name.to_lowercase(), name))
            .says(says)
            .expected("the computer groups that Direct Connect is meant to reach")
            .evidence(facts.seen(&ACTION_GROUPS, groups.len())),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(changes: &[(&str, Value)]) -> Case {
        let action = |id: u64, name: &str| json!({"id": id, "name": name, "status": 0, "approved_flag": true, "last_start_time": "2026-06-30T00:00:00"});
        let mut tools = action(1, NAMES[0].1);
        for (key, value) in changes {
            tools[*key] = value.clone();
        }
        Case::of(&ACTIONS)
            .rows(&SCHEDULED_ACTIONS, json!([tools, action(2, NAMES[1].1)]))
            .rows(&ACTION_GROUPS, json!([{"id": 9, "name": "Tanium Direct Connect", "groups": [{"id": 1}]}]))
            .rows(&GROUPS, json!([{"id": 1, "name": "All Computers"}, {"id": 2, "name": "No Computers"}]))
    }

    #[test]
    fn two_actions_that_deploy_pass() {
        case(&[]).judge().assert_pass();
        case(&[]).assert_needs_its_inputs();
    }

    #[test]
    fn whatever_keeps_an_action_from_deploying_is_found() {
        for change in [
            ("status", json!(1)),
            ("status", json!(2)),
            ("approved_flag", json!(false)),
            ("last_start_time", json!("Never")),
            ("name", json!("Other")),
        ] {
            case(&[change]).judge().assert_findings(&["tools"]);
        }
        case(&[("status", json!(9))]).judge().assert_undecided(Outcome::NotEvaluated);
        let own = case(&[("name", json!("Other"))]).gap(&SCHEDULED_ACTIONS, "only own actions");
        own.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_action_group_has_to_hold_endpoints() {
        let group = |groups: Value| case(&[]).rows(&ACTION_GROUPS, groups);
        let named = |members: Value| json!([{"id": 9, "name": "Tanium Direct Connect", "groups": members}]);
        group(named(json!([{"id": 2}]))).judge().assert_findings(&["tanium direct connect"]);
        group(named(json!([]))).judge().assert_findings(&["tanium direct connect"]);
        group(json!([])).judge().assert_findings(&["tanium direct connect"]);
        let other = json!([{"id": 9, "name": "Own", "groups": [{"id": 1}]}]);
        group(other).setting("action_group", "own").judge().assert_pass();
    }
}
