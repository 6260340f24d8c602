//! What is usual: a baseline that single outliers do not move, and the growth of a series.

use crate::outcome::Undecided;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The middle of some numbers: what is usual, whatever single outliers say; `None` without any.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { upper } else { f64::midpoint(sorted[middle - 1], upper) })
}

/// The last value of each calendar week before the present one, oldest first. Weeks are those of UTC, from Monday; one
/// that was measured often counts once.
#[must_use]
pub fn weekly(values: impl IntoIterator<Item = (Timestamp, f64)>, now: Timestamp) -> Vec<(Timestamp, f64)> {
    let week = |at: Timestamp| {
        let date = at.to_zoned(TimeZone::UTC).date().iso_week_date();
        (date.year(), date.week())
    };
    let mut weeks: BTreeMap<_, (Timestamp, f64)> = BTreeMap::new();
    for (at, value) in values {
        let last = weeks.entry(week(at)).or_insert((at, value));
        if last.0 <= at {
            *last = (at, value);
        }
    }
    weeks.into_iter().filter(|(place, _)| *place < week(now)).map(|(_, last)| last).collect()
}

/// What is usual: the median of earlier values, and how far they usually are from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// The median of the earlier values.
    pub median: f64,
    /// The median of their distances from it (median absolute deviation).
    pub deviation: f64,
    /// How many values those were.
    pub values: usize,
}

/// A value is out of the ordinary only when it is so many standard deviations from the median.
const SIGMAS: f64 = 3.0;
/// The standard deviation of normal noise whose median absolute deviation is 1.
const SIGMA: f64 = 1.4826;

impl Baseline {
    /// The baseline of earlier values.
    ///
    /// # Errors
    /// When there are fewer than `fewest`: then the history is too short to judge a change of `what`.
    pub fn of(values: &[f64], fewest: usize, what: &str) -> Result<Self, Undecided> {
        Self::known(values, fewest).ok_or_else(|| {
            Undecided::not_evaluated(format!(
                "the history is too short: {} of {fewest} earlier values of {what} are stored; run tancheck regularly",
                values.len()
            ))
        })
    }

    /// The baseline of the last eight calendar weeks before the present one: of the last value of each.
    ///
    /// # Errors
    /// When fewer than three of them are known: then the history is too short to judge a change of `what`.
    pub fn of_weeks(
        values: impl IntoIterator<Item = (Timestamp, f64)>,
        now: Timestamp,
        what: &str,
    ) -> Result<Self, Undecided> {
        const MOST: usize = 8;
        let weeks = weekly(values, now);
        let values: Vec<f64> = weeks.iter().rev().take(MOST).map(|(_, value)| *value).collect();
        Self::of_known_weeks(&values, what)
    }

    /// The baseline of the five calendar weeks whose last values are nearest to a time so many days ago: what was usual
    /// a month or a quarter ago. Where that is longer than the history is, these are the first weeks of it.
    ///
    /// # Errors
    /// When fewer than three weeks before the present one are known: then the history is too short to judge a change of
    /// `what`.
    pub fn of_weeks_around(
        values: impl IntoIterator<Item = (Timestamp, f64)>,
        now: Timestamp,
        days_ago: i64,
        what: &str,
    ) -> Result<Self, Undecided> {
        const MOST: usize = 5;
        let mut weeks = weekly(values, now);
        let span = SignedDuration::from_hours(24 * days_ago);
        weeks.sort_by_key(|(at, _)| (now.duration_since(*at) - span).abs());
        let values: Vec<f64> = weeks.iter().take(MOST).map(|(_, value)| *value).collect();
        Self::of_known_weeks(&values, what)
    }

    fn of_known_weeks(values: &[f64], what: &str) -> Result<Self, Undecided> {
        const FEWEST: usize = 3;
        Self::known(values, FEWEST).ok_or_else(|| {
            Undecided::not_evaluated(format!(
                "the history is too short: {} of {FEWEST} earlier weeks of {what} are stored; run tancheck every week",
                values.len()
            ))
        })
    }

