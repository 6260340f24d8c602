//! What can be wrong with connections.

use super::schedule::Schedule;
use super::{
    CLIENT_STATUS, Connection, Destination, FAILED_REPORT, Format, Run, Source, Status, UNMANAGED_ALERT,
    WORKBENCH, run_id,
};
use crate::areas::people::MAINTAINER;
use crate::clock::{days, minutes};
use crate::faults::Fault;
use crate::state::State;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "failed-connection",
        about: "the last run of a connection failed; the failed connections report said so",
        breaks: &["connect.failed-connections", "connect.destination-reachable"],
        apply: |state| {
            fail_runs(state, 1, "connect ECONNREFUSED collector.lab.example:443");
            report_failures(state);
        },
    },
    Fault {
        name: "failing-connection",
        about: "the last five runs of a connection failed in a row",
        breaks: &["connect.failed-connections", "connect.destination-reachable"],
        apply: |state| {
            fail_runs(state, 5, "connect ETIMEDOUT collector.lab.example:443");
            report_failures(state);
        },
    },
    Fault {
        name: "process-exit",
        about: "the process of a connection ended unexpectedly, and the next run finished again",
        breaks: &["connect.process-exit"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, _| {
                if let Some(run) = connection.runs.get_mut(1) {
                    fail(run, "Unexpected Process Exit: the connection process ended with signal SIGKILL");
                }
            });
            report_failures(state);
        },
    },
    Fault {
        name: "connection-left-verbose",
        about: "a connection has been logging for debugging since months",
        breaks: &["connect.left-verbose"],
        apply: |state| with(state, CLIENT_STATUS, |connection, _| connection.verbose_runs = 1000),
    },
    Fault {
        name: "connection-memory-raised",
        about: "a connection may use more memory than Connect as a whole",
        breaks: &["connect.memory-ceiling"],
        apply: |state| with(state, CLIENT_STATUS, |connection, _| connection.memory = 32),
    },
    Fault {
        name: "stuck-run",
        about: "a run of a connection is said to be running for a day",
        breaks: &["connect.process-exit", "connect.run-stuck"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                connection.runs.retain(|run| now.duration_since(run.started) > days(1));
                if let Some(run) = connection.runs.first_mut() {
                    run.status = Status::Running;
                    run.destination_rows = 0;
                }
            });
        },
    },
    Fault {
        name: "missed-run",
        about: "a scheduled connection has not run for a week",
        breaks: &["connect.next-run"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                connection.runs.retain(|run| now.duration_since(run.started) > days(7));
            });
        },
    },
    Fault {
        name: "broken-schedule",
        about: "the schedule of an enabled connection is not a cron line",
        breaks: &["connect.next-run", "connect.schedule-expected"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                connection.schedule = Schedule::Broken("");
                connection.updated = now - minutes(180);
            });
        },
    },
    Fault {
        name: "changed-schedule",
        about: "a connection runs daily instead of hourly since two days ago",
        breaks: &["connect.schedule-expected"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                connection.schedule = Schedule::Daily(4, 25);
                connection.updated = now - days(2);
                let daily = |run: &Run| run.started.as_second() % 86_400 / 3600 == 4;
                connection.runs.retain(|run| daily(run) || now.duration_since(run.started) > days(2));
            });
        },
    },
    Fault {
        name: "low-throughput",
        about: "a connection sends a tenth of its usual rows since a day",
        breaks: &["connect.throughput"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                for run in connection.runs.iter_mut().filter(|run| now.duration_since(run.started) < days(1))
                {
                    run.source_rows /= 10;
                    run.destination_rows /= 10;
                }
            });
        },
    },
    Fault {
        name: "connection-owner-changed",
        about: "a connection was transferred to another user, who may run it; nobody asked for the age of the password",
        breaks: &["connect.owner-password-policy"],
        apply: |state| with(state, CLIENT_STATUS, |connection, _| connection.owner = MAINTAINER),
    },
    Fault {
        name: "unneeded-connection",
        about: "a connection was disabled half a year ago and never removed",
        breaks: &["connect.unneeded"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                let at = now - days(180);
                connection.enabled = false;
                connection.updated = at;
                connection.runs.clear();
                connection.runs.push(Run {
                    id: run_id(connection, at),
                    status: Status::Finished,
                    started: at,
                    seconds: 20,
                    source_rows: 1000,
                    destination_rows: 1000,
                    error: "",
                });
            });
        },
    },
    Fault {
        name: "destination-certificate-expired",
        about: "the certificate that a destination pins expired last week",
        breaks: &["connect.destination-certificate"],
        apply: |state| pin(state, -7),
    },
    Fault {
        name: "destination-certificate-expires",
        about: "the certificate that a destination pins expires in ten days",
        breaks: &["connect.destination-certificate"],
        apply: |state| pin(state, 10),
    },
    Fault {
        name: "destination-changed",
        about: "a connection sends to another host than before",
        breaks: &["connect.destination-settings"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                connection.updated = now - minutes(300);
                if let Destination::Https { host, .. } = &mut connection.destination {
                    *host = "elsewhere.lab.example";
                }
            });
        },
    },
    Fault {
        name: "failed-report-missing",
        about: "there is no failed connections report",
        breaks: &["connect.failed-report-exists"],
        apply: |state| state.connect.connections.retain(|connection| connection.id != FAILED_REPORT),
    },
    Fault {
        name: "failed-report-deaf",
        about: "the failed connections report does not listen to its events",
        breaks: &["connect.failed-report-listening"],
        apply: |state| with(state, FAILED_REPORT, |connection, _| connection.enabled = false),
    },
    Fault {
        name: "failed-report-one-event",
        about: "the failed connections report does not select Unexpected Process Exit",
        breaks: &["connect.failed-report-events"],
        apply: |state| {
            with(state, FAILED_REPORT, |connection, _| {
                if let Source::Events { events, .. } = &mut connection.source {
                    events.truncate(1);
                }
            });
        },
    },
    Fault {
        name: "failed-report-format",
        about: "the failed connections report writes CSV instead of the agreed JSON",
        breaks: &["connect.failed-report-format"],
        apply: |state| with(state, FAILED_REPORT, |connection, _| connection.format = Format::Csv),
    },
    Fault {
        name: "failed-report-lost",
        about: "a connection failed yesterday and the failed connections report never ran",
        breaks: &["connect.failed-report-received"],
        apply: |state| {
            with(state, CLIENT_STATUS, |connection, now| {
                let yesterday =
                    connection.runs.iter_mut().find(|run| now.duration_since(run.started) > minutes(25 * 60));
                if let Some(run) = yesterday {
                    fail(run, "connect ECONNREFUSED collector.lab.example:443");
                }
            });
        },
    },
    Fault {
        name: "unmanaged-alert-missing",
        about: "no connection reports endpoints that became unmanaged",
        breaks: &["connect.disconnected-client-alert"],
        apply: |state| state.connect.connections.retain(|connection| connection.id != UNMANAGED_ALERT),
    },
    Fault {
        name: "connect-missing",
        about: "Connect is not imported; checks of it do not apply",
        breaks: &[],
        apply: |state| state.server.solutions.retain(|solution| solution.workbench != Some(WORKBENCH)),
    },
];

