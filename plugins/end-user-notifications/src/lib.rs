//! End-User Notifications: its tools on endpoints. Guide section: *Review and remediate Tanium End-User Notifications
//! coverage* (monthly).
#![forbid(unsafe_code)]

mod coverage;
mod versions;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, GuideReference, Plugin, Solution, guide};

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium End-User Notifications coverage", 28)];
const DASHBOARD: &str = "Administration > Shared Services > End-User Notifications";
const CHAPTER: &str = "End-User Notifications User Guide: Problem: End user notifications are not displayed";
const WHO: &str = "a user holding the End-User Notifications role permissions named in the End-User Notifications user guide";
const COLUMNS: &[&str] =
    &["Computer Name", "Operating System", "IP Address", "Tools Status", "Tools Version"];

const MAINTENANCE_ROLES: Check = maintenance_roles("end-user-notifications.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("end-user-notifications.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin =
    Plugin::new("end-user-notifications", "End-User Notifications", env!("CARGO_PKG_VERSION"))
        .about("Messages of other modules to the people who use the endpoints.")
        .solutions(&[Solution { name: "End-User Notifications", id: "03-100-0031" }])
        .checks(&[
            &MAINTENANCE_ROLES,
            &coverage::MISSING,
            &coverage::UNSUPPORTED,
            &versions::OUTDATED,
            &SUPPORT_BUNDLE,
        ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
