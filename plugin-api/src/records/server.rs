//! The server itself: client counts, licence, solutions, schedules of module services, diagnostics.

use super::Reference;
use crate::{Input, ProductVersion, Source, lenient};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The counters over all registered clients: the aggregate element of the client status list.
pub const CLIENT_STATUS: Input = Input::new("platform.client-status", "counters over all registered clients")
    .sources(&[Source::rest("/api/v2/system_status")
        .options(r#"{"cache_expiration":60,"row_start":0,"row_count":1}"#)
        .only_rows_with("leader_count")
        .needs(&["read system status"])]);

/// The number of registered clients.
pub const CLIENT_COUNT: Input = Input::new("platform.client-count", "number of registered clients")
    .sources(&[Source::rest("/api/v2/client_count").value()]);

/// The licence.
pub const LICENSE: Input =
    Input::new("platform.license", "the licence").sources(&[Source::rest("/api/v2/license").object()]);

/// Imported solutions.
pub const SOLUTIONS: Input =
    Input::new("platform.solutions", "imported solutions").sources(&[Source::rest("/api/v2/solutions")]);

/// Schedules by which the server calls module services.
pub const PLUGIN_SCHEDULES: Input = Input::new("platform.plugin-schedules", "schedules of module services")
    .sources(&[Source::rest("/api/v2/plugin_schedules").needs(&["read plugin"])]);

/// Diagnostics of the server: versions, installed workbenches, the connection to the Module Server.
pub const SERVER_INFO: Input = Input::new("platform.server-info", "diagnostics of the server")
    .sources(&[Source::rest("/api/v2/server_info").object()]);

/// The aggregate of `GET /api/v2/system_status`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClientStatus {
    /// Clients that lead their neighbourhood.
    #[serde(deserialize_with = "lenient::number")]
    pub leader_count: Option<f64>,
    /// Clients in normal state.
    #[serde(deserialize_with = "lenient::number")]
    pub normal_count: Option<f64>,
    /// Clients that registered with TLS; old servers leave it out.
    #[serde(deserialize_with = "lenient::number")]
    pub registered_with_tls_count: Option<f64>,
    /// Clients by version.
    pub versions: Vec<VersionCount>,
    /// Clients by Zone Server; only newer servers tell.
    pub zone_servers: Option<Vec<ZoneServerCount>>,
}

impl ClientStatus {
    /// All clients in the list: the sum over versions.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.versions.iter().map(|version| version.count).sum()
    }
}

/// Clients of one version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VersionCount {
    /// The version.
    pub version_string: ProductVersion,
    /// How many clients have it.
    pub count: u64,
}

/// Clients registered through one Zone Server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ZoneServerCount {
    /// The Zone Server's address.
    #[serde(deserialize_with = "lenient::text")]
    pub zone_server_address: String,
    /// How many clients use it.
    pub count: u64,
}

/// The licence (`GET /api/v2/license`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct License {
    /// What it covers.
    pub licensed_features: LicensedFeatures,
}

/// What a licence covers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LicensedFeatures {
    /// The customer.
    pub customer: Customer,
    /// Licensed solutions, as patterns on solution ids.
    pub licensed_solutions: Vec<LicensedSolution>,
    /// The kind of Appliance, where the servers are Appliances.
    pub appliance: LicensedAppliance,
}

/// The Appliance of a licence.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LicensedAppliance {
    /// `Virtual`, or another word; empty where no server is an Appliance.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: String,
}

/// The customer of a licence.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Customer {
    /// Licensed endpoints.
    #[serde(deserialize_with = "lenient::number")]
    pub seat_count: Option<f64>,
    /// Days the licence runs.
    #[serde(deserialize_with = "lenient::number")]
    pub days: Option<f64>,
}

/// One licensed solution.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LicensedSolution {
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// A pattern on solution ids: digits, and classes such as `[0-9]` or `[1-4]`.
    #[serde(rename = "match", deserialize_with = "lenient::text")]
    pub pattern: String,
    /// The last day.
    #[serde(deserialize_with = "lenient::time")]
    pub expire: Option<Timestamp>,
    /// Endpoints licensed for this solution.
    #[serde(deserialize_with = "lenient::number")]
    pub seats: Option<f64>,
}

