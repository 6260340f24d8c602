//! Beyond the guide: clients that do not trust the server's key, that cannot register, or that register without TLS.

use crate::console::WHO;
use crate::weeks::{self, Series};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{CLIENT_STATUS, ClientStatus};

/// Clients that the server turned away.
pub(crate) const UNREGISTERED: Input =
    Input::new("client-management.unregistered-clients", "clients that could not register")
        .sources(&[Source::rest("/api/v2/unregistered_clients")]);

/// A client that could not register.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TurnedAway {
    #[serde(deserialize_with = "lenient::text")]
    host_name: String,
    #[serde(deserialize_with = "lenient::text")]
    ipaddress_client: String,
    #[serde(deserialize_with = "lenient::text")]
    registration_error: String,
}

pub(crate) const CANNOT_REGISTER: Check = Check::automated("client-management.unregistered")
    .title("No client fails to register")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&UNREGISTERED])
    .beyond()
    .even_if_absent()
    .what("Lists the clients that the server turned away, grouped by the error that it gives.")
    .why("Such an endpoint runs a client and is still unmanaged: it answers no question and gets no action, and no other list shows it.")
    .limits("The server forgets what it turned away after a while.")
    .related(&["client-management.endpoint-count-low", "client-management.server-name-list"])
    .remedy(&CANNOT_REGISTER_REMEDY)
    .judge(cannot_register);

