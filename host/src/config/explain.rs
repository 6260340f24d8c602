//! `config explain`: the value of a key, where it comes from, what it does, and what it accepts.

use super::environment::variable_of;
use super::keys::INPUT_KEYS;
use super::layers::{Layers, keys};
use super::origin::{ConfigError, Origin};
use super::{settings, site};
use crate::hint::hint;
use serde::Serialize;
use serde_json::{Value, json};
use tancheck_plugin_api::manifest::Manifest;

/// One key, explained.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Explanation {
    /// Section and name, with dots.
    pub key: String,
    /// The value in force; `null` where there is none. Keys that lead to a secret show where it is read from.
    pub value: Value,
    /// Why the site chose it, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the value comes from: `default`, `file`, `variable` or `flag`.
    pub from: String,
    /// The exact place: file, line and column; the variable; the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Places that say something else and are overruled, the strongest first.
    pub overrules: Vec<String>,
    /// What the key does.
    pub about: String,
    /// What it accepts.
    pub accepts: String,
    /// The environment variable that sets it; `null` for keys that only the file can set.
    pub variable: Option<String>,
}

impl Layers {
    /// Explains a key, all keys of a section, or (without a key) everything.
    ///
    /// # Errors
    /// When no key and no section has this name.
    pub fn explain(
        &self,
        key: Option<&str>,
        manifests: &[&Manifest],
    ) -> Result<Vec<Explanation>, ConfigError> {
        let mut all: Vec<Explanation> =
            keys().map(|key| self.known(key.path, key.about, key.takes.accepts())).collect();
        for manifest in manifests {
            all.extend(manifest.settings.iter().map(|setting| self.setting(manifest, setting)));
        }
        for (id, input) in self.inputs() {
            let values = [input.service, Some(input.path), input.rows];
            for ((name, about), value) in INPUT_KEYS.into_iter().zip(values) {
                all.push(Explanation {
                    key: format!("inputs.{id}.{name}"),
                    value: json!(value),
                    reason: self.reason_of(&format!("inputs.{id}.{name}")).map(str::to_owned),
                    from: "file".to_owned(),
                    place: self.file().map(|file| file.display().to_string()),
                    overrules: Vec::new(),
                    about: about.to_owned(),
                    accepts: "one line of text".to_owned(),
                    variable: None,
                });
            }
        }
        all.extend(self.explained_items());
        all.extend(site::empty_sections(&self.items));
        let Some(wanted) = key else { return Ok(all) };
        let names: Vec<String> = all.iter().map(|one| one.key.clone()).collect();
        let section = format!("{wanted}.");
        all.retain(|one| one.key == wanted || one.key.starts_with(&section));
        if all.is_empty() {
            let hint = hint(wanted, names.iter().map(String::as_str));
            return Err(ConfigError::one(format!(
                "no key is called {wanted:?}{hint}; \"tancheck config explain\" lists them all"
            )));
        }
        Ok(all)
    }

    fn known(&self, path: &str, about: &str, accepts: String) -> Explanation {
        let value = self.values.get(path);
        self.explanation(
            path,
            value.map_or(Value::Null, |(typed, _)| typed.shown()),
            &self.origin(path),
            about.to_owned(),
            accepts,
        )
    }

    fn setting(&self, manifest: &Manifest, setting: &tancheck_plugin_api::manifest::Setting) -> Explanation {
        let path = format!("modules.{}.{}", manifest.id, setting.key);
        let set = self.raw_settings(&manifest.id).remove(&setting.key);
        let origin = set.map_or(Origin::Default, |raw| raw.origin);
        let value = self.settings(manifest).get(&setting.key).unwrap_or(&setting.default).clone();
        let mut about = setting.about.clone();
        if setting.from_guide {
            about.push_str(" The default is the maintenance guide's.");
        }
        self.explanation(&path, value, &origin, about.trim().to_owned(), settings::accepts(setting))
    }

    fn explanation(
        &self,
        path: &str,
        value: Value,
        origin: &Origin,
        about: String,
        accepts: String,
    ) -> Explanation {
        let overruled = self.overruled.get(path).map(Vec::as_slice).unwrap_or_default();
        let is_command = path.ends_with("_command");
        Explanation {
            key: path.to_owned(),
            // Some programs take a passphrase as an argument.
            reason: self.reason_of(path).map(str::to_owned),
            value: if is_command { value.get(0).cloned().unwrap_or_default() } else { value },
            from: origin.kind().to_owned(),
            place: (*origin != Origin::Default).then(|| origin.to_string()),
            overrules: overruled
                .iter()
                .rev()
                .filter(|below| **below != Origin::Default)
                .map(ToString::to_string)
                .collect(),
            about,
            accepts,
            variable: Some(variable_of(path)),
        }
    }
}
