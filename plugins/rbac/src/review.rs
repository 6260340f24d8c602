//! Guide: *Review and update RBAC permissions and authentication settings*, page 37: the review of what everybody holds,
//! and of how everybody signs in.

use crate::holdings::{HOLDINGS, Held, Holdings};
use crate::words::{DELETING_STOPS, KEEP_A_LOCAL_ADMINISTRATOR, RBAC, WHO, few};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::roles::ROLE_MEMBERSHIPS;
use tancheck_plugin_api::records::sign_in::{
    LDAP_CONNECTORS, LOCAL_DOMAINS, Origin, Origins, REMOTE_DOMAINS,
};
use tancheck_plugin_api::records::tokens::{API_TOKENS, ApiToken};

const SAMPLE_MODE: Setting = Setting::flag("sample_mode", false)
    .about("review the users of `review_sample` instead of everybody, where that is not feasible");

const REVIEW_SAMPLE: Setting =
    Setting::list("review_sample", &[]).about("names of the users who stand for all, with `sample_mode`");

/// `rbac.effective-permissions-review`
pub(crate) const EFFECTIVE_PERMISSIONS: Check = Check::hybrid("rbac.effective-permissions-review")
    .title("Effective permissions of each user were reviewed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(HOLDINGS)
    .settings(&[&SAMPLE_MODE, &REVIEW_SAMPLE])
    .guide(&[RBAC])
    .what("Lists every active account of a person (with `sample_mode`, those of `review_sample`) with its roles, user groups, personas and computer group, until somebody has confirmed it. A confirmation is good for a quarter, and ends at once when any of these change.")
    .why("Rights grow with every change of work; only looking at them makes them shrink.")
    .limits("Roles are told from the memberships of users and user groups. A role that grants more than before has the same name, and no confirmation ends by that. Whether they are all needed, only a person can judge. The server's own accounts for solutions are left out.")
    .related(&["rbac.review-sample", "connect.owner-active", "connect.persona-exists"])
    .remedy(&EFFECTIVE_PERMISSIONS_REMEDY)
    .judge(effective_permissions);

const EFFECTIVE_PERMISSIONS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users > {subject} > Preview User",
        "look through the permissions, direct and inherited, and the personas and computer groups",
    ),
    Step::consult("the manager of {subject}", "whether all of it is needed"),
    Step::decision(
        "something is missing or not needed",
        "create, edit, reassign or delete roles, user groups, personas or computer groups",
    ),
    Step::command(
        "tancheck attest rbac.effective-permissions-review --subject {id} --result done",
        "records the review of this user",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[DELETING_STOPS, KEEP_A_LOCAL_ADMINISTRATOR])
.references(&[
    "Console User Guide: View effective role permissions for a user",
    "Console User Guide: Managing roles",
    "Console User Guide: Managing user groups",
    "Console User Guide: Managing personas",
    "Console User Guide: Managing computer groups",
]);

fn effective_permissions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let holdings = Holdings::read(facts)?;
    let sample = facts.flag(&SAMPLE_MODE).then(|| facts.list(&REVIEW_SAMPLE));
    if sample.as_ref().is_some_and(Vec::is_empty) {
        return Err(Undecided::not_evaluated("`sample_mode` is on, and `review_sample` names nobody"));
    }
    let is_reviewed =
        |user: &&User| sample.as_ref().is_none_or(|names| names.iter().any(|name| user.is_named(name)));
    for user in holdings.people().filter(is_reviewed) {
        let summary = holdings.of(user).summary();
        report.finding(
            Finding::on(user.subject())
                .says(format!("awaits a review: {summary}"))
                .expected("a review in this quarter, since the last change")
                .confirms(&summary)
                .fill("id", &user.id)
                .evidence(facts.seen(&ROLE_MEMBERSHIPS, &summary)),
        );
    }
    Ok(())
}

const MIN_PER_CLASS: Setting = Setting::integer("min_per_class", 1, 1, 100)
    .unit("users")
    .about("how many users of the sample have to stand for each kind of user");

const SAMPLE_READS: &[&Input] = &{
    let mut all = [&LDAP_CONNECTORS; HOLDINGS.len() + 1];
    let (_, rest) = all.split_at_mut(1);
    rest.copy_from_slice(HOLDINGS);
    all
};

