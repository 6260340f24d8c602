//! Guide: *Monitor Appliance performance (optional)*, page 16: eight figures, each compared with its own past. The guide
//! states no threshold.

mod baseline;
mod pasted;
mod read;

use crate::inputs::{APPLIANCES, TANADMIN, TROUBLESHOOTING};
use baseline::{DEVIATION_PCT, PAST, PERFORMANCE, Watched, watch};
use pasted::PASTED;
use read::IGNORED_INTERFACES;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::LICENSE;

const GUIDE: &[GuideReference] = &[guide("Monitor Appliance performance (optional)", 16)];
const LIMITS: &str = "Metrics show the Tanium Server that answers; other Appliances need the pasted output of the \
    command. The first three samples only teach the baseline. A figure that creeps up slowly teaches it as well.";

/// What the checks of this file have in common; `watched!` adds what it reads.
const fn performance(id: &'static str, severity: Severity) -> Check {
    Check::hybrid(id)
        .cadence(&[Cadence::Monthly])
        .severity(severity)
        .settings(&[&APPLIANCES, &PERFORMANCE, &DEVIATION_PCT])
        .guide(GUIDE)
        .applies("Appliances, where `performance` is switched on")
        .limits(LIMITS)
        .related(&["appliance.health-check-run", "appliance.hc-operating-system"])
}

const CAUTIONS: &[&str] = &["Look only: htop, for one, can also end processes."];

const fn steps(command: &'static str, cause: &'static str) -> [Step; 5] {
    [
        Step::console(command, "run the command at different times of the day and save its output"),
        Step::consult("the saved output of earlier months", "compare: {subject}"),
        Step::consult("the saved output", cause),
        Step::consult(TROUBLESHOOTING, "follow it; add resources where the load is what it should be"),
        Step::support("if the cause stays unknown: bring the saved output of several days"),
    ]
}

/// The remedy of a figure: the command that shows more of it.
macro_rules! remedy {
    ($command:expr, $cause:expr) => {
        const {
            const STEPS: [Step; 5] = steps(concat!("TanOS on {appliance} > ", $command), $cause);
            &Remedy::new(&STEPS)
                .cautions(CAUTIONS)
                .who(TANADMIN)
                .risk(Risk::Low, Reversible::Yes)
                .references(&[TROUBLESHOOTING])
        }
    };
}

const CPU_LOAD_INPUT: Input = Input::new("appliance.cpu-load", "CPU load of the server")
    .sources(&[Source::metrics(&["tanium_system_cpu_load_average", "tanium_system_cpu_count"]), PASTED]);

/// CPU load.
pub(crate) const CPU_LOAD: Check = performance("appliance.perf-cpu-load", Severity::Low)
    .title("CPU load stays at its usual level")
    .reads(&[&LICENSE, &CPU_LOAD_INPUT, &PAST])
    .what("Divides the load average over the longest window by the number of CPUs, and compares with the median of earlier runs. More than `deviation_pct` above it, and more than 0.1 per CPU, is found.")
    .why("Load that stays high delays answers, and with them everything that waits for answers.")
    .remedy(remedy!("sar", "find the process or the job behind the load"))
    .judge(|facts, report| watch(facts, report, &LOAD));

const LOAD: Watched = Watched {
    name: "cpu-load",
    about: "CPU load",
    input: &CPU_LOAD_INPUT,
    command: "sar",
    metric: Some("cpu-load"),
    read: read::cpu_load,
    noise: 0.1,
};

const MEMORY_PAGING_INPUT: Input = Input::new("appliance.memory-paging", "growth of the paged memory")
    .sources(&[Source::metrics(&["tanium_system_pagefile_used_bytes"]), PASTED]);

