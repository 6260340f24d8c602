//! "Check the endpoint leader percentage", page 11: the value is recorded, and it did not move.

use crate::inputs::{LEADER_HISTORY, LEADERS, LeaderCounts, TPAN_LEADERS, TuningRow};
use crate::weeks::{self, Series};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::facts::{Baseline, Point};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::ServerInfo;

const GUIDE: &[GuideReference] = &[guide("Check the endpoint leader percentage", 11)];

const TPAN: Series = Series {
    name: "client-management.leader-percentage.tpan",
    words: "leader percentage of the TPAN reports",
};
const COMPUTED: Series = Series {
    name: "client-management.leader-percentage.computed",
    words: "leader share of the client status",
};

const WARN_CHANGE: Setting = Setting::integer("warn_relative_change_pct", 20, 1, 1000)
    .unit("percent")
    .about("the change against earlier weeks, up or down, from which on it is reported");

const HIGH_CHANGE: Setting = Setting::integer("high_relative_change_pct", 50, 1, 1000)
    .unit("percent")
    .about("the rise against earlier weeks from which on it is reported as high");

const HISTORY_WEEKS: Setting = Setting::integer("history_weeks", 4, 3, 26)
    .unit("weeks")
    .about("how many earlier weeks the leader percentage is compared with");

pub(crate) const RECORDED: Check = Check::automated("client-management.leader-percentage-recorded")
    .title("The leader percentage is recorded every week")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&TPAN_LEADERS, &LEADERS, &LEADER_HISTORY])
    .guide(GUIDE)
    .what(
        "Keeps the leader percentage of the latest TPAN report, as a person gives it, and the share of \
         leaders that the server counts, each in a series of its own. It passes when one of them has a \
         value of the present calendar week, and says so when that one is computed and not read from TPAN.",
    )
    .why("No percentage is right by itself: only a series of them tells that the network changed.")
    .limits(
        "TPAN counts by rules that are not public. The computed share is not the same number, and the two \
         are never mixed.",
    )
    .applies("Health Check is licensed")
    .related(&["health-check.tpan-report-age"])
    .remedy(&RECORD)
    .even_if_absent()
    .judge(leader_percentage_recorded);

const RECORD: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Shared Services > Health Check",
        "open the latest TPAN report, page Tuning",
    ),
    Step::command(
        "tancheck answer client-management.tpan-leaders",
        "give the value of \"What's the actual or anticipated leader count percentage?\"",
    ),
    Step::decision(
        "there is no TPAN report",
        "give the account of tancheck the privilege `read system status`, so that it can compute the share",
    ),
])
.who("the weekly maintainer")
.references(&["Maintenance guide: Check the endpoint leader percentage"]);

pub(crate) const CHANGED: Check = Check::automated("client-management.leader-percentage-change")
    .title("The leader percentage did not change unexpectedly")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&TPAN_LEADERS, &LEADERS, &LEADER_HISTORY])
    .settings(&[&WARN_CHANGE, &HIGH_CHANGE, &HISTORY_WEEKS])
    .guide(GUIDE)
    .what(
        "Compares the leader percentage with the median of the last `history_weeks` weeks of the same \
         series: the one of TPAN where it is long enough, else the computed one. A change of more than \
         `warn_relative_change_pct`, up or down, is reported; a rise of more than \
         `high_relative_change_pct` is reported as high. Where earlier weeks swing more than that \
         anyway, three times their usual swing counts instead.",
    )
    .why(
        "A client that leads its neighbourhood talks to the server over the wide-area network. When more \
         clients lead, more traffic leaves the sites; when fewer do, subnets may be gone.",
    )
    .limits("Needs three earlier weeks of one series. The percentage alone is never judged: no value of it is ideal.")
    .applies("Health Check is licensed")
    .related(&[
        "client-management.leader-percentage-recorded",
        "client-management.endpoint-count-low",
        "client-management.endpoint-count-high",
        "subnets.vpn-share-shift",
    ])
    .remedy(&INVESTIGATE)
    .even_if_absent()
    .judge(leader_percentage_change);

