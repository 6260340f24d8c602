//! `connect.failed-report-received`: the failed connections report arrived at its destination.

use super::GUIDE;
use crate::WHO;
use crate::failed_report::{FailedReport, reports};
use crate::inputs::{CONNECTIONS, DETAILS, EVENT_GROUPS, EVENT_SOURCES, RUNS, Run, RunStatus};
use tancheck_plugin_api::prelude::*;

/// How long a report may take.
const MAX_DELAY_H: Setting = Setting::integer("max_delay_h", 24, 1, 744)
    .unit("hours")
    .about("how long after a failed run the failed connections report may take to be sent");

/// When the receiving team last got a report.
const REPORT_ARRIVED: Input =
    Input::new("connect.report-arrived", "when the last failed connections report arrived").sources(&[
        Source::answer(
            "On which day did the last failed connections report arrive at its HTTP destination?",
            Accepts::Date,
            31,
        ),
    ]);

/// `connect.failed-report-received`
pub const REPORT_RECEIVED: Check = Check::hybrid("connect.failed-report-received")
    .title("The failed connections report arrived at its destination")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &EVENT_SOURCES, &EVENT_GROUPS, &RUNS, &REPORT_ARRIVED])
    .settings(&[&MAX_DELAY_H])
    .guide(GUIDE)
    .what(
        "Takes the failed runs of other connections in the last 31 days, and looks for a run of the failed \
         connections report that sent rows within `max_delay_h` after each. If all were sent, it compares \
         the day on which the receiving team last got a report with the day of the last failure.",
    )
    .why("A report that is generated and lost on its way is worse than none: silence is taken for health.")
    .limits(
        "Arrival cannot be read from Tanium; the receiving team has to tell. The number of rows is what \
         Connect counted when it sent them. Without failed runs there was nothing to report.",
    )
    .related(&["connect.failed-report-listening", "connect.destination-reachable"])
    .remedy(&REMEDY)
    .judge(report_received);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "see that Listen for this Event is selected, and read the log of the last run",
    ),
    Step::consult(
        "the administrator of the HTTP destination",
        "ask whether requests arrive, and with which answer",
    ),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "correct the destination, Save, and wait for the next failure; or run the report once",
    ),
    Step::consult(
        "the team that receives the report",
        "ask for the day of the last report, and record it as the answer",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Connect User Guide: View connection status",
    "Connect User Guide: Configuring HTTP destinations",
]);

fn report_received(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let delay = SignedDuration::from_hours(facts.integer(&MAX_DELAY_H)?);
    let reports = reports(facts)?;
    if reports.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no failed connections report is set up"));
    }
    let runs: Vec<Run> = facts.rows(&RUNS)?;
    let is_report = |run: &Run| reports.iter().any(|one| one.connection.id == run.connection_id);
    let failures: Vec<Timestamp> = runs
        .iter()
        .filter(|run| run.status == Some(RunStatus::Failed) && !is_report(run))
        .filter_map(|run| run.updated_at.or(run.created_at))
        .filter(|failed| facts.since(*failed) > delay)
        .collect();
    let Some(last) = failures.iter().max() else { return Ok(()) };
    let unsent = failures
        .iter()
        .filter(|failed| !runs.iter().any(|run| is_report(run) && tells(run, **failed, delay)));
    if let Some(first) = unsent.min() {
        for one in &reports {
            report.finding(lost(facts, one, *first));
        }
        return Ok(());
    }
    arrived(facts, report, &reports, *last)
}

/// Whether this run of the report sent rows soon after the failure.
fn tells(run: &Run, failed: Timestamp, delay: SignedDuration) -> bool {
    let sent =
        run.status == Some(RunStatus::Finished) && run.destination_row_count.is_some_and(|rows| rows > 0.0);
    let soon = |ended: Timestamp| ended >= failed && ended.duration_since(failed) <= delay;
    sent && run.updated_at.or(run.created_at).is_some_and(soon)
}

