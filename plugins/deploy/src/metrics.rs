//! Guide: *Review Tanium Deploy metrics*, page 14.

use crate::WHO;
use crate::coverage::{ATTENTION, coverage_states};
use crate::inputs::{ACTIVITY, COVERED_VALUES, activities, counted};
use crate::trend::{self, CHANGE_PCT, PANEL_COLUMNS, Reading, Wrong};
use records::answers::ASK;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review Tanium Deploy metrics", 14)];
const BOARD: &str = "Modules > Trends > Boards > IT Operations Metrics > Deploy";
const STEPS: &str = "write down the values of the panel by date, one series only";

/// The values of earlier runs.
const HISTORY: Input = Input::new("deploy.metric-history", "Deploy metrics of earlier runs")
    .sources(&[Source::history("deploy.metric.*", 100)]);

const MISSING_UPDATES_PANEL: Input = Input::new(
    "deploy.missing-updates-panel",
    "endpoints that miss software updates released over 30 days ago",
)
.sources(&[
    Source::export("trends-deploy-missing-updates.csv", BOARD, STEPS, PANEL_COLUMNS),
    Source::answer(
        "Newest value of the panel Endpoints Missing Software Updates Released Over 30 Days",
        Accepts::Number,
        7,
    ),
]);

const MISSING_UPDATES_TARGET: Setting = Setting::integer_unset("missing_updates_target", 0, 1_000_000)
    .about("how high the panel Endpoints Missing Software Updates Released Over 30 Days may stand");

/// Deploy metric: Endpoints Missing Software Updates Released Over 30 Days.
pub(crate) const MISSING_UPDATES: Check = metric("deploy.metric-missing-updates", Severity::Medium)
    .title("Few endpoints miss software updates that were released over 30 days ago")
    .reads(&[&MISSING_UPDATES_PANEL, &HISTORY])
    .settings(&[&MISSING_UPDATES_TARGET, &CHANGE_PCT])
    .what("Reads the newest value of the panel Endpoints Missing Software Updates Released Over 30 Days. Above `missing_updates_target`, or more than `change_pct` percent above the median of earlier weeks, it is a finding.")
    .why("Software that stays old for a month is what attackers look for.")
    .limits("No public route shows the panel: an administrator brings its values. The guide states no target. A change is judged from three earlier weeks on; where those swing by more than `change_pct`, three times their usual swing counts instead.")
    .remedy(&MISSING_UPDATES_REMEDY)
    .judge(metric_missing_updates);

const MISSING_UPDATES_REMEDY: Remedy = remedy(&[
    Step::console(BOARD, "open the panel Endpoints Missing Software Updates Released Over 30 Days"),
    Step::consult(
        "the Deploy User Guide: Monitor and troubleshoot endpoints missing software updates released over 30 days",
        "find out whether updates are not deployed, not targeted or not installed",
    ),
    CONFIGURE,
]);

fn metric_missing_updates(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let reading =
        trend::of_panel(facts, &MISSING_UPDATES_PANEL, "deploy.metric.missing-updates", "endpoints")?;
    let target = (Some(&MISSING_UPDATES_TARGET), Wrong::Up);
    trend::judge(facts, report, &reading, facts.points(&HISTORY)?, target, "missing software updates")
}

const COVERAGE_SHARE: Input =
    Input::new("deploy.coverage-share", "what share of the endpoints Deploy covers").sources(&[
        Source::question("Get Deploy - Coverage Status from all machines").needs(ASK),
        Source::export("trends-deploy-coverage.csv", BOARD, STEPS, PANEL_COLUMNS),
        Source::answer(
            "Newest value of the panel Maintenance Coverage (or Deploy coverage), in percent",
            Accepts::Number,
            7,
        ),
    ]);

const COVERAGE_TARGET: Setting = Setting::integer_unset("coverage_target", 0, 100)
    .unit("percent")
    .about("what share of the supported endpoints Deploy should cover at least");

