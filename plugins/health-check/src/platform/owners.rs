//! Things that stop silently because nobody owns them any more.

use super::beyond;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::Reference;
use tancheck_plugin_api::records::actions::{SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction};
use tancheck_plugin_api::records::people::{PERSONAS, Persona, USERS, User};
use tancheck_plugin_api::records::questions::SAVED_QUESTIONS;
use tancheck_plugin_api::records::server::{PLUGIN_SCHEDULES, PluginSchedule};

/// Owners are there.
pub(crate) const OWNER_GONE: Check = beyond("health-check.schedule-owner-gone", Severity::Medium)
    .title("Schedules, actions and saved questions have owners who are there")
    .reads(&[&PLUGIN_SCHEDULES, &SCHEDULED_ACTIONS, &SAVED_QUESTIONS, &USERS, &PERSONAS])
    .what("Looks up the owner, and the persona where there is one, of each enabled schedule of a module service, each enabled scheduled action and each saved question. An owner who is deleted, or a persona that no longer exists, is found once, with what hangs on it.")
    .why("The server stops what a deleted user or persona owns, and shows no error anywhere.")
    .limits("Owners who are locked out are looked at elsewhere; what they own goes on.")
    .related(&["actions.user-issued-stale", "connect.owner-active", "console-users.departed-accounts"])
    .remedy(&REMEDY)
    .judge(schedule_owner_gone);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the team that {subject} belonged to", "which of these are still needed: {objects}"),
    Step::decision("one of them belongs to a module service", "let the module set its service account anew, as its user guide says"),
    Step::decision("a scheduled action or saved question is still needed", "make it anew as a user or service account that stays; ownership cannot be handed on in every version"),
    Step::decision("it is not needed", "disable or delete it, after a look at what depends on it"),
])
.cautions(&["Do not delete before the whole effect of losing it is known."])
.who("a Console user with the Administrator reserved role")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Managing users; Managing personas"]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct SavedQuestion {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::named")]
    user: Reference,
    #[serde(deserialize_with = "lenient::named")]
    persona: Reference,
}

/// Something that somebody owns.
struct Owned {
    what: String,
    user: Reference,
    persona: Reference,
    seen_in: &'static Input,
}

fn schedule_owner_gone(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users: Vec<User> = facts.rows(&USERS)?;
    let personas = facts.rows::<Persona>(&PERSONAS);
    let mut unseen = Vec::new();
    let mut owned = Vec::new();
    for list in [schedules(facts), actions(facts), questions(facts)] {
        match list {
            Ok(list) => owned.extend(list),
            Err(why) => unseen.push(why),
        }
    }
    let mut gone: BTreeMap<String, (Subject, String, Vec<&Owned>)> = BTreeMap::new();
    for one in &owned {
        if let Some((subject, says)) = owner_gone(&users, one).or_else(|| persona_gone(&personas, one)) {
            gone.entry(subject.key.clone()).or_insert_with(|| (subject, says, Vec::new())).2.push(one);
        }
    }
    for (subject, says, owned) in gone.into_values() {
        let objects: Vec<&str> = owned.iter().map(|one| one.what.as_str()).collect();
        report.finding(
            Finding::on(subject)
                .says(format!(
                    "{says}, and still owns {}",
                    objects.iter().take(5).copied().collect::<Vec<_>>().join(", ")
                ))
                .expected("owners who are there")
                .affected(objects.len() as u64, None)
                .sample(objects.iter().take(5).copied())
                .fill("objects", objects.join(", "))
                .evidence(facts.seen(owned[0].seen_in, &objects)),
        );
    }
    let has_personas = owned.iter().any(|one| !one.persona.is_none());
    match unseen.into_iter().next() {
        Some(why) => Err(why),
        None if has_personas => personas.map(|_| ()),
        None => Ok(()),
    }
}

fn schedules(facts: &Facts<'_>) -> Result<Vec<Owned>, Undecided> {
    let all: Vec<PluginSchedule> = facts.rows(&PLUGIN_SCHEDULES)?;
    let owned = |one: PluginSchedule| Owned {
        what: format!("schedule {} ({})", one.name, one.id),
        user: one.user,
        persona: one.persona,
        seen_in: &PLUGIN_SCHEDULES,
    };
    Ok(all.into_iter().filter(PluginSchedule::is_active).map(owned).collect())
}

fn actions(facts: &Facts<'_>) -> Result<Vec<Owned>, Undecided> {
    let all: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let owned = |one: ScheduledAction| Owned {
        what: format!("scheduled action {} ({})", one.name, one.id),
        user: one.user,
        persona: one.persona,
        seen_in: &SCHEDULED_ACTIONS,
    };
    // What is neither disabled nor deleted is meant to run.
    let is_meant = |one: &ScheduledAction| matches!(one.status(), Some(ScheduleStatus::Enabled) | None);
    Ok(all.into_iter().filter(is_meant).map(owned).collect())
}