/// Memory paging.
pub(crate) const MEMORY_PAGING: Check = performance("appliance.perf-memory-paging", Severity::Low)
    .title("Memory paging stays at its usual level")
    .reads(&[&LICENSE, &MEMORY_PAGING_INPUT, &PAST])
    .what("Takes how fast the used page file grew since the run before, and compares with the median of earlier runs. More than `deviation_pct` above it, and more than 1 KiB a second, is found.")
    .why("Memory that has to be fetched from disk is a thousand times slower.")
    .remedy(remedy!("sar", "find the process whose memory grows"))
    .judge(|facts, report| watch(facts, report, &PAGING));

const PAGING: Watched = Watched {
    name: "memory-paging",
    about: "memory paging",
    input: &MEMORY_PAGING_INPUT,
    command: "sar",
    metric: Some("memory-paging"),
    read: read::paging,
    noise: 1024.0,
};

const MEMORY_UTILIZATION_INPUT: Input =
    Input::new("appliance.memory-utilization", "used and available memory of the server").sources(&[
        Source::metrics(&["tanium_system_memory_used_bytes", "tanium_system_memory_available_bytes"]),
        PASTED,
    ]);

/// Memory utilization.
pub(crate) const MEMORY_UTILIZATION: Check = performance("appliance.perf-memory-utilization", Severity::Low)
    .title("Memory utilization stays at its usual level")
    .reads(&[&LICENSE, &MEMORY_UTILIZATION_INPUT, &PAST])
    .what("Takes the share of memory in use and compares with the median of earlier runs. More than `deviation_pct` above it, and more than 5 points, is found.")
    .why("A server that runs out of memory ends processes of its own choice.")
    .remedy(remedy!("sar", "find the process that holds the memory"))
    .judge(|facts, report| watch(facts, report, &MEMORY));

const MEMORY: Watched = Watched {
    name: "memory-utilization",
    about: "memory utilization",
    input: &MEMORY_UTILIZATION_INPUT,
    command: "sar",
    metric: Some("memory-utilization"),
    read: read::memory,
    noise: 5.0,
};

const SWAP_INPUT: Input = Input::new("appliance.swap", "used swap space of the server").sources(&[
    Source::metrics(&["tanium_system_pagefile_used_bytes", "tanium_system_pagefile_size_bytes"]),
    PASTED,
]);

/// Swap usage.
pub(crate) const SWAP: Check = performance("appliance.perf-swap", Severity::Low)
    .title("Swap usage stays at its usual level")
    .reads(&[&LICENSE, &SWAP_INPUT, &PAST])
    .what("Takes the share of swap space in use and compares with the median of earlier runs. More than `deviation_pct` above it, and more than 5 points, is found. A server without swap space is not concerned.")
    .why("Swap in use tells that memory was too small at some time since the start.")
    .remedy(remedy!("sar", "find when it was filled, and what ran then"))
    .judge(|facts, report| watch(facts, report, &SWAPPED));

const SWAPPED: Watched = Watched {
    name: "swap-usage",
    about: "swap usage",
    input: &SWAP_INPUT,
    command: "sar",
    metric: Some("swap-usage"),
    read: read::swap,
    noise: 5.0,
};

const NETWORK_IO_INPUT: Input = Input::new("appliance.network-io", "bytes through each network interface")
    .sources(&[
        Source::metrics(&[
            "tanium_system_network_recv_bytes_total",
            "tanium_system_network_send_bytes_total",
        ]),
        PASTED,
    ]);

/// Network input and output.
pub(crate) const NETWORK_IO: Check = performance("appliance.perf-network-io", Severity::Low)
    .title("Network input and output stay at their usual level")
    .reads(&[&LICENSE, &NETWORK_IO_INPUT, &PAST])
    .settings(&[&APPLIANCES, &PERFORMANCE, &DEVIATION_PCT, &IGNORED_INTERFACES])
    .what("Takes the bytes a second through each interface since the run before, and compares with the median of earlier runs. More than `deviation_pct` above it, and more than 1 MiB a second, is found. `ignored_interfaces` are left out.")
    .why("Traffic beyond the usual crowds out the clients, or shows a job that nobody planned.")
    .remedy(remedy!("sar", "find the time of day of the traffic, and what ran then: imports, Connect runs, downloads of packages"))
    .judge(|facts, report| watch(facts, report, &NETWORK));

