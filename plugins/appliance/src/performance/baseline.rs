//! A figure and its own past: the median of earlier samples is what is usual.

use super::pasted;
use super::read::Read;
use crate::inputs::in_use;
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::{Baseline, Point};
use tancheck_plugin_api::prelude::*;

/// Whether performance is watched at all.
pub(super) const PERFORMANCE: Setting = Setting::flag("performance", false)
    .about("whether the performance of Appliances is watched; the guide calls it optional");

/// How far above the usual is too far.
pub(super) const DEVIATION_PCT: Setting = Setting::integer("deviation_pct", 50, 1, 10_000)
    .unit("percent")
    .about("how far a figure of performance may rise above the median of its earlier samples; where those swing more anyway, three times their usual swing counts instead");

/// What earlier runs measured.
pub(super) const PAST: Input =
    Input::new("appliance.performance-past", "figures of performance of earlier runs")
        .sources(&[Source::history("appliance.performance.*", 400)]);

/// So many earlier samples make a baseline.
const ENOUGH: usize = 3;
/// Samples closer together than this are one sample.
const APART: SignedDuration = SignedDuration::from_mins(10);
/// Pasted output that is older than a period of the task says nothing about now.
const STALE_DAYS: i64 = 31;
/// The Appliance that the metrics are of.
const ANSWERING: &str = "the Tanium Server";

/// A figure that is watched.
pub(super) struct Watched {
    /// Its name in the history.
    pub(super) name: &'static str,
    /// What it is, for people.
    pub(super) about: &'static str,
    /// Where it comes from.
    pub(super) input: &'static Input,
    /// The TanOS command that shows it.
    pub(super) command: &'static str,
    /// The word for it in the pasted file, where the command shows several figures.
    pub(super) metric: Option<&'static str>,
    /// What the metrics say about it.
    pub(super) read: Read,
    /// A smaller rise is none, in the figure's unit.
    pub(super) noise: f64,
}

/// A figure of one subject.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// The Appliance.
    pub(super) appliance: String,
    /// Process, function, interface.
    pub(super) subject: String,
    /// The unit.
    pub(super) unit: String,
    /// How much.
    pub(super) amount: Amount,
    /// When it was sampled; the time of the metrics where there is none.
    pub(super) at: Option<Timestamp>,
}

/// How much, and of what kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Amount {
    /// As it is now.
    Level(f64),
    /// A sum since the start; its rate is what counts.
    Counter(f64),
    /// An amount whose growth counts.
    Growth(f64),
}

impl Reading {
    /// A reading of the metrics.
    pub(super) fn new(subject: impl Into<String>, unit: &str, amount: Amount) -> Self {
        let (appliance, unit) = (ANSWERING.to_owned(), unit.to_owned());
        Self { appliance, subject: subject.into(), unit, amount, at: None }
    }

    /// The same of another Appliance.
    pub(super) fn on(mut self, appliance: &str) -> Self {
        appliance.clone_into(&mut self.appliance);
        self
    }
}

/// Compares a figure with its past.
pub(super) fn watch(facts: &Facts<'_>, report: &mut Report, watched: &Watched) -> Result<(), Undecided> {
    if !facts.flag(&PERFORMANCE) {
        return Err(Undecided::not_applicable(
            "watching performance is optional; switch it on with `performance = true`",
        ));
    }
    in_use(facts)?;
    let readings = match facts.body(watched.input)? {
        Body::Samples(samples) => (watched.read)(facts, samples)?,
        _ => pasted::readings(facts, watched)?,
    };
    if readings.is_empty() {
        return Err(Undecided::not_evaluated(format!(
            "the {} tells nothing about {}: run `{}` in TanOS and write its output into tanos-performance.csv",
            facts.source(watched.input)?,
            watched.about,
            watched.command
        )));
    }
    let past = Past { points: facts.points(&PAST)?, name: watched.name, taken: facts.at(watched.input)? };
    let mut unknown: BTreeMap<&str, String> = BTreeMap::new();
    let mut known: Vec<&str> = Vec::new();
    let mut new: Vec<&str> = Vec::new();
    for reading in &readings {
        match past.compare(facts, report, reading) {
            Err(why) => drop(unknown.insert(&reading.appliance, why)),
            Ok(None) => new.push(&reading.subject),
            Ok(Some((value, usual))) => {
                known.push(&reading.appliance);
                judge(facts, report, watched, reading, value, usual)?;
            }
        }
    }
    // A subject that is new beside known ones is a remark; an Appliance without any known one is undecided.
    for reading in &readings {
        let one = reading.appliance.as_str();
        if !known.contains(&one) {
            unknown.entry(one).or_insert_with(|| {
                format!("{one}: fewer than {ENOUGH} earlier samples are stored, what is usual is still being learned")
            });
        }
    }
    let (aside, open): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|(one, _)| known.contains(one));
    aside.into_iter().for_each(|(_, why)| report.note(format!("not compared: {why}")));
    if !new.is_empty() && !known.is_empty() {
        report.note(format!("too new to be compared: {}", new.join(", ")));
    }
    settle(&open.into_iter().map(|(_, why)| why).collect::<Vec<_>>())
}

