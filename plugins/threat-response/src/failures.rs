//! Failures of the client extensions that Threat Response works with.

use crate::{GUIDE, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::extensions::{
    CLIENT_EXTENSIONS, HEALTH_FAILURES_PAGE, HEALTHY_STATES, judge_failures,
};

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may have a failure of an extension that Threat Response works with");

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        HEALTH_FAILURES_PAGE,
        "select the Interact icon of the panel Health Failures and list the endpoints of the domain {subject}",
    ),
    Step::consult(
        "Threat Response User Guide: Reference: Common health check issues",
        "look up the text of the failure and follow its entry",
    ),
    Step::question(
        "Get Computer Name and Client Extensions - Status from all machines",
        "compare the state of the tools on these endpoints with the others",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Threat Response User Guide: Reference: Common health check issues"]);

/// What the five checks have in common.
const fn domain_check(id: &'static str) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Monthly])
        .severity(Severity::Medium)
        .reads(&[&CLIENT_EXTENSIONS])
        .settings(&[&MAX_ENDPOINTS, &HEALTHY_STATES])
        .guide(GUIDE)
        .what(
            "Asks every endpoint for the state of its client extensions and reports failures of this one domain on \
             more than `max_endpoints` endpoints.",
        )
        .limits(
            "The columns of the sensor are not documented: they are recognised by their names. The question behind \
             the panel Health Failures is not public and may differ. The same failures count in \
             client-management.cx-*.",
        )
        .related(&["client-management.cx-index", "client-management.cx-recorder", "client-management.cx-other"])
        .remedy(&REMEDY)
}

pub(crate) const DEC: Check = domain_check("threat-response.failure-dec")
    .title("No health failures in domain dec (Direct Connect)")
    .why("Without Direct Connect nobody can look into an endpoint while it is under attack.")
    .caused_by(&[
        Cause::check("direct-connect.version-core-platform"),
        Cause::check("direct-connect.service-running"),
        Cause::check("direct-connect.setup-complete"),
        Cause::check("direct-connect.port-module-17475").at_least(Severity::High),
        Cause::check("direct-connect.cert-server-expiry").at_least(Severity::Critical),
        Cause::check("direct-connect.cert-client-expiry").at_least(Severity::Critical),
        Cause::check("direct-connect.action-group-target"),
        Cause::check("direct-connect.tools-installed"),
        Cause::check("direct-connect.extension-health"),
    ])
    .judge(|facts, report| judge(facts, report, "dec"));

pub(crate) const INDEX: Check = domain_check("threat-response.failure-index")
    .title("No health failures in domain index (Tanium Index)")
    .why("Searches for files and hashes find nothing on an endpoint whose index failed.")
    .judge(|facts, report| judge(facts, report, "index"));

pub(crate) const RECORDER: Check = domain_check("threat-response.failure-recorder")
    .title("No health failures in domain recorder (Client Recorder Extension)")
    .severity(Severity::High)
    .why("What was not recorded cannot be looked up after an incident.")
    .judge(|facts, report| judge(facts, report, "recorder"));

pub(crate) const STREAM: Check = domain_check("threat-response.failure-stream")
    .title("No health failures in domain stream (Tanium Stream)")
    .why("Events of these endpoints no longer reach the systems that they are streamed to.")
    .judge(|facts, report| judge(facts, report, "stream"));

pub(crate) const THREAT_RESPONSE: Check = domain_check("threat-response.failure-threatresponse")
    .title("No health failures in domain threatresponse (Threat Response Client Extension)")
    .severity(Severity::High)
    .why("These endpoints are not watched, and raise no alert.")
    .judge(|facts, report| judge(facts, report, "threatresponse"));

/// A domain of which no endpoint tells has not been seen to be well.
fn judge(facts: &Facts<'_>, report: &mut Report, domain: &str) -> Result<(), Undecided> {
    judge_failures(facts, report, facts.integer(&MAX_ENDPOINTS)?, |found| found == domain)?;
    let seen = records::extensions::Health::of(facts)?;
    if seen.answered.is_some() && !seen.domains.contains(domain) {
        return Err(Undecided::not_evaluated(format!(
            "no endpoint tells of the extension {domain}; the sensor Client Extensions - Status told of {}",
            seen.domains.into_iter().collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::{Case, tally_of_two};

    const ALL: [(&Check, &str); 5] = [
        (&DEC, "dec"),
        (&INDEX, "index"),
        (&RECORDER, "recorder"),
        (&STREAM, "stream"),
        (&THREAT_RESPONSE, "threatresponse"),
    ];

    fn tally(rows: &[(&str, &str, u64)]) -> Tally {
        tally_of_two(["Domain", "Failure"], rows, 100)
    }

    #[test]
    fn each_check_sees_its_own_domain() {
        for (check, domain) in ALL {
            let case = |failing: &str| {
                let rows: Vec<(&str, &str, u64)> = ALL
                    .iter()
                    .map(|(_, one)| (*one, if *one == failing { "broken" } else { "" }, 100))
                    .collect();
                Case::of(check).body(&CLIENT_EXTENSIONS, Body::Tally(tally(&rows)))
            };
            case(domain).judge().assert_findings(&[domain]);
            case("none of them").judge().assert_pass();
            case("config").assert_needs_its_inputs();
        }
    }

    #[test]
    fn a_domain_of_which_nobody_tells_is_not_healthy() {
        let case = Case::of(&STREAM).body(&CLIENT_EXTENSIONS, Body::Tally(tally(&[("index", "", 100)])));
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_panel_lists_failures_only_and_the_limit_counts() {
        let rows = json!([{"Domain": "stream", "Failure": "x", "Count": 3}]);
        let case = |check| Case::of(check).rows(&CLIENT_EXTENSIONS, rows.clone());
        case(&STREAM).judge().assert_findings(&["stream"]);
        case(&STREAM).setting("max_endpoints", 3).judge().assert_pass();
        case(&DEC).judge().assert_pass();
    }
}
