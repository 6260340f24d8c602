//! Facts: what a judge receives. Whatever is missing turns into an [`Undecided`] with its reason.

pub use crate::baseline::{Baseline, Growth, median, weekly};
use crate::finding::{Evidence, describe};
use crate::input::Input;
use crate::outcome::{Outcome, Undecided};
use crate::setting::{Setting, SettingValue};
use crate::wire::Inspection;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// An input as the host delivers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supplied {
    /// The kind of source that answered: `rest`, `question`, `export`…
    #[serde(default)]
    pub source: String,
    /// The request that was sent, or the file that was read; for people.
    #[serde(default)]
    pub request: String,
    /// When the value was true: the time of the answer, or the file's own time.
    pub at: Timestamp,
    /// Why the data is not all there is: a privilege that shows only own rows, endpoints that did not answer.
    /// What it shows is true; what it does not show is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// The data.
    pub body: Body,
}

/// The data of an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Body {
    /// A list of objects.
    Rows(Vec<Value>),
    /// One object.
    Object(Value),
    /// One number or text.
    Value(Value),
    /// Counts of a question's answers.
    Tally(Tally),
    /// One tally for each item of an `Each`.
    Tallies(Vec<ItemTally>),
    /// Samples of metric families.
    Samples(Vec<Sample>),
    /// Points of series, oldest first.
    Points(Vec<Point>),
    /// What a person answered.
    Answer(Answer),
    /// Nothing came, and why.
    Unavailable(Unavailable),
}

/// Why an input is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// The outcome this leads to in a check that needs the input.
    pub outcome: Outcome,
    /// What happened, where, and what to do; one sentence.
    pub reason: String,
}

/// How many endpoints gave which answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The names of the columns, without `Count`.
    pub columns: Vec<String>,
    /// One row for each distinct answer, the commonest first.
    pub rows: Vec<TallyRow>,
    /// Endpoints whose answers were beyond the limit of distinct rows.
    #[serde(default)]
    pub other: u64,
    /// Endpoints that answered (`mr_tested`).
    pub answered: u64,
    /// Endpoints expected to answer (`estimated_total`).
    pub expected: u64,
    /// Endpoints that answered with no value: `[no results]`, `[current result unavailable]`, `TSE-Error: …`;
    /// count for each such text.
    #[serde(default)]
    pub without_value: BTreeMap<String, u64>,
}

/// One distinct answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyRow {
    /// One cell for each column; several values of one cell are joined by a line feed.
    pub cells: Vec<String>,
    /// Endpoints that answered so.
    pub count: u64,
    /// Names of a few of them, where the source asks for a sample.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<String>,
}

impl Tally {
    /// The position of the column with this name, compared without regard to case.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))
    }

    /// The endpoints that gave a value.
    #[must_use]
    pub fn valued(&self) -> u64 {
        self.rows.iter().map(|row| row.count).sum::<u64>() + self.other
    }
}

/// The tally of one item of an `Each`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemTally {
    /// The item.
    pub item: String,
    /// Its tally.
    pub tally: Tally,
}

/// One sample of a metric family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The family's name.
    pub name: String,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

/// One stored value of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The series' full name.
    pub series: String,
    /// When it was measured.
    pub at: Timestamp,
    /// The value.
    pub value: f64,
}

/// What a person answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The value: a boolean, a number or a text, as the source accepts.
    pub value: Value,
    /// Who answered.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// A remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Who looks at facts, and at which inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) id: &'static str,
    pub(crate) reads: &'static [&'static Input],
}

