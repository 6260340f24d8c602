//! "Check the endpoint count", page 12: is the number recorded, and is it what was to be expected?

mod license;
mod new_endpoints;

pub(crate) use license::{EXCEEDED, HEADROOM};
pub(crate) use new_endpoints::AUTHORIZED;

use crate::inputs::{ENDPOINT_COUNT, ENDPOINT_HISTORY, EndpointTotal, NEW_ENDPOINTS, NewEndpoint, RETENTION};
use crate::weeks::{self, Series};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::facts::Baseline;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::ClientStatus;

const GUIDE: &[GuideReference] = &[guide("Check the endpoint count", 12)];

/// How many earlier weeks make the base of a comparison.
const BASE_WEEKS: usize = 8;

const EXPECTED_COUNT: Setting = Setting::integer_unset("expected_count", 1, 10_000_000)
    .unit("endpoints")
    .about("the number of endpoints to expect; without it, the median of the earlier weeks");

const TOLERANCE: Setting = Setting::integer("tolerance_pct", 10, 0, 100)
    .unit("percent")
    .about("how far the endpoint count may be from the expected number");

const RETENTION_DAYS: Setting = Setting::integer("retention_days", 30, 1, 3650)
    .unit("days")
    .about("the retention period that the deployment is meant to have")
    .from_guide();

pub(crate) const RECORDED: Check = Check::automated("client-management.endpoint-count-recorded")
    .title("The endpoint count is tracked weekly")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Info)
    .reads(&[&ENDPOINT_COUNT, &ENDPOINT_HISTORY])
    .guide(GUIDE)
    .what(
        "Reads the number of managed endpoints and keeps it for later runs, each source in a series of its \
         own. It passes when a value of the present calendar week is stored.",
    )
    .why(
        "Only a series shows whether endpoints vanish or appear, and when the licence will be used up. A \
         single number shows neither.",
    )
    .limits(
        "The server's own count is documented only as the clients in the network. That it equals Total \
         Endpoints of the Home page is not stated.",
    )
    .remedy(&RECORD)
    .even_if_absent()
    .judge(endpoint_count_recorded);

const RECORD: Remedy = Remedy::new(&[
    Step::console("Tanium Home page", "read Total Endpoints"),
    Step::command(
        "tancheck answer client-management.endpoint-count",
        "give the number, where tancheck cannot read it itself",
    ),
    Step::command(
        "tancheck run --cadence weekly",
        "let it run every week, by a timer; each run stores the count",
    ),
])
.who("the weekly maintainer")
.references(&["Tanium Console User Guide: View environment status"]);

pub(crate) const HIGH: Check = Check::automated("client-management.endpoint-count-high")
    .title("The endpoint count is not higher than expected")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&ENDPOINT_COUNT, &ENDPOINT_HISTORY, &NEW_ENDPOINTS])
    .settings(&[&EXPECTED_COUNT, &TOLERANCE])
    .learns(&[&EXPECTED_COUNT])
    .guide(GUIDE)
    .what(
        "Compares the number of managed endpoints with `expected_count`, or with the median of the last \
         eight weeks of the same series. It reports a count that is more than `tolerance_pct` above it. Where earlier weeks swing more than that anyway, three times their usual swing counts instead. It \
         names endpoints that were first seen within the last week where the API Gateway tells them.",
    )
    .why("Endpoints that nobody expected may be machines that were never authorized to join, and they use licences.")
    .limits(
        "Needs three earlier weeks of the same series, unless `expected_count` is set. An account whose \
         persona manages fewer computers counts fewer: compare only runs of the same account.",
    )
    .related(&[
        "client-management.endpoint-count-recorded",
        "client-management.license-headroom",
        "client-management.new-endpoints-authorized",
    ])
    .remedy(&TOO_MANY)
    .even_if_absent()
    .judge(endpoint_count_high);

