//! Guide: *Review and update custom action groups for Patch*, page 41.

use crate::inputs::ALERTS;
use crate::service::Alert;
use records::actions::{
    ACTION_GROUPS, ActionGroup, GROUPS, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction,
};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and update custom action groups for Patch", 41)];
const WHO: &str =
    "a Console user with the Administrator reserved role, or a custom role that may write action groups";
const MANAGING: &str = "Console User Guide: Managing action groups";

/// The action group that Patch makes for itself.
const PATCH: &str = "Patch";
/// The action that starts the Patch process.
const START_PROCESS_ACTION: &str = "Patch - Start Patch Process";
/// The warning that the service raises when its action group changed.
pub(crate) const ACTION_GROUP_CHANGED: &str = "action-group-change-warning";

const EXPECTED_GROUPS: Setting = Setting::list("expected_groups", &["Patch Supported Systems"])
    .about("the computer groups that the action group Patch should hold")
    .from_guide();

const NAME_FILTER: Setting = Setting::text("name_filter", Some(PATCH))
    .about("what the names of custom action groups for Patch have in common")
    .from_guide();

/// The action group Patch holds the right computer groups.
pub(crate) const TARGETS: Check = Check::automated("patch.action-group-targets")
    .title("The action group Patch targets the right computer groups")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&ACTION_GROUPS, &GROUPS, &ALERTS])
    .settings(&[&EXPECTED_GROUPS])
    .learns(&[&EXPECTED_GROUPS])
    .guide(GUIDE)
    .what("Compares the computer groups of the action group Patch with `expected_groups`, and looks whether Patch warns that its action group was changed after it was initialised.")
    .why("Endpoints outside of this action group get neither the Patch tools nor its process.")
    .limits("Whether the computer groups hold every supported endpoint is not looked at. Action groups that are not public are seen by administrators only.")
    .related(&["patch.process-not-running", "patch.start-process-action-group"])
    .remedy(&TARGETS_REMEDY)
    .judge(targets);

