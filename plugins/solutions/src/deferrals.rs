//! Guide: *Review and import solution updates*, page 17: updates that wait on purpose, and those that were tested first.

use crate::inputs::{AVAILABLE, GRACE_DAYS, GUIDES, PAGE, SECTION, WAITING, offers};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{ImportedSolution, SERVER_INFO, SOLUTIONS};

const CHANGE_MANAGER: &str = "change manager";

/// Delayed updates have a reason and a date.
pub(crate) const RECORDED: Check = Check::attested("solutions.deferral-recorded")
    .title("Delayed updates have a reason and a date")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SOLUTIONS, &AVAILABLE, &WAITING, &SERVER_INFO])
    .settings(&[&GRACE_DAYS])
    .due_every(&MAX_DEFERRAL_DAYS)
    .guide(&[guide(SECTION, 17)])
    .what("Asks for a confirmation of each update that has waited for `grace_days`: reason, approver and target date. It ends after `max_deferral_days`, on the date that it names, or when another version is offered.")
    .why("An update that nobody put off on purpose was forgotten.")
    .limits("Knows the updates from the same export as solutions.module-updates.")
    .related(&["solutions.module-updates", "solutions.content-updates"])
    .remedy(&RECORDED_REMEDY)
    .judge(deferral_recorded);

const MAX_DEFERRAL_DAYS: Setting = Setting::integer("max_deferral_days", 90, 1, 730)
    .unit("days")
    .about("how long an update may be put off by one decision");

const RECORDED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever answers for {subject}", "why {available} is not imported, who approved that, and until when"),
    Step::command(
        "tancheck attest solutions.deferral-recorded --subject {id} --result done --by NAME --valid-until DATE --note REASON",
        "records reason, approver and target date",
    ),
    Step::decision("there is no reason", "import the update"),
    Step::console(PAGE, "on the target date: import {subject} {available}, or renew the decision"),
])
.cautions(&["A deferral does not close the gaps that the update closes: see advisories.affected-solution."])
.who(CHANGE_MANAGER)
.risk(Risk::None, Reversible::Yes)
.references(GUIDES);

fn deferral_recorded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let offers = offers(facts, report)?;
    let grace = facts.integer(&GRACE_DAYS)?;
    let mut waiting = offers.updates.iter().filter(|update| update.waits_days >= grace).peekable();
    if waiting.peek().is_none() {
        let unknown: Vec<String> = offers.unknown.into_iter().map(|(_, why)| why).collect();
        settle(&unknown)?;
        return Err(Undecided::not_applicable("no update is waiting"));
    }
    for update in waiting {
        let available = &update.offered.available;
        report.finding(
            Finding::on(update.subject())
                .says(format!("{} is imported, {available} is available", update.imported))
                .expected("a reason, an approver and a target date")
                .fill("available", available)
                .fill("id", &update.offered.id)
                .confirms(available.to_string())
                .evidence(facts.seen(&AVAILABLE, available)),
        );
    }
    Ok(())
}

/// Where policy asks, the update was tested in a lab.
pub(crate) const LAB_TESTED: Check = Check::attested("solutions.lab-tested")
    .title("Where policy asks, the update was tested in a lab")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&SOLUTIONS])
    .settings(&[&POLICY_REQUIRES_LAB, &LAB_WINDOW_DAYS])
    .due_every(&LAB_TEST_VALID_DAYS)
    .guide(&[guide(SECTION, 17)])
    .what("Where `policy_requires_lab` is on: asks for the lab test of each solution that was imported within the last `lab_window_days`. A confirmation holds for the imported version.")
    .why("A policy that nobody follows protects nothing.")
    .related(&["solutions.module-updates"])
    .remedy(&LAB_TESTED_REMEDY)
    .judge(lab_tested);

const POLICY_REQUIRES_LAB: Setting = Setting::flag("policy_requires_lab", false)
    .about("whether the site's policy wants every update to be tested in a lab first");

const LAB_WINDOW_DAYS: Setting = Setting::integer("lab_window_days", 90, 1, 730)
    .unit("days")
    .about("how long after an import its lab test is asked for");

