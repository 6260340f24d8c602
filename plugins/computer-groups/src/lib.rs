//! Computer groups. Guide section: *Delete unnecessary computer groups* (quarterly).
#![forbid(unsafe_code)]

mod duplicate;
mod inputs;
mod temporary;
mod unused;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("computer-groups", "Computer groups", env!("CARGO_PKG_VERSION"))
    .about("Computer management groups and filter groups: which are used, which are there twice, which were left behind.")
    .checks(&[&unused::UNUSED, &duplicate::DUPLICATE, &temporary::TEMPORARY, &inputs::REVIEW]);

tancheck_plugin_api::export_plugin!(PLUGIN);
