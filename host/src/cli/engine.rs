//! What the commands of the engine share: the configuration, the plugins, the history, the time and the selection.

use super::site::Site;
use super::stop::Stop;
use super::{Global, checks};
use crate::calendar::day;
use crate::collect::probe::evidence;
use crate::config::{Assignment, Config, list_as_text};
use crate::history::{Here, HistoryError, RunLine, Store};
use crate::run::engine::Setup;
use crate::run::event::Events;
use crate::run::exit::Policy;
use crate::run::interrupt::Interrupt;
use crate::run::select::Filter;
use crate::run::waiver::{self, Waiver};
use clap::Args;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::sync::Arc;
use tancheck_plugin_api::Cadence;
use tancheck_plugin_api::records::probe::{Probe, Vantage};

/// Which checks.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Which {
    /// Only this plugin, enabled or not; may be repeated
    #[arg(short, long, value_name = "PLUGIN")]
    module: Vec<String>,
    /// Only this check; may be repeated
    #[arg(long, value_name = "CHECK")]
    check: Vec<String>,
    /// Only checks of this cadence; may be repeated
    #[arg(long, value_name = "CADENCE", value_parser = checks::cadences())]
    cadence: Vec<Cadence>,
    /// Only checks that were not healthy when they were last run
    #[arg(long)]
    only_failed: bool,
    /// Without checks that no guide of the vendor asks for
    #[arg(long)]
    no_beyond: bool,
    /// Only checks that the calendar wants done now: see `tancheck due`
    #[arg(long)]
    due: bool,
    /// Only checks that this person or team answers for; may be repeated
    #[arg(long, value_name = "NAME")]
    owner: Vec<String>,
    #[command(flatten)]
    ways: Ways,
}

/// How it is looked, and when.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Ways {
    /// Asks no questions; checks that need one stay undecided
    #[arg(long)]
    no_questions: bool,
    /// Where this machine stands, which decides what a failed probe means
    #[arg(long, value_name = "PLACE", value_parser = vantages())]
    vantage: Option<String>,
    /// Probes each listener by one handshake instead of up to nine
    #[arg(long)]
    quick: bool,
    /// The JSON report of a run at another place, whose probes count beside those of this run; may be repeated
    #[arg(long, value_name = "FILE")]
    merge_evidence: Vec<PathBuf>,
    /// The time that counts as now, for tests and to look at a date: 2026-06-30 or 2026-06-30T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = when)]
    now: Option<When>,
}

/// When it is, and whether questions are asked, for commands that select no checks.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Circumstances {
    /// Asks no questions of endpoints; a person is asked instead
    #[arg(long)]
    no_questions: bool,
    /// The time that counts as now, for tests: 2026-06-30 or 2026-06-30T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = when)]
    now: Option<When>,
}

impl From<&Circumstances> for Which {
    fn from(circumstances: &Circumstances) -> Self {
        let Circumstances { no_questions, now } = *circumstances;
        Self { ways: Ways { no_questions, now, ..Ways::default() }, ..Self::default() }
    }
}

impl From<&Ways> for Which {
    fn from(ways: &Ways) -> Self {
        Self { ways: ways.clone(), ..Self::default() }
    }
}

impl Ways {
    /// What these flags say about the configuration.
    fn assignments(&self) -> Vec<Assignment> {
        let assignment = |key: &str, value: &str, flag: &str| Assignment {
            key: key.to_owned(),
            value: value.to_owned(),
            flag: flag.to_owned(),
        };
        let mut all = Vec::new();
        if self.no_questions {
            all.push(assignment("deployment.questions", "false", "--no-questions"));
        }
        if let Some(vantage) = &self.vantage {
            all.push(assignment("probe.vantage", vantage, "--vantage"));
        }
        if self.quick {
            all.push(assignment("probe.quick", "true", "--quick"));
        }
        if !self.merge_evidence.is_empty() {
            let files: Vec<String> =
                self.merge_evidence.iter().map(|file| file.display().to_string()).collect();
            all.push(assignment("probe.merge_evidence", &list_as_text(&files), "--merge-evidence"));
        }
        all
    }
}

fn vantages() -> PossibleValuesParser {
    PossibleValuesParser::new(Vantage::ALL.map(Vantage::name))
}

/// Everything that is known before the deployment is asked.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) site: Site,
    pub(super) config: Config,
    pub(super) history: Result<Arc<Store>, HistoryError>,
    pub(super) now: Timestamp,
    /// What runs at other places saw.
    pub(super) evidence: Vec<Probe>,
    waivers: Vec<Waiver>,
    filter: Filter,
}

