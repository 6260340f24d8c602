//! Routes as data: method, pattern, what they demand, and the function that answers.

use crate::core::Core;
use crate::session::Caller;
use crate::state::State;
use crate::wire::{Answer, Options, Refusal};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// What a route demands of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing at all: sign-in.
    Nobody,
    /// A valid session or token.
    Session,
    /// A privilege.
    Privilege(&'static str),
    /// One of these privileges; the route itself may show less with the weaker ones.
    AnyOf(&'static [&'static str]),
    /// All of these privileges.
    AllOf(&'static [&'static str]),
}

impl Need {
    /// The privileges named here.
    pub(crate) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Nobody | Self::Session => Vec::new(),
            Self::Privilege(name) => vec![name],
            Self::AnyOf(names) | Self::AllOf(names) => names.to_vec(),
        }
    }

    /// Refuses a caller who may not.
    pub(crate) fn check(self, caller: &Caller) -> Result<(), Refusal> {
        let names = self.names();
        let missing = names.iter().find(|name| !caller.may(name));
        match (self, missing) {
            (Self::AnyOf(_), _) if names.iter().any(|name| caller.may(name)) => Ok(()),
            (Self::AnyOf(_), _) => Err(Refusal::lacks(&names.join(" or "))),
            (_, Some(name)) => Err(Refusal::lacks(name)),
            (_, None) => Ok(()),
        }
    }
}

/// One route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) need: Need,
    pub(crate) answer: fn(&Call<'_>) -> Answer,
}

/// A route that reads.
pub(crate) const fn get(pattern: &'static str, need: Need, answer: fn(&Call<'_>) -> Answer) -> Route {
    Route { method: "GET", pattern, need, answer }
}

/// A route that is called with a body.
pub(crate) const fn post(pattern: &'static str, need: Need, answer: fn(&Call<'_>) -> Answer) -> Route {
    Route { method: "POST", pattern, need, answer }
}

impl Route {
    /// The values of the pattern's `{…}` if the path fits.
    pub(crate) fn fits(&self, path: &str) -> Option<Vec<String>> {
        let mut values = Vec::new();
        let mut wanted = self.pattern.split('/');
        let mut given = path.split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(values),
                (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {
                    values.push(percent_decode(value));
                }
                (Some(a), Some(b)) if a == b => {}
                _ => return None,
            }
        }
    }
}

/// One request on its way through a route.
pub(crate) struct Call<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) state: Arc<State>,
    pub(crate) now: Timestamp,
    pub(crate) caller: Caller,
    pub(crate) path: String,
    pub(crate) params: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) options: Options,
    pub(crate) body: Bytes,
}

impl Call<'_> {
    /// A `{…}` of the pattern, counted from zero.
    pub(crate) fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    /// A `{id}` of the pattern as a number; text becomes an id that nothing has.
    pub(crate) fn id(&self, at: usize) -> u64 {
        self.param(at).parse().unwrap_or(u64::MAX)
    }

    /// A value of the query string.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A number of the query string.
    pub(crate) fn query_number(&self, name: &str) -> Option<usize> {
        self.query(name).and_then(|value| value.parse().ok())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Refusal::new(400, format!("InvalidJSONBody: the body is not JSON: {error}")))
    }
}

/// Splits a query string.
pub(crate) fn parse_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (percent_decode(&key.replace('+', " ")), percent_decode(&value.replace('+', " ")))
        })
        .collect()
}

/// Decodes `%41`; bytes that are no UTF-8 become the replacement character.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_give_their_values() {
        let route = get("/a/{id}/b/{name}", Need::Session, |_| Err(Refusal::new(500, "")));
        assert_eq!(route.fits("/a/7/b/x%2Fy"), Some(vec!["7".to_owned(), "x/y".to_owned()]));
        assert_eq!(route.fits("/a/7/b"), None);
        assert_eq!(route.fits("/a//b/x"), None);
    }

    #[test]
    fn a_query_is_decoded() {
        assert_eq!(parse_query("a=1&b=x%20y+z"), [("a".into(), "1".into()), ("b".into(), "x y z".into())]);
    }
}
