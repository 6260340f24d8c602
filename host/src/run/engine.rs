//! One run, from the selection to the document.

use super::attested::Attestation;
use super::cause;
use super::document::{self, CheckResult, Run};
use super::event::{Event, Events};
use super::exit::{self, Policy};
use super::interrupt::Interrupt;
use super::judge::{self, Farewell, Guests, Job};
use super::outcome::{self, Case, Heard};
use super::plan::{self, Inputs};
use super::presence::{self, Modules, Presence};
use super::select::{self, Filter, SelectError, Selected, Selection};
use super::waiver::{self, Waiver};
use crate::calendar::{Facts, Outlook};
use crate::collect::Want;
use crate::collect::transport::Problem;
use crate::config::{Config, settings};
use crate::history::{HistoryError, Kept, Store};
use crate::plugins::{Installed, Refusal};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::Supplied;
use tancheck_plugin_api::manifest::{Check, Manifest};
use tancheck_plugin_api::records::probe::Probe;

/// Everything a run is made of.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Plugins that can be used.
    pub installed: &'a [Installed],
    /// Files that were refused.
    pub refused: &'a [Refusal],
    /// What the user asked for.
    pub filter: Filter,
    /// What makes the run fail.
    pub policy: Policy,
    /// What somebody answers for.
    pub waivers: &'a [Waiver],
    /// The time that all judges take for now.
    pub now: Timestamp,
    /// The history, or why there is none.
    pub history: Result<Arc<Store>, HistoryError>,
    /// The first signal.
    pub interrupt: Interrupt,
    /// Who is told what happens.
    pub events: Events,
    /// Workers at the same time.
    pub workers: usize,
}

/// What a collector has brought since it was made.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The inputs, by plugin and id.
    pub inputs: Inputs,
    /// Requests that were sent.
    pub sent: u64,
    /// Needs that another need's request served.
    pub saved: u64,
    /// Questions among the requests.
    pub questions: u64,
    /// How long requests took, by canonical key.
    pub timings: Vec<(String, f64)>,
    /// What was probed from here.
    pub probes: Vec<Probe>,
}

/// Fetches inputs. The real one asks the deployment; tests have others.
pub trait Collects: Sync {
    /// Fetches these inputs; each ends in something supplied, available or not. What was fetched before is not fetched
    /// again.
    fn collect(&self, wants: &[Want]) -> impl Future<Output = Gathered> + Send;
}

/// Which checks a run would look at, before it is known which modules are there.
///
/// # Errors
/// When something unknown was asked for, or nothing is selected.
pub fn selection<'a>(setup: &Setup<'a>) -> Result<Selection<'a>, SelectError> {
    let none = BTreeSet::new;
    let failed = match &setup.history {
        Ok(store) if setup.filter.only_failed => store.failing().unwrap_or_default(),
        _ => none(),
    };
    let due = if setup.filter.due { due(setup)? } else { none() };
    let site = select::Site { config: setup.config, failed: &failed, due: &due };
    select::select(&setup.filter, &site, setup.installed, setup.refused)
}

