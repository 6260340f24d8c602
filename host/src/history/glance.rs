//! What can be told of the file at a glance, for `doctor`: nothing is written, and nothing is brought forward.

use super::people::{self, time};
use super::{FILE, HistoryError, Store, schema, unchanged};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Mutex;

/// The file at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Glance {
    /// The file.
    pub path: String,
    /// The version of its format.
    pub format: i64,
    /// The format that this tancheck writes; an older one is brought forward when the file is next opened.
    pub newest_format: i64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether this account may write it.
    pub writable: bool,
    /// Runs of this deployment.
    pub runs: u64,
    /// Runs of other deployments.
    pub others: u64,
    /// The earliest time of a run.
    #[schemars(with = "Option<String>")]
    pub oldest: Option<Timestamp>,
    /// The latest time of a run.
    #[schemars(with = "Option<String>")]
    pub newest: Option<Timestamp>,
    /// Runs whose time lies before that of the run before them: a clock went backwards.
    pub backwards: u64,
    /// Attestations of all deployments, whose chain holds; none where it does not.
    pub attestations: Option<u64>,
    /// What is wrong; empty where nothing was seen. `history verify` looks closer.
    pub problems: Vec<String>,
}

impl Store {
    /// The file in the state folder; `None` where there is none yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn glance(folder: &Path, deployment: &str) -> Result<Option<Glance>, HistoryError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let (connection, format) = unchanged(&path)?;
        let (connection, deployment) = (Mutex::new(connection), deployment.to_owned());
        let store = Self { connection, deployment, path, zone: TimeZone::UTC };
        store.look(format).map(Some)
    }

    fn look(&self, format: i64) -> Result<Glance, HistoryError> {
        let writable = |path: &Path| {
            rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::READ_OK).is_ok()
        };
        let mut glance = Glance {
            path: self.path.display().to_string(),
            format,
            newest_format: schema::NEWEST,
            bytes: self.bytes(),
            writable: writable(&self.path) && self.path.parent().is_none_or(writable),
            runs: 0,
            others: 0,
            oldest: None,
            newest: None,
            backwards: 0,
            attestations: None,
            problems: self.read(damage)?,
        };
        // The tables of an older format are others.
        if format < schema::NEWEST || !glance.problems.is_empty() {
            return Ok(glance);
        }
        self.read(|connection| {
            let sql = "SELECT count(*) FILTER (WHERE deployment = ?1), count(*) FILTER (WHERE deployment <> ?1),
                    min(at) FILTER (WHERE deployment = ?1), max(at) FILTER (WHERE deployment = ?1) FROM run";
            connection.query_row(sql, [&self.deployment], |row| {
                glance.runs = row.get::<_, i64>(0)?.cast_unsigned();
                glance.others = row.get::<_, i64>(1)?.cast_unsigned();
                glance.oldest = row.get::<_, Option<i64>>(2)?.map(time);
                glance.newest = row.get::<_, Option<i64>>(3)?.map(time);
                Ok(())
            })?;
            let sql = "SELECT count(*) FROM (
                    SELECT at, lag(at) OVER (ORDER BY id) AS before FROM run WHERE deployment = ?1) WHERE at < before";
            glance.backwards =
                connection.query_row(sql, [&self.deployment], |row| row.get::<_, i64>(0))?.cast_unsigned();
            Ok(())
        })?;
        let log = self.read(people::read_log)?;
        match self.verify(&log) {
            Ok(_) => glance.attestations = Some(log.len() as u64),
            Err(error) => glance.problems.push(error.to_string()),
        }
        Ok(glance)
    }

    /// The size of the file and of what is still to be moved into it.
    pub(super) fn bytes(&self) -> u64 {
        let parts = ["", "-wal"].map(|end| {
            let mut path = self.path.clone().into_os_string();
            path.push(end);
            std::fs::metadata(path).map_or(0, |file| file.len())
        });
        parts.iter().sum()
    }
}

/// What is wrong with the pages, at a first look.
fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA quick_check(3)")?;
    let rows: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    // One row may hold several lines, the first of which names the database.
    let lines =
        rows.iter().flat_map(|row| row.lines()).filter(|line| *line != "ok" && !line.starts_with("***"));
    Ok(lines.take(1).map(|line| format!("the file is damaged: {line}")).collect())
}
