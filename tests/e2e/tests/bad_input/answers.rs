//! Answers that arrive whole and are not what they should be: empty, unknown words, sentinels, never complete.

use crate::relay::Relay;
use crate::site::{Report, Site, lab};
use serde_json::{Value, json};
use tancheck_lab::Behaviour;

const CONNECT: &[&str] = &["tancheck-connect"];

/// Runs against the lab with one route's body changed; everything else is the lab's own.
fn with_changed(
    site: &Site,
    route: &'static str,
    change: impl Fn(Value) -> Value + Send + Sync + 'static,
    code: Option<i32>,
) -> Report {
    let relay = Relay::to(&site.lab.url(), move |path, body| {
        let path = path.split('?').next().unwrap_or_default();
        (path == route).then(|| change(serde_json::from_str(body).unwrap()).to_string())
    });
    let set = format!("deployment.url={}", relay.url);
    site.report(&["--set", &set], code)
}

/// Sets a field of every row.
fn in_every_row(mut body: Value, field: &str, value: &Value) -> Value {
    let rows = if body.is_array() { &mut body } else { &mut body["data"] };
    for row in rows.as_array_mut().unwrap() {
        row[field] = value.clone();
    }
    body
}

#[test]
fn a_relay_that_changes_nothing_changes_nothing() {
    let mut site = Site::new(CONNECT);
    let before = site.settle();
    let report = with_changed(&site, "/nowhere", |body| body, Some(0));
    assert_eq!(report.costs(&before, &[]), [""; 0]);
}

#[test]
fn an_empty_list_proves_nothing() {
    let mut site = Site::new(CONNECT);
    let before = site.settle();
    let route = "/plugin/products/connect/v1/connections";
    let empty = |code| with_changed(&site, route, |_| json!([]), Some(code));
    // An account that sees everything sees that there is nothing to judge, which is not the same as healthy.
    let report = empty(0);
    for check in report.checks() {
        assert_eq!(check["outcome"], "not-applicable", "{check:#}");
        assert!(check["reason"].as_str().unwrap().contains("no connection is listed"), "{check:#}");
    }
    // One that sees only its own connections has seen nothing.
    site.lab.withhold_privilege("connect read all");
    let report = empty(3);
    let cost = report.costs(&before, &["no connection is listed"]);
    assert!(cost.contains(&"connect.failed-connections"), "{cost:?}");
    assert_eq!(report.ids("pass"), [""; 0]);
}

#[test]
fn unknown_words_are_not_taken_for_health() {
    let mut site = Site::new(CONNECT);
    let before = site.settle();
    let route = "/plugin/products/connect/v1/connections";
    let report =
        with_changed(&site, route, |body| in_every_row(body, "lastRunStatus", &json!("Quantum")), Some(3));
    let cost = report.costs(&before, &["Quantum"]);
    assert!(cost.contains(&"connect.failed-connections"), "{cost:?}");
}

#[test]
fn sentinels_are_not_values() {
    let mut site = Site::new(CONNECT);
    let before = site.settle();
    let route = "/plugin/products/connect/v1/connections";
    for value in [json!(null), json!(""), json!("0001-01-01T00:00:00Z"), json!("never"), json!([]), json!(-1)]
    {
        let sentinel = value.clone();
        let change = move |body| in_every_row(body, "lastRunTime", &sentinel);
        let report = with_changed(&site, route, change, None);
        for check in report.checks() {
            assert_ne!(check["outcome"], "crashed", "{value}: {check:#}");
        }
        assert_eq!(report.checks().count(), before.checks().count(), "{value}");
    }
}

#[test]
fn a_module_that_is_not_installed() {
    let mut site = Site::new(&["tancheck-actions", "tancheck-connect"]);
    let before = site.settle();
    site.lab.inject("connect-missing").unwrap();
    // Named checks of a module that is not there are decided: they do not apply.
    let report = site.report(&[], Some(0));
    for check in report.checks() {
        let id = check["id"].as_str().unwrap();
        if id.starts_with("connect.") {
            assert_eq!(check["outcome"], "not-applicable", "{check:#}");
            assert!(check["reason"].as_str().unwrap().contains("is not imported"), "{check:#}");
        } else {
            assert_eq!(check["outcome"], before.check(id)["outcome"]);
        }
    }
    // The list of solutions cannot be read either: then the module's own 404 has the word.
    site.lab.behaviour("/api/v2/solutions*", Behaviour::Status(404, None));
    site.lab.behaviour("/api/v2/*solutions*", Behaviour::Status(404, None));
    let report = site.report(&[], Some(3));
    assert!(report.told().contains("the imported solutions cannot be read"), "{}", report.told());
    let told = "the module is not installed, or its service has no such route (HTTP 404";
    let cost = report.costs(&before, &["/plugin/products/connect/", told]);
    assert!(!cost.is_empty() && cost.iter().all(|id| id.starts_with("connect.")), "{cost:?}");
}

#[test]
fn a_question_that_never_completes_proves_no_health() {
    let mut site = Site::of(lab(), &["tancheck-actions", "tancheck-client-management"], "");
    let before = site.settle();
    site.lab.behaviour("/api/v2/result_info/*", Behaviour::NeverCompletes);
    let limits = ["--set", "limits.question_timeout=10s", "--set", "limits.questions_in_flight=64"];
    let report = site.report(&limits, Some(3));
    let cost = report.costs(&before, &[]);
    assert!(!cost.is_empty());
    for id in cost {
        let reason = report.check(id)["reason"].as_str().unwrap();
        assert!(reason.contains('%') || reason.contains(" of "), "{id} does not tell the share: {reason}");
    }
    assert!(report.ids("pass").iter().any(|id| id.starts_with("actions.")), "{:#}", report.0);
    assert_eq!(site.history().last(), Some(&3));
}
