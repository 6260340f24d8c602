//! The probe: name, connection, and the first flight of a TLS 1.2 handshake with each listener that the administrator
//! named in the configuration.
//!
//! One connection at a time to each listener, with a pause between them, at most nine; a listener that several inputs
//! name is probed once in a run. Nothing is sent but greetings and farewells, so that each connection leaves an
//! aborted handshake in the server's log.

pub(crate) mod certificate;
mod dns;
pub mod evidence;
mod flight;
mod handshake;
mod hello;
pub(super) mod target;
mod tcp;

use crate::config::{Limits, Probing};
use flight::{Flight, Stop};
use handshake::Greeted;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tancheck_plugin_api::records::probe::{Probe, SUITES, Stage, Suite, SuiteResult, Trouble};
use target::{Listener, Target};
use tokio::sync::{OnceCell, Semaphore};

/// So many listeners are probed at the same time.
const AT_ONCE: usize = 4;

/// The most connections to one listener: all suites together, and each of the others alone.
pub(super) const MOST_CONNECTIONS: u64 = 1 + SUITES.len() as u64;

/// What is known of one listener, and how many connections that took.
type Cell = Arc<OnceCell<(Probe, u64)>>;

/// Probes the listeners of one run.
#[derive(Debug)]
pub(super) struct Prober {
    probing: Probing,
    timeout: Duration,
    pause: Duration,
    now: Timestamp,
    /// What other runs saw, from other places.
    evidence: Vec<Probe>,
    /// By listener, and whether one greeting was enough.
    seen: Mutex<BTreeMap<(Listener, bool), Cell>>,
    turns: Semaphore,
}

impl Prober {
    pub(super) fn new(probing: &Probing, limits: &Limits, now: Timestamp) -> Self {
        Self {
            probing: probing.clone(),
            timeout: limits.probe_timeout,
            pause: limits.probe_pause,
            now,
            evidence: Vec::new(),
            seen: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Adds what other runs saw to what is delivered.
    pub(super) fn with_evidence(&mut self, evidence: Vec<Probe>) {
        self.evidence = evidence;
    }

    /// The record of each target, in their order, with what other runs saw of the same listeners; and the connections
    /// that were made for it here.
    pub(super) async fn look(&self, targets: &[Target]) -> (Vec<Probe>, u64) {
        let looks = targets.iter().map(|target| self.target(target));
        let mut connections = 0;
        let mut probes = Vec::new();
        for (probe, made) in futures_util::future::join_all(looks).await {
            connections += made;
            // A text that is no target may read like somebody's listener, and still is none.
            let is_listener = probe.port.is_some();
            let listener = probe.listener();
            probes.push(probe);
            let others = self.evidence.iter().filter(|other| is_listener && other.listener() == listener);
            probes.extend(others.cloned());
        }
        (probes, connections)
    }

    /// Everything that was probed here so far.
    pub(super) fn so_far(&self) -> Vec<Probe> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.values().filter_map(|cell| cell.get()).map(|(probe, _)| probe.clone()).collect()
    }

    async fn target(&self, target: &Target) -> (Probe, u64) {
        let listener = match &target.listener {
            Ok(listener) => listener,
            Err(wrong) => {
                let stop = Stop::new(wrong.trouble, &wrong.says);
                return (self.stopped(Probe::default(), target, Stage::Target, stop), 0);
            }
        };
        let brief = target.brief || self.probing.quick;
        let cell = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(seen.entry((listener.clone(), brief)).or_default())
        };
        let mut here = 0;
        let (probe, _) = cell
            .get_or_init(|| async {
                let _turn = self.turns.acquire().await;
                let mut look = Look { prober: self, listener, brief, connections: 0 };
                let probe = look.probe(target).await;
                here = look.connections;
                (probe, here)
            })
            .await;
        (Probe { target: target.text.clone(), ..probe.clone() }, here)
    }

    fn stopped(&self, probe: Probe, target: &Target, stage: Stage, stop: Stop) -> Probe {
        Probe {
            target: target.text.clone(),
            vantage: self.probing.vantage,
            at: Some(self.now),
            stage,
            trouble: Some(stop.trouble),
            alert: stop.alert,
            says: stop.says,
            ..probe
        }
    }
}

/// One listener that is being probed.
struct Look<'a> {
    prober: &'a Prober,
    listener: &'a Listener,
    brief: bool,
    connections: u64,
}

