//! Guide: *Review and remediate Tanium Certificate Manager issues*, page 19: the panel Certificate Manager Coverage.

use crate::GUIDE;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::ASK;
use tancheck_plugin_api::templates::Panel;

const OVERVIEW: &str = "Modules > Certificate Manager > Overview";

const ENDPOINTS: Input = Input::new(
    "certificate-manager.coverage-needs-attention",
    "endpoints at Needs Attention in the panel Certificate Manager Coverage",
)
.sources(&[
    Source::question("Get {setting:coverage_sensor} from all machines").needs(ASK),
    Source::export(
        "certificate-manager-coverage.csv",
        OVERVIEW,
        "in the section Overview, click the number at Needs Attention in the panel Certificate Manager Coverage, and \
         export the results with these columns",
        &["Computer Name", "Operating System", "IP Address", "Coverage Status"],
    ),
    Source::answer(
        "Which number stands at Needs Attention in the panel Certificate Manager Coverage? (Modules > Certificate \
         Manager > Overview)",
        Accepts::Number,
        30,
    ),
]);

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 10_000_000)
    .unit("endpoints")
    .about("how many endpoints may need attention");

const COVERAGE_SENSOR: Setting = Setting::text("coverage_sensor", None).about(
    "the sensor behind the panel Certificate Manager Coverage, as the Console names it when its number is clicked; the \
     vendor does not document it",
);

const FINE_STATES: Setting = Setting::list("fine_states", &[])
    .about("texts of the coverage status that mean that an endpoint needs no attention");

const PANEL: Panel = Panel::new(&ENDPOINTS, "coverage", "Certificate Manager Coverage", "need attention")
    .state("Coverage Status", &["Needs Attention"], &[])
    .accepting(&FINE_STATES)
    .covering("certificate-manager.tools-coverage")
    .grouped_by(&["Operating System"]);

/// Certificate Manager covers the endpoints.
pub(crate) const COVERAGE: Check = Check::automated("certificate-manager.coverage")
    .title("Certificate Manager covers the endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&ENDPOINTS])
    .settings(&[&MAX_ENDPOINTS, &COVERAGE_SENSOR, &FINE_STATES])
    .guide(GUIDE)
    .what("Counts the endpoints that the panel Certificate Manager Coverage shows at Needs Attention, and compares with `max_endpoints`.")
    .why("What Certificate Manager does not cover, it does not know: a certificate there can expire without notice.")
    .limits("The panel has no public route: an exported list or the number that somebody read off decides, or the sensor that `coverage_sensor` names. Texts of the status beside Needs Attention are not documented: one that `fine_states` does not name is shown and decides nothing. Why an endpoint needs attention is not in it.")
    .related(&["endpoint-configuration.tools-status"])
    .remedy(&REMEDY)
    .judge(|facts, report| PANEL.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?));

const REMEDY: Remedy = Remedy::new(&[
    Step::console(OVERVIEW, "click the number at Needs Attention in the panel Certificate Manager Coverage: the endpoints are listed"),
    Step::consult(
        "Certificate Manager User Guide: Monitor and troubleshoot Certificate Manager Coverage",
        "find what the listed endpoints have in common (operating system, action group, tools), and follow the chapter",
    ),
    Step::decision(
        "the tools of Certificate Manager are missing on them",
        "look at the Endpoint Configuration tools of these endpoints first",
    ),
    Step::console(OVERVIEW, "see that the number falls; export the list again or answer the new number"),
])
.who("a user holding the Certificate Manager role permissions named in the Certificate Manager user guide")
.risk(Risk::Low, Reversible::Yes)
.references(&["Certificate Manager User Guide: Monitor and troubleshoot Certificate Manager Coverage"]);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(states: &[&str]) -> Case {
        let row = |state: &&str| json!({"Computer Name": "pc1", "Operating System": "Windows 11", "Coverage Status": state});
        Case::of(&COVERAGE).rows(&ENDPOINTS, states.iter().map(row).collect::<Vec<Value>>().into())
    }

    #[test]
    fn endpoints_that_need_attention_are_found() {
        case(&[]).judge().assert_pass();
        case(&["Needs Attention"]).judge().assert_findings(&["coverage"]);
        case(&["Needs Attention"]).setting("max_endpoints", 1).judge().assert_pass();
        Case::of(&COVERAGE).answer(&ENDPOINTS, 0).judge().assert_pass();
        Case::of(&COVERAGE).answer(&ENDPOINTS, 7).judge().assert_findings(&["coverage"]);
    }

    #[test]
    fn the_coverage_is_kept_where_endpoints_were_asked() {
        let asked = Case::of(&COVERAGE).setting("fine_states", json!(["Optimal"]));
        let verdict = asked.tally(&ENDPOINTS, "Status", &[("Optimal", 3), ("Needs Attention", 1)]).judge();
        let series = "certificate-manager.tools-coverage";
        let covered = verdict.measures().iter().find(|measure| measure.series == series);
        assert_eq!(covered.unwrap().value, 75.0);
    }

    #[test]
    fn what_is_not_known_is_not_healthy() {
        case(&["Optimal"]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&["Optimal"]).setting("fine_states", json!(["Optimal"])).judge().assert_pass();
        case(&[]).assert_needs_its_inputs();
    }
}
