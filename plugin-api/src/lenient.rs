//! Lenient readers for platform objects, for `#[serde(default, deserialize_with = "…")]`.
//!
//! The platform writes booleans as `true`, `1` or `"1"`, ids as numbers or texts, times in several forms, and uses
//! sentinels for "never" and "none". These readers accept all of that; what they do not know is an error, so that an
//! unknown value is never mistaken for a known one.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The largest unsigned 32-bit number: the platform's "none".
const NONE_32: u64 = 4_294_967_295;

/// An id, as text: from a number or a text; `null` is empty.
///
/// # Errors
/// For anything else.
pub fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(unknown("an id", &other)),
    }
}

/// A text; `null` is empty, numbers and booleans are written out.
///
/// # Errors
/// For lists and objects.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        other => Err(unknown("a text", &other)),
    }
}

/// A flag: `true`, `1`, `"1"`, `"true"`, `"yes"` and their opposites; `null` and empty are `None`.
///
/// # Errors
/// For anything else.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match &value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(Some(false)),
        Value::Number(number) if number.as_u64() == Some(1) => Ok(Some(true)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "0" | "false" | "no" => Ok(Some(false)),
            "1" | "true" | "yes" => Ok(Some(true)),
            _ => Err(unknown("yes or no", &value)),
        },
        _ => Err(unknown("yes or no", &value)),
    }
}

/// A number: from a number or a text, a unit behind it is dropped (`"10052 minutes"`); `null`, empty and the
/// sentinel 4294967295 are `None`.
///
/// # Errors
/// For anything else.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match &value {
        Value::Null => Ok(None),
        Value::Number(number) if number.as_u64() == Some(NONE_32) => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) => {
            let Some(first) = text.split_whitespace().next() else { return Ok(None) };
            match first.trim_end_matches('%').parse::<f64>() {
                Ok(number) if number == NONE_32 as f64 => Ok(None),
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(unknown("a number", &value)),
            }
        }
        _ => Err(unknown("a number", &value)),
    }
}

/// A time; see [`parse_time`]. `null`, empty, `Never` and 2001-01-01 are `None`.
///
/// # Errors
/// For a text that is no time.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match &value {
        Value::Null => Ok(None),
        Value::String(text) => parse_time(text).map_err(D::Error::custom),
        _ => Err(unknown("a time", &value)),
    }
}

/// A time as the platform writes it: `2026-11-21T10:00:00Z`, without `Z` (UTC), with fractions, with a blank instead
/// of `T`, `2021/01/19 16:42:30 GMT-0000`, or a date alone. The sentinels `""`, `Never` and 2001-01-01T00:00:00 mean
/// "never" and are `None`.
///
/// # Errors
/// When the text is no time; the message repeats it.
pub fn parse_time(text: &str) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("never") || text.starts_with("2001-01-01T00:00:00") {
        return Ok(None);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    let plain = text.split(" GMT").next().unwrap_or(text).replace('/', "-");
    let plain = plain.trim_end_matches('Z');
    plain
        .parse::<DateTime>()
        .and_then(|time| time.to_zoned(TimeZone::UTC))
        .map(|zoned| Some(zoned.timestamp()))
        .map_err(|_| format!("{text:?} is no time"))
}

/// A list; `null` is empty. Elements that are no objects of the wanted kind (a trailing `cache_info`) are left out.
///
/// # Errors
/// When it is no list.
pub fn list<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .into_iter()
            .filter(|item| item.get("cache_id").is_none() || item.get("page_row_count").is_none())
            .map(|item| T::deserialize(item).map_err(D::Error::custom))
            .collect(),
        other => Err(unknown("a list", &other)),
    }
}

/// An object, or its name alone as an exported list has it; `null` is the default.
///
/// # Errors
/// When it is neither, or the object cannot be understood.
pub fn named<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(T::default()),
        Value::String(name) => T::deserialize(serde_json::json!({ "name": name })).map_err(D::Error::custom),
        object @ Value::Object(_) => T::deserialize(object).map_err(D::Error::custom),
        other => Err(unknown("an object or its name", &other)),
    }
}

fn unknown<E: Error>(expected: &str, found: &Value) -> E {
    E::custom(format!("expected {expected}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Deserialize, Debug, Default, PartialEq)]
    #[serde(default)]
    struct Row {
        #[serde(deserialize_with = "id")]
        id: String,
        #[serde(deserialize_with = "flag")]
        flag: Option<bool>,
        #[serde(deserialize_with = "number")]
        number: Option<f64>,
        #[serde(deserialize_with = "time")]
        time: Option<Timestamp>,
    }

    fn read(value: Value) -> Result<Row, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn every_spelling_is_read() {
        let row = read(json!({"id": "16400095971905400527", "flag": 1, "number": "10052 minutes",
            "time": "2021/01/19 16:42:30 GMT-0000"}))
        .unwrap();
        assert_eq!(row.id, "16400095971905400527");
        assert_eq!((row.flag, row.number), (Some(true), Some(10052.0)));
        assert_eq!(row.time.unwrap().to_string(), "2021-01-19T16:42:30Z");
    }

    #[test]
    fn sentinels_are_nothing() {
        let row =
            read(json!({"id": 7, "number": 4_294_967_295_u64, "time": "2001-01-01T00:00:00Z"})).unwrap();
        assert_eq!((row.id.as_str(), row.number, row.time), ("7", None, None));
        assert_eq!(parse_time("Never"), Ok(None));
    }

    #[test]
    fn what_is_unknown_is_an_error() {
        assert!(read(json!({"flag": "perhaps"})).unwrap_err().contains("perhaps"));
        assert!(read(json!({"time": "yesterday"})).unwrap_err().contains("yesterday"));
        assert!(read(json!({"number": "many"})).is_err());
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        for text in ["2019-08-12T14:38:33", "2019-08-12T14:38:33.000Z", "2019-08-12 14:38:33"] {
            assert_eq!(parse_time(text).unwrap().unwrap().to_string(), "2019-08-12T14:38:33Z", "{text}");
        }
        assert_eq!(parse_time("2019-08-12").unwrap().unwrap().to_string(), "2019-08-12T00:00:00Z");
    }
}
