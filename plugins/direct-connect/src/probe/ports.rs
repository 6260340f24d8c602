//! The four ports: whether they can be reached from where the real connections come, and from nowhere else.

use super::{
    ENDPOINT_FQDN, EVIDENCE_DAYS, Listener, MODULE, MODULE_SETTINGS, Open, Reach, Serves, WHO, Weight,
    ZONE_ENDPOINT, ZONE_ENDPOINT_HOSTS, ZONE_MODULE, ZONE_MODULE_HOSTS, ZONE_SECOND, listeners, reach,
    stops_everybody, zone_listeners,
};
use crate::user_guide;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::probe::{Probe, Stage, Vantage};

const PORTS: &[GuideReference] = &[user_guide("Ports", 10)];
const MODULE_GUIDE: &[GuideReference] = &[PORTS[0], user_guide("Configure Endpoint Connection settings", 18)];
const ZONE_GUIDE: &[GuideReference] = &[PORTS[0], user_guide("Configure Zone Proxies", 19)];
const LIMITS: &str = "A probe shows what is true from where it comes: `--vantage` says where that is, and a failure from a place where no real connection comes from decides nothing. It does not show whether a client with the right certificate would be admitted.";

pub(crate) const MODULE_PORT: Check = Check::automated("direct-connect.port-module-17475")
    .title("Internal endpoints reach the listener on the Module Server")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Critical)
    .reads(&[&MODULE])
    .settings(MODULE_SETTINGS)
    .guide(MODULE_GUIDE)
    .what("Probes `endpoint_fqdn` on `endpoint_port` (17475): name, connection, and whether TLS answers. A failure counts from an internal endpoint, and on the Module Server itself where the listener refuses; the name must resolve and the port be open from every place that counts.")
    .why("Every session of every module to an internal endpoint goes through this port.")
    .limits(LIMITS)
    .related(&["direct-connect.endpoint-fqdn-resolves", "direct-connect.tls-protocol", "direct-connect.port-exposure"])
    .remedy(&MODULE_REMEDY)
    .caused_by(&[Cause::check("direct-connect.service-running")])
    .judge(module_port);

pub(crate) fn module_port(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let listeners = listeners(facts, report, &[&MODULE])?;
    port(facts, report, &MODULE_PORT, &listeners)
}

const MODULE_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Main menu > Direct Connect > Home > Settings > Endpoint Connection (newer Console: Administration > Shared Services > Direct Connect)",
        "compare Fully Qualified Domain Name and Port with {subject}",
    ),
    Step::decision("the connection is refused on the Module Server itself", "see that the service of Direct Connect runs there, and that nothing else took the port; generate a support package before you start it again"),
    Step::consult("whoever runs the firewalls", "open TCP inbound to {subject} on the Module Server from all internal client networks: the host's firewall and every one in between"),
    Step::decision("the port was changed", "let the firewalls follow, and wait until the scheduled action Deploy Direct Connect - Configure Extension has brought it to the endpoints"),
    Step::command("openssl s_client -connect {subject} -tls1_2 </dev/null", "on an endpoint that fails; on Windows: Test-NetConnection <name> -Port <port>"),
])
.cautions(&["open sessions of all modules end when the service is started again", "a new name or port has to reach the endpoints before they use it: until then they try the old one"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Ports"]);

pub(crate) const ZONE_ENDPOINT_PORT: Check = Check::automated("direct-connect.port-zone-endpoint-17486")
    .title("External endpoints reach the zone proxies")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ZONE_ENDPOINT])
    .settings(&[&ZONE_ENDPOINT_HOSTS, &EVIDENCE_DAYS])
    .guide(ZONE_GUIDE)
    .what("Probes each of `zone_proxy_endpoint_hosts` (17486, unless it names another port). A failure counts from an external endpoint, and on the Zone Server itself where the listener refuses.")
    .why("Endpoints outside of the network have no other way: whoever does not reach this port cannot be connected to.")
    .limits(LIMITS)
    .applies("Zone proxies are used.")
    .related(&["direct-connect.port-zone-module-17487", "direct-connect.zone-proxy-pin"])
    .remedy(&ZONE_ENDPOINT_REMEDY)
    .judge(|facts, report| {
        let listeners = zone_listeners(facts, report, &[&ZONE_ENDPOINT], &ZONE_ENDPOINT_HOSTS)?;
        port(facts, report, &ZONE_ENDPOINT_PORT, &listeners)
    });