impl LicensedSolution {
    /// Whether the pattern covers a solution id. Patterns are plain characters and bracketed digit ranges.
    #[must_use]
    pub fn covers(&self, id: &str) -> bool {
        let mut pattern = self.pattern.chars();
        let mut id = id.chars();
        while let Some(wanted) = pattern.next() {
            let Some(found) = id.next() else { return false };
            if wanted != '[' {
                if wanted != found {
                    return false;
                }
                continue;
            }
            let class: Vec<char> = pattern.by_ref().take_while(|&character| character != ']').collect();
            let matches = match class[..] {
                [low, '-', high] => (low..=high).contains(&found),
                _ => class.contains(&found),
            };
            if !matches {
                return false;
            }
        }
        id.next().is_none()
    }
}

/// An imported solution (`GET /api/v2/solutions`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ImportedSolution {
    /// `NN-NNN-NNNN`.
    #[serde(deserialize_with = "lenient::text")]
    pub solution_id: String,
    /// Its name; may end in ` (DEV)`.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The imported version.
    pub imported_version: ProductVersion,
    /// When it was imported or changed last.
    #[serde(deserialize_with = "lenient::time")]
    pub last_update: Option<Timestamp>,
    /// The solution is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
}

impl ImportedSolution {
    /// Whether it is the module with this name, and not deleted. Names may have `Tanium ` in front and ` (DEV)` behind.
    #[must_use]
    pub fn is_module(&self, name: &str) -> bool {
        let own = self.name.strip_suffix(" (DEV)").unwrap_or(&self.name);
        let own = own.strip_prefix("Tanium ").unwrap_or(own);
        self.deleted_flag != Some(true) && own.eq_ignore_ascii_case(name)
    }
}

/// A schedule by which the server calls a module's service (`GET /api/v2/plugin_schedules`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PluginSchedule {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The bundle of the plugin it calls.
    #[serde(deserialize_with = "lenient::text")]
    pub plugin_bundle: String,
    /// The plugin it calls.
    #[serde(deserialize_with = "lenient::text")]
    pub plugin_name: String,
    /// The user it runs as; once that user is deleted, it no longer runs.
    #[serde(deserialize_with = "lenient::named")]
    pub user: Reference,
    /// The persona it runs with.
    #[serde(deserialize_with = "lenient::named")]
    pub persona: Reference,
    /// Whether it runs.
    #[serde(deserialize_with = "lenient::flag")]
    pub enabled: Option<bool>,
    /// The schedule is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// The hour of the day it runs from, where it runs at some hours only.
    #[serde(deserialize_with = "lenient::number")]
    pub start_hour: Option<f64>,
    /// The hour of the day it runs until, where it runs at some hours only.
    #[serde(deserialize_with = "lenient::number")]
    pub end_hour: Option<f64>,
    /// The days it runs on, where it runs on some only.
    #[serde(deserialize_with = "lenient::text")]
    pub run_on_days: String,
    /// The exit code of the last run; 4294967295 is −1.
    pub last_exit_code: Option<u64>,
    /// What the last run said; begins with `ERROR:` on failure.
    #[serde(deserialize_with = "lenient::text")]
    pub last_run_text: String,
    /// When it last ran; `Never` is none.
    #[serde(deserialize_with = "lenient::time")]
    pub last_run_time: Option<Timestamp>,
    /// How often it runs, in seconds; 4294967295 is unset.
    #[serde(deserialize_with = "lenient::number")]
    pub run_interval_seconds: Option<f64>,
}

