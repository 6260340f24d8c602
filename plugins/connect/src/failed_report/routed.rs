//! `connect.failed-report-routed`: the team with authority receives the report.

use super::REFERENCES;
use crate::WHO;
use tancheck_plugin_api::prelude::*;

/// How long a confirmation of the report's delivery is good for.
const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody has to confirm that the report reaches the team with authority");

/// `connect.failed-report-routed`
pub const ROUTED: Check = Check::attested("connect.failed-report-routed")
    .title("The team with authority receives the report")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .due_every(&DUE_EVERY_DAYS)
    .guide(&[
        guide("Configure a failed connections report", 9),
        guide("Review and remediate connection issues", 23),
    ])
    .what("Asks a person who may disable or delete connections, and whether the failed connections report reaches them.")
    .why("Those who see a failure and those who may act on it are often different people.")
    .limits("Only a person can tell; the answer is taken as given.")
    .related(&["connect.failed-report-exists"])
    .remedy(&ROUTED_REMEDY);

const ROUTED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of Connect", "name the team that may disable or delete connections"),
    Step::decision("it is your own team", "attest that, and review failed connections every month"),
    Step::console(
        "Modules > Connect > Connections",
        "set the destination of the failed connections report to a place that the team reads",
    ),
    Step::consult(
        "that team",
        "ask whether the latest report arrived; then attest, with the team's name in the note",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);
