//! What endpoints answer about client extensions and versions, and what the server knows of upgrades and servers.

use super::ASK;
use crate::console::CLIENT_UPGRADES;
use tancheck_plugin_api::prelude::*;

/// Versions as endpoints answer, for servers whose client status lists none.
pub(crate) const VERSION_ANSWERS: Input =
    Input::new("client-management.version-answers", "client versions as endpoints answer").sources(&[
        Source::question("Get Tanium Client Version from all machines")
            .sampled_by("Get Computer Name from all machines with Tanium Client Version equals {value}")
            .needs(ASK),
        Source::export(
            "client-versions.csv",
            "Administration > Shared Services > Client Management",
            "select the Interact icon of the panel Client Version and export the results with these columns",
            &["Tanium Client Version", "Count"],
        ),
    ]);

/// A row of the exported results of the panel Client Version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VersionRow {
    /// The version.
    #[serde(rename = "Tanium Client Version")]
    pub(crate) version: ProductVersion,
    /// Endpoints that run it.
    #[serde(rename = "Count", deserialize_with = "lenient::number")]
    pub(crate) count: Option<f64>,
}

/// How many endpoints ran each version in earlier runs.
pub(crate) const VERSION_HISTORY: Input =
    Input::new("client-management.version-history", "client versions of earlier runs")
        .sources(&[Source::history("client-management.client-version.*", 182)]);

/// Actions that upgrade clients, known by the name of their package.
pub(crate) const UPGRADE_ACTIONS: Input =
    Input::new("client-management.upgrade-actions", "actions whose package upgrades clients").sources(&[
        Source::rest("/api/v2/actions")
            .options(
                r#"{"cache_filters":[{"field":"package_spec/name","operator":"RegexMatch","value":".*[Cc]lient.*[Uu]pgrade.*"}]}"#,
            )
            .complete_with(&["read action"]),
    ]);

/// An action (`GET /api/v2/actions`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UpgradeAction {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// When it ended; missing or 2001-01-01 where it has no end.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) expiration_time: Option<Timestamp>,
}

/// What endpoints reported of these actions, as far as they ended. A row names one endpoint, so the rows are limited.
pub(crate) const UPGRADE_RESULTS: Input =
    Input::new("client-management.upgrade-results", "what endpoints reported of upgrade actions").sources(&[
        Source::rest("/api/v2/result_data/action/{id}?row_start=0&row_count=50000")
            .rows_under("result_sets")
            .each(
                Each::row_of("client-management.upgrade-actions")
                    .only("status", &["Closed", "Expired", "Stopped"])
                    .variables(&[("id", "id")])
                    .limit(20),
            )
            .needs(&["read action"]),
    ]);

/// The results of one action.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ActionResults {
    /// The action that was asked for.
    #[serde(rename = "_of")]
    pub(crate) of: ActionId,
    /// How many rows there are, those beyond the limit among them.
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) row_count: Option<f64>,
    /// The columns.
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) columns: Vec<Column>,
    /// The rows.
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) rows: Vec<ResultRow>,
}

/// The variable that the results were asked with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ActionId {
    /// The action's id.
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
}

/// A column of a result set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Column {
    /// Its name: `Computer Name`, `Action Statuses`, `Count`.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
}

/// A row of a result set: column, values of the cell, text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ResultRow {
    /// The cells.
    pub(crate) data: Vec<Vec<Cell>>,
}

/// One value of a cell.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cell {
    /// The value, or a text that says that there is none.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) text: String,
}

/// Upgrades that the module itself ran: they have no public route.
pub(crate) const MODULE_UPGRADES: Input = Input::new(
    "client-management.module-upgrades",
    "upgrades that Client Management ran itself",
)
.sources(&[
    Source::export(
        "client-upgrades.csv",
        CLIENT_UPGRADES,
        "export the endpoints of each upgrade with these columns",
        &["Computer Name", "Upgrade", "Status", "Version", "Time"],
    ),
    Source::answer(
        "Did every upgrade that Client Management ran reach all of its endpoints? (See Client Management > \
         Client Upgrades)",
        Accepts::Choice(&["yes", "no", "none was run"]),
        30,
    ),
]);

/// One endpoint of an upgrade.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UpgradeRow {
    /// The endpoint.
    #[serde(rename = "Computer Name", deserialize_with = "lenient::text")]
    pub(crate) computer_name: String,
    /// The upgrade.
    #[serde(rename = "Upgrade", deserialize_with = "lenient::text")]
    pub(crate) upgrade: String,
    /// What became of it.
    #[serde(rename = "Status", deserialize_with = "lenient::text")]
    pub(crate) status: String,
    /// The version the endpoint runs.
    #[serde(rename = "Version")]
    pub(crate) version: ProductVersion,
    /// When the endpoint was upgraded, or tried.
    #[serde(rename = "Time", deserialize_with = "lenient::time")]
    pub(crate) time: Option<Timestamp>,
}
