//! `tancheck attest`: records a person's word about a task, or about one subject that a check lists.

use super::output::{HEADING, Printer, to_stderr};
use super::said::{self, Said};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, ask, engine, text};
use crate::calendar::{Task, date_of, moment};
use crate::hint::hint;
use crate::history::{Listed, Store};
use crate::report::text::one_step;
use crate::run::attested::{self, About, Attestation, EvidenceFile, Verdict};
use crate::run::identity::hex;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::Kind;
use tancheck_plugin_api::manifest::Check;

/// Records that a person did a task
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck attest health-check.service-review                    shows the steps, and asks
  tancheck attest health-check.service-review --result done --by ann
  tancheck attest connect.failed-report-routed --result problem --by ann --note \"nobody reads it\"
  tancheck attest connect.owner-password-policy --subject 7 --result done --by ann --evidence ticket.pdf
  tancheck attest appliance.grub-key-backup-current --result needed --by ann --note \"the password was changed\"
  tancheck attest connect.owner-active --result needed --by ann --note \"bob has left\"    a run looks at it

What was said is never changed: whoever attests again is heard last, and `--result withdrawn` takes back a mistake.")]
pub(super) struct Arguments {
    /// The check; `tancheck due` lists the tasks that are due
    #[arg(value_name = "TASK")]
    task: String,
    /// Only shows the steps
    #[arg(long, conflicts_with_all = ["result", "by", "evidence", "valid_until", "at", "second"])]
    steps: bool,
    /// One subject that the check lists, by its key or fingerprint; without it, the check as a whole
    #[arg(long, value_name = "KEY")]
    subject: Option<String>,
    /// What was found; needed: an event calls for the task; withdrawn: what was said before was a mistake
    #[arg(long, value_enum)]
    result: Option<Verdict>,
    /// A second person, who confirms it
    #[arg(long, value_name = "NAME")]
    second: Option<String>,
    /// A remark; every result but `done` needs one
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A file that proves it; its name and hash are kept, the file itself is not
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    said: Said,
}

/// What `attest -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The number of the entry in the log.
    entry: i64,
    /// The check.
    task: String,
    /// The key of the subject; `null`: the check as a whole.
    subject: Option<String>,
    /// What was found.
    #[schemars(with = "String")]
    result: Verdict,
    /// Who.
    by: String,
    /// The second person.
    second: Option<String>,
    /// When.
    #[schemars(with = "String")]
    at: Timestamp,
    /// The day on which it comes due again; `null` where nothing but an event ends it.
    due: Option<String>,
    /// SHA-256 of the file that proves it.
    evidence: Option<String>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = Site::open(global)?;
    let config = site.layers.config(&site.manifests())?;
    let (plugin, check) = site.check(&arguments.task)?;
    let settings = site.layers.settings(&plugin.manifest);
    let task = config.calendar.task(&plugin.manifest, check, &settings);
    if arguments.steps {
        printer.print(|format| match format {
            "json" => super::output::json(&check.remedy),
            _ => Ok(steps(&task)),
        })?;
        return Ok(OK);
    }
    let zone = &config.calendar.zone;
    let now = arguments.said.now(zone);
    // An event can call for whatever a run looks at; the rest of it nobody can say.
    let calls = matches!(arguments.result, Some(Verdict::Needed | Verdict::Withdrawn));
    if check.kind == Kind::Automated && (!calls || arguments.subject.is_some()) {
        return Err(not_by_hand(&site, check, &arguments.task));
    }
    let store = engine::history(&config)?;
    if check.kind == Kind::Automated && arguments.result == Some(Verdict::Withdrawn) {
        let all = store.attestations().map_err(|error| Stop::Internal(error.to_string()))?;
        if attested::open_call(&all, check, now).is_none() {
            return Err(Stop::Usage(format!(
                "nothing calls for {}, so there is nothing to withdraw",
                check.id
            )));
        }
    }
    if arguments.result.is_none() && global.can_ask() {
        to_stderr(&steps(&task));
    }
    let about = match &arguments.subject {
        Some(subject) => Some(listed(&store, check, subject)?),
        None => None,
    };
    let at = said::seen(arguments.said.at, now, zone).map_err(Stop::Usage)?;
    let attestation = word(&arguments, &task, about, at, global, zone)?;
    let later = in_time(&store, &arguments, &attestation, (now, zone))?;
    let entry = store.attest(&attestation).map_err(|error| Stop::Internal(error.to_string()))?;
    let due = due(&attestation, &task, zone);
    if !global.output.is_empty() {
        let document = Document {
            format: 1,
            entry,
            task: attestation.task.clone(),
            subject: attestation.about.as_ref().map(|about| about.key.clone()),
            result: attestation.result,
            by: attestation.by.clone(),
            second: attestation.second.clone(),
            at,
            due: due.clone(),
            evidence: attestation.evidence.as_ref().map(|file| file.sha256.clone()),
        };
        printer.document(&document, || told(&attestation, due.as_deref()) + "\n")?;
    } else if !global.quiet {
        to_stderr(&told(&attestation, due.as_deref()));
    }
    if let Some(later) = later {
        let on = moment(later.at, zone);
        to_stderr(&format!("it is kept, but what {} said later, on {on}, still counts", later.by));
    }
    Ok(OK)
}

