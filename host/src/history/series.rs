//! Series: what runs measured, in buckets of the calendar, with gaps as gaps and a date for what approaches a bound.

use super::people::time;
use super::{HistoryError, Store};
use crate::calendar::{date_of, start_of};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tancheck_plugin_api::facts::{Baseline, Growth};

/// A series, on one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// Its name.
    pub metric: String,
    /// The unit of its values.
    pub unit: String,
    /// How many values are kept.
    pub values: u64,
    /// When the last one was measured.
    #[schemars(with = "String")]
    pub last_at: Timestamp,
    /// The last one.
    pub last: f64,
}

/// How values are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// Each run by itself.
    Run,
    /// The last value of each day, where the site is.
    Day,
    /// The last value of each week, from Monday.
    Week,
    /// The last value of each month.
    Month,
}

/// A series over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// The deployment.
    pub deployment: String,
    /// The series.
    pub metric: String,
    /// The unit of its values.
    pub unit: String,
    /// How values are put together.
    pub every: Every,
    /// The values, oldest first. One without a value is a gap: nothing was measured then.
    pub buckets: Vec<Bucket>,
    /// What is usual: the median of the values.
    pub median: f64,
    /// The median of their distances from it.
    pub deviation: f64,
    /// How much the value grows in a week; none for fewer than four values.
    pub weekly_growth: Option<f64>,
    /// What the value should not reach, where that is known.
    pub bound: Option<f64>,
    /// When it reaches it if it goes on like this; none where it does not within ten years.
    #[schemars(with = "Option<String>")]
    pub reaches_bound: Option<Timestamp>,
}

/// A day, a week, a month or a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// When it begins; of a run: when it was.
    #[schemars(with = "String")]
    pub from: Timestamp,
    /// The number of the run that measured the value.
    pub run: Option<i64>,
    /// The value; none for a gap.
    pub value: Option<f64>,
}

/// Series that follow from every run: name, unit, and the column of the run.
const OF_RUNS: [(&str, &str, &str); 9] = [
    ("run.decided", "percent", "100.0 * decided / max(total, 1)"),
    ("run.checks", "checks", "total"),
    ("run.findings", "findings", "critical + high + medium + low + info"),
    ("run.findings.critical", "findings", "critical"),
    ("run.findings.high", "findings", "high"),
    ("run.findings.medium", "findings", "medium"),
    ("run.findings.low", "findings", "low"),
    ("run.findings.info", "findings", "info"),
    ("run.findings.not-looked-at", "findings", "not_looked_at"),
];

/// A value that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    run: i64,
    at: Timestamp,
    value: f64,
    bound: Option<f64>,
}

impl Store {
    /// All series of this deployment, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn metrics(&self) -> Result<Vec<Metric>, HistoryError> {
        self.read(|connection| {
            let metric = |row: &rusqlite::Row<'_>| {
                Ok(Metric {
                    metric: row.get(0)?,
                    unit: row.get(1)?,
                    values: row.get::<_, i64>(2)?.cast_unsigned(),
                    last_at: time(row.get(4)?),
                    last: row.get(5)?,
                })
            };
            let mut metrics: Vec<Metric> = connection
                .prepare_cached(
                    "SELECT name, unit, (SELECT count(*) FROM measure WHERE series = series.id), run, at, value
                     FROM series JOIN measure ON measure.series = series.id
                        AND run = (SELECT max(run) FROM measure AS last WHERE last.series = series.id)
                     WHERE deployment = ?1",
                )?
                .query_map([&self.deployment], metric)?
                .collect::<rusqlite::Result<_>>()?;
            // With max() alone, SQLite takes the other columns from the row that holds the maximum.
            for (name, unit, value) in OF_RUNS {
                let sql = format!(
                    "SELECT ?2, ?3, count(*), max(id), at, {value} FROM run
                     WHERE deployment = ?1 AND {value} IS NOT NULL HAVING count(*) > 0"
                );
                let found = connection
                    .prepare_cached(&sql)?
                    .query_map(params![self.deployment, name, unit], metric)?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                metrics.extend(found);
            }
            metrics.sort_by(|left, right| left.metric.cmp(&right.metric));
            Ok(metrics)
        })
    }

    /// A series since a time; `None` where it has no value since then. Without `every`, as often as it was measured.
    /// Without `bound`, the one that the check told last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn trend(
        &self,
        metric: &str,
        since: Timestamp,
        every: Option<Every>,
        bound: Option<f64>,
    ) -> Result<Option<Trend>, HistoryError> {
        let (unit, points) = self.measured(metric, since)?;
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(None) };
        let every = every.unwrap_or_else(|| usual_pace(&points));
        let buckets = match every {
            Every::Run => by_run(&self.run_times(first.run, last.run)?, &points),
            _ => by_calendar(every, &points, &self.zone),
        };
        let values: Vec<f64> = buckets.iter().filter_map(|bucket| bucket.value).collect();
        let baseline = Baseline::known(&values, 1);
        let line: Vec<(Timestamp, f64)> = points.iter().map(|point| (point.at, point.value)).collect();
        let growth = Growth::of(&line);
        let bound = bound.or(last.bound);
        Ok(Some(Trend {
            deployment: self.deployment.clone(),
            metric: metric.to_owned(),
            unit,
            every,
            buckets,
            median: baseline.map_or(last.value, |baseline| baseline.median),
            deviation: baseline.map_or(0.0, |baseline| baseline.deviation),
            weekly_growth: growth.map(|growth| 7.0 * growth.daily),
            bound,
            reaches_bound: bound.and_then(|bound| growth?.reaches(bound)),
        }))
    }

    /// The unit and the values of a series, in the order of time; of two of one moment the later run's.
    fn measured(&self, metric: &str, since: Timestamp) -> Result<(String, Vec<Point>), HistoryError> {
        let of_runs = OF_RUNS.iter().find(|(name, ..)| *name == metric);
        let sql = match of_runs {
            Some((_, unit, value)) => format!(
                "SELECT '{unit}', max(id), at, {value}, NULL FROM run
                 WHERE deployment = ?1 AND at >= ?2 AND ?3 = ?3 AND {value} IS NOT NULL GROUP BY at ORDER BY at"
            ),
            None => "SELECT unit, max(run), at, value, bound FROM measure JOIN series ON series.id = series
                 WHERE deployment = ?1 AND at >= ?2 AND name = ?3 GROUP BY at ORDER BY at"
                .to_owned(),
        };
        self.read(|connection| {
            let mut unit = String::new();
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![self.deployment, since.as_microsecond(), metric])?;
            let mut points = Vec::new();
            while let Some(row) = rows.next()? {
                unit = row.get(0)?;
                points.push(Point {
                    run: row.get(1)?,
                    at: time(row.get(2)?),
                    value: row.get(3)?,
                    bound: row.get(4)?,
                });
            }
            Ok((unit, points))
        })
    }

    fn run_times(&self, from: i64, to: i64) -> Result<Vec<(i64, Timestamp)>, HistoryError> {
        self.read(|connection| {
            let sql = "SELECT id, at FROM run WHERE deployment = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY at, id";
            connection
                .prepare_cached(sql)?
                .query_map(params![self.deployment, from, to], |row| Ok((row.get(0)?, time(row.get(1)?))))?
                .collect()
        })
    }
}

