//! What was done in a period: of the tasks that had to be, those that were never overdue.

use super::period::Period;
use super::rhythm::{Every, Rhythm};
use jiff::Span;
use jiff::civil::Date;
use serde::Serialize;

/// One task, looked back on.
#[derive(Clone, Debug)]
pub struct Record {
    /// The check.
    pub task: String,
    /// The cadence that it goes by.
    pub cadence: &'static str,
    /// How often it had to be done.
    pub rhythm: Rhythm,
    /// The days on which it was done, in order; those before the period as well.
    pub done: Vec<Date>,
    /// The day of the first run or word of the site: nothing was due before.
    pub since: Date,
}

/// How much of a period was covered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Coverage {
    /// The period.
    pub period: String,
    /// Its first day.
    pub from: String,
    /// Its last day, or today.
    pub to: String,
    /// Tasks that were never overdue in it.
    pub covered: u64,
    /// Tasks that had to be done or were done in it.
    pub tasks: u64,
    /// The same by cadence, the shortest first.
    pub cadences: Vec<OfCadence>,
    /// Tasks that were overdue, with how often they were missed; the most often missed first.
    pub missed: Vec<Missed>,
}

/// The tasks of one cadence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct OfCadence {
    /// The cadence.
    pub cadence: String,
    /// Tasks that were never overdue.
    pub covered: u64,
    /// Tasks that had to be done or were done.
    pub tasks: u64,
}

/// A task that was overdue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Missed {
    /// The check.
    pub task: String,
    /// How many times it came due and was not done in time.
    pub times: u64,
    /// How often it was done.
    pub done: u64,
}

/// What became of one task in a period; `None` where it neither had to be done nor was.
fn look_back(record: &Record, from: Date, to: Date) -> Option<(u64, u64)> {
    let begin = from.max(record.since);
    let done = record.done.iter().filter(|day| (from..=to).contains(*day)).count() as u64;
    let last = record.done.iter().rev().find(|day| **day < begin).copied();
    let mut due = match last {
        Some(day) => record.rhythm.after(day),
        None => Some(begin),
    };
    let mut coming = record.done.iter().copied().filter(|day| *day >= begin && *day <= to).peekable();
    let (mut missed, mut was_due) = (0, false);
    while let Some(day) = due.filter(|day| *day <= to) {
        was_due = true;
        let last_day = record.rhythm.last_day(day);
        match coming.peek() {
            Some(next) if *next <= last_day => {
                due = record.rhythm.after(*next);
                coming.next();
            }
            // What is still in its days of grace is not missed, unless it was never done at all.
            None if last_day >= to => {
                missed += u64::from(record.done.is_empty());
                break;
            }
            _ => {
                missed += u64::from(last_day >= from);
                due = record.rhythm.after(day);
            }
        }
    }
    (was_due || done > 0).then_some((missed, done))
}

/// Looks back on a period, until today.
#[must_use]
pub fn of(period: &Period, records: &[Record], today: Date) -> Coverage {
    let to = period.to.min(today);
    let mut coverage = Coverage {
        period: period.name.clone(),
        from: period.from.to_string(),
        to: to.to_string(),
        ..Coverage::default()
    };
    for record in records {
        if matches!(record.rhythm.every, Every::Event | Every::Once) || record.since > to {
            continue;
        }
        let Some((missed, done)) = look_back(record, period.from, to) else { continue };
        let of_cadence = match coverage.cadences.iter_mut().find(|one| one.cadence == record.cadence) {
            Some(found) => found,
            None => {
                let cadence = record.cadence.to_owned();
                coverage.cadences.push(OfCadence { cadence, covered: 0, tasks: 0 });
                coverage.cadences.last_mut().expect("one was just added")
            }
        };
        of_cadence.tasks += 1;
        of_cadence.covered += u64::from(missed == 0);
        if missed > 0 {
            coverage.missed.push(Missed { task: record.task.clone(), times: missed, done });
        }
    }
    let order = |name: &str| tancheck_plugin_api::Cadence::ALL.iter().position(|one| one.name() == name);
    coverage.cadences.sort_by_key(|one| order(&one.cadence));
    coverage.tasks = coverage.cadences.iter().map(|one| one.tasks).sum();
    coverage.covered = coverage.cadences.iter().map(|one| one.covered).sum();
    coverage
        .missed
        .sort_by(|left, right| right.times.cmp(&left.times).then_with(|| left.task.cmp(&right.task)));
    coverage
}

