//! Console users and personas.

use super::Reference;
use crate::{Input, Source, Subject, lenient};
use jiff::Timestamp;
use serde::Deserialize;

/// All Console users, deleted ones included. On Tanium Cloud only the summary view is allowed, which leaves out
/// effective privileges.
pub const USERS: Input = Input::new("platform.users", "Console users, deleted ones included").sources(&[
    Source::rest("/api/v2/users").options(r#"{"include_hidden_flag":1}"#).needs(&["read user"]),
    Source::rest("/api/v2/users").options(r#"{"include_hidden_flag":1,"summary":1}"#).needs(&["read user"]),
    Source::export(
        "users.csv",
        "Administration > Permissions > Users",
        "export the list of users with these columns",
        &["ID", "Name", "Locked Out", "Last Sign In"],
    ),
]);

/// All personas; deleted ones are not in the list.
pub const PERSONAS: Input = Input::new("platform.personas", "personas")
    .sources(&[Source::rest("/api/v2/personas").needs(&["read persona"])]);

/// All user groups with their members.
pub const USER_GROUPS: Input = Input::new("platform.user-groups", "user groups and their members")
    .sources(&[Source::rest("/api/v2/user_groups")]);

/// A Console user (`GET /api/v2/users`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// The user's id.
    #[serde(deserialize_with = "lenient::id", alias = "ID")]
    pub id: String,
    /// The user's name, without domain.
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub name: String,
    /// The name shown in the Console; may be empty.
    #[serde(deserialize_with = "lenient::text", alias = "Display Name")]
    pub display_name: String,
    /// The domain, if any; empty for accounts that the server itself keeps.
    #[serde(deserialize_with = "lenient::text", alias = "Domain")]
    pub domain: String,
    /// The user is deleted; what it owns no longer runs.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// 0: no; 1: disabled in LDAP; 2: missing in LDAP; 3: unknown.
    #[serde(deserialize_with = "lenient::number")]
    pub locked_out: Option<f64>,
    /// The last sign-on; 2001-01-01 means never.
    #[serde(deserialize_with = "lenient::time", alias = "Last Sign In")]
    pub last_login: Option<Timestamp>,
    /// When the account was made.
    #[serde(deserialize_with = "lenient::time")]
    pub creation_time: Option<Timestamp>,
    /// The account is a local administrator.
    #[serde(deserialize_with = "lenient::flag")]
    pub local_admin_flag: Option<bool>,
    /// Not 0 for accounts of an external service; the vendor does not say more.
    #[serde(deserialize_with = "lenient::number")]
    pub external_flag: Option<f64>,
    /// The computer group that limits the user, own and inherited ones together.
    #[serde(deserialize_with = "lenient::id")]
    pub effective_group_id: String,
    /// Personas that the user may take on.
    #[serde(deserialize_with = "lenient::list")]
    pub personas: Vec<Reference>,
    /// How the user signs in, in words; only in an exported list that has the column.
    #[serde(rename = "Authentication", deserialize_with = "lenient::text")]
    pub exported_authentication: String,
    /// Whether the user is locked out; only in an exported list, which leaves out deleted users.
    #[serde(rename = "Locked Out", deserialize_with = "lenient::flag")]
    pub exported_locked_out: Option<bool>,
    /// Privileges by content set; empty in the summary view.
    pub effective_content_set_privileges: Vec<ContentSetPrivileges>,
}

/// The privileges of a user on one content set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ContentSetPrivileges {
    /// The privileges.
    pub content_set_privilege_list: Vec<Reference>,
}

impl User {
    /// Why the user cannot act, or nothing if it can.
    #[must_use]
    pub fn inactive_because(&self) -> Option<&'static str> {
        if self.deleted_flag == Some(true) {
            return Some("is deleted");
        }
        match self.locked_out.map(|code| code as i64) {
            Some(1) => return Some("is disabled in LDAP"),
            Some(2) => return Some("is missing in LDAP"),
            Some(3) => return Some("is locked out"),
            _ => {}
        }
        (self.exported_locked_out == Some(true)).then_some("is locked out")
    }

    /// The lower-case names of the privileges the user holds on any content set; `None` where the view left them out.
    #[must_use]
    pub fn privileges(&self) -> Option<Vec<String>> {
        let sets = &self.effective_content_set_privileges;
        let names = sets.iter().flat_map(|set| &set.content_set_privilege_list);
        (!sets.is_empty()).then(|| names.map(|privilege| privilege.name.to_lowercase()).collect())
    }

    /// Whether the account is one of the server's own, for a solution: such accounts have a domain in brackets.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        self.domain.starts_with("<[")
    }

    /// Whether a list of the site names this account: by name, by id, or as `DOMAIN\\name`.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        match name.split_once('\\') {
            Some((domain, account)) => {
                self.domain.eq_ignore_ascii_case(domain) && self.name.eq_ignore_ascii_case(account)
            }
            None => self.name.eq_ignore_ascii_case(name) || self.id == name,
        }
    }

    /// The subject of a finding about this account.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let name = match self.domain.as_str() {
            "" => self.name.clone(),
            domain => format!("{domain}\\{}", self.name),
        };
        Subject::new("user", &self.id, name)
    }

    /// The display name, or the name.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.display_name.is_empty() { &self.name } else { &self.display_name }
    }
}

/// A persona (`GET /api/v2/personas`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Persona {
    /// The persona's id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The persona is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// The computer group it is limited to.
    pub group: Option<Reference>,
    /// When it was made; 2001-01-01 where that is not known.
    #[serde(deserialize_with = "lenient::time")]
    pub created_time: Option<Timestamp>,
    /// Roles that it holds.
    #[serde(deserialize_with = "lenient::list")]
    pub content_set_role_list: Vec<Reference>,
    /// Users who may take it on.
    #[serde(deserialize_with = "lenient::list")]
    pub user_list: Vec<Reference>,
    /// User groups whose members may take it on.
    #[serde(deserialize_with = "lenient::list")]
    pub user_group_list: Vec<Reference>,
}

/// A user group (`GET /api/v2/user_groups`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct UserGroup {
    /// The group's id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The group is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// When it was made; 2001-01-01 where that is not known.
    #[serde(deserialize_with = "lenient::time")]
    pub created_time: Option<Timestamp>,
    /// Roles that its members inherit.
    #[serde(deserialize_with = "lenient::list")]
    pub content_set_roles: Vec<Reference>,
    /// Its members.
    #[serde(deserialize_with = "lenient::list")]
    pub user_list: Vec<Reference>,
}
