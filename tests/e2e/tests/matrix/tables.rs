//! What the matrix cannot tell by itself: one file for each plugin under `sites/`, each row with its reason.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

type Reasons = BTreeMap<String, String>;

/// The file of one plugin.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Table {
    /// What the site sets for the plugin: `[modules.<plugin>]`.
    pub(crate) settings: toml::Table,
    /// Outcomes on the healthy deployment that are no pass.
    pub(crate) healthy: BTreeMap<String, Healthy>,
    /// Judged checks that no fault of the lab breaks, and where their findings are tested instead.
    pub(crate) elsewhere: Reasons,
    /// Faults that take the whole module away.
    pub(crate) absent: Reasons,
    /// What a fault changes beside the checks it is meant to break: an outcome by check, by fault.
    pub(crate) side_effects: BTreeMap<String, BTreeMap<String, String>>,
    /// What the site, and not the deployment, has wrong.
    pub(crate) changes: BTreeMap<String, Change>,
    /// Inputs that only add to a check, or that another input can stand in for: why it may pass without, by check.
    pub(crate) supplements: BTreeMap<String, Reasons>,
}

/// What a check says of the healthy deployment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Healthy {
    pub(crate) outcome: String,
    /// Words of its reason.
    pub(crate) because: String,
}

/// Something that the site's configuration says wrongly, or that only other places see: a fault without the lab's help.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// What is wrong, in one sentence.
    pub(crate) about: String,
    /// Settings of the plugin, in place of the site's.
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, String>,
    /// Further names, and the names of the lab's listeners behind them.
    #[serde(default)]
    pub(crate) names: BTreeMap<String, String>,
    /// Looks from other places, whose reports are merged.
    #[serde(default)]
    pub(crate) looks: Vec<Look>,
    /// The checks that find it.
    pub(crate) breaks: Vec<String>,
    /// What it changes beside them: checks by outcome.
    #[serde(default)]
    pub(crate) effects: BTreeMap<String, Vec<String>>,
}

/// What is seen from another place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Look {
    pub(crate) vantage: String,
    /// The checks that are run there.
    pub(crate) checks: Vec<String>,
    /// The ports that are closed from there.
    pub(crate) closed: Vec<String>,
}

impl Change {
    /// What it makes of a check; nothing where it leaves it alone.
    pub(crate) fn effect(&self, check: &str) -> Option<&str> {
        if self.breaks.iter().any(|broken| broken == check) {
            return Some("finding");
        }
        let effect = self.effects.iter().find(|(_, checks)| checks.iter().any(|one| one == check));
        effect.map(|(outcome, _)| outcome.as_str())
    }
}

/// The tables of the plugins that are here, by plugin.
static TABLES: LazyLock<BTreeMap<String, Table>> = LazyLock::new(|| {
    enabled()
        .iter()
        .map(|plugin| {
            let path = file(plugin);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
                panic!("{plugin} has no site for the matrix: {}: {error}", path.display())
            });
            let table = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (plugin.clone(), table)
        })
        .collect()
});

fn file(plugin: &str) -> PathBuf {
    tancheck_test_support::site::folder().join(format!("{plugin}.toml"))
}

/// The plugins that `MATRIX_ONLY=a,b` limits the walks to.
static ONLY: LazyLock<Option<Vec<String>>> = LazyLock::new(|| {
    let named = std::env::var("MATRIX_ONLY").ok().filter(|named| !named.trim().is_empty())?;
    let named: Vec<String> = named.split(',').map(|plugin| plugin.trim().to_owned()).collect();
    let known = plugins();
    let unknown: Vec<&String> = named.iter().filter(|plugin| !known.contains(plugin)).collect();
    assert!(unknown.is_empty(), "MATRIX_ONLY names what is no plugin: {unknown:?}");
    Some(named)
});

/// Every plugin of the repository.
fn plugins() -> Vec<String> {
    let packages = tancheck_test_support::plugins();
    packages.iter().map(|name| name.trim_start_matches("tancheck-").to_owned()).collect()
}

/// The plugins of the site: all; with `MATRIX_ONLY` those it names, and what is built and described already.
pub(crate) fn enabled() -> &'static [String] {
    static ENABLED: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut all = plugins();
        if let Some(only) = &*ONLY {
            let ready =
                |plugin: &String| file(plugin).exists() && tancheck_test_support::is_built(&package(plugin));
            all.retain(|plugin| only.contains(plugin) || ready(plugin));
        }
        all
    });
    &ENABLED
}

/// The package of a plugin.
pub(crate) fn package(plugin: &str) -> String {
    format!("tancheck-{plugin}")
}

/// The plugin of a check.
pub(crate) fn plugin_of(check: &str) -> &str {
    check.split('.').next().unwrap_or_default()
}

/// Whether the walks are to look at this plugin.
pub(crate) fn is_walked(plugin: &str) -> bool {
    ONLY.as_ref().is_none_or(|only| only.iter().any(|named| named == plugin))
}

/// All tables.
pub(crate) fn tables() -> &'static BTreeMap<String, Table> {
    &TABLES
}

/// The settings of the plugins, as the configuration writes them.
pub(crate) fn settings() -> String {
    let all = tables().iter().filter(|(_, table)| !table.settings.is_empty());
    let all: toml::Table = all.map(|(id, table)| (id.clone(), table.settings.clone().into())).collect();
    let modules = toml::Table::from_iter([("modules".to_owned(), all.into())]);
    format!("[modules]\nenable = {:?}\n{modules}", enabled())
}

