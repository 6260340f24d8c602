//! Guide: *Review and update intentional subnets*, page 22.

use crate::census::{Located, PREFIX, clients, prefix, subnet_of};
use crate::inputs::{
    INTENTIONAL, INTENTIONAL_SECTION, ISOLATED, Kind, PAGE, REVIEW_DUE_EVERY_DAYS, SEPARATED, WHO, nets,
    subnets,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{LOCAL_SETTINGS, LocalSetting};
use tancheck_plugin_api::records::network::CLIENTS;

const GUIDES: &[&str] = &[
    "Tanium Client Management User Guide: Configure intentional subnets",
    "Tanium Client Management User Guide: AddressMask",
];
const TWO_SITES: &str = "Two sites may use the same private range. Join them only when the networking team confirms that their clients are near each other.";
const NO_NAT: &str = "no client is behind NAT: each registers from its own address";

const MIN_CLIENTS: Setting = Setting::integer("min_clients", 2, 2, 100_000)
    .unit("clients")
    .about("how many clients behind NAT a subnet must have before it is looked at");

/// Clients in one subnet behind different NAT addresses can peer.
pub(crate) const MISSING: Check = Check::automated("subnets.intentional-missing")
    .title("Clients in one subnet behind different NAT addresses can peer")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CLIENTS, &INTENTIONAL, &ISOLATED, &SEPARATED, &LOCAL_SETTINGS])
    .settings(&[&MIN_CLIENTS, &PREFIX])
    .guide(&[guide(INTENTIONAL_SECTION, 22)])
    .applies("NAT used")
    .what("Takes the clients whose address at the server differs from their own, leaves out those in an intentional or isolated subnet, and groups the others by client subnet: a separated subnet, else the server's AddressMask, else `prefix`. A subnet with at least `min_clients` behind two or more addresses is listed.")
    .why("Clients in one subnet that the server sees at different addresses do not peer: each downloads for itself across the WAN.")
    .limits("That they do not peer follows from their addresses. IPv6 clients are grouped by 64 bits. Needs a server of version 7.5.3 or later, which knows intentional subnets.")
    .related(&["subnets.intentional-stale", "subnets.intentional-review"])
    .remedy(&MISSING_REMEDY)
    .judge(intentional_missing);

const MISSING_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Configuration > Client Status",
        "select the clients with a Network Location (from client) in {subject}; from the server they are seen at {addresses}",
    ),
    Step::console(
        "Administration > Configuration > Client Status > Export",
        "Format: List of Clients - CSV; keep the file for the comparison",
    ),
    Step::consult("the networking team", "whether all these clients are at one site"),
    Step::console(PAGE, "Intentional Subnets: compare with the file, and add {subject} if they are"),
])
.cautions(&[TWO_SITES])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

fn intentional_missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let clients = clients(facts, report)?;
    let mut peering = nets(&subnets(facts, Kind::Intentional)?);
    peering.extend(nets(&subnets(facts, Kind::Isolated)?));
    let separated = nets(&subnets(facts, Kind::Separated)?);
    let behind_nat: Vec<(&Located, IpAddr)> = behind_nat(&clients).collect();
    if behind_nat.is_empty() {
        return Err(facts.absent(&CLIENTS, NO_NAT));
    }
    let least = facts.integer(&MIN_CLIENTS)?;
    let length = mask(facts, report)?;
    let mut groups: BTreeMap<IpNet, Vec<(&Located, IpAddr)>> = BTreeMap::new();
    for (client, server) in behind_nat {
        let address = client.client;
        if peering.iter().any(|net| net.contains(&address)) {
            continue;
        }
        let own = separated.iter().filter(|net| net.contains(&address)).max_by_key(|net| net.prefix_len());
        groups
            .entry(own.copied().unwrap_or_else(|| subnet_of(address, length)))
            .or_default()
            .push((client, server));
    }
    for (net, group) in &groups {
        let addresses: BTreeSet<IpAddr> = group.iter().map(|(_, server)| *server).collect();
        if addresses.len() < 2 || (group.len() as i64) < least {
            continue;
        }
        let named: Vec<String> = addresses.iter().take(10).map(ToString::to_string).collect();
        report.finding(
            Finding::on(Subject::new("client subnet", net, net.to_string()))
                .says(format!(
                    "{} clients register from {} addresses, so they do not peer with each other",
                    group.len(),
                    addresses.len()
                ))
                .expected("an intentional subnet, if they are at one site")
                .affected(group.len() as u64, Some(clients.len() as u64))
                .sample(group.iter().take(5).map(|(client, _)| client.name.as_str()))
                .fill("addresses", named.join(", "))
                .evidence(facts.seen(&CLIENTS, &named)),
        );
    }
    Ok(())
}

