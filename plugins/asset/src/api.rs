//! Beyond the guide: whether the Asset service answers at all.

use crate::WHO;
use tancheck_plugin_api::prelude::*;

/// `GET /plugin/products/asset/status`; no permission is needed, and no body is documented.
const STATUS: Input = Input::new("asset.status", "whether the Asset service answers")
    .sources(&[Source::service("asset", "/status").object()]);

/// The Asset service answers.
pub(crate) const DOWN: Check = Check::automated("asset.api-down")
    .beyond()
    .title("The Asset service answers")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&STATUS])
    .what("Asks the Asset service for its status. That it cannot be reached or fails is a finding.")
    .why("While the service is down nothing is imported, exported or reported.")
    .limits("The body of the answer is not documented: that the service answers is all that is judged.")
    .related(&["health-check.module-server-connected"])
    .remedy(&REMEDY)
    .judge(down);

const REMEDY: Remedy = Remedy::new(&[
    Step::decision("other modules do not answer either", "begin with health-check.module-server-connected"),
    Step::console("Modules > Asset > Overview", "see whether the workbench opens, and what it says"),
    Step::consult(
        "Asset User Guide: Troubleshooting Asset",
        "look into the log of the service on the Module Server",
    ),
    Step::support("bring a support bundle of Asset, if the service does not start"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

fn down(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    match facts.body(&STATUS) {
        Ok(_) => Ok(()),
        Err(why) if why.outcome == Outcome::Unreachable => {
            report.finding(
                Finding::on(Subject::new("service", "asset", "Asset"))
                    .says(format!("does not answer: {}", why.reason))
                    .expected("an answer")
                    .evidence(facts.seen(&STATUS, "no answer")),
            );
            Ok(())
        }
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn only_a_service_that_fails_is_down() {
        Case::of(&DOWN).object(&STATUS, json!({})).judge().assert_pass();
        Case::of(&DOWN).unavailable(&STATUS, Outcome::Unreachable).judge().assert_findings(&["asset"]);
        Case::of(&DOWN)
            .unavailable(&STATUS, Outcome::NoPermission)
            .judge()
            .assert_undecided(Outcome::NoPermission);
    }
}
