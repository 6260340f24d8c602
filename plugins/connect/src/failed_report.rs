//! Configure a failed connections report: a connection that sends Connect's own events to an HTTP destination.

use crate::WHO;
use crate::inputs::{
    CONNECTIONS, Connection, DETAILS, EVENT_GROUPS, EVENT_SOURCES, Element, EventGroup, EventSource,
};
use crate::inputs::{event_source, with_elements};
use tancheck_plugin_api::prelude::*;

const GUIDE: &[tancheck_plugin_api::GuideReference] = &[guide("Configure a failed connections report", 9)];
const READS: &[&Input] = &[&CONNECTIONS, &DETAILS, &EVENT_SOURCES, &EVENT_GROUPS];
const REFERENCES: &[&str] = &["Connect User Guide: Configuring HTTP destinations"];

/// Who may disable or delete connections that fail.
const AUTHORITY: Setting = Setting::choice("authority", None, &["self", "other_team"])
    .about("who may disable or delete failed connections: those who read this report, or another team");

/// The events a failed connections report has to listen to.
const EVENTS: Setting = Setting::list("events", &["Failed Connection Run", "Unexpected Process Exit"])
    .about("events that the failed connections report has to send")
    .from_guide();

/// The format that the receiving team asked for.
const FORMAT: Setting = Setting::choice("format", None, &["CSV", "DSV", "HTML", "JSON"])
    .about("format of the failed connections report, as agreed with the team that receives it");

/// How long a confirmation of the report's delivery is good for.
const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody has to confirm that the report reaches the team with authority");

/// A connection that sends events of Connect itself.
pub struct FailedReport {
    /// The connection.
    pub connection: Connection,
    /// What it listens to.
    pub source: EventSource,
}

/// The failed connections reports of the deployment; usually one.
///
/// # Errors
/// When an input is unavailable, or the events of a connection are not told.
pub fn reports(facts: &Facts<'_>) -> Result<Vec<FailedReport>, Undecided> {
    let groups: Vec<EventGroup> = facts.rows(&EVENT_GROUPS)?;
    let sources: Vec<EventSource> = facts.rows(&EVENT_SOURCES)?;
    let mut reports = Vec::new();
    for connection in with_elements(facts)?.into_iter().filter(Connection::is_event_driven) {
        let Some(source) = event_source(&connection, &sources) else {
            let reason = format!("the events that {:?} listens to were not told", connection.name);
            return Err(Undecided::not_evaluated(reason));
        };
        if is_connect(&source.source, &groups) {
            reports.push(FailedReport { connection, source });
        }
    }
    Ok(reports)
}

/// Whether a source names the event group Connect, by the name that the workbench shows or by its own.
fn is_connect(source: &str, groups: &[EventGroup]) -> bool {
    let shown = |group: &EventGroup| {
        group.label.eq_ignore_ascii_case("Connect") && group.product_name.eq_ignore_ascii_case(source)
    };
    source.eq_ignore_ascii_case("Connect") || groups.iter().any(shown)
}

/// The reports, where there are any: another check tells if there are none.
fn existing(facts: &Facts<'_>) -> Result<Vec<FailedReport>, Undecided> {
    let reports = reports(facts)?;
    if reports.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no failed connections report is set up"));
    }
    Ok(reports)
}

fn sends_by_http(connection: &Connection) -> bool {
    connection.element("destinations").is_some_and(|destination| destination.is("https"))
}

