//! Guide: *Review and update scheduled actions*, page 39: who issued an action decides who may change it.

use crate::inputs::{
    Change, Issuer, LAST_CHANGES, SEEN_ISSUED, SERVICE_ISSUERS, SOLUTION_ISSUER_PATTERNS, is_on_default,
    issuer, status, subject,
};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction};
use tancheck_plugin_api::records::people::{PERSONAS, Persona, USERS, User};

const SECTION: &str = "Review and update scheduled actions";
const WHO: &str =
    "a Console user with the Administrator reserved role, or a custom role that may write actions";
const NEVER_DELETE: &str = "Never delete it from the list of scheduled actions: it belongs to a solution, and what follows from its loss is told only in that solution's user guide.";

const STALE_DAYS: Setting = Setting::integer("stale_days", 90, 1, 3650)
    .unit("days")
    .about("how long an action of a person may stay unchanged before somebody confirms that it is needed");

/// Actions issued by Administrator or tanium are left to the solutions that own them.
pub(crate) const SERVICE_ACCOUNT_ISSUED: Check = Check::hybrid("actions.service-account-issued")
    .title("Actions issued by Administrator or tanium are recognized as solution or content actions")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SCHEDULED_ACTIONS])
    .settings(&[&SERVICE_ISSUERS])
    .guide(&[guide(SECTION, 39)])
    .what("Lists actions issued by one of `service_issuers` that are disabled or that target Default.")
    .why("Solution services (a Discover scan profile, for instance) and content imports issue their actions under these accounts. Disabled by mistake, they break the solution quietly.")
    .limits("Which solution owns an action is told by its name and package only.")
    .related(&["actions.solution-issued", "actions.scheduled-review"])
    .remedy(&OWNED_REMEDY)
    .judge(service_account_issued);

const OWNED_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions > {subject}",
        "find the owning solution by name and package ({package})",
    ),
    Step::consult(
        "that solution's user guide",
        "what the action is for, and what follows when it does not run",
    ),
    Step::decision(
        "it should no longer run",
        "change it in that solution (for instance, delete the scan profile in Discover)",
    ),
    Step::decision("it was disabled or moved by mistake", "enable it, or assign its action group again"),
])
.cautions(&[NEVER_DELETE])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Managing scheduled actions and action history"]);

fn service_account_issued(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    for action in actions.iter().filter(|action| issuer(facts, action) == Issuer::ServiceAccount) {
        if let Some(trouble) = trouble(action)? {
            report.finding(owned(facts, action, trouble));
        }
    }
    Ok(())
}

/// Actions issued by a Tanium solution are left to that solution.
pub(crate) const SOLUTION_ISSUED: Check = Check::hybrid("actions.solution-issued")
    .title("Actions issued by a Tanium solution are left to that solution")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SCHEDULED_ACTIONS, &SEEN_ISSUED])
    .settings(&[&SERVICE_ISSUERS, &SOLUTION_ISSUER_PATTERNS])
    .guide(&[guide(SECTION, 39)])
    .what("Lists actions whose issuer or name begins like one of `solution_issuer_patterns` and that are disabled, deleted, or assigned to Default, and those that earlier runs saw and this one does not.")
    .why("Solutions run their own scheduled actions (Endpoint Configuration - Manifest, for instance). Without them the solution stops working on endpoints.")
    .limits("The vendor publishes no list of such issuers, so the site names them. A solution may make an action again under a new id; actions are therefore compared by name.")
    .related(&["actions.service-account-issued", "endpoint-configuration.manifest-actions"])
    .remedy(&OWNED_REMEDY)
    .judge(solution_issued);

fn solution_issued(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if facts.list(&SOLUTION_ISSUER_PATTERNS).is_empty() {
        return Err(Undecided::not_evaluated(
            "name your solutions' issuers or actions in `solution_issuer_patterns`, for example \"Endpoint Configuration\"",
        ));
    }
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let issued: Vec<&ScheduledAction> =
        actions.iter().filter(|action| issuer(facts, action) == Issuer::Solution).collect();
    for action in &issued {
        report.measure(&format!("actions.solution-issued.{}", action.name), 1.0, "seen");
        let deleted = status(action)? == ScheduleStatus::Deleted;
        let trouble = if deleted { Some("is deleted") } else { trouble(action)? };
        if let Some(trouble) = trouble {
            report.finding(owned(facts, action, trouble));
        }
    }
    let mut last_seen: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for point in facts.points(&SEEN_ISSUED)? {
        if let Some(name) = point.series.strip_prefix("actions.solution-issued.") {
            last_seen.insert(name, point.at);
        }
    }
    for (name, at) in
        last_seen.into_iter().filter(|(name, _)| !issued.iter().any(|action| action.name == *name))
    {
        report.finding(
            Finding::on(Subject::new("scheduled action", name, name))
                .says(format!("is no longer in the list; last seen {at}"))
                .expected("an action that its solution looks after")
                .confirms("gone")
                .fill("package", "no longer known")
                .evidence(facts.seen(&SEEN_ISSUED, at)),
        );
    }
    Ok(())
}

