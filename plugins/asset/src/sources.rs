//! Guide: *Review Tanium source imports*, page 18.

use crate::WHO;
use crate::schedules::FAILED_REMEDY;
use crate::state::Ended;
use std::collections::BTreeMap;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::facts::{Baseline, Point};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::Row;

const GUIDE: &[GuideReference] = &[guide("Review Tanium source imports", 18)];
const PAGE: &str = "Modules > Asset > Overview > Health > Load Time";

const LOADS: Input =
    Input::new("asset.source-loads", "imports of sources and how long they took").sources(&[Source::export(
        "asset-source-loads.csv",
        PAGE,
        "write one row for each source: its last run, how that ended, and the load time in seconds",
        &["source", "last run", "last state", "load seconds"],
    )]);

/// Load times of earlier months.
const EARLIER: Input = Input::new("asset.earlier-loads", "load times of earlier months")
    .sources(&[Source::history("asset.load-seconds.*", 400)]);

const TOLERANCE: Setting = Setting::integer("tolerance_pct", 50, 1, 10_000)
    .unit("percent")
    .about("by how much a load time may lie above the median of earlier months");

/// The least number of earlier months that a comparison needs.
const FEWEST: usize = 3;

/// No source import run failed.
pub(crate) const IMPORT_FAILED: Check = Check::automated("asset.source-import-failed")
    .title("No source import run failed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&LOADS])
    .guide(GUIDE)
    .what("Looks at the last run of each source's import, as the Overview shows it behind Load Time.")
    .why("A source that is not imported leaves its part of the inventory as it was.")
    .limits("Asset has no public route for imports: an exported file decides.")
    .related(&["asset.trace-log-left-on", "asset.import-last-run"])
    .remedy(&FAILED_REMEDY)
    .judge(import_failed);

fn import_failed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<Row> = facts.rows(&LOADS)?;
    if rows.is_empty() {
        return Err(Undecided::not_evaluated("asset-source-loads.csv names no source: export it again"));
    }
    let mut unknown = Vec::new();
    for row in &rows {
        let (source, state) = (row.cell("source"), row.cell("last state"));
        match Ended::of(&state) {
            Ended::Well | Ended::NotYet => {}
            Ended::Unknown => unknown.push(format!("{source}: the state {state:?} is not known")),
            Ended::Badly => report.finding(
                Finding::on(Subject::new("source", &source, &source))
                    .says(format!("its last import ended with {state:?}"))
                    .expected("success")
                    .evidence(facts.seen(&LOADS, [row.cell("last run"), state.clone()])),
            ),
        }
    }
    settle(&unknown)
}

/// Source data loads in the usual time.
pub(crate) const LOAD_TIME: Check = Check::automated("asset.source-load-time")
    .title("Source data loads in the usual time")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&LOADS, &EARLIER])
    .settings(&[&TOLERANCE])
    .guide(GUIDE)
    .what("Compares the load time of each source with the median of earlier months; more than `tolerance_pct` above it is a finding. Where earlier months swing more than that anyway, three times their usual swing counts instead. Each run keeps the load times it saw.")
    .why("Imports that take longer every month end up overlapping, and then fail.")
    .limits("Needs three earlier months of history for a source, and an exported file: Asset has no public route or metric for load times.")
    .related(&["asset.source-import-failed"])
    .remedy(&LOAD_TIME_REMEDY)
    .judge(load_time);

const LOAD_TIME_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        PAGE,
        "click Load Time: the import schedules are listed; look for runs that overlap or failed",
    ),
    Step::console("Modules > Asset > Inventory Management > Schedules", "spread schedules that overlap"),
    Step::consult(
        "Asset User Guide: Troubleshoot asset data exports and imports",
        "go through the reasons for slow imports of {subject}",
    ),
    Step::decision("the source simply grew", "raise `tolerance_pct`, or wait until the median follows"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

fn load_time(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<Row> = facts.rows(&LOADS)?;
    let earlier = facts.points(&EARLIER)?;
    let tolerance = facts.integer(&TOLERANCE)? as f64;
    let mut unknown = Vec::new();
    for row in &rows {
        let source = row.cell("source");
        let seconds = match row.number("load seconds") {
            Ok(Some(seconds)) => seconds,
            Ok(None) => {
                unknown.push(format!("{source} shows no load time"));
                continue;
            }
            Err(why) => {
                unknown.push(format!("{source}: {}", why.reason));
                continue;
            }
        };
        let series = series(&source);
        report.measure(&series, seconds, "seconds");
        let months = monthly(earlier, &series, facts.now());
        let Some(usual) = Baseline::known(&months, FEWEST) else {
            unknown.push(format!(
                "the history of {source} is too short: {} of {FEWEST} earlier months are stored",
                months.len()
            ));
            continue;
        };
        let limit = usual.ceiling(tolerance);
        if seconds > limit {
            report.finding(
                Finding::on(Subject::new("source", &source, &source))
                    .says(format!(
                        "loaded in {seconds:.0} seconds; the median of earlier months is {:.0}",
                        usual.median
                    ))
                    .expected(format!("at most {limit:.0} seconds"))
                    .evidence(facts.seen(&LOADS, seconds)),
            );
        }
    }
    settle(&unknown)
}

/// The series of a source; its name as one word.
fn series(source: &str) -> String {
    let word = |one: char| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '-' };
    format!("asset.load-seconds.{}", source.chars().map(word).collect::<String>())
}

/// The last value of each calendar month before the present one.
fn monthly(points: &[Point], series: &str, now: Timestamp) -> Vec<f64> {
    let month = |at: Timestamp| at.strftime("%Y-%m").to_string();
    let present = month(now);
    let mut months = BTreeMap::new();
    for point in points.iter().filter(|point| point.series == series && point.at < now) {
        months.insert(month(point.at), point.value);
    }
    months.into_iter().filter(|(name, _)| *name < present).map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn loads(check: &'static Check, state: &str, seconds: &str) -> Case {
        let row = json!({"source": "Tanium Database", "last run": "2026-06-30", "last state": state, "load seconds": seconds});
        Case::of(check).rows(&LOADS, json!([row]))
    }

    #[test]
    fn a_failed_import_is_found_and_no_source_is_no_pass() {
        loads(&IMPORT_FAILED, "Success", "1").judge().assert_pass();
        loads(&IMPORT_FAILED, "Failed", "1").judge().assert_findings(&["Tanium Database"]);
        loads(&IMPORT_FAILED, "Purple", "1").judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&IMPORT_FAILED).rows(&LOADS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_load_time_is_compared_with_the_median_of_earlier_months() {
        const SERIES: &str = "asset.load-seconds.tanium-database";
        let case =
            |seconds: &str| loads(&LOAD_TIME, "Success", seconds).weekly(&EARLIER, SERIES, &[100.0; 20]);
        case("150").judge().assert_pass();
        case("151").judge().assert_findings(&["Tanium Database"]);
        case("").judge().assert_undecided(Outcome::NotEvaluated);
        let short = loads(&LOAD_TIME, "Success", "100").weekly(&EARLIER, SERIES, &[100.0; 4]);
        short.judge().assert_undecided(Outcome::NotEvaluated);
        let measures = short.judge();
        assert_eq!(measures.measures()[0].series, SERIES, "the months begin with this run");
    }
}
