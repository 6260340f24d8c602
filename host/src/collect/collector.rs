//! Collecting: every input that a run needs, each request once, the longest chain first, each input from the first
//! source that answers.

use super::graph::Graph;
use super::meter::Totals;
use super::plan::{self, PlannedRequest};
use super::progress::{Event, Progress};
use super::session::Account;
use super::settle::Settler;
use super::transport::{Call, Problem, Sink, Transport};
use super::{Local, Want};
use crate::config::Config;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::{Body, Supplied, Unavailable};
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::records::probe::Probe;
use tokio::task::{Id, JoinError, JoinSet};

/// Plugin and input.
pub type Place = (String, String);

/// Collects the inputs of one run.
#[derive(Debug)]
pub struct Collector<T> {
    settler: Arc<Settler<T>>,
    config: Config,
    board: Mutex<Board>,
}

/// What was collected.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Collected {
    /// Every wanted input: its data, or why it is not there. Plugins that want the same input share it.
    pub inputs: BTreeMap<Place, Arc<Supplied>>,
    /// Requests that were sent, without repetitions after failures.
    pub requests_sent: u64,
    /// Requests that were not sent because the same one had been sent already.
    pub requests_saved: u64,
    /// Questions among the sent requests.
    pub questions_sent: u64,
    /// Bytes of all answers.
    pub bytes: u64,
    /// How long requests took, in seconds, by the key of the plan.
    pub timings: Vec<(String, f64)>,
    /// What was probed from here.
    pub probes: Vec<Probe>,
}

/// What is settled so far.
#[derive(Debug, Default)]
struct Board {
    wanted: Vec<Place>,
    settled: BTreeMap<Place, Arc<Supplied>>,
    /// Data by everything that decides what it is: a later round that wants the same has it already.
    known: HashMap<String, Arc<Supplied>>,
}

/// A transport that sends nothing: for the plan, and for runs whose deployment cannot be reached.
#[derive(Clone, Debug)]
pub struct Offline {
    problem: Problem,
}

impl Offline {
    /// Answers every request with this problem.
    #[must_use]
    pub fn because(problem: Problem) -> Self {
        Self { problem }
    }
}

impl Transport for Offline {
    async fn send<S: Sink>(&self, _: &Call, _: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        Err(self.problem.clone())
    }
}

impl Want {
    /// The inputs with these ids of a plugin, and those that they run over.
    #[must_use]
    pub fn of<'a>(
        manifest: &Manifest,
        inputs: impl IntoIterator<Item = &'a str>,
        settings: &serde_json::Map<String, serde_json::Value>,
    ) -> Vec<Self> {
        let mut wants: Vec<Self> = Vec::new();
        let mut open: Vec<String> = inputs.into_iter().map(str::to_owned).collect();
        while let Some(id) = open.pop() {
            let Some(input) = manifest.input(&id) else { continue };
            if wants.iter().any(|want| want.input.id == id) {
                continue;
            }
            open.extend(input.sources.iter().filter_map(|source| source.each.as_ref()?.input.clone()));
            let (plugin, input, settings) = (manifest.id.clone(), input.clone(), settings.clone());
            wants.push(Self { plugin, input, settings });
        }
        wants
    }
}

