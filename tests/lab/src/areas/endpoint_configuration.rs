//! Endpoint Configuration: tools, the manifest, content-only solutions. What endpoints say is in the sensors.

use super::endpoint_tools::{counted, some_tell};
use crate::areas::actions::{DEFAULT_GROUP, MANIFEST_WINDOWS, change};
use crate::areas::{Area, Export};
use crate::clock::minutes;
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// A solution without a module.
#[derive(Debug, Clone)]
pub(crate) struct ContentOnly {
    pub(crate) solution: &'static str,
    pub(crate) version: &'static str,
    /// The words are the lab's: none are public.
    pub(crate) status: &'static str,
}

/// All of it.
pub(crate) struct EndpointConfiguration {
    pub(crate) content_only: Vec<ContentOnly>,
}

impl EndpointConfiguration {
    pub(crate) fn new() -> Self {
        let content = |solution, version| ContentOnly { solution, version, status: "Imported" };
        Self { content_only: vec![content("Core Content", "1.3.48"), content("Default Content", "8.4.20")] }
    }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "endpoint-tool-blocked",
        about: "one tool is blocked on a tenth of the endpoints",
        breaks: &["endpoint-configuration.tools-status"],
        apply: |state| some_tell(state, 0.1, |_| true, "Client Recorder", "Install Blocked"),
    },
    Fault {
        name: "content-only-damaged",
        about: "a content-only solution is damaged",
        breaks: &["endpoint-configuration.content-only-status"],
        apply: |state| state.endpoint_configuration.content_only[0].status = "Damaged",
    },
    Fault {
        name: "manifest-outdated",
        about: "some endpoints kept an older manifest, although its action ran",
        breaks: &[
            "endpoint-configuration.manifest-outdated",
            "endpoint-configuration.manifest-update-failed",
        ],
        apply: |state| some_tell(state, 0.01, |_| true, "manifest", "127"),
    },
    Fault {
        name: "manifest-locked",
        about: "some endpoints have an older manifest because action lock is on",
        breaks: &[
            "endpoint-configuration.lock-owner-consulted",
            "endpoint-configuration.manifest-locked",
            "endpoint-configuration.manifest-outdated",
        ],
        apply: |state| {
            some_tell(state, 0.01, |_| true, "manifest", "126");
            state.fleet.change_all(|endpoint| {
                if endpoint.tells("manifest", "128") == "126" {
                    endpoint.told.push(("action lock", "Action Lock On"));
                }
            });
        },
    },
    Fault {
        name: "manifest-action-disabled",
        about: "somebody disabled the scheduled action that brings the manifest to Windows endpoints",
        breaks: &["endpoint-configuration.manifest-actions", "actions.solution-issued"],
        apply: |state| {
            let at = state.now - minutes(1440);
            change(state, MANIFEST_WINDOWS, |saved| {
                saved.status = 1;
                saved.modified = at;
                saved.last_start = at - minutes(30);
            });
        },
    },
    Fault {
        name: "manifest-action-on-default",
        about: "the scheduled action that brings the manifest to Windows endpoints is on Default",
        breaks: &[
            "endpoint-configuration.manifest-actions",
            "actions.scheduled-actions-on-default",
            "actions.solution-issued",
        ],
        apply: |state| change(state, MANIFEST_WINDOWS, |saved| saved.action_group = DEFAULT_GROUP),
    },
    Fault {
        name: "manifest-action-unapproved",
        about: "nobody approved the scheduled action that brings the manifest to Windows endpoints",
        breaks: &["endpoint-configuration.manifest-actions", "actions.never-reissued"],
        apply: |state| change(state, MANIFEST_WINDOWS, |saved| saved.approved = false),
    },
];

const TOOLS: &str = "Get Endpoint Configuration - Tools Status?ignoreCase=0&maxAge=600 from all machines";
const MANIFEST: &str =
    "Get Endpoint Configuration - Manifest Metadata?maxAge=60 and Action Lock Status from all machines";

fn exports(state: &State) -> Vec<Export> {
    let tools = counted(state, TOOLS).into_iter();
    let manifest = counted(state, MANIFEST).into_iter();
    let content = state.endpoint_configuration.content_only.iter();
    vec![
        Export {
            file: "endpoint-tools.csv",
            columns: &["Tool", "Version", "Status", "Count"],
            rows: tools.map(|(row, count)| [row, vec![count.to_string()]].concat()).collect(),
        },
        Export {
            file: "endpoint-configuration-manifest.csv",
            columns: &["Revision", "Action Lock Status", "Count"],
            rows: manifest
                .map(|(row, count)| vec![row[1].clone(), row[2].clone(), count.to_string()])
                .collect(),
        },
        Export {
            file: "content-only-solutions.csv",
            columns: &["Solution", "Version", "Status"],
            rows: content
                .map(|one| [one.solution, one.version, one.status].map(str::to_owned).to_vec())
                .collect(),
        },
    ]
}
