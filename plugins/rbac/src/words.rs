//! Sections of the guide and sentences that several checks share.

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

pub(crate) const SETUP: GuideReference = guide("Configure RBAC for maintenance tasks", 7);
pub(crate) const RBAC: GuideReference =
    guide("Review and update RBAC permissions and authentication settings", 37);

pub(crate) const WHO: &str = "a Console user with the Administrator reserved role, or with a custom role that holds the \
                              matching permission";
pub(crate) const KEEP_A_LOCAL_ADMINISTRATOR: &str = "Never remove, lock or demote the last local account with the Administrator reserved role, not even as a clean-up: an outage of the external service then locks everybody out.";
pub(crate) const DELETING_STOPS: &str = "Deleting a persona or a user stops the connections and scheduled actions that run as it: look there first.";
pub(crate) const LEAST: &str = "Give the least that the task needs.";

/// A few names, and how many more there are.
pub(crate) fn few<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<&str> = names.iter().take(5).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