const NETWORK: Watched = Watched {
    name: "network-io",
    about: "network input and output",
    input: &NETWORK_IO_INPUT,
    command: "sar",
    metric: Some("network-io"),
    read: read::network,
    noise: MIB,
};

const IO_INPUT: Input =
    Input::new("appliance.io-by-process", "bytes that processes read and wrote").sources(&[
        Source::metrics(&["tanium_process_io_read_bytes_total", "tanium_process_io_write_bytes_total"]),
        PASTED,
    ]);

/// Input and output by process.
pub(crate) const IO_BY_PROCESS: Check = performance("appliance.perf-io-by-process", Severity::Low)
    .title("Input and output of each process stay at their usual level")
    .reads(&[&LICENSE, &IO_INPUT, &PAST])
    .what("Takes the bytes a second that each process read and wrote since the run before, and compares with the median of earlier runs. More than `deviation_pct` above it, and more than 1 MiB a second, is found.")
    .why("One process that keeps the disk busy makes all others wait.")
    .remedy(remedy!("iotop", "find what the process reads or writes"))
    .judge(|facts, report| watch(facts, report, &IO));

const IO: Watched = Watched {
    name: "io-by-process",
    about: "input and output by process",
    input: &IO_INPUT,
    command: "iotop",
    metric: None,
    read: read::process_io,
    noise: MIB,
};

const FUNCTIONS_INPUT: Input =
    Input::new("appliance.cpu-by-function", "CPU usage by function").sources(&[PASTED]);

/// CPU usage by function.
pub(crate) const CPU_BY_FUNCTION: Check = performance("appliance.perf-cpu-by-function", Severity::Info)
    .title("CPU usage by function stays at its usual level")
    .reads(&[&LICENSE, &FUNCTIONS_INPUT, &PAST])
    .what("Takes the share of CPU time of each function in the pasted output of perf-top and compares with the median of earlier outputs. More than `deviation_pct` above it, and more than 5 points, is found.")
    .why("It shows Tanium Support where a busy server spends its time.")
    .remedy(remedy!("perf-top", "name the functions to Tanium Support; few others can read them"))
    .judge(|facts, report| watch(facts, report, &FUNCTIONS));

const FUNCTIONS: Watched = Watched {
    name: "cpu-by-function",
    about: "CPU usage by function",
    input: &FUNCTIONS_INPUT,
    command: "perf-top",
    metric: None,
    read: read::nothing,
    noise: 5.0,
};

const PROCESSES_INPUT: Input =
    Input::new("appliance.process-detail", "memory and CPU of processes").sources(&[
        Source::metrics(&["tanium_process_memory_resident_bytes", "tanium_process_cpu_seconds_total"]),
        PASTED,
    ]);

/// Memory and CPU by process.
pub(crate) const PROCESS_DETAIL: Check = performance("appliance.perf-process-detail", Severity::Low)
    .title("Memory and CPU of each process stay at their usual level")
    .reads(&[&LICENSE, &PROCESSES_INPUT, &PAST])
    .what("Takes the resident memory and the CPU time a second of each process, and compares with the median of earlier runs. More than `deviation_pct` above it is found.")
    .why("A process that grows without end takes the server down with it in the end.")
    .remedy(remedy!("htop", "see since when the process grows, and whether it was updated then"))
    .judge(|facts, report| watch(facts, report, &PROCESSES));

const PROCESSES: Watched = Watched {
    name: "process-detail",
    about: "memory and CPU by process",
    input: &PROCESSES_INPUT,
    command: "htop",
    metric: None,
    read: read::processes,
    noise: 0.1,
};

const MIB: f64 = 1024.0 * 1024.0;

#[cfg(test)]
mod tests;