impl<T: Transport + 'static> Collector<T> {
    /// A collector for one run at the time `now`.
    #[must_use]
    pub fn new(config: &Config, transport: T, local: Arc<dyn Local>, now: Timestamp) -> Self {
        let settler = Settler::new(config, transport, local, now);
        Self { settler: Arc::new(settler), config: config.clone(), board: Mutex::default() }
    }

    /// Takes into account what the account may see: requests that it may not make are not sent, and lists that it sees
    /// only a part of are said to be incomplete.
    #[must_use]
    pub fn with_account(mut self, account: Account) -> Self {
        // Nobody shares it before collecting begins.
        if let Some(settler) = Arc::get_mut(&mut self.settler) {
            settler.account = account;
        }
        self
    }

    /// Adds what runs at other places saw to what the probes of this one see.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Vec<Probe>) -> Self {
        // Nobody shares it before collecting begins.
        if let Some(settler) = Arc::get_mut(&mut self.settler) {
            settler.prober.with_evidence(evidence);
        }
        self
    }

    /// Every request that [`Collector::collect`] would make first. Sends nothing.
    #[must_use]
    pub fn plan(&self, wants: &[Want]) -> Vec<PlannedRequest> {
        plan::plan(&self.config, wants, &*self.settler.local, self.settler.now)
    }

    /// Collects the inputs. Dropping the future stops everything at once; [`Collector::so_far`] then has what was
    /// settled before. A run may collect in several rounds: what an earlier one brought is not asked for again, and
    /// the counters (and the inputs) of all rounds are returned together.
    pub async fn collect(&self, wants: &[Want], progress: &Progress) -> Collected {
        let places = wants.iter().map(|want| (want.plugin.clone(), want.input.id.clone()));
        self.board().wanted.extend(places);
        let graph = Graph::of(wants, &self.config, &*self.settler.local, self.settler.now);
        self.settler.expect(&graph);
        let own = Round::new(self, graph, progress).run().await;
        let mut collected = self.so_far();
        // Rounds that run at the same time may want one input about different subjects: each has its own.
        collected.inputs.extend(own);
        collected
    }

    /// What is settled; whatever is not is said to have been cut short.
    #[must_use]
    pub fn so_far(&self) -> Collected {
        let board = self.board();
        let mut inputs = board.settled.clone();
        for place in &board.wanted {
            inputs.entry(place.clone()).or_insert_with(|| {
                let reason = format!("the run was interrupted before {} was collected", place.1);
                Arc::new(self.absent(Outcome::NotEvaluated, reason))
            });
        }
        let Totals { sent, saved, questions, bytes } = &self.settler.totals;
        Collected {
            inputs,
            requests_sent: sent.load(Ordering::Relaxed),
            requests_saved: saved.load(Ordering::Relaxed),
            questions_sent: questions.load(Ordering::Relaxed),
            bytes: bytes.load(Ordering::Relaxed),
            timings: self.settler.timings(),
            probes: self.settler.prober.so_far(),
        }
    }

    fn absent(&self, outcome: Outcome, reason: String) -> Supplied {
        Supplied {
            source: String::new(),
            request: String::new(),
            at: self.settler.now,
            gaps: Vec::new(),
            body: Body::Unavailable(Unavailable { outcome, reason }),
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One walk through the graph: what waits for nothing runs, and what is settled lets others run.
struct Round<'a, T> {
    collector: &'a Collector<T>,
    graph: Arc<Graph>,
    progress: &'a Progress,
    settled: Vec<Option<Arc<Supplied>>>,
    running: JoinSet<(usize, Supplied)>,
    tasks: HashMap<Id, usize>,
}

impl<'a, T: Transport + 'static> Round<'a, T> {
    fn new(collector: &'a Collector<T>, graph: Graph, progress: &'a Progress) -> Self {
        let settled = vec![None; graph.nodes.len()];
        let graph = Arc::new(graph);
        Self { collector, graph, progress, settled, running: JoinSet::new(), tasks: HashMap::new() }
    }

    async fn run(mut self) -> BTreeMap<Place, Arc<Supplied>> {
        let mut all: Vec<usize> = (0..self.graph.nodes.len()).collect();
        // Those with the longest chain behind them are first in every queue.
        all.sort_by(|&a, &b| self.graph.nodes[b].chain_seconds.total_cmp(&self.graph.nodes[a].chain_seconds));
        self.reuse();
        all.iter().for_each(|&index| self.start(index));
        while let Some(done) = self.running.join_next_with_id().await {
            let (index, supplied) = self.ended(done);
            self.settle(index, Arc::new(supplied));
            let graph = Arc::clone(&self.graph);
            let waiting = all.iter().filter(|&&other| graph.nodes[other].after.contains(&index));
            waiting.for_each(|&other| self.start(other));
        }
        let Self { graph, settled, .. } = self;
        let own = graph.nodes.iter().zip(settled).filter_map(|(node, supplied)| Some((node, supplied?)));
        own.flat_map(|(node, supplied)| {
            node.serves.iter().map(move |place| (place.clone(), Arc::clone(&supplied)))
        })
        .collect()
    }

    /// Settles what an earlier round brought.
    fn reuse(&mut self) {
        for index in 0..self.graph.nodes.len() {
            let known = self.collector.board().known.get(&self.graph.nodes[index].identity).cloned();
            if let Some(supplied) = known {
                self.collector.settler.skip(&self.graph.nodes[index]);
                self.settle(index, supplied);
            }
        }
    }

    /// Starts a node if everything it runs over is settled, and it is not settled itself.
    fn start(&mut self, index: usize) {
        if self.settled[index].is_some() {
            return;
        }
        let after = &self.graph.nodes[index].after;
        let over: Option<HashMap<usize, Arc<Supplied>>> =
            after.iter().map(|&other| Some((other, self.settled[other].clone()?))).collect();
        let Some(over) = over else { return };
        let (settler, graph) = (Arc::clone(&self.collector.settler), Arc::clone(&self.graph));
        let progress = self.progress.clone();
        let task = self.running.spawn(async move {
            let supplied = settler.settle(&graph, index, &over, &progress).await;
            (index, supplied)
        });
        self.tasks.insert(task.id(), index);
    }

    fn ended(&self, done: Result<(Id, (usize, Supplied)), JoinError>) -> (usize, Supplied) {
        match done {
            Ok((_, settled)) => settled,
            // A fault of ours costs one input, and says so.
            Err(error) => {
                let index = self.tasks.get(&error.id()).copied().unwrap_or_default();
                let reason =
                    format!("{} was not collected: internal fault ({error})", self.graph.nodes[index].input);
                (index, self.collector.absent(Outcome::NotEvaluated, reason))
            }
        }
    }

    fn settle(&mut self, index: usize, supplied: Arc<Supplied>) {
        let node = &self.graph.nodes[index];
        let outcome = match &supplied.body {
            Body::Unavailable(missing) => Some(missing.outcome),
            _ => None,
        };
        let mut board = self.collector.board();
        for (plugin, input) in &node.serves {
            board.settled.insert((plugin.clone(), input.clone()), Arc::clone(&supplied));
            self.progress.tell(&Event::Input {
                plugin: plugin.clone(),
                input: input.clone(),
                source: supplied.source.clone(),
                outcome,
            });
        }
        if outcome.is_none() {
            board.known.insert(node.identity.clone(), Arc::clone(&supplied));
        }
        drop(board);
        self.settled[index] = Some(supplied);
    }
}