impl Look<'_> {
    async fn probe(&mut self, target: &Target) -> Probe {
        let (host, port) = (self.listener.host.clone(), Some(self.listener.port));
        let mut probe = Probe { host, port, ..Probe::default() };
        let began = Instant::now();
        let addresses = match self.addresses().await {
            Ok(addresses) => addresses,
            Err(stop) => return self.prober.stopped(probe, target, Stage::Resolve, stop),
        };
        probe.resolve_ms = Some(millis(began));
        probe.addresses = addresses.iter().map(|address| address.ip().to_string()).collect();
        let began = Instant::now();
        let connected = tcp::connect(&addresses, self.prober.timeout).await;
        probe.failed_addresses = connected.failed;
        let (stream, address) = match connected.stream {
            Ok(connected) => connected,
            Err(stop) => return self.prober.stopped(probe, target, Stage::Connect, stop),
        };
        probe.connect_ms = Some(millis(began));
        probe.address = address.to_string();
        let began = Instant::now();
        let mut greeted = self.greet(Some(stream), address, &all_suites(), true).await;
        if is_about_the_name(&greeted) && self.is_named() {
            let again = self.greet(None, address, &all_suites(), false).await;
            if again.stop.is_none() {
                probe.without_server_name = true;
                greeted = again;
            }
        }
        probe.flight_ms = Some(millis(began));
        describe(&mut probe, &greeted.flight);
        if let Some(stop) = greeted.stop {
            let stage = if greeted.flight.suite.is_some() { Stage::Negotiation } else { Stage::Greeting };
            return self.prober.stopped(probe, target, stage, stop);
        }
        probe.client_certificate = Some(greeted.flight.client_certificate);
        if !self.brief {
            probe.suites = self.each_suite(address, &greeted.flight, !probe.without_server_name).await;
        }
        Probe {
            target: target.text.clone(),
            vantage: self.prober.probing.vantage,
            at: Some(self.prober.now),
            stage: Stage::Flight,
            ..probe
        }
    }

    /// What the name resolves to, or where the configuration sends its probes.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, Stop> {
        match self.prober.probing.connect_to.get(&self.listener.to_string()) {
            Some(address) => Ok(vec![*address]),
            None => dns::resolve(self.listener, self.prober.timeout).await,
        }
    }

    /// Whether the greeting names the host.
    fn is_named(&self) -> bool {
        self.listener.host.parse::<std::net::IpAddr>().is_err()
    }

    /// One greeting, over a connection that stands or a new one.
    async fn greet(
        &mut self,
        stream: Option<tokio::net::TcpStream>,
        address: SocketAddr,
        suites: &[u16],
        named: bool,
    ) -> Greeted {
        let timeout = self.prober.timeout;
        self.connections += 1;
        let stream = match stream {
            Some(stream) => stream,
            None => {
                tokio::time::sleep(self.prober.pause).await;
                match tcp::connect(&[address], timeout).await.stream {
                    Ok((stream, _)) => stream,
                    Err(stop) => return Greeted { flight: Flight::default(), stop: Some(stop) },
                }
            }
        };
        let host = Some(self.listener.host.as_str()).filter(|_| named);
        handshake::greet(stream, suites, host, timeout).await
    }

    /// Each suite alone. The one that the server chose among all of them is known to be accepted.
    async fn each_suite(&mut self, address: SocketAddr, flight: &Flight, named: bool) -> Vec<Suite> {
        let mut suites = Vec::new();
        for (name, number) in SUITES {
            let (result, says) = if flight.suite == Some(number) {
                (SuiteResult::Accepted, String::new())
            } else if self.connections >= MOST_CONNECTIONS {
                (SuiteResult::Error, "not asked: there were enough connections".to_owned())
            } else {
                verdict(self.greet(None, address, &[number], named).await)
            };
            suites.push(Suite { name: name.to_owned(), result, says });
        }
        suites
    }
}

fn all_suites() -> Vec<u16> {
    SUITES.iter().map(|(_, number)| *number).collect()
}

/// A middlebox may tear down what it does not know, and a server may not know the name: without it they may answer.
fn is_about_the_name(greeted: &Greeted) -> bool {
    const UNRECOGNIZED_NAME: u8 = 112;
    let Some(stop) = &greeted.stop else { return false };
    let early = greeted.flight.suite.is_none();
    early && (stop.trouble == Trouble::Reset || stop.alert == Some(UNRECOGNIZED_NAME))
}

/// What the server said to one suite.
fn verdict(greeted: Greeted) -> (SuiteResult, String) {
    const HANDSHAKE_FAILURE: u8 = 40;
    const INSUFFICIENT_SECURITY: u8 = 71;
    match greeted.stop {
        None => (SuiteResult::Accepted, String::new()),
        Some(stop) if greeted.flight.suite.is_some() => (SuiteResult::Error, stop.says),
        Some(stop) => match (stop.trouble, stop.alert) {
            (Trouble::Alert, Some(HANDSHAKE_FAILURE | INSUFFICIENT_SECURITY)) => {
                (SuiteResult::Refused, String::new())
            }
            (Trouble::Closed | Trouble::Reset, _) => (SuiteResult::RefusedByClose, String::new()),
            _ => (SuiteResult::Error, stop.says),
        },
    }
}

/// What a flight says, whole or not.
fn describe(probe: &mut Probe, flight: &Flight) {
    if let Some(suite) = flight.suite {
        "TLS 1.2".clone_into(&mut probe.version);
        let known = SUITES.iter().find(|(_, number)| *number == suite);
        probe.suite = known.map_or_else(|| format!("{suite:#06x}"), |(name, _)| (*name).to_owned());
    }
    probe.curve = flight.curve.map(flight::curve_name).unwrap_or_default();
    probe.client_issuers.clone_from(&flight.client_issuers);
    probe.certificates = flight.certificates.iter().map(|der| certificate::facts(der)).collect();
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
