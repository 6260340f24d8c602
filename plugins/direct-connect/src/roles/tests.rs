//! Tests of the roles' checks.

use super::*;
use tancheck_plugin_api::serde_json::{Value, json};
use tancheck_plugin_api::testing::Case;

/// The privileges of the tables by position, and the content sets by name.
fn privileges() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        MODULE.iter().map(|row| row.0).chain(CONTENT.iter().map(|row| row.0)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

const SETS: [&str; 3] = ["Reserved", "Base", "Direct Connect"];

fn grant(permission: &str, set: &str) -> Value {
    let id = privileges().iter().position(|name| *name == permission).unwrap();
    let set = SETS.iter().position(|name| *name == set);
    json!({"content_set_privilege": {"id": id + 10}, "content_set": set.map(|id| json!({"id": id + 1}))})
}

/// The grants of a role as the tables have them, provided ones left out.
fn grants(column: usize) -> Vec<Value> {
    let module = MODULE.iter().filter(|row| row.1[column] == Cell::Yes).map(|row| grant(row.0, ""));
    let content = CONTENT.iter().filter(|row| row.3[column] == Cell::Yes).map(|row| grant(row.0, row.1));
    module.chain(content).collect()
}

fn drift(change: impl Fn(usize, &mut Vec<Value>)) -> Case {
    let roles = NAMES.iter().enumerate().map(|(column, name)| {
        let mut own = grants(column);
        change(column, &mut own);
        json!({"id": column + 1, "name": name, "content_set_role_privileges": own})
    });
    let names: Vec<Value> = privileges()
        .iter()
        .enumerate()
        .map(|(id, name)| json!({"id": id + 10, "name": name.to_lowercase()}))
        .collect();
    let sets: Vec<Value> =
        SETS.iter().enumerate().map(|(id, name)| json!({"id": id + 1, "name": name})).collect();
    Case::of(&ROLE_DRIFT)
        .rows(&ROLES, roles.collect())
        .rows(&PRIVILEGES, names.into())
        .rows(&CONTENT_SETS, sets.into())
}

#[test]
fn roles_as_the_tables_have_them_pass() {
    drift(|_, _| {}).judge().assert_pass();
    drift(|_, _| {}).assert_needs_its_inputs();
    // A provided permission may be granted by itself, too.
    drift(|_, own| own.push(grant("Read Own Action", "Direct Connect"))).judge().assert_pass();
}

#[test]
fn what_a_role_lost_or_gained_is_found() {
    let severity = |column: usize, change: &dyn Fn(&mut Vec<Value>)| {
        let verdict = drift(|at, own| {
            if at == column {
                change(own)
            }
        })
        .judge();
        verdict.assert_findings(&[&NAMES[column].to_lowercase()]);
        verdict.findings()[0].severity
    };
    let lose = |permission: &'static str, set: &'static str| {
        move |own: &mut Vec<Value>| own.retain(|one| *one != grant(permission, set))
    };
    let gain = |permission: &'static str, set: &'static str| {
        move |own: &mut Vec<Value>| own.push(grant(permission, set))
    };
    assert_eq!(severity(2, &lose("Direct Connect Cron Exec", "")), Some(Severity::High));
    assert_eq!(severity(0, &lose("Read Sensor", "Base")), Some(Severity::Medium));
    assert_eq!(severity(3, &gain("Direct Connect Settings Write", "")), Some(Severity::Medium));
    assert_eq!(severity(1, &gain("Read Sensor", "Base")), Some(Severity::Low));
    // The right permission on the wrong content set is none.
    let moved = drift(|at, own| {
        if at == 1 {
            own.retain(|one| *one != grant("Read Saved Question", "Reserved"));
            own.push(grant("Read Saved Question", "Base"));
        }
    });
    assert!(moved.judge().findings()[0].says.starts_with("lacks Read Saved Question on Reserved,"));
    // Without Write Action nothing provides the preview.
    let unprovided = drift(|at, own| {
        if at == 3 {
            lose("Write Action", "Direct Connect")(own)
        }
    })
    .judge();
    assert!(
        unprovided.findings()[0]
            .says
            .contains("Write Action on Direct Connect, Show Preview on Direct Connect")
    );
}

#[test]
fn a_permission_that_the_platform_does_not_know_is_not_judged() {
    let all = drift(|_, own| own.retain(|one| *one != grant("Direct Connect Logs Read", "")));
    let known: Vec<Value> = privileges()
        .iter()
        .enumerate()
        .filter(|(_, name)| **name != "Direct Connect Logs Read")
        .map(|(id, name)| json!({"id": id + 10, "name": name}))
        .collect();
    let verdict = all.rows(&PRIVILEGES, known.into()).judge();
    verdict.assert_pass();
    assert!(verdict.notes()[0].ends_with("Direct Connect Logs Read"), "{:?}", verdict.notes());
    let none = Case::of(&ROLE_DRIFT)
        .rows(&ROLES, json!([]))
        .rows(&PRIVILEGES, json!([]))
        .rows(&CONTENT_SETS, json!([]));
    none.judge().assert_undecided(Outcome::NotApplicable);
}

#[test]
fn the_roles_have_to_be_there() {
    let case = |without: &str| {
        let rows: Vec<Value> = NAMES
            .iter()
            .map(|name| json!({"name": name, "deleted_flag": u8::from(*name == without)}))
            .collect();
        Case::of(&ROLES_PRESENT).rows(&ROLES, rows.into())
    };
    case("").judge().assert_pass();
    case("").assert_needs_its_inputs();
    let service = case(SERVICE_ROLE).judge();
    service.assert_findings(&["direct connect service account"]);
    assert_eq!(service.findings()[0].severity, Some(Severity::High));
    assert_eq!(case(USER_ROLE).judge().findings()[0].severity, Some(Severity::Medium));
}

fn account(answer: &str, memberships: Value) -> Case {
    Case::of(&RBAC_SERVICE_ACCOUNT)
        .answer(&SERVICE_ACCOUNT, answer)
        .rows(&USERS, json!([{"id": 8, "name": "svc.dec", "domain": "LAB"}]))
        .rows(&ROLES, json!([{"id": 3, "name": SERVICE_ROLE}]))
        .rows(&ROLE_MEMBERSHIPS, memberships)
        .rows(&USER_GROUPS, json!([{"id": 5, "user_list": [{"id": 8}]}]))
}

#[test]
fn the_account_holds_its_role_by_itself_or_by_a_group() {
    account("svc.dec", json!([{"id": 3, "users": [{"id": 8}]}])).judge().assert_pass();
    account("LAB\\svc.dec", json!([{"id": 3, "user_groups": [{"id": 5}]}])).judge().assert_pass();
    account("svc.dec", json!([{"Role": SERVICE_ROLE, "User": "svc.dec"}])).judge().assert_pass();
    account("svc.dec", json!([{"id": 4, "users": [{"id": 8}]}])).judge().assert_findings(&["8"]);
    account("none", json!([])).judge().assert_undecided(Outcome::NotApplicable);
    account("other", json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    account("svc.dec", json!([{"id": 3, "users": [{"id": 8}]}])).assert_needs_its_inputs();
}

#[test]
fn the_own_account_lacks_privileges_one_by_one() {
    let case = |held: &[&str]| {
        let list: Vec<Value> =
            held.iter().map(|name| json!({"content_set_privilege": {"name": name}})).collect();
        Case::of(&OPERATOR).object(
            &CURRENT,
            json!({"user": {"name": "tancheck", "effective_content_set_privileges": [
                {"effective_content_set_privilege": {"content_set_privilege_list": list}}]}}),
        )
    };
    let all: Vec<&str> = NEEDED.iter().map(|(name, _)| *name).collect();
    case(&all).judge().assert_pass();
    case(&all).assert_needs_its_inputs();
    case(&["administrator"]).judge().assert_pass();
    case(&all[1..]).judge().assert_findings(&["show direct connect"]);
    case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
}

#[test]
fn powerful_holders_are_listed() {
    let case = |deleted: bool| {
        Case::of(&ADMIN_REVIEW)
            .rows(&ROLES, json!([{"id": 1, "name": ADMINISTRATOR}, {"id": 4, "name": USER_ROLE}, {"id": 3, "name": SERVICE_ROLE}]))
            .rows(&USERS, json!([{"id": 8, "name": "ann", "deleted_flag": deleted}, {"id": 9, "name": "bob"}]))
            .rows(&USER_GROUPS, json!([{"id": 5, "user_list": [{"id": 9}]}]))
            .rows(&ROLE_MEMBERSHIPS, json!([{"id": 1, "users": [{"id": 8}]}, {"id": 4, "user_groups": [{"id": 5}]}, {"id": 3, "users": [{"id": 9}]}]))
    };
    case(false).judge().assert_findings(&["8.direct-connect-administrator", "9.direct-connect-user"]);
    case(true).judge().assert_findings(&["9.direct-connect-user"]);
    case(false).assert_needs_its_inputs();
}
