//! `patch.critical-missing-30d`: critical and important patches older than 30 days are installed.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{CRITICAL_MISSING_PANEL, PATCHES, count, share};
use records::server::CLIENT_COUNT;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::json;

const AGE_DAYS: Setting = Setting::integer("age_days", 30, 1, 365)
    .unit("days")
    .about("how long ago a critical or important patch was released before it counts as overdue")
    .from_guide();

const MAX_PCT: Setting = Setting::integer("critical_missing_max_pct", 5, 0, 100)
    .unit("percent")
    .about("the share of endpoints that may miss a critical or important patch that is overdue");

/// Critical and important patches are installed in time.
pub(crate) const CRITICAL_MISSING: Check = Check::automated("patch.critical-missing-30d")
    .title("Critical and important patches older than 30 days are installed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&CRITICAL_MISSING_PANEL, &PATCHES, &CLIENT_COUNT])
    .settings(&[&AGE_DAYS, &MAX_PCT])
    .guide(GUIDE)
    .what("Reads the newest value of the panel and compares its share of endpoints with `critical_missing_max_pct`. The Patch service tells a lower bound beside it: the share of endpoints to which the most widespread overdue patch applies. Either of them above the limit is a finding; only the panel can show that all is well.")
    .why("These are the patches whose vulnerabilities are exploited. After a month most attackers have them.")
    .limits("The vendor does not say whether the count of a patch leaves out endpoints on which it is installed; compare one number with the Console. The panel counts 30 days, whatever `age_days` says.")
    .applies("Trends with the board Patch, for the panel")
    .related(&["patch.windows-misconfigured", "patch.windows-unenforced", "trends.required-boards"])
    .remedy(&REMEDY)
    .judge(critical_missing);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Trends > Boards > Patch",
        "click the panel Endpoints Missing Critical or Important Patches Released Over 30 Days Ago; the most widespread: {patches}",
    ),
    Step::console(
        "Modules > Patch > Maintenance Windows",
        "look whether windows are too short, too rare, or do not overlap the deployments",
    ),
    Step::decision("windows are the cause", "edit them with the owners of the endpoints"),
    Step::decision("no deployment brings these patches to these endpoints", "add targets to a deployment"),
    Step::decision("neither", "follow the user guide on mean time to patch, and look at scan errors"),
])
.cautions(&["A wider window lets endpoints install and restart in it."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Patch User Guide: Monitor and troubleshoot mean time to patch", "Patch User Guide: Edit a maintenance window"]);

fn critical_missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_PCT)?;
    let bound = lower_bound(facts);
    let panel = panel_pct(facts);
    let worst = bound.as_ref().map(|bound| bound.worst.join("; ")).unwrap_or_default();
    let patches = if worst.is_empty() { "not read".to_owned() } else { worst };
    let subject = Subject::new("trends panel", "critical-missing", "critical and important patches");
    let expected = format!("at most {limit} % of the endpoints");
    if let Ok(panel) = &panel
        && panel.pct > limit as f64
    {
        report.finding(
            Finding::on(subject)
                .says(format!("are missing on {:.1} % of the endpoints (panel)", panel.pct))
                .expected(expected)
                .fill("patches", patches)
                .evidence(facts.seen(&CRITICAL_MISSING_PANEL, panel.pct)),
        );
        return Ok(());
    }
    if let Ok(bound) = &bound
        && bound.endpoints * 100 > bound.of * limit.unsigned_abs()
    {
        report.finding(
            Finding::on(subject)
                .says(format!(
                    "the most widespread of them applies to {} endpoints",
                    share(bound.endpoints, bound.of)
                ))
                .expected(expected)
                .affected(bound.endpoints, Some(bound.of))
                .sample(bound.worst.iter().map(String::as_str))
                .fill("patches", patches)
                .evidence(facts.seen(&PATCHES, &bound.worst)),
        );
        return Ok(());
    }
    match (panel, bound) {
        (Ok(_), _) => Ok(()),
        (Err(mut missing), Ok(bound)) => {
            missing.reason = format!(
                "the service shows {} endpoints at least, but only the panel shows how many miss any patch: {}",
                share(bound.endpoints, bound.of),
                missing.reason
            );
            Err(missing)
        }
        (Err(missing), Err(_)) => Err(missing),
    }
}

