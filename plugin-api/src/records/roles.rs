//! Roles and the privileges they grant.

use super::Reference;
use crate::{Input, Source, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;

/// All content set roles with the ids of their privileges. The vendor does not document which privilege the route
/// needs; the Administrator reserved role works.
pub const ROLES: Input =
    Input::new("platform.roles", "content set roles").sources(&[Source::rest("/api/v2/content_set_roles")]);

/// All privileges: id and name.
pub const PRIVILEGES: Input = Input::new("platform.privileges", "names of all privileges")
    .sources(&[Source::rest("/api/v2/content_set_privileges")]);

/// Who holds which role, directly or through a user group. An administrator can export the same from the page Preview
/// User, where each row is one permission.
pub const ROLE_MEMBERSHIPS: Input =
    Input::new("platform.role-memberships", "users and user groups of each role").sources(&[
        Source::rest("/api/v2/content_set_roles/memberships").rows_under("content_set_roles"),
        Source::export(
            "user-effective-permissions.csv",
            "Administration > Permissions > Users > Preview User",
            "write down the effective permissions of each user, one row each, with these columns",
            &["User", "Persona", "Role", "Permission", "Content Set", "Computer Group"],
        ),
    ]);

/// A role (`GET /api/v2/content_set_roles`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Role {
    /// The role's id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The role takes privileges away instead of granting them.
    #[serde(deserialize_with = "lenient::flag")]
    pub deny_flag: Option<bool>,
    /// `advanced`, `module` or `reserved`.
    #[serde(deserialize_with = "lenient::text")]
    pub category: String,
    /// The name by which the platform itself knows it, such as `administrator`; empty for other roles.
    #[serde(deserialize_with = "lenient::text")]
    pub reserved_name: String,
    /// When it was made; 2001-01-01 where that is not known.
    #[serde(deserialize_with = "lenient::time")]
    pub created_time: Option<Timestamp>,
    /// The role is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// Its privileges.
    #[serde(deserialize_with = "lenient::list")]
    pub content_set_role_privileges: Vec<RolePrivilege>,
}

/// One privilege of a role, on one content set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RolePrivilege {
    /// The privilege.
    pub content_set_privilege: Reference,
    /// The content set it is for; none for privileges that belong to no content set.
    pub content_set: Option<Reference>,
    /// The grant is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
}

/// The members of a role (`GET /api/v2/content_set_roles/memberships`), or one row of the exported permissions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RoleMembership {
    /// The role's id; empty in an exported list.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Users who hold it directly.
    #[serde(deserialize_with = "lenient::list")]
    pub users: Vec<Reference>,
    /// User groups whose members inherit it.
    #[serde(deserialize_with = "lenient::list")]
    pub user_groups: Vec<Reference>,
    /// The user's name; only in an exported list.
    #[serde(rename = "User", deserialize_with = "lenient::text")]
    pub exported_user: String,
    /// The persona; only in an exported list.
    #[serde(rename = "Persona", deserialize_with = "lenient::text")]
    pub exported_persona: String,
    /// The role's name; only in an exported list.
    #[serde(rename = "Role", deserialize_with = "lenient::text")]
    pub exported_role: String,
    /// The permission's name; only in an exported list.
    #[serde(rename = "Permission", deserialize_with = "lenient::text")]
    pub exported_permission: String,
    /// The computer group's name; only in an exported list.
    #[serde(rename = "Computer Group", deserialize_with = "lenient::text")]
    pub exported_group: String,
}

/// A privilege (`GET /api/v2/content_set_privileges`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Privilege {
    /// The privilege's id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name, as in [`Source::needs`].
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
}

/// The lower-case names of the privileges that the roles with these ids grant together, less those a deny role takes.
#[must_use]
pub fn granted(roles: &[Role], privileges: &[Privilege], held: &BTreeSet<String>) -> BTreeSet<String> {
    let name_of = |reference: &Reference| {
        let by_id = privileges.iter().find(|privilege| privilege.id == reference.id);
        by_id.map_or(&reference.name, |privilege| &privilege.name).to_lowercase()
    };
    let names = |denied: bool| -> BTreeSet<String> {
        roles
            .iter()
            .filter(|role| held.contains(&role.id) && role.deny_flag.unwrap_or(false) == denied)
            .flat_map(|role| &role.content_set_role_privileges)
            .filter(|entry| entry.deleted_flag != Some(true))
            .map(|entry| name_of(&entry.content_set_privilege))
            .collect()
    };
    names(false).difference(&names(true)).cloned().collect()
}

/// The names of `required` that `held` lacks. The reserved Administrator role holds everything.
#[must_use]
pub fn missing<'a>(required: &[&'a str], held: &BTreeSet<String>) -> Vec<&'a str> {
    if held.contains("administrator") {
        return Vec::new();
    }
    required.iter().copied().filter(|name| !held.contains(&name.to_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn deny_roles_take_away() {
        let roles: Vec<Role> = serde_json::from_value(json!([
            {"id": 1, "deny_flag": "0", "content_set_role_privileges": [
                {"content_set_privilege": {"id": 10}}, {"content_set_privilege": {"id": 11}}]},
            {"id": 2, "deny_flag": "1", "content_set_role_privileges": [{"content_set_privilege": {"id": 11}}]},
        ]))
        .unwrap();
        let privileges: Vec<Privilege> = serde_json::from_value(
            json!([{"id": 10, "name": "Connect Read"}, {"id": 11, "name": "read user"}]),
        )
        .unwrap();
        let held = BTreeSet::from(["1".to_owned(), "2".to_owned()]);
        let granted = granted(&roles, &privileges, &held);
        assert_eq!(granted, BTreeSet::from(["connect read".to_owned()]));
        assert_eq!(missing(&["connect read", "Read User"], &granted), ["Read User"]);
    }

    #[test]
    fn administrators_lack_nothing() {
        assert!(missing(&["connect read"], &BTreeSet::from(["administrator".to_owned()])).is_empty());
    }
}
