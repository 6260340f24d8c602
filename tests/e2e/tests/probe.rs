//! Probes as a user meets them: the plan, a run from several places, evidence that is merged, and what is wrong with
//! targets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

const PORT: &str = "direct-connect.port-module-17475";
const ZONE: &str = "direct-connect.port-zone-module-17487";

const TARGETS: &str = "[modules]\nenable = [\"direct-connect\"]\n[modules.direct-connect]\nendpoint_fqdn = \"dc.lab.example\"\nzone_proxy_module_hosts = [\"zs-inside.lab.example\"]\n";

fn machine(lab: &Lab, modules: &str) -> Machine {
    let machine = Machine::with(&["tancheck-direct-connect"]);
    let listeners: Vec<String> =
        lab.listeners().into_iter().map(|(name, address)| format!("{name}={address}")).collect();
    let probe = format!(
        "[limits]\nprobe_pause = \"0s\"\nprobe_timeout = \"700ms\"\n[probe]\nconnect_to = {listeners:?}\n"
    );
    machine.configure_deployment(&lab.url(), lab.token(), &format!("{probe}{modules}"));
    machine
}

fn lab() -> Lab {
    Lab::builder().endpoints(50).start().unwrap()
}

/// One check of a run, with the whole report.
fn run(machine: &Machine, lab: &Lab, check: &str, more: &[&str]) -> (Value, Value) {
    let now = lab.now().to_string();
    let ran = machine.run(&[&["run", "--now", &now, "--check", check, "-o", "json"], more].concat());
    assert!(matches!(ran.code, Some(0 | 1 | 3)), "{ran:#?}");
    let report = ran.json();
    let found = report["checks"].as_array().unwrap().iter().find(|one| one["id"] == check).unwrap().clone();
    (found, report)
}

