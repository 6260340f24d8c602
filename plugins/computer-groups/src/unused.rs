//! Guide: *Delete unnecessary computer groups*, page 39: groups that nothing uses.

use crate::inputs::{
    DELETION, GUIDES, MIN_AGE_DAYS, PAGE, PROTECTED, RIGHTS, SECTION, WHO, dated, groups, is_protected,
    subject,
};
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, GROUPS, SCHEDULED_ACTIONS};
use tancheck_plugin_api::records::groups::{FILTER_GROUPS, MANAGEMENT_GROUPS};
use tancheck_plugin_api::records::people::{PERSONAS, USER_GROUPS, USERS};
use tancheck_plugin_api::records::questions::SAVED_QUESTIONS;
use tancheck_plugin_api::serde_json::{Map, Value};

/// No computer group is without use.
pub(crate) const UNUSED: Check = Check::automated("computer-groups.unused")
    .title("No computer group is without use")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[
        &GROUPS,
        &FILTER_GROUPS,
        &MANAGEMENT_GROUPS,
        &USERS,
        &USER_GROUPS,
        &PERSONAS,
        &ACTION_GROUPS,
        &SCHEDULED_ACTIONS,
        &SAVED_QUESTIONS,
        &PATCH_DEPLOYMENTS,
        &PATCH_BLOCK_LISTS,
        &PATCH_SCANS,
        &PATCH_WINDOWS,
        &DEPLOY_DEPLOYMENTS,
        &DEPLOY_PROFILES,
    ])
    .settings(&[&MIN_AGE_DAYS, &PROTECTED])
    .guide(&[guide(SECTION, 39)])
    .what("Looks for each named group among users, user groups, personas, action groups, scheduled actions, saved questions, other groups, and the targets of Patch and Deploy. A group older than `min_age_days` that is in none of them, and that `protected` does not name, is listed.")
    .why("Groups that nobody uses hide the ones that matter.")
    .limits("Never proves that a group is unused: Trends, Reporting, Discover, Threat Response, Enforce, Performance, the maintenance windows of Deploy and others do not tell which groups they use. Without permission for the core objects nothing is decided; Patch or Deploy that cannot be read are named in the finding.")
    .related(&["computer-groups.temporary", "computer-groups.review"])
    .remedy(&UNUSED_REMEDY)
    .judge(unused);

const PATCH_DEPLOYMENTS: Input =
    Input::new("computer-groups.patch-deployments", "targets of Patch deployments")
        .sources(&[Source::service("patch", "/v1/deployments").rows_under("deployments")]);

const PATCH_BLOCK_LISTS: Input =
    Input::new("computer-groups.patch-block-lists", "targets of Patch block lists").sources(&[
        Source::service("patch", "/v1/enforcements?modelName=Blacklist").rows_under("enforcements"),
    ]);

const PATCH_SCANS: Input = Input::new("computer-groups.patch-scans", "targets of Patch scan configurations")
    .sources(&[
        Source::service("patch", "/v1/enforcements?modelName=ScanConfiguration").rows_under("enforcements")
    ]);

const PATCH_WINDOWS: Input =
    Input::new("computer-groups.patch-windows", "targets of Patch maintenance windows")
        .sources(&[Source::service("patch", "/v1/enforcements?modelName=MaintenanceWindow")
            .rows_under("enforcements")]);

const DEPLOY_DEPLOYMENTS: Input =
    Input::new("computer-groups.deploy-deployments", "targets of Deploy deployments")
        .sources(&[Source::service("deploy", "/v3/deployments").skip_take(200)]);

const DEPLOY_PROFILES: Input =
    Input::new("computer-groups.deploy-profiles", "targets of Deploy self-service profiles")
        .sources(&[Source::service("deploy", "/v1/profiles")]);

/// Objects without which a group cannot be called unused.
const CORE: [(&Input, &str); 6] = [
    (&USERS, "users"),
    (&USER_GROUPS, "user groups"),
    (&PERSONAS, "personas"),
    (&ACTION_GROUPS, "action groups"),
    (&SCHEDULED_ACTIONS, "scheduled actions"),
    (&SAVED_QUESTIONS, "saved questions"),
];

