//! `connect.destination-certificate`: destination certificates are valid.

use super::{GUIDE, is_used};
use crate::inputs::{CONNECTIONS, DESTINATION_KINDS, DESTINATIONS, DETAILS, Destination};
use crate::inputs::{destinations, with_elements};
use serde_json::json;
use tancheck_plugin_api::prelude::*;

const WARN_DAYS: Setting = Setting::integer("warn_days", 30, 0, 365)
    .unit("days")
    .about("how long before its end the certificate of a destination is reported");

const CERTIFICATES: Input =
    Input::new("connect.destination-certificates", "validity of the certificates of destinations").sources(
        &[Source::export(
            "connect-destination-certificates.csv",
            "Modules > Connect > Connections",
            "for each destination that is reached by TLS write one row: its name or host; the two dates of \
             its certificate (openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout -dates -dateopt iso_8601, \
             on the Module Server); and yes or no, whether that command verified the certificate",
            &["Destination", "Not Before", "Not After", "Trusted"],
        )],
    );

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
    /// Whether the Module Server trusts it.
    #[serde(rename = "Trusted", deserialize_with = "lenient::flag")]
    trusted: Option<bool>,
}

impl Certificate {
    /// The certificate that Connect pinned to a destination; it is trusted because it is pinned.
    fn pinned(destination: &Destination) -> Option<Self> {
        let chain = x509_cert::Certificate::load_pem_chain(destination.pinned()?.as_bytes()).ok()?;
        let validity = chain.first()?.tbs_certificate().validity();
        let time = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
            Timestamp::from_second(seconds).ok()
        };
        Some(Self {
            destination: destination.name(),
            not_before: time(validity.not_before),
            not_after: time(validity.not_after),
            trusted: Some(true),
        })
    }
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
        "For each destination that an enabled connection reaches by TLS, takes the dates of its certificate \
         from the file that an administrator wrote, or else from the certificate that Connect pinned to it. \
         A certificate that has ended, has not begun, is not trusted, or ends within `warn_days` is a \
         finding. A destination with neither leaves the check undecided.",
    )
    .why("On the day after its end every connection to that destination fails at once.")
    .limits(
        "The dates are those of the day the file was written, or the certificate pinned: write the file \
         anew after a renewal. Nothing is sent to the destination, so a certificate that was exchanged \
         since is not seen. Mail servers that begin TLS only after a greeting (STARTTLS) are not recognized \
         as TLS destinations.",
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
        "openssl s_client -connect {host}:PORT </dev/null | openssl x509 -noout -dates -dateopt iso_8601",
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
    // Where every certificate is pinned, nobody has to write a file.
    let written: Result<Vec<Certificate>, Undecided> = facts.rows(&CERTIFICATES);
    for destination in by_tls {
        let names = [destination.name(), destination.host()];
        let is_its =
            |one: &&Certificate| names.iter().any(|name| name.eq_ignore_ascii_case(one.destination.trim()));
        let row = written.iter().flatten().find(is_its).cloned();
        let (found, input) = match (row, Certificate::pinned(destination)) {
            (Some(row), _) => (row, &CERTIFICATES),
            (None, Some(pinned)) => (pinned, &DESTINATIONS),
            (None, None) => {
                let why = written.as_ref().err().map_or("has no row for it", |why| why.reason.as_str());
                undecided.push(format!(
                    "no certificate is pinned to {}, and connect-destination-certificates.csv: {why}",
                    destination.name()
                ));
                continue;
            }
        };
        match trouble(facts, &found, warn) {
            Err(why) => undecided.push(format!("the certificate of {} {why}", destination.name())),
            Ok(None) => {}
            Ok(Some((says, ends))) => report.finding(
                Finding::on(destination.subject())
                    .says(says)
                    .expected(format!("a trusted certificate that is valid for {warn} days and more"))
                    .fill("host", destination.host())
                    .fill("ends", ends)
                    .fill("connection", &destination.users[0].name)
                    .evidence(facts.seen(
                        input,
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
    use super::super::fixtures::{case, siem};
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn dated(row: Value) -> Case {
        case(&CERTIFICATE, json!({}), siem()).rows(&CERTIFICATES, json!([row]))
    }

    fn row(begins: &str, ends: &str, trusted: &str) -> Value {
        json!({"Destination": "siem.example", "Not Before": begins, "Not After": ends, "Trusted": trusted})
    }

    #[test]
    fn a_certificate_in_date_passes() {
        dated(row("2026-01-01", "2027-01-01", "yes")).judge().assert_pass();
        // As `openssl x509 -dates -dateopt iso_8601` writes it.
        dated(row("2026-01-01 00:00:00Z", "2027-01-01 12:30:05Z", "yes")).judge().assert_pass();
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

    /// Valid from 2026-11-22 to 2036-11-19.
    const PINNED: &str = include_str!("../../tests/pinned.pem");

    fn pinned(cert: &str, now: &str) -> Case {
        let mut destination = siem();
        destination["cert"] = json!(cert);
        case(&CERTIFICATE, json!({}), destination).at(now)
    }

    #[test]
    fn a_pinned_certificate_needs_no_file() {
        let good = pinned(PINNED, "2030-01-01T00:00:00Z");
        good.judge().assert_pass();
        good.assert_needs_its_inputs();
        for wrong in ["2026-06-30T00:00:00Z", "2036-11-01T00:00:00Z", "2037-01-01T00:00:00Z"] {
            pinned(PINNED, wrong).judge().assert_findings(&["https/3"]);
        }
    }

    #[test]
    fn a_written_row_is_newer_than_what_is_pinned() {
        let renewed = pinned(PINNED, "2037-01-01T00:00:00Z");
        renewed.rows(&CERTIFICATES, json!([row("2036-10-01", "2038-01-01", "yes")])).judge().assert_pass();
    }

    #[test]
    fn what_is_pinned_and_no_certificate_decides_nothing() {
        pinned("-----BEGIN CERTIFICATE-----", "2030-01-01T00:00:00Z")
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }
}
