//! "Review and upgrade Tanium Client versions", page 21: upgrades that did not reach their endpoints.

use super::{GUIDE, LATEST, PHASES, Versions};
use crate::console::{CLIENT_UPGRADES, WHO};
use crate::inputs::{
    ActionResults, MODULE_UPGRADES, UPGRADE_ACTIONS, UPGRADE_RESULTS, UpgradeAction, UpgradeRow,
    VERSION_ANSWERS, VERSION_HISTORY,
};
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Point;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::CLIENT_STATUS;

const AFTER_DAYS: Setting = Setting::integer("after_days", 7, 1, 365)
    .unit("days")
    .about("how many days after an upgrade an endpoint that still has the earlier version counts as failed");

pub(crate) const FAILED: Check = Check::hybrid("client-management.version-upgrade-failed")
    .title("No client upgrades failed")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[
        &CLIENT_STATUS,
        &VERSION_ANSWERS,
        &UPGRADE_ACTIONS,
        &UPGRADE_RESULTS,
        &MODULE_UPGRADES,
        &VERSION_HISTORY,
    ])
    .settings(&[&LATEST, &AFTER_DAYS])
    .guide(GUIDE)
    .what(
        "While clients below the latest version exist, looks for upgrades that ended more than `after_days` \
         ago: actions whose package name speaks of a client upgrade, and the upgrades of the module itself, \
         as an exported list or a person tells. It reports endpoints that did not complete them or still \
         have an earlier version. Versions that stayed on endpoints while others moved on, as earlier runs \
         stored it, are reported as inferred.",
    )
    .why("An upgrade that failed leaves the endpoint as it was, and nothing else tells of it.")
    .limits(
        "The upgrades of Client Management have no public route. Results of actions vanish after a while, \
         and an endpoint may have been upgraded in another way since. A package that is named differently \
         is not recognized. What is inferred from counts may be other endpoints each time.",
    )
    .related(&["client-management.version-outdated", "client-management.version-accepted"])
    .remedy(&RETRY)
    .even_if_absent()
    .judge(version_upgrade_failed);

