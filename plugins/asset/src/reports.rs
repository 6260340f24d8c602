//! Guide: *Review reports*, page 18. The vendor's API knows views, not reports.

use crate::WHO;
use crate::views::{VIEWS, View};
use std::collections::BTreeMap;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::Value;
use tancheck_plugin_api::templates::panel::Row;

const GUIDE: &[GuideReference] = &[guide("Review reports", 18)];
const PAGE: &str = "Modules > Asset > Reports";

const REPORTS: Input = Input::new("asset.reports", "reports and their attributes").sources(&[Source::export(
    "asset-reports.csv",
    PAGE,
    "write one row for each attribute (column) of each custom report, and one row for each other report; leave the \
     attribute empty there",
    &["report", "custom", "status", "attribute", "attribute status"],
)]);

/// The first row of each view's data. A view that takes too long answers with an error instead.
const VIEW_DATA: Input =
    Input::new("asset.view-data", "whether each view can be opened").sources(&[Source::service(
        "asset",
        "/v1/assets?viewId={id}&limit=1",
    )
    .rows_under("response/data")
    .needs(&["asset report read"])
    .each(Each::row_of("asset.views").variables(&[("id", "id")]).limit(200))]);

const IGNORED_REPORTS: Setting =
    Setting::list("ignored_reports", &[]).about("names of reports that are disabled on purpose");

const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("report_review_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody opens the reports to see that none times out");

/// All Asset reports are enabled.
pub(crate) const DISABLED: Check = Check::automated("asset.report-disabled")
    .title("All Asset reports are enabled")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&REPORTS])
    .settings(&[&IGNORED_REPORTS])
    .learns(&[&IGNORED_REPORTS])
    .guide(GUIDE)
    .what("Looks at the Status of each report; one that is not enabled, and that `ignored_reports` does not name, is a finding.")
    .why("A disabled report shows nothing, and whoever relies on it may not notice.")
    .limits("Reports have no public route: an exported file decides.")
    .related(&["asset.report-attributes"])
    .remedy(&REMEDY)
    .judge(disabled);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject} with Edit; replace or remove attributes that are disabled or missing, and select Submit"),
    Step::consult("Asset User Guide: Troubleshoot reports", "if it is no custom report, or stays disabled"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

fn disabled(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let ignored = facts.list(&IGNORED_REPORTS);
    let mut unknown = Vec::new();
    let reports = reports(facts)?;
    let disabled =
        reports.iter().filter(|(_, rows)| rows[0].is("status", &["disabled"])).map(|(name, _)| name);
    let disabled: Vec<String> = disabled.cloned().collect();
    let seen = format!("disabled reports: {} of {}", disabled.len(), reports.len());
    report.propose(&IGNORED_REPORTS, disabled, seen);
    for (name, rows) in reports {
        if ignored.contains(&name.as_str()) {
            continue;
        }
        let status = rows[0].cell("status");
        match status.to_lowercase().as_str() {
            "enabled" => {}
            "disabled" => report.finding(
                Finding::on(Subject::new("report", &name, &name))
                    .says("is disabled")
                    .expected("Enabled")
                    .evidence(facts.seen(&REPORTS, &status)),
            ),
            _ => unknown.push(format!("the status {status:?} of the report {name} is not known")),
        }
    }
    settle(&unknown)
}

/// Custom reports have no disabled or missing attributes.
pub(crate) const ATTRIBUTES: Check = Check::automated("asset.report-attributes")
    .title("Custom reports have no disabled or missing attributes")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&REPORTS])
    .guide(GUIDE)
    .what("Looks at the attributes (columns) of each custom report: all of them are enabled.")
    .why("An attribute that is gone leaves a hole in the report, or disables it.")
    .limits("Reports have no public route: an exported file decides.")
    .related(&["asset.report-disabled", "asset.view-attributes"])
    .remedy(&REMEDY)
    .judge(attributes);

fn attributes(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for (name, rows) in reports(facts)? {
        let mut broken = Vec::new();
        for row in rows.iter().filter(|row| row.is("custom", &["yes", "true", "1", "custom"])) {
            let (attribute, state) = (row.cell("attribute"), row.cell("attribute status"));
            match state.to_lowercase().as_str() {
                "enabled" => {}
                "disabled" | "missing" => broken.push(format!("{attribute} ({})", state.to_lowercase())),
                _ => unknown.push(format!("{name}: the status {state:?} of {attribute:?} is not known")),
            }
        }
        if !broken.is_empty() {
            report.finding(
                Finding::on(Subject::new("report", &name, &name))
                    .says(format!("shows attributes that are gone: {}", broken.join(", ")))
                    .expected("attributes that are enabled")
                    .affected(broken.len() as u64, None)
                    .evidence(facts.seen(&REPORTS, &broken)),
            );
        }
    }
    settle(&unknown)
}

