//! `tancheck learn`: what settings of the site would be, going by what a run sees; a person accepts it or does not.

mod document;
mod shown;

pub(super) use document::Document;

use super::engine::{Ground, Ways};
use super::output::{FAINT, Printer, WARNING, to_stderr};
use super::site::Site;
use super::stop::{INCOMPLETE, OK, Stop, UNREACHABLE};
use super::{Global, ask, run, text};
use crate::config::edit;
use crate::plugins::Installed;
use crate::run::document::Run;
use crate::run::exit::Policy;
use crate::run::interrupt;
use clap::Args;
use document::{compared, explained};
use serde::Serialize;
use serde_json::Value;
use shown::{brief, told, written};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use tancheck_plugin_api::manifest::Check;

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
    run.problems.iter().for_each(|problem| to_stderr(&format!("{WARNING}warning:{WARNING:#} {problem}")));
    let mut document = compared(&ground.site, &run, &arguments)?;
    if let (Some(file), Some(reason)) = (&file, &arguments.reason) {
        document.accept(file, reason)?;
    }
    printer.document(&document, || told(&document, &arguments))?;
    if let (Some(file), None) = (&file, &arguments.reason)
        && !document.toml.is_empty()
    {
        let reason = ask::line("Why are these values right? (one line; empty: nothing is written)")?;
        if reason.is_empty() {
            to_stderr("nothing was written");
        } else {
            document.accept(file, &reason)?;
            to_stderr(&written(&document));
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
