//! A reading: one text that a plugin reads off declared inputs. Diagnoses take their branches by readings, procedures
//! fill in their values with them. Like a judge it is pure.

use crate::facts::Facts;
use crate::finding::Report;
use crate::input::Input;
use crate::outcome::Undecided;
use crate::setting::Setting;

/// Reads one text off the facts. Notes of the report say what it was read from.
///
/// An `Err` says why nothing can be read; a person is then asked, or the value stays open.
pub type Read = fn(&Facts<'_>, &mut Report) -> Result<String, Undecided>;

/// One text that is read off inputs.
///
/// Inputs of readings that a [`Tree`](crate::Tree) takes its branches by may hold the placeholder `{subject}`: the name
/// that is diagnosed.
///
/// ```
/// use tancheck_plugin_api::prelude::*;
///
/// const LOCK: Input = Input::new("example.lock", "the action lock of one endpoint").sources(&[Source::question(
///     "Get Action Lock Status from all machines with Computer Name equals \"{subject}\"",
/// )]);
///
/// pub const LOCKED: Reading =
///     Reading::new("example.locked", "whether the endpoint is locked").reads(&[&LOCK]).by(|facts, report| {
///         let tally = facts.tally(&LOCK)?;
///         report.note(format!("{} endpoints answered", tally.answered));
///         Ok(if tally.rows.iter().any(|row| row.cells == ["Action Lock On"]) { "on" } else { "off" }.to_owned())
///     });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub(crate) id: &'static str,
    pub(crate) about: &'static str,
    pub(crate) reads: &'static [&'static Input],
    pub(crate) settings: &'static [&'static Setting],
    pub(crate) read: Option<Read>,
}

impl Reading {
    /// A reading with this id (`<plugin>.<name>`) and what it is, in a few words.
    #[must_use]
    pub const fn new(id: &'static str, about: &'static str) -> Self {
        Self { id, about, reads: &[], settings: &[], read: None }
    }

    /// The inputs that it may look at.
    #[must_use]
    pub const fn reads(mut self, inputs: &'static [&'static Input]) -> Self {
        self.reads = inputs;
        self
    }

    /// The settings that it may look at.
    #[must_use]
    pub const fn settings(mut self, settings: &'static [&'static Setting]) -> Self {
        self.settings = settings;
        self
    }

    /// The function that reads.
    #[must_use]
    pub const fn by(mut self, read: Read) -> Self {
        self.read = Some(read);
        self
    }

    /// The reading's id.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }
}