/// What is wrong with an action that a solution owns.
fn trouble(action: &ScheduledAction) -> Result<Option<&'static str>, Undecided> {
    Ok(match status(action)? {
        ScheduleStatus::Disabled => Some("is disabled"),
        ScheduleStatus::Enabled if is_on_default(action) => Some("targets Default, so it never deploys"),
        ScheduleStatus::Enabled | ScheduleStatus::Deleted => None,
    })
}

fn owned(facts: &Facts<'_>, action: &ScheduledAction, trouble: &str) -> Finding {
    Finding::on(subject(action))
        .says(format!("was issued by {} and {trouble}", action.user.label()))
        .expected("an action that its solution looks after")
        .fill("package", &action.package_spec.name)
        .confirms(trouble)
        .evidence(facts.seen(&SCHEDULED_ACTIONS, [&action.status, &action.action_group.name]))
}

/// Scheduled actions issued by people are still needed.
pub(crate) const USER_ISSUED_STALE: Check = Check::hybrid("actions.user-issued-stale")
    .title("Scheduled actions issued by people are still needed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&SCHEDULED_ACTIONS, &USERS, &PERSONAS, &LAST_CHANGES])
    .settings(&[&STALE_DAYS, &SERVICE_ISSUERS, &SOLUTION_ISSUER_PATTERNS])
    .guide(&[guide(SECTION, 39)])
    .what("Lists actions issued by people whose issuer or persona is gone or locked out, whose end has passed, or that nobody has changed for longer than `stale_days`.")
    .why("People schedule actions for a test and forget them. When the issuer is deleted, the server no longer reissues the action at all.")
    .limits("Whether an action is needed is for a person to say: confirm those that are. Without permission to read the audit log the time of creation stands for the last change.")
    .related(&["actions.scheduled-review", "console-users.departed-accounts"])
    .remedy(&STALE_REMEDY)
    .judge(user_issued_stale);

const STALE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{issuer} or the successor", "whether {subject} is still needed"),
    Step::decision(
        "it is",
        "confirm it: tancheck attest actions.user-issued-stale --subject {id} --result done",
    ),
    Step::decision("it should stop, but may be needed again", "select it and use More > Disable Action(s)"),
    Step::decision(
        "it will never be needed again",
        "disable it first; after a quiet period select it and use More > Delete",
    ),
    Step::decision(
        "the issuer or the persona is gone",
        "transfer the action to an existing user before it is needed",
    ),
])
.cautions(&["Do not delete an action until the whole effect of losing it is known."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Delete or transfer content for a non-active user"]);

fn user_issued_stale(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    let personas = facts.rows::<Persona>(&PERSONAS)?;
    let changes: Vec<Change> = facts.rows(&LAST_CHANGES).unwrap_or_default();
    let limit = facts.integer(&STALE_DAYS)?;
    for action in actions.iter().filter(|action| issuer(facts, action) == Issuer::Person) {
        if status(action)? == ScheduleStatus::Deleted {
            continue;
        }
        let reason = issuer_gone(action, &users)
            .or_else(|| persona_gone(action, &personas))
            .or_else(|| action.end_time.filter(|end| *end < facts.now()).map(|end| format!("ended {end}")))
            .or_else(|| unchanged(facts, action, &changes, limit));
        if let Some(reason) = reason {
            report.finding(
                Finding::on(subject(action))
                    .says(format!("issued by {}: {reason}", action.user.label()))
                    .expected("an action that somebody still needs")
                    .fill("issuer", action.user.label())
                    .fill("id", &action.id)
                    .confirms(&reason)
                    .evidence(facts.seen(&SCHEDULED_ACTIONS, [&action.user.name, &action.status])),
            );
        }
    }
    Ok(())
}

fn issuer_gone(action: &ScheduledAction, users: &[User]) -> Option<String> {
    let issuer = &action.user;
    let known =
        users.iter().find(|user| user.id == issuer.id || (issuer.id.is_empty() && user.name == issuer.name));
    match known {
        None => Some("the issuer is no Console user any more".to_owned()),
        Some(user) => user.inactive_because().map(|reason| format!("the issuer {reason}")),
    }
}

fn persona_gone(action: &ScheduledAction, personas: &[Persona]) -> Option<String> {
    let persona = &action.persona;
    let gone = !persona.is_none() && !personas.iter().any(|one| one.id == persona.id);
    gone.then(|| format!("the persona {} is gone", persona.label()))
}

fn unchanged(facts: &Facts<'_>, action: &ScheduledAction, changes: &[Change], limit: i64) -> Option<String> {
    let changed = changes
        .iter()
        .filter(|change| change.object_id == action.id)
        .filter_map(|change| change.modification_time);
    let last = changed.chain(action.creation_time).max()?;
    // The day, not the age: a confirmation is bound to this text and must not lapse every day.
    (facts.days_since(last) > limit).then(|| format!("unchanged since {}", last.strftime("%Y-%m-%d")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn action(user: &str, more: Value) -> Value {
        let mut action = json!({"id": 1, "name": "Deploy X", "status": 0, "user": {"id": 7, "name": user},
            "action_group": {"id": 4, "name": "All Computers"}, "creation_time": "2026-06-01T00:00:00Z"});
        for (key, value) in more.as_object().unwrap() {
            action[key] = value.clone();
        }
        json!([action])
    }

    #[test]
    fn disabled_or_parked_service_actions_are_found() {
        let case =
            |user, more| Case::of(&SERVICE_ACCOUNT_ISSUED).rows(&SCHEDULED_ACTIONS, action(user, more));
        case("tanium", json!({"status": 1})).judge().assert_findings(&["1"]);
        case("TAM\\administrator", json!({"status": 1})).judge().assert_findings(&["1"]);
        case("tanium", json!({"action_group": {"name": "Default"}})).judge().assert_findings(&["1"]);
        case("tanium", json!({})).judge().assert_pass();
        case("ann", json!({"status": 1})).judge().assert_pass();
        case("tanium", json!({"status": "odd"})).judge().assert_undecided(Outcome::NotEvaluated);
        case("tanium", json!({})).assert_needs_its_inputs();
    }

    fn solution(more: Value) -> Case {
        Case::of(&SOLUTION_ISSUED)
            .setting("solution_issuer_patterns", json!(["Endpoint Configuration"]))
            .rows(&SCHEDULED_ACTIONS, action("endpoint configuration", more))
            .weekly(&SEEN_ISSUED, "actions.solution-issued.Deploy X", &[1.0, 1.0])
    }

    #[test]
    fn solution_actions_that_changed_or_vanished_are_found() {
        solution(json!({})).judge().assert_pass();
        solution(json!({"status": 1})).judge().assert_findings(&["1"]);
        solution(json!({"status": 2})).judge().assert_findings(&["1"]);
        let gone = solution(json!({})).weekly(&SEEN_ISSUED, "actions.solution-issued.Manifest", &[1.0]);
        gone.judge().assert_findings(&["Manifest"]);
        assert_eq!(solution(json!({})).judge().measures()[0].series, "actions.solution-issued.Deploy X");
        solution(json!({})).assert_needs_its_inputs();
    }

    #[test]
    fn without_patterns_nothing_is_decided() {
        let case = Case::of(&SOLUTION_ISSUED).rows(&SCHEDULED_ACTIONS, action("ann", json!({})));
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn person(more: Value, user: Value) -> Case {
        Case::of(&USER_ISSUED_STALE)
            .rows(&SCHEDULED_ACTIONS, action("ann", more))
            .rows(&USERS, json!([user]))
            .rows(&PERSONAS, json!([{"id": 3, "name": "Ops"}]))
            .rows(&LAST_CHANGES, json!([]))
    }

    fn ann() -> Value {
        json!({"id": 7, "name": "ann", "locked_out": 0, "deleted_flag": false})
    }

    #[test]
    fn recent_actions_of_present_people_pass() {
        person(json!({"persona": {"id": 3}}), ann()).judge().assert_pass();
        person(json!({"end_time": "Never"}), ann()).judge().assert_pass();
        person(json!({"end_time": "2001-01-01T00:00:00Z"}), ann()).judge().assert_pass();
    }

    #[test]
    fn departed_issuers_personas_ended_and_forgotten_actions_are_found() {
        person(json!({}), json!({"id": 8, "name": "bob"})).judge().assert_findings(&["1"]);
        person(json!({}), json!({"id": 7, "name": "ann", "deleted_flag": true}))
            .judge()
            .assert_findings(&["1"]);
        person(json!({"persona": {"id": 5}}), ann()).judge().assert_findings(&["1"]);
        person(json!({"end_time": "2026-06-29T00:00:00Z"}), ann()).judge().assert_findings(&["1"]);
        person(json!({"creation_time": "2025-06-01T00:00:00Z"}), ann()).judge().assert_findings(&["1"]);
    }

    #[test]
    fn a_change_in_the_audit_log_renews() {
        let old = json!({"creation_time": "2025-06-01T00:00:00Z"});
        let changed = json!([{"object_id": 1, "modification_time": "2026-06-20T00:00:00Z"}]);
        person(old, ann()).rows(&LAST_CHANGES, changed).judge().assert_pass();
    }

    #[test]
    fn without_users_nothing_is_decided() {
        let case = person(json!({}), ann()).unavailable(&USERS, Outcome::NoPermission);
        case.judge().assert_undecided(Outcome::NoPermission);
    }
}
