//! "Review and remediate Tanium Client health and client extension issues", page 19: failures of client extensions.

use crate::console::WHO;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::extensions::{
    CLIENT_EXTENSIONS as EXTENSIONS, HEALTH_FAILURES_PAGE, HEALTHY_STATES, judge_failures,
};

const GUIDE: &[GuideReference] =
    &[guide("Review and remediate Tanium Client health and client extension issues", 19)];

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may have a failure of a client extension");

const LIMITS: &str = "The columns of the sensor are not documented: they are recognized by their names, and \
    the check does not decide where it cannot tell the extension or the failure. The question behind the \
    panel Health Failures is not printed in the guide and may differ. An endpoint with several failures of \
    one extension is counted for each.";

const QUESTION: &str = "Get Computer Name and Client Extensions - Status from all machines";

const LIST: Step = Step::console(
    HEALTH_FAILURES_PAGE,
    "select the Interact icon of the panel Health Failures to list the endpoints",
);

const DRILL_DOWN: Step =
    Step::question(QUESTION, "find the endpoints whose extension {subject} failed, and the failure's text");

pub(crate) const INDEX: Check = extension_check("client-management.cx-index")
    .title("No failures of the Client Index Extension")
    .what(
        "Asks every endpoint for the state of its client extensions and reports failures of the domain \
         `index` on more than `max_endpoints` endpoints.",
    )
    .why(
        "The index is what searches for files and hashes read. An endpoint whose index failed finds \
         nothing, and looks as if it had nothing.",
    )
    .related(&["endpoint-configuration.tools-status", "client-management.cx-other"])
    .remedy(&FIX_INDEX)
    .judge(cx_index);

const FIX_INDEX: Remedy = Remedy::new(&[
    LIST,
    DRILL_DOWN,
    Step::consult(
        "Tanium Client Index Extension User Guide: Reference: Common health check issues",
        "look up the failure's text and follow its entry",
    ),
    Step::decision(
        "the extension is missing or outdated",
        "see Endpoint Configuration for the state of its tools",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Tanium Client Index Extension User Guide: Reference: Common health check issues",
    "Tanium Console User Guide: Managing question results",
]);

pub(crate) const RECORDER: Check = extension_check("client-management.cx-recorder")
    .title("No failures of the Client Recorder Extension")
    .what(
        "Asks every endpoint for the state of its client extensions and reports failures of the domain \
         `recorder` on more than `max_endpoints` endpoints.",
    )
    .why("What was not recorded cannot be looked up after an incident.")
    .related(&["endpoint-configuration.tools-status", "client-management.cx-other"])
    .remedy(&FIX_RECORDER)
    .judge(cx_recorder);

const FIX_RECORDER: Remedy = Remedy::new(&[
    LIST,
    DRILL_DOWN,
    Step::consult(
        "Tanium Client Recorder Extension User Guide: Troubleshooting the Client Recorder Extension",
        "look up the failure's text and follow its entry",
    ),
    Step::decision(
        "the extension is missing or outdated",
        "see Endpoint Configuration for the state of its tools",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Tanium Client Recorder Extension User Guide: Troubleshooting the Client Recorder Extension",
    "Tanium Console User Guide: Managing question results",
]);

pub(crate) const OTHER: Check = extension_check("client-management.cx-other")
    .title("No failures of other client extensions")
    .what(
        "Asks every endpoint for the state of its client extensions and reports, domain by domain, failures \
         of all but `index` and `recorder` on more than `max_endpoints` endpoints.",
    )
    .why("Each solution does its work on endpoints through an extension; where it fails, the solution is blind.")
    .related(&["endpoint-configuration.tools-status", "client-management.cx-index", "client-management.cx-recorder"])
    .caused_by(&[
        Cause::check("direct-connect.tools-installed").of_subject("dec"),
        Cause::check("direct-connect.extension-health").of_subject("dec"),
    ])
    .remedy(&FIX_OTHER)
    .judge(cx_other);

const FIX_OTHER: Remedy = Remedy::new(&[
    LIST,
    DRILL_DOWN,
    Step::consult(
        "Tanium Console User Guide: Troubleshoot solution-specific issues",
        "go to the guide of the solution that the domain belongs to; dec, stream and threatresponse belong \
         to Threat Response",
    ),
    Step::consult(
        "Tanium Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions",
        "reinstall or unblock the extension's tools",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Tanium Console User Guide: Troubleshoot solution-specific issues",
    "Tanium Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions",
]);

/// What the three checks have in common.
const fn extension_check(id: &'static str) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Monthly])
        .severity(Severity::Medium)
        .reads(&[&EXTENSIONS])
        .settings(&[&MAX_ENDPOINTS, &HEALTHY_STATES])
        .guide(GUIDE)
        .limits(LIMITS)
        .even_if_absent()
}

fn cx_index(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, |domain| domain == "index")
}

fn cx_recorder(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, |domain| domain == "recorder")
}

fn cx_other(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, |domain| domain != "index" && domain != "recorder")
}

