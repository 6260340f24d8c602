//! Guide: *Review and update Tanium Client subnets*, page 22: configured subnets in which no client is any more.

use crate::census::clients;
use crate::inputs::{
    INTENTIONAL, INTENTIONAL_SECTION, ISOLATED, ISOLATED_SECTION, Kind, PAGE, SEPARATED, Subnet, WHO, subnets,
};
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::CLIENTS;

const STALE_DAYS: Setting = Setting::integer("stale_days", 90, 1, 730)
    .unit("days")
    .about("how long a configured subnet may be without clients");

/// The most subnets of a kind whose clients one run stores.
const MOST: usize = 1000;

/// Isolated subnets still exist in the network.
pub(crate) const ISOLATED_STALE: Check = Check::automated("subnets.isolated-stale")
    .title("Isolated subnets still exist in the network")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .reads(&[&ISOLATED, &CLIENTS, &ISOLATED_CLIENTS])
    .settings(&[&STALE_DAYS])
    .guide(&[guide(ISOLATED_SECTION, 22), guide("Review and update Tanium Client subnets", 22)])
    .what("Lists isolated subnets in which no client registered for `stale_days`, in this run and in all earlier ones of that time.")
    .why("A block that is used for something else one day takes its clients out of peering without anybody knowing why.")
    .limits("Decides only about subnets that were watched for `stale_days`. VPN blocks are empty at night: all runs count together.")
    .related(&["subnets.isolated-review"])
    .remedy(&ISOLATED_STALE_REMEDY)
    .judge(isolated_stale);

const ISOLATED_CLIENTS: Input =
    Input::new("subnets.isolated-clients", "clients of isolated subnets in earlier runs")
        .sources(&[Source::history("subnets.isolated-clients.*", 800)]);

const ISOLATED_STALE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the networking team", "whether {subject} is still in use"),
    Step::decision("it may be used again", "keep it, and waive the finding"),
    Step::console(PAGE, "Isolated Subnets: remove {subject}, if it is gone"),
])
.cautions(&["If the block comes back as a VPN, its clients peer across the WAN until it is isolated again."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Tanium Client Management User Guide: Configure isolated subnets"]);

fn isolated_stale(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let isolated = subnets(facts, Kind::Isolated)?;
    if isolated.is_empty() {
        return Err(facts.absent(&ISOLATED, "no isolated subnet is defined"));
    }
    without_clients(facts, report, &isolated, &ISOLATED_CLIENTS)
}

/// Intentional subnets match present clients.
pub(crate) const INTENTIONAL_STALE: Check = Check::automated("subnets.intentional-stale")
    .title("Intentional subnets match present clients")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&INTENTIONAL, &ISOLATED, &SEPARATED, &CLIENTS, &INTENTIONAL_CLIENTS])
    .settings(&[&STALE_DAYS])
    .guide(&[guide(INTENTIONAL_SECTION, 22)])
    .applies("NAT used")
    .what("Lists ranges of intentional subnets in which no client registered for `stale_days`, and ranges that overlap an isolated or separated subnet, whose clients are not meant to peer with others.")
    .why("An intentional subnet lets clients peer that look far apart. Around the wrong clients it sends traffic across the WAN.")
    .limits("Decides only about ranges that were watched for `stale_days`. Which clients are near each other is for the networking team to say.")
    .related(&["subnets.intentional-missing", "subnets.overlap"])
    .remedy(&INTENTIONAL_STALE_REMEDY)
    .judge(intentional_stale);

const INTENTIONAL_CLIENTS: Input =
    Input::new("subnets.intentional-clients", "clients of intentional subnets in earlier runs")
        .sources(&[Source::history("subnets.intentional-clients.*", 800)]);

