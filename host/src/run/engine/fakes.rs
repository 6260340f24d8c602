//! A deployment, a collector and workers for tests of the engine, the history and the reports.

use super::*;
use crate::config::{Auth, Deployment, Limits, Modules as Enabled, Places, SecretSource};
use crate::plugins::Library;
use crate::run::document::{Affected, Finding, Subject};
use crate::run::interrupt;
use crate::run::judge::{Failed, Guest};
use crate::run::plan::Place;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use tancheck_plugin_api::Severity;
use tancheck_plugin_api::facts::Body;
use tancheck_plugin_api::manifest::Input;
use tancheck_plugin_api::wire::{Inspection, Judgement};

pub(crate) const NOW: &str = "2026-06-30T12:00:00Z";

/// A manifest; the fields of a check that are not given have dull values.
pub(crate) fn manifest(id: &str, checks: &[(&str, Value)]) -> Manifest {
    let check = |(id, fields): &(&str, Value)| {
        let mut check = json!({
            "id": id, "kind": "automated", "title": format!("{id} is well"), "cadence": ["monthly"],
            "severity": "high", "inputs": [], "settings": [], "guide": [], "what": "Looks.", "why": "It matters.",
            "judged": true,
            "remedy": {
                "steps": [{"do": "console", "path": "Modules", "text": "repair {subject}, {what}"}],
                "cautions": ["mind {subject}"], "who": "an administrator", "risk": "low", "reversible": "yes",
                "verify": id,
            },
        });
        let known = check.as_object_mut().unwrap();
        known.extend(fields.as_object().cloned().unwrap());
        check
    };
    let text = json!({
        "id": id, "title": id.to_uppercase(), "version": "0.1.0", "api": "1.0.0",
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
    });
    serde_json::from_value(text).unwrap()
}

pub(crate) fn installed(id: &str, checks: &[(&str, Value)]) -> Installed {
    let library = Library::of(format!("/plugins/{id}.so").as_ref(), id.as_bytes());
    Installed { library, manifest: manifest(id, checks) }
}

/// A plugin all of whose checks read these inputs.
pub(crate) fn installed_reading(id: &str, checks: &[(&str, Value)], inputs: &[Input]) -> Installed {
    let mut plugin = installed(id, checks);
    plugin.manifest.inputs = inputs.to_vec();
    for check in &mut plugin.manifest.checks {
        check.inputs = inputs.iter().map(|input| input.id.clone()).collect();
    }
    plugin
}

pub(crate) fn rest(id: &str, path: &str) -> Input {
    let source = json!({"kind": "rest", "path": path, "shape": "rows"});
    serde_json::from_value(json!({"id": id, "about": "rows", "sources": [source]})).unwrap()
}

pub(crate) fn refusal(id: &str, reason: &str) -> Refusal {
    Refusal {
        path: PathBuf::from(format!("/plugins/{id}.so")),
        id: Some(id.to_owned()),
        reason: reason.to_owned(),
    }
}

pub(crate) fn supplied(body: Body) -> Supplied {
    Supplied {
        source: "rest".to_owned(),
        request: "GET /api/v2/rows".to_owned(),
        at: NOW.parse().unwrap(),
        gaps: Vec::new(),
        body,
    }
}

/// The result of a check.
pub(crate) fn result(id: &str, outcome: Outcome) -> CheckResult {
    let plugin = id.split('.').next().unwrap_or_default();
    let saw_everything = outcome.is_decided();
    CheckResult { outcome, saw_everything, ..CheckResult::new(id, plugin, &format!("{id} is well")) }
}

/// A finding of a check on a subject.
pub(crate) fn finding_of(check: &str, key: &str, severity: Severity) -> Finding {
    let subject = tancheck_plugin_api::Subject::new("thing", key, format!("thing {key}"));
    let fingerprint = crate::run::identity::fingerprint("lab", check, &subject);
    let subject = Subject { kind: subject.kind, key: subject.key, name: subject.name };
    Finding {
        expected: "whole".to_owned(),
        affected: Some(Affected { count: 3, of: Some(10), sample: vec!["one".to_owned()] }),
        ..Finding::new(fingerprint, severity, subject, "is broken".to_owned())
    }
}

/// A run of these checks, counted.
pub(crate) fn run_of(checks: Vec<CheckResult>) -> Run {
    let deployment =
        document::Deployment { id: "lab".to_owned(), url: "https://lab.example/".to_owned(), account: None };
    let mut run = Run {
        tool: document::Tool { name: "tancheck".to_owned(), version: "0.1.0".to_owned() },
        requests: document::Requests { sent: 12, saved: 3, questions: 2 },
        checks,
        ..Run::empty(deployment, NOW.parse().unwrap())
    };
    run.count();
    run
}

/// A configuration of a deployment called `lab`.
pub(crate) fn config() -> Config {
    Config {
        deployment: Deployment {
            url: "https://lab.example".parse().unwrap(),
            id: "lab".to_owned(),
            auth: Auth::Token(SecretSource::Env("NONE".to_owned())),
            ca_file: None,
            questions: true,
        },
        modules: Enabled::default(),
        inputs: BTreeMap::new(),
        limits: Limits::default(),
        probing: crate::config::Probing::default(),
        places: Places {
            plugins: Vec::new(),
            exports: PathBuf::new(),
            state: PathBuf::new(),
            cache: PathBuf::new(),
            waivers: None,
        },
        calendar: crate::calendar::Almanac::default(),
        waivers: crate::run::waiver::Rules::default(),
    }
}

