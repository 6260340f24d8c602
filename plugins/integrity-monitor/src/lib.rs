//! tancheck plugin for Tanium Integrity Monitor, which watches files and registry paths for changes.
//! Guide: *Review and remediate Tanium Integrity Monitor issues*, page 29, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod deployment;
mod health;

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str =
    "a user holding the Integrity Monitor role permissions named in the Integrity Monitor user guide";
const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Integrity Monitor issues", 29)];

const MAINTENANCE_ROLES: Check = maintenance_roles("integrity-monitor.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("integrity-monitor.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("integrity-monitor", "Integrity Monitor", env!("CARGO_PKG_VERSION"))
    .about("Files and registry paths that must not change unseen: whether endpoints watch them.")
    .solutions(&[Solution { name: "Integrity Monitor", id: "04-300-0141" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &health::CLIENT_EXTENSION,
        &health::ENDPOINT_ERRORS,
        &deployment::NOT_DEPLOYED,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
