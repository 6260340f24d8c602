//! Deployments.

use super::READ;
use serde_json::Value;
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;

/// Active and scheduled deployments.
pub(crate) const ACTIVE: Input = Input::new("deploy.active-deployments", "active and scheduled deployments")
    .sources(&[
        Source::service("deploy", "/v3/deployments?active=true").skip_take(200).needs(READ),
        Source::export(
            "deploy-deployments.csv",
            "Modules > Deploy > Deployments > Active",
            "write one row for each deployment",
            &[
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
        ),
    ]);

/// Deployments that ended within the time after which a package counts as unused.
pub(crate) const ENDED: Input =
    Input::new("deploy.ended-deployments", "deployments that ended within `unused_days`").sources(&[
        Source::service("deploy", "/v3/deployments?active=false&range={setting:unused_days}")
            .skip_take(200)
            .needs(READ),
    ]);

/// A deployment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Deployment {
    /// Its id.
    #[serde(deserialize_with = "lenient::id", alias = "ID")]
    pub(crate) id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub(crate) name: String,
    /// `Scheduled`, `Active`, `Finished` or `Stopped`; an exported list holds active ones only and does not say so.
    #[serde(rename = "statusLabel", deserialize_with = "lenient::text")]
    pub(crate) status: String,
    /// When it began, or begins.
    #[serde(rename = "startTime", deserialize_with = "lenient::time", alias = "Start")]
    pub(crate) start: Option<Timestamp>,
    /// When it ends; none: never.
    #[serde(rename = "endTime", deserialize_with = "lenient::time", alias = "End")]
    pub(crate) end: Option<Timestamp>,
    /// The package it deploys; empty where it deploys a bundle.
    #[serde(rename = "softwarePackageId", deserialize_with = "lenient::id")]
    pub(crate) package: String,
    /// Who made it.
    #[serde(rename = "createdByTaniumUserName", deserialize_with = "lenient::text")]
    pub(crate) author: String,
    /// How far endpoints are; the list of deployments may leave it out.
    #[serde(rename = "status")]
    progress: Progress,
    /// Endpoints it is for; only in an exported list.
    #[serde(rename = "Targeted", deserialize_with = "lenient::number")]
    targeted: Option<f64>,
    /// Endpoints that have it; only in an exported list.
    #[serde(rename = "Complete", deserialize_with = "lenient::number")]
    complete: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Progress {
    /// A list of statuses with counts; older routes give an empty object.
    counts: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusCount {
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(deserialize_with = "lenient::number")]
    count: Option<f64>,
}

/// Statuses of endpoints that still have to do something, or did it in vain.
const UNFINISHED: &[&str] = &["Waiting", "Downloading", "Download Complete Waiting", "Running", "Failed"];
/// Statuses of endpoints that have nothing left to do.
const FINISHED: &[&str] = &["Complete", "Not Applicable"];

impl Deployment {
    /// Whether nothing is left to do on any endpoint; `None` where that is not told.
    pub(crate) fn is_complete(&self) -> Result<Option<bool>, String> {
        if let (Some(targeted), Some(complete)) = (self.targeted, self.complete) {
            return Ok(Some(targeted > 0.0 && complete >= targeted));
        }
        let counts: Vec<StatusCount> = Deserialize::deserialize(&self.progress.counts).unwrap_or_default();
        let present: Vec<&str> = counts
            .iter()
            .filter(|one| one.count.is_some_and(|count| count > 0.0))
            .map(|one| one.status.as_str())
            .collect();
        if let Some(unknown) =
            present.iter().find(|status| !knows(UNFINISHED, status) && !knows(FINISHED, status))
        {
            return Err(format!("{unknown:?} is no known status of an endpoint"));
        }
        Ok((!present.is_empty()).then(|| present.iter().all(|status| knows(FINISHED, status))))
    }

    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("software deployment", &self.id, &self.name)
    }
}

fn knows(known: &[&str], status: &str) -> bool {
    known.iter().any(|one| one.eq_ignore_ascii_case(status))
}

/// The ids of active and scheduled deployments.
pub(crate) fn active(facts: &Facts<'_>) -> Result<BTreeSet<String>, Undecided> {
    let deployments: Vec<Deployment> = facts.rows(&ACTIVE)?;
    Ok(deployments.into_iter().map(|deployment| deployment.id).collect())
}
