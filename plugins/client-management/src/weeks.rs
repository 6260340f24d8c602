//! Values of earlier weeks: one for each calendar week, and what is usual of them.

use tancheck_plugin_api::facts::{Baseline, Point, weekly};
use tancheck_plugin_api::jiff::civil::ISOWeekDate;
use tancheck_plugin_api::jiff::tz::TimeZone;
use tancheck_plugin_api::prelude::*;

/// The least number of earlier weeks that a comparison needs.
pub(crate) const FEWEST: usize = 3;

/// A series of the history: its name, and how people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    /// The full name, as it is measured.
    pub(crate) name: &'static str,
    /// What it counts.
    pub(crate) words: &'static str,
}

/// The last value of each week before the present one, oldest first. A week that was measured often counts once.
pub(crate) fn earlier(points: &[Point], series: Series, now: Timestamp) -> Vec<(Timestamp, f64)> {
    let of_series = points.iter().filter(|point| point.series == series.name);
    weekly(of_series.map(|point| (point.at, point.value)), now)
}

/// What is usual: the last `most` earlier weeks.
pub(crate) fn baseline(
    points: &[Point],
    series: Series,
    now: Timestamp,
    most: usize,
) -> Result<Baseline, Undecided> {
    let weeks = earlier(points, series, now);
    let values: Vec<f64> = weeks.iter().rev().take(most).map(|(_, value)| *value).collect();
    Baseline::known(&values, FEWEST).ok_or_else(|| {
        Undecided::not_evaluated(format!(
            "the history is too short: {} of {FEWEST} earlier weeks of the {} are stored; run tancheck every week",
            values.len(),
            series.words
        ))
    })
}

/// Whether both times lie in the same calendar week (UTC, Monday to Sunday).
pub(crate) fn same(one: Timestamp, other: Timestamp) -> bool {
    week(one) == week(other)
}

/// The calendar week of a time, as `2026-W27`.
pub(crate) fn name(at: Timestamp) -> String {
    let (year, number) = week(at);
    format!("{year}-W{number:02}")
}

fn week(at: Timestamp) -> (i16, i8) {
    let date: ISOWeekDate = at.to_zoned(TimeZone::UTC).date().iso_week_date();
    (date.year(), date.week())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: Series = Series { name: "x.a", words: "numbers" };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn point(day: &str, value: f64) -> Point {
        Point { series: "x.a".into(), at: at(&format!("{day}T06:00:00Z")), value }
    }

    #[test]
    fn a_week_counts_once_and_the_present_one_not_at_all() {
        let points = [
            point("2026-06-09", 1.0),
            point("2026-06-10", 2.0),
            point("2026-06-16", 3.0),
            point("2026-06-29", 9.0),
            Point { series: "x.b".into(), at: at("2026-06-20T00:00:00Z"), value: 7.0 },
        ];
        let weeks = earlier(&points, SERIES, at("2026-06-30T12:00:00Z"));
        assert_eq!(weeks.iter().map(|week| week.1).collect::<Vec<_>>(), [2.0, 3.0]);
    }

    #[test]
    fn the_median_needs_three_weeks_and_takes_the_latest() {
        let days = ["2026-05-26", "2026-06-02", "2026-06-09", "2026-06-16", "2026-06-23"];
        let points: Vec<Point> =
            days.iter().zip([900.0, 10.0, 40.0, 20.0, 30.0]).map(|(day, value)| point(day, value)).collect();
        let now = at("2026-06-30T12:00:00Z");
        assert_eq!(baseline(&points, SERIES, now, 4).unwrap().median, 25.0);
        assert_eq!(baseline(&points, SERIES, now, 3).unwrap().median, 30.0);
        assert!(baseline(&points[..2], SERIES, now, 4).unwrap_err().reason.contains("too short"));
    }

    #[test]
    fn weeks_are_those_of_the_calendar() {
        assert_eq!(name(at("2026-12-31T12:00:00Z")), "2026-W53");
        assert_eq!(name(at("2027-01-03T12:00:00Z")), "2026-W53");
        assert!(same(at("2026-06-29T00:00:00Z"), at("2026-07-05T23:59:59Z")));
        assert!(!same(at("2026-06-28T23:59:59Z"), at("2026-06-29T00:00:00Z")));
    }
}
