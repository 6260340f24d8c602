//! What people said: attestations, a log that is only appended to, and answers.

use super::{HistoryError, Store};
use crate::run::attested::Attestation;
use crate::run::identity::hex;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tancheck_plugin_api::facts::Answer;

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAnswer {
    /// The answer.
    pub answer: Answer,
    /// Until when, where the person said so; otherwise the input's period decides.
    pub valid_until: Option<Timestamp>,
}

impl Store {
    /// Appends an attestation to the log, and returns the number of its entry.
    ///
    /// # Errors
    /// When the file cannot be written, or the log was tampered with: then nothing is appended to it.
    pub fn attest(&self, attestation: &Attestation) -> Result<i64, HistoryError> {
        let entry = serde_json::to_string(attestation).map_err(|error| super::other(&self.path, &error))?;
        let mut connection = self.lock();
        let fail = |error: rusqlite::Error| self.explain(&error);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let log = read_log(&transaction).map_err(fail)?;
        let before = self.verify(&log)?;
        transaction
            .execute(
                "INSERT INTO attestation (deployment, entry, hash) VALUES (?1, ?2, ?3)",
                params![self.deployment, entry, link(&before, &self.deployment, &entry)],
            )
            .map_err(fail)?;
        let entry = transaction.last_insert_rowid();
        transaction.commit().map_err(fail)?;
        Ok(entry)
    }

    /// The attestations of this deployment, in the order in which they were entered.
    ///
    /// # Errors
    /// When the file cannot be read, or the log was tampered with.
    pub fn attestations(&self) -> Result<Vec<Attestation>, HistoryError> {
        let log = read_log(&self.lock()).map_err(|error| self.explain(&error))?;
        self.verify(&log)?;
        log.iter()
            .filter(|entry| entry.deployment == self.deployment)
            .map(|entry| {
                serde_json::from_str(&entry.text).map_err(|error| HistoryError::Damaged {
                    path: self.path.display().to_string(),
                    detail: format!("attestation {} is not understood: {error}", entry.id),
                })
            })
            .collect()
    }

    /// The last hash of a log whose chain holds.
    pub(super) fn verify(&self, log: &[Entry]) -> Result<String, HistoryError> {
        let mut before = String::new();
        for (index, entry) in log.iter().enumerate() {
            let expected = link(&before, &entry.deployment, &entry.text);
            if entry.hash != expected || entry.id != index as i64 + 1 {
                let path = self.path.display().to_string();
                return Err(HistoryError::Tampered { path, entry: index as i64 + 1 });
            }
            before = expected;
        }
        Ok(before)
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_answer(
        &self,
        input: &str,
        answer: &Answer,
        valid_until: Option<Timestamp>,
    ) -> Result<(), HistoryError> {
        self.keep_answers(&[(input, answer, valid_until)])
    }

    /// Keeps answers to inputs, each with its own end where it has one: all of them, or none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_answers(&self, answers: &[(&str, &Answer, Option<Timestamp>)]) -> Result<(), HistoryError> {
        let mut connection = self.lock();
        let keep = |transaction: &rusqlite::Transaction<'_>| {
            for (input, answer, valid_until) in answers {
                transaction.execute(
                    "INSERT INTO answer (deployment, input, value, by, at, valid_until, note)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        self.deployment,
                        input,
                        answer.value.to_string(),
                        answer.by,
                        answer.at.as_microsecond(),
                        valid_until.map(Timestamp::as_microsecond),
                        answer.note
                    ],
                )?;
            }
            Ok(())
        };
        connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| keep(&transaction).and_then(|()| transaction.commit()))
            .map_err(|error| self.explain(&error))
    }

    /// The latest answer to an input that was given by a time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn latest_answer(&self, input: &str, now: Timestamp) -> Result<Option<StoredAnswer>, HistoryError> {
        let query = || {
            self.lock()
                .prepare_cached(
                    "SELECT value, by, at, note, valid_until FROM answer WHERE deployment = ?1 AND input = ?2
                     AND at <= ?3 ORDER BY at DESC, id DESC LIMIT 1",
                )?
                .query_row(params![self.deployment, input, now.as_microsecond()], |row| {
                    let text: String = row.get(0)?;
                    Ok(StoredAnswer {
                        answer: Answer {
                            value: serde_json::from_str(&text).unwrap_or(Value::String(text)),
                            by: row.get(1)?,
                            at: time(row.get(2)?),
                            note: row.get(3)?,
                        },
                        valid_until: row.get::<_, Option<i64>>(4)?.map(time),
                    })
                })
                .optional()
        };
        query().map_err(|error| self.explain(&error))
    }
}

/// A line of the log.
pub(super) struct Entry {
    id: i64,
    pub(super) deployment: String,
    pub(super) text: String,
    hash: String,
}

/// The log of all deployments: it is one chain.
pub(super) fn read_log(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<Entry>> {
    let mut statement =
        connection.prepare_cached("SELECT id, deployment, entry, hash FROM attestation ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(Entry { id: row.get(0)?, deployment: row.get(1)?, text: row.get(2)?, hash: row.get(3)? })
    })?;
    rows.collect()
}

/// The hash of an entry and of everything before it.
pub(super) fn link(before: &str, deployment: &str, entry: &str) -> String {
    let mut hash = Sha256::new();
    for part in [before, deployment, entry] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// A stored time; one beyond the calendar is its nearest end.
pub(super) fn time(microseconds: i64) -> Timestamp {
    let end = if microseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(microseconds).unwrap_or(end)
}
