//! `tancheck paste`: judges text that may hold secrets, from stdin, without keeping any of it.

use super::engine::When;
use super::output::{BAD, FAINT, GOOD, HEADING, Printer, WARNING, json};
use super::run::Workers;
use super::site::Site;
use super::stop::{INCOMPLETE, OK, Stop};
use super::text::{item, wrapped};
use super::{Global, engine};
use crate::calendar::day;
use crate::hint::hint;
use crate::paste;
use crate::plugins::Installed;
use crate::run::judge::{Guest, Guests};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal;
use tancheck_plugin_api::facts::{Body, Supplied};
use tancheck_plugin_api::manifest::{Check, Input, Remedy, Request};
use tancheck_plugin_api::records::pasted::PastedBlock;
use tancheck_plugin_api::wire::{Inspection, Judgement};
use tancheck_plugin_api::{Outcome, Severity};

/// Findings.
const FOUND: u8 = 1;

/// Judges text that may hold secrets: from stdin, without storing, logging or repeating any of it
#[derive(Debug, Args)]
#[command(after_help = "\
Only facts about its blocks are judged: which there are, whether they are whole, what a certificate says. The text itself
does not leave this program, not even to a plugin, and is forgotten when it ends.

Examples:
  tancheck paste direct-connect.zone-proxy-payload < PROVISION.txt
  ssh zone-server cat PROVISION.txt | tancheck paste direct-connect.zone-proxy-payload -o json

Exit codes: 0 all is well, 1 findings, 2 usage, or nothing to read, 3 a check could not decide.")]
pub(super) struct Arguments {
    /// The input that the text is for
    #[arg(value_name = "INPUT")]
    input: String,
    /// The time to judge for, instead of now
    #[arg(long, value_name = "TIME", value_parser = engine::when)]
    now: Option<When>,
}

/// What `tancheck paste -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The input.
    input: String,
    /// What was in the text; never the text.
    #[schemars(with = "Vec<serde_json::Value>")]
    blocks: Vec<PastedBlock>,
    /// The checks that read it.
    checks: Vec<Row>,
}

/// One check.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Row {
    /// Its id.
    id: String,
    /// The good state.
    title: String,
    /// What it came to.
    outcome: String,
    /// Why it could not decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What is wrong.
    findings: Vec<Found>,
    /// Remarks.
    notes: Vec<String>,
}

/// What is wrong.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Found {
    /// How bad it is.
    severity: String,
    /// What it is about.
    subject: String,
    /// What was seen.
    says: String,
    /// What to do, step by step.
    steps: Vec<String>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = Site::open(global)?;
    let (plugin, input, known) = wanted(&site, &arguments.input)?;
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let message = format!("pipe the text in: tancheck paste {} < FILE", input.id);
        return Err(Stop::Usage(message));
    }
    let refused = |error: paste::PasteError| Stop::Usage(error.to_string());
    let bytes = paste::piped(stdin, site.layers.limits().stdin_timeout).map_err(refused)?;
    let blocks = paste::blocks(&bytes, known).map_err(refused)?;
    let zone = site.layers.zone();
    let now = engine::now(arguments.now, &zone);
    let rows = super::runtime()?.block_on(judged(&site, plugin, input, &blocks, now))?;
    let document = Document { format: 1, input: input.id.clone(), blocks, checks: rows };
    printer.print(|format| match format {
        "json" => json(&document),
        _ => Ok(told(&document, &zone)),
    })?;
    let has = |outcome: Outcome| document.checks.iter().any(|row| row.outcome == outcome.name());
    let all_pass = document.checks.iter().all(|row| row.outcome == Outcome::Pass.name());
    Ok(match (has(Outcome::Finding), all_pass) {
        (true, _) => FOUND,
        (false, true) => OK,
        (false, false) => INCOMPLETE,
    })
}

/// A plugin, its input that takes pasted text, and the bodies that it knows.
type Wanted<'a> = (&'a Installed, &'a Input, &'a [(String, String)]);

/// The input of this name that takes pasted text, and the bodies that it knows.
fn wanted<'a>(site: &'a Site, name: &str) -> Result<Wanted<'a>, Stop> {
    let all = || {
        site.catalog.installed.iter().flat_map(|one| {
            one.manifest.inputs.iter().filter_map(move |input| {
                input.sources.iter().find_map(|source| match &source.request {
                    Request::Pasted { known, .. } => Some((one, input, known.as_slice())),
                    _ => None,
                })
            })
        })
    };
    let found = all().find(|(_, input, _)| input.id == name);
    found.ok_or_else(|| {
        let ids: Vec<&str> = all().map(|(_, input, _)| input.id.as_str()).collect();
        let hint = hint(name, ids.iter().copied());
        let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        Stop::Usage(format!("no text is pasted for {name:?}{hint}; known are {known}"))
    })
}