/// Deploy metric: Maintenance Coverage.
pub(crate) const COVERAGE: Check = metric("deploy.metric-coverage", Severity::Medium)
    .title("Deploy covers as many endpoints as it should")
    .reads(&[&COVERAGE_SHARE, &HISTORY])
    .settings(&[&COVERAGE_TARGET, &CHANGE_PCT, &COVERED_VALUES])
    .what("Computes the share of covered endpoints among the supported ones, or reads the panel Maintenance Coverage (also called Deploy coverage). Below `coverage_target`, or more than `change_pct` percent below the median of earlier weeks, it is a finding.")
    .why("Endpoints that Deploy does not cover are left out of every deployment, and nobody notices.")
    .limits("The statuses of the sensor are not documented: name those of covered endpoints in `covered_values`. The computed share and the panel's are never compared with each other. The guide states no target. A change is judged from three earlier weeks on; where those swing by more than `change_pct`, three times their usual swing counts instead.")
    .related(&["deploy.coverage-needs-attention", "trends.required-boards"])
    .remedy(&COVERAGE_REMEDY)
    .judge(metric_coverage);

const COVERAGE_REMEDY: Remedy = remedy(&[
    Step::console(BOARD, "open the panel Maintenance Coverage; its section may be called Deploy coverage"),
    Step::consult(
        "the Deploy User Guide: Monitor and troubleshoot Deploy coverage",
        "find out what keeps endpoints from being covered",
    ),
    CONFIGURE,
]);

fn metric_coverage(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (reading, unknown) = match facts.body(&COVERAGE_SHARE)? {
        Body::Tally(_) => covered_share(facts)?,
        _ => {
            (trend::of_panel(facts, &COVERAGE_SHARE, "deploy.metric.coverage-panel", "percent")?, Vec::new())
        }
    };
    settle(&unknown)?;
    let target = (Some(&COVERAGE_TARGET), Wrong::Down);
    trend::judge(facts, report, &reading, facts.points(&HISTORY)?, target, "Deploy coverage")
}

/// The share of covered endpoints among those that are supported, and statuses that are not known.
fn covered_share(facts: &Facts<'_>) -> Result<(Reading, Vec<String>), Undecided> {
    let counted = counted(facts, &COVERAGE_SHARE, &coverage_states(facts))?;
    let (covered, attention) = (counted.of(&facts.list(&COVERED_VALUES)), counted.of(&[ATTENTION]));
    let unknown = counted.reasons("; name it in `covered_values` if it means that the endpoint is covered");
    let supported = covered + attention;
    if supported == 0 && unknown.is_empty() {
        return Err(facts.absent(&COVERAGE_SHARE, "Deploy supports none of the endpoints that answered"));
    }
    let reading = Reading {
        value: 100.0 * covered as f64 / supported.max(1) as f64,
        series: "deploy.metric.coverage",
        unit: "percent",
        before: Vec::new(),
        at: facts.now(),
        evidence: facts
            .seen(&COVERAGE_SHARE, serde_json::json!({"covered": covered, "need attention": attention})),
    };
    Ok((reading, unknown))
}

const MEAN_TIMES: Input = Input::new("deploy.mean-time", "mean time to deploy software").sources(&[
    Source::question("Get Deploy - Mean Time to Deploy from all machines").needs(ASK),
    Source::export("trends-deploy-mean-time.csv", BOARD, STEPS, PANEL_COLUMNS),
    Source::answer(
        "Newest value of the panel Mean Time to Maintenance Software (or Mean Time to Deploy Software), in days",
        Accepts::Number,
        7,
    ),
]);

const MEAN_TIME_TARGET: Setting = Setting::integer_unset("mean_time_target", 0, 100_000).about(
    "how long it may take on average to deploy software, in the unit of the sensor or of the panel (days)",
);

