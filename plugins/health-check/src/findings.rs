//! Guide: *Review and resolve critical and high TPAN findings*, page 11; *Review all TPAN findings*, page 15.

use crate::inputs::{ACCEPTED_FINDINGS, TPAN_FINDINGS, TPAN_MAX_AGE_DAYS, TPAN_REPORTS, latest_findings};
use tancheck_plugin_api::prelude::*;

const WHO: &str = "the platform administrator, with the team that the finding names";
const SERVER_GUIDE: &str = "Core Platform Deployment Reference Guide: Troubleshoot issues during server deployment or solution operations";
const LIMITS: &str = "TPAN has neither a public API nor a public file format: the findings are those that an \
    administrator wrote into tpan-findings.csv, and they are compared by their text.";
const WEEKLY_AND_MONTHLY: &[Cadence] = &[Cadence::Weekly, Cadence::Monthly];

/// No Critical TPAN findings.
pub(crate) const CRITICAL: Check = Check::automated("health-check.tpan-critical")
    .title("No Critical TPAN findings")
    .cadence(WEEKLY_AND_MONTHLY)
    .severity(Severity::Critical)
    .reads(&[&TPAN_FINDINGS, &TPAN_REPORTS])
    .settings(&[&TPAN_MAX_AGE_DAYS])
    .guide(&[
        guide("Review and resolve critical and high TPAN findings", 11),
        guide("Review all TPAN findings", 15),
    ])
    .what("Shows each Critical finding of the newest TPAN report with its text.")
    .why("Critical findings mean that the platform, or most of it, does not work. All of them have to be resolved.")
    .limits(LIMITS)
    .related(&["health-check.tpan-report-age", "health-check.tpan-critical-high-open"])
    .remedy(&RESOLVE)
    .judge(|facts, report| tpan_findings(facts, report, Severity::Critical));

/// No High TPAN findings.
pub(crate) const HIGH: Check = Check::automated("health-check.tpan-high")
    .title("No High TPAN findings")
    .cadence(WEEKLY_AND_MONTHLY)
    .severity(Severity::High)
    .reads(&[&TPAN_FINDINGS, &TPAN_REPORTS])
    .settings(&[&TPAN_MAX_AGE_DAYS])
    .guide(&[
        guide("Review and resolve critical and high TPAN findings", 11),
        guide("Review all TPAN findings", 15),
    ])
    .what("Shows each High finding of the newest TPAN report with its text.")
    .why("High findings grow into outages. All of them have to be resolved.")
    .limits(LIMITS)
    .related(&["health-check.tpan-report-age", "health-check.tpan-critical-high-open"])
    .remedy(&RESOLVE)
    .judge(|facts, report| tpan_findings(facts, report, Severity::High));

const RESOLVE: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Shared Services > Health Check > Reports",
        "open the report, page Findings: {subject}",
    ),
    Step::consult(SERVER_GUIDE, "troubleshoot as described there"),
    Step::support(
        "if it is not solved: bring the report, the versions of all servers, and the support bundles",
    ),
])
.cautions(&["Critical and High findings must be resolved; \"no action\" is no accepted decision."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&[SERVER_GUIDE]);

/// Medium TPAN findings are listed for decision.
pub(crate) const MEDIUM: Check = Check::automated("health-check.tpan-medium")
    .title("Medium TPAN findings are decided")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&TPAN_FINDINGS, &TPAN_REPORTS])
    .settings(&[&TPAN_MAX_AGE_DAYS, &ACCEPTED_FINDINGS])
    .guide(&[guide("Review all TPAN findings", 15)])
    .what("Shows each Medium finding of the newest TPAN report that `accepted_findings` does not name.")
    .why("Some need a repair and some are meant to be so: somebody has to decide.")
    .limits(LIMITS)
    .related(&["health-check.tpan-report-age", "actions.scheduled-actions-on-default"])
    .remedy(&DECIDE)
    .judge(|facts, report| tpan_findings(facts, report, Severity::Medium));

/// Low TPAN findings are listed for decision.
pub(crate) const LOW: Check = Check::automated("health-check.tpan-low")
    .title("Low TPAN findings are decided")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&TPAN_FINDINGS, &TPAN_REPORTS])
    .settings(&[&TPAN_MAX_AGE_DAYS, &ACCEPTED_FINDINGS])
    .guide(&[guide("Review all TPAN findings", 15)])
    .what("Shows each Low finding of the newest TPAN report that `accepted_findings` does not name.")
    .why("Low findings are often known and acceptable; written down, they no longer hide the new ones.")
    .limits(LIMITS)
    .related(&[
        "health-check.tpan-report-age",
        "certificates.console-self-signed",
        "subnets.isolated-none-defined",
    ])
    .remedy(&DECIDE)
    .judge(|facts, report| tpan_findings(facts, report, Severity::Low));

