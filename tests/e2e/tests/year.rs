//! A simulated year: 52 weekly runs of what is due, with a deployment that grows, trouble that comes and goes, and a
//! person who is late. What the calendar asks for and what each week finds is known beforehand.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

/// A Monday.
const BEGIN: &str = "2026-01-05";
const WEEKS: i32 = 52;

const HIGH: &str = "client-management.endpoint-count-high";
const RECORDED: &str = "client-management.endpoint-count-recorded";
const EXCEEDED: &str = "client-management.license-exceeded";
const HEADROOM: &str = "client-management.license-headroom";
const CERTIFICATE: &str = "connect.destination-certificate";
const OWNER: &str = "connect.owner-active";
const LOST: &str = "subnets.lost-subnets";
const NEW: &str = "subnets.new-subnets";

/// What is looked at in this year, with the months of its period; none: every week.
const LOOKED_AT: [(&str, Option<i32>); 8] = [
    (HIGH, None),
    (RECORDED, None),
    (EXCEEDED, None),
    (HEADROOM, None),
    (CERTIFICATE, Some(1)),
    (OWNER, Some(1)),
    (LOST, None),
    (NEW, None),
];

/// What only a person does, every 90 days.
const TASK: &str = "connect.failed-report-routed";
const DAYS: i32 = 90;

/// Trouble, and in which weeks it is there.
const EVENTS: [(&str, Range<i32>); 4] = [
    ("new-subnet", 5..WEEKS),
    ("owner-deleted", 9..20),
    ("destination-certificate-expired", 24..31),
    ("subnet-silent", 38..42),
];

/// So many endpoints there are at first, and so many are licensed.
const ENDPOINTS: u64 = 450;
const LICENSED: u64 = 600;
/// So many more there are each week, for this many weeks; and in one week a whole company joins.
const JOIN: u64 = 6;
const GROWS: i32 = 15;
const MERGER: (i32, u64) = (30, 66);

/// What is found, by which check, and in which weeks.
const FOUND: [(&str, Range<i32>); 8] = [
    // A jump is one until the median of eight weeks has followed.
    (HIGH, 30..34),
    // 606 of 600.
    (EXCEEDED, 30..WEEKS),
    // In week 13 there is room for 84 days of growth, and from week 15 on nine tenths are in use.
    (HEADROOM, 13..WEEKS),
    // These two are looked at once a month: what happens between is seen later, and is fixed later.
    (CERTIFICATE, 24..31),
    (OWNER, 9..20),
    (LOST, 38..42),
    // New for a week, then known; growth fills two networks and begins a third.
    (NEW, 5..6),
    (NEW, 11..12),
];

/// Weeks in which the history is too short for a check.
const TOO_SHORT: [(&str, Range<i32>); 3] = [(HIGH, 0..3), (LOST, 0..1), (NEW, 0..1)];

/// The weeks in which the person attests: in time, in the days of grace, and far too late.
const ATTESTED: [i32; 4] = [2, 15, 29, 48];

fn monday(week: i32) -> Date {
    BEGIN.parse::<Date>().unwrap().checked_add(Span::new().weeks(week)).unwrap()
}

fn noon(date: Date) -> Timestamp {
    date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// When something was done last, and how often it has to be.
fn state_of(last: Option<Date>, period: Span, grace: i32, today: Date) -> &'static str {
    let Some(due) = last.map(|last| last.checked_add(period).unwrap()) else { return "overdue" };
    match today {
        today if today > due.checked_add(Span::new().days(grace)).unwrap() => "overdue",
        today if today >= due => "due",
        today if today >= due.checked_sub(Span::new().days(7)).unwrap() => "soon",
        _ => "done",
    }
}

/// The calendar by hand: the day on which each task was done last.
#[derive(Default)]
struct Expected {
    done: BTreeMap<&'static str, Date>,
}

