//! The servers of the deployment: their disks, peers and trust, requests to join, and the settings of one of them.

use crate::{Input, Source, lenient};
use jiff::Timestamp;
use serde::Deserialize;

/// What each server reported of itself: Tanium Servers, Module Servers, Zone Servers.
pub const SERVER_HEALTH: Input =
    Input::new("platform.server-health", "the servers by role: disk, and when each last reported")
        .sources(&[Source::rest("/api/v2/server_health").object()]);

/// The Tanium Servers of an active-active cluster.
pub const SERVER_HOSTS: Input =
    Input::new("platform.server-hosts", "the Tanium Servers and their heartbeats")
        .sources(&[Source::rest("/api/v2/server_host").object()]);

/// Whom the answering Tanium Server trusts; empty where there is one Tanium Server only.
pub const SERVER_TRUSTS: Input = Input::new("platform.server-trusts", "trust between the Tanium Servers")
    .sources(&[Source::rest("/api/v2/server_trusts")]);

/// Zone Servers and hubs that asked to join. Only the Administrator reserved role may read it, which is no privilege.
pub const REGISTRATION_REQUESTS: Input =
    Input::new("platform.server-registration-requests", "servers that asked to join")
        .sources(&[Source::rest("/api/v2/server_registration_requests")]);

/// Settings of the answering Tanium Server itself. Protected values stay hidden, because nothing asks for them.
pub const LOCAL_SETTINGS: Input =
    Input::new("platform.local-settings", "settings of the Tanium Server itself")
        .sources(&[Source::rest("/api/v2/local_settings")]);

/// `GET /api/v2/server_health`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServerHealth {
    /// Servers by role; missing where the answer is not what it should be.
    pub servers: Option<ServersByRole>,
}

/// Servers by role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServersByRole {
    /// Tanium Servers.
    #[serde(deserialize_with = "lenient::list")]
    pub tanium_servers: Vec<ServerReport>,
    /// Module Servers.
    #[serde(deserialize_with = "lenient::list")]
    pub module_servers: Vec<ServerReport>,
    /// Zone Servers.
    #[serde(deserialize_with = "lenient::list")]
    pub zone_servers: Vec<ServerReport>,
}

/// What a server reported of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServerReport {
    /// Its host name or address.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// Bytes of its disk.
    #[serde(deserialize_with = "lenient::number")]
    pub capacity: Option<f64>,
    /// Bytes that are free.
    #[serde(deserialize_with = "lenient::number")]
    pub available: Option<f64>,
    /// When it reported.
    #[serde(deserialize_with = "lenient::time")]
    pub timestamp: Option<Timestamp>,
}

impl ServerHealth {
    /// All servers with their role; empty where the answer has none.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &ServerReport)> {
        self.servers.iter().flat_map(|servers| {
            let lists = [
                ("Tanium Server", &servers.tanium_servers),
                ("Module Server", &servers.module_servers),
                ("Zone Server", &servers.zone_servers),
            ];
            lists.into_iter().flat_map(|(role, list)| list.iter().map(move |server| (role, server)))
        })
    }
}

/// `GET /api/v2/server_host`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServerHosts {
    /// One element for each Tanium Server.
    #[serde(deserialize_with = "lenient::list")]
    pub servers: Vec<TaniumServer>,
}

/// A Tanium Server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TaniumServer {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name, with the port.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// Its address.
    #[serde(deserialize_with = "lenient::text")]
    pub address: String,
    /// When it last reported.
    #[serde(deserialize_with = "lenient::time")]
    pub heart_beat: Option<Timestamp>,
    /// Whether it is the server that answers.
    #[serde(deserialize_with = "lenient::flag")]
    pub current: Option<bool>,
}

