//! The first Ctrl-C: nothing more is sent, what has arrived is judged, and the report says so.

use crate::collect::transport::{Call, Problem, Sink, Transport};
use tancheck_plugin_api::Outcome;
use tokio::sync::watch;

/// Tells whether a signal asked the run to end.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<Option<&'static str>>);

/// Asks the run to end.
#[derive(Debug)]
pub struct Interrupter(watch::Sender<Option<&'static str>>);

/// A pair that belongs together.
#[must_use]
pub fn channel() -> (Interrupter, Interrupt) {
    let (sender, receiver) = watch::channel(None);
    (Interrupter(sender), Interrupt(receiver))
}

impl Interrupter {
    /// A signal arrived.
    pub fn interrupt(&self, signal: &'static str) {
        self.0.send_replace(Some(signal));
    }
}

impl Interrupt {
    /// The signal that arrived.
    #[must_use]
    pub fn signal(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    /// Waits until a signal arrives.
    pub async fn arrived(&self) -> &'static str {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => signal,
            // The sender is gone: no signal will ever arrive.
            _ => std::future::pending().await,
        }
    }
}

/// A transport that sends nothing any more, and waits for nothing, once a signal arrived.
#[derive(Clone, Debug)]
pub struct Interruptible<T> {
    inner: T,
    interrupt: Interrupt,
}

impl<T> Interruptible<T> {
    /// Watches over a transport.
    pub const fn new(inner: T, interrupt: Interrupt) -> Self {
        Self { inner, interrupt }
    }
}

impl<T: Transport> Transport for Interruptible<T> {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        tokio::select! {
            biased;
            signal = self.interrupt.arrived() => {
                Err(Problem::new(Outcome::NotEvaluated, format!("interrupted by {signal} before {} was answered", call.label())))
            }
            answer = self.inner.send(call, sink) => answer,
        }
    }

    async fn stopped(&self) -> Problem {
        let signal = self.interrupt.arrived().await;
        Problem::new(
            Outcome::NotEvaluated,
            format!("interrupted by {signal} before the probes came to an end"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Never answers.
    struct Silent;

    impl Transport for Silent {
        async fn send<S: Sink>(&self, _: &Call, _: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_signal_ends_what_waits_and_what_would_be_sent() {
        let (interrupter, interrupt) = channel();
        let transport = Interruptible::new(Silent, interrupt.clone());
        let call = Call::get("/api/v2/users");
        let waits = async { transport.send(&call, Vec::new).await };
        let (answer, ()) = tokio::join!(waits, async { interrupter.interrupt("SIGINT") });
        assert_eq!(answer.unwrap_err().reason, "interrupted by SIGINT before GET /api/v2/users was answered");
        assert!(transport.send(&call, Vec::new).await.is_err());
        assert_eq!(interrupt.signal(), Some("SIGINT"));
    }
}
