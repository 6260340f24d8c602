//! Judging: one worker for each plugin, one inspection for each check.
//!
//! A worker that fails costs one row: it is started again for the checks that remain. A judge that failed in two runs
//! in a row is not asked again until its library changes.

use super::outcome::Heard;
use crate::plugins::Installed;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::Supplied;
use tancheck_plugin_api::manifest::Check;
use tancheck_plugin_api::wire::{Inspection, Judgement};

/// Why a worker gave no judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// `Crashed` or `TimedOut`.
    pub outcome: Outcome,
    /// What happened.
    pub sentence: String,
    /// What the plugin had printed.
    pub noise: String,
}

/// Starts workers. The real one starts processes; tests have others.
pub trait Guests: Sync {
    /// A running worker.
    type Guest: Guest;

    /// Starts a worker for a plugin.
    fn start(&self, plugin: &Installed) -> impl Future<Output = Result<Self::Guest, Failed>> + Send;
}

/// A running worker.
pub trait Guest: Send {
    /// Judges one check.
    fn inspect(&mut self, inspection: &Inspection) -> impl Future<Output = Result<Judgement, Failed>> + Send;

    /// What holds the plugin back.
    fn sandbox(&self) -> String;

    /// Ends it; what the plugin printed.
    fn stop(self) -> impl Future<Output = String> + Send;
}

/// The checks of one plugin that are to be judged.
#[derive(Debug)]
pub struct Job<'a> {
    /// The plugin.
    pub plugin: &'a Installed,
    /// The site's settings of it.
    pub settings: Map<String, Value>,
    /// The checks, each with its inputs.
    pub checks: Vec<(&'a Check, BTreeMap<String, Arc<Supplied>>)>,
}

/// What became of a worker, besides its judgements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Farewell {
    /// What the plugin printed.
    pub noise: String,
    /// What held it back.
    pub sandbox: String,
}

/// Judges the checks of one plugin in their order. `heard` is told each one with its inputs, and whether its judge
/// was at fault.
pub async fn judge<'a, G: Guests>(
    guests: &G,
    job: Job<'a>,
    now: Timestamp,
    mut heard: impl FnMut(&'a Check, &BTreeMap<String, Arc<Supplied>>, Heard, Option<bool>) + Send,
) -> Farewell {
    let mut farewell = Farewell::default();
    let mut running: Option<G::Guest> = None;
    let mut gone: Option<Failed> = None;
    for (check, inputs) in job.checks {
        if running.is_none() && gone.is_none() {
            match guests.start(job.plugin).await {
                Ok(guest) => {
                    farewell.sandbox = guest.sandbox();
                    running = Some(guest);
                }
                Err(failed) => {
                    farewell.noise.push_str(&failed.noise);
                    gone = Some(failed);
                }
            }
        }
        let Some(mut guest) = running.take() else {
            // A worker that cannot be started is no fault of this check, and would fail the same way again.
            let failed = gone.as_ref().expect("no worker runs only where starting one failed");
            heard(check, &inputs, known(failed), None);
            continue;
        };
        let inspection = inspection(check, now, &job.settings, &inputs);
        match guest.inspect(&inspection).await {
            Ok(judgement) => {
                heard(check, &inputs, Heard::Judgement(Box::new(judgement)), Some(false));
                running = Some(guest);
            }
            Err(failed) => {
                heard(check, &inputs, known(&failed), Some(true));
                farewell.noise.push_str(&failed.noise);
                drop(guest);
            }
        }
    }
    if let Some(guest) = running {
        farewell.noise.push_str(&guest.stop().await);
    }
    farewell
}

/// What goes to the worker. Inputs are shared until here: only the check that is judged next is in memory twice.
fn inspection(
    check: &Check,
    now: Timestamp,
    settings: &Map<String, Value>,
    inputs: &BTreeMap<String, Arc<Supplied>>,
) -> Inspection {
    let inputs = inputs.iter().map(|(id, supplied)| (id.clone(), Supplied::clone(supplied))).collect();
    Inspection { check: check.id.clone(), now, settings: settings.clone(), inputs, subject: None }
}

fn known(failed: &Failed) -> Heard {
    Heard::Known { outcome: failed.outcome, reason: failed.sentence.clone() }
}
