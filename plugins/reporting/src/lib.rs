//! Reporting: whether it works, and whether the predefined reports that other checks rest on are there. Guide sections:
//! *Review and remediate Tanium Reporting issues* (monthly), and the sections that send the reader to a report; beyond
//! the guide: whether these reports have results.
#![forbid(unsafe_code)]

mod required;
mod results;
mod review;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

/// A predefined report to which the guide sends the reader, and the module that brings it.
struct Predefined {
    name: &'static str,
    module: &'static str,
}

const PREDEFINED: [Predefined; 3] = [
    Predefined { name: NAMES[0], module: "Deploy" },
    Predefined { name: NAMES[1], module: "Deploy" },
    Predefined { name: NAMES[2], module: "Patch" },
];

const NAMES: &[&str] = &[
    "Deploy - Endpoint Deployment Process Running",
    "Deploy - Coverage Status Details",
    "Patch Coverage Status",
];

const WHO: &str = "a user holding the Reporting role permissions named in the Reporting user guide";

const MAINTENANCE_ROLES: Check = maintenance_roles("reporting.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("reporting.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("reporting", "Reporting", env!("CARGO_PKG_VERSION"))
    .about("Reports over what endpoints and modules know.")
    .solutions(&[Solution { name: "Reporting", id: "" }])
    .checks(&[&MAINTENANCE_ROLES, &required::REQUIRED, &results::ERRORS, &review::REVIEW, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
