//! The two certificates of Direct Connect, and the pinned one of its zone proxies.

use super::{
    ENDPOINT_FQDN, EVIDENCE_DAYS, Listener, MODULE, MODULE_SETTINGS, Open, WHO, ZONE_ENDPOINT,
    ZONE_ENDPOINT_HOSTS, ZONE_MODULE, ZONE_MODULE_HOSTS, ZONE_SECOND, listeners, tls::each_leaf,
    zone_listeners,
};
use crate::user_guide;
use std::collections::BTreeSet;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::jiff::{civil::Date, tz::TimeZone};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::probe::Probe;

const GUIDE: &[GuideReference] = &[user_guide("Configure certificates", 19)];
const ZONE_GUIDE: &[GuideReference] = &[user_guide("Configure Zone Proxies", 19)];
const PAGE: &str = "Main menu > Direct Connect > Home > Settings > Certificates (newer Console: Administration > Shared Services > Direct Connect)";

pub(crate) const HIGH_DAYS: Setting = Setting::integer("certificate_high_days", 14, 1, 3660)
    .unit("days")
    .about("a certificate that expires within so many days is high");
pub(crate) const MEDIUM_DAYS: Setting = Setting::integer("certificate_medium_days", 30, 1, 3660)
    .unit("days")
    .about("a certificate that expires within so many days is medium");
pub(crate) const LOW_DAYS: Setting = Setting::integer("certificate_low_days", 90, 1, 3660)
    .unit("days")
    .about("a certificate that expires within so many days is low");
const PINS: Setting = Setting::list("zone_proxy_certificates", &[]).about(
    "SHA-256 fingerprints of the certificates in the zone proxies' provision payloads, with or without colons",
);

const SERVER_SETTINGS: &[&Setting] =
    &[&ENDPOINT_FQDN, &super::ENDPOINT_PORT, &EVIDENCE_DAYS, &HIGH_DAYS, &MEDIUM_DAYS, &LOW_DAYS];
const CLIENT_SETTINGS: &[&Setting] = &[&HIGH_DAYS, &MEDIUM_DAYS, &LOW_DAYS];

/// What the page says of the server certificate.
pub(crate) const SERVER_DATE: Input = Input::new(
    "direct-connect.server-certificate",
    "expiration date of the server certificate, as the Console shows it",
)
.sources(&[Source::answer(
    "which expiration date does Direct Connect > Settings > Certificates > Server Certificate show",
    Accepts::Date,
    180,
)]);

/// What the page says of the client certificate: no handshake shows it.
pub(crate) const CLIENT_DATE: Input = Input::new("direct-connect.client-certificate", "expiration date of the client certificate, as the Console shows it")
    .sources(&[Source::answer("which expiration date (2027-06-30) does Direct Connect > Settings > Certificates > Client Certificate show; none, where none is installed", Accepts::Text, 180)]);

pub(crate) const SERVER_PRESENT: Check = Check::automated("direct-connect.cert-server-present")
    .title("The Module Server's listener presents a certificate")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&MODULE])
    .settings(MODULE_SETTINGS)
    .guide(GUIDE)
    .what("Looks at the certificate in the first flight of the listener: it has to be there, and to be one.")
    .why("Endpoints authenticate the server by it; without it no session begins.")
    .limits("Who signed it is not judged: the guide allows self-signed certificates.")
    .related(&["direct-connect.cert-server-expiry", "direct-connect.port-module-17475"])
    .remedy(&RENEW_SERVER)
    .judge(server_present);

pub(crate) const SERVER_EXPIRY: Check = Check::automated("direct-connect.cert-server-expiry")
    .title("The server certificate is good for the time to come")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Critical)
    .reads(&[&MODULE, &SERVER_DATE])
    .settings(SERVER_SETTINGS)
    .guide(GUIDE)
    .what("Reads the dates of the certificate that the listener presents: expired or not valid yet is critical, then by days: `certificate_high_days`, `certificate_medium_days`, `certificate_low_days`. Where somebody answered which date the Console shows, another date is high.")
    .why("From the day on which it expires every endpoint refuses the server.")
    .limits("A wrong clock on this machine looks like a wrong certificate.")
    .related(&["direct-connect.cert-client-expiry"])
    .remedy(&RENEW_SERVER)
    .judge(server_expiry);

