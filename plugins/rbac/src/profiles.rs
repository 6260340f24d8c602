//! Guide: *Review and update RBAC permissions and authentication settings*, page 37: what people hold against what they
//! should hold.

use crate::holdings::{HOLDINGS, Held, Holdings, nobody};
use crate::needs::{Need, beyond, unmet};
use crate::words::{DELETING_STOPS, KEEP_A_LOCAL_ADMINISTRATOR, LEAST, RBAC, WHO, few};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::User;
use tancheck_plugin_api::records::roles::ROLE_MEMBERSHIPS;

const EXPECTED_PROFILES: Setting = Setting::table("expected_profiles").about(
    "what each user should hold, and nothing beyond: `role: …`, `privilege: …`, `persona: …`, `user group: …` or `computer group: …`; `\"*\"` is the profile of everybody who is not named",
);

const PRIVILEGED_ROLES: Setting = Setting::list("privileged_roles", &["Administrator"])
    .about("names of roles that nobody holds without being named for it in `expected_profiles`");

/// `rbac.excess-permissions`
pub(crate) const EXCESS: Check = Check::hybrid("rbac.excess-permissions")
    .title("No user has access to sensitive information without need")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(HOLDINGS)
    .settings(&[&EXPECTED_PROFILES, &PRIVILEGED_ROLES])
    .learns(&[&EXPECTED_PROFILES])
    .guide(&[RBAC])
    .what("Compares the roles, personas and computer group of each active account with its profile in `expected_profiles`. A role is within the profile where it is named, or where every privilege that it grants is; the computer group is compared where the profile names one. Members of `privileged_roles` are listed even without profiles. The server's own accounts for solutions are left out.")
    .why("Every permission beyond the need is one that a stolen account, or a mistake, can use.")
    .limits("Content sets of privileges are not compared: name roles to bind their content sets too. Without profiles only members of privileged roles are listed, for information.")
    .related(&["rbac.effective-permissions-review", "rbac.missing-permissions"])
    .remedy(&EXCESS_REMEDY)
    .judge(excess);

const EXCESS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the manager of {subject}", "whether the work needs {extra}"),
    Step::decision("it does", "add it to the profile in `expected_profiles`, or confirm it"),
    Step::console(
        "Administration > Permissions > Users > {subject}",
        "see whether the account owns connections, scheduled actions or saved questions that run with {extra}",
    ),
    Step::decision("nothing depends on it", "remove or narrow the role, user group, persona or computer group"),
    Step::console("Administration > Permissions > Users > {subject} > Preview User", "see that it is gone"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&[DELETING_STOPS, KEEP_A_LOCAL_ADMINISTRATOR])
.references(&["Console User Guide: View effective role permissions for a user"]);

fn excess(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let profiles = facts.table(&EXPECTED_PROFILES);
    let holdings = Holdings::read(facts)?;
    let privileged = facts.list(&PRIVILEGED_ROLES);
    propose(report, &profiles, &holdings)?;
    let mut unknown = Vec::new();
    let mut unprofiled = Vec::new();
    for user in holdings.people() {
        let held = holdings.of(user);
        let Some(texts) = profile(&profiles, user) else {
            let extra = privileged_roles(&held, &privileged);
            if extra.is_empty() {
                unprofiled.push(user.name.as_str());
            } else {
                let finding = about(facts, user, &extra, "names no profile for it");
                report.finding(if profiles.is_empty() { finding.severity(Severity::Info) } else { finding });
            }
            continue;
        };
        match beyond(&Need::parse_all(texts)?, &held) {
            Err(why) => unknown.push(format!("{}: {why}", user.name)),
            Ok(extra) if extra.is_empty() => {}
            Ok(extra) => report.finding(about(facts, user, &extra, "does not name it")),
        }
    }
    if profiles.is_empty() {
        return Err(Undecided::not_evaluated(
            "name what people should hold in `expected_profiles`: without it only members of privileged roles are listed",
        ));
    }
    if !unprofiled.is_empty() {
        unknown.push(format!(
            "`expected_profiles` has no profile for {} (\"*\" is for everybody else)",
            few(&unprofiled)
        ));
    }
    settle(&unknown)
}

