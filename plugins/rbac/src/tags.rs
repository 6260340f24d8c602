//! Guide: *Configure RBAC for maintenance tasks*, page 7; *Review and update tags*, page 12; *Review and update custom
//! tags*, page 13: who builds computer groups from tags, and who may tag which endpoints.

use crate::holdings::{HOLDINGS, Holdings};
use crate::words::{LEAST, SETUP, WHO};
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::Reference;
use tancheck_plugin_api::records::actions::GROUPS;
use tancheck_plugin_api::records::people::{USERS, User};
use tancheck_plugin_api::records::roles::{ROLE_MEMBERSHIPS, missing};

/// What it takes to build a computer group from a tag.
const TAG_PRIVILEGES: &[&str] = &["write computer group", "interact module write", "read sensor"];

const TAG_GROUP_EDITORS: Setting =
    Setting::list("tag_group_editors", &[]).about("names of the users who build computer groups from tags");

/// `rbac.tag-group-permissions`
pub(crate) const GROUP_PERMISSIONS: Check = Check::automated("rbac.tag-group-permissions")
    .title("Users who build tag-based computer groups hold the three permissions needed")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(HOLDINGS)
    .settings(&[&TAG_GROUP_EDITORS])
    .guide(&[SETUP, guide("Review and update tags", 12)])
    .what("Looks whether each user of `tag_group_editors` holds Computer Group write, Interact Module write and Sensor read: in the default persona, or in one persona that the user may take on. The Administrator reserved role counts as all three.")
    .why("With one of the three missing, groups of new tags are not built, and nothing that targets them reaches the endpoints.")
    .limits("Sensor read has to include the content set of the tag's sensor; content sets are not compared.")
    .applies("tag-based computer groups used")
    .related(&["tags.group-missing-for-tag", "rbac.tag-operator-scope"])
    .remedy(&GROUP_PERMISSIONS_REMEDY)
    .judge(group_permissions);

const GROUP_PERMISSIONS_REMEDY: Remedy = Remedy::new(&[
    Step::decision("{subject} no longer builds such groups", "take the name off `tag_group_editors`"),
    Step::console(
        "Administration > Permissions > Users > {subject}",
        "assign a role that grants {missing}; the three permissions together are Computer Group write, Interact Module write and Sensor read",
    ),
    Step::console("Administration > Permissions > Users > {subject} > Preview User", "see that all three are there"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&[LEAST])
.references(&["Console User Guide: Managing roles"]);

fn group_permissions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let editors = facts.list(&TAG_GROUP_EDITORS);
    if editors.is_empty() {
        return Err(Undecided::not_applicable(
            "`tag_group_editors` names nobody who builds groups from tags",
        ));
    }
    let holdings = Holdings::read(facts)?;
    let mut unknown = Vec::new();
    for name in editors {
        let Some(user) = holdings.user(name) else {
            unknown.push(format!("no account is called {name}"));
            continue;
        };
        let held = holdings.of(user);
        let lacks = missing(TAG_PRIVILEGES, &held.privileges);
        let by_persona = |privileges: &BTreeSet<String>| missing(TAG_PRIVILEGES, privileges).is_empty();
        if lacks.is_empty() || held.personas.iter().any(|persona| by_persona(&persona.privileges)) {
            continue;
        }
        report.finding(
            Finding::on(user.subject())
                .says(format!("lacks {}", lacks.join(", ")))
                .expected(TAG_PRIVILEGES.join(", "))
                .fill("missing", lacks.join(", "))
                .evidence(facts.seen(&ROLE_MEMBERSHIPS, &lacks)),
        );
    }
    settle(&unknown)
}

const TAG_OPERATORS: Setting =
    Setting::list("tag_operators", &[]).about("names of the users who apply custom tags");

const TAG_TARGETS: Setting = Setting::list("tag_targets", &["All Computers"])
    .about("names of the computer groups whose endpoints are to be tagged");

const MEMBERS_OF_ID: &str = "query ($group: ID) { endpoints(first: 1, source: {tds: {scope: TANIUM_CLIENTS}}, filter: \
                             {memberOf: {id: $group}}) { totalRecords } }";
const MEMBERS_OF_NAME: &str = "query ($group: String) { endpoints(first: 1, source: {tds: {scope: TANIUM_CLIENTS}}, \
                               filter: {memberOf: {name: $group}}) { totalRecords } }";
const ASK: &[&str] = &["gateway use api", "show api gateway", "read sensor"];

/// The size of the computer group that limits each user.
pub(crate) const SCOPES: Input =
    Input::new("rbac.scopes", "endpoints in the computer groups that limit users").sources(&[
        Source::gateway("endpoints", MEMBERS_OF_ID)
            .variables(&[("group", "{group}")])
            .each(Each::row_of("platform.users").variables(&[("group", "effective_group_id")]).limit(100))
            .object()
            .needs(ASK),
    ]);

/// The size of the computer groups that are to be tagged.
pub(crate) const TARGETS: Input =
    Input::new("rbac.tag-targets", "endpoints in the computer groups that are to be tagged").sources(&[
        Source::gateway("endpoints", MEMBERS_OF_NAME)
            .variables(&[("group", "{item}")])
            .each(Each::setting("tag_targets"))
            .object()
            .needs(ASK),
    ]);

/// The size of one group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Size {
    #[serde(rename = "_of")]
    of: Of,
    #[serde(rename = "totalRecords", deserialize_with = "lenient::number")]
    total: Option<f64>,
}

