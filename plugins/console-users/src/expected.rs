//! Guide: *Review and update Console user accounts*, page 36: accounts that should be there and are not.

use crate::inputs::{ACCOUNTS, EXPECTED_LOCAL_USERS, EXPECTED_REMOTE_USERS, WHO, users};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::records::sign_in::{LDAP_CONNECTORS, LdapConnector, saml};

/// The members of the directory group whose people work with Tanium.
pub(crate) const EXPECTED_USERS: Input =
    Input::new("console-users.expected-users", "people who should have a remote account").sources(&[
        Source::export(
            "expected-users.csv",
            "the directory: the members of the groups that may use Tanium",
            "write down the members with these columns",
            &["Name", "Domain"],
        ),
    ]);

/// `console-users.missing-remote`
pub(crate) const MISSING_REMOTE: Check = Check::hybrid("console-users.missing-remote")
    .title("No remote account is missing from Users")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&USERS, &LDAP_CONNECTORS, &SERVER_INFO, &EXPECTED_USERS])
    .settings(&[&EXPECTED_REMOTE_USERS])
    .guide(&[ACCOUNTS])
    .what("Looks up everybody whom `expected_remote_users` or an exported list of directory members names among the accounts that are not deleted.")
    .why("Who is missing cannot do their work, and shares somebody else's account.")
    .limits("With SAML an account may appear only after the first sign-in; confirm such a person. An account that is locked out counts as there: console-users.locked-out lists it.")
    .applies("LDAP/AD or SAML used")
    .related(&["console-users.ldap-sync", "console-users.missing-local"])
    .remedy(&MISSING_REMOTE_REMEDY)
    .judge(missing_remote);

const MISSING_REMOTE_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the administrator of the identity store",
        "whether {subject} exists there, and add the account if not",
    ),
    Step::console(
        "the Console page of LDAP/AD synchronization",
        "check connection, base and filter of the server; {cause}",
    ),
    Step::console(
        "Administration > Permissions > Users",
        "see that {subject} appeared after the next synchronization",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    "A wrong filter can remove many users with the next synchronization: try it on the directory first.",
])
.references(&["Console User Guide: Configure an LDAP server"]);

/// A person of an exported list.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Expected {
    #[serde(rename = "Name", deserialize_with = "lenient::text")]
    name: String,
    #[serde(rename = "Domain", deserialize_with = "lenient::text")]
    domain: String,
}

fn missing_remote(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connectors: Vec<LdapConnector> = facts.rows(&LDAP_CONNECTORS)?;
    if connectors.is_empty() {
        match saml(&facts.object::<ServerInfo>(&SERVER_INFO)?) {
            Some(true) => {}
            Some(false) => {
                return Err(facts.absent(&LDAP_CONNECTORS, "there is no LDAP connector, and SAML is off"));
            }
            None => {
                return Err(Undecided::not_evaluated(
                    "there is no LDAP connector, and the server does not tell whether SAML is on",
                ));
            }
        }
    }
    let mut expected: Vec<String> =
        facts.list(&EXPECTED_REMOTE_USERS).into_iter().map(str::to_owned).collect();
    match facts.rows::<Expected>(&EXPECTED_USERS) {
        Ok(listed) => expected.extend(listed.into_iter().map(full_name)),
        Err(missing) if expected.is_empty() => return Err(missing),
        Err(_) => {}
    }
    if expected.is_empty() {
        return Err(Undecided::not_evaluated(
            "name the people in `expected_remote_users`, or fill expected-users.csv",
        ));
    }
    for name in absent(&users(facts)?, expected.iter().map(String::as_str)) {
        let domain = name.split_once('\\').map_or("", |(domain, _)| domain);
        report.finding(
            Finding::on(Subject::new("user", name.to_lowercase(), name))
                .says("has no account")
                .expected("an account that the identity store keeps")
                .fill("cause", cause(&connectors, domain))
                .evidence(facts.seen(&USERS, "no such account")),
        );
    }
    Ok(())
}

fn full_name(person: Expected) -> String {
    match person.domain.trim() {
        "" => person.name,
        domain => format!("{domain}\\{}", person.name),
    }
}

/// The names that no account has.
fn absent<'a>(users: &[User], names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.filter(|name| !name.trim().is_empty() && !users.iter().any(|user| user.is_named(name))).collect()
}

