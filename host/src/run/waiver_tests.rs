//! What waivers do and when they end, and what a bad file gets.

use super::*;
use crate::history::Kept;
use crate::run::document::Affected;
use crate::run::engine::fakes::{finding_of, manifest, result, run_of};
use serde_json::json;
use std::path::PathBuf;

const NOW: &str = "2026-06-30T12:00:00Z";

fn file(text: &str) -> Result<Vec<Waiver>, String> {
    let plugin = manifest("a", &[("a.b", json!({"aliases": ["a.old"]})), ("a.c", json!({}))]);
    parse(&PathBuf::from("waivers.toml"), text, Rules::default(), &[&plugin], &["refused"])
        .map_err(|error| error.to_string())
}

fn one(more: &str) -> Waiver {
    let text = format!(
        "[[waiver]]\ncheck = \"a.b\"\nsubject = \"1\"\nowner = \"ann\"\nreason = \"agreed\"\nsince = 2026-06-01\n{more}"
    );
    file(&text).unwrap().remove(0)
}

fn checks() -> Vec<CheckResult> {
    let mut check = result("a.b", Outcome::Finding);
    check.findings = vec![finding_of("a.b", "1", Severity::Medium), finding_of("a.b", "2", Severity::Medium)];
    check.findings[0].affected = Some(Affected { count: 3, ..Affected::default() });
    vec![check]
}

fn lay_over(waivers: &[Waiver], checks: &mut [CheckResult], history: Option<&Store>) -> Vec<Use> {
    let aliases = BTreeMap::from([("a.b".to_owned(), vec!["a.old".to_owned()])]);
    let (rules, zone) = (Rules::default(), TimeZone::UTC);
    let now = NOW.parse().unwrap();
    apply(&Ground { waivers, rules, now, zone: &zone, aliases: &aliases, history }, checks)
}

#[track_caller]
fn becomes(more: &str, state: State) -> (Vec<CheckResult>, Use) {
    let mut checks = checks();
    let used = lay_over(&[one(more)], &mut checks, None).remove(0);
    assert_eq!(used.state, state, "{used:?}");
    let counts = matches!(state, State::Applied | State::Ending);
    assert_eq!(checks[0].findings[0].waiver.is_some(), counts);
    assert_eq!(checks[0].findings[0].waiver_ended.is_some(), !counts);
    assert!(checks[0].findings[1].waiver.is_none(), "the other subject is nobody's business");
    (checks, used)
}

#[test]
fn a_waiver_is_about_one_finding_and_says_whose_and_why() {
    let (checks, used) = becomes("until = 2026-12-31\n", State::Applied);
    let waived = checks[0].findings[0].waiver.as_ref().unwrap();
    assert_eq!((waived.owner.as_str(), waived.reason.as_str()), ("ann", "agreed"));
    assert_eq!((waived.place.as_str(), used.findings), ("waivers.toml:1:1", 1));
}

#[test]
fn it_ends_by_its_date_and_when_the_finding_gets_worse() {
    let _ = becomes("until = 2026-06-30\n", State::Ending);
    let (checks, _) = becomes("until = 2026-06-29\n", State::Expired);
    assert_eq!(checks[0].findings[0].waiver_ended.as_deref(), Some("ann waived it: it ended on 2026-06-29"));
    let (_, worse) = becomes("until = 2026-12-31\nseverity = \"low\"\n", State::Worse);
    assert!(worse.says.contains("low then, medium now"), "{}", worse.says);
    let (_, more) = becomes("until = 2026-12-31\nseverity = \"medium\"\naffected = 2\n", State::Worse);
    assert!(more.says.contains("2 affected then, 3 now"), "{}", more.says);
    let _ = becomes("until = 2026-12-31\nseverity = \"high\"\naffected = 3\n", State::Applied);
}

#[test]
fn it_ends_when_the_finding_was_fixed_and_came_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "lab").unwrap();
    let record = |day: &str, found: bool| {
        let mut check = result("a.b", if found { Outcome::Finding } else { Outcome::Pass });
        check.findings.extend(found.then(|| finding_of("a.b", "1", Severity::Medium)));
        let mut run = run_of(vec![check]);
        run.at = format!("{day}T09:00:00Z").parse().unwrap();
        store.record(&run, &Kept::default()).unwrap();
    };
    let state = || lay_over(&[one("until = 2026-12-31\n")], &mut checks(), Some(&store)).remove(0).state;
    record("2026-05-01", true);
    record("2026-06-01", false);
    record("2026-06-02", true);
    assert_eq!(state(), State::Applied, "it was fixed before, or on the very day");
    record("2026-06-10", false);
    record("2026-06-11", true);
    assert_eq!(state(), State::Returned);
}

#[test]
fn what_matches_nothing_is_stale_when_the_check_looked() {
    let waiver = [one("until = 2026-12-31\n")];
    let mut healthy = vec![result("a.b", Outcome::Pass)];
    assert_eq!(lay_over(&waiver, &mut healthy, None)[0].state, State::Stale);
    let mut blind = vec![result("a.b", Outcome::Unreachable)];
    assert_eq!(lay_over(&waiver, &mut blind, None)[0].state, State::NotLookedAt);
    assert_eq!(lay_over(&waiver, &mut [], None)[0].state, State::NotLookedAt);
}

