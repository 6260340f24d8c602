//! What lies under the findings of several checks: they stand under it in a report.

use tancheck_plugin_api::prelude::*;

/// What keeps every session from opening, the most basic first.
pub(crate) const BROKEN: &[Cause] = &[
    Cause::check("direct-connect.installed"),
    Cause::check("direct-connect.version-core-platform"),
    Cause::check("direct-connect.service-running"),
    Cause::check("direct-connect.setup-complete"),
    Cause::check("direct-connect.action-group-target"),
];

/// What keeps some sessions from opening, beside that.
pub(crate) const HINDERED: &[Cause] = &[
    Cause::check("direct-connect.version-core-platform"),
    Cause::check("direct-connect.service-running"),
    Cause::check("direct-connect.setup-complete"),
    Cause::check("direct-connect.action-group-target"),
    Cause::check("direct-connect.deploy-tools-action"),
    Cause::check("direct-connect.configure-extension-action"),
    Cause::check("direct-connect.tools-installed"),
    Cause::check("direct-connect.extension-health"),
];
