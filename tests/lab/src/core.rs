//! The running deployment: the present state, and everything that changes while requests arrive.

use crate::areas::{self, questions::Questions};
use crate::behaviour::Behaviours;
use crate::clock::Clock;
use crate::config::{Config, Setup};
use crate::faults::Fault;
use crate::log::Log;
use crate::session::Sessions;
use crate::state::State;
use crate::wire::{Route, cache::Caches};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};

/// While the clock runs, the state is made anew this often, so that "the last run" stays recent.
const REFRESH: SignedDuration = SignedDuration::from_mins(1);

/// Shared by the lab's handle and its server.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) routes: Vec<Route>,
    pub(crate) behaviours: Behaviours,
    pub(crate) sessions: Sessions,
    pub(crate) caches: Caches,
    pub(crate) questions: Questions,
    pub(crate) log: Log,
    faults: Mutex<Vec<&'static Fault>>,
    joined: Mutex<Vec<(Timestamp, u64)>>,
    state: Mutex<Option<Arc<State>>>,
}

impl Core {
    pub(crate) fn new(config: Config, faults: Vec<&'static Fault>) -> Self {
        let behaviours = Behaviours::default();
        for (pattern, behaviour) in &config.behaviours {
            behaviours.add(pattern, behaviour.clone());
        }
        Self {
            clock: Clock::new(config.now, config.ticking),
            routes: areas::AREAS.iter().flat_map(|area| (area.routes)()).collect(),
            behaviours,
            sessions: Sessions::default(),
            caches: Caches::default(),
            questions: Questions::default(),
            log: Log::default(),
            faults: Mutex::new(faults),
            joined: Mutex::default(),
            state: Mutex::new(None),
            config,
        }
    }

    /// The state at this moment.
    pub(crate) fn state(&self) -> Arc<State> {
        let now = self.clock.now();
        let mut held = self.state.lock().expect("the lock is never held across a panic");
        match &*held {
            Some(state) if now.duration_since(state.now) < REFRESH => Arc::clone(state),
            _ => {
                let faults = self.faults.lock().expect("the lock is never held across a panic");
                let joined = self.joined.lock().expect("the lock is never held across a panic").clone();
                let setup = Setup { joined, ..self.config.setup.clone() };
                let state = Arc::new(State::new(setup, now, &faults));
                *held = Some(Arc::clone(&state));
                state
            }
        }
    }

    /// Changes the faults in force; the next request sees the new state.
    pub(crate) fn set_faults(&self, change: impl FnOnce(&mut Vec<&'static Fault>)) {
        change(&mut self.faults.lock().expect("the lock is never held across a panic"));
        self.refresh();
    }

    /// Lets endpoints join at the present time.
    pub(crate) fn join(&self, endpoints: u64) {
        let now = self.clock.now();
        self.joined.lock().expect("the lock is never held across a panic").push((now, endpoints));
        self.refresh();
    }

    /// Makes the next request see a state made for the present time.
    pub(crate) fn refresh(&self) {
        *self.state.lock().expect("the lock is never held across a panic") = None;
    }
}
