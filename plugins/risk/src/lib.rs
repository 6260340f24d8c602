//! Risk: who maintains it, and its support bundle. Its panels are looked at by the plugin of Benchmark, under which the
//! guide lists them.
#![forbid(unsafe_code)]

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("risk.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("risk.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("risk", "Risk", env!("CARGO_PKG_VERSION"))
    .about("The risk score of endpoints; its panels belong to Benchmark.")
    .solutions(&[Solution { name: "Risk", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
