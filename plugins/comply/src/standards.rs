//! `comply.assessment-standard-outdated`: assessments use the newest version of their standard.

use crate::inputs::{ASSESSMENTS, Assessment, assessments};
use crate::{ASSESSMENTS as GUIDE, WHO};
use tancheck_plugin_api::prelude::*;

/// The versions of standards that Comply has.
const BENCHMARKS: Input =
    Input::new("comply.benchmarks", "standards that are loaded into Comply").sources(&[Source::export(
        "comply-benchmarks.csv",
        "Modules > Comply > Setup > Standards",
        "write one row for each standard and version that is there",
        &["Standard", "Version", "Platform", "Imported"],
    )]);

const IGNORE_STANDARDS: Setting = Setting::list("ignore_standards", &[])
    .about("names of standards that stay in an older version on purpose");

/// Assessments use the newest version of their standard.
pub(crate) const STANDARD_OUTDATED: Check = Check::automated("comply.assessment-standard-outdated")
    .title("Assessments use the newest version of their standard")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&ASSESSMENTS, &BENCHMARKS])
    .settings(&[&IGNORE_STANDARDS])
    .guide(GUIDE)
    .what("Compares the version of each assessment's standard with the versions that are loaded into Comply. Without that list, two versions in use at once show that the older one is outdated.")
    .why("An old standard misses the settings that matter today.")
    .limits("What the publisher released but nobody loaded into Comply is not seen. Versions are compared field by field as numbers. The service's route of benchmarks has no described fields and is not read.")
    .related(&["comply.stale-assessments-on-endpoints"])
    .remedy(&REMEDY)
    .judge(assessment_standard_outdated);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Comply > Assessments",
        "make a new assessment with version {newest} of the standard",
    ),
    Step::console("Modules > Comply > Assessments", "compare its results with those of {subject}"),
    Step::decision("auditors need the old results", "keep a report of them first"),
    Step::console("Modules > Comply > Assessments", "delete {subject}"),
    Step::decision(
        "nobody needs its data on endpoints either",
        "remove it there, too: see comply.stale-assessments-on-endpoints",
    ),
])
.cautions(&[
    "What is deleted on the page Assessments stays on endpoints until it is removed there.",
    "Keep reports before the deletion where auditors need them.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Comply User Guide: Creating compliance assessments"]);

/// A version of a standard.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Benchmark {
    #[serde(rename = "Standard", deserialize_with = "lenient::text")]
    standard: String,
    #[serde(rename = "Version", deserialize_with = "lenient::text")]
    version: String,
}

fn assessment_standard_outdated(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let ignored = facts.list(&IGNORE_STANDARDS);
    let mut checked = assessments(facts, &ASSESSMENTS)?;
    checked.retain(|one| {
        !one.standard.is_empty() && !ignored.iter().any(|name| name.eq_ignore_ascii_case(&one.standard))
    });
    if checked.is_empty() {
        return Err(facts.absent(&ASSESSMENTS, "no assessment checks a standard that is not ignored"));
    }
    let loaded = facts.rows::<Benchmark>(&BENCHMARKS);
    let mut unknown = Vec::new();
    for assessment in &checked {
        if assessment.version.is_empty() {
            unknown.push(format!("the version of the standard of {} is missing", assessment.name));
            continue;
        }
        let same = |standard: &str| standard.eq_ignore_ascii_case(&assessment.standard);
        let listed = loaded.iter().flatten().filter(|one| same(&one.standard));
        let listed: Vec<ProductVersion> = listed.map(|one| ProductVersion::new(&one.version)).collect();
        if listed.is_empty() && loaded.is_ok() {
            unknown.push(format!("the list of standards has no {}", assessment.standard));
        }
        let in_use = checked.iter().filter(|one| same(&one.standard)).map(version);
        let newest = listed.into_iter().chain(in_use).max().unwrap_or_else(|| version(assessment));
        if version(assessment) < newest {
            report.finding(
                Finding::on(assessment.subject())
                    .says(format!(
                        "checks version {} of {}; version {newest} is there",
                        assessment.version, assessment.standard
                    ))
                    .expected(format!("version {newest}"))
                    .fill("newest", &newest)
                    .evidence(facts.seen(&ASSESSMENTS, [&assessment.standard, &assessment.version])),
            );
        }
    }
    loaded.map(drop)?;
    settle(&unknown)
}

fn version(assessment: &Assessment) -> ProductVersion {
    ProductVersion::new(&assessment.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn used(versions: &[&str]) -> Case {
        let row = |version: &&str| json!({"Name": format!("CIS {version}"), "Standard": "CIS", "Standard Version": version});
        Case::of(&STANDARD_OUTDATED).rows(&ASSESSMENTS, versions.iter().map(row).collect())
    }

    fn loaded(versions: &[&str]) -> Value {
        versions.iter().map(|version| json!({"Standard": "cis", "Version": version})).collect()
    }

    #[test]
    fn an_older_version_than_the_newest_loaded_one_is_found() {
        used(&["2.10.0"]).rows(&BENCHMARKS, loaded(&["2.9.0", "2.10"])).judge().assert_pass();
        used(&["2.10.0"]).rows(&BENCHMARKS, loaded(&["2.10"])).assert_needs_its_inputs();
        let verdict = used(&["2.9.0"]).rows(&BENCHMARKS, loaded(&["2.9.0", "2.10.0"])).judge();
        verdict.assert_findings(&["CIS 2.9.0"]);
        let ignored =
            used(&["2.9.0"]).rows(&BENCHMARKS, loaded(&["3"])).setting("ignore_standards", json!(["cis"]));
        ignored.judge().assert_undecided(Outcome::NotApplicable);
        used(&["2.9"]).rows(&BENCHMARKS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        used(&[""]).rows(&BENCHMARKS, loaded(&["2"])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_the_list_two_versions_in_use_tell_the_older_one() {
        let verdict = used(&["1.0", "2.0"]).unavailable(&BENCHMARKS, Outcome::NotEvaluated).judge();
        verdict.assert_findings(&["CIS 1.0"]);
        let one = used(&["2.0"]).unavailable(&BENCHMARKS, Outcome::NotEvaluated).judge();
        one.assert_undecided(Outcome::NotEvaluated);
    }
}
