//! Guide: *Review and remediate Tanium Benchmark issues*, page 19: the two panels of the page Risk Health.

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::Panel;

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Benchmark issues", 19)];
const RISK_HEALTH: &str = "Modules > Benchmark > Risk > Risk Health";
const WHO: &str = "a user holding the Benchmark role permissions named in the Benchmark user guide";
const CHAPTER: &str = "Benchmark User Guide: Monitor and troubleshoot Risk health";
const LIMITS: &str = "The panel has no public route: an exported list or the number that somebody read off decides, and it is as old as that.";

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 10_000_000)
    .unit("endpoints")
    .about("how many endpoints a panel may show");

const COVERAGE_ROWS: Input =
    Input::new("benchmark.risk-coverage-rows", "endpoints that need attention in the panel Risk Coverage").sources(&[
        Source::export(
            "benchmark-risk-coverage.csv",
            RISK_HEALTH,
            "in the panel Risk Coverage, open the list of endpoints that need attention and export it with these columns",
            &["Computer Name", "Operating System", "IP Address", "Status"],
        ),
        Source::answer(
            "How many endpoints need attention in the panel Risk Coverage? (Modules > Benchmark > Risk > Risk Health)",
            Accepts::Number,
            30,
        ),
    ]);

const COVERAGE_PANEL: Panel = Panel::new(&COVERAGE_ROWS, "risk-coverage", "Risk Coverage", "need attention")
    .grouped_by(&["Status", "Operating System"]);

/// No endpoint needs attention in Risk Coverage.
pub(crate) const COVERAGE: Check = Check::automated("benchmark.risk-coverage")
    .title("No endpoint needs attention in Risk Coverage")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&COVERAGE_ROWS])
    .settings(&[&MAX_ENDPOINTS])
    .guide(GUIDE)
    .what("Counts the endpoints that the panel Risk Coverage lists as needing attention, and compares with `max_endpoints`.")
    .why("An endpoint without coverage has no risk score, or one that leaves out what was not looked at.")
    .limits(LIMITS)
    .related(&["benchmark.risk-vector-issues"])
    .remedy(&COVERAGE_REMEDY)
    .judge(|facts, report| COVERAGE_PANEL.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?));

const COVERAGE_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        RISK_HEALTH,
        "open the list behind the panel Risk Coverage, and see what the endpoints have in common",
    ),
    Step::consult(CHAPTER, "follow it for the shown status"),
    Step::console(RISK_HEALTH, "see that the number falls; export the list again or answer the new number"),
])
.who(WHO)
.references(&[CHAPTER]);

const VECTOR_ROWS: Input = Input::new(
    "benchmark.risk-vector-rows",
    "endpoints in the panel Risk Vector Calculation Issues",
)
.sources(&[
    Source::export(
        "benchmark-risk-vector-issues.csv",
        RISK_HEALTH,
        "in the panel Risk Vector Calculation Issues, open the list of endpoints and export it with these columns",
        &["Computer Name", "Operating System", "IP Address", "Risk Vector", "Issue"],
    ),
    Source::answer(
        "How many issues does the panel Risk Vector Calculation Issues show? (Modules > Benchmark > Risk > Risk Health)",
        Accepts::Number,
        30,
    ),
]);

const VECTOR_PANEL: Panel = Panel::new(
    &VECTOR_ROWS,
    "risk-vectors",
    "Risk Vector Calculation Issues",
    "have a risk vector that is not calculated",
)
.grouped_by(&["Risk Vector", "Issue"]);

/// Risk vectors are calculated.
pub(crate) const VECTORS: Check = Check::automated("benchmark.risk-vector-issues")
    .title("Risk vectors are calculated without issues")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&VECTOR_ROWS])
    .settings(&[&MAX_ENDPOINTS])
    .guide(GUIDE)
    .what("Counts what the panel Risk Vector Calculation Issues lists, by risk vector and issue, and compares with `max_endpoints`.")
    .why("A vector that is not calculated is missing from the risk score, which then looks better than it is.")
    .limits(LIMITS)
    .related(&["benchmark.risk-coverage"])
    .remedy(&VECTOR_REMEDY)
    .judge(|facts, report| VECTOR_PANEL.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?));

const VECTOR_REMEDY: Remedy = Remedy::new(&[
    Step::console(RISK_HEALTH, "see in the panel Risk Vector Calculation Issues which vector is concerned"),
    Step::decision(
        "the vector is fed by another module (Comply for vulnerabilities, for instance)",
        "look at that module's coverage and scans on the listed endpoints first",
    ),
    Step::consult(CHAPTER, "follow it for the shown issue"),
    Step::console(RISK_HEALTH, "see that the number falls; export the list again or answer the new number"),
])
.who(WHO)
.references(&[CHAPTER]);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn listed_endpoints_are_found() {
        let row = json!({"Computer Name": "pc1", "Operating System": "Windows", "IP Address": "10.0.0.1",
            "Status": "Needs Attention", "Risk Vector": "System Vulnerability", "Issue": "no data"});
        Case::of(&COVERAGE).rows(&COVERAGE_ROWS, json!([row])).judge().assert_findings(&["risk-coverage"]);
        let verdict = Case::of(&VECTORS).rows(&VECTOR_ROWS, json!([row])).judge();
        verdict.assert_findings(&["risk-vectors"]);
        assert!(verdict.findings()[0].says.contains("System Vulnerability / no data: 1"));
        Case::of(&VECTORS).answer(&VECTOR_ROWS, 3).judge().assert_findings(&["risk-vectors"]);
    }

    #[test]
    fn up_to_the_limit_passes() {
        Case::of(&COVERAGE).rows(&COVERAGE_ROWS, json!([])).judge().assert_pass();
        Case::of(&VECTORS).rows(&VECTOR_ROWS, json!([])).judge().assert_pass();
        Case::of(&COVERAGE).answer(&COVERAGE_ROWS, 2).setting("max_endpoints", 2).judge().assert_pass();
    }

    #[test]
    fn without_list_and_number_nothing_is_decided() {
        Case::of(&COVERAGE).rows(&COVERAGE_ROWS, json!([])).assert_needs_its_inputs();
        Case::of(&VECTORS).rows(&VECTOR_ROWS, json!([])).assert_needs_its_inputs();
    }
}
