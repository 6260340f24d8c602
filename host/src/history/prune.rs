//! Forgetting: old runs go, and with them what nobody can ask about any more. What people said stays.

use super::{HistoryError, Store};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Transaction, TransactionBehavior, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days that runs are kept, with their outcomes and findings; 0: for ever.
    pub runs_days: u64,
    /// Days that series are kept; 0: for ever.
    pub series_days: u64,
}

impl Default for Retention {
    /// Three years. Checks look back 800 days at most.
    fn default() -> Self {
        Self { runs_days: 1100, series_days: 1100 }
    }
}

/// What was forgotten, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pruned {
    /// Runs.
    pub runs: u64,
    /// Findings that were over before the oldest run that is kept.
    pub findings: u64,
    /// Values of series.
    pub values: u64,
}

impl Store {
    /// Forgets what is older than that. The last two runs stay, however old they are, and all that people said.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing is forgotten.
    pub fn prune(&self, keep: Retention, now: Timestamp, pretend: bool) -> Result<Pruned, HistoryError> {
        let mut connection = self.lock();
        let result =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let pruned = prune(&transaction, &self.deployment, keep, now)?;
                if pretend {
                    transaction.rollback()?;
                } else {
                    transaction.commit()?;
                }
                Ok(pruned)
            });
        result.map_err(|error| self.explain(&error))
    }

    /// Gives the space of what was forgotten back to the file system.
    ///
    /// # Errors
    /// When the file cannot be written, or there is no space for the copy that is made meanwhile.
    pub fn compact(&self) -> Result<(), HistoryError> {
        let unused = "DELETE FROM text WHERE id NOT IN (
            SELECT outcome FROM outcome UNION SELECT reason FROM outcome WHERE reason IS NOT NULL
            UNION SELECT says FROM look UNION SELECT selection FROM run WHERE selection IS NOT NULL
            UNION SELECT plugins FROM run WHERE plugins IS NOT NULL
            UNION SELECT settings FROM run WHERE settings IS NOT NULL
            UNION SELECT reasons FROM run WHERE reasons IS NOT NULL
            UNION SELECT outcome FROM known WHERE outcome IS NOT NULL
            UNION SELECT fault_library FROM known WHERE fault_library IS NOT NULL
            UNION SELECT fault_outcome FROM known WHERE fault_outcome IS NOT NULL
            UNION SELECT fault_reason FROM known WHERE fault_reason IS NOT NULL);";
        let connection = self.lock();
        connection
            .execute_batch(unused)
            .and_then(|()| connection.execute_batch("VACUUM"))
            .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
            .map_err(|error| self.explain(&error))
    }
}

fn prune(
    on: &Transaction<'_>,
    deployment: &str,
    keep: Retention,
    now: Timestamp,
) -> rusqlite::Result<Pruned> {
    let mut pruned = Pruned::default();
    let count = |changed: usize| changed as u64;
    if let Some(end) = before(keep.series_days, now) {
        pruned.values = count(on.execute(
            "DELETE FROM measure WHERE at < ?2 AND series IN (SELECT id FROM series WHERE deployment = ?1)",
            params![deployment, end],
        )?);
        on.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM measure)", [])?;
    }
    let Some(end) = before(keep.runs_days, now) else { return Ok(pruned) };
    // By number, not by time: a clock that once was wrong must not tear holes.
    let oldest: Option<i64> = on.query_row(
        "SELECT min(
            (SELECT min(id) FROM run WHERE deployment = ?1 AND at >= ?2),
            (SELECT min(id) FROM (SELECT id FROM run WHERE deployment = ?1 ORDER BY id DESC LIMIT 2)))",
        params![deployment, end],
        |row| row.get(0),
    )?;
    let last = "SELECT min(id) FROM (SELECT id FROM run WHERE deployment = ?1 ORDER BY id DESC LIMIT 2)";
    let oldest = match oldest {
        Some(oldest) => Some(oldest),
        None => on.query_row(last, [deployment], |row| row.get(0))?,
    };
    let Some(oldest) = oldest else { return Ok(pruned) };
    let gone = "(SELECT id FROM run WHERE deployment = ?1 AND id < ?2)";
    for table in ["outcome", "seen"] {
        on.execute(&format!("DELETE FROM {table} WHERE run IN {gone}"), params![deployment, oldest])?;
    }
    pruned.runs =
        count(on.execute("DELETE FROM run WHERE deployment = ?1 AND id < ?2", params![deployment, oldest])?);
    if pruned.runs == 0 {
        return Ok(pruned);
    }
    // What is still known keeps its whole life, so that "first seen" stays true.
    let forgotten = "SELECT id FROM finding WHERE deployment = ?1 AND closed_run <= ?2 AND NOT EXISTS (
        SELECT 1 FROM finding AS later WHERE later.deployment = ?1 AND later.fingerprint = finding.fingerprint
        AND (later.closed_run IS NULL OR later.closed_run > ?2))";
    on.execute(&format!("DELETE FROM look WHERE finding IN ({forgotten})"), params![deployment, oldest])?;
    on.execute(&format!("DELETE FROM seen WHERE finding IN ({forgotten})"), params![deployment, oldest])?;
    pruned.findings = count(
        on.execute(&format!("DELETE FROM finding WHERE id IN ({forgotten})"), params![deployment, oldest])?,
    );
    // Of how the others looked, the last look before the oldest run is enough.
    on.execute(
        "DELETE FROM look WHERE run < (
            SELECT max(run) FROM look AS last WHERE last.finding = look.finding AND last.run <= ?2)
         AND finding IN (SELECT id FROM finding WHERE deployment = ?1)",
        params![deployment, oldest],
    )?;
    Ok(pruned)
}

/// So many days ago; none for ever.
fn before(days: u64, now: Timestamp) -> Option<i64> {
    let days = i64::try_from(days).ok().filter(|days| *days > 0)?;
    let hours = days.checked_mul(24)?;
    now.checked_sub(SignedDuration::from_hours(hours)).ok().map(Timestamp::as_microsecond)
}
