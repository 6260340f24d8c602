//! Guide: *Review and update RBAC permissions and authentication settings*, page 37: roles, user groups and personas that
//! serve nobody.

use crate::words::{DELETING_STOPS, RBAC, WHO};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{SCHEDULED_ACTIONS, ScheduledAction};
use tancheck_plugin_api::records::connections::{CONNECTIONS, Connection};
use tancheck_plugin_api::records::people::{PERSONAS, Persona, USER_GROUPS, UserGroup};
use tancheck_plugin_api::records::roles::{ROLE_MEMBERSHIPS, ROLES, Role, RoleMembership};
use tancheck_plugin_api::records::tokens::{API_TOKENS, ApiToken};

const MIN_AGE_DAYS: Setting = Setting::integer("min_age_days", 90, 0, 3650).unit("days").about(
    "how long a role, user group or persona may be without members before somebody asks what it is for",
);

/// `rbac.stale-rbac-objects`
pub(crate) const STALE_OBJECTS: Check = Check::hybrid("rbac.stale-rbac-objects")
    .title("Roles, user groups and personas without purpose are removed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&ROLES, &ROLE_MEMBERSHIPS, &USER_GROUPS, &PERSONAS, &CONNECTIONS, &SCHEDULED_ACTIONS, &API_TOKENS])
    .settings(&[&MIN_AGE_DAYS])
    .guide(&[RBAC])
    .what("Lists custom roles that no user, user group or persona holds; user groups without members; personas that nobody may take on; and custom roles that grant exactly the same. What is younger than `min_age_days` is left out; where the age is not told, the finding is for information.")
    .why("What serves nobody clutters every choice, and the day it is assigned by mistake it grants rights that nobody looked at.")
    .limits("Roles of category module may belong to a module and are left out. User groups that LDAP fills may be empty only until the next synchronization: confirm those. Where connections or API tokens cannot be read, their use of a persona is not seen.")
    .related(&["connect.persona-exists"])
    .remedy(&REMEDY)
    .judge(stale_objects);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of {subject}", "whether it is kept for something planned; confirm it then"),
    Step::decision("it is used ({uses})", "move that to another role, user group or persona first"),
    Step::console(
        "Administration > Permissions",
        "edit, reassign or delete {subject}, as the Console User Guide says",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.cautions(&[DELETING_STOPS, "A user group that LDAP fills comes back with the next synchronization."])
.references(&[
    "Console User Guide: Managing roles",
    "Console User Guide: Managing user groups",
    "Console User Guide: Managing personas",
]);

fn stale_objects(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let roles: Vec<Role> = facts.rows(&ROLES)?;
    let memberships: Vec<RoleMembership> = facts.rows(&ROLE_MEMBERSHIPS)?;
    if memberships.iter().any(|row| !row.exported_user.is_empty()) {
        return Err(Undecided::not_evaluated(
            "the exported permissions do not tell which roles nobody holds: let the account read the memberships of roles",
        ));
    }
    let groups: Vec<UserGroup> = facts.rows(&USER_GROUPS)?;
    let personas: Vec<Persona> = facts.rows(&PERSONAS)?;
    let custom: Vec<&Role> = roles
        .iter()
        .filter(|role| role.category == "advanced" && role.reserved_name.is_empty())
        .filter(|role| role.deleted_flag != Some(true))
        .collect();
    for role in &custom {
        let is_held = memberships
            .iter()
            .any(|row| row.id == role.id && !(row.users.is_empty() && row.user_groups.is_empty()));
        let inherited = groups.iter().flat_map(|group| &group.content_set_roles);
        let taken_on = personas.iter().flat_map(|persona| &persona.content_set_role_list);
        if !is_held && !inherited.chain(taken_on).any(|held| held.id == role.id) {
            let subject = Subject::new("role", &role.id, &role.name);
            listed(facts, report, subject, role.created_time, "nobody holds it", "", &ROLES);
        }
    }
    for group in groups.iter().filter(|group| group.deleted_flag != Some(true) && group.user_list.is_empty())
    {
        let subject = Subject::new("user group", &group.id, &group.name);
        listed(facts, report, subject, group.created_time, "it has no members", "", &USER_GROUPS);
    }
    for persona in personas.iter().filter(|persona| persona.deleted_flag != Some(true)) {
        if persona.user_list.is_empty() && persona.user_group_list.is_empty() {
            let subject = Subject::new("persona", &persona.id, &persona.name);
            let uses = uses(facts, &persona.id);
            listed(facts, report, subject, persona.created_time, "nobody may take it on", &uses, &PERSONAS);
        }
    }
    duplicates(facts, report, &custom);
    Ok(())
}

fn listed(
    facts: &Facts<'_>,
    report: &mut Report,
    subject: Subject,
    made: Option<Timestamp>,
    what: &str,
    uses: &str,
    input: &'static Input,
) {
    let least = facts.integer(&MIN_AGE_DAYS).unwrap_or_default();
    let days = made.map(|made| facts.days_since(made));
    if days.is_some_and(|days| days <= least) {
        return;
    }
    let age = days.map_or("its age is not told".to_owned(), |days| format!("it was made {days} days ago"));
    let used = if uses.is_empty() { String::new() } else { format!("; it is still used: {uses}") };
    let finding = Finding::on(subject)
        .says(format!("{what}, {age}{used}"))
        .expected("a purpose")
        .confirms(what)
        .fill("uses", if uses.is_empty() { "no use was seen" } else { uses })
        .evidence(facts.seen(input, what));
    report.finding(if days.is_none() { finding.severity(Severity::Info) } else { finding });
}

/// What runs as a persona, as far as it can be seen.
fn uses(facts: &Facts<'_>, persona: &str) -> String {
    let connections = facts.rows::<Connection>(&CONNECTIONS).unwrap_or_default();
    let connections = connections
        .iter()
        .filter(|one| one.persona_id == persona)
        .map(|one| format!("connection {}", one.name));
    let actions = facts.rows::<ScheduledAction>(&SCHEDULED_ACTIONS).unwrap_or_default();
    let actions = actions
        .iter()
        .filter(|one| one.persona.id == persona)
        .map(|one| format!("scheduled action {}", one.name));
    let tokens = facts.rows::<ApiToken>(&API_TOKENS).unwrap_or_default();
    let tokens =
        tokens.iter().filter(|one| one.persona.id == persona).map(|one| format!("API token {}", one.id));
    connections.chain(actions).chain(tokens).collect::<Vec<_>>().join(", ")
}

/// Whether a role denies, and the privileges that it is about, with their content sets.
type Grants<'a> = (bool, BTreeSet<(&'a str, &'a str)>);

/// Roles that grant exactly the same on the same content sets.
fn duplicates(facts: &Facts<'_>, report: &mut Report, custom: &[&Role]) {
    let mut same: BTreeMap<Grants<'_>, Vec<&Role>> = BTreeMap::new();
    for role in custom {
        let grants: BTreeSet<(&str, &str)> = role
            .content_set_role_privileges
            .iter()
            .filter(|grant| grant.deleted_flag != Some(true))
            .map(|grant| {
                let set = grant.content_set.as_ref().map_or("", |set| set.id.as_str());
                (grant.content_set_privilege.id.as_str(), set)
            })
            .collect();
        if !grants.is_empty() {
            same.entry((role.deny_flag == Some(true), grants)).or_default().push(role);
        }
    }
    for roles in same.values().filter(|roles| roles.len() > 1) {
        let ids: Vec<&str> = roles.iter().map(|role| role.id.as_str()).collect();
        let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
        report.finding(
            Finding::on(Subject::new("roles", ids.join("+"), names.join(" / ")))
                .says("grant exactly the same")
                .expected("one role for one purpose")
                .confirms("the same grants")
                .affected(roles.len() as u64, None)
                .sample(names.iter().copied())
                .fill("uses", "both may be assigned")
                .evidence(facts.seen(&ROLES, ids)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    const OLD: &str = "2025-01-01T00:00:00Z";

    fn role(id: u64, privilege: u64) -> Value {
        json!({"id": id, "name": format!("r{id}"), "category": "advanced", "created_time": OLD,
               "content_set_role_privileges": [{"content_set_privilege": {"id": privilege}}]})
    }

    fn case() -> Case {
        Case::of(&STALE_OBJECTS)
            .rows(&ROLES, json!([role(1, 1), role(2, 2), role(3, 3)]))
            .rows(&ROLE_MEMBERSHIPS, json!([{"id": 1, "users": [{"id": 7}]}, {"id": 3, "user_groups": [{"id": 4}]}]))
            .rows(&USER_GROUPS, json!([{"id": 4, "name": "g", "created_time": OLD, "user_list": [{"id": 7}]}]))
            .rows(&PERSONAS, json!([{"id": 5, "name": "p", "created_time": OLD, "content_set_role_list": [{"id": 2}], "user_list": [{"id": 7}]}]))
    }

    #[test]
    fn what_serves_somebody_passes() {
        case().judge().assert_pass();
        case().assert_needs_its_inputs();
    }

    #[test]
    fn what_serves_nobody_is_found() {
        case().rows(&ROLE_MEMBERSHIPS, json!([])).judge().assert_findings(&["1", "3"]);
        let empty = json!([{"id": 4, "name": "g", "created_time": OLD}]);
        case().rows(&USER_GROUPS, empty).judge().assert_findings(&["4"]);
        let lonely =
            json!([{"id": 5, "name": "p", "created_time": OLD, "content_set_role_list": [{"id": 2}]}]);
        let used = case()
            .rows(&PERSONAS, lonely)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "c", "personaId": 5}]));
        used.judge().assert_findings(&["5"]);
        assert_eq!(used.judge().findings()[0].values["uses"], "connection c");
    }

    #[test]
    fn young_reserved_and_module_roles_are_left_out() {
        let with = |change: Value| {
            let mut one = role(8, 8);
            for (key, value) in change.as_object().unwrap() {
                one[key] = value.clone();
            }
            case().rows(&ROLES, json!([one])).judge()
        };
        with(json!({"created_time": "2026-06-01T00:00:00Z"})).assert_pass();
        with(json!({"category": "reserved"})).assert_pass();
        with(json!({"category": "module"})).assert_pass();
        with(json!({"deleted_flag": 1})).assert_pass();
        let ageless = with(json!({"created_time": "2001-01-01T00:00:00Z"}));
        ageless.assert_findings(&["8"]);
        assert_eq!(ageless.findings()[0].severity, Some(Severity::Info));
    }

    #[test]
    fn roles_that_grant_the_same_are_found() {
        case().rows(&ROLES, json!([role(1, 9), role(2, 9), role(3, 3)])).judge().assert_findings(&["1+2"]);
        let denies = json!({"id": 2, "name": "d", "category": "advanced", "deny_flag": "1", "created_time": OLD,
            "content_set_role_privileges": [{"content_set_privilege": {"id": 9}}]});
        case().rows(&ROLES, json!([role(1, 9), denies, role(3, 3)])).judge().assert_pass();
    }

    #[test]
    fn exported_permissions_do_not_tell() {
        let exported = case().rows(&ROLE_MEMBERSHIPS, json!([{"User": "ann", "Role": "r1"}]));
        exported.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
