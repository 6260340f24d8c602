//! Five-field cron lines of the simple kinds that the lab uses, and when they were last due.

use crate::clock::days;
use jiff::{SignedDuration, Timestamp};

const DAY: i64 = 86_400;

/// When a connection runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Every hour at this minute.
    Hourly(i64),
    /// Every day at this hour and minute.
    Daily(i64, i64),
    /// On events: the service writes `{}`.
    OnEvents,
    /// A line that is no cron line.
    Broken(&'static str),
}

impl Schedule {
    /// As the service writes it.
    pub(crate) fn cron(&self) -> String {
        match self {
            Self::Hourly(minute) => format!("{minute} * * * *"),
            Self::Daily(hour, minute) => format!("{minute} {hour} * * *"),
            Self::OnEvents => "{}".to_owned(),
            Self::Broken(text) => (*text).to_owned(),
        }
    }

    /// The time from one run to the next.
    pub(crate) fn interval(&self) -> Option<SignedDuration> {
        match self {
            Self::Hourly(_) => Some(SignedDuration::from_hours(1)),
            Self::Daily(..) => Some(days(1)),
            Self::OnEvents | Self::Broken(_) => None,
        }
    }

    /// The newest time, not after `now`, at which a run was due.
    pub(crate) fn previous(&self, now: Timestamp) -> Option<Timestamp> {
        let (every, offset) = match self {
            Self::Hourly(minute) => (3600, minute * 60),
            Self::Daily(hour, minute) => (DAY, hour * 3600 + minute * 60),
            Self::OnEvents | Self::Broken(_) => return None,
        };
        let second = now.as_second();
        Timestamp::from_second((second - offset).div_euclid(every) * every + offset).ok()
    }

    /// The next time at which a run is due.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.previous(now)? + self.interval()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_lie_around_now() {
        let now: Timestamp = "2026-03-04T12:00:00Z".parse().unwrap();
        let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert_eq!(Schedule::Hourly(25).previous(now), time("2026-03-04T11:25:00Z"));
        assert_eq!(Schedule::Hourly(0).previous(now), time("2026-03-04T12:00:00Z"));
        assert_eq!(Schedule::Daily(14, 30).previous(now), time("2026-03-03T14:30:00Z"));
        assert_eq!(Schedule::Daily(14, 30).next(now), time("2026-03-04T14:30:00Z"));
        assert_eq!(Schedule::OnEvents.previous(now), None);
    }
}
