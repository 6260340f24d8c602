//! The deployment as commands ask it that may come to their end without it: the login happens with the first need.

use super::engine::Ground;
use super::run::{Requests, Workers};
use crate::collect::Want;
use crate::collect::collector::{Collector, Offline};
use crate::collect::http::HttpTransport;
use crate::collect::session::{Account, Session};
use crate::collect::transport::{Call, Problem, Sink, Transport};
use crate::diagnose::scout::LogsIn;
use crate::run::engine::{Collects, Gathered, Setup};
use crate::run::event::Events;
use crate::run::exit::Policy;
use crate::run::interrupt;
use tancheck_plugin_api::Outcome;
use tokio::sync::OnceCell;

/// What a command asks.
pub(super) struct Inquiry<'a> {
    ground: &'a Ground,
    here: Requests<Offline>,
    connection: OnceCell<Connection>,
}

struct Connection {
    session: Option<Session>,
    login: Result<Option<String>, Problem>,
    requests: Requests<Line>,
}

/// A deployment that answers, or one that is not reached.
enum Line {
    Open(HttpTransport),
    Closed(Offline),
}

impl Transport for Line {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        match self {
            Self::Open(transport) => transport.send(call, sink).await,
            Self::Closed(transport) => transport.send(call, sink).await,
        }
    }
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(ground: &'a Ground) -> Self {
        let offline = Offline::because(Problem::new(Outcome::NotEvaluated, "only this machine was asked"));
        let collector = Collector::new(&ground.config, offline, ground.local(), ground.now);
        let here = Requests::new(collector, Events::silent());
        Self { ground, here, connection: OnceCell::new() }
    }

    /// Whether all there is to know about an input is on this machine.
    fn is_here(&self, want: &Want) -> bool {
        let is_repointed = self.ground.config.inputs.contains_key(&want.input.id);
        !is_repointed && want.input.sources.iter().all(|source| !source.request.is_remote())
    }

    /// What runs checks in the course of the inquiry.
    pub(super) fn setup(&self) -> Setup<'a> {
        let (_, interrupt) = interrupt::channel();
        self.ground.setup(Policy::default(), interrupt, Events::silent())
    }

    pub(super) fn workers(&self) -> Workers<'a> {
        Workers { limits: &self.ground.config.limits }
    }

    /// Why the login came to nothing, if it was tried.
    pub(super) fn unreached(&self) -> Option<&str> {
        Some(&self.connection.get()?.login.as_ref().err()?.reason)
    }

    /// Logs out.
    pub(super) async fn close(self) {
        if let Some(Connection { session: Some(session), .. }) = self.connection.into_inner() {
            session.close().await;
        }
    }

    async fn connection(&self) -> &Connection {
        self.connection.get_or_init(|| self.connect()).await
    }

    async fn connect(&self) -> Connection {
        let config = &self.ground.config;
        let (session, login, line, account) = match Session::open(&config.deployment, &config.limits).await {
            Ok(session) => {
                let user = Some(session.user().to_owned()).filter(|user| !user.is_empty());
                let (line, account) = (Line::Open(session.transport()), session.account().clone());
                (Some(session), Ok(user), line, account)
            }
            Err(problem) => {
                let line = Line::Closed(Offline::because(problem.clone()));
                (None, Err(problem), line, Account::default())
            }
        };
        let collector =
            Collector::new(config, line, self.ground.local(), self.ground.now).with_account(account);
        Connection { session, login, requests: Requests::new(collector, Events::silent()) }
    }
}

impl Collects for Inquiry<'_> {
    async fn collect(&self, wants: &[Want]) -> Gathered {
        match self.connection.get() {
            None if wants.iter().all(|want| self.is_here(want)) => self.here.collect(wants).await,
            _ => self.connection().await.requests.collect(wants).await,
        }
    }
}

impl LogsIn for Inquiry<'_> {
    async fn login(&self) -> Result<Option<String>, Problem> {
        self.connection().await.login.clone()
    }
}
