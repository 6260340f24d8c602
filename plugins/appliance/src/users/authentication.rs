//! How TanOS users sign in, and whether their passwords obey the organization's policy.

use super::list::{TANOS_USERS, USERS_DUE_EVERY_DAYS, recent_lists};
use super::{GUIDE, LIMITS, MENU};
use crate::inputs::{APPLIANCES, OTHER_SERVERS, TANADMIN};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::SERVER_HEALTH;
use tancheck_plugin_api::records::server::LICENSE;

/// The organization's password policy.
const ORG_PASSWORD_POLICY: Setting = Setting::table("org_password_policy").about(
    "the organization's password policy: { length = [\"14\"], age = [\"90\"], history = [\"10\"], lockout = [\"5\"] } (characters, days, passwords, attempts)",
);

/// How long an answer about TanOS's own policy is good for.
const GOOD_FOR: u32 = 100;

const LENGTH: Input = Input::new("appliance.password-length", "the least length of TanOS passwords").sources(&[
    Source::answer("TanOS, local authentication service security policy: least length of a password (the weakest of all Appliances)?", Accepts::Number, GOOD_FOR),
]);

const AGE: Input = Input::new("appliance.password-age", "the greatest age of TanOS passwords").sources(&[
    Source::answer("TanOS, local authentication service security policy: after how many days must a password be changed (0: never; the weakest of all Appliances)?", Accepts::Number, GOOD_FOR),
]);

const HISTORY: Input = Input::new("appliance.password-history", "TanOS passwords that may not come again").sources(&[
    Source::answer("TanOS, local authentication service security policy: how many earlier passwords may not be used again (the weakest of all Appliances)?", Accepts::Number, GOOD_FOR),
]);

const LOCKOUT: Input = Input::new("appliance.password-lockout", "attempts before a TanOS account is locked").sources(&[
    Source::answer("TanOS, local authentication service security policy: after how many wrong passwords is an account locked (0: never; the weakest of all Appliances)?", Accepts::Number, GOOD_FOR),
]);

/// A part of a password policy: its key in the site's table, the answer, and what a stronger value is.
struct Part {
    key: &'static str,
    input: &'static Input,
    name: &'static str,
    stronger: Stronger,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stronger {
    More,
    /// Less, and zero means no limit at all.
    Less,
}

const PARTS: [Part; 4] = [
    Part { key: "length", input: &LENGTH, name: "least length", stronger: Stronger::More },
    Part { key: "age", input: &AGE, name: "greatest age in days", stronger: Stronger::Less },
    Part {
        key: "history",
        input: &HISTORY,
        name: "passwords that may not come again",
        stronger: Stronger::More,
    },
    Part { key: "lockout", input: &LOCKOUT, name: "attempts before the lock", stronger: Stronger::Less },
];

/// Users sign in properly.
pub(crate) const AUTH_SETTINGS: Check = Check::hybrid("appliance.tanos-auth-settings")
    .title("TanOS passwords obey the organization's password policy")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&LICENSE, &SERVER_HEALTH, &TANOS_USERS, &LENGTH, &AGE, &HISTORY, &LOCKOUT])
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &ORG_PASSWORD_POLICY, &USERS_DUE_EVERY_DAYS])
    .guide(GUIDE)
    .applies("Appliances")
    .what("Compares the answers about the TanOS security policy with `org_password_policy`, for each part that it names, and finds users with a password for whom the policy does not hold.")
    .why("TanOS accounts open the servers that control every endpoint; a weak password is the shortest way in.")
    .limits(LIMITS)
    .related(&["appliance.tanos-users-access"])
    .remedy(&REMEDY)
    .judge(tanos_auth_settings);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the security team", "which policy holds for accounts of this kind"),
    Step::console(MENU, "change the local authentication service security policy, or the user's authentication"),
    Step::command("tancheck answer", "answer the questions about the TanOS policy again, and write tanos-users.csv down again"),
])
.cautions(&["A stricter policy can lock accounts out at once: keep the session of a second tanadmin open while you change it."])
.who(TANADMIN)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Appliance Deployment Guide: Modify the local authentication service security policy"]);

