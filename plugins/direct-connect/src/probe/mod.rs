//! What probes of the listeners show: ports, TLS, the connection setting and certificates.
//!
//! Guide: *Host and network security requirements* and *Configure Endpoint Connection settings*. A listener that
//! answers proves what it shows, from wherever it is seen; one that does not answer proves something only where the
//! real connections come from: [`Serves::weight`].

pub(crate) mod certificates;
pub(crate) mod endpoint;
pub(crate) mod ports;
pub(crate) mod tls;

use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::finding::Evidence;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::probe::{Probe, Stage, Trouble, Vantage};

pub(crate) const WHO: &str = "a user holding the Direct Connect Administrator role; rules of the network belong to those who run the firewalls";

pub(crate) const ENDPOINT_FQDN: Setting = Setting::text("endpoint_fqdn", None).about(
    "the Fully Qualified Domain Name that Direct Connect > Settings > Endpoint Connection shows, \"\" for an empty field; it is probed",
);
pub(crate) const ENDPOINT_PORT: Setting = Setting::integer("endpoint_port", 17475, 0, 99_999)
    .about("the Port that Direct Connect > Settings > Endpoint Connection shows")
    .from_guide();
pub(crate) const ZONE_ENDPOINT_HOSTS: Setting = Setting::list("zone_proxy_endpoint_hosts", &[]).about(
    "of each zone proxy, Endpoint Connection > Zone Proxy Host, as host or host:port (17486 without a port); they are probed",
);
pub(crate) const ZONE_MODULE_HOSTS: Setting = Setting::list("zone_proxy_module_hosts", &[]).about(
    "of each zone proxy, Module Server Connection > Zone Proxy Host, as host or host:port (17487 without a port); they are probed there and on 17488",
);
pub(crate) const EVIDENCE_DAYS: Setting = Setting::integer("evidence_days", 30, 1, 366)
    .unit("days")
    .about("how old a probe from another place may be (--merge-evidence)");

/// The settings behind the Module Server's listener.
pub(crate) const MODULE_SETTINGS: &[&Setting] = &[&ENDPOINT_FQDN, &ENDPOINT_PORT, &EVIDENCE_DAYS];
/// The settings behind all listeners.
pub(crate) const ALL_SETTINGS: &[&Setting] =
    &[&ENDPOINT_FQDN, &ENDPOINT_PORT, &ZONE_ENDPOINT_HOSTS, &ZONE_MODULE_HOSTS, &EVIDENCE_DAYS];

pub(crate) const MODULE: Input =
    Input::new("direct-connect.module-listener", "the listener of Direct Connect on the Module Server")
        .sources(&[Source::probe("endpoint_fqdn", 17475).port_from("endpoint_port")]);
pub(crate) const ZONE_ENDPOINT: Input = Input::new(
    "direct-connect.zone-endpoint-listeners",
    "the zone proxies' listeners for external endpoints",
)
.sources(&[Source::probe("zone_proxy_endpoint_hosts", 17486)]);
pub(crate) const ZONE_MODULE: Input =
    Input::new("direct-connect.zone-module-listeners", "the zone proxies' listeners for the Module Server")
        .sources(&[Source::probe("zone_proxy_module_hosts", 17487)]);
pub(crate) const ZONE_SECOND: Input = Input::new(
    "direct-connect.zone-second-listeners",
    "the zone proxies' second listeners for the Module Server",
)
.sources(&[Source::probe("zone_proxy_module_hosts", 17488).always_this_port()]);

/// All listeners.
pub(crate) const ALL: &[&Input] = &[&MODULE, &ZONE_ENDPOINT, &ZONE_MODULE, &ZONE_SECOND];

/// For whom a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// The Module Server, for internal endpoints.
    Internal,
    /// The Zone Server, for external endpoints.
    External,
    /// The Zone Server, for the Module Server.
    ModuleServer,
}

/// What a failure seen from a place proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The real connections come from there: it is a failure.
    Decisive,
    /// The listener's own machine: what refuses there refuses everybody, what answers may still be out of reach.
    Listener,
    /// A success counts, a failure does not.
    Indication,
    /// Neither counts.
    Nothing,
}

