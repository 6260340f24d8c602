//! The state of endpoint tools, tool by tool.

use super::TOOLS_STATUS;
use crate::facts::{Body, Tally};
use crate::records::answers::{column_with, columns_of, failed, lines};
use crate::{Facts, Setting, Undecided, lenient};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the words mean with which sensors tell a state.
pub const VALUE_MAP: Setting = Setting::table("value_map").about(
    "what the words of a sensor mean, where tancheck does not know them: lists of words under active, \
     installed, inactive, missing or failed",
);

/// How a tool fares on an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToolState {
    /// It is there and works.
    Active,
    /// It is there; whether it works is not said.
    Installed,
    /// It is there and does not work.
    Inactive,
    /// It is not there.
    Missing,
    /// It could not be installed or started, or waits for something.
    Failed,
    /// A word that nobody explained.
    Unknown,
}

impl ToolState {
    /// What a word means: as the site says, else by the few words that can mean one thing only.
    #[must_use]
    pub fn of(text: &str, map: &BTreeMap<&str, Vec<&str>>) -> Self {
        let text = text.trim();
        let named = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(text));
        let mapped = map.iter().find(|(_, words)| named(words)).map(|(state, _)| *state);
        match mapped {
            Some("active" | "healthy") => return Self::Active,
            Some("installed") => return Self::Installed,
            Some("inactive" | "unhealthy") => return Self::Inactive,
            Some("missing") => return Self::Missing,
            Some("failed") => return Self::Failed,
            _ => {}
        }
        let lower = text.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if holds(&["not installed", "uninstalled", "missing"]) {
            Self::Missing
        } else if holds(&["fail", "error", "block", "incomplete"]) {
            Self::Failed
        } else if holds(&["inactive", "not active"]) {
            Self::Inactive
        } else if named(&["active", "installed and active"]) {
            Self::Active
        } else if named(&["installed"]) {
            Self::Installed
        } else {
            Self::Unknown
        }
    }
}

/// One tool in one state. Also a row of the exported list of tools.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ToolRow {
    /// The tool.
    #[serde(rename = "Tool", deserialize_with = "lenient::text")]
    pub tool: String,
    /// Its version; empty where the sensor tells none.
    #[serde(rename = "Version", deserialize_with = "lenient::text")]
    pub version: String,
    /// Its state, in the words of the endpoints.
    #[serde(rename = "Status", deserialize_with = "lenient::text")]
    pub status: String,
    /// Endpoints.
    #[serde(rename = "Count", deserialize_with = "lenient::number")]
    pub count: Option<f64>,
}

impl ToolRow {
    /// How many endpoints the row stands for.
    #[must_use]
    pub fn endpoints(&self) -> u64 {
        self.count.map_or(1, |count| count as u64)
    }
}

/// All tools that endpoints tell of, and how many endpoints gave an answer that can be used; that number is unknown for
/// an exported list. An endpoint without results counts as one that has no tool.
///
/// # Errors
/// When the input is unavailable, or its columns cannot be told.
pub fn tools(facts: &Facts<'_>) -> Result<(Vec<ToolRow>, Option<u64>), Undecided> {
    if let Body::Rows(_) = facts.body(&TOOLS_STATUS)? {
        return Ok((facts.rows(&TOOLS_STATUS)?, None));
    }
    let tally = facts.tally(&TOOLS_STATUS)?;
    Ok((read(tally)?, Some(tally.answered.saturating_sub(failed(tally)))))
}

fn read(tally: &Tally) -> Result<Vec<ToolRow>, Undecided> {
    let state = column_with(tally, &["status", "state"]);
    let version = column_with(tally, &["version"]);
    let tool = column_with(tally, &["tool name", "tool", "name"]).filter(|tool| Some(*tool) != state);
    let (Some(tool), Some(state)) = (tool, state) else {
        return Err(Undecided::not_evaluated(format!(
            "the columns of the sensor Endpoint Configuration - Tools Status tell no tool with a state; found: {}; \
             export endpoint-tools.csv instead",
            columns_of(tally)
        )));
    };
    let mut all = Vec::new();
    for row in &tally.rows {
        let (states, versions) =
            (lines(&row.cells, state), version.map(|version| lines(&row.cells, version)).unwrap_or_default());
        let text = |of: &[&str], at: usize| of.get(at).map_or(String::new(), |text| (*text).to_owned());
        for (at, name) in lines(&row.cells, tool).into_iter().enumerate().filter(|(_, name)| !name.is_empty())
        {
            all.push(ToolRow {
                tool: name.to_owned(),
                version: text(&versions, at),
                status: text(&states, at),
                count: Some(row.count as f64),
            });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::TallyRow;

    #[test]
    fn words_that_can_mean_one_thing_are_known_and_the_site_explains_others() {
        let none = BTreeMap::new();
        let of = |text| ToolState::of(text, &none);
        assert_eq!((of("Active"), of("Installed")), (ToolState::Active, ToolState::Installed));
        assert_eq!((of("Not Installed"), of("Install Blocked")), (ToolState::Missing, ToolState::Failed));
        assert_eq!((of("Inactive"), of("Dormant")), (ToolState::Inactive, ToolState::Unknown));
        let map = BTreeMap::from([("active", vec!["dormant", "Installed"]), ("missing", vec!["gone"])]);
        assert_eq!(ToolState::of("Dormant", &map), ToolState::Active);
        assert_eq!(ToolState::of("Installed", &map), ToolState::Active);
        assert_eq!(ToolState::of("gone", &map), ToolState::Missing);
    }

    fn table(columns: &[&str], cells: &[&str]) -> Tally {
        Tally {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: vec![TallyRow {
                cells: cells.iter().map(ToString::to_string).collect(),
                count: 3,
                sample: Vec::new(),
            }],
            ..Tally::default()
        }
    }

    #[test]
    fn tools_are_read_by_the_names_of_columns() {
        let rows =
            read(&table(&["Tool Name", "Version", "Status"], &["a\nb", "1\n2", "Active\nFailed"])).unwrap();
        let texts: Vec<_> =
            rows.iter().map(|row| (row.tool.as_str(), row.version.as_str(), row.status.as_str())).collect();
        assert_eq!(texts, [("a", "1", "Active"), ("b", "2", "Failed")]);
        let error = read(&table(&["Endpoint Configuration - Tools Status"], &["a"])).unwrap_err();
        assert!(error.reason.contains("found: Endpoint"), "{}", error.reason);
    }
}
