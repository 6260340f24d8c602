//! Questions to the person at the terminal. They go to stderr: stdout is for results.

use super::stop::Stop;
use std::io::{BufRead, Write};

/// Asks for yes or no; everything but a clear yes is no.
pub(crate) fn yes(question: &str) -> Result<bool, Stop> {
    let answer = line(&format!("{question} [y/N]"))?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks for a line of text.
pub(crate) fn line(question: &str) -> Result<String, Stop> {
    let failed = |error: std::io::Error| Stop::Usage(format!("failed to ask: {error}"));
    let mut stderr = anstream::stderr();
    write!(stderr, "{question} ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().to_owned())
}
