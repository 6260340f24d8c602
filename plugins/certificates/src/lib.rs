//! TLS certificates of Console, API, Module Server and solution services, and the root keys of the clients. Guide
//! sections: *Rotate certificates for Tanium Console, Module Server, and API access* (as needed), *Review all TPAN
//! findings* (monthly). Not to be confused with the module Certificate Manager.
#![forbid(unsafe_code)]

mod console;
mod inputs;
mod keys;
mod presented;
mod rotation;
mod services;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("certificates", "Certificates", env!("CARGO_PKG_VERSION"))
    .about("TLS certificates of Console, API, Module Server and solution services, and the root keys of the clients: expiry, age, keys.")
    .checks(&[
        &console::ROTATION,
        &console::SELF_SIGNED,
        &services::MODULE_SERVER,
        &services::SOLUTION_SERVICES,
        &rotation::ATTESTED,
        &keys::MISMATCH,
        &keys::ROOT_EXPIRY,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
