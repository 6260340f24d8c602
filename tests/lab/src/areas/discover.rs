//! Discover: interfaces and labels of the Gateway, and a board of Trends that only an export file shows.

use crate::areas::{Area, Export};
use crate::clock::{days, iso, minutes};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

const DISCONNECTED: &str = "Disconnected";

/// An interface.
#[derive(Debug, Clone)]
pub(crate) struct Interface {
    pub(crate) id: u64,
    pub(crate) managed: bool,
    pub(crate) last_managed: Option<Timestamp>,
    pub(crate) discovered: Timestamp,
    pub(crate) label: Option<&'static str>,
    pub(crate) profile: &'static str,
}

/// A label.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) modified: Timestamp,
}

/// All of it.
pub(crate) struct Discover {
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) labels: Vec<Label>,
    /// The processor share of the service, in percent.
    pub(crate) cpu: u32,
}

impl Discover {
    /// Thirty managed interfaces, and ten that never were: printers and guests.
    pub(crate) fn new(now: Timestamp) -> Self {
        let interface = |id: u64| {
            let managed = id <= 30;
            Interface {
                id,
                managed,
                last_managed: managed.then_some(now - minutes(10)),
                discovered: now - minutes(60),
                label: (id.is_multiple_of(4) && !managed).then_some("Printers"),
                profile: "Offices",
            }
        };
        let label = |name, kind| Label { name, kind, modified: now - days(100) };
        Self {
            interfaces: (1..=40).map(interface).collect(),
            labels: vec![label(DISCONNECTED, "AUTOMATIC"), label("Printers", "STANDARD")],
            cpu: 12,
        }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "discover-label-missing",
        about: "no Discover label marks endpoints that lost the client",
        breaks: &["discover.disconnected-label"],
        apply: |state| state.discover.labels.retain(|label| label.name != DISCONNECTED),
    },
    Fault {
        name: "discover-label-standard",
        about: "the Discover label for endpoints that lost the client is put on by hand",
        breaks: &["discover.disconnected-label"],
        apply: |state| state.discover.labels[0].kind = "STANDARD",
    },
    Fault {
        name: "discover-endpoints-lost",
        about: "three endpoints lost the client, and the label marks them",
        breaks: &["discover.unmanaged-endpoints"],
        apply: |state| lose(state, Some(DISCONNECTED)),
    },
    Fault {
        name: "discover-endpoints-unmarked",
        about: "three endpoints lost the client, and no label marks them",
        breaks: &["discover.lost-managed"],
        apply: |state| lose(state, None),
    },
    Fault {
        name: "discover-profile-stopped",
        about: "the scan profile has not run for three days",
        breaks: &["discover.client-audit-profile"],
        apply: |state| {
            let at = state.now - days(3);
            for interface in &mut state.discover.interfaces {
                interface.discovered = at;
            }
        },
    },
    Fault {
        name: "discover-busy",
        about: "Discover needs three times as much of the processor as usual",
        breaks: &["discover.resource-usage"],
        apply: |state| state.discover.cpu *= 3,
    },
];

fn lose(state: &mut State, label: Option<&'static str>) {
    let at = state.now - days(2);
    for interface in state.discover.interfaces.iter_mut().take(3) {
        interface.managed = false;
        interface.last_managed = Some(at);
        interface.label = label;
    }
}

/// The interfaces, as the Gateway shows them.
pub(crate) fn interfaces(state: &State) -> Vec<Value> {
    let all = state.discover.interfaces.iter();
    let render = |one: &Interface| {
        json!({
            "id": one.id.to_string(),
            "computerId": one.managed.then(|| (one.id * 7919).to_string()),
            "hostnames": [format!("host-{:04}.lab.example", one.id)],
            "ipAddresses": [format!("10.9.0.{}", one.id)],
            "macAddress": format!("02-00-00-00-00-{:02X}", one.id),
            "isManaged": one.managed,
            "isIgnored": false,
            "isUnmanageable": false,
            "firstSeenTime": iso(one.discovered - days(90)),
            "firstManagedTime": one.managed.then(|| iso(one.discovered - days(80))),
            "lastSeenTime": iso(one.discovered),
            "lastDiscoveredTime": iso(one.discovered),
            "lastManagedTime": one.last_managed.map(iso),
            "discoveryMethods": ["PING"],
            "labels": state.discover.labels.iter().filter(|label| one.label == Some(label.name))
                .map(|label| render_label(state, label)).collect::<Vec<_>>(),
            "profiles": [{"name": one.profile}],
        })
    };
    all.map(render).collect()
}

/// The labels, as the Gateway shows them.
pub(crate) fn labels(state: &State) -> Vec<Value> {
    state.discover.labels.iter().map(|label| render_label(state, label)).collect()
}

fn render_label(state: &State, label: &Label) -> Value {
    let labelled = || state.discover.interfaces.iter().filter(|one| one.label == Some(label.name));
    let managed = labelled().filter(|one| one.managed).count();
    json!({
        "name": label.name,
        "type": label.kind,
        "createdTime": iso(label.modified - days(10)),
        "modifiedTime": iso(label.modified),
        "interfaceCounts": {
            "managed": managed, "total": labelled().count(), "unmanageable": 0,
            "unmanaged": labelled().count() - managed,
        },
    })
}

fn exports(state: &State) -> Vec<Export> {
    let row = |panel: &str, value: String, unit: &str| {
        vec![panel.to_owned(), iso(state.now - minutes(60)), value, unit.to_owned()]
    };
    let labels = state.discover.labels.iter().map(|label| {
        let conditions = if label.kind == "AUTOMATIC" { "Last Managed before 1 day ago" } else { "" };
        [label.name, label.kind, conditions].map(str::to_owned).to_vec()
    });
    vec![
        Export {
            file: "discover-resource-usage.csv",
            columns: &["Panel", "Time", "Value", "Unit"],
            rows: vec![
                row("CPU", state.discover.cpu.to_string(), "percent"),
                row("Memory", "640".to_owned(), "MB"),
            ],
        },
        Export {
            file: "discover-disconnected-label.csv",
            columns: &["Name", "Type", "Conditions"],
            rows: labels.collect(),
        },
    ]
}
