//! tancheck plugin for Client Management: the Tanium Client on endpoints.
//! Guide: disconnected clients (page 9), leader percentage (11), endpoint count and licence (12), client extensions
//! (19), registration and logging levels (20), settings and versions (21), and what every module has (7, 35).
#![forbid(unsafe_code)]

mod client_settings;
mod console;
mod endpoint_count;
mod extensions;
mod inputs;
mod leaders;
mod log_levels;
mod registration;
mod setup;
mod spread;
mod trust;
mod versions;
mod weeks;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const MAINTENANCE_ROLES: Check = maintenance_roles("client-management.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("client-management.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("client-management", "Client Management", env!("CARGO_PKG_VERSION"))
    .about("The Tanium Client on endpoints: how many there are, whether they are well, and how they are set")
    .solutions(&[Solution { name: "Client Management", id: "" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &setup::AUTO_REDEPLOY,
        &leaders::RECORDED,
        &leaders::CHANGED,
        &endpoint_count::RECORDED,
        &endpoint_count::LOW,
        &endpoint_count::HIGH,
        &endpoint_count::AUTHORIZED,
        &endpoint_count::RETENTION_KNOWN,
        &endpoint_count::EXCEEDED,
        &endpoint_count::HEADROOM,
        &extensions::INDEX,
        &extensions::RECORDER,
        &extensions::OTHER,
        &registration::LISTS,
        &registration::SINGLE,
        &registration::BALANCE,
        &registration::ENOUGH,
        &log_levels::DEFAULT,
        &log_levels::SENSITIVE,
        &log_levels::VDI,
        &log_levels::CONTAINERS,
        &client_settings::VALUES,
        &client_settings::COUNTS,
        &versions::OUTDATED,
        &versions::VERSION_ACCEPTED,
        &versions::FAILED,
        &trust::KEYS,
        &trust::CANNOT_REGISTER,
        &trust::TLS,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
