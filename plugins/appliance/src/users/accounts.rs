//! Who has an account on which Appliance, and with which role.

use super::list::{Listed, Role, TANOS_USERS, TanosUser, USERS_DUE_EVERY_DAYS, recent_lists};
use super::{GUIDE, LIMITS, MENU, REFERENCES};
use crate::inputs::{APPLIANCES, OTHER_SERVERS, TANADMIN, subject};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::SERVER_HEALTH;
use tancheck_plugin_api::records::server::LICENSE;

/// Who needs an account.
const NEEDS_ACCESS: Setting = Setting::list("needs_access", &[])
    .about("persons who need a TanOS account on each Appliance, as the column person or user names them");

/// How many tanadmin users each Appliance has at least.
const MIN_TANADMIN: Setting = Setting::integer("min_tanadmin", 2, 1, 50)
    .unit("users")
    .about("how many users with the role tanadmin each Appliance has at least")
    .from_guide();

/// TanOS users are the right ones.
pub(crate) const ACCESS: Check = Check::hybrid("appliance.tanos-users-access")
    .title("The right people have TanOS accounts on each Appliance")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&LICENSE, &SERVER_HEALTH, &TANOS_USERS])
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &NEEDS_ACCESS])
    .learns(&[&NEEDS_ACCESS])
    .due_every(&USERS_DUE_EVERY_DAYS)
    .guide(GUIDE)
    .applies("Appliances")
    .what("Finds TanOS accounts of people who left, and people of `needs_access` who have no account on an Appliance. Clean, it still asks a person once a quarter to review the list.")
    .why("An account of someone who left opens the operating system of the servers that control every endpoint.")
    .limits(LIMITS)
    .related(&["appliance.tanadmin-count", "appliance.hc-users"])
    .remedy(&ACCESS_REMEDY)
    .judge(tanos_users_access);

const ACCESS_REMEDY: Remedy = Remedy::new(&[
    Step::console(MENU, "review the list, and add, change or remove accounts"),
    Step::command("tanos-users.csv", "write the list of every Appliance down again"),
    Step::command(
        "tancheck attest appliance.tanos-users-access --result done",
        "records the review of all Appliances",
    ),
])
.cautions(&["Do not remove the last working tanadmin of an Appliance."])
.who(TANADMIN)
.risk(Risk::High, Reversible::Partly)
.references(REFERENCES);

fn tanos_users_access(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (lists, mut unknown) = recent_lists(facts)?;
    let needed = facts.list(&NEEDS_ACCESS);
    if unknown.is_empty() {
        propose(facts, report, &lists);
    }
    for list in &lists {
        for user in &list.users {
            let is_service = user.role().is_ok_and(Role::is_service);
            match user.person_active {
                Some(true) => {}
                None if is_service => {}
                None => unknown.push(format!("{} on {}: person_active is empty", user.user, list.appliance)),
                Some(false) => report.finding(
                    Finding::on(user.subject())
                        .says(format!("belongs to {}, who is no longer here", named(&user.person)))
                        .expected("accounts of people who are here")
                        .evidence(facts.seen(&TANOS_USERS, (&user.role, &user.person))),
                ),
            }
        }
        let has = |person: &&str| {
            let is_it = |name: &str| name.trim().eq_ignore_ascii_case(person);
            list.users.iter().any(|user| is_it(&user.person) || is_it(&user.user))
        };
        for person in needed.iter().filter(|person| !has(person)) {
            let key = format!("{}: {}", list.appliance.to_lowercase(), person.to_lowercase());
            report.finding(
                Finding::on(Subject::new("TanOS access", key, &list.appliance))
                    .says(format!("has no account for {person}, who needs one"))
                    .expected("an account for everyone in `needs_access`")
                    .evidence(facts.seen(&TANOS_USERS, list.users.len())),
            );
        }
    }
    settle(&unknown)
}

