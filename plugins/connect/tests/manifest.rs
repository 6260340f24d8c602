//! The manifest of the plugin: complete, the same on both sides of the boundary, and its ids as they were released.

use tancheck_connect::PLUGIN;
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::testing::assert_valid;

/// Ids are never renamed and never reused: waivers, history and attestations hang on them.
const IDS: [&str; 26] = [
    "connect.maintenance-roles",
    "connect.disconnected-client-alert",
    "connect.failed-report-exists",
    "connect.failed-report-events",
    "connect.failed-report-listening",
    "connect.failed-report-format",
    "connect.failed-report-routed",
    "connect.failed-connections",
    "connect.failed-report-received",
    "connect.process-exit",
    "connect.throughput",
    "connect.unneeded",
    "connect.run-stuck",
    "connect.left-verbose",
    "connect.memory-ceiling",
    "connect.next-run",
    "connect.schedule-expected",
    "connect.owner-active",
    "connect.persona-exists",
    "connect.owner-permissions",
    "connect.persona-permissions",
    "connect.owner-password-policy",
    "connect.destination-settings",
    "connect.destination-reachable",
    "connect.destination-certificate",
    "connect.support-bundle",
];

#[test]
fn the_manifest_is_valid() {
    assert_valid(&PLUGIN);
}

#[test]
fn the_ids_are_those_that_were_released() {
    let ids: Vec<String> = Manifest::of(&PLUGIN).checks.into_iter().map(|check| check.id).collect();
    assert_eq!(ids, IDS);
}
