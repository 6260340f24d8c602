//! Endpoints that lost the client and that no label marks.

use crate::WHO;
use crate::inputs::{INTERFACES, Interface};
use tancheck_plugin_api::prelude::*;

/// A label marks every endpoint that lost the client.
pub(crate) const LOST_MANAGED: Check = Check::automated("discover.lost-managed")
    .title("A label marks every endpoint that lost the client")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&INTERFACES])
    .what("Looks for interfaces that were managed once, are not managed now, are neither ignored nor unmanageable, and have no label at all.")
    .why("Alerts and deployments for disconnected clients go by labels. What no label marks is lost without a trace.")
    .limits("It counts interfaces, and those of the locations that the account may see.")
    .related(&["discover.disconnected-label", "discover.unmanaged-endpoints"])
    .beyond()
    .remedy(&REMEDY)
    .judge(lost_managed);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Discover > Interfaces",
        "list the unmanaged interfaces that have a Last Managed time and no label",
    ),
    Step::console(
        "Modules > Discover > Labels",
        "see why the conditions of the label for disconnected endpoints leave them out, and correct these",
    ),
    Step::decision("an endpoint was retired", "mark its interfaces as ignored"),
    Step::decision("it is still in use", "deploy the client again"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Discover User Guide: Automatically label interfaces"]);

fn lost_managed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let interfaces: Vec<Interface> = facts.rows(&INTERFACES)?;
    let unmarked: Vec<&Interface> =
        interfaces.iter().filter(|one| one.is_lost() && one.labels.is_empty()).collect();
    if unmarked.is_empty() {
        return Ok(());
    }
    let newest = unmarked.iter().filter_map(|one| one.last_managed).max();
    report.finding(
        Finding::on(Subject::deployment())
            .says(format!("{} endpoints lost the client, and no label marks them", unmarked.len()))
            .expected("a label on each of them")
            .affected(unmarked.len() as u64, Some(interfaces.len() as u64))
            .sample(unmarked.iter().take(5).map(|one| one.label()))
            .evidence(facts.seen(&INTERFACES, newest)),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(change: (&str, Value)) -> Case {
        let mut interface = json!({"id": 1, "ipAddresses": ["10.0.0.1"], "isManaged": false, "isIgnored": false,
            "isUnmanageable": false, "lastManagedTime": "2026-06-01T00:00:00Z", "labels": []});
        interface[change.0] = change.1;
        Case::of(&LOST_MANAGED).rows(&INTERFACES, json!([interface]))
    }

    #[test]
    fn a_lost_endpoint_without_a_label_is_found() {
        let verdict = case(("id", json!(1))).judge();
        verdict.assert_findings(&["deployment"]);
        assert_eq!(verdict.findings()[0].affected.clone().unwrap().sample, ["10.0.0.1"]);
    }

    #[test]
    fn others_are_not_lost() {
        for change in [
            ("isManaged", json!(true)),
            ("lastManagedTime", json!(null)),
            ("isIgnored", json!(true)),
            ("isUnmanageable", json!(true)),
            ("labels", json!([{"name": "Printers"}])),
        ] {
            case(change).judge().assert_pass();
        }
        case(("isManaged", json!(true))).assert_needs_its_inputs();
    }
}
