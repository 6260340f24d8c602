//! How the objects of the service look in JSON, with every field that the vendor's document requires.

use super::{BlockList, CATEGORIES, Deployment, Job, Patch, PatchList, ScanConfiguration, Target, Window};
use crate::areas::questions::evaluate;
use crate::clock::{days, iso_millis};
use crate::state::State;
use jiff::Timestamp;
use serde_json::{Value, json};

/// How many endpoints are in a computer group.
pub(super) fn members(state: &State, group: u64) -> u64 {
    let Some(group) = state.groups.by_id(group) else { return 0 };
    let condition = group.condition();
    state.fleet.all().filter(|endpoint| evaluate::holds(state, &condition, endpoint)).count() as u64
}

/// A share of all endpoints, rounded up.
pub(super) fn share(state: &State, permille: u64) -> u64 {
    (state.fleet.count * permille).div_ceil(1000)
}

fn content_set() -> Value {
    json!({"contentSetId": 50, "id": 50, "name": "Patch Content Set", "description": "Default container for objects."})
}

/// Adds what all objects of the service have: content set, makers, times.
fn owned(state: &State, mut value: Value) -> Value {
    let created = iso_millis(state.now - days(300));
    for (key, shared) in [
        ("contentSet", content_set()),
        ("contentSetId", json!(50)),
        ("createdAt", json!(created)),
        ("createdByTaniumUserId", json!(1)),
        ("createdByTaniumUsername", json!("tanium")),
        ("updatedAt", json!(created)),
    ] {
        if value.get(key).is_none() {
            value[key] = shared;
        }
    }
    value
}

pub(super) fn job(job: &Job, now: Timestamp) -> Value {
    let (created, updated) = (iso_millis(now - days(1)), iso_millis(now - days(1)));
    json!({
        "id": job.id, "description": job.description, "type": job.kind, "status": "complete", "runAgain": true,
        "retryAttempt": 1, "createdByTaniumUserId": null, "createdAt": created, "updatedAt": updated,
        "startTime": null, "canRun": true,
        "tasks": [{
            "id": job.id * 10, "description": job.description, "status": job.task_status, "logs": job.log,
            "createdAt": created, "updatedAt": updated,
        }],
    })
}

pub(super) fn uup_status(state: &State) -> Value {
    let failed = state.patch.uup_failed;
    json!({
        "status": if failed { "failed" } else { "complete" },
        "completedAt": iso_millis(state.now - days(if failed { 9 } else { 1 })),
        "total": 42,
        "synced": if failed { 30 } else { 42 },
    })
}

pub(super) fn patch(state: &State, patch: &Patch) -> Value {
    let neutral = json!({"status": "inapplicable", "score": 0, "endpointCount": 0, "percentage": 0.0});
    let issue = json!({"status": "inapplicable", "endpointCount": 0, "percentage": 0.0});
    let created = patch.released.strftime("%Y-%m-%d 08:33:35.520 +00:00").to_string();
    json!({
        "taniumUid": format!("333f1bbe3929133e5d2cf2db{}", patch.article.to_lowercase()),
        "osType": patch.os,
        "title": patch.title,
        "isUninstallable": false,
        "severity": patch.severity,
        "releaseDate": patch.released.strftime("%-m/%-d/%Y").to_string(),
        "releaseDateInteger": patch.released.strftime("%Y%m%d").to_string().parse::<u64>().unwrap_or_default(),
        "bulletins": "None",
        "sizeInBytes": 67_919_168,
        "msGuid": "2c6db99f-8d39-4580-8474-31c45fb79525",
        "kbArticles": patch.article,
        "cveIds": "None",
        "urls": "N/A",
        "files": format!("{}.exe", patch.article.to_lowercase()),
        "isSuperseded": false,
        "createdAt": created,
        "updatedAt": created,
        "applicabilityCount": share(state, patch.applies_permille),
        "kbUrls": "",
        "customField": "None",
        "product": "Windows 11",
        "classification": "Security updates",
        "confidenceScore": {
            "status": "calculating", "score": 0, "endpointCount": 0,
            "measurements": {
                "installationSuccess": neutral,
                "installationIssues": {"failed": issue, "aborted": issue, "rolledBack": issue},
                "uninstalls": neutral,
            },
        },
    })
}

pub(super) fn block_list(state: &State, list: &BlockList) -> Value {
    owned(
        state,
        json!({
            "id": list.id, "name": list.name, "osType": list.os, "enforcementCount": list.targets.len(),
            "ruleCount": list.rules, "patchIdCount": 0, "patchTaniumUids": [], "currentBlacklistVersionId": 1,
        }),
    )
}