fn with(state: &mut State, id: u64, change: impl FnOnce(&mut Connection, jiff::Timestamp)) {
    let now = state.now;
    if let Some(connection) = state.connect.connection_mut(id) {
        change(connection, now);
    }
}

fn fail(run: &mut Run, error: &'static str) {
    run.status = Status::Failed;
    run.destination_rows = 0;
    run.error = error;
}

fn fail_runs(state: &mut State, count: usize, error: &'static str) {
    with(state, CLIENT_STATUS, |connection, _| {
        connection.runs.iter_mut().take(count).for_each(|run| fail(run, error));
    });
}

/// The failed connections report ran after each failed run.
fn report_failures(state: &mut State) {
    let now = state.now;
    let others = state.connect.connections.iter().filter(|connection| connection.id != FAILED_REPORT);
    let failed = others.flat_map(|connection| &connection.runs).filter(|run| run.status == Status::Failed);
    let times: Vec<jiff::Timestamp> = failed.map(|run| (run.updated() + minutes(1)).min(now)).collect();
    with(state, FAILED_REPORT, |report, _| {
        for at in times {
            report.runs.push(Run {
                id: run_id(report, at),
                status: Status::Finished,
                started: at,
                seconds: 0,
                source_rows: 1,
                destination_rows: 1,
                error: "",
            });
        }
        report.runs.sort_by_key(|run| std::cmp::Reverse(run.started));
    });
}

/// Lets the pinned certificate end so many days from now.
fn pin(state: &mut State, ends_in_days: i64) {
    with(state, CLIENT_STATUS, |connection, now| {
        if let Some(pinned) = connection.destination.pinned_mut() {
            *pinned = (now - days(390), now + days(ends_in_days));
        }
    });
}
