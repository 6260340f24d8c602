//! The service's routes, with the wrappers of the vendor's document.

use super::{PatchService, Target, render};
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, get};
use serde_json::{Value, json};

const SHOW: Need = Need::Privilege("show patch");
const DEPLOYMENTS: Need = Need::Privilege("patch deployment read");
const SCANS: Need = Need::Privilege("patch scan configuration read");
const PATCH_LISTS: Need = Need::Privilege("patch patchlist read");
/// The document names all of them, whatever is asked for.
const ENFORCEMENTS: Need = Need::AllOf(&[
    "patch block list read",
    "patch maintenance window read",
    "patch scan configuration read",
    "patch repository read",
]);
const SELECTIONS: Need =
    Need::AllOf(&["patch scan configuration read", "patch settings read", "windows patch user"]);

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/plugin/products/patch/v1/alerts", SHOW, alerts),
        get("/plugin/products/patch/v1/jobs", SHOW, jobs),
        get("/plugin/products/patch/v1/patches/windows-uup-update/status", SHOW, uup_status),
        get("/plugin/products/patch/v1/patches", SHOW, patches),
        get("/plugin/products/patch/v1/blacklists", Need::Privilege("patch block list read"), block_lists),
        get(
            "/plugin/products/patch/v1/maintenance-windows",
            Need::Privilege("patch maintenance window read"),
            windows,
        ),
        get("/plugin/products/patch/v1/enforcements", ENFORCEMENTS, enforcements),
        get("/plugin/products/patch/v1/scan-configurations", SCANS, scan_configurations),
        get("/plugin/products/patch/v1/scan-error-counts", SCANS, scan_errors),
        // The document names no privilege for this one.
        get("/plugin/products/patch/v1/tanium-scan-windows/profiles/active", Need::Session, scan_profile),
        get("/plugin/products/patch/v1/tanium-scan-windows/available-selections", SELECTIONS, selections),
        get("/plugin/products/patch/v1/deployments", DEPLOYMENTS, deployments),
        get("/plugin/products/patch/v1/deployments/{deploymentId}", DEPLOYMENTS, deployment),
        get("/plugin/products/patch/v1/patch-lists", PATCH_LISTS, patch_lists),
        get(
            "/plugin/products/patch/v1/applicability-counts/patch-list/{patchListId}",
            PATCH_LISTS,
            applicability,
        ),
    ]
}

fn wrapped(key: &str, rows: Vec<Value>) -> Answer {
    Ok(Reply::json(&json!({ key: rows })))
}

/// The service's own words for what is missing are not documented.
fn none(what: &str) -> Refusal {
    Refusal::new(404, format!("{what} not found"))
}

fn alerts(call: &Call<'_>) -> Answer {
    let render = |&(kind, description, action): &(&str, &str, &str)| json!({"type": kind, "description": description, "action": action});
    wrapped("warnings", call.state.patch.alerts.iter().map(render).collect())
}

fn jobs(call: &Call<'_>) -> Answer {
    wrapped("jobs", call.state.patch.jobs.iter().map(|job| render::job(job, call.now)).collect())
}

fn uup_status(call: &Call<'_>) -> Answer {
    Ok(Reply::json(&render::uup_status(&call.state)))
}

/// `applicableOnly`, `osType` and its twin `osCategory`, `skip` and `take`, as documented.
fn patches(call: &Call<'_>) -> Answer {
    let all = &call.state.patch.patches;
    let os = call.query("osType").or_else(|| call.query("osCategory")).unwrap_or("all");
    let only = call.query("applicableOnly") == Some("true");
    let wanted = all.iter().filter(|patch| os == "all" || patch.os == os);
    let wanted: Vec<&super::Patch> = wanted.filter(|patch| !only || patch.applies_permille > 0).collect();
    let page = wanted.iter().skip(call.query_number("skip").unwrap_or(0));
    let page = page.take(call.query_number("take").unwrap_or(usize::MAX));
    Ok(Reply::json(&json!({
        "patches": page.map(|patch| render::patch(&call.state, patch)).collect::<Vec<_>>(),
        "total": all.len(),
        "applicableCount": all.iter().filter(|patch| patch.applies_permille > 0).count(),
    })))
}

fn block_lists(call: &Call<'_>) -> Answer {
    let state = &call.state;
    wrapped(
        "blacklists",
        state.patch.block_lists.iter().map(|list| render::block_list(state, list)).collect(),
    )
}

