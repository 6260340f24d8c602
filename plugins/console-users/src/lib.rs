//! Console users: accounts, lock-outs, last sign-in, and synchronization with LDAP. Guide sections: *Review and update
//! Console user accounts* (quarterly), *Review and update RBAC permissions and authentication settings* (quarterly).
#![forbid(unsafe_code)]

mod accounts;
mod expected;
mod inputs;
mod ldap;
mod sign_in;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("console-users", "Console Users", env!("CARGO_PKG_VERSION"))
    .about("Accounts of the Console: who has one and should not, who should have one and has not, and whether LDAP synchronization works.")
    .checks(&[
        &expected::MISSING_REMOTE,
        &expected::MISSING_LOCAL,
        &ldap::SYNC,
        &ldap::PAUSED,
        &accounts::DEPARTED,
        &accounts::LOCKED_OUT,
        &sign_in::STALE,
        &sign_in::AUTH_SERVICE,
        &sign_in::RBAC_FIT,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
