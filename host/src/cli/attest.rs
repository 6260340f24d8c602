//! `tancheck attest`: records a person's word about a task, or about one subject that a check lists.

use super::output::to_stderr;
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, ask, engine};
use crate::hint::hint;
use crate::history::{Listed, Store};
use crate::run::attested::{self, About, Attestation, EvidenceFile, Verdict};
use crate::run::identity::hex;
use crate::run::outcome::day;
use clap::Args;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::Kind;
use tancheck_plugin_api::manifest::Check;

/// Records that a person did a task
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck attest health-check.service-review --result done --by ann
  tancheck attest connect.failed-report-routed --result problem --by ann --note \"nobody reads it\"
  tancheck attest connect.owner-password-policy --subject 7 --result done --by ann --evidence ticket.pdf")]
pub(super) struct Arguments {
    /// The check; `tancheck run` lists the tasks that are due
    #[arg(value_name = "TASK")]
    task: String,
    /// One subject that the check lists, by its key or fingerprint; without it, the check as a whole
    #[arg(long, value_name = "KEY")]
    subject: Option<String>,
    /// What was found
    #[arg(long, value_enum)]
    result: Option<Verdict>,
    /// Who found it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// A remark
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// A file that proves it; its name and hash are kept, the file itself is not
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Until when it counts, instead of the check's own period
    #[arg(long, value_name = "DATE", value_parser = engine::time)]
    valid_until: Option<Timestamp>,
    /// When it was found, if not now
    #[arg(long, value_name = "TIME", value_parser = engine::time)]
    at: Option<Timestamp>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let site = Site::open(global)?;
    let config = site.layers.config(&site.manifests())?;
    let (plugin, check) = site.check(&arguments.task)?;
    if check.kind == Kind::Automated {
        let tasks: Vec<&str> = tasks(&site).collect();
        let hint = hint(&arguments.task, tasks);
        return Err(Stop::Usage(format!(
            "{} is decided by what is seen, and nothing a person says changes that{hint}",
            check.id
        )));
    }
    let store = engine::history(&config)?;
    let about = match &arguments.subject {
        Some(subject) => Some(listed(&store, check, subject)?),
        None => None,
    };
    let result = result(&arguments, global)?;
    if about.is_some() && result == Verdict::NotApplicable {
        let message = "not-applicable is about a whole task; a subject is done, or has a problem";
        return Err(Stop::Usage(message.to_owned()));
    }
    let at = arguments.at.unwrap_or_else(engine::this_second);
    if let Some(end) = arguments.valid_until.filter(|end| *end <= at) {
        return Err(Stop::Usage(format!("--valid-until {} is not after {}", day(end), day(at))));
    }
    let attestation = Attestation {
        task: check.id.clone(),
        about,
        result,
        by: name(arguments.by.as_deref(), global)?,
        at,
        valid_until: arguments.valid_until,
        note: arguments.note.trim().to_owned(),
        evidence: arguments.evidence.as_deref().map(evidence).transpose()?,
    };
    store.attest(&attestation).map_err(|error| Stop::Internal(error.to_string()))?;
    if !global.quiet {
        let settings = site.layers.settings(&plugin.manifest);
        let days = attested::valid_days(&plugin.manifest, check, &settings);
        let subject = arguments.subject.map(|subject| format!(" (subject {subject})")).unwrap_or_default();
        let until = day(attestation.until(days));
        to_stderr(&format!("{}{subject}: {} by {}, until {until}", check.id, result.name(), attestation.by));
    }
    Ok(OK)
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
    if !global.can_ask() {
        return Err(Stop::Usage("say --result done, problem or not-applicable".to_owned()));
    }
    let said = ask::line("Result (done, problem, not-applicable):")?;
    let all = [Verdict::Done, Verdict::Problem, Verdict::NotApplicable];
    all.into_iter()
        .find(|one| one.name() == said)
        .ok_or_else(|| Stop::Usage(format!("{said:?} is none of done, problem, not-applicable")))
}

/// Who says it: the flag, or the person at the terminal.
pub(super) fn name(flag: Option<&str>, global: &Global) -> Result<String, Stop> {
    let said = match flag {
        Some(name) => name.to_owned(),
        None if global.can_ask() => ask::line("Your name:")?,
        None => String::new(),
    };
    match said.trim() {
        "" => Err(Stop::Usage("say who it is with --by NAME".to_owned())),
        name => Ok(name.to_owned()),
    }
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
