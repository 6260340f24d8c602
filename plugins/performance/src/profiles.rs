//! Profiles: the list Active Profiles, what they hold, and which endpoints have which.

use crate::{DASHBOARD, GUIDE, WHO};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Row, Shown, shown, whole};

const PROFILES: Input = Input::new("performance.profiles", "profiles with status, priority and targets").sources(&[
    Source::export(
        "performance-active-profile-status.csv",
        "Modules > Performance > Overview",
        "write down the list Active Profiles with these columns",
        &["Profile", "Status", "Priority", "Computer Groups"],
    ),
    Source::answer(
        "how many profiles of the list Active Profiles are not in order: not active, without targets, or of the same \
         priority as another one with the same targets",
        Accepts::Number,
        31,
    ),
]);

const APPLIED_PROFILES: Input = Input::new("performance.applied-profiles", "profiles that endpoints have").sources(&[
    Source::export(
        "performance-profiles-applied.csv",
        "Modules > Performance > Overview",
        "write down which profiles are applied to how many endpoints of which computer group, with these columns",
        &["Profile", "Endpoints", "Computer Group"],
    ),
    Source::answer(
        "how many endpoints have no Performance profile, or another one than they should",
        Accepts::Number,
        31,
    ),
]);

const ACTIVE_WORDS: Setting = Setting::list("active_words", &["Active"])
    .about("words in the column Status that mean that a profile is active");

const EXPECTED: Setting = Setting::table("expected")
    .about("the profiles that the endpoints of each computer group should have: `\"group\" = [\"profile\"]`");

const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody reviews the full configuration of all profiles")
    .from_guide();

/// Profiles are active, targeted, and of clear priority.
pub(crate) const ACTIVE_STATUS: Check = Check::automated("performance.active-profile-status")
    .title("Active profiles are in order")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&PROFILES])
    .settings(&[&ACTIVE_WORDS])
    .guide(GUIDE)
    .what("Reads the exported list of profiles. It reports each that is not active, that targets no computer group or No Computers, and those that share targets and priority with another one.")
    .why("A profile that reaches nobody looks like coverage. Of two equal ones nobody can say which an endpoint gets.")
    .limits("Profiles have no public route. Words in the column Status that are neither in `active_words` nor clearly the opposite are not judged.")
    .related(&["performance.profiles-applied", "performance.profile-config-review"])
    .remedy(&STATUS_REMEDY)
    .judge(active_profile_status);

