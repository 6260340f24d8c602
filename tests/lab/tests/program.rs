//! The lab as a program.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

fn lab() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tancheck-lab"))
}

#[test]
fn it_prints_its_url_and_writes_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut child = lab()
        .args(["--endpoints", "20", "--now", "2026-03-04T12:00:00Z", "--fault", "tpan-high"])
        .arg("--token-file")
        .arg(path("token"))
        .arg("--url-file")
        .arg(path("url"))
        .arg("--exports")
        .arg(path("exports"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = std::fs::read_to_string(path("url")).unwrap();
    let token = std::fs::read_to_string(path("token")).unwrap();
    let findings = std::fs::read_to_string(path("exports").join("tpan-findings.csv")).unwrap();
    let answer =
        ureq::get(format!("{}/api/v2/client_count", url.trim())).header("session", token.trim()).call();
    let answer = answer.map(|mut answer| answer.body_mut().read_to_string().unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line, url);
    assert_eq!(answer.unwrap(), "{\"data\":20}");
    assert!(findings.contains("High"), "{findings}");
}

#[test]
fn it_says_what_is_wrong_with_its_arguments() {
    let run = |arguments: &[&str]| {
        let output = lab().args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run(&["--fault", "haunted"]).contains("unknown fault 'haunted'"));
    assert!(run(&["--behaviour", "/metrics=haunted"]).contains("unknown behaviour 'haunted'"));
    assert!(run(&["--question-ms", "9..3"]).contains("smaller number first"));
    assert!(run(&["--endpoints", "5"]).contains("10"));
}

#[test]
fn it_lists_faults_with_the_checks_that_find_them() {
    let output = lab().arg("--list-faults").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("failed-connection: ") && text.contains("\n    connect.failed-connections\n"),
        "{text}"
    );
}
