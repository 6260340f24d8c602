//! Guide: *Review and update Console user accounts*, page 36: accounts of people who left, accounts that are locked.

use crate::inputs::{ACCOUNTS, EXEMPT, KEEP_A_LOCAL_ADMINISTRATOR, WHO, is_among, names, owned, users};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::SCHEDULED_ACTIONS;
use tancheck_plugin_api::records::connections::CONNECTIONS;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};

/// The people who are here, by the identity store or by the personnel department.
pub(crate) const ACTIVE_PEOPLE: Input =
    Input::new("console-users.active-people", "people who still work with the deployment").sources(&[
        Source::export(
            "active-people.csv",
            "the identity store, or the list of the personnel department",
            "write down everybody who is active, with these columns; only the name has to be filled in",
            &["Name", "Domain", "Mail"],
        ),
    ]);

/// `console-users.departed-accounts`
pub(crate) const DEPARTED: Check = Check::hybrid("console-users.departed-accounts")
    .title("Accounts of people who left are removed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&USERS, &ACTIVE_PEOPLE, &CONNECTIONS, &SCHEDULED_ACTIONS])
    .settings(&[&EXEMPT])
    .guide(&[ACCOUNTS, guide("Review and update connection owners", 24)])
    .what("Looks up each account that is neither deleted nor locked out in an exported list of active people: by its name, by domain and name, by the name shown, or by the mail address. Accounts that `exempt` names, and the server's own accounts for solutions, belong to nobody and are left out.")
    .why("An account that outlives its owner can still be used, and nobody watches it.")
    .limits("Names are compared across two stores, so an unusual spelling looks like a departure: confirm such an account.")
    .related(&["connect.owner-active", "rbac.local-admin-account", "console-users.stale-sign-in"])
    .remedy(&DEPARTED_REMEDY)
    .judge(departed);

const DEPARTED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the manager of {subject}, or the personnel department", "whether the person has left"),
    Step::console(
        "Administration > Permissions > Users > {subject}",
        "see what the account owns ({owned}), and transfer connections, scheduled actions and saved questions to an active user",
    ),
    Step::console("Administration > Permissions > Users > {subject}", "lock the account out until all is moved"),
    Step::decision("everything is transferred and still works", "delete the account"),
    Step::consult(
        "the administrator of the identity store, for a remote account",
        "remove or disable it there too, or the next synchronization brings it back",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.cautions(&[
    "Deleting a user stops the connections and scheduled actions that the user owns. Locking out can be undone: do that first.",
    KEEP_A_LOCAL_ADMINISTRATOR,
])
.references(&["Console User Guide: Delete, un-delete, or lock out a user"]);

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Person {
    #[serde(rename = "Name", deserialize_with = "lenient::text")]
    name: String,
    #[serde(rename = "Domain", deserialize_with = "lenient::text")]
    domain: String,
    #[serde(rename = "Mail", deserialize_with = "lenient::text")]
    mail: String,
}

impl Person {
    fn is(&self, user: &User) -> bool {
        let same = |text: &str| !text.is_empty() && text.eq_ignore_ascii_case(self.name.trim());
        let with_domain = format!("{}\\{}", user.domain, user.name);
        let by_domain = user.name.eq_ignore_ascii_case(&format!("{}@{}", self.name, self.domain));
        let by_mail = !self.mail.is_empty() && user.name.eq_ignore_ascii_case(self.mail.trim());
        same(&user.name) || same(&with_domain) || same(&user.display_name) || by_domain || by_mail
    }
}

fn departed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users = users(facts)?;
    let people: Vec<Person> = facts.rows(&ACTIVE_PEOPLE)?;
    if people.iter().all(|person| person.name.trim().is_empty()) {
        return Err(Undecided::not_evaluated("active-people.csv names nobody: export it again"));
    }
    let exempt = facts.list(&EXEMPT);
    let mut unknown = Vec::new();
    for user in users.iter().filter(|user| !user.is_service_account() && !is_among(user, &exempt)) {
        if people.iter().any(|person| person.is(user)) {
            continue;
        }
        match lock(user) {
            Lock::Locked(_) => {}
            Lock::Unknown(why) => unknown.push(format!("{} {why}", user.name)),
            Lock::Open => report.finding(
                Finding::on(user.subject())
                    .says("is not among the active people, and can still be used")
                    .expected("a deleted or locked-out account, or a place in active-people.csv or `exempt`")
                    .fill("owned", owned(facts, user))
                    .evidence(facts.seen(&USERS, [&user.name, &user.domain, &user.display_name])),
            ),
        }
    }
    settle(&unknown)
}

/// Whether an account is locked out.
enum Lock {
    Open,
    /// Why.
    Locked(&'static str),
    /// Why that cannot be told.
    Unknown(String),
}

fn lock(user: &User) -> Lock {
    match (user.locked_out, user.exported_locked_out) {
        (Some(0.0), _) | (None, Some(false)) => Lock::Open,
        (None, None) => Lock::Unknown("does not tell whether it is locked out".to_owned()),
        (Some(code), _) => match user.inactive_because() {
            Some(reason) => Lock::Locked(reason),
            None => Lock::Unknown(format!("has the unknown lock-out code {code}")),
        },
        (None, Some(true)) => Lock::Locked("is locked out"),
    }
}

/// `console-users.locked-out`
pub(crate) const LOCKED_OUT: Check = Check::automated("console-users.locked-out")
    .title("Locked-out accounts are explained")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&USERS, &SERVER_INFO])
    .settings(&[&INTENDED])
    .learns(&[&INTENDED])
    .guide(&[ACCOUNTS])
    .what("Lists the accounts that are locked out and that `intended` does not name, with the reason that the server gives.")
    .why("Somebody may be waiting for access; or an account that LDAP no longer knows was meant to be removed.")
    .limits("Short lock-outs after wrong passwords are another thing: the server only counts them, and the outcome mentions the count.")
    .related(&["console-users.departed-accounts", "console-users.ldap-sync"])
    .remedy(&LOCKED_OUT_REMEDY)
    .judge(locked_out);