const STATUS_REMEDY: Remedy = Remedy::new(&[
    Step::console(DASHBOARD, "click Active Profiles and open {subject}"),
    Step::consult(
        "Performance User Guide: Managing profiles",
        "correct its status, its priority or its targets",
    ),
])
.cautions(&["A change of priority or targets moves endpoints from one profile to another."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Performance User Guide: Managing profiles"]);

/// Somebody read the configuration of the profiles.
pub(crate) const CONFIG_REVIEW: Check = Check::attested("performance.profile-config-review")
    .title("The full configuration of profiles was reviewed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .due_every(&DUE_EVERY_DAYS)
    .guide(GUIDE)
    .what("Asks once a month whether somebody read the full configuration of all profiles.")
    .why("What a profile records, and what it leaves out, shows nowhere but there.")
    .related(&["performance.active-profile-status"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(DASHBOARD, "click a profile's name in the panel Active Profiles: it opens the configuration; go through all of them"),
    Step::command("tancheck attest performance.profile-config-review --result done", "records the review"),
])
.who(WHO)
.references(&["Performance User Guide: Managing profiles"]);

/// Endpoints have the profiles that they should have.
pub(crate) const APPLIED: Check = Check::automated("performance.profiles-applied")
    .title("Endpoints have the profiles they should have")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&APPLIED_PROFILES])
    .settings(&[&EXPECTED])
    .learns(&[&EXPECTED])
    .guide(GUIDE)
    .what("Compares the profiles that endpoints have, computer group by computer group, with `expected`. Endpoints without a profile are a finding as well.")
    .why("An endpoint with the profile of others is watched for the wrong things.")
    .limits("No public sensor tells the profile of an endpoint. What `expected` does not name is shown, to be copied into it.")
    .related(&["performance.active-profile-status"])
    .remedy(&APPLIED_REMEDY)
    .judge(profiles_applied);

const APPLIED_REMEDY: Remedy = Remedy::new(&[
    Step::console(DASHBOARD, "see which profiles the endpoints of {subject} have"),
    Step::consult(
        "Performance User Guide: Managing profiles",
        "correct the targets or the priority of the profiles",
    ),
    Step::decision("the profile is right", "name it in `expected`"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Performance User Guide: Managing profiles"]);

fn active_profile_status(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<Row> = match shown(facts, &PROFILES)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            return counted(facts, report, &PROFILES, whole(answer)?, "profiles are not in order");
        }
    };
    if rows.is_empty() {
        return Err(facts.absent(&PROFILES, "there is no Performance profile"));
    }
    let active = facts.list(&ACTIVE_WORDS);
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for row in &rows {
        let place = (row.cell("Priority"), row.cell("Computer Groups").to_lowercase());
        places.entry(place).or_default().push(row.cell("Profile"));
    }
    let mut unknown = Vec::new();
    for row in &rows {
        let (name, status, groups) = (row.cell("Profile"), row.cell("Status"), row.cell("Computer Groups"));
        let mut troubles = Vec::new();
        if !active.iter().any(|word| word.eq_ignore_ascii_case(&status)) {
            let lower = status.to_lowercase();
            if ["inactive", "not active", "disabled", "fail", "error"].iter().any(|word| lower.contains(word))
            {
                troubles.push(format!("has the status {status:?}"));
            } else {
                unknown.push(format!(
                    "what the status {status:?} of {name} means is not known; see `active_words`"
                ));
            }
        }
        if groups.is_empty() || groups.eq_ignore_ascii_case("No Computers") {
            troubles.push("targets no computers".to_owned());
        }
        let place = (row.cell("Priority"), groups.to_lowercase());
        let equals: Vec<&String> =
            places.get(&place).into_iter().flatten().filter(|other| **other != name).collect();
        if !equals.is_empty() {
            let names: Vec<&str> = equals.iter().map(|other| other.as_str()).collect();
            troubles.push(format!("has the priority and the targets of {}", names.join(", ")));
        }
        if !troubles.is_empty() {
            report.finding(
                Finding::on(Subject::new("profile", name.to_lowercase(), &name))
                    .says(troubles.join(", and "))
                    .expected("active, with targets, and a priority of its own")
                    .evidence(facts.seen(&PROFILES, [&status, &row.cell("Priority"), &groups])),
            );
        }
    }
    settle(&unknown)
}

fn profiles_applied(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows: Vec<Row> = match shown(facts, &APPLIED_PROFILES)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            return counted(
                facts,
                report,
                &APPLIED_PROFILES,
                whole(answer)?,
                "endpoints have no profile, or a wrong one",
            );
        }
    };
    if rows.is_empty() {
        return Err(facts.absent(&APPLIED_PROFILES, "no profile is applied to any endpoint"));
    }
    let expected = facts.table(&EXPECTED);
    propose(report, &expected, &rows)?;
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for row in &rows {
        let (group, profile) = (row.cell("Computer Group"), row.cell("Profile"));
        let endpoints = row.number("Endpoints")?.unwrap_or(1.0).max(0.0) as u64;
        if endpoints == 0 {
            continue;
        }
        let wanted =
            expected.iter().find(|(name, _)| name.eq_ignore_ascii_case(&group)).map(|(_, wanted)| wanted);
        let says = match wanted {
            _ if profile.is_empty() || profile.eq_ignore_ascii_case("None") => {
                format!("{endpoints} endpoints have no profile")
            }
            None => {
                seen.entry(group).or_default().insert(profile);
                continue;
            }
            Some(wanted) if wanted.iter().any(|name| name.eq_ignore_ascii_case(&profile)) => continue,
            Some(_) => format!("{endpoints} endpoints have the profile {profile}"),
        };
        let name = if group.is_empty() { "endpoints without a computer group" } else { &group };
        report.finding(
            Finding::on(Subject::new(
                "computer group",
                format!("{}: {}", group.to_lowercase(), profile.to_lowercase()),
                name,
            ))
            .says(says)
            .expected(wanted.map_or("a profile".to_owned(), |wanted| wanted.join(" or ")))
            .affected(endpoints, None)
            .evidence(facts.seen(&APPLIED_PROFILES, [&group, &profile])),
        );
    }
    for (group, profiles) in seen {
        let profiles: Vec<String> = profiles.iter().map(|profile| format!("{profile:?}")).collect();
        unknown.push(format!(
            "nothing is expected of {group}; if what is there is right: `expected = {{ {group:?} = [{}] }}`",
            profiles.join(", ")
        ));
    }
    settle(&unknown)
}

