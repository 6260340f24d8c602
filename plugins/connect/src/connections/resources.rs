//! Beyond the guide: what connections cost the Module Server: logs, memory, runs that do not end.

use crate::WHO;
use crate::inputs::{CONNECTIONS, DETAILS, RunStatus, connections};
use tancheck_plugin_api::prelude::*;

/// The regular level of a connection's log; smaller ones tell more.
const REGULAR_LEVEL: f64 = 30.0;

const VERBOSE_DAYS: Setting = Setting::integer("verbose_days", 7, 0, 365)
    .unit("days")
    .about("how long a connection may keep a log level that tells more than the regular one");

/// `connect.left-verbose`
pub const LEFT_VERBOSE: Check = Check::automated("connect.left-verbose")
    .title("No connection is left with a verbose log level")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&DETAILS])
    .settings(&[&VERBOSE_DAYS])
    .beyond()
    .what("Looks at the log level of each connection, and at the temporary one while it still counts for some runs. One below 30 (20 is for debugging, 10 for traces) is a finding once the connection has not been changed for `verbose_days`.")
    .why("Verbose logs fill the disk of the Module Server, and may hold data that belongs to the destination alone.")
    .limits("When the level was set is not told; the last change of the connection stands in. An exported connection tells its regular level alone, and no time.")
    .related(&["connect.failed-connections"])
    .remedy(&LEFT_VERBOSE_REMEDY)
    .judge(left_verbose);

const LEFT_VERBOSE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("whoever investigates {subject}", "whether the log is still needed"),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "set the log level back to Information, and end the temporary one",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes);

/// What a connection's details tell of its cost.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Cost {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::flag")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "lenient::number")]
    log_level: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    temp_log_level: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    temp_log_level_runs: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    max_old_space_size: Option<f64>,
    #[serde(deserialize_with = "lenient::time")]
    updated_at: Option<Timestamp>,
}

impl Cost {
    fn subject(&self) -> Subject {
        Subject::new("connection", if self.id.is_empty() { &self.name } else { &self.id }, &self.name)
    }
}

fn costs(facts: &Facts<'_>) -> Result<Vec<Cost>, Undecided> {
    let costs: Vec<Cost> = facts.rows(&DETAILS)?;
    if costs.is_empty() { Err(facts.absent(&DETAILS, "no connection is listed")) } else { Ok(costs) }
}

fn left_verbose(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&VERBOSE_DAYS)?;
    let mut unknown = Vec::new();
    for connection in &costs(facts)? {
        let temporary = connection.temp_log_level_runs.is_some_and(|runs| runs > 0.0);
        let says = match (connection.log_level, connection.temp_log_level) {
            (_, Some(level)) if temporary && level < REGULAR_LEVEL => {
                let runs = connection.temp_log_level_runs.unwrap_or_default();
                format!("logs at level {level} for {runs} more runs")
            }
            (Some(level), _) if level < REGULAR_LEVEL => format!("logs at level {level}"),
            (None, _) => {
                unknown.push(format!("{} does not tell its log level", connection.name));
                continue;
            }
            _ => continue,
        };
        let Some(changed) = connection.updated_at else {
            unknown.push(format!("{} {says}, and does not tell since when", connection.name));
            continue;
        };
        let days = facts.days_since(changed);
        if days > limit {
            report.finding(
                Finding::on(connection.subject())
                    .says(format!("{says}, and was last changed {days} days ago"))
                    .expected(format!("level {REGULAR_LEVEL} or higher after {limit} days"))
                    .evidence(facts.seen(&DETAILS, (connection.log_level, connection.temp_log_level))),
            );
        }
    }
    settle(&unknown)
}

const MEMORY_CEILING_GB: Setting = Setting::integer_unset("memory_ceiling_gb", 1, 1024)
    .unit("gigabytes")
    .about("the memory ceiling of Connect as a whole, as its settings show it");

