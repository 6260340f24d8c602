//! Sign-in, the current user, users, roles, personas and tokens.

use super::render;
use crate::clock::days;
use crate::session::Granted;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, get, post};
use serde_json::{Value, json};

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/api/v2/session/login", Need::Nobody, login),
        post("/api/v2/session/validate", Need::Nobody, validate),
        post("/api/v2/session/logout", Need::Nobody, logout),
        get("/api/v2/session/current", Need::Session, current),
        get("/api/v2/api_tokens", Need::Privilege("view token"), api_tokens),
        post("/api/v2/api_tokens", Need::Privilege("use token"), create_token),
        get("/api/v2/users", Need::Privilege("read user"), users),
        get("/api/v2/user/{id}/effective-roles", Need::Privilege("read user"), user_roles),
        get("/api/v2/persona/{id}/effective-roles", Need::Privilege("read persona"), persona_roles),
        get("/api/v2/personas", Need::Privilege("read persona"), personas),
        get("/api/v2/user_groups", Need::Privilege("read user group"), user_groups),
        // No privilege is documented for roles and privileges: any session may read them here.
        get("/api/v2/content_set_roles", Need::Session, roles),
        get("/api/v2/content_set_roles/memberships", Need::Session, memberships),
        get("/api/v2/content_set_privileges", Need::Session, privileges),
        get("/api/v2/content_sets", Need::Session, |_| Ok(Reply::data(render::content_sets()))),
    ]
}

fn text<'a>(body: &'a Value, key: &str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn login(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let domain = text(&body, "domain");
    let name = text(&body, "username");
    let name = if domain.is_empty() { name.to_owned() } else { format!("{domain}\\{name}") };
    let session = call.core.sessions.login(&call.state, call.now, &name, text(&body, "password"))?;
    Ok(Reply::data(json!({ "session": session })))
}

/// Takes the flat body of the schema and the wrapped one of the document's example. A bad session is answered with
/// the documented body and 403; a bad token with 401.
fn validate(call: &Call<'_>) -> Answer {
    let session = session_of(call)?;
    call.core.sessions.caller(&call.state, call.now, &session)?;
    Ok(Reply::data(json!({ "session": session })))
}

fn logout(call: &Call<'_>) -> Answer {
    let session = session_of(call)?;
    call.core.sessions.logout(&session)?;
    Ok(Reply::data(json!({ "session": session })))
}

fn session_of(call: &Call<'_>) -> Result<String, Refusal> {
    let body = call.json()?;
    let wrapped = body.get("data").map(|data| text(data, "session")).unwrap_or_default();
    let flat = text(&body, "session");
    Ok(if flat.is_empty() { wrapped } else { flat }.to_owned())
}

fn current(call: &Call<'_>) -> Answer {
    let sessions = call.core.sessions.active(call.caller.user);
    let mut user = match call.state.people.user(call.caller.user) {
        Some(user) => render::user(&call.state, user, &call.caller.privileges, sessions),
        // A user that exists only for a granted token.
        None => json!({
            "id": call.caller.user, "name": call.caller.name, "display_name": "", "domain": "",
            "deleted_flag": false, "locked_out": 0, "content_set_roles": [], "roles": [], "personas": [],
            "active_session_count": sessions,
        }),
    };
    user["effective_content_set_privileges"] = render::effective_wrapped(&call.caller.privileges);
    Ok(Reply::data(json!({ "user": user })))
}

fn api_tokens(call: &Call<'_>) -> Answer {
    let fixed = call.state.people.tokens.iter().map(|token| render::token(&call.state, token));
    let granted = call.core.sessions.granted();
    let all: Vec<Value> = fixed.chain(granted.iter().map(render::granted)).collect();
    Ok(Reply::data(all))
}

/// A token for the calling user. It lives seven days unless the body says otherwise, as documented.
fn create_token(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let life = body.get("expire_in_days").and_then(Value::as_i64).unwrap_or(7).max(1);
    let (token, granted) = call.core.sessions.grant(
        &call.state,
        Granted {
            id: 0,
            user: call.caller.user,
            user_name: call.caller.name.clone(),
            privileges: None,
            notes: text(&body, "notes").to_owned(),
            created: call.now,
            expires: call.now + days(life),
            expire_in_days: life,
            trusted: text(&body, "trusted_ip_addresses").to_owned(),
        },
    );
    let mut value = render::granted(&granted);
    value["token_string"] = token.into();
    Ok(Reply::data(value))
}

fn users(call: &Call<'_>) -> Answer {
    if call.state.people.summary_only && !call.options.summary {
        return Err(Refusal::new(
            400,
            "UsersNonSummaryViewDisallowed: the UsersNonSummaryViewDisallowed global setting is set to 1",
        ));
    }
    let shown = call.state.people.users.iter().filter(|user| !user.deleted || call.options.include_hidden);
    let all: Vec<Value> = shown
        .map(|user| {
            if call.options.summary {
                return render::user_summary(&call.state, user);
            }
            let privileges = if user.id == call.caller.user {
                (*call.caller.privileges).clone()
            } else {
                call.state.people.privileges_of(user.id)
            };
            render::user(&call.state, user, &privileges, call.core.sessions.active(user.id))
        })
        .collect();
    Ok(Reply::data(all))
}

fn user_roles(call: &Call<'_>) -> Answer {
    let id = call.id(0);
    if call.state.people.user(id).is_none() {
        return Err(Refusal::not_found("UserNotFound", "No user matches the specified ID."));
    }
    effective_roles(call, &call.state.people.roles_of(id))
}

fn persona_roles(call: &Call<'_>) -> Answer {
    let id = call.id(0);
    let Some(persona) = call.state.people.personas.iter().find(|persona| persona.id == id) else {
        return Err(Refusal::not_found("PersonaNotFound", "No persona matches the specified ID."));
    };
    effective_roles(call, &persona.roles)
}

fn effective_roles(call: &Call<'_>, ids: &[u64]) -> Answer {
    let roles: Vec<Value> = ids.iter().map(|id| render::role_reference(&call.state, *id)).collect();
    Ok(Reply::data(json!({ "effective_roles": roles })))
}

fn personas(call: &Call<'_>) -> Answer {
    let all: Vec<Value> = call.state.people.personas.iter().map(render::persona).collect();
    Ok(Reply::data(all))
}

fn user_groups(call: &Call<'_>) -> Answer {
    let all: Vec<Value> =
        call.state.people.user_groups.iter().map(|group| render::user_group(&call.state, group)).collect();
    Ok(Reply::data(all))
}

fn roles(call: &Call<'_>) -> Answer {
    let all: Vec<Value> = call.state.people.roles.values().map(render::role).collect();
    Ok(Reply::data(all))
}

/// Roles without members are left out, as are the lists that would be empty.
fn memberships(call: &Call<'_>) -> Answer {
    let people = &call.state.people;
    let all: Vec<Value> = people.roles.keys().filter_map(|id| render::membership(people, *id)).collect();
    Ok(Reply::data(json!({ "content_set_roles": all })))
}

fn privileges(_: &Call<'_>) -> Answer {
    let administrator = std::iter::once(crate::session::ADMINISTRATOR);
    let all: Vec<Value> =
        administrator.chain(super::PRIVILEGES.iter().copied()).map(render::privilege).collect();
    Ok(Reply::data(all))
}
