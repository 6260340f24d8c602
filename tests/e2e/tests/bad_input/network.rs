//! The way to the deployment: names, ports, certificates, proxies, tired servers, broken answers.

use crate::relay::{Counter, nobody};
use crate::site::{Report, Site, decent, lab};
use std::time::Duration;
use tancheck_e2e::Machine;
use tancheck_lab::{Behaviour, Lab};

const PLUGINS: &[&str] = &["tancheck-actions", "tancheck-connect"];
/// A route that some checks need, and others do not.
const ACTIONS: &str = "/api/v2/saved_actions";
const CONNECTIONS: &str = "/plugin/products/connect/v1/connections";

/// A run against an address where no deployment answers: every check is undecided for the same reason.
fn unreachable(machine: &Machine, more: &[&str], words: &[&str]) -> Report {
    let arguments = [&["run", "-o", "json", "--set", "limits.retries=0"], more].concat();
    let ran = decent(machine, &["token-canary"], machine.run(&arguments).exits(5));
    let report = Report(ran.json());
    assert!(report.checks().count() > 10, "{:#}", report.0);
    for word in words {
        assert!(report.told().contains(word), "{word:?}: {}", report.told());
    }
    for check in report.checks() {
        assert!(!matches!(check["outcome"].as_str(), Some("pass" | "finding")), "{check:#}");
    }
    assert!(report.checks().any(|check| check["outcome"] == "unreachable"), "{:#}", report.0);
    // The text says the same, on the same terms.
    let text = machine.run(&[&["run", "--set", "limits.retries=0"], more].concat()).exits(5);
    for word in words {
        let flat = text.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(word), "{word:?} is not in the text:\n{}", text.stdout);
    }
    report
}

fn machine_for(url: &str, more: &str) -> Machine {
    let machine = Machine::with(PLUGINS);
    machine.configure_deployment(url, "token-canary", more);
    machine
}

#[test]
fn a_name_that_does_not_exist() {
    let machine = machine_for("https://tanium.invalid", "");
    unreachable(&machine, &[], &["https://tanium.invalid cannot be resolved", "check deployment.url"]);
}

#[test]
fn a_port_where_nobody_listens() {
    let url = nobody();
    unreachable(&machine_for(&url, ""), &[], &[&format!("{url} refuses connections"), "check the port in"]);
}

