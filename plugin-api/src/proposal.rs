//! A proposal: what a setting of the site would be, going by what was seen. A person accepts it or does not.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a judge proposes for a setting of the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proposal {
    /// The setting's key.
    pub setting: String,
    /// The value.
    pub value: Value,
    /// What it was taken from: "12 subnets with clients".
    #[serde(default)]
    pub seen: String,
}

impl Proposal {
    pub(crate) fn new(setting: &str, value: Proposed, seen: String) -> Self {
        Self { setting: setting.to_owned(), value: value.0, seen }
    }
}

/// A value of the type of a setting. A list is sorted and holds nothing twice: the order in which things were seen means
/// nothing. The lists of a table stay as they are: there it may mean something.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed(Value);

impl From<i64> for Proposed {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

impl From<bool> for Proposed {
    fn from(flag: bool) -> Self {
        Self(flag.into())
    }
}

impl From<&str> for Proposed {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Proposed {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<T: Into<String>> From<BTreeSet<T>> for Proposed {
    fn from(texts: BTreeSet<T>) -> Self {
        Self::from(texts.into_iter().collect::<Vec<T>>())
    }
}

impl<T: Into<String>> From<Vec<T>> for Proposed {
    fn from(texts: Vec<T>) -> Self {
        let texts: BTreeSet<String> = texts.into_iter().map(Into::into).collect();
        Self(texts.into_iter().collect())
    }
}

impl<K: Into<String>, T: Into<String>> From<BTreeMap<K, Vec<T>>> for Proposed {
    fn from(table: BTreeMap<K, Vec<T>>) -> Self {
        let listed = |texts: Vec<T>| texts.into_iter().map(Into::into).collect::<Vec<String>>();
        Self(table.into_iter().map(|(key, texts)| (key.into(), listed(texts))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_sorted_and_hold_nothing_twice() {
        assert_eq!(Proposed::from(vec!["b", "a", "b"]).0, json!(["a", "b"]));
        let table = BTreeMap::from([("k", vec!["b", "a", "b"])]);
        assert_eq!(Proposed::from(table).0, json!({"k": ["b", "a", "b"]}));
        assert_eq!(Proposed::from(BTreeSet::<&str>::new()).0, json!([]));
    }
}
