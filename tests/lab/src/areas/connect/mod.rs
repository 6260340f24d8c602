//! The Connect service: connections, their runs, sources, formats, destinations and event schemas.

mod certificate;
mod faults;
mod render;
mod routes;
mod schedule;

use crate::areas::Area;
use crate::areas::people::{CONNECT_OWNER, CONNECT_PERSONA};
use crate::clock::days;
use crate::random;
use jiff::{SignedDuration, Timestamp};
use schedule::Schedule;

pub(crate) const AREA: Area =
    Area { routes: routes::routes, faults: faults::FAULTS, exports: render::exports };

/// Where all routes of the service begin.
pub(crate) const BASE: &str = "/plugin/products/connect";
/// How the service is called in the list of workbenches.
pub(crate) const WORKBENCH: &str = "Connect";

/// The connection whose runs fail in faults.
pub(crate) const CLIENT_STATUS: u64 = 1;
const AUDIT: u64 = 2;
const INSTALLED_SOFTWARE: u64 = 3;
/// Reports failed runs of the others.
pub(crate) const FAILED_REPORT: u64 = 4;
/// Reports endpoints that became unmanaged.
pub(crate) const UNMANAGED_ALERT: u64 = 5;

/// Runs are kept this long.
const RUNS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// What a connection reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    SystemStatuses,
    ActionLogs,
    SavedQuestion(&'static str),
    Events { group: &'static str, events: Vec<&'static str> },
}

impl Source {
    /// The name of its collection of routes.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::SystemStatuses => "systemstatuses",
            Self::ActionLogs => "actionlogs",
            Self::SavedQuestion(_) => "savedquestions",
            Self::Events { .. } => "events",
        }
    }
}

/// How a connection writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

impl Format {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Csv => "csvs",
            Self::Json => "stringifies",
        }
    }
}

/// Where a connection writes to. Each destination has the id of the connection it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Https { host: &'static str, pinned: Option<(Timestamp, Timestamp)> },
    Socket { host: &'static str, port: u16, pinned: Option<(Timestamp, Timestamp)> },
    Mail { host: &'static str },
}

impl Destination {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Https { .. } => "https",
            Self::Socket { .. } => "sockets",
            Self::Mail { .. } => "smtps",
        }
    }

    pub(crate) fn host(&self) -> &'static str {
        match self {
            Self::Https { host, .. } | Self::Socket { host, .. } | Self::Mail { host } => host,
        }
    }

    /// The time in which the pinned certificate is valid.
    pub(crate) fn pinned_mut(&mut self) -> Option<&mut (Timestamp, Timestamp)> {
        match self {
            Self::Https { pinned, .. } | Self::Socket { pinned, .. } => pinned.as_mut(),
            Self::Mail { .. } => None,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Failed,
    Finished,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Failed => "Failed",
            Self::Finished => "Finished",
        }
    }
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) status: Status,
    pub(crate) started: Timestamp,
    pub(crate) seconds: i64,
    pub(crate) source_rows: u64,
    pub(crate) destination_rows: u64,
    /// What the log says at the end of a run that did not finish.
    pub(crate) error: &'static str,
}

impl Run {
    pub(crate) fn updated(&self) -> Timestamp {
        self.started + SignedDuration::from_secs(self.seconds)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.destination_rows * 214
    }
}

/// A connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) owner: u64,
    /// 0 for the default persona.
    pub(crate) persona: u64,
    pub(crate) enabled: bool,
    pub(crate) schedule: Schedule,
    pub(crate) source: Source,
    pub(crate) format: Format,
    pub(crate) destination: Destination,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// How many runs are left at the temporary log level, which is that of debugging.
    pub(crate) verbose_runs: u32,
    /// The memory ceiling, in gigabytes.
    pub(crate) memory: u32,
    /// Newest first.
    pub(crate) runs: Vec<Run>,
}

/// All connections.
pub(crate) struct Connect {
    pub(crate) connections: Vec<Connection>,
    /// Group name and event names.
    pub(crate) event_schemas: Vec<(&'static str, Vec<&'static str>)>,
}

