//! `connect.failed-report-exists`: a failed connections report is set up.

use super::{GUIDE, READS, REFERENCES, reports, sends_by_http};
use crate::WHO;
use crate::inputs::EVENT_SOURCES;
use tancheck_plugin_api::prelude::*;

/// Who may disable or delete connections that fail.
const AUTHORITY: Setting = Setting::choice("authority", None, &["self", "other_team"])
    .about("who may disable or delete failed connections: those who read this report, or another team");

/// `connect.failed-report-exists`
pub const EXISTS: Check = Check::automated("connect.failed-report-exists")
    .title("A failed connections report is set up")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(READS)
    .settings(&[&AUTHORITY])
    .guide(GUIDE)
    .what(
        "Looks for a connection whose source is the event group Connect and whose destination is HTTP. \
         Where the maintainers of this report may disable failed connections themselves (`authority = \
         \"self\"`), a missing report is only worth knowing; where another team holds that authority, the \
         report is needed.",
    )
    .why("Connections fail unnoticed: what misses their data is usually another team's system.")
    .limits("While `authority` is not set, a missing report is a finding of low severity that asks for the answer.")
    .related(&["connect.failed-report-routed"])
    .remedy(&EXISTS_REMEDY)
    .judge(exists);

const EXISTS_REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "you may disable or delete connections yourself",
        "the report is optional: set `authority = \"self\"`, and review failed connections by hand each month",
    ),
    Step::console(
        "Modules > Connect > Connections",
        "create a connection: Source Event, Event Group Connect, select Failed Connection Run and \
         Unexpected Process Exit, Destination HTTP, and select Listen for this Event",
    ),
    Step::consult("the team that receives the report", "ask which format and which HTTP settings it needs"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

fn exists(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if reports(facts)?.iter().any(|one| sends_by_http(&one.connection)) {
        return Ok(());
    }
    let (severity, says) = match facts.text(&AUTHORITY) {
        Ok("self") => (Severity::Info, "no failed connections report is set up; it is optional here"),
        Ok(_) => (Severity::Medium, "no failed connections report is set up, and another team needs it"),
        Err(_) => (
            Severity::Low,
            "no failed connections report is set up; set `authority` to tell whether one is needed",
        ),
    };
    report.finding(
        Finding::on(Subject::new("report", "failed-connections", "the failed connections report"))
            .severity(severity)
            .says(says)
            .expected("a connection from the event group Connect to an HTTP destination")
            .evidence(facts.seen(&EVENT_SOURCES, 0)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{BOTH, REPORT, case, none};
    use super::*;
    use serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn a_report_exists_when_connects_events_go_to_http() {
        case(&EXISTS, json!(BOTH), json!(true), REPORT).judge().assert_pass();
        let other = &["/v1/sources/events/5", "/v1/destinations/smtps/3"];
        case(&EXISTS, json!(BOTH), json!(true), other).judge().assert_findings(&["failed-connections"]);
        case(&EXISTS, json!(BOTH), json!(true), REPORT).assert_needs_its_inputs();
    }

    #[test]
    fn the_severity_of_a_missing_report_depends_on_the_authority() {
        let severity = |case: Case| case.judge().findings()[0].severity;
        assert_eq!(severity(none(&EXISTS)), Some(Severity::Low));
        assert_eq!(severity(none(&EXISTS).setting("authority", "self")), Some(Severity::Info));
        assert_eq!(severity(none(&EXISTS).setting("authority", "other_team")), Some(Severity::Medium));
    }

    #[test]
    fn events_that_are_not_told_decide_nothing() {
        let lost = case(&EXISTS, json!(BOTH), json!(true), &["/v1/sources/events/7"]);
        lost.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
