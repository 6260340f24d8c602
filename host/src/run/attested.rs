//! What people attested: which attestation speaks for a check or a subject, and how long it is good for.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tancheck_plugin_api::manifest::{Check, Manifest};

/// How long an attestation of a check without any period is good for.
const WITHOUT_PERIOD: u32 = 365;

/// What a person found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Done, or looked at and good.
    Done,
    /// Something is wrong; the note says what.
    Problem,
    /// The task has no subject here.
    NotApplicable,
}

impl Verdict {
    /// The name used on the command line and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Problem => "problem",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One subject of a check that a person spoke about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// The subject's kind.
    pub kind: String,
    /// The subject's key.
    pub key: String,
    /// The state it was in; the word of the person counts for no other one.
    pub state: Option<String>,
}

/// A file that proves it. Only its name and hash are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// The file's name.
    pub name: String,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
}

/// A person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The check.
    pub task: String,
    /// The subject; `None`: the check as a whole.
    pub about: Option<About>,
    /// What the person found.
    pub result: Verdict,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when, where the person said so; otherwise the check's period decides.
    pub valid_until: Option<Timestamp>,
    /// A remark.
    pub note: String,
    /// A file that proves it.
    pub evidence: Option<EvidenceFile>,
}

impl Attestation {
    /// When it ceases to count, for a check whose period has these days.
    #[must_use]
    pub fn until(&self, days: u32) -> Timestamp {
        let period = SignedDuration::from_hours(24 * i64::from(days));
        self.valid_until.unwrap_or_else(|| self.at.checked_add(period).unwrap_or(Timestamp::MAX))
    }

    /// Whether it counts at a time.
    #[must_use]
    pub fn is_valid(&self, days: u32, now: Timestamp) -> bool {
        self.at <= now && now < self.until(days)
    }
}

/// The days that an attestation of a check is good for: the site's `due_every`, else the shortest cadence, else a year.
#[must_use]
pub fn valid_days(manifest: &Manifest, check: &Check, settings: &Map<String, Value>) -> u32 {
    let chosen = check.due_every.as_ref().and_then(|key| {
        let default = manifest.setting(key).map(|setting| &setting.default);
        settings.get(key).or(default).and_then(Value::as_u64)
    });
    chosen.and_then(|days| u32::try_from(days).ok()).unwrap_or_else(|| period(check))
}

/// The days of a check's shortest cadence; a year where it has no period.
#[must_use]
pub fn period(check: &Check) -> u32 {
    check.cadence.iter().filter_map(|cadence| cadence.days()).min().unwrap_or(WITHOUT_PERIOD)
}

/// The latest word about a check as a whole.
#[must_use]
pub fn on_check<'a>(all: &'a [Attestation], check: &Check, now: Timestamp) -> Option<&'a Attestation> {
    latest(all.iter().filter(|one| one.about.is_none() && is_of(one, check)), now)
}

/// The latest word about one subject of a check; `prints` are the finding's fingerprints, earlier ones included.
#[must_use]
pub fn on_subject<'a>(
    all: &'a [Attestation],
    check: &Check,
    prints: &[&str],
    now: Timestamp,
) -> Option<&'a Attestation> {
    let speaks = |one: &&Attestation| {
        one.about.as_ref().is_some_and(|about| prints.contains(&about.fingerprint.as_str()))
            && is_of(one, check)
    };
    latest(all.iter().filter(speaks), now)
}

fn is_of(attestation: &Attestation, check: &Check) -> bool {
    attestation.task == check.id || check.aliases.contains(&attestation.task)
}

/// The latest that was given by now; of two given at the same time, the one that was entered later.
fn latest<'a>(all: impl Iterator<Item = &'a Attestation>, now: Timestamp) -> Option<&'a Attestation> {
    all.filter(|one| one.at <= now).max_by_key(|one| one.at)
}
