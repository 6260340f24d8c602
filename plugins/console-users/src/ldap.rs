//! Guide: *Review and update Console user accounts*, page 36: synchronization with LDAP or Active Directory.

use crate::inputs::{ACCOUNTS, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::sign_in::{LDAP_CONNECTORS, LdapConnector};

/// How the last synchronizations ended, counted by the server: the words of a connector's result are not public, these
/// are.
pub(crate) const SYNC_STATUS: Input =
    Input::new("console-users.sync-status", "LDAP connectors by the end of their last synchronization")
        .sources(&[Source::metrics(&["tanium_ldap_sync_connector_sync_status_count"])]);

const MAX_AGE_HOURS: Setting = Setting::integer("max_age_hours", 24, 1, 8760)
    .unit("hours")
    .about("how long ago the last synchronization may be; an enabled connector synchronizes every five minutes, so 1 is not too strict");

const SYNC_SUCCESS_TEXTS: Setting = Setting::list("sync_success_texts", &[])
    .about("texts of a connector's last result that mean success at this site");

/// `console-users.ldap-sync`
pub(crate) const SYNC: Check = Check::automated("console-users.ldap-sync")
    .title("LDAP/AD connection and synchronization work")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&LDAP_CONNECTORS, &SYNC_STATUS])
    .settings(&[&MAX_AGE_HOURS, &SYNC_SUCCESS_TEXTS])
    .guide(&[ACCOUNTS])
    .what("Looks at each LDAP connector: it must be switched on, not paused, and have synchronized within `max_age_hours`. Where it shows a result in words that `sync_success_texts` does not hold, the server's own count of failed synchronizations decides.")
    .why("Without synchronization people who left keep their accounts, and new people get none.")
    .limits("The vendor lists no results. Where the metrics cannot be read either, a connector with unknown words is not decided.")
    .applies("LDAP/AD used")
    .related(&["console-users.missing-remote", "console-users.ldap-paused", "console-users.locked-out"])
    .remedy(&SYNC_REMEDY)
    .judge(sync);

