//! Guide: *Verify TPAN report generation*, page 8: is the solution there at all?

use crate::inputs::HEALTH_CHECK_ID;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{
    ImportedSolution, LICENSE, License, SERVER_INFO, SOLUTIONS, ServerInfo,
};

/// Health Check is imported where the license includes it.
pub(crate) const INSTALLED: Check = Check::automated("health-check.installed")
    .title("Health Check is imported where the license includes it")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(&[&SOLUTIONS, &SERVER_INFO, &LICENSE])
    .guide(&[guide("Verify TPAN report generation", 8)])
    .what("Looks for the solution 99-200-0258 among the imported solutions, or for the workbench Health Check in the server's diagnostics; where neither is there, looks whether a pattern of the licence covers the solution's id.")
    .why("Without Health Check there are no TPAN reports, which Tanium Support asks for first when there is trouble.")
    .limits("A licence pattern such as 99-200-[0-9]… is shared by several solutions: it says that Health Check may be imported, not that it was bought by name.")
    .even_if_absent()
    .remedy(&REMEDY)
    .judge(installed);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Configuration > Solutions", "import Health Check"),
    Step::consult(
        "Health Check User Guide: Configuring Health Check",
        "configure its service account and the generation of reports",
    ),
    Step::decision(
        "the licence does not include it after all",
        "ask Tanium Support, then disable this plugin",
    ),
])
.cautions(&[
    "Importing a solution changes the server: read its release notes and follow your change procedure.",
])
.who("a Console user with the Administrator reserved role")
.risk(Risk::Low, Reversible::Partly)
.references(&["Console User Guide: Import or update specific solutions"]);

fn installed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let solutions = facts.rows::<ImportedSolution>(&SOLUTIONS);
    let diagnostics = facts.object::<ServerInfo>(&SERVER_INFO);
    let imported = solutions
        .iter()
        .flatten()
        .any(|solution| solution.solution_id == HEALTH_CHECK_ID && solution.deleted_flag != Some(true));
    let has_workbench = diagnostics.iter().any(|info| {
        info.section("Installed_Workbenches").any(|(key, _)| matches!(key, "Health Check" | "Health_Check"))
    });
    if imported || has_workbench {
        return Ok(());
    }
    solutions?;
    let license: License = facts.object(&LICENSE)?;
    let covering =
        license.licensed_features.licensed_solutions.iter().find(|one| one.covers(HEALTH_CHECK_ID));
    let Some(covering) = covering else {
        return Err(Undecided::not_applicable("no pattern of the licence covers Health Check (99-200-0258)"));
    };
    report.finding(
        Finding::on(Subject::new("solution", HEALTH_CHECK_ID, "Health Check"))
            .says(format!("is not imported, and may be: the licence entry {:?} covers its id", covering.name))
            .expected("an imported solution")
            .evidence(facts.seen(&LICENSE, &covering.pattern)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(solutions: Value, pattern: &str) -> Case {
        Case::of(&INSTALLED)
            .rows(&SOLUTIONS, solutions)
            .object(&SERVER_INFO, json!({"Diagnostics": {"Installed_Workbenches": {}}}))
            .object(&LICENSE, json!({"licensed_features": {"licensed_solutions": [{"name": "Connect and API", "match": pattern}]}}))
    }

    #[test]
    fn an_imported_solution_passes_whatever_its_name() {
        let imported = json!([{"solution_id": "99-200-0258", "name": "Tanium Health Check (DEV)"}]);
        case(imported, "").judge().assert_pass();
        let workbench = json!({"Diagnostics": {"Installed_Workbenches": {"Health_Check": {"version": "1"}}}});
        case(json!([]), "").object(&SERVER_INFO, workbench).judge().assert_pass();
    }

    #[test]
    fn a_licensed_one_that_is_missing_or_deleted_is_found() {
        let pattern = "99-200-[0-9][0-9][0-9][0-9]";
        case(json!([]), pattern).judge().assert_findings(&["99-200-0258"]);
        let deleted = json!([{"solution_id": "99-200-0258", "deleted_flag": 1}]);
        case(deleted, pattern).judge().assert_findings(&["99-200-0258"]);
    }

    #[test]
    fn without_a_licence_for_it_nothing_applies() {
        case(json!([]), "03-200-[0-9][0-9][0-9][0-9]").judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn what_cannot_be_read_is_not_absent() {
        let case =
            case(json!([]), "99-200-[0-9][0-9][0-9][0-9]").unavailable(&SOLUTIONS, Outcome::NoPermission);
        case.judge().assert_undecided(Outcome::NoPermission);
    }
}
