//! The fields of a zone proxy: hosts, addresses and ports that cannot be right.

use super::PROXY_ADMINISTRATOR;
use crate::chapters::ZONE_PROXIES as PROXIES_CHAPTER;
use crate::inputs::pages::{ZONE_PROXIES, ZoneProxy};
use crate::probe::endpoint::{MODULE_ADDRESSES, addresses};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use tancheck_plugin_api::prelude::*;

/// The fields can be right.
pub(crate) const FIELDS: Check = Check::automated("direct-connect.zone-proxy-fields")
    .title("The settings of every zone proxy can be right")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&ZONE_PROXIES])
    .settings(&[&MODULE_ADDRESSES])
    .guide(PROXIES_CHAPTER)
    .applies("zone proxies")
    .what("Holds each field against what it is for: hosts that endpoints can reach from outside, addresses to listen on that are IPv4 addresses, ports that are ports, not swapped and not those that Direct Connect uses otherwise, and names that are there once.")
    .why("A zone proxy cannot be changed after it was saved: what is wrong stays wrong until it is made again.")
    .limits("Whether names resolve and ports answer is looked at by the checks of the ports.")
    .related(&["direct-connect.zone-proxy-status", "direct-connect.port-zone-endpoint-17486"])
    .remedy(&REMEDY)
    .judge(judge);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Direct Connect > Zone Proxies", "write down all values of {subject}"),
    Step::consult("the administrator of its Zone Server", "the present PROVISION.txt, or run the installer again"),
    Step::console("Direct Connect > Zone Proxies", "hover over {subject} and select Delete, then Add Zone Proxy with the corrected values, and save with your own password"),
    Step::decision("the status is Connected", "test the connection to one external endpoint"),
])
.cautions(&["Between Delete and Connected, external endpoints behind it cannot be reached.", "The payload is a secret."])
.who(PROXY_ADMINISTRATOR)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: Install and configure the Direct Connect Zone Proxy"])
.verify("direct-connect.zone-proxy-status");

fn judge(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let proxies: Vec<ZoneProxy> = facts.rows(&ZONE_PROXIES)?;
    if proxies.is_empty() {
        return Err(facts.absent(&ZONE_PROXIES, "there is no zone proxy"));
    }
    let module = addresses(facts, report, &MODULE_ADDRESSES);
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for proxy in &proxies {
        *names.entry(proxy.name.trim().to_lowercase()).or_default() += 1;
    }
    for proxy in &proxies {
        let mut problems = problems(proxy, &module);
        match names.get(&proxy.name.trim().to_lowercase()) {
            _ if proxy.name.trim().is_empty() => problems.push((Severity::Low, "it has no name".to_owned())),
            Some(2..) => problems.push((Severity::Low, "its name is there more than once".to_owned())),
            _ => {}
        }
        let Some(worst) = problems.iter().map(|(severity, _)| *severity).max() else { continue };
        let says: Vec<String> = problems.into_iter().map(|(_, says)| says).collect();
        report.finding(
            Finding::on(proxy.subject())
                .says(says.join("; "))
                .expected("fields as the guide describes them")
                .severity(worst)
                .evidence(facts.seen(&ZONE_PROXIES, &says)),
        );
    }
    Ok(())
}

fn problems(proxy: &ZoneProxy, module: &BTreeSet<IpAddr>) -> Vec<(Severity, String)> {
    let mut found = Vec::new();
    let mut need = |good: bool, severity: Severity, says: String| {
        if !good {
            found.push((severity, says));
        }
    };
    let host = proxy.endpoint_host.trim();
    need(
        is_public(host),
        Severity::High,
        format!("endpoints outside cannot reach {host:?}, the host that they are to connect to"),
    );
    let inner = proxy.module_host.trim();
    need(
        !inner.is_empty() && !is_loopback(inner),
        Severity::High,
        format!("the Module Server cannot reach {inner:?}"),
    );
    for (side, bind) in [("Module Server", &proxy.module_bind), ("endpoints", &proxy.endpoint_bind)] {
        let is_address = bind.trim().parse::<Ipv4Addr>().is_ok();
        let says = format!("the address to listen on for {side} is {bind:?} and no IPv4 address");
        need(is_address, Severity::High, says);
    }
    let is_its_own = proxy.module_bind.trim().parse().is_ok_and(|address| module.contains(&address));
    need(
        !is_its_own,
        Severity::Medium,
        "it listens for the Module Server on the Module Server's own address".to_owned(),
    );
    let ports = [("Module Server", &proxy.module_port), ("endpoints", &proxy.endpoint_port)];
    for (side, port) in ports {
        let good = port.trim().parse::<u16>().is_ok_and(|port| port > 0);
        need(good, Severity::High, format!("the port for {side} is {port:?} and no port"));
        let taken = matches!(port.trim(), "17488" | "17475");
        need(
            !taken,
            Severity::High,
            format!("the port for {side} is {port}, which Direct Connect uses otherwise"),
        );
    }
    let (module_port, endpoint_port) = (proxy.module_port.trim(), proxy.endpoint_port.trim());
    need(module_port != endpoint_port, Severity::Medium, format!("both sides have the port {module_port}"));
    let swapped = module_port == "17486" || endpoint_port == "17487";
    need(
        !swapped || module_port == endpoint_port,
        Severity::Medium,
        "the ports of the two sides are swapped".to_owned(),
    );
    found
}

