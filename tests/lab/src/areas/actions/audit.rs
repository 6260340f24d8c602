//! The audit log. The types are the documented ones; only those that a health check reads have entries.

use super::SavedAction;
use crate::areas::people::user_reference;
use crate::clock::iso;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, get};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// One change.
#[derive(Debug, Clone)]
pub(crate) struct AuditEntry {
    pub(crate) kind: &'static str,
    pub(crate) object: u64,
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    pub(crate) user: u64,
    /// 0 created, 1 changed, 2 deleted.
    pub(crate) change: u8,
    pub(crate) details: String,
}

impl AuditEntry {
    /// Creation and, if there was one, the last change.
    pub(crate) fn of_saved_action(saved: &SavedAction) -> Vec<Self> {
        let entry = |at: Timestamp, change: u8| Self {
            kind: "saved_actions_audit",
            object: saved.id,
            name: saved.name.clone(),
            at,
            user: saved.user,
            change,
            details: String::new(),
        };
        let mut all = vec![entry(saved.created, 0)];
        all.extend((saved.modified > saved.created).then(|| entry(saved.modified, 1)));
        all
    }
}

/// (name, column, source, object type), as documented.
const TYPES: &[(&str, &str, &str, &str)] = &[
    ("sensors_audit", "sensor_id", "sensors", "sensor"),
    ("global_settings_audit", "global_setting_id", "global_settings", "system_setting"),
    ("saved_questions_audit", "sq_id", "saved_questions", "saved_question"),
    ("packages_audit", "package_id", "packages", "package_spec"),
    ("saved_actions_audit", "saved_action_id", "saved_actions", "saved_action"),
    ("users_audit", "mod_user_id", "users", "user"),
    ("groups_audit", "group_id", "groups", "group"),
    ("authentication_audit", "mod_user_id", "", "authentication"),
    ("content_sets_audit", "content_set_id", "content_set", "content_set"),
    ("content_set_roles_audit", "content_set_role_id", "content_set_role", "content_set_role"),
    ("user_groups_audit", "user_group_id", "user_groups", "user_group"),
    ("personas_audit", "mod_persona_id", "personas", "persona"),
    ("plugin_schedules_audit", "plugin_schedule_id", "plugin_schedules", "plugin_schedule"),
    ("api_tokens_audit", "api_token_id", "", "api_token"),
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/api/v2/audit_types", Need::Privilege("read audit"), audit_types),
        get("/api/v2/audit_logs/{type}", Need::Privilege("read audit"), audit_log),
        get("/api/v2/audit_logs/{type}/{id}", Need::Privilege("read audit"), audit_log),
    ]
}

fn audit_types(_: &Call<'_>) -> Answer {
    let render = |(name, column, source, object_type): &(&str, &str, &str, &str)| json!({"name": name, "column": column, "source": source, "object_type": object_type});
    Ok(Reply::data(TYPES.iter().map(render).collect::<Vec<_>>()))
}

/// Takes the type by the name of `audit_types`, or by the object's singular or plural name. Unless `audit_history_size`
/// says otherwise, each object shows its newest entry only. The body is that of the document's examples,
/// `{"data": {"type", "id"?, "entries": […]}}`; its schema declares an array.
fn audit_log(call: &Call<'_>) -> Answer {
    let wanted = call.param(0);
    let stem = wanted.strip_suffix("_audit").unwrap_or(wanted);
    let singular = stem.strip_suffix('s').unwrap_or(stem);
    let kind = TYPES.iter().find(|(name, _, source, object)| {
        *name == wanted || *object == singular || (!source.is_empty() && *source == stem)
    });
    let Some((kind, _, _, object_type)) = kind else {
        return Err(Refusal::new(404, "InvalidUnorderedMap: the specified type does not exist"));
    };
    let one = (call.params.len() > 1).then(|| call.id(1));
    let mut entries = chosen(call, kind, one);
    match (call.options.audit_history_size, one) {
        (1, _) => {
            let mut seen = BTreeSet::new();
            entries.retain(|(_, entry)| seen.insert(entry.object));
        }
        (size, Some(_)) => entries.truncate(size),
        (_, None) => {}
    }
    let rows: Vec<Value> =
        entries.iter().map(|(row, entry)| render(call, *row, entry, object_type)).collect();
    let mut value = json!({"type": format!("{object_type}_audit"), "entries": rows});
    if let Some(id) = one {
        value["id"] = id.into();
    }
    Ok(Reply::data(value))
}

/// The entries of a kind within the times of the query, newest first.
fn chosen<'a>(call: &'a Call<'_>, kind: &str, one: Option<u64>) -> Vec<(usize, &'a AuditEntry)> {
    let time = |name: &str| call.query(name).and_then(|text| text.parse::<Timestamp>().ok());
    let (from, until) = (time("start_time"), time("end_time"));
    let all = call.state.actions.audit.iter().enumerate();
    let mut entries: Vec<(usize, &AuditEntry)> = all
        .filter(|(_, entry)| entry.kind == kind && one.is_none_or(|id| entry.object == id))
        .filter(|(_, entry)| from.is_none_or(|from| entry.at >= from))
        .filter(|(_, entry)| until.is_none_or(|until| entry.at <= until))
        .collect();
    entries.sort_by_key(|(row, entry)| (Reverse(entry.at), *row));
    entries
}

fn render(call: &Call<'_>, row: usize, entry: &AuditEntry, object_type: &str) -> Value {
    let user = user_reference(&call.state.people, entry.user);
    let type_name = ["CreateObject", "UpdateObject", "DeleteObject"][usize::from(entry.change.min(2))];
    json!({
        "audit_name": entry.name,
        "audit_row_id": row + 1,
        "creation_time": iso(entry.at),
        "details": entry.details,
        "last_modified_by": user["name"],
        "mod_user": user,
        "modification_time": iso(entry.at),
        "modifier_user_id": entry.user,
        "object_id": entry.object,
        "object_name": entry.name,
        "object_type_name": format!("{object_type}_audit"),
        "type": entry.change,
        "type_name": type_name,
    })
}
