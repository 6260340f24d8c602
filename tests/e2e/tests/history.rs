//! What is kept between runs, as a user meets it: changes, `history`, `diff` and `trend`, as processes, against the lab.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tancheck_e2e::Machine;
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";

/// A machine with a plugin, and the deployment it looks at.
fn site() -> (Machine, Lab) {
    let lab = Lab::builder().endpoints(50).now(NOW.parse().unwrap()).question_ms(1..=1).start().unwrap();
    let machine = Machine::with(&["tancheck-actions"]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    (machine, lab)
}

/// Asserts that a result follows the schema of its document.
fn follows(machine: &Machine, schema: &str, document: &serde_json::Value) {
    let schema = machine.run(&["schema", schema]).exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert_eq!(wrong, [""; 0], "{document:#}");
}

#[test]
fn runs_are_listed_shown_and_compared() {
    let (machine, lab) = site();
    let empty = machine.run(&["history"]).exits(0);
    assert_eq!(empty.stdout, "no run of lab is kept yet; \"tancheck run\" makes one\n");
    assert!(machine.run(&["diff"]).exits(2).stderr.contains("the history has no run yet"));
    let run = |now: &str| {
        let _ = machine.run(&["run", "--now", now, "--fail-on", "never", "-o", "json"]);
    };
    run(NOW);
    assert!(machine.run(&["diff"]).exits(2).stderr.contains("there is only one run"));
    lab.inject("failing-action").unwrap();
    run("2026-07-01T12:00:00Z");
    lab.clear_faults();
    run("2026-07-02T12:00:00Z");

    let list = machine.run(&["history", "-o", "json"]).exits(0).json();
    follows(&machine, "history", &list);
    assert_eq!((list["kept"].as_u64(), list["runs"][0]["number"].as_i64()), (Some(3), Some(3)));
    assert_eq!(list["runs"][1]["changes"]["new"], 1);
    let text = machine.run(&["history", "list", "-n", "1"]).exits(0).stdout;
    assert!(text.contains("1 fixed") && text.contains("and 2 earlier"), "{text}");

    let shown = machine.run(&["history", "show", "2", "-o", "json"]).exits(0).json();
    follows(&machine, "history-run", &shown);
    let found = shown["findings"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["check"] == "actions.failing"), "{shown:#}");
    assert_eq!(shown["plugins"][0]["id"], "actions");
    assert_eq!(shown["settings"]["actions"]["failed_pct"], 10);
    let digest =
        found.iter().find(|one| one["check"] == "actions.failing").unwrap()["evidence"].as_str().unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|sign| sign.is_ascii_hexdigit()), "{digest}");
    let text = machine.run(&["history", "show", "2"]).exits(0).stdout;
    assert!(text.contains(&format!("(evidence {})", &digest[..12])), "{text}");
    let library = shown["plugins"][0]["sha256"].as_str().unwrap();
    assert!(
        text.contains(&format!("(sha256 {}): ", &library[..12])) && text.contains("failed_pct 10"),
        "{text}"
    );
    let text = machine.run(&["history", "show", "2026-07-01"]).exits(0).stdout;
    assert!(text.contains("run 2 of 2026-07-01 12:00 UTC") && text.contains("actions.failing"), "{text}");

    let change = machine.run(&["diff", "-o", "json"]).exits(0).json();
    follows(&machine, "diff", &change);
    assert_eq!(change["fixed"][0]["check"], "actions.failing");
    let text = machine.run(&["diff", "1", "2"]).exits(0).stdout;
    assert!(text.contains("new       medium   actions.failing: "), "{text}");
    assert!(text.contains("actions.failing: pass → finding"), "{text}");
    let wrong = machine.run(&["diff", "9"]).exits(2).stderr;
    assert!(wrong.contains("there is no run \"9\"") && wrong.contains("runs 1 (2026-06-30) to 3"), "{wrong}");
}

