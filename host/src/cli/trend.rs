//! `tancheck trend`: a series over time, and when it reaches its limit.

use super::engine::When;
use super::output::{FAINT, HEADING, Printer, WARNING, json};
use super::stop::{OK, Stop};
use super::{Global, engine, text as layout};
use crate::calendar::day;
use crate::hint::hint;
use crate::history::{Every, HistoryError, Metric, Trend, days_before};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write;

/// Shows a series over time; without a name, lists all series
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck trend                                                  all series
  tancheck trend client-management.endpoint-count.client-count
  tancheck trend run.findings.high --every week -o csv
  tancheck trend client-management.endpoint-count.client-count --limit 10000

Formats: text, csv, json. A time in which nothing was measured is shown as a gap.")]
pub(super) struct Arguments {
    /// The series
    #[arg(value_name = "METRIC")]
    metric: Option<String>,
    /// Only since this date or time
    #[arg(long, value_name = "TIME", value_parser = engine::when, conflicts_with = "days")]
    since: Option<When>,
    /// Only so many days back
    #[arg(long, value_name = "DAYS")]
    days: Option<u64>,
    /// How values are put together; without it, as often as they were measured
    #[arg(long, value_enum)]
    every: Option<Every>,
    /// What the value should not reach: tells when it will; without it, what the check told
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    limit: Option<f64>,
}

/// What `tancheck trend` without a name lists.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Document {
    /// The deployment.
    deployment: String,
    /// The series, by name.
    metrics: Vec<Metric>,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::new(global, &["text", "csv", "json"])?;
    let store = engine::store(global)?;
    let failed = |error: HistoryError| Stop::Internal(error.to_string());
    let Some(metric) = &arguments.metric else {
        let document =
            Document { deployment: store.deployment().to_owned(), metrics: store.metrics().map_err(failed)? };
        printer.print(|format| match format {
            "json" => json(&document),
            "csv" => metrics_csv(&document.metrics),
            _ => Ok(listed(&document, store.zone())),
        })?;
        return Ok(OK);
    };
    let back = arguments.days.map(|days| days_before(engine::this_second(), days));
    let zone = store.zone();
    let since = arguments.since.map(|since| since.at(zone)).or(back).unwrap_or(Timestamp::MIN);
    let trend = store.trend(metric, since, arguments.every, arguments.limit).map_err(failed)?;
    let Some(trend) = trend else {
        let known = store.metrics().map_err(failed)?;
        if known.iter().any(|one| one.metric == *metric) {
            return Err(Stop::Usage(format!("{metric} has no value since {}", day(since, zone))));
        }
        let hint = hint(metric, known.iter().map(|one| one.metric.as_str()));
        return Err(Stop::Usage(format!(
            "there is no series {metric:?}{hint}; \"tancheck trend\" lists all"
        )));
    };
    printer.print(|format| match format {
        "json" => json(&trend),
        "csv" => trend_csv(&trend, zone),
        _ => Ok(text(&trend, zone)),
    })?;
    Ok(OK)
}

fn listed(document: &Document, zone: &TimeZone) -> String {
    if document.metrics.is_empty() {
        return format!("no run of {} is kept yet; \"tancheck run\" makes one\n", document.deployment);
    }
    let rows: Vec<Vec<String>> = document
        .metrics
        .iter()
        .map(|one| {
            let last = format!("{} {}", number(one.last), one.unit);
            vec![one.metric.clone(), one.values.to_string(), last, day(one.last_at, zone)]
        })
        .collect();
    layout::table(&["metric", "values", "last", "measured"], &rows)
}

/// The heights of a sparkline.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// What stands where nothing was measured.
const GAP: char = '·';

