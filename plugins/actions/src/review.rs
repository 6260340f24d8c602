//! Guide: *Review and update scheduled actions*, page 39: what is disabled, what is there twice.

use crate::inputs::{Change, Issuer, LAST_CHANGES, SEEN_DISABLED, SERVICE_ISSUERS, SOLUTION_ISSUER_PATTERNS};
use crate::inputs::{issuer, status, subject};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction};

const SECTION: &str = "Review and update scheduled actions";
const WHO: &str =
    "a Console user with the Administrator reserved role, or a custom role that may write actions";
const DELETION: &str = "Do not delete an action until the whole effect of losing it is known. Deletion cannot be undone: disable first.";

const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("review_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often all scheduled actions are reviewed")
    .from_guide();

const DISABLED_DAYS: Setting = Setting::integer("disabled_days", 90, 1, 3650)
    .unit("days")
    .about("how long an action may stay disabled before somebody decides about it");

const COMPARE: Setting = Setting::list("compare", &["package", "parameters", "targets"])
    .about("what makes two actions duplicates: any of package, parameters, targets, schedule");

/// Scheduled actions were reviewed this quarter.
pub(crate) const SCHEDULED_REVIEW: Check = Check::attested("actions.scheduled-review")
    .title("Scheduled actions were reviewed this quarter")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide(SECTION, 39)])
    .what("Asks once a quarter whether somebody went through all scheduled actions.")
    .why("Actions that are no longer useful cost the server and every client; only people know which are.")
    .related(&["actions.disabled", "actions.duplicate", "actions.user-issued-stale"])
    .remedy(&SCHEDULED_REVIEW_REMEDY);

const SCHEDULED_REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Actions > Scheduled Actions", "expand Filters"),
    Step::console(
        "Administration > Actions > Scheduled Actions > Filters",
        "filter by what tells whether an action is still useful: Status is equal to Disabled; Issuer is equal to a user",
    ),
    Step::decision("an action should stop for now", "select it and use More > Disable Action(s)"),
    Step::decision("an action will never be useful again", "select it and use More > Delete"),
    Step::command("tancheck attest actions.scheduled-review --result done", "records the review"),
])
.cautions(&[DELETION])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.references(&["Console User Guide: Managing scheduled actions and action history"]);

/// Disabled scheduled actions are judged.
pub(crate) const DISABLED: Check = Check::automated("actions.disabled")
    .title("No scheduled action stays disabled without a decision")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&SCHEDULED_ACTIONS, &LAST_CHANGES, &SEEN_DISABLED])
    .settings(&[&DISABLED_DAYS, &KEEP_DISABLED, &SERVICE_ISSUERS, &SOLUTION_ISSUER_PATTERNS])
    .learns(&[&KEEP_DISABLED])
    .guide(&[guide(SECTION, 39)])
    .what("Lists actions that have been disabled for longer than `disabled_days` and that `keep_disabled` does not name. An action has been disabled at least since its last change in the audit log; without the log, since tancheck first saw it disabled.")
    .why("A disabled action that nobody will enable again only clutters the list in which people look for the useful ones.")
    .limits("Without permission to read the audit log the age begins with tancheck's first run.")
    .related(&["actions.scheduled-review"])
    .remedy(&DISABLED_REMEDY)
    .judge(disabled);

const KEEP_DISABLED: Setting =
    Setting::list("keep_disabled", &[]).about("names or ids of actions that stay disabled on purpose");

const DISABLED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("{issuer}, who issued it", "whether {subject} may be enabled again one day"),
    Step::decision("it may", "name it in `keep_disabled`"),
    Step::decision(
        "it never will, and it belongs to no solution",
        "delete it: Administration > Actions > Scheduled Actions, select it, More > Delete",
    ),
    Step::decision(
        "{owner} owns it",
        "leave it to that solution; see actions.service-account-issued and actions.solution-issued",
    ),
])
.cautions(&[DELETION])
.who(WHO)
.risk(Risk::High, Reversible::No)
.references(&["Console User Guide: Managing scheduled actions and action history"]);

