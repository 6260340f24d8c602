//! Guide: *Rotate certificates for Tanium Console, Module Server, and API access*, page 44, and *Review all TPAN
//! findings*, page 15: the certificate of Console and API.

use crate::inputs::{
    CONSOLE, CONSOLE_ISSUER, Certificate, DOCUMENT, LOCK_OUT, ROTATE, ROTATION_DAYS, WARN_DAYS, WHO, aging,
    expected, of_console,
};
use crate::presented::{self, Leaf, Presented};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SERVER_INFO;

/// `certificates.console-rotation`
pub(crate) const ROTATION: Check = Check::automated("certificates.console-rotation")
    .title("The Console/API certificate is within its rotation policy")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&CONSOLE, &presented::CONSOLE, &SERVER_INFO])
    .settings(&[&ROTATION_DAYS, &WARN_DAYS])
    .guide(&[ROTATE])
    .what("Looks at the certificate that the Console presents where the configuration says that it is, and at the one that the server lists with its private key: they must not expire within `warn_days`, nor, where the organization has a policy, be older than `rotation_days`. Of several listed ones, the one that the Console presents counts.")
    .why("On the day it expires nobody signs in, no integration works, and modules lose the server.")
    .limits("A certificate's age begins with its issue, not with its installation. What stands between this machine and the server may present another certificate than it lists: both are judged then. Where nothing is presented to this machine and only some of several listed ones are due, it takes a look at the one that the browser shows.")
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
    let presented = Presented::of(facts, &presented::CONSOLE).leaves;
    let listed = of_console_listed(facts, &CONSOLE);
    let mut candidates = match (listed, presented.as_slice()) {
        // Who was seen needs no list and no answer.
        (Ok(None) | Err(_), [_, ..]) => Vec::new(),
        (Ok(None), []) => return told_by_a_person(facts, report),
        (listed, _) => listed?.unwrap_or_default(),
    };
    let own = |leaf: &Leaf| candidates.iter().any(|one| leaf.is(one));
    if !presented.is_empty() && presented.iter().all(own) {
        candidates.retain(|one| presented.iter().any(|leaf| leaf.is(one)));
    } else {
        presented_ages(facts, report, &presented, &candidates)?;
    }
    listed_ages(facts, report, &candidates)
}

/// The certificates of the list that may be the Console's; nothing where a person answered instead.
fn of_console_listed(
    facts: &Facts<'_>,
    input: &'static Input,
) -> Result<Option<Vec<Certificate>>, Undecided> {
    match facts.body(input)? {
        Body::Answer(_) => Ok(None),
        _ => of_console(facts, facts.rows(input)?).map(Some),
    }
}

/// Certificates that the Console presents and the server does not list.
fn presented_ages(
    facts: &Facts<'_>,
    report: &mut Report,
    presented: &[Leaf],
    listed: &[Certificate],
) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for leaf in presented.iter().filter(|leaf| !listed.iter().any(|one| leaf.is(one))) {
        if !listed.is_empty() {
            report.note(format!("the server does not list the certificate of the Console: {}", leaf.told()));
        }
        let subject = leaf.subject(listed);
        if let Some(end) = leaf.certificate.not_after {
            let series = format!("certificates.days-left.{}", subject.key);
            report.measure_against(&series, -facts.days_since(end) as f64, "days", 0.0);
        }
        match aging(facts, leaf.certificate.not_before, leaf.certificate.not_after) {
            Err(why) => unknown.push(format!("the {} {why}", subject.name)),
            Ok(None) => report.note(leaf.told()),
            Ok(Some(says)) => report.finding(
                Finding::on(subject)
                    .says(says)
                    .expected(expected(facts))
                    .evidence(facts.seen(&presented::CONSOLE, &leaf.certificate)),
            ),
        }
    }
    settle(&unknown)
}

fn told_by_a_person(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
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
    }
    Ok(())
}

