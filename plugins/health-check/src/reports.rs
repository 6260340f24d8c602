//! Guide: *Verify TPAN report generation*, page 8; *Review and resolve critical and high TPAN findings*, page 11:
//! reports are made, recent, and kept.

use crate::inputs::{Newest, TPAN_FINDINGS, TPAN_MAX_AGE_DAYS, TPAN_REPORTS, TpanReport, unreadable};
use crate::service::tpan_schedules;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::PLUGIN_SCHEDULES;

const WHO: &str = "a user holding the Health Check role permissions named in the Health Check user guide";
const CONSOLE: &str = "Administration > Shared Services > Health Check";

const EXPECTED_INTERVAL: Setting = Setting::integer("tpan_expected_interval_days", 7, 1, 366)
    .unit("days")
    .about("how many days lie between two scheduled TPAN reports");

/// TPAN reports are set to be generated at the expected cadence.
pub(crate) const SCHEDULE: Check = Check::automated("health-check.tpan-schedule")
    .title("TPAN reports are generated at the expected cadence")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(&[&TPAN_REPORTS])
    .settings(&[&EXPECTED_INTERVAL])
    .guide(&[guide("Verify TPAN report generation", 8)])
    .what("Takes the listed reports that were not made by hand and compares the median of the intervals between them with `tpan_expected_interval_days`, one day more or less.")
    .why("A report from before the trouble helps to find its cause; it can only be there if reports are made all the time.")
    .limits("Needs the list of reports as a file. A report made by hand distorts the intervals unless the column trigger says so.")
    .related(&["health-check.installed", "health-check.tpan-report-age"])
    .remedy(&SCHEDULE_REMEDY)
    .judge(tpan_schedule);

