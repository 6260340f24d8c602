//! Settling one input: its ways one after the other, until one answers; or the sentence that says why none did.

use super::answer;
use super::each::{self, Variables};
use super::export::Export;
use super::fetched::{Data, Fetched};
use super::graph::{Graph, Linked, Node};
use super::merge::Merge;
use super::meter::{Meter, Totals};
use super::plan;
use super::progress::Progress;
use super::session::Account;
use super::transport::{Problem, Transport};
use super::way::{self, Ask, Way};
use super::{Local, document, gateway, rest, service};
use crate::config::{Config, Limits};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::{Body, Supplied, Unavailable};
use tancheck_plugin_api::manifest::Request;

/// So many failures of a repetition in a row, without any success, are enough to know.
const HOPELESS: usize = 8;

/// Everything that settling needs.
pub(super) struct Settler<T> {
    transport: T,
    pub(super) local: Arc<dyn Local>,
    pub(super) account: Account,
    pub(super) now: Timestamp,
    pub(super) totals: Totals,
    limits: Limits,
    questions: bool,
    exports: PathBuf,
    merge: Merge,
    began: Instant,
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
            totals: Totals::default(),
            limits: config.limits.clone(),
            questions: config.deployment.questions,
            exports: config.places.exports.clone(),
            merge: Merge::default(),
            began: Instant::now(),
            timings: Mutex::default(),
        }
    }

    /// Announces the requests of all inputs, so that answers are kept while somebody may need them.
    pub(super) fn expect(&self, graph: &Graph) {
        for kind in graph.nodes.iter().flat_map(kinds) {
            self.merge.expect(kind);
        }
    }

    pub(super) fn timings(&self) -> Vec<(String, f64)> {
        self.timings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The input of a node: data, or why it is not there.
    pub(super) async fn settle(
        &self,
        node: &Node,
        over: &HashMap<usize, Arc<Supplied>>,
        progress: &Progress,
    ) -> Supplied {
        let net = Meter::new(&self.transport, &self.totals, progress);
        let mut failed: Vec<(&Way, Problem)> = Vec::new();
        let mut settled = None;
        for linked in &node.ways {
            match self.attempt(node, linked, over, &net).await {
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
        kinds(node).for_each(|kind| self.merge.release(kind));
        let sharers = node.serves.len().saturating_sub(1) as u64;
        self.totals.saved.fetch_add(sharers * net.sent.load(Ordering::Relaxed), Ordering::Relaxed);
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

    async fn attempt(
        &self,
        node: &Node,
        linked: &Linked,
        over: &HashMap<usize, Arc<Supplied>>,
        net: &Meter<'_, T>,
    ) -> Result<Answered, Problem> {
        let way = &linked.way;
        if !way.request.is_remote() {
            return self.on_this_machine(node, way);
        }
        let began = Instant::now();
        let answered = match &linked.over {
            _ if way.each.is_none() => self.single(node, linked, net).await?,
            Some(Err(problem)) => return Err(problem.clone()),
            Some(Ok(index)) => {
                self.repeated(node, linked, over.get(index).map(|input| &**input), net).await?
            }
            None => self.repeated(node, linked, None, net).await?,
        };
        if let Some(kind) = &linked.kind {
            let seconds = began.elapsed().as_secs_f64();
            self.timings.lock().unwrap_or_else(PoisonError::into_inner).push((kind.clone(), seconds));
        }
        Ok(answered)
    }

    fn on_this_machine(&self, node: &Node, way: &Way) -> Result<Answered, Problem> {
        let (body, at) = match &way.request {
            Request::Answer { prompt, valid_days, .. } => {
                answer::body(answer::answered(&*self.local, &node.input, prompt, *valid_days, self.now)?)
            }
            Request::History { series, days } => {
                let (points, newest) = answer::remembered(&*self.local, series, *days, self.now)?;
                (Body::Points(points), newest)
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
        let Request::Export { file, page, steps, columns } = request else { return None };
        let largest = self.limits.response_bytes;
        Some(Export { folder: &self.exports, file, page, steps, columns, largest })
    }

    async fn single(&self, node: &Node, linked: &Linked, net: &Meter<'_, T>) -> Result<Answered, Problem> {
        let ask = self.ask(node, &linked.way, &[])?;
        let (body, gaps) = self.fetch(linked, &ask, net).await?;
        Ok(Answered { body, gaps, request: ask.label(), at: self.clock() })
    }

    async fn repeated(
        &self,
        node: &Node,
        linked: &Linked,
        over: Option<&Supplied>,
        net: &Meter<'_, T>,
    ) -> Result<Answered, Problem> {
        let Some(each) = &linked.way.each else { return self.single(node, linked, net).await };
        let items = each::items(each, over, &node.filling(self.now, None))?;
        let mut gaps = items.gaps;
        let answers = self.answers(node, linked, &items.variables, net).await;
        let asked = answers.len();
        let mut bodies: Vec<(&Variables, Body)> = Vec::new();
        let mut problems: Vec<Problem> = Vec::new();
        for (variables, answer) in items.variables.iter().zip(answers) {
            match answer {
                Ok((body, more)) => {
                    gaps.extend(more);
                    bodies.push((variables, body));
                }
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(first) = problems.first().cloned() {
            if bodies.is_empty() {
                let reason = format!("all {asked} requests failed, the first: {first}");
                return Err(Problem { reason, ..first });
            }
            gaps.push(format!("{} of {asked} requests failed, the first: {first}", problems.len()));
        }
        gaps.dedup();
        let request = match linked.way.ask(&node.filling(self.now, None))? {
            Some(ask) => format!("{}, {} ({asked} requests)", ask.label(), plan::repeats(each)),
            None => plan::repeats(each),
        };
        Ok(Answered { body: each::joined(bodies), gaps, request, at: self.clock() })
    }

    /// The answers to all items in their order. Where nothing succeeds, the rest is not asked for.
    async fn answers(
        &self,
        node: &Node,
        linked: &Linked,
        items: &[Variables],
        net: &Meter<'_, T>,
    ) -> Vec<Result<(Body, Vec<String>), Problem>> {
        let width = self.limits.calls_in_flight.max(1);
        let mut answers: Vec<Option<Result<(Body, Vec<String>), Problem>>> = vec![None; items.len()];
        let mut next = items.iter().enumerate();
        let mut running = FuturesUnordered::new();
        let (mut failures, mut successes) = (0, 0);
        loop {
            while running.len() < width && (successes > 0 || failures < HOPELESS) {
                let Some((index, variables)) = next.next() else { break };
                running.push(self.one(node, linked, index, variables, net));
            }
            let Some((index, answer)) = running.next().await else { break };
            if answer.is_ok() {
                successes += 1;
            } else {
                failures += 1;
            }
            answers[index] = Some(answer);
        }
        answers.into_iter().map_while(|answer| answer).collect()
    }

    async fn one(
        &self,
        node: &Node,
        linked: &Linked,
        index: usize,
        variables: &Variables,
        net: &Meter<'_, T>,
    ) -> (usize, Result<(Body, Vec<String>), Problem>) {
        let answer = match self.ask(node, &linked.way, variables) {
            Ok(ask) => self.fetch(linked, &ask, net).await,
            Err(problem) => Err(problem),
        };
        (index, answer)
    }

    /// The request, if the account may make it and the site allows it.
    fn ask(&self, node: &Node, way: &Way, variables: &[(String, String)]) -> Result<Ask, Problem> {
        let ask = way.ask(&node.filling(self.now, Some(variables)))?.ok_or_else(|| {
            let reason = format!("this version cannot ask sources of the kind {}", way.request.kind());
            Problem::new(Outcome::NotEvaluated, reason)
        })?;
        if ask.is_question() && !self.questions {
            let reason =
                format!("{} was not asked: questions are switched off (deployment.questions)", ask.label());
            return Err(Problem::new(Outcome::NotEvaluated, reason));
        }
        let lacking = self.account.lacking(&way.needs);
        if lacking.is_empty() {
            Ok(ask)
        } else {
            Err(way::lacking(&self.account.user, &lacking, &ask.label()))
        }
    }

    async fn fetch(
        &self,
        linked: &Linked,
        ask: &Ask,
        net: &Meter<'_, T>,
    ) -> Result<(Body, Vec<String>), Problem> {
        let (way, key) = (&linked.way, ask.key());
        let kind = linked.kind.as_deref().unwrap_or(&key);
        let (fetched, here) = self.merge.once(kind, &key, self.send(way, ask, net)).await;
        if !here {
            self.totals.saved.fetch_add(1, Ordering::Relaxed);
        }
        let fetched = fetched.map_err(|problem| explained(problem, way))?;
        way.shaped(Arc::unwrap_or_clone(fetched), &ask.label())
    }

    async fn send(&self, way: &Way, ask: &Ask, net: &Meter<'_, T>) -> Result<Fetched, Problem> {
        match ask {
            Ask::Rest { call, paged: true } => rest::read_paged(net, call, &way.place).await,
            Ask::Service { call, page: Some(size) } => {
                service::read_paged(net, call, *size, &way.place).await
            }
            Ask::Rest { call, .. } | Ask::Service { call, .. } => {
                Ok(Fetched::whole(Data::Document(document::fetch(net, call).await?)))
            }
            Ask::Metrics { call } => {
                let bytes = net.send(call, Vec::<u8>::new).await?;
                Ok(Fetched::whole(Data::Text(String::from_utf8_lossy(&bytes).into_owned())))
            }
            Ask::Gateway { .. } => match ask.query() {
                Some(query) => gateway::read(net, &query).await,
                None => Err(Problem::new(Outcome::NotEvaluated, format!("{}: no query", ask.label()))),
            },
            Ask::Question { .. } | Ask::Saved { .. } => Err(Problem::new(
                Outcome::NotEvaluated,
                format!("{}: questions are not asked yet", ask.label()),
            )),
        }
    }

    /// The time of an answer: the time of the run, moved on by what has passed since.
    fn clock(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::ZERO);
        let now = self.now.checked_add(passed).unwrap_or(self.now);
        now.round(TimestampRound::new().smallest(Unit::Second)).unwrap_or(now)
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

/// The kinds of request that a node may make.
fn kinds(node: &Node) -> impl Iterator<Item = &str> {
    node.ways.iter().filter_map(|linked| linked.kind.as_deref())
}

/// A refusal names the privileges that the source is known to need.
fn explained(problem: Problem, way: &Way) -> Problem {
    if problem.outcome != Outcome::NoPermission || way.needs.is_empty() || problem.status.is_none() {
        return problem;
    }
    let reason = format!("{}; it needs {}", problem.reason, way::named(&way.needs));
    Problem { reason, ..problem }
}
