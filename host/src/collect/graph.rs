//! What has to be collected, and in which order: identical inputs of several plugins are one node, and a repetition
//! comes after the input it runs over.

use super::each::{self, Variables};
use super::order::{self, Job, Weight};
use super::question::{Question, SAMPLE_VALUES};
use super::resolve::Filling;
use super::transport::Problem;
use super::way::{self, Ask, Way};
use super::{Local, Want};
use crate::config::{Config, InputOverride};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::manifest::{DEPLOYMENT, Request};
use url::Url;

/// Seconds that a question is taken to need that was never asked.
const UNKNOWN_QUESTION: f64 = 5.0;

/// Everything a run collects.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// How much requests matter, by key, as far as they are known before the first one: what several share as much as
    /// the longest chain that waits for it, whoever sends it.
    pub(super) weights: HashMap<String, Weight>,
}

/// One input.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The plugin whose settings fill it.
    pub(super) plugin: String,
    pub(super) input: String,
    pub(super) settings: Map<String, Value>,
    pub(super) ways: Vec<Linked>,
    /// Who gets it: plugin and input.
    pub(super) serves: Vec<(String, String)>,
    /// Nodes that have to be settled before.
    pub(super) after: Vec<usize>,
    /// Everything that decides what it delivers, as text.
    pub(super) identity: String,
    /// How long the longest chain behind it is expected to take.
    behind_seconds: f64,
    /// The same with the node itself.
    pub(super) chain_seconds: f64,
}

/// A way, with the node it runs over.
#[derive(Clone, Debug)]
pub(super) struct Linked {
    pub(super) way: Way,
    pub(super) over: Option<Result<usize, Problem>>,
    /// The request before variables are filled in, as far as it can be.
    pub(super) kind: Option<String>,
    /// The same of the question whose answers it names endpoints for.
    pub(super) alone: Option<String>,
    /// What it asks, as far as that is known before the first request: one, or one for each item of a setting.
    pub(super) asks: Vec<Ask>,
}

impl Linked {
    /// The requests that it may make, by key or kind: who asks for one item of a setting shares it with who asks for all,
    /// and who asks for answers with who wants names besides.
    pub(super) fn requests(&self) -> impl Iterator<Item = String> {
        let asks = self.asks.iter().flat_map(|ask| [Some(ask.key()), ask.alone().map(|ask| ask.key())]);
        let mut requests: Vec<String> =
            asks.chain([self.kind.clone(), self.alone.clone()]).flatten().collect();
        requests.sort_unstable();
        requests.dedup();
        requests.into_iter()
    }
}

impl Node {
    /// The requests that it may make, as far as they are known before the first one.
    pub(super) fn requests(&self) -> impl Iterator<Item = String> {
        self.ways.iter().flat_map(Linked::requests)
    }

    /// What stands for the time of a node that was never settled: a question takes seconds, and what waits for it can
    /// only come after.
    fn unknown_seconds(&self) -> f64 {
        let is_question = |linked: &Linked| matches!(linked.way.request, Request::Question { .. });
        if self.ways.first().is_some_and(is_question) { UNKNOWN_QUESTION } else { 0.0 }
    }

    pub(super) fn filling<'a>(
        &'a self,
        now: Timestamp,
        variables: Option<&'a [(String, String)]>,
    ) -> Filling<'a> {
        Filling { plugin: &self.plugin, now, settings: &self.settings, variables }
    }
}

/// The same, and where the deployment listens: what its address says, and nothing where it is without TLS.
fn with_deployment(wants: &[Want], url: &Url) -> Vec<Want> {
    let port = url.port_or_known_default().unwrap_or(443);
    let host = url.host_str().filter(|_| url.scheme() == "https");
    let listener = host.map(|host| format!("{host}:{port}")).unwrap_or_default();
    let with = |want: &Want| {
        let mut want = want.clone();
        want.settings.insert(DEPLOYMENT.to_owned(), listener.as_str().into());
        want
    };
    wants.iter().map(with).collect()
}

