//! Which modules the deployment has: imported solutions and the licence. Pure.
//!
//! What cannot be read proves nothing: then the checks run, and say themselves what they find.

use super::document::Module;
use crate::calendar::day;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use tancheck_plugin_api::facts::{Body, Supplied};
use tancheck_plugin_api::manifest::{Input, Manifest, Solution};
use tancheck_plugin_api::records::server::{ImportedSolution, LICENSE, License, LicensedSolution, SOLUTIONS};
use tancheck_plugin_api::{Check, Plugin};

/// Under this name the engine itself asks for inputs.
pub const HOST: &str = "tancheck";

/// The inputs that tell which modules are there.
pub static INPUTS: LazyLock<Vec<Input>> = LazyLock::new(|| {
    const READS: Check = Check::automated("tancheck.presence").reads(&[&LICENSE, &SOLUTIONS]);
    const PLUGIN: Plugin = Plugin::new(HOST, "tancheck", env!("CARGO_PKG_VERSION")).checks(&[&READS]);
    Manifest::of(&PLUGIN).inputs
});

/// Whether a plugin's module is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is imported and licensed, or cannot be told apart from that: judge.
    There,
    /// The licence does not cover it: why.
    NotLicensed(String),
    /// It is not imported: why.
    NotImported(String),
}

/// What the deployment said about its modules.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    /// Imported solutions; `None` where the list could not be read whole.
    imported: Option<Vec<ImportedSolution>>,
    /// What the licence covers; `None` where it could not be read.
    licensed: Option<Vec<LicensedSolution>>,
    /// Why something could not be read.
    pub problems: Vec<String>,
}

impl Modules {
    /// Reads what the collector brought.
    #[must_use]
    pub fn read(inputs: &BTreeMap<&str, &Supplied>) -> Self {
        Self::of(rows(inputs, SOLUTIONS.id()), object(inputs, LICENSE.id()))
    }

    /// What the deployment said, or why it did not.
    #[must_use]
    pub fn of(imported: Result<Vec<ImportedSolution>, String>, license: Result<License, String>) -> Self {
        let mut problems = Vec::new();
        let mut note = |unknown: &str, reason: String| {
            problems.push(format!("{unknown}, so checks run whether their module is there or not: {reason}"));
        };
        let imported = imported.map_err(|reason| note("the imported solutions cannot be read", reason)).ok();
        let license = license.map_err(|reason| note("the licence cannot be read", reason)).ok();
        // A licence that names no solution at all is of a form that says nothing about modules.
        let licensed = license
            .map(|license| license.licensed_features.licensed_solutions)
            .filter(|list| !list.is_empty());
        Self { imported, licensed, problems }
    }

    /// Whether the imported solutions are known.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.imported.is_some()
    }

    /// What was seen of a plugin's module: its name and version.
    #[must_use]
    pub fn seen(&self, plugin: &Manifest) -> Option<String> {
        let found = self.imported_as(plugin)?;
        Some(format!("{} {}", found.name, found.imported_version.as_str()).trim_end().to_owned())
    }

    fn imported_as(&self, plugin: &Manifest) -> Option<&ImportedSolution> {
        let about = |one: &&ImportedSolution| {
            is_there(one) && plugin.solutions.iter().any(|known| is_same(known, one))
        };
        self.imported.iter().flatten().find(about)
    }

    /// Whether a plugin's module is there. A plugin without solutions is about the platform itself.
    #[must_use]
    pub fn presence(&self, plugin: &Manifest, now: Timestamp) -> Presence {
        if plugin.solutions.is_empty() {
            return Presence::There;
        }
        if let Some(reason) = self.not_licensed(plugin, now) {
            return Presence::NotLicensed(reason);
        }
        if !self.is_known() || self.imported_as(plugin).is_some() {
            return Presence::There;
        }
        Presence::NotImported(format!("{} is not imported", plugin.title))
    }

    fn not_licensed(&self, plugin: &Manifest, now: Timestamp) -> Option<String> {
        let licensed = self.licensed.as_ref()?;
        let covering: Vec<&LicensedSolution> =
            licensed.iter().filter(|one| plugin.solutions.iter().any(|known| covers(one, known))).collect();
        if covering.is_empty() {
            // A solution without a known id could be covered by any pattern.
            let can_tell = plugin.solutions.iter().all(|known| !known.id.is_empty());
            return can_tell.then(|| format!("the licence does not cover {}", plugin.title));
        }
        let ends: Option<Vec<Timestamp>> = covering.iter().map(|one| one.expire).collect();
        let last = ends?.into_iter().max()?;
        // The last day counts whole.
        let over = now.duration_since(last).as_hours() >= 24;
        // The licence means a day, and writes it as that day's beginning in UTC, wherever the site is.
        over.then(|| format!("the licence of {} ended on {}", plugin.title, day(last, &TimeZone::UTC)))
    }

    /// Modules that are there and that none of the enabled plugins is about. Without a readable licence only those
    /// that an installed plugin knows are told: the list of solutions holds content as well.
    #[must_use]
    pub fn not_looked_at(&self, enabled: &[&Manifest], installed: &[&Manifest]) -> Vec<Module> {
        let about = |plugins: &[&Manifest], one: &ImportedSolution| {
            let plugin =
                plugins.iter().find(|plugin| plugin.solutions.iter().any(|known| is_same(known, one)));
            plugin.map(|plugin| plugin.id.clone())
        };
        let is_licensed = |one: &ImportedSolution| {
            self.licensed
                .as_ref()
                .is_some_and(|all| all.iter().any(|pattern| pattern.covers(&one.solution_id)))
        };
        let mut modules: Vec<Module> = self
            .imported
            .iter()
            .flatten()
            .filter(|one| is_there(one) && about(enabled, one).is_none())
            .map(|one| (about(installed, one), one))
            .filter(|(plugin, one)| plugin.is_some() || is_licensed(one))
            .map(|(plugin, one)| Module {
                name: one.name.clone(),
                id: one.solution_id.clone(),
                version: one.imported_version.as_str().to_owned(),
                plugin,
            })
            .collect();
        modules.sort();
        modules.dedup();
        modules
    }
}

