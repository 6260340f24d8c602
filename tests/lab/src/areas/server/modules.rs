//! The modules that are imported, and the license that covers them.

use super::{HEALTH_CHECK_SOLUTION, License, Licensed, Solution};
use crate::clock::days;
use jiff::Timestamp;

/// A module or shared service that is imported and licensed: solution id, name, version.
///
/// The ids of Connect, Discover, Health Check, Interact, Trends and of those marked `vendor` are the vendor's own; the
/// other ids, and all other versions, are the lab's: no public document tells them.
const MODULES: [(&str, &str, &str); 32] = [
    ("01-800-0011", "Tanium API Gateway", "1.3.0.0100"),
    ("03-200-0204", "Tanium Asset", "1.21.0.0100"), // vendor
    ("01-800-0012", "Tanium Benchmark", "1.5.0.0100"),
    ("01-800-0013", "Tanium Certificate Manager", "1.1.0.0100"),
    ("01-800-0001", "Tanium Client Management", "1.4.0.0001"),
    ("04-200-0103", "Tanium Comply", "2.14.0.0100"), // vendor
    ("99-200-0008", "Tanium Connect", "4.11.2.0017"),
    ("01-800-0014", "Tanium Criticality", "1.2.0.0100"),
    ("03-400-0220", "Tanium Deploy", "2.9.0.0100"), // vendor
    ("01-800-0015", "Tanium Direct Connect", "2.1.0.0100"),
    ("01-800-0016", "Tanium Directory Query", "1.1.0.0100"),
    ("99-300-0047", "Tanium Discover", "3.0.0.0330"),
    ("03-100-0031", "Tanium End-User Notifications", "1.9.0.0100"), // vendor
    ("01-080-0332", "Tanium Endpoint Configuration", "1.8.0.0100"), // vendor
    ("04-400-0001", "Tanium Enforce", "1.9.0.0100"),                // vendor but for the last field
    ("01-800-0017", "Tanium Engage", "1.0.0.0100"),
    ("01-800-0018", "Tanium Feed", "1.1.0.0100"),
    (HEALTH_CHECK_SOLUTION, "Tanium Health Check", "1.0.9.0048"),
    ("01-800-0019", "Tanium Impact", "1.6.0.0100"),
    ("04-300-0141", "Tanium Integrity Monitor", "2.7.0.0100"), // vendor
    ("01-900-0072", "Tanium Interact", "2.0.2.0011"),
    ("03-300-0219", "Tanium Map", "2.2.0.0100"), // vendor
    ("99-200-0241", "Tanium Network Quarantine", "2.1.0.0100"), // vendor
    ("03-100-0030", "Tanium Patch", "3.8.0.0100"), // vendor
    ("03-500-0001", "Tanium Performance", "1.9.0.0100"), // vendor but for the last field
    ("01-800-0020", "Tanium Provision", "1.2.0.0100"),
    ("01-800-0021", "Tanium Reporting", "1.10.0.0100"),
    ("99-200-0281", "Tanium Reputation", "6.0.0.0100"), // vendor
    ("02-600-0226", "Tanium Reveal", "1.19.0.0100"),    // vendor
    ("01-800-0022", "Tanium Risk", "1.4.0.0100"),
    ("02-400-0001", "Tanium Threat Response", "4.1.0.0100"), // vendor but for the last two fields
    ("01-890-0107", "Tanium Trends", "2.4.2.0001"),
];

/// Content and modules. Ids and versions of the content are those of the vendor's own example of server_info.
pub(super) fn solutions(now: Timestamp) -> Vec<Solution> {
    let solution = |id, name, version, category, workbench| Solution {
        id,
        name,
        version,
        category,
        workbench,
        imported: now - days(45),
    };
    let content = [
        solution("01-001-0001", "Initial Content - Base", "7.1.5.0003", "Core", None),
        solution("01-001-0019", "Client Maintenance", "6.5.4.0028", "Core", None),
        solution("01-001-0089", "Common UI Components", "1.3.2.0060", "", Some("CommonUIComponents")),
        solution("98-010-0242", "Tanium tpan2-plugin", "0.1.0.0001", "Core", None),
    ];
    let modules =
        MODULES.iter().map(|&(id, name, version)| solution(id, name, version, "Core", Some(workbench(name))));
    content.into_iter().chain(modules).collect()
}

/// Solutions have the vendor's name in front; workbenches and the license leave it out.
fn workbench(solution: &'static str) -> &'static str {
    solution.strip_prefix("Tanium ").unwrap_or(solution)
}

/// One entry for each module, and the patterns over content that every license has.
pub(super) fn license(seats: u64, now: Timestamp) -> License {
    let expires = now + days(250);
    let module = |&(id, name, _): &(&'static str, &'static str, &'static str)| Licensed {
        name: workbench(name),
        matches: id,
        seats: Some(seats),
        expires: Some(expires),
    };
    let content = |name, matches| Licensed { name, matches, seats: None, expires: None };
    let shared = [
        content("Foundation", "01-[0-8][0-8][0-9]-[0-9][0-9][0-9][0-9]"),
        content("Labs", "98-[0-9][0-9][0-9]-[0-9][0-9][0-9][0-9]"),
    ];
    License {
        seats,
        days: 365,
        expires,
        solutions: shared.into_iter().chain(MODULES.iter().map(module)).collect(),
    }
}
