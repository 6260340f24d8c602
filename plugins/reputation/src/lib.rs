//! Reputation: requests to its sources, its queues, the sources themselves, and whether it works. Guide section:
//! *Review and remediate Tanium Reputation issues* (monthly). Its panels are on a board of Trends.
#![forbid(unsafe_code)]

mod backlog;
mod failed_requests;
mod review;
mod sources;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, GuideReference, Plugin, Solution, guide};

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Reputation issues", 32)];
const BOARD: &str = "Modules > Trends > Boards > Reputation";
const WHO: &str = "a user holding the Reputation role permissions named in the Reputation user guide";
const SOURCES_CHAPTER: &str = "Reputation User Guide: Configuring reputation sources";

const MAINTENANCE_ROLES: Check = maintenance_roles("reputation.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("reputation.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("reputation", "Reputation", env!("CARGO_PKG_VERSION"))
    .about("What sources of reputation say of files that were seen on endpoints.")
    .solutions(&[Solution { name: "Reputation", id: "99-200-0281" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &failed_requests::FAILED,
        &backlog::BACKLOG,
        &sources::CONFIGURED,
        &review::REVIEW,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
