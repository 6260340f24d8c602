//! `connect.destination-reachable`: destinations are available and without issues.

use super::{GUIDE, is_used};
use crate::inputs::{
    CONNECTIONS, DESTINATION_KINDS, DESTINATIONS, DETAILS, Destination, LogEntry, RUN_LOGS, RUNS, Run,
};
use crate::inputs::{RunStatus, destinations, last_outcome, runs_of, with_elements};
use serde_json::json;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::probe::{Probe, Stage, Trouble, Vantage};

const PROBED: Setting = Setting::list("probed_destinations", &[]).about(
    "destinations that are reached by TLS and may be greeted by tancheck, as host or host:port (443 without a port)",
);

/// What listeners of destinations say, where the site names them.
const LISTENERS: Input =
    Input::new("connect.destination-listeners", "listeners of the destinations that may be probed")
        .sources(&[Source::probe("probed_destinations", 443).brief()]);

/// How old a finished run may be to show that a destination is available.
const CURRENT_DAYS: i64 = 31;

/// `connect.destination-reachable`
pub const REACHABLE: Check = Check::hybrid("connect.destination-reachable")
    .title("Destinations are available and without issues")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &DESTINATIONS, &RUNS, &RUN_LOGS, &LISTENERS])
    .settings(&[&DESTINATION_KINDS, &PROBED])
    .guide(GUIDE)
    .what(
        "Decides from runs: a destination is available if the last run of an enabled connection that sends \
         to it finished within a month. It is a finding if a later run failed and an error in its log names \
         the destination's host. Those of `probed_destinations` are greeted as well: one that does not answer \
         the Module Server, from which connections come, is a finding, and an answer there stands in for a run. Somebody who looked at the destination may confirm such a finding until \
         the next failure.",
    )
    .why("Most failed connections fail at the other end, where the people who run Tanium see nothing.")
    .limits(
        "A finished run proves only the moment of that run. Nothing is sent to a destination that \
         `probed_destinations` does not name; what is greeted from elsewhere than the Module Server decides \
         nothing (`--vantage`, `--merge-evidence`). A run that failed without naming the host decides nothing. Files have no server and are \
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
    // Nobody has to name any.
    let probes: Vec<Probe> = facts.rows(&LISTENERS).unwrap_or_default();
    let (destinations, mut undecided) = destinations(facts, &connections)?;
    let served: Vec<&Destination> =
        destinations.iter().filter(|one| !one.host().is_empty() && is_used(one)).collect();
    if served.is_empty() && undecided.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no enabled connection sends to a server"));
    }
    for destination in served {
        let (at, contact) = last_contact(facts, destination, &runs)?;
        match (contact, greeted(facts, destination, &probes)) {
            (Contact::Answered | Contact::Unknown, Greeted::Closed(view)) if view.at > Some(at) => {
                report.finding(
                    Finding::on(destination.subject())
                        .says(format!("does not answer the Module Server: {}", view.says))
                        .expected("a listener that answers")
                        .confirms(format!("closed={}", view.listener()))
                        .fill("host", destination.host())
                        .fill("connection", &destination.users[0].name)
                        .evidence(facts.seen(&LISTENERS, json!({"listener": view.listener(), "says": view.says}))),
                );
            }
            (Contact::Answered, _) | (Contact::Unknown, Greeted::Open) => {}
            (Contact::Unknown, Greeted::Elsewhere(place)) => undecided.push(format!(
                "no run shows whether {} answers, and a greeting from {place} decides nothing: run this check on the \
                 Module Server with --vantage module-server, and merge its report here (--merge-evidence)",
                destination.host()
            )),
            (Contact::Unknown, _) => {
                undecided.push(format!("no run shows whether {} answers", destination.host()));
            }
            (Contact::Refused { connection, at, text }, _) => report.finding(
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

/// What greetings show of a destination.
enum Greeted<'a> {
    /// The Module Server got an answer.
    Open,
    /// The Module Server got none.
    Closed(&'a Probe),
    /// Only others greeted it.
    Elsewhere(&'static str),
    /// Nobody did, or nothing is to be told from it.
    Nothing,
}

fn greeted<'a>(facts: &Facts<'_>, destination: &Destination, probes: &'a [Probe]) -> Greeted<'a> {
    let host = destination.host();
    let is_own =
        |view: &&Probe| view.host.eq_ignore_ascii_case(&host) && view.is_current(facts, CURRENT_DAYS);
    let own = probes.iter().filter(is_own);
    let (decisive, others): (Vec<&Probe>, Vec<&Probe>) =
        own.partition(|view| view.vantage == Vantage::ModuleServer);
    match (decisive.iter().max_by_key(|view| view.at), others.first()) {
        (Some(view), _) if is_open(view) => Greeted::Open,
        (Some(view), _) if is_closed(view) => Greeted::Closed(view),
        (None, Some(view)) => Greeted::Elsewhere(view.vantage.place()),
        _ => Greeted::Nothing,
    }
}

/// Whoever says anything is there.
fn is_open(view: &Probe) -> bool {
    let said = [Trouble::Alert, Trouble::WrongVersion, Trouble::WrongSuite, Trouble::NotTls];
    view.is_complete() || view.trouble.is_some_and(|trouble| said.contains(&trouble))
}

/// A name that nobody could be asked for, and a text that is no target, say nothing of the destination.
fn is_closed(view: &Probe) -> bool {
    match view.stage {
        Stage::Connect => true,
        Stage::Resolve => view.trouble == Some(Trouble::NoName),
        _ => false,
    }
}

/// What the newest run says, and when that was.
fn last_contact(
    facts: &Facts<'_>,
    destination: &Destination,
    runs: &[Run],
) -> Result<(Timestamp, Contact), Undecided> {
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
    Ok(newest)
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
    use tancheck_plugin_api::testing::{Case, probed};

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
    fn a_destination_that_the_site_names_is_greeted() {
        let seen = |vantage: Vantage| Probe { vantage, ..probed("SIEM.example", 443) };
        let closed = |vantage: Vantage| Probe {
            stage: Stage::Connect,
            trouble: Some(Trouble::Refused),
            says: "it refuses".to_owned(),
            ..seen(vantage)
        };
        let unknown = |probes: &[Probe]| {
            reach("Failed", "Error: the saved question is gone").probes(&LISTENERS, probes).judge()
        };
        unknown(&[seen(Vantage::ModuleServer)]).assert_pass();
        let there = unknown(&[closed(Vantage::ModuleServer)]);
        there.assert_findings(&["https/3"]);
        assert!(there.findings()[0].says.contains("does not answer the Module Server: it refuses"));
        for probe in [seen(Vantage::Admin), closed(Vantage::Admin)] {
            let elsewhere = unknown(&[probe]);
            elsewhere.assert_undecided(Outcome::NotEvaluated);
            assert!(elsewhere.undecided().unwrap().reason.contains("--vantage module-server"));
        }
        // A run of the morning does not tell of noon; a failed one that names the host stays.
        let finished = |probe: Probe| reach("Finished", "").probes(&LISTENERS, &[probe]).judge();
        finished(closed(Vantage::ModuleServer)).assert_findings(&["https/3"]);
        finished(closed(Vantage::Admin)).assert_pass();
        let long_ago = Some("2026-06-29T12:00:00Z".parse().unwrap());
        finished(Probe { at: long_ago, ..closed(Vantage::ModuleServer) }).assert_pass();
        reach("Failed", "Error: connect ETIMEDOUT siem.example:443")
            .probes(&LISTENERS, &[seen(Vantage::ModuleServer)])
            .judge()
            .assert_findings(&["https/3"]);
        // Other hosts, names that nobody could be asked for, and listeners that say nothing, tell nothing.
        unknown(&[Probe { host: "other.example".to_owned(), ..seen(Vantage::ModuleServer) }])
            .assert_undecided(Outcome::NotEvaluated);
        for (stage, trouble) in [(Stage::Resolve, Trouble::NoResolver), (Stage::Greeting, Trouble::TimedOut)]
        {
            unknown(&[Probe { stage, trouble: Some(trouble), ..closed(Vantage::ModuleServer) }])
                .assert_undecided(Outcome::NotEvaluated);
        }
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