const ZONE_ENDPOINT_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever runs the firewalls", "open TCP from the Internet and all external client networks to {subject}; on a load balancer in front of the Zone Server, too"),
    Step::command("nslookup <host of {subject}> from outside", "the name has to be in public DNS and lead to the Zone Server's external address"),
    Step::console("Main menu > Direct Connect > Zone Proxies", "Endpoint Connection > Bind IP Address is an address of that server, or 0.0.0.0; the status is Connected"),
    Step::decision("a value there is wrong", "entries cannot be edited: note all values, take the present provision payload, delete the entry and add it again"),
])
.cautions(&["external endpoints behind a zone proxy cannot be reached between deleting its entry and adding it again", "the provision payload is a secret: it belongs into no ticket and no mail"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Zone Proxies"]);

pub(crate) const ZONE_MODULE_PORT: Check = Check::automated("direct-connect.port-zone-module-17487")
    .title("The Module Server reaches the zone proxies")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ZONE_MODULE])
    .settings(&[&ZONE_MODULE_HOSTS, &EVIDENCE_DAYS])
    .guide(ZONE_GUIDE)
    .what("Probes each of `zone_proxy_module_hosts` (17487, unless it names another port). Only the Module Server can tell: run tancheck there, or merge what a run there saw.")
    .why("Without this connection the zone proxy never becomes Connected, and no external endpoint behind it can be reached.")
    .limits(LIMITS)
    .applies("Zone proxies are used.")
    .related(&["direct-connect.port-zone-17488"])
    .remedy(&ZONE_MODULE_REMEDY)
    .judge(|facts, report| {
        let listeners = zone_listeners(facts, report, &[&ZONE_MODULE], &ZONE_MODULE_HOSTS)?;
        port(facts, report, &ZONE_MODULE_PORT, &listeners)
    });

const ZONE_MODULE_REMEDY: Remedy = Remedy::new(&[
    Step::command("nslookup <host of {subject}>", "on the Module Server: the internal name has to lead to the Zone Server's internal address there"),
    Step::consult("whoever runs the firewalls", "open TCP from the Module Server to {subject} through the inner firewall of the DMZ"),
    Step::console("Main menu > Direct Connect > Zone Proxies", "Module Server Connection > Bind IP Address is the Zone Server's internal address, or 0.0.0.0; usually it is not that of the Module Server"),
    Step::decision("a value there is wrong", "entries cannot be edited: note all values, take the present provision payload, delete the entry and add it again"),
])
.cautions(&["external endpoints behind a zone proxy cannot be reached between deleting its entry and adding it again"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Zone Proxies"]);

pub(crate) const ZONE_SECOND_PORT: Check = Check::automated("direct-connect.port-zone-17488")
    .title("The second port between Module Server and Zone Server is open")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ZONE_SECOND])
    .settings(&[&ZONE_MODULE_HOSTS, &EVIDENCE_DAYS])
    .guide(PORTS)
    .what("Probes port 17488 on each of `zone_proxy_module_hosts`; the guide knows no setting for it. Only the Module Server can tell.")
    .why("Module Server and Zone Server talk over it. The installer opens it on TanOS; on Windows it has to be opened by hand, which is easily forgotten.")
    .limits(LIMITS)
    .applies("Zone proxies are used.")
    .related(&["direct-connect.port-zone-module-17487"])
    .remedy(&ZONE_SECOND_REMEDY)
    .judge(|facts, report| {
        let listeners = zone_listeners(facts, report, &[&ZONE_SECOND], &ZONE_MODULE_HOSTS)?;
        port(facts, report, &ZONE_SECOND_PORT, &listeners)
    });

