//! The configuration file: found, judged by its permissions, and taken apart with the place of every value.

use super::keys::{INPUT_KEYS, KEYS, Key};
use super::origin::{Origin, Problem};
use super::site::{self, Item, Items, Section};
use super::{ConfigError, Surroundings};
use crate::hint::hint;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// The value as it was written.
    pub value: Value,
    /// Its place.
    pub origin: Origin,
}

/// What a source of values holds, before anybody looked at the values.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Values of known keys.
    pub(super) values: Vec<(&'static Key, Raw)>,
    /// The place of each `[modules.<plugin>]`.
    pub(super) modules: BTreeMap<String, Origin>,
    /// Values under `[modules.<plugin>]`.
    pub(super) settings: Vec<(String, String, Raw)>,
    /// Values under `[inputs."<id>"]`, with the place of the table.
    pub(super) inputs: BTreeMap<String, (Origin, BTreeMap<String, Raw>)>,
    /// Entries of sections whose names the site chooses.
    pub(super) items: Items,
    /// What is wrong with the keys.
    pub(super) problems: Vec<Problem>,
}

/// The places where a file is looked for, the first one that exists counts. The flag says that a person named it, so
/// that it has to exist.
pub(super) fn candidates(flag: Option<&Path>, around: &Surroundings) -> (Vec<PathBuf>, bool) {
    if let Some(path) = flag {
        return (vec![path.to_owned()], true);
    }
    if let Some(path) = around.variable("TANCHECK_CONFIG") {
        return (vec![path.into()], true);
    }
    let own = around.folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("tancheck/tancheck.toml"));
    (own.into_iter().chain([around.root.join("etc/tancheck/tancheck.toml")]).collect(), false)
}

/// Reads the first file that exists.
pub(super) fn read(candidates: &[PathBuf], named: bool) -> Result<Option<(PathBuf, String)>, ConfigError> {
    for path in candidates {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                safe(path)?;
                return Ok(Some((path.clone(), text)));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {}
            Err(error) => {
                return Err(ConfigError::one(format!(
                    "failed to read the configuration {}: {error}",
                    path.display()
                )));
            }
        }
    }
    Ok(None)
}

/// Refuses a file that others can write: it names the server, and a program that prints the token.
fn safe(path: &Path) -> Result<(), ConfigError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path)
        .map_err(|error| ConfigError::one(format!("failed to look at {}: {error}", path.display())))?;
    if metadata.is_file() && metadata.mode() & 0o002 != 0 {
        return Err(ConfigError::one(format!(
            "{} can be written by everybody; take that away: chmod o-w {}",
            path.display(),
            path.display()
        )));
    }
    Ok(())
}

/// Takes the text of a file apart.
pub(super) fn parse(path: &Path, text: &str) -> Result<Contents, ConfigError> {
    let walker = Walker { path, lines: Lines::of(text) };
    let table = DeTable::parse(text).map_err(|error| {
        let origin = walker.origin(error.span().map_or(0, |span| span.start));
        ConfigError(vec![Problem::at(&origin, error.message().trim().replace('\n', "; "))])
    })?;
    let mut contents = Contents::default();
    walker.section("", table.get_ref(), &mut contents);
    Ok(contents)
}

struct Walker<'a> {
    path: &'a Path,
    lines: Lines<'a>,
}

pub(super) type Entry<'a> = (&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>);

