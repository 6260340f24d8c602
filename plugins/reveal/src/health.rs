//! Guide: *Review and remediate Tanium Reveal issues*, page 33: two panels of the dashboard Health. The panel Endpoint
//! Status says Attention Needed where its chapter says Needs Attention: both are the same state.

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::ASK;
use tancheck_plugin_api::templates::Panel;

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Reveal issues", 33)];
const OVERVIEW: &str = "Modules > Reveal > Overview";
const WHO: &str = "a user holding the Reveal role permissions named in the Reveal user guide";
const NEEDS_ATTENTION: &[&str] = &["Needs Attention", "Attention Needed"];
const LIMITS: &str = "The panel has no public route: an exported list or the number that somebody read off decides, or the sensor that the site names. States other than Needs Attention are not documented; one that `fine_states` does not name is shown and decides nothing.";

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 10_000_000)
    .unit("endpoints")
    .about("how many endpoints a panel may show at Needs Attention");

const COVERAGE_SENSOR: Setting = Setting::text("coverage_sensor", None).about(
    "the sensor behind the panel Reveal Coverage, as the Console names it when its number is clicked; the vendor does not \
     document it",
);

const STATUS_SENSOR: Setting = Setting::text("status_sensor", None).about(
    "the sensor behind the panel Endpoint Status, as the Console names it when its number is clicked; the vendor does not \
     document it",
);

const FINE_STATES: Setting = Setting::list("fine_states", &[])
    .about("texts of the coverage or tools status that mean that an endpoint needs no attention");

const COVERAGE_ROWS: Input =
    Input::new("reveal.coverage", "endpoints at Needs Attention in the panel Reveal Coverage").sources(&[
        Source::question("Get {setting:coverage_sensor} from all machines").needs(ASK),
        Source::export(
            "reveal-coverage-needs-attention.csv",
            OVERVIEW,
            "on the dashboard Health, click the number above Needs Attention in the panel Reveal Coverage, and export \
             the results with these columns",
            &["Computer Name", "Operating System", "IP Address", "Reveal Coverage Status"],
        ),
        Source::answer(
            "Which number stands above Needs Attention in the panel Reveal Coverage? (Modules > Reveal > Overview, Health)",
            Accepts::Number,
            30,
        ),
    ]);

const COVERAGE_PANEL: Panel =
    Panel::new(&COVERAGE_ROWS, "reveal-coverage", "Reveal Coverage", "do not have Reveal's tools")
        .state("Reveal Coverage Status", NEEDS_ATTENTION, &[])
        .accepting(&FINE_STATES)
        .covering("reveal.tools-coverage")
        .grouped_by(&["Operating System"]);

/// Reveal's tools are installed.
pub(crate) const COVERAGE: Check = Check::automated("reveal.coverage-needs-attention")
    .title("Reveal's tools are installed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&COVERAGE_ROWS])
    .settings(&[&MAX_ENDPOINTS, &COVERAGE_SENSOR, &FINE_STATES])
    .guide(GUIDE)
    .what("Counts the endpoints at Needs Attention in the panel Reveal Coverage, and compares with `max_endpoints`.")
    .why("Where the tools are missing, sensitive data is not looked for, and the search results look cleaner than they are.")
    .limits(LIMITS)
    .related(&["endpoint-configuration.tools-status", "client-management.cx-index"])
    .remedy(&COVERAGE_REMEDY)
    .judge(|facts, report| COVERAGE_PANEL.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?));

