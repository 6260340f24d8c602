//! Guide: *Review and update Comply assessments*, page 40: what the grid shows of each.

use crate::inputs::{ASSESSMENTS, Assessment, SCAN_ERRORS as SCAN_ERROR_COUNTS, assessments};
use crate::{ASSESSMENTS as GUIDE, WHO};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const PAGE: &str = "Modules > Comply > Assessments";

/// How often all assessments are reviewed.
const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("review_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody reviews all assessments")
    .from_guide();

const ERROR_STATES: Setting = Setting::list("error_states", &[]).about(
    "statuses of assessments that are errors, beside those that say error or fail (Comply User Guide: Status \
     definitions)",
);
const WARNING_STATES: Setting = Setting::list("warning_states", &[])
    .about("statuses of assessments that are warnings, beside those that say warning");
const GOOD_STATES: Setting = Setting::list("good_states", &[])
    .about("statuses of assessments that are neither errors nor warnings; no public document lists them");

const REVIEW_GUIDE: &[GuideReference] = &[
    guide("Review and update Comply assessments", 40),
    guide("Review and remediate Tanium Comply issues", 23),
];

/// Comply assessments were reviewed.
pub(crate) const REVIEW: Check = Check::attested("comply.assessment-review")
    .title("Comply assessments were reviewed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(REVIEW_GUIDE)
    .what("Asks once a quarter whether somebody went through all assessments.")
    .why("Whether an assessment still checks what matters, on the endpoints that matter, only people know.")
    .related(&["comply.assessment-errors", "comply.assessment-standard-outdated"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "go through status, errors, standard and targets of each assessment"),
    Step::decision("targets or schedule are wrong", "edit the assessment"),
    Step::command("tancheck attest comply.assessment-review --result done", "records the review"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Edit an assessment"]);

/// What the word of a status means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Warning,
    Error,
}

/// The meaning of a status: the site's lists first, then the words in it.
fn state(facts: &Facts<'_>, assessment: &Assessment) -> Result<State, String> {
    let status = assessment.status.trim();
    let listed = |setting| facts.list(setting).iter().any(|one| one.eq_ignore_ascii_case(status));
    let words = status.to_lowercase();
    match () {
        () if listed(&GOOD_STATES) => Ok(State::Good),
        () if listed(&WARNING_STATES) => Ok(State::Warning),
        () if listed(&ERROR_STATES) => Ok(State::Error),
        () if words.contains("error") || words.contains("fail") => Ok(State::Error),
        () if words.contains("warning") => Ok(State::Warning),
        () => Err(format!(
            "the status {status:?} of {} is not known; name it in `good_states`, `warning_states` or `error_states`",
            assessment.name
        )),
    }
}

fn in_state(facts: &Facts<'_>, report: &mut Report, wanted: State) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for assessment in assessments(facts, &ASSESSMENTS)? {
        match state(facts, &assessment) {
            Ok(found) if found == wanted => report.finding(
                Finding::on(assessment.subject())
                    .says(format!("its status is {:?}", assessment.status))
                    .expected("a status without error or warning")
                    .evidence(facts.seen(&ASSESSMENTS, &assessment.status)),
            ),
            Ok(_) => {}
            Err(reason) => unknown.push(reason),
        }
    }
    settle(&unknown)
}

/// What the checks of the status have in common.
const fn status_check(id: &'static str) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Quarterly])
        .reads(&[&ASSESSMENTS])
        .settings(&[&GOOD_STATES, &WARNING_STATES, &ERROR_STATES])
        .guide(GUIDE)
        .limits("The statuses are not documented in public: one that is in no list and says neither error, fail nor warning leaves the check undecided.")
        .related(&["comply.assessment-scan-errors", "comply.assessment-review"])
}

/// No assessment is in error.
pub(crate) const ERRORS: Check = status_check("comply.assessment-errors")
    .title("No assessment is in error")
    .severity(Severity::Medium)
    .what("Lists the assessments whose status says error or fail, or is one of `error_states`.")
    .why("An assessment in error reports nothing new; its old results look like the present.")
    .remedy(&ERRORS_REMEDY)
    .judge(|facts, report| in_state(facts, report, State::Error));

const ERRORS_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "in the row of {subject} open Additional Data and read Endpoint Statistics"),
    Step::consult("the Comply User Guide: Troubleshooting", "follow it for the error"),
    Step::console(PAGE, "edit the assessment where its settings are the cause"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Status definitions", "Comply User Guide: Edit an assessment"]);

/// No assessment shows a warning.
pub(crate) const WARNINGS: Check = status_check("comply.assessment-warnings")
    .title("No assessment shows a warning")
    .severity(Severity::Low)
    .what("Lists the assessments whose status says warning, or is one of `warning_states`.")
    .why("A warning today is often the error of next month.")
    .remedy(&WARNINGS_REMEDY)
    .judge(|facts, report| in_state(facts, report, State::Warning));

const WARNINGS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the Comply User Guide: Status definitions", "read what the status of {subject} means"),
    Step::console(PAGE, "edit the assessment accordingly"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Status definitions", "Comply User Guide: Edit an assessment"]);

const MAX_ENDPOINTS: Setting = crate::health::MAX_ENDPOINTS;

/// Assessments have no scan errors.
pub(crate) const SCAN_ERRORS: Check = Check::automated("comply.assessment-scan-errors")
    .title("Assessments have no scan errors")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SCAN_ERROR_COUNTS])
    .settings(&[&MAX_ENDPOINTS])
    .guide(GUIDE)
    .what("Reads the scan errors of each assessment, or their sum above the grid. More than `max_endpoints` are a finding.")
    .why("An endpoint whose scan fails is neither compliant nor not: nobody knows.")
    .limits("No public route shows scan errors: an administrator brings the numbers.")
    .related(&["comply.health-scan-failures", "comply.assessment-errors"])
    .remedy(&SCAN_ERRORS_REMEDY)
    .judge(assessment_scan_errors);

