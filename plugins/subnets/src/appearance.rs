//! Guide: *Check the endpoint leader percentage*, page 11, and *Check the endpoint count*, page 12: subnets that appear,
//! vanish or grow.

use crate::census::{LOST_AFTER_DAYS, PREFIX, Past, SEEN, census, clients, past};
use crate::inputs::{ISOLATED_SECTION, VPN_BLOCKS, VPN_USED, WHO, ranges, vpn_blocks};
use ipnet::IpNet;
use tancheck_plugin_api::facts::Baseline;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::CLIENTS;

const LEADERS: &str = "Check the endpoint leader percentage";
const NETWORK_TEAM: &str = "the networking team";
const FRESH_DAYS: i64 = 7;

const APPROVED_SUBNETS: Setting = Setting::list("approved_subnets", &[])
    .about("ranges whose clients may join, in CIDR notation; subnets within them are never reported as new");

/// No unexpected subnets registered.
pub(crate) const NEW: Check = Check::automated("subnets.new-subnets")
    .title("No unexpected subnets registered")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&CLIENTS, &SEEN])
    .settings(&[&APPROVED_SUBNETS, &VPN_BLOCKS, &PREFIX, &LOST_AFTER_DAYS])
    .learns(&[&APPROVED_SUBNETS])
    .guide(&[guide(LEADERS, 11), guide("Check the endpoint count", 12)])
    .what("Groups the clients by subnet (`prefix`) and lists subnets that earlier runs did not see. A subnet stays new for a week. Ranges in `approved_subnets` and `vpn_blocks` are left out.")
    .why("Endpoints in an unknown network may not be yours to manage, and a new VPN block makes every one of its clients a leader.")
    .limits("Needs an earlier run; a subnet that was away for 100 days counts as new again. Home and hotel networks make noise: approve their blocks. At most 1000 subnets are remembered; larger networks need a shorter `prefix`.")
    .related(&["subnets.new-subnets-authorized", "subnets.isolated-vpn-missing", "client-management.new-endpoints-authorized"])
    .remedy(&NEW_REMEDY)
    .judge(new_subnets);

const NEW_REMEDY: Remedy = Remedy::new(&[
    Step::consult(NETWORK_TEAM, "whether {subject} may join; {sample} are in it"),
    Step::console(
        "Administration > Configuration > Client Status",
        "find the clients whose Network Location (from client) is in {subject}",
    ),
    Step::decision(
        "the subnet may join",
        "name it, or its block, in `approved_subnets`, and confirm it for subnets.new-subnets-authorized",
    ),
    Step::decision("it may not", "have the networking or security team block these endpoints"),
    Step::decision("it is a VPN block", "name it in `vpn_blocks` and see subnets.isolated-vpn-missing"),
])
.cautions(&[
    "Isolate a subnet only when it is a VPN block: in an isolated LAN every client becomes a leader.",
])
.who("networking team; a Console user with the Administrator reserved role")
.risk(Risk::None, Reversible::Yes)
.references(&["Tanium Client Management User Guide: Configuring Tanium Client peering"]);

fn new_subnets(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    propose(facts, report)?;
    for newcomer in newcomers(facts, report)? {
        let age = newcomer.first.map(|first| facts.days_since(first));
        if age.is_some_and(|days| days >= FRESH_DAYS) {
            continue;
        }
        report.finding(
            newcomer.finding(facts).expected("a subnet of earlier runs, or one in `approved_subnets`"),
        );
    }
    Ok(())
}

/// The approved ranges that hold clients, as they are written, and every other subnet with clients.
fn propose(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let census = census(facts, &mut Report::default())?;
    let approved = ranges(facts, &APPROVED_SUBNETS)?;
    let vpn = ranges(facts, &VPN_BLOCKS)?;
    let written = facts.list(&APPROVED_SUBNETS).into_iter().zip(&approved);
    let in_use = written.filter(|(_, range)| census.keys().any(|net| range.contains(net)));
    let is_known = |net: &IpNet| approved.iter().chain(&vpn).any(|range| range.contains(net));
    let others = census.keys().filter(|net| !is_known(net)).map(ToString::to_string);
    let value: Vec<String> = in_use.map(|(text, _)| text.to_owned()).chain(others).collect();
    let clients: usize = census.values().map(Vec::len).sum();
    report.propose(
        &APPROVED_SUBNETS,
        value,
        format!("subnets with clients: {}, clients: {clients}", census.len()),
    );
    Ok(())
}

/// A subnet that is younger than tancheck's memory.
struct Newcomer {
    net: IpNet,
    names: Vec<String>,
    /// The first earlier run that saw it.
    first: Option<Timestamp>,
}