fn lost(facts: &Facts<'_>, one: &FailedReport, failed: Timestamp) -> Finding {
    Finding::on(one.connection.subject())
        .says(format!("sent nothing after the failed run of {failed}"))
        .expected("a run of the report that sends rows")
        .confirms(format!("failed={failed}"))
        .evidence(facts.seen(&RUNS, failed))
}

/// Compares what the receiving team told with the last failure, by whole days.
fn arrived(
    facts: &Facts<'_>,
    report: &mut Report,
    reports: &[FailedReport],
    last: Timestamp,
) -> Result<(), Undecided> {
    let answer = facts.answer(&REPORT_ARRIVED)?;
    let text = answer.value.as_str().unwrap_or_default();
    let day = lenient::parse_time(text).map_err(Undecided::not_evaluated)?;
    let failed = last.to_string();
    if day.is_some_and(|day| day.to_string()[..10] >= failed[..10]) {
        return Ok(());
    }
    for one in reports {
        report.finding(
            Finding::on(one.connection.subject())
                .says(match day {
                    Some(_) => format!("the last report arrived on {text}, before the failure of {failed}"),
                    None => format!("no report arrived after the failure of {failed}"),
                })
                .expected("a report after the last failure")
                .confirms(format!("failed={failed}"))
                .evidence(facts.seen(&REPORT_ARRIVED, text)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(runs: Value) -> Case {
        Case::of(&REPORT_RECEIVED)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "failures", "enabled": true}]))
            .rows(
                &DETAILS,
                json!([{"id": 1, "streams": ["/v1/sources/events/5", "/v1/destinations/https/3"]}]),
            )
            .rows(&EVENT_SOURCES, json!([{"id": 5, "source": "Connect", "events": ["All Events"]}]))
            .rows(&EVENT_GROUPS, json!([]))
            .rows(&RUNS, runs)
    }

    fn run(connection: u32, status: &str, at: &str, rows: u32) -> Value {
        json!({"id": 9, "connectionId": connection, "status": status, "updatedAt": at, "destinationRowCount": rows})
    }

    fn sent() -> Case {
        case(json!([
            run(2, "Failed", "2026-06-20T10:00:00Z", 0),
            run(1, "Finished", "2026-06-20T10:05:00Z", 1)
        ]))
    }

    #[test]
    fn without_failures_there_is_nothing_to_report() {
        case(json!([run(2, "Finished", "2026-06-20T10:00:00Z", 5)])).judge().assert_pass();
        case(json!([run(2, "Failed", "2026-06-30T10:00:00Z", 0)])).judge().assert_pass();
        case(json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn a_failure_that_was_not_sent_in_time_is_found() {
        let failed = || run(2, "Failed", "2026-06-20T10:00:00Z", 0);
        case(json!([failed()])).judge().assert_findings(&["1"]);
        case(json!([failed(), run(1, "Finished", "2026-06-22T10:00:00Z", 1)]))
            .judge()
            .assert_findings(&["1"]);
        case(json!([failed(), run(1, "Finished", "2026-06-20T10:05:00Z", 0)]))
            .judge()
            .assert_findings(&["1"]);
        case(json!([failed(), run(1, "Failed", "2026-06-20T10:05:00Z", 1)])).judge().assert_findings(&["1"]);
    }

    #[test]
    fn the_receiving_side_has_to_tell() {
        sent().judge().assert_undecided(Outcome::NotEvaluated);
        sent().answer(&REPORT_ARRIVED, "2026-06-20").judge().assert_pass();
        sent().answer(&REPORT_ARRIVED, "2026-06-19").judge().assert_findings(&["1"]);
        sent().answer(&REPORT_ARRIVED, "Never").judge().assert_findings(&["1"]);
        sent().answer(&REPORT_ARRIVED, "last week").judge().assert_undecided(Outcome::NotEvaluated);
        sent().answer(&REPORT_ARRIVED, "2026-06-20").assert_needs_its_inputs();
    }

    #[test]
    fn without_a_report_it_does_not_apply() {
        case(json!([]))
            .rows(&EVENT_SOURCES, json!([{"id": 5, "source": "Tanium Detect"}]))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
    }
}
