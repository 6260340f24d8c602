//! The result sets of actions: how endpoints fared.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::Reference;

/// The result set of one action.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Results {
    #[serde(rename = "_of")]
    pub(crate) of: Of,
    #[serde(deserialize_with = "lenient::list")]
    columns: Vec<Reference>,
    #[serde(deserialize_with = "lenient::list")]
    rows: Vec<ResultRow>,
}

/// The action that it is of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Of {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ResultRow {
    data: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Cell {
    #[serde(deserialize_with = "lenient::text")]
    text: String,
}

/// What a status word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fared {
    Well,
    Badly,
    /// Not at its end yet.
    Underway,
    Unknown,
}

impl Fared {
    pub(crate) fn of(status: &str) -> Self {
        let status = status.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| status.contains(word));
        if holds(&["fail", "expired", "error", "stopped", "not succeeded"]) {
            Self::Badly
        } else if holds(&["completed", "succeeded"]) {
            Self::Well
        } else if holds(&["waiting", "downloading", "running", "pending"]) {
            Self::Underway
        } else {
            Self::Unknown
        }
    }
}

impl Results {
    /// The status words of the endpoints, without the action's number: `Completed`.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = String> {
        let column = self.columns.iter().position(|column| column.name == "Action Statuses");
        let cells = self.rows.iter().filter_map(move |row| row.data.get(column?)).flatten();
        cells
            .filter_map(|cell| cell.text.split_once(':'))
            .map(|(_, status)| status.trim().trim_end_matches('.').to_owned())
    }

    /// The status words of one endpoint.
    pub(crate) fn statuses_of(&self, endpoint: &str) -> Vec<String> {
        let column = self.columns.iter().position(|column| column.name == "Computer Name");
        let is_its = |row: &ResultRow| {
            let cell = column.and_then(|at| row.data.get(at)?.first());
            cell.is_some_and(|cell| cell.text.trim().eq_ignore_ascii_case(endpoint))
        };
        let rows = self.rows.iter().filter(|row| is_its(row)).cloned().collect();
        Self { rows, ..self.clone() }.statuses().collect()
    }
}
