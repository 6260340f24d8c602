//! Guide: *Review and update RBAC permissions and authentication settings*, page 37: who may sign in without the
//! external service, and who must be able to.

use crate::holdings::{HOLDINGS, Holdings};
use crate::words::{KEEP_A_LOCAL_ADMINISTRATOR, RBAC, WHO, few};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::roles::ROLE_MEMBERSHIPS;
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::records::sign_in::{
    LDAP_CONNECTORS, LOCAL_DOMAINS, LdapConnector, Origin, Origins, REMOTE_DOMAINS, saml,
};

/// Whether the server lets local accounts sign in; no public setting tells.
pub(crate) const LOCAL_ACCESS_DISABLED: Input =
    Input::new("rbac.local-access-disabled", "whether local user access is switched off").sources(&[
        Source::answer(
            "Is local user access switched off (Console User Guide: Disable or enable local user access)?",
            Accepts::YesNo,
            90,
        ),
    ]);

const LOCAL_AUTH_ALLOWED: Setting = Setting::choice("local_auth_allowed", None, &["yes", "no"])
    .about("whether the policy of the organization lets people sign in with an account of the Tanium Server");

const ALLOWED_LOCAL_USERS: Setting = Setting::list("allowed_local_users", &[])
    .about("names of the local accounts that the policy allows, such as the sealed Administrator account");

/// `rbac.local-auth-users`
pub(crate) const LOCAL_AUTH_USERS: Check = Check::hybrid("rbac.local-auth-users")
    .title("Local authentication is used only where the organization allows it")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&USERS, &LDAP_CONNECTORS, &LOCAL_ACCESS_DISABLED])
    .settings(&[&LOCAL_AUTH_ALLOWED, &ALLOWED_LOCAL_USERS, &LOCAL_DOMAINS, &REMOTE_DOMAINS])
    .learns(&[&ALLOWED_LOCAL_USERS])
    .guide(&[RBAC])
    .what("Where `local_auth_allowed` is no, lists the active accounts that the Tanium Server itself keeps and `allowed_local_users` does not name. A policy that nobody has told is a finding too. Where an answer says that local user access is switched off, nobody can sign in that way.")
    .why("A local account escapes the password rules, second factors and leaver process of the external service.")
    .limits("Whether an account is local is told from its domain, as in console-users.auth-service. The setting that switches local access off is not public.")
    .related(&["rbac.local-admin-account", "console-users.auth-service"])
    .remedy(&LOCAL_AUTH_USERS_REMEDY)
    .judge(local_auth_users);

const LOCAL_AUTH_USERS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the security team", "whether {subject} may sign in locally; enter the policy as `local_auth_allowed`"),
    Step::decision("the account is one of the exceptions", "name it in `allowed_local_users`"),
    Step::decision("it is not", "give the person an account of the external service, transfer the content, and lock the local account out"),
    Step::decision(
        "nobody but the exceptions signs in locally",
        "local user access may be switched off, once a local Administrator account is known to work",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[KEEP_A_LOCAL_ADMINISTRATOR])
.references(&["Console User Guide: User authentication", "Console User Guide: Disable or enable local user access"])
.verify("rbac.local-admin-account");

fn local_auth_users(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users: Vec<User> = facts.rows(&USERS)?;
    let origins = Origins::read(facts)?;
    propose(facts, report, &users, &origins);
    let Ok(policy) = facts.text(&LOCAL_AUTH_ALLOWED) else {
        report.finding(
            Finding::on(Subject::deployment())
                .says("nobody told whether local sign-in is allowed")
                .expected("`local_auth_allowed` set to yes or no")
                .evidence(facts.seen(&USERS, users.len())),
        );
        return Ok(());
    };
    if policy == "yes" {
        return Ok(());
    }
    if let Ok(answer) = facts.answer(&LOCAL_ACCESS_DISABLED)
        && answer.value == true
    {
        report.note(format!("{} said on {} that local user access is switched off", answer.by, answer.at));
        return Ok(());
    }
    let allowed = facts.list(&ALLOWED_LOCAL_USERS);
    let mut unknown = Vec::new();
    let active = users.iter().filter(|user| user.inactive_because().is_none() && !user.is_service_account());
    for user in active.filter(|user| !allowed.iter().any(|name| user.is_named(name))) {
        match origins.of(user) {
            Some(Origin::Remote) => {}
            None => unknown.push(format!(
                "{} has the domain {:?}, which neither `local_domains` nor `remote_domains` names",
                user.name, user.domain
            )),
            Some(Origin::Local) => report.finding(
                Finding::on(user.subject())
                    .says("can sign in locally, which the policy does not allow")
                    .expected("an account of the external service, or a place in `allowed_local_users`")
                    .confirms(Origin::Local.name())
                    .evidence(facts.seen(&USERS, (&user.domain, user.local_admin_flag))),
            ),
        }
    }
    settle(&unknown)
}

