//! `cargo xtask demo`: a deployment with all modules, five quiet weeks, then two dozen faults, and what tancheck says.
#![expect(clippy::print_stdout, reason = "tasks talk to the terminal")]

mod lab;
mod site;

use crate::build::{self, root};
use anyhow::{Result, bail};
use lab::Lab;
use site::Site;
use std::fs;

/// The time at which the demo takes place.
const NOW: &str = "2026-06-30T12:00:00Z";

/// The weekly runs before that, oldest first.
const EARLIER: [&str; 5] = [
    "2026-05-26T12:00:00Z",
    "2026-06-02T12:00:00Z",
    "2026-06-09T12:00:00Z",
    "2026-06-16T12:00:00Z",
    "2026-06-23T12:00:00Z",
];

/// What goes wrong on the last day, across modules and cadences.
const FAULTS: [&str; 24] = [
    "action-on-default",
    "asset-import-failed",
    "asset-view-slow",
    "default-group-assigned",
    "destination-certificate-expires",
    "direct-connect-extension-failures",
    "failing-action",
    "failing-connection",
    "index-failures",
    "license-nearly-full",
    "missed-run",
    "module-server-silent",
    "outdated-clients",
    "owner-locked-out",
    "performance-needs-attention",
    "redeployment-undecided",
    "stale-user-action",
    "support-bundles-old",
    "tanium-driver-stopped",
    "threat-response-profile-lost",
    "threat-response-tools-old",
    "tpan-high",
    "tpan-report-not-archived",
    "zone-server-imbalance",
];

/// Builds, lives through five weeks, breaks things, runs tancheck, and says what its exit code means.
pub(crate) fn run() -> Result<()> {
    let built = build::workspace()?;
    let folder = root().join("target/demo");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let site = Site::new(&built, &folder)?;

    heading("five quiet weeks: a run each week, exported files, answers, attested tasks");
    for now in EARLIER {
        let lab = Lab::start(&built, &folder, now, &[])?;
        site.configure(&lab)?;
        println!("{now}: {}", site.run_quietly(now)?);
    }
    let lab = Lab::start(&built, &folder, NOW, &[])?;
    site.configure(&lab)?;
    let (answers, words) = site.settle(NOW)?;
    println!(
        "{NOW}: {answers} answers given, {words} tasks and subjects attested; then {}",
        site.run_quietly(NOW)?
    );
    drop(lab);

    heading(&format!("{} things go wrong in the lab", FAULTS.len()));
    let lab = Lab::start(&built, &folder, NOW, &FAULTS)?;
    site.configure(&lab)?;
    println!("{}", FAULTS.join(", "));

    heading("tancheck run");
    let report = folder.join("report.json");
    let status = site.run(NOW, &report)?;
    heading("what the exit code says");
    let meaning = match status.code() {
        Some(0) => "complete, nothing at or above high",
        Some(1) => "a finding at or above high, as the lab's faults want it",
        Some(3) => "incomplete: some enabled check could not be decided",
        other => bail!("the run ended with {other:?}; exit codes 0, 1 and 3 were expected"),
    };
    println!("{}: {meaning}", status.code().unwrap_or_default());
    println!("the report as JSON: {}", report.display());
    println!("the configuration:  {}", site.config.display());
    Ok(())
}

fn heading(text: &str) {
    println!("\n── {text} ──\n");
}
