//! One case for each sentence of the rules about TLS.

use super::super::samples::{failed, refused, seen};
use super::*;
use Vantage::{Admin, EndpointInternal, ModuleServer};
use tancheck_plugin_api::records::probe::{Stage, Suite, Vantage};
use tancheck_plugin_api::testing::Case;

const LISTENER: &str = "dc.example.com:17475";

fn case(check: &'static Check, probes: &[Probe]) -> Case {
    let case = Case::of(check).probes(&MODULE, probes);
    ALL_READ[1..].iter().fold(case, |case, input| case.probes(input, &[]))
}

fn changed(vantage: Vantage, change: impl FnOnce(&mut Probe)) -> Probe {
    let mut probe = seen(17475, vantage);
    change(&mut probe);
    probe
}

fn alert(vantage: Vantage, number: u8) -> Probe {
    let mut probe = failed(17475, vantage, Stage::Greeting, Trouble::Alert);
    probe.alert = Some(number);
    probe
}

#[test]
fn every_check_needs_a_flight() {
    for check in [&PROTOCOL, &SUITES_CHECK, &KEY, &MUTUAL] {
        let good = case(check, &[seen(17475, Admin)]);
        good.judge().assert_pass();
        good.assert_needs_its_inputs();
        case(check, &[refused(17475, EndpointInternal)]).judge().assert_undecided(Outcome::NotEvaluated);
        let away = case(check, &[refused(17475, Admin)]).judge();
        away.assert_undecided(Outcome::NotEvaluated);
        assert!(away.undecided().unwrap().reason.contains(check.id()), "it names the check to run there");
        let both = case(check, &[refused(17475, Admin), seen(17475, EndpointInternal)]);
        both.judge().assert_pass();
    }
}

#[test]
fn other_versions_are_found_where_they_count() {
    for trouble in [Trouble::WrongVersion, Trouble::NotTls] {
        let wrong = |vantage| failed(17475, vantage, Stage::Greeting, trouble);
        case(&PROTOCOL, &[wrong(EndpointInternal)]).judge().assert_findings(&[LISTENER]);
        case(&PROTOCOL, &[wrong(ModuleServer)]).judge().assert_findings(&[LISTENER]);
        case(&PROTOCOL, &[wrong(Admin)]).judge().assert_undecided(Outcome::NotEvaluated);
    }
    case(&PROTOCOL, &[alert(ModuleServer, 70)]).judge().assert_findings(&[LISTENER]);
    case(&PROTOCOL, &[alert(ModuleServer, 40)]).judge().assert_pass();
}

#[test]
fn suites_count_by_the_kind_of_key() {
    case(&SUITES_CHECK, &[alert(ModuleServer, 40)]).judge().assert_findings(&[LISTENER]);
    case(&SUITES_CHECK, &[alert(ModuleServer, 71)]).judge().assert_findings(&[LISTENER]);
    case(&SUITES_CHECK, &[alert(ModuleServer, 80)]).judge().assert_undecided(Outcome::NotEvaluated);
    case(&SUITES_CHECK, &[alert(Admin, 40)]).judge().assert_undecided(Outcome::NotEvaluated);
    let fewer = changed(Admin, |probe| {
        let gcm = |suite: &Suite| suite.name.contains("GCM") && suite.name.contains("-RSA-");
        for suite in probe.suites.iter_mut().filter(|suite| gcm(suite)) {
            suite.result = SuiteResult::RefusedByClose;
        }
    });
    let found = case(&SUITES_CHECK, &[fewer]).judge();
    found.assert_findings(&[LISTENER]);
    assert_eq!(found.findings()[0].severity, Some(Severity::Info));
    assert!(found.findings()[0].says.contains("2 of the 4 suites"), "{}", found.findings()[0].says);
    let curved = changed(Admin, |probe| {
        probe.certificates[0].key = "EC".to_owned();
        for suite in &mut probe.suites {
            let fits = suite.name.contains("-ECDSA-");
            suite.result = if fits { SuiteResult::Accepted } else { SuiteResult::Refused };
        }
    });
    case(&SUITES_CHECK, &[curved]).judge().assert_pass();
    let quick = case(&SUITES_CHECK, &[changed(Admin, |probe| probe.suites.clear())]).judge();
    quick.assert_pass();
    assert!(quick.notes()[0].contains("--quick"));
    let odd = failed(17475, Admin, Stage::Negotiation, Trouble::WrongSuite);
    case(&SUITES_CHECK, &[odd]).judge().assert_findings(&[LISTENER]);
}

