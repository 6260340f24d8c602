//! What the checks read, and the types of the rows.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::Reference;
use tancheck_plugin_api::records::answers::ASK;

/// The question of the guide. It also tells whether action lock is on.
pub(crate) const QUESTION: &str =
    "Get Endpoint Configuration - Manifest Metadata?maxAge=60 and Action Lock Status from all machines";

/// The revision of the manifest on endpoints, and their action lock.
pub(crate) const MANIFEST: Input =
    Input::new("endpoint-configuration.manifest", "the manifest on endpoints, and their action lock").sources(&[
        Source::question(QUESTION).needs(ASK),
        Source::export(
            "endpoint-configuration-manifest.csv",
            "Interact > Ask a Question",
            "ask the question of the maintenance guide (Get Endpoint Configuration - Manifest Metadata?maxAge=60 and \
             Action Lock Status from all machines) and export the results with these columns",
            &["Revision", "Action Lock Status", "Count"],
        ),
    ]);

/// A row of the exported results.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct ManifestRow {
    #[serde(rename = "Revision", deserialize_with = "lenient::text")]
    pub(crate) revision: String,
    #[serde(rename = "Action Lock Status", deserialize_with = "lenient::text")]
    pub(crate) lock: String,
    #[serde(rename = "Count", deserialize_with = "lenient::number")]
    pub(crate) count: Option<f64>,
}

/// The packages that bring the manifest; the version stands in their names.
pub(crate) const MANIFEST_PACKAGES: Input =
    Input::new("endpoint-configuration.manifest-packages", "the packages that bring the manifest").sources(&[
        Source::rest("/api/v2/packages")
            .options(
                r#"{"cache_expiration":60,"cache_filters":[{"field":"name","operator":"RegexMatch","value":"Endpoint Configuration - Manifest.*"}]}"#,
            )
            .needs(&["read package"]),
    ]);

/// A package.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct ManifestPackage {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) deleted_flag: Option<bool>,
    /// When it was last changed; a new revision changes it.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) modification_time: Option<Timestamp>,
}

/// What the Overview page shows, where the packages cannot be read.
pub(crate) const OVERVIEW_REVISION: Input =
    Input::new("endpoint-configuration.overview-revision", "the Manifest Revision of the Overview page")
        .sources(&[Source::answer(
            "the Manifest Revision that Endpoint Configuration > Overview > Summary shows",
            Accepts::Number,
            1,
        )]);

/// The newest run of each manifest action.
pub(crate) const MANIFEST_RUNS: Input =
    Input::new("endpoint-configuration.manifest-runs", "results of the newest run of the manifest actions")
        .sources(&[Source::gateway("scheduledActions", RUNS_QUERY).needs(&["gateway use api"])]);

const RUNS_QUERY: &str = "\
query TancheckManifestActions($after: Cursor) {
  scheduledActions(first: 50, after: $after, filter: {path: \"name\", op: CONTAINS, value: \"Endpoint Configuration - Manifest\"}) {
    edges { node {
      id name status
      package { name }
      lastAction {
        id status startTime
        results { completed failed expired failedVerification }
      }
    } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// A manifest action with its newest run.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct ManifestRun {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient::named")]
    pub(crate) package: Reference,
    #[serde(rename = "lastAction")]
    pub(crate) last_action: Option<LastAction>,
}

/// The newest run.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct LastAction {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    #[serde(rename = "startTime", deserialize_with = "lenient::time")]
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) results: Results,
}

/// How many endpoints ended how.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Results {
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) failed: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) expired: Option<f64>,
    #[serde(rename = "failedVerification", deserialize_with = "lenient::number")]
    pub(crate) failed_verification: Option<f64>,
}

/// Solutions that are content alone. They have no public route.
pub(crate) const CONTENT_ONLY: Input =
    Input::new("endpoint-configuration.content-only", "content-only solutions and their status").sources(&[
        Source::export(
            "content-only-solutions.csv",
            "Administration > Shared Services > Endpoint Configuration > Content-Only Solutions",
            "write down the list with these columns",
            &["Solution", "Version", "Status"],
        ),
    ]);

/// A content-only solution.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct ContentSolution {
    #[serde(rename = "Solution", deserialize_with = "lenient::text")]
    pub(crate) solution: String,
    #[serde(rename = "Version", deserialize_with = "lenient::text")]
    pub(crate) version: String,
    #[serde(rename = "Status", deserialize_with = "lenient::text")]
    pub(crate) status: String,
}
