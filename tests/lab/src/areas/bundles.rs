//! The inventory of stored support bundles: an administrator lists there what each module's troubleshooting page made.

use crate::areas::{Area, Export};
use crate::clock::{days, iso};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// The modules that make support bundles, as the Console writes their names.
const MODULES: &[&str] = &[
    "API Gateway",
    "Asset",
    "Benchmark",
    "Certificate Manager",
    "Client Management",
    "Comply",
    "Connect",
    "Criticality",
    "Deploy",
    "Direct Connect",
    "Directory Query",
    "Discover",
    "End-User Notifications",
    "Endpoint Configuration",
    "Enforce",
    "Engage",
    "Feed",
    "Health Check",
    "Impact",
    "Integrity Monitor",
    "Interact",
    "Map",
    "Network Quarantine",
    "Patch",
    "Performance",
    "Provision",
    "Reporting",
    "Reputation",
    "Reveal",
    "Risk",
    "Threat Response",
    "Trends",
];

/// When the bundles were made.
pub(crate) struct Bundles {
    made: Timestamp,
}

impl Bundles {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { made: now - days(20) }
    }
}

const FAULTS: &[Fault] = &[Fault {
    name: "support-bundles-old",
    about: "the newest support bundles are 200 days old",
    breaks: &[
        "api-gateway.support-bundle",
        "asset.support-bundle",
        "benchmark.support-bundle",
        "certificate-manager.support-bundle",
        "client-management.support-bundle",
        "comply.support-bundle",
        "connect.support-bundle",
        "criticality.support-bundle",
        "deploy.support-bundle",
        "direct-connect.support-bundle",
        "directory-query.support-bundle",
        "discover.support-bundle",
        "end-user-notifications.support-bundle",
        "endpoint-configuration.support-bundle",
        "enforce.support-bundle",
        "engage.support-bundle",
        "feed.support-bundle",
        "health-check.support-bundle",
        "impact.support-bundle",
        "integrity-monitor.support-bundle",
        "interact.support-bundle",
        "map.support-bundle",
        "network-quarantine.support-bundle",
        "patch.support-bundle",
        "performance.support-bundle",
        "provision.support-bundle",
        "reporting.support-bundle",
        "reputation.support-bundle",
        "reveal.support-bundle",
        "risk.support-bundle",
        "threat-response.support-bundle",
        "trends.support-bundle",
    ],
    apply: |state| state.bundles.made = state.now - days(200),
}];

fn exports(state: &State) -> Vec<Export> {
    let row = |module: &&str| vec![(*module).to_owned(), iso(state.bundles.made), "bundle.zip".to_owned()];
    vec![Export {
        file: "support-bundles.csv",
        columns: &["module", "created", "file"],
        rows: MODULES.iter().map(row).collect(),
    }]
}
