//! What these checks share, and the review that asks for all of them.

use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::GROUPS;
use tancheck_plugin_api::records::groups::{ComputerGroup, FILTER_GROUPS, MANAGEMENT_GROUPS};

/// The section of the guide.
pub(crate) const SECTION: &str = "Delete unnecessary computer groups";
/// The guide prints no path to it.
pub(crate) const PAGE: &str = "the Computer Groups page of the Console";
/// Who may delete groups.
pub(crate) const WHO: &str =
    "a Console user with the Administrator reserved role, or a custom role that may write computer groups";
/// What deleting costs.
pub(crate) const DELETION: &str = "The membership of a group cannot be edited, and a deleted group has to be made anew. Look for every use first; many modules do not tell theirs.";
/// What a management group does beside targeting.
pub(crate) const RIGHTS: &str = "A computer management group also limits what users may see and act on: check users, user groups, personas and action groups before it is deleted.";
/// Documents of the vendor.
pub(crate) const GUIDES: &[&str] = &[
    "Console User Guide: Computer groups overview",
    "Console User Guide: View computer group details",
    "Console User Guide: Delete computer groups",
];

/// Groups that are never reported.
pub(crate) const PROTECTED: Setting =
    Setting::list("protected", &["All Computers", "No Computers", "Patch Supported Systems"])
        .about("names or ids of groups that stay, whatever these checks say");

/// How young a group may be.
pub(crate) const MIN_AGE_DAYS: Setting = Setting::integer("min_age_days", 90, 0, 3650)
    .unit("days")
    .about("how old a group has to be before somebody is asked about it");

/// All groups that people made.
pub(crate) fn groups(facts: &Facts<'_>) -> Result<Vec<ComputerGroup>, Undecided> {
    let mut groups: Vec<ComputerGroup> = facts.rows(&GROUPS)?;
    groups.retain(ComputerGroup::is_of_people);
    Ok(groups)
}

/// Whether the site wants a group to stay.
pub(crate) fn is_protected(facts: &Facts<'_>, group: &ComputerGroup) -> bool {
    facts.list(&PROTECTED).iter().any(|&one| one == group.id || one.eq_ignore_ascii_case(&group.name))
}

/// Groups with the time at which they were made, by id. Manual groups are in neither list.
pub(crate) fn dated(facts: &Facts<'_>) -> Result<BTreeMap<String, ComputerGroup>, Undecided> {
    let mut all: Vec<ComputerGroup> = facts.rows(&FILTER_GROUPS)?;
    all.extend(facts.rows::<ComputerGroup>(&MANAGEMENT_GROUPS)?);
    Ok(all.into_iter().map(|group| (group.id.clone(), group)).collect())
}

/// The subject of a finding about a group.
pub(crate) fn subject(group: &ComputerGroup) -> Subject {
    Subject::new("computer group", &group.id, &group.name)
}

/// Computer groups were reviewed.
pub(crate) const REVIEW: Check = Check::attested("computer-groups.review")
    .title("Computer groups were reviewed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .due_every(&REVIEW_DUE_EVERY_DAYS)
    .guide(&[guide(SECTION, 39)])
    .what(
        "Asks once a quarter whether somebody went through the computer management groups and filter groups.",
    )
    .why(
        "Among many obsolete groups, people struggle to find the ones that matter, and target the wrong one.",
    )
    .related(&["computer-groups.unused", "computer-groups.duplicate", "computer-groups.temporary"])
    .remedy(&REVIEW_REMEDY);

const REVIEW_DUE_EVERY_DAYS: Setting = Setting::integer("review_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often all computer groups are reviewed")
    .from_guide();

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "view the details of the groups, beginning with those that the other checks list"),
    Step::consult("whoever made a group", "whether it is still needed"),
    Step::console(PAGE, "delete the obsolete ones"),
    Step::command("tancheck attest computer-groups.review --result done", "records the review"),
])
.cautions(&[DELETION, RIGHTS])
.who(WHO)
.risk(Risk::High, Reversible::No)
.references(GUIDES);