fn is_there(solution: &ImportedSolution) -> bool {
    solution.deleted_flag != Some(true)
}

fn is_same(known: &Solution, imported: &ImportedSolution) -> bool {
    if !known.id.is_empty() && !imported.solution_id.is_empty() {
        return known.id == imported.solution_id;
    }
    let name = imported.name.strip_suffix(" (DEV)").unwrap_or(&imported.name);
    let name = name.strip_prefix("Tanium ").unwrap_or(name);
    known.name.eq_ignore_ascii_case(name)
}

fn covers(licensed: &LicensedSolution, known: &Solution) -> bool {
    if known.id.is_empty() {
        licensed.name.eq_ignore_ascii_case(&known.name)
    } else {
        licensed.covers(&known.id)
    }
}

fn rows<T: DeserializeOwned>(inputs: &BTreeMap<&str, &Supplied>, id: &str) -> Result<Vec<T>, String> {
    let supplied = inputs.get(id).ok_or("it was not asked for")?;
    match &supplied.body {
        Body::Rows(_) if !supplied.gaps.is_empty() => Err(supplied.gaps.join("; ")),
        Body::Rows(rows) => {
            rows.iter().map(|row| T::deserialize(row).map_err(|error| error.to_string())).collect()
        }
        Body::Unavailable(missing) => Err(missing.reason.clone()),
        _ => Err("the answer is no list".to_owned()),
    }
}