const RENEW_SERVER: Remedy = Remedy::new(&[
    Step::decision("the date looks wrong", "compare the clocks of this machine and of the Module Server first"),
    Step::console(PAGE, "Server Certificate > Renew (the first time: Install a new certificate is selected and cannot be changed), Save, your own password, OK"),
    Step::command("tancheck run --check direct-connect.cert-server-expiry", "the serial number has to be another one; where it is not, the listener still has the old certificate, or something stands in between"),
    Step::console("Main menu > Direct Connect > Home > Connection Test", "test one endpoint of each operating system, and one behind each zone proxy"),
])
.cautions(&["do it in a quiet window: endpoints have to get the new configuration before they connect again", "locked and offline endpoints keep the old configuration until they receive it"])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Direct Connect User Guide: Configure certificates"]);

pub(crate) const CLIENT_PRESENT: Check = Check::automated("direct-connect.cert-client-present")
    .title("A client certificate is installed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&CLIENT_DATE])
    .guide(GUIDE)
    .what("Takes the answer to what the Console shows under Client Certificate: `none` is a finding.")
    .why("Endpoints prove by it that they may connect; without it each of them is refused.")
    .limits("A handshake does not show it: somebody has to read it off.")
    .related(&["direct-connect.tls-mutual-auth", "direct-connect.cert-client-expiry"])
    .remedy(&RENEW_CLIENT)
    .judge(client_present);

pub(crate) const CLIENT_EXPIRY: Check = Check::automated("direct-connect.cert-client-expiry")
    .title("The client certificate is good for the time to come")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Critical)
    .reads(&[&CLIENT_DATE])
    .settings(CLIENT_SETTINGS)
    .guide(GUIDE)
    .what("Takes the answer to which date the Console shows under Client Certificate; the days are those of the server certificate.")
    .why("From the day on which it expires the server refuses every endpoint.")
    .limits("A handshake does not show it: somebody has to read it off.")
    .related(&["direct-connect.cert-server-expiry"])
    .remedy(&RENEW_CLIENT)
    .judge(client_expiry);

const RENEW_CLIENT: Remedy = Remedy::new(&[
    Step::console("Administration > Actions > Scheduled Actions", "see that Deploy Direct Connect - Configure Extension runs without failures: it brings the new certificate to the endpoints"),
    Step::question("Get Computer Name and Action Lock Status from all machines", "note locked endpoints: they may keep the old certificate"),
    Step::console(PAGE, "Client Certificate > Renew, Save, your own password, OK"),
    Step::console("Main menu > Direct Connect > Home > Connection Test", "test one endpoint of each operating system, and one behind each zone proxy; note the new date: tancheck answer direct-connect.client-certificate"),
])
.cautions(&["renew early: endpoints that are offline, outside of the action group or locked keep the old certificate until they receive the new one", "do it in a quiet window"])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Direct Connect User Guide: Configure certificates"]);

pub(crate) const ZONE_PIN: Check = Check::automated("direct-connect.zone-proxy-pin")
    .title("The zone proxies present the certificates that were provisioned")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ZONE_ENDPOINT, &ZONE_MODULE, &ZONE_SECOND])
    .settings(&[&ZONE_ENDPOINT_HOSTS, &ZONE_MODULE_HOSTS, &PINS, &EVIDENCE_DAYS])
    .learns(&[&PINS])
    .guide(ZONE_GUIDE)
    .what("Looks for each fingerprint of `zone_proxy_certificates` among the certificates that the zone proxies present on any of their ports: the guide does not say which one presents it.")
    .why("The certificate is pinned: with another one the Module Server does not trust the zone proxy, and no external endpoint can be reached.")
    .limits("`openssl x509 -noout -fingerprint -sha256` shows the fingerprint of the certificate in PROVISION.txt. The secret beside it is needed for nothing here.")
    .applies("Zone proxies are used.")
    .related(&["direct-connect.port-zone-module-17487", "direct-connect.tls-interception"])
    .remedy(&PIN_REMEDY)
    .judge(zone_pin);

