//! Each figure: learning, usual, too high, gone.

use super::*;
use crate::inputs::tests::deployment;
use tancheck_plugin_api::facts::{Point, Sample};
use tancheck_plugin_api::serde_json::{Value, json};
use tancheck_plugin_api::testing::Case;

const SERVER: &str = "the tanium server";

fn sample(name: &str, label: Option<(&str, &str)>, value: f64) -> Sample {
    let labels = label.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Sample { name: name.to_owned(), labels, value }
}

/// Points of weekly runs, the last one a week ago.
fn weekly(series: &str, values: &[f64]) -> Vec<Point> {
    let now: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
    let point = |(weeks, value): (usize, &f64)| {
        let at = now - SignedDuration::from_hours(24 * 7 * (weeks as i64 + 1));
        Point { series: format!("appliance.performance.{series}"), at, value: *value }
    };
    values.iter().rev().enumerate().map(point).collect()
}

fn case(check: &'static Check, past: Vec<Point>) -> Case {
    deployment(check, &[]).setting("performance", true).body(&PAST, Body::Points(past))
}

fn load(value: f64, past: &[f64]) -> Case {
    let samples = vec![
        sample("tanium_system_cpu_load_average", Some(("window_minutes", "1")), 99.0),
        sample("tanium_system_cpu_load_average", Some(("window_minutes", "5")), value),
        sample("tanium_system_cpu_count", None, 4.0),
    ];
    let series = format!("value.cpu-load.{SERVER}.all cpus");
    case(&CPU_LOAD, weekly(&series, past)).body(&CPU_LOAD_INPUT, Body::Samples(samples))
}

#[test]
fn a_level_is_compared_with_the_median_of_its_past() {
    load(4.0, &[1.0, 1.1, 0.9]).judge().assert_pass();
    load(4.0, &[1.0, 1.1, 0.9]).assert_needs_its_inputs();
    load(6.0, &[1.0, 1.0, 1.0]).judge().assert_pass();
    let high = load(6.4, &[1.0, 1.0, 9.0, 1.0]).judge();
    high.assert_findings(&["the tanium server: all cpus"]);
    assert_eq!(high.findings()[0].says, "CPU load is 1.60 per CPU, usual is 1.00 per CPU");
    load(6.4, &[1.0, 1.0, 1.0]).setting("deviation_pct", 100).judge().assert_pass();
    // What swings anyway is usual.
    load(6.4, &[1.0, 0.1, 9.0, 1.0]).judge().assert_pass();
    // Twice as much of nearly nothing is nothing.
    load(0.2, &[0.02, 0.02, 0.02]).judge().assert_pass();
}

#[test]
fn three_samples_teach_what_is_usual() {
    let young = load(4.0, &[1.0, 1.0]).judge();
    young.assert_undecided(Outcome::NotEvaluated);
    let measured: Vec<_> = young.measures().iter().map(|one| (one.series.as_str(), one.value)).collect();
    assert_eq!(measured, [("appliance.performance.value.cpu-load.the tanium server.all cpus", 1.0)]);
}

#[test]
fn performance_is_watched_on_request_and_on_appliances() {
    load(4.0, &[1.0; 3]).setting("performance", false).judge().assert_undecided(Outcome::NotApplicable);
    load(4.0, &[1.0; 3]).setting("appliances", "no").judge().assert_undecided(Outcome::NotApplicable);
    let silent = load(4.0, &[1.0; 3]).body(&CPU_LOAD_INPUT, Body::Samples(Vec::new()));
    silent.judge().assert_undecided(Outcome::NotEvaluated);
}

fn io(written: f64, sums: &[f64], rates: &[f64]) -> Case {
    let name = Some(("name", "Tanium Server"));
    let samples = vec![sample("tanium_process_io_write_bytes_total", name, written)];
    let mut past = weekly(&format!("sum.io-by-process.{SERVER}.tanium server written"), sums);
    past.extend(weekly(&format!("value.io-by-process.{SERVER}.tanium server written"), rates));
    case(&IO_BY_PROCESS, past).body(&IO_INPUT, Body::Samples(samples))
}

