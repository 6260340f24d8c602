//! Which plugins fit what the deployment has.

use crate::collect::transport::{Call, Transport};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tancheck_plugin_api::manifest::{Manifest, Solution};
use tancheck_plugin_api::records::server::{ImportedSolution, License, LicensedSolution};

/// What the deployment says about its modules.
#[derive(Debug, Default)]
pub(super) struct Modules {
    imported: Option<Vec<ImportedSolution>>,
    licensed: Option<Vec<LicensedSolution>>,
    /// What could not be read.
    pub(super) problems: Vec<String>,
}

/// What is to become of a plugin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Its module is there; what was seen.
    Enable(String),
    /// Its module is not there; why.
    Leave(String),
}

/// A list may hold elements that are no rows.
#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

impl Modules {
    /// Asks for the imported solutions and the licence.
    pub(super) async fn ask(transport: &impl Transport) -> Self {
        let mut modules = Self::default();
        match get::<Vec<serde_json::Value>>(transport, "/api/v2/solutions").await {
            Ok(rows) => {
                let solutions = rows.into_iter().filter_map(|row| serde_json::from_value(row).ok());
                let is_there =
                    |one: &ImportedSolution| one.deleted_flag != Some(true) && !one.name.is_empty();
                modules.imported = Some(solutions.filter(is_there).collect());
            }
            Err(reason) => modules.problems.push(format!("the installed solutions cannot be read: {reason}")),
        }
        match get::<License>(transport, "/api/v2/license").await {
            Ok(license) => {
                // A licence that names no solution says nothing about modules.
                let solutions = license.licensed_features.licensed_solutions;
                modules.licensed = (!solutions.is_empty()).then_some(solutions);
            }
            Err(reason) => modules.problems.push(format!("the licence cannot be read: {reason}")),
        }
        modules
    }

    /// Whether the list of installed solutions is known. Without it nobody can tell what to enable.
    pub(super) const fn is_known(&self) -> bool {
        self.imported.is_some()
    }

    /// Whether a plugin's module is installed and licensed.
    pub(super) fn fit(&self, plugin: &Manifest) -> Fit {
        if plugin.solutions.is_empty() {
            return Fit::Enable("about the platform itself".to_owned());
        }
        let mut imported = self.imported.iter().flatten();
        let Some(found) = imported.find(|one| plugin.solutions.iter().any(|known| is_same(known, one)))
        else {
            return Fit::Leave(format!("{} is not installed", plugin.title));
        };
        if self.licensed.as_ref().is_some_and(|all| !all.iter().any(|one| one.covers(&found.solution_id))) {
            return Fit::Leave(format!("{} is installed, and the licence does not cover it", plugin.title));
        }
        Fit::Enable(format!("{} {}", found.name, found.imported_version.as_str()).trim_end().to_owned())
    }

    /// Licensed solutions that are installed and that no plugin is about. Content that every deployment has is no
    /// module, and the licence does not name it.
    pub(super) fn without_plugin(&self, plugins: &[&Manifest]) -> Vec<&ImportedSolution> {
        let licensed = |one: &ImportedSolution| {
            self.licensed
                .as_ref()
                .is_some_and(|all| all.iter().any(|pattern| pattern.covers(&one.solution_id)))
        };
        let known = |one: &ImportedSolution| {
            plugins.iter().flat_map(|plugin| &plugin.solutions).any(|solution| is_same(solution, one))
        };
        self.imported.iter().flatten().filter(|one| licensed(one) && !known(one)).collect()
    }
}

async fn get<T: DeserializeOwned>(transport: &impl Transport, path: &str) -> Result<T, String> {
    let body = transport.send(&Call::get(path), Vec::<u8>::new).await.map_err(|problem| problem.reason)?;
    serde_json::from_slice::<Envelope<T>>(&body)
        .map(|envelope| envelope.data)
        .map_err(|error| format!("GET {path} answers in an unknown form ({error})"))
}

fn is_same(known: &Solution, imported: &ImportedSolution) -> bool {
    if !known.id.is_empty() && !imported.solution_id.is_empty() {
        return known.id == imported.solution_id;
    }
    let name = imported.name.strip_suffix(" (DEV)").unwrap_or(&imported.name);
    known.name.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tancheck_plugin_api::Plugin;

    const CONNECT: Plugin = Plugin::new("connect", "Connect", "0.1.0")
        .solutions(&[tancheck_plugin_api::Solution { name: "Connect", id: "99-200-0008" }]);
    const ACTIONS: Plugin = Plugin::new("actions", "Actions", "0.1.0");

    fn modules(imported: serde_json::Value, licensed: serde_json::Value) -> Modules {
        Modules {
            imported: serde_json::from_value(imported).unwrap(),
            licensed: serde_json::from_value(licensed).unwrap(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn a_module_has_to_be_installed_and_licensed() {
        let (connect, actions) = (Manifest::of(&CONNECT), Manifest::of(&ACTIONS));
        let imported = json!([
            {"solution_id": "99-200-0008", "name": "Connect", "imported_version": "5.1.2"},
            {"solution_id": "99-100-0017", "name": "Trends", "imported_version": "3"},
            {"solution_id": "01-001-0019", "name": "Initial Content"},
        ]);
        let all = modules(imported.clone(), json!([{"name": "all", "match": "99-[0-9]00-00[0-9][0-9]"}]));
        assert_eq!(all.fit(&connect), Fit::Enable("Connect 5.1.2".to_owned()));
        assert_eq!(all.fit(&actions), Fit::Enable("about the platform itself".to_owned()));
        let names: Vec<&str> = all.without_plugin(&[&connect]).iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Trends"]);
        let other = modules(imported, json!([{"name": "one", "match": "99-100-0017"}]));
        assert!(matches!(other.fit(&connect), Fit::Leave(reason) if reason.contains("does not cover")));
        let none = modules(json!([]), json!(null));
        assert!(matches!(none.fit(&connect), Fit::Leave(reason) if reason.contains("not installed")));
    }
}
