//! The questions, in the order in which they are asked.

use super::{endpoint, session};
use tancheck_plugin_api::prelude::*;

/// What has to be well before a single endpoint is looked at.
const MODULE: &[&str] = &[
    "direct-connect.service-running",
    "direct-connect.setup-complete",
    "direct-connect.endpoint-fqdn-set",
    "direct-connect.endpoint-fqdn-format",
    "direct-connect.endpoint-fqdn-resolves",
    "direct-connect.cert-server-expiry",
    "direct-connect.cert-client-expiry",
    "direct-connect.action-group-target",
    "direct-connect.content-build",
];

pub(super) const NODES: &[Node] = &[
    Node::new("module", "Is Direct Connect itself in order?")
        .look("tancheck run --module direct-connect tells; what it could not decide is on the Direct Connect home page: the three steps of Configuration, the settings Endpoint Connection and Certificates.")
        .checked_by(MODULE, Severity::High, "broken", "sound")
        .branches(&[
            Branch::leaf("broken", "something that all sessions need is broken", "fix-module-first"),
            Branch::node("sound", "nothing that all sessions need is broken", "endpoint"),
        ]),
    Node::new("endpoint", "How many endpoints have the name or address {subject}?")
        .look("Ask in Interact: Get Computer Name from all machines with Computer Name equals \"{subject}\"")
        .read_by(&endpoint::FOUND)
        .branches(&[
            Branch::node("one", "exactly one endpoint has this name or address", "operating-system"),
            Branch::leaf("several", "several endpoints have it", "endpoint-ambiguous"),
            Branch::node("none", "no endpoint that answers has it", "similar-names"),
        ]),
    Node::new("similar-names", "Do names of endpoints hold {subject}?")
        .look("Ask in Interact: Get Computer Name from all machines with Computer Name contains \"{subject}\"")
        .read_by(&endpoint::SIMILAR_NAMES)
        .branches(&[
            Branch::leaf("some", "longer names hold it: one of them may be meant", "endpoint-ambiguous"),
            Branch::leaf("none", "no name holds it", "endpoint-not-found"),
        ]),
    Node::new("operating-system", "Does {subject} run Windows, macOS or Linux?")
        .look("Ask in Interact: Get Operating System from all machines with Computer Name equals \"{subject}\"")
        .read_by(&endpoint::SUPPORTED)
        .branches(&[
            Branch::node("supported", "Direct Connect supports its operating system", "client-version"),
            Branch::leaf("unsupported", "Direct Connect does not support its operating system", "unsupported-system"),
        ]),
    Node::new("client-version", "Is the Tanium Client on {subject} new enough?")
        .look("Ask in Interact: Get Tanium Client Version from all machines with Computer Name equals \"{subject}\"; tancheck explain direct-connect.version-client tells the minimums.")
        .read_by(&endpoint::CLIENT_VERSION)
        .branches(&[
            Branch::node("recent", "its version is one that Direct Connect supports", "action-lock"),
            Branch::node("old", "its version is below the minimum", "action-lock").adding("client-too-old"),
        ]),
    Node::new("action-lock", "Does an action lock on {subject} keep Direct Connect away?")
        .look("Ask in Interact: Get Action Lock Status from all machines with Computer Name equals \"{subject}\"; Settings > Endpoint Connection > Action Lock of Direct Connect says what follows.")
        .read_by(&endpoint::LOCK)
        .branches(&[
            Branch::node("off", "action lock is off", "connection-test"),
            Branch::leaf("blocks-sessions", "action lock is on and blocks all actions of Direct Connect", "lock-blocks-session"),
            Branch::node("keeps-configuration", "action lock is on: sessions open, and changes of the configuration do not arrive", "connection-test")
                .adding("configuration-may-be-stale"),
            Branch::node("allows-both", "action lock is on and lets sessions and changes through", "connection-test"),
        ]),
    Node::new("connection-test", "Does a connection test to {subject} succeed?")
        .look("Direct Connect > Home > Connection Test: enter the name exactly as the Computer Name sensor shows it, or the address, choose it from the results and run the test. It takes the permission Direct Connect Session Write.")
        .branches(&[
            Branch::leaf("succeeded", "the test connected", "path-healthy"),
            Branch::node("failed", "the test failed", "session-action"),
            Branch::node("impossible", "nobody can run one now", "session-action"),
        ]),
    Node::new("session-action", "Is there an Open Session action for {subject} in the action history?")
        .look("Administration > Actions > Action History: filter by Deploy Direct Connect - Open Session, look for the operating system and the time of the attempt, and see the targets.")
        .read_by(&session::ISSUED)
        .from_guide()
        .branches(&[
            Branch::leaf("none", "no action was issued", "action-never-created"),
            Branch::leaf("under-way", "the action is a few minutes old and on its way", "action-under-way"),
            Branch::node("issued", "the action was issued", "action-result"),
        ]),
    Node::new("action-result", "How did the Open Session action fare on {subject}?")
        .look("Administration > Actions > Action History: open the action and look at the row of the endpoint.")
        .read_by(&session::RAN)
        .from_guide()
        .branches(&[
            Branch::node("did-not-run", "it did not run there: no row, waiting, or expired", "action-group"),
            Branch::node("failed", "it ran and was not successful", "extension-log"),
            Branch::node("ran", "it ran, and still no session came to be", "session-path"),
        ]),
    Node::new("action-group", "Is {subject} in the action group {group-name}?")
        .look("Administration > Actions > Action Groups: the computer groups of {group-name}; preview their members, or ask in Interact limited to each of them.")
        .read_by(&endpoint::MEMBER)
        .from_guide()
        .branches(&[
            Branch::node("member", "the action group holds it", "tools"),
            Branch::leaf("no-member", "the action group does not hold it", "not-in-action-group"),
        ]),
    Node::new("tools", "Does {subject} have the latest tools of Direct Connect?")
        .look("Ask in Interact: Get Direct Connect - Tools Version from all machines with Computer Name equals \"{subject}\"")
        .read_by(&endpoint::TOOLS)
        .from_guide()
        .branches(&[
            Branch::leaf("there", "the tools are there", "takes-no-actions"),
            Branch::node("missing", "the tools are missing or old", "tools-action"),
        ]),
    Node::new("tools-action", "Is the scheduled action Deploy Direct Connect - Tools in order?")
        .look("Administration > Actions > Scheduled Actions: enabled, approved, in {group-name}, and its last run.")
        .checked_by(&["direct-connect.deploy-tools-action"], Severity::High, "broken", "sound")
        .from_guide()
        .branches(&[
            Branch::leaf("broken", "it does not deploy", "tools-action-rests"),
            Branch::leaf("sound", "it deploys, and not to this endpoint", "tools-not-installed"),
        ]),
    Node::new("extension-log", "What do the newest lines about dec in extensions0.txt on {subject} say?")
        .look("Logs/extensions0.txt in the folder of the Tanium Client on the endpoint. tancheck run --check direct-connect.extension-log sorts the lines of a copy in the exports folder.")
        .from_guide()
        .branches(&[
            Branch::node("name", "a name does not resolve", "reachability"),
            Branch::node("connection", "a connection was refused or timed out", "reachability"),
            Branch::node("certificate", "a certificate, a handshake or a verification failed", "reachability"),
            Branch::leaf("not-loaded", "the extension is missing or was not loaded", "extension-not-loaded"),
            Branch::leaf("configuration", "the configuration is missing, or names an old server or port", "configuration-old"),
            Branch::leaf("silent", "there is no log, or nothing about dec in it", "extension-silent"),
            Branch::node("unclear", "something else", "reachability"),
        ]),
    Node::new("reachability", "What happens when the network of {subject} connects to {module-server-name}:{module-server-port}?")
        .look("On the endpoint or beside it. Windows: Test-NetConnection {module-server-name} -Port {module-server-port}; others: openssl s_client -connect {module-server-name}:{module-server-port} -tls1_2. External endpoints connect to the zone proxy instead: {zone-proxy-addresses}.")
        .from_guide()
        .branches(&[
            Branch::leaf("no-name", "the name does not resolve", "name-does-not-resolve"),
            Branch::leaf("refused", "the connection is refused", "nothing-listens"),
            Branch::leaf("timeout", "nothing answers in time", "filtered"),
            Branch::leaf("not-tls", "something answers that does not speak TLS", "wrong-service"),
            Branch::leaf("certificate-dates", "the certificate has expired or is not valid yet", "certificate-dates"),
            Branch::leaf("intercepted", "no client certificate is asked for, or another issuer signed", "intercepted"),
            Branch::leaf("no-agreement", "no common cipher suite or protocol version", "no-common-suite"),
            Branch::node("fine", "name, connection and handshake are fine", "session-path"),
        ]),
    Node::new("session-path", "Does {subject} connect through a zone proxy?")
        .look("Direct Connect > Home > Active Connections, column Proxy; or whether the endpoint registers with a Zone Server: Get Tanium Server Name from all machines with Computer Name equals \"{subject}\"")
        .read_by(&session::PATH)
        .branches(&[
            Branch::node("direct", "it connects to the Module Server itself", "configuration"),
            Branch::node("zone-proxy", "it connects through a zone proxy", "zone-proxy"),
        ]),
    Node::new("zone-proxy", "Is that zone proxy Connected?")
        .look("Direct Connect > Zone Proxies, column Status.")
        .read_by(&session::PROXY)
        .branches(&[
            Branch::node("connected", "its status is Connected", "zone-proxy-outside"),
            Branch::leaf("not-connected", "its status is another one", "zone-proxy-down"),
        ]),
    Node::new("zone-proxy-outside", "What happens when something outside connects to the zone proxy?")
        .look("From an external network, to {zone-proxy-addresses}: Test-NetConnection HOST -Port PORT, or openssl s_client -connect HOST:PORT -tls1_2.")
        .branches(&[
            Branch::leaf("fails", "the connection fails", "zone-proxy-unreachable"),
            Branch::leaf("drops", "it connects and drops, and a load balancer stands in front", "balancer-drops"),
            Branch::node("holds", "it connects and holds", "configuration"),
        ]),
    Node::new("configuration", "Did Deploy Direct Connect - Configure Extension succeed on {subject} lately?")
        .look("Administration > Actions > Scheduled Actions: the last run of Deploy Direct Connect - Configure Extension, and the row of the endpoint in it.")
        .read_by(&session::CONFIGURED)
        .from_guide()
        .branches(&[
            Branch::leaf("old", "it failed or expired there, or is older than the settings", "configuration-old"),
            Branch::leaf("current", "it succeeded there after the last change of the settings", "escalate"),
        ]),
];
