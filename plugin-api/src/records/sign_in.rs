//! How people sign in: LDAP connectors, and whether an account is local or remote.

use super::people::User;
use super::server::ServerInfo;
use crate::{Facts, Input, Setting, Source, Undecided, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// All connectors to LDAP or Active Directory servers. The vendor documents no privilege for the route.
pub const LDAP_CONNECTORS: Input = Input::new("platform.ldap-connectors", "connectors to LDAP servers")
    .sources(&[
        Source::rest("/api/v2/ldap_sync_connectors"),
        Source::export(
            "ldap-sync.csv",
            "the Console page of LDAP/AD synchronization",
            "write down the servers with these columns",
            &["Name", "Server", "Enabled", "Last Sync", "Last Sync Result"],
        ),
    ]);

/// Domains of accounts that the Tanium Server itself keeps.
pub const LOCAL_DOMAINS: Setting = Setting::list("local_domains", &[])
    .about("domains of accounts that sign in with a password of the Tanium Server, such as a machine name; accounts without a domain are local anyway");

/// Domains of accounts that another service keeps.
pub const REMOTE_DOMAINS: Setting = Setting::list("remote_domains", &[]).about(
    "domains of accounts that sign in through SAML or another service than a synchronized LDAP server",
);

/// A connector to an LDAP server (`GET /api/v2/ldap_sync_connectors`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LdapConnector {
    /// Its id; empty in an exported list.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub name: String,
    /// The LDAP server.
    #[serde(deserialize_with = "lenient::text", alias = "Server")]
    pub host: String,
    /// Its port.
    #[serde(deserialize_with = "lenient::text")]
    pub port: String,
    /// Whether it is switched on. Users of a connector that is switched off are deleted within minutes.
    #[serde(deserialize_with = "lenient::flag", alias = "Enabled")]
    pub enable: Option<bool>,
    /// 0: not encrypted; 1: signed and encrypted, without TLS; 2 and 3: TLS.
    #[serde(deserialize_with = "lenient::number")]
    pub secure: Option<f64>,
    /// 1: synchronization is paused.
    #[serde(deserialize_with = "lenient::number")]
    pub ldap_sync_state: Option<f64>,
    /// The domain that its users have.
    #[serde(deserialize_with = "lenient::text")]
    pub user_domain: String,
    /// How the last synchronization ended, in words that the vendor does not list.
    #[serde(deserialize_with = "lenient::text", alias = "Last Sync Result")]
    pub last_sync_result: String,
    /// When it last synchronized; 2001-01-01 is never.
    #[serde(deserialize_with = "lenient::time", alias = "Last Sync")]
    pub last_sync_timestamp: Option<Timestamp>,
}

impl LdapConnector {
    /// The id, or the name where there is no id.
    #[must_use]
    pub fn key(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }
}

/// Where an account is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// On the Tanium Server.
    Local,
    /// In an LDAP directory, or with another service.
    Remote,
}

impl Origin {
    /// The word for settings and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

/// What tells where accounts are kept: the domains of LDAP connectors, and those that the site names.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    local: Vec<String>,
    remote: Vec<String>,
}

impl Origins {
    /// Reads [`LDAP_CONNECTORS`], [`LOCAL_DOMAINS`] and [`REMOTE_DOMAINS`].
    ///
    /// # Errors
    /// When the connectors are unavailable.
    pub fn read(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let connectors: Vec<LdapConnector> = facts.rows(&LDAP_CONNECTORS)?;
        let named = |setting| facts.list(setting).into_iter().map(str::to_lowercase);
        let synchronized = connectors.iter().map(|connector| connector.user_domain.to_lowercase());
        let remote = synchronized.filter(|domain| !domain.is_empty()).chain(named(&REMOTE_DOMAINS));
        Ok(Self { local: named(&LOCAL_DOMAINS).collect(), remote: remote.collect() })
    }

    /// Where an account is kept; nothing where that cannot be told.
    #[must_use]
    pub fn of(&self, user: &User) -> Option<Origin> {
        match user.exported_authentication.to_lowercase().as_str() {
            "" => {}
            "local" => return Some(Origin::Local),
            _ => return Some(Origin::Remote),
        }
        let domain = user.domain.to_lowercase();
        if self.remote.contains(&domain) || user.external_flag.is_some_and(|flag| flag != 0.0) {
            return Some(Origin::Remote);
        }
        let is_local =
            domain.is_empty() || self.local.contains(&domain) || user.local_admin_flag == Some(true);
        is_local.then_some(Origin::Local)
    }
}

/// Whether sign-in through SAML is switched on; nothing where the server does not tell.
#[must_use]
pub fn saml(info: &ServerInfo) -> Option<bool> {
    let value = info.section("Settings").find(|(key, _)| *key == "enable_saml_auth")?.1;
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_u64() != Some(0)),
        Value::String(text) => match text.trim() {
            "0" | "false" => Some(false),
            "1" | "true" => Some(true),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user(value: Value) -> User {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_account_is_local_or_remote_or_unknown() {
        let origins = Origins { local: vec!["ts1".to_owned()], remote: vec!["corp".to_owned()] };
        let of = |value| origins.of(&user(value));
        assert_eq!(of(json!({"name": "ann", "domain": ""})), Some(Origin::Local));
        assert_eq!(of(json!({"name": "ann", "domain": "TS1"})), Some(Origin::Local));
        assert_eq!(of(json!({"name": "ann", "domain": "CORP"})), Some(Origin::Remote));
        assert_eq!(of(json!({"name": "ann", "domain": "", "external_flag": 1})), Some(Origin::Remote));
        assert_eq!(of(json!({"name": "ann", "domain": "ELSEWHERE"})), None);
        assert_eq!(
            of(json!({"name": "ann", "domain": "ELSEWHERE", "local_admin_flag": 1})),
            Some(Origin::Local)
        );
        assert_eq!(of(json!({"Name": "ann", "Domain": "X", "Authentication": "SAML"})), Some(Origin::Remote));
        assert_eq!(of(json!({"Name": "ann", "Domain": "X", "Authentication": "Local"})), Some(Origin::Local));
    }

    #[test]
    fn saml_is_on_off_or_not_told() {
        let info = |value: Value| -> ServerInfo {
            serde_json::from_value(json!({"Diagnostics": {"Settings": {"enable_saml_auth": value}}})).unwrap()
        };
        assert_eq!(saml(&info(json!("1"))), Some(true));
        assert_eq!(saml(&info(json!("0"))), Some(false));
        assert_eq!(saml(&info(json!("perhaps"))), None);
        assert_eq!(saml(&ServerInfo::default()), None);
    }
}
