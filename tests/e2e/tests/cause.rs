//! Findings that follow from another one stand under it: real plugins, against a lab where one thing is broken.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";

/// The check of each finding of the report, and its cause.
fn causes(report: &Value) -> Vec<(String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let checks = report["checks"].as_array().unwrap().iter();
    let of_check = |check: &Value| {
        let findings = check["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|one| (text(&check["id"]).unwrap(), text(&one["cause"]))).collect::<Vec<_>>()
    };
    checks.flat_map(of_check).collect()
}

#[test]
fn a_broken_shared_service_is_told_once_with_all_that_follows_from_it() {
    let lab = Lab::builder().endpoints(200).now(NOW.parse().unwrap()).start().unwrap();
    let machine =
        Machine::with(&["tancheck-client-management", "tancheck-direct-connect", "tancheck-threat-response"]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    let root = "direct-connect.extension-health";
    let checks = ["threat-response.failure-dec", root, "client-management.cx-other"];
    let checks = checks.iter().flat_map(|check| ["--check", check]);
    let arguments: Vec<&str> = ["run", "--now", NOW].into_iter().chain(checks).collect();

    lab.inject("direct-connect-extension-failures").unwrap();
    let report = machine.run(&[&arguments[..], &["-o", "json"]].concat()).json();
    let cause = Some(root.to_owned());
    let wanted = [
        ("client-management.cx-other".to_owned(), cause.clone()),
        (root.to_owned(), None),
        ("threat-response.failure-dec".to_owned(), cause),
    ];
    assert_eq!(causes(&report), wanted);

    let text = machine.duplicate().run(&[&arguments[..], &["--color", "never"]].concat()).stdout;
    let at = |id: &str| text.lines().position(|line| line.contains(id)).unwrap();
    let under = |id: &str| text.lines().nth(at(id)).unwrap().contains('└');
    assert!(
        !under(root) && under("client-management.cx-other") && under("threat-response.failure-dec"),
        "{text}"
    );
    assert!(at(root) < at("client-management.cx-other"), "{text}");

    // A failure of another extension has nothing to do with it.
    lab.clear_faults();
    lab.inject("stream-extension-failures").unwrap();
    let report = machine.run(&[&arguments[..], &["-o", "json"]].concat()).json();
    assert_eq!(causes(&report), [("client-management.cx-other".to_owned(), None)]);
}
