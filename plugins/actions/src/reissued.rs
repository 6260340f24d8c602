//! Beyond the guide: scheduled actions that look enabled and are never issued again.

use crate::inputs::{status, subject};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction};
use tancheck_plugin_api::records::people::{PERSONAS, Persona, USERS, User};
use tancheck_plugin_api::records::settings::{SYSTEM_SETTINGS, SystemSetting};

/// The global setting by which actions need an approval.
const APPROVAL: &str = "require_action_approval";

/// Enabled scheduled actions can be issued.
pub(crate) const NEVER_REISSUED: Check = Check::automated("actions.never-reissued")
    .title("No enabled scheduled action waits for something that never comes")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SCHEDULED_ACTIONS, &SYSTEM_SETTINGS, &USERS, &PERSONAS])
    .beyond()
    .what("Lists enabled scheduled actions that are not approved while the deployment requires approval, and those whose issuer or persona is gone: the server does not issue either of them.")
    .why("In the list they look like every other action. Whoever relies on one finds out when endpoints lack what it should have deployed.")
    .limits("An exported list of actions does not tell the approval.")
    .related(&["actions.user-issued-stale", "actions.failing"])
    .remedy(&REMEDY)
    .judge(never_reissued);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("{issuer}, or the successor", "whether {subject} is still needed"),
    Step::console(
        "Administration > Actions > Scheduled Actions > {subject}",
        "check targets, package and schedule before anything else",
    ),
    Step::decision("it waits for approval, and is right", "let somebody who may approve actions approve it"),
    Step::decision(
        "its issuer or persona is gone, and it is needed",
        "transfer it to an active user, or issue it again as one",
    ),
    Step::decision("nobody needs it", "select it and use More > Disable Action(s)"),
])
.cautions(&["An action that is approved or transferred runs on real endpoints, perhaps at once."])
.who(
    "a Console user with the Administrator reserved role, or a custom role that may approve or write actions",
)
.risk(Risk::High, Reversible::Partly)
.references(&["Console User Guide: Managing scheduled actions and action history"]);

fn never_reissued(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    let personas: Vec<Persona> = facts.rows(&PERSONAS)?;
    let needs_approval = needs_approval(facts)?;
    let mut unknown = Vec::new();
    for action in &actions {
        if status(action)? != ScheduleStatus::Enabled {
            continue;
        }
        let mut says = Vec::new();
        match action.approved_flag {
            Some(false) if needs_approval => says.push("waits for an approval".to_owned()),
            None if needs_approval => {
                unknown.push(format!("{} does not tell whether it is approved", action.name))
            }
            _ => {}
        }
        match issuer(action, &users) {
            Some(user) => {
                says.extend(user.inactive_because().map(|why| format!("its issuer {} {why}", user.label())))
            }
            None if facts.gaps(&USERS)?.is_empty() => {
                says.push(format!("its issuer {} is no Console user", action.user.label()))
            }
            None => unknown.push(format!("the issuer of {} is not among the users that came", action.name)),
        }
        let persona = &action.persona;
        if !persona.is_none()
            && !personas.iter().any(|one| one.id == persona.id && one.deleted_flag != Some(true))
        {
            match facts.gaps(&PERSONAS)? {
                [] => says.push(format!("its persona {} is gone", persona.label())),
                _ => unknown.push(format!("the persona of {} is not among those that came", action.name)),
            }
        }
        if !says.is_empty() {
            report.finding(
                Finding::on(subject(action))
                    .says(format!("is enabled and never issued: {}", says.join("; ")))
                    .expected("an approved action of an active issuer")
                    .fill("issuer", action.user.label())
                    .evidence(facts.seen(&SCHEDULED_ACTIONS, (&action.user.name, action.approved_flag))),
            );
        }
    }
    settle(&unknown)
}

fn needs_approval(facts: &Facts<'_>) -> Result<bool, Undecided> {
    let settings: Vec<SystemSetting> = facts.rows(&SYSTEM_SETTINGS)?;
    let value = settings.iter().find(|setting| setting.name == APPROVAL).map(|setting| setting.value.trim());
    match value {
        Some("1") => Ok(true),
        // Without the setting no approval is required.
        Some("0") => Ok(false),
        None if facts.gaps(&SYSTEM_SETTINGS)?.is_empty() => Ok(false),
        other => Err(Undecided::not_evaluated(format!(
            "whether actions need approval is not told ({APPROVAL}: {other:?})"
        ))),
    }
}

fn issuer<'a>(action: &ScheduledAction, users: &'a [User]) -> Option<&'a User> {
    let is_issuer = |user: &&User| match action.user.id.as_str() {
        "" => user.is_named(&action.user.name),
        id => user.id == id,
    };
    users.iter().filter(is_issuer).min_by_key(|user| user.deleted_flag == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(required: Value, change: Value) -> Case {
        let mut action = json!({"id": 42, "name": "Deploy X", "status": 0, "approved_flag": true, "user": {"id": 7, "name": "ann"}});
        for (key, value) in change.as_object().unwrap() {
            action[key] = value.clone();
        }
        Case::of(&NEVER_REISSUED)
            .rows(&SCHEDULED_ACTIONS, json!([action]))
            .rows(&SYSTEM_SETTINGS, json!([{"name": APPROVAL, "value": required}]))
            .rows(&USERS, json!([{"id": 7, "name": "ann", "locked_out": 0}]))
            .rows(&PERSONAS, json!([{"id": 3, "name": "Ops"}]))
    }

    #[test]
    fn an_approved_action_of_an_active_issuer_passes() {
        case(json!(1), json!({})).judge().assert_pass();
        case(json!(1), json!({})).assert_needs_its_inputs();
        case(json!("0"), json!({"approved_flag": false})).judge().assert_pass();
        case(json!(1), json!({"approved_flag": false, "status": 1})).judge().assert_pass();
        case(json!(1), json!({"persona": {"id": 3}})).judge().assert_pass();
        case(json!(1), json!({"persona": {"id": 0}})).judge().assert_pass();
    }

    #[test]
    fn one_that_cannot_be_issued_is_found() {
        case(json!(1), json!({"approved_flag": false})).judge().assert_findings(&["42"]);
        case(json!(0), json!({"user": {"id": 8, "name": "eve"}})).judge().assert_findings(&["42"]);
        case(json!(0), json!({"persona": {"id": 4, "name": "Gone"}})).judge().assert_findings(&["42"]);
        let locked =
            case(json!(0), json!({})).rows(&USERS, json!([{"id": 7, "name": "ann", "locked_out": 2}]));
        locked.judge().assert_findings(&["42"]);
    }

    #[test]
    fn what_is_not_told_is_not_decided() {
        case(json!(1), json!({"approved_flag": null})).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!("perhaps"), json!({})).judge().assert_undecided(Outcome::NotEvaluated);
        let cut = case(json!(0), json!({"user": {"id": 8}})).gap(&USERS, "only some are shown");
        cut.judge().assert_undecided(Outcome::NotEvaluated);
        case(json!(1), json!({"status": 9})).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