/// The profiles that are kept to, and for everybody else what that account holds. Where something is not told, nothing.
fn propose(
    report: &mut Report,
    profiles: &BTreeMap<&str, Vec<&str>>,
    holdings: &Holdings,
) -> Result<(), Undecided> {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<String>>();
    let mut proposed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    proposed.extend(profiles.get("*").map(|texts| ("*".to_owned(), owned(texts))));
    let mut people = 0;
    for user in holdings.people() {
        people += 1;
        let held = holdings.of(user);
        let own = profiles.iter().find(|(name, _)| user.is_named(name));
        let fits = match profile(profiles, user) {
            Some(texts) => match beyond(&Need::parse_all(texts)?, &held) {
                Ok(extra) => extra.is_empty(),
                Err(_) => return Ok(()),
            },
            None => false,
        };
        match (own, fits) {
            (Some((name, texts)), true) => drop(proposed.insert((*name).to_owned(), owned(texts))),
            (None, true) => {}
            (own, false) => {
                let name = own.map_or_else(|| user.subject().name, |(name, _)| (*name).to_owned());
                proposed.insert(name, held.as_profile());
            }
        }
    }
    report.propose(&EXPECTED_PROFILES, proposed, format!("active accounts, and what they hold: {people}"));
    Ok(())
}

fn profile<'a, 'b>(profiles: &'b BTreeMap<&'a str, Vec<&'a str>>, user: &User) -> Option<&'b Vec<&'a str>> {
    let own = profiles.iter().find(|(name, _)| user.is_named(name)).map(|(_, texts)| texts);
    own.or_else(|| profiles.get("*"))
}

fn privileged_roles(held: &Held, privileged: &[&str]) -> Vec<String> {
    let own = held.roles.iter().chain(held.personas.iter().flat_map(|persona| &persona.roles));
    let own = own.filter(|role| privileged.iter().any(|name| role.name.eq_ignore_ascii_case(name)));
    own.map(|role| format!("role {}", role.name)).collect()
}

fn about(facts: &Facts<'_>, user: &User, extra: &[String], why: &str) -> Finding {
    let extra = extra.join(", ");
    Finding::on(user.subject())
        .says(format!("holds {extra}, and `expected_profiles` {why}"))
        .expected("nothing beyond the profile")
        .confirms(&extra)
        .fill("extra", &extra)
        .evidence(facts.seen(&ROLE_MEMBERSHIPS, &extra))
}

/// `rbac.missing-permissions`
pub(crate) const MISSING: Check = Check::hybrid("rbac.missing-permissions")
    .title("Users can reach every feature they need")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(HOLDINGS)
    .settings(&[&EXPECTED_PROFILES])
    .guide(&[RBAC])
    .what("Compares what each active account holds with everything that its profile in `expected_profiles` names. The Administrator reserved role counts as every role and privilege; what a role denies does not count as held.")
    .why("Who cannot reach a feature borrows an account, or leaves the work undone.")
    .limits("Content sets of privileges are not compared.")
    .related(&["rbac.effective-permissions-review", "rbac.excess-permissions"])
    .remedy(&MISSING_REMEDY)
    .judge(missing);

const MISSING_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the manager of {subject}", "whether the work still needs {missing}"),
    Step::console(
        "Administration > Permissions > Users > {subject}",
        "assign it, directly or through a user group",
    ),
    Step::console("Administration > Permissions > Users > {subject} > Preview User", "see that it arrived"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&[LEAST])
.references(&["Console User Guide: View effective role permissions for a user"]);