/// What the connectors tell about the cause.
fn cause(connectors: &[LdapConnector], domain: &str) -> String {
    let of_domain =
        |connector: &&LdapConnector| domain.is_empty() || connector.user_domain.eq_ignore_ascii_case(domain);
    let told: Vec<String> = connectors
        .iter()
        .filter(of_domain)
        .map(|connector| {
            let last = connector.last_sync_timestamp.map_or("never".to_owned(), |at| at.to_string());
            let result = match connector.last_sync_result.as_str() {
                "" => String::new(),
                text => format!(" ({text})"),
            };
            format!("{} last synchronized: {last}{result}", connector.name)
        })
        .collect();
    if told.is_empty() { format!("no connector has the domain {domain}") } else { told.join("; ") }
}

/// `console-users.missing-local`
pub(crate) const MISSING_LOCAL: Check = Check::hybrid("console-users.missing-local")
    .title("No local account is missing from Users")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&USERS])
    .settings(&[&EXPECTED_LOCAL_USERS])
    .guide(&[ACCOUNTS])
    .what("Looks up everybody whom `expected_local_users` names among the accounts that are not deleted.")
    .why("The local account that is missing is often the one that is needed when the external service is down.")
    .limits("Whether an account of that name is a local one, console-users.auth-service tells. A locked-out account counts as there.")
    .related(&["console-users.auth-service", "rbac.local-admin-account"])
    .remedy(&MISSING_LOCAL_REMEDY)
    .judge(missing_local);

const MISSING_LOCAL_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the manager of {subject}", "whether the person still needs a local account"),
    Step::console(
        "Administration > Permissions > Users",
        "create the user {subject}, with the least roles that the work needs",
    ),
    Step::decision("nobody needs it", "take the name off `expected_local_users`"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Console User Guide: Create a user"]);

fn missing_local(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let expected = facts.list(&EXPECTED_LOCAL_USERS);
    if expected.is_empty() {
        return Err(Undecided::not_evaluated("name the local accounts in `expected_local_users`"));
    }
    for name in absent(&users(facts)?, expected.into_iter()) {
        report.finding(
            Finding::on(Subject::new("user", name.to_lowercase(), name))
                .says("has no account")
                .expected("an account that the Tanium Server keeps")
                .evidence(facts.seen(&USERS, "no such account")),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn remote(expected: Value) -> Case {
        Case::of(&MISSING_REMOTE)
            .rows(
                &USERS,
                json!([{"id": 7, "name": "ann", "domain": "CORP"},
                                 {"id": 8, "name": "eve", "domain": "CORP", "deleted_flag": true}]),
            )
            .rows(
                &LDAP_CONNECTORS,
                json!([{"id": 1, "name": "Main", "user_domain": "CORP", "last_sync_result": "odd"}]),
            )
            .setting("expected_remote_users", expected)
    }

    #[test]
    fn expected_people_have_an_account() {
        remote(json!(["ann", "CORP\\Ann"])).judge().assert_pass();
        remote(json!(["CORP\\eve", "bob"])).judge().assert_findings(&["corp\\eve", "bob"]);
        let verdict = remote(json!(["CORP\\eve"])).judge();
        assert_eq!(verdict.findings()[0].values["cause"], "Main last synchronized: never (odd)");
        remote(json!(["ann"])).assert_needs_its_inputs();
    }

    #[test]
    fn the_exported_list_counts_as_well() {
        let list = json!([{"Name": "ann", "Domain": "CORP"}, {"Name": "bob", "Domain": ""}]);
        remote(json!([])).rows(&EXPECTED_USERS, list.clone()).judge().assert_findings(&["bob"]);
        remote(json!(["zoe"])).rows(&EXPECTED_USERS, list).judge().assert_findings(&["bob", "zoe"]);
        remote(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        remote(json!([])).rows(&EXPECTED_USERS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_a_remote_store_nobody_is_remote() {
        let case = |saml: &str| {
            remote(json!(["bob"]))
                .rows(&LDAP_CONNECTORS, json!([]))
                .object(&SERVER_INFO, json!({"Diagnostics": {"Settings": {"enable_saml_auth": saml}}}))
        };
        case("0").judge().assert_undecided(Outcome::NotApplicable);
        case("1").judge().assert_findings(&["bob"]);
        case("odd").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn local_accounts_are_there() {
        let case = |expected: Value| {
            Case::of(&MISSING_LOCAL)
                .rows(&USERS, json!([{"id": 1, "name": "Administrator"}]))
                .setting("expected_local_users", expected)
        };
        case(json!(["administrator"])).judge().assert_pass();
        case(json!(["Administrator", "breakglass"])).judge().assert_findings(&["breakglass"]);
        case(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!(["administrator"])).assert_needs_its_inputs();
    }
}
