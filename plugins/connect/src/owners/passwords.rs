//! `connect.owner-password-policy`: the password of each owner meets the rotation policy.

use super::{GUIDE, owner_label};
use crate::inputs::{CONNECTIONS, connections};
use records::people::{USERS, User};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

const ROTATION_DAYS: Setting = Setting::integer_unset("rotation_days", 1, 3650)
    .unit("days")
    .about("how often the password policy of the organization asks for a new password");

/// `connect.owner-password-policy`
pub const OWNER_PASSWORD_POLICY: Check = Check::attested("connect.owner-password-policy")
    .title("The password of the owner meets the rotation policy")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &USERS])
    .due_every(&ROTATION_DAYS)
    .guide(GUIDE)
    .what(
        "Lists everybody who owns an enabled connection. Somebody confirms for each that the password meets \
         the policy of the organization; a confirmation is good for `rotation_days`.",
    )
    .why("The accounts behind connections are used by no person, so nobody is ever asked to change their password.")
    .limits("No interface tells the age of a password; the confirmation is taken as given.")
    .related(&["connect.owner-active"])
    .remedy(&REMEDY)
    .judge(owner_password_policy);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "{subject}, or the administrator of the identity store",
        "ask when the password was last changed, and compare with the policy",
    ),
    Step::decision(
        "it is older than the policy allows",
        "have it changed by its owner or in the identity store",
    ),
    Step::console(
        "Modules > Connect > Connections",
        "update every connection that stores this credential ({connections}), and run each once",
    ),
])
.who("the owner of the account, or the administrator of the identity store")
.risk(Risk::Medium, Reversible::No)
.cautions(&[
    "A new password breaks every connection that stores the old one: update them in the same window.",
])
.references(&["Maintenance guide: Review and update connection owners"]);

fn owner_password_policy(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connections = connections(facts)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    let mut owned: BTreeMap<&str, (String, Vec<String>)> = BTreeMap::new();
    for connection in connections.iter().filter(|connection| !connection.is_off()) {
        let key = if connection.user_id.is_empty() { &connection.owner } else { &connection.user_id };
        let entry = owned.entry(key).or_insert_with(|| (owner_label(connection, &users), Vec::new()));
        entry.1.push(connection.name.clone());
    }
    if owned.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no connection is switched on"));
    }
    for (key, (label, names)) in owned {
        report.finding(
            Finding::on(Subject::new("user", key, label))
                .says(format!(
                    "owns {} enabled connections; nobody confirmed the age of the password",
                    names.len()
                ))
                .expected("a password within the policy")
                .affected(names.len() as u64, Some(connections.len() as u64))
                .sample(names.iter().take(5))
                .confirms("password within the policy")
                .fill("connections", names.join(", "))
                .evidence(facts.seen(&CONNECTIONS, &names)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn every_owner_of_an_enabled_connection_is_listed_once() {
        let case = Case::of(&OWNER_PASSWORD_POLICY)
            .rows(
                &CONNECTIONS,
                json!([{"id": 1, "name": "a", "enabled": true, "userId": 7},
                       {"id": 2, "name": "b", "enabled": true, "userId": 7},
                       {"id": 3, "name": "c", "enabled": false, "userId": 8},
                       {"id": 4, "name": "d", "enabled": true, "userId": 9}]),
            )
            .rows(&USERS, json!([{"id": 7, "name": "ann"}]));
        let verdict = case.judge();
        verdict.assert_findings(&["7", "9"]);
        assert_eq!(verdict.findings()[0].subject.name, "ann");
        assert_eq!(verdict.findings()[0].values["connections"], "a, b");
        case.assert_needs_its_inputs();
    }

    #[test]
    fn without_enabled_connections_there_is_nobody_to_ask() {
        Case::of(&OWNER_PASSWORD_POLICY)
            .rows(&CONNECTIONS, json!([{"id": 3, "name": "c", "enabled": false, "userId": 8}]))
            .rows(&USERS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
    }
}
