//! Findings that stay: open from week to week, or without a decision.

use crate::inputs::{TPAN_FINDINGS, TPAN_MAX_AGE_DAYS, TPAN_REPORTS, TpanFinding, latest_findings};
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;

const MAX_WEEKS_OPEN: Setting = Setting::integer("max_weeks_open", 1, 1, 52)
    .unit("weeks")
    .about("how long a Critical or High TPAN finding may stay open without an owner or a case number");

const ACCEPTANCE_REVIEW_DAYS: Setting = Setting::integer("acceptance_review_days", 90, 1, 730)
    .unit("days")
    .about("how long a decision about a TPAN finding is good for");

const SERIES: &str = "health-check.tpan-open.";

/// Critical and High findings that earlier runs saw: one series for each, whose values are the times of the reports.
const SEEN_OPEN: Input =
    Input::new("health-check.seen-open", "Critical and High findings of earlier TPAN reports")
        .sources(&[Source::history("health-check.tpan-open.*", 400)]);

/// Critical and High findings are not left open from week to week.
pub(crate) const CRITICAL_HIGH_OPEN: Check = Check::hybrid("health-check.tpan-critical-high-open")
    .title("Critical and High findings are not left open from week to week")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::High)
    .reads(&[&TPAN_FINDINGS, &TPAN_REPORTS, &SEEN_OPEN])
    .settings(&[&MAX_WEEKS_OPEN, &TPAN_MAX_AGE_DAYS])
    .guide(&[guide("Review and resolve critical and high TPAN findings", 11)])
    .what("Follows each Critical or High finding of the newest TPAN report back through the reports before it. One that has been there for `max_weeks_open` weeks or longer needs an owner or a support case number in the column note, or a confirmation.")
    .why("What nobody owns is not repaired.")
    .limits("TPAN findings have no public id: they are compared by severity and words. Two reports have to be known, from the file or from earlier runs.")
    .related(&["health-check.tpan-critical", "health-check.tpan-high"])
    .remedy(&OPEN_REMEDY)
    .judge(critical_high_open);

const OPEN_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the maintenance team", "name an owner for {subject}"),
    Step::support("open a case with the report and the support bundles"),
    Step::command("tpan-findings.csv", "write the owner or the case number into the column note of this finding"),
])
.cautions(&["Critical and High findings must be resolved; a note only says that somebody is at it."])
.who("the platform administrator")
.references(&["Core Platform Deployment Reference Guide: Troubleshoot issues during server deployment or solution operations"]);

fn critical_high_open(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let latest = latest_findings(facts)?;
    let all: Vec<TpanFinding> = facts.rows(&TPAN_FINDINGS)?;
    let seen = facts.points(&SEEN_OPEN)?;
    let limit = facts.integer(&MAX_WEEKS_OPEN)? * 7;
    let mut urgent = Vec::new();
    for finding in &latest {
        if finding.severity()? >= Severity::High {
            urgent.push(finding);
        }
    }
    let from_file = all.iter().filter_map(|finding| finding.report_time);
    let known: BTreeSet<Timestamp> =
        from_file.chain(seen.iter().filter_map(|point| report_time(point.value))).collect();
    for &finding in &urgent {
        let Some(newest) = finding.report_time else { continue };
        let series = format!("{SERIES}{}", finding.subject().key);
        report.measure(&series, newest.as_second() as f64, "report time");
        let is_it = |other: &&TpanFinding| other.subject().key == finding.subject().key;
        let in_file = all.iter().filter(is_it).filter_map(|other| other.report_time);
        let in_history =
            seen.iter().filter(|point| point.series == series).filter_map(|point| report_time(point.value));
        let present: BTreeSet<Timestamp> = in_file.chain(in_history).collect();
        // Back from the newest report for as long as the finding was in each of them.
        let since =
            known.iter().rev().take_while(|time| present.contains(time)).last().copied().unwrap_or(newest);
        // Weekly reports are seldom a full week apart to the minute.
        let days = (newest.duration_since(since).as_hours() + 12) / 24;
        if days >= limit && finding.note.trim().is_empty() {
            report.finding(
                Finding::on(finding.subject())
                    .says(format!("has been open for {days} days, since the report of {}, without an owner or a case number", since.strftime("%Y-%m-%d")))
                    .expected("an owner or a case number in the column note")
                    .evidence(facts.seen(&TPAN_FINDINGS, &finding.finding)),
            );
        }
    }
    if urgent.is_empty() || known.len() > 1 {
        return Ok(());
    }
    Err(Undecided::not_evaluated(
        "one TPAN report shows no duration: keep the rows of the report before it, or run again next week",
    ))
}

/// A report's time from a stored value: seconds since 1970.
fn report_time(value: f64) -> Option<Timestamp> {
    Timestamp::from_second(value as i64).ok()
}

