//! API tokens: who holds them, how long they last, from where they may be used. Never their strings.

use super::Reference;
use crate::{Input, Source, Subject, lenient};
use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// All API tokens that are active. The Gateway shows those of the calling user alone. Neither tells a token's string.
pub const API_TOKENS: Input =
    Input::new("platform.api-tokens", "API tokens, without their strings").sources(&[
        Source::rest("/api/v2/api_tokens").needs(&["view token"]),
        Source::gateway("tokens", OWN_TOKENS).needs(&["gateway use api"]).complete_with(&["view token"]),
        Source::export(
            "api-tokens.csv",
            "Administration > API Tokens",
            "export the list with these columns; leave out the strings of tokens",
            &["id", "name", "user", "persona", "created", "expiration", "last used"],
        ),
    ]);

const OWN_TOKENS: &str = "query { myAPITokens { tokens { id created expiration lastUsed notes persona { name } \
                          trustedIPAddresses } } }";

/// An API token (`GET /api/v2/api_tokens`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ApiToken {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// What its owner wrote down about it.
    #[serde(deserialize_with = "lenient::text")]
    pub notes: String,
    /// Its name; usually empty.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The token is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// The user it signs in; none in the Gateway's list, which shows own tokens alone.
    #[serde(deserialize_with = "lenient::named")]
    pub user: Reference,
    /// The persona it signs in as; id 0 is none.
    #[serde(deserialize_with = "lenient::named")]
    pub persona: Reference,
    /// When it was made, or last rotated.
    #[serde(deserialize_with = "lenient::time", alias = "created")]
    pub created_time: Option<Timestamp>,
    /// When it ceases to work.
    #[serde(deserialize_with = "lenient::time")]
    pub expiration: Option<Timestamp>,
    /// The days that it lasts from its making.
    #[serde(deserialize_with = "lenient::number")]
    pub expire_in_days: Option<f64>,
    /// When it was last used; 2001-01-01 is never.
    #[serde(deserialize_with = "lenient::time", alias = "lastUsed", alias = "last used")]
    pub last_used_on: Option<Timestamp>,
    /// Addresses and networks from which it may be used; nothing where the list has no such column.
    #[serde(deserialize_with = "addresses", alias = "trustedIPAddresses")]
    pub trusted_ip_addresses: Option<Vec<String>>,
}

impl ApiToken {
    /// The subject of a finding about this token.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let told = [&self.notes, &self.name].into_iter().find(|text| !text.is_empty());
        let name =
            told.map_or_else(|| format!("token {}", self.id), |text| format!("token {} ({text})", self.id));
        Subject::new("API token", &self.id, name)
    }

    /// Whose token it is, for people.
    #[must_use]
    pub fn owner(&self) -> &str {
        if self.user.is_none() { "its owner" } else { self.user.label() }
    }
}

/// A text with commas, as the platform writes it, or a list, as the Gateway does.
fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let split = |text: &str| -> Vec<String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(split(&text))),
        Value::Array(items) => Ok(Some(items.iter().filter_map(Value::as_str).flat_map(split).collect())),
        other => Err(D::Error::custom(format!("expected addresses, found {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_is_read_from_every_source() {
        let read = |value| serde_json::from_value::<ApiToken>(value).unwrap();
        let rest =
            read(json!({"id": 6, "user": {"id": 1, "name": "ann"}, "created_time": "2026-04-27T19:54:47Z",
            "last_used_on": "2001-01-01T00:00:00Z", "trusted_ip_addresses": "10.0.0.1, 10.1.0.0/16"}));
        assert_eq!((rest.owner(), rest.last_used_on), ("ann", None));
        assert_eq!(rest.trusted_ip_addresses.unwrap(), ["10.0.0.1", "10.1.0.0/16"]);
        let gateway =
            read(json!({"id": "6", "created": "2026-04-27T19:54:47Z", "lastUsed": "2026-05-01T00:00:00Z",
            "notes": "report", "trustedIPAddresses": ["10.0.0.1"]}));
        assert_eq!(gateway.created_time, rest.created_time);
        assert_eq!(gateway.trusted_ip_addresses.as_deref(), Some(["10.0.0.1".to_owned()].as_slice()));
        assert_eq!(gateway.subject().name, "token 6 (report)");
        let export = read(json!({"id": "6", "user": "ann", "last used": "Never", "created": "2026-04-27"}));
        assert_eq!((export.owner(), export.last_used_on), ("ann", None));
        assert_eq!(export.trusted_ip_addresses, None);
    }
}
