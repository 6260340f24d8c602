//! Counters of the server that must not rise.

use super::{SERVER_GUIDE, SERVER_WHO, beyond};
use tancheck_plugin_api::prelude::*;

const FAILURES: Input =
    Input::new("health-check.failure-counters", "failed connections to databases, failing downloads")
        .sources(&[Source::metrics(&[
            "tanium_dbconnectionpool_db_connect_failure_total",
            "tanium_file_download_failing_count",
        ])]);

/// What earlier runs counted.
const EARLIER: Input = Input::new("health-check.failures-counted", "failures that earlier runs counted")
    .sources(&[Source::history("health-check.failures.*", 60)]);

/// Counters: name in the history, family, what a rise means, and whether it is a sum since the server's start.
const COUNTERS: [(&str, &str, &str, bool); 2] = [
    (
        "database",
        "tanium_dbconnectionpool_db_connect_failure_total",
        "failed connections to the database",
        true,
    ),
    ("download", "tanium_file_download_failing_count", "package files whose download fails", false),
];

/// Connections to the database succeed.
pub(crate) const DATABASE_CONNECTIONS: Check = beyond("health-check.database-connections", Severity::High)
    .title("Connections to the database, and downloads of package files, do not fail more often")
    .reads(&[&FAILURES, &EARLIER])
    .what("Compares two counters of the server's metrics with the run before: failed connections to the database since its start, and package files whose download fails. More than before is found.")
    .why("A server that loses its database stops; one that cannot download leaves actions without their packages.")
    .limits("The first run only remembers. When the server was started again in between, its failures since then count.")
    .related(&["health-check.package-files", "backup.databases-backed-up", "appliance.hc-services"])
    .remedy(&REMEDY)
    .judge(database_connections);

const REMEDY: Remedy = Remedy::new(&[
    Step::decision("connections to the database fail", "look at the database host, its disk and its log, with the database administrator"),
    Step::decision("downloads fail", "see health-check.package-files for the packages, then look at proxy, allowed URLs and the sources themselves"),
    Step::consult(SERVER_GUIDE, "follow it for the database"),
    Step::support("if connections keep failing: bring the log of the Tanium Server and the time of the failures"),
])
.cautions(&["Do not restart the database under a running Tanium Server without Tanium Support's word."])
.who(SERVER_WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&[SERVER_GUIDE]);

fn database_connections(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let samples = facts.samples(&FAILURES)?;
    let points = facts.points(&EARLIER)?;
    let mut unknown = Vec::new();
    for (name, family, what, is_sum) in COUNTERS {
        let values: Vec<f64> =
            samples.iter().filter(|sample| sample.name == family).map(|sample| sample.value).collect();
        if values.is_empty() {
            unknown.push(format!("the metrics have no {family}"));
            continue;
        }
        let now: f64 = values.iter().sum();
        let series = format!("health-check.failures.{name}");
        report.measure(&series, now, "failures");
        let earlier = points.iter().filter(|point| point.series == series && point.at < facts.now());
        let Some(before) = earlier.max_by_key(|point| point.at).map(|point| point.value) else {
            unknown.push(format!("{what}: no earlier run to compare with"));
            continue;
        };
        // A sum that fell began anew, when the server was started.
        let before = if is_sum && now < before { 0.0 } else { before };
        if now > before {
            report.finding(
                Finding::on(Subject::new("counter", name, what))
                    .says(format!("rose from {before} to {now} since the run before"))
                    .expected("no more than before")
                    .evidence(facts.seen(&FAILURES, (family, now))),
            );
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::{Point, Sample};
    use tancheck_plugin_api::testing::Case;

    fn case(now: [f64; 2], before: Option<[f64; 2]>) -> Case {
        let sample = |(value, counter): (f64, &(&str, &str, &str, bool))| Sample {
            name: counter.1.to_owned(),
            labels: std::collections::BTreeMap::new(),
            value,
        };
        let point = |(value, counter): (f64, &(&str, &str, &str, bool))| Point {
            series: format!("health-check.failures.{}", counter.0),
            at: "2026-06-23T12:00:00Z".parse().unwrap(),
            value,
        };
        let points = before.into_iter().flat_map(|values| values.into_iter().zip(&COUNTERS)).map(point);
        Case::of(&DATABASE_CONNECTIONS)
            .body(&FAILURES, Body::Samples(now.into_iter().zip(&COUNTERS).map(sample).collect()))
            .body(&EARLIER, Body::Points(points.collect()))
    }

    #[test]
    fn what_does_not_rise_passes() {
        case([3.0, 2.0], Some([3.0, 2.0])).judge().assert_pass();
        case([3.0, 2.0], Some([3.0, 5.0])).judge().assert_pass();
        case([0.0, 0.0], Some([9.0, 0.0])).judge().assert_pass();
        case([3.0, 2.0], Some([3.0, 2.0])).assert_needs_its_inputs();
    }

    #[test]
    fn what_rises_is_found() {
        case([4.0, 2.0], Some([3.0, 2.0])).judge().assert_findings(&["database"]);
        case([3.0, 3.0], Some([3.0, 2.0])).judge().assert_findings(&["download"]);
        case([2.0, 0.0], Some([9.0, 0.0])).judge().assert_findings(&["database"]);
    }

    #[test]
    fn the_first_run_only_remembers() {
        let first = case([3.0, 0.0], None).judge();
        first.assert_undecided(Outcome::NotEvaluated);
        assert_eq!(first.measures().len(), 2);
        let bare = case([0.0, 0.0], Some([0.0, 0.0])).body(&FAILURES, Body::Samples(Vec::new()));
        bare.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