fn judge(facts: &Facts<'_>, report: &mut Report, ours: impl Fn(&str) -> bool) -> Result<(), Undecided> {
    judge_failures(facts, report, facts.integer(&MAX_ENDPOINTS)?, ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::TallyRow;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn table(columns: &[&str], rows: &[(&[&str], u64)]) -> Tally {
        Tally {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: rows
                .iter()
                .map(|(cells, count)| TallyRow {
                    cells: cells.iter().map(ToString::to_string).collect(),
                    count: *count,
                    sample: Vec::new(),
                })
                .collect(),
            answered: 100,
            expected: 100,
            ..Tally::default()
        }
    }

    fn case(check: &'static Check, tally: Tally) -> Case {
        Case::of(check).body(&EXTENSIONS, Body::Tally(tally))
    }

    fn failing(check: &'static Check) -> Case {
        let rows: &[(&[&str], u64)] = &[
            (&["index", "Healthy", ""], 97),
            (&["index", "Failed", "database is locked"], 3),
            (&["recorder", "Failed", "driver missing"], 4),
            (&["recorder", "Failed", "no space"], 2),
            (&["stream", "Failed", ""], 1),
        ];
        case(check, table(&["Domain", "Status", "Failure"], rows))
    }

    #[test]
    fn each_check_sees_its_own_domain_and_counts_endpoints() {
        failing(&INDEX).judge().assert_findings(&["index"]);
        failing(&RECORDER).judge().assert_findings(&["recorder"]);
        failing(&OTHER).judge().assert_findings(&["stream"]);
        let verdict = failing(&RECORDER).judge();
        let finding = &verdict.findings()[0];
        assert_eq!(
            finding.affected.as_ref().map(|affected| (affected.count, affected.of)),
            Some((6, Some(100)))
        );
        assert_eq!(finding.says, "failed on up to 6 endpoints: driver missing; no space");
    }

    #[test]
    fn the_limit_of_endpoints_counts() {
        failing(&INDEX).setting("max_endpoints", 3).judge().assert_pass();
        failing(&INDEX).setting("max_endpoints", 2).judge().assert_findings(&["index"]);
    }

    #[test]
    fn no_failure_passes_and_no_answer_does_not() {
        let healthy = table(&["Domain", "Status", "Failure"], &[(&["index", "Healthy", ""], 100)]);
        for check in [&INDEX, &RECORDER, &OTHER] {
            case(check, healthy.clone()).judge().assert_pass();
            case(check, healthy.clone()).assert_needs_its_inputs();
        }
        let mut silent = healthy.clone();
        silent.without_value.insert("[no results]".into(), 6);
        case(&INDEX, silent).judge().assert_undecided(Outcome::NotEvaluated);
        let nobody = Tally { answered: 0, rows: Vec::new(), ..healthy };
        case(&INDEX, nobody).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn columns_that_say_nothing_are_named() {
        let verdict = case(&INDEX, table(&["A", "B"], &[(&["index", "Failed"], 1)])).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("found: A, B"));
        case(&INDEX, table(&["Client Extensions - Status"], &[(&["index"], 1)]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_state_alone_is_judged_by_the_words_that_are_known() {
        let state = |state| table(&["Extension", "State"], &[(&["index", state], 100)]);
        case(&INDEX, state("Running")).judge().assert_pass();
        case(&INDEX, state("Crashed")).judge().assert_findings(&["index"]);
        let verdict = case(&INDEX, state("Dormant")).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("Dormant"));
        case(&INDEX, state("Dormant")).setting("healthy_states", json!(["dormant"])).judge().assert_pass();
        case(&INDEX, state("")).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn several_values_of_one_cell_belong_together_line_by_line() {
        let tally = table(&["Domain", "Failure"], &[(&["index\nrecorder\nconfig", "\ndriver missing\n"], 5)]);
        case(&INDEX, tally.clone()).judge().assert_pass();
        case(&RECORDER, tally).judge().assert_findings(&["recorder"]);
    }

    #[test]
    fn an_exported_list_holds_failures_only() {
        let rows = json!([
            {"Domain": "Client Index Extension", "Failure": "locked", "Count": 3},
            {"Domain": "stream", "Failure": "a", "Computer Name": "one"},
            {"Domain": "stream", "Failure": "b", "Computer Name": "one"}]);
        Case::of(&INDEX).rows(&EXTENSIONS, rows.clone()).judge().assert_findings(&["index"]);
        let verdict = Case::of(&OTHER).rows(&EXTENSIONS, rows).judge();
        verdict.assert_findings(&["stream"]);
        let affected = verdict.findings()[0].affected.clone().unwrap();
        assert_eq!((affected.count, affected.sample), (1, vec!["one".to_owned()]));
        Case::of(&RECORDER).rows(&EXTENSIONS, json!([])).judge().assert_pass();
    }
}
