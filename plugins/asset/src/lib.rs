//! tancheck plugin for Tanium Asset, the inventory of hardware and software.
//! Guide: *Review and remediate Tanium Asset issues*, page 18, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod api;
mod reports;
mod schedules;
mod sources;
mod state;
mod views;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str = "a user holding the Asset role permissions named in the Asset user guide";

const MAINTENANCE_ROLES: Check = maintenance_roles("asset.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("asset.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("asset", "Asset", env!("CARGO_PKG_VERSION"))
    .about("The inventory of hardware and software: whether its imports and exports run, and whether reports and views still show what they should.")
    .solutions(&[Solution { name: "Asset", id: "03-200-0204" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &sources::IMPORT_FAILED,
        &sources::LOAD_TIME,
        &schedules::TRACE_LEFT_ON,
        &schedules::RECENT_JOBS,
        &schedules::IMPORTS,
        &schedules::EXPORTS,
        &reports::DISABLED,
        &reports::ATTRIBUTES,
        &reports::TIMEOUT,
        &views::DISABLED,
        &views::ATTRIBUTES,
        &api::DOWN,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