/// `connect.failed-report-exists`
pub const EXISTS: Check = Check::automated("connect.failed-report-exists")
    .title("A failed connections report is set up")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(READS)
    .settings(&[&AUTHORITY])
    .guide(GUIDE)
    .what(
        "Looks for a connection whose source is the event group Connect and whose destination is HTTP. Where the \
         maintainers of this report may disable failed connections themselves (`authority = \"self\"`), a missing \
         report is only worth knowing; where another team holds that authority, the report is needed.",
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
        "create a connection: Source Event, Event Group Connect, select Failed Connection Run and Unexpected Process \
         Exit, Destination HTTP, and select Listen for this Event",
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

/// `connect.failed-report-events`
pub const LISTENS_TO_BOTH: Check = Check::automated("connect.failed-report-events")
    .title("The report listens to both events")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(READS)
    .settings(&[&EVENTS])
    .guide(GUIDE)
    .what(
        "Reads the events that the failed connections report listens to, and its destination. All names in `events` \
         must be selected (or All Events), and the destination must be HTTP. With several reports, one good one is \
         enough.",
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
    let lacks = |one: &FailedReport| -> Vec<String> {
        let events = wanted.iter().filter(|event| !one.source.listens_to(event));
        let http = (!sends_by_http(&one.connection)).then(|| "Destination HTTP".to_owned());
        events.map(|event| (*event).to_owned()).chain(http).collect()
    };
    let reports: Vec<(FailedReport, Vec<String>)> = existing(facts)?
        .into_iter()
        .map(|one| {
            let lacks = lacks(&one);
            (one, lacks)
        })
        .collect();
    if reports.iter().any(|(_, lacks)| lacks.is_empty()) {
        return Ok(());
    }
    for (one, lacks) in reports {
        let missing = lacks.join(", ");
        report.finding(
            Finding::on(one.connection.subject())
                .says(format!("lacks {missing}"))
                .expected(format!("{}, and an HTTP destination", wanted.join(", ")))
                .fill("missing", &missing)
                .evidence(facts.seen(&EVENT_SOURCES, &one.source.events)),
        );
    }
    Ok(())
}

/// `connect.failed-report-listening`
pub const LISTENING: Check = Check::automated("connect.failed-report-listening")
    .title("The report is switched on")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(READS)
    .guide(GUIDE)
    .what("Reads whether the failed connections report is enabled. With several reports, one that is on is enough.")
    .why("A report that is configured and not switched on looks exactly like a deployment without failures.")
    .limits(
        "The Console calls it Listen for this Event; the service calls it `enabled`. That both are the same is an \
         inference: compare them once on site.",
    )
    .related(&["connect.failed-report-exists"])
    .remedy(&LISTENING_REMEDY)
    .judge(listening);

const LISTENING_REMEDY: Remedy = Remedy::new(&[Step::console(
    "Modules > Connect > Connections > {subject}",
    "Edit, select Listen for this Event, Save",
)])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

fn listening(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let reports = existing(facts)?;
    if reports.iter().any(|one| one.connection.is_on()) {
        return Ok(());
    }
    if let Some(untold) = reports.iter().find(|one| one.connection.enabled.is_none()) {
        let reason = format!("whether {:?} is switched on was not told", untold.connection.name);
        return Err(Undecided::not_evaluated(reason));
    }
    for one in reports {
        report.finding(
            Finding::on(one.connection.subject())
                .says("the report is switched off")
                .expected("Listen for this Event is selected")
                .evidence(facts.seen(&CONNECTIONS, one.connection.enabled)),
        );
    }
    Ok(())
}

/// `connect.failed-report-format`
pub const AS_AGREED: Check = Check::hybrid("connect.failed-report-format")
    .title("The report has the format and settings the receiving team needs")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .reads(READS)
    .settings(&[&FORMAT])
    .guide(GUIDE)
    .what(
        "Derives the format of the failed connections report from its elements and compares it with `format`, which \
         records what was agreed with the receiving team. Without a recorded agreement, somebody has to confirm the \
         format that is in use.",
    )
    .why("A receiver that cannot read the report drops it, often without telling anybody.")
    .limits("What the receiving team needs beyond the format cannot be seen.")
    .related(&["connect.failed-report-exists"])
    .remedy(&FORMAT_REMEDY)
    .judge(as_agreed);

const FORMAT_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the team that receives the report",
        "agree on CSV, delimiter separated values, HTML or JSON",
    ),
    Step::command(
        "format = \"…\" under [modules.connect]",
        "record the agreement in the configuration of tancheck",
    ),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "Edit, and set the format and the HTTP settings to what was agreed; Save",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["A new format may stop the receiver from reading the report: change both ends together."])
.references(REFERENCES);

fn as_agreed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let agreed = facts.text(&FORMAT).ok();
    for one in existing(facts)? {
        let Some(format) = format_of(&one.connection) else {
            let reason = format!("the format of {:?} is not told by its elements", one.connection.name);
            return Err(Undecided::not_evaluated(reason));
        };
        let says = match agreed {
            Some(agreed) if agreed == format => continue,
            Some(agreed) => format!("sends {format}, and {agreed} was agreed"),
            None => format!("sends {format}, and no agreement with the receiving team is recorded"),
        };
        report.finding(
            Finding::on(one.connection.subject())
                .says(says)
                .expected(agreed.unwrap_or("a recorded agreement"))
                .confirms(format!("format={format}"))
                .evidence(facts.seen(&DETAILS, format)),
        );
    }
    Ok(())
}

