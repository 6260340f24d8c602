//! The endpoints: each is computed from its number, so that a million of them take no memory.

mod faults;
mod routes;

pub(crate) use faults::fail_extension;
pub(crate) use routes::{counters, last_registration, server_side_address};

use crate::areas::{Area, no_exports};
use crate::config::Setup;
use crate::random;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

pub(crate) const AREA: Area = Area { routes: routes::routes, faults: faults::FAULTS, exports: no_exports };

/// The client version that every healthy endpoint runs; a value from the vendor's own examples.
pub(crate) const CLIENT_VERSION: &str = "7.4.4.1362";
/// An older one, from the same examples.
pub(crate) const OLD_CLIENT_VERSION: &str = "7.2.314.2962";
/// The names of the Tanium Servers of the lab.
pub(crate) const SERVERS: [&str; 2] = ["ts1.lab.example", "ts2.lab.example"];
/// The names of its Zone Servers.
pub(crate) const ZONE_SERVERS: [&str; 2] = ["zs1.lab.example", "zs2.lab.example"];
const INTERNAL_LIST: &str = "ts1.lab.example,ts2.lab.example";
const EXTERNAL_LIST: &str = "zs1.lab.example,zs2.lab.example";

/// What kind of machine an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Workstation,
    Server,
    Vdi,
    Container,
}

/// The operating system family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Os {
    Windows,
    Linux,
    Mac,
}

/// One direction of a link to a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Both,
    First,
    Last,
    None,
}

/// A failed client extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExtensionFailure {
    pub(crate) domain: &'static str,
    pub(crate) text: &'static str,
}

/// One endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) index: u64,
    pub(crate) computer_id: u32,
    pub(crate) kind: Kind,
    pub(crate) os: Os,
    pub(crate) version: Cow<'static, str>,
    pub(crate) link: Link,
    pub(crate) slow_link: bool,
    pub(crate) blocked: bool,
    pub(crate) zone_server: Option<usize>,
    pub(crate) key_valid: bool,
    pub(crate) tls: bool,
    pub(crate) online: bool,
    pub(crate) registered_seconds_ago: i64,
    pub(crate) first_seen_days_ago: i64,
    /// The explicit setting, absent where the client uses the default.
    pub(crate) log_level: Option<Cow<'static, str>>,
    pub(crate) server_list: Cow<'static, str>,
    pub(crate) server_name: &'static str,
    pub(crate) extension_failure: Option<ExtensionFailure>,
    /// What it tells otherwise than healthy endpoints: the topic, and its answer.
    pub(crate) told: Vec<(&'static str, &'static str)>,
    /// The first three bytes of the address, where the endpoint has left its own network.
    pub(crate) moved_to: Option<[u8; 3]>,
    /// Its custom tags, where somebody changed them.
    pub(crate) retagged: Option<&'static [&'static str]>,
}

impl Endpoint {
    pub(crate) fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Workstation => "ws",
            Kind::Server => "srv",
            Kind::Vdi => "vdi",
            Kind::Container => "ctr",
        };
        format!("{kind}-{:07}.lab.example", self.index)
    }

    pub(crate) fn address(&self) -> String {
        let i = self.index + 1;
        match self.moved_to {
            Some([a, b, c]) => format!("{a}.{b}.{c}.{}", i & 255),
            None => format!("10.{}.{}.{}", (i >> 16) & 255, (i >> 8) & 255, i & 255),
        }
    }

    /// Its custom tags: machines of the plant, the first 31, and VDI have one.
    pub(crate) fn tags(&self) -> Vec<&'static str> {
        if let Some(tags) = self.retagged {
            return tags.to_vec();
        }
        let own = [(self.index < 31, "Plant"), (self.kind == Kind::Vdi, "VDI")];
        own.into_iter().filter_map(|(has, tag)| has.then_some(tag)).collect()
    }

    /// Stable over the life of the endpoint, unlike the computer id.
    pub(crate) fn eid(&self) -> u64 {
        self.index + 1
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.kind, Kind::Vdi)
    }

    /// What it tells of a topic, where a fault does not change it: `otherwise`.
    pub(crate) fn tells(&self, topic: &str, otherwise: &'static str) -> &'static str {
        self.told.iter().rev().find(|(told, _)| *told == topic).map_or(otherwise, |(_, answer)| answer)
    }

    pub(crate) fn leader(&self) -> bool {
        self.link != Link::Both
    }

    /// Real servers combine these with commas.
    pub(crate) fn status(&self) -> Cow<'static, str> {
        match (self.leader(), self.blocked, self.slow_link) {
            (false, false, false) => Cow::Borrowed(""),
            (true, false, false) => Cow::Borrowed("Leader"),
            (leader, blocked, slow_link) => {
                let parts = [(leader, "Leader"), (blocked, "Blocked"), (slow_link, "Slow Link Ahead")];
                let names: Vec<&str> = parts.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
                Cow::Owned(names.join(", "))
            }
        }
    }

    pub(crate) fn send_state(&self) -> &'static str {
        match self.link {
            Link::Both => "",
            Link::First => "Forward Only",
            Link::Last => "Backward Only",
            Link::None => "None",
        }
    }

    pub(crate) fn receive_state(&self) -> &'static str {
        match self.link {
            Link::Both => "",
            Link::First => "Next Only",
            Link::Last => "Previous Only",
            Link::None => "None",
        }
    }
}

