//! `connect.destination-settings`: destination settings are right.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{CONNECTIONS, DESTINATION_KINDS, DESTINATIONS, DETAILS, destinations, with_elements};
use tancheck_plugin_api::prelude::*;

/// `connect.destination-settings`
pub const SETTINGS: Check = Check::hybrid("connect.destination-settings")
    .title("Destination settings are right")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS, &DETAILS, &DESTINATIONS])
    .settings(&[&DESTINATION_KINDS])
    .guide(GUIDE)
    .what(
        "Lists every destination that a connection sends to, with its settings. Somebody confirms once that \
         they are right; when a setting changes, the destination is listed again. Secrets are no part of \
         what is compared.",
    )
    .why("Data about every endpoint goes to whatever address is set here.")
    .limits(
        "A changed password, header value, query value or certificate cannot be seen. Destinations of kinds \
         that are not in `destination_kinds` leave the check undecided.",
    )
    .remedy(&SETTINGS_REMEDY)
    .judge(settings);

const SETTINGS_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {connection}",
        "compare the Destination settings with what was agreed with the receiver",
    ),
    Step::decision("they are right", "confirm them here; the confirmation ends when a setting changes"),
    Step::consult("the administrator of the destination", "agree on address, port, format and credentials"),
    Step::console("Modules > Connect > Connections > {connection}", "Edit, update the settings, Save"),
    Step::decision(
        "somebody changed them without being asked",
        "treat it as a security incident: data may have left",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&[
    "Data goes to whatever address is set: confirm it with the receiver before saving.",
    "Save and Run sends data to the destination at once; Save alone does not.",
])
.references(&["Connect User Guide: Edit connections"]);

fn settings(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let connections = with_elements(facts)?;
    let (destinations, unknown) = destinations(facts, &connections)?;
    for destination in &destinations {
        let state = destination.state();
        let users: Vec<&str> = destination.users.iter().map(|user| user.name.as_str()).collect();
        report.finding(
            Finding::on(destination.subject())
                .says(format!("{} connections send to {}", users.len(), destination.address()))
                .expected("the settings that were confirmed for it")
                .affected(users.len() as u64, Some(connections.len() as u64))
                .sample(users.iter().take(5).copied())
                .fill("connection", users[0])
                .evidence(facts.seen(&DESTINATIONS, &state))
                .confirms(state),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{case, siem};
    use super::*;
    use serde_json::json;

    #[test]
    fn a_destination_is_listed_with_a_state_that_changes_with_its_settings() {
        let verdict = case(&SETTINGS, json!({}), siem()).judge();
        verdict.assert_findings(&["https/3"]);
        let state = |destination| case(&SETTINGS, json!({}), destination).judge().findings()[0].state.clone();
        let mut moved = siem();
        moved["url"] = json!("https://elsewhere.example/in");
        assert_ne!(state(siem()), state(moved));
        let mut secret = siem();
        secret["password"] = json!("swordfish");
        assert_eq!(state(siem()), state(secret));
        assert!(!serde_json::to_string(verdict.findings()).unwrap().contains("hunter2"));
        case(&SETTINGS, json!({}), siem()).assert_needs_its_inputs();
    }

    #[test]
    fn a_destination_that_was_not_read_is_undecided() {
        let mut other = siem();
        other["id"] = json!(4);
        case(&SETTINGS, json!({}), other).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