/// The active local accounts, where every account tells what it is.
fn propose(facts: &Facts<'_>, report: &mut Report, users: &[User], origins: &Origins) {
    let active = users.iter().filter(|user| user.inactive_because().is_none() && !user.is_service_account());
    let active: Vec<&User> = active.collect();
    if active.iter().any(|user| origins.of(user).is_none()) {
        return;
    }
    let local = active.iter().filter(|user| origins.of(user) == Some(Origin::Local));
    let words = local.map(|user| [user.subject().name, user.name.clone(), user.id.clone()]);
    let names = facts.called(&ALLOWED_LOCAL_USERS, words);
    let seen = format!("local accounts: {} of {} that are active", names.len(), active.len());
    report.propose(&ALLOWED_LOCAL_USERS, names, seen);
}

/// How many local administrators there are, where the accounts alone do not tell.
pub(crate) const LOCAL_ADMINISTRATORS: Input =
    Input::new("rbac.local-administrators", "number of local accounts with the Administrator reserved role")
        .sources(&[Source::answer(
            "How many active local accounts have the Administrator reserved role?",
            Accepts::Number,
            90,
        )]);

const MIN_LOCAL_ADMINS: Setting = Setting::integer("min_local_admins", 1, 1, 100)
    .unit("accounts")
    .about("how many active local accounts with the Administrator reserved role there have to be")
    .from_guide();

const ADMINISTRATORS_READ: &[&Input] = &{
    let mut all = [&USERS; HOLDINGS.len() + 3];
    let (first, rest) = all.split_at_mut(3);
    first.copy_from_slice(&[&LDAP_CONNECTORS, &SERVER_INFO, &LOCAL_ADMINISTRATORS]);
    rest.copy_from_slice(HOLDINGS);
    all
};

/// `rbac.local-admin-account`
pub(crate) const LOCAL_ADMIN_ACCOUNT: Check = Check::automated("rbac.local-admin-account")
    .title("With external authentication at least one local account has the Administrator reserved role")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(ADMINISTRATORS_READ)
    .settings(&[&MIN_LOCAL_ADMINS, &LOCAL_DOMAINS, &REMOTE_DOMAINS])
    .guide(&[RBAC])
    .what("Where an LDAP connector is switched on or SAML is in use, counts the local accounts that are active and hold the Administrator reserved role, directly or through a user group. There have to be at least `min_local_admins`.")
    .why("When the external service is down, such an account is the only way in.")
    .limits("Whether an account is local is told from its domain and the server's mark for local administrators, whose meaning the vendor does not describe. Where that leaves it open, an answer counts. Whether its password works, only trying tells.")
    .applies("external authentication used")
    .related(&["rbac.local-auth-users", "console-users.stale-sign-in"])
    .remedy(&LOCAL_ADMIN_ACCOUNT_REMEDY)
    .judge(local_admin_account);

const LOCAL_ADMIN_ACCOUNT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users",
        "create a local user, or unlock one that is meant for this",
    ),
    Step::console(
        "Administration > Permissions > Users > that user",
        "assign the Administrator reserved role",
    ),
    Step::decision(
        "the account is ready",
        "sign in once, then keep its credential sealed where two people can get at it",
    ),
])
.who("a Console user with the Administrator reserved role")
.risk(Risk::Low, Reversible::Yes)
.cautions(&[KEEP_A_LOCAL_ADMINISTRATOR])
.references(&["Console User Guide: Create a user"]);

fn local_admin_account(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connectors: Vec<LdapConnector> = facts.rows(&LDAP_CONNECTORS)?;
    if !connectors.iter().any(|connector| connector.enable == Some(true)) {
        match saml(&facts.object::<ServerInfo>(&SERVER_INFO)?) {
            Some(true) => {}
            Some(false) => {
                return Err(facts.absent(&LDAP_CONNECTORS, "no LDAP connector is on, and SAML is off"));
            }
            None => {
                return Err(Undecided::not_evaluated(
                    "no LDAP connector is on, and the server does not tell whether SAML is",
                ));
            }
        }
    }
    let limit = facts.integer(&MIN_LOCAL_ADMINS)?;
    let holdings = Holdings::read(facts)?;
    let origins = Origins::read(facts)?;
    let administrators: Vec<&User> =
        holdings.people().filter(|user| holdings.of(user).is_administrator()).collect();
    let of = |origin: Option<Origin>| -> Vec<&str> {
        let some = administrators.iter().filter(|user| origins.of(user) == origin);
        some.map(|user| user.name.as_str()).collect()
    };
    let (local, unknown) = (of(Some(Origin::Local)), of(None));
    if count(&local) >= limit {
        return Ok(());
    }
    if count(&local) + count(&unknown) >= limit {
        let answer = facts.answer(&LOCAL_ADMINISTRATORS).ok().and_then(|answer| answer.value.as_f64());
        match answer {
            Some(told) if told >= limit as f64 => return Ok(()),
            Some(_) => {}
            None => {
                return Err(Undecided::not_evaluated(format!(
                    "whether {} sign in locally is not told: name their domains in `local_domains` or `remote_domains`",
                    few(&unknown)
                )));
            }
        }
    }
    report.finding(
        Finding::on(Subject::deployment())
            .says(match &local[..] {
                [] => "no active local account has the Administrator reserved role".to_owned(),
                some => format!("only {} active local accounts have it: {}", some.len(), few(some)),
            })
            .expected(format!("at least {limit}"))
            .evidence(facts.seen(&ROLE_MEMBERSHIPS, &local)),
    );
    Ok(())
}