/// The checks that the calendar wants done now.
fn due(setup: &Setup<'_>) -> Result<BTreeSet<String>, SelectError> {
    let facts = match &setup.history {
        Ok(store) => Facts::read(store, setup.now).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let facts =
        facts.map_err(|reason| SelectError::Empty(format!("what is due cannot be told: {reason}")))?;
    let plugins: Vec<&Installed> = setup.installed.iter().collect();
    let outlook = Outlook::of(setup.config, &plugins, &facts, setup.now);
    let open = outlook.rows.iter().filter(|row| row.status.state.is_open());
    Ok(open.map(|row| row.task.check.id.clone()).collect())
}

/// The document of a run for which nothing was due: nobody was asked anything, and nothing is kept of it.
#[must_use]
pub fn nothing_due(setup: &Setup<'_>) -> Run {
    let selection =
        Selection { plugins: Vec::new(), missing: Vec::new(), off: Vec::new(), only_present: false };
    Engine::new(setup, Ok(None)).document(&selection, &Modules::default())
}

/// The inputs that tell which modules are there, where any selected plugin is about one.
#[must_use]
pub fn presence_wants(selection: &Selection<'_>) -> Vec<Want> {
    if selection.plugins.iter().all(|one| one.plugin.manifest.solutions.is_empty()) {
        return Vec::new();
    }
    let want = |input: &tancheck_plugin_api::manifest::Input| Want {
        plugin: presence::HOST.to_owned(),
        input: input.clone(),
        settings: Map::new(),
    };
    presence::INPUTS.iter().map(want).collect()
}

/// Runs the selected checks. `account` is who asks, where the deployment told it, or why the login came to nothing.
/// The history gets the run; where that fails, the document says so.
///
/// # Errors
/// When something unknown was asked for, or nothing is selected.
pub async fn run<C: Collects, G: Guests>(
    setup: &Setup<'_>,
    account: Result<Option<String>, Problem>,
    collector: &C,
    guests: &G,
) -> Result<Run, SelectError> {
    let mut selection = selection(setup)?;
    let mut engine = Engine::new(setup, account);
    setup.events.tell(&started(setup, &selection));
    let modules = engine.look_for_modules(&selection, collector).await;
    let known = engine.absent(&mut selection, &modules)?;
    let wants = plan::wants(&judged(&selection, &known), &setup.config.modules.settings);
    engine.take(collector.collect(&wants).await);
    engine.judge(&selection, known, guests).await;
    Ok(engine.finish(&selection, &modules))
}

/// What a run has found so far.
struct Engine<'a> {
    setup: &'a Setup<'a>,
    account: Result<Option<String>, Problem>,
    attestations: Result<Vec<Attestation>, String>,
    collected: Inputs,
    requests: document::Requests,
    kept: Kept,
    checks: Vec<CheckResult>,
    farewells: BTreeMap<String, Farewell>,
    absent: Vec<document::Absent>,
    quarantined: Vec<document::Quarantined>,
    problems: Vec<String>,
    probes: Vec<Probe>,
}

/// Checks whose outcome is known before anything is judged.
type Known = BTreeMap<String, (Outcome, String)>;