/// Clients that the server sees at another address than their own.
fn behind_nat(clients: &[Located]) -> impl Iterator<Item = (&Located, IpAddr)> {
    clients.iter().filter_map(|client| {
        let server = client.server.filter(|server| *server != client.client)?;
        Some((client, server))
    })
}

/// The length of the prefix by which the server tells subnets apart: the ones in `AddressMask` (16777215: 24).
fn mask(facts: &Facts<'_>, report: &mut Report) -> Result<u8, Undecided> {
    let settings: Vec<LocalSetting> = facts.rows(&LOCAL_SETTINGS).unwrap_or_default();
    let mask = settings.iter().find(|setting| setting.name.eq_ignore_ascii_case("AddressMask"));
    if let Some(mask) = mask.and_then(|setting| setting.value.parse::<u32>().ok()) {
        return Ok(u8::try_from(mask.count_ones()).expect("a mask has 32 bits"));
    }
    let prefix = prefix(facts)?;
    report.note(format!("the server's AddressMask is not known; clients are grouped by `prefix` ({prefix})"));
    Ok(prefix)
}

/// Intentional subnets were reviewed.
pub(crate) const REVIEW: Check = Check::attested("subnets.intentional-review")
    .title("Intentional subnets were reviewed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&INTENTIONAL, &CLIENTS])
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide(INTENTIONAL_SECTION, 22)])
    .applies("NAT used")
    .what("Asks once a month whether the intentional subnets were reviewed, where there are any or where clients are behind NAT. A review ends when the list changes.")
    .why("Whether clients behind different addresses are near each other is known only to people.")
    .related(&["subnets.intentional-missing", "subnets.intentional-stale"])
    .remedy(&REVIEW_REMEDY)
    .judge(intentional_review);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "review the Intentional Subnets against the exported list of clients"),
    Step::consult("the networking team", "whether the clients of each are near each other"),
    Step::console(PAGE, "Intentional Subnets: update what they named"),
    Step::command(
        "tancheck attest subnets.intentional-review --subject deployment --result done",
        "records the review",
    ),
])
.cautions(&[TWO_SITES])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES);

/// The longest text that a confirmation is bound to.
const LONGEST_STATE: usize = 8000;