impl Newcomer {
    fn finding(&self, facts: &Facts<'_>) -> Finding {
        let since = self.first.map_or_else(
            || "was in no earlier run".to_owned(),
            |first| format!("was first seen on {}", first.strftime("%Y-%m-%d")),
        );
        let net = self.net.to_string();
        let sample: Vec<&str> = self.names.iter().take(5).map(String::as_str).collect();
        Finding::on(Subject::new("client subnet", &net, &net))
            .says(format!("{since}; clients in it: {}", self.names.len()))
            .affected(self.names.len() as u64, None)
            .sample(sample.iter().copied())
            .fill("sample", sample.join(", "))
            .evidence(facts.seen(&CLIENTS, [&net]))
    }
}

/// Present subnets that tancheck did not see from its beginning, and that nobody approved in the settings.
fn newcomers(facts: &Facts<'_>, report: &mut Report) -> Result<Vec<Newcomer>, Undecided> {
    let census = census(facts, report)?;
    let mut known = ranges(facts, &APPROVED_SUBNETS)?;
    known.extend(ranges(facts, &VPN_BLOCKS)?);
    let Past { subnets, begin } = past(facts)?;
    let newcomers = census.into_iter().filter(|(net, _)| !known.iter().any(|range| range.contains(net)));
    let newcomers = newcomers.map(|(net, names)| {
        let first = subnets.get(&net).and_then(|points| points.first()).map(|point| point.at);
        Newcomer { net, names, first }
    });
    Ok(newcomers.filter(|newcomer| newcomer.first != Some(begin)).collect())
}

/// New subnets are authorized to join.
pub(crate) const NEW_AUTHORIZED: Check = Check::attested("subnets.new-subnets-authorized")
    .title("New subnets are authorized to join")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&CLIENTS, &SEEN])
    .settings(&[&APPROVED_SUBNETS, &VPN_BLOCKS, &PREFIX, &LOST_AFTER_DAYS, &DUE_AFTER_DAYS])
    .due_every(&AUTHORIZED_FOR_DAYS)
    .guide(&[guide(LEADERS, 11)])
    .what("Asks for a confirmation of each subnet that appeared within the last 100 days, once it is older than `due_after_days`.")
    .why("A network that nobody authorized within a week was probably not meant to join.")
    .related(&["subnets.new-subnets"])
    .remedy(&NEW_AUTHORIZED_REMEDY)
    .judge(new_subnets_authorized);

const DUE_AFTER_DAYS: Setting = Setting::integer("due_after_days", 7, 0, 90)
    .unit("days")
    .about("how long a new subnet may stay without an authorization");

const AUTHORIZED_FOR_DAYS: Setting = Setting::integer("authorized_for_days", 365, 1, 3650)
    .unit("days")
    .about("how long the authorization of a subnet is good for");

const NEW_AUTHORIZED_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the networking or security team",
        "whether {subject} is authorized to join, and who says so",
    ),
    Step::decision("it is not", "have the team block it; {sample} are in it"),
    Step::command(
        "tancheck attest subnets.new-subnets-authorized --subject {subject} --result done --by NAME",
        "records the name of who authorized it",
    ),
])
.who("networking team")
.risk(Risk::None, Reversible::Yes);

fn new_subnets_authorized(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let due_after = facts.integer(&DUE_AFTER_DAYS)?;
    let age = |newcomer: &Newcomer| newcomer.first.map_or(0, |first| facts.days_since(first));
    let newcomers = newcomers(facts, report)?;
    let due: Vec<&Newcomer> = newcomers.iter().filter(|newcomer| age(newcomer) >= due_after).collect();
    if due.is_empty() {
        return Err(Undecided::not_applicable("no new subnet waits for an authorization"));
    }
    for newcomer in due {
        report.finding(newcomer.finding(facts).expected("a named person who authorized it"));
    }
    Ok(())
}

/// No subnets stopped registering.
pub(crate) const LOST: Check = Check::automated("subnets.lost-subnets")
    .title("No subnets stopped registering")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::High)
    .reads(&[&CLIENTS, &SEEN])
    .settings(&[&MIN_ENDPOINTS, &LOST_AFTER_DAYS, &PREFIX])
    .guide(&[guide(LEADERS, 11)])
    .what("Lists subnets that held at least `min_endpoints` clients in a run of the last 100 days, and from which no client has registered for `lost_after_days`.")
    .why("A whole subnet that falls silent is a network that cannot reach the server any more, not machines that were switched off.")
    .limits("A site that moved looks like a loss and a new subnet. A site that was closed stays a finding until it is waived, at most 100 days. Compare only runs of accounts that see the same clients.")
    .related(&["subnets.new-subnets", "client-management.endpoint-count-low"])
    .remedy(&LOST_REMEDY)
    .judge(lost_subnets);

const MIN_ENDPOINTS: Setting = Setting::integer("min_endpoints", 5, 1, 100_000)
    .unit("endpoints")
    .about("how many clients a subnet must have had before its loss is reported");

