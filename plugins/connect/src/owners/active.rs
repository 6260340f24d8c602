//! `connect.owner-active`: each connection is owned by an active user.

use super::{BOTH, DELETING_STOPS, GUIDE, is_gone, owner, owner_label};
use crate::inputs::{CONNECTIONS, Connection, connections};
use records::people::{USERS, User};
use serde_json::json;
use tancheck_plugin_api::prelude::*;

const STALE_DAYS: Setting = Setting::integer("stale_days", 90, 1, 3650)
    .unit("days")
    .about("how long the owner of a connection may not have signed in before somebody should look; as in console-users");

/// `connect.owner-active`
pub const OWNER_ACTIVE: Check = Check::automated("connect.owner-active")
    .title("Each connection is owned by an active user")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&CONNECTIONS, &USERS])
    .settings(&[&STALE_DAYS])
    .guide(GUIDE)
    .what(
        "Looks up the owner of every connection among the Console users. An owner who is deleted, unknown, \
         disabled in or missing from LDAP, or locked out is a finding; one who has not signed in for more \
         than `stale_days` is one of low severity.",
    )
    .why("When its owner goes, a connection stops running, without a failed run that anybody would notice.")
    .limits(
        "Service accounts rarely sign in to the Console: waive those. An account that is disabled in an \
         identity store is seen only where the server synchronizes with it.",
    )
    .related(&["console-users.departed-accounts", "connect.next-run"])
    .remedy(&REMEDY)
    .judge(owner_active);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users",
        "look at the account of {owner}, and transfer its content to an existing user",
    ),
    Step::decision(
        "the content cannot be transferred",
        "export the connection, import it as a new scheduled connection under an existing user, and disable \
         the old one",
    ),
    Step::console("Modules > Connect > Connections > {subject}", "run it once and see that it finishes"),
    Step::decision(
        "{owner} only has not signed in for long",
        "ask whether the account is still needed, and by whom",
    ),
])
.who(BOTH)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&[
    DELETING_STOPS,
    "A connection that exists twice sends everything twice: disable the old one at once.",
])
.references(&[
    "Console User Guide: View user settings",
    "Console User Guide: Delete or transfer content for a non-active user",
    "Connect User Guide: Export connections",
    "Connect User Guide: Import connections",
]);

fn owner_active(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&STALE_DAYS)?;
    let connections = connections(facts)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    for connection in &connections {
        let Some((severity, says)) = trouble(facts, connection, &users, limit)? else { continue };
        let label = owner_label(connection, &users);
        let evidence = json!({"userId": connection.user_id, "owner": label});
        report.finding(
            Finding::on(connection.subject())
                .severity(severity)
                .says(format!("its owner {label} {says}"))
                .expected("an owner who is an active Console user")
                .fill("owner", &label)
                .evidence(facts.seen(&USERS, evidence)),
        );
    }
    Ok(())
}

fn trouble(
    facts: &Facts<'_>,
    connection: &Connection,
    users: &[User],
    limit: i64,
) -> Result<Option<(Severity, String)>, Undecided> {
    let Some(owner) = owner(connection, users) else {
        let gone = is_gone(facts, connection, users)?;
        return Ok(gone.then(|| (Severity::High, "is no Console user".to_owned())));
    };
    if let Some(reason) = owner.inactive_because() {
        return Ok(Some((Severity::High, reason.to_owned())));
    }
    // The sentinel for never is what the summary view writes for everybody, so nothing follows from it.
    let days = owner.last_login.map(|last| facts.days_since(last)).filter(|days| *days > limit);
    Ok(days.map(|days| (Severity::Low, format!("has not signed in for {days} days"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn case(user: Value) -> Case {
        Case::of(&OWNER_ACTIVE)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "a", "userId": 7}]))
            .rows(&USERS, json!([user]))
    }

    #[test]
    fn an_active_owner_passes() {
        case(json!({"id": 7, "name": "ann", "locked_out": 0, "last_login": "2026-06-01T00:00:00Z"}))
            .judge()
            .assert_pass();
        case(json!({"id": 7, "name": "ann", "last_login": "2001-01-01T00:00:00Z"})).judge().assert_pass();
        case(json!({"id": 7, "name": "ann"})).assert_needs_its_inputs();
    }

    #[test]
    fn a_deleted_unknown_or_locked_owner_is_found() {
        case(json!({"id": 8, "name": "bob"})).judge().assert_findings(&["1"]);
        case(json!({"id": 7, "name": "ann", "deleted_flag": true})).judge().assert_findings(&["1"]);
        for code in 1..=3 {
            case(json!({"id": 7, "name": "ann", "locked_out": code})).judge().assert_findings(&["1"]);
        }
    }

    #[test]
    fn an_owner_who_stays_away_is_of_low_severity() {
        let case = case(json!({"id": 7, "name": "ann", "last_login": "2026-03-01T00:00:00Z"}));
        assert_eq!(case.judge().findings()[0].severity, Some(Severity::Low));
        case.setting("stale_days", 365).judge().assert_pass();
    }

    #[test]
    fn an_owner_outside_of_an_incomplete_list_is_unknown() {
        let cut = case(json!({"id": 8, "name": "bob"})).gap(&USERS, "the list was cut");
        cut.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn exported_lists_are_joined_by_name() {
        let exported = Case::of(&OWNER_ACTIVE)
            .rows(&CONNECTIONS, json!([{"Name": "a", "Owner": "Ann"}]))
            .rows(&USERS, json!([{"ID": "7", "Name": "ann", "Locked Out": "No"}]));
        exported.judge().assert_pass();
        exported
            .rows(&USERS, json!([{"ID": "7", "Name": "ann", "Locked Out": "Yes"}]))
            .judge()
            .assert_findings(&["a"]);
    }
}
