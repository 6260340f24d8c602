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

/// The products that connect through Direct Connect and are in the lab.
const CONSUMERS: [&str; 4] = ["client-management", "performance", "reveal", "threat-response"];

#[test]
fn what_products_lose_stands_under_what_took_it_from_them() {
    let lab = Lab::builder().endpoints(50).now(NOW.parse().unwrap()).start().unwrap();
    let machine = Machine::with(&["tancheck-direct-connect"]);
    let listeners: Vec<String> =
        lab.listeners().into_iter().map(|(name, address)| format!("{name}={address}")).collect();
    let probe = format!(
        "[limits]\nprobe_pause = \"0s\"\nprobe_timeout = \"700ms\"\nretries = 0\n[probe]\nconnect_to = {listeners:?}\nvantage = \"endpoint-internal\"\nquick = true\n"
    );
    let settings = "[modules.direct-connect]\nendpoint_fqdn = \"dc.lab.example\"\n";
    machine.configure_deployment(&lab.url(), lab.token(), &format!("id = \"lab\"\n{probe}{settings}"));
    let answer = |name: &str, value: &str| {
        let input = format!("direct-connect.{name}");
        let _ = machine.run(&["answer", &input, value, "--by", "ann", "--at", "2026-06-29"]).exits(0);
    };
    answer("open-steps", "none");
    answer("client-certificate", "2027-06-30");
    let (port, service) = ("direct-connect.port-module-17475", "direct-connect.service-running");
    let server = "direct-connect.cert-server-expiry";
    let integrations = CONSUMERS.map(|name| format!("direct-connect.integration-{name}"));
    let checks = integrations.iter().map(String::as_str).chain([port, service, server]);
    let mut arguments = vec!["run", "--now", NOW];
    arguments.extend(checks.flat_map(|check| ["--check", check]));
    let found = || causes(&machine.run(&[&arguments[..], &["-o", "json"]].concat()).json());
    let under = |root: &str, others: &[(&str, Option<&str>)]| {
        let lost = integrations.iter().map(|check| (check.clone(), Some(root.to_owned())));
        let others = others.iter().map(|(check, cause)| ((*check).to_owned(), cause.map(str::to_owned)));
        let mut all: Vec<_> = lost.chain(others).collect();
        all.sort();
        all
    };

    assert_eq!(found(), []);
    lab.inject("direct-connect-port-17475-refused").unwrap();
    assert_eq!(found(), under(port, &[(port, None)]));
    // A service that is down has no listener either.
    lab.inject("direct-connect-service-down").unwrap();
    assert_eq!(found(), under(service, &[(port, Some(service)), (service, None)]));
    lab.clear_faults();
    lab.inject("direct-connect-server-certificate-expired").unwrap();
    assert_eq!(found(), under(server, &[(server, None)]));
    let text = machine.run(&[&arguments[..], &["--color", "never"]].concat()).stdout;
    let is_under =
        |check: &String| text.lines().any(|line| line.contains('└') && line.contains(check.as_str()));
    assert!(integrations.iter().all(is_under), "{text}");
    // What will expire keeps nobody from connecting yet.
    lab.clear_faults();
    lab.inject("direct-connect-server-certificate-expiring").unwrap();
    assert_eq!(found(), [(server.to_owned(), None)]);
}
