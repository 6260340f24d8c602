//! `patch.scan-config-conforms`: scan configurations follow the practice of the organisation.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{
    ENDPOINTS_BY_SYSTEM, OPERATING_SYSTEMS, SCAN_CONFIGURATIONS, ScanConfiguration, count,
    scan_configurations,
};
use tancheck_plugin_api::prelude::*;

/// Scan configurations follow the practice.
pub(crate) const CONFORMS: Check = Check::hybrid("patch.scan-config-conforms")
    .title("Each operating system is scanned as the organisation decided")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SCAN_CONFIGURATIONS, &ENDPOINTS_BY_SYSTEM])
    .settings(&[&OPERATING_SYSTEMS])
    .guide(GUIDE)
    .what("Looks for an enforced scan configuration for each of `operating_systems` that endpoints run. Lists every enforced configuration with its settings; somebody confirms each month that they follow the practice, and when a setting changes it is listed at once.")
    .why("Endpoints without a scan configuration show no missing patches at all, which looks just like being up to date.")
    .limits("The service tells scan configurations for Linux and Windows only. The times of a scan window are not in the list, only whether there is one.")
    .related(&["patch.scan-config-obsolete", "patch.scan-delay", "patch.days-since-scan"])
    .remedy(&REMEDY)
    .judge(conforms);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the practice of your organisation", "how endpoints should be scanned, and how often"),
    Step::console("Modules > Patch > Scan Management > Scan Configurations", "compare {subject}: {state}"),
    Step::decision(
        "it follows the practice",
        "confirm it here; the confirmation ends when a setting changes",
    ),
    Step::decision("it does not", "edit the scan configuration"),
    Step::decision(
        "it is an operating system without a configuration",
        "create one and enforce it on its computer groups, or take the system off `operating_systems`",
    ),
])
.cautions(&["Frequent scans without a random delay load endpoints, servers and network at the same minute."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Patch User Guide: Edit a scan configuration"]);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Population {
    #[serde(deserialize_with = "count")]
    total_records: Option<u64>,
    #[serde(rename = "_of")]
    of: OfSystem,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OfSystem {
    #[serde(deserialize_with = "lenient::text")]
    item: String,
}

fn conforms(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut enforced = Vec::new();
    let mut unknown = Vec::new();
    for configuration in scan_configurations(facts)? {
        match configuration.targets() {
            Ok(0) => {}
            Ok(_) => enforced.push(configuration),
            Err(reason) => unknown.push(reason),
        }
    }
    for configuration in &enforced {
        let state = state(configuration);
        report.finding(
            Finding::on(configuration.subject())
                .says(format!("has to be confirmed: {state}"))
                .expected("the settings that the practice asks for")
                .fill("state", &state)
                .evidence(facts.seen(&SCAN_CONFIGURATIONS, &state))
                .confirms(state),
        );
    }
    let populations: Vec<Population> = facts.rows(&ENDPOINTS_BY_SYSTEM)?;
    for system in facts.list(&OPERATING_SYSTEMS) {
        let population = populations.iter().find(|one| one.of.item.eq_ignore_ascii_case(system));
        let Some(endpoints) = population.and_then(|one| one.total_records) else {
            unknown.push(format!("the number of endpoints with {system} is not told"));
            continue;
        };
        if endpoints > 0 && !enforced.iter().any(|one| one.os_type.eq_ignore_ascii_case(system)) {
            report.finding(
                Finding::on(Subject::new("operating system", system.to_lowercase(), system))
                    .says(format!(
                        "{endpoints} endpoints run it, and no scan configuration for it is enforced"
                    ))
                    .expected("an enforced scan configuration")
                    .affected(endpoints, Some(endpoints))
                    .fill("state", "no scan configuration")
                    .evidence(facts.seen(&ENDPOINTS_BY_SYSTEM, endpoints))
                    .confirms("no scan configuration"),
            );
        }
    }
    settle(&unknown)
}

/// Everything that somebody confirms about a scan configuration.
fn state(one: &ScanConfiguration) -> String {
    let number = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
    let window = match one.has_scan_window {
        Some(true) => "with a scan window",
        Some(false) => "without a scan window",
        None => "scan window not told",
    };
    format!(
        "{} by {}, every {} hours, results at most {} minutes old, random delay {} minutes, {window}",
        one.os_type,
        one.technique,
        number(one.frequency_in_hours),
        number(one.max_age_minutes),
        number(one.random_scan_delay_minutes),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn configuration(id: u64, os: &str, targets: Value) -> Value {
        json!({"id": id, "name": os, "osType": os, "technique": "tanium", "frequencyInHours": 24,
               "maxAgeMinutes": null, "randomScanDelayMinutes": 120, "hasScanWindow": false, "enforcementCount": targets})
    }

    fn case(configurations: Value) -> Case {
        Case::of(&CONFORMS).rows(&SCAN_CONFIGURATIONS, configurations).rows(
            &ENDPOINTS_BY_SYSTEM,
            json!([{"totalRecords": 900, "_of": {"item": "Windows"}}, {"totalRecords": 0, "_of": {"item": "Linux"}}]),
        )
    }

    #[test]
    fn enforced_configurations_await_a_confirmation_that_ends_with_a_change() {
        let one = configuration(1, "windows", json!(1));
        let verdict = case(json!([one])).judge();
        verdict.assert_findings(&["1"]);
        let mut slower = one.clone();
        slower["frequencyInHours"] = json!(48);
        assert_ne!(verdict.findings()[0].state, case(json!([slower])).judge().findings()[0].state);
        case(json!([one])).assert_needs_its_inputs();
    }

    #[test]
    fn a_system_in_use_needs_an_enforced_configuration() {
        case(json!([configuration(1, "windows", json!(0))])).judge().assert_findings(&["windows"]);
        let both = json!([{"totalRecords": 1, "_of": {"item": "Windows"}}, {"totalRecords": 1, "_of": {"item": "Linux"}}]);
        let case = case(json!([configuration(1, "windows", json!(1))])).rows(&ENDPOINTS_BY_SYSTEM, both);
        case.judge().assert_findings(&["1", "linux"]);
        case.setting("operating_systems", json!(["Windows"])).judge().assert_findings(&["1"]);
    }

    #[test]
    fn what_is_not_told_is_not_guessed() {
        let unknown = json!([{"_of": {"item": "Windows"}}]);
        let verdict = case(json!([])).rows(&ENDPOINTS_BY_SYSTEM, unknown).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        let verdict = case(json!([configuration(1, "windows", json!(null))])).judge();
        assert!(verdict.undecided().is_some_and(|why| why.reason.contains("where the scan configuration")));
    }
}
