//! `connect.owner-permissions` and `connect.persona-permissions`: whoever a connection runs as may read its source.

use super::{ADMINISTRATOR, GUIDE, personas};
use crate::inputs::{CONNECTIONS, Connection, DETAILS, same_kind, with_elements};
use records::Reference;
use records::actions::GROUPS;
use records::people::{PERSONAS, Persona};
use records::roles::{PRIVILEGES, Privilege, ROLES, Role, granted, missing};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;

const REQUIRED_BY_SOURCE: Setting = Setting::table("required_permissions_by_source").about(
    "privileges that a connection needs to run, by the kind of its source as in its route (savedquestions, \
     events, …); those under \"*\" are needed by every connection",
);

const OWNER_ROLES: Input = Input::new("connect.owner-roles", "effective roles of the owners of connections")
    .sources(&[Source::rest("/api/v2/user/{id}/effective-roles")
        .object()
        .each(Each::row_of("connect.connections").variables(&[("id", "userId")]))
        .needs(&["read user"])]);

const PERSONA_ROLES: Input =
    Input::new("connect.persona-roles", "effective roles of personas").sources(&[Source::rest(
        "/api/v2/persona/{id}/effective-roles",
    )
    .object()
    .each(Each::row_of("platform.personas").variables(&[("id", "id")]))
    .needs(&["read persona"])]);

/// `connect.owner-permissions`
pub const OWNER_PERMISSIONS: Check = Check::automated("connect.owner-permissions")
    .title("The owner has the permissions to run the connection (default persona)")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &OWNER_ROLES, &ROLES, &PRIVILEGES])
    .settings(&[&REQUIRED_BY_SOURCE])
    .guide(GUIDE)
    .what(
        "For each enabled connection that runs as the default persona, takes the privileges that the \
         effective roles of its owner grant, less those a deny role takes away, and compares them with \
         those that `required_permissions_by_source` names for its kind of source.",
    )
    .why("A connection whose owner lost a role runs and sends nothing, or less than it should.")
    .limits(
        "Which privileges a kind of source needs is not public: the setting has to tell. Computer groups \
         limit what an owner sees as well; they are not judged here.",
    )
    .related(&["connect.owner-active"])
    .remedy(&OWNER_REMEDY)
    .judge(owner_permissions);

const OWNER_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users",
        "open the owner and look at the effective role permissions; {missing} is missing",
    ),
    Step::decision(
        "the owner should run this connection",
        "assign the smallest role that holds what is missing, or add the owner to a user group that has it",
    ),
    Step::decision("another user has the permissions already", "move the connection to that user"),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "run it once and compare the rows with earlier runs",
    ),
])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Give the least that the connection needs."])
.references(&["Console User Guide: View effective role permissions for a user"]);

/// `connect.persona-permissions`
pub const PERSONA_PERMISSIONS: Check = Check::automated("connect.persona-permissions")
    .title("The persona has the permissions to run the connection")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &PERSONAS, &PERSONA_ROLES, &ROLES, &PRIVILEGES, &GROUPS])
    .settings(&[&REQUIRED_BY_SOURCE])
    .guide(GUIDE)
    .what(
        "For each enabled connection that runs as another than the default persona, compares the privileges \
         that the roles of the persona grant with those that `required_permissions_by_source` names for its \
         kind of source. A persona that is limited to No Computers cannot run a saved question, which is a \
         finding as well.",
    )
    .why("A persona narrows what its user may do. One that is too narrow starves the connection without an error.")
    .limits(
        "Which privileges a kind of source needs is not public: the setting has to tell. Of the computer groups \
         of a persona only No Computers is recognized, by its name.",
    )
    .related(&["connect.persona-exists"])
    .remedy(&PERSONA_REMEDY)
    .judge(persona_permissions);

const PERSONA_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "Console User Guide: View effective role permissions for a persona",
        "open the persona as described there; {missing} is missing",
    ),
    Step::decision(
        "the persona is meant for this connection",
        "add the smallest role that holds what is missing",
    ),
    Step::decision("another persona of the owner fits", "Edit the connection, choose that persona, Save"),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "run it once and compare the rows with earlier runs",
    ),
])
.who(ADMINISTRATOR)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["A role added to a persona is held by everybody who may take it on."])
.references(&["Console User Guide: View effective role permissions for a persona"]);

/// The roles of one user or persona.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct EffectiveRoles {
    #[serde(rename = "_of")]
    of: Of,
    #[serde(deserialize_with = "lenient::list")]
    effective_roles: Vec<Reference>,
}

/// The user or persona.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Of {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}

fn owner_permissions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let required = required(facts)?;
    let connections = enabled(facts)?;
    let as_owner: Vec<&Connection> =
        connections.iter().filter(|connection| connection.alternative_persona().is_none()).collect();
    if as_owner.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "no enabled connection runs as a default persona"));
    }
    let grants = Grants::read(facts, &OWNER_ROLES)?;
    let mut undecided = Vec::new();
    for connection in as_owner {
        match lack(connection, &required, grants.of(&connection.user_id)) {
            Err(why) => undecided.push(why),
            Ok(lacks) if lacks.is_empty() => {}
            Ok(lacks) => report.finding(lacking(facts, connection, "its owner", &lacks)),
        }
    }
    settle(&undecided)
}

