//! For people: quiet when healthy, the worst first, one screen, then the details.

use super::changed::changed;
use super::folded::folded;
use super::page::{Page, SCREEN, color_of};
use super::probed;
use crate::calendar::{day, moment};
use crate::run::Run;
use crate::run::change::Change;
use crate::run::document::{Attested, CheckResult, Finding, Remedy};
use crate::run::outcome::counted;
use crate::run::waiver;
use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use tancheck_plugin_api::{Outcome, Severity};

/// Findings of one check that are told in full.
const IN_FULL: usize = 10;
/// Values of evidence are cut after so many characters.
const VALUE: usize = 160;

/// How the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are used.
    pub color: bool,
    /// Columns of a line.
    pub width: usize,
    /// Whether details follow the first screen.
    pub details: bool,
}

impl Look {
    /// The same without colour.
    #[must_use]
    pub const fn plain(self) -> Self {
        Self { color: false, ..self }
    }
}

/// Writes the report.
///
/// # Errors
/// When it cannot be written.
pub fn write(run: &Run, look: &Look, to: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(*look);
    headline(run, &mut page);
    let told = changed(run, &mut page);
    findings_at_a_glance(run, told, &mut page);
    waived(run, &mut page);
    undecided(run, &mut page);
    due(run, &mut page);
    remarks(run, &mut page);
    if look.details {
        // A healthy run is quiet.
        if run.decided < run.total || run.findings().next().is_some() {
            probed::listeners(run, &mut page);
        }
        details(run, &mut page);
    }
    exit(run, &mut page);
    to.write_all(page.text.as_bytes())
}

/// One line that says it all: for a healthy run it is the only one.
fn headline(run: &Run, page: &mut Page) {
    let found: u64 = run.severities.values().sum();
    let (word, style) = match (found, run.decided == run.total) {
        (0, true) if run.total == 0 => ("nothing is due".to_owned(), AnsiColor::Green),
        (0, true) => ("healthy".to_owned(), AnsiColor::Green),
        (0, false) => ("nothing found, but not everything was seen".to_owned(), AnsiColor::Yellow),
        _ => (severities(run, found), AnsiColor::Red),
    };
    let requests = run.requests;
    let saved = if requests.saved > 0 { format!(" ({} saved)", requests.saved) } else { String::new() };
    let asked = format!("{} requests{saved}, {} questions", requests.sent, requests.questions);
    let name = page.styled(Style::new().bold(), &run.deployment.id);
    let word = page.styled(style.on_default().bold(), &word);
    let at = moment(run.at, &run.zone());
    let _ = writeln!(page.text, "{name}: {word} · {} · {asked} · {at}", run.share());
    if let Some(signal) = &run.interrupted {
        page.paragraph(
            0,
            &format!("Ended early by {signal}: what had arrived was judged, the rest was not."),
        );
    }
}

fn severities(run: &Run, found: u64) -> String {
    let parts: Vec<String> = Severity::ALL
        .iter()
        .filter_map(|severity| {
            let count = run.severities.get(severity.name()).copied().unwrap_or_default();
            (count > 0).then(|| format!("{count} {severity}"))
        })
        .collect();
    let (found, noun) = counted(usize::try_from(found).unwrap_or(usize::MAX), "finding", "findings");
    let waived = if run.waived > 0 { format!("; {} waived", run.waived) } else { String::new() };
    format!("{found} {noun} ({}{waived})", parts.join(", "))
}

/// What somebody answers for: it stays in sight.
fn waived(run: &Run, page: &mut Page) {
    let all: Vec<_> =
        run.findings().filter_map(|(check, one)| Some((check, one, one.waiver.as_ref()?))).collect();
    if all.is_empty() {
        return;
    }
    page.title("Waived");
    for (check, finding, waiver) in all.iter().take(SCREEN) {
        let severity = page.styled(color_of(finding.severity), &format!("{:8}", finding.severity.name()));
        let until = waiver.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
        let (name, says) = (&finding.subject.name, &finding.says);
        let line = format!("{}: {name}: {says} ({}{until}: {})", check.id, waiver.owner, waiver.reason);
        page.item(&severity, 8, &line);
    }
    page.and_more(all.len(), "waived findings");
}

fn findings_at_a_glance(run: &Run, told: bool, page: &mut Page) {
    let mut all: Vec<_> = run.findings().collect();
    all.retain(|(_, finding)| {
        finding.waiver.is_none() && (!told || finding.change == Some(Change::Unchanged))
    });
    if all.is_empty() {
        return;
    }
    page.title(if told { "As before" } else { "Findings" });
    // A thousand alike are one trouble, and what follows from another trouble is told under it.
    let groups = folded(all);
    for group in groups.iter().take(SCREEN) {
        let severity = group.first().severity;
        let label = page.styled(color_of(severity), &format!("{}{:8}", group.branch(), severity.name()));
        page.item(&label, 8 + group.branch().chars().count(), &group.line());
    }
    page.and_more(groups.len(), "checks with findings");
}