impl Walker<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let (line, column) = self.lines.place(offset);
        Origin::File { path: self.path.to_owned(), line, column }
    }

    fn section(&self, prefix: &str, table: &DeTable<'_>, contents: &mut Contents) {
        for (name, value) in in_order(table) {
            let path = format!("{prefix}{}", name.get_ref());
            let origin = self.origin(name.span().start);
            if let Some(key) = Key::find(&path) {
                let raw = Raw { value: value_of(value), origin: self.origin(value.span().start) };
                contents.values.push((key, raw));
            } else if prefix == "modules." {
                self.module(name.get_ref(), &origin, value, contents);
            } else if path == "inputs" {
                self.inputs(&origin, value, contents);
            } else if let Some(section) = Section::ALL.into_iter().find(|section| section.path() == path) {
                self.items(section, &origin, value, contents);
            } else if KEYS.iter().any(|key| key.path.starts_with(&format!("{path}."))) {
                match value.get_ref() {
                    DeValue::Table(inner) => self.section(&format!("{path}."), inner, contents),
                    _ => contents
                        .problems
                        .push(Problem::at(&origin, format!("{path} has to be a section: [{path}]"))),
                }
            } else {
                contents.problems.push(Problem::at(&origin, unknown(prefix, name.get_ref())));
            }
        }
    }

    fn module(&self, plugin: &str, origin: &Origin, value: &Spanned<DeValue<'_>>, contents: &mut Contents) {
        let DeValue::Table(settings) = value.get_ref() else {
            let message = match crate::hint::similar(plugin, ["enable"]) {
                Some(meant) => format!("unknown key \"modules.{plugin}\"; did you mean {meant:?}?"),
                None => format!("the settings of a plugin are a section: [modules.{plugin}]"),
            };
            contents.problems.push(Problem::at(origin, message));
            return;
        };
        contents.modules.insert(plugin.to_owned(), origin.clone());
        for (name, value) in in_order(settings) {
            // The place of a setting is its key: what is wrong with it may be the key or the value.
            let raw = Raw { value: value_of(value), origin: self.origin(name.span().start) };
            contents.settings.push((plugin.to_owned(), name.get_ref().to_string(), raw));
        }
    }

    fn items(
        &self,
        section: Section,
        origin: &Origin,
        value: &Spanned<DeValue<'_>>,
        contents: &mut Contents,
    ) {
        let DeValue::Table(items) = value.get_ref() else {
            let message = format!("{0} has to be a section: [{0}]", section.path());
            contents.problems.push(Problem::at(origin, message));
            return;
        };
        for (name, value) in in_order(items) {
            let origin = self.origin(name.span().start);
            if name.get_ref().as_ref() != "*" && nested(section, value.get_ref()) {
                let (path, name) = (section.path(), name.get_ref());
                let message =
                    format!("the id of a check holds a dot and needs quotes: \"{name}.…\" in [{path}]");
                contents.problems.push(Problem::at(&origin, message));
                continue;
            }
            let inner = match value.get_ref() {
                DeValue::Table(table) => in_order(table)
                    .into_iter()
                    .map(|(key, value)| (key.get_ref().to_string(), self.origin(value.span().start)))
                    .collect(),
                _ => BTreeMap::new(),
            };
            let item = Item { origin, value: value_of(value), inner };
            contents.items.insert((section, name.get_ref().to_string()), item);
        }
    }

    fn inputs(&self, origin: &Origin, value: &Spanned<DeValue<'_>>, contents: &mut Contents) {
        let DeValue::Table(inputs) = value.get_ref() else {
            contents.problems.push(Problem::at(origin, "inputs are sections: [inputs.\"<id>\"]"));
            return;
        };
        for (id, value) in in_order(inputs) {
            let origin = self.origin(id.span().start);
            let DeValue::Table(keys) = value.get_ref() else {
                let message = format!("an input is a section: [inputs.\"{}\"]", id.get_ref());
                contents.problems.push(Problem::at(&origin, message));
                continue;
            };
            if keys.values().any(|value| value.get_ref().is_table()) {
                let id = id.get_ref();
                let message = format!("the id of an input holds a dot and needs quotes: [inputs.\"{id}.…\"]");
                contents.problems.push(Problem::at(&origin, message));
                continue;
            }
            let mut found = BTreeMap::new();
            for (name, value) in in_order(keys) {
                let raw = Raw { value: value_of(value), origin: self.origin(value.span().start) };
                if INPUT_KEYS.iter().any(|(key, _)| key == name.get_ref()) {
                    found.insert(name.get_ref().to_string(), raw);
                } else {
                    let known = INPUT_KEYS.iter().map(|(key, _)| *key);
                    let message = format!("unknown key {:?}{}", name.get_ref(), hint(name.get_ref(), known));
                    contents.problems.push(Problem::at(&self.origin(name.span().start), message));
                }
            }
            contents.inputs.insert(id.get_ref().to_string(), (origin, found));
        }
    }
}

/// Whether a table stands where an id with a dot was meant.
fn nested(section: Section, value: &DeValue<'_>) -> bool {
    let DeValue::Table(table) = value else { return false };
    section != Section::Tasks || table.values().any(|value| value.get_ref().is_table())
}

/// A value without its places.
pub(super) fn value_of(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Integer(number) => {
            // What no number type holds stays text, and is refused as what it is.
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or_else(|_| number.to_string().into(), Value::from)
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse().ok().and_then(Number::from_f64);
            parsed.map_or_else(|| number.to_string().into(), Value::Number)
        }
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(values) => values.iter().map(value_of).collect(),
        DeValue::Table(table) => {
            let pairs = in_order(table).into_iter();
            let map: Map<String, Value> =
                pairs.map(|(key, value)| (key.get_ref().to_string(), value_of(value))).collect();
            Value::Object(map)
        }
    }
}

/// The entries of a table as they stand in the file.
pub(super) fn in_order<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

/// What to say about a key that nobody knows.
pub(super) fn unknown(prefix: &str, name: &str) -> String {
    if matches!(name, "token" | "password") {
        return format!(
            "no secret belongs into the configuration: put it into a file and name that in {name}_file (or {name}_env, \
             {name}_command, {name}_fd, {name}_credential)"
        );
    }
    let mut known: Vec<&str> = KEYS
        .iter()
        .filter_map(|key| key.path.strip_prefix(prefix))
        .map(|rest| rest.split_once('.').map_or(rest, |(section, _)| section))
        .chain(prefix.is_empty().then_some("inputs"))
        .chain(site::top_names().filter(|_| prefix.is_empty()))
        .chain((prefix == "calendar.").then_some("tasks"))
        .collect();
    known.dedup();
    format!("unknown key \"{prefix}{name}\"{}", hint(name, known))
}

/// The lines of a text, for places.
pub(super) struct Lines<'a> {
    text: &'a str,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self { text }
    }

    /// Line and column, both from 1, of a byte.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}