#[test]
fn a_server_that_is_not_tanium() {
    let told = ["does not answer like a Tanium server", "check deployment.url"];
    let other = Counter::answering("404 Not Found", r#"{"message":"no such page"}"#);
    unreachable(&machine_for(&other.url, ""), &[], &[&other.url, told[0], told[1], "HTTP 404: no such page"]);
    let other = Counter::answering("200 OK", r#"{"hello":"world"}"#);
    unreachable(&machine_for(&other.url, ""), &[], &[&other.url, told[0], told[1]]);
}

#[test]
fn a_page_or_another_origin_in_the_way() {
    let lab = lab();
    let machine = machine_for(&lab.url(), "");
    lab.behaviour("*", Behaviour::Html);
    unreachable(&machine, &[], &["HTML page instead of data", "check deployment.url and the proxy settings"]);
    lab.clear_behaviours();
    let elsewhere = Counter::answering("200 OK", "{}");
    lab.behaviour("*", Behaviour::RedirectTo(elsewhere.url.clone()));
    let told = format!("redirects to {}, which is not followed", elsewhere.url);
    unreachable(&machine, &[], &[&told, "set deployment.url to it"]);
    assert_eq!(elsewhere.connections(), 0, "the token goes nowhere else");
}

#[test]
fn a_server_that_repeats_the_token_is_quoted_without_it() {
    let lab = lab();
    let machine = Machine::with(PLUGINS);
    machine.configure_deployment(&lab.url(), lab.token(), "");
    // Once while it logs in, once afterwards.
    for (route, code) in [("/api/v2/session/*", 5), (ACTIONS, 3)] {
        lab.behaviour(route, Behaviour::Echo);
        let ran = machine.run(&["run", "-vvv", "--set", "limits.retries=1"]).exits(code);
        let ran = decent(&machine, &[lab.token()], ran);
        let log = ran.stderr.lines().find(|line| line.contains("repeating")).unwrap_or_default();
        for word in ["DEBUG", route.trim_end_matches('*'), "HTTP 503: no answer to [secret]"] {
            assert!(log.contains(word), "{word:?} is not in {log:?} of {}", ran.stderr);
        }
        assert!(ran.stderr.contains("TRACE"), "{}", ran.stderr);
        lab.clear_behaviours();
    }
}

#[test]
fn a_certificate_that_is_not_trusted() {
    let lab = Lab::builder().endpoints(20).tls().start().unwrap();
    let machine = machine_for(&lab.url(), "");
    unreachable(&machine, &[], &["is not trusted", "name it in deployment.ca_file"]);

    let other = Lab::builder().endpoints(20).tls().start().unwrap();
    let ca = machine.path("ca.pem");
    let set = format!("deployment.ca_file={}", ca.display());
    let with_ca = ["--set", set.as_str()];
    other.write_authority(&ca).unwrap();
    let told = format!("{} (deployment.ca_file) does not hold the authority", ca.display());
    unreachable(&machine, &with_ca, &[&told]);
    std::fs::write(&ca, "no certificate").unwrap();
    unreachable(&machine, &with_ca, &["deployment.ca_file", "holds no PEM certificate"]);
    std::fs::remove_file(&ca).unwrap();
    unreachable(&machine, &with_ca, &["deployment.ca_file", "cannot be read"]);

    lab.write_authority(&ca).unwrap();
    machine.write("token", lab.token());
    let ran = machine.run(&[&["run", "-o", "json"], &with_ca[..]].concat());
    let report = Report(decent(&machine, &[lab.token()], ran).json());
    assert!(report.0["decided"].as_u64().unwrap() > 0, "with the right authority it works: {:#}", report.0);
    assert_eq!(report.ids("unreachable"), [""; 0]);
}

#[test]
fn tls_where_the_server_speaks_none() {
    let lab = lab();
    let machine = machine_for(&lab.url().replace("http:", "https:"), "");
    unreachable(
        &machine,
        &[],
        &["does not speak TLS as expected", "check scheme and port in deployment.url"],
    );
}

/// Troubles of one route, and what is said about them.
fn troubles() -> Vec<(Behaviour, &'static [&'static str])> {
    vec![
        (Behaviour::Html, &["HTML page instead of data"]),
        (
            Behaviour::RedirectTo("https://elsewhere.invalid/x".into()),
            &["redirects to https://elsewhere.invalid"],
        ),
        (Behaviour::Truncated, &["broke off"]),
        (Behaviour::Malformed, &["JSON"]),
        (Behaviour::EmptyBody, &["empty"]),
        (Behaviour::WrongEnvelope, &["items"]),
        (Behaviour::Reset, &["broke off before an answer"]),
        (Behaviour::Status(500, None), &["failed (HTTP 500"]),
        (Behaviour::Status(503, Some(3600)), &["HTTP 503", "asks to wait 3600 s"]),
        (Behaviour::Status(404, None), &["HTTP 404"]),
        (Behaviour::Status(403, None), &["HTTP 403"]),
        (Behaviour::Status(418, None), &["HTTP 418"]),
    ]
}

#[test]
fn a_broken_answer_costs_only_the_checks_that_need_it() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    let mut runs = site.history();
    for route in [ACTIONS, CONNECTIONS] {
        for (behaviour, words) in troubles() {
            site.lab.behaviour(route, behaviour.clone());
            let report = site.report(&[], Some(3));
            let words = [&[route], words].concat();
            let cost = report.costs(&before, &words);
            assert!(!cost.is_empty() && cost.len() < before.checks().count(), "{behaviour:?}: {cost:?}");
            let plugin = if route == ACTIONS { "actions." } else { "connect." };
            assert!(cost.iter().all(|id| id.starts_with(plugin)), "{behaviour:?}: {cost:?}");
            site.lab.clear_behaviours();
            runs.push(3);
        }
    }
    assert_eq!(site.report(&[], Some(0)).costs(&before, &[]), [""; 0], "it was the answers");
    runs.push(0);
    assert_eq!(site.history(), runs);
}

#[test]
fn a_busy_server_is_asked_again_and_not_forever() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    let asked = |site: &Site| {
        let requests = site.lab.requests();
        site.lab.clear_requests();
        requests.iter().filter(|request| request.path == ACTIONS).count()
    };
    asked(&site);
    for status in [429, 503] {
        site.lab.behaviour(ACTIONS, Behaviour::Status(status, Some(0)));
        let report = site.report(&["--set", "limits.retries=1"], Some(3));
        let told = [ACTIONS, &format!("HTTP {status}"), "given up after 1 repetitions (limits.retries)"];
        assert!(!report.costs(&before, &told).is_empty());
        assert_eq!(asked(&site), 2);
        site.lab.clear_behaviours();
    }
    // The first answer comes, the second does not, and so on: one repetition is enough for each.
    site.lab.behaviour("*", Behaviour::Flaky(3));
    let report = site.report(&["--set", "limits.retries=8"], Some(0));
    assert_eq!(report.costs(&before, &[]), [""; 0]);
    site.lab.clear_behaviours();
    site.lab.behaviour(ACTIONS, Behaviour::RateLimit(0));
    let report = site.report(&["--set", "limits.retries=1"], Some(3));
    assert!(!report.costs(&before, &["HTTP 429", "lower limits.calls_in_flight"]).is_empty());
}

#[test]
fn a_server_that_goes_away_in_the_middle() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    site.lab.behaviour("*", Behaviour::CutOffAfter(12));
    let report = site.report(&[], Some(3));
    let cost = report.costs(&before, &[&site.lab.url()]);
    assert!(!cost.is_empty());
    assert_eq!(site.history().last(), Some(&3));
}

#[test]
fn a_server_that_is_too_slow() {
    let mut site = Site::new(PLUGINS);
    let before = site.settle();
    site.lab.behaviour(CONNECTIONS, Behaviour::Slow(Duration::from_secs(60)));
    // A busy machine answers the other routes in time.
    let report = site.report(&["--set", "limits.request_timeout=5s"], Some(3));
    let words = [CONNECTIONS, "no complete answer within 5 s (limits.request_timeout)"];
    assert!(!report.costs(&before, &words).is_empty());
    assert!(!report.ids("timed-out").is_empty());
}
