//! Finds out what can be seen: readings are judged in the plugin's worker, checks are run as in any run.

use super::values::{Value, needed};
use super::walk::{Looks, Seen};
use crate::collect::Want;
use crate::collect::transport::Problem;
use crate::config::settings;
use crate::plugins::Installed;
use crate::run::document::{CheckResult, Finding};
use crate::run::engine::{self, Collects, Setup};
use crate::run::judge::{Guest, Guests};
use crate::run::plan;
use crate::run::select::Filter;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tancheck_plugin_api::facts::Supplied;
use tancheck_plugin_api::manifest::{Decided, Node, Reading};
use tancheck_plugin_api::validate::SUBJECT;
use tancheck_plugin_api::wire::Inspection;
use tancheck_plugin_api::{Outcome, Severity};
use tokio::sync::Mutex;

/// Exported files older than this show a deployment of another time.
const EXPORT_DAYS: u32 = 7;

/// Who asks, where the deployment told it, or why the login came to nothing.
pub trait LogsIn: Sync {
    /// Logs in, once.
    fn login(&self) -> impl Future<Output = Result<Option<String>, Problem>> + Send;
}

/// What a reading read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// What it was taken from, in words.
    pub notes: Vec<String>,
    /// The requests that were sent.
    pub sources: Vec<String>,
}

/// Looks at one plugin's deployment. What was seen once is not looked at again.
pub struct Scout<'a, C, G: Guests> {
    setup: &'a Setup<'a>,
    plugin: &'a Installed,
    collector: &'a C,
    guests: &'a G,
    worker: Mutex<Option<G::Guest>>,
    texts: Mutex<BTreeMap<(String, String), Result<Text, String>>>,
    results: Mutex<BTreeMap<String, CheckResult>>,
    problems: Mutex<Vec<String>>,
}

impl<'a, C: Collects + LogsIn, G: Guests> Scout<'a, C, G> {
    /// A scout for a plugin.
    pub fn new(setup: &'a Setup<'a>, plugin: &'a Installed, collector: &'a C, guests: &'a G) -> Self {
        Self {
            setup,
            plugin,
            collector,
            guests,
            worker: Mutex::default(),
            texts: Mutex::default(),
            results: Mutex::default(),
            problems: Mutex::default(),
        }
    }

    /// A scout that looks at one subject.
    #[must_use]
    pub const fn about<'b>(&'b self, subject: &'b str) -> About<'b, 'a, C, G> {
        About { scout: self, subject }
    }

    /// Reads one reading, or says why nothing can be read.
    pub async fn read(&self, reading: &Reading, subject: Option<&str>) -> Result<Text, String> {
        let key = (reading.id.clone(), subject.unwrap_or_default().to_owned());
        if let Some(known) = self.texts.lock().await.get(&key) {
            return known.clone();
        }
        let text = self.look(reading, subject).await;
        self.texts.lock().await.insert(key, text.clone());
        text
    }

    /// The values that stand in these texts.
    pub async fn values(&self, ids: &[String], texts: &[&str]) -> Vec<Value> {
        let manifest = &self.plugin.manifest;
        let mut values = Vec::new();
        for reading in needed(manifest, ids, texts) {
            let read = self.read(reading, None).await.map(|text| text.text);
            values.push(Value::of(manifest, reading, read));
        }
        values
    }

    /// Runs those of these checks that were not run yet; the results in the order of the ids. A check that is not
    /// there has none.
    pub async fn check(&self, ids: &[String]) -> Vec<CheckResult> {
        let mut known = self.results.lock().await;
        let open: Vec<String> = ids.iter().filter(|id| !known.contains_key(*id)).cloned().collect();
        if !open.is_empty() {
            let account = self.collector.login().await;
            match engine::run(&narrowed(self.setup, open), account, self.collector, self.guests).await {
                Ok(run) => {
                    self.problems.lock().await.extend(run.problems);
                    known.extend(run.checks.into_iter().map(|result| (result.id.clone(), result)));
                }
                Err(error) => self.problems.lock().await.push(error.to_string()),
            }
        }
        ids.iter().filter_map(|id| known.get(id)).cloned().collect()
    }

    /// What went wrong beside the answers.
    pub async fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.lock().await.clone();
        problems.sort();
        problems.dedup();
        problems
    }

    /// Ends the worker.
    pub async fn stop(self) {
        if let Some(worker) = self.worker.into_inner() {
            worker.stop().await;
        }
    }

    async fn look(&self, reading: &Reading, subject: Option<&str>) -> Result<Text, String> {
        let manifest = &self.plugin.manifest;
        let site = self.setup.config.modules.settings.get(&manifest.id).cloned().unwrap_or_default();
        let mut resolved = settings::resolved(manifest, &site);
        resolved.extend(subject.map(|subject| (SUBJECT.to_owned(), json!(subject))));
        let wants = Want::of(manifest, reading.inputs.iter().map(String::as_str), &resolved);
        let collected =
            if wants.is_empty() { plan::Inputs::new() } else { self.collector.collect(&wants).await.inputs };
        let reader = plan::Reader {
            days: EXPORT_DAYS,
            name: "this diagnosis",
            now: self.setup.now,
            zone: &self.setup.config.calendar.zone,
        };
        let inputs = plan::inputs(&manifest.id, &reading.inputs, &reader, &collected);
        let inspection = Inspection {
            check: reading.id.clone(),
            now: self.setup.now,
            settings: site,
            inputs: inputs.iter().map(|(id, supplied)| (id.clone(), Supplied::clone(supplied))).collect(),
            subject: subject.map(str::to_owned),
        };
        let judgement = self.inspect(&inspection).await?;
        match (judgement.answer, judgement.undecided) {
            (Some(text), None) => {
                let mut notes = judgement.report.notes;
                notes.extend(gaps(&judgement.read, &inputs));
                Ok(Text { text, notes, sources: sources(&judgement.read, &inputs) })
            }
            (_, Some(undecided)) => Err(undecided.reason),
            (None, None) => Err(format!("{} read nothing and did not say why", reading.id)),
        }
    }

    /// Asks the worker; one that died is started again for the next question.
    async fn inspect(&self, inspection: &Inspection) -> Result<tancheck_plugin_api::wire::Judgement, String> {
        let mut slot = self.worker.lock().await;
        let mut worker = match slot.take() {
            Some(worker) => worker,
            None => self.guests.start(self.plugin).await.map_err(|failed| failed.sentence)?,
        };
        let judgement = worker.inspect(inspection).await.map_err(|failed| failed.sentence)?;
        *slot = Some(worker);
        Ok(judgement)
    }
}

