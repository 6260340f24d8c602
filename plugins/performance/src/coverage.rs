//! The panel Performance Coverage. The question behind its numbers is not public.

use crate::{DASHBOARD, GUIDE, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::Panel;
use tancheck_plugin_api::templates::panel::{Counted, Row, Shown, shown, whole};

const COLUMNS: &[&str] = &["Computer Name", "Operating System", "IP Address", "Coverage Status"];

const NEEDING: Input = Input::new("performance.needs-attention", "endpoints under Needs Attention").sources(&[
    Source::export(
        "performance-coverage-needs-attention.csv",
        "Modules > Performance > Overview",
        "click the number above Needs Attention in the panel Performance Coverage and export the results with these \
         columns",
        COLUMNS,
    ),
    Source::answer(
        "the number above Needs Attention in the panel Performance Coverage of Modules > Performance > Overview",
        Accepts::Number,
        31,
    ),
]);

const BEYOND: Input = Input::new("performance.unsupported", "endpoints under Unsupported").sources(&[
    Source::export(
        "performance-coverage-unsupported.csv",
        "Modules > Performance > Overview",
        "click the number above Unsupported in the panel Performance Coverage and export the results with these \
         columns",
        COLUMNS,
    ),
    Source::answer(
        "the number above Unsupported in the panel Performance Coverage of Modules > Performance > Overview, without \
         the endpoints that you accept",
        Accepts::Number,
        31,
    ),
]);

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may need attention");

const ACCEPTED_OS: Setting = Setting::list("accepted_os", &[])
    .about("words in the names of operating systems whose endpoints need no Performance");

/// No endpoint needs attention.
pub(crate) const NEEDS_ATTENTION: Check = Check::automated("performance.coverage-needs-attention")
    .title("No endpoint needs attention in Performance coverage")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&NEEDING])
    .settings(&[&MAX_ENDPOINTS])
    .guide(GUIDE)
    .what("Counts the endpoints that the panel Performance Coverage shows under Needs Attention; more than `max_endpoints` are a finding.")
    .why("Where Performance does not work, the slow computer that somebody calls about shows no history.")
    .limits("The question behind the panel is not public; the exported results, or the number that somebody read off, decide.")
    .related(&["endpoint-configuration.tools-status", "performance.not-configured"])
    .remedy(&ATTENTION_REMEDY)
    .judge(|facts, report| ATTENTION.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?));

const ATTENTION: Panel =
    Panel::new(&NEEDING, "needs-attention", "Performance Coverage: Needs Attention", "need attention")
        .state("Coverage Status", &["Needs Attention"], &["Unsupported"])
        .grouped_by(&["Operating System"]);

const ATTENTION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        DASHBOARD,
        "click the number above Needs Attention in the panel Performance Coverage: it lists the endpoints",
    ),
    Step::consult(
        "Performance User Guide: Monitor and troubleshoot Performance coverage",
        "go through the factors that it names for these endpoints",
    ),
    Step::decision("their tools are missing or broken", "see endpoint-configuration.tools-status first"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Performance User Guide: Monitor and troubleshoot Performance coverage"]);

/// Unsupported endpoints are known.
pub(crate) const UNSUPPORTED: Check = Check::automated("performance.coverage-unsupported")
    .title("Endpoints Performance does not support are known")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .reads(&[&BEYOND])
    .settings(&[&ACCEPTED_OS])
    .guide(GUIDE)
    .what("Counts the endpoints that the panel Performance Coverage shows under Unsupported, without those whose operating system holds a word of `accepted_os`.")
    .why("What is not supported and was never accepted is a gap that nobody decided about.")
    .limits("The question behind the panel is not public. A number that somebody read off tells no operating systems: answer it without those that are accepted.")
    .remedy(&UNSUPPORTED_REMEDY)
    .judge(coverage_unsupported);

const UNSUPPORTED_PANEL: Panel = Panel::new(
    &BEYOND,
    "unsupported",
    "Performance Coverage: Unsupported",
    "are not supported and not accepted",
)
.state("Coverage Status", &["Unsupported"], &["Needs Attention"])
.grouped_by(&["Operating System"]);

const UNSUPPORTED_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        DASHBOARD,
        "click the number above Unsupported in the panel Performance Coverage: it lists the endpoints",
    ),
    Step::decision("they are to be left as they are", "name their operating system in `accepted_os`"),
    Step::decision("no profile needs to target them", "take them out of the targets of the profiles"),
])
.who(WHO)
.references(&["Performance User Guide: Managing profiles"]);

fn coverage_unsupported(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let counted = match shown::<Row>(facts, &BEYOND)? {
        Shown::Answer(answer) => Counted { count: whole(answer)?, ..Counted::default() },
        Shown::Rows(mut rows) => {
            let accepted = facts.list(&ACCEPTED_OS);
            let is_accepted = |row: &Row| {
                let os = row.cell("Operating System").to_lowercase();
                accepted.iter().any(|word| os.contains(&word.to_lowercase()))
            };
            rows.retain(|row| !is_accepted(row));
            UNSUPPORTED_PANEL.count_rows(&rows)?
        }
    };
    if counted.count > 0 {
        report.finding(
            UNSUPPORTED_PANEL.finding(facts, &counted).expected("only endpoints that were accepted"),
        );
    }
    settle(&UNSUPPORTED_PANEL.reasons(&counted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(os: &str, status: &str) -> Value {
        json!({"Computer Name": "one", "Operating System": os, "IP Address": "10.0.0.1", "Coverage Status": status})
    }

    #[test]
    fn endpoints_that_need_attention_are_counted() {
        let case = |rows: Value| Case::of(&NEEDS_ATTENTION).rows(&NEEDING, rows);
        case(json!([])).judge().assert_pass();
        case(json!([])).assert_needs_its_inputs();
        let some = json!([row("Windows 10", "Needs Attention"), row("macOS 13", "Unsupported")]);
        case(some.clone()).judge().assert_findings(&["needs-attention"]);
        case(some).setting("max_endpoints", 1).judge().assert_pass();
        case(json!([row("Windows 10", "Purple")])).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&NEEDS_ATTENTION).answer(&NEEDING, 3).judge().assert_findings(&["needs-attention"]);
    }

    #[test]
    fn accepted_systems_do_not_count() {
        let case = |rows: Value| Case::of(&UNSUPPORTED).rows(&BEYOND, rows);
        let rows = json!([row("CentOS Linux release 6.3", "Unsupported"), row("Solaris 11", "Unsupported")]);
        case(rows.clone()).judge().assert_findings(&["unsupported"]);
        let verdict = case(rows.clone()).setting("accepted_os", json!(["centos"])).judge();
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.count), Some(1));
        case(rows).setting("accepted_os", json!(["centos", "Solaris"])).judge().assert_pass();
        case(json!([row("Windows", "Odd")])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([])).assert_needs_its_inputs();
        Case::of(&UNSUPPORTED).answer(&BEYOND, 0).judge().assert_pass();
        Case::of(&UNSUPPORTED).answer(&BEYOND, 2).judge().assert_findings(&["unsupported"]);
    }
}