/// `connect.memory-ceiling`
pub const MEMORY_CEILING: Check = Check::hybrid("connect.memory-ceiling")
    .title("The memory ceilings of connections fit under that of Connect")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&DETAILS])
    .settings(&[&MEMORY_CEILING_GB])
    .beyond()
    .what("Adds up the memory ceilings of all connections that are switched on, and compares the sum with `memory_ceiling_gb`.")
    .why("Connections that run at the same time and need more than Connect may have are killed, and their runs fail.")
    .limits("The ceiling of Connect is not public: the setting has to tell. Connections whose schedules never meet need not fit together; confirm the sum then.")
    .related(&["connect.process-exit"])
    .remedy(&MEMORY_CEILING_REMEDY)
    .judge(memory_ceiling);

const MEMORY_CEILING_REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Connect > Connections", "compare the schedules of the largest: {largest}"),
    Step::decision(
        "they run at the same time",
        "spread their schedules, or lower a ceiling that is too generous",
    ),
    Step::decision(
        "they need that much",
        "raise the ceiling in Connect's settings, if the Module Server has the memory",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Yes)
.cautions(&["A ceiling that is too low ends the connection's process in the middle of a run."]);

fn memory_ceiling(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let ceiling = facts.integer(&MEMORY_CEILING_GB)? as f64;
    let mut costs = costs(facts)?;
    costs.retain(|connection| connection.enabled != Some(false));
    if let Some(silent) = costs.iter().find(|connection| connection.max_old_space_size.is_none()) {
        return Err(Undecided::not_evaluated(format!("{} does not tell its memory ceiling", silent.name)));
    }
    let size = |connection: &Cost| connection.max_old_space_size.unwrap_or_default();
    let sum: f64 = costs.iter().map(size).sum();
    if sum <= ceiling {
        return Ok(());
    }
    costs.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.name.cmp(&b.name)));
    let largest: Vec<String> =
        costs.iter().take(5).map(|one| format!("{} ({} GB)", one.name, size(one))).collect();
    report.finding(
        Finding::on(Subject::new("module", "connect-memory", "Connect"))
            .says(format!("{} connections may need {sum} GB together", costs.len()))
            .expected(format!("at most {ceiling} GB"))
            .affected(costs.len() as u64, None)
            .fill("largest", largest.join(", "))
            .confirms(sum.to_string())
            .evidence(facts.seen(&DETAILS, sum)),
    );
    Ok(())
}

const STUCK_HOURS: Setting = Setting::integer("stuck_hours", 1, 1, 168).unit("hours").about(
    "how long a run may take in any case, before it is compared with the longest run of its connection",
);

/// `connect.run-stuck`
pub const RUN_STUCK: Check = Check::automated("connect.run-stuck")
    .title("No run takes more than twice as long as the longest one")
    .cadence(&[Cadence::Weekly])
    .severity(Severity::Medium)
    .reads(&[&CONNECTIONS])
    .settings(&[&STUCK_HOURS])
    .beyond()
    .what("Looks at connections whose last run is starting or running: it must not have begun longer ago than twice the connection's longest run, nor than `stuck_hours`, whichever is more.")
    .why("A run that hangs keeps the next ones from starting, and no failed run tells anybody.")
    .limits("A run over far more data than ever before looks the same; wait for the next run of this check.")
    .related(&["connect.process-exit", "connect.next-run"])
    .remedy(&RUN_STUCK_REMEDY)
    .judge(run_stuck);

const RUN_STUCK_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Connect > Connections > {subject} > Runs",
        "look into the log of the run: what was its last step?",
    ),
    Step::decision("the destination does not answer", "repair that; see connect.destination-reachable"),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "stop the run, and start the connection again",
    ),
    Step::support("bring a support bundle of Connect, if the run cannot be stopped"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["What a stopped run had sent already may be sent again by the next one."])
.references(&["Connect User Guide: Troubleshooting Connect"]);

