//! The lab's clock and the spellings of time that the platform uses.

use jiff::{SignedDuration, Timestamp};
use std::sync::Mutex;
use std::time::Instant;

/// The value the platform writes where a time was never set.
pub(crate) const NEVER: &str = "2001-01-01T00:00:00Z";

/// A clock that stands still, unless it is told to advance or to run with the machine's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Mutex<Timestamp>,
    ticking_since: Option<Instant>,
}

impl Clock {
    pub(crate) fn new(base: Timestamp, ticking: bool) -> Self {
        Self { base: Mutex::new(base), ticking_since: ticking.then(Instant::now) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let base = *self.base.lock().expect("the lock is never held across a panic");
        match self.ticking_since {
            None => base,
            Some(start) => base + SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::ZERO),
        }
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut base = self.base.lock().expect("the lock is never held across a panic");
        *base += by;
    }
}

/// `2026-03-04T12:00:00Z`, to the second.
pub(crate) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-03-04T12:00:00`: some fields of the platform carry no zone letter.
pub(crate) fn iso_plain(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `2026-03-04T12:00:00.000Z`: the module services' spelling.
pub(crate) fn iso_millis(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// `2026/03/04 12:00:00 GMT-0000`: the spelling of result sets.
pub(crate) fn result_time(time: Timestamp) -> String {
    time.strftime("%Y/%m/%d %H:%M:%S GMT-0000").to_string()
}

/// `2026-03-04 12:00:00 +0000`: the spelling of the diagnostics.
pub(crate) fn diagnostics_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
}

/// Whole days as a duration.
pub(crate) fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count * 24)
}

/// Whole minutes as a duration.
pub(crate) fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}
