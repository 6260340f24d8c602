//! Tanium Appliances: what only TanOS shows. Guide sections: *Configure Tanium Appliance monitoring* (setup), *Review
//! Appliance health* (monthly), *Verify the grub key backup* and *Review and update TanOS user accounts* (quarterly).
#![forbid(unsafe_code)]

mod grub;
mod health_check;
mod inputs;
mod monitoring;
mod performance;
mod syslog;
mod users;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("appliance", "Appliance", env!("CARGO_PKG_VERSION"))
    .about(
        "Tanium Appliances: monitoring, the TanOS Health Check, performance, the grub key, and TanOS users.",
    )
    .checks(&[
        &monitoring::IN_PLACE,
        &syslog::ALERTS_TRIAGED,
        &monitoring::ALERTS_CONFIGURED,
        &monitoring::ALERT_EMAIL,
        &monitoring::SYSLOG_FORWARDING,
        &syslog::DELIVERY,
        &monitoring::SNMP,
        &monitoring::SNMP_IDRAC,
        &health_check::RUN,
        &health_check::ACTIONABLE_ITEMS,
        &health_check::EULA_ACCEPTED,
        &health_check::OPERATING_SYSTEM,
        &health_check::HARDWARE,
        &health_check::USERS,
        &health_check::NETWORK,
        &health_check::SERVICES,
        &health_check::APPLICATIONS,
        &health_check::DATABASE_REPLICATION,
        &health_check::RAID_SECURITY,
        &health_check::POSTGRES_SSL,
        &health_check::VIRTUAL_MACHINE,
        &performance::CPU_LOAD,
        &performance::MEMORY_PAGING,
        &performance::MEMORY_UTILIZATION,
        &performance::SWAP,
        &performance::NETWORK_IO,
        &performance::IO_BY_PROCESS,
        &performance::CPU_BY_FUNCTION,
        &performance::PROCESS_DETAIL,
        &grub::BACKUP_EXISTS,
        &grub::BACKUP_CURRENT,
        &grub::OFF_APPLIANCE,
        &users::ACCESS,
        &users::TANADMIN_COUNT,
        &users::AUTH_SETTINGS,
        &users::ROLE_FIT,
        &monitoring::IDRAC_TANREMOTE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