/// Every TPAN finding has a disposition.
pub(crate) const DISPOSITIONS: Check = Check::attested("health-check.tpan-dispositions")
    .title("Every TPAN finding has a disposition")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&TPAN_FINDINGS, &TPAN_REPORTS])
    .settings(&[&TPAN_MAX_AGE_DAYS])
    .due_every(&ACCEPTANCE_REVIEW_DAYS)
    .guide(&[guide("Review all TPAN findings", 15)])
    .what("Asks for a decision about each finding of the newest TPAN report: resolution, investigation, or no action; with person, time and note.")
    .why("A list that nobody decides about is read for a month and then no more.")
    .limits("The decision is a person's; that a Critical or High finding is not simply accepted is for that person to observe.")
    .related(&["health-check.tpan-critical", "health-check.tpan-high", "health-check.tpan-medium", "health-check.tpan-low"])
    .remedy(&DISPOSITIONS_REMEDY)
    .judge(tpan_dispositions);

const DISPOSITIONS_REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Shared Services > Health Check > Reports", "open the latest report, page Findings: {subject}"),
    Step::decision("it is Critical or High", "decide between resolution and investigation; there is no third way"),
    Step::decision("it is Medium or Low", "decide between resolution, investigation and no action"),
    Step::command(
        "tancheck attest health-check.tpan-dispositions --subject '{key}' --result done --note 'resolution: …'",
        "records the decision",
    ),
])
.cautions(&["Involve the team that the finding names; do not repair Medium and Low findings blindly."])
.who("the platform administrator");

fn tpan_dispositions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    for finding in latest_findings(facts)? {
        let severity = finding.severity()?;
        report.finding(
            Finding::on(finding.subject())
                .severity(severity)
                .says(format!("TPAN reports it as {severity}; a decision about it has to be recorded"))
                .expected("resolution, investigation, or (Medium and Low only) no action")
                .fill("key", finding.subject().key)
                .confirms(severity.name())
                .evidence(facts.seen(&TPAN_FINDINGS, &finding.finding)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::{Body, Point};
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(time: &str, severity: &str, finding: &str, note: &str) -> Value {
        json!({"report_time": time, "severity": severity, "finding": finding, "note": note})
    }

    fn case(rows: Value) -> Case {
        Case::of(&CRITICAL_HIGH_OPEN)
            .at("2026-06-30T12:00:00Z")
            .rows(&TPAN_FINDINGS, rows)
            .body(&SEEN_OPEN, Body::Points(Vec::new()))
    }

    #[test]
    fn open_in_two_reports_without_a_note_is_found() {
        let rows = |note| {
            json!([
                row("2026-06-29", "High", "Disk at 91 %", note),
                row("2026-06-22", "High", "Disk at 90 %", "")
            ])
        };
        case(rows("")).judge().assert_findings(&["high: disk at %"]);
        case(rows("case 4711")).judge().assert_pass();
        case(rows("")).setting("max_weeks_open", 2).judge().assert_pass();
        case(rows("")).assert_needs_its_inputs();
    }

    #[test]
    fn a_new_or_lesser_finding_is_not_open_yet() {
        let rows = json!([row("2026-06-29", "High", "New", ""), row("2026-06-22", "High", "Old", "")]);
        case(rows).judge().assert_pass();
        let medium = json!([row("2026-06-29", "Medium", "x", ""), row("2026-06-22", "Medium", "x", "")]);
        case(medium).judge().assert_pass();
    }

    #[test]
    fn earlier_runs_count_as_reports() {
        let one = json!([row("2026-06-29", "Critical", "Down", "")]);
        case(one.clone()).judge().assert_undecided(Outcome::NotEvaluated);
        let seen = |series: &str, time: &str| Point {
            series: series.to_owned(),
            at: time.parse().unwrap(),
            value: time.parse::<Timestamp>().unwrap().as_second() as f64,
        };
        let before =
            Body::Points(vec![seen("health-check.tpan-open.critical: down", "2026-06-22T00:00:00Z")]);
        case(one.clone()).body(&SEEN_OPEN, before).judge().assert_findings(&["critical: down"]);
        let other = Body::Points(vec![seen("health-check.tpan-open.critical: else", "2026-06-22T00:00:00Z")]);
        case(one).body(&SEEN_OPEN, other).judge().assert_pass();
    }

    #[test]
    fn what_is_open_is_remembered() {
        let verdict = case(json!([row("2026-06-29", "Critical", "Down", "")])).judge();
        assert_eq!(verdict.measures()[0].series, "health-check.tpan-open.critical: down");
    }

    #[test]
    fn each_finding_awaits_its_disposition() {
        let case = Case::of(&DISPOSITIONS).rows(
            &TPAN_FINDINGS,
            json!([row("2026-06-29", "High", "A", ""), row("2026-06-29", "Low", "B", "")]),
        );
        case.judge().assert_findings(&["high: a", "low: b"]);
        case.assert_needs_its_inputs();
    }
}
