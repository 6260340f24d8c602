//! Bandwidth throttles: one for all clients, one for the plant, and the delays that they cause.

use crate::areas::{Area, Export};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: FAULTS, exports };

const READ_GLOBAL: Need = Need::Privilege("read global bandwidth throttles");
const READ_SITE: Need = Need::Privilege("read subnet bandwidth throttles");

/// A throttle.
#[derive(Debug, Clone)]
pub(crate) struct Throttle {
    id: u64,
    name: &'static str,
    /// All traffic, downloads, sensors; bytes.
    limits: [u64; 3],
    /// Connections in all, for downloads, for sensors; global throttles only.
    connections: [u64; 3],
    /// Site throttles only.
    ranges: Vec<&'static str>,
    /// All traffic, downloads, sensors; milliseconds.
    delays: [u64; 3],
}

/// All throttles.
pub(crate) struct Bandwidth {
    global: Vec<Throttle>,
    sites: Vec<Throttle>,
    /// Connections of clients, where they are not as many as there are leaders.
    pub(crate) connections: Option<u64>,
}

impl Bandwidth {
    pub(crate) fn new() -> Self {
        let global = Throttle {
            id: 2,
            name: "All clients",
            limits: [12_500_000, 6_250_000, 1_250_000],
            connections: [200_000, 1000, 10],
            ranges: Vec::new(),
            delays: [0, 0, 0],
        };
        let plant = Throttle {
            id: 3,
            name: "Plant",
            limits: [375_000, 250_000, 125_000],
            connections: [0, 0, 0],
            ranges: vec!["10.0.0.0/27"],
            delays: [0, 0, 0],
        };
        Self { global: vec![global], sites: vec![plant], connections: None }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "global-throttle-missing",
        about: "no global throttle is defined any more",
        breaks: &["bandwidth.global-limits", "bandwidth.global-connections"],
        apply: |state| state.bandwidth.global.clear(),
    },
    Fault {
        name: "global-limit-changed",
        about: "the limit of all traffic is twice the agreed one",
        breaks: &["bandwidth.global-limits"],
        apply: |state| state.bandwidth.global[0].limits[0] *= 2,
    },
    Fault {
        name: "connection-limit-changed",
        about: "the limit of connections is a tenth of the agreed one",
        breaks: &["bandwidth.global-connections"],
        apply: |state| state.bandwidth.global[0].connections[0] /= 10,
    },
    Fault {
        name: "connections-nearly-exhausted",
        about: "nearly as many connections are open as the server accepts",
        breaks: &["bandwidth.global-connections"],
        apply: |state| state.bandwidth.connections = Some(199_000),
    },
    Fault {
        name: "global-throttle-delays",
        about: "downloads wait five seconds in the queue of the global throttle",
        breaks: &["bandwidth.global-throttle-delay"],
        apply: |state| state.bandwidth.global[0].delays = [0, 5000, 0],
    },
    Fault {
        name: "second-global-throttle",
        about: "there is a second global throttle, which is not in force",
        breaks: &["bandwidth.throttle-without-effect"],
        apply: |state| {
            let first = state.bandwidth.global[0].clone();
            state.bandwidth.global.push(Throttle { id: 9, name: "Night", ..first });
        },
    },
    Fault {
        name: "site-throttle-delays",
        about: "everything waits three seconds in the queue of the plant's throttle",
        breaks: &["bandwidth.site-throttle-delay"],
        apply: |state| state.bandwidth.sites[0].delays = [3000, 3000, 3000],
    },
    Fault {
        name: "site-throttle-unused",
        about: "a site throttle is left of a site that is gone",
        breaks: &["bandwidth.site-limits"],
        apply: |state| {
            let plant = state.bandwidth.sites[0].clone();
            let gone = Throttle { id: 8, name: "Old office", ranges: vec!["10.200.0.0/16"], ..plant };
            state.bandwidth.sites.push(gone);
        },
    },
    Fault {
        name: "site-throttle-missing",
        about: "the plant has a slow link and no throttle any more",
        breaks: &["bandwidth.site-limits"],
        apply: |state| state.bandwidth.sites.clear(),
    },
    Fault {
        name: "site-throttle-too-wide",
        about: "the throttle of the plant allows as much as the global one",
        breaks: &["bandwidth.site-not-stricter", "bandwidth.site-limits"],
        apply: |state| state.bandwidth.sites[0].limits = state.bandwidth.global[0].limits,
    },
];