/// Objects of modules: a use here saves a group, and where they cannot be read that is said.
const MODULES: [(&Input, &str); 6] = [
    (&PATCH_DEPLOYMENTS, "Patch deployments"),
    (&PATCH_BLOCK_LISTS, "Patch block lists"),
    (&PATCH_SCANS, "Patch scan configurations"),
    (&PATCH_WINDOWS, "Patch maintenance windows"),
    (&DEPLOY_DEPLOYMENTS, "Deploy deployments"),
    (&DEPLOY_PROFILES, "Deploy self-service profiles"),
];

const UNUSED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{creator}, who made it", "whether {subject} served an activity that is over"),
    Step::console(
        PAGE,
        "view the details of {subject}; look for uses in what tancheck could not read: {unread}",
    ),
    Step::decision("it stays", "name it in `protected`"),
    Step::console(PAGE, "delete {subject}"),
])
.cautions(&[DELETION, RIGHTS])
.who(WHO)
.risk(Risk::High, Reversible::No)
.references(GUIDES);

fn unused(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let groups = groups(facts)?;
    let dated = dated(facts)?;
    let least = facts.integer(&MIN_AGE_DAYS)?;
    let mut used = BTreeSet::new();
    for row in facts.rows::<Value>(&GROUPS)? {
        note_uses(&row, &mut used);
    }
    for (input, what) in CORE {
        let rows: Vec<Value> = facts.rows(input)?;
        let tells = |row: &Value| row.get("group_id").is_some() || row.get("effective_group_id").is_some();
        if what == "users" && !rows.iter().any(tells) {
            return Err(Undecided::not_evaluated("the list of users does not tell their computer groups"));
        }
        rows.iter().for_each(|row| note_uses(row, &mut used));
    }
    let mut read = "the core objects".to_owned();
    let mut unread = Vec::new();
    for (input, what) in MODULES {
        match facts.rows::<Value>(input) {
            Ok(rows) => {
                rows.iter().for_each(|row| note_uses(row, &mut used));
                read = format!("{read}, {what}");
            }
            Err(_) => unread.push(what),
        }
    }
    unread.push("other modules");
    let mut unknown = Vec::new();
    let candidates = groups.iter().filter(|group| !used.contains(&group.id) && !is_protected(facts, group));
    for group in candidates {
        let made = dated.get(&group.id);
        let Some(created) = made.and_then(|made| made.created_time) else {
            unknown.push(format!("nothing uses {}, and its age is not known", group.name));
            continue;
        };
        let days = facts.days_since(created);
        if days < least {
            continue;
        }
        let creator = made.map_or("", |made| made.created_user.label());
        report.finding(
            Finding::on(subject(group))
                .says(format!(
                    "is {days} days old, and no use was found in {read}; not read: {}",
                    unread.join(", ")
                ))
                .expected("a use, or a place in `protected`")
                .fill("creator", if creator.is_empty() { "somebody" } else { creator })
                .fill("unread", unread.join(", "))
                .evidence(facts.seen(&GROUPS, [&group.id, &group.text])),
        );
    }
    settle(&unknown)
}

/// The ids of groups that an object names. Objects of every kind call them the same: `group`, `groups`, `sub_groups`,
/// `target_group`, `action_group`, `group_id`, `targetedComputerGroupIds`, `taniumGroupId`… What is deleted uses nothing.
fn note_uses(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| note_uses(item, used)),
        Value::Object(fields) if !is_deleted(fields) => {
            for (key, value) in fields {
                let key = key.to_lowercase().replace('_', "");
                if key.starts_with("usergroup") {
                    continue;
                }
                if key.ends_with("groupid")
                    || key.ends_with("groupids")
                    || key.ends_with("group")
                    || key.ends_with("groups")
                {
                    note_ids(value, used);
                }
                note_uses(value, used);
            }
        }
        _ => {}
    }
}

fn is_deleted(fields: &Map<String, Value>) -> bool {
    fields.get("deleted_flag").is_some_and(|flag| *flag == Value::Bool(true) || flag.as_u64() == Some(1))
}

