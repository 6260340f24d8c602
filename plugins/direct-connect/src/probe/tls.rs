//! What the listeners show in their first flight: version, key, suites, names, and whether they ask for a client
//! certificate.

use super::{
    ALL, ALL_SETTINGS, EVIDENCE_DAYS, Listener, MODULE, MODULE_SETTINGS, Open, Serves, WHO, Weight,
    ZONE_ENDPOINT, ZONE_MODULE, ZONE_SECOND, listeners,
};
use crate::user_guide;
use std::collections::BTreeSet;
use std::net::IpAddr;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::probe::{Certificate, Probe, SUITES, SuiteResult, Trouble, Vantage};

const PORTS: &[GuideReference] = &[user_guide("Ports", 10)];
const CERTIFICATES: &[GuideReference] =
    &[user_guide("Direct Connect overview", 6), user_guide("Configure certificates", 19)];
const KEY_GUIDE: &[GuideReference] = &[PORTS[0], CERTIFICATES[1]];
const NAME_GUIDE: &[GuideReference] =
    &[CERTIFICATES[0], user_guide("Configure Endpoint Connection settings", 18)];
const LIMITS: &str = "What a listener shows is judged wherever it was seen; where none of it could be seen, the check says where to look from. The signature of the key exchange is not verified: a probe does not prove that the listener holds the key.";

const INSPECTION_ISSUERS: Setting = Setting::list("inspection_issuers", &[]).about(
    "names of the authorities with which the site's own devices inspect TLS, as parts of an issuer's name",
);

pub(crate) const PROTOCOL: Check = Check::automated("direct-connect.tls-protocol")
    .title("The listeners speak TLS 1.2")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(ALL_READ)
    .settings(ALL_SETTINGS)
    .guide(PORTS)
    .what("Greets each configured listener in TLS 1.2. Another version, the alert protocol_version, or something that is no TLS is a finding, where the real connections come from or on the listener's own machine.")
    .why("Clients speak TLS 1.2 with Direct Connect, and nothing else.")
    .limits(LIMITS)
    .related(&["direct-connect.port-module-17475", "direct-connect.tls-suites", "direct-connect.tls-interception"])
    .remedy(&PROTOCOL_REMEDY)
    .judge(protocol);

