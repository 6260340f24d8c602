//! Builds the plugin libraries that tests load.
//!
//! `cargo test` builds no libraries of other packages, and quietly leaves old ones where they are. Tests ask here for
//! the packages they load; cargo decides what is fresh. The libraries have a target folder of their own: that of the
//! workspace may be locked by the cargo that runs the tests, and misbehaving plugins have no place beside the others.
//!
//! `cargo xtask test` has built the host and the plugins already, and names their folder in `TANCHECK_BUILT`: building
//! them here, with the features that a part of the workspace asks for, would compile everything once more.
#![expect(clippy::panic, reason = "a test's preparation fails by panicking")]

pub mod processes;
mod requirements;
pub mod site;

pub use requirements::{Row, direct_connect};

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in tests/");
    root.to_owned()
}

/// Builds these packages and returns their libraries, by package name.
///
/// # Panics
/// When cargo fails, or a package has no library.
#[must_use]
pub fn build(packages: &[&str]) -> BTreeMap<String, PathBuf> {
    let ready =
        packages.iter().filter_map(|package| Some(((*package).to_owned(), ready(&library_name(package))?)));
    let mut libraries: BTreeMap<String, PathBuf> = ready.collect();
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !libraries.contains_key(*package)).collect();
    if missing.is_empty() {
        return libraries;
    }
    let mut cargo = cargo();
    cargo.arg("build").arg("--message-format=json-render-diagnostics").arg("--target-dir").arg(guests());
    for package in missing {
        cargo.args(["--package", package]);
    }
    let output = run(&mut cargo);
    for line in output.lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        if message["reason"] != "compiler-artifact" || !is_library(&message["target"]) {
            continue;
        }
        let package = message["manifest_path"].as_str().and_then(package_name);
        let file = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let file = file.into_iter().find(|file| file.ends_with(std::env::consts::DLL_SUFFIX));
        if let (Some(package), Some(file)) = (package, file) {
            libraries.insert(package, PathBuf::from(file));
        }
    }
    for package in packages {
        assert!(libraries.contains_key(*package), "{package} has no library");
    }
    libraries
}

/// Whether the library of a package is there, and as new as every file it was made of.
#[must_use]
pub fn is_built(package: &str) -> bool {
    ready(&library_name(package)).is_some() || is_newest(package).is_some_and(|newest| newest)
}

/// What `cargo xtask test` has built under this file name.
fn ready(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("TANCHECK_BUILT")?).join(file);
    path.exists().then_some(path)
}

/// The file name of a package's library.
fn library_name(package: &str) -> String {
    format!("{}{}{}", std::env::consts::DLL_PREFIX, package.replace('-', "_"), std::env::consts::DLL_SUFFIX)
}

fn is_newest(package: &str) -> Option<bool> {
    let library = guests().join("debug").join(library_name(package));
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let built = changed(&library)?;
    let made_of = std::fs::read_to_string(library.with_extension("d")).ok()?;
    let (_, files) = made_of.lines().next()?.split_once(": ")?;
    Some(files.split(' ').all(|file| changed(Path::new(file)).is_some_and(|changed| changed <= built)))
}

/// The target folder of the libraries.
fn guests() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("guests")
}

/// Builds one package and returns its library.
///
/// # Panics
/// When cargo fails, or the package has no library.
#[must_use]
pub fn library(package: &str) -> PathBuf {
    build(&[package]).remove(package).unwrap_or_else(|| panic!("{package} has no library"))
}

/// Builds the binary of a package in the target folder of the workspace and returns it.
///
/// # Panics
/// When cargo fails, or the package has no binary.
#[must_use]
pub fn binary(package: &str) -> PathBuf {
    if let Some(path) = ready(&format!("{package}{}", std::env::consts::EXE_SUFFIX)) {
        return path;
    }
    let mut cargo = cargo();
    let output = run(cargo.args(["build", "--message-format=json-render-diagnostics", "--package", package]));
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut executables = messages.filter(|message| message["target"]["name"] == package);
    let path = executables.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    path.unwrap_or_else(|| panic!("{package} has no binary"))
}

/// The packages in `plugins/`.
///
/// # Panics
/// When cargo fails.
#[must_use]
pub fn plugins() -> Vec<String> {
    let output = run(cargo().args(["metadata", "--no-deps", "--format-version=1"]));
    let metadata: Value = serde_json::from_str(&output).expect("cargo metadata prints JSON");
    let folder = root().join("plugins");
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| {
            package["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(&folder))
        })
        .filter(|package| package["targets"].as_array().into_iter().flatten().any(is_library))
        .filter_map(|package| package["name"].as_str().map(str::to_owned))
        .collect()
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells the test of its package is none of the business of other builds: some build scripts look at it,
    // and would run anew whenever a test builds what was built without one.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if of_package.iter().any(|beginning| text.starts_with(beginning)) {
            cargo.env_remove(&name);
        }
    }
    cargo.current_dir(root());
    cargo
}

fn run(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap_or_else(|error| panic!("cargo: {error}"));
    assert!(output.status.success(), "{command:?} failed");
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

fn is_library(target: &Value) -> bool {
    target["kind"].as_array().into_iter().flatten().any(|kind| kind == "cdylib")
}

/// The name in a package's `Cargo.toml`.
fn package_name(manifest: &str) -> Option<String> {
    let text = std::fs::read_to_string(manifest).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(line.trim_matches('"').to_owned())
}
