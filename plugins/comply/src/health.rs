//! Guide: *Review and remediate Tanium Comply issues*, page 23: the panel Comply Health Checks.

use crate::WHO;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Row, Shown, shown, whole};

const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Comply issues", 23)];
const PAGE: &str = "Modules > Comply > Overview > Health > Comply Health Checks";
const LIMITS: &str = "No public route or sensor shows the panel: an administrator brings its bars. Bars are told apart by their words: disk, tool, scan.";
const COMMON_ERRORS: &str = "the Comply User Guide: Reference: Common errors";
const LIST: Step =
    Step::console(PAGE, "click the number above the bar {subject}: a question lists the endpoints");

/// How many endpoints may have an error.
pub(crate) const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may have an error, of each kind of error or assessment");

/// The panel, from a file: one row for each bar.
const BARS: Source = Source::export(
    "comply-health-checks.csv",
    PAGE,
    "write one row for each bar of the panel; without any bar, the line with the names of the columns alone",
    &["Error Type", "Endpoints"],
);

/// A kind of error: what of the panel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Disk,
    Tools,
    Scan,
    Other,
}

impl Kind {
    /// The kind that the label of a bar means. The guide names three as examples; everything else is another.
    fn of(label: &str) -> Self {
        let label = label.to_lowercase();
        match () {
            () if label.contains("disk") => Self::Disk,
            () if label.contains("tool") => Self::Tools,
            () if label.contains("scan") => Self::Scan,
            () => Self::Other,
        }
    }
}

/// What the four checks have in common.
const fn health(id: &'static str, severity: Severity) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Monthly])
        .severity(severity)
        .settings(&[&MAX_ENDPOINTS])
        .guide(GUIDE)
        .limits(LIMITS)
}

fn judge(
    facts: &Facts<'_>,
    report: &mut Report,
    (input, kind): (&'static Input, Kind),
    name: &str,
) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_ENDPOINTS)? as f64;
    let mut bars: Vec<(String, f64)> = Vec::new();
    match shown::<Row>(facts, input)? {
        Shown::Answer(answer) => bars.push((name.to_owned(), whole(answer)? as f64)),
        Shown::Rows(rows) => {
            for row in rows.iter().filter(|row| Kind::of(&row.cell("Error Type")) == kind) {
                let label = row.cell("Error Type");
                let endpoints = row.number("Endpoints")?.ok_or_else(|| {
                    Undecided::not_evaluated(format!("the bar {label:?} has no number of endpoints"))
                })?;
                bars.push((label, endpoints));
            }
        }
    }
    for (label, endpoints) in bars.into_iter().filter(|(_, endpoints)| *endpoints > limit) {
        report.finding(
            Finding::on(Subject::new("health check", label.to_lowercase(), &label))
                .says(format!("{endpoints} endpoints have this error"))
                .expected(format!("at most {limit}"))
                .affected(endpoints as u64, None)
                .evidence(facts.seen(input, endpoints)),
        );
    }
    Ok(())
}

const DISK: Input = Input::new("comply.health-disk", "endpoints with too little disk space for Comply")
    .sources(&[
        BARS,
        Source::answer(
            "Endpoints that the panel Comply Health Checks shows for insufficient disk space",
            Accepts::Number,
            30,
        ),
    ]);

/// No Comply health check errors: insufficient disk space.
pub(crate) const DISK_SPACE: Check = health("comply.health-disk-space", Severity::Medium)
    .title("No endpoint has too little disk space for Comply")
    .reads(&[&DISK])
    .what("Reads the bar for insufficient disk space of the panel Comply Health Checks. More than `max_endpoints` are a finding; a bar that is not there is none.")
    .why("Without space a scan leaves no result.")
    .related(&["comply.stale-assessments-on-endpoints"])
    .remedy(&DISK_REMEDY)
    .judge(|facts, report| judge(facts, report, (&DISK, Kind::Disk), "insufficient disk space"));

const DISK_REMEDY: Remedy = Remedy::new(&[
    LIST,
    Step::console("the endpoint", "free disk space"),
    Step::decision(
        "results of deleted assessments fill the disk",
        "remove them from endpoints once nobody needs the data: see comply.stale-assessments-on-endpoints",
    ),
    Step::consult(COMMON_ERRORS, "look up the error"),
])
.cautions(&["What is removed from an endpoint cannot be brought back."])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Comply User Guide: Reference: Common errors"]);

const SCANS: Input = Input::new("comply.health-scans", "endpoints whose scans fail").sources(&[
    BARS,
    Source::answer(
        "Endpoints that the panel Comply Health Checks shows for scan failures",
        Accepts::Number,
        30,
    ),
]);