impl Graph {
    pub(super) fn of(wants: &[Want], config: &Config, local: &dyn Local, now: Timestamp) -> Self {
        let wants = &with_deployment(wants, &config.deployment.url);
        let mut builder = Builder {
            wants: wants.iter().map(|want| ((want.plugin.as_str(), want.input.id.as_str()), want)).collect(),
            site: &config.inputs,
            now,
            places: HashMap::new(),
            known: HashMap::new(),
            graph: Self::default(),
        };
        for want in wants {
            // A circle is told to the input inside of it that closes it; the others stand.
            let _ = builder.place(&want.plugin, &want.input.id);
        }
        let mut graph = builder.graph;
        graph.weigh(local);
        graph.order(local, config.limits.questions_in_flight);
        graph
    }

    /// The longest chain first: what others wait for weighs as much as they do. Nodes come after those they run over.
    fn weigh(&mut self, local: &dyn Local) {
        for index in (0..self.nodes.len()).rev() {
            let node = &self.nodes[index];
            // Known is the way that answered, which need not be the first.
            let known = node.ways.iter().filter_map(|linked| local.expected_seconds(linked.kind.as_deref()?));
            let own = known.reduce(f64::max).unwrap_or_else(|| node.unknown_seconds());
            let behind = self.nodes.iter().filter(|other| other.after.contains(&index));
            let behind = behind.map(|other| other.chain_seconds).fold(0.0, f64::max);
            self.nodes[index].behind_seconds = behind;
            self.nodes[index].chain_seconds = own + behind;
            for request in self.nodes[index].requests() {
                let own = local.expected_seconds(&request).unwrap_or(own);
                let weight = self.weights.entry(request).or_default();
                weight.own = weight.own.max(own + behind);
            }
        }
    }

    /// Questions go in the order in which all of them end soonest.
    fn order(&mut self, local: &dyn Local, slots: usize) {
        let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
        let mut keys: Vec<(String, String)> = Vec::new();
        for node in &self.nodes {
            let answers = |linked: &&Linked| {
                linked.kind.as_ref().is_some_and(|kind| local.expected_seconds(kind).is_some())
            };
            let Some(linked) = node.ways.iter().find(answers).or(node.ways.first()) else { continue };
            for ask in &linked.asks {
                let Ask::Question(question) = ask else { continue };
                let alone = ask.alone().as_ref().unwrap_or(ask).key();
                let job = jobs.entry(alone.clone()).or_default();
                job.seconds = local.expected_seconds(&question.pace_key()).unwrap_or(UNKNOWN_QUESTION);
                job.behind = job.behind.max(node.behind_seconds);
                if question.alone().is_some() {
                    job.follows = follows(question, local);
                }
                keys.push((ask.key(), alone));
            }
        }
        let weights = order::weights(&jobs.values().cloned().collect::<Vec<_>>(), slots);
        let weights: BTreeMap<&String, Weight> = jobs.keys().zip(weights).collect();
        for (key, alone) in &keys {
            for key in [key, alone] {
                self.weights.insert(key.clone(), weights[alone]);
            }
        }
    }
}

struct Builder<'a> {
    wants: BTreeMap<(&'a str, &'a str), &'a Want>,
    site: &'a BTreeMap<String, InputOverride>,
    now: Timestamp,
    /// Nodes by plugin and input; `None` while it is being placed.
    places: HashMap<(String, String), Option<usize>>,
    /// Nodes by everything that decides what they deliver.
    known: HashMap<String, usize>,
    graph: Graph,
}

