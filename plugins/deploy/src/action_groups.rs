//! Guide: *Review and update custom action groups for Deploy*, page 41.

use records::actions::{
    ACTION_GROUPS, ActionGroup, GROUPS, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction,
};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and update custom action groups for Deploy", 41)];
const WHO: &str =
    "a Console user with the Administrator reserved role, or a custom role that may write action groups";
const PAGE: &str = "Administration > Actions > Action Groups";

/// The action group that Deploy makes for its tools.
const OWN: &str = "Tanium Deploy";

const EXPECTED_GROUPS: Setting = Setting::list("expected_groups", &["All Computers"])
    .about("names of the computer groups that the action group Tanium Deploy should hold")
    .from_guide();

/// Action group Tanium Deploy targets the right computer groups.
pub(crate) const TARGETS: Check = Check::automated("deploy.action-group-targets")
    .title("Action group Tanium Deploy targets the right computer groups")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&ACTION_GROUPS, &GROUPS])
    .settings(&[&EXPECTED_GROUPS])
    .learns(&[&EXPECTED_GROUPS])
    .guide(GUIDE)
    .what("Compares the computer groups of the action group Tanium Deploy with `expected_groups`.")
    .why("Endpoints outside this action group never get Deploy's tools.")
    .limits("Which endpoints lie outside is not visible from the names of groups. Action groups that are not public are seen by administrators only; where Tanium Deploy is not visible, nothing is decided.")
    .related(&["deploy.process-not-running", "deploy.coverage-needs-attention"])
    .remedy(&TARGETS_REMEDY)
    .judge(action_group_targets);

const TARGETS_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "deploy.process-not-running and deploy.coverage-needs-attention",
        "compare with the endpoints that lack Deploy's tools",
    ),
    Step::decision("the present groups are right", "name them in `expected_groups`"),
    Step::console("Administration > Actions > Action Groups > Tanium Deploy", "select {expected} and save"),
])
.cautions(&["Adding a computer group starts to deploy Deploy's tools to its endpoints."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Managing action groups"]);

fn action_group_targets(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let groups = action_groups(facts)?;
    let Some(own) = groups.iter().find(|group| group.name == OWN) else {
        return Err(Undecided::not_evaluated(
            "the action group Tanium Deploy is not in the list; the account may not see it, let an administrator's look",
        ));
    };
    let members = own.member_names(facts)?;
    report.propose(&EXPECTED_GROUPS, members.clone(), format!("the action group {OWN}"));
    let wanted: BTreeSet<&str> = facts.list(&EXPECTED_GROUPS).into_iter().collect();
    let found: BTreeSet<&str> = members.iter().map(String::as_str).collect();
    let differences = [
        ("missing", wanted.difference(&found).copied().collect::<Vec<_>>()),
        ("not expected", found.difference(&wanted).copied().collect::<Vec<_>>()),
    ];
    let says: Vec<String> = differences
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", names.join(", ")))
        .collect();
    if !says.is_empty() {
        let expected = wanted.into_iter().collect::<Vec<_>>().join(", ");
        report.finding(
            Finding::on(Subject::new("action group", "tanium-deploy", OWN))
                .says(says.join("; "))
                .expected(&expected)
                .fill("expected", &expected)
                .evidence(facts.seen(&ACTION_GROUPS, &members)),
        );
    }
    Ok(())
}

const NAME_FILTER: Setting = Setting::text("name_filter", Some("Deploy"))
    .about("the text by which the names of custom action groups for Deploy are recognized")
    .from_guide();

/// Custom action groups for Deploy target the right computer groups.
pub(crate) const CUSTOM: Check = Check::hybrid("deploy.custom-action-groups")
    .title("Custom action groups for Deploy target the right computer groups")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&ACTION_GROUPS, &GROUPS, &SCHEDULED_ACTIONS])
    .settings(&[&NAME_FILTER])
    .guide(GUIDE)
    .what("Lists the action groups other than Tanium Deploy whose names hold `name_filter`, with their computer groups, and says which are empty, hold the same groups as another, or are used by no enabled scheduled action. A person confirms each once a quarter; the confirmation ends when the group changes.")
    .why("Whoever deploys through such a group trusts that it holds the endpoints that its name promises.")
    .limits("Two groups are duplicates when they hold the same computer groups; that two computer groups hold the same endpoints is not seen.")
    .related(&["deploy.action-group-targets"])
    .remedy(&CUSTOM_REMEDY)
    .judge(custom_action_groups);

const CUSTOM_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "filter by the text of `name_filter` and open {subject}"),
    Step::decision(
        "it holds the right computer groups",
        "confirm it: tancheck attest deploy.custom-action-groups --subject '{key}' --result done",
    ),
    Step::decision("it holds wrong ones", "edit its computer groups and save"),
    Step::decision(
        "nothing needs it",
        "see which scheduled actions target it, assign them elsewhere, then delete it",
    ),
])
.cautions(&[
    "Look up which scheduled actions target a group before you delete it.",
    "Adding a computer group starts everything that targets the action group, at once.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Managing action groups"]);

