//! What stands around a zone proxy: the file with its payload, load balancers, and the firewall of Windows.

use super::{PROXY_ADMINISTRATOR, need_zone_servers};
use crate::chapters::{PORTS, ZONE_PROXIES as PROXIES_CHAPTER, ZONE_REQUIREMENTS};
use crate::inputs::answers::{LOAD_BALANCER, PAYLOAD_FILE as FILE, WINDOWS_FIREWALL};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::CLIENT_STATUS;

/// The file is there, for few eyes.
pub(crate) const PAYLOAD_FILE: Check = Check::automated("direct-connect.zone-proxy-payload-file")
    .title("PROVISION.txt is on every Zone Server, and only administrators can read it")
    .cadence(&[Cadence::Setup, Cadence::SemiAnnual])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_STATUS, &FILE])
    .guide(PROXIES_CHAPTER)
    .applies("endpoints that register through Zone Servers")
    .what("Asks whether the installer's file PROVISION.txt is in the folder settings of the zone proxy on each Zone Server, and who can read it.")
    .why("A missing file means that the installer did not finish; one that everybody can read gives away the secret of the zone proxy.")
    .limits("The file is looked at by an administrator of the Zone Server; its contents are nobody's answer.")
    .related(&["direct-connect.zone-proxy-status"])
    .remedy(&FILE_REMEDY)
    .judge(payload_file);

const FILE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("an administrator of the Zone Server", "look for settings/PROVISION.txt (or provision.txt) below TaniumDirectConnectZoneProxy on TanOS, below Tanium Direct Connect Zone Proxy on Windows"),
    Step::decision("it is missing", "run the installer of the zone proxy again; its new payload makes a new entry necessary"),
    Step::decision("everyone can read it", "leave it to administrators and the service only"),
    Step::command("tancheck answer direct-connect.payload-file 'administrators only'", "once that is so"),
])
.cautions(&["Never send, print or store what is in the file."])
.who(PROXY_ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Install and configure the Direct Connect Zone Proxy"]);

fn payload_file(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    need_zone_servers(facts)?;
    let answer = facts.answer(&FILE)?.value.as_str().unwrap_or_default();
    let (says, severity) = match answer {
        "administrators only" => return Ok(()),
        "missing" => ("is missing: the installer did not finish, or used another folder", Severity::Medium),
        "everyone can read it" => ("can be read by everyone on its server", Severity::Low),
        other => {
            return Err(Undecided::not_evaluated(format!("the answer {other:?} is none of those asked for")));
        }
    };
    report.finding(
        Finding::on(Subject::new("file", "provision.txt", "PROVISION.txt"))
            .says(says)
            .expected("a file that only administrators can read")
            .severity(severity)
            .evidence(facts.seen(&FILE, answer)),
    );
    Ok(())
}

/// Nothing in front of the zone proxies drops sessions.
pub(crate) const BALANCER: Check = Check::hybrid("direct-connect.zone-proxy-load-balancer")
    .title("No load balancer in front of a Zone Server drops sessions")
    .cadence(&[Cadence::SemiAnnual])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_STATUS, &LOAD_BALANCER])
    .guide(ZONE_REQUIREMENTS)
    .applies("endpoints that register through Zone Servers")
    .what("Asks whether there is a load balancer in front of a Zone Server. Without one all is well; with one it has to keep TCP connections, and to leave the endpoint port open. Even then it is a low finding, which a person may confirm.")
    .why("A balancer that spreads the packets of one connection over several servers ends every session.")
    .related(&["direct-connect.port-zone-endpoint-17486"])
    .remedy(&BALANCER_REMEDY)
    .judge(balancer);

const BALANCER_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owners of the load balancer", "whether it can be left out: best is none in front of a Zone Server"),
    Step::decision("it has to stay", "set it to persistent TCP connections, and open the endpoint port of the zone proxy (17486, unless changed) on it"),
    Step::command("tancheck answer direct-connect.load-balancer 'persistent and open'", "once that is so"),
    Step::command("tancheck attest direct-connect.zone-proxy-load-balancer --subject load-balancer --result done", "records that it is meant to stay"),
])
.who("the owners of the network")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Zone proxy server requirements"]);

