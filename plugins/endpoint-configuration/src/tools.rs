//! *Review and remediate tools deployment*: endpoint tools and content-only solutions.

use crate::WHO;
use crate::inputs::{CONTENT_ONLY as CONTENT_ONLY_SOLUTIONS, ContentSolution};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{complete, failed};
use tancheck_plugin_api::records::extensions::{TOOLS_STATUS, ToolRow, ToolState, VALUE_MAP, tools};

const MAX_FAILED_PCT: Setting = Setting::integer("max_failed_pct", 2, 0, 100)
    .unit("percent")
    .about("the share of endpoints on which a tool may be missing, blocked or broken");

/// Endpoint tools are where they should be.
pub(crate) const STATUS: Check = Check::automated("endpoint-configuration.tools-status")
    .title("Endpoint tools are deployed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&TOOLS_STATUS])
    .settings(&[&MAX_FAILED_PCT, &VALUE_MAP])
    .guide(&[
        guide("Review and remediate tools deployment", 26),
        guide("Review and remediate Tanium Endpoint Configuration issues", 26),
    ])
    .what("Asks every endpoint for the state of its tools. For each tool, the share of endpoints on which it is missing, blocked, broken or not active must not exceed `max_failed_pct`.")
    .why("A module sees and does on an endpoint only what its tools there can do.")
    .limits("Columns and words of the sensor are not documented: columns are recognised by their names, and words that can mean several things are shown to be put into `value_map`. Endpoints that do not name a tool at all are not counted against it.")
    .related(&["endpoint-configuration.manifest-outdated", "endpoint-configuration.manifest-locked"])
    .remedy(&STATUS_REMEDY)
    .judge(tools_status);

const STATUS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Shared Services > Endpoint Configuration > Tools",
        "look at {subject}: which state, and on which endpoints",
    ),
    Step::question(
        "Get Computer Name and Endpoint Configuration - Tools Status?ignoreCase=0&maxAge=600 from all machines",
        "list the endpoints of that state",
    ),
    Step::consult(
        "Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions",
        "follow the entry for the state, or for what blocks the tool",
    ),
    Step::decision(
        "these endpoints have an old manifest, or action lock is on",
        "see endpoint-configuration.manifest-outdated and endpoint-configuration.manifest-locked first",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions"]);

fn tools_status(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (rows, _) = tools(facts)?;
    if rows.is_empty() {
        return Err(Undecided::not_evaluated("no endpoint tells of any tool"));
    }
    let map = facts.table(&VALUE_MAP);
    let most = facts.integer(&MAX_FAILED_PCT)?.unsigned_abs();
    let mut by_tool: BTreeMap<&str, Vec<&ToolRow>> = BTreeMap::new();
    for row in &rows {
        by_tool.entry(row.tool.trim()).or_default().push(row);
    }
    let mut unknown = BTreeSet::new();
    for (tool, rows) in by_tool {
        let total: u64 = rows.iter().map(|row| row.endpoints()).sum();
        let mut bad: BTreeMap<&str, u64> = BTreeMap::new();
        let mut is_known = true;
        for row in &rows {
            match ToolState::of(&row.status, &map) {
                ToolState::Active | ToolState::Installed => {}
                ToolState::Unknown => {
                    is_known = false;
                    unknown.insert(row.status.trim());
                }
                _ => *bad.entry(row.status.trim()).or_default() += row.endpoints(),
            }
        }
        let count: u64 = bad.values().sum();
        if is_known {
            let series = format!("endpoint-configuration.tools-coverage.{}", tool.to_lowercase());
            report.measure_share(&series, total - count, total);
        }
        if count * 100 <= total * most || count == 0 {
            continue;
        }
        let states: Vec<String> = bad.iter().map(|(state, count)| format!("{state:?} on {count}")).collect();
        report.finding(
            Finding::on(Subject::new("endpoint tool", tool.to_lowercase(), tool))
                .says(format!("is not in order on {count} of {total} endpoints: {}", states.join(", ")))
                .expected(format!("at most {most} percent of endpoints"))
                .affected(count, Some(total))
                .evidence(facts.seen(&TOOLS_STATUS, &states)),
        );
    }
    if let Ok(tally) = facts.tally(&TOOLS_STATUS) {
        complete("Endpoint Configuration - Tools Status", tally.answered, failed(tally))?;
    }
    let unknown = unknown.into_iter().map(|word| {
        format!("what the state {word:?} means is not known; name it in `value_map` under active, installed, inactive, missing or failed")
    });
    settle(&unknown.collect::<Vec<_>>())
}

const GOOD_WORDS: Setting = Setting::list("good_words", &[])
    .about("words on the page Content-Only Solutions that mean that a solution is in order");

/// Content-only solutions are in order.
pub(crate) const CONTENT_ONLY: Check = Check::automated("endpoint-configuration.content-only-status")
    .title("Content-only solutions are in order")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&CONTENT_ONLY_SOLUTIONS])
    .settings(&[&GOOD_WORDS])
    .guide(&[guide("Review and remediate tools deployment", 26)])
    .what("Reads the exported list of content-only solutions and reports each whose status is not among `good_words`.")
    .why("Sensors and packages that are damaged or half imported give wrong answers, or none.")
    .limits("The words of the page are not public: until `good_words` names those that are good, nothing is decided, and the words are shown.")
    .remedy(&CONTENT_REMEDY)
    .judge(content_only_status);