impl Connect {
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        let mut connections = connections(now);
        for connection in &mut connections {
            connection.runs = healthy_runs(connection, seed, now);
        }
        Self { connections, event_schemas: event_schemas() }
    }

    pub(crate) fn connection_mut(&mut self, id: u64) -> Option<&mut Connection> {
        self.connections.iter_mut().find(|connection| connection.id == id)
    }
}

fn connections(now: Timestamp) -> Vec<Connection> {
    let pinned = Some((now - days(120), now + days(400)));
    let collector = Destination::Https { host: "collector.lab.example", pinned };
    let connection = |id: u64, name, schedule, source, destination: &Destination| Connection {
        id,
        name,
        owner: CONNECT_OWNER,
        persona: 0,
        enabled: true,
        schedule,
        source,
        format: Format::Json,
        destination: destination.clone(),
        created: now - days(200),
        updated: now - days(100),
        verbose_runs: 0,
        memory: 1,
        runs: Vec::new(),
    };
    let events = |group, events: &[&'static str]| Source::Events { group, events: events.to_vec() };
    vec![
        connection(
            CLIENT_STATUS,
            "Client status to collector",
            Schedule::Hourly(25),
            Source::SystemStatuses,
            &collector,
        ),
        connection(
            AUDIT,
            "Action log to archive",
            Schedule::Daily(1, 10),
            Source::ActionLogs,
            &Destination::Socket { host: "archive.lab.example", port: 6514, pinned },
        ),
        Connection {
            format: Format::Csv,
            persona: CONNECT_PERSONA,
            ..connection(
                INSTALLED_SOFTWARE,
                "Client versions by mail",
                Schedule::Daily(3, 40),
                Source::SavedQuestion("Tanium Client Version"),
                &Destination::Mail { host: "mail.lab.example" },
            )
        },
        connection(
            FAILED_REPORT,
            "Failed connections report",
            Schedule::OnEvents,
            events("Connect", &["Failed Connection Run", "Unexpected Process Exit"]),
            &collector,
        ),
        connection(
            UNMANAGED_ALERT,
            "Endpoints that became unmanaged",
            Schedule::OnEvents,
            events("Discover Notifications", &["Lost Asset", "New Unmanaged Asset"]),
            &collector,
        ),
    ]
}

/// Every due run of the past month finished, with rows around a constant number. Event connections ran two days ago.
fn healthy_runs(connection: &Connection, seed: u64, now: Timestamp) -> Vec<Run> {
    let run = |started: Timestamp| {
        let drawn = random::draw(seed, "connect run", connection.id ^ started.as_second().unsigned_abs());
        let rows = 1000 * connection.id + drawn % 40;
        Run {
            id: run_id(connection, started),
            status: Status::Finished,
            started,
            // A run that is due this very minute has ended already.
            seconds: (20 + i64::try_from(drawn % 10).unwrap_or(0)).min(now.duration_since(started).as_secs()),
            source_rows: rows,
            destination_rows: rows,
            error: "",
        }
    };
    match (connection.schedule.previous(now), connection.schedule.interval()) {
        (Some(newest), Some(interval)) => {
            let starts = (0..).map(|back: i32| newest - interval * back);
            starts.take_while(|started| now.duration_since(*started) < RUNS_KEPT).map(run).collect()
        }
        _ => vec![run(now - days(2))],
    }
}

/// Stays the same while time passes.
fn run_id(connection: &Connection, started: Timestamp) -> u64 {
    connection.id * 10_000_000 + started.as_second().unsigned_abs() / 60 % 10_000_000
}

/// The names of the vendor's example for Discover; those of Connect are named in the maintenance guide.
fn event_schemas() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("Connect", vec!["Failed Connection Run", "Unexpected Process Exit"]),
        (
            "Discover Notifications",
            vec!["Rules Notification", "New Unmanaged Asset", "New Managed Asset", "Lost Asset"],
        ),
    ]
}