pub(super) fn window(state: &State, window: &Window) -> Value {
    owned(
        state,
        json!({
            "id": window.id, "name": window.name, "osType": window.os,
            "startTime": iso_millis(window.start), "endTime": iso_millis(window.end),
            "repeatType": window.repeat, "repeatEvery": window.repeat.map(|_| 1), "repeatOnWeekly": null,
            "repeatByMonthly": null, "repeatByMonthlyRelativeDays": null, "repeatByMonthlyRelativeWeek": null,
            "repeatByMonthlyRelativeWeekday": null, "enforcementCount": window.targets.len(),
            "useTaniumClientTimeZone": true, "issuerTimezone": "", "tzOffset": null,
            "currentMaintenanceWindowVersionId": 1, "lastModifiedByTaniumUserId": 1,
            "lastModifiedByTaniumUsername": "tanium",
        }),
    )
}

/// Endpoints that neither lack the enforcement nor have an old version of it obey.
pub(super) fn enforcement(state: &State, model: &str, id: u64, target: &Target) -> Value {
    let all = members(state, target.group);
    json!({
        "id": id * 1000 + target.group,
        "createdAt": iso_millis(state.now - days(200)),
        "createdByTaniumUserId": 1,
        "createdByTaniumUsername": "tanium",
        "taniumGroupId": target.group,
        "taniumGroupName": state.groups.name(target.group),
        "modelId": id,
        "modelName": model,
        "isInitialized": target.initialized,
        "enforcementCounts": {
            "enforcedCount": all.saturating_sub(target.unenforced + target.old_version),
            "unenforcedCount": target.unenforced,
            "unenforcedWrongVersionCount": target.old_version,
            "waitingForInitialScanCount": 0,
            "waitingForScanIntervalCount": 0,
            "downloadingCount": 0,
            "scanningCount": 0,
        },
    })
}

/// The example writes "disabled" where no snapshot is used, and a number as the version.
pub(super) fn scan_configuration(one: &ScanConfiguration) -> Value {
    json!({
        "id": one.id, "name": one.name, "osType": one.os, "technique": one.technique,
        "frequencyInHours": one.hours, "maxAgeMinutes": null, "randomScanDelayMinutes": one.delay_minutes,
        "useSnapshotForDeployment": false, "deploymentSnapshotId": "disabled", "versionId": 1,
        "hasScanWindow": false, "enforcementCount": one.targets.len(),
        "createdAt": iso_millis(one.updated), "updatedAt": iso_millis(one.updated),
    })
}

pub(super) fn scan_profile(state: &State) -> Value {
    let categories = state.patch.scanned.iter();
    let categories = categories.map(|(guid, name)| ((*guid).to_owned(), json!({"name": name})));
    json!({
        "id": 1, "url": "https://sws.update.microsoft.com", "type": "MS Update", "active": true,
        "certificateName": null, "certificate": null, "contentDownloadPort": null,
        "selections": {
            "categories": categories.collect::<serde_json::Map<_, _>>(),
            "classifications": [{"guid": "e6cf1350-c01b-414d-a61f-263d14d133b4", "name": "Critical Updates"}],
        },
        "createdAt": iso_millis(state.now - days(300)), "updatedAt": iso_millis(state.now - days(300)),
    })
}

pub(super) fn selections() -> Value {
    let category = |(guid, name, product, product_name): &(&str, &str, &str, &str)| {
        json!({"guid": guid, "revision": 200, "name": name,
            "products": [{"guid": product, "revision": 200, "name": product_name}]})
    };
    json!({
        "categories": CATEGORIES.iter().map(category).collect::<Vec<_>>(),
        "classifications": [{"guid": "e6cf1350-c01b-414d-a61f-263d14d133b4", "name": "Critical Updates"}],
    })
}

/// What the list and a single deployment have in common.
fn shared(one: &Deployment, now: Timestamp) -> Value {
    let (targets, questions) = if one.groups.is_empty() {
        (Value::Null, json!([question_group(one)]))
    } else {
        (json!(one.groups), Value::Null)
    };
    json!({
        "id": one.id, "name": one.name, "type": "install", "osType": one.os,
        "frequencyType": if one.ongoing { "ongoing" } else { "single" },
        "contentSet": content_set(), "contentSetId": 50,
        "createdAt": iso_millis(one.start), "createdByTaniumUsername": "tanium",
        "lastModifiedByTaniumUsername": "tanium", "updatedAt": iso_millis(one.updated),
        "startTime": iso_millis(one.start), "endTime": one.end.map(iso_millis), "stoppedAt": null,
        "initializedAt": one.initialized.then(|| iso_millis(one.start)),
        "issuerTimezone": "UTC", "useTaniumClientTimeZone": false, "eussAvailableBeforeStart": false,
        "isActive": one.is_active(now), "isEnded": one.is_ended(now),
        "targetedComputerGroupIds": targets, "targetedQuestionGroupIds": questions,
    })
}

/// The id of the group behind the question of a deployment.
fn question_group(one: &Deployment) -> u64 {
    2000 + one.id
}

