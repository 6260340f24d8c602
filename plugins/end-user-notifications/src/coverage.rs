//! The numbers No and Unsupported of the dashboard Health.

use crate::{CHAPTER, COLUMNS, DASHBOARD, GUIDE, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::Panel;
use tancheck_plugin_api::templates::panel::{Counted, Row, Shown, shown, whole};

const LIMITS: &str =
    "The dashboard has no public route: an exported list or the number that somebody read off decides.";

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 10_000_000)
    .unit("endpoints")
    .about("how many endpoints may be without the tools");

const MISSING_ROWS: Input = Input::new(
    "end-user-notifications.missing",
    "endpoints under No on the dashboard Health",
)
.sources(&[
    Source::export(
        "end-user-notifications-tools-missing.csv",
        DASHBOARD,
        "on the dashboard Health, click the number above No and export the results with these columns",
        COLUMNS,
    ),
    Source::answer(
        "Which number stands above No on the dashboard Health? (Administration > Shared Services > End-User \
             Notifications)",
        Accepts::Number,
        30,
    ),
]);

const MISSING_PANEL: Panel = Panel::new(
    &MISSING_ROWS,
    "tools-missing",
    "No (tools installed)",
    "do not have the End-User Notifications tools",
)
.grouped_by(&["Operating System", "Tools Status"]);

/// The tools are installed.
pub(crate) const MISSING: Check = Check::automated("end-user-notifications.tools-missing")
    .title("The End-User Notifications tools are installed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&MISSING_ROWS])
    .settings(&[&MAX_ENDPOINTS])
    .guide(GUIDE)
    .what("Counts the endpoints under No on the dashboard Health, and compares with `max_endpoints`.")
    .why("Without the tools nobody is told before an endpoint restarts, and Patch and Deploy may wait or interrupt work.")
    .limits(LIMITS)
    .related(&["endpoint-configuration.tools-status", "end-user-notifications.tools-outdated"])
    .remedy(&MISSING_REMEDY)
    .judge(missing);

const MISSING_REMEDY: Remedy = Remedy::new(&[
    Step::console(DASHBOARD, "on the dashboard Health, click the number above No: the endpoints are listed"),
    Step::decision(
        "other tools are missing on these endpoints as well",
        "begin with Endpoint Configuration, which installs them all",
    ),
    Step::consult(CHAPTER, "follow it for the listed endpoints"),
    Step::console(DASHBOARD, "see that the number falls; export the list again or answer the new number"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[CHAPTER]);

fn missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    MISSING_PANEL.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?)
}

/// Operating systems that are known to be without the tools.
const ACCEPTED_OS: Setting = Setting::list("accepted_os", &[])
    .about("beginnings of the names of operating systems on which these tools are not expected");

const UNSUPPORTED_ROWS: Input =
    Input::new("end-user-notifications.unsupported", "endpoints under Unsupported on the dashboard Health").sources(&[
        Source::export(
            "end-user-notifications-tools-unsupported.csv",
            DASHBOARD,
            "on the dashboard Health, click the number above Unsupported and export the results with these columns",
            COLUMNS,
        ),
        Source::answer(
            "Which number stands above Unsupported on the dashboard Health? (Administration > Shared Services > \
             End-User Notifications)",
            Accepts::Number,
            30,
        ),
    ]);

const UNSUPPORTED_PANEL: Panel = Panel::new(
    &UNSUPPORTED_ROWS,
    "tools-unsupported",
    "Unsupported",
    "cannot have the End-User Notifications tools",
)
.grouped_by(&["Operating System"]);

/// Endpoints that cannot have the tools are known.
pub(crate) const UNSUPPORTED: Check = Check::automated("end-user-notifications.tools-unsupported")
    .title("Endpoints that cannot have the End-User Notifications tools are known")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .reads(&[&UNSUPPORTED_ROWS])
    .settings(&[&ACCEPTED_OS])
    .guide(GUIDE)
    .what("Lists the endpoints under Unsupported whose operating system is not in `accepted_os`.")
    .why("Deployments that wait for somebody's answer never run on such an endpoint.")
    .limits(LIMITS)
    .related(&["end-user-notifications.tools-missing"])
    .remedy(&UNSUPPORTED_REMEDY)
    .judge(unsupported);

const UNSUPPORTED_REMEDY: Remedy = Remedy::new(&[
    Step::console(DASHBOARD, "on the dashboard Health, click the number above Unsupported"),
    Step::decision(
        "an operating system is not supported and stays",
        "take it out of what the tools are installed on, and name it in `accepted_os`",
    ),
    Step::decision(
        "a supported operating system is listed",
        "look up its version in the user guide's requirements: an upgrade may make it supported",
    ),
])
.who(WHO)
.references(&["End-User Notifications User Guide: Requirements"]);

fn unsupported(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let accepted = facts.list(&ACCEPTED_OS);
    let is_accepted = |row: &Row| {
        let system = row.cell("Operating System").to_lowercase();
        accepted.iter().any(|beginning| system.starts_with(&beginning.to_lowercase()))
    };
    let counted = match shown::<Row>(facts, &UNSUPPORTED_ROWS)? {
        Shown::Rows(rows) => {
            let open: Vec<Row> = rows.into_iter().filter(|row| !is_accepted(row)).collect();
            UNSUPPORTED_PANEL.count_rows(&open)?
        }
        Shown::Answer(answer) => Counted { count: whole(answer)?, ..Counted::default() },
    };
    if counted.count > 0 {
        report.finding(
            UNSUPPORTED_PANEL
                .finding(facts, &counted)
                .expected("none but the operating systems in `accepted_os`"),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn rows(systems: &[&str]) -> Value {
        systems.iter().map(|system| json!({"Computer Name": "pc1", "Operating System": system})).collect()
    }

    #[test]
    fn every_listed_endpoint_counts_as_missing() {
        Case::of(&MISSING)
            .rows(&MISSING_ROWS, rows(&["Windows 11"]))
            .judge()
            .assert_findings(&["tools-missing"]);
        Case::of(&MISSING).rows(&MISSING_ROWS, rows(&[])).judge().assert_pass();
        Case::of(&MISSING).answer(&MISSING_ROWS, 3).setting("max_endpoints", 3).judge().assert_pass();
        Case::of(&MISSING)
            .answer(&MISSING_ROWS, 4)
            .setting("max_endpoints", 3)
            .judge()
            .assert_findings(&["tools-missing"]);
        Case::of(&MISSING).rows(&MISSING_ROWS, rows(&[])).assert_needs_its_inputs();
    }

    #[test]
    fn accepted_systems_are_left_out() {
        let case = |systems| {
            Case::of(&UNSUPPORTED)
                .setting("accepted_os", json!(["ubuntu"]))
                .rows(&UNSUPPORTED_ROWS, rows(systems))
        };
        case(&["Ubuntu 22.04"]).judge().assert_pass();
        let verdict = case(&["Ubuntu 22.04", "AIX 7"]).judge();
        verdict.assert_findings(&["tools-unsupported"]);
        assert!(verdict.findings()[0].says.starts_with("1 endpoint cannot"));
        Case::of(&UNSUPPORTED).answer(&UNSUPPORTED_ROWS, 0).judge().assert_pass();
        Case::of(&UNSUPPORTED).answer(&UNSUPPORTED_ROWS, 1).judge().assert_findings(&["tools-unsupported"]);
        case(&[]).assert_needs_its_inputs();
    }
}
