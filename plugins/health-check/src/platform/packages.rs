//! Files of packages that the server could not get.

use super::beyond;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{
    PACKAGES, Package, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction,
};

/// Packages in use are whole.
pub(crate) const PACKAGE_FILES: Check = beyond("health-check.package-files", Severity::Medium)
    .title("The packages of enabled actions have all of their files")
    .reads(&[&PACKAGES, &SCHEDULED_ACTIONS])
    .what("Looks at the files of the package of each enabled scheduled action: none may have failed to download (status 400 or above, or another error), and none may have a cache status that begins with ERROR.")
    .why("An action whose package lacks a file reaches the endpoint and does nothing there.")
    .limits("Packages of actions that are issued once are not looked at.")
    .related(&["actions.failing", "health-check.database-connections"])
    .remedy(&REMEDY)
    .judge(package_files);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Content > Packages > {subject}",
        "look at the status of the files: {files}",
    ),
    Step::decision(
        "the source cannot be reached",
        "correct the URL, the proxy or the list of allowed URLs, and let the file be downloaded again",
    ),
    Step::decision(
        "the hash does not match",
        "find out who changed the file at its source before you accept the new hash",
    ),
    Step::consult("whoever scheduled {actions}", "the action did not do its work since then"),
])
.cautions(&[
    "A changed file is run on every endpoint: never accept a new hash without knowing why it changed.",
])
.who("a Console user who may write packages")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Managing packages"]);

fn package_files(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let packages: Vec<Package> = facts.rows(&PACKAGES)?;
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let mut broken: BTreeMap<&str, (&Package, Vec<String>, Vec<String>)> = BTreeMap::new();
    let mut unknown = Vec::new();
    for action in &actions {
        match action.status() {
            Some(ScheduleStatus::Enabled) => {}
            Some(ScheduleStatus::Disabled | ScheduleStatus::Deleted) => continue,
            None => {
                unknown.push(format!("{}: its status {:?} is not known", action.name, action.status));
                continue;
            }
        }
        let Some(package) = package_of(&packages, action) else {
            unknown.push(format!(
                "the package of {} ({}) is not in the list",
                action.name, action.package_spec.name
            ));
            continue;
        };
        let failed: Vec<String> = package
            .files
            .iter()
            .filter_map(|file| {
                Some(format!(
                    "{} ({})",
                    if file.name.is_empty() { &file.id } else { &file.name },
                    file.failure()?
                ))
            })
            .collect();
        if !failed.is_empty() {
            broken.entry(&package.id).or_insert((package, failed, Vec::new())).2.push(action.name.clone());
        }
    }
    for (package, files, actions) in broken.into_values() {
        report.finding(
            Finding::on(Subject::new("package", &package.id, &package.name))
                .says(format!(
                    "{} not on the server, and {} on it",
                    counted(&files, "file is", "files are"),
                    counted(&actions, "enabled action depends", "enabled actions depend")
                ))
                .expected("every file cached")
                .affected(files.len() as u64, Some(package.files.len() as u64))
                .sample(files.iter().take(5))
                .fill("files", files.join(", "))
                .fill("actions", actions.join(", "))
                .evidence(facts.seen(&PACKAGES, &files)),
        );
    }
    settle(&unknown)
}

/// The package of an action. A package that was given parameters is a copy, whose original has the files.
fn package_of<'a>(packages: &'a [Package], action: &ScheduledAction) -> Option<&'a Package> {
    let spec = &action.package_spec;
    let by_id = |id: &str| packages.iter().find(|package| !id.is_empty() && id != "0" && package.id == id);
    by_id(&spec.id).or_else(|| by_id(&spec.source_id)).or_else(|| {
        let named = |package: &&Package| spec.id.is_empty() && package.name.eq_ignore_ascii_case(&spec.name);
        packages.iter().find(named)
    })
}

fn counted(list: &[String], one: &str, many: &str) -> String {
    format!("{} {}", list.len(), if list.len() == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(file: Value, action: Value) -> Case {
        Case::of(&PACKAGE_FILES)
            .rows(&PACKAGES, json!([{"id": 5, "name": "Utilities", "files": [file]}]))
            .rows(&SCHEDULED_ACTIONS, json!([action]))
    }

    fn action(status: u32, package: Value) -> Value {
        json!({"id": 1, "name": "Distribute", "status": status, "package_spec": package})
    }

    #[test]
    fn a_missing_file_of_an_enabled_action_is_found() {
        let good = json!({"id": 50, "name": "7za.exe", "status": 200, "cache_status": "Cached"});
        let original = json!({"id": 5, "name": "Utilities"});
        case(good.clone(), action(0, original.clone())).judge().assert_pass();
        case(good, action(0, original.clone())).assert_needs_its_inputs();
        for file in
            [json!({"id": 50, "status": 404}), json!({"id": 50, "status": 0, "cache_status": "ERROR: x"})]
        {
            case(file.clone(), action(0, original.clone())).judge().assert_findings(&["5"]);
            case(file.clone(), action(0, json!({"id": 99, "source_id": 5}))).judge().assert_findings(&["5"]);
            case(file.clone(), action(0, json!("utilities"))).judge().assert_findings(&["5"]);
            case(file, action(1, original.clone())).judge().assert_pass();
        }
    }

    #[test]
    fn a_package_that_is_not_listed_was_not_seen() {
        let file = json!({"id": 50, "status": 200});
        case(file.clone(), action(0, json!({"id": 6}))).judge().assert_undecided(Outcome::NotEvaluated);
        case(file, action(7, json!({"id": 5}))).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
