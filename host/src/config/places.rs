//! What surrounds the process: variables, home, user, binary; and the folders that follow from it.

use super::Places;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What surrounds the process. A value of its own, so that tests need no process to change it.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Whether the process runs as root.
    pub is_root: bool,
    /// The folder of the running binary.
    pub binary_folder: Option<PathBuf>,
    /// The root of the file system.
    pub root: PathBuf,
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn real() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let binary = std::env::current_exe().and_then(std::fs::canonicalize).ok();
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            is_root: rustix::process::geteuid().is_root(),
            binary_folder: binary.and_then(|path| path.parent().map(Path::to_owned)),
            root: PathBuf::from("/"),
        }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A folder of the user, by the XDG variable or under the home folder. Relative values do not count (XDG says so).
    pub(super) fn folder(&self, variable: &str, under_home: &str) -> Option<PathBuf> {
        let set = self.variable(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        set.or_else(|| Some(self.home()?.join(under_home)))
    }

    fn home(&self) -> Option<PathBuf> {
        match self.variable("HOME") {
            Some(home) => Some(PathBuf::from(home)),
            None => etcetera::home_dir().ok(),
        }
    }

    /// The folders, where nobody chose others. Root's are the system's, unless an XDG variable says otherwise.
    pub(super) fn places(&self) -> Places {
        let folder = |variable: &str, under_home: &str, system: &str| {
            let users = if self.is_root && self.variable(variable).is_none() {
                None
            } else {
                self.folder(variable, under_home)
            };
            users.map_or_else(|| self.root.join(system).join("tancheck"), |folder| folder.join("tancheck"))
        };
        let state = folder("XDG_STATE_HOME", ".local/state", "var/lib");
        Places {
            plugins: self.plugin_folders(),
            exports: state.join("exports"),
            cache: folder("XDG_CACHE_HOME", ".cache", "var/cache"),
            waivers: None,
            state,
        }
    }

    fn plugin_folders(&self) -> Vec<PathBuf> {
        let Some(binary) = &self.binary_folder else { return Vec::new() };
        let mut folders = vec![binary.join("plugins")];
        folders.extend(binary.parent().map(|prefix| prefix.join("lib/tancheck/plugins")));
        // Cargo puts the libraries of the workspace beside the binary; its folder is known by these two.
        if binary.join("deps").is_dir() && binary.join("build").is_dir() {
            folders.push(binary.clone());
        }
        folders
    }
}
