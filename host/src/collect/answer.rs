//! What is known on this machine: a person's answer while it is good, and the stored points of a series.

use super::Local;
use super::transport::Problem;
use crate::calendar::day;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::{Answer, Body, Point};

/// The hours of a day.
const DAY: i64 = 24;

/// The latest answer to an input, if it has not expired.
pub(super) fn answered(
    local: &dyn Local,
    input: &str,
    prompt: &str,
    valid_days: u32,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Answer, Problem> {
    let answer = local
        .answer(input)
        .map_err(|error| not_evaluated(format!("the stored answers cannot be read: {error}")))?;
    let Some(answer) = answer else {
        return Err(not_evaluated(format!("nobody has answered yet: {}", hint(input, prompt))));
    };
    let until = answer
        .at
        .checked_add(SignedDuration::from_hours(i64::from(valid_days) * DAY))
        .unwrap_or(Timestamp::MAX);
    if now >= until {
        let (day, by) = (day(until, zone), &answer.by);
        return Err(not_evaluated(format!(
            "the answer of {by} was good until {day}: {}",
            hint(input, prompt)
        )));
    }
    Ok(answer)
}

/// How to answer.
pub(super) fn hint(input: &str, prompt: &str) -> String {
    format!("answer `tancheck answer {input}` ({prompt})")
}

/// The stored points of the last days, and when the newest was measured.
pub(super) fn remembered(
    local: &dyn Local,
    series: &str,
    days: u32,
    now: Timestamp,
) -> Result<(Vec<Point>, Timestamp), Problem> {
    let since = now.checked_sub(SignedDuration::from_hours(i64::from(days) * DAY)).unwrap_or(Timestamp::MIN);
    let mut points = local
        .points(series, since)
        .map_err(|error| not_evaluated(format!("the history cannot be read: {error}")))?;
    points.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.series.cmp(&b.series)));
    let newest = points.last().map_or(now, |point| point.at);
    Ok((points, newest))
}

/// The body of an answer.
pub(super) fn body(answer: Answer) -> (Body, Timestamp) {
    let at = answer.at;
    (Body::Answer(answer), at)
}

fn not_evaluated(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug)]
    struct Known(Option<Answer>);

    impl Local for Known {
        fn points(&self, series: &str, since: Timestamp) -> Result<Vec<Point>, String> {
            let point = |hours| Point {
                series: series.to_owned(),
                at: since + SignedDuration::from_hours(hours),
                value: hours as f64,
            };
            Ok(vec![point(5), point(1)])
        }

        fn answer(&self, _: &str) -> Result<Option<Answer>, String> {
            Ok(self.0.clone())
        }

        fn expected_seconds(&self, _: &str) -> Option<f64> {
            None
        }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn given(at: &str) -> Known {
        Known(Some(Answer { value: json!(true), by: "ann".to_owned(), at: time(at), note: String::new() }))
    }

    #[test]
    fn an_answer_expires() {
        let now = time("2026-06-30T12:00:00Z");
        let ask = |known: &Known| {
            answered(known, "x.backup", "Is there a backup?", 30, now, &TimeZone::UTC)
                .map_err(|problem| problem.reason)
        };
        assert!(ask(&given("2026-05-31T12:00:01Z")).is_ok());
        assert_eq!(
            ask(&given("2026-05-31T12:00:00Z")).unwrap_err(),
            "the answer of ann was good until 2026-06-30: answer `tancheck answer x.backup` (Is there a backup?)"
        );
        assert_eq!(
            ask(&Known(None)).unwrap_err(),
            "nobody has answered yet: answer `tancheck answer x.backup` (Is there a backup?)"
        );
    }

    #[test]
    fn points_come_oldest_first() {
        let now = time("2026-06-30T12:00:00Z");
        let (points, newest) = remembered(&Known(None), "x.leaders", 7, now).unwrap();
        assert_eq!(points.iter().map(|point| point.value).collect::<Vec<_>>(), [1.0, 5.0]);
        assert_eq!(newest, time("2026-06-23T17:00:00Z"));
    }
}
