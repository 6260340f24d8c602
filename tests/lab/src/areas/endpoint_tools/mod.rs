//! Client extensions and endpoint tools: what endpoints tell of them. The words are the lab's, where none are public.

use crate::areas::fleet::{Endpoint, Os};
use crate::areas::questions::evaluate;
use crate::areas::questions::grammar;
use crate::areas::questions::sensors::Row;
use crate::state::State;
use serde_json::Value;
use std::borrow::Cow;

/// Every tool, with its version.
pub(crate) const TOOLS: [(&str, &str); 8] = [
    ("Client Index", "3.2.0"),
    ("Client Recorder", "4.1.2"),
    ("Direct Connect", "2.8.1"),
    ("Discover", "4.0.3"),
    ("Enforce", "2.5.0"),
    ("Integrity Monitor", "3.6.4"),
    ("Performance", "1.14.0"),
    ("Threat Response", "3.5.0"),
];

fn row<const N: usize>(cells: [&'static str; N]) -> Row {
    cells.map(Cow::Borrowed).to_vec()
}

/// A domain for each row, then facts.
pub(crate) fn extensions(_: &State, endpoint: &Endpoint, _: &[String]) -> Vec<Row> {
    let domains = ["config", "dec", "index", "integrity monitor", "recorder", "stream", "threatresponse"];
    let health = domains.into_iter().map(|domain| match &endpoint.extension_failure {
        Some(failure) if failure.domain == domain => row([domain, "Failed", failure.text, "", ""]),
        _ => row([domain, "Healthy", "", "", ""]),
    });
    let mut facts = vec![
        row(["index", "", "", "Version", endpoint.tells("index version", "3.2.0")]),
        row(["recorder", "", "", "Version", "4.1.2"]),
    ];
    match endpoint.os {
        Os::Windows => facts.extend([
            row(["recorder", "", "", "Driver Status", endpoint.tells("driver status", "Running")]),
            row(["recorder", "", "", "Driver Version", endpoint.tells("driver version", "3.1.0")]),
        ]),
        Os::Linux => {
            facts.push(row(["recorder", "", "", "BPF Support", endpoint.tells("bpf", "Supported")]));
        }
        Os::Mac => {}
    }
    if endpoint.index % 25 == 7 {
        facts.push(row(["recorder", "", "", "Setting: CPU Limit", endpoint.tells("cpu limit", "20")]));
    }
    health.chain(facts).collect()
}

/// Component, key and value, as documented; so are the first two words.
pub(crate) fn threat_response(_: &State, endpoint: &Endpoint, _: &[String]) -> Vec<Row> {
    let nominal = match endpoint.os {
        Os::Windows => "Windows Nominal",
        Os::Linux => "Linux Nominal",
        Os::Mac => "Mac Nominal",
    };
    vec![
        row(["Detect Engine", "Can use Signals", "true"]),
        row(["Threat Response", "Active Profile", endpoint.tells("profile", "Standard")]),
        row(["Threat Response", "Overall Status", endpoint.tells("threat response", nominal)]),
    ]
}

/// A row for each tool that is there.
pub(crate) fn tools(_: &State, endpoint: &Endpoint, _: &[String]) -> Vec<Row> {
    let tools = TOOLS.into_iter().filter_map(|(tool, version)| {
        let status = endpoint.tells(tool, "Active");
        let version =
            if tool == "Threat Response" { endpoint.tells("tools version", version) } else { version };
        (status != "gone").then(|| row([tool, version, status]))
    });
    tools.collect()
}

/// The rows of a counted question: the first value of each column, and how often.
pub(crate) fn counted(state: &State, text: &str) -> Vec<(Vec<String>, u64)> {
    let Ok(question) = grammar::question(text) else { return Vec::new() };
    let first = |cells: &str| -> Vec<String> {
        let columns: Vec<Value> = serde_json::from_str(&format!("[{cells}]")).unwrap_or_default();
        columns.iter().map(|values| values[0]["text"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let tally = evaluate::tally(state, &question, false);
    let rows = tally.rows.iter().map(|(cells, count)| (first(cells), *count));
    rows.filter(|(row, _)| row.first().is_some_and(|cell| !special(cell))).collect()
}

/// Not a value.
pub(crate) fn special(text: &str) -> bool {
    text.starts_with("TSE-Error") || text.starts_with('[')
}

/// Changes what some endpoints tell of a topic.
pub(crate) fn some_tell(
    state: &mut State,
    share: f64,
    fits: impl Fn(&Endpoint) -> bool,
    topic: &'static str,
    answer: &'static str,
) {
    state.fleet.change_some(share, fits, move |endpoint| endpoint.told.push((topic, answer)));
}
