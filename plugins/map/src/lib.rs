//! Map: who maintains it, and its support bundle. The guide has no monthly section about Map, so there are no conditions
//! of its own.
#![forbid(unsafe_code)]

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("map.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("map.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("map", "Map", env!("CARGO_PKG_VERSION"))
    .about("Applications and the connections between the endpoints that run them.")
    .solutions(&[Solution { name: "Map", id: "03-300-0219" }])
    .checks(&[&MAINTENANCE_ROLES, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
