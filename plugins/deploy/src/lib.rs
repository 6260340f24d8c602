//! Tanium Deploy, which installs, updates and removes software. Guide sections: *Review Tanium Deploy metrics* (weekly,
//! p. 14), *Review and remediate Tanium Deploy issues* (monthly, p. 25), *Review and update custom action groups for
//! Deploy* (quarterly, p. 41), *Review and update Deploy self-service profiles* (semi-annual, p. 42).
#![forbid(unsafe_code)]

mod action_groups;
mod automatic;
mod coverage;
mod deployments;
mod inputs;
mod metrics;
mod packages;
mod self_service;
mod trend;

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

/// Who may carry out most remedies.
const WHO: &str = "a user with the role permissions that the Deploy User Guide names for the task";

const MAINTENANCE_ROLES: Check = maintenance_roles("deploy.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("deploy.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("deploy", "Deploy", env!("CARGO_PKG_VERSION"))
    .about("Software packages, deployments and self service: what is kept and deployed without need, what fails, and which endpoints Deploy does not reach.")
    .solutions(&[Solution { name: "Deploy", id: "03-400-0220" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &metrics::COVERAGE,
        &metrics::MISSING_UPDATES,
        &metrics::MEAN_TIME,
        &metrics::SELF_SERVICE,
        &coverage::PROCESS_NOT_RUNNING,
        &coverage::NEEDS_ATTENTION,
        &packages::SUPERSEDED,
        &packages::UNUSED,
        &packages::FILE_SYNC,
        &deployments::UNNEEDED,
        &automatic::NEEDS_ATTENTION,
        &SUPPORT_BUNDLE,
        &action_groups::TARGETS,
        &action_groups::CUSTOM,
        &self_service::PROFILES_SUCCEEDED,
        &self_service::FAILURES,
        &self_service::REVIEW,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
