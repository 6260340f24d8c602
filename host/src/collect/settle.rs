//! Settling one input: its ways one after the other, until one answers; or the sentence that says why none did.

use super::answer;
use super::each::{self, Variables};
use super::export::Export;
use super::fetched::{Data, Fetched};
use super::graph::{Graph, Linked, Node};
use super::merge::Merge;
use super::meter::{Cost, Meter, Totals};
use super::order::Weight;
use super::plan;
use super::probe::Prober;
use super::probe::target::{MOST, Target};
use super::progress::Progress;
use super::question::{self, Question, Terms, Turn};
use super::schedule::Schedule;
use super::session::Account;
use super::transport::{Problem, Transport};
use super::way::{self, Ask, Way};
use super::{Local, document, gateway, rest, service};
use crate::config::{Config, Limits};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::{Body, Supplied, Unavailable};
use tancheck_plugin_api::manifest::{Each, Request};

/// So many failures of a repetition in a row, without any success, are enough to know.
const HOPELESS: usize = 8;

/// Everything that settling needs.
pub(super) struct Settler<T> {
    transport: T,
    pub(super) local: Arc<dyn Local>,
    pub(super) account: Account,
    pub(super) now: Timestamp,
    zone: TimeZone,
    pub(super) totals: Totals,
    limits: Limits,
    terms: Terms,
    schedule: Schedule,
    exports: PathBuf,
    pub(super) prober: Prober,
    merge: Merge,
    timings: Mutex<Vec<(String, f64)>>,
}

impl<T> fmt::Debug for Settler<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settler")
            .field("now", &self.now)
            .field("totals", &self.totals)
            .finish_non_exhaustive()
    }
}

/// The input that is being settled, and who hears about it.
struct Task<'a> {
    node: &'a Node,
    weights: &'a HashMap<String, Weight>,
    over: &'a HashMap<usize, Arc<Supplied>>,
    progress: &'a Progress,
    /// What it asked for: a question is one, however often it is looked at, and so is what another input sent already.
    asked: AtomicU64,
}

/// The answer to one request.
#[derive(Clone)]
struct Part {
    body: Body,
    gaps: Vec<String>,
    at: Option<Timestamp>,
}

/// A way's answer.
struct Answered {
    body: Body,
    gaps: Vec<String>,
    request: String,
    at: Timestamp,
}

impl<T: Transport> Settler<T> {
    pub(super) fn new(config: &Config, transport: T, local: Arc<dyn Local>, now: Timestamp) -> Self {
        Self {
            transport,
            local,
            account: Account::default(),
            now,
            zone: config.calendar.zone.clone(),
            totals: Totals::default(),
            limits: config.limits.clone(),
            terms: Terms::of(config),
            schedule: Schedule::new(&config.limits),
            exports: config.places.exports.clone(),
            prober: Prober::new(&config.probing, &config.limits, now),
            merge: Merge::default(),
            timings: Mutex::default(),
        }
    }

    /// Announces the requests of all inputs, so that answers are kept while somebody may need them.
    pub(super) fn expect(&self, graph: &Graph) {
        let requests = graph.nodes.iter().flat_map(Node::requests);
        requests.for_each(|request| self.merge.expect(&request));
    }