fn object<T: DeserializeOwned>(inputs: &BTreeMap<&str, &Supplied>, id: &str) -> Result<T, String> {
    match &inputs.get(id).ok_or("it was not asked for")?.body {
        Body::Object(value) => T::deserialize(value).map_err(|error| error.to_string()),
        Body::Unavailable(missing) => Err(missing.reason.clone()),
        _ => Err("the answer is no object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::engine::fakes::{manifest, supplied};
    use serde_json::json;
    use tancheck_plugin_api::Outcome;
    use tancheck_plugin_api::facts::Unavailable;

    const NOW: &str = "2026-06-30T12:00:00Z";

    fn connect() -> Manifest {
        let mut connect = manifest("connect", &[("connect.failed", json!({}))]);
        connect.title = "Connect".to_owned();
        connect.solutions = vec![Solution { name: "Connect".to_owned(), id: "99-200-0008".to_owned() }];
        connect
    }

    fn modules(solutions: serde_json::Value, licensed: serde_json::Value) -> Modules {
        let license = json!({"licensed_features": {"licensed_solutions": licensed}});
        let rows = supplied(Body::Rows(serde_json::from_value(solutions).unwrap()));
        let license = supplied(Body::Object(license));
        Modules::read(&BTreeMap::from([("platform.solutions", &rows), ("platform.license", &license)]))
    }

    fn presence(modules: &Modules, plugin: &Manifest) -> Presence {
        modules.presence(plugin, NOW.parse().unwrap())
    }

    #[test]
    fn the_host_asks_for_two_inputs() {
        let ids: Vec<&str> = INPUTS.iter().map(|input| input.id.as_str()).collect();
        assert_eq!(ids, ["platform.license", "platform.solutions"]);
    }

    #[test]
    fn imported_and_licensed_is_there() {
        let both = modules(
            json!([{"solution_id": "99-200-0008", "name": "Connect"}]),
            json!([{"name": "Connect", "match": "99-200-[0-9][0-9][0-9][0-9]", "expire": "2026-06-30"}]),
        );
        assert_eq!(presence(&both, &connect()), Presence::There);
        assert_eq!(both.problems, Vec::<String>::new());
    }

    #[test]
    fn not_covered_or_over_is_not_licensed() {
        let imported = json!([{"solution_id": "99-200-0008", "name": "Connect"}]);
        let other =
            modules(imported.clone(), json!([{"name": "Asset", "match": "03-200-[0-9][0-9][0-9][0-9]"}]));
        let Presence::NotLicensed(reason) = presence(&other, &connect()) else { panic!("there") };
        assert_eq!(reason, "the licence does not cover Connect");
        let over =
            modules(imported, json!([{"name": "Connect", "match": "99-200-0008", "expire": "2026-06-29"}]));
        let Presence::NotLicensed(reason) = presence(&over, &connect()) else { panic!("there") };
        assert_eq!(reason, "the licence of Connect ended on 2026-06-29");
    }

    #[test]
    fn licensed_or_unknown_but_not_imported_is_not_imported() {
        let licensed = json!([{"name": "Connect", "match": "99-200-0008"}]);
        for solutions in [json!([]), json!([{"solution_id": "99-200-0008", "deleted_flag": 1}])] {
            let modules = modules(solutions, licensed.clone());
            let expected = Presence::NotImported("Connect is not imported".to_owned());
            assert_eq!(presence(&modules, &connect()), expected);
        }
        // A licence without a list says nothing; a solution without a known id cannot be told not to be covered.
        let expected = Presence::NotImported("Connect is not imported".to_owned());
        assert_eq!(presence(&modules(json!([]), json!([])), &connect()), expected);
        let mut nameless = connect();
        nameless.solutions[0].id.clear();
        let asset = json!([{"name": "Asset", "match": "03-200-0204"}]);
        assert_eq!(presence(&modules(json!([]), asset), &nameless), expected);
    }

    #[test]
    fn a_solution_without_a_known_id_is_known_by_its_name() {
        let mut nameless = connect();
        nameless.solutions[0].id.clear();
        let dev = modules(
            json!([{"solution_id": "99-200-0008", "name": "connect (DEV)"}]),
            json!([{"name": "Connect", "match": "99-200-0008"}]),
        );
        assert_eq!(presence(&dev, &nameless), Presence::There);
    }

    #[test]
    fn what_cannot_be_read_proves_nothing() {
        let refused = supplied(Body::Unavailable(Unavailable {
            outcome: Outcome::NoPermission,
            reason: "403 on GET /api/v2/solutions".to_owned(),
        }));
        let unread = Modules::read(&BTreeMap::from([
            ("platform.solutions", &refused),
            ("platform.license", &refused),
        ]));
        assert_eq!(presence(&unread, &connect()), Presence::There);
        assert!(unread.problems.iter().all(|problem| problem.contains("403 on GET")));
        assert_eq!(unread.problems.len(), 2);
        let mut cut = supplied(Body::Rows(Vec::new()));
        cut.gaps.push("only own rows".to_owned());
        let cut = Modules::read(&BTreeMap::from([("platform.solutions", &cut)]));
        assert_eq!(presence(&cut, &connect()), Presence::There);
    }

    #[test]
    fn modules_without_an_enabled_plugin_are_told() {
        let all = modules(
            json!([
                {"solution_id": "99-200-0008", "name": "Connect", "imported_version": "5.1"},
                {"solution_id": "03-200-0204", "name": "Asset"},
                {"solution_id": "01-001-0001", "name": "Initial Content - Base"},
            ]),
            json!([{"name": "Asset", "match": "03-200-[0-9][0-9][0-9][0-9]"}]),
        );
        let connect = connect();
        let names = |modules: Vec<Module>| {
            modules.into_iter().map(|module| (module.name, module.plugin)).collect::<Vec<_>>()
        };
        assert_eq!(names(all.not_looked_at(&[&connect], &[&connect])), [("Asset".to_owned(), None)]);
        assert_eq!(
            names(all.not_looked_at(&[], &[&connect])),
            [("Asset".to_owned(), None), ("Connect".to_owned(), Some("connect".to_owned()))]
        );
    }
}