const CANNOT_REGISTER_REMEDY: Remedy = Remedy::new(&[
    Step::api("GET /api/v2/unregistered_clients", "shows all of them with their addresses: {sample} among others"),
    Step::decision(
        "they fail the server's challenge",
        "they belong to another deployment, or have an old key: deploy the client again with the current initialization file",
    ),
    Step::decision("nobody knows the addresses", "ask the network team whose they are before letting them in"),
    Step::consult("Client Management User Guide: Troubleshooting the Tanium Client", "what the error {error} means"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Do not let endpoints in that nobody knows: a client is trusted with the questions of the server."]);

fn cannot_register(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let clients: Vec<TurnedAway> = facts.rows(&UNREGISTERED)?;
    let mut errors: BTreeMap<&str, Vec<&TurnedAway>> = BTreeMap::new();
    for client in &clients {
        errors.entry(client.registration_error.trim()).or_default().push(client);
    }
    for (error, clients) in errors {
        let error = if error.is_empty() { "no error told" } else { error };
        let names: Vec<&str> = clients.iter().take(5).map(|client| label(client)).collect();
        report.finding(
            Finding::on(Subject::new("registration error", error, error))
                .says(format!("{} clients could not register: {error}", clients.len()))
                .expected("every client registers")
                .affected(clients.len() as u64, None)
                .sample(names.iter().copied())
                .fill("sample", names.join(", "))
                .fill("error", error)
                .evidence(facts.seen(&UNREGISTERED, &names)),
        );
    }
    Ok(())
}

fn label(client: &TurnedAway) -> &str {
    if client.host_name.is_empty() { &client.ipaddress_client } else { &client.host_name }
}

/// Every client that the server remembers, and whether its key is valid.
pub(crate) const CLIENTS: Input =
    Input::new("client-management.client-keys", "registered clients, and whether their keys are valid")
        .sources(&[
            Source::rest("/api/v2/system_status")
                .options(r#"{"cache_expiration":600,"row_count":5000}"#)
                .paged()
                .only_rows_with("computer_id")
                .needs(&["read system status"]),
            Source::export(
                "client-status.csv",
                "Administration > Configuration > Client Status",
                "select all clients, Export, Format: List of Clients - CSV",
                &["Host Name", "Valid Key", "Last Registration"],
            ),
        ]);

/// A registered client.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Client {
    #[serde(deserialize_with = "lenient::text", alias = "Host Name")]
    host_name: String,
    #[serde(deserialize_with = "lenient::flag", alias = "Valid Key")]
    public_key_valid: Option<bool>,
    #[serde(deserialize_with = "lenient::time", alias = "Last Registration")]
    last_registration: Option<Timestamp>,
}

const INVALID_KEY_DAYS: Setting = Setting::integer("invalid_key_days", 7, 1, 365)
    .unit("days")
    .about("how far back a client with an invalid key counts");

pub(crate) const KEYS: Check = Check::automated("client-management.invalid-keys")
    .title("No client has an invalid key")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::High)
    .reads(&[&CLIENTS])
    .settings(&[&INVALID_KEY_DAYS])
    .beyond()
    .even_if_absent()
    .what("Counts the clients that registered within `invalid_key_days` and whose public key the server calls invalid.")
    .why("A client with another deployment's key, or a broken one, trusts no answer of this server: it is listed, and still unmanaged.")
    .limits("The list of all clients is read row by row.")
    .related(&["client-management.unregistered", "certificates.root-key-expiry"])
    .remedy(&KEYS_REMEDY)
    .judge(invalid_keys);

const KEYS_REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Configuration > Client Status", "filter by Valid Key = No: {sample} among others"),
    Step::decision("the endpoints belong to another deployment", "let its administrators know; do not take them over by accident"),
    Step::consult("Client Management User Guide", "how the current initialization file is deployed to these endpoints, or the client is installed again"),
    Step::console("Administration > Configuration > Client Status", "see that Valid Key says Yes after the next registration"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

fn invalid_keys(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let clients: Vec<Client> = facts.rows(&CLIENTS)?;
    let limit = facts.integer(&INVALID_KEY_DAYS)?;
    let silent = clients.iter().filter(|client| client.public_key_valid.is_none()).count();
    let invalid: Vec<&Client> =
        clients.iter().filter(|client| client.public_key_valid == Some(false)).collect();
    let undated = invalid.iter().filter(|client| client.last_registration.is_none()).count();
    let is_recent =
        |client: &&&Client| client.last_registration.is_some_and(|at| facts.days_since(at) < limit);
    let recent: Vec<&str> =
        invalid.iter().filter(is_recent).map(|client| client.host_name.as_str()).collect();
    if !recent.is_empty() {
        let sample: Vec<&str> = recent.iter().take(5).copied().collect();
        report.finding(
            Finding::on(Subject::new("clients", "invalid-keys", "clients with an invalid key"))
                .says(format!("{} of {} clients have an invalid key", recent.len(), clients.len()))
                .expected("none")
                .affected(recent.len() as u64, Some(clients.len() as u64))
                .sample(sample.iter().copied())
                .fill("sample", sample.join(", "))
                .evidence(facts.seen(&CLIENTS, &sample)),
        );
    }
    let mut unknown = Vec::new();
    if silent > 0 {
        unknown.push(format!("{silent} clients do not tell whether their key is valid"));
    }
    if undated > 0 {
        unknown.push(format!("{undated} clients with an invalid key do not tell when they registered"));
    }
    settle(&unknown)
}

const TLS_SHARE: Series =
    Series { name: "client-management.tls-share", words: "share of clients that register with TLS" };

/// The shares of earlier runs.
pub(crate) const TLS_HISTORY: Input =
    Input::new("client-management.tls-history", "share of clients that registered with TLS in earlier runs")
        .sources(&[Source::history("client-management.tls-share", 182)]);

const TLS_DROP_POINTS: Setting = Setting::integer("tls_drop_points", 5, 1, 100)
    .unit("percentage points")
    .about("by how much the share of clients that register with TLS may fall below that of earlier weeks");

const TLS_WEEKS: usize = 4;

pub(crate) const TLS: Check = Check::automated("client-management.tls-share")
    .title("The share of clients that register with TLS does not fall")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_STATUS, &TLS_HISTORY])
    .settings(&[&TLS_DROP_POINTS])
    .beyond()
    .even_if_absent()
    .what("Compares the share of registered clients that use TLS with the median of the last four weeks. A fall of more than `tls_drop_points` percentage points is a finding. Where earlier weeks swing more than that anyway, three times their usual swing counts instead.")
    .why("Clients fall back to the older protocol when their TLS connection fails: a proxy that looks into it, a certificate, a firewall.")
    .limits("Needs three earlier weeks. A low share that stays low is no finding: which share is right depends on the deployment.")
    .related(&["client-management.unregistered", "rbac.hardening"])
    .remedy(&TLS_REMEDY)
    .judge(tls_share);

const TLS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Configuration > Client Status",
        "which clients register without TLS: a site, a Zone Server, a version?",
    ),
    Step::consult(
        "the network team",
        "what changed between these clients and the server: a proxy, a firewall, an inspection of TLS",
    ),
    Step::support("if nothing changed; bring the list of these clients"),
])
.who(WHO)
.risk(Risk::None, Reversible::Yes)
.cautions(&["Do not require TLS of all clients while the share falls: those without would be cut off."]);

