//! What is kept between runs, as a user meets it: changes, `history`, `diff` and `trend`, as processes, against the lab.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tancheck_e2e::Machine;
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";

/// A machine with a plugin, and the deployment it looks at.
fn site() -> (Machine, Lab) {
    let lab = Lab::builder().endpoints(50).now(NOW.parse().unwrap()).question_ms(1..=1).start().unwrap();
    let machine = Machine::with(&["tancheck-actions"]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    (machine, lab)
}

#[test]
fn only_what_is_new_fails_where_that_was_asked_for() {
    let (machine, lab) = site();
    let run = |now: &str, more: &[&str]| machine.run(&[&["run", "--now", now, "-o", "json"], more].concat());
    let _ = run(NOW, &["--fail-on", "never"]);
    lab.inject("failing-action").unwrap();
    let fail_on = ["--check", "actions.failing", "--fail-on", "new:medium"];
    let first = run("2026-07-01T12:00:00Z", &fail_on).exits(1).json();
    let finding = &first["checks"][0]["findings"][0];
    assert_eq!((finding["change"].as_str(), finding["times_seen"].as_u64()), (Some("new"), Some(1)));
    assert_eq!(first["exit"]["reasons"][0]["says"], "1 new finding of severity medium or worse");
    let second = run("2026-07-02T12:00:00Z", &fail_on).exits(0).json();
    let finding = &second["checks"][0]["findings"][0];
    assert_eq!((finding["change"].as_str(), finding["times_seen"].as_u64()), (Some("unchanged"), Some(2)));
    assert_eq!(finding["first_seen"], "2026-07-01T12:00:00Z");
    assert_eq!((second["changes"]["unchanged"].as_u64(), second["number"].as_i64()), (Some(1), Some(3)));
    let _ = run("2026-07-03T12:00:00Z", &["--check", "actions.failing", "--fail-on", "medium"]).exits(1);
}