/// A client that failed to register.
#[derive(Debug, Clone)]
pub(crate) struct Unregistered {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) computer_id: u32,
    pub(crate) error: &'static str,
}

type Change = Arc<dyn Fn(&mut Endpoint) + Send + Sync>;

/// All endpoints.
pub(crate) struct Fleet {
    setup: Arc<Setup>,
    /// How many endpoints there are now; faults may add or remove some.
    pub(crate) count: u64,
    pub(crate) unregistered: Vec<Unregistered>,
    changes: Vec<(Option<HashSet<u64>>, Change)>,
    totals: OnceLock<Totals>,
}

/// Counts over all endpoints.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) systems: u64,
    pub(crate) online: u64,
    pub(crate) leaders: u64,
    pub(crate) normal: u64,
    pub(crate) blocked: u64,
    pub(crate) slow_link: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) alone: u64,
    pub(crate) tls: u64,
    pub(crate) versions: BTreeMap<String, u64>,
    pub(crate) zone_servers: [u64; ZONE_SERVERS.len()],
}

impl Fleet {
    pub(crate) fn new(setup: Arc<Setup>) -> Self {
        let count = setup.endpoints;
        Self { setup, count, unregistered: Vec::new(), changes: Vec::new(), totals: OnceLock::new() }
    }

    /// Adds the endpoints that joined while the lab ran: each batch was first seen when it joined.
    pub(crate) fn grow(&mut self, now: Timestamp) {
        for (at, endpoints) in Arc::clone(&self.setup).joined.iter().copied() {
            let batch = self.count..self.count + endpoints;
            self.count = batch.end;
            let days = now.duration_since(at).as_hours() / 24;
            self.change_all(move |endpoint| {
                if batch.contains(&endpoint.index) {
                    endpoint.first_seen_days_ago = days;
                }
            });
        }
    }

    /// The endpoint of this number.
    pub(crate) fn endpoint(&self, index: u64) -> Endpoint {
        let mut endpoint = self.healthy(index);
        for (only, change) in &self.changes {
            if only.as_ref().is_none_or(|only| only.contains(&index)) {
                change(&mut endpoint);
            }
        }
        endpoint
    }

