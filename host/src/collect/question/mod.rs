//! Questions: asked, watched until they are answered, counted as the answers arrive.
//!
//! A question takes one place in the schedule's window of questions from the moment it is posted until its end is seen; the
//! rows are read after that. What it needs besides (parsing, groups, rows) are ordinary calls.

mod pace;
mod sample;
mod saved;
mod wording;

pub(super) use sample::VALUES as SAMPLE_VALUES;
pub use sample::{Named, name};
pub use saved::{Saved, saved};

use super::Local;
use super::schedule::{Rank, Schedule};
use super::tally::{self, KEPT_ROWS, ResultSet};
use super::transport::{Call, Problem, Transport};
use crate::config::Config;
use pace::{Next, Pace, Progress};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::Tally;
use tokio::time::{Instant, sleep};

/// Right after a question was asked, its id, or its sensors, may not be known yet everywhere: how long to wait before
/// each further attempt.
const UNKNOWN_YET: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3), Duration::from_secs(5)];

/// What is asked, with all placeholders filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The question's text.
    pub text: String,
    /// The computer group it is limited to; empty: all machines.
    pub group: String,
    /// The follow-up question that names endpoints of a value, with `{value}` in it; empty: none.
    pub sample: String,
}

impl Question {
    /// The same without its follow-up; nothing where it has none.
    #[must_use]
    pub fn alone(&self) -> Option<Self> {
        (!self.sample.is_empty()).then(|| Self { sample: String::new(), ..self.clone() })
    }

    /// Under which it is remembered how long endpoints take to answer it.
    pub(super) fn pace_key(&self) -> String {
        format!("answers to {} | {}", self.text, self.group).trim_end_matches([' ', '|']).to_owned()
    }

    /// Under which it is remembered how long endpoints take to answer one of its follow-ups: by its place, the rarest value
    /// first. None is remembered by its own text: it holds a value that endpoints gave, and there is no end of those.
    pub(super) fn name_key(&self, place: usize) -> String {
        let follow = Self { text: self.sample.clone(), group: self.group.clone(), sample: String::new() };
        format!("{} #{place}", follow.pace_key())
    }

    /// Under which it is remembered how long all its follow-ups take together.
    pub(super) fn names_key(&self) -> String {
        format!("names for {} | {} | {}", self.text, self.group, self.sample)
    }
}

/// What a site allows and demands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Whether questions may be asked.
    pub allowed: bool,
    /// How long one may take.
    pub timeout: Duration,
    /// The share of endpoints that have to answer before the answers are all there is (0 to 1).
    pub complete_share: f64,
}

impl Terms {
    /// As the configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            allowed: config.deployment.questions,
            timeout: config.limits.question_timeout,
            complete_share: config.limits.complete_share,
        }
    }
}

/// When a question may go, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// The windows of the deployment.
    pub schedule: &'a Schedule,
    /// How long questions took in earlier runs ([`Answered::paces`]).
    pub local: &'a dyn Local,
    /// How long the chain that begins with it is expected to take; at least as long as the question itself.
    pub chain: Duration,
}

/// The answers to a question.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Answered {
    /// The counted answers.
    pub tally: Tally,
    /// Why they are not all there is.
    pub gaps: Vec<String>,
    /// How long it took from asking until the end was seen, without waiting for a turn.
    pub seconds: f64,
    /// How long endpoints took to answer each question that was asked, by key; what [`Turn::local`] is to know in the
    /// next run.
    pub paces: Vec<(String, f64)>,
    /// How often the server was asked whether it had finished.
    pub polls: u32,
}

