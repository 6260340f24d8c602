//! What several checks of the plugin share: settings, words, and what an account owns.

use std::collections::BTreeSet;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{SCHEDULED_ACTIONS, ScheduledAction};
use tancheck_plugin_api::records::connections::{CONNECTIONS, Connection};
use tancheck_plugin_api::records::people::{USERS, User};

pub(crate) const ACCOUNTS: GuideReference = guide("Review and update Console user accounts", 36);
pub(crate) const RBAC: GuideReference =
    guide("Review and update RBAC permissions and authentication settings", 37);

pub(crate) const WHO: &str = "a Console user with the Administrator reserved role, or with a custom role that holds the \
                              matching permission";
pub(crate) const KEEP_A_LOCAL_ADMINISTRATOR: &str = "Keep at least one local account with the Administrator reserved role: without it, an outage of the external service locks everybody out.";

/// Accounts that belong to nobody in particular.
pub(crate) const EXEMPT: Setting = Setting::list("exempt", &[]).about(
    "names of accounts that belong to no person, such as service accounts and the local Administrator account",
);

/// People who sign in with an account of the Tanium Server.
pub(crate) const EXPECTED_LOCAL_USERS: Setting = Setting::list("expected_local_users", &[])
    .about("names of the accounts that the Tanium Server itself has to have");

/// People who sign in with an account of another service.
pub(crate) const EXPECTED_REMOTE_USERS: Setting = Setting::list("expected_remote_users", &[])
    .about("names of the people who have to have an account that LDAP/AD or another service keeps");

/// The accounts that are not deleted.
pub(crate) fn users(facts: &Facts<'_>) -> Result<Vec<User>, Undecided> {
    let users: Vec<User> = facts.rows(&USERS)?;
    Ok(users.into_iter().filter(|user| user.deleted_flag != Some(true)).collect())
}

/// Whether one of a list's names is this account's.
pub(crate) fn is_among(user: &User, names: &[&str]) -> bool {
    names.iter().any(|name| user.is_named(name))
}

/// What a list of the site calls accounts, or would call them: `DOMAIN\\name`.
pub(crate) fn names<'u>(
    facts: &Facts<'_>,
    setting: &'static Setting,
    users: impl IntoIterator<Item = &'u User>,
) -> BTreeSet<String> {
    facts.called(
        setting,
        users.into_iter().map(|user| [user.subject().name, user.name.clone(), user.id.clone()]),
    )
}

/// What an account owns, for the reader of a finding. Lists that cannot be read are said to be unknown.
pub(crate) fn owned(facts: &Facts<'_>, user: &User) -> String {
    let connections = facts.rows::<Connection>(&CONNECTIONS);
    let connections = connections.map(|all| all.iter().filter(|one| one.user_id == user.id).count());
    let actions = facts.rows::<ScheduledAction>(&SCHEDULED_ACTIONS);
    let is_own = |action: &&ScheduledAction| {
        if action.user.id.is_empty() { user.is_named(&action.user.name) } else { action.user.id == user.id }
    };
    let actions = actions.map(|all| all.iter().filter(is_own).count());
    format!("{}, {}", told(connections, "connection"), told(actions, "scheduled action"))
}

fn told(count: Result<usize, Undecided>, noun: &str) -> String {
    match count {
        Ok(1) => format!("1 {noun}"),
        Ok(count) => format!("{count} {noun}s"),
        Err(_) => format!("{noun}s not seen"),
    }
}