const SCHEDULE_REMEDY: Remedy = Remedy::new(&[
    Step::console(CONSOLE, "scroll to Reports and look at the times of the listed reports"),
    Step::consult(
        "Health Check User Guide: Configuring Health Check; Generating reports",
        "correct the configuration of report generation",
    ),
    Step::console(CONSOLE, "generate one report at once and see that it appears"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Health Check User Guide: Generating reports"]);

fn tpan_schedule(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let reports: Vec<TpanReport> = facts.rows(&TPAN_REPORTS)?;
    let expected = facts.integer(&EXPECTED_INTERVAL)?;
    let scheduled = reports.iter().filter(|report| !report.trigger.eq_ignore_ascii_case("manual"));
    let times: Option<Vec<Timestamp>> = scheduled.map(|report| report.report_time).collect();
    let mut times = times.ok_or_else(|| Undecided::not_evaluated(unreadable("tpan-reports.csv")))?;
    times.sort_unstable();
    let mut intervals: Vec<i64> =
        times.windows(2).map(|pair| (pair[1].duration_since(pair[0]).as_hours() + 12) / 24).collect();
    intervals.sort_unstable();
    let says = match (times.len(), intervals.get(intervals.len() / 2)) {
        (0, _) => "no scheduled report is listed".to_owned(),
        (_, None) => {
            return Err(Undecided::not_evaluated(
                "one scheduled report shows no interval: wait for the second",
            ));
        }
        (_, Some(median)) if (median - expected).abs() <= 1 => return Ok(()),
        (_, Some(median)) => format!("reports are made every {median} days"),
    };
    report.finding(
        Finding::on(Subject::new("module", "tpan-schedule", "TPAN report generation"))
            .says(says)
            .expected(format!("a report every {expected} days"))
            .evidence(facts.seen(&TPAN_REPORTS, &intervals)),
    );
    Ok(())
}

/// The latest TPAN report is recent.
pub(crate) const AGE: Check = Check::automated("health-check.tpan-report-age")
    .title("The latest TPAN report is recent")
    .cadence(&[Cadence::Weekly, Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&TPAN_REPORTS, &TPAN_FINDINGS, &PLUGIN_SCHEDULES])
    .settings(&[&TPAN_MAX_AGE_DAYS])
    .guide(&[
        guide("Verify TPAN report generation", 8),
        guide("Review and resolve critical and high TPAN findings", 11),
        guide("Review all TPAN findings", 15),
    ])
    .what("Compares the time of the newest report, in either list, with `tpan_max_age_days`. Without any list it looks whether a schedule of the TPAN or Health Check service is switched off or has never run.")
    .why("Old findings describe a deployment that is no longer there; every other TPAN check decides nothing then.")
    .limits("The name of the TPAN schedule is not public: schedules are recognised by the words tpan and health, and alone they prove nothing good.")
    .related(&["health-check.tpan-schedule"])
    .remedy(&AGE_REMEDY)
    .judge(tpan_report_age);

const AGE_REMEDY: Remedy = Remedy::new(&[
    Step::console(CONSOLE, "generate a report now and wait for it under Reports"),
    Step::consult(
        "Health Check User Guide: Generating reports; Troubleshooting Health Check",
        "find out why the schedule did not make one",
    ),
    Step::command(
        "tpan-findings.csv",
        "write the findings of the new report into the exports folder and run tancheck again",
    ),
])
.who(WHO)
.references(&["Health Check User Guide: Troubleshooting Health Check"]);

fn tpan_report_age(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&TPAN_MAX_AGE_DAYS)?;
    let newest = match Newest::of(facts) {
        Ok(newest) => newest,
        Err(missing) => return stopped_schedule(facts, report, missing),
    };
    // A report that is recent is enough, whatever other rows say.
    if newest.at.is_some_and(|at| facts.days_since(at) <= limit) {
        return Ok(());
    }
    let Some(newest) = newest.certain()? else {
        return Err(Undecided::not_evaluated(
            "no row of the lists tells when a report was made (report_time)",
        ));
    };
    let days = facts.days_since(newest);
    if days > limit {
        report.finding(
            Finding::on(Subject::new("module", "tpan-report", "the latest TPAN report"))
                .says(format!("is {days} days old, of {newest}"))
                .expected(format!("a report of the last {limit} days"))
                .evidence(facts.seen(&TPAN_FINDINGS, newest)),
        );
    }
    Ok(())
}

fn stopped_schedule(facts: &Facts<'_>, report: &mut Report, missing: Undecided) -> Result<(), Undecided> {
    for schedule in tpan_schedules(facts).unwrap_or_default() {
        let trouble = match (schedule.enabled, schedule.last_run_time) {
            (Some(false), _) => "is switched off",
            (_, None) => "has never run",
            _ => continue,
        };
        report.finding(
            Finding::on(Subject::new("plugin schedule", &schedule.id, &schedule.name))
                .says(format!("{trouble}, so there is probably no recent report (inferred)"))
                .expected("a schedule that runs")
                .evidence(facts.seen(&PLUGIN_SCHEDULES, [&schedule.plugin_bundle, &schedule.plugin_name])),
        );
    }
    Err(missing)
}

/// When somebody last copied a report to the diagnostics store.
const LAST_COPY: Input = Input::new("health-check.last-report-copy", "the newest copy of a TPAN report in the diagnostics store")
    .sources(&[Source::answer(
        "On which date was the TPAN report made whose copy is the newest one in the place where you keep diagnostics files?",
        Accepts::Date,
        31,
    )]);

const ARCHIVE_DUE_EVERY_DAYS: Setting = Setting::integer("archive_due_every_days", 7, 1, 366)
    .unit("days")
    .about("how long an attestation that the report was copied is good for")
    .from_guide();

/// The report was copied to the diagnostics store.
pub(crate) const ARCHIVED: Check = Check::hybrid("health-check.tpan-report-archived")
    .title("The latest TPAN report was copied to the diagnostics store")
    .cadence(&[Cadence::Weekly, Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&LAST_COPY, &TPAN_REPORTS, &TPAN_FINDINGS])
    .settings(&[&ARCHIVE_DUE_EVERY_DAYS])
    .guide(&[
        guide("Review and resolve critical and high TPAN findings", 11),
        guide("Review all TPAN findings", 15),
    ])
    .what("Compares the date of the newest copy, as an administrator answered it, with the newest report. Without an answer, an attestation of the last `archive_due_every_days` decides.")
    .why("When the platform is down, reports on the platform cannot be read.")
    .limits("tancheck does not look into the diagnostics store itself.")
    .related(&["health-check.tpan-report-age"])
    .remedy(&ARCHIVED_REMEDY)
    .judge(tpan_report_archived);

const ARCHIVED_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Shared Services > Health Check > Reports",
        "download the latest TPAN report",
    ),
    Step::command(
        "tancheck answer health-check.last-report-copy DATE",
        "after copying it to the place where you keep diagnostics files",
    ),
])
.who("whoever does the weekly maintenance")
.cautions(&["The report describes your deployment in detail: keep it where only administrators can read it."])
.references(&["Health Check User Guide: Download a TPAN report"]);

