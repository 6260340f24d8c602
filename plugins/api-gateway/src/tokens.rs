//! Guide: *Review and remediate Tanium API Gateway issues*, page 17: tokens that are expired, due for rotation, or not
//! needed.

use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::tokens::{API_TOKENS, ApiToken};

pub(crate) const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium API Gateway issues", 17)];
pub(crate) const ADMINISTRATOR: &str = "a Console user with the Administrator reserved role, or with a custom role that \
                                        holds the matching permission; the owner of the token";

/// When tokens that earlier runs saw were to expire, in seconds since 1970. An expired token is not listed any more.
pub(crate) const SEEN_TOKENS: Input =
    Input::new("api-gateway.seen-tokens", "tokens of the last two months, with their expiry")
        .sources(&[Source::history("api-gateway.token-expiry.*", 62)]);

/// The tokens that are not deleted.
pub(crate) fn tokens(facts: &Facts<'_>) -> Result<Vec<ApiToken>, Undecided> {
    let tokens: Vec<ApiToken> = facts.rows(&API_TOKENS)?;
    Ok(tokens.into_iter().filter(|token| token.deleted_flag != Some(true)).collect())
}

/// `api-gateway.tokens-expired`
pub(crate) const EXPIRED: Check = Check::automated("api-gateway.tokens-expired")
    .title("No API token has expired")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&API_TOKENS, &SEEN_TOKENS])
    .guide(GUIDE)
    .even_if_absent()
    .what("Looks for API tokens whose time is over: those that are still listed, and those that an earlier run saw, that are gone, and whose time was over by then. A token that went before its time was revoked, which is no finding.")
    .why("An integration with an expired token stands still, usually without telling anybody.")
    .limits("The server may list active tokens only, so what expires between the first two runs is not seen. Without the privilege `view token` only own tokens are.")
    .related(&["api-gateway.tokens-rotation-due", "api-gateway.tokens-unneeded"])
    .remedy(&EXPIRED_REMEDY)
    .judge(expired);

const EXPIRED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{owner}", "which integration used {subject}, and whether it is still needed"),
    Step::console("Administration > API Tokens", "create a new token for the same user and persona"),
    Step::consult(
        "the owner of the integration",
        "put the new string into the integration's secret store, and test",
    ),
])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.cautions(&[
    "An expired token cannot be rotated: the integration is down until it has a new one.",
    "The string of a token is shown once. Keep it out of tickets, mails and this tool.",
])
.references(&["Console User Guide: View API token details"])
.verify("api-gateway.tokens-rotation-due");

const SERIES: &str = "api-gateway.token-expiry.";

fn expired(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tokens = tokens(facts)?;
    let mut unknown = Vec::new();
    for token in &tokens {
        let Some(expiration) = token.expiration else {
            unknown.push(format!("token {} does not tell when it expires", token.id));
            continue;
        };
        report.measure(&format!("{SERIES}{}", token.id), expiration.as_second() as f64, "seconds");
        if expiration < facts.now() {
            report.finding(
                Finding::on(token.subject())
                    .says(format!("expired {} days ago", facts.days_since(expiration)))
                    .expected("a token that works")
                    .fill("owner", token.owner())
                    .evidence(facts.seen(&API_TOKENS, expiration.to_string())),
            );
        }
    }
    if facts.gaps(&API_TOKENS)?.is_empty() {
        vanished(facts, report, &tokens)?;
    }
    settle(&unknown)
}

/// Tokens that an earlier run saw, and whose time was over when they went.
fn vanished(facts: &Facts<'_>, report: &mut Report, tokens: &[ApiToken]) -> Result<(), Undecided> {
    let mut last = std::collections::BTreeMap::new();
    for point in facts.points(&SEEN_TOKENS)? {
        let id = point.series.strip_prefix(SERIES).unwrap_or(&point.series);
        last.insert(id, (point.at, point.value));
    }
    for (id, (seen, expiry)) in last {
        let is_there = tokens.iter().any(|token| token.id == id);
        let Ok(expiration) = Timestamp::from_second(expiry as i64) else { continue };
        if is_there || expiration >= facts.now() {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("API token", id, format!("token {id}")))
                .says(format!(
                    "expired {} days ago, and is not listed any more",
                    facts.days_since(expiration)
                ))
                .expected("a token that was rotated in time, or revoked")
                .fill("owner", "the people who keep integrations")
                .evidence(facts.seen(&SEEN_TOKENS, (seen.to_string(), expiration.to_string()))),
        );
    }
    Ok(())
}

