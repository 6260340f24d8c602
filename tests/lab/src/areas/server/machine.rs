//! The families of `/metrics` that show the machine: load, memory, disk, network, and the server's own process. Names,
//! labels and kinds are those of the vendor's example.

use super::metrics::{Family, label};
use jiff::Timestamp;

const GIB: f64 = 1_073_741_824.0;
const PROCESS: &str = "Tanium Server";
const INTERFACE: &str = "eth0";

/// The families. Sums grow evenly with time, so that every run sees the same rate.
#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
pub(super) fn families(now: Timestamp) -> Vec<Family> {
    let seconds = now.as_second() as f64;
    let one = |value: f64| vec![(String::new(), value)];
    let named = |name: &str, value: f64| vec![(label("name", name), value)];
    let gauge = |name, help, samples| (name, "gauge", help, samples);
    let load = |minutes: &str, value: f64| (label("window_minutes", minutes), value);
    let cpu = |kind: &str, share: f64| (format!("{{name=\"{PROCESS}\",type=\"{kind}\"}}"), seconds * share);
    let rate = |bytes: f64| seconds * bytes;
    vec![
        gauge("tanium_system_cpu_count", "", one(8.0)),
        gauge(
            "tanium_system_cpu_load_average",
            "The sampled system-computed load average.",
            vec![load("1", 2.4), load("5", 2.0)],
        ),
        gauge("tanium_system_memory_available_bytes", "Total physical memory available", one(48.0 * GIB)),
        gauge("tanium_system_memory_used_bytes", "Total physical memory in use", one(16.0 * GIB)),
        gauge("tanium_system_pagefile_size_bytes", "Total size of paging file", named("_Total", 8.0 * GIB)),
        gauge("tanium_system_pagefile_used_bytes", "Bytes used in paging file", named("_Total", 0.08 * GIB)),
        gauge("tanium_system_network_recv_bytes_total", "Total bytes received", named(INTERFACE, rate(2e5))),
        gauge("tanium_system_network_send_bytes_total", "Total bytes sent", named(INTERFACE, rate(6e5))),
        gauge("tanium_process_io_read_bytes_total", "Total I/O Read Bytes", named(PROCESS, rate(3e4))),
        gauge("tanium_process_io_write_bytes_total", "Total I/O Write Bytes", named(PROCESS, rate(9e4))),
        gauge(
            "tanium_process_memory_resident_bytes",
            "Total working/resident memory used by a process",
            named(PROCESS, 2.0 * GIB),
        ),
        gauge(
            "tanium_process_cpu_seconds_total",
            "CPU Time spent processing by a single process.",
            vec![cpu("kernel", 0.2), cpu("user", 0.9)],
        ),
    ]
}