#[test]
fn a_history_is_examined_carried_over_and_pruned() {
    let (machine, _lab) = site();
    for now in ["2022-06-30T12:00:00Z", NOW, "2026-07-01T12:00:00Z"] {
        let _ = machine.run(&["run", "--now", now, "--fail-on", "never", "-o", "json"]);
    }
    let examined = machine.run(&["history", "verify", "-o", "json"]).exits(0).json();
    follows(&machine, "history-verify", &examined);
    assert_eq!((examined["runs"].as_u64(), examined["format"].as_u64() >= Some(2)), (Some(3), true));
    assert!(machine.run(&["history", "verify"]).exits(0).stdout.contains("whole"));

    let told = machine.run(&["history", "export", "all.jsonl"]).exits(0);
    assert_eq!((told.stdout.as_str(), told.stderr.starts_with("exported 3 runs")), ("", true), "{told:?}");
    let same = machine.run(&["history", "export"]).exits(0).stdout;
    assert!(same == std::fs::read_to_string(machine.path("all.jsonl")).unwrap());
    let elsewhere = format!("places.state={}", machine.path("elsewhere").display());
    let there = |command: &[&str]| machine.run(&[command, &["--set", &elsewhere]].concat());
    assert!(there(&["history", "import", "all.jsonl"]).exits(0).stderr.contains("took in 3 runs"));
    assert!(there(&["history", "export"]).exits(0).stdout == same, "nothing is lost on the way");
    std::fs::write(machine.path("cut.jsonl"), &same[..same.len() / 2]).unwrap();
    let cut = there(&["history", "import", "cut.jsonl"]).exits(2).stderr;
    assert!(cut.contains("cut.jsonl was not taken in"), "{cut}");
    assert!(there(&["history", "import", "nothing"]).exits(2).stderr.contains("nothing cannot be read"));

    let prune = ["history", "prune", "--now", "2026-07-01", "-o", "json"];
    let pretended = machine.run(&[&prune[..], &["--dry-run"]].concat()).exits(0).json();
    follows(&machine, "history-prune", &pretended);
    assert_eq!(pretended["runs"], 1, "{pretended}");
    assert_eq!(machine.run(&prune).exits(0).json(), pretended);
    assert_eq!(machine.run(&["history", "-o", "json"]).exits(0).json()["kept"], 2);
    assert!(machine.run(&["history", "prune", "--runs", "0"]).exits(0).stdout.starts_with("forgot 0 runs"));
}

#[test]
fn a_series_is_shown_with_its_gaps() {
    let (machine, _lab) = site();
    assert!(machine.run(&["trend"]).exits(0).stdout.contains("\"tancheck run\" makes one"));
    for day in ["06-01", "06-02", "06-05", "06-06"] {
        let now = format!("2026-{day}T12:00:00Z");
        let _ = machine.run(&["run", "--now", &now, "--fail-on", "never", "-o", "json"]);
    }
    let metrics = machine.run(&["trend", "-o", "json"]).exits(0).json();
    follows(&machine, "metrics", &metrics);
    assert!(machine.run(&["trend"]).exits(0).stdout.contains("run.findings.high"));
    let metric = ["trend", "run.checks", "--every", "day"];
    let trend = machine.run(&[&metric[..], &["-o", "json"]].concat()).exits(0).json();
    follows(&machine, "trend", &trend);
    assert_eq!(
        (trend["buckets"].as_array().unwrap().len(), &trend["buckets"][2]["value"]),
        (6, &serde_json::Value::Null)
    );
    let text = machine.run(&metric).exits(0).stdout;
    assert!(text.contains("▅▅··▅▅") && text.contains("2 of 6 without a value"), "{text}");
    let csv = machine.run(&[&metric[..], &["-o", "csv"]].concat()).exits(0).stdout;
    assert!(csv.starts_with("from,value,unit,run\n2026-06-01,"), "{csv}");
    assert!(csv.contains("\n2026-06-03,,checks,\n"), "{csv}");
    let wrong = machine.run(&["trend", "run.finding"]).exits(2).stderr;
    assert!(wrong.contains("did you mean \"run.findings\"?"), "{wrong}");
    assert!(
        machine
            .run(&["trend", "run.checks", "--since", "2027-01-01"])
            .exits(2)
            .stderr
            .contains("no value since")
    );
}

#[test]
fn only_what_is_new_fails_where_that_was_asked_for() {
    let (machine, lab) = site();
    let run = |now: &str, more: &[&str]| machine.run(&[&["run", "--now", now, "-o", "json"], more].concat());
    let _ = run(NOW, &["--fail-on", "never"]);
    lab.inject("failing-action").unwrap();
    let fail_on = ["--check", "actions.failing", "--fail-on", "new:medium"];
    let first = run("2026-07-01T12:00:00Z", &fail_on).exits(1).json();
    let finding = &first["checks"][0]["findings"][0];
    assert_eq!((finding["change"].as_str(), finding["times_seen"].as_u64()), (Some("new"), Some(1)));
    assert_eq!(first["exit"]["reasons"][0]["says"], "1 new finding of severity medium or worse");
    let second = run("2026-07-02T12:00:00Z", &fail_on).exits(0).json();
    let finding = &second["checks"][0]["findings"][0];
    assert_eq!((finding["change"].as_str(), finding["times_seen"].as_u64()), (Some("unchanged"), Some(2)));
    assert_eq!(finding["first_seen"], "2026-07-01T12:00:00Z");
    assert_eq!((second["changes"]["unchanged"].as_u64(), second["number"].as_i64()), (Some(1), Some(3)));
    let _ = run("2026-07-03T12:00:00Z", &["--check", "actions.failing", "--fail-on", "medium"]).exits(1);
}