fn tpan_report_archived(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let answer = facts.answer(&LAST_COPY)?;
    let told = answer.value.as_str().unwrap_or_default();
    let copied = lenient::parse_time(told)
        .ok()
        .flatten()
        .ok_or_else(|| Undecided::not_evaluated(format!("the answer {told:?} is no date")))?;
    let Some(newest) = Newest::of(facts)?.certain()? else {
        return Err(Undecided::not_evaluated(
            "no row of the lists tells when a report was made (report_time)",
        ));
    };
    // A date has no time of day: the copy of a report of that day begins at midnight.
    if copied + SignedDuration::from_hours(24) < newest {
        report.finding(
            Finding::on(Subject::new("module", "tpan-archive", "the diagnostics store"))
                .says(format!(
                    "the newest copy is of {}, the newest report of {newest}",
                    copied.strftime("%Y-%m-%d")
                ))
                .expected("a copy of the newest report")
                .confirms(newest.to_string())
                .evidence(facts.seen(&LAST_COPY, told)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn listed(check: &'static Check, times: &[&str]) -> Case {
        let rows: Vec<Value> =
            times.iter().map(|time| json!({"report_time": time, "name": "TPAN"})).collect();
        Case::of(check).at("2026-06-30T12:00:00Z").rows(&TPAN_REPORTS, json!(rows))
    }

    #[test]
    fn weekly_reports_pass_and_other_intervals_are_found() {
        listed(&SCHEDULE, &["2026-06-09", "2026-06-16", "2026-06-24"]).judge().assert_pass();
        listed(&SCHEDULE, &["2026-06-01", "2026-06-15", "2026-06-29"])
            .judge()
            .assert_findings(&["tpan-schedule"]);
        listed(&SCHEDULE, &[]).judge().assert_findings(&["tpan-schedule"]);
        listed(&SCHEDULE, &["2026-06-09"]).judge().assert_undecided(Outcome::NotEvaluated);
        listed(&SCHEDULE, &["2026-06-09", "2026-06-16"]).assert_needs_its_inputs();
    }

    #[test]
    fn reports_made_by_hand_do_not_count() {
        let rows = json!([{"report_time": "2026-06-09"}, {"report_time": "2026-06-10", "trigger": "manual"},
            {"report_time": "2026-06-16"}]);
        Case::of(&SCHEDULE).rows(&TPAN_REPORTS, rows).judge().assert_pass();
    }

    #[test]
    fn an_old_report_is_found() {
        listed(&AGE, &["2026-06-23T13:00:00Z"]).judge().assert_pass();
        listed(&AGE, &["2026-06-20T00:00:00Z"]).judge().assert_findings(&["tpan-report"]);
        listed(&AGE, &[]).judge().assert_undecided(Outcome::NotEvaluated);
        listed(&AGE, &["2026-06-29"]).assert_needs_its_inputs();
    }

    #[test]
    fn a_report_without_a_time_may_be_the_newest() {
        listed(&AGE, &["2026-06-29", ""]).judge().assert_pass();
        listed(&AGE, &["2026-06-20", ""]).judge().assert_undecided(Outcome::NotEvaluated);
        listed(&SCHEDULE, &["2026-06-09", "2026-06-16", ""]).judge().assert_undecided(Outcome::NotEvaluated);
        let copied = listed(&ARCHIVED, &["2026-06-20", ""]).answer(&LAST_COPY, "2026-06-20");
        copied.judge().assert_undecided(Outcome::NotEvaluated);
        listed(&AGE, &["2026-06-20", "last week"]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_lists_a_stopped_schedule_is_inferred_and_a_running_one_proves_nothing() {
        let case = |enabled: bool, run: &str| {
            Case::of(&AGE).rows(
                &PLUGIN_SCHEDULES,
                json!([{"id": 4, "name": "TPAN", "enabled": enabled, "last_run_time": run},
                {"id": 5, "name": "Trends", "enabled": false}]),
            )
        };
        case(false, "2026-06-29T00:00:00Z").judge().assert_findings(&["4"]);
        case(true, "Never").judge().assert_findings(&["4"]);
        case(true, "2026-06-29T00:00:00Z").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_copy_of_the_newest_report_passes() {
        let case = |date: &str| listed(&ARCHIVED, &["2026-06-28T09:00:00Z"]).answer(&LAST_COPY, date);
        case("2026-06-28").judge().assert_pass();
        case("2026-06-21").judge().assert_findings(&["tpan-archive"]);
        case("soon").judge().assert_undecided(Outcome::NotEvaluated);
        case("2026-06-28").assert_needs_its_inputs();
    }
}
