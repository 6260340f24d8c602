//! Guide: *Review and update deployments*, page 30.

mod errors;
mod fragmented;
mod misconfigured;
mod obsolete;
mod practice;
mod targets;

pub(crate) use errors::ERRORS;
pub(crate) use fragmented::FRAGMENTED;
pub(crate) use misconfigured::MISCONFIGURED;
pub(crate) use obsolete::OBSOLETE;
pub(crate) use targets::{TARGET_DELETED, UNINITIALIZED};

use tancheck_plugin_api::{GuideReference, guide};

const GUIDE: &[GuideReference] = &[guide("Review and update deployments", 30)];

/// What the guide says about changing deployments.
const ONLY_TARGETS: &str =
    "An existing deployment can only gain targets. For any other change, stop it and create another one.";
/// What stopping does.
const STOPPING: &str =
    "Patches that are not installed yet will not be installed by a deployment that is stopped.";