/// `rbac.review-sample`
pub(crate) const SAMPLE: Check = Check::attested("rbac.review-sample")
    .title("If only a sample is reviewed, it represents every type of user")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(SAMPLE_READS)
    .settings(&[&SAMPLE_MODE, &REVIEW_SAMPLE, &MIN_PER_CLASS, &LOCAL_DOMAINS, &REMOTE_DOMAINS])
    .guide(&[RBAC])
    .what("With `sample_mode`, sorts the active accounts of people into kinds: the same roles, the same way to sign in, the same computer group. It lists each kind of which `review_sample` holds fewer than `min_per_class`, and the sample itself for a confirmation once a quarter.")
    .why("A sample that misses a kind of user misses its excess of rights, too.")
    .limits("The guide allows a sample only where reviewing everybody is not feasible.")
    .applies("sample_mode is on")
    .related(&["rbac.effective-permissions-review"])
    .remedy(&SAMPLE_REMEDY)
    .judge(review_sample);

const SAMPLE_REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "a kind of user has nobody in the sample",
        "add one of its users ({candidates}) to `review_sample`",
    ),
    Step::command(
        "tancheck run --check rbac.effective-permissions-review",
        "lists what the sample holds; review it",
    ),
    Step::command(
        "tancheck attest rbac.review-sample --subject {key} --result done",
        "records that the sample stands for every type of user",
    ),
])
.who(WHO);

fn review_sample(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if !facts.flag(&SAMPLE_MODE) {
        return Err(Undecided::not_applicable("`sample_mode` is off: everybody is reviewed"));
    }
    let least = facts.integer(&MIN_PER_CLASS)?;
    let sample = facts.list(&REVIEW_SAMPLE);
    let holdings = Holdings::read(facts)?;
    let origins = Origins::read(facts)?;
    let mut classes: BTreeMap<String, Vec<&User>> = BTreeMap::new();
    for user in holdings.people() {
        classes.entry(class(&holdings.of(user), origins.of(user))).or_default().push(user);
    }
    for (class, users) in &classes {
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let sampled = users.iter().filter(|user| sample.iter().any(|name| user.is_named(name))).count();
        if (sampled as i64) < least {
            let says = format!("{sampled} of {} such users are in the sample: {}", users.len(), few(&names));
            report.finding(of_sample(facts, class, class, &says, &few(&names)));
        }
    }
    let says = format!("{} users stand for {} kinds: {}", sample.len(), classes.len(), few(&sample));
    let whole = of_sample(facts, "sample", "the sample", &says, "none is missing");
    report.finding(whole.confirms(sample.join(", ")));
    Ok(())
}

/// What users of one kind have in common.
fn class(held: &Held, origin: Option<Origin>) -> String {
    let roles: Vec<&str> = held.roles.iter().map(|role| role.name.as_str()).collect();
    let roles = if roles.is_empty() { "no roles".to_owned() } else { roles.join(" + ") };
    let origin = origin.map_or("unknown sign-in", Origin::name);
    format!("{roles} / {origin} / {}", held.group.as_deref().unwrap_or("no group told"))
}

fn of_sample(facts: &Facts<'_>, key: &str, name: &str, says: &str, candidates: &str) -> Finding {
    Finding::on(Subject::new("kind of user", key, name))
        .says(says)
        .expected("a sample that stands for every type of user")
        .fill("key", key)
        .fill("candidates", candidates)
        .evidence(facts.seen(&ROLE_MEMBERSHIPS, says))
}

const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often the ways to sign in to Console and API are reviewed")
    .from_guide();

/// `rbac.api-auth-review`
pub(crate) const API_AUTH: Check = Check::attested("rbac.api-auth-review")
    .title("How users authenticate for Console and API access was reviewed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&USERS, &LDAP_CONNECTORS, &API_TOKENS])
    .settings(&[&LOCAL_DOMAINS, &REMOTE_DOMAINS])
    .due_every(&DUE_EVERY_DAYS)
    .guide(&[RBAC])
    .what("Asks once a quarter whether somebody looked through the ways in which people and programs sign in, and tells what there is: local and remote accounts, who holds API tokens, who has not signed in for long.")
    .why("A way in that nobody remembers is one that nobody closes.")
    .limits("Whether an account is local is a hint. Without the privilege `view token` only own API tokens are seen.")
    .related(&["api-gateway.tokens-unneeded", "rbac.local-auth-users", "console-users.stale-sign-in"])
    .remedy(&API_AUTH_REMEDY)
    .judge(api_auth);

const API_AUTH_REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Permissions > Users", "look at the way in which each account signs in"),
    Step::console("Administration > API Tokens", "look at the users and personas of API tokens: {tokens}"),
    Step::decision(
        "a way in is not as intended",
        "correct it: move the account, or rotate or revoke the token after asking its owner",
    ),
    Step::command(
        "tancheck attest rbac.api-auth-review --subject deployment --result done",
        "records the review",
    ),
])
.who(WHO)
.cautions(&[
    "A token that is revoked cannot be brought back, and its integration stops at once.",
    KEEP_A_LOCAL_ADMINISTRATOR,
])
.references(&["Console User Guide: User authentication"]);

