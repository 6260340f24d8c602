//! Guide: *Review and remediate Tanium API Gateway issues*, page 17: does the Gateway answer?

use crate::tokens::GUIDE;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SERVER_INFO;

/// The Gateway's own clock: the simplest query there is.
pub(crate) const NOW: Input =
    Input::new("api-gateway.now", "the time by the API Gateway").sources(&[Source::gateway(
        "now",
        "query { now }",
    )
    .value()
    .needs(&["gateway use api", "show api gateway"])]);

/// The clocks may differ by so many seconds before it is worth a word.
const CLOCK_TOLERANCE: i64 = 300;

const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("review_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody looks over the issues of API Gateway")
    .from_guide();

/// `api-gateway.service-review`
pub(crate) const REVIEW: Check = Check::hybrid("api-gateway.service-review")
    .title("API Gateway works")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&NOW, &SERVER_INFO])
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Asks the Gateway for its time. Where it answers with an error, or not at all while the server itself does, that is a finding. Clean, it still asks a person once a month to look over the Gateway's issues.")
    .why("Integrations and several modules depend on the Gateway, and rarely tell when it fails them.")
    .limits("An answer proves that the Gateway works, not every solution behind it.")
    .related(&["health-check.module-server-connected"])
    .remedy(&REMEDY)
    .judge(service_review);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "API Gateway User Guide: Troubleshooting API Gateway",
        "work through the chapter; the Gateway said: {said}",
    ),
    Step::decision(
        "the Module Server is not connected",
        "repair that first: see health-check.module-server-connected",
    ),
    Step::support(
        "bring a support bundle of API Gateway and the answer above, where the chapter does not help",
    ),
    Step::command("tancheck attest api-gateway.service-review --result done", "records the monthly review"),
])
.who("a user holding the API Gateway role permissions named in the API Gateway user guide")
.references(&["API Gateway User Guide: Troubleshooting API Gateway"]);

fn service_review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let answer = facts.value::<String>(&NOW);
    let text = match answer {
        Ok(text) => text,
        Err(trouble) => {
            let is_silent = matches!(trouble.outcome, Outcome::Unreachable | Outcome::TimedOut);
            let is_alone = is_silent && facts.body(&SERVER_INFO).is_ok();
            if !is_alone && !trouble.is_gateway_error() {
                return Err(trouble);
            }
            let says =
                if is_silent { "does not answer, while the server does" } else { "answers with an error" };
            report.finding(
                Finding::on(Subject::new("module", "api-gateway", "API Gateway"))
                    .says(format!("{says}: {}", trouble.reason))
                    .expected("an answer")
                    .confirms(says)
                    .fill("said", &trouble.reason)
                    .evidence(facts.seen(&NOW, &trouble.reason)),
            );
            return Ok(());
        }
    };
    let time = lenient::parse_time(&text).ok().flatten();
    let time =
        time.ok_or_else(|| Undecided::not_evaluated(format!("the Gateway's time {text:?} is no time")))?;
    let apart = facts.since(time).as_secs().abs();
    if apart > CLOCK_TOLERANCE {
        report.note(format!("the Gateway's clock and this machine's are {apart} seconds apart"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Unavailable;
    use tancheck_plugin_api::outcome::GATEWAY_ERROR;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn failing(outcome: Outcome, reason: &str) -> Case {
        let missing = Unavailable { outcome, reason: reason.to_owned() };
        Case::of(&REVIEW).body(&NOW, Body::Unavailable(missing)).object(&SERVER_INFO, json!({}))
    }

    #[test]
    fn a_gateway_that_answers_passes() {
        let case = |time: &str| Case::of(&REVIEW).value(&NOW, time);
        case("2026-06-30T12:00:30Z").judge().assert_pass();
        case("2026-06-30T12:00:30Z").assert_needs_its_inputs();
        let late = case("2026-06-30T13:00:00Z").judge();
        late.assert_pass();
        assert_eq!(late.notes(), ["the Gateway's clock and this machine's are 3600 seconds apart"]);
        case("yesterday").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn one_that_fails_is_found_and_one_that_refuses_is_not() {
        failing(Outcome::Unreachable, "HTTP 503").judge().assert_findings(&["api-gateway"]);
        failing(Outcome::TimedOut, "no complete answer").judge().assert_findings(&["api-gateway"]);
        failing(Outcome::NotEvaluated, GATEWAY_ERROR).judge().assert_findings(&["api-gateway"]);
        failing(Outcome::NoPermission, "refused").judge().assert_undecided(Outcome::NoPermission);
        failing(Outcome::NotEvaluated, "not installed").judge().assert_undecided(Outcome::NotEvaluated);
        let dark =
            failing(Outcome::Unreachable, "no connection").unavailable(&SERVER_INFO, Outcome::Unreachable);
        dark.judge().assert_undecided(Outcome::Unreachable);
    }
}
