//! tancheck plugin for Tanium Endpoint Configuration, which brings tools and settings to endpoints.
//! Guide: *Review and remediate tools deployment*, *Verify whether endpoints have the latest manifest* (page 26),
//! *Update the manifest* (27), *Review and update scheduled actions* (39), and what every module has (7, 35).
#![forbid(unsafe_code)]

mod actions;
mod inputs;
mod locked;
mod manifest;
mod tools;
mod updates;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str = "a user holding the Endpoint Configuration role permissions named in the Endpoint Configuration user guide";

const MAINTENANCE_ROLES: Check = maintenance_roles("endpoint-configuration.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("endpoint-configuration.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin =
    Plugin::new("endpoint-configuration", "Endpoint Configuration", env!("CARGO_PKG_VERSION"))
        .about(
            "Tools and settings on endpoints: whether they arrive, and whether what says so is up to date.",
        )
        .solutions(&[Solution { name: "Endpoint Configuration", id: "" }])
        .checks(&[
            &MAINTENANCE_ROLES,
            &tools::STATUS,
            &tools::CONTENT_ONLY,
            &manifest::OUTDATED,
            &locked::LOCKED,
            &locked::OWNER_CONSULTED,
            &updates::FAILED,
            &actions::MANIFEST_ACTIONS,
            &SUPPORT_BUNDLE,
        ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
