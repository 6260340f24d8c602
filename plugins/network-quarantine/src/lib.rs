//! Network Quarantine: who maintains it, and its support bundle. The guide has no monthly section about it, so there are
//! no conditions of its own.
#![forbid(unsafe_code)]

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("network-quarantine.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("network-quarantine.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("network-quarantine", "Network Quarantine", env!("CARGO_PKG_VERSION"))
    .about("Quarantine of endpoints by devices of the network.")
    .solutions(&[Solution { name: "Network Quarantine", id: "99-200-0241" }])
    .checks(&[&MAINTENANCE_ROLES, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
