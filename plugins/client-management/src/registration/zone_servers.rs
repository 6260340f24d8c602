//! "Review and adjust the distribution of Tanium Client registration traffic", page 20: the load of Zone Servers.

use super::{CUT_OFF, GUIDE, server, zone_servers};
use crate::console::{SETTINGS_TAB, WHO};
use crate::inputs::{GLOBAL_SETTINGS, GlobalSetting, SERVER_NAME, SERVER_NAMES};
use crate::spread::Spread;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::SERVER_HEALTH;
use tancheck_plugin_api::records::server::{CLIENT_STATUS, ClientStatus};

const IMBALANCE: Setting = Setting::integer("imbalance_pct", 30, 1, 1000)
    .unit("percent")
    .about("how far the share of a Zone Server may be above an even share");

const CAPACITY: Setting = Setting::integer_unset("clients_per_zone_server", 1, 10_000_000)
    .unit("clients")
    .about("how many clients a Zone Server is planned for");

pub(crate) const BALANCE: Check = Check::automated("client-management.zone-server-balance")
    .title("Registrations are spread over the Zone Servers")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SERVER_HEALTH, &CLIENT_STATUS, &SERVER_NAMES])
    .settings(&[&IMBALANCE])
    .guide(GUIDE)
    .what(
        "Compares the clients of each Zone Server with an even share of all clients that use one, and \
         reports a Zone Server that holds more than `imbalance_pct` above it. A Zone Server without any \
         client counts as one that should have its share.",
    )
    .why("The fullest Zone Server is the first to refuse clients, while the others idle.")
    .limits(
        "Newer servers count clients by Zone Server; of older ones the endpoints are asked for their \
         ServerName, and the names have to be those that the server health tells.",
    )
    .applies("several Zone Servers")
    .related(&["client-management.server-name-list", "client-management.zone-server-capacity"])
    .remedy(&REBALANCE)
    .even_if_absent()
    .judge(zone_server_balance);

const REBALANCE: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Tanium Server Name from all machines",
        "find clients that use {subject}",
    ),
    Step::console(
        SETTINGS_TAB,
        "compare ServerName with ServerNameList: do the lists of these clients name all Zone Servers?",
    ),
    Step::action(
        "the package of your content that sets ServerNameList",
        "deploy it to some of these clients; a client picks at random among the servers of its list",
    ),
    Step::decision("clients registered anew", "run this check again before the next step"),
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.cautions(&[CUT_OFF])
.references(&["Tanium Client Management User Guide: Configuring connections to the Tanium Core Platform"]);

pub(crate) const ENOUGH: Check = Check::hybrid("client-management.zone-server-capacity")
    .title("There are enough Zone Servers")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&GLOBAL_SETTINGS, &SERVER_HEALTH, &CLIENT_STATUS, &SERVER_NAMES])
    .settings(&[&CAPACITY, &IMBALANCE])
    .guide(GUIDE)
    .what(
        "Reports that every Zone Server has more clients than `clients_per_zone_server`, although the \
         clients are spread evenly.",
    )
    .why("When all Zone Servers are above their plan, moving clients between them no longer helps.")
    .limits(
        "The planned number is the site's: no server tells how many clients it can hold. Where the load is \
         not even, the balance comes first and this check does not decide.",
    )
    .applies("Appliance or Windows, with Zone Servers; not on Tanium Cloud")
    .related(&["client-management.zone-server-balance", "backup.dr-plan-covers-servers"])
    .remedy(&ADD_SERVER)
    .even_if_absent()
    .judge(zone_server_capacity);

const ADD_SERVER: Remedy = Remedy::new(&[
    Step::decision(
        "the deployment runs on Appliances",
        "add an array member and assign it the Zone Server role, as the Appliance Deployment Guide says",
    ),
    Step::decision(
        "it runs on Windows",
        "install another Zone Server, as the Core Platform Deployment Guide for Windows says",
    ),
    Step::action(
        "the package of your content that sets ServerNameList",
        "add the new server to the lists, on a few endpoints first, so that clients use it",
    ),
    Step::decision("the new server is in service", "take it into the backups and the disaster recovery plan"),
    Step::decision("the load is acceptable", "confirm this finding, or raise `clients_per_zone_server`"),
])
.who("platform administrator (tanadmin on an Appliance)")
.risk(Risk::High, Reversible::Partly)
.cautions(&[CUT_OFF])
.references(&[
    "Tanium Appliance Deployment Guide: Installing an Appliance Array",
    "Tanium Core Platform Deployment Guide for Windows: Installing the Tanium Zone Server",
])
.verify("client-management.zone-server-balance");

/// The clients of each Zone Server.
struct Load {
    clients: BTreeMap<String, u64>,
    /// Zone Servers in service, those without clients among them.
    servers: usize,
    input: &'static Input,
}

