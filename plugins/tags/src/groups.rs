//! Guide: *Review and update custom tags*, page 13: the groups that go by tags, and the action groups that hold them.

use crate::inputs::{
    APPLIES, COUNTS, CUSTOM_SECTION, GROUPS_PAGE, NO_TAG_TEXTS, TAGS_SECTION, counts, goes_by_tags,
    group_subject, groups,
};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, ActionGroup, GROUPS};
use tancheck_plugin_api::records::groups::{ComputerGroup, normalized};

const ADMINISTRATOR: &str =
    "a Console user with the Administrator reserved role, or a custom role that may write computer groups";

/// Every tag in use has the computer group it needs.
pub(crate) const MISSING_FOR_TAG: Check = Check::hybrid("tags.group-missing-for-tag")
    .title("Every tag in use has the computer group it needs")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Info)
    .reads(&[&GROUPS, &COUNTS])
    .settings(&[&TAGS_NEED_GROUP, &NO_TAG_TEXTS])
    .learns(&[&TAGS_NEED_GROUP])
    .guide(&[guide(CUSTOM_SECTION, 13), guide(TAGS_SECTION, 12)])
    .applies(APPLIES)
    .what("Looks for each tag of `tags_need_group` in the definitions of the groups that go by custom tags.")
    .why("A tag that is meant to steer actions steers nothing without its group.")
    .limits(
        "A regular expression that covers a tag without naming it is not recognised: confirm the finding.",
    )
    .related(&["tags.group-wrong-definition", "rbac.tag-group-permissions"])
    .remedy(&MISSING_FOR_TAG_REMEDY)
    .judge(group_missing_for_tag);

const TAGS_NEED_GROUP: Setting =
    Setting::list("tags_need_group", &[]).about("tags that have to drive a computer group");

const MISSING_FOR_TAG_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the tag", "whether {subject} still has to drive a group"),
    Step::console(GROUPS_PAGE, "create a computer group whose membership goes by the tag {subject}"),
    Step::decision("actions have to reach it", "see tags.action-groups-cover-tag-groups"),
])
.who("a user with Computer Group write, Interact Module write and Sensor read")
.risk(Risk::Low, Reversible::Yes)
.references(&["Console User Guide: Managing computer groups"]);

fn group_missing_for_tag(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let by_tags: Vec<ComputerGroup> = groups(facts)?.into_iter().filter(goes_by_tags).collect();
    let needed = facts.list(&TAGS_NEED_GROUP);
    if let Ok(counts) = counts(facts) {
        let known = needed.iter().copied().chain(counts.keys().map(String::as_str));
        let driving = known.filter(|tag| by_tags.iter().any(|group| names(group, tag))).map(|tag| [tag]);
        let seen = format!("groups that go by tags: {}, tags in use: {}", by_tags.len(), counts.len());
        report.propose(&TAGS_NEED_GROUP, facts.called(&TAGS_NEED_GROUP, driving), seen);
    }
    if needed.is_empty() {
        let counts = counts(facts)?;
        let without: Vec<&String> =
            counts.keys().filter(|tag| !by_tags.iter().any(|group| names(group, tag))).collect();
        return Err(if counts.is_empty() {
            facts.absent(&COUNTS, "no endpoint carries a custom tag")
        } else {
            Undecided::not_evaluated(format!(
                "nobody said which tags need a group: set `tags_need_group` under [modules.tags]; tags without a group: {without:?}"
            ))
        });
    }
    let definitions: Vec<&str> = by_tags.iter().map(|group| group.text.trim()).take(50).collect();
    for tag in needed.into_iter().filter(|tag| !by_tags.iter().any(|group| names(group, tag))) {
        report.finding(
            Finding::on(Subject::new("tag", tag, tag))
                .says("no computer group goes by this tag")
                .expected("a computer group")
                .confirms("no group")
                .evidence(facts.seen(&GROUPS, &definitions)),
        );
    }
    Ok(())
}

/// Whether a definition names a tag, in its text or in one of its filters.
fn names(group: &ComputerGroup, tag: &str) -> bool {
    let tag = tag.to_lowercase();
    group.text.to_lowercase().contains(&tag)
        || group.values().iter().any(|value| value.to_lowercase().contains(&tag))
}

