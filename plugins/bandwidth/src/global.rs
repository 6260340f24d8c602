//! Guide: *Review and update global bandwidth throttles*, page 17: the limits.

use crate::inputs::{
    APPLIES, GLOBAL_SECTION, GLOBAL_THROTTLES, PAGE, SMALL_STEPS, Throttle, WHO, active, global_throttles,
    not_on_cloud, number,
};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{SERVER_INFO, ServerInfo};
use tancheck_plugin_api::records::settings::SYSTEM_SETTINGS;
use tancheck_plugin_api::serde_json::Value;

const GUIDES: &[&str] =
    &["Console User Guide: Bandwidth throttling overview", "Console User Guide: Configure global throttles"];
/// Use of a limit, in percent, from which connections will soon be refused.
const NEARLY_FULL_PERCENT: f64 = 90.0;

/// Global bandwidth limits fit the network.
pub(crate) const LIMITS: Check = Check::hybrid("bandwidth.global-limits")
    .title("Global bandwidth limits fit the network")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&GLOBAL_THROTTLES, &DISTURBANCE, &SYSTEM_SETTINGS])
    .settings(&[&AGREED_GLOBAL_LIMITS])
    .learns(&[&AGREED_GLOBAL_LIMITS])
    .guide(&[guide(GLOBAL_SECTION, 17)])
    .applies(APPLIES)
    .what("Looks at the global throttle in force. No limit at all, a limit that differs from `agreed_global_limits`, and the answer that Tanium's traffic disturbs the network are findings. Somebody may confirm that a limit stays as it is.")
    .why("Without a limit, one large download can fill a link; with a limit that nobody agreed on, nobody knows what it protects.")
    .limits("Needs `agreed_global_limits`, or the answer whether the traffic disturbs the network.")
    .related(&["bandwidth.global-throttle-delay", "bandwidth.throttle-without-effect"])
    .remedy(&LIMITS_REMEDY)
    .judge(global_limits);

const DISTURBANCE: Input =
    Input::new("bandwidth.disturbance", "whether Tanium's traffic disturbs the network")
        .sources(&[Source::answer("Does the traffic of Tanium disturb the network?", Accepts::YesNo, 30)]);

const AGREED_GLOBAL_LIMITS: Setting = Setting::table("agreed_global_limits").about(
    "limits of the global throttle in bytes, as agreed with the networking team: { overall = [\"1250000\"], download = \
     [\"625000\"], sensor = [\"0\"] }; a kind that is left out is not compared",
);

const LIMITS_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the networking team", "which limit they agree to; at present: {limit}"),
    Step::console(PAGE, "configure the global throttle accordingly, and watch the throttle delays for a day"),
    Step::decision(
        "the limit is right and the agreement is old",
        "write the new one into `agreed_global_limits`, or confirm the finding",
    ),
])
.cautions(&[SMALL_STEPS])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES)
.verify("bandwidth.global-throttle-delay");

