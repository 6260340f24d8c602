//! tancheck plugin for Tanium Discover, which finds what is on the network.
//! Guide: *Configure alerts for disconnected Tanium Clients* (page 9), *Check the endpoint count* (12), *Review and
//! remediate Tanium Discover issues* (26), and what every module has (7, 35).
#![forbid(unsafe_code)]

mod audit;
mod inputs;
mod label;
mod lost;
mod resources;
mod unmanaged;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str = "a user holding the Discover role permissions named in the Discover user guide";

/// The label of endpoints that had the client and have it no more.
const LABEL_NAME: Setting = Setting::text("label_name", Some("Disconnected"))
    .about("the Discover label of endpoints that were managed and are not managed now");

const MAINTENANCE_ROLES: Check = maintenance_roles("discover.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("discover.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("discover", "Discover", env!("CARGO_PKG_VERSION"))
    .about("What is on the network: whether endpoints that lost the client are noticed.")
    .solutions(&[Solution { name: "Discover", id: "99-300-0047" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &audit::CLIENT_AUDIT_PROFILE,
        &label::DISCONNECTED_LABEL,
        &unmanaged::UNMANAGED_ENDPOINTS,
        &lost::LOST_MANAGED,
        &resources::RESOURCE_USAGE,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
