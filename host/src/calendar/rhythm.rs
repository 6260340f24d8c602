//! How often something comes due, and on which day.

use jiff::Span;
use jiff::civil::{Date, Weekday};
use std::fmt;
use tancheck_plugin_api::Cadence;

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// So many days.
    Days(u32),
    /// So many calendar months.
    Months(u32),
    /// When an event calls for it.
    Event,
    /// Once.
    Once,
}

impl Every {
    /// The period of a cadence.
    #[must_use]
    pub const fn of(cadence: Cadence) -> Self {
        match cadence {
            Cadence::Weekly => Self::Days(7),
            Cadence::Monthly => Self::Months(1),
            Cadence::Quarterly => Self::Months(3),
            Cadence::SemiAnnual => Self::Months(6),
            Cadence::Annual => Self::Months(12),
            Cadence::AsNeeded => Self::Event,
            Cadence::Setup => Self::Once,
        }
    }

    /// One period after a day; a month that is shorter ends it. `None` where there is no period.
    #[must_use]
    pub fn after(self, date: Date) -> Option<Date> {
        let span = match self {
            Self::Days(days) => Span::new().days(days),
            Self::Months(months) => Span::new().months(months),
            Self::Event | Self::Once => return None,
        };
        Some(date.checked_add(span).unwrap_or(Date::MAX))
    }

    /// The days of grace that a site has by default: about a quarter of a period, at most a month.
    #[must_use]
    pub const fn usual_grace(self) -> u32 {
        match self {
            Self::Days(0..=3) | Self::Event | Self::Once => 0,
            Self::Days(4..=20) => 2,
            Self::Days(21..=60) | Self::Months(0..=1) => 7,
            Self::Days(61..=135) | Self::Months(2..=4) => 14,
            Self::Days(_) | Self::Months(_) => 30,
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(7) => formatter.write_str("weekly"),
            Self::Months(1) => formatter.write_str("monthly"),
            Self::Months(3) => formatter.write_str("quarterly"),
            Self::Months(6) => formatter.write_str("semi-annual"),
            Self::Months(12) => formatter.write_str("annual"),
            Self::Days(days) => write!(formatter, "every {days} days"),
            Self::Months(months) => write!(formatter, "every {months} months"),
            Self::Event => formatter.write_str("as needed"),
            Self::Once => formatter.write_str("once"),
        }
    }
}

/// The day on which a site does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// A day of the week.
    Week(Weekday),
    /// A day of the month, or the last one of a shorter month; of every period that begins with this month (January
    /// without one).
    Month {
        /// The month of one of these days.
        month: Option<i8>,
        /// The day.
        day: i8,
    },
}

const WEEK: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

