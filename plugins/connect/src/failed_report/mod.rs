//! Configure a failed connections report: a connection that sends Connect's own events to an HTTP destination.

mod events;
mod exists;
mod format;
mod listening;
mod routed;

pub use events::LISTENS_TO_BOTH;
pub use exists::EXISTS;
pub use format::AS_AGREED;
pub use listening::LISTENING;
pub use routed::ROUTED;

use crate::inputs::{CONNECTIONS, Connection, DETAILS, EVENT_GROUPS, EVENT_SOURCES, EventGroup, EventSource};
use crate::inputs::{event_source, with_elements};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Configure a failed connections report", 9)];
const READS: &[&Input] = &[&CONNECTIONS, &DETAILS, &EVENT_SOURCES, &EVENT_GROUPS];
const REFERENCES: &[&str] = &["Connect User Guide: Configuring HTTP destinations"];

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

#[cfg(test)]
mod fixtures {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    pub(super) const BOTH: [&str; 2] = ["Failed Connection Run", "Unexpected Process Exit"];

    pub(super) fn case(check: &'static Check, events: Value, enabled: Value, streams: &[&str]) -> Case {
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

    pub(super) const REPORT: &[&str] =
        &["/v1/sources/events/5", "/v1/formats/columns/1", "/v1/formats/csvs/2", "/v1/destinations/https/3"];

    pub(super) fn none(check: &'static Check) -> Case {
        case(check, json!(BOTH), json!(true), &["/v1/sources/events/6", "/v1/destinations/https/3"])
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
}
