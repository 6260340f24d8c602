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

/// A set of bundles: when it was made, and the module it forgot.
#[derive(Debug, Clone)]
struct Set {
    made: Timestamp,
    without: &'static str,
}

/// The sets that are kept, the newest first.
pub(crate) struct Bundles {
    sets: Vec<Set>,
}

impl Bundles {
    /// A set every thirty days, on days that do not depend on today, kept for more than half a year.
    pub(crate) fn new(now: Timestamp) -> Self {
        const EVERY: i64 = 30 * 24 * 3600;
        let newest = Timestamp::from_second(now.as_second() / EVERY * EVERY).unwrap_or(now);
        let set = |before: i64| Set { made: newest - days(30 * before), without: "" };
        Self { sets: (0..8).map(set).collect() }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
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
            "support.bundle-retention",
            "support.bundle-set-age",
        ],
        apply: |state| state.bundles.sets = vec![Set { made: state.now - days(200), without: "" }],
    },
    Fault {
        name: "support-bundle-forgotten",
        about: "the newest set of support bundles lacks one module",
        breaks: &["support.bundle-set-complete"],
        apply: |state| {
            for set in state.bundles.sets.iter_mut().take(1) {
                set.without = "Trends";
            }
        },
    },
    Fault {
        name: "support-bundles-deleted",
        about: "a set of support bundles was deleted after three months",
        breaks: &["support.bundle-retention"],
        apply: |state| {
            state.bundles.sets.remove(3);
        },
    },
];

fn exports(state: &State) -> Vec<Export> {
    let bundles = |set: &Set| {
        let (made, without) = (iso(set.made), set.without);
        let modules = MODULES.iter().filter(move |module| **module != without);
        modules
            .map(move |module| vec![(*module).to_owned(), made.clone(), "bundle.zip".to_owned()])
            .collect::<Vec<_>>()
    };
    vec![Export {
        file: "support-bundles.csv",
        columns: &["module", "created", "file"],
        rows: state.bundles.sets.iter().flat_map(bundles).collect(),
    }]
}
