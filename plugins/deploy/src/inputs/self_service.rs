//! Self service: the profiles that offer software, and what users did with it.

use super::{PACKAGES, Package, READ};
use serde_json::Value;
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;

/// Running totals of what users did by self service.
pub(crate) const ACTIVITY: Input = Input::new(
    "deploy.self-service-activity",
    "counts of installs, updates, removals and failures by self service",
)
.sources(&[
    Source::service("deploy", "/v1/self-service-activity-counts").needs(READ),
    Source::export(
        "deploy-self-service.csv",
        "Modules > Deploy > Deployments > Self Service",
        "write one row for each software",
        &["Software", "Installs", "Updates", "Removals", "Failures"],
    ),
]);

/// Self-service profiles.
pub(crate) const PROFILES: Input = Input::new("deploy.profiles", "self-service profiles").sources(&[
    Source::service("deploy", "/v1/profiles").needs(READ),
    Source::export(
        "deploy-profiles.csv",
        "Modules > Deploy > Self Service Profiles",
        "expand each profile and write one row for each operation of each software with its status, as a word",
        &["Profile", "Software", "Operation", "Status"],
    ),
]);

/// Failures that earlier runs counted.
pub(crate) const SEEN_FAILURES: Input =
    Input::new("deploy.seen-failures", "failures by self service that earlier runs counted")
        .sources(&[Source::history("deploy.self-service-failures.*", 400)]);

/// Successes that earlier runs counted.
pub(crate) const SEEN_REQUESTS: Input = Input::new(
    "deploy.seen-requests",
    "what earlier runs counted of installs, updates and removals by self service",
)
.sources(&[Source::history("deploy.self-service-requests.*", 400)]);

/// The semi-annual review looks back this far.
const HALF_A_YEAR: i64 = 182;

/// What users did with one software.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Activity {
    #[serde(rename = "softwarePackageId", deserialize_with = "lenient::id")]
    package: String,
    #[serde(rename = "softwarePackageBundleId", deserialize_with = "lenient::id")]
    bundle: String,
    /// Only in an exported list.
    #[serde(rename = "Software", deserialize_with = "lenient::text")]
    software: String,
    #[serde(rename = "installedCount", deserialize_with = "lenient::number", alias = "Installs")]
    installed: Option<f64>,
    #[serde(rename = "updatedCount", deserialize_with = "lenient::number", alias = "Updates")]
    updated: Option<f64>,
    #[serde(rename = "removedCount", deserialize_with = "lenient::number", alias = "Removals")]
    removed: Option<f64>,
    #[serde(rename = "failedCount", deserialize_with = "lenient::number", alias = "Failures")]
    failed: Option<f64>,
}

impl Activity {
    /// What tells it from others: the id of the package, `bundle-` and the id of the bundle, or the exported name.
    pub(crate) fn key(&self) -> String {
        match (self.package.as_str(), self.bundle.as_str()) {
            ("", "") => self.software.to_lowercase(),
            ("", bundle) => format!("bundle-{bundle}"),
            (package, _) => package.to_owned(),
        }
    }

    /// What people call it.
    fn label(&self) -> String {
        match (self.software.as_str(), self.package.as_str()) {
            ("", "") => format!("software bundle {}", self.bundle),
            ("", package) => format!("software package {package}"),
            (software, _) => software.to_owned(),
        }
    }

    /// Operations that succeeded, of all time.
    pub(crate) fn succeeded(&self) -> f64 {
        [self.installed, self.updated, self.removed].into_iter().flatten().sum()
    }

    /// Installs, of all time.
    pub(crate) fn installed(&self) -> f64 {
        self.installed.unwrap_or_default()
    }

    /// Operations that failed, of all time.
    pub(crate) fn failed(&self) -> f64 {
        self.failed.unwrap_or_default()
    }
}

/// What users did. A row without any count would read as zero, so it is told.
pub(crate) fn activities(facts: &Facts<'_>) -> Result<Vec<Activity>, Undecided> {
    let rows: Vec<Activity> = facts.rows(&ACTIVITY)?;
    match rows.iter().find(|row| row.failed.is_none() || row.installed.is_none()) {
        Some(row) => Err(Undecided::not_evaluated(format!("{} comes without its counts", row.label()))),
        None => Ok(rows),
    }
}

/// The name of the software: of its package, where the list of packages is there.
pub(crate) fn named(facts: &Facts<'_>, activity: &Activity) -> String {
    let packages: Vec<Package> = facts.rows(&PACKAGES).unwrap_or_default();
    let package = packages.iter().find(|package| !package.id.is_empty() && package.id == activity.package);
    package.map_or_else(|| activity.label(), Package::name)
}

/// Failures of the last half year by key: the total less what it was half a year ago, or the whole total while no
/// count is that old.
pub(crate) fn recent_failures(
    activities: &[Activity],
    seen: &[Point],
    facts: &Facts<'_>,
) -> BTreeMap<String, f64> {
    let base = |key: &str| {
        let series = format!("deploy.self-service-failures.{key}");
        let old = seen.iter().filter(|point| point.series == series);
        old.filter(|point| facts.days_since(point.at) >= HALF_A_YEAR).map(|point| point.value).next_back()
    };
    let recent = |activity: &Activity| {
        let key = activity.key();
        // A total that is smaller than before was counted anew.
        let base = base(&key).filter(|&base| base <= activity.failed()).unwrap_or_default();
        (key, activity.failed() - base)
    };
    activities.iter().map(recent).collect()
}

/// A self-service profile, or one operation of one as an exported list has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text", alias = "Profile")]
    pub(crate) name: String,
    /// What it offers.
    software: Offer,
    /// Whom it offers it to.
    target: Target,
    /// Only in an exported list.
    #[serde(rename = "Software", deserialize_with = "lenient::text")]
    pub(crate) told_software: String,
    /// Only in an exported list.
    #[serde(rename = "Operation", deserialize_with = "lenient::text")]
    pub(crate) operation: String,
    /// Only in an exported list.
    #[serde(rename = "Status", deserialize_with = "lenient::text")]
    pub(crate) status: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Offer {
    #[serde(deserialize_with = "lenient::list")]
    packages: Vec<records::Reference>,
    #[serde(deserialize_with = "lenient::list")]
    bundles: Vec<records::Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    #[serde(deserialize_with = "lenient::list")]
    computer_group_ids: Vec<Value>,
    #[serde(deserialize_with = "lenient::list")]
    question_group_ids: Vec<Value>,
}

impl Profile {
    /// The ids of the packages that it offers.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &str> {
        self.software.packages.iter().map(|package| package.id.as_str())
    }

    /// What it offers, by the keys of [`Activity::key`].
    pub(crate) fn keys(&self) -> Vec<String> {
        let bundles = self.software.bundles.iter().map(|bundle| format!("bundle-{}", bundle.id));
        self.packages().map(str::to_owned).chain(bundles).collect()
    }

    /// Whether it has nothing to offer.
    pub(crate) fn is_empty(&self) -> bool {
        self.software.packages.is_empty() && self.software.bundles.is_empty()
    }

    /// Whether it offers it to nobody.
    pub(crate) fn is_for_nobody(&self) -> bool {
        self.target.computer_group_ids.is_empty() && self.target.question_group_ids.is_empty()
    }

    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        let key = if self.id.is_empty() { &self.name } else { &self.id };
        Subject::new("self-service profile", key, &self.name)
    }
}