const DECIDE: Remedy = Remedy::new(&[
    Step::console("Administration > Shared Services > Health Check > Reports", "open the report, page Findings: {subject}"),
    Step::decision("it should be repaired (actions on Default that are meant to deploy, for example)", "repair it as the finding says"),
    Step::decision("more must be known first (a self-signed Console certificate, for example)", "ask the team it concerns, such as network security"),
    Step::decision("it is known and acceptable (no isolated subnets where none are needed, for example)", "name it in `accepted_findings`, with the reason beside it"),
])
.cautions(&["Do not repair Medium and Low findings blindly: an action on Default, for example, starts to deploy when it gets another action group."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&[SERVER_GUIDE]);

fn tpan_findings(facts: &Facts<'_>, report: &mut Report, wanted: Severity) -> Result<(), Undecided> {
    let accepted = match wanted {
        Severity::Critical | Severity::High => Vec::new(),
        _ => facts.list(&ACCEPTED_FINDINGS),
    };
    for finding in latest_findings(facts)? {
        let text = finding.finding.to_lowercase();
        let is_accepted = accepted.iter().any(|beginning| text.starts_with(&beginning.to_lowercase()));
        if finding.severity()? != wanted || is_accepted {
            continue;
        }
        let detail = if finding.detail.is_empty() { String::new() } else { format!(": {}", finding.detail) };
        report.finding(
            Finding::on(finding.subject())
                .severity(wanted)
                .says(format!("TPAN reports it as {wanted}{detail}"))
                .expected(if accepted.is_empty() { "no such finding" } else { "a decision about it" })
                .evidence(facts.seen(&TPAN_FINDINGS, &finding.finding)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(time: &str, severity: &str, finding: &str) -> Value {
        json!({"report_time": time, "severity": severity, "finding": finding, "detail": "", "note": ""})
    }

    fn case(check: &'static Check, rows: Value) -> Case {
        Case::of(check).at("2026-06-30T12:00:00Z").rows(&TPAN_FINDINGS, rows)
    }

    #[test]
    fn each_severity_shows_its_own_rows_of_the_newest_report() {
        let rows = json!([
            row("2026-06-29", "Critical", "Module Server is not connected"),
            row("2026-06-29", "High", "Disk of server 2 at 91 %"),
            row("2026-06-29", "medium", "3 actions target Default"),
            row("2026-06-29", "Low", "No isolated subnets"),
            row("2026-06-22", "Critical", "Something that is gone"),
        ]);
        for (check, key) in [
            (&CRITICAL, "critical: module server is not connected"),
            (&HIGH, "high: disk of server at %"),
            (&MEDIUM, "medium: actions target default"),
            (&LOW, "low: no isolated subnets"),
        ] {
            case(check, rows.clone()).judge().assert_findings(&[key]);
        }
    }

    #[test]
    fn an_empty_recent_report_passes_and_an_old_one_decides_nothing() {
        case(&CRITICAL, json!([])).judge().assert_pass();
        case(&CRITICAL, json!([])).assert_needs_its_inputs();
        let old = case(&CRITICAL, json!([row("2026-06-01", "Critical", "x")]));
        old.judge().assert_undecided(Outcome::NotEvaluated);
        let stale = case(&CRITICAL, json!([])).from_source(&TPAN_FINDINGS, "export", "2026-06-01T00:00:00Z");
        stale.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_row_without_a_readable_time_decides_nothing() {
        for rows in
            [json!([row("soon", "Low", "x")]), json!([row("2026-06-29", "Low", "x"), row("", "High", "y")])]
        {
            case(&HIGH, rows).judge().assert_undecided(Outcome::NotEvaluated);
        }
        case(&HIGH, json!([]))
            .rows(&TPAN_REPORTS, json!([{"report_time": "soon"}]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_list_of_an_older_report_decides_nothing() {
        let case = case(&HIGH, json!([row("2026-06-24", "Low", "x")]));
        case.rows(&TPAN_REPORTS, json!([{"report_time": "2026-06-29"}]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn accepted_findings_are_left_out_but_never_critical_ones() {
        let rows = |severity| json!([row("2026-06-29", severity, "No isolated subnets are defined")]);
        let accepted = json!(["no isolated subnets"]);
        case(&LOW, rows("Low")).setting("accepted_findings", accepted.clone()).judge().assert_pass();
        let critical = case(&CRITICAL, rows("Critical")).setting("accepted_findings", accepted);
        assert_eq!(critical.judge().findings().len(), 1);
    }

    #[test]
    fn an_unknown_severity_is_not_recognised() {
        let verdict = case(&HIGH, json!([row("2026-06-29", "Severe", "x")])).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("format not recognised"));
    }
}
