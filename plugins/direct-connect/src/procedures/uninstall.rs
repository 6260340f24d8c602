//! Uninstalling in two phases: first from endpoints, then from the server. Both are held back while a product needs it.

use crate::diagnosis::values::{ACTION_GROUP_NAME, COMPUTER_GROUPS, ZONE_PROXY_ADDRESSES};
use crate::presence::consumers;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SOLUTIONS;

const CONSUMERS: Reading =
    Reading::new("direct-connect.installed-consumers", "products that use Direct Connect")
        .reads(&[&SOLUTIONS])
        .by(|facts, report| {
            let found = consumers(facts)?;
            // A list with holes proves who is there, and not that nobody is.
            if let (true, Some(gap)) = (found.is_empty(), facts.gaps(&SOLUTIONS)?.first()) {
                return Err(Undecided::not_evaluated(format!(
                    "the list of solutions is not complete: {gap}"
                )));
            }
            report.note(format!("{} are imported", found.len()));
            Ok(found.join("\n"))
        });

const SHARED: &str = "Direct Connect is a shared service: removing it, or its tools, can break products that use it in ways that nobody expects. Ask Tanium whether it is advisable before you go on.";

pub(super) const ENDPOINTS: Procedure = Procedure::new(
    "uninstall-endpoints",
    "Remove Direct Connect from endpoints",
    "First phase of an uninstallation: tools and content, one operating system at a time.",
)
.sections(&["Direct Connect User Guide 1.5.12: Remove Direct Connect content and tools from endpoints"])
.values(&[&ACTION_GROUP_NAME, &COMPUTER_GROUPS])
.guarded_by(&CONSUMERS, SHARED)
.who("a user who may deploy actions, in agreement with the owners of all products that use Direct Connect")
.risk(Risk::High, Reversible::Partly)
.cautions(&[
    "Each operating system has a package of its own: select endpoints of one operating system at a time.",
    "Endpoints that are offline keep the tools until they are asked again.",
])
.next("uninstall-server")
.tasks(&[
    Task::seen(
        Step::console(
            "Administration > Actions > Scheduled Actions",
            "disable Deploy Direct Connect - Tools and Deploy Direct Connect - Configure Extension, or empty {group-name} (now: {computer-groups}): else the tools come back",
        ),
        "both actions are disabled",
    ),
    Task::seen(
        Step::question("Get Direct Connect - Tools Version from all machines", "in Interact: one row for each operating system"),
        "the rows Windows Package Installed, Mac Package Installed and Linux Package Installed, as far as there are such endpoints",
    )
    .from_guide(),
    Task::seen(
        Step::console("Interact", "select the row of one operating system, then Deploy Action"),
        "the page Deploy Action",
    )
    .from_guide(),
    Task::seen(
        Step::action(
            "Direct Connect - Remove Tools [OPERATING SYSTEM]",
            "enter Direct Connect - Remove in the field for the package, and choose the one of this operating system",
        ),
        "the package names the operating system of the selected row",
    )
    .from_guide(),
    Task::seen(
        Step::console("Deploy Action", "Show preview to continue; read the grid, then Deploy Action"),
        "the grid held the endpoints that were meant and no others",
    )
    .from_guide(),
    Task::seen(
        Step::console("Interact", "the same for each other operating system; then ask the question again"),
        "no row says Package Installed any more",
    )
    .from_guide(),
    Task::seen(
        Step::question("Get Computer Name and Direct Connect - Tools Version from all machines", "some days later: endpoints that were offline meanwhile"),
        "no row says Package Installed",
    ),
]);

pub(super) const SERVER: Procedure = Procedure::new(
    "uninstall-server",
    "Remove Direct Connect from the Module Server",
    "Second phase of an uninstallation, when no endpoint has the tools any more.",
)
.sections(&["Direct Connect User Guide 1.5.12: Remove the Direct Connect solution from the Tanium Module Server"])
.values(&[&ZONE_PROXY_ADDRESSES])
.guarded_by(&CONSUMERS, SHARED)
.who("whoever may uninstall solutions, in agreement with the owners of all products that use Direct Connect")
.risk(Risk::High, Reversible::Partly)
.cautions(&["The packages that remove the tools go with the solution: what is still on endpoints then needs a new import."])
.tasks(&[
    Task::seen(
        Step::question("Get Direct Connect - Tools Version from all machines", "once more, before anything is removed"),
        "no row says Package Installed; otherwise: tancheck guide direct-connect uninstall-endpoints",
    ),
    Task::seen(
        Step::console("Direct Connect > Zone Proxies", "delete the entries ({zone-proxy-addresses}), and uninstall the zone proxy on each Zone Server"),
        "the list is empty, and TCP 17486 to 17488 are closed on the Zone Servers",
    ),
    Task::seen(
        Step::console("Main menu > Tanium Solutions > Tanium Content", "select the row Direct Connect, Uninstall Solution, then Uninstall"),
        "the row offers an import",
    )
    .from_guide(),
    Task::checked(
        Step::command("tancheck run --check direct-connect.uninstall-leftovers", "packages, scheduled actions and tools that stayed"),
        &["direct-connect.uninstall-leftovers"],
    ),
]);
