//! The connection setting that endpoints get: its name, its format, what it resolves to, its port.

use super::{
    ENDPOINT_FQDN, ENDPOINT_PORT, EVIDENCE_DAYS, Listener, MODULE, MODULE_SETTINGS, Open, WHO, Weight,
    ZONE_ENDPOINT, ZONE_ENDPOINT_HOSTS, ZONE_MODULE, ZONE_MODULE_HOSTS, listeners, stops_everybody,
};
use crate::user_guide;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::probe::{Probe, Trouble, Vantage};

const SETTINGS: &[GuideReference] = &[user_guide("Configure Endpoint Connection settings", 18)];
const DEFAULTS: &[GuideReference] =
    &[user_guide("Import and configure Direct Connect with default settings", 16), SETTINGS[0]];
const PORT_GUIDE: &[GuideReference] = &[SETTINGS[0], user_guide("Ports", 10)];
const PAGE: &str = "Main menu > Direct Connect > Home > Settings > Endpoint Connection (newer Console: Administration > Shared Services > Direct Connect)";
const SAVE: &str = "correct Fully Qualified Domain Name and Port, Save, your own password, OK; wait for both messages: saved, and the content is built and deployed";
const SAVED: &str = "a new value has to reach the endpoints (scheduled action Deploy Direct Connect - Configure Extension) before they use it; locked and offline endpoints keep the old one";
const COPIED: &str = "The value is what `endpoint_fqdn` and `endpoint_port` hold: the module has no documented route for it, so that somebody has to keep them as the page shows them.";

/// Addresses of the Module Server.
pub(crate) const MODULE_ADDRESSES: Setting = Setting::list("module_server_addresses", &[])
    .about("addresses of the Module Server: its own, and behind NAT those under which endpoints reach it");
const TANIUM_ADDRESSES: Setting =
    Setting::list("tanium_server_addresses", &[]).about("addresses of the Tanium Servers");

pub(crate) const FQDN_SET: Check = Check::automated("direct-connect.endpoint-fqdn-set")
    .title("Endpoints have a name to connect to")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&MODULE])
    .settings(MODULE_SETTINGS)
    .guide(SETTINGS)
    .what("Looks whether `endpoint_fqdn` holds what the page Endpoint Connection shows; an empty text says that the field is empty there.")
    .why("Without it no endpoint knows where to connect, and no configuration is built.")
    .limits(COPIED)
    .related(&["direct-connect.endpoint-fqdn-format", "direct-connect.endpoint-fqdn-resolves"])
    .remedy(&FILL)
    .judge(|facts, report| {
        for probe in own(facts)? {
            if probe.trouble == Some(Trouble::NoTarget) {
                report.finding(
                    field().says("is empty").expected("the name or address of the Module Server").evidence(facts.seen(&MODULE, &probe.target)),
                );
            }
        }
        Ok(())
    });

const FILL: Remedy = Remedy::new(&[
    Step::console(
        "Main menu > Direct Connect > Home > Configuration > Configure Endpoint Connection",
        "fill in {subject}, check Port, choose Action Lock, Save, your own password, OK; wait for both messages: saved, and the content is built and deployed",
    ),
    Step::decision("the Console refuses the name", "it checks the format only: correct that; whether the name is right, nobody checks but you"),
])
.cautions(&[SAVED])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Endpoint Connection settings"]);

