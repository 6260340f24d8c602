//! Subnets that change how clients peer, and the server's local settings.
//!
//! The first 31 endpoints are a plant with a boundary of its own, the 16 after them are in a VPN, and all others may
//! peer across NAT addresses, because their Zone Servers see them at two of these.

use crate::areas::fleet::{self, Endpoint};
use crate::areas::{Area, Export};
use crate::clock::{days, iso};
use crate::config::Setup;
use crate::faults::Fault;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: FAULTS, exports };

const PLANT: &str = "10.0.0.0/27";
const VPN: &str = "10.0.0.32/28";

/// A range of addresses: isolated, separated, or part of an intentional subnet.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) cidr: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
}

/// All of them.
pub(crate) struct Subnets {
    pub(crate) isolated: Vec<Range>,
    pub(crate) separated: Vec<Range>,
    /// Each is an intentional subnet of one range; the name is its neighbourhood.
    pub(crate) intentional: Vec<Range>,
}

impl Subnets {
    pub(crate) fn new(setup: &Setup, now: Timestamp) -> Self {
        let created = now - days(400);
        let range = |cidr: &str, name: &str| Range { cidr: cidr.to_owned(), name: name.to_owned(), created };
        // As many blocks as hold endpoints: each as large as all before it.
        let doubling = (8..24).map(|bits| 1u64 << bits).take_while(|first| *first <= setup.endpoints);
        let blocks = doubling.map(|first| {
            let [_, a, b, c] = u32::try_from(first).unwrap_or(u32::MAX).to_be_bytes();
            range(&format!("10.{a}.{b}.{c}/{}", 32 - first.trailing_zeros()), "headquarters")
        });
        let first = [("10.0.0.48/28", 48), ("10.0.0.64/26", 64), ("10.0.0.128/25", 128)];
        let first = first.into_iter().filter(|(_, begin)| *begin <= setup.endpoints);
        let first = first.map(|(cidr, _)| range(cidr, "headquarters"));
        Self {
            isolated: vec![range(VPN, "VPN clients")],
            separated: vec![range(PLANT, "Plant")],
            intentional: first.chain(blocks).collect(),
        }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "isolated-subnets-missing",
        about: "no isolated subnet is defined, although there are VPN clients",
        breaks: &["subnets.isolated-none-defined", "subnets.isolated-vpn-missing"],
        apply: |state| state.subnets.isolated.clear(),
    },
    Fault {
        name: "separated-subnets-missing",
        about: "the plant has no separated subnet any more",
        breaks: &["subnets.separated-missing"],
        apply: |state| state.subnets.separated.clear(),
    },
    Fault {
        name: "intentional-subnets-missing",
        about: "no intentional subnet is defined, although clients of one subnet are behind two NAT addresses",
        breaks: &["subnets.intentional-missing", "subnets.intentional-review"],
        apply: |state| state.subnets.intentional.clear(),
    },
    Fault {
        name: "intentional-subnet-misplaced",
        about: "an intentional subnet covers the VPN clients, which are isolated",
        breaks: &["subnets.intentional-stale", "subnets.intentional-review", "subnets.overlap"],
        apply: |state| {
            let created = state.now - days(2);
            let range = Range { cidr: VPN.to_owned(), name: "headquarters".to_owned(), created };
            state.subnets.intentional.push(range);
        },
    },
    Fault {
        name: "subnets-overlap",
        about: "a separated subnet lies within another one",
        breaks: &["subnets.overlap"],
        apply: |state| {
            let created = state.now - days(2);
            let range = Range { cidr: "10.0.0.0/28".to_owned(), name: "Old plant".to_owned(), created };
            state.subnets.separated.push(range);
        },
    },
    Fault {
        name: "vpn-clients-gone",
        about: "all VPN clients came back to the office",
        breaks: &["subnets.isolated-stale", "subnets.vpn-share-shift"],
        apply: |state| {
            state.fleet.change_all(|endpoint| {
                if (31..47).contains(&endpoint.index) {
                    endpoint.moved_to = Some([10, 0, 1]);
                }
            });
        },
    },
    Fault {
        name: "new-subnet",
        about: "some endpoints register from a subnet that nobody knows",
        breaks: &["subnets.new-subnets", "subnets.new-subnets-authorized"],
        apply: |state| {
            let direct = |e: &Endpoint| e.zone_server.is_none() && e.index >= 47;
            state.fleet.change_some(0.02, direct, |endpoint| endpoint.moved_to = Some([10, 77, 5]));
        },
    },
    Fault {
        name: "subnet-silent",
        about: "the second half of all endpoints has not registered for 20 days",
        breaks: &["subnets.lost-subnets", "subnets.intentional-stale", "subnets.vpn-share-shift"],
        apply: |state| {
            let half = state.fleet.count / 2;
            state.fleet.change_all(move |endpoint| {
                if endpoint.index >= half {
                    endpoint.registered_seconds_ago = 20 * 86_400;
                }
            });
        },
    },
];

