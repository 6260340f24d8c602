//! Uninstalling: who would miss the module, and what it left behind.

use crate::chapters::UNINSTALL;
use crate::inputs::endpoints::TOOLS;
use crate::inputs::platform::{MODULE, imported};
use crate::presence::consumers;
use crate::tools::own_packages;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{PACKAGES, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction};
use tancheck_plugin_api::records::server::SOLUTIONS;

const PLANNED: Setting = Setting::flag("uninstall_planned", false)
    .about("Direct Connect is to be uninstalled: look who would miss it");

/// Nobody would miss it.
pub(crate) const GUARD: Check = Check::automated("direct-connect.uninstall-guard")
    .title("No product needs Direct Connect before it is uninstalled")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&SOLUTIONS])
    .settings(&[&PLANNED])
    .guide(UNINSTALL)
    .applies("an uninstallation that is planned")
    .what("While `uninstall_planned` is set: looks which of Client Management, Performance, Protect, Reveal and Threat Response are imported.")
    .why("Direct Connect is shared: removing it, or its tools, can break other solutions in ways that nobody expects.")
    .limits("Other solutions may use it, too: the list is that of the guide.")
    .related(&["direct-connect.uninstall-leftovers"])
    .remedy(&GUARD_REMEDY)
    .judge(guard);

const GUARD_REMEDY: Remedy = Remedy::new(&[
    Step::support("whether it is advisable to uninstall Direct Connect while {subject} is there"),
    Step::decision("it is", "first remove tools and content from endpoints, one operating system at a time, then the solution"),
    Step::command("tancheck guide direct-connect uninstall-endpoints", "the steps, in their order"),
])
.cautions(&["Removing the tools from endpoints is not undone by importing the solution again: they are deployed anew."])
.who("the owners of the deployment")
.risk(Risk::High, Reversible::Partly)
.references(&["Direct Connect User Guide: Uninstall Direct Connect"]);

fn guard(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if !facts.flag(&PLANNED) {
        return Err(Undecided::not_applicable("no uninstallation is planned (`uninstall_planned`)"));
    }
    for name in consumers(facts)? {
        report.finding(
            Finding::on(Subject::new("module", name.to_lowercase().replace(' ', "-"), name))
                .says("is imported and connects to endpoints by Direct Connect")
                .expected("no product that uses Direct Connect")
                .evidence(facts.seen(&SOLUTIONS, name)),
        );
    }
    Ok(())
}

/// Nothing was left behind.
pub(crate) const LEFTOVERS: Check = Check::automated("direct-connect.uninstall-leftovers")
    .title("Nothing of Direct Connect is left where it was uninstalled")
    .cadence(&[Cadence::Quarterly, Cadence::AsNeeded])
    .severity(Severity::Low)
    .reads(&[&SOLUTIONS, &PACKAGES, &SCHEDULED_ACTIONS, &TOOLS])
    .guide(UNINSTALL)
    .even_if_absent()
    .applies("Direct Connect not imported")
    .what("While Direct Connect is not imported: looks for its packages, its scheduled actions, and endpoints that still answer with installed tools.")
    .why("Tools that nobody updates stay on endpoints, and scheduled actions bring them back.")
    .limits("Without the module its sensor may be gone, too: then endpoints cannot be asked.")
    .related(&["direct-connect.uninstall-guard"])
    .remedy(&LEFTOVERS_REMEDY)
    .judge(leftovers);

const LEFTOVERS_REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "the packages Direct Connect - Remove Tools are still there",
        "deploy that of each operating system to the endpoints that answer Package Installed",
    ),
    Step::decision(
        "they are gone",
        "import Direct Connect again, remove the tools, and uninstall it once more",
    ),
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "disable {subject}, if it is an action of Direct Connect, and delete it once the tools are gone",
    ),
])
.cautions(&["Endpoints that are offline keep the tools until they are asked again."])
.who("a Console user who may deploy actions")
.risk(Risk::Medium, Reversible::No)
.references(&["Direct Connect User Guide: Remove Direct Connect content and tools from endpoints"]);

fn leftovers(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if imported(facts, MODULE)?.is_some() {
        return Err(Undecided::not_applicable("Direct Connect is imported"));
    }
    let packages = own_packages(facts)?;
    if !packages.is_empty() {
        report.finding(
            Finding::on(Subject::new("content", "packages", "packages of Direct Connect"))
                .says(format!("are left: {}", packages.join(", ")))
                .expected("none")
                .affected(packages.len() as u64, None)
                .sample(packages.iter().take(5))
                .evidence(facts.seen(&PACKAGES, &packages)),
        );
    }
    let actions: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    for action in actions.iter().filter(|action| {
        action.name.starts_with("Deploy Direct Connect - ")
            && action.status() != Some(ScheduleStatus::Deleted)
    }) {
        report.finding(
            Finding::on(Subject::new("scheduled action", &action.id, &action.name))
                .says("is left")
                .expected("none")
                .evidence(facts.seen(&SCHEDULED_ACTIONS, &action.status)),
        );
    }
    let tally = facts.tally(&TOOLS)?;
    let is_installed = |cells: &[String]| {
        cells.first().is_some_and(|text| text.to_lowercase().contains("package installed"))
    };
    let count: u64 = tally.rows.iter().filter(|row| is_installed(&row.cells)).map(|row| row.count).sum();
    if count > 0 {
        report.finding(
            Finding::on(Subject::new("endpoints", "tools", "endpoints with tools of Direct Connect"))
                .says(format!("{count} still answer with installed tools"))
                .expected("none")
                .affected(count, Some(tally.valued()))
                .evidence(facts.seen(&TOOLS, count)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn the_guard_waits_for_the_plan() {
        let case = |names: &[&str]| {
            let rows: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
            Case::of(&GUARD).rows(&SOLUTIONS, rows.into()).setting("uninstall_planned", true)
        };
        case(&["Tanium Direct Connect", "Patch"]).judge().assert_pass();
        case(&["Patch"]).assert_needs_its_inputs();
        case(&["Tanium Reveal", "Tanium Performance"]).judge().assert_findings(&["performance", "reveal"]);
        let unplanned = case(&["Tanium Reveal"]).setting("uninstall_planned", false);
        unplanned.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn what_is_left_is_found() {
        let case = |solution: &str, package: &str, action: &str, tools: &str| {
            Case::of(&LEFTOVERS)
                .rows(&SOLUTIONS, json!([{"name": solution}]))
                .rows(&PACKAGES, json!([{"name": package}]))
                .rows(&SCHEDULED_ACTIONS, json!([{"id": 7, "name": action, "status": 0}]))
                .tally(&TOOLS, "Direct Connect - Tools Version", &[(tools, 3)])
        };
        case("Patch", "Patch", "Other", "Removed").judge().assert_pass();
        case("Patch", "Patch", "Other", "Removed").assert_needs_its_inputs();
        let left =
            case("Patch", "Direct Connect - Tools", "Deploy Direct Connect - Tools", "Mac Package Installed");
        left.judge().assert_findings(&["packages", "7", "tools"]);
        let there = case("Direct Connect", "Direct Connect - Tools", "x", "y");
        there.judge().assert_undecided(Outcome::NotApplicable);
    }
}
