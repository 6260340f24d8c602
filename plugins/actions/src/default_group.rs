//! Guide: *Review and update actions that target No Computers*, page 13.

use crate::inputs::{is_on_default, status, subject};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{
    ACTION_GROUPS, ActionGroup, GROUPS, SCHEDULED_ACTIONS as ACTIONS, ScheduleStatus, ScheduledAction,
};

const WHO: &str =
    "a Console user with the Administrator reserved role, or a custom role that may write actions";

/// Names or ids of actions that are meant to stay on Default.
const INTENDED_ON_DEFAULT: Setting = Setting::list("intended_on_default", &[])
    .about("names or ids of actions that stay on Default on purpose");

/// How long a confirmation of such an intention is good for.
const INTENT_DUE_EVERY_DAYS: Setting = Setting::integer("intent_due_every_days", 7, 1, 366)
    .unit("days")
    .about("how often somebody confirms that an action stays on Default on purpose")
    .from_guide();

/// Action group Default holds only No Computers.
pub(crate) const MEMBERS: Check = Check::automated("actions.default-group-members")
    .title("Action group Default holds only No Computers")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::High)
    .reads(&[&ACTION_GROUPS, &GROUPS])
    .guide(&[guide("Review and update actions that target No Computers", 13)])
    .what("Looks up the computer groups that are assigned to the action group Default. It passes when that is No Computers and nothing else.")
    .why("Actions are parked on Default because nothing is deployed from there. A computer group added to Default starts every parked action at once.")
    .limits("Action groups that are not public are seen by administrators only; where Default is not visible, nothing is decided.")
    .related(&["actions.scheduled-actions-on-default"])
    .remedy(&MEMBERS_REMEDY)
    .judge(default_group_members);