/// Deploy metric: Mean Time to Maintenance Software.
pub(crate) const MEAN_TIME: Check = metric("deploy.metric-mean-time", Severity::Medium)
    .title("Software reaches endpoints as fast as it should")
    .reads(&[&MEAN_TIMES, &HISTORY])
    .settings(&[&MEAN_TIME_TARGET, &CHANGE_PCT])
    .what("Computes the mean over the endpoints' mean times, or reads the panel Mean Time to Maintenance Software (also called Mean Time to Deploy Software). Above `mean_time_target`, or more than `change_pct` percent above the median of earlier weeks, it is a finding.")
    .why("The time from a release to the last endpoint is the time in which a known hole stays open.")
    .limits("Columns and unit of the sensor are not documented: the one column with numbers is taken, in its own unit. The computed mean and the panel's are never compared with each other. The guide states no target. A change is judged from three earlier weeks on; where those swing by more than `change_pct`, three times their usual swing counts instead.")
    .remedy(&MEAN_TIME_REMEDY)
    .judge(metric_mean_time);

const MEAN_TIME_REMEDY: Remedy = remedy(&[
    Step::console(
        BOARD,
        "open the panel Mean Time to Maintenance Software; it may be called Mean Time to Deploy Software",
    ),
    Step::consult(
        "the Deploy User Guide: Monitor and troubleshoot mean time to deploy software",
        "find out whether maintenance windows, downloads or postponements take the time",
    ),
    CONFIGURE,
]);

fn metric_mean_time(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let reading = match facts.body(&MEAN_TIMES)? {
        Body::Tally(tally) => mean(facts, report, tally)?,
        _ => trend::of_panel(facts, &MEAN_TIMES, "deploy.metric.mean-time-panel", "days")?,
    };
    let target = (Some(&MEAN_TIME_TARGET), Wrong::Up);
    trend::judge(facts, report, &reading, facts.points(&HISTORY)?, target, "mean time to deploy software")
}

/// The mean over all endpoints of the one column that holds numbers.
fn mean(facts: &Facts<'_>, report: &mut Report, tally: &Tally) -> Result<Reading, Undecided> {
    let number = |cell: &str| cell.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    let numbers = |column: usize| -> Vec<(f64, u64)> {
        let cells = tally.rows.iter().filter_map(|row| Some((row.cells.get(column)?, row.count)));
        cells.filter_map(|(cell, count)| Some((number(cell)?, count))).collect()
    };
    let columns: Vec<Vec<(f64, u64)>> =
        (0..tally.columns.len()).map(numbers).filter(|values| !values.is_empty()).collect();
    let [values] = columns.as_slice() else {
        return Err(Undecided::not_evaluated(format!(
            "{} of the columns {} hold numbers, one was expected: export the panel instead",
            columns.len(),
            tally.columns.join(", ")
        )));
    };
    let endpoints: u64 = values.iter().map(|(_, count)| count).sum();
    let silent = tally.valued().saturating_sub(endpoints);
    if silent > 0 {
        report.note(format!("{silent} endpoints gave no number and are left out of the mean"));
    }
    let total: f64 = values.iter().map(|(value, count)| value * *count as f64).sum();
    let value = total / endpoints.max(1) as f64;
    let seen = serde_json::json!({"mean": value, "endpoints": endpoints, "columns": tally.columns});
    Ok(Reading {
        value,
        series: "deploy.metric.mean-time",
        unit: "(unit of the sensor)",
        before: Vec::new(),
        at: facts.now(),
        evidence: facts.seen(&MEAN_TIMES, seen),
    })
}

const SELF_SERVICE_PANEL: Input =
    Input::new("deploy.self-service-panel", "share of software that users installed by self service")
        .sources(&[
            Source::export("trends-deploy-self-service.csv", BOARD, STEPS, PANEL_COLUMNS),
            Source::answer(
                "Newest value of the panel Software Installed by Self Service User Request, in percent",
                Accepts::Number,
                7,
            ),
        ]);

const SELF_SERVICE_TARGET: Setting = Setting::integer_unset("self_service_target", 0, 100)
    .unit("percent")
    .about("what share of software users should install by self service at least");

