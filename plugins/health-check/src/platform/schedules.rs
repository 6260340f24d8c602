//! Schedules of module services that fail or stand still.

use super::{SERVER_GUIDE, SERVER_WHO, beyond};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, PluginSchedule};

/// Schedules run.
pub(crate) const SCHEDULE_FAILED: Check = beyond("health-check.plugin-schedule-failed", Severity::Medium)
    .title("The schedules of all module services run")
    .reads(&[&PLUGIN_SCHEDULES])
    .what("Looks at each enabled schedule by which the server calls a module's service: its last run must not have failed (exit code, or a text that begins with ERROR), and three of its intervals must not have gone by without one. One finding for each service.")
    .why("What a module does by itself hangs on these schedules: imports, clean-up, the runs of connections. They fail without a word in the Console.")
    .limits("A schedule that runs at some hours or days only is never called late.")
    .related(&["health-check.module-server-connected", "health-check.module-load-attempt", "health-check.schedule-owner-gone"])
    .remedy(&REMEDY)
    .judge(plugin_schedule_failed);

const REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "the Module Server is not connected, or loaded no modules",
        "repair that first: see health-check.module-server-connected and health-check.module-load-attempt",
    ),
    Step::consult("the log of {subject} on the Module Server", "look for the time of the failed run"),
    Step::consult("the user guide of the module, troubleshooting chapter", "follow it for what the log says"),
    Step::support("if it keeps failing: bring the module's support bundle"),
])
.who(SERVER_WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[SERVER_GUIDE]);

fn plugin_schedule_failed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let schedules: Vec<PluginSchedule> = facts.rows(&PLUGIN_SCHEDULES)?;
    let mut broken: BTreeMap<String, Vec<(&PluginSchedule, String)>> = BTreeMap::new();
    for schedule in schedules.iter().filter(|schedule| schedule.is_active()) {
        if let Some(why) = trouble(facts, schedule) {
            let service = format!("{}/{}", schedule.plugin_bundle, schedule.plugin_name);
            broken.entry(service).or_default().push((schedule, why));
        }
    }
    let total = schedules.iter().filter(|schedule| schedule.is_active()).count() as u64;
    for (service, broken) in broken {
        let says: Vec<String> =
            broken.iter().take(3).map(|(one, why)| format!("{}: {why}", one.name)).collect();
        report.finding(
            Finding::on(Subject::new("module service", &service, service.trim_start_matches("products/")))
                .says(says.join("; "))
                .expected("a last run in time, with exit code 0")
                .affected(broken.len() as u64, Some(total))
                .sample(broken.iter().map(|(one, _)| one.name.as_str()))
                .evidence(
                    facts.seen(&PLUGIN_SCHEDULES, broken.iter().map(|(one, _)| &one.id).collect::<Vec<_>>()),
                ),
        );
    }
    Ok(())
}

/// Why a schedule counts as broken.
fn trouble(facts: &Facts<'_>, schedule: &PluginSchedule) -> Option<String> {
    let late = || Some(format!("has not run for {} minutes", schedule.overdue(facts.now())?.as_mins()));
    schedule.failure().or_else(late)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(changes: Value) -> Case {
        let mut schedule = json!({"id": 4, "name": "Connect Service", "plugin_bundle": "products", "plugin_name": "connect",
            "enabled": true, "last_exit_code": 0, "last_run_text": "", "last_run_time": "2026-06-30T11:30:00Z",
            "run_interval_seconds": 3600});
        schedule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Case::of(&SCHEDULE_FAILED).rows(&PLUGIN_SCHEDULES, json!([schedule]))
    }

    #[test]
    fn schedules_that_run_pass() {
        case(json!({})).judge().assert_pass();
        case(json!({})).assert_needs_its_inputs();
        case(json!({"enabled": false, "last_exit_code": 1})).judge().assert_pass();
        case(json!({"deleted_flag": true, "last_exit_code": 1})).judge().assert_pass();
    }

    #[test]
    fn failed_and_late_ones_are_found_once_for_each_service() {
        case(json!({"last_exit_code": 4_294_967_295_u64})).judge().assert_findings(&["products/connect"]);
        case(json!({"last_run_text": "ERROR: x"})).judge().assert_findings(&["products/connect"]);
        case(json!({"last_run_time": "2026-06-30T08:00:00Z"})).judge().assert_findings(&["products/connect"]);
        let one = |id: u32| {
            json!({"id": id, "name": format!("job {id}"), "plugin_bundle": "products", "plugin_name": "patch",
                                 "enabled": 1, "last_exit_code": id})
        };
        let both =
            Case::of(&SCHEDULE_FAILED).rows(&PLUGIN_SCHEDULES, json!([one(1), one(2), one(0)])).judge();
        both.assert_findings(&["products/patch"]);
        assert_eq!(
            both.findings()[0].affected.as_ref().map(|them| (them.count, them.of)),
            Some((2, Some(3)))
        );
    }
}
