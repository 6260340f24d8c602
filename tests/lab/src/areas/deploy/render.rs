//! How packages, deployments and profiles look in JSON and in export files.

use super::{Activity, Deploy, Deployment, Package, Profile};
use crate::areas::Export;
use crate::areas::fleet::Endpoint;
use crate::clock::{days, iso, iso_millis};
use crate::state::State;
use serde_json::{Value, json};

/// What uses a package, and other packages of the same software.
fn in_use(deploy: &Deploy, package: &Package) -> Value {
    let deployments = deploy.deployments.iter().filter(|deployment| deployment.package == package.id);
    let deployments = deployments.map(|deployment| {
        json!({
            "id": deployment.id,
            "editId": 1,
            "softwarePackageId": package.id,
            "name": deployment.name,
            "createdByTaniumUsername": "sam.novak",
            "createdAt": iso_millis(deployment.start),
        })
    });
    let profiles = deploy.profiles.iter().filter(|profile| profile.packages.contains(&package.id));
    let profiles = profiles.map(|profile| json!({"id": profile.id, "name": profile.name}));
    let siblings =
        deploy.packages.iter().filter(|other| other.id != package.id && other.title == package.title);
    let siblings = siblings.map(|other| {
        json!({
            "id": 1000 + other.id,
            "platform": other.platform,
            "productName": other.title,
            "productVendor": other.vendor,
            "editId": 1,
            "softwarePackageId": other.id,
            "productVersion": other.version,
        })
    });
    let bundles: Vec<Value> =
        bundles(deploy).into_iter().filter(|bundle| holds(bundle, package.id)).map(named).collect();
    json!({
        "bundles": bundles,
        "deployments": deployments.collect::<Vec<_>>(),
        "profiles": profiles.collect::<Vec<_>>(),
        "siblings": siblings.collect::<Vec<_>>(),
        "autoDeploymentConfigurations": [],
    })
}

fn holds(bundle: &Value, package: u64) -> bool {
    let parts = bundle["orderedSoftwarePackageIdsAndActions"].as_array();
    parts.is_some_and(|parts| parts.iter().any(|part| part["softwarePackageId"] == package))
}

fn named(bundle: Value) -> Value {
    json!({"id": bundle["id"], "name": bundle["name"]})
}

fn is_used(deploy: &Deploy, package: &Package) -> bool {
    let uses = in_use(deploy, package);
    ["bundles", "deployments", "profiles"]
        .iter()
        .any(|key| uses[key].as_array().is_some_and(|list| !list.is_empty()))
}

/// A row of the list.
pub(super) fn package(deploy: &Deploy, package: &Package) -> Value {
    json!({
        "id": package.id,
        "productName": package.title,
        "productVendor": package.vendor,
        "productVersion": package.version,
        "platform": package.platform,
        "inUseStatus": u8::from(is_used(deploy, package)),
        "allFilesCachedOnTaniumServer": package.cached_percent == 100,
        "fileCachePercentComplete": package.cached_percent,
        "createdAt": iso_millis(package.created),
        "updatedAt": iso_millis(package.created),
    })
}

/// The package by its own route.
pub(super) fn package_details(deploy: &Deploy, package: &Package) -> Value {
    let mut details = self::package(deploy, package);
    details["inUse"] = in_use(deploy, package);
    details["deletedAt"] = Value::Null;
    details["source"] = "Tanium".into();
    details["applicabilityCounts"] = Value::Null;
    details
}

/// The only bundle installs a browser.
pub(super) fn bundles(deploy: &Deploy) -> Vec<Value> {
    let Some(browser) = deploy.package(super::CHROME) else { return Vec::new() };
    vec![json!({
        "id": 2,
        "name": "New workstation",
        "description": "",
        "orderedSoftwarePackageIdsAndActions": [{
            "platform": browser.platform,
            "action": "installOrUpdate",
            "onFail": "exit",
            "useLatestApplicableVersion": false,
            "softwarePackageId": browser.id,
        }],
        "hasBeenDistributed": true,
        "inUse": null,
        "createdAt": iso_millis(browser.created),
        "updatedAt": iso_millis(browser.created),
    })]
}

