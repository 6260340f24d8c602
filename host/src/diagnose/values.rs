//! The deployment's own values in the texts of diagnoses and procedures. What is not known says how to tell it.

use std::collections::BTreeMap;
use tancheck_plugin_api::manifest::{Manifest, Reading, Remedy, Request, filled};
use tancheck_plugin_api::validate::{SUBJECT, placeholders};

/// A value that texts hold, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The placeholder's name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// The value, or why it is not known.
    pub read: Result<String, String>,
    /// How to tell it.
    pub hint: String,
}

/// All values of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    all: Vec<Value>,
    filling: BTreeMap<String, String>,
}

impl Values {
    /// These values, and the name that is diagnosed if there is one.
    #[must_use]
    pub fn new(all: Vec<Value>, subject: Option<&str>) -> Self {
        let mut filling: BTreeMap<String, String> =
            all.iter().map(|value| (value.name.clone(), value.shown())).collect();
        filling.extend(subject.map(|subject| (SUBJECT.to_owned(), subject.to_owned())));
        Self { all, filling }
    }

    /// The values.
    #[must_use]
    pub fn all(&self) -> &[Value] {
        &self.all
    }

    /// A text with all values in it.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        filled(text, &self.filling)
    }

    /// A step with all values in it.
    #[must_use]
    pub fn step(&self, step: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        step.iter().map(|(key, text)| (key.clone(), self.text(text))).collect()
    }

    /// A remedy with all values in it.
    #[must_use]
    pub fn remedy(&self, remedy: &Remedy) -> Remedy {
        remedy.filled(&self.filling)
    }
}

impl Value {
    /// The value of a reading.
    #[must_use]
    pub fn of(manifest: &Manifest, reading: &Reading, read: Result<String, String>) -> Self {
        let name = reading.id.split_once('.').map_or(reading.id.as_str(), |(_, name)| name).to_owned();
        Self { name, about: reading.about.clone(), read, hint: hint(manifest, reading) }
    }

    /// The value, or how to tell it.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.read {
            Ok(value) => value.clone(),
            Err(_) => format!("<{}: {}>", self.about, self.hint),
        }
    }
}

/// Those of these readings whose values stand in a text.
pub(super) fn needed<'a>(manifest: &'a Manifest, ids: &[String], texts: &[&str]) -> Vec<&'a Reading> {
    let names: Vec<&str> = texts.iter().flat_map(|text| placeholders(text)).collect();
    let readings = ids.iter().filter_map(|id| manifest.reading(id));
    readings
        .filter(|reading| reading.id.split_once('.').is_some_and(|(_, name)| names.contains(&name)))
        .collect()
}

/// How a person tells what a reading reads: an answer, a setting, or a file.
fn hint(manifest: &Manifest, reading: &Reading) -> String {
    let inputs = || reading.inputs.iter().filter_map(|id| manifest.input(id));
    let answered = inputs()
        .find(|input| input.sources.iter().any(|source| matches!(source.request, Request::Answer { .. })));
    if let Some(input) = answered {
        return format!("tancheck answer {}", input.id);
    }
    if let Some(key) = reading.settings.first() {
        return format!("set {key} under [modules.{}]", manifest.id);
    }
    let files = inputs().flat_map(|input| &input.sources);
    let mut files = files.filter_map(|source| match &source.request {
        Request::Export { file, .. } => Some(file),
        _ => None,
    });
    match files.next() {
        Some(file) => format!("export {file}"),
        None => "see the Console".to_owned(),
    }
}
