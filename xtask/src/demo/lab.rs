//! The lab as a process.

use crate::build::Built;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running lab; it ends with this value.
pub(super) struct Lab {
    process: Child,
    pub(super) url: String,
    /// Where the listeners of its Direct Connect really are, as the configuration takes it.
    pub(super) listeners: Vec<String>,
}

impl Lab {
    /// Starts the lab at a time with faults. It writes its token and its export files into the folder.
    pub(super) fn start(built: &Built, folder: &Path, now: &str, faults: &[&str]) -> Result<Self> {
        let url_file = folder.join("url");
        if url_file.exists() {
            fs::remove_file(&url_file)?;
        }
        let mut command = Command::new(&built.lab);
        // As many endpoints as the settings of the site are written for.
        command
            .args(["--endpoints", "500", "--client-containers", "5", "--special-cells-every", "0"])
            .args(["--now", now, "--question-ms"])
            // Only the last run is watched.
            .arg(if faults.is_empty() { "0..0" } else { "800..2500" })
            .arg("--token-file")
            .arg(folder.join("token"))
            .arg("--exports")
            .arg(folder.join("exports"))
            .arg("--listeners-file")
            .arg(folder.join("listeners"))
            .arg("--url-file")
            .arg(&url_file)
            .stdout(Stdio::null());
        if !faults.is_empty() {
            command.args(["--latency-ms", "20"]).arg("--fault").args(faults);
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
        let listeners = fs::read_to_string(folder.join("listeners"))?;
        Ok(Self {
            process,
            url: fs::read_to_string(url_file)?.trim().to_owned(),
            listeners: listeners.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may be gone already; either way it no longer runs.
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}
