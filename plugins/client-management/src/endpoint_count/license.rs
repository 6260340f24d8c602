//! "Check the endpoint count", page 12: the licence covers the endpoints, now and soon.

use super::{GUIDE, LICENSE_SERIES};
use crate::inputs::{ENDPOINT_HISTORY, LICENSE_COUNT, LICENSED_SEATS};
use crate::weeks;
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Growth;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{LICENSE, License};

const WARN_PERCENT: Setting = Setting::integer("warn_pct", 90, 1, 100)
    .unit("percent")
    .about("the share of the licensed maximum from which on the licence is short");

const HORIZON_DAYS: Setting = Setting::integer("horizon_days", 90, 1, 730)
    .unit("days")
    .about("how far ahead the growth of the endpoint count is followed");

pub(crate) const EXCEEDED: Check = Check::automated("client-management.license-exceeded")
    .title("The license limit of managed endpoints is not exceeded")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::High)
    .reads(&[&LICENSE_COUNT, &LICENSE, &LICENSED_SEATS])
    .guide(GUIDE)
    .what(
        "Compares the number of endpoints that count for the licence with the licensed maximum, and with \
         the maximum of each solution that has one of its own. The maximum is read from the licence, from \
         the server's metrics, or from a person.",
    )
    .why("The licence is a contract, and a solution may refuse endpoints beyond its maximum.")
    .limits(
        "That the server's count is the one of the page Client Status is not documented. A difference from \
         the Home page is no fault. The maxima of solutions are seen only in the licence itself.",
    )
    .related(&["client-management.license-headroom"])
    .remedy(&RAISE)
    .even_if_absent()
    .judge(license_exceeded);

const RAISE: Remedy = Remedy::new(&[
    Step::console("Administration > Configuration > Client Status", "read the count for licence compliance"),
    Step::decision(
        "endpoints are counted that are gone",
        "wait until they drop out of the count, then run this check again",
    ),
    Step::support(
        "ask for a licence with a higher maximum of managed endpoints; bring the count and its growth",
    ),
])
.who("licence owner")
.references(&["Tanium Console User Guide: View managed endpoints count for license compliance"]);

pub(crate) const HEADROOM: Check = Check::automated("client-management.license-headroom")
    .title("Growth does not reach the license limit soon")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&LICENSE_COUNT, &LICENSE, &LICENSED_SEATS, &ENDPOINT_HISTORY])
    .settings(&[&WARN_PERCENT, &HORIZON_DAYS])
    .guide(GUIDE)
    .what(
        "Reports a count of at least `warn_pct` of the licensed maximum, and a count whose growth over the \
         stored weeks (a straight line that single outliers do not bend) reaches the maximum within `horizon_days`.",
    )
    .why("A new licence takes time to order. Whoever sees the end coming does not run into it.")
    .limits("With fewer than four stored weeks only the share is judged, and the outcome says so.")
    .related(&["client-management.endpoint-count-recorded", "client-management.license-exceeded"])
    .remedy(&PLAN)
    .even_if_absent()
    .judge(license_headroom);

const PLAN: Remedy = Remedy::new(&[
    Step::command("tancheck trend client-management.endpoint-count.client-count", "look at the growth"),
    Step::decision("the growth was a single event", "wait for the next weeks; the line becomes flat again"),
    Step::support("ask in time for a licence with a higher maximum of managed endpoints"),
])
.who("licence owner")
.references(&["Tanium Console User Guide: View managed endpoints count for license compliance"]);

/// What the licence covers.
struct Seats {
    total: f64,
    source: &'static Input,
    /// Maxima of single solutions.
    solutions: BTreeMap<String, f64>,
}

