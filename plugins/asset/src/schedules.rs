//! Guide: *Review the status of import and export jobs*, page 18.

use crate::WHO;
use crate::state::Ended;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::jiff::SignedDuration;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Row, Shown, shown, whole};

const GUIDE: &[GuideReference] = &[guide("Review the status of import and export jobs", 18)];
const PAGE: &str = "Modules > Asset > Inventory Management > Schedules";
const TROUBLESHOOT: &str = "Asset User Guide: Troubleshoot asset data exports and imports";

const SCHEDULES: Input = Input::new("asset.schedules", "import and export schedules").sources(&[Source::export(
    "asset-schedules.csv",
    PAGE,
    "write one row for each schedule of the tabs Import Schedules (type import) and Export Schedules (type export); \
     the interval as the page shows it, or as a number and a unit such as 6 hours",
    &["type", "name", "enabled", "interval", "log level", "last run", "last state", "next run"],
)]);

const JOBS: Input = Input::new("asset.recent-jobs", "jobs of yesterday and today").sources(&[
    Source::export(
        "asset-jobs.csv",
        "Modules > Asset > Overview > Activity > Recent & Upcoming Jobs",
        "write one row for each job under Yesterday and Today; leave the end empty while it runs",
        &["job", "type", "start", "end", "state"],
    ),
    Source::answer(
        "how many finished jobs under Yesterday and Today of Modules > Asset > Overview > Activity > Recent & Upcoming \
         Jobs did not succeed",
        Accepts::Number,
        31,
    ),
]);

const LATE_FACTOR: Setting = Setting::integer("late_factor", 2, 1, 50)
    .about("after how many intervals without a run a schedule is late");

const DAYS: Setting = Setting::integer("days", 2, 1, 30)
    .unit("days")
    .about("for how many days back finished jobs are looked at")
    .from_guide();

