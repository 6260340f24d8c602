//! Results: to stdout or to files, as text or in a format for machines.

use super::global::Global;
use super::stop::Stop;
use crate::files;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Not good.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Worth a look.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
/// A heading.
pub(crate) const HEADING: Style = Style::new().bold();
/// Less important.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// A format, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The format's name.
    pub format: String,
    /// The file; `None`: stdout.
    pub path: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = match text.split_once('=') {
            Some((_, "" | "-")) | None => (text.split('=').next().unwrap_or_default(), None),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
        };
        if format.is_empty() {
            return Err("expected FORMAT or FORMAT=PATH, such as json or json=report.json".to_owned());
        }
        Ok(Self { format: format.to_owned(), path })
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(formatter, "{}={}", self.format, path.display()),
            None => formatter.write_str(&self.format),
        }
    }
}

/// Hands results to where `-o` says.
#[derive(Debug)]
pub struct Printer {
    outputs: Vec<Output>,
}

impl Printer {
    /// The outputs that were asked for, or the first known format on stdout.
    ///
    /// # Errors
    /// When a format is not known, or two of them want stdout.
    pub fn new(global: &Global, known: &[&str]) -> Result<Self, Stop> {
        let mut outputs = global.output.clone();
        for output in &outputs {
            if !known.contains(&output.format.as_str()) {
                let hint = crate::hint::hint(&output.format, known.iter().copied());
                return Err(Stop::Usage(format!("this command has no format {:?}{hint}", output.format)));
            }
        }
        if outputs.iter().filter(|output| output.path.is_none()).count() > 1 {
            let message = "only one result fits on stdout; give the others a file: -o FORMAT=PATH";
            return Err(Stop::Usage(message.to_owned()));
        }
        if outputs.is_empty() {
            let format = known.first().map_or("text", |format| *format).to_owned();
            outputs.push(Output { format, path: None });
        }
        Ok(Self { outputs })
    }

    /// A printer of `text` and `json`, which most commands have.
    ///
    /// # Errors
    /// Like [`Printer::new`].
    pub fn text_or_json(global: &Global) -> Result<Self, Stop> {
        Self::new(global, &["text", "json"])
    }

    /// Where results go.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Writes each output; `render` makes the text of a format. Files keep no colours.
    ///
    /// # Errors
    /// When a result cannot be written. A closed stdout is no error: whoever closed it has read enough.
    pub fn print(&self, mut render: impl FnMut(&str) -> Result<String, Stop>) -> Result<(), Stop> {
        for output in &self.outputs {
            let text = render(&output.format)?;
            match &output.path {
                Some(path) => {
                    write_file(path, anstream::adapter::strip_str(&text).to_string().as_bytes(), None)?
                }
                None => to_stdout(&text)?,
            }
        }
        Ok(())
    }

    /// Writes a document as `json`, or as `text` by the closure.
    ///
    /// # Errors
    /// Like [`Printer::print`].
    pub fn document(&self, document: &impl Serialize, text: impl Fn() -> String) -> Result<(), Stop> {
        self.print(|format| if format == "json" { json(document) } else { Ok(text()) })
    }
}

/// A document as indented JSON with a newline at its end.
pub(crate) fn json(document: &impl Serialize) -> Result<String, Stop> {
    serde_json::to_string_pretty(document)
        .map(|text| text + "\n")
        .map_err(|error| Stop::Internal(format!("failed to write JSON: {error}")))
}

/// Writes to stdout, without colours where they are not wanted.
pub(crate) fn to_stdout(text: &str) -> Result<(), Stop> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Stop::Internal(format!("failed to write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to stderr. Nothing can be done where nobody reads it.
pub(crate) fn to_stderr(line: &str) {
    writeln!(anstream::stderr(), "{line}").ok();
}

/// Says why there is no result.
pub(super) fn complain(stop: &Stop) {
    for line in stop.to_string().lines() {
        to_stderr(&format!("{BAD}error:{BAD:#} {line}"));
    }
}

/// Writes a file as a whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), Stop> {
    files::write(path, mode, |to| to.write_all(bytes))
        .map_err(|error| Stop::Internal(format!("failed to write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_and_its_place() {
        let read = |text: &str| text.parse::<Output>().map(|output| (output.format, output.path));
        assert_eq!(read("json"), Ok(("json".to_owned(), None)));
        assert_eq!(read("json=-"), Ok(("json".to_owned(), None)));
        assert_eq!(read("json=a=b"), Ok(("json".to_owned(), Some(PathBuf::from("a=b")))));
        assert!(read("=x").is_err());
    }

    #[test]
    fn stdout_has_room_for_one() {
        let global = |formats: &[&str]| Global {
            output: formats.iter().map(|format| format.parse().unwrap()).collect(),
            ..Global::default()
        };
        assert!(Printer::text_or_json(&global(&["json", "text=x"])).is_ok());
        let two = Printer::text_or_json(&global(&["json", "text"])).unwrap_err();
        assert_eq!(two.code(), 2);
        let wrong = Printer::text_or_json(&global(&["jsn"])).unwrap_err().to_string();
        assert_eq!(wrong, "this command has no format \"jsn\"; did you mean \"json\"?");
    }
}
