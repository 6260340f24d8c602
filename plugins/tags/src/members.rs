//! Guide: *Review and update custom tags*, page 13: groups that go by tags and hold nobody.

use crate::inputs::{
    APPLIES, COUNTS, CUSTOM_SECTION, GROUPS_PAGE, MOVES, NO_TAG_TEXTS, counts, goes_by_tags, group_subject,
};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::groups::ComputerGroup;

/// Tag-based computer groups are not empty.
pub(crate) const WITHOUT_MEMBERS: Check = Check::automated("tags.group-without-members")
    .title("Tag-based computer groups are not empty")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Low)
    .reads(&[&TAG_GROUPS, &MEMBERS, &COUNTS])
    .settings(&[&IGNORE_GROUPS, &NO_TAG_TEXTS])
    .guide(&[guide(CUSTOM_SECTION, 13)])
    .applies(APPLIES)
    .what("Counts the members of each group that goes by custom tags, offline endpoints included, and compares the tags in its definition with those that endpoints carry. An empty group, and one that names a tag which no endpoint carries, are listed.")
    .why("A misspelt tag in a definition leaves a group empty without an error, and everything that targets it does nothing.")
    .limits("Sees only endpoints in the computer groups of tancheck's account. Of a definition, terms with contains, equals and is are compared with the tags.")
    .related(&["tags.group-wrong-definition", "computer-groups.unused"])
    .remedy(&WITHOUT_MEMBERS_REMEDY)
    .judge(group_without_members);

/// Groups whose text names the sensor: few enough to be asked for their members one by one.
const TAG_GROUPS: Input =
    Input::new("tags.groups", "computer groups that go by custom tags").sources(&[Source::rest(
        "/api/v2/groups",
    )
    .options(r#"{"cache_filters":[{"field":"text","operator":"RegexMatch","value":".*[Cc]ustom [Tt]ag.*"}]}"#)
    .paged()
    .needs(&["read computer group"])]);

const MEMBERS: Input = Input::new("tags.group-members", "number of members of each group that goes by tags")
    .sources(&[Source::gateway("endpoints", MEMBERS_QUERY)
        .object()
        .variables(&[("group", "{id}")])
        .each(Each::row_of("tags.groups").variables(&[("id", "id")]).limit(300))
        .needs(&["gateway use api", "read sensor"])]);

const MEMBERS_QUERY: &str = "\
query TancheckGroupMembers($group: ID) {
  endpoints(first: 1, source: {tds: {}}, filter: {memberOf: {id: $group}}) { totalRecords }
}";

const IGNORE_GROUPS: Setting =
    Setting::list("ignore_groups", &["No Computers"]).about("names or ids of groups that may be empty");

const WITHOUT_MEMBERS_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Custom Tags from all machines",
        "compare the spelling of the tags with the definition of {subject}: {definition}",
    ),
    Step::decision("the endpoints lack the tag", "add it to them"),
    Step::decision(
        "the definition is wrong",
        "make a new group with the right one, re-point the uses of {subject}, and delete it last",
    ),
    Step::console(GROUPS_PAGE, "delete {subject} if nothing uses it any more"),
])
.cautions(&["The membership of a group cannot be changed: delete and recreate.", MOVES])
.who("a Console user with the Administrator reserved role, or a custom role that may write computer groups")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Managing computer groups"]);

/// How many endpoints are in a group.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    #[serde(rename = "_of")]
    of: GroupId,
    #[serde(rename = "totalRecords", deserialize_with = "lenient::number")]
    total: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupId {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}

