//! What is kept between runs: SQLite, one file.
//!
//! A run is one transaction: killed at any point it is there whole or not at all, and no earlier one is harmed.
//! Attestations are only ever appended, and each holds the hash of the one before it.

mod calendar;
mod change;
mod diff;
mod glance;
mod local;
mod people;
mod prune;
mod record;
mod runs;
mod schema;
mod series;
mod show;
mod transfer;
mod verify;

pub use calendar::Open;
pub use diff::{Circumstance, Difference, Turned};
pub use glance::Glance;
pub use local::Here;
pub use people::StoredAnswer;
pub use prune::{Pruned, Retention};
pub use record::Kept;
pub use runs::Listed;
pub use series::{Bucket, Every, Metric, Trend, days_before};
pub use show::{Counted, FoundThen, Looked, Measured, Plugin, RunLine, Severities, Shown};
pub use transfer::{TransferError, Transferred};
pub use verify::Verified;

use jiff::tz::TimeZone;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The name of the file in the state folder.
const FILE: &str = "history.db";

/// How long another tancheck is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The history of one deployment.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    deployment: String,
    path: PathBuf,
    zone: TimeZone,
}

/// Why the history cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A newer program wrote it.
    #[error(
        "the history {path} has format {found}, and this tancheck knows formats up to {known}: use the newer tancheck, \
         or set another state folder"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
        /// The newest known format.
        known: i64,
    },
    /// The file is no history, or is damaged.
    #[error(
        "the history {path} is damaged or is no history ({detail}): restore it from a backup, or move it away to begin \
         a new one"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What SQLite says.
        detail: String,
    },
    /// Another program holds it.
    #[error("the history {path} is locked: another tancheck is writing to it; try again when it is done")]
    Locked {
        /// The file.
        path: String,
    },
    /// It may not be written.
    #[error(
        "the history {path} cannot be written: give this account write access to the file and its folder"
    )]
    ReadOnly {
        /// The file.
        path: String,
    },
    /// There is no space.
    #[error("the history {path} cannot be written: there is no space left on its file system")]
    Full {
        /// The file.
        path: String,
    },
    /// The log of attestations was changed after it was written.
    #[error(
        "the log of attestations in {path} was changed after it was written, at entry {entry}: restore the file from a \
         backup; until then nothing in the log can be relied on"
    )]
    Tampered {
        /// The file.
        path: String,
        /// The first entry that does not fit.
        entry: i64,
    },
    /// Anything else.
    #[error("the history {path} cannot be used: {detail}")]
    Other {
        /// The file.
        path: String,
        /// What happened.
        detail: String,
    },
}

impl Store {
    /// Opens the history in the state folder, and makes both where they are missing. A file that may not be written
    /// is opened for reading.
    ///
    /// # Errors
    /// When the file cannot be used; the message says what to do.
    pub fn open(folder: &Path, deployment: &str) -> Result<Self, HistoryError> {
        let path = folder.join(FILE);
        make_folder(folder).map_err(|error| other(&path, &error))?;
        let connection = match writable(&path) {
            Err(HistoryError::ReadOnly { .. }) if path.exists() => readable(&path)?,
            result => result?,
        };
        let (connection, deployment) = (Mutex::new(connection), deployment.to_owned());
        Ok(Self { connection, deployment, path, zone: TimeZone::UTC })
    }

    /// Days that are named or told are those of this zone; without one, of UTC.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Where the site is.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The deployment.
    #[must_use]
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// The connection. A thread that panicked left no half-written state behind: transactions roll back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn explain(&self, error: &rusqlite::Error) -> HistoryError {
        explain(&self.path, error)
    }
}

fn writable(path: &Path) -> Result<Connection, HistoryError> {
    let fail = |error: rusqlite::Error| explain(path, &error);
    let mut connection = Connection::open(path).map_err(fail)?;
    connection.busy_timeout(PATIENCE).map_err(fail)?;
    // Setting the journal writes to the file; one that a newer program wrote, or that is no database, stays as it is.
    schema::check(&connection, path)?;
    // The journal's name comes back as a row.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(fail)?;
    // Tables are replaced by their successors; references are looked at again when all of them are in place.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;").map_err(fail)?;
    schema::migrate(&mut connection, path)?;
    connection.execute_batch("PRAGMA foreign_keys = ON;").map_err(fail)?;
    Ok(connection)
}

fn readable(path: &Path) -> Result<Connection, HistoryError> {
    let (connection, format) = unchanged(path)?;
    // An older format would have to be brought forward first.
    if format < schema::NEWEST {
        return Err(HistoryError::ReadOnly { path: path.display().to_string() });
    }
    Ok(connection)
}

/// Opens a file for reading, whatever its format.
fn unchanged(path: &Path) -> Result<(Connection, i64), HistoryError> {
    let open = |uri: &str| {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri, flags).map_err(|error| explain(path, &error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| explain(path, &error))?;
        let format = schema::check(&connection, path)?;
        Ok((connection, format))
    };
    let whole = std::path::absolute(path).map_err(|error| other(path, &error))?;
    let uri = url::Url::from_file_path(&whole)
        .map_err(|()| other(path, &"its path is none that can be opened"))?
        .to_string();
    match open(&uri) {
        // Readers share a file beside it, which cannot be made here; nobody can change what they read either.
        Err(HistoryError::ReadOnly { .. }) if is_frozen(&whole) => open(&format!("{uri}?immutable=1")),
        opened => opened,
    }
}

/// Whether a file lies on a file system that cannot be written, and nothing waits in its journal to be moved into it.
fn is_frozen(path: &Path) -> bool {
    let mut journal = path.to_owned().into_os_string();
    journal.push("-wal");
    let is_empty = std::fs::metadata(journal).map_or(true, |journal| journal.len() == 0);
    let is_read_only = |path: &Path| {
        let system = rustix::fs::statvfs(path).ok()?;
        Some(system.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
    };
    is_empty && is_read_only(path) == Some(true)
}

/// Makes a folder that only its owner may enter: what people answered is nobody else's business.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn explain(path: &Path, error: &rusqlite::Error) -> HistoryError {
    let name = path.display().to_string();
    // The file that programs share cannot grow: SQLite calls that an I/O error.
    if error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
        return HistoryError::Full { path: name };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            HistoryError::Damaged { path: name, detail: error.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => HistoryError::Locked { path: name },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            HistoryError::ReadOnly { path: name }
        }
        Some(ErrorCode::DiskFull) => HistoryError::Full { path: name },
        _ => match error {
            // Its text would repeat the whole statement.
            rusqlite::Error::SqlInputError { msg, .. } => other(path, msg),
            _ => other(path, error),
        },
    }
}

fn other(path: &Path, error: &dyn std::fmt::Display) -> HistoryError {
    HistoryError::Other { path: path.display().to_string(), detail: error.to_string() }
}

#[cfg(test)]
mod tests;
