//! Client Management: the Console pages without a public route, as export files made of what endpoints answer.

use crate::areas::fleet::CLIENT_VERSION;
use crate::areas::questions::evaluate::{self, NO_RESULTS};
use crate::areas::questions::grammar::{self, Condition};
use crate::areas::{Area, Export};
use crate::clock::iso;
use crate::state::State;
use crate::wire::Route;
use serde_json::Value;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: &[], exports };

/// The computer groups whose settings the administrator wrote down.
const GROUPS: [&str; 3] = ["All Computers", "All Virtual Machines", "Client Containers"];

fn exports(state: &State) -> Vec<Export> {
    let failures = counted(state, "Get Client Extensions - Status from all machines", None);
    let failures =
        failures.into_iter().filter(|(row, _)| row.len() >= 3 && !special(&row[2]) && !row[2].is_empty());
    let versions = counted(state, "Get Tanium Client Version from all machines", None);
    let versions = versions.into_iter().filter(|(row, _)| !special(&row[0]));
    vec![
        Export {
            file: "client-health-failures.csv",
            columns: &["Domain", "Failure", "Count"],
            rows: failures
                .map(|(row, count)| vec![row[0].clone(), row[2].clone(), count.to_string()])
                .collect(),
        },
        Export {
            file: "client-settings.csv",
            columns: &["Computer Group", "Setting", "Value", "Count"],
            rows: GROUPS.iter().flat_map(|group| settings(state, group)).collect(),
        },
        Export {
            file: "client-versions.csv",
            columns: &["Tanium Client Version", "Count"],
            rows: versions.map(|(row, count)| vec![row[0].clone(), count.to_string()]).collect(),
        },
        Export {
            file: "client-upgrades.csv",
            columns: &["Computer Name", "Upgrade", "Status", "Version", "Time"],
            rows: upgrades(state),
        },
    ]
}

/// The rows of a counted question: the first value of each column, and how often.
fn counted(state: &State, text: &str, group: Option<&str>) -> Vec<(Vec<String>, u64)> {
    let Ok(mut question) = grammar::question(text) else { return Vec::new() };
    if let Some(group) = group {
        question.condition = state.groups.by_name(group).map_or(Condition::Never, |group| group.condition());
    }
    let tally = evaluate::tally(state, &question, false);
    let first = |cells: &str| -> Vec<String> {
        let columns: Vec<Value> = serde_json::from_str(&format!("[{cells}]")).unwrap_or_default();
        columns.iter().map(|values| values[0]["text"].as_str().unwrap_or_default().to_owned()).collect()
    };
    tally.rows.iter().map(|(cells, count)| (first(cells), *count)).collect()
}

fn special(text: &str) -> bool {
    text.starts_with("TSE-Error") || text.starts_with('[')
}

/// The page shows a setting only where some client differs from the default; clients without it count as default.
fn settings(state: &State, group: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (name, default) in [("LogVerbosityLevel", Some("1")), ("ServerNameList", None), ("ServerName", None)]
    {
        let text = format!("Get Tanium Client Explicit Setting[{name}] from all machines");
        let mut values = std::collections::BTreeMap::new();
        for (row, count) in counted(state, &text, Some(group)) {
            let value = match (row[0].as_str(), default) {
                (NO_RESULTS, Some(default)) => default.to_owned(),
                (value, _) if special(value) => continue,
                (value, _) => value.to_owned(),
            };
            *values.entry(value).or_insert(0) += count;
        }
        if values.keys().all(|value| Some(value.as_str()) == default) {
            continue;
        }
        let row = |(value, count): (&String, &u64)| {
            vec![group.to_owned(), name.to_owned(), value.clone(), count.to_string()]
        };
        rows.extend(values.iter().map(row));
    }
    rows
}

/// Endpoints that an upgrade did not bring to the newest version, and as many lines of success as a page shows.
fn upgrades(state: &State) -> Vec<Vec<String>> {
    let run = state.actions.runs.iter().find(|run| run.saved_action.is_none());
    let Some(run) = run else { return Vec::new() };
    let row = |endpoint: crate::areas::fleet::Endpoint| {
        let status = if endpoint.version == CLIENT_VERSION { "Completed" } else { "Failed" };
        vec![
            endpoint.name(),
            run.name.clone(),
            status.to_owned(),
            endpoint.version.into_owned(),
            iso(run.start),
        ]
    };
    let (done, failed): (Vec<_>, Vec<_>) =
        state.fleet.all().take(10_000).map(row).partition(|row| row[2] == "Completed");
    failed.into_iter().chain(done.into_iter().take(50)).collect()
}