    /// All endpoints in their order.
    pub(crate) fn all(&self) -> impl Iterator<Item = Endpoint> + '_ {
        (0..self.count).map(|index| self.endpoint(index))
    }

    /// Changes every endpoint.
    pub(crate) fn change_all(&mut self, change: impl Fn(&mut Endpoint) + Send + Sync + 'static) {
        self.changes.push((None, Arc::new(change)));
        self.totals = OnceLock::new();
    }

    /// Changes a share of the endpoints for which `fits` holds: at least one, if there is any.
    pub(crate) fn change_some(
        &mut self,
        share: f64,
        fits: impl Fn(&Endpoint) -> bool,
        change: impl Fn(&mut Endpoint) + Send + Sync + 'static,
    ) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a count of endpoints"
        )]
        let wanted = ((self.count as f64 * share) as usize).max(1);
        let chosen = self.all().filter(|e| e.online && fits(e)).map(|e| e.index).take(wanted).collect();
        self.changes.push((Some(chosen), Arc::new(change)));
        self.totals = OnceLock::new();
    }

    pub(crate) fn totals(&self) -> &Totals {
        self.totals.get_or_init(|| self.all().fold(Totals::default(), Totals::with))
    }

    fn healthy(&self, index: u64) -> Endpoint {
        let drawn = random::draw(self.setup.seed, "endpoint", index);
        let container = index < self.setup.containers;
        let (kind, os) = match index % 10 {
            _ if container => (Kind::Container, Os::Linux),
            3 => (Kind::Vdi, Os::Windows),
            5 => (Kind::Server, Os::Windows),
            6 => (Kind::Server, Os::Linux),
            7 => (Kind::Workstation, Os::Mac),
            9 => (Kind::Workstation, Os::Linux),
            _ => (Kind::Workstation, Os::Windows),
        };
        let chain = Chain::of(index, self.setup.endpoints);
        let online = index % 50 != 49;
        let ago = i64::try_from(drawn % 90).unwrap_or(0);
        let recent = index >= self.setup.endpoints - self.setup.endpoints / 200;
        let level = match kind {
            Kind::Vdi => Some("0"),
            Kind::Container => Some("10"),
            // A few clients have no explicit setting: they use the default, and answer with no result.
            _ if index % 100 == 42 => None,
            _ => Some("1"),
        };
        Endpoint {
            index,
            // Odd multipliers are bijections modulo 2^32: no two endpoints share an id.
            #[expect(clippy::cast_possible_truncation, reason = "an id of 32 bits is wanted")]
            computer_id: (index as u32)
                .wrapping_mul(2_654_435_761)
                .wrapping_add(random::mix(self.setup.seed) as u32),
            kind,
            os,
            version: Cow::Borrowed(CLIENT_VERSION),
            link: chain.link,
            slow_link: false,
            blocked: false,
            zone_server: chain.zone_server,
            key_valid: true,
            tls: true,
            online,
            registered_seconds_ago: if online { ago } else { 3 * 86_400 + ago * 15_000 },
            first_seen_days_ago: if recent { 1 + ago % 6 } else { 40 + ago * 9 },
            log_level: level.map(Cow::Borrowed),
            server_list: Cow::Borrowed(if chain.zone_server.is_some() {
                EXTERNAL_LIST
            } else {
                INTERNAL_LIST
            }),
            server_name: match chain.zone_server {
                Some(at) => ZONE_SERVERS[at],
                None => SERVERS[usize::from(index % 2 == 1)],
            },
            extension_failure: None,
            told: Vec::new(),
            moved_to: None,
            retagged: None,
        }
    }
}

/// Where an endpoint stands in its linear chain of neighbours.
struct Chain {
    link: Link,
    zone_server: Option<usize>,
}

impl Chain {
    /// Chains have up to 100 members. Four of ten chains register through a Zone Server, taking turns.
    fn of(index: u64, endpoints: u64) -> Self {
        let length = (endpoints / 20).clamp(1, 100);
        let (chain, place) = (index / length, index % length);
        let last = place == length - 1 || index == endpoints - 1;
        let link = match (place == 0, last) {
            (true, true) => Link::None,
            (true, false) => Link::First,
            (false, true) => Link::Last,
            (false, false) => Link::Both,
        };
        let zone_server = (chain % 10 >= 6).then(|| usize::from(chain % 2 == 1));
        Self { link, zone_server }
    }
}

impl Totals {
    fn with(mut self, endpoint: Endpoint) -> Self {
        self.systems += 1;
        self.online += u64::from(endpoint.online);
        self.blocked += u64::from(endpoint.blocked);
        self.slow_link += u64::from(endpoint.slow_link);
        self.tls += u64::from(endpoint.tls);
        let leader = endpoint.leader();
        self.leaders += u64::from(leader);
        self.normal += u64::from(!leader && !endpoint.blocked && !endpoint.slow_link);
        match endpoint.link {
            Link::Both => {}
            Link::First => self.first += 1,
            Link::Last => self.last += 1,
            Link::None => self.alone += 1,
        }
        match self.versions.get_mut(endpoint.version.as_ref()) {
            Some(count) => *count += 1,
            None => {
                self.versions.insert(endpoint.version.into_owned(), 1);
            }
        }
        if let Some(at) = endpoint.zone_server {
            self.zone_servers[at] += 1;
        }
        self
    }
}
