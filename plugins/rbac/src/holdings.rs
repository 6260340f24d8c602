//! Who holds what: roles held directly and through user groups, the privileges they grant, personas and the computer
//! group. Two requests tell the roles of everybody, instead of one request for each user.

use crate::words::few;
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::Reference;
use tancheck_plugin_api::records::actions::GROUPS;
use tancheck_plugin_api::records::people::{PERSONAS, Persona, USER_GROUPS, USERS, User, UserGroup};
use tancheck_plugin_api::records::roles::{
    PRIVILEGES, Privilege, ROLE_MEMBERSHIPS, ROLES, Role, RoleMembership, granted,
};

/// The inputs of [`Holdings::read`].
pub(crate) const HOLDINGS: &[&Input] =
    &[&USERS, &ROLE_MEMBERSHIPS, &ROLES, &PRIVILEGES, &USER_GROUPS, &PERSONAS, &GROUPS];

/// Who holds what.
pub(crate) struct Holdings {
    /// The accounts that are not deleted.
    pub(crate) users: Vec<User>,
    source: Source,
}

enum Source {
    Platform(Box<Platform>),
    /// One row for each permission of each user.
    Exported(Vec<RoleMembership>),
}

struct Platform {
    memberships: Vec<RoleMembership>,
    roles: Vec<Role>,
    privileges: Vec<Privilege>,
    user_groups: Vec<UserGroup>,
    personas: Vec<Persona>,
    groups: Vec<Reference>,
}

/// What one user holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Roles, without those that only deny.
    pub(crate) roles: Vec<HeldRole>,
    /// Privileges in lower case, less those that a role denies.
    pub(crate) privileges: BTreeSet<String>,
    /// User groups; nothing where the source does not tell.
    pub(crate) user_groups: Option<BTreeSet<String>>,
    /// Personas that the user may take on.
    pub(crate) personas: Vec<HeldPersona>,
    /// The computer group that limits the user; nothing where it is not told.
    pub(crate) group: Option<String>,
}

/// A role that is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeldRole {
    pub(crate) name: String,
    /// What it grants, in lower case; nothing where the source does not tell.
    pub(crate) privileges: Option<BTreeSet<String>>,
}

/// A persona that may be taken on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeldPersona {
    pub(crate) name: String,
    pub(crate) roles: Vec<HeldRole>,
    pub(crate) privileges: BTreeSet<String>,
}

impl Held {
    /// Whether the Administrator reserved role is among the roles.
    pub(crate) fn is_administrator(&self) -> bool {
        self.privileges.contains("administrator")
    }

    /// What is held, as a profile names it.
    pub(crate) fn as_profile(&self) -> Vec<String> {
        let roles = self.roles.iter().map(|role| format!("role: {}", role.name));
        let personas = self.personas.iter().map(|persona| format!("persona: {}", persona.name));
        let group = self.group.iter().map(|group| format!("computer group: {group}"));
        roles.chain(personas).chain(group).collect()
    }

    /// All of it in one line: what a person reviews, and what a confirmation is bound to.
    pub(crate) fn summary(&self) -> String {
        let listed = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let roles = listed(self.roles.iter().map(|role| role.name.as_str()).collect());
        let personas: Vec<String> = self.personas.iter().map(HeldPersona::summary).collect();
        let personas = listed(personas.iter().map(String::as_str).collect());
        let groups = match &self.user_groups {
            Some(groups) => listed(groups.iter().map(String::as_str).collect()),
            None => "not told".to_owned(),
        };
        let group = self.group.as_deref().unwrap_or("not told");
        format!("roles: {roles}; user groups: {groups}; personas: {personas}; computer group: {group}")
    }
}

impl HeldPersona {
    fn summary(&self) -> String {
        let roles: Vec<&str> = self.roles.iter().map(|role| role.name.as_str()).collect();
        format!("{} ({})", self.name, roles.join(" + "))
    }
}

impl Holdings {
    /// Reads everything.
    pub(crate) fn read(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let users: Vec<User> = facts.rows(&USERS)?;
        let users = users.into_iter().filter(|user| user.deleted_flag != Some(true)).collect();
        let memberships: Vec<RoleMembership> = facts.rows(&ROLE_MEMBERSHIPS)?;
        if memberships.iter().any(|row| !row.exported_user.is_empty()) {
            return Ok(Self { users, source: Source::Exported(memberships) });
        }
        let platform = Platform {
            memberships,
            roles: facts.rows(&ROLES)?,
            privileges: facts.rows(&PRIVILEGES)?,
            user_groups: facts.rows(&USER_GROUPS)?,
            personas: facts.rows(&PERSONAS)?,
            groups: facts.rows(&GROUPS)?,
        };
        Ok(Self { users, source: Source::Platform(Box::new(platform)) })
    }

