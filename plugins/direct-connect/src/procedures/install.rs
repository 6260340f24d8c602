//! Before Direct Connect is imported or upgraded.

use crate::diagnosis::values::{ACCOUNT, ACTION_GROUP_NAME, ENDPOINT_NAME, ENDPOINT_PORT, VERSION};
use tancheck_plugin_api::prelude::*;

pub(super) const PREFLIGHT: Procedure = Procedure::new(
    "install-preflight",
    "Prepare the import or the upgrade of Direct Connect",
    "Before Direct Connect is imported for the first time, and before each upgrade.",
)
.sections(&[
    "Direct Connect User Guide 1.5.12: Before you begin",
    "Direct Connect User Guide 1.5.12: Direct Connect requirements",
    "Direct Connect User Guide 1.5.12: Import and configure Direct Connect",
])
.values(&[&VERSION, &ENDPOINT_NAME, &ENDPOINT_PORT, &ACTION_GROUP_NAME, &ACCOUNT])
.who("whoever may import solutions, with the network team and the security administrator")
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    "An import restarts the service: sessions that are open end.",
    "Raising the Tanium Server alone leaves Module Server and Zone Servers behind: the minimum holds for each of them.",
])
.tasks(&[
    Task::seen(
        Step::consult("the release notes of Direct Connect", "what the new version changes; {imported-version} is imported now"),
        "known issues and changed requirements are written down",
    )
    .from_guide(),
    Task::checked(
        Step::consult("Direct Connect User Guide: Tanium dependencies", "compare the versions of servers, clients, TanOS and products"),
        &[
            "direct-connect.version-core-platform",
            "direct-connect.version-client",
            "direct-connect.version-tanos",
            "direct-connect.version-protect",
            "direct-connect.version-recorder-integrity-monitor",
            "direct-connect.version-recorder-map",
            "direct-connect.version-recorder-threat-response",
            "direct-connect.version-recorder-trace",
        ],
    )
    .from_guide(),
    Task::checked(
        Step::consult(
            "the network team",
            "TCP {module-server-port} from all internal clients to the Module Server ({module-server-name}); with zone proxies 17486 from outside, 17487 and 17488 from the Module Server to the Zone Server",
        ),
        &["direct-connect.port-firewall-review"],
    )
    .from_guide(),
    Task::checked(
        Step::consult("the security administrator", "exclude the five files of each operating system, the .sig files among them"),
        &[
            "direct-connect.exclusions-windows",
            "direct-connect.exclusions-macos",
            "direct-connect.exclusions-linux",
        ],
    )
    .from_guide(),
    Task::checked(
        Step::decision("endpoints connect through Zone Servers", "plan a zone proxy for each of them: tancheck guide direct-connect zone-proxy-install-method"),
        &["direct-connect.zone-proxy-required"],
    )
    .from_guide(),
    Task::checked(
        Step::decision(
            "the platform is 7.4.2 or later and nothing speaks against the defaults",
            "import with Apply Tanium recommended configurations; otherwise without, and plan the three steps of Configuration",
        ),
        &["direct-connect.version-auto-config"],
    )
    .from_guide(),
    Task::checked(
        Step::console("Main menu > Tanium Solutions (newer Console: Administration > Configuration > Solutions)", "import Direct Connect; afterwards refresh the browser and compare the version under Info"),
        &["direct-connect.installed", "direct-connect.version-module"],
    )
    .from_guide(),
    Task::checked(
        Step::console(
            "Direct Connect > Home > Configuration",
            "Configure Action Group ({group-name}), Configure Service Account ({account-name}), Configure Endpoint Connection ({module-server-name}, port {module-server-port}), in this order; with the recommended configuration look what was set",
        ),
        &[
            "direct-connect.setup-complete",
            "direct-connect.action-group-target",
            "direct-connect.service-account-set",
            "direct-connect.content-build",
        ],
    )
    .from_guide(),
]);
