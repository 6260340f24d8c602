//! The text of `tancheck learn`.

use super::Arguments;
use super::document::{Document, Row};
use crate::cli::output::{FAINT, GOOD, HEADING, WARNING};
use crate::cli::text;
use crate::report::page::clean;
use serde_json::Value;
use std::fmt::Write as _;

/// A value in a few words.
pub(super) fn brief(value: &Value) -> String {
    let count = |count: usize| if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
    match value {
        Value::Null => "(not set)".to_owned(),
        Value::Array(texts) if texts.len() > 1 => count(texts.len()),
        Value::Object(table) if !table.is_empty() => count(table.len()),
        other => other.to_string(),
    }
}

pub(super) fn told(document: &Document, arguments: &Arguments) -> String {
    let mut out = String::new();
    for row in document.proposals.iter().filter(|row| row.differs) {
        difference(&mut out, row);
        out.push('\n');
    }
    for row in document.proposals.iter().filter(|row| !row.differs) {
        let seen = if row.seen.is_empty() { String::new() } else { format!(" ({})", clean(&row.seen)) };
        line(&mut out, &format!("{GOOD}={GOOD:#} {}  {FAINT}as it was seen{seen}{FAINT:#}", row.key));
    }
    for one in &document.nothing {
        let mark = if one.complete { format!("{FAINT}-{FAINT:#}") } else { format!("{WARNING}?{WARNING:#}") };
        line(&mut out, &format!("{mark} {}: nothing is proposed for {}", one.check, one.settings.join(", ")));
        out.push_str(&text::wrapped(&clean(&one.why), 4));
    }
    if document.toml.is_empty() {
        if !document.proposals.is_empty() {
            line(&mut out, "\nNothing differs from the configuration.");
        }
        return out;
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    if document.written {
        line(&mut out, &written(document));
        return out;
    }
    let file = document.file.as_deref().unwrap_or("the configuration");
    line(&mut out, &format!("{FAINT}# For {file}, into its sections of these names{FAINT:#}"));
    out.push_str(&document.toml);
    if !arguments.write {
        line(&mut out, &format!("\n{FAINT}{}{FAINT:#}", acceptance(arguments)));
    }
    out
}

/// What to do next.
fn acceptance(arguments: &Arguments) -> String {
    if arguments.checks.len() > NAMED {
        return "To accept all of it, say the same with --write --reason TEXT.".to_owned();
    }
    let checks: String = arguments.checks.iter().map(|id| format!(" {id}")).collect();
    let modules: String = arguments.module.iter().map(|id| format!(" --module {id}")).collect();
    let keep = if arguments.keep { " --keep" } else { "" };
    format!("To accept it: tancheck learn{checks}{modules}{keep} --write --reason TEXT")
}

/// Most checks that are named one by one.
const NAMED: usize = 3;

fn few(checks: &[String]) -> String {
    match checks {
        [first, others @ ..] if checks.len() > NAMED => format!("{first} and {} more", others.len()),
        _ => checks.join(", "),
    }
}

pub(super) fn written(document: &Document) -> String {
    let file = document.file.as_deref().unwrap_or("the configuration");
    let mut checks: Vec<&str> = document
        .proposals
        .iter()
        .filter(|row| row.differs)
        .flat_map(|row| &row.checks)
        .map(String::as_str)
        .collect();
    checks.sort_unstable();
    checks.dedup();
    let count = document.proposals.iter().filter(|row| row.differs).count();
    let settings = if count == 1 { "setting is" } else { "settings are" };
    let verify: String = checks.iter().map(|id| format!(" --check {id}")).collect();
    let next = match checks.len() {
        0..=NAMED => format!("tancheck run{verify}"),
        _ => "tancheck run".to_owned(),
    };
    format!("{count} {settings} written to {file}\nSee what that changes: {next}")
}

/// Most entries of a difference that are shown one by one.
const SHOWN: usize = 12;

fn difference(out: &mut String, row: &Row) {
    line(out, &format!("{HEADING}{}{HEADING:#}  {FAINT}{}{FAINT:#}", row.key, few(&row.checks)));
    let place = row.place.as_deref().unwrap_or(&row.from);
    let because = row.reason.as_ref().map(|reason| format!(", because {reason}")).unwrap_or_default();
    line(out, &format!("  now   {}  {FAINT}{place}{because}{FAINT:#}", brief(&row.now)));
    if !row.seen.is_empty() {
        line(out, &format!("  seen  {}", clean(&row.seen)));
    }
    for (mark, style, all) in [("+", GOOD, &row.added), ("-", WARNING, &row.removed)] {
        for entry in all.iter().take(SHOWN) {
            line(out, &format!("    {style}{mark} {}{style:#}", clean(entry)));
        }
        if all.len() > SHOWN {
            line(out, &format!("    {style}{mark}{style:#} and {} more", all.len() - SHOWN));
        }
    }
}

fn line(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a string grows");
}