    /// The accounts of people: neither deleted, nor locked out, nor a solution's own.
    pub(crate) fn people(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| user.inactive_because().is_none() && !user.is_service_account())
    }

    /// The account with this name; among several the one that is not locked out.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        let named = self.users.iter().filter(|user| user.is_named(name));
        named.min_by_key(|user| user.inactive_because().is_some())
    }

    /// What a user holds.
    pub(crate) fn of(&self, user: &User) -> Held {
        match &self.source {
            Source::Platform(platform) => platform.of(user),
            Source::Exported(rows) => exported(rows, user),
        }
    }
}

impl Platform {
    fn of(&self, user: &User) -> Held {
        let is_in = |references: &[Reference]| references.iter().any(|one| one.id == user.id);
        let groups: Vec<&UserGroup> = self
            .user_groups
            .iter()
            .filter(|group| group.deleted_flag != Some(true) && is_in(&group.user_list))
            .collect();
        let through = |references: &[Reference]| {
            references.iter().any(|one| groups.iter().any(|group| group.id == one.id))
        };
        let mut roles: BTreeSet<String> = self
            .memberships
            .iter()
            .filter(|row| is_in(&row.users) || through(&row.user_groups))
            .map(|row| row.id.clone())
            .collect();
        roles.extend(groups.iter().flat_map(|group| &group.content_set_roles).map(|role| role.id.clone()));
        let may_take_on = |persona: &&Persona| {
            persona.deleted_flag != Some(true)
                && (is_in(&persona.user_list) || through(&persona.user_group_list))
        };
        let mut personas: Vec<HeldPersona> =
            self.personas.iter().filter(may_take_on).map(|persona| self.persona(persona)).collect();
        personas.sort();
        Held {
            privileges: granted(&self.roles, &self.privileges, &roles),
            roles: self.roles_of(&roles),
            user_groups: Some(groups.iter().map(|group| group.name.clone()).collect()),
            personas,
            group: self.group(&user.effective_group_id),
        }
    }

    fn persona(&self, persona: &Persona) -> HeldPersona {
        let roles: BTreeSet<String> =
            persona.content_set_role_list.iter().map(|role| role.id.clone()).collect();
        HeldPersona {
            name: persona.name.clone(),
            privileges: granted(&self.roles, &self.privileges, &roles),
            roles: self.roles_of(&roles),
        }
    }

    fn roles_of(&self, ids: &BTreeSet<String>) -> Vec<HeldRole> {
        let held = self.roles.iter().filter(|role| ids.contains(&role.id) && role.deny_flag != Some(true));
        let mut roles: Vec<HeldRole> = held
            .map(|role| HeldRole {
                name: role.name.clone(),
                privileges: Some(granted(&self.roles, &self.privileges, &BTreeSet::from([role.id.clone()]))),
            })
            .collect();
        roles.sort();
        roles
    }

    fn group(&self, id: &str) -> Option<String> {
        let group = self.groups.iter().find(|group| group.id == id)?;
        Some(if group.name.is_empty() { format!("computer group {id}") } else { group.name.clone() })
    }
}

/// What the exported rows tell of a user.
fn exported(rows: &[RoleMembership], user: &User) -> Held {
    let own: Vec<&RoleMembership> = rows.iter().filter(|row| user.is_named(&row.exported_user)).collect();
    let is_default =
        |row: &&&RoleMembership| matches!(row.exported_persona.to_lowercase().as_str(), "" | "default");
    let default: Vec<&RoleMembership> = own.iter().filter(is_default).copied().collect();
    let names: BTreeSet<&str> =
        own.iter().filter(|row| !is_default(row)).map(|row| row.exported_persona.as_str()).collect();
    let persona = |name: &str| {
        let rows: Vec<&RoleMembership> =
            own.iter().filter(|row| row.exported_persona == name).copied().collect();
        HeldPersona { name: name.to_owned(), roles: roles_in(&rows), privileges: privileges_in(&rows) }
    };
    let group = default.iter().map(|row| row.exported_group.as_str()).find(|name| !name.is_empty());
    Held {
        roles: roles_in(&default),
        privileges: privileges_in(&default),
        user_groups: None,
        personas: names.into_iter().map(persona).collect(),
        group: group.map(str::to_owned),
    }
}

fn roles_in(rows: &[&RoleMembership]) -> Vec<HeldRole> {
    let names: BTreeSet<&str> =
        rows.iter().map(|row| row.exported_role.as_str()).filter(|name| !name.is_empty()).collect();
    names.into_iter().map(|name| HeldRole { name: name.to_owned(), privileges: None }).collect()
}

