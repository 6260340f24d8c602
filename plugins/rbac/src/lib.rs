//! RBAC: roles, user groups, personas and computer groups; who holds what, and who answers for which task. Guide
//! sections: *Configure RBAC for maintenance tasks* (setup), *Review and update RBAC permissions and authentication
//! settings* (quarterly), *Review and update tags* and *Review and update custom tags* (quarterly).
#![forbid(unsafe_code)]

mod hardening;
mod holdings;
mod local;
mod needs;
mod owners;
mod profiles;
mod review;
mod stale;
mod tags;
mod words;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("rbac", "RBAC", env!("CARGO_PKG_VERSION"))
    .about("Roles, user groups, personas and computer groups: who may do what, who answers for which task, and who may sign in without the external service.")
    .checks(&[
        &owners::MAINTENANCE_OWNERS,
        &owners::OWNER_ASSIGNMENTS,
        &tags::GROUP_PERMISSIONS,
        &tags::OPERATOR_SCOPE,
        &review::EFFECTIVE_PERMISSIONS,
        &review::SAMPLE,
        &profiles::EXCESS,
        &profiles::MISSING,
        &stale::STALE_OBJECTS,
        &local::LOCAL_AUTH_USERS,
        &local::LOCAL_ADMIN_ACCOUNT,
        &review::API_AUTH,
        &hardening::HARDENING,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
