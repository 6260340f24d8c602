//! Interact: whether it and its data service work. Guide section: *Review and remediate Tanium Interact issues*
//! (monthly); beyond the guide: sensors that tancheck's own questions need.
#![forbid(unsafe_code)]

mod review;
mod sensors;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("interact.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("interact.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("interact", "Interact", env!("CARGO_PKG_VERSION"))
    .about("Questions, sensors, and the data service that keeps their answers.")
    .solutions(&[Solution { name: "Interact", id: "01-900-0072" }])
    .checks(&[&MAINTENANCE_ROLES, &review::REVIEW, &sensors::MISSING, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
