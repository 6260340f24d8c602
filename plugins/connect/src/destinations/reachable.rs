//! `connect.destination-reachable`: destinations are available and without issues.

use super::{GUIDE, is_used};
use crate::inputs::{
    CONNECTIONS, DESTINATION_KINDS, DESTINATIONS, DETAILS, Destination, LogEntry, RUN_LOGS, RUNS, Run,
};
use crate::inputs::{RunStatus, destinations, last_outcome, runs_of, with_elements};
use serde_json::json;
use tancheck_plugin_api::prelude::*;

/// How old a finished run may be to show that a destination is available.
const CURRENT_DAYS: i64 = 31;

/// `connect.destination-reachable`
pub const REACHABLE: Check = Check::hybrid("connect.destination-reachable")
    .title("Destinations are available and without issues")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &DESTINATIONS, &RUNS, &RUN_LOGS])
    .settings(&[&DESTINATION_KINDS])
    .guide(GUIDE)
    .what(
        "Decides from runs: a destination is available if the last run of an enabled connection that sends \
         to it finished within a month. It is a finding if a later run failed and an error in its log names \
         the destination's host. Somebody who looked at the destination may confirm such a finding until \
         the next failure.",
    )
    .why("Most failed connections fail at the other end, where the people who run Tanium see nothing.")
    .limits(
        "A finished run proves only the moment of that run. Nothing is sent to the destination by this \
         check. A run that failed without naming the host decides nothing. Files have no server and are \
         left out.",
    )
    .related(&["connect.destination-settings", "connect.failed-connections"])
    .remedy(&REACHABLE_REMEDY)
    .judge(reachable);

const REACHABLE_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "curl -sv --max-time 10 telnet://{host}:PORT </dev/null",
        "on the Module Server, with the port of the destination: see that name, route and port answer",
    ),
    Step::consult(
        "the administrators of the destination, the firewall and the proxy",
        "ask what they see of the attempt",
    ),
    Step::console(
        "Modules > Connect > Connections > {connection}",
        "correct server, port or proxy if they changed; Save",
    ),
    Step::console(
        "Modules > Connect > Connections > {connection}",
        "run the connection and see that it finishes",
    ),
])
.who("the administrator of the destination, with a user who may edit the connection")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Running a connection sends data to its destination at once."])
.references(&["Connect User Guide: Troubleshooting"]);

fn reachable(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connections = with_elements(facts)?;
    let runs: Vec<Run> = facts.rows(&RUNS)?;
    let (destinations, mut undecided) = destinations(facts, &connections)?;
    let served: Vec<&Destination> =
        destinations.iter().filter(|one| !one.host().is_empty() && is_used(one)).collect();
    if served.is_empty() && undecided.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no enabled connection sends to a server"));
    }
    for destination in served {
        match last_contact(facts, destination, &runs)? {
            Contact::Answered => {}
            Contact::Unknown => {
                undecided.push(format!("no run shows whether {} answers", destination.host()));
            }
            Contact::Refused { connection, at, text } => report.finding(
                Finding::on(destination.subject())
                    .says(format!("the last run of {connection:?} failed at it: {text}"))
                    .expected("a run that finishes")
                    .confirms(format!("failed={at}"))
                    .fill("host", destination.host())
                    .fill("connection", &connection)
                    .evidence(facts.seen(&RUN_LOGS, json!({"at": at, "text": text}))),
            ),
        }
    }
    settle(&undecided)
}

/// What the newest run that says anything about a destination says.
enum Contact {
    Answered,
    Refused { connection: String, at: Timestamp, text: String },
    Unknown,
}

