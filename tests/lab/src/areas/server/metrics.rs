//! `/metrics`: Prometheus text with the families that a health check reads.

use super::machine;
use crate::state::State;
use jiff::Timestamp;
use std::fmt::Write;

/// One family: name, type, help, and its samples as (labels, value).
pub(super) type Family = (&'static str, &'static str, &'static str, Vec<(String, f64)>);

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
pub(super) fn text(state: &State, now: Timestamp) -> String {
    let totals = state.fleet.totals();
    let server = &state.server;
    let first = server.tanium_servers.first();
    let one = |value: f64| vec![(String::new(), value)];
    let left = server.license.expires.duration_since(now).as_hours() / 24;
    let failing = state
        .actions
        .packages
        .iter()
        .flat_map(|package| &package.files)
        .filter(|file| !file.cached())
        .count();
    let connectors = |failed: bool| {
        state.directory.connectors.iter().filter(|connector| connector.failed == failed).count() as f64
    };
    let families: Vec<Family> = vec![
        (
            "app_version_info",
            "gauge",
            "Application version",
            vec![(label("app_version", &server.version), 1.0)],
        ),
        (
            "tanium_licensed_days_left",
            "gauge",
            "The number of days remaining on the license",
            one(left as f64),
        ),
        (
            "tanium_licensed_seat_count",
            "gauge",
            "The number of licensed seats",
            one(server.license.seats as f64),
        ),
        (
            "tanium_ldap_sync_connector_sync_status_count",
            "gauge",
            "Number of connectors by status",
            vec![
                (label("status", "success"), connectors(false)),
                (label("status", "failure"), connectors(true)),
            ],
        ),
        ("tanium_has_baton", "gauge", "Server baton flag at the time of sample", one(1.0)),
        (
            "tanium_client_connection_count",
            "gauge",
            "The number of client connections",
            vec![(label("type", "overall"), totals.leaders as f64), (label("type", "download"), 0.0)],
        ),
        (
            "tanium_client_connection_limit",
            "gauge",
            "The limit of client connections",
            vec![(label("type", "overall"), 200_000.0), (label("type", "download"), 1000.0)],
        ),
        (
            "tanium_file_download_failing_count",
            "gauge",
            "The number of package files currently in failure state",
            one(failing as f64),
        ),
        (
            "tanium_file_download_queue_size",
            "gauge",
            "The number of package files that are waiting to be downloaded",
            one(0.0),
        ),
        (
            "tanium_throttle_queue_delay_seconds",
            "gauge",
            "Bandwidth throttle queue delay",
            vec![(label("type", "download"), 0.0), (label("type", "sensor"), 0.0)],
        ),
        (
            "tanium_dbconnectionpool_db_connect_failure_total",
            "counter",
            "Total number of failures when connecting to db",
            one(0.0),
        ),
        (
            "tanium_plugin_module_count",
            "gauge",
            "",
            vec![(label("type", "remote"), server.module_count as f64), (label("type", "local"), 5.0)],
        ),
        (
            "tanium_system_fs_available_bytes",
            "gauge",
            "Total bytes reported available.",
            one(first.map_or(0.0, |machine| machine.available as f64)),
        ),
        (
            "tanium_system_fs_total_bytes",
            "gauge",
            "Total bytes of the file system.",
            one(first.map_or(0.0, |machine| machine.capacity as f64)),
        ),
    ];
    let mut out = String::new();
    for (name, kind, help, samples) in families.into_iter().chain(machine::families(now)) {
        write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("writing to a string cannot fail");
        for (labels, value) in samples {
            let value = server.metrics.get(name).copied().unwrap_or(value);
            writeln!(out, "{name}{labels} {value}").expect("writing to a string cannot fail");
        }
    }
    out
}

pub(super) fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{value}\"}}")
}
