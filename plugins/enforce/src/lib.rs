//! tancheck plugin for Tanium Enforce, which enforces policies on endpoints.
//! Guide: *Review and remediate Tanium Enforce coverage*, page 28, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod tools;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const MAINTENANCE_ROLES: Check = maintenance_roles("enforce.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("enforce.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("enforce", "Enforce", env!("CARGO_PKG_VERSION"))
    .about("Policies on endpoints: whether the tools that enforce them are there and active.")
    .solutions(&[Solution { name: "Enforce", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &tools::MISSING, &tools::INACTIVE, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
