//! What a run changes: each of its findings beside its own past, and what is not there any more.

use super::people::time;
use super::{HistoryError, Store};
use crate::calendar::moment;
use crate::run::change::{Before, Change, Changes, Gone, Previous};
use crate::run::document::{CheckResult, Finding, Run, Subject};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeMap, HashSet};
use tancheck_plugin_api::Severity;

impl Store {
    /// Tells each finding of a run, and the run, what changed. `aliases`: earlier ids of checks, by present id.
    ///
    /// # Errors
    /// When the file cannot be read; then the run is as it was.
    pub fn compare(
        &self,
        run: &mut Run,
        aliases: &BTreeMap<String, Vec<String>>,
    ) -> Result<(), HistoryError> {
        let connection = self.lock();
        let past = Past { connection: &connection, deployment: &self.deployment };
        let compared = || {
            let lives: Vec<Option<Life>> =
                run.findings().map(|(_, finding)| past.life(finding)).collect::<rusqlite::Result<_>>()?;
            let (gone, previous) = (past.gone(run, aliases)?, past.previous()?);
            Ok((lives, gone, previous))
        };
        let (lives, mut changes, previous) = compared().map_err(|error| self.explain(&error))?;
        if let Some(last) = previous.as_ref().filter(|last| last.at > run.at) {
            run.problems.push(format!(
                "the clock went backwards: the last run in the history is of {}, later than this one; correct the clock, \
                 until then ages and trends are wrong",
                moment(last.at, &self.zone)
            ));
        }
        changes.previous = previous;
        let findings = run.checks.iter_mut().flat_map(|check| &mut check.findings);
        for (finding, life) in findings.zip(lives) {
            let change = lived(finding, life, run.at);
            changes.count(change);
        }
        run.changes = Some(changes);
        Ok(())
    }
}

/// Tells a finding its life.
fn lived(finding: &mut Finding, life: Option<Life>, now: jiff::Timestamp) -> Change {
    let change = match &life {
        None => Change::New,
        Some(Life { open: None, .. }) => Change::Regressed,
        Some(Life { open: Some(before), .. }) => before.becomes(Before::of(finding)),
    };
    finding.before = match (&life, change) {
        (Some(life), Change::Worse | Change::Better) => life.open,
        _ => None,
    };
    finding.first_seen = Some(life.as_ref().map_or(now, |life| time(life.first_at).min(now)));
    finding.last_seen = Some(now);
    finding.times_seen = Some(life.map_or(0, |life| life.times).cast_unsigned() + 1);
    finding.change = Some(change);
    change
}

/// What is known of a finding from earlier runs.
#[derive(Debug)]
struct Life {
    first_at: i64,
    times: i64,
    /// How bad it was when it was last seen, unless it had gone.
    open: Option<Before>,
}

struct Past<'c> {
    connection: &'c Connection,
    deployment: &'c str,
}