impl<'a> Engine<'a> {
    fn new(setup: &'a Setup<'a>, account: Result<Option<String>, Problem>) -> Self {
        let attestations = match &setup.history {
            Ok(store) => store.attestations().map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let problems = attestations.as_ref().err().cloned().into_iter().collect();
        Self {
            setup,
            account,
            attestations,
            collected: Inputs::new(),
            requests: document::Requests::default(),
            kept: Kept::default(),
            checks: Vec::new(),
            farewells: BTreeMap::new(),
            absent: Vec::new(),
            quarantined: Vec::new(),
            problems,
            probes: Vec::new(),
        }
    }

    /// Asks which modules are there, once, before anything is asked of a module that may be absent.
    async fn look_for_modules<C: Collects>(&mut self, selection: &Selection<'_>, collector: &C) -> Modules {
        let wants = presence_wants(selection);
        if wants.is_empty() {
            return Modules::default();
        }
        self.take(collector.collect(&wants).await);
        let inputs = self.collected.iter().map(|((_, id), supplied)| (id.as_str(), &**supplied)).collect();
        let modules = Modules::read(&inputs);
        self.problems.extend(modules.problems.iter().cloned());
        modules
    }

    /// The checks whose outcome is known: their module is not there, or their judge is in quarantine. Where the site
    /// enabled what is there, absent plugins leave the selection.
    fn absent(&mut self, selection: &mut Selection<'a>, modules: &Modules) -> Result<Known, SelectError> {
        let mut known = Known::new();
        for one in &mut selection.plugins {
            let manifest = &one.plugin.manifest;
            let (outcome, reason) = match modules.presence(manifest, self.setup.now) {
                Presence::There => continue,
                Presence::NotLicensed(reason) => (Outcome::NotLicensed, reason),
                Presence::NotImported(reason) => (Outcome::NotApplicable, reason),
            };
            if selection.only_present {
                self.absent.push(document::Absent { plugin: manifest.id.clone(), reason });
                one.checks.retain(|check| check.even_if_absent);
                continue;
            }
            for check in one.checks.iter().filter(|check| !check.even_if_absent) {
                known.insert(check.id.clone(), (outcome, reason.clone()));
            }
        }
        selection.plugins.retain(|one| !one.checks.is_empty());
        if selection.plugins.is_empty() && selection.missing.is_empty() {
            let reasons: Vec<&str> = self.absent.iter().map(|absent| absent.reason.as_str()).collect();
            return Err(SelectError::Empty(reasons.join("; ")));
        }
        for one in &selection.plugins {
            for check in one.checks.iter().filter(|check| check.judged) {
                if let Some((outcome, reason)) = self.quarantine(one.plugin, check) {
                    known.entry(check.id.clone()).or_insert((outcome, reason));
                }
            }
        }
        Ok(known)
    }

    fn quarantine(&mut self, plugin: &Installed, check: &Check) -> Option<(Outcome, String)> {
        let store = self.setup.history.as_ref().ok()?;
        let (outcome, reason) = store.failed_twice(&check.id, &plugin.library.sha256).ok().flatten()?;
        let outcome = Outcome::ALL.into_iter().find(|one| one.name() == outcome).unwrap_or(Outcome::Crashed);
        // The reason of a quarantined row already ends with this sentence.
        let last = reason.split(QUARANTINE).next().unwrap_or_default();
        let reason = format!("{last}{QUARANTINE} {}", plugin.library.path.display());
        self.quarantined.push(document::Quarantined { check: check.id.clone(), reason: reason.clone() });
        // It stays in quarantine: the row counts as another failure of the same library.
        self.kept.faults.insert(check.id.clone(), true);
        Some((outcome, reason))
    }

    fn take(&mut self, gathered: Gathered) {
        let Gathered { inputs, sent, saved, questions, timings, probes } = gathered;
        self.probes = probes;
        self.requests = document::Requests { sent, saved, questions };
        self.collected = inputs;
        self.kept.timings = timings;
    }

    /// Brings every selected check to its outcome.
    async fn judge<G: Guests>(&mut self, selection: &Selection<'a>, known: Known, guests: &G) {
        let mut jobs = Vec::new();
        for one in &selection.plugins {
            let manifest = &one.plugin.manifest;
            let mut to_judge = Vec::new();
            for &check in &one.checks {
                match known.get(&check.id) {
                    Some((outcome, reason)) => {
                        let heard = Heard::Known { outcome: *outcome, reason: reason.clone() };
                        self.decided(one.plugin, check, &BTreeMap::new(), &heard);
                    }
                    None if !check.judged => {
                        self.decided(one.plugin, check, &BTreeMap::new(), &Heard::NoJudge);
                    }
                    None => {
                        let (task, zone) = (self.task(one.plugin, check), &self.setup.config.calendar.zone);
                        let inputs = plan::supply(&task, &self.collected, self.setup.now, zone);
                        to_judge.push((check, inputs));
                    }
                }
            }
            if !to_judge.is_empty() {
                let settings =
                    self.setup.config.modules.settings.get(&manifest.id).cloned().unwrap_or_default();
                jobs.push(Job { plugin: one.plugin, settings, checks: to_judge });
            }
        }
        // Each job holds what it needs, and lets go of it when it is done.
        self.collected.clear();
        let (now, workers) = (self.setup.now, self.setup.workers.max(1));
        let engine = std::sync::Mutex::new(self);
        let lock = || engine.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        futures_util::stream::iter(jobs)
            .for_each_concurrent(workers, |job| {
                let (plugin, lock) = (job.plugin, &lock);
                async move {
                    let farewell = judge::judge(guests, job, now, |check, inputs, heard, fault| {
                        let mut engine = lock();
                        engine.kept.faults.extend(fault.map(|fault| (check.id.clone(), fault)));
                        engine.decided(plugin, check, inputs, &heard);
                    })
                    .await;
                    lock().farewells.insert(plugin.manifest.id.clone(), farewell);
                }
            })
            .await;
    }

    /// One check has come to its outcome.
    fn decided(
        &mut self,
        plugin: &Installed,
        check: &Check,
        inputs: &BTreeMap<String, Arc<Supplied>>,
        heard: &Heard,
    ) {
        let manifest = &plugin.manifest;
        let result = outcome::decide(&Case {
            deployment: &self.setup.config.deployment.id,
            plugin: &manifest.id,
            settings: &manifest.settings,
            check,
            heard,
            inputs,
            attestations: self.attestations.as_deref().map_err(String::as_str),
            task: &self.task(plugin, check),
            zone: &self.setup.config.calendar.zone,
            now: self.setup.now,
        });
        if let Heard::Judgement(judgement) = heard {
            self.kept.measures.extend(judgement.report.measures.iter().cloned());
        }
        self.kept.aliases.insert(check.id.clone(), check.aliases.clone());
        self.setup.events.tell(&Event::Check { check: Box::new(result.clone()) });
        self.checks.push(result);
    }

    /// The document; kept in the history, which may fail.
    fn finish(mut self, selection: &Selection<'a>, modules: &Modules) -> Run {
        let mut besides: Vec<document::Reason> = selection
            .missing
            .iter()
            .map(|(id, reason)| {
                exit::reason(exit::INCOMPLETE, format!("the plugin {id} cannot be used: {reason}"))
            })
            .collect();
        if let Err(problem) = &self.account {
            besides.push(exit::reason(exit::UNREACHABLE, problem.reason.clone()));
        }
        if let Err(error) = &self.setup.history {
            besides.push(exit::reason(exit::INCOMPLETE, format!("history was not kept: {error}")));
        }
        let mut run = self.document(selection, modules);
        if let Ok(store) = &self.setup.history
            && let Err(error) = store.compare(&mut run, &self.kept.aliases)
        {
            run.problems.push(format!("what changed is not known: {error}"));
        }
        run.exit = exit::of(&run, &self.setup.policy, besides.clone());
        if let Ok(store) = &self.setup.history {
            self.kept.measures.sort_by(|left, right| left.series.cmp(&right.series));
            match store.record(&run, &self.kept) {
                Ok(number) => run.number = Some(number),
                Err(error) => {
                    besides.push(exit::reason(exit::INCOMPLETE, format!("history was not kept: {error}")));
                    run.problems.push(format!("history was not kept: {error}"));
                    run.exit = exit::of(&run, &self.setup.policy, besides);
                }
            }
        }
        run.problems.sort();
        self.setup.events.tell(&Event::finished(&run));
        run
    }

    fn document(&mut self, selection: &Selection<'a>, modules: &Modules) -> Run {
        let setup = self.setup;
        let mut checks = std::mem::take(&mut self.checks);
        self.renew(selection, &mut checks);
        let waivers = waiver::apply(
            &waiver::Ground {
                waivers: setup.waivers,
                rules: setup.config.waivers,
                now: setup.now,
                zone: &setup.config.calendar.zone,
                aliases: &self.kept.aliases,
                history: setup.history.as_deref().ok(),
            },
            &mut checks,
        );
        checks.sort_by(|left, right| left.id.cmp(&right.id));
        cause::attribute(&mut checks, selection.plugins.iter().flat_map(|one| one.checks.iter().copied()));
        let mut plugins = Vec::new();
        for one in &selection.plugins {
            plugins.push(self.plugin_used(one));
        }
        let enabled: Vec<&Manifest> = selection.plugins.iter().map(|one| &one.plugin.manifest).collect();
        let installed: Vec<&Manifest> = setup.installed.iter().map(|one| &one.manifest).collect();
        // A run that was narrowed on purpose does not complain about what it leaves out.
        let not_looked_at = match setup.filter.names_something() {
            true => Vec::new(),
            false => modules.not_looked_at(&enabled, &installed),
        };
        let mut problems = std::mem::take(&mut self.problems);
        problems.sort();
        problems.dedup();
        self.quarantined.sort_by(|left, right| left.check.cmp(&right.check));
        self.absent.sort_by(|left, right| left.plugin.cmp(&right.plugin));
        let deployment = document::Deployment {
            id: setup.config.deployment.id.clone(),
            url: setup.config.deployment.url.to_string(),
            account: self.account.as_ref().ok().cloned().flatten(),
        };
        let mut run = Run {
            time_zone: setup.config.calendar.zone_name().to_owned(),
            selection: asked(setup),
            interrupted: setup.interrupt.signal().map(str::to_owned),
            requests: self.requests,
            checks,
            plugins,
            refused: refused(setup.refused),
            absent: std::mem::take(&mut self.absent),
            not_looked_at,
            quarantined: std::mem::take(&mut self.quarantined),
            noise: self.noise(),
            problems,
            switched_off: selection
                .off
                .iter()
                .map(|(check, reason)| document::SwitchedOff { check: check.clone(), reason: reason.clone() })
                .collect(),
            probes: std::mem::take(&mut self.probes),
            waivers,
            ..Run::empty(deployment, setup.now)
        };
        run.count();
        run
    }

    fn plugin_used(&mut self, one: &Selected<'_>) -> document::PluginUsed {
        let manifest = &one.plugin.manifest;
        self.kept.libraries.insert(manifest.id.clone(), one.plugin.library.sha256.clone());
        let set = self.setup.config.modules.settings.get(&manifest.id);
        let settings = settings::resolved(manifest, set.unwrap_or(&Map::new()));
        self.kept.settings.insert(manifest.id.clone(), settings);
        document::PluginUsed {
            id: manifest.id.clone(),
            title: manifest.title.clone(),
            version: manifest.version.clone(),
            api: manifest.api.clone(),
            sha256: one.plugin.library.sha256.clone(),
            checks: one.checks.len() as u64,
            sandbox: self.farewells.get(&manifest.id).map(|one| one.sandbox.clone()).unwrap_or_default(),
        }
    }

    fn noise(&self) -> Vec<document::Noise> {
        self.farewells
            .iter()
            .filter(|(_, farewell)| !farewell.noise.trim().is_empty())
            .map(|(plugin, farewell)| document::Noise {
                plugin: plugin.clone(),
                text: farewell.noise.clone(),
            })
            .collect()
    }
}

/// What a quarantined check's reason ends with, before the name of the library.
const QUARANTINE: &str =
    "; it failed so in two runs in a row and is not judged again until its library changes:";

/// The plugins whose checks need their inputs.
fn judged<'a>(selection: &Selection<'a>, known: &Known) -> Vec<Selected<'a>> {
    let open = |one: &Selected<'a>| Selected {
        plugin: one.plugin,
        checks: one.checks.iter().copied().filter(|check| !known.contains_key(&check.id)).collect(),
    };
    selection.plugins.iter().map(open).collect()
}

