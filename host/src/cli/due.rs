//! `tancheck due`: the maintenance calendar: what is overdue, due and soon, when it was done last and by whom.

use super::engine::When;
use super::output::{BAD, FAINT, GOOD, HEADING, Output, Printer, WARNING, to_stderr};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, checks, engine, text};
use crate::calendar::coverage::Coverage;
use crate::calendar::status::State;
use crate::calendar::{Facts, Outlook, Period, Row, date_of, ics};
use crate::config::Config;
use crate::plugins::Installed;
use crate::run::exit;
use crate::run::outcome::counted;
use crate::run::select::{self, Filter};
use anstyle::Style;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use tancheck_plugin_api::{Cadence, Kind};

/// Shows what is due: tasks of the maintenance calendar, when each was done last and by whom
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck due                        what is overdue, due, or soon to be
  tancheck due --all --owner ann      everything that ann answers for
  tancheck due --period 2026-Q3       how much of a quarter was covered
  tancheck due --ics > tancheck.ics   for a calendar

`tancheck run --due` does what a run can do; `tancheck attest TASK` records what a person did.")]
pub(super) struct Arguments {
    /// Also tasks that are in date, wait for an event, or are switched off
    #[arg(short, long)]
    all: bool,
    /// Only this plugin, enabled or not; may be repeated
    #[arg(short, long, value_name = "PLUGIN")]
    module: Vec<String>,
    /// Only tasks that this person or team answers for; may be repeated
    #[arg(long, value_name = "NAME")]
    owner: Vec<String>,
    /// Only tasks of this cadence; may be repeated
    #[arg(long, value_name = "CADENCE", value_parser = checks::cadences())]
    cadence: Vec<Cadence>,
    /// Looks back on a period: 2026, 2026-H1, 2026-Q3, 2026-07 or 2026-W27
    #[arg(long, value_name = "PERIOD", value_parser = period)]
    period: Option<Period>,
    /// Prints the calendar for other programs (iCalendar); the same as -o ics
    #[arg(long)]
    ics: bool,
    /// Exits with 4 when a task is overdue
    #[arg(long)]
    fail_on_overdue: bool,
    /// The time that counts as now, for tests and to look at a date: 2026-06-30 or 2026-06-30T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = engine::when)]
    now: Option<When>,
}

/// What `due -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The deployment.
    deployment: String,
    /// Today, where the site is.
    today: String,
    /// Where the site is.
    time_zone: String,
    /// All tasks by state; every state is there.
    counts: BTreeMap<&'static str, u64>,
    /// How much of the period was covered: of the present quarter, where none was asked for.
    coverage: Coverage,
    /// The tasks: the worst first.
    tasks: Vec<Line>,
    /// Plugins that are left out, because the last run that looked at everything did not find their module.
    absent: Vec<String>,
    /// What is wrong beside the tasks.
    problems: Vec<String>,
}

/// One task.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Line {
    /// The check.
    task: String,
    /// The plugin.
    plugin: String,
    /// The good state.
    title: String,
    /// `automated`, `attested` or `hybrid`.
    #[schemars(with = "String")]
    kind: Kind,
    /// How often.
    every: String,
    /// Where it stands.
    state: State,
    /// The day it comes or came due on; `null` where it was never done or has no period.
    due: Option<String>,
    /// The last day on which it is not overdue.
    last_day: Option<String>,
    /// The day on which it was done last.
    done: Option<String>,
    /// Who did it last.
    by: Option<String>,
    /// Whether a person has to do it, and no run.
    by_hand: bool,
    /// What else is to say.
    why: String,
    /// Who answers for it.
    owners: Vec<String>,
}