/// Tag-based groups have the right membership definition.
pub(crate) const WRONG_DEFINITION: Check = Check::hybrid("tags.group-wrong-definition")
    .title("Tag-based groups have the right membership definition")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&GROUPS])
    .settings(&[&EXPECTED_DEFINITIONS])
    .learns(&[&EXPECTED_DEFINITIONS])
    .guide(&[guide(CUSTOM_SECTION, 13)])
    .applies(APPLIES)
    .what("Compares the definitions of groups with `expected_definitions`, without regard to case, blanks, needless parentheses and the order of terms. Somebody may confirm a definition as it is.")
    .why("A wrong definition lets actions and windows act on other endpoints than people believe.")
    .limits("Groups that `expected_definitions` does not name are only noted.")
    .related(&["tags.group-without-members", "computer-groups.unused"])
    .remedy(&WRONG_DEFINITION_REMEDY)
    .judge(group_wrong_definition);

const EXPECTED_DEFINITIONS: Setting = Setting::table("expected_definitions")
    .about("definitions of tag-based groups by name: { Plant = [\"Custom Tags contains Plant\"] }");

const WRONG_DEFINITION_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the group", "which definition is right: {definition}, or {expected}"),
    Step::console(
        GROUPS_PAGE,
        "list everything that uses {subject}: users, action groups, deployments, windows, questions",
    ),
    Step::console(GROUPS_PAGE, "create a new group with the right definition"),
    Step::console("wherever {subject} is used", "re-point the uses to the new group"),
    Step::console(GROUPS_PAGE, "delete the old group"),
])
.cautions(&[
    "The membership definition of a group cannot be changed: the group has to be made anew.",
    "Delete last. Deleting first leaves targets without a group.",
])
.who(ADMINISTRATOR)
.risk(Risk::High, Reversible::Partly)
.references(&["Console User Guide: Managing computer groups", "Console User Guide: Delete computer groups"]);

fn group_wrong_definition(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let groups = groups(facts)?;
    let expected = facts.table(&EXPECTED_DEFINITIONS);
    let by_tags: Vec<&str> =
        groups.iter().filter(|group| goes_by_tags(group)).map(|group| group.name.as_str()).collect();
    propose_definitions(report, &groups, &expected);
    if expected.is_empty() {
        return Err(if by_tags.is_empty() {
            facts.absent(&GROUPS, "no computer group goes by custom tags")
        } else {
            Undecided::not_evaluated(format!(
                "nobody said how {} are defined: set `expected_definitions` under [modules.tags]",
                by_tags.join(", ")
            ))
        });
    }
    for (name, texts) in &expected {
        let wanted = texts.first().copied().unwrap_or_default();
        let group = groups.iter().find(|group| group.name.eq_ignore_ascii_case(name));
        let definition = group.map_or("", |group| group.text.trim());
        if group.is_some() && normalized(definition) == normalized(wanted) {
            continue;
        }
        let says = match group {
            Some(_) => format!("is defined as {definition:?}"),
            None => "does not exist".to_owned(),
        };
        let subject = group.map_or_else(|| Subject::new("computer group", name, *name), group_subject);
        report.finding(
            Finding::on(subject)
                .says(says)
                .expected(format!("the definition {wanted:?}"))
                .fill("definition", if definition.is_empty() { "none" } else { definition })
                .fill("expected", wanted)
                .confirms(normalized(definition))
                .evidence(facts.seen(&GROUPS, definition)),
        );
    }
    let named = |name: &&str| expected.keys().any(|expected| expected.eq_ignore_ascii_case(name));
    let others: Vec<&str> = by_tags.into_iter().filter(|name| !named(name)).collect();
    if !others.is_empty() {
        report.note(format!("no expected definition for {}", others.join(", ")));
    }
    Ok(())
}

/// The definitions of the groups that go by tags, and of those that are named; right ones as they are written.
fn propose_definitions(report: &mut Report, groups: &[ComputerGroup], expected: &BTreeMap<&str, Vec<&str>>) {
    let mut table: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for group in groups {
        let definition = group.text.trim();
        let known = expected.iter().find(|(name, _)| name.eq_ignore_ascii_case(&group.name));
        match known {
            Some((name, texts)) => {
                let is_right = texts.first().is_some_and(|text| normalized(text) == normalized(definition));
                table.insert(name, if is_right { texts.clone() } else { vec![definition] });
            }
            None if goes_by_tags(group) => drop(table.insert(&group.name, vec![definition])),
            None => {}
        }
    }
    let seen = format!("computer groups: {}", table.len());
    report.propose(&EXPECTED_DEFINITIONS, table, seen);
}