const INVESTIGATE: Remedy = Remedy::new(&[
    Step::console("Tanium Home page", "did Total Endpoints move as well? Then subnets joined or left"),
    Step::decision("subnets are new", "have it confirmed that they are authorized to join the network"),
    Step::decision(
        "subnets are gone",
        "look for a network disruption, or a configuration that keeps their clients from registering",
    ),
    Step::decision(
        "more people work over VPN",
        "VPN clients do not peer, so each one leads: define their subnets as isolated subnets",
    ),
    Step::console("Administration > Configuration > Subnets", "see which isolated subnets are defined"),
    Step::consult("the networking team", "what changed in the size and number of client subnets?"),
    Step::support("ask for help to optimize the number of leaders; bring the latest TPAN report"),
])
.who("platform administrator with the networking team")
.risk(Risk::Medium, Reversible::Yes)
.cautions(&[
    "An isolated subnet makes every client in it a leader. Isolating a subnet of an office floods its wide-area link.",
])
.references(&["Tanium Client Management User Guide: Configure isolated subnets"]);

/// One value of the leader percentage.
struct Reading {
    percent: f64,
    series: Series,
    input: &'static Input,
    at: Timestamp,
}

/// The percentage of the TPAN report, as a person gave it.
fn of_tpan(facts: &Facts<'_>) -> Result<Reading, Undecided> {
    let (percent, at) = match facts.body(&TPAN_LEADERS)? {
        Body::Answer(answer) => (answer.value.as_f64(), Some(answer.at)),
        _ => {
            let rows: Vec<TuningRow> = facts.rows(&TPAN_LEADERS)?;
            let asked = |row: &&TuningRow| row.question.to_lowercase().contains("leader count percentage");
            let latest = rows.iter().filter(asked).max_by_key(|row| row.report_time);
            (latest.and_then(|row| row.value), latest.and_then(|row| row.report_time))
        }
    };
    match (percent, at) {
        (Some(percent), Some(at)) if (0.0..=100.0).contains(&percent) => {
            Ok(Reading { percent, series: TPAN, input: &TPAN_LEADERS, at })
        }
        _ => Err(Undecided::not_evaluated(
            "what was given as the leader percentage of the TPAN report is no percentage with a date",
        )),
    }
}

/// The share that the server's own counters give.
fn computed(facts: &Facts<'_>) -> Result<Reading, Undecided> {
    let counts = match facts.body(&LEADERS)? {
        Body::Object(_) => {
            let info: ServerInfo = facts.object(&LEADERS)?;
            let section = info.diagnostics.get("System_Status_Cache").cloned().unwrap_or_default();
            LeaderCounts::deserialize(section).ok()
        }
        _ => facts.rows(&LEADERS)?.into_iter().next(),
    };
    // The counters are made of the filtered clients; `count` holds those that left the list as well.
    let listed = |counts: &LeaderCounts| {
        let versions = counts.versions.iter().filter_map(|version| version.filtered.or(version.count));
        counts.system_count.unwrap_or_else(|| versions.sum())
    };
    let share = counts.as_ref().and_then(|counts| {
        let total = listed(counts);
        counts.leader_count.filter(|_| total > 0.0).map(|leaders| 100.0 * leaders / total)
    });
    let percent = share.ok_or_else(|| {
        Undecided::not_evaluated("the server told no number of leaders among a number of clients")
    })?;
    Ok(Reading { percent, series: COMPUTED, input: &LEADERS, at: facts.at(&LEADERS)? })
}