fn global_limits(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    not_on_cloud(facts)?;
    let throttles = global_throttles(facts)?;
    let throttle = active(&throttles);
    let limits = throttle.map(Throttle::limits).transpose()?.unwrap_or_default();
    let agreed = agreed(facts)?;
    let told: Vec<String> = limits.iter().map(|(kind, limit)| format!("{kind} {limit}")).collect();
    if let Some(throttle) = throttle {
        let table = limits.iter().map(|(kind, limit)| (*kind, vec![limit.to_string()]));
        let seen = format!("{}, the global throttle in force", throttle.label());
        report.propose(&AGREED_GLOBAL_LIMITS, table.collect::<BTreeMap<_, _>>(), seen);
    }
    let found = |subject: Subject, says: String, state: String, limit: String| {
        Finding::on(subject)
            .says(says)
            .fill("limit", limit)
            .confirms(state)
            .evidence(facts.seen(&GLOBAL_THROTTLES, &told))
    };
    if limits.iter().all(|(_, limit)| *limit == 0.0) {
        let says = "no global bandwidth limit is set".to_owned();
        let finding = found(Subject::deployment(), says, "no limit".to_owned(), "none".to_owned());
        report.finding(finding.expected("a limit that the networking team agreed to"));
        return Ok(());
    }
    for (kind, wanted) in &agreed {
        let limit = limits.iter().find(|(known, _)| known == kind).map_or(0.0, |(_, limit)| *limit);
        if limit != *wanted {
            let subject = Subject::new("global limit", kind, *kind);
            let finding =
                found(subject, format!("is {limit} bytes"), format!("{limit}"), format!("{limit} bytes"));
            report.finding(finding.expected(format!("{wanted} bytes, as agreed")));
        }
    }
    let disturbed = facts.answer(&DISTURBANCE).ok().map(|answer| answer.value == Value::Bool(true));
    if disturbed == Some(true) {
        let says = "Tanium's traffic disturbs the network, as a person answered".to_owned();
        let subject = Subject::new("network", "disturbance", "the network");
        report.finding(
            found(subject, says, told.join(", "), told.join(", ")).evidence(facts.seen(&DISTURBANCE, "yes")),
        );
    }
    if agreed.is_empty() && disturbed.is_none() {
        return Err(Undecided::not_evaluated(format!(
            "limits are set ({}), but nobody said whether they fit: set `agreed_global_limits` under \
             [modules.bandwidth], or answer {}",
            told.join(", "),
            DISTURBANCE.id()
        )));
    }
    Ok(())
}

/// The agreed limits by kind.
fn agreed<'a>(facts: &Facts<'a>) -> Result<Vec<(&'a str, f64)>, Undecided> {
    let limit = |(kind, values): (&'a str, Vec<&str>)| {
        let number = values.first().and_then(|value| value.parse::<f64>().ok());
        match number.filter(|_| ["overall", "download", "sensor"].contains(&kind)) {
            Some(number) => Ok((kind, number)),
            None => Err(Undecided::not_evaluated(format!(
                "`agreed_global_limits` holds {kind} = {values:?}; it takes overall, download and sensor with a number of bytes"
            ))),
        }
    };
    facts.table(&AGREED_GLOBAL_LIMITS).into_iter().map(limit).collect()
}

/// The limit of concurrent connections fits.
pub(crate) const CONNECTIONS: Check = Check::hybrid("bandwidth.global-connections")
    .title("The limit of concurrent connections fits")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&GLOBAL_THROTTLES, &SERVER_INFO, &SYSTEM_SETTINGS])
    .settings(&[&AGREED_CONNECTION_LIMIT])
    .learns(&[&AGREED_CONNECTION_LIMIT])
    .guide(&[guide(GLOBAL_SECTION, 17)])
    .applies(APPLIES)
    .what("Compares the connection limit of the global throttle in force with `agreed_connection_limit`, where that is set, and the connections in the server's diagnostics with their limits: from 90 percent on, refusals are near. Somebody may confirm that a limit stays as it is.")
    .why("The server refuses connections beyond the limit: clients then cannot register, answer or download.")
    .limits("The server counts no refused connections, and shows no connections of Zone Servers.")
    .related(&["bandwidth.global-throttle-delay"])
    .remedy(&CONNECTIONS_REMEDY)
    .judge(global_connections);

const AGREED_CONNECTION_LIMIT: Setting = Setting::integer_unset("agreed_connection_limit", 1, 10_000_000)
    .unit("connections")
    .about("the agreed limit of connections in the global throttle");

const CONNECTIONS_REMEDY: Remedy = Remedy::new(&[
    Step::api(
        "GET /api/v2/server_info",
        "Diagnostics, Client_Connections: compare counts and limits with the number of clients ({seen})",
    ),
    Step::decision(
        "many clients lead that need not",
        "see client-management.leader-percentage-change first: every leader holds a connection",
    ),
    Step::console(PAGE, "configure the connection limits of the global throttle"),
])
.cautions(&[SMALL_STEPS])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

const CONNECTION_KINDS: [&str; 4] = ["Overall", "Download", "Sensor", "Registration"];

