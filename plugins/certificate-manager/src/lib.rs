//! Certificate Manager: its coverage, and whether it works. Guide section: *Review and remediate Tanium Certificate
//! Manager issues* (monthly). Certificates of the platform itself belong to the plugin `certificates`.
#![forbid(unsafe_code)]

mod coverage;

use tancheck_plugin_api::templates::{maintenance_roles, module_review, support_bundle};
use tancheck_plugin_api::{Check, GuideReference, Plugin, Solution, guide};

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Certificate Manager issues", 19)];

const MAINTENANCE_ROLES: Check = maintenance_roles("certificate-manager.maintenance-roles");
const REVIEW: Check = module_review("certificate-manager.service-review", GUIDE)
    .title("No other Certificate Manager issues are open")
    .related(&["certificate-manager.coverage", "health-check.module-server-connected"]);
const SUPPORT_BUNDLE: Check = support_bundle("certificate-manager.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin =
    Plugin::new("certificate-manager", "Certificate Manager", env!("CARGO_PKG_VERSION"))
        .about("The certificates that endpoints hold, as Certificate Manager sees them.")
        .solutions(&[Solution { name: "Certificate Manager", id: "" }])
        .checks(&[&MAINTENANCE_ROLES, &coverage::COVERAGE, &REVIEW, &SUPPORT_BUNDLE]);

tancheck_plugin_api::export_plugin!(PLUGIN);