const TOO_MANY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and IP Address and Tanium Client Version from all machines",
        "find the endpoints that are not in the asset register; the names of this finding are a start",
    ),
    Step::consult("the security team", "is each new endpoint authorized to join the network?"),
    Step::decision("an endpoint is not authorized", "take it off the network, then uninstall the client"),
    Step::console(
        "Administration > Configuration > Client Status",
        "compare the count with the licensed maximum",
    ),
    Step::decision(
        "the growth is meant",
        "set `expected_count` to the new number, or wait until the median follows",
    ),
])
.who("platform administrator and security team")
.references(&["Tanium Console User Guide: View environment status"]);

pub(crate) const LOW: Check = Check::automated("client-management.endpoint-count-low")
    .title("The endpoint count is not lower than expected")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&ENDPOINT_COUNT, &ENDPOINT_HISTORY])
    .settings(&[&EXPECTED_COUNT, &TOLERANCE])
    .guide(GUIDE)
    .what(
        "Compares the number of managed endpoints with `expected_count`, or with the median of the last \
         eight weeks of the same series. It reports a count that is more than `tolerance_pct` below it. Where earlier weeks swing more than that anyway, three times their usual swing counts instead.",
    )
    .why("An endpoint that does not register is neither seen, nor patched, nor protected.")
    .limits(
        "Needs three earlier weeks of the same series, unless `expected_count` is set. Where the count \
         covers a retention period, a loss shows only when that period is over. An account whose persona \
         manages fewer computers counts fewer: compare only runs of the same account.",
    )
    .related(&[
        "client-management.endpoint-count-recorded",
        "discover.unmanaged-endpoints",
        "subnets.lost-subnets",
    ])
    .remedy(&TOO_FEW)
    .even_if_absent()
    .judge(endpoint_count_low);

const TOO_FEW: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Configuration > Client Status",
        "sort by Last Registration and see which subnets and sites stopped registering, and when",
    ),
    Step::consult(
        "the networking team",
        "was there a disruption, or a change of routes, firewalls or name resolution, at that time?",
    ),
    Step::console(
        "Modules > Discover",
        "list the unmanaged endpoints: clients that were removed appear there",
    ),
    Step::decision(
        "clients were removed or stopped by local administrators",
        "set up the label and the alert for disconnected clients (guide, page 9), and redeploy the client",
    ),
    Step::decision(
        "the endpoints were retired",
        "set `expected_count` to the new number, or wait for the median",
    ),
])
.who("platform administrator and networking team")
.references(&[
    "Tanium Client Management User Guide: Audit and remediate disconnected Tanium Clients",
    "Tanium Client Management User Guide: Troubleshooting Tanium Clients and Client Management",
]);

pub(crate) const RETENTION_KNOWN: Check = Check::automated("client-management.endpoint-retention")
    .title("The registration retention period is known")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Info)
    .reads(&[&RETENTION])
    .settings(&[&RETENTION_DAYS])
    .guide(GUIDE)
    .what(
        "Asks a person for the retention period behind Total Endpoints and reports one that differs from \
         `retention_days`.",
    )
    .why("With another period than the usual 30 days, the count means something else than the guide says.")
    .limits(
        "No public route tells this period. The data service keeps results for 30 days as well; that is \
         another setting, and nothing is inferred from it.",
    )
    .remedy(&KEEP_RETENTION)
    .even_if_absent()
    .judge(endpoint_retention);

const KEEP_RETENTION: Remedy = Remedy::new(&[
    Step::decision("the period was changed on purpose", "write down why, and set `retention_days` to it"),
    Step::decision("nobody knows why it was changed", "set it back to 30 days"),
])
.who("a Console user with the Administrator reserved role, or a custom role that holds the matching permission")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Changing the period alters Total Endpoints and breaks the comparison with earlier weeks."])
.references(&["Tanium Console User Guide: View environment status"]);

/// The endpoint count as one source told it.
struct Count {
    value: f64,
    series: Series,
    at: Timestamp,
}

const BY_SERVER: Series =
    Series { name: "client-management.endpoint-count.client-count", words: "server's client count" };
const BY_GATEWAY: Series =
    Series { name: "client-management.endpoint-count.gateway", words: "data service's endpoint count" };
const BY_STATUS: Series = Series {
    name: "client-management.endpoint-count.client-status",
    words: "count of the client status list",
};
const BY_PERSON: Series =
    Series { name: "client-management.endpoint-count.total-endpoints", words: "typed-in Total Endpoints" };

