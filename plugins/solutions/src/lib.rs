//! Solutions: modules, shared services and content. Guide section: *Review and import solution updates* (monthly).
#![forbid(unsafe_code)]

mod deferrals;
mod inputs;
mod licence;
mod updates;
mod versions;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("solutions", "Solutions", env!("CARGO_PKG_VERSION"))
    .about("Updates of modules, shared services and content: which wait, which were put off, and what the licence still covers.")
    .checks(&[
        &updates::MODULES,
        &updates::CONTENT,
        &deferrals::RECORDED,
        &deferrals::LAB_TESTED,
        &licence::EXPIRY,
        &versions::DISAGREE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
