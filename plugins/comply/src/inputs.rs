//! What several checks read: the grid of assessments, and what was deleted from it.
//!
//! The rows of the service's routes are not described, so the grid comes from a file that an administrator writes.

use tancheck_plugin_api::prelude::*;

/// The route of deleted assessments states no permission; this is what the platform lists for reports of Comply.
pub(crate) const READ: &[&str] = &["comply report read", "show comply"];

const PAGE: &str = "Modules > Comply > Assessments";

/// The grid of assessments, from a file.
const GRID: Source = Source::export(
    "comply-assessments.csv",
    PAGE,
    "write one row for each assessment, with the numbers under Additional Data > Endpoint Statistics",
    &[
        "Name",
        "Type",
        "Platform",
        "Standard",
        "Standard Version",
        "Status",
        "Last Scan",
        "Endpoints",
        "Results",
        "Scan Errors",
        "Compliant",
        "Non-Compliant",
    ],
);

/// The grid of assessments.
pub(crate) const ASSESSMENTS: Input =
    Input::new("comply.assessments", "assessments with status, standard and numbers of endpoints")
        .sources(&[GRID]);

/// Scan errors: of each assessment, or their sum.
pub(crate) const SCAN_ERRORS: Input =
    Input::new("comply.scan-errors", "scan errors of assessments").sources(&[
        GRID,
        Source::answer("Scan Errors, as the page Assessments shows it above the grid", Accepts::Number, 90),
    ]);

/// Assessments that were deleted on the server and not on endpoints.
pub(crate) const DELETED: Input =
    Input::new("comply.deleted-assessments", "assessments that are deleted on the server only").sources(&[
        Source::service("comply", "/v1/bundles/deleted").rows_under("reportBundleList").needs(READ),
        Source::export(
            "comply-deleted-assessments.csv",
            PAGE,
            "write one row for each stale assessment",
            &["Name", "Hash", "Platform", "Deleted At"],
        ),
    ]);

/// An assessment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Assessment {
    /// Its name.
    #[serde(rename = "Name", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// The standard it checks; empty for assessments of vulnerabilities.
    #[serde(rename = "Standard", deserialize_with = "lenient::text")]
    pub(crate) standard: String,
    /// The version of that standard.
    #[serde(rename = "Standard Version", deserialize_with = "lenient::text")]
    pub(crate) version: String,
    /// Its status, in words that only the user guide defines.
    #[serde(rename = "Status", deserialize_with = "lenient::text")]
    pub(crate) status: String,
    /// Endpoints it is for.
    #[serde(rename = "Endpoints", deserialize_with = "lenient::number")]
    pub(crate) endpoints: Option<f64>,
    /// Endpoints that gave a result.
    #[serde(rename = "Results", deserialize_with = "lenient::number")]
    pub(crate) results: Option<f64>,
    /// Endpoints whose scan failed.
    #[serde(rename = "Scan Errors", deserialize_with = "lenient::number")]
    pub(crate) scan_errors: Option<f64>,
    /// Compliant and not; empty for assessments of vulnerabilities.
    #[serde(rename = "Compliant", deserialize_with = "lenient::number")]
    pub(crate) compliant: Option<f64>,
    #[serde(rename = "Non-Compliant", deserialize_with = "lenient::number")]
    pub(crate) non_compliant: Option<f64>,
}

impl Assessment {
    /// The subject of a finding about it. The grid shows no ids.
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("assessment", &self.name, &self.name)
    }
}

/// Every assessment of the grid.
pub(crate) fn assessments(facts: &Facts<'_>, input: &'static Input) -> Result<Vec<Assessment>, Undecided> {
    let rows: Vec<Assessment> = facts.rows(input)?;
    if rows.is_empty() {
        return Err(facts.absent(input, "there is no assessment"));
    }
    Ok(rows)
}