/// Judges every check that reads the input, in a worker as ever. What the plugin prints is not shown: nothing of it is
/// needed, and nothing may be repeated.
async fn judged(
    site: &Site,
    plugin: &Installed,
    input: &Input,
    blocks: &[PastedBlock],
    now: Timestamp,
) -> Result<Vec<Row>, Stop> {
    let limits = site.layers.limits();
    let workers = Workers { limits: &limits };
    let rows = blocks.iter().map(|block| serde_json::to_value(block).expect("a block is plain data"));
    let supplied = Supplied {
        source: "pasted".to_owned(),
        request: "stdin".to_owned(),
        at: now,
        gaps: Vec::new(),
        body: Body::Rows(rows.collect()),
    };
    let inputs = BTreeMap::from([(input.id.clone(), supplied)]);
    let checks =
        plugin.manifest.checks.iter().filter(|check| check.judged && check.inputs.contains(&input.id));
    let mut rows = Vec::new();
    for check in checks {
        let inspection = Inspection {
            check: check.id.clone(),
            now,
            settings: serde_json::Map::new(),
            inputs: inputs.clone(),
            subject: None,
        };
        let mut guest = workers.start(plugin).await.map_err(|failed| Stop::Internal(failed.sentence))?;
        let row = match guest.inspect(&inspection).await {
            Ok(judgement) => row(check, judgement),
            Err(failed) => Row {
                reason: Some(failed.sentence),
                outcome: failed.outcome.name().to_owned(),
                ..empty(check)
            },
        };
        let _ = guest.stop().await;
        rows.push(row);
    }
    Ok(rows)
}

fn empty(check: &Check) -> Row {
    Row {
        id: check.id.clone(),
        title: check.title.clone(),
        outcome: Outcome::Pass.name().to_owned(),
        reason: None,
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

fn row(check: &Check, judgement: Judgement) -> Row {
    let outcome = match &judgement.undecided {
        _ if !judgement.report.findings.is_empty() => Outcome::Finding,
        Some(undecided) => undecided.outcome,
        None => Outcome::Pass,
    };
    let mut findings: Vec<(Severity, Found)> = judgement
        .report
        .findings
        .into_iter()
        .map(|finding| {
            let severity = finding.severity.unwrap_or(check.severity);
            let mut values = finding.values;
            values.insert("subject".to_owned(), finding.subject.name.clone());
            let steps =
                check.remedy.as_ref().map(|remedy| steps(&remedy.filled(&values))).unwrap_or_default();
            let severity_name = severity.name().to_owned();
            (
                severity,
                Found { severity: severity_name, subject: finding.subject.name, says: finding.says, steps },
            )
        })
        .collect();
    findings.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    Row {
        outcome: outcome.name().to_owned(),
        reason: judgement.undecided.map(|undecided| undecided.reason),
        findings: findings.into_iter().map(|(_, found)| found).collect(),
        notes: judgement.report.notes,
        ..empty(check)
    }
}

fn steps(remedy: &Remedy) -> Vec<String> {
    remedy.steps.iter().map(crate::report::text::one_step).collect()
}

fn told(document: &Document, zone: &TimeZone) -> String {
    let mut text = String::new();
    for block in &document.blocks {
        let _ = writeln!(text, "{}", described(block, zone));
    }
    for row in &document.checks {
        let (mark, style) = match row.outcome.as_str() {
            "pass" => ("✓", GOOD),
            "finding" => ("✗", BAD),
            _ => ("?", WARNING),
        };
        let _ = writeln!(text, "\n{style}{mark}{style:#} {HEADING}{}{HEADING:#}  {}", row.id, row.title);
        for note in row.notes.iter().chain(&row.reason) {
            text.push_str(&wrapped(note, 2));
        }
        for found in &row.findings {
            text.push_str(&wrapped(&format!("{}: {}: {}", found.severity, found.subject, found.says), 2));
        }
        if let Some(found) = row.findings.first() {
            for (number, step) in (1..).zip(&found.steps) {
                text.push_str(&item(number, step, 4));
            }
        }
    }
    let _ = writeln!(text, "\n{FAINT}Nothing of the text was stored.{FAINT:#}");
    text
}

/// A block in one line.
fn described(block: &PastedBlock, zone: &TimeZone) -> String {
    if block.label.is_empty() {
        return format!("line {:3}  text outside of blocks", block.line);
    }
    let size = match block.bytes {
        Some(bytes) => format!("{bytes} bytes"),
        None => format!("{} characters that are no base64", block.characters),
    };
    let end = if block.ended { "" } else { ", without its last line" };
    let known = if block.known.is_empty() { String::new() } else { format!(", equals {}", block.known) };
    let certificate = block.certificate.as_ref().map(|certificate| {
        if !certificate.unreadable.is_empty() {
            return ", no certificate".to_owned();
        }
        let bits = certificate.key_bits.map(|bits| format!(" {bits}")).unwrap_or_default();
        let until = certificate.not_after.map(|end| format!(", until {}", day(end, zone)));
        format!(", {}{bits}{}", certificate.key, until.unwrap_or_default())
    });
    format!("line {:3}  {}: {size}{end}{known}{}", block.line, block.label, certificate.unwrap_or_default())
}
