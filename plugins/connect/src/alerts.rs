//! Configure alerts for disconnected Tanium Clients: Connect tells people when endpoints become unmanaged.

use crate::WHO;
use crate::inputs::{CONNECTIONS, Connection, DETAILS, EVENT_SOURCES, EventSource, RunStatus};
use crate::inputs::{event_source, with_elements};
use records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::prelude::*;

/// The events of Discover that tell of endpoints without a working client.
const EVENTS: &[&str] = &["Lost Asset", "New Unmanaged Asset", "Rules Notification"];

/// `connect.disconnected-client-alert`
pub const DISCONNECTED_CLIENT_ALERT: Check = Check::automated("connect.disconnected-client-alert")
    .title("Connect alerts when endpoints become unmanaged")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(&[&SERVER_INFO, &CONNECTIONS, &DETAILS, &EVENT_SOURCES])
    .guide(&[
        guide("Configure alerts for disconnected Tanium Clients", 9),
        guide("Check the endpoint count", 12),
    ])
    .applies("Discover is installed")
    .what(
        "Looks for a connection whose source is Discover: its notifications about lost, unmanaged or \
         labelled endpoints, or a report of the Discover module. It passes when at least one such \
         connection is switched on and its last run did not fail.",
    )
    .why(
        "Local administrators can stop or remove the Tanium Client. Such an endpoint vanishes silently from \
         every other report; this alert is how somebody hears of it.",
    )
    .limits(
        "Whether the destination is read by people cannot be seen. A connection that never had an event to \
         send counts as working.",
    )
    .related(&["discover.disconnected-label", "connect.failed-connections"])
    .remedy(&REMEDY)
    .judge(disconnected_client_alert);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "Client Management User Guide: Configure automated maintenance",
        "see which Discover label and which events mark endpoints that lost their client",
    ),
    Step::console(
        "Modules > Connect > Connections",
        "create a connection with Discover as its source and a destination that people read, such as \
         e-mail; or switch the existing one on and repair it",
    ),
    Step::console(
        "Modules > Connect > Connections",
        "run the connection once and see that the alert arrives",
    ),
    Step::decision(
        "endpoints should be repaired without anybody acting",
        "let Discover redeploy the client as well; the alert remains the proof that it works",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Running a connection sends data to its destination at once."])
.references(&[
    "Client Management User Guide: Configure automated maintenance",
    "Client Management User Guide: Audit and remediate disconnected Tanium Clients",
]);

fn disconnected_client_alert(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if !has_discover(&facts.object(&SERVER_INFO)?)? {
        return Err(Undecided::not_applicable("Discover is not installed"));
    }
    let connections = with_elements(facts)?;
    let sources: Vec<EventSource> = facts.rows(&EVENT_SOURCES)?;
    let alerts: Vec<&Connection> =
        connections.iter().filter(|connection| tells_of_unmanaged(connection, &sources)).collect();
    let works = |alert: &Connection| alert.is_on() && alert.last_run_status != Some(RunStatus::Failed);
    if alerts.iter().any(|alert| works(alert)) {
        return Ok(());
    }
    if alerts.is_empty() {
        let subject = Subject::new("alert", "disconnected-clients", "alerts about unmanaged endpoints");
        report.finding(
            Finding::on(subject)
                .says("no connection tells of endpoints that become unmanaged")
                .expected("a connection with Discover as its source")
                .evidence(facts.seen(&CONNECTIONS, connections.len())),
        );
    }
    for alert in alerts {
        let says =
            if alert.is_on() { "the last run of the alert failed" } else { "the alert is switched off" };
        report.finding(
            Finding::on(alert.subject())
                .says(says)
                .expected("switched on, last run not failed")
                .evidence(facts.seen(&CONNECTIONS, (alert.enabled, alert.last_run_time))),
        );
    }
    Ok(())
}

/// Whether the Discover workbench is installed. Sections of the diagnostics differ between server versions.
fn has_discover(info: &ServerInfo) -> Result<bool, Undecided> {
    let mut workbenches = info.section("Installed_Workbenches").peekable();
    if workbenches.peek().is_none() {
        return Err(Undecided::not_evaluated("the server does not tell which workbenches are installed"));
    }
    Ok(workbenches.any(|(key, workbench)| {
        let name = workbench.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        key.eq_ignore_ascii_case("discover") || name.eq_ignore_ascii_case("discover")
    }))
}

fn tells_of_unmanaged(connection: &Connection, sources: &[EventSource]) -> bool {
    let module = connection.element("sources").is_some_and(|source| {
        source.kind().to_ascii_lowercase().starts_with("pluginconfigurations/discover/")
    });
    let by_event = || {
        event_source(connection, sources).is_some_and(|source| {
            source.source.eq_ignore_ascii_case("Discover Notifications")
                && EVENTS.iter().any(|event| source.listens_to(event))
        })
    };
    module || by_event()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(connection: Value, streams: Value) -> Case {
        Case::of(&DISCONNECTED_CLIENT_ALERT)
            .object(
                &SERVER_INFO,
                json!({"Diagnostics": {"Installed_Workbenches": {"discover": {"name": "Discover"}}}}),
            )
            .rows(&CONNECTIONS, json!([connection]))
            .rows(&DETAILS, json!([{"id": 4, "streams": streams}]))
            .rows(
                &EVENT_SOURCES,
                json!([{"id": 9, "source": "Discover Notifications", "events": ["Lost Asset"]},
                       {"id": 8, "source": "Discover Notifications", "events": ["New Managed Asset"]}]),
            )
    }

    fn alert(enabled: bool, status: &str) -> Value {
        json!({"id": 4, "name": "unmanaged", "enabled": enabled, "lastRunStatus": status})
    }

    #[test]
    fn an_alert_by_event_or_by_report_passes() {
        case(alert(true, "Finished"), json!(["/v1/sources/events/9"])).judge().assert_pass();
        case(alert(true, ""), json!(["/v1/sources/pluginConfigurations/discover/interfaces/2"]))
            .judge()
            .assert_pass();
    }

    #[test]
    fn an_alert_that_is_off_or_failed_is_found() {
        case(alert(false, "Finished"), json!(["/v1/sources/events/9"])).judge().assert_findings(&["4"]);
        case(alert(true, "Failed"), json!(["/v1/sources/events/9"])).judge().assert_findings(&["4"]);
    }

    #[test]
    fn other_events_and_sources_are_no_alert() {
        for source in ["/v1/sources/events/8", "/v1/sources/savedquestions/9"] {
            case(alert(true, "Finished"), json!([source])).judge().assert_findings(&["disconnected-clients"]);
        }
    }

    #[test]
    fn without_discover_it_does_not_apply_and_without_the_section_nothing_is_known() {
        let case = case(alert(true, "Finished"), json!(["/v1/sources/events/9"]));
        let other = json!({"Diagnostics": {"Installed_Workbenches": {"connect": {"name": "Connect"}}}});
        case.clone().object(&SERVER_INFO, other).judge().assert_undecided(Outcome::NotApplicable);
        let none = json!({"Diagnostics": {}});
        case.clone().object(&SERVER_INFO, none).judge().assert_undecided(Outcome::NotEvaluated);
        case.assert_needs_its_inputs();
    }
}