/// The people who are here and have an account on each Appliance.
fn propose(facts: &Facts<'_>, report: &mut Report, lists: &[Listed]) {
    let Some((first, others)) = lists.split_first() else { return };
    let is_here = |user: &&TanosUser| user.person_active == Some(true);
    let same = |one: &TanosUser, other: &TanosUser| match (one.person.trim(), other.person.trim()) {
        ("", _) | (_, "") => one.user.trim().eq_ignore_ascii_case(other.user.trim()),
        (one, other) => one.eq_ignore_ascii_case(other),
    };
    let everywhere = |user: &&TanosUser| {
        others.iter().all(|list| list.users.iter().filter(is_here).any(|one| same(one, user)))
    };
    let people = first.users.iter().filter(is_here).filter(everywhere);
    let names = facts.called(&NEEDS_ACCESS, people.map(|user| [user.person.trim(), user.user.trim()]));
    let seen = format!("{} people with an account on each of {} Appliances", names.len(), lists.len());
    report.propose(&NEEDS_ACCESS, names, seen);
}

fn named(person: &str) -> &str {
    if person.trim().is_empty() { "someone" } else { person }
}

/// More than one tanadmin.
pub(crate) const TANADMIN_COUNT: Check = Check::hybrid("appliance.tanadmin-count")
    .title("Each Appliance has more than one tanadmin user")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&LICENSE, &SERVER_HEALTH, &TANOS_USERS])
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &MIN_TANADMIN, &USERS_DUE_EVERY_DAYS])
    .guide(GUIDE)
    .applies("Appliances")
    .what("Counts the users with the role tanadmin on each Appliance, without those of people who left, and compares with `min_tanadmin`.")
    .why("When the password of the only tanadmin is lost, nobody can manage the Appliance any more.")
    .limits(LIMITS)
    .related(&["appliance.tanos-users-access"])
    .remedy(&COUNT_REMEDY)
    .judge(tanadmin_count);

const COUNT_REMEDY: Remedy = Remedy::new(&[
    Step::console(MENU, "on {subject}, create a second user with the role tanadmin, for another person"),
    Step::decision("the password is to be stored", "store it where other secrets of this rank are"),
    Step::command("tanos-users.csv", "write the list of {subject} down again"),
])
.who(TANADMIN)
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

fn tanadmin_count(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (lists, mut unknown) = recent_lists(facts)?;
    let least = facts.integer(&MIN_TANADMIN)?;
    for list in &lists {
        let roles: Result<Vec<Role>, String> = list
            .users
            .iter()
            .filter(|user| user.person_active != Some(false))
            .map(super::list::TanosUser::role)
            .collect();
        let roles = match roles {
            Ok(roles) => roles,
            Err(why) => {
                unknown.push(why);
                continue;
            }
        };
        let count = roles.iter().filter(|role| **role == Role::Tanadmin).count();
        if (count as i64) < least {
            report.finding(
                Finding::on(subject(&list.appliance))
                    .says(match count {
                        0 => "has no tanadmin user of a person who is here".to_owned(),
                        1 => "has only one tanadmin user".to_owned(),
                        more => format!("has {more} tanadmin users"),
                    })
                    .expected(format!("at least {least}"))
                    .evidence(facts.seen(&TANOS_USERS, count)),
            );
        }
    }
    settle(&unknown)
}

/// Roles fit.
pub(crate) const ROLE_FIT: Check = Check::attested("appliance.tanos-role-fit")
    .title("TanOS users have no wider role than their work needs")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&LICENSE, &SERVER_HEALTH, &TANOS_USERS])
    .settings(&[&APPLIANCES, &OTHER_SERVERS])
    .due_every(&USERS_DUE_EVERY_DAYS)
    .guide(GUIDE)
    .applies("Appliances")
    .what("Lists the users of each Appliance with their roles, for a person to confirm that the roles fit. The confirmation ends when a user or a role changes.")
    .why("A tanadmin who only copies files can do, and break, far more than that.")
    .limits(LIMITS)
    .related(&["appliance.tanos-users-access"])
    .remedy(&ROLE_REMEDY)
    .judge(tanos_role_fit);

const ROLE_REMEDY: Remedy = Remedy::new(&[
    Step::console(MENU, "compare each user's role with the work: tanadmin opens all menus, tanacopy copies files to /incoming and from /outgoing, tanuser sees status menus only"),
    Step::decision("a role is wider than needed", "give the narrower one"),
    Step::command(
        "tancheck attest appliance.tanos-role-fit --subject {key} --result done",
        "records the confirmation for {subject}",
    ),
])
.cautions(&["Keep at least two working tanadmin users on each Appliance."])
.who(TANADMIN)
.risk(Risk::Medium, Reversible::Yes)
.references(REFERENCES);

