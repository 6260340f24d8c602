//! The way through a zone proxy, and the end of what can be found out here.

use super::{ADMINISTRATOR, NETWORK, RETRY};
use tancheck_plugin_api::prelude::*;

const PROXIES: &[&str] = &["Direct Connect User Guide 1.5.12: Configure Zone Proxies"];
const REQUIREMENTS: &[&str] = &["Direct Connect User Guide 1.5.12: Zone proxy server requirements"];

/// L10a
pub(super) const DOWN: Leaf =
    Leaf::new("zone-proxy-down", "The zone proxy is not connected to the Module Server", &DOWN_REMEDY)
        .severity(Severity::High);

const DOWN_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the network team",
        "TCP 17487 (or the port of its entry) and 17488 from the Module Server to the Zone Server",
    ),
    Step::console(
        "Direct Connect > Zone Proxies",
        "the Bind IP Address of the Module Server connection: an address of the Zone Server, or 0.0.0.0",
    ),
    Step::consult(
        "the administrator of the Zone Server",
        "whether the installer ran again since: the entry then has an old provision payload",
    ),
    Step::decision(
        "one of its values is wrong or old",
        "entries cannot be changed: tancheck guide direct-connect zone-proxy-recreate",
    ),
    RETRY,
])
.cautions(&["The provision payload is a secret: it goes from the file into the form and nowhere else."])
.who(NETWORK)
.risk(Risk::Medium, Reversible::Partly)
.verify("direct-connect.zone-proxy-status")
.references(PROXIES);

/// L10b
pub(super) const UNREACHABLE: Leaf =
    Leaf::new("zone-proxy-unreachable", "External endpoints do not reach the zone proxy", &OUTSIDE_REMEDY)
        .severity(Severity::High);

const OUTSIDE_REMEDY: Remedy = Remedy::new(&[
    Step::command("nslookup HOST", "from outside, for each host of {zone-proxy-addresses}: the public address of the Zone Server, or of its NAT"),
    Step::consult("the network team", "the port of the endpoint connection (17486, unless changed) from the Internet to the Zone Server, on firewalls and on a load balancer"),
    Step::console("Direct Connect > Zone Proxies", "the Bind IP Address of the endpoint connection: an address of the Zone Server, or 0.0.0.0"),
    Step::decision("host, address or port of the entry are wrong", "tancheck guide direct-connect zone-proxy-recreate"),
    RETRY,
])
.who(NETWORK)
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.port-zone-endpoint-17486")
.references(PROXIES);

/// L10c
pub(super) const BALANCER: Leaf = Leaf::new(
    "balancer-drops",
    "A load balancer in front of the Zone Server drops sessions",
    &BALANCER_REMEDY,
);

const BALANCER_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the network team", "take the load balancer away from the Zone Server: that is what the guide recommends"),
    Step::decision(
        "it has to stay",
        "set it to persistent TCP connections, and open the Endpoint Inbound Port (17486, unless changed) on it",
    ),
    RETRY,
])
.who(NETWORK)
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.zone-proxy-load-balancer")
.references(REQUIREMENTS);

/// L11
pub(super) const ESCALATE: Leaf = Leaf::new(
    "escalate",
    "Nothing that can be seen from here is wrong: collect and ask support",
    &ESCALATE_REMEDY,
);

const ESCALATE_REMEDY: Remedy = Remedy::new(&[
    Step::console("Direct Connect > Help > Troubleshooting > Log Level", "set debug or trace"),
    Step::console(
        "Direct Connect > Home > Connection Test",
        "let the connection to {subject} fail once more",
    ),
    Step::console(
        "Direct Connect > Help > Troubleshooting",
        "Generate Support Package, then Download Support Package",
    ),
    Step::command(
        "tancheck diagnose direct-connect --endpoint '{subject}' -o text=diagnosis.txt",
        "this report, for the case",
    ),
    Step::support("with the package, Logs/extensions0.txt of the endpoint and this report"),
    Step::console("Direct Connect > Help > Troubleshooting > Log Level", "set info again"),
])
.cautions(&["A package holds only what was logged: raise the level before the attempt, not after it."])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.log-level")
.references(&[
    "Direct Connect User Guide 1.5.12: Generate a support package",
    "Direct Connect User Guide 1.5.12: Change the logging level",
]);
