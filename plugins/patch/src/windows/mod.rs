//! Guide: *Review and update maintenance windows*, page 31.

mod critical_missing;
mod enforced;
mod expired;
mod misconfigured;

pub(crate) use critical_missing::CRITICAL_MISSING;
pub(crate) use enforced::{NONE, UNENFORCED};
pub(crate) use expired::EXPIRED;
pub(crate) use misconfigured::MISCONFIGURED;

use tancheck_plugin_api::{GuideReference, guide};

const GUIDE: &[GuideReference] = &[guide("Review and update maintenance windows", 31)];
