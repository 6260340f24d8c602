//! The calendar and what people say, as processes: `due`, `run --due`, `attest`, with what bad input gets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::process::Stdio;
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";
const TASK: &str = "connect.failed-report-routed";

fn site(more: &str) -> (Machine, Lab) {
    let lab = Lab::builder().endpoints(20).now(NOW.parse().unwrap()).question_ms(1..=1).start().unwrap();
    let machine = Machine::with(&["tancheck-connect"]);
    machine.configure_deployment(&lab.url(), lab.token(), &format!("id = \"lab\"\n{more}"));
    (machine, lab)
}

fn due(machine: &Machine, now: &str, more: &[&str]) -> Value {
    let document = machine.run(&[&["due", "--now", now, "-o", "json"], more].concat()).exits(0).json();
    let schema = machine.run(&["schema", "due"]).exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(wrong, [""; 0]);
    document
}

fn task(document: &Value, id: &str) -> Value {
    document["tasks"].as_array().unwrap().iter().find(|one| one["task"] == id).cloned().unwrap_or_default()
}

fn attest<'a>(machine: &Machine, now: &'a str, more: &[&'a str]) -> tancheck_e2e::Ran {
    machine.run(&[&["attest", TASK, "--now", now], more].concat())
}

#[test]
fn the_calendar_knows_what_runs_and_people_did() {
    let (machine, _lab) = site("[calendar]\nmonthly.anchor = 1\n[owners]\nconnect = \"ann\"\n");
    let before = due(&machine, NOW, &[]);
    assert_eq!(before["counts"]["overdue"].as_u64(), before["tasks"].as_array().map(|all| all.len() as u64));
    assert_eq!(machine.run(&["due", "--now", NOW, "--fail-on-overdue"]).code, Some(4));
    let _ = machine.run(&["run", "--now", NOW, "-o", "json", "--fail-on", "never"]).exits(3);
    let after = due(&machine, NOW, &["--all", "--owner", "ann"]);
    let seen = task(&after, "connect.failed-connections");
    assert_eq!(
        (seen["state"].as_str(), seen["due"].as_str()),
        (Some("done"), Some("2026-08-01")),
        "{seen:#}"
    );
    assert_eq!((seen["by"].as_str(), seen["done"].as_str()), (Some("tancheck run"), Some("2026-06-30")));
    assert_eq!(task(&after, TASK)["by_hand"], true);
    let _ = attest(&machine, NOW, &["--result", "done", "--by", "ann"]).exits(0);
    let attested = task(&due(&machine, NOW, &["--all"]), TASK);
    assert_eq!((attested["by"].as_str(), attested["due"].as_str()), (Some("ann"), Some("2026-09-28")));
    let text = machine.run(&["due", "--now", "2026-09-29"]).exits(0).stdout;
    assert!(text.contains("in grace until") && text.contains("2026-Q3 so far"), "{text}");
    let unknown = machine.run(&["due", "--owner", "anm"]).exits(2).stderr;
    assert!(unknown.contains("did you mean \"ann\"?"), "{unknown}");
}

#[test]
fn a_run_of_what_is_due_looks_at_that_and_at_nothing_when_nothing_is() {
    let off = "[calendar.tasks.connect]\noff = \"another team does it\"\n\
               [calendar.tasks.\"connect.failed-connections\"]\ncadence = \"weekly\"\n";
    let (machine, _lab) = site(off);
    // The reason for the plugin holds for this check as well: what is said of a check is laid over it.
    let text = machine.run(&["run", "--now", NOW]).exits(2).stderr;
    assert!(text.contains("no check of the enabled modules"), "{text}");
    let (machine, lab) = site("[calendar.tasks.\"connect.failed-connections\"]\ncadence = \"weekly\"\n");
    let run = |now: &str| {
        machine.run(&["run", "--due", "--check", "connect.failed-connections", "--now", now, "-o", "json"])
    };
    assert_eq!(run(NOW).exits(0).json()["total"], 1);
    let sent = lab.requests().len();
    let early =
        machine.run(&["run", "--due", "--check", "connect.failed-connections", "--now", "2026-07-06"]);
    assert!(early.exits(2).stderr.contains("--due"));
    assert_eq!(lab.requests().len(), sent, "nobody was asked");
    let _ = run("2026-07-07").exits(0);
    assert!(lab.requests().len() > sent);
}

