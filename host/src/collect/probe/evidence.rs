//! What other runs saw from other places: the probes in their JSON reports.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::records::probe::Probe;

/// A report is no larger than this.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The part of a report that is read.
#[derive(Deserialize)]
struct Report {
    probes: Option<Vec<Probe>>,
}

/// The probes of these reports, in their order.
///
/// # Errors
/// When a file cannot be read, or is no report with probes; the sentence names it.
pub fn read(files: &[PathBuf]) -> Result<Vec<Probe>, String> {
    let mut all = Vec::new();
    for file in files {
        all.extend(one(file)?);
    }
    Ok(all)
}

fn one(file: &Path) -> Result<Vec<Probe>, String> {
    let shown = file.display();
    let size = std::fs::metadata(file)
        .map_err(|error| format!("failed to read the evidence {shown}: {error}"))?
        .len();
    if size > LARGEST {
        return Err(format!("the evidence {shown} is larger than {} MiB: that is no report", LARGEST >> 20));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("failed to read the evidence {shown}: {error}"))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        format!("{shown} is no report of a run ({error}); write one there with tancheck run -o json=FILE")
    })?;
    match report.probes {
        Some(probes) if !probes.is_empty() => Ok(probes),
        _ => Err(format!(
            "the report {shown} holds no probes: that run had no target; set the same targets there as here"
        )),
    }
}

#[cfg(test)]
mod tests {

    #[test]
    fn what_is_no_report_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            super::read(std::slice::from_ref(&path))
        };
        assert!(read("[]").unwrap_err().contains("is no report of a run"));
        assert!(read("{").unwrap_err().contains("run.json"));
        assert!(read(r#"{"checks": []}"#).unwrap_err().contains("holds no probes"));
        assert!(read(r#"{"probes": [{"port": 70000}]}"#).unwrap_err().contains("is no report"));
        let probes = read(r#"{"probes": [{"host": "dc", "port": 1, "vantage": "module-server"}]}"#).unwrap();
        assert_eq!(probes[0].listener(), "dc:1");
        assert!(super::read(&[folder.path().join("none")]).unwrap_err().contains("none"));
    }
}
