//! The result of a run as one document: what every report shows, the JSON prints and the history keeps.
//!
//! The same facts give the same bytes: lists are sorted, and there is no duration in it but what probes measured.
//! Fields are only ever added; a change of meaning raises [`FORMAT`].

mod finding;

pub use finding::{Affected, Attested, Confirmed, Evidence, Finding, Remedy, Subject};

use super::change::Changes;
use super::waiver;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tancheck_plugin_api::records::probe::Probe;
use tancheck_plugin_api::{Cadence, Kind, Outcome, Proposal, Severity};

/// The version of the document.
pub const FORMAT: u32 = 1;

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The version of this document's format.
    pub format: u32,
    /// The program that made it.
    pub tool: Tool,
    /// The deployment that was inspected.
    pub deployment: Deployment,
    /// The time of the run, which all judges took for now.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Where the site is: dates that are told to people are those of this zone. Times of this document are UTC.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// The number under which the history keeps it; none where it could not be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub number: Option<i64>,
    /// What was asked for.
    pub selection: Selection,
    /// The signal that ended the collection early.
    pub interrupted: Option<String>,
    /// Checks that came to a decision.
    pub decided: u64,
    /// Checks of the run: each has exactly one outcome.
    pub total: u64,
    /// Checks by outcome; every outcome is there.
    pub counts: BTreeMap<String, u64>,
    /// Findings by severity; every severity is there.
    pub severities: BTreeMap<String, u64>,
    /// What changed since the history last looked; none where there is no history.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub changes: Option<Changes>,
    /// What was sent.
    pub requests: Requests,
    /// The exit code, and everything that speaks for one.
    pub exit: Exit,
    /// The checks, by id.
    pub checks: Vec<CheckResult>,
    /// The plugins of the run, by id.
    pub plugins: Vec<PluginUsed>,
    /// Files that looked like plugins and were not used.
    pub refused: Vec<Refused>,
    /// Plugins that were left out because their module is not there.
    pub absent: Vec<Absent>,
    /// Modules of the deployment that no plugin of this run is about.
    pub not_looked_at: Vec<Module>,
    /// Checks that are not judged any more because their judge failed twice.
    pub quarantined: Vec<Quarantined>,
    /// What plugins printed.
    pub noise: Vec<Noise>,
    /// What went wrong beside the checks.
    pub problems: Vec<String>,
    /// Checks that the site switched off.
    #[serde(default)]
    pub switched_off: Vec<SwitchedOff>,
    /// What was probed from here, by listener: what another run merges from this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::probed::schema")]
    pub probes: Vec<Probe>,
    /// Findings that somebody waived; they are counted as the others are.
    #[serde(default)]
    pub waived: u64,
    /// What became of each waiver.
    #[serde(default)]
    pub waivers: Vec<waiver::Use>,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Run {
    /// Where the site is.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// `212 of 214 decided`.
    #[must_use]
    pub fn share(&self) -> String {
        format!("{} of {} decided", self.decided, self.total)
    }

    /// The check with this id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&CheckResult> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// All findings, with their checks.
    pub fn findings(&self) -> impl Iterator<Item = (&CheckResult, &Finding)> {
        self.checks.iter().flat_map(|check| check.findings.iter().map(move |finding| (check, finding)))
    }

    /// Counts what the checks came to.
    pub fn count(&mut self) {
        self.counts = Outcome::ALL.iter().map(|outcome| (outcome.name().to_owned(), 0)).collect();
        self.severities = Severity::ALL.iter().map(|severity| (severity.name().to_owned(), 0)).collect();
        for check in &self.checks {
            *self.counts.entry(check.outcome.name().to_owned()).or_default() += 1;
            for finding in &check.findings {
                *self.severities.entry(finding.severity.name().to_owned()).or_default() += 1;
            }
        }
        self.waived = self.findings().filter(|(_, finding)| finding.waiver.is_some()).count() as u64;
        self.total = self.checks.len() as u64;
        self.decided = self.checks.iter().filter(|check| check.outcome.is_decided()).count() as u64;
    }
}