/// The format by the routes of the elements; `columns` only selects columns.
fn format_of(connection: &Connection) -> Option<&str> {
    let is_format = |element: &&Element| element.category() == "formats" && !element.is("columns");
    let last = connection.streams.iter().rfind(is_format)?;
    let known = [("csvs", "CSV"), ("rowfieldseparators", "DSV"), ("htmls", "HTML"), ("stringifies", "JSON")];
    Some(known.iter().find(|(kind, _)| last.is(kind)).map_or(last.kind(), |(_, name)| name))
}

/// `connect.failed-report-routed`
pub const ROUTED: Check = Check::attested("connect.failed-report-routed")
    .title("The team with authority receives the report")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .due_every(&DUE_EVERY_DAYS)
    .guide(&[
        guide("Configure a failed connections report", 9),
        guide("Review and remediate connection issues", 23),
    ])
    .what("Asks a person who may disable or delete connections, and whether the failed connections report reaches them.")
    .why("Those who see a failure and those who may act on it are often different people.")
    .limits("Only a person can tell; the answer is taken as given.")
    .related(&["connect.failed-report-exists"])
    .remedy(&ROUTED_REMEDY);

const ROUTED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of Connect", "name the team that may disable or delete connections"),
    Step::decision("it is your own team", "attest that, and review failed connections every month"),
    Step::console(
        "Modules > Connect > Connections",
        "set the destination of the failed connections report to a place that the team reads",
    ),
    Step::consult(
        "that team",
        "ask whether the latest report arrived; then attest, with the team's name in the note",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    const BOTH: [&str; 2] = ["Failed Connection Run", "Unexpected Process Exit"];

    fn case(check: &'static Check, events: Value, enabled: Value, streams: &[&str]) -> Case {
        Case::of(check)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "failures", "enabled": enabled}]))
            .rows(&DETAILS, json!([{"id": 1, "streams": streams}]))
            .rows(
                &EVENT_SOURCES,
                json!([{"id": 5, "source": "Tanium Connect", "events": events},
                                         {"id": 6, "source": "Tanium Detect", "events": ["All Events"]}]),
            )
            .rows(&EVENT_GROUPS, json!([{"ProductName": "Tanium Connect", "label": "Connect"}]))
    }

    const REPORT: &[&str] =
        &["/v1/sources/events/5", "/v1/formats/columns/1", "/v1/formats/csvs/2", "/v1/destinations/https/3"];

    fn none(check: &'static Check) -> Case {
        case(check, json!(BOTH), json!(true), &["/v1/sources/events/6", "/v1/destinations/https/3"])
    }

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

    #[test]
    fn the_report_must_be_switched_on() {
        case(&LISTENING, json!(BOTH), json!(true), REPORT).judge().assert_pass();
        case(&LISTENING, json!(BOTH), json!(false), REPORT).judge().assert_findings(&["1"]);
        case(&LISTENING, json!(BOTH), json!(null), REPORT).judge().assert_undecided(Outcome::NotEvaluated);
        case(&LISTENING, json!(BOTH), json!(true), REPORT).assert_needs_its_inputs();
    }

    #[test]
    fn the_format_must_be_the_agreed_one() {
        let case = |streams| case(&AS_AGREED, json!(BOTH), json!(true), streams);
        case(REPORT).setting("format", "CSV").judge().assert_pass();
        case(REPORT).setting("format", "JSON").judge().assert_findings(&["1"]);
        let open = case(REPORT).judge();
        open.assert_findings(&["1"]);
        assert_eq!(open.findings()[0].state.as_deref(), Some("format=CSV"));
        let columns = &["/v1/sources/events/5", "/v1/formats/columns/1"];
        case(columns).setting("format", "CSV").judge().assert_undecided(Outcome::NotEvaluated);
        case(REPORT).setting("format", "CSV").assert_needs_its_inputs();
    }

    #[test]
    fn without_a_report_the_other_checks_do_not_apply() {
        for check in [&LISTENS_TO_BOTH, &LISTENING, &AS_AGREED] {
            none(check).judge().assert_undecided(Outcome::NotApplicable);
            none(check)
                .gap(&CONNECTIONS, "only own connections")
                .judge()
                .assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn events_that_are_not_told_decide_nothing() {
        let lost = case(&EXISTS, json!(BOTH), json!(true), &["/v1/sources/events/7"]);
        lost.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