impl Expected {
    /// What a run of what is due looks at on a day.
    fn run(&mut self, today: Date) -> Vec<&'static str> {
        let is_due = |check: &&str| matches!(self.state(check, today), "due" | "overdue");
        let due: Vec<_> = LOOKED_AT.iter().map(|(check, _)| *check).filter(is_due).collect();
        self.done.extend(due.iter().map(|check| (*check, today)));
        due
    }

    /// Where a task stands.
    fn state(&self, task: &str, today: Date) -> &'static str {
        let last = self.done.get(task).copied();
        match LOOKED_AT.iter().find(|(check, _)| *check == task) {
            None => state_of(last, Span::new().days(DAYS), 14, today),
            Some((_, None)) => state_of(last, Span::new().days(7), 2, today),
            Some((_, Some(months))) => state_of(last, Span::new().months(*months), 7, today),
        }
    }
}

/// What a check comes to in a week.
fn outcome(check: &str, week: i32) -> &'static str {
    let is_in =
        |weeks: &[(&str, Range<i32>)]| weeks.iter().any(|(id, at)| *id == check && at.contains(&week));
    match (is_in(&TOO_SHORT), is_in(&FOUND)) {
        (true, _) => "not-evaluated",
        (false, true) => "finding",
        (false, false) => "pass",
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// What a week did to the deployment.
fn happen(lab: &Lab, week: i32) {
    lab.clear_faults();
    for (fault, weeks) in EVENTS {
        if weeks.contains(&week) {
            lab.inject(fault).unwrap();
        }
    }
    if (1..=GROWS).contains(&week) {
        lab.join(JOIN);
    }
    if week == MERGER.0 {
        lab.join(MERGER.1);
    }
}

/// Compares the findings of a week with what is expected; `open` are the checks whose last look found something.
fn compare(run: &Value, week: i32, open: &mut BTreeMap<String, i32>) {
    for check in run["checks"].as_array().unwrap() {
        let id = text(check, "id");
        let expected = outcome(id, week);
        assert_eq!(text(check, "outcome"), expected, "week {week}: {check:#}");
        let reason = text(check, "reason");
        assert!(expected != "not-evaluated" || !reason.is_empty(), "week {week}: {check:#}");
        let fixed = run["changes"]["fixed"].as_array().unwrap();
        let is_fixed = fixed.iter().any(|one| one["check"] == id);
        if expected != "finding" {
            assert_eq!(is_fixed, open.remove(id).is_some(), "week {week}: {id} {:#}", run["changes"]);
            continue;
        }
        let first = *open.entry(id.to_owned()).or_insert(week);
        for finding in check["findings"].as_array().unwrap() {
            assert_eq!(text(finding, "change") == "new", first == week, "week {week}: {finding:#}");
            assert_eq!(text(finding, "first_seen"), noon(monday(first)).to_string(), "week {week}");
        }
    }
}

/// What the growth checks say, and what the series says of the same.
fn growth(machine: &Machine, run: &Value, week: i32) {
    let says = |id: &str| {
        let check = run["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap();
        text(&check["findings"][0], "says").to_owned()
    };
    let trend = || machine.run(&["trend", "client-management.license-use", "-o", "json"]).exits(0).json();
    match week {
        13 => {
            let soon = "is used up in 84 days if the count of 528 goes on growing by 6.0 a week";
            assert_eq!(says(HEADROOM), soon);
            let trend = trend();
            assert!((trend["weekly_growth"].as_f64().unwrap() - JOIN as f64).abs() < 1e-6, "{trend:#}");
            assert_eq!(trend["bound"].as_f64(), Some(LICENSED as f64));
            let in_84_days = monday(week).checked_add(Span::new().days(84)).unwrap().to_string();
            assert!(text(&trend, "reaches_bound").starts_with(&in_84_days), "{trend:#}");
        }
        30 => {
            assert_eq!(says(HIGH), "is 606 by the server's client count");
            assert_eq!(says(EXCEEDED), "is licensed for 600 endpoints, 606 are counted");
        }
        51 => {
            let trend = trend();
            let buckets = trend["buckets"].as_array().unwrap();
            let counts: Vec<u64> = buckets.iter().map(|one| one["value"].as_f64().unwrap() as u64).collect();
            let count = |week: i32| {
                let merged = if week >= MERGER.0 { MERGER.1 } else { 0 };
                ENDPOINTS + JOIN * week.min(GROWS).unsigned_abs() as u64 + merged
            };
            assert_eq!((text(&trend, "every"), counts), ("week", (0..WEEKS).map(count).collect()));
        }
        _ => {}
    }
}

#[test]
fn every_week_of_a_year_is_as_the_calendar_says() {
    let lab = Lab::builder().endpoints(ENDPOINTS).now(noon(monday(0))).question_ms(1..=1).start().unwrap();
    let machine = Machine::with(&["tancheck-client-management", "tancheck-connect", "tancheck-subnets"]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    let mut expected = Expected::default();
    let mut open = BTreeMap::new();
    let mut overdue = Vec::new();
    for week in 0..WEEKS {
        let today = monday(week);
        let now = noon(today).to_string();
        happen(&lab, week);

        // What is looked at, and what is found.
        let mut arguments = vec!["run", "--due", "--now", &now, "-o", "json", "--fail-on", "never"];
        LOOKED_AT.iter().for_each(|(check, _)| arguments.extend(["--check", check]));
        let run = machine.run(&arguments).json();
        let looked_at: Vec<&str> =
            run["checks"].as_array().unwrap().iter().map(|check| text(check, "id")).collect();
        assert_eq!(looked_at, expected.run(today), "week {week}, {today}");
        compare(&run, week, &mut open);
        growth(&machine, &run, week);

        // Where each task stands then, and what the person owes before and after it is done.
        let stands = |expected: &Expected| {
            let due = machine.run(&["due", "--all", "--now", &now, "-o", "json"]).exits(0).json();
            let tasks = due["tasks"].as_array().unwrap();
            let state = |id: &str| text(tasks.iter().find(|task| task["task"] == id).unwrap(), "state");
            for id in LOOKED_AT.iter().map(|(check, _)| *check).chain([TASK]) {
                // What was looked at and not decided is not done.
                let is_open = outcome(id, week) == "not-evaluated";
                let should = if is_open { "overdue" } else { expected.state(id, today) };
                assert_eq!(state(id), should, "week {week}: {id}");
            }
            state(TASK) == "overdue"
        };
        if stands(&expected) {
            overdue.push(week);
        }
        if ATTESTED.contains(&week) {
            let _ = machine.run(&["attest", TASK, "--result", "done", "--by", "ann", "--now", &now]).exits(0);
            expected.done.insert(TASK, today);
            assert!(!stands(&expected), "week {week}");
        }
        lab.advance(Duration::from_secs(7 * 24 * 3600));
    }
    // Before the first time, and after the days of grace that followed the third.
    assert_eq!(overdue, [0, 1, 2, 44, 45, 46, 47, 48]);

    // Looking back: the person was in grace in the second quarter and late in the last, and the runs were never late.
    let covered = |period: &str| {
        let back = ["due", "--period", period, "--now", "2026-12-31", "-o", "json"];
        machine.run(&back).exits(0).json()["coverage"].clone()
    };
    let missed = |coverage: &Value, id: &str| {
        coverage["missed"].as_array().unwrap().iter().any(|one| one["task"] == id)
    };
    let (second, fourth) = (covered("2026-Q2"), covered("2026-Q4"));
    assert!(!missed(&second, TASK) && missed(&fourth, TASK), "{second:#} {fourth:#}");
    for (check, _) in LOOKED_AT {
        assert!(!missed(&second, check) && !missed(&fourth, check), "{check}: {second:#} {fourth:#}");
    }
}