fn run_stuck(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let least = facts.integer(&STUCK_HOURS)? * 3600;
    let mut unknown = Vec::new();
    for connection in &connections(facts)? {
        if !matches!(connection.last_run_status, Some(RunStatus::Starting | RunStatus::Running)) {
            continue;
        }
        let Some(begun) = connection.last_run_time else {
            unknown.push(format!("{} runs, and does not tell since when", connection.name));
            continue;
        };
        let longest = connection.max_run_duration.unwrap_or_default() as i64;
        let limit = least.max(2 * longest);
        let seconds = facts.since(begun).as_secs();
        if seconds > limit {
            report.finding(
                Finding::on(connection.subject())
                    .says(format!(
                        "its run began {} minutes ago; the longest one took {longest} s",
                        seconds / 60
                    ))
                    .expected(format!("at most {} minutes", limit / 60))
                    .evidence(facts.seen(&CONNECTIONS, (begun.to_string(), longest))),
            );
        }
    }
    settle(&unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn detailed(check: &'static Check, change: Value) -> Case {
        let mut row = json!({"id": 1, "name": "a", "enabled": true, "logLevel": 30, "tempLogLevel": 10,
            "tempLogLevelRuns": 0, "maxOldSpaceSize": 2.0, "updatedAt": "2026-06-01T00:00:00Z"});
        for (key, value) in change.as_object().unwrap() {
            row[key] = value.clone();
        }
        let other = json!({"id": 2, "name": "b", "enabled": true, "logLevel": 50, "maxOldSpaceSize": 1.5});
        Case::of(check).rows(&DETAILS, json!([row, other]))
    }

    #[test]
    fn verbose_logs_are_found_after_a_while() {
        let judge = |change| detailed(&LEFT_VERBOSE, change).judge();
        judge(json!({})).assert_pass();
        detailed(&LEFT_VERBOSE, json!({})).assert_needs_its_inputs();
        judge(json!({"tempLogLevelRuns": 3})).assert_findings(&["1"]);
        judge(json!({"logLevel": 20})).assert_findings(&["1"]);
        judge(json!({"logLevel": 20, "updatedAt": "2026-06-25T00:00:00Z"})).assert_pass();
        judge(json!({"logLevel": 20, "updatedAt": null})).assert_undecided(Outcome::NotEvaluated);
        judge(json!({"logLevel": null})).assert_undecided(Outcome::NotEvaluated);
        Case::of(&LEFT_VERBOSE).rows(&DETAILS, json!([])).judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn ceilings_add_up() {
        let limited =
            |change, ceiling: i64| detailed(&MEMORY_CEILING, change).setting("memory_ceiling_gb", ceiling);
        limited(json!({}), 4).judge().assert_pass();
        limited(json!({}), 4).assert_needs_its_inputs();
        let verdict = limited(json!({}), 3).judge();
        verdict.assert_findings(&["connect-memory"]);
        assert_eq!(verdict.findings()[0].values["largest"], "a (2 GB), b (1.5 GB)");
        limited(json!({"enabled": false}), 2).judge().assert_pass();
        limited(json!({"maxOldSpaceSize": null}), 9).judge().assert_undecided(Outcome::NotEvaluated);
        detailed(&MEMORY_CEILING, json!({})).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn runs_that_do_not_end_are_found() {
        let case = |status: &str, begun: Value, longest: i64| {
            Case::of(&RUN_STUCK).rows(
                &CONNECTIONS,
                json!([{"id": 1, "name": "a", "lastRunStatus": status, "lastRunTime": begun, "maxRunDuration": longest}]),
            )
        };
        case("Finished", json!("2026-06-29T00:00:00Z"), 60).judge().assert_pass();
        case("Finished", json!("2026-06-29T00:00:00Z"), 60).assert_needs_its_inputs();
        case("Running", json!("2026-06-30T11:00:00Z"), 60).judge().assert_pass();
        case("Running", json!("2026-06-30T10:59:00Z"), 60).judge().assert_findings(&["1"]);
        case("Starting", json!("2026-06-30T10:00:00Z"), 3600).judge().assert_pass();
        case("Starting", json!("2026-06-30T09:59:00Z"), 3600).judge().assert_findings(&["1"]);
        case("Running", json!(""), 60).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
