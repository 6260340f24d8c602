//! `connect.unneeded`: no connection is kept that is no longer required.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{CONNECTIONS, Connection, FAILING_RUNS, Run, RunStatus, connections, runs_of};
use crate::owners;
use records::people::{USERS, User};
use serde_json::json;
use tancheck_plugin_api::prelude::*;

/// After how many days somebody is asked whether a connection is still needed.
const CANDIDATE_DAYS: Setting = Setting::integer("candidate_days", 90, 1, 365)
    .unit("days")
    .about("how long a connection may fail or be switched off before somebody is asked whether it is needed");

/// `connect.unneeded`
pub const UNNEEDED: Check = Check::hybrid("connect.unneeded")
    .title("No connection is kept that is no longer required")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&CONNECTIONS, &FAILING_RUNS, &USERS])
    .settings(&[&CANDIDATE_DAYS])
    .guide(GUIDE)
    .what(
        "Lists connections that have been failing or switched off for more than `candidate_days`, and those \
         whose owner is deleted or unknown. Somebody confirms that a listed connection is needed; the \
         confirmation holds until another reason appears.",
    )
    .why("A forgotten connection hides real failures in the list, and may send data to a place nobody watches any more.")
    .limits(
        "Need is a decision of people. The day on which a connection was switched off is not told; the day \
         of its last change is taken, which may be later. Failures are seen as far back as runs are kept, a \
         year at most.",
    )
    .related(&["connect.failed-connections", "connect.failed-report-routed"])
    .remedy(&REMEDY)
    .judge(unneeded);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the owner of the connection and those who receive its data",
        "ask whether it is still needed",
    ),
    Step::decision("it is needed", "confirm it here, with who said so; and repair it if it fails"),
    Step::console("Modules > Connect > Connections", "export the connection, so that it can be brought back"),
    Step::decision(
        "it is not needed, and you have the authority",
        "Modules > Connect > Connections: select it, Actions > Disable; when nobody missed it for a month, \
         Actions > Delete",
    ),
    Step::decision("it is not needed, and another team has the authority", "report it to that team"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    "The receiver, for example a SIEM, loses the data at once.",
    "Do not disable or delete connections without the authority to do so.",
])
.references(&["Connect User Guide: Edit connections", "Connect User Guide: Export connections"]);

fn unneeded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&CANDIDATE_DAYS)?;
    let connections = connections(facts)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    let runs: Vec<Run> = facts.rows(&FAILING_RUNS)?;
    for connection in &connections {
        let failing = failing_days(facts, connection, &runs).filter(|days| *days > limit);
        let off = off_days(facts, connection).filter(|days| *days > limit);
        let owner = owners::is_gone(facts, connection, &users)?;
        // The confirmation is bound to the kind of the reasons, not to the growing number of days.
        let reasons: Vec<(&str, String)> = [
            failing.map(|days| ("failing", format!("has been failing for {days} days"))),
            off.map(|days| ("off", format!("has been switched off for {days} days"))),
            owner.then(|| ("owner", "its owner is gone".to_owned())),
        ]
        .into_iter()
        .flatten()
        .collect();
        if reasons.is_empty() {
            continue;
        }
        let kinds: Vec<&str> = reasons.iter().map(|(kind, _)| *kind).collect();
        let texts: Vec<&str> = reasons.iter().map(|(_, text)| text.as_str()).collect();
        report.finding(
            Finding::on(connection.subject())
                .says(format!("may no longer be required: {}", texts.join("; ")))
                .expected("a confirmation that it is needed")
                .confirms(format!("needed although: {}", kinds.join(", ")))
                .evidence(facts.seen(
                    &CONNECTIONS,
                    json!({"enabled": connection.enabled, "lastRunTime": connection.last_run_time,
                           "updatedAt": connection.updated_at}),
                )),
        );
    }
    Ok(())
}

/// Days since the first failure after the last run that finished; from its creation, if none ever did.
fn failing_days(facts: &Facts<'_>, connection: &Connection, runs: &[Run]) -> Option<i64> {
    if connection.is_off() || connection.last_run_status != Some(RunStatus::Failed) {
        return None;
    }
    let failures = runs_of(runs, connection)
        .into_iter()
        .take_while(|run| run.status != Some(RunStatus::Finished))
        .filter(|run| run.status == Some(RunStatus::Failed));
    let first = failures.filter_map(|run| run.created_at).min();
    let never = (connection.finished_run_count == Some(0.0)).then_some(connection.created_at).flatten();
    [first, never, connection.last_run_time].into_iter().flatten().min().map(|since| facts.days_since(since))
}

fn off_days(facts: &Facts<'_>, connection: &Connection) -> Option<i64> {
    let changed = connection.updated_at.or(connection.last_run_time);
    if connection.is_off() { changed.map(|changed| facts.days_since(changed)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn case(extra: Value, runs: Value) -> Case {
        let mut connection = json!({"id": 1, "name": "a", "enabled": true, "userId": 7, "lastRunStatus": "Finished",
            "createdAt": "2025-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "finishedRunCount": 9});
        for (key, value) in extra.as_object().unwrap() {
            connection[key] = value.clone();
        }
        Case::of(&UNNEEDED)
            .rows(&CONNECTIONS, json!([connection]))
            .rows(&FAILING_RUNS, runs)
            .rows(&USERS, json!([{"id": 7, "name": "ann"}, {"id": 8, "name": "bob", "deleted_flag": true}]))
    }

    fn run(id: u32, status: &str, at: &str) -> Value {
        json!({"id": id, "connectionId": 1, "status": status, "createdAt": at})
    }

    #[test]
    fn a_connection_that_runs_and_has_an_owner_is_needed() {
        case(json!({}), json!([])).judge().assert_pass();
        case(json!({}), json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn failing_counts_from_the_first_failure_after_a_success() {
        let failing = json!({"lastRunStatus": "Failed", "lastRunTime": "2026-06-29T00:00:00Z"});
        let long =
            json!([run(1, "Failed", "2026-02-01T00:00:00Z"), run(2, "Failed", "2026-06-29T00:00:00Z")]);
        case(failing.clone(), long.clone()).judge().assert_findings(&["1"]);
        let mut with_success = long.as_array().unwrap().clone();
        with_success.push(run(3, "Finished", "2026-06-01T00:00:00Z"));
        case(failing.clone(), json!(with_success)).judge().assert_pass();
        let never = json!({"lastRunStatus": "Failed", "finishedRunCount": 0});
        case(never, json!([])).judge().assert_findings(&["1"]);
        case(failing, long).setting("candidate_days", 200).judge().assert_pass();
    }

    #[test]
    fn off_for_long_and_an_owner_who_is_gone_are_reasons() {
        let off = case(json!({"enabled": false, "userId": 8}), json!([])).judge();
        off.assert_findings(&["1"]);
        assert_eq!(off.findings()[0].state.as_deref(), Some("needed although: off, owner"));
        case(json!({"enabled": false, "updatedAt": "2026-06-01T00:00:00Z"}), json!([])).judge().assert_pass();
        case(json!({"userId": 99}), json!([])).judge().assert_findings(&["1"]);
    }
}
