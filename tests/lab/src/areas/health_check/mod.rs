//! Health Check.

use crate::areas::{Area, no_exports};
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::new, faults: &[], exports: no_exports };

/// TPAN reports.
pub(crate) struct HealthCheck {}

impl HealthCheck {
    pub(crate) fn new(_now: Timestamp) -> Self {
        Self {}
    }
}
