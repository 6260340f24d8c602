//! Guide: *Rotate certificates for Tanium Console, Module Server, and API access*, page 44, and *Review all TPAN
//! findings*, page 15: the certificate of Console and API.

use crate::inputs::{
    CONSOLE, CONSOLE_ISSUER, Certificate, DOCUMENT, LOCK_OUT, ROTATE, ROTATION_DAYS, WARN_DAYS, WHO, aging,
    expected, of_console,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SERVER_INFO;

/// `certificates.console-rotation`
pub(crate) const ROTATION: Check = Check::automated("certificates.console-rotation")
    .title("The Console/API certificate is within its rotation policy")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&CONSOLE, &SERVER_INFO])
    .settings(&[&ROTATION_DAYS, &WARN_DAYS])
    .guide(&[ROTATE])
    .what("Looks at the certificate that the server lists with its private key: it must not expire within `warn_days`, nor, where the organization has a policy, be older than `rotation_days`.")
    .why("On the day it expires nobody signs in, no integration works, and modules lose the server.")
    .limits("A certificate's age begins with its issue, not with its installation. A load balancer may present another certificate than the server lists. Where several are listed and only some are due, it takes a look at the one that the browser shows.")
    .applies("not on Tanium Cloud")
    .related(&["certificates.console-self-signed", "certificates.key-mismatch"])
    .remedy(&ROTATION_REMEDY)
    .judge(rotation);

const ROTATION_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the certificate authority, or the network security team",
        "order a certificate for the same names",
    ),
    Step::consult(DOCUMENT, "replace certificate and key as described there"),
    Step::console(
        "Main menu",
        "sign in again; see that the Console, an API call and a module's workbench work",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[LOCK_OUT])
.references(&[DOCUMENT]);

fn rotation(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if let Body::Answer(answer) = facts.body(&CONSOLE)? {
        let not_after = answer.value.as_str().and_then(|text| lenient::parse_time(text).ok().flatten());
        let due = aging_of_answer(facts, not_after)?;
        if let Some(says) = due {
            report.finding(
                Finding::on(Subject::new("certificate", "console", "certificate of the Console"))
                    .says(says)
                    .expected(expected(facts))
                    .evidence(facts.seen(&CONSOLE, &answer.value)),
            );
        }
        return Ok(());
    }
    let certificates = of_console(facts, facts.rows(&CONSOLE)?)?;
    let mut good = 0;
    let mut due = Vec::new();
    for certificate in &certificates {
        if let Some(end) = certificate.not_after_time {
            let series = format!("certificates.days-left.{}", certificate.subject().key);
            report.measure_against(&series, -facts.days_since(end) as f64, "days", 0.0);
        }
        match aging(facts, certificate.not_before_time, certificate.not_after_time) {
            Err(why) => {
                return Err(Undecided::not_evaluated(format!("the {} {why}", certificate.subject().name)));
            }
            Ok(None) => good += 1,
            Ok(Some(says)) => due.push((certificate, says)),
        }
    }
    if good > 0 && !due.is_empty() {
        return Err(Undecided::not_evaluated(format!(
            "{} of {} certificates with a private key are due; look in the browser which one the Console presents",
            due.len(),
            certificates.len()
        )));
    }
    for (certificate, says) in due {
        report.finding(about(facts, &CONSOLE, certificate, says).expected(expected(facts)));
    }
    Ok(())
}

/// A person tells the end alone; with a policy on the age that is not enough, unless it is due anyway.
fn aging_of_answer(facts: &Facts<'_>, not_after: Option<Timestamp>) -> Result<Option<String>, Undecided> {
    let told = aging(facts, None, not_after);
    told.map_err(|why| Undecided::not_evaluated(format!("the certificate of the Console {why}")))
}

fn about(facts: &Facts<'_>, input: &'static Input, certificate: &Certificate, says: String) -> Finding {
    Finding::on(certificate.subject()).says(says).evidence(facts.seen(input, certificate.dates()))
}

const ACCEPTED: Setting = Setting::flag("accepted", false)
    .about("whether the organization decided to keep a self-signed certificate for the Console");

/// `certificates.console-self-signed`
pub(crate) const SELF_SIGNED: Check = Check::automated("certificates.console-self-signed")
    .title("Use of a self-signed Console certificate is decided")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&CONSOLE_ISSUER, &SERVER_INFO])
    .settings(&[&ACCEPTED])
    .guide(&[guide("Review all TPAN findings", 15), ROTATE])
    .what("Compares the subject of the Console's certificate with its issuer: equal names, or an issuer that is one of the certificate's own hosts, mean self-signed. That is a finding until `accepted` says that it was decided.")
    .why("People who learn to click warnings away click the wrong one away, too.")
    .limits("Names are a hint: only the signature proves it. The TPAN finding of the same name has no public format.")
    .applies("not on Tanium Cloud")
    .related(&["health-check.tpan-low", "certificates.console-rotation"])
    .remedy(&SELF_SIGNED_REMEDY)
    .judge(self_signed);

const SELF_SIGNED_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the network security team", "whether the Console may keep a self-signed certificate"),
    Step::decision("it may", "set `accepted = true` under [modules.certificates]"),
    Step::consult(
        DOCUMENT,
        "otherwise replace it by one that your certificate authority signed, as described there",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[LOCK_OUT])
