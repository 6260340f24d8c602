//! What the metrics of the server say about each figure.

use super::baseline::{Amount, Reading};
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Sample;
use tancheck_plugin_api::prelude::*;

/// Interfaces that carry other interfaces' traffic.
pub(crate) const IGNORED_INTERFACES: Setting = Setting::list("ignored_interfaces", &["isatap", "teredo"])
    .about("beginnings of names of network interfaces that are left out, such as tunnels");

/// What a figure's metrics say; an empty list where they say nothing.
pub(crate) type Read = fn(&Facts<'_>, &[Sample]) -> Result<Vec<Reading>, Undecided>;

/// Load by CPU, over the longest window.
pub(super) fn cpu_load(_: &Facts<'_>, samples: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    let minutes = |sample: &&Sample| -> u32 {
        sample.labels.get("window_minutes").and_then(|window| window.parse().ok()).unwrap_or(0)
    };
    let load = of(samples, "tanium_system_cpu_load_average").max_by_key(minutes);
    let count = of(samples, "tanium_system_cpu_count").map(|sample| sample.value).find(|count| *count > 0.0);
    Ok(match (load, count) {
        (Some(load), Some(count)) => {
            vec![Reading::new("all CPUs", "per CPU", Amount::Level(load.value / count))]
        }
        _ => Vec::new(),
    })
}

/// How fast the used page file grows.
pub(super) fn paging(_: &Facts<'_>, samples: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    let used = total(samples, "tanium_system_pagefile_used_bytes");
    Ok(used.map(|used| Reading::new("page file", "bytes/s", Amount::Growth(used))).into_iter().collect())
}

/// The share of memory in use.
pub(super) fn memory(_: &Facts<'_>, samples: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    let one = |name| of(samples, name).map(|sample| sample.value).next();
    let used = one("tanium_system_memory_used_bytes");
    let available = one("tanium_system_memory_available_bytes");
    Ok(match (used, available) {
        (Some(used), Some(available)) if used + available > 0.0 => {
            vec![Reading::new("memory", "%", Amount::Level(100.0 * used / (used + available)))]
        }
        _ => Vec::new(),
    })
}

/// The share of swap space in use.
pub(super) fn swap(_: &Facts<'_>, samples: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    let Some(used) = total(samples, "tanium_system_pagefile_used_bytes") else { return Ok(Vec::new()) };
    match total(samples, "tanium_system_pagefile_size_bytes") {
        Some(size) if size > 0.0 => {
            Ok(vec![Reading::new("swap space", "%", Amount::Level(100.0 * used / size))])
        }
        _ => Err(Undecided::not_applicable("the server has no swap space")),
    }
}

/// Bytes through each interface.
pub(super) fn network(facts: &Facts<'_>, samples: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    let ignored: Vec<String> =
        facts.list(&IGNORED_INTERFACES).iter().map(|name| name.to_lowercase()).collect();
    let is_ignored = |name: &str| ignored.iter().any(|beginning| name.to_lowercase().starts_with(beginning));
    let directions = [
        ("tanium_system_network_recv_bytes_total", "received"),
        ("tanium_system_network_send_bytes_total", "sent"),
    ];
    let through = |(family, word)| {
        named(samples, family)
            .filter(|(name, _)| !is_ignored(name))
            .map(move |(name, bytes)| {
                Reading::new(format!("{name} {word}"), "bytes/s", Amount::Counter(bytes))
            })
            .collect::<Vec<_>>()
    };
    Ok(directions.into_iter().flat_map(through).collect())
}

/// Bytes that each process read and wrote.
pub(super) fn process_io(_: &Facts<'_>, samples: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    let directions =
        [("tanium_process_io_read_bytes_total", "read"), ("tanium_process_io_write_bytes_total", "written")];
    let moved = |(family, word)| {
        named(samples, family)
            .map(move |(name, bytes)| {
                Reading::new(format!("{name} {word}"), "bytes/s", Amount::Counter(bytes))
            })
            .collect::<Vec<_>>()
    };
    Ok(directions.into_iter().flat_map(moved).collect())
}

/// Memory and CPU time of each process.
pub(super) fn processes(_: &Facts<'_>, samples: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    let resident = named(samples, "tanium_process_memory_resident_bytes")
        .map(|(name, bytes)| Reading::new(format!("{name} memory"), "bytes", Amount::Level(bytes)));
    // Kernel and user time are samples of their own.
    let mut seconds: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, value) in named(samples, "tanium_process_cpu_seconds_total") {
        *seconds.entry(name).or_default() += value;
    }
    let cpu = seconds.into_iter().map(|(name, seconds)| {
        Reading::new(format!("{name} CPU"), "CPU seconds/s", Amount::Counter(seconds))
    });
    Ok(resident.chain(cpu).collect())
}

/// For a figure that no metric shows.
pub(super) fn nothing(_: &Facts<'_>, _: &[Sample]) -> Result<Vec<Reading>, Undecided> {
    Ok(Vec::new())
}

fn of<'a>(samples: &'a [Sample], family: &'a str) -> impl Iterator<Item = &'a Sample> {
    samples.iter().filter(move |sample| sample.name == family)
}

fn named<'a>(samples: &'a [Sample], family: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    of(samples, family).map(|sample| (sample.labels.get("name").map_or("", String::as_str), sample.value))
}

/// The sample over all page files.
fn total(samples: &[Sample], family: &str) -> Option<f64> {
    named(samples, family).find(|(name, _)| *name == "_Total").map(|(_, value)| value)
}
