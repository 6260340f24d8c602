//! `<plugin>.maintenance-roles`: someone active holds the permissions that the module's tasks need.

use crate::GuideReference;
use crate::prelude::*;
use crate::records::people::{USERS, User};
use crate::records::roles;
use std::collections::BTreeSet;

/// The users who own the module's maintenance tasks.
pub const OWNERS: Setting =
    Setting::list("owners", &[]).about("names of the Console users who own this module's maintenance tasks");

/// The privileges these tasks need.
pub const REQUIRED_PERMISSIONS: Setting = Setting::list("required_permissions", &[]).about(
    "privileges that the maintenance tasks of this module need, as the module's user guide lists them",
);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the {module} user guide, role requirements",
        "look up the role that the maintenance tasks need",
    ),
    Step::console(
        "Administration > Permissions > Users",
        "assign the role, or a persona that holds it, to an active owner",
    ),
    Step::console("Administration > Permissions > Users > Preview User", "see that the permissions arrived"),
])
.who("a Console user with the Administrator reserved role, or a custom role that may assign roles")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Give the least that the tasks need."])
.references(&["Console User Guide: Managing roles"]);

const GUIDE: &[GuideReference] = &[guide("Configure RBAC for maintenance tasks", 7)];

/// The check for a plugin; `id` is `<plugin>.maintenance-roles`.
#[must_use]
pub const fn maintenance_roles(id: &'static str) -> Check {
    Check::automated(id)
        .title("Someone active holds the {module} permissions its tasks need")
        .cadence(&[Cadence::Setup, Cadence::Quarterly])
        .severity(Severity::Medium)
        .reads(&[&USERS])
        .settings(&[&OWNERS, &REQUIRED_PERMISSIONS])
        .guide(GUIDE)
        .what(
            "Compares the effective privileges of the users named in `owners` with `required_permissions`. It passes \
             when at least one of them is active and holds every one.",
        )
        .why("Maintenance tasks stay undone when nobody who is still here may do them.")
        .limits(
            "Needs both settings. On Tanium Cloud the list of users comes without privileges, and the check then \
             cannot decide.",
        )
        .related(&["rbac.maintenance-owners", "rbac.owner-assignments"])
        .remedy(&REMEDY)
        .judge(judge)
}

fn judge(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let owners = facts.list(&OWNERS);
    let required = facts.list(&REQUIRED_PERMISSIONS);
    if owners.is_empty() || required.is_empty() {
        return Err(Undecided::not_evaluated(
            "name the owners of this module's tasks in `owners` and the privileges they need in \
             `required_permissions`",
        ));
    }
    let users: Vec<User> = facts.rows(&USERS)?;
    let mut reasons = Vec::new();
    for owner in &owners {
        match lack(&users, owner, &required)? {
            None => return Ok(()),
            Some(reason) => reasons.push(format!("{owner} {reason}")),
        }
    }
    report.finding(
        Finding::on(Subject::new("module", "owners", facts.module()))
            .says(format!("no owner can do the maintenance tasks: {}", reasons.join("; ")))
            .expected("an active owner who holds every required privilege")
            .affected(owners.len() as u64, Some(owners.len() as u64))
            .sample(owners)
            .evidence(facts.seen(&USERS, reasons)),
    );
    Ok(())
}

/// Why an owner cannot do the tasks; `None` if it can.
fn lack(users: &[User], owner: &str, required: &[&str]) -> Result<Option<String>, Undecided> {
    let named = |user: &&User| user.name.eq_ignore_ascii_case(owner) || user.id == owner;
    let Some(user) = users.iter().filter(named).min_by_key(|user| user.deleted_flag == Some(true)) else {
        return Ok(Some("is no Console user".to_owned()));
    };
    if let Some(reason) = user.inactive_because() {
        return Ok(Some(reason.to_owned()));
    }
    let Some(held) = user.privileges() else {
        return Err(Undecided::not_evaluated(format!(
            "the server told no privileges of {owner} (the summary view leaves them out); let an administrator's \
             account read the users, or look at Administration > Permissions > Users"
        )));
    };
    let missing = roles::missing(required, &BTreeSet::from_iter(held));
    Ok((!missing.is_empty()).then(|| format!("lacks {}", missing.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Case;
    use serde_json::json;

    const CHECK: Check = maintenance_roles("connect.maintenance-roles");

    fn case(user: serde_json::Value) -> Case {
        Case::of(&CHECK)
            .rows(&USERS, json!([user]))
            .setting("owners", json!(["ann"]))
            .setting("required_permissions", json!(["connect read"]))
    }

    fn ann(privilege: &str) -> serde_json::Value {
        json!({"id": 7, "name": "Ann", "locked_out": 0, "effective_content_set_privileges":
            [{"content_set_privilege_list": [{"name": privilege}]}]})
    }

    #[test]
    fn an_active_owner_with_every_privilege_passes() {
        case(ann("connect read")).judge().assert_pass();
        case(ann("administrator")).judge().assert_pass();
    }

    #[test]
    fn a_lacking_departed_or_unknown_owner_is_found() {
        case(ann("read user")).judge().assert_findings(&["owners"]);
        case(json!({"id": 7, "name": "Ann", "deleted_flag": true})).judge().assert_findings(&["owners"]);
        case(json!({"id": 8, "name": "Bob"})).judge().assert_findings(&["owners"]);
    }

    #[test]
    fn without_settings_or_privileges_nothing_is_decided() {
        Case::of(&CHECK).rows(&USERS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!({"id": 7, "name": "Ann"})).judge().assert_undecided(Outcome::NotEvaluated);
        case(ann("connect read")).assert_needs_its_inputs();
    }
}
