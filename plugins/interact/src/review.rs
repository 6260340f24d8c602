//! Guide: *Review and remediate Tanium Interact issues*, page 29. Beside what the platform shows of every module, the
//! API Gateway shows whether Interact's data service answers.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{PACKAGES, SCHEDULED_ACTIONS};
use tancheck_plugin_api::records::server::{CLIENT_COUNT, PLUGIN_SCHEDULES, SERVER_INFO};
use tancheck_plugin_api::templates::{module_health, module_review};

const GATEWAY: &[&str] = &["gateway use api", "read sensor"];

/// How many endpoints the data service knows.
const DATA_SERVICE: Input =
    Input::new("interact.data-service", "the number of endpoints that Interact's data service knows").sources(&[
        Source::gateway(
            "endpoints",
            "query TancheckDataService { endpoints(first: 1) { totalRecords collectionInfo { active success respondedTotal } } }",
        )
        .object()
        .needs(GATEWAY),
    ]);

#[derive(Deserialize)]
struct Endpoints {
    #[serde(default, rename = "totalRecords", deserialize_with = "lenient::number")]
    total: Option<f64>,
}

/// Interact works without open issues.
pub(crate) const REVIEW: Check =
    module_review("interact.health-review", &[guide("Review and remediate Tanium Interact issues", 29)])
        .reads(&[&PLUGIN_SCHEDULES, &SERVER_INFO, &SCHEDULED_ACTIONS, &PACKAGES, &DATA_SERVICE, &CLIENT_COUNT])
        .what(
            "Asks Interact's data service through the API Gateway for the number of endpoints it knows; an error, or \
             none while clients are registered, is a finding. Looks for schedules, scheduled actions and packages of \
             Interact that are not in order. Clean, it still asks a person once a month to work through the \
             troubleshooting chapter.",
        )
        .related(&["api-gateway.service-review", "health-check.module-server-connected"])
        .judge(review);

fn review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let looked = module_health::look(facts, report);
    let answered = data_service(facts, report);
    let reasons: Vec<String> =
        [looked, answered].into_iter().filter_map(|part| Some(part.err()?.reason)).collect();
    settle(&reasons)
}

fn data_service(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let says = match facts.object::<Endpoints>(&DATA_SERVICE) {
        Err(why) if why.is_gateway_error() => format!("does not answer: {}", why.reason),
        Err(why) => return Err(why),
        Ok(Endpoints { total: Some(total) }) if total > 0.0 => return Ok(()),
        Ok(Endpoints { total: None }) => {
            return Err(Undecided::not_evaluated("the API Gateway told no number of endpoints"));
        }
        Ok(Endpoints { total: Some(_) }) => {
            let clients: f64 = facts.value(&CLIENT_COUNT)?;
            if clients <= 0.0 {
                return Ok(());
            }
            format!("knows no endpoint, while {clients} clients are registered")
        }
    };
    report.finding(
        Finding::on(Subject::new("service", "data-service", "the data service of Interact"))
            .says(says)
            .expected("an answer with the registered endpoints")
            .confirms("not answering")
            .evidence(facts.seen(&DATA_SERVICE, "totalRecords")),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Unavailable;
    use tancheck_plugin_api::outcome::GATEWAY_ERROR;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(endpoints: u32, clients: u32) -> Case {
        Case::of(&REVIEW)
            .titled("Interact")
            .rows(&PLUGIN_SCHEDULES, json!([]))
            .object(&SERVER_INFO, json!({"Diagnostics": {}}))
            .rows(&SCHEDULED_ACTIONS, json!([]))
            .rows(&PACKAGES, json!([]))
            .object(&DATA_SERVICE, json!({"totalRecords": endpoints}))
            .value(&CLIENT_COUNT, clients)
    }

    #[test]
    fn a_service_that_knows_endpoints_is_clean() {
        case(490, 500).judge().assert_pass();
        case(0, 0).judge().assert_pass();
    }

    #[test]
    fn a_service_without_endpoints_or_with_errors_is_found() {
        case(0, 500).judge().assert_findings(&["data-service"]);
        let reason = format!("Gateway query for endpoints: {GATEWAY_ERROR} (timed out)");
        let failed = Body::Unavailable(Unavailable { outcome: Outcome::NotEvaluated, reason });
        case(1, 1).body(&DATA_SERVICE, failed).judge().assert_findings(&["data-service"]);
    }

    #[test]
    fn a_service_that_may_not_be_asked_is_no_finding() {
        let refused = case(1, 1).unavailable(&DATA_SERVICE, Outcome::NoPermission);
        refused.judge().assert_undecided(Outcome::NotEvaluated);
        case(0, 500)
            .unavailable(&CLIENT_COUNT, Outcome::Unreachable)
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }
}