/// No Comply health check errors: scan failures.
pub(crate) const SCAN_FAILURES: Check = health("comply.health-scan-failures", Severity::High)
    .title("Comply's scans fail on no endpoint")
    .reads(&[&SCANS])
    .what("Reads the bar for scan failures of the panel Comply Health Checks. More than `max_endpoints` are a finding; a bar that is not there is none.")
    .why("Weaknesses of an endpoint that is not scanned are unknown, and reports look better than the truth.")
    .related(&["comply.assessment-scan-errors"])
    .remedy(&SCANS_REMEDY)
    .judge(|facts, report| judge(facts, report, (&SCANS, Kind::Scan), "scan failures"));

const SCANS_REMEDY: Remedy = Remedy::new(&[
    LIST,
    Step::console("the question's results", "drill down into the error of the scan"),
    Step::decision("engine, Java runtime or credentials are named in it", "correct them in Comply's setup"),
    Step::consult(COMMON_ERRORS, "look up the error"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Reference: Common errors"]);

const TOOLS: Input = Input::new("comply.health-tools", "endpoints with outdated tools of Comply").sources(&[
    BARS,
    Source::answer(
        "Endpoints that the panel Comply Health Checks shows for outdated tools",
        Accepts::Number,
        30,
    ),
]);

/// No Comply health check errors: outdated tools.
pub(crate) const TOOLS_OUTDATED: Check = health("comply.health-tools-outdated", Severity::Medium)
    .title("No endpoint has outdated tools of Comply")
    .reads(&[&TOOLS])
    .what("Reads the bar for outdated tools of the panel Comply Health Checks. More than `max_endpoints` are a finding; a bar that is not there is none.")
    .why("Old tools do not know new checks.")
    .related(&["endpoint-configuration.tools-status"])
    .remedy(&TOOLS_REMEDY)
    .judge(|facts, report| judge(facts, report, (&TOOLS, Kind::Tools), "outdated tools"));

const TOOLS_REMEDY: Remedy = Remedy::new(&[
    LIST,
    Step::console(
        "Administration > Shared Services > Endpoint Configuration",
        "bring Comply's tools up to date on these endpoints",
    ),
    Step::consult(COMMON_ERRORS, "look up the error where tools stay old"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Reference: Common errors"]);

const OTHERS: Input = Input::new("comply.health-others", "endpoints with other errors of Comply").sources(&[
    BARS,
    Source::answer(
        "Endpoints that the panel Comply Health Checks shows for anything but outdated tools, scan failures and \
         insufficient disk space",
        Accepts::Number,
        30,
    ),
]);

/// No other Comply health check errors.
pub(crate) const OTHER: Check = health("comply.health-other", Severity::Medium)
    .title("No endpoint has another error of Comply's health checks")
    .reads(&[&OTHERS])
    .what("Reads the bars of the panel Comply Health Checks that are neither outdated tools, scan failures nor insufficient disk space. More than `max_endpoints` on one bar are a finding.")
    .why("The guide names three errors as examples; there are more.")
    .related(&["comply.notifications", "comply.health-scan-failures"])
    .remedy(&OTHER_REMEDY)
    .judge(|facts, report| judge(facts, report, (&OTHERS, Kind::Other), "other errors"));

const OTHER_REMEDY: Remedy =
    Remedy::new(&[LIST, Step::consult(COMMON_ERRORS, "look up the error and follow it")])
        .who(WHO)
        .risk(Risk::Low, Reversible::Yes)
        .references(&["Comply User Guide: Reference: Common errors"]);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    const ALL: [(&Check, &Input, &str); 4] = [
        (&DISK_SPACE, &DISK, "Insufficient disk space"),
        (&SCAN_FAILURES, &SCANS, "Scan failures"),
        (&TOOLS_OUTDATED, &TOOLS, "Outdated tools"),
        (&OTHER, &OTHERS, "No credentials"),
    ];

    #[test]
    fn each_check_looks_at_its_own_bars() {
        for (check, input, label) in ALL {
            let case = |mine: &str| {
                let bar = |one: &str| json!({"Error Type": one, "Endpoints": if one == label { mine } else { "9" }});
                Case::of(check).rows(input, ALL.iter().map(|(_, _, label)| bar(label)).collect())
            };
            case("0").judge().assert_pass();
            case("0").assert_needs_its_inputs();
            case("4").judge().assert_findings(&[&label.to_lowercase()]);
            case("4").setting("max_endpoints", 4).judge().assert_pass();
            case("").judge().assert_undecided(Outcome::NotEvaluated);
            case("many").judge().assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn a_bar_that_is_not_there_is_none_and_a_number_will_do() {
        for (check, input, _) in ALL {
            Case::of(check).rows(input, json!([])).judge().assert_pass();
            Case::of(check).answer(input, 0).judge().assert_pass();
            assert_eq!(Case::of(check).answer(input, 2).judge().findings().len(), 1);
        }
    }
}
