//! "Check the endpoint count", page 12: new endpoints are authorized by a person.

use super::{EXPECTED_COUNT, GUIDE, Rise, TOLERANCE, newest};
use crate::inputs::{ENDPOINT_COUNT, ENDPOINT_HISTORY, NEW_ENDPOINTS};
use crate::weeks;
use tancheck_plugin_api::prelude::*;

const DUE_AFTER_DAYS: Setting = Setting::integer("due_after_days", 7, 1, 90)
    .unit("days")
    .about("how long a confirmation that the new endpoints may join is good for");

pub(crate) const AUTHORIZED: Check = Check::attested("client-management.new-endpoints-authorized")
    .title("New endpoints are authorized")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&ENDPOINT_COUNT, &ENDPOINT_HISTORY, &NEW_ENDPOINTS])
    .settings(&[&EXPECTED_COUNT, &TOLERANCE])
    .due_every(&DUE_AFTER_DAYS)
    .guide(GUIDE)
    .what(
        "When the endpoint count rose beyond its tolerance, a person has to confirm that the new endpoints \
         of this calendar week may join. While it did not rise, there is nothing to confirm.",
    )
    .why(
        "A client on a machine that nobody authorized is a way into the network, and into Tanium's own data.",
    )
    .limits(
        "Sees a rise of the count, not each machine: as many endpoints may have left as came. The list of \
         new endpoints needs the API Gateway.",
    )
    .related(&["client-management.endpoint-count-high"])
    .remedy(&REMEDY)
    .even_if_absent()
    .judge(new_endpoints_authorized);

const REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and IP Address and Operating System from all machines",
        "compare with the asset register, beginning with the endpoints that this finding names",
    ),
    Step::decision("every new endpoint is in the register", "confirm: `tancheck attest` for {week}"),
    Step::decision("one is not", "have it authorized, or take it off the network and uninstall the client"),
])
.who("security team")
.references(&["Tanium Client Management User Guide: Audit and remediate disconnected Tanium Clients"]);

fn new_endpoints_authorized(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Some(rise) = Rise::of(facts)? else {
        return Err(facts.absent(&ENDPOINT_COUNT, "the endpoint count did not rise beyond its tolerance"));
    };
    let week = weeks::name(facts.now());
    report.finding(
        Finding::on(Subject::new("deployment", "new-endpoints", "the new endpoints"))
            .says(format!(
                "of {week} wait for a confirmation that they may join: the count is {:.0}, {} more than expected",
                rise.count.value,
                rise.surplus()
            ))
            .expected("a confirmation by the security team")
            .affected(rise.surplus(), Some(rise.count.value as u64))
            .sample(newest(facts))
            .evidence(facts.seen(&ENDPOINT_COUNT, rise.count.value))
            .fill("week", &week)
            .confirms(week),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::testing::Case;

    fn case(count: f64) -> Case {
        Case::of(&AUTHORIZED).value(&ENDPOINT_COUNT, count).weekly(
            &ENDPOINT_HISTORY,
            "client-management.endpoint-count.client-count",
            &[1000.0; 4],
        )
    }

    #[test]
    fn a_rise_awaits_the_confirmation_of_its_week() {
        let verdict = case(1200.0).judge();
        verdict.assert_findings(&["new-endpoints"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("2026-W27"));
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.count), Some(200));
        let later = case(1200.0).at("2026-07-07T12:00:00Z").judge();
        assert_eq!(
            later.findings()[0].state.as_deref(),
            Some("2026-W28"),
            "another week, another confirmation"
        );
    }

    #[test]
    fn without_a_rise_there_is_nothing_to_confirm() {
        case(1100.0).judge().assert_undecided(Outcome::NotApplicable);
        case(500.0).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn without_a_count_nothing_is_decided() {
        case(1200.0).assert_needs_its_inputs();
        case(1200.0)
            .unavailable(&ENDPOINT_COUNT, Outcome::NoPermission)
            .judge()
            .assert_undecided(Outcome::NoPermission);
    }
}
