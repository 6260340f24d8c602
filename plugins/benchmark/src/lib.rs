//! Benchmark: the health of the risk score. Guide section: *Review and remediate Tanium Benchmark issues* (monthly).
#![forbid(unsafe_code)]

mod risk_health;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("benchmark.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("benchmark.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("benchmark", "Benchmark", env!("CARGO_PKG_VERSION"))
    .about("The risk score of endpoints, compared with others.")
    .solutions(&[Solution { name: "Benchmark", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &risk_health::COVERAGE, &risk_health::VECTORS, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
