//! Guide: *Configure RBAC for maintenance tasks*, page 7: who answers for which task, and may do it.

use crate::holdings::{HOLDINGS, Holdings};
use crate::needs::{Need, unmet};
use crate::words::{LEAST, RBAC, SETUP, WHO};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::{USERS, User};

const TASK_OWNERS: Setting = Setting::table("task_owners").about(
    "names of the Console users who answer for each maintenance task; the keys are free: plugins, sections of the guide, checks",
);

const TASK_NEEDS: Setting = Setting::table("task_needs").about(
    "what the owners of each task need, by the keys of `task_owners`: `role: …`, `privilege: …`, `user group: …`, `persona: …` or `computer group: …`",
);

/// `rbac.maintenance-owners`
pub(crate) const MAINTENANCE_OWNERS: Check = Check::attested("rbac.maintenance-owners")
    .title("Each maintenance task has a responsible user")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(&[&USERS])
    .settings(&[&TASK_OWNERS])
    .guide(&[SETUP])
    .what("Lists the tasks of `task_owners` without an owner, and the owners who are no active Console users. It also asks somebody to confirm once that the list of tasks is complete, and again when the list changes.")
    .why("A task that nobody answers for is not done.")
    .limits("Which tasks an organization has, only its people know.")
    .related(&["rbac.owner-assignments", "console-users.departed-accounts"])
    .renewed_by(&["rbac.owner-assignments"])
    .remedy(&MAINTENANCE_OWNERS_REMEDY)
    .judge(maintenance_owners);

const MAINTENANCE_OWNERS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of the deployment", "who answers for {subject}"),
    Step::decision("somebody does", "enter the user under `task_owners` in [modules.rbac]"),
    Step::command(
        "tancheck attest rbac.maintenance-owners --subject {key} --result done",
        "records that somebody answers for it, or that the list of tasks is complete",
    ),
])
.who("the owner of the deployment");

fn maintenance_owners(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let owners = facts.table(&TASK_OWNERS);
    for task in owners.iter().filter(|(_, names)| names.is_empty()).map(|(task, _)| *task) {
        report.finding(about(facts, task, task, "has no owner"));
    }
    let users: Vec<User> = facts.rows(&USERS)?;
    for (task, name) in owners.iter().flat_map(|(task, names)| names.iter().map(move |name| (task, *name))) {
        let named = users.iter().filter(|user| user.is_named(name));
        let why = match named.min_by_key(|user| user.inactive_because().is_some()) {
            None => Some("is no Console user"),
            Some(user) => user.inactive_because(),
        };
        if let Some(why) = why {
            let says = format!("its owner {name} {why}");
            report.finding(about(facts, &format!("{task}/{name}"), task, &says));
        }
    }
    let tasks: Vec<&str> = owners.keys().copied().collect();
    let says = match tasks.len() {
        0 => "no task is listed, so nobody answers for any".to_owned(),
        count => format!(
            "{count} tasks are listed ({}); somebody has to confirm that none is missing",
            tasks.join(", ")
        ),
    };
    report.finding(about(facts, "tasks", "the list of tasks", &says).confirms(tasks.join(", ")));
    Ok(())
}

fn about(facts: &Facts<'_>, key: &str, task: &str, says: &str) -> Finding {
    Finding::on(Subject::new("task", key, task))
        .says(says)
        .expected("an active Console user who answers for it")
        .fill("key", key)
        .evidence(facts.seen(&USERS, says))
}

/// `rbac.owner-assignments`
pub(crate) const OWNER_ASSIGNMENTS: Check = Check::hybrid("rbac.owner-assignments")
    .title("Task owners have the roles, user groups, personas and computer groups they need")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(HOLDINGS)
    .settings(&[&TASK_OWNERS, &TASK_NEEDS])
    .guide(&[SETUP, RBAC])
    .what("Compares what the owners of `task_owners` hold with what `task_needs` names for the same task. Every owner has to hold everything.")
    .why("An owner who lacks a permission finds out on the day when the task is urgent.")
    .limits("What a task needs is in the user guide of its module; the setting has to tell. Content sets of privileges are not compared.")
    .related(&["rbac.maintenance-owners", "rbac.missing-permissions"])
    .remedy(&OWNER_ASSIGNMENTS_REMEDY)
    .judge(owner_assignments);

const OWNER_ASSIGNMENTS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the user guide of the module that {task} is about", "compare {missing} with its role requirements"),
    Step::console(
        "Administration > Permissions > Users > {subject}",
        "assign a role that Tanium defines, or create a custom one and assign that; likewise user group, persona, computer group",
    ),
    Step::console("Administration > Permissions > Users > {subject} > Preview User", "see that it arrived"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&[LEAST])
