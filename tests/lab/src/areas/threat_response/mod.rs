//! Threat Response: profiles and the pages that only export files show; what endpoints say is in the sensors.

mod faults;

use crate::areas::endpoint_tools::counted;
use crate::areas::{Area, Export};
use crate::clock::iso;
use crate::state::State;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: faults::FAULTS, exports };

/// A profile of the page Profiles.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) priority: u32,
    pub(crate) groups: &'static str,
}

/// An issue of the page Health Status.
#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) component: &'static str,
    pub(crate) issue: &'static str,
    pub(crate) endpoints: u64,
}

/// All of it.
pub(crate) struct ThreatResponse {
    pub(crate) profiles: Vec<Profile>,
    pub(crate) issues: Vec<Issue>,
}

impl ThreatResponse {
    pub(crate) fn new() -> Self {
        let profile = |name, priority, groups| Profile { name, state: "Active", priority, groups };
        Self {
            profiles: vec![profile("Standard", 2, "All Computers"), profile("Servers", 1, "All Linux")],
            issues: Vec::new(),
        }
    }
}

const STATUS: &str = "Get Threat Response - Status from all machines";
const EXTENSIONS: &str = "Get Client Extensions - Status from all machines";

fn exports(state: &State) -> Vec<Export> {
    let status = counted(state, STATUS);
    let overall: Vec<&(Vec<String>, u64)> =
        status.iter().filter(|(row, _)| row[1] == "Overall Status").collect();
    let nominal = |counts: &[&(Vec<String>, u64)]| {
        counts.iter().filter(|(row, _)| row[2].ends_with("Nominal")).map(|(_, count)| count).sum::<u64>()
    };
    let all: u64 = overall.iter().map(|(_, count)| count).sum();
    let coverage = nominal(&overall) * 100 / all.max(1);
    let facts = counted(state, EXTENSIONS).into_iter().filter(|(row, _)| !row[3].is_empty());
    let module = &state.threat_response;
    vec![
        Export {
            file: "threat-response-status.csv",
            columns: &["Component", "Key", "Value", "Count"],
            rows: status.iter().map(|(row, count)| [&row[..3], &[count.to_string()]].concat()).collect(),
        },
        Export {
            file: "threat-response-coverage.csv",
            columns: &["Metric", "Value", "Date"],
            rows: vec![vec!["Coverage".to_owned(), coverage.to_string(), iso(state.now)]],
        },
        Export {
            file: "threat-response-profiles.csv",
            columns: &["Profile", "State", "Priority", "Computer Groups", "Endpoints"],
            rows: module
                .profiles
                .iter()
                .map(|profile| {
                    let texts =
                        [profile.name, profile.state, &profile.priority.to_string(), profile.groups, ""];
                    texts.map(str::to_owned).to_vec()
                })
                .collect(),
        },
        Export {
            file: "threat-response-tools.csv",
            columns: &["Component", "Key", "Value", "Count"],
            rows: facts
                .map(|(row, count)| vec![row[0].clone(), row[3].clone(), row[4].clone(), count.to_string()])
                .collect(),
        },
        Export {
            file: "threat-response-health-status.csv",
            columns: &["Component", "Issue", "Endpoints", "Action"],
            rows: module
                .issues
                .iter()
                .map(|issue| {
                    let texts = [issue.component, issue.issue, &issue.endpoints.to_string(), ""];
                    texts.map(str::to_owned).to_vec()
                })
                .collect(),
        },
    ]
}