fn undecided(run: &Run, page: &mut Page) {
    let open = |check: &&CheckResult| !check.outcome.is_decided() && check.outcome != Outcome::AttestationDue;
    // The same reason keeps many checks from a decision; it is told once.
    let mut groups: BTreeMap<(usize, &str), Vec<&str>> = BTreeMap::new();
    for check in run.checks.iter().filter(open) {
        let rank = Outcome::ALL.iter().position(|outcome| *outcome == check.outcome).unwrap_or_default();
        groups.entry((rank, check.reason.as_deref().unwrap_or_default())).or_default().push(&check.id);
    }
    if groups.is_empty() {
        return;
    }
    page.title("Not decided");
    for ((rank, reason), ids) in groups.iter().take(SCREEN) {
        let outcome = Outcome::ALL[*rank];
        let label = page.styled(AnsiColor::Yellow.on_default(), &format!("{:13}", outcome.name()));
        page.item(&label, 13, &format!("{}: {reason}", names(ids)));
    }
    page.and_more(groups.len(), "reasons");
}

fn due(run: &Run, page: &mut Page) {
    let tasks: Vec<&CheckResult> =
        run.checks.iter().filter(|check| check.outcome == Outcome::AttestationDue).collect();
    if tasks.is_empty() {
        return;
    }
    page.title("Tasks for a person");
    for task in tasks.iter().take(SCREEN) {
        let label = page.styled(AnsiColor::Cyan.on_default(), "due");
        let reason = task.reason.as_deref().unwrap_or_default();
        page.item(&label, 3, &format!("{}: {} ({reason})", task.id, task.title));
    }
    page.and_more(tasks.len(), "tasks");
    page.paragraph(2, "`tancheck attest TASK --result done --by NAME` records that one is done.");
}

/// What is not about a check, one line each.
fn remarks(run: &Run, page: &mut Page) {
    let mut lines: Vec<String> = run.problems.clone();
    lines.extend(waiver::remarks(run));
    lines.extend(run.refused.iter().map(|one| format!("{} was not used: {}", one.path, one.reason)));
    lines.extend(run.quarantined.iter().map(|one| format!("{} is in quarantine: {}", one.check, one.reason)));
    if !run.absent.is_empty() {
        let reasons: Vec<&str> = run.absent.iter().map(|one| one.reason.as_str()).collect();
        lines.push(format!("left out: {}", reasons.join("; ")));
    }
    let mut off: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in &run.switched_off {
        off.entry(&one.reason).or_default().push(&one.check);
    }
    lines.extend(
        off.iter().map(|(reason, ids)| format!("switched off by the site ({reason}): {}", names(ids))),
    );
    if !run.not_looked_at.is_empty() {
        let names: Vec<String> = run
            .not_looked_at
            .iter()
            .map(|module| match &module.plugin {
                Some(plugin) => format!("{} (the plugin {plugin} is not enabled)", module.name),
                None => module.name.clone(),
            })
            .collect();
        lines.push(format!("installed there and not looked at: {}", names.join(", ")));
    }
    let weak = run.plugins.iter().filter(|plugin| plugin.sandbox.starts_with("weak"));
    lines.extend(weak.map(|plugin| format!("the sandbox of {} is {}", plugin.id, plugin.sandbox)));
    let printed: Vec<&str> = run.noise.iter().map(|one| one.plugin.as_str()).collect();
    if !printed.is_empty() {
        lines.push(format!("printed something, which is in the JSON report: {}", printed.join(", ")));
    }
    if lines.is_empty() {
        return;
    }
    page.title("Remarks");
    for line in &lines {
        page.item("-", 1, line);
    }
}

fn details(run: &Run, page: &mut Page) {
    let zone = run.zone();
    let mut checks: Vec<&CheckResult> = run
        .checks
        .iter()
        .filter(|check| !check.findings.is_empty() || check.outcome == Outcome::AttestationDue)
        .collect();
    let worst = |check: &CheckResult| check.findings.iter().map(|finding| finding.severity).max();
    checks.sort_by(|left, right| worst(right).cmp(&worst(left)).then_with(|| left.id.cmp(&right.id)));
    for check in checks {
        let beyond = if check.beyond { " (beyond the guide)" } else { "" };
        page.title(&format!("{} · {}{beyond}", check.id, check.title));
        if let Some(reason) = &check.reason {
            page.paragraph(2, reason);
        }
        for note in &check.notes {
            page.paragraph(2, &format!("Note: {note}"));
        }
        listed(&check.findings, &zone, page);
        listed(&check.awaiting, &zone, page);
        for confirmed in &check.confirmed {
            let line = format!("{}: {}", confirmed.finding.subject.name, by_whom(&confirmed.attested, &zone));
            page.item("✓", 1, &line);
        }
        let remedies =
            check.findings.iter().chain(&check.awaiting).filter_map(|finding| finding.remedy.as_ref());
        if let Some(remedy) = check.task.as_ref().or_else(|| remedies.clone().next()) {
            runbook(remedy, check, page);
        }
    }
}

