//! The tables, by version. A migration is never changed once it was released; a new one is appended.

use super::{HistoryError, explain};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// One step for each version, from an empty file on.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The newest format.
pub(super) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// Brings a file to the newest format, each step whole or not at all.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), HistoryError> {
    let fail = |error: rusqlite::Error| explain(path, &error);
    if check(connection, path)? == NEWEST {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    // Another tancheck may have been faster while this one waited.
    let found = check(&transaction, path)?;
    for (index, step) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.execute_batch(step).map_err(fail)?;
        transaction.pragma_update(None, "user_version", index as i64 + 1).map_err(fail)?;
    }
    transaction.commit().map_err(fail)
}

/// The format of a file.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, HistoryError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| explain(path, &error))?;
    if found > NEWEST {
        return Err(HistoryError::Newer { path: path.display().to_string(), found, known: NEWEST });
    }
    Ok(found)
}
