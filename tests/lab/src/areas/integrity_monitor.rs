//! Integrity Monitor: monitors and watchlists of the Gateway. What endpoints say is in the sensors.

use crate::areas::fleet::fail_extension;
use crate::areas::gateway::ROWS;
use crate::areas::{Area, no_exports};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports: no_exports };

/// A monitor or a watchlist.
#[derive(Debug, Clone)]
pub(crate) struct Monitored {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) status: &'static str,
    /// Ids of computer groups.
    pub(crate) groups: Vec<u64>,
}

/// All of it.
pub(crate) struct IntegrityMonitor {
    pub(crate) monitors: Vec<Monitored>,
    pub(crate) watchlists: Vec<Monitored>,
}

impl IntegrityMonitor {
    pub(crate) fn new() -> Self {
        let one =
            |id, name, groups: &[u64]| Monitored { id, name, status: "Deployed", groups: groups.to_vec() };
        Self {
            monitors: vec![one(1, "Servers", &[12, 13])],
            watchlists: vec![one(1, "Windows system files", &[12]), one(2, "Linux system files", &[13])],
        }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "integrity-monitor-scan-slow",
        about: "scans of some endpoints take longer than their interval",
        breaks: &[
            "client-management.cx-other",
            "integrity-monitor.client-extension",
            "integrity-monitor.endpoint-errors",
        ],
        apply: |state| {
            let text = "Scan completion took longer than configured scan interval";
            fail_extension(state, "integrity monitor", text);
        },
    },
    Fault {
        name: "monitor-without-groups",
        about: "a monitor lost its computer groups",
        breaks: &["integrity-monitor.not-deployed"],
        apply: |state| state.integrity_monitor.monitors[0].groups.clear(),
    },
];

/// The monitors, as the Gateway shows them.
pub(crate) fn monitors(state: &State) -> Vec<Value> {
    let more = json!({"priority": 1, "description": ""});
    state.integrity_monitor.monitors.iter().map(|one| one.render(state, &more)).collect()
}

/// The watchlists, as the Gateway shows them.
pub(crate) fn watchlists(state: &State) -> Vec<Value> {
    let more = json!({"pathStyle": "WINDOWS", "description": ""});
    state.integrity_monitor.watchlists.iter().map(|one| one.render(state, &more)).collect()
}

impl Monitored {
    fn render(&self, state: &State, more: &Value) -> Value {
        let group =
            |id: &u64| json!({"id": id.to_string(), "name": state.groups.name(*id), "expression": ""});
        let groups: Vec<Value> = self.groups.iter().map(group).collect();
        let mut value = more.clone();
        value["id"] = self.id.to_string().into();
        value["name"] = self.name.into();
        value["deploymentStatus"] = self.status.into();
        value["revision"] = 3.into();
        value["computerGroups"] = json!({ ROWS: groups });
        value
    }
}
