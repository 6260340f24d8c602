//! Console pages without any public route: panels and grids that an administrator exports or writes down. Each is a
//! sheet of rows; a healthy deployment has the rows that its modules would show.

use crate::areas::{Area, Export};
use crate::clock::{days, iso_plain, minutes};
use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports };

/// One exported file.
struct Sheet {
    file: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

/// All of them.
pub(crate) struct Panels {
    sheets: Vec<Sheet>,
}

const BENCHMARK_COVERAGE: &str = "benchmark-risk-coverage.csv";
const BENCHMARK_VECTORS: &str = "benchmark-risk-vector-issues.csv";
const CERTIFICATE_MANAGER: &str = "certificate-manager-coverage.csv";
const DOMAINS: &str = "directory-query-domain-errors.csv";
const NOTIFICATIONS_MISSING: &str = "end-user-notifications-tools-missing.csv";
const NOTIFICATIONS_OUTDATED: &str = "end-user-notifications-tools-outdated.csv";
const NOTIFICATIONS_UNSUPPORTED: &str = "end-user-notifications-tools-unsupported.csv";
const PROVISION_DEPLOYMENTS: &str = "provision-deployments.csv";
const PROVISION_ENDPOINTS: &str = "provision-endpoints.csv";
const REPUTATION_BACKLOG: &str = "reputation-processing-backlog.csv";
const REPUTATION_FAILED: &str = "reputation-failed-requests.csv";
const REPUTATION_SOURCES: &str = "reputation-sources-configured.csv";
const REVEAL_COVERAGE: &str = "reveal-coverage-needs-attention.csv";
const REVEAL_STATUS: &str = "reveal-endpoint-status.csv";
const TRENDS_BOARDS: &str = "trends-required-boards.csv";

const TOOLS: &[&str] = &["Computer Name", "Operating System", "IP Address", "Tools Status", "Tools Version"];

impl Panels {
    pub(crate) fn new(now: Timestamp) -> Self {
        let sheet = |file, columns, rows: &[&[&str]]| Sheet {
            file,
            columns,
            rows: rows.iter().map(|row| texts(row)).collect(),
        };
        let sheets = vec![
            sheet(BENCHMARK_COVERAGE, &["Computer Name", "Operating System", "IP Address", "Status"], &[]),
            sheet(
                BENCHMARK_VECTORS,
                &["Computer Name", "Operating System", "IP Address", "Risk Vector", "Issue"],
                &[],
            ),
            sheet(
                CERTIFICATE_MANAGER,
                &["Computer Name", "Operating System", "IP Address", "Coverage Status"],
                &[],
            ),
            sheet(
                DOMAINS,
                &["Domain", "Status", "Message"],
                &[&["lab.example", "OK", ""], &["branch.example", "OK", ""]],
            ),
            sheet(NOTIFICATIONS_MISSING, TOOLS, &[]),
            sheet(
                NOTIFICATIONS_OUTDATED,
                TOOLS,
                &[
                    &["pc-0001", "Windows 11", "10.1.0.1", "Installed", "1.9.0.100"],
                    &["pc-0002", "Windows 11", "10.1.0.2", "Installed", "1.9.0.100"],
                    &["mac-0001", "macOS 14", "10.1.0.3", "Installed", "1.9.0.100"],
                ],
            ),
            sheet(
                NOTIFICATIONS_UNSUPPORTED,
                TOOLS,
                &[&["srv-0001", "Ubuntu 22.04", "10.2.0.1", "Unsupported", ""]],
            ),
            Sheet {
                file: PROVISION_DEPLOYMENTS,
                columns: &["Deployment", "Endpoint", "Status", "Started", "Updated", "Message"],
                rows: vec![
                    deployment(now, "PC-1001", "Completed", 6, ""),
                    deployment(now, "PC-1002", "Completed", 5, ""),
                    deployment(now, "PC-1003", "In Progress", 0, ""),
                ],
            },
            sheet(
                PROVISION_ENDPOINTS,
                &["Endpoint", "Service Status", "Version", "Additional Data"],
                &[
                    &["prov1.lab.example", "Running", "1.2.0.100", ""],
                    &["prov2.lab.example", "Running", "1.2.0.100", ""],
                ],
            ),
            Sheet {
                file: REPUTATION_BACKLOG,
                columns: &["Panel", "Time", "Value"],
                rows: (0..14).flat_map(|day| items(now - days(day), 900, 900, 120)).collect(),
            },
            sheet(REPUTATION_FAILED, &["Time", "Source", "Value"], &[]),
            sheet(
                REPUTATION_SOURCES,
                &["Source", "Enabled", "Address", "Key Present", "Maximum Hashes Processed Per Day"],
                &[
                    &["Threat Library", "yes", "https://reputation.example", "yes", "10000"],
                    &["Own List", "no", "", "no", "0"],
                ],
            ),
            sheet(
                REVEAL_COVERAGE,
                &["Computer Name", "Operating System", "IP Address", "Reveal Coverage Status"],
                &[],
            ),
            sheet(
                REVEAL_STATUS,
                &["Computer Name", "Operating System", "IP Address", "Reveal Tools Status"],
                &[],
            ),
            sheet(TRENDS_BOARDS, &["Board", "Panel"], BOARDS),
        ];
        Self { sheets }
    }