#[test]
fn a_counter_is_compared_by_its_rate() {
    let week = 7.0 * 24.0 * 3600.0;
    let usual = [1.0 * MIB; 3];
    io(5.0 * week * MIB, &[4.0 * week * MIB], &usual).judge().assert_pass();
    io(9.0 * week * MIB, &[4.0 * week * MIB], &usual)
        .judge()
        .assert_findings(&["the tanium server: tanium server written"]);
    // The server was started again.
    io(1.0 * week * MIB, &[4.0 * week * MIB], &usual).judge().assert_undecided(Outcome::NotEvaluated);
    let first = io(1.0 * week * MIB, &[], &[]).judge();
    first.assert_undecided(Outcome::NotEvaluated);
    assert_eq!(first.measures().len(), 1, "the sum is kept for the next run");
    assert_eq!(first.measures()[0].unit, "bytes", "a sum is no rate");
}

#[test]
fn memory_and_swap_are_shares() {
    let samples = |used: f64| {
        Body::Samples(vec![
            sample("tanium_system_memory_used_bytes", None, used),
            sample("tanium_system_memory_available_bytes", None, 100.0 - used),
        ])
    };
    let past = || weekly(&format!("value.memory-utilization.{SERVER}.memory"), &[40.0, 41.0, 40.0]);
    case(&MEMORY_UTILIZATION, past()).body(&MEMORY_UTILIZATION_INPUT, samples(55.0)).judge().assert_pass();
    let high = case(&MEMORY_UTILIZATION, past()).body(&MEMORY_UTILIZATION_INPUT, samples(70.0));
    high.judge().assert_findings(&["the tanium server: memory"]);

    let swap = |used: f64, size: f64| {
        let total = Some(("name", "_Total"));
        let samples = vec![
            sample("tanium_system_pagefile_used_bytes", total, used),
            sample("tanium_system_pagefile_size_bytes", total, size),
        ];
        case(&SWAP, weekly(&format!("value.swap-usage.{SERVER}.swap space"), &[1.0; 3]))
            .body(&SWAP_INPUT, Body::Samples(samples))
            .judge()
    };
    swap(1.0, 100.0).assert_pass();
    swap(60.0, 100.0).assert_findings(&["the tanium server: swap space"]);
    swap(0.0, 0.0).assert_undecided(Outcome::NotApplicable);
}

#[test]
fn paging_counts_growth_alone() {
    let judge = |used: f64| {
        let samples = vec![sample("tanium_system_pagefile_used_bytes", Some(("name", "_Total")), used)];
        let mut past = weekly(&format!("sum.memory-paging.{SERVER}.page file"), &[1000.0 * MIB]);
        past.extend(weekly(&format!("value.memory-paging.{SERVER}.page file"), &[0.0; 3]));
        case(&MEMORY_PAGING, past).body(&MEMORY_PAGING_INPUT, Body::Samples(samples)).judge()
    };
    judge(900.0 * MIB).assert_pass();
    judge(90_000.0 * MIB).assert_findings(&["the tanium server: page file"]);
}

#[test]
fn interfaces_are_told_apart_and_tunnels_left_out() {
    let family = "tanium_system_network_recv_bytes_total";
    let samples = ["eth0", "isatap.example.com"].map(|name| sample(family, Some(("name", name)), 9e15));
    let mut past = Vec::new();
    for name in ["eth0", "isatap.example.com"] {
        past.extend(weekly(&format!("sum.network-io.{SERVER}.{name} received"), &[0.0]));
        past.extend(weekly(&format!("value.network-io.{SERVER}.{name} received"), &[5.0 * MIB; 3]));
    }
    let case = case(&NETWORK_IO, past).body(&NETWORK_IO_INPUT, Body::Samples(samples.to_vec()));
    case.judge().assert_findings(&["the tanium server: eth0 received"]);
}

