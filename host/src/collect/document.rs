//! JSON answers: read whole, and taken out of the envelopes that platform and modules put them in.

use super::transport::{Call, Problem, Transport};
use serde_json::Value;
use std::fmt;
use tancheck_plugin_api::{Outcome, Shape};

/// Where in an answer the data lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Under this key (`a/b` reaches deeper), at the top or within `data` or `body`; empty: in the usual places.
    Key(String),
    /// At this JSON pointer, as the site says.
    Pointer(String),
}

/// Sends a call and reads its answer as JSON.
pub(super) async fn fetch(net: &impl Transport, call: &Call) -> Result<Value, Problem> {
    let bytes = net.send(call, Vec::<u8>::new).await?;
    parse(&bytes, &call.label())
}

fn parse(bytes: &[u8], label: &str) -> Result<Value, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Err(not_evaluated(label, "the answer is empty, JSON was expected"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let what = if error.is_eof() {
            "the answer ends in the middle of its JSON"
        } else {
            "the answer is not valid JSON"
        };
        not_evaluated(label, format!("{what} ({error})"))
    })
}

impl Place {
    /// The data of this shape, taken out of its envelope.
    pub(super) fn take(&self, mut document: Value, shape: Shape, label: &str) -> Result<Value, Problem> {
        let fits = |value: &Value| match shape {
            Shape::Rows => value.is_array(),
            Shape::Object => value.is_object(),
            Shape::Value => value.is_string() || value.is_number() || value.is_boolean(),
        };
        let pointers = self.pointers(shape, &document);
        let found = pointers.iter().find(|pointer| document.pointer(pointer).is_some_and(fits));
        match found.and_then(|pointer| document.pointer_mut(pointer)) {
            Some(value) => Ok(value.take()),
            None => Err(self.not_there(&document, shape, label)),
        }
    }

    /// Where to look, the most particular place first.
    fn pointers(&self, shape: Shape, document: &Value) -> Vec<String> {
        let key = match self {
            Self::Pointer(pointer) => return vec![pointer.clone()],
            Self::Key(key) => key,
        };
        let mut pointers = Vec::new();
        if !key.is_empty() {
            pointers.extend(["", "/data", "/body"].map(|envelope| format!("{envelope}/{key}")));
        }
        let usual = ["/data", "/body"].map(str::to_owned);
        // An object's envelope is an object too: the bare one is the last guess, and only where nothing wraps it.
        let wrapped = usual.iter().any(|pointer| document.pointer(pointer).is_some());
        match shape {
            Shape::Object if wrapped => pointers.extend(usual),
            Shape::Object => pointers.push(String::new()),
            Shape::Rows | Shape::Value => {
                pointers.push(String::new());
                pointers.extend(usual);
            }
        }
        pointers
    }

    fn not_there(&self, document: &Value, shape: Shape, label: &str) -> Problem {
        let expected = match shape {
            Shape::Rows => "a list",
            Shape::Object => "an object",
            Shape::Value => "a number or a text",
        };
        let said = document.get("text").and_then(Value::as_str);
        let found = match (said, document) {
            (Some(said), _) => format!("the server said {said:?}"),
            (None, Value::Object(fields)) if fields.is_empty() => "the answer is an empty object".to_owned(),
            (None, Value::Object(fields)) => {
                let kinds: Vec<String> =
                    fields.iter().take(8).map(|(key, value)| format!("{key} ({})", kind(value))).collect();
                format!("the answer has {}", kinds.join(", "))
            }
            (None, other) => format!("the answer is {}", kind(other)),
        };
        not_evaluated(
            label,
            format!(
                "{expected} was expected {self}, but {found}; if the route has changed, point the input to it under [inputs]"
            ),
        )
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) if key.is_empty() => formatter.write_str("bare, under data or under body"),
            Self::Key(key) => write!(formatter, "under {key}"),
            Self::Pointer(pointer) => write!(formatter, "at {pointer:?}"),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

pub(super) fn not_evaluated(label: &str, what: impl AsRef<str>) -> Problem {
    Problem::new(Outcome::NotEvaluated, format!("{label}: {}", what.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(document: Value, key: &str) -> Result<Value, String> {
        let place = Place::Key(key.to_owned());
        place.take(document, Shape::Rows, "GET /x").map_err(|problem| problem.reason)
    }

    #[test]
    fn rows_are_found_in_every_envelope() {
        let list = json!([{"id": 1}]);
        for document in [
            list.clone(),
            json!({"data": list}),
            json!({"body": list}),
            json!({"jobs": list, "data": "x"}),
            json!({"data": {"jobs": list, "total": 1}}),
            json!({"body": {"jobs": list}}),
        ] {
            assert_eq!(rows(document.clone(), "jobs").as_ref(), Ok(&list), "{document}");
        }
        assert_eq!(rows(json!({"a": {"b": list}}), "a/b"), Ok(list));
    }

    #[test]
    fn a_wrong_envelope_is_described() {
        assert_eq!(
            rows(json!({"items": [], "total": 3, "data": null}), "").unwrap_err(),
            "GET /x: a list was expected bare, under data or under body, but the answer has data (null), items (a \
             list), total (a number); if the route has changed, point the input to it under [inputs]"
        );
        assert!(rows(json!({"text": "Invalid session"}), "").unwrap_err().contains("\"Invalid session\""));
        assert!(rows(json!(7), "jobs").unwrap_err().contains("under jobs, but the answer is a number"));
    }

    #[test]
    fn objects_and_values_are_unwrapped() {
        let take = |document: Value, shape| Place::Key(String::new()).take(document, shape, "GET /x").ok();
        assert_eq!(take(json!({"data": {"a": 1}}), Shape::Object), Some(json!({"a": 1})));
        assert_eq!(take(json!({"a": 1}), Shape::Object), Some(json!({"a": 1})));
        assert_eq!(take(json!({"data": [1]}), Shape::Object), None);
        assert_eq!(take(json!({"data": 9834}), Shape::Value), Some(json!(9834)));
        assert_eq!(take(json!(9834), Shape::Value), Some(json!(9834)));
        assert_eq!(take(json!({"data": null}), Shape::Value), None);
    }

    #[test]
    fn a_pointer_of_the_site_is_the_only_place() {
        let place = Place::Pointer("/result/list".to_owned());
        assert_eq!(place.take(json!({"result": {"list": []}}), Shape::Rows, "x"), Ok(json!([])));
        assert!(place.take(json!({"data": []}), Shape::Rows, "x").is_err());
    }

    #[test]
    fn broken_json_is_told_from_half_json() {
        let reason = |text: &str| parse(text.as_bytes(), "GET /x").unwrap_err().reason;
        assert_eq!(
            reason("{\"data\":[1,"),
            "GET /x: the answer ends in the middle of its JSON (EOF while parsing a value at line 1 column 11)"
        );
        assert_eq!(
            reason("{\"data\":[1}"),
            "GET /x: the answer is not valid JSON (expected `,` or `]` at line 1 column 11)"
        );
        assert_eq!(reason(" \n"), "GET /x: the answer is empty, JSON was expected");
    }
}
