//! The servers of the deployment, gathered from every route that names one.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{
    LOCAL_SETTINGS, LocalSetting, REGISTRATION_REQUESTS, RegistrationRequest, SERVER_HEALTH, SERVER_HOSTS,
    ServerHealth, ServerHosts, host_name, same_host,
};

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// Its role.
    pub(crate) role: &'static str,
    /// Its host name, or its address where nothing else is known.
    pub(crate) name: String,
    /// Its address, where it has a name as well.
    address: String,
}

impl Server {
    /// Whether this name, or address, is its own.
    pub(crate) fn is(&self, name: &str) -> bool {
        same_host(&self.name, name) || (!self.address.is_empty() && same_host(&self.address, name))
    }

    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("server", self.name.to_ascii_lowercase(), format!("{} {}", self.role, self.name))
    }
}

/// The servers that report of themselves: Tanium Servers by name and address, then all others.
pub(crate) fn reporting(facts: &Facts<'_>) -> Result<Vec<Server>, Undecided> {
    let hosts: ServerHosts = facts.object(&SERVER_HOSTS)?;
    let health: ServerHealth = facts.object(&SERVER_HEALTH)?;
    let mut servers = Vec::new();
    for host in &hosts.servers {
        add(&mut servers, "Tanium Server", &host.name, &host.address);
    }
    for (role, server) in health.all() {
        add(&mut servers, role, &server.name, "");
    }
    if servers.is_empty() {
        return Err(Undecided::not_evaluated("neither server_host nor server_health names a server"));
    }
    Ok(servers)
}

/// All servers: those that report, and those that joined or are configured, where that can be read.
pub(crate) fn servers(facts: &Facts<'_>, report: &mut Report) -> Result<Vec<Server>, Undecided> {
    let mut servers = reporting(facts)?;
    match facts.rows::<RegistrationRequest>(&REGISTRATION_REQUESTS) {
        Ok(requests) => {
            let is_in = |one: &&RegistrationRequest| {
                one.approved_flag == Some(true)
                    && one.revoked_flag != Some(true)
                    && one.rejected_flag != Some(true)
            };
            for request in requests.iter().filter(is_in) {
                let role =
                    if request.role.eq_ignore_ascii_case("hub") { "Zone Server Hub" } else { "Zone Server" };
                add(&mut servers, role, &request.fqdn, "");
            }
        }
        Err(why) => report.note(format!("Zone Servers that asked to join are not known: {}", why.reason)),
    }
    if let Some(module_server) = setting(facts, "ModuleServer").unwrap_or_default() {
        add(&mut servers, "Module Server", &module_server, "");
    }
    Ok(servers)
}

/// The host of the Tanium Server's database: nothing where the setting is of another form than the vendor's example
/// (`postgres:HOST@dbname=… port=…`).
pub(crate) fn database_host(facts: &Facts<'_>) -> Result<Option<String>, Undecided> {
    let connection = setting(facts, "SQLConnectionString")?;
    let host = connection
        .as_deref()
        .and_then(|text| text.strip_prefix("postgres:")?.split_once('@'))
        .map(|(host, _)| host);
    Ok(host.map(str::to_owned))
}

/// A setting of the answering server, if it has it.
fn setting(facts: &Facts<'_>, name: &str) -> Result<Option<String>, Undecided> {
    let settings: Vec<LocalSetting> = facts.rows(&LOCAL_SETTINGS)?;
    let value = settings.into_iter().find(|one| one.name.eq_ignore_ascii_case(name)).map(|one| one.value);
    Ok(value.filter(|value| !value.trim().is_empty()))
}

fn add(servers: &mut Vec<Server>, role: &'static str, name: &str, address: &str) {
    let name = host_name(name);
    if name.is_empty() || is_this_machine(name) || servers.iter().any(|server| server.is(name)) {
        return;
    }
    servers.push(Server { role, name: name.to_owned(), address: address.trim().to_owned() });
}

/// Whether a name means whichever machine reads it.
pub(crate) fn is_this_machine(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.starts_with("127.")
        || matches!(name, "::1" | "[::1]" | "0.0.0.0")
}

/// The Tanium Server that answers.
pub(crate) fn answering(facts: &Facts<'_>) -> Result<Option<String>, Undecided> {
    let hosts: ServerHosts = facts.object(&SERVER_HOSTS)?;
    let current = hosts.servers.iter().find(|host| host.current == Some(true));
    Ok(current.map(|host| host_name(&host.name).to_owned()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    /// Two Tanium Servers, of which one reports by its address, a Module Server and a Zone Server.
    pub(crate) fn deployment(check: &'static Check) -> Case {
        Case::of(check)
            .object(
                &SERVER_HOSTS,
                json!({"servers": [{"id": 1, "name": "ts1.example.com:17472", "address": "10.0.0.1", "current": true},
                                   {"id": 2, "name": "ts2.example.com:17472", "address": "10.0.0.2"}]}),
            )
            .object(
                &SERVER_HEALTH,
                json!({"servers": {"tanium_servers": [{"name": "10.0.0.1"}, {"name": "ts2.example.com"}],
                                   "module_servers": [{"name": "ms1"}], "zone_servers": [{"name": "zs1"}]}}),
            )
    }

    const LISTED: Check = Check::automated("backup.listed")
        .reads(&[&SERVER_HOSTS, &SERVER_HEALTH, &REGISTRATION_REQUESTS, &LOCAL_SETTINGS])
        .judge(|facts, report| {
            for server in servers(facts, report)? {
                report.finding(Finding::on(server.subject()));
            }
            Ok(())
        });

    #[test]
    fn every_server_is_listed_once() {
        let case = deployment(&LISTED)
            .rows(
                &REGISTRATION_REQUESTS,
                json!([{"id": 1, "fqdn": "hub1.example.com", "type": "HUB", "approved_flag": true},
                       {"id": 2, "fqdn": "zs1.example.com", "type": "Zone Server", "approved_flag": true},
                       {"id": 3, "fqdn": "old.example.com", "type": "HUB", "approved_flag": true, "revoked_flag": true},
                       {"id": 4, "fqdn": "new.example.com", "type": "HUB", "approved_flag": false}]),
            )
            .rows(&LOCAL_SETTINGS, json!([{"name": "ModuleServer", "value": "127.0.0.1"}]));
        case.judge().assert_findings(&[
            "ts1.example.com",
            "ts2.example.com",
            "ms1",
            "zs1",
            "hub1.example.com",
        ]);
    }

    #[test]
    fn what_only_adds_may_be_missing_and_is_mentioned() {
        let verdict = deployment(&LISTED).unavailable(&REGISTRATION_REQUESTS, Outcome::NoPermission).judge();
        verdict.assert_findings(&["ts1.example.com", "ts2.example.com", "ms1", "zs1"]);
        assert_eq!(verdict.notes().len(), 1);
        let blind = deployment(&LISTED).unavailable(&SERVER_HEALTH, Outcome::NoPermission);
        blind.judge().assert_undecided(Outcome::NoPermission);
    }
}
