//! Trends: whether it works, and whether the boards that other checks rest on are there. Guide sections: *Review and
//! remediate Tanium Trends issues* (monthly), and the sections that send the reader to a board.
#![forbid(unsafe_code)]

mod boards;

use tancheck_plugin_api::templates::{maintenance_roles, module_review, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution, guide};

const MAINTENANCE_ROLES: Check = maintenance_roles("trends.maintenance-roles");
const REVIEW: Check =
    module_review("trends.health-review", &[guide("Review and remediate Tanium Trends issues", 34)])
        .related(&["trends.required-boards", "health-check.module-server-connected"]);
const SUPPORT_BUNDLE: Check = support_bundle("trends.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("trends", "Trends", env!("CARGO_PKG_VERSION"))
    .about("Boards and panels that show how values develop over time.")
    .solutions(&[Solution { name: "Trends", id: "01-890-0107" }])
    .checks(&[&MAINTENANCE_ROLES, &REVIEW, &boards::REQUIRED, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
