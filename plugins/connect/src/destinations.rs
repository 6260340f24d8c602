//! Review and remediate destination issues: where data goes, whether it gets there, and whether the way is safe.

use crate::WHO;
use crate::inputs::{
    CONNECTIONS, DESTINATION_KINDS, DESTINATIONS, DETAILS, Destination, LogEntry, RUN_LOGS, RUNS, Run,
};
use crate::inputs::{RunStatus, destinations, last_outcome, runs_of, settle, with_elements};
use serde_json::json;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and remediate destination issues", 25)];

const WARN_DAYS: Setting = Setting::integer("warn_days", 30, 0, 365)
    .unit("days")
    .about("how long before its end the certificate of a destination is reported");

/// `connect.destination-settings`
pub const SETTINGS: Check = Check::hybrid("connect.destination-settings")
    .title("Destination settings are right")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &DESTINATIONS])
    .settings(&[&DESTINATION_KINDS])
    .guide(GUIDE)
    .what(
        "Lists every destination that a connection sends to, with its settings. Somebody confirms once that they are \
         right; when a setting changes, the destination is listed again. Secrets are no part of what is compared.",
    )
    .why("Data about every endpoint goes to whatever address is set here.")
    .limits(
        "A changed password, header value, query value or certificate cannot be seen. Destinations of kinds that are not \
         in `destination_kinds` leave the check undecided.",
    )
    .remedy(&SETTINGS_REMEDY)
    .judge(settings);

const SETTINGS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {connection}",
        "compare the Destination settings with what was agreed with the receiver",
    ),
    Step::decision("they are right", "confirm them here; the confirmation ends when a setting changes"),
    Step::consult("the administrator of the destination", "agree on address, port, format and credentials"),
    Step::console("Modules > Connect > Connections > {connection}", "Edit, update the settings, Save"),
    Step::decision(
        "somebody changed them without being asked",
        "treat it as a security incident: data may have left",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&[
    "Data goes to whatever address is set: confirm it with the receiver before saving.",
    "Save and Run sends data to the destination at once; Save alone does not.",
])
.references(&["Connect User Guide: Edit connections"]);

fn settings(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connections = with_elements(facts)?;
    let (destinations, unknown) = destinations(facts, &connections)?;
    for destination in &destinations {
        let state = destination.state();
        let users: Vec<&str> = destination.users.iter().map(|user| user.name.as_str()).collect();
        report.finding(
            Finding::on(destination.subject())
                .says(format!("{} connections send to {}", users.len(), destination.address()))
                .expected("the settings that were confirmed for it")
                .affected(users.len() as u64, Some(connections.len() as u64))
                .sample(users.iter().take(5).copied())
                .fill("connection", users[0])
                .evidence(facts.seen(&DESTINATIONS, &state))
                .confirms(state),
        );
    }
    settle(&unknown)
}

/// `connect.destination-reachable`
pub const REACHABLE: Check = Check::hybrid("connect.destination-reachable")
    .title("Destinations are available and without issues")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &DESTINATIONS, &RUNS, &RUN_LOGS])
    .settings(&[&DESTINATION_KINDS])
    .guide(GUIDE)
    .what(
        "Decides from runs: a destination is available if the last run of an enabled connection that sends to it \
         finished. It is a finding if a later run failed and an error in its log names the destination's host. Somebody \
         who looked at the destination may confirm such a finding until the next failure.",
    )
    .why("Most failed connections fail at the other end, where the people who run Tanium see nothing.")
    .limits(
        "A finished run proves only the moment of that run. Nothing is sent to the destination by this check. A run \
         that failed without naming the host decides nothing. Files have no server and are left out.",
    )
    .related(&["connect.destination-settings", "connect.failed-connections"])
    .remedy(&REACHABLE_REMEDY)
    .judge(reachable);

const REACHABLE_REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "curl -sv --max-time 10 telnet://{host}:PORT </dev/null",
        "on the Module Server, with the port of the destination: see that name, route and port answer",
    ),
    Step::consult(
        "the administrators of the destination, the firewall and the proxy",
        "ask what they see of the attempt",
    ),
    Step::console(
        "Modules > Connect > Connections > {connection}",
        "correct server, port or proxy if they changed; Save",
    ),
    Step::console(
        "Modules > Connect > Connections > {connection}",
        "run the connection and see that it finishes",
    ),
])
.who("the administrator of the destination, with a user who may edit the connection")
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Running a connection sends data to its destination at once."])
.references(&["Connect User Guide: Troubleshooting"]);

