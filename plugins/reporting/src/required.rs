//! The predefined reports to which the guide sends the reader.

use crate::{PREDEFINED, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::reports::{REPORTS, Report as ReportRow};
use tancheck_plugin_api::records::server::{ImportedSolution, SOLUTIONS};
use tancheck_plugin_api::templates::panel::{Row, Shown, shown};

/// For deployments whose Gateway cannot list reports.
const LISTED: Input = Input::new("reporting.listed", "the list of reports, written down").sources(&[
    Source::export(
        "reporting-required-reports.csv",
        "Modules > Reporting > Reports",
        "write one row for each report with these columns",
        &["Name", "Module", "Content Set", "Author"],
    ),
    Source::answer(
        "Are the predefined reports there that the guide names for the modules you have? (Deploy - Endpoint Deployment \
         Process Running, Deploy - Coverage Status Details, Patch Coverage Status)",
        Accepts::YesNo,
        30,
    ),
]);

/// Other names of these reports.
const REPORT_NAMES: Setting = Setting::table("report_names")
    .about("other names under which a predefined report may be found: its own name, and a list of names");

/// The predefined reports that other checks need are there.
pub(crate) const REQUIRED: Check = Check::automated("reporting.required-reports")
    .title("The predefined reports that other checks need are there")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&REPORTS, &LISTED, &SOLUTIONS])
    .settings(&[&REPORT_NAMES])
    .guide(&[guide("Review and remediate Deploy coverage", 25), guide("Review and remediate Patch coverage", 30)])
    .what("Reads the names of all reports and looks for those that the guide names, each where the module that brings it is imported.")
    .why("A report that is gone is a task that nobody does: the checks that rest on it cannot be fed.")
    .limits("Reports in content sets that the account may not read are not seen: a missing report can be a missing right.")
    .related(&["reporting.report-errors", "deploy.coverage-needs-attention", "patch.coverage-needs-attention"])
    .remedy(&REMEDY)
    .judge(required);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Reporting > Reports", "look for {subject}, under another name as well"),
    Step::decision("it was renamed", "name it under `report_names`"),
    Step::decision(
        "it is there, and this account does not see it",
        "give the account of tancheck a role that may read the content set of the report",
    ),
    Step::decision(
        "it is not there",
        "import the module that brings it again: predefined reports come with it",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&[
    "Importing a module again changes the server: read its release notes and follow your change procedure.",
])
.references(&["Reporting User Guide: Working with reports"]);

fn required(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (names, input) = match facts.rows::<ReportRow>(&REPORTS) {
        Ok(reports) => (reports.into_iter().map(|report| report.name).collect::<Vec<_>>(), &REPORTS),
        Err(why) => match shown::<Row>(facts, &LISTED) {
            Err(_) => return Err(why),
            Ok(Shown::Rows(rows)) => (rows.iter().map(|row| row.cell("Name")).collect(), &LISTED),
            Ok(Shown::Answer(answer)) if answer.value == true => return Ok(()),
            Ok(Shown::Answer(answer)) => {
                report.finding(
                    Finding::on(Subject::new("reports", "reports", "predefined reports"))
                        .says(format!("{} answered that one is missing", answer.by))
                        .evidence(facts.seen(&LISTED, &answer.value)),
                );
                return Ok(());
            }
        },
    };
    if names.is_empty() {
        return Err(Undecided::not_evaluated(
            "the account sees no report at all; let it read the content sets of the predefined reports",
        ));
    }
    let solutions: Vec<ImportedSolution> = facts.rows(&SOLUTIONS)?;
    let aliases = facts.table(&REPORT_NAMES);
    let mut is_any_needed = false;
    for wanted in &PREDEFINED {
        if !solutions.iter().any(|solution| solution.is_module(wanted.module)) {
            continue;
        }
        is_any_needed = true;
        let others = aliases.iter().filter(|(own, _)| same(own, wanted.name)).flat_map(|(_, others)| others);
        let mut accepted = std::iter::once(wanted.name).chain(others.copied());
        if accepted.any(|name| names.iter().any(|one| same(one, name))) {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("report", wanted.name, wanted.name))
                .says(format!(
                    "is not among the {} reports that the account sees; {} brings it",
                    names.len(),
                    wanted.module
                ))
                .expected("a report of this name")
                .evidence(facts.seen(input, names.len())),
        );
    }
    if is_any_needed { Ok(()) } else { Err(facts.absent(&SOLUTIONS, "neither Deploy nor Patch is imported")) }
}

fn same(left: &str, right: &str) -> bool {
    left.trim().eq_ignore_ascii_case(right.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NAMES;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(names: &[&str]) -> Case {
        let reports: Value = names.iter().map(|name| json!({"id": "1", "name": name})).collect();
        Case::of(&REQUIRED)
            .rows(&REPORTS, reports)
            .rows(&SOLUTIONS, json!([{"name": "Tanium Deploy"}, {"name": "Tanium Patch"}]))
    }

    #[test]
    fn reports_are_looked_for_by_name() {
        case(NAMES).judge().assert_pass();
        case(&NAMES[1..]).judge().assert_findings(&[NAMES[0]]);
        let renamed = case(&[NAMES[0], NAMES[1], "Our patch coverage"]);
        renamed.judge().assert_findings(&[NAMES[2]]);
        renamed
            .setting("report_names", json!({"patch coverage status": "our patch coverage"}))
            .judge()
            .assert_pass();
    }

    #[test]
    fn reports_of_absent_modules_are_not_missed() {
        case(&NAMES[..2]).rows(&SOLUTIONS, json!([{"name": "Deploy"}])).judge().assert_pass();
        case(NAMES).rows(&SOLUTIONS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn no_report_at_all_is_a_matter_of_rights() {
        case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
        case(NAMES).assert_needs_its_inputs();
    }

    #[test]
    fn a_list_or_an_answer_stands_in_for_the_gateway() {
        let without = || case(&[]).unavailable(&REPORTS, Outcome::NotEvaluated);
        without().rows(&LISTED, json!([{"Name": NAMES[0]}])).judge().assert_findings(&NAMES[1..]);
        without().answer(&LISTED, true).judge().assert_pass();
        without().answer(&LISTED, false).judge().assert_findings(&["reports"]);
    }
}
