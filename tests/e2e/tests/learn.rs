//! Expected values of the site, learned from what a run sees, as a process: `tancheck learn`, `--write`, and what
//! stands in the way.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tancheck_e2e::{Machine, Ran, Terminal};
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";
const ON_DEFAULT: &str = "actions.scheduled-actions-on-default";
const SUBNETS: &str = "subnets.new-subnets";

const REST: &str = r#"id = "lab"

# Reviewed by ann.
[modules.actions]   # the actions of the site
stale_days = 60     # as the auditors want it
intended_on_default = [
  "Gone for good",  # since 2024
]

# The end.
"#;

fn site() -> (Machine, Lab) {
    let lab = Lab::builder().endpoints(40).now(NOW.parse().unwrap()).question_ms(1..=1).start().unwrap();
    let machine = Machine::with(&["tancheck-actions", "tancheck-subnets"]);
    machine.configure_deployment(&lab.url(), lab.token(), REST);
    (machine, lab)
}

fn file(machine: &Machine) -> PathBuf {
    machine.path("config/tancheck/tancheck.toml")
}

fn text(machine: &Machine) -> String {
    std::fs::read_to_string(file(machine)).unwrap()
}

fn learn(machine: &Machine, more: &[&str]) -> Ran {
    machine.run(&[&["learn", "--now", NOW, "--color", "never"], more].concat())
}

fn as_json(machine: &Machine, more: &[&str], code: i32) -> Value {
    let document = learn(machine, &[more, &["-o", "json"]].concat()).exits(code).json();
    let schema = machine.run(&["schema", "learn"]).exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(wrong, [""; 0]);
    document
}