impl Builder<'_> {
    fn place(&mut self, plugin: &str, input: &str) -> Result<usize, Problem> {
        let place = (plugin.to_owned(), input.to_owned());
        match self.places.get(&place) {
            Some(Some(index)) => return Ok(*index),
            Some(None) => return Err(not_evaluated(format!("it runs over {input}, which runs over it"))),
            None => {}
        }
        let Some(&want) = self.wants.get(&(plugin, input)) else {
            return Err(not_evaluated(format!("it runs over {input}, which this run does not collect")));
        };
        self.places.insert(place.clone(), None);
        let mut node = self.node(want);
        node.identity = self.identity(&node);
        let identity = node.identity.clone();
        let index = match self.known.get(&identity) {
            Some(&index) => index,
            None => {
                self.graph.nodes.push(node);
                self.known.insert(identity, self.graph.nodes.len() - 1);
                self.graph.nodes.len() - 1
            }
        };
        self.graph.nodes[index].serves.push(place.clone());
        self.places.insert(place, Some(index));
        Ok(index)
    }

    fn node(&mut self, want: &Want) -> Node {
        let ways = way::ways(&want.input, self.site.get(&want.input.id));
        let filling =
            Filling { plugin: &want.plugin, now: self.now, settings: &want.settings, variables: None };
        let mut linked = Vec::new();
        for way in ways {
            let over = way.each.as_ref().and_then(|each| each.input.clone());
            let over = over.map(|input| self.place(&want.plugin, &input));
            let (kind, alone) = match way.ask(&filling) {
                Ok(Some(ask)) => (Some(ask.key()), ask.alone().map(|ask| ask.key())),
                // What cannot be asked with these settings is not the same as what can with others.
                Err(problem) => (Some(problem.reason), None),
                Ok(None) => (None, None),
            };
            let asks = asks(&way, &filling);
            linked.push(Linked { way, over, kind, alone, asks });
        }
        let mut after: Vec<usize> = linked.iter().filter_map(|linked| linked.over.clone()?.ok()).collect();
        after.sort_unstable();
        after.dedup();
        Node {
            plugin: want.plugin.clone(),
            input: want.input.id.clone(),
            settings: want.settings.clone(),
            ways: linked,
            serves: Vec::new(),
            after,
            identity: String::new(),
            behind_seconds: 0.0,
            chain_seconds: 0.0,
        }
    }

    /// Ways with their requests as far as they are filled, the settings that repetitions run over, and the same of
    /// the inputs behind them.
    fn identity(&self, node: &Node) -> String {
        let ways = node.ways.iter().map(|linked| {
            let setting = linked.way.each.as_ref().and_then(|each| each.setting.as_ref());
            let items = setting.map(|key| node.settings.get(key));
            let over = linked.over.as_ref().map(|over| match over {
                Ok(index) => self.graph.nodes[*index].identity.clone(),
                Err(problem) => problem.reason.clone(),
            });
            format!("{:?} {:?} {items:?} {over:?}", linked.way, linked.kind)
        });
        std::iter::once(node.input.clone()).chain(ways).collect::<Vec<_>>().join("\n")
    }
}

/// What is asked once, or for each item of a setting; nothing where it runs over an input.
fn asks(way: &Way, filling: &Filling<'_>) -> Vec<Ask> {
    let variables = match &way.each {
        None => vec![Variables::new()],
        Some(each) if each.input.is_none() => {
            each::items(each, None, filling).map(|items| items.variables).unwrap_or_default()
        }
        Some(_) => Vec::new(),
    };
    let ask = |variables| way.ask(&Filling { variables: Some(variables), ..*filling }).ok().flatten();
    variables.iter().map(Vec::as_slice).filter_map(ask).collect()
}

/// How long each follow-up of a question takes: so many of those that there ever were as took the time of all in the last
/// runs. Whether there are any shows only when the answers are there; until that was seen once, one is expected.
fn follows(question: &Question, local: &dyn Local) -> Vec<f64> {
    let Some(mut all) = local.expected_seconds(&question.names_key()) else { return vec![UNKNOWN_QUESTION] };
    let ever = (1..=SAMPLE_VALUES).map_while(|place| local.expected_seconds(&question.name_key(place)));
    let is_there = |seconds: &f64| {
        let is_there = all > seconds / 2.0;
        all -= seconds;
        is_there
    };
    ever.take_while(is_there).collect()
}

fn not_evaluated(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::tests::Memory;

    #[test]
    fn follow_ups_are_expected_until_none_are_seen_and_forgotten_when_they_are_fewer() {
        let question = Question {
            text: "Get State from all machines".to_owned(),
            sample: "Get Computer Name from all machines with State equals {value}".to_owned(),
            ..Question::default()
        };
        let expected = |known: &[(String, f64)]| {
            follows(&question, &Memory { seconds: known.iter().cloned().collect(), ..Memory::default() })
        };
        assert_eq!(expected(&[]), [UNKNOWN_QUESTION]);
        let place = |place, seconds| (question.name_key(place), seconds);
        let all = |seconds| (question.names_key(), seconds);
        assert!(expected(&[all(0.0), place(1, 4.0)]).is_empty());
        let three = [place(1, 4.0), place(2, 3.0), place(3, 6.0)];
        assert_eq!(expected(&[&three[..], &[all(13.2)]].concat()), [4.0, 3.0, 6.0]);
        assert_eq!(
            expected(&[&three[..], &[all(7.2)]].concat()),
            [4.0, 3.0],
            "the third was of an earlier run"
        );
    }
}
