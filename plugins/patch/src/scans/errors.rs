//! `patch.scan-errors`: scans end without errors.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{SCAN_ERRORS, count};
use tancheck_plugin_api::prelude::*;

const WINDOW_DAYS: Setting = Setting::integer("window_days", 7, 1, 31)
    .unit("days")
    .about("how far back scan errors of an exported panel count")
    .from_guide();

/// What the service writes where there are none.
const NONE: &str = "No scan errors";

/// Scans end without errors.
pub(crate) const ERRORS: Check = Check::automated("patch.scan-errors")
    .title("Scans of the last 7 days ended without errors")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SCAN_ERRORS])
    .settings(&[&WINDOW_DAYS])
    .guide(GUIDE)
    .what("Lists the errors that the Patch service counts, by scan configuration and message. Read from the exported panel, only the last `window_days` days count.")
    .why("An endpoint whose scan fails reports no missing patches and looks healthy.")
    .limits("The vendor does not say how far back the service counts.")
    .applies("Trends with the board Patch, for the exported panel")
    .related(&["patch.days-since-scan", "trends.required-boards"])
    .remedy(&REMEDY)
    .judge(errors);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Trends > Boards > Patch",
        "click the panel Scan Errors - Last 7 Days: it lists endpoints and errors ({message})",
    ),
    Step::consult("the Patch User Guide, Troubleshooting Patch", "what the error means"),
    Step::console(
        "Modules > Patch > Scan Management > Scan Configurations",
        "edit the configuration if it is the cause",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Troubleshooting Patch", "Patch User Guide: Edit a scan configuration"]);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ScanError {
    /// A number, or the words in [`NONE`].
    #[serde(rename = "scanConfigurationID", deserialize_with = "lenient::id")]
    configuration: String,
    #[serde(rename = "scanConfigurationName", deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::text", alias = "Error")]
    error_message: String,
    /// Means the same as `errorCount`.
    #[serde(deserialize_with = "count")]
    count: Option<u64>,
    #[serde(deserialize_with = "count", alias = "Endpoints")]
    error_count: Option<u64>,
    /// Only in an exported panel.
    #[serde(rename = "Date", deserialize_with = "lenient::time")]
    date: Option<Timestamp>,
}

fn errors(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<ScanError> = facts.rows(&SCAN_ERRORS)?;
    let days = facts.integer(&WINDOW_DAYS)?;
    let mut unknown = Vec::new();
    let recent = |row: &&ScanError| row.date.is_none_or(|date| facts.days_since(date) <= days);
    for row in rows.iter().filter(|row| row.configuration != NONE).filter(recent) {
        let message = if row.error_message.is_empty() { "an error without text" } else { &row.error_message };
        let errors = match row.count.max(row.error_count) {
            Some(0) => continue,
            Some(errors) => errors,
            None => {
                unknown.push(format!("it is not told how often {message} occurred"));
                continue;
            }
        };
        let name = [&row.name, &row.configuration].into_iter().find(|text| !text.is_empty());
        let name = name.map_or("a scan", String::as_str);
        let day = row.date.map_or(String::new(), |date| date.strftime("/%Y-%m-%d").to_string());
        report.finding(
            Finding::on(Subject::new("scan error", format!("{}/{message}{day}", row.configuration), name))
                .says(format!("failed {errors} times: {message}"))
                .expected("no scan errors")
                .affected(errors, None)
                .fill("message", message)
                .evidence(facts.seen(&SCAN_ERRORS, [message, &errors.to_string()])),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(rows: Value) -> Case {
        Case::of(&ERRORS).rows(&SCAN_ERRORS, rows)
    }

    #[test]
    fn errors_are_listed_by_configuration_and_message() {
        case(json!([])).judge().assert_pass();
        let none = json!([{"scanConfigurationID": "No scan errors", "errorMessage": "", "count": 5, "errorCount": 5}]);
        case(none).judge().assert_pass();
        let two = json!([
            {"scanConfigurationID": "21", "errorMessage": "code -9", "count": 1, "errorCount": 3, "scanConfigurationName": "Linux"},
            {"scanConfigurationID": 21, "errorMessage": "code 5", "count": 0, "errorCount": 0}]);
        let verdict = case(two).judge();
        verdict.assert_findings(&["21/code -9"]);
        assert!(verdict.findings()[0].says.contains("3 times"));
        case(json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn a_number_that_is_missing_decides_nothing() {
        let unknown = json!([{"scanConfigurationID": 21, "errorMessage": "code 5"}]);
        case(unknown).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn of_an_exported_panel_the_last_days_count() {
        let row = |date: &str| json!([{"Date": date, "Error": "code -9", "Endpoints": "4"}]);
        case(row("2026-06-25")).judge().assert_findings(&["/code -9/2026-06-25"]);
        case(row("2026-06-20")).judge().assert_pass();
        case(row("2026-06-20")).setting("window_days", 31).judge().assert_findings(&["/code -9/2026-06-20"]);
    }
}
