//! The Deploy service: software packages, deployments, self service, and how far Deploy reaches.

mod faults;
mod render;
mod routes;

use crate::areas::Area;
use crate::areas::fleet::{Endpoint, Kind};
use crate::areas::reports::Report;
use crate::clock::days;
use crate::state::State;
use jiff::Timestamp;

pub(crate) const AREA: Area =
    Area { routes: routes::routes, faults: faults::FAULTS, exports: render::exports };

/// Where all routes of the service begin.
pub(crate) const BASE: &str = "/plugin/products/deploy";
/// How the service is called in the list of workbenches.
pub(crate) const WORKBENCH: &str = "Deploy";

/// Deployed, and offered by self service.
const READER: u64 = 76;
/// Offered by self service only, and old: users ask for it.
const NOTEPAD: u64 = 80;
/// Deployed by the deployment of this month.
const ZIP: u64 = 72;
/// Installed by a bundle.
const CHROME: u64 = 833;

/// A software package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) id: u64,
    pub(crate) vendor: &'static str,
    pub(crate) title: &'static str,
    pub(crate) version: &'static str,
    pub(crate) platform: &'static str,
    pub(crate) created: Timestamp,
    /// How much of its files the server has.
    pub(crate) cached_percent: u8,
}

/// A deployment that is active.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) package: u64,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    /// Endpoints by what they have done so far.
    pub(crate) counts: Vec<(&'static str, u64)>,
}

/// A self-service profile.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) packages: Vec<u64>,
    pub(crate) computer_groups: Vec<u64>,
    pub(crate) created: Timestamp,
}

/// What users did with a package since ever.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) package: u64,
    pub(crate) installed: u64,
    pub(crate) updated: u64,
    pub(crate) failed: u64,
}

/// All of it.
pub(crate) struct Deploy {
    pub(crate) packages: Vec<Package>,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) activity: Vec<Activity>,
    /// Title and configuration of automatic deployments that need attention.
    pub(crate) needing_attention: Vec<(&'static str, &'static str)>,
    /// What the job said that could not cache a package's files.
    pub(crate) sync_errors: Vec<(u64, &'static str)>,
    /// One endpoint of so many needs attention; 0 for none.
    pub(crate) attention_of: u64,
    /// On one endpoint of so many the process does not run; 0 for none.
    pub(crate) stopped_of: u64,
    /// How long it takes an endpoint to get software.
    pub(crate) mean_days: u64,
    /// What the panels show this week that no route shows.
    pub(crate) missing_updates: u64,
    pub(crate) self_service_percent: u64,
}

impl Deploy {
    pub(crate) fn new(now: Timestamp) -> Self {
        // Users install a package twice a day.
        let installs = now.as_second().unsigned_abs() / 43_200 - 30_000;
        Self {
            packages: packages(now),
            deployments: deployments(now),
            profiles: vec![Profile {
                id: 2,
                name: "Office software",
                packages: vec![READER, NOTEPAD],
                computer_groups: vec![crate::areas::groups::ALL_COMPUTERS],
                created: now - days(300),
            }],
            activity: [READER, NOTEPAD]
                .map(|package| Activity { package, installed: installs, updated: 13, failed: 0 })
                .to_vec(),
            needing_attention: Vec::new(),
            sync_errors: Vec::new(),
            attention_of: 0,
            stopped_of: 0,
            mean_days: 4,
            missing_updates: 12,
            self_service_percent: 40,
        }
    }

    fn package(&self, id: u64) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }
}

fn packages(now: Timestamp) -> Vec<Package> {
    let package = |id, vendor, title, version, platform, age| Package {
        id,
        vendor,
        title,
        version,
        platform,
        created: now - days(age),
        cached_percent: 100,
    };
    vec![
        package(ZIP, "Igor Pavlov", "7-Zip", "24.09.00.0", "windows", 250),
        package(READER, "Adobe", "Acrobat Reader DC (en-us)", "25.001.20566", "windows", 40),
        package(77, "Adobe", "Acrobat Reader DC (en-us)", "25.001.20529", "macos", 120),
        package(NOTEPAD, "Notepad++ Team", "Notepad++ 64-bit", "8.6.4", "windows", 300),
        package(CHROME, "Google", "Google Chrome", "131.0.6778.86", "windows", 400),
    ]
}

fn deployments(now: Timestamp) -> Vec<Deployment> {
    vec![
        Deployment {
            id: 3,
            name: "Update 7-Zip",
            operation: "update",
            package: ZIP,
            start: now - days(20),
            end: None,
            counts: vec![("Complete", 400), ("Not Applicable", 100)],
        },
        Deployment {
            id: 8,
            name: "Install Acrobat Reader",
            operation: "install",
            package: READER,
            start: now - days(120),
            end: Some(now + days(60)),
            counts: vec![("Complete", 480), ("Waiting", 15), ("Not Applicable", 5)],
        },
    ]
}

/// One of every `of` endpoints.
fn is_one(endpoint: &Endpoint, of: u64) -> bool {
    of > 0 && endpoint.index.is_multiple_of(of)
}

/// The coverage of an endpoint. Needs Attention is the guide's word, Unsupported that of other modules; the word for
/// covered endpoints is the lab's own.
pub(crate) fn coverage(state: &State, endpoint: &Endpoint) -> &'static str {
    match endpoint.kind {
        Kind::Container => "Unsupported",
        _ if is_one(endpoint, state.deploy.attention_of) => "Needs Attention",
        _ => "Optimal",
    }
}

/// Whether the process runs on an endpoint.
pub(crate) fn is_running(state: &State, endpoint: &Endpoint) -> &'static str {
    if is_one(endpoint, state.deploy.stopped_of) { "False" } else { "True" }
}

/// How many days an endpoint waits for software; endpoints differ by a day.
pub(crate) fn mean_time(state: &State, endpoint: &Endpoint) -> String {
    (state.deploy.mean_days + endpoint.index % 2).to_string()
}

/// The reports that the guide names. Their columns are not public: the lab's own.
pub(crate) const REPORTS: &[Report] = &[
    Report {
        name: "Deploy - Coverage Status Details",
        module: "Deploy",
        columns: &["Coverage Status", "Details"],
        rows: |state| state.fleet.all().map(|endpoint| render::coverage(state, &endpoint)).collect(),
        error: None,
    },
    Report {
        name: "Deploy - Endpoint Deployment Process Running",
        module: "Deploy",
        columns: &["Deploy - Is Process Running"],
        rows: |state| {
            state.fleet.all().map(|endpoint| vec![is_running(state, &endpoint).to_owned()]).collect()
        },
        error: None,
    },
];
