//! Health Check: the reports of the Tanium Platform Analyzer (TPAN) and what they find. Guide sections: *Verify TPAN
//! report generation* (setup), *Review and resolve critical and high TPAN findings* (weekly), *Review all TPAN
//! findings* and *Review and remediate Tanium Health Check issues* (monthly). Beyond the guide: what the platform's own routes
//! show of schedules, packages, servers and trust.
#![forbid(unsafe_code)]

mod findings;
mod inputs;
mod installed;
mod module_server;
mod open_findings;
mod platform;
mod reports;
mod service;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("health-check.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("health-check.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("health-check", "Health Check", env!("CARGO_PKG_VERSION"))
    .about("Reports of the Tanium Platform Analyzer (TPAN), their findings, and what the platform itself shows of its health.")
    .solutions(&[Solution { name: "Health Check", id: inputs::HEALTH_CHECK_ID }])
    .checks(&[
        &installed::INSTALLED,
        &MAINTENANCE_ROLES,
        &reports::SCHEDULE,
        &reports::AGE,
        &reports::ARCHIVED,
        &findings::CRITICAL,
        &findings::HIGH,
        &findings::MEDIUM,
        &findings::LOW,
        &open_findings::CRITICAL_HIGH_OPEN,
        &open_findings::DISPOSITIONS,
        &module_server::CONNECTED,
        &service::REVIEW,
        &SUPPORT_BUNDLE,
        &platform::SCHEDULE_FAILED,
        &platform::OWNER_GONE,
        &platform::LOAD_ATTEMPT,
        &platform::PACKAGE_FILES,
        &platform::SERVER_DISK,
        &platform::PEER_HEARTBEAT,
        &platform::PENDING_TRUST,
        &platform::DATABASE_CONNECTIONS,
        &platform::LOG_LEVEL,
        &platform::LOCKOUTS,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