const ZONE_SECOND_REMEDY: Remedy = Remedy::new(&[
    Step::decision("the Zone Server runs Windows", "open TCP 17488 inbound from the Module Server in its host firewall, and in the firewalls between"),
    Step::decision("the Zone Server is an Appliance", "the installer opens the port by itself: a closed one means that it did not come to its end; run it again, then delete the entry under Zone Proxies and add it again with the new payload"),
    Step::console("Main menu > Direct Connect > Zone Proxies", "wait for the status Connected"),
])
.cautions(&["each run of the installer makes a new provision payload: the entry with the old one stops working"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Ports"]);

pub(crate) const EXPOSURE: Check = Check::automated("direct-connect.port-exposure")
    .title("Only the zone proxies face the outside")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&MODULE, &ZONE_MODULE, &ZONE_SECOND])
    .settings(&[&ENDPOINT_FQDN, &super::ENDPOINT_PORT, &ZONE_MODULE_HOSTS, &EVIDENCE_DAYS])
    .guide(PORTS)
    .beyond()
    .what("Looks at probes from an external endpoint: there the listener on the Module Server, and the zone proxies' listeners for the Module Server, must not answer. The latter must not answer internal endpoints either.")
    .why("The design lets one port face the Internet: what else answers there can be attacked there.")
    .limits("It needs a run from outside. A name that does not resolve there counts as closed; the address behind it may still be open.")
    .related(&["direct-connect.port-zone-endpoint-17486"])
    .remedy(&EXPOSURE_REMEDY)
    .judge(exposure);

const EXPOSURE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever runs the firewalls", "restrict {subject}: internal client networks to 17475 on the Module Server, the Module Server alone to 17487 and 17488 on the Zone Server"),
    Step::console("Main menu > Direct Connect > Zone Proxies", "where the Module Server Connection binds to 0.0.0.0, delete the entry and add it again with the internal address of the Zone Server"),
])
.cautions(&["external endpoints behind a zone proxy cannot be reached between deleting its entry and adding it again"])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Ports"]);

/// Each listener has to be open from where the real connections come.
fn port(
    facts: &Facts<'_>,
    report: &mut Report,
    check: &Check,
    listeners: &[Listener],
) -> Result<(), Undecided> {
    let mut unknown = Open::of(check);
    for listener in listeners {
        if let Some(view) = listener.views.iter().find(|view| view.stage == Stage::Target) {
            unknown.push(format!("it cannot be probed: {}", view.says));
            continue;
        }
        let closed: Vec<&Probe> = listener
            .from(Weight::Decisive)
            .filter(|view| reach(view) == Reach::Closed)
            .chain(listener.from(Weight::Listener).filter(|view| stops_everybody(view)))
            .collect();
        let open = |weight| listener.from(weight).any(|view| reach(view) == Reach::Open);
        if !closed.is_empty() {
            let finding = listener
                .finding()
                .says(format!("does not answer {}", Listener::told(closed.into_iter())))
                .expected("a listener that speaks TLS 1.2")
                .evidence(listener.evidence(facts));
            // Where it is open from somewhere, it is the way that fails and not the listener.
            let partly = open(Weight::Decisive) || open(Weight::Indication);
            report.finding(if partly { finding.severity(Severity::High) } else { finding });
        } else if !open(Weight::Decisive) && open(Weight::Indication) {
            let from = Listener::told(listener.from(Weight::Indication));
            report.note(format!(
                "{} was seen {from}; {} proves more",
                listener.name,
                listener.serves.decisive().place()
            ));
        } else if !open(Weight::Decisive) {
            unknown.unseen(listener);
        }
    }
    unknown.settle()
}