/// Action groups target the tag-based groups that need it.
pub(crate) const ACTION_GROUPS_COVER: Check = Check::hybrid("tags.action-groups-cover-tag-groups")
    .title("Action groups target the tag-based groups that need it")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&GROUPS, &ACTION_GROUPS])
    .settings(&[&TAG_GROUPS_FOR_ACTIONS])
    .learns(&[&TAG_GROUPS_FOR_ACTIONS])
    .guide(&[guide(CUSTOM_SECTION, 13)])
    .applies(APPLIES)
    .what("Looks for each group of `tag_groups_for_actions` in the action groups, apart from Default.")
    .why("An action reaches only endpoints in its action group: a group that is in none gets nothing.")
    .limits("An action group of All Computers covers all endpoints in effect: confirm the finding if that is meant. Action groups that are not public are seen by administrators only.")
    .related(&["actions.default-group-members", "tags.group-missing-for-tag"])
    .remedy(&ACTION_GROUPS_COVER_REMEDY)
    .judge(action_groups_cover_tag_groups);

const TAG_GROUPS_FOR_ACTIONS: Setting = Setting::list("tag_groups_for_actions", &[])
    .about("names of tag-based computer groups that actions have to reach");

const ACTION_GROUPS_COVER_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the actions", "which action group {subject} belongs to"),
    Step::console(
        "Administration > Actions > Action Groups",
        "add {subject} to that action group, or make a new one",
    ),
])
.cautions(&[
    "Never add it to Default: that starts every action that is parked there.",
    "Actions of the action group start to run on the endpoints that join it.",
])
.who(ADMINISTRATOR)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Managing action groups"]);

