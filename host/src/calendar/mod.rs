//! The maintenance calendar: when a task is due, when it was done and by whom. Dates are those of the site. Pure, but for
//! [`outlook`], which asks the history.
//!
//! A task comes due one period after it was done, on the site's anchor day where there is one. A word of a person that
//! names its own end comes due then. What nobody ever did is overdue: there is no earlier time that would excuse it.

pub mod coverage;
pub mod ics;
pub mod outlook;
pub mod period;
pub mod rhythm;
pub mod status;
pub mod task;

pub use coverage::Coverage;
pub use outlook::{Facts, Outlook, Row};
pub use period::Period;
pub use rhythm::{Anchor, Every, Rhythm};
pub use status::{Done, State, Status};
pub use task::{Almanac, Task};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The calendar day of a moment, where the site is.
#[must_use]
pub fn date_of(at: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(at).date()
}

/// The calendar day of a moment where the site is, for people.
#[must_use]
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    date_of(at, zone).to_string()
}

/// Day and time of a moment where the site is, for people: `2026-06-30 14:00 CEST`.
#[must_use]
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// The first moment of a day, where the site is. A day that begins with a leap of the clock begins after it.
#[must_use]
pub fn start_of(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned(zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// A count of days and its noun.
#[must_use]
pub fn days(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// The days from one date to a later one; negative where it is earlier.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

#[cfg(test)]
mod tests;
