//! Runs of connections, and what they wrote.

use super::destination::without_secrets;
use super::{Connection, RunStatus};
use serde_json::Value;
use tancheck_plugin_api::prelude::*;

/// A run of a connection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Run {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The connection that ran.
    #[serde(deserialize_with = "lenient::id")]
    pub connection_id: String,
    /// How it stands.
    #[serde(deserialize_with = "super::connection::run_status")]
    pub status: Option<RunStatus>,
    /// Rows the source gave.
    #[serde(deserialize_with = "lenient::number")]
    pub source_row_count: Option<f64>,
    /// Rows the destination got.
    #[serde(deserialize_with = "lenient::number")]
    pub destination_row_count: Option<f64>,
    /// Bytes the destination got.
    #[serde(deserialize_with = "lenient::number")]
    pub destination_byte_count: Option<f64>,
    /// When it began.
    #[serde(deserialize_with = "lenient::time")]
    pub created_at: Option<Timestamp>,
    /// When it last changed: for a run that is over, its end.
    #[serde(deserialize_with = "lenient::time")]
    pub updated_at: Option<Timestamp>,
}

/// The runs of one connection, the newest first.
pub fn runs_of<'a>(runs: &'a [Run], connection: &Connection) -> Vec<&'a Run> {
    let mut own: Vec<&Run> = runs.iter().filter(|run| run.connection_id == connection.id).collect();
    own.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id.parse::<u64>().ok())));
    own
}

/// How the last run of a connection that is over ended; `own` are its runs, the newest first.
pub fn last_outcome(connection: &Connection, own: &[&Run]) -> Option<RunStatus> {
    let over = |status: &RunStatus| matches!(status, RunStatus::Failed | RunStatus::Finished);
    connection.last_run_status.filter(over).or_else(|| own.iter().filter_map(|run| run.status).find(over))
}

/// An entry of a run's log. The vendor does not describe its fields, so all its texts together are the message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogEntry {
    /// The run it belongs to.
    #[serde(rename = "_of")]
    pub of: OfRun,
    /// Everything else.
    #[serde(flatten)]
    pub fields: serde_json::Map<String, Value>,
}

impl LogEntry {
    /// The texts of the entry, in the order of the field names; addresses without what may be secret in them.
    pub fn text(&self) -> String {
        let texts = self.fields.values().filter_map(Value::as_str);
        texts.flat_map(str::split_whitespace).map(without_secrets).collect::<Vec<_>>().join(" ")
    }
}

/// The run that a log entry belongs to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OfRun {
    /// The connection.
    #[serde(deserialize_with = "lenient::id")]
    pub connection: String,
    /// The run.
    #[serde(deserialize_with = "lenient::id")]
    pub run: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_in_logs_are_shown_without_secrets() {
        let entry = json!({"_of": {"connection": 1, "run": 2}, "level": 50,
            "msg": "POST https://ann:hunter2@siem.example/in?key=hunter2 failed"});
        let entry = LogEntry::deserialize(entry).unwrap();
        assert_eq!(entry.text(), "POST https://siem.example/in?key failed");
        assert_eq!((entry.of.connection.as_str(), entry.of.run.as_str()), ("1", "2"));
    }
}