    /// The baseline of earlier values; `None` where there are fewer than `fewest`, or none.
    #[must_use]
    pub fn known(values: &[f64], fewest: usize) -> Option<Self> {
        let median = median(values).filter(|_| values.len() >= fewest)?;
        let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        let deviation = self::median(&distances)?;
        Some(Self { median, deviation, values: values.len() })
    }

    /// The highest value that is no rise: the tolerance above the median, or as far as values usually swing if that is
    /// farther.
    #[must_use]
    pub fn ceiling(&self, tolerance_pct: f64) -> f64 {
        self.median + self.slack(tolerance_pct)
    }

    /// The lowest value that is no fall.
    #[must_use]
    pub fn floor(&self, tolerance_pct: f64) -> f64 {
        self.median - self.slack(tolerance_pct)
    }

    /// How far values usually swing.
    #[must_use]
    pub fn swing(&self) -> f64 {
        SIGMAS * SIGMA * self.deviation
    }

    fn slack(&self, tolerance_pct: f64) -> f64 {
        (self.median.abs() * tolerance_pct / 100.0).max(self.swing())
    }
}

/// A straight line through values over time, by the median of the slopes between each two of them (Theil-Sen): a third of
/// the values may be wrong without moving it much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// How much the value grows in a day.
    pub daily: f64,
    /// When the line has the value [`Growth::level`].
    pub at: Timestamp,
    /// The value of the line at that time: the last one that was measured.
    pub level: f64,
}

/// The fewest values that make a line.
const LINE: usize = 4;
/// Only so many values are looked at, the newest: each is compared with each.
const MOST: usize = 200;

impl Growth {
    /// The line through values, oldest first; `None` for fewer than four, or a single moment.
    #[must_use]
    pub fn of(values: &[(Timestamp, f64)]) -> Option<Self> {
        let values = &values[values.len().saturating_sub(MOST)..];
        let &(at, _) = values.last().filter(|_| values.len() >= LINE)?;
        let days = |then: Timestamp| -at.duration_since(then).as_secs_f64() / 86_400.0;
        let slopes: Vec<f64> = values
            .iter()
            .enumerate()
            .flat_map(|(index, &(from, low))| {
                values[index + 1..].iter().map(move |&(to, high)| (days(to) - days(from), high - low))
            })
            .filter(|(span, _)| *span > 0.0)
            .map(|(span, rise)| rise / span)
            .collect();
        let daily = median(&slopes)?;
        let levels: Vec<f64> = values.iter().map(|&(then, value)| value - daily * days(then)).collect();
        Some(Self { daily, at, level: median(&levels)? })
    }

