//! What a case at Tanium Support needs before there is one. Guide sections: *Contact Tanium Support* (page 10) and
//! *Review and update backups and the disaster recovery plan* (quarterly).
#![forbid(unsafe_code)]

mod bundles;
mod case;
mod sets;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("support", "Support", env!("CARGO_PKG_VERSION"))
    .about("Support bundles, the facts that a support case needs, and access to the support portal.")
    .checks(&[
        &bundles::SET_AGE,
        &bundles::SET_COMPLETE,
        &bundles::RETENTION,
        &case::FACTS,
        &case::PORTAL_ACCESS,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