/// The group: its id, or its name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Of {
    #[serde(deserialize_with = "lenient::id")]
    group: String,
    #[serde(deserialize_with = "lenient::text")]
    item: String,
}

/// `rbac.tag-operator-scope`
pub(crate) const OPERATOR_SCOPE: Check = Check::hybrid("rbac.tag-operator-scope")
    .title("Users who apply custom tags are assigned the computer groups to be tagged")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&USERS, &GROUPS, &SCOPES, &TARGETS])
    .settings(&[&TAG_OPERATORS, &TAG_TARGETS])
    .guide(&[SETUP, guide("Review and update custom tags", 13)])
    .what("For each computer group of `tag_targets`, looks for a user of `tag_operators` who is limited to that group, or to no fewer endpoints than All Computers has. Where there is none, it compares sizes: a group with more endpoints than all operators together can reach holds some that nobody can tag.")
    .why("A user tags only the endpoints of the assigned computer groups; the others stay without the tag, and without everything that targets it.")
    .limits("Groups are compared by their sizes, not endpoint by endpoint: where the operators could reach enough endpoints, but perhaps others, nothing is decided. The account of tancheck has to see all endpoints itself.")
    .applies("custom tags used")
    .related(&["tags.custom-tag-missing", "rbac.tag-group-permissions"])
    .remedy(&OPERATOR_SCOPE_REMEDY)
    .judge(operator_scope);

const OPERATOR_SCOPE_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Custom Tags and Tanium Client IP Address from all machines",
        "filter by {subject}: these endpoints are to be tagged",
    ),
    Step::decision("another user already has the computer groups", "name that user in `tag_operators`"),
    Step::console(
        "Administration > Permissions > Users",
        "assign the missing computer group to an operator; so far they are limited to {scopes}",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&["A wider computer group widens everything that the account can act on, not only tagging."])
.references(&["Console User Guide: Managing computer groups"]);

fn operator_scope(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let names = facts.list(&TAG_OPERATORS);
    if names.is_empty() {
        return Err(Undecided::not_evaluated("name the users who apply custom tags in `tag_operators`"));
    }
    let users: Vec<User> = facts.rows(&USERS)?;
    let mut operators = Vec::new();
    for name in &names {
        let active = users.iter().find(|user| user.is_named(name) && user.inactive_because().is_none());
        let active =
            active.ok_or_else(|| Undecided::not_evaluated(format!("no active account is called {name}")))?;
        operators.push(active);
    }
    let groups: Vec<Reference> = facts.rows(&GROUPS)?;
    let scopes: Vec<Size> = facts.rows(&SCOPES)?;
    let targets: Vec<Size> = facts.rows(&TARGETS)?;
    let mut unknown = Vec::new();
    for target in facts.list(&TAG_TARGETS) {
        let size = targets.iter().find(|size| size.of.item == target).and_then(|size| size.total);
        let Some(size) = size else {
            unknown.push(format!("how many endpoints {target} has is not told"));
            continue;
        };
        match reach(&operators, &groups, &scopes, target) {
            Err(why) => unknown.push(why),
            Ok(Reach::All) => {}
            Ok(Reach::AtMost(reached)) if reached < size => {
                let scopes = limits(&operators, &groups);
                report.finding(
                    Finding::on(Subject::new("computer group", target.to_lowercase(), target))
                        .says(format!(
                            "at least {} of its {size} endpoints can be tagged by nobody",
                            size - reached
                        ))
                        .expected("an operator who is assigned its endpoints")
                        .affected((size - reached) as u64, Some(size as u64))
                        .fill("scopes", &scopes)
                        .confirms(&scopes)
                        .evidence(facts.seen(&SCOPES, (reached, size))),
                );
            }
            Ok(Reach::AtMost(_)) => unknown.push(format!(
                "whether the operators ({}) reach every endpoint of {target} cannot be told from sizes",
                limits(&operators, &groups)
            )),
        }
    }
    settle(&unknown)
}

