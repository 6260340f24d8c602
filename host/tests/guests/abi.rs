//! Plugins of earlier and later API versions. See `tests/abi/README.md`.

use crate::{built, library, patched, sandboxed};
use serde_json::json;
use std::time::Duration;
use tancheck::config::Limits;
use tancheck::plugins::discovery;
use tancheck::worker::{Worker, describe};
use tancheck_plugin_api::manifest::{API_VERSION, FEATURES};
use tancheck_plugin_api::wire::Inspection;

fn inspection(plugin: &str) -> Inspection {
    let input = json!({"at": "2026-06-30T12:00:00Z", "body": {"rows": []}});
    let inspection = json!({"check": format!("{plugin}.loads"), "now": "2026-06-30T12:00:00Z",
        "inputs": {(format!("{plugin}.rows")): input}});
    serde_json::from_value(inspection).unwrap()
}

/// The first version of the next major.
fn next_major() -> String {
    let major: u64 = API_VERSION.split('.').next().unwrap().parse().unwrap();
    format!("plugin API {}.0.0", major + 1)
}

/// The note of the judge, from a worker.
async fn judged(package: &str, plugin: &str) -> String {
    let mut worker = Worker::start(&library(built(package)), &Limits::default()).await.unwrap();
    let judgement = worker.inspect(&inspection(plugin), Duration::from_secs(60)).await.unwrap();
    worker.stop().await;
    judgement.report.notes.join("")
}

#[tokio::test]
async fn the_first_plugin_ever_loads() {
    if !sandboxed("the_first_plugin_ever_loads").await {
        return;
    }
    let described = describe(&library(built("tancheck-abi-first")), &Limits::default()).await.unwrap();
    assert_eq!((described.manifest.id.as_str(), described.manifest.api.as_str()), ("abi-first", "1.0.0"));
    assert!(described.manifest.checks[0].learns.is_empty(), "it proposes nothing for any setting");
    assert_eq!(judged("tancheck-abi-first", "abi-first").await, "judged by 1.0");
}

#[tokio::test]
async fn a_later_minor_loads_when_its_features_are_known() {
    if !sandboxed("a_later_minor_loads").await {
        return;
    }
    let described = describe(&library(built("tancheck-abi-next")), &Limits::default()).await.unwrap();
    assert_ne!(described.manifest.api, API_VERSION);
    assert!(described.text.contains("novelty"), "the plugin's own text is kept: {}", described.text);
    assert_eq!(
        judged("tancheck-abi-next", "abi-later").await,
        format!("judged by {}", described.manifest.api)
    );
}

#[tokio::test]
async fn a_feature_that_is_unknown_is_refused_by_name() {
    if !sandboxed("a_feature_that_is_unknown").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path =
        patched("tancheck-abi-next", folder.path(), br#""features":["rest"]"#, br#""features":["warp"]"#);
    let failure = describe(&library(&path), &Limits::default()).await.unwrap_err();
    let sentence = failure.sentence;
    assert!(
        sentence.contains("the feature \"warp\"") && sentence.contains("use a later tancheck"),
        "{sentence}"
    );
}

/// What a host has to offer to whom: the names that a real library tells are those that this host knows.
#[tokio::test]
async fn a_library_names_the_features_that_it_needs() {
    if !sandboxed("a_library_names_the_features").await {
        return;
    }
    let needed = async |package| -> Vec<String> {
        describe(&library(built(package)), &Limits::default()).await.unwrap().manifest.features
    };
    let features = needed("tancheck-direct-connect").await;
    for feature in ["another-guide", "diagnosis", "lines", "pasted", "probe", "procedures"] {
        assert!(features.iter().any(|known| known == feature), "{feature}: {features:?}");
    }
    assert!(features.iter().all(|feature| FEATURES.contains(&feature.as_str())), "{features:?}");
    assert_eq!(needed("tancheck-abi-first").await, ["rest"], "a plugin of 1.0 needs nothing newer");
}

#[tokio::test]
async fn another_major_is_refused_with_both_versions_in_one_sentence() {
    let refusal = discovery::candidate(built("tancheck-abi-second")).unwrap_err();
    assert_eq!(refusal.id.as_deref(), Some("abi-later"));
    let reason = refusal.reason;
    assert!(
        reason.contains(&next_major()) && reason.contains(API_VERSION) && !reason.contains('\n'),
        "{reason}"
    );
    if !sandboxed("another_major_is_refused").await {
        return;
    }
    // And if somebody forged the stamp: the layout check in the worker says the same.
    let failure = describe(&library(built("tancheck-abi-second")), &Limits::default()).await.unwrap_err();
    let sentence = failure.sentence;
    assert!(sentence.contains(&next_major()) && sentence.contains(API_VERSION), "{sentence}");
}
