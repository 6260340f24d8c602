//! Enforce: what endpoints say of its tools is in the sensors.

use super::endpoint_tools::some_tell;
use crate::areas::{Area, no_exports};
use crate::faults::Fault;
use crate::wire::Route;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: FAULTS, exports: no_exports };

const FAULTS: &[Fault] = &[
    Fault {
        name: "enforce-tools-missing",
        about: "the Enforce tools are gone from some endpoints",
        breaks: &["enforce.tools-missing"],
        apply: |state| some_tell(state, 0.01, |_| true, "Enforce", "gone"),
    },
    Fault {
        name: "enforce-tools-inactive",
        about: "the Enforce tools are there and not active on some endpoints",
        breaks: &["enforce.tools-inactive"],
        apply: |state| some_tell(state, 0.01, |_| true, "Enforce", "Inactive"),
    },
];