.references(&[DOCUMENT]);

fn self_signed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let subjects = match facts.body(&CONSOLE_ISSUER)? {
        Body::Answer(answer) if answer.value == true => {
            vec![Subject::new("certificate", "console", "certificate of the Console")]
        }
        Body::Answer(_) => Vec::new(),
        _ => {
            let certificates = of_console(facts, facts.rows(&CONSOLE_ISSUER)?)?;
            if let Some(nameless) = certificates.iter().find(|one| one.issuer.common_name.is_empty()) {
                let name = nameless.subject().name;
                return Err(Undecided::not_evaluated(format!("the {name} tells no issuer")));
            }
            certificates.iter().filter(|one| one.looks_self_signed()).map(Certificate::subject).collect()
        }
    };
    if facts.flag(&ACCEPTED) {
        if !subjects.is_empty() {
            report.note("the certificate is self-signed, which `accepted` says was decided");
        }
        return Ok(());
    }
    for subject in subjects {
        report.finding(
            Finding::on(subject)
                .says("is self-signed, and nobody decided about that")
                .expected("a certificate of your authority, or `accepted`")
                .evidence(facts.seen(&CONSOLE_ISSUER, "self-signed")),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(serial: &str, not_after: &str, with_key: bool) -> Value {
        json!({"serial": serial, "sha256_fingerprint": serial.to_lowercase(), "matches_private_key_flag": with_key,
            "not_before_time": "2026-01-01T00:00:00Z", "not_after_time": not_after,
            "subject": {"common_name": "ts1.corp.example"}, "issuer": {"common_name": "Corp CA"},
            "subject_alternative_names": ["ts1.corp.example"]})
    }

    fn dated(rows: Value) -> Case {
        Case::of(&ROTATION).rows(&CONSOLE, rows)
    }

    const FAR: &str = "2028-01-01T00:00:00Z";
    const NEAR: &str = "2026-07-15T00:00:00Z";

    #[test]
    fn certificates_are_due_before_they_expire() {
        dated(json!([row("A", FAR, true)])).judge().assert_pass();
        dated(json!([row("A", FAR, true)])).assert_needs_its_inputs();
        dated(json!([row("A", NEAR, true)])).judge().assert_findings(&["a"]);
        dated(json!([row("A", "2026-06-01T00:00:00Z", true)])).judge().assert_findings(&["a"]);
        dated(json!([row("A", "2026-07-30T12:00:00Z", true)])).judge().assert_pass();
        dated(json!([row("A", NEAR, true)])).setting("warn_days", 7).judge().assert_pass();
        let aged = dated(json!([row("A", FAR, true)]));
        aged.clone().setting("rotation_days", 181).judge().assert_pass();
        aged.setting("rotation_days", 90).judge().assert_findings(&["a"]);
    }

    #[test]
    fn which_of_several_is_the_consoles_may_be_unknown() {
        dated(json!([row("A", FAR, true), row("B", NEAR, false)])).judge().assert_pass();
        dated(json!([row("A", FAR, true), row("B", NEAR, true)]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        dated(json!([row("A", FAR, false)])).judge().assert_undecided(Outcome::NotEvaluated);
        dated(json!([row("A", "", true)])).judge().assert_undecided(Outcome::NotEvaluated);
        let info = json!({"Diagnostics": {"Module_Cache": {"ms1:17477_Certificate": {"CertificateDetails": {"SerialNumber": "b"}}}}});
        dated(json!([row("A", FAR, true), row("B", NEAR, true)]))
            .object(&SERVER_INFO, info)
            .judge()
            .assert_pass();
    }

    #[test]
    fn a_person_may_tell_the_end() {
        let told = |date: &str| Case::of(&ROTATION).answer(&CONSOLE, date);
        told("2028-01-01").judge().assert_pass();
        told("2026-07-15").judge().assert_findings(&["console"]);
        told("2028-01-01").setting("rotation_days", 90).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn issued(by: Value) -> Case {
        let mut one = row("A", FAR, true);
        one["issuer"] = by;
        Case::of(&SELF_SIGNED).rows(&CONSOLE_ISSUER, json!([one]))
    }

    #[test]
    fn self_signed_certificates_are_found_until_accepted() {
        issued(json!({"common_name": "Corp CA"})).judge().assert_pass();
        issued(json!({"common_name": "Corp CA"})).assert_needs_its_inputs();
        issued(json!({"common_name": "ts1.corp.example"})).judge().assert_findings(&["a"]);
        issued(json!({"common_name": "TS1.corp.example", "organization": "Corp"}))
            .judge()
            .assert_findings(&["a"]);
        issued(json!({"common_name": "ts1.corp.example"})).setting("accepted", true).judge().assert_pass();
        issued(json!({"common_name": ""})).judge().assert_undecided(Outcome::NotEvaluated);
        let told = |yes: bool| Case::of(&SELF_SIGNED).answer(&CONSOLE_ISSUER, yes);
        told(true).judge().assert_findings(&["console"]);
        told(false).judge().assert_pass();
    }
}
