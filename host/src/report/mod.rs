//! Reports: one file for each format. Each takes the document of a run and writes it; none of them decides anything.

pub(crate) mod changed;
mod folded;
pub mod json;
pub mod ndjson;
pub mod output;
pub(crate) mod page;
mod probed;
pub mod text;

use crate::run::Run;
use crate::run::event::Event;
use schemars::Schema;

/// The JSON Schema of the run document: what `-o json` prints.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Run)
}

/// The JSON Schema of one line of `-o ndjson`.
#[must_use]
pub fn event_schema() -> Schema {
    schemars::schema_for!(Event)
}

#[cfg(test)]
mod tests;
