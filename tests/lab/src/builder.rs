//! Describing a lab before it starts.

use crate::areas::people::CHECKER;
use crate::behaviour::Behaviour;
use crate::config::Config;
use crate::core::Core;
use crate::faults;
use crate::lab::{Lab, LabError};
use crate::server::{Authority, Running};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// A lab that is being described. The defaults give a healthy deployment of 1000 endpoints.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    config: Config,
}

impl Builder {
    /// How many endpoints there are, from 10 to 1 000 000.
    #[must_use]
    pub fn endpoints(mut self, count: u64) -> Self {
        self.config.setup.endpoints = count.clamp(10, 1_000_000);
        self
    }

    /// The seed: the same seed, time and faults give the same bytes.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.setup.seed = seed;
        self
    }

    /// The lab's time. All times of the deployment derive from it; it stands still unless it is told to tick.
    #[must_use]
    pub fn now(mut self, now: Timestamp) -> Self {
        self.config.now = now;
        self
    }

    /// Lets the lab's time run on with the machine's clock.
    #[must_use]
    pub fn ticking(mut self) -> Self {
        self.config.ticking = true;
        self
    }

    /// Where to listen; a free port of 127.0.0.1 by default.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.config.listen = address;
        self
    }

    /// How long every answer takes.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.config.latency = latency;
        self
    }

    /// How long questions take, in milliseconds, each as long whenever it is asked; by default they are complete at once.
    #[must_use]
    pub fn question_ms(mut self, range: RangeInclusive<u64>) -> Self {
        self.config.question_ms = range;
        self
    }

    /// How many of the endpoints are Client Containers, which keep logging level 10.
    #[must_use]
    pub fn client_containers(mut self, count: u64) -> Self {
        self.config.setup.containers = count;
        self
    }

    /// One in so many endpoints answers questions with a special cell such as `TSE-Error: …`; 0 for none.
    /// The default is 1000.
    #[must_use]
    pub fn special_cells_every(mut self, endpoints: u64) -> Self {
        self.config.setup.special_cells_every = endpoints;
        self
    }

    /// Puts a fault into the deployment.
    #[must_use]
    pub fn fault(mut self, name: &str) -> Self {
        self.config.faults.push(name.to_owned());
        self
    }

    /// Makes routes misbehave; `*` in the pattern stands for any text, `{id}` for one segment.
    #[must_use]
    pub fn behaviour(mut self, pattern: &str, behaviour: Behaviour) -> Self {
        self.config.behaviours.push((pattern.to_owned(), behaviour));
        self
    }

    /// Serves HTTPS with a certificate of a private authority that is made at start.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.config.tls = true;
        self
    }

    /// Starts the lab.
    ///
    /// # Errors
    /// If a fault has no such name, the address cannot be bound, or no certificate can be made.
    pub fn start(self) -> Result<Lab, LabError> {
        let known = |name: &String| faults::named(name).ok_or_else(|| LabError::UnknownFault(name.clone()));
        let faults = self.config.faults.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        let authority = if self.config.tls { Some(Authority::new().map_err(LabError::tls)?) } else { None };
        let core = Arc::new(Core::new(self.config, faults));
        let acceptor = authority.as_ref().map(|authority| authority.acceptor.clone());
        let running = Running::start(Arc::clone(&core), acceptor).map_err(LabError::Start)?;
        let state = core.state();
        let token =
            state.people.tokens.iter().find(|token| token.user == CHECKER).map(|token| token.secret.clone());
        let user = state.people.user(CHECKER).map(|user| user.name.clone());
        Ok(Lab {
            token: token.unwrap_or_default(),
            user: user.unwrap_or_default(),
            password: state.people.password.clone(),
            authority: authority.map(|authority| authority.pem),
            core,
            running,
        })
    }
}
