//! Guide: *Review all TPAN findings*, page 15: the Module Server is the guide's example of what cannot wait.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{SERVER_HEALTH, ServerHealth};
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, PluginSchedule, SERVER_INFO, ServerInfo};
use tancheck_plugin_api::serde_json::Value;

/// How far a Module Server's report may lie behind the newest one of its peers.
const LATE_MINUTES: i64 = 60;

/// The Module Server is connected.
pub(crate) const CONNECTED: Check = Check::automated("health-check.module-server-connected")
    .title("The Module Server is connected")
    .cadence(&[Cadence::Weekly, Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&SERVER_INFO, &SERVER_HEALTH, &PLUGIN_SCHEDULES])
    .guide(&[guide("Review all TPAN findings", 15)])
    .what("Reads the server's diagnostics: each Module Server must be connected with the word Success. A Module Server whose own health report lies more than an hour behind its peers is found as well. Whether it loaded its modules is looked at by health-check.module-load-attempt.")
    .why("Very many operations of the platform run on the Module Server; without it nearly every module stands still.")
    .limits("The diagnostics are the view of the Tanium Server that answers; in an active-active deployment the other server may see it otherwise. The words for failure are not documented: whatever is not Success counts.")
    .related(&["health-check.tpan-report-age", "health-check.module-load-attempt", "health-check.server-disk"])
    .even_if_absent()
    .remedy(&REMEDY)
    .judge(module_server_connected);

const REMEDY: Remedy = Remedy::new(&[
    Step::command("the Module Server {subject}", "see on the host whether it is up and its service runs"),
    Step::command("TCP port 17477, from the Tanium Server to {subject}", "see whether the network lets it through, and whether its certificate is valid"),
    Step::consult("Core Platform Deployment Reference Guide, troubleshooting chapter", "follow it for the Module Server"),
    Step::support("at once, if the connection does not come back"),
])
.cautions(&["Act immediately, but do not restart servers one after another without looking at their logs first: the traces of the cause are lost."])
.who("the platform or server administrator")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Core Platform Deployment Reference Guide: Troubleshoot issues during server deployment or solution operations"]);

fn module_server_connected(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    late_reports(facts, report);
    let timeouts = timed_out_schedules(facts);
    let diagnostics: ServerInfo = facts.object(&SERVER_INFO)?;
    let mut seen = 0;
    for (key, value) in diagnostics.section("Module_Cache") {
        let Some(server) = key.strip_suffix("_Connected") else { continue };
        seen += 1;
        if let Some(word) = not_success(value) {
            report.finding(
                Finding::on(Subject::new("module server", key, server))
                    .says(format!("is not connected: {word}{timeouts}"))
                    .expected("Success")
                    .evidence(facts.seen(&SERVER_INFO, value)),
            );
        }
    }
    if seen == 0 {
        return Err(Undecided::not_evaluated(
            "the server's diagnostics name no Module Server (section Module_Cache, keys ending in _Connected)",
        ));
    }
    Ok(())
}

fn not_success(value: &Value) -> Option<String> {
    match value.as_str() {
        Some(word) if word.trim().eq_ignore_ascii_case("success") => None,
        Some(word) => Some(word.to_owned()),
        None => Some(value.to_string()),
    }
}

/// A Module Server that no longer tells of itself while others do.
fn late_reports(facts: &Facts<'_>, report: &mut Report) {
    let Ok(health) = facts.object::<ServerHealth>(&SERVER_HEALTH) else { return };
    let Some(newest) = health.all().filter_map(|(_, server)| server.timestamp).max() else { return };
    for server in health.servers.iter().flat_map(|servers| &servers.module_servers) {
        let Some(told) = server.timestamp else { continue };
        let minutes = newest.duration_since(told).as_mins();
        if minutes > LATE_MINUTES {
            report.finding(
                Finding::on(Subject::new("module server", format!("{} health", server.name), &server.name))
                    .says(format!(
                        "gives no health report: its last one is {minutes} minutes older than its peers'"
                    ))
                    .expected(format!("at most {LATE_MINUTES} minutes"))
                    .severity(Severity::High)
                    .evidence(facts.seen(&SERVER_HEALTH, told)),
            );
        }
    }
}

/// A remark on schedules whose calls to the Module Server timed out; empty where none did.
fn timed_out_schedules(facts: &Facts<'_>) -> String {
    let schedules = facts.rows::<PluginSchedule>(&PLUGIN_SCHEDULES).unwrap_or_default();
    let count =
        schedules.iter().filter(|one| one.last_run_text.contains("PluginServerRequestTimedOut")).count();
    if count == 0 { String::new() } else { format!(" ({count} schedules of module services timed out)") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(cache: Value) -> Case {
        Case::of(&CONNECTED)
            .object(&SERVER_INFO, json!({"Diagnostics": {"Module_Cache": cache}}))
            .object(
                &SERVER_HEALTH,
                json!({"servers": {
                "tanium_servers": [{"name": "ts1", "timestamp": "2026-06-30T12:00:00Z"}],
                "module_servers": [{"name": "ms1", "timestamp": "2026-06-30T11:30:00Z"}]}}),
            )
            .rows(&PLUGIN_SCHEDULES, json!([]))
    }

    fn healthy() -> Value {
        json!({"10.0.0.5:17477_Connected": "Success", "10.0.0.5:17477_Last_Load_Plugins_Attempt": "Success",
               "10.0.0.5:17477_Module_Count": 71, "10.0.0.5:17477_Certificate": {}})
    }

    #[test]
    fn success_everywhere_passes() {
        case(healthy()).judge().assert_pass();
    }

    #[test]
    fn anything_but_success_is_found() {
        for (key, value) in [
            ("10.0.0.5:17477_Connected", json!("Connection refused")),
            ("10.0.0.5:17477_Connected", json!(null)),
        ] {
            let mut cache = healthy();
            cache[key] = value;
            case(cache).judge().assert_findings(&[key]);
        }
    }

    #[test]
    fn a_late_health_report_is_found_even_without_diagnostics() {
        let late = json!({"servers": {"tanium_servers": [{"name": "ts1", "timestamp": "2026-06-30T12:00:00Z"}],
            "module_servers": [{"name": "ms1", "timestamp": "2026-06-30T10:30:00Z"}]}});
        let case = case(healthy()).object(&SERVER_HEALTH, late);
        case.judge().assert_findings(&["ms1 health"]);
        case.unavailable(&SERVER_INFO, Outcome::NoPermission).judge().assert_findings(&["ms1 health"]);
    }

    #[test]
    fn diagnostics_without_a_module_server_decide_nothing() {
        case(json!({})).judge().assert_undecided(Outcome::NotEvaluated);
        let refused = case(healthy()).unavailable(&SERVER_INFO, Outcome::NoPermission);
        refused.judge().assert_undecided(Outcome::NoPermission);
    }
}
