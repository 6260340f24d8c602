//! What became of the session: the action that opens it, the way it takes, and the settings it needs.

use crate::connections::{OPEN_SESSION, SESSION_DAYS, SESSIONS, Session};
use crate::inputs::pages::{ACTIVE_CONNECTIONS, ActiveConnection, ZONE_PROXIES, ZoneProxy};
use crate::results::{Fared, Results};
use crate::sessions::has_failed;
use crate::tools::CONFIGURE;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ScheduleStatus, ScheduledAction};

/// An action is under way for so long before it counts as one that does not run.
const UNDERWAY: SignedDuration = SignedDuration::from_mins(10);

/// Also of actions that are not over: a session that is just being opened is among these.
pub(super) const RESULTS: Input =
    Input::new("direct-connect.all-session-results", "what endpoints reported of all these actions").sources(
        &[Source::rest("/api/v2/result_data/action/{id}?row_start=0&row_count=1000")
            .rows_under("result_sets")
            .each(Each::row_of("direct-connect.sessions").variables(&[("id", "id")]).limit(500))
            .needs(&["read own action"])],
    );

/// Its own list, because the results run over it.
pub(super) const CONFIGURATIONS: Input =
    Input::new("direct-connect.configure-actions", "scheduled actions that bring the settings to endpoints").sources(&[
        Source::rest("/api/v2/saved_actions")
            .options(
                r#"{"cache_expiration":60,"cache_filters":[{"field":"name","operator":"RegexMatch","value":"Deploy Direct Connect - Configure Extension.*"}]}"#,
            )
            .needs(&["read own action"])
            .complete_with(&["read action"]),
    ]);

pub(super) const CONFIGURED_ENDPOINTS: Input =
    Input::new("direct-connect.configure-results", "what endpoints reported of their last runs").sources(&[
        Source::rest("/api/v2/result_data/action/{id}?row_start=0&row_count=5000")
            .rows_under("result_sets")
            .each(
                Each::row_of("direct-connect.configure-actions")
                    .variables(&[("id", "last_action/id")])
                    .limit(20),
            )
            .needs(&["read own action"]),
    ]);

/// The newest action that opened a session to the endpoint, and how the endpoint says it fared.
struct Newest {
    name: String,
    start: Timestamp,
    status: String,
}

fn newest(facts: &Facts<'_>) -> Result<Option<Newest>, Undecided> {
    let days = facts.integer(&SESSION_DAYS)?;
    let sessions: Vec<Session> = facts.rows(&SESSIONS)?;
    let recent = sessions.iter().filter_map(|session| {
        let start = session.start_time.filter(|start| facts.days_since(*start) < days)?;
        session.name.starts_with(OPEN_SESSION).then_some((session, start))
    });
    let recent: Vec<(&Session, Timestamp)> = recent.collect();
    if recent.is_empty() {
        if let Some(gap) = facts.gaps(&SESSIONS)?.first() {
            let reason =
                format!("no session was opened within {days} days, but not all actions are seen: {gap}");
            return Err(Undecided::not_evaluated(reason));
        }
        return Ok(None);
    }
    let results: Vec<Results> = facts.rows(&RESULTS)?;
    let endpoint = facts.subject()?;
    let own = recent.iter().flat_map(|(session, start)| {
        let of_it = results.iter().filter(|results| results.of.id == session.id);
        let statuses = of_it.flat_map(|results| results.statuses_of(endpoint));
        statuses.map(|status| Newest { name: session.name.clone(), start: *start, status })
    });
    own.max_by_key(|one| one.start).map(Some).ok_or_else(|| {
        let (count, noun) = (recent.len(), if recent.len() == 1 { "session was" } else { "sessions were" });
        let reason = format!(
            "{count} {noun} opened within {days} days, and none of the results names this endpoint: the actions' \
             names do not tell whom they are for"
        );
        Undecided::not_evaluated(reason)
    })
}

fn told(newest: &Newest) -> String {
    format!("{}, {}: {}", newest.name, newest.start, newest.status)
}

/// N4: the action was issued.
pub(super) const ISSUED: Reading =
    Reading::new("direct-connect.session-action", "the newest Open Session action for the endpoint")
        .reads(&[&SESSIONS, &RESULTS])
        .settings(&[&SESSION_DAYS])
        .by(|facts, report| {
            let Some(newest) = newest(facts)? else {
                report.note(format!("no session was opened within {} days", facts.integer(&SESSION_DAYS)?));
                return Ok("none".to_owned());
            };
            report.note(told(&newest));
            let is_young = facts.since(newest.start) < UNDERWAY;
            let waits = Fared::of(&newest.status) == Fared::Underway && is_young;
            Ok(if waits { "under-way" } else { "issued" }.to_owned())
        });

