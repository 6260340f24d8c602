//! Reputation: requests to its sources, its queues, the sources themselves, and whether it works. Guide section:
//! *Review and remediate Tanium Reputation issues* (monthly). Its panels are on a board of Trends.
#![forbid(unsafe_code)]

mod backlog;
mod failed_requests;
mod review;
mod sources;

use tancheck_plugin_api::records::server::{ImportedSolution, SOLUTIONS};
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};
use tancheck_plugin_api::{Check, Facts, GuideReference, Plugin, Solution, Undecided, guide};

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Reputation issues", 32)];
const BOARD: &str = "Modules > Trends > Boards > Reputation";
const WHO: &str = "a user holding the Reputation role permissions named in the Reputation user guide";
const SOURCES_CHAPTER: &str = "Reputation User Guide: Configuring reputation sources";

/// Where its checks about panels apply.
const WITH_TRENDS: &str = "Trends is imported, which has the board Reputation";

/// The board is in Trends: without Trends there is none to look at. Where that cannot be seen, its panels have the word.
fn board_is_there(facts: &Facts<'_>) -> Result<(), Undecided> {
    match facts.rows::<ImportedSolution>(&SOLUTIONS) {
        Ok(all) if !all.iter().any(|solution| solution.is_module("Trends")) => {
            Err(facts.absent(&SOLUTIONS, "Trends is not imported, so there is no board Reputation"))
        }
        _ => Ok(()),
    }
}

const MAINTENANCE_ROLES: Check = maintenance_roles("reputation.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("reputation.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("reputation", "Reputation", env!("CARGO_PKG_VERSION"))
    .about("What sources of reputation say of files that were seen on endpoints.")
    .solutions(&[Solution { name: "Reputation", id: "99-200-0281" }])
    .checks(&[
        &MAINTENANCE_ROLES,
        &failed_requests::FAILED,
        &backlog::BACKLOG,
        &sources::CONFIGURED,
        &review::REVIEW,
        &SUPPORT_BUNDLE,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
