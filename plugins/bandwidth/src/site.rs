//! Guide: *Review and update site bandwidth throttles*, page 38: the limits.

use crate::inputs::{
    APPLIES, GLOBAL_THROTTLES, PAGE, SITE_SECTION, SITE_THROTTLES, SMALL_STEPS, Throttle, WHO, active,
    global_throttles, not_on_cloud, range, site_throttles,
};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::network::{CLIENTS, Client, address};
use tancheck_plugin_api::records::settings::SYSTEM_SETTINGS;

const GUIDES: &[&str] =
    &["Console User Guide: Site throttles", "Console User Guide: Configure site throttles"];

/// Site throttles fit the sites of today.
pub(crate) const LIMITS: Check = Check::hybrid("bandwidth.site-limits")
    .title("Site throttles fit the sites of today")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&SITE_THROTTLES, &CLIENTS, &SYSTEM_SETTINGS])
    .settings(&[&AGREED_SITE_LIMITS, &SLOW_SITES])
    .learns(&[&AGREED_SITE_LIMITS])
    .guide(&[guide(SITE_SECTION, 38)])
    .applies(APPLIES)
    .what("Lists ranges of site throttles in which the server remembers no client, ranges of `slow_sites` that no site throttle covers, and site throttles whose limits differ from `agreed_site_limits`. Somebody may confirm that one stays as it is.")
    .why("Sites move and links grow: a throttle stays behind around nothing, and a slow new site has none.")
    .limits("Which of a client's two addresses the server throttles by is not documented: a range that holds either counts as used.")
    .related(&["bandwidth.site-not-stricter", "bandwidth.site-throttle-delay"])
    .remedy(&LIMITS_REMEDY)
    .judge(site_limits);

const AGREED_SITE_LIMITS: Setting = Setting::table("agreed_site_limits").about(
    "limits of site throttles in bytes, by the throttle's name or id: { Plant = [\"125000\", \"125000\", \"0\"] } for \
     overall, download and sensor",
);

const SLOW_SITES: Setting =
    Setting::list("slow_sites", &[]).about("ranges of sites with a slow link, in CIDR notation");

const LIMITS_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the networking team",
        "what the link of {subject} can carry today, and whether the site is still there",
    ),
    Step::console(PAGE, "add, edit or remove the site throttle of {subject}"),
])
.cautions(&["Without its site throttle, a site is exposed to the global limits.", SMALL_STEPS])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(GUIDES)
.verify("bandwidth.site-throttle-delay");

fn site_limits(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    not_on_cloud(facts)?;
    let throttles = site_throttles(facts)?;
    let slow = slow_sites(facts)?;
    propose(facts, report, &throttles);
    if throttles.is_empty() && slow.is_empty() {
        return Err(facts.absent(&SITE_THROTTLES, "no site throttle is defined, and `slow_sites` names none"));
    }
    let mut covered = Vec::new();
    let mut ranges = Vec::new();
    for throttle in &throttles {
        let own = throttle.ranges()?;
        covered.extend(own.iter().copied());
        ranges.extend(own.into_iter().map(|net| (throttle, net)));
        differs(facts, report, throttle)?;
    }
    let is_covered = |site: &IpNet| {
        throttles.iter().any(|throttle| throttle.all_subnets_flag == Some(true))
            || IpNet::aggregate(&covered).iter().any(|net| net.contains(site))
    };
    for site in slow.iter().filter(|site| !is_covered(site)) {
        report.finding(
            Finding::on(Subject::new("slow site", site, site.to_string()))
                .says("has a slow link and no site throttle")
                .expected("a site throttle that covers it")
                .confirms("no throttle")
                .evidence(
                    facts.seen(&SITE_THROTTLES, covered.iter().map(ToString::to_string).collect::<Vec<_>>()),
                ),
        );
    }
    let addresses = addresses(facts)?;
    let is_empty = |net: &IpNet| !addresses.iter().any(|address| net.contains(address));
    for (throttle, net) in ranges.iter().filter(|(_, net)| is_empty(net)) {
        report.finding(
            Finding::on(Subject::new(
                "throttled range",
                format!("{}.{net}", throttle.key()),
                format!("{} ({net})", throttle.label()),
            ))
            .says("holds no client")
            .expected("clients, or no such range")
            .confirms("no client")
            .evidence(facts.seen(&CLIENTS, 0)),
        );
    }
    Ok(())
}

/// Every address of every client, its own and the one that the server sees.
fn addresses(facts: &Facts<'_>) -> Result<Vec<IpAddr>, Undecided> {
    let clients: Vec<Client> = facts.rows(&CLIENTS)?;
    if let [gap, ..] = facts.gaps(&CLIENTS)? {
        return Err(Undecided::not_evaluated(format!("the list of clients is not all there is: {gap}")));
    }
    let both = clients.iter().flat_map(|client| [&client.ipaddress_client, &client.ipaddress_server]);
    let addresses: Vec<IpAddr> = both.filter_map(|text| address(text)).collect();
    if addresses.is_empty() {
        return Err(Undecided::not_evaluated("the server lists no client with an address"));
    }
    Ok(addresses)
}

