//! `tancheck exports` and `tancheck answers`: what a person could bring, and the checks that it would decide.

use super::engine::When;
use super::output::{BAD, FAINT, GOOD, HEADING, Printer};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, answer, engine, sources, text};
use crate::calendar::day;
use crate::collect::by_hand::{self, Brought};
use crate::config::Config;
use crate::history::Here;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::manifest::{Input, Request};

/// Lists the exported files that would decide checks: page, steps, name and columns of each
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck exports                    for checks that the last run left undecided
  tancheck exports --all --module patch -o json")]
pub(super) struct Exports {
    #[command(flatten)]
    which: Which,
}

/// Lists the values that only a person can read off and that would decide checks
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck answers                    for checks that the last run left undecided
  tancheck answers --all -o json")]
pub(super) struct Answers {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Which {
    /// Only for this plugin, enabled or not; may be repeated
    #[arg(short, long, value_name = "PLUGIN")]
    module: Vec<String>,
    /// For all checks, decided or not
    #[arg(short, long)]
    all: bool,
    /// The time that counts as now, for tests
    #[arg(long, value_name = "TIME", value_parser = engine::when, hide = true)]
    now: Option<When>,
}

/// What `exports -o json` and `answers -o json` print.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document<T> {
    /// The version of this document's format.
    format: u32,
    /// When the checks were last run; `null` before the first run.
    #[schemars(with = "Option<String>")]
    last_run: Option<Timestamp>,
    /// What is asked for: first what nothing else can tell, then what stands in for something else.
    wanted: Vec<T>,
}

/// A file that an administrator can export.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct File {
    /// Its name.
    file: String,
    /// Where it is put.
    path: String,
    /// The Console page.
    page: String,
    /// What to do there.
    steps: String,
    /// The columns it has to have.
    columns: Vec<String>,
    #[serde(flatten)]
    need: Need,
}

/// A value that a person can read off.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Value {
    /// What is asked.
    prompt: String,
    /// What an answer looks like.
    expected: String,
    /// For how many days an answer counts.
    valid_days: u32,
    #[serde(flatten)]
    need: Need,
}

/// Who needs it, and what is there.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Need {
    /// The input.
    input: String,
    /// What the input is.
    about: String,
    /// The source that is tried first; `null` where nothing else can tell.
    instead_of: Option<String>,
    /// The checks that it would help to decide.
    checks: Vec<String>,
    /// What was brought, and when; `null` when nothing usable is there.
    have: Option<Have>,
    /// Why nothing usable is there.
    problem: Option<String>,
}

/// What was brought.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Have {
    /// How much, or what.
    what: String,
    /// When.
    #[schemars(with = "String")]
    at: Timestamp,
}

pub(super) fn exports(arguments: Exports, global: &Global) -> Result<u8, Stop> {
    let look = Look::open(&arguments.which, global)?;
    let file = |input: &Input, place: usize, need: Need| match &input.sources[place].request {
        Request::Export { file, page, steps, columns, .. } => Some(File {
            path: look.config.places.exports.join(file).display().to_string(),
            file: file.clone(),
            page: page.clone(),
            steps: steps.clone(),
            columns: columns.clone(),
            need,
        }),
        _ => None,
    };
    let state = |_: &Input, request: &Request| {
        by_hand::exported(request, &look.config.places.exports, look.config.limits.response_bytes)
    };
    let document = look.document(state, file);
    let shown = |one: &File| {
        let columns = match one.columns.as_slice() {
            [] => String::new(),
            columns => format!(" Columns: {}.", columns.join(", ")),
        };
        Shown {
            head: one.path.clone(),
            how: format!("{}: {}.{columns}", one.page, one.steps.trim_end_matches('.')),
        }
    };
    look.print(&document, "export file", shown, |one| &one.need)
}

pub(super) fn answers(arguments: Answers, global: &Global) -> Result<u8, Stop> {
    let look = Look::open(&arguments.which, global)?;
    let history = engine::open_history(&look.config);
    let zone = &look.config.calendar.zone;
    let now = engine::now(arguments.which.now, zone);
    let here = Here::new(history, now);
    let value = |input: &Input, place: usize, need: Need| match &input.sources[place].request {
        Request::Answer { prompt, valid_days, .. } => Some(Value {
            prompt: prompt.clone(),
            expected: answer::expected(&input.sources[place].request).unwrap_or_default(),
            valid_days: *valid_days,
            need,
        }),
        _ => None,
    };
    let state = |input: &Input, request: &Request| by_hand::answered(request, &input.id, &here, now, zone);
    let document = look.document(state, value);
    let shown = |one: &Value| Shown {
        head: format!("tancheck answer {} <{}>", one.need.input, one.expected),
        how: format!("{} Good for {} days.", one.prompt, one.valid_days),
    };
    look.print(&document, "answer", shown, |one| &one.need)
}

/// What both commands know.
struct Look {
    printer: Printer,
    site: Site,
    config: Config,
    last_run: Option<Timestamp>,
    /// Checks by id that came to a decision when they were last run.
    decided: BTreeSet<String>,
    modules: Vec<String>,
    all: bool,
}

