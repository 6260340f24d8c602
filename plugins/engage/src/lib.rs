//! Engage: the guide only points to its troubleshooting chapter. Guide section: *Review and remediate Tanium Engage
//! issues* (monthly).
#![forbid(unsafe_code)]

use tancheck_plugin_api::templates::{maintenance_roles, module_review, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution, guide};

const MAINTENANCE_ROLES: Check = maintenance_roles("engage.maintenance-roles");
const REVIEW: Check =
    module_review("engage.health-review", &[guide("Review and remediate Tanium Engage issues", 28)]);
const SUPPORT_BUNDLE: Check = support_bundle("engage.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("engage", "Engage", env!("CARGO_PKG_VERSION"))
    .about("Surveys and messages to the people who use the endpoints.")
    .solutions(&[Solution { name: "Engage", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &REVIEW, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
