//! The Connect service.

use crate::areas::{Area, no_exports};
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::new, faults: &[], exports: no_exports };

/// Connections and their runs.
pub(crate) struct Connect {}

impl Connect {
    pub(crate) fn new(_seed: u64, _now: Timestamp) -> Self {
        Self {}
    }
}
