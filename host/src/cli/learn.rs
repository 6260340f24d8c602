//! `tancheck learn`: what settings of the site would be, going by what a run sees; a person accepts it or does not.

use super::engine::{Ground, Ways};
use super::output::{FAINT, GOOD, HEADING, Printer, WARNING, to_stderr};
use super::site::Site;
use super::stop::{INCOMPLETE, OK, Stop, UNREACHABLE};
use super::{Global, ask, run, text};
use crate::config::edit::{self, Change};
use crate::config::{Explanation, Layers};
use crate::plugins::Installed;
use crate::run::document::{CheckResult, Run};
use crate::run::exit::Policy;
use crate::run::interrupt;
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use tancheck_plugin_api::manifest::{Check, Manifest};

/// Proposes expected values, such as approved subnets, from what a run sees; --write accepts them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck learn                          which checks can learn which settings; asks nobody
  tancheck learn subnets.new-subnets      what was seen, beside what is configured; changes nothing
  tancheck learn --module client-management -o json
  tancheck learn subnets.new-subnets --write --reason \"as the network team confirmed on 2026-06-30\"

Look at each proposal before you accept it: a check finds nothing any more in what is expected. It is a run of these checks,
kept in the history as `tancheck run --check` is. What is seen in part is not proposed.

Exit codes: 0 proposed, or as configured; 2 usage or configuration; 3 a check saw too little to propose anything;
5 deployment unreachable or login refused.")]
pub(super) struct Arguments {
    /// Checks that can learn settings; none, without --module: lists them
    #[arg(value_name = "CHECK")]
    checks: Vec<String>,
    /// All checks of this plugin that can learn settings; may be repeated
    #[arg(short, long, value_name = "PLUGIN")]
    module: Vec<String>,
    /// Keeps what a list or table holds already, even if it was not seen
    #[arg(long)]
    keep: bool,
    /// Writes what is proposed to the configuration file, each with the reason
    #[arg(long)]
    write: bool,
    /// Why these values are right, in one line; stands beside them in [reasons]
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    ways: Ways,
}

/// What `learn CHECK -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The configuration file; `null` where there is none.
    file: Option<String>,
    /// Whether it was written.
    written: bool,
    /// The number under which the history keeps the run; `null` where it could not be kept.
    run: Option<i64>,
    /// What is proposed, by key.
    proposals: Vec<Row>,
    /// Checks that proposed nothing, by id.
    nothing: Vec<Nothing>,
    /// What differs from the configuration, as lines to paste.
    toml: String,
}

/// A setting, as it is and as it would be.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Row {
    /// `modules.<plugin>.<setting>`.
    key: String,
    /// The check that proposes it.
    check: String,
    /// The value in force; `null` where there is none.
    now: Value,
    /// Where that comes from: `default`, `file`, `variable` or `flag`.
    from: String,
    /// The exact place.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// Why it is so, where the site says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The value that is proposed.
    proposed: Value,
    /// Whether it differs from the value in force.
    differs: bool,
    /// What would be in a list, and is not; other values as a whole.
    added: Vec<String>,
    /// What would not be in a list any more.
    removed: Vec<String>,
    /// What it was taken from.
    seen: String,
    #[serde(skip)]
    #[schemars(skip)]
    plugin: String,
    #[serde(skip)]
    #[schemars(skip)]
    setting: String,
}

/// A check that proposed nothing.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Nothing {
    /// The check.
    check: String,
    /// The settings it could have learned.
    settings: Vec<String>,
    /// Why.
    why: String,
    /// Whether all there is to see was seen, and there was nothing.
    complete: bool,
}

/// What `learn -o json` prints without a check.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct List {
    /// The version of this document's format.
    format: u32,
    /// What can be learned, by check.
    settings: Vec<Learnable>,
}

