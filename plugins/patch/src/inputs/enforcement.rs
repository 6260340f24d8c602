//! Enforcements: what is enforced on which computer group, and on how many endpoints that came into effect.

use super::count;
use serde::Deserializer;
use serde::de::Error;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::Value;

/// A block list, a maintenance window or a scan configuration on one computer group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Enforcement {
    /// The id of what is enforced.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) model_id: String,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) tanium_group_id: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) tanium_group_name: String,
    /// Whether the server has what the endpoints need to obey.
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) is_initialized: Option<bool>,
    /// Nothing where the counts are not available: the service then writes an empty list.
    #[serde(deserialize_with = "counts")]
    pub(crate) enforcement_counts: Option<Counts>,
}

/// Endpoints by how they stand to an enforcement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Counts {
    #[serde(deserialize_with = "count")]
    enforced_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    unenforced_count: Option<u64>,
    /// Endpoints that still have an older version.
    #[serde(deserialize_with = "count")]
    unenforced_wrong_version_count: Option<u64>,
}

impl Counts {
    pub(crate) fn new(enforced: Option<u64>, unenforced: Option<u64>, old: Option<u64>) -> Self {
        Self { enforced_count: enforced, unenforced_count: unenforced, unenforced_wrong_version_count: old }
    }

    /// Enforced, unenforced, with an older version; nothing where one of them is not told.
    pub(crate) fn known(self) -> Option<[u64; 3]> {
        Some([self.enforced_count?, self.unenforced_count?, self.unenforced_wrong_version_count?])
    }

    /// Endpoints that obey.
    pub(crate) fn enforced(self) -> Option<u64> {
        self.enforced_count
    }
}

fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Counts>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Array(items) if items.is_empty() => Ok(None),
        object @ Value::Object(_) => Counts::deserialize(object).map(Some).map_err(D::Error::custom),
        other => Err(D::Error::custom(format!("expected counts of endpoints, found {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;

    fn read(counts: Value) -> Result<Enforcement, String> {
        Enforcement::deserialize(json!({"modelId": 3, "enforcementCounts": counts}))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn counts_that_are_not_available_are_none() {
        assert_eq!(read(json!([])).unwrap().enforcement_counts, None);
        assert_eq!(read(json!(null)).unwrap().enforcement_counts, None);
        assert!(read(json!([1])).unwrap_err().contains("expected counts"));
    }

    #[test]
    fn counts_are_known_only_when_all_are_told() {
        let counts = |value| read(value).unwrap().enforcement_counts.unwrap();
        let all = json!({"enforcedCount": 5, "unenforcedCount": 1, "unenforcedWrongVersionCount": 2});
        assert_eq!(counts(all).known(), Some([5, 1, 2]));
        let some = counts(json!({"enforcedCount": 5}));
        assert_eq!((some.known(), some.enforced()), (None, Some(5)));
    }
}
