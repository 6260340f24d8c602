//! What a lab is made of: numbers and switches, all with defaults that give a healthy deployment.

use crate::behaviour::Behaviour;
use jiff::Timestamp;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The part of the configuration that the deployment's state is made from.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) endpoints: u64,
    /// Client Containers among the endpoints; they keep logging level 10.
    pub(crate) containers: u64,
    /// One in so many endpoints answers a question with a special cell; 0 for none.
    pub(crate) special_cells_every: u64,
    /// Endpoints that joined while the lab ran: when, and how many.
    pub(crate) joined: Vec<(Timestamp, u64)>,
}

/// Everything that a running lab needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) setup: Setup,
    pub(crate) now: Timestamp,
    pub(crate) ticking: bool,
    pub(crate) listen: SocketAddr,
    pub(crate) latency: Duration,
    pub(crate) question_ms: RangeInclusive<u64>,
    pub(crate) behaviours: Vec<(String, Behaviour)>,
    pub(crate) faults: Vec<String>,
    pub(crate) tls: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            setup: Setup {
                seed: 1,
                endpoints: 1000,
                containers: 0,
                special_cells_every: 1000,
                joined: Vec::new(),
            },
            // A Wednesday noon: the lab's time stands still unless it is told to tick.
            now: Timestamp::constant(1_772_625_600, 0),
            ticking: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            latency: Duration::ZERO,
            question_ms: 0..=0,
            behaviours: Vec::new(),
            faults: Vec::new(),
            tls: false,
        }
    }
}
