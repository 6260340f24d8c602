//! Health Check: TPAN reports, which only export files show.

mod faults;

use crate::areas::{Area, Export};
use crate::clock::{days, iso};
use crate::state::State;
use crate::wire::Route;
use jiff::Timestamp;

pub(crate) const AREA: Area = Area { routes: Vec::<Route>::new, faults: faults::FAULTS, exports };

/// A finding of a report.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// Which report it stands in: 0 for the newest.
    pub(crate) report: usize,
    pub(crate) severity: &'static str,
    pub(crate) text: &'static str,
    pub(crate) detail: &'static str,
    pub(crate) note: &'static str,
}

/// A report.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) at: Timestamp,
    pub(crate) trigger: &'static str,
}

/// All reports, newest first.
pub(crate) struct HealthCheck {
    pub(crate) reports: Vec<Report>,
    pub(crate) findings: Vec<Finding>,
}

impl HealthCheck {
    /// One scheduled report a week, the newest two days old, without findings.
    pub(crate) fn new(now: Timestamp) -> Self {
        let reports = (0..6).map(|week| Report { at: now - days(2 + 7 * week), trigger: "scheduled" });
        Self { reports: reports.collect(), findings: Vec::new() }
    }
}

fn exports(state: &State) -> Vec<Export> {
    let health = &state.health_check;
    let findings = health.findings.iter().filter_map(|finding| {
        let report = health.reports.get(finding.report)?;
        let texts = [finding.severity, finding.text, finding.detail, finding.note];
        Some(std::iter::once(iso(report.at)).chain(texts.map(str::to_owned)).collect())
    });
    let reports = health.reports.iter().map(|report| {
        let name = format!("TPAN report {}", report.at.strftime("%Y-%m-%d"));
        vec![iso(report.at), name, report.trigger.to_owned()]
    });
    let totals = state.fleet.totals();
    let permille = totals.leaders * 1000 / totals.systems.max(1);
    let tuning = health.reports.first().map(|report| {
        vec![
            iso(report.at),
            "What's the actual or anticipated leader count percentage?".to_owned(),
            format!("{}.{}", permille / 10, permille % 10),
        ]
    });
    vec![
        Export {
            file: "tpan-findings.csv",
            columns: &["report_time", "severity", "finding", "detail", "note"],
            rows: findings.collect(),
        },
        Export {
            file: "tpan-reports.csv",
            columns: &["report_time", "name", "trigger"],
            rows: reports.collect(),
        },
        Export {
            file: "tpan-tuning.csv",
            columns: &["report_time", "question", "value"],
            rows: tuning.into_iter().collect(),
        },
    ]
}
