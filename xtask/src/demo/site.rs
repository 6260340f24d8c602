//! The administrator's side: a configuration for all plugins, and what people do besides running tancheck.

use super::lab::Lab;
use crate::build::{self, Built};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use toml::Table;

/// tancheck with all plugins, for one lab.
pub(super) struct Site {
    tancheck: PathBuf,
    folder: PathBuf,
    /// The configuration file.
    pub(super) config: PathBuf,
}

impl Site {
    /// Copies the plugins into a folder of their own and trusts them there.
    pub(super) fn new(built: &Built, folder: &Path) -> Result<Self> {
        // Beside the binary lie plugins that misbehave for the tests.
        let plugins = folder.join("plugins");
        fs::create_dir(&plugins)?;
        let mut libraries = Vec::new();
        for library in &built.plugins {
            let target = plugins.join(library.file_name().context("a library has a name")?);
            fs::copy(library, &target)?;
            libraries.push(target);
        }
        build::trust(&built.tancheck, &libraries)?;
        let config = folder.join("tancheck.toml");
        Ok(Self { tancheck: built.tancheck.clone(), folder: folder.to_owned(), config })
    }

    /// Writes the configuration: every plugin enabled, with the settings that the tests use for the lab.
    pub(super) fn configure(&self, lab: &Lab) -> Result<()> {
        let place = |name: &str| toml::Value::from(self.folder.join(name).display().to_string());
        let places = [
            ("plugins", vec![place("plugins")].into()),
            ("exports", place("exports")),
            ("state", place("state")),
            ("cache", place("cache")),
        ];
        let deployment =
            [("url", lab.url.as_str().into()), ("id", "lab".into()), ("token_file", place("token"))];
        let config = Table::from_iter([
            ("deployment".to_owned(), table(deployment)),
            ("places".to_owned(), table(places)),
            ("probe".to_owned(), table([("connect_to", lab.listeners.clone().into())])),
            // Nobody else's log is spared by waiting.
            ("limits".to_owned(), table([("probe_pause", "0s".into())])),
            ("modules".to_owned(), tancheck_test_support::site::modules().into()),
        ]);
        fs::write(&self.config, config.to_string())?;
        Ok(())
    }

    /// Runs and shows the report.
    pub(super) fn run(&self, now: &str, report: &Path) -> Result<ExitStatus> {
        let json = format!("json={}", report.display());
        let mut command = self.command(&["run", "--now", now, "-o", "text", "-o", &json]);
        command.status().with_context(|| format!("failed to start {}", self.tancheck.display()))
    }

    /// Runs and tells in a few words what came out.
    pub(super) fn run_quietly(&self, now: &str) -> Result<String> {
        let report = self.report(now)?;
        let count = |outcome: &str| report["counts"][outcome].as_u64().unwrap_or_default();
        Ok(format!(
            "{} checks: {} pass, {} findings, {} do not apply, {} tasks due, {} not decided",
            report["total"],
            count("pass"),
            count("finding"),
            count("not-applicable"),
            count("attestation-due"),
            report["total"].as_u64().unwrap_or_default()
                - report["decided"].as_u64().unwrap_or_default()
                - count("attestation-due"),
        ))
    }

    /// What people do: they give the answers that the lab tells, and attest what is due. Returns how many of each.
    pub(super) fn settle(&self, now: &str) -> Result<(usize, usize)> {
        let answers = self.answer(now)?;
        let report = self.report(now)?;
        let mut words = 0;
        let due = list(&report, "checks")
            .filter(|check| check["outcome"] == "attestation-due" || check["kind"] == "hybrid");
        for check in due {
            let id = check["id"].as_str().context("a check has an id")?;
            let attest = ["attest", id, "--result", "done", "--by", "ann", "--at", now];
            let subjects: Vec<&str> = list(check, "awaiting")
                .chain(list(check, "findings"))
                .filter_map(|item| item["subject"]["key"].as_str())
                .collect();
            if subjects.is_empty() && check["outcome"] == "attestation-due" {
                self.succeed(&attest)?;
                words += 1;
            }
            for subject in &subjects {
                self.succeed(&[&attest[..], &["--subject", subject]].concat())?;
            }
            words += subjects.len();
        }
        Ok((answers, words))
    }

    fn answer(&self, now: &str) -> Result<usize> {
        let listed: Value =
            serde_json::from_slice(&self.succeed(&["answers", "--all", "-o", "json"])?.stdout)?;
        let asked: BTreeSet<&str> = list(&listed, "wanted").filter_map(|one| one["input"].as_str()).collect();
        let mut count = 0;
        let mut told = csv::Reader::from_path(self.folder.join("exports/answers.csv"))?;
        for row in told.records() {
            let row = row?;
            if asked.contains(&row[0]) {
                self.succeed(&["answer", &row[0], &row[1], "--by", "ann", "--at", now])?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn report(&self, now: &str) -> Result<Value> {
        let output = self.command(&["run", "--now", now, "-o", "json", "--quiet"]).output()?;
        if !matches!(output.status.code(), Some(0 | 1 | 3)) {
            bail!(
                "`tancheck run` ended with {}:\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn succeed(&self, arguments: &[&str]) -> Result<Output> {
        let output = self.command(arguments).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`tancheck {}` ended with {}:\n{said}", arguments.join(" "), output.status);
        }
        Ok(output)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tancheck);
        command.arg("--config").arg(&self.config).args(arguments);
        command
    }
}

fn table<const N: usize>(fields: [(&str, toml::Value); N]) -> toml::Value {
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Table>().into()
}

/// The elements of a list in a document.
fn list<'a>(document: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    document[key].as_array().into_iter().flatten()
}
