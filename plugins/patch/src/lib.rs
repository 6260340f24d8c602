//! tancheck plugin for Tanium Patch, which scans endpoints for missing patches and installs them.
//!
//! Guide sections, one file or folder each: Patch coverage, scan configurations, deployments (p. 30), maintenance windows
//! (p. 31), custom action groups (p. 41), block lists (p. 44). `service` holds what the guide does not ask for.
#![forbid(unsafe_code)]

mod action_groups;
mod block_lists;
mod boards;
mod coverage;
mod deployments;
mod inputs;
mod scans;
mod service;
mod windows;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

/// Who may carry out most remedies.
const WHO: &str = "a user with the Patch role permissions that the Patch User Guide names for the task";

const MAINTENANCE_ROLES: Check = maintenance_roles("patch.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("patch.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("patch", "Patch", env!("CARGO_PKG_VERSION"))
    .about("Patch scans endpoints and installs patches: its coverage, scans, deployments, windows and block lists.")
    .solutions(&[Solution { name: "Patch", id: "03-100-0030" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &coverage::NOT_RUNNING,
        &coverage::ERROR,
        &coverage::NEEDS_ATTENTION,
        &scans::DAYS_SINCE,
        &scans::ERRORS,
        &scans::CONFORMS,
        &scans::OBSOLETE,
        &scans::PRODUCTS,
        &scans::DELAY,
        &boards::SUMMARY,
        &boards::MISSING,
        &boards::SLA,
        &deployments::ERRORS,
        &deployments::FRAGMENTED,
        &deployments::MISCONFIGURED,
        &deployments::OBSOLETE,
        &deployments::UNINITIALIZED,
        &deployments::TARGET_DELETED,
        &windows::NONE,
        &windows::UNENFORCED,
        &windows::EXPIRED,
        &windows::MISCONFIGURED,
        &windows::CRITICAL_MISSING,
        &action_groups::TARGETS,
        &action_groups::CUSTOM,
        &action_groups::START_PROCESS,
        &block_lists::UNENFORCED,
        &block_lists::OLD_VERSION,
        &block_lists::NO_TARGET,
        &block_lists::REVIEW,
        &service::ALERTS_RAISED,
        &service::JOB_FAILED,
        &service::UUP_UPDATE,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
