//! A planted token and a planted password are found in nothing that tancheck prints or writes.

use crate::site::{lab, walk};
use tancheck_e2e::Machine;
use tancheck_lab::Behaviour;

/// Everything that can be run, in good and in bad times.
const COMMANDS: &[&[&str]] = &[
    &["run"],
    &["run", "-o", "json=report.json", "-o", "ndjson=stream.ndjson", "-o", "text=report.txt"],
    &["run", "--exit-style", "nagios", "--brief"],
    &["plan"],
    &["plan", "-o", "json"],
    &["doctor"],
    &["doctor", "-o", "json"],
    &["permissions", "--compare"],
    &["config", "explain"],
    &["config", "explain", "-o", "json"],
    &["checks", "list"],
    &["exports", "--all"],
    &["answers", "--all"],
    &["attest", "actions.default-target-intent", "--result", "done", "--by", "ann"],
    &["answer", "connect.report-arrived", "2026-03-01", "--by", "ann"],
    &["plugins", "list"],
    &["run", "--set", "limits.request_timeout=nonsense"],
    &["run", "--check", "no.such-check"],
];

/// Looks at every byte below the machine's folder and at what was printed.
fn searched(machine: &Machine, canaries: &[&str], printed: &[(String, Vec<u8>)]) {
    let own = [machine.path("token"), machine.path("password")];
    let mut files = Vec::new();
    walk(&machine.path(""), &mut files);
    files.retain(|file| !own.contains(file));
    assert!(files.iter().any(|file| file.ends_with("history.db")), "there is something to search: {files:?}");
    assert!(files.iter().any(|file| file.ends_with("report.json")));
    let written = files.iter().map(|file| (file.display().to_string(), std::fs::read(file).unwrap()));
    let all: Vec<(String, Vec<u8>)> = written.chain(printed.iter().cloned()).collect();
    for canary in canaries {
        let utf16: Vec<u8> = canary.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let reversed: String = canary.chars().rev().collect();
        for (place, bytes) in &all {
            for form in [canary.as_bytes(), &utf16, reversed.as_bytes()] {
                assert!(memchr::memmem::find(bytes, form).is_none(), "{canary} is in {place}");
            }
        }
    }
}

/// Runs all commands, loud and quiet, and keeps what they print.
fn run_all(machine: &Machine, when: &str, printed: &mut Vec<(String, Vec<u8>)>) {
    for command in COMMANDS {
        let arguments = [command, &["-vvv", "--set", "limits.retries=0"][..]].concat();
        let output = machine.command(&arguments).output().unwrap();
        let name = format!("{when}: {command:?}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked at"), "{name}: {stderr}");
        assert!(output.status.code().is_some_and(|code| code != 70), "{name}: {stderr}");
        printed.push((format!("the stdout of {name}"), output.stdout));
        printed.push((format!("the stderr of {name}"), output.stderr));
    }
}

#[test]
fn a_token_is_in_no_byte_that_is_printed_or_written() {
    let lab = lab();
    let machine = Machine::with(&["tancheck-actions", "tancheck-connect"]);
    let good = lab.token().to_owned();
    let wrong = "token-5ca1ab1e0c0ffee0canary0of0the0wrong0kind";
    let mut printed = Vec::new();
    machine.configure_deployment(&lab.url(), &good, "");
    run_all(&machine, "all is well", &mut printed);
    assert!(printed.iter().any(|(_, bytes)| memchr::memmem::find(bytes, b"session/current").is_some()));
    lab.inject("failed-connection").unwrap();
    run_all(&machine, "a finding", &mut printed);
    for behaviour in
        [Behaviour::Unauthorized, Behaviour::Html, Behaviour::Reset, Behaviour::Malformed, Behaviour::Echo]
    {
        lab.behaviour("*", behaviour.clone());
        run_all(&machine, &format!("{behaviour:?}"), &mut printed);
        lab.clear_behaviours();
    }
    machine.configure_deployment(&lab.url(), wrong, "");
    run_all(&machine, "a wrong token", &mut printed);
    // A token in a variable, and one that stands where the name of a file is expected.
    let machine = machine.variable("CANARY", &good);
    machine.configure(&format!("[deployment]\nurl = \"{}\"\ntoken_env = \"CANARY\"\n", lab.url()));
    run_all(&machine, "a variable", &mut printed);
    for key in ["token_env", "token_fd", "token_file"] {
        // The configuration itself holds the canary then, so that it is taken away before the search.
        machine.configure(&format!("[deployment]\nurl = \"{}\"\n{key} = \"{wrong}\"\n", lab.url()));
        if key != "token_file" {
            run_all(&machine, key, &mut printed);
        }
    }
    std::fs::remove_file(machine.path("config/tancheck/tancheck.toml")).unwrap();
    searched(&machine, &[&good, wrong], &printed);
}

#[test]
fn a_password_and_its_sessions_are_in_no_byte_that_is_printed_or_written() {
    let lab = lab();
    let machine = Machine::with(&["tancheck-actions", "tancheck-connect"]);
    let login = format!(
        "[deployment]\nurl = \"{}\"\n[deployment.login]\nuser = \"{}\"\npassword_file = \"{}\"\n",
        lab.url(),
        lab.user(),
        machine.path("password").display()
    );
    machine.configure(&login);
    machine.write("password", lab.password());
    let mut printed = Vec::new();
    run_all(&machine, "all is well", &mut printed);
    lab.behaviour("/api/v2/session/current", Behaviour::Status(500, None));
    run_all(&machine, "a broken login", &mut printed);
    lab.behaviour("*", Behaviour::Echo);
    run_all(&machine, "an echo", &mut printed);
    lab.clear_behaviours();
    let wrong = "correct-horse-battery-canary";
    machine.write("password", wrong);
    run_all(&machine, "a wrong password", &mut printed);
    searched(&machine, &[lab.password(), wrong], &printed);
}