    /// The rows of a file.
    fn rows(&mut self, file: &str) -> &mut Vec<Vec<String>> {
        let sheet = self.sheets.iter_mut().find(|sheet| sheet.file == file);
        &mut sheet.expect("every file of this area has its sheet").rows
    }

    fn add(&mut self, file: &str, row: &[&str]) {
        self.rows(file).push(texts(row));
    }
}

/// The boards that the maintenance guide names, with the panels that it names.
const BOARDS: &[&[&str]] = &[
    &["IT Operations Metrics", "Maintenance Coverage"],
    &["IT Operations Metrics", "Endpoints Missing Software Updates Released Over 30 Days"],
    &["IT Operations Metrics", "Mean Time to Maintenance Software"],
    &["IT Operations Metrics", "Software Installed by Self Service User Request"],
    &["Discover - Module Health", "Memory"],
    &["Impact", "Impact Coverage Status"],
    &["Patch", "Days Since Last Patch Scan"],
    &["Patch", "Scan Errors - Last 7 Days"],
    &["Reputation", "Failed Outbound API Requests"],
    &["Reputation", "Inbound Items"],
    &["Reputation", "Outbound Items"],
    &["Reputation", "Outbound Processing Queue"],
];

fn texts(row: &[&str]) -> Vec<String> {
    row.iter().map(|cell| (*cell).to_owned()).collect()
}

fn deployment(now: Timestamp, endpoint: &str, status: &str, days_ago: i64, message: &str) -> Vec<String> {
    let began = now - days(days_ago) - minutes(90);
    let last = now - days(days_ago) - minutes(30);
    texts(&["Windows 11", endpoint, status, &iso_plain(began), &iso_plain(last), message])
}

/// The three panels of Reputation at one time.
fn items(at: Timestamp, inbound: u32, outbound: u32, queue: u32) -> [Vec<String>; 3] {
    let row = |panel: &str, value: u32| texts(&[panel, &iso_plain(at), &value.to_string()]);
    [row("Inbound Items", inbound), row("Outbound Items", outbound), row("Outbound Processing Queue", queue)]
}

fn exports(state: &State) -> Vec<Export> {
    let export =
        |sheet: &Sheet| Export { file: sheet.file, columns: sheet.columns, rows: sheet.rows.clone() };
    state.panels.sheets.iter().map(export).collect()
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "benchmark-uncovered",
        about: "two endpoints need attention in Benchmark's panel Risk Coverage",
        breaks: &["benchmark.risk-coverage"],
        apply: |state| {
            state.panels.add(BENCHMARK_COVERAGE, &["pc-0004", "Windows 11", "10.1.0.4", "Needs Attention"]);
            state.panels.add(BENCHMARK_COVERAGE, &["pc-0005", "Windows 11", "10.1.0.5", "Needs Attention"]);
        },
    },
    Fault {
        name: "benchmark-vector-broken",
        about: "a risk vector is not calculated for an endpoint",
        breaks: &["benchmark.risk-vector-issues"],
        apply: |state| {
            state.panels.add(
                BENCHMARK_VECTORS,
                &["pc-0004", "Windows 11", "10.1.0.4", "System Vulnerability", "no data from Comply"],
            );
        },
    },
    Fault {
        name: "certificate-manager-uncovered",
        about: "an endpoint is at Needs Attention in Certificate Manager Coverage",
        breaks: &["certificate-manager.coverage"],
        apply: |state| {
            state.panels.add(CERTIFICATE_MANAGER, &["pc-0004", "Windows 11", "10.1.0.4", "Needs Attention"]);
        },
    },
    Fault {
        name: "directory-domain-error",
        about: "a domain of Directory Query shows an Error icon",
        breaks: &["directory-query.domain-errors"],
        apply: |state| state.panels.add(DOMAINS, &["old.example", "Error", "the satellite cannot bind"]),
    },
    Fault {
        name: "notification-tools-missing",
        about: "an endpoint is without the End-User Notifications tools",
        breaks: &["end-user-notifications.tools-missing"],
        apply: |state| {
            state
                .panels
                .add(NOTIFICATIONS_MISSING, &["pc-0004", "Windows 11", "10.1.0.4", "Not Installed", ""]);
        },
    },
    Fault {
        name: "notification-tools-old",
        about: "an endpoint runs older End-User Notifications tools than the others",
        breaks: &["end-user-notifications.tools-outdated"],
        apply: |state| {
            state.panels.add(
                NOTIFICATIONS_OUTDATED,
                &["pc-0004", "Windows 11", "10.1.0.4", "Installed", "1.8.3.200"],
            );
        },
    },
    Fault {
        name: "notification-tools-unsupported",
        about: "an endpoint with an operating system that nobody accepted cannot have the End-User Notifications tools",
        breaks: &["end-user-notifications.tools-unsupported"],
        apply: |state| {
            state
                .panels
                .add(NOTIFICATIONS_UNSUPPORTED, &["srv-0002", "AIX 7.2", "10.2.0.2", "Unsupported", ""]);
        },
    },
    Fault {
        name: "provision-deployment-failed",
        about: "a deployment of Provision failed three days ago",
        breaks: &["provision.deployments"],
        apply: |state| {
            let row = deployment(state.now, "PC-1004", "Failed", 3, "the image could not be read");
            state.panels.rows(PROVISION_DEPLOYMENTS).push(row);
        },
    },
    Fault {
        name: "provision-service-stopped",
        about: "the service of a Provision endpoint is stopped",
        breaks: &["provision.service-not-running"],
        apply: |state| {
            state.panels.add(PROVISION_ENDPOINTS, &["prov3.lab.example", "Stopped", "1.2.0.100", ""])
        },
    },
    Fault {
        name: "provision-endpoint-old",
        about: "a Provision endpoint runs an older version than the others",
        breaks: &["provision.endpoint-versions"],
        apply: |state| {
            state.panels.add(PROVISION_ENDPOINTS, &["prov3.lab.example", "Running", "1.1.9.200", ""])
        },
    },
    Fault {
        name: "reputation-requests-failing",
        about: "requests to a reputation source fail, and nobody confirmed its configuration since",
        breaks: &["reputation.failed-requests", "reputation.sources-configured"],
        apply: |state| {
            let at = iso_plain(state.now - minutes(300));
            state.panels.add(REPUTATION_FAILED, &[&at, "Threat Library", "12"]);
        },
    },
    Fault {
        name: "reputation-source-changed",
        about: "the address of a reputation source was changed",
        breaks: &["reputation.sources-configured"],
        apply: |state| {
            for row in
                state.panels.rows(REPUTATION_SOURCES).iter_mut().filter(|row| row[0] == "Threat Library")
            {
                "https://other.example".clone_into(&mut row[2]);
            }
        },
    },
    Fault {
        name: "reputation-backlog",
        about: "Reputation takes in more than it passes on, and its queue is high every day",
        breaks: &["reputation.processing-backlog"],
        apply: |state| {
            let now = state.now;
            *state.panels.rows(REPUTATION_BACKLOG) =
                (0..14).flat_map(|day| items(now - days(day), 1500, 900, 4000)).collect();
        },
    },
    Fault {
        name: "reveal-uncovered",
        about: "an endpoint is at Needs Attention in Reveal Coverage",
        breaks: &["reveal.coverage-needs-attention"],
        apply: |state| {
            state.panels.add(REVEAL_COVERAGE, &["pc-0004", "Windows 11", "10.1.0.4", "Needs Attention"]);
        },
    },
    Fault {
        name: "reveal-not-operating",
        about: "an endpoint is at Attention Needed in Reveal's panel Endpoint Status",
        breaks: &["reveal.endpoint-status"],
        apply: |state| {
            state.panels.add(REVEAL_STATUS, &["pc-0004", "Windows 11", "10.1.0.4", "Attention Needed"]);
        },
    },
    Fault {
        name: "trends-board-missing",
        about: "the board Patch is not in Trends",
        breaks: &["trends.required-boards"],
        apply: |state| state.panels.rows(TRENDS_BOARDS).retain(|row| row[0] != "Patch"),
    },
];