    /// When the line reaches a bound; `None` where it does not approach it, or only after more than ten years.
    #[must_use]
    pub fn reaches(&self, bound: f64) -> Option<Timestamp> {
        const FAR: f64 = 3653.0;
        let days = (bound - self.level) / self.daily;
        if !(0.0..=FAR).contains(&days) {
            return None;
        }
        self.at.checked_add(SignedDuration::from_secs((days * 86_400.0) as i64)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(values: &[f64]) -> Vec<(Timestamp, f64)> {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let at = |day: usize| start + SignedDuration::from_hours(24 * day as i64);
        values.iter().enumerate().map(|(day, value)| (at(day), *value)).collect()
    }

    #[test]
    fn medians_of_odd_even_and_no_numbers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn one_outlier_moves_neither_the_middle_nor_the_limits() {
        let baseline = Baseline::known(&[100.0, 101.0, 99.0, 100.0, 5000.0], 3).unwrap();
        assert_eq!((baseline.median, baseline.deviation, baseline.values), (100.0, 1.0, 5));
        assert_eq!((baseline.floor(10.0), baseline.ceiling(10.0)), (90.0, 110.0));
    }

    #[test]
    fn what_swings_anyway_is_no_change() {
        let baseline = Baseline::known(&[80.0, 120.0, 100.0, 80.0, 120.0], 3).unwrap();
        assert_eq!(baseline.deviation, 20.0);
        assert!(baseline.ceiling(10.0) > 180.0 && baseline.floor(10.0) < 20.0, "{baseline:?}");
        assert_eq!(baseline.ceiling(100.0), 200.0, "the tolerance is the least");
        let negative = Baseline::known(&[-100.0; 3], 3).unwrap();
        assert_eq!((negative.floor(10.0), negative.ceiling(10.0)), (-110.0, -90.0));
    }

    #[test]
    fn a_short_history_decides_nothing() {
        let told = Baseline::of(&[1.0, 2.0], 3, "the endpoint count").unwrap_err();
        assert!(told.reason.contains("2 of 3 earlier values of the endpoint count"), "{}", told.reason);
        assert_eq!(Baseline::known(&[], 0), None);
    }

    #[test]
    fn a_week_counts_once_and_the_present_one_not_at_all() {
        let at = |day: &str| format!("{day}T06:00:00Z").parse::<Timestamp>().unwrap();
        let values = [("06-10", 2.0), ("06-09", 1.0), ("06-16", 3.0), ("06-23", 7.0), ("06-29", 99.0)]
            .map(|(day, value)| (at(&format!("2026-{day}")), value));
        let now = at("2026-06-30");
        assert_eq!(weekly(values, now).iter().map(|week| week.1).collect::<Vec<_>>(), [2.0, 3.0, 7.0]);
        assert_eq!(Baseline::of_weeks(values, now, "numbers").unwrap().median, 3.0);
        let short = Baseline::of_weeks(values[..3].to_vec(), now, "numbers").unwrap_err();
        assert!(short.reason.contains("2 of 3 earlier weeks of numbers"), "{}", short.reason);
        let many = (0..20).map(|week| (now - SignedDuration::from_hours(168 * week), week as f64));
        assert_eq!(Baseline::of_weeks(many, now, "numbers").unwrap().median, 4.5, "the last eight");
    }

    #[test]
    fn a_time_ago_is_the_weeks_around_it() {
        let now: Timestamp = "2026-06-30T06:00:00Z".parse().unwrap();
        let usual = |weeks: &[f64], days: i64| {
            let at = |ago: usize| now - SignedDuration::from_hours(168 * (ago as i64 + 1));
            let values = weeks.iter().enumerate().map(|(ago, value)| (at(ago), *value));
            Baseline::of_weeks_around(values, now, days, "numbers")
        };
        let weeks: Vec<f64> = (1..=30).map(f64::from).collect();
        assert_eq!(usual(&weeks, 30).unwrap().median, 4.0, "two to six weeks ago");
        assert_eq!(usual(&weeks, 90).unwrap().median, 13.0, "eleven to fifteen weeks ago");
        assert_eq!(usual(&weeks[..6], 90).unwrap().median, 4.0, "a young history: its first weeks");
        assert_eq!(usual(&[5.0, 5.0, 900.0, 5.0, 5.0, 5.0], 30).unwrap().median, 5.0, "one odd week");
        assert!(usual(&weeks[..2], 30).unwrap_err().reason.contains("2 of 3 earlier weeks of numbers"));
    }

    #[test]
    fn growth_is_a_line_that_outliers_do_not_bend() {
        let growth = Growth::of(&days(&[10.0, 12.0, 14.0, 900.0, 18.0, 20.0])).unwrap();
        assert!((growth.daily - 2.0).abs() < 1e-9 && (growth.level - 20.0).abs() < 1e-9, "{growth:?}");
        assert_eq!(growth.reaches(30.0).unwrap().to_string(), "2026-06-11T00:00:00Z");
        assert_eq!(growth.reaches(10.0), None, "it goes away from it");
        assert_eq!(growth.reaches(1e9), None, "not in this life");
        assert_eq!(Growth::of(&days(&[5.0; 6])).unwrap().reaches(9.0), None);
        let left = Growth::of(&days(&[9.0, 8.0, 7.0, 6.0])).unwrap();
        assert_eq!(left.reaches(0.0).unwrap().to_string(), "2026-06-10T00:00:00Z");
        assert_eq!(Growth::of(&days(&[1.0, 2.0, 3.0])), None);
        let at = days(&[1.0])[0].0;
        assert_eq!(Growth::of(&[(at, 1.0), (at, 2.0), (at, 3.0), (at, 4.0)]), None);
    }
}