fn last_contact(facts: &Facts<'_>, destination: &Destination, runs: &[Run]) -> Result<Contact, Undecided> {
    let host = destination.host().to_ascii_lowercase();
    let mut newest = (Timestamp::MIN, Contact::Unknown);
    for user in destination.users.iter().filter(|user| !user.is_off()) {
        let own = runs_of(runs, user);
        let outcome = last_outcome(user, &own);
        let run = own.iter().find(|run| run.status == outcome);
        let Some(at) = run.and_then(|run| run.created_at).or(user.last_run_time) else { continue };
        let contact = match outcome {
            Some(RunStatus::Finished) if facts.days_since(at) <= CURRENT_DAYS => Contact::Answered,
            Some(RunStatus::Failed) => {
                let logs: Vec<LogEntry> = facts.rows(&RUN_LOGS)?;
                let of_run = |entry: &&LogEntry| {
                    entry.of.connection == user.id && run.is_some_and(|run| run.id == entry.of.run)
                };
                match logs.iter().filter(of_run).map(LogEntry::text).rfind(|text| blames(text, &host)) {
                    Some(text) => {
                        let text = text.chars().take(200).collect();
                        Contact::Refused { connection: user.name.clone(), at, text }
                    }
                    None => continue,
                }
            }
            _ => continue,
        };
        if at > newest.0 {
            newest = (at, contact);
        }
    }
    Ok(newest.1)
}

/// Whether a log entry speaks of an error and names the host.
fn blames(text: &str, host: &str) -> bool {
    let text = text.to_ascii_lowercase();
    // Plain words, and what is left of the codes of the system, such as ECONNREFUSED.
    let trouble = [
        "error",
        "fail",
        "refused",
        "timeout",
        "timed out",
        "timedout",
        "unreach",
        "not found",
        "notfound",
        "again",
        "reset",
        "aborted",
        "hang up",
        "pipe",
    ];
    text.contains(host) && trouble.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{case, siem};
    use super::*;
    use tancheck_plugin_api::testing::Case;

    fn reach(status: &str, entry: &str) -> Case {
        let run = json!({"id": 8, "connectionId": 1, "status": status, "createdAt": "2026-06-30T11:00:00Z"});
        case(&REACHABLE, json!({"lastRunStatus": status}), siem())
            .rows(&RUNS, json!([run]))
            .rows(&RUN_LOGS, json!([{"_of": {"connection": 1, "run": 8}, "msg": entry}]))
    }

    #[test]
    fn a_finished_run_shows_that_the_destination_answers() {
        reach("Finished", "").judge().assert_pass();
        case(&REACHABLE, json!({}), siem()).rows(&RUNS, json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn a_failure_that_names_the_host_is_found() {
        let verdict = reach("Failed", "Error: connect ETIMEDOUT siem.example:443").judge();
        verdict.assert_findings(&["https/3"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("failed=2026-06-30T11:00:00Z"));
        for code in ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENOTFOUND", "ECONNRESET", "EAI_AGAIN"] {
            reach("Failed", &format!("connect {code} siem.example:443"))
                .judge()
                .assert_findings(&["https/3"]);
        }
    }

    #[test]
    fn a_failure_elsewhere_or_no_run_decides_nothing() {
        reach("Failed", "Error: the saved question is gone").judge().assert_undecided(Outcome::NotEvaluated);
        reach("Failed", "sending to siem.example").judge().assert_undecided(Outcome::NotEvaluated);
        let long_ago = json!({"lastRunTime": "2026-05-01T00:00:00Z"});
        case(&REACHABLE, long_ago, siem())
            .rows(&RUNS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let never = json!({"lastRunStatus": null, "lastRunTime": null});
        case(&REACHABLE, never, siem())
            .rows(&RUNS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn files_and_connections_that_are_off_have_no_server() {
        let file = json!({"_of": {"item": "https"}, "id": 3, "fileName": "out.csv"});
        case(&REACHABLE, json!({}), file)
            .rows(&RUNS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        let off = case(&REACHABLE, json!({"enabled": false}), siem()).rows(&RUNS, json!([]));
        off.judge().assert_undecided(Outcome::NotApplicable);
    }
}
