//! What changed since the run before: it stands first in the text.

use super::folded::folded;
use super::page::{Page, SCREEN, color_of};
use crate::calendar::day;
use crate::run::Run;
use crate::run::change::{Before, Change, Changes, Gone};
use crate::run::outcome::counted;
use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use tancheck_plugin_api::Severity;

/// Tells what changed, and whether that was told: there is nothing to compare a first run with, and a healthy run that
/// found nothing new is quiet.
pub(super) fn changed(run: &Run, page: &mut Page) -> bool {
    let Some((changes, previous)) =
        run.changes.as_ref().and_then(|changes| Some((changes, changes.previous.as_ref()?)))
    else {
        return false;
    };
    let since = format!("run {} of {}", previous.number, day(previous.at, &run.zone()));
    if !changes.any() {
        if changes.unchanged > 0 {
            page.paragraph(0, &format!("Nothing changed since {since}{}.", outside(changes, ", ")));
        }
        return false;
    }
    page.title(&format!("Changed since {since}"));
    page.paragraph(2, &format!("{}{}", summary(changes), outside(changes, "; ")));
    let lines = lines(run, changes);
    lines.iter().take(SCREEN).for_each(|line| line.print(page));
    page.and_more(lines.len(), "lines of changes");
    true
}

/// `2 new, 1 fixed`: what is not as it was, the most urgent first.
pub(crate) fn summary(changes: &Changes) -> String {
    let counts = [
        (changes.new, "new"),
        (changes.regressed, "back"),
        (changes.worse, "worse"),
        (changes.better, "better"),
        (changes.fixed.len() as u64, "fixed"),
        (changes.settled.len() as u64, "confirmed"),
        (changes.not_looked_at.len() as u64, "not looked at"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

/// What checks that were not part of the run had found.
fn outside(changes: &Changes, lead: &str) -> String {
    match usize::try_from(changes.outside).unwrap_or(usize::MAX) {
        0 => String::new(),
        count => {
            let (count, noun) = counted(count, "finding", "findings");
            format!("{lead}{count} {noun} of other checks not looked at")
        }
    }
}

/// One line of the section.
pub(crate) struct Line {
    word: &'static str,
    style: Style,
    severity: Severity,
    text: String,
}

impl Line {
    /// Writes it.
    pub(crate) fn print(&self, page: &mut Page) {
        let label = page.styled(self.style, &format!("{:9}", self.word));
        let severity = page.styled(color_of(self.severity), &format!("{:8}", self.severity.name()));
        page.item(&format!("{label} {severity}"), 18, &self.text);
    }
}

/// What is bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What is not known.
pub(crate) const UNKNOWN: Style = AnsiColor::Yellow.on_default();

fn lines(run: &Run, changes: &Changes) -> Vec<Line> {
    let mut lines = Vec::new();
    for (change, word, style) in
        [(Change::New, "new", BAD), (Change::Regressed, "back", BAD), (Change::Worse, "worse", BAD)]
    {
        still(run, change, word, style, &mut lines);
    }
    for (all, word, style) in [
        (&changes.not_looked_at, "not seen", UNKNOWN),
        (&changes.fixed, "fixed", GOOD),
        (&changes.settled, "confirmed", GOOD),
    ] {
        gone(all, word, style, &run.zone(), &mut lines);
    }
    still(run, Change::Better, "better", GOOD, &mut lines);
    lines
}

/// Findings of this run, one line for each check and severity, under what brought them about.
fn still(run: &Run, change: Change, word: &'static str, style: Style, lines: &mut Vec<Line>) {
    let all = run.findings().filter(|(_, finding)| finding.change == Some(change)).collect();
    for group in folded(all) {
        let first = group.first();
        let was = was(first.before, first.severity, Before::of(first).affected);
        let text = format!("{}{}{was}", group.branch(), group.line());
        lines.push(Line { word, style, severity: first.severity, text });
    }
}

/// How bad a finding was before, where it was otherwise.
fn was(before: Option<Before>, severity: Severity, now: Option<u64>) -> String {
    let Some(before) = before else { return String::new() };
    if before.severity != severity {
        return format!(" (was {})", before.severity);
    }
    match (before.affected, now) {
        (Some(was), Some(is)) if was != is => format!(" ({is} affected, {was} before)"),
        _ => String::new(),
    }
}

/// How many are told by one line beside the first.
fn more_like_it(count: usize) -> String {
    if count > 1 { format!(" (and {} more like it)", count - 1) } else { String::new() }
}

/// Findings of earlier runs, one line for each check and severity.
pub(crate) fn gone(all: &[Gone], word: &'static str, style: Style, zone: &TimeZone, lines: &mut Vec<Line>) {
    for group in all.chunk_by(|left, right| left.check == right.check && left.severity == right.severity) {
        let first = &group[0];
        let more = more_like_it(group.len());
        let why = match &first.reason {
            Some(reason) => format!(" ({reason})"),
            None if first.before.is_some() => was(first.before, first.severity, first.affected),
            None if first.first_seen == first.last_seen => String::new(),
            None => format!(" (since {})", day(first.first_seen, zone)),
        };
        let text = format!("{}: {}: {}{more}{why}", first.check, first.subject.name, first.says);
        lines.push(Line { word, style, severity: first.severity, text });
    }
}
