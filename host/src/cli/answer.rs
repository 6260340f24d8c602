//! `tancheck answer`: keeps a value that only a person can read off.

use super::engine::When;
use super::output::{Printer, to_stderr};
use super::said::{self, Said};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, ask, engine};
use crate::calendar::date_of;
use crate::config::{ConfigError, Entry, Problem, entries};
use crate::hint::hint;
use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::facts::Answer;
use tancheck_plugin_api::manifest::Request;

/// Gives the value of an input that only a person can read off
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck answer client-management.retention 30 --by ann
  tancheck answer health-check.last-report-copy 2026-06-15 --by ann --note \"share ops\"
  tancheck answer --file answers.toml --by ann

A file holds one line for each input, or a table where there is more to say; all of it is kept, or nothing:
  \"client-management.retention\" = 30
  \"health-check.last-report-copy\" = { value = 2026-06-15, note = \"share ops\", valid_until = 2026-07-01 }
`tancheck answers` lists what is asked for.")]
pub(super) struct Arguments {
    /// The input; `tancheck run` and `tancheck explain` name those that wait for an answer
    #[arg(value_name = "INPUT", required_unless_present = "file")]
    input: Option<String>,
    /// The value: yes or no, a number, a text, a date, or one of the words the input knows
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: Option<String>,
    /// Takes many answers from a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "value", "note", "valid_until"])]
    file: Option<PathBuf>,
    /// A remark
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    said: Said,
}

/// What `answer -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The answers that were kept.
    answers: Vec<Given>,
}

/// One answer that was kept.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Given {
    /// The input.
    input: String,
    /// The value.
    value: Value,
    /// Who.
    by: String,
    /// When.
    #[schemars(with = "String")]
    at: Timestamp,
    /// Until when it counts.
    #[schemars(with = "String")]
    until: Timestamp,
}

/// One answer as it was said, before anybody looked at it.
struct Entered {
    input: String,
    text: String,
    note: String,
    by: Option<String>,
    valid_until: Option<When>,
    at: Option<When>,
    /// File and line; empty on the command line.
    place: String,
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
    let printer = Printer::text_or_json(global)?;
    let site = Site::open(global)?;
    let config = site.layers.config(&site.manifests())?;
    let questions = questions(&site);
    let zone = &config.calendar.zone;
    let now = arguments.said.now(zone);
    let said = match &arguments.file {
        Some(path) => from_file(path, &arguments)?,
        None => vec![from_flags(&arguments, &questions, global)?],
    };
    let mut answers = Vec::new();
    let mut wrong = Vec::new();
    for one in &said {
        match answer(one, &questions, now, zone) {
            Ok(answer) => answers.push((one, answer)),
            Err(message) => wrong.push(format!("{}{message}", one.place)),
        }
    }
    if !wrong.is_empty() {
        return Err(Stop::Usage(wrong.join("\n")));
    }
    if answers.is_empty() {
        return Err(Stop::Usage("the file holds no answer".to_owned()));
    }
    let somebody = match said.iter().all(|one| one.by.is_some()) {
        true => String::new(),
        false => arguments.said.by(global)?,
    };
    let mut kept = Vec::new();
    for (one, (value, at, valid_until, until)) in answers {
        let by = one.by.clone().unwrap_or_else(|| somebody.clone());
        let answer = Answer { value, by, at, note: one.note.clone() };
        kept.push((one.input.clone(), answer, valid_until, until));
    }
    let rows: Vec<_> = kept.iter().map(|(input, answer, end, _)| (input.as_str(), answer, *end)).collect();
    engine::history(&config)?.keep_answers(&rows).map_err(|error| Stop::Internal(error.to_string()))?;
    let given = |(input, answer, _, until): (String, Answer, Option<Timestamp>, Timestamp)| Given {
        input,
        value: answer.value,
        by: answer.by,
        at: answer.at,
        until,
    };
    let document = Document { format: 1, answers: kept.into_iter().map(given).collect() };
    let told = |one: &Given| {
        format!("{}: {} by {}, until {}", one.input, one.value, one.by, date_of(one.until, zone))
    };
    if !global.output.is_empty() {
        printer.document(&document, || document.answers.iter().map(|one| told(one) + "\n").collect())?;
    } else if !global.quiet {
        document.answers.iter().for_each(|one| to_stderr(&told(one)));
    }
    Ok(OK)
}