/// N5: the action ran.
pub(super) const RAN: Reading =
    Reading::new("direct-connect.session-ran", "how the Open Session action fared on the endpoint")
        .reads(&[&SESSIONS, &RESULTS])
        .settings(&[&SESSION_DAYS])
        .by(|facts, report| {
            let Some(newest) = newest(facts)? else {
                return Err(Undecided::not_evaluated("no session was opened to it lately"));
            };
            report.note(told(&newest));
            match Fared::of(&newest.status) {
                Fared::Well => Ok("ran".to_owned()),
                // An action that expires was never begun.
                Fared::Badly if newest.status.to_lowercase().contains("expired") => {
                    Ok("did-not-run".to_owned())
                }
                Fared::Badly => Ok("failed".to_owned()),
                Fared::Underway => Ok("did-not-run".to_owned()),
                Fared::Unknown => Err(Undecided::not_evaluated(format!(
                    "what the result {:?} means is not known",
                    newest.status
                ))),
            }
        });

/// N10: the way that sessions to the endpoint take.
pub(super) const PATH: Reading =
    Reading::new("direct-connect.session-path", "the way that sessions to the endpoint take")
        .reads(&[&ACTIVE_CONNECTIONS])
        .by(|facts, report| {
            let proxy = proxy(facts)?;
            report.note(if proxy.is_empty() {
                "no proxy in the grid".to_owned()
            } else {
                format!("proxy {proxy}")
            });
            Ok(if proxy.is_empty() { "direct" } else { "zone-proxy" }.to_owned())
        });

/// The proxy of the endpoint in the grid of active connections.
fn proxy(facts: &Facts<'_>) -> Result<String, Undecided> {
    let endpoint = facts.subject()?;
    let sessions: Vec<ActiveConnection> = facts.rows(&ACTIVE_CONNECTIONS)?;
    let own = sessions.into_iter().find(|session| session.host.trim().eq_ignore_ascii_case(endpoint));
    own.map(|session| session.proxy.trim().to_owned())
        .ok_or_else(|| Undecided::not_evaluated("it is not in the grid of active connections"))
}

/// N10: the zone proxy is connected.
pub(super) const PROXY: Reading =
    Reading::new("direct-connect.session-proxy", "the zone proxy between the endpoint and the Module Server")
        .reads(&[&ZONE_PROXIES, &ACTIVE_CONNECTIONS])
        .by(|facts, report| {
            let all: Vec<ZoneProxy> = facts.rows(&ZONE_PROXIES)?;
            let name = proxy(facts).unwrap_or_default();
            let named: Vec<&ZoneProxy> = all
                .iter()
                .filter(|proxy| !name.is_empty() && proxy.name.trim().eq_ignore_ascii_case(&name))
                .collect();
            let candidates: Vec<&ZoneProxy> = if named.is_empty() { all.iter().collect() } else { named };
            for proxy in &candidates {
                report.note(format!("{} is {}", proxy.name.trim(), proxy.status.trim()));
            }
            let connected = candidates.iter().filter(|proxy| proxy.is_connected()).count();
            match (connected, candidates.len()) {
                (_, 0) => Err(Undecided::not_evaluated("no zone proxy is in the list")),
                (0, _) => Ok("not-connected".to_owned()),
                (connected, all) if connected == all => Ok("connected".to_owned()),
                _ => Err(Undecided::not_evaluated(
                    "some zone proxies are connected, and which one it uses is not told",
                )),
            }
        });

/// N11: the endpoint has the present settings.
pub(super) const CONFIGURED: Reading =
    Reading::new("direct-connect.endpoint-configured", "how Configure Extension fared on the endpoint")
        .reads(&[&CONFIGURATIONS, &CONFIGURED_ENDPOINTS])
        .by(|facts, report| {
            let actions: Vec<ScheduledAction> = facts.rows(&CONFIGURATIONS)?;
            let own = actions.iter().filter(|action| {
                action.name.starts_with(CONFIGURE) && action.status() != Some(ScheduleStatus::Deleted)
            });
            let ids: Vec<&str> =
                own.filter_map(|action| action.last_action.as_ref()).map(|last| last.id.as_str()).collect();
            let results: Vec<Results> = facts.rows(&CONFIGURED_ENDPOINTS)?;
            let endpoint = facts.subject()?;
            let own = results.iter().filter(|results| ids.contains(&results.of.id.as_str()));
            let statuses: Vec<String> = own.flat_map(|results| results.statuses_of(endpoint)).collect();
            report.note(format!("{CONFIGURE}: {}", statuses.join(", ")));
            let fared: Vec<Fared> = statuses.iter().map(|status| Fared::of(status)).collect();
            if fared.contains(&Fared::Badly) {
                Ok("old".to_owned())
            } else if !fared.is_empty() && fared.iter().all(|one| *one == Fared::Well) {
                Ok("current".to_owned())
            } else {
                Err(Undecided::not_evaluated(format!("the results of {CONFIGURE} do not name this endpoint")))
            }
        });

/// What failed in the grid of active connections.
pub(super) const FAILED: Reading =
    Reading::new("direct-connect.failed-sessions", "endpoints whose sessions failed")
        .reads(&[&ACTIVE_CONNECTIONS])
        .by(|facts, report| {
            let sessions: Vec<ActiveConnection> = facts.rows(&ACTIVE_CONNECTIONS)?;
            let failed: Vec<&str> = sessions
                .iter()
                .filter(|session| has_failed(session))
                .map(|session| session.host.trim())
                .collect();
            report.note(format!("{} of {} sessions", failed.len(), sessions.len()));
            Ok(failed.join("\n"))
        });
