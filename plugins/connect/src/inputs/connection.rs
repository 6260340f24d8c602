//! A connection and its elements.

use serde_json::Value;
use std::fmt;
use tancheck_plugin_api::prelude::*;

/// A connection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Connection {
    /// Its id; empty in an exported list.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name, which is unique.
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub name: String,
    /// The id of the user who owns it; empty in an exported list.
    #[serde(deserialize_with = "lenient::id")]
    pub user_id: String,
    /// The name of the owner; only in an exported list.
    #[serde(deserialize_with = "lenient::text", alias = "Owner")]
    pub owner: String,
    /// The persona it runs as; `0` is the owner's default persona.
    #[serde(deserialize_with = "lenient::id")]
    pub persona_id: String,
    /// The name of the persona; only in an exported list.
    #[serde(deserialize_with = "lenient::text", alias = "Run as Persona")]
    pub persona: String,
    /// Whether it runs by its schedule, or listens for its events.
    #[serde(deserialize_with = "lenient::flag", alias = "Enabled")]
    pub enabled: Option<bool>,
    /// Five cron fields; empty or `{}` is none.
    #[serde(deserialize_with = "lenient::text", alias = "Schedule")]
    pub schedule: String,
    /// The IANA time zone of the schedule.
    #[serde(deserialize_with = "lenient::text")]
    pub schedule_time_zone: String,
    /// When it runs next; only in an exported list.
    #[serde(rename = "Next Run", deserialize_with = "lenient::time")]
    pub next_run: Option<Timestamp>,
    /// When it last ran; nothing if never.
    #[serde(deserialize_with = "lenient::time", alias = "Last Run")]
    pub last_run_time: Option<Timestamp>,
    /// How the last run ended; nothing if it never ran.
    #[serde(deserialize_with = "run_status", alias = "Status")]
    pub last_run_status: Option<RunStatus>,
    /// The longest run so far, in seconds.
    #[serde(deserialize_with = "lenient::number")]
    pub max_run_duration: Option<f64>,
    /// Runs that finished, ever.
    #[serde(deserialize_with = "lenient::number")]
    pub finished_run_count: Option<f64>,
    /// Runs that failed, ever.
    #[serde(deserialize_with = "lenient::number")]
    pub failed_run_count: Option<f64>,
    /// When it was made.
    #[serde(deserialize_with = "lenient::time")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed; switching it off is a change.
    #[serde(deserialize_with = "lenient::time")]
    pub updated_at: Option<Timestamp>,
    /// Source, filters, format and destination; the list of connections may leave them out.
    #[serde(deserialize_with = "lenient::list")]
    pub streams: Vec<Element>,
}

impl Connection {
    /// What findings are about: the id, or the name where there is no id.
    pub fn subject(&self) -> Subject {
        Subject::new("connection", self.key(), &self.name)
    }

    /// The id, or the name where there is no id.
    pub fn key(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }

    /// Whether it is known to be switched on.
    pub fn is_on(&self) -> bool {
        self.enabled == Some(true)
    }

    /// Whether it is known to be switched off.
    pub fn is_off(&self) -> bool {
        self.enabled == Some(false)
    }

    /// The schedule, if it has one: the vendor's example writes `{}` where there is none.
    pub fn cron(&self) -> Option<&str> {
        let text = self.schedule.trim();
        (!text.is_empty() && text != "{}").then_some(text)
    }

    /// The persona it runs as, other than the owner's default.
    pub fn alternative_persona(&self) -> Option<&str> {
        let named = if self.persona_id.is_empty() { &self.persona } else { &self.persona_id };
        let default = named.is_empty() || named == "0" || named.eq_ignore_ascii_case("default");
        (!default).then_some(named)
    }

    /// The element of this category: `sources`, `formats`, `destinations`.
    pub fn element(&self, category: &str) -> Option<&Element> {
        self.streams.iter().find(|element| element.category() == category)
    }