const CONTENT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Shared Services > Endpoint Configuration > Content-Only Solutions",
        "open the status of {subject}",
    ),
    Step::consult(
        "Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions",
        "look up the status",
    ),
    Step::console("Administration > Configuration > Solutions", "import the content again where it is damaged"),
])
.cautions(&["An import changes sensors and packages that others use: read the release notes first, and keep to your change window."])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions"]);

fn content_only_status(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<ContentSolution> = facts.rows(&CONTENT_ONLY_SOLUTIONS)?;
    if rows.is_empty() {
        return Err(facts.absent(&CONTENT_ONLY_SOLUTIONS, "there is no content-only solution"));
    }
    let good = facts.list(&GOOD_WORDS);
    if good.is_empty() {
        let words: BTreeSet<String> = rows.iter().map(|row| format!("{:?}", row.status.trim())).collect();
        return Err(Undecided::not_evaluated(format!(
            "name in `good_words` which of these words mean that a solution is in order: {}",
            words.into_iter().collect::<Vec<_>>().join(", ")
        )));
    }
    for row in rows {
        if good.iter().any(|word| word.eq_ignore_ascii_case(row.status.trim())) {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("solution", row.solution.to_lowercase(), &row.solution))
                .says(format!("version {} has the status {:?}", row.version, row.status))
                .expected(good.join(" or "))
                .evidence(facts.seen(&CONTENT_ONLY_SOLUTIONS, &row.status)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::TallyRow;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn tally(rows: &[(&str, &str, u64)]) -> Tally {
        Tally {
            columns: ["Tool", "Version", "Status"].map(str::to_owned).to_vec(),
            rows: rows
                .iter()
                .map(|(tool, status, count)| TallyRow {
                    cells: [tool, "1.0", status].map(str::to_owned).to_vec(),
                    count: *count,
                    sample: Vec::new(),
                })
                .collect(),
            answered: 100,
            expected: 100,
            ..Tally::default()
        }
    }

    fn case(rows: &[(&str, &str, u64)]) -> Case {
        Case::of(&STATUS).body(&TOOLS_STATUS, Body::Tally(tally(rows)))
    }

    #[test]
    fn each_tool_has_its_own_share() {
        case(&[("Patch", "Active", 98), ("Patch", "Not Installed", 2), ("Map", "Installed", 100)])
            .judge()
            .assert_pass();
        let bad = [
            ("Patch", "Active", 97),
            ("Patch", "Not Installed", 2),
            ("Patch", "Install Failed", 1),
            ("Map", "Active", 100),
        ];
        let verdict = case(&bad).judge();
        verdict.assert_findings(&["patch"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.count), Some(3));
        let kept = |rows| -> Vec<(String, f64)> {
            case(rows).judge().measures().iter().map(|kept| (kept.series.clone(), kept.value)).collect()
        };
        let share = |tool: &str, value| (format!("endpoint-configuration.tools-coverage.{tool}"), value);
        assert_eq!(kept(&bad), [share("map", 100.0), share("patch", 97.0)]);
        let odd = [("Patch", "Active", 90), ("Patch", "Purple", 10), ("Map", "Active", 1)];
        assert_eq!(kept(&odd), [share("map", 100.0)], "who knows what purple means");
        case(&bad).setting("max_failed_pct", 3).judge().assert_pass();
        case(&bad).assert_needs_its_inputs();
    }

    #[test]
    fn words_that_nobody_explained_are_shown() {
        let odd = [("Patch", "Dormant", 100)];
        let verdict = case(&odd).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("Dormant"));
        case(&odd).setting("value_map", json!({"active": ["dormant"]})).judge().assert_pass();
        case(&odd).setting("value_map", json!({"failed": ["dormant"]})).judge().assert_findings(&["patch"]);
    }

    #[test]
    fn errors_and_missing_columns_decide_nothing() {
        let mut errors = tally(&[("Patch", "Active", 90)]);
        errors.without_value.insert("TSE-Error: x".to_owned(), 10);
        Case::of(&STATUS)
            .body(&TOOLS_STATUS, Body::Tally(errors))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let columns =
            Tally { columns: vec!["Endpoint Configuration - Tools Status".to_owned()], ..tally(&[]) };
        Case::of(&STATUS)
            .body(&TOOLS_STATUS, Body::Tally(columns))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_is_read() {
        let rows = json!([{"Tool": "Patch", "Version": "1", "Status": "Blocked", "Count": "7"}]);
        Case::of(&STATUS).rows(&TOOLS_STATUS, rows).judge().assert_findings(&["patch"]);
    }

    fn content(rows: Value) -> Case {
        Case::of(&CONTENT_ONLY).rows(&CONTENT_ONLY_SOLUTIONS, rows)
    }

    #[test]
    fn content_is_judged_by_the_words_that_the_site_calls_good() {
        let rows = json!([{"Solution": "Core Content", "Version": "1", "Status": "Available"},
                          {"Solution": "Default Content", "Version": "2", "Status": "Damaged"}]);
        content(rows.clone()).judge().assert_undecided(Outcome::NotEvaluated);
        let good = |words: Value| content(rows.clone()).setting("good_words", words);
        good(json!(["available"])).judge().assert_findings(&["default content"]);
        good(json!(["Available", "Damaged"])).judge().assert_pass();
        good(json!(["Available", "Damaged"])).assert_needs_its_inputs();
        content(json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }
}
