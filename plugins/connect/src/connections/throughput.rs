//! `connect.throughput`: connections move as much data as they usually do.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{CONNECTIONS, Connection, DETAILS, RUNS, Run, RunStatus};
use crate::inputs::{runs_of, with_elements};
use serde_json::json;
use tancheck_plugin_api::facts::{Baseline, Point, median};
use tancheck_plugin_api::prelude::*;

/// How far below its usual value a connection may fall.
const TOLERANCE_PCT: Setting = Setting::integer("tolerance_pct", 50, 1, 100)
    .unit("percent")
    .about("how far the throughput of a connection may fall below its usual value");

/// The median of rows of each connection, by connection id, as earlier checks measured it.
const ROWS_SERIES: Input = Input::new("connect.rows-series", "rows for each run in earlier checks")
    .sources(&[Source::history("connect.rows-per-run.*", 400)]);

/// The median of bytes in a second of each connection, by connection id, as earlier checks measured it.
const BYTES_SERIES: Input = Input::new("connect.bytes-series", "bytes in a second in earlier checks")
    .sources(&[Source::history("connect.bytes-per-second.*", 400)]);

/// Runs whose median is compared, and the fewest earlier values to compare it with.
const NEWEST: usize = 5;

/// `connect.throughput`
pub const THROUGHPUT: Check = Check::automated("connect.throughput")
    .title("Connection throughput is normal")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&CONNECTIONS, &DETAILS, &RUNS, &ROWS_SERIES, &BYTES_SERIES])
    .settings(&[&TOLERANCE_PCT])
    .guide(GUIDE)
    .what(
        "Takes the median of rows and of bytes in a second over the five newest finished runs of each \
         enabled connection, and compares it with the median of the runs before and of earlier checks. A \
         fall by more than `tolerance_pct` is a finding. Where earlier values swing more than that anyway, \
         three times their usual swing counts instead. Connections that wait for events have no usual \
         amount and are left out.",
    )
    .why("A connection that finishes with a fraction of its rows looks healthy in every list of states.")
    .limits(
        "Needs five newest runs and five earlier values for each connection; until then the check is \
         undecided. The duration of a run is the time between its creation and its last change.",
    )
    .remedy(&REMEDY)
    .judge(throughput);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "look at the metrics of the connection over time",
    ),
    Step::decision(
        "fewer rows come from the source",
        "ask the source's question or open its report in the Console: fewer endpoints, a changed filter, or \
         a changed minimum percentage explain it",
    ),
    Step::decision(
        "the rows are the same and they arrive more slowly",
        "compare with the load of the destination and of the Module Server, and spread the schedules of \
         connections that run at the same time",
    ),
    Step::consult("Connect User Guide: Troubleshooting", "look up what the log of a slow run says"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Connect User Guide: View connection metrics", "Connect User Guide: Troubleshooting"]);

/// One kind of throughput.
struct Measured {
    series: &'static str,
    unit: &'static str,
    history: &'static Input,
    of_run: fn(&Run) -> Option<f64>,
}

const MEASURED: [Measured; 2] = [
    Measured {
        series: "connect.rows-per-run",
        unit: "rows",
        history: &ROWS_SERIES,
        of_run: |run| run.source_row_count,
    },
    Measured {
        series: "connect.bytes-per-second",
        unit: "bytes/s",
        history: &BYTES_SERIES,
        of_run: bytes_per_second,
    },
];

fn throughput(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tolerance = facts.integer(&TOLERANCE_PCT)? as f64;
    let runs: Vec<Run> = facts.rows(&RUNS)?;
    let connections = with_elements(facts)?;
    let mut judged: Vec<&Connection> = connections
        .iter()
        .filter(|connection| !connection.is_off() && !connection.is_event_driven())
        .collect();
    judged.sort_by(|one, other| one.id.cmp(&other.id));
    if judged.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no connection runs by a schedule"));
    }
    let mut undecided = Vec::new();
    for connection in judged {
        let own = runs_of(&runs, connection);
        let finished: Vec<&Run> =
            own.into_iter().filter(|run| run.status == Some(RunStatus::Finished)).collect();
        let mut falls = Vec::new();
        for kind in &MEASURED {
            let points = facts.points(kind.history)?;
            match compare(kind, connection, &finished, points, report) {
                Some((now, usual)) if now < usual.floor(tolerance) => {
                    let median = usual.median.round();
                    falls.push(format!("{} {} instead of {median}", now.round(), kind.unit));
                }
                Some(_) => {}
                None => undecided.push(format!(
                    "{:?} has too few finished runs to know its usual {}",
                    connection.name, kind.unit
                )),
            }
        }
        if !falls.is_empty() {
            report.finding(
                Finding::on(connection.subject())
                    .says(format!("moves {}", falls.join(", and ")))
                    .expected(format!("at least {} % of the usual amount", 100.0 - tolerance))
                    .evidence(facts.seen(&RUNS, json!(falls))),
            );
        }
    }
    settle(&undecided)
}

