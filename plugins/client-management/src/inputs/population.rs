//! How many endpoints there are, how many lead, how many the licence covers, and what people know about them.

use tancheck_plugin_api::prelude::*;

/// How many endpoints are managed. The sources count differently, so each has a series of its own: see
/// [`crate::endpoint_count`].
pub(crate) const ENDPOINT_COUNT: Input =
    Input::new("client-management.endpoint-count", "number of managed endpoints").sources(&[
        Source::rest("/api/v2/client_count").value(),
        Source::gateway(
            "endpoints",
            "query { endpoints(first: 1, source: {tds: {scope: TANIUM_CLIENTS}}) { totalRecords } }",
        )
        .object()
        .needs(&["gateway use api", "show api gateway", "read sensor"]),
        Source::rest("/api/v2/system_status")
            .options(r#"{"cache_expiration":60,"row_start":0,"row_count":1}"#)
            .only_rows_with("leader_count")
            .needs(&["read system status"]),
        Source::answer("Total Endpoints, as the Tanium Home page shows it now", Accepts::Number, 14),
    ]);

/// The endpoint counts of earlier runs.
pub(crate) const ENDPOINT_HISTORY: Input =
    Input::new("client-management.endpoint-history", "endpoint counts of earlier runs")
        .sources(&[Source::history("client-management.endpoint-count.*", 182)]);

/// `endpoints` of the Gateway, asked for its size alone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EndpointTotal {
    /// Endpoints that the data service knows.
    #[serde(rename = "totalRecords", deserialize_with = "lenient::number")]
    pub(crate) total_records: Option<f64>,
}

/// Endpoints that were seen for the first time within the last week.
pub(crate) const NEW_ENDPOINTS: Input =
    Input::new("client-management.new-endpoints", "endpoints first seen within the last week").sources(&[
        Source::gateway(
            "endpoints",
            "query ($after: Cursor, $since: String) { endpoints(first: 100, after: $after, filter: {path: \
             \"eidFirstSeen\", op: GT, value: $since}) { edges { node { id name eidFirstSeen ipAddress } } \
             pageInfo { hasNextPage endCursor } totalRecords } }",
        )
        .variables(&[("since", "{since:7d}")])
        .needs(&["gateway use api", "show api gateway", "read sensor"]),
    ]);

/// One new endpoint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewEndpoint {
    /// The name; may be empty.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// The address; may be empty.
    #[serde(rename = "ipAddress", deserialize_with = "lenient::text")]
    pub(crate) ip_address: String,
    /// When it was seen first; may be missing.
    #[serde(rename = "eidFirstSeen", deserialize_with = "lenient::time")]
    pub(crate) first_seen: Option<Timestamp>,
}

/// How long an endpoint that does not register any more is counted.
pub(crate) const RETENTION: Input =
    Input::new("client-management.retention", "retention period behind Total Endpoints").sources(&[
        Source::answer(
            "Retention period behind Total Endpoints, in days (the guide's default is 30)",
            Accepts::Number,
            90,
        ),
    ]);

/// How many endpoints count for the licence.
pub(crate) const LICENSE_COUNT: Input =
    Input::new("client-management.license-count", "endpoints that count for the licence").sources(&[
        Source::rest("/api/v2/client_count").value(),
        Source::answer(
            "Managed endpoint count shown on Administration > Configuration > Client Status",
            Accepts::Number,
            14,
        ),
    ]);

/// How many endpoints the licence covers, where the licence itself does not tell.
pub(crate) const LICENSED_SEATS: Input =
    Input::new("client-management.licensed-seats", "licensed maximum of endpoints").sources(&[
        Source::metrics(&["tanium_licensed_seat_count"]),
        Source::answer(
            "Licensed maximum shown on Administration > Configuration > Client Status",
            Accepts::Number,
            365,
        ),
    ]);

/// The share of leaders, counted by the server.
pub(crate) const LEADERS: Input =
    Input::new("client-management.leaders", "number of leaders among the registered clients").sources(&[
        Source::rest("/api/v2/system_status")
            .options(r#"{"cache_expiration":60,"row_start":0,"row_count":1}"#)
            .only_rows_with("leader_count")
            .needs(&["read system status"]),
        Source::rest("/api/v2/server_info").object(),
    ]);

/// The counters that the share of leaders is made of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LeaderCounts {
    /// Clients that lead their neighbourhood.
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) leader_count: Option<f64>,
    /// Clients by version; together they are all clients in the list.
    #[serde(deserialize_with = "lenient::list")]
    pub(crate) versions: Vec<ListedVersion>,
    /// All clients; only in the diagnostics.
    #[serde(rename = "System_Count", deserialize_with = "lenient::number")]
    pub(crate) system_count: Option<f64>,
}

/// Clients of one version in the list that the leaders were counted in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListedVersion {
    /// Clients that the server remembers.
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) count: Option<f64>,
    /// Those among them that the other counters are made of; old servers leave it out.
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) filtered: Option<f64>,
}

/// The leader percentage of the TPAN report.
pub(crate) const TPAN_LEADERS: Input =
    Input::new("client-management.tpan-leaders", "leader percentage of the latest TPAN report").sources(&[
        Source::answer(
            "TPAN report, page Tuning: What's the actual or anticipated leader count percentage?",
            Accepts::Number,
            14,
        ),
        Source::export(
            "tpan-tuning.csv",
            "Administration > Shared Services > Health Check",
            "open the latest TPAN report and copy the rows of its Tuning page into these columns",
            &["report_time", "question", "value"],
        ),
    ]);

/// A row of the report's page Tuning.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TuningRow {
    /// When the report was made.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) report_time: Option<Timestamp>,
    /// The question of the row.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) question: String,
    /// The value, with or without a percent sign.
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) value: Option<f64>,
}

/// The leader percentages of earlier runs.
pub(crate) const LEADER_HISTORY: Input =
    Input::new("client-management.leader-history", "leader percentages of earlier runs")
        .sources(&[Source::history("client-management.leader-percentage.*", 182)]);

/// Whether the client is put back on endpoints that lost it.
pub(crate) const REDEPLOYMENT: Input =
    Input::new("client-management.redeployment", "decision about automatic redeployment of lost clients")
        .sources(&[
            Source::answer(
                "Does a Client Management deployment target the Discover label of disconnected endpoints? \
                 Name the deployment, or who decided against it and when, in the note",
                Accepts::Choice(&["yes", "decided against", "no"]),
                365,
            ),
            Source::export(
                "client-management-deployments.csv",
                "Administration > Shared Services > Client Management > Deployments",
                "export the list with these columns",
                &["Name", "Target", "Status", "Schedule"],
            ),
        ]);

/// A deployment of Client Management.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Deployment {
    /// Its name.
    #[serde(rename = "Name", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// What it deploys to.
    #[serde(rename = "Target", deserialize_with = "lenient::text")]
    pub(crate) target: String,
    /// Whether it runs, in the words of the page; they are not documented.
    #[serde(rename = "Status", deserialize_with = "lenient::text")]
    pub(crate) status: String,
}
