//! Guide: *Remove unused Deploy software packages*, page 25.

mod files;
mod superseded;
mod unused;

pub(crate) use files::FILE_SYNC;
pub(crate) use superseded::SUPERSEDED;
pub(crate) use unused::UNUSED;

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Remove unused Deploy software packages", 25)];
const PAGE: &str = "Modules > Deploy > Software > Software Packages";
const IN_USE: &str =
    "Before a deletion, look once more at self-service profiles, bundles, automatic and ongoing deployments.";