fn slow_sites(facts: &Facts<'_>) -> Result<Vec<IpNet>, Undecided> {
    let site = |text: &str| {
        range(text).ok_or_else(|| {
            Undecided::not_evaluated(format!(
                "`slow_sites` holds {text:?}; write a range such as 10.8.0.0/16"
            ))
        })
    };
    facts.list(&SLOW_SITES).into_iter().map(site).collect()
}

/// The limits of all throttles, where each tells its own.
fn propose(facts: &Facts<'_>, report: &mut Report, throttles: &[Throttle]) {
    let table = facts.table(&AGREED_SITE_LIMITS);
    let entry = |throttle: &Throttle| {
        let words = [&throttle.name, &throttle.id];
        let known = words.into_iter().find(|word| table.contains_key(word.as_str()));
        let name = known.or_else(|| words.into_iter().find(|word| !word.is_empty()))?;
        let limits = throttle.limits().ok()?;
        Some((name.clone(), limits.iter().map(|(_, limit)| limit.to_string()).collect::<Vec<_>>()))
    };
    let entries: Option<BTreeMap<String, Vec<String>>> = throttles.iter().map(entry).collect();
    if let Some(entries) = entries {
        report.propose(&AGREED_SITE_LIMITS, entries, format!("site throttles: {}", throttles.len()));
    }
}

/// A finding, if the limits of a throttle are not the agreed ones.
fn differs(facts: &Facts<'_>, report: &mut Report, throttle: &Throttle) -> Result<(), Undecided> {
    let table = facts.table(&AGREED_SITE_LIMITS);
    let Some(agreed) = table.get(throttle.name.as_str()).or_else(|| table.get(throttle.id.as_str())) else {
        return Ok(());
    };
    let wanted: Vec<f64> = agreed.iter().filter_map(|limit| limit.parse().ok()).collect();
    if wanted.len() != 3 {
        return Err(Undecided::not_evaluated(format!(
            "`agreed_site_limits` holds {agreed:?} for {}; write three numbers of bytes: overall, download, sensor",
            throttle.label()
        )));
    }
    let limits = throttle.limits()?;
    let off: Vec<String> = limits
        .iter()
        .zip(&wanted)
        .filter(|((_, limit), wanted)| limit != *wanted)
        .map(|((kind, limit), wanted)| format!("{kind} {limit} instead of {wanted}"))
        .collect();
    if !off.is_empty() {
        report.finding(
            Finding::on(Subject::new("site throttle", throttle.key(), throttle.label()))
                .says(format!("differs from the agreed limits: {}", off.join(", ")))
                .expected("the agreed limits")
                .confirms(off.join(", "))
                .evidence(facts.seen(&SITE_THROTTLES, limits.map(|(_, limit)| limit))),
        );
    }
    Ok(())
}

/// Site throttles are stricter than the global ones.
pub(crate) const NOT_STRICTER: Check = Check::automated("bandwidth.site-not-stricter")
    .title("Site throttles are stricter than the global ones")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Info)
    .reads(&[&SITE_THROTTLES, &GLOBAL_THROTTLES, &SYSTEM_SETTINGS])
    .guide(&[guide(SITE_SECTION, 38)])
    .applies(APPLIES)
    .what("Compares each limit of each site throttle with the same limit of the global throttle in force. A site limit that is equal or higher, and a site throttle without any limit, are listed.")
    .why("Such a throttle has no effect, and hides that the site is not protected.")
    .related(&["bandwidth.site-limits", "bandwidth.global-limits"])
    .remedy(&NOT_STRICTER_REMEDY)
    .judge(site_not_stricter);

const NOT_STRICTER_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the networking team", "whether {subject} still needs a limit of its own"),
    Step::console(PAGE, "lower the limit of the site throttle, or remove the throttle"),
])
.cautions(&[SMALL_STEPS])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(GUIDES);

