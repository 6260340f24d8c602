//! Everything else: the service, and the issues that its own page shows.

use crate::inputs::{HEALTH_STATUS, Issue};
use crate::{GUIDE, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, PluginSchedule};
use tancheck_plugin_api::templates::module_health::report_schedules;

const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody looks through the workbench for issues");

/// Nothing else is wrong with Threat Response.
pub(crate) const OTHER_ISSUES: Check = Check::hybrid("threat-response.other-issues")
    .title("No other Threat Response issues")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&PLUGIN_SCHEDULES, &HEALTH_STATUS])
    .due_every(&DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Looks at the schedules by which the server calls the module's service, and at the exported issues of the page Health Status where there are some. It also wants somebody to look through the workbench every `due_every_days`.")
    .why("Issues of the service itself show on none of the other panels.")
    .limits("The page Health Status has no public route. Open alerts are the module's work, not its illness, and do not count.")
    .related(&["health-check.module-server-connected"])
    .remedy(&REMEDY)
    .judge(other_issues);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Threat Response > Management > Health Status",
        "look through the issues and their suggested actions",
    ),
    Step::consult(
        "Threat Response User Guide: Troubleshooting",
        "look up {subject}; Reference: Common health check issues lists what is known",
    ),
    Step::command(
        "tancheck attest threat-response.other-issues --result done",
        "records that the workbench was looked through",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Threat Response User Guide: Troubleshooting",
    "Threat Response User Guide: Reference: Common health check issues",
]);

fn other_issues(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if let Ok(issues) = facts.rows::<Issue>(&HEALTH_STATUS) {
        for issue in issues.iter().filter(|issue| !issue.issue.trim().is_empty()) {
            let key = format!("{}: {}", issue.component.trim(), issue.issue.trim());
            let count = issue.endpoints.unwrap_or(1.0) as u64;
            report.finding(
                Finding::on(Subject::new("issue", key.to_lowercase(), &key))
                    .says(format!("concerns {count} endpoints"))
                    .expected("no issue")
                    .affected(count, None)
                    .evidence(facts.seen(&HEALTH_STATUS, &key)),
            );
        }
    }
    let schedules: Vec<PluginSchedule> = facts.rows(&PLUGIN_SCHEDULES)?;
    report_schedules(facts, report, schedules.iter().filter(|schedule| is_ours(schedule)));
    Ok(())
}

fn is_ours(schedule: &PluginSchedule) -> bool {
    let names =
        [&schedule.name, &schedule.plugin_bundle, &schedule.plugin_name].map(|name| name.to_lowercase());
    names.iter().any(|name| name.contains("threat") || name.contains("detect"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(schedule: Value) -> Case {
        Case::of(&OTHER_ISSUES)
            .rows(&PLUGIN_SCHEDULES, json!([schedule, {"id": 9, "name": "Patch", "last_exit_code": 1}]))
    }

    #[test]
    fn the_schedules_of_the_module_have_to_run() {
        case(json!({"id": 4, "name": "Threat Response Service", "enabled": true})).judge().assert_pass();
        case(json!({"id": 4, "name": "x", "plugin_bundle": "detect3", "last_exit_code": 4_294_967_295_u64}))
            .judge()
            .assert_findings(&["4"]);
        case(json!({"id": 4, "name": "Threat Response Service"})).assert_needs_its_inputs();
    }

    #[test]
    fn issues_of_the_health_page_are_findings() {
        let case = case(json!({"id": 4, "name": "Threat Response Service"})).rows(
            &HEALTH_STATUS,
            json!([{"Component": "Recorder", "Issue": "Disk Full", "Endpoints": 7, "Action": ""},
                   {"Component": "Index", "Issue": "", "Endpoints": 0, "Action": ""}]),
        );
        let verdict = case.judge();
        verdict.assert_findings(&["recorder: disk full"]);
        assert_eq!(verdict.findings()[0].affected.clone().unwrap().count, 7);
    }
}
