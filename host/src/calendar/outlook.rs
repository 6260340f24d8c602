//! All tasks of a site, with where each stands.

use super::coverage::{self, Coverage, Record};
use super::period::Period;
use super::rhythm::Every;
use super::status::{self, Item, Known, Looked, Status};
use super::task::Task;
use super::{date_of, moment, start_of};
use crate::config::Config;
use crate::history::{HistoryError, Store};
use crate::plugins::Installed;
use crate::run::attested::Attestation;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::Kind;
use tancheck_plugin_api::manifest::Check;

/// What the history knows.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What runs came to, by check.
    pub looked: BTreeMap<String, Looked>,
    /// What checks listed last.
    pub items: BTreeMap<String, Vec<Item>>,
    /// What people attested, by task.
    pub words: BTreeMap<String, Vec<Attestation>>,
    /// The plugins of the last run that looked at everything.
    pub whole: Option<BTreeSet<String>>,
    /// When the last run was, whatever the time is now.
    pub last_run: Option<Timestamp>,
}

impl Facts {
    /// What was known by a time.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn read(store: &Store, now: Timestamp) -> Result<Self, HistoryError> {
        let mut words: BTreeMap<String, Vec<Attestation>> = BTreeMap::new();
        for word in store.attestations()? {
            words.entry(word.task.clone()).or_default().push(word);
        }
        Ok(Self {
            looked: store.looked(now)?,
            items: store.all_listed()?,
            words,
            whole: store.last_whole_run(now)?,
            last_run: store.last_run()?,
        })
    }

    fn looked(&self, check: &Check) -> Option<Looked> {
        ids(check).find_map(|id| self.looked.get(id)).copied()
    }

    /// What was said about a check, under its earlier names first.
    fn words_on<'a>(&'a self, check: &'a Check) -> impl Iterator<Item = &'a Attestation> {
        let ids = check.aliases.iter().chain([&check.id]);
        ids.filter_map(|id| self.words.get(id)).flatten()
    }

    fn known<'a>(&'a self, check: &'a Check) -> Known<'a> {
        Known {
            looked: self.looked(check).unwrap_or_default(),
            words: self.words_on(check).collect(),
            items: ids(check).find_map(|id| self.items.get(id)).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    /// What lies ahead of a time, which only a clock that went back explains.
    #[must_use]
    pub fn ahead_of(&self, now: Timestamp, zone: &TimeZone) -> Option<String> {
        let run = self.last_run.filter(|at| *at > now).map(|at| format!("a run of {}", moment(at, zone)));
        let word = self.words.values().flatten().filter(|word| word.at > now).max_by_key(|word| word.at);
        let what = run
            .or_else(|| word.map(|word| format!("what {} attested on {}", word.by, moment(word.at, zone))))?;
        let now = moment(now, zone);
        Some(format!(
            "the history holds {what}, which is later than now ({now}): check the clock; it does not count yet"
        ))
    }
}

/// A task, and where it stands.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The task.
    pub task: Task<'a>,
    /// Where it stands.
    pub status: Status,
}

/// All tasks of a site.
#[derive(Clone, Debug, Default)]
pub struct Outlook<'a> {
    /// The tasks: the worst first, then by day and id.
    pub rows: Vec<Row<'a>>,
    /// Plugins that are left out, because the last run that looked at everything did not find their module.
    pub absent: Vec<&'a str>,
}