fn leader_percentage_recorded(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let history = facts.points(&LEADER_HISTORY)?;
    let now = facts.now();
    let (tpan, computed) = (of_tpan(facts), computed(facts));
    let fresh = |reading: &Result<Reading, Undecided>| {
        reading.as_ref().is_ok_and(|reading| weeks::same(reading.at, now))
    };
    for reading in [&tpan, &computed].into_iter().filter(|reading| fresh(reading)).flatten() {
        report.measure(reading.series.name, reading.percent, "percent");
    }
    let stored = |series: Series| {
        history.iter().any(|point| point.series == series.name && weeks::same(point.at, now))
    };
    if fresh(&tpan) || stored(TPAN) {
        return Ok(());
    }
    if fresh(&computed) || stored(COMPUTED) {
        report.note("computed from the client status, not read from a TPAN report");
        return Ok(());
    }
    let last = match (tpan, computed) {
        (Ok(reading), _) | (_, Ok(reading)) => reading,
        (Err(_), Err(undecided)) => return Err(undecided),
    };
    report.finding(
        Finding::on(Subject::new("deployment", "leader-percentage", "the leader percentage"))
            .says(format!(
                "has no value of this week; the last one, {:.1} percent, is of {}",
                last.percent,
                weeks::name(last.at)
            ))
            .expected(format!("a value of {}", weeks::name(now)))
            .evidence(facts.seen(last.input, last.percent)),
    );
    Ok(())
}

fn leader_percentage_change(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let history = facts.points(&LEADER_HISTORY)?;
    let (reading, usual) = comparable(facts, history)?;
    let base = usual.median;
    if base == 0.0 {
        return Err(Undecided::not_evaluated(format!(
            "the median of the {} is zero, no change can be told in percent",
            reading.series.words
        )));
    }
    let (warn, high) = (facts.integer(&WARN_CHANGE)? as f64, facts.integer(&HIGH_CHANGE)? as f64);
    let change = (reading.percent - base) / base * 100.0;
    report.note(format!("judged by the {}", reading.series.words));
    if change.abs() <= warn || (reading.percent - base).abs() <= usual.swing() {
        return Ok(());
    }
    let severity = if change > high { Severity::High } else { Severity::Medium };
    let direction = if change > 0.0 { "rose" } else { "fell" };
    report.finding(
        Finding::on(Subject::new("deployment", "leader-percentage", "the leader percentage"))
            .severity(severity)
            .says(format!(
                "{direction} by {:.0} percent of its usual value, from {base:.1} to {:.1} ({})",
                change.abs(),
                reading.percent,
                reading.series.words
            ))
            .expected(format!("at most {warn} percent from {base:.1}, the median of the earlier weeks"))
            .evidence(facts.seen(reading.input, reading.percent)),
    );
    Ok(())
}

