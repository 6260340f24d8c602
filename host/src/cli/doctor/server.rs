//! What the doctor sees of the deployment: reached, logged in, clock, token, privileges.

use super::Line;
use crate::calendar::day;
use crate::cli::permissions;
use crate::cli::site::Site;
use crate::collect::session::Session;
use crate::collect::transport::{Call, Transport};
use crate::config::Auth;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use tancheck_plugin_api::Outcome;

/// A token that ends sooner deserves a warning.
const TOKEN_DAYS: i64 = 3;
/// Times of the server are compared with this machine's: more than this is worth a warning.
const CLOCK: SignedDuration = SignedDuration::from_secs(120);

pub(super) async fn examine(site: &Site, secret: Option<SecretString>, lines: &mut Vec<Line>) {
    let Ok(deployment) = site.layers.deployment() else {
        lines.push(Line::skipped("server", "the configuration does not say which"));
        return;
    };
    let Some(secret) = secret else {
        lines.push(Line::skipped("server", "there is no secret to log in with"));
        return;
    };
    let session = match Session::with_secret(&deployment, &site.layers.limits(), secret).await {
        Ok(session) => session,
        Err(problem) => {
            let reached = problem.status.is_some() || problem.outcome == Outcome::NoPermission;
            if reached {
                lines.push(Line::ok("server", format!("{} answers", deployment.url)));
            }
            let name = if reached { "login" } else { "server" };
            lines.push(Line::fail(name, problem.reason, "see the sentence"));
            return;
        }
    };
    lines.push(Line::ok("server", format!("{} answers", deployment.url)));
    let account = session.account();
    let user = if account.user.is_empty() { "an account the server does not name" } else { &account.user };
    let persona = account.persona.as_ref().map(|name| format!(", persona {name}")).unwrap_or_default();
    lines.push(Line::ok("login", format!("as {user}{persona}")));
    let transport = session.transport();
    lines.push(clock(transport.clock_skew()));
    if matches!(deployment.auth, Auth::Token(_)) {
        lines.push(token(&transport, user, (Timestamp::now(), &site.layers.zone())).await);
    }
    lines.push(privileges(site, &session));
    session.close().await;
}

fn clock(skew: Option<SignedDuration>) -> Line {
    match skew {
        None => Line::skipped("clock", "the server does not tell its time"),
        Some(skew) if skew.abs() <= CLOCK => Line::ok("clock", "agrees with the server's"),
        Some(skew) => {
            let way = if skew.is_positive() { "behind" } else { "ahead of" };
            Line::warn(
                "clock",
                format!("this machine is {} s {way} the server", skew.abs().as_secs()),
                "synchronise both clocks: checks compare times of the server with the time of the run",
            )
        }
    }
}

/// An API token as `/api/v2/api_tokens` lists it.
#[derive(Debug, Deserialize)]
struct ApiToken {
    id: Option<u64>,
    #[serde(default)]
    expiration: String,
    #[serde(default)]
    last_used_on: String,
    #[serde(default)]
    user: Value,
}

/// When the token ends. The server lists tokens without their text; the one of this user that was used last is ours,
/// because it was used just now.
async fn token(transport: &impl Transport, user: &str, (now, zone): (Timestamp, &TimeZone)) -> Line {
    let name = "token end";
    let body = match transport.send(&Call::get("/api/v2/api_tokens"), Vec::<u8>::new).await {
        Ok(body) => body,
        Err(problem) => return Line::skipped(name, &problem.reason),
    };
    let rows = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let rows = rows.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let tokens = rows.into_iter().filter_map(|row| serde_json::from_value::<ApiToken>(row).ok());
    let own = tokens.filter(|one| {
        let name = one.user.get("name").and_then(Value::as_str);
        one.id.is_some() && name.is_none_or(|name| name == user)
    });
    let last = own.max_by_key(|one| time(&one.last_used_on));
    let Some((id, end)) = last.and_then(|one| Some((one.id?, time(&one.expiration)?))) else {
        return Line::skipped(name, "the server does not list the token");
    };
    let seen = format!("token {id} ends on {}", day(end, zone));
    let left = end.duration_since(now).as_hours();
    if left < TOKEN_DAYS * 24 {
        return Line::warn(name, seen, "rotate it in the Console, or grant tokens a longer life");
    }
    Line::ok(name, seen)
}

/// A time of the server; `2001-01-01` stands for never.
fn time(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().filter(|time| time.as_second() > 1_000_000_000)
}

fn privileges(site: &Site, session: &Session) -> Line {
    let name = "privileges";
    if session.privileges().is_none() {
        return Line::skipped(name, "the server does not tell what the account may");
    }
    let enabled = site.enabled();
    let manifests: Vec<_> = enabled.iter().map(|one| &one.manifest).collect();
    let wanted: Vec<String> = permissions::least(&manifests);
    match session.account().lacking(&wanted).as_slice() {
        [] if session.account().is_administrator() => Line::warn(
            name,
            "the account is the administrator",
            "tancheck only reads: give it the role that \"tancheck permissions\" shows",
        ),
        [] => Line::ok(name, format!("all {} that the enabled plugins want", wanted.len())),
        lacking => Line::warn(
            name,
            format!("{} of {} are lacking: {}", lacking.len(), wanted.len(), lacking.join(", ")),
            "see \"tancheck permissions --compare\" for the checks that need them",
        ),
    }
}