fn disabled(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let changes: Vec<Change> = facts.rows(&LAST_CHANGES).unwrap_or_default();
    let seen = facts.points(&SEEN_DISABLED).unwrap_or_default();
    let limit = facts.integer(&DISABLED_DAYS)?;
    let keep = facts.list(&KEEP_DISABLED);
    let mut present = Vec::new();
    for action in &actions {
        if status(action)? == ScheduleStatus::Disabled {
            present.push([&action.name, &action.id]);
        }
    }
    let seen_disabled = format!("disabled actions: {}", present.len());
    report.propose(&KEEP_DISABLED, facts.called(&KEEP_DISABLED, present), seen_disabled);
    let mut unknown = Vec::new();
    for action in &actions {
        if status(action)? != ScheduleStatus::Disabled {
            continue;
        }
        let series = format!("actions.disabled.{}", action.id);
        report.measure(&series, 1.0, "seen");
        if keep.iter().any(|&one| one == action.id || one.eq_ignore_ascii_case(&action.name)) {
            continue;
        }
        let changed = changes
            .iter()
            .filter(|change| change.object_id == action.id)
            .filter_map(|change| change.modification_time)
            .max();
        let first_seen = seen.iter().filter(|point| point.series == series).map(|point| point.at).min();
        let Some(since) = changed.or(first_seen) else {
            unknown.push(action.name.as_str());
            continue;
        };
        let days = facts.days_since(since);
        if days > limit {
            report.finding(
                Finding::on(subject(action))
                    .says(format!("has been disabled for at least {days} days"))
                    .expected(format!("a decision within {limit} days"))
                    .fill("issuer", action.user.label())
                    .fill("owner", owner(issuer(facts, action)))
                    .evidence(facts.seen(&SCHEDULED_ACTIONS, [&action.status, &since.to_string()])),
            );
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Undecided::not_evaluated(format!(
        "it is not known since when {} disabled: let the account read the audit log (privilege `read audit`), or wait \
         {limit} days from tancheck's first run",
        if let [one] = unknown[..] { format!("{one} is") } else { format!("{} actions are", unknown.len()) }
    )))
}

fn owner(issuer: Issuer) -> &'static str {
    match issuer {
        Issuer::ServiceAccount => "a solution service",
        Issuer::Solution => "a solution",
        Issuer::Person => "a solution (as its name may tell)",
    }
}

/// No duplicate scheduled actions.
pub(crate) const DUPLICATE: Check = Check::automated("actions.duplicate")
    .title("No duplicate scheduled actions")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&SCHEDULED_ACTIONS])
    .settings(&[&COMPARE])
    .guide(&[guide(SECTION, 39)])
    .what("Groups the enabled actions by package, parameters and targets (or what `compare` names). A package that was given parameters is a copy with an id of its own, so copies count as the package they were made from.")
    .why("Two actions that do the same work twice cost every targeted client twice.")
    .limits("Anonymous target groups are compared by their text; two texts may describe the same endpoints.")
    .related(&["actions.scheduled-review"])
    .remedy(&DUPLICATE_REMEDY)
    .judge(duplicate);

const DUPLICATE_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "compare {names}: schedules, targets, issuers",
    ),
    Step::decision("a solution uses one of them", "keep that one"),
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "select the others and use More > Disable Action(s); delete them after a quiet period",
    ),
])
.cautions(&[DELETION])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Console User Guide: Managing scheduled actions and action history"]);

fn duplicate(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let compare = facts.list(&COMPARE);
    if let Some(unknown) =
        compare.iter().find(|word| !["package", "parameters", "targets", "schedule"].contains(word))
    {
        return Err(Undecided::not_evaluated(format!(
            "`compare` names {unknown:?}; it may hold package, parameters, targets and schedule"
        )));
    }
    let mut sets: BTreeMap<Vec<String>, Vec<&ScheduledAction>> = BTreeMap::new();
    for action in &actions {
        if status(action)? == ScheduleStatus::Enabled {
            sets.entry(likeness(action, &compare)).or_default().push(action);
        }
    }
    for same in sets.values().filter(|same| same.len() > 1) {
        let names: Vec<&str> = same.iter().map(|action| action.name.as_str()).collect();
        let mut ids: Vec<&str> = same.iter().map(|action| action.id.as_str()).collect();
        ids.sort_unstable();
        report.finding(
            Finding::on(Subject::new("scheduled actions", ids.join("+"), names.join(" / ")))
                .says(format!("{} enabled actions do the same ({})", same.len(), compare.join(", ")))
                .affected(same.len() as u64, Some(actions.len() as u64))
                .sample(names.iter().copied())
                .fill("names", names.join(", "))
                .evidence(facts.seen(&SCHEDULED_ACTIONS, &ids)),
        );
    }
    Ok(())
}