fn routes() -> Vec<Route> {
    vec![
        get("/api/v2/isolated_subnets", Need::Privilege("read isolated subnets"), isolated),
        get("/api/v2/separated_subnets", Need::Privilege("read separated subnets"), separated),
        get("/api/v2/intentional_subnets", Need::Privilege("read intentional subnets"), intentional),
    ]
}

fn isolated(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.subnets.isolated.iter().zip(1..).map(range).collect::<Vec<_>>()))
}

fn separated(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.subnets.separated.iter().zip(1..).map(range).collect::<Vec<_>>()))
}

fn range((range, id): (&Range, u64)) -> Value {
    let mut value = common(range, id);
    value["cidr_string"] = range.cidr.as_str().into();
    value["name"] = range.name.as_str().into();
    // A number here, a boolean in intentional subnets.
    value["deleted_flag"] = 0.into();
    value
}

fn intentional(call: &Call<'_>) -> Answer {
    let all = call.state.subnets.intentional.iter().zip(1..).map(|(range, id)| {
        let mut value = common(range, id);
        value["deleted_flag"] = false.into();
        value["neighborhood"] = range.name.as_str().into();
        value["subnets"] = json!([{ "range": range.cidr }]);
        value
    });
    Ok(Reply::data(all.collect::<Vec<_>>()))
}

fn common(range: &Range, id: u64) -> Value {
    let time = iso(range.created);
    json!({
        "comment": "",
        "created_persona": {"id": 0, "name": ""},
        "created_time": time,
        "created_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
        "id": id,
        "modified_persona": {"id": 0, "name": ""},
        "modified_time": time,
        "modified_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
    })
}

fn exports(state: &State) -> Vec<Export> {
    let subnets = &state.subnets;
    let kinds = [
        ("Isolated", &subnets.isolated),
        ("Separated", &subnets.separated),
        ("Intentional", &subnets.intentional),
    ];
    let line = |kind: &str, range: &Range| {
        let (name, neighbourhood) =
            if kind == "Intentional" { ("", &*range.name) } else { (&*range.name, "") };
        [kind, &range.cidr, name, neighbourhood, ""].map(str::to_owned).to_vec()
    };
    let lines =
        kinds.into_iter().flat_map(|(kind, ranges)| ranges.iter().map(move |range| line(kind, range)));
    vec![
        Export {
            file: "subnets.csv",
            columns: &["Kind", "CIDR", "Name", "Neighborhood", "Comment"],
            rows: lines.collect(),
        },
        Export {
            file: "client-status.csv",
            columns: &[
                "Host Name",
                "Network Location (from client)",
                "Network Location (from server)",
                "Direction",
                "Valid Key",
                "Send State",
                "Receive State",
                "Status",
                "Last Registration",
                "Version",
            ],
            rows: state.fleet.all().map(|endpoint| client(&endpoint, state.now)).collect(),
        },
    ]
}

fn client(endpoint: &Endpoint, now: Timestamp) -> Vec<String> {
    vec![
        endpoint.name(),
        endpoint.address(),
        fleet::server_side_address(endpoint),
        String::new(),
        endpoint.key_valid.to_string(),
        endpoint.send_state().to_owned(),
        endpoint.receive_state().to_owned(),
        endpoint.status().into_owned(),
        iso(fleet::last_registration(endpoint, now)),
        endpoint.version.to_string(),
    ]
}
