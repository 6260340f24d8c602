//! What the calendar asks about earlier runs.

use super::people::time;
use super::{HistoryError, Store};
use crate::calendar::status::{Item, Looked};
use jiff::Timestamp;
use rusqlite::params;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::{Outcome, Severity};

/// A finding that is there, as far as runs know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The check.
    pub check: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The subject's kind.
    pub kind: String,
    /// The subject's key.
    pub key: String,
    /// The subject's name.
    pub name: String,
    /// How bad it is; none for an item that only awaits a person.
    pub severity: Option<Severity>,
    /// What was seen.
    pub says: String,
    /// How many things it concerns.
    pub affected: Option<u64>,
}

impl Store {
    /// The findings that are there, and what awaits a person.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open_findings(&self) -> Result<Vec<Open>, HistoryError> {
        let query = || {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT check_id, fingerprint, kind, key, name, look.severity, says.text, look.affected FROM finding
                 JOIN known ON known.id = finding.known
                 JOIN look ON look.finding = finding.id
                    AND look.run = (SELECT max(run) FROM look WHERE look.finding = finding.id)
                 JOIN text AS says ON says.id = look.says
                 WHERE finding.deployment = ?1 AND closed_run IS NULL
                 UNION ALL
                 SELECT check_id, fingerprint, kind, key, name, NULL, '', NULL FROM listed
                 WHERE deployment = ?1 AND NOT EXISTS (
                    SELECT 1 FROM finding WHERE finding.deployment = listed.deployment
                    AND finding.fingerprint = listed.fingerprint AND closed_run IS NULL)
                 ORDER BY 1, 3, 4",
            )?;
            let rows = statement.query_map([&self.deployment], |row| {
                let severity: Option<String> = row.get(5)?;
                Ok(Open {
                    check: row.get(0)?,
                    fingerprint: row.get(1)?,
                    kind: row.get(2)?,
                    key: row.get(3)?,
                    name: row.get(4)?,
                    severity: severity
                        .and_then(|name| Severity::ALL.into_iter().find(|one| one.name() == name)),
                    says: row.get(6)?,
                    affected: row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        query().map_err(|error| self.explain(&error))
    }

    /// What runs came to by a time, by check.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn looked(&self, now: Timestamp) -> Result<BTreeMap<String, Looked>, HistoryError> {
        let query = || {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT check_id, known.id, at, text, decided_at FROM known LEFT JOIN text ON text.id = outcome
                 WHERE deployment = ?1 AND at IS NOT NULL",
            )?;
            let mut rows = statement.query([&self.deployment])?;
            let mut found = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let (check, known): (String, i64) = (row.get(0)?, row.get(1)?);
                let at = time(row.get(2)?);
                let outcome = outcome_of(&row.get::<_, String>(3)?);
                let decided = row.get::<_, Option<i64>>(4)?.map(time);
                // Who looks back, or whose clock went back, gets what was known then.
                let looked = if at > now || decided.is_some_and(|decided| decided > now) {
                    looked_by(&connection, known, now)?
                } else {
                    Looked { decided, last: outcome.map(|outcome| (at, outcome)) }
                };
                found.insert(check, looked);
            }
            Ok(found)
        };
        query().map_err(|error| self.explain(&error))
    }