pub(crate) const FQDN_FORMAT: Check = Check::automated("direct-connect.endpoint-fqdn-format")
    .title("The name that endpoints connect to is a full name or an IPv4 address")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&MODULE])
    .settings(MODULE_SETTINGS)
    .guide(SETTINGS)
    .what("Looks at the text of `endpoint_fqdn`. A name with two labels or more, or an IPv4 address, is right. Addresses that no endpoint can reach (loopback, 0.0.0.0, link-local) and names that are none are critical; an address of the Web, a port in it or blanks around it are high; a name without a domain and an IPv6 address are low.")
    .why("The Console checks the format and nothing else, and not as strictly.")
    .limits(COPIED)
    .related(&["direct-connect.endpoint-fqdn-resolves"])
    .remedy(&CORRECT)
    .judge(|facts, report| {
        for probe in own(facts)? {
            if probe.target.is_empty() {
                return Err(Undecided::not_evaluated("the field is empty: see direct-connect.endpoint-fqdn-set"));
            }
            if let Some((severity, says)) = trouble_of(&probe.target) {
                report.finding(
                    field()
                        .severity(severity)
                        .says(format!("is {:?}, {says}", probe.target))
                        .expected("a name with its domain, or an IPv4 address")
                        .evidence(facts.seen(&MODULE, &probe.target)),
                );
            }
        }
        Ok(())
    });

const CORRECT: Remedy = Remedy::new(&[
    Step::console(PAGE, SAVE),
    Step::decision("endpoints have no common DNS", "an IPv4 address that all internal endpoints reach will do: both sides authenticate each other by certificates"),
])
.cautions(&[SAVED])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Endpoint Connection settings"]);

pub(crate) const FQDN_RESOLVES: Check = Check::automated("direct-connect.endpoint-fqdn-resolves")
    .title("The name that endpoints connect to leads to the Module Server")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&MODULE])
    .settings(RESOLVES_SETTINGS)
    .learns(&[&MODULE_ADDRESSES])
    .guide(SETTINGS)
    .what("Resolves `endpoint_fqdn`. No address is critical where internal endpoints resolve it; an address that is not among `module_server_addresses` is high. Different answers at different places are said and not judged.")
    .why("The name has to lead to the Module Server from every endpoint, and the Console does not check it.")
    .limits("Without `module_server_addresses` only that the name resolves is seen. An address set by `probe.connect_to` counts as what the name resolves to.")
    .related(&["direct-connect.port-module-17475", "direct-connect.endpoint-fqdn-format"])
    .remedy(&RESOLVE)
    .judge(resolves);

const RESOLVES_SETTINGS: &[&Setting] = &[&ENDPOINT_FQDN, &ENDPOINT_PORT, &EVIDENCE_DAYS, &MODULE_ADDRESSES];

const RESOLVE: Remedy = Remedy::new(&[
    Step::command("nslookup <name of {subject}>", "on an endpoint of each network: the address has to be that of the Module Server, or of the translator in front of it"),
    Step::consult("whoever runs DNS", "publish the name for every network that has internal endpoints"),
    Step::console(PAGE, "or set a name or an IPv4 address that every internal endpoint reaches: Save, your own password, OK"),
    Step::decision("the endpoints are behind a Zone Server", "they use the zone proxy's own host: see direct-connect.port-zone-endpoint-17486"),
])
.cautions(&[SAVED])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Endpoint Connection settings"]);

pub(crate) const AUTO_IP: Check = Check::hybrid("direct-connect.endpoint-fqdn-auto-ip")
    .title("An address that was chosen automatically is the right one")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&MODULE])
    .settings(AUTO_IP_SETTINGS)
    .guide(DEFAULTS)
    .what("Where `endpoint_fqdn` is an IPv4 address: one of `tanium_server_addresses` that is none of `module_server_addresses` is high; any other has to be confirmed by somebody who knows that it is stable and reached by every internal endpoint.")
    .why("The import with default settings takes the first external IPv4 address that is closest to the Tanium Server's: on a Module Server of its own that may be the wrong machine, and an address that moves takes all sessions with it.")
    .limits(COPIED)
    .applies("The setting is an IPv4 address.")
    .related(&["direct-connect.endpoint-fqdn-resolves"])
    .remedy(&VERIFY_ADDRESS)
    .judge(auto_ip);

const AUTO_IP_SETTINGS: &[&Setting] =
    &[&ENDPOINT_FQDN, &ENDPOINT_PORT, &EVIDENCE_DAYS, &MODULE_ADDRESSES, &TANIUM_ADDRESSES];

