//! `tancheck waive` and `tancheck waivers`: findings that somebody answers for, in a file that can be reviewed.

use super::engine::When;
use super::output::{BAD, FAINT, GOOD, Printer, WARNING, to_stderr};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, engine, said, text};
use crate::calendar::date_of;
use crate::config::Config;
use crate::files;
use crate::hint::hint;
use crate::history::{Open, Store};
use crate::run::document::{Affected, CheckResult, Finding, Subject};
use crate::run::waiver::{self, Ground, State, Triage, Use};
use clap::Args;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::{Kind, Outcome, Severity};

/// Waives a finding: it stays visible and counted, and does not make a run fail
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck waive tc1:0f3c… --owner ann --until 2026-09-30 --reason \"replaced in September\"
  tancheck waive connect.failed-connections --subject 7 --owner ann --until 2026-09-30 --reason \"…\"
  tancheck waive health-check.tpan-medium --subject 3fa1 --triage no-action --owner ann --until 2026-12-31 --reason \"…\"

The waiver is written to waivers.toml beside the configuration. It ends by its date, when the finding gets worse, and
when it is fixed. `tancheck waivers` lists all.")]
pub(super) struct Arguments {
    /// The finding: its id from a report (tc1:…), or its check, with --subject
    #[arg(value_name = "FINDING")]
    finding: String,
    /// The subject's key, where a check is named
    #[arg(long, value_name = "KEY")]
    subject: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The last day on which it counts
    #[arg(long, value_name = "DATE", value_parser = engine::when)]
    until: Option<When>,
    /// What was decided; no-action is for findings below high
    #[arg(long, value_enum)]
    triage: Option<Triage>,
    /// The time that counts as now, for tests
    #[arg(long, value_name = "TIME", value_parser = engine::when, hide = true)]
    now: Option<When>,
}

/// Lists waivers: what they are about, until when, and which have ended or match nothing
#[derive(Debug, Args)]
pub(super) struct Listing {
    /// The time that counts as now, for tests
    #[arg(long, value_name = "TIME", value_parser = engine::when, hide = true)]
    now: Option<When>,
}

/// What `waive -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Given {
    /// The version of this document's format.
    format: u32,
    /// The file.
    file: String,
    /// The fingerprint of the finding.
    finding: String,
    /// The check.
    check: String,
    /// The subject's key.
    subject: String,
    /// Who answers for it.
    owner: String,
    /// The last day on which it counts.
    until: Option<String>,
}

/// What `waivers -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The file; `null` where there is no place for one.
    file: Option<String>,
    /// The waivers, in the order of the file.
    waivers: Vec<Use>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = Site::open(global)?;
    let config = site.layers.config(&site.manifests())?;
    let Some(path) = config.places.waivers.clone() else {
        let message =
            "there is no configuration file to keep waivers beside: name a place with places.waivers";
        return Err(Stop::Usage(message.to_owned()));
    };
    let store = engine::history(&config)?;
    let open = named(&store, &site, &arguments)?;
    let zone = &config.calendar.zone;
    let today = date_of(engine::now(arguments.now, zone), zone);
    let until = arguments.until.map(|until| date_of(until.at(zone), zone));
    fits(&arguments, &config, &open, until, today)?;
    let owner = said::name(arguments.owner.as_deref(), global)?;
    let entry = entry(&arguments, &open, &owner, until, today);
    append(&path, &entry, &site, &config)?;
    let given = Given {
        format: 1,
        file: path.display().to_string(),
        finding: open.fingerprint.clone(),
        check: open.check.clone(),
        subject: open.key.clone(),
        owner,
        until: until.map(|until| until.to_string()),
    };
    if !global.output.is_empty() {
        printer.document(&given, || entry.clone())?;
    } else if !global.quiet {
        let end = until.map(|until| format!(" until {until}")).unwrap_or_default();
        to_stderr(&format!(
            "{}: {} is waived by {}{end}, in {}",
            open.check, open.name, given.owner, given.file
        ));
    }
    Ok(OK)
}

