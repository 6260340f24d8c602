//! Not in the guide: the server and the Module Server disagree about a version.

use crate::inputs::{PAGE, plain};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::serde_json::Value;

/// Solutions and workbenches have the same version.
pub(crate) const DISAGREE: Check = Check::automated("solutions.versions-disagree")
    .title("Solutions and workbenches have the same version")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SERVER_INFO, &BEFORE])
    .beyond()
    .what("Compares the versions of solutions and of workbenches in the server's diagnostics, by name. Versions that changed since the last run are remarked.")
    .why("Different versions show an import that did not finish: the content is new, the service on the Module Server is old, or the other way round.")
    .limits("A solution and a workbench with different names are not compared.")
    .related(&["solutions.module-updates", "health-check.module-server-connected"])
    .remedy(&DISAGREE_REMEDY)
    .judge(versions_disagree);

const BEFORE: Input = Input::new("solutions.version", "versions of solutions in earlier runs")
    .sources(&[Source::history("solutions.version.*", 100)]);

const DISAGREE_REMEDY: Remedy = Remedy::new(&[
    Step::api(
        "GET /api/v2/server_info",
        "Diagnostics, Module_Cache: is the Module Server connected and loaded?",
    ),
    Step::console(PAGE, "look at the state of {subject}, and import it again"),
    Step::console("the workbench of {subject}", "see that it opens and shows the version {solution}"),
    Step::support("if the versions still differ: bring the diagnostics and the log of the import"),
])
.cautions(&["Take a backup of the Module Server before the import is repeated."])
.who("a Console user with the Administrator reserved role, or a custom role that may import signed content")
.risk(Risk::Medium, Reversible::Partly);

/// The most versions that one run stores.
const MOST: usize = 1000;

fn versions_disagree(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let solutions = versions(&info, "Installed_Solutions");
    let workbenches = versions(&info, "Installed_Workbenches");
    let known = |section: &str, found: &BTreeMap<String, Installed>| match found.is_empty() {
        true => Err(Undecided::not_evaluated(format!("the server's diagnostics have no {section}"))),
        false => Ok(()),
    };
    known("Installed_Solutions", &solutions)?;
    known("Installed_Workbenches", &workbenches)?;
    let before = facts.points(&BEFORE)?;
    for (key, solution) in solutions.iter().take(MOST) {
        let series = format!("{}.{key}", BEFORE.id());
        let now = fingerprint(solution.version.as_str());
        let last = before.iter().rev().find(|point| point.series == series);
        if last.is_some_and(|last| last.value != now) {
            report.note(format!("{} changed to {} since the last run", solution.name, solution.version));
        }
        report.measure(&series, now, "fingerprint of the version");
    }
    for (key, workbench) in &workbenches {
        let Some(solution) = solutions.get(key) else { continue };
        if solution.version == workbench.version {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("solution", key, &solution.name))
                .says(format!("is imported as {}, its workbench is {}", solution.version, workbench.version))
                .expected("one version")
                .fill("solution", &solution.version)
                .evidence(facts.seen(&SERVER_INFO, [solution.version.as_str(), workbench.version.as_str()])),
        );
    }
    Ok(())
}

/// A solution or a workbench in the diagnostics.
struct Installed {
    name: String,
    version: ProductVersion,
}

/// The versions of a section, by plain name.
fn versions(info: &ServerInfo, section: &str) -> BTreeMap<String, Installed> {
    let entry = |(key, value): (&str, &Value)| {
        let text = |field: &str| value.get(field).and_then(Value::as_str);
        let name = text("name").unwrap_or(key).to_owned();
        let version = ProductVersion::new(text("version")?);
        Some((plain(&name), Installed { name, version }))
    };
    info.section(section).filter_map(entry).collect()
}

/// A number for a text: the history keeps numbers. 48 bits, so that no digit is lost.
fn fingerprint(text: &str) -> f64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 16) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(workbench: &str) -> Case {
        let info = json!({"Diagnostics": {
            "Installed_Solutions": {"Tanium_Connect": {"name": "Tanium Connect (DEV)", "version": "4.11.2.0017"}, "Content": {"name": "Content", "version": "1"}},
            "Installed_Workbenches": {"Connect": {"name": "Connect", "version": workbench}, "Other": {"name": "Other", "version": "9"}},
        }});
        Case::of(&DISAGREE).object(&SERVER_INFO, info).weekly(
            &BEFORE,
            "solutions.version.connect",
            &[fingerprint("4.11.2.0017")],
        )
    }

    #[test]
    fn versions_are_compared_by_name() {
        let same = case("4.11.2.17").judge();
        same.assert_pass();
        assert_eq!((same.notes().len(), same.measures().len()), (0, 2));
        case("4.10.0.1").judge().assert_findings(&["connect"]);
        let silent = case("4").object(&SERVER_INFO, json!({"Diagnostics": {"Installed_Solutions": {}}}));
        silent.judge().assert_undecided(Outcome::NotEvaluated);
        case("4.11.2.17").assert_needs_its_inputs();
    }

    #[test]
    fn a_change_since_the_last_run_is_remarked() {
        let changed = case("4.11.2.17").weekly(&BEFORE, "solutions.version.connect", &[1.0]).judge();
        changed.assert_pass();
        assert_eq!(changed.notes(), ["Tanium Connect (DEV) changed to 4.11.2.0017 since the last run"]);
    }
}
