//! Two runs beside each other: what is new, what is back, what is gone, and what only was not looked at.

use super::change::gone_of;
use super::show::{Looked, Plugin, RunLine, before_of, json, looked};
use super::{HistoryError, Store};
use crate::run::change::{Before, Change, Gone};
use rusqlite::{Connection, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What differs between two runs. A finding that was not looked at in a run counts there as it was known by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The deployment.
    pub deployment: String,
    /// The older run.
    pub from: RunLine,
    /// The newer run.
    pub to: RunLine,
    /// Never seen by the older run, nor before.
    pub new: Vec<Gone>,
    /// Gone by the older run, and back.
    pub regressed: Vec<Gone>,
    /// More severe, or concerning at least a tenth more.
    pub worse: Vec<Gone>,
    /// Not looked at by the newer run.
    pub not_looked_at: Vec<Gone>,
    /// Looked for and not found.
    pub fixed: Vec<Gone>,
    /// Less severe, or concerning at least a tenth less.
    pub better: Vec<Gone>,
    /// As before.
    pub unchanged: Vec<Gone>,
    /// Checks with another outcome.
    pub outcomes: Vec<Turned>,
    /// What else differs: versions and settings, which can be why.
    pub circumstances: Vec<Circumstance>,
}

/// A check that came to another outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Turned {
    /// The check.
    pub check: String,
    /// Its outcome in the older run; none where it was no part of it.
    pub from: Option<String>,
    /// Its outcome in the newer run; none where it was no part of it.
    pub to: Option<String>,
    /// Why it came to the newer one.
    pub reason: Option<String>,
}

/// Something that the runs depended on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Circumstance {
    /// What it is: `tancheck`, `plugin ID`, `modules.ID.KEY`.
    pub what: String,
    /// In the older run.
    pub from: Option<String>,
    /// In the newer run.
    pub to: Option<String>,
}

impl Store {
    /// What differs between two runs of this deployment, in the order in which they were.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn diff(&self, one: RunLine, other: RunLine) -> Result<Difference, HistoryError> {
        let (from, to) = if one.number <= other.number { (one, other) } else { (other, one) };
        self.read(|connection| difference(connection, &self.deployment, from, to))
    }
}

fn difference(
    connection: &Connection,
    deployment: &str,
    from: RunLine,
    to: RunLine,
) -> rusqlite::Result<Difference> {
    let (older, newer) = (looked(connection, from.number)?, looked(connection, to.number)?);
    let mut difference = Difference {
        deployment: deployment.to_owned(),
        new: Vec::new(),
        regressed: Vec::new(),
        worse: Vec::new(),
        not_looked_at: Vec::new(),
        fixed: Vec::new(),
        better: Vec::new(),
        unchanged: Vec::new(),
        outcomes: turned(&older, &newer),
        circumstances: circumstances(connection, &from, &to)?,
        from,
        to,
    };
    let outcomes: BTreeMap<&str, &Looked> = newer.iter().map(|one| (one.check.as_str(), one)).collect();
    for stretches in stretches(connection, deployment, difference.from.number, difference.to.number)? {
        sort_in(&mut difference, &stretches, &outcomes);
    }
    for list in [
        &mut difference.new,
        &mut difference.regressed,
        &mut difference.worse,
        &mut difference.not_looked_at,
        &mut difference.fixed,
        &mut difference.better,
        &mut difference.unchanged,
    ] {
        list.sort_by(|left, right| {
            let place = |one: &Gone| (one.check.clone(), one.subject.clone());
            right.severity.cmp(&left.severity).then_with(|| place(left).cmp(&place(right)))
        });
    }
    Ok(difference)
}

/// A stretch of runs in which a finding was there.
struct Stretch {
    gone: Gone,
    /// How it looked in the older run, if it was known then.
    then: Option<Before>,
    /// How it looks in the newer run, if it is still known.
    now: Option<Before>,
    /// Whether the newer run saw it.
    seen: bool,
    /// Whether it had been there by the older run, in whatever stretch.
    old: bool,
}

