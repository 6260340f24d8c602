//! Assessments that are deleted on the server and stay on endpoints.

use crate::inputs::DELETED;
use crate::{ASSESSMENTS as GUIDE, WHO};
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;

const RETENTION: Setting = Setting::integer_unset("endpoint_retention_days", 1, 3650)
    .unit("days")
    .about("how long data of deleted assessments stays on endpoints, as the organization agreed");

const DISK_LIMIT: Setting = Setting::integer_unset("disk_limit_mb", 1, 10_000_000)
    .unit("megabytes")
    .about("how much disk space Comply may use on an endpoint");

const DISK_USED: Input =
    Input::new("comply.disk-used", "disk space that Comply uses on the fullest endpoint").sources(&[
        Source::answer("Megabytes that Comply uses on the endpoint where it uses most", Accepts::Number, 90),
    ]);

/// What earlier runs saw: the number of stale assessments, and each of them that can be told from others.
const SEEN: Input = Input::new("comply.seen-stale", "stale assessments that earlier runs saw")
    .sources(&[Source::history("comply.stale.*", 400)]);

const COUNT: &str = "comply.stale.count";

/// A deleted assessment. The service's fields are not described; the hash is what a removal is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Stale {
    #[serde(deserialize_with = "lenient::text", alias = "Hash")]
    hash: String,
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    name: String,
    /// Only in an exported list.
    #[serde(rename = "Deleted At", deserialize_with = "lenient::time")]
    deleted: Option<Timestamp>,
}

/// Deleted assessments are removed from endpoints too.
pub(crate) const ON_ENDPOINTS: Check = Check::hybrid("comply.stale-assessments-on-endpoints")
    .title("Deleted assessments are removed from endpoints too")
    .cadence(&[Cadence::Quarterly, Cadence::AsNeeded])
    .severity(Severity::Low)
    .reads(&[&DELETED, &SEEN, &DISK_USED])
    .settings(&[&RETENTION, &DISK_LIMIT])
    .guide(GUIDE)
    .what("Reads the list of stale assessments. Without `endpoint_retention_days` any of them is worth a decision; with it, those that earlier runs have seen for longer. With `disk_limit_mb`, an answer tells whether Comply uses more on an endpoint. A person may confirm that the data is kept on purpose.")
    .why("What is deleted on the server stays on endpoints and fills their disks.")
    .limits("The service tells no dates of deletion: an assessment is as old as tancheck has seen it. One that was there at the first run is of unknown age until then.")
    .related(&["comply.health-disk-space", "comply.stale-interval-agreed"])
    .remedy(&REMEDY)
    .judge(stale_on_endpoints);

const REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "the data still serves",
        "confirm it: tancheck attest comply.stale-assessments-on-endpoints --subject '{key}' --result done",
    ),
    Step::consult(
        "auditors and the owners of the assessments",
        "whether anybody still needs the results on endpoints",
    ),
    Step::console(
        "Modules > Comply > Assessments",
        "delete stale assessments from endpoints, now or at the agreed interval",
    ),
])
.cautions(&["What is removed from endpoints is lost; what is kept fills their disks."])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Comply User Guide: Delete stale assessments from endpoints"]);

fn stale_on_endpoints(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let stale: Vec<Stale> = facts.rows(&DELETED)?;
    let seen = facts.points(&SEEN)?;
    report.measure(COUNT, stale.len() as f64, "assessments");
    for key in stale.iter().filter_map(Stale::key) {
        report.measure(&format!("comply.stale.{key}"), 1.0, "seen");
    }
    let disk = disk_used(facts, report);
    let by_age = match facts.integer(&RETENTION) {
        Ok(retention) => older_than(facts, report, &stale, seen, retention),
        Err(_) => {
            any(facts, report, &stale);
            Ok(())
        }
    };
    by_age.and(disk)
}

impl Stale {
    /// What tells it from others, where anything does.
    fn key(&self) -> Option<&str> {
        [&self.hash, &self.name].into_iter().map(String::as_str).find(|text| !text.is_empty())
    }

    fn label(&self) -> &str {
        if self.name.is_empty() { &self.hash } else { &self.name }
    }
}

/// Nobody agreed how long they may stay: all of them, as one.
fn any(facts: &Facts<'_>, report: &mut Report, stale: &[Stale]) {
    if stale.is_empty() {
        return;
    }
    let names: Vec<&str> = stale.iter().map(Stale::label).filter(|name| !name.is_empty()).collect();
    report.finding(
        Finding::on(Subject::new("assessments", "stale", "deleted assessments"))
            .says(format!("{} are still on endpoints, and no interval for their removal is set", stale.len()))
            .expected("none, or an agreed `endpoint_retention_days`")
            .affected(stale.len() as u64, None)
            .sample(names.iter().take(10).copied())
            .fill("key", "stale")
            .evidence(facts.seen(&DELETED, stale.len()))
            .confirms(stale.len().to_string()),
    );
}