/// Asks a question and counts the answers; names of endpoints are another matter ([`name`]).
///
/// # Errors
/// When questions are not allowed, the server does not understand this one, nobody answered in time, or a request failed.
pub async fn ask<T: Transport>(
    transport: &T,
    question: &Question,
    terms: &Terms,
    turn: &Turn<'_>,
) -> Result<Answered, Problem> {
    if !terms.allowed {
        return Err(Problem::new(
            Outcome::Skipped,
            "questions are switched off (`questions = false` under [deployment], or --no-questions)",
        ));
    }
    let key = question.pace_key();
    let run = answer(transport, question, &key, "", terms, turn).await?;
    if run.set.tally.columns.is_empty() && !run.set.named {
        // What the server does with a question whose sensor it does not know.
        return Err(not_evaluated(format!(
            "the server only counted the machines instead of asking `{}`; look whether all its sensors exist",
            question.text
        )));
    }
    Ok(Answered {
        gaps: run.gaps(terms),
        seconds: run.seconds,
        paces: vec![(key, run.pace)],
        polls: run.polls,
        tally: run.set.tally,
    })
}

/// What came of one posted question.
struct Run {
    set: ResultSet,
    end: End,
    seconds: f64,
    pace: f64,
    polls: u32,
}

/// How the watching of a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    Still,
    TimedOut,
}

/// Words a question while it waits for its turn, posts it, watches it at the pace that is remembered under `key`, reads its
/// rows (`query` chooses some of them).
async fn answer<T: Transport>(
    transport: &T,
    question: &Question,
    key: &str,
    query: &str,
    terms: &Terms,
    turn: &Turn<'_>,
) -> Result<Run, Problem> {
    #[derive(Deserialize)]
    struct Asked {
        id: u64,
    }
    let wording = wording::body(transport, &question.text, &question.group);
    let turns = turn.schedule.questions.enter(Rank::chain(turn.chain));
    let (body, permit) = tokio::try_join!(wording, async { Ok(turns.await) })?;
    let begin = Instant::now();
    let asked: Asked = read(transport, &Call::post("/api/v2/questions", body)).await?;
    let route = format!("question/{}", asked.id);
    let known = turn.local.expected_seconds(key);
    let mut pace = Pace::new(known, terms.complete_share);
    let watched = watch(transport, &route, &mut pace, begin, terms.timeout).await?;
    drop(permit);
    if watched.progress.answered == 0 {
        return Err(nobody(&watched, terms));
    }
    let path = format!("/api/v2/result_data/{route}{query}");
    let mut set = result_set(transport, &Call::get(path)).await?;
    // Without these counters the rows would count as complete, or as nobody's.
    set.tally.answered = set.tally.answered.max(watched.progress.answered);
    set.tally.expected = set.tally.expected.max(watched.progress.expected);
    Ok(Run { set, end: watched.end, seconds: watched.seconds, pace: watched.pace, polls: watched.polls })
}

fn nobody(watched: &Watched, terms: &Terms) -> Problem {
    match watched.end {
        End::TimedOut => Problem::new(
            Outcome::TimedOut,
            format!(
                "no endpoint answered the question within {} s (question_timeout)",
                terms.timeout.as_secs()
            ),
        ),
        _ if watched.progress.expected == 0 => {
            not_evaluated("the server expects no endpoint to answer the question".to_owned())
        }
        _ => not_evaluated(format!("none of {} endpoints answered the question", watched.progress.expected)),
    }
}

impl Run {
    fn gaps(&self, terms: &Terms) -> Vec<String> {
        let tally = &self.set.tally;
        let mut gaps: Vec<String> = share_gap(tally, terms.complete_share).into_iter().collect();
        if self.end == End::TimedOut && gaps.is_empty() {
            gaps.push(format!(
                "the question was still running after {} s (question_timeout)",
                terms.timeout.as_secs()
            ));
        }
        gaps.extend(rows_gaps(&self.set));
        gaps
    }
}

/// "answered by 62 % of endpoints", where that is too few.
fn share_gap(tally: &Tally, complete_share: f64) -> Option<String> {
    let progress = Progress { answered: tally.answered, expected: tally.expected };
    let Some(share) = progress.share() else {
        return Some("the server does not say how many endpoints were to answer".to_owned());
    };
    (share < complete_share).then(|| {
        format!(
            "answered by {:.0} % of endpoints ({} of {}; limit {:.0} %)",
            (share * 100.0).floor(),
            tally.answered,
            tally.expected,
            complete_share * 100.0
        )
    })
}

