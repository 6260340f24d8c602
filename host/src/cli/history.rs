//! `tancheck history`: earlier runs, and the file that keeps them.

use super::engine::When;
use super::output::{BAD, GOOD, Printer, to_stderr};
use super::stop::{INCOMPLETE, OK, Stop};
use super::{Global, engine, text as layout};
use crate::calendar::moment;
use crate::files;
use crate::history::{
    Counted, HistoryError, Retention, RunLine, Severities, Shown, Store, TransferError, Transferred,
};
use crate::report::page::{Page, color_of};
use crate::report::text::Look;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;

/// Shows earlier runs, and looks after the file that keeps them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck history                    the last runs
  tancheck history show 17
  tancheck history show last -o json
  tancheck history prune --dry-run
  tancheck history export lab.jsonl
  tancheck history verify")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(List),
    Show(Show),
    Prune(Prune),
    Export(Export),
    Import(Import),
    /// Examines the file: its pages, its references, the chain of attestations, and whether the runs add up
    Verify,
}

/// Lists runs, the newest first
#[derive(Debug, Default, Args)]
struct List {
    /// How many; 0 shows all
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    last: usize,
}

/// Shows a run: what its checks came to, what it found and measured, with which versions and settings
#[derive(Debug, Args)]
struct Show {
    /// The run: a number, last, previous, or a date or time, for the last run by then
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
}

/// Forgets old runs and old values of series; what people said stays, and so do the last two runs
#[derive(Debug, Args)]
struct Prune {
    /// Days that runs are kept, instead of history.keep_runs_days; 0 keeps all
    #[arg(long, value_name = "DAYS")]
    runs: Option<u64>,
    /// Days that series are kept, instead of history.keep_series_days; 0 keeps all
    #[arg(long, value_name = "DAYS")]
    series: Option<u64>,
    /// Only tells what would be forgotten
    #[arg(long)]
    dry_run: bool,
    /// The time that counts as now
    #[arg(long, value_name = "TIME", value_parser = engine::when)]
    now: Option<When>,
}

