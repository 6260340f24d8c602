//! One case for each sentence of the rules about the connection setting.

use super::super::samples::{failed, refused, seen};
use super::*;
use Vantage::{Admin, EndpointInternal, ModuleServer};
use tancheck_plugin_api::records::probe::Stage;
use tancheck_plugin_api::testing::Case;

const LISTENER: &str = "dc.example.com:17475";

fn written(text: &str, trouble: Option<Trouble>) -> Probe {
    let stage = if trouble.is_some() { Stage::Target } else { Stage::Flight };
    Probe { target: text.to_owned(), host: String::new(), trouble, stage, ..seen(17475, Admin) }
}

fn of(check: &'static Check, probes: &[Probe]) -> Case {
    Case::of(check).probes(&MODULE, probes)
}

#[test]
fn an_empty_field_is_found() {
    of(&FQDN_SET, &[seen(17475, Admin)]).judge().assert_pass();
    of(&FQDN_SET, &[seen(17475, Admin)]).assert_needs_its_inputs();
    let empty = written("", Some(Trouble::NoTarget));
    of(&FQDN_SET, std::slice::from_ref(&empty)).judge().assert_findings(&["endpoint-fqdn"]);
    of(&FQDN_FORMAT, &[empty]).judge().assert_undecided(Outcome::NotEvaluated);
    of(&FQDN_SET, &[]).judge().assert_undecided(Outcome::NotEvaluated);
}

#[test]
fn formats_have_their_severities() {
    for (text, severity) in [
        ("dc.example.com", None),
        ("dc.example.com.", None),
        ("10.0.0.7", None),
        ("dc", Some(Severity::Low)),
        ("2001:db8::1", Some(Severity::Low)),
        ("[2001:db8::1]", Some(Severity::Low)),
        ("localhost", Some(Severity::Critical)),
        ("127.0.0.1", Some(Severity::Critical)),
        ("0.0.0.0", Some(Severity::Critical)),
        ("169.254.1.1", Some(Severity::Critical)),
        ("https://dc.example.com", Some(Severity::High)),
        ("dc.example.com/x", Some(Severity::High)),
        ("dc.example.com:17475", Some(Severity::High)),
        (" dc.example.com", Some(Severity::High)),
        ("*.example.com", Some(Severity::Critical)),
        ("dc_1.example.com", Some(Severity::Critical)),
        ("dc..example.com", Some(Severity::Critical)),
        ("10.0.0", Some(Severity::Critical)),
    ] {
        assert_eq!(trouble_of(text).map(|(severity, _)| severity), severity, "{text}");
    }
    assert_eq!(trouble_of(&"a.".repeat(200)).map(|(severity, _)| severity), Some(Severity::Critical));
    let found = of(&FQDN_FORMAT, &[written("https://dc", Some(Trouble::BadTarget))]).judge();
    found.assert_findings(&["endpoint-fqdn"]);
    assert_eq!(found.findings()[0].severity, Some(Severity::High));
    of(&FQDN_FORMAT, &[Probe { target: "dc.example.com".to_owned(), ..seen(17475, Admin) }])
        .judge()
        .assert_pass();
    of(&FQDN_FORMAT, &[seen(17475, Admin)]).assert_needs_its_inputs();
}