/// The stretches that reach into one of the two runs, by finding. Thousands may have come and gone in between.
fn stretches(
    connection: &Connection,
    deployment: &str,
    from: i64,
    to: i64,
) -> rusqlite::Result<Vec<Vec<Stretch>>> {
    let all: Vec<Stretch> = connection
        .prepare_cached(
            "SELECT fingerprint, check_id, kind, key, name, now.severity, text,
                (SELECT min(first_at) FROM finding AS life
                    WHERE life.deployment = ?1 AND life.fingerprint = finding.fingerprint),
                last_at,
                (SELECT sum(times) FROM finding AS life
                    WHERE life.deployment = ?1 AND life.fingerprint = finding.fingerprint),
                now.affected, first_run <= ?2 AND (closed_run IS NULL OR closed_run > ?2), then_.severity, then_.affected,
                closed_run IS NULL OR closed_run > ?3, now.severity,
                last_run >= ?3 AND (coalesce(complete, 0)
                    OR EXISTS (SELECT 1 FROM seen WHERE seen.run = ?3 AND seen.finding = finding.id)),
                EXISTS (SELECT 1 FROM finding AS life WHERE life.deployment = ?1
                    AND life.fingerprint = finding.fingerprint AND life.first_run <= ?2)
             FROM finding
             JOIN known ON known.id = finding.known
             LEFT JOIN outcome ON outcome.run = ?3 AND outcome.known = finding.known
             LEFT JOIN look AS then_ ON then_.finding = finding.id AND then_.run = (
                SELECT max(run) FROM look AS last WHERE last.finding = finding.id AND last.run <= ?2)
             JOIN look AS now ON now.finding = finding.id AND now.run = (
                SELECT max(run) FROM look AS last WHERE last.finding = finding.id AND last.run <= ?3)
             JOIN text ON text.id = now.says
             WHERE finding.deployment = ?1 AND (
                first_run <= ?2 AND (closed_run IS NULL OR closed_run > ?2)
                OR first_run <= ?3 AND (closed_run IS NULL OR closed_run > ?3))
             ORDER BY fingerprint, finding.id",
        )?
        .query_map(params![deployment, from, to], |row| {
            let state = |is: bool, name: Option<String>, affected| {
                name.filter(|_| is).map(|name| before_of(&name, affected))
            };
            Ok(Stretch {
                gone: gone_of(row)?,
                then: state(row.get(11)?, row.get(12)?, row.get(13)?),
                now: state(row.get(14)?, row.get(15)?, row.get(10)?),
                seen: row.get(16)?,
                old: row.get(17)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut grouped: Vec<Vec<Stretch>> = Vec::new();
    for stretch in all {
        match grouped.last_mut().filter(|last| last[0].gone.fingerprint == stretch.gone.fingerprint) {
            Some(last) => last.push(stretch),
            None => grouped.push(vec![stretch]),
        }
    }
    Ok(grouped)
}

/// Puts a finding where it belongs.
fn sort_in(into: &mut Difference, stretches: &[Stretch], outcomes: &BTreeMap<&str, &Looked>) {
    let then = stretches.iter().find_map(|stretch| stretch.then);
    let now = stretches.iter().find_map(|stretch| Some((stretch, stretch.now?)));
    let Some(stretch) = now.map(|(stretch, _)| stretch).or_else(|| stretches.first()) else { return };
    let mut gone = stretch.gone.clone();
    let list = match (then, now) {
        (_, Some((stretch, _))) if !stretch.seen => {
            gone.reason = Some(match outcomes.get(gone.check.as_str()) {
                None => "its check was no part of this run".to_owned(),
                Some(looked) => match &looked.reason {
                    Some(reason) => format!("{}: {reason}", looked.outcome),
                    None => format!("{}, without having seen everything", looked.outcome),
                },
            });
            &mut into.not_looked_at
        }
        (None, Some((stretch, _))) if stretch.old => &mut into.regressed,
        (None, Some(_)) => &mut into.new,
        (Some(_), None) => &mut into.fixed,
        (Some(then), Some((_, now))) => {
            let change = then.becomes(now);
            gone.before = (change != Change::Unchanged).then_some(then);
            match change {
                Change::Worse => &mut into.worse,
                Change::Better => &mut into.better,
                Change::New | Change::Regressed | Change::Unchanged => &mut into.unchanged,
            }
        }
        (None, None) => return,
    };
    list.push(gone);
}

/// Checks of both runs with different outcomes, and checks of one of them only where a decision came or went with it.
fn turned(older: &[Looked], newer: &[Looked]) -> Vec<Turned> {
    let then: BTreeMap<&str, &Looked> = older.iter().map(|one| (one.check.as_str(), one)).collect();
    newer
        .iter()
        .filter_map(|now| {
            let before = then.get(now.check.as_str())?;
            (before.outcome != now.outcome).then(|| Turned {
                check: now.check.clone(),
                from: Some(before.outcome.clone()),
                to: Some(now.outcome.clone()),
                reason: now.reason.clone(),
            })
        })
        .collect()
}

/// Versions and settings that differ, of what was part of both runs.
fn circumstances(
    connection: &Connection,
    from: &RunLine,
    to: &RunLine,
) -> rusqlite::Result<Vec<Circumstance>> {
    let (then, now) = (Facts::of(connection, from)?, Facts::of(connection, to)?);
    let differs = |what: String, then: Option<String>, now: Option<String>| {
        (then != now).then_some(Circumstance { what, from: then, to: now })
    };
    let version = differs("tancheck".to_owned(), Some(from.version.clone()), Some(to.version.clone()));
    let mut all: Vec<Circumstance> = version.into_iter().collect();
    for (id, before) in &then.plugins {
        let Some(after) = now.plugins.get(id) else { continue };
        all.extend(differs(format!("plugin {id}"), Some(before.clone()), Some(after.clone())));
        let none = Map::new();
        let of = |facts: &Facts, key: &str| {
            facts.settings.get(id).unwrap_or(&none).get(key).map(ToString::to_string)
        };
        let keys = |facts: &Facts| {
            facts.settings.get(id).into_iter().flat_map(Map::keys).cloned().collect::<BTreeSet<_>>()
        };
        for key in keys(&then).union(&keys(&now)) {
            all.extend(differs(format!("modules.{id}.{key}"), of(&then, key), of(&now, key)));
        }
    }
    Ok(all)
}

/// What a run depended on.
struct Facts {
    /// Version and beginning of the hash, by plugin.
    plugins: BTreeMap<String, String>,
    settings: BTreeMap<String, Map<String, Value>>,
}

impl Facts {
    fn of(connection: &Connection, run: &RunLine) -> rusqlite::Result<Self> {
        let plugins: Vec<Plugin> = json(connection, run.number, "plugins")?;
        let build =
            |plugin: &Plugin| format!("{} ({})", plugin.version, plugin.sha256.get(..8).unwrap_or_default());
        Ok(Self {
            plugins: plugins.iter().map(|plugin| (plugin.id.clone(), build(plugin))).collect(),
            settings: json(connection, run.number, "settings")?,
        })
    }
}