fn found(machine: &Machine, check: &str) -> u64 {
    let report = machine.run(&["run", "--check", check, "--now", NOW, "-o", "json", "--fail-on", "never"]);
    report.json()["severities"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
}

#[test]
fn what_is_accepted_is_found_no_more_and_comments_survive() {
    let (machine, lab) = site();
    lab.inject("action-on-default").unwrap();
    assert!(found(&machine, ON_DEFAULT) > 0);
    let before = text(&machine);

    let shown = learn(&machine, &[ON_DEFAULT]).exits(0).stdout;
    for words in [
        "modules.actions.intended_on_default  actions.scheduled-actions-on-default",
        "- \"Gone for good\"",
        "[modules.actions]\nintended_on_default = [\"",
        "\"modules.actions.intended_on_default\" = \"who confirmed it, and when\"",
        "To accept it: tancheck learn actions.scheduled-actions-on-default --write --reason TEXT",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    assert_eq!(text(&machine), before, "nothing was changed");
    let document = as_json(&machine, &[ON_DEFAULT], 0);
    let row = &document["proposals"][0];
    assert_eq!((&document["written"], &row["now"]), (&json!(false), &json!(["Gone for good"])));
    assert_eq!(row["removed"], json!(["\"Gone for good\""]));
    assert!(document["run"].as_i64().unwrap() > 1, "it is kept as a run is: {document:#}");

    let reason = "left there by the change board, 2026-06-30";
    let written = learn(&machine, &[ON_DEFAULT, "--write", "--reason", reason]).exits(0).stdout;
    assert!(
        written.contains("1 setting is written to") && written.contains("--check actions.sched"),
        "{written}"
    );
    let after = text(&machine);
    let kept = before.lines().filter(|line| !line.contains("Gone for good"));
    for line in kept.filter(|line| !line.starts_with("intended_on_default") && *line != "]") {
        assert!(after.lines().any(|other| other == line), "{line:?} is gone:\n{after}");
    }
    assert!(after.contains("# The end.") && !after.contains("Gone for good"), "{after}");
    assert!(after.contains(&format!("\"modules.actions.intended_on_default\" = \"{reason}\"")), "{after}");
    let explained =
        machine.run(&["config", "explain", "modules.actions.intended_on_default"]).exits(0).stdout;
    assert!(explained.contains(reason), "{explained}");

    assert_eq!(found(&machine, ON_DEFAULT), 0, "what is intended is no finding");
    let again = learn(&machine, &[ON_DEFAULT]).exits(0).stdout;
    assert!(again.contains("as it was seen") && again.contains("Nothing differs"), "{again}");
    let same = learn(&machine, &[ON_DEFAULT, "--write", "--reason", "again"]).exits(0).stdout;
    assert!(!same.contains("written"), "{same}");
    assert_eq!(text(&machine), after);
}

#[test]
fn entries_that_were_not_seen_may_be_kept() {
    let (machine, lab) = site();
    lab.inject("action-on-default").unwrap();
    let row = &as_json(&machine, &[ON_DEFAULT, "--keep"], 0)["proposals"][0];
    assert_eq!(row["removed"], json!([]));
    assert!(row["proposed"].as_array().unwrap().contains(&json!("Gone for good")), "{row:#}");
    let _ = learn(&machine, &[ON_DEFAULT, "--keep", "--write", "--reason", "both"]).exits(0);
    assert!(text(&machine).contains("\"Gone for good\",  # since 2024"), "{}", text(&machine));
}

#[test]
fn a_whole_plugin_at_its_first_run() {
    let (machine, _lab) = site();
    let document = as_json(&machine, &["--module", "subnets"], 0);
    let row = &document["proposals"][0];
    assert_eq!((&row["checks"], row["from"].as_str()), (&json!([SUBNETS]), Some("default")));
    assert!(!row["added"].as_array().unwrap().is_empty(), "{document:#}");
    assert!(row["seen"].as_str().unwrap().contains("subnets"), "{row:#}");
    let _ = as_json(&machine, &["--module", "subnets", "--write", "--reason", "the network team said so"], 0);
    let _ = machine.run(&["run", "--check", SUBNETS, "--now", NOW, "-o", "json"]);
    let settled = as_json(&machine, &["--module", "subnets"], 0);
    assert_eq!((&settled["proposals"][0]["differs"], &settled["toml"]), (&json!(false), &json!("")));
    // The file is a configuration as before.
    let _ = machine.run(&["config", "explain", "-o", "json"]).exits(0);
}

#[test]
fn at_a_terminal_the_reason_is_asked_for() {
    let (machine, _lab) = site();
    let before = text(&machine);
    let answered = |reason: &str| {
        let arguments = ["learn", SUBNETS, "--now", NOW, "--write", "--color", "never"];
        let mut terminal = Terminal::start(&mut machine.command(&arguments));
        terminal.until("Why are these values right?");
        terminal.types(reason);
        terminal.ends().exits(0)
    };
    let refused = answered("");
    assert!(refused.stdout.contains("approved_subnets = ["), "it is shown first: {refused:?}");
    assert!(refused.stderr.contains("nothing was written"), "{refused:?}");
    assert_eq!(text(&machine), before);
    let accepted = answered("the network team said so");
    assert!(accepted.stderr.contains("1 setting is written to"), "{accepted:?}");
    assert!(
        text(&machine).contains("approved_subnets\" = \"the network team said so\""),
        "{}",
        text(&machine)
    );
}

#[test]
fn what_can_be_learned_is_known_offline() {
    let (machine, lab) = site();
    let sent = lab.requests().len();
    let listed = learn(&machine, &[]).exits(0).stdout;
    assert!(listed.contains(ON_DEFAULT) && listed.contains("modules.subnets.approved_subnets"), "{listed}");
    let document = learn(&machine, &["-o", "json"]).exits(0).json();
    assert!(document["settings"].as_array().unwrap().iter().any(|one| one["check"] == SUBNETS));
    let explained = machine.run(&["checks", "show", SUBNETS]).exits(0).stdout;
    assert!(explained.contains("Can be learned: approved_subnets (tancheck learn subnets.new-subnets)"));
    for (arguments, words) in [
        (&["actions.none"][..], "there is no check \"actions.none\""),
        (&["subnets.new-subnet"], "did you mean \"subnets.new-subnets\"?"),
        (&["subnets.lost-subnets"], "of this plugin these have: subnets.new-subnets (approved_subnets)"),
        (&["--module", "none"], "there is no plugin \"none\""),
        (&["--write"], "name the checks"),
        (&[SUBNETS, "--write"], "--write needs --reason"),
        (&[SUBNETS, "--write", "--reason", " "], "in one line"),
        (&[SUBNETS, "--write", "--reason", "a\nb"], "in one line"),
    ] {
        let told = learn(&machine, arguments).exits(2).stderr;
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(lab.requests().len(), sent, "nobody was asked");
}

#[test]
fn what_is_seen_in_part_is_not_proposed() {
    let (machine, lab) = site();
    lab.withhold_privilege("read action");
    let before = text(&machine);
    let arguments = [ON_DEFAULT, SUBNETS, "--write", "--reason", "all of it"];
    let document = as_json(&machine, &arguments, 3);
    let nothing = &document["nothing"][0];
    assert_eq!((&nothing["check"], &nothing["complete"]), (&json!(ON_DEFAULT), &json!(false)));
    assert!(nothing["why"].as_str().unwrap().contains("read action"), "{document:#}");
    assert!(!text(&machine).contains("\"modules.actions.intended_on_default\""));
    assert!(
        text(&machine).contains("approved_subnets") && text(&machine) != before,
        "the others are written"
    );

    let shown = learn(&machine, &[ON_DEFAULT]).exits(3).stdout;
    assert!(
        shown.contains("? actions.scheduled-actions-on-default: nothing is proposed for intended_on_default")
    );
    drop(lab);
    let unreachable = learn(&machine, &[ON_DEFAULT]).exits(5).stdout;
    assert!(unreachable.contains("nothing is proposed"), "{unreachable}");
}

#[test]
fn a_file_that_must_not_or_cannot_be_written() {
    let (machine, lab) = site();
    let accept = [SUBNETS, "--write", "--reason", "said so"];
    let sent = lab.requests().len();
    let before = text(&machine);
    std::fs::set_permissions(file(&machine), std::fs::Permissions::from_mode(0o400)).unwrap();
    let told = learn(&machine, &accept).exits(2).stderr;
    assert!(told.contains("is read-only and stays as it is") && told.contains("chmod u+w"), "{told}");
    std::fs::set_permissions(file(&machine), std::fs::Permissions::from_mode(0o600)).unwrap();

    let variable = "TANCHECK_MODULES__SUBNETS__APPROVED_SUBNETS";
    let overruled = machine.duplicate().variable(variable, "10.0.0.0/8");
    let told = learn(&overruled, &accept).exits(2).stderr;
    assert!(told.contains(variable) && told.contains("overrules the file"), "{told}");

    let nowhere = Machine::with(&["tancheck-subnets"])
        .variable("TANCHECK_DEPLOYMENT__URL", &lab.url())
        .variable("TANCHECK_DEPLOYMENT__TOKEN_ENV", "TOKEN");
    let told = learn(&nowhere, &accept).exits(2).stderr;
    assert!(told.contains("no configuration file to write to"), "{told}");
    assert_eq!((text(&machine), lab.requests().len()), (before, sent), "nothing changed, nobody was asked");
}
