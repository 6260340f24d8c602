//! Which checks a run looks at. Pure; an empty selection is an error, because it would look healthy.

use crate::calendar::Task;
use crate::config::Config;
use crate::hint::hint;
use crate::plugins::{Installed, Refusal};
use serde_json::Map;
use std::collections::BTreeSet;
use tancheck_plugin_api::Cadence;
use tancheck_plugin_api::manifest::Check;

/// What the user asked for; everything that is empty or false asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Plugins by id; a named one is looked at even if it is not enabled.
    pub modules: Vec<String>,
    /// Checks by id or earlier id; the plugin of a named one need not be enabled.
    pub checks: Vec<String>,
    /// Checks that the guide asks for this often.
    pub cadences: Vec<Cadence>,
    /// Only checks that were not healthy in their last run.
    pub only_failed: bool,
    /// Leaves out checks that no guide of the vendor asks for.
    pub no_beyond: bool,
    /// Only checks that the calendar wants done now.
    pub due: bool,
    /// Only checks that one of these people or teams answers for.
    pub owners: Vec<String>,
}

impl Filter {
    /// Whether plugins or checks were named, so that what the site enabled does not matter.
    #[must_use]
    pub fn names_something(&self) -> bool {
        !self.modules.is_empty() || !self.checks.is_empty()
    }
}

/// A plugin and those of its checks that were selected, in the order of the guide.
#[derive(Clone, Debug)]
pub struct Selected<'a> {
    /// The plugin.
    pub plugin: &'a Installed,
    /// Its checks; never empty.
    pub checks: Vec<&'a Check>,
}

/// What a run looks at.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// Plugins with their checks, by plugin id.
    pub plugins: Vec<Selected<'a>>,
    /// Enabled plugins whose file was refused, with the reason: they are a hole in the run.
    pub missing: Vec<(String, String)>,
    /// Checks that the site switched off, with the reason.
    pub off: Vec<(String, String)>,
    /// The site enabled what is licensed, and nothing was named: plugins whose module is not there are left out.
    pub only_present: bool,
}

/// Why nothing can be selected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// A plugin that is not installed.
    #[error("there is no plugin {id}{hint}; `tancheck plugins list` shows those that are installed")]
    UnknownModule {
        /// What was named.
        id: String,
        /// The nearest known name.
        hint: String,
    },
    /// A plugin that the configuration enables and that is not installed.
    #[error(
        "modules.enable names {id}, but there is no such plugin{hint}; install it or take it out of the list"
    )]
    UnknownEnabled {
        /// What was named.
        id: String,
        /// The nearest known name.
        hint: String,
    },
    /// A plugin whose file was refused.
    #[error("the plugin {id} cannot be used: {reason}")]
    RefusedModule {
        /// What was named.
        id: String,
        /// Why its file was refused.
        reason: String,
    },
    /// A check that no plugin has.
    #[error("there is no check {id}{hint}; `tancheck checks list` shows all")]
    UnknownCheck {
        /// What was named.
        id: String,
        /// The nearest known name.
        hint: String,
    },
    /// Nobody answers for anything under this name.
    #[error("nobody is called {name:?} in [owners]{hint}")]
    UnknownOwner {
        /// What was named.
        name: String,
        /// The nearest known name.
        hint: String,
    },
    /// Nothing is left.
    #[error("no check is selected: {0}")]
    Empty(String),
    /// Nothing is left, because everything is in date.
    #[error("nothing is due")]
    NothingDue,
}

/// What is known of the site and its history.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s> {
    /// The configuration.
    pub config: &'s Config,
    /// Checks that were not healthy in their last run, where `only_failed` asks for them.
    pub failed: &'s BTreeSet<String>,
    /// Checks that the calendar wants done now, where `due` asks for them.
    pub due: &'s BTreeSet<String>,
}