const RETRY: Remedy = Remedy::new(&[
    Step::console(CLIENT_UPGRADES, "open the upgrade and read its result for the endpoints of {subject}"),
    Step::console(
        "Administration > Actions > Action History",
        "for an upgrade by action: open its status and the logs of endpoints that did not complete it",
    ),
    Step::question(
        "Get Computer Name and Tanium Client Version from all machines",
        "see which of these endpoints still have the earlier version",
    ),
    Step::consult(
        "Tanium Client Management User Guide: Troubleshooting Tanium Clients and Client Management",
        "look up the reason and remove it: security exclusions, free disk space, file locks",
    ),
    Step::decision("the reason is removed", "retry the upgrade on these endpoints"),
    Step::decision("the endpoints are known to be in order", "confirm this finding, with the reason"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[PHASES])
.references(&[
    "Tanium Client Management User Guide: Upgrading Tanium Clients",
    "Tanium Client Management User Guide: Troubleshooting Tanium Clients and Client Management",
]);

fn version_upgrade_failed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let versions = Versions::of(facts)?;
    versions.settle(facts, report)?;
    if versions.outdated().next().is_none() {
        return Ok(());
    }
    let mut open = Vec::new();
    let by_action = judge_actions(facts, report, &mut open)?;
    let by_module = judge_module(facts, report, &versions)?;
    let before = report.findings.len();
    judge_history(facts, report, &versions)?;
    settle(&open)?;
    if by_action || by_module || report.findings.len() > before {
        return Ok(());
    }
    Err(Undecided::not_evaluated(format!(
        "clients below version {} exist, but no upgrade is known; export client-upgrades.csv, or answer \
         client-management.module-upgrades",
        versions.latest
    )))
}

/// Upgrades by action: true when one was seen that ended long enough ago. What could not be read whole goes to `open`.
fn judge_actions(facts: &Facts<'_>, report: &mut Report, open: &mut Vec<String>) -> Result<bool, Undecided> {
    // The module's own upgrades may be known where actions are not.
    let Ok(actions) = facts.rows::<UpgradeAction>(&UPGRADE_ACTIONS) else { return Ok(false) };
    let days = facts.integer(&AFTER_DAYS)?;
    let ended =
        |action: &&UpgradeAction| action.expiration_time.is_some_and(|end| facts.days_since(end) >= days);
    let ended: Vec<&UpgradeAction> = actions.iter().filter(ended).collect();
    if ended.is_empty() {
        return Ok(false);
    }
    let results: Vec<ActionResults> = facts.rows(&UPGRADE_RESULTS)?;
    let mut seen = false;
    for action in ended {
        let rows = results.iter().filter(|results| results.of.id == action.id);
        let statuses = Statuses::of(rows);
        seen |= statuses.total > 0;
        if statuses.unread > 0 {
            open.push(format!("{} more endpoints reported on the action {:?}", statuses.unread, action.name));
        }
        if statuses.open.is_empty() {
            continue;
        }
        let words: Vec<String> =
            statuses.open.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        let failed: u64 = statuses.open.values().sum();
        report.finding(
            Finding::on(Subject::new("action", &action.id, &action.name))
                .says(format!(
                    "was not completed by {failed} of {} endpoints ({})",
                    statuses.total,
                    words.join(", ")
                ))
                .expected(format!("all endpoints complete it within {days} days after its end"))
                .affected(failed, Some(statuses.total))
                .sample(statuses.names)
                .evidence(facts.seen(&UPGRADE_RESULTS, words))
                .confirms(format!("{failed} endpoints did not complete it")),
        );
    }
    Ok(seen)
}

/// What endpoints reported of one action.
#[derive(Default)]
struct Statuses {
    total: u64,
    /// Statuses other than completed, and how many endpoints have them.
    open: BTreeMap<String, u64>,
    /// A few of these endpoints.
    names: Vec<String>,
    /// Rows beyond the limit.
    unread: u64,
}

impl Statuses {
    fn of<'a>(results: impl Iterator<Item = &'a ActionResults>) -> Self {
        let mut statuses = Self::default();
        for result in results {
            let column =
                |name: &str| result.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            let (status, name, count) = (column("Action Statuses"), column("Computer Name"), column("Count"));
            let rows = result.row_count.map_or(0, |count| count as u64);
            statuses.unread += rows.saturating_sub(result.rows.len() as u64);
            for row in &result.rows {
                let cell = |at: Option<usize>| {
                    let values = at.and_then(|at| row.data.get(at));
                    values.and_then(|values| values.first()).map_or("", |cell| cell.text.trim())
                };
                statuses.add(cell(status), cell(name), cell(count).parse().unwrap_or(1));
            }
        }
        statuses
    }

    /// `350385:Completed.`: the action's id, and what became of it.
    fn add(&mut self, status: &str, name: &str, count: u64) {
        let Some((_, word)) = status.split_once(':') else { return };
        let word = word.trim().trim_end_matches('.');
        if word.is_empty() {
            return;
        }
        self.total += count;
        if word.eq_ignore_ascii_case("completed") {
            return;
        }
        *self.open.entry(word.to_owned()).or_insert(0) += count;
        if !name.is_empty() && !name.starts_with('[') && self.names.len() < 5 {
            self.names.push(name.to_owned());
        }
    }
}

