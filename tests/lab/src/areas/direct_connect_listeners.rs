//! The listeners of Direct Connect: one on the Module Server, three on the Zone Server. They speak TLS 1.2 by hand,
//! because what is wrong with them no TLS library would serve.

use crate::areas::answers::day;
use crate::areas::direct_connect::and_lost;
use crate::areas::{Area, no_exports};
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports: no_exports };

/// The Module Server, as endpoints know it.
const MODULE_SERVER: &str = "dc.lab.example";
/// The Zone Server, as external endpoints know it.
const ZONE_OUTSIDE: &str = "zs.lab.example";
/// The Zone Server, as the Module Server knows it.
const ZONE_INSIDE: &str = "zs-inside.lab.example";

/// What a listener does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// TLS 1.2.
    Tls,
    /// Nothing listens: connections are refused.
    Nothing,
    /// Plain HTTP.
    Http,
    /// It takes the connection and says nothing.
    Silence,
    /// It tears the connection down.
    Reset,
    /// It answers with TLS 1.0.
    OldTls,
    /// It refuses TLS 1.2 (alert 70).
    NewTls,
    /// One byte of a flight after the other, and never the whole.
    Drops,
    /// Megabytes of handshake.
    Flood,
    /// A flight whose certificate is none.
    Nonsense,
}

/// The key in a listener's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Rsa2048,
    Rsa1024,
    Ec,
}

impl Key {
    /// Whether a suite is one for such a key.
    pub(crate) fn signs(self, suite: u16) -> bool {
        let is_ecdsa = matches!(suite, 0xC02C | 0xC02B | 0xC024 | 0xC023);
        is_ecdsa == (self == Self::Ec)
    }
}

/// A listener.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) host: &'static str,
    pub(crate) port: u16,
    pub(crate) speaks: Speaks,
    pub(crate) certificate: Certificate,
    /// Whether it asks for a client certificate.
    pub(crate) mutual: bool,
    /// The suites that it takes, its favourite first.
    pub(crate) suites: &'static [u16],
}

/// A listener's certificate; it has signed itself unless it names an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Certificate {
    pub(crate) name: &'static str,
    pub(crate) issuer: &'static str,
    pub(crate) key: Key,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) serial: u8,
}

/// All suites that Direct Connect knows.
const ALL_SUITES: &[u16] = &[0xC030, 0xC02F, 0xC028, 0xC027, 0xC02C, 0xC02B, 0xC024, 0xC023];
/// The old half of them.
const CBC_ONLY: &[u16] = &[0xC028, 0xC027, 0xC024, 0xC023];

/// All listeners.
pub(crate) struct Listeners {
    pub(crate) all: Vec<Listener>,
}

impl Listeners {
    pub(crate) fn new(now: Timestamp) -> Self {
        // Whoever pins the proxy's certificate sees the same one for years.
        let proxy = Certificate {
            name: "Tanium Direct Connect Zone Proxy",
            issuer: "",
            key: Key::Rsa2048,
            from: Timestamp::constant(1_577_836_800, 0),
            until: Timestamp::constant(2_524_608_000, 0),
            serial: 2,
        };
        let module = Certificate {
            name: MODULE_SERVER,
            issuer: "",
            key: Key::Rsa2048,
            from: now - days(100),
            until: now + days(600),
            serial: 1,
        };
        let listener = |host, port, certificate: &Certificate| Listener {
            host,
            port,
            speaks: Speaks::Tls,
            certificate: certificate.clone(),
            mutual: true,
            suites: ALL_SUITES,
        };
        Self {
            all: vec![
                listener(MODULE_SERVER, 17475, &module),
                listener(ZONE_OUTSIDE, 17486, &proxy),
                listener(ZONE_INSIDE, 17487, &proxy),
                listener(ZONE_INSIDE, 17488, &proxy),
            ],
        }
    }
}

/// Changes the listener on a port.
fn on(state: &mut State, port: u16, change: impl FnOnce(&mut Listener)) {
    let mut all = state.listeners.all.iter_mut();
    change(all.find(|listener| listener.port == port).expect("each fault names one of the four ports"));
}

fn speaks(state: &mut State, port: u16, what: Speaks) {
    on(state, port, |listener| listener.speaks = what);
}

const PORT: &str = "direct-connect.port-module-17475";

