//! The real transport: one deployment, one session, requests within limits, repeated where that may help.

use super::gate;
use super::progress::{Event, Progress};
use super::retry;
use super::session::{Credential, Renewal};
use super::transport::{Call, Problem, Sink, Transport};
use super::wire::{Failure, Outgoing, Wire};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The first pause before a repetition; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Pages of the deployment may send on this often.
const MOST_MOVES: u32 = 3;

/// Sends requests to the deployment. Copies share session, limits and counters.
#[derive(Clone, Debug)]
pub struct HttpTransport(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    line: Line,
    credential: Credential,
}

impl HttpTransport {
    pub(super) fn new(line: Line, credential: Credential) -> Self {
        Self(Arc::new(Shared { line, credential }))
    }

    /// Tells repetitions to `progress`; the first one that is given stays.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        // A second listener is a caller's mistake that costs an event, never a result.
        let _ = self.0.line.progress.set(progress);
        self
    }

    /// Requests so far, with repetitions, logins and polls.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.line.wire.calls()
    }

    /// Bytes of all answers so far, after decompression.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.line.wire.bytes()
    }

    /// How far the server's clock is ahead of ours, in whole seconds; `None` where no answer told.
    #[must_use]
    pub fn clock_skew(&self) -> Option<jiff::SignedDuration> {
        self.0.line.wire.clock_skew()
    }

    pub(super) fn line(&self) -> &Line {
        &self.0.line
    }

    pub(super) fn credential(&self) -> &Credential {
        &self.0.credential
    }
}

impl Transport for HttpTransport {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        gate::admit(call)?;
        let Shared { line, credential } = &*self.0;
        let body = call.body.as_ref().map(|body| SecretString::from(body.to_string()));
        let mut renewed = false;
        loop {
            let (session, generation) = credential.session();
            let outgoing = Outgoing {
                method: call.method,
                path: call.path.as_str().into(),
                options: call.options.as_deref(),
                body: body.as_ref().map(|body| SecretString::from(body.expose_secret())),
                session: Some(&session),
                secret: None,
            };
            // A question that may have arrived is not asked twice.
            let repeatable = call.path != gate::QUESTIONS;
            match line.carry(outgoing, &sink, repeatable).await {
                Ok(sink) => return Ok(sink),
                Err(Failure::Refused(problem)) => match credential.renew(line, generation, &problem).await {
                    Renewal::Again if !renewed => renewed = true,
                    Renewal::Again | Renewal::Pointless => return Err(problem),
                    Renewal::Lost(lost) => return Err(lost),
                },
                Err(failure) => return Err(failure.into_problem()),
            }
        }
    }
}

/// The wire with its window of requests in flight and its patience.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) wire: Wire,
    window: Semaphore,
    first_pause: Duration,
    progress: OnceLock<Progress>,
}

impl Line {
    pub(super) fn new(wire: Wire) -> Self {
        let window = Semaphore::new(wire.limits().calls_in_flight.max(1));
        Self { wire, window, first_pause: FIRST_PAUSE, progress: OnceLock::new() }
    }

    /// Shorter pauses, for tests.
    #[cfg(test)]
    pub(super) fn hasty(wire: Wire) -> Self {
        Self { first_pause: Duration::from_millis(1), ..Self::new(wire) }
    }

    /// Sends a request, and again while that may help.
    pub(super) async fn carry<S: Sink>(
        &self,
        mut outgoing: Outgoing<'_>,
        sink: &(impl Fn() -> S + Send + Sync),
        repeatable: bool,
    ) -> Result<S, Failure> {
        let label = outgoing.label();
        let (mut repetitions, mut moves) = (0, 0);
        loop {
            // Held while the request runs, not while it waits for its repetition.
            let permit = self.window.acquire().await;
            let outcome = self.wire.exchange(&outgoing, sink()).await;
            drop(permit);
            match outcome {
                Err(Failure::Passing { problem, after, arrived }) => {
                    if repetitions >= self.wire.limits().retries || (arrived && !repeatable) {
                        let problem = self.wire.at(&label, &[]).exhausted(problem, repetitions);
                        return Err(Failure::Final(problem));
                    }
                    self.rest(&label, repetitions, after, &problem).await;
                    repetitions += 1;
                }
                Err(Failure::Moved(path, problem)) => {
                    if moves >= MOST_MOVES {
                        return Err(Failure::Final(problem));
                    }
                    moves += 1;
                    gate::admit(&Call::get(path.as_str())).map_err(|_| Failure::Final(problem))?;
                    outgoing.path = path.into();
                }
                other => return other,
            }
        }
    }

    async fn rest(&self, label: &str, repetition: u32, asked: Option<Duration>, problem: &Problem) {
        let pause = retry::pause(self.first_pause, repetition, asked);
        tracing::debug!(request = label, pause = pause.as_secs_f64(), reason = %problem, "repeating");
        if let Some(progress) = self.progress.get() {
            progress.tell(&Event::Retried {
                request: label.to_owned(),
                pause_seconds: pause.as_secs_f64(),
                reason: problem.reason.clone(),
            });
        }
        tokio::time::sleep(pause).await;
    }
}