    /// An input that an earlier round brought: one request less.
    pub(super) fn skip(&self, node: &Node) {
        node.requests().for_each(|request| self.merge.release(&request));
        if node.ways.iter().any(|linked| linked.way.request.is_remote()) {
            self.totals.saved.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn timings(&self) -> Vec<(String, f64)> {
        self.timings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The input of a node: data, or why it is not there.
    pub(super) async fn settle(
        &self,
        graph: &Graph,
        index: usize,
        over: &HashMap<usize, Arc<Supplied>>,
        progress: &Progress,
    ) -> Supplied {
        let node = &graph.nodes[index];
        let task = Task { node, weights: &graph.weights, over, progress, asked: AtomicU64::new(0) };
        let mut failed: Vec<(&Way, Problem)> = Vec::new();
        let mut settled = None;
        for linked in &node.ways {
            match self.attempt(&task, linked).await {
                Ok(answered) => {
                    settled = Some(self.supplied(&linked.way, answered));
                    break;
                }
                Err(problem) => {
                    tracing::debug!(input = node.input, reason = %problem, "a source did not answer");
                    failed.push((&linked.way, problem));
                }
            }
        }
        node.requests().for_each(|request| self.merge.release(&request));
        let sharers = node.serves.len().saturating_sub(1) as u64;
        self.totals.saved.fetch_add(sharers * task.asked.load(Ordering::Relaxed), Ordering::Relaxed);
        settled.unwrap_or_else(|| self.unavailable(node, failed))
    }

    fn supplied(&self, way: &Way, answered: Answered) -> Supplied {
        let Answered { body, mut gaps, request, at } = answered;
        let lacking = self.account.lacking(&way.complete_with);
        if !lacking.is_empty() && way.request.is_remote() {
            gaps.push(
                way::lacking(&self.account.user, &lacking, "only what the account owns is shown").reason,
            );
        }
        Supplied { source: way.request.kind().to_owned(), request, at, gaps, body }
    }

    async fn attempt(&self, task: &Task<'_>, linked: &Linked) -> Result<Answered, Problem> {
        let way = &linked.way;
        if !way.request.is_remote() {
            return self.on_this_machine(task.node, way);
        }
        match (&way.each, &linked.over) {
            (None, _) => self.single(task, linked).await,
            (Some(_), Some(Err(problem))) => Err(problem.clone()),
            (Some(each), Some(Ok(index))) => {
                self.repeated(task, linked, each, task.over.get(index).map(|input| &**input)).await
            }
            (Some(each), None) => self.repeated(task, linked, each, None).await,
        }
    }

    /// Keeps how long requests took, in seconds, for the order of the next run.
    fn remember(&self, took: impl IntoIterator<Item = (String, f64)>) {
        self.timings.lock().unwrap_or_else(PoisonError::into_inner).extend(took);
    }

    fn on_this_machine(&self, node: &Node, way: &Way) -> Result<Answered, Problem> {
        let (body, at) = match &way.request {
            Request::Answer { prompt, valid_days, .. } => answer::body(answer::answered(
                &*self.local,
                &node.input,
                prompt,
                *valid_days,
                self.now,
                &self.zone,
            )?),
            Request::History { series, days } => {
                let (points, newest) = answer::remembered(&*self.local, series, *days, self.now)?;
                (Body::Points(points), newest)
            }
            Request::Pasted { prompt, .. } => {
                let reason = format!("paste {prompt}: tancheck paste {} < FILE", node.input);
                return Err(Problem::new(Outcome::NotEvaluated, reason));
            }
            other => match self.export(other) {
                Some(export) => {
                    let exported = export.read()?;
                    (Body::Rows(exported.rows), exported.at)
                }
                None => {
                    let reason = format!("this version cannot read sources of the kind {}", other.kind());
                    return Err(Problem::new(Outcome::NotEvaluated, reason));
                }
            },
        };
        let request = plan::local_label(&way.request, &node.input, &self.exports);
        Ok(Answered { body, gaps: Vec::new(), request, at })
    }

    fn export<'a>(&'a self, request: &'a Request) -> Option<Export<'a>> {
        let Request::Export { file, page, steps, columns, holding } = request else { return None };
        let largest = self.limits.response_bytes;
        Some(Export { folder: &self.exports, file, page, steps, columns, holding, largest })
    }

    async fn single(&self, task: &Task<'_>, linked: &Linked) -> Result<Answered, Problem> {
        let ask = self.ask(task.node, &linked.way, &[])?;
        let (part, seconds) = self.fetch(task, linked, &ask).await?;
        self.remember(seconds.map(|seconds| (ask.key(), seconds)));
        let at = part.at.unwrap_or(self.now);
        Ok(Answered { body: part.body, gaps: part.gaps, request: ask.label(), at })
    }

    async fn repeated(
        &self,
        task: &Task<'_>,
        linked: &Linked,
        each: &Each,
        over: Option<&Supplied>,
    ) -> Result<Answered, Problem> {
        let filling = task.node.filling(self.now, None);
        let items = each::items(each, over, &filling)?;
        let mut gaps = items.gaps;
        let began = Instant::now();
        let answers = self.answers(task, linked, &items.variables).await;
        let asked = answers.len();
        let mut longest: Option<f64> = None;
        let mut bodies: Vec<(&Variables, Body)> = Vec::new();
        let mut problems: Vec<Problem> = Vec::new();
        let mut oldest = None;
        for (variables, answer) in items.variables.iter().zip(answers) {
            match answer {
                Ok((part, seconds)) => {
                    longest = longest.into_iter().chain(seconds).reduce(f64::max);
                    gaps.extend(part.gaps);
                    oldest = oldest.into_iter().chain(part.at).min();
                    bodies.push((variables, part.body));
                }
                Err(problem) => problems.push(problem),
            }
        }
        // Questions are asked side by side and wait for their turns, which is no time of theirs.
        let is_question = matches!(linked.way.request, Request::Question { .. });
        let took = if is_question { longest } else { Some(began.elapsed().as_secs_f64()) };
        self.remember(linked.kind.clone().zip(took));
        if let Some(first) = problems.first().cloned() {
            if bodies.is_empty() {
                let reason = format!("all {asked} requests failed, the first: {first}");
                return Err(Problem { reason, ..first });
            }
            gaps.push(format!("{} of {asked} requests failed, the first: {first}", problems.len()));
        }
        let mut seen = HashSet::new();
        gaps.retain(|gap| seen.insert(gap.clone()));
        let request = match linked.way.ask(&filling)? {
            Some(ask) => format!("{}, {} ({asked} requests)", ask.label(), plan::repeats(each)),
            None => plan::repeats(each),
        };
        let is_tally = is_question || matches!(linked.way.request, Request::SavedQuestion { .. });
        Ok(Answered { body: each::joined(bodies, is_tally), gaps, request, at: oldest.unwrap_or(self.now) })
    }

    /// The answers to all items in their order. Where nothing succeeds, the rest is not asked for.
    async fn answers(
        &self,
        task: &Task<'_>,
        linked: &Linked,
        items: &[Variables],
    ) -> Vec<Result<(Part, Option<f64>), Problem>> {
        let width = self.limits.calls_in_flight.max(1);
        let mut answers: Vec<Option<Result<_, Problem>>> = vec![None; items.len()];
        let mut next = items.iter().enumerate();
        let mut running = FuturesUnordered::new();
        let (mut failures, mut successes) = (0, 0);
        loop {
            while running.len() < width && (successes > 0 || failures < HOPELESS) {
                let Some((index, variables)) = next.next() else { break };
                running.push(self.one(task, linked, index, variables));
            }
            let Some((index, answer)) = running.next().await else { break };
            if answer.is_ok() {
                successes += 1;
            } else {
                failures += 1;
            }
            answers[index] = Some(answer);
        }
        // Items are begun in their order, so what was not asked for is at the end.
        answers.into_iter().map_while(|answer| answer).collect()
    }

    async fn one(
        &self,
        task: &Task<'_>,
        linked: &Linked,
        index: usize,
        variables: &Variables,
    ) -> (usize, Result<(Part, Option<f64>), Problem>) {
        let answer = async {
            let ask = self.ask(task.node, &linked.way, variables)?;
            let (part, seconds) = self.fetch(task, linked, &ask).await?;
            self.remember(seconds.filter(|_| ask.is_question()).map(|seconds| (ask.key(), seconds)));
            Ok((part, seconds))
        };
        (index, answer.await)
    }

    /// The request, if the account may make it.
    fn ask(&self, node: &Node, way: &Way, variables: &[(String, String)]) -> Result<Ask, Problem> {
        let ask = way.ask(&node.filling(self.now, Some(variables)))?.ok_or_else(|| {
            let reason = format!("this version cannot ask sources of the kind {}", way.request.kind());
            Problem::new(Outcome::NotEvaluated, reason)
        })?;
        let lacking = self.account.lacking(&way.needs);
        if lacking.is_empty() {
            Ok(ask)
        } else {
            Err(way::lacking(&self.account.user, &lacking, &ask.label()))
        }
    }

    /// The answer to a request, and how long the server took if it was sent here.
    async fn fetch(
        &self,
        task: &Task<'_>,
        linked: &Linked,
        ask: &Ask,
    ) -> Result<(Part, Option<f64>), Problem> {
        let (way, key) = (&linked.way, ask.key());
        let kind = linked.kind.as_deref().unwrap_or(&key);
        let unknown = Weight { own: task.node.chain_seconds, follows: task.node.chain_seconds };
        let net = Meter {
            inner: &self.transport,
            totals: &self.totals,
            progress: task.progress,
            schedule: &self.schedule,
            weight: task.weights.get(&key).copied().unwrap_or(unknown),
            about: ask.label(),
            cost: Cost::default(),
        };
        let (fetched, here) = self.merge.once(kind, &key, self.send(linked, ask, &net)).await;
        task.asked.fetch_add(1, Ordering::Relaxed);
        if !here {
            self.totals.saved.fetch_add(1, Ordering::Relaxed);
        }
        let fetched = fetched.map_err(|problem| explained(problem, way))?;
        let seconds = here.then(|| fetched.seconds.unwrap_or_else(|| net.cost.seconds()));
        let at = fetched.at;
        let (body, gaps) = way.shaped(Arc::unwrap_or_clone(fetched), &ask.label())?;
        Ok((Part { body, gaps, at }, seconds))
    }

    async fn send(&self, linked: &Linked, ask: &Ask, net: &Meter<'_, T>) -> Result<Fetched, Problem> {
        let way = &linked.way;
        match ask {
            Ask::Rest { call, paged: true } => rest::read_paged(net, call, &way.place).await,
            Ask::Service { call, page: Some(pages) } => {
                service::read_paged(net, call, *pages, &way.place).await
            }
            Ask::Rest { call, .. } | Ask::Service { call, .. } => {
                Ok(Fetched::whole(Data::Document(document::fetch(net, call).await?)))
            }
            Ask::Metrics { call } => {
                let bytes: Vec<u8> = net.send(call, Vec::new).await?;
                Ok(Fetched::whole(Data::Text(String::from_utf8_lossy(&bytes).into_owned())))
            }
            Ask::Gateway(query) => gateway::read(net, query).await,
            // The largest future by far: in a place of its own, others stay small.
            Ask::Question(question) => Box::pin(self.question(question, linked, net)).await,
            Ask::Saved { name } => {
                let saved = question::saved(net, name, &self.terms, self.now).await?;
                Ok(Fetched { gaps: saved.gaps, at: saved.at, ..Fetched::whole(Data::Tally(saved.tally)) })
            }
            Ask::Probe(targets) => self.probes(targets, net).await,
        }
    }

    /// What probes saw: of each target a row, whatever became of it.
    async fn probes(&self, targets: &[Target], net: &Meter<'_, T>) -> Result<Fetched, Problem> {
        let mut gaps = Vec::new();
        if targets.len() > MOST {
            gaps.push(format!("only the first {MOST} of {} targets are probed", targets.len()));
        }
        let began = Instant::now();
        let (probes, connections) = tokio::select! {
            biased;
            problem = self.transport.stopped() => return Err(problem),
            looked = self.prober.look(&targets[..targets.len().min(MOST)]) => looked,
        };
        net.made(connections, began.elapsed());
        let rows = probes.iter().map(|probe| serde_json::to_value(probe).expect("a probe is plain data"));
        let data = Data::Rows(rows.collect());
        Ok(Fetched { gaps, seconds: Some(began.elapsed().as_secs_f64()), ..Fetched::whole(data) })
    }

    /// The answers to a question, and names of endpoints where it wants some: who asks without names shares the answers.
    async fn question(
        &self,
        question: &Question,
        linked: &Linked,
        net: &Meter<'_, T>,
    ) -> Result<Fetched, Problem> {
        let turn = Turn { schedule: &self.schedule, local: &*self.local, chain: net.weight.chain() };
        let ask = async {
            let answered = question::ask(net, question, &self.terms, &turn).await?;
            self.remember(answered.paces);
            let data = Data::Tally(answered.tally);
            Ok(Fetched { gaps: answered.gaps, seconds: Some(answered.seconds), ..Fetched::whole(data) })
        };
        let (Some(alone), Some(kind)) = (question.alone(), &linked.alone) else { return ask.await };
        let (fetched, here) = self.merge.once(kind, &Ask::Question(alone).key(), ask).await;
        if !here {
            self.totals.saved.fetch_add(1, Ordering::Relaxed);
        }
        let mut fetched = Arc::unwrap_or_clone(fetched?);
        if let Data::Tally(tally) = &mut fetched.data {
            let turn = Turn { chain: net.weight.chain_of_follows(), ..turn };
            let named = question::name(net, question, &self.terms, &turn, tally).await;
            self.remember(named.paces);
            fetched.seconds = fetched.seconds.map(|seconds| seconds + named.seconds);
        }
        Ok(fetched)
    }

    /// Why no way answered: in the words of the first one that asks the deployment, with what else can be done.
    fn unavailable(&self, node: &Node, failed: Vec<(&Way, Problem)>) -> Supplied {
        let telling = failed.iter().position(|(way, _)| way.request.is_remote()).unwrap_or_default();
        let mut others = Vec::new();
        for (_, (way, problem)) in failed.iter().enumerate().filter(|(index, _)| *index != telling) {
            others.extend(self.other_way(node, way, problem));
        }
        let (outcome, mut reason) = match failed.get(telling) {
            Some((_, problem)) => (problem.outcome, problem.reason.clone()),
            None => (Outcome::NotEvaluated, format!("{} has no source", node.input)),
        };
        for other in others {
            reason = format!("{reason}; {other}");
        }
        let body = Body::Unavailable(Unavailable { outcome, reason });
        Supplied { source: String::new(), request: String::new(), at: self.now, gaps: Vec::new(), body }
    }

    /// What a further way has to offer; nothing where it was another request that failed.
    fn other_way(&self, node: &Node, way: &Way, problem: &Problem) -> Option<String> {
        match &way.request {
            Request::Export { .. } => {
                let export = self.export(&way.request)?;
                // A file that is there and cannot be used is what the administrator wants to hear about.
                Some(if export.path().exists() {
                    problem.reason.clone()
                } else {
                    format!("or {}", export.hint())
                })
            }
            Request::Answer { prompt, .. } => Some(format!("or {}", answer::hint(&node.input, prompt))),
            _ => None,
        }
    }
}

/// A refusal names the privileges that the source is known to need.
fn explained(problem: Problem, way: &Way) -> Problem {
    if problem.outcome != Outcome::NoPermission || way.needs.is_empty() || problem.status.is_none() {
        return problem;
    }
    let reason = format!("{}; it needs {}", problem.reason, way::named(&way.needs));
    Problem { reason, ..problem }
}
