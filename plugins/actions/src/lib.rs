//! Action groups and scheduled actions. Guide sections: *Review and update actions that target No Computers* (weekly)
//! and *Review and update scheduled actions* (quarterly).
#![forbid(unsafe_code)]

mod default_group;
mod failing;
mod inputs;
mod issuers;
mod reissued;
mod review;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("actions", "Actions", env!("CARGO_PKG_VERSION"))
    .about("Scheduled actions and action groups: what is deployed to which endpoints, by whom, and whether it still should be.")
    .checks(&[
        &default_group::MEMBERS,
        &default_group::SCHEDULED_ACTIONS,
        &default_group::TARGET_INTENT,
        &review::SCHEDULED_REVIEW,
        &review::DISABLED,
        &review::DUPLICATE,
        &failing::FAILING,
        &issuers::SERVICE_ACCOUNT_ISSUED,
        &issuers::SOLUTION_ISSUED,
        &issuers::USER_ISSUED_STALE,
        &reissued::NEVER_REISSUED,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