impl Anchor {
    /// Reads an anchor for a cadence; `None` where it is none.
    #[must_use]
    pub fn read(text: &str, cadence: Cadence) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        match Every::of(cadence) {
            Every::Days(_) => WEEK.iter().find(|(name, _)| *name == text).map(|(_, day)| Self::Week(*day)),
            Every::Months(months) => {
                let (month, day) = match text.split_once('-') {
                    Some((month, day)) if months > 1 => (Some(month.parse().ok()?), day),
                    Some(_) => return None,
                    None => (None, text.as_str()),
                };
                let day: i8 = day.parse().ok()?;
                let is_date = match month {
                    Some(month) => Date::new(2028, month, day).is_ok(),
                    None => (1..=31).contains(&day),
                };
                is_date.then_some(Self::Month { month, day })
            }
            Every::Event | Every::Once => None,
        }
    }

    /// What an anchor of a cadence looks like, for people.
    #[must_use]
    pub fn accepts(cadence: Cadence) -> &'static str {
        match Every::of(cadence) {
            Every::Days(_) => "a day of the week, such as \"monday\"",
            Every::Months(1) => "a day of the month, from 1 to 31 (the last one where a month is shorter)",
            Every::Months(_) => {
                "a day of the first month, from 1 to 31, or a month and a day, such as \"02-15\""
            }
            Every::Event | Every::Once => "nothing: there is no period",
        }
    }

    /// The anchor day nearest to a date, the later one of two; never before `earliest`.
    fn nearest(self, to: Date, every: Every, earliest: Date) -> Date {
        let candidates: Vec<Date> = match (self, every) {
            (Self::Week(weekday), _) => {
                let step = |days: i32| to.checked_add(Span::new().days(days)).ok();
                (-7..=7).filter_map(step).filter(|date| date.weekday() == weekday).collect()
            }
            (Self::Month { month, day }, Every::Months(months)) => {
                let months = i32::try_from(months).unwrap_or(12).max(1);
                let here = i32::from(to.year()) * 12 + i32::from(to.month()) - 1;
                let first = i32::from(month.unwrap_or(1)) - 1;
                let is_beginning = |index: &i32| (index - first).rem_euclid(months) == 0;
                (here - months..=here + months)
                    .filter(is_beginning)
                    .filter_map(|index| on_day(index, day))
                    .collect()
            }
            _ => Vec::new(),
        };
        let distance = |date: &Date| (super::days_between(to, *date).abs(), std::cmp::Reverse(*date));
        candidates.into_iter().filter(|date| *date >= earliest).min_by_key(distance).unwrap_or(to)
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Week(day) => {
                formatter.write_str(WEEK.iter().find(|(_, known)| known == day).map_or("", |(name, _)| name))
            }
            Self::Month { month: None, day } => write!(formatter, "{day}"),
            Self::Month { month: Some(month), day } => write!(formatter, "{month:02}-{day:02}"),
        }
    }
}

/// The day of a month (counted from the year 0), or the last one of a shorter month.
fn on_day(month: i32, day: i8) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let first = Date::new(year, i8::try_from(month.rem_euclid(12)).ok()? + 1, 1).ok()?;
    first.with().day(day.min(first.days_in_month())).build().ok()
}

/// When something comes due, and how late it may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// The period.
    pub every: Every,
    /// The day on which it is done.
    pub anchor: Option<Anchor>,
    /// Days that it may be late.
    pub grace_days: u32,
}

impl Rhythm {
    /// A period without an anchor and with the usual grace.
    #[must_use]
    pub const fn every(every: Every) -> Self {
        Self { every, anchor: None, grace_days: every.usual_grace() }
    }

    /// When it comes due again after it was done on a day: one period later. With an anchor it is the anchor day that
    /// is nearest to that, so that what was done a little early or late does not shift the calendar.
    #[must_use]
    pub fn after(&self, done: Date) -> Option<Date> {
        let due = self.every.after(done)?;
        let earliest = done.tomorrow().unwrap_or(Date::MAX);
        Some(self.anchor.map_or(due, |anchor| anchor.nearest(due, self.every, earliest)))
    }