fn group_ids(one: &Deployment) -> Vec<u64> {
    if one.groups.is_empty() { vec![question_group(one)] } else { one.groups.clone() }
}

pub(super) fn deployment(one: &Deployment, now: Timestamp) -> Value {
    let mut value = shared(one, now);
    value["patchListCount"] = 1.into();
    value["taniumGroupIds"] = json!(group_ids(one));
    value["taniumGroupIdCount"] = group_ids(one).len().into();
    value["completeCount"] = one.complete.into();
    value["needsAttentionCount"] = one.needs_attention.into();
    value
}

pub(super) fn deployment_details(state: &State, one: &Deployment, now: Timestamp) -> Value {
    let group = |id: &u64| {
        let known = state.groups.by_id(*id);
        json!({
            "id": id,
            "name": known.map(|group| group.name.clone()),
            "text": known.map_or(" Computer Name contains xyz".to_owned(), |group| format!(" {}", group.text)),
            "isDeleted": one.deleted.contains(id),
            "inAnyBlacklist": false,
        })
    };
    let stage = if one.initialized { "Initialized" } else { "Uninitialized" };
    let standing = if one.is_active(now) { "Active" } else { "Inactive" };
    let list = state.patch.patch_lists.iter().find(|list| list.id == one.patch_list);
    let list = list.map(|list| {
        json!({
            "id": list.id, "versionId": 1, "name": list.name, "osType": list.os, "includeSupersededPatches": true,
            "rules": [], "patchTaniumUids": [], "patches": [], "createdByTaniumUserId": 25,
            "createdByTaniumUsername": "Patch", "createdAt": iso_millis(now - days(300)),
            "updatedAt": iso_millis(now - days(300)),
        })
    });
    let mut value = shared(one, now);
    let more = json!({
        "description": "", "legacyOsType": "", "osOptions": null, "createdByTaniumUserId": 1,
        "lastModifiedByTaniumUserId": 1, "downloadImmediately": true, "distributeOverTimeMinutes": 60,
        "overrideBlacklists": false, "overrideMaintenanceWindows": one.overrides_windows, "restart": true,
        "eussHideFromActivity": false, "targetedComputerNames": null, "targetLimitingGroupIds": [],
        "targetLimitingGroups": [], "taniumGroupIds": group_ids(one),
        "taniumGroups": group_ids(one).iter().map(group).collect::<Vec<_>>(),
        "statusLabel": format!("{standing} - {stage}"),
        "patchListsWithLatestVersion": list.into_iter().collect::<Vec<_>>(), "patchListsWithPinnedVersion": [],
        "patches": [], "installOrUninstallClientNotification": {},
        "restartClientNotification": notification(now),
        "userPrivileges": {"addComputerGroup": false, "reinitialize": false, "reissue": false, "stop": false},
    });
    for (key, field) in more.as_object().into_iter().flatten() {
        value[key] = field.clone();
    }
    // Here the end may be left out, and questions are a list in any case.
    if one.end.is_none()
        && let Some(fields) = value.as_object_mut()
    {
        fields.remove("endTime");
    }
    if !one.groups.is_empty() {
        value["targetedQuestionGroupIds"] = json!([]);
    }
    value
}

fn notification(now: Timestamp) -> Value {
    json!({
        "id": 3, "allowPostpone": true, "postponeDurationInMinutes": 1440, "countdownToDeadlineInMinutes": 10,
        "gentleNotificationDurationInMinutes": null, "userPostponementPeriodInMinutesOne": 60,
        "userPostponementPeriodInMinutesTwo": 120, "userPostponementPeriodInMinutesThree": 240,
        "title": "Restart", "icon": "", "body": "", "bodyImage": "", "includeFrame": true, "translations": [],
        "createdAt": iso_millis(now - days(300)), "updatedAt": iso_millis(now - days(300)),
    })
}

pub(super) fn patch_list(state: &State, list: &PatchList) -> Value {
    owned(
        state,
        json!({
            "id": list.id, "name": list.name, "osType": list.os, "isTaniumManaged": list.managed,
            "includeSupersededPatches": true, "applicabilityTotals": [], "activeDeployments": [], "rules": [],
            "patchTaniumUids": [], "currentPatchListVersionId": 1, "ruleCount": 1, "patchIdCount": 0,
        }),
    )
}

/// Half of what is missing is critical.
pub(super) fn applicability(state: &State, list: &PatchList) -> Value {
    let missing = share(state, list.missing_permille);
    let counts = |severity: &str, missing: u64| {
        json!({"severity": severity, "notInstalledCount": missing, "installedCount": state.fleet.count,
            "installedPendingRestartCount": 0, "uninstalledPendingRestartCount": 0})
    };
    json!({
        "patchList": {"id": list.id, "name": list.name},
        "applicabilityCounts": [counts("Critical", missing / 2), counts("Important", missing - missing / 2)],
    })
}