.references(&["Console User Guide: Managing roles"]);

fn owner_assignments(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (owners, needs) = (facts.table(&TASK_OWNERS), facts.table(&TASK_NEEDS));
    if owners.is_empty() {
        return Err(Undecided::not_evaluated(
            "name the owners of tasks in `task_owners` and what they need in `task_needs`",
        ));
    }
    let holdings = Holdings::read(facts)?;
    let mut unknown = without_partner(&owners, &needs);
    for (task, names) in &owners {
        let Some(texts) = needs.get(task) else { continue };
        let needs = Need::parse_all(texts)?;
        for name in names {
            let Some(user) = holdings.user(name) else {
                unknown.push(format!("no account is called {name}, who is to own {task}"));
                continue;
            };
            match unmet(&needs, &holdings.of(user)) {
                Err(why) => unknown.push(format!("{name}: {why}")),
                Ok(lacks) if lacks.is_empty() => {}
                Ok(lacks) => report.finding(
                    Finding::on(Subject::new("task owner", format!("{task}/{}", user.id), *name))
                        .says(format!("lacks for {task}: {}", lacks.join(", ")))
                        .expected("everything that the task needs")
                        .fill("task", task)
                        .fill("missing", lacks.join(", "))
                        .confirms(lacks.join(", "))
                        .evidence(facts.seen(&USERS, &lacks)),
                ),
            }
        }
    }
    settle(&unknown)
}

/// Tasks that only one of the two tables names.
fn without_partner(owners: &BTreeMap<&str, Vec<&str>>, needs: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
    let unneeding = owners.keys().filter(|task| !needs.contains_key(**task));
    let unneeding = unneeding.map(|task| format!("`task_needs` does not name {task}"));
    let unowned = needs.keys().filter(|task| owners.get(**task).is_none_or(Vec::is_empty));
    unneeding.chain(unowned.map(|task| format!("nobody owns {task} in `task_owners`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::tests::{people, written};
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn owned(owners: Value) -> Case {
        people(&MAINTENANCE_OWNERS).setting("task_owners", owners)
    }

    #[test]
    fn tasks_have_active_owners() {
        let verdict = owned(json!({"patch": ["ann"], "connect": "bob"})).judge();
        verdict.assert_findings(&["tasks"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("connect, patch"));
        let broken = owned(json!({"patch": ["zoe", "nobody"], "connect": []})).judge();
        broken.assert_findings(&["patch/zoe", "patch/nobody", "connect", "tasks"]);
        owned(json!({})).judge().assert_findings(&["tasks"]);
    }

    #[test]
    fn without_users_tasks_without_an_owner_are_still_found() {
        let case =
            Case::of(&MAINTENANCE_OWNERS).setting("task_owners", json!({"patch": [], "connect": "bob"}));
        case.judge().assert_findings(&["patch"]);
        Case::of(&MAINTENANCE_OWNERS).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn assigned(case: Case, needs: &[&str]) -> Case {
        case.setting("task_owners", json!({"patch": "bob"})).setting("task_needs", json!({"patch": needs}))
    }

    #[test]
    fn owners_hold_what_their_task_needs() {
        let all = ["role: Reader", "user group: Readers", "persona: Writing", "computer group: All Windows"];
        assigned(people(&OWNER_ASSIGNMENTS), &all).judge().assert_pass();
        assigned(people(&OWNER_ASSIGNMENTS), &all).assert_needs_its_inputs();
        let verdict =
            assigned(people(&OWNER_ASSIGNMENTS), &["privilege: write action", "role: Reader"]).judge();
        verdict.assert_findings(&["patch/2"]);
        assert_eq!(verdict.findings()[0].values["missing"], "privilege write action");
        assigned(written(&OWNER_ASSIGNMENTS), &["role: Reader"]).judge().assert_pass();
        assigned(written(&OWNER_ASSIGNMENTS), &["user group: Readers"])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn tables_that_do_not_fit_decide_nothing() {
        people(&OWNER_ASSIGNMENTS).judge().assert_undecided(Outcome::NotEvaluated);
        let lone = people(&OWNER_ASSIGNMENTS).setting("task_owners", json!({"patch": "bob"}));
        lone.judge().assert_undecided(Outcome::NotEvaluated);
        let ghost = assigned(people(&OWNER_ASSIGNMENTS), &["role: Reader"])
            .setting("task_owners", json!({"patch": "zoe"}));
        ghost.judge().assert_undecided(Outcome::NotEvaluated);
        assigned(people(&OWNER_ASSIGNMENTS), &["Reader"]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