impl Past<'_> {
    fn previous(&self) -> rusqlite::Result<Option<Previous>> {
        self.connection
            .prepare_cached("SELECT id, at FROM run WHERE deployment = ?1 ORDER BY id DESC LIMIT 1")?
            .query_row([self.deployment], |row| Ok(Previous { number: row.get(0)?, at: time(row.get(1)?) }))
            .optional()
    }

    /// The life of a finding under its fingerprint, and under those that it had before.
    fn life(&self, finding: &Finding) -> rusqlite::Result<Option<Life>> {
        let mut life: Option<Life> = None;
        for print in std::iter::once(&finding.fingerprint).chain(&finding.earlier) {
            let mut statement = self.connection.prepare_cached(
                "SELECT first_at, times, CASE WHEN closed_run IS NULL THEN id END FROM finding
                 WHERE deployment = ?1 AND fingerprint = ?2",
            )?;
            let mut rows = statement.query(params![self.deployment, print])?;
            while let Some(row) = rows.next()? {
                let (first_at, times): (i64, i64) = (row.get(0)?, row.get(1)?);
                let open = row.get::<_, Option<i64>>(2)?.map(|stretch| self.look(stretch)).transpose()?;
                life = Some(match life {
                    None => Life { first_at, times, open },
                    Some(life) => Life {
                        first_at: life.first_at.min(first_at),
                        times: life.times + times,
                        open: life.open.or(open),
                    },
                });
            }
        }
        Ok(life)
    }

    /// How a finding looked last.
    fn look(&self, stretch: i64) -> rusqlite::Result<Before> {
        self.connection
            .prepare_cached(
                "SELECT severity, affected FROM look WHERE finding = ?1 ORDER BY run DESC LIMIT 1",
            )?
            .query_row([stretch], |row| {
                Ok(Before {
                    severity: severity(&row.get::<_, String>(0)?),
                    affected: row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
                })
            })
    }

    /// What was there and is not among the findings of this run: gone, settled, or not looked at.
    fn gone(&self, run: &Run, aliases: &BTreeMap<String, Vec<String>>) -> rusqlite::Result<Changes> {
        let prints = |finding: &Finding| -> Vec<String> {
            std::iter::once(&finding.fingerprint).chain(&finding.earlier).cloned().collect()
        };
        let present: HashSet<String> = run.findings().flat_map(|(_, finding)| prints(finding)).collect();
        let listed = |check: &CheckResult| {
            check
                .awaiting
                .iter()
                .chain(check.confirmed.iter().map(|one| &one.finding))
                .flat_map(prints)
                .collect::<Vec<_>>()
        };
        let settled: HashSet<String> = run.checks.iter().flat_map(listed).collect();
        let mut checks: BTreeMap<&str, &CheckResult> = BTreeMap::new();
        for check in &run.checks {
            checks.insert(&check.id, check);
            let earlier = aliases.get(&check.id).into_iter().flatten();
            checks.extend(earlier.map(|alias| (alias.as_str(), check)));
        }
        let mut changes = Changes::default();
        let mut statement = self.connection.prepare_cached(
            "SELECT fingerprint, check_id, kind, key, name, severity, text, first_at, last_at, times, affected
             FROM finding JOIN known ON known.id = known
             JOIN look ON look.finding = finding.id
                AND look.run = (SELECT max(run) FROM look AS last WHERE last.finding = finding.id)
             JOIN text ON text.id = says
             WHERE finding.deployment = ?1 AND closed_run IS NULL ORDER BY check_id, kind, key",
        )?;
        let rows = statement.query_map([self.deployment], gone_of)?;
        for row in rows {
            let mut gone = row?;
            if present.contains(&gone.fingerprint) {
                continue;
            }
            match checks.get(gone.check.as_str()) {
                None => changes.outside += 1,
                Some(_) if settled.contains(&gone.fingerprint) => changes.settled.push(gone),
                Some(check) if check.saw_everything => changes.fixed.push(gone),
                Some(check) => {
                    gone.reason = Some(why_unseen(check));
                    changes.not_looked_at.push(gone);
                }
            }
        }
        for list in [&mut changes.fixed, &mut changes.settled, &mut changes.not_looked_at] {
            list.sort_by(|left, right| {
                right.severity.cmp(&left.severity).then_with(|| left.check.cmp(&right.check))
            });
        }
        Ok(changes)
    }
}

/// Why a check cannot say whether a finding is still there.
fn why_unseen(check: &CheckResult) -> String {
    match &check.reason {
        Some(reason) => format!("{}: {reason}", check.outcome),
        None => format!("{}, without having seen everything", check.outcome),
    }
}

/// A finding of the columns fingerprint, check, kind, key, name, severity, says, first and last time, times, affected.
pub(super) fn gone_of(row: &Row<'_>) -> rusqlite::Result<Gone> {
    Ok(Gone {
        fingerprint: row.get(0)?,
        check: row.get(1)?,
        subject: Subject { kind: row.get(2)?, key: row.get(3)?, name: row.get(4)? },
        severity: severity(&row.get::<_, String>(5)?),
        says: row.get(6)?,
        affected: row.get::<_, Option<i64>>(10)?.map(i64::cast_unsigned),
        before: None,
        first_seen: time(row.get(7)?),
        last_seen: time(row.get(8)?),
        times_seen: row.get::<_, i64>(9)?.cast_unsigned(),
        reason: None,
    })
}

/// A severity by its name. One that a later version knows counts as the worst, so that it is not overlooked.
pub(super) fn severity(name: &str) -> Severity {
    Severity::ALL.into_iter().find(|severity| severity.name() == name).unwrap_or(Severity::Critical)
}
