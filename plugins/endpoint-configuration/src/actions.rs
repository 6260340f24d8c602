//! The scheduled actions that bring the manifest.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{
    ACTION_GROUPS, ActionGroup, GROUPS, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction,
};
use tancheck_plugin_api::records::people::{USERS, User};

/// The manifest actions deploy.
pub(crate) const MANIFEST_ACTIONS: Check = Check::automated("endpoint-configuration.manifest-actions")
    .title("The scheduled manifest actions are enabled and aimed at endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&SCHEDULED_ACTIONS, &ACTION_GROUPS, &GROUPS, &USERS])
    .guide(&[
        guide("Review and update scheduled actions", 39),
        guide("Verify whether endpoints have the latest manifest", 26),
    ])
    .what("Looks for the scheduled actions `Endpoint Configuration - Manifest`, one for Windows and one for the other systems. Each has to be there, enabled, approved, not past its end, issued by an account that is not deleted, and assigned to an action group that holds endpoints.")
    .why("These actions bring the manifest to all endpoints. While one of them rests, no tool and no setting arrives there.")
    .limits("Which systems an action is for stands in its package's name only.")
    .related(&["actions.scheduled-actions-on-default", "endpoint-configuration.manifest-outdated"])
    .remedy(&REMEDY)
    .judge(manifest_actions);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "filter by name Endpoint Configuration - Manifest and look at {subject}",
    ),
    Step::decision("it is disabled", "find out who disabled it and why, then enable it"),
    Step::decision("it waits for approval", "let somebody approve it"),
    Step::decision(
        "it is on the action group Default, or on one without computers",
        "assign the action group that Endpoint Configuration is meant to reach; by default that is All Computers",
    ),
    Step::decision(
        "it is missing, or its issuer is deleted",
        "let Endpoint Configuration make it again: contact Tanium Support when it does not come back by itself",
    ),
])
.cautions(&["Do not delete or copy these actions: Endpoint Configuration owns them."])
.who("a Console user with the Administrator reserved role, or a custom role that may write actions")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Managing scheduled actions and action history"]);

const NAME: &str = "Endpoint Configuration - Manifest";
const KINDS: [(&str, &str); 2] = [("windows", "[windows]"), ("non-windows", "[non-windows]")];

fn manifest_actions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let mut unknown = Vec::new();
    for (kind, mark) in KINDS {
        let ours = |action: &&ScheduledAction| {
            let text = format!("{} {}", action.name, action.package_spec.name).to_lowercase();
            action.name.starts_with(NAME)
                && text.contains(mark)
                && action.status() != Some(ScheduleStatus::Deleted)
        };
        let found: Vec<&ScheduledAction> = actions.iter().filter(ours).collect();
        let mut troubles = Vec::new();
        for action in &found {
            match trouble(facts, action) {
                Ok(Some(trouble)) => troubles.push((*action, trouble)),
                Ok(None) => {}
                Err(unseen) if unseen.input.is_some() => return Err(unseen),
                Err(undecided) => unknown.push(undecided.reason),
            }
        }
        if found.is_empty() {
            let gaps = facts.gaps(&SCHEDULED_ACTIONS)?;
            if let Some(gap) = gaps.first() {
                unknown.push(format!(
                    "no manifest action for {kind} is in the list, which is not complete: {gap}"
                ));
                continue;
            }
            report.finding(
                Finding::on(Subject::new("scheduled action", kind, format!("{NAME} ({kind})")))
                    .says("is missing")
                    .expected("an enabled scheduled action that brings the manifest")
                    .evidence(facts.seen(&SCHEDULED_ACTIONS, actions.len())),
            );
        } else if troubles.len() == found.len() {
            // One action that works is enough.
            for (action, trouble) in troubles {
                report.finding(
                    Finding::on(Subject::new("scheduled action", &action.id, &action.name))
                        .says(trouble)
                        .expected("enabled, approved, and assigned to an action group with endpoints")
                        .evidence(facts.seen(
                            &SCHEDULED_ACTIONS,
                            [&action.status, &action.action_group.name, &action.package_spec.name],
                        )),
                );
            }
        }
    }
    settle(&unknown)
}

/// What keeps an action from deploying.
fn trouble(facts: &Facts<'_>, action: &ScheduledAction) -> Result<Option<String>, Undecided> {
    if let Some(trouble) = action.why_not_deployed(facts)? {
        return Ok(Some(trouble.to_owned()));
    }
    if action.action_group.name.eq_ignore_ascii_case("Default") {
        return Ok(Some("is assigned to the action group Default".to_owned()));
    }
    let groups: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    let assigned = &action.action_group;
    let group = groups.iter().find(|group| {
        if assigned.id.is_empty() || group.id.is_empty() {
            group.name == assigned.name
        } else {
            group.id == assigned.id
        }
    });
    let Some(group) = group else {
        return Err(Undecided::not_evaluated(format!(
            "the action group {} of {} is not in the list; let an administrator's account look",
            assigned.label(),
            action.name
        )));
    };
    let members = group.member_names(facts)?;
    if members.iter().all(|name| name == "No Computers") {
        return Ok(Some(format!("is assigned to the action group {}, which holds no endpoint", group.name)));
    }
    let users: Vec<User> = facts.rows(&USERS)?;
    let issuer = users.iter().find(|user| user.id == action.user.id || user.name == action.user.name);
    if issuer.is_some_and(|user| user.deleted_flag == Some(true)) {
        return Ok(Some(format!(
            "was issued by {}, who is deleted: the server does not issue it",
            action.user.label()
        )));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn action(id: u64, kind: &str) -> Value {
        json!({"id": id, "name": NAME, "status": 0, "approved_flag": true, "action_group": {"id": 25, "name": "All"},
            "package_spec": {"name": format!("{NAME} [{kind}] (v. 128)")}, "user": {"id": 7, "name": "ec"}})
    }

    fn case(changes: &[(&str, Value)]) -> Case {
        let mut windows = action(50, "Windows");
        for (key, value) in changes {
            windows[*key] = value.clone();
        }
        Case::of(&MANIFEST_ACTIONS)
            .rows(&SCHEDULED_ACTIONS, json!([windows, action(51, "Non-Windows")]))
            .rows(
                &ACTION_GROUPS,
                json!([{"id": 25, "name": "All", "groups": [{"id": 1}]}, {"id": 26, "name": "None", "groups": [{"id": 2}]}]),
            )
            .rows(&GROUPS, json!([{"id": 1, "name": "All Computers"}, {"id": 2, "name": "No Computers"}]))
            .rows(&USERS, json!([{"id": 7, "name": "ec"}, {"id": 8, "name": "gone", "deleted_flag": true}]))
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
            ("approved_flag", json!(false)),
            ("end_time", json!("2026-06-29T00:00:00")),
            ("action_group", json!({"id": 3, "name": "Default"})),
            ("action_group", json!({"id": 26, "name": "None"})),
            ("user", json!({"id": 8, "name": "gone"})),
        ] {
            case(&[change]).judge().assert_findings(&["50"]);
        }
    }

    #[test]
    fn a_missing_action_is_found_for_its_systems() {
        case(&[("status", json!(2))]).judge().assert_findings(&["windows"]);
        case(&[("name", json!("Something else"))]).judge().assert_findings(&["windows"]);
        let own = case(&[("status", json!(2))]).gap(&SCHEDULED_ACTIONS, "only own actions");
        own.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn what_is_unknown_decides_nothing() {
        case(&[("status", json!(9))]).judge().assert_undecided(Outcome::NotEvaluated);
        let hidden = ("action_group", json!({"id": 99, "name": "Hidden"}));
        case(&[hidden]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
