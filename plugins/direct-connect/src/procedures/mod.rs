//! What a person does with Direct Connect, step by step: the guide's procedures with the values of the deployment.

mod certificates;
mod install;
mod troubleshoot;
mod uninstall;
mod zone_proxy;

use tancheck_plugin_api::prelude::*;

/// In the order of the guide.
pub(crate) const PROCEDURES: &[&Procedure] = &[
    &install::PREFLIGHT,
    &certificates::RENEW,
    &zone_proxy::INSTALL,
    &zone_proxy::RECREATE,
    &troubleshoot::CONNECTION_TEST,
    &troubleshoot::CONNECTION_TEST_SEARCH,
    &troubleshoot::DIAGNOSE_ENDPOINT,
    &troubleshoot::SUPPORT_PACKAGE,
    &troubleshoot::MAINTENANCE,
    &uninstall::ENDPOINTS,
    &uninstall::SERVER,
];

const ADMINISTRATOR: &str = "a user with the role Direct Connect Administrator";