fn api_auth(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users: Vec<User> = facts.rows(&USERS)?;
    let tokens: Vec<ApiToken> = facts.rows(&API_TOKENS)?;
    let origins = Origins::read(facts)?;
    let active: Vec<&User> = users.iter().filter(|user| user.inactive_because().is_none()).collect();
    let of = |origin| active.iter().filter(|user| origins.of(user) == origin).count();
    let long_ago = |user: &&&User| user.last_login.is_none_or(|last| facts.days_since(last) > 90);
    let mut owners: Vec<&str> =
        tokens.iter().filter(|token| token.deleted_flag != Some(true)).map(ApiToken::owner).collect();
    owners.sort_unstable();
    owners.dedup();
    let held = if owners.is_empty() { "nobody holds one".to_owned() } else { few(&owners) };
    let says = format!(
        "awaits a review: {} local and {} remote accounts, {} of unknown kind; {} without a sign-in for 90 days; API tokens: {held}",
        of(Some(Origin::Local)),
        of(Some(Origin::Remote)),
        of(None),
        active.iter().filter(long_ago).count(),
    );
    report.finding(
        Finding::on(Subject::deployment())
            .says(&says)
            .expected("a review in this quarter")
            .fill("tokens", held)
            .evidence(facts.seen(&USERS, &says)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::tests::{people, written};
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn everybody_awaits_a_review_bound_to_what_they_hold() {
        let verdict = people(&EFFECTIVE_PERMISSIONS).judge();
        verdict.assert_findings(&["1", "2", "3"]);
        assert!(verdict.findings()[1].state.as_deref().is_some_and(|state| state.contains("roles: Reader")));
        people(&EFFECTIVE_PERMISSIONS).assert_needs_its_inputs();
        written(&EFFECTIVE_PERMISSIONS).judge().assert_findings(&["1", "2", "3"]);
    }

    #[test]
    fn a_sample_stands_for_all() {
        let case = people(&EFFECTIVE_PERMISSIONS).setting("sample_mode", true);
        case.judge().assert_undecided(Outcome::NotEvaluated);
        case.setting("review_sample", json!(["bob"])).judge().assert_findings(&["2"]);
    }

    fn sampled(names: &[&str]) -> Case {
        people(&SAMPLE)
            .rows(&LDAP_CONNECTORS, json!([{"id": 1, "name": "Main", "user_domain": "CORP"}]))
            .setting("sample_mode", true)
            .setting("review_sample", json!(names))
    }

    #[test]
    fn kinds_without_a_member_are_listed() {
        let all = sampled(&["ann", "bob", "eve"]);
        all.judge().assert_findings(&["sample"]);
        assert_eq!(all.judge().findings()[0].state.as_deref(), Some("ann, bob, eve"));
        all.assert_needs_its_inputs();
        let missing = ["Administrator / local / All Computers", "no roles / local / no group told", "sample"];
        sampled(&["bob"]).judge().assert_findings(&missing);
        sampled(&["ann", "bob", "eve"]).setting("min_per_class", 2).judge().assert_findings(&[
            "Administrator / local / All Computers",
            "Reader / remote / All Windows",
            "no roles / local / no group told",
            "sample",
        ]);
        sampled(&[]).setting("sample_mode", false).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn ways_in_are_told_for_the_review() {
        let case = Case::of(&API_AUTH)
            .rows(&USERS, json!([{"id": 1, "name": "ann"}, {"id": 2, "name": "bob", "domain": "CORP"}, {"id": 3, "name": "eve", "domain": "X"}]))
            .rows(&LDAP_CONNECTORS, json!([{"id": 1, "name": "Main", "user_domain": "CORP"}]))
            .rows(&API_TOKENS, json!([{"id": 6, "user": {"id": 1, "name": "ann"}}]));
        let verdict = case.judge();
        verdict.assert_findings(&["deployment"]);
        assert_eq!(
            verdict.findings()[0].says,
            "awaits a review: 1 local and 1 remote accounts, 1 of unknown kind; 3 without a sign-in for 90 days; API tokens: ann"
        );
        case.assert_needs_its_inputs();
    }
}