/// Answers that were not seen, for whatever reason: among them may be the one that matters.
fn rows_gaps(set: &ResultSet) -> Vec<String> {
    let mut gaps = Vec::new();
    if set.rows < set.rows_there {
        gaps.push(format!("the server delivered {} of {} rows of answers", set.rows, set.rows_there));
    }
    if set.tally.other > 0 {
        let other = set.tally.other;
        gaps.push(format!(
            "{other} endpoints gave answers beyond the {KEPT_ROWS} commonest, which were not looked at"
        ));
    }
    gaps
}

/// How a question went.
struct Watched {
    end: End,
    progress: Progress,
    /// Until the end was seen.
    seconds: f64,
    /// Until the end, as far as looks can tell.
    pace: f64,
    polls: u32,
}

/// Polls until the question is answered, stands still, or has taken too long.
async fn watch<T: Transport>(
    transport: &T,
    route: &str,
    pace: &mut Pace,
    begin: Instant,
    timeout: Duration,
) -> Result<Watched, Problem> {
    let call = Call::get(format!("/api/v2/result_info/{route}"));
    let mut progress = Progress::default();
    let mut polls = 0;
    let mut unknown = UNKNOWN_YET.iter();
    let mut wait = pace.first();
    loop {
        sleep(wait.min(timeout.saturating_sub(begin.elapsed()))).await;
        polls += 1;
        let next = match read::<T, Infos>(transport, &call).await {
            Ok(infos) => {
                progress = infos.progress();
                pace.looked(begin.elapsed(), progress)
            }
            Err(problem) if problem.status == Some(404) => Next::Wait(*unknown.next().ok_or(problem)?),
            Err(problem) => return Err(problem),
        };
        let end = match next {
            Next::Complete => End::Complete,
            Next::Still => End::Still,
            Next::Wait(_) if begin.elapsed() >= timeout => End::TimedOut,
            Next::Wait(time) => {
                wait = time;
                continue;
            }
        };
        let seconds = begin.elapsed();
        return Ok(Watched {
            end,
            progress,
            seconds: seconds.as_secs_f64(),
            pace: pace.took(seconds, next),
            polls,
        });
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Infos {
    result_infos: Vec<Info>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    tested: u64,
    mr_tested: Option<u64>,
    estimated_total: u64,
}

impl Infos {
    fn progress(&self) -> Progress {
        let info = self.result_infos.first();
        Progress {
            answered: info.map_or(0, |info| info.mr_tested.unwrap_or(info.tested)),
            expected: info.map_or(0, |info| info.estimated_total),
        }
    }
}

/// Reads and counts a result set.
async fn result_set<T: Transport>(transport: &T, call: &Call) -> Result<ResultSet, Problem> {
    let mut unknown = UNKNOWN_YET.iter();
    loop {
        match transport.send(call, tally::sink).await {
            Ok(rows) => return tally::finish(rows).map_err(|problem| in_answer(call, problem)),
            Err(problem) if problem.status == Some(404) => sleep(*unknown.next().ok_or(problem)?).await,
            Err(problem) => return Err(problem),
        }
    }
}

/// Sends a small request; reads what is under `data` in the answer.
async fn read<T: Transport, A: DeserializeOwned>(transport: &T, call: &Call) -> Result<A, Problem> {
    #[derive(Deserialize)]
    struct Enveloped<A> {
        data: A,
    }
    let body = transport.send(call, Vec::new).await?;
    let read = serde_json::from_slice::<Enveloped<A>>(&body);
    read.map(|answer| answer.data)
        .map_err(|error| in_answer(call, not_evaluated(format!("it is not what was expected: {error}"))))
}

fn in_answer(call: &Call, problem: Problem) -> Problem {
    Problem {
        reason: format!("the answer to {} cannot be used: {}", call.label(), problem.reason),
        ..problem
    }
}

fn not_evaluated(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}

#[cfg(test)]
mod tests;