fn windows(call: &Call<'_>) -> Answer {
    let state = &call.state;
    wrapped(
        "maintenanceWindows",
        state.patch.windows.iter().map(|window| render::window(state, window)).collect(),
    )
}

/// What is enforced on a computer group: its id and that.
type Enforced<'a> = (u64, &'a Target);

fn enforced<'a>(patch: &'a PatchService, model: &str) -> Option<Vec<Enforced<'a>>> {
    fn of(id: u64, targets: &[Target]) -> impl Iterator<Item = Enforced<'_>> {
        targets.iter().map(move |target| (id, target))
    }
    match model {
        "Blacklist" => Some(patch.block_lists.iter().flat_map(|one| of(one.id, &one.targets)).collect()),
        "MaintenanceWindow" => Some(patch.windows.iter().flat_map(|one| of(one.id, &one.targets)).collect()),
        "ScanConfiguration" => {
            Some(patch.scan_configurations.iter().flat_map(|one| of(one.id, &one.targets)).collect())
        }
        "Repo" => Some(Vec::new()),
        _ => None,
    }
}

/// `modelName` has to be given; `modelId` cuts the list.
fn enforcements(call: &Call<'_>) -> Answer {
    let model = call.query("modelName").unwrap_or_default();
    let all = enforced(&call.state.patch, model);
    let all = all.ok_or_else(|| Refusal::new(400, "modelName must be one of the documented models"))?;
    let wanted = all.iter().filter(|(id, _)| call.query("modelId").is_none_or(|text| text == id.to_string()));
    wrapped(
        "enforcements",
        wanted.map(|(id, target)| render::enforcement(&call.state, model, *id, target)).collect(),
    )
}

fn scan_configurations(call: &Call<'_>) -> Answer {
    let all = call.state.patch.scan_configurations.iter().map(render::scan_configuration);
    Ok(Reply::json(&json!({
        "scanConfigurations": all.collect::<Vec<_>>(),
        "userPrivileges": {
            "create": false, "createLinuxSnapshots": false, "manageLinuxSnapshots": false,
            "prioritizeScanConfigurations": false,
        },
    })))
}

/// Without errors the service writes one row that says so.
fn scan_errors(call: &Call<'_>) -> Answer {
    let patch = &call.state.patch;
    if patch.scan_errors.is_empty() {
        let none =
            json!({"scanConfigurationID": "No scan errors", "errorMessage": "", "count": 0, "errorCount": 0});
        return wrapped("scanErrorCounts", vec![none]);
    }
    let name = |id: u64| patch.scan_configurations.iter().find(|one| one.id == id).map_or("", |one| one.name);
    let render = |&(id, message, count): &(u64, &str, u64)| {
        json!({"scanConfigurationID": id.to_string(), "errorMessage": message, "count": count, "errorCount": count,
            "scanConfigurationName": name(id)})
    };
    wrapped("scanErrorCounts", patch.scan_errors.iter().map(render).collect())
}

fn scan_profile(call: &Call<'_>) -> Answer {
    Ok(Reply::json(&render::scan_profile(&call.state)))
}

fn selections(_: &Call<'_>) -> Answer {
    Ok(Reply::json(&render::selections()))
}

fn deployments(call: &Call<'_>) -> Answer {
    let all = call.state.patch.deployments.iter();
    wrapped("deployments", all.map(|one| render::deployment(one, call.now)).collect())
}

fn deployment(call: &Call<'_>) -> Answer {
    let id = call.id(0);
    let found = call.state.patch.deployments.iter().find(|one| one.id == id);
    let found = found.ok_or_else(|| none("deployment"))?;
    Ok(Reply::json(&render::deployment_details(&call.state, found, call.now)))
}

fn patch_lists(call: &Call<'_>) -> Answer {
    let state = &call.state;
    wrapped(
        "patchLists",
        state.patch.patch_lists.iter().map(|list| render::patch_list(state, list)).collect(),
    )
}

fn applicability(call: &Call<'_>) -> Answer {
    let id = call.id(0);
    let found = call.state.patch.patch_lists.iter().find(|one| one.id == id);
    let found = found.ok_or_else(|| none("patch list"))?;
    Ok(Reply::json(&render::applicability(&call.state, found)))
}
