//! Subnets in which clients peer. Guide sections: *Check the endpoint leader percentage* and *Check the endpoint count*
//! (weekly, as far as subnets appear, vanish or shift), and *Review and update Tanium Client subnets* (monthly).
#![forbid(unsafe_code)]

mod appearance;
mod census;
mod inputs;
mod intentional;
mod isolated;
mod overlap;
mod separated;
mod stale;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("subnets", "Subnets", env!("CARGO_PKG_VERSION"))
    .about("Where clients are in the network: isolated, separated and intentional subnets, and subnets that appear or vanish.")
    .checks(&[
        &appearance::NEW,
        &appearance::NEW_AUTHORIZED,
        &appearance::LOST,
        &appearance::VPN_SHARE_SHIFT,
        &isolated::NONE_DEFINED,
        &isolated::VPN_MISSING,
        &stale::ISOLATED_STALE,
        &isolated::REVIEW,
        &separated::MISSING,
        &separated::REVIEW,
        &intentional::MISSING,
        &stale::INTENTIONAL_STALE,
        &intentional::REVIEW,
        &overlap::OVERLAP,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