fn period(text: &str) -> Result<Period, String> {
    Period::read(text).ok_or_else(|| format!("expected {}", Period::FORMS))
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let mut global = global.clone();
    if arguments.ics {
        global.output.push(Output { format: "ics".to_owned(), path: None });
    }
    let printer = Printer::new(&global, &["text", "json", "ics"])?;
    let site = Site::open(&global)?;
    let config = site.layers.config(&site.manifests())?;
    let plugins = plugins(&site, &arguments.module)?;
    let filter = Filter { owners: arguments.owner.clone(), ..Filter::default() };
    select::known_owners(&filter, &config).map_err(|error| Stop::Usage(error.to_string()))?;
    let now = engine::now(arguments.now, &config.calendar.zone);
    let failed = |error: crate::history::HistoryError| Stop::Internal(error.to_string());
    let store = engine::history(&config)?;
    let facts = Facts::read(&store, now).map_err(failed)?;
    let mut outlook = Outlook::of(&config, &plugins, &facts, now);
    outlook.rows.retain(|row| is_meant(row, &arguments));
    let today = date_of(now, &config.calendar.zone);
    let period = arguments.period.clone().unwrap_or_else(|| Period::quarter_of(today));
    let coverage = outlook.coverage(&config, &store, &facts, &period, now).map_err(failed)?;
    let problems: Vec<String> = facts.ahead_of(now, &config.calendar.zone).into_iter().collect();
    problems.iter().for_each(|problem| to_stderr(&format!("{WARNING}warning:{WARNING:#} {problem}")));
    let document = document(&config, &outlook, coverage, problems, now, arguments.all);
    printer.print(|format| match format {
        "json" => super::output::json(&document),
        "ics" => Ok(ics::write(&outlook.rows, &config.deployment.id, today, now)),
        _ if arguments.period.is_some() => Ok(looked_back(&document)),
        _ => Ok(written(&document, arguments.all)),
    })?;
    let is_overdue = document.counts.get(State::Overdue.name()).is_some_and(|count| *count > 0);
    Ok(if arguments.fail_on_overdue && is_overdue { exit::OVERDUE } else { OK })
}

fn plugins<'s>(site: &'s Site, named: &[String]) -> Result<Vec<&'s Installed>, Stop> {
    match named {
        [] => Ok(site.enabled()),
        ids => ids.iter().map(|id| site.plugin(id)).collect(),
    }
}

fn is_meant(row: &Row<'_>, arguments: &Arguments) -> bool {
    let owners = &arguments.owner;
    let cadences = &arguments.cadence;
    (owners.is_empty() || owners.iter().any(|name| row.task.owners.contains(name)))
        && (cadences.is_empty() || cadences.iter().any(|one| row.task.cadence.contains(one)))
}

fn document(
    config: &Config,
    outlook: &Outlook<'_>,
    coverage: Coverage,
    problems: Vec<String>,
    now: Timestamp,
    all: bool,
) -> Document {
    let zone = &config.calendar.zone;
    let mut counts: BTreeMap<&'static str, u64> = State::ALL.map(|state| (state.name(), 0)).into();
    for row in &outlook.rows {
        *counts.entry(row.status.state.name()).or_default() += 1;
    }
    let is_shown = |row: &&Row<'_>| all || row.status.state <= State::Soon;
    Document {
        format: 1,
        deployment: config.deployment.id.clone(),
        today: date_of(now, zone).to_string(),
        time_zone: config.calendar.zone_name().to_owned(),
        counts,
        coverage,
        tasks: outlook.rows.iter().filter(is_shown).map(line).collect(),
        absent: outlook.absent.iter().map(|&id| id.to_owned()).collect(),
        problems,
    }
}

fn line(row: &Row<'_>) -> Line {
    let (task, status) = (&row.task, &row.status);
    Line {
        task: task.check.id.clone(),
        plugin: task.plugin.to_owned(),
        title: task.check.title.clone(),
        kind: task.check.kind,
        every: task.rhythm().every.to_string(),
        state: status.state,
        due: status.due.map(|date| date.to_string()),
        last_day: status.last_day.map(|date| date.to_string()),
        done: status.done.as_ref().map(|done| done.on.to_string()),
        by: status.done.as_ref().map(|done| done.by.clone()),
        by_hand: status.by_hand,
        why: status.why.clone(),
        owners: task.owners.clone(),
    }
}

/// Tasks of one state that are shown without `--all`.
const SCREEN: usize = 15;

