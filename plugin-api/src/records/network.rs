//! Where clients are in the network, and the ways in which the platform writes addresses and ranges.

use crate::{Input, Source, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use std::net::IpAddr;

/// Every client that the server remembers: one row each. Its counters are [`super::server::CLIENT_STATUS`].
pub const CLIENTS: Input = Input::new("platform.clients", "registered clients, one row each").sources(&[
    Source::rest("/api/v2/system_status")
        .options(r#"{"cache_expiration":600,"row_count":5000}"#)
        .paged()
        .only_rows_with("computer_id")
        .needs(&["read system status"]),
    Source::export(
        "client-status.csv",
        "Administration > Configuration > Client Status",
        "select all clients, Export, Format: List of Clients - CSV",
        &[
            "Host Name",
            "Network Location (from client)",
            "Network Location (from server)",
            "Direction",
            "Valid Key",
            "Send State",
            "Receive State",
            "Status",
            "Last Registration",
            "Version",
        ],
    ),
]);

/// A registered client (`GET /api/v2/system_status`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Client {
    /// The machine's name.
    #[serde(deserialize_with = "lenient::text", alias = "Host Name")]
    pub host_name: String,
    /// The address that the client tells.
    #[serde(deserialize_with = "lenient::text", alias = "Network Location (from client)")]
    pub ipaddress_client: String,
    /// The address from which the server saw it register: behind NAT, that of the translator.
    #[serde(deserialize_with = "lenient::text", alias = "Network Location (from server)")]
    pub ipaddress_server: String,
    /// When it last registered.
    #[serde(deserialize_with = "lenient::time", alias = "Last Registration")]
    pub last_registration: Option<Timestamp>,
    /// Empty, or a comma list of `Leader`, `Blocked`, `Slow Link Ahead`, `Slow Link Behind`.
    #[serde(deserialize_with = "lenient::text", alias = "Status")]
    pub status: String,
}

/// An address as the platform writes it: plain, in brackets, or with a port behind it. `None` where it is no address.
#[must_use]
pub fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let without_port = || text.rsplit_once(':').map(|(address, _)| address);
    let parse = |text: &str| text.parse::<IpAddr>().ok();
    bracketed.map_or_else(|| parse(text).or_else(|| without_port().and_then(parse)), parse)
}

/// A range as the platform writes it, in the plain notation that libraries read: `[2001:db8::]/32` becomes
/// `2001:db8::/32`, and a single address gets the length of its whole.
#[must_use]
pub fn plain_range(text: &str) -> String {
    let plain: String = text.trim().chars().filter(|character| !matches!(character, '[' | ']')).collect();
    match plain.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => format!("{plain}/32"),
        Ok(IpAddr::V6(_)) => format!("{plain}/128"),
        Err(_) => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_spelling() {
        let plain = |text: &str| address(text).map(|address| address.to_string());
        assert_eq!(plain(" 10.0.0.7 ").as_deref(), Some("10.0.0.7"));
        assert_eq!(plain("10.0.0.7:17472").as_deref(), Some("10.0.0.7"));
        assert_eq!(plain("2001:db8::7").as_deref(), Some("2001:db8::7"));
        assert_eq!(plain("[2001:db8::7]:17472").as_deref(), Some("2001:db8::7"));
        assert_eq!((plain(""), plain("host:1")), (None, None));
    }

    #[test]
    fn ranges_in_every_spelling() {
        assert_eq!(plain_range("[2001:db8::]/32"), "2001:db8::/32");
        assert_eq!(plain_range("192.168.0.0/16"), "192.168.0.0/16");
        assert_eq!(plain_range("192.168.0.1"), "192.168.0.1/32");
        assert_eq!(plain_range("2001:db8::1"), "2001:db8::1/128");
        assert_eq!(plain_range("office"), "office");
    }
}