/// A setting that can be learned.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Learnable {
    /// The check that learns it.
    check: String,
    /// `modules.<plugin>.<setting>`.
    key: String,
    /// The value in force; `null` where there is none.
    now: Value,
    /// Where that comes from.
    from: String,
    /// What the setting does.
    about: String,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    if arguments.checks.is_empty() && arguments.module.is_empty() {
        return list(&arguments, &printer, global);
    }
    let runtime = super::runtime()?;
    let mut ground = runtime.block_on(Ground::load(&(&arguments.ways).into(), global))?;
    let wanted = wanted(&ground.site, &arguments)?;
    let ids = wanted.iter().map(|(_, check)| check.id.clone()).collect();
    let file =
        if arguments.write { Some(writable(&ground.site, &wanted, &arguments, global)?) } else { None };
    ground.only(ids);
    let run = runtime.block_on(looked(&ground, global))?;
    let mut document = compared(&ground.site, &run, &arguments)?;
    let Some(file) = file else {
        printer.document(&document, || told(&document, &arguments))?;
        return Ok(code(&run, &document));
    };
    let changes = document.changes(arguments.reason.as_deref());
    if let Some(reason) = &arguments.reason {
        document.toml = edit::snippet(&document.changes(Some(reason)));
        accept(&file, &changes, &mut document)?;
        printer.document(&document, || told(&document, &arguments))?;
    } else {
        printer.document(&document, || told(&document, &arguments))?;
        if !changes.is_empty() {
            let reason = ask::line("Why are these values right? (one line; empty: nothing is written)")?;
            if reason.trim().is_empty() {
                to_stderr("nothing was written");
            } else {
                accept(&file, &document.changes(Some(&reason)), &mut document)?;
                to_stderr(&written(&document));
            }
        }
    }
    Ok(code(&run, &document))
}

/// A run of these checks, as `tancheck run --check` makes it.
async fn looked(ground: &Ground, global: &Global) -> Result<Run, Stop> {
    let (_interrupter, interrupt) = interrupt::channel();
    let policy = Policy { fail_on: None, ..Policy::default() };
    let setup = ground.setup(policy, interrupt, run::progress(global));
    run::ask_and_judge(ground, &setup).await
}

fn accept(file: &std::path::Path, changes: &[Change], document: &mut Document) -> Result<(), Stop> {
    if !changes.is_empty() {
        edit::write(file, changes)?;
        document.written = true;
    }
    Ok(())
}

fn code(run: &Run, document: &Document) -> u8 {
    if run.exit.reasons.iter().any(|reason| reason.code == UNREACHABLE) {
        UNREACHABLE
    } else if document.nothing.iter().all(|one| one.complete) {
        OK
    } else {
        INCOMPLETE
    }
}

type Wanted<'a> = (&'a Installed, &'a Check);

/// The checks that were named, and those of the plugins that were named; each can learn something.
fn wanted<'a>(site: &'a Site, arguments: &Arguments) -> Result<Vec<Wanted<'a>>, Stop> {
    let mut wanted: Vec<Wanted<'a>> = Vec::new();
    for id in &arguments.checks {
        let (plugin, check) = site.check(id)?;
        if check.learns.is_empty() {
            return Err(Stop::Usage(format!(
                "{} has no setting that can be learned{}",
                check.id,
                others(site, plugin)
            )));
        }
        wanted.push((plugin, check));
    }
    for id in &arguments.module {
        let plugin = site.plugin(id)?;
        let checks = plugin.manifest.checks.iter().filter(|check| !check.learns.is_empty());
        let before = wanted.len();
        wanted.extend(checks.map(|check| (plugin, check)));
        if wanted.len() == before {
            return Err(Stop::Usage(format!(
                "{id} has no setting that can be learned{}",
                others(site, plugin)
            )));
        }
    }
    let mut known = BTreeSet::new();
    wanted.retain(|(_, check)| known.insert(check.id.as_str()));
    Ok(wanted)
}

/// What can be learned instead.
fn others(site: &Site, plugin: &Installed) -> String {
    let told = |check: &Check| format!("{} ({})", check.id, check.learns.join(", "));
    let here: Vec<String> =
        plugin.manifest.checks.iter().filter(|check| !check.learns.is_empty()).map(told).collect();
    if !here.is_empty() {
        return format!("; of this plugin these have: {}", here.join(", "));
    }
    let mut plugins: Vec<&str> = site
        .checks()
        .filter(|(_, check)| !check.learns.is_empty())
        .map(|(plugin, _)| plugin.manifest.id.as_str())
        .collect();
    plugins.dedup();
    match plugins.as_slice() {
        [] => "; no plugin that is installed here has any".to_owned(),
        _ => format!("; these plugins have some: {}. `tancheck learn` lists them all", plugins.join(", ")),
    }
}

