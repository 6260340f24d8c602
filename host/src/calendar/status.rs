//! Where one task stands today: what is known about it becomes one state.

use super::rhythm::Every;
use super::task::Task;
use super::{date_of, days, days_between};
use crate::run::attested::{self, Attestation, Verdict};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use tancheck_plugin_api::{Kind, Outcome};

/// Where a task stands. The worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Later than its grace allows, or never done.
    Overdue,
    /// To be done now.
    Due,
    /// In date, and due within the days that the site wants to look ahead.
    Soon,
    /// In date.
    Done,
    /// Done when an event calls for it, and none does.
    Waiting,
    /// Switched off by the site.
    Off,
}

impl State {
    /// Every state, the worst first.
    pub const ALL: [Self; 6] = [Self::Overdue, Self::Due, Self::Soon, Self::Done, Self::Waiting, Self::Off];

    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::Soon => "soon",
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Off => "off",
        }
    }

    /// Whether something has to be done.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Overdue | Self::Due)
    }
}

/// What runs came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The last run that decided the check.
    pub decided: Option<Timestamp>,
    /// The last run that looked at it, and what it came to.
    pub last: Option<(Timestamp, Outcome)>,
}

/// A subject that a check listed in its last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// The state that a confirmation is bound to.
    pub state: Option<String>,
}

/// What is known about a task.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// What runs came to.
    pub looked: Looked,
    /// What people attested, of this task or of all.
    pub words: Vec<&'a Attestation>,
    /// What the check listed last.
    pub items: &'a [Item],
}

/// The day a task was done on, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The day, where the site is.
    pub on: Date,
    /// Who, or what.
    pub by: String,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: State,
    /// The day it comes or came due on; none where it was never done or has no period.
    pub due: Option<Date>,
    /// The last day on which it is not overdue.
    pub last_day: Option<Date>,
    /// When it was done last.
    pub done: Option<Done>,
    /// Whether a person has to do it.
    pub by_hand: bool,
    /// What else is to say.
    pub why: String,
}

/// Who did what a run does.
pub const RUN: &str = "tancheck run";

/// What was done, and when it ends: no end where nothing but an event ends it.
struct Stand {
    done: Option<(Timestamp, String)>,
    due: Option<Date>,
    by_hand: bool,
    why: String,
    /// An event called for it: that is no matter of days of grace.
    is_called: bool,
}

/// Where a task stands at a moment. Tasks that have to be in date for it are not looked at here: see [`renewed`].
#[must_use]
pub fn of(task: &Task<'_>, known: &Known<'_>, soon_days: u32, now: Timestamp, zone: &TimeZone) -> Status {
    let today = date_of(now, zone);
    if let Some(reason) = &task.off {
        let done = None;
        return Status {
            state: State::Off,
            due: None,
            last_day: None,
            done,
            by_hand: false,
            why: reason.clone(),
        };
    }
    let mut stand = stand(task, known, now, zone);
    called_for(task, known, &mut stand, now, zone);
    let rhythm = task.rhythm();
    let last_day = stand.due.map(|due| if stand.is_called { due } else { rhythm.last_day(due) });
    let state = match (stand.due, &stand.done) {
        (Some(_), _) if last_day.is_some_and(|last| last < today) => State::Overdue,
        (Some(due), _) if due <= today => State::Due,
        (Some(due), _) if days_between(today, due) <= i64::from(soon_days) => State::Soon,
        (Some(_), _) => State::Done,
        (None, None) if rhythm.every == Every::Event || waits(task) => State::Waiting,
        (None, None) => State::Overdue,
        (None, Some(_)) => State::Done,
    };
    let why = explained(state, &stand, last_day, today);
    let done = stand.done.map(|(at, by)| Done { on: date_of(at, zone), by });
    Status { state, due: stand.due, last_day, done, by_hand: stand.by_hand, why }
}

/// Whether a task is done only when an event calls for it.
fn waits(task: &Task<'_>) -> bool {
    task.look.every == Every::Event
}

fn stand(task: &Task<'_>, known: &Known<'_>, now: Timestamp, zone: &TimeZone) -> Stand {
    let check = task.check;
    let word = attested::on_check(known.words.iter().copied(), check, now);
    let by_word = word.map(|word| (word, end_of(word, task, zone)));
    if !check.judged {
        return match by_word {
            Some((word, due)) => Stand {
                done: Some((word.at, word.by.clone())),
                due,
                by_hand: true,
                why: String::new(),
                is_called: false,
            },
            None => Stand { done: None, due: None, by_hand: true, why: String::new(), is_called: false },
        };
    }
    if check.kind == Kind::Attested && !known.items.is_empty() {
        return by_items(task, known, now, zone);
    }
    let by_run = known.looked.decided.map(|at| (at, task.look.after(date_of(at, zone))));
    let awaits = matches!(known.looked.last, Some((_, Outcome::AttestationDue)));
    let mut stand = match by_run {
        Some((at, due)) => Stand {
            done: Some((at, RUN.to_owned())),
            due,
            by_hand: false,
            why: undecided(known),
            is_called: false,
        },
        None => Stand { done: None, due: None, by_hand: awaits, why: undecided(known), is_called: false },
    };
    let Some((word, end)) = by_word.filter(|_| check.kind != Kind::Automated) else {
        stand.by_hand |= awaits;
        return stand;
    };
    let is_review = check.kind == Kind::Hybrid && check.due_every.is_some();
    if is_review || known.looked.decided.is_none_or(|at| at < word.at) {
        // A review is good as long as both are: what was seen, and the word about it.
        let both = |left: Option<Date>, right: Option<Date>| [left, right].into_iter().flatten().min();
        let is_first = stand.done.is_none();
        stand.due = if is_review && !is_first { both(stand.due, end) } else { end };
        stand.by_hand = stand.due == end;
        if stand.done.as_ref().is_none_or(|(at, _)| *at < word.at) {
            stand.done = Some((word.at, word.by.clone()));
        }
    }
    stand
}