/// The rows of each report.
fn reports(facts: &Facts<'_>) -> Result<BTreeMap<String, Vec<Row>>, Undecided> {
    let mut reports: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in facts.rows::<Row>(&REPORTS)? {
        reports.entry(row.cell("report")).or_default().push(row);
    }
    if reports.is_empty() {
        // Asset brings reports of its own.
        return Err(Undecided::not_evaluated("asset-reports.csv names no report: export it again"));
    }
    Ok(reports)
}

/// Reports open without a timeout error.
pub(crate) const TIMEOUT: Check = Check::hybrid("asset.report-timeout")
    .title("Reports open without a timeout error")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&VIEWS, &VIEW_DATA])
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Opens each view for one row: all of them answer within `limits.request_timeout`. Then asks a person once a month whether the reports open as well.")
    .why("A report that times out is as good as none.")
    .limits("The vendor's API opens views, not reports, and one row costs less than a whole report: the views alone prove little.")
    .related(&["asset.report-disabled", "asset.api-down"])
    .remedy(&TIMEOUT_REMEDY)
    .judge(timeout);

const TIMEOUT_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open each report; note those that end with a timeout error"),
    Step::consult("Asset User Guide: Troubleshoot reports", "go through the reasons for timeouts"),
    Step::decision("a report is very wide or has no filter", "narrow it, or split it in two"),
    Step::command(
        "tancheck attest asset.report-timeout",
        "with `--result done`, or `--result problem` and a note",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

fn timeout(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let views: Vec<View> = facts.rows(&VIEWS)?;
    if views.is_empty() {
        report.note("there is no view to open");
        return Ok(());
    }
    let gaps = match facts.rows::<Value>(&VIEW_DATA) {
        Ok(_) => facts.gaps(&VIEW_DATA)?.to_vec(),
        Err(why) => vec![why.reason],
    };
    let is_timeout = |gap: &&String| {
        let gap = gap.to_lowercase();
        ["timed out", "timeout", "http 504", "http 408"].iter().any(|sign| gap.contains(sign))
    };
    if let Some(gap) = gaps.iter().find(is_timeout) {
        report.finding(
            Finding::on(Subject::new("views", "data", "Views"))
                .says(gap)
                .expected("an answer in time")
                .evidence(facts.seen(&VIEWS, views.len())),
        );
    }
    facts.rows::<Value>(&VIEW_DATA).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, status: &str, custom: &str, attribute: &str) -> Case {
        let row = json!({"report": "Laptops", "custom": custom, "status": status, "attribute": "Model", "attribute status": attribute});
        Case::of(check).rows(&REPORTS, json!([row]))
    }

    #[test]
    fn disabled_reports_are_found_unless_they_are_meant_to_be() {
        case(&DISABLED, "Enabled", "no", "").judge().assert_pass();
        let disabled = case(&DISABLED, "Disabled", "no", "");
        disabled.judge().assert_findings(&["Laptops"]);
        assert_eq!(disabled.judge().proposal("ignored_reports"), Some(&json!(["Laptops"])));
        disabled.setting("ignored_reports", json!(["Laptops"])).judge().assert_pass();
        case(&DISABLED, "Purple", "no", "").judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&DISABLED).rows(&REPORTS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn attributes_that_are_gone_are_found_in_custom_reports() {
        case(&ATTRIBUTES, "Enabled", "yes", "Enabled").judge().assert_pass();
        case(&ATTRIBUTES, "Enabled", "yes", "Missing").judge().assert_findings(&["Laptops"]);
        case(&ATTRIBUTES, "Enabled", "no", "Missing").judge().assert_pass();
        case(&ATTRIBUTES, "Enabled", "yes", "Purple").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_view_that_times_out_is_found() {
        let case = || Case::of(&TIMEOUT).rows(&VIEWS, json!([{"id": 1, "viewName": "All"}]));
        let opened = case().rows(&VIEW_DATA, json!([{"_of": {"id": "1"}}]));
        opened.judge().assert_pass();
        let gap = "1 of 2 requests failed, the first: GET /v1/assets: no answer within 60 s (it timed out)";
        opened.clone().gap(&VIEW_DATA, gap).judge().assert_findings(&["data"]);
        opened.assert_needs_its_inputs();
    }
}