/// What two duplicates have in common.
fn likeness(action: &ScheduledAction, compare: &[&str]) -> Vec<String> {
    let package = &action.package_spec;
    let original = [&package.source_id, &package.id, &package.name];
    let mut parts = Vec::new();
    for &word in compare {
        match word {
            "package" => {
                parts.extend(original.into_iter().find(|id| !id.is_empty() && *id != "0").cloned());
            }
            "parameters" => {
                let mut parameters = package.parameters.clone();
                parameters.sort();
                parts.push(format!("{parameters:?}"));
            }
            "targets" => {
                let target = &action.target_group;
                let told = [&target.text, &target.id, &target.name];
                parts.push(action.action_group.label().to_owned());
                parts.extend(told.into_iter().find(|text| !text.is_empty()).map(|text| text.to_lowercase()));
            }
            _ => parts.push(format!("{:?}", action.issue_seconds)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn disabled_case(changed: &str) -> Case {
        Case::of(&DISABLED)
            .at("2026-06-30T00:00:00Z")
            .rows(
                &SCHEDULED_ACTIONS,
                json!([{"id": 1, "name": "Old", "status": 1}, {"id": 2, "name": "On", "status": 0}]),
            )
            .rows(&LAST_CHANGES, json!([{"object_id": 1, "modification_time": changed}]))
            .weekly(&SEEN_DISABLED, "actions.disabled.9", &[1.0])
    }

    #[test]
    fn long_disabled_actions_are_found_and_recent_ones_are_not() {
        disabled_case("2026-01-01T00:00:00Z").judge().assert_findings(&["1"]);
        disabled_case("2026-06-01T00:00:00Z").judge().assert_pass();
        let kept = disabled_case("2026-01-01T00:00:00Z").setting("keep_disabled", json!(["old"]));
        kept.judge().assert_pass();
    }

    #[test]
    fn without_an_audit_log_the_first_sight_counts() {
        let case = disabled_case("2026-06-01T00:00:00Z").unavailable(&LAST_CHANGES, Outcome::NoPermission);
        case.judge().assert_undecided(Outcome::NotEvaluated);
        let weeks = [1.0; 20];
        case.weekly(&SEEN_DISABLED, "actions.disabled.1", &weeks).judge().assert_findings(&["1"]);
    }

    #[test]
    fn disabled_actions_are_remembered() {
        let verdict = disabled_case("2026-06-01T00:00:00Z").judge();
        assert_eq!(verdict.measures()[0].series, "actions.disabled.1");
    }

    fn pair(second: Value) -> Case {
        let first = json!({"id": 1, "name": "A", "status": 0, "package_spec": {"id": 70, "source_id": 7,
            "parameters": [{"key": "$1", "value": "x"}]}, "action_group": {"id": 4}, "target_group": {"text": "All"}});
        let mut other = first.clone();
        for (key, value) in second.as_object().unwrap() {
            other[key] = value.clone();
        }
        Case::of(&DUPLICATE).rows(&SCHEDULED_ACTIONS, json!([first, other]))
    }

    #[test]
    fn copies_of_one_package_on_the_same_targets_are_duplicates() {
        let copy = json!({"id": 2, "package_spec": {"id": 71, "source_id": 7, "parameters": [{"key": "$1", "value": "x"}]}});
        pair(copy).judge().assert_findings(&["1+2"]);
    }

    #[test]
    fn other_parameters_targets_or_a_disabled_one_are_none() {
        pair(json!({"id": 2, "package_spec": {"id": 71, "source_id": 7}})).judge().assert_pass();
        pair(json!({"id": 2, "action_group": {"id": 5}})).judge().assert_pass();
        pair(json!({"id": 2, "target_group": {"text": "Servers"}})).judge().assert_pass();
        pair(json!({"id": 2, "status": 1})).judge().assert_pass();
        pair(json!({"id": 2}))
            .setting("compare", json!(["weather"]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        pair(json!({"id": 2})).assert_needs_its_inputs();
    }
}
