//! Computer groups: each has a text in the question grammar, and an endpoint is a member if the text holds for it.

use crate::areas::questions::grammar::{self, Condition};
use crate::areas::{Area, no_exports};
use crate::clock::{self, days};
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, cache, get};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: &[], exports: no_exports };

pub(crate) const ALL_COMPUTERS: u64 = 1;
pub(crate) const NO_COMPUTERS: u64 = 2;
pub(crate) const ALL_VIRTUAL: u64 = 11;
pub(crate) const ALL_WINDOWS: u64 = 12;
const MANUAL: u64 = 30;

/// A computer group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) management_rights: bool,
    /// The names of the machines of a manual group.
    pub(crate) computers: Vec<String>,
    pub(crate) created: Timestamp,
}

/// All groups.
pub(crate) struct Groups {
    pub(crate) all: Vec<Group>,
}

impl Groups {
    pub(crate) fn new(now: Timestamp) -> Self {
        let group = |id: u64, name: &str, text: &str| Group {
            id,
            name: name.to_owned(),
            text: text.to_owned(),
            management_rights: true,
            computers: Vec::new(),
            created: now - days(400),
        };
        Self {
            all: vec![
                group(ALL_COMPUTERS, "All Computers", ""),
                Group {
                    management_rights: false,
                    ..group(NO_COMPUTERS, "No Computers", "any Computer Name not matches .*")
                },
                group(10, "All Workstations", "Is Virtual not contains Yes and Is Linux not contains True"),
                group(ALL_VIRTUAL, "All Virtual Machines", "Is Virtual contains Yes"),
                group(ALL_WINDOWS, "All Windows", "Is Windows contains True"),
                group(13, "All Linux", "Is Linux contains True"),
                group(14, "All Mac", "Is Mac contains True"),
                group(15, "Client Containers", "Computer Name starts with ctr-"),
                Group {
                    computers: (0..3).map(|at| format!("ws-{:07}.lab.example", at * 2)).collect(),
                    ..group(MANUAL, "Pilot computers", "Manual Group Membership equals 30")
                },
            ],
        }
    }

    pub(crate) fn by_id(&self, id: u64) -> Option<&Group> {
        self.all.iter().find(|group| group.id == id)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Group> {
        self.all.iter().find(|group| group.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn name(&self, id: u64) -> &str {
        self.by_id(id).map_or("", |group| group.name.as_str())
    }
}

impl Group {
    /// What an endpoint must fulfil to be a member.
    pub(crate) fn condition(&self) -> Condition {
        grammar::condition(&self.text).unwrap_or(Condition::Never)
    }
}

fn routes() -> Vec<Route> {
    vec![
        get("/api/v2/groups", Need::Privilege("read computer group"), groups),
        get("/api/v2/groups/{id}", Need::Privilege("read computer group"), group),
        get("/api/v2/groups/by-name/{name}", Need::Privilege("read computer group"), group_by_name),
        get("/api/v2/computer_groups", Need::Privilege("read computer group"), manual_groups),
    ]
}

fn groups(call: &Call<'_>) -> Answer {
    cache::list(call, |state| state.groups.all.iter().map(render).collect())
}

fn group(call: &Call<'_>) -> Answer {
    let id = call.id(0);
    let group = call.state.groups.by_id(id).ok_or_else(not_found)?;
    Ok(Reply::data(render(group)))
}

fn group_by_name(call: &Call<'_>) -> Answer {
    let group = call.state.groups.by_name(call.param(0)).ok_or_else(not_found)?;
    Ok(Reply::data(render(group)))
}

fn not_found() -> crate::wire::Refusal {
    crate::wire::Refusal::not_found("GroupNotFound", "No group matches the request.")
}

/// Manual computer groups only, as the documents describe the route.
fn manual_groups(call: &Call<'_>) -> Answer {
    let all: Vec<Value> = call
        .state
        .groups
        .all
        .iter()
        .filter(|group| group.id == MANUAL)
        .map(|group| {
            let specs =
                group.computers.iter().zip(1..).map(|(name, id)| json!({"computer_name": name, "id": id}));
            json!({
                "computer_specs": specs.collect::<Vec<_>>(),
                "deleted_flag": false,
                "filter_flag": false,
                "id": group.id,
                "management_rights_flag": false,
                "name": group.name,
            })
        })
        .collect();
    Ok(Reply::data(all))
}

/// Filters are shown as their text only; `type` is 4 for manual groups and 0 for the others.
fn render(group: &Group) -> Value {
    json!({
        "and_flag": true,
        "content_set": {"id": 3, "name": "Default Filter Groups"},
        "created_persona": {"id": 0},
        "created_time": clock::iso(group.created),
        "created_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
        "deleted_flag": false,
        "filter_flag": true,
        "filters": [],
        "id": group.id,
        "management_rights_flag": group.management_rights,
        "modified_persona": {"id": 0},
        "modified_time": clock::iso(group.created),
        "modified_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
        "name": group.name,
        "not_flag": false,
        "sub_groups": [],
        "text": format!(" {}", group.text),
        "track_computer_id_flag": 0,
        "type": if group.id == MANUAL { 4 } else { 0 },
    })
}

/// Is an endpoint a member of a manual group?
pub(crate) fn manual_membership(state: &State, computer: &str) -> Vec<String> {
    let of = state.groups.all.iter().filter(|group| group.computers.iter().any(|name| name == computer));
    of.map(|group| group.id.to_string()).collect()
}
