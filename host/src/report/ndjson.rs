//! Events as they happen, one JSON object a line: a run that is killed leaves what it knew.

use crate::run::event::Event;
use std::io::{self, Write};

/// Writes one event, and hands it on at once.
///
/// # Errors
/// When it cannot be written.
pub fn write(event: &Event, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, event)?;
    writeln!(to)?;
    to.flush()
}
