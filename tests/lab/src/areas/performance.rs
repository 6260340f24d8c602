//! Performance: panels that only export files show. What endpoints say is in the sensors.

use super::endpoint_tools::some_tell;
use crate::areas::{Area, Export};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// A profile, and the computer group it is applied to.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) status: &'static str,
    pub(crate) priority: u32,
    pub(crate) groups: &'static str,
    /// What endpoints of that group have.
    pub(crate) applied: &'static str,
}

/// All of it.
pub(crate) struct Performance {
    pub(crate) profiles: Vec<Profile>,
    /// Operating systems of endpoints under Needs Attention and under Unsupported.
    pub(crate) needing: Vec<&'static str>,
    pub(crate) unsupported: Vec<&'static str>,
}

impl Performance {
    pub(crate) fn new() -> Self {
        let profile =
            |name, priority, groups| Profile { name, status: "Active", priority, groups, applied: name };
        Self {
            profiles: vec![
                profile("Workstations", 1, "All Workstations"),
                profile("Linux servers", 2, "All Linux"),
            ],
            needing: Vec::new(),
            unsupported: vec!["CentOS Linux release 7.3.1611 (Core)"],
        }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "performance-needs-attention",
        about: "the panel Performance Coverage shows endpoints under Needs Attention",
        breaks: &["performance.coverage-needs-attention"],
        apply: |state| state.performance.needing.extend(["Windows 10 Enterprise", "macOS 13"]),
    },
    Fault {
        name: "performance-unsupported",
        about: "the panel Performance Coverage shows an operating system under Unsupported that nobody accepted",
        breaks: &["performance.coverage-unsupported"],
        apply: |state| state.performance.unsupported.push("Solaris 11"),
    },
    Fault {
        name: "performance-profile-inactive",
        about: "a Performance profile is not active",
        breaks: &["performance.active-profile-status"],
        apply: |state| state.performance.profiles[0].status = "Inactive",
    },
    Fault {
        name: "performance-profile-untargeted",
        about: "a Performance profile targets No Computers",
        breaks: &["performance.active-profile-status"],
        apply: |state| state.performance.profiles[1].groups = "No Computers",
    },
    Fault {
        name: "performance-profile-unexpected",
        about: "endpoints have another Performance profile than they should",
        breaks: &["performance.profiles-applied"],
        apply: |state| state.performance.profiles[0].applied = "Linux servers",
    },
    Fault {
        name: "performance-not-configured",
        about: "Performance is not configured on some endpoints",
        breaks: &["performance.not-configured"],
        apply: |state| some_tell(state, 0.01, |_| true, "performance", "No"),
    },
];

const COVERAGE: &[&str] = &["Computer Name", "Operating System", "IP Address", "Coverage Status"];

fn exports(state: &State) -> Vec<Export> {
    let module = &state.performance;
    let coverage = |systems: &[&'static str], status: &'static str| {
        let rows = systems.iter().zip(1..).map(|(system, at)| {
            let texts = [&format!("ws-{at:07}.lab.example"), *system, &format!("10.0.0.{at}"), status];
            texts.map(str::to_owned).to_vec()
        });
        rows.collect::<Vec<_>>()
    };
    let profiles = module.profiles.iter();
    vec![
        Export {
            file: "performance-coverage-needs-attention.csv",
            columns: COVERAGE,
            rows: coverage(&module.needing, "Needs Attention"),
        },
        Export {
            file: "performance-coverage-unsupported.csv",
            columns: COVERAGE,
            rows: coverage(&module.unsupported, "Unsupported"),
        },
        Export {
            file: "performance-active-profile-status.csv",
            columns: &["Profile", "Status", "Priority", "Computer Groups"],
            rows: profiles
                .clone()
                .map(|one| {
                    [one.name, one.status, &one.priority.to_string(), one.groups].map(str::to_owned).to_vec()
                })
                .collect(),
        },
        Export {
            file: "performance-profiles-applied.csv",
            columns: &["Profile", "Endpoints", "Computer Group"],
            rows: profiles.map(|one| [one.applied, "100", one.groups].map(str::to_owned).to_vec()).collect(),
        },
    ]
}