const TARGETS_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "patch.process-not-running",
        "which endpoints are without the Patch process: are they in {groups}?",
    ),
    Step::console("Administration > Actions > Action Groups > Patch", "edit the computer groups, and save"),
    Step::decision("the groups are right as they are", "name them in `expected_groups`"),
    Step::decision("Patch warns of the change", "Modules > Patch > Overview: initialise it again"),
])
.cautions(&["Endpoints that leave the action group are no longer patched."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[MANAGING]);

fn targets(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let groups = action_groups(facts)?;
    let expected: BTreeSet<&str> = facts.list(&EXPECTED_GROUPS).into_iter().collect();
    let wanted = expected.iter().copied().collect::<Vec<_>>().join(", ");
    match groups.iter().find(|group| group.name == PATCH) {
        None => report.finding(
            Finding::on(Subject::new("action group", "patch", PATCH))
                .says("there is no action group with this name")
                .expected(format!("an action group Patch with {wanted}"))
                .fill("groups", "no group")
                .evidence(facts.seen(&ACTION_GROUPS, groups.len())),
        ),
        Some(patch) => {
            let names = patch.member_names(facts)?;
            report.propose(&EXPECTED_GROUPS, names.clone(), format!("the action group {PATCH}"));
            let members: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let differences = differences(&members, &expected);
            if !differences.is_empty() {
                report.finding(
                    Finding::on(Subject::new("action group", "patch", PATCH))
                        .says(differences.join("; "))
                        .expected(format!("exactly {wanted}"))
                        .affected(members.len() as u64, None)
                        .sample(members.iter().copied())
                        .fill("groups", members.iter().copied().collect::<Vec<_>>().join(", "))
                        .evidence(facts.seen(&ACTION_GROUPS, &names)),
                );
            }
        }
    }
    let alerts: Vec<Alert> = facts.rows(&ALERTS)?;
    if let Some(alert) = alerts.iter().find(|alert| alert.kind == ACTION_GROUP_CHANGED) {
        report.finding(
            Finding::on(Subject::new("warning", ACTION_GROUP_CHANGED, "Patch"))
                .says(format!("warns: {}", alert.description))
                .expected("an action group that is as it was when Patch was initialised")
                .fill("groups", "the action group Patch")
                .evidence(facts.seen(&ALERTS, [&alert.kind, &alert.description, &alert.action])),
        );
    }
    Ok(())
}

/// How two sets of computer groups differ.
fn differences(found: &BTreeSet<&str>, expected: &BTreeSet<&str>) -> Vec<String> {
    let names = |one: &BTreeSet<&str>, other: &BTreeSet<&str>| {
        one.difference(other).copied().collect::<Vec<_>>().join(", ")
    };
    let (surplus, missing) = (names(found, expected), names(expected, found));
    let mut differences = Vec::new();
    if !surplus.is_empty() {
        differences.push(format!("holds {surplus}, which is not expected"));
    }
    if !missing.is_empty() {
        differences.push(format!("does not hold {missing}"));
    }
    differences
}

/// The action groups that are not deleted.
fn action_groups(facts: &Facts<'_>) -> Result<Vec<ActionGroup>, Undecided> {
    let groups: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    Ok(groups.into_iter().filter(|group| group.deleted_flag != Some(true)).collect())
}

/// Custom action groups for Patch are right.
pub(crate) const CUSTOM: Check = Check::hybrid("patch.custom-action-groups")
    .title("Custom action groups for Patch target the right computer groups")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&ACTION_GROUPS, &GROUPS, &SCHEDULED_ACTIONS])
    .settings(&[&NAME_FILTER])
    .guide(GUIDE)
    .what("Lists every action group with `name_filter` in its name, apart from Patch itself, with its computer groups: somebody confirms each quarter that they are right, and when they change the group is listed at once. A group without computer groups, with the same ones as another, or that no enabled action uses is named as such.")
    .why("Patch reaches what its action groups hold. A custom group that nobody looks at again goes on targeting what was right years ago.")
    .limits("A computer group without members looks like any other. An account that reads only its own actions may take a group for unused.")
    .related(&["patch.action-group-targets", "patch.start-process-action-group"])
    .remedy(&CUSTOM_REMEDY)
    .judge(custom);

const CUSTOM_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Action Groups",
        "filter by the common part of the names and open {subject}: {groups}",
    ),
    Step::decision(
        "it targets the right computer groups",
        "confirm it here; the confirmation ends when they change",
    ),
    Step::decision("it does not", "edit its computer groups, or create another action group"),
    Step::decision("no action needs it", "delete it"),
])
.cautions(&["Actions that use the group run on what is added to it, perhaps at once."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&[MANAGING, "Console User Guide: View action groups"]);

fn custom(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let filter = facts.text(&NAME_FILTER)?.to_lowercase();
    let groups = action_groups(facts)?;
    let custom: Vec<&ActionGroup> = groups
        .iter()
        .filter(|group| group.name != PATCH && group.name.to_lowercase().contains(&filter))
        .collect();
    if custom.is_empty() {
        let reason = format!("no action group but Patch has {:?} in its name", facts.text(&NAME_FILTER)?);
        return Err(facts.absent(&ACTION_GROUPS, reason));
    }
    let mut members = BTreeMap::new();
    for group in &groups {
        let mut names = group.member_names(facts)?;
        names.sort();
        members.insert(group.name.as_str(), names);
    }
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let used: BTreeSet<&str> = actions
        .iter()
        .filter(|action| action.status() == Some(ScheduleStatus::Enabled))
        .map(|action| action.action_group.name.as_str())
        .collect();
    for group in custom {
        let own = &members[group.name.as_str()];
        let mut problems = Vec::new();
        if own.is_empty() {
            problems.push("holds no computer group".to_owned());
        }
        let twin = members.iter().find(|(name, other)| **name != group.name && *other == own);
        if let Some((twin, _)) = twin.filter(|_| !own.is_empty()) {
            problems.push(format!("holds the same computer groups as {twin}"));
        }
        if !used.contains(group.name.as_str()) {
            problems.push("is used by no enabled action".to_owned());
        }
        let shown = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
        let says =
            if problems.is_empty() { format!("has to be confirmed: {shown}") } else { problems.join("; ") };
        report.finding(
            Finding::on(Subject::new("action group", &group.id, &group.name))
                .says(&says)
                .expected("the computer groups that somebody confirmed")
                .affected(own.len() as u64, None)
                .sample(own.iter().take(10).map(String::as_str))
                .fill("groups", &shown)
                .evidence(facts.seen(&ACTION_GROUPS, own))
                .confirms(format!("{shown}; {}", problems.join("; "))),
        );
    }
    Ok(())
}

/// The action that starts the process reaches everything it has to.
pub(crate) const START_PROCESS: Check = Check::automated("patch.start-process-action-group")
    .title("The action Patch - Start Patch Process reaches every endpoint that Patch targets")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SCHEDULED_ACTIONS, &ACTION_GROUPS, &GROUPS])
    .guide(GUIDE)
    .what("Looks for the scheduled action Patch - Start Patch Process: it has to be enabled, approved, not ended and not on the action group Default, and its action group has to hold every computer group of the action group Patch.")
    .why("Without it the Patch process does not come back after it stopped.")
    .limits("Computer groups are compared by name; whether endpoints without the process lie outside of them is seen in patch.process-not-running.")
    .related(&["patch.process-not-running", "patch.action-group-targets", "actions.scheduled-actions-on-default"])
    .remedy(&START_PROCESS_REMEDY)
    .judge(start_process);

