//! Guide: *Delete unnecessary computer groups*, page 39: groups that were made for an activity that is over.

use crate::inputs::{
    DELETION, GUIDES, MIN_AGE_DAYS, PAGE, PROTECTED, RIGHTS, SECTION, WHO, dated, groups, is_protected,
    subject,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::GROUPS;
use tancheck_plugin_api::records::groups::{FILTER_GROUPS, MANAGEMENT_GROUPS};
use tancheck_plugin_api::records::people::{USERS, User};

/// Computer groups made for a time-limited activity are gone.
pub(crate) const TEMPORARY: Check = Check::hybrid("computer-groups.temporary")
    .title("Computer groups made for a time-limited activity are gone")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&GROUPS, &FILTER_GROUPS, &MANAGEMENT_GROUPS, &USERS])
    .settings(&[&NAME_PATTERNS, &MIN_AGE_DAYS, &PROTECTED])
    .guide(&[guide(SECTION, 39)])
    .what("Lists groups older than `min_age_days` with a word in their name that begins with one of `name_patterns`. Whoever made the group may confirm that it is still needed; where the creator is deleted, the finding weighs more.")
    .why("A group made to test a feature after an update is often never used again, and nobody dares to delete it later.")
    .limits("Goes by names: a group called otherwise is not seen, and a name may mislead. Manual groups tell no age.")
    .related(&["computer-groups.unused"])
    .remedy(&TEMPORARY_REMEDY)
    .judge(temporary);

const NAME_PATTERNS: Setting = Setting::list("name_patterns", &["test", "pilot", "temp", "poc"])
    .about("beginnings of words that mark a group as temporary");

const TEMPORARY_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{creator}, who made it", "whether the activity behind {subject} is over"),
    Step::decision("the group is still needed", "confirm the finding, or name the group in `protected`"),
    Step::console(PAGE, "view the details of {subject} and look for its uses; delete it when there are none"),
])
.cautions(&[RIGHTS, DELETION])
.who(WHO)
.risk(Risk::High, Reversible::No)
.references(GUIDES);

fn temporary(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let groups = groups(facts)?;
    let dated = dated(facts)?;
    let least = facts.integer(&MIN_AGE_DAYS)?;
    let users: Vec<User> = facts.rows(&USERS).unwrap_or_default();
    let mut unknown = Vec::new();
    for group in groups.iter().filter(|group| !is_protected(facts, group)) {
        let Some(pattern) = pattern(facts, &group.name) else { continue };
        let made = dated.get(&group.id);
        let Some(created) = made.and_then(|made| made.created_time) else {
            unknown.push(format!("{} looks temporary, and its age is not known", group.name));
            continue;
        };
        let days = facts.days_since(created);
        if days < least {
            continue;
        }
        let creator = made.map(|made| &made.created_user);
        let is_gone = creator.is_some_and(|creator| {
            users.iter().any(|user| user.id == creator.id && user.deleted_flag == Some(true))
        });
        let name = creator.map_or("", |creator| creator.label());
        let whose = match (name, is_gone) {
            ("", _) => String::new(),
            (name, false) => format!(", made by {name}"),
            (name, true) => format!(", made by {name}, whose account is deleted"),
        };
        let finding = Finding::on(subject(group))
            .says(format!("has {pattern:?} in its name and is {days} days old{whose}"))
            .expected("no such group, or a confirmation that it is still needed")
            .fill("creator", if name.is_empty() { "somebody" } else { name })
            .confirms(&group.name)
            .evidence(facts.seen(&GROUPS, [&group.id, &group.text]));
        report.finding(if is_gone { finding.severity(Severity::Medium) } else { finding });
    }
    settle(&unknown)
}

/// The pattern that a word of the name begins with.
fn pattern<'a>(facts: &Facts<'a>, name: &str) -> Option<&'a str> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|character: char| !character.is_alphanumeric()).collect();
    facts.list(&NAME_PATTERNS).into_iter().find(|pattern| {
        let pattern = pattern.to_lowercase();
        !pattern.is_empty() && words.iter().any(|word| word.starts_with(&pattern))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(name: &str, created: &str) -> Case {
        let group = json!([{"id": 40, "name": name, "type": 0, "created_time": created, "created_user": {"id": 3, "name": "ann"}}]);
        Case::of(&TEMPORARY)
            .rows(&GROUPS, json!([{"id": 40, "name": name, "type": 0}]))
            .rows(&FILTER_GROUPS, json!([]))
            .rows(&MANAGEMENT_GROUPS, group)
            .rows(&USERS, json!([{"id": 3, "name": "ann"}]))
    }

    #[test]
    fn old_groups_with_a_telling_name_are_listed() {
        let old = "2026-01-01T00:00:00Z";
        for name in ["Testing of 7.6", "new-feature POC", "pilot_2", "Temporary"] {
            case(name, old).judge().assert_findings(&["40"]);
        }
        for name in ["Latest servers", "Contest", "Windows"] {
            case(name, old).judge().assert_pass();
        }
        case("Test", "2026-06-01T00:00:00Z").judge().assert_pass();
        case("Test", old).setting("protected", json!(["40"])).judge().assert_pass();
        case("Project X", old).setting("name_patterns", json!(["project"])).judge().assert_findings(&["40"]);
        case("Test", "2001-01-01T00:00:00Z").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_finding_weighs_more_when_nobody_can_be_asked() {
        let case = case("Test", "2026-01-01T00:00:00Z");
        assert_eq!(case.judge().findings()[0].severity, None);
        let gone = case.clone().rows(&USERS, json!([{"id": 3, "name": "ann", "deleted_flag": true}])).judge();
        assert_eq!(gone.findings()[0].severity, Some(Severity::Medium));
        assert_eq!(gone.findings()[0].state.as_deref(), Some("Test"));
        case.assert_needs_its_inputs();
    }
}
