//! Review and update connection owners: whoever a connection runs as must exist, be active and hold the permissions.

mod active;
mod passwords;
mod permissions;
mod personas;

pub use active::OWNER_ACTIVE;
pub use passwords::OWNER_PASSWORD_POLICY;
pub use permissions::{OWNER_PERMISSIONS, PERSONA_PERMISSIONS};
pub use personas::PERSONA_EXISTS;

use crate::inputs::Connection;
use records::people::{USERS, User};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and update connection owners", 24)];

/// Who may change users, personas and roles.
const ADMINISTRATOR: &str = "a Console user with the Administrator reserved role, or with a custom role that holds the \
                             matching permission";

/// Who may repair a connection that lost its owner or persona.
const BOTH: &str = "a user with the Connect role permissions that the Connect User Guide names for editing connections; \
                    transferring content takes the Administrator reserved role, or a custom role that allows it";

const DELETING_STOPS: &str =
    "Deleting a user or a persona stops the connections they own: transfer first, delete then.";

/// The owner of a connection among the users: by id, or by name in an exported list.
pub(crate) fn owner<'a>(connection: &Connection, users: &'a [User]) -> Option<&'a User> {
    let is_owner = |user: &&User| {
        if connection.user_id.is_empty() {
            !connection.owner.is_empty() && user.name.eq_ignore_ascii_case(&connection.owner)
        } else {
            user.id == connection.user_id
        }
    };
    // A name may have belonged to a deleted user before.
    users.iter().filter(is_owner).min_by_key(|user| user.deleted_flag == Some(true))
}

/// Whether the owner is deleted, or no user at all.
///
/// # Errors
/// When the owner is not in the list, and the list is incomplete.
pub(crate) fn is_gone(facts: &Facts<'_>, connection: &Connection, users: &[User]) -> Result<bool, Undecided> {
    match owner(connection, users) {
        Some(owner) => Ok(owner.deleted_flag == Some(true)),
        None => match facts.gaps(&USERS)? {
            [] => Ok(true),
            [gap, ..] => {
                let reason = format!("the owner of {:?} is not in the list of users: {gap}", connection.name);
                Err(Undecided::not_evaluated(reason))
            }
        },
    }
}

/// How the owner is named in findings.
pub(crate) fn owner_label(connection: &Connection, users: &[User]) -> String {
    match owner(connection, users) {
        Some(owner) => owner.label().to_owned(),
        None if connection.user_id.is_empty() => connection.owner.clone(),
        None => format!("user {}", connection.user_id),
    }
}