fn action_groups_cover_tag_groups(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let groups = groups(facts)?;
    let action_groups: Vec<ActionGroup> = facts.rows(&ACTION_GROUPS)?;
    let in_force =
        action_groups.iter().filter(|group| group.name != "Default" && group.deleted_flag != Some(true));
    let mut ids = BTreeSet::new();
    let mut names = BTreeSet::new();
    for group in in_force {
        ids.extend(group.groups.iter().map(|member| member.id.as_str()).filter(|id| !id.is_empty()));
        names.extend(group.groups.iter().map(|member| member.name.to_lowercase()));
        names.extend(group.exported_groups.split(',').map(|name| name.trim().to_lowercase()));
    }
    let is_covered =
        |group: &ComputerGroup| ids.contains(group.id.as_str()) || names.contains(&group.name.to_lowercase());
    let needed = facts.list(&TAG_GROUPS_FOR_ACTIONS);
    let covered = groups.iter().filter(|group| is_covered(group));
    let covered = covered.filter(|group| {
        goes_by_tags(group) || needed.iter().any(|name| name.eq_ignore_ascii_case(&group.name))
    });
    let called = facts.called(&TAG_GROUPS_FOR_ACTIONS, covered.map(|group| [&group.name]));
    let seen = format!("tag-based groups in action groups: {}", called.len());
    report.propose(&TAG_GROUPS_FOR_ACTIONS, called, seen);
    if needed.is_empty() {
        let by_tags: Vec<&ComputerGroup> = groups.iter().filter(|group| goes_by_tags(group)).collect();
        let open: Vec<&str> =
            by_tags.iter().filter(|group| !is_covered(group)).map(|group| group.name.as_str()).collect();
        return Err(if by_tags.is_empty() {
            facts.absent(&GROUPS, "no computer group goes by custom tags")
        } else {
            Undecided::not_evaluated(format!(
                "nobody said which groups actions have to reach: set `tag_groups_for_actions` under [modules.tags]; in no \
                 action group: {open:?}"
            ))
        });
    }
    for name in needed {
        let group = groups.iter().find(|group| group.name.eq_ignore_ascii_case(name));
        let says = match group {
            Some(group) if is_covered(group) => continue,
            Some(_) => "is in no action group but perhaps Default",
            None => "does not exist",
        };
        let subject = group.map_or_else(|| Subject::new("computer group", name, name), group_subject);
        report.finding(
            Finding::on(subject)
                .says(says)
                .expected("a place in an action group")
                .confirms(says)
                .evidence(facts.seen(&ACTION_GROUPS, &names)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn plant() -> Value {
        json!([{"id": 50, "name": "Plant", "type": 0, "text": " Custom Tags contains Plant"},
            {"id": 12, "name": "Windows", "type": 0, "text": " Is Windows contains True"}])
    }

    #[test]
    fn a_tag_that_needs_a_group_has_one() {
        let case = |tags: Value| {
            Case::of(&MISSING_FOR_TAG)
                .rows(&GROUPS, plant())
                .tally(&COUNTS, "Custom Tags", &[("VDI", 3)])
                .setting("tags_need_group", tags)
        };
        case(json!(["plant"])).judge().assert_pass();
        case(json!(["Plant", "True"])).judge().assert_findings(&["True"]);
        assert_eq!(
            case(json!(["plant", "True"])).judge().proposal("tags_need_group"),
            Some(&json!(["plant"]))
        );
        let driving = case(json!([])).tally(&COUNTS, "Custom Tags", &[("VDI", 3), ("Plant", 2)]).judge();
        assert_eq!(driving.proposal("tags_need_group"), Some(&json!(["Plant"])));
        let unset = case(json!([])).judge();
        unset.assert_undecided(Outcome::NotEvaluated);
        assert!(unset.undecided().is_some_and(|why| why.reason.contains("[\"VDI\"]")));
        case(json!([]))
            .tally(&COUNTS, "Custom Tags", &[("No Tags", 3)])
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        let filter = json!([{"id": 51, "name": "x", "type": 0, "text": "Custom Tags matches", "filters": [],
            "sub_groups": [{"filters": [{"value": ".*(VDI|Plant).*"}]}]}]);
        case(json!(["vdi"])).rows(&GROUPS, filter).judge().assert_pass();
        Case::of(&MISSING_FOR_TAG)
            .rows(&GROUPS, plant())
            .setting("tags_need_group", json!(["Plant"]))
            .assert_needs_its_inputs();
    }

    #[test]
    fn definitions_are_the_expected_ones() {
        let case = |expected: Value| {
            Case::of(&WRONG_DEFINITION).rows(&GROUPS, plant()).setting("expected_definitions", expected)
        };
        let same = json!({"Plant": ["( custom tags CONTAINS plant )"]});
        case(same.clone()).judge().assert_pass();
        assert_eq!(case(same.clone()).judge().proposal("expected_definitions"), Some(&same));
        let present = json!({"Plant": ["Custom Tags contains Plant"]});
        assert_eq!(case(json!({})).judge().proposal("expected_definitions"), Some(&present));
        let verdict = case(json!({"plant": ["Custom Tags equals Plant"]})).judge();
        verdict.assert_findings(&["50"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("custom tags contains plant"));
        let other = case(json!({"Other": ["x"]})).judge();
        other.assert_findings(&["Other"]);
        assert_eq!(other.notes(), ["no expected definition for Plant"]);
        case(json!({})).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!({})).rows(&GROUPS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(json!({"Plant": ["Custom Tags contains Plant"]})).assert_needs_its_inputs();
    }

    #[test]
    fn groups_that_actions_have_to_reach_are_in_an_action_group() {
        let case = |members: Value, needed: Value| {
            let action_groups = json!([{"id": 3, "name": "Default", "groups": [{"id": 50}]}, {"id": 4, "name": "Plant actions", "groups": members}]);
            Case::of(&ACTION_GROUPS_COVER)
                .rows(&GROUPS, plant())
                .rows(&ACTION_GROUPS, action_groups)
                .setting("tag_groups_for_actions", needed)
        };
        case(json!([{"id": 50}]), json!(["plant"])).judge().assert_pass();
        let proposal =
            |members, needed| case(members, needed).judge().proposal("tag_groups_for_actions").cloned();
        assert_eq!(proposal(json!([{"id": 50}, {"id": 12}]), json!([])), Some(json!(["Plant"])));
        assert_eq!(proposal(json!([{"id": 12}]), json!(["Plant", "windows"])), Some(json!(["windows"])));
        case(json!([{"id": 12}]), json!(["Plant"])).judge().assert_findings(&["50"]);
        case(json!([{"id": 50}]), json!(["Gone"])).judge().assert_findings(&["Gone"]);
        case(json!([]), json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([]), json!([])).rows(&GROUPS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let file = json!([{"Name": "Plant actions", "Computer Groups": "Windows, Plant", "Combine": "or"}]);
        case(json!([]), json!(["Plant"])).rows(&ACTION_GROUPS, file).judge().assert_pass();
        case(json!([{"id": 50}]), json!(["Plant"])).assert_needs_its_inputs();
    }
}