/// Selects checks.
///
/// # Errors
/// When something unknown was named, or nothing is left.
pub fn select<'a>(
    filter: &Filter,
    site: &Site<'_>,
    installed: &'a [Installed],
    refused: &[Refusal],
) -> Result<Selection<'a>, SelectError> {
    let enabled = site.config.modules.enable.as_deref();
    let named = named_checks(filter, installed, refused)?;
    known_owners(filter, site.config)?;
    let (plugins, missing) = plugins(filter, enabled, installed, refused, &named)?;
    if plugins.is_empty() && missing.is_empty() {
        return Err(SelectError::Empty(without_plugins(enabled, installed, refused)));
    }
    let mut selected = Vec::new();
    let mut off = Vec::new();
    for plugin in plugins {
        let mut checks = Vec::new();
        for check in &plugin.manifest.checks {
            let task = task(site.config, plugin, check);
            if !is_wanted(filter, site, &named, &task) {
                continue;
            }
            match task.off {
                // Who names it wants it.
                Some(reason) if named.is_empty() => off.push((check.id.clone(), reason)),
                _ => checks.push(check),
            }
        }
        if !checks.is_empty() {
            selected.push(Selected { plugin, checks });
        }
    }
    selected.sort_by(|left, right| left.plugin.manifest.id.cmp(&right.plugin.manifest.id));
    off.sort();
    if selected.is_empty() && missing.is_empty() {
        return Err(match filter.due {
            true if site.due.is_empty() => SelectError::NothingDue,
            _ => SelectError::Empty(without_checks(filter, site.failed)),
        });
    }
    let only_present = enabled.is_none() && !filter.names_something();
    Ok(Selection { plugins: selected, missing, off, only_present })
}

/// A check as the site does it.
fn task<'a>(config: &Config, plugin: &'a Installed, check: &'a Check) -> Task<'a> {
    let unset = Map::new();
    let set = config.modules.settings.get(&plugin.manifest.id).unwrap_or(&unset);
    config.calendar.task(&plugin.manifest, check, set)
}

fn is_wanted(filter: &Filter, site: &Site<'_>, named: &BTreeSet<&str>, task: &Task<'_>) -> bool {
    let check = task.check;
    (named.is_empty() || named.contains(check.id.as_str()))
        && (filter.cadences.is_empty() || filter.cadences.iter().any(|one| task.cadence.contains(one)))
        && (filter.owners.is_empty() || filter.owners.iter().any(|one| task.owners.contains(one)))
        && !(filter.no_beyond && check.beyond)
        && (!filter.only_failed || is_among(check, site.failed))
        && (!filter.due || is_among(check, site.due))
}

fn is_among(check: &Check, listed: &BTreeSet<String>) -> bool {
    std::iter::once(&check.id).chain(&check.aliases).any(|id| listed.contains(id))
}

/// Refuses a name that nobody has: nothing would be selected, or the report of another team would look whole.
pub(crate) fn known_owners(filter: &Filter, config: &Config) -> Result<(), SelectError> {
    let known: BTreeSet<&str> = config.calendar.owners.values().flatten().map(String::as_str).collect();
    match filter.owners.iter().find(|name| !known.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let hint = match known.is_empty() {
                true => "; name who answers for what in the configuration, such as \"backup\" = \"ann\""
                    .to_owned(),
                false => hint(name, known),
            };
            Err(SelectError::UnknownOwner { name: name.clone(), hint })
        }
    }
}

/// The present ids of the named checks.
fn named_checks<'a>(
    filter: &Filter,
    installed: &'a [Installed],
    refused: &[Refusal],
) -> Result<BTreeSet<&'a str>, SelectError> {
    let known = || installed.iter().flat_map(|plugin| &plugin.manifest.checks).map(|check| check.id.as_str());
    let find = |id: &String| {
        if let Some(check) = installed.iter().find_map(|plugin| plugin.manifest.check(id)) {
            return Ok(check.id.as_str());
        }
        let plugin = id.split('.').next();
        Err(match refused.iter().find(|one| one.id.as_deref() == plugin) {
            Some(one) => SelectError::RefusedModule {
                id: plugin.unwrap_or_default().to_owned(),
                reason: one.reason.clone(),
            },
            None => SelectError::UnknownCheck { id: id.clone(), hint: hint(id, known()) },
        })
    };
    filter.checks.iter().map(find).collect()
}