/// Upgrades by the module: true when they are known.
fn judge_module(facts: &Facts<'_>, report: &mut Report, versions: &Versions) -> Result<bool, Undecided> {
    let Ok(body) = facts.body(&MODULE_UPGRADES) else { return Ok(false) };
    if let Body::Answer(answer) = body {
        match answer.value.as_str() {
            Some("yes") => return Ok(true),
            Some("none was run") => return Ok(false),
            Some("no") => {
                report.finding(
                    Finding::on(Subject::new(
                        "deployment",
                        "module-upgrades",
                        "an upgrade of Client Management",
                    ))
                    .says(format!("did not reach all of its endpoints, as {} answered", answer.by))
                    .expected("every upgrade reaches all of its endpoints")
                    .evidence(facts.seen(&MODULE_UPGRADES, &answer.note))
                    .confirms("upgrades that did not reach all"),
                );
                return Ok(true);
            }
            _ => {
                return Err(Undecided::not_evaluated(format!(
                    "{} is no answer about upgrades",
                    answer.value
                )));
            }
        }
    }
    let days = facts.integer(&AFTER_DAYS)?;
    let rows: Vec<UpgradeRow> = facts.rows(&MODULE_UPGRADES)?;
    let mut upgrades: BTreeMap<&str, (u64, Vec<&UpgradeRow>)> = BTreeMap::new();
    for row in &rows {
        let Some(time) = row.time else {
            return Err(Undecided::not_evaluated(format!(
                "client-upgrades.csv tells no Time for {} in {}",
                row.computer_name, row.upgrade
            )));
        };
        let (total, late) = upgrades.entry(&row.upgrade).or_default();
        *total += 1;
        if facts.days_since(time) >= days && row.version < versions.latest {
            late.push(row);
        }
    }
    for (upgrade, (total, late)) in upgrades.into_iter().filter(|(_, (_, late))| !late.is_empty()) {
        let mut words: Vec<&str> = late.iter().map(|row| row.status.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        report.finding(
            Finding::on(Subject::new("upgrade", upgrade, upgrade))
                .says(format!(
                    "left {} of {total} endpoints below version {} ({})",
                    late.len(),
                    versions.latest,
                    words.join(", ")
                ))
                .expected(format!("the latest version within {days} days"))
                .affected(late.len() as u64, Some(total))
                .sample(late.iter().map(|row| row.computer_name.as_str()).take(5))
                .evidence(facts.seen(&MODULE_UPGRADES, words))
                .confirms(format!("{} endpoints below version {}", late.len(), versions.latest)),
        );
    }
    Ok(!rows.is_empty())
}

/// Versions that stayed while the latest one gained endpoints.
fn judge_history(facts: &Facts<'_>, report: &mut Report, versions: &Versions) -> Result<(), Undecided> {
    let Ok(points) = facts.points(&VERSION_HISTORY) else { return Ok(()) };
    let days = facts.integer(&AFTER_DAYS)?;
    let Some(then) =
        points.iter().filter(|point| facts.days_since(point.at) >= days).map(|point| point.at).max()
    else {
        return Ok(());
    };
    let count_then = |version: &ProductVersion| counted(points, version, then);
    let moved = versions.by_version.get(&versions.latest).map_or(0, |runners| runners.count);
    if moved as f64 <= count_then(&versions.latest) {
        return Ok(());
    }
    for (version, runners) in versions.outdated() {
        let stuck = runners.count.min(count_then(version) as u64);
        if stuck == 0 {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("client version", version, version.to_string()))
                .says(format!(
                    "stayed on {stuck} endpoints for {} days while others were upgraded to {} (inferred from counts)",
                    facts.days_since(then),
                    versions.latest
                ))
                .expected(format!("version {}", versions.latest))
                .affected(stuck, Some(versions.total()))
                .evidence(facts.seen(&VERSION_HISTORY, stuck))
                .confirms(format!("version {version} stays")),
        );
    }
    Ok(())
}