impl Ground {
    /// Reads configuration, plugins and history.
    pub(super) async fn load(which: &Which, global: &Global) -> Result<Self, Stop> {
        let mut global = global.clone();
        global.set.extend(which.ways.assignments());
        let site = Site::load(&global).await?;
        let config = site.layers.config(&site.manifests())?;
        let evidence = evidence::read(&config.probing.merge_evidence).map_err(Stop::Usage)?;
        let history = open_history(&config);
        let waivers = waivers(&site, &config)?;
        let filter = Filter {
            modules: which.module.clone(),
            checks: which.check.clone(),
            cadences: which.cadence.clone(),
            only_failed: which.only_failed,
            no_beyond: which.no_beyond,
            due: which.due,
            owners: which.owner.clone(),
        };
        let now = now(which.ways.now, &config.calendar.zone);
        Ok(Self { site, config, history, now, evidence, waivers, filter })
    }

    /// Only these checks, enabled or not.
    pub(super) fn only(&mut self, checks: Vec<String>) {
        self.filter = Filter { checks, ..Filter::default() };
    }

    /// A run of it.
    pub(super) fn setup(&self, policy: Policy, interrupt: Interrupt, events: Events) -> Setup<'_> {
        Setup {
            config: &self.config,
            installed: &self.site.catalog.installed,
            refused: &self.site.catalog.refused,
            filter: self.filter.clone(),
            policy,
            waivers: &self.waivers,
            now: self.now,
            history: self.history.clone(),
            interrupt,
            events,
            workers: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }

    /// What is known on this machine.
    pub(super) fn local(&self) -> Arc<Here> {
        Arc::new(Here::new(self.history.clone(), self.now))
    }
}

/// The waivers of the site.
pub(super) fn waivers(site: &Site, config: &Config) -> Result<Vec<Waiver>, Stop> {
    match &config.places.waivers {
        Some(path) => Ok(waiver::read(path, config.waivers, &site.manifests(), &site.refused())?),
        None => Ok(Vec::new()),
    }
}

/// The history of the deployment.
pub(super) fn open_history(config: &Config) -> Result<Arc<Store>, HistoryError> {
    let store = Store::open(&config.places.state, &config.deployment.id)?;
    Ok(Arc::new(store.in_zone(config.calendar.zone.clone())))
}

/// The history, where a command cannot do without.
pub(super) fn history(config: &Config) -> Result<Arc<Store>, Stop> {
    open_history(config).map_err(|error| Stop::Internal(error.to_string()))
}

/// The history of the configured deployment, for commands that need no plugins.
pub(super) fn store(global: &Global) -> Result<Store, Stop> {
    let layers = global.layers()?;
    let deployment = layers.deployment()?;
    let store = Store::open(&layers.places().state, &deployment.id)
        .map_err(|error| Stop::Internal(error.to_string()))?;
    Ok(store.in_zone(layers.zone()))
}

/// The run that an argument names.
pub(super) fn run_named(store: &Store, text: &str) -> Result<RunLine, Stop> {
    let failed = |error: HistoryError| Stop::Internal(error.to_string());
    if let Some(run) = store.find(text).map_err(failed)? {
        return Ok(run);
    }
    let known = store.runs(usize::MAX).map_err(failed)?;
    let has = match (known.last(), known.first()) {
        (Some(oldest), Some(newest)) => format!(
            "the history has runs {} ({}) to {} ({}); name one by its number, last, previous, or a date",
            oldest.number,
            day(oldest.at, store.zone()),
            newest.number,
            day(newest.at, store.zone())
        ),
        _ => "the history has no run yet; \"tancheck run\" makes one".to_owned(),
    };
    Err(Stop::Usage(format!("there is no run {text:?} of the deployment {}: {has}", store.deployment())))
}

/// Now, in whole seconds: nothing here is measured finer.
pub(super) fn this_second() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).expect("a second of this year is in range")
}

/// The time that counts as now.
pub(super) fn now(given: Option<When>, zone: &TimeZone) -> Timestamp {
    given.map_or_else(this_second, |when| when.at(zone))
}

/// A date or a moment on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// A day of the site.
    Day(Date),
    /// A moment anywhere.
    Moment(Timestamp),
}

impl When {
    /// The moment; of a day the first one, where the site is.
    pub(super) fn at(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Day(date) => crate::calendar::start_of(date, zone),
            Self::Moment(time) => time,
        }
    }
}

/// A date or a moment, read before it is known where the site is.
pub(super) fn when(text: &str) -> Result<When, String> {
    match text.parse::<Timestamp>() {
        Ok(time) => Ok(When::Moment(time)),
        Err(_) => text
            .parse()
            .map(When::Day)
            .map_err(|_| "expected a date or time, such as 2026-06-30 or 2026-06-30T12:00:00Z".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_moments() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let at = |text: &str, zone: &TimeZone| when(text).unwrap().at(zone).to_string();
        assert_eq!(at("2026-06-30", &TimeZone::UTC), "2026-06-30T00:00:00Z");
        assert_eq!(at("2026-06-30", &tokyo), "2026-06-29T15:00:00Z");
        assert_eq!(at("2026-06-30T02:00:00+02:00", &tokyo), "2026-06-30T00:00:00Z");
        assert!(when("tomorrow").unwrap_err().contains("such as 2026-06-30"));
    }
}