#[test]
fn processes_have_memory_and_cpu() {
    let name = |kind| {
        std::collections::BTreeMap::from([
            ("name".to_owned(), "Tanium Server".to_owned()),
            ("type".to_owned(), String::from(kind)),
        ])
    };
    let cpu = |kind, value| Sample {
        name: "tanium_process_cpu_seconds_total".to_owned(),
        labels: name(kind),
        value,
    };
    let week = 7.0 * 24.0 * 3600.0;
    let judge = |resident: f64, kernel: f64| {
        let memory =
            sample("tanium_process_memory_resident_bytes", Some(("name", "Tanium Server")), resident);
        let mut past = weekly(&format!("sum.process-detail.{SERVER}.tanium server cpu"), &[0.0]);
        past.extend(weekly(&format!("value.process-detail.{SERVER}.tanium server cpu"), &[1.0; 3]));
        past.extend(weekly(
            &format!("value.process-detail.{SERVER}.tanium server memory"),
            &[1000.0 * MIB; 3],
        ));
        case(&PROCESS_DETAIL, past)
            .body(
                &PROCESSES_INPUT,
                Body::Samples(vec![memory, cpu("kernel", kernel), cpu("user", 0.5 * week)]),
            )
            .judge()
    };
    judge(1000.0 * MIB, 0.5 * week).assert_pass();
    judge(2000.0 * MIB, 0.5 * week).assert_findings(&["the tanium server: tanium server memory"]);
    judge(1000.0 * MIB, 1.5 * week).assert_findings(&["the tanium server: tanium server cpu"]);
}

#[test]
fn a_counter_that_began_anew_is_a_remark_beside_what_is_known() {
    let name = Some(("name", "Tanium Server"));
    let samples = vec![
        sample("tanium_process_memory_resident_bytes", name, 1000.0 * MIB),
        sample("tanium_process_cpu_seconds_total", name, 60.0),
    ];
    let mut past = weekly(&format!("sum.process-detail.{SERVER}.tanium server cpu"), &[9e9]);
    past.extend(weekly(&format!("value.process-detail.{SERVER}.tanium server memory"), &[1000.0 * MIB; 3]));
    let verdict = case(&PROCESS_DETAIL, past).body(&PROCESSES_INPUT, Body::Samples(samples)).judge();
    verdict.assert_pass();
    assert!(verdict.notes()[0].contains("began anew"), "{:?}", verdict.notes());
}

fn pasted(share: f64, sampled: &str, past: &[f64]) -> Case {
    let row = |value: f64| {
        json!({"appliance": "ts1", "command": "perf-top", "sampled_at": sampled, "metric": "overhead",
               "subject": "hash_lookup", "value": value.to_string(), "unit": "%"})
    };
    let rows: Vec<Value> = [share - 1.0, share, share + 50.0].map(row).into();
    case(&CPU_BY_FUNCTION, weekly("value.cpu-by-function.ts1.hash_lookup overhead", past))
        .rows(&FUNCTIONS_INPUT, json!(rows))
}

#[test]
fn pasted_output_is_judged_by_the_median_of_its_samples() {
    pasted(10.0, "2026-06-30T10:00:00Z", &[9.0, 10.0, 11.0]).judge().assert_pass();
    pasted(30.0, "2026-06-30T10:00:00Z", &[9.0, 10.0, 11.0])
        .judge()
        .assert_findings(&["ts1: hash_lookup overhead"]);
    pasted(10.0, "2026-04-30T10:00:00Z", &[9.0; 3]).judge().assert_undecided(Outcome::NotEvaluated);
    // The same output as last week is no new sample.
    let again = pasted(10.0, "2026-06-20T10:00:00Z", &[10.0, 10.0, 10.0]).judge();
    assert_eq!(again.measures().len(), 0);
    again.assert_undecided(Outcome::NotEvaluated);
}

#[test]
fn pasted_output_of_another_form_decides_nothing() {
    let row = |command: &str, metric: &str| json!([{"appliance": "ts1", "command": command, "sampled_at": "2026-06-30", "metric": metric, "value": "1"}]);
    let judge = |rows: Value| case(&SWAP, Vec::new()).rows(&SWAP_INPUT, rows).judge();
    let odd = judge(row("sar", "%swpused"));
    odd.assert_undecided(Outcome::NotEvaluated);
    assert!(odd.undecided().is_some_and(|why| why.reason.starts_with("format not recognised")));
    judge(row("sar", "cpu-load")).assert_undecided(Outcome::NotEvaluated);
    judge(row("iotop", "read")).assert_undecided(Outcome::NotEvaluated);
    assert_eq!(judge(row("sar", "swap-usage")).measures().len(), 1);
}