/// The clients of a version in the run of that time.
fn counted(points: &[Point], version: &ProductVersion, then: Timestamp) -> f64 {
    let of_version = |point: &&Point| {
        let name = point.series.strip_prefix("client-management.client-version.");
        point.at == then && name.is_some_and(|name| ProductVersion::new(name) == *version)
    };
    points.iter().find(of_version).map_or(0.0, |point| point.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(versions: &[(&str, u64)]) -> Case {
        let versions: Vec<Value> = versions
            .iter()
            .map(|(version, count)| json!({"version_string": version, "count": count}))
            .collect();
        Case::of(&FAILED).rows(&CLIENT_STATUS, json!([{"leader_count": 1, "versions": versions}]))
    }

    fn mixed() -> Case {
        case(&[("7.6.2", 90), ("7.4.9", 10)])
    }

    fn with_action(ended: &str, statuses: &[(&str, &str)]) -> Case {
        let rows: Vec<Value> = statuses
            .iter()
            .map(|(name, status)| {
                let status = format!("7:{status}");
                json!({"data": [[{"text": name}], [{"text": status}], [{"text": "1"}]]})
            })
            .collect();
        mixed()
            .rows(&UPGRADE_ACTIONS, json!([{"id": 7, "name": "Client Upgrade", "expiration_time": ended}]))
            .rows(
                &UPGRADE_RESULTS,
                json!([{"_of": {"id": "7"}, "columns": [{"name": "Computer Name"}, {"name": "Action Statuses"},
                        {"name": "Count"}], "rows": rows}]),
            )
    }

    #[test]
    fn while_all_clients_are_up_to_date_no_upgrade_can_have_failed() {
        case(&[("7.6.2", 90)]).judge().assert_pass();
        case(&[("7.6.2", 90)]).assert_needs_its_inputs();
    }

    #[test]
    fn endpoints_that_did_not_complete_an_ended_action_are_found() {
        let verdict =
            with_action("2026-06-20T00:00:00Z", &[("a", "Completed."), ("b", "Failed."), ("c", "Expired")])
                .judge();
        verdict.assert_findings(&["7"]);
        let finding = &verdict.findings()[0];
        let affected = finding.affected.clone().unwrap();
        assert_eq!((affected.count, affected.of), (2, Some(3)));
        assert_eq!(affected.sample, ["b", "c"]);
        assert!(finding.state.is_some());
    }

    #[test]
    fn a_completed_action_passes() {
        let case = with_action("2026-06-20T00:00:00Z", &[("a", "Completed.")]);
        case.judge().assert_pass();
        case.assert_needs_its_inputs();
    }

    #[test]
    fn results_that_were_cut_off_leave_it_open() {
        let results = json!([{"_of": {"id": "7"}, "row_count": 3, "columns": [{"name": "Action Statuses"}],
                              "rows": [{"data": [[{"text": "7:Completed."}]]}]}]);
        let case = with_action("2026-06-20T00:00:00Z", &[]).rows(&UPGRADE_RESULTS, results);
        case.judge().assert_undecided(Outcome::NotEvaluated);
        case.answer(&MODULE_UPGRADES, "yes").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_action_that_still_runs_or_lost_its_results_decides_nothing() {
        with_action("2026-06-28T00:00:00Z", &[("b", "Failed.")])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        with_action("2001-01-01T00:00:00Z", &[("b", "Failed.")])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        with_action("2026-06-20T00:00:00Z", &[("b", "")]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn upgrades_of_the_module_are_told_by_a_person_or_a_list() {
        mixed().answer(&MODULE_UPGRADES, "yes").judge().assert_pass();
        mixed().answer(&MODULE_UPGRADES, "no").judge().assert_findings(&["module-upgrades"]);
        mixed().answer(&MODULE_UPGRADES, "none was run").judge().assert_undecided(Outcome::NotEvaluated);
        mixed().answer(&MODULE_UPGRADES, "perhaps").judge().assert_undecided(Outcome::NotEvaluated);
        let row = |name: &str, version: &str, time: &str| {
            json!({"Computer Name": name, "Upgrade": "June", "Status": "Error", "Version": version,
                   "Time": time})
        };
        let old = row("a", "7.4.9", "2026-06-20");
        let verdict = mixed()
            .rows(
                &MODULE_UPGRADES,
                json!([old, row("b", "7.4.9", "2026-06-29"), row("c", "7.6.2", "2026-06-20")]),
            )
            .judge();
        verdict.assert_findings(&["June"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.count), Some(1));
        mixed().rows(&MODULE_UPGRADES, json!([row("c", "7.6.2", "2026-06-20")])).judge().assert_pass();
        mixed()
            .rows(&MODULE_UPGRADES, json!([row("c", "7.6.2", "")]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        mixed().rows(&MODULE_UPGRADES, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_version_that_stays_while_others_move_is_inferred() {
        let point = |version: &str, value: f64| Point {
            series: format!("client-management.client-version.{version}"),
            at: "2026-06-20T00:00:00Z".parse().unwrap(),
            value,
        };
        let then = |latest: f64, old: f64| {
            mixed().body(&VERSION_HISTORY, Body::Points(vec![point("7.6.2", latest), point("7.4.9", old)]))
        };
        let verdict = then(50.0, 8.0).judge();
        verdict.assert_findings(&["7.4.9"]);
        assert!(verdict.findings()[0].says.contains("8 endpoints for 10 days"));
        then(90.0, 10.0).judge().assert_undecided(Outcome::NotEvaluated);
        then(50.0, 0.0).judge().assert_undecided(Outcome::NotEvaluated);
        then(50.0, 8.0).at("2026-06-25T00:00:00Z").judge().assert_undecided(Outcome::NotEvaluated);
    }
}