/// Writes all that is kept of the deployment, one JSON object a line
#[derive(Debug, Args)]
struct Export {
    /// The file; without one, stdout
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Takes in what was exported: all of it, or nothing
#[derive(Debug, Args)]
struct Import {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// The runs of a deployment.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Document {
    /// The deployment.
    deployment: String,
    /// The file that keeps them.
    path: String,
    /// How many runs are kept.
    kept: u64,
    /// The latest of them, the newest first.
    runs: Vec<RunLine>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    match arguments.command.unwrap_or(Command::List(List { last: 20 })) {
        Command::List(list_) => list(&list_, global),
        Command::Show(show_) => show(&show_, global),
        Command::Prune(prune_) => prune(&prune_, global),
        Command::Export(export_) => export(&export_, global),
        Command::Import(import_) => import(&import_, global),
        Command::Verify => verify(global),
    }
}

fn failed(error: HistoryError) -> Stop {
    Stop::Internal(error.to_string())
}

fn list(arguments: &List, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let store = engine::store(global)?;
    let most = if arguments.last == 0 { usize::MAX } else { arguments.last };
    let document = Document {
        deployment: store.deployment().to_owned(),
        path: store.path().display().to_string(),
        kept: store.count().map_err(failed)?,
        runs: store.runs(most).map_err(failed)?,
    };
    printer.document(&document, || listed(&document, store.zone()))?;
    Ok(OK)
}

fn prune(arguments: &Prune, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let store = engine::store(global)?;
    let kept = global.layers()?.retention();
    let keep = Retention {
        runs_days: arguments.runs.unwrap_or(kept.runs_days),
        series_days: arguments.series.unwrap_or(kept.series_days),
    };
    let now = engine::now(arguments.now, store.zone());
    let pruned = store.prune(keep, now, arguments.dry_run).map_err(failed)?;
    if !arguments.dry_run {
        store.compact().map_err(failed)?;
    }
    printer.document(&pruned, || {
        let lead = if arguments.dry_run { "would forget" } else { "forgot" };
        let (runs, findings) = (numbered(pruned.runs, "run"), numbered(pruned.findings, "finding"));
        format!("{lead} {runs}, {findings} and {} of series\n", numbered(pruned.values, "value"))
    })?;
    Ok(OK)
}

/// A number and its noun.
fn numbered(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn export(arguments: &Export, global: &Global) -> Result<u8, Stop> {
    let store = engine::store(global)?;
    let told = |error: TransferError| Stop::Internal(format!("failed to export: {error}"));
    let Some(path) = &arguments.file else {
        store.export(&mut BufWriter::new(std::io::stdout().lock())).map_err(told)?;
        return Ok(OK);
    };
    let mut done = Transferred::default();
    let written = files::write(path, Some(0o600), |to| {
        let mut to = BufWriter::new(to);
        done = store.export(&mut to).map_err(std::io::Error::other)?;
        Ok(())
    });
    written.map_err(|error| Stop::Internal(format!("failed to export to {}: {error}", path.display())))?;
    transferred("exported", &done, global);
    Ok(OK)
}

fn import(arguments: &Import, global: &Global) -> Result<u8, Stop> {
    let store = engine::store(global)?;
    let path = arguments.file.display();
    let file = std::fs::File::open(&arguments.file)
        .map_err(|error| Stop::Usage(format!("{path} cannot be read: {error}")))?;
    let done = store.import(&mut BufReader::new(file)).map_err(|error| match error {
        TransferError::History(error) => failed(error),
        other => Stop::Usage(format!("{path} was not taken in: {other}")),
    })?;
    transferred("took in", &done, global);
    Ok(OK)
}

fn transferred(lead: &str, done: &Transferred, global: &Global) {
    if !global.quiet {
        let (runs, words) = (numbered(done.runs, "run"), numbered(done.attestations, "attestation"));
        to_stderr(&format!("{lead} {runs}, {words} and {}", numbered(done.answers, "answer")));
    }
}

fn verify(global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let verified = engine::store(global)?.examine().map_err(failed)?;
    printer.document(&verified, || {
        let head = format!(
            "{}: {}, {}, {}, {} of series, {}; {:.1} MiB\n",
            verified.path,
            numbered(verified.runs, "run"),
            numbered(verified.outcomes, "outcome"),
            numbered(verified.findings, "finding"),
            numbered(verified.values, "value"),
            numbered(verified.attestations, "attestation"),
            verified.bytes as f64 / f64::from(1 << 20)
        );
        let lines = verified.problems.iter().map(|problem| format!("{BAD}wrong{BAD:#} {problem}\n"));
        let lines: String = lines.collect();
        let end = if lines.is_empty() {
            format!("{GOOD}whole{GOOD:#}\n")
        } else {
            "restore it from a backup, or export what is left and import it into another state folder\n"
                .to_owned()
        };
        head + &lines + &end
    })?;
    Ok(if verified.problems.is_empty() { OK } else { INCOMPLETE })
}

fn listed(document: &Document, zone: &TimeZone) -> String {
    if document.runs.is_empty() {
        return format!("no run of {} is kept yet; \"tancheck run\" makes one\n", document.deployment);
    }
    let rows: Vec<Vec<String>> = document
        .runs
        .iter()
        .map(|run| {
            vec![
                run.number.to_string(),
                run.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
                format!("{} of {}", run.decided, run.total),
                run.findings.as_ref().map_or_else(|| "?".to_owned(), found),
                run.changes.as_ref().map_or_else(|| "?".to_owned(), changed),
                run.interrupted.clone().unwrap_or_else(|| run.exit_code.to_string()),
            ]
        })
        .collect();
    let when = format!("when ({})", zone.iana_name().unwrap_or("UTC"));
    let mut text = layout::table(&["run", &when, "decided", "findings", "changed", "exit"], &rows);
    let more = document.kept.saturating_sub(document.runs.len() as u64);
    if more > 0 {
        text.push_str(&format!("and {more} earlier; \"tancheck history list --last 0\" shows all\n"));
    }
    text
}

fn found(findings: &Severities) -> String {
    let counts = [
        (findings.critical, "critical"),
        (findings.high, "high"),
        (findings.medium, "medium"),
        (findings.low, "low"),
        (findings.info, "info"),
    ];
    told(&counts)
}

fn changed(changes: &Counted) -> String {
    let counts = [
        (changes.new, "new"),
        (changes.regressed, "back"),
        (changes.worse, "worse"),
        (changes.better, "better"),
        (changes.fixed, "fixed"),
        (changes.not_looked_at, "not looked at"),
    ];
    told(&counts)
}

fn told(counts: &[(u64, &str)]) -> String {
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if told.is_empty() { "-".to_owned() } else { told.join(", ") }
}

fn show(arguments: &Show, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let store = engine::store(global)?;
    let run = engine::run_named(&store, &arguments.run)?;
    let shown = store.show(run).map_err(failed)?;
    printer.document(&shown, || whole(&store, &shown))?;
    Ok(OK)
}

fn whole(store: &Store, shown: &Shown) -> String {
    let mut page = Page::new(Look { color: true, width: layout::width(), details: true });
    let run = &shown.run;
    let found = run.findings.as_ref().map_or_else(|| format!("{} findings", shown.findings.len()), found);
    let found = if found == "-" { "no findings".to_owned() } else { found };
    page.lead(
        store.deployment(),
        &format!(
            "run {} of {}: {found} · {} of {} decided · tancheck {} · exit {}",
            run.number,
            moment(run.at, store.zone()),
            run.decided,
            run.total,
            run.version,
            run.exit_code
        ),
    );
    if let Some(signal) = &run.interrupted {
        page.paragraph(0, &format!("Ended early by {signal}."));
    }
    if let Some(changes) = run.changes.as_ref().map(changed).filter(|text| text != "-") {
        page.paragraph(0, &format!("Against the run before: {changes}."));
    }
    if !shown.findings.is_empty() {
        page.title("Findings");
        for one in &shown.findings {
            let (gone, evidence) = (&one.finding, one.evidence.as_deref().map(short));
            let severity = page.styled(color_of(gone.severity), &format!("{:8}", gone.severity.name()));
            let evidence = evidence.map(|digest| format!(" (evidence {digest})")).unwrap_or_default();
            page.item(
                &severity,
                8,
                &format!("{}: {}: {}{evidence}", gone.check, gone.subject.name, gone.says),
            );
        }
    }
    outcomes(shown, &mut page);
    if !shown.plugins.is_empty() {
        page.title("Plugins, with the settings in force");
        for plugin in &shown.plugins {
            let set = shown.settings.get(&plugin.id).map(settings).unwrap_or_default();
            let line = format!("{} {} (sha256 {}){set}", plugin.id, plugin.version, short(&plugin.sha256));
            page.item("-", 1, &line);
        }
    }
    if !shown.measures.is_empty() {
        page.title("Measured");
        for one in &shown.measures {
            page.item("-", 1, &format!("{}: {} {}", one.series, one.value, one.unit));
        }
    }
    page.text
}

/// The beginning of a digest, which tells it from others; JSON has all of it.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The settings of a plugin in one line.
fn settings(all: &Map<String, Value>) -> String {
    let one = |(key, value): (&String, &Value)| match value {
        Value::Null => format!("{key} unset"),
        Value::String(text) => format!("{key} {text}"),
        value => format!("{key} {value}"),
    };
    if all.is_empty() {
        String::new()
    } else {
        format!(": {}", all.iter().map(one).collect::<Vec<_>>().join(", "))
    }
}

/// What the checks came to: undecided ones with their reasons, the others by their number.
fn outcomes(shown: &Shown, page: &mut Page) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for looked in &shown.checks {
        *counts.entry(&looked.outcome).or_default() += 1;
    }
    page.title("Checks");
    let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    page.paragraph(2, &counts.join(", "));
    for looked in &shown.checks {
        if let Some(reason) = looked.reason.as_ref().filter(|_| looked.outcome != "finding") {
            page.item("-", 1, &format!("{}: {}: {reason}", looked.check, looked.outcome));
        }
    }
}
