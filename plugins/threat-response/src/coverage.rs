//! How much of the deployment is watched.

use crate::inputs::{COVERAGE, GROUP_STATUS, Metric, STATUS};
use crate::{GUIDE, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{complete, failed};
use tancheck_plugin_api::records::extensions::{Detail, details};

const TARGET_PCT: Setting = Setting::integer("target_pct", 95, 0, 100)
    .unit("percent")
    .about("the share of endpoints that Threat Response has to cover");

/// Endpoints outside of it are not meant to be watched.
const COVERAGE_GROUP: Setting = Setting::text("coverage_group", None)
    .about("the computer group that Threat Response has to cover; all endpoints where none is set");

const SENSOR: &str = "Threat Response - Status";

/// Threat Response covers as many endpoints as it should.
pub(crate) const LOW: Check = Check::automated("threat-response.coverage-low")
    .title("Threat Response coverage is as expected")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&STATUS, &GROUP_STATUS, &COVERAGE])
    .settings(&[&TARGET_PCT, &COVERAGE_GROUP])
    .guide(GUIDE)
    .what("Counts the endpoints whose overall status is nominal. It passes when their share of all endpoints that answered, or of those in `coverage_group`, is at least `target_pct`. Where the sensor is not there, the coverage that the Overview page shows decides.")
    .why("An endpoint that is not covered is attacked unseen.")
    .limits("Endpoints that are not meant to be covered count as well, unless `coverage_group` leaves them out. The metric Coverage of the Overview page follows a formula of its own.")
    .related(&["threat-response.profile-missing", "threat-response.profile-wrong"])
    .remedy(&REMEDY)
    .judge(coverage_low);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Threat Response > Overview > Metrics",
        "select the value of Coverage: it opens the profiles; look for endpoints without one, and for profiles that \
         are not active",
    ),
    Step::consult(
        "Threat Response User Guide: Monitor and troubleshoot Threat Response coverage",
        "go through the contributing factors, the commonest first",
    ),
    Step::question("Get Threat Response - Status from all machines", "see which overall status is not nominal, and on how many endpoints"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Threat Response User Guide: Monitor and troubleshoot Threat Response coverage"]);

fn coverage_low(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let target = facts.integer(&TARGET_PCT)? as f64;
    let input = if facts.text(&COVERAGE_GROUP).is_ok() { &GROUP_STATUS } else { &STATUS };
    let coverage = match answered(facts, input) {
        Ok(counts) => counts.coverage(input)?,
        Err(unseen) => shown(facts).map_err(|_| unseen)?,
    };
    report.measure("threat-response.coverage", coverage.percent, "percent");
    if coverage.percent < target {
        let finding = Finding::on(Subject::deployment())
            .says(format!(
                "Threat Response covers {:.1} percent of endpoints{}",
                coverage.percent, coverage.rest
            ))
            .expected(format!("at least {target} percent"))
            .evidence(facts.seen(coverage.from, coverage.percent));
        report.finding(match coverage.outside {
            Some((outside, total)) => finding.affected(outside, Some(total)),
            None => finding,
        });
    }
    Ok(())
}

struct Coverage {
    percent: f64,
    /// How many are not covered, of how many; unknown where somebody wrote down the share alone.
    outside: Option<(u64, u64)>,
    /// What the others say of themselves.
    rest: String,
    from: &'static Input,
}

/// What endpoints told of themselves.
pub(crate) struct Told {
    pub(crate) details: Vec<Detail>,
    /// Endpoints that answered, whatever they answered; unknown for an exported list.
    answered: Option<u64>,
    /// Those whose answer cannot be used.
    unknown: u64,
}

/// The answers of all endpoints, or an exported list of them.
pub(crate) fn answered(facts: &Facts<'_>, input: &'static Input) -> Result<Told, Undecided> {
    if let Body::Rows(_) = facts.body(input)? {
        return Ok(Told { details: facts.rows(input)?, answered: None, unknown: 0 });
    }
    let tally = facts.tally(input)?;
    Ok(Told { details: details(SENSOR, tally)?, answered: Some(tally.answered), unknown: failed(tally) })
}

impl Told {
    /// The values of one key of the component Threat Response.
    pub(crate) fn of(&self, key: &str) -> Vec<&Detail> {
        let is = |text: &str, name: &str| text.trim().eq_ignore_ascii_case(name);
        self.details
            .iter()
            .filter(|detail| is(&detail.component, "Threat Response") && is(&detail.key, key))
            .collect()
    }

    /// Refuses a clean result where too many endpoints gave no answer that can be used.
    pub(crate) fn complete(&self) -> Result<(), Undecided> {
        self.answered.map_or(Ok(()), |answered| complete(SENSOR, answered, self.unknown))
    }

    /// Endpoints without the component at all are not covered.
    fn coverage(&self, from: &'static Input) -> Result<Coverage, Undecided> {
        self.complete()?;
        let states = self.of("Overall Status");
        if states.is_empty() {
            return Err(Undecided::not_evaluated(format!(
                "the sensor {SENSOR} tells no Overall Status of the component Threat Response"
            )));
        }
        let nominal = |detail: &&&Detail| detail.value.trim().to_lowercase().ends_with("nominal");
        let count = |details: &[&&Detail]| details.iter().map(|detail| detail.endpoints()).sum::<u64>();
        let (well, others): (Vec<&&Detail>, Vec<&&Detail>) = states.iter().partition(nominal);
        let (covered, told) = (count(&well), count(&well) + count(&others));
        let total = self.answered.map_or(told, |answered| answered.saturating_sub(self.unknown).max(told));
        if total == 0 {
            return Err(Undecided::not_evaluated("the exported answers count no endpoint"));
        }
        let mut rest: Vec<String> =
            others.iter().map(|detail| format!("{:?} on {}", detail.value, detail.endpoints())).collect();
        if total > told {
            rest.push(format!("no status on {}", total - told));
        }
        Ok(Coverage {
            percent: 100.0 * covered as f64 / total as f64,
            outside: Some((total - covered, total)),
            rest: if rest.is_empty() { String::new() } else { format!(": {}", rest.join(", ")) },
            from,
        })
    }
}

/// The figure of the Overview page, as somebody wrote it down.
fn shown(facts: &Facts<'_>) -> Result<Coverage, Undecided> {
    let percent = match facts.body(&COVERAGE)? {
        Body::Rows(_) => {
            let metrics: Vec<Metric> = facts.rows(&COVERAGE)?;
            let coverage =
                metrics.iter().find(|metric| metric.metric.trim().eq_ignore_ascii_case("coverage"));
            coverage.and_then(|metric| metric.value)
        }
        Body::Answer(answer) => answer.value.as_f64(),
        _ => None,
    };
    let percent = percent.ok_or_else(|| {
        Undecided::not_evaluated("threat-response-coverage.csv tells no value of the metric Coverage")
    })?;
    Ok(Coverage {
        percent,
        outside: None,
        rest: " (as the Overview page shows it)".to_owned(),
        from: &COVERAGE,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tancheck_plugin_api::facts::TallyRow;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    pub(crate) fn status(rows: &[(&str, &str, &str, u64)]) -> Tally {
        Tally {
            columns: ["Component", "Key", "Value"].map(str::to_owned).to_vec(),
            rows: rows
                .iter()
                .map(|(component, key, value, count)| TallyRow {
                    cells: [component, key, value].map(|text| (*text).to_owned()).to_vec(),
                    count: *count,
                    sample: Vec::new(),
                })
                .collect(),
            answered: 100,
            expected: 100,
            ..Tally::default()
        }
    }

    fn case(nominal: u64, others: u64) -> Case {
        Case::of(&LOW).body(
            &STATUS,
            Body::Tally(status(&[
                ("Threat Response", "Overall Status", "Windows Nominal", nominal),
                ("Threat Response", "Overall Status", "Windows Package Required", others),
                ("Detect Engine", "Overall Status", "Windows Nominal", 100),
            ])),
        )
    }

    #[test]
    fn the_share_of_nominal_endpoints_decides() {
        case(95, 5).judge().assert_pass();
        case(94, 6).judge().assert_findings(&["deployment"]);
        case(94, 6).setting("target_pct", 90).judge().assert_pass();
        case(95, 5).assert_needs_its_inputs();
    }

    #[test]
    fn endpoints_without_the_component_are_not_covered() {
        let verdict = case(90, 0).judge();
        verdict.assert_findings(&["deployment"]);
        assert!(verdict.findings()[0].says.contains("no status on 10"), "{:?}", verdict.findings());
    }

    #[test]
    fn without_the_sensor_the_shown_figure_decides() {
        let shown = |value| Case::of(&LOW).answer(&COVERAGE, json!(value));
        shown(97).judge().assert_pass();
        shown(80).judge().assert_findings(&["deployment"]);
        let exported = json!([{"Metric": "Coverage", "Value": "80 %", "Date": "2026-06-01"}]);
        Case::of(&LOW).rows(&COVERAGE, exported).judge().assert_findings(&["deployment"]);
        Case::of(&LOW).rows(&COVERAGE, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_computer_group_limits_the_share() {
        let group = status(&[("Threat Response", "Overall Status", "Linux Nominal", 100)]);
        let limited =
            case(50, 50).body(&GROUP_STATUS, Body::Tally(group)).setting("coverage_group", "Servers");
        limited.judge().assert_pass();
        case(100, 0).setting("coverage_group", "Servers").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_is_counted() {
        let row = |value: &str, count: u64| json!({"Component": "Threat Response", "Key": "Overall Status", "Value": value, "Count": count});
        let exported = |rows| Case::of(&LOW).rows(&STATUS, rows);
        exported(json!([row("Mac Nominal", 96), row("Mac Package Required", 4)])).judge().assert_pass();
        exported(json!([row("Mac Nominal", 9), row("", 1)])).judge().assert_findings(&["deployment"]);
        exported(json!([row("Mac Nominal", 0)])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn errors_decide_nothing() {
        let mut tally = status(&[("Threat Response", "Overall Status", "Windows Nominal", 90)]);
        tally.without_value.insert("TSE-Error: x".to_owned(), 10);
        Case::of(&LOW).body(&STATUS, Body::Tally(tally)).judge().assert_undecided(Outcome::NotEvaluated);
        let other = status(&[("Threat Response", "Mood", "good", 100)]);
        Case::of(&LOW).body(&STATUS, Body::Tally(other)).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