/// What to do about a schedule whose runs fail.
pub(crate) const FAILED_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject} with Edit, set Log Level to Trace, and select Update"),
    Step::console(PAGE, "run it again, and read its log"),
    Step::consult(TROUBLESHOOT, "go through what the log names"),
    Step::decision("it is an export", "check that the receiver is there and takes the data"),
    Step::console(PAGE, "set the log level back to what it was"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Trace writes very much: set the level back as soon as the cause is known."])
.references(&[TROUBLESHOOT]);

/// The last completed run of each import schedule succeeded.
pub(crate) const IMPORTS: Check = last_runs("asset.import-last-run")
    .title("The last completed run of each import schedule succeeded")
    .what("Looks at each enabled import schedule: its last run ended well, and is not older than `late_factor` intervals.")
    .why("Reports show old inventory as if it were today's when an import fails silently.")
    .judge(|facts, report| last_runs_of(facts, report, "import"));

/// The last completed run of each export schedule succeeded.
pub(crate) const EXPORTS: Check = last_runs("asset.export-last-run")
    .title("The last completed run of each export schedule succeeded")
    .what("Looks at each enabled export schedule: its last run ended well, and is not older than `late_factor` intervals.")
    .why("Whoever receives the data, a CMDB for example, works with old inventory and does not know it.")
    .judge(|facts, report| last_runs_of(facts, report, "export"));

const fn last_runs(id: &'static str) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Monthly])
        .severity(Severity::Medium)
        .reads(&[&SCHEDULES])
        .settings(&[&LATE_FACTOR])
        .guide(GUIDE)
        .limits("Asset has no public route for schedules: an exported file decides. Words of states and intervals that are not known are shown and not judged.")
        .related(&["asset.recent-jobs-failed", "asset.trace-log-left-on"])
        .remedy(&FAILED_REMEDY)
}

fn last_runs_of(facts: &Facts<'_>, report: &mut Report, kind: &str) -> Result<(), Undecided> {
    let rows: Vec<Row> = facts.rows(&SCHEDULES)?;
    let mut unknown = Vec::new();
    let mut any = false;
    for row in rows.iter().filter(|row| row.cell("type").to_lowercase().starts_with(kind)) {
        let name = row.cell("name");
        match enabled(row) {
            Some(true) => any = true,
            Some(false) => continue,
            None => {
                unknown.push(format!("whether {name} is enabled is not told: {:?}", row.cell("enabled")));
                continue;
            }
        }
        match trouble(facts, row) {
            Ok(None) => {}
            Ok(Some(says)) => report.finding(
                Finding::on(Subject::new("schedule", format!("{kind}/{name}"), &name))
                    .says(says)
                    .expected("a run in time that succeeded")
                    .evidence(facts.seen(
                        &SCHEDULES,
                        [row.cell("interval"), row.cell("last run"), row.cell("last state")],
                    )),
            ),
            Err(why) => unknown.push(format!("{name}: {}", why.reason)),
        }
    }
    if !any && unknown.is_empty() {
        return Err(Undecided::not_applicable(format!("no {kind} schedule is enabled")));
    }
    settle(&unknown)
}

/// What is wrong with the last run of a schedule.
fn trouble(facts: &Facts<'_>, row: &Row) -> Result<Option<String>, Undecided> {
    let Some(last) = row.time("last run")? else { return Ok(Some("it never ran".to_owned())) };
    let state = row.cell("last state");
    match Ended::of(&state) {
        Ended::Badly => return Ok(Some(format!("its last run ended with {state:?}"))),
        Ended::Unknown => {
            return Err(Undecided::not_evaluated(format!("the state {state:?} is not known")));
        }
        Ended::Well | Ended::NotYet => {}
    }
    let interval = interval(&row.cell("interval"))?;
    let factor = i32::try_from(facts.integer(&LATE_FACTOR)?).unwrap_or(i32::MAX);
    let since = facts.since(last);
    let late = interval.checked_mul(factor).is_some_and(|allowed| since > allowed);
    Ok(late.then(|| {
        format!("its last run was {} hours ago, and it runs every {}", since.as_hours(), row.cell("interval"))
    }))
}

fn enabled(row: &Row) -> Option<bool> {
    match row.cell("enabled").to_lowercase().as_str() {
        "yes" | "true" | "enabled" | "1" => Some(true),
        "no" | "false" | "disabled" | "0" => Some(false),
        _ => None,
    }
}

/// An interval: `6 hours`, `1d`, `Daily`.
fn interval(text: &str) -> Result<SignedDuration, Undecided> {
    const HOUR: i64 = 60;
    const DAY: i64 = 24 * HOUR;
    let text = text.trim().to_lowercase();
    let text = text.strip_prefix("every ").unwrap_or(&text);
    let digits = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let minutes = match unit {
        "hourly" => Some(HOUR),
        "daily" => Some(DAY),
        "weekly" => Some(7 * DAY),
        "monthly" => Some(31 * DAY),
        _ => match unit.chars().next() {
            Some('m') if unit.starts_with("mo") => Some(31 * DAY),
            Some('m') => Some(1),
            Some('h') => Some(HOUR),
            Some('d') => Some(DAY),
            Some('w') => Some(7 * DAY),
            _ => None,
        },
    };
    let number = if number.is_empty() { Ok(1) } else { number.parse::<i64>() };
    match (number, minutes) {
        (Ok(number), Some(minutes)) if number > 0 => {
            Ok(SignedDuration::from_mins(number.saturating_mul(minutes)))
        }
        _ => Err(Undecided::not_evaluated(format!("the interval {text:?} is not understood"))),
    }
}

/// No Asset schedule is left at log level Trace.
pub(crate) const TRACE_LEFT_ON: Check = Check::automated("asset.trace-log-left-on")
    .title("No Asset schedule is left at log level Trace")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .reads(&[&SCHEDULES])
    .guide(&[guide("Review Tanium source imports", 18), guide("Review the status of import and export jobs", 18)])
    .what("Lists schedules whose log level is Trace although their last run succeeded. Trace on a schedule that fails is in use.")
    .why("Trace is set to find a cause and easily forgotten; it fills the disk of the Module Server.")
    .limits("Asset has no public route for schedules: an exported file decides.")
    .related(&["asset.import-last-run", "asset.export-last-run"])
    .remedy(&TRACE_REMEDY)
    .judge(trace_left_on);

const TRACE_REMEDY: Remedy = Remedy::new(&[Step::console(
    PAGE,
    "open {subject} with Edit, set Log Level to what it was before, and select Update",
)])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

fn trace_left_on(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for row in facts.rows::<Row>(&SCHEDULES)?.iter().filter(|row| row.is("log level", &["Trace"])) {
        let (name, state) = (row.cell("name"), row.cell("last state"));
        match Ended::of(&state) {
            Ended::Badly | Ended::NotYet => {}
            Ended::Unknown => unknown.push(format!("{name}: the state {state:?} is not known")),
            Ended::Well => report.finding(
                Finding::on(Subject::new("schedule", format!("{}/{name}", row.cell("type")), &name))
                    .says("logs at Trace, and its last run succeeded")
                    .expected("another log level")
                    .evidence(facts.seen(&SCHEDULES, [row.cell("log level"), state])),
            ),
        }
    }
    settle(&unknown)
}

/// Import and export jobs of yesterday and today succeeded.
pub(crate) const RECENT_JOBS: Check = Check::automated("asset.recent-jobs-failed")
    .title("Import and export jobs of yesterday and today succeeded")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&JOBS])
    .settings(&[&DAYS])
    .guide(GUIDE)
    .what("Looks at the jobs that ended within the last `days` days; each should have succeeded.")
    .why("A failing job shows here first, before its schedule looks late.")
    .limits("Asset has no public route for jobs: an exported file, or the number that somebody counted, decides. Jobs are counted back from the time of the export.")
    .related(&["asset.import-last-run", "asset.export-last-run"])
    .remedy(&FAILED_REMEDY)
    .judge(recent_jobs);

