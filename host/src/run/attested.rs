//! What people attested: which attestation speaks for a check or a subject, and how long it is good for.

use crate::calendar::{Rhythm, date_of, start_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tancheck_plugin_api::manifest::Check;

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
    /// An event calls for the task: it is due from then on.
    Needed,
    /// What was said before was a mistake and does not count.
    Withdrawn,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] =
        [Self::Done, Self::Problem, Self::NotApplicable, Self::Needed, Self::Withdrawn];

    /// Whether it says nothing without a remark.
    #[must_use]
    pub const fn needs_note(self) -> bool {
        !matches!(self, Self::Done)
    }

    /// The name used on the command line and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Problem => "problem",
            Self::NotApplicable => "not-applicable",
            Self::Needed => "needed",
            Self::Withdrawn => "withdrawn",
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
    /// A second person, who confirms it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
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
    /// When it ceases to count: when the person said so, or when the calendar asks for it again.
    #[must_use]
    pub fn until(&self, rhythm: &Rhythm, zone: &TimeZone) -> Timestamp {
        let due = || Some(start_of(rhythm.after(date_of(self.at, zone))?, zone));
        self.valid_until.or_else(due).unwrap_or(Timestamp::MAX)
    }

    /// Whether it counts at a time.
    #[must_use]
    pub fn is_valid(&self, rhythm: &Rhythm, zone: &TimeZone, now: Timestamp) -> bool {
        self.at <= now && now < self.until(rhythm, zone)
    }
}

/// The latest word about a check as a whole that was not taken back.
#[must_use]
pub fn on_check<'a>(
    all: impl IntoIterator<Item = &'a Attestation>,
    check: &Check,
    now: Timestamp,
) -> Option<&'a Attestation> {
    spoken(all, check, now).0
}

/// The event that called for a check, as long as nobody answered it or took it back.
#[must_use]
pub fn open_call<'a>(
    all: impl IntoIterator<Item = &'a Attestation>,
    check: &Check,
    now: Timestamp,
) -> Option<&'a Attestation> {
    spoken(all, check, now).1
}

/// What stands of all that was said about a check as a whole: the latest word, and the call that it does not answer. Who
/// withdraws takes back what was said last, be it a word or a call.
fn spoken<'a>(
    all: impl IntoIterator<Item = &'a Attestation>,
    check: &Check,
    now: Timestamp,
) -> (Option<&'a Attestation>, Option<&'a Attestation>) {
    let mut said: Vec<&Attestation> = whole(all, check).filter(|one| one.at <= now).collect();
    // Of two of one time, the one that was entered later is the later one.
    said.sort_by_key(|one| one.at);
    let (mut word, mut call) = (None, None);
    let (mut is_answered, mut was_call) = (false, false);
    for one in said {
        match one.result {
            Verdict::Needed => (call, is_answered) = (Some(one), false),
            Verdict::Withdrawn if was_call => call = None,
            Verdict::Withdrawn => (word, is_answered) = (None, false),
            Verdict::Done | Verdict::Problem | Verdict::NotApplicable => {
                (word, is_answered) = (Some(one), true)
            }
        }
        was_call = one.result == Verdict::Needed;
    }
    (word, call.filter(|_| !is_answered))
}

/// The latest word about one subject of a check; `prints` are the finding's fingerprints, earlier ones included.
#[must_use]
pub fn on_subject<'a>(
    all: impl IntoIterator<Item = &'a Attestation>,
    check: &Check,
    prints: &[&str],
    now: Timestamp,
) -> Option<&'a Attestation> {
    let speaks = |one: &&Attestation| {
        one.about.as_ref().is_some_and(|about| prints.contains(&about.fingerprint.as_str()))
            && is_of(one, check)
    };
    standing(all.into_iter().filter(speaks), now)
}

fn whole<'a>(
    all: impl IntoIterator<Item = &'a Attestation>,
    check: &Check,
) -> impl Iterator<Item = &'a Attestation> {
    all.into_iter().filter(move |one| one.about.is_none() && is_of(one, check))
}

fn is_of(attestation: &Attestation, check: &Check) -> bool {
    attestation.task == check.id || check.aliases.contains(&attestation.task)
}

/// The latest word, unless it takes back what was said.
fn standing<'a>(all: impl Iterator<Item = &'a Attestation>, now: Timestamp) -> Option<&'a Attestation> {
    latest(all, now).filter(|word| word.result != Verdict::Withdrawn)
}

/// The latest that was given by now; of two given at the same time, the one that was entered later.
fn latest<'a>(all: impl Iterator<Item = &'a Attestation>, now: Timestamp) -> Option<&'a Attestation> {
    all.filter(|one| one.at <= now).max_by_key(|one| one.at)
}