/// A scout that looks at one subject.
pub struct About<'b, 'a, C, G: Guests> {
    scout: &'b Scout<'a, C, G>,
    subject: &'b str,
}

impl<C: Collects + LogsIn, G: Guests<Guest: Send> + Sync> Looks for About<'_, '_, C, G> {
    async fn look(&self, node: &Node) -> Seen {
        match &node.decided {
            Decided::Reading(id) => {
                let Some(reading) = self.scout.plugin.manifest.reading(id) else {
                    return Seen::Unknown(format!("the plugin has no reading {id}"));
                };
                match self.scout.read(reading, Some(self.subject)).await {
                    Ok(Text { text, notes, sources }) => Seen::Answer { answer: text, notes, sources },
                    Err(why) => Seen::Unknown(why),
                }
            }
            Decided::Checks { checks, at_least, broken, sound } => {
                let results = self.scout.check(checks).await;
                decided(checks, &results, *at_least, broken, sound)
            }
            // What only a person can know.
            _ => Seen::Unknown(String::new()),
        }
    }
}

/// What the outcomes of checks say. One finding decides; health needs all of them.
fn decided(
    checks: &[String],
    results: &[CheckResult],
    at_least: Severity,
    broken: &str,
    sound: &str,
) -> Seen {
    let bad = |result: &CheckResult| -> Vec<String> {
        let findings = result.findings.iter().filter(|finding| finding.severity >= at_least);
        findings.map(|finding| told(result, finding)).collect()
    };
    let notes: Vec<String> = results.iter().flat_map(bad).collect();
    if !notes.is_empty() {
        return Seen::Answer { answer: broken.to_owned(), notes, sources: checks.to_vec() };
    }
    let undecided: Vec<String> = checks
        .iter()
        .filter_map(|id| match results.iter().find(|result| &result.id == id) {
            None => Some(format!("{id} was not run")),
            Some(result) if result.outcome.is_decided() => None,
            Some(result) => {
                Some(format!("{id}: {}", result.reason.as_deref().unwrap_or(result.outcome.name())))
            }
        })
        .collect();
    let passed = results.iter().filter(|result| result.outcome == Outcome::Pass).count();
    match undecided.as_slice() {
        // Checks that do not apply say nothing of a module that is not there.
        [] if passed == 0 => Seen::Unknown(format!("none of the {} checks applies here", checks.len())),
        [] => {
            let notes =
                vec![format!("{passed} of {} checks pass, no finding is {at_least} or worse", checks.len())];
            Seen::Answer { answer: sound.to_owned(), notes, sources: checks.to_vec() }
        }
        [one] => Seen::Unknown(one.clone()),
        [first, others @ ..] => Seen::Unknown(format!("{first} (and {} more undecided)", others.len())),
    }
}

fn told(result: &CheckResult, finding: &Finding) -> String {
    format!("{}: {} {}", result.id, finding.subject.name, finding.says)
}

/// A run of these checks and nothing else.
fn narrowed<'a>(setup: &Setup<'a>, checks: Vec<String>) -> Setup<'a> {
    Setup {
        config: setup.config,
        installed: setup.installed,
        refused: setup.refused,
        filter: Filter { checks, ..Filter::default() },
        policy: setup.policy,
        waivers: &[],
        now: setup.now,
        history: setup.history.clone(),
        interrupt: setup.interrupt.clone(),
        events: setup.events.clone(),
        workers: setup.workers,
    }
}

fn sources(read: &[String], inputs: &BTreeMap<String, Arc<Supplied>>) -> Vec<String> {
    let requests = read.iter().filter_map(|id| inputs.get(id)).map(|supplied| supplied.request.clone());
    requests.filter(|request| !request.is_empty()).collect()
}

fn gaps(read: &[String], inputs: &BTreeMap<String, Arc<Supplied>>) -> Vec<String> {
    let read = read.iter().filter_map(|id| inputs.get(id));
    read.flat_map(|supplied| supplied.gaps.iter().map(|gap| format!("incomplete: {gap}"))).collect()
}
