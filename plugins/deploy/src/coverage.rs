//! Guide: *Review and remediate Deploy coverage*, page 25.

use crate::WHO;
use crate::inputs::{COVERAGE, COVERED_VALUES, PROCESS, counted};
use records::reports::REPORTS;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and remediate Deploy coverage", 25)];

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may be without the Deploy process, or need attention");

const MAX_PCT: Setting = Setting::integer("max_pct", 1, 0, 100)
    .unit("percent")
    .about("what share of the endpoints may be without the Deploy process");

/// The bad and the other known states of the running process.
const NOT_RUNNING: &[&str] = &["False", "No"];
const RUNNING: &[&str] = &["True", "Yes"];
/// The state that the guide names, and the one that is neither covered nor in need of attention.
pub(crate) const ATTENTION: &str = "Needs Attention";
pub(crate) const UNSUPPORTED: &str = "Unsupported";

/// The Deploy process runs on all endpoints.
pub(crate) const PROCESS_NOT_RUNNING: Check = Check::automated("deploy.process-not-running")
    .title("The Deploy process runs on all endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&REPORTS, &PROCESS])
    .settings(&[&MAX_ENDPOINTS, &MAX_PCT])
    .guide(GUIDE)
    .what("Counts the endpoints that say False (or No) when asked whether the Deploy process runs: by the report Deploy - Endpoint Deployment Process Running, else by a question. More than `max_endpoints` that are also more than `max_pct` percent are a finding.")
    .why("Without the process an endpoint installs and updates nothing, and looks like one that has nothing to do.")
    .limits("The columns of the report are not documented: the state is the one cell of a row that holds True, False, Yes or No. A row with none or several of them leaves the check undecided.")
    .related(&["deploy.action-group-targets", "reporting.required-reports"])
    .remedy(&PROCESS_REMEDY)
    .judge(process_not_running);

const PROCESS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Deploy > Overview > Health > Running Deploy",
        "click the number above False: the report lists the endpoints",
    ),
    Step::question(
        "Get Computer Name and Deploy - Is Process Running from all machines",
        "the same in Interact, to drill down",
    ),
    Step::console(
        "Administration > Actions > Action Groups > Tanium Deploy",
        "see that the action group covers these endpoints",
    ),
    Step::consult(
        "the Deploy User Guide: Troubleshoot Deploy Process Not Running",
        "follow it on one endpoint first",
    ),
])
.who(WHO)
.references(&["Deploy User Guide: Troubleshoot Deploy Process Not Running"]);

fn process_not_running(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let counted = counted(facts, &PROCESS, &[NOT_RUNNING, RUNNING].concat())?;
    let (stopped, all) = (counted.of(NOT_RUNNING), counted.all());
    let percent = 100.0 * stopped as f64 / all as f64;
    let (endpoints, share) = (facts.integer(&MAX_ENDPOINTS)?, facts.integer(&MAX_PCT)?);
    if stopped as f64 > endpoints as f64 && percent > share as f64 {
        report.finding(
            finding(facts, &PROCESS, "process", "the Deploy process", (stopped, all))
                .says(format!("does not run on {stopped} of {all} endpoints ({percent:.1} percent)"))
                .expected(format!("at most {endpoints} endpoints, or {share} percent")),
        );
    }
    settle(&counted.reasons(""))?;
    counted.complete("the running process")
}

/// No endpoint needs attention in Deploy coverage.
pub(crate) const NEEDS_ATTENTION: Check = Check::automated("deploy.coverage-needs-attention")
    .title("No endpoint needs attention in Deploy coverage")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&REPORTS, &COVERAGE])
    .settings(&[&MAX_ENDPOINTS, &COVERED_VALUES])
    .guide(GUIDE)
    .what("Counts the endpoints whose coverage status is Needs Attention: by the report Deploy - Coverage Status Details, else by a question. More than `max_endpoints` are a finding.")
    .why("An endpoint that needs attention gets no software and no updates.")
    .limits("The other statuses are not documented: name those of covered endpoints in `covered_values`. A status that is not known leaves the check undecided.")
    .related(&["deploy.process-not-running", "deploy.metric-coverage", "reporting.required-reports"])
    .remedy(&ATTENTION_REMEDY)
    .judge(coverage_needs_attention);

const ATTENTION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Deploy > Overview > Summary > Deploy Coverage",
        "click the number above Needs Attention: the report lists the endpoints with details",
    ),
    Step::consult(
        "the Deploy User Guide: Troubleshoot Deploy Process Not Running",
        "follow it for the details that the report shows most often: {details}",
    ),
])
.who(WHO)
.references(&["Deploy User Guide: Troubleshoot Deploy Process Not Running"]);

fn coverage_needs_attention(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let counted = counted(facts, &COVERAGE, &coverage_states(facts))?;
    let (attention, all) = (counted.of(&[ATTENTION]), counted.all());
    let limit = facts.integer(&MAX_ENDPOINTS)?;
    if attention as f64 > limit as f64 {
        report.finding(
            finding(facts, &COVERAGE, "coverage", "Deploy coverage", (attention, all))
                .says(format!("{attention} of {all} endpoints need attention"))
                .expected(format!("at most {limit} endpoints"))
                .fill("details", counted.details(ATTENTION)),
        );
    }
    settle(&counted.reasons("; name it in `covered_values` if it means that the endpoint is covered"))?;
    counted.complete("the coverage status")
}

