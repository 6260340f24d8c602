//! tancheck plugin for Tanium Direct Connect, which opens sessions to single endpoints.
//! Guide: *Review and remediate Tanium Direct Connect issues*, page 26, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod actions;
mod connections;
mod screen_sharing;

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str = "a user holding the Direct Connect role permissions named in the Direct Connect user guide";
const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Direct Connect issues", 26)];

/// What the module's own guide says of endpoints that do not connect, beside the maintenance guide.
const TROUBLESHOOTING: &[GuideReference] =
    &[GUIDE[0], user_guide("Troubleshoot endpoint connection issues", 27)];

/// A place in the module's own guide, of the version that these checks were written for.
const fn user_guide(section: &'static str, page: u16) -> GuideReference {
    guide(section, page).of("Direct Connect User Guide 1.5.12")
}

/// How long a review is good for.
const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody looks for connection and screen sharing issues")
    .from_guide();

const MAINTENANCE_ROLES: Check = maintenance_roles("direct-connect.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("direct-connect.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("direct-connect", "Direct Connect", env!("CARGO_PKG_VERSION"))
    .about("Sessions to single endpoints: whether they open.")
    .solutions(&[Solution { name: "Direct Connect", id: "" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &connections::CONNECTIONS,
        &screen_sharing::SCREEN_SHARING,
        &actions::ACTIONS,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