fn reachable(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connections = with_elements(facts)?;
    let runs: Vec<Run> = facts.rows(&RUNS)?;
    let (destinations, mut undecided) = destinations(facts, &connections)?;
    let served: Vec<&Destination> =
        destinations.iter().filter(|one| !one.host().is_empty() && is_used(one)).collect();
    if served.is_empty() && undecided.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no enabled connection sends to a server"));
    }
    for destination in served {
        match last_contact(facts, destination, &runs)? {
            Contact::Answered => {}
            Contact::Unknown => {
                undecided.push(format!("no run shows whether {} answers", destination.host()));
            }
            Contact::Refused { connection, at, text } => report.finding(
                Finding::on(destination.subject())
                    .says(format!("the last run of {connection:?} failed at it: {text}"))
                    .expected("a run that finishes")
                    .confirms(format!("failed={at}"))
                    .fill("host", destination.host())
                    .fill("connection", &connection)
                    .evidence(facts.seen(&RUN_LOGS, json!({"at": at, "text": text}))),
            ),
        }
    }
    settle(&undecided)
}

fn is_used(destination: &Destination) -> bool {
    destination.users.iter().any(|user| !user.is_off())
}

/// What the newest run that says anything about a destination says.
enum Contact {
    Answered,
    Refused { connection: String, at: Timestamp, text: String },
    Unknown,
}

fn last_contact(facts: &Facts<'_>, destination: &Destination, runs: &[Run]) -> Result<Contact, Undecided> {
    let host = destination.host().to_ascii_lowercase();
    let mut newest = (Timestamp::MIN, Contact::Unknown);
    for user in destination.users.iter().filter(|user| !user.is_off()) {
        let own = runs_of(runs, user);
        let outcome = last_outcome(user, &own);
        let run = own.iter().find(|run| run.status == outcome);
        let Some(at) = run.and_then(|run| run.created_at).or(user.last_run_time) else { continue };
        let contact = match outcome {
            Some(RunStatus::Finished) => Contact::Answered,
            Some(RunStatus::Failed) => {
                let logs: Vec<LogEntry> = facts.rows(&RUN_LOGS)?;
                let of_run = |entry: &&LogEntry| {
                    entry.of.connection == user.id && run.is_some_and(|run| run.id == entry.of.run)
                };
                match logs.iter().filter(of_run).map(LogEntry::text).rfind(|text| blames(text, &host)) {
                    Some(text) => {
                        let text = text.chars().take(200).collect();
                        Contact::Refused { connection: user.name.clone(), at, text }
                    }
                    None => continue,
                }
            }
            _ => continue,
        };
        if at > newest.0 {
            newest = (at, contact);
        }
    }
    Ok(newest.1)
}

/// Whether a log entry speaks of an error and names the host.
fn blames(text: &str, host: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let trouble = ["error", "fail", "refused", "timeout", "timed out", "unreachable", "enotfound"];
    text.contains(host) && trouble.iter().any(|word| text.contains(word))
}

const CERTIFICATES: Input =
    Input::new("connect.destination-certificates", "validity of the certificates of destinations").sources(&[
        Source::export(
            "connect-destination-certificates.csv",
            "Modules > Connect > Connections",
            "for each destination that is reached by TLS write one row: its name or host; the two dates of its \
             certificate (openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout -dates, on the Module \
             Server); and yes or no, whether that command verified the certificate",
            &["Destination", "Not Before", "Not After", "Trusted"],
        ),
    ]);

/// The validity of a destination's certificate, as an administrator read it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Certificate {
    /// Name or host of the destination.
    #[serde(rename = "Destination", deserialize_with = "lenient::text")]
    destination: String,
    /// Its first moment.
    #[serde(rename = "Not Before", deserialize_with = "lenient::time")]
    not_before: Option<Timestamp>,
    /// Its last moment.
    #[serde(rename = "Not After", deserialize_with = "lenient::time")]
    not_after: Option<Timestamp>,
    /// Whether the Module Server trusts its issuer.
    #[serde(rename = "Trusted", deserialize_with = "lenient::flag")]
    trusted: Option<bool>,
}

/// `connect.destination-certificate`
pub const CERTIFICATE: Check = Check::automated("connect.destination-certificate")
    .title("Destination certificates are valid")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&CONNECTIONS, &DETAILS, &DESTINATIONS, &CERTIFICATES])
    .settings(&[&WARN_DAYS, &DESTINATION_KINDS])
    .guide(GUIDE)
    .what(
        "For each destination that an enabled connection reaches by TLS, looks up the dates of its certificate in the \
         file that an administrator wrote. A certificate that has ended, has not begun, is not trusted, or ends within \
         `warn_days` is a finding. A destination without a row leaves the check undecided.",
    )
    .why("On the day after its end every connection to that destination fails at once.")
    .limits(
        "The dates are those of the day the file was written: write it anew after a renewal. Mail servers that begin TLS \
         only after a greeting (STARTTLS) are not recognized as TLS destinations.",
    )
    .related(&["connect.destination-reachable"])
    .remedy(&CERTIFICATE_REMEDY)
    .judge(certificate);

