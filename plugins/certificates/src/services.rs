//! Guide: *Rotate certificates for Tanium Console, Module Server, and API access*, page 44: the Module Server, and the
//! services of solutions.

use crate::inputs::{
    CERTIFICATES, Certificate, DOCUMENT, LOCK_OUT, ROTATE, ROTATION_DAYS, WARN_DAYS, WHO, aging, expected,
    module_server_serials,
};
use crate::presented::{self, MODULE_SERVER_HOSTS, Presented, SERVICE_HOSTS};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SERVER_INFO;

/// What a person can read off on the Module Server.
pub(crate) const MODULE_SERVER_DATES: Input =
    Input::new("certificates.module-server-dates", "dates of the Module Server's certificate").sources(&[
        Source::answer(
            "From when until when is the certificate of the Module Server valid? Two dates, such as 2026-01-01 2028-01-01",
            Accepts::Text,
            30,
        ),
    ]);

/// `certificates.module-server-rotation`
pub(crate) const MODULE_SERVER: Check = Check::automated("certificates.module-server-rotation")
    .title("The Module Server certificate is within its rotation policy")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&presented::MODULE_SERVER, &CERTIFICATES, &SERVER_INFO, &MODULE_SERVER_DATES])
    .settings(&[&MODULE_SERVER_HOSTS, &ROTATION_DAYS, &WARN_DAYS])
    .guide(&[ROTATE])
    .what("Probes each of `module_server_hosts`. Where none is named, or one was not seen, takes the serial number of the Module Server's certificate from the server's diagnostics, and the dates from the list of certificates; where the list does not hold it, an answer with its dates counts. It must not expire within `warn_days`, nor be older than `rotation_days`.")
    .why("With that certificate every module stands still.")
    .limits("The diagnostics tell no dates. A certificate's age begins with its issue, not with its installation.")
    .applies("not on Tanium Cloud")
    .related(&["health-check.module-server-connected", "certificates.console-rotation"])
    .remedy(&MODULE_SERVER_REMEDY)
    .judge(module_server);

