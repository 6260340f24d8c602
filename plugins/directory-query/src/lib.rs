//! Directory Query: errors of its domains. Guide section: *Review and remediate Tanium Directory Query issues*
//! (monthly). The LDAP synchronization of the Console is another feature, and is not looked at here.
#![forbid(unsafe_code)]

mod domains;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("directory-query.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("directory-query.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("directory-query", "Directory Query", env!("CARGO_PKG_VERSION"))
    .about("Queries of directories of users and computers, by way of satellites.")
    .solutions(&[Solution { name: "Directory Query", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &domains::ERRORS, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