fn routes() -> Vec<Route> {
    vec![
        get("/api/v2/server_throttles", READ_GLOBAL, global_throttles),
        get("/api/v2/server_throttle_statuses", READ_GLOBAL, global_delays),
        get("/api/v2/site_throttles", READ_SITE, site_throttles),
        get("/api/v2/site_throttle_statuses", READ_SITE, site_delays),
    ]
}

fn all(throttles: &[Throttle], render: fn(&Throttle) -> Value) -> Answer {
    Ok(Reply::data(throttles.iter().map(render).collect::<Vec<_>>()))
}

fn global_throttles(call: &Call<'_>) -> Answer {
    all(&call.state.bandwidth.global, |throttle| {
        let mut value = limits(throttle);
        value["connection_limit"] = throttle.connections[0].into();
        value["download_connection_limit"] = throttle.connections[1].into();
        value["sensor_connection_limit"] = throttle.connections[2].into();
        value["ip_address"] = "".into();
        value
    })
}

fn site_throttles(call: &Call<'_>) -> Answer {
    all(&call.state.bandwidth.sites, |throttle| {
        let mut value = limits(throttle);
        value["all_subnets_flag"] = 0.into();
        value["subnets"] = throttle.ranges.iter().map(|range| json!({ "range": range })).collect();
        value
    })
}

fn limits(throttle: &Throttle) -> Value {
    json!({
        "bandwidth_bytes_limit": throttle.limits[0],
        "download_bandwidth_bytes_limit": throttle.limits[1],
        "id": throttle.id,
        "name": throttle.name,
        "sensor_bandwidth_bytes_limit": throttle.limits[2],
    })
}

fn global_delays(call: &Call<'_>) -> Answer {
    all(&call.state.bandwidth.global, |throttle| {
        let mut value = delays(throttle);
        value["id"] = throttle.id.into();
        value["name"] = throttle.name.into();
        value
    })
}

fn site_delays(call: &Call<'_>) -> Answer {
    all(&call.state.bandwidth.sites, |throttle| {
        let range = |range: &&str| {
            let mut value = delays(throttle);
            value["range"] = (*range).into();
            value
        };
        let subnets: Vec<Value> = throttle.ranges.iter().map(range).collect();
        json!({"id": throttle.id, "name": throttle.name, "subnets": subnets})
    })
}

fn delays(throttle: &Throttle) -> Value {
    json!({
        "download_queue_delay_milliseconds": throttle.delays[1],
        "queue_delay_milliseconds": throttle.delays[0],
        "sensor_queue_delay_milliseconds": throttle.delays[2],
    })
}

fn exports(state: &State) -> Vec<Export> {
    let line = |scope: &str, throttle: &Throttle| {
        let [overall, download, sensor] = throttle.limits.map(|limit| limit.to_string());
        let [connections, downloads, sensors] = throttle.connections.map(|limit| limit.to_string());
        let delay = throttle.delays.iter().max().copied().unwrap_or_default().to_string();
        let ranges = throttle.ranges.join(";");
        let name = throttle.name.to_owned();
        vec![
            scope.to_owned(),
            name,
            ranges,
            overall,
            sensor,
            download,
            connections,
            sensors,
            downloads,
            delay,
        ]
    };
    let global = state.bandwidth.global.iter().map(|throttle| line("Global", throttle));
    let sites = state.bandwidth.sites.iter().map(|throttle| line("Site", throttle));
    vec![Export {
        file: "bandwidth-throttles.csv",
        columns: &[
            "Scope",
            "Name",
            "Subnets",
            "Overall Limit",
            "Sensor Limit",
            "Download Limit",
            "Overall Connections",
            "Sensor Connections",
            "Download Connections",
            "Delay ms",
        ],
        rows: global.chain(sites).collect(),
    }]
}