/// The day before which nothing has to be known to look back on a period: the longest task was done once before it.
#[must_use]
pub fn horizon(period: &Period) -> Date {
    period.from.checked_sub(Span::new().days(800)).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::Cadence;

    fn record(task: &str, cadence: Cadence, done: &[&str]) -> Record {
        Record {
            task: task.to_owned(),
            cadence: cadence.name(),
            rhythm: Rhythm::every(Every::of(cadence)),
            done: done.iter().map(|day| day.parse().unwrap()).collect(),
            since: "2026-01-05".parse().unwrap(),
        }
    }

    fn quarter(records: &[Record], today: &str) -> Coverage {
        of(&Period::read("2026-Q3").unwrap(), records, today.parse().unwrap())
    }

    #[test]
    fn a_task_is_covered_when_it_was_never_overdue() {
        let coverage = quarter(
            &[
                record("a.in-time", Cadence::Quarterly, &["2026-04-10", "2026-07-20"]),
                record("a.late", Cadence::Quarterly, &["2026-04-10", "2026-08-20"]),
                record("a.never", Cadence::Quarterly, &[]),
                record("a.not-its-turn", Cadence::Annual, &["2026-03-01"]),
                record("a.its-turn", Cadence::Annual, &["2025-08-01", "2026-08-03"]),
                record("a.once", Cadence::Setup, &[]),
            ],
            "2026-12-01",
        );
        assert_eq!((coverage.covered, coverage.tasks), (2, 4));
        let missed: Vec<&str> = coverage.missed.iter().map(|one| one.task.as_str()).collect();
        assert_eq!(missed, ["a.late", "a.never"]);
        assert_eq!(coverage.cadences.len(), 2);
    }

    #[test]
    fn who_looks_more_often_than_asked_is_covered() {
        let days: Vec<String> = (1..=31).map(|day| format!("2026-07-{day:02}")).collect();
        let days: Vec<&str> = days.iter().map(String::as_str).collect();
        let coverage = quarter(&[record("a.daily", Cadence::Weekly, &days)], "2026-07-31");
        assert_eq!((coverage.covered, coverage.tasks), (1, 1));
    }

    #[test]
    fn each_time_that_was_missed_counts_once() {
        // Due on 07-08, 07-15, 07-22 and 07-29, with two days of grace.
        let coverage =
            quarter(&[record("a.weekly", Cadence::Weekly, &["2026-07-01", "2026-07-28"])], "2026-08-01");
        assert_eq!(coverage.missed, [Missed { task: "a.weekly".to_owned(), times: 3, done: 2 }]);
    }

    #[test]
    fn what_is_not_over_is_not_missed_and_nothing_was_due_before_the_site_began() {
        let in_grace = record("a.weekly", Cadence::Weekly, &["2026-07-01"]);
        let covered = |record: &Record, today| quarter(std::slice::from_ref(record), today).covered;
        assert_eq!((covered(&in_grace, "2026-07-10"), covered(&in_grace, "2026-07-11")), (1, 0));
        let mut later = record("a.later", Cadence::Weekly, &["2026-09-29"]);
        later.since = "2026-09-28".parse().unwrap();
        assert_eq!(covered(&later, "2026-10-30"), 1);
        later.done.clear();
        assert_eq!(covered(&later, "2026-09-29"), 0, "never done is never covered");
        later.since = "2026-10-02".parse().unwrap();
        assert_eq!(quarter(&[later], "2026-10-30").tasks, 0);
    }
}