const LAB_TEST_VALID_DAYS: Setting = Setting::integer("lab_test_valid_days", 730, 1, 3650)
    .unit("days")
    .about("how long the confirmation of a lab test is good for");

const LAB_TESTED_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "whoever imported {subject}",
        "whether version {version} was tested in the lab, with what result",
    ),
    Step::decision("it was not", "test it in the lab now, and decide with the result whether it stays"),
    Step::command(
        "tancheck attest solutions.lab-tested --subject {id} --result done --by NAME --note RESULT",
        "records the test",
    ),
])
.who(CHANGE_MANAGER)
.risk(Risk::None, Reversible::Yes)
.references(GUIDES);

fn lab_tested(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if !facts.flag(&POLICY_REQUIRES_LAB) {
        return Err(Undecided::not_applicable("no policy asks for lab tests (`policy_requires_lab` is off)"));
    }
    let solutions: Vec<ImportedSolution> = facts.rows(&SOLUTIONS)?;
    let window = facts.integer(&LAB_WINDOW_DAYS)?;
    let mut unknown = Vec::new();
    let mut listed = false;
    for solution in solutions.iter().filter(|solution| solution.deleted_flag != Some(true)) {
        let Some(imported) = solution.last_update else {
            unknown.push(format!("it is not known when {} was imported", solution.name));
            continue;
        };
        let days = facts.days_since(imported);
        if days >= window {
            continue;
        }
        listed = true;
        let version = &solution.imported_version;
        report.finding(
            Finding::on(Subject::new("solution", &solution.solution_id, &solution.name))
                .says(format!("version {version} was imported on {}", imported.strftime("%Y-%m-%d")))
                .expected("a lab test")
                .fill("version", version)
                .fill("id", &solution.solution_id)
                .confirms(version.to_string())
                .evidence(facts.seen(&SOLUTIONS, version)),
        );
    }
    settle(&unknown)?;
    if listed {
        Ok(())
    } else {
        Err(facts.absent(&SOLUTIONS, format!("nothing was imported within {window} days")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn recorded(available: &str) -> Case {
        let row = json!([{"Name": "Tanium Connect", "Solution ID": "99-200-0008", "Type": "Module",
            "Imported Version": "1.0", "Available Version": available}]);
        Case::of(&RECORDED)
            .rows(
                &SOLUTIONS,
                json!([{"solution_id": "99-200-0008", "name": "Tanium Connect", "imported_version": "1.0"}]),
            )
            .rows(&AVAILABLE, row)
            .weekly(&WAITING, "solutions.waiting.99-200-0008.1.1", &[1.0])
    }

    #[test]
    fn each_waiting_update_awaits_a_decision_about_its_version() {
        let verdict = recorded("1.1").judge();
        verdict.assert_findings(&["99-200-0008"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("1.1"));
        recorded("1.0").judge().assert_undecided(Outcome::NotApplicable);
        recorded("").judge().assert_undecided(Outcome::NotEvaluated);
        recorded("1.1").setting("grace_days", 8).judge().assert_undecided(Outcome::NotApplicable);
        recorded("1.1").assert_needs_its_inputs();
    }

    fn tested(updated: Value) -> Case {
        let row = json!([{"solution_id": "99-200-0008", "name": "Tanium Connect", "imported_version": "1.0", "last_update": updated}]);
        Case::of(&LAB_TESTED).rows(&SOLUTIONS, row).setting("policy_requires_lab", true)
    }

    #[test]
    fn recent_imports_await_the_result_of_their_test() {
        let verdict = tested(json!("2026-06-01T00:00:00Z")).judge();
        verdict.assert_findings(&["99-200-0008"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("1.0"));
        tested(json!("2026-01-01T00:00:00Z")).judge().assert_undecided(Outcome::NotApplicable);
        tested(json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        tested(json!("2026-06-01T00:00:00Z"))
            .setting("policy_requires_lab", false)
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        tested(json!("2026-06-01T00:00:00Z")).assert_needs_its_inputs();
    }
}
