//! Zone proxies: which Zone Servers need one, what it is set to, and whether it works.

mod fields;
mod payload;
mod surroundings;

pub(crate) use fields::FIELDS;
pub(crate) use payload::{FORMAT as PAYLOAD_FORMAT, SAMPLE as PAYLOAD_SAMPLE};
pub(crate) use surroundings::{BALANCER, FIREWALL, PAYLOAD_FILE as PAYLOAD_FILE_CHECK};

use crate::chapters::{ZONE_PROXIES as PROXIES_CHAPTER, ZONE_REQUIREMENTS};
use crate::inputs::pages::{ZONE_PROXIES, ZoneProxy};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::same_host;
use tancheck_plugin_api::records::server::{CLIENT_STATUS, ClientStatus, ZoneServerCount};

/// The Zone Servers that endpoints register through; nothing where the server does not tell.
pub(crate) fn zone_servers(status: &[ClientStatus]) -> Option<Vec<&ZoneServerCount>> {
    let servers = status.iter().filter_map(|one| one.zone_servers.as_ref()).flatten();
    let told = status.iter().any(|one| one.zone_servers.is_some());
    told.then(|| servers.filter(|server| server.count > 0).collect())
}

/// Refuses where no endpoint registers through a Zone Server.
pub(crate) fn need_zone_servers(facts: &Facts<'_>) -> Result<(), Undecided> {
    let status: Vec<ClientStatus> = facts.rows(&CLIENT_STATUS)?;
    match zone_servers(&status) {
        Some(servers) if servers.is_empty() => {
            Err(facts.absent(&CLIENT_STATUS, "no endpoint registers through a Zone Server"))
        }
        _ => Ok(()),
    }
}

/// Who may change zone proxies.
pub(crate) const PROXY_ADMINISTRATOR: &str =
    "a user with the role Direct Connect Administrator, and an administrator of the Zone Server";

/// Every Zone Server that is used has a zone proxy.
pub(crate) const REQUIRED: Check = Check::automated("direct-connect.zone-proxy-required")
    .title("Every Zone Server that endpoints use has a zone proxy")
    .cadence(&[Cadence::Setup, Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&CLIENT_STATUS, &ZONE_PROXIES])
    .guide(ZONE_REQUIREMENTS)
    .applies("endpoints that register through Zone Servers")
    .what("Compares the Zone Servers through which endpoints register with those that `direct-connect-zone-proxies.csv` names as the place of a zone proxy.")
    .why("Endpoints behind a Zone Server without a zone proxy cannot be connected to.")
    .limits("The column Zone Server of the file has to name the server as the Client Status page does.")
    .related(&["direct-connect.zone-proxy-status"])
    .remedy(&REQUIRED_REMEDY)
    .judge(required);

const REQUIRED_REMEDY: Remedy = Remedy::new(&[
    Step::support("for the Direct Connect Zone Proxy Installer of the Zone Server's operating system"),
    Step::consult("the owners of the network", "whether TCP 17486 from outside, and 17487 and 17488 from the Module Server, are open to {subject}"),
    Step::consult("the administrator of {subject}", "run the installer there, and copy both blocks of its provision payload"),
    Step::console("Direct Connect > Zone Proxies > Add Zone Proxy", "enter the name, the payload and both connections, and save with your own password; wait for the status Connected"),
])
.cautions(&["The payload is a secret: never send or store it.", "Running the installer again makes a new payload, and the old one ends."])
.who(PROXY_ADMINISTRATOR)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Zone Proxies"]);

fn required(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    need_zone_servers(facts)?;
    let status: Vec<ClientStatus> = facts.rows(&CLIENT_STATUS)?;
    let proxies: Vec<ZoneProxy> = facts.rows(&ZONE_PROXIES)?;
    let Some(servers) = zone_servers(&status) else {
        return Err(Undecided::not_evaluated(
            "this server does not tell how many endpoints register through which Zone Server",
        ));
    };
    let total = status.iter().map(ClientStatus::total).sum();
    for server in servers {
        let address = &server.zone_server_address;
        let carries = |proxy: &&ZoneProxy| {
            [&proxy.zone_server, &proxy.module_host].iter().any(|host| same_host(host, address))
        };
        if proxies.iter().any(|proxy| carries(&proxy)) {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("Zone Server", address.to_lowercase(), address))
                .says(format!("has no zone proxy, and {} endpoints register through it", server.count))
                .expected("a zone proxy on this server")
                .affected(server.count, Some(total))
                .evidence(facts.seen(&CLIENT_STATUS, server.count))
                .evidence(facts.seen(&ZONE_PROXIES, proxies.len())),
        );
    }
    Ok(())
}

