//! `connect.failed-connections`: no connection failed in its last run.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{CONNECTIONS, Connection, LogEntry, RUN_LOGS, RUNS, Run, RunStatus};
use crate::inputs::{connections, last_outcome, runs_of};
use crate::owners::owner_label;
use records::people::{USERS, User};
use serde_json::json;
use tancheck_plugin_api::prelude::*;

/// How many failures in a row make a failure severe.
const CONSECUTIVE_FAILURES_HIGH: Setting = Setting::integer("consecutive_failures_high", 3, 1, 1000)
    .unit("runs")
    .about("failed runs in a row from which on a failed connection is of high severity");

/// Characters of a log entry that are shown.
const SHOWN: usize = 300;

/// `connect.failed-connections`
pub const FAILED: Check = Check::automated("connect.failed-connections")
    .title("No connection failed in its last run")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &RUNS, &RUN_LOGS, &USERS])
    .settings(&[&CONSECUTIVE_FAILURES_HIGH])
    .guide(GUIDE)
    .what(
        "Reads how the last run of each enabled connection ended, and counts the failures in a row among \
         the runs of the last 31 days. From `consecutive_failures_high` on, the finding is of high \
         severity. While a connection runs, the run before counts. The last log entry of the failed run and \
         the owner are part of the finding.",
    )
    .why("The system at the other end (a SIEM, a CMDB, a mailbox) works with old data, and nobody there can tell.")
    .limits(
        "A connection with a schedule that never ran is undecided. Without the runs or the logs, the \
         finding lacks the count or the error text. Connections that are switched off are only noted. Runs \
         are kept only until the run log of Connect expires.",
    )
    .related(&["connect.unneeded"])
    .remedy(&REMEDY)
    .judge(failed_connections);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Connect > Connections > {subject}", "open the last run and read its log"),
    Step::consult("Connect User Guide: Troubleshooting", "look up the error: {error}"),
    Step::decision(
        "the owner ({owner}) or the persona is gone, or the destination does not answer",
        "repair that first: see connect.owner-active, connect.persona-exists and connect.destination-reachable",
    ),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "Edit the connection as the error demands, Save and Run, and see that the run finishes",
    ),
    Step::decision(
        "the connection is no longer required",
        "with the authority to do so, select it and use Actions > Disable, and later Actions > Delete; \
         without it, send the failed connections report to the team that has it",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    "Save and Run sends data to the destination at once.",
    "Disable before you delete, and export the connection first: deletion loses its configuration.",
    "Do not disable or delete connections without the authority to do so.",
])
.references(&[
    "Connect User Guide: View connection status",
    "Connect User Guide: Troubleshooting",
    "Connect User Guide: Edit connections",
]);

fn failed_connections(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let severe = facts.integer(&CONSECUTIVE_FAILURES_HIGH)?;
    let connections = connections(facts)?;
    let failed_and_off = |one: &&Connection| one.is_off() && one.last_run_status == Some(RunStatus::Failed);
    let off: Vec<&str> = connections.iter().filter(failed_and_off).map(|one| one.name.as_str()).collect();
    if !off.is_empty() {
        report.note(format!("switched off after a failed run, and not counted: {}", off.join(", ")));
    }
    let suspects: Vec<&Connection> =
        connections.iter().filter(|connection| !connection.is_off() && !is_settled(connection)).collect();
    if suspects.is_empty() {
        return Ok(());
    }
    // Runs, logs and users only add to a finding: without them the failure still is one.
    let runs: Result<Vec<Run>, Undecided> = facts.rows(&RUNS);
    let logs: Vec<LogEntry> = facts.rows(&RUN_LOGS).unwrap_or_default();
    let users: Vec<User> = facts.rows(&USERS).unwrap_or_default();
    let known = runs.as_deref().unwrap_or_default();
    let mut undecided = Vec::new();
    for connection in suspects {
        let own = runs_of(known, connection);
        match last_outcome(connection, &own) {
            Some(RunStatus::Failed) => {}
            Some(_) => continue,
            None => {
                undecided.push(format!("no run of {:?} is known to be over", connection.name));
                continue;
            }
        }
        let in_a_row = failures_in_a_row(&own);
        let finding =
            failure(facts, connection, in_a_row, error_of(&own, &logs), &owner_label(connection, &users));
        report.finding(if in_a_row >= severe { finding.severity(Severity::High) } else { finding });
    }
    if let Err(why) = &runs
        && !report.findings.is_empty()
    {
        report.note(format!("failures in a row were not counted: {}", why.reason));
    }
    settle(&undecided)
}

fn failure(
    facts: &Facts<'_>,
    connection: &Connection,
    in_a_row: i64,
    error: Option<String>,
    owner: &str,
) -> Finding {
    let error = error.unwrap_or_else(|| "not told; see the log".to_owned());
    let says = match in_a_row {
        0 | 1 => format!("the last run failed: {error}"),
        many => format!("the last {many} runs failed: {error}"),
    };
    let seen = json!({"lastRunTime": connection.last_run_time, "owner": owner, "failuresInARow": in_a_row});
    Finding::on(connection.subject())
        .says(says)
        .expected("the last run finished")
        .fill("error", error)
        .fill("owner", owner)
        .evidence(facts.seen(&CONNECTIONS, seen))
}