#[test]
fn the_plan_names_each_listener_and_makes_no_connection() {
    let lab = lab();
    let machine = machine(&lab, TARGETS);
    let plan = machine.run(&["plan", "--check", PORT, "--check", ZONE, "-o", "json"]).exits(0).json();
    let requests: Vec<&str> = plan["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|request| request["kind"] == "probe")
        .map(|request| request["request"].as_str().unwrap())
        .collect();
    let wanted = [
        "probe dc.lab.example:17475 from admin, up to 9 handshakes",
        "probe zs-inside.lab.example:17487 from admin, up to 9 handshakes",
    ];
    assert_eq!(requests, wanted);
    let quick = machine.run(&["plan", "--check", PORT, "--quick", "--vantage", "module-server"]).exits(0);
    assert!(
        quick.stdout.contains("probe dc.lab.example:17475 from module-server, 1 handshake"),
        "{}",
        quick.stdout
    );
}

#[test]
fn a_failure_counts_where_the_connections_come_from_and_evidence_carries_it() {
    let lab = lab();
    let machine = machine(&lab, TARGETS);
    let (healthy, _) = run(&machine, &lab, PORT, &[]);
    assert_eq!(healthy["outcome"], "pass", "{healthy}");
    lab.inject("direct-connect-port-17475-refused").unwrap();
    let (here, _) = run(&machine, &lab, PORT, &[]);
    assert_eq!(here["outcome"], "not-evaluated", "{here}");
    let reason = here["reason"].as_str().unwrap();
    assert!(
        reason.contains("tancheck run --check direct-connect.port-module-17475 --vantage endpoint-internal"),
        "{reason}"
    );
    let (there, report) = run(&machine, &lab, PORT, &["--vantage", "endpoint-internal"]);
    assert_eq!(
        (&there["outcome"], &there["findings"][0]["severity"]),
        (&"finding".into(), &"critical".into()),
        "{there}"
    );
    assert_eq!(report["probes"][0]["trouble"], "refused");
    let file = machine.path("endpoint, one.json").display().to_string();
    std::fs::write(&file, report.to_string()).unwrap();
    lab.clear_faults();
    let (merged, report) = run(&machine, &lab, PORT, &["--merge-evidence", &file]);
    assert_eq!(
        (&merged["outcome"], &merged["findings"][0]["severity"]),
        (&"finding".into(), &"high".into()),
        "{merged}"
    );
    assert_eq!(
        report["probes"].as_array().unwrap().len(),
        1,
        "a report holds what was seen from its own place"
    );
    for (check, vantage) in [(ZONE, "module-server"), ("direct-connect.port-zone-17488", "module-server")] {
        assert_eq!(run(&machine, &lab, check, &[]).0["outcome"], "not-evaluated");
        assert_eq!(run(&machine, &lab, check, &["--vantage", vantage]).0["outcome"], "pass");
    }
    let exposed = run(&machine, &lab, "direct-connect.port-exposure", &["--vantage", "endpoint-external"]).0;
    assert_eq!(exposed["findings"].as_array().unwrap().len(), 3, "{exposed}");
}

#[test]
fn a_deployment_that_is_out_of_reach_leaves_the_probes() {
    let lab = lab();
    let machine = machine(&lab, TARGETS);
    let url = "deployment.url=http://127.0.0.1:9";
    let ran = machine
        .run(&["run", "--check", PORT, "--vantage", "endpoint-internal", "--set", url, "-o", "json"])
        .exits(5);
    let report = ran.json();
    assert_eq!(report["probes"][0]["stage"], "flight", "{report}");
    assert_eq!(report["probes"][0]["vantage"], "endpoint-internal");
}

#[test]
fn without_a_target_the_setting_is_named_and_nothing_passes() {
    let lab = lab();
    let machine = machine(&lab, "[modules]\nenable = [\"direct-connect\"]\n");
    for check in [
        PORT,
        "direct-connect.tls-protocol",
        "direct-connect.cert-server-expiry",
        "direct-connect.endpoint-fqdn-set",
    ] {
        let (found, report) = run(&machine, &lab, check, &[]);
        assert_eq!(found["outcome"], "not-evaluated", "{found}");
        assert_eq!(found["reason"], "set `endpoint_fqdn` under [modules.direct-connect]");
        assert!(report.get("probes").is_none(), "nothing was probed");
    }
    let (zone, _) = run(&machine, &lab, ZONE, &[]);
    assert_eq!(zone["outcome"], "not-applicable", "{zone}");
    assert!(zone["reason"].as_str().unwrap().contains("`zone_proxy_module_hosts`"));
}

#[test]
fn bad_targets_and_bad_evidence_are_told() {
    let lab = lab();
    let fqdn = |text: &str| machine(&lab, &TARGETS.replace("dc.lab.example", text));
    let outcome = |machine: &Machine, check: &str| {
        let (found, _) = run(machine, &lab, check, &["--vantage", "endpoint-internal"]);
        (found["outcome"].as_str().unwrap().to_owned(), found.to_string())
    };
    let web = fqdn("https://dc.lab.example:17475");
    let (said, why) = outcome(&web, PORT);
    assert_eq!(said, "not-evaluated", "{why}");
    assert!(why.contains("a scheme; only a host and a port are probed"), "{why}");
    assert_eq!(outcome(&web, "direct-connect.endpoint-fqdn-format").0, "finding");
    assert_eq!(outcome(&fqdn("127.0.0.1"), "direct-connect.endpoint-fqdn-format").0, "finding");
    assert_eq!(outcome(&fqdn(""), "direct-connect.endpoint-fqdn-set").0, "finding");
    assert_eq!(outcome(&fqdn("::1"), PORT).0, "finding", "nothing listens on that address");
    let out_of_range = machine(&lab, &format!("{TARGETS}endpoint_port = 99999\n"));
    assert_eq!(outcome(&out_of_range, "direct-connect.endpoint-port").0, "finding");
    let ran = web.run(&["run", "--merge-evidence", "nowhere.json"]).exits(2);
    assert!(ran.stderr.contains("nowhere.json"), "{}", ran.stderr);
    let ran = web.run(&["run", "--vantage", "moon"]).exits(2);
    assert!(ran.stderr.contains("endpoint-internal"), "{}", ran.stderr);
}

#[test]
fn each_target_that_is_none_has_a_row_of_its_own() {
    let lab = lab();
    let targets =
        ["nowhere.invalid", "[::1]:1", "[::1]:99999", "zs.example.com:0", "zs.example.com:port", "a b"];
    let machine = machine(&lab, &TARGETS.replace("[\"zs-inside.lab.example\"]", &format!("{targets:?}")));
    let (found, _) = run(&machine, &lab, ZONE, &["--vantage", "module-server"]);
    // Two are listeners that nobody reaches; the others are no listeners.
    let subjects: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["subject"]["key"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["[::1]:1", "nowhere.invalid:17487"], "{found:#}");
    let reason = found["reason"].as_str().unwrap_or_default();
    for target in &targets[2..] {
        assert!(reason.contains(target), "{target}: {reason}");
    }
}

#[test]
fn listeners_that_drip_flood_or_talk_nonsense_cost_their_rows_and_no_more() {
    let lab = lab();
    let machine = machine(&lab, TARGETS);
    let checks = ["port-module-17475", "tls-key", "cert-server-present", "cert-server-expiry"];
    for (fault, words) in [
        ("direct-connect-listener-drips", "not complete within"),
        ("direct-connect-listener-flood", "more than 64 KiB"),
        ("direct-connect-listener-silent", "says nothing within"),
        ("direct-connect-listener-http", "plain HTTP"),
        ("direct-connect-server-certificate-nonsense", "no certificate"),
    ] {
        lab.inject(fault).unwrap();
        let now = lab.now().to_string();
        let mut arguments =
            vec!["run", "--now", &now, "--vantage", "endpoint-internal", "-vvv", "-o", "json"];
        let names: Vec<String> = checks.iter().map(|check| format!("direct-connect.{check}")).collect();
        arguments.extend(names.iter().flat_map(|check| ["--check", check.as_str()]));
        let ran = machine.run(&arguments);
        assert!(matches!(ran.code, Some(1 | 3)), "{fault}: {ran:#?}");
        let report = ran.json();
        let rows = report["checks"].as_array().unwrap();
        let passed: Vec<&Value> = rows.iter().filter(|row| row["outcome"] == "pass").collect();
        let allowed = fault.ends_with("nonsense");
        assert!(passed.iter().all(|row| allowed && row["id"] == PORT), "{fault}: {passed:#?}");
        assert_eq!(rows.len(), checks.len(), "{fault}");
        assert!(report.to_string().contains(words), "{fault}: {report:#}");
        // A megabyte that was sent is not kept.
        assert!(ran.stdout.len() < 100_000, "{fault}: {} bytes", ran.stdout.len());
        assert!(!ran.stdout.contains(lab.token()) && !ran.stderr.contains(lab.token()), "{fault}");
        lab.clear_faults();
    }
}

#[test]
fn the_console_is_greeted_where_the_configuration_says_that_it_is() {
    const ROTATION: &str = "certificates.console-rotation";
    const LIST: &str = "/api/v2/https_certificates";
    let site = |lab: &Lab| {
        let machine = Machine::with(&["tancheck-certificates"]);
        let authority = lab.authority_pem().map(|_| {
            let file = machine.path("authority.pem");
            lab.write_authority(&file).unwrap();
            format!("ca_file = {:?}\n", file.display().to_string())
        });
        let retries = "[limits]\nretries = 0\nprobe_pause = \"0s\"\n";
        let more = format!("{}{retries}", authority.unwrap_or_default());
        machine.configure_deployment(&lab.url(), lab.token(), &more);
        machine
    };
    let notes =
        |row: &Value| row["notes"].as_array().unwrap().iter().map(Value::to_string).collect::<String>();

    let secure = Lab::builder().endpoints(10).tls().start().unwrap();
    let machine = site(&secure);
    let plan = machine.run(&["plan", "--check", ROTATION, "-o", "json"]).exits(0).json();
    let listener = secure.url().trim_start_matches("https://").to_owned();
    let wanted = format!("probe {listener} from admin, 1 handshake");
    let requests = plan["requests"].as_array().unwrap();
    assert!(requests.iter().any(|request| request["request"] == wanted.as_str()), "{plan:#}");
    // The lab lists other certificates than it presents, as a server behind a load balancer does.
    let (both, report) = run(&machine, &secure, ROTATION, &[]);
    assert_eq!(both["outcome"], "pass", "{both:#}");
    assert!(notes(&both).contains("the server does not list the certificate of the Console"), "{both:#}");
    assert_eq!(report["probes"].as_array().unwrap().len(), 1);
    assert_eq!(report["probes"][0].get("suites"), None, "one greeting");
    // What is presented is enough; it was not there to see before.
    secure.behaviour(LIST, tancheck_lab::Behaviour::Status(403, None));
    assert_eq!(run(&machine, &secure, ROTATION, &[]).0["outcome"], "pass");
    assert_eq!(run(&machine, &secure, "certificates.console-self-signed", &[]).0["outcome"], "pass");

    // Without TLS nothing is presented, and nothing but the list decides.
    let plain = lab();
    let machine = site(&plain);
    let plan = machine.run(&["plan", "--check", ROTATION, "-o", "json"]).exits(0).stdout;
    assert!(!plan.contains("handshake"), "{plan}");
    assert_eq!(run(&machine, &plain, ROTATION, &[]).0["outcome"], "pass");
    plain.behaviour(LIST, tancheck_lab::Behaviour::Status(403, None));
    assert_ne!(run(&machine, &plain, ROTATION, &[]).0["outcome"], "pass");
}