/// The profiles that endpoints of each group have.
fn propose(report: &mut Report, expected: &BTreeMap<&str, Vec<&str>>, rows: &[Row]) -> Result<(), Undecided> {
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        let (group, profile) = (row.cell("Computer Group"), row.cell("Profile"));
        let is_none = profile.is_empty() || profile.eq_ignore_ascii_case("None");
        if group.is_empty() || is_none || row.number("Endpoints")?.unwrap_or(1.0) < 1.0 {
            continue;
        }
        let known = expected.iter().find(|(name, _)| name.eq_ignore_ascii_case(&group));
        let written = |name: &&&str| name.eq_ignore_ascii_case(&profile);
        let spelled = known.and_then(|(_, names)| names.iter().find(written)).map(|name| (*name).to_owned());
        let profiles = table.entry(known.map_or(group, |(name, _)| (*name).to_owned())).or_default();
        let profile = spelled.unwrap_or(profile);
        if !profiles.contains(&profile) {
            profiles.push(profile);
        }
    }
    let seen = format!("computer groups with profiles: {}", table.len());
    report.propose(&EXPECTED, table, seen);
    Ok(())
}

/// A number that somebody read off.
fn counted(
    facts: &Facts<'_>,
    report: &mut Report,
    input: &'static Input,
    count: u64,
    says: &str,
) -> Result<(), Undecided> {
    if count > 0 {
        report.finding(
            Finding::on(Subject::deployment())
                .says(format!("{count} {says}"))
                .expected("none")
                .affected(count, None)
                .evidence(facts.seen(input, count)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn profile(name: &str, status: &str, priority: u64, groups: &str) -> Value {
        json!({"Profile": name, "Status": status, "Priority": priority, "Computer Groups": groups})
    }

    fn profiles(rows: Value) -> Case {
        Case::of(&ACTIVE_STATUS).rows(&PROFILES, rows)
    }

    #[test]
    fn profiles_in_order_pass() {
        let rows = json!([profile("A", "Active", 1, "All Windows"), profile("B", "active", 1, "All Linux")]);
        profiles(rows.clone()).judge().assert_pass();
        profiles(rows).assert_needs_its_inputs();
        Case::of(&ACTIVE_STATUS).answer(&PROFILES, 0).judge().assert_pass();
        Case::of(&ACTIVE_STATUS).answer(&PROFILES, 1).judge().assert_findings(&["deployment"]);
    }

    #[test]
    fn what_is_not_in_order_is_found() {
        let good = profile("A", "Active", 1, "All Windows");
        for other in [
            profile("B", "Inactive", 2, "All Linux"),
            profile("B", "Active", 2, ""),
            profile("B", "Active", 2, "No Computers"),
        ] {
            profiles(json!([good, other])).judge().assert_findings(&["b"]);
        }
        let equal = profile("B", "Active", 1, "all windows");
        profiles(json!([good, equal])).judge().assert_findings(&["a", "b"]);
        profiles(json!([profile("B", "Dreaming", 2, "All Linux")]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        profiles(json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    fn applied(profile: &str) -> Case {
        let rows = json!([{"Profile": profile, "Endpoints": 7, "Computer Group": "All Windows"}]);
        Case::of(&APPLIED)
            .rows(&APPLIED_PROFILES, rows)
            .setting("expected", json!({"all windows": ["Standard"]}))
    }

    #[test]
    fn applied_profiles_are_compared_with_the_expected_ones() {
        applied("Standard").judge().assert_pass();
        applied("Standard").assert_needs_its_inputs();
        applied("Other").judge().assert_findings(&["all windows: other"]);
        applied("").judge().assert_findings(&["all windows: "]);
        let proposal = |profile: &str| applied(profile).judge().proposal("expected").cloned();
        assert_eq!(proposal("standard"), Some(json!({"all windows": ["Standard"]})));
        assert_eq!(proposal("Other"), Some(json!({"all windows": ["Other"]})));
        assert_eq!(proposal("None"), Some(json!({})));
        let unset = applied("Standard").setting("expected", json!({}));
        let verdict = unset.judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("\"All Windows\" = [\"Standard\"]"));
        Case::of(&APPLIED).answer(&APPLIED_PROFILES, 2).judge().assert_findings(&["deployment"]);
        Case::of(&APPLIED).answer(&APPLIED_PROFILES, 0).judge().assert_pass();
    }
}
