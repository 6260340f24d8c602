//! The panel Failed Outbound API Requests.

use crate::{BOARD, GUIDE, SOURCES_CHAPTER, WHO, WITH_TRENDS, board_is_there};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SOLUTIONS;
use tancheck_plugin_api::templates::Panel;

/// Failed requests by source.
pub(crate) const FAILURES: Input = Input::new(
    "reputation.failures",
    "failed requests to reputation sources in the panel Failed Outbound API Requests",
)
.sources(&[
    Source::export(
        "reputation-failed-requests.csv",
        BOARD,
        "export the data of the panel Failed Outbound API Requests with these columns",
        &["Time", "Source", "Value"],
    ),
    Source::answer(
        "How many failures does the panel Failed Outbound API Requests show? (Modules > Trends > Boards > Reputation)",
        Accepts::Number,
        30,
    ),
]);

const MAX: Setting = Setting::integer("max", 0, 0, 1_000_000_000)
    .unit("requests")
    .about("how many failed requests to reputation sources are accepted");

pub(crate) const PANEL: Panel =
    Panel::new(&FAILURES, "failed-requests", "Failed Outbound API Requests", "to reputation sources failed")
        .noun("request", "requests")
        .counting("Value")
        .named_by("")
        .grouped_by(&["Source"]);

/// No request to a reputation source failed.
pub(crate) const FAILED: Check = Check::automated("reputation.failed-requests")
    .title("No request to a reputation source failed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&FAILURES, &SOLUTIONS])
    .settings(&[&MAX])
    .guide(GUIDE)
    .what("Adds up the values of the panel Failed Outbound API Requests, by source, and compares with `max`.")
    .why("Files whose reputation was not asked for stay unrated, and a known bad one is not told.")
    .limits("Trends has no public route: the exported data of the panel, or the number that somebody read off, decides for the window that the panel shows.")
    .related(&["reputation.sources-configured", "trends.required-boards"])
    .applies(WITH_TRENDS)
    .remedy(&REMEDY)
    .judge(failed);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(BOARD, "see in the panel Failed Outbound API Requests when the failures began, and of which source"),
    Step::consult(
        SOURCES_CHAPTER,
        "check the source in this order: its key (is it in date at the provider?), its address, the proxy between",
    ),
    Step::decision(
        "the provider refuses because too many requests were sent",
        "lower Maximum Hashes Processed Per Day of the source, or ask the provider for a higher limit",
    ),
    Step::console(BOARD, "watch the panel for a day: no new failures"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["A lower maximum of hashes leaves files unrated for longer.", "Never write the key of a source into an export or a ticket."])
.references(&[SOURCES_CHAPTER]);

fn failed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    board_is_there(facts)?;
    PANEL.at_most(facts, report, facts.integer(&MAX)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(values: [&str; 2]) -> Case {
        let row = |value: &str| json!({"Time": "2026-06-29", "Source": "VirusTotal", "Value": value});
        Case::of(&FAILED).rows(&FAILURES, json!([row(values[0]), row(values[1])]))
    }

    #[test]
    fn failures_are_added_up() {
        case(["0", "0"]).judge().assert_pass();
        let verdict = case(["3", "4"]).judge();
        verdict.assert_findings(&["failed-requests"]);
        assert_eq!(verdict.findings()[0].says, "7 requests to reputation sources failed (VirusTotal: 7)");
        case(["3", "4"]).setting("max", 7).judge().assert_pass();
        Case::of(&FAILED).answer(&FAILURES, 1).judge().assert_findings(&["failed-requests"]);
    }

    #[test]
    fn without_trends_there_is_no_board() {
        case(["3", "4"]).rows(&SOLUTIONS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let trends = json!([{"name": "Tanium Trends"}]);
        case(["3", "4"]).rows(&SOLUTIONS, trends).judge().assert_findings(&["failed-requests"]);
    }

    #[test]
    fn what_is_no_number_decides_nothing() {
        case(["many", "0"]).judge().assert_undecided(Outcome::NotEvaluated);
        case(["0", "0"]).assert_needs_its_inputs();
    }
}