impl Look {
    fn open(which: &Which, global: &Global) -> Result<Self, Stop> {
        let printer = Printer::text_or_json(global)?;
        let site = Site::open(global)?;
        for module in &which.module {
            site.plugin(module)?;
        }
        let config = site.layers.config(&site.manifests())?;
        let history = engine::history(&config)?;
        let failed = |error: crate::history::HistoryError| Stop::Internal(error.to_string());
        let latest = history.latest().map_err(failed)?;
        let is_decided =
            |outcome: &str| Outcome::ALL.iter().any(|known| known.name() == outcome && known.is_decided());
        let decided = latest.into_iter().filter(|(_, outcome)| is_decided(outcome)).map(|(check, _)| check);
        Ok(Self {
            decided: decided.collect(),
            last_run: history.last_run().map_err(failed)?,
            modules: which.module.clone(),
            all: which.all,
            printer,
            site,
            config,
        })
    }

    /// What is wanted for the checks that are looked at: first what nothing else can tell.
    fn document<T>(
        &self,
        state: impl Fn(&Input, &Request) -> Option<Result<Brought, String>>,
        make: impl Fn(&Input, usize, Need) -> Option<T>,
    ) -> Document<T> {
        let mut wanted = Vec::new();
        for (input, checks) in self.inputs().into_values() {
            for (place, source) in input.sources.iter().enumerate() {
                let Some(found) = state(input, &source.request) else { continue };
                let (have, problem) = match found {
                    Ok(brought) => (Some(Have { what: brought.what, at: brought.at }), None),
                    Err(reason) => (None, Some(reason)),
                };
                let need = Need {
                    input: input.id.clone(),
                    about: input.about.clone(),
                    instead_of: (place > 0).then(|| sources::told(&input.sources[0], &input.id)),
                    checks: checks.iter().map(|&check| check.to_owned()).collect(),
                    have,
                    problem,
                };
                wanted.extend(make(input, place, need).map(|one| (place, one)));
            }
        }
        wanted.sort_by_key(|(place, _)| *place > 0);
        Document {
            format: 1,
            last_run: self.last_run,
            wanted: wanted.into_iter().map(|(_, one)| one).collect(),
        }
    }

    /// The inputs of these checks, and which of them read each.
    fn inputs(&self) -> BTreeMap<&str, (&Input, BTreeSet<&str>)> {
        let mut inputs: BTreeMap<&str, (&Input, BTreeSet<&str>)> = BTreeMap::new();
        let enabled: Vec<&str> = self.site.enabled().iter().map(|one| one.manifest.id.as_str()).collect();
        for (plugin, check) in self.site.checks() {
            let id = plugin.manifest.id.as_str();
            let is_meant = if self.modules.is_empty() {
                enabled.contains(&id)
            } else {
                self.modules.iter().any(|module| module == id)
            };
            if !is_meant || (!self.all && self.decided.contains(&check.id)) {
                continue;
            }
            for input in check.inputs.iter().filter_map(|input| plugin.manifest.input(input)) {
                inputs.entry(&input.id).or_insert((input, BTreeSet::new())).1.insert(&check.id);
            }
        }
        inputs
    }

    fn print<T: Serialize>(
        &self,
        document: &Document<T>,
        noun: &str,
        shown: impl Fn(&T) -> Shown,
        need: impl Fn(&T) -> &Need,
    ) -> Result<u8, Stop> {
        self.printer.document(document, || {
            let mut out = String::new();
            for one in &document.wanted {
                told(&mut out, &shown(one), need(one), &self.config.calendar.zone);
            }
            out + &self.summary(document.wanted.len(), noun)
        })?;
        Ok(OK)
    }

    fn summary(&self, count: usize, noun: &str) -> String {
        let nouns = if count == 1 { noun.to_owned() } else { format!("{noun}s") };
        let of = match (self.all, self.last_run) {
            (true, _) => "for all checks".to_owned(),
            (false, Some(at)) => {
                format!(
                    "for checks that were undecided when they were last run ({})",
                    day(at, &self.config.calendar.zone)
                )
            }
            (false, None) => "for checks that were never run".to_owned(),
        };
        format!("{FAINT}{count} {nouns} {of}{FAINT:#}\n")
    }
}

/// A row for people.
struct Shown {
    head: String,
    how: String,
}

fn told(out: &mut String, shown: &Shown, need: &Need, zone: &TimeZone) {
    let mut line = |text: &str| out.push_str(text);
    line(&format!("{HEADING}{}{HEADING:#}\n", shown.head));
    line(&text::wrapped(&shown.how, 2));
    if let Some(source) = &need.instead_of {
        line(&text::wrapped(&format!("Only needed where this cannot be had: {source}"), 2));
    }
    let mut state = String::new();
    match (&need.have, &need.problem) {
        (Some(have), _) => write!(state, "  {GOOD}there{GOOD:#}: {}, {}", have.what, day(have.at, zone)),
        (None, reason) => write!(state, "  {BAD}missing{BAD:#}: {}", reason.as_deref().unwrap_or_default()),
    }
    .expect("a string grows");
    line(&(state + "\n"));
    line(&text::wrapped(&format!("for {}", need.checks.join(", ")), 2));
    line("\n");
}