const VERIFY_ADDRESS: Remedy = Remedy::new(&[
    Step::console(PAGE, "see whose address it is, and whether it is a fixed one"),
    Step::console(PAGE, "better: set a stable DNS name of the Module Server, Save, your own password, OK"),
    Step::command(
        "tancheck attest direct-connect.endpoint-fqdn-auto-ip --result done",
        "where the address is meant: says that somebody verified it",
    ),
])
.cautions(&[SAVED])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Import and configure Direct Connect with default settings"]);

pub(crate) const PORT: Check = Check::automated("direct-connect.endpoint-port")
    .title("The port that endpoints connect to is free for it and answers")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&MODULE, &ZONE_ENDPOINT, &ZONE_MODULE])
    .settings(PORT_SETTINGS)
    .guide(PORT_GUIDE)
    .what("Looks at `endpoint_port`: a number that is no port, a port that a zone proxy uses on the same host, and a port that refuses connections where they count are high. Another port than 17475 is medium until it was seen from a place where the connections come from.")
    .why("A changed port works only when every firewall and every endpoint follows it.")
    .limits(COPIED)
    .related(&["direct-connect.port-module-17475", "direct-connect.port-firewall-review"])
    .remedy(&PORT_REMEDY)
    .judge(port);

const PORT_SETTINGS: &[&Setting] =
    &[&ENDPOINT_FQDN, &ENDPOINT_PORT, &EVIDENCE_DAYS, &ZONE_ENDPOINT_HOSTS, &ZONE_MODULE_HOSTS];

