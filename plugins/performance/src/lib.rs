//! tancheck plugin for Tanium Performance, which watches how endpoints perform.
//! Guide: *Review and remediate Tanium Performance coverage*, page 31, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod configured;
mod coverage;
mod profiles;

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str = "a user holding the Performance role permissions named in the Performance user guide";
const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Performance coverage", 31)];
const DASHBOARD: &str = "Modules > Performance > Overview";

const MAINTENANCE_ROLES: Check = maintenance_roles("performance.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("performance.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("performance", "Performance", env!("CARGO_PKG_VERSION"))
    .about("How endpoints perform: whether they are watched, and by the right profiles.")
    .solutions(&[Solution { name: "Performance", id: "" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &coverage::NEEDS_ATTENTION,
        &coverage::UNSUPPORTED,
        &profiles::ACTIVE_STATUS,
        &profiles::CONFIG_REVIEW,
        &profiles::APPLIED,
        &configured::NOT_CONFIGURED,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
