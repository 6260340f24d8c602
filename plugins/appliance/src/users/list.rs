//! The list of TanOS users, as somebody read it off the menus of each Appliance.

use crate::inputs::{in_use, uncovered};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

/// The TanOS users of each Appliance.
pub(crate) const TANOS_USERS: Input =
    Input::new("appliance.tanos-users", "the TanOS users of each Appliance").sources(&[Source::export(
        "tanos-users.csv",
        "TanOS > User Administration menu, on each Appliance",
        "write one row for each user of each Appliance: role is tanadmin, tanacopy, tanuser, tanremote or tansnmp; auth \
         is password, key or both; person_active tells whether the person is still here, policy_covered whether the \
         password policy holds for the user; captured_at is when you looked",
        &["appliance", "user", "role", "auth", "person", "person_active", "policy_covered", "captured_at"],
    )]);

/// How old the list, and a review, may be.
pub(crate) const USERS_DUE_EVERY_DAYS: Setting = Setting::integer("users_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often the TanOS users are reviewed; an older list decides nothing")
    .from_guide();

/// A role of TanOS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// All menus.
    Tanadmin,
    /// Copies files to and from the Appliance.
    Tanacopy,
    /// Status menus only.
    Tanuser,
    /// The predefined account of the iDRAC console.
    Tanremote,
    /// The predefined account of SNMP.
    Tansnmp,
}

impl Role {
    /// Whether it is a predefined account that belongs to no person.
    pub(crate) fn is_service(self) -> bool {
        matches!(self, Self::Tanremote | Self::Tansnmp)
    }
}

/// A TanOS user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TanosUser {
    /// The Appliance.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) appliance: String,
    /// The user's name.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) user: String,
    /// Its role, as it was written down.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) role: String,
    /// `password`, `key` or `both`.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) auth: String,
    /// Whose it is.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) person: String,
    /// The person is still here.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) person_active: Option<bool>,
    /// The password policy holds for it.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) policy_covered: Option<bool>,
    /// When it was written down.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) captured_at: Option<Timestamp>,
}

impl TanosUser {
    /// The role, or why it is none.
    pub(crate) fn role(&self) -> Result<Role, String> {
        match self.role.trim().to_ascii_lowercase().as_str() {
            "tanadmin" => Ok(Role::Tanadmin),
            "tanacopy" => Ok(Role::Tanacopy),
            "tanuser" => Ok(Role::Tanuser),
            "tanremote" => Ok(Role::Tanremote),
            "tansnmp" => Ok(Role::Tansnmp),
            _ => Err(format!("{} on {}: {:?} is no role of TanOS", self.user, self.appliance, self.role)),
        }
    }

    /// Whether it signs in with a password.
    pub(crate) fn has_password(&self) -> Result<bool, String> {
        match self.auth.trim().to_ascii_lowercase().as_str() {
            "password" | "both" => Ok(true),
            "key" => Ok(false),
            _ => Err(format!(
                "{} on {}: {:?} is no authentication (password, key, both)",
                self.user, self.appliance, self.auth
            )),
        }
    }

    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        let key = format!("{}: {}", self.appliance.trim().to_lowercase(), self.user.trim().to_lowercase());
        Subject::new("TanOS user", key, format!("{} on {}", self.user, self.appliance))
    }
}

/// The users of an Appliance.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The Appliance.
    pub(crate) appliance: String,
    /// Its users.
    pub(crate) users: Vec<TanosUser>,
}

/// The lists of the Appliances that are recent enough to judge, and a sentence for each Appliance without one.
pub(crate) fn recent_lists(facts: &Facts<'_>) -> Result<(Vec<Listed>, Vec<String>), Undecided> {
    in_use(facts)?;
    let rows: Vec<TanosUser> = facts.rows(&TANOS_USERS)?;
    let mut unknown = uncovered(facts, rows.iter().map(|row| row.appliance.as_str()), "tanos-users.csv")?;
    let mut lists: BTreeMap<String, Listed> = BTreeMap::new();
    for row in rows {
        let list = lists
            .entry(row.appliance.trim().to_ascii_lowercase())
            .or_insert_with(|| Listed { appliance: row.appliance.clone(), users: Vec::new() });
        list.users.push(row);
    }
    let limit = facts.integer(&USERS_DUE_EVERY_DAYS)?;
    let written = facts.at(&TANOS_USERS)?;
    let mut recent = Vec::new();
    for list in lists.into_values() {
        // Rows without a time are as old as the file.
        let oldest =
            list.users.iter().map(|user| user.captured_at.unwrap_or(written)).min().unwrap_or(written);
        let days = facts.days_since(oldest);
        if days > limit {
            unknown.push(format!("the list of TanOS users of {} is {days} days old", list.appliance));
        } else {
            recent.push(list);
        }
    }
    Ok((recent, unknown))
}
