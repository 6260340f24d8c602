//! `<plugin>.health-review`, `<plugin>.service-review`: nothing that the platform shows of the module is broken, and a
//! person looked over the rest.
//!
//! The platform shows the runs of the module's schedules, its scheduled actions and its packages. Where these cannot be
//! read, the judge says so and a valid review decides alone.

use crate::GuideReference;
use crate::prelude::*;
use crate::records::actions::{PACKAGES, Package, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction};
use crate::records::server::{PLUGIN_SCHEDULES, PluginSchedule, SERVER_INFO, ServerInfo};

/// How often somebody looks over the module's own issues.
pub const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("review_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody looks over this module's own issues")
    .from_guide();

/// How the schedules of the module's service are recognised.
pub const SCHEDULE_MATCH: Setting = Setting::list("schedule_match", &[]).about(
    "beginnings of the names of this module's service schedules; where none is set, the first word of the module's \
     name",
);

/// What the judge reads. A plugin that adds evidence of its own names these as well.
pub const INPUTS: &[&Input] = &[&PLUGIN_SCHEDULES, &SERVER_INFO, &SCHEDULED_ACTIONS, &PACKAGES];

const REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "{module} User Guide: Troubleshooting {module}",
        "work through the chapter; begin with what the finding names, where there is one",
    ),
    Step::decision(
        "a schedule of the service fails or stands still",
        "look into the module's log on the Module Server, and at the user who owns the schedule: a deleted user or \
         persona stops it",
    ),
    Step::decision(
        "a scheduled action of the module waits for approval",
        "let somebody approve it under Administration > Actions > Scheduled Actions, or find out why it was not",
    ),
    Step::decision(
        "a file of a package is not cached",
        "open the package under Administration > Content > Packages, and check that the server reaches the file's \
         source",
    ),
    Step::support("bring a support bundle of {module} and the failing names, where the chapter does not help"),
    Step::command(
        "tancheck attest",
        "with this check's id and `--result done`: records the review. With `--result problem` and a note: keeps \
         what stays open in every report",
    ),
])
.who("a user holding the {module} role permissions named in the {module} user guide")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Do not delete or disable what a module made for itself: let the module remove it."]);

/// The check for a plugin; `id` is `<plugin>.health-review` or what the guide's catalogue calls it. It reads
/// [`INPUTS`], asks for a review by [`REVIEW_DUE_EVERY_DAYS`], and takes [`SCHEDULE_MATCH`]. Title, severity and judge
/// can be set anew on what it returns; a judge that adds evidence calls [`look`] first.
#[must_use]
pub const fn module_review(id: &'static str, guide: &'static [GuideReference]) -> Check {
    Check::hybrid(id)
        .title("{module} works without open issues")
        .cadence(&[Cadence::Monthly])
        .severity(Severity::Low)
        .reads(INPUTS)
        .settings(&[&SCHEDULE_MATCH])
        .due_every(&REVIEW_DUE_EVERY_DAYS)
        .guide(guide)
        .what(
            "Looks for schedules of the module's service that failed or stand still, for scheduled actions of the \
             module that wait for approval, and for packages of the module with files that cannot be cached. Clean, it \
             still asks a person once a month to work through the module's troubleshooting chapter.",
        )
        .why("A module whose service is silently broken reports nothing, which looks like health.")
        .limits(
            "The guide names no condition. Schedules, actions and packages are recognised by the beginnings of their \
             names, and a module may have none. Where they cannot be read, a review that is in date decides alone.",
        )
        .related(&["health-check.module-server-connected"])
        .remedy(&REMEDY)
        .judge(look)
}

/// Looks at everything that the platform shows of the module.
///
/// # Errors
/// When a part of it could not be read, or the Module Server is not connected; findings of the other parts stay.
pub fn look(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let broken = module_server(facts);
    let is_broken = matches!(&broken, Ok(Some(_)));
    let mut reasons: Vec<String> = match broken {
        Ok(reason) => reason.into_iter().collect(),
        Err(why) => vec![why.reason],
    };
    // Every schedule fails or stands still while the Module Server is away.
    let schedules = if is_broken { Ok(()) } else { schedules(facts, report) };
    let parts = [schedules, scheduled_actions(facts, report), packages(facts, report)];
    reasons.extend(parts.into_iter().filter_map(|part| Some(part.err()?.reason)));
    settle(&reasons)
}