/// Those that are there for longer than agreed.
fn older_than(
    facts: &Facts<'_>,
    report: &mut Report,
    stale: &[Stale],
    seen: &[Point],
    retention: i64,
) -> Result<(), Undecided> {
    let first = |series: &str| seen.iter().filter(|point| point.series == series).map(|point| point.at).min();
    let first_run = first(COUNT);
    let mut unknown = Vec::new();
    let mut nameless = 0;
    for one in stale {
        let Some(key) = one.key() else {
            nameless += 1;
            continue;
        };
        let since = one.deleted.or_else(|| first(&format!("comply.stale.{key}")));
        match since.map(|at| facts.days_since(at)) {
            Some(days) if days > retention => report.finding(
                Finding::on(Subject::new("stale assessment", key, one.label()))
                    .says(format!("is on endpoints since {days} days after its deletion, or longer"))
                    .expected(format!("its removal within {retention} days"))
                    .fill("key", key)
                    .evidence(facts.seen(&DELETED, key))
                    .confirms(key),
            ),
            // What the first run saw may be of any age.
            seen_since
                if one.deleted.is_none()
                    && (first_run.is_none() || seen_since.is_some() && since == first_run) =>
            {
                unknown.push(format!("it is not known how long {} has been deleted", one.label()));
            }
            _ => {}
        }
    }
    if nameless > 0 {
        let counts = seen.iter().filter(|point| point.series == COUNT);
        let within: Vec<&Point> = counts.filter(|point| facts.days_since(point.at) <= retention).collect();
        let reaches_back = first_run.is_some_and(|at| facts.days_since(at) > retention);
        let least = within.iter().map(|point| point.value).fold(f64::from(nameless), f64::min);
        match reaches_back {
            true if least > 0.0 => report.finding(
                Finding::on(Subject::new("assessments", "stale", "deleted assessments"))
                    .says(format!("at least {least} are on endpoints for longer than {retention} days"))
                    .expected(format!("their removal within {retention} days"))
                    .fill("key", "stale")
                    .evidence(facts.seen(&DELETED, nameless))
                    .confirms(least.to_string()),
            ),
            true => {}
            false => {
                unknown.push(format!("it is not known how long {nameless} assessments have been deleted"))
            }
        }
    }
    settle(&unknown)
}

/// The disk space, where the site limits it.
fn disk_used(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Ok(limit) = facts.integer(&DISK_LIMIT) else { return Ok(()) };
    let answer = facts.answer(&DISK_USED)?;
    let used = answer.value.as_f64().ok_or_else(|| {
        Undecided::not_evaluated(format!("the answer {} is no number of megabytes", answer.value))
    })?;
    if used > limit as f64 {
        report.finding(
            Finding::on(Subject::new("endpoints", "disk", "the fullest endpoint"))
                .says(format!("Comply uses {used} megabytes on it"))
                .expected(format!("at most {limit}"))
                .fill("key", "disk")
                .evidence(facts.seen(&DISK_USED, used))
                .confirms(used.to_string()),
        );
    }
    Ok(())
}

/// An interval for removing stale assessments from endpoints is agreed.
pub(crate) const INTERVAL_AGREED: Check = Check::attested("comply.stale-interval-agreed")
    .title("An interval for removing stale assessments from endpoints is agreed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Info)
    .reads(&[&SEEN])
    .settings(&[&RETENTION])
    .guide(GUIDE)
    .what("Asks once a quarter whether the agreed interval still fits how often assessments are deleted. When the number of stale assessments grew all quarter, an earlier confirmation no longer counts.")
    .why("Too short an interval loses data that auditors ask for, too long a one fills disks.")
    .limits("The interval itself is the organization's: record it in `endpoint_retention_days` and in the note of the attestation.")
    .related(&["comply.stale-assessments-on-endpoints"])
    .remedy(&INTERVAL_REMEDY)
    .judge(stale_interval_agreed);

const INTERVAL_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "auditors, and those who delete assessments",
        "agree on an interval that keeps data long enough and does not fill disks",
    ),
    Step::decision("it is agreed", "set `endpoint_retention_days` under [modules.comply]"),
    Step::command(
        "tancheck attest comply.stale-interval-agreed --subject interval --result done --note '… days'",
        "records the agreement",
    ),
])
.who(WHO)
.references(&["Comply User Guide: Delete stale assessments from endpoints"]);

fn stale_interval_agreed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let grew = grew_all_quarter(facts, facts.points(&SEEN)?);
    let interval = facts.integer(&RETENTION).map_or("none is set".to_owned(), |days| format!("{days} days"));
    let trend = if grew { "grew all quarter" } else { "did not grow all quarter" };
    report.finding(
        Finding::on(Subject::new("agreement", "interval", "the interval"))
            .says(format!(
                "{interval}; the number of stale assessments {trend}: somebody has to confirm that it fits"
            ))
            .evidence(facts.seen(&SEEN, trend))
            .confirms(format!("{interval}; {trend}")),
    );
    Ok(())
}