/// The series that the licence is compared with.
const LICENSE_SERIES: Series = BY_SERVER;

impl Count {
    /// Each source has a series of its own, for they do not count the same.
    fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let (value, series) = match facts.body(&ENDPOINT_COUNT)? {
            Body::Answer(answer) => (answer.value.as_f64(), BY_PERSON),
            Body::Object(_) => (facts.object::<EndpointTotal>(&ENDPOINT_COUNT)?.total_records, BY_GATEWAY),
            Body::Rows(_) => {
                let rows: Vec<ClientStatus> = facts.rows(&ENDPOINT_COUNT)?;
                let listed = rows.first().filter(|status| !status.versions.is_empty());
                (listed.map(|status| status.total() as f64), BY_STATUS)
            }
            _ => (Some(facts.value(&ENDPOINT_COUNT)?), BY_SERVER),
        };
        let value = value
            .ok_or_else(|| Undecided::not_evaluated(format!("the {} came without a number", series.words)))?;
        Ok(Self { value, series, at: facts.at(&ENDPOINT_COUNT)? })
    }

    /// What the count should be, and how that is known.
    fn expected(&self, facts: &Facts<'_>) -> Result<(Baseline, String), Undecided> {
        if let Ok(number) = facts.integer(&EXPECTED_COUNT) {
            let exact = Baseline { median: number as f64, deviation: 0.0, values: 0 };
            return Ok((exact, format!("the expected {number}")));
        }
        let history = facts.points(&ENDPOINT_HISTORY)?;
        let usual = weeks::baseline(history, self.series, facts.now(), BASE_WEEKS)?;
        let words = format!("{:.0}, the median of the earlier weeks", usual.median);
        Ok((usual, words))
    }
}

/// A count that is too high: what it is, and what was expected.
struct Rise {
    count: Count,
    expected: f64,
    words: String,
}

impl Rise {
    /// The rise beyond the tolerance, if there is one.
    fn of(facts: &Facts<'_>) -> Result<Option<Self>, Undecided> {
        let count = Count::of(facts)?;
        let (expected, words) = count.expected(facts)?;
        let limit = expected.ceiling(facts.integer(&TOLERANCE)? as f64);
        Ok((count.value > limit).then_some(Self { count, expected: expected.median, words }))
    }

    /// How many endpoints are more than expected.
    fn surplus(&self) -> u64 {
        (self.count.value - self.expected).max(0.0) as u64
    }
}

/// New endpoints for a finding: their number and a few of them, the newest first. They are a help, not a condition.
fn newest(facts: &Facts<'_>) -> Vec<String> {
    let mut rows: Vec<NewEndpoint> = facts.rows(&NEW_ENDPOINTS).unwrap_or_default();
    rows.sort_by(|one, other| other.first_seen.cmp(&one.first_seen).then_with(|| one.name.cmp(&other.name)));
    let label = |row: NewEndpoint| match (row.name.is_empty(), row.ip_address.is_empty()) {
        (false, _) => Some(row.name),
        (true, false) => Some(row.ip_address),
        (true, true) => None,
    };
    rows.into_iter().filter_map(label).take(5).collect()
}

fn endpoint_count_recorded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let history = facts.points(&ENDPOINT_HISTORY)?;
    let now = facts.now();
    let stored = history.iter().any(|point| weeks::same(point.at, now));
    let count = match Count::of(facts) {
        Ok(count) => count,
        Err(_) if stored => {
            report.note("the count could not be read now; an earlier run of this week stored one");
            return Ok(());
        }
        Err(undecided) => return Err(undecided),
    };
    if weeks::same(count.at, now) {
        report.measure(count.series.name, count.value, "endpoints");
        report.note(format!("{:.0} endpoints by the {}", count.value, count.series.words));
        return Ok(());
    }
    if !stored {
        report.finding(
            Finding::on(Subject::new("deployment", "endpoint-count", "the endpoint count"))
                .says(format!("has no value of this week; the last one is of {}", weeks::name(count.at)))
                .expected(format!("a value of {}", weeks::name(now)))
                .evidence(facts.seen(&ENDPOINT_COUNT, count.value)),
        );
    }
    Ok(())
}

