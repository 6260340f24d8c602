//! Reports as a user sees them, and the schema that real output keeps to.

use super::output::{FORMATS, Format, Streams, Target, write_all};
use super::text::Look;
use super::*;
use crate::run::attested::Verdict;
use crate::run::document::{
    Absent, Attested, CheckResult, Confirmed, Evidence, Module, Noise, PluginUsed, Quarantined, Refused,
    Remedy,
};
use crate::run::engine::fakes::{NOW, finding_of, result, run_of};
use crate::run::exit::{self, Policy};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::fs;
use tancheck_plugin_api::{Kind, Outcome, Severity};

const LOOK: Look = Look { color: false, width: 100, details: true };

fn rendered(run: &Run, look: Look) -> String {
    let mut bytes = Vec::new();
    text::write(run, &look, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn exited(mut run: Run) -> Run {
    run.count();
    run.exit = exit::of(&run, &Policy::default(), Vec::new());
    run
}

fn healthy() -> Run {
    exited(run_of(vec![result("a.one", Outcome::Pass), result("b.two", Outcome::NotApplicable)]))
}

fn remedy() -> Remedy {
    let step = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    };
    Remedy {
        steps: vec![
            step(&[("do", "console"), ("path", "Modules > Connect > Connections"), ("text", "open thing 1")]),
            step(&[("do", "decision"), ("when", "it says 401"), ("then", "renew the secret")]),
            step(&[("do", "support"), ("text", "bring the log")]),
        ],
        cautions: vec!["A run sends all rows again.".to_owned()],
        who: "a Connect administrator".to_owned(),
        risk: "low".to_owned(),
        reversible: "yes".to_owned(),
        references: vec!["Connect User Guide".to_owned()],
        verify: "connect.failed".to_owned(),
    }
}

fn person() -> Attested {
    Attested {
        by: "ann".to_owned(),
        second: None,
        at: NOW.parse().unwrap(),
        until: "2026-07-30T12:00:00Z".parse().unwrap(),
        note: "on purpose".to_owned(),
    }
}

/// A run with one of everything.
fn troubled() -> Run {
    let mut failed = result("connect.failed", Outcome::Finding);
    let mut finding = finding_of("connect.failed", "1", Severity::Critical);
    finding.evidence.push(Evidence {
        input: "connect.connections".to_owned(),
        source: "service".to_owned(),
        request: "GET /plugin/products/connect/v1/connections".to_owned(),
        at: NOW.parse().unwrap(),
        value: json!({"status": "failed", "note": "x".repeat(300)}),
    });
    finding.remedy = Some(remedy());
    finding.confirmation = Some("what ann attested on 2025-06-30 expired on 2025-07-30".to_owned());
    failed.kind = Kind::Hybrid;
    failed.findings.push(finding);
    failed
        .confirmed
        .push(Confirmed { finding: finding_of("connect.failed", "9", Severity::High), attested: person() });
    failed.notes.push("computed, not read".to_owned());
    let mut many = result("patch.scans", Outcome::Finding);
    many.findings =
        (10..25).map(|key| finding_of("patch.scans", &key.to_string(), Severity::Medium)).collect();
    let mut task = result("rbac.review", Outcome::AttestationDue);
    task.kind = Kind::Attested;
    task.reason = Some("nobody has attested it yet".to_owned());
    task.task = Some(remedy());
    let mut checks = vec![failed, many, task];
    for number in 1..=5 {
        let mut closed = result(&format!("deploy.check-{number}"), Outcome::NoPermission);
        closed.reason = Some(
            "403 on GET /plugin/products/deploy/v1: ask for the privilege `deploy module read`".to_owned(),
        );
        checks.push(closed);
    }
    let mut crashed = result("asset.sources", Outcome::Crashed);
    crashed.reason = Some("it was killed by signal 11".to_owned());
    checks.push(crashed);
    checks.push(result("asset.fine", Outcome::Pass));
    let mut run = run_of(checks);
    run.checks.sort_by(|left, right| left.id.cmp(&right.id));
    run.problems.push("the licence cannot be read".to_owned());
    run.refused.push(Refused {
        path: "/plugins/x.so".to_owned(),
        id: Some("x".to_owned()),
        reason: "its hash is not pinned; `tancheck plugins trust /plugins/x.so` pins it".to_owned(),
    });
    run.absent.push(Absent { plugin: "reveal".to_owned(), reason: "Reveal is not imported".to_owned() });
    run.not_looked_at = vec![Module {
        name: "Trends".to_owned(),
        id: "01-890-0107".to_owned(),
        version: "3.1".to_owned(),
        plugin: None,
    }];
    run.quarantined
        .push(Quarantined { check: "asset.sources".to_owned(), reason: "it failed twice".to_owned() });
    run.noise.push(Noise { plugin: "asset".to_owned(), text: "hello".to_owned() });
    run.plugins.push(PluginUsed {
        id: "asset".to_owned(),
        title: "Asset".to_owned(),
        version: "0.1.0".to_owned(),
        api: "1.0.0".to_owned(),
        sha256: "00".repeat(32),
        checks: 2,
        sandbox: "weak: seccomp, without landlock".to_owned(),
    });
    exited(run)
}

#[test]
fn a_healthy_run_is_one_line() {
    insta::assert_snapshot!(rendered(&healthy(), LOOK));
}

#[test]
fn a_troubled_run_is_one_screen_and_the_details() {
    insta::assert_snapshot!(rendered(&troubled(), LOOK));
}

/// The troubled run, after an earlier one: with one of each change.
fn changed() -> Run {
    use crate::run::change::{Before, Change, Changes, Gone, Previous};
    let mut run = troubled();
    let mut changes = Changes {
        previous: Some(Previous { number: 16, at: "2026-06-23T12:00:00Z".parse().unwrap() }),
        outside: 1,
        ..Changes::default()
    };
    let mut given = Change::ALL.into_iter().chain(std::iter::repeat(Change::Unchanged));
    for finding in run.checks.iter_mut().flat_map(|check| &mut check.findings) {
        let change = given.next().unwrap();
        finding.before = match change {
            Change::Worse => Some(Before { severity: Severity::Low, affected: Some(3) }),
            Change::Better => Some(Before { severity: finding.severity, affected: Some(9) }),
            _ => None,
        };
        (finding.change, finding.last_seen) = (Some(change), Some(run.at));
        finding.first_seen = Some("2026-06-01T12:00:00Z".parse().unwrap());
        finding.times_seen = Some(5);
        changes.count(change);
    }
    let gone = |key: &str, reason: Option<&str>| {
        let finding = finding_of("deploy.check-1", key, Severity::High);
        Gone {
            fingerprint: finding.fingerprint,
            check: "deploy.check-1".to_owned(),
            subject: finding.subject,
            severity: finding.severity,
            says: finding.says,
            affected: None,
            before: None,
            first_seen: "2026-06-01T12:00:00Z".parse().unwrap(),
            last_seen: "2026-06-23T12:00:00Z".parse().unwrap(),
            times_seen: 4,
            reason: reason.map(str::to_owned),
        }
    };
    changes.fixed = vec![gone("7", None), gone("8", None)];
    changes.settled.push(gone("6", None));
    changes.not_looked_at.push(gone("5", Some("no-permission: 403 on GET /plugin/products/deploy/v1")));
    run.number = Some(17);
    run.changes = Some(changes);
    exited(run)
}

#[test]
fn what_changed_stands_first() {
    insta::assert_snapshot!(rendered(&changed(), Look { details: false, ..LOOK }));
    let details = rendered(&changed(), LOOK);
    assert!(details.contains("Since: 2026-06-01, in 5 runs"), "{details}");
}

#[test]
fn nothing_new_is_one_line_and_a_healthy_run_stays_quiet() {
    let mut run = changed();
    let changes = run.changes.as_mut().unwrap();
    let previous = changes.previous.clone();
    *changes = crate::run::change::Changes { previous, unchanged: 16, ..Default::default() };
    let text = rendered(&run, Look { details: false, ..LOOK });
    assert!(text.contains("\nNothing changed since run 16 of 2026-06-23.\n\nFindings\n"), "{text}");
    let mut quiet = healthy();
    quiet.changes = Some(crate::run::change::Changes { unchanged: 0, ..run.changes.unwrap() });
    assert_eq!(rendered(&quiet, LOOK).lines().count(), 1);
}

#[test]
fn a_narrow_screen_is_kept_to_and_details_can_be_left_out() {
    let text = rendered(&troubled(), Look { width: 60, details: false, ..LOOK });
    insta::assert_snapshot!(text);
    let ok =
        |line: &str| line.chars().count() <= 60 || !line.trim().contains(' ') || line.starts_with("lab:");
    assert!(text.lines().all(ok), "{text}");
}

#[test]
fn more_than_a_screen_is_counted() {
    let checks: Vec<CheckResult> = (100..149)
        .map(|number| {
            let id = format!("a.check-{number}");
            let mut check = result(&id, Outcome::Finding);
            check.findings.push(finding_of(&id, "1", Severity::High));
            check
        })
        .collect();
    let text = rendered(&exited(run_of(checks)), Look { details: false, ..LOOK });
    assert!(text.contains("and 37 more checks with findings"), "{text}");
}

#[test]
fn undecided_is_never_called_healthy() {
    for outcome in Outcome::ALL.into_iter().filter(|outcome| !outcome.is_decided()) {
        let run = exited(run_of(vec![result("a.b", outcome)]));
        assert!(!rendered(&run, LOOK).contains("healthy"), "{outcome}");
    }
}

#[test]
fn names_cannot_steer_the_terminal() {
    let mut run = troubled();
    let subject =
        &mut run.checks.iter_mut().find(|check| check.id == "connect.failed").unwrap().findings[0].subject;
    subject.name = "\u{1b}]0;owned\u{7}\r\nname".to_owned();
    let text = rendered(&run, LOOK);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\r']), "{text:?}");
}

#[test]
fn colour_is_there_only_when_asked_for() {
    assert!(rendered(&troubled(), Look { color: true, ..LOOK }).contains("\u{1b}[31m"));
    assert!(!rendered(&troubled(), LOOK).contains('\u{1b}'));
}

#[test]
fn real_output_keeps_to_its_schema() {
    let validator = Validator::new(schema().as_value()).unwrap();
    for run in [healthy(), troubled(), changed()] {
        let mut bytes = Vec::new();
        json::write(&run, &mut bytes).unwrap();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let problems: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(document["format"], 1);
        let mut wrong = document.clone();
        wrong["checks"][0]["outcome"] = json!("fine");
        assert!(!validator.is_valid(&wrong), "an unknown outcome keeps to the schema");
    }
    assert_eq!(
        serde_json::from_value::<Run>(serde_json::to_value(troubled()).unwrap()).unwrap().counts,
        troubled().counts
    );
}

#[test]
fn events_keep_to_their_schema() {
    let validator = Validator::new(event_schema().as_value()).unwrap();
    let run = troubled();
    let mut events =
        vec![Event::finished(&run), Event::Request { request: "GET /x".to_owned(), problem: None }];
    events.extend(run.checks.iter().map(|check| Event::Check { check: Box::new(check.clone()) }));
    let mut bytes = Vec::new();
    for event in &events {
        ndjson::write(event, &mut bytes).unwrap();
    }
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count(), events.len());
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&event), "{event}");
    }
}

