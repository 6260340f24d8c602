//! What the platform's own routes show of its health, beyond what the maintenance guide asks for. Judged whether Health
//! Check is imported or not.

mod counters;
mod module_load;
mod owners;
mod packages;
mod schedules;
mod servers;
mod trust;

pub(crate) use counters::DATABASE_CONNECTIONS;
pub(crate) use module_load::LOAD_ATTEMPT;
pub(crate) use owners::OWNER_GONE;
pub(crate) use packages::PACKAGE_FILES;
pub(crate) use schedules::SCHEDULE_FAILED;
pub(crate) use servers::{LOCKOUTS, LOG_LEVEL, PEER_HEARTBEAT, SERVER_DISK};
pub(crate) use trust::PENDING_TRUST;

use tancheck_plugin_api::prelude::*;

const SERVER_WHO: &str = "the platform or server administrator";
const SERVER_GUIDE: &str = "Core Platform Deployment Reference Guide: Troubleshoot issues during server deployment or solution operations";

/// What the checks of this folder have in common.
const fn beyond(id: &'static str, severity: Severity) -> Check {
    Check::automated(id).cadence(&[Cadence::Weekly]).severity(severity).even_if_absent().beyond()
}