const INTENDED: Setting =
    Setting::list("intended", &[]).about("names of accounts that are locked out on purpose");

const LOCKED_OUT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users > {subject}",
        "see since when it is locked out; the server says that it {reason}",
    ),
    Step::decision(
        "LDAP disabled it or no longer has it",
        "ask the administrator of the directory whether that is right",
    ),
    Step::decision("the person should have access, and is who they say", "unlock the account"),
    Step::decision("it stays locked out", "name it in `intended`, and transfer what it owns"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&["Unlock an account only after the person's identity is verified."])
.references(&["Console User Guide: Locked-out users"]);

fn locked_out(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if let Ok(info) = facts.object::<ServerInfo>(&SERVER_INFO) {
        note_temporary(&info, report);
    }
    let intended = facts.list(&INTENDED);
    let users = users(facts)?;
    if !users.iter().any(|user| matches!(lock(user), Lock::Unknown(_))) {
        let locked: Vec<&User> = users.iter().filter(|user| matches!(lock(user), Lock::Locked(_))).collect();
        let seen = format!("accounts that are locked out: {}", locked.len());
        report.propose(&INTENDED, names(facts, &INTENDED, locked), seen);
    }
    let mut unknown = Vec::new();
    for user in &users {
        match lock(user) {
            Lock::Open => {}
            Lock::Unknown(why) => unknown.push(format!("{} {why}", user.name)),
            Lock::Locked(_) if is_among(user, &intended) => {}
            Lock::Locked(reason) => report.finding(
                Finding::on(user.subject())
                    .says(reason)
                    .expected("an account in use, or a place in `intended`")
                    .fill("reason", reason)
                    .evidence(facts.seen(&USERS, user.locked_out)),
            ),
        }
    }
    settle(&unknown)
}

