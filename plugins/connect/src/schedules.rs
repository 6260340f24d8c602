//! Review and remediate connection schedules: what runs when, and whether it did.

use crate::WHO;
use crate::cron::{Schedule, Unusable};
use crate::inputs::with_elements;
use crate::inputs::{CONNECTIONS, Connection, DETAILS, RunStatus};
use serde_json::json;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and remediate connection schedules", 24)];

const GRACE_MINUTES: Setting = Setting::integer("grace_minutes", 60, 1, 10_080)
    .unit("minutes")
    .about("how late a run may begin before it counts as missed");

/// `connect.next-run`
pub const NEXT_RUN: Check = Check::automated("connect.next-run")
    .title("Each scheduled connection has a plausible next run")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS])
    .settings(&[&GRACE_MINUTES])
    .guide(GUIDE)
    .what(
        "Works out from schedule and time zone when each enabled connection was last due. A connection \
         without a usable schedule is a finding; so is one that did not run since a due time that is more \
         than `grace_minutes` ago, unless it runs now or was changed after that time. Where the list comes \
         from an export, its Next Run is compared with the schedule as well. Connections that wait for \
         events have no schedule.",
    )
    .why("A connection that silently stopped being scheduled has no failed run, so no list of failures shows it.")
    .limits(
        "The service does not tell the Next Run that the Console shows; it is computed. Time zones are \
         those known when the plugin was built: a zone whose rules changed since may be an hour off.",
    )
    .related(&["connect.owner-active", "connect.persona-exists"])
    .remedy(&NEXT_RUN_REMEDY)
    .judge(next_run);

const NEXT_RUN_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "look at Owner and Run as Persona first: a connection stops when either is deleted",
    ),
    Step::decision(
        "owner or persona is gone",
        "transfer the connection to an existing user, or export and import it as a new one, before touching \
         the schedule",
    ),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "Edit, set the Schedule and its time zone again, Save, and see that Next Run shows the expected time",
    ),
    Step::decision(
        "many connections miss their times together",
        "look at the limits on processes and memory of Connect: connections wait when they are reached",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Save and Run sends data to the destination at once; Save alone does not."])
.references(&["Connect User Guide: Edit connections"]);

fn next_run(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let grace = SignedDuration::from_mins(facts.integer(&GRACE_MINUTES)?);
    let connections = with_elements(facts)?;
    // An exported list is as old as its file.
    let as_of = facts.at(&CONNECTIONS)?;
    let exported = facts.source(&CONNECTIONS)? == "export";
    let scheduled: Vec<&Connection> = connections
        .iter()
        .filter(|connection| !connection.is_off() && !connection.is_event_driven())
        .collect();
    if scheduled.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no enabled connection runs by a schedule"));
    }
    let mut undecided = Vec::new();
    for connection in scheduled {
        let Some(cron) = connection.cron() else {
            report.finding(about(facts, connection, "is enabled and has no schedule".to_owned()));
            continue;
        };
        let schedule = match Schedule::new(cron, &connection.schedule_time_zone) {
            Ok(schedule) => schedule,
            Err(Unusable::NotCron(why)) => {
                report.finding(about(
                    facts,
                    connection,
                    format!("its schedule {cron:?} cannot be read: {why}"),
                ));
                continue;
            }
            Err(Unusable::UnknownZone(zone)) => {
                undecided.push(format!("the time zone {zone:?} of {:?} is unknown", connection.name));
                continue;
            }
        };
        let wrong = missed(connection, &schedule, as_of - grace)
            .or_else(|| if exported { shown_wrong(connection, &schedule, as_of, grace) } else { None });
        if let Some(says) = wrong {
            report.finding(about(facts, connection, says));
        }
    }
    settle(&undecided)
}

fn about(facts: &Facts<'_>, connection: &Connection, says: String) -> Finding {
    Finding::on(connection.subject()).says(says).expected("a run at every due time").evidence(facts.seen(
        &CONNECTIONS,
        json!({"schedule": connection.schedule, "scheduleTimeZone": connection.schedule_time_zone,
               "lastRunTime": connection.last_run_time, "nextRun": connection.next_run}),
    ))
}

