//! Guide: *Review and update scan configurations*, page 30.

mod conforms;
mod days_since;
mod delay;
mod errors;
mod obsolete;
mod products;

pub(crate) use conforms::CONFORMS;
pub(crate) use days_since::DAYS_SINCE;
pub(crate) use delay::DELAY;
pub(crate) use errors::ERRORS;
pub(crate) use obsolete::OBSOLETE;
pub(crate) use products::PRODUCTS;

use tancheck_plugin_api::{GuideReference, guide};

const GUIDE: &[GuideReference] = &[guide("Review and update scan configurations", 30)];
