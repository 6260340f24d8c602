//! What a probe saw of one listener, from one place: name, address, and the first flight of a TLS 1.2 handshake.
//!
//! A probe offers TLS 1.2 and reads what the server sends in the clear before it waits for the client: the suite it
//! chose, its certificates, and whether it asks for a client certificate. It sends nothing else, proves no key, and
//! sees nothing of what lies behind. Where it comes from decides what its failure means: see [`Vantage`].

use crate::facts::Facts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The suites that are offered, all together and then one at a time, by their OpenSSL names.
pub const SUITES: [(&str, u16); 8] = [
    ("ECDHE-ECDSA-AES256-GCM-SHA384", 0xC02C),
    ("ECDHE-RSA-AES256-GCM-SHA384", 0xC030),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02B),
    ("ECDHE-RSA-AES128-GCM-SHA256", 0xC02F),
    ("ECDHE-ECDSA-AES256-SHA384", 0xC024),
    ("ECDHE-RSA-AES256-SHA384", 0xC028),
    ("ECDHE-ECDSA-AES128-SHA256", 0xC023),
    ("ECDHE-RSA-AES128-SHA256", 0xC027),
];

/// What one probe saw: the row that [`Source::probe`](crate::Source::probe) delivers for each target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// The target as the site wrote it.
    pub target: String,
    /// Its host: a name or an address; empty where it could not be read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Where the probe came from.
    pub vantage: Vantage,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How far it came.
    pub stage: Stage,
    /// What stopped it; nothing where the flight is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// The number of the alert, where an alert stopped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// What stopped it, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub says: String,
    /// Everything that the name resolved to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The address that answered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Addresses that were tried before, and why they did not answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_addresses: Vec<FailedAddress>,
    /// Milliseconds until the name was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve_ms: Option<u64>,
    /// Milliseconds until the connection stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u64>,
    /// Milliseconds until the flight was complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flight_ms: Option<u64>,
    /// The version that the server chose: `TLS 1.2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The suite that it chose when all were offered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub suite: String,
    /// The curve of its key exchange.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub curve: String,
    /// It answered only when the greeting did not name the host.
    #[serde(skip_serializing_if = "is_false")]
    pub without_server_name: bool,
    /// Whether it asks the client for a certificate; known only of a complete flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<bool>,
    /// The issuers whose client certificates it accepts, where it names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_issuers: Vec<String>,
    /// Its certificates, its own first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// What it said to each suite alone; empty where that was not asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<Suite>,
}

impl Probe {
    /// Whether the whole first flight was seen.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stage == Stage::Flight
    }

    /// Whether it is not older than so many days: one that another run made may be.
    #[must_use]
    pub fn is_current(&self, facts: &Facts<'_>, days: i64) -> bool {
        self.at.is_some_and(|at| facts.days_since(at) <= days)
    }

    /// The server's own certificate.
    #[must_use]
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    /// Host and port, for people and for keys: the same listener has the same text, however it was written.
    #[must_use]
    pub fn listener(&self) -> String {
        match self.port {
            Some(port) if self.host.contains(':') => format!("[{}]:{port}", self.host),
            Some(port) => format!("{}:{port}", self.host.to_ascii_lowercase()),
            None => self.target.clone(),
        }
    }
}

/// Where a probe comes from, which decides what its failure means. The run says it: `--vantage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vantage {
    /// An endpoint (or a machine in its network) that reaches the servers from the inside.
    EndpointInternal,
    /// An endpoint outside of the perimeter.
    EndpointExternal,
    /// The Module Server.
    ModuleServer,
    /// The Zone Server.
    ZoneServer,
    /// An administrator's machine, or any other: what it can or cannot reach proves little.
    #[default]
    #[serde(other)]
    Admin,
}

impl Vantage {
    /// Every vantage.
    pub const ALL: [Self; 5] =
        [Self::Admin, Self::EndpointInternal, Self::EndpointExternal, Self::ModuleServer, Self::ZoneServer];

