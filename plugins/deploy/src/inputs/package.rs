//! Software packages of the catalogue, and what uses them.

use super::READ;
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;

const FALLBACK: Source = Source::export(
    "deploy-software-packages.csv",
    "Modules > Deploy > Software > Software Packages",
    "write one row for each package; In Use is yes or no, Last Deployed is the day of its last deployment",
    &["ID", "Vendor", "Title", "Version", "Platform", "In Use", "Last Deployed", "Installs"],
);

/// Every software package, with the fields that the list has.
pub(crate) const PACKAGES: Input = Input::new("deploy.packages", "software packages").sources(&[
    Source::service("deploy", "/v4/software-packages?includeAllFields=true")
        .skip_take(200)
        .rows_under("softwarePackages")
        .needs(READ),
    FALLBACK,
]);

/// Every software package with what uses it, which only its own route is described to tell.
pub(crate) const DETAILS: Input =
    Input::new("deploy.package-details", "software packages with what uses them").sources(&[
        Source::service("deploy", "/v4/software-packages/{id}")
            .object()
            .each(Each::row_of("deploy.packages").variables(&[("id", "id")]).limit(2000))
            .needs(READ),
        FALLBACK,
    ]);

/// A software package.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Package {
    /// Its id.
    #[serde(deserialize_with = "lenient::id", alias = "ID")]
    pub(crate) id: String,
    /// Who makes the software.
    #[serde(rename = "productVendor", deserialize_with = "lenient::text", alias = "Vendor")]
    pub(crate) vendor: String,
    /// The software's name.
    #[serde(rename = "productName", deserialize_with = "lenient::text", alias = "Title")]
    pub(crate) title: String,
    /// The software's version.
    #[serde(rename = "productVersion", deserialize_with = "lenient::text", alias = "Version")]
    pub(crate) version: String,
    /// `windows`, `linux` or `macos`.
    #[serde(deserialize_with = "lenient::text", alias = "Platform")]
    pub(crate) platform: String,
    /// What uses it; not in the list.
    #[serde(rename = "inUse")]
    in_use: Option<InUse>,
    /// `yes` or `no`; only in an exported list.
    #[serde(rename = "In Use", deserialize_with = "lenient::text")]
    told_use: String,
    /// When it was last deployed; only in an exported list.
    #[serde(rename = "Last Deployed", deserialize_with = "lenient::time")]
    pub(crate) last_deployed: Option<Timestamp>,
    /// When it was made.
    #[serde(rename = "createdAt", deserialize_with = "lenient::time")]
    created: Option<Timestamp>,
    /// When it was changed.
    #[serde(rename = "updatedAt", deserialize_with = "lenient::time")]
    updated: Option<Timestamp>,
    /// When it was deleted; the detail tells deleted ones as well.
    #[serde(rename = "deletedAt", deserialize_with = "lenient::time")]
    deleted: Option<Timestamp>,
    /// Whether the server has all of its files.
    #[serde(rename = "allFilesCachedOnTaniumServer", deserialize_with = "lenient::flag")]
    pub(crate) cached: Option<bool>,
    /// How much of them it has.
    #[serde(rename = "fileCachePercentComplete", deserialize_with = "lenient::number")]
    pub(crate) cached_percent: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct InUse {
    #[serde(deserialize_with = "lenient::list")]
    deployments: Vec<records::Reference>,
    #[serde(deserialize_with = "lenient::list")]
    bundles: Vec<serde_json::Value>,
    #[serde(deserialize_with = "lenient::list")]
    profiles: Vec<serde_json::Value>,
    #[serde(deserialize_with = "lenient::list")]
    auto_deployment_configurations: Vec<serde_json::Value>,
    #[serde(deserialize_with = "lenient::list")]
    siblings: Vec<Package>,
}

/// What uses a package.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Uses {
    /// Deployments, by id, whether they still run or not.
    deployments: Vec<String>,
    /// A self-service profile offers it.
    pub(crate) offered: bool,
    /// A bundle, an automatic deployment, or something that an exported list does not name.
    otherwise: bool,
}

impl Uses {
    /// Whether something installs it now: an active deployment, a bundle, an automatic deployment.
    pub(crate) fn is_deployed(&self, active: &BTreeSet<String>) -> bool {
        self.otherwise || self.deployments.iter().any(|id| active.contains(id))
    }
}

impl Package {
    /// What uses it.
    pub(crate) fn uses(&self) -> Result<Uses, String> {
        if let Some(uses) = &self.in_use {
            return Ok(Uses {
                deployments: uses.deployments.iter().map(|one| one.id.clone()).collect(),
                offered: !uses.profiles.is_empty(),
                otherwise: !uses.bundles.is_empty() || !uses.auto_deployment_configurations.is_empty(),
            });
        }
        let otherwise = match self.told_use.trim().to_ascii_lowercase().as_str() {
            "yes" | "in use" => true,
            "no" | "not in use" => false,
            "" => return Err(format!("it is not told what uses {}", self.name())),
            other => return Err(format!("{}: {other:?} is neither yes nor no", self.name())),
        };
        Ok(Uses { deployments: Vec::new(), offered: false, otherwise })
    }

    /// Vendor, title and version.
    pub(crate) fn name(&self) -> String {
        let words = [&self.vendor, &self.title, &self.version];
        words.into_iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(" ")
    }

    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("software package", &self.id, self.name())
    }

    /// Its version, to be compared.
    pub(crate) fn version(&self) -> ProductVersion {
        ProductVersion::new(&self.version)
    }

    /// When somebody last worked on it.
    pub(crate) fn touched(&self) -> Option<Timestamp> {
        self.updated.max(self.created)
    }

    /// The newest version of the same software for the same platform, where it is newer than this.
    pub(crate) fn newer(&self) -> Option<ProductVersion> {
        let siblings = self.in_use.as_ref().map_or(&[][..], |uses| &uses.siblings);
        let same = siblings.iter().filter(|other| other.platform.eq_ignore_ascii_case(&self.platform));
        same.map(Package::version).max().filter(|newest| *newest > self.version())
    }
}

/// Every package that is not deleted, with what uses it.
pub(crate) fn packages(facts: &Facts<'_>) -> Result<Vec<Package>, Undecided> {
    let listed: Vec<Package> = facts.rows(&PACKAGES)?;
    let details: Vec<Package> = facts.rows(&DETAILS)?;
    if listed.is_empty() {
        return Err(facts.absent(&PACKAGES, "there are no software packages"));
    }
    if details.is_empty() {
        return Err(Undecided::not_evaluated("the list of software packages has no ids to ask for"));
    }
    Ok(details.into_iter().filter(|package| package.deleted.is_none()).collect())
}
