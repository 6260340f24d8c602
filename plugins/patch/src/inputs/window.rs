//! Maintenance windows.

use super::{WINDOWS, count};
use tancheck_plugin_api::prelude::*;

/// A maintenance window.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Window {
    /// Empty in an exported list.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub(crate) name: String,
    /// `linux` or `windows`.
    #[serde(deserialize_with = "lenient::text", alias = "OS")]
    pub(crate) os_type: String,
    #[serde(deserialize_with = "lenient::time", alias = "Start")]
    pub(crate) start_time: Option<Timestamp>,
    /// The end of the first occurrence, where it repeats.
    #[serde(deserialize_with = "lenient::time", alias = "End")]
    pub(crate) end_time: Option<Timestamp>,
    /// `daily`, `weekly`, `monthly` or `yearly`; empty where it does not repeat.
    #[serde(deserialize_with = "lenient::text", alias = "Repeat")]
    pub(crate) repeat_type: String,
    #[serde(deserialize_with = "count")]
    pub(crate) repeat_every: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) repeat_on_weekly: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) repeat_by_monthly: String,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) use_tanium_client_time_zone: Option<bool>,
    #[serde(deserialize_with = "lenient::text", alias = "Time Zone")]
    pub(crate) issuer_timezone: String,
    /// On how many computer groups it is enforced.
    #[serde(deserialize_with = "count")]
    enforcement_count: Option<u64>,
    /// Only in an exported list.
    #[serde(rename = "Computer Groups")]
    exported_groups: Option<String>,
}

impl Window {
    pub(crate) fn subject(&self) -> Subject {
        let key = if self.id.is_empty() { &self.name } else { &self.id };
        Subject::new("maintenance window", key, &self.name)
    }

    /// Whether it comes back.
    pub(crate) fn repeats(&self) -> bool {
        !matches!(self.repeat_type.trim().to_ascii_lowercase().as_str(), "" | "no" | "none" | "never")
    }

    /// On how many computer groups it is enforced.
    ///
    /// # Errors
    /// When neither the list nor the export tells; the text says so.
    pub(crate) fn enforcements(&self) -> Result<u64, String> {
        let exported = || self.exported_groups.as_ref().map(|names| listed(names).count() as u64);
        self.enforcement_count
            .or_else(exported)
            .ok_or_else(|| format!("it is not told where the window {} is enforced", self.name))
    }

    /// The names of its computer groups in an exported list.
    pub(crate) fn exported_groups(&self) -> Vec<String> {
        self.exported_groups.iter().flat_map(|names| listed(names)).map(str::to_owned).collect()
    }
}

fn listed(names: &str) -> impl Iterator<Item = &str> {
    names.split([',', ';']).map(str::trim).filter(|name| !name.is_empty())
}

/// Every maintenance window.
///
/// # Errors
/// When the list is unavailable, or empty: then there is nothing to say about any window.
pub(crate) fn windows(facts: &Facts<'_>) -> Result<Vec<Window>, Undecided> {
    let rows: Vec<Window> = facts.rows(&WINDOWS)?;
    if rows.is_empty() {
        return Err(facts.absent(&WINDOWS, "there is no maintenance window; see patch.windows-none"));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};

    fn read(row: Value) -> Window {
        Window::deserialize(row).unwrap()
    }

    #[test]
    fn enforcements_are_told_by_number_or_by_name() {
        assert_eq!(read(json!({"enforcementCount": 2})).enforcements(), Ok(2));
        assert_eq!(read(json!({"Computer Groups": "A, B;C"})).enforcements(), Ok(3));
        assert_eq!(read(json!({"Computer Groups": " "})).enforcements(), Ok(0));
        assert!(read(json!({"name": "Night"})).enforcements().unwrap_err().contains("Night"));
    }

    #[test]
    fn a_window_repeats_by_any_word_but_none() {
        assert!(read(json!({"repeatType": "weekly"})).repeats());
        assert!(!read(json!({"repeatType": null})).repeats());
        assert!(!read(json!({"Repeat": "None"})).repeats());
    }
}
