//! `comply.assessment-distribution`: the distribution of compliance is plausible.

use crate::inputs::{ASSESSMENTS, Assessment, assessments};
use crate::{ASSESSMENTS as GUIDE, WHO};
use tancheck_plugin_api::facts::{Baseline, Point};
use tancheck_plugin_api::prelude::*;

const CHANGE_POINTS: Setting = Setting::integer("change_points", 10, 1, 100)
    .unit("percentage points")
    .about("by how much the compliant share of an assessment may differ from what was usual a quarter ago");

/// The compliant shares that earlier runs saw.
const HISTORY: Input =
    Input::new("comply.compliant-history", "compliant shares of assessments in earlier runs")
        .sources(&[Source::history("comply.compliant.*", 400)]);

/// A share is compared with those of the weeks around a time so many days ago.
const QUARTER: i64 = 90;

/// Endpoint compliance distribution is plausible.
pub(crate) const DISTRIBUTION: Check = Check::hybrid("comply.assessment-distribution")
    .title("Endpoint compliance distribution is plausible")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&ASSESSMENTS, &HISTORY])
    .settings(&[&CHANGE_POINTS])
    .guide(GUIDE)
    .what("Compares the compliant share of each assessment with the median of the five weeks nearest to a quarter ago (of the first weeks, while the history is shorter), and looks for endpoints without a result. A move of more than `change_points` and missing results are findings; a person may confirm that they are as expected.")
    .why("A share that jumps mostly tells that another set of endpoints or checks was counted.")
    .limits("The numbers come from an exported list. The findings of single endpoints, which the API Gateway tells, are not counted: there are too many. Until three earlier weeks are stored, no share is compared. A move is none while it is within three times the usual swing of these weeks.")
    .related(&["comply.assessment-scan-errors"])
    .remedy(&REMEDY)
    .judge(assessment_distribution);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Comply > Assessments",
        "open {subject}: look whether targets, standard or profile changed, and which endpoints have no result",
    ),
    Step::decision(
        "the change is as expected",
        "confirm it: tancheck attest comply.assessment-distribution --subject '{name}' --result done",
    ),
    Step::consult("the Comply User Guide: Troubleshooting", "find out why endpoints have no result"),
    Step::decision("the targets are wrong", "edit the assessment's targets"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Troubleshooting", "Comply User Guide: Edit an assessment"]);

fn assessment_distribution(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let stored = facts.points(&HISTORY)?;
    let limit = facts.integer(&CHANGE_POINTS)? as f64;
    let mut unknown = Vec::new();
    for assessment in assessments(facts, &ASSESSMENTS)? {
        let mut says = Vec::new();
        match (assessment.endpoints, assessment.results) {
            (Some(endpoints), Some(results)) if results < endpoints => {
                says.push(format!("{} of {endpoints} endpoints have no result", endpoints - results));
            }
            (Some(_), Some(_)) => {}
            _ => unknown
                .push(format!("the numbers of endpoints and results of {} are missing", assessment.name)),
        }
        // Assessments of vulnerabilities have no such share.
        if let Some(share) = compliant_share(&assessment) {
            let series = format!("comply.compliant.{}", assessment.name);
            report.measure(&series, share, "percent");
            match usual(facts, stored, &series, &assessment.name) {
                Ok(usual) if (share - usual.median).abs() > limit.max(usual.swing()) => says.push(format!(
                    "the compliant share is {share:.0} percent; the median of the weeks around a quarter ago is {:.0}",
                    usual.median
                )),
                Ok(_) => {}
                Err(short) => unknown.push(format!("{share:.0} percent now; {}", short.reason)),
            }
        }
        if !says.is_empty() {
            let says = says.join("; ");
            report.finding(
                Finding::on(assessment.subject())
                    .says(&says)
                    .expected(format!("results of all endpoints, and a share within {limit} points"))
                    .fill("name", &assessment.name)
                    .evidence(facts.seen(&ASSESSMENTS, &says))
                    .confirms(says),
            );
        }
    }
    settle(&unknown)
}

fn compliant_share(assessment: &Assessment) -> Option<f64> {
    let (compliant, rest) = (assessment.compliant?, assessment.non_compliant?);
    let all = compliant + rest;
    (all > 0.0).then(|| 100.0 * compliant / all)
}

/// What was usual a quarter ago, or as long ago as the history goes back.
fn usual(facts: &Facts<'_>, stored: &[Point], series: &str, name: &str) -> Result<Baseline, Undecided> {
    let same = stored.iter().filter(|point| point.series == series).map(|point| (point.at, point.value));
    Baseline::of_weeks_around(same, facts.now(), QUARTER, &format!("the compliant share of {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(compliant: u64, results: u64, weeks: &[f64]) -> Case {
        let rows = json!([{"Name": "CIS", "Endpoints": 100, "Results": results, "Compliant": compliant,
            "Non-Compliant": 100 - compliant}]);
        Case::of(&DISTRIBUTION).rows(&ASSESSMENTS, rows).weekly(&HISTORY, "comply.compliant.CIS", weeks)
    }

    #[test]
    fn a_share_is_compared_with_what_was_usual_a_quarter_ago() {
        case(80, 100, &[80.0; 3]).judge().assert_pass();
        case(80, 100, &[80.0; 3]).assert_needs_its_inputs();
        case(70, 100, &[80.0; 3]).judge().assert_pass();
        case(69, 100, &[80.0; 3]).judge().assert_findings(&["CIS"]);
        case(91, 100, &[80.0; 3]).judge().assert_findings(&["CIS"]);
        case(69, 100, &[80.0; 3]).setting("change_points", 11).judge().assert_pass();
        case(69, 100, &[80.0, 80.0, 65.0, 80.0]).judge().assert_findings(&["CIS"]);
        case(80, 100, &[80.0, 5.0, 80.0, 80.0]).judge().assert_pass();
        case(65, 100, &[80.0, 70.0, 90.0]).judge().assert_pass();
        // Slow moves add up: what counts are the weeks around a quarter ago, not the last ones.
        let mut slow = vec![90.0; 3];
        slow.extend([80.0; 12]);
        case(78, 100, &slow).judge().assert_findings(&["CIS"]);
        let mut old = vec![20.0; 3];
        old.extend([78.0; 13]);
        case(78, 100, &old).judge().assert_pass();
    }

    #[test]
    fn a_short_history_proves_nothing_and_the_share_is_kept() {
        for weeks in [&[][..], &[40.0, 40.0]] {
            let verdict = case(80, 100, weeks).judge();
            verdict.assert_undecided(Outcome::NotEvaluated);
            let told = &verdict.undecided().unwrap().reason;
            assert!(told.contains("earlier weeks of the compliant share of CIS"), "{told}");
            assert_eq!(verdict.measures()[0].value, 80.0);
        }
    }

    #[test]
    fn endpoints_without_a_result_are_found() {
        let verdict = case(80, 97, &[80.0; 3]).judge();
        verdict.assert_findings(&["CIS"]);
        assert_eq!(verdict.findings()[0].says, "3 of 100 endpoints have no result");
        let vulnerabilities = |results: &str| {
            let rows = json!([{"Name": "V", "Endpoints": "10", "Results": results, "Compliant": "", "Non-Compliant": ""}]);
            Case::of(&DISTRIBUTION).rows(&ASSESSMENTS, rows).weekly(&HISTORY, "x", &[]).judge()
        };
        vulnerabilities("10").assert_pass();
        vulnerabilities("9").assert_findings(&["V"]);
        vulnerabilities("").assert_undecided(Outcome::NotEvaluated);
    }
}