#[test]
fn nothing_due_is_no_error() {
    let all_off = "[calendar.tasks.connect]\ncadence = \"as-needed\"\n";
    let (machine, lab) = site(all_off);
    let ran = machine.run(&["run", "--due", "--now", NOW]).exits(0);
    assert!(ran.stdout.contains("nothing is due"), "{ran:?}");
    assert_eq!(machine.run(&["run", "--due", "--now", NOW, "-o", "json"]).exits(0).json()["total"], 0);
    assert_eq!(lab.requests().len(), 0);
}

#[test]
fn a_calendar_for_other_programs() {
    let (machine, _lab) =
        site("[owners]\nconnect = \"Müller, Ann; the whole team of integration and its many friends\"\n");
    let _ = attest(&machine, NOW, &["--result", "done", "--by", "ann"]).exits(0);
    let text = machine.run(&["due", "--ics", "--now", NOW]).exits(0).stdout;
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "lines are folded");
    let unfolded = text.replace("\r\n ", "");
    let events: Vec<&str> = unfolded.split("BEGIN:VEVENT").skip(1).collect();
    let event = events.iter().find(|event| event.contains(&format!("UID:{TASK}@lab.tancheck\r\n"))).unwrap();
    assert!(
        event.contains("DTSTART;VALUE=DATE:20260928\r\n") && event.contains("DTEND;VALUE=DATE:20260929\r\n")
    );
    assert!(event.contains("Müller\\, Ann\\; the whole team"), "{event}");
    assert!(event.contains("DTSTAMP:20260630T120000Z\r\n"));
    let again = machine.run(&["due", "-o", "ics", "--now", NOW]).exits(0).stdout;
    assert_eq!(text, again, "the same facts give the same bytes");
}

#[test]
fn what_people_say_is_held_to_rules() {
    let second = format!("[calendar.tasks.\"{TASK}\"]\nsecond_person = true\n");
    let (machine, _lab) = site(&second);
    let refused = |more: &[&str], says: &str| {
        let ran = attest(&machine, NOW, more).exits(2);
        assert!(ran.stderr.contains(says), "{more:?}: {}", ran.stderr);
    };
    let done = ["--result", "done", "--by", "ann"];
    refused(&["--by", "ann"], "say --result");
    refused(&done, "needs a second person");
    refused(&[&done[..], &["--second", "Ann"]].concat(), "somebody else");
    refused(&["--result", "problem", "--by", "ann"], "say why with --note");
    refused(&[&done[..], &["--second", "bob", "--at", "2026-07-02"]].concat(), "lies ahead of now");
    refused(&[&done[..], &["--second", "bob", "--valid-until", "2026-06-30"]].concat(), "is not after");
    refused(&[&done[..], &["--second", "bob", "--evidence", "nothing.pdf"]].concat(), "failed to read");
    let kept =
        attest(&machine, NOW, &[&done[..], &["--second", "bob", "-o", "json"]].concat()).exits(0).json();
    assert_eq!(
        (kept["entry"].as_i64(), kept["second"].as_str(), kept["due"].as_str()),
        (Some(1), Some("bob"), Some("2026-09-28"))
    );
    // A clock that went back: what is said now would be hidden by what was said later.
    let back = attest(&machine, "2026-06-29", &[&done[..], &["--second", "bob"]].concat()).exits(2).stderr;
    assert!(back.contains("check the clock"), "{back}");
    let warned = machine.run(&["due", "--now", "2026-06-01"]).exits(0).stderr;
    assert!(warned.contains("later than now") && warned.contains("check the clock"), "{warned}");
    // Corrections are appended, and the last one counts.
    let taken_back = ["--result", "withdrawn", "--by", "ann", "--note", "it was the other report"];
    let _ = attest(&machine, NOW, &taken_back).exits(0);
    assert_eq!(task(&due(&machine, NOW, &[]), TASK)["state"], "overdue");
    let unknown = machine.run(&["attest", "connect.nothing", "--result", "done", "--by", "ann"]).exits(2);
    assert!(unknown.stderr.contains("there is no check"), "{unknown:?}");
    let steps = machine.run(&["attest", TASK, "--steps"]).exits(0).stdout;
    assert!(steps.contains("1. ") && steps.contains("Who:"), "{steps}");
}

#[test]
fn two_who_attest_at_once_are_both_heard() {
    let (machine, _lab) = site("");
    let start = |name: &str| {
        let mut command = machine.command(&["attest", TASK, "--now", NOW, "--result", "done", "--by", name]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let names: Vec<String> = (0..6).map(|number| format!("person-{number}")).collect();
    let children: Vec<_> = names.iter().map(|name| start(name)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let last = attest(&machine, NOW, &["--result", "done", "--by", "last", "-o", "json"]).exits(0).json();
    assert_eq!(last["entry"], 7, "the chain holds, and nothing was lost");
}
