//! What the checks read: connections, runs, logs, destinations, event sources; and what people tell.
//!
//! Routes and fields are those of the vendor's description of the Connect service. Elements of a connection (source,
//! format, destination) are named by routes such as `/v1/destinations/https/3`; see [`Element`].

mod connection;
mod destination;
mod event;
mod run;

pub use connection::{Connection, Element, RunStatus, same_kind};
pub use destination::{Destination, destinations};
pub use event::{EventGroup, EventSource, event_source};
pub use run::{LogEntry, Run, last_outcome, runs_of};

use tancheck_plugin_api::prelude::*;

/// Without it, the service lists only the connections of the account that asks.
const ALL: &[&str] = &["connect read all"];
const READ: &[&str] = &["connect read", "show connect"];

/// Every connection. The export has no ids: there, names are the keys.
pub const CONNECTIONS: Input =
    Input::new("connect.connections", "connections with owner, schedule and last run").sources(&[
        Source::service("connect", "/v1/connections").limit_offset(500).needs(READ).complete_with(ALL),
        Source::export(
            "connect-connections.csv",
            "Modules > Connect > Connections",
            "write down the list of connections with these columns, one row for each connection",
            &[
                "Name",
                "Owner",
                "Run as Persona",
                "Enabled",
                "Schedule",
                "Next Run",
                "Last Run",
                "Status",
                "Destination",
            ],
        ),
    ]);

/// Every connection with the routes of its elements, which the list may leave out.
pub const DETAILS: Input = Input::new("connect.details", "connections with source, format and destination")
    .sources(&[
        Source::service("connect", "/v1/connections/{id}")
            .object()
            .each(Each::row_of("connect.connections").variables(&[("id", "id")]))
            .needs(READ),
        Source::export(
            "connect-export.json",
            "Modules > Connect > Connections",
            "export all connections (Connect User Guide: Export connections)",
            &["name", "enabled", "streams"],
        ),
    ]);

/// Runs of all connections within a month.
pub const RUNS: Input = Input::new("connect.runs", "runs of the last 31 days").sources(&[Source::service(
    "connect",
    "/v1/connectionruns?createdAfter={since:31d}",
)
.limit_offset(1000)
.needs(READ)
.complete_with(ALL)]);

/// Runs of the connections that fail now, further back than [`RUNS`].
pub const FAILING_RUNS: Input =
    Input::new("connect.failing-runs", "runs of the last year of connections that fail now").sources(&[
        Source::service("connect", "/v1/connections/{id}/runs?createdAfter={since:365d}")
            .limit_offset(1000)
            .each(
                Each::row_of("connect.connections")
                    .variables(&[("id", "id")])
                    .only("lastRunStatus", &["Failed"])
                    .limit(200),
            )
            .needs(READ),
    ]);

/// What failed runs wrote.
pub const RUN_LOGS: Input = Input::new("connect.run-logs", "log entries of failed runs of the last 31 days")
    .sources(&[Source::service("connect", "/v1/connections/{connection}/runs/{run}/logs")
        .each(
            Each::row_of("connect.runs")
                .variables(&[("connection", "connectionId"), ("run", "id")])
                .only("status", &["Failed"])
                .limit(200),
        )
        .needs(READ)]);

/// Event sources of connections: which group, which events.
pub const EVENT_SOURCES: Input = Input::new("connect.event-sources", "event sources of connections")
    .sources(&[Source::service("connect", "/v1/sources/events").needs(READ)]);

/// Groups of events that modules offer.
pub const EVENT_GROUPS: Input = Input::new("connect.event-groups", "event groups and their events")
    .sources(&[Source::service("connect", "/v1/eventschemas").needs(&["connect eventschema read"])]);

/// The kinds of destinations whose settings are read; a kind is the last part of its route.
pub const DESTINATION_KINDS: Setting = Setting::list(
    "destination_kinds",
    &["https", "smtps", "sockets", "elasticsearches", "sqlservers", "files"],
)
.about("kinds of destinations to read, as in the routes /v1/destinations/<kind> of the Connect service");

/// Destinations of every kind; `_of` tells the kind.
pub const DESTINATIONS: Input = Input::new("connect.destinations", "settings of destinations, by kind")
    .sources(&[Source::service("connect", "/v1/destinations/{item}")
        .each(Each::setting("destination_kinds"))
        .needs(READ)]);

/// Every connection, as the list tells it: its elements may be missing.
///
/// # Errors
/// When the list is unavailable or empty: with all connections in sight that means that there are none.
pub fn connections(facts: &Facts<'_>) -> Result<Vec<Connection>, Undecided> {
    let rows: Vec<Connection> = facts.rows(&CONNECTIONS)?;
    if rows.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no connection is listed"));
    }
    Ok(rows)
}

/// Every connection, with its elements taken from the details.
///
/// # Errors
/// As [`connections`], and when the details of a connection are missing.
pub fn with_elements(facts: &Facts<'_>) -> Result<Vec<Connection>, Undecided> {
    let mut connections = connections(facts)?;
    let details: Vec<Connection> = facts.rows(&DETAILS)?;
    for connection in &mut connections {
        let same = |other: &&Connection| {
            if other.id.is_empty() { other.name == connection.name } else { other.id == connection.id }
        };
        let Some(detail) = details.iter().find(same).filter(|detail| !detail.streams.is_empty()) else {
            let reason = format!("the source and the destination of {:?} are unknown", connection.name);
            return Err(Undecided::not_evaluated(reason));
        };
        connection.streams.clone_from(&detail.streams);
    }
    Ok(connections)
}