impl Serves {
    pub(crate) const fn weight(self, vantage: Vantage) -> Weight {
        match (self, vantage) {
            (Self::Internal, Vantage::EndpointInternal)
            | (Self::External, Vantage::EndpointExternal)
            | (Self::ModuleServer, Vantage::ModuleServer) => Weight::Decisive,
            (Self::Internal, Vantage::ModuleServer)
            | (Self::External | Self::ModuleServer, Vantage::ZoneServer) => Weight::Listener,
            (Self::Internal, Vantage::Admin) | (Self::External, Vantage::Admin | Vantage::ModuleServer) => {
                Weight::Indication
            }
            _ => Weight::Nothing,
        }
    }

    /// Where the real connections come from.
    pub(crate) const fn decisive(self) -> Vantage {
        match self {
            Self::Internal => Vantage::EndpointInternal,
            Self::External => Vantage::EndpointExternal,
            Self::ModuleServer => Vantage::ModuleServer,
        }
    }

    pub(crate) fn of(input: &Input) -> Self {
        match input.id() {
            id if id == MODULE.id() => Self::Internal,
            id if id == ZONE_ENDPOINT.id() => Self::External,
            _ => Self::ModuleServer,
        }
    }
}

/// One listener, and what was seen of it from each place.
pub(crate) struct Listener {
    pub(crate) input: &'static Input,
    pub(crate) serves: Serves,
    /// `host:port`, or the text of a target that is none.
    pub(crate) name: String,
    pub(crate) views: Vec<Probe>,
}

/// The listeners of these inputs, without what is too old to count.
pub(crate) fn listeners(
    facts: &Facts<'_>,
    report: &mut Report,
    inputs: &[&'static Input],
) -> Result<Vec<Listener>, Undecided> {
    let days = facts.integer(&EVIDENCE_DAYS)?;
    let mut listeners: Vec<Listener> = Vec::new();
    for &input in inputs {
        for probe in facts.rows::<Probe>(input)? {
            let name = probe.listener();
            if !probe.is_current(facts, days) {
                report
                    .note(format!("what {} saw of {name} is older than {days} days", probe.vantage.place()));
                continue;
            }
            let known =
                listeners.iter_mut().find(|known| known.name == name && known.input.id() == input.id());
            match known {
                Some(known) => known.views.push(probe),
                None => {
                    let serves = Serves::of(input);
                    listeners.push(Listener { input, serves, name, views: vec![probe] });
                }
            }
        }
    }
    Ok(listeners)
}

/// The listeners for the zone proxies alone: there may be none.
pub(crate) fn zone_listeners(
    facts: &Facts<'_>,
    report: &mut Report,
    inputs: &[&'static Input],
    setting: &Setting,
) -> Result<Vec<Listener>, Undecided> {
    let listeners = listeners(facts, report, inputs)?;
    if listeners.is_empty() {
        return Err(Undecided::not_applicable(format!(
            "no zone proxy is named: where there is one, set `{}` under [modules.direct-connect]",
            setting.key()
        )));
    }
    Ok(listeners)
}

impl Listener {
    /// What was seen from places where it weighs this.
    pub(crate) fn from(&self, weight: Weight) -> impl Iterator<Item = &Probe> {
        self.views.iter().filter(move |view| self.serves.weight(view.vantage) == weight)
    }

    /// The views whose flight is complete: what they show is true wherever it was seen.
    pub(crate) fn flights(&self) -> impl Iterator<Item = &Probe> {
        self.views.iter().filter(|view| view.is_complete())
    }

    pub(crate) fn finding(&self) -> Finding {
        Finding::on(Subject::new("listener", &self.name, &self.name))
    }

    /// What was seen, without how long it took: the same trouble has the same evidence.
    pub(crate) fn evidence(&self, facts: &Facts<'_>) -> Evidence {
        let plain = |view: &Probe| Probe {
            resolve_ms: None,
            connect_ms: None,
            flight_ms: None,
            suites: Vec::new(),
            ..view.clone()
        };
        facts.seen(self.input, self.views.iter().map(plain).collect::<Vec<_>>())
    }

    /// What was seen from each place that has anything to say, in words.
    pub(crate) fn told<'a>(views: impl Iterator<Item = &'a Probe>) -> String {
        let told: Vec<String> =
            views.map(|view| format!("from {}: {}", view.vantage.place(), said(view))).collect();
        told.join("; ")
    }
}

/// What a check could not decide, and from where it could be.
pub(crate) struct Open {
    check: &'static str,
    told: Vec<String>,
    places: BTreeSet<Vantage>,
}

impl Open {
    pub(crate) const fn of(check: &Check) -> Self {
        Self { check: check.id(), told: Vec::new(), places: BTreeSet::new() }
    }

    /// Something that no other place would show either.
    pub(crate) fn push(&mut self, text: String) {
        self.told.push(text);
    }

    /// Something that another place would show.
    pub(crate) fn elsewhere(&mut self, text: String, vantage: Vantage) {
        self.told.push(text);
        self.places.insert(vantage);
    }

    /// A listener of which no view decides anything.
    pub(crate) fn unseen(&mut self, listener: &Listener) {
        let told = format!("{} {}", listener.name, Listener::told(listener.views.iter()));
        let decisive = listener.serves.decisive();
        // Where it was seen from the place that counts, or is no listener at all, no journey helps.
        if listener.views.iter().any(|view| view.vantage == decisive || view.host.is_empty()) {
            self.push(told);
        } else {
            self.elsewhere(told, decisive);
        }
    }

    /// The end of a judge.
    pub(crate) fn settle(self) -> Result<(), Undecided> {
        let Err(mut undecided) = settle(&self.told) else { return Ok(()) };
        if self.places.is_empty() {
            return Err(undecided);
        }
        let one = |vantage: &Vantage| {
            format!(
                "on {} `tancheck run --check {} --vantage {vantage} -o json=probe.json`",
                vantage.place(),
                self.check
            )
        };
        let commands: Vec<String> = self.places.iter().map(one).collect();
        undecided.reason = format!(
            "{}; what is seen from here decides nothing: run {}, and merge the report here (--merge-evidence probe.json)",
            undecided.reason,
            commands.join(", and "),
        );
        Err(undecided)
    }
}

/// What a view came to, in words.
fn said(view: &Probe) -> String {
    if view.is_complete() { format!("{} with {}", view.version, view.suite) } else { view.says.clone() }
}

/// Whether the port itself is open from somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Open,
    Closed,
    /// Nobody could tell where it is, or it is no target at all.
    Unknown,
}

