//! How actions and packages look in JSON and in export files.

use super::{Action, ActionGroup, Package, PackageFile, SavedAction};
use crate::areas::Export;
use crate::areas::people::user_reference;
use crate::clock::{iso, iso_plain};
use crate::random;
use crate::state::State;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) fn action_group(group: &ActionGroup) -> Value {
    json!({
        "and_flag": 0,
        "created_persona": {"id": 0},
        "created_time": iso(group.modified),
        "created_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
        "deleted_flag": 0,
        "groups": group.groups.iter().map(|id| json!({"id": id})).collect::<Vec<_>>(),
        "id": group.id,
        "modified_persona": {"id": 0},
        "modified_time": iso(group.modified),
        "modified_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
        "name": group.name,
        "public_flag": 1,
        "user_groups": [],
    })
}

pub(super) fn package_file(file: &PackageFile, modified: Timestamp) -> Value {
    let at = iso(modified);
    let done = if file.cached() { file.size } else { 0 };
    json!({
        "bytes_downloaded": done,
        "bytes_total": file.size,
        "cache_status": file.cache_status,
        "direct_download_flag": false,
        "download_seconds": 0,
        "download_start_time": at,
        "file_status": [{
            "bytes_downloaded": done,
            "bytes_total": file.size,
            "cache_message": "",
            "cache_status": file.cache_status,
            "download_identifier": "",
            "download_start_time": at,
            "last_download_progress_time": at,
            "server_id": 1,
            "server_name": "ts1.lab.example:17472",
            "status": file.status,
        }],
        "hash": random::hex(file.id, "package file", file.size, 64),
        "id": file.id,
        "last_download_progress_time": at,
        "name": file.name,
        "size": file.size,
        "source": "",
        "status": file.status,
    })
}

pub(super) fn package(package: &Package) -> Value {
    let at = iso(package.modified);
    let available = package.files.iter().all(PackageFile::cached);
    json!({
        "available_time": if available { at.clone() } else { crate::clock::NEVER.to_owned() },
        "command": package.command,
        "command_timeout": 600,
        "content_set": {"id": 5, "name": package.content_set},
        "creation_time": at,
        "deleted_flag": false,
        "display_name": package.name,
        "expire_seconds": 3600,
        "files": package.files.iter().map(|file| package_file(file, package.modified)).collect::<Vec<_>>(),
        "hidden_flag": false,
        "id": package.id,
        "last_modified_by": "Administrator",
        "last_update": at,
        "mod_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
        "modification_time": at,
        "name": package.name,
        "parameter_definition": "",
        "process_group_flag": true,
        "skip_lock_flag": false,
        "source_hash": random::hex(package.id, "package", 0, 64),
        "source_id": 0,
        "verify_expire_seconds": 3600,
        "verify_group": {"id": 0},
        "verify_group_id": 0,
    })
}

/// Packages of scheduled actions are copies with an id of their own; `source_id` names the original.
fn derived_package(state: &State, saved: &SavedAction) -> Value {
    let Some(original) = state.actions.package(saved.package) else { return Value::Null };
    let mut value = package(original);
    value["id"] = (10_000 + saved.id).into();
    value["source_id"] = original.id.into();
    value["hidden_flag"] = true.into();
    let parameters =
        saved.parameters.iter().map(|(key, value)| json!({"key": key, "type": 0, "value": value}));
    value["parameters"] = parameters.collect();
    value
}

fn group_reference(state: &State, id: u64) -> Value {
    json!({"id": id, "name": state.groups.name(id)})
}

fn action_group_reference(state: &State, id: u64) -> Value {
    json!({"id": id, "name": state.actions.group_name(id)})
}

