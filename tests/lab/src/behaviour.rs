//! Ways in which a route can misbehave: what a network, a proxy or a tired server does to an answer.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// One way to misbehave. The newest behaviour whose pattern fits a request decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers with this status and `{"text": …}`; the second value becomes `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// Answers 200 with a sign-in page instead of JSON, as a proxy does.
    Html,
    /// Sends half of the true body and then closes the connection.
    Truncated,
    /// Answers 200 with a body that is not valid JSON.
    Malformed,
    /// Answers 302 with this `Location`.
    RedirectTo(String),
    /// Resets the connection without an answer.
    Reset,
    /// Waits this long before it answers.
    Slow(Duration),
    /// Does not answer until another behaviour of the route replaces this one, or all are cleared.
    Held,
    /// Answers with the right status and no body.
    EmptyBody,
    /// Every n-th request fails with 503.
    Flaky(u64),
    /// Questions stop at 62 % of their endpoints (set it on `/api/v2/result_info/*`).
    NeverCompletes,
    /// The first n requests for each question's results answer 404 `SensorNotFound`, as a server does straight after
    /// asking (set it on `/api/v2/result_data/*` or `/api/v2/result_info/*`).
    SensorNotFound(u64),
    /// More than n requests in one second are answered 429 with `Retry-After: 1`.
    RateLimit(u64),
    /// After n requests every connection is reset.
    CutOffAfter(u64),
    /// The right rows under a wrong key: `{"data": …}` becomes `{"items": …}`.
    WrongEnvelope,
    /// 401 for every session and token, as for a token used from an address that is not trusted.
    Unauthorized,
    /// Answers 503, and repeats the session and the body that it was sent.
    Echo,
}

impl FromStr for Behaviour {
    type Err = BehaviourError;

    /// The command line's spelling: `status:503`, `status:429:5`, `html`, `slow:200`, `flaky:3`, `redirect:URL`, …
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let number = || value.parse::<u64>().map_err(|_| BehaviourError::Number(text.to_owned()));
        Ok(match name {
            "status" => {
                let (code, after) = value.split_once(':').unwrap_or((value, ""));
                let bad = || BehaviourError::Number(text.to_owned());
                let after = if after.is_empty() { None } else { Some(after.parse().map_err(|_| bad())?) };
                Self::Status(code.parse().map_err(|_| bad())?, after)
            }
            "html" => Self::Html,
            "truncated" => Self::Truncated,
            "malformed" => Self::Malformed,
            "redirect" => Self::RedirectTo(value.to_owned()),
            "reset" => Self::Reset,
            "slow" => Self::Slow(Duration::from_millis(number()?)),
            "held" => Self::Held,
            "empty-body" => Self::EmptyBody,
            "flaky" => Self::Flaky(number()?),
            "never-completes" => Self::NeverCompletes,
            "sensor-not-found" => Self::SensorNotFound(number()?),
            "rate-limit" => Self::RateLimit(number()?),
            "cut-off-after" => Self::CutOffAfter(number()?),
            "wrong-envelope" => Self::WrongEnvelope,
            "unauthorized" => Self::Unauthorized,
            "echo" => Self::Echo,
            _ => return Err(BehaviourError::Unknown(name.to_owned())),
        })
    }
}

/// A behaviour that the command line could not read.
#[derive(Debug, thiserror::Error)]
pub enum BehaviourError {
    /// No such name.
    #[error(
        "unknown behaviour '{0}': expected status, html, truncated, malformed, redirect, reset, slow, held, \
         empty-body, flaky, never-completes, sensor-not-found, rate-limit, cut-off-after, wrong-envelope, unauthorized or \
         echo"
    )]
    Unknown(String),
    /// The value after the colon is not a number.
    #[error("expected a number in behaviour '{0}', for example status:503 or slow:200")]
    Number(String),
}

#[derive(Debug)]
struct Rule {
    pattern: String,
    behaviour: Behaviour,
    requests: u64,
    window: (Option<Instant>, u64),
    seen: HashMap<String, u64>,
}

/// What is to be done with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing out of the ordinary.
    Normal,
    /// Do this.
    Do(Behaviour),
}

/// All behaviours in force.
#[derive(Debug, Default)]
pub(crate) struct Behaviours {
    rules: Mutex<Vec<Rule>>,
}

impl Behaviours {
    pub(crate) fn add(&self, pattern: &str, behaviour: Behaviour) {
        self.rules.lock().expect("the lock is never held across a panic").push(Rule {
            pattern: pattern.to_owned(),
            behaviour,
            requests: 0,
            window: (None, 0),
            seen: HashMap::new(),
        });
    }

