//! `patch.windows-none`, `patch.windows-unenforced`: there are maintenance windows, and they are in force.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{DEPLOYMENTS, Enforcement, WINDOW_ENFORCEMENTS, WINDOWS, Window, deployments, windows};
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;

/// Maintenance windows exist and are enforced.
pub(crate) const NONE: Check = Check::automated("patch.windows-none")
    .title("Maintenance windows exist and are enforced")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&WINDOWS])
    .guide(GUIDE)
    .what("Looks for a maintenance window that is enforced on at least one computer group. Operating systems without any are told with the outcome.")
    .why("Without a window in force, deployments install and restart at any time of the day.")
    .limits("To an account without rights on the content set of the windows the list looks empty: compare with the Console once.")
    .related(&["patch.windows-unenforced"])
    .remedy(&NONE_REMEDY)
    .judge(none);

const NONE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owners of the endpoints", "agree when patches may install and endpoints may restart"),
    Step::console("Modules > Patch > Maintenance Windows", "create a window for each operating system"),
    Step::console(
        "Modules > Patch > Maintenance Windows",
        "open each window and add the computer groups it is for",
    ),
])
.cautions(&["Until a window is in force, deployments can run at any time."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Patch User Guide: Setting maintenance windows", "Patch User Guide: Configuring Patch"]);

fn none(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let windows: Vec<Window> = facts.rows(&WINDOWS)?;
    let mut enforced = BTreeSet::new();
    let mut unknown = Vec::new();
    for window in &windows {
        match window.enforcements() {
            Ok(0) => {}
            Ok(_) => {
                enforced.insert(window.os_type.to_lowercase());
            }
            Err(reason) => unknown.push(reason),
        }
    }
    if !enforced.is_empty() {
        for os in ["linux", "windows"].iter().filter(|os| !enforced.contains(**os)) {
            report.note(format!("no maintenance window for {os} is enforced"));
        }
        return Ok(());
    }
    settle(&unknown)?;
    let says = match windows.len() {
        0 => "there is no maintenance window".to_owned(),
        count => format!("there are {count} maintenance windows, and none is enforced on a computer group"),
    };
    report.finding(
        Finding::on(Subject::new("maintenance windows", "all", "maintenance windows"))
            .says(says)
            .expected("at least one that is enforced")
            .affected(windows.len() as u64, Some(windows.len() as u64))
            .sample(windows.iter().take(5).map(|window| window.name.as_str()))
            .evidence(facts.seen(&WINDOWS, windows.len())),
    );
    Ok(())
}

/// Maintenance windows are enforced on the computer groups that are patched.
pub(crate) const UNENFORCED: Check = Check::automated("patch.windows-unenforced")
    .title("Every maintenance window is enforced, and every deployment lies within one")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&WINDOWS, &WINDOW_ENFORCEMENTS, &DEPLOYMENTS])
    .guide(GUIDE)
    .what("Lists windows that are enforced on no computer group, the predefined ones included, and active deployments that target a computer group on which no window is enforced.")
    .why("An unenforced window protects nobody, although it looks like protection in the list. A deployment to a group without a window installs at any time.")
    .limits("Computer groups are compared by id: a group without a window of its own may consist of endpoints that other groups with windows hold as well. Deployments that are targeted by question or by name are not compared, and deployments that override windows look like others.")
    .related(&["patch.windows-none", "patch.windows-expired"])
    .remedy(&UNENFORCED_REMEDY)
    .judge(unenforced);

const UNENFORCED_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Maintenance Windows",
        "look for {subject}: which endpoints should it protect?",
    ),
    Step::decision("it is a window that should be in force", "edit it and add its computer groups"),
    Step::decision(
        "it is a deployment whose groups ({groups}) have no window",
        "add these groups to a window, unless each of their endpoints is in another group that has one",
    ),
    Step::decision("it is a window of no use", "delete it, after a look at patch.windows-expired"),
])
.cautions(&[
    "A window that is added to a group keeps deployments from installing there outside of it, at once.",
    "Without a window deployments can run at any time: do not delete one that blocks on purpose.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[
    "Patch User Guide: Edit a maintenance window",
    "Patch User Guide: Delete a maintenance window",
]);

