//! Roles and the privileges they grant.

use super::Reference;
use crate::{Input, Source, lenient};
use serde::Deserialize;
use std::collections::BTreeSet;

/// All content set roles with the ids of their privileges. The vendor does not document which privilege the route
/// needs; the Administrator reserved role works.
pub const ROLES: Input =
    Input::new("platform.roles", "content set roles").sources(&[Source::rest("/api/v2/content_set_roles")]);

/// All privileges: id and name.
pub const PRIVILEGES: Input = Input::new("platform.privileges", "names of all privileges")
    .sources(&[Source::rest("/api/v2/content_set_privileges")]);

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
