//! The pasted output of TanOS commands, as an administrator wrote it down.

use super::baseline::{Amount, Reading, Watched};
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::median;
use tancheck_plugin_api::prelude::*;

/// The file.
pub(super) const PASTED: Source = Source::export(
    "tanos-performance.csv",
    "the TanOS commands sar, iotop, perf-top and htop, on each Appliance",
    "write one row for each value of the output: command is sar, iotop, perf-top or htop; metric of sar is cpu-load, \
     memory-paging, memory-utilization, swap-usage or network-io, that of the others what the column says; subject is \
     the process, function or interface",
    &["appliance", "command", "sampled_at", "metric", "subject", "value", "unit"],
);

/// The figures of sar that the file may hold.
const SAR: [&str; 5] = ["cpu-load", "memory-paging", "memory-utilization", "swap-usage", "network-io"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    #[serde(deserialize_with = "lenient::text")]
    appliance: String,
    #[serde(deserialize_with = "lenient::text")]
    command: String,
    #[serde(deserialize_with = "lenient::time")]
    sampled_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::text")]
    metric: String,
    #[serde(deserialize_with = "lenient::text")]
    subject: String,
    #[serde(deserialize_with = "lenient::number")]
    value: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    unit: String,
}

/// The median of each figure's samples, by Appliance and subject.
pub(super) fn readings(facts: &Facts<'_>, watched: &Watched) -> Result<Vec<Reading>, Undecided> {
    let rows: Vec<Row> = facts.rows(watched.input)?;
    let mut samples: BTreeMap<(String, String), (Vec<f64>, Timestamp, String)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.command.trim().eq_ignore_ascii_case(watched.command)) {
        let metric = row.metric.trim().to_ascii_lowercase();
        if watched.metric.is_some() && !SAR.contains(&metric.as_str()) {
            return Err(not_recognised(&format!("{:?} is no metric of sar", row.metric)));
        }
        if watched.metric.is_some_and(|wanted| wanted != metric) {
            continue;
        }
        let (Some(at), Some(value)) = (row.sampled_at, row.value) else {
            return Err(not_recognised("a row has no sampled_at or no value"));
        };
        let subject = match (row.subject.trim(), watched.metric) {
            ("", _) => metric,
            (subject, Some(_)) => subject.to_owned(),
            (subject, None) => format!("{subject} {metric}"),
        };
        let key = (row.appliance.trim().to_owned(), subject);
        let entry = samples.entry(key).or_insert_with(|| (Vec::new(), at, row.unit.clone()));
        entry.0.push(value);
        entry.1 = entry.1.max(at);
    }
    let as_reading =
        |((appliance, subject), (values, at, unit)): ((String, String), (Vec<f64>, _, String))| {
            let amount = Amount::Level(median(&values).unwrap_or_default());
            Reading { at: Some(at), ..Reading::new(subject, &unit, amount).on(&appliance) }
        };
    Ok(samples.into_iter().map(as_reading).collect())
}

fn not_recognised(what: &str) -> Undecided {
    Undecided::not_evaluated(format!("format not recognised: {what}; correct tanos-performance.csv"))
}