const SYNC_REMEDY: Remedy = Remedy::new(&[
    Step::console("the Console page of LDAP/AD synchronization", "open {subject}: check host and port ({server}), credential, certificate, base and filter"),
    Step::consult("the administrator of the directory", "whether the service account still works and the server answers"),
    Step::decision("the connector was switched off on purpose", "delete it once nobody depends on its users"),
    Step::console("the Console page of LDAP/AD synchronization", "run the synchronization and see that it succeeds"),
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.cautions(&[
    "A wrong filter can remove many users with the next synchronization.",
    "Do not switch a connector off to try something: its users and groups are deleted within five minutes. Pause it instead.",
])
.references(&["Console User Guide: Configure an LDAP server"]);

fn sync(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connectors = connectors(facts)?;
    let limit = facts.integer(&MAX_AGE_HOURS)?;
    let known = facts.list(&SYNC_SUCCESS_TEXTS);
    let mut unknown = Vec::new();
    for connector in &connectors {
        if let Some(says) = trouble(facts, connector, limit) {
            report.finding(about(facts, connector, says));
            continue;
        }
        let text = connector.last_sync_result.trim();
        if connector.enable.is_none() {
            unknown.push(format!("{} does not tell whether it is switched on", connector.name));
        } else if !text.is_empty() && !known.iter().any(|good| good.eq_ignore_ascii_case(text)) {
            unknown.push(format!(
                "the result of {}, {text:?}, is not among `sync_success_texts`",
                connector.name
            ));
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    match counted(facts) {
        Some((0, succeeded)) if succeeded >= connectors.len() as u64 => Ok(()),
        Some((failed, _)) if failed > 0 => {
            let said: Vec<String> =
                connectors.iter().map(|one| format!("{}: {:?}", one.name, one.last_sync_result)).collect();
            report.finding(
                Finding::on(Subject::deployment())
                    .says(format!(
                        "{failed} of {} LDAP connectors did not synchronize ({})",
                        connectors.len(),
                        said.join(", ")
                    ))
                    .expected("every connector synchronizes")
                    .affected(failed, Some(connectors.len() as u64))
                    .fill("server", "as each connector tells")
                    .evidence(facts.seen(&SYNC_STATUS, failed)),
            );
            Ok(())
        }
        _ => settle(&unknown),
    }
}

fn connectors(facts: &Facts<'_>) -> Result<Vec<LdapConnector>, Undecided> {
    let connectors: Vec<LdapConnector> = facts.rows(&LDAP_CONNECTORS)?;
    if connectors.is_empty() {
        return Err(facts.absent(&LDAP_CONNECTORS, "there is no LDAP connector"));
    }
    Ok(connectors)
}

/// What is plainly wrong with a connector.
fn trouble(facts: &Facts<'_>, connector: &LdapConnector, limit: i64) -> Option<String> {
    if connector.enable == Some(false) {
        return Some("is switched off: its users and groups are deleted".to_owned());
    }
    if connector.ldap_sync_state == Some(1.0) {
        return Some("does not synchronize: it is paused".to_owned());
    }
    let Some(last) = connector.last_sync_timestamp else { return Some("never synchronized".to_owned()) };
    let hours = facts.since(last).as_hours();
    (hours > limit).then(|| format!("last synchronized {hours} hours ago"))
}

fn about(facts: &Facts<'_>, connector: &LdapConnector, says: String) -> Finding {
    let server = match connector.port.as_str() {
        "" => connector.host.clone(),
        port => format!("{}:{port}", connector.host),
    };
    let last = connector.last_sync_timestamp.map(|at| at.to_string());
    Finding::on(Subject::new("LDAP connector", connector.key(), &connector.name))
        .says(says)
        .expected("a connector that is on and synchronized lately")
        .fill("server", server)
        .evidence(facts.seen(&LDAP_CONNECTORS, (connector.enable, last, &connector.last_sync_result)))
}

/// Connectors whose last synchronization failed, and those where it succeeded.
fn counted(facts: &Facts<'_>) -> Option<(u64, u64)> {
    let samples = facts.samples(&SYNC_STATUS).ok()?;
    let of = |status: &str| {
        let found =
            samples.iter().find(|sample| sample.labels.get("status").is_some_and(|label| label == status));
        found.map(|sample| sample.value as u64)
    };
    Some((of("failure")?, of("success")?))
}

/// `console-users.ldap-paused`
pub(crate) const PAUSED: Check = Check::automated("console-users.ldap-paused")
    .title("No LDAP connector is paused or unencrypted")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&LDAP_CONNECTORS])
    .beyond()
    .what("Lists enabled LDAP connectors whose synchronization is paused, or whose connection to the directory is not encrypted.")
    .why("A pause is easily forgotten: people can still sign in, so nobody misses the synchronization. An unencrypted connection shows passwords to the network.")
    .limits("An exported list of connectors tells neither.")
    .applies("LDAP/AD used")
    .related(&["console-users.ldap-sync"])
    .remedy(&PAUSED_REMEDY)
    .judge(paused);

const PAUSED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the administrator who paused or configured {subject}", "why, and until when"),
    Step::decision(
        "the pause is over",
        "resume the synchronization on the Console page of LDAP/AD synchronization",
    ),
    Step::decision(
        "the connection is not encrypted",
        "choose StartTLS or LDAPS, and check the directory's certificate first",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.cautions(&[
    "Never switch the connector off instead: its users and groups are deleted within five minutes.",
    "After a long pause the first synchronization may remove many users at once; look at the filter before.",
])
.references(&["Console User Guide: Configure an LDAP server"]);

fn paused(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for connector in connectors(facts)?.iter().filter(|connector| connector.enable != Some(false)) {
        let mut says = Vec::new();
        match connector.ldap_sync_state {
            Some(0.0) => {}
            Some(1.0) => says.push("its synchronization is paused"),
            _ => unknown.push(format!("{} does not tell whether it is paused", connector.name)),
        }
        match connector.secure {
            Some(0.0) => says.push("the connection to the directory is not encrypted"),
            Some(1.0 | 2.0 | 3.0) => {}
            _ => unknown.push(format!("{} does not tell how its connection is secured", connector.name)),
        }
        if !says.is_empty() {
            report.finding(
                Finding::on(Subject::new("LDAP connector", connector.key(), &connector.name))
                    .says(says.join("; "))
                    .expected("a running synchronization over an encrypted connection")
                    .evidence(facts.seen(&LDAP_CONNECTORS, (connector.ldap_sync_state, connector.secure))),
            );
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Sample;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn with(check: &'static Check, change: Value) -> Case {
        let mut row = json!({"id": 1, "name": "Main", "host": "ldap.corp.example", "port": 636, "enable": 1, "secure": 3,
            "ldap_sync_state": 0, "last_sync_result": "", "last_sync_timestamp": "2026-06-30T11:55:00Z"});
        for (key, value) in change.as_object().unwrap() {
            row[key] = value.clone();
        }
        Case::of(check).rows(&LDAP_CONNECTORS, json!([row]))
    }

    fn status(case: Case, failed: f64, succeeded: f64) -> Case {
        let sample = |status: &str, value| Sample {
            name: "tanium_ldap_sync_connector_sync_status_count".to_owned(),
            labels: [("status".to_owned(), status.to_owned())].into(),
            value,
        };
        case.body(&SYNC_STATUS, Body::Samples(vec![sample("failure", failed), sample("success", succeeded)]))
    }

    #[test]
    fn a_working_connector_passes() {
        with(&SYNC, json!({})).judge().assert_pass();
        with(&SYNC, json!({})).assert_needs_its_inputs();
        Case::of(&SYNC).rows(&LDAP_CONNECTORS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn one_that_is_off_paused_old_or_new_is_found() {
        let found = |change| with(&SYNC, change).judge().assert_findings(&["1"]);
        found(json!({"enable": 0}));
        found(json!({"ldap_sync_state": 1}));
        found(json!({"last_sync_timestamp": "2001-01-01T00:00:00Z"}));
        found(json!({"last_sync_timestamp": "2026-06-29T10:55:00Z"}));
        with(&SYNC, json!({"last_sync_timestamp": "2026-06-29T12:00:00Z"})).judge().assert_pass();
        let strict =
            with(&SYNC, json!({"last_sync_timestamp": "2026-06-30T09:55:00Z"})).setting("max_age_hours", 1);
        strict.judge().assert_findings(&["1"]);
    }

    #[test]
    fn words_nobody_knows_are_left_to_the_servers_count() {
        let odd = || with(&SYNC, json!({"last_sync_result": "Done."}));
        odd().judge().assert_undecided(Outcome::NotEvaluated);
        odd().setting("sync_success_texts", json!(["done."])).judge().assert_pass();
        status(odd(), 0.0, 1.0).judge().assert_pass();
        status(odd(), 0.0, 0.0).judge().assert_undecided(Outcome::NotEvaluated);
        status(odd(), 1.0, 0.0).judge().assert_findings(&["deployment"]);
        with(&SYNC, json!({"enable": null})).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_decides_the_synchronization_alone() {
        let row = json!([{"Name": "Main", "Server": "ldap", "Enabled": "Yes", "Last Sync": "2026-06-30 11:00:00",
            "Last Sync Result": ""}]);
        Case::of(&SYNC).rows(&LDAP_CONNECTORS, row.clone()).judge().assert_pass();
        Case::of(&PAUSED).rows(&LDAP_CONNECTORS, row).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn pauses_and_open_connections_are_found() {
        with(&PAUSED, json!({})).judge().assert_pass();
        with(&PAUSED, json!({})).assert_needs_its_inputs();
        with(&PAUSED, json!({"ldap_sync_state": 1})).judge().assert_findings(&["1"]);
        with(&PAUSED, json!({"secure": 0})).judge().assert_findings(&["1"]);
        with(&PAUSED, json!({"secure": 0, "enable": 0})).judge().assert_pass();
        with(&PAUSED, json!({"secure": 9})).judge().assert_undecided(Outcome::NotEvaluated);
        with(&PAUSED, json!({"ldap_sync_state": null})).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
