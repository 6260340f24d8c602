//! The manifest is good, and its checks are those of the guide: ids, kinds, cadences and severities are a promise.

use std::fmt::Write;
use tancheck_client_management::PLUGIN;
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::testing;

#[test]
fn the_manifest_is_valid() {
    testing::assert_valid(&PLUGIN);
}

/// The texts are pages for people: a line that was broken badly shows as a gap.
#[test]
fn no_text_has_a_gap() {
    let text =
        tancheck_plugin_api::serde_json::to_string(&Manifest::of(&PLUGIN)).expect("a manifest is plain data");
    let gap = text.find("  ").map(|at| &text[at.saturating_sub(60)..at + 20]);
    assert_eq!(gap, None);
}

/// Renaming a check loses its history, its waivers and its attestations: a change here is a decision.
#[test]
fn the_checks_are_those_of_the_guide() {
    let mut lines = String::new();
    for check in Manifest::of(&PLUGIN).checks.into_iter().filter(|check| !check.beyond) {
        let cadence: Vec<&str> = check.cadence.iter().map(|cadence| cadence.name()).collect();
        let pages: Vec<String> = check.guide.iter().map(|guide| guide.page.to_string()).collect();
        writeln!(
            lines,
            "{} {} {} {} p{}",
            check.id.trim_start_matches("client-management."),
            serde_name(&check.kind),
            cadence.join("|"),
            check.severity,
            pages.join(",")
        )
        .expect("a text can be written to");
    }
    assert_eq!(lines, CHECKS);
}

fn serde_name(kind: &tancheck_plugin_api::Kind) -> String {
    let name = tancheck_plugin_api::serde_json::to_value(kind).expect("a kind is a word");
    name.as_str().expect("a kind is a word").to_owned()
}

const CHECKS: &str = "\
maintenance-roles automated setup|quarterly medium p7
auto-redeploy hybrid setup info p9
leader-percentage-recorded automated weekly low p11
leader-percentage-change automated weekly medium p11
endpoint-count-recorded automated weekly info p12
endpoint-count-low automated weekly medium p12
endpoint-count-high automated weekly medium p12
new-endpoints-authorized attested weekly medium p12
endpoint-retention automated weekly info p12
license-exceeded automated weekly high p12
license-headroom automated weekly medium p12
cx-index automated monthly medium p19
cx-recorder automated monthly medium p19
cx-other automated monthly medium p19
server-name-list automated monthly high p20
server-name-list-single automated monthly medium p20
zone-server-balance automated monthly medium p20
zone-server-capacity hybrid monthly medium p20
log-level-default automated monthly low p20
log-level-sensitive hybrid monthly low p20
log-level-vdi automated monthly low p20
log-level-containers automated monthly info p20
setting-values automated monthly medium p21
setting-counts automated monthly low p21
version-outdated automated monthly medium p21
version-accepted attested monthly low p21
version-upgrade-failed hybrid monthly medium p21
support-bundle hybrid quarterly low p35,10
";