#[test]
fn a_name_has_to_lead_to_the_module_server() {
    let case =
        |probes: &[Probe]| of(&FQDN_RESOLVES, probes).setting("module_server_addresses", vec!["192.0.2.7"]);
    case(&[seen(17475, EndpointInternal)]).judge().assert_pass();
    case(&[seen(17475, EndpointInternal)]).assert_needs_its_inputs();
    case(&[refused(17475, EndpointInternal)]).judge().assert_pass();
    let here = case(&[seen(17475, Admin)]).judge();
    here.assert_pass();
    assert!(here.notes()[0].contains("proves more"), "{:?}", here.notes());
    let lost = |vantage| failed(17475, vantage, Stage::Resolve, Trouble::NoName);
    let lost = |vantage| Probe { addresses: Vec::new(), ..lost(vantage) };
    case(&[lost(EndpointInternal)]).judge().assert_findings(&[LISTENER]);
    case(&[lost(Admin)]).judge().assert_undecided(Outcome::NotEvaluated);
    case(&[seen(17475, ModuleServer)]).judge().assert_undecided(Outcome::NotEvaluated);
    let stray = Probe { addresses: vec!["192.0.2.9".to_owned()], ..seen(17475, Admin) };
    let found = case(std::slice::from_ref(&stray)).judge();
    found.assert_findings(&[LISTENER]);
    assert_eq!(found.findings()[0].severity, Some(Severity::High));
    let split = of(&FQDN_RESOLVES, &[stray, seen(17475, EndpointInternal)]).judge();
    split.assert_pass();
    let both = tancheck_plugin_api::serde_json::json!(["192.0.2.7", "192.0.2.9"]);
    assert_eq!(split.proposal("module_server_addresses"), Some(&both));
    assert_eq!(case(&[seen(17475, Admin), lost(EndpointInternal)]).judge().proposals(), []);
    assert!(split.notes().iter().any(|note| note.contains("differently")), "{:?}", split.notes());
    let literal = Probe { host: "192.0.2.7".to_owned(), ..seen(17475, Admin) };
    case(&[literal]).judge().assert_undecided(Outcome::NotApplicable);
    case(&[written("a b", Some(Trouble::BadTarget))]).judge().assert_undecided(Outcome::NotEvaluated);
}

#[test]
fn addresses_are_confirmed_by_people() {
    let literal = |text: &str| of(&AUTO_IP, &[Probe { target: text.to_owned(), ..seen(17475, Admin) }]);
    literal("dc.example.com").judge().assert_undecided(Outcome::NotApplicable);
    let open = literal("10.0.0.7").judge();
    open.assert_findings(&["endpoint-fqdn"]);
    assert_eq!(open.findings()[0].severity, Some(Severity::Medium));
    assert_eq!(open.findings()[0].state.as_deref(), Some("10.0.0.7"));
    let wrong = literal("10.0.0.7").setting("tanium_server_addresses", vec!["10.0.0.7"]);
    assert_eq!(wrong.judge().findings()[0].severity, None, "high");
    let same_machine = wrong.setting("module_server_addresses", vec!["10.0.0.7"]).judge();
    assert_eq!(same_machine.findings()[0].severity, Some(Severity::Medium));
    literal("10.0.0.7").assert_needs_its_inputs();
}

#[test]
fn a_port_is_a_number_that_answers() {
    let case = |probes: &[Probe]| of(&PORT, probes).probes(&ZONE_ENDPOINT, &[]).probes(&ZONE_MODULE, &[]);
    case(&[seen(17475, Admin)]).judge().assert_pass();
    case(&[seen(17475, Admin)]).assert_needs_its_inputs();
    for vantage in [EndpointInternal, ModuleServer] {
        case(&[refused(17475, vantage)]).judge().assert_findings(&["endpoint-port"]);
    }
    case(&[refused(17475, Admin)]).judge().assert_pass();
    let bad = || written("dc.example.com", Some(Trouble::BadTarget));
    for number in [0, 65536] {
        case(&[bad()]).setting("endpoint_port", number).judge().assert_findings(&["endpoint-port"]);
    }
    case(&[bad()]).judge().assert_undecided(Outcome::NotEvaluated);
    let moved = |vantage| case(&[seen(17475, vantage)]).setting("endpoint_port", 443);
    assert_eq!(moved(Admin).judge().findings()[0].severity, Some(Severity::Medium));
    moved(EndpointInternal).judge().assert_pass();
    let neighbour = Probe { host: "dc.example.com".to_owned(), port: Some(17475), ..seen(17486, Admin) };
    case(&[seen(17475, Admin)])
        .probes(&ZONE_ENDPOINT, &[neighbour])
        .judge()
        .assert_findings(&["endpoint-port"]);
}
