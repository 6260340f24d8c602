//! Guide: *Review and import solution updates*, page 17: updates that wait.

use crate::inputs::{
    AVAILABLE, DEFERRALS, GRACE_DAYS, GUIDES, Kind, PAGE, SECTION, WAITING, WHO, deferral, offers,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{SERVER_INFO, SOLUTIONS};

const LIMITS: &str = "No public route tells which version can be imported: needs an export, not older than a month. A solution that the export does not list leaves the check undecided.";

/// No update is waiting for modules and shared services.
pub(crate) const MODULES: Check = Check::automated("solutions.module-updates")
    .title("No update is waiting for modules and shared services")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SOLUTIONS, &AVAILABLE, &WAITING, &SERVER_INFO])
    .settings(&[&GRACE_DAYS, &DEFERRALS])
    .guide(&[guide(SECTION, 17)])
    .what("Compares the imported version of each module and shared service with the available one. An update that has waited for `grace_days`, and that `deferrals` does not put off, is listed.")
    .why("Updates close security gaps and keep modules working with each other; the vendor asks to import them as soon as they are there.")
    .limits(LIMITS)
    .related(&["solutions.content-updates", "solutions.deferral-recorded", "advisories.affected-solution", "backup.core-servers-backed-up"])
    .remedy(&MODULES_REMEDY)
    .judge(module_updates);

const MODULES_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the release notes of {subject} {available}", "what changes, and what it needs"),
    Step::decision(
        "policy demands a test",
        "test it in the lab, and record the deferral in `deferrals` with the date and the reason",
    ),
    Step::console("the backup of the Tanium Server and the Module Server", "take one before the import"),
    Step::console(PAGE, "import {subject} {available}"),
    Step::console("the workbench of {subject}", "see that it opens, and that its service is well"),
])
.cautions(&[
    "An import can change tools on endpoints and content.",
    "Do not import all updates at once: read the notes of each, and honour the policy for tests.",
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.references(GUIDES);

fn module_updates(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, Kind::Module)
}

/// No update is waiting for content-only solutions.
pub(crate) const CONTENT: Check = Check::automated("solutions.content-updates")
    .title("No update is waiting for content-only solutions")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&SOLUTIONS, &AVAILABLE, &WAITING, &SERVER_INFO])
    .settings(&[&GRACE_DAYS, &DEFERRALS])
    .guide(&[guide(SECTION, 17), guide("Review and update scheduled actions", 39)])
    .what("Compares the imported version of each content-only solution with the available one. An update that has waited for `grace_days`, and that `deferrals` does not put off, is listed.")
    .why("Sensors and packages of modules rely on core content; old content gives wrong answers.")
    .limits(LIMITS)
    .related(&["solutions.module-updates", "solutions.deferral-recorded", "actions.service-account-issued"])
    .remedy(&CONTENT_REMEDY)
    .judge(content_updates);