/// What the person said, by the same rules for flags and for answers at the terminal.
fn word(
    arguments: &Arguments,
    task: &Task<'_>,
    about: Option<About>,
    at: Timestamp,
    global: &Global,
    zone: &TimeZone,
) -> Result<Attestation, Stop> {
    let result = result(arguments, global)?;
    if about.is_some() && matches!(result, Verdict::NotApplicable | Verdict::Needed) {
        let message = format!(
            "{} is about a whole task; a subject is done, has a problem, or what was said of it is withdrawn",
            result.name()
        );
        return Err(Stop::Usage(message));
    }
    let valid_until = arguments.said.valid_until().map(|end| end.at(zone));
    if let Some(end) = valid_until.filter(|end| *end <= at) {
        let (end, at) = (date_of(end, zone), date_of(at, zone));
        return Err(Stop::Usage(format!("--valid-until {end} is not after {at}")));
    }
    let asks = arguments.result.is_none() && global.can_ask();
    let note = match &arguments.note {
        Some(note) => note.trim().to_owned(),
        None if asks => ask::line("Remark:")?,
        None => String::new(),
    };
    if note.is_empty() && result.needs_note() {
        let message = format!("say why with --note: {} means nothing without a reason", result.name());
        return Err(Stop::Usage(message));
    }
    let by = arguments.said.by(global)?;
    let second = second(arguments, task, result, &by, global)?;
    let evidence = arguments.evidence.as_deref().map(evidence).transpose()?;
    let task = task.check.id.clone();
    Ok(Attestation { task, about, result, by, second, at, valid_until, note, evidence })
}

/// The second person, where one was named or the site wants one.
fn second(
    arguments: &Arguments,
    task: &Task<'_>,
    result: Verdict,
    by: &str,
    global: &Global,
) -> Result<Option<String>, Stop> {
    let is_wanted = task.second_person && matches!(result, Verdict::Done | Verdict::NotApplicable);
    let said = match &arguments.second {
        Some(name) => name.trim().to_owned(),
        None if is_wanted && global.can_ask() => ask::line("Name of the second person:")?,
        None => String::new(),
    };
    if said.eq_ignore_ascii_case(by) {
        return Err(Stop::Usage(format!("the second person is {by} as well: it has to be somebody else")));
    }
    match said.as_str() {
        "" if is_wanted => {
            let message =
                format!("{} needs a second person here: name one with --second NAME", task.check.id);
            Err(Stop::Usage(message))
        }
        "" => Ok(None),
        name => Ok(Some(name.to_owned())),
    }
}

/// Refuses a word that a clock that went back would hide behind an earlier one. Returns a later word that hides this
/// one, where the person said when it was.
fn in_time(
    store: &Store,
    arguments: &Arguments,
    word: &Attestation,
    (now, zone): (Timestamp, &TimeZone),
) -> Result<Option<Attestation>, Stop> {
    let all = store.attestations().map_err(|error| Stop::Internal(error.to_string()))?;
    let fingerprint = |one: &Attestation| one.about.as_ref().map(|about| about.fingerprint.clone());
    let is_same = |one: &&Attestation| one.task == word.task && fingerprint(one) == fingerprint(word);
    let later =
        all.into_iter().filter(|one| is_same(&one)).filter(|one| one.at > word.at).max_by_key(|one| one.at);
    match (later, arguments.said.at) {
        (Some(later), None) => Err(Stop::Usage(format!(
            "{} attested {} on {}, which is later than now ({}): check the clock, or say --at when this was found",
            later.by,
            later.task,
            moment(later.at, zone),
            moment(now, zone)
        ))),
        (later, _) => Ok(later),
    }
}

/// The day on which a word comes due again.
fn due(word: &Attestation, task: &Task<'_>, zone: &TimeZone) -> Option<String> {
    if !crate::calendar::status::is_done(word.result) {
        return Some(date_of(word.at, zone).to_string());
    }
    let own = word.valid_until.map(|end| date_of(end, zone));
    own.or_else(|| task.word.after(date_of(word.at, zone))).map(|date| date.to_string())
}

fn told(word: &Attestation, due: Option<&str>) -> String {
    let subject = word.about.as_ref().map(|about| format!(" (subject {})", about.key)).unwrap_or_default();
    let second = word.second.as_ref().map(|name| format!(" and {name}")).unwrap_or_default();
    let due = due.map(|due| format!(", due {due}")).unwrap_or_default();
    format!("{}{subject}: {} by {}{second}{due}", word.task, word.result.name(), word.by)
}