/// The one finding that was meant.
fn named(store: &Store, site: &Site, arguments: &Arguments) -> Result<Open, Stop> {
    let all = store.open_findings().map_err(|error| Stop::Internal(error.to_string()))?;
    let wanted = &arguments.finding;
    if wanted.starts_with("tc1:") {
        let mut fitting = all.iter().filter(|one| one.fingerprint.starts_with(wanted.as_str()));
        return match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one.clone()),
            (Some(_), Some(_)) => {
                Err(Stop::Usage(format!("{wanted} is the beginning of several ids; give all of it")))
            }
            (None, _) => Err(Stop::Usage(format!(
                "the last runs found nothing with the id {wanted}; `tancheck run` shows the ids of findings"
            ))),
        };
    }
    let (_, check) = site.check(wanted)?;
    let of_check: Vec<&Open> =
        all.iter().filter(|one| one.check == check.id || check.aliases.contains(&one.check)).collect();
    let Some(key) = &arguments.subject else {
        return Err(Stop::Usage(format!(
            "a whole check is too much to waive: name one subject with --subject{}",
            listed(&of_check)
        )));
    };
    let mut fitting = of_check.iter().filter(|one| one.key == *key);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok((*one).clone()),
        (Some(one), Some(other)) => Err(Stop::Usage(format!(
            "two subjects of {} have the key {key}: name one by its id, {} ({}) or {} ({})",
            check.id, one.fingerprint, one.kind, other.fingerprint, other.kind
        ))),
        (None, _) => {
            let hint = hint(key, of_check.iter().map(|one| one.key.as_str()));
            let listed = if hint.is_empty() { listed(&of_check) } else { hint };
            Err(Stop::Usage(format!("{} has no finding on {key:?}{listed}", check.id)))
        }
    }
}

fn listed(of_check: &[&Open]) -> String {
    const SHOWN: usize = 10;
    if of_check.is_empty() {
        return "; its last run found nothing".to_owned();
    }
    let names: Vec<String> =
        of_check.iter().take(SHOWN).map(|one| format!("{} ({})", one.key, one.name)).collect();
    let more = of_check.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("; it found {}{more}", names.join(", "))
}

fn fits(
    arguments: &Arguments,
    config: &Config,
    open: &Open,
    until: Option<Date>,
    today: Date,
) -> Result<(), Stop> {
    let refuse = |message: String| Err(Stop::Usage(message));
    if arguments.reason.trim().is_empty() || arguments.reason.contains('\n') {
        return refuse("say why with --reason, in one line".to_owned());
    }
    match until {
        None if config.waivers.until_required => {
            return refuse(
                "say when it ends with --until DATE (waivers.until_required = false allows it without)"
                    .to_owned(),
            );
        }
        Some(until) if until < today => return refuse(format!("--until {until} is over: today is {today}")),
        _ => {}
    }
    match (arguments.triage, open.severity) {
        (Some(Triage::NoAction), Some(severity)) if severity >= Severity::High => refuse(format!(
            "{} is {severity}: no action is no answer to that; decide between resolve and investigate",
            open.check
        )),
        (None, None) => refuse(format!(
            "{} awaits a person: attest it with `tancheck attest {0} --subject {1}`, or decide with --triage",
            open.check, open.key
        )),
        _ => Ok(()),
    }
}

/// The waiver as it is written: people review it, so it says in a comment what it is about.
fn entry(arguments: &Arguments, open: &Open, owner: &str, until: Option<Date>, today: Date) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let comment: String = format!("{} · {}: {}", open.check, open.name, open.says)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let mut out = format!("\n# {}\n[[waiver]]\n", comment.trim_end_matches([':', ' ']));
    let mut line = |key: &str, value: String| writeln!(out, "{key} = {value}").expect("a string grows");
    line("check", quoted(&open.check));
    line("finding", quoted(&open.fingerprint));
    line("subject", quoted(&open.key));
    line("owner", quoted(owner));
    line("reason", quoted(arguments.reason.trim()));
    line("since", today.to_string());
    if let Some(until) = until {
        line("until", until.to_string());
    }
    if let Some(severity) = open.severity {
        line("severity", quoted(severity.name()));
    }
    if let Some(affected) = open.affected {
        line("affected", affected.to_string());
    }
    if let Some(triage) = arguments.triage {
        line("triage", quoted(triage.name()));
    }
    out
}

const PREAMBLE: &str =
    "# Findings that somebody answers for, each for a while and for a reason. `tancheck waive` adds to it.\n";

/// Appends to the file: whole or not at all, one writer after the other, and only what can be read again.
fn append(path: &Path, entry: &str, site: &Site, config: &Config) -> Result<(), Stop> {
    let failed = |error: std::io::Error| {
        Stop::Usage(format!("failed to write the waivers {}: {error}", path.display()))
    };
    let _lock = files::lock_beside(path).map_err(failed)?;
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => PREAMBLE.to_owned(),
        Err(error) => return Err(failed(error)),
    };
    let text = format!("{}\n{entry}", before.trim_end());
    waiver::parse(path, &text, config.waivers, &site.manifests(), &site.refused())?;
    files::write(path, None, |to| to.write_all(text.as_bytes())).map_err(failed)
}

