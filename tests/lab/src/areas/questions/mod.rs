//! Questions: asked, answered over time, counted or machine by machine; sensors and saved questions.

pub(crate) mod evaluate;
pub(crate) mod grammar;
mod render;
mod routes;
pub(crate) mod sensors;

use crate::areas::{Area, no_exports};
use crate::clock::days;
use crate::config::Config;
use crate::faults::Fault;
use crate::random;
use crate::state::State;
use evaluate::Tally;
use grammar::Question;
use jiff::Timestamp;
use sensors::{SENSORS, Sensor};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

pub(crate) const AREA: Area = Area { routes: routes::routes, faults: FAULTS, exports: no_exports };

const FAULTS: &[Fault] = &[Fault {
    name: "sensor-unreadable",
    about: "a sensor that questions need was put into a content set that nobody may read",
    breaks: &["interact.sensor-missing"],
    apply: |state| state.content.unlisted.push("Client Extensions - Status"),
}];

/// A question that stops answering does so at this share of its endpoints.
const STUCK_AT: f64 = 0.62;

/// The part of the state: what is saved on the server.
pub(crate) struct Content {
    pub(crate) saved_questions: Vec<SavedQuestion>,
    /// Sensors that no list shows: they are in a content set that nobody may read.
    pub(crate) unlisted: Vec<&'static str>,
}

/// A saved question.
#[derive(Debug, Clone)]
pub(crate) struct SavedQuestion {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) owner: u64,
    pub(crate) issue_seconds: u32,
    pub(crate) modified: Timestamp,
}

impl Content {
    /// The sensors that lists show.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &'static Sensor> {
        SENSORS.iter().filter(|sensor| !self.unlisted.contains(&sensor.name))
    }

    pub(crate) fn new(now: Timestamp) -> Self {
        let saved = |id: u64, name: &'static str, text: &'static str| SavedQuestion {
            id,
            name,
            text,
            owner: 1,
            issue_seconds: 300,
            modified: now - days(300),
        };
        Self {
            saved_questions: vec![
                saved(2, "Tanium Client Version", "Get Tanium Client Version from all machines"),
                saved(
                    14,
                    "Setting Value - LogVerbosityLevel",
                    "Get Tanium Client Explicit Setting[LogVerbosityLevel] from all machines",
                ),
                saved(15, "Online computers", "Get Computer Name and Online from all machines"),
            ],
            unlisted: Vec::new(),
        }
    }
}

/// A question on its way.
pub(crate) struct Asked {
    pub(crate) id: u64,
    pub(crate) saved_question: u64,
    pub(crate) question: Question,
    /// Whether offline endpoints answer with what they said last.
    pub(crate) most_recent: bool,
    /// The deployment as it was when the question was asked.
    pub(crate) state: Arc<State>,
    since: Instant,
    takes: Duration,
    tally: OnceLock<Tally>,
}

/// How far an answer is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Progress {
    pub(crate) share: f64,
    pub(crate) seconds: u64,
}

impl Asked {
    pub(crate) fn tally(&self) -> &Tally {
        self.tally.get_or_init(|| evaluate::tally(&self.state, &self.question, self.most_recent))
    }

    /// Grows from 0 to 1 over the time the question takes.
    pub(crate) fn progress(&self, stuck: bool) -> Progress {
        let elapsed = self.since.elapsed();
        let share = if self.takes.is_zero() {
            1.0
        } else {
            (elapsed.as_secs_f64() / self.takes.as_secs_f64()).min(1.0)
        };
        Progress { share: if stuck { share.min(STUCK_AT) } else { share }, seconds: elapsed.as_secs() }
    }
}

/// The part that changes while the lab runs.
#[derive(Default)]
pub(crate) struct Questions(Mutex<Running>);

#[derive(Default)]
struct Running {
    last: u64,
    asked: HashMap<u64, Arc<Asked>>,
    saved: HashMap<(u64, bool), Arc<Asked>>,
}

impl Questions {
    /// Issues a question and returns its id. Who posts the same again waits as long as the last time.
    pub(crate) fn ask(&self, config: &Config, state: &Arc<State>, question: Question, posted: &str) -> u64 {
        let mut running = self.0.lock().expect("the lock is never held across a panic");
        running.last += 1;
        let id = 1_000_000 + running.last;
        let (shortest, longest) = (*config.question_ms.start(), *config.question_ms.end());
        let spread = longest.saturating_sub(shortest) + 1;
        let millis = shortest + random::draw(config.setup.seed, posted, 0) % spread;
        let asked = Asked {
            id,
            saved_question: 0,
            question,
            most_recent: false,
            state: Arc::clone(state),
            since: Instant::now(),
            takes: Duration::from_millis(millis),
            tally: OnceLock::new(),
        };
        running.asked.insert(id, Arc::new(asked));
        id
    }

    /// How long each question that was asked takes, in no order.
    pub(crate) fn times(&self) -> Vec<Duration> {
        let running = self.0.lock().expect("the lock is never held across a panic");
        running.asked.values().map(|asked| asked.takes).collect()
    }

    pub(crate) fn asked(&self, id: u64) -> Option<Arc<Asked>> {
        self.0.lock().expect("the lock is never held across a panic").asked.get(&id).cloned()
    }

    /// The stored answer of a saved question: complete, and made anew when the deployment changed.
    pub(crate) fn saved(
        &self,
        state: &Arc<State>,
        saved: &SavedQuestion,
        most_recent: bool,
    ) -> Option<Arc<Asked>> {
        let mut running = self.0.lock().expect("the lock is never held across a panic");
        let key = (saved.id, most_recent);
        if let Some(known) = running.saved.get(&key).filter(|known| Arc::ptr_eq(&known.state, state)) {
            return Some(Arc::clone(known));
        }
        let asked = Arc::new(Asked {
            id: 500_000 + saved.id,
            saved_question: saved.id,
            question: grammar::question(saved.text).ok()?,
            most_recent,
            state: Arc::clone(state),
            since: Instant::now(),
            takes: Duration::ZERO,
            tally: OnceLock::new(),
        });
        running.saved.insert(key, Arc::clone(&asked));
        Some(asked)
    }
}