fn endpoint_count_high(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let seen = Count::of(facts)?;
    if seen.value >= 1.0 {
        report.propose(&EXPECTED_COUNT, seen.value as i64, format!("the {}", seen.series.words));
    }
    let Some(rise) = Rise::of(facts)? else { return Ok(()) };
    report.finding(
        Finding::on(Subject::new("deployment", "endpoint-count", "the endpoint count"))
            .says(format!("is {:.0} by the {}", rise.count.value, rise.count.series.words))
            .expected(format!("at most {} percent above {}", facts.integer(&TOLERANCE)?, rise.words))
            .affected(rise.surplus(), Some(rise.count.value as u64))
            .sample(newest(facts))
            .evidence(facts.seen(&ENDPOINT_COUNT, rise.count.value)),
    );
    Ok(())
}

fn endpoint_count_low(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let count = Count::of(facts)?;
    let (expected, words) = count.expected(facts)?;
    let tolerance = facts.integer(&TOLERANCE)?;
    if count.value >= expected.floor(tolerance as f64) {
        return Ok(());
    }
    let expected = expected.median;
    report.finding(
        Finding::on(Subject::new("deployment", "endpoint-count", "the endpoint count"))
            .says(format!("is {:.0} by the {}", count.value, count.series.words))
            .expected(format!("at most {tolerance} percent below {words}"))
            .affected((expected - count.value) as u64, Some(expected as u64))
            .evidence(facts.seen(&ENDPOINT_COUNT, count.value)),
    );
    Ok(())
}

