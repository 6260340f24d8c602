//! Guide: *Review and update Console user accounts*, page 36, and *Review and update RBAC permissions and authentication
//! settings*, page 37: who signs in, how, and with which rights.

use crate::inputs::{
    ACCOUNTS, EXEMPT, EXPECTED_LOCAL_USERS, EXPECTED_REMOTE_USERS, KEEP_A_LOCAL_ADMINISTRATOR, RBAC, WHO,
    is_among, names, owned, users,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::SCHEDULED_ACTIONS;
use tancheck_plugin_api::records::connections::CONNECTIONS;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::sign_in::{
    LDAP_CONNECTORS, LOCAL_DOMAINS, Origin, Origins, REMOTE_DOMAINS,
};
use tancheck_plugin_api::records::tokens::{API_TOKENS, ApiToken};

const STALE_DAYS: Setting = Setting::integer("stale_days", 90, 1, 3650)
    .unit("days")
    .about("how long an account may go unused before somebody asks whether it is needed");

/// `console-users.stale-sign-in`
pub(crate) const STALE: Check = Check::automated("console-users.stale-sign-in")
    .title("Accounts that were not used for long are still required")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&USERS, &API_TOKENS, &CONNECTIONS, &SCHEDULED_ACTIONS])
    .settings(&[&STALE_DAYS, &EXEMPT])
    .guide(&[ACCOUNTS])
    .what("Lists the accounts, neither deleted nor locked out, whose last sign-in and last use of an API token are more than `stale_days` ago, and those that were never used and are older than that. Accounts that `exempt` names, local administrator accounts and the server's own accounts for solutions are left out.")
    .why("An account that nobody uses is an open door that nobody watches.")
    .limits("The use of other people's tokens is seen with the privilege `view token` only. An account may own connections or scheduled actions and never sign in: the finding tells what it owns. Where the list of users shows no sign-in of anybody, nothing is decided.")
    .related(&["rbac.local-admin-account", "console-users.departed-accounts"])
    .remedy(&STALE_REMEDY)
    .judge(stale);

const STALE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the manager of {subject}", "whether the account is still needed: a test may be over, or the person gone"),
    Step::decision("it owns something ({owned})", "transfer that to an active user before anything else"),
    Step::console("Administration > Permissions > Users > {subject}", "lock the account out, or delete it, if nobody needs it"),
    Step::decision("it is needed without anybody signing in", "name it in `exempt`"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    KEEP_A_LOCAL_ADMINISTRATOR,
    "An account that owns connections or scheduled actions, or whose API tokens are used, may never sign in to the Console.",
])
.references(&["Console User Guide: Delete, un-delete, or lock out a user"]);

fn stale(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users = users(facts)?;
    let tokens: Vec<ApiToken> = facts.rows(&API_TOKENS)?;
    if !users.is_empty() && users.iter().all(|user| user.last_login.is_none()) {
        return Err(Undecided::not_evaluated(
            "the list of users shows no sign-in of anybody, so nothing can be told from it",
        ));
    }
    let limit = facts.integer(&STALE_DAYS)?;
    let exempt = facts.list(&EXEMPT);
    let in_use = |user: &&User| user.inactive_because().is_none() && !user.is_service_account();
    let counts = |user: &&User| user.local_admin_flag != Some(true) && !is_among(user, &exempt);
    let mut unknown = Vec::new();
    for user in users.iter().filter(in_use).filter(counts) {
        let by_token =
            tokens.iter().filter(|token| is_of(token, user)).filter_map(|token| token.last_used_on);
        let used = user.last_login.into_iter().chain(by_token).max();
        let says = match (used, user.creation_time) {
            (Some(used), _) => {
                let days = facts.days_since(used);
                (days > limit).then(|| format!("was last used {days} days ago"))
            }
            (None, Some(made)) => {
                let days = facts.days_since(made);
                (days > limit).then(|| format!("was never used since it was made {days} days ago"))
            }
            (None, None) => {
                unknown
                    .push(format!("{} never signed in, and it is not told since when it exists", user.name));
                None
            }
        };
        if let Some(says) = says {
            report.finding(
                Finding::on(user.subject())
                    .says(says)
                    .expected(format!("used within {limit} days, or named in `exempt`"))
                    .fill("owned", owned(facts, user))
                    .evidence(facts.seen(&USERS, used.map(|at| at.to_string()))),
            );
        }
    }
    settle(&unknown)
}

fn is_of(token: &ApiToken, user: &User) -> bool {
    if token.user.id.is_empty() { user.is_named(&token.user.name) } else { token.user.id == user.id }
}

const EXPECTED_SERVICE: Setting = Setting::choice("expected_service", None, &["local", "remote"]).about(
    "where accounts are kept that `expected_local_users` and `expected_remote_users` do not name: on the Tanium Server, or with LDAP/AD or another service",
);