/// A run of these plugins without history; change what matters.
pub(crate) fn setup<'a>(config: &'a Config, installed: &'a [Installed]) -> Setup<'a> {
    let (interrupter, interrupt) = interrupt::channel();
    drop(interrupter);
    Setup {
        config,
        installed,
        refused: &[],
        filter: Filter::default(),
        policy: Policy::default(),
        waivers: &[],
        now: NOW.parse().unwrap(),
        history: Err(HistoryError::Full { path: "/state/history.db".to_owned() }),
        interrupt,
        events: Events::silent(),
        workers: 4,
    }
}

/// Delivers what it was given, by input id; everything else is unavailable. Remembers what was wanted.
#[derive(Default)]
pub(crate) struct FakeCollector {
    pub(crate) inputs: BTreeMap<String, Supplied>,
    pub(crate) wanted: Mutex<Vec<Place>>,
    so_far: Mutex<Gathered>,
}

impl FakeCollector {
    pub(crate) fn with(mut self, id: &str, body: Body) -> Self {
        self.inputs.insert(id.to_owned(), supplied(body));
        self
    }

    pub(crate) fn wanted(&self) -> Vec<String> {
        self.wanted.lock().unwrap().iter().map(|(plugin, input)| format!("{plugin}/{input}")).collect()
    }
}

impl Collects for FakeCollector {
    async fn collect(&self, wants: &[Want]) -> Gathered {
        let mut gathered = self.so_far.lock().unwrap();
        for want in wants {
            let place = (want.plugin.clone(), want.input.id.clone());
            let missing = || {
                supplied(Body::Unavailable(tancheck_plugin_api::facts::Unavailable {
                    outcome: Outcome::Unreachable,
                    reason: format!("{} did not answer", want.input.id),
                }))
            };
            let same = |known: &Place| known.1 == want.input.id;
            let supplied = match gathered.inputs.iter().find(|(known, _)| same(known)) {
                Some((_, supplied)) => {
                    let supplied = Arc::clone(supplied);
                    gathered.saved += 1;
                    supplied
                }
                None => {
                    self.wanted.lock().unwrap().push(place.clone());
                    gathered.sent += 1;
                    gathered.timings.push((want.input.id.clone(), 0.5));
                    Arc::new(self.inputs.get(&want.input.id).cloned().unwrap_or_else(missing))
                }
            };
            gathered.inputs.insert(place, supplied);
        }
        gathered.clone()
    }
}

/// What a fake judge does.
#[derive(Clone)]
pub(crate) enum Act {
    /// Says this: the fields of a judgement.
    Say(Value),
    /// Dies.
    Crash,
    /// Takes too long.
    Hang,
}

/// Workers that do as they are told, by check id; the default is to pass. Each start is remembered.
#[derive(Default)]
pub(crate) struct FakeGuests {
    pub(crate) acts: BTreeMap<String, Act>,
    pub(crate) starts: Mutex<Vec<String>>,
    pub(crate) refuses_to_start: bool,
    pub(crate) inspected: Mutex<VecDeque<Inspection>>,
}

impl FakeGuests {
    pub(crate) fn with(mut self, check: &str, act: Act) -> Self {
        self.acts.insert(check.to_owned(), act);
        self
    }
}

pub(crate) struct FakeGuest<'a>(&'a FakeGuests);

impl<'g> Guests for &'g FakeGuests {
    type Guest = FakeGuest<'g>;

    async fn start(&self, plugin: &Installed) -> Result<Self::Guest, Failed> {
        self.starts.lock().unwrap().push(plugin.manifest.id.clone());
        if self.refuses_to_start {
            Err(failed(Outcome::Crashed, "it cannot be loaded"))
        } else {
            Ok(FakeGuest(self))
        }
    }
}

impl Guest for FakeGuest<'_> {
    async fn inspect(&mut self, inspection: &Inspection) -> Result<Judgement, Failed> {
        self.0.inspected.lock().unwrap().push_back(inspection.clone());
        match self.0.acts.get(&inspection.check) {
            Some(Act::Crash) => Err(failed(Outcome::Crashed, "it was killed by signal 11")),
            Some(Act::Hang) => Err(failed(Outcome::TimedOut, "it took longer than 10 s")),
            Some(Act::Say(fields)) => Ok(judgement(&inspection.check, fields.clone())),
            None => {
                // Like a real judge, it cannot do without its inputs.
                let missing = inspection.inputs.iter().find_map(|(id, supplied)| match &supplied.body {
                    Body::Unavailable(missing) => {
                        Some(json!({"undecided": {"outcome": missing.outcome, "reason": missing.reason, "input": id}}))
                    }
                    _ => None,
                });
                Ok(judgement(&inspection.check, missing.unwrap_or_else(|| json!({}))))
            }
        }
    }

    fn sandbox(&self) -> String {
        "full".to_owned()
    }

    async fn stop(self) -> String {
        String::new()
    }
}

fn failed(outcome: Outcome, sentence: &str) -> Failed {
    Failed { outcome, sentence: sentence.to_owned(), noise: "last words\n".to_owned() }
}

/// A judgement with these fields.
pub(crate) fn judgement(check: &str, fields: Value) -> Judgement {
    let mut text = json!({"check": check});
    text.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap());
    serde_json::from_value(text).unwrap()
}