fn tanos_auth_settings(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (lists, mut unknown) = recent_lists(facts)?;
    for user in lists.iter().flat_map(|list| &list.users) {
        match (user.has_password(), user.policy_covered) {
            (Err(why), _) => unknown.push(why),
            (Ok(false), _) | (_, Some(true)) => {}
            (_, None) => {
                unknown.push(format!("{} on {}: policy_covered is empty", user.user, user.appliance))
            }
            (_, Some(false)) => report.finding(
                Finding::on(user.subject())
                    .says("signs in with a password that the policy does not hold for")
                    .expected("the policy, or a key")
                    .evidence(facts.seen(&TANOS_USERS, (&user.role, &user.auth))),
            ),
        }
    }
    unknown.extend(policy(facts, report)?);
    settle(&unknown)
}

/// Compares the two policies; what is not known, as sentences.
fn policy(facts: &Facts<'_>, report: &mut Report) -> Result<Vec<String>, Undecided> {
    let wanted = facts.table(&ORG_PASSWORD_POLICY);
    if wanted.is_empty() {
        return Err(Undecided::not_evaluated(
            "set `org_password_policy` under [modules.appliance] (the organization's password policy)",
        ));
    }
    let mut unknown = Vec::new();
    for (key, values) in wanted {
        let Some(part) = PARTS.iter().find(|part| part.key == key) else {
            return Err(Undecided::not_evaluated(format!(
                "`org_password_policy`: {key:?} is none of length, age, history, lockout"
            )));
        };
        let Some(wanted) = values.first().and_then(|value| value.trim().parse::<f64>().ok()) else {
            return Err(Undecided::not_evaluated(format!("`org_password_policy`: {key} is no number")));
        };
        let Some(found) = facts.answer(part.input).ok().and_then(|answer| answer.value.as_f64()) else {
            unknown.push(format!("nobody answered {} lately", part.input.id()));
            continue;
        };
        if is_weaker(part.stronger, found, wanted) {
            report.finding(
                Finding::on(Subject::new("TanOS policy", part.key, "the TanOS password policy"))
                    .says(format!("{}: {found}", part.name))
                    .expected(format!("{wanted}, as the organization's policy says"))
                    .evidence(facts.seen(part.input, found)),
            );
        }
    }
    Ok(unknown)
}

fn is_weaker(stronger: Stronger, found: f64, wanted: f64) -> bool {
    match stronger {
        Stronger::More => found < wanted,
        // Zero is no limit, on both sides.
        Stronger::Less => wanted > 0.0 && (found > wanted || found <= 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(auth: &str, covered: &str) -> Case {
        let ann = json!({"appliance": "ts1", "user": "ann", "role": "tanadmin", "auth": auth, "policy_covered": covered,
                         "captured_at": "2026-06-01"});
        deployment(&AUTH_SETTINGS, &["ts1"])
            .rows(&TANOS_USERS, json!([ann]))
            .setting(
                "org_password_policy",
                json!({"length": "14", "age": "90", "history": ["10"], "lockout": "5"}),
            )
            .answer(&LENGTH, 14)
            .answer(&AGE, 60)
            .answer(&HISTORY, 10)
            .answer(&LOCKOUT, 5)
    }

    #[test]
    fn a_policy_as_strong_as_demanded_passes() {
        case("both", "yes").judge().assert_pass();
        case("key", "").judge().assert_pass();
        case("both", "yes").assert_needs_its_inputs();
    }

    #[test]
    fn each_weaker_part_is_found() {
        case("key", "").answer(&LENGTH, 12).judge().assert_findings(&["length"]);
        case("key", "").answer(&AGE, 0).answer(&HISTORY, 3).judge().assert_findings(&["age", "history"]);
        case("key", "").answer(&LOCKOUT, 20).judge().assert_findings(&["lockout"]);
        let lax = case("key", "").answer(&AGE, 0).setting("org_password_policy", json!({"age": "0"}));
        lax.judge().assert_pass();
    }

    #[test]
    fn a_password_without_policy_is_found_and_an_unknown_one_is_not_guessed() {
        case("password", "no").judge().assert_findings(&["ts1: ann"]);
        case("password", "").judge().assert_undecided(Outcome::NotEvaluated);
        case("magic", "yes").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_a_policy_to_compare_nothing_is_decided() {
        case("key", "")
            .setting("org_password_policy", json!({}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let odd = case("key", "").setting("org_password_policy", json!({"colour": "1"}));
        odd.judge().assert_undecided(Outcome::NotEvaluated);
        let silent = case("key", "").unavailable(&LOCKOUT, Outcome::NotEvaluated);
        silent.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