fn count(names: &[&str]) -> i64 {
    i64::try_from(names.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::tests::people;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn connected(case: Case, enable: u8) -> Case {
        case.rows(
            &LDAP_CONNECTORS,
            json!([{"id": 1, "name": "Main", "enable": enable, "user_domain": "CORP"}]),
        )
    }

    fn policy(allowed: &str, users: Value) -> Case {
        let case = connected(Case::of(&LOCAL_AUTH_USERS).rows(&USERS, users), 1);
        case.setting("local_auth_allowed", allowed)
    }

    #[test]
    fn local_accounts_are_found_where_the_policy_forbids_them() {
        let ann = || json!([{"id": 7, "name": "ann", "locked_out": 0}]);
        policy("no", ann()).judge().assert_findings(&["7"]);
        policy("yes", ann()).judge().assert_pass();
        policy("no", ann()).setting("allowed_local_users", json!(["ann"])).judge().assert_pass();
        policy("no", json!([{"id": 7, "name": "ann", "domain": "CORP"}])).judge().assert_pass();
        policy("no", json!([{"id": 7, "name": "ann", "locked_out": 3}])).judge().assert_pass();
        policy("no", json!([{"id": 7, "name": "ann", "domain": "X"}]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        policy("no", ann()).answer(&LOCAL_ACCESS_DISABLED, true).judge().assert_pass();
        policy("no", ann()).answer(&LOCAL_ACCESS_DISABLED, false).judge().assert_findings(&["7"]);
        policy("yes", ann()).assert_needs_its_inputs();
    }

    #[test]
    fn active_local_accounts_are_proposed() {
        let users = json!([{"id": 7, "name": "ann"}, {"id": 8, "name": "bob", "domain": "CORP"},
            {"id": 9, "name": "eve", "locked_out": 3}, {"id": 10, "name": "solution", "domain": "<[tanium]>"}]);
        let verdict = policy("no", users.clone()).judge();
        assert_eq!(verdict.proposal("allowed_local_users"), Some(&json!(["ann"])));
        let named = policy("yes", users).setting("allowed_local_users", json!(["ANN", "gone"])).judge();
        assert_eq!(named.proposal("allowed_local_users"), Some(&json!(["ANN"])));
        let unknown =
            policy("no", json!([{"id": 7, "name": "ann"}, {"id": 8, "name": "bob", "domain": "X"}]));
        assert_eq!(unknown.judge().proposals(), []);
    }

    #[test]
    fn a_policy_that_nobody_told_is_found() {
        let case = connected(Case::of(&LOCAL_AUTH_USERS).rows(&USERS, json!([])), 1);
        case.judge().assert_findings(&["deployment"]);
    }

    #[test]
    fn a_local_administrator_is_there() {
        let case = || connected(people(&LOCAL_ADMIN_ACCOUNT), 1);
        case().judge().assert_pass();
        case().assert_needs_its_inputs();
        case().setting("min_local_admins", 2).judge().assert_findings(&["deployment"]);
        case()
            .rows(&ROLE_MEMBERSHIPS, json!([{"id": 11, "users": [{"id": 1}]}]))
            .judge()
            .assert_findings(&["deployment"]);
        let remote = |domain: &str| case().rows(&USERS, json!([{"id": 1, "name": "ann", "domain": domain}]));
        remote("CORP").judge().assert_findings(&["deployment"]);
        remote("X").judge().assert_undecided(Outcome::NotEvaluated);
        remote("X").answer(&LOCAL_ADMINISTRATORS, 1).judge().assert_pass();
        remote("X").answer(&LOCAL_ADMINISTRATORS, 0).judge().assert_findings(&["deployment"]);
        remote("X").setting("local_domains", json!(["x"])).judge().assert_pass();
    }

    #[test]
    fn without_an_external_service_every_account_is_local() {
        let saml = |value: &str| {
            let info = json!({"Diagnostics": {"Settings": {"enable_saml_auth": value}}});
            connected(people(&LOCAL_ADMIN_ACCOUNT), 0).object(&SERVER_INFO, info).judge()
        };
        saml("0").assert_undecided(Outcome::NotApplicable);
        saml("1").assert_pass();
        saml("").assert_undecided(Outcome::NotEvaluated);
    }
}