impl Seats {
    /// From the licence, or from the server's metrics or a person where the licence does not tell.
    fn of(facts: &Facts<'_>, report: &mut Report) -> Result<Self, Undecided> {
        let license: Result<License, Undecided> = facts.object(&LICENSE);
        let Ok(License { licensed_features: features }) = &license else {
            report.note("the licence itself was not read, so maxima of single solutions were not seen");
            return Ok(Self {
                total: told_elsewhere(facts)?,
                source: &LICENSED_SEATS,
                solutions: BTreeMap::new(),
            });
        };
        let mut solutions = BTreeMap::new();
        for solution in &features.licensed_solutions {
            // The licence lists some solutions twice; the larger number is what it covers.
            if let Some(seats) = solution.seats {
                let known: &mut f64 = solutions.entry(solution.name.clone()).or_insert(seats);
                *known = known.max(seats);
            }
        }
        match features.customer.seat_count {
            Some(total) => Ok(Self { total, source: &LICENSE, solutions }),
            None => Ok(Self { total: told_elsewhere(facts)?, source: &LICENSED_SEATS, solutions }),
        }
    }
}

fn told_elsewhere(facts: &Facts<'_>) -> Result<f64, Undecided> {
    let seats = match facts.body(&LICENSED_SEATS)? {
        Body::Answer(answer) => answer.value.as_f64(),
        _ => facts
            .samples(&LICENSED_SEATS)?
            .iter()
            .find(|sample| sample.name == "tanium_licensed_seat_count")
            .map(|sample| sample.value),
    };
    seats.ok_or_else(|| {
        Undecided::not_evaluated(
            "neither the licence nor the metrics tell the licensed maximum; read it off Administration > \
             Configuration > Client Status and answer client-management.licensed-seats",
        )
    })
}

/// The number of endpoints that count for the licence.
fn counted(facts: &Facts<'_>) -> Result<f64, Undecided> {
    match facts.body(&LICENSE_COUNT)? {
        Body::Answer(answer) => answer
            .value
            .as_f64()
            .ok_or_else(|| Undecided::not_evaluated(format!("{} is no number of endpoints", answer.value))),
        _ => facts.value(&LICENSE_COUNT),
    }
}

fn license_exceeded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let count = counted(facts)?;
    let seats = Seats::of(facts, report)?;
    let mut beyond = |subject: Subject, limit: f64| {
        if count > limit {
            report.finding(
                Finding::on(subject)
                    .says(format!("is licensed for {limit} endpoints, {count} are counted"))
                    .expected(format!("at most {limit} endpoints"))
                    .affected((count - limit) as u64, Some(count as u64))
                    .evidence(facts.seen(&LICENSE_COUNT, count))
                    .evidence(facts.seen(seats.source, limit)),
            );
        }
    };
    beyond(Subject::new("license", "license", "the deployment"), seats.total);
    for (name, limit) in &seats.solutions {
        beyond(Subject::new("licensed solution", name, name), *limit);
    }
    Ok(())
}

