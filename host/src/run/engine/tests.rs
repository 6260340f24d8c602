//! The engine from end to end, with fakes.

use super::fakes::{
    Act, FakeCollector, FakeGuests, config, installed, installed_reading, refusal, rest, setup,
};
use super::*;
use crate::run::attested::{Attestation, Verdict};
use serde_json::json;
use tancheck_plugin_api::facts::Body;

async fn go(setup: &Setup<'_>, collector: &FakeCollector, guests: &FakeGuests) -> Run {
    run(setup, Ok(Some("ann".to_owned())), collector, &guests).await.unwrap()
}

fn outcomes(run: &Run) -> Vec<(&str, Outcome)> {
    run.checks.iter().map(|check| (check.id.as_str(), check.outcome)).collect()
}

fn store(folder: &tempfile::TempDir) -> Result<Arc<Store>, HistoryError> {
    Store::open(folder.path(), "lab").map(Arc::new)
}

fn finding(key: &str) -> Act {
    Act::Say(json!({"findings": [{"subject": {"kind": "t", "key": key, "name": key}, "says": "is broken"}]}))
}

/// Two plugins, four checks, one of each sort.
fn catalog() -> Vec<Installed> {
    vec![
        installed_reading(
            "a",
            &[("a.one", json!({})), ("a.two", json!({})), ("a.three", json!({}))],
            &[rest("a.rows", "/api/v2/rows"), rest("platform.users", "/api/v2/users")],
        ),
        installed_reading("b", &[("b.one", json!({}))], &[rest("platform.users", "/api/v2/users")]),
    ]
}

fn all_rows() -> FakeCollector {
    FakeCollector::default()
        .with("a.rows", Body::Rows(Vec::new()))
        .with("platform.users", Body::Rows(Vec::new()))
}

#[tokio::test]
async fn every_selected_check_has_exactly_one_outcome() {
    let (config, catalog) = (config(), catalog());
    let guests = FakeGuests::default().with("a.two", finding("7"));
    let run = go(&setup(&config, &catalog), &all_rows(), &guests).await;
    assert_eq!(
        outcomes(&run),
        [
            ("a.one", Outcome::Pass),
            ("a.three", Outcome::Pass),
            ("a.two", Outcome::Finding),
            ("b.one", Outcome::Pass)
        ]
    );
    assert_eq!((run.decided, run.total, run.share()), (4, 4, "4 of 4 decided".to_owned()));
    assert_eq!(run.requests, document::Requests { sent: 2, saved: 1, questions: 0 });
    assert_eq!(run.plugins.iter().map(|one| one.sandbox.as_str()).collect::<Vec<_>>(), ["full", "full"]);
}

#[tokio::test]
async fn a_worker_that_dies_costs_one_row_and_is_started_again() {
    let (config, catalog) = (config(), catalog());
    let guests = FakeGuests::default().with("a.one", Act::Crash).with("a.two", Act::Hang);
    let run = go(&setup(&config, &catalog), &all_rows(), &guests).await;
    assert_eq!(
        outcomes(&run),
        [
            ("a.one", Outcome::Crashed),
            ("a.three", Outcome::Pass),
            ("a.two", Outcome::TimedOut),
            ("b.one", Outcome::Pass)
        ]
    );
    assert_eq!(run.check("a.one").unwrap().reason.as_deref(), Some("it was killed by signal 11"));
    assert_eq!(guests.starts.lock().unwrap().iter().filter(|id| *id == "a").count(), 3);
    assert_eq!(run.noise.len(), 1);
}