fn group_without_members(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut groups: Vec<ComputerGroup> = facts.rows(&TAG_GROUPS)?;
    groups.retain(|group| group.is_of_people() && goes_by_tags(group));
    if groups.is_empty() {
        return Err(facts.absent(&TAG_GROUPS, "no computer group goes by custom tags"));
    }
    let tags = counts(facts)?;
    let members: Vec<Members> = facts.rows(&MEMBERS)?;
    let members: BTreeMap<&str, Option<f64>> =
        members.iter().map(|members| (members.of.id.as_str(), members.total)).collect();
    let ignored = facts.list(&IGNORE_GROUPS);
    let mut unknown = Vec::new();
    for group in &groups {
        if ignored.iter().any(|&one| one == group.id || one.eq_ignore_ascii_case(&group.name)) {
            continue;
        }
        let Some(count) = members.get(group.id.as_str()).copied().flatten() else {
            unknown.push(format!("the members of {} were not counted", group.name));
            continue;
        };
        let unused: Vec<String> = named_tags(&group.text)
            .into_iter()
            .filter(|named| !tags.keys().any(|tag| named.fits(tag)))
            .map(|named| named.tag)
            .collect();
        let says = match (count == 0.0, unused.is_empty()) {
            (false, true) => continue,
            (true, true) => "has no member".to_owned(),
            (true, false) => format!("has no member; no endpoint carries {}", unused.join(", ")),
            (false, false) => format!("names tags that no endpoint carries: {}", unused.join(", ")),
        };
        report.finding(
            Finding::on(group_subject(group))
                .says(says)
                .expected("members, and tags that endpoints carry")
                .fill("definition", group.text.trim())
                .evidence(facts.seen(&MEMBERS, count))
                .evidence(facts.seen(&TAG_GROUPS, group.text.trim())),
        );
    }
    settle(&unknown)
}

/// A tag in a definition.
struct NamedTag {
    tag: String,
    /// Whether a part of the tag is enough.
    part: bool,
}

impl NamedTag {
    fn fits(&self, tag: &str) -> bool {
        let tag = tag.to_lowercase();
        if self.part { tag.contains(&self.tag) } else { tag == self.tag }
    }
}

/// The tags that a definition asks for with contains, equals or is.
fn named_tags(definition: &str) -> Vec<NamedTag> {
    let text = definition.to_lowercase();
    let mut named = Vec::new();
    for term in text.split("custom tags").skip(1) {
        let term = term.trim_start();
        let operators = [("contains ", true), ("equals ", false), ("is equal to ", false), ("is ", false)];
        let known = operators.iter().find_map(|(operator, part)| Some((term.strip_prefix(operator)?, *part)));
        let Some((rest, part)) = known.filter(|(rest, _)| !rest.starts_with("not ")) else { continue };
        let value = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => [" and ", " or ", ")"]
                .iter()
                .fold(rest, |value, end| value.split(end).next().unwrap_or_default()),
        };
        named.push(NamedTag { tag: value.trim().to_owned(), part });
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(definition: &str, count: Value) -> Case {
        Case::of(&WITHOUT_MEMBERS)
            .rows(&TAG_GROUPS, json!([{"id": 50, "name": "Plant", "type": 0, "text": definition}]))
            .rows(&MEMBERS, json!([{"totalRecords": count, "_of": {"id": "50"}}]))
            .tally(&COUNTS, "Custom Tags", &[("Plant North", 3), ("VDI", 2)])
    }

    #[test]
    fn empty_groups_and_tags_that_nobody_carries_are_listed() {
        case(" Custom Tags contains Plant", json!(3)).judge().assert_pass();
        case(" Custom Tags contains Plant", json!(0)).judge().assert_findings(&["50"]);
        let misspelt =
            case(" ( Custom Tags equals \"Plant\" or Custom Tags contains VDI )", json!(2)).judge();
        misspelt.assert_findings(&["50"]);
        assert_eq!(misspelt.findings()[0].says, "names tags that no endpoint carries: plant");
        case(" Custom Tags matches ^P.*", json!(2)).judge().assert_pass();
        case(" Custom Tags not contains Gone", json!(2)).judge().assert_pass();
        case(" Custom Tags contains Plant", json!(0))
            .setting("ignore_groups", json!(["plant"]))
            .judge()
            .assert_pass();
        case(" Custom Tags contains Plant", json!(3)).assert_needs_its_inputs();
    }

    #[test]
    fn what_was_not_counted_is_unknown() {
        let text = " Custom Tags contains Plant";
        case(text, json!(null)).judge().assert_undecided(Outcome::NotEvaluated);
        case(text, json!(3)).rows(&MEMBERS, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        case(text, json!(3)).rows(&TAG_GROUPS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(" Is Windows contains True", json!(0)).judge().assert_undecided(Outcome::NotApplicable);
    }
}