const COVERAGE_REMEDY: Remedy = Remedy::new(&[
    Step::console(OVERVIEW, "on the dashboard Health, click the number above Needs Attention in the panel Reveal Coverage"),
    Step::decision(
        "the listed endpoints are not in the action group that gets Reveal's tools",
        "decide whether they should be, and ask whoever owns that action group",
    ),
    Step::consult("Reveal User Guide: Monitor and troubleshoot Reveal coverage", "follow it for the shown endpoints"),
    Step::console(OVERVIEW, "see that the number falls; export the list again or answer the new number"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Tools that index files use disk and processor time on an endpoint: install them in groups, not everywhere at once."])
.references(&["Reveal User Guide: Monitor and troubleshoot Reveal coverage"]);

const STATUS_ROWS: Input =
    Input::new("reveal.status", "endpoints at Attention Needed in the panel Endpoint Status").sources(&[
        Source::question("Get {setting:status_sensor} from all machines").needs(ASK),
        Source::export(
            "reveal-endpoint-status.csv",
            OVERVIEW,
            "on the dashboard Health, click the number above Attention Needed in the panel Endpoint Status, and export \
             the results with these columns",
            &["Computer Name", "Operating System", "IP Address", "Reveal Tools Status"],
        ),
        Source::answer(
            "Which number stands above Attention Needed in the panel Endpoint Status? (Modules > Reveal > Overview, Health)",
            Accepts::Number,
            30,
        ),
    ]);

const STATUS_PANEL: Panel =
    Panel::new(&STATUS_ROWS, "endpoint-status", "Endpoint Status", "have issues with Reveal's operations")
        .state("Reveal Tools Status", NEEDS_ATTENTION, &[])
        .accepting(&FINE_STATES)
        .grouped_by(&["Operating System"]);

/// Reveal operates on endpoints.
pub(crate) const STATUS: Check = Check::automated("reveal.endpoint-status")
    .title("Reveal operates on endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&STATUS_ROWS])
    .settings(&[&MAX_ENDPOINTS, &STATUS_SENSOR, &FINE_STATES])
    .guide(GUIDE)
    .what("Counts the endpoints at Attention Needed in the panel Endpoint Status, and compares with `max_endpoints`.")
    .why("Tools that are installed but do not work find nothing, which looks like clean endpoints.")
    .limits(LIMITS)
    .related(&["reveal.coverage-needs-attention", "client-management.cx-index"])
    .remedy(&STATUS_REMEDY)
    .judge(|facts, report| STATUS_PANEL.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?));

const STATUS_REMEDY: Remedy = Remedy::new(&[
    Step::console(OVERVIEW, "on the dashboard Health, click Attention Needed in the panel Endpoint Status"),
    Step::consult(
        "Reveal User Guide: Remediating \"Needs Attention\" messages from Reveal Status",
        "look up the message of each listed endpoint, and follow the chapter",
    ),
    Step::decision(
        "the index of an endpoint is not ready",
        "look at its client extension index first: Reveal rests on it",
    ),
    Step::console(OVERVIEW, "see that the number falls; export the list again or answer the new number"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Reveal User Guide: Remediating \"Needs Attention\" messages from Reveal Status"]);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn coverage(states: &[&str]) -> Case {
        let row = |state: &&str| json!({"Computer Name": "pc1", "Operating System": "Linux", "Reveal Coverage Status": state});
        Case::of(&COVERAGE).rows(&COVERAGE_ROWS, states.iter().map(row).collect::<Value>())
    }

    fn status(states: &[&str]) -> Case {
        let row = |state: &&str| json!({"Computer Name": "pc1", "Operating System": "Linux", "Reveal Tools Status": state});
        Case::of(&STATUS).rows(&STATUS_ROWS, states.iter().map(row).collect::<Value>())
    }

    #[test]
    fn both_spellings_are_the_same_state() {
        coverage(&["Needs Attention", "Attention Needed"]).judge().assert_findings(&["reveal-coverage"]);
        status(&["attention needed"]).judge().assert_findings(&["endpoint-status"]);
        coverage(&[]).judge().assert_pass();
        status(&["Attention Needed"]).setting("max_endpoints", 1).judge().assert_pass();
    }

    #[test]
    fn the_sensor_of_the_site_is_asked_where_it_is_named() {
        let asked = |counts: &[(&str, u64)]| {
            Case::of(&STATUS).setting("fine_states", json!(["Good"])).tally(&STATUS_ROWS, "Status", counts)
        };
        asked(&[("Good", 40)]).judge().assert_pass();
        let of_tools = Case::of(&COVERAGE).setting("fine_states", json!(["Good"]));
        let verdict =
            of_tools.tally(&COVERAGE_ROWS, "Coverage", &[("Good", 45), ("Needs Attention", 5)]).judge();
        let covered = verdict.measures().iter().find(|measure| measure.series == "reveal.tools-coverage");
        assert_eq!(covered.unwrap().value, 90.0);
        asked(&[("Good", 40), ("Needs Attention", 2)]).judge().assert_findings(&["endpoint-status"]);
        asked(&[("Good", 40), ("Purple", 2)]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_number_will_do() {
        Case::of(&COVERAGE).answer(&COVERAGE_ROWS, 0).judge().assert_pass();
        Case::of(&STATUS).answer(&STATUS_ROWS, 4).judge().assert_findings(&["endpoint-status"]);
    }

    #[test]
    fn other_states_and_missing_lists_decide_nothing() {
        coverage(&["Purple"]).judge().assert_undecided(Outcome::NotEvaluated);
        status(&["Purple"]).judge().assert_undecided(Outcome::NotEvaluated);
        coverage(&[]).assert_needs_its_inputs();
        status(&[]).assert_needs_its_inputs();
    }
}