pub(super) fn list(arguments: Listing, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = Site::open(global)?;
    let config = site.layers.config(&site.manifests())?;
    let waivers = engine::waivers(&site, &config)?;
    let store = engine::history(&config)?;
    let mut checks = known(&store, &site)?;
    let aliases: BTreeMap<String, Vec<String>> =
        site.checks().map(|(_, check)| (check.id.clone(), check.aliases.clone())).collect();
    let ground = Ground {
        waivers: &waivers,
        rules: config.waivers,
        now: engine::now(arguments.now, &config.calendar.zone),
        zone: &config.calendar.zone,
        aliases: &aliases,
        history: Some(&store),
    };
    let uses = waiver::apply(&ground, &mut checks);
    let file = config.places.waivers.as_ref().map(|path: &PathBuf| path.display().to_string());
    let document = Document { format: 1, file, waivers: uses };
    printer.document(&document, || written(&document))?;
    Ok(OK)
}

/// What the last runs found, as far as waivers look at it.
fn known(store: &Store, site: &Site) -> Result<Vec<CheckResult>, Stop> {
    let failed = |error: crate::history::HistoryError| Stop::Internal(error.to_string());
    let latest = store.latest().map_err(failed)?;
    let open = store.open_findings().map_err(failed)?;
    let mut checks = Vec::new();
    for (plugin, check) in site.checks() {
        let outcome = latest.get(&check.id).map(String::as_str);
        let outcome = Outcome::ALL.into_iter().find(|one| Some(one.name()) == outcome);
        let mut result = CheckResult::undecided(check, &plugin.manifest.id);
        result.saw_everything =
            outcome.is_some_and(|outcome| outcome.is_decided() || outcome == Outcome::AttestationDue);
        for one in open.iter().filter(|one| one.check == check.id) {
            let finding = as_finding(one, check.severity);
            match one.severity {
                None if check.kind != Kind::Automated => result.awaiting.push(finding),
                _ => result.findings.push(finding),
            }
        }
        checks.push(result);
    }
    Ok(checks)
}

fn as_finding(open: &Open, usual: Severity) -> Finding {
    let subject = Subject { kind: open.kind.clone(), key: open.key.clone(), name: open.name.clone() };
    let severity = open.severity.unwrap_or(usual);
    Finding {
        affected: open.affected.map(|count| Affected { count, ..Affected::default() }),
        ..Finding::new(open.fingerprint.clone(), severity, subject, open.says.clone())
    }
}

fn written(document: &Document) -> String {
    let file = document.file.as_deref().unwrap_or("no file");
    if document.waivers.is_empty() {
        return format!("{FAINT}no waivers in {file}{FAINT:#}\n");
    }
    let mut out = format!("{FAINT}{file}{FAINT:#}\n\n");
    let rows: Vec<Vec<String>> = document
        .waivers
        .iter()
        .map(|one| {
            let line = one.place.rsplit(':').nth(1).unwrap_or_default().to_owned();
            let says = if one.says.is_empty() { String::new() } else { one.says.clone() };
            vec![
                line,
                one.check.clone(),
                one.owner.clone(),
                word(one.state).to_owned(),
                one.findings.to_string(),
                says,
            ]
        })
        .collect();
    out.push_str(&text::table(&["line", "check", "owner", "state", "findings", "remark"], &rows));
    let count = |is: fn(State) -> bool| document.waivers.iter().filter(|one| is(one.state)).count();
    let ended =
        count(|state| matches!(state, State::Expired | State::Worse | State::Returned | State::Stale));
    let ending = count(|state| state == State::Ending);
    let style = if ended > 0 {
        BAD
    } else if ending > 0 {
        WARNING
    } else {
        GOOD
    };
    writeln!(
        out,
        "\n{style}{} waivers, {ending} end soon, {ended} do not count any more{style:#}",
        document.waivers.len()
    )
    .expect("a string grows");
    out
}

const fn word(state: State) -> &'static str {
    match state {
        State::Applied => "in force",
        State::Ending => "ends soon",
        State::Expired => "expired",
        State::Worse => "ended: worse",
        State::Returned => "ended: came back",
        State::Stale => "stale",
        State::NotLookedAt => "not looked at",
    }
}