fn privileges_in(rows: &[&RoleMembership]) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = rows.iter().map(|row| row.exported_permission.to_lowercase()).collect();
    if rows.iter().any(|row| row.exported_role.eq_ignore_ascii_case("Administrator")) {
        all.insert("administrator".to_owned());
    }
    all
}

/// Names of users that a setting holds and no account has.
pub(crate) fn nobody(names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| format!("no account is called {}", few(names)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    /// Ann is an administrator, bob a reader through a group with a persona, eve holds nothing; the fourth is a service.
    pub(crate) fn people(check: &'static Check) -> Case {
        let grants = |ids: &[u64]| -> Value {
            ids.iter().map(|id| json!({"content_set_privilege": {"id": id}})).collect()
        };
        Case::of(check)
            .rows(
                &USERS,
                json!([{"id": 1, "name": "ann", "locked_out": 0, "effective_group_id": 1},
                       {"id": 2, "name": "bob", "domain": "CORP", "locked_out": 0, "effective_group_id": 5},
                       {"id": 3, "name": "eve", "locked_out": 0, "effective_group_id": 0},
                       {"id": 4, "name": "Deploy", "domain": "<[tanium]>", "locked_out": 0},
                       {"id": 5, "name": "zoe", "deleted_flag": true}]),
            )
            .rows(
                &ROLE_MEMBERSHIPS,
                json!([{"id": 10, "users": [{"id": 1}, {"id": 4}]}, {"id": 11, "user_groups": [{"id": 7}]}]),
            )
            .rows(
                &ROLES,
                json!([{"id": 10, "name": "Administrator", "reserved_name": "administrator", "category": "reserved",
                        "content_set_role_privileges": grants(&[100])},
                       {"id": 11, "name": "Reader", "category": "advanced", "content_set_role_privileges": grants(&[101, 102])},
                       {"id": 12, "name": "Writer", "category": "advanced", "content_set_role_privileges": grants(&[103])}]),
            )
            .rows(
                &PRIVILEGES,
                json!([{"id": 100, "name": "administrator"}, {"id": 101, "name": "read sensor"},
                       {"id": 102, "name": "read user"}, {"id": 103, "name": "write action"}]),
            )
            .rows(&USER_GROUPS, json!([{"id": 7, "name": "Readers", "user_list": [{"id": 2}]}]))
            .rows(
                &PERSONAS,
                json!([{"id": 9, "name": "Writing", "user_list": [{"id": 2}], "content_set_role_list": [{"id": 12}]}]),
            )
            .rows(&GROUPS, json!([{"id": 1, "name": "All Computers"}, {"id": 5, "name": "All Windows"}]))
    }

    /// The same, as an administrator wrote it down.
    pub(crate) fn written(check: &'static Check) -> Case {
        let row = |user: &str, persona: &str, role: &str, permission: &str, group: &str| {
            json!({"User": user, "Persona": persona, "Role": role, "Permission": permission, "Content Set": "",
                   "Computer Group": group})
        };
        people(check).rows(
            &ROLE_MEMBERSHIPS,
            json!([
                row("ann", "Default", "Administrator", "Administrator", "All Computers"),
                row("bob", "", "Reader", "Read Sensor", "All Windows"),
                row("bob", "", "Reader", "Read User", "All Windows"),
                row("bob", "Writing", "Writer", "Write Action", ""),
            ]),
        )
    }

    const PROBE: Check = Check::automated("rbac.probe").reads(HOLDINGS).judge(|facts, report| {
        let holdings = Holdings::read(facts)?;
        for user in holdings.people() {
            let held = holdings.of(user);
            let privileges: Vec<&str> = held.privileges.iter().map(String::as_str).collect();
            report.note(format!("{}: {} ({})", user.name, held.summary(), privileges.join(", ")));
        }
        Ok(())
    });

    #[test]
    fn roles_come_directly_and_through_groups() {
        assert_eq!(
            people(&PROBE).judge().notes(),
            [
                "ann: roles: Administrator; user groups: none; personas: none; computer group: All Computers (administrator)",
                "bob: roles: Reader; user groups: Readers; personas: Writing (Writer); computer group: All Windows (read sensor, read user)",
                "eve: roles: none; user groups: none; personas: none; computer group: not told ()",
            ]
        );
        people(&PROBE).assert_needs_its_inputs();
    }

    #[test]
    fn exported_rows_tell_nearly_the_same() {
        assert_eq!(
            written(&PROBE).judge().notes()[..2],
            [
                "ann: roles: Administrator; user groups: not told; personas: none; computer group: All Computers (administrator)",
                "bob: roles: Reader; user groups: not told; personas: Writing (Writer); computer group: All Windows (read sensor, read user)",
            ]
        );
    }
}
