//! Zone proxies: installed, and made anew.

use super::ADMINISTRATOR;
use crate::diagnosis::values::{ZONE_PROXY_ADDRESSES, ZONE_PROXY_SETTINGS};
use tancheck_plugin_api::prelude::*;

const SECRET: &str =
    "The provision payload is a secret: it goes from the file into the form and nowhere else.";

pub(super) const INSTALL: Procedure = Procedure::new(
    "zone-proxy-install-method",
    "Install a zone proxy on a Zone Server",
    "When endpoints reach the deployment through a Zone Server that has no zone proxy yet.",
)
.sections(&[
    "Direct Connect User Guide 1.5.12: Zone proxy server requirements",
    "Direct Connect User Guide 1.5.12: Install and configure the Direct Connect Zone Proxy",
])
.who("the administrator of the Zone Server, and a user with the role Direct Connect Administrator")
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    SECRET,
    "Use the payload of this installation: the certificate is pinned, and the one of the guide's example cannot work.",
    "Each run of the installer makes a new payload, and the entry in the Console then needs it.",
])
.next("connection-test")
.tasks(&[
    Task::seen(
        Step::support("for the Direct Connect Zone Proxy Installer of the Zone Server's operating system"),
        "the installer, for TanOS or for Windows",
    )
    .from_guide(),
    Task::checked(
        Step::decision("the Zone Server is a Tanium Appliance", "it needs TanOS 1.5.2 or later"),
        &["direct-connect.version-tanos"],
    )
    .from_guide(),
    Task::checked(
        Step::consult(
            "the network team",
            "TCP 17486 from outside to the Zone Server, 17487 and 17488 from the Module Server to it; on Windows 17488 has to be opened by hand",
        ),
        &["direct-connect.port-firewall-review", "direct-connect.zone-proxy-windows-firewall"],
    )
    .from_guide(),
    Task::checked(
        Step::consult("the network team", "no load balancer in front of the Zone Server, or one with persistent TCP connections and the endpoint port open"),
        &["direct-connect.zone-proxy-load-balancer"],
    )
    .from_guide(),
    Task::seen(
        Step::consult("the administrator of the Zone Server", "copy the installer to the Zone Server"),
        "the file is there",
    )
    .from_guide(),
    Task::seen(
        Step::decision(
            "it is TanOS 1.5.5 or later, and the role is not All-in-One",
            "install through the Tanium Operations menu",
        ),
        "the installer shows the provision secret and the certificate",
    )
    .from_guide(),
    Task::seen(
        Step::decision("it is TanOS 1.5.2 to 1.5.4, or the role is All-in-One", "install through the TanOS shell"),
        "the installer shows the provision secret and the certificate",
    )
    .from_guide(),
    Task::seen(
        Step::decision("it is Windows", "run the installer, and at its end select Open Provision Token"),
        "PROVISION.txt is open",
    )
    .from_guide(),
    Task::checked(
        Step::consult(
            "the administrator of the Zone Server",
            "copy both blocks, with all their dashes, from settings/PROVISION.txt in the folder of the zone proxy",
        ),
        &["direct-connect.zone-proxy-payload-file"],
    )
    .from_guide(),
    Task::checked(
        Step::console(
            "Direct Connect > Zone Proxies > Add Zone Proxy",
            "Name, Provision Payload, Module Server Connection (internal host, Bind IP Address, 17487) and Endpoint Connection (public host, Bind IP Address, 17486); Save, own password, OK",
        ),
        &["direct-connect.zone-proxy-fields"],
    )
    .from_guide(),
    Task::checked(
        Step::console("Direct Connect > Zone Proxies", "wait until the column Status says Connected"),
        &["direct-connect.zone-proxy-status", "direct-connect.zone-proxy-required"],
    )
    .from_guide(),
]);

pub(super) const RECREATE: Procedure = Procedure::new(
    "zone-proxy-recreate",
    "Delete a zone proxy and create it anew",
    "When a value of an entry has to change, or its payload is old: entries cannot be edited.",
)
.sections(&["Direct Connect User Guide 1.5.12: Install and configure the Direct Connect Zone Proxy"])
.values(&[&ZONE_PROXY_SETTINGS, &ZONE_PROXY_ADDRESSES])
.who(ADMINISTRATOR)
.risk(Risk::High, Reversible::Partly)
.cautions(&["External endpoints behind this zone proxy cannot be reached until the new entry is Connected.", SECRET])
.next("connection-test")
.tasks(&[
    Task::seen(
        Step::console("Direct Connect > Zone Proxies", "write down all values of the entry; known are: {zone-proxy-settings}"),
        "name, hosts, Bind IP Addresses and ports of both connections are written down",
    ),
    Task::checked(
        Step::consult(
            "the administrator of the Zone Server",
            "get the payload again from settings/PROVISION.txt in the folder of the zone proxy, or run the installer once more",
        ),
        &["direct-connect.zone-proxy-payload-file"],
    )
    .from_guide(),
    Task::seen(
        Step::console("Direct Connect > Zone Proxies", "hover over the entry and select Delete"),
        "the entry is gone from the list",
    )
    .from_guide(),
    Task::checked(
        Step::console(
            "Direct Connect > Zone Proxies > Add Zone Proxy",
            "the values as written down, with the corrections and the payload; Save, own password, OK",
        ),
        &["direct-connect.zone-proxy-fields"],
    )
    .from_guide(),
    Task::checked(
        Step::console("Direct Connect > Zone Proxies", "wait until the column Status says Connected"),
        &["direct-connect.zone-proxy-status"],
    )
    .from_guide(),
    Task::seen(
        Step::console("Direct Connect > Home > Connection Test", "test an endpoint that connects through {zone-proxy-addresses}"),
        "the test connects",
    ),
]);