    pub(crate) fn clear(&self) {
        self.rules.lock().expect("the lock is never held across a panic").clear();
    }

    /// Is a behaviour of this kind in force for the path, without counting a request?
    pub(crate) fn has(&self, path: &str, wanted: &Behaviour) -> bool {
        let rules = self.rules.lock().expect("the lock is never held across a panic");
        rules.iter().any(|rule| rule.behaviour == *wanted && fits(&rule.pattern, path))
    }

    /// Whether requests of this path wait for somebody to let them go.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let rules = self.rules.lock().expect("the lock is never held across a panic");
        let newest = rules.iter().rev().find(|rule| fits(&rule.pattern, path));
        newest.is_some_and(|rule| rule.behaviour == Behaviour::Held)
    }

    /// Decides one request and counts it.
    pub(crate) fn judge(&self, path: &str) -> Verdict {
        let mut rules = self.rules.lock().expect("the lock is never held across a panic");
        let Some(rule) = rules.iter_mut().rev().find(|rule| fits(&rule.pattern, path)) else {
            return Verdict::Normal;
        };
        rule.requests += 1;
        let strikes = match &rule.behaviour {
            Behaviour::Flaky(every) => rule.requests.is_multiple_of((*every).max(1)),
            Behaviour::CutOffAfter(allowed) => rule.requests > *allowed,
            Behaviour::SensorNotFound(times) => {
                let seen = rule.seen.entry(path.to_owned()).or_default();
                *seen += 1;
                *seen <= *times
            }
            Behaviour::RateLimit(per_second) => {
                let now = Instant::now();
                match rule.window.0 {
                    Some(start) if now.duration_since(start) < Duration::from_secs(1) => rule.window.1 += 1,
                    _ => rule.window = (Some(now), 1),
                }
                rule.window.1 > *per_second
            }
            Behaviour::NeverCompletes => false,
            _ => true,
        };
        if strikes { Verdict::Do(rule.behaviour.clone()) } else { Verdict::Normal }
    }
}

/// A pattern is a path in which `*` stands for any text; `{id}` for one segment.
fn fits(pattern: &str, path: &str) -> bool {
    let (Some(head), tail) =
        pattern.split_once('*').map_or((Some(pattern), None), |(h, t)| (Some(h), Some(t)))
    else {
        return false;
    };
    let Some(rest) = strip(head, path) else { return false };
    match tail {
        None => rest.is_empty(),
        Some("") => true,
        Some(tail) => {
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(tail, &rest[at..]))
        }
    }
}

/// Removes a literal beginning in which `{…}` stands for one segment.
fn strip<'a>(literal: &str, path: &'a str) -> Option<&'a str> {
    match literal.split_once('{') {
        None => path.strip_prefix(literal),
        Some((before, after)) => {
            let rest = path.strip_prefix(before)?;
            let end = rest.find('/').unwrap_or(rest.len());
            let (_, after) = after.split_once('}')?;
            (end > 0).then_some(())?;
            strip(after, &rest[end..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_paths() {
        assert!(fits("*", "/metrics"));
        assert!(fits("/api/v2/users", "/api/v2/users"));
        assert!(!fits("/api/v2/users", "/api/v2/users/1"));
        assert!(fits("/api/v2/result_*", "/api/v2/result_info/question/7"));
        assert!(fits("/v1/connections/{id}/runs", "/v1/connections/12/runs"));
        assert!(!fits("/v1/connections/{id}/runs", "/v1/connections/12/x/runs"));
        assert!(fits("*/runs/{id}/logs", "/v1/connections/12/runs/3/logs"));
    }

    #[test]
    fn every_third_request_of_a_flaky_route_fails() {
        let behaviours = Behaviours::default();
        behaviours.add("*", Behaviour::Flaky(3));
        let failed: Vec<bool> = (0..6).map(|_| behaviours.judge("/x") != Verdict::Normal).collect();
        assert_eq!(failed, [false, false, true, false, false, true]);
    }

    #[test]
    fn spellings_of_the_command_line() {
        assert_eq!("status:429:5".parse::<Behaviour>().unwrap(), Behaviour::Status(429, Some(5)));
        assert_eq!("slow:20".parse::<Behaviour>().unwrap(), Behaviour::Slow(Duration::from_millis(20)));
        assert!("status:x".parse::<Behaviour>().is_err());
        assert!("haunted".parse::<Behaviour>().unwrap_err().to_string().contains("haunted"));
    }
}