impl<'a> Outlook<'a> {
    /// The tasks of these plugins at a time.
    #[must_use]
    pub fn of(config: &Config, plugins: &[&'a Installed], facts: &Facts, now: Timestamp) -> Self {
        let almanac = &config.calendar;
        let is_licensed = config.modules.enable.is_none();
        let mut outlook = Self::default();
        for plugin in plugins {
            let manifest = &plugin.manifest;
            let whole = facts.whole.as_ref().filter(|_| is_licensed && !manifest.solutions.is_empty());
            if whole.is_some_and(|plugins| !plugins.contains(&manifest.id)) {
                outlook.absent.push(&manifest.id);
            }
            let unset = Map::new();
            let set = config.modules.settings.get(&manifest.id).unwrap_or(&unset);
            for check in &manifest.checks {
                // Every check of a module that is there has an outcome in a run that looked at everything.
                if whole.is_some()
                    && (facts.looked(check).is_none() || outlook.absent.contains(&manifest.id.as_str()))
                {
                    continue;
                }
                let task = almanac.task(manifest, check, set);
                let status = status::of(&task, &facts.known(check), almanac.soon_days, now, &almanac.zone);
                outlook.rows.push(Row { task, status });
            }
        }
        outlook.renew();
        outlook.rows.sort_by(|left, right| order(left).cmp(&order(right)));
        outlook
    }

    /// A task that is done once stays done only while those that renew it are in date.
    fn renew(&mut self) {
        let standing: BTreeMap<String, Status> =
            self.rows.iter().map(|row| (row.task.check.id.clone(), row.status.clone())).collect();
        for row in &mut self.rows {
            if row.task.look.every != Every::Once && row.task.word.every != Every::Once {
                continue;
            }
            let renewing: Vec<(&str, &Status)> = row
                .task
                .renewed_by
                .iter()
                .filter_map(|id| standing.get_key_value(id))
                .map(|(id, status)| (id.as_str(), status))
                .collect();
            status::renewed(&mut row.status, &renewing);
        }
    }

    /// How much of a period was covered.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn coverage(
        &self,
        config: &Config,
        store: &Store,
        facts: &Facts,
        period: &Period,
        now: Timestamp,
    ) -> Result<Coverage, HistoryError> {
        let zone = &config.calendar.zone;
        let today = date_of(now, zone);
        let to = period.to.min(today).tomorrow().unwrap_or(period.to);
        let decisions = store.decisions(
            start_of(coverage::horizon(period), zone),
            start_of(period.from, zone),
            start_of(to, zone).min(now_and_a_bit(now)),
        )?;
        let first_run = decisions.values().flatten().min().copied();
        let first_word = facts.words.values().flatten().map(|word| word.at).min();
        let since = [first_run, first_word].into_iter().flatten().min().map_or(today, |at| date_of(at, zone));
        let record = |row: &Row<'_>| {
            let check = row.task.check;
            let by_run = || ids(check).filter_map(|id| decisions.get(id)).flatten().copied();
            let is_done = |word: &&Attestation| word.at <= now && status::is_done(word.result);
            let by_word = || facts.words_on(check).filter(is_done).map(|word| word.at);
            let moments: Vec<Timestamp> = match check.kind {
                Kind::Automated => by_run().collect(),
                // What people do is done when they say so; a run merely repeats it.
                Kind::Attested if !check.judged || by_word().next().is_some() => by_word().collect(),
                Kind::Attested | Kind::Hybrid => by_run().chain(by_word()).collect(),
            };
            let done: BTreeSet<Date> = moments.into_iter().map(|at| date_of(at, zone)).collect();
            Record {
                task: check.id.clone(),
                cadence: row.task.goes_by().name(),
                rhythm: row.task.rhythm(),
                done: done.into_iter().collect(),
                since,
            }
        };
        let looked_at = self.rows.iter().filter(|row| row.task.off.is_none());
        Ok(coverage::of(period, &looked_at.map(record).collect::<Vec<_>>(), today))
    }
}

/// A moment later than now, so that what happened now is in.
fn now_and_a_bit(now: Timestamp) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_secs(1)).unwrap_or(now)
}

fn order<'r>(row: &'r Row<'_>) -> (status::State, Option<Date>, &'r str) {
    (row.status.state, row.status.due, &row.task.check.id)
}

fn ids(check: &Check) -> impl Iterator<Item = &str> {
    std::iter::once(&check.id).chain(&check.aliases).map(String::as_str)
}