fn license_headroom(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let count = counted(facts)?;
    let seats = Seats::of(facts, report)?;
    let warn = facts.integer(&WARN_PERCENT)?;
    report.measure_against("client-management.license-use", count, "endpoints", seats.total);
    let subject = || Subject::new("license", "license", "the licence");
    if count * 100.0 >= seats.total * warn as f64 {
        report.finding(
            Finding::on(subject())
                .says(format!("has room for {} endpoints, {count} are counted", seats.total))
                .expected(format!("less than {warn} percent in use"))
                .affected(count as u64, Some(seats.total as u64))
                .evidence(facts.seen(&LICENSE_COUNT, count))
                .evidence(facts.seen(seats.source, seats.total)),
        );
        return Ok(());
    }
    let weeks = weeks::earlier(facts.points(&ENDPOINT_HISTORY)?, LICENSE_SERIES, facts.now());
    let Some(growth) = Growth::of(&weeks).map(|growth| growth.daily) else {
        report.note(format!("only the share was judged: {} of 4 earlier weeks are stored", weeks.len()));
        return Ok(());
    };
    let horizon = facts.integer(&HORIZON_DAYS)?;
    let days = if growth > 0.0 { (seats.total - count) / growth } else { f64::INFINITY };
    if days <= horizon as f64 {
        report.finding(
            Finding::on(subject())
                .says(format!(
                    "is used up in {days:.0} days if the count of {count} goes on growing by {:.1} a week",
                    growth * 7.0
                ))
                .expected(format!("room for more than {horizon} days of growth"))
                .affected(count as u64, Some(seats.total as u64))
                .evidence(facts.seen(&ENDPOINT_HISTORY, growth * 7.0))
                .evidence(facts.seen(seats.source, seats.total)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Sample;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn license(seats: Value, solutions: Value) -> Value {
        json!({"licensed_features": {"customer": {"seat_count": seats}, "licensed_solutions": solutions}})
    }

    fn case(check: &'static Check, count: u64) -> Case {
        Case::of(check).value(&LICENSE_COUNT, count).object(&LICENSE, license(json!(1000), json!([])))
    }

    #[test]
    fn the_maximum_itself_is_allowed() {
        case(&EXCEEDED, 1000).judge().assert_pass();
        case(&EXCEEDED, 1001).judge().assert_findings(&["license"]);
        case(&EXCEEDED, 1000).assert_needs_its_inputs();
    }

    #[test]
    fn a_solution_with_its_own_maximum_is_named_and_doubles_count_once() {
        let solutions =
            json!([{"name": "Patch", "seats": 400}, {"name": "Patch", "seats": 500}, {"name": "Base"}]);
        let case = |count| {
            Case::of(&EXCEEDED)
                .value(&LICENSE_COUNT, count)
                .object(&LICENSE, license(json!(1000), solutions.clone()))
        };
        case(500).judge().assert_pass();
        case(501).judge().assert_findings(&["Patch"]);
    }

    #[test]
    fn the_maximum_may_come_from_metrics_or_from_a_person() {
        let bare =
            Case::of(&EXCEEDED).value(&LICENSE_COUNT, 1001).object(&LICENSE, license(Value::Null, json!([])));
        bare.judge().assert_undecided(Outcome::NotEvaluated);
        let sample =
            Sample { name: "tanium_licensed_seat_count".into(), labels: BTreeMap::new(), value: 1000.0 };
        bare.clone().body(&LICENSED_SEATS, Body::Samples(vec![sample])).judge().assert_findings(&["license"]);
        bare.clone().answer(&LICENSED_SEATS, 2000).judge().assert_pass();
        bare.clone().answer(&LICENSED_SEATS, "many").judge().assert_undecided(Outcome::NotEvaluated);
        bare.body(&LICENSED_SEATS, Body::Samples(Vec::new())).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_the_licence_the_missing_view_of_solutions_is_told() {
        let verdict = Case::of(&EXCEEDED)
            .answer(&LICENSE_COUNT, 900)
            .unavailable(&LICENSE, Outcome::NoPermission)
            .answer(&LICENSED_SEATS, 1000)
            .judge();
        verdict.assert_pass();
        assert!(verdict.notes()[0].contains("not seen"));
    }

    fn growing(count: u64, weeks: &[f64]) -> Case {
        case(&HEADROOM, count).weekly(&ENDPOINT_HISTORY, LICENSE_SERIES.name, weeks)
    }

    #[test]
    fn the_share_alone_is_a_reason() {
        growing(900, &[]).judge().assert_findings(&["license"]);
        let few = growing(899, &[1.0, 2.0, 3.0]).judge();
        few.assert_pass();
        assert!(few.notes()[0].contains("only the share"));
    }

    #[test]
    fn growth_that_reaches_the_maximum_within_the_horizon_is_a_reason() {
        growing(740, &[700.0, 710.0, 720.0, 730.0]).judge().assert_pass();
        growing(780, &[700.0, 720.0, 740.0, 760.0]).judge().assert_findings(&["license"]);
        growing(780, &[700.0, 720.0, 740.0, 760.0]).setting("horizon_days", 30).judge().assert_pass();
        growing(780, &[760.0, 740.0, 720.0, 700.0]).judge().assert_pass();
        growing(780, &[700.0; 4]).assert_needs_its_inputs();
    }
}
