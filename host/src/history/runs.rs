//! What later runs and commands ask about earlier runs.

use super::{HistoryError, Store};
use rusqlite::{OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::Outcome;

/// A subject that a check listed in its last run, and that can be attested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// The subject's kind.
    pub kind: String,
    /// The subject's key.
    pub key: String,
    /// The subject's name.
    pub name: String,
    /// The state it is in.
    pub state: Option<String>,
}

impl Store {
    /// The latest outcome of each check, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn latest(&self) -> Result<BTreeMap<String, String>, HistoryError> {
        let query = || {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT check_id, text FROM known JOIN text ON text.id = outcome WHERE deployment = ?1",
            )?;
            let rows = statement.query_map([&self.deployment], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        query().map_err(|error| self.explain(&error))
    }

    /// The checks whose latest outcome is not healthy.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn failing(&self) -> Result<BTreeSet<String>, HistoryError> {
        let healthy = [Outcome::Pass, Outcome::NotApplicable, Outcome::NotLicensed].map(Outcome::name);
        let mut latest = self.latest()?;
        latest.retain(|_, outcome| !healthy.contains(&outcome.as_str()));
        Ok(latest.into_keys().collect())
    }

    /// The reason of a check whose judge failed in the last two runs that asked it, with the same library.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn failed_twice(&self, check: &str, library: &str) -> Result<Option<(String, String)>, HistoryError> {
        let query = || {
            let connection = self.lock();
            connection
                .prepare_cached(
                    "SELECT said.text, why.text FROM known
                     JOIN text AS library ON library.id = fault_library JOIN text AS said ON said.id = fault_outcome
                     JOIN text AS why ON why.id = fault_reason
                     WHERE deployment = ?1 AND check_id = ?2 AND faults >= 2 AND library.text = ?3",
                )?
                .query_row(params![self.deployment, check, library], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        };
        query().map_err(|error| self.explain(&error))
    }

    /// The subjects that a check listed last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn listed(&self, check: &str) -> Result<Vec<Listed>, HistoryError> {
        let query = || {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT fingerprint, kind, key, name, state FROM listed WHERE deployment = ?1 AND check_id = ?2
                 ORDER BY kind, key",
            )?;
            let rows = statement.query_map(params![self.deployment, check], |row| {
                Ok(Listed {
                    fingerprint: row.get(0)?,
                    kind: row.get(1)?,
                    key: row.get(2)?,
                    name: row.get(3)?,
                    state: row.get(4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        query().map_err(|error| self.explain(&error))
    }

    /// How many runs are kept, and how many outcomes and findings they have; for tests and `doctor`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn size(&self) -> Result<(u64, u64, u64), HistoryError> {
        let query = || {
            self.lock().query_row(
                "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM outcome), (SELECT count(*) FROM finding)",
                [],
                |row| {
                    let count = |index| row.get::<_, i64>(index).map(i64::cast_unsigned);
                    Ok((count(0)?, count(1)?, count(2)?))
                },
            )
        };
        query().map_err(|error| self.explain(&error))
    }

    /// When the last run was.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_run(&self) -> Result<Option<jiff::Timestamp>, HistoryError> {
        let query = || {
            self.lock()
                .query_row("SELECT max(at) FROM run WHERE deployment = ?1", [&self.deployment], |row| {
                    row.get::<_, Option<i64>>(0)
                })
                .optional()
        };
        let at = query().map_err(|error| self.explain(&error))?.flatten();
        Ok(at.and_then(|at| jiff::Timestamp::from_microsecond(at).ok()))
    }
}