fn started(setup: &Setup<'_>, selection: &Selection<'_>) -> Event {
    Event::RunStarted {
        format: document::FORMAT,
        deployment: setup.config.deployment.id.clone(),
        at: setup.now,
        checks: selection.plugins.iter().map(|one| one.checks.len() as u64).sum(),
        plugins: selection.plugins.iter().map(|one| one.plugin.manifest.id.clone()).collect(),
    }
}

fn asked(setup: &Setup<'_>) -> document::Selection {
    let filter = &setup.filter;
    let sorted = |texts: &[String]| {
        let mut texts = texts.to_vec();
        texts.sort();
        texts.dedup();
        texts
    };
    document::Selection {
        modules: sorted(&filter.modules),
        checks: sorted(&filter.checks),
        cadences: filter.cadences.iter().map(|cadence| cadence.name().to_owned()).collect(),
        only_failed: filter.only_failed,
        due: filter.due,
        owners: sorted(&filter.owners),
        beyond: !filter.no_beyond,
        questions: setup.config.deployment.questions,
    }
}

fn refused(refused: &[Refusal]) -> Vec<document::Refused> {
    let mut all: Vec<document::Refused> = refused
        .iter()
        .map(|one| document::Refused {
            path: one.path.display().to_string(),
            id: one.id.clone(),
            reason: one.reason.clone(),
        })
        .collect();
    all.sort();
    all
}

mod renew;

#[cfg(test)]
pub(crate) mod fakes;
#[cfg(test)]
mod tests;