/// The outcome that a check has on the healthy deployment.
pub(crate) fn healthy(check: &str) -> &'static str {
    let table = tables().get(plugin_of(check));
    table.and_then(|table| table.healthy.get(check)).map_or("pass", |healthy| &healthy.outcome)
}

/// Whether a fault takes a plugin's module away.
pub(crate) fn is_absent(plugin: &str, fault: &str) -> bool {
    tables().get(plugin).is_some_and(|table| table.absent.contains_key(fault))
}

/// What a fault makes of a check that it is not meant to break.
pub(crate) fn side_effect(fault: &str, check: &str) -> Option<&'static str> {
    tables().values().find_map(|table| table.side_effects.get(fault)?.get(check)).map(String::as_str)
}

/// The checks that a fault changes, though it is not meant to break them.
pub(crate) fn affected(fault: &str) -> impl Iterator<Item = &'static str> {
    tables()
        .values()
        .filter_map(|table| table.side_effects.get(fault))
        .flat_map(BTreeMap::keys)
        .map(String::as_str)
}

/// Whether a check may pass without this input.
pub(crate) fn is_supplement(check: &str, input: &str) -> bool {
    let table = tables().get(plugin_of(check));
    let supplements = table.and_then(|table| table.supplements.get(check));
    supplements.is_some_and(|inputs| inputs.contains_key(input))
}

/// What the manifests and the lab say, for comparing the tables with it.
struct Known {
    /// The inputs of each check.
    checks: BTreeMap<String, BTreeSet<String>>,
    faults: BTreeSet<&'static str>,
    /// Plugins that are still to come may be named.
    plugins: BTreeSet<String>,
}

impl Known {
    fn new(manifests: &[Value]) -> Self {
        let texts = |list: &Value| -> BTreeSet<String> {
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let checks = manifests.iter().flat_map(|manifest| manifest["checks"].as_array().unwrap());
        let checks = checks.map(|check| (check["id"].as_str().unwrap().to_owned(), texts(&check["inputs"])));
        let checks: BTreeMap<_, _> = checks.collect();
        let plugins = checks.keys().map(|check| plugin_of(check).to_owned()).collect();
        Self { checks, faults: tancheck_lab::faults::ALL.iter().map(|fault| fault.name).collect(), plugins }
    }

    /// Checks of plugins that are not here cannot be compared.
    fn has_check(&self, check: &str) -> bool {
        self.checks.contains_key(check) || !self.plugins.contains(plugin_of(check))
    }

    /// What is wrong with a plugin's table.
    fn problems(&self, plugin: &str, table: &Table) -> Vec<String> {
        let own = table.elsewhere.keys();
        let own = own.chain(table.healthy.keys()).chain(table.supplements.keys());
        let mut problems: Vec<String> = own
            .filter(|check| plugin_of(check) != plugin || !self.checks.contains_key(*check))
            .map(|check| format!("{plugin} has no check {check}"))
            .collect();
        let faults = table.absent.keys().chain(table.side_effects.keys());
        let unknown = faults.filter(|fault| !self.faults.contains(fault.as_str()));
        problems.extend(unknown.map(|fault| format!("the lab has no fault {fault}")));
        let affected = table.side_effects.values().flat_map(BTreeMap::keys);
        problems.extend(
            affected.filter(|check| !self.has_check(check)).map(|check| format!("there is no check {check}")),
        );
        for (check, inputs) in &table.supplements {
            let read = self.checks.get(check);
            let unread = inputs.keys().filter(|input| read.is_some_and(|read| !read.contains(*input)));
            problems.extend(unread.map(|input| format!("{check} does not read {input}")));
        }
        let healthy = table.healthy.iter().filter(|(_, healthy)| healthy.outcome == "pass");
        problems.extend(healthy.map(|(check, _)| format!("{check} passes anyway: no row is needed")));
        let changed =
            table.changes.values().flat_map(|one| one.breaks.iter().chain(one.effects.values().flatten()));
        problems.extend(
            changed.filter(|check| !self.has_check(check)).map(|check| format!("there is no check {check}")),
        );
        let changes = |check: &String| table.changes.values().any(|change| change.breaks.contains(check));
        let broken = table.elsewhere.keys().filter(|check| {
            changes(check)
                || tancheck_lab::faults::ALL.iter().any(|fault| fault.breaks.contains(&check.as_str()))
        });
        problems.extend(broken.map(|check| format!("a fault breaks {check}: it is not tested elsewhere")));
        problems
    }
}

#[test]
fn the_tables_name_what_there_is() {
    let known = Known::new(crate::site::manifests());
    let mut problems: Vec<String> = tables()
        .iter()
        .flat_map(|(plugin, table)| {
            known
                .problems(plugin, table)
                .into_iter()
                .map(move |problem| format!("sites/{plugin}.toml: {problem}"))
        })
        .collect();
    for fault in tancheck_lab::faults::ALL.iter() {
        let unknown = fault.breaks.iter().filter(|check| !known.has_check(check));
        problems
            .extend(unknown.map(|check| format!("fault {} breaks what is no check: {check}", fault.name)));
    }
    for (fault, check) in told_twice() {
        problems.push(format!("two files say what {fault} makes of {check}"));
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Side effects that two files tell.
fn told_twice() -> Vec<(&'static str, &'static str)> {
    let mut seen = BTreeSet::new();
    let all = tables().values().flat_map(|table| &table.side_effects);
    let all =
        all.flat_map(|(fault, checks)| checks.keys().map(move |check| (fault.as_str(), check.as_str())));
    all.filter(|effect| !seen.insert(*effect)).collect()
}
