//! What lies under the findings of several checks: they stand under it in a report.

use crate::probe::{MODULE, certificates, ports, tls};
use crate::{presence, setup, versions};
use tancheck_plugin_api::Judge;
use tancheck_plugin_api::prelude::*;

/// A check without which no session opens: its judge, and how bad a finding has to be for that.
pub(crate) struct Base {
    pub(crate) check: &'static str,
    pub(crate) judge: Judge,
    pub(crate) least: Severity,
}

impl Base {
    const fn of(check: &Check, judge: Judge, least: Severity) -> Self {
        Self { check: check.id(), judge, least }
    }
}

/// What every session needs, the most basic first. A certificate counts once it is not good any more.
pub(crate) const BASES: [Base; 12] = [
    Base::of(&presence::INSTALLED, presence::installed, Severity::High),
    Base::of(&versions::VERSION_CORE_PLATFORM, versions::version_core_platform, Severity::High),
    Base::of(&presence::SERVICE_RUNNING, presence::service_running, Severity::High),
    Base::of(&setup::COMPLETE, setup::setup_complete, Severity::High),
    Base::of(&ports::MODULE_PORT, ports::module_port, Severity::High),
    Base::of(&certificates::SERVER_PRESENT, certificates::server_present, Severity::High),
    Base::of(&certificates::SERVER_EXPIRY, certificates::server_expiry, Severity::Critical),
    Base::of(&certificates::CLIENT_PRESENT, certificates::client_present, Severity::High),
    Base::of(&certificates::CLIENT_EXPIRY, certificates::client_expiry, Severity::Critical),
    Base::of(&setup::TARGET, setup::target, Severity::High),
    Base::of(&tls::PROTOCOL, |facts, report| tls::protocol_of(facts, report, INTERNAL), Severity::High),
    Base::of(&tls::SUITES_CHECK, |facts, report| tls::suites_of(facts, report, INTERNAL), Severity::High),
];

/// Zone proxies are not everybody's way, and their listeners have checks of their own.
const INTERNAL: &[&Input] = &[&MODULE];

/// What keeps every session from opening, the most basic first.
pub(crate) const BROKEN: &[Cause] = &of_bases();

/// What keeps some sessions from opening, beside that.
pub(crate) const HINDERED: &[Cause] = &and::<4, { BASES.len() + 4 }>([
    Cause::check("direct-connect.deploy-tools-action"),
    Cause::check("direct-connect.configure-extension-action"),
    Cause::check("direct-connect.tools-installed"),
    Cause::check("direct-connect.extension-health"),
]);

const fn of_bases() -> [Cause; BASES.len()] {
    let mut causes = [Cause::check(""); BASES.len()];
    let mut at = 0;
    while at < causes.len() {
        causes[at] = Cause::check(BASES[at].check).at_least(BASES[at].least);
        at += 1;
    }
    causes
}

const fn and<const MORE: usize, const ALL: usize>(more: [Cause; MORE]) -> [Cause; ALL] {
    let mut causes = [Cause::check(""); ALL];
    let mut at = 0;
    while at < ALL {
        causes[at] = if at < BROKEN.len() { BROKEN[at] } else { more[at - BROKEN.len()] };
        at += 1;
    }
    causes
}
