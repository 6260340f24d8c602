//! The configuration of a site that has every module: the settings that the tests use for the lab.

use std::path::PathBuf;
use toml::Table;

/// The folder of the sites, one file for each plugin.
#[must_use]
pub fn folder() -> PathBuf {
    crate::root().join("tests/e2e/tests/matrix/sites")
}

/// The table `[modules]`: every plugin enabled, with its settings.
///
/// # Panics
/// When a site cannot be read.
#[must_use]
pub fn modules() -> Table {
    let mut modules = Table::new();
    for entry in std::fs::read_dir(folder()).expect("the sites are there") {
        let path = entry.expect("the sites can be listed").path();
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut site: Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let plugin = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        modules.insert(plugin, site.remove("settings").unwrap_or(Table::new().into()));
    }
    let enable: Vec<String> = modules.keys().cloned().collect();
    modules.insert("enable".to_owned(), enable.into());
    modules
}
