//! Pages of the Console, and lists that an administrator writes down.

use super::HOME;
use tancheck_plugin_api::prelude::*;

/// The zone proxies, without their payload.
pub(crate) const ZONE_PROXIES: Input =
    Input::new("direct-connect.zone-proxies", "zone proxies and their settings").sources(&[Source::export(
        "direct-connect-zone-proxies.csv",
        "Direct Connect > Zone Proxies",
        "write down one row for each zone proxy, and the Zone Server it runs on; never the provision payload",
        &[
            "Name",
            "Zone Server",
            "Status",
            "Module Host",
            "Module Bind",
            "Module Port",
            "Endpoint Host",
            "Endpoint Bind",
            "Endpoint Port",
        ],
    )]);

/// A zone proxy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ZoneProxy {
    #[serde(rename = "Name", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    #[serde(rename = "Zone Server", deserialize_with = "lenient::text")]
    pub(crate) zone_server: String,
    #[serde(rename = "Status", deserialize_with = "lenient::text")]
    pub(crate) status: String,
    #[serde(rename = "Module Host", deserialize_with = "lenient::text")]
    pub(crate) module_host: String,
    #[serde(rename = "Module Bind", deserialize_with = "lenient::text")]
    pub(crate) module_bind: String,
    #[serde(rename = "Module Port", deserialize_with = "lenient::text")]
    pub(crate) module_port: String,
    #[serde(rename = "Endpoint Host", deserialize_with = "lenient::text")]
    pub(crate) endpoint_host: String,
    #[serde(rename = "Endpoint Bind", deserialize_with = "lenient::text")]
    pub(crate) endpoint_bind: String,
    #[serde(rename = "Endpoint Port", deserialize_with = "lenient::text")]
    pub(crate) endpoint_port: String,
}

impl ZoneProxy {
    /// Whether its status is the only one that the guide calls good.
    pub(crate) fn is_connected(&self) -> bool {
        self.status.trim().eq_ignore_ascii_case("connected")
    }

    /// What a finding about it is about.
    pub(crate) fn subject(&self) -> Subject {
        let name = self.name.trim();
        Subject::new("zone proxy", name.to_lowercase(), if name.is_empty() { "(no name)" } else { name })
    }
}

/// The grid of active connections.
pub(crate) const ACTIVE_CONNECTIONS: Input =
    Input::new("direct-connect.active-connections", "sessions that are open now").sources(&[Source::export(
        "direct-connect-connections.csv",
        HOME,
        "section Active Connections: export the grid, or write it down, with these columns",
        &[
            "Host Name",
            "Tanium Client ID",
            "IP Address",
            "Proxy",
            "Action Status",
            "Session Status",
            "Duration",
            "Last Message",
        ],
    )]);

/// A session.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ActiveConnection {
    #[serde(rename = "Host Name", deserialize_with = "lenient::text")]
    pub(crate) host: String,
    #[serde(rename = "Tanium Client ID", deserialize_with = "lenient::id")]
    pub(crate) client: String,
    #[serde(rename = "Proxy", deserialize_with = "lenient::text")]
    pub(crate) proxy: String,
    #[serde(rename = "Action Status", deserialize_with = "lenient::text")]
    pub(crate) action_status: String,
    #[serde(rename = "Session Status", deserialize_with = "lenient::text")]
    pub(crate) session_status: String,
    #[serde(rename = "Duration", deserialize_with = "lenient::text")]
    pub(crate) duration: String,
    #[serde(rename = "Last Message", deserialize_with = "lenient::text")]
    pub(crate) last_message: String,
}

/// The servers that count, with their versions.
pub(crate) const SERVERS: Input =
    Input::new("direct-connect.servers", "servers of the deployment, with their versions").sources(&[
        Source::export(
            "direct-connect-servers.csv",
            "the servers themselves",
            "write down one row for each Tanium Server, Module Server and Zone Server: its version, and the \
             version of TanOS where it is an Appliance; Role is Tanium Server, Module Server, Zone Server or \
             All-in-One",
            &["Server", "Role", "Version", "TanOS"],
        ),
    ]);

/// A server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Server {
    #[serde(rename = "Server", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    #[serde(rename = "Role", deserialize_with = "lenient::text")]
    pub(crate) role: String,
    #[serde(rename = "Version")]
    pub(crate) version: ProductVersion,
    #[serde(rename = "TanOS")]
    pub(crate) tanos: ProductVersion,
}

/// Whether the files of the client extension are there.
pub(crate) const EXCLUSION_TARGETS: Input =
    Input::new("direct-connect.exclusion-targets", "files of the client extension on sample endpoints")
        .sources(&[Source::export(
            "direct-connect-exclusion-targets.csv",
            "one endpoint of each operating system that has the tools",
            "look for the five files of its operating system; one row for each, Present is yes or no",
            &["Computer Name", "File", "Present"],
        )]);

/// A file of the extension on an endpoint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ExclusionTarget {
    #[serde(rename = "Computer Name", deserialize_with = "lenient::text")]
    pub(crate) computer: String,
    #[serde(rename = "File", deserialize_with = "lenient::text")]
    pub(crate) file: String,
    #[serde(rename = "Present", deserialize_with = "lenient::flag")]
    pub(crate) present: Option<bool>,
}

/// The log of the client extensions, where somebody copied one.
pub(crate) const EXTENSION_LOG: Input =
    Input::new("direct-connect.extension-log", "log of the client extensions of an endpoint").sources(&[
        Source::lines(
            "extensions0.txt",
            "an endpoint that does not connect",
            "copy Logs/extensions0.txt out of the directory of its Tanium Client, as it is",
            &["dec", "TaniumDEC", "libTaniumDEC"],
        ),
    ]);

/// A line of the log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LogLine {
    #[serde(rename = "Line")]
    pub(crate) number: u64,
    #[serde(rename = "Text", deserialize_with = "lenient::text")]
    pub(crate) text: String,
}

impl LogLine {
    /// When it was written: lines may begin with a date and a time.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        let begin = self.text.trim_start_matches(['[', ' ']);
        let whole = begin.get(..20).and_then(|text| lenient::parse_time(text).ok().flatten());
        let plain = || begin.get(..19).and_then(|text| lenient::parse_time(text).ok().flatten());
        let day = || begin.get(..10).and_then(|text| lenient::parse_time(text).ok().flatten());
        whole.or_else(plain).or_else(day)
    }
}
