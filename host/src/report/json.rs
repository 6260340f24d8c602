//! The run document as it is.

use crate::run::Run;
use std::io::{self, Write};

/// Writes the document, with a line feed at its end.
///
/// # Errors
/// When it cannot be written.
pub fn write(run: &Run, to: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, run)?;
    writeln!(to)
}
