//! Two runs beside each other, and single runs as they were.

use super::*;
use crate::run::change::Gone;
use crate::run::document::PluginUsed;
use serde_json::json;

fn keys(gone: &[Gone]) -> Vec<&str> {
    gone.iter().map(|one| one.subject.key.as_str()).collect()
}

fn diff(store: &Store, from: &str, to: &str) -> Difference {
    let run = |text| store.find(text).unwrap().unwrap();
    store.diff(run(from), run(to)).unwrap()
}

/// Runs with these findings, one a day; `None` for a run that saw nothing.
fn history(folder: &tempfile::TempDir, runs: &[Option<&[&str]>]) -> Store {
    let store = open(folder);
    for (day, keys) in runs.iter().enumerate() {
        let mut run = run_with(day as i64, keys.unwrap_or_default());
        if keys.is_none() {
            run.checks = vec![result("a.b", Outcome::Unreachable)];
            run.checks[0].reason = Some("no answer".to_owned());
        }
        store.compare(&mut run, &Default::default()).unwrap();
        store.record(&run, &Kept::default()).unwrap();
    }
    store
}

#[test]
fn a_finding_is_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let store = history(
        &folder,
        &[Some(&["stays", "goes", "back"]), Some(&["stays", "goes"]), Some(&["stays", "back", "new"])],
    );
    let change = diff(&store, "2", "3");
    assert_eq!((keys(&change.new), keys(&change.regressed)), (vec!["new"], vec!["back"]));
    assert_eq!((keys(&change.fixed), keys(&change.unchanged)), (vec!["goes"], vec!["stays"]));
    assert_eq!(change.regressed[0].first_seen, now());
    assert!(change.not_looked_at.is_empty() && change.outcomes.is_empty());
    let over_both = diff(&store, "3", "1");
    assert_eq!((over_both.from.number, over_both.to.number), (1, 3), "the older one first");
    // What was gone in between is as it was.
    assert_eq!((keys(&over_both.new), keys(&over_both.unchanged)), (vec!["new"], vec!["back", "stays"]));
    let same = diff(&store, "2", "2");
    assert_eq!(keys(&same.unchanged), ["goes", "stays"]);
}

#[test]
fn a_run_that_saw_nothing_fixes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = history(&folder, &[Some(&["1", "2"]), None, Some(&["1", "3"])]);
    let blind = diff(&store, "1", "2");
    assert_eq!((keys(&blind.not_looked_at), blind.fixed.len()), (vec!["1", "2"], 0));
    assert_eq!(blind.not_looked_at[0].reason.as_deref(), Some("unreachable: no answer"));
    assert_eq!(blind.outcomes[0].to.as_deref(), Some("unreachable"));
    let after = diff(&store, "2", "3");
    assert_eq!(
        (keys(&after.unchanged), keys(&after.fixed), keys(&after.new)),
        (vec!["1"], vec!["2"], vec!["3"])
    );
    let shown = store.show(store.find("2").unwrap().unwrap()).unwrap();
    assert_eq!((shown.findings.len(), shown.checks[0].complete), (0, false));
}

#[test]
fn worse_is_told_with_how_it_was_in_the_older_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for (day, severity) in [Severity::Low, Severity::Medium, Severity::High].into_iter().enumerate() {
        let mut run = run_with(day as i64, &["1"]);
        run.checks[0].findings[0].severity = severity;
        store.record(&run, &Kept::default()).unwrap();
    }
    let change = diff(&store, "1", "3");
    assert_eq!(
        (change.worse[0].severity, change.worse[0].before.unwrap().severity),
        (Severity::High, Severity::Low)
    );
    let back = store.show(store.find("2").unwrap().unwrap()).unwrap();
    assert_eq!(back.findings[0].finding.severity, Severity::Medium, "as it looked then");
}

#[test]
fn versions_and_settings_are_told_where_they_differ() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for (version, setting) in [("0.1.0", 10), ("0.2.0", 20)] {
        let mut run = run_with(0, &[]);
        run.tool.version = version.to_owned();
        let plugin = |id: &str| PluginUsed {
            id: id.to_owned(),
            title: id.to_uppercase(),
            version: version.to_owned(),
            api: "1.0.0".to_owned(),
            sha256: "00".repeat(32),
            checks: 1,
            sandbox: "full".to_owned(),
        };
        run.plugins = if setting == 10 { vec![plugin("a"), plugin("gone")] } else { vec![plugin("a")] };
        let settings = json!({"a": {"limit": setting, "same": 1}, "gone": {"x": 1}});
        let kept = Kept { settings: serde_json::from_value(settings).unwrap(), ..Kept::default() };
        store.record(&run, &kept).unwrap();
    }
    let told: Vec<String> = diff(&store, "1", "2")
        .circumstances
        .into_iter()
        .map(|one| format!("{}: {} -> {}", one.what, one.from.unwrap(), one.to.unwrap()))
        .collect();
    let expected = [
        "tancheck: 0.1.0 -> 0.2.0",
        "plugin a: 0.1.0 (00000000) -> 0.2.0 (00000000)",
        "modules.a.limit: 10 -> 20",
    ];
    assert_eq!(told, expected);
    let shown = store.show(store.find("1").unwrap().unwrap()).unwrap();
    assert_eq!(shown.settings["a"]["limit"], 10);
    assert_eq!((shown.plugins.len(), shown.run.version.as_str()), (2, "0.1.0"));
}

#[test]
fn runs_are_found_by_number_place_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = history(&folder, &[Some(&["1"]), Some(&[]), Some(&["1"])]);
    Store::open(folder.path(), "elsewhere").unwrap().record(&run_with(9, &[]), &Kept::default()).unwrap();
    let number = |text: &str| store.find(text).unwrap().map(|run| run.number);
    assert_eq!((number("last"), number("previous"), number("1")), (Some(3), Some(2), Some(1)));
    assert_eq!(number("2026-07-01"), Some(2), "to the end of the day");
    assert_eq!(number("2026-07-01T11:59:59Z"), Some(1));
    assert_eq!((number("2026-06-29"), number("4"), number("first")), (None, None, None));
    let runs = store.runs(2).unwrap();
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(runs[0].changes.unwrap(), Counted { regressed: 1, ..Counted::default() });
    assert_eq!((runs[0].findings.unwrap().high, store.count().unwrap()), (1, 3));
}
