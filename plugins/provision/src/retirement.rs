//! Beyond the guide: actions that retire devices, which the API Gateway lists.

use crate::{RECENT_DAYS, STUCK_HOURS, WHO};
use tancheck_plugin_api::prelude::*;

const ACTIONS: Input =
    Input::new("provision.retirement-actions", "actions that retire devices").sources(&[Source::gateway(
        "provisionRetirementActions",
        QUERY,
    )
    .needs(&["gateway use api", "provision read"])]);

const QUERY: &str = "\
query TancheckRetirement($after: Cursor) {
  provisionRetirementActions(first: 100, after: $after) {
    edges { node { id status createdTime updatedTime endpointID ipAddress targetEndpointParameters { computerName } } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// Actions that retire devices come to their end.
pub(crate) const RETIREMENT: Check = Check::automated("provision.retirement")
    .title("Actions that retire devices come to their end")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&ACTIONS])
    .settings(&[&RECENT_DAYS, &STUCK_HOURS])
    .what("Lists retirement actions that failed or ended with a warning within `recent_days`, and those that are pending or in progress and have not changed for `stuck_hours`.")
    .why("A device that somebody believes to be wiped, and is not, leaves the house with its data.")
    .limits("The Gateway's field is experimental; where a deployment does not have it, nothing is decided.")
    .related(&["provision.deployments"])
    .remedy(&REMEDY)
    .beyond()
    .judge(retirement);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Provision",
        "open the retirement action of {subject} and read its log, step by step",
    ),
    Step::consult(
        "Provision User Guide: Retiring and locking devices",
        "what the step needs, and how to repeat the action",
    ),
    Step::decision(
        "the device cannot be reached any more",
        "find the device: until it is wiped or destroyed, count its data as not erased",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::No)
.cautions(&["A retirement erases the device. Compare serial number and name before you repeat one."])
.references(&["Provision User Guide: Retiring and locking devices"]);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Action {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(deserialize_with = "lenient::time")]
    created_time: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time")]
    updated_time: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::text")]
    ip_address: String,
    target_endpoint_parameters: Option<Target>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    #[serde(deserialize_with = "lenient::text")]
    computer_name: String,
}

impl Action {
    /// The name of the device, or what else is known of it.
    fn device(&self) -> &str {
        let name =
            self.target_endpoint_parameters.as_ref().map_or("", |target| target.computer_name.as_str());
        [name, &self.ip_address, &self.id].into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }
}

fn retirement(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let actions: Vec<Action> = facts.rows(&ACTIONS)?;
    let (recent, stuck) = (facts.integer(&RECENT_DAYS)?, facts.integer(&STUCK_HOURS)?);
    let mut unknown = Vec::new();
    for action in &actions {
        let device = action.device();
        let Some(last) = action.updated_time.or(action.created_time) else {
            unknown.push(format!("the retirement of {device} has no time"));
            continue;
        };
        let is_recent = facts.days_since(last) <= recent;
        let hours = facts.since(last).as_hours();
        let says = match action.status.as_str() {
            "completed" | "canceled" => continue,
            "failed" if is_recent => "its retirement failed".to_owned(),
            "warning" if is_recent => "its retirement ended with a warning".to_owned(),
            "failed" | "warning" => continue,
            "inProgress" | "pending" if hours > stuck => {
                format!("its retirement is {} without a change for {hours} hours", action.status)
            }
            "inProgress" | "pending" => continue,
            other => {
                unknown.push(format!("the status {other:?} of the retirement of {device} is not known"));
                continue;
            }
        };
        report.finding(
            Finding::on(Subject::new("retirement action", &action.id, device))
                .says(says)
                .expected("completed")
                .evidence(facts.seen(&ACTIONS, [&action.status, &last.to_string()])),
        );
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(status: &str, updated: &str) -> Case {
        let action = json!({"id": "7", "status": status, "createdTime": "2026-01-01T00:00:00Z", "updatedTime": updated,
            "ipAddress": null, "targetEndpointParameters": {"computerName": "PC1"}});
        Case::of(&RETIREMENT).at("2026-06-30T00:00:00Z").rows(&ACTIONS, json!([action]))
    }

    #[test]
    fn what_failed_or_stands_still_is_found() {
        case("failed", "2026-06-20T00:00:00Z").judge().assert_findings(&["7"]);
        case("warning", "2026-06-20T00:00:00Z").judge().assert_findings(&["7"]);
        case("inProgress", "2026-06-28T00:00:00Z").judge().assert_findings(&["7"]);
        case("pending", "2026-01-01T00:00:00Z").judge().assert_findings(&["7"]);
    }

    #[test]
    fn what_ended_or_just_began_passes() {
        case("completed", "2026-06-20T00:00:00Z").judge().assert_pass();
        case("canceled", "2026-06-20T00:00:00Z").judge().assert_pass();
        case("failed", "2026-05-01T00:00:00Z").judge().assert_pass();
        case("pending", "2026-06-29T12:00:00Z").judge().assert_pass();
        Case::of(&RETIREMENT).rows(&ACTIONS, json!([])).judge().assert_pass();
    }

    #[test]
    fn unknown_states_decide_nothing() {
        case("purple", "2026-06-20T00:00:00Z").judge().assert_undecided(Outcome::NotEvaluated);
        case("completed", "2026-06-20T00:00:00Z").assert_needs_its_inputs();
    }
}
