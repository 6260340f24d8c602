//! Profiles: which endpoints have one, and whether it is the right one.

use crate::coverage::answered;
use crate::inputs::{PROFILES, Profile, STATUS};
use crate::{GUIDE, WHO};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

const ACTIVE_PROFILE: &str = "Active Profile";
const PROFILES_PAGE: &str = "Modules > Threat Response > Management > Profiles";
const LIMITS: &str = "The sensor belongs to earlier generations of the module; where it is not there, export the list. \
    The word for an endpoint without a profile is not documented: the profiles that endpoints name are shown in a remark.";

/// Every endpoint has a profile.
pub(crate) const MISSING: Check = Check::automated("threat-response.profile-missing")
    .title("No endpoint lacks a Threat Response profile")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&STATUS])
    .guide(GUIDE)
    .what("Counts the endpoints that have the component Threat Response and name no active profile.")
    .why("A profile tells the endpoint what to record and what to look for. Without one it does neither.")
    .limits(LIMITS)
    .related(&["threat-response.coverage-low", "threat-response.profile-wrong"])
    .remedy(&REMEDY)
    .judge(profile_missing);

/// Profiles are as they were approved.
pub(crate) const WRONG: Check = Check::hybrid("threat-response.profile-wrong")
    .title("Threat Response profiles are configured right")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&PROFILES, &STATUS])
    .guide(GUIDE)
    .what("Lists every profile with its state, priority and targets until somebody confirms it; a confirmation ends when one of these changes. Profiles that are outdated or pending are reported. Without an exported list, the profiles that endpoints name are listed.")
    .why("A profile with the wrong priority or targets takes the place of the right one without a sound.")
    .limits("The configuration inside of a profile has no public route; confirming a profile means that somebody looked at it.")
    .related(&["threat-response.profile-missing", "threat-response.coverage-low"])
    .remedy(&WRONG_REMEDY)
    .judge(profile_wrong);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PROFILES_PAGE, "see which computer groups the profiles target, and which endpoints none of them holds"),
    Step::consult(
        "Threat Response User Guide: My device has no profile or the wrong profile",
        "go through its reasons for these endpoints",
    ),
    Step::question("Get Computer Name and Threat Response - Status from all machines", "list the endpoints without an active profile"),
    Step::console(PROFILES_PAGE, "add the missing computer groups to the right profile and deploy it"),
])
.cautions(&["An endpoint in the groups of several profiles gets the one of the highest priority: look at the others before you widen one."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Threat Response User Guide: My device has no profile or the wrong profile"]);

const WRONG_REMEDY: Remedy = Remedy::new(&[
    Step::console(PROFILES_PAGE, "open {subject}: compare configuration, priority and computer groups with what was approved"),
    Step::decision("it is outdated or pending", "deploy the profile and see that its state becomes Active"),
    Step::decision("endpoints have the wrong profile", "correct the targets or the priorities (Threat Response User Guide: My device has no profile or the wrong profile)"),
    Step::command(
        "tancheck attest threat-response.profile-wrong --subject {key} --result done",
        "records that {subject} is as it should be",
    ),
])
.cautions(&["A change of priority moves endpoints from one profile to another at once."])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Threat Response User Guide: My device has no profile or the wrong profile"]);

fn profile_missing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let told = answered(facts, &STATUS)?;
    let named = told.of(ACTIVE_PROFILE);
    if named.is_empty() {
        return Err(Undecided::not_evaluated(
            "the sensor Threat Response - Status tells no Active Profile of any endpoint",
        ));
    }
    let count = |details: &[&records::extensions::Detail]| {
        details.iter().map(|detail| detail.endpoints()).sum::<u64>()
    };
    let (without, with): (Vec<_>, Vec<_>) = named.into_iter().partition(|detail| is_none(&detail.value));
    // Endpoints that have the component and say nothing of a profile.
    let all = count(&told.of("Overall Status")).max(count(&with) + count(&without));
    let missing = all - count(&with);
    let profiles: Vec<&str> = with.iter().map(|detail| detail.value.trim()).collect();
    report.note(format!("profiles that endpoints name: {}", profiles.join(", ")));
    if missing > 0 {
        report.finding(
            Finding::on(Subject::deployment())
                .says(format!("{missing} endpoints have no Threat Response profile"))
                .expected("a profile on every endpoint that has Threat Response")
                .affected(missing, Some(all))
                .evidence(facts.seen(&STATUS, profiles)),
        );
    }
    told.complete()
}

fn is_none(value: &str) -> bool {
    ["", "none", "no profile", "n/a"].contains(&value.trim().to_lowercase().as_str())
}

fn profile_wrong(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let profiles: Vec<Profile> = match facts.rows(&PROFILES) {
        Ok(rows) => rows,
        Err(unseen) => return named_profiles(facts, report).map_err(|_| unseen),
    };
    if profiles.is_empty() {
        return Err(facts.absent(&PROFILES, "there is no Threat Response profile"));
    }
    let mut unknown = Vec::new();
    for profile in &profiles {
        let state = profile.state.trim().to_lowercase();
        let as_it_is =
            format!("{state}, priority {}, targets {}", profile.priority.trim(), profile.groups.trim());
        let finding = Finding::on(Subject::new("profile", profile.name.to_lowercase(), &profile.name))
            .fill("key", profile.name.to_lowercase())
            .evidence(facts.seen(&PROFILES, &as_it_is));
        report.finding(match state.as_str() {
            "active" | "inactive" => {
                finding.says(format!("has to be confirmed as it is: {as_it_is}")).confirms(&as_it_is)
            }
            "outdated" | "pending" => finding
                .says(format!("is {state}: endpoints do not have what it holds now"))
                .expected("Active"),
            _ => {
                unknown.push(format!("the state {:?} of {} is not known", profile.state, profile.name));
                continue;
            }
        });
    }
    settle(&unknown)
}

/// The profiles that endpoints have, where nobody exported the list.
fn named_profiles(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let told = answered(facts, &STATUS)?;
    let mut endpoints: BTreeMap<&str, u64> = BTreeMap::new();
    for detail in told.of(ACTIVE_PROFILE).into_iter().filter(|detail| !is_none(&detail.value)) {
        *endpoints.entry(detail.value.trim()).or_default() += detail.endpoints();
    }
    endpoints.retain(|_, count| *count > 0);
    if endpoints.is_empty() {
        return Err(Undecided::not_evaluated("no endpoint names an active profile"));
    }
    for (profile, count) in endpoints {
        report.finding(
            Finding::on(Subject::new("profile", profile.to_lowercase(), profile))
                .says(format!("is active on {count} endpoints and has to be confirmed"))
                .fill("key", profile.to_lowercase())
                .confirms("active on endpoints")
                .evidence(facts.seen(&STATUS, count)),
        );
    }
    told.complete()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::tests::status;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, with: u64, none: u64) -> Case {
        Case::of(check).body(
            &STATUS,
            Body::Tally(status(&[
                ("Threat Response", "Overall Status", "Windows Nominal", 100),
                ("Threat Response", ACTIVE_PROFILE, "Standard", with),
                ("Threat Response", ACTIVE_PROFILE, "None", none),
            ])),
        )
    }

    #[test]
    fn endpoints_without_a_profile_are_counted() {
        case(&MISSING, 100, 0).judge().assert_pass();
        case(&MISSING, 100, 0).assert_needs_its_inputs();
        let missing = |with, none| {
            let verdict = case(&MISSING, with, none).judge();
            verdict.assert_findings(&["deployment"]);
            verdict.findings()[0].affected.clone().map(|affected| affected.count)
        };
        assert_eq!(missing(97, 3), Some(3), "some say that they have none");
        assert_eq!(missing(97, 0), Some(3), "some say nothing");
    }

    #[test]
    fn a_sensor_that_tells_no_profile_decides_nothing() {
        let rows = status(&[("Threat Response", "Overall Status", "Windows Nominal", 100)]);
        Case::of(&MISSING).body(&STATUS, Body::Tally(rows)).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn exported(state: &str) -> Case {
        let rows: Value = json!([{"Profile": "Standard", "State": state, "Priority": 1,
            "Computer Groups": "All Computers", "Endpoints": 100}]);
        Case::of(&WRONG).rows(&PROFILES, rows)
    }

    #[test]
    fn profiles_await_a_confirmation_that_is_bound_to_their_state() {
        let verdict = exported("Active").judge();
        verdict.assert_findings(&["standard"]);
        let state = verdict.findings()[0].state.clone();
        assert_eq!(state.as_deref(), Some("active, priority 1, targets All Computers"));
        exported("Active").assert_needs_its_inputs();
    }

    #[test]
    fn outdated_and_pending_ones_are_found_and_unknown_states_are_not_judged() {
        for state in ["Outdated", "Pending"] {
            let verdict = exported(state).judge();
            verdict.assert_findings(&["standard"]);
            assert_eq!(verdict.findings()[0].state, None, "{state} cannot be what was approved");
        }
        exported("Dreaming").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_a_list_the_profiles_of_endpoints_are_listed() {
        case(&WRONG, 97, 3).judge().assert_findings(&["standard"]);
        case(&WRONG, 0, 100).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