fn intentional_review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let intentional = subnets(facts, Kind::Intentional)?;
    let clients = clients(facts, report)?;
    let behind_nat = behind_nat(&clients).count();
    if intentional.is_empty() && behind_nat == 0 {
        return Err(facts.absent(&INTENTIONAL, format!("{NO_NAT}, and no intentional subnet is defined")));
    }
    let mut ranges: Vec<String> =
        intentional.iter().map(|subnet| format!("{} {}", subnet.label, subnet.net)).collect();
    ranges.sort();
    let state: String = ranges.join(", ").chars().take(LONGEST_STATE).collect();
    report.finding(
        Finding::on(Subject::deployment())
            .says(format!(
                "ranges of intentional subnets: {}, clients behind NAT: {behind_nat}",
                ranges.len()
            ))
            .expected("a review by the networking team")
            .sample(ranges.iter().take(5).map(String::as_str))
            .confirms(format!("{}: {state}", ranges.len()))
            .evidence(facts.seen(&INTENTIONAL, &ranges)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn client(id: u32, client: &str, server: &str) -> Value {
        json!({"computer_id": id, "host_name": format!("c{id}"), "ipaddress_client": client, "ipaddress_server": server})
    }

    fn case(clients: Value, ranges: Value) -> Case {
        Case::of(&MISSING)
            .rows(&CLIENTS, clients)
            .rows(&INTENTIONAL, json!([{"neighborhood": "n", "subnets": ranges}]))
            .rows(&ISOLATED, json!([]))
            .rows(&SEPARATED, json!([]))
            .rows(&LOCAL_SETTINGS, json!([{"name": "AddressMask", "value": 16_777_215}]))
    }

    fn two_addresses() -> Value {
        json!([
            client(1, "192.168.1.5", "203.0.113.1"),
            client(2, "192.168.1.6", "203.0.113.2"),
            client(3, "10.0.0.1", "10.0.0.1")
        ])
    }

    #[test]
    fn one_subnet_behind_two_addresses_needs_an_intentional_subnet() {
        let bare = case(two_addresses(), json!([]));
        let verdict = bare.judge();
        verdict.assert_findings(&["192.168.1.0/24"]);
        assert_eq!(verdict.findings()[0].values["addresses"], "203.0.113.1, 203.0.113.2");
        case(two_addresses(), json!([{"range": "192.168.0.0/16"}])).judge().assert_pass();
        bare.clone().rows(&ISOLATED, json!([{"cidr_string": "192.168.1.0/24"}])).judge().assert_pass();
        bare.clone().setting("min_clients", 3).judge().assert_pass();
        let apart = json!([{"cidr_string": "192.168.1.4/31"}, {"cidr_string": "192.168.1.6/31"}]);
        bare.clone().rows(&SEPARATED, apart).judge().assert_pass();
        bare.clone()
            .unavailable(&INTENTIONAL, Outcome::NotEvaluated)
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        bare.assert_needs_its_inputs();
    }

    #[test]
    fn the_mask_of_the_server_tells_subnets_apart() {
        let wide = json!([{"name": "AddressMask", "value": "65535"}]);
        let clients =
            json!([client(1, "192.168.1.5", "203.0.113.1"), client(2, "192.168.2.6", "203.0.113.2")]);
        case(clients.clone(), json!([])).judge().assert_pass();
        case(clients.clone(), json!([]))
            .rows(&LOCAL_SETTINGS, wide)
            .judge()
            .assert_findings(&["192.168.0.0/16"]);
        let unknown = case(clients, json!([])).unavailable(&LOCAL_SETTINGS, Outcome::NoPermission);
        unknown.clone().setting("prefix", 16).judge().assert_findings(&["192.168.0.0/16"]);
        assert_eq!(unknown.judge().notes().len(), 1);
    }

    #[test]
    fn an_exported_list_of_clients_is_read() {
        let line = |name: &str, own: &str, seen: &str| {
            json!({"Host Name": name, "Network Location (from client)": own, "Network Location (from server)": seen,
                "Status": "Leader", "Last Registration": "2026-06-30T11:00:00Z"})
        };
        let file = json!([
            line("a", "192.168.1.5:17472", "203.0.113.1:17472"),
            line("b", "192.168.1.6:17472", "203.0.113.2:17472")
        ]);
        case(file, json!([])).judge().assert_findings(&["192.168.1.0/24"]);
    }

    #[test]
    fn without_nat_there_is_nothing_to_do() {
        let direct = json!([client(1, "10.0.0.1", "10.0.0.1")]);
        case(direct.clone(), json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(json!([]), json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        let review =
            |clients: Value, rows: Value| Case::of(&REVIEW).rows(&CLIENTS, clients).rows(&INTENTIONAL, rows);
        review(direct.clone(), json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let verdict =
            review(direct, json!([{"neighborhood": "n", "subnets": [{"range": "10.0.0.0/24"}]}])).judge();
        verdict.assert_findings(&["deployment"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("1: n 10.0.0.0/24"));
        review(two_addresses(), json!([])).judge().assert_findings(&["deployment"]);
        review(two_addresses(), json!([])).assert_needs_its_inputs();
    }
}
