//! Feed: the guide only points to its troubleshooting chapter. Guide section: *Review and remediate Tanium Feed issues*
//! (monthly).
#![forbid(unsafe_code)]

use tancheck_plugin_api::templates::{maintenance_roles, module_review, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution, guide};

const MAINTENANCE_ROLES: Check = maintenance_roles("feed.maintenance-roles");
const REVIEW: Check =
    module_review("feed.health-review", &[guide("Review and remediate Tanium Feed issues", 28)]);
const SUPPORT_BUNDLE: Check = support_bundle("feed.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("feed", "Feed", env!("CARGO_PKG_VERSION"))
    .about("Messages of the vendor and of modules that the Console shows.")
    .solutions(&[Solution { name: "Feed", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &REVIEW, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
