//! What can be wrong with Comply.

use super::{Assessment, WORKBENCH};
use crate::clock::days;
use crate::faults::Fault;
use crate::state::State;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "comply-disk-full",
        about: "some endpoints have too little disk space for Comply",
        breaks: &["comply.health-disk-space"],
        apply: |state| state.comply.health[2].1 = 7,
    },
    Fault {
        name: "comply-scans-failing",
        about: "Comply's scans fail on some endpoints",
        breaks: &["comply.health-scan-failures"],
        apply: |state| state.comply.health[1].1 = 4,
    },
    Fault {
        name: "comply-tools-old",
        about: "some endpoints have outdated tools of Comply",
        breaks: &["comply.health-tools-outdated"],
        apply: |state| state.comply.health[0].1 = 12,
    },
    Fault {
        name: "comply-other-error",
        about: "Comply's health checks show an error that the guide does not name",
        breaks: &["comply.health-other"],
        apply: |state| state.comply.health.push(("Missing credentials", 3)),
    },
    Fault {
        name: "assessment-error",
        about: "an assessment is in error",
        breaks: &["comply.assessment-errors"],
        apply: |state| change(state, |assessment| assessment.status = "Error"),
    },
    Fault {
        name: "assessment-warning",
        about: "an assessment shows a warning",
        breaks: &["comply.assessment-warnings"],
        apply: |state| change(state, |assessment| assessment.status = "Complete with warnings"),
    },
    Fault {
        name: "assessment-scan-errors",
        about: "an assessment has scan errors",
        breaks: &["comply.assessment-scan-errors"],
        apply: |state| change(state, |assessment| assessment.scan_errors = 5),
    },
    Fault {
        name: "compliance-fallen",
        about: "the compliant share of an assessment fell by a quarter",
        breaks: &["comply.assessment-distribution"],
        apply: |state| change(state, |assessment| assessment.compliance = Some((165, 135))),
    },
    Fault {
        name: "assessment-results-missing",
        about: "endpoints of an assessment have no result",
        breaks: &["comply.assessment-distribution"],
        apply: |state| change(state, |assessment| assessment.results -= 20),
    },
    Fault {
        name: "standard-outdated",
        about: "a newer version of a standard was loaded than an assessment uses",
        breaks: &["comply.assessment-standard-outdated"],
        apply: |state| {
            let standard = state.comply.benchmarks[0].0;
            state.comply.benchmarks.push((standard, "3.1.0"));
        },
    },
    Fault {
        name: "assessment-stale",
        about: "an assessment was deleted on the server and is still on endpoints",
        breaks: &["comply.stale-assessments-on-endpoints"],
        apply: |state| state.comply.deleted.push(("0a1b2c3d", "CIS Windows 7")),
    },
    Fault {
        name: "comply-disk-used",
        about: "Comply uses more disk space on an endpoint than the site allows",
        breaks: &["comply.stale-assessments-on-endpoints"],
        apply: |state| state.answers.say("comply.disk-used", "900"),
    },
    Fault {
        name: "comply-database-old",
        about: "Comply's vulnerability database is out of date",
        breaks: &["comply.notifications"],
        apply: |state| state.comply.notifications.push("VulnDbOutOfDate"),
    },
    Fault {
        name: "exception-expired",
        about: "an exception to findings expired last week",
        breaks: &["comply.expired-exceptions"],
        apply: |state| {
            let expired = state.now - days(7);
            state.comply.exceptions.iter_mut().for_each(|exception| exception.expires = expired);
        },
    },
    Fault {
        name: "comply-missing",
        about: "Comply is not imported; checks of it do not apply",
        breaks: &[],
        apply: |state| state.server.solutions.retain(|solution| solution.workbench != Some(WORKBENCH)),
    },
];

/// Changes the assessment of a standard.
fn change(state: &mut State, change: impl FnOnce(&mut Assessment)) {
    let assessment = state.comply.assessments.iter_mut().find(|assessment| !assessment.standard.is_empty());
    if let Some(assessment) = assessment {
        change(assessment);
    }
}
