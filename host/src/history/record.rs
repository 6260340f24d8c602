//! Keeping a run: its outcomes, findings as stretches of runs, measures and durations, in one transaction.

use super::{HistoryError, Store};
use crate::run::change::Changes;
use crate::run::document::{CheckResult, Evidence, Finding, Run};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
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
    /// The settings in force, by plugin.
    pub settings: BTreeMap<String, Map<String, Value>>,
    /// How long requests took, by canonical key.
    pub timings: Vec<(String, f64)>,
    /// Earlier ids of checks, by present id.
    pub aliases: BTreeMap<String, Vec<String>>,
}

impl Store {
    /// Keeps a run: whole, or not at all. Returns the number under which it is kept.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing of this run is kept.
    pub fn record(&self, run: &Run, kept: &Kept) -> Result<i64, HistoryError> {
        let mut connection = self.lock();
        let result =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let number = write(&transaction, &self.deployment, run, kept)?;
                transaction.commit()?;
                Ok(number)
            });
        result.map_err(|error| self.explain(&error))
    }
}

fn write(to: &Transaction<'_>, deployment: &str, run: &Run, kept: &Kept) -> rusqlite::Result<i64> {
    let mut texts = Texts::new(to);
    let number = write_run(to, deployment, run, kept, &mut texts)?;
    let mut writer = Writer { to, deployment, run: number, at: run.at.as_microsecond(), texts };
    for check in &run.checks {
        let known = writer.known(check, kept)?;
        writer.outcome(check, known)?;
        if let Some(&fault) = kept.faults.get(&check.id) {
            let library = kept.libraries.get(&check.plugin).map(String::as_str).unwrap_or_default();
            writer.fault(check, known, fault, library)?;
        }
        writer.findings(check, known)?;
        writer.listed(check)?;
    }
    writer.measures(&kept.measures)?;
    writer.durations(&kept.timings)?;
    Ok(number)
}

fn write_run(
    to: &Transaction<'_>,
    deployment: &str,
    run: &Run,
    kept: &Kept,
    texts: &mut Texts<'_>,
) -> rusqlite::Result<i64> {
    let found = |severity: &str| run.severities.get(severity).copied().unwrap_or_default().cast_signed();
    let changed =
        |count: fn(&Changes) -> u64| run.changes.as_ref().map(|changes| count(changes).cast_signed());
    to.prepare_cached(
        "INSERT INTO run (token, deployment, at, version, decided, total, exit_code, interrupted, selection, plugins,
            settings, reasons, critical, high, medium, low, info, appeared, regressed, worse, better, fixed,
            not_looked_at)
         VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
            ?17, ?18, ?19, ?20, ?21, ?22)",
    )?
    .execute(params![
        deployment,
        run.at.as_microsecond(),
        run.tool.version,
        run.decided.cast_signed(),
        run.total.cast_signed(),
        run.exit.code,
        run.interrupted,
        texts.json(&run.selection)?,
        texts.json(&run.plugins)?,
        texts.json(&kept.settings)?,
        texts.json(&run.exit.reasons)?,
        found("critical"),
        found("high"),
        found("medium"),
        found("low"),
        found("info"),
        changed(|changes| changes.new),
        changed(|changes| changes.regressed),
        changed(|changes| changes.worse),
        changed(|changes| changes.better),
        changed(|changes| changes.fixed.len() as u64),
        changed(|changes| changes.not_looked_at.len() as u64 + changes.outside),
    ])?;
    Ok(to.last_insert_rowid())
}

/// Texts by number: what repeats from run to run is kept once.
pub(super) struct Texts<'t> {
    to: &'t Transaction<'t>,
    numbers: HashMap<String, i64>,
}

impl<'t> Texts<'t> {
    pub(super) fn new(to: &'t Transaction<'t>) -> Self {
        Self { to, numbers: HashMap::new() }
    }

    /// The number of a text, which is kept if it was not yet.
    pub(super) fn number(&mut self, text: &str) -> rusqlite::Result<i64> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let found = self
            .to
            .prepare_cached("SELECT id FROM text WHERE text = ?1")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        let number = match found {
            Some(number) => number,
            None => {
                self.to.prepare_cached("INSERT INTO text (text) VALUES (?1)")?.execute([text])?;
                self.to.last_insert_rowid()
            }
        };
        self.numbers.insert(text.to_owned(), number);
        Ok(number)
    }

    fn json(&mut self, value: &impl Serialize) -> rusqlite::Result<i64> {
        let text = serde_json::to_string(value)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.number(&text)
    }
}

