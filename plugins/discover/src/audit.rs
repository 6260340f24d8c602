//! The scan profile that looks at endpoints that have had the client.

use crate::WHO;
use crate::inputs::{INTERFACES, Interface};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::Row;

const PROFILES: Input =
    Input::new("discover.profiles", "scan profiles, as the Console shows them").sources(&[Source::export(
        "discover-client-audit-profile.csv",
        "Modules > Discover > Profiles",
        "write down the list of profiles with these columns",
        &["Profile", "Enabled", "Type", "Targets", "Interval", "Last Run", "Status"],
    )]);

const PROFILE_NAMES: Setting = Setting::list("profile_names", &[])
    .about("the profiles that look at endpoints that have had the client; none: any profile");

const PROFILE_INTERVAL_HOURS: Setting = Setting::integer("profile_interval_hours", 24, 1, 8760)
    .unit("hours")
    .about("how often such a profile runs");

/// A profile audits the endpoints that have had the client.
pub(crate) const CLIENT_AUDIT_PROFILE: Check = Check::hybrid("discover.client-audit-profile")
    .title("Discover audits endpoints where the client was deployed")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(&[&INTERFACES, &PROFILES])
    .settings(&[&PROFILE_NAMES, &PROFILE_INTERVAL_HOURS])
    .learns(&[&PROFILE_NAMES])
    .guide(&[
        guide("Configure alerts for disconnected Tanium Clients", 9),
        guide("Check the endpoint count", 12),
        guide("Review and update scheduled actions", 39),
    ])
    .what("Takes the interfaces that were managed at any time and looks which profiles found them. One of `profile_names`, or any profile where that is empty, has to have seen one of them within `profile_interval_hours`. Without the API Gateway, the exported list of profiles decides.")
    .why("Only a scan still finds an endpoint whose client is gone.")
    .limits("The Gateway tells the names of profiles alone: whether one is enabled and when it ran is inferred from what it found.")
    .related(&["discover.disconnected-label", "discover.unmanaged-endpoints", "actions.service-account-issued"])
    .remedy(&REMEDY)
    .judge(client_audit_profile);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Discover > Profiles", "look for a profile that scans the networks of endpoints that have had the client: is it enabled, and when did it run"),
    Step::decision("there is none", "make one, or enable one (Client Management User Guide: Configure automated maintenance)"),
    Step::decision("it is enabled and does not run", "see Discover User Guide: Troubleshooting Discover"),
    Step::decision("it runs less often on purpose", "set `profile_interval_hours`"),
])
.cautions(&[
    "Saving a profile makes a scheduled action that Administrator issues: do not delete that action.",
    "A scan loads the network: keep to the exclusions that were agreed.",
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Client Management User Guide: Configure automated maintenance", "Discover User Guide: Scan types"]);

fn client_audit_profile(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let newest = match facts.rows::<Interface>(&INTERFACES) {
        Ok(interfaces) => seen(facts, &interfaces)?,
        Err(unseen) => {
            let rows: Vec<Row> = facts.rows(&PROFILES).map_err(|_| unseen)?;
            ran(&rows)?
        }
    };
    let names = facts.list(&PROFILE_NAMES);
    let finding = facts.called(&PROFILE_NAMES, newest.keys().map(|profile| [profile]));
    report.propose(&PROFILE_NAMES, finding, format!("profiles that find such endpoints: {}", newest.len()));
    let ours: Vec<(&String, &Timestamp)> = newest
        .iter()
        .filter(|(profile, _)| {
            names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(profile))
        })
        .collect();
    let hours = facts.integer(&PROFILE_INTERVAL_HOURS)?;
    let from = if facts.body(&INTERFACES).is_ok() { &INTERFACES } else { &PROFILES };
    let wanted = if names.is_empty() { "any profile".to_owned() } else { names.join(" or ") };
    let (says, state) = match ours.iter().max_by_key(|(_, at)| **at) {
        None => (
            format!("{wanted}: no profile finds endpoints that have had the client"),
            "no profile".to_owned(),
        ),
        Some((_, at)) if facts.since(**at).as_hours() <= hours => return Ok(()),
        Some((profile, at)) => (
            format!("{profile} last found such an endpoint {} hours ago", facts.since(**at).as_hours()),
            format!("not since {at}"),
        ),
    };
    report.finding(
        Finding::on(Subject::deployment())
            .says(says)
            .expected(format!("a profile that runs every {hours} hours"))
            .confirms(state)
            .evidence(facts.seen(from, newest.keys().collect::<Vec<_>>())),
    );
    Ok(())
}

/// When each profile last found an interface that has had the client.
fn seen(facts: &Facts<'_>, interfaces: &[Interface]) -> Result<BTreeMap<String, Timestamp>, Undecided> {
    let had_client: Vec<&Interface> = interfaces.iter().filter(|one| one.last_managed.is_some()).collect();
    if had_client.is_empty() {
        return Err(facts.absent(&INTERFACES, "no interface was ever managed"));
    }
    let mut newest: BTreeMap<String, Timestamp> = BTreeMap::new();
    for interface in had_client {
        let Some(at) = interface.last_discovered.max(interface.last_seen) else { continue };
        for profile in &interface.profiles {
            let known = newest.entry(profile.name.clone()).or_insert(at);
            *known = at.max(*known);
        }
    }
    Ok(newest)
}

/// When each enabled profile of the exported list ran last.
fn ran(rows: &[Row]) -> Result<BTreeMap<String, Timestamp>, Undecided> {
    let mut newest = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is("Enabled", &["yes", "true", "1", "enabled"])) {
        if let Some(at) = row.time("Last Run")? {
            newest.insert(row.cell("Profile"), at);
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(profiles: Value, seen: &str) -> Case {
        let rows = json!([{"id": 1, "lastManagedTime": "2026-06-01T00:00:00Z", "lastSeenTime": seen,
                           "lastDiscoveredTime": null, "profiles": profiles},
                          {"id": 2, "lastManagedTime": null, "lastSeenTime": "2026-06-30T11:00:00Z",
                           "profiles": [{"name": "Guests"}]}]);
        Case::of(&CLIENT_AUDIT_PROFILE).rows(&INTERFACES, rows)
    }

    #[test]
    fn a_profile_that_found_one_in_time_passes() {
        let recent = case(json!([{"name": "Offices"}]), "2026-06-30T00:00:00Z");
        recent.judge().assert_pass();
        recent.assert_needs_its_inputs();
        recent.clone().setting("profile_names", json!(["offices"])).judge().assert_pass();
        assert_eq!(recent.judge().proposal("profile_names"), Some(&json!(["Offices"])));
        recent.setting("profile_names", json!(["Guests"])).judge().assert_findings(&["deployment"]);
    }

    #[test]
    fn no_profile_or_an_old_scan_is_found() {
        case(json!([]), "2026-06-30T00:00:00Z").judge().assert_findings(&["deployment"]);
        let old = case(json!([{"name": "Offices"}]), "2026-06-28T00:00:00Z");
        old.judge().assert_findings(&["deployment"]);
        old.setting("profile_interval_hours", 72).judge().assert_pass();
    }

    #[test]
    fn without_any_client_nothing_applies() {
        let none =
            Case::of(&CLIENT_AUDIT_PROFILE).rows(&INTERFACES, json!([{"id": 1, "lastManagedTime": null}]));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn the_exported_list_stands_in() {
        let listed = |enabled: &str, run: &str| {
            let rows = json!([{"Profile": "Offices", "Enabled": enabled, "Last Run": run}]);
            Case::of(&CLIENT_AUDIT_PROFILE).rows(&PROFILES, rows)
        };
        listed("Yes", "2026-06-30 00:00:00").judge().assert_pass();
        listed("No", "2026-06-30 00:00:00").judge().assert_findings(&["deployment"]);
        listed("Yes", "2026-06-20 00:00:00").judge().assert_findings(&["deployment"]);
        listed("Yes", "some day").judge().assert_undecided(Outcome::NotEvaluated);
    }
}