/// What a person is to do, as it stands in the report.
fn steps(task: &Task<'_>) -> String {
    let check = task.check;
    let mut out = format!("{HEADING}{}{HEADING:#}: {}\n", check.id, check.title);
    out.push_str(&text::wrapped(&check.what, 2));
    let Some(remedy) = &check.remedy else { return out };
    for (number, step) in remedy.steps.iter().enumerate() {
        out.push_str(&text::item(number + 1, &one_step(step), 2));
    }
    for caution in &remedy.cautions {
        out.push_str(&text::wrapped(&format!("Caution: {caution}"), 2));
    }
    if !remedy.who.is_empty() {
        out.push_str(&text::wrapped(&format!("Who: {}", remedy.who), 2));
    }
    out
}

fn not_by_hand(site: &Site, check: &Check, asked: &str) -> Stop {
    let tasks: Vec<&str> = tasks(site).collect();
    let hint = hint(asked, tasks);
    Stop::Usage(format!(
        "{} is decided by what is seen, and nothing a person says changes that{hint}; to have it looked at, say --result \
         needed --note WHY",
        check.id
    ))
}

/// The checks that have a human side.
fn tasks(site: &Site) -> impl Iterator<Item = &str> {
    site.checks().filter(|(_, check)| check.kind != Kind::Automated).map(|(_, check)| check.id.as_str())
}

/// The subject as the last run listed it, with the state that the word is bound to.
fn listed(store: &Store, check: &Check, subject: &str) -> Result<About, Stop> {
    let mut known = Vec::new();
    for id in std::iter::once(&check.id).chain(&check.aliases) {
        known.extend(store.listed(id).map_err(|error| Stop::Internal(error.to_string()))?);
    }
    let fits = |one: &&Listed| one.key == subject || one.fingerprint == subject;
    let mut fitting = known.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(About {
            fingerprint: one.fingerprint.clone(),
            kind: one.kind.clone(),
            key: one.key.clone(),
            state: one.state.clone(),
        }),
        (Some(one), Some(other)) => Err(Stop::Usage(format!(
            "two subjects of {} have the key {subject}: name one by its fingerprint, {} ({}) or {} ({})",
            check.id, one.fingerprint, one.kind, other.fingerprint, other.kind
        ))),
        (None, _) => Err(Stop::Usage(unknown_subject(check, subject, &known))),
    }
}

fn unknown_subject(check: &Check, subject: &str, known: &[Listed]) -> String {
    const SHOWN: usize = 10;
    if known.is_empty() {
        return format!(
            "the last run of {} listed no subjects; run it first: tancheck run --check {0}",
            check.id
        );
    }
    let names: Vec<String> =
        known.iter().take(SHOWN).map(|one| format!("{} ({})", one.key, one.name)).collect();
    let more = known.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let hint = hint(subject, known.iter().map(|one| one.key.as_str()));
    format!(
        "the last run of {} listed no subject {subject:?}{hint}; it listed {}{more}",
        check.id,
        names.join(", ")
    )
}

fn result(arguments: &Arguments, global: &Global) -> Result<Verdict, Stop> {
    if let Some(result) = arguments.result {
        return Ok(result);
    }
    let names = Verdict::ALL.map(Verdict::name).join(", ");
    if !global.can_ask() {
        return Err(Stop::Usage(format!("say --result: one of {names}; --steps shows what is to be done")));
    }
    let said = ask::line(&format!("Result ({names}):"))?;
    let found = Verdict::ALL.into_iter().find(|one| one.name() == said.trim());
    found.ok_or_else(|| Stop::Usage(format!("{said:?} is none of {names}")))
}

/// The name and hash of a file.
fn evidence(path: &Path) -> Result<EvidenceFile, Stop> {
    let failed = |error: std::io::Error| {
        Stop::Usage(format!("failed to read the evidence {}: {error}", path.display()))
    };
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(failed)?;
    let mut chunk = vec![0; 64 << 10];
    loop {
        match std::io::Read::read(&mut file, &mut chunk).map_err(failed)? {
            0 => break,
            length => hash.update(&chunk[..length]),
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(EvidenceFile { name, sha256: hex(&hash.finalize()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::engine::fakes::installed;
    use serde_json::json;

    #[test]
    fn an_unknown_subject_is_refused_with_what_is_there() {
        let plugin = installed("a", &[("a.b", json!({"kind": "hybrid"}))]);
        let check = &plugin.manifest.checks[0];
        let one = |key: &str| Listed {
            fingerprint: format!("tc1:{key}"),
            kind: "thing".to_owned(),
            key: key.to_owned(),
            name: format!("thing {key}"),
            state: None,
        };
        assert!(unknown_subject(check, "x", &[]).contains("run it first: tancheck run --check a.b"));
        let text = unknown_subject(check, "serverx", &[one("server1"), one("other")]);
        assert!(text.contains("did you mean") && text.contains("server1 (thing server1), other"), "{text}");
    }

    #[test]
    fn of_a_proof_name_and_hash_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ticket.txt");
        std::fs::write(&path, "abc").unwrap();
        let kept = evidence(&path).unwrap();
        assert_eq!(kept.name, "ticket.txt");
        assert_eq!(kept.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(evidence(&folder.path().join("none")).unwrap_err().to_string().contains("failed to read"));
    }
}