/// Everything a judge may look at.
#[derive(Debug)]
pub struct Facts<'a> {
    scope: Scope,
    module: &'static str,
    now: Timestamp,
    subject: Option<&'a str>,
    inputs: &'a BTreeMap<String, Supplied>,
    settings: &'a Map<String, Value>,
    read: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(scope: Scope, module: &'static str, inspection: &'a Inspection) -> Self {
        Self {
            scope,
            module,
            now: inspection.now,
            subject: inspection.subject.as_deref(),
            inputs: &inspection.inputs,
            settings: &inspection.settings,
            read: RefCell::default(),
        }
    }

    /// The name that is diagnosed.
    ///
    /// # Errors
    /// Where nothing is: in checks, and in readings that fill in values.
    pub fn subject(&self) -> Result<&'a str, Undecided> {
        self.subject.ok_or_else(|| Undecided::not_evaluated("it is not said what is diagnosed"))
    }

    /// The time of the run. The only clock a judge has.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How long ago a time was; negative for the future.
    #[must_use]
    pub fn since(&self, then: Timestamp) -> SignedDuration {
        self.now.duration_since(then)
    }

    /// Whole days since a time; negative for the future.
    #[must_use]
    pub fn days_since(&self, then: Timestamp) -> i64 {
        self.since(then).as_hours().div_euclid(24)
    }

    /// The title of the plugin: for judges that several plugins share.
    #[must_use]
    pub fn module(&self) -> &'static str {
        self.module
    }

    /// The rows of an input.
    ///
    /// # Errors
    /// When the input is unavailable, is no list, or a row cannot be understood.
    pub fn rows<T: DeserializeOwned>(&self, input: &'static Input) -> Result<Vec<T>, Undecided> {
        match &self.supplied(input)?.body {
            Body::Rows(rows) => rows
                .iter()
                .enumerate()
                .map(|(index, row)| {
                    T::deserialize(row).map_err(|error| {
                        let place = format!("row {} of {}", index + 1, describe(input));
                        not_understood(input, &place, &error.to_string())
                    })
                })
                .collect(),
            other => Err(wrong_body(input, "a list", other)),
        }
    }

    /// The single object of an input.
    ///
    /// # Errors
    /// When the input is unavailable, is no object, or cannot be understood.
    pub fn object<T: DeserializeOwned>(&self, input: &'static Input) -> Result<T, Undecided> {
        match &self.supplied(input)?.body {
            Body::Object(value) => T::deserialize(value)
                .map_err(|error| not_understood(input, &describe(input), &error.to_string())),
            other => Err(wrong_body(input, "an object", other)),
        }
    }

    /// The single number or text of an input.
    ///
    /// # Errors
    /// When the input is unavailable or of another type.
    pub fn value<T: DeserializeOwned>(&self, input: &'static Input) -> Result<T, Undecided> {
        match &self.supplied(input)?.body {
            Body::Value(value) => T::deserialize(value)
                .map_err(|error| not_understood(input, &describe(input), &error.to_string())),
            other => Err(wrong_body(input, "a single value", other)),
        }
    }

    /// The counted answers of a question.
    ///
    /// # Errors
    /// When the question was not answered at all, or the input is no question.
    pub fn tally(&self, input: &'static Input) -> Result<&'a Tally, Undecided> {
        match &self.supplied(input)?.body {
            Body::Tally(tally) => Ok(tally),
            other => Err(wrong_body(input, "counted answers", other)),
        }
    }

    /// The counted answers of a question that was asked for several items.
    ///
    /// # Errors
    /// When none was answered, or the input is no such question.
    pub fn tallies(&self, input: &'static Input) -> Result<&'a [ItemTally], Undecided> {
        match &self.supplied(input)?.body {
            Body::Tallies(tallies) => Ok(tallies),
            other => Err(wrong_body(input, "counted answers for each item", other)),
        }
    }

    /// The samples of metric families.
    ///
    /// # Errors
    /// When the metrics are unavailable.
    pub fn samples(&self, input: &'static Input) -> Result<&'a [Sample], Undecided> {
        match &self.supplied(input)?.body {
            Body::Samples(samples) => Ok(samples),
            other => Err(wrong_body(input, "metric samples", other)),
        }
    }

    /// The stored points of a series, oldest first; empty while nothing was measured.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn points(&self, input: &'static Input) -> Result<&'a [Point], Undecided> {
        match &self.supplied(input)?.body {
            Body::Points(points) => Ok(points),
            other => Err(wrong_body(input, "stored points", other)),
        }
    }

    /// What a person answered.
    ///
    /// # Errors
    /// When nobody did, or the answer has expired.
    pub fn answer(&self, input: &'static Input) -> Result<&'a Answer, Undecided> {
        match &self.supplied(input)?.body {
            Body::Answer(answer) => Ok(answer),
            other => Err(wrong_body(input, "an answer", other)),
        }
    }

    /// Which body an input has; for inputs whose sources deliver different ones.
    ///
    /// # Errors
    /// When the input is unavailable.
    pub fn body(&self, input: &'static Input) -> Result<&'a Body, Undecided> {
        Ok(&self.supplied(input)?.body)
    }

    /// Why the data of an input is not all there is; empty for complete data. For judges that draw a conclusion from
    /// the absence of a row: the engine already turns a pass over incomplete data into `not-evaluated`.
    ///
    /// # Errors
    /// When the input is unavailable.
    pub fn gaps(&self, input: &'static Input) -> Result<&'a [String], Undecided> {
        Ok(&self.supplied(input)?.gaps)
    }

    /// Why there is nothing to judge: for judges that found no subject in an input. With complete data that is
    /// `not-applicable`; with incomplete data the subject may just be unseen, and nothing is decided.
    #[must_use]
    pub fn absent(&self, input: &'static Input, reason: impl Into<String>) -> Undecided {
        let reason = reason.into();
        match self.gaps(input) {
            Err(unavailable) => unavailable,
            Ok([]) => Undecided::not_applicable(reason),
            Ok([gap, ..]) => {
                let reason = format!("{reason}, but the data is not all there is: {gap}");
                Undecided::of_input(Outcome::NotEvaluated, input.id, reason)
            }
        }
    }

    /// When the value of an input was true.
    ///
    /// # Errors
    /// When the input is unavailable.
    pub fn at(&self, input: &'static Input) -> Result<Timestamp, Undecided> {
        Ok(self.supplied(input)?.at)
    }

    /// The kind of source that answered (`rest`, `export`, …).
    ///
    /// # Errors
    /// When the input is unavailable.
    pub fn source(&self, input: &'static Input) -> Result<&'a str, Undecided> {
        Ok(&self.supplied(input)?.source)
    }

    /// Evidence: this value was seen in this input.
    #[must_use]
    pub fn seen(&self, input: &'static Input, value: impl Serialize) -> Evidence {
        let supplied = self.inputs.get(input.id);
        Evidence {
            input: input.id.to_owned(),
            source: supplied.map(|found| found.source.clone()).unwrap_or_default(),
            request: supplied.map(|found| found.request.clone()).unwrap_or_default(),
            at: supplied.map_or(self.now, |found| found.at),
            value: serde_json::to_value(value).unwrap_or_else(|error| Value::String(error.to_string())),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// When the setting has no default and the site did not set it.
    pub fn integer(&self, setting: &'static Setting) -> Result<i64, Undecided> {
        let default = match setting.value {
            SettingValue::Integer { default, .. } => default,
            _ => None,
        };
        self.settings.get(setting.key).and_then(Value::as_i64).or(default).ok_or_else(|| self.unset(setting))
    }

    /// Yes or no.
    #[must_use]
    pub fn flag(&self, setting: &'static Setting) -> bool {
        let default = matches!(setting.value, SettingValue::Flag(true));
        self.settings.get(setting.key).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A text or a choice.
    ///
    /// # Errors
    /// When the setting has no default and the site did not set it.
    pub fn text(&self, setting: &'static Setting) -> Result<&'a str, Undecided> {
        let default = match setting.value {
            SettingValue::Text(default) | SettingValue::Choice { default, .. } => default,
            _ => None,
        };
        self.settings.get(setting.key).and_then(Value::as_str).or(default).ok_or_else(|| self.unset(setting))
    }

    /// A list of texts; empty where the site names none.
    #[must_use]
    pub fn list(&self, setting: &'static Setting) -> Vec<&'a str> {
        match (self.settings.get(setting.key), setting.value) {
            (Some(Value::Array(items)), _) => items.iter().filter_map(Value::as_str).collect(),
            (_, SettingValue::List(default)) => default.to_vec(),
            _ => Vec::new(),
        }
    }

    /// What to call things in a list of the site, for a proposal. Each thing comes with the words for it, the best first:
    /// it keeps the word that the list has already, in whatever case, or gets the first that is not empty.
    #[must_use]
    pub fn called<const N: usize>(
        &self,
        setting: &'static Setting,
        things: impl IntoIterator<Item = [impl AsRef<str>; N]>,
    ) -> BTreeSet<String> {
        let known = self.list(setting);
        let mut called = BTreeSet::new();
        for words in things {
            let is_word = |text: &&&str| words.iter().any(|word| word.as_ref().eq_ignore_ascii_case(text));
            let kept: Vec<String> = known.iter().filter(is_word).map(|&text| text.to_owned()).collect();
            let first = words.iter().map(AsRef::as_ref).find(|word| !word.is_empty());
            match (kept.is_empty(), first) {
                (false, _) => called.extend(kept),
                (true, Some(word)) => drop(called.insert(word.to_owned())),
                (true, None) => {}
            }
        }
        called
    }

    /// A table from text to texts; empty where the site names none. A single text counts as a list of one.
    #[must_use]
    pub fn table(&self, setting: &'static Setting) -> BTreeMap<&'a str, Vec<&'a str>> {
        let Some(Value::Object(table)) = self.settings.get(setting.key) else { return BTreeMap::new() };
        let texts = |value: &'a Value| match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            Value::String(text) => vec![text.as_str()],
            _ => Vec::new(),
        };
        table.iter().map(|(key, value)| (key.as_str(), texts(value))).collect()
    }

    /// The inputs that the judge looked at.
    pub(crate) fn inputs_read(&self) -> Vec<String> {
        self.read.borrow().iter().map(|&id| id.to_owned()).collect()
    }

    fn supplied(&self, input: &'static Input) -> Result<&'a Supplied, Undecided> {
        if !self.scope.reads.iter().any(|declared| declared.id == input.id) {
            let reason = format!("{} does not declare that it reads {}", self.scope.id, input.id);
            return Err(Undecided::of_input(Outcome::NotEvaluated, input.id, reason));
        }
        let supplied = self.inputs.get(input.id).ok_or_else(|| {
            let reason = format!("{} was not delivered", describe(input));
            Undecided::of_input(Outcome::NotEvaluated, input.id, reason)
        })?;
        if let Body::Unavailable(missing) = &supplied.body {
            return Err(Undecided::of_input(missing.outcome, input.id, &missing.reason));
        }
        self.read.borrow_mut().insert(input.id);
        Ok(supplied)
    }

    fn unset(&self, setting: &'static Setting) -> Undecided {
        let plugin = self.scope.id.split('.').next().unwrap_or_default();
        let about = if setting.about.is_empty() { String::new() } else { format!(" ({})", setting.about) };
        Undecided::not_evaluated(format!("set `{}` under [modules.{plugin}]{about}", setting.key))
    }
}

fn not_understood(input: &Input, place: &str, error: &str) -> Undecided {
    Undecided::of_input(Outcome::NotEvaluated, input.id, format!("{place} is not understood: {error}"))
}

fn wrong_body(input: &Input, expected: &str, found: &Body) -> Undecided {
    let found = match found {
        Body::Rows(_) => "a list",
        Body::Object(_) => "an object",
        Body::Value(_) => "a single value",
        Body::Tally(_) => "counted answers",
        Body::Tallies(_) => "counted answers for each item",
        Body::Samples(_) => "metric samples",
        Body::Points(_) => "stored points",
        Body::Answer(_) => "an answer",
        Body::Unavailable(_) => "nothing",
    };
    let reason = format!("{} was delivered as {found}, {expected} was expected", describe(input));
    Undecided::of_input(Outcome::NotEvaluated, input.id, reason)
}