fn tanos_role_fit(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (lists, unknown) = recent_lists(facts)?;
    for list in &lists {
        let mut roles: Vec<String> = list
            .users
            .iter()
            .map(|user| format!("{} {}", user.user.trim().to_lowercase(), user.role.trim().to_lowercase()))
            .collect();
        roles.sort_unstable();
        let state = roles.join(", ");
        let subject = subject(&list.appliance);
        report.finding(
            Finding::on(subject.clone())
                .says(format!("has these users; their roles have to be confirmed: {state}"))
                .expected("no wider role than the work needs")
                .affected(roles.len() as u64, None)
                .fill("key", &subject.key)
                .confirms(&state)
                .evidence(facts.seen(&TANOS_USERS, &roles)),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn user(name: &str, role: &str, active: &str) -> Value {
        json!({"appliance": "ts1", "user": name, "role": role, "auth": "key", "person": format!("{name} Example"),
               "person_active": active, "policy_covered": "", "captured_at": "2026-06-01"})
    }

    fn case(check: &'static Check, users: &[Value]) -> Case {
        deployment(check, &["ts1.example.com"]).rows(&TANOS_USERS, json!(users))
    }

    #[test]
    fn people_who_left_and_people_without_access_are_found() {
        let two = [user("ann", "tanadmin", "yes"), user("bob", "tanuser", "yes")];
        case(&ACCESS, &two).judge().assert_pass();
        case(&ACCESS, &two).assert_needs_its_inputs();
        let left = [user("ann", "tanadmin", "yes"), user("bob", "tanuser", "no")];
        case(&ACCESS, &left).judge().assert_findings(&["ts1: bob"]);
        let needed = case(&ACCESS, &two).setting("needs_access", json!(["Ann Example", "bob", "Eve"]));
        needed.judge().assert_findings(&["ts1: eve"]);
        assert_eq!(needed.judge().proposal("needs_access"), Some(&json!(["Ann Example", "bob"])));
        assert_eq!(case(&ACCESS, &left).judge().proposal("needs_access"), Some(&json!(["ann Example"])));
        let unknown = [user("ann", "tanadmin", "")];
        case(&ACCESS, &unknown).judge().assert_undecided(Outcome::NotEvaluated);
        let service = [user("ann", "tanadmin", "yes"), user("tansnmp", "tansnmp", "")];
        case(&ACCESS, &service).judge().assert_pass();
    }

    #[test]
    fn two_tanadmins_who_are_here_are_enough() {
        let admins = [user("ann", "tanadmin", "yes"), user("bob", "Tanadmin", "")];
        case(&TANADMIN_COUNT, &admins).judge().assert_pass();
        case(&TANADMIN_COUNT, &admins).assert_needs_its_inputs();
        case(&TANADMIN_COUNT, &admins).setting("min_tanadmin", 3).judge().assert_findings(&["ts1"]);
        let left = [user("ann", "tanadmin", "yes"), user("bob", "tanadmin", "no")];
        case(&TANADMIN_COUNT, &left).judge().assert_findings(&["ts1"]);
        let odd = [user("ann", "tanadmin", "yes"), user("bob", "root", "yes")];
        case(&TANADMIN_COUNT, &odd).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_list_that_is_old_or_missing_decides_nothing() {
        let users = [user("ann", "tanadmin", "yes"), user("bob", "tanadmin", "yes")];
        for check in [&ACCESS, &TANADMIN_COUNT, &ROLE_FIT] {
            case(check, &users).at("2026-09-15T00:00:00Z").judge().assert_undecided(Outcome::NotEvaluated);
            case(check, &[]).judge().assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn a_confirmation_of_roles_ends_when_one_changes() {
        let state = |role: &str| {
            let verdict =
                case(&ROLE_FIT, &[user("ann", "tanadmin", "yes"), user("bob", role, "yes")]).judge();
            verdict.assert_findings(&["ts1"]);
            verdict.findings()[0].state.clone()
        };
        assert_eq!(state("tanuser"), state("TANUSER"));
        assert_ne!(state("tanuser"), state("tanadmin"));
    }
}
