//! How users, roles, personas and tokens look in JSON.

use super::{People, Persona, Role, Token, User, UserGroup, privilege_id};
use crate::clock::{self, NEVER, iso};
use crate::session::Granted;
use crate::state::State;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `{id, name, display_name, domain}`, as other objects name their users. Deleted users stay named.
pub(crate) fn user_reference(people: &People, id: u64) -> Value {
    match people.user(id) {
        Some(user) => json!({
            "id": id, "name": user.name, "display_name": user.display_name, "domain": user.domain
        }),
        None => json!({"id": id, "name": "", "display_name": "", "domain": ""}),
    }
}

/// The view of a list that asks for summaries.
pub(super) fn user_summary(state: &State, user: &User) -> Value {
    let login = user.last_login.map_or_else(|| NEVER.to_owned(), iso);
    let personas: Vec<Value> = state
        .people
        .personas
        .iter()
        .filter(|persona| persona.users.contains(&user.id))
        .map(|persona| json!({"id": persona.id, "name": persona.name}))
        .collect();
    json!({
        "id": user.id,
        "name": user.name,
        "display_name": user.display_name,
        "domain": user.domain,
        "deleted_flag": user.deleted,
        "locked_out": user.locked_out,
        "local_admin_flag": u8::from(user.local_admin),
        "external_flag": 0,
        "creation_time": iso(user.created),
        "modification_time": iso(user.created),
        "last_login": login,
        "previous_login": login,
        "group_id": user.group,
        "effective_group_id": user.group,
        "personas": personas,
    })
}

/// The whole view.
pub(super) fn user(state: &State, user: &User, privileges: &BTreeSet<String>, sessions: usize) -> Value {
    let mut value = user_summary(state, user);
    let named: Vec<Value> =
        state.people.roles_of(user.id).iter().map(|id| role_reference(state, *id)).collect();
    value["active_session_count"] = sessions.into();
    value["content_set_roles"] = named.clone().into();
    value["roles"] = named.into();
    value["permissions"] = json!([]);
    value["effective_content_set_privileges"] = effective(privileges);
    value
}

/// The current user's view wraps each part once more than the list does.
pub(super) fn effective_wrapped(privileges: &BTreeSet<String>) -> Value {
    let list: Vec<Value> =
        privileges.iter().map(|name| json!({"content_set_privilege": privilege(name)})).collect();
    json!([{"effective_content_set_privilege": {"content_set": {"id": 1}, "content_set_privilege_list": list}}])
}

fn effective(privileges: &BTreeSet<String>) -> Value {
    let list: Vec<Value> = privileges.iter().map(|name| privilege(name)).collect();
    json!([{"content_set": {"id": 1}, "content_set_privilege_list": list}])
}

pub(super) fn privilege(name: &str) -> Value {
    json!({
        "deleted_flag": 0,
        "explicit_only_flag": false,
        "id": privilege_id(name),
        "name": name,
        "privilege_module": "",
        "privilege_type": "",
        "reserved_name": name,
    })
}

pub(super) fn role_reference(state: &State, id: u64) -> Value {
    json!({"id": id, "name": state.people.roles.get(&id).map_or("", |role| role.name)})
}

pub(super) fn role(role: &Role) -> Value {
    let privileges: Vec<Value> = role
        .privileges
        .iter()
        .map(|name| {
            json!({
                "content_set": null,
                "content_set_privilege": {"id": privilege_id(name)},
                "content_set_role": {"id": role.id},
                "deleted_flag": 0,
                "id": role.id * 1000 + privilege_id(name) as u64,
            })
        })
        .collect();
    json!({
        "all_content_sets_flag": "1",
        "category": role.category,
        "content_set_role_privileges": privileges,
        "created_persona": {"id": 0},
        "created_time": NEVER,
        "created_user": {"id": 0},
        "deleted_flag": 0,
        "deny_flag": if role.deny { "1" } else { "0" },
        "description": "",
        "id": role.id,
        "modified_persona": {"id": 0},
        "modified_time": NEVER,
        "modified_user": {"id": 0},
        "name": role.name,
        "reserved_name": role.reserved_name,
    })
}

fn ids(all: &[u64]) -> Vec<Value> {
    all.iter().map(|id| json!({"id": id})).collect()
}

pub(super) fn persona(persona: &Persona) -> Value {
    json!({
        "content_set_role_list": ids(&persona.roles),
        "created_persona": {"id": 0},
        "created_time": NEVER,
        "created_user": {"id": 0},
        "deleted_flag": 0,
        "display_name": persona.name,
        "group": {"id": persona.group},
        "id": persona.id,
        "json_metadata": "",
        "modified_persona": {"id": 0},
        "modified_time": NEVER,
        "modified_user": {"id": 0},
        "name": persona.name,
        "require_reauthentication_flag": false,
        "user_group_list": ids(&persona.user_groups),
        "user_list": ids(&persona.users),
    })
}

pub(super) fn user_group(state: &State, group: &UserGroup) -> Value {
    json!({
        "content_set_roles": group.roles.iter().map(|id| role_reference(state, *id)).collect::<Vec<_>>(),
        "created_persona": {"id": 0},
        "created_time": NEVER,
        "created_user": {"id": 0},
        "deleted_flag": 0,
        "group": {"id": 0},
        "id": group.id,
        "modified_persona": {"id": 0},
        "modified_time": NEVER,
        "modified_user": {"id": 0},
        "name": group.name,
        "user_list": ids(&group.users),
    })
}

pub(super) fn token(state: &State, token: &Token, used: Timestamp) -> Value {
    json!({
        "id": token.id,
        "name": "",
        "deleted_flag": 0,
        "user": user_reference(&state.people, token.user),
        "persona": {"id": 0},
        "created_time": iso(token.created),
        "expiration": iso(token.expires),
        "notes": token.notes,
        "trusted_ip_addresses": token.trusted,
        "expire_in_days": token.expire_in_days,
        "last_used_on": iso(used),
    })
}

pub(super) fn granted(token: &Granted) -> Value {
    json!({
        "id": token.id,
        "name": "",
        "deleted_flag": 0,
        "user": {"id": token.user, "name": token.user_name, "display_name": "", "domain": ""},
        "persona": {"id": 0},
        "created_time": clock::iso(token.created),
        "expiration": clock::iso(token.expires),
        "notes": token.notes,
        "trusted_ip_addresses": token.trusted,
        "expire_in_days": token.expire_in_days,
        "last_used_on": clock::iso(token.created),
    })
}
