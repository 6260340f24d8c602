//! Provision: its endpoints, deployments of operating systems, and whether it works. Guide section: *Review and
//! remediate Tanium Provision coverage* (monthly); beyond the guide: actions that retire devices.
#![forbid(unsafe_code)]

mod deployments;
mod endpoints;
mod retirement;

use tancheck_plugin_api::prelude::Setting;
use tancheck_plugin_api::templates::{maintenance_roles, module_review, support_bundle};
use tancheck_plugin_api::{Check, GuideReference, Plugin, Solution, guide};

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Provision coverage", 32)];
const WHO: &str = "a user holding the Provision role permissions named in the Provision user guide";

/// How far back deployments and retirements are looked at.
const RECENT_DAYS: Setting = Setting::integer("recent_days", 30, 1, 366)
    .unit("days")
    .about("how far back deployments and retirement actions are looked at");

/// How long one of them may stay as it is while it runs.
const STUCK_HOURS: Setting = Setting::integer("stuck_hours", 24, 1, 8760)
    .unit("hours")
    .about("how long a deployment or retirement action may run or wait without any change");

const MAINTENANCE_ROLES: Check = maintenance_roles("provision.maintenance-roles");
const REVIEW: Check = module_review("provision.service-review", GUIDE)
    .title("No other Provision issues are open")
    .related(&["provision.retirement", "health-check.module-server-connected"]);
const SUPPORT_BUNDLE: Check = support_bundle("provision.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("provision", "Provision", env!("CARGO_PKG_VERSION"))
    .about("Operating systems that are installed on bare devices, and devices that are retired.")
    .solutions(&[Solution { name: "Provision", id: "" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &endpoints::NOT_RUNNING,
        &endpoints::VERSIONS,
        &deployments::DEPLOYMENTS,
        &retirement::RETIREMENT,
        &REVIEW,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