#[test]
fn every_format_has_its_name() {
    for (name, format) in FORMATS.into_iter().zip([Format::Text, Format::Json, Format::Ndjson]) {
        assert_eq!(Target::new(name, None), Target { format, path: None });
    }
}

#[test]
fn files_are_written_whole_or_left_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let target = |path: &std::path::Path| Target { format: Format::Json, path: Some(path.to_owned()) };
    assert!(write_all(&healthy(), &[target(&path)], &LOOK).is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    // One target that fails does not keep the others from being written.
    let other = folder.path().join("other.json");
    let errors =
        write_all(&healthy(), &[target(&folder.path().join("no/such/folder")), target(&other)], &LOOK);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("failed to write the json report to"), "{}", errors[0]);
    assert!(other.exists());
}

#[test]
fn a_full_disk_is_told() {
    let full = Target { format: Format::Json, path: Some("/dev/full".into()) };
    if !std::path::Path::new("/dev/full").exists() {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    let errors = write_all(&healthy(), std::slice::from_ref(&full), &LOOK);
    assert!(errors[0].to_string().contains("/dev/full"), "{}", errors[0]);
    let streams = Streams::open(&[Target { format: Format::Ndjson, ..full }]).unwrap();
    streams.tell(&Event::finished(&healthy()));
    assert_eq!(streams.close().len(), 1);
}

#[test]
fn a_stream_takes_its_name_when_the_run_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.ndjson");
    let streams = Streams::open(&[Target { format: Format::Ndjson, path: Some(path.clone()) }]).unwrap();
    streams.tell(&Event::finished(&healthy()));
    assert!(!path.exists());
    assert!(streams.close().is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[test]
fn the_verdicts_of_people_have_their_names() {
    for verdict in [Verdict::Done, Verdict::Problem, Verdict::NotApplicable] {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
    }
}

/// A check with one finding, and what brought it about.
fn found(id: &str, severity: Severity, cause: Option<&str>) -> CheckResult {
    let mut finding = finding_of(id, "1", severity);
    finding.cause = cause.map(str::to_owned);
    CheckResult { findings: vec![finding], ..result(id, Outcome::Finding) }
}

#[test]
fn what_follows_from_a_finding_stands_under_it() {
    let run = exited(run_of(vec![
        found("a.other", Severity::Medium, None),
        found("b.low", Severity::Low, Some("c.root")),
        found("b.worst", Severity::Critical, Some("c.root")),
        found("c.root", Severity::Low, None),
        found("d.lost", Severity::High, Some("e.elsewhere")),
    ]));
    let glance = rendered(&run, Look { details: false, ..LOOK });
    let lines: Vec<&str> = glance.lines().skip_while(|line| *line != "Findings").skip(1).take(5).collect();
    assert_eq!(
        lines,
        [
            "  low      c.root: thing 1: is broken",
            "  └ critical b.worst: thing 1: is broken",
            "  └ low      b.low: thing 1: is broken",
            "  high     d.lost: thing 1: is broken (follows from e.elsewhere)",
            "  medium   a.other: thing 1: is broken",
        ],
        "{glance}"
    );
    let details = rendered(&run, LOOK);
    assert!(details.contains("Cause: c.root; repair that first"), "{details}");
    let document = serde_json::to_value(&run).unwrap();
    assert_eq!(document["checks"][1]["findings"][0]["cause"], "c.root");
    assert_eq!(document["checks"][0]["findings"][0].get("cause"), None);
}