/// The one answer of the command line; a person at the terminal is asked for the value.
fn from_flags(
    arguments: &Arguments,
    questions: &BTreeMap<&str, Asked>,
    global: &Global,
) -> Result<Entered, Stop> {
    let input = arguments.input.clone().unwrap_or_default();
    let asked = find(questions, &input).map_err(Stop::Usage)?;
    let text = match &arguments.value {
        Some(value) => value.clone(),
        None if global.can_ask() => ask::line(&format!("{} [{}]", asked.prompt, asked.expected()))?,
        None => return Err(Stop::Usage(format!("give a value: {} [{}]", asked.prompt, asked.expected()))),
    };
    Ok(Entered {
        input,
        text,
        note: arguments.note.trim().to_owned(),
        by: None,
        valid_until: arguments.said.valid_until(),
        at: arguments.said.at,
        place: String::new(),
    })
}

/// The answers of a file, each with its line.
fn from_file(path: &Path, arguments: &Arguments) -> Result<Vec<Entered>, Stop> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Stop::Usage(format!("failed to read the answers {}: {error}", path.display())))?;
    let mut said = Vec::new();
    let mut problems = Vec::new();
    for entry in entries::read(path, &text)? {
        match said_of(&entry, arguments) {
            Ok(one) => said.push(one),
            Err(message) => problems.push(Problem::at(&entry.place, message)),
        }
    }
    ConfigError::none_of(problems)?;
    Ok(said)
}

const FIELDS: [&str; 5] = ["value", "note", "by", "valid_until", "at"];

fn said_of(entry: &Entry, arguments: &Arguments) -> Result<Entered, String> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let empty = serde_json::Map::new();
    let (value, table) = match &entry.value {
        Value::Object(table) => (table.get("value"), table),
        value => (Some(value), &empty),
    };
    if let Some(key) = table.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        let name = &entry.name;
        let quotes = format!("the id of an input holds a dot and needs quotes: \"{name}.{key}\"");
        let is_part = !name.contains('.');
        return Err(if is_part { quotes } else { format!("unknown key {key:?}{}", hint(key, FIELDS)) });
    }
    let field = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(value) => plain(value).map(Some).ok_or_else(|| format!("{key} has to be one line of text")),
    };
    let time = |key: &str| field(key)?.map(|text| engine::when(&text)).transpose();
    let text = value.and_then(plain).ok_or_else(|| format!("{} has no value", entry.name))?;
    Ok(Entered {
        input: entry.name.clone(),
        text,
        note: field("note")?.unwrap_or_default(),
        by: field("by")?,
        valid_until: time("valid_until")?,
        at: time("at")?.or(arguments.said.at),
        place: format!("{}: ", entry.place),
    })
}

fn find<'q>(questions: &'q BTreeMap<&str, Asked>, input: &str) -> Result<&'q Asked, String> {
    questions.get(input).ok_or_else(|| {
        let hint = hint(input, questions.keys().copied());
        format!("no person is asked for {input:?}{hint}; known are {}", known(questions))
    })
}

/// Value, time, own end and end of an answer; the error says what is wrong with it.
type Read = (Value, Timestamp, Option<Timestamp>, Timestamp);

fn answer(
    said: &Entered,
    questions: &BTreeMap<&str, Asked>,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Read, String> {
    let asked = find(questions, &said.input)?;
    let value = read(asked, said.text.trim())
        .map_err(|expected| format!("{:?} is no answer to {}: expected {expected}", said.text, said.input))?;
    let at = said::seen(said.at, now, zone)?;
    let days = SignedDuration::from_hours(24 * i64::from(asked.valid_days));
    let longest = at.checked_add(days).unwrap_or(Timestamp::MAX);
    let valid_until = said.valid_until.map(|end| end.at(zone));
    if let Some(end) = valid_until.filter(|end| *end <= at || *end > longest) {
        return Err(format!(
            "--valid-until {} has to be after {} and at most {} ({} days): the input asks anew then",
            date_of(end, zone),
            date_of(at, zone),
            date_of(longest, zone),
            asked.valid_days
        ));
    }
    Ok((value, at, valid_until, valid_until.unwrap_or(longest)))
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
