//! Single facts about client extensions: versions, drivers, settings.

use crate::facts::Tally;
use crate::records::answers::{column_with, columns_of, lines};
use crate::{Undecided, lenient};
use serde::Deserialize;

/// One fact that endpoints tell, and how many tell it so. Also a row of an exported list.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// The extension or tool.
    #[serde(rename = "Component", deserialize_with = "lenient::text")]
    pub component: String,
    /// What is told: `Driver Version`.
    #[serde(rename = "Key", deserialize_with = "lenient::text")]
    pub key: String,
    /// How it is.
    #[serde(rename = "Value", deserialize_with = "lenient::text")]
    pub value: String,
    /// Endpoints that tell so; absent in a list of endpoints.
    #[serde(rename = "Count", deserialize_with = "lenient::number")]
    pub count: Option<f64>,
    /// One endpoint; absent in a list of counts.
    #[serde(rename = "Computer Name", deserialize_with = "lenient::text")]
    pub computer_name: String,
}

impl Detail {
    /// The name of the fact: `recorder: Driver Version`.
    #[must_use]
    pub fn item(&self) -> String {
        format!("{}: {}", self.component.trim(), self.key.trim())
    }

    /// How many endpoints the row stands for.
    #[must_use]
    pub fn endpoints(&self) -> u64 {
        self.count.map_or(1, |count| count as u64)
    }
}

/// The facts in a question's counted rows.
///
/// # Errors
/// When the sensor has no columns for a component, a key and a value; the reason names those that it has.
pub fn details(sensor: &str, tally: &Tally) -> Result<Vec<Detail>, Undecided> {
    let component = column_with(tally, &["component", "domain", "extension name", "tool", "extension"]);
    let key = column_with(tally, &["key", "property", "item"]);
    let value = column_with(tally, &["value"]);
    let (Some(component), Some(key), Some(value)) = (component, key, value) else {
        return Err(Undecided::not_evaluated(format!(
            "the columns of the sensor {sensor} tell no component with a key and a value; found: {}",
            columns_of(tally)
        )));
    };
    let mut all = Vec::new();
    for row in &tally.rows {
        let line = |column: usize, at: usize| {
            lines(&row.cells, column).get(at).map_or(String::new(), |text| (*text).to_owned())
        };
        for at in 0..lines(&row.cells, key).len() {
            let detail = Detail {
                component: line(component, at),
                key: line(key, at),
                value: line(value, at),
                count: Some(row.count as f64),
                computer_name: String::new(),
            };
            if !detail.key.is_empty() {
                all.push(detail);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::TallyRow;

    fn table(columns: &[&str], cells: &[&str]) -> Tally {
        Tally {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: vec![TallyRow {
                cells: cells.iter().map(ToString::to_string).collect(),
                count: 3,
                sample: Vec::new(),
            }],
            answered: 3,
            expected: 3,
            ..Tally::default()
        }
    }

    #[test]
    fn lines_of_one_row_belong_together() {
        let tally = table(&["Component", "Key", "Value"], &["a\nb\nc", "Version\n\nState", "1.2\n\nup"]);
        let found = details("X", &tally).unwrap();
        let texts: Vec<(String, &str, u64)> =
            found.iter().map(|one| (one.item(), one.value.as_str(), one.endpoints())).collect();
        assert_eq!(texts, [("a: Version".to_owned(), "1.2", 3), ("c: State".to_owned(), "up", 3)]);
    }

    #[test]
    fn columns_that_are_missing_are_named() {
        let error = details("X", &table(&["Domain", "Status"], &["a", "up"])).unwrap_err();
        assert!(error.reason.contains("found: Domain, Status"), "{}", error.reason);
    }
}