const START_PROCESS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "filter by Patch - Start Patch Process and look at status, approval, end and action group",
    ),
    Step::decision("it is disabled or not approved", "enable or approve it"),
    Step::console(
        "Administration > Actions > Action Groups",
        "add the computer groups that its action group lacks ({missing})",
    ),
    Step::decision("it is missing", "initialise Patch again: it makes the action anew"),
])
.cautions(&[
    "Do not delete the action: it belongs to Patch.",
    "Never widen the action group Default instead of assigning another one.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[MANAGING, "Console User Guide: Edit action group assignments for scheduled actions"]);

fn start_process(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let exact = |action: &&ScheduledAction| action.name == START_PROCESS_ACTION;
    let begins = |action: &&ScheduledAction| action.name.starts_with(START_PROCESS_ACTION);
    let mut found: Vec<&ScheduledAction> = actions.iter().filter(exact).collect();
    if found.is_empty() {
        found = actions.iter().filter(begins).collect();
    }
    found.retain(|action| action.status() != Some(ScheduleStatus::Deleted));
    if found.is_empty() {
        if let [gap, ..] = facts.gaps(&SCHEDULED_ACTIONS)? {
            return Err(Undecided::not_evaluated(format!("{START_PROCESS_ACTION} is not in sight: {gap}")));
        }
        report.finding(
            Finding::on(Subject::new("scheduled action", START_PROCESS_ACTION, START_PROCESS_ACTION))
                .says("there is no such scheduled action")
                .expected("an enabled action that starts the Patch process")
                .fill("missing", "all")
                .evidence(facts.seen(&SCHEDULED_ACTIONS, actions.len())),
        );
        return Ok(());
    }
    let groups = action_groups(facts)?;
    let mut unknown = Vec::new();
    for action in found {
        let missing = missing_groups(facts, action, &groups)?;
        let problems = match problems(facts, action) {
            Ok(problems) => problems,
            Err(reason) => {
                unknown.push(reason);
                continue;
            }
        };
        let lacks = (!missing.is_empty()).then(|| {
            format!("its action group {} does not hold {}", action.action_group.label(), missing.join(", "))
        });
        let problems: Vec<String> = problems.into_iter().map(str::to_owned).chain(lacks).collect();
        if problems.is_empty() {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("scheduled action", &action.id, &action.name))
                .says(problems.join("; "))
                .expected("an enabled, approved action on every computer group of the action group Patch")
                .affected(missing.len() as u64, None)
                .sample(missing.iter().map(String::as_str))
                .fill("missing", if missing.is_empty() { "none".to_owned() } else { missing.join(", ") })
                .evidence(facts.seen(&SCHEDULED_ACTIONS, [&action.status, &action.action_group.name])),
        );
    }
    settle(&unknown)
}

fn problems(facts: &Facts<'_>, action: &ScheduledAction) -> Result<Vec<&'static str>, String> {
    let mut problems = Vec::new();
    match action.status() {
        Some(ScheduleStatus::Enabled) => {}
        Some(_) => problems.push("is disabled"),
        None => return Err(format!("{} has the unknown status {:?}", action.name, action.status)),
    }
    if action.approved_flag == Some(false) {
        problems.push("is not approved");
    }
    if action.action_group.name.eq_ignore_ascii_case("Default") {
        problems.push("is on the action group Default, so it never deploys");
    }
    if action.end_time.is_some_and(|end| end < facts.now()) {
        problems.push("has ended");
    }
    Ok(problems)
}

/// The computer groups of the action group Patch that the action's own action group does not hold.
fn missing_groups(
    facts: &Facts<'_>,
    action: &ScheduledAction,
    groups: &[ActionGroup],
) -> Result<Vec<String>, Undecided> {
    if action.action_group.name == PATCH {
        return Ok(Vec::new());
    }
    let named = |name: &str| groups.iter().find(|group| group.name == name);
    let (Some(patch), Some(own)) = (named(PATCH), named(&action.action_group.name)) else {
        return Err(Undecided::not_evaluated(format!(
            "the action groups Patch and {} are not both in the list; the account may not see them",
            action.action_group.label()
        )));
    };
    let own = own.member_names(facts)?;
    let everything = own.iter().any(|name| name == "All Computers");
    let missing = patch.member_names(facts)?.into_iter().filter(|name| !everything && !own.contains(name));
    Ok(missing.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn named() -> Value {
        json!([{"id": 1, "name": "All Computers"}, {"id": 5, "name": "Patch Supported Systems"}, {"id": 6, "name": "Servers"}])
    }

    fn groups(patch: Value, more: Value) -> Value {
        let mut all = vec![json!({"id": 20, "name": "Patch", "groups": patch})];
        all.extend(more.as_array().unwrap().iter().cloned());
        json!(all)
    }

    fn targets_case(patch: Value) -> Case {
        Case::of(&TARGETS)
            .rows(&ACTION_GROUPS, groups(patch, json!([])))
            .rows(&GROUPS, named())
            .rows(&ALERTS, json!([]))
    }

    #[test]
    fn the_action_group_holds_what_is_expected() {
        targets_case(json!([{"id": 5}])).judge().assert_pass();
        let verdict = targets_case(json!([{"id": 6}])).judge();
        verdict.assert_findings(&["patch"]);
        assert_eq!(verdict.proposal("expected_groups"), Some(&json!(["Servers"])));
        assert_eq!(
            verdict.findings()[0].says,
            "holds Servers, which is not expected; does not hold Patch Supported Systems"
        );
        targets_case(json!([{"id": 6}])).setting("expected_groups", json!(["Servers"])).judge().assert_pass();
        targets_case(json!([])).judge().assert_findings(&["patch"]);
        targets_case(json!([{"id": 5}])).rows(&ACTION_GROUPS, json!([])).judge().assert_findings(&["patch"]);
        targets_case(json!([{"id": 5}])).assert_needs_its_inputs();
    }

    #[test]
    fn a_warning_of_the_service_is_found_too() {
        let alerts = json!([{"type": "action-group-change-warning", "description": "It has changed.", "action": "Re-Initialize"}]);
        targets_case(json!([{"id": 5}]))
            .rows(&ALERTS, alerts)
            .judge()
            .assert_findings(&[ACTION_GROUP_CHANGED]);
        targets_case(json!([{"id": 5}])).rows(&ALERTS, json!([{"type": "other"}])).judge().assert_pass();
    }

    fn custom_case(members: Value) -> Case {
        Case::of(&CUSTOM)
            .rows(
                &ACTION_GROUPS,
                groups(json!([{"id": 5}]), json!([{"id": 21, "name": "patch servers", "groups": members}])),
            )
            .rows(&GROUPS, named())
            .rows(
                &SCHEDULED_ACTIONS,
                json!([{"id": 1, "name": "X", "status": 0, "action_group": {"name": "patch servers"}}]),
            )
    }

    fn says(case: &Case) -> String {
        let verdict = case.judge();
        verdict.assert_findings(&["21"]);
        verdict.findings()[0].says.clone()
    }

    #[test]
    fn a_custom_group_awaits_a_confirmation_and_its_problems_are_named() {
        let good = custom_case(json!([{"id": 6}]));
        assert_eq!(says(&good), "has to be confirmed: Servers");
        assert_eq!(says(&custom_case(json!([]))), "holds no computer group");
        assert_eq!(says(&custom_case(json!([{"id": 5}]))), "holds the same computer groups as Patch");
        let unused = good.clone().rows(&SCHEDULED_ACTIONS, json!([]));
        assert_eq!(says(&unused), "is used by no enabled action");
        assert_ne!(good.judge().findings()[0].state, unused.judge().findings()[0].state);
        good.assert_needs_its_inputs();
    }

    #[test]
    fn without_custom_groups_there_is_nothing_to_confirm() {
        let none = custom_case(json!([])).rows(&ACTION_GROUPS, groups(json!([{"id": 5}]), json!([])));
        none.judge().assert_undecided(Outcome::NotApplicable);
        custom_case(json!([]))
            .setting("name_filter", "Elsewhere")
            .judge()
            .assert_undecided(Outcome::NotApplicable);
    }

    fn start_case(extra: Value) -> Case {
        let mut action = json!({"id": 9, "name": START_PROCESS_ACTION, "status": 0, "approved_flag": true,
            "action_group": {"id": 20, "name": "Patch"}, "end_time": "Never"});
        for (key, value) in extra.as_object().unwrap() {
            action[key] = value.clone();
        }
        Case::of(&START_PROCESS)
            .rows(&SCHEDULED_ACTIONS, json!([action]))
            .rows(
                &ACTION_GROUPS,
                groups(
                    json!([{"id": 5}]),
                    json!([{"id": 21, "name": "Some", "groups": [{"id": 6}]},
                    {"id": 25, "name": "Everything", "groups": [{"id": 1}]}]),
                ),
            )
            .rows(&GROUPS, named())
    }

    #[test]
    fn the_action_has_to_be_able_to_run() {
        start_case(json!({})).judge().assert_pass();
        for broken in [
            json!({"status": 1}),
            json!({"approved_flag": false}),
            json!({"end_time": "2026-06-01T00:00:00Z"}),
        ] {
            start_case(broken).judge().assert_findings(&["9"]);
        }
        start_case(json!({"status": 7})).judge().assert_undecided(Outcome::NotEvaluated);
        start_case(json!({"name": "Patch - Start Patch Process [Linux]"})).judge().assert_pass();
        start_case(json!({"action_group": {"name": "Some"}})).assert_needs_its_inputs();
    }

    #[test]
    fn its_action_group_has_to_hold_what_patch_holds() {
        let verdict = start_case(json!({"action_group": {"name": "Some"}})).judge();
        verdict.assert_findings(&["9"]);
        assert_eq!(verdict.findings()[0].values["missing"], "Patch Supported Systems");
        start_case(json!({"action_group": {"name": "Everything"}})).judge().assert_pass();
        start_case(json!({"action_group": {"name": "Elsewhere"}}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_action_that_is_not_there_is_found_only_where_all_are_seen() {
        let none = start_case(json!({})).rows(&SCHEDULED_ACTIONS, json!([]));
        none.judge().assert_findings(&[START_PROCESS_ACTION]);
        none.gap(&SCHEDULED_ACTIONS, "only own actions").judge().assert_undecided(Outcome::NotEvaluated);
        start_case(json!({"status": 2})).judge().assert_findings(&[START_PROCESS_ACTION]);
    }
}