/// Deploy metric: Software Installed by Self Service User Request.
pub(crate) const SELF_SERVICE: Check = metric("deploy.metric-self-service", Severity::Low)
    .title("Users install as much software by self service as before")
    .reads(&[&SELF_SERVICE_PANEL, &ACTIVITY, &HISTORY])
    .settings(&[&SELF_SERVICE_TARGET, &CHANGE_PCT])
    .what("Reads the newest value of the panel Software Installed by Self Service User Request. Below `self_service_target`, or more than `change_pct` percent below the median of earlier weeks, it is a finding. Without the panel, the installs of this week are compared with those of earlier weeks, by the counts of the Deploy service.")
    .why("When users stop asking for software themselves, something in self service is broken or hidden from them.")
    .limits("No public route shows the panel. The service counts since ever, so the comparison of weeks needs five weekly runs; a week of holidays looks like a fall. The guide states no target. A change is judged from three earlier weeks on; where those swing by more than `change_pct`, three times their usual swing counts instead.")
    .related(&["deploy.self-service-failures", "deploy.self-service-profiles"])
    .remedy(&SELF_SERVICE_REMEDY)
    .judge(metric_self_service);

const SELF_SERVICE_REMEDY: Remedy = remedy(&[
    Step::console(BOARD, "open the panel Software Installed by Self Service User Request"),
    Step::console("Modules > Deploy > Deployments > Self Service", "look for software with failures"),
    Step::consult(
        "the Deploy User Guide: Monitor and troubleshoot software installed by self service user request",
        "find out whether profiles, the client application or the software itself are in the way",
    ),
    CONFIGURE,
]);

const TOTAL_INSTALLS: &str = "deploy.metric.self-service-installs";
const WEEKLY_INSTALLS: &str = "deploy.metric.self-service-week";

fn metric_self_service(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let stored = facts.points(&HISTORY)?;
    let counts = activities(facts);
    let total: Option<f64> = counts.as_ref().ok().map(|rows| rows.iter().map(|row| row.installed()).sum());
    if let Some(total) = total {
        report.measure(TOTAL_INSTALLS, total, "installs");
    }
    let target = (Some(&SELF_SERVICE_TARGET), Wrong::Down);
    let name = "software installed by self service";
    if facts.body(&SELF_SERVICE_PANEL).is_ok() {
        let panel = trend::of_panel(facts, &SELF_SERVICE_PANEL, "deploy.metric.self-service", "percent")?;
        return trend::judge(facts, report, &panel, stored, target, name);
    }
    counts?;
    let week = week_of_installs(facts, stored, total.unwrap_or_default())?;
    // The target is a share of all installs, which these counts do not tell.
    trend::judge(facts, report, &week, stored, (None, Wrong::Down), name)
}

/// The installs since the last run that is about a week old.
fn week_of_installs(facts: &Facts<'_>, stored: &[Point], total: f64) -> Result<Reading, Undecided> {
    let old = |point: &&Point| point.series == TOTAL_INSTALLS && facts.days_since(point.at) >= 5;
    let Some(last) = stored.iter().filter(old).max_by_key(|point| point.at) else {
        return Err(Undecided::not_evaluated(
            "the service counts installs since ever, and no count of an earlier week is stored: export the panel, or \
             run tancheck every week",
        ));
    };
    let weeks = facts.since(last.at).as_secs_f64() / (7.0 * 86_400.0);
    let value = ((total - last.value).max(0.0) / weeks).round();
    Ok(Reading {
        value,
        series: WEEKLY_INSTALLS,
        unit: "installs a week",
        before: Vec::new(),
        at: facts.now(),
        evidence: facts.seen(&ACTIVITY, value),
    })
}

const CONFIGURE: Step = Step::console(
    "Modules > Deploy",
    "change targets, maintenance windows or deployments where they are the cause",
);

/// What the four checks have in common.
const fn metric(id: &'static str, severity: Severity) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Weekly])
        .severity(severity)
        .guide(GUIDE)
        .related(&["trends.required-boards"])
}