/// Zone proxies are connected.
pub(crate) const STATUS: Check = Check::automated("direct-connect.zone-proxy-status")
    .title("Every zone proxy is Connected")
    .cadence(&[Cadence::Weekly, Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&ZONE_PROXIES])
    .guide(PROXIES_CHAPTER)
    .applies("zone proxies")
    .what("Looks at the column Status of the page Zone Proxies. Connected is the only word that the guide calls good; any other is shown as it is.")
    .why("Every external endpoint behind this proxy is out of reach; internal ones are not concerned.")
    .limits("The page has no public route: the file is as old as its time says.")
    .related(&["direct-connect.zone-proxy-required", "direct-connect.zone-proxy-fields", "direct-connect.zone-proxy-pin"])
    .caused_by(&[
        Cause::check("direct-connect.service-running"),
        Cause::check("direct-connect.zone-proxy-windows-firewall"),
        Cause::check("direct-connect.zone-proxy-fields"),
    ])
    .remedy(&STATUS_REMEDY)
    .judge(status);

const STATUS_REMEDY: Remedy = Remedy::new(&[
    Step::command("tancheck run --check direct-connect.port-zone-module-17487 --check direct-connect.port-zone-17488", "on the Module Server: whether the ports of the Zone Server answer"),
    Step::console("Direct Connect > Zone Proxies", "compare Bind IP Address of {subject} with the addresses of its Zone Server; 0.0.0.0 listens on all"),
    Step::decision("the installer was run again on the Zone Server", "its payload is a new one, and the entry has to be made again"),
    Step::console("Direct Connect > Zone Proxies", "an entry cannot be changed: write down its values, hover over it and select Delete, then Add Zone Proxy with the payload of the present PROVISION.txt"),
    Step::support("with a support package of the module, if it does not get Connected"),
])
.cautions(&["Until the new entry is Connected, external endpoints behind it cannot be reached."])
.who(PROXY_ADMINISTRATOR)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: Install and configure the Direct Connect Zone Proxy"]);

fn status(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let proxies: Vec<ZoneProxy> = facts.rows(&ZONE_PROXIES)?;
    if proxies.is_empty() {
        return Err(facts.absent(&ZONE_PROXIES, "there is no zone proxy"));
    }
    for proxy in proxies.iter().filter(|proxy| !proxy.is_connected()) {
        let shown = if proxy.status.trim().is_empty() { "(empty)" } else { proxy.status.trim() };
        report.finding(
            Finding::on(proxy.subject())
                .says(format!("has the status {shown}"))
                .expected("Connected")
                .evidence(facts.seen(&ZONE_PROXIES, shown)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn clients(servers: Value) -> Value {
        json!([{"leader_count": 1, "versions": [{"version_string": "7.4.1.1955", "count": 9}], "zone_servers": servers}])
    }

    #[test]
    fn a_zone_server_that_is_used_needs_a_proxy() {
        let case = |servers: Value, proxy: Value| {
            Case::of(&REQUIRED).rows(&CLIENT_STATUS, clients(servers)).rows(&ZONE_PROXIES, json!([proxy]))
        };
        let used = json!([{"zone_server_address": "zs1.example.com", "count": 4}]);
        case(used.clone(), json!({"Zone Server": "ZS1"})).judge().assert_pass();
        case(used.clone(), json!({"Module Host": "zs1.example.com"})).judge().assert_pass();
        case(used.clone(), json!({"Zone Server": "zs2"})).judge().assert_findings(&["zs1.example.com"]);
        case(used, json!({"Zone Server": "zs1"})).assert_needs_its_inputs();
        let idle = json!([{"zone_server_address": "zs1", "count": 0}]);
        case(idle, json!({})).judge().assert_undecided(Outcome::NotApplicable);
        case(Value::Null, json!({})).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn anything_but_connected_is_found() {
        let case =
            |status: &str| Case::of(&STATUS).rows(&ZONE_PROXIES, json!([{"Name": "Z1", "Status": status}]));
        case("connected ").judge().assert_pass();
        case("Connected").assert_needs_its_inputs();
        for status in ["Disconnected", "Connecting", ""] {
            case(status).judge().assert_findings(&["z1"]);
        }
        Case::of(&STATUS).rows(&ZONE_PROXIES, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }
}