const MODULE_SERVER_REMEDY: Remedy = Remedy::new(&[
    Step::consult(DOCUMENT, "replace certificate and key of the Module Server as described there"),
    Step::console(
        "Administration > Management > Solutions",
        "see that the modules are there: the Module Server is connected",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[LOCK_OUT])
.references(&[DOCUMENT])
.verify("health-check.module-server-connected");

fn module_server(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let listed: Result<Vec<Certificate>, Undecided> = facts.rows(&CERTIFICATES);
    let presented = Presented::of(facts, &presented::MODULE_SERVER);
    let known = listed.as_ref().map(Vec::as_slice).unwrap_or_default();
    judge_presented(facts, report, &presented::MODULE_SERVER, &presented, known)?;
    if !presented.leaves.is_empty() && presented.unseen.is_empty() {
        return Ok(());
    }
    let serials = module_server_serials(facts);
    if let (Ok(listed), Ok(serials)) = (&listed, &serials) {
        let is_its =
            |one: &&Certificate| serials.iter().any(|serial| serial.eq_ignore_ascii_case(&one.serial));
        let own: Vec<&Certificate> = listed.iter().filter(is_its).collect();
        if !own.is_empty() {
            let judged: Vec<Dated<'_>> = own.into_iter().map(Dated::of).collect();
            return judge_all(facts, report, &CERTIFICATES, &judged);
        }
    }
    if let Ok(answer) = facts.answer(&MODULE_SERVER_DATES) {
        let text = answer.value.as_str().unwrap_or_default();
        let dates: Vec<Timestamp> =
            text.split_whitespace().filter_map(|date| lenient::parse_time(date).ok().flatten()).collect();
        let &[not_before, not_after] = &dates[..] else {
            return Err(Undecided::not_evaluated(format!("the answer {text:?} does not hold two dates")));
        };
        let subject = Subject::new("certificate", "module-server", "certificate of the Module Server");
        let told = Dated { subject, name: "module-server", from: Some(not_before), until: Some(not_after) };
        return judge_all(facts, report, &MODULE_SERVER_DATES, &[told]);
    }
    let serials = serials?;
    listed?;
    Err(Undecided::not_evaluated(match serials.is_empty() {
        true => {
            "the diagnostics show no certificate of the Module Server; answer certificates.module-server-dates"
        }
        false => {
            "the list of certificates does not hold that of the Module Server; answer certificates.module-server-dates"
        }
    }))
}

/// What listeners present; of those that were not seen, it says so.
fn judge_presented(
    facts: &Facts<'_>,
    report: &mut Report,
    input: &'static Input,
    presented: &Presented,
    listed: &[Certificate],
) -> Result<(), Undecided> {
    for unseen in presented.unseen.iter().filter(|_| facts.body(input).is_ok()) {
        report.note(format!("not seen: {unseen}"));
    }
    let dated = presented.leaves.iter().map(|leaf| Dated {
        subject: leaf.subject(listed),
        name: &leaf.listener,
        from: leaf.certificate.not_before,
        until: leaf.certificate.not_after,
    });
    judge_all(facts, report, input, &dated.collect::<Vec<_>>())
}

/// A certificate with its dates.
struct Dated<'a> {
    subject: Subject,
    name: &'a str,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl<'a> Dated<'a> {
    fn of(certificate: &'a Certificate) -> Self {
        Self {
            subject: certificate.subject(),
            name: &certificate.subject.common_name,
            from: certificate.not_before_time,
            until: certificate.not_after_time,
        }
    }
}

fn judge_all(
    facts: &Facts<'_>,
    report: &mut Report,
    input: &'static Input,
    all: &[Dated<'_>],
) -> Result<(), Undecided> {
    let mut unknown = Vec::new();
    for one in all {
        match aging(facts, one.from, one.until) {
            Err(why) => unknown.push(format!("the certificate of {} {why}", one.name)),
            Ok(None) => {}
            Ok(Some(says)) => report.finding(
                Finding::on(one.subject.clone())
                    .says(&says)
                    .expected(expected(facts))
                    .confirms(one.until.map(|until| until.to_string()).unwrap_or_default())
                    .fill("service", one.name)
                    .evidence(
                        facts
                            .seen(input, [one.from, one.until].map(|time| time.map(|time| time.to_string()))),
                    ),
            ),
        }
    }
    settle(&unknown)
}

/// What an administrator wrote down: no public list tells which service uses which certificate.
pub(crate) const SERVICE_CERTIFICATES: Input =
    Input::new("certificates.services", "certificates of solution services").sources(&[Source::export(
        "solution-service-certificates.csv",
        "the services of solutions, as a browser or openssl shows their certificates",
        "write down one row for each service",
        &["Service", "Host", "Port", "Not Before", "Not After"],
    )]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Service {
    #[serde(rename = "Service", deserialize_with = "lenient::text")]
    service: String,
    #[serde(rename = "Host", deserialize_with = "lenient::text")]
    host: String,
    #[serde(rename = "Port", deserialize_with = "lenient::text")]
    port: String,
    #[serde(rename = "Not Before", deserialize_with = "lenient::time")]
    not_before: Option<Timestamp>,
    #[serde(rename = "Not After", deserialize_with = "lenient::time")]
    not_after: Option<Timestamp>,
}

/// `certificates.solution-services-rotation`
pub(crate) const SOLUTION_SERVICES: Check = Check::hybrid("certificates.solution-services-rotation")
    .title("Certificates of solution services are within the rotation policy")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&presented::SERVICES, &SERVICE_CERTIFICATES, &CERTIFICATES])
    .settings(&[&SERVICE_HOSTS, &ROTATION_DAYS, &WARN_DAYS])
    .guide(&[ROTATE])
    .what("Probes each of `solution_services`, and judges each certificate of an exported list of services: it must not expire within `warn_days`, nor be older than `rotation_days`. Without either, it judges the server's own certificates with a private key, which module services use as well.")
    .why("A service with an expired certificate fails the solution that depends on it, and little points to the cause.")
    .limits("The vendor does not list which service uses which certificate.")
    .applies("not on Tanium Cloud")
    .related(&["certificates.module-server-rotation"])
    .remedy(&SOLUTION_SERVICES_REMEDY)
    .judge(solution_services);

const SOLUTION_SERVICES_REMEDY: Remedy = Remedy::new(&[
    Step::consult(DOCUMENT, "replace the certificate of {service} as described there"),
    Step::console(
        "Modules",
        "open the workbench of each solution that uses the service, and see that it works",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Yes)
.cautions(&[LOCK_OUT])
.references(&[DOCUMENT]);

fn solution_services(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let presented = Presented::of(facts, &presented::SERVICES);
    judge_presented(facts, report, &presented::SERVICES, &presented, &[])?;
    if let Ok(services) = facts.rows::<Service>(&SERVICE_CERTIFICATES)
        && !services.is_empty()
    {
        let dated = |one: &Service| Dated {
            subject: Subject::new(
                "service",
                format!("{}/{}:{}", one.service, one.host, one.port),
                format!("{} on {}:{}", one.service, one.host, one.port),
            ),
            name: "a service",
            from: one.not_before,
            until: one.not_after,
        };
        let all: Vec<Dated<'_>> =
            services.iter().map(|one| Dated { name: &one.service, ..dated(one) }).collect();
        return judge_all(facts, report, &SERVICE_CERTIFICATES, &all);
    }
    if facts.body(&presented::SERVICES).is_ok() && !facts.list(&SERVICE_HOSTS).is_empty() {
        return settle(&presented.unseen);
    }
    let certificates: Vec<Certificate> = facts.rows(&CERTIFICATES)?;
    let own: Vec<Dated<'_>> =
        certificates.iter().filter(|one| one.matches_private_key_flag == Some(true)).map(Dated::of).collect();
    if own.is_empty() {
        return Err(Undecided::not_evaluated(
            "no certificate of the list has its private key on the server; write down solution-service-certificates.csv",
        ));
    }
    judge_all(facts, report, &CERTIFICATES, &own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presented::samples::{presents, refuses};
    use tancheck_plugin_api::records::probe::Probe;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    const FAR: &str = "2028-01-01T00:00:00Z";
    const NEAR: &str = "2026-07-15T00:00:00Z";

    fn listed(check: &'static Check, serial: &str, not_after: &str) -> Case {
        let row = json!({"serial": serial, "sha256_fingerprint": "f", "matches_private_key_flag": true,
            "not_before_time": "2026-01-01T00:00:00Z", "not_after_time": not_after, "subject": {"common_name": "ms1"}});
        Case::of(check).rows(&CERTIFICATES, json!([row]))
    }

    fn seen(case: Case, serial: &str) -> Case {
        let details = json!({"CertificateDetails": {"SerialNumber": serial, "Subject": "/CN=ms1"}});
        let cache = json!({"ms1:17477_Certificate": details, "ms1:17477_Connected": "Success"});
        case.object(&SERVER_INFO, json!({"Diagnostics": {"Module_Cache": cache}}))
    }

    #[test]
    fn the_module_servers_certificate_is_found_by_its_serial() {
        let case = |serial, not_after| seen(listed(&MODULE_SERVER, "AB", not_after), serial);
        case("ab", FAR).judge().assert_pass();
        case("ab", FAR).assert_needs_its_inputs();
        case("ab", NEAR).judge().assert_findings(&["f"]);
        case("ab", FAR).setting("rotation_days", 90).judge().assert_findings(&["f"]);
        case("cd", NEAR).judge().assert_undecided(Outcome::NotEvaluated);
        listed(&MODULE_SERVER, "AB", NEAR)
            .object(&SERVER_INFO, json!({}))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_person_may_tell_the_dates() {
        let told = |text: &str| {
            seen(listed(&MODULE_SERVER, "AB", FAR), "cd").answer(&MODULE_SERVER_DATES, text).judge()
        };
        told("2026-01-01 2028-01-01").assert_pass();
        told("2026-01-01 2026-07-15").assert_findings(&["module-server"]);
        told("soon").assert_undecided(Outcome::NotEvaluated);
    }

    fn written(rows: Value) -> Case {
        Case::of(&SOLUTION_SERVICES).rows(&SERVICE_CERTIFICATES, rows)
    }

    #[test]
    fn services_are_judged_by_the_list() {
        let row = |until: &str| json!([{"Service": "Reporting", "Host": "ms1", "Port": "443", "Not Before": "2026-01-01", "Not After": until}]);
        written(row("2028-01-01")).judge().assert_pass();
        written(row("2028-01-01")).assert_needs_its_inputs();
        written(row("2026-07-15")).judge().assert_findings(&["Reporting/ms1:443"]);
        written(row("")).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_a_list_the_servers_own_count() {
        listed(&SOLUTION_SERVICES, "AB", FAR).judge().assert_pass();
        listed(&SOLUTION_SERVICES, "AB", NEAR).judge().assert_findings(&["f"]);
        Case::of(&SOLUTION_SERVICES)
            .rows(&CERTIFICATES, json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn what_the_module_server_presents_counts() {
        let seen = |probes: &[Probe], not_after| {
            seen(listed(&MODULE_SERVER, "AB", not_after), "ab")
                .probes(&presented::MODULE_SERVER, probes)
                .judge()
        };
        seen(&[presents("ms1", FAR)], FAR).assert_pass();
        seen(&[presents("ms1", NEAR)], FAR).assert_findings(&["5e".repeat(32).as_str()]);
        // It is what counts: the list may hold an old one.
        seen(&[presents("ms1", FAR)], NEAR).assert_pass();
        // One that was not seen leaves it to the list.
        let partly = seen(&[presents("ms1", FAR), refuses("ms2")], NEAR);
        partly.assert_findings(&["f"]);
        assert!(partly.notes()[0].contains("not seen: ms2:443 refuses"), "{:?}", partly.notes());
        seen(&[refuses("ms1")], FAR).assert_pass();
        seen(&[], FAR).assert_pass();
    }

    #[test]
    fn services_are_probed_where_they_are_named() {
        let case = |probes: &[Probe]| {
            let hosts: Vec<&str> = probes.iter().map(|probe| probe.host.as_str()).collect();
            listed(&SOLUTION_SERVICES, "AB", FAR)
                .setting("solution_services", hosts)
                .probes(&presented::SERVICES, probes)
        };
        case(&[presents("trends", FAR)]).judge().assert_pass();
        case(&[presents("trends", NEAR)]).judge().assert_findings(&["5e".repeat(32).as_str()]);
        // The list of the server stands for nobody who is named and was not seen.
        case(&[presents("trends", FAR), refuses("connect")]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&[]).judge().assert_pass();
    }
}