impl Load {
    /// The load, or why there is none: fewer Zone Servers than `least`.
    fn of(facts: &Facts<'_>, least: usize, report: &mut Report) -> Result<Self, Undecided> {
        let in_service = zone_servers(facts)?;
        let status: Option<ClientStatus> =
            facts.rows(&CLIENT_STATUS).ok().and_then(|rows: Vec<ClientStatus>| rows.into_iter().next());
        let counted = status.and_then(|status| status.zone_servers);
        let known = counted.as_ref().map_or(0, Vec::len).max(in_service.len());
        if known < least {
            let what = if known == 0 { "there is no Zone Server" } else { "there is only one Zone Server" };
            return Err(facts.absent(&SERVER_HEALTH, what));
        }
        if let Some(counted) = counted {
            let mut clients = BTreeMap::new();
            for zone in counted {
                *clients.entry(server(&zone.zone_server_address)).or_insert(0) += zone.count;
            }
            let servers = clients.len().max(in_service.len());
            return Ok(Self { clients, servers, input: &CLIENT_STATUS });
        }
        let spread = Spread::of(facts, &SERVER_NAMES, SERVER_NAME)?.absent_is_unknown();
        spread.settle(SERVER_NAME, report)?;
        let mut clients: BTreeMap<String, u64> = in_service.into_iter().map(|name| (name, 0)).collect();
        for held in &spread.held {
            if let Some(count) = clients.get_mut(&server(&held.value)) {
                *count += held.count;
            }
        }
        if clients.values().all(|count| *count == 0) {
            let seen: Vec<&str> = spread.held.iter().map(|held| held.value.as_str()).take(5).collect();
            return Err(Undecided::not_evaluated(format!(
                "no client's ServerName is the name of a Zone Server; the clients name {}, the Zone Servers are {}",
                seen.join(", "),
                clients.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
            )));
        }
        Ok(Self { servers: clients.len(), clients, input: &SERVER_NAMES })
    }

    fn total(&self) -> u64 {
        self.clients.values().sum()
    }

    /// Servers whose share is more than `percent` above the even one.
    fn above_even(&self, percent: i64) -> impl Iterator<Item = (&String, u64)> {
        let limit = self.total() as f64 / self.servers as f64 * (1.0 + percent as f64 / 100.0);
        self.clients
            .iter()
            .map(|(name, count)| (name, *count))
            .filter(move |(_, count)| *count as f64 > limit)
    }
}

fn zone_server_balance(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let load = Load::of(facts, 2, report)?;
    let total = load.total();
    if total == 0 {
        return Err(Undecided::not_evaluated("no client is counted on any Zone Server"));
    }
    let percent = facts.integer(&IMBALANCE)?;
    for (name, count) in load.above_even(percent) {
        let share = 100.0 * count as f64 / total as f64;
        report.finding(
            Finding::on(Subject::new("zone server", name, name))
                .says(format!(
                    "holds {share:.0} percent of the {total} clients on {} Zone Servers",
                    load.servers
                ))
                .expected(format!(
                    "at most {percent} percent above the even share of {:.0} percent",
                    100.0 / load.servers as f64
                ))
                .affected(count, Some(total))
                .evidence(facts.seen(load.input, &load.clients)),
        );
    }
    Ok(())
}

fn zone_server_capacity(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if on_cloud(facts)? {
        return Err(Undecided::not_applicable("Tanium Cloud runs the Zone Servers itself"));
    }
    let load = Load::of(facts, 1, report)?;
    let capacity = facts.integer(&CAPACITY)? as u64;
    let full = load.clients.values().filter(|count| **count > capacity).count();
    if full < load.servers {
        return Ok(());
    }
    if load.above_even(facts.integer(&IMBALANCE)?).next().is_some() {
        return Err(Undecided::not_evaluated(
            "every Zone Server is above its plan, but the load is not even: see client-management.zone-server-balance first",
        ));
    }
    report.finding(
        Finding::on(Subject::new("deployment", "zone-servers", "the Zone Servers"))
            .says(format!("hold {} clients, each more than it is planned for", load.total()))
            .expected(format!("at most {capacity} clients on each of {} Zone Servers", load.servers))
            .affected(load.servers as u64, Some(load.servers as u64))
            .sample(load.clients.iter().map(|(name, count)| format!("{name}: {count}")).take(5))
            .evidence(facts.seen(load.input, &load.clients))
            .confirms(format!("{} Zone Servers planned for {capacity} clients each", load.servers)),
    );
    Ok(())
}

