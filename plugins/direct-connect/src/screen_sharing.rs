//! Screen sharing. No public route, field or sensor tells of it.

use crate::{DUE_EVERY_DAYS, GUIDE, WHO};
use tancheck_plugin_api::prelude::*;

const STATE: Input = Input::new("direct-connect.screen-sharing-state", "whether screen sharing works")
    .sources(&[Source::answer(
        "how is screen sharing by Direct Connect: it works, people report problems, or nobody uses it",
        Accepts::Choice(&["works", "problems", "not used"]),
        31,
    )]);

/// Screen sharing works.
pub(crate) const SCREEN_SHARING: Check = Check::hybrid("direct-connect.screen-sharing")
    .title("Screen sharing works")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&STATE])
    .due_every(&DUE_EVERY_DAYS)
    .guide(GUIDE)
    .applies("screen sharing used")
    .what("Asks people how screen sharing does: problems are a finding. It also wants somebody to look for issues every `due_every_days`.")
    .why("Screen sharing is used while a person waits for help.")
    .limits("No public route, field or sensor tells of screen sharing: the answer is all there is.")
    .related(&["direct-connect.connections"])
    .remedy(&REMEDY)
    .judge(screen_sharing);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the people who reported the problems", "which endpoint, when, and what they saw"),
    Step::consult(
        "Direct Connect User Guide: Troubleshooting Direct Connect",
        "work through what it says of screen sharing",
    ),
    Step::command("tancheck answer direct-connect.screen-sharing-state works", "once it works again"),
    Step::command(
        "tancheck attest direct-connect.screen-sharing --result done",
        "records that somebody looked for issues",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Troubleshooting Direct Connect"]);

fn screen_sharing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let answer = facts.answer(&STATE)?;
    match answer.value.as_str().unwrap_or_default() {
        "works" => Ok(()),
        "not used" => Err(Undecided::not_applicable("screen sharing is not used")),
        "problems" => {
            let note = if answer.note.is_empty() { String::new() } else { format!(": {}", answer.note) };
            report.finding(
                Finding::on(Subject::deployment())
                    .says(format!("people report problems with screen sharing{note}"))
                    .expected("no problems")
                    .evidence(facts.seen(&STATE, &answer.value)),
            );
            Ok(())
        }
        other => Err(Undecided::not_evaluated(format!(
            "the answer {other:?} is not one of works, problems, not used"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn the_answer_decides() {
        let case = |answer: &str| Case::of(&SCREEN_SHARING).answer(&STATE, answer);
        case("works").judge().assert_pass();
        case("works").assert_needs_its_inputs();
        case("problems").judge().assert_findings(&["deployment"]);
        case("not used").judge().assert_undecided(Outcome::NotApplicable);
        case("perhaps").judge().assert_undecided(Outcome::NotEvaluated);
    }
}