fn unenforced(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for window in &windows(facts)? {
        match window.enforcements() {
            Ok(0) => report.finding(
                Finding::on(window.subject())
                    .says("is enforced on no computer group")
                    .expected("at least one computer group")
                    .fill("groups", "none")
                    .evidence(facts.seen(&WINDOWS, 0)),
            ),
            Ok(_) => {}
            Err(reason) => unknown.push(reason),
        }
    }
    let enforcements: Vec<Enforcement> = facts.rows(&WINDOW_ENFORCEMENTS)?;
    let covered: BTreeSet<&str> = enforcements.iter().map(|one| one.tanium_group_id.as_str()).collect();
    let all = deployments(facts)?;
    unknown.extend(all.unknown.iter().cloned());
    let mut by_question = 0;
    for deployment in all.active() {
        let Some(groups) = deployment.groups() else {
            by_question += 1;
            continue;
        };
        let open: Vec<&str> =
            groups.iter().map(String::as_str).filter(|group| !covered.contains(group)).collect();
        if !open.is_empty() {
            report.finding(
                Finding::on(deployment.subject())
                    .says(format!(
                        "targets computer groups without a maintenance window (ids {})",
                        open.join(", ")
                    ))
                    .expected("a window on every targeted computer group")
                    .affected(open.len() as u64, Some(groups.len() as u64))
                    .sample(open.iter().copied())
                    .fill("groups", format!("ids {}", open.join(", ")))
                    .evidence(facts.seen(&DEPLOYMENTS, &groups)),
            );
        }
    }
    if by_question > 0 {
        report.note(format!(
            "{by_question} active deployments are targeted by question or name and not compared"
        ));
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn window(os: &str, enforcements: u64) -> Value {
        json!({"id": os.len(), "name": os, "osType": os, "enforcementCount": enforcements})
    }

    #[test]
    fn one_enforced_window_is_enough_and_the_other_system_is_noted() {
        let case = |rows: Value| Case::of(&NONE).rows(&WINDOWS, rows);
        let verdict = case(json!([window("windows", 1), window("linux", 0)])).judge();
        verdict.assert_pass();
        assert_eq!(verdict.notes(), ["no maintenance window for linux is enforced"]);
        case(json!([])).judge().assert_findings(&["all"]);
        case(json!([window("windows", 0)])).judge().assert_findings(&["all"]);
        case(json!([{"name": "Night"}])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([window("windows", 1)])).assert_needs_its_inputs();
    }

    fn case(windows: Value, groups: Value) -> Case {
        Case::of(&UNENFORCED)
            .rows(&WINDOWS, windows)
            .rows(&WINDOW_ENFORCEMENTS, json!([{"modelId": 7, "taniumGroupId": 5, "taniumGroupName": "A"}]))
            .rows(
                &DEPLOYMENTS,
                json!([{"id": 1, "name": "Monthly", "isActive": true, "targetedComputerGroupIds": groups},
                       {"id": 2, "name": "Old", "isActive": false, "isEnded": true, "targetedComputerGroupIds": [9]}]),
            )
    }

    #[test]
    fn unenforced_windows_and_open_groups_are_found() {
        case(json!([window("windows", 1)]), json!([5])).judge().assert_pass();
        case(json!([window("windows", 0)]), json!([5])).judge().assert_findings(&["7"]);
        case(json!([window("windows", 1)]), json!([5, 6])).judge().assert_findings(&["1"]);
        case(json!([window("windows", 1)]), json!([5])).assert_needs_its_inputs();
    }

    #[test]
    fn deployments_by_question_are_noted_and_no_windows_do_not_apply() {
        let verdict = case(json!([window("windows", 1)]), json!(null)).judge();
        verdict.assert_pass();
        assert!(verdict.notes()[0].contains("1 active deployments"));
        case(json!([]), json!([5])).judge().assert_undecided(Outcome::NotApplicable);
    }
}