/// How often something was measured: the median of the times between.
fn usual_pace(points: &[Point]) -> Every {
    const HOUR: f64 = 3600.0;
    let between: Vec<f64> =
        points.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_secs_f64()).collect();
    match tancheck_plugin_api::facts::median(&between) {
        None => Every::Run,
        Some(usual) if usual < 12.0 * HOUR => Every::Run,
        Some(usual) if usual < 84.0 * HOUR => Every::Day,
        Some(usual) if usual < 18.0 * 24.0 * HOUR => Every::Week,
        Some(_) => Every::Month,
    }
}

/// One bucket for each run between the first and the last value; runs that did not measure it are gaps.
fn by_run(runs: &[(i64, Timestamp)], points: &[Point]) -> Vec<Bucket> {
    let mut values: std::collections::BTreeMap<i64, f64> =
        points.iter().map(|point| (point.run, point.value)).collect();
    let mut buckets: Vec<Bucket> =
        runs.iter().map(|&(run, from)| Bucket { from, run: Some(run), value: values.remove(&run) }).collect();
    // Runs that are forgotten have left their values.
    let rest = points.iter().filter(|point| values.contains_key(&point.run));
    buckets.extend(rest.map(|point| Bucket {
        from: point.at,
        run: Some(point.run),
        value: Some(point.value),
    }));
    buckets.sort_by(|left, right| left.from.cmp(&right.from).then(left.run.cmp(&right.run)));
    buckets
}

/// One bucket for each day, week or month between the first and the last value.
fn by_calendar(every: Every, points: &[Point], zone: &TimeZone) -> Vec<Bucket> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let (mut day, end) = (begin(every, first.at, zone), begin(every, last.at, zone));
    let mut rest = points.iter().peekable();
    let mut buckets = Vec::new();
    while let Some(next) = after(every, day) {
        let mut found = None;
        while let Some(point) = rest.next_if(|point| begin(every, point.at, zone) <= day) {
            found = Some(point);
        }
        let from = start_of(day, zone);
        let (run, value) = (found.map(|point| point.run), found.map(|point| point.value));
        buckets.push(Bucket { from, run, value });
        if day >= end || buckets.len() >= MOST {
            break;
        }
        day = next;
    }
    buckets
}

/// More days than anybody looks at; a clock that once was wrong would make millions.
const MOST: usize = 20_000;

/// The first day of the bucket that a time is in.
fn begin(every: Every, at: Timestamp, zone: &TimeZone) -> Date {
    let day = date_of(at, zone);
    match every {
        Every::Run | Every::Day => day,
        Every::Week => {
            let back = i64::from(day.weekday().to_monday_zero_offset());
            day.checked_sub(back.days()).unwrap_or(day)
        }
        Every::Month => day.first_of_month(),
    }
}

/// The first day of the next bucket.
fn after(every: Every, day: Date) -> Option<Date> {
    let step = match every {
        Every::Run | Every::Day => 1.day(),
        Every::Week => 1.week(),
        Every::Month => 1.month(),
    };
    day.checked_add(step).ok()
}

/// The time so many days ago.
#[must_use]
pub fn days_before(now: Timestamp, days: u64) -> Timestamp {
    let hours = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(24);
    let back = SignedDuration::try_from_hours(hours).unwrap_or(SignedDuration::MAX);
    now.checked_sub(back).unwrap_or(Timestamp::MIN)
}