#[test]
fn keys_are_judged_by_kind_and_length() {
    let with = |kind: &str, bits: Option<u32>| {
        case(
            &KEY,
            &[changed(Admin, |probe| {
                kind.clone_into(&mut probe.certificates[0].key);
                probe.certificates[0].key_bits = bits;
            })],
        )
    };
    let severity = |case: &Case| {
        let verdict = case.judge();
        verdict.assert_findings(&[LISTENER]);
        verdict.findings()[0].severity
    };
    assert_eq!(severity(&with("RSA", Some(2047))), Some(Severity::High));
    assert_eq!(severity(&with("EC", Some(256))), Some(Severity::Low));
    with("RSA", Some(2048)).judge().assert_pass();
    let long = with("RSA", Some(4096)).judge();
    long.assert_pass();
    assert!(long.notes()[0].contains("4096"));
    with("RSA", None).judge().assert_undecided(Outcome::NotEvaluated);
    let unreadable = changed(Admin, |probe| "garbage".clone_into(&mut probe.certificates[0].unreadable));
    case(&KEY, &[unreadable]).judge().assert_undecided(Outcome::NotEvaluated);
}

#[test]
fn a_listener_that_does_not_ask_is_found_wherever_it_is_seen() {
    let open = |vantage| changed(vantage, |probe| probe.client_certificate = Some(false));
    case(&MUTUAL, &[open(Admin)]).judge().assert_findings(&[LISTENER]);
    let one_network = case(&MUTUAL, &[seen(17475, Admin), open(EndpointInternal)]).judge();
    one_network.assert_findings(&[LISTENER]);
    assert!(one_network.findings()[0].says.contains("from an internal endpoint"));
}

#[test]
fn names_match_as_certificates_mean_them() {
    for (name, host, wanted) in [
        ("dc.example.com", "DC.example.com", true),
        ("*.example.com", "dc.example.com", true),
        ("*.example.com", "a.dc.example.com", false),
        ("*.example.com", "example.com", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("::1", "0:0:0:0:0:0:0:1", true),
        ("other", "dc.example.com", false),
    ] {
        assert_eq!(is_for(name, host), wanted, "{name} {host}");
    }
    let good = Case::of(&NAME).probes(&MODULE, &[seen(17475, Admin)]);
    good.judge().assert_pass();
    good.assert_needs_its_inputs();
    let by_common_name = changed(Admin, |probe| probe.certificates[0].names.clear());
    Case::of(&NAME).probes(&MODULE, &[by_common_name]).judge().assert_pass();
    let other = changed(Admin, |probe| probe.certificates[0].names = vec!["ms1".to_owned()]);
    Case::of(&NAME).probes(&MODULE, &[other]).judge().assert_findings(&[LISTENER]);
}

#[test]
fn interception_takes_two_places() {
    let pair = |other: Probe| case(&INTERCEPTION, &[seen(17475, ModuleServer), other]);
    pair(seen(17475, EndpointInternal)).judge().assert_pass();
    pair(seen(17475, EndpointInternal)).assert_needs_its_inputs();
    pair(seen(17475, ModuleServer)).judge().assert_undecided(Outcome::NotEvaluated);
    pair(refused(17475, EndpointInternal)).judge().assert_undecided(Outcome::NotEvaluated);
    let replaced = changed(EndpointInternal, |probe| probe.certificates[0].sha256 = "ab".repeat(32));
    let found = pair(replaced).judge();
    found.assert_findings(&[LISTENER]);
    assert!(found.findings()[0].says.contains("abababababababab to an internal endpoint"));
    let issued = changed(Admin, |probe| probe.certificates[0].issuer = "CN=Corp Inspection CA 2".to_owned());
    let inspected = case(&INTERCEPTION, &[issued]).setting("inspection_issuers", vec!["corp inspection"]);
    inspected.judge().assert_findings(&[LISTENER]);
}
