//! Runs: their outcomes, findings as stretches of runs, measures and durations.

use super::{HistoryError, Store};
use crate::run::document::{CheckResult, Finding, Run};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::finding::Measure;

/// What is kept of a run besides its document.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Numbers for later runs.
    pub measures: Vec<Measure>,
    /// Whether the judge of a check failed to come to an end; checks that were not judged are not in it.
    pub faults: BTreeMap<String, bool>,
    /// SHA-256 of the library of each plugin.
    pub libraries: BTreeMap<String, String>,
    /// How long requests took, by canonical key.
    pub timings: Vec<(String, f64)>,
    /// Earlier ids of checks, by present id.
    pub aliases: BTreeMap<String, Vec<String>>,
}

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
    /// Keeps a run: whole, or not at all.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing of this run is kept.
    pub fn record(&self, run: &Run, kept: &Kept) -> Result<(), HistoryError> {
        let mut connection = self.lock();
        let result = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| self.write(&transaction, run, kept).and_then(|()| transaction.commit()));
        result.map_err(|error| self.explain(&error))
    }

    fn write(&self, to: &Transaction<'_>, run: &Run, kept: &Kept) -> rusqlite::Result<()> {
        let at = run.at.as_microsecond();
        to.execute(
            "INSERT INTO run (deployment, at, version, decided, total, exit_code, interrupted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                self.deployment,
                at,
                run.tool.version,
                run.decided.cast_signed(),
                run.total.cast_signed(),
                run.exit.code,
                run.interrupted
            ],
        )?;
        let id = to.last_insert_rowid();
        for check in &run.checks {
            let library = kept.libraries.get(&check.plugin).map(String::as_str).unwrap_or_default();
            to.prepare_cached(
                "INSERT INTO outcome (run, check_id, outcome, reason, fault, library) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                id,
                check.id,
                check.outcome.name(),
                check.reason,
                kept.faults.get(&check.id),
                library
            ])?;
            let aliases = kept.aliases.get(&check.id).map(Vec::as_slice).unwrap_or_default();
            self.write_findings(to, id, at, check, aliases)?;
            self.write_listed(to, check)?;
        }
        for measure in &kept.measures {
            to.prepare_cached(
                "INSERT OR REPLACE INTO measure (deployment, series, at, value, unit, run)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.deployment,
                measure.series,
                at,
                measure.value,
                measure.unit,
                id
            ])?;
        }
        for (request, seconds) in &kept.timings {
            // Half of what was known: one slow day is forgotten soon.
            to.prepare_cached(
                "INSERT INTO duration (deployment, request, seconds) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET seconds = (seconds + excluded.seconds) / 2",
            )?
            .execute(params![self.deployment, request, seconds])?;
        }
        Ok(())
    }

    fn write_findings(
        &self,
        to: &Transaction<'_>,
        run: i64,
        at: i64,
        check: &CheckResult,
        aliases: &[String],
    ) -> rusqlite::Result<()> {
        for finding in &check.findings {
            self.adopt(to, check, finding)?;
            let affected = finding.affected.as_ref().map(|affected| affected.count.cast_signed());
            let severity = finding.severity.name();
            let extended = to
                .prepare_cached(
                    "UPDATE finding SET last_run = ?3, last_at = ?4, times = times + 1, severity = ?5, says = ?6,
                        name = ?7, affected = ?8
                     WHERE deployment = ?1 AND fingerprint = ?2 AND closed_run IS NULL",
                )?
                .execute(params![
                    self.deployment,
                    finding.fingerprint,
                    run,
                    at,
                    severity,
                    finding.says,
                    finding.subject.name,
                    affected
                ])?;
            if extended == 0 {
                to.prepare_cached(
                    "INSERT INTO finding (deployment, fingerprint, check_id, kind, key, name, severity, says, affected,
                        first_run, first_at, last_run, last_at, times)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?10, ?11, 1)",
                )?
                .execute(params![
                    self.deployment,
                    finding.fingerprint,
                    check.id,
                    finding.subject.kind,
                    finding.subject.key,
                    finding.subject.name,
                    severity,
                    finding.says,
                    affected,
                    run,
                    at
                ])?;
            }
        }
        // Only a run that looked at everything may say that a finding is gone.
        if check.saw_everything {
            for id in std::iter::once(&check.id).chain(aliases) {
                to.prepare_cached(
                    "UPDATE finding SET closed_run = ?3, closed_at = ?4
                     WHERE deployment = ?1 AND check_id = ?2 AND closed_run IS NULL AND last_run <> ?3",
                )?
                .execute(params![self.deployment, id, run, at])?;
            }
        }
        Ok(())
    }

    /// A finding that was known under an earlier id of its check keeps its history.
    fn adopt(&self, to: &Transaction<'_>, check: &CheckResult, finding: &Finding) -> rusqlite::Result<()> {
        for earlier in &finding.earlier {
            to.prepare_cached(
                "UPDATE OR IGNORE finding SET fingerprint = ?3, check_id = ?4 WHERE deployment = ?1 AND fingerprint = ?2",
            )?
            .execute(params![self.deployment, earlier, finding.fingerprint, check.id])?;
        }
        Ok(())
    }

    /// What the check lists now replaces what it listed, unless it could not look.
    fn write_listed(&self, to: &Transaction<'_>, check: &CheckResult) -> rusqlite::Result<()> {
        if check.kind == tancheck_plugin_api::Kind::Automated {
            return Ok(());
        }
        if check.saw_everything {
            to.prepare_cached("DELETE FROM listed WHERE deployment = ?1 AND check_id = ?2")?
                .execute(params![self.deployment, check.id])?;
        }
        let confirmed = check.confirmed.iter().map(|one| &one.finding);
        for finding in check.findings.iter().chain(&check.awaiting).chain(confirmed) {
            to.prepare_cached(
                "INSERT OR REPLACE INTO listed (deployment, check_id, fingerprint, kind, key, name, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                self.deployment,
                check.id,
                finding.fingerprint,
                finding.subject.kind,
                finding.subject.key,
                finding.subject.name,
                finding.state
            ])?;
        }
        Ok(())
    }

    /// The latest outcome of each check, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn latest(&self) -> Result<BTreeMap<String, String>, HistoryError> {
        let query = || {
            let connection = self.lock();
            // With max() alone, SQLite takes the other columns from the row that holds the maximum.
            let mut statement = connection.prepare_cached(
                "SELECT check_id, outcome, max(run) FROM outcome JOIN run ON run.id = outcome.run
                 WHERE deployment = ?1 GROUP BY check_id",
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
            let mut statement = connection.prepare_cached(
                "SELECT fault, library, outcome, coalesce(reason, '') FROM outcome JOIN run ON run.id = outcome.run
                 WHERE deployment = ?1 AND check_id = ?2 AND fault IS NOT NULL ORDER BY run DESC LIMIT 2",
            )?;
            let rows = statement.query_map(params![self.deployment, check], |row| {
                let failed = row.get::<_, bool>(0)? && row.get::<_, String>(1)? == library;
                Ok((failed, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let last = query().map_err(|error| self.explain(&error))?;
        let twice = last.len() == 2 && last.iter().all(|(failed, ..)| *failed);
        Ok(last.into_iter().next().filter(|_| twice).map(|(_, outcome, reason)| (outcome, reason)))
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