/// The plugins that are looked at, and those that should be but were refused.
#[expect(clippy::type_complexity, reason = "two lists that belong together, used once")]
fn plugins<'a>(
    filter: &Filter,
    enabled: Option<&[String]>,
    installed: &'a [Installed],
    refused: &[Refusal],
    named: &BTreeSet<&str>,
) -> Result<(Vec<&'a Installed>, Vec<(String, String)>), SelectError> {
    let known = || installed.iter().map(|plugin| plugin.manifest.id.as_str());
    let find = |id: &str| installed.iter().find(|plugin| plugin.manifest.id == id);
    let refusal = |id: &str| refused.iter().find(|one| one.id.as_deref() == Some(id)).map(|one| &one.reason);
    if !filter.modules.is_empty() {
        let mut found = Vec::new();
        for id in &filter.modules {
            match (find(id), refusal(id)) {
                (Some(plugin), _) => found.push(plugin),
                (None, Some(reason)) => {
                    return Err(SelectError::RefusedModule { id: id.clone(), reason: reason.clone() });
                }
                (None, None) => {
                    let hint = hint(id, known());
                    return Err(SelectError::UnknownModule { id: id.clone(), hint });
                }
            }
        }
        found.sort_by(|left, right| left.manifest.id.cmp(&right.manifest.id));
        found.dedup_by(|left, right| left.manifest.id == right.manifest.id);
        return Ok((found, Vec::new()));
    }
    if !named.is_empty() {
        let has = |plugin: &&Installed| {
            plugin.manifest.checks.iter().any(|check| named.contains(check.id.as_str()))
        };
        return Ok((installed.iter().filter(has).collect(), Vec::new()));
    }
    let Some(enabled) = enabled else {
        return Ok((installed.iter().collect(), Vec::new()));
    };
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in BTreeSet::from_iter(enabled) {
        match (find(id), refusal(id)) {
            (Some(plugin), _) => found.push(plugin),
            (None, Some(reason)) => missing.push((id.clone(), reason.clone())),
            (None, None) => {
                let hint = hint(id, known());
                return Err(SelectError::UnknownEnabled { id: id.clone(), hint });
            }
        }
    }
    Ok((found, missing))
}

fn without_plugins(enabled: Option<&[String]>, installed: &[Installed], refused: &[Refusal]) -> String {
    if let (true, Some(first)) = (installed.is_empty(), refused.first()) {
        let (path, reason) = (first.path.display(), &first.reason);
        format!(
            "none of the plugins that were found can be used ({}); the first is {path}: {reason}",
            refused.len()
        )
    } else if installed.is_empty() {
        "no plugin is installed; `tancheck doctor` shows where plugins are looked for".to_owned()
    } else if enabled.is_some_and(<[String]>::is_empty) {
        "modules.enable is empty; name the modules there, or use enable = \"licensed\"".to_owned()
    } else {
        "no plugin is enabled".to_owned()
    }
}

