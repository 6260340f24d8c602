//! tancheck plugin for Tanium Threat Response, which watches endpoints for attacks.
//! Guide: *Review and remediate Tanium Threat Response issues*, page 33, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod coverage;
mod failures;
mod inputs;
mod other;
mod profiles;
mod tools;

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str =
    "a user holding the Threat Response role permissions named in the Threat Response user guide";
const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Threat Response issues", 33)];

const MAINTENANCE_ROLES: Check = maintenance_roles("threat-response.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("threat-response.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("threat-response", "Threat Response", env!("CARGO_PKG_VERSION"))
    .about("Endpoints watched for attacks: whether the watching works everywhere it should.")
    .solutions(&[Solution { name: "Threat Response", id: "" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &coverage::LOW,
        &profiles::MISSING,
        &profiles::WRONG,
        &failures::DEC,
        &failures::INDEX,
        &failures::RECORDER,
        &failures::STREAM,
        &failures::THREAT_RESPONSE,
        &tools::NONDEFAULT_SETTINGS,
        &tools::TOOLS_VERSIONS,
        &tools::EXTENSION_VERSIONS,
        &tools::DRIVER_VERSION,
        &tools::DRIVER_STATUS,
        &tools::BPF_SUPPORT,
        &other::OTHER_ISSUES,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
