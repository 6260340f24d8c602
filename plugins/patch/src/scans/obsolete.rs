//! `patch.scan-config-obsolete`: no scan configuration remains that nobody uses.

use super::GUIDE;
use crate::WHO;
use crate::inputs::{
    Enforcement, SCAN_CONFIGURATIONS, SCAN_ENFORCEMENTS, SCAN_UNUSED_BEFORE, ScanConfiguration,
    scan_configurations,
};
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;

const UNUSED_DAYS: Setting = Setting::integer("unused_days", 90, 1, 730)
    .unit("days")
    .about("how long a scan configuration may be without use before somebody decides about it");

/// No scan configuration remains without use.
pub(crate) const OBSOLETE: Check = Check::hybrid("patch.scan-config-obsolete")
    .title("No scan configuration is kept that nobody uses")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&SCAN_CONFIGURATIONS, &SCAN_ENFORCEMENTS, &SCAN_UNUSED_BEFORE])
    .settings(&[&UNUSED_DAYS])
    .guide(GUIDE)
    .what("Lists scan configurations that have been enforced on no computer group, or in force on no endpoint, for longer than `unused_days`. The time counts from the last change of the configuration, or from the run that first saw it without use.")
    .why("Useless configurations hide the ones that matter, and may win over them by priority one day.")
    .limits("The date of a configuration's last scan is not public; that it is in force on no endpoint stands for it.")
    .related(&["patch.scan-config-conforms"])
    .remedy(&REMEDY)
    .judge(obsolete);

const REMEDY: Remedy = Remedy::new(&[
    Step::consult("the owner of {subject}", "whether it is still needed"),
    Step::decision("it is", "confirm it here, with who said so"),
    Step::console(
        "Modules > Patch > Scan Management > Scan Configurations",
        "otherwise look which configuration covers its computer groups, then delete it",
    ),
])
.cautions(&["A deleted configuration leaves its targets without scans, and so without any view of their patches, unless others cover them."])
.who(WHO)
.risk(Risk::Medium, Reversible::No)
.references(&["Patch User Guide: Delete a scan configuration"]);

fn obsolete(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let configurations = scan_configurations(facts)?;
    let enforcements: Vec<Enforcement> = facts.rows(&SCAN_ENFORCEMENTS)?;
    let before = facts.points(&SCAN_UNUSED_BEFORE)?;
    let limit = facts.integer(&UNUSED_DAYS)?;
    let mut unknown = Vec::new();
    for one in &configurations {
        let (why, what) = match usage(one, &enforcements) {
            Ok(Usage::InForce) => {
                report.measure(&series(one), 0.0, "unused");
                continue;
            }
            Ok(Usage::WithoutTargets) => ("without targets", "is enforced on no computer group"),
            Ok(Usage::WithoutEndpoints) => ("without endpoints", "is in force on no endpoint"),
            Err(reason) => {
                unknown.push(reason);
                continue;
            }
        };
        report.measure(&series(one), 1.0, "unused");
        let Some(since) = since(one, before) else {
            unknown.push(format!("it is not known since when the scan configuration {} is {why}", one.name));
            continue;
        };
        let days = facts.days_since(since);
        if days > limit {
            report.finding(
                Finding::on(one.subject())
                    .says(format!("{what}, for {days} days"))
                    .expected(format!("a decision within {limit} days"))
                    .evidence(facts.seen(&SCAN_CONFIGURATIONS, [why, &since.to_string()]))
                    .confirms(why),
            );
        }
    }
    settle(&unknown)
}

enum Usage {
    InForce,
    WithoutTargets,
    WithoutEndpoints,
}