fn tls_share(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<ClientStatus> = facts.rows(&CLIENT_STATUS)?;
    let status =
        rows.first().ok_or_else(|| Undecided::not_evaluated("the client status holds no counters"))?;
    let total = status.total();
    let Some(with_tls) = status.registered_with_tls_count else {
        return Err(Undecided::not_evaluated("the server does not count the clients that register with TLS"));
    };
    if total == 0 {
        return Err(Undecided::not_evaluated("no client is registered"));
    }
    let share = with_tls * 100.0 / total as f64;
    report.measure(TLS_SHARE.name, share, "percent");
    let usual = weeks::baseline(facts.points(&TLS_HISTORY)?, TLS_SHARE, facts.now(), TLS_WEEKS)?;
    let (before, limit) = (usual.median, facts.integer(&TLS_DROP_POINTS)?);
    if before - share > usual.swing().max(limit as f64) {
        report.finding(
            Finding::on(Subject::deployment())
                .says(format!(
                    "{share:.1}% of the clients register with TLS; in earlier weeks it was {before:.1}%"
                ))
                .expected(format!("at most {limit} percentage points less than before"))
                .affected(total.saturating_sub(with_tls as u64), Some(total))
                .evidence(facts.seen(&CLIENT_STATUS, with_tls)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn clients_that_are_turned_away_are_grouped_by_error() {
        let case = |rows| Case::of(&CANNOT_REGISTER).rows(&UNREGISTERED, rows);
        case(json!([])).judge().assert_pass();
        case(json!([])).assert_needs_its_inputs();
        let verdict = case(json!([
            {"host_name": "a", "registration_error": "ERROR_X"},
            {"host_name": "", "ipaddress_client": "10.0.0.1", "registration_error": "ERROR_X"},
            {"host_name": "c", "registration_error": ""},
        ]))
        .judge();
        verdict.assert_findings(&["ERROR_X", "no error told"]);
        assert_eq!(verdict.findings()[1].affected.as_ref().unwrap().sample, ["a", "10.0.0.1"]);
    }

    fn keyed(rows: tancheck_plugin_api::serde_json::Value) -> Case {
        Case::of(&KEYS).rows(&CLIENTS, rows)
    }

    #[test]
    fn invalid_keys_of_the_last_week_are_found() {
        let client = |name: &str, valid: bool, at: &str| json!({"host_name": name, "public_key_valid": valid, "last_registration": at});
        let good = client("a", true, "2026-06-30T11:00:00Z");
        keyed(json!([good])).judge().assert_pass();
        keyed(json!([good])).assert_needs_its_inputs();
        keyed(json!([good, client("b", false, "2026-06-24T13:00:00Z")]))
            .judge()
            .assert_findings(&["invalid-keys"]);
        keyed(json!([good, client("b", false, "2026-06-23T11:00:00Z")])).judge().assert_pass();
        keyed(json!([client("b", false, "Never")])).judge().assert_undecided(Outcome::NotEvaluated);
        keyed(json!([{"host_name": "b"}])).judge().assert_undecided(Outcome::NotEvaluated);
        let row = json!({"Host Name": "c", "Valid Key": "No", "Last Registration": "2026-06-30T11:00:00Z"});
        keyed(json!([row])).judge().assert_findings(&["invalid-keys"]);
    }

    fn share(with_tls: u64, before: &[f64]) -> Case {
        let versions = json!([{"version_string": "7.4.4.1362", "count": 200}]);
        Case::of(&TLS)
            .rows(&CLIENT_STATUS, json!([{"registered_with_tls_count": with_tls, "versions": versions}]))
            .weekly(&TLS_HISTORY, TLS_SHARE.name, before)
    }

    #[test]
    fn a_falling_share_is_found() {
        let steady = [99.0, 98.0, 99.0, 99.0];
        let verdict = share(196, &steady).judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].series, "client-management.tls-share");
        share(196, &steady).assert_needs_its_inputs();
        share(188, &steady).judge().assert_pass();
        share(187, &steady).judge().assert_findings(&["deployment"]);
        share(187, &steady).setting("tls_drop_points", 10).judge().assert_pass();
        share(20, &[10.0, 10.0, 10.0]).judge().assert_pass();
        share(187, &steady[..2]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_the_count_nothing_is_decided() {
        let case = Case::of(&TLS)
            .rows(&CLIENT_STATUS, json!([{"versions": [{"version_string": "7.4.4.1362", "count": 200}]}]))
            .weekly(&TLS_HISTORY, TLS_SHARE.name, &[99.0, 99.0, 99.0]);
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