pub(super) fn deployment(deployment: &Deployment) -> Value {
    let counts = deployment.counts.iter().map(|(status, count)| json!({"status": status, "count": count}));
    let count = |wanted: &str| {
        deployment.counts.iter().filter(|(status, _)| *status == wanted).map(|(_, count)| count).sum::<u64>()
    };
    json!({
        "id": deployment.id,
        "name": deployment.name,
        "operation": deployment.operation,
        "type": if deployment.end.is_some() { "single" } else { "ongoing" },
        "softwarePackageId": deployment.package,
        "softwareBundleId": null,
        "contentSetId": 5,
        "target": {"computerGroupIds": [1], "questionGroupIds": [], "limitingGroupIds": []},
        "startTime": iso_millis(deployment.start),
        "endTime": deployment.end.map(iso_millis),
        "createdAt": iso_millis(deployment.start),
        "updatedAt": iso_millis(deployment.start),
        "createdByTaniumUserId": 4,
        "createdByTaniumUserName": "sam.novak",
        "stopped": false,
        "statusLabel": "Active",
        "platforms": ["windows"],
        "onlineCount": deployment.counts.iter().map(|(_, count)| count).sum::<u64>(),
        "completeCount": count("Complete"),
        "status": {"counts": counts.collect::<Vec<_>>()},
    })
}

pub(super) fn profile(profile: &Profile) -> Value {
    let packages = profile
        .packages
        .iter()
        .map(|id| json!({"id": id, "install": true, "update": true, "remove": true, "restart": false}));
    json!({
        "id": profile.id,
        "name": profile.name,
        "description": "",
        "software": {"packages": packages.collect::<Vec<_>>()},
        "target": {
            "computerGroupIds": profile.computer_groups, "questionGroupIds": [], "limitingGroupIds": [],
        },
        "createdAt": iso_millis(profile.created),
        "updatedAt": iso_millis(profile.created),
        "createdByTaniumUserId": 4,
        "updatedByTaniumUserId": 4,
        "currentProfileEditId": 1,
    })
}

pub(super) fn activity(activity: &Activity) -> Value {
    json!({
        "softwarePackageId": activity.package.to_string(),
        "softwarePackageBundleId": null,
        "installedCount": activity.installed,
        "updatedCount": activity.updated,
        "removedCount": 0,
        "failedCount": activity.failed,
    })
}

/// The cells of the coverage report.
pub(super) fn coverage(state: &State, endpoint: &Endpoint) -> Vec<String> {
    let status = super::coverage(state, endpoint);
    let details = if status == "Needs Attention" { "Deploy process is not running" } else { "" };
    vec![status.to_owned(), details.to_owned()]
}

/// So many rows fit into an export.
const EXPORTED: usize = 10_000;

pub(super) fn exports(state: &State) -> Vec<Export> {
    let deploy = &state.deploy;
    let endpoints = || state.fleet.all().take(EXPORTED);
    let attention = endpoints().map(|endpoint| {
        let cells = coverage(state, &endpoint);
        [vec![endpoint.name(), format!("{:?}", endpoint.os)], cells].concat()
    });
    let process = endpoints().map(|endpoint| {
        let running = super::is_running(state, &endpoint).to_owned();
        vec![endpoint.name(), format!("{:?}", endpoint.os), endpoint.address(), running]
    });
    let panel = |file, series: &str, before: u64, now: u64| Export {
        file,
        columns: &["date", "series", "value"],
        rows: panel(state, series, before, now),
    };
    let name = |id: u64| deploy.package(id).map_or("", |package| package.title).to_owned();
    let healthy = Deploy::new(state.now);
    let mut exports = vec![
        Export {
            file: "deploy-coverage.csv",
            columns: &["Computer Name", "Operating System", "Coverage Status", "Details"],
            rows: attention.collect(),
        },
        Export {
            file: "deploy-process.csv",
            columns: &["Computer Name", "Operating System", "IP Address", "Running"],
            rows: process.collect(),
        },
        Export {
            file: "deploy-self-service.csv",
            columns: &["Software", "Installs", "Updates", "Removals", "Failures"],
            rows: deploy
                .activity
                .iter()
                .map(|activity| exported_activity(&name(activity.package), activity))
                .collect(),
        },
        panel(
            "trends-deploy-missing-updates.csv",
            "Endpoints",
            healthy.missing_updates,
            deploy.missing_updates,
        ),
        panel("trends-deploy-mean-time.csv", "Days", healthy.mean_days, deploy.mean_days),
        panel(
            "trends-deploy-self-service.csv",
            "Percent",
            healthy.self_service_percent,
            deploy.self_service_percent,
        ),
    ];
    exports.extend([packages(deploy), deployments(deploy), profiles(deploy)]);
    exports
}

