//! What a run needs to know: the inputs of the selected checks, each definition once. Pure.

use super::select::Selected;
use crate::collect::Want;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::facts::Supplied;
use tancheck_plugin_api::manifest::{Check, Input, Manifest};

/// A plugin and an input's id.
pub type Key = (String, String);

/// What is to be collected, and whom it serves.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// Each definition once.
    pub list: Vec<Want>,
    /// For each plugin and input: the want that serves it.
    pub served_by: BTreeMap<Key, Key>,
}

impl Wants {
    /// The inputs of these checks, and those that they are repeated over. `settings` are the site's own.
    #[must_use]
    pub fn of(selected: &[Selected<'_>], settings: &BTreeMap<String, Map<String, Value>>) -> Self {
        let mut wants = Self::default();
        // By definition: two plugins that read the same platform input share it.
        let mut known: BTreeMap<String, Key> = BTreeMap::new();
        for one in selected {
            let manifest = &one.plugin.manifest;
            let settings = effective_settings(manifest, settings.get(&manifest.id));
            for id in inputs_of(manifest, &one.checks) {
                let Some(input) = manifest.input(&id) else { continue };
                let key = (manifest.id.clone(), id);
                let definition = definition(&manifest.id, input, &settings);
                let server = known.entry(definition).or_insert_with(|| {
                    let (plugin, input, settings) = (manifest.id.clone(), input.clone(), settings.clone());
                    wants.list.push(Want { plugin, input, settings });
                    key.clone()
                });
                wants.served_by.insert(key, server.clone());
            }
        }
        wants
    }

    /// How many needs were served by another plugin's want.
    #[must_use]
    pub fn shared(&self) -> u64 {
        self.served_by.iter().filter(|(key, server)| key != server).count() as u64
    }

    /// The inputs of one check, out of all that was collected.
    #[must_use]
    pub fn supply(
        &self,
        plugin: &str,
        check: &Check,
        collected: &BTreeMap<Key, Supplied>,
    ) -> BTreeMap<String, Supplied> {
        let find = |id: &String| {
            let server = self.served_by.get(&(plugin.to_owned(), id.clone()))?;
            collected.get(server).map(|supplied| (id.clone(), supplied.clone()))
        };
        check.inputs.iter().filter_map(find).collect()
    }
}

/// The site's settings over the defaults; what has neither is left out.
#[must_use]
pub fn effective_settings(manifest: &Manifest, site: Option<&Map<String, Value>>) -> Map<String, Value> {
    let value = |setting: &tancheck_plugin_api::manifest::Setting| {
        let value = site.and_then(|site| site.get(&setting.key)).unwrap_or(&setting.default);
        (!value.is_null()).then(|| (setting.key.clone(), value.clone()))
    };
    manifest.settings.iter().filter_map(value).collect()
}

/// The inputs that checks read, and those whose rows these are repeated over.
fn inputs_of(manifest: &Manifest, checks: &[&Check]) -> BTreeSet<String> {
    let mut open: Vec<&str> = checks
        .iter()
        .filter(|check| check.judged)
        .flat_map(|check| &check.inputs)
        .map(String::as_str)
        .collect();
    let mut all = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !all.insert(id.to_owned()) {
            continue;
        }
        let sources = manifest.input(id).into_iter().flat_map(|input| &input.sources);
        open.extend(sources.filter_map(|source| source.each.as_ref()?.input.as_deref()));
    }
    all
}

