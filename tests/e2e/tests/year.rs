//! A simulated year: 52 weekly runs of what is due, with trouble that comes and goes, and a person who is late. What the
//! calendar asks for and what each week finds is known beforehand.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tancheck_e2e::Machine;
use tancheck_lab::Lab;

/// A Monday.
const BEGIN: &str = "2026-01-05";
const WEEKS: i32 = 52;

/// What people look at in this year, with the months of its period; none: every week.
const LOOKED_AT: [(&str, Option<i32>); 4] = [
    ("connect.destination-certificate", Some(1)),
    ("connect.owner-active", Some(1)),
    ("subnets.lost-subnets", None),
    ("subnets.new-subnets", None),
];

/// What only a person does, every 90 days.
const TASK: &str = "connect.failed-report-routed";
const DAYS: i32 = 90;

/// Trouble, in which weeks it is there, and the check that finds it.
const EVENTS: [(&str, std::ops::Range<i32>, &str); 3] = [
    ("owner-deleted", 9..20, "connect.owner-active"),
    ("destination-certificate-expired", 24..31, "connect.destination-certificate"),
    ("subnet-silent", 38..42, "subnets.lost-subnets"),
];

/// A subnet that nobody knows appears in this week, and stays.
const GROWTH: i32 = 5;

/// The weeks in which the person attests: in time, in the days of grace, and far too late.
const ATTESTED: [i32; 4] = [2, 15, 30, 48];

fn monday(week: i32) -> Date {
    BEGIN.parse::<Date>().unwrap().checked_add(Span::new().weeks(week)).unwrap()
}

fn noon(date: Date) -> Timestamp {
    date.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// The calendar by hand: the day each check was looked at last.
#[derive(Default)]
struct Expected {
    looked_at: BTreeMap<&'static str, Date>,
    attested: Option<Date>,
}

impl Expected {
    /// What a run of what is due looks at on a day.
    fn due(&mut self, today: Date) -> Vec<&'static str> {
        let mut due = Vec::new();
        for (check, months) in LOOKED_AT {
            let span = months.map_or(Span::new().days(7), |months| Span::new().months(months));
            let next = self.looked_at.get(check).map(|last| last.checked_add(span).unwrap());
            if next.is_none_or(|next| next <= today) {
                due.push(check);
                self.looked_at.insert(check, today);
            }
        }
        due
    }

    /// Where the task of the person stands.
    fn task(&self, today: Date) -> &'static str {
        let Some(last) = self.attested else { return "overdue" };
        let due = last.checked_add(Span::new().days(DAYS)).unwrap();
        let grace = due.checked_add(Span::new().days(14)).unwrap();
        let soon = due.checked_sub(Span::new().days(7)).unwrap();
        match today {
            today if today > grace => "overdue",
            today if today >= due => "due",
            today if today >= soon => "soon",
            _ => "done",
        }
    }
}

fn ids(run: &Value) -> Vec<String> {
    let checks = run["checks"].as_array().unwrap();
    checks.iter().map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_week_of_a_year_is_as_the_calendar_says() {
    let lab = Lab::builder().endpoints(1000).now(noon(monday(0))).question_ms(1..=1).start().unwrap();
    let machine = Machine::with(&["tancheck-connect", "tancheck-subnets"]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    let mut expected = Expected::default();
    let mut overdue_weeks = 0;
    for week in 0..WEEKS {
        let today = monday(week);
        let now = noon(today).to_string();
        lab.clear_faults();
        let active: Vec<_> = EVENTS.iter().filter(|(_, weeks, _)| weeks.contains(&week)).collect();
        active.iter().for_each(|(fault, ..)| lab.inject(fault).unwrap());
        if week >= GROWTH {
            lab.inject("new-subnet").unwrap();
        }

        // What is looked at.
        let mut arguments = vec!["run", "--due", "--now", &now, "-o", "json", "--fail-on", "never"];
        LOOKED_AT.iter().for_each(|(check, _)| arguments.extend(["--check", check]));
        let run = machine.run(&arguments).json();
        assert_eq!(ids(&run), expected.due(today), "week {week}, {today}");

        // What is found.
        for check in run["checks"].as_array().unwrap() {
            let id = check["id"].as_str().unwrap();
            let found = check["outcome"] == "finding";
            let is_there = match id {
                // New for a week, then known.
                "subnets.new-subnets" => week == GROWTH,
                _ => active.iter().any(|(.., of)| *of == id),
            };
            // The first weeks of a memory that is empty decide nothing about subnets.
            let is_too_early = id.starts_with("subnets.") && week == 0;
            assert!(found == is_there || is_too_early, "week {week}: {check:#}");
        }

        // What the person owes, before and after it is done.
        let state = |machine: &Machine| {
            let due =
                machine.run(&["due", "--all", "--now", &now, "-o", "json", "--module", "connect"]).json();
            let tasks = due["tasks"].as_array().unwrap();
            tasks.iter().find(|task| task["task"] == TASK).unwrap()["state"].as_str().unwrap().to_owned()
        };
        let before = state(&machine);
        assert_eq!(before, expected.task(today), "week {week}");
        overdue_weeks += i32::from(before == "overdue");
        if ATTESTED.contains(&week) {
            let _ = machine.run(&["attest", TASK, "--result", "done", "--by", "ann", "--now", &now]).exits(0);
            expected.attested = Some(today);
            assert_eq!(state(&machine), "done", "week {week}");
        }
        lab.advance(Duration::from_secs(7 * 24 * 3600));
    }
    assert!(overdue_weeks > 3, "the late ones were told: {overdue_weeks}");

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
