//! A number against its target and against what is usual.

use tancheck_plugin_api::facts::{Baseline, Point};
use tancheck_plugin_api::finding::Evidence;
use tancheck_plugin_api::prelude::*;

/// How far a number may move the wrong way.
pub(crate) const CHANGE_PCT: Setting = Setting::integer("change_pct", 10, 1, 100)
    .unit("percent")
    .about("by how much of its usual value a metric may move the wrong way before it is a finding");

/// The newest value of an exported panel may be so old.
const RECENT_DAYS: i64 = 14;

/// Which way is the wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Less is worse.
    Down,
    /// More is worse.
    Up,
}

/// A number that was read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// The number.
    pub(crate) value: f64,
    /// The series that it belongs to. Numbers that were counted in different ways are never compared.
    pub(crate) series: &'static str,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Earlier numbers that came with it.
    pub(crate) before: Vec<(Timestamp, f64)>,
    /// When it was true.
    pub(crate) at: Timestamp,
    /// Where it was seen.
    pub(crate) evidence: Evidence,
}

/// One row of a panel's values as an administrator writes them down.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PanelRow {
    #[serde(deserialize_with = "lenient::time", alias = "Date")]
    date: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::text", alias = "Series")]
    series: String,
    #[serde(deserialize_with = "lenient::number", alias = "Value")]
    value: Option<f64>,
}

/// The columns of a panel's values.
pub(crate) const PANEL_COLUMNS: &[&str] = &["date", "series", "value"];

/// The newest value of a panel, from its exported values or from an answer.
pub(crate) fn of_panel(
    facts: &Facts<'_>,
    input: &'static Input,
    series: &'static str,
    unit: &'static str,
) -> Result<Reading, Undecided> {
    if let Body::Answer(answer) = facts.body(input)? {
        let value = answer.value.as_f64().filter(|value| *value >= 0.0);
        let value =
            value.ok_or_else(|| Undecided::not_evaluated(format!("{} is no such number", answer.value)))?;
        let evidence = facts.seen(input, value);
        return Ok(Reading { value, series, unit, before: Vec::new(), at: answer.at, evidence });
    }
    let rows: Vec<PanelRow> = facts.rows(input)?;
    let names: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.series.as_str()).collect();
    if names.len() > 1 {
        return Err(Undecided::not_evaluated(format!(
            "the exported panel has several series ({}): keep the rows of one, always the same",
            names.into_iter().collect::<Vec<_>>().join(", ")
        )));
    }
    let dated = rows.iter().map(|row| Some((row.date?, row.value?)));
    let dated: Option<Vec<(Timestamp, f64)>> = dated.collect();
    let mut values = dated
        .ok_or_else(|| Undecided::not_evaluated("a row of the exported panel has no date or no value"))?;
    values.sort_by_key(|(at, _)| *at);
    let (at, value) =
        values.pop().ok_or_else(|| Undecided::not_evaluated("the exported panel has no values"))?;
    if facts.days_since(at) > RECENT_DAYS {
        return Err(Undecided::not_evaluated(format!(
            "the newest value of the exported panel is of {}: export it again",
            at.strftime("%Y-%m-%d")
        )));
    }
    Ok(Reading { value, series, unit, before: values, at, evidence: facts.seen(input, value) })
}

/// Keeps the number, and says what is wrong with it: beyond the target, or moved the wrong way from the median of earlier
/// weeks.
///
/// While too few weeks are stored, only a target decides.
pub(crate) fn judge(
    facts: &Facts<'_>,
    report: &mut Report,
    reading: &Reading,
    stored: &[Point],
    target: (Option<&'static Setting>, Wrong),
    name: &str,
) -> Result<(), Undecided> {
    let (setting, wrong) = target;
    let (value, unit) = (reading.value, reading.unit);
    report.measure(reading.series, value, unit);
    let change_pct = facts.integer(&CHANGE_PCT)? as f64;
    let target = setting.and_then(|setting| facts.integer(setting).ok()).map(|target| target as f64);
    let usual = usual(reading, stored, name);
    let mut says = Vec::new();
    let mut expected = Vec::new();
    if let Some(target) = target {
        let beyond = if wrong == Wrong::Down { value < target } else { value > target };
        if beyond {
            says.push(format!("is {} {unit}", shown(value)));
            let bound = if wrong == Wrong::Down { "at least" } else { "at most" };
            expected.push(format!("{bound} {target} {unit}"));
        }
    }
    if let Ok(usual) = &usual {
        let (moved, limit) = match wrong {
            Wrong::Down => ("fell", usual.floor(change_pct)),
            Wrong::Up => ("rose", usual.ceiling(change_pct)),
        };
        if (wrong == Wrong::Down && value < limit) || (wrong == Wrong::Up && value > limit) {
            let (from, to) = (shown(usual.median), shown(value));
            says.push(format!("{moved} to {to} {unit}; the median of earlier weeks is {from}"));
            expected.push(format!("a change of at most {change_pct} percent"));
        }
    }
    if !says.is_empty() {
        report.finding(
            Finding::on(Subject::new("metric", reading.series, name))
                .says(says.join("; "))
                .expected(expected.join("; "))
                .evidence(reading.evidence.clone()),
        );
    }
    match (usual, target) {
        (Ok(_), _) => Ok(()),
        (Err(short), Some(_)) => {
            report.note(format!("only the target was judged: {}", short.reason));
            Ok(())
        }
        (Err(short), None) => {
            let set = setting.map(|setting| format!("; or set `{}`", setting.key())).unwrap_or_default();
            Err(Undecided::not_evaluated(format!("{} {unit} now; {}{set}", shown(value), short.reason)))
        }
    }
}

/// What is usual: of the weeks before the one that the number is of.
fn usual(reading: &Reading, stored: &[Point], name: &str) -> Result<Baseline, Undecided> {
    let stored = stored.iter().filter(|point| point.series == reading.series);
    let all = stored.map(|point| (point.at, point.value)).chain(reading.before.iter().copied());
    Baseline::of_weeks(all, reading.at, name)
}

fn shown(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.1}") }
}
