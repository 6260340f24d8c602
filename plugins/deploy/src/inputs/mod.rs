//! What the checks read. Routes and fields are those of the vendor's description of the Deploy service; reports and
//! sensors are named by the maintenance guide and by public scripts, and have no described columns.

mod coverage;
mod package;
mod self_service;
mod software;

pub(crate) use coverage::{COVERAGE, COVERED_VALUES, PROCESS, counted};
pub(crate) use package::{DETAILS, PACKAGES, Package, packages};
pub(crate) use self_service::{
    ACTIVITY, Activity, PROFILES, Profile, SEEN_FAILURES, SEEN_REQUESTS, activities, named, recent_failures,
};
pub(crate) use software::{ACTIVE, Deployment, ENDED, active};

use tancheck_plugin_api::prelude::*;

/// The vendor's description says `Deploy read`; these are the names by which the platform lists it.
const READ: &[&str] = &["deploy module read", "show deploy"];

/// After how many days without use a package is a candidate for removal.
pub(crate) const UNUSED_DAYS: Setting = Setting::integer("unused_days", 180, 1, 365).unit("days").about(
    "how long a software package may be neither deployed nor requested before somebody is asked about it",
);

/// Automatic deployments that Deploy itself lists for attention.
pub(crate) const AUTOMATIC_NEEDING_ATTENTION: Input =
    Input::new("deploy.automatic-needing-attention", "automatic deployments that need attention").sources(&[
        Source::service("deploy", "/v1/automatic-deployments/needs-attention")
            .rows_under("autoDeployments")
            .needs(READ),
    ]);

/// What the job said that brings the files of packages to the server.
pub(crate) const FILE_SYNC: Input =
    Input::new("deploy.file-sync", "errors of the job that caches files of software packages")
        .sources(&[Source::service("deploy", "/v1/jobs/extended-information/sync-software-package-files")
            .needs(READ)]);
