//! `tancheck paste`: what is pasted is judged, and no byte of it is printed or written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tancheck_e2e::Machine;

const INPUT: &str = "direct-connect.zone-proxy-payload";
const NOW: &str = "2026-06-30T12:00:00Z";
/// A secret that looks like one, and stands nowhere else.
const CANARY: &str =
    "Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYQ==";

fn machine() -> Machine {
    let machine = Machine::with(&["tancheck-direct-connect"]);
    machine.configure_deployment("http://127.0.0.1:9", "none", "id = \"lab\"\n");
    machine
}

fn paste(machine: &Machine, text: &[u8], more: &[&str]) -> Output {
    let arguments = [&["paste", INPUT, "--now", NOW, "-vvv"], more].concat();
    let mut command = machine.command(&arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(text);
    child.wait_with_output().unwrap()
}

/// The fingerprint of a key, a certificate that ends in 2031, made for this test.
fn certificate() -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256);
    let key = key.unwrap_or_else(|_| rcgen::KeyPair::generate().unwrap());
    let mut parameters = rcgen::CertificateParams::new(["zone.example.com".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2031, 1, 1);
    parameters.self_signed(&key).unwrap().pem()
}

fn payload() -> String {
    let (first, second) = CANARY.split_at(64);
    format!(
        "-----BEGIN PROVISION SECRET-----\n{first}\n{second}\n-----END PROVISION SECRET-----\n{}",
        certificate()
    )
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files(&entry.path(), found),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

#[test]
fn a_payload_is_judged_and_no_byte_of_it_is_kept() {
    let machine = machine();
    let payload = payload();
    let utf16: Vec<u8> = payload.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cut = payload.replace("-----END PROVISION SECRET-----\n", "");
    let bare = format!("{CANARY}\n");
    let mut printed = Vec::new();
    for text in [payload.as_bytes(), &utf16, cut.as_bytes(), bare.as_bytes()] {
        for more in [&[][..], &["-o", "json"]] {
            let output = paste(&machine, text, more);
            assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
            printed.extend([output.stdout, output.stderr]);
        }
    }
    let json: serde_json::Value =
        serde_json::from_slice(&paste(&machine, cut.as_bytes(), &["-o", "json"]).stdout).unwrap();
    let format = json["checks"].as_array().unwrap().iter().find(|row| row["outcome"] == "finding").unwrap();
    assert_eq!(format["id"], "direct-connect.zone-proxy-payload-format");
    assert_eq!(json["blocks"][0]["label"], "PROVISION SECRET");

    let mut written = Vec::new();
    files(&machine.path(""), &mut written);
    assert!(!written.is_empty());
    printed.extend(written.iter().map(|file| std::fs::read(file).unwrap()));
    for bytes in &printed {
        // Not in pieces either: each line of the secret is looked for by itself.
        for part in [&CANARY[..64], &CANARY[64..], &CANARY[8..32]] {
            let wide: Vec<u8> = part.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(memchr::memmem::find(bytes, part.as_bytes()).is_none(), "a part of the secret was kept");
            assert!(memchr::memmem::find(bytes, &wide).is_none(), "a part of the secret was kept");
        }
    }
}

#[test]
fn a_payload_of_one_block_is_half_a_payload() {
    let machine = machine();
    let whole = payload();
    let (secret, certificate) = whole.split_at(whole.find("-----BEGIN CERTIFICATE").unwrap());
    for (half, missing) in [(secret, "certificate"), (certificate, "secret")] {
        let output = paste(&machine, half.as_bytes(), &["-o", "json"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["blocks"].as_array().unwrap().len(), 1);
        let rows = document["checks"].as_array().unwrap();
        let format = rows.iter().find(|row| row["outcome"] == "finding").unwrap();
        let says = format["findings"].to_string().to_lowercase();
        assert!(says.contains(missing), "{missing}: {says}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains(&CANARY[..32]));
    }
}

#[test]
fn what_cannot_be_a_payload_is_told_in_one_line() {
    let machine = machine();
    let refused = |text: &[u8], words: &str| {
        let output = paste(&machine, text, &[]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    };
    refused(b"", "nothing was piped in");
    refused(&vec![b'A'; 2 << 20], "more than 1024 KiB");
    let other = machine.run(&["paste", "direct-connect.zone-proxy-paylaod"]);
    assert!(other.exits(2).stderr.contains(INPUT));
}

#[test]
fn a_pipe_that_nobody_closes_is_not_waited_for() {
    let machine = machine();
    let waits = |text: &[u8]| {
        let arguments = ["paste", INPUT, "--set", "limits.stdin_timeout=1s"];
        let mut command = machine.command(&arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut open = child.stdin.take().unwrap();
        open.write_all(text).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(open);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let nothing = waits(b"");
    assert!(nothing.contains("nothing arrived on stdin within 1s (limits.stdin_timeout)"), "{nothing}");
    assert!(nothing.contains("tancheck paste INPUT < FILE"), "{nothing}");
    let part = waits(CANARY.as_bytes());
    assert!(part.contains("the end of the text did not arrive on stdin within 1s"), "{part}");
    assert!(!part.contains(&CANARY[..32]), "{part}");
}