fn text(trend: &Trend, zone: &TimeZone) -> String {
    let mut text = String::new();
    let mut line = |words: &str| writeln!(text, "{words}").expect("a string grows");
    let room = layout::width().saturating_sub(2);
    let left_out = trend.buckets.len().saturating_sub(room);
    let shown = &trend.buckets[left_out..];
    let values: Vec<f64> = shown.iter().filter_map(|bucket| bucket.value).collect();
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else { return text };
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    line(&format!("{HEADING}{}{HEADING:#}, {}, {}", trend.metric, trend.unit, word(trend.every)));
    line(&format!("  {}", sparkline(shown.iter().map(|bucket| bucket.value), least, most)));
    let (from, to) = (day(shown[0].from, zone), day(shown[shown.len() - 1].from, zone));
    let dates =
        if from == to { from } else { format!("{from:<width$}{to}", width = shown.len().max(22) - 10) };
    line(&format!("{FAINT}  {dates}{FAINT:#}"));
    line(&format!(
        "  last {}, first {}, lowest {}, highest {}, median {} ± {}",
        number(last),
        number(first),
        number(least),
        number(most),
        number(trend.median),
        number(trend.deviation)
    ));
    let gaps = shown.iter().filter(|bucket| bucket.value.is_none()).count();
    if gaps > 0 {
        line(&format!("  {gaps} of {} without a value ({GAP})", shown.len()));
    }
    if left_out > 0 {
        line(&format!("  {left_out} earlier left out; -o csv has all"));
    }
    match trend.weekly_growth {
        Some(growth) => line(&format!("  {}{} a week", if growth < 0.0 { "" } else { "+" }, number(growth))),
        None => line("  growth is told from four values on"),
    }
    if let Some(bound) = trend.bound {
        line(&match trend.reaches_bound {
            Some(at) => format!(
                "  {WARNING}reaches the limit of {} on {}{WARNING:#} if it goes on like this",
                number(bound),
                day(at, zone)
            ),
            None => format!("  does not reach the limit of {} within ten years", number(bound)),
        });
    }
    text
}

/// Bars between the lowest and the highest value; a value that never changes is in the middle.
fn sparkline(values: impl Iterator<Item = Option<f64>>, least: f64, most: f64) -> String {
    let bar = |value: f64| {
        let share = if most > least { (value - least) / (most - least) } else { 0.5 };
        BARS[((share * 7.0).round() as usize).min(BARS.len() - 1)]
    };
    values.map(|value| value.map_or(GAP, bar)).collect()
}

fn word(every: Every) -> &'static str {
    match every {
        Every::Run => "each run",
        Every::Day => "each day",
        Every::Week => "each week",
        Every::Month => "each month",
    }
}

/// A number with as many digits as say something.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if size >= 1000.0 || value.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.01 => 2,
        _ => 6,
    };
    format!("{value:.digits$}")
}

fn trend_csv(trend: &Trend, zone: &TimeZone) -> Result<String, Stop> {
    let rows = trend.buckets.iter().map(|bucket| {
        let from = match trend.every {
            Every::Run => bucket.from.to_string(),
            _ => day(bucket.from, zone),
        };
        let run = bucket.run.map(|run| run.to_string()).unwrap_or_default();
        let value = bucket.value.map(|value| value.to_string()).unwrap_or_default();
        vec![from, value, trend.unit.clone(), run]
    });
    csv(&["from", "value", "unit", "run"], rows)
}

fn metrics_csv(metrics: &[Metric]) -> Result<String, Stop> {
    let rows = metrics.iter().map(|one| {
        let Metric { metric, unit, values, last_at, last } = one;
        vec![metric.clone(), unit.clone(), values.to_string(), last_at.to_string(), last.to_string()]
    });
    csv(&["metric", "unit", "values", "last_at", "last"], rows)
}

fn csv(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<String, Stop> {
    let failed = |error: &dyn std::fmt::Display| Stop::Internal(format!("failed to write CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(heads).map_err(|error| failed(&error))?;
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_shown_as_gaps() {
        let values = [Some(0.0), None, Some(3.5), Some(7.0)];
        assert_eq!(sparkline(values.into_iter(), 0.0, 7.0), "▁·▅█");
        assert_eq!(sparkline([Some(5.0), None, Some(5.0)].into_iter(), 5.0, 5.0), "▅·▅");
    }

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        let shown = [0.0, 12.0, 12345.67, 98.76, 0.123, 0.00012].map(number);
        assert_eq!(shown, ["0", "12", "12346", "98.8", "0.12", "0.000120"]);
    }
}
