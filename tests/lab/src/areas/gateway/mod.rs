//! The API Gateway.

use crate::areas::{Area, no_exports};

pub(crate) const AREA: Area = Area { routes: Vec::new, faults: &[], exports: no_exports };
