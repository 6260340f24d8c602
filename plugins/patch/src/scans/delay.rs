//! `patch.scan-delay`: scans begin at random times. Not asked for by the guide; the vendor's description of the service
//! recommends a delay.

use crate::WHO;
use crate::inputs::{SCAN_CONFIGURATIONS, scan_configurations};
use tancheck_plugin_api::prelude::*;

const MIN_DELAY: Setting = Setting::integer("min_scan_delay_minutes", 120, 0, 1440)
    .unit("minutes")
    .about("the random scan delay that an enforced scan configuration should have at least");

/// Scans begin at random times.
pub(crate) const DELAY: Check = Check::automated("patch.scan-delay")
    .title("Scans are spread by a random delay")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&SCAN_CONFIGURATIONS])
    .settings(&[&MIN_DELAY])
    .what("Compares the random delay of every enforced scan configuration with `min_scan_delay_minutes`. The vendor recommends 120 minutes or more.")
    .why("Without a delay all endpoints begin to scan at the same time, which virtual machines on one host feel most.")
    .related(&["patch.scan-config-conforms"])
    .beyond()
    .remedy(&REMEDY)
    .judge(delay);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Scan Management > Scan Configurations > {subject}",
        "edit the configuration",
    ),
    Step::console(
        "Modules > Patch > Scan Management > Scan Configurations > {subject}",
        "set the random delay to at least {minutes} minutes, and save",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Edit a scan configuration"]);

fn delay(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MIN_DELAY)?.unsigned_abs();
    let mut unknown = Vec::new();
    for configuration in &scan_configurations(facts)? {
        match configuration.targets() {
            Ok(0) => continue,
            Ok(_) => {}
            Err(reason) => {
                unknown.push(reason);
                continue;
            }
        }
        match configuration.random_scan_delay_minutes {
            Some(minutes) if minutes >= limit => {}
            Some(minutes) => report.finding(
                Finding::on(configuration.subject())
                    .says(format!("delays its scans by {minutes} minutes"))
                    .expected(format!("at least {limit} minutes"))
                    .fill("minutes", limit)
                    .evidence(facts.seen(&SCAN_CONFIGURATIONS, minutes)),
            ),
            None => unknown.push(format!("the random delay of {} is not told", configuration.name)),
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(delay: Value, targets: u64) -> Case {
        Case::of(&DELAY).rows(
            &SCAN_CONFIGURATIONS,
            json!([{"id": 1, "name": "Windows", "randomScanDelayMinutes": delay, "enforcementCount": targets}]),
        )
    }

    #[test]
    fn a_short_delay_of_an_enforced_configuration_is_found() {
        case(json!(120), 1).judge().assert_pass();
        case(json!(119), 1).judge().assert_findings(&["1"]);
        case(json!(0), 0).judge().assert_pass();
        case(json!(60), 1).setting("min_scan_delay_minutes", 60).judge().assert_pass();
        case(json!(null), 1).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!(120), 1).assert_needs_its_inputs();
    }
}
