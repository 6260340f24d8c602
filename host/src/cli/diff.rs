//! `tancheck diff`: two runs beside each other.

use super::output::Printer;
use super::stop::{OK, Stop};
use super::{Global, engine, text as layout};
use crate::calendar::moment;
use crate::history::{Difference, RunLine};
use crate::report::changed::{BAD, GOOD, Line, UNKNOWN, gone};
use crate::report::page::Page;
use crate::report::text::Look;
use clap::Args;
use jiff::tz::TimeZone;

/// Shows what changed between two runs: new, back, worse, better, fixed, and what only was not looked at
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck diff                       the last two runs
  tancheck diff 2026-06-01            the last run by that day, and the last one
  tancheck diff 12 17 -o json

A run is named by its number, by last or previous, or by a date or time, for the last run by then. \"tancheck history\"
lists them.")]
pub(super) struct Arguments {
    /// The older run; without one, the run before the last
    #[arg(value_name = "RUN", default_value = "previous")]
    from: String,
    /// The newer run; without one, the last
    #[arg(value_name = "RUN", default_value = "last")]
    to: String,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let store = engine::store(global)?;
    let to = engine::run_named(&store, &arguments.to)?;
    let from = match store.find(&arguments.from).map_err(|error| Stop::Internal(error.to_string()))? {
        Some(from) => from,
        None if arguments.from == "previous" => {
            let message = "there is only one run to look at; compare after the next \"tancheck run\"";
            return Err(Stop::Usage(message.to_owned()));
        }
        None => engine::run_named(&store, &arguments.from)?,
    };
    let difference = store.diff(from, to).map_err(|error| Stop::Internal(error.to_string()))?;
    printer.document(&difference, || text(&difference, store.zone()))?;
    Ok(OK)
}

fn text(difference: &Difference, zone: &TimeZone) -> String {
    let mut page = Page::new(Look { color: true, width: layout::width(), details: true });
    let Difference { from, to, unchanged, .. } = difference;
    page.lead(&difference.deployment, &format!("{} → {}", named(from, zone), named(to, zone)));
    page.paragraph(0, &format!("{}; {} as before", summary(difference), unchanged.len()));
    let lines = lines(difference, zone);
    if !lines.is_empty() {
        page.title("Changed");
        lines.iter().for_each(|line| line.print(&mut page));
    }
    if !difference.outcomes.is_empty() {
        page.title("Outcomes");
        for turned in &difference.outcomes {
            let (from, to) = (turned.from.as_deref().unwrap_or("-"), turned.to.as_deref().unwrap_or("-"));
            let reason = turned.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            page.item("-", 1, &format!("{}: {from} → {to}{reason}", turned.check));
        }
    }
    if !difference.circumstances.is_empty() {
        page.title("What else is different");
        for one in &difference.circumstances {
            let (from, to) = (one.from.as_deref().unwrap_or("unset"), one.to.as_deref().unwrap_or("unset"));
            page.item("-", 1, &format!("{}: {from} → {to}", one.what));
        }
    }
    page.text
}

/// A run's number and time.
fn named(run: &RunLine, zone: &TimeZone) -> String {
    format!("run {} of {}", run.number, moment(run.at, zone))
}

fn summary(difference: &Difference) -> String {
    let counts = [
        (difference.new.len(), "new"),
        (difference.regressed.len(), "back"),
        (difference.worse.len(), "worse"),
        (difference.better.len(), "better"),
        (difference.fixed.len(), "fixed"),
        (difference.not_looked_at.len(), "not looked at"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if told.is_empty() { "no finding changed".to_owned() } else { told.join(", ") }
}

fn lines(difference: &Difference, zone: &TimeZone) -> Vec<Line> {
    let mut lines = Vec::new();
    for (list, word, style) in [
        (&difference.new, "new", BAD),
        (&difference.regressed, "back", BAD),
        (&difference.worse, "worse", BAD),
        (&difference.not_looked_at, "not seen", UNKNOWN),
        (&difference.fixed, "fixed", GOOD),
        (&difference.better, "better", GOOD),
    ] {
        gone(list, word, style, zone, &mut lines);
    }
    lines
}
