//! The history as a source of inputs.

use super::people::{StoredAnswer, time};
use super::{HistoryError, Store};
use crate::calendar::day;
use crate::collect::Local;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;
use tancheck_plugin_api::facts::{Answer, Point};

/// What is known on this machine, at the time of a run; or why it is not.
#[derive(Clone, Debug)]
pub struct Here {
    store: Result<Arc<Store>, HistoryError>,
    now: Timestamp,
}

impl Here {
    /// What is known at a time.
    #[must_use]
    pub const fn new(store: Result<Arc<Store>, HistoryError>, now: Timestamp) -> Self {
        Self { store, now }
    }

    fn store(&self) -> Result<&Store, String> {
        self.store.as_deref().map_err(ToString::to_string)
    }
}

impl Local for Here {
    fn points(&self, series: &str, since: Timestamp) -> Result<Vec<Point>, String> {
        self.store()?.points(series, since, self.now).map_err(|error| error.to_string())
    }

    fn answer(&self, input: &str) -> Result<Option<Answer>, String> {
        let store = self.store()?;
        let stored = store.latest_answer(input, self.now).map_err(|error| error.to_string())?;
        let Some(StoredAnswer { answer, valid_until }) = stored else { return Ok(None) };
        match valid_until {
            Some(end) if end <= self.now => Err(format!(
                "the answer that {} gave on {} was good until {}; run `tancheck answer {input}`",
                answer.by,
                day(answer.at, &store.zone),
                day(end, &store.zone)
            )),
            _ => Ok(Some(answer)),
        }
    }

    fn expected_seconds(&self, key: &str) -> Option<f64> {
        // An expectation only orders requests; without one they are merely sent in another order.
        self.store().ok()?.expected_seconds(key).ok().flatten()
    }
}

impl Store {
    /// Points of a series, or of all series with a beginning (`….*`), between two times, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn points(&self, series: &str, since: Timestamp, now: Timestamp) -> Result<Vec<Point>, HistoryError> {
        let (from, to) = range(series);
        let query = || {
            let connection = self.lock();
            // Of two runs of one moment, the later one counts.
            let mut statement = connection.prepare_cached(
                "SELECT name, at, value, max(run) FROM measure JOIN series ON series.id = series
                 WHERE deployment = ?1 AND name >= ?2 AND name < ?3 AND at BETWEEN ?4 AND ?5
                 GROUP BY at, series ORDER BY at, name",
            )?;
            let (since, now) = (since.as_microsecond(), now.as_microsecond());
            let rows = statement.query_map(params![self.deployment, from, to, since, now], |row| {
                Ok(Point { series: row.get(0)?, at: time(row.get(1)?), value: row.get(2)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        query().map_err(|error| self.explain(&error))
    }

    /// How long a request took lately, in seconds.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn expected_seconds(&self, key: &str) -> Result<Option<f64>, HistoryError> {
        let query = || {
            self.lock()
                .prepare_cached("SELECT seconds FROM duration WHERE deployment = ?1 AND request = ?2")?
                .query_row(params![self.deployment, key], |row| row.get(0))
                .optional()
        };
        query().map_err(|error| self.explain(&error))
    }
}

/// The half-open range of names that a series, or all series with a beginning (`….*`), take.
fn range(series: &str) -> (String, String) {
    match series.strip_suffix(".*") {
        // `/` follows `.` in the order of bytes.
        Some(beginning) => (format!("{beginning}."), format!("{beginning}/")),
        None => (series.to_owned(), format!("{series}\0")),
    }
}
