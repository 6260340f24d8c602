//! Versions of Tanium's products: any number of dotted fields.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A version as the platform writes it: `7.3.314.3667`, `1.0.9.0048`, `7.2.3518.3.0001`, `7.6.1`, or empty.
///
/// Compared field by field as numbers; leading zeros do not count and missing fields count as zero. A field that is
/// no number is compared by the number it begins with, then as text. An empty version is smaller than any other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductVersion(String);

impl ProductVersion {
    /// A version from its text; blanks around it are dropped.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Whether the product tells no version, or the `0.0.0.0` of a client that never registered.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty() || self.0.split('.').all(|field| field.bytes().all(|byte| byte == b'0'))
    }

    /// The text, as the platform writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number and the rest of each field, without trailing zero fields.
    fn fields(&self) -> Vec<(u64, &str)> {
        let mut fields: Vec<_> = self.0.split('.').map(field).collect();
        while fields.last() == Some(&(0, "")) {
            fields.pop();
        }
        fields
    }
}

fn field(text: &str) -> (u64, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let number = if number.is_empty() { 0 } else { number.parse().unwrap_or(u64::MAX) };
    (number, rest)
}

impl PartialEq for ProductVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ProductVersion {}

impl PartialOrd for ProductVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ProductVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.is_empty().cmp(&other.0.is_empty()).reverse().then_with(|| self.fields().cmp(&other.fields()))
    }
}

impl fmt::Display for ProductVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "(no version)" } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::ProductVersion as Version;

    #[test]
    fn fields_are_compared_as_numbers() {
        assert!(Version::new("7.4.10.1") > Version::new("7.4.9.9999"));
        assert!(Version::new("7.2.3518.3.0001") > Version::new("7.2.3518.3"));
    }

    #[test]
    fn leading_zeros_and_missing_fields_do_not_count() {
        assert_eq!(Version::new("1.0.9.0048"), Version::new("1.0.9.48"));
        assert_eq!(Version::new("7.6"), Version::new("7.6.0.0"));
    }

    #[test]
    fn empty_is_the_smallest_and_unknown() {
        assert!(Version::new("") < Version::new("0.0.0.0"));
        assert!(Version::new(" ").is_unknown() && Version::new("0.0.0.0").is_unknown());
        assert!(!Version::new("0.0.0.1").is_unknown());
    }

    #[test]
    fn odd_fields_are_ordered_and_huge_ones_do_not_overflow() {
        assert!(Version::new("7.6.1-rc1") > Version::new("7.6.1"));
        assert!(Version::new("99999999999999999999999") > Version::new("7"));
    }
}