const ROTATION_DAYS: Setting = Setting::integer_unset("rotation_days", 1, 3650).unit("days").about(
    "how old a token may become by the policy of the organization; without it only the expiry is judged",
);

const WARN_DAYS: Setting = Setting::integer("warn_days", 7, 0, 3650)
    .unit("days")
    .about("how long before its expiry a token is due; for tokens that live no longer than that, a quarter of their life");

/// `api-gateway.tokens-rotation-due`
pub(crate) const ROTATION_DUE: Check = Check::automated("api-gateway.tokens-rotation-due")
    .title("No API token is due for rotation")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&API_TOKENS])
    .settings(&[&ROTATION_DAYS, &WARN_DAYS])
    .learns(&[&ROTATION_DAYS])
    .guide(GUIDE)
    .even_if_absent()
    .what("Lists tokens that expire within `warn_days`, and, where the organization has a policy, those that are older than `rotation_days`. For a token that lives no longer than `warn_days` the last quarter of its life counts.")
    .why("A rotation in time takes a minute; an expired token takes the integration down.")
    .limits("Whether the server moves a token's time of creation when it is rotated is not documented; if it does not, a rotated token looks older than its string.")
    .related(&["api-gateway.tokens-expired"])
    .remedy(&ROTATION_DUE_REMEDY)
    .judge(rotation_due);

const ROTATION_DUE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{owner}", "which integration uses {subject}, and when it may be interrupted for a moment"),
    Step::console("Administration > API Tokens > {subject}", "rotate it"),
    Step::consult(
        "the owner of the integration",
        "store the new string in the integration at once, and test",
    ),
])
.who("the owner of the token")
.risk(Risk::Medium, Reversible::No)
.cautions(&[
    "The old string stops working with the rotation: have the integration ready first.",
    "Keep the string out of tickets, mails and this tool.",
])
.references(&["Console User Guide: Rotate an API token"]);

fn rotation_due(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let warn = facts.integer(&WARN_DAYS)?;
    let rotation = facts.integer(&ROTATION_DAYS).ok();
    let tokens = tokens(facts)?;
    propose(facts, report, &tokens);
    let mut unknown = Vec::new();
    for token in &tokens {
        let Some(expiration) = token.expiration else {
            unknown.push(format!("token {} does not tell when it expires", token.id));
            continue;
        };
        let left = -facts.since(expiration);
        if left.is_negative() {
            continue;
        }
        let hours = match life_of(token) {
            Some(life) if life <= warn => life * 24 / 4,
            _ => warn * 24,
        };
        let age = token.created_time.map(|made| facts.days_since(made));
        let says = if left.as_hours() < hours {
            format!("expires in {} days", left.as_hours() / 24)
        } else {
            match (rotation, age) {
                (Some(limit), Some(age)) if age > limit => {
                    format!("is {age} days old; the policy allows {limit}")
                }
                (Some(_), None) => {
                    unknown.push(format!("token {} does not tell how old it is", token.id));
                    continue;
                }
                _ => continue,
            }
        };
        report.finding(
            Finding::on(token.subject())
                .says(says)
                .expected("a rotation in time")
                .fill("owner", token.owner())
                .evidence(facts.seen(&API_TOKENS, expiration.to_string())),
        );
    }
    settle(&unknown)
}

/// How many days a token lives.
fn life_of(token: &ApiToken) -> Option<i64> {
    let told = token.expire_in_days.map(|days| days as i64);
    told.or_else(|| Some(token.expiration?.duration_since(token.created_time?).as_hours() / 24))
}