/// How much of a group operators can tag.
enum Reach {
    All,
    /// No more endpoints than this.
    AtMost(f64),
}

fn reach(operators: &[&User], groups: &[Reference], scopes: &[Size], target: &str) -> Result<Reach, String> {
    let size = |id: &str| scopes.iter().find(|size| size.of.group == id).and_then(|size| size.total);
    let id_of =
        |name: &str| groups.iter().find(|group| group.name.eq_ignore_ascii_case(name)).map(|group| &group.id);
    let (all, wanted) = (id_of("All Computers"), id_of(target));
    let mut reached = 0.0;
    let mut counted = BTreeSet::new();
    for operator in operators {
        let own = &operator.effective_group_id;
        if Some(own) == all || Some(own) == wanted {
            return Ok(Reach::All);
        }
        if counted.insert(own) {
            reached += size(own)
                .ok_or_else(|| format!("how many endpoints {} may reach is not told", operator.name))?;
        }
    }
    Ok(Reach::AtMost(reached))
}

fn limits(operators: &[&User], groups: &[Reference]) -> String {
    let one = |user: &&User| {
        let group = groups.iter().find(|group| group.id == user.effective_group_id);
        format!("{}: {}", user.name, group.map_or(user.effective_group_id.as_str(), Reference::label))
    };
    operators.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::tests::people;
    use tancheck_plugin_api::records::people::PERSONAS;
    use tancheck_plugin_api::records::roles::PRIVILEGES;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn editors(names: Value) -> Case {
        people(&GROUP_PERMISSIONS)
            .rows(
                &PRIVILEGES,
                json!([{"id": 100, "name": "administrator"}, {"id": 101, "name": "Read Sensor"},
                       {"id": 102, "name": "Write Computer Group"}, {"id": 103, "name": "interact module write"}]),
            )
            .setting("tag_group_editors", names)
    }

    #[test]
    fn editors_hold_all_three() {
        editors(json!(["ann"])).judge().assert_pass();
        editors(json!(["ann"])).assert_needs_its_inputs();
        let verdict = editors(json!(["ann", "bob", "eve"])).judge();
        verdict.assert_findings(&["2", "3"]);
        assert_eq!(verdict.findings()[0].values["missing"], "interact module write");
        let persona = json!([{"id": 9, "name": "Tags", "user_list": [{"id": 2}], "content_set_role_list": [{"id": 11}, {"id": 12}]}]);
        editors(json!(["bob"])).rows(&PERSONAS, persona).judge().assert_pass();
        editors(json!(["nobody"])).judge().assert_undecided(Outcome::NotEvaluated);
        editors(json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    fn scope(target: &str, size: u64) -> Case {
        Case::of(&OPERATOR_SCOPE)
            .rows(&USERS, json!([{"id": 2, "name": "bob", "effective_group_id": 5}, {"id": 1, "name": "ann", "effective_group_id": 1}]))
            .rows(&GROUPS, json!([{"id": 1, "name": "All Computers"}, {"id": 5, "name": "All Windows"}, {"id": 6, "name": "Servers"}]))
            .rows(&SCOPES, json!([{"_of": {"group": "5"}, "totalRecords": 60}, {"_of": {"group": "1"}, "totalRecords": 100}]))
            .rows(&TARGETS, json!([{"_of": {"item": target}, "totalRecords": size}]))
            .setting("tag_operators", json!(["bob"]))
            .setting("tag_targets", json!([target]))
    }

    #[test]
    fn targets_lie_within_the_groups_of_operators() {
        scope("All Windows", 60).judge().assert_pass();
        scope("All Windows", 60).assert_needs_its_inputs();
        let verdict = scope("All Computers", 100).judge();
        verdict.assert_findings(&["all computers"]);
        assert!(verdict.findings()[0].says.contains("at least 40 of its 100"));
        scope("All Computers", 100).setting("tag_operators", json!(["bob", "ann"])).judge().assert_pass();
    }

    #[test]
    fn sizes_alone_may_not_tell() {
        scope("Servers", 50).judge().assert_undecided(Outcome::NotEvaluated);
        scope("Servers", 50)
            .setting("tag_targets", json!(["Unknown"]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        scope("Servers", 50)
            .setting("tag_operators", json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        scope("Servers", 50)
            .setting("tag_operators", json!(["zoe"]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }
}
