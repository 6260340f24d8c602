//! tancheck plugin for Tanium Impact, which shows what an attacker could reach from an endpoint.
//! Guide: *Review and remediate Tanium Impact coverage*, page 29, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod coverage;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const MAINTENANCE_ROLES: Check = maintenance_roles("impact.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("impact.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("impact", "Impact", env!("CARGO_PKG_VERSION"))
    .about("What an attacker could reach from an endpoint: whether endpoints can tell it.")
    .solutions(&[Solution { name: "Impact", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &coverage::NEEDS_ATTENTION, &coverage::UNSUPPORTED, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
