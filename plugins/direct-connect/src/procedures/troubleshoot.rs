//! Tests, diagnosis, support packages, and the monthly look.

use super::ADMINISTRATOR;
use crate::diagnosis::values::{LEVEL, ZONE_PROXY_ADDRESSES};
use tancheck_plugin_api::prelude::*;

const USER: &str = "a user with the role Direct Connect User or Direct Connect Administrator";

pub(super) const CONNECTION_TEST: Procedure = Procedure::new(
    "connection-test",
    "Test connections to endpoints",
    "After every change, and regularly: without opening a session formally, to see that users of other products can connect.",
)
.sections(&["Direct Connect User Guide 1.5.12: Testing direct endpoint connections"])
.values(&[&ZONE_PROXY_ADDRESSES])
.who(USER)
.risk(Risk::None, Reversible::Yes)
.tasks(&[
    Task::seen(
        Step::consult("the list of endpoints", "choose one of each operating system: internal ones, and one behind each zone proxy ({zone-proxy-addresses})"),
        "a name for each operating system and each way",
    ),
    Task::seen(
        Step::console("Direct Connect > Home > Connection Test", "search the endpoint (tancheck guide direct-connect connection-test-search), select it from the results, and run the test"),
        "the test says that it connected",
    )
    .from_guide(),
    Task::seen(
        Step::decision("a test fails", "tancheck diagnose direct-connect --endpoint NAME"),
        "the diagnosis ends at what to do",
    )
    .from_guide(),
    Task::checked(
        Step::command("tancheck attest direct-connect.connection-test --result done", "records who tested, and when"),
        &["direct-connect.connection-test"],
    ),
]);

pub(super) const CONNECTION_TEST_SEARCH: Procedure = Procedure::new(
    "connection-test-search",
    "Find an endpoint for a connection test",
    "When the search of the connection test does not find an endpoint.",
)
.sections(&["Direct Connect User Guide 1.5.12: Testing direct endpoint connections"])
.who(USER)
.tasks(&[
    Task::seen(
        Step::question(
            "Get Computer Name from all machines with Computer Name contains \"PART-OF-THE-NAME\"",
            "the exact spelling of the name",
        ),
        "one row with the name that is meant",
    ),
    Task::seen(
        Step::console("Direct Connect > Home > Connection Test", "simple search: enter the IP address, or the name exactly as the sensor shows it; select the endpoint from the results"),
        "the endpoint is selected",
    )
    .from_guide(),
    Task::seen(
        Step::console("Direct Connect > Home > Connection Test > Filter Builder", "or by conditions: the + sign, Add Row for each condition, Add Group for an operator that nests others"),
        "the results hold the endpoint",
    )
    .from_guide(),
]);

pub(super) const DIAGNOSE_ENDPOINT: Procedure = Procedure::new(
    "diagnose-endpoint",
    "Find out why a session to an endpoint does not open",
    "When a connection test or a session of another product fails.",
)
.sections(&["Direct Connect User Guide 1.5.12: Troubleshoot endpoint connection issues"])
.who(ADMINISTRATOR)
.tasks(&[
    Task::seen(
        Step::command(
            "tancheck diagnose direct-connect --endpoint NAME",
            "answers what can be seen, and asks for the rest",
        ),
        "it ends at a leaf: what is wrong, and what to do",
    )
    .from_guide(),
    Task::seen(
        Step::command(
            "tancheck diagnose direct-connect --failed",
            "the same for all sessions that failed, grouped by what is wrong",
        ),
        "the groups, the worst first",
    ),
    Task::seen(
        Step::console("Direct Connect > Home > Connection Test", "after the repair: test again"),
        "the test connects",
    ),
]);

pub(super) const SUPPORT_PACKAGE: Procedure = Procedure::new(
    "support-package",
    "Make a support package of Direct Connect",
    "Before the service is restarted for a reason that nobody knows, and for every case at Tanium Support.",
)
.sections(&[
    "Direct Connect User Guide 1.5.12: Generate a support package",
    "Direct Connect User Guide 1.5.12: Change the logging level",
])
.values(&[&LEVEL])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["A package holds only what was logged: raise the level before the trouble is reproduced, not after it."])
.tasks(&[
    Task::seen(
        Step::console("Direct Connect > Help > Troubleshooting > Log Level", "if the trouble can be reproduced: set debug or trace (now: {present-log-level}), and reproduce it"),
        "the trouble happened again, at a time that is written down",
    )
    .from_guide(),
    Task::seen(
        Step::console("Direct Connect > Help > Troubleshooting", "Generate Support Package; when the button shows, Download Support Package"),
        "a ZIP file in the browser's download folder",
    )
    .from_guide(),
    Task::seen(
        Step::support("attach the file to the case, and say when the trouble happened"),
        "the case holds the package",
    )
    .from_guide(),
    Task::checked(
        Step::console("Direct Connect > Help > Troubleshooting > Log Level", "set info again"),
        &["direct-connect.log-level"],
    ),
]);

pub(super) const MAINTENANCE: Procedure = Procedure::new(
    "maintenance-monthly",
    "Look after Direct Connect each month",
    "Every month, as the maintenance guide asks: review and remediate connection and screen sharing issues.",
)
.sections(&["Maintenance Guide: Review and remediate Tanium Direct Connect issues, page 26"])
.who(ADMINISTRATOR)
.next("connection-test")
.tasks(&[
    Task::checked(
        Step::command(
            "tancheck run --module direct-connect --cadence monthly",
            "the checks of the month, the worst finding first",
        ),
        &[
            "direct-connect.connections",
            "direct-connect.tools-installed",
            "direct-connect.action-group-target",
        ],
    )
    .from_guide(),
    Task::seen(
        Step::command("tancheck diagnose direct-connect --failed", "for the sessions that failed"),
        "no group is left but healthy ones",
    )
    .from_guide(),
    Task::checked(
        Step::consult(
            "users of screen sharing",
            "whether it works for them: the guide of version 1.5.12 does not know it yet",
        ),
        &["direct-connect.screen-sharing"],
    )
    .from_guide(),
]);
