//! Product integration: what each product loses while Direct Connect does not work. The causes are checks of their own;
//! these findings name the function that is lost, for the people who only know the product.

use crate::causes::{BASES, Base};
use crate::chapters::INTEGRATION;
use crate::inputs::answers::OPEN_STEPS;
use crate::inputs::pages::SERVERS;
use crate::inputs::platform::{MODULE, SERVICE, imported};
use crate::probe::certificates::{CLIENT_DATE, HIGH_DAYS, LOW_DAYS, MEDIUM_DAYS, SERVER_DATE};
use crate::probe::{ENDPOINT_FQDN, ENDPOINT_PORT, EVIDENCE_DAYS, MODULE as LISTENER};
use crate::{presence, setup, versions};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, GROUPS};
use tancheck_plugin_api::records::server::{SERVER_INFO, SOLUTIONS};

const REMEDY: Remedy = Remedy::new(&[
    Step::command("tancheck explain {cause}", "what is wrong and what to do: repair this first"),
    Step::console(
        crate::inputs::HOME,
        "section Connection Test: afterwards, test the connection to one endpoint",
    ),
    Step::consult("the users of {subject}", "until then: {loss}"),
])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Product integration"]);

const READS: &[&Input] = &[
    &SOLUTIONS,
    &SERVER_INFO,
    &SERVERS,
    &SERVICE,
    &OPEN_STEPS,
    &LISTENER,
    &SERVER_DATE,
    &CLIENT_DATE,
    &ACTION_GROUPS,
    &GROUPS,
];
const SETTINGS: &[&Setting] = &[
    &versions::REQUIREMENTS,
    &presence::PROBE_HOST,
    &ENDPOINT_FQDN,
    &ENDPOINT_PORT,
    &EVIDENCE_DAYS,
    &HIGH_DAYS,
    &MEDIUM_DAYS,
    &LOW_DAYS,
    &setup::ACTION_GROUP,
];

macro_rules! integrations {
    ($($check:ident = $id:literal, $product:literal, $loss:literal;)*) => {
        $(pub(crate) const $check: Check = Check::automated($id)
            .title(concat!($product, " can connect to endpoints"))
            .cadence(&[Cadence::Monthly])
            .severity(Severity::High)
            .reads(READS)
            .settings(SETTINGS)
            .guide(INTEGRATION)
            .even_if_absent()
            .applies(concat!($product, " imported"))
            .what(concat!("While ", $product, " is imported: looks whether Direct Connect is imported, on supported servers, running, set up, reached on its port by TLS 1.2, with certificates that have not expired, and deployed to endpoints. The first of these that fails is named."))
            .why(concat!("Otherwise people lose this: ", $loss, "."))
            .limits("What the check of a cause cannot decide is not decided here either: a probe from a place that proves nothing, or a date that nobody told.")
            .related(&["direct-connect.service-running", "direct-connect.port-module-17475", "direct-connect.cert-client-expiry", "direct-connect.action-group-target"])
            .caused_by(crate::BROKEN)
            .remedy(&REMEDY)
            .judge(|facts, report| integration(facts, report, $product, $loss));)*
    };
}

integrations! {
    CLIENT_MANAGEMENT = "direct-connect.integration-client-management", "Client Management",
        "the client health of single endpoints cannot be read";
    PERFORMANCE = "direct-connect.integration-performance", "Performance",
        "the history of processes on single endpoints cannot be seen";
    PROTECT = "direct-connect.integration-protect", "Protect",
        "keys of encrypted disks cannot be retrieved from endpoints";
    REVEAL = "direct-connect.integration-reveal", "Reveal",
        "files that match rules and patterns cannot be viewed on endpoints";
    THREAT_RESPONSE = "direct-connect.integration-threat-response", "Threat Response",
        "live endpoints cannot be connected to or explored";
}

