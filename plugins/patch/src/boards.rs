//! Guide: *Review and update deployments*, page 30: the Trends board Patch, one check for each of its sections.

use crate::WHO;
use crate::inputs::{
    APPLICABILITY, BOARD_BEFORE, BOARD_MISSING, BOARD_SLA, BOARD_SUMMARY, PATCH_LISTS, count,
};
use std::collections::BTreeMap;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::facts::Baseline;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::json;

const GUIDE: &[GuideReference] = &[guide("Review and update deployments", 30)];
const NEEDS_TRENDS: &str = "Trends with the board Patch";

const CHANGE_PCT: Setting = Setting::integer("change_pct", 10, 0, 1000)
    .unit("percent")
    .about("by how much a value of the Patch board may be worse than what was usual a month ago");

const SLA_TARGET_PCT: Setting = Setting::integer_unset("sla_target_pct", 0, 100)
    .unit("percent")
    .about("the compliance that the organisation agreed on");

/// No panel of the section Summary shows an error.
pub(crate) const SUMMARY: Check = Check::automated("patch.board-summary")
    .title("No panel in section Summary of the Patch board shows an error")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&BOARD_SUMMARY, &BOARD_BEFORE])
    .settings(&[&CHANGE_PCT])
    .guide(GUIDE)
    .what("Lists the panels of the section that show an error. Values that are more than `change_pct` away from the median of the five weeks nearest to a month ago are told with the outcome.")
    .why("A panel with an error shows an old picture, or none, to whoever decides from it.")
    .limits("No public route tells the panels, so somebody exports them or looks.")
    .applies(NEEDS_TRENDS)
    .related(&["patch.board-missing", "patch.board-sla", "trends.required-boards"])
    .remedy(&REMEDY)
    .judge(summary);

/// Missing patches do not become more.
pub(crate) const MISSING: Check = Check::automated("patch.board-missing")
    .title("Missing patches do not become more, and their panels show no error")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&PATCH_LISTS, &APPLICABILITY, &BOARD_BEFORE, &BOARD_MISSING])
    .settings(&[&CHANGE_PCT])
    .guide(GUIDE)
    .what("Adds up how often the patches of the lists that Tanium manages are missing and compares the sum with the median of the five weeks nearest to a month ago: it must not be more than `change_pct` above. Lists the panels of the section that show an error.")
    .why("If more is missing than a month ago, patches come faster than they are installed.")
    .limits("The lists overlap, so the sum is no number of endpoints; it is good for comparing months only. Until three earlier weeks are stored, nothing is compared. Errors of panels are known from an exported file or an answer only.")
    .applies(NEEDS_TRENDS)
    .related(&["patch.board-summary", "patch.critical-missing-30d", "trends.required-boards"])
    .remedy(&REMEDY)
    .judge(missing);

/// The agreed compliance is kept.
pub(crate) const SLA: Check = Check::automated("patch.board-sla")
    .title("The agreed compliance is kept, and its panels show no error")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&BOARD_SLA, &BOARD_BEFORE])
    .settings(&[&SLA_TARGET_PCT, &CHANGE_PCT])
    .guide(GUIDE)
    .what("Compares the newest compliance of each panel with `sla_target_pct`. Where that is not set, it must not be more than `change_pct` percent below the median of the five weeks nearest to a month ago. Lists panels that show an error.")
    .why("The organisation promised somebody how soon patches are installed.")
    .limits("No public route tells the panels, so somebody exports them or reads a number off. Without a target nothing is compared until three earlier weeks are stored.")
    .applies(NEEDS_TRENDS)
    .related(&["patch.board-summary", "patch.board-missing", "trends.required-boards"])
    .remedy(&REMEDY)
    .judge(sla);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Trends > Boards > Patch",
        "click the panel ({subject}) and look at what it shows",
    ),
    Step::consult("the Patch User Guide, Troubleshooting", "what its error means"),
    Step::decision("endpoints are left out", "add targets to a deployment"),
    Step::decision(
        "deployments do not get through",
        "see patch.deployment-errors and patch.windows-misconfigured",
    ),
])
.cautions(&[
    "An existing deployment can only gain targets. For any other change, stop it and create another one.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&[
    "Patch User Guide: Troubleshooting",
    "Patch User Guide: Add targets to an existing deployment",
]);