fn endpoint_retention(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let answer = facts.answer(&RETENTION)?;
    let wanted = facts.integer(&RETENTION_DAYS)?;
    let days = answer.value.as_f64().ok_or_else(|| {
        Undecided::not_evaluated(format!("{} was answered, a number of days was expected", answer.value))
    })?;
    if days == wanted as f64 {
        return Ok(());
    }
    report.finding(
        Finding::on(Subject::new("deployment", "endpoint-retention", "the retention period"))
            .says(format!("is {days} days, as {} answered", answer.by))
            .expected(format!("{wanted} days"))
            .evidence(facts.seen(&RETENTION, days)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Point;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, count: f64, weeks: &[f64]) -> Case {
        Case::of(check).value(&ENDPOINT_COUNT, count).weekly(&ENDPOINT_HISTORY, BY_SERVER.name, weeks)
    }

    #[test]
    fn a_count_of_this_week_is_stored_in_the_series_of_its_source() {
        let verdict = case(&RECORDED, 9834.0, &[]).judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].series, "client-management.endpoint-count.client-count");
        assert_eq!(verdict.measures()[0].value, 9834.0);
        for (body, series) in [
            (Body::Object(json!({"totalRecords": 12})), BY_GATEWAY),
            (
                Body::Rows(vec![
                    json!({"leader_count": 1, "versions": [{"version_string": "7.4", "count": 12}]}),
                ]),
                BY_STATUS,
            ),
        ] {
            let verdict = case(&RECORDED, 0.0, &[]).body(&ENDPOINT_COUNT, body).judge();
            assert_eq!(
                (verdict.measures()[0].series.as_str(), verdict.measures()[0].value),
                (series.name, 12.0)
            );
        }
        case(&RECORDED, 1.0, &[]).assert_needs_its_inputs();
    }

    #[test]
    fn an_answer_of_an_earlier_week_is_no_value_of_this_week() {
        let old = case(&RECORDED, 0.0, &[]).answer(&ENDPOINT_COUNT, 9800).from_source(
            &ENDPOINT_COUNT,
            "answer",
            "2026-06-26T08:00:00Z",
        );
        old.judge().assert_findings(&["endpoint-count"]);
        assert_eq!(old.judge().measures(), [], "an old answer would be stored with today's date");
    }

    #[test]
    fn a_value_stored_earlier_this_week_is_enough() {
        let point =
            Point { series: BY_SERVER.name.into(), at: "2026-06-29T08:00:00Z".parse().unwrap(), value: 5.0 };
        let stored = Case::of(&RECORDED).body(&ENDPOINT_HISTORY, Body::Points(vec![point]));
        stored.unavailable(&ENDPOINT_COUNT, Outcome::Unreachable).judge().assert_pass();
        Case::of(&RECORDED)
            .weekly(&ENDPOINT_HISTORY, BY_SERVER.name, &[5.0])
            .unavailable(&ENDPOINT_COUNT, Outcome::Unreachable)
            .judge()
            .assert_undecided(Outcome::Unreachable);
    }

    #[test]
    fn a_source_that_answers_without_a_number_decides_nothing() {
        for body in [Body::Object(json!({})), Body::Rows(vec![json!({"leader_count": 4})])] {
            case(&LOW, 0.0, &[1.0; 3])
                .body(&ENDPOINT_COUNT, body)
                .judge()
                .assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn a_count_beyond_the_tolerance_is_too_high() {
        let weeks = [1000.0, 990.0, 1010.0];
        case(&HIGH, 1100.0, &weeks).judge().assert_pass();
        let verdict = case(&HIGH, 1101.0, &weeks)
            .rows(
                &NEW_ENDPOINTS,
                json!([{"name": "old", "eidFirstSeen": "2026-06-24T00:00:00Z"},
                       {"name": "new", "eidFirstSeen": "2026-06-30T00:00:00Z"}, {"name": "", "ipAddress": ""}]),
            )
            .judge();
        verdict.assert_findings(&["endpoint-count"]);
        let affected = verdict.findings()[0].affected.clone().unwrap();
        assert_eq!((affected.count, affected.of), (101, Some(1101)));
        assert_eq!(affected.sample, ["new", "old"]);
        case(&HIGH, 1100.0, &weeks).assert_needs_its_inputs();
    }

    #[test]
    fn a_count_beyond_the_tolerance_is_too_low() {
        let weeks = [1000.0, 990.0, 1010.0];
        case(&LOW, 900.0, &weeks).judge().assert_pass();
        case(&LOW, 899.0, &weeks).judge().assert_findings(&["endpoint-count"]);
        case(&LOW, 0.0, &weeks).judge().assert_findings(&["endpoint-count"]);
        case(&LOW, 900.0, &weeks).assert_needs_its_inputs();
    }

    #[test]
    fn an_expected_number_replaces_the_median() {
        case(&LOW, 500.0, &[]).setting("expected_count", 1000).judge().assert_findings(&["endpoint-count"]);
        case(&HIGH, 1200.0, &[]).setting("expected_count", 1000).judge().assert_findings(&["endpoint-count"]);
        case(&HIGH, 1200.0, &[])
            .setting("expected_count", 1000)
            .setting("tolerance_pct", 20)
            .judge()
            .assert_pass();
    }

    #[test]
    fn the_count_is_proposed_before_there_is_a_history() {
        let verdict = case(&HIGH, 9834.0, &[]).judge();
        assert!(verdict.undecided().is_some());
        assert_eq!(verdict.proposal("expected_count"), Some(&json!(9834)));
        assert_eq!(verdict.proposals()[0].seen, "the server's client count");
        assert_eq!(case(&HIGH, 0.0, &[]).judge().proposals(), []);
    }

    #[test]
    fn two_weeks_are_too_few_and_other_series_do_not_count() {
        case(&HIGH, 1.0, &[1.0; 2]).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&LOW)
            .value(&ENDPOINT_COUNT, 1)
            .weekly(&ENDPOINT_HISTORY, BY_GATEWAY.name, &[1000.0; 6])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn another_retention_than_the_usual_one_is_told() {
        let case = |days: Value| Case::of(&RETENTION_KNOWN).answer(&RETENTION, days);
        case(json!(30)).judge().assert_pass();
        case(json!(60)).judge().assert_findings(&["endpoint-retention"]);
        case(json!(60)).setting("retention_days", 60).judge().assert_pass();
        case(json!("long")).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!(30)).assert_needs_its_inputs();
    }
}
