//! Values from the environment and from flags. One scheme for all keys: `TANCHECK_`, then the key in capitals, with
//! two underscores for a dot and one for a hyphen: `deployment.url` is `TANCHECK_DEPLOYMENT__URL`, the setting
//! `stale_days` of the plugin `client-management` is `TANCHECK_MODULES__CLIENT_MANAGEMENT__STALE_DAYS`.

use super::file::{Contents, Raw, unknown};
use super::keys::{KEYS, Key};
use super::origin::{Origin, Problem};
use super::site::file_only;
use super::{Flags, Surroundings};
use crate::hint::hint;
use serde_json::Value;

const PREFIX: &str = "TANCHECK_";

/// The variable of a key.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").replace('-', "_").to_ascii_uppercase())
}

/// Values of variables.
pub(super) fn variables(around: &Surroundings) -> Contents {
    let mut contents = Contents::default();
    for (name, value) in &around.variables {
        // Variables without a double underscore are not of this scheme: `token_env = "TANCHECK_TOKEN"` is one.
        let Some(path) = name.strip_prefix(PREFIX).filter(|path| path.contains("__")) else { continue };
        let raw = Raw { value: Value::String(value.clone()), origin: Origin::Variable(name.clone()) };
        if let Some(key) = KEYS.iter().find(|key| variable_of(key.path) == *name) {
            contents.values.push((key, raw));
        } else if let Some((plugin, key)) =
            path.strip_prefix("MODULES__").and_then(|path| path.split_once("__"))
        {
            let plugin = plugin.to_ascii_lowercase().replace('_', "-");
            contents.modules.entry(plugin.clone()).or_insert_with(|| raw.origin.clone());
            contents.settings.push((plugin, key.to_ascii_lowercase(), raw));
        } else {
            let known: Vec<String> = KEYS.iter().map(|key| variable_of(key.path)).collect();
            let message = format!("no key has this name{}", hint(name, known.iter().map(String::as_str)));
            contents.problems.push(Problem::at(&raw.origin, message));
        }
    }
    contents
}

/// Values of flags.
pub(super) fn flags(flags: &Flags) -> Contents {
    let mut contents = Contents::default();
    for set in &flags.set {
        let raw = Raw { value: Value::String(set.value.clone()), origin: Origin::Flag(set.flag.clone()) };
        let parts: Vec<&str> = set.key.splitn(3, '.').collect();
        match (Key::find(&set.key), parts.as_slice()) {
            (Some(key), _) => contents.values.push((key, raw)),
            (None, ["modules", plugin, key]) => {
                contents.modules.entry((*plugin).to_owned()).or_insert_with(|| raw.origin.clone());
                contents.settings.push(((*plugin).to_owned(), (*key).to_owned(), raw));
            }
            (None, ["inputs", ..]) => {
                let message = "inputs are re-pointed in the configuration file only";
                contents.problems.push(Problem::at(&raw.origin, message));
            }
            (None, _) if file_only(&set.key).is_some() => {
                let message = format!("{} is set in the configuration file only", set.key);
                contents.problems.push(Problem::at(&raw.origin, message));
            }
            (None, _) => {
                let (section, name) = set.key.rsplit_once('.').unwrap_or(("", &set.key));
                let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
                contents.problems.push(Problem::at(&raw.origin, unknown(&prefix, name)));
            }
        }
    }
    contents
}