/// What the doctor says of the history: state and words of each line, and the file at a glance.
fn doctor(machine: &Machine) -> (Vec<(String, String)>, serde_json::Value) {
    let document = machine.run(&["doctor", "--offline", "-o", "json"]).json();
    follows(machine, "doctor", &document);
    let lines = document["lines"].as_array().unwrap().iter().filter(|line| line["name"] == "history");
    let text = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let told =
        lines.map(|line| (text(line, "state"), format!("{} -> {}", text(line, "seen"), text(line, "todo"))));
    (told.collect(), document["history"].clone())
}

#[test]
fn the_doctor_looks_at_the_history_and_changes_nothing() {
    let (machine, _lab) = site();
    let path = machine.path("state/tancheck/history.db");
    assert_eq!(
        doctor(&machine),
        (vec![("ok".to_owned(), "none yet; the first run makes it -> ".to_owned())], serde_json::Value::Null)
    );
    assert!(!path.exists(), "the doctor makes no file");
    for now in [NOW, "2026-07-02T12:00:00Z", "2026-07-01T12:00:00Z"] {
        let _ = machine.run(&["run", "--now", now, "--fail-on", "never", "-q"]);
    }
    let task =
        ["attest", "actions.default-target-intent", "--result", "done", "--by", "ann", "--now", "2026-07-02"];
    let _ = machine.run(&task).exits(0);
    let (lines, glance) = doctor(&machine);
    let words =
        "3 runs of lab from 2026-06-30 to 2026-07-02; 1 time a run was earlier than the one before it";
    assert_eq!(lines[0].0, "ok");
    assert!(lines[0].1.contains(words) && lines[0].1.contains(", format 2, 0."), "{lines:?}");
    assert_eq!(lines.last().unwrap(), &("ok".to_owned(), "1 attestation, an unbroken chain -> ".to_owned()));
    assert_eq!(
        (glance["runs"].as_u64(), glance["attestations"].as_u64(), glance["backwards"].as_u64()),
        (Some(3), Some(1), Some(1))
    );
    assert_eq!((glance["oldest"].as_str(), glance["writable"].as_bool()), (Some(NOW), Some(true)));
    assert_eq!(glance["problems"], serde_json::json!([]));

    // A clock that is behind the history.
    let _ = machine.run(&["run", "--now", "2999-01-01T12:00:00Z", "--fail-on", "never", "-q"]);
    let (lines, _) = doctor(&machine);
    let ahead = lines.iter().find(|line| line.0 == "warn").unwrap();
    assert!(
        ahead.1.contains("the newest run is of 2999-01-01 12:00 UTC")
            && ahead.1.contains("correct the clock")
    );

    // What is wrong with the file is told with what to do; the text says the same.
    let good = std::fs::read(&path).unwrap();
    let harmed = |harm: &dyn Fn(), words: &[&str]| {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(machine.path(&format!("state/tancheck/history.db{end}")));
        }
        std::fs::write(&path, &good).unwrap();
        harm();
        let before = std::fs::read(&path).unwrap();
        let (lines, _) = doctor(&machine);
        let failed: Vec<&str> =
            lines.iter().filter(|line| line.0 == "fail").map(|line| line.1.as_str()).collect();
        let text = machine.run(&["doctor", "--offline"]).exits(2).stdout;
        for word in words {
            assert!(failed.iter().any(|line| line.contains(word)), "{word}: {lines:?}");
        }
        assert!(text.contains("FAIL  history"), "{text}");
        assert!(std::fs::read(&path).unwrap() == before, "the doctor changes nothing");
    };
    let open = || rusqlite::Connection::open(&path).unwrap();
    let _ = machine.run(&["history", "verify"]).exits(0);
    harmed(
        &|| std::fs::write(&path, b"no database, whatever its name says").unwrap(),
        &["is damaged", "restore it from a backup"],
    );
    harmed(
        &|| std::fs::write(&path, [&good[..4096], &vec![0xa5; good.len() - 4096]].concat()).unwrap(),
        &["damaged"],
    );
    harmed(
        &|| open().execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99;").unwrap(),
        &["format 99", "use the newer tancheck"],
    );
    let forged = "PRAGMA journal_mode = DELETE; DROP TRIGGER attestation_is_final;
        UPDATE attestation SET entry = replace(entry, 'ann', 'bob');";
    harmed(
        &|| open().execute_batch(forged).unwrap(),
        &["was changed after it was written, at entry 1", "history verify"],
    );
}