fn missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let profiles = facts.table(&EXPECTED_PROFILES);
    if profiles.is_empty() {
        return Err(Undecided::not_evaluated("name what people should hold in `expected_profiles`"));
    }
    let holdings = Holdings::read(facts)?;
    let strangers: Vec<&str> =
        profiles.keys().copied().filter(|name| *name != "*" && holdings.user(name).is_none()).collect();
    let mut unknown: Vec<String> = nobody(&strangers).into_iter().collect();
    for user in holdings.people() {
        let Some(texts) = profile(&profiles, user) else { continue };
        match unmet(&Need::parse_all(texts)?, &holdings.of(user)) {
            Err(why) => unknown.push(format!("{}: {why}", user.name)),
            Ok(lacks) if lacks.is_empty() => {}
            Ok(lacks) => report.finding(
                Finding::on(user.subject())
                    .says(format!("lacks {}", lacks.join(", ")))
                    .expected("everything that the profile names")
                    .confirms(lacks.join(", "))
                    .fill("missing", lacks.join(", "))
                    .evidence(facts.seen(&ROLE_MEMBERSHIPS, &lacks)),
            ),
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::tests::{people, written};
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn with(case: Case, profiles: Value) -> Case {
        case.setting("expected_profiles", profiles)
    }

    fn fitting() -> Value {
        json!({"ann": ["role: Administrator"], "bob": ["role: Reader", "persona: Writing", "computer group: All Windows"], "*": []})
    }

    #[test]
    fn whoever_holds_what_the_profile_names_passes() {
        for check in [&EXCESS, &MISSING] {
            with(people(check), fitting()).judge().assert_pass();
            with(people(check), fitting()).assert_needs_its_inputs();
            with(written(check), fitting()).judge().assert_pass();
        }
    }

    #[test]
    fn what_is_beyond_the_profile_is_found() {
        let verdict = with(people(&EXCESS), json!({"*": ["role: Reader"]})).judge();
        verdict.assert_findings(&["1", "2"]);
        assert_eq!(verdict.findings()[0].values["extra"], "role Administrator");
        assert_eq!(verdict.findings()[1].values["extra"], "persona Writing");
        with(written(&EXCESS), json!({"*": ["role: Reader"]})).judge().assert_findings(&["1", "2"]);
    }

    #[test]
    fn without_profiles_privileged_members_are_listed() {
        let verdict = people(&EXCESS).judge();
        verdict.assert_findings(&["1"]);
        assert_eq!(verdict.findings()[0].severity, Some(Severity::Info));
        assert!(verdict.undecided().is_some());
        let some = with(people(&EXCESS), json!({"bob": ["role: Reader", "persona: Writing"]})).judge();
        some.assert_findings(&["1"]);
        assert_eq!(some.findings()[0].severity, None);
        assert!(some.undecided().is_some_and(|why| why.reason.contains("eve")));
    }

    #[test]
    fn what_people_hold_is_proposed_and_profiles_that_fit_stay() {
        let of = |profiles: Value| with(people(&EXCESS), profiles).judge();
        let first = people(&EXCESS).judge();
        let proposed = first.proposal("expected_profiles").unwrap();
        assert_eq!(proposed["ann"][0], "role: Administrator", "{proposed:#}");
        assert!(
            proposed["CORP\\bob"].as_array().unwrap().contains(&json!("persona: Writing")),
            "{proposed:#}"
        );
        with(people(&EXCESS), proposed.clone()).judge().assert_pass();
        with(people(&MISSING), proposed.clone()).judge().assert_pass();
        assert_eq!(of(fitting()).proposal("expected_profiles"), Some(&fitting()));
        let some = of(json!({"*": ["role: Reader"], "gone": []}));
        let some = some.proposal("expected_profiles").unwrap();
        assert_eq!(some["*"], json!(["role: Reader"]));
        assert!(
            some.get("gone").is_none() && some.get("ann").is_some() && some.get("eve").is_none(),
            "{some:#}"
        );
    }

    #[test]
    fn what_the_profile_names_and_nobody_holds_is_found() {
        let verdict = with(
            people(&MISSING),
            json!({"ann": ["privilege: write action"], "bob": ["privilege: write action"]}),
        );
        verdict.judge().assert_findings(&["2"]);
        with(people(&MISSING), json!({"nobody": []})).judge().assert_undecided(Outcome::NotEvaluated);
        people(&MISSING).judge().assert_undecided(Outcome::NotEvaluated);
        let untold = with(people(&MISSING), json!({"eve": ["computer group: All Windows"]}));
        untold.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
