//! What these checks read, and the words they share.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ScheduleStatus, ScheduledAction};

/// The last modification of each scheduled action. `GET /api/v2/audit_logs/{type}` without an id returns the newest
/// entry of each object.
pub(crate) const LAST_CHANGES: Input =
    Input::new("actions.last-changes", "the last modification of each scheduled action").sources(&[
        Source::rest("/api/v2/audit_logs/saved_actions_audit").rows_under("entries").needs(&["read audit"]),
    ]);

/// When each disabled action was seen disabled in earlier runs.
pub(crate) const SEEN_DISABLED: Input =
    Input::new("actions.seen-disabled", "when disabled actions were first seen disabled")
        .sources(&[Source::history("actions.disabled.*", 800)]);

/// Solution-issued actions that earlier runs saw.
pub(crate) const SEEN_ISSUED: Input =
    Input::new("actions.seen-issued", "solution-issued actions that earlier runs saw")
        .sources(&[Source::history("actions.solution-issued.*", 180)]);

/// Scheduled actions with the results of the action they issued last.
pub(crate) const LAST_RESULTS: Input =
    Input::new("actions.last-results", "results of the action that each scheduled action issued last")
        .sources(&[
            Source::gateway("scheduledActions", LAST_RESULTS_QUERY).needs(&["gateway use api"]),
            Source::export(
                "action-history.csv",
                "Administration > Actions > Action History",
                "export the last action of each scheduled action with these columns",
                &[
                    "Action ID",
                    "Name",
                    "Scheduled Action",
                    "Start",
                    "Expiration",
                    "Completed",
                    "Failed",
                    "Expired",
                ],
            ),
        ]);

const LAST_RESULTS_QUERY: &str = "\
query TancheckLastActionResults($after: Cursor) {
  scheduledActions(first: 200, after: $after) {
    edges { node {
      id name status
      lastAction {
        id status expirationTime
        results { completed failed expired failedVerification running waiting downloading waitingToRetry }
      }
    } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// Accounts that solution services use to issue actions.
pub(crate) const SERVICE_ISSUERS: Setting = Setting::list("service_issuers", &["Administrator", "tanium"])
    .about("accounts that solution services and content imports use to issue actions")
    .from_guide();

/// Issuers that are solutions.
pub(crate) const SOLUTION_ISSUER_PATTERNS: Setting = Setting::list("solution_issuer_patterns", &[])
    .about("beginnings of the names of issuers or actions that belong to a solution, such as \"Endpoint Configuration\"");

/// An entry of the audit log.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Change {
    /// The scheduled action.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) object_id: String,
    /// When it was changed.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) modification_time: Option<Timestamp>,
}

/// Who stands behind a scheduled action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// An account that services and content imports share.
    ServiceAccount,
    /// A solution.
    Solution,
    /// A person.
    Person,
}

/// Who stands behind an action, by the site's two lists.
pub(crate) fn issuer(facts: &Facts<'_>, action: &ScheduledAction) -> Issuer {
    let account = action.user.name.rsplit('\\').next().unwrap_or_default();
    if facts.list(&SERVICE_ISSUERS).iter().any(|name| name.eq_ignore_ascii_case(account)) {
        return Issuer::ServiceAccount;
    }
    let begins = |text: &str, pattern: &str| text.to_lowercase().starts_with(&pattern.to_lowercase());
    let patterns = facts.list(&SOLUTION_ISSUER_PATTERNS);
    if patterns.iter().any(|pattern| begins(account, pattern) || begins(&action.name, pattern)) {
        return Issuer::Solution;
    }
    Issuer::Person
}

/// An action's status; an unknown word is no reason to guess.
pub(crate) fn status(action: &ScheduledAction) -> Result<ScheduleStatus, Undecided> {
    action.status().ok_or_else(|| {
        Undecided::not_evaluated(format!(
            "the scheduled action {} ({}) has the unknown status {:?}",
            action.name, action.id, action.status
        ))
    })
}

/// The subject of a finding about a scheduled action.
pub(crate) fn subject(action: &ScheduledAction) -> Subject {
    Subject::new("scheduled action", &action.id, &action.name)
}

/// Whether an action is assigned to the action group Default.
pub(crate) fn is_on_default(action: &ScheduledAction) -> bool {
    action.action_group.name.eq_ignore_ascii_case("Default")
}