const PROTOCOL_REMEDY: Remedy = Remedy::new(&[
    Step::command("ss -ltnp (Linux), netstat -abno (Windows)", "on the server: which program listens on the port of {subject}; another service has to move, or Direct Connect to another port"),
    Step::consult("whoever runs proxies and firewalls", "exempt {subject} from TLS inspection and from HTTP proxies"),
    Step::decision("protocols were hardened on the server", "allow TLS 1.2 again: clients of Direct Connect speak nothing later"),
])
.cautions(&["changing the protocols of an operating system concerns every service on it"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Ports"]);

pub(crate) const SUITES_CHECK: Check = Check::automated("direct-connect.tls-suites")
    .title("The listeners take the cipher suites of Direct Connect")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(ALL_READ)
    .settings(ALL_SETTINGS)
    .guide(PORTS)
    .what("Offers each listener the eight suites of the guide together, then one at a time. The four that fit the kind of key in its certificate count: none accepted is critical, some refused is said. With `--quick` only what was chosen among all is known.")
    .why("Without a common suite no handshake comes to its end, and the error that clients see names no cause.")
    .limits(LIMITS)
    .related(&["direct-connect.tls-key", "direct-connect.tls-protocol"])
    .remedy(&SUITES_REMEDY)
    .judge(suites);

const SUITES_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever hardens the servers and runs firewalls and load balancers", "look for a cipher policy on the way to {subject} that took suites away"),
    Step::decision("no suite is left", "allow at least one of ECDHE-RSA-AES256-GCM-SHA384 and ECDHE-RSA-AES128-GCM-SHA256"),
    Step::command("openssl s_client -connect {subject} -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384 </dev/null", "shows whether this one is taken; an alert after the certificates is not about the suite: the listener wants a client certificate"),
])
.cautions(&["a cipher policy of the operating system concerns every service on it"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Ports"]);

pub(crate) const KEY: Check = Check::automated("direct-connect.tls-key")
    .title("The server certificates have RSA keys of 2048 bits")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(ALL_READ)
    .settings(ALL_SETTINGS)
    .guide(KEY_GUIDE)
    .what("Looks at the public key of each listener's certificate: an RSA key below 2048 bits is high; a key that is not RSA is low, because the guide names RSA 2048 and lists suites for other keys, too.")
    .why("A short key can be broken, and some policies refuse it without saying so.")
    .limits(LIMITS)
    .related(&["direct-connect.tls-suites", "direct-connect.cert-server-expiry"])
    .remedy(&KEY_REMEDY)
    .judge(key);

const KEY_REMEDY: Remedy = Remedy::new(&[
    Step::console("Main menu > Direct Connect > Home > Settings > Certificates", "where {subject} is the Module Server: Server Certificate > Renew, Save, your own password, OK"),
    Step::decision("{subject} is a Zone Server", "run the zone proxy's installer again, then delete its entry under Zone Proxies and add it again with the new payload"),
])
.cautions(&["renew in a quiet window: endpoints have to trust the new certificate before they connect again", "external endpoints behind a zone proxy cannot be reached between deleting its entry and adding it again"])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Direct Connect User Guide: Configure certificates"]);

pub(crate) const MUTUAL: Check = Check::automated("direct-connect.tls-mutual-auth")
    .title("The listeners ask for a client certificate")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(ALL_READ)
    .settings(ALL_SETTINGS)
    .guide(CERTIFICATES)
    .what("Looks for the request for a client certificate in the first flight of each listener.")
    .why("Both sides of a direct connection prove who they are. A listener that does not ask is not Direct Connect, or something in front of it ends the encryption.")
    .limits(LIMITS)
    .related(&["direct-connect.tls-interception", "direct-connect.cert-client-expiry"])
    .remedy(&MUTUAL_REMEDY)
    .judge(mutual);

const MUTUAL_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "ss -ltnp (Linux), netstat -abno (Windows)",
        "on the server: which program listens on the port of {subject}",
    ),
    Step::consult("whoever runs firewalls and load balancers", "pass {subject} through without ending TLS"),
    Step::console(
        "Main menu > Direct Connect > Home > Settings > Certificates",
        "where Client Certificate shows no date, install one: Save, your own password, OK",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure certificates"]);

pub(crate) const NAME: Check = Check::automated("direct-connect.tls-name")
    .title("The server certificate is for the configured name")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .reads(&[&MODULE])
    .settings(MODULE_SETTINGS)
    .guide(NAME_GUIDE)
    .what("Compares `endpoint_fqdn` with the names and addresses in the Module Server's certificate; with its common name where it holds no others.")
    .why("It need not match: both sides authenticate each other, so that addresses and self-signed certificates are supported. It is a clue where something else is wrong.")
    .limits("That a certificate is self-signed is never judged.")
    .related(&["direct-connect.tls-interception"])
    .remedy(&NAME_REMEDY)
    .judge(name);

const NAME_REMEDY: Remedy = Remedy::new(&[
    Step::decision("sessions open", "nothing has to be done: names are not compared by the clients"),
    Step::decision(
        "sessions fail, too",
        "find out whose certificate {subject} presents: another service, or a device that inspects TLS",
    ),
])
.who(WHO)
.risk(Risk::None, Reversible::Yes)
.references(&["Direct Connect User Guide: Direct Connect overview"]);

pub(crate) const INTERCEPTION: Check = Check::automated("direct-connect.tls-interception")
    .title("Nobody stands between endpoints and the listeners")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(ALL_READ)
    .settings(INTERCEPTION_SETTINGS)
    .guide(CERTIFICATES)
    .beyond()
    .what("Compares the certificate that each listener shows to different places, and its issuer with `inspection_issuers`. The Module Server's listener has to be seen from two places at least.")
    .why("A device that inspects TLS replaces certificates: pinning and the authentication of both sides then fail, for one network only.")
    .limits("Certificates that were renewed between two probes differ, too: compare their dates.")
    .related(&["direct-connect.zone-proxy-pin", "direct-connect.tls-name"])
    .remedy(&INTERCEPTION_REMEDY)
    .judge(interception);

const INTERCEPTION_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever runs proxies and firewalls", "exempt the four ports of Direct Connect from TLS inspection: 17475, 17486, 17487, 17488"),
    Step::command("tancheck run --check direct-connect.tls-interception --vantage module-server -o json=probe.json", "on the Module Server: what it shows there is its own certificate; merge the file with --merge-evidence probe.json"),
    Step::decision("the certificate was renewed between two probes", "probe again from both places"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Direct Connect overview"]);

const ALL_READ: &[&Input] = &[&MODULE, &ZONE_ENDPOINT, &ZONE_MODULE, &ZONE_SECOND];
const INTERCEPTION_SETTINGS: &[&Setting] = &[
    &super::ENDPOINT_FQDN,
    &super::ENDPOINT_PORT,
    &super::ZONE_ENDPOINT_HOSTS,
    &super::ZONE_MODULE_HOSTS,
    &EVIDENCE_DAYS,
    &INSPECTION_ISSUERS,
];

fn protocol(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    protocol_of(facts, report, ALL)
}

/// Whether the listeners of these inputs speak TLS 1.2.
pub(crate) fn protocol_of(
    facts: &Facts<'_>,
    report: &mut Report,
    inputs: &[&'static Input],
) -> Result<(), Undecided> {
    /// `protocol_version`.
    const NO_COMMON_VERSION: u8 = 70;
    let is_wrong = |view: &Probe| {
        matches!(view.trouble, Some(Trouble::WrongVersion | Trouble::NotTls))
            || view.alert == Some(NO_COMMON_VERSION)
    };
    // A server that refuses suites has understood the version.
    let is_right = |view: &Probe| {
        view.is_complete()
            || matches!(view.trouble, Some(Trouble::WrongSuite))
            || view.alert.is_some_and(|alert| alert != NO_COMMON_VERSION)
    };
    let mut unknown = Open::of(&PROTOCOL);
    for listener in listeners(facts, report, inputs)? {
        let wrong: Vec<&Probe> = decided_by(&listener).filter(|view| is_wrong(view)).collect();
        if !wrong.is_empty() {
            report.finding(
                listener
                    .finding()
                    .says(format!("does not speak TLS 1.2 {}", Listener::told(wrong.into_iter())))
                    .expected("TLS 1.2")
                    .evidence(listener.evidence(facts)),
            );
        } else if !listener.views.iter().any(is_right) {
            unknown.unseen(&listener);
        }
    }
    unknown.settle()
}

fn suites(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    suites_of(facts, report, ALL)
}

/// Whether the listeners of these inputs take a suite.
pub(crate) fn suites_of(
    facts: &Facts<'_>,
    report: &mut Report,
    inputs: &[&'static Input],
) -> Result<(), Undecided> {
    /// `handshake_failure` and `insufficient_security`.
    const NO_COMMON_SUITE: [u8; 2] = [40, 71];
    let refuses_all = |view: &Probe| {
        view.suite.is_empty() && view.alert.is_some_and(|alert| NO_COMMON_SUITE.contains(&alert))
    };
    let mut unknown = Open::of(&SUITES_CHECK);
    for listener in listeners(facts, report, inputs)? {
        let none: Vec<&Probe> = decided_by(&listener).filter(|view| refuses_all(view)).collect();
        let odd = listener.views.iter().find(|view| view.trouble == Some(Trouble::WrongSuite));
        if let Some(view) = odd {
            report.finding(
                listener
                    .finding()
                    .severity(Severity::High)
                    .says(view.says.clone())
                    .expected("one of those that were offered")
                    .evidence(listener.evidence(facts)),
            );
        } else if !none.is_empty() {
            report.finding(
                listener
                    .finding()
                    .says(format!("takes none of the eight suites {}", Listener::told(none.into_iter())))
                    .expected("at least one ECDHE-RSA suite with AES-GCM")
                    .evidence(listener.evidence(facts)),
            );
        } else if let Some(view) = listener.flights().max_by_key(|view| view.suites.len()) {
            one_by_one(facts, report, &listener, view);
        } else {
            unknown.unseen(&listener);
        }
    }
    unknown.settle()
}

/// What a listener said to each suite alone.
fn one_by_one(facts: &Facts<'_>, report: &mut Report, listener: &Listener, view: &Probe) {
    if view.suites.is_empty() {
        report.note(format!(
            "{} took {}; the others were not asked one by one (--quick)",
            listener.name, view.suite
        ));
        return;
    }
    let kind = if view.leaf().is_some_and(|leaf| leaf.key == "EC") { "-ECDSA-" } else { "-RSA-" };
    let refused = |result: SuiteResult| matches!(result, SuiteResult::Refused | SuiteResult::RefusedByClose);
    let fitting = || view.suites.iter().filter(|suite| suite.name.contains(kind));
    let missing: Vec<&str> =
        fitting().filter(|suite| refused(suite.result)).map(|suite| suite.name.as_str()).collect();
    let unclear: Vec<&str> = fitting()
        .filter(|suite| suite.result == SuiteResult::Error)
        .map(|suite| suite.name.as_str())
        .collect();
    if !unclear.is_empty() {
        report.note(format!("what {} says to {} is not clear", listener.name, unclear.join(", ")));
    }
    if !missing.is_empty() {
        report.finding(
            listener
                .finding()
                .severity(Severity::Info)
                .says(format!(
                    "refuses {} of the {} suites for its key: {}",
                    missing.len(),
                    fitting().count(),
                    missing.join(", ")
                ))
                .expected(format!(
                    "all {} of them",
                    SUITES.iter().filter(|(name, _)| name.contains(kind)).count()
                ))
                .evidence(facts.seen(listener.input, &view.suites)),
        );
    }
}

fn key(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    const GUIDE_BITS: u32 = 2048;
    each_leaf(facts, report, ALL, &KEY, |report, listener, leaf| {
        let found = match (leaf.key.as_str(), leaf.key_bits) {
            ("RSA", Some(bits)) if bits < GUIDE_BITS => {
                Some((Severity::High, format!("has an RSA key of {bits} bits")))
            }
            ("RSA", Some(bits)) => {
                if bits > GUIDE_BITS {
                    report.note(format!(
                        "{} has an RSA key of {bits} bits, longer than the guide's",
                        listener.name
                    ));
                }
                None
            }
            ("RSA", None) => return Some("the length of its key cannot be read".to_owned()),
            (other, _) => Some((Severity::Low, format!("has a key of another kind: {other}"))),
        };
        if let Some((severity, says)) = found {
            report.finding(
                listener
                    .finding()
                    .severity(severity)
                    .says(says)
                    .expected("an RSA key of 2048 bits")
                    .evidence(facts.seen(listener.input, leaf)),
            );
        }
        None
    })
}

fn mutual(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Open::of(&MUTUAL);
    for listener in listeners(facts, report, ALL)? {
        let silent: Vec<&Probe> =
            listener.flights().filter(|view| view.client_certificate == Some(false)).collect();
        if !silent.is_empty() {
            report.finding(
                listener
                    .finding()
                    .says(format!(
                        "does not ask for a client certificate {}",
                        Listener::told(silent.into_iter())
                    ))
                    .expected("a request for a client certificate")
                    .evidence(listener.evidence(facts)),
            );
        } else if listener.flights().next().is_none() {
            unknown.unseen(&listener);
        }
    }
    unknown.settle()
}

fn name(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    each_leaf(facts, report, &[&MODULE], &NAME, |report, listener, leaf| {
        let host = listener.views.first().map(|view| view.host.clone()).unwrap_or_default();
        let own = [leaf.common_name.clone()];
        let names: &[String] = if leaf.names.is_empty() { &own } else { &leaf.names };
        if !names.iter().any(|name| is_for(name, &host)) {
            report.finding(
                listener
                    .finding()
                    .says(format!("presents a certificate for {}", names.join(", ")))
                    .expected(host)
                    .evidence(facts.seen(listener.input, leaf)),
            );
        }
        None
    })
}

/// Whether a name of a certificate covers a host; a star stands for one label.
fn is_for(name: &str, host: &str) -> bool {
    if let (Ok(name), Ok(host)) = (name.parse::<IpAddr>(), host.parse::<IpAddr>()) {
        return name == host;
    }
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let under = name.strip_prefix("*.").zip(host.split_once('.'));
    under.is_some_and(|(name, (_, host))| name.eq_ignore_ascii_case(host))
}

fn interception(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let issuers = facts.list(&INSPECTION_ISSUERS);
    let mut unknown = Open::of(&INTERCEPTION);
    for listener in listeners(facts, report, ALL)? {
        let inspecting = |leaf: &Certificate| {
            let name = leaf.issuer.to_lowercase();
            issuers.iter().any(|issuer| name.contains(&issuer.to_lowercase()))
        };
        let inspected: Vec<&Probe> =
            listener.flights().filter(|view| view.leaf().is_some_and(inspecting)).collect();
        let leaves: BTreeSet<&str> =
            listener.flights().filter_map(Probe::leaf).map(|leaf| leaf.sha256.as_str()).collect();
        let places: BTreeSet<&str> = listener.flights().map(|view| view.vantage.name()).collect();
        let said = if let Some(view) = inspected.first() {
            let issuer = view.leaf().map(|leaf| leaf.issuer.clone()).unwrap_or_default();
            Some(format!("shows {} a certificate of the inspecting authority {issuer}", view.vantage.place()))
        } else if leaves.len() > 1 {
            Some(format!("shows {} different certificates: {}", leaves.len(), shown(&listener)))
        } else {
            None
        };
        if let Some(says) = said {
            report.finding(
                listener
                    .finding()
                    .says(says)
                    .expected("the same certificate everywhere, and that of Direct Connect")
                    .evidence(listener.evidence(facts)),
            );
        } else if places.len() < 2 && listener.serves == Serves::Internal {
            let told = Listener::told(listener.flights());
            let other = if places.contains(Vantage::ModuleServer.name()) {
                Vantage::EndpointInternal
            } else {
                Vantage::ModuleServer
            };
            match places.is_empty() {
                false => {
                    unknown
                        .elsewhere(format!("{} was seen from one place only, {told}", listener.name), other);
                }
                true => unknown.unseen(&listener),
            }
        }
    }
    unknown.settle()
}

/// Which place saw which certificate.
fn shown(listener: &Listener) -> String {
    let one = |view: &Probe| {
        let leaf = view.leaf()?;
        Some(format!("{} to {}", leaf.sha256.get(..16).unwrap_or_default(), view.vantage.place()))
    };
    listener.flights().filter_map(one).collect::<Vec<_>>().join(", ")
}

/// Judges the certificate of each listener once for each that was seen; what the judge returns, or what could not be
/// seen, makes it undecided.
pub(crate) fn each_leaf(
    facts: &Facts<'_>,
    report: &mut Report,
    inputs: &[&'static Input],
    check: &Check,
    judge: impl Fn(&mut Report, &Listener, &Certificate) -> Option<String>,
) -> Result<(), Undecided> {
    let mut unknown = Open::of(check);
    for listener in listeners(facts, report, inputs)? {
        if listener.flights().next().is_none() {
            unknown.unseen(&listener);
        }
        let mut seen = BTreeSet::new();
        for leaf in listener.flights().filter_map(Probe::leaf) {
            if !seen.insert(&leaf.sha256) {
                continue;
            }
            if !leaf.unreadable.is_empty() {
                unknown.push(format!(
                    "the certificate of {} cannot be read: {}",
                    listener.name, leaf.unreadable
                ));
            } else if let Some(why) = judge(report, &listener, leaf) {
                unknown.push(format!("{}: {why}", listener.name));
            }
        }
    }
    unknown.settle()
}

/// The views whose failure counts.
fn decided_by(listener: &Listener) -> impl Iterator<Item = &Probe> {
    listener.from(Weight::Decisive).chain(listener.from(Weight::Listener))
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
