//! The Comply service: assessments, what was deleted of them, notifications, exceptions; and the panels that have no
//! route.

mod faults;
mod routes;

use crate::areas::{Area, Export};
use crate::clock::{days, iso};
use crate::state::State;
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: routes::routes, faults: faults::FAULTS, exports };

/// Where all routes of the service begin.
pub(crate) const BASE: &str = "/plugin/products/comply";
/// How the service is called in the list of workbenches.
pub(crate) const WORKBENCH: &str = "Comply";

/// An assessment. No public document lists the words of a status: they are the lab's own.
#[derive(Debug, Clone)]
pub(crate) struct Assessment {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) standard: &'static str,
    pub(crate) version: &'static str,
    pub(crate) status: &'static str,
    pub(crate) endpoints: u64,
    pub(crate) results: u64,
    pub(crate) scan_errors: u64,
    /// Compliant and not; none for vulnerabilities.
    pub(crate) compliance: Option<(u64, u64)>,
}

/// An exception to findings.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    pub(crate) id: u64,
    pub(crate) title: &'static str,
    pub(crate) expires: Timestamp,
}

/// All of it.
pub(crate) struct Comply {
    pub(crate) assessments: Vec<Assessment>,
    /// Standards and versions that are loaded.
    pub(crate) benchmarks: Vec<(&'static str, &'static str)>,
    /// Hashes and names of assessments that are deleted on the server only.
    pub(crate) deleted: Vec<(&'static str, &'static str)>,
    /// Kinds of notifications that nobody acknowledged.
    pub(crate) notifications: Vec<&'static str>,
    pub(crate) exceptions: Vec<Exception>,
    /// Bars of the panel of health checks.
    pub(crate) health: Vec<(&'static str, u64)>,
}

impl Comply {
    pub(crate) fn new(now: Timestamp) -> Self {
        let vulnerabilities = Assessment {
            name: "Vulnerabilities, weekly",
            kind: "vulnerability",
            standard: "",
            version: "",
            status: "Complete",
            endpoints: 480,
            results: 480,
            scan_errors: 0,
            compliance: None,
        };
        Self {
            assessments: vec![
                Assessment {
                    name: "CIS Windows workstations",
                    kind: "compliance",
                    standard: "CIS Microsoft Windows 10 Enterprise",
                    version: "3.0.0",
                    endpoints: 300,
                    results: 300,
                    compliance: Some((240, 60)),
                    ..vulnerabilities.clone()
                },
                vulnerabilities,
            ],
            benchmarks: vec![
                ("CIS Microsoft Windows 10 Enterprise", "2.0.0"),
                ("CIS Microsoft Windows 10 Enterprise", "3.0.0"),
            ],
            deleted: Vec::new(),
            notifications: Vec::new(),
            exceptions: vec![Exception { id: 7, title: "Legacy print server", expires: now + days(90) }],
            health: vec![("Outdated tools", 0), ("Scan failures", 0), ("Insufficient disk space", 0)],
        }
    }
}

fn exports(state: &State) -> Vec<Export> {
    let comply = &state.comply;
    let scanned = iso(state.now - days(3));
    let assessment = |one: &Assessment| {
        let share =
            |of: fn((u64, u64)) -> u64| one.compliance.map(|both| of(both).to_string()).unwrap_or_default();
        let texts = [one.name, one.kind, "windows", one.standard, one.version, one.status, &scanned];
        let numbers = [one.endpoints, one.results, one.scan_errors].map(|number| number.to_string());
        let shares = [share(|both| both.0), share(|both| both.1)];
        texts.map(str::to_owned).into_iter().chain(numbers).chain(shares).collect()
    };
    let benchmark = |(standard, version): &(&'static str, &'static str)| {
        vec![(*standard).to_owned(), (*version).to_owned(), "windows".to_owned(), scanned.clone()]
    };
    let bar = |(label, endpoints): &(&'static str, u64)| vec![(*label).to_owned(), endpoints.to_string()];
    let deleted = |(hash, name): &(&'static str, &'static str)| {
        vec![(*name).to_owned(), (*hash).to_owned(), "windows".to_owned(), scanned.clone()]
    };
    vec![
        Export {
            file: "comply-assessments.csv",
            columns: &[
                "Name",
                "Type",
                "Platform",
                "Standard",
                "Standard Version",
                "Status",
                "Last Scan",
                "Endpoints",
                "Results",
                "Scan Errors",
                "Compliant",
                "Non-Compliant",
            ],
            rows: comply.assessments.iter().map(assessment).collect(),
        },
        Export {
            file: "comply-benchmarks.csv",
            columns: &["Standard", "Version", "Platform", "Imported"],
            rows: comply.benchmarks.iter().map(benchmark).collect(),
        },
        Export {
            file: "comply-health-checks.csv",
            columns: &["Error Type", "Endpoints"],
            rows: comply.health.iter().map(bar).collect(),
        },
        Export {
            file: "comply-deleted-assessments.csv",
            columns: &["Name", "Hash", "Platform", "Deleted At"],
            rows: comply.deleted.iter().map(deleted).collect(),
        },
    ]
}