/// Each subject that the check listed needs a word.
fn by_items(task: &Task<'_>, known: &Known<'_>, now: Timestamp, zone: &TimeZone) -> Stand {
    let today = date_of(now, zone);
    let mut ends: Vec<Option<Date>> = Vec::new();
    let mut last: Option<(Timestamp, String)> = None;
    let mut open = 0;
    for item in known.items {
        let word = attested::on_subject(known.words.iter().copied(), task.check, &[&item.fingerprint], now);
        let is_of_state =
            |word: &&Attestation| word.about.as_ref().is_some_and(|about| about.state == item.state);
        match word.filter(is_of_state) {
            Some(word) => {
                ends.push(end_of(word, task, zone));
                if last.as_ref().is_none_or(|(at, _)| *at < word.at) {
                    last = Some((word.at, word.by.clone()));
                }
            }
            None => open += 1,
        }
    }
    let all = known.items.len();
    let why = if open > 0 { format!("{open} of {all} to be done or confirmed") } else { String::new() };
    let earliest = ends.into_iter().flatten().min();
    // A subject that came to the list after the others were confirmed is due since it was seen.
    let seen = known.looked.last.map(|(at, _)| date_of(at, zone));
    let due = match (open > 0 && last.is_some(), earliest) {
        (true, Some(end)) => Some(end.min(seen.unwrap_or(today))),
        (true, None) => Some(seen.unwrap_or(today)),
        (false, end) => end,
    };
    Stand { done: last, due, by_hand: true, why, is_called: false }
}

/// An event that calls for a task makes it due, until it is done.
fn called_for(task: &Task<'_>, known: &Known<'_>, stand: &mut Stand, now: Timestamp, zone: &TimeZone) {
    let Some(call) = attested::open_call(known.words.iter().copied(), task.check, now) else { return };
    // What a run decided since answers it as well.
    if stand.done.as_ref().is_some_and(|(at, _)| *at > call.at) {
        return;
    }
    let on = date_of(call.at, zone);
    stand.due = Some(stand.due.map_or(on, |due| due.min(on)));
    stand.by_hand = task.check.kind != Kind::Automated;
    stand.is_called = true;
    stand.why = format!("called for by {} on {on}: {}", call.by, call.note);
}

/// The day on which a word comes due.
fn end_of(word: &Attestation, task: &Task<'_>, zone: &TimeZone) -> Option<Date> {
    match word.valid_until {
        Some(end) => Some(date_of(end, zone)),
        None => task.word.after(date_of(word.at, zone)),
    }
}

/// Why the last run came to nothing.
fn undecided(known: &Known<'_>) -> String {
    match known.looked.last {
        Some((_, outcome)) if !outcome.is_decided() && outcome != Outcome::AttestationDue => {
            format!("the last run could not decide: {outcome}")
        }
        _ => String::new(),
    }
}

fn explained(state: State, stand: &Stand, last_day: Option<Date>, today: Date) -> String {
    let late = match (state, stand.due, last_day) {
        (State::Overdue, None, _) if stand.done.is_none() => "never done".to_owned(),
        (State::Overdue, Some(due), _) => format!("{} late", days(days_between(due, today))),
        (State::Due, _, Some(last)) if last > today => format!("in grace until {last}"),
        (State::Soon, Some(due), _) => format!("in {}", days(days_between(today, due))),
        _ => String::new(),
    };
    let parts: Vec<&str> =
        [late.as_str(), stand.why.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

/// What is left of a task that is done, given where the tasks stand that renew it: it stays done only while they are
/// in date.
pub fn renewed(status: &mut Status, renewing: &[(&str, &Status)]) {
    if !matches!(status.state, State::Done | State::Soon) {
        return;
    }
    let late: Vec<&(&str, &Status)> =
        renewing.iter().filter(|(_, other)| other.state == State::Overdue).collect();
    let Some((id, other)) = late.first() else {
        let next = renewing.iter().filter_map(|(_, other)| other.due).min();
        status.due = [status.due, next].into_iter().flatten().min();
        return;
    };
    status.state = State::Overdue;
    status.due = other.due;
    status.last_day = other.last_day;
    status.by_hand = other.by_hand;
    let why = if other.why.is_empty() { String::new() } else { format!(" ({})", other.why) };
    status.why = format!("stays done only while {id} is in date, which is overdue{why}");
}

/// What a person's verdict leaves open, for the calendar: whatever was looked at is done.
#[must_use]
pub const fn is_done(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Done | Verdict::Problem | Verdict::NotApplicable)
}