/// Writes the parts of one run.
struct Writer<'t> {
    to: &'t Transaction<'t>,
    deployment: &'t str,
    run: i64,
    at: i64,
    texts: Texts<'t>,
}

impl Writer<'_> {
    /// The number of a check, whose row gets what it came to.
    fn known(&mut self, check: &CheckResult, kept: &Kept) -> rusqlite::Result<i64> {
        for alias in kept.aliases.get(&check.id).into_iter().flatten() {
            self.rename(alias, &check.id)?;
        }
        let outcome = self.texts.number(check.outcome.name())?;
        let decided_at = check.outcome.is_decided().then_some(self.at);
        self.to
            .prepare_cached(
                "INSERT INTO known (deployment, check_id, run, at, outcome, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (deployment, check_id) DO UPDATE SET run = excluded.run, at = excluded.at,
                    outcome = excluded.outcome, decided_at = coalesce(excluded.decided_at, decided_at)
                 RETURNING id",
            )?
            .query_row(params![self.deployment, check.id, self.run, self.at, outcome, decided_at], |row| {
                row.get(0)
            })
    }

    /// A check that was renamed keeps its history; where both ids have one, only the findings move.
    fn rename(&self, alias: &str, id: &str) -> rusqlite::Result<()> {
        let find = |id: &str| {
            self.to
                .prepare_cached("SELECT id FROM known WHERE deployment = ?1 AND check_id = ?2")?
                .query_row(params![self.deployment, id], |row| row.get::<_, i64>(0))
                .optional()
        };
        let Some(before) = find(alias)? else { return Ok(()) };
        match find(id)? {
            None => {
                let rename = "UPDATE known SET check_id = ?2 WHERE id = ?1";
                self.to.prepare_cached(rename)?.execute(params![before, id])?;
            }
            Some(now) => {
                let adopt = "UPDATE finding SET known = ?2 WHERE known = ?1";
                self.to.prepare_cached(adopt)?.execute([before, now])?;
                let forget =
                    "UPDATE known SET run = NULL, at = NULL, outcome = NULL WHERE id = ?1 AND at IS NOT NULL";
                self.to.prepare_cached(forget)?.execute([before])?;
            }
        }
        Ok(())
    }

    fn outcome(&mut self, check: &CheckResult, known: i64) -> rusqlite::Result<()> {
        let outcome = self.texts.number(check.outcome.name())?;
        let reason = check.reason.as_deref().map(|reason| self.texts.number(reason)).transpose()?;
        self.to
            .prepare_cached(
                "INSERT INTO outcome (run, known, outcome, reason, complete) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![self.run, known, outcome, reason, check.saw_everything])
            .map(drop)
    }

    /// Whether a judge that was asked came to an end.
    fn fault(&mut self, check: &CheckResult, known: i64, fault: bool, library: &str) -> rusqlite::Result<()> {
        if !fault {
            let well = "UPDATE known SET faults = 0 WHERE id = ?1 AND faults > 0";
            return self.to.prepare_cached(well)?.execute([known]).map(drop);
        }
        let library = self.texts.number(library)?;
        let outcome = self.texts.number(check.outcome.name())?;
        let reason = self.texts.number(check.reason.as_deref().unwrap_or_default())?;
        self.to
            .prepare_cached(
                "UPDATE known SET faults = CASE WHEN fault_library = ?2 THEN faults + 1 ELSE 1 END,
                    fault_library = ?2, fault_outcome = ?3, fault_reason = ?4 WHERE id = ?1",
            )?
            .execute(params![known, library, outcome, reason])
            .map(drop)
    }

    fn findings(&mut self, check: &CheckResult, known: i64) -> rusqlite::Result<()> {
        for finding in &check.findings {
            self.adopt(finding, known)?;
            let stretch = self.extended(finding, known)?;
            self.look(finding, stretch)?;
            if !check.saw_everything {
                self.to
                    .prepare_cached("INSERT OR IGNORE INTO seen (run, finding) VALUES (?1, ?2)")?
                    .execute([self.run, stretch])?;
            }
        }
        // Only a run that looked at everything may say that a finding is gone.
        if check.saw_everything {
            self.to
                .prepare_cached(
                    "UPDATE finding SET closed_run = ?2, closed_at = ?3
                     WHERE known = ?1 AND closed_run IS NULL AND last_run <> ?2",
                )?
                .execute(params![known, self.run, self.at])?;
        }
        Ok(())
    }

    /// A finding that was known under an earlier id of its check keeps its history.
    fn adopt(&self, finding: &Finding, known: i64) -> rusqlite::Result<()> {
        for earlier in &finding.earlier {
            self.to
                .prepare_cached(
                    "UPDATE OR IGNORE finding SET fingerprint = ?3, known = ?4
                     WHERE deployment = ?1 AND fingerprint = ?2",
                )?
                .execute(params![self.deployment, earlier, finding.fingerprint, known])?;
        }
        Ok(())
    }

    /// The stretch that reaches to this run: the open one, or a new one.
    fn extended(&self, finding: &Finding, known: i64) -> rusqlite::Result<i64> {
        let open = self
            .to
            .prepare_cached(
                "UPDATE finding SET times = times + (last_run <> ?3), last_run = ?3, last_at = ?4, name = ?5
                 WHERE deployment = ?1 AND fingerprint = ?2 AND closed_run IS NULL RETURNING id",
            )?
            .query_row(
                params![self.deployment, finding.fingerprint, self.run, self.at, finding.subject.name],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(stretch) = open {
            return Ok(stretch);
        }
        let subject = &finding.subject;
        self.to
            .prepare_cached(
                "INSERT INTO finding (deployment, fingerprint, known, kind, key, name, first_run, first_at, last_run,
                    last_at, times)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8, 1)",
            )?
            .execute(params![
                self.deployment,
                finding.fingerprint,
                known,
                subject.kind,
                subject.key,
                subject.name,
                self.run,
                self.at
            ])?;
        Ok(self.to.last_insert_rowid())
    }

    /// How the finding looks, where that is not how it looked before.
    fn look(&mut self, finding: &Finding, stretch: i64) -> rusqlite::Result<()> {
        let severity = finding.severity.name();
        let says = self.texts.number(&finding.says)?;
        let affected = finding.affected.as_ref().map(|affected| affected.count.cast_signed());
        let evidence = digest(&finding.evidence);
        let same = self
            .to
            .prepare_cached(
                "SELECT severity = ?2 AND says = ?3 AND affected IS ?4 AND evidence IS ?5 FROM look WHERE finding = ?1
                 ORDER BY run DESC LIMIT 1",
            )?
            .query_row(params![stretch, severity, says, affected, evidence], |row| row.get(0))
            .optional()?;
        if same == Some(true) {
            return Ok(());
        }
        self.to
            .prepare_cached(
                "INSERT OR REPLACE INTO look (finding, run, severity, says, affected, evidence)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![stretch, self.run, severity, says, affected, evidence])
            .map(drop)
    }

    /// What the check lists now replaces what it listed, unless it could not look.
    fn listed(&self, check: &CheckResult) -> rusqlite::Result<()> {
        if check.kind == tancheck_plugin_api::Kind::Automated {
            return Ok(());
        }
        if check.saw_everything {
            self.to
                .prepare_cached("DELETE FROM listed WHERE deployment = ?1 AND check_id = ?2")?
                .execute(params![self.deployment, check.id])?;
        }
        let confirmed = check.confirmed.iter().map(|one| &one.finding);
        for finding in check.findings.iter().chain(&check.awaiting).chain(confirmed) {
            self.to
                .prepare_cached(
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

    fn measures(&self, measures: &[Measure]) -> rusqlite::Result<()> {
        for measure in measures {
            let series: i64 = self
                .to
                .prepare_cached(
                    "INSERT INTO series (deployment, name, unit) VALUES (?1, ?2, ?3)
                     ON CONFLICT (deployment, name) DO UPDATE SET unit = excluded.unit RETURNING id",
                )?
                .query_row(params![self.deployment, measure.series, measure.unit], |row| row.get(0))?;
            self.to
                .prepare_cached(
                    "INSERT OR REPLACE INTO measure (series, run, at, value, bound) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![series, self.run, self.at, measure.value, measure.bound])?;
        }
        Ok(())
    }

    fn durations(&self, timings: &[(String, f64)]) -> rusqlite::Result<()> {
        for (request, seconds) in timings {
            // Half of what was known: one slow day is forgotten soon.
            self.to
                .prepare_cached(
                    "INSERT INTO duration (deployment, request, seconds) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET seconds = (seconds + excluded.seconds) / 2",
                )?
                .execute(params![self.deployment, request, seconds])?;
        }
        Ok(())
    }
}

/// What was seen, in 32 bytes. When it was seen is no part of it: the same facts give the same digest.
fn digest(evidence: &[Evidence]) -> Option<[u8; 32]> {
    if evidence.is_empty() {
        return None;
    }
    let facts: Vec<_> =
        evidence.iter().map(|one| (&one.input, &one.source, &one.request, &one.value)).collect();
    let text = serde_json::to_vec(&facts).unwrap_or_default();
    Some(Sha256::digest(text).into())
}
