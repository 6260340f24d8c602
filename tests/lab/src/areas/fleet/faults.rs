//! What can be wrong with endpoints.

use super::{ExtensionFailure, Kind, Link, OLD_CLIENT_VERSION, SERVERS, Unregistered};
use crate::faults::Fault;
use std::borrow::Cow;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "outdated-clients",
        about: "one endpoint in a hundred runs an older client version",
        breaks: &[
            "client-management.version-accepted",
            "client-management.version-outdated",
            "direct-connect.version-client",
        ],
        apply: |state| {
            state.fleet.change_some(0.01, |_| true, |e| e.version = Cow::Borrowed(OLD_CLIENT_VERSION));
        },
    },
    Fault {
        name: "many-leaders",
        about: "a third of the endpoints lost their neighbours and became leaders",
        breaks: &["client-management.leader-percentage-change"],
        apply: |state| {
            state.fleet.change_all(|e| {
                if e.index % 3 == 0 {
                    e.link = Link::None;
                }
            });
        },
    },
    Fault {
        name: "zone-server-imbalance",
        about: "nearly all external endpoints register through the first Zone Server",
        breaks: &["client-management.zone-server-balance"],
        apply: |state| {
            state.fleet.change_all(|e| {
                if e.zone_server == Some(1) && e.index % 20 != 0 {
                    e.zone_server = Some(0);
                    e.server_name = super::ZONE_SERVERS[0];
                }
            });
        },
    },
    Fault {
        name: "zone-servers-overloaded",
        about: "all endpoints register through the two Zone Servers, evenly",
        breaks: &["client-management.zone-server-capacity"],
        apply: |state| {
            state.fleet.change_all(|e| {
                let at = usize::from(e.index % 2 == 1);
                e.zone_server = Some(at);
                e.server_name = super::ZONE_SERVERS[at];
            });
        },
    },
    Fault {
        name: "debug-log-level",
        about: "some workstations were left at logging level 41",
        breaks: &["client-management.log-level-default", "client-management.setting-values"],
        apply: |state| {
            let workstation = |e: &super::Endpoint| e.kind == Kind::Workstation;
            state.fleet.change_some(0.01, workstation, |e| e.log_level = Some(Cow::Borrowed("41")));
        },
    },
    Fault {
        name: "vdi-log-level",
        about: "some VDI endpoints log at level 1",
        breaks: &["client-management.log-level-vdi"],
        apply: |state| {
            state.fleet.change_some(
                0.01,
                |e| e.kind == Kind::Vdi,
                |e| e.log_level = Some(Cow::Borrowed("1")),
            );
        },
    },
    Fault {
        name: "container-log-level",
        about: "some endpoints are Client Containers and log at level 1 instead of 10",
        breaks: &["client-management.log-level-containers"],
        apply: |state| {
            state.fleet.change_some(
                0.01,
                |e| e.kind == Kind::Server,
                |e| {
                    e.kind = Kind::Container;
                    e.log_level = Some(Cow::Borrowed("1"));
                },
            );
        },
    },
    Fault {
        name: "sensitive-log-level",
        about: "all VDI endpoints log at level 1, also where a site calls them sensitive or limited",
        breaks: &["client-management.log-level-sensitive", "client-management.log-level-vdi"],
        apply: |state| {
            state.fleet.change_all(|e| {
                if e.kind == Kind::Vdi {
                    e.log_level = Some(Cow::Borrowed("1"));
                }
            });
        },
    },
    Fault {
        name: "index-failures",
        about: "the Client Index Extension failed on some endpoints",
        breaks: &[
            "client-management.cx-index",
            "integrity-monitor.client-extension",
            "threat-response.failure-index",
        ],
        apply: |state| fail_extension(state, "index", "the index database could not be opened"),
    },
    Fault {
        name: "recorder-failures",
        about: "the Client Recorder Extension failed on some endpoints",
        breaks: &[
            "client-management.cx-recorder",
            "integrity-monitor.client-extension",
            "threat-response.failure-recorder",
        ],
        apply: |state| fail_extension(state, "recorder", "the recorder could not subscribe to events"),
    },
    Fault {
        name: "extension-failures",
        about: "another client extension failed on some endpoints",
        breaks: &["client-management.cx-other"],
        apply: |state| fail_extension(state, "config", "the extension did not start"),
    },
    Fault {
        name: "unknown-server",
        about: "some endpoints are told to use a server that is not part of the deployment",
        breaks: &["client-management.server-name-list", "client-management.setting-values"],
        apply: |state| {
            state.fleet.change_some(
                0.01,
                |_| true,
                |e| {
                    e.server_list = Cow::Borrowed("ts1.lab.example,old-server.lab.example");
                },
            );
        },
    },
    Fault {
        name: "single-server-list",
        about: "some endpoints know only one server",
        breaks: &["client-management.server-name-list-single"],
        apply: |state| {
            state.fleet.change_some(
                0.01,
                |e| e.zone_server.is_none(),
                |e| {
                    e.server_list = Cow::Borrowed(SERVERS[0]);
                },
            );
        },
    },
    Fault {
        name: "setting-lost",
        about: "a tenth of the endpoints lost the explicit setting LogVerbosityLevel",
        breaks: &["client-management.setting-counts"],
        apply: |state| {
            state.fleet.change_some(0.1, |e| e.kind != Kind::Vdi, |e| e.log_level = None);
        },
    },
    Fault {
        name: "endpoints-lost",
        about: "a quarter of the endpoints is gone",
        breaks: &["client-management.endpoint-count-low"],
        apply: |state| state.fleet.count -= state.fleet.count / 4,
    },
    Fault {
        name: "endpoints-joined",
        about: "the number of endpoints grew by a quarter, and all new ones joined this week",
        breaks: &["client-management.endpoint-count-high", "client-management.new-endpoints-authorized"],
        apply: |state| {
            let before = state.fleet.count;
            state.fleet.count += state.fleet.count.div_ceil(4);
            state.fleet.change_all(move |e| {
                if e.index >= before {
                    e.first_seen_days_ago = 1 + i64::try_from(e.index % 6).unwrap_or(0);
                }
            });
        },
    },
    Fault {
        name: "client-keys-invalid",
        about: "one endpoint in a hundred has the key of another deployment",
        breaks: &["client-management.invalid-keys"],
        apply: |state| {
            state.fleet.change_some(0.01, |_| true, |e| e.key_valid = false);
        },
    },
    Fault {
        name: "tls-lost",
        about: "a third of the endpoints register without TLS",
        breaks: &["client-management.tls-share"],
        apply: |state| {
            state.fleet.change_all(|e| {
                if e.index % 3 == 0 {
                    e.tls = false;
                }
            });
        },
    },
    Fault {
        name: "unregistered-clients",
        about: "two clients fail the challenge of the server and cannot register",
        breaks: &["client-management.unregistered"],
        apply: |state| {
            for number in 1..=2u32 {
                state.fleet.unregistered.push(Unregistered {
                    name: format!("ws-unregistered-{number}.lab.example"),
                    address: format!("198.51.100.{number}"),
                    computer_id: number,
                    error: "ERROR_FAILED_SERVER_CHALLENGE",
                });
            }
        },
    },
];

pub(crate) fn fail_extension(state: &mut crate::state::State, domain: &'static str, text: &'static str) {
    state.fleet.change_some(
        0.01,
        |_| true,
        move |e| {
            e.extension_failure = Some(ExtensionFailure { domain, text });
        },
    );
}
