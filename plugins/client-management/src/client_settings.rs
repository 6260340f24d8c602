//! "Review and update Tanium Client settings", page 21: the values are right, and as many clients as meant have them.

use crate::console::{SETTINGS_TAB, WHO};
use crate::inputs::{BASELINE_VALUES, COUNTED_VALUES, GLOBAL_SETTINGS, GlobalSetting};
use crate::spread::Spread;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::ServerInfo;

const GUIDE: &[GuideReference] = &[guide("Review and update Tanium Client settings", 21)];

const REFERENCES: &[&str] = &[
    "Tanium Client Management User Guide: Managing client settings and configurations in Client Management",
];

const BASELINE: Setting = Setting::table("baseline").about(
    "client settings and the values that are right, as the administrator approved them: `ServerPort = \
     [\"17472\"]`; an empty text among the values means that a client may lack the setting",
);

const EXPECTED: Setting = Setting::table("expected_counts").about(
    "client settings, and how many clients should have which value: `LogVerbosityLevel = [\"0=350\", \"41=12\"]`",
);

const COUNT_TOLERANCE: Setting = Setting::integer("setting_counts_tolerance_pct", 5, 0, 100)
    .unit("percent")
    .about("how far the number of clients with a value may be from the expected one");

pub(crate) const VALUES: Check = Check::automated("client-management.setting-values")
    .title("Client settings have the right values")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&GLOBAL_SETTINGS, &BASELINE_VALUES])
    .settings(&[&BASELINE])
    .learns(&[&BASELINE])
    .guide(GUIDE)
    .what(
        "Asks every endpoint for each setting of `baseline` and reports each value that is not in it, with \
         the number of endpoints. Settings that the server hands out to all clients are compared with the \
         baseline as well.",
    )
    .why(
        "A setting that somebody changed on some clients shows nowhere until those clients behave \
         differently, and then nobody remembers.",
    )
    .limits(
        "Without a baseline it does not decide; it then offers the server's present values as one. The \
         server tells what it hands out, not what a client holds. Old sensors tell a client's settings on \
         Windows only.",
    )
    .related(&["client-management.setting-counts"])
    .remedy(&CORRECT)
    .even_if_absent()
    .judge(setting_values);

const CORRECT: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Tanium Client Explicit Setting[{setting}] from all machines",
        "find the endpoints whose value is {value}",
    ),
    Step::decision("the value is right", "add it to the values of {setting} in `baseline`"),
    Step::console(
        SETTINGS_TAB,
        "otherwise correct {setting} on a few of these endpoints, then step by step on the others",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.cautions(&[
    "Changing a setting on many clients at once can cut them off from the servers: roll it out in steps, \
     and wait after each until the clients register again.",
])
.references(REFERENCES);

pub(crate) const COUNTS: Check = Check::automated("client-management.setting-counts")
    .title("Settings apply to the expected number of clients")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&COUNTED_VALUES])
    .settings(&[&EXPECTED, &COUNT_TOLERANCE])
    .guide(GUIDE)
    .what(
        "Asks every endpoint for each setting of `expected_counts` and reports a value that more or fewer \
         endpoints have than expected, beyond `setting_counts_tolerance_pct`. The expected number is scaled \
         to the share of endpoints that answered.",
    )
    .why("A configuration that reached half of its clients looks finished until one of the others matters.")
    .limits("Questions count endpoints that are online; the page Client Health > Settings may count others.")
    .related(&["client-management.setting-values"])
    .remedy(&RETARGET)
    .even_if_absent()
    .judge(setting_counts);

