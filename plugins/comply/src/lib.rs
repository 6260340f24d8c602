//! Tanium Comply, which scans endpoints for weaknesses. Guide sections: *Review and remediate Tanium Comply issues*
//! (monthly, p. 23) and *Review and update Comply assessments* (quarterly, p. 40).
#![forbid(unsafe_code)]

mod assessments;
mod distribution;
mod exceptions;
mod health;
mod inputs;
mod notifications;
mod stale;
mod standards;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

/// Who may carry out most remedies.
const WHO: &str = "a user with the role permissions that the Comply User Guide names for the task";
/// The section of the guide about assessments, and its page.
const ASSESSMENTS: &[tancheck_plugin_api::GuideReference] =
    &[guide("Review and update Comply assessments", 40)];

const MAINTENANCE_ROLES: Check = maintenance_roles("comply.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("comply.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("comply", "Comply", env!("CARGO_PKG_VERSION"))
    .about("Assessments and their standards, errors of scans and tools on endpoints, and what Comply itself complains of.")
    .solutions(&[Solution { name: "Comply", id: "04-200-0103" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &health::TOOLS_OUTDATED,
        &health::SCAN_FAILURES,
        &health::DISK_SPACE,
        &health::OTHER,
        &notifications::NOTIFICATIONS,
        &SUPPORT_BUNDLE,
        &assessments::REVIEW,
        &assessments::ERRORS,
        &assessments::WARNINGS,
        &assessments::SCAN_ERRORS,
        &distribution::DISTRIBUTION,
        &standards::STANDARD_OUTDATED,
        &stale::ON_ENDPOINTS,
        &stale::INTERVAL_AGREED,
        &exceptions::EXPIRED,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