struct Panel {
    pct: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PanelRow {
    #[serde(rename = "Date", deserialize_with = "lenient::time")]
    date: Option<Timestamp>,
    #[serde(rename = "Endpoints Missing", deserialize_with = "count")]
    missing: Option<u64>,
    #[serde(rename = "Endpoints Total", deserialize_with = "count")]
    total: Option<u64>,
}

/// The newest share that the panel shows.
fn panel_pct(facts: &Facts<'_>) -> Result<Panel, Undecided> {
    if let Body::Answer(answer) = facts.body(&CRITICAL_MISSING_PANEL)? {
        let pct = answer.value.as_f64();
        return pct
            .map(|pct| Panel { pct })
            .ok_or_else(|| Undecided::not_evaluated("the answer is no number"));
    }
    let rows: Vec<PanelRow> = facts.rows(&CRITICAL_MISSING_PANEL)?;
    let newest = rows.iter().filter(|row| row.date.is_some()).max_by_key(|row| row.date);
    match newest.map(|row| (row.missing, row.total)) {
        Some((Some(missing), Some(total))) if total > 0 => {
            Ok(Panel { pct: missing as f64 * 100.0 / total as f64 })
        }
        _ => Err(Undecided::not_evaluated(
            "the newest row of the exported panel tells no number of endpoints; export the panel again",
        )),
    }
}

/// Endpoints that miss at least one patch, at least: those to which the most widespread one applies.
struct Bound {
    endpoints: u64,
    of: u64,
    /// The ten most widespread patches.
    worst: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Patch {
    #[serde(deserialize_with = "lenient::text")]
    title: String,
    /// `Critical`, `Important`, `Moderate`, `Low` or `None`.
    #[serde(deserialize_with = "lenient::text")]
    severity: String,
    /// `20260630`.
    #[serde(deserialize_with = "count")]
    release_date_integer: Option<u64>,
    #[serde(deserialize_with = "lenient::flag")]
    is_superseded: Option<bool>,
    #[serde(deserialize_with = "count")]
    applicability_count: Option<u64>,
}

fn lower_bound(facts: &Facts<'_>) -> Result<Bound, Undecided> {
    let applicable: Vec<Patch> = facts.rows(&PATCHES)?;
    let of: u64 = facts.value(&CLIENT_COUNT)?;
    let age = SignedDuration::from_hours(24 * facts.integer(&AGE_DAYS)?);
    let day = (facts.now() - age).strftime("%Y%m%d").to_string().parse::<u64>().unwrap_or_default();
    let overdue = |patch: &&Patch| {
        matches!(patch.severity.as_str(), "Critical" | "Important")
            && patch.is_superseded == Some(false)
            && patch.release_date_integer.is_some_and(|released| released <= day)
    };
    let mut patches: Vec<&Patch> = applicable.iter().filter(overdue).collect();
    patches.sort_by_key(|patch| std::cmp::Reverse(patch.applicability_count));
    let endpoints = patches.first().and_then(|patch| patch.applicability_count).unwrap_or_default();
    let label = |patch: &&Patch| {
        let told = json!(patch.applicability_count);
        format!("{} ({told} endpoints)", patch.title)
    };
    Ok(Bound { endpoints, of, worst: patches.iter().take(10).map(label).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn patch(severity: &str, released: u64, superseded: bool, endpoints: u64) -> Value {
        json!({"title": "KB1", "severity": severity, "releaseDateInteger": released, "isSuperseded": superseded,
               "applicabilityCount": endpoints})
    }

    fn case(patches: Value) -> Case {
        Case::of(&CRITICAL_MISSING).rows(&PATCHES, patches).value(&CLIENT_COUNT, 1000)
    }

    fn with_panel(case: Case, missing: u64) -> Case {
        case.rows(
            &CRITICAL_MISSING_PANEL,
            json!([{"Date": "2026-06-01", "Endpoints Missing": "900", "Endpoints Total": "1000"},
                   {"Date": "2026-06-29", "Endpoints Missing": missing.to_string(), "Endpoints Total": "1000"}]),
        )
    }

    #[test]
    fn the_newest_value_of_the_panel_decides() {
        let patches = json!([patch("Critical", 20_260_101, false, 20)]);
        with_panel(case(patches.clone()), 50).judge().assert_pass();
        let verdict = with_panel(case(patches.clone()), 51).judge();
        verdict.assert_findings(&["critical-missing"]);
        assert!(verdict.findings()[0].values["patches"].contains("KB1 (20 endpoints)"));
        let answered = |pct: f64| case(patches.clone()).answer(&CRITICAL_MISSING_PANEL, pct);
        answered(5.0).judge().assert_pass();
        answered(5.5).judge().assert_findings(&["critical-missing"]);
        with_panel(Case::of(&CRITICAL_MISSING), 50).judge().assert_pass();
        with_panel(Case::of(&CRITICAL_MISSING), 50).assert_needs_its_inputs();
    }

    #[test]
    fn the_lower_bound_finds_but_never_passes() {
        let bound = |severity, released, superseded, endpoints| {
            case(json!([patch(severity, released, superseded, endpoints)])).judge()
        };
        bound("Critical", 20_260_101, false, 51).assert_findings(&["critical-missing"]);
        bound("Important", 20_260_531, false, 51).assert_findings(&["critical-missing"]);
        bound("Critical", 20_260_101, false, 50).assert_undecided(Outcome::NotEvaluated);
        bound("Critical", 20_260_601, false, 51).assert_undecided(Outcome::NotEvaluated);
        bound("Moderate", 20_260_101, false, 51).assert_undecided(Outcome::NotEvaluated);
        bound("Critical", 20_260_101, true, 51).assert_undecided(Outcome::NotEvaluated);
        let verdict = with_panel(case(json!([patch("Critical", 20_260_101, false, 51)])), 10).judge();
        verdict.assert_findings(&["critical-missing"]);
    }

    #[test]
    fn a_panel_without_numbers_decides_nothing() {
        let empty = json!([{"Date": "2026-06-29", "Endpoints Missing": "", "Endpoints Total": "1000"}]);
        let case = Case::of(&CRITICAL_MISSING).rows(&CRITICAL_MISSING_PANEL, empty);
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