fn usage(one: &ScanConfiguration, enforcements: &[Enforcement]) -> Result<Usage, String> {
    if one.targets()? == 0 {
        return Ok(Usage::WithoutTargets);
    }
    let own: Vec<&Enforcement> = enforcements.iter().filter(|other| other.model_id == one.id).collect();
    let counts: Option<Vec<u64>> =
        own.iter().map(|other| other.enforcement_counts.and_then(|counts| counts.enforced())).collect();
    match counts {
        Some(counts) if !counts.is_empty() => {
            let none = counts.iter().sum::<u64>() == 0;
            Ok(if none { Usage::WithoutEndpoints } else { Usage::InForce })
        }
        _ => Err(format!("the service cannot tell on how many endpoints {} is in force", one.name)),
    }
}

fn series(one: &ScanConfiguration) -> String {
    format!("patch.scan-unused.{}", one.key())
}

/// Since when a configuration is without use: the last change, or the first run that saw it so after it was in use.
fn since(one: &ScanConfiguration, before: &[Point]) -> Option<Timestamp> {
    let series = series(one);
    let own: Vec<&Point> = before.iter().filter(|point| point.series == series).collect();
    let used = own.iter().filter(|point| point.value == 0.0).map(|point| point.at).max();
    let seen = own.iter().filter(|point| used.is_none_or(|used| point.at > used)).map(|point| point.at).min();
    let changed = one.created_at.max(one.updated_at);
    match (used, changed) {
        (None, Some(changed)) => Some(changed),
        (Some(used), Some(changed)) if changed > used => Some(changed),
        (Some(used), _) => Some(seen.unwrap_or(used)),
        (None, None) => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(targets: u64, changed: &str, enforced: Value) -> Case {
        Case::of(&OBSOLETE)
            .rows(
                &SCAN_CONFIGURATIONS,
                json!([{"id": 1, "name": "Windows", "enforcementCount": targets,
                        "createdAt": "2025-01-01T00:00:00Z", "updatedAt": changed}]),
            )
            .rows(&SCAN_ENFORCEMENTS, json!([{"modelId": 1, "enforcementCounts": enforced}]))
            .weekly(&SCAN_UNUSED_BEFORE, "patch.scan-unused.1", &[])
    }

    fn on(endpoints: u64) -> Value {
        json!({"enforcedCount": endpoints})
    }

    #[test]
    fn a_configuration_in_force_is_used() {
        let verdict = case(1, "2025-01-01T00:00:00Z", on(5)).judge();
        verdict.assert_pass();
        assert_eq!(verdict.measures()[0].value, 0.0);
        case(1, "2025-01-01T00:00:00Z", on(5)).assert_needs_its_inputs();
    }

    #[test]
    fn long_without_targets_or_endpoints_is_found() {
        case(0, "2026-01-01T00:00:00Z", json!([])).judge().assert_findings(&["1"]);
        case(0, "2026-06-01T00:00:00Z", json!([])).judge().assert_pass();
        case(0, "2026-06-01T00:00:00Z", json!([])).setting("unused_days", 7).judge().assert_findings(&["1"]);
        let verdict = case(1, "2026-01-01T00:00:00Z", on(0)).judge();
        verdict.assert_findings(&["1"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("without endpoints"));
    }

    #[test]
    fn the_time_begins_anew_when_it_was_used_since() {
        let used = case(0, "2025-01-01T00:00:00Z", json!([])).weekly(
            &SCAN_UNUSED_BEFORE,
            "patch.scan-unused.1",
            &[1.0, 0.0, 1.0, 1.0],
        );
        used.judge().assert_pass();
        let long: Vec<f64> = std::iter::once(0.0).chain([1.0; 20]).collect();
        let case = case(0, "2025-01-01T00:00:00Z", json!([])).weekly(
            &SCAN_UNUSED_BEFORE,
            "patch.scan-unused.1",
            &long,
        );
        case.judge().assert_findings(&["1"]);
    }

    #[test]
    fn counts_or_dates_that_are_missing_decide_nothing() {
        case(1, "2025-01-01T00:00:00Z", json!([])).judge().assert_undecided(Outcome::NotEvaluated);
        let undated = json!([{"id": 1, "name": "Windows", "enforcementCount": 0}]);
        let case = case(0, "", json!([])).rows(&SCAN_CONFIGURATIONS, undated);
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }
}
