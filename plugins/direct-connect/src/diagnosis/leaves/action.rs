//! The action that opens a session, the tools and the settings that it needs.

use super::{ADMINISTRATOR, GUIDE, RETRY};
use tancheck_plugin_api::prelude::*;

/// L4
pub(super) const NEVER_CREATED: Leaf =
    Leaf::new("action-never-created", "The action that opens the session was never issued", &NEVER_REMEDY)
        .severity(Severity::High);

const NEVER_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users",
        "the user needs Direct Connect Session Write, and Write Action on the content set Direct Connect",
    ),
    Step::command(
        "tancheck run --check direct-connect.content-build",
        "whether the packages of Direct Connect were built",
    ),
    Step::command(
        "tancheck run --check direct-connect.service-account-set --check direct-connect.service-account-usable",
        "whether the service has an account that works",
    ),
    Step::console("Direct Connect > Home > Connection Test", "try again, and watch the action history meanwhile"),
])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.content-build")
.references(&["Direct Connect User Guide 1.5.12: User role requirements"]);

/// L4w
pub(super) const UNDER_WAY: Leaf =
    Leaf::new("action-under-way", "The action is on its way: wait, then look again", &WAIT_REMEDY)
        .severity(Severity::Info);

const WAIT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Action History",
        "wait ten minutes, and look at the action again",
    ),
    Step::decision(
        "it is still not at its end",
        "treat it as one that did not run: --answer session-action=issued --answer action-result=did-not-run",
    ),
])
.who("whoever wants to connect");

/// L6a
pub(super) const NOT_IN_GROUP: Leaf = Leaf::new(
    "not-in-action-group",
    "The action group of Direct Connect does not hold the endpoint",
    &GROUP_REMEDY,
)
.from_guide();

const GROUP_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Direct Connect > Home > Configuration > Configure Action Group",
        "choose a computer group that holds {subject} for {group-name}, and select Save",
    ),
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "wait for one run of Deploy Direct Connect - Tools",
    ),
    RETRY,
])
.cautions(&[
    "Every member of the group gets the tools: where changes are staged, widen it by computer groups.",
])
.who(ADMINISTRATOR)
.risk(Risk::Medium, Reversible::Partly)
.verify("direct-connect.action-group-coverage")
.references(&["Direct Connect User Guide 1.5.12: Configure the Direct Connect action group"]);

/// L7a
pub(super) const TOOLS_ACTION_RESTS: Leaf = Leaf::new(
    "tools-action-rests",
    "The scheduled action that brings the tools does not deploy",
    &TOOLS_ACTION_REMEDY,
)
.severity(Severity::High)
.from_guide();

const TOOLS_ACTION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "Deploy Direct Connect - Tools: enable it, let it be approved, and assign it to the action group {group-name}",
    ),
    Step::console("Administration > Actions > Action History", "watch its next run, and the row of {subject}"),
    RETRY,
])
.cautions(&["Do not delete or copy this action: Direct Connect owns it. Do not put computers into the action group Default for it."])
.who("a user who may write actions, and a user with the role Direct Connect Administrator")
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.deploy-tools-action")
.references(GUIDE);

/// L7b
pub(super) const TOOLS_NOT_INSTALLED: Leaf =
    Leaf::new("tools-not-installed", "Something on the endpoint keeps the tools from it", &INSTALL_REMEDY);

const INSTALL_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck explain direct-connect.exclusions-windows",
        "the five files that security software has to leave alone; exclusions-macos and exclusions-linux for the others",
    ),
    Step::consult("the security administrator", "whether one of them is in quarantine on {subject}, and for the exclusions"),
    Step::consult("the owner of {subject}", "whether the disk has free space"),
    Step::action("Deploy Direct Connect - Tools", "deploy the tools to {subject} once more"),
    Step::question(
        "Get Direct Connect - Tools Version from all machines with Computer Name equals \"{subject}\"",
        "Package Installed: test the connection again",
    ),
])
.who("the security administrator, and a user with the role Direct Connect Administrator")
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.tools-installed")
.references(&["Direct Connect User Guide 1.5.12: Security exclusions"]);

/// L7c
pub(super) const TAKES_NO_ACTIONS: Leaf =
    Leaf::new("takes-no-actions", "The endpoint has the tools and did not take the action", &ACTIONS_REMEDY);

const ACTIONS_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Uptime from all machines with Computer Name equals \"{subject}\"",
        "it answers now: it was asleep or offline when the action expired",
    ),
    Step::console("Administration > Actions > Action History", "see when the action expired"),
    Step::console("Direct Connect > Home > Connection Test", "test again while the endpoint answers"),
])
.who("whoever wants to connect")
.references(GUIDE);

/// L8a
pub(super) const NOT_LOADED: Leaf = Leaf::new(
    "extension-not-loaded",
    "The client extension of Direct Connect is missing or not loaded",
    &LOAD_REMEDY,
);

const LOAD_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck explain direct-connect.exclusions-windows",
        "the five files of the extension, the .sig files among them; exclusions-macos and exclusions-linux for the others",
    ),
    Step::consult("the security administrator", "for these exclusions, and what was taken away on {subject}"),
    Step::action("Deploy Direct Connect - Tools", "deploy the tools to {subject} once more"),
    Step::consult("the owner of {subject}", "restart the Tanium Client service, when it suits"),
    RETRY,
])
.cautions(&["Exclude exactly these files, not the whole folder, unless the security team decides otherwise."])
.who("the security administrator, and the owner of the endpoint")
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.exclusion-targets-present")
.references(&["Direct Connect User Guide 1.5.12: Security exclusions"]);

/// L8b
pub(super) const CONFIGURATION_OLD: Leaf = Leaf::new(
    "configuration-old",
    "The endpoint does not have the present settings of the endpoint connection",
    &CONFIGURATION_REMEDY,
)
.from_guide();

const CONFIGURATION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "Deploy Direct Connect - Configure Extension: enabled, in {group-name}, and the result on {subject}",
    ),
    Step::decision("the endpoint is locked", "let its owner turn action lock off until the settings have arrived"),
    Step::console(
        "Direct Connect > Settings > Endpoint Connection",
        "save {module-server-name} and {module-server-port} once more, with the own password: the packages are built anew",
    ),
    Step::console("Administration > Actions > Action History", "wait until Configure Extension succeeded on {subject}"),
    RETRY,
])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.configure-extension-action")
.references(GUIDE);

/// L8c
pub(super) const SILENT: Leaf =
    Leaf::new("extension-silent", "The extension writes no log: the tools do not run there", &SILENT_REMEDY);

const SILENT_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck explain direct-connect.exclusions-windows",
        "the five files that security software has to leave alone; exclusions-macos and exclusions-linux for the others",
    ),
    Step::consult("the security administrator", "whether one of them is in quarantine on {subject}"),
    Step::consult("the owner of {subject}", "whether the disk has free space"),
    Step::action("Deploy Direct Connect - Tools", "deploy the tools to {subject} once more"),
    Step::decision(
        "other extensions run there and this one does not",
        "tancheck guide direct-connect support-package, and add the log",
    ),
])
.who("the security administrator, and a user with the role Direct Connect Administrator")
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.extension-health")
.references(&["Direct Connect User Guide 1.5.12: Security exclusions"]);