const PIN_REMEDY: Remedy = Remedy::new(&[
    Step::decision("the zone proxy was installed again", "the payload is an old one: take the present settings/PROVISION.txt on the Zone Server, delete the entry under Zone Proxies and add it again with it"),
    Step::decision("nobody installed it again", "something between replaces the certificate: exempt 17486, 17487 and 17488 from TLS inspection"),
    Step::console("Main menu > Direct Connect > Zone Proxies", "wait for the status Connected, then test an external endpoint; set `zone_proxy_certificates` to the new fingerprint"),
])
.cautions(&["the provision payload is a secret: it belongs into no ticket and no mail", "external endpoints behind a zone proxy cannot be reached between deleting its entry and adding it again"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Zone Proxies"]);

pub(crate) fn server_present(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Open::of(&SERVER_PRESENT);
    for listener in listeners(facts, report, &[&MODULE])? {
        if listener.flights().next().is_none() {
            unknown.unseen(&listener);
        }
        let trouble = listener.flights().find_map(|view| match view.leaf() {
            None => Some("presents no certificate".to_owned()),
            Some(leaf) if leaf.unreadable.is_empty() => None,
            Some(leaf) => Some(format!("presents something that is no certificate: {}", leaf.unreadable)),
        });
        if let Some(says) = trouble {
            report.finding(
                listener
                    .finding()
                    .says(says)
                    .expected("a server certificate")
                    .evidence(listener.evidence(facts)),
            );
        }
    }
    unknown.settle()
}

pub(crate) fn server_expiry(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let terms = Terms::of(facts)?;
    // Nobody has to answer it; where somebody did, it has to be the same date.
    let console =
        facts.answer(&SERVER_DATE).ok().and_then(|answer| answer.value.as_str()?.parse::<Date>().ok());
    each_leaf(facts, report, &[&MODULE], &SERVER_EXPIRY, |report, listener, leaf| {
        let (Some(from), Some(until)) = (leaf.not_before, leaf.not_after) else {
            return Some("its certificate tells no dates".to_owned());
        };
        let finding = || listener.finding().evidence(facts.seen(listener.input, leaf));
        if facts.now() < from {
            report.finding(
                finding()
                    .says(format!("its certificate is not valid before {}", day(from)))
                    .expected("a certificate that is valid"),
            );
        } else if let Some((severity, says)) = terms.judge(facts.now(), until) {
            report.finding(
                finding()
                    .severity(severity)
                    .says(format!("its certificate {says}"))
                    .expected(terms.expected()),
            );
        }
        let own = day(until);
        let differs = console.is_some_and(|shown| {
            own.since(shown).map_or(true, |span| {
                span.get_days().abs() > 1 || span.get_months() != 0 || span.get_years() != 0
            })
        });
        if differs && let Some(shown) = console {
            report.finding(
                Finding::on(Subject::new(
                    "certificate",
                    format!("{} console", listener.name),
                    &listener.name,
                ))
                .severity(Severity::High)
                .says(format!("presents a certificate until {own}, and the Console shows {shown}"))
                .expected("the certificate that the Console shows")
                .evidence(facts.seen(&SERVER_DATE, shown.to_string())),
            );
        }
        None
    })
}

pub(crate) fn client_present(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if client_date(facts)?.is_none() {
        report.finding(
            client_certificate()
                .says("is not installed")
                .expected("a client certificate with a date")
                .evidence(facts.seen(&CLIENT_DATE, "none")),
        );
    }
    Ok(())
}

pub(crate) fn client_expiry(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Some(until) = client_date(facts)? else {
        return Err(Undecided::not_evaluated(
            "no client certificate is installed: see direct-connect.cert-client-present",
        ));
    };
    let terms = Terms::of(facts)?;
    let end = until.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|error| {
        Undecided::not_evaluated(format!("the date {until} cannot be reckoned with: {error}"))
    })?;
    if let Some((severity, says)) = terms.judge(facts.now(), end) {
        report.finding(
            client_certificate()
                .severity(severity)
                .says(says)
                .expected(terms.expected())
                .evidence(facts.seen(&CLIENT_DATE, until.to_string())),
        );
    }
    Ok(())
}

fn client_certificate() -> Finding {
    Finding::on(Subject::new("certificate", "client", "the client certificate of Direct Connect"))
}

/// The date that somebody read off; nothing where none is installed.
fn client_date(facts: &Facts<'_>) -> Result<Option<Date>, Undecided> {
    let answer = facts.answer(&CLIENT_DATE)?;
    let text = answer.value.as_str().unwrap_or_default().trim();
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        Undecided::not_evaluated(format!(
            "{text:?} is no date: answer again with a date such as 2027-06-30, or none (tancheck answer {})",
            CLIENT_DATE.id()
        ))
    })
}

