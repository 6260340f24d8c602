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
fn an_event_calls_for_what_a_run_looks_at() {
    const CHECK: &str = "connect.owner-active";
    let (machine, lab) = site("[calendar.tasks.connect]\ncadence = \"as-needed\"\n");
    let say = |now: &str, more: &[&str]| {
        machine.run(&[&["attest", CHECK, "--by", "ann", "--now", now], more].concat())
    };
    let state = |now: &str| {
        let task = task(&due(&machine, now, &["--all"]), CHECK);
        (
            task["state"].as_str().unwrap().to_owned(),
            task["why"].as_str().unwrap().to_owned(),
            task["by_hand"].clone(),
        )
    };
    assert_eq!(state(NOW).0, "waiting");
    let refused = say(NOW, &["--result", "done"]).exits(2).stderr;
    assert!(
        refused.contains("nothing a person says changes that") && refused.contains("--result needed"),
        "{refused}"
    );
    assert!(
        say(NOW, &["--result", "withdrawn", "--note", "x"]).exits(2).stderr.contains("nothing calls for")
    );
    assert!(say(NOW, &["--result", "needed"]).exits(2).stderr.contains("say why with --note"));
    let needed = ["--result", "needed", "--note", "bob has left"];
    let _ = say(NOW, &needed).exits(0);
    let called =
        ("due".to_owned(), "called for by ann on 2026-06-30: bob has left".to_owned(), Value::Bool(false));
    assert_eq!(state(NOW), called);
    assert_eq!(state("2026-07-01").0, "overdue", "without grace");
    let _ = say(NOW, &["--result", "withdrawn", "--note", "it was rob"]).exits(0);
    assert_eq!(state(NOW).0, "waiting");
    let _ = say("2026-07-01", &needed).exits(0);
    let run = |now: &str| machine.run(&["run", "--due", "--now", now, "-o", "json"]).exits(0).json();
    let looked = run("2026-07-01T12:00:00Z");
    assert_eq!((looked["total"].as_u64(), looked["checks"][0]["id"].as_str()), (Some(1), Some(CHECK)));
    assert!(!lab.requests().is_empty());
    assert_eq!(state("2026-07-02").0, "done");
    assert_eq!(run("2026-07-02")["total"], 0);
}

#[test]
fn an_anchor_of_a_plugin_is_for_the_checks_that_it_fits() {
    let (machine, _lab) = site("[calendar.tasks.connect]\nanchor = 31\n");
    let _ = machine
        .run(&["run", "--check", "connect.failed-connections", "--now", NOW, "--fail-on", "never", "-q"])
        .exits(0);
    let seen = task(&due(&machine, NOW, &["--all"]), "connect.failed-connections");
    assert_eq!(seen["due"], "2026-07-31", "{seen:#}");
    let (machine, _lab) = site("[calendar.tasks.connect]\nanchor = \"mondy\"\n");
    let wrong = machine.run(&["due", "--now", NOW]).exits(2).stderr;
    assert_eq!(wrong.matches("mondy").count(), 1, "{wrong}");
    assert!(wrong.contains("tancheck.toml:6:") && wrong.contains("fits no check of connect"), "{wrong}");
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

/// The findings of a run, with the code it ended with.
fn findings(machine: &Machine, now: &str) -> (Option<i32>, Value) {
    let check =
        ["run", "--check", "connect.destination-settings", "--now", now, "--fail-on", "info", "-o", "json"];
    let ran = machine.run(&check);
    (ran.code, ran.json())
}

#[test]
fn what_somebody_waived_stays_in_sight_and_does_not_fail() {
    let (machine, _lab) = site("");
    let (code, before) = findings(&machine, NOW);
    let all = before["checks"][0]["findings"].as_array().unwrap().clone();
    assert!(code == Some(1) && !all.is_empty());
    for finding in &all {
        let id = finding["fingerprint"].as_str().unwrap();
        let arguments =
            ["waive", id, "--owner", "ann", "--reason", "a \"lab\"", "--until", "2026-07-31", "--now", NOW];
        let _ = machine.run(&arguments).exits(0);
    }
    let file = std::fs::read_to_string(machine.path("config/tancheck/waivers.toml")).unwrap();
    assert_eq!(file.matches("[[waiver]]").count(), all.len(), "{file}");
    let (code, after) = findings(&machine, NOW);
    assert_eq!((code, after["waived"].as_u64()), (Some(0), Some(all.len() as u64)), "{after:#}");
    let waiver = &after["checks"][0]["findings"][0]["waiver"];
    assert_eq!((waiver["owner"].as_str(), waiver["until"].as_str()), (Some("ann"), Some("2026-07-31")));
    let schema = machine.run(&["schema"]).exits(0).json();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&after));
    let text = machine.run(&["run", "--check", "connect.destination-settings", "--now", NOW]).stdout;
    assert!(text.contains("waived)") && text.contains("until 2026-07-31: a \"lab\""), "{text}");
    // The day after its last one, the waiver is over, and says so.
    let (code, over) = findings(&machine, "2026-08-01");
    assert_eq!((code, over["waivers"][0]["state"].as_str()), (Some(1), Some("expired")));
    let listed = machine.run(&["waivers", "--now", "2026-07-25", "-o", "json"]).exits(0).json();
    assert_eq!(listed["waivers"][0]["state"], "ending", "{listed:#}");
    let text = machine.run(&["waivers", "--now", "2026-08-01"]).exits(0).stdout;
    assert!(text.contains("expired") && text.contains("do not count any more"), "{text}");
}