const FAULTS: &[Fault] = &[
    Fault {
        name: "direct-connect-port-17475-refused",
        about: "nothing listens on the port of Direct Connect on the Module Server",
        breaks: and_lost![PORT, "direct-connect.endpoint-port"],
        apply: |state| speaks(state, 17475, Speaks::Nothing),
    },
    Fault {
        name: "direct-connect-port-17486-refused",
        about: "nothing listens on the Zone Server's port for external endpoints",
        breaks: &[],
        apply: |state| speaks(state, 17486, Speaks::Nothing),
    },
    Fault {
        name: "direct-connect-port-17487-refused",
        about: "nothing listens on the Zone Server's port for the Module Server",
        breaks: &["direct-connect.port-zone-module-17487"],
        apply: |state| speaks(state, 17487, Speaks::Nothing),
    },
    Fault {
        name: "direct-connect-port-17488-refused",
        about: "the Zone Server's second port for the Module Server was never opened",
        breaks: &["direct-connect.port-zone-17488"],
        apply: |state| speaks(state, 17488, Speaks::Nothing),
    },
    Fault {
        name: "direct-connect-listener-http",
        about: "another service speaks plain HTTP on the port of Direct Connect",
        breaks: and_lost![PORT, "direct-connect.tls-protocol"],
        apply: |state| speaks(state, 17475, Speaks::Http),
    },
    Fault {
        name: "direct-connect-listener-silent",
        about: "the listener of Direct Connect takes connections and says nothing",
        breaks: and_lost![PORT],
        apply: |state| speaks(state, 17475, Speaks::Silence),
    },
    Fault {
        name: "direct-connect-listener-reset",
        about: "connections to the listener of Direct Connect are torn down",
        breaks: and_lost![PORT],
        apply: |state| speaks(state, 17475, Speaks::Reset),
    },
    Fault {
        name: "direct-connect-listener-old-tls",
        about: "the listener of Direct Connect answers with TLS 1.0",
        breaks: and_lost!["direct-connect.tls-protocol"],
        apply: |state| speaks(state, 17475, Speaks::OldTls),
    },
    Fault {
        name: "direct-connect-listener-no-tls12",
        about: "TLS 1.2 is turned off where Direct Connect listens",
        breaks: and_lost!["direct-connect.tls-protocol"],
        apply: |state| speaks(state, 17475, Speaks::NewTls),
    },
    Fault {
        name: "direct-connect-listener-drips",
        about: "the listener of Direct Connect sends one byte after the other and never comes to an end",
        breaks: and_lost![PORT],
        apply: |state| speaks(state, 17475, Speaks::Drops),
    },
    Fault {
        name: "direct-connect-listener-flood",
        about: "the listener of Direct Connect sends megabytes of handshake",
        breaks: and_lost![PORT],
        apply: |state| speaks(state, 17475, Speaks::Flood),
    },
    Fault {
        name: "direct-connect-listener-no-suite",
        about: "a cipher policy took every suite of Direct Connect away",
        breaks: and_lost!["direct-connect.tls-suites"],
        apply: |state| on(state, 17475, |listener| listener.suites = &[]),
    },
    Fault {
        name: "direct-connect-listener-cbc-only",
        about: "a cipher policy left only the old suites of Direct Connect",
        breaks: &["direct-connect.tls-suites"],
        apply: |state| on(state, 17475, |listener| listener.suites = CBC_ONLY),
    },
    Fault {
        name: "direct-connect-listener-weak-key",
        about: "the server certificate of Direct Connect has an RSA key of 1024 bits",
        breaks: &["direct-connect.tls-key"],
        apply: |state| on(state, 17475, |listener| listener.certificate.key = Key::Rsa1024),
    },
    Fault {
        name: "direct-connect-listener-ec-key",
        about: "the server certificate of Direct Connect has an EC key, where the guide names RSA",
        breaks: &["direct-connect.tls-key"],
        apply: |state| on(state, 17475, |listener| listener.certificate.key = Key::Ec),
    },
    Fault {
        name: "direct-connect-listener-not-mutual",
        about: "the listener of Direct Connect does not ask for a client certificate",
        breaks: &["direct-connect.tls-mutual-auth"],
        apply: |state| on(state, 17475, |listener| listener.mutual = false),
    },
    Fault {
        name: "direct-connect-listener-other-name",
        about: "the server certificate of Direct Connect is for another name",
        breaks: &["direct-connect.tls-name"],
        apply: |state| on(state, 17475, |listener| listener.certificate.name = "ms1.lab.example"),
    },
    Fault {
        name: "direct-connect-listener-intercepted",
        about: "an inspecting firewall puts its own certificate before Direct Connect",
        breaks: &["direct-connect.tls-interception"],
        apply: |state| on(state, 17475, |listener| listener.certificate.issuer = "Lab Inspection CA"),
    },
    Fault {
        name: "direct-connect-server-certificate-expired",
        about: "the server certificate of Direct Connect expired yesterday",
        breaks: and_lost!["direct-connect.cert-server-expiry"],
        apply: |state| {
            let until = state.now - days(1);
            on(state, 17475, |listener| listener.certificate.until = until);
        },
    },
    Fault {
        name: "direct-connect-server-certificate-expiring",
        about: "the server certificate of Direct Connect expires in ten days",
        breaks: &["direct-connect.cert-server-expiry"],
        apply: |state| {
            let until = state.now + days(10);
            on(state, 17475, |listener| listener.certificate.until = until);
        },
    },
    Fault {
        name: "direct-connect-server-certificate-nonsense",
        about: "what Direct Connect presents as its certificate cannot be read",
        breaks: and_lost!["direct-connect.cert-server-present"],
        apply: |state| speaks(state, 17475, Speaks::Nonsense),
    },
    Fault {
        name: "direct-connect-client-certificate-missing",
        about: "no client certificate of Direct Connect is installed",
        breaks: and_lost!["direct-connect.cert-client-present"],
        apply: |state| state.answers.say("direct-connect.client-certificate", "none"),
    },
    Fault {
        name: "direct-connect-client-certificate-expiring",
        about: "the client certificate of Direct Connect expires in twenty days",
        breaks: &["direct-connect.cert-client-expiry"],
        apply: |state| {
            let until = day(state.now + days(20));
            state.answers.say("direct-connect.client-certificate", until);
        },
    },
    Fault {
        name: "direct-connect-zone-proxy-replaced",
        about: "the Zone Proxy was installed again, and its old certificate is still pinned",
        breaks: &["direct-connect.zone-proxy-pin"],
        apply: |state| {
            for listener in state.listeners.all.iter_mut().filter(|listener| listener.port != 17475) {
                listener.certificate.serial = 3;
            }
        },
    },
];