fn judge(
    facts: &Facts<'_>,
    report: &mut Report,
    watched: &Watched,
    reading: &Reading,
    value: f64,
    baseline: Baseline,
) -> Result<(), Undecided> {
    let limit = baseline.ceiling(facts.integer(&DEVIATION_PCT)? as f64);
    let usual = baseline.median;
    if value <= limit || value - usual <= watched.noise {
        return Ok(());
    }
    let (appliance, subject) = (&reading.appliance, &reading.subject);
    let key = format!("{}: {}", appliance.to_lowercase(), subject.to_lowercase());
    let show = |value| shown(value, &reading.unit);
    report.finding(
        Finding::on(Subject::new("performance", key, format!("{subject} on {appliance}")))
            .says(format!("{} is {}, usual is {}", watched.about, show(value), show(usual)))
            .expected(format!("at most {}", show(limit)))
            .fill("appliance", appliance)
            .evidence(facts.seen(watched.input, (value, usual))),
    );
    Ok(())
}

/// What earlier runs measured of a figure.
struct Past<'a> {
    points: &'a [Point],
    name: &'static str,
    /// When the present value was taken, unless it tells so itself.
    taken: Timestamp,
}

impl Past<'_> {
    /// The present value and what is usual; nothing for a subject that is too new, and why there is no value.
    fn compare(
        &self,
        facts: &Facts<'_>,
        report: &mut Report,
        reading: &Reading,
    ) -> Result<Option<(f64, Baseline)>, String> {
        let at = reading.at.unwrap_or(self.taken);
        let days = facts.days_since(at);
        if days > STALE_DAYS {
            return Err(format!("{}: the samples are {days} days old", reading.appliance));
        }
        let Some(value) = self.value(report, reading, at)? else { return Ok(None) };
        let series = self.series("value", reading);
        self.store(report, &series, at, value, &reading.unit);
        let earlier: Vec<f64> = self.before(&series, at).map(|point| point.value).collect();
        Ok(Baseline::known(&earlier, ENOUGH).map(|usual| (value, usual)))
    }

    /// The value to compare: a level as it is, of the others how fast they grew since the run before.
    fn value(&self, report: &mut Report, reading: &Reading, at: Timestamp) -> Result<Option<f64>, String> {
        let sum = match reading.amount {
            Amount::Level(value) => return Ok(Some(value)),
            Amount::Counter(sum) | Amount::Growth(sum) => sum,
        };
        let series = self.series("sum", reading);
        self.store(report, &series, at, sum, reading.unit.trim_end_matches("/s"));
        let Some(last) = self.before(&series, at).max_by_key(|point| point.at) else { return Ok(None) };
        let grown = sum - last.value;
        if grown < 0.0 && matches!(reading.amount, Amount::Counter(_)) {
            return Err(format!("{}: the counters began anew since the run before", reading.appliance));
        }
        Ok(Some(grown.max(0.0) / at.duration_since(last.at).as_secs_f64()))
    }

    fn series(&self, kind: &str, reading: &Reading) -> String {
        let Reading { appliance, subject, .. } = reading;
        format!("appliance.performance.{kind}.{}.{appliance}.{subject}", self.name).to_lowercase()
    }

    fn before<'s>(&'s self, series: &'s str, at: Timestamp) -> impl Iterator<Item = &'s Point> {
        self.points.iter().filter(move |point| point.series == series && point.at + APART < at)
    }

    /// Stores a sample once: a file that lies there for weeks is one sample.
    fn store(&self, report: &mut Report, series: &str, at: Timestamp, value: f64, unit: &str) {
        if !self.points.iter().any(|point| point.series == series && point.at >= at) {
            report.measure(series, value, unit);
        }
    }
}

/// A value with its unit.
fn shown(value: f64, unit: &str) -> String {
    const SCALES: [(f64, &str); 4] =
        [(1024.0 * 1024.0 * 1024.0, "GiB"), (1024.0 * 1024.0, "MiB"), (1024.0, "KiB"), (1.0, "bytes")];
    if let Some(per) = unit.strip_prefix("bytes") {
        let (scale, name) = SCALES.into_iter().find(|(scale, _)| value >= *scale).unwrap_or((1.0, "bytes"));
        return format!("{:.1} {name}{per}", value / scale);
    }
    format!("{value:.2} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_in_their_unit() {
        assert_eq!(shown(1536.0, "bytes/s"), "1.5 KiB/s");
        assert_eq!(shown(0.0, "bytes"), "0.0 bytes");
        assert_eq!(shown(42.125, "%"), "42.12 %");
        assert_eq!(shown(3.0, ""), "3.00");
    }
}
