//! What the checks of this plugin can know, and the types of the rows.

mod answers;
mod population;
mod settings;

pub(crate) use answers::*;
pub(crate) use population::*;
pub(crate) use settings::*;

/// The privileges that a question needs.
const ASK: &[&str] = &["read sensor", "define question"];
