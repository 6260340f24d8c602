//! Services of small modules, the devices that Provision retires, and packages of modules with files that cannot be had.

use crate::areas::actions::{Package, PackageFile};
use crate::areas::reports::Report;
use crate::areas::{Area, no_exports};
use crate::clock::{days, iso};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const AREA: Area = Area { routes, faults: FAULTS, exports: no_exports };

/// The routes of Reputation, and the workbench that must be there.
pub(crate) const REPUTATION: (&str, &str) = ("/plugin/products/reputation/", "Reputation");

/// The vendor does not describe this route; public clients use it. An unknown hash has no reputation.
fn routes() -> Vec<Route> {
    vec![get(
        "/plugin/products/reputation/v3/reputations/custom",
        Need::Privilege("reputation read"),
        |_: &Call<'_>| -> Answer { Ok(Reply::json(&json!({"data": []}))) },
    )]
}

/// An action of Provision that retires a device.
#[derive(Debug, Clone)]
pub(crate) struct Retirement {
    id: u64,
    computer: &'static str,
    status: &'static str,
    created: Timestamp,
    updated: Timestamp,
}

/// All retirements: one that came to its end.
pub(crate) struct Retirements {
    all: Vec<Retirement>,
}

impl Retirements {
    pub(crate) fn new(now: Timestamp) -> Self {
        let done = Retirement {
            id: 1,
            computer: "PC-0901",
            status: "completed",
            created: now - days(12),
            updated: now - days(11),
        };
        Self { all: vec![done] }
    }

    /// As the API Gateway shows them.
    pub(crate) fn render(&self) -> Vec<Value> {
        let render = |one: &Retirement| {
            json!({
                "id": one.id.to_string(),
                "status": one.status,
                "createdTime": iso(one.created),
                "updatedTime": iso(one.updated),
                "endpointID": null,
                "ipAddress": "10.1.9.1",
                "targetEndpointParameters": {"computerName": one.computer},
            })
        };
        self.all.iter().map(render).collect()
    }
}

/// Modules whose review finds a package with a broken file.
const MODULES: [&str; 9] = [
    "Certificate Manager",
    "Criticality",
    "Engage",
    "Feed",
    "Interact",
    "Provision",
    "Reporting",
    "Reputation",
    "Trends",
];

const FAULTS: &[Fault] = &[
    Fault {
        name: "module-packages-not-cached",
        about: "the server cannot download the tools of some modules",
        breaks: &[
            "certificate-manager.service-review",
            "criticality.health-review",
            "engage.health-review",
            "feed.health-review",
            "interact.health-review",
            "provision.service-review",
            "reporting.health-review",
            "reputation.board-review",
            "trends.health-review",
        ],
        apply: |state| {
            let modified = state.now - days(2);
            let package = |(id, module): (u64, &'static str)| Package {
                id,
                name: "Distribute Tools",
                command: "/bin/sh install.sh",
                content_set: module,
                files: vec![PackageFile {
                    id: id * 10,
                    name: "tools.zip",
                    size: 4096,
                    status: 404,
                    cache_status: "ERROR: Not Found",
                }],
                modified,
            };
            state.actions.packages.extend((900..).zip(MODULES).map(package));
        },
    },
    Fault {
        name: "predefined-report-missing",
        about: "somebody renamed the predefined report Patch Coverage Status",
        breaks: &["reporting.required-reports"],
        apply: |state| {
            for report in state.reports.all.iter_mut().filter(|report| report.name == "Patch Coverage Status")
            {
                report.name = "Patch Coverage Status (old)";
            }
        },
    },
    Fault {
        name: "predefined-report-broken",
        about: "a predefined report of Deploy ends with an error",
        breaks: &["reporting.report-errors"],
        apply: |state| {
            let broken = |report: &&mut Report| report.name == "Deploy - Coverage Status Details";
            for report in state.reports.all.iter_mut().filter(broken) {
                report.error = Some("a source of the report is not registered");
            }
        },
    },
    Fault {
        name: "device-retirement-failed",
        about: "the retirement of a device failed yesterday",
        breaks: &["provision.retirement"],
        apply: |state: &mut State| {
            let failed = Retirement {
                id: 2,
                computer: "PC-0902",
                status: "failed",
                created: state.now - days(2),
                updated: state.now - days(1),
            };
            state.retirements.all.push(failed);
        },
    },
];