/// Whether the vendor runs the servers. A list without the setting is that of an own deployment.
fn on_cloud(facts: &Facts<'_>) -> Result<bool, Undecided> {
    let Body::Rows(_) = facts.body(&GLOBAL_SETTINGS)? else { return Ok(false) };
    let settings: Vec<GlobalSetting> = facts.rows(&GLOBAL_SETTINGS)?;
    let cloud = settings.iter().find(|setting| setting.name == "console_is_taas");
    Ok(cloud.and_then(|setting| setting.value.as_deref()) == Some("1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn status(counts: &[(&str, u64)]) -> Value {
        let zones: Vec<Value> =
            counts.iter().map(|(name, count)| json!({"zone_server_address": name, "count": count})).collect();
        json!([{"leader_count": 1, "zone_servers": zones}])
    }

    fn case(check: &'static Check, counts: &[(&str, u64)], in_service: &[&str]) -> Case {
        let names: Vec<Value> = in_service.iter().map(|name| json!({"name": name})).collect();
        Case::of(check)
            .rows(&GLOBAL_SETTINGS, json!([]))
            .object(&SERVER_HEALTH, json!({"servers": {"zone_servers": names}}))
            .rows(&CLIENT_STATUS, status(counts))
    }

    fn balance(counts: &[(&str, u64)]) -> Case {
        let names: Vec<&str> = counts.iter().map(|(name, _)| *name).collect();
        case(&BALANCE, counts, &names)
    }

    #[test]
    fn a_share_beyond_the_tolerance_is_found() {
        balance(&[("zs1", 65), ("zs2", 35)]).judge().assert_pass();
        let verdict = balance(&[("zs1", 66), ("zs2", 34)]).judge();
        verdict.assert_findings(&["zs1"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.of), Some(Some(100)));
        balance(&[("zs1", 66), ("zs2", 34)]).setting("imbalance_pct", 40).judge().assert_pass();
    }

    #[test]
    fn a_zone_server_without_clients_counts() {
        case(&BALANCE, &[("zs1", 50), ("zs2", 50)], &["zs1", "zs2"]).judge().assert_pass();
        case(&BALANCE, &[("zs1", 50), ("zs2", 50)], &["zs1", "zs2", "zs3"])
            .judge()
            .assert_findings(&["zs1", "zs2"]);
        balance(&[("zs1", 0), ("zs2", 0)]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn fewer_than_two_zone_servers_have_nothing_to_balance() {
        balance(&[]).judge().assert_undecided(Outcome::NotApplicable);
        balance(&[("zs1", 100)]).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn endpoints_are_asked_where_the_server_does_not_count() {
        let old = |counts: &[(&str, u64)]| {
            case(&BALANCE, &[], &["zs1.example.com", "zs2.example.com"])
                .rows(&CLIENT_STATUS, json!([{"leader_count": 1}]))
                .tally(&SERVER_NAMES, "Tanium Server Name", counts)
        };
        old(&[("ZS1.example.com:17472", 50), ("zs2.example.com", 50), ("ts1", 900)]).judge().assert_pass();
        old(&[("zs1.example.com", 50), ("ts1", 900)]).judge().assert_findings(&["zs1.example.com"]);
        old(&[("10.0.0.1", 50)]).judge().assert_undecided(Outcome::NotEvaluated);
        let asked = Case::of(&BALANCE)
            .object(&SERVER_HEALTH, json!({"servers": {"zone_servers": [{"name": "a"}, {"name": "b"}]}}))
            .tally(&SERVER_NAMES, "x", &[("a", 5), ("b", 5)]);
        asked.judge().assert_pass();
        asked.assert_needs_its_inputs();
    }

    #[test]
    fn without_the_list_of_zone_servers_nothing_is_decided() {
        balance(&[("zs1", 50), ("zs2", 50)])
            .object(&SERVER_HEALTH, json!({}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    fn capacity(counts: &[(&str, u64)]) -> Case {
        let names: Vec<&str> = counts.iter().map(|(name, _)| *name).collect();
        case(&ENOUGH, counts, &names).setting("clients_per_zone_server", 50)
    }

    #[test]
    fn all_zone_servers_above_their_plan_are_too_few() {
        capacity(&[("zs1", 50), ("zs2", 60)]).judge().assert_pass();
        let verdict = capacity(&[("zs1", 51), ("zs2", 60)]).judge();
        verdict.assert_findings(&["zone-servers"]);
        assert_eq!(
            verdict.findings()[0].state.as_deref(),
            Some("2 Zone Servers planned for 50 clients each")
        );
        capacity(&[("zs1", 51)]).judge().assert_findings(&["zone-servers"]);
        capacity(&[("zs1", 50), ("zs2", 60)]).assert_needs_its_inputs();
    }

    #[test]
    fn balance_comes_before_capacity() {
        capacity(&[("zs1", 51), ("zs2", 200)]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn cloud_and_deployments_without_zone_servers_are_left_out() {
        capacity(&[("zs1", 51)])
            .rows(&GLOBAL_SETTINGS, json!([{"name": "console_is_taas", "value": 1}]))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        capacity(&[]).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn without_a_plan_nothing_is_decided() {
        case(&ENOUGH, &[("zs1", 51)], &["zs1"]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
