//! Reports of Reporting, which the API Gateway lists and reads. Modules bring their own: a constant with the reports
//! of a module goes into [`MODULES`], and its rows are made of the state, so that faults of the module show in them.

use crate::state::State;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A report.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) name: &'static str,
    pub(crate) module: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// Its rows, not summarized: one cell for each column.
    pub(crate) rows: fn(&State) -> Vec<Vec<String>>,
    /// What the Gateway says instead of results.
    pub(crate) error: Option<&'static str>,
}

/// The reports of each module.
const MODULES: &[&[Report]] = &[crate::areas::deploy::REPORTS, crate::areas::patch::REPORTS];

/// Predefined reports that the maintenance guide names. A module that describes its own in [`MODULES`] has the word; the
/// columns of the others are the lab's.
const GUIDE: [Report; 3] = [
    predefined("Deploy - Endpoint Deployment Process Running", "Deploy"),
    predefined("Deploy - Coverage Status Details", "Deploy"),
    predefined("Patch Coverage Status", "Patch"),
];

const fn predefined(name: &'static str, module: &'static str) -> Report {
    Report { name, module, columns: &["Computer Name"], rows: |_| Vec::new(), error: None }
}

/// All reports. Ids are positions, starting at one.
pub(crate) struct Reports {
    pub(crate) all: Vec<Report>,
}

impl Reports {
    pub(crate) fn new() -> Self {
        let mut all = MODULES.concat();
        let others = GUIDE.into_iter().filter(|report| all.iter().all(|own| own.name != report.name));
        all.extend(others.collect::<Vec<_>>());
        Self { all }
    }

    /// The report with this id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Report> {
        self.all.get(id.parse::<usize>().ok()?.checked_sub(1)?)
    }

    /// The list, cut by the documented filter: words of the name or description, names of modules.
    pub(crate) fn list(&self, filter: &Value) -> Vec<Value> {
        let text = filter["text"].as_str().unwrap_or_default().to_lowercase();
        let modules = filter["moduleNames"].as_array();
        let wanted = |report: &Report| {
            report.name.to_lowercase().contains(&text)
                && modules.is_none_or(|modules| modules.iter().any(|module| *module == report.module))
        };
        let all = (1..).zip(&self.all).filter(|(_, report)| wanted(report));
        all.map(|(id, report): (u64, _)| report.render(id)).collect()
    }
}

impl Report {
    fn render(&self, id: u64) -> Value {
        json!({
            "id": id.to_string(),
            "name": self.name,
            "description": "",
            "moduleName": self.module,
            "viewDetails": self.view(),
        })
    }

    /// Its columns, and the source they are taken from, which the lab names like the report.
    pub(crate) fn view(&self) -> Value {
        let column = |name: &&str| json!({"name": name, "sourceName": self.name, "sourceColumnName": name});
        json!({"columns": self.columns.iter().map(column).collect::<Vec<_>>()})
    }

    /// Its results; equal rows are counted once where they are summarized.
    pub(crate) fn results(&self, state: &State, summarize: bool) -> Vec<Value> {
        let render = |(row, count): (&Vec<String>, u64)| {
            let columns: Vec<Value> = row.iter().map(|cell| json!({"values": [cell]})).collect();
            json!({"count": count, "columns": columns})
        };
        let rows = (self.rows)(state);
        if !summarize {
            return rows.iter().map(|row| render((row, 1))).collect();
        }
        let mut counts = BTreeMap::<&Vec<String>, u64>::new();
        for row in &rows {
            *counts.entry(row).or_default() += 1;
        }
        counts.into_iter().map(render).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Setup;

    const COVERAGE: Report = Report {
        name: "Coverage",
        module: "Example",
        columns: &["Status"],
        rows: |_| ["Optimal", "Unsupported", "Optimal"].map(|text| vec![text.to_owned()]).to_vec(),
        error: None,
    };

    #[test]
    fn reports_are_listed_filtered_and_summarized() {
        let mut reports = Reports { all: vec![COVERAGE, Report { name: "Other", ..COVERAGE }] };
        assert_eq!(reports.list(&Value::Null).len(), 2);
        assert_eq!(reports.list(&json!({"text": "cover"}))[0]["id"], "1");
        assert_eq!(reports.list(&json!({"moduleNames": ["Elsewhere"]})).len(), 0);
        let setup =
            Setup { seed: 1, endpoints: 10, containers: 0, special_cells_every: 0, joined: Vec::new() };
        let state = State::new(setup, "2026-03-04T12:00:00Z".parse().unwrap(), &[]);
        assert_eq!(COVERAGE.results(&state, false).len(), 3);
        assert_eq!(COVERAGE.results(&state, true)[0]["count"], 2);
        reports.all[1].error = Some("the report is broken");
        assert_eq!(reports.by_id("2").unwrap().error, Some("the report is broken"));
        assert!(reports.by_id("3").is_none() && reports.by_id("0").is_none());
    }
}
