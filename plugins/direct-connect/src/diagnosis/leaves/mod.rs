//! The leaves: what is wrong, and what to do about it.

mod action;
mod endpoint;
mod network;
mod zone_proxy;

use tancheck_plugin_api::prelude::*;

pub(super) const LEAVES: &[Leaf] = &[
    endpoint::FIX_MODULE_FIRST,
    endpoint::NOT_FOUND,
    endpoint::AMBIGUOUS,
    endpoint::UNSUPPORTED,
    endpoint::CLIENT_TOO_OLD,
    endpoint::LOCK_BLOCKS,
    endpoint::MAY_BE_STALE,
    endpoint::HEALTHY,
    action::NEVER_CREATED,
    action::UNDER_WAY,
    action::NOT_IN_GROUP,
    action::TOOLS_ACTION_RESTS,
    action::TOOLS_NOT_INSTALLED,
    action::TAKES_NO_ACTIONS,
    action::NOT_LOADED,
    action::CONFIGURATION_OLD,
    action::SILENT,
    network::NO_NAME,
    network::NOTHING_LISTENS,
    network::FILTERED,
    network::WRONG_SERVICE,
    network::CERTIFICATE_DATES,
    network::INTERCEPTED,
    network::NO_COMMON_SUITE,
    zone_proxy::DOWN,
    zone_proxy::UNREACHABLE,
    zone_proxy::BALANCER,
    zone_proxy::ESCALATE,
];

const ADMINISTRATOR: &str = "a user with the role Direct Connect Administrator";
const NETWORK: &str = "the network team, with a user with the role Direct Connect Administrator";
const GUIDE: &[&str] = &["Direct Connect User Guide 1.5.12: Troubleshoot endpoint connection issues"];

const RETRY: Step =
    Step::console("Direct Connect > Home > Connection Test", "test the connection to {subject} again");
