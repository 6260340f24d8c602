//! The summary at the end of the output, and what it may say about the licence agreement.

use super::output::{DUE_EVERY_DAYS, HEALTH_OUTPUT, Level, Line, Run, recent_runs};
use super::{GUIDE, LIMITS};
use crate::inputs::{APPLIANCES, TANADMIN, TROUBLESHOOTING, subject};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::LICENSE;

/// How severe an item is, by its text.
const SEVERITY_BY_TEXT: Setting = Setting::table("severity_by_text_map").about(
    "severities of actionable items by parts of their text: { critical = [\"replication\"], low = [\"EULA\"] }; the others are high",
);

/// No actionable items.
pub(crate) const ACTIONABLE_ITEMS: Check = Check::automated("appliance.hc-actionable-items")
    .title("The TanOS Health Check ends without actionable items")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&LICENSE, &HEALTH_OUTPUT])
    .settings(&[&APPLIANCES, &DUE_EVERY_DAYS, &SEVERITY_BY_TEXT])
    .guide(GUIDE)
    .applies("Appliances")
    .what("Finds each line with the level action in the summary of the newest output of each Appliance. An output without a summary, or an old one, decides nothing.")
    .why("The summary is what TanOS itself asks you to do.")
    .limits(LIMITS)
    .related(&["appliance.health-check-run", "appliance.eula-accepted"])
    .remedy(&ITEMS_REMEDY)
    .judge(actionable_items);

const ITEMS_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {appliance}", "take up the item: {item}"),
    Step::consult(TROUBLESHOOTING, "resolve it as described there"),
    Step::console(
        "TanOS on {appliance}",
        "run the Health Check again and write the new output into tanos-health-check.csv",
    ),
    Step::support("if the item stays: bring the whole output"),
])
.who(TANADMIN)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Appliance Deployment Guide: Run the Health Check", TROUBLESHOOTING]);

fn actionable_items(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (runs, mut unknown) = recent_runs(facts)?;
    for run in &runs {
        if run.section("summary").next().is_none() {
            unknown.push(format!("the output of {} has no section summary", run.appliance));
        }
        for line in run.section("summary").filter(|line| line.level == Level::Action) {
            let key = format!("{}: {}", run.appliance.to_lowercase(), line.key());
            report.finding(
                Finding::on(Subject::new("actionable item", key, &run.appliance))
                    .severity(severity(facts, &line.text)?)
                    .says(format!("asks for an action: {}", line.text))
                    .expected("no actionable item")
                    .fill("appliance", &run.appliance)
                    .fill("item", &line.text)
                    .evidence(facts.seen(&HEALTH_OUTPUT, (&line.text, run.at))),
            );
        }
    }
    settle(&unknown)
}

/// The severity that the site gives an item.
fn severity(facts: &Facts<'_>, text: &str) -> Result<Severity, Undecided> {
    let text = text.to_lowercase();
    for (word, parts) in facts.table(&SEVERITY_BY_TEXT) {
        let Some(severity) = Severity::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(word))
        else {
            return Err(Undecided::not_evaluated(format!("`severity_by_text_map`: {word:?} is no severity")));
        };
        if parts.iter().any(|part| text.contains(&part.to_lowercase())) {
            return Ok(severity);
        }
    }
    Ok(Severity::High)
}

/// The licence agreement is accepted.
pub(crate) const EULA_ACCEPTED: Check = Check::automated("appliance.eula-accepted")
    .title("The End User License Agreement is accepted on each Appliance")
    .cadence(&[Cadence::Setup, Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&LICENSE, &HEALTH_OUTPUT])
    .settings(&[&APPLIANCES, &DUE_EVERY_DAYS])
    .guide(GUIDE)
    .applies("Appliances")
    .what("Finds a line in the newest output of each Appliance that says that the EULA, or End User License Agreement, is not accepted. A recent output without such a line passes.")
    .why("TanOS keeps functions back until it is accepted, and nobody knows on whose word it runs.")
    .limits("The line's wording is not public: it is recognised by EULA or End User License Agreement, and not accepted.")
    .related(&["appliance.hc-actionable-items"])
    .remedy(&EULA_REMEDY)
    .judge(eula_accepted);