/// Certificates of the list, of which one is the Console's.
fn listed_ages(
    facts: &Facts<'_>,
    report: &mut Report,
    certificates: &[Certificate],
) -> Result<(), Undecided> {
    let mut good = 0;
    let mut due = Vec::new();
    for certificate in certificates {
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
    .reads(&[&CONSOLE_ISSUER, &presented::CONSOLE, &SERVER_INFO])
    .settings(&[&ACCEPTED])
    .guide(&[guide("Review all TPAN findings", 15), ROTATE])
    .what("Compares the subject of the certificate that the Console presents, or else of the one that the server lists, with its issuer: equal names, or an issuer that is one of the certificate's own hosts, mean self-signed. That is a finding until `accepted` says that it was decided.")
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
    let presented = Presented::of(facts, &presented::CONSOLE).leaves;
    let listed = of_console_listed(facts, &CONSOLE_ISSUER).ok().flatten().unwrap_or_default();
    let subjects = match presented.as_slice() {
        [] => listed_or_told(facts)?,
        seen => {
            seen.iter().filter(|leaf| leaf.looks_self_signed()).map(|leaf| leaf.subject(&listed)).collect()
        }
    };
    if facts.flag(&ACCEPTED) {
        if !subjects.is_empty() {
            report.note("the certificate is self-signed, which `accepted` says was decided");
        }
        return Ok(());
    }
    let seen = if presented.is_empty() { &CONSOLE_ISSUER } else { &presented::CONSOLE };
    for subject in subjects {
        report.finding(
            Finding::on(subject)
                .says("is self-signed, and nobody decided about that")
                .expected("a certificate of your authority, or `accepted`")
                .evidence(facts.seen(seen, "self-signed")),
        );
    }
    Ok(())
}

/// What the list, or a person, says of self-signed certificates.
fn listed_or_told(facts: &Facts<'_>) -> Result<Vec<Subject>, Undecided> {
    Ok(match facts.body(&CONSOLE_ISSUER)? {
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presented::samples::{presents, refuses};
    use tancheck_plugin_api::records::probe::Probe;
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

    #[test]
    fn what_the_console_presents_counts() {
        let seen = |case: Case, probe: Probe| case.probes(&presented::CONSOLE, &[probe]);
        // It is one of the listed: the others are not the Console's.
        let two = || dated(json!([row("A", FAR, true), row("B", NEAR, true)]));
        seen(two(), presents("ts1", FAR)).judge().assert_pass();
        seen(dated(json!([row("A", NEAR, true), row("B", FAR, true)])), presents("ts1", NEAR))
            .judge()
            .assert_findings(&["a"]);
        seen(two(), refuses("ts1")).judge().assert_undecided(Outcome::NotEvaluated);
        // It is none of them: something stands in front of the server, and both have to be good.
        let other = |until: &str| {
            let mut probe = presents("ts1", until);
            probe.certificates[0].serial = "ff".to_owned();
            probe
        };
        let both = |listed: &str, presented: &str| {
            seen(dated(json!([row("A", listed, true)])), other(presented)).judge()
        };
        both(FAR, FAR).assert_pass();
        assert!(both(FAR, FAR).notes()[0].contains("does not list"));
        both(FAR, NEAR).assert_findings(&["5e".repeat(32).as_str()]);
        both(NEAR, FAR).assert_findings(&["a"]);
        // Without the list, it is enough.
        let unlisted = || Case::of(&ROTATION).unavailable(&CONSOLE, Outcome::NoPermission);
        seen(unlisted(), presents("ts1", FAR)).judge().assert_pass();
        seen(unlisted(), presents("ts1", NEAR)).judge().assert_findings(&["5e".repeat(32).as_str()]);
        seen(unlisted(), refuses("ts1")).judge().assert_undecided(Outcome::NoPermission);
        let old = Probe { at: Some("2026-05-01T00:00:00Z".parse().unwrap()), ..presents("ts1", FAR) };
        seen(unlisted(), old).judge().assert_undecided(Outcome::NoPermission);
        // What was seen comes before what was said.
        let said = Case::of(&ROTATION).answer(&CONSOLE, "2028-01-01");
        seen(said, presents("ts1", NEAR)).judge().assert_findings(&["5e".repeat(32).as_str()]);
    }

    #[test]
    fn a_presented_certificate_tells_who_signed_it() {
        let own = |issuer: &str| {
            let mut probe = presents("ts1.corp.example", FAR);
            probe.certificates[0].issuer = format!("CN={issuer}");
            Case::of(&SELF_SIGNED)
                .unavailable(&CONSOLE_ISSUER, Outcome::NoPermission)
                .probes(&presented::CONSOLE, &[probe])
        };
        own("Corp CA").judge().assert_pass();
        own("ts1.corp.example").judge().assert_findings(&["5e".repeat(32).as_str()]);
        own("ts1.corp.example").setting("accepted", true).judge().assert_pass();
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
