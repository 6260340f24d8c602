//! Reports of Tanium Reporting: the API Gateway lists them and tells their results.

use crate::outcome::Undecided;
use crate::{Each, Input, Source, lenient};
use serde::Deserialize;

/// All reports with the names of their columns.
pub const REPORTS: Input = Input::new("platform.reports", "reports of Reporting, with their columns")
    .sources(&[Source::gateway("reports", REPORTS_QUERY).needs(&["gateway use api"])]);

const REPORTS_QUERY: &str = "\
query TancheckReports($after: Cursor) {
  reports(first: 500, after: $after) {
    edges { node { id name moduleName viewDetails { columns { name } } } }
    pageInfo { hasNextPage endCursor }
  }
}";

const RESULT_QUERY: &str = "\
query TancheckReportResult($id: ID!, $after: Cursor) {
  reportResultData(id: $id, first: 5000, summarize: true, after: $after) {
    edges { node { count columns { values } } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// The results of the reports with these names, as rows of [`ResultRow`]. The check has to read [`REPORTS`] as well: a
/// row does not tell the names of its columns.
#[must_use]
pub const fn results_of(names: &'static [&'static str]) -> Source {
    Source::gateway("reportResultData", RESULT_QUERY)
        .variables(&[("id", "{id}")])
        .each(Each::row_of("platform.reports").variables(&[("id", "id")]).only("name", names).limit(20))
        .needs(&["gateway use api"])
}

/// A report (`reports` of the Gateway). Names need not be unique.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Report {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The module it belongs to; empty where the Gateway names none.
    #[serde(deserialize_with = "lenient::text")]
    pub module_name: String,
    view_details: View,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct View {
    columns: Vec<Column>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Column {
    #[serde(deserialize_with = "lenient::text")]
    name: String,
}

impl Report {
    /// The names of its columns, in the order of the cells of a row.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.view_details.columns.iter().map(|column| column.name.as_str())
    }
}

/// The only report with this name; nothing where there is none.
///
/// # Errors
/// When several reports have the name: which of them is meant cannot be told.
pub fn named<'a>(reports: &'a [Report], name: &str) -> Result<Option<&'a Report>, Undecided> {
    let same: Vec<&Report> = reports.iter().filter(|report| report.name == name).collect();
    match same[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => {
            let ids: Vec<&str> = same.iter().map(|report| report.id.as_str()).collect();
            Err(Undecided::not_evaluated(format!(
                "{} reports have the name {name} (ids {}); rename or delete the copies in Reporting",
                ids.len(),
                ids.join(", ")
            )))
        }
    }
}

/// A row of a report's results (`reportResultData` of the Gateway).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResultRow {
    /// How many rows are the same.
    pub count: u64,
    columns: Vec<Cell>,
    #[serde(rename = "_of")]
    of: OfReport,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Cell {
    #[serde(deserialize_with = "lenient::list")]
    values: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct OfReport {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}

impl ResultRow {
    /// The id of the report it is a row of.
    #[must_use]
    pub fn report(&self) -> &str {
        &self.of.id
    }

    /// The value of the column at this position; several values are joined by a line feed.
    #[must_use]
    pub fn cell(&self, at: usize) -> String {
        self.columns.get(at).map(|cell| cell.values.join("\n")).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_tells_its_columns_and_a_row_its_cells() {
        let report: Report =
            serde_json::from_value(json!({"id": "7", "name": "Coverage", "moduleName": null,
            "viewDetails": {"columns": [{"name": "Computer Name"}, {"name": "Status"}]}}))
            .unwrap();
        assert_eq!(report.columns().collect::<Vec<_>>(), ["Computer Name", "Status"]);
        let row: ResultRow = serde_json::from_value(json!({"count": 2, "_of": {"id": "7"},
            "columns": [{"values": ["a", "b"]}, {"values": null}]}))
        .unwrap();
        assert_eq!((row.report(), row.cell(0).as_str(), row.cell(1).as_str()), ("7", "a\nb", ""));
        assert_eq!((row.count, row.cell(9).as_str()), (2, ""));
    }

    #[test]
    fn a_name_that_is_not_unique_decides_nothing() {
        let report =
            |id: &str, name: &str| Report { id: id.to_owned(), name: name.to_owned(), ..Report::default() };
        let all = [report("1", "Coverage"), report("2", "Other"), report("3", "Coverage")];
        assert_eq!(named(&all, "Other").unwrap().map(|report| report.id.as_str()), Some("2"));
        assert!(named(&all, "coverage").unwrap().is_none());
        assert!(named(&all, "Coverage").unwrap_err().reason.contains("ids 1, 3"));
    }
}