fn global_connections(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    not_on_cloud(facts)?;
    let throttles = global_throttles(facts)?;
    let limit = active(&throttles).and_then(|throttle| throttle.connection_limit);
    if let Some(limit) = limit.filter(|limit| (1.0..=10_000_000.0).contains(limit)) {
        report.propose(&AGREED_CONNECTION_LIMIT, limit as i64, "the global throttle in force");
    }
    if let Ok(agreed) = facts.integer(&AGREED_CONNECTION_LIMIT) {
        if limit != Some(agreed as f64) {
            let seen = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("a limit of {limit}"));
            report.finding(
                Finding::on(Subject::new("connection limit", "agreed", "global throttle"))
                    .says(format!("sets {seen}"))
                    .expected(format!("{agreed} connections, as agreed"))
                    .fill("seen", &seen)
                    .confirms(&seen)
                    .evidence(facts.seen(&GLOBAL_THROTTLES, limit)),
            );
        }
    } else {
        report.note("`agreed_connection_limit` is not set; only the use of the limits was looked at");
    }
    let info: ServerInfo = facts.object(&SERVER_INFO)?;
    let value = |key: &str| {
        info.section("Client_Connections").find(|(name, _)| *name == key).and_then(|(_, value)| number(value))
    };
    let mut told = 0;
    for kind in CONNECTION_KINDS {
        let count = value(&format!("{kind}_Connection_Count"));
        let limit = value(&format!("{kind}_Connection_Limit"));
        let (Some(count), Some(limit)) = (count, limit) else { continue };
        told += 1;
        if limit > 0.0 && count * 100.0 >= limit * NEARLY_FULL_PERCENT {
            let seen = format!("{count} of {limit} {} connections", kind.to_lowercase());
            report.finding(
                Finding::on(Subject::new("connection limit", kind.to_lowercase(), kind.to_lowercase()))
                    .says(format!("{seen} are in use"))
                    .expected(format!("less than {NEARLY_FULL_PERCENT} percent"))
                    .fill("seen", &seen)
                    .confirms(format!("limit {limit}"))
                    .evidence(facts.seen(&SERVER_INFO, &seen)),
            );
        }
    }
    if told == 0 {
        return Err(Undecided::not_evaluated(
            "the server's diagnostics hold no counts of connections (Client_Connections)",
        ));
    }
    Ok(())
}

/// Every global throttle has an effect.
pub(crate) const WITHOUT_EFFECT: Check = Check::automated("bandwidth.throttle-without-effect")
    .title("Every global throttle has an effect")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&GLOBAL_THROTTLES, &SYSTEM_SETTINGS])
    .beyond()
    .applies(APPLIES)
    .what("Lists global throttles that are not in force: those with an address, and of the others all but the one with the lowest id.")
    .why("Somebody may believe in a limit that does not limit anything.")
    .related(&["bandwidth.global-limits"])
    .remedy(&WITHOUT_EFFECT_REMEDY)
    .judge(throttle_without_effect);

