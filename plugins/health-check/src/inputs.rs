//! What these checks read. TPAN has neither a public API nor a public file format: an administrator writes down the
//! pages *Findings* and *Reports* as CSV or JSON.

use tancheck_plugin_api::prelude::*;

/// The solution id of Health Check.
pub(crate) const HEALTH_CHECK_ID: &str = "99-200-0258";

const REPORTS_PAGE: &str = "Administration > Shared Services > Health Check > Reports";

/// Findings of one or more TPAN reports.
pub(crate) const TPAN_FINDINGS: Input =
    Input::new("health-check.tpan-findings", "findings of the latest TPAN reports").sources(&[Source::export(
        "tpan-findings.csv",
        REPORTS_PAGE,
        "download the latest TPAN report, open its page Findings, and write one row for each finding; keep the rows of \
         the report before it, so that findings that stay open can be seen",
        &["report_time", "severity", "finding", "detail", "note"],
    )]);

/// The list of TPAN reports. A third column `trigger` may say which were made by hand.
pub(crate) const TPAN_REPORTS: Input =
    Input::new("health-check.tpan-reports", "the list of TPAN reports").sources(&[Source::export(
        "tpan-reports.csv",
        REPORTS_PAGE,
        "write one row for each listed report: when it was made, its name, and in a column trigger whether it was \
         scheduled or manual",
        &["report_time", "name"],
    )]);

/// How old the newest report may be.
pub(crate) const TPAN_MAX_AGE_DAYS: Setting = Setting::integer("tpan_max_age_days", 7, 1, 366)
    .unit("days")
    .about("how old the newest TPAN report may be; older ones decide nothing");

/// Findings that were decided to need no action.
pub(crate) const ACCEPTED_FINDINGS: Setting = Setting::list("accepted_findings", &[])
    .about("texts of Medium and Low TPAN findings that are known and acceptable; the beginning is enough");

/// One row of the list of findings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TpanFinding {
    /// When its report was made.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) report_time: Option<Timestamp>,
    /// `Critical`, `High`, `Medium` or `Low`.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) severity: String,
    /// The finding's text.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) finding: String,
    /// More text.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) detail: String,
    /// Owner or case number.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) note: String,
}

impl TpanFinding {
    /// The severity; other words mean that the file is not what it should be.
    pub(crate) fn severity(&self) -> Result<Severity, Undecided> {
        match self.severity.trim().to_ascii_lowercase().as_str() {
            "critical" => Ok(Severity::Critical),
            "high" => Ok(Severity::High),
            "medium" => Ok(Severity::Medium),
            "low" => Ok(Severity::Low),
            _ => Err(Undecided::not_evaluated(format!(
                "format not recognised: {:?} is no severity of a TPAN finding (Critical, High, Medium, Low)",
                self.severity
            ))),
        }
    }

    /// What makes it the same finding in another report: its words, without numbers, which change from week to week.
    pub(crate) fn key(&self) -> String {
        let mut key = String::new();
        for word in self.finding.to_lowercase().split_whitespace() {
            let plain: String = word.chars().filter(|character| !character.is_ascii_digit()).collect();
            if !plain.is_empty() {
                key.push_str(if key.is_empty() { "" } else { " " });
                key.push_str(&plain);
            }
        }
        key
    }

    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        Subject::new(
            "TPAN finding",
            format!("{}: {}", self.severity.trim().to_lowercase(), self.key()),
            &self.finding,
        )
    }
}

/// One row of the list of reports.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TpanReport {
    /// When it was made.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) report_time: Option<Timestamp>,
    /// `scheduled` or `manual`; empty: not told.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) trigger: String,
}

/// When the newest report was made, from whichever list tells; `None` where both are there and hold no report. A row
/// whose time cannot be read may be the newest.
pub(crate) struct Newest {
    pub(crate) at: Option<Timestamp>,
    /// The first row whose time cannot be read.
    pub(crate) unreadable: Option<String>,
}

impl Newest {
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let reports = facts.rows::<TpanReport>(&TPAN_REPORTS);
        let findings = facts.rows::<TpanFinding>(&TPAN_FINDINGS);
        for (input, rows) in
            [(&TPAN_REPORTS, reports.as_ref().err()), (&TPAN_FINDINGS, findings.as_ref().err())]
        {
            // One list is enough, but one that is there and cannot be read may hold the newest report.
            if let Some(problem) = rows.filter(|_| facts.gaps(input).is_ok()) {
                return Err(problem.clone());
            }
        }
        if let (Err(_), Err(missing)) = (&reports, &findings) {
            return Err(missing.clone());
        }
        let listed = reports.into_iter().flatten().map(|report| (report.report_time, "tpan-reports.csv"));
        let found = findings.into_iter().flatten().map(|finding| (finding.report_time, "tpan-findings.csv"));
        let all: Vec<(Option<Timestamp>, &str)> = listed.chain(found).collect();
        let unreadable = all.iter().find(|(time, _)| time.is_none()).map(|(_, file)| unreadable(file));
        Ok(Self { at: all.into_iter().filter_map(|(time, _)| time).max(), unreadable })
    }

    /// The newest report, if every row tells its time.
    pub(crate) fn certain(self) -> Result<Option<Timestamp>, Undecided> {
        self.unreadable.map_or(Ok(self.at), |reason| Err(Undecided::not_evaluated(reason)))
    }
}

/// Why a row of a list decides nothing.
pub(crate) fn unreadable(file: &str) -> String {
    format!("format not recognised: a row of {file} does not tell when its report was made (report_time)")
}

/// The findings of the newest report. A report that is too old, or a list that belongs to an older report than the
/// newest one, decides nothing.
pub(crate) fn latest_findings(facts: &Facts<'_>) -> Result<Vec<TpanFinding>, Undecided> {
    let findings: Vec<TpanFinding> = facts.rows(&TPAN_FINDINGS)?;
    // A report without any finding leaves an empty list: then the file's own time tells its age.
    let of_report = findings.iter().filter_map(|finding| finding.report_time).max();
    let written = facts.at(&TPAN_FINDINGS)?;
    let newest = Newest::of(facts)?.certain()?.unwrap_or(written);
    if of_report.unwrap_or(written) < newest {
        return Err(Undecided::not_evaluated(format!(
            "tpan-findings.csv belongs to an older report than the newest one, of {newest}; write down the newest"
        )));
    }
    let limit = facts.integer(&TPAN_MAX_AGE_DAYS)?;
    let days = facts.days_since(newest);
    if days > limit {
        return Err(Undecided::not_evaluated(format!(
            "the newest TPAN report is {days} days old (limit {limit}): generate a new one"
        )));
    }
    Ok(findings.into_iter().filter(|finding| finding.report_time == of_report).collect())
}
