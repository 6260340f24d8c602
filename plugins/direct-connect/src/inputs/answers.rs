//! What only the Console shows: values that a person reads off.

use tancheck_plugin_api::prelude::*;

/// The module's own word about its version.
pub(crate) const INFO_VERSION: Input = Input::new(
    "direct-connect.info-version",
    "version that the module shows",
)
.sources(&[Source::answer(
    "which version does the Info icon of the Direct Connect home page show, after the browser was refreshed",
    Accepts::Text,
    90,
)]);

/// How the module was imported.
pub(crate) const INSTALL_MODE: Input = Input::new(
    "direct-connect.install-mode",
    "how Direct Connect was imported",
)
.sources(&[Source::answer(
    "was Direct Connect imported with Apply Tanium recommended configurations (default) or without (custom)",
    Accepts::Choice(&["default", "custom"]),
    1830,
)]);

/// The three steps of the section Configuration.
pub(crate) const OPEN_STEPS: Input =
    Input::new("direct-connect.open-steps", "steps of the configuration that are not done").sources(&[
        Source::answer(
            "which step of the section Configuration on the Direct Connect home page is not done",
            Accepts::Choice(&["none", "action group", "service account", "endpoint connection", "several"]),
            180,
        ),
    ]);

/// The account under which the service works.
pub(crate) const SERVICE_ACCOUNT: Input =
    Input::new("direct-connect.service-account", "account under which the service works").sources(&[
        Source::answer(
            "which account does Direct Connect > Settings > Service Account name; none, where it is empty",
            Accepts::Text,
            180,
        ),
    ]);

/// What Direct Connect does where action lock is on.
pub(crate) const ACTION_LOCK: Input =
    Input::new("direct-connect.action-lock", "what Direct Connect does on locked endpoints").sources(&[
        Source::answer(
            "what is selected under Direct Connect > Settings > Endpoint Connection > Action Lock",
            Accepts::Text,
            180,
        ),
    ]);

/// How much the service logs.
pub(crate) const LOG_LEVEL: Input = Input::new("direct-connect.log-level", "log level of the service")
    .sources(&[Source::answer(
        "which Log Level does Direct Connect > Help > Troubleshooting show",
        Accepts::Choice(&["trace", "debug", "info", "warn", "error", "fatal"]),
        90,
    )]);

/// The file with the provision payload on the Zone Server.
pub(crate) const PAYLOAD_FILE: Input =
    Input::new("direct-connect.payload-file", "the file PROVISION.txt on the Zone Servers").sources(&[
        Source::answer(
            "is settings/PROVISION.txt in the zone proxy's folder on every Zone Server, and who can read it",
            Accepts::Choice(&["administrators only", "everyone can read it", "missing"]),
            365,
        ),
    ]);

/// What stands in front of the zone proxies.
pub(crate) const LOAD_BALANCER: Input = Input::new(
    "direct-connect.load-balancer",
    "load balancers in front of zone proxies",
)
.sources(&[Source::answer(
    "is there a load balancer in front of a Zone Server, is it set to persistent TCP connections, and \
             is the endpoint port (17486, unless changed) open on it",
    Accepts::Choice(&[
        "none",
        "persistent and open",
        "not persistent",
        "port closed",
        "not persistent and port closed",
    ]),
    180,
)]);

/// The port that nobody opens on Windows.
pub(crate) const WINDOWS_FIREWALL: Input =
    Input::new("direct-connect.windows-firewall", "port 17488 on Windows Zone Servers").sources(&[
        Source::answer(
            "is TCP 17488 from the Module Server open in the host firewall of every Windows Zone Server",
            Accepts::Choice(&["open", "not open", "no Windows Zone Server"]),
            180,
        ),
    ]);
