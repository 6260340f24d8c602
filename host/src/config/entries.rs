//! Files beside the configuration that people write by hand: entries with their places, so that every complaint names
//! file and line.

use super::file::{Lines, in_order, value_of};
use super::origin::{ConfigError, Origin, Problem};
use serde_json::Value;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// An entry, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name; empty where it has none.
    pub name: String,
    /// What it says.
    pub value: Value,
    /// Where it begins.
    pub place: Origin,
}

/// The top of a file: values by name, and the tables of a list of tables one by one, all in the order of the file.
///
/// # Errors
/// When the text is no TOML.
pub fn read(path: &Path, text: &str) -> Result<Vec<Entry>, ConfigError> {
    let lines = Lines::of(text);
    let origin = |offset: usize| {
        let (line, column) = lines.place(offset);
        Origin::File { path: path.to_owned(), line, column }
    };
    let table = DeTable::parse(text).map_err(|error| {
        let place = origin(error.span().map_or(0, |span| span.start));
        ConfigError(vec![Problem::at(&place, error.message().trim().replace('\n', "; "))])
    })?;
    let mut entries = Vec::new();
    for (name, value) in in_order(table.get_ref()) {
        let entry = |value: &Spanned<DeValue<'_>>, offset: usize| Entry {
            name: name.get_ref().to_string(),
            value: value_of(value),
            place: origin(offset),
        };
        match value.get_ref() {
            DeValue::Array(list) if !list.is_empty() && list.iter().all(|one| one.get_ref().is_table()) => {
                entries.extend(list.iter().map(|one| entry(one, one.span().start)));
            }
            _ => entries.push(entry(value, name.span().start)),
        }
    }
    Ok(entries)
}