fn exposure(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let listeners = listeners(facts, report, &[&MODULE, &ZONE_MODULE, &ZONE_SECOND])?;
    let mut unknown = Open::of(&EXPOSURE);
    for listener in &listeners {
        let is_outside = |view: &&Probe| match view.vantage {
            Vantage::EndpointExternal => true,
            Vantage::EndpointInternal => listener.serves == Serves::ModuleServer,
            _ => false,
        };
        let open: Vec<&Probe> =
            listener.views.iter().filter(is_outside).filter(|view| reach(view) == Reach::Open).collect();
        let tried = listener
            .views
            .iter()
            .any(|view| view.vantage == Vantage::EndpointExternal && reach(view) != Reach::Unknown);
        if !open.is_empty() {
            report.finding(
                listener
                    .finding()
                    .says(format!("answers {}", Listener::told(open.into_iter())))
                    .expected("no answer there")
                    .evidence(listener.evidence(facts)),
            );
        } else if !tried {
            unknown.elsewhere(
                format!("{} was not tried from outside", listener.name),
                Vantage::EndpointExternal,
            );
        }
    }
    unknown.settle()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{failed, refused, seen};
    use super::*;
    use Vantage::{Admin, EndpointExternal, EndpointInternal, ModuleServer, ZoneServer};
    use tancheck_plugin_api::records::probe::Trouble;
    use tancheck_plugin_api::testing::Case;

    fn module(probes: &[Probe]) -> Case {
        Case::of(&MODULE_PORT).probes(&MODULE, probes)
    }

    const KEY: &str = "dc.example.com:17475";

    #[test]
    fn a_place_that_counts_decides() {
        let good = module(&[seen(17475, EndpointInternal)]);
        good.judge().assert_pass();
        good.assert_needs_its_inputs();
        let bad = module(&[refused(17475, EndpointInternal)]).judge();
        bad.assert_findings(&[KEY]);
        assert_eq!(bad.findings()[0].severity, None, "critical: nobody reaches it");
        assert!(bad.findings()[0].says.contains("from an internal endpoint: Refused"), "{bad:?}");
        for (stage, trouble) in [
            (Stage::Resolve, Trouble::NoName),
            (Stage::Connect, Trouble::TimedOut),
            (Stage::Greeting, Trouble::Reset),
            (Stage::Greeting, Trouble::NotTls),
            (Stage::Negotiation, Trouble::TooMuch),
        ] {
            module(&[failed(17475, EndpointInternal, stage, trouble)]).judge().assert_findings(&[KEY]);
        }
        // Somebody answers in TLS: that is for other checks.
        let alert = failed(17475, EndpointInternal, Stage::Greeting, Trouble::Alert);
        module(&[alert]).judge().assert_pass();
    }

    #[test]
    fn a_place_that_proves_nothing_says_where_to_go() {
        let away = module(&[refused(17475, Admin)]).judge();
        away.assert_undecided(Outcome::NotEvaluated);
        let reason = &away.undecided().unwrap().reason;
        for part in [
            "on an internal endpoint `tancheck run --check direct-connect.port-module-17475 --vantage endpoint-internal",
            "--merge-evidence",
        ] {
            assert!(reason.contains(part), "{reason}");
        }
        let near = module(&[seen(17475, Admin)]).judge();
        near.assert_pass();
        assert!(near.notes()[0].contains("an internal endpoint proves more"), "{:?}", near.notes());
        for vantage in [EndpointExternal, ZoneServer] {
            module(&[seen(17475, vantage)]).judge().assert_undecided(Outcome::NotEvaluated);
            module(&[refused(17475, vantage)]).judge().assert_undecided(Outcome::NotEvaluated);
        }
        module(&[failed(17475, EndpointInternal, Stage::Resolve, Trouble::NoResolver)])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        module(&[failed(17475, EndpointInternal, Stage::Target, Trouble::BadTarget)])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn the_listeners_own_machine_proves_that_nothing_listens() {
        module(&[refused(17475, ModuleServer)]).judge().assert_findings(&[KEY]);
        module(&[seen(17475, ModuleServer)]).judge().assert_undecided(Outcome::NotEvaluated);
        for (stage, trouble) in [(Stage::Resolve, Trouble::NoName), (Stage::Connect, Trouble::TimedOut)] {
            module(&[failed(17475, ModuleServer, stage, trouble)])
                .judge()
                .assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn places_are_put_together() {
        let both = module(&[refused(17475, EndpointInternal), seen(17475, Admin)]).judge();
        both.assert_findings(&[KEY]);
        assert_eq!(both.findings()[0].severity, Some(Severity::High), "the listener is there");
        module(&[refused(17475, Admin), seen(17475, EndpointInternal)]).judge().assert_pass();
        let mut old = refused(17475, EndpointInternal);
        old.at = Some("2026-05-01T00:00:00Z".parse().unwrap());
        let aged = module(&[seen(17475, Admin), old]);
        aged.judge().assert_pass();
        assert!(aged.judge().notes()[0].contains("older than 30 days"));
        aged.setting("evidence_days", 90).judge().assert_findings(&[KEY]);
    }

    #[test]
    fn zone_proxies_are_seen_from_their_own_places() {
        let outside = |probes: &[Probe]| Case::of(&ZONE_ENDPOINT_PORT).probes(&ZONE_ENDPOINT, probes);
        outside(&[seen(17486, EndpointExternal)]).judge().assert_pass();
        outside(&[seen(17486, EndpointExternal)]).assert_needs_its_inputs();
        outside(&[refused(17486, EndpointExternal)]).judge().assert_findings(&["zs.example.com:17486"]);
        outside(&[seen(17486, ModuleServer)]).judge().assert_pass();
        outside(&[refused(17486, ModuleServer)]).judge().assert_undecided(Outcome::NotEvaluated);
        let none = outside(&[]).judge();
        none.assert_undecided(Outcome::NotApplicable);
        assert!(none.undecided().unwrap().reason.contains("`zone_proxy_endpoint_hosts`"));
        for (check, input, port) in
            [(&ZONE_MODULE_PORT, &ZONE_MODULE, 17487), (&ZONE_SECOND_PORT, &ZONE_SECOND, 17488)]
        {
            let inside = |probes: &[Probe]| Case::of(check).probes(input, probes);
            inside(&[seen(port, ModuleServer)]).judge().assert_pass();
            inside(&[seen(port, ModuleServer)]).assert_needs_its_inputs();
            inside(&[refused(port, ModuleServer)])
                .judge()
                .assert_findings(&[&format!("zs.example.com:{port}")]);
            inside(&[refused(port, ZoneServer)])
                .judge()
                .assert_findings(&[&format!("zs.example.com:{port}")]);
            for probe in [seen(port, Admin), refused(port, Admin), seen(port, EndpointInternal)] {
                inside(&[probe]).judge().assert_undecided(Outcome::NotEvaluated);
            }
            inside(&[]).judge().assert_undecided(Outcome::NotApplicable);
        }
    }

    #[test]
    fn whatever_answers_outside_is_exposed() {
        let case = |module: &[Probe], zone: &[Probe]| {
            Case::of(&EXPOSURE).probes(&MODULE, module).probes(&ZONE_MODULE, zone).probes(&ZONE_SECOND, &[])
        };
        let closed = case(&[refused(17475, EndpointExternal)], &[refused(17487, EndpointExternal)]);
        closed.judge().assert_pass();
        closed.assert_needs_its_inputs();
        case(&[seen(17475, EndpointExternal)], &[refused(17487, EndpointExternal)])
            .judge()
            .assert_findings(&[KEY]);
        let inner = [refused(17487, EndpointExternal), seen(17487, EndpointInternal)];
        case(&[refused(17475, EndpointExternal), seen(17475, EndpointInternal)], &inner)
            .judge()
            .assert_findings(&["zs.example.com:17487"]);
        let untried = case(&[seen(17475, Admin)], &[]).judge();
        untried.assert_undecided(Outcome::NotEvaluated);
        assert!(untried.undecided().unwrap().reason.contains("--vantage endpoint-external"));
    }
}