#[test]
fn a_check_that_was_renamed_keeps_its_waivers() {
    let mut waiver = one("until = 2026-12-31\n");
    waiver.check = "a.old".to_owned();
    let mut checks = checks();
    assert_eq!(lay_over(&[waiver], &mut checks, None)[0].findings, 1);
    let mut print = one("until = 2026-12-31\n");
    print.finding = Some("tc1:earlier".to_owned());
    checks[0].findings[0].earlier = vec!["tc1:earlier".to_owned()];
    assert_eq!(lay_over(&[print], &mut checks, None)[0].findings, 1);
}

#[test]
fn no_action_is_no_answer_to_what_is_high() {
    let mut checks = checks();
    checks[0].findings[0].severity = Severity::High;
    let waiver = one("until = 2026-12-31\ntriage = \"no-action\"\n");
    let used = lay_over(&[waiver], &mut checks, None).remove(0);
    assert_eq!((used.state, checks[0].findings[0].waiver.is_some()), (State::Worse, false));
}

#[test]
fn a_decision_settles_what_awaits_a_person() {
    let mut task = result("a.b", Outcome::AttestationDue);
    task.saw_everything = true;
    task.awaiting = vec![finding_of("a.b", "1", Severity::Medium)];
    let plain = lay_over(&[one("until = 2026-12-31\n")], std::slice::from_mut(&mut task), None);
    assert_eq!((plain[0].findings, task.outcome), (0, Outcome::AttestationDue), "only a decision does");
    let decided = one("until = 2026-12-31\ntriage = \"no-action\"\n");
    let used = lay_over(&[decided], std::slice::from_mut(&mut task), None);
    assert_eq!((used[0].state, task.outcome, task.awaiting.len()), (State::Applied, Outcome::Pass, 0));
    assert_eq!(task.confirmed[0].attested.by, "ann");
    assert!(task.confirmed[0].attested.note.starts_with("no-action: agreed"));
}

#[test]
fn a_whole_check_is_waived_only_by_name_and_every_report_counts_it() {
    let text = "[[waiver]]\ncheck = \"a.b\"\nwhole_check = true\nowner = \"ann\"\nreason = \"r\"\nsince = 2026-06-01\nuntil = 2026-12-31\n";
    let mut run = run_of(checks());
    run.waivers = lay_over(&file(text).unwrap(), &mut run.checks, None);
    run.count();
    assert_eq!((run.waived, run.severities["medium"]), (2, 2));
    assert!(remarks(&run)[0].contains("waives whatever a.b finds: now 2 findings"), "{:?}", remarks(&run));
}

#[test]
fn a_bad_file_is_told_with_its_lines() {
    let good = "owner = \"ann\"\nreason = \"r\"\nsince = 2026-06-01\nuntil = 2026-12-31\n";
    let wrong = |text: &str, says: &str| {
        let error = file(text).unwrap_err();
        assert!(error.contains(says), "{text}\n>> {error}");
    };
    wrong("[[waiver]\n", "waivers.toml:1:");
    wrong("[waivers]\nx = 1\n", "waivers.toml:1:2: \"waivers\" is no waiver");
    wrong(
        &format!("\n[[waiver]]\ncheck = \"a.b\"\n{good}"),
        "waivers.toml:2:1: this waives whatever the check finds",
    );
    for pattern in ["check = \"a.*\"\nsubject = \"1\"", "check = \"a.b\"\nsubject = \"*\""] {
        wrong(&format!("[[waiver]]\n{pattern}\n{good}"), "no wildcards");
    }
    wrong(&format!("[[waiver]]\ncheck = \"a.d\"\nsubject = \"1\"\n{good}"), "there is no check \"a.d\"");
    wrong(
        &format!("[[waiver]]\ncheck = \"a.b\"\nsubject = \"1\"\nuntill = 1\n{good}"),
        "did you mean \"until\"?",
    );
    let twice = format!("[[waiver]]\ncheck = \"a.b\"\nsubject = \"1\"\n{good}");
    wrong(&format!("{twice}{twice}"), "waivers.toml:8:1: the same is waived at waivers.toml:1:1");
    wrong("[[waiver]]\ncheck = \"a.b\"\nsubject = \"1\"\n", "a waiver without owner");
    let endless =
        "[[waiver]]\ncheck = \"a.b\"\nsubject = \"1\"\nowner = \"ann\"\nreason = \"r\"\nsince = 2026-06-01\n";
    wrong(endless, "a waiver without until");
    wrong(&format!("{endless}until = 2026-05-01\n"), "until 2026-05-01 is before since 2026-06-01");
    wrong(&format!("{endless}until = \"soon\"\n"), "until is \"soon\"; it has to be a date");
    // What is said about a plugin that cannot be used cannot be judged.
    assert!(file(&format!("[[waiver]]\ncheck = \"refused.b\"\nsubject = \"1\"\n{good}")).is_ok());
    let lenient = Rules { until_required: false, ..Rules::default() };
    assert!(parse(&PathBuf::from("w"), endless, lenient, &[], &["a"]).is_ok());
}
