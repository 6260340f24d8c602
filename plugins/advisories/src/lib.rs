//! Security advisories. Guide section: *Review Tanium security advisories* (monthly).
#![forbid(unsafe_code)]

mod affected;
mod review;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("advisories", "Security advisories", env!("CARGO_PKG_VERSION"))
    .about("The vendor's security advisories: whether they were read, and whether what is installed is affected.")
    .checks(&[&review::REVIEW, &affected::AFFECTED, &affected::MITIGATION, &review::ACCOUNT]);

tancheck_plugin_api::export_plugin!(PLUGIN);