fn listed(findings: &[Finding], zone: &TimeZone, page: &mut Page) {
    for finding in findings.iter().take(IN_FULL) {
        let severity = page.styled(color_of(finding.severity), finding.severity.name());
        page.item(
            &severity,
            finding.severity.name().len(),
            &format!("{}: {}", finding.subject.name, finding.says),
        );
        if !finding.expected.is_empty() {
            page.paragraph(4, &format!("Expected: {}", finding.expected));
        }
        if let Some(affected) = &finding.affected {
            let of = affected.of.map(|of| format!(" of {of}")).unwrap_or_default();
            let sample = match affected.sample.is_empty() {
                true => String::new(),
                false => format!(": {}", affected.sample.join(", ")),
            };
            page.paragraph(4, &format!("Affected: {}{of}{sample}", affected.count));
        }
        for evidence in &finding.evidence {
            let value = cut(&shown(&evidence.value), VALUE);
            page.paragraph(4, &format!("Seen: {value} ({}, {})", evidence.request, evidence.at));
        }
        if let (Some(first), Some(times @ 2..)) = (finding.first_seen, finding.times_seen) {
            page.paragraph(4, &format!("Since: {}, in {times} runs", day(first, zone)));
        }
        if let Some(cause) = &finding.cause {
            page.paragraph(4, &format!("Cause: {cause}; repair that first"));
        }
        if let Some(confirmation) = &finding.confirmation {
            page.paragraph(4, &format!("Confirmation: {confirmation}"));
        }
        if let Some(waiver) = &finding.waiver {
            let until = waiver.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            page.paragraph(
                4,
                &format!("Waived by {}{until}: {} ({})", waiver.owner, waiver.reason, waiver.place),
            );
        }
        if let Some(ended) = &finding.waiver_ended {
            page.paragraph(4, &format!("Waiver: {ended}"));
        }
        page.paragraph(4, &format!("Id: {} (subject {})", finding.fingerprint, finding.subject.key));
    }
    let more = findings.len().saturating_sub(IN_FULL);
    if more > 0 {
        page.paragraph(2, &format!("and {more} more"));
    }
}

fn runbook(remedy: &Remedy, check: &CheckResult, page: &mut Page) {
    page.paragraph(2, if check.findings.is_empty() { "What to do:" } else { "How to fix it:" });
    for (number, step) in remedy.steps.iter().enumerate() {
        let label = format!("{}.", number + 1);
        page.item(&label, label.len(), &one_step(step));
    }
    for caution in &remedy.cautions {
        let label = page.styled(AnsiColor::Yellow.on_default(), "Caution:");
        page.item(&label, 8, caution);
    }
    if !remedy.who.is_empty() {
        page.paragraph(
            4,
            &format!("Who: {} · risk {} · can be taken back: {}", remedy.who, remedy.risk, remedy.reversible),
        );
    }
    if !remedy.references.is_empty() {
        page.paragraph(4, &format!("See: {}", remedy.references.join("; ")));
    }
    page.paragraph(4, &format!("Verify: tancheck run --check {}", remedy.verify));
}

/// A step as one sentence.
pub(crate) fn one_step(step: &BTreeMap<String, String>) -> String {
    let field = |key: &str| step.get(key).map(String::as_str).unwrap_or_default();
    let text = field("text");
    match field("do") {
        "console" => format!("{}: {text}", field("path")),
        "question" => format!("Ask `{}`: {text}", field("question")),
        "action" => format!("Deploy {}: {text}", field("package")),
        "command" => format!("Run `{}`: {text}", field("command")),
        "api" => format!("API {}: {text}", field("route")),
        "decision" => format!("If {}: {}", field("when"), field("then")),
        "consult" => format!("Consult {}: {text}", field("whom")),
        "support" => format!("Contact Tanium Support: {text}"),
        // A step of a newer plugin API still shows what it holds.
        other => {
            let fields = step.iter().filter(|(key, _)| *key != "do").map(|(_, text)| text.as_str());
            format!("{other}: {}", fields.collect::<Vec<_>>().join("; "))
        }
    }
}

fn exit(run: &Run, page: &mut Page) {
    if run.exit.reasons.is_empty() {
        return;
    }
    let reasons: Vec<&str> = run.exit.reasons.iter().map(|reason| reason.says.as_str()).collect();
    let _ = writeln!(page.text);
    page.paragraph(0, &format!("Exit {}: {}", run.exit.code, reasons.join("; ")));
}

fn by_whom(attested: &Attested, zone: &TimeZone) -> String {
    let note = if attested.note.is_empty() { String::new() } else { format!(": {}", attested.note) };
    let second = attested.second.as_ref().map(|name| format!(" and {name}")).unwrap_or_default();
    // What has no end of its own ends at the end of the calendar.
    let until = match attested.until.strftime("%Y").to_string().as_str() {
        "9999" => String::new(),
        _ => format!(", until {}", day(attested.until, zone)),
    };
    format!("confirmed by {}{second} on {}{until}{note}", attested.by, day(attested.at, zone))
}

/// The first few names of many.
fn names(ids: &[&str]) -> String {
    const SHOWN: usize = 3;
    match ids.len().saturating_sub(SHOWN) {
        0 => ids.join(", "),
        more => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}

fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