/// Why the Module Server is not in order, which is a finding elsewhere; nothing where it is.
fn module_server(facts: &Facts<'_>) -> Result<Option<String>, Undecided> {
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let is_sign = |key: &str| key.ends_with("_Connected") || key.ends_with("_Last_Load_Plugins_Attempt");
    let broken = info.section("Module_Cache").find(|(key, value)| is_sign(key) && *value != "Success");
    Ok(broken.map(|(key, value)| {
        format!(
            "the Module Server is not in order ({key}: {value}), so what its modules show means nothing: see \
             health-check.module-server-connected"
        )
    }))
}

fn schedules(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let all: Vec<PluginSchedule> = facts.rows(&PLUGIN_SCHEDULES)?;
    let mut beginnings: Vec<String> =
        facts.list(&SCHEDULE_MATCH).iter().map(|text| text.to_lowercase()).collect();
    if beginnings.is_empty() {
        beginnings.extend(facts.module().split_whitespace().next().map(str::to_lowercase));
    }
    let is_ours = |schedule: &&PluginSchedule| {
        [&schedule.name, &schedule.plugin_name]
            .iter()
            .any(|name| beginnings.iter().any(|beginning| name.to_lowercase().starts_with(beginning)))
    };
    let ours: Vec<&PluginSchedule> = all.iter().filter(is_ours).collect();
    if ours.is_empty() {
        report.note(format!(
            "no schedule's name begins with {}: nothing was seen of the service itself",
            beginnings.join(" or ")
        ));
    }
    report_schedules(facts, report, ours);
    Ok(())
}

/// A finding for each of these schedules that is meant to run, and whose last run failed or is overdue.
pub fn report_schedules<'s>(
    facts: &Facts<'_>,
    report: &mut Report,
    schedules: impl IntoIterator<Item = &'s PluginSchedule>,
) {
    for schedule in schedules.into_iter().filter(|schedule| schedule.is_active()) {
        let overdue = schedule.overdue(facts.now());
        let (says, state) = match (schedule.failure(), overdue) {
            (Some(failure), _) => (format!("its last run failed: {failure}"), failure),
            (None, Some(since)) => (
                format!(
                    "its last run was {} minutes ago, and it is to run every {} seconds",
                    since.as_mins(),
                    schedule.run_interval_seconds.unwrap_or_default()
                ),
                "overdue".to_owned(),
            ),
            (None, None) => continue,
        };
        report.finding(
            Finding::on(Subject::new("plugin schedule", &schedule.id, &schedule.name))
                .says(says)
                .expected("a run in time, with exit code 0")
                .confirms(state)
                .evidence(facts.seen(
                    &PLUGIN_SCHEDULES,
                    [&schedule.plugin_bundle, &schedule.plugin_name, &schedule.last_run_text],
                )),
        );
    }
}

fn scheduled_actions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let all: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let waits = |action: &&ScheduledAction| {
        action.status() == Some(ScheduleStatus::Enabled) && action.approved_flag == Some(false)
    };
    for action in all.iter().filter(waits) {
        if !is_of_module(facts, &action.name) && !is_of_module(facts, &action.package_spec.name) {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("scheduled action", &action.id, &action.name))
                .says("is enabled, but nobody approved it: it does not deploy")
                .expected("an approved action, or a disabled one")
                .confirms("not approved")
                .evidence(facts.seen(&SCHEDULED_ACTIONS, [&action.status, &action.user.name])),
        );
    }
    Ok(())
}

fn packages(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let all: Vec<Package> = facts.rows(&PACKAGES)?;
    for package in all.iter().filter(|package| package.deleted_flag != Some(true)) {
        if !is_of_module(facts, &package.name) && !is_of_module(facts, &package.content_set.name) {
            continue;
        }
        let failures = package.files.iter().filter_map(|file| Some((&file.name, file.failure()?)));
        let failures: Vec<String> = failures.map(|(name, failure)| format!("{name}: {failure}")).collect();
        if failures.is_empty() {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("package", &package.id, &package.name))
                .says(format!("has files that clients cannot get: {}", failures.join("; ")))
                .expected("every file cached")
                .affected(failures.len() as u64, Some(package.files.len() as u64))
                .confirms(failures.join("; "))
                .evidence(facts.seen(&PACKAGES, &failures)),
        );
    }
    Ok(())
}

