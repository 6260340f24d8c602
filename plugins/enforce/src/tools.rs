//! The Enforce tools on endpoints, as Endpoint Configuration tells them.

use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{complete, failed};
use tancheck_plugin_api::records::extensions::{TOOLS_STATUS, ToolRow, ToolState, VALUE_MAP, tools};
use tancheck_plugin_api::templates::Panel;

const WHO: &str = "a user holding the Enforce role permissions named in the Enforce user guide";
const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Enforce coverage", 28)];
const DASHBOARD: &str = "Modules > Enforce > Overview";
/// The question of the guide.
const QUESTION: &str = "Get?forceComputerIdFlag=1 Endpoint Configuration - Tools Status?ignoreCase=0&maxAge=600 contains Enforce from all machines";
const COLUMNS: &[&str] =
    &["Computer Name", "Operating System", "IP Address", "Endpoint Configuration - Tools Status"];

const NOT_INSTALLED: Input =
    Input::new("enforce.not-installed", "endpoints without Enforce tools, as the dashboard shows them")
        .sources(&[
            Source::export(
                "enforce-tools-missing.csv",
                "Modules > Enforce > Overview",
                "click the number above Not Installed and export the results with these columns",
                COLUMNS,
            ),
            Source::answer(
                "the number above Not Installed in the Health dashboard of Enforce",
                Accepts::Number,
                31,
            ),
        ]);

const NOT_ACTIVE: Input = Input::new(
    "enforce.not-active",
    "endpoints whose Enforce tools are not active, as the dashboard shows them",
)
.sources(&[
    Source::export(
        "enforce-tools-inactive.csv",
        "Modules > Enforce > Overview",
        "click the number of endpoints whose tools are installed and not active, and export the results with \
                 these columns",
        COLUMNS,
    ),
    Source::answer(
        "the number of endpoints in the Health dashboard of Enforce whose tools are installed and not active",
        Accepts::Number,
        31,
    ),
]);

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("on how many endpoints the Enforce tools may be missing or inactive");

const LIMITS: &str = "Columns and words of the sensor are not documented: columns are recognised by their names, and \
    words that can mean several things are shown to be put into `value_map`. Where the question cannot decide, the \
    exported results of the dashboard or a number that somebody read off stand in. Endpoints that did not answer are \
    unknown, not missing.";

/// The Enforce tools are there.
pub(crate) const MISSING: Check = Check::automated("enforce.tools-missing")
    .title("Enforce tools are installed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&TOOLS_STATUS, &NOT_INSTALLED])
    .settings(&[&MAX_ENDPOINTS, &VALUE_MAP])
    .guide(GUIDE)
    .what("Counts the endpoints that answered and name no Enforce tool, or one that is not installed. More than `max_endpoints` are a finding.")
    .why("No policy is enforced where the tools are missing, whatever the Console shows as enforced.")
    .limits(LIMITS)
    .related(&["enforce.tools-inactive", "endpoint-configuration.tools-status"])
    .remedy(&MISSING_REMEDY)
    .judge(|facts, report| judge(facts, report, &MISSING_PANEL, missing, "enforce.tools-coverage"));

const MISSING_PANEL: Panel = Panel::new(&NOT_INSTALLED, "missing", "Enforce tools", "have no Enforce tools")
    .grouped_by(&["Operating System"]);

const MISSING_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        DASHBOARD,
        "click the number above Not Installed: it asks the question and lists the endpoints",
    ),
    Step::question(QUESTION, "the same question, to be asked again after the repair"),
    Step::decision(
        "these endpoints are in no computer group that Enforce is meant to reach",
        "add them to the computer groups of Enforce's action group",
    ),
    Step::consult(
        "Enforce User Guide: Monitor and troubleshoot Enforce coverage status (% of total)",
        "go through its contributing factors",
    ),
])
.cautions(&["A wider action group brings the tools, and then the policies, to every endpoint in it."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Enforce User Guide: Monitor and troubleshoot Enforce coverage status (% of total)"]);

/// The Enforce tools work.
pub(crate) const INACTIVE: Check = Check::automated("enforce.tools-inactive")
    .title("Enforce tools are active")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&TOOLS_STATUS, &NOT_ACTIVE])
    .settings(&[&MAX_ENDPOINTS, &VALUE_MAP])
    .guide(GUIDE)
    .what("Counts the endpoints whose Enforce tools are installed and not active. More than `max_endpoints` are a finding.")
    .why("Tools that rest enforce nothing, and policies drift away from them unseen.")
    .limits(LIMITS)
    .related(&["enforce.tools-missing", "endpoint-configuration.tools-status"])
    .remedy(&INACTIVE_REMEDY)
    .judge(|facts, report| judge(facts, report, &INACTIVE_PANEL, inactive, "enforce.tools-active"));

