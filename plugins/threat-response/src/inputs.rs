//! What the checks read, and the types of the rows.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::ASK;

/// Component, key and value as endpoints tell them. Newer versions of the module may have this sensor no more.
pub(crate) const STATUS: Input =
    Input::new("threat-response.status", "the state of Threat Response on endpoints").sources(&[
        Source::question("Get Threat Response - Status from all machines").needs(ASK),
        Source::export(
            "threat-response-status.csv",
            "Interact > Ask a Question",
            "ask Get Threat Response - Status from all machines and export the results with these columns",
            &["Component", "Key", "Value", "Count"],
        ),
    ]);

/// The same for the computer group that is meant to be covered.
pub(crate) const GROUP_STATUS: Input =
    Input::new("threat-response.status-in-group", "the state of Threat Response in `coverage_group`")
        .sources(&[Source::question("Get Threat Response - Status from all machines")
            .in_group("{setting:coverage_group}")
            .needs(ASK)]);

/// The figure of the Overview page. It has no public route, and its formula is not public.
pub(crate) const COVERAGE: Input =
    Input::new("threat-response.coverage", "the metric Coverage of the Overview page").sources(&[
        Source::export(
            "threat-response-coverage.csv",
            "Modules > Threat Response > Overview > Metrics",
            "write down the metric Coverage: one row with its percentage and the date",
            &["Metric", "Value", "Date"],
        ),
        Source::answer(
            "the coverage that Modules > Threat Response > Overview > Metrics shows, in percent",
            Accepts::Number,
            31,
        ),
    ]);

/// A row of the exported metrics.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Metric {
    #[serde(rename = "Metric", deserialize_with = "lenient::text")]
    pub(crate) metric: String,
    #[serde(rename = "Value", deserialize_with = "lenient::number")]
    pub(crate) value: Option<f64>,
}

/// The profiles of the module.
pub(crate) const PROFILES: Input =
    Input::new("threat-response.profiles", "profiles with state, priority and targets").sources(&[
        Source::export(
            "threat-response-profiles.csv",
            "Modules > Threat Response > Management > Profiles",
            "write down the list of profiles with these columns",
            &["Profile", "State", "Priority", "Computer Groups", "Endpoints"],
        ),
    ]);

/// A profile.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Profile {
    #[serde(rename = "Profile", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// `Active`, `Inactive`, `Outdated` or `Pending`.
    #[serde(rename = "State", deserialize_with = "lenient::text")]
    pub(crate) state: String,
    #[serde(rename = "Priority", deserialize_with = "lenient::text")]
    pub(crate) priority: String,
    #[serde(rename = "Computer Groups", deserialize_with = "lenient::text")]
    pub(crate) groups: String,
}

/// Facts about tools and extensions, where the sensor has no columns for them.
pub(crate) const TOOLS_LIST: Input = Input::new(
    "threat-response.tools",
    "versions, drivers and settings of the tools, as exported",
)
.sources(&[Source::export(
    "threat-response-tools.csv",
    "Interact > Ask a Question",
    "ask Get Client Extensions - Status from all machines and export the results with these columns, and \
             Count or Computer Name",
    &["Component", "Key", "Value"],
)]);

/// The page Health Status; it refreshes every 12 minutes and has no public route.
pub(crate) const HEALTH_STATUS: Input =
    Input::new("threat-response.health-status", "issues of the page Health Status").sources(&[
        Source::export(
            "threat-response-health-status.csv",
            "Modules > Threat Response > Management > Health Status",
            "write down the list of issues with these columns",
            &["Component", "Issue", "Endpoints", "Action"],
        ),
    ]);

/// An issue of the page Health Status.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Issue {
    #[serde(rename = "Component", deserialize_with = "lenient::text")]
    pub(crate) component: String,
    #[serde(rename = "Issue", deserialize_with = "lenient::text")]
    pub(crate) issue: String,
    #[serde(rename = "Endpoints", deserialize_with = "lenient::number")]
    pub(crate) endpoints: Option<f64>,
}