/// The file to write to, once everything that can be known before anybody is asked speaks for it.
fn writable(
    site: &Site,
    wanted: &[Wanted<'_>],
    arguments: &Arguments,
    global: &Global,
) -> Result<PathBuf, Stop> {
    match &arguments.reason {
        Some(reason) if reason.trim().is_empty() || reason.chars().any(char::is_control) => {
            return Err(Stop::Usage("say why with --reason, in one line".to_owned()));
        }
        None if !std::io::stdin().is_terminal() || !global.output.is_empty() => {
            return Err(Stop::Usage(
                "--write needs --reason: why these values are right, in one line".to_owned(),
            ));
        }
        _ => {}
    }
    let Some(file) = site.layers.file() else {
        let message = "there is no configuration file to write to; `tancheck init` makes one";
        return Err(Stop::Usage(message.to_owned()));
    };
    edit::writable(file)?;
    for (plugin, check) in wanted {
        for key in &check.learns {
            let one = explained(&site.layers, &plugin.manifest, key)?;
            if matches!(one.from.as_str(), "variable" | "flag") {
                let place = one.place.unwrap_or(one.from);
                return Err(Stop::Usage(format!(
                    "{} is set by {place}, which overrules the file: take that away first",
                    one.key
                )));
            }
        }
    }
    Ok(file.to_owned())
}

fn explained(layers: &Layers, manifest: &Manifest, key: &str) -> Result<Explanation, Stop> {
    let path = format!("modules.{}.{key}", manifest.id);
    let found = layers.explain(Some(&path), &[manifest])?.into_iter().find(|one| one.key == path);
    found.ok_or_else(|| Stop::Internal(format!("{path} is not explained")))
}

/// What the run saw, beside what is configured.
fn compared(site: &Site, run: &Run, arguments: &Arguments) -> Result<Document, Stop> {
    let mut document = Document {
        format: 1,
        file: site.layers.file().map(|path| path.display().to_string()),
        written: false,
        run: run.number,
        proposals: Vec::new(),
        nothing: Vec::new(),
        toml: String::new(),
    };
    for result in &run.checks {
        let (plugin, check) = site.check(&result.id)?;
        for proposal in &result.proposals {
            let now = explained(&site.layers, &plugin.manifest, &proposal.setting)?;
            let proposed = match arguments.keep {
                true => joined(&now.value, &proposal.value),
                false => proposal.value.clone(),
            };
            let (before, after) = (entries(&now.value), entries(&proposed));
            document.proposals.push(Row {
                key: now.key,
                check: check.id.clone(),
                from: now.from,
                place: now.place,
                reason: now.reason,
                differs: before != after,
                added: after.difference(&before).cloned().collect(),
                removed: before.difference(&after).cloned().collect(),
                seen: proposal.seen.clone(),
                now: now.value,
                proposed,
                plugin: plugin.manifest.id.clone(),
                setting: proposal.setting.clone(),
            });
        }
        if result.proposals.is_empty() {
            document.nothing.push(nothing(result, check));
        }
    }
    document.proposals.sort_by(|left, right| left.key.cmp(&right.key));
    document.toml = edit::snippet(&document.changes(arguments.reason.as_deref()));
    Ok(document)
}

fn nothing(result: &CheckResult, check: &Check) -> Nothing {
    let complete = result.partly.is_none() && result.outcome.is_decided();
    let why = result.partly.as_ref().or(result.reason.as_ref()).cloned();
    Nothing {
        check: result.id.clone(),
        settings: check.learns.clone(),
        why: why.unwrap_or_else(|| "there was nothing to learn from".to_owned()),
        complete,
    }
}

/// What is there already, and what was seen.
fn joined(now: &Value, seen: &Value) -> Value {
    match (now, seen) {
        (Value::Array(now), Value::Array(seen)) => {
            let all: BTreeSet<&str> = now.iter().chain(seen).filter_map(Value::as_str).collect();
            all.into_iter().collect()
        }
        (Value::Object(now), Value::Object(seen)) => {
            let mut all = now.clone();
            all.extend(seen.iter().map(|(key, value)| (key.clone(), value.clone())));
            Value::Object(all)
        }
        _ => seen.clone(),
    }
}

/// The parts of a value that can come and go, each on its own.
fn entries(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::Array(texts) => texts.iter().map(ToString::to_string).collect(),
        Value::Object(table) => {
            table.iter().map(|(key, value)| format!("{} = {value}", Value::from(key.as_str()))).collect()
        }
        other => BTreeSet::from([other.to_string()]),
    }
}

impl Document {
    /// What would be written.
    fn changes(&self, reason: Option<&str>) -> Vec<Change> {
        let differing = self.proposals.iter().filter(|row| row.differs);
        differing
            .map(|row| Change {
                plugin: row.plugin.clone(),
                key: row.setting.clone(),
                value: row.proposed.clone(),
                reason: reason.unwrap_or(UNSAID).trim().to_owned(),
            })
            .collect()
    }
}

/// What stands for a reason that nobody gave yet.
const UNSAID: &str = "who confirmed it, and when";