fn custom_action_groups(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let filter = facts.text(&NAME_FILTER)?.to_lowercase();
    let mut custom = action_groups(facts)?;
    custom.retain(|group| group.name != OWN && group.name.to_lowercase().contains(&filter));
    if custom.is_empty() {
        return Err(facts.absent(&ACTION_GROUPS, "there is no custom action group for Deploy"));
    }
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let mut by_members: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    let mut members_of = Vec::new();
    for group in &custom {
        let mut members = group.member_names(facts)?;
        members.sort();
        by_members.entry(members.clone()).or_default().push(&group.name);
        members_of.push(members);
    }
    for (group, members) in custom.iter().zip(members_of) {
        let twins: Vec<&str> =
            by_members[&members].iter().copied().filter(|name| *name != group.name).collect();
        let mut says = Vec::new();
        if members.is_empty() {
            says.push("holds no computer group".to_owned());
        } else if !twins.is_empty() {
            says.push(format!("holds the same computer groups as {}", twins.join(", ")));
        }
        if !actions.iter().any(|action| uses(action, group)) {
            says.push("no enabled scheduled action uses it".to_owned());
        }
        let held = if members.is_empty() { "nothing".to_owned() } else { members.join(", ") };
        let trouble = !says.is_empty();
        says.push(format!("holds {held}; somebody has to confirm that this is right"));
        report.finding(
            Finding::on(Subject::new("action group", key(group), &group.name))
                .severity(if trouble { Severity::Low } else { Severity::Info })
                .says(says.join("; "))
                .fill("key", key(group))
                .evidence(facts.seen(&ACTION_GROUPS, &members))
                .confirms(says[..says.len() - 1].join("; ") + " " + &held),
        );
    }
    Ok(())
}

fn uses(action: &ScheduledAction, group: &ActionGroup) -> bool {
    let target = &action.action_group;
    let same = if target.id.is_empty() || group.id.is_empty() {
        target.name.eq_ignore_ascii_case(&group.name)
    } else {
        target.id == group.id
    };
    same && action.status() == Some(ScheduleStatus::Enabled)
}

/// An exported list has no ids.
fn key(group: &ActionGroup) -> &str {
    if group.id.is_empty() { &group.name } else { &group.id }
}

fn action_groups(facts: &Facts<'_>) -> Result<Vec<ActionGroup>, Undecided> {
    let mut groups: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    groups.retain(|group| group.deleted_flag != Some(true));
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, groups: Value) -> Case {
        Case::of(check)
            .rows(&ACTION_GROUPS, groups)
            .rows(&GROUPS, json!([{"id": 1, "name": "All Computers"}, {"id": 5, "name": "Servers"}]))
            .rows(&SCHEDULED_ACTIONS, json!([{"id": 9, "status": 0, "action_group": {"id": 31}}]))
    }

    fn own(groups: Value) -> Case {
        case(&TARGETS, json!([{"id": 30, "name": "Tanium Deploy", "groups": groups}]))
    }

    #[test]
    fn the_expected_groups_and_no_others_pass() {
        own(json!([{"id": 1}])).judge().assert_pass();
        own(json!([{"id": 5}])).judge().assert_findings(&["tanium-deploy"]);
        own(json!([{"id": 1}, {"id": 5}])).judge().assert_findings(&["tanium-deploy"]);
        own(json!([])).judge().assert_findings(&["tanium-deploy"]);
        own(json!([{"id": 5}])).setting("expected_groups", json!(["Servers"])).judge().assert_pass();
        own(json!([{"id": 5}])).assert_needs_its_inputs();
        let both = own(json!([{"id": 5}, {"id": 1}])).judge();
        assert_eq!(both.proposal("expected_groups"), Some(&json!(["All Computers", "Servers"])));
        case(&TARGETS, json!([{"id": 3, "name": "Default"}])).judge().assert_undecided(Outcome::NotEvaluated);
        let exported = case(&TARGETS, json!([{"Name": "Tanium Deploy", "Computer Groups": "All Computers"}]));
        exported.judge().assert_pass();
    }

    #[test]
    fn custom_groups_await_a_confirmation_of_what_they_hold() {
        let custom = json!({"id": 31, "name": "Deploy - Servers", "groups": [{"id": 5}]});
        let verdict = case(&CUSTOM, json!([custom])).judge();
        verdict.assert_findings(&["31"]);
        assert_eq!(verdict.findings()[0].severity, Some(Severity::Info));
        assert_eq!(verdict.findings()[0].state.as_deref(), Some(" Servers"));
        case(&CUSTOM, json!([custom])).assert_needs_its_inputs();
        case(&CUSTOM, json!([{"id": 3, "name": "Default"}])).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn empty_twin_and_unused_groups_say_so() {
        let says = |groups: Value| {
            let verdict = case(&CUSTOM, groups).judge();
            verdict.findings().iter().map(|finding| finding.says.clone()).collect::<Vec<_>>()
        };
        let group =
            |id: u64, groups: Value| json!({"id": id, "name": format!("Deploy {id}"), "groups": groups});
        assert!(says(json!([group(31, json!([]))]))[0].contains("holds no computer group"));
        let twins = says(json!([group(31, json!([{"id": 5}])), group(32, json!([{"id": 5}]))]));
        assert!(twins[0].starts_with("holds the same computer groups as Deploy 32"), "{twins:?}");
        assert!(twins[1].contains("no enabled scheduled action uses it"), "{twins:?}");
        assert!(!twins[0].contains("no enabled"), "{twins:?}");
    }
}