/// How long a certificate has to be good for.
struct Terms {
    steps: [(i64, Severity); 3],
}

impl Terms {
    fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        Ok(Self {
            steps: [
                (facts.integer(&HIGH_DAYS)?, Severity::High),
                (facts.integer(&MEDIUM_DAYS)?, Severity::Medium),
                (facts.integer(&LOW_DAYS)?, Severity::Low),
            ],
        })
    }

    fn judge(&self, now: Timestamp, until: Timestamp) -> Option<(Severity, String)> {
        let left = until.duration_since(now).as_hours().div_euclid(24);
        if until <= now {
            return Some((Severity::Critical, format!("expired on {}", day(until))));
        }
        let (_, severity) = self.steps.iter().find(|(days, _)| left <= *days)?;
        Some((
            *severity,
            format!("expires on {}, in {left} {}", day(until), if left == 1 { "day" } else { "days" }),
        ))
    }

    fn expected(&self) -> String {
        format!(
            "good for more than {} days",
            self.steps.iter().map(|(days, _)| *days).max().unwrap_or_default()
        )
    }
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// A fingerprint without colons.
fn plain(pin: &str) -> String {
    pin.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn zone_pin(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let listeners =
        zone_listeners(facts, report, &[&ZONE_ENDPOINT, &ZONE_MODULE, &ZONE_SECOND], &ZONE_MODULE_HOSTS)?;
    let pins = facts.list(&PINS);
    let shown: BTreeSet<&str> = listeners
        .iter()
        .flat_map(Listener::flights)
        .filter_map(Probe::leaf)
        .map(|leaf| leaf.sha256.as_str())
        .collect();
    let dark: Vec<&Listener> =
        listeners.iter().filter(|listener| listener.flights().next().is_none()).collect();
    if dark.is_empty() && !shown.is_empty() {
        let written =
            |print: &&str| pins.iter().find(|pin| plain(pin) == **print).unwrap_or(print).to_string();
        let seen =
            format!("what {} listeners of zone proxies present; compare with PROVISION.txt", listeners.len());
        report.propose(&PINS, shown.iter().map(written).collect::<Vec<String>>(), seen);
    }
    if pins.is_empty() {
        return Err(Undecided::not_evaluated(format!(
            "set `{}` under [modules.direct-connect] to the fingerprints of the provisioned certificates",
            PINS.key()
        )));
    }
    let mut unknown = Open::of(&ZONE_PIN);
    for pin in pins {
        let plain = plain(pin);
        let short = plain.get(..16).unwrap_or(&plain);
        if plain.len() != 64 || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            unknown.push(format!("{short}… in `{}` is no SHA-256 fingerprint", PINS.key()));
        } else if let Some(listener) = dark.first().filter(|_| !shown.contains(plain.as_str())) {
            unknown.push(format!("the certificate {short}… was not seen, but not every zone proxy was"));
            unknown.unseen(listener);
        } else if !shown.contains(plain.as_str()) {
            let evidence = listeners.iter().map(|listener| {
                (
                    listener.name.clone(),
                    listener
                        .flights()
                        .filter_map(Probe::leaf)
                        .map(|leaf| leaf.sha256.clone())
                        .collect::<Vec<_>>(),
                )
            });
            report.finding(
                Finding::on(Subject::new(
                    "certificate",
                    &plain,
                    format!("the provisioned certificate {short}…"),
                ))
                .says("is presented by no zone proxy")
                .expected("the same certificate on one of its ports")
                .evidence(facts.seen(&ZONE_MODULE, evidence.collect::<Vec<_>>())),
            );
        }
    }
    unknown.settle()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{refused, seen};
    use super::*;
    use tancheck_plugin_api::records::probe::Vantage::{Admin, EndpointInternal, ModuleServer};
    use tancheck_plugin_api::testing::Case;

    const LISTENER: &str = "dc.example.com:17475";

    fn until(time: &str) -> Probe {
        let mut probe = seen(17475, Admin);
        probe.certificates[0].not_after = Some(time.parse().unwrap());
        probe
    }

    fn expiry(probe: Probe) -> Case {
        Case::of(&SERVER_EXPIRY).probes(&MODULE, &[probe])
    }

    #[test]
    fn days_decide_the_severity() {
        for (time, severity) in [
            ("2026-06-30T11:59:59Z", Some(Severity::Critical)),
            ("2026-07-14T12:00:00Z", Some(Severity::High)),
            ("2026-07-15T12:00:00Z", Some(Severity::Medium)),
            ("2026-07-30T12:00:00Z", Some(Severity::Medium)),
            ("2026-09-28T12:00:00Z", Some(Severity::Low)),
            ("2026-09-29T12:00:00Z", None),
        ] {
            let found = expiry(until(time)).judge();
            assert_eq!(found.findings().first().and_then(|finding| finding.severity), severity, "{time}");
            assert_eq!(found.undecided(), None);
        }
        expiry(until("2027-06-30T00:00:00Z")).assert_needs_its_inputs();
        let mut early = seen(17475, Admin);
        early.certificates[0].not_before = Some("2026-07-01T00:00:00Z".parse().unwrap());
        let found = expiry(early).judge();
        found.assert_findings(&[LISTENER]);
        assert_eq!(found.findings()[0].severity, None, "critical");
        expiry(refused(17475, EndpointInternal)).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_console_has_to_show_the_same_date() {
        let answered = |date: &str| expiry(until("2027-06-30T23:00:00Z")).answer(&SERVER_DATE, date);
        answered("2027-06-30").judge().assert_pass();
        answered("2027-07-01").judge().assert_pass();
        for date in ["2027-07-30", "2028-06-30", "2026-01-01"] {
            answered(date).judge().assert_findings(&["dc.example.com:17475 console"]);
        }
    }

    #[test]
    fn a_certificate_has_to_be_one() {
        let present = |probe: Probe| Case::of(&SERVER_PRESENT).probes(&MODULE, &[probe]);
        present(seen(17475, Admin)).judge().assert_pass();
        present(seen(17475, Admin)).assert_needs_its_inputs();
        present(Probe { certificates: Vec::new(), ..seen(17475, Admin) })
            .judge()
            .assert_findings(&[LISTENER]);
        let mut nonsense = seen(17475, Admin);
        nonsense.certificates[0].unreadable = "it ends early".to_owned();
        present(nonsense.clone()).judge().assert_findings(&[LISTENER]);
        expiry(nonsense).judge().assert_undecided(Outcome::NotEvaluated);
        present(refused(17475, Admin)).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_client_certificate_is_read_off() {
        let said = |check: &'static Check, text: &str| Case::of(check).answer(&CLIENT_DATE, text);
        said(&CLIENT_PRESENT, "2027-06-30").judge().assert_pass();
        said(&CLIENT_PRESENT, "2027-06-30").assert_needs_its_inputs();
        said(&CLIENT_PRESENT, "None").judge().assert_findings(&["client"]);
        said(&CLIENT_PRESENT, "soon").judge().assert_undecided(Outcome::NotEvaluated);
        said(&CLIENT_EXPIRY, "2027-06-30").judge().assert_pass();
        said(&CLIENT_EXPIRY, "2027-06-30").assert_needs_its_inputs();
        said(&CLIENT_EXPIRY, "none").judge().assert_undecided(Outcome::NotEvaluated);
        let soon = said(&CLIENT_EXPIRY, "2026-07-20").judge();
        soon.assert_findings(&["client"]);
        assert_eq!(soon.findings()[0].severity, Some(Severity::Medium));
        assert_eq!(
            said(&CLIENT_EXPIRY, "2026-06-30").judge().findings()[0].severity,
            Some(Severity::Critical)
        );
    }

    #[test]
    fn pins_are_looked_for_on_all_ports() {
        let case = |module: Probe, second: Probe| {
            Case::of(&ZONE_PIN)
                .probes(&ZONE_ENDPOINT, &[])
                .probes(&ZONE_MODULE, &[module])
                .probes(&ZONE_SECOND, &[second])
        };
        let pin = "5e".repeat(32);
        let colons = vec!["5E"; 32].join(":");
        let other = |mut probe: Probe| {
            probe.certificates[0].sha256 = "ab".repeat(32);
            probe
        };
        let (first, second) = (seen(17487, ModuleServer), seen(17488, ModuleServer));
        let open = case(first.clone(), other(second.clone()));
        let both = tancheck_plugin_api::serde_json::json!([pin, "ab".repeat(32)]);
        assert_eq!(open.judge().proposal("zone_proxy_certificates"), Some(&both));
        let kept = open.setting("zone_proxy_certificates", vec![colons.as_str()]).judge();
        assert_eq!(kept.proposal("zone_proxy_certificates").unwrap()[0], colons);
        let half = case(first.clone(), refused(17488, ModuleServer)).judge();
        assert_eq!(half.proposals(), [], "a listener that was not seen may present another one");
        for written in [pin.as_str(), &colons] {
            let pinned = |case: Case| case.setting("zone_proxy_certificates", vec![written]);
            pinned(case(first.clone(), second.clone())).judge().assert_pass();
            pinned(case(first.clone(), second.clone())).assert_needs_its_inputs();
            pinned(case(other(first.clone()), second.clone())).judge().assert_pass();
            pinned(case(other(first.clone()), other(second.clone()))).judge().assert_findings(&[&pin]);
            let dark = refused(17488, ModuleServer);
            pinned(case(other(first.clone()), dark)).judge().assert_undecided(Outcome::NotEvaluated);
        }
        let unset = case(first.clone(), second.clone()).judge();
        unset.assert_undecided(Outcome::NotEvaluated);
        assert!(unset.undecided().unwrap().reason.contains("`zone_proxy_certificates`"));
        let bad = case(first, second).setting("zone_proxy_certificates", vec!["abc"]);
        bad.judge().assert_undecided(Outcome::NotEvaluated);
        let none = Case::of(&ZONE_PIN)
            .probes(&ZONE_ENDPOINT, &[])
            .probes(&ZONE_MODULE, &[])
            .probes(&ZONE_SECOND, &[]);
        none.judge().assert_undecided(Outcome::NotApplicable);
    }
}