impl PluginSchedule {
    /// Whether it is meant to run.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.enabled != Some(false) && self.deleted_flag != Some(true)
    }

    /// By how much its last run is late: three intervals went by without one. `None` where it is in time, has not
    /// run yet, or runs at some hours or days only. A quarter of an hour is no delay.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Option<SignedDuration> {
        const GRACE: SignedDuration = SignedDuration::from_mins(15);
        let limited = [self.start_hour, self.end_hour].iter().any(|hour| hour.is_some_and(|hour| hour > 0.0));
        if limited || !self.run_on_days.is_empty() {
            return None;
        }
        let allowed = SignedDuration::try_from_secs_f64(self.run_interval_seconds? * 3.0).ok()?;
        let since = now.duration_since(self.last_run_time?);
        (since > allowed.max(GRACE)).then_some(since)
    }

    /// Why the last run counts as failed.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        if self.last_run_text.starts_with("ERROR:") {
            return Some(self.last_run_text.clone());
        }
        match self.last_exit_code {
            Some(4_294_967_295) => Some("exit code -1".to_owned()),
            Some(code) if code != 0 => Some(format!("exit code {code}")),
            _ => None,
        }
    }
}

/// Diagnostics (`GET /api/v2/server_info`), by section. Sections differ between server versions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// The sections.
    #[serde(rename = "Diagnostics")]
    pub diagnostics: BTreeMap<String, Value>,
}

impl ServerInfo {
    /// The values of one section, by key; empty where the server has no such section.
    pub fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Value)> {
        let fields = self.diagnostics.get(name).and_then(Value::as_object);
        fields.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_ids() {
        let covers = |pattern: &str, id: &str| {
            LicensedSolution { pattern: pattern.to_owned(), ..LicensedSolution::default() }.covers(id)
        };
        assert!(covers("99-200-[0-9][0-9][0-9][0-9]", "99-200-0008"));
        assert!(covers("02-[1-4]00-[0-9][0-9][0-9][0-9]", "02-300-0029"));
        assert!(!covers("02-[1-4]00-[0-9][0-9][0-9][0-9]", "02-500-0053"));
        assert!(!covers("99-010-0035", "99-010-00351") && !covers("99-010-0035", "99-010-003"));
    }

    #[test]
    fn modules_are_known_by_name() {
        let solution = |name: &str, deleted_flag| ImportedSolution {
            name: name.to_owned(),
            deleted_flag,
            ..ImportedSolution::default()
        };
        assert!(solution("Tanium Trends", None).is_module("trends"));
        assert!(solution("Trends (DEV)", Some(false)).is_module("Trends"));
        assert!(!solution("Tanium Trends", Some(true)).is_module("Trends"));
        assert!(!solution("Tanium Trends Content", None).is_module("Trends"));
    }

    #[test]
    fn a_schedule_is_overdue_after_three_intervals() {
        let last: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
        let schedule = |seconds, days: &str| PluginSchedule {
            last_run_time: Some(last),
            run_interval_seconds: seconds,
            run_on_days: days.to_owned(),
            ..PluginSchedule::default()
        };
        let late = |schedule: PluginSchedule, minutes| {
            schedule.overdue(last + SignedDuration::from_mins(minutes)).map(|delay| delay.as_mins())
        };
        assert_eq!(late(schedule(Some(3600.0), ""), 180), None);
        assert_eq!(late(schedule(Some(3600.0), ""), 181), Some(181));
        assert_eq!(late(schedule(Some(30.0), ""), 15), None, "a short interval gets some grace");
        assert_eq!(late(schedule(Some(30.0), ""), 16), Some(16));
        assert_eq!(late(schedule(Some(30.0), "Mon, Tue"), 9999), None);
        assert_eq!(late(schedule(None, ""), 9999), None);
    }

    #[test]
    fn failures_of_schedules() {
        let failure = |code, text: &str| {
            PluginSchedule {
                last_exit_code: code,
                last_run_text: text.to_owned(),
                ..PluginSchedule::default()
            }
            .failure()
        };
        assert_eq!(failure(Some(0), "ok"), None);
        assert_eq!(failure(Some(4_294_967_295), "").as_deref(), Some("exit code -1"));
        assert!(failure(None, "ERROR: timed out").is_some_and(|text| text.contains("timed out")));
    }
}
