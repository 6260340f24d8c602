//! Counting clients by subnet, now and in earlier runs.

use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::{CLIENTS, Client, address};

/// How large a subnet is for these checks.
pub(crate) const PREFIX: Setting = Setting::integer("prefix", 24, 8, 32)
    .unit("bits")
    .about("length of the prefix by which IPv4 clients are grouped to subnets (IPv6: always 64)");

/// How long a client counts as present after its last registration.
pub(crate) const LOST_AFTER_DAYS: Setting = Setting::integer("lost_after_days", 7, 1, 90)
    .unit("days")
    .about("how long a client counts as present after its last registration");

/// Clients of each subnet in earlier runs.
pub(crate) const SEEN: Input = Input::new("subnets.seen", "clients by subnet in earlier runs")
    .sources(&[Source::history("subnets.seen.*", 100)]);

const SERIES: &str = "subnets.seen.";
/// The most subnets that one run stores.
const MOST: usize = 1000;
const IPV6_PREFIX: u8 = 64;

/// A client with an address.
pub(crate) struct Located {
    /// Its name.
    pub(crate) name: String,
    /// Its own address.
    pub(crate) client: IpAddr,
    /// The address that the server sees.
    pub(crate) server: Option<IpAddr>,
    /// When it last registered.
    pub(crate) seen: Option<Timestamp>,
    /// Whether it or its neighbour is behind a slow link.
    pub(crate) slow_link: bool,
}

impl Located {
    /// Whether it registered within the last days.
    pub(crate) fn is_present(&self, facts: &Facts<'_>, days: i64) -> bool {
        self.seen.is_some_and(|seen| facts.days_since(seen) < days)
    }
}

/// All clients. What is absent from a list that is not whole may be elsewhere, so such a list decides nothing.
pub(crate) fn clients(facts: &Facts<'_>, report: &mut Report) -> Result<Vec<Located>, Undecided> {
    let rows: Vec<Client> = facts.rows(&CLIENTS)?;
    if let [gap, ..] = facts.gaps(&CLIENTS)? {
        return Err(Undecided::not_evaluated(format!("the list of clients is not all there is: {gap}")));
    }
    let all = rows.len();
    let locate = |row: Client| {
        let client = address(&row.ipaddress_client)?;
        Some(Located {
            client,
            server: address(&row.ipaddress_server),
            seen: row.last_registration,
            slow_link: row.status.to_lowercase().contains("slow link"),
            name: row.host_name,
        })
    };
    let located: Vec<Located> = rows.into_iter().filter_map(locate).collect();
    if located.is_empty() {
        return Err(Undecided::not_evaluated("the server lists no client with an address"));
    }
    if located.len() < all {
        report.note(format!("{} of {all} clients have no address and are left out", all - located.len()));
    }
    Ok(located)
}

/// The subnet of an address.
pub(crate) fn subnet_of(address: IpAddr, prefix: u8) -> IpNet {
    let length = if address.is_ipv4() { prefix } else { IPV6_PREFIX };
    IpNet::new(address, length).expect("settings and masks keep the length within 32").trunc()
}

/// Names of clients by subnet.
pub(crate) type Census = BTreeMap<IpNet, Vec<String>>;

/// The present clients by subnet. The counts are stored for later runs.
pub(crate) fn census(facts: &Facts<'_>, report: &mut Report) -> Result<Census, Undecided> {
    let days = facts.integer(&LOST_AFTER_DAYS)?;
    let prefix = prefix(facts)?;
    let mut census = Census::new();
    for client in clients(facts, report)?.into_iter().filter(|client| client.is_present(facts, days)) {
        census.entry(subnet_of(client.client, prefix)).or_default().push(client.name);
    }
    if census.len() > MOST {
        return Err(Undecided::not_evaluated(format!(
            "there are {} subnets, a run remembers {MOST}: set a shorter `prefix` under [modules.subnets], such as {}",
            census.len(),
            prefix.saturating_sub(4).max(8)
        )));
    }
    for (net, names) in &census {
        report.measure(&format!("{SERIES}{net}"), names.len() as f64, "clients");
    }
    Ok(census)
}

/// The prefix of the site.
pub(crate) fn prefix(facts: &Facts<'_>) -> Result<u8, Undecided> {
    let bits = facts.integer(&PREFIX)?;
    Ok(u8::try_from(bits).expect("the setting's range fits"))
}

/// What earlier runs saw of the subnets of the present prefix.
pub(crate) struct Past {
    /// The points of each subnet, oldest first.
    pub(crate) subnets: BTreeMap<IpNet, Vec<Point>>,
    /// The first run that is remembered.
    pub(crate) begin: Timestamp,
}

/// What earlier runs saw; undecided on the first run.
pub(crate) fn past(facts: &Facts<'_>) -> Result<Past, Undecided> {
    let prefix = prefix(facts)?;
    let mut subnets: BTreeMap<IpNet, Vec<Point>> = BTreeMap::new();
    for point in facts.points(&SEEN)? {
        let net = point.series.strip_prefix(SERIES).and_then(|net| net.parse::<IpNet>().ok());
        let same_length = |net: &IpNet| *net == subnet_of(net.addr(), prefix);
        if let Some(net) = net.filter(same_length) {
            subnets.entry(net).or_default().push(point.clone());
        }
    }
    let begin = subnets.values().flatten().map(|point| point.at).min();
    let first_run = || {
        Undecided::not_evaluated(
            "this is the first look at these subnets; it is stored, and the next run compares with it",
        )
    };
    begin.map(|begin| Past { subnets, begin }).ok_or_else(first_run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_subnets() {
        let net = |address: &str| subnet_of(address.parse().unwrap(), 20).to_string();
        assert_eq!(net("10.1.31.7"), "10.1.16.0/20");
        assert_eq!(net("2001:db8:0:1:2::3"), "2001:db8:0:1::/64");
    }
}