/// This week's reading of the first series that is long enough, and what is usual of it.
fn comparable(facts: &Facts<'_>, history: &[Point]) -> Result<(Reading, Baseline), Undecided> {
    let most = facts.integer(&HISTORY_WEEKS)? as usize;
    let with_base = |reading: Reading| {
        let base = weeks::baseline(history, reading.series, facts.now(), most)?;
        Ok((reading, base))
    };
    if let Ok(reading) = of_tpan(facts)
        && weeks::same(reading.at, facts.now())
        && let Ok(found) = with_base(reading)
    {
        return Ok(found);
    }
    with_base(computed(facts)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn aggregate(leaders: u64, clients: u64) -> Value {
        json!([{"leader_count": leaders, "versions": [{"version_string": "7.4", "count": clients}]}])
    }

    fn case(check: &'static Check, leaders: u64, series: Series, weeks: &[f64]) -> Case {
        Case::of(check).rows(&LEADERS, aggregate(leaders, 1000)).weekly(&LEADER_HISTORY, series.name, weeks)
    }

    #[test]
    fn a_tpan_value_of_this_week_is_kept() {
        let verdict = case(&RECORDED, 20, COMPUTED, &[]).answer(&TPAN_LEADERS, 3.5).judge();
        verdict.assert_pass();
        assert_eq!(verdict.notes(), &[] as &[String]);
        let series: Vec<_> = verdict.measures().iter().map(|measure| measure.series.as_str()).collect();
        assert_eq!(series, [TPAN.name, COMPUTED.name]);
        assert_eq!(verdict.measures()[1].value, 2.0);
    }

    #[test]
    fn the_computed_share_is_enough_and_says_so() {
        let verdict = case(&RECORDED, 20, COMPUTED, &[]).judge();
        verdict.assert_pass();
        assert!(verdict.notes()[0].contains("not read from a TPAN report"));
        let info = json!({"Diagnostics": {"System_Status_Cache": {"leader_count": 4, "System_Count": 16}}});
        let verdict = case(&RECORDED, 0, COMPUTED, &[]).object(&LEADERS, info).judge();
        assert_eq!(verdict.measures()[0].value, 25.0);
        case(&RECORDED, 20, COMPUTED, &[]).assert_needs_its_inputs();
    }

    #[test]
    fn clients_that_left_the_list_are_no_part_of_the_share() {
        let rows = json!([{"leader_count": 2, "normal_count": 2, "versions": [
            {"count": 4, "filtered": 4, "version_string": "6.0"}, {"count": 9, "filtered": 0, "version_string": "7.2"}]}]);
        let verdict = case(&RECORDED, 0, COMPUTED, &[]).rows(&LEADERS, rows).judge();
        assert_eq!(verdict.measures()[0].value, 50.0);
    }

    #[test]
    fn an_exported_tuning_page_counts_by_its_report_time() {
        let rows = |time: &str| {
            json!([{"report_time": time, "question": "What's the actual or anticipated leader count percentage?",
                    "value": "3.5%"}, {"report_time": time, "question": "other", "value": 9}])
        };
        let case = |time| {
            Case::of(&RECORDED).rows(&TPAN_LEADERS, rows(time)).weekly(&LEADER_HISTORY, TPAN.name, &[])
        };
        let verdict = case("2026-06-29T10:00:00Z").judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].value, 3.5);
        let old = case("2026-06-22T10:00:00Z").judge();
        old.assert_findings(&["leader-percentage"]);
        assert_eq!(old.measures(), []);
    }

    #[test]
    fn without_counters_and_without_an_answer_nothing_is_decided() {
        let case =
            |rows: Value| Case::of(&RECORDED).rows(&LEADERS, rows).weekly(&LEADER_HISTORY, TPAN.name, &[]);
        case(json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(aggregate(5, 0)).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([{"versions": []}])).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([])).answer(&TPAN_LEADERS, 350).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_change_up_or_down_is_told_and_a_sharp_rise_is_high() {
        let severity = |leaders| {
            let verdict = case(&CHANGED, leaders, COMPUTED, &[2.0, 2.0, 2.0, 2.0]).judge();
            verdict.findings().first().and_then(|finding| finding.severity)
        };
        assert_eq!(severity(24), None);
        assert_eq!(severity(16), None);
        assert_eq!(severity(25), Some(Severity::Medium));
        assert_eq!(severity(15), Some(Severity::Medium));
        assert_eq!(severity(5), Some(Severity::Medium), "a fall is never high");
        assert_eq!(severity(30), Some(Severity::Medium));
        assert_eq!(severity(31), Some(Severity::High));
        case(&CHANGED, 20, COMPUTED, &[2.0; 4]).assert_needs_its_inputs();
    }

    #[test]
    fn series_are_never_mixed() {
        // TPAN says 30 against its own 30; the computed 2 percent is another number.
        case(&CHANGED, 20, TPAN, &[30.0; 4]).answer(&TPAN_LEADERS, 30).judge().assert_pass();
        case(&CHANGED, 20, TPAN, &[30.0; 4]).judge().assert_undecided(Outcome::NotEvaluated);
        // Two TPAN weeks are too few: the computed series decides.
        case(&CHANGED, 20, COMPUTED, &[2.0; 4]).answer(&TPAN_LEADERS, 30).judge().assert_pass();
    }

    #[test]
    fn a_short_history_or_a_median_of_zero_decides_nothing() {
        case(&CHANGED, 20, COMPUTED, &[2.0; 2]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&CHANGED, 20, COMPUTED, &[0.0; 4]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
