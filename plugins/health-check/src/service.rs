//! Guide: *Review and remediate Tanium Health Check issues*, page 28: does Health Check itself work?

use crate::inputs::{Newest, TPAN_FINDINGS, TPAN_MAX_AGE_DAYS, TPAN_REPORTS};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, PluginSchedule};
use tancheck_plugin_api::templates::module_health::report_schedules;

const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("service_review_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody looks over Health Check's own issues")
    .from_guide();

/// Health Check itself works.
pub(crate) const REVIEW: Check = Check::hybrid("health-check.service-review")
    .title("Health Check itself works")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&PLUGIN_SCHEDULES, &TPAN_REPORTS, &TPAN_FINDINGS])
    .settings(&[&TPAN_MAX_AGE_DAYS])
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide("Review and remediate Tanium Health Check issues", 28)])
    .what("Looks for enabled schedules of the TPAN or Health Check service whose last run failed or is overdue, and for a TPAN report that is overdue. Clean, it still asks a person once a month to look over the Health Check page.")
    .why("A tool that is silently broken reports nothing, which looks like health.")
    .limits("Health Check has no public route for its own state: schedules are recognised by the words tpan and health in their names, and there may be none.")
    .related(&["health-check.tpan-report-age"])
    .remedy(&REMEDY)
    .judge(service_review);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Shared Services > Health Check",
        "look for errors and for reports that were not made",
    ),
    Step::consult("Health Check User Guide: Troubleshooting Health Check", "follow it for what you found"),
    Step::command("tancheck attest health-check.service-review --result done", "records the monthly review"),
])
.who("a user holding the Health Check role permissions named in the Health Check user guide")
.references(&["Health Check User Guide: Troubleshooting Health Check"]);

/// Schedules that call the TPAN or Health Check service.
pub(crate) fn tpan_schedules(facts: &Facts<'_>) -> Result<Vec<PluginSchedule>, Undecided> {
    let schedules: Vec<PluginSchedule> = facts.rows(&PLUGIN_SCHEDULES)?;
    let is_ours = |schedule: &PluginSchedule| {
        let names =
            [&schedule.name, &schedule.plugin_bundle, &schedule.plugin_name].map(|name| name.to_lowercase());
        names.iter().any(|name| name.contains("tpan") || name.contains("health"))
    };
    Ok(schedules.into_iter().filter(is_ours).collect())
}

fn service_review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    report_schedules(facts, report, &tpan_schedules(facts)?);
    let limit = facts.integer(&TPAN_MAX_AGE_DAYS)?;
    if let Ok(Some(newest)) = Newest::of(facts).and_then(Newest::certain)
        && facts.days_since(newest) > limit
    {
        report.finding(
            Finding::on(Subject::new("module", "tpan-report", "the latest TPAN report"))
                .says(format!("is {} days old: no report was made in its interval", facts.days_since(newest)))
                .expected(format!("a report of the last {limit} days"))
                .confirms(newest.to_string())
                .evidence(facts.seen(&TPAN_REPORTS, newest)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(schedule: Value) -> Case {
        Case::of(&REVIEW).rows(&PLUGIN_SCHEDULES, json!([schedule]))
    }

    #[test]
    fn failed_runs_of_our_schedules_are_found() {
        let failed =
            json!({"id": 4, "name": "TPAN report", "enabled": true, "last_exit_code": 4_294_967_295_u64});
        case(failed).judge().assert_findings(&["4"]);
        let error =
            json!({"id": 4, "plugin_name": "health-check", "enabled": 1, "last_run_text": "ERROR: x"});
        case(error).judge().assert_findings(&["4"]);
    }

    #[test]
    fn good_foreign_and_disabled_schedules_pass() {
        case(json!({"id": 4, "name": "TPAN", "enabled": true, "last_exit_code": 0})).judge().assert_pass();
        case(json!({"id": 5, "name": "Trends", "enabled": true, "last_exit_code": 1})).judge().assert_pass();
        case(json!({"id": 4, "name": "TPAN", "enabled": false, "last_exit_code": 1})).judge().assert_pass();
    }

    #[test]
    fn an_overdue_report_is_found() {
        let case = case(json!({"id": 9})).rows(&TPAN_REPORTS, json!([{"report_time": "2026-06-01"}]));
        case.judge().assert_findings(&["tpan-report"]);
    }

    #[test]
    fn without_schedules_nothing_is_decided() {
        let refused = case(json!({"id": 9})).unavailable(&PLUGIN_SCHEDULES, Outcome::NoPermission);
        refused.judge().assert_undecided(Outcome::NoPermission);
    }
}