fn is_loopback(host: &str) -> bool {
    let is_local =
        host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified());
    host.eq_ignore_ascii_case("localhost") || is_local
}

/// Whether a host can be one of the Internet: a public address, or a name with a domain that is not an inner one.
fn is_public(host: &str) -> bool {
    if host.is_empty() || is_loopback(host) {
        return false;
    }
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => !address.is_private() && !address.is_link_local(),
        Ok(IpAddr::V6(address)) => !address.is_unique_local() && !address.is_unicast_link_local(),
        Err(_) => {
            let domain = host.trim_end_matches('.').rsplit_once('.').map(|(_, last)| last.to_lowercase());
            domain.is_some_and(|last| !matches!(last.as_str(), "local" | "internal" | "lan" | "localdomain"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn proxy(changes: &[(&str, &str)]) -> Value {
        let mut proxy = json!({"Name": "Z1", "Zone Server": "zs1", "Status": "Connected", "Module Host": "dmz.internal.local",
            "Module Bind": "10.0.0.9", "Module Port": "17487", "Endpoint Host": "zone.example.com",
            "Endpoint Bind": "0.0.0.0", "Endpoint Port": "17486"});
        for (field, value) in changes {
            proxy[*field] = json!(value);
        }
        proxy
    }

    fn case(changes: &[(&str, &str)]) -> Case {
        Case::of(&FIELDS)
            .rows(&ZONE_PROXIES, json!([proxy(changes)]))
            .setting("module_server_addresses", vec!["10.0.0.5"])
    }

    #[test]
    fn fields_as_the_guide_has_them_pass() {
        case(&[]).judge().assert_pass();
        case(&[("Endpoint Host", "203.0.113.7"), ("Module Port", "8443")]).judge().assert_pass();
        case(&[]).assert_needs_its_inputs();
        Case::of(&FIELDS).rows(&ZONE_PROXIES, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn an_address_of_the_site_that_is_none_is_told() {
        let judged = case(&[]).setting("module_server_addresses", vec!["ms1"]).judge();
        assert!(judged.notes().iter().any(|note| note.contains("\"ms1\" in `module_server_addresses`")));
    }

    #[test]
    fn each_field_that_cannot_be_right_is_found() {
        for (field, value, severity, words) in [
            ("Endpoint Host", "10.1.2.3", Severity::High, "endpoints outside cannot reach"),
            ("Endpoint Host", "zone", Severity::High, "endpoints outside cannot reach"),
            ("Endpoint Host", "zone.internal", Severity::High, "endpoints outside cannot reach"),
            ("Endpoint Host", "", Severity::High, "endpoints outside cannot reach"),
            ("Module Host", "localhost", Severity::High, "the Module Server cannot reach"),
            ("Module Bind", "dmz", Severity::High, "no IPv4 address"),
            ("Endpoint Bind", "::", Severity::High, "no IPv4 address"),
            ("Module Bind", "10.0.0.5", Severity::Medium, "the Module Server's own address"),
            ("Module Port", "0", Severity::High, "no port"),
            ("Module Port", "70000", Severity::High, "no port"),
            ("Endpoint Port", "17488", Severity::High, "uses otherwise"),
            ("Module Port", "17486", Severity::Medium, "both sides have the port 17486"),
        ] {
            let verdict = case(&[(field, value)]).judge();
            verdict.assert_findings(&["z1"]);
            let finding = &verdict.findings()[0];
            assert_eq!(
                (finding.severity, finding.says.contains(words)),
                (Some(severity), true),
                "{}",
                finding.says
            );
        }
        let swapped = case(&[("Module Port", "17486"), ("Endpoint Port", "17487")]).judge();
        assert_eq!(swapped.findings()[0].says, "the ports of the two sides are swapped");
    }

    #[test]
    fn names_are_there_once() {
        let twice = Case::of(&FIELDS).rows(&ZONE_PROXIES, json!([proxy(&[]), proxy(&[("Name", "z1 ")])]));
        twice.judge().assert_findings(&["z1", "z1"]);
        assert_eq!(case(&[("Name", "")]).judge().findings()[0].severity, Some(Severity::Low));
    }
}