fn balancer(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    need_zone_servers(facts)?;
    let answer = facts.answer(&LOAD_BALANCER)?.value.as_str().unwrap_or_default();
    let (says, severity) = match answer {
        "none" => return Ok(()),
        "persistent and open" => {
            ("is in front of a Zone Server; set as it has to be, and still best left out", Severity::Low)
        }
        "not persistent" => ("does not keep TCP connections", Severity::Medium),
        "port closed" => ("does not let the endpoint port through", Severity::Medium),
        "not persistent and port closed" => {
            ("neither keeps TCP connections nor lets the endpoint port through", Severity::Medium)
        }
        other => {
            return Err(Undecided::not_evaluated(format!("the answer {other:?} is none of those asked for")));
        }
    };
    report.finding(
        Finding::on(Subject::new("load balancer", "load-balancer", "the load balancer"))
            .says(says)
            .expected("none, or one with persistent TCP connections and the endpoint port open")
            .severity(severity)
            .confirms(answer)
            .evidence(facts.seen(&LOAD_BALANCER, answer)),
    );
    Ok(())
}

/// The port that only TanOS opens by itself.
pub(crate) const FIREWALL: Check = Check::hybrid("direct-connect.zone-proxy-windows-firewall")
    .title("TCP 17488 is open in the firewall of every Windows Zone Server")
    .cadence(&[Cadence::Setup, Cadence::SemiAnnual])
    .severity(Severity::High)
    .reads(&[&CLIENT_STATUS, &WINDOWS_FIREWALL])
    .guide(PORTS)
    .applies("endpoints that register through Zone Servers")
    .what("Asks whether TCP 17488 from the Module Server is open on the Windows Zone Servers. On TanOS the installer of the zone proxy opens it.")
    .why("Without it the Module Server cannot set up the zone proxy.")
    .related(&["direct-connect.port-zone-17488", "direct-connect.zone-proxy-status"])
    .remedy(&FIREWALL_REMEDY)
    .judge(firewall);

const FIREWALL_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the administrators of the Windows Zone Servers",
        "allow TCP 17488 in the host firewall, from the Module Server only",
    ),
    Step::command("tancheck answer direct-connect.windows-firewall open", "once that is so"),
])
.who("the administrators of the Zone Servers")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Ports"]);

fn firewall(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    need_zone_servers(facts)?;
    match facts.answer(&WINDOWS_FIREWALL)?.value.as_str().unwrap_or_default() {
        "open" => Ok(()),
        "no Windows Zone Server" => Err(Undecided::not_applicable("no Zone Server runs on Windows")),
        answer => {
            report.finding(
                Finding::on(Subject::new("firewall rule", "17488", "TCP 17488"))
                    .says("is not open on the Windows Zone Servers")
                    .expected("open from the Module Server")
                    .confirms(answer)
                    .evidence(facts.seen(&WINDOWS_FIREWALL, answer)),
            );
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, input: &'static Input, answer: &str, clients: u64) -> Case {
        let status =
            json!([{"leader_count": 1, "zone_servers": [{"zone_server_address": "zs1", "count": clients}]}]);
        Case::of(check).rows(&CLIENT_STATUS, status).answer(input, answer)
    }

    #[test]
    fn the_answers_decide() {
        for (check, input, answer, finding) in [
            (&PAYLOAD_FILE, &FILE, "administrators only", None),
            (&PAYLOAD_FILE, &FILE, "everyone can read it", Some(("provision.txt", Some(Severity::Low)))),
            (&PAYLOAD_FILE, &FILE, "missing", Some(("provision.txt", Some(Severity::Medium)))),
            (&BALANCER, &LOAD_BALANCER, "none", None),
            (&BALANCER, &LOAD_BALANCER, "persistent and open", Some(("load-balancer", Some(Severity::Low)))),
            (&BALANCER, &LOAD_BALANCER, "not persistent", Some(("load-balancer", Some(Severity::Medium)))),
            (&BALANCER, &LOAD_BALANCER, "port closed", Some(("load-balancer", Some(Severity::Medium)))),
            (&FIREWALL, &WINDOWS_FIREWALL, "open", None),
            (&FIREWALL, &WINDOWS_FIREWALL, "not open", Some(("17488", None))),
        ] {
            let verdict = case(check, input, answer, 3).judge();
            match finding {
                None => verdict.assert_pass(),
                Some((key, severity)) => {
                    verdict.assert_findings(&[key]);
                    assert_eq!(verdict.findings()[0].severity, severity, "{answer}");
                }
            }
            case(check, input, answer, 3).assert_needs_its_inputs();
            case(check, input, answer, 0).judge().assert_undecided(Outcome::NotApplicable);
        }
        let none = case(&FIREWALL, &WINDOWS_FIREWALL, "no Windows Zone Server", 3);
        none.judge().assert_undecided(Outcome::NotApplicable);
    }
}
