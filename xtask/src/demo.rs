//! `cargo xtask demo`: the lab with faults, the real binary against it, and what it reports.
#![expect(clippy::print_stdout, reason = "tasks talk to the terminal")]

use crate::build::{self, Built, root};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The time at which the demo takes place.
const NOW: &str = "2026-06-30T12:00:00Z";

/// Faults that the lab puts into its deployment, one or more for each plugin.
const FAULTS: [&str; 14] = [
    "default-group-assigned",
    "action-on-default",
    "failing-action",
    "stale-user-action",
    "failing-connection",
    "owner-locked-out",
    "missed-run",
    "destination-certificate-expires",
    "outdated-clients",
    "zone-server-imbalance",
    "index-failures",
    "license-nearly-full",
    "module-server-silent",
    "tpan-high",
];

/// Checks that the demo's administrator has attested.
const ATTESTED: [&str; 2] = ["actions.scheduled-review", "connect.failed-report-routed"];

/// Builds, starts the lab, runs tancheck, and says what its exit code means.
pub(crate) fn run() -> Result<()> {
    let built = build::workspace()?;
    let folder = root().join("target/demo");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let lab = Lab::start(&built, &folder)?;
    let config = configure(&folder, &lab.url, &built)?;
    heading("the configuration");
    println!("{}", fs::read_to_string(&config)?);
    heading("what people did: two tasks attested");
    for task in ATTESTED {
        let arguments = ["attest", task, "--result", "done", "--by", "ann", "--note", "demo", "--at", NOW];
        if !tancheck(&built, &config, &arguments)?.success() {
            bail!("`tancheck attest {task}` failed");
        }
    }
    heading("tancheck run");
    let report = folder.join("report.json");
    let json = format!("json={}", report.display());
    let status = tancheck(&built, &config, &["run", "--now", NOW, "-o", "text", "-o", &json])?;
    heading("what the exit code says");
    let meaning = match status.code() {
        Some(0) => "complete, nothing at or above high",
        Some(1) => "a finding at or above high, as the lab's faults want it",
        Some(3) => "incomplete: some enabled check could not be decided",
        other => bail!("the run ended with {other:?}; exit codes 0, 1 and 3 were expected"),
    };
    println!("{}: {meaning}", status.code().unwrap_or_default());
    println!("the report as JSON: {}", report.display());
    Ok(())
}

fn heading(text: &str) {
    println!("\n── {text} ──\n");
}

fn tancheck(built: &Built, config: &Path, arguments: &[&str]) -> Result<ExitStatus> {
    let mut command = Command::new(&built.tancheck);
    command.arg("--config").arg(config).args(arguments);
    command.status().with_context(|| format!("failed to start {}", built.tancheck.display()))
}

fn configure(folder: &Path, url: &str, built: &Built) -> Result<PathBuf> {
    // A folder of their own: beside the binary lie plugins that misbehave for the tests.
    let plugins = folder.join("plugins");
    fs::create_dir(&plugins)?;
    let mut libraries = Vec::new();
    for library in &built.plugins {
        let target = plugins.join(library.file_name().context("a library has a name")?);
        fs::copy(library, &target)?;
        libraries.push(target);
    }
    build::trust(&built.tancheck, &libraries)?;
    let path = folder.join("tancheck.toml");
    let text = format!(
        r#"[deployment]
url = "{url}"
token_file = "{token}"

[modules]
enable = ["actions", "client-management", "connect", "health-check"]

[modules.actions]
solution_issuer_patterns = ["Endpoint Configuration"]

[modules.client-management]
approved_servers = ["ts1.lab.example", "ts2.lab.example", "zs1.lab.example", "zs2.lab.example"]

[modules.connect]
owners = ["alex.rivera"]
required_permissions = ["connect read", "connect run"]
authority = "self"
format = "JSON"

[places]
plugins = ["{plugins}"]
exports = "{exports}"
state = "{state}"
cache = "{cache}"
"#,
        token = folder.join("token").display(),
        plugins = plugins.display(),
        exports = folder.join("exports").display(),
        state = folder.join("state").display(),
        cache = folder.join("cache").display(),
    );
    fs::write(&path, text)?;
    Ok(path)
}

/// A running lab; it ends with this value.
struct Lab {
    process: Child,
    url: String,
}

impl Lab {
    fn start(built: &Built, folder: &Path) -> Result<Self> {
        let url_file = folder.join("url");
        let mut command = Command::new(&built.lab);
        command
            .args(["--endpoints", "5000", "--now", NOW, "--latency-ms", "20", "--question-ms", "800..2500"])
            .arg("--token-file")
            .arg(folder.join("token"))
            .arg("--exports")
            .arg(folder.join("exports"))
            .arg("--url-file")
            .arg(&url_file)
            .stdout(Stdio::null());
        if !FAULTS.is_empty() {
            command.arg("--fault").args(FAULTS);
        }
        let mut process =
            command.spawn().with_context(|| format!("failed to start {}", built.lab.display()))?;
        let patience = Instant::now() + Duration::from_secs(60);
        while !url_file.exists() {
            if let Some(status) = process.try_wait()? {
                bail!("the lab ended with {status}");
            }
            if Instant::now() > patience {
                process.kill()?;
                bail!("the lab did not start within a minute");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, url: fs::read_to_string(url_file)?.trim().to_owned() })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may be gone already; either way it no longer runs.
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}
