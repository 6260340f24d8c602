//! Beyond the guide: the predefined reports have results.

use crate::{NAMES, WHO};
use std::collections::BTreeSet;
use tancheck_plugin_api::outcome::GATEWAY_ERROR;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::reports::{REPORTS, Report as ReportRow};

/// How many rows each of them has. A report that fails leaves no row.
const TOTALS: Input = Input::new("reporting.totals", "the number of rows of the predefined reports").sources(&[
    Source::gateway(
        "reportResultData",
        "query TancheckReportTotal($id: ID!) { reportResultData(id: $id, first: 1, summarize: true) { totalRecords } }",
    )
    .object()
    .variables(&[("id", "{id}")])
    .each(Each::row_of("platform.reports").variables(&[("id", "id")]).only("name", NAMES).limit(20))
    .needs(&["gateway use api"]),
]);

/// The predefined reports have results.
pub(crate) const ERRORS: Check = Check::automated("reporting.report-errors")
    .title("The predefined reports have results")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&REPORTS, &TOTALS])
    .what("Asks the API Gateway for the results of each predefined report that the guide names and that is there. One that ends with an error is a finding; so are several of the same name of which one does.")
    .why("A report that ends with an error is empty for whoever opens it, and for the checks that rest on it.")
    .limits("A report that takes too long once looks like one that is broken: look again before you act. Reports under other names are not asked for.")
    .related(&["reporting.required-reports"])
    .remedy(&REMEDY)
    .beyond()
    .judge(errors);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Reporting > Reports",
        "open {subject}: does it fail there as well, and what does it say?",
    ),
    Step::decision(
        "it opens in the Console",
        "run this check again; the first answer may have taken too long",
    ),
    Step::decision(
        "a source of the report is missing",
        "see that the module that the report is about is imported whole, and its sensors are registered",
    ),
    Step::consult("Reporting User Guide: Troubleshooting Reporting", "follow it for the shown error"),
])
.who(WHO)
.references(&["Reporting User Guide: Troubleshooting Reporting"]);

#[derive(Deserialize)]
struct Total {
    #[serde(rename = "_of", default)]
    of: records::Reference,
}

fn errors(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let reports: Vec<ReportRow> = facts.rows(&REPORTS)?;
    let wanted: Vec<&ReportRow> =
        reports.iter().filter(|report| NAMES.contains(&report.name.as_str())).collect();
    if wanted.is_empty() {
        return Err(facts.absent(&REPORTS, "none of the predefined reports is there"));
    }
    let (answered, why) = match facts.rows::<Total>(&TOTALS) {
        Ok(totals) => {
            let ids: BTreeSet<String> = totals.into_iter().map(|total| total.of.id).collect();
            (ids, facts.gaps(&TOTALS)?.join("; "))
        }
        Err(why) if why.is_gateway_error() => (BTreeSet::new(), why.reason),
        Err(why) => return Err(why),
    };
    let silent: Vec<&&ReportRow> = wanted.iter().filter(|report| !answered.contains(&report.id)).collect();
    if silent.is_empty() {
        return Ok(());
    }
    if !why.contains(GATEWAY_ERROR) {
        let names: Vec<&str> = silent.iter().map(|report| report.name.as_str()).collect();
        return Err(Undecided::not_evaluated(format!("no results of {}: {why}", names.join(", "))));
    }
    for one in silent {
        report.finding(
            Finding::on(Subject::new("report", &one.id, &one.name))
                .says(format!("has no results: {why}"))
                .expected("results")
                .evidence(facts.seen(&REPORTS, &one.name)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Unavailable;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(answered: &[&str]) -> Case {
        let rows: Vec<_> = answered.iter().map(|id| json!({"totalRecords": 3, "_of": {"id": id}})).collect();
        Case::of(&ERRORS)
            .rows(&REPORTS, json!([{"id": "1", "name": NAMES[0]}, {"id": "2", "name": NAMES[1]}, {"id": "9", "name": "Other"}]))
            .rows(&TOTALS, rows.into())
    }

    #[test]
    fn reports_with_results_pass() {
        case(&["1", "2"]).judge().assert_pass();
        case(&["1", "2"]).assert_needs_its_inputs();
    }

    #[test]
    fn a_report_that_ends_with_an_error_is_found() {
        let gap = format!("1 of 2 requests failed, the first: {GATEWAY_ERROR} (broken)");
        case(&["1"]).gap(&TOTALS, &gap).judge().assert_findings(&["2"]);
        let all = Body::Unavailable(Unavailable { outcome: Outcome::NotEvaluated, reason: gap });
        case(&[]).body(&TOTALS, all).judge().assert_findings(&["1", "2"]);
    }

    #[test]
    fn a_refusal_is_no_finding() {
        let refused =
            case(&["1"]).gap(&TOTALS, "1 of 2 requests failed, the first: the account may not ask this");
        refused.judge().assert_undecided(Outcome::NotEvaluated);
        case(&[]).unavailable(&TOTALS, Outcome::NoPermission).judge().assert_undecided(Outcome::NoPermission);
        case(&["1"]).rows(&REPORTS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }
}