fn questions(facts: &Facts<'_>) -> Result<Vec<Owned>, Undecided> {
    let all: Vec<SavedQuestion> = facts.rows(&SAVED_QUESTIONS)?;
    let owned = |one: SavedQuestion| Owned {
        what: format!("saved question {} ({})", one.name, one.id),
        user: one.user,
        persona: one.persona,
        seen_in: &SAVED_QUESTIONS,
    };
    Ok(all.into_iter().map(owned).collect())
}

fn owner_gone(users: &[User], one: &Owned) -> Option<(Subject, String)> {
    if one.user.is_none() {
        return None;
    }
    let is_it = |user: &&User| match one.user.id.as_str() {
        "" | "0" => user.name.eq_ignore_ascii_case(one.user.name.rsplit('\\').next().unwrap_or_default()),
        id => user.id == id,
    };
    // A name may have been given again.
    let found = users.iter().filter(is_it).min_by_key(|user| user.deleted_flag == Some(true));
    let (label, says) = match found {
        Some(user) if user.deleted_flag != Some(true) => return None,
        Some(user) => (user.label(), "is deleted"),
        None => (one.user.label(), "is not among the users"),
    };
    Some((Subject::new("user", format!("user {}", one.user.label_key()), label), says.to_owned()))
}

fn persona_gone(personas: &Result<Vec<Persona>, Undecided>, one: &Owned) -> Option<(Subject, String)> {
    if one.persona.is_none() {
        return None;
    }
    let known = personas.as_ref().ok()?;
    let found = known.iter().find(|persona| persona.id == one.persona.id);
    if found.is_some_and(|persona| persona.deleted_flag != Some(true)) {
        return None;
    }
    let key = format!("persona {}", one.persona.label_key());
    Some((Subject::new("persona", key, one.persona.label()), "no longer exists".to_owned()))
}

trait LabelKey {
    fn label_key(&self) -> &str;
}

impl LabelKey for Reference {
    /// The id, or the name of an exported row.
    fn label_key(&self) -> &str {
        if self.id.is_empty() || self.id == "0" { &self.name } else { &self.id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(schedule: Value, action: Value, question: Value) -> Case {
        let owned = |id: u32, owner: Value| {
            let mut row = json!({"id": id, "name": format!("thing {id}"), "enabled": true, "status": 0});
            row.as_object_mut().unwrap().extend(owner.as_object().unwrap().clone());
            json!([row])
        };
        Case::of(&OWNER_GONE)
            .rows(&PLUGIN_SCHEDULES, owned(1, schedule))
            .rows(&SCHEDULED_ACTIONS, owned(2, action))
            .rows(&SAVED_QUESTIONS, owned(3, question))
            .rows(
                &USERS,
                json!([{"id": 7, "name": "ann", "deleted_flag": false}, {"id": 9, "name": "bob", "deleted_flag": true}]),
            )
            .rows(&PERSONAS, json!([{"id": 3, "name": "exports"}]))
    }

    fn ann() -> Value {
        json!({"user": {"id": 7, "name": "ann"}, "persona": {"id": 3}})
    }

    #[test]
    fn owners_who_are_there_pass() {
        case(ann(), ann(), ann()).judge().assert_pass();
        case(ann(), ann(), ann()).assert_needs_its_inputs();
        case(ann(), json!({"user": "LAB\\ann"}), json!({"user": {"id": 0}})).judge().assert_pass();
    }

    #[test]
    fn one_who_is_gone_is_found_once_with_everything() {
        let bob = json!({"user": {"id": 9, "name": "bob"}});
        let found = case(bob.clone(), bob.clone(), bob).judge();
        found.assert_findings(&["user 9"]);
        assert_eq!(found.findings()[0].affected.as_ref().map(|them| them.count), Some(3));
        case(ann(), json!({"user": {"id": 77}}), ann()).judge().assert_findings(&["user 77"]);
        let persona = json!({"user": {"id": 7}, "persona": {"id": 8, "name": "old"}});
        case(ann(), ann(), persona).judge().assert_findings(&["persona 8"]);
    }

    #[test]
    fn what_is_switched_off_may_have_lost_its_owner() {
        let bob = |more: Value| {
            let mut row = json!({"user": {"id": 9}});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        case(bob(json!({"enabled": false})), bob(json!({"status": 1})), ann()).judge().assert_pass();
    }

    #[test]
    fn personas_are_needed_only_where_one_is_used() {
        let none = json!({"user": {"id": 7}});
        let blind = case(none.clone(), none.clone(), none).unavailable(&PERSONAS, Outcome::NoPermission);
        blind.judge().assert_pass();
        let refused = case(ann(), ann(), ann()).unavailable(&PERSONAS, Outcome::NoPermission);
        refused.judge().assert_undecided(Outcome::NoPermission);
    }
}
