//! Stored results of a saved question, with their age.

use super::wording::encoded;
use super::{Pace, Progress, Terms, not_evaluated, read, result_set, rows_gaps, share_gap, watch};
use crate::collect::transport::{Call, Problem, Transport};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tancheck_plugin_api::facts::Tally;
use tancheck_plugin_api::lenient;
use tokio::time::Instant;

/// The stored results of a saved question.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Saved {
    /// The counted answers.
    pub tally: Tally,
    /// Why they are not all there is.
    pub gaps: Vec<String>,
    /// When the question was asked; `None` where the server does not say, which is also a gap.
    pub at: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct SavedQuestion {
    id: u64,
    #[serde(default)]
    most_recent_question_id: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Issued {
    #[serde(deserialize_with = "lenient::time")]
    expiration: Option<Timestamp>,
    expire_seconds: i64,
}

/// Reads the stored results of the saved question with this name.
///
/// # Errors
/// When there is no such question, nothing is stored, or a request failed.
pub async fn saved<T: Transport>(
    transport: &T,
    name: &str,
    terms: &Terms,
    now: Timestamp,
) -> Result<Saved, Problem> {
    let call = Call::get(format!("/api/v2/saved_questions/by-name/{}", encoded(name)));
    let question: SavedQuestion = read(transport, &call).await.map_err(|problem| match problem.status {
        Some(404) => Problem {
            reason: format!("the deployment has no saved question `{name}`, or the account may not read it"),
            ..problem
        },
        _ => problem,
    })?;
    let route = format!("saved_question/{}", question.id);
    let data = Call::get(format!("/api/v2/result_data/{route}"));
    let mut set = result_set(transport, &data).await?;
    if terms.allowed && set.tally.answered == 0 {
        // Reading the results of a saved question makes the server ask it again, if it has none.
        let mut pace = Pace::new(None, terms.complete_share);
        watch(transport, &route, &mut pace, Instant::now(), terms.timeout).await?;
        set = result_set(transport, &data).await?;
    }
    let progress = Progress { answered: set.tally.answered, expected: set.tally.expected };
    if progress.answered == 0 {
        return Err(not_evaluated(format!("the saved question `{name}` has no stored results; ask it once")));
    }
    let mut gaps: Vec<String> = share_gap(&set.tally, terms.complete_share).into_iter().collect();
    gaps.extend(rows_gaps(&set));
    let latest = if set.question_id > 0 { set.question_id } else { question.most_recent_question_id };
    let at = match set.seconds_since_issued {
        0 => issued(transport, latest).await,
        seconds => i64::try_from(seconds)
            .ok()
            .and_then(|seconds| now.checked_sub(SignedDuration::from_secs(seconds)).ok()),
    };
    if at.is_none() {
        gaps.push(format!("the server does not say how old the results of the saved question `{name}` are"));
    }
    Ok(Saved { tally: set.tally, gaps, at })
}

/// When a question was asked: its expiration, less the time until then.
async fn issued<T: Transport>(transport: &T, question: u64) -> Option<Timestamp> {
    if question == 0 {
        return None;
    }
    let issued: Issued = read(transport, &Call::get(format!("/api/v2/questions/{question}"))).await.ok()?;
    issued.expiration?.checked_sub(SignedDuration::from_secs(issued.expire_seconds)).ok()
}