/// What makes two inputs the same: their definition; and their plugin, where it depends on settings or is not one of
/// the platform's.
fn definition(plugin: &str, input: &Input, settings: &Map<String, Value>) -> String {
    let text = serde_json::to_string(input).unwrap_or_default();
    let depends = text.contains("{setting:")
        || input.sources.iter().any(|source| source.each.as_ref().is_some_and(|each| each.setting.is_some()));
    match (input.id.starts_with("platform."), depends) {
        (true, false) => text,
        (true, true) => format!("{text} {}", Value::Object(settings.clone())),
        (false, _) => format!("{plugin} {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::engine::fakes::{installed_reading, rest};
    use serde_json::json;

    fn all_checks(plugins: &[crate::plugins::Installed]) -> Vec<Selected<'_>> {
        plugins
            .iter()
            .map(|plugin| Selected { plugin, checks: plugin.manifest.checks.iter().collect() })
            .collect()
    }

    #[test]
    fn equal_platform_inputs_are_wanted_once_and_unequal_ones_each() {
        let users = rest("platform.users", "/api/v2/users");
        let other = rest("platform.users", "/api/v2/users?details=1");
        let plugins = [
            installed_reading("a", &[("a.one", json!({}))], &[users.clone(), rest("a.own", "/api/v2/x")]),
            installed_reading("b", &[("b.one", json!({}))], &[users]),
            installed_reading("c", &[("c.one", json!({}))], &[other]),
        ];
        let wants = Wants::of(&all_checks(&plugins), &BTreeMap::new());
        let listed: Vec<_> =
            wants.list.iter().map(|want| (want.plugin.as_str(), want.input.id.as_str())).collect();
        assert_eq!(listed, [("a", "a.own"), ("a", "platform.users"), ("c", "platform.users")]);
        assert_eq!(wants.shared(), 1);
        let served = &wants.served_by[&("b".to_owned(), "platform.users".to_owned())];
        assert_eq!(served.0, "a");
    }

    #[test]
    fn an_input_that_depends_on_settings_is_shared_only_with_the_same_settings() {
        let group = rest("platform.group", "/api/v2/groups/{setting:group}");
        let plugin = |id: &str| {
            installed_reading(id, &[(&format!("{id}.one"), json!({}))], std::slice::from_ref(&group))
        };
        let plugins = [plugin("a"), plugin("b"), plugin("c")];
        let mut plugins = plugins.to_vec();
        for plugin in &mut plugins {
            let setting = json!({"key": "group", "type": "text", "default": null});
            plugin.manifest.settings = vec![serde_json::from_value(setting).unwrap()];
        }
        let site = |group: &str| json!({"group": group}).as_object().cloned().unwrap();
        let settings = BTreeMap::from([
            ("a".to_owned(), site("x")),
            ("b".to_owned(), site("x")),
            ("c".to_owned(), site("y")),
        ]);
        let wants = Wants::of(&all_checks(&plugins), &settings);
        assert_eq!(wants.list.len(), 2);
        assert_eq!(wants.list[0].settings, site("x"));
    }

    #[test]
    fn an_input_brings_the_one_it_is_repeated_over() {
        let mut runs = rest("a.runs", "/api/v2/connections/{id}/runs");
        runs.sources[0].each = serde_json::from_value(json!({
            "input": "a.connections", "variables": [["id", "id"]], "limit": 5
        }))
        .unwrap();
        let mut plugin = installed_reading(
            "a",
            &[("a.one", json!({}))],
            &[runs, rest("a.connections", "/api/v2/connections")],
        );
        plugin.manifest.checks[0].inputs = vec!["a.runs".to_owned()];
        let plugins = [plugin];
        let wants = Wants::of(&all_checks(&plugins), &BTreeMap::new());
        let ids: Vec<_> = wants.list.iter().map(|want| want.input.id.as_str()).collect();
        assert_eq!(ids, ["a.connections", "a.runs"]);
    }

    #[test]
    fn a_check_is_supplied_with_what_it_declares_and_nothing_else() {
        let plugins = [installed_reading(
            "a",
            &[("a.one", json!({})), ("a.two", json!({}))],
            &[rest("a.x", "/api/v2/x"), rest("a.y", "/api/v2/y")],
        )];
        let mut plugins = plugins.to_vec();
        plugins[0].manifest.checks[0].inputs = vec!["a.x".to_owned()];
        let wants = Wants::of(&all_checks(&plugins), &BTreeMap::new());
        let body = tancheck_plugin_api::facts::Body::Rows(Vec::new());
        let collected = wants
            .list
            .iter()
            .map(|want| {
                let key = (want.plugin.clone(), want.input.id.clone());
                (key, crate::run::engine::fakes::supplied(body.clone()))
            })
            .collect();
        let supplied = wants.supply("a", &plugins[0].manifest.checks[0], &collected);
        assert_eq!(supplied.keys().collect::<Vec<_>>(), ["a.x"]);
    }
}
