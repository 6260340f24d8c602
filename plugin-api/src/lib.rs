//! The contract between tancheck and its plugins.
//!
//! A plugin declares [`Check`]s. A check names the [`Input`]s it reads; the host fetches them; the check's judge, a
//! pure function, turns the [`Facts`] into findings. Plugins do no I/O, hold no credentials and read no clock.
//!
//! The version of this crate is the API version: a plugin built against 1.x loads in every later 1.y host.

pub mod abi;
mod baseline;
mod check;
mod diagnosis;
pub mod facts;
pub mod finding;
mod input;
pub mod lenient;
pub mod manifest;
pub mod outcome;
mod plugin;
mod procedure;
mod proposal;
mod reading;
pub mod records;
pub mod remedy;
pub mod requirement;
mod setting;
pub mod templates;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod validate;
mod version;
pub mod wire;

pub use check::{Cadence, Cause, Check, GuideReference, Judge, Kind, guide};
pub use diagnosis::{Branch, Leaf, Node, Target, Tree};
pub use facts::Facts;
pub use finding::{Finding, Report, Severity, Subject};
pub use input::{Accepts, Each, Input, Paging, Shape, Source};
pub use outcome::{Outcome, Undecided, settle};
pub use plugin::{Plugin, Solution};
pub use procedure::{Procedure, Task};
pub use proposal::{Proposal, Proposed};
pub use reading::{Read, Reading};
pub use remedy::{Remedy, Reversible, Risk, Step};
pub use setting::{Setting, SettingValue};
pub use version::ProductVersion;

/// Re-exported: the times of facts and findings.
pub use jiff;
/// Re-exported: rows and values of facts.
pub use serde_json;

/// Everything that a check's file needs.
pub mod prelude {
    pub use crate::facts::{Body, Tally};
    pub use crate::{
        Accepts, Branch, Cadence, Cause, Check, Each, Facts, Finding, Input, Leaf, Node, Outcome, Plugin,
        Procedure, ProductVersion, Reading, Remedy, Report, Reversible, Risk, Setting, Severity, Solution,
        Source, Step, Subject, Task, Tree, Undecided, guide, lenient, records, settle,
    };
    pub use jiff::{SignedDuration, Timestamp};
    pub use serde::Deserialize;
}
