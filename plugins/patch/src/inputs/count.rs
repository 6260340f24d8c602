//! Whole numbers and shares.

use serde::Deserializer;
use serde::de::Error;
use tancheck_plugin_api::lenient;

/// A count: a whole number, or a text that begins with one; `null` and empty are `None`.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match lenient::number(deserializer)? {
        None => Ok(None),
        Some(number) if number >= 0.0 && number.fract() == 0.0 => Ok(Some(number as u64)),
        Some(number) => Err(D::Error::custom(format!("expected a count, found {number}"))),
    }
}

/// A share as people write it: `7 of 200 (3.5 %)`.
pub(crate) fn share(part: u64, all: u64) -> String {
    format!("{part} of {all} ({:.1} %)", percent(part, all))
}

fn percent(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};

    #[test]
    fn counts_are_whole_and_not_negative() {
        let read = |value: Value| count(value).map_err(|error| error.to_string());
        assert_eq!(read(json!(7)), Ok(Some(7)));
        assert_eq!(read(json!("12 endpoints")), Ok(Some(12)));
        assert_eq!(read(json!(null)), Ok(None));
        assert!(read(json!(-1)).unwrap_err().contains("-1"));
        assert!(read(json!(0.5)).is_err());
    }

    #[test]
    fn shares_are_told_with_one_digit() {
        assert_eq!(share(7, 200), "7 of 200 (3.5 %)");
        assert_eq!(share(0, 0), "0 of 0 (0.0 %)");
    }
}
