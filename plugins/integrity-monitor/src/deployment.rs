//! Monitors and watchlists: what is meant to be on endpoints, and whether it was sent there.

use crate::WHO;
use tancheck_plugin_api::prelude::*;

/// Monitors with their state and targets.
pub(crate) const MONITORS: Input = Input::new(
    "integrity-monitor.monitors",
    "monitors with state and targets",
)
.sources(&[Source::gateway("integrityMonitorMonitors", MONITORS_QUERY)
    .needs(&["gateway use api", "integrity monitor monitors read"])]);

const MONITORS_QUERY: &str = "\
query TancheckMonitors($after: Cursor) {
  integrityMonitorMonitors(first: 50, after: $after) {
    edges { node { id name revision deploymentStatus computerGroups(first: 1) { totalRecords } } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// Watchlists with their state and targets.
pub(crate) const WATCHLISTS: Input =
    Input::new("integrity-monitor.watchlists", "watchlists with state and targets")
        .sources(&[Source::gateway("integrityMonitorWatchlists", WATCHLISTS_QUERY)
            .needs(&["gateway use api", "integrity monitor watchlists read"])]);

const WATCHLISTS_QUERY: &str = "\
query TancheckWatchlists($after: Cursor) {
  integrityMonitorWatchlists(first: 50, after: $after) {
    edges { node { id name revision deploymentStatus computerGroups(first: 1) { totalRecords } } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// What earlier runs saw.
const SEEN_PENDING: Input =
    Input::new("integrity-monitor.seen-pending", "what earlier runs saw waiting for its deployment")
        .sources(&[Source::history("integrity-monitor.pending.*", 120)]);

/// A monitor or a watchlist.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Monitored {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    /// `Deployed`, `Deploying`, `PendingDeletion` or `PendingDeployment`.
    #[serde(rename = "deploymentStatus", deserialize_with = "lenient::text")]
    status: String,
    #[serde(rename = "computerGroups")]
    groups: Option<Groups>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Groups {
    #[serde(rename = "totalRecords")]
    total: Option<u64>,
}

/// Everything that is meant to be on endpoints was sent there.
pub(crate) const NOT_DEPLOYED: Check = Check::automated("integrity-monitor.not-deployed")
    .title("Monitors and watchlists are deployed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&MONITORS, &WATCHLISTS, &SEEN_PENDING])
    .what("Reads the state and the computer groups of all monitors and watchlists. One without a computer group is a finding; one that waits for its deployment or deletion is a finding when the run before saw it waiting as well.")
    .why("A change that was saved and never deployed protects nothing, and the list shows it as if it did.")
    .limits("The fields are experimental in the API Gateway. One that is seen waiting for the first time is decided by the next run.")
    .related(&["integrity-monitor.endpoint-errors"])
    .beyond()
    .remedy(&REMEDY)
    .judge(not_deployed);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Integrity Monitor", "open {subject} and see its state and its computer groups"),
    Step::decision("it waits for deployment or deletion", "deploy the pending changes, or undo them"),
    Step::decision("it has no computer group", "assign the groups that it is meant to watch, or delete it"),
])
.cautions(&[
    "A deployment starts a scan on every endpoint in the groups: choose a quiet time for large ones.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[
    "Integrity Monitor User Guide: Managing monitors",
    "Integrity Monitor User Guide: Managing watchlists",
]);

fn not_deployed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    let mut any = false;
    for (kind, input) in [("monitor", &MONITORS), ("watchlist", &WATCHLISTS)] {
        let all: Vec<Monitored> = facts.rows(input)?;
        any |= !all.is_empty();
        for one in &all {
            if let Err(undecided) = judge(facts, report, kind, input, one) {
                unknown.push(undecided.reason);
            }
        }
    }
    settle(&unknown)?;
    if any { Ok(()) } else { Err(facts.absent(&MONITORS, "there is no monitor and no watchlist")) }
}

fn judge(
    facts: &Facts<'_>,
    report: &mut Report,
    kind: &str,
    input: &'static Input,
    one: &Monitored,
) -> Result<(), Undecided> {
    let waits = match one.status.as_str() {
        "Deployed" => false,
        "Deploying" | "PendingDeletion" | "PendingDeployment" => true,
        other => {
            return Err(Undecided::not_evaluated(format!(
                "the state {other:?} of the {kind} {} is not known",
                one.name
            )));
        }
    };
    let series = format!("integrity-monitor.pending.{kind}.{}", one.id);
    report.measure(&series, f64::from(u8::from(waits)), "waiting");
    let subject = || Subject::new(kind, format!("{kind} {}", one.id), &one.name);
    if one.groups.as_ref().and_then(|groups| groups.total) == Some(0) {
        report.finding(
            Finding::on(subject())
                .says(format!("is a {kind} without a computer group"))
                .expected("a computer group whose endpoints it watches")
                .evidence(facts.seen(input, &one.status)),
        );
    }
    if !waits {
        return Ok(());
    }
    let points = facts.points(&SEEN_PENDING).unwrap_or_default();
    let last = points.iter().filter(|point| point.series == series).max_by_key(|point| point.at);
    match last {
        Some(last) if last.value > 0.0 => {
            report.finding(
                Finding::on(subject())
                    .says(format!("is {} as it was on {}", one.status, last.at.strftime("%Y-%m-%d")))
                    .expected("Deployed")
                    .evidence(facts.seen(input, &one.status)),
            );
            Ok(())
        }
        _ => Err(Undecided::not_evaluated(format!(
            "the {kind} {} is {} and was not seen so before; the next run decides",
            one.name, one.status
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(status: &str, groups: u64) -> Value {
        json!({"id": "7", "name": "System files", "deploymentStatus": status, "computerGroups": {"totalRecords": groups}})
    }

    fn case(monitor: Value) -> Case {
        Case::of(&NOT_DEPLOYED)
            .rows(&MONITORS, json!([monitor]))
            .rows(&WATCHLISTS, json!([row("Deployed", 2)]))
    }

    #[test]
    fn deployed_ones_with_targets_pass_and_are_remembered() {
        let verdict = case(row("Deployed", 1)).judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].series, "integrity-monitor.pending.monitor.7");
        case(row("Deployed", 1)).assert_needs_its_inputs();
    }

    #[test]
    fn one_that_waits_over_two_runs_is_found() {
        let waiting = case(row("PendingDeployment", 1));
        waiting.judge().assert_undecided(Outcome::NotEvaluated);
        let seen = |values: &[f64]| {
            waiting.clone().weekly(&SEEN_PENDING, "integrity-monitor.pending.monitor.7", values)
        };
        seen(&[0.0, 1.0]).judge().assert_findings(&["monitor 7"]);
        seen(&[1.0, 0.0]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn one_without_targets_is_found_and_an_unknown_state_is_not_judged() {
        case(row("Deployed", 0)).judge().assert_findings(&["monitor 7"]);
        case(row("Dreaming", 1)).judge().assert_undecided(Outcome::NotEvaluated);
        let none = Case::of(&NOT_DEPLOYED).rows(&MONITORS, json!([])).rows(&WATCHLISTS, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }
}
