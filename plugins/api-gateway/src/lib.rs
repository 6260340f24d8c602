//! API Gateway and API tokens: does the Gateway answer, do integrations use what is about to disappear, and which tokens
//! are expired, due or left behind. Guide section: *Review and remediate Tanium API Gateway issues* (monthly).
#![forbid(unsafe_code)]

mod deprecated;
mod exposure;
mod members;
mod query;
mod service;
mod tokens;

use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Plugin, Solution};

const MAINTENANCE_ROLES: Check = maintenance_roles("api-gateway.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("api-gateway.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("api-gateway", "API Gateway", env!("CARGO_PKG_VERSION"))
    .about("The API Gateway, the queries that integrations send to it, and the API tokens that they sign in with.")
    // The vendor's documents do not tell the solution's id.
    .solutions(&[Solution { name: "API Gateway", id: "" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &tokens::EXPIRED,
        &tokens::ROTATION_DUE,
        &tokens::UNNEEDED,
        &exposure::EXPOSURE,
        &deprecated::DEPRECATED_FIELDS,
        &service::REVIEW,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