const CONTENT_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the release notes of {subject} {available}", "what changes"),
    Step::console(PAGE, "import {subject} {available}"),
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "look for scheduled actions that the import added or changed",
    ),
])
.cautions(&["An import may add or change scheduled actions that Administrator or tanium issues."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(GUIDES);

fn content_updates(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, Kind::Content)
}

fn judge(facts: &Facts<'_>, report: &mut Report, kind: Kind) -> Result<(), Undecided> {
    let offers = offers(facts, report)?;
    let grace = facts.integer(&GRACE_DAYS)?;
    for update in offers.updates.iter().filter(|update| update.kind == kind && update.waits_days >= grace) {
        let (name, available) = (&update.offered.name, &update.offered.available);
        let deferral = deferral(facts, &update.offered)?;
        let ended = match deferral {
            Some(deferral) if deferral.is_in_date(facts) => {
                report
                    .note(format!("{name} {available} waits until {}: {}", deferral.until, deferral.reason));
                continue;
            }
            Some(deferral) => format!("; its deferral ended on {}", deferral.until),
            None => String::new(),
        };
        let waits = match update.waits_days {
            0 => String::new(),
            days => format!(", days of waiting: {days}"),
        };
        report.finding(
            Finding::on(update.subject())
                .says(format!("{} is imported, {available} is available{waits}{ended}", update.imported))
                .expected(format!("version {available}, or a deferral"))
                .fill("available", available)
                .evidence(facts.seen(&SOLUTIONS, &update.imported))
                .evidence(facts.seen(&AVAILABLE, available)),
        );
    }
    let unknown: Vec<String> =
        offers.unknown.into_iter().filter(|(of, _)| *of == kind).map(|(_, why)| why).collect();
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn offer(id: &str, name: &str, kind: &str, available: &str) -> Value {
        json!({"Name": name, "Solution ID": id, "Type": kind, "Imported Version": "1.0.0.0001", "Available Version": available})
    }

    fn case(check: &'static Check, offers: Value) -> Case {
        let installed = json!([
            {"solution_id": "99-200-0008", "name": "Tanium Connect", "imported_version": "1.0.0.0001"},
            {"solution_id": "01-001-0019", "name": "Client Maintenance", "imported_version": "1.0.0.0001", "deleted_flag": 0},
        ]);
        Case::of(check)
            .rows(&SOLUTIONS, installed)
            .rows(&AVAILABLE, offers)
            .object(&SERVER_INFO, json!({"Diagnostics": {"Installed_Workbenches": {"Connect": {}}}}))
            .weekly(&WAITING, "solutions.waiting.99-200-0008.1.1.0.0001", &[1.0, 1.0])
    }

    fn offers(connect: &str, maintenance: &str) -> Value {
        json!([
            offer("99-200-0008", "Tanium Connect", "Module", connect),
            offer("01-001-0019", "Client Maintenance", "Content", maintenance),
            offer("03-100-0030", "Tanium Patch", "Module", "9.9")
        ])
    }

    #[test]
    fn each_kind_of_update_has_its_check() {
        case(&MODULES, offers("1.0.0.1", "2.0")).judge().assert_pass();
        let verdict = case(&MODULES, offers("1.1.0.0001", "2.0")).judge();
        verdict.assert_findings(&["99-200-0008"]);
        assert_eq!(
            verdict.findings()[0].says,
            "1.0.0.0001 is imported, 1.1.0.0001 is available, days of waiting: 14"
        );
        case(&CONTENT, offers("1.1.0.0001", "2.0")).judge().assert_findings(&["01-001-0019"]);
        case(&CONTENT, offers("1.1.0.0001", "1.0.0.0001")).judge().assert_pass();
        assert_eq!(verdict.measures().len(), 2, "what waits is stored");
        case(&MODULES, offers("1.1.0.0001", "2.0")).assert_needs_its_inputs();
    }

    #[test]
    fn an_update_may_wait_for_a_while_or_for_a_reason() {
        let late =
            |grace: i64| case(&MODULES, offers("1.1.0.0001", "2.0")).setting("grace_days", grace).judge();
        late(14).assert_findings(&["99-200-0008"]);
        late(15).assert_pass();
        let deferred = |entry: Value| {
            case(&MODULES, offers("1.1.0.0001", "2.0"))
                .setting("deferrals", json!({"tanium connect": entry}))
                .judge()
        };
        let verdict = deferred(json!(["2026-06-30", "lab test"]));
        verdict.assert_pass();
        assert_eq!(verdict.notes().len(), 1);
        let ended = deferred(json!(["2026-06-29"]));
        ended.assert_findings(&["99-200-0008"]);
        assert!(ended.findings()[0].says.ends_with("ended on 2026-06-29"));
        deferred(json!(["soon"])).assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn what_is_not_known_is_not_up_to_date() {
        let undecided = |check: &'static Check, rows: Value| {
            case(check, rows).judge().assert_undecided(Outcome::NotEvaluated)
        };
        undecided(&MODULES, json!([offer("01-001-0019", "Client Maintenance", "Content", "1.0.0.0001")]));
        undecided(&CONTENT, json!([offer("99-200-0008", "Tanium Connect", "Module", "1.0.0.0001")]));
        undecided(&MODULES, offers("", "2.0"));
        let mut odd = offers("1.0.0.1", "1.0.0.1");
        odd[0]["Type"] = json!("Gadget");
        undecided(&CONTENT, odd);
    }
}