    /// The word on the command line and in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::EndpointInternal => "endpoint-internal",
            Self::EndpointExternal => "endpoint-external",
            Self::ModuleServer => "module-server",
            Self::ZoneServer => "zone-server",
        }
    }

    /// The place in a sentence: `from …`.
    #[must_use]
    pub const fn place(self) -> &'static str {
        match self {
            Self::Admin => "an administrator's machine",
            Self::EndpointInternal => "an internal endpoint",
            Self::EndpointExternal => "an external endpoint",
            Self::ModuleServer => "the Module Server",
            Self::ZoneServer => "the Zone Server",
        }
    }
}

impl std::fmt::Display for Vantage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How far a probe came: the last thing that it tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The name.
    Resolve,
    /// The connection.
    Connect,
    /// The greeting was sent; no greeting of the server came back.
    Greeting,
    /// The server greeted, and stopped before its flight was complete.
    Negotiation,
    /// The first flight is complete.
    Flight,
    /// The target itself cannot be used; nothing was sent.
    #[default]
    #[serde(other)]
    Target,
}

/// What stopped a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The site names no target: the setting is empty.
    NoTarget,
    /// What the site names is no host and port.
    BadTarget,
    /// The name does not resolve from here.
    NoName,
    /// Nobody answered the question for the name: nothing is known of it.
    NoResolver,
    /// The host refuses connections to the port.
    Refused,
    /// There is no way to the address.
    NoRoute,
    /// Nothing came in time.
    TimedOut,
    /// The connection was torn down.
    Reset,
    /// The server closed the connection.
    Closed,
    /// What answers does not speak TLS.
    NotTls,
    /// The server sent an alert.
    Alert,
    /// The server chose another version than TLS 1.2.
    WrongVersion,
    /// The server chose a suite that was not offered.
    WrongSuite,
    /// The server sent more than a first flight can hold.
    TooMuch,
    /// What came breaks the rules of TLS.
    Malformed,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// An address that did not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailedAddress {
    /// The address.
    pub address: String,
    /// Why.
    pub says: String,
}

/// A certificate, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// SHA-256 of the certificate, in lower case hexadecimal.
    pub sha256: String,
    /// Why it could not be read; everything below is empty then.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unreadable: String,
    /// The subject's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The subject's common name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub common_name: String,
    /// The issuer's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// The serial number, in hexadecimal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub serial: String,
    /// From when it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The kind of key: `RSA`, `EC`, or the name of another.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The bits of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<u32>,
    /// The algorithm of the signature.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signature: String,
    /// The names and addresses that it is for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// What the server said to one suite alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Suite {
    /// Its OpenSSL name.
    pub name: String,
    /// What became of it.
    pub result: SuiteResult,
    /// The trouble in words, where it was neither accepted nor refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub says: String,
}

/// What became of one suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuiteResult {
    /// The server took it.
    Accepted,
    /// The server refused by an alert.
    Refused,
    /// The server refused by closing the connection.
    RefusedByClose,
    /// Something else happened.
    #[default]
    #[serde(other)]
    Error,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_survives_its_way_and_words_of_a_later_host_do_not_break_it() {
        let probe = Probe {
            target: "dc.example.com".to_owned(),
            host: "DC.example.com".to_owned(),
            port: Some(17475),
            vantage: Vantage::ModuleServer,
            stage: Stage::Flight,
            suites: vec![Suite { name: SUITES[0].0.to_owned(), ..Suite::default() }],
            ..Probe::default()
        };
        let value = serde_json::to_value(&probe).unwrap();
        assert_eq!(serde_json::from_value::<Probe>(value).unwrap(), probe);
        assert_eq!(probe.listener(), "dc.example.com:17475");
        let later =
            json!({"target": "x", "stage": "orbit", "trouble": "quantum", "vantage": "moon", "novelty": 1});
        let later: Probe = serde_json::from_value(later).unwrap();
        assert_eq!((later.stage, later.trouble), (Stage::Target, Some(Trouble::Other)));
        assert!(!later.is_complete());
    }

    #[test]
    fn each_vantage_is_named_as_it_is_written() {
        for vantage in Vantage::ALL {
            assert_eq!(serde_json::to_value(vantage).unwrap(), json!(vantage.name()));
        }
        let probe = Probe { host: "::1".to_owned(), port: Some(1), ..Probe::default() };
        assert_eq!(probe.listener(), "[::1]:1");
    }
}