/// Whether the number of stale assessments rose within the last quarter and never fell.
fn grew_all_quarter(facts: &Facts<'_>, seen: &[Point]) -> bool {
    let recent = seen.iter().filter(|point| point.series == COUNT && facts.days_since(point.at) <= 92);
    let counts: BTreeMap<Timestamp, f64> = recent.map(|point| (point.at, point.value)).collect();
    let (Some((start, first)), Some((_, last))) = (counts.first_key_value(), counts.last_key_value()) else {
        return false;
    };
    let values: Vec<f64> = counts.values().copied().collect();
    facts.days_since(*start) >= 60 && last > first && values.is_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn point(series: &str, days: i64, value: f64) -> Point {
        let now: Timestamp = "2026-06-30T12:00:00Z".parse().unwrap();
        Point { series: series.to_owned(), at: now - SignedDuration::from_hours(24 * days), value }
    }

    fn case(rows: Value, seen: Vec<Point>) -> Case {
        Case::of(&ON_ENDPOINTS).rows(&DELETED, rows).body(&SEEN, Body::Points(seen))
    }

    #[test]
    fn without_an_interval_any_stale_assessment_is_worth_a_decision() {
        case(json!([]), Vec::new()).judge().assert_pass();
        case(json!([]), Vec::new()).assert_needs_its_inputs();
        let verdict = case(json!([{"hash": "a1"}, {"hash": "b2"}]), Vec::new()).judge();
        verdict.assert_findings(&["stale"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("2"));
        let series: Vec<&str> = verdict.measures().iter().map(|measure| measure.series.as_str()).collect();
        assert_eq!(series, ["comply.stale.count", "comply.stale.a1", "comply.stale.b2"]);
    }

    #[test]
    fn with_an_interval_the_time_since_it_was_first_seen_counts() {
        let at = |first_run: i64, first_seen: i64| {
            let seen = vec![point(COUNT, first_run, 1.0), point("comply.stale.a1", first_seen, 1.0)];
            case(json!([{"hash": "a1"}]), seen).setting("endpoint_retention_days", 30).judge()
        };
        at(60, 31).assert_findings(&["a1"]);
        at(60, 30).assert_pass();
        at(20, 20).assert_undecided(Outcome::NotEvaluated);
        let new = case(json!([{"hash": "a1"}]), vec![point(COUNT, 7, 0.0)]);
        new.setting("endpoint_retention_days", 30).judge().assert_pass();
        let first = case(json!([{"hash": "a1"}]), Vec::new()).setting("endpoint_retention_days", 30);
        first.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_tells_the_date() {
        let told = |deleted: &str| {
            let rows = json!([{"Name": "CIS", "Hash": "a1", "Deleted At": deleted}]);
            case(rows, Vec::new()).setting("endpoint_retention_days", 30).judge()
        };
        told("2026-06-20").assert_pass();
        told("2026-05-20").assert_findings(&["a1"]);
    }

    #[test]
    fn assessments_without_a_key_are_counted() {
        let at = |first_run: i64, counts: &[f64]| {
            let mut seen = vec![point(COUNT, first_run, 5.0)];
            seen.extend(counts.iter().zip(1..).map(|(count, days)| point(COUNT, days, *count)));
            case(json!([{}, {}]), seen).setting("endpoint_retention_days", 30).judge()
        };
        at(40, &[3.0, 1.0]).assert_findings(&["stale"]);
        at(40, &[3.0, 0.0]).assert_pass();
        at(20, &[3.0]).assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_limit_of_disk_space_needs_an_answer() {
        let limited = case(json!([]), Vec::new()).setting("disk_limit_mb", 500);
        limited.judge().assert_undecided(Outcome::NotEvaluated);
        limited.clone().answer(&DISK_USED, 500).judge().assert_pass();
        limited.answer(&DISK_USED, 501).judge().assert_findings(&["disk"]);
    }

    #[test]
    fn growth_ends_an_earlier_confirmation_of_the_interval() {
        let state = |counts: &[f64]| {
            let case = Case::of(&INTERVAL_AGREED).weekly(&SEEN, COUNT, counts);
            case.assert_needs_its_inputs();
            let verdict = case.judge();
            verdict.assert_findings(&["interval"]);
            verdict.findings()[0].state.clone().unwrap()
        };
        let mut grown: Vec<f64> = (1..=12).map(f64::from).collect();
        assert!(state(&grown).contains("; grew"), "{}", state(&grown));
        assert!(state(&grown[..4]).contains("did not grow"), "a month is no quarter");
        grown[6] = 0.0;
        assert!(state(&grown).contains("did not grow"));
        assert!(state(&[]).contains("did not grow"));
    }
}