const PORT_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "compare Port with {subject}; 17475 unless something else has to have it"),
    Step::command(
        "ss -ltnp (Linux), netstat -abno (Windows)",
        "on the Module Server: whether Direct Connect listens there, or which program does",
    ),
    Step::consult("whoever runs the firewalls", "let the rules follow the port"),
])
.cautions(&[SAVED, "open sessions of all modules end when the service is started again"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Ports"]);

/// What the setting holds: as it was written here, not at other places.
fn own(facts: &Facts<'_>) -> Result<Vec<Probe>, Undecided> {
    let mut probes: Vec<Probe> = facts.rows(&MODULE)?;
    probes.truncate(1);
    if probes.is_empty() {
        return Err(Undecided::not_evaluated("set `endpoint_fqdn` under [modules.direct-connect]"));
    }
    Ok(probes)
}

fn field() -> Finding {
    Finding::on(Subject::new("setting", "endpoint-fqdn", "Fully Qualified Domain Name"))
}

/// What is wrong with the text of the setting.
fn trouble_of(text: &str) -> Option<(Severity, &'static str)> {
    if text.trim() != text {
        return Some((Severity::High, "which has blanks around it"));
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        let nobody = address.is_loopback()
            || address.is_unspecified()
            || address.is_link_local()
            || address.is_broadcast();
        return nobody.then_some((Severity::Critical, "an address that no other machine can reach"));
    }
    if text.trim_matches(['[', ']']).parse::<Ipv6Addr>().is_ok() {
        return Some((Severity::Low, "an IPv6 address; the guide speaks of names and IPv4 addresses"));
    }
    if text.contains("://") || text.contains('/') {
        return Some((Severity::High, "an address of the Web, and not a name"));
    }
    if let Some((_, port)) = text.rsplit_once(':')
        && port.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some((Severity::High, "which holds a port; that has a field of its own"));
    }
    if text.eq_ignore_ascii_case("localhost") || text.to_lowercase().ends_with(".localhost") {
        return Some((Severity::Critical, "the name of each machine for itself"));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Some((Severity::Critical, "which is no host name"));
    }
    if name.split('.').all(|label| label.bytes().all(|byte| byte.is_ascii_digit())) {
        return Some((Severity::Critical, "which is neither an address nor a name"));
    }
    (!name.contains('.'))
        .then_some((Severity::Low, "a name without a domain: endpoints of other domains do not find it"))
}

/// The addresses of a setting; what is none is noted.
pub(crate) fn addresses(
    facts: &Facts<'_>,
    report: &mut Report,
    setting: &'static Setting,
) -> BTreeSet<IpAddr> {
    let mut addresses = BTreeSet::new();
    for text in facts.list(setting) {
        match text.parse() {
            Ok(address) => {
                addresses.insert(address);
            }
            Err(_) => report.note(format!("{text:?} in `{}` is no address", setting.key())),
        }
    }
    addresses
}

/// The addresses that the name leads to, where every place that looked found some.
fn propose(facts: &Facts<'_>, report: &mut Report, listeners: &[Listener]) {
    let views: Vec<&Probe> = listeners.iter().flat_map(|listener| &listener.views).collect();
    let is_name = |view: &&&Probe| !view.host.is_empty() && view.host.parse::<IpAddr>().is_err();
    let named: Vec<&&Probe> = views.iter().filter(is_name).collect();
    let Some(first) = named.first() else { return };
    if named.len() < views.len() || named.iter().any(|view| view.addresses.is_empty()) {
        return;
    }
    let addresses = named.iter().flat_map(|view| &view.addresses).map(|address| [address]);
    let places: BTreeSet<&str> = named.iter().map(|view| view.vantage.place()).collect();
    let places: Vec<&str> = places.into_iter().collect();
    let seen = format!("what {} resolves to from {}", first.host, places.join(", "));
    report.propose(&MODULE_ADDRESSES, facts.called(&MODULE_ADDRESSES, addresses), seen);
}

fn resolves(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let listeners = listeners(facts, report, &[&MODULE])?;
    let wanted = addresses(facts, report, &MODULE_ADDRESSES);
    propose(facts, report, &listeners);
    let mut unknown = Open::of(&FQDN_RESOLVES);
    for listener in &listeners {
        let Some(first) = listener.views.first() else { continue };
        if first.host.is_empty() {
            unknown.push(first.says.clone());
            continue;
        }
        if first.host.parse::<IpAddr>().is_ok() {
            return Err(Undecided::not_applicable(format!(
                "{} is an address: there is nothing to resolve",
                first.host
            )));
        }
        let nameless = |view: &&Probe| view.trouble == Some(Trouble::NoName);
        let lost: Vec<&Probe> = listener.from(Weight::Decisive).filter(nameless).collect();
        let strays: Vec<&Probe> = listener.views.iter().filter(|view| is_stray(view, &wanted)).collect();
        let found = |weight| listener.from(weight).any(|view| !view.addresses.is_empty());
        if !lost.is_empty() {
            report.finding(
                listener
                    .finding()
                    .says(format!("does not resolve {}", Listener::told(lost.into_iter())))
                    .expected("the address of the Module Server")
                    .evidence(listener.evidence(facts)),
            );
        } else if !strays.is_empty() {
            let told: Vec<String> = strays
                .iter()
                .map(|view| format!("{} from {}", view.addresses.join(", "), view.vantage.place()))
                .collect();
            report.finding(
                listener
                    .finding()
                    .severity(Severity::High)
                    .says(format!("resolves to {}", told.join("; ")))
                    .expected(format!("an address of the Module Server: {}", shown(&wanted)))
                    .evidence(listener.evidence(facts)),
            );
        } else if !found(Weight::Decisive) && !found(Weight::Indication) {
            unknown.unseen(listener);
        } else {
            remarks(report, listener, &wanted, found(Weight::Decisive));
        }
    }
    unknown.settle()
}

/// Whether a name led to none of the addresses that it should lead to.
fn is_stray(view: &Probe, wanted: &BTreeSet<IpAddr>) -> bool {
    let leads_there = |text: &String| text.parse().is_ok_and(|address| wanted.contains(&address));
    // What outside resolves to is the business of whoever is outside.
    let counts = view.vantage != Vantage::EndpointExternal;
    counts && !wanted.is_empty() && !view.addresses.is_empty() && !view.addresses.iter().any(leads_there)
}

fn remarks(report: &mut Report, listener: &Listener, wanted: &BTreeSet<IpAddr>, decided: bool) {
    if !decided {
        report.note(format!(
            "{} resolves here; {} proves more",
            listener.name,
            listener.serves.decisive().place()
        ));
    }
    if wanted.is_empty() {
        report.note("whether that is the Module Server was not compared: set `module_server_addresses`");
    }
    let answers: BTreeSet<Vec<&str>> = listener
        .views
        .iter()
        .filter(|view| !view.addresses.is_empty())
        .map(|view| {
            let mut addresses: Vec<&str> = view.addresses.iter().map(String::as_str).collect();
            addresses.sort_unstable();
            addresses
        })
        .collect();
    if answers.len() > 1 {
        report.note(format!(
            "{} resolves differently from different places, which split DNS may be meant to do",
            listener.name
        ));
    }
}

fn shown(addresses: &BTreeSet<IpAddr>) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn auto_ip(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    for probe in own(facts)? {
        let Ok(address) = probe.target.parse::<Ipv4Addr>() else {
            return Err(Undecided::not_applicable("the setting is no IPv4 address"));
        };
        let wrong = addresses(facts, report, &TANIUM_ADDRESSES).contains(&IpAddr::V4(address))
            && !addresses(facts, report, &MODULE_ADDRESSES).contains(&IpAddr::V4(address));
        let finding = field().evidence(facts.seen(&MODULE, &probe.target));
        report.finding(if wrong {
            finding
                .says(format!("is {address}, the address of a Tanium Server and not of the Module Server"))
                .expected("an address of the Module Server")
                .confirms(format!("{address}, of a Tanium Server"))
        } else {
            let class = if address.is_private() { "a private" } else { "a public" };
            finding
                .severity(Severity::Medium)
                .says(format!("is {address}, {class} address that nobody has confirmed"))
                .expected("a stable address of the Module Server that every internal endpoint reaches")
                .confirms(address.to_string())
        });
    }
    Ok(())
}

fn port(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    const USUAL: i64 = 17475;
    let number = facts.integer(&ENDPOINT_PORT)?;
    let own_port = Subject::new("setting", "endpoint-port", format!("port {number}"));
    let evidence = facts.seen(&MODULE, number);
    let finding = || Finding::on(own_port.clone()).evidence(evidence.clone());
    let module = listeners(facts, report, &[&MODULE])?;
    let zone = listeners(facts, report, &[&ZONE_ENDPOINT, &ZONE_MODULE])?;
    if !(1..=65535).contains(&number) {
        report.finding(finding().says("is no port").expected("a number from 1 to 65535, usually 17475"));
        return Ok(());
    }
    let mut unknown = Vec::new();
    for listener in &module {
        let Some(first) = listener.views.first() else { continue };
        if first.host.is_empty() {
            unknown.push(format!("the listener is not known: {}", first.says));
            continue;
        }
        let on_zone = super::ports_by_host(&zone);
        let taken =
            on_zone.get(&first.host).is_some_and(|ports| ports.iter().any(|port| i64::from(*port) == number));
        let refused = |view: &&Probe| view.trouble == Some(Trouble::Refused);
        let refusing: Vec<&Probe> = listener
            .from(Weight::Decisive)
            .chain(listener.from(Weight::Listener).filter(|view| stops_everybody(view)))
            .filter(refused)
            .collect();
        let seen = listener.from(Weight::Decisive).any(Probe::is_complete);
        if taken {
            report.finding(
                finding()
                    .says(format!("is a zone proxy's port on {}, too", first.host))
                    .expected("a port of its own"),
            );
        } else if !refusing.is_empty() {
            report.finding(
                finding()
                    .says(format!("does not listen {}", Listener::told(refusing.into_iter())))
                    .expected("a listener"),
            );
        } else if number != USUAL && !seen {
            report.finding(
                finding()
                    .severity(Severity::Medium)
                    .says("is not the usual one, and was not seen from an internal endpoint")
                    .expected("17475, or a run with --vantage endpoint-internal that reaches it"),
            );
        }
    }
    settle(&unknown)
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