/// `end_time` is `Never` where there is none, as in the vendor's examples.
pub(super) fn saved_action(state: &State, saved: &SavedAction) -> Value {
    let user = user_reference(&state.people, saved.user);
    json!({
        "action_group": action_group_reference(state, saved.action_group),
        "action_group_id": saved.action_group,
        "approved_flag": saved.approved,
        "approver": user_reference(&state.people, 1),
        "comment": "",
        "creation_time": iso(saved.created),
        "distribute_seconds": 60,
        "end_time": saved.end.map_or_else(|| "Never".to_owned(), iso),
        "expire_seconds": saved.expire_seconds,
        "id": saved.id,
        "issue_count": saved.issue_count,
        "issue_seconds": saved.issue_seconds,
        "last_action": {
            "id": saved.last_action(),
            "start_time": iso_plain(saved.last_start),
            "target_group": {"id": saved.target_group},
        },
        "last_start_time": iso_plain(saved.last_start),
        "metadata": [],
        "mod_user": user,
        "name": saved.name,
        "next_start_time": if saved.status == 0 { iso_plain(saved.next_start()) } else { "Never".to_owned() },
        "package_spec": derived_package(state, saved),
        "persona": {"id": 0, "name": ""},
        "policy_flag": false,
        "priority": 0,
        "public_flag": false,
        "start_time": iso_plain(saved.created),
        "status": saved.status,
        "target_group": group_reference(state, saved.target_group),
        "user": user,
    })
}

pub(super) fn action(state: &State, action: &Action) -> Value {
    let package = state.actions.package(action.package).map_or(Value::Null, package);
    json!({
        "action_group": action_group_reference(state, action.action_group),
        "approver": user_reference(&state.people, 1),
        "comment": "",
        "creation_time": iso(action.start),
        "distribute_seconds": 60,
        "expiration_time": iso(action.expires),
        "expire_seconds": action.expires.duration_since(action.start).as_secs(),
        "history_saved_question": {"id": 20_000 + action.id},
        "id": action.id,
        "name": action.name,
        "package_spec": package,
        "priority": 0,
        "saved_action": {"id": action.saved_action.unwrap_or_default()},
        "skip_lock_flag": false,
        "start_time": iso(action.start),
        "status": action.status(state.now),
        "stopped_flag": false,
        "target_group": group_reference(state, action.target_group),
        "user": user_reference(&state.people, action.user),
    })
}

/// The three Console pages that an administrator can export.
pub(super) fn exports(state: &State) -> Vec<Export> {
    let actions = &state.actions;
    let groups = actions.groups.iter().map(|group| {
        let names: Vec<&str> = group.groups.iter().map(|id| state.groups.name(*id)).collect();
        vec![group.name.to_owned(), names.join(", "), "OR".to_owned()]
    });
    let saved = actions.saved.iter().map(|saved| {
        let parameters: Vec<String> =
            saved.parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
        vec![
            saved.id.to_string(),
            saved.name.clone(),
            ["Enabled", "Disabled", "Deleted"][usize::from(saved.status.min(2))].to_owned(),
            actions.package(saved.package).map_or("", |package| package.name).to_owned(),
            parameters.join("; "),
            actions.group_name(saved.action_group).to_owned(),
            state.groups.name(saved.target_group).to_owned(),
            state.people.user(saved.user).map_or("", |user| user.name.as_str()).to_owned(),
            iso(saved.created),
            saved.end.map_or_else(String::new, iso),
            iso(saved.last_start),
            if saved.status == 0 { iso(saved.next_start()) } else { String::new() },
            saved.issue_seconds.to_string(),
            iso(saved.modified),
        ]
    });
    let history = actions.runs.iter().map(|run| {
        let results = run.results(state);
        let saved = actions.saved.iter().find(|saved| Some(saved.id) == run.saved_action);
        vec![
            run.id.to_string(),
            run.name.clone(),
            saved.map_or_else(String::new, |saved| saved.name.clone()),
            iso(run.start),
            iso(run.expires),
            results.completed.to_string(),
            results.failed.to_string(),
            results.expired.to_string(),
        ]
    });
    vec![
        Export {
            file: "action-groups.csv",
            columns: &["Name", "Computer Groups", "Combine"],
            rows: groups.collect(),
        },
        Export {
            file: "scheduled-actions.csv",
            columns: &[
                "ID",
                "Name",
                "Status",
                "Package",
                "Parameters",
                "Action Group",
                "Target Group",
                "Issuer",
                "Start",
                "End",
                "Last Run",
                "Next Run",
                "Reissue",
                "Modified",
            ],
            rows: saved.collect(),
        },
        Export {
            file: "action-history.csv",
            columns: &[
                "Action ID",
                "Name",
                "Scheduled Action",
                "Start",
                "Expiration",
                "Completed",
                "Failed",
                "Expired",
            ],
            rows: history.collect(),
        },
    ]
}