/// Whether the last due time before `until` passed without a run.
fn missed(connection: &Connection, schedule: &Schedule, until: Timestamp) -> Option<String> {
    let due = schedule.before(until)?;
    let runs_now = matches!(
        connection.last_run_status,
        Some(RunStatus::Starting | RunStatus::Waiting | RunStatus::Running)
    );
    let ran = connection.last_run_time.is_some_and(|last| last >= due);
    let changed = connection.created_at.max(connection.updated_at).is_some_and(|changed| changed >= due);
    if runs_now || ran || changed {
        return None;
    }
    let last =
        connection.last_run_time.map_or_else(|| "never ran".to_owned(), |last| format!("last ran {last}"));
    Some(format!("was due at {due} and did not run; it {last}"))
}

/// What is wrong with the Next Run of an exported list.
fn shown_wrong(
    connection: &Connection,
    schedule: &Schedule,
    as_of: Timestamp,
    grace: SignedDuration,
) -> Option<String> {
    let Some(next) = connection.next_run else { return Some("shows no Next Run".to_owned()) };
    if next < as_of - grace {
        return Some(format!("shows a Next Run in the past: {next}"));
    }
    let due = schedule.after(as_of)?;
    (next > due + grace).then(|| format!("shows {next} as its Next Run, and is due at {due}"))
}

/// `connect.schedule-expected`
pub const SCHEDULE_EXPECTED: Check = Check::hybrid("connect.schedule-expected")
    .title("Each connection has the schedule it should have")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&CONNECTIONS, &DETAILS])
    .guide(GUIDE)
    .what(
        "Lists the schedule, time zone and state (on or off) of every connection. Somebody confirms once \
         that each is as it should be; when one of the three changes, the connection is listed again. \
         Connections that wait for events must be switched on, or confirmed to be off on purpose.",
    )
    .why("A schedule that was changed for a test and never set back sends too much, too little, or at a bad hour.")
    .limits("Which schedule is the right one is for people to say.")
    .remedy(&SCHEDULE_REMEDY)
    .judge(schedule_expected);