#[test]
fn waivers_that_are_wrong_or_too_broad_are_refused_and_nothing_is_lost() {
    let (machine, _lab) = site("");
    let (_, before) = findings(&machine, NOW);
    let id = before["checks"][0]["findings"][0]["fingerprint"].as_str().unwrap().to_owned();
    let waive = |more: &[&str]| {
        machine.run(&[&["waive"], more, &["--owner", "ann", "--reason", "r", "--now", NOW]].concat())
    };
    let refused = |more: &[&str], says: &str| {
        let ran = waive(more).exits(2);
        assert!(ran.stderr.contains(says), "{more:?}: {}", ran.stderr);
    };
    let until = ["--until", "2026-12-31"];
    refused(&[&["connect.destination-settings"], &until[..]].concat(), "a whole check is too much");
    refused(
        &[&["connect.destination-settings", "--subject", "x"], &until[..]].concat(),
        "has no finding on \"x\"",
    );
    refused(&[&["tc1:0000"], &until[..]].concat(), "found nothing with the id");
    refused(&[&id], "say when it ends");
    refused(&[&id, "--until", "2026-06-01"], "is over");
    let _ = waive(&[&[id.as_str()], &until[..]].concat()).exits(0);
    refused(&[&[id.as_str()], &until[..]].concat(), "the same is waived at");
    let path = machine.path("config/tancheck/waivers.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    machine.write("config/tancheck/waivers.toml", &format!("{good}\n[[waiver]]\ncheck = \"connect.*\"\n"));
    let line = good.lines().count() + 2;
    let wrong = machine.run(&["run", "--now", NOW]).exits(2).stderr;
    assert!(wrong.contains(&format!("waivers.toml:{line}:1")) && wrong.contains("no wildcards"), "{wrong}");
    let kept = waive(&[&[id.as_str()], &until[..]].concat()).exits(2);
    assert!(kept.stderr.contains("no wildcards"), "a broken file is not added to");
    // One that matches nothing is reported.
    let stale = "[[waiver]]\ncheck = \"connect.failed-connections\"\nsubject = \"999\"\nowner = \"ann\"\nreason = \"r\"\n\
                 since = 2026-06-01\nuntil = 2026-12-31\n";
    machine.write("config/tancheck/waivers.toml", stale);
    let text = machine.run(&["run", "--check", "connect.failed-connections", "--now", NOW]).stdout;
    assert!(text.contains("waivers.toml:1:1") && text.contains("is not there any more; remove it"), "{text}");
}

#[test]
fn two_who_waive_at_once_both_get_their_line() {
    let (machine, _lab) = site("");
    let (_, before) = findings(&machine, NOW);
    let ids: Vec<String> = before["checks"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["fingerprint"].as_str().unwrap().to_owned())
        .collect();
    let start = |id: &String| {
        let arguments =
            ["waive", id, "--owner", "ann", "--reason", "r", "--until", "2026-12-31", "--now", NOW];
        machine.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = ids.iter().map(start).collect();
    assert!(children.len() > 1);
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let file = std::fs::read_to_string(machine.path("config/tancheck/waivers.toml")).unwrap();
    assert!(ids.iter().all(|id| file.contains(id)), "{file}");
}

#[test]
fn many_answers_come_from_a_file_all_or_none() {
    let lab = Lab::builder().endpoints(20).now(NOW.parse().unwrap()).question_ms(1..=1).start().unwrap();
    let machine = Machine::with(&["tancheck-health-check"]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    let input = "health-check.last-report-copy";
    let wanted = || {
        let rows = machine.run(&["answers", "--all", "--now", NOW, "-o", "json"]).exits(0).json();
        rows["wanted"].as_array().unwrap().iter().find(|row| row["input"] == input).cloned().unwrap()
    };
    let answer = |text: &str| {
        machine.write("answers.toml", text);
        machine.run(&["answer", "--file", "answers.toml", "--by", "ann", "--now", NOW])
    };
    let refused = |text: &str, says: &str| {
        let ran = answer(text).exits(2);
        assert!(ran.stderr.contains(says), "{text}: {}", ran.stderr);
        assert_eq!(wanted()["have"], Value::Null, "nothing of it was kept");
    };
    let good = format!("\"{input}\" = 2026-06-15\n");
    refused(&format!("{good}\"health-check.nothing\" = 3\n"), "answers.toml:2:1: no person is asked for");
    refused(&format!("\n\"{input}\" = 5\n"), "answers.toml:2:1: \"5\" is no answer");
    refused(&format!("\"{input}\" = {{ value = 2026-06-15, nota = \"x\" }}\n"), "did you mean \"note\"?");
    refused("health-check.last-report-copy = 2026-06-15\n", "needs quotes");
    refused("", "holds no answer");
    refused(&format!("\"{input}\" = {{ value = 2026-06-15, valid_until = 2030-01-01 }}\n"), "at most");
    let _ = answer(&format!("\"{input}\" = {{ value = 2026-06-15, note = \"share ops\", by = \"bob\" }}\n"))
        .exits(0);
    assert_eq!(wanted()["have"]["what"], "\"2026-06-15\" by bob");
}
