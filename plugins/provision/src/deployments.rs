//! Deployments of operating systems: a list that has no public route. Actions that retire devices are another matter,
//! see [`crate::retirement`].

use crate::{GUIDE, RECENT_DAYS, STUCK_HOURS, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Shown, shown};

const PAGE: &str = "Modules > Provision > Deployments";

const ROWS: Input = Input::new("provision.deployment-rows", "deployments of operating systems").sources(&[
    Source::export(
        "provision-deployments.csv",
        PAGE,
        "write one row for each deployment of the last month (Provision User Guide: Monitor a deployment)",
        &["Deployment", "Endpoint", "Status", "Started", "Updated", "Message"],
    ),
    Source::answer(
        "Which deployments of Provision failed or are stuck? (names separated by commas; none where there is none)",
        Accepts::Text,
        30,
    ),
]);

/// What the texts of a status mean: the vendor documents none, so the site may name others.
const FAILED_STATUS: Setting = Setting::list("failed_status", &["Failed", "Error"])
    .about("texts of Status that mean that a deployment failed");
const RUNNING_STATUS: Setting =
    Setting::list("deployment_running_status", &["In Progress", "Running", "Pending"])
        .about("texts of Status that mean that a deployment runs or waits");
const DONE_STATUS: Setting =
    Setting::list("done_status", &["Completed", "Complete", "Succeeded", "Success", "Canceled"])
        .about("texts of Status that mean that a deployment is over and asks for nothing");

/// Deployments have no issues.
pub(crate) const DEPLOYMENTS: Check = Check::hybrid("provision.deployments")
    .title("Provision deployments have no issues")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&ROWS])
    .settings(&[&RECENT_DAYS, &STUCK_HOURS, &FAILED_STATUS, &RUNNING_STATUS, &DONE_STATUS])
    .guide(GUIDE)
    .what("Looks in the list of deployments for those that failed within `recent_days`, and for those that run or wait and have not changed for `stuck_hours`. A person may confirm that one is known.")
    .why("A device whose deployment stopped half way is out of use until somebody looks.")
    .limits("Deployments have no public route: the list is what an administrator wrote down, or an answer. The texts of the status are not documented; one that no setting names is shown and decides nothing.")
    .related(&["provision.service-not-running", "provision.retirement"])
    .remedy(&REMEDY)
    .judge(deployments);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject} and see at which step it stopped, and the message"),
    Step::consult("Provision User Guide: Monitor a deployment", "what the step does and needs"),
    Step::decision(
        "the Provision endpoint of its site is not running",
        "repair that first (provision.service-not-running)",
    ),
    Step::consult("Provision User Guide: Troubleshooting Provision", "follow it for the message"),
    Step::console(PAGE, "start the deployment again where that is safe, and see that it completes"),
])
.who(WHO)
.risk(Risk::High, Reversible::No)
.cautions(&[
    "A deployment overwrites the device's disk: start it again only on a device that holds nothing to keep.",
])
.references(&[
    "Provision User Guide: Monitor a deployment",
    "Provision User Guide: Troubleshooting Provision",
]);

#[derive(Deserialize)]
struct Deployment {
    #[serde(rename = "Deployment", default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(rename = "Endpoint", default, deserialize_with = "lenient::text")]
    endpoint: String,
    #[serde(rename = "Status", default, deserialize_with = "lenient::text")]
    status: String,
    #[serde(rename = "Started", default, deserialize_with = "lenient::time")]
    started: Option<Timestamp>,
    #[serde(rename = "Updated", default, deserialize_with = "lenient::time")]
    updated: Option<Timestamp>,
    #[serde(rename = "Message", default, deserialize_with = "lenient::text")]
    message: String,
}

fn deployments(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows = match shown::<Deployment>(facts, &ROWS)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            let text = answer.value.as_str().unwrap_or_default();
            if text.trim().is_empty() {
                return Err(Undecided::not_evaluated(
                    "the answer is empty: answer none, or names of deployments",
                ));
            }
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            for name in names.filter(|name| !name.eq_ignore_ascii_case("none")) {
                report.finding(finding(facts, name, "failed or is stuck, as was answered", "answered"));
            }
            return Ok(());
        }
    };
    let (recent, stuck) = (facts.integer(&RECENT_DAYS)?, facts.integer(&STUCK_HOURS)?);
    let (failed, running, done) =
        (facts.list(&FAILED_STATUS), facts.list(&RUNNING_STATUS), facts.list(&DONE_STATUS));
    let mut unknown = Vec::new();
    for row in &rows {
        let Some(last) = row.updated.or(row.started) else {
            unknown.push(format!("{} has neither Started nor Updated", row.name));
            continue;
        };
        let name = [row.name.trim(), row.endpoint.trim()].join(" on ");
        let status = row.status.trim();
        let is = |texts: &[&str]| texts.iter().any(|text| text.eq_ignore_ascii_case(status));
        let hours = facts.since(last).as_hours();
        if is(&done) || facts.days_since(last) > recent && !is(&running) {
            continue;
        }
        if is(&failed) {
            let message = row.message.trim();
            let says = if message.is_empty() { status.to_owned() } else { format!("{status}: {message}") };
            report.finding(finding(facts, &name, &says, &last.to_string()));
        } else if !is(&running) {
            unknown.push(format!("the status {status:?} of {name} is not known"));
        } else if hours > stuck {
            report.finding(finding(
                facts,
                &name,
                &format!("{status}, without a change for {hours} hours"),
                &last.to_string(),
            ));
        }
    }
    settle(&unknown)
}

fn finding(facts: &Facts<'_>, name: &str, says: &str, state: &str) -> Finding {
    Finding::on(Subject::new("deployment", name.to_lowercase(), name))
        .says(says)
        .confirms(state)
        .evidence(facts.seen(&ROWS, [name, says]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(status: &str, updated: &str) -> Case {
        let row: Value = json!({"Deployment": "Windows 11", "Endpoint": "PC1", "Status": status, "Started": "2026-04-01",
            "Updated": updated, "Message": ""});
        Case::of(&DEPLOYMENTS).at("2026-06-30T00:00:00Z").rows(&ROWS, json!([row]))
    }

    #[test]
    fn failed_and_stuck_deployments_are_found() {
        case("failed", "2026-06-20").judge().assert_findings(&["windows 11 on pc1"]);
        case("In Progress", "2026-06-28").judge().assert_findings(&["windows 11 on pc1"]);
        case("Pending", "2026-03-01").judge().assert_findings(&["windows 11 on pc1"]);
        Case::of(&DEPLOYMENTS).answer(&ROWS, "Windows 11").judge().assert_findings(&["windows 11"]);
    }

    #[test]
    fn finished_old_and_fresh_ones_pass() {
        case("Completed", "2026-06-20").judge().assert_pass();
        case("Failed", "2026-05-01").judge().assert_pass();
        case("In Progress", "2026-06-29T12:00:00Z").judge().assert_pass();
        Case::of(&DEPLOYMENTS).rows(&ROWS, json!([])).judge().assert_pass();
        Case::of(&DEPLOYMENTS).answer(&ROWS, "none").judge().assert_pass();
    }

    #[test]
    fn unknown_states_and_times_decide_nothing() {
        case("Purple", "2026-06-20").judge().assert_undecided(Outcome::NotEvaluated);
        let untimed = json!([{"Deployment": "x", "Status": "Failed"}]);
        Case::of(&DEPLOYMENTS).rows(&ROWS, untimed).judge().assert_undecided(Outcome::NotEvaluated);
        case("Completed", "2026-06-20").assert_needs_its_inputs();
    }
}
