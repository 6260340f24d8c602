//! `connect.process-exit`: no connection process ended unexpectedly.

use crate::WHO;
use crate::inputs::{CONNECTIONS, Connection, LogEntry, RUN_LOGS, RUNS, Run, RunStatus, connections};
use serde_json::json;
use tancheck_plugin_api::prelude::*;

/// How the log of a run speaks of a process that ended.
const PROCESS_EXIT_TEXT: Setting = Setting::text("process_exit_text", None).about(
    "text in the log of a failed run that tells of a process which ended unexpectedly, as this site's logs write it",
);

/// What the receiver of the failed connections report counted.
const PROCESS_EXITS: Input = Input::new(
    "connect.process-exits",
    "how many Unexpected Process Exit events arrived",
)
.sources(&[Source::answer(
    "How many Unexpected Process Exit events did the failed connections report deliver in the last 31 days?",
    Accepts::Number,
    31,
)]);

/// `connect.process-exit`
pub const PROCESS_EXIT: Check = Check::automated("connect.process-exit")
    .title("No connection process ended unexpectedly")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &RUNS, &RUN_LOGS, &PROCESS_EXITS])
    .settings(&[&PROCESS_EXIT_TEXT])
    .guide(&[
        guide("Configure a failed connections report", 9),
        guide("Review and remediate connection issues", 23),
    ])
    .what(
        "Finds runs of the last 31 days that claim to run, and did not change for twice the longest run of \
         their connection: their process is gone. Where runs failed, it looks for `process_exit_text` in \
         their logs; while that setting is empty, somebody has to count the events that arrived.",
    )
    .why(
        "A process that ends without an error usually ran out of memory. The run stays open, later runs \
         wait for it, and the list of failures stays empty.",
    )
    .limits(
        "Past events cannot be read, and how logs word them is not public. A connection that never finished \
         a run has no longest run to compare with.",
    )
    .related(&["connect.failed-report-events"])
    .remedy(&REMEDY)
    .judge(process_exit);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "open the run and read the log around its end",
    ),
    Step::decision(
        "the log ends in the middle of the data, or speaks of memory",
        "raise the memory ceiling of the connection within the limits of the module, or send less at a time",
    ),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "stop the run if it still counts as running, then run it again",
    ),
    Step::consult("Connect User Guide: Troubleshooting", "look up what the log says"),
    Step::support("bring a Connect support bundle that was made soon after the exit"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&[
    "Running a connection sends data to its destination at once; what was sent before may be sent twice.",
])
.references(&["Connect User Guide: Troubleshooting"]);

fn process_exit(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connections = connections(facts)?;
    let runs: Vec<Run> = facts.rows(&RUNS)?;
    for run in &runs {
        let Some(connection) = connections.iter().find(|connection| connection.id == run.connection_id)
        else {
            continue;
        };
        if let Some(hours) = silent_hours(facts, connection, run) {
            report.finding(
                Finding::on(connection.subject())
                    .says(format!("run {} claims to run and has been silent for {hours} h", run.id))
                    .expected("a run that ends")
                    .evidence(facts.seen(&RUNS, json!({"run": run.id, "updatedAt": run.updated_at}))),
            );
        }
    }
    if !runs.iter().any(|run| run.status == Some(RunStatus::Failed)) {
        return Ok(());
    }
    match facts.text(&PROCESS_EXIT_TEXT) {
        Ok(wording) => found_in_logs(facts, report, &connections, wording),
        Err(_) => counted_by_people(facts, report),
    }
}

/// Whole hours since a run that is not over last changed, if that is too long.
fn silent_hours(facts: &Facts<'_>, connection: &Connection, run: &Run) -> Option<i64> {
    if !matches!(run.status, Some(RunStatus::Starting | RunStatus::Running)) {
        return None;
    }
    let silent = facts.since(run.updated_at?);
    let longest = connection.max_run_duration.filter(|seconds| *seconds > 0.0)?;
    (silent.as_secs_f64() > 2.0 * longest).then(|| silent.as_hours())
}

fn found_in_logs(
    facts: &Facts<'_>,
    report: &mut Report,
    connections: &[Connection],
    wording: &str,
) -> Result<(), Undecided> {
    let wording = wording.to_lowercase();
    let logs: Vec<LogEntry> = facts.rows(&RUN_LOGS)?;
    let told = |connection: &Connection| {
        logs.iter()
            .filter(|entry| entry.of.connection == connection.id)
            .rfind(|entry| entry.text().to_lowercase().contains(&wording))
    };
    for connection in connections {
        let Some(entry) = told(connection) else { continue };
        report.finding(
            Finding::on(connection.subject())
                .says(format!("the log of run {} tells of a process that ended unexpectedly", entry.of.run))
                .expected("no such entry")
                .evidence(facts.seen(&RUN_LOGS, json!({"run": entry.of.run}))),
        );
    }
    Ok(())
}

fn counted_by_people(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let answer = facts.answer(&PROCESS_EXITS)?;
    let count = answer.value.as_f64().ok_or_else(|| {
        Undecided::not_evaluated(format!(
            "the answer {} to {} is no number",
            answer.value,
            PROCESS_EXITS.id()
        ))
    })?;
    if count > 0.0 {
        let subject = Subject::new("report", "process-exits", "the events of the last month");
        report.finding(
            Finding::on(subject)
                .says(format!("{count} Unexpected Process Exit events arrived"))
                .expected("none")
                .evidence(facts.seen(&PROCESS_EXITS, count)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn case(status: &str, updated: &str) -> Case {
        Case::of(&PROCESS_EXIT)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "a", "maxRunDuration": 3600}]))
            .rows(&RUNS, json!([{"id": 8, "connectionId": 1, "status": status, "updatedAt": updated}]))
    }

    fn logs(text: &str) -> Value {
        json!([{"_of": {"connection": 1, "run": 8}, "msg": text}])
    }

    #[test]
    fn a_run_that_is_silent_for_twice_the_longest_run_is_found() {
        case("Running", "2026-06-30T10:30:00Z").judge().assert_pass();
        case("Running", "2026-06-30T09:30:00Z").judge().assert_findings(&["1"]);
        case("Starting", "2026-06-30T09:30:00Z").judge().assert_findings(&["1"]);
        case("Finished", "2026-06-30T09:30:00Z").assert_needs_its_inputs();
    }

    #[test]
    fn failed_runs_are_searched_for_the_wording_of_the_site() {
        let case = case("Failed", "2026-06-30T10:00:00Z").setting("process_exit_text", "process exited");
        case.clone().rows(&RUN_LOGS, logs("Process exited: 137")).judge().assert_findings(&["1"]);
        case.clone().rows(&RUN_LOGS, logs("connection refused")).judge().assert_pass();
        case.rows(&RUN_LOGS, logs("connection refused")).assert_needs_its_inputs();
    }

    #[test]
    fn without_a_wording_somebody_has_to_count() {
        let case = case("Failed", "2026-06-30T10:00:00Z");
        case.judge().assert_undecided(Outcome::NotEvaluated);
        case.clone().answer(&PROCESS_EXITS, 0).judge().assert_pass();
        case.clone().answer(&PROCESS_EXITS, 2).judge().assert_findings(&["process-exits"]);
        case.clone().answer(&PROCESS_EXITS, "many").judge().assert_undecided(Outcome::NotEvaluated);
        case.answer(&PROCESS_EXITS, 0).assert_needs_its_inputs();
    }
}
