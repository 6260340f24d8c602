//! `connect.persona-exists`: the persona a connection runs as exists, and its owner may take it on.

use super::{BOTH, DELETING_STOPS, GUIDE};
use crate::inputs::{CONNECTIONS, Connection, connections};
use records::people::{PERSONAS, Persona, USER_GROUPS, UserGroup};
use serde_json::json;
use tancheck_plugin_api::prelude::*;

/// `connect.persona-exists`
pub const PERSONA_EXISTS: Check = Check::automated("connect.persona-exists")
    .title("The persona a connection runs as exists")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&CONNECTIONS, &PERSONAS, &USER_GROUPS])
    .guide(GUIDE)
    .what(
        "Looks up the persona of each connection that runs as another than the default persona. A persona \
         that is not there is a finding. One that is there, and that the owner of the connection may not \
         take on, neither directly nor by a user group, is a finding of low severity.",
    )
    .why("Deleting a persona stops the connections that run as it.")
    .limits(
        "The list of personas leaves out deleted ones and those the account may not see; with an account \
         that sees only some, compare with the Console before acting.",
    )
    .related(&["connect.persona-permissions"])
    .remedy(&REMEDY)
    .judge(persona_exists);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "Edit, choose an existing persona under Run as Persona, Save, and run the connection once",
    ),
    Step::decision(
        "no persona of the owner fits",
        "transfer the connection to a user who has one, or export it and import it as a new scheduled connection",
    ),
    Step::decision("the persona exists, and the owner may not take it on", "assign the owner to the persona"),
])
.who(BOTH)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&[DELETING_STOPS])
.references(&[
    "Console User Guide: View persona details",
    "Console User Guide: Delete or transfer content for a non-active user",
    "Connect User Guide: Export connections",
    "Connect User Guide: Import connections",
]);

fn persona_exists(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connections = connections(facts)?;
    let with_persona: Vec<(&Connection, &str)> = connections
        .iter()
        .filter_map(|connection| Some((connection, connection.alternative_persona()?)))
        .collect();
    if with_persona.is_empty() {
        return Err(facts.absent(&CONNECTIONS, "every connection runs as the default persona of its owner"));
    }
    let personas: Vec<Persona> = facts.rows(&PERSONAS)?;
    for (connection, named) in with_persona {
        let (severity, says) = match find(&personas, named) {
            None => match facts.gaps(&PERSONAS)? {
                [] => (Severity::High, format!("runs as persona {named}, which does not exist")),
                [gap, ..] => {
                    let reason = format!("persona {named} of {:?} was not seen: {gap}", connection.name);
                    return Err(Undecided::not_evaluated(reason));
                }
            },
            Some(persona) if may_take_on(facts, connection, persona)? => continue,
            Some(persona) => (
                Severity::Low,
                format!("runs as persona {:?}, which its owner may not take on", persona.name),
            ),
        };
        report.finding(
            Finding::on(connection.subject())
                .severity(severity)
                .says(says)
                .expected("an existing persona of the owner")
                .evidence(facts.seen(
                    &CONNECTIONS,
                    json!({"personaId": connection.persona_id, "userId": connection.user_id}),
                )),
        );
    }
    Ok(())
}

/// A persona by id, or by name in an exported list.
pub(super) fn find<'a>(personas: &'a [Persona], named: &str) -> Option<&'a Persona> {
    personas
        .iter()
        .filter(|persona| persona.deleted_flag != Some(true))
        .find(|persona| persona.id == named || persona.name.eq_ignore_ascii_case(named))
}

fn may_take_on(facts: &Facts<'_>, connection: &Connection, persona: &Persona) -> Result<bool, Undecided> {
    let is_owner = |user: &records::Reference| {
        if connection.user_id.is_empty() {
            user.name.eq_ignore_ascii_case(&connection.owner)
        } else {
            user.id == connection.user_id
        }
    };
    if persona.user_list.iter().any(is_owner) {
        return Ok(true);
    }
    if persona.user_group_list.is_empty() {
        return Ok(false);
    }
    let groups: Vec<UserGroup> = facts.rows(&USER_GROUPS)?;
    let of_persona = groups.iter().filter(|group| {
        group.deleted_flag != Some(true) && persona.user_group_list.iter().any(|one| one.id == group.id)
    });
    Ok(of_persona.flat_map(|group| &group.user_list).any(is_owner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tancheck_plugin_api::testing::Case;

    fn case(persona: u32, personas: Value) -> Case {
        Case::of(&PERSONA_EXISTS)
            .rows(&CONNECTIONS, json!([{"id": 1, "name": "a", "userId": 7, "personaId": persona}]))
            .rows(&PERSONAS, personas)
    }

    #[test]
    fn an_existing_persona_of_the_owner_passes() {
        let case = case(5, json!([{"id": 5, "name": "robot", "user_list": [{"id": 7}]}]));
        case.judge().assert_pass();
        case.assert_needs_its_inputs();
    }

    #[test]
    fn a_missing_or_deleted_persona_is_found() {
        case(5, json!([{"id": 6}])).judge().assert_findings(&["1"]);
        case(5, json!([{"id": 5, "deleted_flag": 1, "user_list": [{"id": 7}]}]))
            .judge()
            .assert_findings(&["1"]);
        let cut = case(5, json!([])).gap(&PERSONAS, "only some are shown");
        cut.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_owner_who_may_not_take_it_on_is_of_low_severity() {
        let other = case(5, json!([{"id": 5, "user_list": [{"id": 8}]}])).judge();
        assert_eq!(other.findings()[0].severity, Some(Severity::Low));
    }

    #[test]
    fn members_of_its_groups_may_take_it_on() {
        let by_group = case(5, json!([{"id": 5, "user_group_list": [{"id": 3}]}]));
        by_group.judge().assert_undecided(Outcome::NotEvaluated);
        by_group
            .clone()
            .rows(&USER_GROUPS, json!([{"id": 3, "user_list": [{"id": 7}]}]))
            .judge()
            .assert_pass();
        by_group
            .rows(&USER_GROUPS, json!([{"id": 4, "user_list": [{"id": 7}]}]))
            .judge()
            .assert_findings(&["1"]);
    }

    #[test]
    fn the_default_persona_is_not_its_subject() {
        case(0, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }
}