/// Whether the connection alone tells that it is healthy: its last run finished, or it waits for its first event.
fn is_settled(connection: &Connection) -> bool {
    match connection.last_run_status {
        Some(status) => status == RunStatus::Finished,
        None => connection.cron().is_none(),
    }
}

/// Failed runs since the last one that finished; runs that are not over do not count.
fn failures_in_a_row(own: &[&Run]) -> i64 {
    let statuses = own.iter().filter_map(|run| run.status);
    let ended = statuses.filter(|status| matches!(status, RunStatus::Failed | RunStatus::Finished));
    ended.take_while(|status| *status == RunStatus::Failed).count() as i64
}

/// The last log entry of the newest failed run that speaks of an error, or simply the last one.
fn error_of(own: &[&Run], logs: &[LogEntry]) -> Option<String> {
    let newest = own.iter().find(|run| run.status == Some(RunStatus::Failed))?;
    let entries: Vec<String> = logs
        .iter()
        .filter(|entry| entry.of.connection == newest.connection_id && entry.of.run == newest.id)
        .map(LogEntry::text)
        .filter(|text| !text.trim().is_empty())
        .collect();
    let of_error = entries.iter().rfind(|text| text.to_ascii_lowercase().contains("error"));
    of_error.or(entries.last()).map(|text| text.chars().take(SHOWN).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn connection(id: u32, status: Value) -> Value {
        json!({"id": id, "name": format!("connection {id}"), "enabled": true, "userId": 7, "schedule": "0 * * * *",
               "lastRunStatus": status, "lastRunTime": "2026-06-30T10:00:00Z"})
    }

    fn run(id: u32, status: &str) -> Value {
        json!({"id": id, "connectionId": 1, "status": status, "createdAt": format!("2026-06-29T{id:02}:00:00Z")})
    }

    fn case(connections: Value, runs: Value) -> Case {
        Case::of(&FAILED).rows(&CONNECTIONS, connections).rows(&RUNS, runs)
    }

    #[test]
    fn finished_passes_and_failed_is_found() {
        case(json!([connection(1, json!("Finished"))]), json!([])).judge().assert_pass();
        let both = json!([connection(1, json!("Failed")), connection(2, json!("Finished"))]);
        case(both, json!([])).judge().assert_findings(&["1"]);
    }

    #[test]
    fn failures_in_a_row_are_counted_back_to_the_last_success() {
        let runs = json!([
            run(1, "Failed"),
            run(2, "Finished"),
            run(3, "Failed"),
            run(5, "Failed"),
            run(4, "Failed")
        ]);
        let verdict = case(json!([connection(1, json!("Failed"))]), runs.clone()).judge();
        assert_eq!(verdict.findings()[0].severity, Some(Severity::High));
        assert!(verdict.findings()[0].says.contains("last 3 runs"));
        let lenient =
            case(json!([connection(1, json!("Failed"))]), runs).setting("consecutive_failures_high", 4);
        assert_eq!(lenient.judge().findings()[0].severity, None);
    }

    #[test]
    fn while_it_runs_the_run_before_counts() {
        let running = json!([connection(1, json!("Running"))]);
        case(running.clone(), json!([run(2, "Running"), run(1, "Failed")])).judge().assert_findings(&["1"]);
        case(running.clone(), json!([run(2, "Running"), run(1, "Finished")])).judge().assert_pass();
        case(running.clone(), json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(running, json!([run(2, "Running"), run(1, "Finished")])).assert_needs_its_inputs();
    }

    #[test]
    fn a_connection_that_is_off_or_waits_for_its_first_event_is_healthy() {
        let mut off = connection(1, json!("Failed"));
        off["enabled"] = json!(false);
        let mut event = connection(2, json!(null));
        event["schedule"] = json!("{}");
        let verdict = case(json!([off, event]), json!([])).judge();
        verdict.assert_pass();
        assert_eq!(verdict.notes(), ["switched off after a failed run, and not counted: connection 1"]);
    }

    #[test]
    fn a_schedule_that_never_ran_is_undecided_and_other_findings_stay() {
        let verdict =
            case(json!([connection(1, json!("Failed")), connection(2, json!(null))]), json!([])).judge();
        verdict.assert_findings(&["1"]);
        assert!(verdict.undecided().is_some_and(|why| why.reason.contains("connection 2")));
    }

    #[test]
    fn the_finding_names_error_and_owner() {
        let logs = json!([{"_of": {"connection": "1", "run": "3"}, "msg": "connecting"},
            {"_of": {"connection": "1", "run": "3"}, "msg": "Error: ECONNREFUSED siem.example"},
            {"_of": {"connection": "1", "run": "3"}, "msg": "done"}]);
        let verdict = case(json!([connection(1, json!("Failed"))]), json!([run(3, "Failed")]))
            .rows(&RUN_LOGS, logs)
            .rows(&USERS, json!([{"id": 7, "name": "ann"}]))
            .judge();
        let values = &verdict.findings()[0].values;
        assert_eq!(
            (values["error"].as_str(), values["owner"].as_str()),
            ("Error: ECONNREFUSED siem.example", "ann")
        );
    }

    #[test]
    fn no_connections_in_sight_is_not_healthy() {
        case(json!([]), json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let own = case(json!([]), json!([])).gap(&CONNECTIONS, "only own connections are shown");
        own.judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([connection(1, json!("Finished"))]), json!([]))
            .unavailable(&CONNECTIONS, Outcome::NoPermission)
            .judge()
            .assert_undecided(Outcome::NoPermission);
    }
}
