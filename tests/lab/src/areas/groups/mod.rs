//! Computer groups: each has a text in the question grammar, and an endpoint is a member if the text holds for it.

mod faults;

use crate::areas::people::user_reference;
use crate::areas::questions::evaluate;
use crate::areas::questions::grammar::{self, Condition};
use crate::areas::{Area, Export};
use crate::clock::{self, days};
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, cache, get};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: faults::FAULTS, exports };

pub(crate) const ALL_COMPUTERS: u64 = 1;
pub(crate) const NO_COMPUTERS: u64 = 2;
pub(crate) const ALL_VIRTUAL: u64 = 11;
pub(crate) const ALL_WINDOWS: u64 = 12;
pub(crate) const ALL_LINUX: u64 = 13;
const MANUAL: u64 = 30;
pub(crate) const PLANT: u64 = 50;
pub(crate) const VDI: u64 = 51;

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
    pub(crate) creator: u64,
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
            creator: 1,
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
                group(ALL_LINUX, "All Linux", "Is Linux contains True"),
                group(14, "All Mac", "Is Mac contains True"),
                group(15, "Client Containers", "Computer Name starts with ctr-"),
                group(PLANT, "Plant machines", "Custom Tags contains Plant"),
                group(VDI, "VDI machines", "Custom Tags contains VDI"),
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

    pub(crate) fn by_id_mut(&mut self, id: u64) -> Option<&mut Group> {
        self.all.iter_mut().find(|group| group.id == id)
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
        get("/api/v2/filter_groups", Need::Privilege("read filter group"), filter_groups),
        get(
            "/api/v2/management_rights_groups",
            Need::Privilege("read computer group"),
            management_rights_groups,
        ),
    ]
}

fn groups(call: &Call<'_>) -> Answer {
    cache::list(call, |state| state.groups.all.iter().map(|group| render(state, group)).collect())
}

/// Manual groups are in neither of the two lists that tell times.
fn filter_groups(call: &Call<'_>) -> Answer {
    let by_definition = |state: &State| -> Vec<Value> {
        let groups = state.groups.all.iter().filter(|group| group.id != MANUAL);
        groups.map(|group| render(state, group)).collect()
    };
    cache::list(call, by_definition)
}

fn management_rights_groups(call: &Call<'_>) -> Answer {
    let with_rights = |state: &State| -> Vec<Value> {
        let groups = state.groups.all.iter().filter(|group| group.id != MANUAL && group.management_rights);
        groups.map(|group| render(state, group)).collect()
    };
    cache::list(call, with_rights)
}

fn group(call: &Call<'_>) -> Answer {
    let id = call.id(0);
    let group = call.state.groups.by_id(id).ok_or_else(not_found)?;
    Ok(Reply::data(render(&call.state, group)))
}

fn group_by_name(call: &Call<'_>) -> Answer {
    let group = call.state.groups.by_name(call.param(0)).ok_or_else(not_found)?;
    Ok(Reply::data(render(&call.state, group)))
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
fn render(state: &State, group: &Group) -> Value {
    let creator = user_reference(&state.people, group.creator);
    json!({
        "and_flag": true,
        "content_set": {"id": 3, "name": "Default Filter Groups"},
        "created_persona": {"id": 0},
        "created_time": clock::iso(group.created),
        "created_user": creator,
        "deleted_flag": false,
        "filter_flag": true,
        "filters": [],
        "id": group.id,
        "management_rights_flag": group.management_rights,
        "modified_persona": {"id": 0},
        "modified_time": clock::iso(group.created),
        "modified_user": creator,
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

fn exports(state: &State) -> Vec<Export> {
    let row = |group: &Group| {
        let condition = group.condition();
        let members =
            state.fleet.all().filter(|endpoint| evaluate::holds(state, &condition, endpoint)).count();
        let made = clock::iso(group.created);
        let creator = state.people.user(group.creator).map_or_else(String::new, |user| user.name.clone());
        let kind = if group.id == MANUAL { "4" } else { "0" };
        vec![
            group.id.to_string(),
            group.name.clone(),
            kind.to_owned(),
            group.text.clone(),
            members.to_string(),
            creator,
            made.clone(),
            made,
        ]
    };
    vec![Export {
        file: "computer-groups.csv",
        columns: &["ID", "Name", "Type", "Definition", "Members", "Created By", "Created", "Modified"],
        rows: state.groups.all.iter().map(row).collect(),
    }]
}
