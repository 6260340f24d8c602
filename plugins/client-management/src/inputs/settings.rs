//! Client settings: what endpoints hold, what the server hands out, and the values that a site may choose.

use super::ASK;
use crate::console;
use tancheck_plugin_api::prelude::*;

/// The setting that holds a client's logging level.
pub(crate) const LOG_VERBOSITY: &str = "LogVerbosityLevel";

/// The setting that holds the servers a client may try.
pub(crate) const SERVER_NAME_LIST: &str = "ServerNameList";

/// The setting that holds the server a client uses.
pub(crate) const SERVER_NAME: &str = "ServerName";

/// The page Client Health > Settings, which has no public route.
const PAGE: Source = Source::export(
    "client-settings.csv",
    console::SETTINGS_TAB,
    "select each Computer Group in turn and write down Setting, Value and Count; All Computers first",
    &["Computer Group", "Setting", "Value", "Count"],
);

/// A row of the page Client Health > Settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SettingRow {
    /// The computer group that was selected; empty: all computers.
    #[serde(rename = "Computer Group", deserialize_with = "lenient::text")]
    pub(crate) group: String,
    /// The setting.
    #[serde(rename = "Setting", deserialize_with = "lenient::text")]
    pub(crate) setting: String,
    /// Its value.
    #[serde(rename = "Value", deserialize_with = "lenient::text")]
    pub(crate) value: String,
    /// Clients that have this value.
    #[serde(rename = "Count", deserialize_with = "lenient::number")]
    pub(crate) count: Option<f64>,
}

const LEVELS_ASKED: Source = Source::question(
    "Get Tanium Client Explicit Setting[LogVerbosityLevel] from all machines",
)
.sampled_by(
    "Get Computer Name from all machines with Tanium Client Explicit Setting[LogVerbosityLevel] equals \
     {value}",
)
.needs(ASK);

/// The logging level of all endpoints.
pub(crate) const LOG_LEVELS: Input =
    Input::new("client-management.log-levels", "logging levels of all endpoints").sources(&[
        LEVELS_ASKED,
        Source::question("Get Tanium Client Logging Level from all machines")
            .sampled_by("Get Computer Name from all machines with Tanium Client Logging Level equals {value}")
            .needs(ASK),
        PAGE,
    ]);

/// The logging level of the VDI endpoints.
pub(crate) const LOG_LEVELS_VDI: Input =
    Input::new("client-management.log-levels-vdi", "logging levels of VDI endpoints")
        .sources(&[LEVELS_ASKED.in_group("{setting:vdi_group}"), PAGE]);

/// The logging level of the Client Containers.
pub(crate) const LOG_LEVELS_CONTAINERS: Input =
    Input::new("client-management.log-levels-containers", "logging levels of Client Containers")
        .sources(&[LEVELS_ASKED.in_group("{setting:container_group}"), PAGE]);

/// The logging levels of the groups that may differ from the default.
pub(crate) const LOG_LEVELS_EXEMPT: Input =
    Input::new("client-management.log-levels-exempt", "logging levels of exempt groups")
        .sources(&[LEVELS_ASKED.in_group("{item}").each(Each::setting("exempt_groups")), PAGE]);

/// The logging levels of the groups under investigation.
pub(crate) const LOG_LEVELS_INVESTIGATED: Input =
    Input::new("client-management.log-levels-investigated", "logging levels of groups under investigation")
        .sources(&[LEVELS_ASKED.in_group("{item}").each(Each::setting("investigation_groups")), PAGE]);

/// The logging levels of the sensitive groups.
pub(crate) const LOG_LEVELS_SENSITIVE: Input =
    Input::new("client-management.log-levels-sensitive", "logging levels of sensitive groups")
        .sources(&[LEVELS_ASKED.in_group("{item}").each(Each::setting("sensitive_groups")), PAGE]);

/// The logging levels of the groups with limited resources.
pub(crate) const LOG_LEVELS_LIMITED: Input =
    Input::new("client-management.log-levels-limited", "logging levels of groups with limited resources")
        .sources(&[LEVELS_ASKED.in_group("{item}").each(Each::setting("limited_groups")), PAGE]);

/// The servers that clients may try.
pub(crate) const SERVER_LISTS: Input = Input::new(
    "client-management.server-lists",
    "ServerNameList of all endpoints",
)
.sources(&[
    Source::question("Get Tanium Client Explicit Setting[ServerNameList] from all machines")
        .sampled_by(
            "Get Computer Name from all machines with Tanium Client Explicit Setting[ServerNameList] equals \
             {value}",
        )
        .needs(ASK),
    Source::question("Get Tanium Server Name List from all machines")
        .sampled_by("Get Computer Name from all machines with Tanium Server Name List equals {value}")
        .needs(ASK),
    PAGE,
]);

/// The server that each client uses, for servers whose client status lists no Zone Servers.
pub(crate) const SERVER_NAMES: Input =
    Input::new("client-management.server-names", "ServerName of all endpoints")
        .sources(&[Source::question("Get Tanium Server Name from all machines").needs(ASK), PAGE]);

/// The values of the settings of the baseline.
pub(crate) const BASELINE_VALUES: Input = Input::new(
    "client-management.baseline-values",
    "values of the client settings of the baseline",
)
.sources(&[
    Source::question("Get Tanium Client Explicit Setting[{item}] from all machines")
        .sampled_by(
            "Get Computer Name from all machines with Tanium Client Explicit Setting[{item}] equals {value}",
        )
        .each(Each::setting("baseline"))
        .needs(ASK),
    PAGE,
]);

/// The values of the settings whose counts are expected.
pub(crate) const COUNTED_VALUES: Input =
    Input::new("client-management.counted-values", "values of the client settings with expected counts")
        .sources(&[
            Source::question("Get Tanium Client Explicit Setting[{item}] from all machines")
                .each(Each::setting("expected_counts"))
                .needs(ASK),
            PAGE,
        ]);

/// Global settings, those that the server hands out to clients among them.
pub(crate) const GLOBAL_SETTINGS: Input =
    Input::new("client-management.global-settings", "global settings of the server").sources(&[
        Source::rest("/api/v2/system_settings").needs(&["read global settings"]),
        Source::rest("/api/v2/server_info").object(),
    ]);

/// A global setting (`GET /api/v2/system_settings`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GlobalSetting {
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// Its value; missing where the default holds.
    #[serde(deserialize_with = "optional_text")]
    pub(crate) value: Option<String>,
    /// Its default; may be missing.
    #[serde(deserialize_with = "optional_text")]
    pub(crate) default_value: Option<String>,
    /// `Server` or `Client`: who uses it.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) setting_type: String,
}

/// A text that may be missing: `null` is `None`, an empty text is a value.
fn optional_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Text(#[serde(deserialize_with = "lenient::text")] String);
    Ok(Option::<Text>::deserialize(deserializer)?.map(|Text(text)| text))
}