/// The coverage statuses that are known here.
pub(crate) fn coverage_states<'a>(facts: &Facts<'a>) -> Vec<&'a str> {
    let mut known = facts.list(&COVERED_VALUES);
    known.extend([ATTENTION, UNSUPPORTED]);
    known
}

/// A finding about so many endpoints of so many.
fn finding(facts: &Facts<'_>, input: &'static Input, key: &str, name: &str, of: (u64, u64)) -> Finding {
    Finding::on(Subject::new("coverage", key, name))
        .affected(of.0, Some(of.1))
        .evidence(facts.seen(input, serde_json::json!({"endpoints": of.0, "of": of.1})))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(report: u64, count: u64, cells: &[&str]) -> Value {
        let columns: Vec<Value> = cells.iter().map(|cell| json!({"values": [cell]})).collect();
        json!({"_of": {"id": report}, "count": count, "columns": columns})
    }

    fn reports(name: &str) -> Value {
        json!([{"id": 7, "name": name, "viewDetails": {"columns": [{"name": "A"}, {"name": "B"}]}}])
    }

    fn coverage(rows: Value) -> Case {
        Case::of(&NEEDS_ATTENTION)
            .setting("covered_values", json!(["Optimal"]))
            .rows(&REPORTS, reports("Deploy - Coverage Status Details"))
            .rows(&COVERAGE, rows)
    }

    #[test]
    fn endpoints_in_need_of_attention_are_counted_with_their_details() {
        let good = row(7, 90, &["Optimal", ""]);
        coverage(json!([good, row(7, 3, &["Unsupported", ""])])).judge().assert_pass();
        let verdict = coverage(json!([good, row(7, 4, &["Needs Attention", "no scan"])])).judge();
        verdict.assert_findings(&["coverage"]);
        assert_eq!(verdict.findings()[0].values["details"], "no scan (4)");
        coverage(json!([good])).assert_needs_its_inputs();
    }

    #[test]
    fn a_status_that_is_not_known_decides_nothing() {
        coverage(json!([row(7, 1, &["Splendid", ""])])).judge().assert_undecided(Outcome::NotEvaluated);
        let verdict = coverage(json!([row(7, 1, &["Splendid"]), row(7, 1, &["needs attention"])])).judge();
        verdict.assert_findings(&["coverage"]);
        assert!(verdict.undecided().is_some());
        coverage(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        let one = reports("Deploy - Coverage Status Details")[0].clone();
        let twice = coverage(json!([row(7, 1, &["Optimal"])])).rows(&REPORTS, json!([one, one]));
        twice.judge().assert_undecided(Outcome::NotEvaluated);
        let missing = coverage(json!([])).rows(&REPORTS, json!([]));
        missing.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_question_and_an_export_count_as_the_report_does() {
        let asked = |counts: &[(&str, u64)]| {
            Case::of(&NEEDS_ATTENTION).setting("covered_values", json!(["Optimal"])).tally(
                &COVERAGE,
                "Deploy - Coverage Status",
                counts,
            )
        };
        asked(&[("Optimal", 9), ("Unsupported", 1)]).judge().assert_pass();
        asked(&[("Optimal", 9), ("Needs Attention", 1)]).judge().assert_findings(&["coverage"]);
        asked(&[("Needs Attention", 2), ("Optimal", 9)]).setting("max_endpoints", 2).judge().assert_pass();
        let told = json!([{"Computer Name": "a", "Operating System": "Windows", "Coverage Status": "Needs Attention",
            "Details": "no tools"}]);
        let verdict = coverage(told).from_source(&COVERAGE, "export", "2026-06-30T00:00:00Z").judge();
        verdict.assert_findings(&["coverage"]);
        assert_eq!(verdict.findings()[0].values["details"], "no tools (1)");
    }

    fn process(stopped: u64, running: u64) -> Case {
        let rows = json!([row(7, stopped, &["ws-1", "False"]), row(7, running, &["ws-2", "true"])]);
        processes(rows)
    }

    fn processes(rows: Value) -> Case {
        Case::of(&PROCESS_NOT_RUNNING)
            .rows(&REPORTS, reports("Deploy - Endpoint Deployment Process Running"))
            .rows(&PROCESS, rows)
    }

    #[test]
    fn a_stopped_process_counts_by_number_and_share() {
        process(2, 98).judge().assert_findings(&["process"]);
        process(1, 99).judge().assert_pass();
        process(2, 98).setting("max_endpoints", 2).judge().assert_pass();
        process(2, 98).setting("max_pct", 2).judge().assert_pass();
        process(1, 99).assert_needs_its_inputs();
        let no = Case::of(&PROCESS_NOT_RUNNING).tally(&PROCESS, "Running", &[("No", 1), ("Yes", 3)]);
        no.judge().assert_findings(&["process"]);
        let odd = Case::of(&PROCESS_NOT_RUNNING).tally(&PROCESS, "Running", &[("Perhaps", 1), ("Yes", 3)]);
        odd.judge().assert_undecided(Outcome::NotEvaluated);
        processes(json!([row(7, 1, &["True", "False"])])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn few_endpoints_may_be_without_a_value() {
        let silent = |count: u64| {
            processes(json!([
                row(7, count, &["ws-1", "TSE-Error: timed out"]),
                row(7, 100 - count, &["ws-2", "True"])
            ]))
        };
        silent(5).judge().assert_pass();
        silent(6).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