fn site_not_stricter(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    not_on_cloud(facts)?;
    let sites = site_throttles(facts)?;
    if sites.is_empty() {
        return Err(facts.absent(&SITE_THROTTLES, "no site throttle is defined"));
    }
    let throttles = global_throttles(facts)?;
    let global = active(&throttles).map(Throttle::limits).transpose()?.unwrap_or_default();
    for site in &sites {
        let limits = site.limits()?;
        let idle: Vec<String> = limits
            .iter()
            .zip(&global)
            .filter(|((_, own), (_, all))| *own > 0.0 && *all > 0.0 && own >= all)
            .map(|((kind, own), (_, all))| format!("{kind} {own} bytes, globally {all}"))
            .collect();
        let says = match (limits.iter().all(|(_, own)| *own == 0.0), idle.is_empty()) {
            (true, _) => "sets no limit at all".to_owned(),
            (false, true) => continue,
            (false, false) => format!("is no stricter than the global throttle: {}", idle.join(", ")),
        };
        report.finding(
            Finding::on(Subject::new("site throttle", site.key(), site.label()))
                .says(says)
                .expected("limits below the global ones")
                .evidence(facts.seen(&SITE_THROTTLES, limits.map(|(_, own)| own)))
                .evidence(facts.seen(&GLOBAL_THROTTLES, global.map(|(_, all)| all))),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn plant(limits: [u32; 3]) -> Value {
        json!({"id": 7, "name": "Plant", "all_subnets_flag": 0, "bandwidth_bytes_limit": limits[0],
            "download_bandwidth_bytes_limit": limits[1], "sensor_bandwidth_bytes_limit": limits[2],
            "subnets": [{"range": "10.1.0.0/16"}]})
    }

    fn case(throttles: Value) -> Case {
        let clients =
            json!([{"computer_id": 1, "ipaddress_client": "192.168.0.5", "ipaddress_server": "10.1.7.7"}]);
        Case::of(&LIMITS).rows(&SITE_THROTTLES, throttles).rows(&CLIENTS, clients)
    }

    #[test]
    fn throttled_ranges_hold_clients() {
        case(json!([plant([5, 5, 5])])).judge().assert_pass();
        let away =
            json!([{"computer_id": 1, "ipaddress_client": "10.2.0.5", "ipaddress_server": "10.2.0.5"}]);
        let verdict = case(json!([plant([5, 5, 5])])).rows(&CLIENTS, away).judge();
        verdict.assert_findings(&["7.10.1.0.0/16"]);
        case(json!([plant([5, 5, 5])]))
            .rows(&CLIENTS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        case(json!([plant([5, 5, 5])])).gap(&CLIENTS, "half").judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(json!([plant([5, 5, 5])])).assert_needs_its_inputs();
    }

    #[test]
    fn slow_sites_have_a_throttle() {
        let slow = json!(["10.1.4.0/24", "10.9.0.0/16"]);
        case(json!([plant([5, 5, 5])]))
            .setting("slow_sites", slow.clone())
            .judge()
            .assert_findings(&["10.9.0.0/16"]);
        let all = json!([{"id": 8, "all_subnets_flag": 1, "subnets": []}]);
        case(all).setting("slow_sites", slow).judge().assert_pass();
        case(json!([]))
            .setting("slow_sites", json!(["here"]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn limits_are_the_agreed_ones() {
        let agreed =
            |limits: Value| case(json!([plant([5, 6, 7])])).setting("agreed_site_limits", limits).judge();
        agreed(json!({"Plant": ["5", "6", "7"]})).assert_pass();
        let by_id = agreed(json!({"7": ["5", "6", "7"], "other": ["1"]}));
        by_id.assert_pass();
        assert_eq!(by_id.proposal("agreed_site_limits"), Some(&json!({"7": ["5", "6", "7"]})));
        let verdict = agreed(json!({"Plant": ["5", "9", "7"]}));
        verdict.assert_findings(&["7"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("download 6 instead of 9"));
        assert_eq!(verdict.proposal("agreed_site_limits"), Some(&json!({"Plant": ["5", "6", "7"]})));
        agreed(json!({"Plant": ["5"]})).assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_file_lists_ranges_in_one_cell() {
        let file = json!([{"Scope": "Site", "Name": "Plant", "Subnets": "10.1.0.0/16; 10.3.0.0/16", "Overall Limit": "5"},
            {"Scope": "Global", "Name": "All", "Subnets": ""}]);
        case(file).judge().assert_findings(&["Plant.10.3.0.0/16"]);
    }

    fn stricter(site: [u32; 3], global: Value) -> Case {
        Case::of(&NOT_STRICTER).rows(&SITE_THROTTLES, json!([plant(site)])).rows(&GLOBAL_THROTTLES, global)
    }

    #[test]
    fn a_site_limit_below_the_global_one_has_an_effect() {
        let global = json!([{"id": 1, "bandwidth_bytes_limit": 100, "download_bandwidth_bytes_limit": 0, "sensor_bandwidth_bytes_limit": 50}]);
        stricter([99, 1000, 0], global.clone()).judge().assert_pass();
        stricter([100, 0, 0], global.clone()).judge().assert_findings(&["7"]);
        stricter([1, 0, 50], global.clone()).judge().assert_findings(&["7"]);
        stricter([0, 0, 0], global.clone()).judge().assert_findings(&["7"]);
        stricter([100, 0, 0], json!([])).judge().assert_pass();
        let none = stricter([1, 1, 1], global.clone()).rows(&SITE_THROTTLES, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
        stricter([1, 1, 1], global).assert_needs_its_inputs();
    }
}