/// `console-users.auth-service`
pub(crate) const AUTH_SERVICE: Check = Check::hybrid("console-users.auth-service")
    .title("Accounts use the proper authentication service")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&USERS, &LDAP_CONNECTORS])
    .settings(&[
        &EXPECTED_SERVICE,
        &EXPECTED_LOCAL_USERS,
        &EXPECTED_REMOTE_USERS,
        &LOCAL_DOMAINS,
        &REMOTE_DOMAINS,
    ])
    .learns(&[&EXPECTED_LOCAL_USERS, &EXPECTED_REMOTE_USERS])
    .guide(&[ACCOUNTS, RBAC])
    .what("Tells for each account whether the Tanium Server or another service keeps it, and compares that with `expected_local_users`, `expected_remote_users` and, for everybody else, `expected_service`. An account is remote where its domain is that of an LDAP connector or among `remote_domains`, or where the server marks it as external; it is local without a domain, with one of `local_domains`, or as a local administrator.")
    .why("Whoever signs in by another service than intended escapes its rules: passwords, second factors, removal on the last day.")
    .limits("No public field says how a user signs in, so the class is a hint. An account with an unknown domain is not decided: name its domain in one of the two lists.")
    .related(&["rbac.local-auth-users"])
    .remedy(&AUTH_SERVICE_REMEDY)
    .judge(auth_service);

const AUTH_SERVICE_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users > {subject}",
        "see how the account signs in and what it owns",
    ),
    Step::decision("it is meant to be {is}", "name it in `expected_{is}_users`, or confirm it"),
    Step::consult(
        "the administrator of the identity store",
        "add the person there, if the account is meant to be remote",
    ),
    Step::decision("the new account works", "transfer the content of the old one, then lock the old one out"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&[KEEP_A_LOCAL_ADMINISTRATOR])
.references(&["Console User Guide: User authentication"]);

fn auth_service(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let general = match facts.text(&EXPECTED_SERVICE)? {
        "local" => Origin::Local,
        _ => Origin::Remote,
    };
    let users = users(facts)?;
    let origins = Origins::read(facts)?;
    let (local, remote) = (facts.list(&EXPECTED_LOCAL_USERS), facts.list(&EXPECTED_REMOTE_USERS));
    propose(facts, report, &users, &origins, general);
    let mut unknown = Vec::new();
    for user in users.iter().filter(|user| !user.is_service_account()) {
        let expected = match (is_among(user, &local), is_among(user, &remote)) {
            (true, false) => Origin::Local,
            (false, true) => Origin::Remote,
            _ => general,
        };
        match origins.of(user) {
            Some(origin) if origin == expected => {}
            None => unknown.push(format!(
                "{} has the domain {:?}, which neither `local_domains` nor `remote_domains` names",
                user.name, user.domain
            )),
            Some(origin) => report.finding(
                Finding::on(user.subject())
                    .says(format!("is a {} account", origin.name()))
                    .expected(format!("a {} account", expected.name()))
                    .confirms(origin.name())
                    .fill("is", origin.name())
                    .evidence(facts.seen(&USERS, (&user.domain, user.external_flag, user.local_admin_flag))),
            ),
        }
    }
    settle(&unknown)
}

/// The accounts that are kept elsewhere than accounts in general, and those that a list names rightly.
fn propose(facts: &Facts<'_>, report: &mut Report, users: &[User], origins: &Origins, general: Origin) {
    let people: Vec<&User> = users.iter().filter(|user| !user.is_service_account()).collect();
    if people.iter().any(|user| origins.of(user).is_none()) {
        return;
    }
    for (setting, origin) in
        [(&EXPECTED_LOCAL_USERS, Origin::Local), (&EXPECTED_REMOTE_USERS, Origin::Remote)]
    {
        let named = facts.list(setting);
        let kept = people.iter().copied().filter(|user| origins.of(user) == Some(origin));
        let listed: Vec<&User> = kept.filter(|user| origin != general || is_among(user, &named)).collect();
        let seen = format!("{} accounts: {} of {}", origin.name(), listed.len(), people.len());
        report.propose(setting, names(facts, setting, listed), seen);
    }
}

const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody confirms that accounts have the right groups, personas and roles")
    .from_guide();

/// `console-users.rbac-fit`
pub(crate) const RBAC_FIT: Check = Check::attested("console-users.rbac-fit")
    .title("Accounts have the right computer groups, user groups, personas and roles")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .due_every(&DUE_EVERY_DAYS)
    .guide(&[ACCOUNTS, RBAC])
    .what("Asks once a quarter whether the accounts have the assignments that people need, and no others.")
    .why("People change their work; what they may do with Tanium rarely follows by itself.")
    .related(&["rbac.effective-permissions-review"])
    .remedy(&RBAC_FIT_REMEDY);