const CERTIFICATE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the administrator of {host}", "ask for the certificate to be renewed before {ends}"),
    Step::decision(
        "the issuer changes, or the certificate is pinned",
        "update the trust for the new certificate in the destination settings of {connection}",
    ),
    Step::console("Modules > Connect > Connections > {connection}", "run the connection and see that it finishes"),
    Step::command(
        "openssl s_client -connect {host}:PORT </dev/null | openssl x509 -noout -dates",
        "on the Module Server, with the port of the destination: read the new dates and write them into the file",
    ),
])
.who("the administrator of the destination")
.risk(Risk::Medium, Reversible::Yes)
.cautions(&["Do not switch the validation of certificates off to get data flowing again."])
.references(&["Connect User Guide: Troubleshooting"]);

fn certificate(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let warn = facts.integer(&WARN_DAYS)?;
    let connections = with_elements(facts)?;
    let (destinations, mut undecided) = destinations(facts, &connections)?;
    let by_tls: Vec<&Destination> = destinations.iter().filter(|one| one.is_tls() && is_used(one)).collect();
    if by_tls.is_empty() && undecided.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no enabled connection sends by TLS"));
    }
    let certificates: Vec<Certificate> = facts.rows(&CERTIFICATES)?;
    for destination in by_tls {
        let names = [destination.name(), destination.host()];
        let is_its =
            |one: &&Certificate| names.iter().any(|name| name.eq_ignore_ascii_case(one.destination.trim()));
        let Some(found) = certificates.iter().find(is_its) else {
            undecided
                .push(format!("connect-destination-certificates.csv has no row for {}", destination.name()));
            continue;
        };
        match trouble(facts, found, warn) {
            Err(why) => undecided.push(format!("the row of {} {why}", destination.name())),
            Ok(None) => {}
            Ok(Some((says, ends))) => report.finding(
                Finding::on(destination.subject())
                    .says(says)
                    .expected(format!("a trusted certificate that is valid for {warn} days and more"))
                    .fill("host", destination.host())
                    .fill("ends", ends)
                    .fill("connection", &destination.users[0].name)
                    .evidence(facts.seen(
                        &CERTIFICATES,
                        json!({"notBefore": found.not_before, "notAfter": found.not_after, "trusted": found.trusted}),
                    )),
            ),
        }
    }
    settle(&undecided)
}

