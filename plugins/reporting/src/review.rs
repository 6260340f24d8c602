//! Guide: *Review and remediate Tanium Reporting issues*, page 32. Beside what the platform shows of every module, the
//! API Gateway shows whether Reporting lists its reports.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{PACKAGES, SCHEDULED_ACTIONS};
use tancheck_plugin_api::records::reports::REPORTS;
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, SERVER_INFO};
use tancheck_plugin_api::templates::{module_health, module_review};

/// Reporting works without open issues.
pub(crate) const REVIEW: Check =
    module_review("reporting.health-review", &[guide("Review and remediate Tanium Reporting issues", 32)])
        .reads(&[&PLUGIN_SCHEDULES, &SERVER_INFO, &SCHEDULED_ACTIONS, &PACKAGES, &REPORTS])
        .what(
            "Asks Reporting for the list of its reports through the API Gateway; an error is a finding. Looks for \
             schedules, scheduled actions and packages of Reporting that are not in order. Clean, it still asks a person \
             once a month to work through the troubleshooting chapter.",
        )
        .related(&["reporting.report-errors", "health-check.module-server-connected"])
        .judge(review);

fn review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let looked = module_health::look(facts, report);
    let listed = lists_reports(facts, report);
    let reasons: Vec<String> =
        [looked, listed].into_iter().filter_map(|part| Some(part.err()?.reason)).collect();
    settle(&reasons)
}

fn lists_reports(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    match facts.body(&REPORTS) {
        Err(why) if why.is_gateway_error() => {
            report.finding(
                Finding::on(Subject::new("service", "reporting", "the Reporting service"))
                    .says(format!("does not list its reports: {}", why.reason))
                    .expected("a list of reports")
                    .confirms("not answering")
                    .evidence(facts.seen(&REPORTS, "reports")),
            );
            Ok(())
        }
        listed => listed.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Unavailable;
    use tancheck_plugin_api::outcome::GATEWAY_ERROR;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case() -> Case {
        Case::of(&REVIEW)
            .titled("Reporting")
            .rows(&PLUGIN_SCHEDULES, json!([]))
            .object(&SERVER_INFO, json!({"Diagnostics": {}}))
            .rows(&SCHEDULED_ACTIONS, json!([]))
            .rows(&PACKAGES, json!([]))
            .rows(&REPORTS, json!([]))
    }

    #[test]
    fn a_service_that_lists_its_reports_is_clean() {
        case().judge().assert_pass();
        case().assert_needs_its_inputs();
    }

    #[test]
    fn an_error_is_found_and_a_refusal_is_not() {
        let reason = format!("Gateway query for reports: {GATEWAY_ERROR} (timed out)");
        let failed = Body::Unavailable(Unavailable { outcome: Outcome::NotEvaluated, reason });
        case().body(&REPORTS, failed).judge().assert_findings(&["reporting"]);
        case().unavailable(&REPORTS, Outcome::NoPermission).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