const EULA_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever may bind the organization", "read the agreement and decide about it"),
    Step::console("TanOS on {appliance}", "sign in as tanadmin and accept the agreement"),
    Step::console(
        "TanOS on {appliance}",
        "run the Health Check again and write the new output into tanos-health-check.csv",
    ),
])
.cautions(&["Only a person who is entitled to bind the organization may accept it."])
.who(TANADMIN)
.risk(Risk::Low, Reversible::No)
.references(&["Appliance Deployment Guide: Run the Health Check"]);

fn eula_accepted(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (runs, old) = recent_runs(facts)?;
    for (run, line) in runs.iter().filter_map(|run| Some((run, run.lines.iter().find(|line| refuses(line))?)))
    {
        report.finding(says_so(facts, run, line));
    }
    settle(&old)
}

/// Whether a line says that the agreement is not accepted.
fn refuses(line: &Line) -> bool {
    let text = line.text.to_lowercase();
    let names_it = text.contains("eula") || text.contains("end user license agreement");
    names_it
        && ["not accepted", "not been accepted", "not yet accepted"].iter().any(|word| text.contains(word))
}

fn says_so(facts: &Facts<'_>, run: &Run, line: &Line) -> Finding {
    Finding::on(subject(&run.appliance))
        .says(format!("its Health Check says: {}", line.text))
        .expected("an accepted agreement")
        .fill("appliance", &run.appliance)
        .evidence(facts.seen(&HEALTH_OUTPUT, (&line.text, run.at)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::line;
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, rows: Value) -> Case {
        deployment(check, &[]).rows(&HEALTH_OUTPUT, rows)
    }

    #[test]
    fn each_actionable_item_is_found_with_its_severity() {
        let items = json!([
            line("summary", "action", "Accept the EULA"),
            line("Summary", "action", "Repair replication of node 2"),
            line("hardware", "failure", "a fan failed")
        ]);
        let found = case(&ACTIONABLE_ITEMS, items)
            .setting("severity_by_text_map", json!({"critical": ["replication"], "low": ["eula"]}))
            .judge();
        found.assert_findings(&["ts1: accept the eula", "ts1: repair replication of node"]);
        let severities: Vec<_> = found.findings().iter().map(|one| one.severity).collect();
        assert_eq!(severities, [Some(Severity::Low), Some(Severity::Critical)]);
        case(&ACTIONABLE_ITEMS, json!([line("summary", "ok", "nothing to do")])).judge().assert_pass();
        case(&ACTIONABLE_ITEMS, json!([line("summary", "ok", "nothing to do")])).assert_needs_its_inputs();
    }

    #[test]
    fn an_output_without_a_summary_decides_nothing() {
        let rows = json!([line("hardware", "ok", "fine")]);
        case(&ACTIONABLE_ITEMS, rows).judge().assert_undecided(Outcome::NotEvaluated);
        let odd = case(&ACTIONABLE_ITEMS, json!([line("summary", "action", "x")]))
            .setting("severity_by_text_map", json!({"grave": ["x"]}));
        odd.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_agreement_that_is_not_accepted_is_found_in_any_section() {
        for text in ["EULA is not accepted", "The End User License Agreement has not been accepted"] {
            let rows = json!([line("summary", "action", text), line("users", "warning", text)]);
            case(&EULA_ACCEPTED, rows).judge().assert_findings(&["ts1"]);
        }
        for text in ["EULA accepted", "the request was not accepted"] {
            case(&EULA_ACCEPTED, json!([line("summary", "ok", text)])).judge().assert_pass();
        }
        case(&EULA_ACCEPTED, json!([line("summary", "ok", "fine")])).assert_needs_its_inputs();
    }

    #[test]
    fn an_old_output_decides_nothing() {
        let old = case(&EULA_ACCEPTED, json!([line("summary", "ok", "fine")])).at("2026-09-01T00:00:00Z");
        old.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