const SCHEDULE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the connection", "ask which schedule it should have"),
    Step::decision("it is right as it is", "confirm it here: the confirmation is bound to {state}"),
    Step::console("Modules > Connect > Connections > {subject}", "Edit, update the Schedule settings, Save"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Save and Run sends data to the destination at once; Save alone does not."])
.references(&["Connect User Guide: Edit connections"]);

fn schedule_expected(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    for connection in &with_elements(facts)? {
        let Some(on) = connection.enabled else {
            let reason = format!("whether {:?} is switched on was not told", connection.name);
            return Err(Undecided::not_evaluated(reason));
        };
        let switch = if on { "on" } else { "off" };
        let zone =
            if connection.schedule_time_zone.is_empty() { "no zone" } else { &connection.schedule_time_zone };
        let (state, says) = match connection.cron() {
            _ if connection.is_event_driven() && on => {
                (format!("listens, {switch}"), "listens for its events".to_owned())
            }
            _ if connection.is_event_driven() => (
                format!("listens, {switch}"),
                "does not listen for its events: it is switched off".to_owned(),
            ),
            Some(cron) => (
                format!("{cron} ({zone}), {switch}"),
                format!("runs at {cron} ({zone}) and is switched {switch}"),
            ),
            None => (format!("no schedule, {switch}"), format!("has no schedule and is switched {switch}")),
        };
        report.finding(
            Finding::on(connection.subject())
                .says(says)
                .expected("the schedule that was confirmed for it")
                .confirms(&state)
                .fill("state", &state)
                .evidence(facts.seen(&CONNECTIONS, &state)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn connection(changes: Value) -> Value {
        let mut connection = json!({"id": 1, "name": "a", "enabled": true, "schedule": "0 * * * *",
            "scheduleTimeZone": "UTC", "lastRunTime": "2026-06-30T11:00:02Z", "lastRunStatus": "Finished",
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"});
        for (key, value) in changes.as_object().unwrap() {
            connection[key] = value.clone();
        }
        connection
    }

    fn case(check: &'static Check, changes: Value, source: &str) -> Case {
        Case::of(check)
            .rows(&CONNECTIONS, json!([connection(changes)]))
            .rows(&DETAILS, json!([{"id": 1, "name": "a", "streams": [source]}]))
    }

    fn next(changes: Value) -> Case {
        case(&NEXT_RUN, changes, "/v1/sources/savedquestions/1")
    }

    #[test]
    fn a_run_at_the_last_due_time_passes() {
        next(json!({})).judge().assert_pass();
        next(json!({})).assert_needs_its_inputs();
    }

    #[test]
    fn a_due_time_without_a_run_is_found_after_the_grace() {
        // It is 12:00: the hourly run of 11:00 is due since 60 minutes.
        next(json!({"lastRunTime": "2026-06-30T10:00:00Z"})).judge().assert_findings(&["1"]);
        next(json!({"lastRunTime": "2026-06-30T10:00:00Z"}))
            .setting("grace_minutes", 61)
            .judge()
            .assert_pass();
        next(json!({"lastRunTime": null, "lastRunStatus": null})).judge().assert_findings(&["1"]);
    }

    #[test]
    fn a_run_under_way_or_a_late_change_excuses() {
        next(json!({"lastRunTime": "2026-06-30T10:00:00Z", "lastRunStatus": "Running"}))
            .judge()
            .assert_pass();
        let changed = json!({"lastRunTime": "2026-06-30T10:00:00Z", "updatedAt": "2026-06-30T11:30:00Z"});
        next(changed).judge().assert_pass();
    }

    #[test]
    fn a_missing_or_unreadable_schedule_is_found_and_an_unknown_zone_undecided() {
        for schedule in ["", "{}", "whenever"] {
            next(json!({"schedule": schedule})).judge().assert_findings(&["1"]);
        }
        next(json!({"scheduleTimeZone": "Mars/Olympus"})).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn events_and_connections_that_are_off_have_no_next_run() {
        let event = case(&NEXT_RUN, json!({"schedule": "{}"}), "/v1/sources/events/1");
        event.judge().assert_undecided(Outcome::NotApplicable);
        next(json!({"enabled": false})).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn the_next_run_of_an_export_is_compared() {
        let exported = |shown: &str| {
            let row = json!({"Name": "a", "Enabled": "true", "Schedule": "0 * * * *", "Status": "Finished",
                             "Last Run": "2026-06-30T11:00:02Z", "Next Run": shown});
            Case::of(&NEXT_RUN)
                .rows(&CONNECTIONS, json!([row]))
                .from_source(&CONNECTIONS, "export", "2026-06-30T11:30:00Z")
                .rows(&DETAILS, json!([{"name": "a", "streams": ["/v1/sources/savedquestions"]}]))
        };
        exported("2026-06-30T12:00:00Z").judge().assert_pass();
        for wrong in ["", "2026-06-29T12:00:00Z", "2026-07-09T12:00:00Z"] {
            exported(wrong).judge().assert_findings(&["a"]);
        }
    }

    #[test]
    fn the_state_changes_with_schedule_zone_and_switch() {
        let state = |changes, source: &str| {
            let verdict = case(&SCHEDULE_EXPECTED, changes, source).judge();
            verdict.findings()[0].state.clone().unwrap()
        };
        let question = "/v1/sources/savedquestions/1";
        let states = [
            state(json!({}), question),
            state(json!({"schedule": "5 * * * *"}), question),
            state(json!({"scheduleTimeZone": "Europe/Berlin"}), question),
            state(json!({"enabled": false}), question),
            state(json!({"schedule": "{}"}), "/v1/sources/events/1"),
            state(json!({"schedule": "{}", "enabled": false}), "/v1/sources/events/1"),
        ];
        let distinct: std::collections::BTreeSet<&String> = states.iter().collect();
        assert_eq!(distinct.len(), states.len(), "{states:?}");
        assert_eq!(states[0], state(json!({"lastRunTime": "2026-06-30T10:00:00Z"}), question));
    }

    #[test]
    fn an_unknown_switch_is_undecided() {
        let unknown = case(&SCHEDULE_EXPECTED, json!({"enabled": null}), "/v1/sources/savedquestions/1");
        unknown.judge().assert_undecided(Outcome::NotEvaluated);
        case(&SCHEDULE_EXPECTED, json!({}), "/v1/sources/savedquestions/1").assert_needs_its_inputs();
    }
}