/// A row of an exported section.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct PanelRow {
    #[serde(rename = "Panel", deserialize_with = "lenient::text")]
    panel: String,
    #[serde(rename = "Series", deserialize_with = "lenient::text")]
    series: String,
    #[serde(rename = "Date", deserialize_with = "lenient::time")]
    date: Option<Timestamp>,
    #[serde(rename = "Value", deserialize_with = "lenient::text")]
    value: String,
    #[serde(rename = "Error", deserialize_with = "lenient::text")]
    error: String,
}

impl PanelRow {
    fn has_error(&self) -> bool {
        !matches!(self.error.trim().to_ascii_lowercase().as_str(), "" | "no" | "none" | "false" | "0" | "-")
    }

    fn number(&self) -> Option<f64> {
        self.value.trim().trim_end_matches('%').trim().replace(',', "").parse().ok()
    }

    /// Panel and series.
    fn label(&self) -> String {
        if self.series.is_empty() { self.panel.clone() } else { format!("{}: {}", self.panel, self.series) }
    }
}

fn subject(panel: &str) -> Subject {
    Subject::new("trends panel", panel, panel)
}

/// Reports panels with an error, and returns the newest row of each panel and series; nothing where a person answered.
fn panels(
    facts: &Facts<'_>,
    report: &mut Report,
    input: &'static Input,
    section: &str,
) -> Result<Option<Vec<PanelRow>>, Undecided> {
    if let Body::Answer(answer) = facts.body(input)? {
        if answer.value == json!(true) {
            report.finding(
                Finding::on(subject(section))
                    .says("shows an error, somebody said")
                    .expected("panels without errors")
                    .evidence(facts.seen(input, &answer.value)),
            );
        }
        return Ok(None);
    }
    let rows: Vec<PanelRow> = facts.rows(input)?;
    if rows.is_empty() {
        return Err(Undecided::not_evaluated(format!("the exported section {section} holds no panels")));
    }
    let mut newest: BTreeMap<String, PanelRow> = BTreeMap::new();
    for row in rows {
        let label = row.label();
        if newest.get(&label).is_none_or(|known| known.date <= row.date) {
            newest.insert(label, row);
        }
    }
    for row in newest.values().filter(|row| row.has_error()) {
        report.finding(
            Finding::on(subject(&row.label()))
                .says(format!("shows an error: {}", row.error))
                .expected("a panel without errors")
                .evidence(facts.seen(input, &row.error)),
        );
    }
    Ok(Some(newest.into_values().collect()))
}

/// A value is compared with those of the weeks around a time so many days ago.
const MONTH: i64 = 30;

/// What was usual a month ago, or as long ago as the history goes back.
fn usual(facts: &Facts<'_>, series: &str, what: &str) -> Result<Baseline, Undecided> {
    let same = facts.points(&BOARD_BEFORE)?.iter().filter(|point| point.series == series);
    Baseline::of_weeks_around(same.map(|point| (point.at, point.value)), facts.now(), MONTH, what)
}

/// A series of the history for a panel.
fn series(section: &str, label: &str) -> String {
    let plain: String = label
        .to_lowercase()
        .chars()
        .map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' })
        .collect();
    format!("patch.board.{section}.{plain}")
}

fn summary(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&CHANGE_PCT)? as f64;
    facts.points(&BOARD_BEFORE)?;
    let Some(panels) = panels(facts, report, &BOARD_SUMMARY, "Summary")? else { return Ok(()) };
    for (label, value) in panels.iter().filter_map(|row| Some((row.label(), row.number()?))) {
        let series = series("summary", &label);
        report.measure(&series, value, "value");
        match usual(facts, &series, &label) {
            Ok(usual) if value > usual.ceiling(limit) || value < usual.floor(limit) => {
                let median = usual.median;
                report.note(format!(
                    "{label} is {value}; the median of the weeks around a month ago is {median}"
                ));
            }
            Ok(_) => {}
            Err(short) => report.note(format!("{label} is not compared: {}", short.reason)),
        }
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Applicability {
    applicability_counts: Option<Vec<BySeverity>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BySeverity {
    #[serde(deserialize_with = "count")]
    not_installed_count: Option<u64>,
}

impl Applicability {
    fn missing(&self) -> Option<u64> {
        self.applicability_counts.as_ref()?.iter().map(|one| one.not_installed_count).sum()
    }
}

const MISSING_SERIES: &str = "patch.board.missing";

fn missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&CHANGE_PCT)?;
    facts.points(&BOARD_BEFORE)?;
    facts.body(&PATCH_LISTS)?;
    let lists: Vec<Applicability> = facts.rows(&APPLICABILITY)?;
    if lists.is_empty() {
        return Err(facts.absent(&PATCH_LISTS, "no patch list is managed by Tanium"));
    }
    let sum: Option<u64> = lists.iter().map(Applicability::missing).sum();
    let Some(missing) = sum else {
        return Err(Undecided::not_evaluated(
            "a patch list does not tell on how many endpoints its patches are missing",
        ));
    };
    report.measure(MISSING_SERIES, missing as f64, "missing");
    let panels = panels(facts, report, &BOARD_MISSING, "Missing Patches").map(|_| ());
    let usual = usual(facts, MISSING_SERIES, "how often patches are missing").map_err(|short| {
        Undecided::not_evaluated(format!("patches are missing {missing} times now; {}", short.reason))
    })?;
    let median = usual.median;
    if missing as f64 > usual.ceiling(limit as f64) {
        report.finding(
            Finding::on(subject("Missing Patches"))
                .says(format!(
                    "patches are missing {missing} times; the median of the weeks around a month ago is {median}"
                ))
                .expected(format!("a rise of at most {limit} %"))
                .evidence(facts.seen(&APPLICABILITY, [median, missing as f64])),
        );
    }
    panels
}