const RETARGET: Remedy = Remedy::new(&[
    Step::console(SETTINGS_TAB, "look at the Count of {setting} = {value}, computer group by computer group"),
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "does the action that sets it target the right computer group, and did it run on all members?",
    ),
    Step::decision("the number changed for a reason", "update {setting} in `expected_counts`"),
    Step::decision(
        "clients are missing",
        "correct the targeting, a few endpoints first, and run this check again",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[
    "Changing a setting on many clients at once can cut them off from the servers: roll it out in steps.",
])
.references(REFERENCES);

fn setting_values(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let baseline = facts.table(&BASELINE);
    let handed_out = handed_out(facts);
    if baseline.is_empty() {
        let handed_out = handed_out?;
        learn(report, &baseline, &handed_out, &[]);
        return Err(Undecided::not_evaluated(missing(&handed_out)));
    }
    let is_right = |setting: &str, value: &str| {
        baseline
            .get(setting)
            .is_some_and(|values| values.iter().any(|right| right.eq_ignore_ascii_case(value)))
    };
    let expected = |setting: &str| {
        let values = baseline.get(setting).into_iter().flatten();
        values.map(|value| if value.is_empty() { "unset" } else { value }).collect::<Vec<_>>().join(" or ")
    };
    for (setting, value) in handed_out.iter().flatten() {
        let known = baseline.keys().find(|name| name.eq_ignore_ascii_case(setting));
        if let Some(name) = known.filter(|name| !is_right(name, value)) {
            report.finding(
                Finding::on(Subject::new("server-wide client setting", name, *name))
                    .says(format!("is handed out to all clients as {value:?}"))
                    .expected(expected(name))
                    .evidence(facts.seen(&GLOBAL_SETTINGS, value))
                    .fill("setting", name)
                    .fill("value", value),
            );
        }
    }
    let names: Vec<&str> = baseline.keys().copied().collect();
    let spreads = Spread::of_settings(facts, &BASELINE_VALUES, &names)?;
    if let Ok(handed_out) = &handed_out {
        learn(report, &baseline, handed_out, &spreads);
    }
    for (setting, spread) in &spreads {
        for held in spread.held.iter().filter(|held| !is_right(setting, &held.value)) {
            report.finding(
                Finding::on(Subject::new("client setting", format!("{setting}={}", held.value), *setting))
                    .says(format!("is {:?} on {} endpoints", held.value, held.count))
                    .expected(expected(setting))
                    .affected(held.count, Some(spread.total()))
                    .sample(&held.sample)
                    .evidence(facts.seen(&BASELINE_VALUES, &held.value))
                    .fill("setting", setting)
                    .fill("value", &held.value),
            );
        }
    }
    handed_out?;
    for (setting, spread) in spreads {
        let may_lack_it = is_right(setting, "");
        if spread.unlisted && may_lack_it {
            // An exported page lists what at least one client holds: nobody holds it, and nobody has to.
            continue;
        }
        let spread = if may_lack_it { spread } else { spread.absent_is_unknown() };
        spread.settle(setting, report)?;
    }
    Ok(())
}

/// The settings that the server hands out to all clients.
fn handed_out(facts: &Facts<'_>) -> Result<BTreeMap<String, String>, Undecided> {
    if let Body::Object(_) = facts.body(&GLOBAL_SETTINGS)? {
        let info: ServerInfo = facts.object(&GLOBAL_SETTINGS)?;
        let text = |value: &tancheck_plugin_api::serde_json::Value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        };
        return Ok(info
            .section("Client_Settings")
            .map(|(name, value)| (name.to_owned(), text(value)))
            .collect());
    }
    let rows: Vec<GlobalSetting> = facts.rows(&GLOBAL_SETTINGS)?;
    let for_clients = rows.into_iter().filter(|row| row.setting_type.eq_ignore_ascii_case("client"));
    Ok(for_clients.filter_map(|row| row.value.or(row.default_value).map(|value| (row.name, value))).collect())
}

/// The values that the server hands out, and for settings of the baseline those that endpoints hold.
fn learn(
    report: &mut Report,
    baseline: &BTreeMap<&str, Vec<&str>>,
    handed_out: &BTreeMap<String, String>,
    spreads: &[(&str, Spread)],
) {
    let is_whole = |(name, spread): &(&str, Spread)| {
        spread.unlisted || spread.settle(name, &mut Report::default()).is_ok()
    };
    if !spreads.iter().all(is_whole) {
        return;
    }
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in handed_out {
        let known = baseline.keys().find(|known| known.eq_ignore_ascii_case(name));
        seen.entry(known.copied().unwrap_or(name)).or_default().insert(value);
    }
    for (name, spread) in spreads {
        let values = seen.entry(name).or_default();
        values.extend(spread.held.iter().map(|held| held.value.as_str()));
        values.extend((spread.absent > 0 || spread.unlisted).then_some(""));
    }
    // Values that were right and are still seen come first, as they are written.
    let listed = |(name, values): (&str, BTreeSet<&str>)| {
        let known = baseline.get(name).into_iter().flatten().copied();
        let is_seen = |text: &&str| values.iter().any(|value| value.eq_ignore_ascii_case(text));
        let mut texts: Vec<String> = known.filter(is_seen).map(str::to_owned).collect();
        for value in &values {
            if !texts.iter().any(|text| text.eq_ignore_ascii_case(value)) {
                texts.push((*value).to_owned());
            }
        }
        (name.to_owned(), texts)
    };
    let table: BTreeMap<String, Vec<String>> = seen.into_iter().map(listed).collect();
    let endpoints = spreads.iter().map(|(_, spread)| spread.total()).max().unwrap_or(0);
    let held = if endpoints > 0 { format!(", and what {endpoints} endpoints hold") } else { String::new() };
    report.propose(
        &BASELINE,
        table,
        format!("{} settings that the server hands out{held}", handed_out.len()),
    );
}