fn without_checks(filter: &Filter, failed: &BTreeSet<String>) -> String {
    if filter.only_failed && failed.is_empty() {
        return "--only-failed looks at what was not healthy in the last run, and nothing was (or there was none)"
            .to_owned();
    }
    let mut asked = Vec::new();
    asked.extend(filter.modules.iter().map(|module| format!("--module {module}")));
    asked.extend(filter.checks.iter().map(|check| format!("--check {check}")));
    asked.extend(filter.cadences.iter().map(|cadence| format!("--cadence {}", cadence.name())));
    asked.extend(filter.owners.iter().map(|owner| format!("--owner {owner}")));
    asked.extend(filter.due.then(|| "--due".to_owned()));
    asked.extend(filter.only_failed.then(|| "--only-failed".to_owned()));
    asked.extend(filter.no_beyond.then(|| "--no-beyond".to_owned()));
    format!("no check of the enabled modules fits {}", asked.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::task::OfTask;
    use crate::run::engine::fakes::{config, installed, refusal};
    use serde_json::json;

    fn catalog() -> Vec<Installed> {
        vec![
            installed("patch", &[("patch.scans", json!({"cadence": ["weekly"]}))]),
            installed(
                "connect",
                &[
                    ("connect.failed", json!({"cadence": ["monthly"], "aliases": ["connect.failing"]})),
                    ("connect.extra", json!({"cadence": ["weekly"], "beyond": true})),
                ],
            ),
        ]
    }

    fn choose<'a>(
        filter: &Filter,
        config: &Config,
        installed: &'a [Installed],
        refused: &[Refusal],
        failed: &BTreeSet<String>,
    ) -> Result<Selection<'a>, SelectError> {
        let due = BTreeSet::from(["connect.failing".to_owned()]);
        select(filter, &Site { config, failed, due: &due }, installed, refused)
    }

    #[test]
    fn the_site_says_what_is_off_how_often_and_whose() {
        let mut config = config();
        let weekly = OfTask { cadence: Some(Cadence::Weekly), ..OfTask::default() };
        let off = OfTask { off: Some("not ours".to_owned()), ..OfTask::default() };
        config.calendar.tasks.insert("connect.failed".to_owned(), weekly);
        config.calendar.tasks.insert("patch".to_owned(), off);
        config.calendar.owners.insert("connect".to_owned(), vec!["ann".to_owned()]);
        let catalog = catalog();
        let chosen = |filter: &Filter| {
            let selection = choose(filter, &config, &catalog, &[], &BTreeSet::new())
                .map_err(|error| error.to_string())?;
            let checks = selection.plugins.iter().flat_map(|one| &one.checks);
            Ok::<_, String>((checks.map(|check| check.id.clone()).collect::<Vec<_>>(), selection.off))
        };
        let (checks, off) = chosen(&Filter { cadences: vec![Cadence::Weekly], ..Filter::default() }).unwrap();
        assert_eq!(checks, ["connect.failed", "connect.extra"]);
        assert_eq!(off, [("patch.scans".to_owned(), "not ours".to_owned())]);
        let named = Filter { checks: owned(&["patch.scans"]), ..Filter::default() };
        assert_eq!(chosen(&named).unwrap().0, ["patch.scans"], "who names it wants it");
        let ann = Filter { owners: owned(&["ann"]), due: true, ..Filter::default() };
        assert_eq!(chosen(&ann).unwrap().0, ["connect.failed"]);
        let unknown = chosen(&Filter { owners: owned(&["anm"]), ..Filter::default() }).unwrap_err();
        assert!(unknown.contains("did you mean \"ann\"?"), "{unknown}");
    }

    fn ids(filter: &Filter, enabled: Option<&[&str]>) -> Result<Vec<String>, String> {
        let enabled: Option<Vec<String>> = enabled.map(|ids| ids.iter().map(|&id| id.to_owned()).collect());
        let refused = [refusal("broken", "its hash is not pinned")];
        let failed = BTreeSet::from(["connect.failing".to_owned()]);
        let catalog = catalog();
        let mut config = config();
        config.modules.enable = enabled;
        choose(filter, &config, &catalog, &refused, &failed)
            .map(|selection| {
                let checks = selection.plugins.iter().flat_map(|one| &one.checks);
                checks.map(|check| check.id.clone()).collect()
            })
            .map_err(|error| error.to_string())
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn what_is_enabled_is_selected_in_the_order_of_ids() {
        let all = ["connect.failed", "connect.extra", "patch.scans"];
        assert_eq!(ids(&Filter::default(), None).unwrap(), all);
        assert_eq!(ids(&Filter::default(), Some(&["patch"])).unwrap(), ["patch.scans"]);
        assert_eq!(ids(&Filter::default(), Some(&["patch", "patch"])).unwrap(), ["patch.scans"]);
    }

    #[test]
    fn filters_narrow() {
        let weekly = Filter { cadences: vec![Cadence::Weekly], ..Filter::default() };
        assert_eq!(ids(&weekly, None).unwrap(), ["connect.extra", "patch.scans"]);
        let guide = Filter { no_beyond: true, ..weekly };
        assert_eq!(ids(&guide, None).unwrap(), ["patch.scans"]);
        let failed = Filter { only_failed: true, ..Filter::default() };
        assert_eq!(ids(&failed, None).unwrap(), ["connect.failed"], "known by its earlier id");
    }

    #[test]
    fn what_is_named_need_not_be_enabled() {
        let module = Filter { modules: owned(&["connect", "connect"]), ..Filter::default() };
        assert_eq!(ids(&module, Some(&["patch"])).unwrap(), ["connect.failed", "connect.extra"]);
        let check = Filter { checks: owned(&["connect.failing"]), ..Filter::default() };
        assert_eq!(ids(&check, Some(&["patch"])).unwrap(), ["connect.failed"], "named by its earlier id");
    }

    #[test]
    fn what_is_unknown_is_refused_with_a_suggestion() {
        let module = Filter { modules: owned(&["conect"]), ..Filter::default() };
        assert!(ids(&module, None).unwrap_err().contains("did you mean \"connect\"?"));
        let check = Filter { checks: owned(&["connect.faild"]), ..Filter::default() };
        assert!(ids(&check, None).unwrap_err().contains("did you mean \"connect.failed\"?"));
        assert!(ids(&Filter::default(), Some(&["ptch"])).unwrap_err().contains("did you mean \"patch\"?"));
        let refused = Filter { modules: owned(&["broken"]), ..Filter::default() };
        assert!(ids(&refused, None).unwrap_err().contains("its hash is not pinned"));
    }

    #[test]
    fn an_empty_selection_is_an_error_that_says_why() {
        let annual = Filter { cadences: vec![Cadence::Annual], ..Filter::default() };
        assert!(ids(&annual, None).unwrap_err().contains("--cadence annual"));
        assert!(ids(&Filter::default(), Some(&[])).unwrap_err().contains("modules.enable is empty"));
        let nothing_failed = Filter { only_failed: true, ..Filter::default() };
        let catalog = catalog();
        let error = choose(&nothing_failed, &config(), &catalog, &[], &BTreeSet::new()).unwrap_err();
        assert!(error.to_string().contains("--only-failed"));
        let error = choose(&Filter::default(), &config(), &[], &[], &BTreeSet::new()).unwrap_err();
        assert!(error.to_string().contains("no plugin is installed"));
        let refused = [refusal("broken", "its hash is not pinned")];
        let error = choose(&Filter::default(), &config(), &[], &refused, &BTreeSet::new()).unwrap_err();
        assert!(error.to_string().contains("its hash is not pinned"));
        let of_refused = Filter { checks: owned(&["broken.check"]), ..Filter::default() };
        let error = choose(&of_refused, &config(), &catalog, &refused, &BTreeSet::new()).unwrap_err();
        assert!(matches!(error, SelectError::RefusedModule { .. }));
    }

    #[test]
    fn an_enabled_plugin_that_was_refused_is_a_hole_not_an_error() {
        let refused = [refusal("broken", "its hash is not pinned")];
        let catalog = catalog();
        let mut config = config();
        config.modules.enable = Some(owned(&["broken", "patch"]));
        let selection = choose(&Filter::default(), &config, &catalog, &refused, &BTreeSet::new()).unwrap();
        assert_eq!(selection.missing, [("broken".to_owned(), "its hash is not pinned".to_owned())]);
    }
}