fn note_temporary(info: &ServerInfo, report: &mut Report) {
    for (key, value) in info.section("API_Lockout") {
        if let Some(count) = value.as_u64().filter(|count| *count > 0) {
            let what = if key.contains("IP") { "addresses" } else { "users" };
            report.note(format!("{count} {what} are locked out for a short time after failed sign-ins"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn leaver(user: Value) -> Case {
        Case::of(&DEPARTED)
            .rows(&USERS, json!([user]))
            .rows(&ACTIVE_PEOPLE, json!([{"Name": "ann", "Domain": "CORP", "Mail": "ann@corp.example"}]))
    }

    #[test]
    fn people_are_found_by_any_of_their_names() {
        let open = |name: &str, display: &str| {
            leaver(json!({"id": 7, "name": name, "domain": "CORP", "display_name": display, "locked_out": 0}))
        };
        for name in ["ann", "ANN", "ann@corp", "ann@corp.example"] {
            open(name, "").judge().assert_pass();
        }
        open("a7", "Ann").judge().assert_pass();
        let verdict = open("bob", "").judge();
        verdict.assert_findings(&["7"]);
        assert_eq!(verdict.findings()[0].values["owned"], "connections not seen, scheduled actions not seen");
        open("bob", "").setting("exempt", json!(["CORP\\bob"])).judge().assert_pass();
    }

    #[test]
    fn what_an_account_owns_is_told() {
        let case = leaver(json!({"id": 7, "name": "bob", "locked_out": 0}))
            .rows(&CONNECTIONS, json!([{"id": 1, "userId": 7}, {"id": 2, "userId": 8}]))
            .rows(&SCHEDULED_ACTIONS, json!([{"id": 1, "user": {"id": 7}}, {"id": 2, "user": {"id": 7}}]));
        assert_eq!(case.judge().findings()[0].values["owned"], "1 connection, 2 scheduled actions");
    }

    #[test]
    fn deleted_locked_and_service_accounts_are_left_out() {
        leaver(json!({"id": 7, "name": "bob", "deleted_flag": true})).judge().assert_pass();
        leaver(json!({"id": 7, "name": "bob", "locked_out": 2})).judge().assert_pass();
        leaver(json!({"id": 7, "name": "Deploy", "domain": "<[tanium]>", "locked_out": 0}))
            .judge()
            .assert_pass();
        leaver(json!({"id": 7, "name": "bob"})).judge().assert_undecided(Outcome::NotEvaluated);
        leaver(json!({"id": 7, "name": "bob", "locked_out": 8}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        leaver(json!({"ID": 7, "Name": "bob", "Locked Out": "Yes"})).judge().assert_pass();
        leaver(json!({"ID": 7, "Name": "bob", "Locked Out": "No"})).judge().assert_findings(&["7"]);
    }

    #[test]
    fn an_empty_list_of_people_decides_nothing() {
        let case = Case::of(&DEPARTED).rows(&USERS, json!([])).rows(&ACTIVE_PEOPLE, json!([]));
        case.judge().assert_undecided(Outcome::NotEvaluated);
        leaver(json!({"id": 7, "name": "ann", "locked_out": 0})).assert_needs_its_inputs();
    }

    fn locked(user: Value) -> Case {
        Case::of(&LOCKED_OUT).rows(&USERS, json!([user]))
    }

    #[test]
    fn locked_accounts_are_found_unless_intended() {
        for code in 1..=3 {
            locked(json!({"id": 7, "name": "ann", "locked_out": code})).judge().assert_findings(&["7"]);
        }
        let ann = locked(json!({"id": 7, "name": "ann", "locked_out": 1}));
        ann.clone().setting("intended", json!(["ann"])).judge().assert_pass();
        assert_eq!(ann.judge().proposal("intended"), Some(&json!(["ann"])));
        let corp = locked(json!({"id": 7, "name": "ann", "domain": "CORP", "locked_out": 1}));
        assert_eq!(corp.judge().proposal("intended"), Some(&json!(["CORP\\ann"])));
        assert_eq!(locked(json!({"id": 7, "name": "ann"})).judge().proposals(), []);
        ann.assert_needs_its_inputs();
        locked(json!({"id": 7, "name": "ann", "locked_out": 0})).judge().assert_pass();
        locked(json!({"id": 7, "name": "ann", "locked_out": 1, "deleted_flag": true})).judge().assert_pass();
        locked(json!({"id": 7, "name": "ann"})).judge().assert_undecided(Outcome::NotEvaluated);
        locked(json!({"id": 7, "name": "ann", "locked_out": 9}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn short_lock_outs_are_mentioned() {
        let info = json!({"Diagnostics": {"API_Lockout": {"Total_Locked_User_Count": 2, "Total_Locked_IP_Count": 0}}});
        let verdict =
            locked(json!({"id": 7, "name": "ann", "locked_out": 0})).object(&SERVER_INFO, info).judge();
        verdict.assert_pass();
        assert_eq!(verdict.notes(), ["2 users are locked out for a short time after failed sign-ins"]);
    }
}