/// A listener that speaks TLS is reached, whatever it says in it.
pub(crate) fn reach(view: &Probe) -> Reach {
    match (view.stage, view.trouble) {
        (Stage::Flight, _) | (_, Some(Trouble::Alert | Trouble::WrongVersion | Trouble::WrongSuite)) => {
            Reach::Open
        }
        (Stage::Target, _) | (_, Some(Trouble::NoResolver)) => Reach::Unknown,
        _ => Reach::Closed,
    }
}

/// Whether what stopped a view on the listener's own machine stops everybody: names and ways are other ones there.
pub(crate) fn stops_everybody(view: &Probe) -> bool {
    reach(view) == Reach::Closed
        && !matches!(view.stage, Stage::Resolve)
        && !matches!((view.stage, view.trouble), (Stage::Connect, Some(Trouble::TimedOut | Trouble::NoRoute)))
}

/// Listeners by the host they are on.
pub(crate) fn ports_by_host(listeners: &[Listener]) -> BTreeMap<String, Vec<u16>> {
    let mut hosts: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for view in listeners.iter().filter_map(|listener| listener.views.first()) {
        hosts.entry(view.host.to_lowercase()).or_default().extend(view.port);
    }
    hosts
}

#[cfg(test)]
pub(crate) mod samples {
    //! Probes for the judges' tests.

    use super::*;
    use tancheck_plugin_api::testing::probed;

    pub(crate) fn seen(port: u16, vantage: Vantage) -> Probe {
        let host = if port == 17475 { "dc.example.com" } else { "zs.example.com" };
        Probe { vantage, ..probed(host, port) }
    }

    pub(crate) fn failed(port: u16, vantage: Vantage, stage: Stage, trouble: Trouble) -> Probe {
        let whole = seen(port, vantage);
        Probe {
            target: whole.target,
            host: whole.host,
            port: whole.port,
            at: whole.at,
            addresses: whole.addresses,
            vantage,
            stage,
            trouble: Some(trouble),
            says: format!("{trouble:?} at {stage:?}"),
            ..Probe::default()
        }
    }

    pub(crate) fn refused(port: u16, vantage: Vantage) -> Probe {
        failed(port, vantage, Stage::Connect, Trouble::Refused)
    }
}