/// The life of the token that lives longest, where all of them tell theirs.
fn propose(facts: &Facts<'_>, report: &mut Report, tokens: &[ApiToken]) {
    let live = tokens.iter().filter(|token| token.expiration.is_none_or(|end| end > facts.now()));
    let lives: Option<Vec<i64>> = live.map(life_of).collect();
    let Some(lives) = lives else { return };
    if let Some(&longest) = lives.iter().max()
        && (1..=3650).contains(&longest)
    {
        let seen = format!("tokens: {}; the longest lives {longest} days", lives.len());
        report.propose(&ROTATION_DAYS, longest, seen);
    }
}

/// Tokens whose integration is gone.
pub(crate) const RETIRED_TOKENS: Input =
    Input::new("api-gateway.retired-tokens", "ids of tokens whose integration is retired").sources(&[
        Source::answer(
            "Which API tokens belong to integrations that are retired? Ids, separated by commas, or \"none\"",
            Accepts::Text,
            90,
        ),
    ]);

const UNUSED_DAYS: Setting = Setting::integer("unused_days", 90, 1, 3650)
    .unit("days")
    .about("how long a token may go unused before its owner is asked");

/// `api-gateway.tokens-unneeded`
pub(crate) const UNNEEDED: Check = Check::hybrid("api-gateway.tokens-unneeded")
    .title("No API token is kept that nobody needs")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&API_TOKENS, &USERS, &RETIRED_TOKENS])
    .settings(&[&UNUSED_DAYS])
    .guide(GUIDE)
    .even_if_absent()
    .what("Lists tokens that were not used for `unused_days`, or never since they were made that long ago; tokens whose owner is gone, deleted, or disabled in or missing from LDAP; and tokens whose integration is retired, as an answer tells.")
    .why("A token that nobody needs is a way in that nobody watches.")
    .limits("The server tells the last use of a token, not what it is needed for: ask the owner. Without the answer nothing is known of retired integrations.")
    .related(&["api-gateway.tokens-expired", "console-users.departed-accounts"])
    .remedy(&UNNEEDED_REMEDY)
    .judge(unneeded);

const UNNEEDED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{owner}", "what {subject} is for; a yearly job may use it once"),
    Step::decision("it is still needed", "confirm it, or give it to an owner who is still here: a new token, then revoke the old"),
    Step::console("Administration > API Tokens > {subject}", "revoke it, once everybody who may use it was asked"),
])
.who(ADMINISTRATOR)
.risk(Risk::High, Reversible::No)
.cautions(&["A revoked token cannot be brought back, and its integration stops at once. Never revoke without asking the owner."])
.references(&["Console User Guide: Revoke API tokens"]);

fn unneeded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tokens = tokens(facts)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    let limit = facts.integer(&UNUSED_DAYS)?;
    let retired = retired(facts);
    let mut unknown = Vec::new();
    for token in &tokens {
        let mut says = Vec::new();
        match (token.last_used_on, token.created_time) {
            (Some(used), _) if facts.days_since(used) > limit => {
                says.push(format!("was last used {} days ago", facts.days_since(used)));
            }
            (None, Some(made)) if facts.days_since(made) > limit => {
                says.push(format!("was never used in {} days", facts.days_since(made)));
            }
            (None, None) => {
                unknown.push(format!("token {} tells neither its age nor its last use", token.id))
            }
            _ => {}
        }
        match owner(token, &users) {
            Owner::Untold => {}
            Owner::Gone if facts.gaps(&USERS)?.is_empty() => {
                says.push(format!("{} is no Console user", token.owner()))
            }
            Owner::Gone => {
                unknown.push(format!("the owner of token {} is not among the users that came", token.id))
            }
            Owner::Is(user) => {
                says.extend(user.inactive_because().map(|why| format!("its owner {} {why}", token.owner())))
            }
        }
        if retired.contains(&token.id) {
            says.push("its integration is retired".to_owned());
        }
        if !says.is_empty() {
            report.finding(
                Finding::on(token.subject())
                    .says(says.join("; "))
                    .expected("a token that somebody who is here uses")
                    .confirms(token.owner())
                    .fill("owner", token.owner())
                    .evidence(facts.seen(&API_TOKENS, token.last_used_on.map(|used| used.to_string()))),
            );
        }
    }
    settle(&unknown)
}