const MEMBERS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "filter by Action Group = Default: the actions listed there may be deploying to {groups} now; decide which to disable first",
    ),
    Step::consult("the administrator who changed Default", "why {groups} was added"),
    Step::console(
        "Administration > Actions > Action Groups > Default",
        "deselect every computer group but No Computers, and save",
    ),
    Step::decision("an action should run after all", "assign that action to another action group"),
])
.cautions(&["Never widen Default so that actions deploy: it starts everything that targets it. Assign another action group instead."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Managing action groups"]);

fn default_group_members(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let action_groups: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    let is_default = |group: &&ActionGroup| group.name == "Default" && group.deleted_flag != Some(true);
    let Some(default) = action_groups.iter().find(is_default) else {
        return Err(Undecided::not_evaluated(
            "the action group Default is not in the list; the account may not see it, let an administrator's look",
        ));
    };
    let members = default.member_names(facts)?;
    let extra: Vec<&String> = members.iter().filter(|name| *name != "No Computers").collect();
    let says = match (extra.is_empty(), extra.len() == members.len()) {
        (true, false) => return Ok(()),
        (true, true) => "no computer group is assigned, not even No Computers".to_owned(),
        (false, _) => format!("assigned: {}", members.join(", ")),
    };
    let names: Vec<&str> = extra.iter().map(|name| name.as_str()).collect();
    report.finding(
        Finding::on(Subject::new("action group", "default", "Default"))
            .says(says)
            .expected("No Computers alone")
            .affected(names.len() as u64, None)
            .sample(names.iter().copied())
            .fill("groups", if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
            .evidence(facts.seen(&ACTION_GROUPS, &members)),
    );
    Ok(())
}

/// Scheduled actions that target Default are known.
pub(crate) const SCHEDULED_ACTIONS: Check = Check::automated("actions.scheduled-actions-on-default")
    .title("Scheduled actions that target Default are known")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&ACTIONS])
    .settings(&[&INTENDED_ON_DEFAULT])
    .learns(&[&INTENDED_ON_DEFAULT])
    .guide(&[
        guide("Review and update actions that target No Computers", 13),
        guide("Review all TPAN findings", 15),
    ])
    .what("Lists the scheduled actions, enabled or disabled, whose action group is Default and which `intended_on_default` does not name.")
    .why("Such an action never reaches an endpoint. Somebody may believe that it does.")
    .limits("An account that reads only its own actions cannot prove that there are no others.")
    .related(&["actions.default-group-members", "actions.default-target-intent"])
    .remedy(&SCHEDULED_ACTIONS_REMEDY)
    .judge(scheduled_actions_on_default);

const SCHEDULED_ACTIONS_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "{issuer}, who issued it",
        "whether {subject} was put on Default to avoid an unexpected change",
    ),
    Step::decision(
        "it should deploy, and the environment is ready for it",
        "assign another action group (next step)",
    ),
    Step::console(
        "Administration > Actions > Scheduled Actions > {subject}",
        "check targets, schedule and package, then edit the action group assignment",
    ),
    Step::decision(
        "it stays where it is",
        "name it in `intended_on_default` and confirm the intention each week",
    ),
])
.cautions(&[
    "Reassigning makes the action run on real endpoints, perhaps at once.",
    "Do not add computer groups to Default instead: that starts everything parked there.",
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.references(&[
    "Console User Guide: Edit action group assignments for scheduled actions",
    "Console User Guide: Reconfigure actions that target the Default action group",
]);

fn scheduled_actions_on_default(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let present = on_default(facts)?;
    let names = present.iter().map(|action| [&action.name, &action.id]);
    let intended = facts.called(&INTENDED_ON_DEFAULT, names);
    report.propose(
        &INTENDED_ON_DEFAULT,
        intended,
        format!("scheduled actions on Default: {}", present.len()),
    );
    for action in present.into_iter().filter(|action| !is_intended(facts, action)) {
        report.finding(
            Finding::on(subject(&action))
                .says("targets the action group Default, so it never deploys")
                .expected("another action group, or a place in `intended_on_default`")
                .fill("issuer", action.user.label())
                .evidence(facts.seen(&ACTIONS, [&action.status, &action.action_group.name])),
        );
    }
    Ok(())
}

/// Actions left on Default are left there on purpose.
pub(crate) const TARGET_INTENT: Check = Check::attested("actions.default-target-intent")
    .title("Actions left on Default are left there on purpose")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&ACTIONS])
    .settings(&[&INTENDED_ON_DEFAULT])
    .due_every(&INTENT_DUE_EVERY_DAYS)
    .guide(&[guide("Review and update actions that target No Computers", 13)])
    .what("Asks for a confirmation for each action on Default that `intended_on_default` names.")
    .why("An exception that nobody looks at again becomes a forgotten action.")
    .related(&["actions.scheduled-actions-on-default"])
    .remedy(&TARGET_INTENT_REMEDY)
    .judge(default_target_intent);

const TARGET_INTENT_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{issuer}, who issued it", "whether {subject} is still on Default on purpose, and why"),
    Step::command(
        "tancheck attest actions.default-target-intent --subject {id} --result done",
        "records the confirmation with name and note",
    ),
    Step::decision(
        "it is no longer meant to be there",
        "take it off `intended_on_default` and assign another action group",
    ),
])
.who("the owner of the action");

fn default_target_intent(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let intended: Vec<_> =
        on_default(facts)?.into_iter().filter(|action| is_intended(facts, action)).collect();
    if intended.is_empty() {
        return Err(Undecided::not_applicable("no action is on Default on purpose"));
    }
    for action in intended {
        report.finding(
            Finding::on(subject(&action))
                .says("is on Default; its owner has to confirm that this is on purpose")
                .fill("issuer", action.user.label())
                .fill("id", &action.id)
                .confirms(&action.action_group.name)
                .evidence(facts.seen(&ACTIONS, &action.action_group.name)),
        );
    }
    Ok(())
}

fn on_default(facts: &Facts<'_>) -> Result<Vec<ScheduledAction>, Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&ACTIONS)?;
    let mut found = Vec::new();
    for action in actions.into_iter().filter(is_on_default) {
        if status(&action)? != ScheduleStatus::Deleted {
            found.push(action);
        }
    }
    Ok(found)
}

