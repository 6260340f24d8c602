//! The service's routes. Most lists are `{"data": […]}`; the vendor's examples show three that are not.

use super::render;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, get};
use serde_json::{Value, json};

/// The vendor's description says `Deploy read`; these are the names by which the platform lists it.
const READ: Need = Need::AllOf(&["deploy module read", "show deploy"]);

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/plugin/products/deploy/v4/software-packages", READ, packages),
        get("/plugin/products/deploy/v4/software-packages/{softwarePackageId}", READ, package),
        get("/plugin/products/deploy/v3/deployments", READ, deployments),
        get("/plugin/products/deploy/v1/self-service-activity-counts", READ, activity),
        get("/plugin/products/deploy/v1/profiles", READ, profiles),
        get("/plugin/products/deploy/v1/profiles/{profileId}", READ, profile),
        get("/plugin/products/deploy/v1/software-package-bundles", READ, bundles),
        get("/plugin/products/deploy/v1/automatic-deployments/needs-attention", READ, needs_attention),
        get(
            "/plugin/products/deploy/v1/jobs/extended-information/sync-software-package-files",
            READ,
            file_sync,
        ),
    ]
}

/// `skip` and `take`, as documented.
fn page(call: &Call<'_>, rows: Vec<Value>) -> Vec<Value> {
    let take = call.query_number("take").unwrap_or(usize::MAX);
    rows.into_iter().skip(call.query_number("skip").unwrap_or(0)).take(take).collect()
}

/// The service's own words for what is missing are not documented.
fn none(what: &str) -> Refusal {
    Refusal::new(404, format!("{what} not found"))
}

fn packages(call: &Call<'_>) -> Answer {
    let deploy = &call.state.deploy;
    let rows: Vec<Value> = deploy.packages.iter().map(|package| render::package(deploy, package)).collect();
    let total = rows.len();
    Ok(Reply::json(&json!({
        "total": total,
        "softwarePackages": page(call, rows),
        "filteredTotal": total,
        "filterValues": {"platforms": ["windows", "macos"]},
    })))
}

fn package(call: &Call<'_>) -> Answer {
    let deploy = &call.state.deploy;
    let package = deploy.package(call.id(0)).ok_or_else(|| none("software package"))?;
    Ok(Reply::data(render::package_details(deploy, package)))
}

/// Nothing ended lately, so `active=false` shows none.
fn deployments(call: &Call<'_>) -> Answer {
    let shown = call.query("active") != Some("false");
    let all = call.state.deploy.deployments.iter().filter(|_| shown);
    let rows: Vec<Value> = all.map(render::deployment).collect();
    let total = rows.len();
    Ok(Reply::json(&json!({
        "filteredTotal": total,
        "total": total,
        "filterValues": {"types": ["ongoing", "single"]},
        "data": page(call, rows),
    })))
}

fn activity(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.deploy.activity.iter().map(render::activity).collect::<Vec<_>>()))
}

fn profiles(call: &Call<'_>) -> Answer {
    Ok(Reply::data(call.state.deploy.profiles.iter().map(render::profile).collect::<Vec<_>>()))
}

fn profile(call: &Call<'_>) -> Answer {
    let profile = call.state.deploy.profiles.iter().find(|profile| profile.id == call.id(0));
    profile.map(|profile| Reply::data(render::profile(profile))).ok_or_else(|| none("profile"))
}

fn bundles(call: &Call<'_>) -> Answer {
    Ok(Reply::data(render::bundles(&call.state.deploy)))
}

fn needs_attention(call: &Call<'_>) -> Answer {
    let rows = call.state.deploy.needing_attention.iter().map(|(title, config)| {
        json!({
            "status": "ineligible", "softwarePackage": {"productName": title}, "rule": {"config": {"name": config}},
        })
    });
    Ok(Reply::json(&json!({"autoDeployments": rows.collect::<Vec<_>>()})))
}

fn file_sync(call: &Call<'_>) -> Answer {
    let deploy = &call.state.deploy;
    let errors = deploy.sync_errors.iter().filter_map(|(id, message)| {
        let package = deploy.package(*id)?;
        Some(json!({
            "id": package.id,
            "productName": package.title,
            "productVendor": package.vendor,
            "productVersion": package.version,
            "platform": package.platform,
            "isGalleryEntry": false,
            "SoftwarePackage.deletedAt": null,
            "deletedAt": null,
            "message": message,
        }))
    });
    Ok(Reply::data(json!([{"errors": errors.collect::<Vec<_>>(), "logs": ""}])))
}