/// What is wrong with a certificate, and its end; or which of its cells says nothing.
fn trouble(
    facts: &Facts<'_>,
    found: &Certificate,
    warn: i64,
) -> Result<Option<(String, Timestamp)>, &'static str> {
    let ends = found.not_after.ok_or("has no Not After")?;
    let begins = found.not_before.ok_or("has no Not Before")?;
    let trusted = found.trusted.ok_or("does not say whether it is trusted")?;
    let says = if ends < facts.now() {
        format!("the certificate ended {ends}")
    } else if begins > facts.now() {
        format!("the certificate begins only {begins}")
    } else if !trusted {
        "the certificate is not trusted".to_owned()
    } else if -facts.days_since(ends) <= warn {
        format!("the certificate ends in {} days", -facts.days_since(ends))
    } else {
        return Ok(None);
    };
    Ok(Some((says, ends)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, connection: Value, destination: Value) -> Case {
        let mut row = json!({"id": 1, "name": "a", "enabled": true, "lastRunStatus": "Finished",
                             "lastRunTime": "2026-06-30T11:00:00Z"});
        for (key, value) in connection.as_object().unwrap() {
            row[key] = value.clone();
        }
        Case::of(check)
            .rows(&CONNECTIONS, json!([row]))
            .rows(
                &DETAILS,
                json!([{"id": 1, "streams": ["/v1/sources/savedquestions/1", "/v1/destinations/https/3"]}]),
            )
            .rows(
                &DESTINATIONS,
                json!([destination, {"_of": {"item": "sockets"}, "id": 3, "host": "other.example"}]),
            )
    }

    fn siem() -> Value {
        json!({"_of": {"item": "https"}, "id": 3, "name": "siem", "url": "https://siem.example/in", "password": "hunter2"})
    }

    #[test]
    fn a_destination_is_listed_with_a_state_that_changes_with_its_settings() {
        let verdict = case(&SETTINGS, json!({}), siem()).judge();
        verdict.assert_findings(&["https/3"]);
        let state = |destination| case(&SETTINGS, json!({}), destination).judge().findings()[0].state.clone();
        let mut moved = siem();
        moved["url"] = json!("https://elsewhere.example/in");
        assert_ne!(state(siem()), state(moved));
        let mut secret = siem();
        secret["password"] = json!("swordfish");
        assert_eq!(state(siem()), state(secret));
        assert!(!serde_json::to_string(verdict.findings()).unwrap().contains("hunter2"));
        case(&SETTINGS, json!({}), siem()).assert_needs_its_inputs();
    }

    #[test]
    fn a_destination_that_was_not_read_is_undecided() {
        let mut other = siem();
        other["id"] = json!(4);
        case(&SETTINGS, json!({}), other).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn reach(status: &str, entry: &str) -> Case {
        let run = json!({"id": 8, "connectionId": 1, "status": status, "createdAt": "2026-06-30T11:00:00Z"});
        case(&REACHABLE, json!({"lastRunStatus": status}), siem())
            .rows(&RUNS, json!([run]))
            .rows(&RUN_LOGS, json!([{"_of": {"connection": 1, "run": 8}, "msg": entry}]))
    }

    #[test]
    fn a_finished_run_shows_that_the_destination_answers() {
        reach("Finished", "").judge().assert_pass();
        case(&REACHABLE, json!({}), siem()).rows(&RUNS, json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn a_failure_that_names_the_host_is_found() {
        let verdict = reach("Failed", "Error: connect ETIMEDOUT siem.example:443").judge();
        verdict.assert_findings(&["https/3"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("failed=2026-06-30T11:00:00Z"));
    }

    #[test]
    fn a_failure_elsewhere_or_no_run_decides_nothing() {
        reach("Failed", "Error: the saved question is gone").judge().assert_undecided(Outcome::NotEvaluated);
        reach("Failed", "sending to siem.example").judge().assert_undecided(Outcome::NotEvaluated);
        let never = json!({"lastRunStatus": null, "lastRunTime": null});
        case(&REACHABLE, never, siem())
            .rows(&RUNS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn files_and_connections_that_are_off_have_no_server() {
        let file = json!({"_of": {"item": "https"}, "id": 3, "fileName": "out.csv"});
        case(&REACHABLE, json!({}), file)
            .rows(&RUNS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        let off = case(&REACHABLE, json!({"enabled": false}), siem()).rows(&RUNS, json!([]));
        off.judge().assert_undecided(Outcome::NotApplicable);
    }

    fn dated(row: Value) -> Case {
        case(&CERTIFICATE, json!({}), siem()).rows(&CERTIFICATES, json!([row]))
    }

    fn row(begins: &str, ends: &str, trusted: &str) -> Value {
        json!({"Destination": "siem.example", "Not Before": begins, "Not After": ends, "Trusted": trusted})
    }

    #[test]
    fn a_certificate_in_date_passes() {
        dated(row("2026-01-01", "2027-01-01", "yes")).judge().assert_pass();
        dated(row("2026-01-01", "2027-01-01", "yes")).assert_needs_its_inputs();
    }

    #[test]
    fn ended_not_begun_untrusted_and_ending_certificates_are_found() {
        for (begins, ends, trusted) in [
            ("2025-01-01", "2026-06-01", "yes"),
            ("2026-12-01", "2027-01-01", "yes"),
            ("2026-01-01", "2027-01-01", "no"),
            ("2026-01-01", "2026-07-20", "yes"),
        ] {
            dated(row(begins, ends, trusted)).judge().assert_findings(&["https/3"]);
        }
        dated(row("2026-01-01", "2026-07-20", "yes")).setting("warn_days", 10).judge().assert_pass();
    }

    #[test]
    fn missing_rows_and_cells_are_undecided_and_plain_http_does_not_apply() {
        for (begins, ends, trusted) in
            [("", "2027-01-01", "yes"), ("2026-01-01", "", "yes"), ("2026-01-01", "2027-01-01", "")]
        {
            dated(row(begins, ends, trusted)).judge().assert_undecided(Outcome::NotEvaluated);
        }
        dated(json!({"Destination": "other"})).judge().assert_undecided(Outcome::NotEvaluated);
        let mut plain = siem();
        plain["url"] = json!("http://siem.example/in");
        case(&CERTIFICATE, json!({}), plain).judge().assert_undecided(Outcome::NotApplicable);
    }
}
