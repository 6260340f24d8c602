//! tancheck plugin for Tanium Connect, which sends data from the deployment to other systems.
//!
//! It covers these sections of the maintenance guide, one file or folder each: alerts for disconnected clients (p. 9),
//! the failed connections report (p. 9), connection issues (p. 23), schedules and owners (p. 24), destinations (p. 25).
#![forbid(unsafe_code)]

pub mod alerts;
pub mod connections;
mod cron;
pub mod destinations;
pub mod failed_report;
pub mod inputs;
pub mod owners;
pub mod schedules;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

/// Who may carry out most remedies.
const WHO: &str =
    "a user with the Connect role permissions that the Connect User Guide names for editing connections";

const MAINTENANCE_ROLES: Check = maintenance_roles("connect.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("connect.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("connect", "Connect", env!("CARGO_PKG_VERSION"))
    .about("Connections send data to other systems: their runs, owners, schedules and destinations.")
    .solutions(&[Solution { name: "Connect", id: "99-200-0008" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &alerts::DISCONNECTED_CLIENT_ALERT,
        &failed_report::EXISTS,
        &failed_report::LISTENS_TO_BOTH,
        &failed_report::LISTENING,
        &failed_report::AS_AGREED,
        &failed_report::ROUTED,
        &connections::FAILED,
        &connections::REPORT_RECEIVED,
        &connections::PROCESS_EXIT,
        &connections::THROUGHPUT,
        &connections::UNNEEDED,
        &connections::RUN_STUCK,
        &connections::LEFT_VERBOSE,
        &connections::MEMORY_CEILING,
        &schedules::NEXT_RUN,
        &schedules::SCHEDULE_EXPECTED,
        &owners::OWNER_ACTIVE,
        &owners::PERSONA_EXISTS,
        &owners::OWNER_PERMISSIONS,
        &owners::PERSONA_PERMISSIONS,
        &owners::OWNER_PASSWORD_POLICY,
        &destinations::SETTINGS,
        &destinations::REACHABLE,
        &destinations::CERTIFICATE,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
