//! Name, connection and handshake.

use super::{ADMINISTRATOR, NETWORK, RETRY};
use tancheck_plugin_api::prelude::*;

const PORTS: &[&str] = &["Direct Connect User Guide 1.5.12: Ports"];
const SETTINGS: &[&str] = &["Direct Connect User Guide 1.5.12: Configure Endpoint Connection settings"];

/// L9a
pub(super) const NO_NAME: Leaf = Leaf::new(
    "name-does-not-resolve",
    "The name of the Module Server does not resolve in the endpoint's network",
    &NAME_REMEDY,
)
.severity(Severity::High);

const NAME_REMEDY: Remedy = Remedy::new(&[
    Step::command("nslookup {module-server-name}", "on {subject}, or beside it: which DNS server answers, and what"),
    Step::consult("the network team", "publish {module-server-name} with the address of the Module Server in that network"),
    Step::decision(
        "it cannot be published there",
        "Direct Connect > Settings > Endpoint Connection: set a name or an address that all endpoints reach; Save, own password, OK",
    ),
    Step::console("Administration > Actions > Scheduled Actions", "wait for Deploy Direct Connect - Configure Extension where the name changed"),
    RETRY,
])
.who(NETWORK)
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.endpoint-fqdn-resolves")
.references(SETTINGS);

/// L9b
pub(super) const NOTHING_LISTENS: Leaf =
    Leaf::new("nothing-listens", "Nothing listens on the port that endpoints connect to", &LISTEN_REMEDY)
        .severity(Severity::Critical);

const LISTEN_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Direct Connect > Settings > Endpoint Connection",
        "compare Port with {module-server-port}, and with the port that the Module Server listens on",
    ),
    Step::command(
        "tancheck run --check direct-connect.service-running",
        "whether the service answers at all",
    ),
    Step::decision(
        "it does not",
        "start the service on the Module Server; generate a support package first if the reason is unknown",
    ),
    Step::decision(
        "the port was changed lately",
        "wait until Deploy Direct Connect - Configure Extension succeeded on {subject}",
    ),
    Step::decision(
        "the service listens",
        "a firewall refuses: open TCP {module-server-port} to the Module Server",
    ),
    RETRY,
])
.cautions(&["A restart of the service ends the open sessions of all products."])
.who(ADMINISTRATOR)
.risk(Risk::Medium, Reversible::Partly)
.verify("direct-connect.port-module-17475")
.references(PORTS);

/// L9c
pub(super) const FILTERED: Leaf =
    Leaf::new("filtered", "A firewall or a route is in the way", &FILTERED_REMEDY).severity(Severity::High);

const FILTERED_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the network team",
        "open TCP from the network of {subject} to {module-server-name}:{module-server-port}",
    ),
    Step::decision("the endpoint is external", "open TCP to its zone proxy instead: {zone-proxy-addresses}"),
    Step::consult(
        "the administrator of the server",
        "whether its own firewall lets the port in, and whether it has a route back",
    ),
    RETRY,
])
.who(NETWORK)
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.port-module-17475")
.references(PORTS);

/// L9d
pub(super) const WRONG_SERVICE: Leaf =
    Leaf::new("wrong-service", "Something else answers on the port", &SERVICE_REMEDY)
        .severity(Severity::High);

const SERVICE_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the administrator of the Module Server",
        "which service owns TCP {module-server-port}: stop it, or move it to another port",
    ),
    Step::consult(
        "the network team",
        "whether an HTTP proxy takes the connection: leave this flow out of it",
    ),
    RETRY,
])
.who(NETWORK)
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.tls-protocol")
.references(PORTS);

/// L9e
pub(super) const CERTIFICATE_DATES: Leaf =
    Leaf::new("certificate-dates", "The certificate has expired, or is not valid yet", &DATES_REMEDY)
        .severity(Severity::Critical);

const DATES_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owners of {subject} and of the Module Server", "compare both clocks with the true time first"),
    Step::decision("the clocks are right", "tancheck guide direct-connect cert-renew-rollout: renew the server certificate, and the client certificate if it has expired, too"),
    RETRY,
])
.cautions(&["A new client certificate reaches endpoints by Deploy Direct Connect - Configure Extension: those that are offline or locked keep the old one."])
.who(ADMINISTRATOR)
.risk(Risk::Medium, Reversible::No)
.verify("direct-connect.cert-server-expiry")
.references(&["Direct Connect User Guide 1.5.12: Configure certificates"]);

/// L9f
pub(super) const INTERCEPTED: Leaf =
    Leaf::new("intercepted", "Something opens the TLS connection on its way", &INTERCEPTED_REMEDY)
        .severity(Severity::High);

const INTERCEPTED_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "openssl s_client -connect {module-server-name}:{module-server-port} -tls1_2",
        "on the Module Server itself and beside {subject}: compare issuer and fingerprint of the certificate",
    ),
    Step::consult(
        "the network team",
        "exempt this port from TLS inspection, for the zone proxies as well: {zone-proxy-addresses}",
    ),
    RETRY,
])
.who(NETWORK)
.risk(Risk::Low, Reversible::Yes)
.verify("direct-connect.tls-interception")
.references(PORTS);

/// L9g
pub(super) const NO_COMMON_SUITE: Leaf =
    Leaf::new("no-common-suite", "Both sides share no cipher suite or protocol version", &SUITE_REMEDY)
        .severity(Severity::High);

const SUITE_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the administrators of the Module Server and of the devices on the way",
        "which policy took TLS 1.2 or its cipher suites away: load balancers, firewalls and hardened systems have one",
    ),
    Step::decision(
        "the policy can change",
        "allow TLS 1.2 with at least one of ECDHE-RSA-AES256-GCM-SHA384 and ECDHE-RSA-AES128-GCM-SHA256",
    ),
    RETRY,
])
.who(NETWORK)
.risk(Risk::Medium, Reversible::Yes)
.verify("direct-connect.tls-suites")
.references(PORTS);
