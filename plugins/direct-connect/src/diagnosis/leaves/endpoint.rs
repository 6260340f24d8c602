//! The module, the endpoint's name, its client and its lock.

use super::{ADMINISTRATOR, RETRY};
use tancheck_plugin_api::prelude::*;

/// L0
pub(super) const FIX_MODULE_FIRST: Leaf =
    Leaf::new("fix-module-first", "Direct Connect itself is broken: repair that first", &MODULE_REMEDY)
        .severity(Severity::Critical);

const MODULE_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck run --module direct-connect",
        "lists the findings, the worst first, each with its repair",
    ),
    Step::decision("the service does not answer", "start with it: nothing else can work"),
    Step::decision(
        "a certificate has expired",
        "renew it next: tancheck guide direct-connect cert-renew-rollout",
    ),
    Step::decision(
        "name or port of the endpoint connection are wrong",
        "correct them then, and let them deploy",
    ),
    Step::decision("the action group is empty or the content was not built", "repair these last"),
    RETRY,
])
.cautions(&["A restart of the service ends the open sessions of all products."])
.who(ADMINISTRATOR)
.risk(Risk::Medium, Reversible::Partly)
.verify("direct-connect.service-running")
.references(&["Direct Connect User Guide 1.5.12: Import and configure Direct Connect with custom settings"]);

/// L1a
pub(super) const NOT_FOUND: Leaf =
    Leaf::new("endpoint-not-found", "No endpoint of this name or address answers", &NOT_FOUND_REMEDY)
        .severity(Severity::Low);

const NOT_FOUND_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name from all machines with Computer Name contains \"{subject}\"",
        "spell the name exactly as the Computer Name sensor returns it, or use the IP address",
    ),
    Step::console(
        "Direct Connect > Home > Connection Test > Filter Builder",
        "the + sign: Add Row for a condition, Add Group for conditions that belong together",
    ),
    Step::console(
        "Administration > Configuration > Client Status",
        "see whether the endpoint is there, and when it was last seen",
    ),
    Step::consult(
        "whoever grants permissions",
        "whether the user may see the computer groups of the endpoint",
    ),
])
.who("whoever wants to connect");

/// L1b
pub(super) const AMBIGUOUS: Leaf =
    Leaf::new("endpoint-ambiguous", "Several endpoints may be meant", &AMBIGUOUS_REMEDY)
        .severity(Severity::Low);

const AMBIGUOUS_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Computer ID and Tanium Client IP Address from all machines with Computer Name contains \"{subject}\"",
        "choose one row by its address or Computer ID",
    ),
    Step::command(
        "tancheck diagnose direct-connect --endpoint NAME",
        "with the whole name, or with the IP address where two endpoints share a name",
    ),
])
.who("whoever wants to connect");

/// L1c
pub(super) const UNSUPPORTED: Leaf = Leaf::new(
    "unsupported-system",
    "Direct Connect does not support the operating system of this endpoint",
    &UNSUPPORTED_REMEDY,
)
.severity(Severity::Low);

const UNSUPPORTED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever wanted to connect", "say that sessions are for Windows, macOS and Linux only"),
    Step::console(
        "Direct Connect > Home > Configuration > Configure Action Group",
        "choose computer groups that leave out such endpoints, so that counts show what can be reached",
    ),
])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.os-supported")
.references(&["Direct Connect User Guide 1.5.12: Supported operating systems"]);

/// L1d, added on the way
pub(super) const CLIENT_TOO_OLD: Leaf =
    Leaf::new("client-too-old", "The Tanium Client is older than Direct Connect supports", &CLIENT_REMEDY);

const CLIENT_REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Shared Services > Client Management", "upgrade the client on {subject}"),
    RETRY,
])
.who("whoever may upgrade clients")
.risk(Risk::Medium, Reversible::No)
.verify("direct-connect.version-client")
.references(&["Direct Connect User Guide 1.5.12: Tanium dependencies"]);

/// L2a
pub(super) const LOCK_BLOCKS: Leaf =
    Leaf::new("lock-blocks-session", "An action lock on the endpoint blocks the session", &LOCK_REMEDY);

const LOCK_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever locked {subject}", "why, and whether actions are safe there now"),
    Step::decision("they are", "turn the action lock off, and connect"),
    Step::decision(
        "the lock has to stay and sessions are needed",
        "Direct Connect > Settings > Endpoint Connection > Action Lock: Allow New Connections; Save, own password, OK",
    ),
    RETRY,
])
.cautions(&["The setting holds for all locked endpoints. Allow New Connections and Configuration Changes also lets changes through locks that were set against them."])
.who("the owner of the lock, and a user with the role Direct Connect Administrator")
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.action-lock-conflict")
.references(&["Direct Connect User Guide 1.5.12: Configure Endpoint Connection settings", "Console User Guide: Managing action locks"]);

/// L2b, added on the way
pub(super) const MAY_BE_STALE: Leaf = Leaf::new(
    "configuration-may-be-stale",
    "An action lock keeps changes of the configuration from the endpoint",
    &STALE_REMEDY,
)
.severity(Severity::Low);

const STALE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever locked {subject}", "whether the lock can be off until the configuration has arrived"),
    Step::decision("it can", "unlock it, wait for one run of Deploy Direct Connect - Configure Extension, lock it again"),
    Step::decision(
        "it cannot, and the owners of all locks agree",
        "Direct Connect > Settings > Endpoint Connection > Action Lock: Allow New Connections and Configuration Changes; Save, own password, OK",
    ),
])
.cautions(&["Allow New Connections and Configuration Changes lets changes through every lock, which may be what a lock is there to prevent."])
.who("the owner of the lock, and a user with the role Direct Connect Administrator")
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.configure-extension-action")
.references(&["Direct Connect User Guide 1.5.12: Configure Endpoint Connection settings"]);

/// L3
pub(super) const HEALTHY: Leaf =
    Leaf::new("path-healthy", "The connection works: nothing is wrong on this path", &HEALTHY_REMEDY)
        .healthy();

const HEALTHY_REMEDY: Remedy = Remedy::new(&[
    Step::console("Direct Connect > Home > Active Connections", "compare with the session that the other product opened"),
    Step::decision(
        "a product still cannot connect",
        "look there: the user's permissions in that product, and its version: tancheck run --module direct-connect",
    ),
])
.who("whoever wants to connect")
.references(&["Direct Connect User Guide 1.5.12: Testing direct endpoint connections"]);