const WITHOUT_EFFECT_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "compare {subject} with the global throttle in force: {active}"),
    Step::consult("the networking team", "which of them they agreed to"),
    Step::console(PAGE, "write the agreed limits into the throttle in force, and remove the others"),
])
.cautions(&[
    "When the throttle in force is removed, the one with the next id takes over at once.",
    SMALL_STEPS,
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

fn throttle_without_effect(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    not_on_cloud(facts)?;
    let throttles = global_throttles(facts)?;
    if throttles.is_empty() {
        return Err(facts.absent(&GLOBAL_THROTTLES, "no global throttle is defined"));
    }
    let in_force = active(&throttles);
    let name = in_force.map_or_else(|| "none".to_owned(), Throttle::label);
    for throttle in
        throttles.iter().filter(|throttle| !in_force.is_some_and(|active| std::ptr::eq(active, *throttle)))
    {
        let says = if throttle.ip_address.is_empty() {
            format!("is not in force, because {name} has a lower id")
        } else {
            format!("is not in force, because it names the address {}", throttle.ip_address)
        };
        report.finding(
            Finding::on(Subject::new("global throttle", throttle.key(), throttle.label()))
                .says(says)
                .expected("one global throttle, without an address")
                .fill("active", &name)
                .evidence(facts.seen(&GLOBAL_THROTTLES, [&throttle.id, &throttle.ip_address])),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn throttle(id: u32, overall: u32) -> Value {
        json!({"id": id, "ip_address": "", "bandwidth_bytes_limit": overall, "download_bandwidth_bytes_limit": 0,
            "sensor_bandwidth_bytes_limit": 0, "connection_limit": 100})
    }

    fn limits(throttles: Value) -> Case {
        Case::of(&LIMITS).rows(&GLOBAL_THROTTLES, throttles)
    }

    #[test]
    fn limits_are_set_and_agreed() {
        let agreed = json!({"overall": ["1000"], "sensor": ["0"]});
        limits(json!([throttle(2, 1000), throttle(3, 5)]))
            .setting("agreed_global_limits", agreed.clone())
            .judge()
            .assert_pass();
        let verdict = limits(json!([throttle(2, 5)])).setting("agreed_global_limits", agreed.clone()).judge();
        verdict.assert_findings(&["overall"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("5"));
        for none in [json!([]), json!([throttle(2, 0)])] {
            limits(none)
                .setting("agreed_global_limits", agreed.clone())
                .judge()
                .assert_findings(&["deployment"]);
        }
        let unknown =
            limits(json!([throttle(2, 5)])).setting("agreed_global_limits", json!({"upload": ["7"]}));
        unknown.judge().assert_undecided(Outcome::NotEvaluated);
        let set = json!({"download": ["0"], "overall": ["5"], "sensor": ["0"]});
        let verdict = limits(json!([throttle(2, 5)])).judge();
        assert_eq!(verdict.proposal("agreed_global_limits"), Some(&set));
        limits(json!([throttle(2, 5)])).setting("agreed_global_limits", set).judge().assert_pass();
        assert_eq!(limits(json!([])).judge().proposals(), []);
        limits(json!([{"id": 2}])).judge().assert_undecided(Outcome::NotEvaluated);
        limits(json!([throttle(2, 1000)])).setting("agreed_global_limits", agreed).assert_needs_its_inputs();
    }

    #[test]
    fn whether_limits_fit_is_for_people_to_say() {
        let set = limits(json!([throttle(2, 1000)]));
        set.judge().assert_undecided(Outcome::NotEvaluated);
        set.clone().answer(&DISTURBANCE, false).judge().assert_pass();
        set.answer(&DISTURBANCE, true).judge().assert_findings(&["disturbance"]);
    }

    fn connections(count: u32) -> Case {
        let info = json!({"Diagnostics": {"Client_Connections": {
            "Overall_Connection_Count": count, "Overall_Connection_Limit": "200",
            "Registration_Connection_Count": 5, "Registration_Connection_Limit": 0,
        }}});
        Case::of(&CONNECTIONS).rows(&GLOBAL_THROTTLES, json!([throttle(2, 5)])).object(&SERVER_INFO, info)
    }

    #[test]
    fn connections_stay_below_their_limits() {
        let below = connections(179).judge();
        below.assert_pass();
        assert_eq!(below.notes().len(), 1);
        assert_eq!(below.proposal("agreed_connection_limit"), Some(&json!(100)));
        connections(180).judge().assert_findings(&["overall"]);
        connections(1).setting("agreed_connection_limit", 100).judge().assert_pass();
        connections(1).setting("agreed_connection_limit", 50).judge().assert_findings(&["agreed"]);
        let none = connections(1).rows(&GLOBAL_THROTTLES, json!([])).setting("agreed_connection_limit", 50);
        none.judge().assert_findings(&["agreed"]);
        let silent = connections(1).object(&SERVER_INFO, json!({"Diagnostics": {}}));
        silent.judge().assert_undecided(Outcome::NotEvaluated);
        connections(1).assert_needs_its_inputs();
    }

    #[test]
    fn only_the_lowest_id_without_an_address_acts() {
        let case = |throttles: Value| Case::of(&WITHOUT_EFFECT).rows(&GLOBAL_THROTTLES, throttles);
        case(json!([throttle(2, 5)])).judge().assert_pass();
        case(json!([throttle(10, 5), throttle(9, 5)])).judge().assert_findings(&["10"]);
        let addressed = json!([{"id": 1, "ip_address": "10.0.0.1"}, throttle(2, 5)]);
        case(addressed).judge().assert_findings(&["1"]);
        case(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(json!([throttle(2, 5)])).assert_needs_its_inputs();
    }
}