/// A trust relationship (`GET /api/v2/server_trusts`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServerTrust {
    /// The other server's id.
    #[serde(deserialize_with = "lenient::id")]
    pub server_guid: String,
    /// The other server.
    #[serde(deserialize_with = "lenient::text")]
    pub server_name: String,
    /// The answering server trusts the other one.
    #[serde(deserialize_with = "lenient::flag")]
    pub current_server_trusts_flag: Option<bool>,
    /// The other one trusts the answering server.
    #[serde(deserialize_with = "lenient::flag")]
    pub reverse_server_trusts_flag: Option<bool>,
    /// The other one was taken out of service.
    #[serde(deserialize_with = "lenient::flag")]
    pub decommissioned_flag: Option<bool>,
}

/// A request of a server to join (`GET /api/v2/server_registration_requests`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegistrationRequest {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The host that asks.
    #[serde(deserialize_with = "lenient::text")]
    pub fqdn: String,
    /// `HUB`, or another role; the words are not all documented.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub role: String,
    /// It was approved.
    #[serde(deserialize_with = "lenient::flag")]
    pub approved_flag: Option<bool>,
    /// It was rejected.
    #[serde(deserialize_with = "lenient::flag")]
    pub rejected_flag: Option<bool>,
    /// Its approval was revoked.
    #[serde(deserialize_with = "lenient::flag")]
    pub revoked_flag: Option<bool>,
    /// When the host last asked.
    #[serde(deserialize_with = "lenient::time")]
    pub last_registered_time: Option<Timestamp>,
}

/// A setting of one Tanium Server (`GET /api/v2/local_settings`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LocalSetting {
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// Its value; `(protected)` where it is a secret.
    #[serde(deserialize_with = "lenient::text")]
    pub value: String,
}

/// The host of a server's name or address, without a port: `ts1.example.com:17472` → `ts1.example.com`.
#[must_use]
pub fn host_name(name: &str) -> &str {
    let name = name.trim();
    match name.rsplit_once(':') {
        // An address with more colons is IPv6, unless it stands in brackets.
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.contains(':') => host,
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && host.ends_with(']') => host,
        _ => name,
    }
}

/// Whether two names mean the same host. A name without a domain is the host of that name in any domain.
#[must_use]
pub fn same_host(one: &str, other: &str) -> bool {
    let (one, other) = (host_name(one), host_name(other));
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let is_address = |name: &str| name.contains(':') || name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_short = |name: &str| !name.contains('.');
    !is_address(one)
        && !is_address(other)
        && (is_short(one) || is_short(other))
        && !one.is_empty()
        && short(one) == short(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hosts_are_compared_without_port_case_and_domain() {
        assert!(same_host("TS1.example.com:17472", "ts1.example.com"));
        assert!(same_host("ts1", "ts1.example.com") && same_host("ts1.example.com", "TS1"));
        assert!(!same_host("ts1.example.com", "ts1.example.org") && !same_host("ts1", "ts2.example.com"));
        assert!(!same_host("10", "10.0.0.5") && same_host("10.0.0.5:443", "10.0.0.5"));
        assert!(!same_host("", "ts1") && !same_host("", ".example.com"));
        assert_eq!(
            (host_name("[::1]:443"), host_name("fe80::1"), host_name(" a ")),
            ("[::1]", "fe80::1", "a")
        );
    }

    #[test]
    fn servers_come_with_their_role() {
        let health: ServerHealth = serde_json::from_value(json!({"servers": {"tanium_servers": [{"name": "a"}],
            "zone_servers": [{"name": "z", "capacity": 100, "available": "7", "timestamp": "2023-04-28T14:12:31Z"}]}}))
        .unwrap();
        let all: Vec<_> = health.all().map(|(role, server)| (role, server.name.as_str())).collect();
        assert_eq!(all, [("Tanium Server", "a"), ("Zone Server", "z")]);
        assert_eq!(health.servers.unwrap().zone_servers[0].available, Some(7.0));
        assert_eq!(ServerHealth::default().all().count(), 0);
    }
}