/// What is missing, with the server's present values.
fn missing(handed_out: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> =
        handed_out.iter().take(20).map(|(name, value)| format!("{name} = [{value:?}]")).collect();
    format!(
        "approve a baseline of client settings in `baseline`; what the server hands out now: {}",
        if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") }
    )
}

fn setting_counts(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let expected = expected_counts(facts)?;
    if expected.is_empty() {
        return Err(Undecided::not_evaluated(
            "say in `expected_counts` how many clients should have which value of which setting",
        ));
    }
    let tolerance = facts.integer(&COUNT_TOLERANCE)? as f64 / 100.0;
    let names: Vec<&str> = expected.keys().copied().collect();
    let spreads = Spread::of_settings(facts, &COUNTED_VALUES, &names)?;
    for (setting, spread) in &spreads {
        let share = spread.answered.map_or(1.0, |answered| {
            let asked = answered + spread.silent;
            if asked == 0 { 1.0 } else { answered as f64 / asked as f64 }
        });
        for (value, wanted) in expected.get(setting).into_iter().flatten() {
            let scaled = wanted * share;
            let held = spread.held.iter().find(|held| held.value.eq_ignore_ascii_case(value));
            let count = held.map_or(0, |held| held.count);
            if (count as f64 - scaled).abs() <= scaled * tolerance {
                continue;
            }
            report.finding(
                Finding::on(Subject::new(
                    "client setting",
                    format!("{setting}={value}"),
                    format!("{setting} = {value}"),
                ))
                .says(format!("is held by {count} endpoints"))
                .expected(format!(
                    "{wanted} endpoints, {scaled:.0} of those that answered, give or take {:.0} percent",
                    tolerance * 100.0
                ))
                .affected((count as f64 - scaled).abs() as u64, Some(spread.total()))
                .evidence(facts.seen(&COUNTED_VALUES, count))
                .fill("setting", setting)
                .fill("value", value),
            );
        }
    }
    spreads
        .into_iter()
        .filter(|(_, spread)| !spread.unlisted)
        .try_for_each(|(setting, spread)| spread.settle(setting, report))
}

