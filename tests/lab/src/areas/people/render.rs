//! How users, roles, personas and tokens look in JSON.

use super::{People, Persona, Role, Token, User, UserGroup, privilege_id};
use crate::areas::Export;
use crate::clock::{self, NEVER, iso};
use crate::session::Granted;
use crate::state::State;
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

/// The content sets that roles name.
const CONTENT_SETS: [(u64, &str); 3] = [(1, "Reserved"), (2, "Base"), (31, "Direct Connect")];

fn content_set_id(name: &str) -> u64 {
    CONTENT_SETS.iter().find(|(_, set)| *set == name).map_or(0, |(id, _)| *id)
}

pub(super) fn content_sets() -> Vec<Value> {
    let set = |(id, name): &(u64, &str)| json!({"deleted_flag": 0, "description": "", "id": id, "name": name, "reserved_name": name});
    CONTENT_SETS.iter().map(set).collect()
}

pub(super) fn role(role: &Role) -> Value {
    let everywhere = role.privileges.iter().map(|name| (*name, Value::Null));
    let on_sets = role.content.iter().map(|(name, set)| (*name, json!({"id": content_set_id(set)})));
    let privileges: Vec<Value> = everywhere
        .chain(on_sets)
        .enumerate()
        .map(|(at, (name, content_set))| {
            json!({
                "content_set": content_set,
                "content_set_privilege": {"id": privilege_id(name)},
                "content_set_role": {"id": role.id},
                "deleted_flag": 0,
                "id": role.id * 1000 + at as u64,
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

/// The members of a role; nothing where it has none.
pub(super) fn membership(people: &People, role: u64) -> Option<Value> {
    let users = people.users.iter().filter(|user| user.roles.contains(&role));
    let users: Vec<Value> = users.map(|user| json!({"id": user.id, "name": user.name})).collect();
    let groups = people.user_groups.iter().filter(|group| group.roles.contains(&role));
    let groups: Vec<Value> = groups.map(|group| json!({"id": group.id, "name": group.name})).collect();
    let mut value = json!({ "id": role });
    for (key, members) in [("users", users), ("user_groups", groups)] {
        if !members.is_empty() {
            value[key] = members.into();
        }
    }
    (value.as_object().is_some_and(|fields| fields.len() > 1)).then_some(value)
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

pub(super) fn token(state: &State, token: &Token) -> Value {
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
        "last_used_on": token.used.map_or_else(|| NEVER.to_owned(), iso),
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

/// What an administrator can export from the pages of users and personas.
pub(super) fn exports(state: &State) -> Vec<Export> {
    let people = &state.people;
    let name = |id: &u64| people.user(*id).map_or("", |user| user.name.as_str()).to_owned();
    let users = people.users.iter().filter(|user| !user.deleted).map(|user| {
        let locked = if user.locked_out == 0 { "No" } else { "Yes" };
        vec![
            user.id.to_string(),
            user.name.clone(),
            user.domain.clone(),
            user.display_name.clone(),
            locked.to_owned(),
            user.last_login.map_or_else(|| "Never".to_owned(), iso),
        ]
    });
    let personas = people.personas.iter().map(|persona| {
        let users: Vec<String> = persona.users.iter().map(name).collect();
        let groups: Vec<&str> = people
            .user_groups
            .iter()
            .filter(|group| persona.user_groups.contains(&group.id))
            .map(|group| group.name)
            .collect();
        vec![persona.id.to_string(), persona.name.to_owned(), users.join("; "), groups.join("; ")]
    });
    let of_users = people.users.iter().filter(|user| !user.deleted).flat_map(|user| {
        let rows = people.roles_of(user.id).into_iter().filter_map(|id| people.roles.get(&id));
        let group = state.groups.name(user.group).to_owned();
        let rows = rows.flat_map(|role| role.privileges.iter().map(|name| (role.name, *name)));
        let row = |(role, privilege): (&str, &str)| {
            let [role, privilege] = [role, privilege].map(str::to_owned);
            vec![user.name.clone(), "Default".to_owned(), role, privilege, "All".to_owned(), group.clone()]
        };
        rows.map(row).collect::<Vec<_>>()
    });
    let of_personas = people.personas.iter().flat_map(|persona| {
        let row = |privilege: String| vec![persona.name.to_owned(), privilege, "All".to_owned()];
        people.privileges_by(&persona.roles).into_iter().map(row).collect::<Vec<_>>()
    });
    let tokens = people.tokens.iter().map(|token| {
        vec![
            token.id.to_string(),
            String::new(),
            name(&token.user),
            "Default".to_owned(),
            iso(token.created),
            iso(token.expires),
            token.used.map_or_else(|| "Never".to_owned(), iso),
        ]
    });
    vec![
        Export {
            file: "api-tokens.csv",
            columns: &["id", "name", "user", "persona", "created", "expiration", "last used"],
            rows: tokens.collect(),
        },
        Export {
            file: "users.csv",
            columns: &["ID", "Name", "Domain", "Display Name", "Locked Out", "Last Sign In"],
            rows: users.collect(),
        },
        Export {
            file: "personas.csv",
            columns: &["ID", "Name", "Users", "User Groups"],
            rows: personas.collect(),
        },
        Export {
            file: "user-effective-permissions.csv",
            columns: &["User", "Persona", "Role", "Permission", "Content Set", "Computer Group"],
            rows: of_users.collect(),
        },
        Export {
            file: "persona-effective-permissions.csv",
            columns: &["Persona", "Permission", "Content Set"],
            rows: of_personas.collect(),
        },
    ]
}
