//! Review and remediate connection issues: failures, processes that vanish, throughput, connections nobody needs.

mod failed;
mod process_exit;
mod report_received;
mod resources;
mod throughput;
mod unneeded;

pub use failed::FAILED;
pub use process_exit::PROCESS_EXIT;
pub use report_received::REPORT_RECEIVED;
pub use resources::{LEFT_VERBOSE, MEMORY_CEILING, RUN_STUCK};
pub use throughput::THROUGHPUT;
pub use unneeded::UNNEEDED;

use tancheck_plugin_api::{GuideReference, guide};

const GUIDE: &[GuideReference] = &[guide("Review and remediate connection issues", 23)];