const INACTIVE_PANEL: Panel =
    Panel::new(&NOT_ACTIVE, "inactive", "Enforce tools", "have Enforce tools that are not active")
        .grouped_by(&["Operating System"]);

const INACTIVE_REMEDY: Remedy = Remedy::new(&[
    Step::question(QUESTION, "list the endpoints whose state is not active"),
    Step::consult(
        "Enforce User Guide: Monitor and troubleshoot Enforce coverage status (% of total)",
        "go through its contributing factors",
    ),
    Step::decision(
        "their manifest is old, or a client extension failed",
        "see endpoint-configuration.manifest-outdated and client-management.cx-other first",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Enforce User Guide: Monitor and troubleshoot Enforce coverage status (% of total)"]);

/// What the sensor tells of one trouble.
struct Trouble {
    count: u64,
    of: Option<u64>,
    /// Words that may belong to it, and nobody explained.
    unknown: BTreeSet<String>,
}

/// By the question; by the dashboard where that cannot decide. The share of endpoints without the trouble is a series.
fn judge(
    facts: &Facts<'_>,
    report: &mut Report,
    panel: &Panel,
    trouble: fn(&Facts<'_>) -> Result<Trouble, Undecided>,
    series: &str,
) -> Result<(), Undecided> {
    let most = facts.integer(&MAX_ENDPOINTS)?;
    let asked = match trouble(facts) {
        Ok(asked) => asked,
        Err(unseen) if facts.body(panel.input()).is_ok() => {
            report.note(format!("the dashboard decides: {}", unseen.reason));
            return panel.at_most(facts, report, most);
        }
        Err(unseen) => return Err(unseen),
    };
    if let Some(all) = asked.of.filter(|_| asked.unknown.is_empty()) {
        report.measure_share(series, all.saturating_sub(asked.count), all);
    }
    if i64::try_from(asked.count).unwrap_or(i64::MAX) > most {
        let counted = tancheck_plugin_api::templates::panel::Counted {
            count: asked.count,
            of: asked.of,
            ..Default::default()
        };
        let mut finding = panel.finding(facts, &counted).expected(format!("at most {most} endpoints"));
        finding.evidence = vec![facts.seen(&TOOLS_STATUS, asked.count)];
        report.finding(finding);
    }
    if let Ok(tally) = facts.tally(&TOOLS_STATUS) {
        complete("Endpoint Configuration - Tools Status", tally.answered, failed(tally))?;
    }
    let unknown = asked.unknown.iter();
    let unknown = unknown.map(|word| format!("what the state {word:?} means for Enforce is not known; name it in `value_map` under active, inactive, missing or failed"));
    settle(&unknown.collect::<Vec<_>>())
}

/// Enforce's own rows, and how many endpoints answered.
fn own(facts: &Facts<'_>) -> Result<(Vec<ToolRow>, Option<u64>), Undecided> {
    let (mut rows, answered) = tools(facts)?;
    rows.retain(|row| row.tool.to_lowercase().contains("enforce"));
    Ok((rows, answered))
}

fn missing(facts: &Facts<'_>) -> Result<Trouble, Undecided> {
    let (rows, answered) = own(facts)?;
    let map = facts.table(&VALUE_MAP);
    let (mut gone, mut unknown) = (0, BTreeSet::new());
    let mut told: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &rows {
        *told.entry(row.tool.trim()).or_default() += row.endpoints();
        match ToolState::of(&row.status, &map) {
            ToolState::Missing => gone += row.endpoints(),
            ToolState::Unknown => {
                unknown.insert(row.status.trim().to_owned());
            }
            _ => {}
        }
    }
    // Where there are several tools, an endpoint that names one of them has Enforce.
    let told = told.into_values().max().unwrap_or(0);
    let silent = answered.map_or(0, |answered| answered.saturating_sub(told));
    Ok(Trouble { count: gone + silent, of: answered, unknown })
}

fn inactive(facts: &Facts<'_>) -> Result<Trouble, Undecided> {
    let (rows, _) = own(facts)?;
    if rows.is_empty() {
        return Err(Undecided::not_evaluated(
            "no endpoint tells of an Enforce tool; see enforce.tools-missing",
        ));
    }
    let map = facts.table(&VALUE_MAP);
    let (mut count, mut of, mut unknown) = (0, 0, BTreeSet::new());
    for row in &rows {
        of += row.endpoints();
        match ToolState::of(&row.status, &map) {
            ToolState::Active => {}
            ToolState::Missing => of -= row.endpoints(),
            ToolState::Inactive | ToolState::Failed => count += row.endpoints(),
            // A tool that is installed may be active or not.
            ToolState::Installed | ToolState::Unknown => {
                unknown.insert(row.status.trim().to_owned());
            }
        }
    }
    Ok(Trouble { count, of: Some(of), unknown })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::{Case, tally_of_two};

    fn tally(rows: &[(&str, &str, u64)]) -> Tally {
        tally_of_two(["Tool", "Status"], rows, 100)
    }

    fn case(check: &'static Check, rows: &[(&str, &str, u64)]) -> Case {
        Case::of(check).body(&TOOLS_STATUS, Body::Tally(tally(rows)))
    }

    const HEALTHY: &[(&str, &str, u64)] = &[("Enforce", "Active", 100), ("Patch", "Not Installed", 100)];

    fn count(case: &Case) -> Option<u64> {
        case.judge().findings()[0].affected.as_ref().map(|affected| affected.count)
    }

    #[test]
    fn active_tools_pass() {
        for check in [&MISSING, &INACTIVE] {
            case(check, HEALTHY).judge().assert_pass();
            case(check, HEALTHY).assert_needs_its_inputs();
        }
    }

    #[test]
    fn endpoints_that_name_no_tool_have_none() {
        let some = case(&MISSING, &[("Enforce", "Active", 95), ("Enforce", "Not Installed", 2)]);
        let verdict = some.judge();
        verdict.assert_findings(&["missing"]);
        let kept = &verdict.measures()[0];
        assert_eq!((kept.series.as_str(), kept.value), ("enforce.tools-coverage", 95.0));
        assert_eq!(count(&some), Some(5));
        some.setting("max_endpoints", 5).judge().assert_pass();
        let none = case(&MISSING, &[("Patch", "Active", 100)]);
        assert_eq!(count(&none), Some(100));
        let two = case(&MISSING, &[("Enforce", "Active", 100), ("Enforce Extension", "Active", 90)]);
        two.judge().assert_pass();
    }

    #[test]
    fn errors_are_not_missing_tools() {
        let mut errors = tally(&[("Enforce", "Active", 97)]);
        errors.without_value.insert("TSE-Error: x".to_owned(), 3);
        Case::of(&MISSING).body(&TOOLS_STATUS, Body::Tally(errors.clone())).judge().assert_pass();
        errors.rows[0].count = 80;
        errors.without_value.insert("TSE-Error: x".to_owned(), 20);
        Case::of(&MISSING)
            .body(&TOOLS_STATUS, Body::Tally(errors))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn tools_that_rest_are_found_and_installed_alone_is_not_active() {
        let resting = case(&INACTIVE, &[("Enforce", "Active", 97), ("Enforce", "Installed, not active", 3)]);
        resting.judge().assert_findings(&["inactive"]);
        case(&INACTIVE, &[("Enforce", "Installed", 100)]).judge().assert_undecided(Outcome::NotEvaluated);
        let mapped = case(&INACTIVE, &[("Enforce", "Installed", 100)]);
        mapped.setting("value_map", json!({"active": ["installed"]})).judge().assert_pass();
        case(&INACTIVE, &[("Patch", "Active", 100)]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&MISSING, &[("Enforce", "Dormant", 100)]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_dashboard_stands_in() {
        Case::of(&MISSING).answer(&NOT_INSTALLED, 0).judge().assert_pass();
        Case::of(&MISSING).answer(&NOT_INSTALLED, 4).judge().assert_findings(&["missing"]);
        let rows = json!([{"Computer Name": "one", "Operating System": "Windows 10"}]);
        let verdict = Case::of(&INACTIVE).rows(&NOT_ACTIVE, rows).judge();
        verdict.assert_findings(&["inactive"]);
        assert_eq!(verdict.findings()[0].affected.clone().unwrap().sample, ["one"]);
    }
}
