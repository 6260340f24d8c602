//! Backups and disaster recovery. Guide sections: *Back up your deployment* (setup), *Review and update backups and the
//! disaster recovery plan* (quarterly), *Test a planned failover* and *Test disaster recovery* (annual).
#![forbid(unsafe_code)]

mod copies;
mod drills;
mod inputs;
mod inventory;
mod plan;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("backup", "Backup", env!("CARGO_PKG_VERSION"))
    .about("Backups of the Core Platform servers and databases, the disaster recovery plan, and whether both were tried out.")
    .checks(&[
        &plan::EXISTS,
        &copies::CORE_SERVERS,
        &copies::DATABASES,
        &copies::SAFE_LOCATION,
        &plan::CURRENT,
        &plan::COVERS_SERVERS,
        &drills::FAILOVER,
        &drills::FAILBACK,
        &drills::RESTORE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