fn persona_permissions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let required = required(facts)?;
    let connections = enabled(facts)?;
    let as_persona: Vec<(&Connection, &str)> = connections
        .iter()
        .filter_map(|connection| Some((connection, connection.alternative_persona()?)))
        .collect();
    if as_persona.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "every enabled connection runs as a default persona"));
    }
    let personas: Vec<Persona> = facts.rows(&PERSONAS)?;
    let grants = Grants::read(facts, &PERSONA_ROLES)?;
    let mut undecided = Vec::new();
    for (connection, named) in as_persona {
        let Some(persona) = personas::find(&personas, named) else {
            undecided.push(format!("persona {named} of {:?} was not seen", connection.name));
            continue;
        };
        let mut lacks = Vec::new();
        match lack(connection, &required, grants.of(&persona.id)) {
            Err(why) => undecided.push(why),
            Ok(missing) => lacks.extend(missing),
        }
        match no_computers(facts, connection, persona)? {
            None => undecided.push(format!("the computer group of persona {:?} was not seen", persona.name)),
            Some(true) => lacks.push("a computer group other than No Computers"),
            Some(false) => {}
        }
        if !lacks.is_empty() {
            report.finding(lacking(facts, connection, &format!("persona {:?}", persona.name), &lacks));
        }
    }
    settle(&undecided)
}

fn required<'a>(facts: &Facts<'a>) -> Result<BTreeMap<&'a str, Vec<&'a str>>, Undecided> {
    let required = facts.table(&REQUIRED_BY_SOURCE);
    if required.is_empty() {
        return Err(Undecided::not_evaluated(
            "name the privileges that connections need in `required_permissions_by_source` under [modules.connect]",
        ));
    }
    Ok(required)
}

fn enabled(facts: &Facts<'_>) -> Result<Vec<Connection>, Undecided> {
    let connections = with_elements(facts)?;
    Ok(connections.into_iter().filter(|connection| !connection.is_off()).collect())
}

fn lacking(facts: &Facts<'_>, connection: &Connection, who: &str, lacks: &[&str]) -> Finding {
    let missing = lacks.join(", ");
    Finding::on(connection.subject())
        .says(format!("{who} lacks {missing}"))
        .expected("every privilege that its source needs")
        .fill("missing", &missing)
        .evidence(facts.seen(&ROLES, json!({"lacks": lacks})))
}

/// The required privileges that are not held; or why that cannot be told.
fn lack<'a>(
    connection: &Connection,
    required: &BTreeMap<&'a str, Vec<&'a str>>,
    held: Option<BTreeSet<String>>,
) -> Result<Vec<&'a str>, String> {
    let kind = connection.element("sources").map_or("", |source| source.kind());
    let named: Vec<_> = required.iter().filter(|(key, _)| **key == "*" || same_kind(key, kind)).collect();
    if named.is_empty() {
        return Err(format!(
            "`required_permissions_by_source` names nothing for {kind} of {:?}",
            connection.name
        ));
    }
    let held = held.ok_or_else(|| format!("the roles behind {:?} were not told", connection.name))?;
    let wanted: Vec<&str> = named.into_iter().flat_map(|(_, privileges)| privileges).copied().collect();
    Ok(missing(&wanted, &held))
}

/// Whether the persona sees no endpoint, and its source is a question; nothing where its group was not told. A persona
/// comes with the id of its group alone.
fn no_computers(
    facts: &Facts<'_>,
    connection: &Connection,
    persona: &Persona,
) -> Result<Option<bool>, Undecided> {
    let asks = connection.element("sources").is_some_and(|source| source.is("savedquestions"));
    let group =
        persona.group.as_ref().filter(|group| !group.name.is_empty() || !matches!(&*group.id, "" | "0"));
    let Some(group) = group.filter(|_| asks) else { return Ok(Some(false)) };
    let is_none = |name: &str| name.eq_ignore_ascii_case("No Computers");
    if !group.name.is_empty() {
        return Ok(Some(is_none(&group.name)));
    }
    let groups: Vec<Reference> = facts.rows(&GROUPS)?;
    let named = groups.iter().find(|one| one.id == group.id && !one.name.is_empty());
    Ok(named.map(|one| is_none(&one.name)))
}

/// Roles, and what they grant.
struct Grants {
    effective: Vec<EffectiveRoles>,
    roles: Vec<Role>,
    privileges: Vec<Privilege>,
}

impl Grants {
    fn read(facts: &Facts<'_>, effective: &'static Input) -> Result<Self, Undecided> {
        Ok(Self {
            effective: facts.rows(effective)?,
            roles: facts.rows(&ROLES)?,
            privileges: facts.rows(&PRIVILEGES)?,
        })
    }

