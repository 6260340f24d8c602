//! `tancheck run` and the human side of it, as processes, with real plugins, against the lab.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";

/// A machine with one plugin, and the deployment it looks at.
fn site(plugin: &str, question_ms: u64) -> (Machine, Lab) {
    let lab = Lab::builder()
        .endpoints(50)
        .now(NOW.parse().unwrap())
        .question_ms(question_ms..=question_ms)
        .start()
        .unwrap();
    let machine = Machine::with(&[plugin]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    (machine, lab)
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    let (machine, lab) = site("tancheck-connect", 1);
    // A run is part of the history of the next one, so the second one has a machine of its own with the same history.
    let twin = machine.duplicate();
    let first = machine.run(&["run", "--now", NOW, "-o", "json"]);
    let second = twin.run(&["run", "--now", NOW, "-o", "json"]);
    assert!(machine.scrub(&first.stdout) == twin.scrub(&second.stdout), "{}", second.stdout);
    assert!(!first.stdout.contains(lab.token()) && !first.stderr.contains(lab.token()));
    let document = first.json();
    let checks = document["checks"].as_array().unwrap();
    assert!(!checks.is_empty());
    assert_eq!(document["total"], checks.len());
    assert_eq!(document["exit"]["code"].as_i64(), first.code.map(i64::from));
}

#[test]
fn a_plan_sends_nothing() {
    let (machine, lab) = site("tancheck-connect", 1);
    let plan = machine.run(&["plan", "--now", NOW, "-o", "json"]).exits(0).json();
    assert!(plan["requests"].as_array().unwrap().iter().any(|one| one["request"] == "GET /api/v2/solutions"));
    assert_eq!(lab.requests().len(), 0);
}

#[test]
fn a_task_is_due_until_a_person_attests_it() {
    let (machine, _lab) = site("tancheck-connect", 1);
    let task = "connect.failed-report-routed";
    let look = || {
        let ran = machine.run(&["run", "--now", NOW, "--check", task, "--fail-on-overdue", "-o", "json"]);
        let outcome = ran.json()["checks"][0]["outcome"].as_str().unwrap().to_owned();
        (ran.code, outcome)
    };
    assert_eq!(look(), (Some(4), "attestation-due".to_owned()));
    let attest = ["attest", task, "--result", "done", "--by", "ann", "--at", "2026-06-29", "--now", NOW];
    let _ = machine.run(&attest).exits(0);
    assert_eq!(look(), (Some(0), "pass".to_owned()));
    let unknown = machine.run(&["attest", "connect.failed-report-route", "--result", "done", "--by", "ann"]);
    assert!(unknown.exits(2).stderr.contains(task));
}

#[test]
fn checks_that_need_a_question_are_skipped_where_none_may_be_asked() {
    let (machine, lab) = site("tancheck-client-management", 1);
    let check = ["--check", "client-management.cx-index", "--now", NOW, "-o", "json"];
    let ran = machine.run(&[&["run"], &check[..], &["--no-questions"]].concat()).exits(3).json();
    assert_eq!(ran["checks"][0]["outcome"], "skipped", "{ran:#}");
    assert!(ran["checks"][0]["reason"].as_str().unwrap().contains("--no-questions"), "{ran:#}");
    assert_eq!(ran["requests"]["questions"], 0);
    assert!(lab.requests().iter().all(|request| !request.path.contains("question")));
}

#[test]
fn what_people_can_bring_is_listed_until_the_checks_are_decided() {
    let (machine, _lab) = site("tancheck-health-check", 1);
    let listed = |command: &[&str]| {
        let document = machine.run(&[command, &["-o", "json"]].concat()).exits(0).json();
        let schema = machine.run(&["schema", command[0]]).exits(0).json();
        let wrong: Vec<String> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(wrong, [""; 0], "{command:?}");
        document["wanted"].as_array().unwrap().clone()
    };
    let file =
        |rows: &[serde_json::Value]| rows.iter().find(|row| row["file"] == "tpan-reports.csv").cloned();
    // The lab's clock is not the machine's: what looks old to checks is no matter here.
    let _ = machine.run(&["run", "-o", "json", "--fail-on", "never"]).exits(3);

    let missing = file(&listed(&["exports"])).unwrap();
    assert_eq!(
        (&missing["have"], missing["problem"].as_str()),
        (&serde_json::Value::Null, Some("not there yet"))
    );
    assert!(
        missing["checks"].as_array().unwrap().iter().any(|check| check == "health-check.tpan-report-age")
    );
    let text = machine.run(&["exports"]).exits(0).stdout;
    for told in ["tpan-reports.csv", missing["page"].as_str().unwrap(), "Columns: report_time", "missing"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    std::fs::create_dir_all(machine.path("state/tancheck/exports")).unwrap();
    let path = machine.path("state/tancheck/exports/tpan-reports.csv");
    assert_eq!(missing["path"], path.display().to_string());
    std::fs::write(&path, "name,trigger\n").unwrap();
    let unusable = file(&listed(&["exports"])).unwrap();
    assert!(unusable["problem"].as_str().unwrap().contains("report_time"), "{unusable:#}");
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    std::fs::write(&path, format!("report_time,name,trigger\n{yesterday},weekly,scheduled\n")).unwrap();
    assert_eq!(file(&listed(&["exports"])).unwrap()["have"]["what"], "1 row");
    let _ = machine.run(&["run", "-o", "json", "--check", "health-check.tpan-report-age"]).exits(0);
    let decided = file(&listed(&["exports", "--all"])).unwrap();
    assert!(
        decided["checks"].as_array().unwrap().iter().any(|check| check == "health-check.tpan-report-age")
    );
    let others = file(&listed(&["exports"]));
    let waits = |row: &serde_json::Value| row["checks"].to_string().contains("tpan-report-age");
    assert!(!others.as_ref().is_some_and(waits), "{others:?}");

    let copy = |rows: Vec<serde_json::Value>| {
        rows.into_iter().find(|row| row["input"] == "health-check.last-report-copy")
    };
    assert_eq!(copy(listed(&["answers"])).unwrap()["problem"], "nobody has answered yet");
    let today = jiff::Timestamp::now().strftime("%F").to_string();
    let _ = machine.run(&["answer", "health-check.last-report-copy", &today, "--by", "ann"]).exits(0);
    let answered = copy(listed(&["answers"])).unwrap();
    assert_eq!(answered["have"]["what"], format!("\"{today}\" by ann"));
}

#[test]
fn a_deployment_that_is_not_there_is_code_5_and_every_check_has_its_row() {
    let machine = Machine::with(&["tancheck-connect"]);
    machine.configure_deployment("http://127.0.0.1:9", "token-1", "id = \"lab\"\n[limits]\nretries = 0\n");
    let ran = machine.run(&["run", "-o", "json"]).exits(5);
    let document = ran.json();
    let checks = document["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["outcome"] != "pass"), "{document}");
    assert_eq!(document["exit"]["reasons"][0]["code"], 5);
}

#[test]
fn a_selection_of_nothing_is_code_2_and_asks_nobody() {
    let (machine, lab) = site("tancheck-connect", 1);
    let ran = machine.run(&["run", "--only-failed"]).exits(2);
    assert!(ran.stderr.contains("no check is selected"), "{}", ran.stderr);
    let ran = machine.run(&["run", "--module", "conect"]).exits(2);
    assert!(ran.stderr.contains("did you mean \"connect\"?"), "{}", ran.stderr);
    assert_eq!(lab.requests().len(), 0);
}

#[test]
fn the_first_ctrl_c_still_reports_what_is_known() {
    let (machine, _lab) = site("tancheck-client-management", 600_000);
    let mut command = machine.command(&["run", "--now", NOW, "-o", "ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // Only a question that takes ten minutes is left when its progress is told.
    assert!(lines.by_ref().any(|line| line.contains("\"event\":\"question-progress\"")));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let last = lines.last().unwrap();
    assert!(last.contains("\"event\":\"run-finished\"") && last.contains("ended early by SIGINT"), "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
