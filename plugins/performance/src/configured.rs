//! Whether endpoints say that Performance is configured.

use crate::{GUIDE, WHO};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{ASK, complete, unusable};
use tancheck_plugin_api::templates::panel::{Row, whole};

const SENSOR: &str = "Performance - Configured";

const CONFIGURED: Input = Input::new("performance.configured", "whether Performance is configured on endpoints").sources(&[
    Source::question("Get Performance - Configured from all machines")
        .sampled_by("Get Computer Name from all machines with Performance - Configured equals {value}")
        .needs(ASK),
    Source::export(
        "performance-not-configured.csv",
        "Interact > Ask a Question",
        "ask Get Computer Name and Performance - Configured from all machines and export the results with these columns",
        &["Computer Name", "Performance - Configured"],
    ),
    Source::answer(
        "on how many endpoints Performance is not configured (Interact: Get Performance - Configured from all machines)",
        Accepts::Number,
        31,
    ),
]);

const OK_VALUES: Setting = Setting::list("ok_values", &["Yes"]).about(
    "answers of the sensor Performance - Configured that mean that it is; confirm them for your version",
);

const BAD_VALUES: Setting = Setting::list("bad_values", &["No"])
    .about("answers of the sensor Performance - Configured that mean that it is not");

/// Performance is configured everywhere.
pub(crate) const NOT_CONFIGURED: Check = Check::automated("performance.not-configured")
    .title("Performance is configured on endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONFIGURED])
    .settings(&[&OK_VALUES, &BAD_VALUES])
    .guide(GUIDE)
    .what("Asks every endpoint whether Performance is configured, and reports each answer in `bad_values`.")
    .why("An endpoint without configuration records no events, so nobody sees why it was slow.")
    .limits("The answers of the sensor are not documented: one that is neither in `ok_values` nor in `bad_values` is shown and not judged.")
    .related(&["performance.coverage-needs-attention"])
    .remedy(&REMEDY)
    .judge(not_configured);

const REMEDY: Remedy = Remedy::new(&[
    Step::question("Get Performance - Configured from all machines", "select the rows that are not configured and drill down"),
    Step::question(
        "Get Computer Name and Endpoint Configuration - Tools Status?ignoreCase=0&maxAge=600 from all machines",
        "see whether the tools of Performance are there on these endpoints",
    ),
    Step::decision("the tools are there", "look at the profiles: endpoints that none targets are not configured"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Console User Guide: Managing question results", "Performance User Guide: Managing profiles"]);

#[derive(Default)]
struct Told {
    count: u64,
    sample: Vec<String>,
}

fn not_configured(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (mut told, mut counts) = (BTreeMap::<String, Told>::new(), None);
    match facts.body(&CONFIGURED)? {
        Body::Answer(answer) => {
            let count = whole(answer)?;
            if count > 0 {
                report.finding(finding(facts, "not configured", &Told { count, sample: Vec::new() }, None));
            }
            return Ok(());
        }
        Body::Rows(_) => {
            for row in facts.rows::<Row>(&CONFIGURED)? {
                let value = told.entry(row.cell(SENSOR)).or_default();
                value.count += 1;
                value.sample.push(row.cell("Computer Name"));
            }
            let special =
                |text: &str| text.is_empty() || text.starts_with('[') || text.starts_with("TSE-Error");
            let all: u64 = told.values().map(|value| value.count).sum();
            told.retain(|value, _| !special(value));
            let usable: u64 = told.values().map(|value| value.count).sum();
            counts = Some((all, all - usable));
        }
        _ => {
            let tally = facts.tally(&CONFIGURED)?;
            for row in &tally.rows {
                let value = told.entry(row.cells.first().cloned().unwrap_or_default()).or_default();
                value.count += row.count;
                value.sample.extend(row.sample.iter().cloned());
            }
            counts = counts.or(Some((tally.answered, unusable(tally))));
        }
    }
    let is_among = |list: &[&str], value: &str| list.iter().any(|one| one.eq_ignore_ascii_case(value.trim()));
    let (ok, bad) = (facts.list(&OK_VALUES), facts.list(&BAD_VALUES));
    let of = counts.map(|(all, _)| all);
    let mut unknown = Vec::new();
    for (value, told) in &told {
        if is_among(&bad, value) {
            report.finding(finding(facts, value, told, of));
        } else if !is_among(&ok, value) {
            unknown.push(format!(
                "{value:?} on {} endpoints is neither in `ok_values` nor in `bad_values`",
                told.count
            ));
        }
    }
    if let Some((all, unusable)) = counts {
        complete(SENSOR, all, unusable)?;
    }
    settle(&unknown)
}

fn finding(facts: &Facts<'_>, value: &str, told: &Told, of: Option<u64>) -> Finding {
    Finding::on(Subject::new("answer", value.trim().to_lowercase(), format!("{SENSOR}: {value}")))
        .says(format!("{} endpoints say that Performance is not configured", told.count))
        .expected("Performance configured on every endpoint")
        .affected(told.count, of)
        .sample(told.sample.iter().take(5))
        .evidence(facts.seen(&CONFIGURED, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::{Case, tally};

    fn case(counts: &[(&str, u64)]) -> Case {
        Case::of(&NOT_CONFIGURED).tally(&CONFIGURED, SENSOR, counts)
    }

    #[test]
    fn answers_are_sorted_by_the_lists() {
        case(&[("Yes", 100)]).judge().assert_pass();
        case(&[("Yes", 100)]).assert_needs_its_inputs();
        let verdict = case(&[("Yes", 97), ("No", 3)]).judge();
        verdict.assert_findings(&["no"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.of), Some(Some(100)));
        let odd = case(&[("Yes", 97), ("Partly", 3)]);
        odd.judge().assert_undecided(Outcome::NotEvaluated);
        odd.setting("ok_values", json!(["yes", "partly"])).judge().assert_pass();
    }

    #[test]
    fn errors_are_no_answers() {
        let mut errors = tally(SENSOR, &[("Yes", 90)]);
        errors.answered = 100;
        errors.without_value.insert("TSE-Error: x".to_owned(), 10);
        Case::of(&NOT_CONFIGURED)
            .body(&CONFIGURED, Body::Tally(errors))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn exported_results_name_the_endpoints_and_a_number_decides_as_well() {
        let rows = json!([{"Computer Name": "one", "Performance - Configured": "No"},
                          {"Computer Name": "two", "Performance - Configured": "Yes"}]);
        let verdict = Case::of(&NOT_CONFIGURED).rows(&CONFIGURED, rows).judge();
        verdict.assert_findings(&["no"]);
        assert_eq!(verdict.findings()[0].affected.clone().unwrap().sample, ["one"]);
        let broken = json!([{"Computer Name": "one", "Performance - Configured": "[no results]"}]);
        Case::of(&NOT_CONFIGURED).rows(&CONFIGURED, broken).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&NOT_CONFIGURED).answer(&CONFIGURED, 0).judge().assert_pass();
        Case::of(&NOT_CONFIGURED).answer(&CONFIGURED, 4).judge().assert_findings(&["not configured"]);
    }
}
