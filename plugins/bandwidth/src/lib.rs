//! Bandwidth throttles. Guide sections: *Review and update global bandwidth throttles* (monthly) and *Review and update
//! site bandwidth throttles* (quarterly).
#![forbid(unsafe_code)]

mod delays;
mod global;
mod inputs;
mod site;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("bandwidth", "Bandwidth throttles", env!("CARGO_PKG_VERSION"))
    .about(
        "How fast the server may send to clients: global and site throttles, and the delays that they cause.",
    )
    .checks(&[
        &delays::GLOBAL,
        &global::LIMITS,
        &global::CONNECTIONS,
        &site::LIMITS,
        &delays::SITE,
        &site::NOT_STRICTER,
        &global::WITHOUT_EFFECT,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
