//! Faults: named changes to the state of the deployment. Routes then tell the truth about a deployment in trouble.

use crate::areas::AREAS;
use crate::state::State;
use std::fmt;
use std::sync::LazyLock;

/// One thing that can be wrong with the deployment.
pub struct Fault {
    /// What it is called, for example `failed-connection`.
    pub name: &'static str,
    /// What is wrong, in one sentence.
    pub about: &'static str,
    /// The checks that are meant to find it.
    pub breaks: &'static [&'static str],
    pub(crate) apply: fn(&mut State),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("name", &self.name)
            .field("breaks", &self.breaks)
            .finish_non_exhaustive()
    }
}

/// Every fault that the lab knows.
pub static ALL: LazyLock<Vec<&'static Fault>> =
    LazyLock::new(|| AREAS.iter().flat_map(|area| area.faults.iter()).collect());

/// The fault of this name.
pub fn named(name: &str) -> Option<&'static Fault> {
    ALL.iter().find(|fault| fault.name == name).copied()
}
