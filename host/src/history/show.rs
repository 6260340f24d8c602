//! Earlier runs: which there are, and what each of them said.

use super::change::{gone_of, severity};
use super::people::time;
use super::{HistoryError, Store};
use crate::calendar::start_of;
use crate::run::change::Gone;
use crate::run::document::{Reason, Selection};
use crate::run::identity::hex;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A run, on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunLine {
    /// Its number.
    pub number: i64,
    /// When it was.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The version of tancheck.
    pub version: String,
    /// Checks that came to a decision.
    pub decided: u64,
    /// All checks of the run.
    pub total: u64,
    /// The code of the process.
    pub exit_code: u8,
    /// The signal that ended it early.
    pub interrupted: Option<String>,
    /// Findings by severity; none for runs that an early version kept.
    pub findings: Option<Severities>,
    /// What changed against the run before; none for runs that an early version kept.
    pub changes: Option<Counted>,
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Severities {
    /// Operations are down.
    pub critical: u64,
    /// Operations suffer, or soon will.
    pub high: u64,
    /// Needs attention within the period.
    pub medium: u64,
    /// Untidy, or a risk in the long run.
    pub low: u64,
    /// Worth knowing.
    pub info: u64,
}

impl Severities {
    /// All findings.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.info
    }
}

/// What changed against the run before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// Never seen before.
    pub new: u64,
    /// Gone, and back.
    pub regressed: u64,
    /// Worse than before.
    pub worse: u64,
    /// Better than before.
    pub better: u64,
    /// Looked for and not found.
    pub fixed: u64,
    /// Not looked at.
    pub not_looked_at: u64,
}

/// A run, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// The run.
    #[serde(flatten)]
    pub run: RunLine,
    /// Why its exit code was what it was.
    pub reasons: Vec<Reason>,
    /// What was asked for.
    pub selection: Option<Selection>,
    /// The plugins: id, version, SHA-256 of the library.
    pub plugins: Vec<Plugin>,
    /// The settings in force, by plugin.
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Value>>")]
    pub settings: BTreeMap<String, Map<String, Value>>,
    /// The checks, by id.
    pub checks: Vec<Looked>,
    /// What it found, the worst first.
    pub findings: Vec<FoundThen>,
    /// What was measured.
    pub measures: Vec<Measured>,
}

/// A finding of a run, as it looked then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundThen {
    /// The finding.
    #[serde(flatten)]
    pub finding: Gone,
    /// SHA-256 of its evidence: inputs, requests and values; none where it had none. The same evidence has the same
    /// digest in every run.
    pub evidence: Option<String>,
}

/// A plugin of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plugin {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its library.
    pub sha256: String,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Looked {
    /// The check.
    pub check: String,
    /// Its outcome.
    pub outcome: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether it saw all there is to see.
    pub complete: bool,
}

/// A number that a run measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// The series.
    pub series: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
}

/// The columns of [`line_of`].
const LINE: &str =
    "id, at, version, decided, total, exit_code, interrupted, critical, high, medium, low, info, appeared,
    regressed, worse, better, fixed, not_looked_at";

fn line_of(row: &Row<'_>) -> rusqlite::Result<RunLine> {
    let count = |index| row.get::<_, Option<i64>>(index).map(|count| count.map(i64::cast_unsigned));
    let findings = match (count(7)?, count(8)?, count(9)?, count(10)?, count(11)?) {
        (Some(critical), Some(high), Some(medium), Some(low), Some(info)) => {
            Some(Severities { critical, high, medium, low, info })
        }
        _ => None,
    };
    let changes = match (count(12)?, count(13)?, count(14)?, count(15)?, count(16)?, count(17)?) {
        (Some(new), Some(regressed), Some(worse), Some(better), Some(fixed), Some(not_looked_at)) => {
            Some(Counted { new, regressed, worse, better, fixed, not_looked_at })
        }
        _ => None,
    };
    Ok(RunLine {
        number: row.get(0)?,
        at: time(row.get(1)?),
        version: row.get(2)?,
        decided: row.get::<_, i64>(3)?.cast_unsigned(),
        total: row.get::<_, i64>(4)?.cast_unsigned(),
        exit_code: row.get(5)?,
        interrupted: row.get(6)?,
        findings,
        changes,
    })
}

