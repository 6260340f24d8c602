//! What a run needs to know: the inputs of the selected checks. Pure.

use super::select::Selected;
use crate::collect::Want;
use crate::config::settings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tancheck_plugin_api::facts::Supplied;
use tancheck_plugin_api::manifest::Check;

/// A plugin and an input's id.
pub type Place = (String, String);

/// Inputs with what became of them.
pub type Inputs = BTreeMap<Place, Arc<Supplied>>;

/// The inputs that the judges of these checks read, and those that they are repeated over. `site` are the settings
/// that were set, by plugin.
#[must_use]
pub fn wants(selected: &[Selected<'_>], site: &BTreeMap<String, Map<String, Value>>) -> Vec<Want> {
    let of_plugin = |one: &Selected<'_>| {
        let manifest = &one.plugin.manifest;
        let unset = Map::new();
        let settings = settings::resolved(manifest, site.get(&manifest.id).unwrap_or(&unset));
        let judged = one.checks.iter().filter(|check| check.judged);
        let inputs = judged.flat_map(|check| &check.inputs).map(String::as_str);
        let mut wants = Want::of(manifest, inputs, &settings);
        wants.sort_by(|left, right| left.input.id.cmp(&right.input.id));
        wants
    };
    selected.iter().flat_map(of_plugin).collect()
}

/// The inputs of one check, out of all that was collected.
#[must_use]
pub fn supply(plugin: &str, check: &Check, collected: &Inputs) -> BTreeMap<String, Arc<Supplied>> {
    let find = |id: &String| {
        let supplied = collected.get(&(plugin.to_owned(), id.clone()))?;
        Some((id.clone(), Arc::clone(supplied)))
    };
    check.inputs.iter().filter_map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::engine::fakes::{installed_reading, rest, supplied};
    use serde_json::json;
    use tancheck_plugin_api::facts::Body;

    fn all_checks(plugins: &[crate::plugins::Installed]) -> Vec<Selected<'_>> {
        let all = |plugin| Selected { plugin, checks: Vec::from_iter(&plugin.manifest.checks) };
        plugins.iter().map(all).collect()
    }

    fn ids(wants: &[Want]) -> Vec<(&str, &str)> {
        wants.iter().map(|want| (want.plugin.as_str(), want.input.id.as_str())).collect()
    }

    #[test]
    fn what_several_checks_of_a_plugin_read_is_wanted_once_and_with_its_settings() {
        let mut plugin = installed_reading(
            "a",
            &[("a.one", json!({})), ("a.two", json!({})), ("a.task", json!({"judged": false}))],
            &[rest("a.x", "/api/v2/x"), rest("a.y", "/api/v2/y")],
        );
        let settings = json!([
            {"key": "days", "type": "integer", "default": 7},
            {"key": "group", "type": "text", "default": null},
            {"key": "unset", "type": "text", "default": null},
        ]);
        plugin.manifest.settings = serde_json::from_value(settings).unwrap();
        let plugins = [plugin];
        let site = BTreeMap::from([("a".to_owned(), json!({"group": "all"}).as_object().cloned().unwrap())]);
        let wanted = wants(&all_checks(&plugins), &site);
        assert_eq!(ids(&wanted), [("a", "a.x"), ("a", "a.y")]);
        assert_eq!(Value::Object(wanted[0].settings.clone()), json!({"days": 7, "group": "all"}));
    }

    #[test]
    fn a_check_that_is_not_judged_wants_nothing() {
        let plugins =
            [installed_reading("a", &[("a.task", json!({"judged": false}))], &[rest("a.x", "/api/v2/x")])];
        assert!(wants(&all_checks(&plugins), &BTreeMap::new()).is_empty());
    }

    #[test]
    fn a_check_is_supplied_with_what_it_declares_and_nothing_else() {
        let plugin = installed_reading("a", &[("a.one", json!({}))], &[rest("a.x", "/api/v2/x")]);
        let rows = Arc::new(supplied(Body::Rows(Vec::new())));
        let place = |plugin: &str, input: &str| (plugin.to_owned(), input.to_owned());
        let collected = Inputs::from([
            (place("a", "a.x"), Arc::clone(&rows)),
            (place("a", "a.y"), Arc::clone(&rows)),
            (place("b", "a.x"), rows),
        ]);
        let supplied = supply("a", &plugin.manifest.checks[0], &collected);
        assert_eq!(supplied.keys().collect::<Vec<_>>(), ["a.x"]);
    }
}