const SCAN_ERRORS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        PAGE,
        "click the value Scan Errors above the grid, or under Additional Data > Endpoint Statistics of {subject}",
    ),
    Step::console(PAGE, "click Endpoints: a question lists them; drill down into the error"),
    Step::consult("the Comply User Guide: Troubleshooting", "follow it for the error that most endpoints have"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Troubleshooting", "Console User Guide: Managing question results"]);

fn assessment_scan_errors(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_ENDPOINTS)? as f64;
    let finding = |subject: Subject, errors: f64| {
        Finding::on(subject)
            .says(format!("scans fail on {errors} endpoints"))
            .expected(format!("at most {limit}"))
            .affected(errors as u64, None)
            .evidence(facts.seen(&SCAN_ERROR_COUNTS, errors))
    };
    if let Body::Answer(answer) = facts.body(&SCAN_ERROR_COUNTS)? {
        let errors = tancheck_plugin_api::templates::panel::whole(answer)? as f64;
        if errors > limit {
            report.finding(finding(Subject::new("assessment", "all", "the assessments"), errors));
        }
        return Ok(());
    }
    let mut unknown = Vec::new();
    for assessment in assessments(facts, &SCAN_ERROR_COUNTS)? {
        match assessment.scan_errors {
            None => unknown.push(format!("the number of scan errors of {} is missing", assessment.name)),
            Some(errors) if errors > limit => report.finding(finding(assessment.subject(), errors)),
            Some(_) => {}
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, status: &str) -> Case {
        let rows =
            json!([{"Name": "CIS", "Status": status}, {"Name": "Vulnerabilities", "Status": "Complete"}]);
        Case::of(check).setting("good_states", json!(["complete"])).rows(&ASSESSMENTS, rows)
    }

    #[test]
    fn a_status_is_judged_by_its_words_and_by_the_lists_of_the_site() {
        case(&ERRORS, "Complete").judge().assert_pass();
        case(&ERRORS, "Complete").assert_needs_its_inputs();
        case(&ERRORS, "Scan failed").judge().assert_findings(&["CIS"]);
        case(&ERRORS, "ERROR").judge().assert_findings(&["CIS"]);
        case(&ERRORS, "Completed with warnings").judge().assert_pass();
        case(&WARNINGS, "Completed with warnings").judge().assert_findings(&["CIS"]);
        case(&WARNINGS, "Error").judge().assert_pass();
        case(&ERRORS, "Late").setting("error_states", json!(["late"])).judge().assert_findings(&["CIS"]);
        case(&WARNINGS, "Late").setting("warning_states", json!(["Late"])).judge().assert_findings(&["CIS"]);
        case(&ERRORS, "No errors")
            .setting("good_states", json!(["No errors", "Complete"]))
            .judge()
            .assert_pass();
    }

    #[test]
    fn an_unknown_status_decides_nothing() {
        case(&ERRORS, "Late").judge().assert_undecided(Outcome::NotEvaluated);
        case(&WARNINGS, "").judge().assert_undecided(Outcome::NotEvaluated);
        let none = Case::of(&ERRORS).rows(&ASSESSMENTS, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn scan_errors_are_counted_for_each_assessment_or_as_a_sum() {
        let rows = |errors: &str| {
            let rows = json!([{"Name": "CIS", "Scan Errors": errors}]);
            Case::of(&SCAN_ERRORS).rows(&SCAN_ERROR_COUNTS, rows)
        };
        rows("0").judge().assert_pass();
        rows("0").assert_needs_its_inputs();
        rows("3").judge().assert_findings(&["CIS"]);
        rows("3").setting("max_endpoints", 3).judge().assert_pass();
        rows("").judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&SCAN_ERRORS).answer(&SCAN_ERROR_COUNTS, 0).judge().assert_pass();
        Case::of(&SCAN_ERRORS).answer(&SCAN_ERROR_COUNTS, 2).judge().assert_findings(&["all"]);
    }
}
