//! The plan: every request a run would make, before the first one is sent.

use super::graph::{Graph, Linked, Node};
use super::probe::MOST_CONNECTIONS;
use super::probe::target::{MOST, Target};
use super::way::Ask;
use super::{Local, Want};
use crate::config::{Config, Probing};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use tancheck_plugin_api::manifest::{Each, Request};

/// A request that a run would make.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlannedRequest {
    /// The same request has the same key.
    pub key: String,
    /// The request, for people.
    pub label: String,
    /// The kind of source: `rest`, `question`, `export`…
    pub kind: String,
    /// The inputs it is made for.
    pub inputs: Vec<String>,
    /// Privileges it needs, or without which the list is cut.
    pub privileges: Vec<String>,
    /// How long it took in earlier runs.
    pub expected_seconds: Option<f64>,
    /// What it is repeated for, if it is.
    pub repeats: Option<String>,
}

/// Every request that collecting these inputs would make first; other sources are asked only where those fail.
/// Sends nothing.
#[must_use]
pub fn plan(config: &Config, wants: &[Want], local: &dyn Local, now: Timestamp) -> Vec<PlannedRequest> {
    let graph = Graph::of(wants, config, local, now);
    let mut planned: Vec<PlannedRequest> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for node in &graph.nodes {
        for request in first(node, config, now) {
            match known.get(&request.key) {
                Some(&index) => join(&mut planned[index], request),
                None => {
                    let expected_seconds = local.expected_seconds(&request.key);
                    known.insert(request.key.clone(), planned.len());
                    planned.push(PlannedRequest { expected_seconds, ..request });
                }
            }
        }
    }
    planned
}

/// The requests of the first way that can be asked: one, or a probe of each listener.
fn first(node: &Node, config: &Config, now: Timestamp) -> Vec<PlannedRequest> {
    node.ways.iter().find_map(|linked| of(node, linked, config, now)).unwrap_or_default()
}

fn of(node: &Node, linked: &Linked, config: &Config, now: Timestamp) -> Option<Vec<PlannedRequest>> {
    let way = &linked.way;
    if matches!(linked.over, Some(Err(_))) {
        return None;
    }
    let requests = match way.ask(&node.filling(now, None)) {
        Ok(Some(ask)) if ask.is_question() && !config.deployment.questions => return None,
        Ok(Some(Ask::Probe(targets))) => probes(&targets, &config.probing),
        Ok(Some(ask)) => vec![(ask.key(), ask.label())],
        Ok(None) => {
            let label = local_label(&way.request, &node.input, &config.places.exports);
            vec![(format!("{} {label}", way.request.kind()), label)]
        }
        // A setting is missing.
        Err(_) => return None,
    };
    let mut privileges: Vec<String> = way.needs.iter().chain(&way.complete_with).cloned().collect();
    privileges.sort();
    privileges.dedup();
    let planned = |(key, label)| PlannedRequest {
        key,
        label,
        kind: way.request.kind().to_owned(),
        inputs: vec![node.input.clone()],
        privileges: privileges.clone(),
        expected_seconds: None,
        repeats: way.each.as_ref().map(repeats),
    };
    Some(requests.into_iter().map(planned).collect())
}

/// A request for each listener; what is no listener is told by its row, and nothing is sent for it.
fn probes(targets: &[Target], probing: &Probing) -> Vec<(String, String)> {
    let told = |target: &Target| {
        let listener = target.listener.as_ref().ok()?;
        let (key, how) = match target.brief || probing.quick {
            true => (format!("probe {listener} once"), "1 handshake".to_owned()),
            false => (format!("probe {listener}"), format!("up to {MOST_CONNECTIONS} handshakes")),
        };
        Some((key, format!("probe {listener} from {}, {how}", probing.vantage)))
    };
    targets.iter().take(MOST).filter_map(told).collect()
}

fn join(planned: &mut PlannedRequest, other: PlannedRequest) {
    for (all, more) in [(&mut planned.inputs, other.inputs), (&mut planned.privileges, other.privileges)] {
        all.extend(more);
        all.sort();
        all.dedup();
    }
}

/// What a repetition runs over, for people.
pub(super) fn repeats(each: &Each) -> String {
    match (&each.input, &each.setting) {
        (Some(input), _) if each.items.is_empty() => {
            format!("for each row of {input}, at most {}", each.limit)
        }
        (Some(input), _) => format!("for each of the {} of {input}, at most {}", each.items, each.limit),
        (None, setting) => {
            format!(
                "for each item of the setting {}, at most {}",
                setting.as_deref().unwrap_or_default(),
                each.limit
            )
        }
    }
}

/// What is read on this machine, for people.
pub(super) fn local_label(request: &Request, input: &str, exports: &Path) -> String {
    match request {
        Request::Export { file, .. } => exports.join(file).display().to_string(),
        Request::Answer { .. } => format!("tancheck answer {input}"),
        Request::History { series, days } => format!("stored values of {series}, {days} days"),
        other => other.kind().to_owned(),
    }
}
