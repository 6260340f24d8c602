//! Sessions that did not open.

use crate::results::{Fared, Results};
use crate::{DUE_EVERY_DAYS, TROUBLESHOOTING, WHO};
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, PluginSchedule};
use tancheck_plugin_api::templates::module_health::report_schedules;

/// The actions by which Direct Connect opens sessions; the endpoint's name ends their names.
pub(crate) const OPEN_SESSION: &str = "Deploy Direct Connect - Open Session - ";

pub(crate) const SESSIONS: Input = Input::new("direct-connect.sessions", "actions that opened sessions").sources(&[
    Source::rest("/api/v2/actions")
        .options(
            r#"{"cache_expiration":60,"cache_filters":[{"field":"name","operator":"RegexMatch","value":"Deploy Direct Connect - Open Session - .*"}]}"#,
        )
        .needs(&["read own action"])
        .complete_with(&["read action"]),
]);

const SESSION_RESULTS: Input =
    Input::new("direct-connect.session-results", "what endpoints reported of these actions").sources(&[
        Source::rest("/api/v2/result_data/action/{id}?row_start=0&row_count=1000")
            .rows_under("result_sets")
            .each(
                Each::row_of("direct-connect.sessions")
                    .only("status", &["Closed", "Expired", "Stopped"])
                    .variables(&[("id", "id")])
                    .limit(500),
            )
            .needs(&["read own action"]),
    ]);

pub(crate) const SESSION_DAYS: Setting =
    Setting::integer("session_days", 7, 1, 90).unit("days").about("how far back sessions are looked at");

/// Sessions open.
pub(crate) const CONNECTIONS: Check = Check::hybrid("direct-connect.connections")
    .title("Direct Connect can connect to endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SESSIONS, &SESSION_RESULTS, &PLUGIN_SCHEDULES])
    .settings(&[&SESSION_DAYS])
    .due_every(&DUE_EVERY_DAYS)
    .guide(TROUBLESHOOTING)
    .what("Looks at the actions that opened sessions within `session_days`: each that is over has to be completed on its endpoint. It also looks at the schedules of the module's service, and wants somebody to look for connection issues every `due_every_days`.")
    .why("Direct Connect is needed when something is wrong with an endpoint; then is a bad time to find out that it does not connect.")
    .limits("A session that the action opened may still fail afterwards: the list of sessions has no public route. Words of results that are not documented are shown and not judged.")
    .related(&["direct-connect.deploy-tools-action", "threat-response.failure-dec"])
    .caused_by(crate::HINDERED)
    .remedy(&REMEDY)
    .judge(connections);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Actions > Action History", "look at the action {subject}: target, result and log"),
    Step::question("Get Computer Name and Direct Connect - Tools Version from all machines", "see whether the tools of Direct Connect are there"),
    Step::consult(
        "Direct Connect User Guide: Troubleshooting Direct Connect",
        "work through the chapter for this endpoint; where it connects through a Zone Proxy, through that part too",
    ),
    Step::command(
        "tancheck attest direct-connect.connections --result done",
        "records that somebody looked for connection issues",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Troubleshooting Direct Connect"]);

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Session {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) start_time: Option<Timestamp>,
}

fn connections(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let schedules: Vec<PluginSchedule> = facts.rows(&PLUGIN_SCHEDULES)?;
    report_schedules(facts, report, schedules.iter().filter(|schedule| is_ours(schedule)));
    let sessions: Vec<Session> = facts.rows(&SESSIONS)?;
    let days = facts.integer(&SESSION_DAYS)?;
    let recent = |session: &&Session| {
        session.name.starts_with(OPEN_SESSION)
            && session.start_time.is_some_and(|start| facts.days_since(start) < days)
    };
    let recent: Vec<&Session> = sessions.iter().filter(recent).collect();
    if recent.is_empty() {
        report.note(format!("no session was opened within {days} days"));
        return Ok(());
    }
    let results: Vec<Results> = facts.rows(&SESSION_RESULTS)?;
    let mut unknown = Vec::new();
    for session in recent {
        let own = results.iter().filter(|results| results.of.id == session.id);
        let statuses: BTreeSet<String> = own.flat_map(Results::statuses).collect();
        let endpoint = session.name.strip_prefix(OPEN_SESSION).unwrap_or(&session.name);
        let failed: Vec<&str> =
            statuses.iter().map(String::as_str).filter(|status| Fared::of(status) == Fared::Badly).collect();
        for status in
            statuses.iter().filter(|status| !matches!(Fared::of(status), Fared::Well | Fared::Badly))
        {
            unknown.push(format!(
                "what the result {status:?} of the session with {endpoint} means is not known"
            ));
        }
        if !failed.is_empty() {
            report.finding(
                Finding::on(Subject::new("session", &session.id, &session.name))
                    .says(format!("did not open a session with {endpoint}: {}", failed.join(", ")))
                    .expected("Completed")
                    .confirms(failed.join(", "))
                    .evidence(facts.seen(&SESSION_RESULTS, &failed)),
            );
        }
    }
    settle(&unknown)
}

fn is_ours(schedule: &PluginSchedule) -> bool {
    let names =
        [&schedule.name, &schedule.plugin_bundle, &schedule.plugin_name].map(|name| name.to_lowercase());
    let is_dec = |name: &String| name.split(|one: char| !one.is_alphanumeric()).any(|word| word == "dec");
    names
        .iter()
        .any(|name| name.contains("direct connect") || name.contains("direct-connect") || is_dec(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(start: &str, status: &str) -> Case {
        let results: Value = json!([{"_of": {"id": 7},
            "columns": [{"name": "Computer Name"}, {"name": "Action Statuses"}, {"name": "Count"}],
            "rows": [{"data": [[{"text": "one"}], [{"text": format!("7:{status}.")}], [{"text": "1"}]]}]}]);
        Case::of(&CONNECTIONS)
            .rows(
                &PLUGIN_SCHEDULES,
                json!([{"id": 5, "name": "Direct Connect Service", "last_exit_code": 0}]),
            )
            .rows(
                &SESSIONS,
                json!([{"id": 7, "name": format!("{OPEN_SESSION}one"), "start_time": start},
                                    {"id": 8, "name": "Other", "start_time": start}]),
            )
            .rows(&SESSION_RESULTS, results)
    }

    #[test]
    fn sessions_that_opened_pass() {
        case("2026-06-29T00:00:00Z", "Completed").judge().assert_pass();
        case("2026-06-29T00:00:00Z", "Completed").assert_needs_its_inputs();
    }

    #[test]
    fn sessions_that_did_not_open_are_found_while_they_are_recent() {
        for status in ["Failed", "Expired"] {
            case("2026-06-29T00:00:00Z", status).judge().assert_findings(&["7"]);
            case("2026-06-01T00:00:00Z", status).judge().assert_pass();
        }
        case("2026-06-01T00:00:00Z", "Failed").setting("session_days", 60).judge().assert_findings(&["7"]);
    }

    #[test]
    fn words_that_are_not_known_are_not_judged() {
        case("2026-06-29T00:00:00Z", "Waiting").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_failing_service_is_found() {
        let failing = json!([{"id": 5, "plugin_bundle": "dec", "name": "x", "last_run_text": "ERROR: timed out"},
                             {"id": 6, "name": "Decoder", "last_run_text": "ERROR: timed out"}]);
        case("2026-06-29T00:00:00Z", "Completed")
            .rows(&PLUGIN_SCHEDULES, failing)
            .judge()
            .assert_findings(&["5"]);
    }
}