const fn remedy(steps: &'static [Step]) -> Remedy {
    Remedy::new(steps).who(WHO).risk(Risk::Low, Reversible::Yes).cautions(&[
        "A wider target or maintenance window installs software on more endpoints, perhaps at once.",
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn panel(check: &'static Check, input: &'static Input, rows: Value) -> Case {
        Case::of(check).rows(input, rows).from_source(input, "export", "2026-06-30T12:00:00Z").weekly(
            &HISTORY,
            "deploy.metric.x",
            &[],
        )
    }

    fn missing(values: &[(&str, u64)]) -> Case {
        let row = |(date, value): &(&str, u64)| json!({"date": date, "series": "missing", "value": value});
        panel(&MISSING_UPDATES, &MISSING_UPDATES_PANEL, values.iter().map(row).collect())
    }

    #[test]
    fn a_panel_is_judged_by_its_target_and_by_the_weeks_before() {
        const SERIES: &str = "deploy.metric.missing-updates";
        let weeks = |now: u64| {
            missing(&[("2026-06-29", now), ("2026-06-22", 100), ("2026-06-15", 100), ("2026-06-08", 100)])
        };
        weeks(110).judge().assert_pass();
        weeks(111).judge().assert_findings(&[SERIES]);
        weeks(9).judge().assert_pass();
        weeks(110).assert_needs_its_inputs();
        // One week that was out of the ordinary is no measure.
        let outlier = |now| {
            missing(&[("2026-06-29", now), ("2026-06-22", 9), ("2026-06-15", 100), ("2026-06-08", 100)])
        };
        outlier(110).judge().assert_pass();
        outlier(111).judge().assert_findings(&[SERIES]);
        let short = missing(&[("2026-06-29", 999), ("2026-06-22", 100), ("2026-06-15", 100)]);
        short.judge().assert_undecided(Outcome::NotEvaluated);
        let first = missing(&[("2026-06-29", 100)]);
        first.judge().assert_undecided(Outcome::NotEvaluated);
        let met = first.clone().setting("missing_updates_target", 100).judge();
        met.assert_pass();
        assert!(met.notes()[0].contains("0 of 3 earlier weeks"), "{:?}", met.notes());
        first.clone().setting("missing_updates_target", 99).judge().assert_findings(&[SERIES]);
        let stored = first.weekly(&HISTORY, SERIES, &[95.0, 96.0, 95.0]);
        stored.judge().assert_pass();
        // What swings anyway is no change: three times the usual swing is more than 4 percent.
        stored.setting("change_pct", 4).judge().assert_findings(&[SERIES]);
    }

    #[test]
    fn a_panel_that_is_not_understood_decides_nothing() {
        missing(&[]).judge().assert_undecided(Outcome::NotEvaluated);
        let two = json!([{"date": "2026-06-29", "series": "a", "value": 1}, {"date": "2026-06-29", "series": "b", "value": 2}]);
        panel(&MISSING_UPDATES, &MISSING_UPDATES_PANEL, two).judge().assert_undecided(Outcome::NotEvaluated);
        missing(&[("2026-06-01", 1), ("2026-06-15", 1)]).judge().assert_undecided(Outcome::NotEvaluated);
        let old = [("2026-05-18", 1), ("2026-05-25", 1), ("2026-06-01", 1), ("2026-06-16", 1)];
        missing(&old).judge().assert_pass();
        let undated = json!([{"date": "", "series": "a", "value": 1}]);
        panel(&MISSING_UPDATES, &MISSING_UPDATES_PANEL, undated)
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    fn covered(counts: &[(&str, u64)], weeks: &[f64]) -> Case {
        Case::of(&COVERAGE)
            .setting("covered_values", json!(["Optimal"]))
            .tally(&COVERAGE_SHARE, "Deploy - Coverage Status", counts)
            .weekly(&HISTORY, "deploy.metric.coverage", weeks)
    }

    #[test]
    fn the_share_of_covered_endpoints_leaves_out_unsupported_ones() {
        let case = covered(&[("Optimal", 90), ("Needs Attention", 10), ("Unsupported", 50)], &[100.0; 3]);
        case.judge().assert_pass();
        assert_eq!(case.judge().measures()[0].value, 90.0);
        case.assert_needs_its_inputs();
        let fallen = covered(&[("Optimal", 89), ("Needs Attention", 11)], &[100.0; 3]).judge();
        fallen.assert_findings(&["deploy.metric.coverage"]);
        let low = covered(&[("Optimal", 90), ("Needs Attention", 10)], &[]).setting("coverage_target", 95);
        low.judge().assert_findings(&["deploy.metric.coverage"]);
        covered(&[("Optimal", 90)], &[]).judge().assert_undecided(Outcome::NotEvaluated);
        covered(&[("Purple", 90)], &[100.0; 3]).judge().assert_undecided(Outcome::NotEvaluated);
        covered(&[("Unsupported", 9)], &[]).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn an_answer_is_compared_with_earlier_answers() {
        let case = Case::of(&COVERAGE).answer(&COVERAGE_SHARE, 80).weekly(
            &HISTORY,
            "deploy.metric.coverage",
            &[90.0; 3],
        );
        case.judge().assert_undecided(Outcome::NotEvaluated);
        let own = case.weekly(&HISTORY, "deploy.metric.coverage-panel", &[90.0; 3]);
        own.judge().assert_findings(&["deploy.metric.coverage-panel"]);
    }

    fn times(counts: &[(&str, u64)], weeks: &[f64]) -> Case {
        Case::of(&MEAN_TIME).tally(&MEAN_TIMES, "Mean Time", counts).weekly(
            &HISTORY,
            "deploy.metric.mean-time",
            weeks,
        )
    }

    #[test]
    fn the_mean_weighs_endpoints_and_leaves_out_what_is_no_number() {
        let case = times(&[("4", 30), ("8 days", 10), ("none", 2)], &[5.0; 3]);
        let verdict = case.judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].value, 5.0);
        assert!(verdict.notes()[0].starts_with("2 endpoints"));
        case.assert_needs_its_inputs();
        times(&[("6", 1)], &[5.0; 3]).judge().assert_findings(&["deploy.metric.mean-time"]);
        times(&[("none", 1)], &[5.0; 3]).judge().assert_undecided(Outcome::NotEvaluated);
        times(&[("6", 1)], &[]).setting("mean_time_target", 6).judge().assert_pass();
    }

    fn users(installed: u64) -> Case {
        Case::of(&SELF_SERVICE)
            .rows(
                &ACTIVITY,
                json!([{"softwarePackageId": "7", "installedCount": installed, "failedCount": 0}]),
            )
            .weekly(&HISTORY, TOTAL_INSTALLS, &[100.0])
    }

    fn with_week(case: Case, week: f64) -> Case {
        let at = |days: i64| {
            "2026-06-30T12:00:00Z".parse::<Timestamp>().unwrap() - SignedDuration::from_hours(24 * days)
        };
        let point = |series: &str, days, value| Point { series: series.to_owned(), at: at(days), value };
        let mut points = vec![point(TOTAL_INSTALLS, 7, 100.0)];
        points.extend([21, 14, 7].map(|days| point(WEEKLY_INSTALLS, days, week)));
        case.body(&HISTORY, Body::Points(points))
    }

    #[test]
    fn installs_of_a_week_are_compared_with_those_of_the_week_before() {
        users(120).judge().assert_undecided(Outcome::NotEvaluated);
        with_week(users(120), 20.0).judge().assert_pass();
        with_week(users(120), 30.0).judge().assert_findings(&[WEEKLY_INSTALLS]);
        with_week(users(120), 20.0).assert_needs_its_inputs();
        let first = users(120).weekly(&HISTORY, TOTAL_INSTALLS, &[]);
        first.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_panel_is_what_counts_where_it_is_there() {
        let row = |date: &str, value: u64| json!({"date": date, "series": "share", "value": value});
        let case = |now: u64| {
            users(120)
                .rows(
                    &SELF_SERVICE_PANEL,
                    json!([
                        row("2026-06-08", 50),
                        row("2026-06-15", 50),
                        row("2026-06-22", 50),
                        row("2026-06-29", now)
                    ]),
                )
                .judge()
        };
        case(45).assert_pass();
        case(44).assert_findings(&["deploy.metric.self-service"]);
    }
}
