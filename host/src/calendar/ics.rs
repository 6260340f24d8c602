//! The calendar as a file for calendars (RFC 5545): one whole-day event for each task, on the day it comes due.

use super::outlook::Row;
use super::status::State;
use icalendar::{Calendar, Component, Event, Property};
use jiff::Timestamp;
use jiff::civil::Date;

/// One event for each task that has a day, or is overdue without one. What is open stands on `today`, because nobody
/// looks at the past of a calendar. A task keeps its id, so that an event moves when its task was done.
#[must_use]
pub fn write(rows: &[Row<'_>], deployment: &str, today: Date, now: Timestamp) -> String {
    let mut calendar = Calendar::new();
    calendar.name(&format!("tancheck {deployment}"));
    for row in rows {
        let day = match (row.status.state, row.status.due) {
            (State::Overdue | State::Due, _) => today,
            (State::Soon | State::Done, Some(due)) => due,
            _ => continue,
        };
        calendar.push(event(row, deployment, day, now));
    }
    calendar.done().to_string()
}

fn event(row: &Row<'_>, deployment: &str, day: Date, now: Timestamp) -> Event {
    let (task, status) = (&row.task, &row.status);
    let late = if status.state == State::Overdue { "overdue: " } else { "" };
    let act = if status.by_hand {
        format!("tancheck attest {}", task.check.id)
    } else {
        format!("tancheck run --check {}", task.check.id)
    };
    let done = match &status.done {
        Some(done) => format!("Last done on {} by {}.", done.on, done.by),
        None => "Never done.".to_owned(),
    };
    let mut lines = vec![task.check.id.clone(), done, act];
    lines.extend((!status.why.is_empty()).then(|| status.why.clone()));
    lines.extend((!task.owners.is_empty()).then(|| format!("Owner: {}", task.owners.join(", "))));
    let mut event = Event::new();
    event
        .uid(&format!("{}@{deployment}.tancheck", task.check.id))
        .append_property(Property::new("DTSTAMP", now.strftime("%Y%m%dT%H%M%SZ").to_string()))
        .summary(&format!("{late}{}", task.check.title))
        .description(&lines.join("\n"));
    let end = day.tomorrow().unwrap_or(day);
    for (name, date) in [("DTSTART", day), ("DTEND", end)] {
        let mut property = Property::new(name, date.strftime("%Y%m%d").to_string());
        event.append_property(property.add_parameter("VALUE", "DATE").done());
    }
    event.add_multi_property("CATEGORIES", task.goes_by().name());
    event.done()
}