fn sla(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let target = facts.integer(&SLA_TARGET_PCT).ok();
    let limit = facts.integer(&CHANGE_PCT)?;
    facts.points(&BOARD_BEFORE)?;
    let values: Vec<(String, Option<f64>)> = match facts.body(&BOARD_SLA)? {
        Body::Answer(answer) => vec![("SLA Based Compliance Reporting".to_owned(), answer.value.as_f64())],
        _ => panels(facts, report, &BOARD_SLA, "SLA Based Compliance Reporting")?
            .unwrap_or_default()
            .iter()
            .filter(|row| !row.has_error())
            .map(|row| (row.label(), row.number()))
            .collect(),
    };
    let mut unknown = Vec::new();
    for (label, value) in values {
        let Some(value) = value else {
            unknown.push(format!("the value of {label} is no number"));
            continue;
        };
        let series = series("sla", &label);
        report.measure(&series, value, "percent");
        let (says, expected) = match (target, usual(facts, &series, &label)) {
            (Some(target), _) if value < target as f64 => {
                (format!("shows a compliance of {value} %"), format!("at least {target} %"))
            }
            (Some(_), _) => continue,
            (None, Ok(usual)) if value < usual.floor(limit as f64) => (
                format!("shows {value} %; the median of the weeks around a month ago is {} %", usual.median),
                format!("a fall of at most {limit} percent, or a target in `sla_target_pct`"),
            ),
            (None, Ok(_)) => continue,
            (None, Err(short)) => {
                unknown.push(format!("{label} shows {value} %; {}, or set `sla_target_pct`", short.reason));
                continue;
            }
        };
        report.finding(
            Finding::on(subject(&label))
                .says(says)
                .expected(expected)
                .evidence(facts.seen(&BOARD_SLA, value)),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    const WEEKS: [f64; 5] = [100.0; 5];

    fn row(panel: &str, date: &str, value: &str, error: &str) -> Value {
        json!({"Panel": panel, "Date": date, "Series": "", "Value": value, "Error": error})
    }

    fn summary_case(rows: Value) -> Case {
        let series = series("summary", "Mean Time");
        Case::of(&SUMMARY).rows(&BOARD_SUMMARY, rows).weekly(&BOARD_BEFORE, &series, &WEEKS)
    }

    #[test]
    fn panels_with_an_error_are_found_if_it_is_the_newest() {
        summary_case(json!([row("Mean Time", "2026-06-29", "100", "")])).judge().assert_pass();
        summary_case(json!([row("Mean Time", "2026-06-29", "", "no data")]))
            .judge()
            .assert_findings(&["Mean Time"]);
        let old = json!([
            row("Mean Time", "2026-06-01", "", "no data"),
            row("Mean Time", "2026-06-29", "100", "no")
        ]);
        summary_case(old).judge().assert_pass();
        summary_case(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        summary_case(json!([row("Mean Time", "2026-06-29", "100", "")])).assert_needs_its_inputs();
    }

    #[test]
    fn values_that_moved_are_noted_and_remembered() {
        let verdict = summary_case(json!([row("Mean Time", "2026-06-29", "120", "")])).judge();
        verdict.assert_pass();
        assert_eq!(verdict.notes(), ["Mean Time is 120; the median of the weeks around a month ago is 100"]);
        assert_eq!(verdict.measures()[0].series, "patch.board.summary.mean-time");
        let other = summary_case(json!([row("Other", "2026-06-29", "120", "")])).judge();
        other.assert_pass();
        assert!(other.notes()[0].contains("0 of 3 earlier weeks of Other"), "{:?}", other.notes());
    }

    #[test]
    fn an_answer_stands_for_the_panels() {
        let case = |error: bool| summary_case(json!([])).answer(&BOARD_SUMMARY, error).judge();
        case(false).assert_pass();
        case(true).assert_findings(&["Summary"]);
    }

    fn missing_case(counts: &[Value], weeks: &[f64]) -> Case {
        let counts: Vec<Value> =
            counts.iter().map(|count| json!({"severity": "Critical", "notInstalledCount": count})).collect();
        Case::of(&MISSING)
            .rows(&PATCH_LISTS, json!([{"id": 1, "isTaniumManaged": true}]))
            .rows(&APPLICABILITY, json!([{"patchList": {"id": 1}, "applicabilityCounts": counts}]))
            .rows(&BOARD_MISSING, json!([row("Missing", "2026-06-29", "5", "")]))
            .weekly(&BOARD_BEFORE, MISSING_SERIES, weeks)
    }

    #[test]
    fn a_rise_beyond_the_limit_is_found() {
        missing_case(&[json!(60), json!(50)], &WEEKS).judge().assert_pass();
        missing_case(&[json!(61), json!(50)], &WEEKS).judge().assert_findings(&["Missing Patches"]);
        missing_case(&[json!(10)], &WEEKS).judge().assert_pass();
        // One odd week is no baseline, nor is last week's rise what was usual.
        let odd = [100.0, 100.0, 900.0, 100.0, 100.0];
        missing_case(&[json!(111)], &odd).judge().assert_findings(&["Missing Patches"]);
        let mut slow = vec![100.0; 4];
        slow.extend([110.0; 3]);
        missing_case(&[json!(115)], &slow).judge().assert_findings(&["Missing Patches"]);
        // What swings that much every week has not risen.
        missing_case(&[json!(115)], &[100.0, 90.0, 110.0, 100.0, 105.0]).judge().assert_pass();
        missing_case(&[json!(60), json!(50)], &WEEKS).assert_needs_its_inputs();
    }

    #[test]
    fn without_three_weeks_of_history_or_a_number_nothing_is_decided() {
        missing_case(&[json!(60)], &[100.0; 2]).judge().assert_undecided(Outcome::NotEvaluated);
        missing_case(&[json!(60), json!(null)], &WEEKS).judge().assert_undecided(Outcome::NotEvaluated);
        let none = missing_case(&[], &WEEKS).rows(&APPLICABILITY, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
        let unseen = missing_case(&[json!(60)], &WEEKS).unavailable(&BOARD_MISSING, Outcome::NotEvaluated);
        unseen.judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn sla_case(value: &str, error: &str, weeks: &[f64]) -> Case {
        let series = series("sla", "Critical");
        Case::of(&SLA).rows(&BOARD_SLA, json!([row("Critical", "2026-06-29", value, error)])).weekly(
            &BOARD_BEFORE,
            &series,
            weeks,
        )
    }

    #[test]
    fn compliance_is_held_against_the_target() {
        let with = |value: &str| sla_case(value, "", &[]).setting("sla_target_pct", 90).judge();
        with("90 %").assert_pass();
        with("89.9%").assert_findings(&["Critical"]);
        with("much").assert_undecided(Outcome::NotEvaluated);
        sla_case("", "timed out", &[]).setting("sla_target_pct", 90).judge().assert_findings(&["Critical"]);
        let answered = |value: f64| {
            sla_case("", "", &[]).answer(&BOARD_SLA, value).setting("sla_target_pct", 90).judge()
        };
        answered(95.0).assert_pass();
        answered(80.0).assert_findings(&["SLA Based Compliance Reporting"]);
        sla_case("95", "", &[]).setting("sla_target_pct", 90).assert_needs_its_inputs();
    }

    #[test]
    fn without_a_target_a_fall_is_found() {
        sla_case("90", "", &WEEKS).judge().assert_pass();
        sla_case("89", "", &WEEKS).judge().assert_findings(&["Critical"]);
        sla_case("89", "", &[100.0; 2]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
