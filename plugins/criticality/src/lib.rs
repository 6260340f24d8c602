//! Criticality: the guide only points to its troubleshooting chapter. Guide section: *Review and remediate Tanium
//! Criticality issues* (monthly).
#![forbid(unsafe_code)]

use tancheck_plugin_api::templates::{maintenance_roles, module_review, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution, guide};

const MAINTENANCE_ROLES: Check = maintenance_roles("criticality.maintenance-roles");
const REVIEW: Check = module_review(
    "criticality.health-review",
    &[guide("Review and remediate Tanium Criticality issues", 25)],
);
const SUPPORT_BUNDLE: Check = support_bundle("criticality.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("criticality", "Criticality", env!("CARGO_PKG_VERSION"))
    .about("Ratings of how much endpoints and users matter; other modules weigh risk by them.")
    .solutions(&[Solution { name: "Criticality", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &REVIEW, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