/// Whether a name begins with the module's, as a whole word.
fn is_of_module(facts: &Facts<'_>, name: &str) -> bool {
    let name = name.strip_prefix("Tanium ").unwrap_or(name).to_lowercase();
    let rest = name.strip_prefix(&facts.module().to_lowercase());
    rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Case;
    use serde_json::{Value, json};

    const CHECK: Check = module_review("trends.health-review", &[]);

    fn case() -> Case {
        Case::of(&CHECK)
            .titled("Trends")
            .rows(&PLUGIN_SCHEDULES, json!([schedule(json!({"last_exit_code": 0}))]))
            .object(&SERVER_INFO, json!({"Diagnostics": {"Module_Cache": {"ms:1_Connected": "Success"}}}))
            .rows(&SCHEDULED_ACTIONS, json!([]))
            .rows(&PACKAGES, json!([]))
    }

    fn schedule(more: Value) -> Value {
        let mut row = json!({"id": 1, "name": "Trends Service", "plugin_name": "trends-scheduleplugin",
            "enabled": true, "run_interval_seconds": 30, "last_run_time": "2026-06-30T11:59:50Z"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    }

    fn with_schedule(more: Value) -> Case {
        case().rows(&PLUGIN_SCHEDULES, json!([schedule(more)]))
    }

    #[test]
    fn a_service_that_runs_is_clean() {
        case().judge().assert_pass();
        assert_eq!(case().judge().notes(), [""; 0]);
    }

    #[test]
    fn failed_and_overdue_schedules_are_found() {
        with_schedule(json!({"last_exit_code": 4_294_967_295_u64})).judge().assert_findings(&["1"]);
        with_schedule(json!({"last_run_text": "ERROR: PluginServerRequestTimedOut: x"}))
            .judge()
            .assert_findings(&["1"]);
        with_schedule(json!({"last_run_time": "2026-06-30T10:00:00Z"})).judge().assert_findings(&["1"]);
    }

    #[test]
    fn disabled_deleted_and_foreign_schedules_are_none() {
        with_schedule(json!({"last_exit_code": 1, "enabled": false})).judge().assert_pass();
        with_schedule(json!({"last_exit_code": 1, "deleted_flag": true})).judge().assert_pass();
        let foreign =
            json!({"last_exit_code": 1, "name": "Connect", "plugin_name": "connect-scheduleplugin"});
        let verdict = with_schedule(foreign.clone()).judge();
        verdict.assert_pass();
        assert!(verdict.notes()[0].contains("nothing was seen"), "{:?}", verdict.notes());
        with_schedule(foreign).setting("schedule_match", json!(["conn"])).judge().assert_findings(&["1"]);
    }

    #[test]
    fn actions_without_approval_are_found() {
        let action = |name: &str, approved: bool| json!([{"id": 9, "name": name, "status": 0, "approved_flag": approved}]);
        let judge = |rows| case().rows(&SCHEDULED_ACTIONS, rows).judge();
        judge(action("Trends - Collect", false)).assert_findings(&["9"]);
        judge(action("Trends - Collect", true)).assert_pass();
        judge(action("Trendsetter", false)).assert_pass();
    }

    #[test]
    fn packages_with_files_that_cannot_be_cached_are_found() {
        let package = |set: &str, status: u32| {
            json!([{"id": 5, "name": "Tools", "content_set": {"id": 2, "name": set},
                "files": [{"name": "a.zip", "status": status, "cache_status": ""}]}])
        };
        let judge = |rows| case().rows(&PACKAGES, rows).judge();
        judge(package("Trends", 404)).assert_findings(&["5"]);
        judge(package("Trends", 200)).assert_pass();
        judge(package("Connect", 404)).assert_pass();
    }

    #[test]
    fn without_a_module_server_schedules_prove_nothing() {
        let down = json!({"Diagnostics": {"Module_Cache": {"ms:1_Last_Load_Plugins_Attempt": "Failed"}}});
        let case = with_schedule(json!({"last_exit_code": 1})).object(&SERVER_INFO, down);
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn unreadable_diagnostics_hide_no_schedule() {
        let case = with_schedule(json!({"last_exit_code": 1}));
        case.unavailable(&SERVER_INFO, Outcome::NoPermission).judge().assert_findings(&["1"]);
    }

    #[test]
    fn each_part_that_cannot_be_read_is_told() {
        case().assert_needs_its_inputs();
        let verdict = case().unavailable(&PACKAGES, Outcome::NoPermission).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        let failed =
            with_schedule(json!({"last_exit_code": 1})).unavailable(&PACKAGES, Outcome::NoPermission);
        failed.judge().assert_findings(&["1"]);
    }
}
