//! The board Discover - Module Health of Trends.

use crate::WHO;
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::{Baseline, Point};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Row, Shown, shown};

const SERIES: &str = "discover.resource-usage.";
/// So many earlier runs make a baseline.
const RUNS: usize = 4;

const PANELS: Input = Input::new("discover.resource-panels", "resource usage of Discover").sources(&[
    Source::export(
        "discover-resource-usage.csv",
        "Modules > Trends > Boards > Discover - Module Health",
        "export the data of each panel about resource usage into one file with these columns",
        &["Panel", "Time", "Value", "Unit"],
    ),
    Source::answer(
        "which panels of the board Discover - Module Health show a resource usage issue, or none",
        Accepts::Text,
        31,
    ),
]);

const EARLIER: Input = Input::new("discover.resource-earlier", "resource usage in earlier runs")
    .sources(&[Source::history("discover.resource-usage.*", 400)]);

const DEVIATION_PCT: Setting = Setting::integer("deviation_pct", 50, 1, 10_000)
    .unit("percent")
    .about("by how much a value may be above the median of earlier runs");

/// Discover needs no more than usual.
pub(crate) const RESOURCE_USAGE: Check = Check::automated("discover.resource-usage")
    .title("Discover uses resources normally")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&PANELS, &EARLIER])
    .settings(&[&DEVIATION_PCT])
    .guide(&[guide("Review and remediate Tanium Discover issues", 26)])
    .applies("Discover with Trends")
    .what("Compares the newest value of each exported panel with the median of at least four earlier runs. A value that is more than `deviation_pct` above it is a finding. Where earlier values swing more than that anyway, three times their usual swing counts instead. Instead, somebody may answer which panels show an issue.")
    .why("Scans that grow without notice slow down the Module Server for every module.")
    .limits("The guide gives no number, and the data of Trends has no public route. Until four runs have stored a panel, it is not judged.")
    .related(&["trends.required-boards"])
    .remedy(&REMEDY)
    .judge(resource_usage);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Trends > Boards > Discover - Module Health",
        "look at {subject}: since when it is higher",
    ),
    Step::consult(
        "Discover User Guide: Troubleshooting Discover",
        "go through what it says of resource usage",
    ),
    Step::decision("a profile scans more than it needs to", "narrow its scope, or let it run less often"),
])
.cautions(&["A profile that scans less finds lost endpoints later: see discover.client-audit-profile."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Discover User Guide: Troubleshooting Discover"]);

fn resource_usage(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<Row> = match shown(facts, &PANELS)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            let said = answer.value.as_str().unwrap_or_default().trim();
            if ["none", "no", ""].iter().any(|word| said.eq_ignore_ascii_case(word)) {
                return Ok(());
            }
            report.finding(
                Finding::on(Subject::new("panel", "answered", said))
                    .says("shows a resource usage issue")
                    .expected("no issue")
                    .evidence(facts.seen(&PANELS, said)),
            );
            return Ok(());
        }
    };
    let mut newest: BTreeMap<String, (Option<Timestamp>, f64, String)> = BTreeMap::new();
    for row in &rows {
        let (at, value) = (row.time("Time")?, row.number("Value")?);
        let Some(value) = value else { continue };
        let known = newest.entry(row.cell("Panel")).or_insert((at, value, row.cell("Unit")));
        if at >= known.0 {
            *known = (at, value, row.cell("Unit"));
        }
    }
    if newest.is_empty() {
        return Err(Undecided::not_evaluated("the exported panels hold no value"));
    }
    let points = facts.points(&EARLIER).unwrap_or_default();
    let deviation = facts.integer(&DEVIATION_PCT)? as f64;
    let mut unknown = Vec::new();
    for (panel, (_, value, unit)) in &newest {
        let series = format!("{SERIES}{}", slug(panel));
        report.measure(&series, *value, if unit.is_empty() { "value" } else { unit });
        let Some(baseline) = usual(points, &series) else {
            unknown.push(format!("{panel} is stored for fewer than {RUNS} runs"));
            continue;
        };
        if *value > baseline.ceiling(deviation) {
            let usual = baseline.median;
            report.finding(
                Finding::on(Subject::new("panel", slug(panel), panel))
                    .says(format!("is at {value} {unit}, and was at {usual} {unit} in earlier runs"))
                    .expected(format!("no more than {deviation} percent above"))
                    .evidence(facts.seen(&PANELS, value)),
            );
        }
    }
    settle(&unknown)
}

/// A panel's name as a part of a series' name.
fn slug(panel: &str) -> String {
    let letters = |one: char| if one.is_alphanumeric() { one.to_ascii_lowercase() } else { '-' };
    panel.trim().chars().map(letters).collect()
}

/// What is usual of a series; `None` while too few runs are stored.
fn usual(points: &[Point], series: &str) -> Option<Baseline> {
    let values: Vec<f64> =
        points.iter().filter(|point| point.series == series).map(|point| point.value).collect();
    Baseline::known(&values, RUNS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(newest: &str) -> Case {
        let row = |time: &str, value: &str| json!({"Panel": "CPU Usage", "Time": time, "Value": value, "Unit": "%"});
        Case::of(&RESOURCE_USAGE)
            .rows(&PANELS, json!([row("2026-06-29", newest), row("2026-06-01", "900")]))
            .weekly(&EARLIER, "discover.resource-usage.cpu-usage", &[8.0, 10.0, 40.0, 10.0])
    }

    #[test]
    fn the_newest_value_is_compared_with_the_median() {
        case("15").judge().assert_pass();
        case("15.1").judge().assert_findings(&["cpu-usage"]);
        case("15.1").setting("deviation_pct", 60).judge().assert_pass();
        case("15").assert_needs_its_inputs();
        assert_eq!(case("15").judge().measures()[0].value, 15.0);
    }

    #[test]
    fn without_four_runs_nothing_is_decided() {
        let short = case("15").weekly(&EARLIER, "discover.resource-usage.cpu-usage", &[10.0; 3]);
        short.judge().assert_undecided(Outcome::NotEvaluated);
        let empty = Case::of(&RESOURCE_USAGE).rows(&PANELS, json!([]));
        empty.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_answer_decides_as_well() {
        Case::of(&RESOURCE_USAGE).answer(&PANELS, "none").judge().assert_pass();
        Case::of(&RESOURCE_USAGE).answer(&PANELS, "CPU").judge().assert_findings(&["answered"]);
    }
}