/// What the list of users tells of a token's owner.
pub(crate) enum Owner<'a> {
    /// The list of tokens does not tell whose it is.
    Untold,
    Gone,
    Is(&'a User),
}

pub(crate) fn owner<'a>(token: &ApiToken, users: &'a [User]) -> Owner<'a> {
    if token.user.is_none() {
        return Owner::Untold;
    }
    let is_owner = |user: &&User| match token.user.id.as_str() {
        "" => user.is_named(&token.user.name),
        id => user.id == id,
    };
    // A name may have belonged to a deleted user before.
    users
        .iter()
        .filter(is_owner)
        .min_by_key(|user| user.deleted_flag == Some(true))
        .map_or(Owner::Gone, Owner::Is)
}

fn retired(facts: &Facts<'_>) -> Vec<String> {
    let answer =
        facts.answer(&RETIRED_TOKENS).ok().and_then(|answer| answer.value.as_str().map(str::to_owned));
    let ids = answer.unwrap_or_default();
    ids.split([',', ' ']).map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Point;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn with(check: &'static Check, change: Value) -> Case {
        let mut token = json!({"id": 6, "user": {"id": 7, "name": "ann"}, "notes": "report", "expire_in_days": 90,
            "created_time": "2026-05-30T12:00:00Z", "expiration": "2026-08-28T12:00:00Z",
            "last_used_on": "2026-06-29T12:00:00Z"});
        for (key, value) in change.as_object().unwrap() {
            token[key] = value.clone();
        }
        let case = Case::of(check).rows(&API_TOKENS, json!([token]));
        match check.id() {
            "api-gateway.tokens-expired" => case.body(&SEEN_TOKENS, Body::Points(Vec::new())),
            "api-gateway.tokens-unneeded" => {
                case.rows(&USERS, json!([{"id": 7, "name": "ann", "locked_out": 0}]))
            }
            _ => case,
        }
    }

    fn seen(case: Case, id: &str, expiry: &str) -> Case {
        let at: Timestamp = "2026-06-23T12:00:00Z".parse().unwrap();
        let value = expiry.parse::<Timestamp>().unwrap().as_second() as f64;
        let point = Point { series: format!("{SERIES}{id}"), at, value };
        case.body(&SEEN_TOKENS, Body::Points(vec![point]))
    }

    #[test]
    fn expired_tokens_are_found() {
        let verdict = with(&EXPIRED, json!({})).judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].series, "api-gateway.token-expiry.6");
        with(&EXPIRED, json!({"expiration": "2026-06-30T11:59:59Z"})).judge().assert_findings(&["6"]);
        with(&EXPIRED, json!({"expiration": "2026-06-30T11:59:59Z", "deleted_flag": 1}))
            .judge()
            .assert_pass();
        with(&EXPIRED, json!({"expiration": null})).judge().assert_undecided(Outcome::NotEvaluated);
        let case =
            Case::of(&EXPIRED).rows(&API_TOKENS, json!([])).body(&SEEN_TOKENS, Body::Points(Vec::new()));
        case.assert_needs_its_inputs();
    }

    #[test]
    fn tokens_that_vanished_after_their_time_are_found() {
        let case = |id, expiry| seen(with(&EXPIRED, json!({})), id, expiry);
        case("9", "2026-06-25T00:00:00Z").judge().assert_findings(&["9"]);
        case("9", "2026-07-25T00:00:00Z").judge().assert_pass();
        case("6", "2026-06-25T00:00:00Z").judge().assert_pass();
        let own = case("9", "2026-06-25T00:00:00Z").gap(&API_TOKENS, "only own tokens are shown");
        own.judge().assert_pass();
    }

    #[test]
    fn tokens_are_due_before_they_expire() {
        let due = |change| with(&ROTATION_DUE, change).judge();
        due(json!({})).assert_pass();
        due(json!({"expiration": "2026-07-07T11:00:00Z"})).assert_findings(&["6"]);
        due(json!({"expiration": "2026-07-07T12:00:00Z"})).assert_pass();
        due(json!({"expiration": "2026-06-30T11:00:00Z"})).assert_pass();
        due(json!({"expiration": null})).assert_undecided(Outcome::NotEvaluated);
        // A token of seven days is due in its last two.
        due(json!({"expire_in_days": 7, "expiration": "2026-07-02T12:00:00Z"})).assert_pass();
        due(json!({"expire_in_days": 7, "expiration": "2026-07-01T12:00:00Z"})).assert_findings(&["6"]);
        with(&ROTATION_DUE, json!({})).assert_needs_its_inputs();
    }

    #[test]
    fn the_longest_life_of_a_token_is_proposed() {
        let proposal = |token: Value| with(&ROTATION_DUE, token).judge().proposal("rotation_days").cloned();
        assert_eq!(proposal(json!({"expire_in_days": 30})), Some(json!(30)));
        let told_by_dates = json!({"expire_in_days": null, "created_time": "2026-06-01T12:00:00Z",
            "expiration": "2026-07-31T12:00:00Z"});
        assert_eq!(proposal(told_by_dates), Some(json!(60)));
        let untold = json!({"expire_in_days": null, "created_time": null});
        assert_eq!(proposal(untold), None);
        assert_eq!(proposal(json!({"expiration": "2026-06-30T11:00:00Z"})), None, "it lives no more");
    }

    #[test]
    fn a_policy_limits_the_age() {
        let aged = |change| with(&ROTATION_DUE, change).setting("rotation_days", 31).judge();
        aged(json!({})).assert_pass();
        aged(json!({"created_time": "2026-05-29T12:00:00Z"})).assert_findings(&["6"]);
        aged(json!({"created_time": null})).assert_undecided(Outcome::NotEvaluated);
    }

    /// No list tells a token's string; should one ever do, it stays where it is.
    #[test]
    fn the_string_of_a_token_is_never_repeated() {
        let bad = json!({"token_string": "token-secret", "expiration": "2026-06-01T00:00:00Z", "last_used_on": null,
            "created_time": "2026-01-01T00:00:00Z"});
        for check in [&EXPIRED, &ROTATION_DUE, &UNNEEDED] {
            let verdict = with(check, bad.clone()).setting("rotation_days", 1).judge();
            assert!(!format!("{verdict:?}").contains("token-secret"), "{}", check.id());
        }
        with(&UNNEEDED, bad).judge().assert_findings(&["6"]);
    }

    #[test]
    fn tokens_without_use_or_owner_are_found() {
        let of = |change| with(&UNNEEDED, change);
        of(json!({})).judge().assert_pass();
        of(json!({})).assert_needs_its_inputs();
        of(json!({"last_used_on": "2026-03-01T00:00:00Z"})).judge().assert_findings(&["6"]);
        let never = json!({"last_used_on": "2001-01-01T00:00:00Z", "created_time": "2026-01-01T00:00:00Z"});
        of(never).judge().assert_findings(&["6"]);
        of(json!({"last_used_on": null})).judge().assert_pass();
        of(json!({"last_used_on": null, "created_time": null}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        of(json!({"user": {"id": 8, "name": "eve"}})).judge().assert_findings(&["6"]);
        of(json!({"user": null})).judge().assert_pass();
        let locked = json!([{"id": 7, "name": "ann", "locked_out": 2}]);
        of(json!({})).rows(&USERS, locked).judge().assert_findings(&["6"]);
        of(json!({})).answer(&RETIRED_TOKENS, "3, 6").judge().assert_findings(&["6"]);
        of(json!({})).answer(&RETIRED_TOKENS, "none").judge().assert_pass();
    }
}