#[tokio::test]
async fn a_worker_that_cannot_be_started_is_tried_once() {
    let (config, catalog) = (config(), catalog());
    let guests = FakeGuests { refuses_to_start: true, ..FakeGuests::default() };
    let run = go(&setup(&config, &catalog), &all_rows(), &guests).await;
    assert!(run.checks.iter().all(|check| check.outcome == Outcome::Crashed));
    assert_eq!(guests.starts.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_input_that_is_missing_leaves_its_checks_undecided() {
    let (config, catalog) = (config(), catalog());
    let collector = FakeCollector::default().with("platform.users", Body::Rows(Vec::new()));
    let run = go(&setup(&config, &catalog), &collector, &FakeGuests::default()).await;
    assert_eq!(run.check("a.one").unwrap().outcome, Outcome::Unreachable);
    assert_eq!(run.check("b.one").unwrap().outcome, Outcome::Pass);
    assert_eq!(run.share(), "1 of 4 decided");
    assert!(run.exit.reasons.iter().any(|reason| reason.says.contains("3 unreachable")));
}

#[tokio::test]
async fn a_judge_gets_its_inputs_and_the_sites_settings_only() {
    let mut config = config();
    config.modules.settings.insert("b".to_owned(), json!({"days": 3}).as_object().cloned().unwrap());
    let catalog = catalog();
    let guests = FakeGuests::default();
    go(&setup(&config, &catalog), &all_rows(), &guests).await;
    let inspected = guests.inspected.lock().unwrap();
    let of_b = inspected.iter().find(|one| one.check == "b.one").unwrap();
    assert_eq!(of_b.inputs.keys().collect::<Vec<_>>(), ["platform.users"]);
    assert_eq!(of_b.settings.get("days"), Some(&json!(3)));
}

#[tokio::test]
async fn the_same_facts_give_the_same_bytes() {
    let (config, catalog) = (config(), catalog());
    let mut texts = Vec::new();
    for workers in [1, 8] {
        let guests = FakeGuests::default().with("a.two", finding("7")).with("b.one", Act::Crash);
        let mut setup = setup(&config, &catalog);
        setup.workers = workers;
        texts.push(serde_json::to_string(&go(&setup, &all_rows(), &guests).await).unwrap());
    }
    assert_eq!(texts[0], texts[1]);
}

fn modules(solutions: serde_json::Value) -> FakeCollector {
    let licensed = json!({"licensed_features": {"licensed_solutions": [
        {"name": "A", "match": "01-100-0001"}, {"name": "B", "match": "01-100-0002"}
    ]}});
    all_rows()
        .with("platform.license", Body::Object(licensed))
        .with("platform.solutions", Body::Rows(serde_json::from_value(solutions).unwrap()))
}

fn catalog_of_modules() -> Vec<Installed> {
    let mut catalog = catalog();
    for (plugin, id) in catalog.iter_mut().zip(["01-100-0001", "01-100-0002"]) {
        let solution = json!([{"name": plugin.manifest.title, "id": id}]);
        plugin.manifest.solutions = serde_json::from_value(solution).unwrap();
    }
    catalog[1]
        .manifest
        .checks
        .push(installed("b", &[("b.there", json!({"even_if_absent": true}))]).manifest.checks[0].clone());
    catalog
}

#[tokio::test]
async fn an_enabled_module_that_is_absent_is_not_applicable_and_nothing_is_asked_of_it() {
    let mut config = config();
    config.modules.enable = Some(vec!["a".to_owned(), "b".to_owned()]);
    let catalog = catalog_of_modules();
    let collector = modules(json!([{"solution_id": "01-100-0002", "name": "B"}]));
    let run = go(&setup(&config, &catalog), &collector, &FakeGuests::default()).await;
    let check = run.check("a.one").unwrap();
    assert_eq!((check.outcome, check.reason.as_deref()), (Outcome::NotApplicable, Some("A is not imported")));
    assert_eq!(run.check("b.one").unwrap().outcome, Outcome::Pass);
    assert_eq!(
        collector.wanted(),
        ["tancheck/platform.license", "tancheck/platform.solutions", "b/platform.users"]
    );
}

#[tokio::test]
async fn where_the_site_enables_what_is_there_an_absent_module_is_left_out() {
    let (config, catalog) = (config(), catalog_of_modules());
    let collector = modules(json!([{"solution_id": "01-100-0001", "name": "A"}]));
    let run = go(&setup(&config, &catalog), &collector, &FakeGuests::default()).await;
    let ids: Vec<&str> = run.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids, ["a.one", "a.three", "a.two", "b.there"], "but what looks at the absence itself runs");
    assert_eq!(run.absent[0].reason, "B is not imported");
}

#[tokio::test]
async fn checks_run_where_presence_cannot_be_read() {
    let (config, catalog) = (config(), catalog_of_modules());
    let run = go(&setup(&config, &catalog), &all_rows(), &FakeGuests::default()).await;
    assert!(run.checks.iter().all(|check| check.outcome == Outcome::Pass), "{:?}", outcomes(&run));
    assert_eq!(run.problems.iter().filter(|problem| problem.contains("cannot be read")).count(), 2);
}

#[tokio::test]
async fn a_plugin_reads_the_licence_that_was_read_already() {
    let (config, mut catalog) = (config(), catalog_of_modules());
    let license = presence::INPUTS[0].clone();
    catalog[0].manifest.checks[0].inputs.push(license.id.clone());
    catalog[0].manifest.inputs.push(license);
    let collector = modules(json!([{"solution_id": "01-100-0001", "name": "A"}]));
    let guests = FakeGuests::default();
    go(&setup(&config, &catalog), &collector, &guests).await;
    assert_eq!(collector.wanted().iter().filter(|want| want.ends_with("platform.license")).count(), 1);
    let inspected = guests.inspected.lock().unwrap();
    let of_a = inspected.iter().find(|one| one.check == "a.one").unwrap();
    assert!(matches!(of_a.inputs["platform.license"].body, Body::Object(_)));
}

#[tokio::test]
async fn an_enabled_plugin_that_was_refused_makes_the_run_incomplete() {
    let mut config = config();
    config.modules.enable = Some(vec!["a".to_owned(), "broken".to_owned()]);
    let catalog = catalog();
    let refused = [refusal("broken", "its hash is not pinned")];
    let mut setup = setup(&config, &catalog);
    setup.refused = &refused;
    let folder = tempfile::tempdir().unwrap();
    setup.history = store(&folder);
    let run = go(&setup, &all_rows(), &FakeGuests::default()).await;
    assert_eq!(run.exit.code, 3);
    assert!(run.exit.reasons[0].says.contains("its hash is not pinned"));
    assert_eq!(run.refused[0].id.as_deref(), Some("broken"));
}

#[tokio::test]
async fn a_refused_login_is_told_and_people_still_count() {
    let config = config();
    let task = installed("t", &[("t.task", json!({"kind": "attested", "judged": false}))]);
    let catalog = [task];
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let attestation = Attestation {
        task: "t.task".to_owned(),
        about: None,
        result: Verdict::Done,
        by: "ann".to_owned(),
        second: None,
        at: "2026-06-29T12:00:00Z".parse().unwrap(),
        valid_until: None,
        note: String::new(),
        evidence: None,
    };
    store.as_ref().unwrap().attest(&attestation).unwrap();
    let mut setup = setup(&config, &catalog);
    setup.history = store;
    let refused = Err(Problem::new(Outcome::NoPermission, "the login was refused"));
    let run = run(&setup, refused, &FakeCollector::default(), &&FakeGuests::default()).await.unwrap();
    assert_eq!(run.check("t.task").unwrap().outcome, Outcome::Pass);
    assert_eq!((run.exit.code, run.exit.reasons[0].says.as_str()), (5, "the login was refused"));
}

#[tokio::test]
async fn a_judge_that_failed_twice_is_quarantined_until_its_library_changes() {
    let (config, mut catalog) = (config(), catalog());
    let folder = tempfile::tempdir().unwrap();
    let guests = FakeGuests::default().with("a.one", Act::Crash);
    let judged = async |catalog: &[Installed]| {
        guests.inspected.lock().unwrap().clear();
        let mut setup = setup(&config, catalog);
        setup.history = store(&folder);
        let run = go(&setup, &all_rows(), &guests).await;
        let asked = guests.inspected.lock().unwrap().iter().any(|one| one.check == "a.one");
        (asked, run)
    };
    for _ in 0..2 {
        let (asked, run) = judged(&catalog).await;
        assert!(asked && run.quarantined.is_empty());
    }
    for _ in 0..2 {
        let (asked, run) = judged(&catalog).await;
        assert!(!asked);
        assert_eq!(run.check("a.one").unwrap().outcome, Outcome::Crashed);
        assert_eq!(run.quarantined.len(), 1);
        let reason = &run.quarantined[0].reason;
        assert_eq!(
            reason,
            "it was killed by signal 11; it failed so in two runs in a row and is not judged again until its library \
             changes: /plugins/a.so"
        );
        assert_eq!(run.exit.code, 3);
    }
    catalog[0].library.sha256 = "another".to_owned();
    let (asked, run) = judged(&catalog).await;
    assert!(asked && run.quarantined.is_empty());
}

#[tokio::test]
async fn only_what_was_not_healthy_is_run_again() {
    let (config, catalog) = (config(), catalog());
    let folder = tempfile::tempdir().unwrap();
    let guests = FakeGuests::default().with("a.two", finding("7"));
    let mut setup = setup(&config, &catalog);
    setup.history = store(&folder);
    go(&setup, &all_rows(), &guests).await;
    setup.filter.only_failed = true;
    let run = go(&setup, &all_rows(), &guests).await;
    assert_eq!(outcomes(&run), [("a.two", Outcome::Finding)]);
}

#[tokio::test]
async fn a_history_that_cannot_be_kept_is_told_and_the_report_comes_out() {
    let (config, catalog) = (config(), catalog());
    let run = go(&setup(&config, &catalog), &all_rows(), &FakeGuests::default()).await;
    assert_eq!(run.total, 4);
    assert_eq!(run.exit.code, 3);
    assert!(run.exit.reasons[0].says.starts_with("history was not kept: "));
}

#[tokio::test]
async fn events_tell_what_happens() {
    let (config, catalog) = (config(), catalog());
    let events = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut setup = setup(&config, &catalog);
    let heard = Arc::clone(&events);
    setup.events = Events::to(move |event| heard.lock().unwrap().push(event.clone()));
    go(&setup, &all_rows(), &FakeGuests::default()).await;
    let events = events.lock().unwrap();
    assert!(matches!(&events[0], Event::RunStarted { checks: 4, .. }));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Check { .. })).count(), 4);
    assert!(matches!(events.last().unwrap(), Event::RunFinished { total: 4, .. }));
}