/// Eight weeks of a panel; only the newest value is what a fault made of it.
fn panel(state: &State, series: &str, before: u64, now: u64) -> Vec<Vec<String>> {
    let row = |week: i64| {
        let value = if week == 0 { now } else { before };
        vec![iso(state.now - days(1 + 7 * week)), series.to_owned(), value.to_string()]
    };
    (0..8).map(row).collect()
}

fn exported_activity(name: &str, activity: &Activity) -> Vec<String> {
    let counts = [activity.installed, activity.updated, 0, activity.failed];
    std::iter::once(name.to_owned()).chain(counts.map(|count| count.to_string())).collect()
}

fn packages(deploy: &Deploy) -> Export {
    let row = |package: &Package| {
        let used = is_used(deploy, package);
        let last = deploy.deployments.iter().filter(|deployment| deployment.package == package.id);
        vec![
            package.id.to_string(),
            package.vendor.to_owned(),
            package.title.to_owned(),
            package.version.to_owned(),
            package.platform.to_owned(),
            if used { "yes" } else { "no" }.to_owned(),
            last.map(|deployment| iso(deployment.start)).max().unwrap_or_default(),
            String::new(),
        ]
    };
    Export {
        file: "deploy-software-packages.csv",
        columns: &["ID", "Vendor", "Title", "Version", "Platform", "In Use", "Last Deployed", "Installs"],
        rows: deploy.packages.iter().map(row).collect(),
    }
}

fn deployments(deploy: &Deploy) -> Export {
    let row = |deployment: &Deployment| {
        let package = deploy.package(deployment.package);
        let all: u64 = deployment.counts.iter().map(|(_, count)| count).sum();
        let of = |wanted: &[&str]| -> u64 {
            deployment
                .counts
                .iter()
                .filter(|(status, _)| wanted.contains(status))
                .map(|(_, count)| count)
                .sum()
        };
        vec![
            deployment.id.to_string(),
            deployment.name.to_owned(),
            deployment.operation.to_owned(),
            if deployment.end.is_some() { "single" } else { "ongoing" }.to_owned(),
            iso(deployment.start),
            deployment.end.map(iso).unwrap_or_default(),
            package.map_or("", |package| package.title).to_owned(),
            package.map_or("", |package| package.version).to_owned(),
            all.to_string(),
            of(&["Complete", "Not Applicable"]).to_string(),
            of(&["Failed"]).to_string(),
        ]
    };
    Export {
        file: "deploy-deployments.csv",
        columns: &[
            "ID",
            "Name",
            "Operation",
            "Type",
            "Start",
            "End",
            "Package",
            "Version",
            "Targeted",
            "Complete",
            "Failed",
        ],
        rows: deploy.deployments.iter().map(row).collect(),
    }
}

fn profiles(deploy: &Deploy) -> Export {
    let row = |profile: &Profile, id: &u64| {
        let failed = deploy.activity.iter().any(|activity| activity.package == *id && activity.failed > 0);
        let software = deploy.package(*id).map_or("", |package| package.title);
        let status = if failed { "Failed" } else { "Success" };
        [profile.name, software, "Install", status].map(str::to_owned).to_vec()
    };
    let rows =
        deploy.profiles.iter().flat_map(|profile| profile.packages.iter().map(move |id| row(profile, id)));
    Export {
        file: "deploy-profiles.csv",
        columns: &["Profile", "Software", "Operation", "Status"],
        rows: rows.collect(),
    }
}