/// The program that made the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `tancheck`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The deployment that was inspected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deployment {
    /// The name under which history and fingerprints are kept.
    pub id: String,
    /// Its address.
    pub url: String,
    /// The account that asked, where the deployment told it.
    pub account: Option<String>,
}

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// Modules that were named; empty: those that are enabled.
    pub modules: Vec<String>,
    /// Checks that were named.
    pub checks: Vec<String>,
    /// Cadences that were named.
    pub cadences: Vec<String>,
    /// Only checks that were not healthy in their last run.
    pub only_failed: bool,
    /// Only checks that were due.
    #[serde(default)]
    pub due: bool,
    /// Only checks of these owners.
    #[serde(default)]
    pub owners: Vec<String>,
    /// Whether checks that no guide of the vendor asks for were included.
    pub beyond: bool,
    /// Whether questions could be asked.
    pub questions: bool,
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requests {
    /// Requests that were sent.
    pub sent: u64,
    /// Needs that another check's request served.
    pub saved: u64,
    /// Questions among the requests.
    pub questions: u64,
}

/// The exit code, and everything that speaks for one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exit {
    /// The code of the process.
    pub code: u8,
    /// All reasons, the one that decided first.
    pub reasons: Vec<Reason>,
}

/// One reason for an exit code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The code it speaks for.
    pub code: u8,
    /// What happened.
    pub says: String,
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// `<plugin>.<problem-or-state>`.
    pub id: String,
    /// The plugin.
    pub plugin: String,
    /// The good state.
    pub title: String,
    /// How it comes to its outcome.
    #[schemars(schema_with = "kind_schema")]
    pub kind: Kind,
    /// How often the guide asks for it.
    #[schemars(schema_with = "cadences_schema")]
    pub cadence: Vec<Cadence>,
    /// Whether it goes beyond the guides of the vendor.
    #[serde(default)]
    pub beyond: bool,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub owners: Vec<String>,
    /// The outcome.
    #[schemars(schema_with = "outcome_schema")]
    pub outcome: Outcome,
    /// Why, for every outcome that needs a why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub reason: Option<String>,
    /// The attestation that settled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub attested: Option<Attested>,
    /// Remarks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub notes: Vec<String>,
    /// What is wrong, the worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// What awaits a person's confirmation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub awaiting: Vec<Finding>,
    /// What a person has confirmed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[serde(default)]
    pub confirmed: Vec<Confirmed>,
    /// Whether all there is to see was seen, so that what is not listed is gone.
    #[serde(skip)]
    pub saw_everything: bool,
    /// What settings of the site would be, going by what was seen; `tancheck learn` shows it.
    #[serde(skip)]
    pub proposals: Vec<Proposal>,
    /// Why its inputs were not all there is, so that nothing it proposed was taken.
    #[serde(skip)]
    pub partly: Option<String>,
    /// The last day on which a task that came due is not yet overdue, as long as that lies ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub grace_until: Option<String>,
    /// The steps of a task that is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub task: Option<Remedy>,
}

/// A plugin of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginUsed {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The API version it was built against.
    pub api: String,
    /// SHA-256 of its library.
    pub sha256: String,
    /// Checks of it in this run.
    pub checks: u64,
    /// What its worker was kept from; empty where no worker was needed.
    pub sandbox: String,
}

/// A file that looked like a plugin and was not used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// The file.
    pub path: String,
    /// The plugin's id, where it could be read.
    pub id: Option<String>,
    /// Why, and what to do.
    pub reason: String,
}

/// A plugin that was left out because its module is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Absent {
    /// The plugin.
    pub plugin: String,
    /// Why.
    pub reason: String,
}

/// A module of the deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its solution id.
    pub id: String,
    /// The imported version.
    pub version: String,
    /// A plugin that is installed for it, but not enabled.
    pub plugin: Option<String>,
}

/// A check that is not judged any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quarantined {
    /// The check.
    pub check: String,
    /// What happened to it, and what ends it.
    pub reason: String,
}

/// A check that the site switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SwitchedOff {
    /// The check.
    pub check: String,
    /// Why.
    pub reason: String,
}

/// What a plugin printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// The plugin.
    pub plugin: String,
    /// The text, cut where it was long.
    pub text: String,
}

fn outcome_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Outcome::ALL.map(Outcome::name)})
}

pub(super) fn severity_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": Severity::ALL.map(Severity::name)})
}

fn kind_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": [Kind::Automated, Kind::Attested, Kind::Hybrid]})
}

fn cadences_schema(_: &mut SchemaGenerator) -> Schema {
    let names = Cadence::ALL.map(Cadence::name);
    json_schema!({"type": "array", "items": {"type": "string", "enum": names}})
}
