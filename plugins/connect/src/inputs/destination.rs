//! Destinations of connections, and what of their settings may be shown.

use super::{Connection, DESTINATIONS, Element, same_kind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

/// Settings that say nothing about where the data goes, and the pinned certificate.
const LEFT_OUT: &[&str] = &["_of", "id", "createdAt", "updatedAt", "destinationType", "cert"];

/// Parts of the names of settings that hold secrets.
const SECRET: &[&str] = &["password", "passphrase", "secret", "token", "credential"];

/// A destination: where a connection sends its data.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// The kind it was asked for.
    #[serde(rename = "_of")]
    of: OfKind,
    /// Its settings, which differ from kind to kind.
    #[serde(flatten)]
    settings: Map<String, Value>,
    /// The connections that send to it.
    #[serde(skip)]
    pub users: Vec<Connection>,
}

/// The kind that a list of destinations was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct OfKind {
    #[serde(deserialize_with = "lenient::text")]
    item: String,
}

impl Destination {
    /// A destination whose settings are written beside its route, as in exported connections.
    fn beside(element: &Element) -> Option<Self> {
        let settings = element.settings.as_object()?.clone();
        let of = OfKind { item: element.kind().to_owned() };
        Some(Self { of, settings, users: Vec::new() })
    }

    /// `https`, `sockets`, …
    pub fn kind(&self) -> &str {
        &self.of.item
    }

    /// Its id; empty in exported connections.
    pub fn id(&self) -> String {
        self.text("id")
    }

    /// The name, or the address where there is no name.
    pub fn name(&self) -> String {
        let name = self.text("name");
        if name.is_empty() { self.address() } else { name }
    }

    /// URL, host or server, without anything secret.
    pub fn address(&self) -> String {
        let texts = ["url", "host", "server", "fileName"].map(|key| self.text(key));
        texts.iter().find(|text| !text.is_empty()).map(|text| without_secrets(text)).unwrap_or_default()
    }

    /// The name of the host it sends to; empty for files.
    pub fn host(&self) -> String {
        let url = without_secrets(&self.text("url"));
        let authority = url.split("://").nth(1).unwrap_or(&url).split(['/', '?']).next().unwrap_or_default();
        let port = |(_, port): &(&str, &str)| port.bytes().all(|byte| byte.is_ascii_digit());
        let from_url = authority.rsplit_once(':').filter(port).map_or(authority, |(host, _)| host);
        let texts = [from_url.to_owned(), self.text("host"), self.text("server")];
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// The certificate that Connect pinned to it (PEM), if it did.
    pub fn pinned(&self) -> Option<String> {
        Some(self.text("cert")).filter(|text| !text.is_empty())
    }

    /// Whether it is reached by TLS.
    pub fn is_tls(&self) -> bool {
        let flag = |key: &str| self.settings.get(key) == Some(&Value::Bool(true));
        self.text("url").to_ascii_lowercase().starts_with("https://") || flag("secure") || flag("encrypt")
    }

    /// What findings are about.
    pub fn subject(&self) -> Subject {
        let key = if self.id().is_empty() { self.name() } else { self.id() };
        Subject::new("destination", format!("{}/{key}", self.kind()), self.name())
    }

    /// Its settings as text, sorted, without secrets: equal texts mean that data goes to the same place in the same way.
    pub fn state(&self) -> String {
        let told: BTreeMap<&str, String> = self
            .settings
            .iter()
            .filter(|(key, _)| !is_left_out(key))
            .map(|(key, value)| (key.as_str(), shown(value)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        let lines: Vec<String> = told.iter().map(|(key, text)| format!("{key}={text}")).collect();
        format!("kind={}\n{}", self.kind(), lines.join("\n"))
    }

    fn text(&self, key: &str) -> String {
        match self.settings.get(key) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    }
}

fn is_left_out(key: &str) -> bool {
    let name = key.to_ascii_lowercase();
    LEFT_OUT.contains(&key) || SECRET.iter().any(|part| name.contains(part))
}

/// A setting as text. Lists (HTTP headers, for one) are shown by the names they hold: their values may be secret.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => without_secrets(text.trim()),
        Value::Array(items) => {
            let names = items.iter().filter_map(|item| item.get("name").and_then(Value::as_str));
            names.collect::<Vec<_>>().join(",")
        }
        Value::Object(fields) => fields.keys().map(String::as_str).collect::<Vec<_>>().join(","),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// An address without user information and without the values of its query, both of which may hold secrets.
pub(super) fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (address, query) =
        rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let (authority, path) = address.find('/').map_or((address, ""), |slash| address.split_at(slash));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let names = query.map(|query| {
        let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        format!("?{}", names.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{host}{path}{}", names.unwrap_or_default())
}

/// The destinations that connections send to, each with its connections; and the connections whose destination is of
/// a kind that was not read.
///
/// # Errors
/// When the destinations are unavailable, or a row cannot be understood.
pub fn destinations(
    facts: &Facts<'_>,
    connections: &[Connection],
) -> Result<(Vec<Destination>, Vec<String>), Undecided> {
    let listed: Vec<Destination> = facts.rows(&DESTINATIONS)?;
    let mut used: BTreeMap<(String, String), Destination> = BTreeMap::new();
    let mut unknown = Vec::new();
    for connection in connections {
        let Some(element) = connection.element("destinations") else {
            unknown.push(format!("{:?} has no destination that the service tells", connection.name));
            continue;
        };
        let same = |one: &&Destination| same_kind(one.kind(), element.kind()) && one.id() == element.id();
        let found = match element.id() {
            "" => Destination::beside(element),
            _ => listed.iter().find(same).cloned(),
        };
        let Some(found) = found else {
            unknown.push(format!(
                "the settings of the destination {element} of {:?} were not read",
                connection.name
            ));
            continue;
        };
        let key = (found.kind().to_owned(), found.subject().key);
        used.entry(key).or_insert(found).users.push(connection.clone());
    }
    Ok((used.into_values().collect(), unknown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn https(settings: Value) -> Destination {
        let mut destination = Destination::deserialize(settings).unwrap();
        destination.of.item = "https".to_owned();
        destination
    }

    #[test]
    fn no_secret_is_part_of_the_state() {
        let state = https(
            json!({"id": 3, "name": "siem", "url": "https://u:hunter2@siem.example/in?token=hunter2&v=1",
            "password": "hunter2", "secret": "hunter2", "cert": "hunter2", "username": "tanium",
            "headers": [{"name": "X-Key", "value": "hunter2"}], "updatedAt": "2026-01-01"}),
        )
        .state();
        assert!(!state.contains("hunter2"), "{state}");
        assert!(!state.contains("updatedAt"), "{state}");
        assert!(
            state.contains("url=https://siem.example/in?token&v") && state.contains("headers=X-Key"),
            "{state}"
        );
    }

    #[test]
    fn hosts_are_read_from_urls_and_fields() {
        assert_eq!(https(json!({"url": "https://siem.example:8443/in"})).host(), "siem.example");
        assert_eq!(https(json!({"host": "log.example", "port": 514})).host(), "log.example");
        assert_eq!(https(json!({"url": "https://[fd00::5]/in"})).host(), "[fd00::5]");
        assert_eq!(https(json!({"fileName": "out.csv"})).host(), "");
    }

    #[test]
    fn tls_is_a_scheme_or_a_flag() {
        assert!(https(json!({"url": "https://siem.example"})).is_tls());
        assert!(https(json!({"host": "log.example", "secure": true})).is_tls());
        assert!(!https(json!({"url": "http://siem.example", "secure": false})).is_tls());
    }
}