    /// The subjects that checks listed in their last runs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn all_listed(&self) -> Result<BTreeMap<String, Vec<Item>>, HistoryError> {
        let query = || {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT check_id, fingerprint, state FROM listed WHERE deployment = ?1 ORDER BY check_id, fingerprint",
            )?;
            let mut rows = statement.query([&self.deployment])?;
            let mut found: BTreeMap<String, Vec<Item>> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let item = Item { fingerprint: row.get(1)?, state: row.get(2)? };
                found.entry(row.get(0)?).or_default().push(item);
            }
            Ok(found)
        };
        query().map_err(|error| self.explain(&error))
    }

    /// When runs decided checks, oldest first: each time between `from` and `to`, and the last time before, back to
    /// `horizon`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn decisions(
        &self,
        horizon: Timestamp,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<String, Vec<Timestamp>>, HistoryError> {
        let query = || {
            let connection = self.lock();
            let mut found: BTreeMap<i64, Vec<Timestamp>> = BTreeMap::new();
            for_each_decision(&connection, &self.deployment, from, to, |check, at| {
                found.entry(check).or_default().push(at);
                true
            })?;
            let mut ids = connection.prepare_cached(
                "SELECT id, check_id FROM known WHERE deployment = ?1 AND decided_at IS NOT NULL",
            )?;
            let ids = ids.query_map([&self.deployment], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut ids: BTreeMap<i64, String> = ids.collect::<rusqlite::Result<_>>()?;
            // Runs usually decide most checks, so that this ends soon.
            let mut sought: BTreeSet<i64> = ids.keys().copied().collect();
            for_each_decision(&connection, &self.deployment, horizon, from, |check, at| {
                if sought.remove(&check) {
                    found.entry(check).or_default().push(at);
                }
                !sought.is_empty()
            })?;
            for times in found.values_mut() {
                times.reverse();
            }
            Ok(found.into_iter().filter_map(|(check, times)| Some((ids.remove(&check)?, times))).collect())
        };
        query().map_err(|error| self.explain(&error))
    }

    /// Whether a run between two moments looked for a finding that had been there, and did not find it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn was_fixed(&self, fingerprint: &str, from: Timestamp, to: Timestamp) -> Result<bool, HistoryError> {
        let query = || {
            self.lock()
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM finding WHERE deployment = ?1 AND fingerprint = ?2
                     AND closed_at >= ?3 AND closed_at <= ?4)",
                )?
                .query_row(
                    params![self.deployment, fingerprint, from.as_microsecond(), to.as_microsecond()],
                    |row| row.get(0),
                )
        };
        query().map_err(|error| self.explain(&error))
    }

    /// The plugins of the last run by a time that looked at everything; none where there was no such run.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_whole_run(&self, now: Timestamp) -> Result<Option<BTreeSet<String>>, HistoryError> {
        let query = || {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT asked.text, used.text FROM run JOIN text AS asked ON asked.id = selection
                 JOIN text AS used ON used.id = plugins
                 WHERE deployment = ?1 AND at <= ?2 ORDER BY run.id DESC",
            )?;
            let mut rows = statement.query(params![self.deployment, now.as_microsecond()])?;
            while let Some(row) = rows.next()? {
                if is_whole(&row.get::<_, String>(0)?) {
                    return Ok(Some(ids(&row.get::<_, String>(1)?)));
                }
            }
            Ok(None)
        };
        query().map_err(|error| self.explain(&error))
    }
}

/// What runs of a check came to by a time.
fn looked_by(connection: &rusqlite::Connection, known: i64, now: Timestamp) -> rusqlite::Result<Looked> {
    let mut statement = connection.prepare_cached(
        "SELECT run.at, text FROM outcome JOIN run ON run.id = outcome.run JOIN text ON text.id = outcome.outcome
         WHERE outcome.known = ?1 AND run.at <= ?2 ORDER BY run.at DESC, run.id DESC",
    )?;
    let mut rows = statement.query(params![known, now.as_microsecond()])?;
    let mut looked = Looked::default();
    while let Some(row) = rows.next()? {
        let at = time(row.get(0)?);
        let Some(outcome) = outcome_of(&row.get::<_, String>(1)?) else { continue };
        looked.last.get_or_insert((at, outcome));
        if outcome.is_decided() {
            looked.decided = Some(at);
            break;
        }
    }
    Ok(looked)
}

fn outcome_of(name: &str) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
}

/// Whether a run looked at everything that the site enabled.
fn is_whole(selection: &str) -> bool {
    let asked: Value = serde_json::from_str(selection).unwrap_or_default();
    let is_empty = |key: &str| asked[key].as_array().is_none_or(Vec::is_empty);
    let is_off = |key: &str| asked[key] != Value::Bool(true);
    ["modules", "checks", "cadences", "owners"].into_iter().all(is_empty)
        && ["only_failed", "due"].into_iter().all(is_off)
}

fn ids(plugins: &str) -> BTreeSet<String> {
    let used: Vec<Value> = serde_json::from_str(plugins).unwrap_or_default();
    used.iter().filter_map(|one| one["id"].as_str()).map(str::to_owned).collect()
}

/// Hands over what runs decided between two moments, the newest run first, until `each` has enough.
fn for_each_decision(
    connection: &rusqlite::Connection,
    deployment: &str,
    from: Timestamp,
    to: Timestamp,
    mut each: impl FnMut(i64, Timestamp) -> bool,
) -> rusqlite::Result<()> {
    let mut runs = connection.prepare_cached(
        "SELECT id, at FROM run WHERE deployment = ?1 AND at >= ?2 AND at < ?3 ORDER BY at DESC, id DESC",
    )?;
    let mut decided = connection.prepare_cached(
        "SELECT known FROM outcome WHERE run = ?1 AND outcome IN (
             SELECT id FROM text WHERE text IN ('pass', 'finding', 'not-applicable', 'not-licensed')
         )",
    )?;
    let mut runs = runs.query(params![deployment, from.as_microsecond(), to.as_microsecond()])?;
    while let Some(run) = runs.next()? {
        let at = time(run.get(1)?);
        let mut checks = decided.query([run.get::<_, i64>(0)?])?;
        while let Some(check) = checks.next()? {
            if !each(check.get(0)?, at) {
                return Ok(());
            }
        }
    }
    Ok(())
}
