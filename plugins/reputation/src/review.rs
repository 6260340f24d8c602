//! What remains of the board Reputation, and whether the service answers.

use crate::{BOARD, GUIDE, WHO, WITH_TRENDS, board_is_there};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{PACKAGES, SCHEDULED_ACTIONS};
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, SERVER_INFO, SOLUTIONS};
use tancheck_plugin_api::templates::{module_health, module_review};

/// Whether the service answers at all: the list of custom reputations, searched for the hash of an empty file. The
/// vendor does not describe the route; public clients use it.
const SERVICE: Input =
    Input::new("reputation.service", "an answer of the Reputation service").sources(&[Source::service(
        "reputation",
        "/v3/reputations/custom?search=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    .needs(&["reputation read"])]);

/// The other panels show nothing that needs attention.
pub(crate) const REVIEW: Check = module_review("reputation.board-review", GUIDE)
    .title("The other panels of Reputation show nothing that needs attention")
    .reads(&[&PLUGIN_SCHEDULES, &SERVER_INFO, &SCHEDULED_ACTIONS, &PACKAGES, &SERVICE, &SOLUTIONS])
    .what("Asks the Reputation service for something harmless; no answer while the Module Server is in order is a finding. Looks for schedules, scheduled actions and packages of Reputation that are not in order. Clean, it still asks a person once a month to look at the other panels of the board.")
    .limits("The panels have no public route, so their review is attested. The route that shows whether the service answers is known from public clients only; where it is refused or unknown, a review that is in date decides.")
    .related(&["reputation.failed-requests", "reputation.processing-backlog", "trends.required-boards"])
    .applies(WITH_TRENDS)
    .remedy(&REMEDY)
    .judge(review);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        BOARD,
        "look at every panel beside Failed Outbound API Requests and the three of the queue",
    ),
    Step::consult(
        "Reputation User Guide: Troubleshooting Reputation",
        "follow it for what you found, and collect logs for a support package where it does not help",
    ),
    Step::command(
        "tancheck attest reputation.board-review --result done",
        "records the monthly review; with `--result problem` and a note, what stays open",
    ),
])
.who(WHO)
.references(&["Reputation User Guide: Troubleshooting Reputation"]);

fn review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    board_is_there(facts)?;
    let looked = module_health::look(facts, report);
    let answered = service(facts, report);
    let reasons: Vec<String> =
        [looked, answered].into_iter().filter_map(|part| Some(part.err()?.reason)).collect();
    settle(&reasons)
}

fn service(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Err(why) = facts.body(&SERVICE) else { return Ok(()) };
    // Where the platform itself does not answer either, the service is not to blame.
    let is_silent = matches!(why.outcome, Outcome::Unreachable | Outcome::TimedOut)
        && facts.body(&PLUGIN_SCHEDULES).is_ok();
    if !is_silent {
        return Err(why);
    }
    report.finding(
        Finding::on(Subject::new("service", "reputation", "the Reputation service"))
            .says(format!("does not answer: {}", why.reason))
            .expected("an answer")
            .confirms("silent")
            .evidence(facts.seen(&SERVICE, why.outcome)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case() -> Case {
        Case::of(&REVIEW)
            .titled("Reputation")
            .rows(&PLUGIN_SCHEDULES, json!([]))
            .object(&SERVER_INFO, json!({"Diagnostics": {}}))
            .rows(&SCHEDULED_ACTIONS, json!([]))
            .rows(&PACKAGES, json!([]))
            .rows(&SERVICE, json!([]))
    }

    #[test]
    fn a_service_that_answers_is_clean() {
        case().judge().assert_pass();
        case().assert_needs_its_inputs();
        case().rows(&SOLUTIONS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn a_silent_service_is_found_and_a_refusal_is_not() {
        case().unavailable(&SERVICE, Outcome::Unreachable).judge().assert_findings(&["reputation"]);
        case().unavailable(&SERVICE, Outcome::NoPermission).judge().assert_undecided(Outcome::NotEvaluated);
        let all = case()
            .unavailable(&SERVICE, Outcome::Unreachable)
            .unavailable(&PLUGIN_SCHEDULES, Outcome::Unreachable);
        all.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