impl Store {
    /// The latest runs, the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn runs(&self, most: usize) -> Result<Vec<RunLine>, HistoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {LINE} FROM run WHERE deployment = ?1 ORDER BY id DESC LIMIT ?2");
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            connection.prepare_cached(&sql)?.query_map(params![self.deployment, most], line_of)?.collect()
        })
    }

    /// How many runs of this deployment are kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count(&self) -> Result<u64, HistoryError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FROM run WHERE deployment = ?1";
            connection.query_row(sql, [&self.deployment], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
        })
    }

    /// The run that a text names: a number, `last`, `previous`, or a date or time, for the last run by then.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, text: &str) -> Result<Option<RunLine>, HistoryError> {
        if let Some(back) = match text {
            "last" => Some(0),
            "previous" => Some(1),
            _ => None,
        } {
            return self.one("ORDER BY id DESC LIMIT 1 OFFSET ?2", back);
        }
        if let Ok(number) = text.parse::<i64>() {
            return self.one("AND id = ?2", number);
        }
        match by(text, &self.zone) {
            Some(at) => self.one("AND at <= ?2 ORDER BY id DESC LIMIT 1", at.as_microsecond()),
            None => Ok(None),
        }
    }

    fn one(&self, which: &str, value: i64) -> Result<Option<RunLine>, HistoryError> {
        self.read(|connection| {
            let sql = format!("SELECT {LINE} FROM run WHERE deployment = ?1 {which}");
            connection.prepare_cached(&sql)?.query_row(params![self.deployment, value], line_of).optional()
        })
    }

    /// All that is kept of a run.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn show(&self, run: RunLine) -> Result<Shown, HistoryError> {
        self.read(|connection| {
            let number = run.number;
            Ok(Shown {
                reasons: json(connection, number, "reasons")?,
                selection: json(connection, number, "selection")?,
                plugins: json(connection, number, "plugins")?,
                settings: json(connection, number, "settings")?,
                checks: looked(connection, number)?,
                findings: findings(connection, &self.deployment, number)?,
                measures: measured(connection, number)?,
                run,
            })
        })
    }

    /// Reads.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, HistoryError> {
        query(&self.lock()).map_err(|error| self.explain(&error))
    }
}

/// The last moment that a text means: of a date, its end.
fn by(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let date: Date = text.parse().ok()?;
    start_of(date.tomorrow().ok()?, zone).checked_sub(SignedDuration::from_micros(1)).ok()
}

/// A fact about a run that is kept as JSON; what is not there, or not understood, is its default.
pub(super) fn json<T: Default + serde::de::DeserializeOwned>(
    connection: &Connection,
    run: i64,
    column: &str,
) -> rusqlite::Result<T> {
    let sql = format!("SELECT text FROM run JOIN text ON text.id = run.{column} WHERE run.id = ?1");
    let text: Option<String> =
        connection.prepare_cached(&sql)?.query_row([run], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// What the checks of a run came to, by id.
pub(super) fn looked(connection: &Connection, run: i64) -> rusqlite::Result<Vec<Looked>> {
    connection
        .prepare_cached(
            "SELECT check_id, said.text, why.text, complete FROM outcome JOIN known ON known.id = outcome.known
             JOIN text AS said ON said.id = outcome.outcome LEFT JOIN text AS why ON why.id = outcome.reason
             WHERE outcome.run = ?1 ORDER BY check_id",
        )?
        .query_map([run], |row| {
            Ok(Looked {
                check: row.get(0)?,
                outcome: row.get(1)?,
                reason: row.get(2)?,
                complete: row.get(3)?,
            })
        })?
        .collect()
}

/// What a run found, as it looked then, the worst first.
fn findings(connection: &Connection, deployment: &str, run: i64) -> rusqlite::Result<Vec<FoundThen>> {
    let found_then = |row: &Row<'_>| {
        let evidence: Option<Vec<u8>> = row.get(11)?;
        Ok(FoundThen { finding: gone_of(row)?, evidence: evidence.map(|digest| hex(&digest)) })
    };
    let mut found: Vec<FoundThen> = connection
        .prepare_cached(
            "SELECT fingerprint, check_id, kind, key, name, severity, text, first_at, last_at, times, affected,
                look.evidence
             FROM finding
             JOIN outcome ON outcome.known = finding.known AND outcome.run = ?2
             JOIN known ON known.id = finding.known
             JOIN look ON look.finding = finding.id AND look.run = (
                SELECT max(run) FROM look AS last WHERE last.finding = finding.id AND last.run <= ?2)
             JOIN text ON text.id = says
             WHERE finding.deployment = ?1 AND first_run <= ?2 AND last_run >= ?2
             AND (complete OR EXISTS (SELECT 1 FROM seen WHERE seen.run = ?2 AND seen.finding = finding.id))
             ORDER BY check_id, kind, key",
        )?
        .query_map(params![deployment, run], found_then)?
        .collect::<rusqlite::Result<_>>()?;
    found.sort_by_key(|one| std::cmp::Reverse(one.finding.severity));
    Ok(found)
}

fn measured(connection: &Connection, run: i64) -> rusqlite::Result<Vec<Measured>> {
    connection
        .prepare_cached(
            "SELECT name, value, unit FROM series JOIN measure ON measure.series = series.id AND measure.run = ?1
             WHERE series.deployment = (SELECT deployment FROM run WHERE id = ?1) ORDER BY name",
        )?
        .query_map([run], |row| {
            Ok(Measured { series: row.get(0)?, value: row.get(1)?, unit: row.get(2)? })
        })?
        .collect()
}

/// How bad something was: the columns severity and affected.
pub(super) fn before_of(severity_name: &str, affected: Option<i64>) -> crate::run::change::Before {
    crate::run::change::Before {
        severity: severity(severity_name),
        affected: affected.map(i64::cast_unsigned),
    }
}
