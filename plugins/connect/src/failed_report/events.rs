//! `connect.failed-report-events`: the report listens to both events.

use super::{FailedReport, GUIDE, READS, REFERENCES, existing, sends_by_http};
use crate::WHO;
use crate::inputs::EVENT_SOURCES;
use tancheck_plugin_api::prelude::*;

/// The events a failed connections report has to listen to.
const EVENTS: Setting = Setting::list("events", &["Failed Connection Run", "Unexpected Process Exit"])
    .about("events that the failed connections report has to send")
    .from_guide();

/// `connect.failed-report-events`
pub const LISTENS_TO_BOTH: Check = Check::automated("connect.failed-report-events")
    .title("The report listens to both events")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(READS)
    .settings(&[&EVENTS])
    .guide(GUIDE)
    .what(
        "Reads the events that the failed connections report listens to, and its destination. All names in \
         `events` must be selected (or All Events), and the destination must be HTTP. With several reports, \
         one good one is enough.",
    )
    .why("A report that listens to half of the events is quiet about the other half of the failures.")
    .limits("The names of the events are those the guide prints; a server may store them in other words.")
    .related(&["connect.failed-report-exists"])
    .remedy(&EVENTS_REMEDY)
    .judge(listens_to_both);

const EVENTS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "Edit, and add in the Configuration section: {missing}",
    ),
    Step::console("Modules > Connect > Connections > {subject}", "Save"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

fn listens_to_both(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let wanted = facts.list(&EVENTS);
    let mut findings = Vec::new();
    for one in existing(facts)? {
        let lacks = lacks(&one, &wanted);
        if lacks.is_empty() {
            return Ok(());
        }
        let missing = lacks.join(", ");
        findings.push(
            Finding::on(one.connection.subject())
                .says(format!("lacks {missing}"))
                .expected(format!("{}, and an HTTP destination", wanted.join(", ")))
                .fill("missing", &missing)
                .evidence(facts.seen(&EVENT_SOURCES, &one.source.events)),
        );
    }
    report.findings.extend(findings);
    Ok(())
}

fn lacks<'a>(one: &FailedReport, wanted: &[&'a str]) -> Vec<&'a str> {
    let events = wanted.iter().copied().filter(|event| !one.source.listens_to(event));
    let http = (!sends_by_http(&one.connection)).then_some("Destination HTTP");
    events.chain(http).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{BOTH, REPORT, case};
    use super::*;
    use serde_json::json;

    #[test]
    fn all_events_must_be_selected_and_the_destination_http() {
        case(&LISTENS_TO_BOTH, json!(BOTH), json!(true), REPORT).judge().assert_pass();
        case(&LISTENS_TO_BOTH, json!(["All Events"]), json!(true), REPORT).judge().assert_pass();
        let half = case(&LISTENS_TO_BOTH, json!(["Failed Connection Run"]), json!(true), REPORT).judge();
        half.assert_findings(&["1"]);
        assert_eq!(half.findings()[0].values["missing"], "Unexpected Process Exit");
        let smtp = &["/v1/sources/events/5", "/v1/destinations/smtps/3"];
        case(&LISTENS_TO_BOTH, json!(BOTH), json!(true), smtp).judge().assert_findings(&["1"]);
        case(&LISTENS_TO_BOTH, json!(BOTH), json!(true), REPORT).assert_needs_its_inputs();
    }
}