const RBAC_FIT_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck run --check rbac.effective-permissions-review",
        "lists the accounts whose permissions await a review",
    ),
    Step::console(
        "Administration > Permissions > Users",
        "compare computer groups, user groups, personas and roles of each account with the work of the person",
    ),
    Step::command("tancheck attest console-users.rbac-fit --result done", "records the review"),
])
.who(WHO)
.references(&["Console User Guide: Managing users"]);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn used(user: Value, tokens: Value) -> Case {
        let other =
            json!({"id": 1, "name": "root", "local_admin_flag": 1, "last_login": "2026-06-29T00:00:00Z"});
        Case::of(&STALE).rows(&USERS, json!([other, user])).rows(&API_TOKENS, tokens)
    }

    #[test]
    fn unused_accounts_are_found() {
        let of = |last: &str| json!({"id": 7, "name": "ann", "last_login": last, "creation_time": "2025-01-01T00:00:00Z"});
        used(of("2026-06-01T00:00:00Z"), json!([])).judge().assert_pass();
        used(of("2026-03-01T00:00:00Z"), json!([])).judge().assert_findings(&["7"]);
        used(of("2001-01-01T00:00:00Z"), json!([])).judge().assert_findings(&["7"]);
        let exempt = used(of("2026-03-01T00:00:00Z"), json!([])).setting("exempt", json!(["Ann"]));
        exempt.judge().assert_pass();
        used(of("2026-06-01T00:00:00Z"), json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn a_token_in_use_counts() {
        let ann = json!({"id": 7, "name": "ann", "last_login": "2026-01-01T00:00:00Z"});
        let token = |user: Value| json!([{"id": 3, "user": user, "last_used_on": "2026-06-29T00:00:00Z"}]);
        used(ann.clone(), token(json!({"id": 7}))).judge().assert_pass();
        used(ann.clone(), token(json!("ann"))).judge().assert_pass();
        used(ann, token(json!({"id": 8}))).judge().assert_findings(&["7"]);
    }

    #[test]
    fn new_locked_and_service_accounts_are_left_out() {
        used(json!({"id": 7, "name": "a", "creation_time": "2026-06-20T00:00:00Z"}), json!([]))
            .judge()
            .assert_pass();
        used(json!({"id": 7, "name": "a", "locked_out": 3}), json!([])).judge().assert_pass();
        used(json!({"id": 7, "name": "a", "domain": "<[tanium]>"}), json!([])).judge().assert_pass();
        used(json!({"id": 7, "name": "a"}), json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_list_without_any_sign_in_decides_nothing() {
        let case = Case::of(&STALE)
            .rows(&USERS, json!([{"id": 7, "name": "ann", "creation_time": "2025-01-01T00:00:00Z"}]))
            .rows(&API_TOKENS, json!([]));
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn kept(domain: &str) -> Case {
        Case::of(&AUTH_SERVICE)
            .rows(&USERS, json!([{"id": 7, "name": "ann", "domain": domain}]))
            .rows(&LDAP_CONNECTORS, json!([{"id": 1, "name": "Main", "user_domain": "CORP"}]))
    }

    #[test]
    fn an_account_of_the_wrong_service_is_found() {
        let remote = |domain| kept(domain).setting("expected_service", "remote");
        remote("CORP").judge().assert_pass();
        remote("CORP").assert_needs_its_inputs();
        let verdict = remote("").judge();
        verdict.assert_findings(&["7"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("local"));
        let proposed = |verdict: &tancheck_plugin_api::testing::Verdict, key| verdict.proposal(key).cloned();
        assert_eq!(proposed(&verdict, "expected_local_users"), Some(json!(["ann"])));
        assert_eq!(proposed(&verdict, "expected_remote_users"), Some(json!([])));
        let named = remote("CORP").setting("expected_remote_users", json!(["ANN"])).judge();
        assert_eq!(proposed(&named, "expected_remote_users"), Some(json!(["ANN"])));
        assert_eq!(remote("ELSE").judge().proposals(), []);
        remote("").setting("expected_local_users", json!(["ann"])).judge().assert_pass();
        let local = |domain| kept(domain).setting("expected_service", "local");
        local("").judge().assert_pass();
        local("CORP").judge().assert_findings(&["7"]);
        local("CORP").setting("expected_remote_users", json!(["CORP\\ann"])).judge().assert_pass();
    }

    #[test]
    fn unknown_domains_and_no_expectation_decide_nothing() {
        kept("CORP").judge().assert_undecided(Outcome::NotEvaluated);
        let elsewhere = kept("ELSE").setting("expected_service", "remote");
        elsewhere.judge().assert_undecided(Outcome::NotEvaluated);
        elsewhere.setting("remote_domains", json!(["else"])).judge().assert_pass();
    }
}