const INTENTIONAL_STALE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the networking team", "whether {subject} still is a network whose clients are near each other"),
    Step::console(PAGE, "Intentional Subnets: update or remove the range"),
    Step::console(
        "Administration > Configuration > Client Status",
        "see that the clients of the remaining ranges have no Leader status in large numbers",
    ),
])
.cautions(&["Clients of a removed range no longer peer across NAT addresses; each group behind an address gets leaders of its own."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Tanium Client Management User Guide: Configure intentional subnets"]);

fn intentional_stale(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let intentional = subnets(facts, Kind::Intentional)?;
    if intentional.is_empty() {
        return Err(facts.absent(&INTENTIONAL, "no intentional subnet is defined"));
    }
    let mut bounded = subnets(facts, Kind::Isolated)?;
    bounded.extend(subnets(facts, Kind::Separated)?);
    let overlaps =
        |range: &Subnet, other: &Subnet| range.net.contains(&other.net) || other.net.contains(&range.net);
    let (clashing, clear): (Vec<_>, Vec<_>) =
        intentional.into_iter().partition(|range| bounded.iter().any(|other| overlaps(range, other)));
    for range in &clashing {
        let other = bounded.iter().find(|other| overlaps(range, other)).unwrap_or(range);
        report.finding(
            Finding::on(range.subject())
                .says(format!(
                    "overlaps the {} subnet {}, whose clients are not meant to peer with others",
                    other.kind.word(),
                    other.net
                ))
                .expected("ranges of clients that are meant to peer")
                .evidence(facts.seen(other.kind.input(), other.net.to_string())),
        );
    }
    without_clients(facts, report, &clear, &INTENTIONAL_CLIENTS)
}

/// Reports subnets that have been without clients for too long. The counts are stored for later runs.
fn without_clients(
    facts: &Facts<'_>,
    report: &mut Report,
    subnets: &[Subnet],
    history: &'static Input,
) -> Result<(), Undecided> {
    let limit = facts.integer(&STALE_DAYS)?;
    let clients = clients(facts, report)?;
    let present: Vec<_> = clients.iter().filter(|client| client.is_present(facts, limit)).collect();
    let mut unknown = Vec::new();
    for (subnet, place) in subnets.iter().zip(0..) {
        let series = format!("{}.{}", history.id(), subnet.net);
        let inside = present.iter().filter(|client| subnet.net.contains(&client.client)).count();
        if place < MOST {
            report.measure(&series, inside as f64, "clients");
        }
        let is_young = subnet.created.is_some_and(|created| facts.days_since(created) < limit);
        if inside > 0 || is_young {
            continue;
        }
        let is_earlier = |point: &&Point| point.series == series && point.at < facts.now();
        let watched: Vec<&Point> = facts.points(history)?.iter().filter(is_earlier).collect();
        let last = watched.iter().filter(|point| point.value > 0.0).map(|point| point.at).max();
        let begin = watched.iter().map(|point| point.at).min();
        let Some(since) =
            last.or(begin).filter(|_| begin.is_some_and(|begin| facts.days_since(begin) >= limit))
        else {
            unknown
                .push(format!("{} has no client now, and was not watched for {limit} days yet", subnet.net));
            continue;
        };
        let days = facts.days_since(since);
        if days < limit {
            continue;
        }
        let says = match last {
            Some(_) => format!("had its last client {days} days ago"),
            None => format!("had no client for at least {days} days"),
        };
        report.finding(
            Finding::on(subnet.subject())
                .says(says)
                .expected(format!("a client within {limit} days"))
                .evidence(facts.seen(&CLIENTS, 0))
                .evidence(facts.seen(history, watched.iter().map(|point| point.value).collect::<Vec<_>>())),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn isolated(client: &str, counts: &[f64]) -> Case {
        Case::of(&ISOLATED_STALE)
            .rows(&ISOLATED, json!([{"cidr_string": "10.8.0.0/16", "created_time": "2001-01-01T00:00:00Z"}]))
            .rows(&CLIENTS, json!([{"computer_id": 1, "ipaddress_client": client, "last_registration": "2026-06-30T11:00:00Z"}]))
            .weekly(&ISOLATED_CLIENTS, "subnets.isolated-clients.10.8.0.0/16", counts)
    }

    #[test]
    fn a_subnet_is_stale_when_it_was_empty_long_enough() {
        let empty = [0.0; 14];
        isolated("10.8.0.5", &empty).judge().assert_pass();
        isolated("10.1.0.5", &empty).judge().assert_findings(&["10.8.0.0/16"]);
        isolated("10.1.0.5", &empty[..12]).judge().assert_undecided(Outcome::NotEvaluated);
        let mut seen = empty;
        seen[13] = 4.0;
        isolated("10.1.0.5", &seen).judge().assert_pass();
        seen[13] = 0.0;
        seen[0] = 4.0;
        let verdict = isolated("10.1.0.5", &seen).judge();
        assert_eq!(verdict.findings()[0].says, "had its last client 98 days ago");
        isolated("10.1.0.5", &empty)
            .setting("stale_days", 365)
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        isolated("10.1.0.5", &empty).assert_needs_its_inputs();
    }

    #[test]
    fn clients_are_counted_for_later_runs() {
        let verdict = isolated("10.8.0.5", &[]).judge();
        let measure = &verdict.measures()[0];
        assert_eq!((measure.series.as_str(), measure.value), ("subnets.isolated-clients.10.8.0.0/16", 1.0));
    }

    #[test]
    fn a_young_subnet_has_time_and_none_is_not_applicable() {
        let created = |time: &str| {
            isolated("10.1.0.5", &[])
                .rows(&ISOLATED, json!([{"cidr_string": "10.8.0.0/16", "created_time": time}]))
        };
        created("2026-06-20T00:00:00Z").judge().assert_pass();
        created("2025-06-20T00:00:00Z").judge().assert_undecided(Outcome::NotEvaluated);
        isolated("10.1.0.5", &[]).rows(&ISOLATED, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    fn intentional(ranges: Value) -> Case {
        Case::of(&INTENTIONAL_STALE)
            .rows(&INTENTIONAL, json!([{"id": 1, "neighborhood": "branch", "deleted_flag": false, "subnets": ranges}]))
            .rows(&ISOLATED, json!([{"cidr_string": "10.8.0.0/16"}]))
            .rows(&SEPARATED, json!([{"cidr_string": "10.3.0.0/24"}]))
            .rows(&CLIENTS, json!([{"computer_id": 1, "ipaddress_client": "10.1.0.5", "last_registration": "2026-06-30T11:00:00Z"}]))
            .weekly(&INTENTIONAL_CLIENTS, "subnets.intentional-clients.10.2.0.0/24", &[0.0; 14])
    }

    #[test]
    fn intentional_ranges_hold_clients_that_should_peer() {
        intentional(json!([{"range": "10.1.0.0/24"}])).judge().assert_pass();
        intentional(json!({"range": "10.1.0.0/24"})).judge().assert_pass();
        intentional(json!([{"range": "10.1.0.0/24"}, {"range": "10.2.0.0/24"}]))
            .judge()
            .assert_findings(&["10.2.0.0/24"]);
        let both = intentional(json!([{"range": "10.8.7.0/24"}, {"range": "10.3.0.0/16"}]));
        both.judge().assert_findings(&["10.8.7.0/24", "10.3.0.0/16"]);
        intentional(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        intentional(json!([{"range": "10.2.0.0/24"}])).assert_needs_its_inputs();
    }
}