fn integration(facts: &Facts<'_>, report: &mut Report, product: &str, loss: &str) -> Result<(), Undecided> {
    if imported(facts, product)?.is_none() {
        return Err(facts.absent(&SOLUTIONS, format!("{product} is not imported")));
    }
    let is_there = imported(facts, MODULE)?.is_some();
    let mut undecided = Vec::new();
    for Base { check, judge, least } in BASES {
        let mut own = Report::default();
        if let Err(reason) = judge(facts, &mut own) {
            undecided.push(reason);
        }
        let is_bad = |finding: &&Finding| finding.severity.is_none_or(|severity| severity >= least);
        if let Some(finding) = own.findings.iter().find(is_bad) {
            // What a check calls less than the worst leaves a way for some.
            let partly = finding.severity.is_some_and(|severity| severity < Severity::Critical);
            let extent =
                if partly { "cannot connect to every endpoint" } else { "cannot connect to endpoints" };
            report.finding(
                Finding::on(Subject::new("module", product.to_lowercase().replace(' ', "-"), product))
                    .says(format!("{extent} ({loss}): {} {}", finding.subject.name, finding.says))
                    .expected("a Direct Connect that works")
                    .fill("cause", check)
                    .fill("loss", loss)
                    .evidence(
                        finding.evidence.first().cloned().unwrap_or_else(|| facts.seen(&SOLUTIONS, product)),
                    ),
            );
            return Ok(());
        }
        if !is_there {
            break;
        }
    }
    undecided.into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::samples::{failed, refused, seen};
    use tancheck_plugin_api::records::probe::{Probe, Stage, Trouble, Vantage};
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, solutions: &[&str], steps: &str, group: u64) -> Case {
        let solutions: Vec<Value> =
            solutions.iter().map(|name| json!({"name": name, "imported_version": "1.5.12"})).collect();
        Case::of(check)
            .rows(&SOLUTIONS, solutions.into())
            .object(&SERVER_INFO, json!({"Diagnostics": {"Settings": {"Version": "7.4.2.2033"}}}))
            .rows(&SERVERS, json!([]))
            .rows(&SERVICE, json!([]))
            .answer(&OPEN_STEPS, steps)
            .probes(&LISTENER, &[seen(17475, Vantage::EndpointInternal)])
            .answer(&CLIENT_DATE, "2027-06-30")
            .rows(
                &ACTION_GROUPS,
                json!([{"id": 9, "name": "Tanium Direct Connect", "groups": [{"id": group}]}]),
            )
            .rows(&GROUPS, json!([{"id": 1, "name": "All Computers"}, {"id": 2, "name": "No Computers"}]))
    }

    #[test]
    fn a_product_that_can_connect_passes_and_others_name_the_cause() {
        for (check, product, key) in [
            (&CLIENT_MANAGEMENT, "Client Management", "client-management"),
            (&PERFORMANCE, "Performance", "performance"),
            (&PROTECT, "Protect", "protect"),
            (&REVEAL, "Reveal", "reveal"),
            (&THREAT_RESPONSE, "Threat Response", "threat-response"),
        ] {
            let both = ["Tanium Direct Connect", product];
            case(check, &both, "none", 1).judge().assert_pass();
            case(check, &both, "none", 1).assert_needs_its_inputs();
            let cause = |case: Case| {
                let verdict = case.judge();
                verdict.assert_findings(&[key]);
                verdict.findings()[0].values["cause"].clone()
            };
            assert_eq!(cause(case(check, &both, "none", 2)), "direct-connect.action-group-target");
            assert_eq!(cause(case(check, &both, "several", 2)), "direct-connect.setup-complete");
            assert_eq!(cause(case(check, &[product], "none", 1)), "direct-connect.installed");
            case(check, &both[..1], "none", 1).judge().assert_undecided(Outcome::NotApplicable);
        }
    }

    #[test]
    fn what_is_not_known_does_not_pass() {
        let unknown = case(&REVEAL, &["Direct Connect", "Reveal"], "none", 1)
            .unavailable(&SERVICE, Outcome::NoPermission);
        unknown.judge().assert_undecided(Outcome::NoPermission);
    }

    #[test]
    fn a_closed_port_and_a_bad_certificate_are_causes() {
        let both = ["Tanium Direct Connect", "Performance"];
        let good = || case(&PERFORMANCE, &both, "none", 1);
        let cause = |case: Case| {
            let verdict = case.judge();
            verdict.assert_findings(&["performance"]);
            (verdict.findings()[0].values["cause"].clone(), verdict.findings()[0].says.clone())
        };
        let probed = |probe: Probe| good().probes(&LISTENER, &[probe]);
        let (check, says) = cause(probed(refused(17475, Vantage::EndpointInternal)));
        assert_eq!(check, "direct-connect.port-module-17475");
        assert!(says.starts_with("cannot connect to endpoints (the history"), "{says}");
        let here_and_not_there = [refused(17475, Vantage::EndpointInternal), seen(17475, Vantage::Admin)];
        let (_, says) = cause(good().probes(&LISTENER, &here_and_not_there));
        assert!(says.starts_with("cannot connect to every endpoint"), "{says}");

        let until = |time: &str| {
            let mut probe = seen(17475, Vantage::EndpointInternal);
            probe.certificates[0].not_after = Some(time.parse().unwrap());
            probe
        };
        assert_eq!(cause(probed(until("2026-06-30T00:00:00Z"))).0, "direct-connect.cert-server-expiry");
        probed(until("2026-07-02T00:00:00Z")).judge().assert_pass();
        let old = failed(17475, Vantage::EndpointInternal, Stage::Greeting, Trouble::WrongVersion);
        let old = [old, seen(17475, Vantage::Admin)];
        assert_eq!(cause(good().probes(&LISTENER, &old)).0, "direct-connect.tls-protocol");
        let bare = Probe { certificates: Vec::new(), ..seen(17475, Vantage::EndpointInternal) };
        assert_eq!(cause(probed(bare)).0, "direct-connect.cert-server-present");
        let said = |date: &str| good().answer(&CLIENT_DATE, date);
        assert_eq!(cause(said("none")).0, "direct-connect.cert-client-present");
        assert_eq!(cause(said("2026-06-29")).0, "direct-connect.cert-client-expiry");
        said("2026-07-05").judge().assert_pass();

        // From here it proves nothing, so that nothing is known.
        let away = probed(refused(17475, Vantage::Admin)).judge();
        away.assert_undecided(Outcome::NotEvaluated);
        assert!(away.undecided().unwrap().reason.contains("--vantage endpoint-internal"));
    }
}
