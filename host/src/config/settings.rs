//! Settings of plugins: checked against the manifests, and filled up with their defaults.

use super::file::Raw;
use super::keys;
use super::origin::Problem;
use crate::hint::hint;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tancheck_plugin_api::manifest::{Manifest, Setting};

/// The settings of one plugin as the site wrote them, by key.
pub type RawSettings = BTreeMap<String, Raw>;

/// What is wrong with the settings of a plugin; each problem names the key, what is accepted, and the place.
#[must_use]
pub fn check(manifest: &Manifest, raw: &RawSettings) -> Vec<Problem> {
    typed(manifest, raw).1
}

/// The settings with the types that the manifest asks for, and what is wrong with the others.
#[must_use]
pub fn typed(manifest: &Manifest, raw: &RawSettings) -> (Map<String, Value>, Vec<Problem>) {
    let mut good = Map::new();
    let mut problems = Vec::new();
    for (key, raw) in raw {
        let Some(setting) = manifest.setting(key) else {
            let known = manifest.settings.iter().map(|setting| setting.key.as_str());
            let hint = match manifest.settings.as_slice() {
                [] => "; this plugin has no settings".to_owned(),
                _ => hint(key, known),
            };
            let message = format!("the plugin {} has no setting {key:?}{hint}", manifest.id);
            problems.push(Problem::at(&raw.origin, message));
            continue;
        };
        match read(setting, &raw.value, raw.origin.is_text()) {
            Some(value) => {
                good.insert(key.clone(), value);
            }
            None => {
                let (plugin, accepted) = (&manifest.id, accepts(setting));
                let message =
                    format!("modules.{plugin}.{key} is {}; it has to be {accepted}", shown(&raw.value));
                problems.push(Problem::at(&raw.origin, message));
            }
        }
    }
    (good, problems)
}

/// The settings in force: those of the site, and the defaults of the others. A setting without default stays away.
#[must_use]
pub fn resolved(manifest: &Manifest, set: &Map<String, Value>) -> Map<String, Value> {
    let in_force = |setting: &Setting| {
        let value = set.get(&setting.key).unwrap_or(&setting.default);
        (!value.is_null()).then(|| (setting.key.clone(), value.clone()))
    };
    manifest.settings.iter().filter_map(in_force).collect()
}

/// What a setting accepts, for people.
#[must_use]
pub fn accepts(setting: &Setting) -> String {
    match setting.r#type.as_str() {
        "integer" => {
            let unit = if setting.unit.is_empty() { String::new() } else { format!(" ({})", setting.unit) };
            let range = match (setting.min, setting.max) {
                (Some(min), Some(max)) => format!(" from {min} to {max}"),
                (Some(min), None) => format!(", {min} or more"),
                (None, Some(max)) => format!(", {max} or less"),
                (None, None) => String::new(),
            };
            format!("a whole number{range}{unit}")
        }
        "flag" => "true or false".to_owned(),
        "choice" => {
            let words: Vec<String> = setting.among.iter().map(|word| format!("{word:?}")).collect();
            format!("one of {}", words.join(", "))
        }
        "list" => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
        "table" => "a table of lists of texts, such as { a = [\"b\", \"c\"] }".to_owned(),
        _ => "one line of text".to_owned(),
    }
}

fn read(setting: &Setting, value: &Value, text: bool) -> Option<Value> {
    let value = if text { out_of_text(setting, value.as_str()?)? } else { value.clone() };
    setting.takes(&value).then_some(value)
}

/// The value that a variable or a flag means.
fn out_of_text(setting: &Setting, text: &str) -> Option<Value> {
    Some(match setting.r#type.as_str() {
        "integer" => text.trim().parse::<i64>().ok()?.into(),
        "flag" => keys::flag(&text.into(), true)?.into(),
        "list" => keys::words(&text.into(), true)?.into(),
        "table" => serde_json::from_str(text).ok()?,
        _ => text.into(),
    })
}

/// A value in a message: short, on one line.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
