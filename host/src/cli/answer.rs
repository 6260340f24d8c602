//! `tancheck answer`: keeps a value that only a person can read off.

use super::output::to_stderr;
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, ask, attest, engine};
use crate::hint::hint;
use crate::run::outcome::day;
use clap::Args;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Answer;
use tancheck_plugin_api::manifest::Request;

/// Gives the value of an input that only a person can read off
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck answer client-management.retention 30 --by ann
  tancheck answer health-check.last-report-copy 2026-06-15 --by ann --note \"share ops\"")]
pub(super) struct Arguments {
    /// The input; `tancheck run` and `tancheck explain` name those that wait for an answer
    #[arg(value_name = "INPUT")]
    input: String,
    /// The value: yes or no, a number, a text, a date, or one of the words the input knows
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: Option<String>,
    /// Who answers
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// A remark
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Until when it counts, if shorter than the input's own period
    #[arg(long, value_name = "DATE", value_parser = engine::time)]
    valid_until: Option<Timestamp>,
    /// When it was read off, if not now
    #[arg(long, value_name = "TIME", value_parser = engine::time)]
    at: Option<Timestamp>,
}

/// What an input asks a person.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    prompt: String,
    accepts: String,
    among: Vec<String>,
    valid_days: u32,
}

impl Asked {
    fn of(request: &Request) -> Option<Self> {
        let Request::Answer { prompt, accepts, among, valid_days } = request else { return None };
        let (prompt, accepts, among) = (prompt.clone(), accepts.clone(), among.clone());
        Some(Self { prompt, accepts, among, valid_days: *valid_days })
    }

    /// What the input accepts, for people.
    fn expected(&self) -> String {
        match self.accepts.as_str() {
            "yes-no" => "yes or no".to_owned(),
            "number" => "a number".to_owned(),
            "date" => "a date such as 2026-06-30".to_owned(),
            "choice" => format!("one of {}", self.among.join(", ")),
            _ => "one line of text".to_owned(),
        }
    }
}

/// What an answer to this source looks like; `None` where nobody is asked.
pub(super) fn expected(request: &Request) -> Option<String> {
    Asked::of(request).map(|asked| asked.expected())
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let site = Site::open(global)?;
    let config = site.layers.config(&site.manifests())?;
    let questions = questions(&site);
    let asked = questions.get(arguments.input.as_str()).ok_or_else(|| {
        let hint = hint(&arguments.input, questions.keys().copied());
        Stop::Usage(format!(
            "no person is asked for {:?}{hint}; known are {}",
            arguments.input,
            known(&questions)
        ))
    })?;
    let text = match &arguments.value {
        Some(value) => value.clone(),
        None if global.can_ask() => ask::line(&format!("{} [{}]", asked.prompt, asked.expected()))?,
        None => return Err(Stop::Usage(format!("give a value: {} [{}]", asked.prompt, asked.expected()))),
    };
    let value = read(asked, text.trim()).map_err(|expected| {
        Stop::Usage(format!("{text:?} is no answer to {}: expected {expected}", arguments.input))
    })?;
    let at = arguments.at.unwrap_or_else(engine::this_second);
    let days = SignedDuration::from_hours(24 * i64::from(asked.valid_days));
    let longest = at.checked_add(days).unwrap_or(Timestamp::MAX);
    if let Some(end) = arguments.valid_until.filter(|end| *end <= at || *end > longest) {
        return Err(Stop::Usage(format!(
            "--valid-until {} has to be after {} and at most {} ({} days): the input asks anew then",
            day(end),
            day(at),
            day(longest),
            asked.valid_days
        )));
    }
    let by = attest::name(arguments.by.as_deref(), global)?;
    let answer = Answer { value, by, at, note: arguments.note.trim().to_owned() };
    let store = engine::history(&config)?;
    store
        .keep_answer(&arguments.input, &answer, arguments.valid_until)
        .map_err(|error| Stop::Internal(error.to_string()))?;
    if !global.quiet {
        let until = day(arguments.valid_until.unwrap_or(longest));
        to_stderr(&format!("{}: {} by {}, until {until}", arguments.input, answer.value, answer.by));
    }
    Ok(OK)
}

/// What the inputs of all plugins ask people, by input.
fn questions(site: &Site) -> BTreeMap<&str, Asked> {
    let inputs = site.manifests().into_iter().flat_map(|manifest| &manifest.inputs);
    inputs
        .filter_map(|input| {
            let asked = input.sources.iter().find_map(|source| Asked::of(&source.request))?;
            Some((input.id.as_str(), asked))
        })
        .collect()
}

fn known(questions: &BTreeMap<&str, Asked>) -> String {
    if questions.is_empty() {
        "none".to_owned()
    } else {
        Vec::from_iter(questions.keys().copied()).join(", ")
    }
}

/// The typed value; the error says what was expected.
fn read(asked: &Asked, text: &str) -> Result<Value, String> {
    let value = match asked.accepts.as_str() {
        "yes-no" => match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "true" => Some(Value::Bool(true)),
            "no" | "n" | "false" => Some(Value::Bool(false)),
            _ => None,
        },
        "number" => match text.parse::<i64>() {
            Ok(number) => Some(Value::from(number)),
            Err(_) => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        },
        "date" => text.parse::<Date>().ok().map(|date| Value::String(date.to_string())),
        "choice" => {
            asked.among.iter().find(|word| word.eq_ignore_ascii_case(text)).cloned().map(Value::String)
        }
        _ => (!text.is_empty() && !text.contains('\n')).then(|| Value::String(text.to_owned())),
    };
    value.ok_or_else(|| asked.expected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn typed(accepts: &str, text: &str) -> Option<Value> {
        let asked = Asked {
            prompt: "How?".to_owned(),
            accepts: accepts.to_owned(),
            among: vec!["Weekly".to_owned(), "Monthly".to_owned()],
            valid_days: 30,
        };
        read(&asked, text).ok()
    }

    #[test]
    fn values_have_the_type_that_the_input_accepts() {
        assert_eq!(typed("yes-no", "Yes"), Some(json!(true)));
        assert_eq!(typed("yes-no", "n"), Some(json!(false)));
        assert_eq!(typed("number", "30"), Some(json!(30)));
        assert_eq!(typed("number", "99.5"), Some(json!(99.5)));
        assert_eq!(typed("date", "2026-06-30"), Some(json!("2026-06-30")));
        assert_eq!(typed("choice", "weekly"), Some(json!("Weekly")));
        assert_eq!(typed("text", "as agreed"), Some(json!("as agreed")));
    }

    #[test]
    fn wrong_types_are_refused() {
        let wrong = [
            ("yes-no", "maybe"),
            ("number", "many"),
            ("number", "NaN"),
            ("date", "2026-02-30"),
            ("choice", "daily"),
            ("text", ""),
        ];
        for (accepts, text) in wrong {
            assert_eq!(typed(accepts, text), None, "{accepts} {text}");
        }
    }
}
