//! Product integration: what each product loses while Direct Connect does not work. The causes are checks of their own;
//! these findings name the function that is lost, for the people who only know the product.

use crate::chapters::INTEGRATION;
use crate::inputs::answers::OPEN_STEPS;
use crate::inputs::pages::SERVERS;
use crate::inputs::platform::{MODULE, SERVICE, imported};
use crate::{presence, setup, versions};
use tancheck_plugin_api::Judge;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, GROUPS};
use tancheck_plugin_api::records::server::{SERVER_INFO, SOLUTIONS};

/// Checks without which no product can connect, and their judges: the most basic first.
const CAUSES: [(&str, Judge); 5] = [
    ("direct-connect.installed", presence::installed),
    ("direct-connect.version-core-platform", versions::version_core_platform),
    ("direct-connect.service-running", presence::service_running),
    ("direct-connect.setup-complete", setup::setup_complete),
    ("direct-connect.action-group-target", setup::target),
];

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

macro_rules! integrations {
    ($($check:ident = $id:literal, $product:literal, $loss:literal;)*) => {
        $(pub(crate) const $check: Check = Check::automated($id)
            .title(concat!($product, " can connect to endpoints"))
            .cadence(&[Cadence::Monthly])
            .severity(Severity::High)
            .reads(&[&SOLUTIONS, &SERVER_INFO, &SERVERS, &SERVICE, &OPEN_STEPS, &ACTION_GROUPS, &GROUPS])
            .settings(&[&versions::REQUIREMENTS, &presence::PROBE_HOST, &setup::ACTION_GROUP])
            .guide(INTEGRATION)
            .even_if_absent()
            .applies(concat!($product, " imported"))
            .what(concat!("While ", $product, " is imported: looks whether Direct Connect is imported, on supported servers, running, set up, and deployed to endpoints."))
            .why(concat!("Otherwise people lose this: ", $loss, "."))
            .limits("Ports and certificates are looked at by checks of their own.")
            .related(&["direct-connect.installed", "direct-connect.service-running", "direct-connect.action-group-target"])
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
    for (cause, judge) in CAUSES {
        let mut own = Report::default();
        if let Err(reason) = judge(facts, &mut own) {
            undecided.push(reason);
        }
        let is_bad = |finding: &&Finding| finding.severity.is_none_or(|severity| severity >= Severity::High);
        if let Some(finding) = own.findings.iter().find(is_bad) {
            report.finding(
                Finding::on(Subject::new("module", product.to_lowercase().replace(' ', "-"), product))
                    .says(format!(
                        "cannot connect to endpoints ({loss}): {} {}",
                        finding.subject.name, finding.says
                    ))
                    .expected("a Direct Connect that works")
                    .fill("cause", cause)
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
}
