//! `deploy.file-sync`: the server has the files of software packages. The guide does not ask for it.

use super::PAGE;
use crate::WHO;
use crate::inputs::{ACTIVE, DETAILS, FILE_SYNC as ERRORS, PACKAGES, active, packages};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

/// The server has the files of software packages.
pub(crate) const FILE_SYNC: Check = Check::automated("deploy.file-sync")
    .title("The server has the files of software packages that are in use")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&ERRORS, &PACKAGES, &DETAILS, &ACTIVE])
    .what("Reads the errors of the job that caches files of software packages, and looks for packages in use whose files the server does not have.")
    .why("Endpoints wait for ever for a file that the server cannot get.")
    .limits("A package that was imported a minute ago may still be on its way.")
    .related(&["deploy.deployments-unneeded"])
    .remedy(&REMEDY)
    .judge(file_sync)
    .beyond();

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject} and read which file is missing"),
    Step::decision("its hash does not match", "import the package anew, or look for a newer version"),
    Step::decision(
        "the source cannot be reached",
        "let the server reach it, or upload the file after checking its hash",
    ),
])
.cautions(&["Upload only a file whose hash was checked with its vendor."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Deploy User Guide: Managing software"]);

/// One element of what the job tells.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Job {
    #[serde(deserialize_with = "lenient::list")]
    errors: Vec<Failed>,
}

/// A package whose files did not come.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Failed {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(rename = "productVendor", deserialize_with = "lenient::text")]
    vendor: String,
    #[serde(rename = "productName", deserialize_with = "lenient::text")]
    title: String,
    #[serde(rename = "productVersion", deserialize_with = "lenient::text")]
    version: String,
    #[serde(rename = "deletedAt", deserialize_with = "lenient::time")]
    deleted: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::text")]
    message: String,
}

fn file_sync(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let jobs: Vec<Job> = facts.rows(&ERRORS)?;
    let mut failed = BTreeMap::new();
    for error in jobs.into_iter().flat_map(|job| job.errors).filter(|error| error.deleted.is_none()) {
        failed.entry(error.id.clone()).or_insert(error);
    }
    for error in failed.values() {
        let name = format!("{} {} {}", error.vendor, error.title, error.version);
        report.finding(
            Finding::on(Subject::new("software package", &error.id, name))
                .says(error.message.lines().collect::<Vec<_>>().join(" "))
                .expected("all files on the server")
                .evidence(facts.seen(&ERRORS, &error.message)),
        );
    }
    let packages = packages(facts)?;
    let active = active(facts)?;
    let mut unknown = Vec::new();
    for package in packages.iter().filter(|package| !failed.contains_key(&package.id)) {
        let in_use = match package.uses() {
            Ok(uses) => uses.offered || uses.is_deployed(&active),
            Err(reason) => {
                unknown.push(reason);
                continue;
            }
        };
        match package.cached {
            _ if !in_use => {}
            Some(true) => {}
            None => {
                unknown.push(format!("it is not told whether the server has the files of {}", package.name()))
            }
            Some(false) => {
                let percent = package.cached_percent.unwrap_or_default();
                report.finding(
                    Finding::on(package.subject())
                        .says(format!("is in use, and the server has {percent} percent of its files"))
                        .expected("all files on the server")
                        .evidence(facts.seen(&DETAILS, percent)),
                );
            }
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::super::unused::tests::package;
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(errors: Value, cached: Value, uses: Value) -> Case {
        let mut row = package(2, "1.0", "windows", uses);
        row["allFilesCachedOnTaniumServer"] = cached;
        row["fileCachePercentComplete"] = json!(40);
        Case::of(&FILE_SYNC)
            .rows(&ERRORS, json!([{"errors": errors, "logs": ""}]))
            .rows(&PACKAGES, json!([row]))
            .rows(&DETAILS, json!([row]))
            .rows(&ACTIVE, json!([{"id": 48}]))
    }

    #[test]
    fn errors_of_the_job_are_found_once_each() {
        let used = json!({"deployments": [{"id": 48}]});
        let error = |id: u64, deleted: Value| json!({"id": id, "productName": "Teams", "deletedAt": deleted, "message": "Could not cache.\nNo hash."});
        let errors =
            json!([error(2, Value::Null), error(586, Value::Null), error(7, json!("2026-01-01T00:00:00Z"))]);
        let verdict = case(errors, json!(false), used).judge();
        verdict.assert_findings(&["2", "586"]);
        assert_eq!(verdict.findings()[0].says, "Could not cache. No hash.");
    }

    #[test]
    fn files_of_packages_in_use_have_to_be_there() {
        let used = json!({"deployments": [{"id": 48}]});
        case(json!([]), json!(true), used.clone()).judge().assert_pass();
        case(json!([]), json!(false), used.clone()).judge().assert_findings(&["2"]);
        case(json!([]), Value::Null, used.clone()).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([]), json!(false), json!({})).judge().assert_pass();
        case(json!([]), json!(true), used).assert_needs_its_inputs();
    }
}