const LOST_REMEDY: Remedy = Remedy::new(&[
    Step::consult(NETWORK_TEAM, "whether the site behind {subject} was closed or moved; it held {before} clients"),
    Step::decision("it was closed", "waive the finding until it leaves tancheck's memory"),
    Step::consult(
        NETWORK_TEAM,
        "look for a disruption, or a firewall that blocks the way from {subject} to the Tanium Server or Zone Server (port 17472)",
    ),
    Step::question(
        "Get Tanium Client Explicit Setting[ServerNameList] from all machines",
        "see whether neighbouring subnets hold a wrong server address; a subnet that is cut off does not answer",
    ),
    Step::console("Administration > Configuration > Client Status", "see that clients of {subject} register again"),
])
.who("networking team")
.risk(Risk::None, Reversible::Yes)
.references(&["Tanium Client Management User Guide: Configuring Tanium Client peering"]);

fn lost_subnets(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let census = census(facts, report)?;
    let past = past(facts)?;
    let least = facts.integer(&MIN_ENDPOINTS)? as f64;
    let days = facts.integer(&LOST_AFTER_DAYS)?;
    for (net, points) in past.subnets.iter().filter(|(net, _)| !census.contains_key(net)) {
        let before = points.iter().map(|point| point.value).fold(0.0, f64::max);
        let last = points.iter().rev().find(|point| point.value > 0.0);
        let Some(last) = last.filter(|_| before >= least) else { continue };
        report.finding(
            Finding::on(Subject::new("client subnet", net, net.to_string()))
                .says(format!(
                    "no client registered from it within {days} days; it held up to {before} until {}",
                    last.at.strftime("%Y-%m-%d")
                ))
                .expected(format!("a registration within {days} days"))
                .affected(before as u64, None)
                .fill("before", before)
                .evidence(facts.seen(&SEEN, before)),
        );
    }
    Ok(())
}

/// The share of VPN endpoints did not shift.
pub(crate) const VPN_SHARE_SHIFT: Check = Check::automated("subnets.vpn-share-shift")
    .title("The share of VPN endpoints did not shift")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&CLIENTS, &VPN_SHARE, &VPN_USED])
    .settings(&[&VPN_BLOCKS, &TOLERANCE_POINTS, &LOST_AFTER_DAYS])
    .guide(&[guide(LEADERS, 11), guide(ISOLATED_SECTION, 22)])
    .applies("VPN used")
    .what("Computes the share of clients in `vpn_blocks` among those that registered within `lost_after_days`, and compares it with the median of earlier weeks. A move of more than `tolerance_points` is a finding; where earlier weeks swing more than that anyway, three times their usual swing counts instead.")
    .why("VPN clients do not peer, so a shift changes the number of leaders and the load on the server and on WAN links.")
    .limits("Needs `vpn_blocks` and three earlier weeks.")
    .related(&["subnets.isolated-vpn-missing", "client-management.leader-percentage-change"])
    .remedy(&VPN_SHARE_REMEDY)
    .judge(vpn_share_shift);

const VPN_SHARE: Input = Input::new("subnets.vpn-share", "share of VPN clients in earlier runs")
    .sources(&[Source::history("subnets.vpn-share", 63)]);

const TOLERANCE_POINTS: Setting = Setting::integer("tolerance_points", 10, 1, 100)
    .unit("percentage points")
    .about("how far the share of VPN clients may be from that of earlier weeks");

const VPN_SHARE_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        NETWORK_TEAM,
        "whether a holiday, an office that closed, or a new VPN block explains the shift",
    ),
    Step::decision(
        "the VPN blocks are not isolated",
        "configure isolated subnets: see subnets.isolated-vpn-missing",
    ),
    Step::decision("the shift is there to stay", "do nothing: the median of earlier weeks follows"),
])
.who(WHO)
.risk(Risk::None, Reversible::Yes)
.references(&["Tanium Client Management User Guide: Configure isolated subnets"]);

fn vpn_share_shift(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let blocks = vpn_blocks(facts)?;
    let days = facts.integer(&LOST_AFTER_DAYS)?;
    let tolerance = facts.integer(&TOLERANCE_POINTS)? as f64;
    let clients = clients(facts, report)?;
    let present: Vec<_> = clients.iter().filter(|client| client.is_present(facts, days)).collect();
    if present.is_empty() {
        return Err(Undecided::not_evaluated(format!("no client registered within {days} days")));
    }
    let in_vpn =
        present.iter().filter(|client| blocks.iter().any(|block| block.contains(&client.client))).count();
    let share = in_vpn as f64 * 100.0 / present.len() as f64;
    report.measure("subnets.vpn-share", share, "percent");
    let earlier = facts.points(&VPN_SHARE)?.iter().map(|point| (point.at, point.value));
    let usual = Baseline::of_weeks(earlier, facts.now(), "the share of VPN clients")?;
    if (share - usual.median).abs() > usual.swing().max(tolerance) {
        report.finding(
            Finding::on(Subject::deployment())
                .says(format!(
                    "{share:.1} % of the clients are in VPN blocks, {:.1} % were in earlier weeks",
                    usual.median
                ))
                .expected(format!("a shift of at most {tolerance} points"))
                .affected(in_vpn as u64, Some(present.len() as u64))
                .evidence(facts.seen(&CLIENTS, share))
                .evidence(facts.seen(&VPN_SHARE, usual.median)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
