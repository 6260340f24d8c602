//! What TPAN reports can say, and how they can be missing. Texts of findings are the lab's: none are public.

use super::Finding;
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "tpan-critical",
        about: "the newest TPAN report holds a Critical finding",
        breaks: &["health-check.tpan-critical", "health-check.tpan-dispositions"],
        apply: |state| add(state, 0, "Critical", "The archive database is full", ""),
    },
    Fault {
        name: "tpan-high",
        about: "the newest TPAN report holds a High finding",
        breaks: &["health-check.tpan-high", "health-check.tpan-dispositions"],
        apply: |state| add(state, 0, "High", "The string cache is above its threshold", ""),
    },
    Fault {
        name: "tpan-medium",
        about: "the newest TPAN report holds a Medium finding",
        breaks: &["health-check.tpan-medium", "health-check.tpan-dispositions"],
        apply: |state| add(state, 0, "Medium", "A sensor stores many strings", ""),
    },
    Fault {
        name: "tpan-low",
        about: "the newest TPAN report holds a Low finding",
        breaks: &["health-check.tpan-low", "health-check.tpan-dispositions"],
        apply: |state| add(state, 0, "Low", "A package is not used by any action", ""),
    },
    Fault {
        name: "tpan-high-open",
        about: "the same High finding stands in the two newest TPAN reports, without a note",
        breaks: &["health-check.tpan-critical-high-open", "health-check.tpan-high"],
        apply: |state| {
            add(state, 0, "High", "The string cache is above its threshold", "");
            add(state, 1, "High", "The string cache is above its threshold", "");
        },
    },
    Fault {
        name: "tpan-report-old",
        about: "the newest TPAN report is 23 days old",
        breaks: &["health-check.tpan-report-age"],
        apply: |state| {
            state.health_check.reports.drain(..3);
        },
    },
    Fault {
        name: "tpan-reports-rare",
        about: "TPAN reports are made once a month instead of once a week",
        breaks: &["health-check.tpan-schedule"],
        apply: |state| {
            for (report, month) in state.health_check.reports.iter_mut().zip(0..) {
                report.at = state.now - days(2 + 30 * month);
            }
        },
    },
    Fault {
        name: "tpan-reports-missing",
        about: "no TPAN report was ever made",
        breaks: &["health-check.tpan-schedule", "health-check.tpan-report-age"],
        apply: |state| {
            state.health_check.reports.clear();
            state.health_check.findings.clear();
        },
    },
];

fn add(state: &mut State, report: usize, severity: &'static str, text: &'static str, note: &'static str) {
    let detail = "as the lab was told";
    state.health_check.findings.push(Finding { report, severity, text, detail, note });
}