/// The median of the newest runs, and what was usual before; nothing while there is too little of either.
fn compare(
    kind: &Measured,
    connection: &Connection,
    finished: &[&Run],
    points: &[Point],
    report: &mut Report,
) -> Option<(f64, Baseline)> {
    let values: Vec<f64> = finished.iter().filter_map(|run| (kind.of_run)(run)).collect();
    let newest = values.get(..NEWEST)?;
    let now = median(newest)?;
    let series = format!("{}.{}", kind.series, connection.id);
    report.measure(&series, now, kind.unit);
    let stored = points.iter().filter(|point| point.series == series).map(|point| point.value);
    let earlier: Vec<f64> = values[NEWEST..].iter().copied().chain(stored).collect();
    Some((now, Baseline::known(&earlier, NEWEST)?))
}

fn bytes_per_second(run: &Run) -> Option<f64> {
    let seconds = run.updated_at?.duration_since(run.created_at?).as_secs_f64();
    // A run shorter than a second says nothing about speed.
    (seconds >= 1.0).then_some(run.destination_byte_count? / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::facts::Body;
    use tancheck_plugin_api::testing::Case;

    /// Runs with these rows, the newest last, ten seconds each.
    fn runs(rows: &[u32]) -> Value {
        let run = |(index, rows): (usize, &u32)| {
            json!({"id": index, "connectionId": 1, "status": "Finished", "sourceRowCount": rows,
                   "destinationByteCount": rows * 100, "createdAt": format!("2026-06-{:02}T10:00:00Z", index + 1),
                   "updatedAt": format!("2026-06-{:02}T10:00:10Z", index + 1)})
        };
        rows.iter().enumerate().map(run).collect()
    }

    fn case(runs: Value, source: &str) -> Case {
        Case::of(&THROUGHPUT)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "a", "enabled": true}]))
            .rows(&DETAILS, json!([{"id": 1, "streams": [source]}]))
            .rows(&RUNS, runs)
            .body(&ROWS_SERIES, Body::Points(Vec::new()))
            .body(&BYTES_SERIES, Body::Points(Vec::new()))
    }

    const QUESTION: &str = "/v1/sources/savedquestions/2";

    #[test]
    fn a_fall_beyond_the_tolerance_is_found() {
        case(runs(&[100; 10]), QUESTION).judge().assert_pass();
        let half = case(runs(&[100, 100, 100, 100, 100, 50, 50, 50, 50, 50]), QUESTION);
        half.judge().assert_pass();
        let less = case(runs(&[100, 100, 100, 100, 100, 40, 49, 49, 49, 200]), QUESTION);
        less.judge().assert_findings(&["1"]);
        less.setting("tolerance_pct", 60).judge().assert_pass();
    }

    #[test]
    fn earlier_checks_count_where_runs_are_few() {
        let case = case(runs(&[40; 5]), QUESTION);
        case.judge().assert_undecided(Outcome::NotEvaluated);
        let with_history = case.weekly(&ROWS_SERIES, "connect.rows-per-run.1", &[100.0; 5]).weekly(
            &BYTES_SERIES,
            "connect.bytes-per-second.1",
            &[400.0; 5],
        );
        with_history.judge().assert_findings(&["1"]);
        let of_another = with_history.weekly(&ROWS_SERIES, "connect.rows-per-run.12", &[100.0; 5]);
        assert!(of_another.judge().undecided().is_some());
    }

    #[test]
    fn the_median_is_kept_for_later_checks() {
        let verdict = case(runs(&[10, 10, 10, 30, 20, 90, 40, 10]), QUESTION).judge();
        let measures: Vec<_> =
            verdict.measures().iter().map(|one| (one.series.as_str(), one.value)).collect();
        assert_eq!(measures, [("connect.rows-per-run.1", 30.0), ("connect.bytes-per-second.1", 300.0)]);
    }

    #[test]
    fn events_have_no_usual_amount() {
        case(runs(&[1; 10]), "/v1/sources/events/2").judge().assert_undecided(Outcome::NotApplicable);
        case(runs(&[100; 10]), QUESTION).assert_needs_its_inputs();
    }
}
