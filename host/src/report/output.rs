//! Where reports go: `-o FORMAT[=PATH]`, as often as one likes, at most one of them to the standard output.

use super::{json, ndjson, text};
use crate::files::{self, Draft};
use crate::run::Run;
use crate::run::event::Event;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The names of the formats, the default first.
pub const FORMATS: [&str; 3] = ["text", "json", "ndjson"];

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// The run document.
    Json,
    /// Events as they happen.
    Ndjson,
}

impl Format {
    const ALL: [(&'static str, Self); 3] =
        [("text", Self::Text), ("json", Self::Json), ("ndjson", Self::Ndjson)];
}

/// A format and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The format.
    pub format: Format,
    /// The file; `None`: the standard output.
    pub path: Option<PathBuf>,
}

impl Target {
    /// What is wrong with the place, as far as that can be known before a run that may take long.
    ///
    /// # Errors
    /// When it is a folder, or in a folder that is not there; the message says what to do.
    pub fn check(&self) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        if path.is_dir() {
            return Err(format!("{} is a folder; name a file in it for the report", path.display()));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        match folder.filter(|folder| !folder.is_dir()) {
            None => Ok(()),
            Some(folder) => {
                let (path, folder) = (path.display(), folder.display());
                Err(format!("the report {path} cannot be written: make the folder {folder} first"))
            }
        }
    }

    /// A target by the name of its format, which is one of [`FORMATS`]; anything else is text.
    #[must_use]
    pub fn new(format: &str, path: Option<PathBuf>) -> Self {
        let found = Format::ALL.into_iter().find(|(known, _)| *known == format);
        Self { format: found.map_or(Format::Text, |(_, format)| format), path }
    }
}

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the {format} report to {place}: {error}")]
pub struct WriteError {
    format: &'static str,
    place: String,
    error: io::Error,
}

impl WriteError {
    /// Whether the reader of the standard output went away: it has seen all it wanted.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        self.error.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Streams events to the targets that want them while the run goes on.
#[derive(Clone, Debug, Default)]
pub struct Streams(Vec<Arc<Mutex<Stream>>>);

/// Where a stream goes.
#[derive(Debug)]
enum To {
    Stdout,
    /// A device or a pipe, which keeps its name.
    Device(File),
    /// A file that gets its name when the run is over.
    Draft(Draft),
}

#[derive(Debug)]
struct Stream {
    path: Option<PathBuf>,
    to: To,
    failed: Option<io::Error>,
}

impl Streams {
    /// Opens the streams of these targets.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn open(targets: &[Target]) -> Result<Self, WriteError> {
        let wanted = targets.iter().filter(|target| target.format == Format::Ndjson);
        wanted.map(open_stream).collect::<Result<_, _>>().map(Self)
    }

    /// Writes an event to all of them. What fails is remembered and told at the end.
    pub fn tell(&self, event: &Event) {
        for stream in &self.0 {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            if stream.failed.is_some() {
                continue;
            }
            let written = match &mut stream.to {
                To::Stdout => ndjson::write(event, &mut io::stdout().lock()),
                To::Device(file) => ndjson::write(event, file),
                To::Draft(draft) => ndjson::write(event, draft),
            };
            stream.failed = written.err();
        }
    }

    /// Ends the streams: files get their names.
    #[must_use]
    pub fn close(self) -> Vec<WriteError> {
        let end = |stream: &mut Stream| {
            let ended = match (stream.failed.take(), std::mem::replace(&mut stream.to, To::Stdout)) {
                (Some(error), _) => Err(error),
                (None, To::Draft(draft)) => draft.put_in_place(),
                (None, To::Stdout | To::Device(_)) => Ok(()),
            };
            ended.err().map(|error| explain(Format::Ndjson, stream.path.as_deref(), error))
        };
        let streams = self.0.iter().map(|stream| stream.lock().unwrap_or_else(PoisonError::into_inner));
        streams.filter_map(|mut stream| end(&mut stream)).collect()
    }
}

fn open_stream(target: &Target) -> Result<Arc<Mutex<Stream>>, WriteError> {
    let to = match &target.path {
        None => Ok(To::Stdout),
        Some(path) if files::is_plain(path) => Draft::of(path, None).map(To::Draft),
        Some(path) => File::options().write(true).open(path).map(To::Device),
    };
    let to = to.map_err(|error| explain(Format::Ndjson, target.path.as_deref(), error))?;
    Ok(Arc::new(Mutex::new(Stream { path: target.path.clone(), to, failed: None })))
}

/// Writes the reports of a finished run; every target is tried, whatever became of the others.
#[must_use]
pub fn write_all(run: &Run, targets: &[Target], look: &text::Look) -> Vec<WriteError> {
    let finished = targets.iter().filter(|target| target.format != Format::Ndjson);
    finished.filter_map(|target| write(run, target, look).err()).collect()
}

fn write(run: &Run, target: &Target, look: &text::Look) -> Result<(), WriteError> {
    let render = |to: &mut dyn Write, look: &text::Look| match target.format {
        Format::Text => text::write(run, look, to),
        Format::Json | Format::Ndjson => json::write(run, to),
    };
    let result = match &target.path {
        None => {
            let stdout = io::stdout();
            let mut to = BufWriter::new(stdout.lock());
            render(&mut to, look).and_then(|()| to.flush())
        }
        Some(path) => files::write(path, None, |to| render(to, &look.plain())),
    };
    result.map_err(|error| explain(target.format, target.path.as_deref(), error))
}

fn explain(format: Format, path: Option<&Path>, error: io::Error) -> WriteError {
    let format = Format::ALL.iter().find(|(_, known)| *known == format).map_or("", |(name, _)| name);
    let place = path.map_or_else(|| "the standard output".to_owned(), |path| path.display().to_string());
    WriteError { format, place, error }
}