    /// Whether it waits for events instead of running by a schedule.
    pub fn is_event_driven(&self) -> bool {
        self.element("sources").is_some_and(|source| source.is("events"))
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RunStatus {
    /// It is about to run.
    Starting,
    /// It waits for its turn; only the Gateway tells this apart.
    Waiting,
    /// It runs.
    Running,
    /// It ended with an error.
    Failed,
    /// It ended well.
    Finished,
}

/// A status; `null` and empty are none, an unknown word is an error.
pub(super) fn run_status<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RunStatus>, D::Error> {
    let text = lenient::text(deserializer)?;
    let name = serde::de::value::StrDeserializer::new(text.trim());
    if text.trim().is_empty() { Ok(None) } else { RunStatus::deserialize(name).map(Some) }
}

/// An element of a connection, named by its route: `/v1/sources/events/3`, or without id and with its settings beside
/// it (exported connections).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    /// The route below `/v1/`.
    path: String,
    /// The settings, where they are written beside the route.
    pub settings: Value,
}

impl Element {
    /// `sources`, `filters`, `formats` or `destinations`.
    pub fn category(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// `events`, `https`, or for elements of other modules `pluginConfigurations/<module>/<plugin>`.
    pub fn kind(&self) -> &str {
        let kind = self.path.split_once('/').map_or("", |(_, kind)| kind);
        if self.id().is_empty() { kind } else { kind.rsplit_once('/').map_or(kind, |(kind, _)| kind) }
    }

    /// The id; empty where the settings are written beside the route.
    pub fn id(&self) -> &str {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) { last } else { "" }
    }

    /// Whether it is of this kind. The vendor's examples write kinds in the singular and in the plural.
    pub fn is(&self, kind: &str) -> bool {
        same_kind(self.kind(), kind)
    }
}

/// Whether two names of a kind mean the same: `savedquestion` and `savedquestions` do.
pub fn same_kind(one: &str, other: &str) -> bool {
    one.trim_end_matches('s').eq_ignore_ascii_case(other.trim_end_matches('s'))
}

impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/v1/{}", self.path)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let route = value.as_str().or_else(|| value.get("route").and_then(Value::as_str));
        let path = route.and_then(|route| route.strip_prefix("/v1/"));
        let Some(path) = path else {
            let message = format!("expected the route of an element (/v1/…), found {value}");
            return Err(serde::de::Error::custom(message));
        };
        let settings = value.get("arguments").cloned().unwrap_or_default();
        Ok(Self { path: path.trim_end_matches('/').to_owned(), settings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn connection(value: Value) -> Result<Connection, String> {
        Connection::deserialize(value).map_err(|error| error.to_string())
    }

    #[test]
    fn routes_of_elements_are_read_in_every_spelling() {
        let read =
            connection(json!({"streams": ["/v1/sources/savedquestion/1", {"route": "/v1/destinations/https",
            "arguments": {"url": "https://siem.example"}},
            {"route": "/v1/sources/pluginConfigurations/asset/report-source"}]}))
            .unwrap();
        let [question, https, plugin] = &read.streams[..] else { panic!("three elements") };
        assert_eq!((question.category(), question.kind(), question.id()), ("sources", "savedquestion", "1"));
        assert!(question.is("savedquestions") && !question.is("events"));
        assert_eq!((https.kind(), https.id()), ("https", ""));
        assert_eq!(https.settings["url"], "https://siem.example");
        assert_eq!(plugin.kind(), "pluginConfigurations/asset/report-source");
        assert!(connection(json!({"streams": [7]})).unwrap_err().contains("expected the route"));
    }

    #[test]
    fn an_exported_row_is_a_connection_too() {
        let read =
            connection(json!({"Name": "a", "Owner": "ann", "Run as Persona": "Default", "Enabled": "Yes",
            "Schedule": "5 * * * *", "Next Run": "2026-07-01 00:05:00", "Last Run": "Never", "Status": ""}))
            .unwrap();
        assert_eq!((read.key(), read.alternative_persona()), ("a", None));
        assert!(read.is_on() && read.next_run.is_some());
        assert_eq!((read.last_run_time, read.last_run_status), (None, None));
    }

    #[test]
    fn an_unknown_status_is_not_taken_for_a_known_one() {
        assert!(connection(json!({"lastRunStatus": "Exploded"})).unwrap_err().contains("Exploded"));
    }
}
