//! `tancheck doctor`: is tancheck itself set up right? Each line says what was seen and, if it is not well, what to do.

mod here;
mod memory;
mod server;

use super::Global;
use super::output::{BAD, FAINT, GOOD, Printer, WARNING};
use super::site::Site;
use super::stop::{OK, Stop, UNREACHABLE, USAGE};
use crate::config::Layers;
use crate::history::Glance;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;

/// Examines tancheck's own set-up: configuration, files, plugins, sandbox, history, server, login
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing failed, 2 something failed on this machine, 5 the deployment is unreachable
or refuses the login."
)]
pub(super) struct Arguments {
    /// Looks at this machine only, and sends nothing
    #[arg(long)]
    offline: bool,
}

/// What a line of the doctor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// In order.
    Ok,
    /// It works, but should be better.
    Warn,
    /// It does not work.
    Fail,
    /// Could not be looked at, because something before it failed.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub(super) struct Line {
    /// What was looked at: `configuration`, `plugins`, `login`.
    name: &'static str,
    /// How it is.
    state: State,
    /// What was seen.
    seen: String,
    /// What to do, where something is to be done.
    todo: Option<String>,
}

impl Line {
    fn ok(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, state: State::Ok, seen: seen.into(), todo: None }
    }

    fn warn(name: &'static str, seen: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { name, state: State::Warn, seen: seen.into(), todo: Some(todo.into()) }
    }

    fn fail(name: &'static str, seen: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { name, state: State::Fail, seen: seen.into(), todo: Some(todo.into()) }
    }

    fn skipped(name: &'static str, because: &str) -> Self {
        Self { name, state: State::Skipped, seen: format!("not looked at: {because}"), todo: None }
    }
}

/// What `doctor -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// Whether nothing failed.
    healthy: bool,
    /// What was looked at, in this order.
    lines: Vec<Line>,
    /// The history of the deployment at a glance; `null` where there is none yet, or it cannot be read.
    history: Option<Glance>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let (lines, history, code) = super::runtime()?.block_on(examine(&arguments, global));
    let document = Document { format: 1, healthy: code == OK, lines, history };
    printer.document(&document, || told(&document))?;
    Ok(code)
}

async fn examine(arguments: &Arguments, global: &Global) -> (Vec<Line>, Option<Glance>, u8) {
    let mut lines = Vec::new();
    let layers = match Layers::load(&global.flags()) {
        Ok(layers) => layers,
        Err(error) => {
            let wrong = error.0.iter();
            lines.extend(wrong.map(|one| Line::fail("configuration", one.to_string(), "correct it there")));
            lines.push(Line::skipped("everything else", "the configuration cannot be read"));
            return (lines, None, USAGE);
        }
    };
    let site = Site::unchecked(layers).await;
    here::configuration(&site, &mut lines);
    here::plugins(&site, &mut lines);
    here::sandbox(&site, &mut lines).await;
    here::places(&site.layers.places(), &mut lines);
    let history = memory::examine(&site, &mut lines);
    let secret = here::secret(&site.layers, &mut lines).await;
    let failed = |lines: &[Line]| lines.iter().any(|line| line.state == State::Fail);
    let here_failed = failed(&lines);
    if arguments.offline {
        lines.push(Line::skipped("server", "--offline"));
    } else {
        let before = lines.len();
        server::examine(&site, secret, &mut lines).await;
        if failed(lines.get(before..).unwrap_or_default()) {
            return (lines, history, UNREACHABLE);
        }
    }
    (lines, history, if here_failed { USAGE } else { OK })
}

fn told(document: &Document) -> String {
    let width = document.lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for line in &document.lines {
        let (word, style) = match line.state {
            State::Ok => ("ok", GOOD),
            State::Warn => ("warn", WARNING),
            State::Fail => ("FAIL", BAD),
            State::Skipped => ("-", FAINT),
        };
        writeln!(out, "{style}{word:4}{style:#}  {:width$}  {}", line.name, line.seen)
            .expect("a string grows");
        if let Some(todo) = &line.todo {
            writeln!(out, "      {:width$}  {FAINT}to do:{FAINT:#} {todo}", "").expect("a string grows");
        }
    }
    out
}
