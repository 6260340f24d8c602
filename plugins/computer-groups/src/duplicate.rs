//! Guide: *Delete unnecessary computer groups*, page 39: groups that are there twice.

use crate::inputs::{DELETION, GUIDES, PAGE, PROTECTED, RIGHTS, SECTION, WHO, groups, is_protected};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::GROUPS;
use tancheck_plugin_api::records::groups::normalized;

/// No two computer groups have the same membership.
pub(crate) const DUPLICATE: Check = Check::automated("computer-groups.duplicate")
    .title("No two computer groups have the same membership")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&GROUPS, &MANUAL_GROUPS])
    .settings(&[&COMPARE, &PROTECTED])
    .guide(&[guide(SECTION, 39)])
    .what("Compares the definitions of all groups, without regard to case, blanks, needless parentheses and the order of terms; and the lists of computers of manual groups. `compare` chooses between the two.")
    .why("Two groups for the same endpoints drift apart in use: one gets the deployment, the other the maintenance window.")
    .limits("Different definitions that happen to hold the same endpoints are not seen. A group that is both a management and a filter group is one group.")
    .related(&["computer-groups.unused"])
    .remedy(&DUPLICATE_REMEDY)
    .judge(duplicate);

const MANUAL_GROUPS: Input =
    Input::new("computer-groups.manual", "manual computer groups and their computers")
        .sources(&[Source::rest("/api/v2/computer_groups").needs(&["read computer group"])]);

const COMPARE: Setting = Setting::list("compare", &["definition", "members"])
    .about("what makes two groups duplicates: definition, members (of manual groups), or both");

const DUPLICATE_REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "compare the definitions of {names}, and their uses"),
    Step::consult("the owners of what uses them", "which group remains"),
    Step::console(
        "Administration > Permissions, Administration > Actions > Action Groups, and the modules that use them",
        "re-point every use to the group that remains",
    ),
    Step::console(PAGE, "delete the other"),
])
.cautions(&["Groups with the same members today need not have them tomorrow: compare the definitions.", DELETION, RIGHTS])
.who(WHO)
.risk(Risk::High, Reversible::No)
.references(GUIDES);

/// A manual group (`GET /api/v2/computer_groups`).
#[derive(Default, Deserialize)]
#[serde(default)]
struct ManualGroup {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::list")]
    computer_specs: Vec<ComputerSpec>,
    #[serde(deserialize_with = "lenient::flag")]
    deleted_flag: Option<bool>,
}

/// A computer of a manual group: named, or told by its address.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ComputerSpec {
    #[serde(deserialize_with = "lenient::text")]
    computer_name: String,
    #[serde(deserialize_with = "lenient::text")]
    ip_address: String,
}

/// What two duplicates have in common, and the groups that have it: ids and names.
type Alike = BTreeMap<String, Vec<(String, String)>>;

fn duplicate(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let compare = facts.list(&COMPARE);
    if let Some(unknown) = compare.iter().find(|word| !["definition", "members"].contains(word)) {
        let reason = format!("`compare` names {unknown:?}; it may hold definition and members");
        return Err(Undecided::not_evaluated(reason));
    }
    let groups = groups(facts)?;
    if compare.contains(&"definition") {
        let mut alike = Alike::new();
        for group in groups.iter().filter(|group| !is_protected(facts, group)) {
            let definition = normalized(&group.text);
            if !definition.is_empty() {
                alike.entry(definition).or_default().push((group.id.clone(), group.name.clone()));
            }
        }
        report_alike(facts, report, &GROUPS, alike, "definition");
    }
    if compare.contains(&"members") {
        let manual: Vec<ManualGroup> = facts.rows(&MANUAL_GROUPS)?;
        let mut alike = Alike::new();
        for group in manual.into_iter().filter(|group| group.deleted_flag != Some(true)) {
            let mut members: Vec<String> = group
                .computer_specs
                .iter()
                .map(|spec| format!("{}{}", spec.computer_name, spec.ip_address).to_lowercase())
                .collect();
            members.sort();
            if !members.is_empty() {
                alike.entry(members.join(", ")).or_default().push((group.id, group.name));
            }
        }
        report_alike(facts, report, &MANUAL_GROUPS, alike, "members");
    }
    Ok(())
}

fn report_alike(facts: &Facts<'_>, report: &mut Report, input: &'static Input, alike: Alike, what: &str) {
    for (common, mut same) in alike.into_iter().filter(|(_, same)| same.len() > 1) {
        same.sort();
        let (ids, names): (Vec<String>, Vec<String>) = same.into_iter().unzip();
        let shown: String = common.chars().take(500).collect();
        report.finding(
            Finding::on(Subject::new("computer groups", ids.join("+"), names.join(" / ")))
                .says(format!("{} groups have the same {what}: {shown}", ids.len()))
                .expected("one group")
                .affected(ids.len() as u64, None)
                .sample(names.iter().map(String::as_str))
                .fill("names", names.join(", "))
                .evidence(facts.seen(input, &ids)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(second: Value, manual: Value) -> Case {
        let first = json!({"id": 12, "name": "All Windows", "type": 0, "text": " Is Windows contains True and Is Virtual contains No"});
        Case::of(&DUPLICATE).rows(&GROUPS, json!([first, second])).rows(&MANUAL_GROUPS, manual)
    }

    fn group(text: &str) -> Value {
        json!({"id": 41, "name": "Windows", "type": 0, "text": text})
    }

    #[test]
    fn groups_with_one_definition_are_duplicates() {
        let same = group("(is virtual contains no) and (is windows contains true)");
        case(same.clone(), json!([])).judge().assert_findings(&["12+41"]);
        case(same.clone(), json!([])).setting("compare", json!(["members"])).judge().assert_pass();
        case(same.clone(), json!([])).setting("protected", json!(["Windows"])).judge().assert_pass();
        case(group("Is Windows contains True"), json!([])).judge().assert_pass();
        let mut nameless = same;
        nameless["name"] = json!("");
        case(nameless, json!([])).judge().assert_pass();
        let odd = case(group("x"), json!([])).setting("compare", json!(["weather"]));
        odd.judge().assert_undecided(Outcome::NotEvaluated);
        case(group("x"), json!([])).assert_needs_its_inputs();
    }

    #[test]
    fn manual_groups_with_the_same_computers_are_duplicates() {
        let manual = |names: [&str; 2]| {
            json!([
                {"id": 30, "name": "A", "computer_specs": [{"computer_name": "x"}, {"computer_name": "Y"}]},
                {"id": 31, "name": "B", "computer_specs": [{"computer_name": names[0]}, {"computer_name": names[1]}]},
                {"id": 32, "name": "C", "computer_specs": []},
                {"id": 33, "name": "D", "computer_specs": []},
            ])
        };
        case(group("x"), manual(["y", "x"])).judge().assert_findings(&["30+31"]);
        case(group("x"), manual(["y", "z"])).judge().assert_pass();
    }
}