fn is_intended(facts: &Facts<'_>, action: &ScheduledAction) -> bool {
    facts
        .list(&INTENDED_ON_DEFAULT)
        .iter()
        .any(|&one| one == action.id || one.eq_ignore_ascii_case(&action.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn groups(ids: Value) -> Case {
        Case::of(&MEMBERS)
            .rows(&ACTION_GROUPS, json!([{"id": 3, "name": "Default", "deleted_flag": 0, "groups": ids}]))
            .rows(&GROUPS, json!([{"id": 2, "name": "No Computers"}, {"id": 5, "name": "All Windows"}]))
    }

    #[test]
    fn no_computers_alone_passes() {
        groups(json!([{"id": 2}])).judge().assert_pass();
        groups(json!([{"id": 2}])).assert_needs_its_inputs();
    }

    #[test]
    fn another_group_or_none_is_found() {
        let verdict = groups(json!([{"id": 2}, {"id": 5}])).judge();
        verdict.assert_findings(&["default"]);
        assert_eq!(verdict.findings()[0].values["groups"], "All Windows");
        groups(json!([{"id": 5}])).judge().assert_findings(&["default"]);
        groups(json!([])).judge().assert_findings(&["default"]);
        groups(json!([{"id": 2}, {"id": 77}])).judge().assert_findings(&["default"]);
    }

    #[test]
    fn an_exported_list_names_the_groups_itself() {
        let case = |groups: &str| {
            Case::of(&MEMBERS).rows(&ACTION_GROUPS, json!([{"Name": "Default", "Computer Groups": groups}]))
        };
        case("No Computers").judge().assert_pass();
        case("No Computers, All Windows").judge().assert_findings(&["default"]);
    }

    #[test]
    fn a_default_that_is_not_visible_decides_nothing() {
        let case = Case::of(&MEMBERS).rows(&ACTION_GROUPS, json!([{"id": 9, "name": "Tanium Patch"}]));
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn action(status: Value, group: &str) -> Value {
        json!([{"id": 42, "name": "Deploy X", "status": status, "action_group": {"id": 3, "name": group},
                "user": {"id": 7, "name": "ann"}}])
    }

    #[test]
    fn actions_on_default_are_listed_unless_intended_or_deleted() {
        let case = |status, group| Case::of(&SCHEDULED_ACTIONS).rows(&ACTIONS, action(status, group));
        case(json!(0), "Default").judge().assert_findings(&["42"]);
        case(json!(1), "default").judge().assert_findings(&["42"]);
        case(json!(2), "Default").judge().assert_pass();
        case(json!(0), "All Computers").judge().assert_pass();
        case(json!(9), "Default").judge().assert_undecided(Outcome::NotEvaluated);
        case(json!(0), "Default").setting("intended_on_default", json!(["deploy x"])).judge().assert_pass();
        case(json!(0), "Default").setting("intended_on_default", json!(["42"])).judge().assert_pass();
        case(json!(0), "Default").assert_needs_its_inputs();
    }

    #[test]
    fn what_is_on_default_is_proposed_as_intended() {
        let case = Case::of(&SCHEDULED_ACTIONS).rows(&ACTIONS, action(json!(0), "Default"));
        assert_eq!(case.judge().proposal("intended_on_default"), Some(&json!(["Deploy X"])));
        let by_id = case.setting("intended_on_default", json!(["42", "gone"]));
        assert_eq!(by_id.judge().proposal("intended_on_default"), Some(&json!(["42"])));
        let none = Case::of(&SCHEDULED_ACTIONS).rows(&ACTIONS, action(json!(0), "Other"));
        assert_eq!(none.judge().proposal("intended_on_default"), Some(&json!([])));
    }

    #[test]
    fn intended_ones_await_confirmation() {
        let case = |list: Value| {
            Case::of(&TARGET_INTENT)
                .rows(&ACTIONS, action(json!(0), "Default"))
                .setting("intended_on_default", list)
        };
        case(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let verdict = case(json!(["Deploy X"])).judge();
        verdict.assert_findings(&["42"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("Default"));
    }
}