    /// The last day on which something that came due is not yet overdue.
    #[must_use]
    pub fn last_day(&self, due: Date) -> Date {
        due.checked_add(Span::new().days(self.grace_days)).unwrap_or(Date::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn rhythm(cadence: Cadence, anchor: &str) -> Rhythm {
        let anchor = (!anchor.is_empty()).then(|| Anchor::read(anchor, cadence).unwrap());
        Rhythm { anchor, ..Rhythm::every(Every::of(cadence)) }
    }

    fn next(cadence: Cadence, anchor: &str, done: &str) -> String {
        rhythm(cadence, anchor).after(date(done)).unwrap().to_string()
    }

    #[test]
    fn a_period_is_one_of_the_calendar() {
        assert_eq!(next(Cadence::Weekly, "", "2026-06-30"), "2026-07-07");
        assert_eq!(next(Cadence::Monthly, "", "2026-01-31"), "2026-02-28");
        assert_eq!(next(Cadence::Monthly, "", "2028-01-31"), "2028-02-29");
        assert_eq!(next(Cadence::Quarterly, "", "2026-11-30"), "2027-02-28");
        assert_eq!(next(Cadence::SemiAnnual, "", "2026-08-31"), "2027-02-28");
        assert_eq!(next(Cadence::Annual, "", "2028-02-29"), "2029-02-28");
        assert_eq!(rhythm(Cadence::Setup, "").after(date("2026-01-01")), None);
        assert_eq!(rhythm(Cadence::AsNeeded, "").after(date("2026-01-01")), None);
    }

    #[test]
    fn an_anchor_keeps_the_day_whether_it_was_done_early_or_late() {
        // 2026-06-29 is a Monday.
        for done in ["2026-06-26", "2026-06-27", "2026-06-29", "2026-07-01", "2026-07-02"] {
            assert_eq!(next(Cadence::Weekly, "monday", done), "2026-07-06", "{done}");
        }
        assert_eq!(next(Cadence::Weekly, "monday", "2026-07-03"), "2026-07-13");
        assert_eq!(next(Cadence::Monthly, "1", "2026-03-31"), "2026-05-01");
        assert_eq!(next(Cadence::Monthly, "1", "2026-04-09"), "2026-05-01");
        assert_eq!(next(Cadence::Monthly, "31", "2026-01-31"), "2026-02-28");
        assert_eq!(next(Cadence::Monthly, "31", "2026-02-28"), "2026-03-31");
        assert_eq!(next(Cadence::Quarterly, "15", "2026-01-20"), "2026-04-15");
        assert_eq!(next(Cadence::Quarterly, "02-15", "2026-02-10"), "2026-05-15");
        assert_eq!(next(Cadence::Annual, "09-01", "2026-10-20"), "2027-09-01");
        assert_eq!(next(Cadence::Annual, "02-29", "2026-03-03"), "2027-02-28");
    }

    #[test]
    fn anchors_are_read_for_their_cadence_only() {
        assert!(Anchor::read("Monday", Cadence::Weekly).is_some());
        for (text, cadence) in [
            ("1", Cadence::Weekly),
            ("monday", Cadence::Monthly),
            ("0", Cadence::Monthly),
            ("32", Cadence::Monthly),
            ("02-15", Cadence::Monthly),
            ("02-30", Cadence::Quarterly),
            ("13-01", Cadence::Annual),
            ("1", Cadence::Setup),
        ] {
            assert_eq!(Anchor::read(text, cadence), None, "{text} {}", cadence.name());
        }
        for (text, cadence) in
            [("friday", Cadence::Weekly), ("31", Cadence::Monthly), ("02-15", Cadence::Annual)]
        {
            assert_eq!(Anchor::read(text, cadence).unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_due_lies_ahead_and_about_one_period_away(
            days in 0..20_000_i32,
            cadence in prop::sample::select(vec![Cadence::Weekly, Cadence::Monthly, Cadence::Quarterly, Cadence::SemiAnnual, Cadence::Annual]),
            day in 1..=31_i8,
        ) {
            let done = date("2000-01-01").checked_add(Span::new().days(days)).unwrap();
            let anchor = if cadence == Cadence::Weekly { WEEK[day as usize % 7].0.to_owned() } else { day.to_string() };
            let due = rhythm(cadence, &anchor).after(done).unwrap();
            let plain = rhythm(cadence, "").after(done).unwrap();
            let period = super::super::days_between(done, plain);
            prop_assert!(due > done);
            let off = super::super::days_between(plain, due).abs();
            prop_assert!(off <= period / 2 + 2, "{done}: {due} instead of {plain}");
        }

        #[test]
        fn who_is_always_in_time_stays_on_the_anchor_day(days in 0..20_000_i32, day in 1..=31_i8) {
            let start = date("2000-01-01").checked_add(Span::new().days(days)).unwrap();
            let rhythm = rhythm(Cadence::Monthly, &day.to_string());
            let mut due = rhythm.after(start).unwrap();
            for _ in 0..24 {
                prop_assert_eq!(due.day(), day.min(due.days_in_month()));
                let next = rhythm.after(due).unwrap();
                let months = (i32::from(next.year()) - i32::from(due.year())) * 12 + i32::from(next.month() - due.month());
                prop_assert_eq!(months, 1);
                due = next;
            }
        }
    }
}
