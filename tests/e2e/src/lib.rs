//! A machine of its own for each test: folders, plugins, configuration, and the binary as a user runs it.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test's preparation fails by panicking")]

mod terminal;

pub use terminal::Terminal;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tancheck_test_support as support;
use tempfile::TempDir;

/// The binary; built once for each test process.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| support::binary("tancheck"))
}

/// The libraries of these packages; built once for each test process and list.
fn libraries(packages: &[&str]) -> BTreeMap<String, PathBuf> {
    static BUILT: OnceLock<std::sync::Mutex<BTreeMap<String, PathBuf>>> = OnceLock::new();
    let built = BUILT.get_or_init(Default::default);
    let mut built = built.lock().unwrap();
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !built.contains_key(*name)).collect();
    if !missing.is_empty() {
        built.extend(support::build(&missing));
    }
    packages.iter().map(|name| ((*name).to_owned(), built[*name].clone())).collect()
}

/// A machine with tancheck on it.
#[derive(Debug)]
pub struct Machine {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// The result.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

impl Ran {
    /// The result as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Asserts the exit code, and returns the result.
    ///
    /// # Panics
    /// When the code is another one.
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

impl Machine {
    /// A machine without plugins and without a configuration.
    #[must_use]
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let variables = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", at("home")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_CACHE_HOME", at("cache")),
            ("TANCHECK_PLACES__PLUGINS", at("plugins")),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        Self { folder, variables }
    }

    /// A machine with the libraries of these packages in its plugins folder; nobody trusts them yet.
    #[must_use]
    pub fn with_untrusted(packages: &[&str]) -> Self {
        let machine = Self::empty();
        for path in libraries(packages).values() {
            link(path, &machine.path("plugins").join(path.file_name().unwrap()));
        }
        machine
    }

    /// A machine with trusted plugins.
    #[must_use]
    pub fn with(packages: &[&str]) -> Self {
        let machine = Self::with_untrusted(packages);
        let mut command = machine.command(&["plugins", "trust", "--package", "--yes"]);
        command.args(machine.plugin_files());
        let _ = machine.finish(&mut command).exits(0);
        machine
    }

    /// Another machine with the same files: the same plugins, trust, configuration and history.
    ///
    /// # Panics
    /// When a file cannot be copied.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let machine = Self::empty();
        copy_folder(self.folder.path(), machine.folder.path());
        machine
    }

    /// The files in the plugins folder that are libraries.
    #[must_use]
    pub fn plugin_files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("plugins")).unwrap();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
            .collect();
        files.sort();
        files
    }

    /// A path on this machine.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; secrets and configuration are this user's own.
    pub fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes the configuration where tancheck looks for it.
    pub fn configure(&self, text: &str) {
        self.write("config/tancheck/tancheck.toml", text);
    }

    /// Configures a deployment, with a token in a file.
    pub fn configure_deployment(&self, url: &str, token: &str, more: &str) {
        self.write("token", &format!("{token}\n"));
        let token_file = self.path("token");
        self.configure(&format!(
            "[deployment]\nurl = \"{url}\"\ntoken_file = \"{}\"\n{more}",
            token_file.display()
        ));
    }

    /// Sets an environment variable of the commands.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A command on this machine, ready to start.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).env_clear().envs(&self.variables).stdin(Stdio::null());
        command.current_dir(self.folder.path());
        command
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.finish(&mut self.command(arguments))
    }

    fn finish(&self, command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Takes what differs from machine to machine out of a text.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "[machine]")
    }
}

/// Copies a folder with the times of its files, which are part of what exported files say.
///
/// # Panics
/// When a file cannot be copied.
pub fn copy_folder(from: &Path, to: &Path) {
    copy_files(from, to, |_| true);
}

/// Copies the files and folders with names that are wanted.
///
/// # Panics
/// When a file cannot be copied.
pub fn copy_files(from: &Path, to: &Path, is_wanted: impl Fn(&str) -> bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if !entry.file_name().to_str().is_some_and(&is_wanted) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if target.extension().is_some_and(|extension| extension == "so") {
            link(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
            let written = entry.metadata().unwrap().modified().unwrap();
            std::fs::File::options().append(true).open(target).unwrap().set_modified(written).unwrap();
        }
    }
}

/// A link costs nothing, but not every pair of folders can be linked.
fn link(from: &Path, to: &Path) {
    if std::fs::hard_link(from, to).is_err() {
        std::fs::copy(from, to).unwrap();
    }
}