/// How many clients should have which value, setting by setting.
type Expected<'a> = BTreeMap<&'a str, Vec<(&'a str, f64)>>;

fn expected_counts<'a>(facts: &Facts<'a>) -> Result<Expected<'a>, Undecided> {
    let pair = |setting: &str, text: &'a str| {
        let parts = text.rsplit_once('=').map(|(value, count)| (value.trim(), count.trim().parse()));
        match parts {
            Some((value, Ok(count))) => Ok((value, count)),
            _ => Err(Undecided::not_evaluated(format!(
                "`expected_counts` holds {text:?} for {setting}; write value=count, such as \"0=350\""
            ))),
        }
    };
    facts
        .table(&EXPECTED)
        .into_iter()
        .map(|(setting, texts)| {
            let pairs: Result<Vec<_>, _> = texts.into_iter().map(|text| pair(setting, text)).collect();
            Ok((setting, pairs?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::ItemTally;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::{Case, tally};

    fn tallies(items: &[(&str, &[(&str, u64)])]) -> Body {
        let tally_of = |(item, counts): &(&str, &[(&str, u64)])| ItemTally {
            item: (*item).to_owned(),
            tally: tally("x", counts),
        };
        Body::Tallies(items.iter().map(tally_of).collect())
    }

    fn global(value: Value) -> Value {
        json!([{"name": "ServerPort", "value": value, "default_value": "17472", "setting_type": "Client"},
               {"name": "ServerPort2", "value": "1", "setting_type": "Server"}])
    }

    fn values(counts: &[(&str, u64)]) -> Case {
        Case::of(&VALUES)
            .rows(&GLOBAL_SETTINGS, global(json!(17472)))
            .body(&BASELINE_VALUES, tallies(&[("ServerPort", counts)]))
            .setting("baseline", json!({"ServerPort": ["17472"]}))
    }

    #[test]
    fn values_of_the_baseline_pass() {
        values(&[("17472", 100)]).judge().assert_pass();
        values(&[("17472", 100)]).assert_needs_its_inputs();
    }

    #[test]
    fn each_other_value_is_found_with_its_count() {
        let verdict = values(&[("17472", 90), ("443", 7), ("0", 3)]).judge();
        verdict.assert_findings(&["ServerPort=443", "ServerPort=0"]);
        assert_eq!(
            verdict.findings()[0].affected.as_ref().map(|affected| (affected.count, affected.of)),
            Some((7, Some(100)))
        );
        values(&[("17472", 90), ("443", 10)])
            .setting("baseline", json!({"ServerPort": ["17472", "443"]}))
            .judge()
            .assert_pass();
    }

    #[test]
    fn what_the_server_hands_out_is_compared_as_well() {
        let case = |value| values(&[("17472", 100)]).rows(&GLOBAL_SETTINGS, global(value));
        case(json!("443")).judge().assert_findings(&["ServerPort"]);
        case(Value::Null).judge().assert_pass();
        let info = json!({"Diagnostics": {"Client_Settings": {"ServerPort": "443"}}});
        values(&[("17472", 100)]).object(&GLOBAL_SETTINGS, info).judge().assert_findings(&["ServerPort"]);
    }

    #[test]
    fn clients_without_the_setting_are_healthy_only_where_the_baseline_says_so() {
        let mut answers = tally("x", &[("17472", 90)]);
        answers.without_value.insert("[no results]".into(), 10);
        answers.answered = 100;
        let case = values(&[]).body(
            &BASELINE_VALUES,
            Body::Tallies(vec![ItemTally { item: "ServerPort".into(), tally: answers }]),
        );
        case.judge().assert_undecided(Outcome::NotEvaluated);
        case.setting("baseline", json!({"ServerPort": ["17472", ""]})).judge().assert_pass();
    }

    #[test]
    fn what_is_handed_out_and_held_is_proposed() {
        let proposal = |case: Case| case.judge().proposal("baseline").cloned();
        let first = values(&[]).setting("baseline", json!({}));
        assert_eq!(proposal(first), Some(json!({"ServerPort": ["17472"]})));
        let seen = values(&[("17472", 90), ("443", 7), ("gone", 0)]);
        let kept = seen.setting("baseline", json!({"serverport": ["443", "80", "17472"]}));
        let kept = kept.body(&BASELINE_VALUES, tallies(&[("serverport", &[("17472", 90), ("0", 7)])]));
        assert_eq!(proposal(kept), Some(json!({"serverport": ["17472", "0"]})), "right ones come first");
        let mut answers = tally("x", &[("17472", 90)]);
        answers.other = 60;
        answers.answered = 150;
        let item = ItemTally { item: "ServerPort".into(), tally: answers };
        let half = values(&[]).body(&BASELINE_VALUES, Body::Tallies(vec![item]));
        assert_eq!(proposal(half), None);
    }

    #[test]
    fn without_a_baseline_the_present_values_are_offered() {
        let verdict = values(&[]).setting("baseline", json!({})).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("ServerPort = [\"17472\"]"));
    }

    #[test]
    fn an_exported_page_is_read_setting_by_setting() {
        let rows =
            json!([{"Computer Group": "All Computers", "Setting": "ServerPort", "Value": "443", "Count": 3}]);
        values(&[]).rows(&BASELINE_VALUES, rows).judge().assert_findings(&["ServerPort=443"]);
        let rows = json!([{"Computer Group": "All Computers", "Setting": "x", "Value": "1", "Count": 3}]);
        values(&[]).rows(&BASELINE_VALUES, rows).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn counts(counts: &[(&str, u64)]) -> Case {
        Case::of(&COUNTS)
            .body(&COUNTED_VALUES, tallies(&[("LogVerbosityLevel", counts)]))
            .setting("expected_counts", json!({"LogVerbosityLevel": ["0=100", "41=20"]}))
    }

    #[test]
    fn counts_within_the_tolerance_pass() {
        counts(&[("0", 105), ("41", 19), ("1", 7)]).judge().assert_pass();
        counts(&[("0", 105), ("41", 19)]).assert_needs_its_inputs();
    }

    #[test]
    fn more_and_fewer_clients_are_found() {
        counts(&[("0", 106), ("41", 20)]).judge().assert_findings(&["LogVerbosityLevel=0"]);
        counts(&[("0", 94), ("41", 20)]).judge().assert_findings(&["LogVerbosityLevel=0"]);
        counts(&[("0", 100)]).judge().assert_findings(&["LogVerbosityLevel=41"]);
        counts(&[("0", 94), ("41", 20)]).setting("setting_counts_tolerance_pct", 10).judge().assert_pass();
    }

    #[test]
    fn the_expected_number_is_scaled_to_the_endpoints_that_answered() {
        let mut answers = tally("x", &[("0", 50), ("41", 10)]);
        answers.expected = 120;
        let body = Body::Tallies(vec![ItemTally { item: "LogVerbosityLevel".into(), tally: answers }]);
        counts(&[]).body(&COUNTED_VALUES, body).judge().assert_pass();
    }

    #[test]
    fn expectations_have_to_be_there_and_understood() {
        counts(&[]).setting("expected_counts", json!({})).judge().assert_undecided(Outcome::NotEvaluated);
        counts(&[("0", 1)])
            .setting("expected_counts", json!({"LogVerbosityLevel": ["many"]}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }
}