fn written(document: &Document, all: bool) -> String {
    let mut out = headline(document);
    for state in State::ALL {
        let lines: Vec<&Line> = document.tasks.iter().filter(|line| line.state == state).collect();
        if lines.is_empty() {
            continue;
        }
        let (style, head) = heading(state);
        writeln!(out, "\n{style}{head}{style:#}").expect("a string grows");
        let shown = if all { lines.len() } else { SCREEN };
        let rows: Vec<Vec<String>> = lines.iter().take(shown).map(|line| cells(line)).collect();
        out.push_str(&text::table(&["due", "task", "how often", "last done", "by", "remark"], &rows));
        if lines.len() > shown {
            writeln!(out, "{FAINT}and {} more; --all shows them{FAINT:#}", lines.len() - shown)
                .expect("a string grows");
        }
    }
    out + &next_steps(document)
}

fn heading(state: State) -> (Style, &'static str) {
    match state {
        State::Overdue => (BAD, "Overdue"),
        State::Due => (WARNING, "Due"),
        State::Soon => (HEADING, "Soon"),
        State::Done => (GOOD, "In date"),
        State::Waiting => (FAINT, "When an event calls for it"),
        State::Off => (FAINT, "Switched off"),
    }
}

fn cells(line: &Line) -> Vec<String> {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let owners = if line.owners.is_empty() { String::new() } else { format!("[{}]", line.owners.join(", ")) };
    let remark = [line.why.as_str(), owners.as_str()].join(" ").trim().to_owned();
    vec![
        or_dash(&line.due),
        line.task.clone(),
        line.every.clone(),
        or_dash(&line.done),
        or_dash(&line.by),
        remark,
    ]
}

fn headline(document: &Document) -> String {
    let count = |state: State| document.counts.get(state.name()).copied().unwrap_or_default();
    let parts: Vec<String> = [State::Overdue, State::Due, State::Soon]
        .into_iter()
        .filter(|state| count(*state) > 0)
        .map(|state| format!("{} {}", count(state), state.name()))
        .collect();
    let (style, word) = match (count(State::Overdue), count(State::Due)) {
        (0, 0) if parts.is_empty() => (GOOD, "nothing is due".to_owned()),
        (0, 0) => (GOOD, format!("nothing is due, {}", parts.join(", "))),
        (0, _) => (WARNING, parts.join(", ")),
        _ => (BAD, parts.join(", ")),
    };
    let (name, covered) = (&document.deployment, covered(document));
    format!("{HEADING}{name}{HEADING:#}: {style}{word}{style:#} · {covered} · {}\n", document.today)
}

/// `2026-Q3: 41 of 44 tasks covered`.
fn covered(document: &Document) -> String {
    let coverage = &document.coverage;
    let so_far = if coverage.to == document.today { " so far" } else { "" };
    format!("{}{so_far}: {} of {} tasks covered", coverage.period, coverage.covered, coverage.tasks)
}

fn next_steps(document: &Document) -> String {
    let open = |by_hand: bool| {
        document.tasks.iter().filter(|line| line.state.is_open() && line.by_hand == by_hand).count()
    };
    let mut lines = Vec::new();
    if open(false) > 0 {
        lines.push(format!("`tancheck run --due` looks at {} of them.", open(false)));
    }
    if open(true) > 0 {
        let (count, verb) = counted(open(true), "is", "are");
        lines.push(format!(
            "{count} {verb} for a person: `tancheck attest TASK` shows the steps and records that one is done."
        ));
    }
    if !document.absent.is_empty() {
        lines.push(format!("Left out, because their module was not there: {}.", document.absent.join(", ")));
    }
    if lines.is_empty() { String::new() } else { format!("\n{}", text::wrapped(&lines.join("\n"), 0)) }
}

fn looked_back(document: &Document) -> String {
    let coverage = &document.coverage;
    let mut out = format!(
        "{HEADING}{}{HEADING:#}: {} · {} to {}\n\n",
        document.deployment,
        covered(document),
        coverage.from,
        coverage.to
    );
    let rows: Vec<Vec<String>> = coverage
        .cadences
        .iter()
        .map(|one| vec![one.cadence.clone(), one.covered.to_string(), one.tasks.to_string()])
        .collect();
    out.push_str(&text::table(&["cadence", "covered", "tasks"], &rows));
    if coverage.missed.is_empty() {
        return out;
    }
    let rows: Vec<Vec<String>> = coverage
        .missed
        .iter()
        .map(|one| vec![one.task.clone(), one.times.to_string(), one.done.to_string()])
        .collect();
    out.push('\n');
    out.push_str(&text::table(&["overdue in this time", "missed", "done"], &rows));
    out
}