fn list(arguments: &Arguments, printer: &Printer, global: &Global) -> Result<u8, Stop> {
    if arguments.write {
        return Err(Stop::Usage(
            "name the checks whose proposals are written; `tancheck learn` lists them".to_owned(),
        ));
    }
    let site = Site::open(global)?;
    let mut settings = Vec::new();
    for (plugin, check) in site.checks() {
        for key in &check.learns {
            let one = explained(&site.layers, &plugin.manifest, key)?;
            let from = one.place.unwrap_or(one.from);
            settings.push(Learnable {
                check: check.id.clone(),
                key: one.key,
                now: one.value,
                from,
                about: one.about,
            });
        }
    }
    let list = List { format: 1, settings };
    printer.document(&list, || {
        let rows: Vec<Vec<String>> = list
            .settings
            .iter()
            .map(|one| vec![one.check.clone(), one.key.clone(), brief(&one.now)])
            .collect();
        let table = text::table(&["check", "can learn", "now"], &rows);
        format!("{table}\n{FAINT}Look at what is seen: tancheck learn CHECK{FAINT:#}\n")
    })?;
    Ok(OK)
}

/// A value in a few words.
fn brief(value: &Value) -> String {
    let count = |count: usize| if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
    match value {
        Value::Null => "(not set)".to_owned(),
        Value::Array(texts) if texts.len() > 1 => count(texts.len()),
        Value::Object(table) if !table.is_empty() => count(table.len()),
        other => other.to_string(),
    }
}

fn told(document: &Document, arguments: &Arguments) -> String {
    let mut out = String::new();
    for row in document.proposals.iter().filter(|row| row.differs) {
        difference(&mut out, row);
    }
    for row in document.proposals.iter().filter(|row| !row.differs) {
        let seen = if row.seen.is_empty() { String::new() } else { format!(" ({})", row.seen) };
        line(&mut out, &format!("{GOOD}={GOOD:#} {}  {FAINT}as it was seen{seen}{FAINT:#}", row.key));
    }
    for one in &document.nothing {
        let mark = if one.complete { format!("{FAINT}-{FAINT:#}") } else { format!("{WARNING}?{WARNING:#}") };
        line(&mut out, &format!("{mark} {}: nothing is proposed for {}", one.check, one.settings.join(", ")));
        out.push_str(&text::wrapped(&one.why, 4));
    }
    if document.toml.is_empty() {
        if !document.proposals.is_empty() {
            line(&mut out, "\nNothing differs from the configuration.");
        }
        return out;
    }
    let file = document.file.as_deref().unwrap_or("the configuration");
    if document.written {
        line(&mut out, &format!("\n{}", written(document)));
        return out;
    }
    line(&mut out, &format!("\n{FAINT}# For {file}{FAINT:#}"));
    out.push_str(&document.toml);
    if !arguments.write {
        let names: Vec<&str> = arguments.checks.iter().map(String::as_str).collect();
        let modules: String = arguments.module.iter().map(|id| format!(" --module {id}")).collect();
        let keep = if arguments.keep { " --keep" } else { "" };
        let names = if names.is_empty() { String::new() } else { format!(" {}", names.join(" ")) };
        line(
            &mut out,
            &format!(
                "\n{FAINT}To accept it: tancheck learn{names}{modules}{keep} --write --reason TEXT{FAINT:#}"
            ),
        );
    }
    out
}

fn written(document: &Document) -> String {
    let file = document.file.as_deref().unwrap_or("the configuration");
    let mut checks: Vec<&str> =
        document.proposals.iter().filter(|row| row.differs).map(|row| row.check.as_str()).collect();
    checks.dedup();
    let count = document.proposals.iter().filter(|row| row.differs).count();
    let settings = if count == 1 { "setting is" } else { "settings are" };
    let verify: String = checks.iter().map(|id| format!(" --check {id}")).collect();
    format!("{count} {settings} written to {file}\nSee what that changes: tancheck run{verify}")
}

/// Most entries of a difference that are shown one by one.
const SHOWN: usize = 12;

fn difference(out: &mut String, row: &Row) {
    line(out, &format!("{HEADING}{}{HEADING:#}  {FAINT}{}{FAINT:#}", row.key, row.check));
    let place = row.place.as_deref().unwrap_or(&row.from);
    let because = row.reason.as_ref().map(|reason| format!(", because {reason}")).unwrap_or_default();
    line(out, &format!("  now   {}  {FAINT}{place}{because}{FAINT:#}", brief(&row.now)));
    if !row.seen.is_empty() {
        line(out, &format!("  seen  {}", row.seen));
    }
    for (mark, style, all) in [("+", GOOD, &row.added), ("-", WARNING, &row.removed)] {
        for entry in all.iter().take(SHOWN) {
            line(out, &format!("    {style}{mark} {entry}{style:#}"));
        }
        if all.len() > SHOWN {
            line(out, &format!("    {style}{mark}{style:#} and {} more", all.len() - SHOWN));
        }
    }
}

fn line(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a string grows");
}
