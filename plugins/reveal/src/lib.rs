//! Reveal: its tools on endpoints. Guide section: *Review and remediate Tanium Reveal issues* (monthly).
#![forbid(unsafe_code)]

mod health;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("reveal.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("reveal.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("reveal", "Reveal", env!("CARGO_PKG_VERSION"))
    .about("Sensitive data in files of endpoints.")
    .solutions(&[Solution { name: "Reveal", id: "02-600-0226" }])
    .checks(&[&MAINTENANCE_ROLES, &health::COVERAGE, &health::STATUS, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