/// Ids themselves, lists of them, or objects that have one.
fn note_ids(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| note_ids(item, used)),
        Value::Object(fields) => fields.get("id").into_iter().for_each(|id| note_ids(id, used)),
        Value::Number(id) => {
            used.insert(id.to_string());
        }
        Value::String(id) => {
            used.insert(id.clone());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    /// One group, and one user who is limited to another.
    fn case() -> Case {
        let group = json!([{"id": 40, "name": "Former project", "type": 0, "text": "x", "created_time": "2026-01-01T00:00:00Z",
            "created_user": {"id": 3, "name": "ann"}}]);
        let mut case = Case::of(&UNUSED)
            .rows(&GROUPS, json!([{"id": 40, "name": "Former project", "type": 0}, {"id": 1, "name": "All Computers", "type": 0}]))
            .rows(&FILTER_GROUPS, group)
            .rows(&MANAGEMENT_GROUPS, json!([]))
            .rows(&USERS, json!([{"id": 3, "group_id": 1, "effective_group_id": 1}]));
        for (input, _) in &CORE[1..] {
            case = case.rows(input, json!([]));
        }
        case
    }

    #[test]
    fn a_group_that_nothing_names_is_listed_with_what_was_not_read() {
        let verdict = case().judge();
        verdict.assert_findings(&["40"]);
        let finding = &verdict.findings()[0];
        assert!(finding.says.contains("not read: Patch deployments"), "{}", finding.says);
        assert_eq!(finding.values["creator"], "ann");
        case().setting("protected", json!(["former project"])).judge().assert_pass();
        case().setting("protected", json!(["40", "1"])).judge().assert_pass();
        case().setting("min_age_days", 365).judge().assert_pass();
    }

    #[test]
    fn every_use_saves_a_group() {
        let uses: [(&'static Input, Value); 12] = [
            (&USERS, json!([{"id": 3, "group_id": 40}])),
            (&USERS, json!([{"id": 3, "group_id": 1, "effective_group_id": "40"}])),
            (&USER_GROUPS, json!([{"id": 1, "group": {"id": 40}}])),
            (&PERSONAS, json!([{"id": 1, "group": {"id": 40}}])),
            (&ACTION_GROUPS, json!([{"id": 3, "groups": [{"id": 2}, {"id": 40}]}])),
            (&SCHEDULED_ACTIONS, json!([{"id": 3, "target_group": {"id": 40}}])),
            (&SAVED_QUESTIONS, json!([{"id": 3, "question": {"group": {"id": 40}}}])),
            (&GROUPS, json!([{"id": 40, "name": "x", "type": 0}, {"id": 41, "sub_groups": [{"id": 40}]}])),
            (&PATCH_DEPLOYMENTS, json!([{"id": 3, "targetedComputerGroupIds": [40]}])),
            (&PATCH_WINDOWS, json!([{"id": 3, "taniumGroupId": 40}])),
            (&DEPLOY_DEPLOYMENTS, json!([{"id": 3, "target": {"limitingGroupIds": [40]}}])),
            (&DEPLOY_PROFILES, json!([{"id": 3, "target": {"computerGroupIds": [40]}}])),
        ];
        for (input, rows) in uses {
            case().rows(input, rows).judge().assert_pass();
        }
    }

    #[test]
    fn what_is_deleted_and_other_ids_are_no_uses() {
        case()
            .rows(&USERS, json!([{"id": 40, "group_id": 1}, {"id": 9, "group_id": 40, "deleted_flag": true}]))
            .judge()
            .assert_findings(&["40"]);
        case()
            .rows(&PERSONAS, json!([{"id": 40, "user_group_list": [{"id": 40}]}]))
            .judge()
            .assert_findings(&["40"]);
        case()
            .rows(&USERS, json!([{"id": 3, "name": "ann"}]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let undated =
            case().rows(&FILTER_GROUPS, json!([{"id": 40, "created_time": "2001-01-01T00:00:00Z"}]));
        undated.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_core_objects_are_needed() {
        for (input, _) in CORE {
            let refused = case().unavailable(input, Outcome::NoPermission);
            refused.judge().assert_undecided(Outcome::NoPermission);
        }
        case().assert_needs_its_inputs();
    }
}
