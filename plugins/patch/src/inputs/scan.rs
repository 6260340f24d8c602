//! Scan configurations.

use super::{SCAN_CONFIGURATIONS, count};
use tancheck_plugin_api::prelude::*;

/// A scan configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ScanConfiguration {
    /// Empty in an exported list.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub(crate) name: String,
    /// `linux` or `windows`.
    #[serde(deserialize_with = "lenient::text", alias = "OS")]
    pub(crate) os_type: String,
    /// `cab`, `online`, `repo`, `tanium` or `wsus`.
    #[serde(deserialize_with = "lenient::text", alias = "Technique")]
    pub(crate) technique: String,
    #[serde(deserialize_with = "count", alias = "Frequency Hours")]
    pub(crate) frequency_in_hours: Option<u64>,
    #[serde(deserialize_with = "count")]
    pub(crate) max_age_minutes: Option<u64>,
    #[serde(deserialize_with = "count", alias = "Random Delay")]
    pub(crate) random_scan_delay_minutes: Option<u64>,
    #[serde(deserialize_with = "lenient::flag", alias = "Scan Window")]
    pub(crate) has_scan_window: Option<bool>,
    /// On how many computer groups it is enforced.
    #[serde(deserialize_with = "count", alias = "Targets")]
    pub(crate) enforcement_count: Option<u64>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) updated_at: Option<Timestamp>,
}

impl ScanConfiguration {
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("scan configuration", self.key(), &self.name)
    }

    /// The id, or the name where there is no id.
    pub(crate) fn key(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }

    /// On how many computer groups it is enforced, or that this is not told.
    pub(crate) fn targets(&self) -> Result<u64, String> {
        self.enforcement_count
            .ok_or_else(|| format!("it is not told where the scan configuration {} is enforced", self.name))
    }
}

/// Every scan configuration.
///
/// # Errors
/// When the list is unavailable.
pub(crate) fn scan_configurations(facts: &Facts<'_>) -> Result<Vec<ScanConfiguration>, Undecided> {
    facts.rows(&SCAN_CONFIGURATIONS)
}