    /// The privileges of a user or persona; nothing where a role was not told.
    fn of(&self, id: &str) -> Option<BTreeSet<String>> {
        let found = self.effective.iter().find(|one| !id.is_empty() && one.of.id == id)?;
        if found.effective_roles.iter().any(|role| role.name.eq_ignore_ascii_case("Administrator")) {
            return Some(BTreeSet::from(["administrator".to_owned()]));
        }
        let held: BTreeSet<String> = found.effective_roles.iter().map(|role| role.id.clone()).collect();
        let known = held.iter().all(|id| self.roles.iter().any(|role| role.id == *id));
        known.then(|| granted(&self.roles, &self.privileges, &held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, persona: u32, source: &str, role: Value) -> Case {
        let roles =
            json!([{"_of": {"id": if persona == 0 { 7 } else { persona }}, "effective_roles": [role]}]);
        let input = if persona == 0 { &OWNER_ROLES } else { &PERSONA_ROLES };
        Case::of(check)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "a", "userId": 7, "personaId": persona, "enabled": true}]))
            .rows(&DETAILS, json!([{"id": 1, "streams": [source]}]))
            .rows(input, roles)
            .rows(
                &ROLES,
                json!([{"id": 2, "name": "reader", "content_set_role_privileges": [{"content_set_privilege": {"id": 4}}]},
                       {"id": 3, "name": "guest", "content_set_role_privileges": []}]),
            )
            .rows(&PRIVILEGES, json!([{"id": 4, "name": "read sensor"}]))
            .setting("required_permissions_by_source", json!({"savedquestions": ["read sensor"]}))
    }

    const QUESTION: &str = "/v1/sources/savedquestion/9";

    fn owner(role: Value) -> Case {
        case(&OWNER_PERMISSIONS, 0, QUESTION, role)
    }

    fn persona(role: Value, group: &str) -> Case {
        case(&PERSONA_PERMISSIONS, 5, QUESTION, role)
            .rows(&PERSONAS, json!([{"id": 5, "name": "robot", "group": {"id": 8}}]))
            .rows(&GROUPS, json!([{"id": 8, "name": group}, {"id": 9, "name": "No Computers"}]))
    }

    #[test]
    fn an_owner_with_the_privileges_passes() {
        owner(json!({"id": 2, "name": "reader"})).judge().assert_pass();
        owner(json!({"id": 1, "name": "Administrator"})).judge().assert_pass();
        owner(json!({"id": 2, "name": "reader"})).assert_needs_its_inputs();
    }

    #[test]
    fn an_owner_who_lacks_one_is_found() {
        let verdict = owner(json!({"id": 3, "name": "guest"})).judge();
        verdict.assert_findings(&["1"]);
        assert_eq!(verdict.findings()[0].values["missing"], "read sensor");
    }

    #[test]
    fn an_unknown_role_or_kind_of_source_is_undecided() {
        owner(json!({"id": 99, "name": "new"})).judge().assert_undecided(Outcome::NotEvaluated);
        let events = case(&OWNER_PERMISSIONS, 0, "/v1/sources/events/9", json!({"id": 2}));
        events.judge().assert_undecided(Outcome::NotEvaluated);
        events.setting("required_permissions_by_source", json!({"*": ["read sensor"]})).judge().assert_pass();
        let unset = owner(json!({"id": 2})).setting("required_permissions_by_source", json!({}));
        unset.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn each_check_has_its_own_connections() {
        let with_persona = case(&OWNER_PERMISSIONS, 5, QUESTION, json!({"id": 2}));
        with_persona.rows(&OWNER_ROLES, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        let default =
            case(&PERSONA_PERMISSIONS, 0, QUESTION, json!({"id": 2})).rows(&PERSONA_ROLES, json!([]));
        default.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn a_persona_needs_the_privileges_and_computers() {
        persona(json!({"id": 2}), "All Computers").judge().assert_pass();
        persona(json!({"id": 3}), "All Computers").judge().assert_findings(&["1"]);
        persona(json!({"id": 2}), "No Computers").judge().assert_findings(&["1"]);
        persona(json!({"id": 2}), "All Computers")
            .rows(&PERSONAS, json!([]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        persona(json!({"id": 2}), "All Computers").assert_needs_its_inputs();
        persona(json!({"id": 99}), "No Computers").judge().assert_findings(&["1"]);
    }

    #[test]
    fn a_group_that_is_named_needs_no_list_and_one_that_is_unknown_decides_nothing() {
        let with = |group: Value| {
            persona(json!({"id": 2}), "All Computers")
                .rows(&PERSONAS, json!([{"id": 5, "name": "robot", "group": group}]))
        };
        with(json!({"id": 9, "name": "No Computers"})).judge().assert_findings(&["1"]);
        with(json!({"id": 9})).judge().assert_findings(&["1"]);
        with(json!({"id": 0})).judge().assert_pass();
        with(json!({"id": 77})).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