fn recent_jobs(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<Row> = match shown(facts, &JOBS)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            let count = whole(answer)?;
            if count > 0 {
                report.finding(
                    Finding::on(Subject::new("jobs", "recent", "Recent & Upcoming Jobs"))
                        .says(format!("{count} finished jobs did not succeed"))
                        .expected("none")
                        .affected(count, None)
                        .evidence(facts.seen(&JOBS, count)),
                );
            }
            return Ok(());
        }
    };
    // What was yesterday when the file was exported.
    let begin = facts.at(&JOBS)? - SignedDuration::from_hours(24 * facts.integer(&DAYS)?);
    let mut unknown = Vec::new();
    for row in &rows {
        let (job, state) = (row.cell("job"), row.cell("state"));
        let end = match row.time("end") {
            Ok(end) => end,
            Err(why) => {
                unknown.push(format!("{job}: {}", why.reason));
                continue;
            }
        };
        if end.is_none_or(|end| end < begin) {
            continue;
        }
        match Ended::of(&state) {
            Ended::Well => {}
            Ended::Unknown | Ended::NotYet => {
                unknown.push(format!("{job} ended, and its state is {state:?}"))
            }
            Ended::Badly => report.finding(
                Finding::on(Subject::new("job", format!("{job}/{}", row.cell("start")), &job))
                    .says(format!("ended with {state:?} at {}", row.cell("end")))
                    .expected("success")
                    .evidence(facts.seen(&JOBS, [row.cell("type"), row.cell("start"), state.clone()])),
            ),
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    /// A schedule; the time of all judgements is 2026-06-30T12:00:00Z.
    fn schedule(more: Value) -> Value {
        let mut row = json!({"type": "import", "name": "Nightly", "enabled": "yes", "interval": "1 day", "log level": "Info",
            "last run": "2026-06-30T02:00:00Z", "last state": "Success", "next run": "2026-07-01T02:00:00Z"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    }

    fn imports(row: Value) -> Case {
        Case::of(&IMPORTS).rows(&SCHEDULES, json!([row]))
    }

    #[test]
    fn a_run_in_time_passes_and_a_failed_late_or_missing_one_is_found() {
        imports(schedule(json!({}))).judge().assert_pass();
        imports(schedule(json!({"last run": "2026-06-28T12:00:00Z"}))).judge().assert_pass();
        for broken in [
            json!({"last state": "Failed"}),
            json!({"last run": "2026-06-28T11:00:00Z"}),
            json!({"last run": ""}),
            json!({"interval": "Hourly"}),
        ] {
            imports(schedule(broken)).judge().assert_findings(&["import/Nightly"]);
        }
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for strange in
            [json!({"last state": "Purple"}), json!({"interval": "now and then"}), json!({"enabled": "?"})]
        {
            imports(schedule(strange)).judge().assert_undecided(Outcome::NotEvaluated);
        }
        imports(schedule(json!({"enabled": "no"}))).judge().assert_undecided(Outcome::NotApplicable);
        Case::of(&EXPORTS)
            .rows(&SCHEDULES, json!([schedule(json!({}))]))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        imports(schedule(json!({}))).assert_needs_its_inputs();
    }

    #[test]
    fn trace_is_forgotten_only_where_the_last_run_succeeded() {
        let case = |state: &str| {
            Case::of(&TRACE_LEFT_ON)
                .rows(&SCHEDULES, json!([schedule(json!({"log level": "trace", "last state": state}))]))
        };
        case("Success").judge().assert_findings(&["import/Nightly"]);
        case("Failed").judge().assert_pass();
        case("Purple").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn jobs_that_ended_lately_count() {
        let job = |end: &str, state: &str| {
            Case::of(&RECENT_JOBS).rows(
                &JOBS,
                json!([{"job": "Import", "type": "import", "start": "1", "end": end, "state": state}]),
            )
        };
        job("2026-06-30T03:00:00Z", "Success").judge().assert_pass();
        job("2026-06-30T03:00:00Z", "Failed").judge().assert_findings(&["Import/1"]);
        job("2026-06-20T03:00:00Z", "Failed").judge().assert_pass();
        job("", "Running").judge().assert_pass();
        job("2026-06-30T03:00:00Z", "Purple").judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&RECENT_JOBS).answer(&JOBS, 0).judge().assert_pass();
        Case::of(&RECENT_JOBS).answer(&JOBS, 2).judge().assert_findings(&["recent"]);
    }

    #[test]
    fn intervals_are_understood_as_people_write_them() {
        for (text, minutes) in [
            ("6 hours", 360),
            ("1d", 1440),
            ("Every 30 minutes", 30),
            ("weekly", 10_080),
            ("2 months", 89_280),
        ] {
            assert_eq!(interval(text).unwrap().as_mins(), minutes, "{text}");
        }
        assert!(interval("0 hours").is_err() && interval("").is_err());
    }
}
